/* CONVERT and DELIVER: dst[b, i, j] (+)= src[b, i, j], each with strides and types of its own. Neighbouring threads
 * take neighbouring columns, COPY_U of them a block apart in one thread, so that their loads are under way together;
 * where the destination is stored by columns (a transposed value) blocks of 32 x 32 go through shared memory, so that
 * both sides are read and written in whole sectors. */
#include "kernels/device.h"

namespace jc
{

enum { COPY_THREADS = 256, COPY_U = 4, SQUARE = 32 };

/* Visits with the types of source and destination. */
template <class Visit> JC_DEVICE void with_types(const jc_gpu_launch &work, Visit visit)
{
    with_number(work.src_dtype, [&](auto source) {
        with_number(work.dst_dtype, [&](auto destination) { visit(source, destination); });
    });
}

/* Element n of all, by rows. */
struct element {
    int64_t src, dst;
    bool diagonal;
};

JC_DEVICE element element_at(const jc_gpu_launch &work, int64_t n)
{
    const int64_t line = quotient(n, work.columns), j = n - line * work.columns;
    const int64_t b = quotient(line, work.rows), i = line - b * work.rows;
    return {b * work.src_block + i * work.src_row + j * work.src_column,
            b * work.dst_block + i * work.dst_row + j * work.dst_column, i == j};
}

JC_KERNEL(COPY_THREADS, 4) copy_lines(JC_WORK)
{
    const int64_t total = work.blocks * work.rows * work.columns, step = blocks_x() * COPY_THREADS;
    for (int64_t n = block_x() * COPY_THREADS + thread_x(); n < total; n += COPY_U * step) {
        element at[COPY_U];
        JC_UNROLL
        for (int u = 0; u < COPY_U; u++) at[u] = element_at(work, min_of(n + u * step, total - 1));
        with_types(work, [&](auto source, auto destination) {
            typedef typename decltype(source)::type S;
            typedef typename decltype(destination)::type D;
            typedef typename wider<S, D>::type R;
            S x[COPY_U] = {};
            JC_UNROLL
            for (int u = 0; u < COPY_U; u++)
                x[u] = work.src ? load(static_cast<const S *>(work.src) + at[u].src)
                                : to<S>::from(work.unit && at[u].diagonal ? 1.0f : 0.0f);
            JC_UNROLL
            for (int u = 0; u < COPY_U; u++) {
                D *y = static_cast<D *>(work.dst) + at[u].dst;
                if (n + u * step >= total) continue;
                const R sum = work.accumulate ? to<R>::from(load(y)) + to<R>::from(x[u]) : to<R>::from(x[u]);
                store(y, to<D>::from(sum));
            }
        });
    }
}

/* Squares of a block of rows x columns, counted by rows of squares. Source by rows, destination by columns. */
JC_KERNEL(COPY_THREADS, 4) copy_squares(JC_WORK)
{
    JC_SHARED(double, square, SQUARE *(SQUARE + 1));
    const int64_t across = (work.columns + SQUARE - 1) / SQUARE, down = (work.rows + SQUARE - 1) / SQUARE;
    for (int64_t n = block_x(); n < work.blocks * across * down; n += blocks_x()) {
        const int64_t line = quotient(n, across), b = quotient(line, down);
        const int64_t column = (n - line * across) * SQUARE, row = (line - b * down) * SQUARE;
        with_types(work, [&](auto source, auto destination) {
            typedef typename decltype(source)::type S;
            typedef typename decltype(destination)::type D;
            typedef typename wider<S, D>::type R;
            R *const held = reinterpret_cast<R *>(square);
            for (int r = warp_x(); r < SQUARE; r += COPY_THREADS / 32) {
                if (row + r >= work.rows || column + lane_x() >= work.columns) continue;
                const int64_t at =
                    b * work.src_block + (row + r) * work.src_row + (column + lane_x()) * work.src_column;
                shared_store(held + r * (SQUARE + 1) + lane_x(),
                             to<R>::from(load(static_cast<const S *>(work.src) + at)));
            }
            block_barrier();
            for (int c = warp_x(); c < SQUARE; c += COPY_THREADS / 32) {
                if (row + lane_x() >= work.rows || column + c >= work.columns) continue;
                D *y = static_cast<D *>(work.dst) + b * work.dst_block + (row + lane_x()) * work.dst_row +
                       (column + c) * work.dst_column;
                R x = shared_load(held + lane_x() * (SQUARE + 1) + c);
                if (work.accumulate) x = to<R>::from(load(y)) + x;
                store(y, to<D>::from(x));
            }
        });
        block_barrier();
    }
}

/* Rows and columns in the other order where the source is stored by columns: what is read by rows may be stored by
 * columns (copy_squares), not the reverse. */
static void turn(jc_gpu_launch &work)
{
    const jc_gpu_launch old = work;
    work.rows = old.columns, work.columns = old.rows;
    work.src_row = old.src_column, work.src_column = old.src_row;
    work.dst_row = old.dst_column, work.dst_column = old.dst_row;
}

/* One line where the next begins where one ends, on both sides. */
static jc_gpu_launch merged(jc_gpu_launch work)
{
    if (work.kernel == JC_GPU_CONVERT) work.src_column = work.dst_column = 1;
    if (work.kernel == JC_GPU_CONVERT) work.accumulate = 0;
    if (!work.src) return work;
    if (work.src_row == 1 && work.src_column != 1 && work.dst_column == 1) turn(work);
    if (work.rows > 1 && work.src_row == work.columns * work.src_column &&
        work.dst_row == work.columns * work.dst_column) {
        work.columns *= work.rows;
        work.rows = 1;
    }
    if (work.rows == 1 && work.blocks > 1 && work.src_block == work.columns * work.src_column &&
        work.dst_block == work.columns * work.dst_column) {
        work.columns *= work.blocks;
        work.blocks = 1;
    }
    return work;
}

int copy_launch(const jc_gpu_launch &given, jc_gpu_stream stream)
{
    const jc_gpu_launch work = merged(given);
    const bool turned = work.src && work.dst_row == 1 && work.dst_column != 1 && work.rows > 1 && work.columns > 1;
    launch_shape shape = {0, COPY_THREADS, 1, 0};
    int64_t wanted =
        turned ? work.blocks * ((work.columns + SQUARE - 1) / SQUARE) * ((work.rows + SQUARE - 1) / SQUARE)
               : (work.blocks * work.rows * work.columns + COPY_THREADS * COPY_U - 1) / (COPY_THREADS * COPY_U);
    int error = persistent_blocks(wanted, 4, &shape.blocks);
    if (error) return error;
    return launch_kernel(turned ? copy_squares : copy_lines, shape, work, stream);
}

int copy_load()
{
    int error = load_kernel(copy_lines, 0);
    return error ? error : load_kernel(copy_squares, 0);
}

} // namespace jc
