/* One row, dense terms (row.h): a warp a tile, or a block of eight warps a tile. The grid is persistent: a warp has the
 * descriptions of the tile after the next and of the next tile's terms under way while it works, so that the numbers'
 * own latency is the only one left; it holds 4 loads of 512 bytes at a time. Little's law: 4.8 TB/s for 0.8 us over 132
 * multiprocessors are 29 KB under way in each; 24 warps of 2 KB are 48 KB.
 *
 * As compiled for sm_90 (nvcc 13.0): 80 registers, so 3 blocks. The loops over D have four LDG.E.NA.128 (f32;
 * LDG.E.NA.64 for 16-bit numbers, pairs of 128 for f64) before the first FFMA in ADJOINT; in TANGENT two of them come
 * after the first FFMAs. What is spilled (up to 50 bytes in f32, 210 in f64) is stored and read once a tile, in no
 * loop. */
#include "kernels/row.h"

namespace jc
{

enum { ROW_THREADS = 256, ROW_WARPS = ROW_THREADS / 32, ROW_BLOCKS = 3 };

/* What of a tile is needed after its terms. */
template <class R> JC_DEVICE void write_row(const jc_gpu_launch &work, uint32_t tile, const R *sums, int warps)
{
    R *y = static_cast<R *>(work.arena) + word_64(tile, offsetof(jc_gpu_tile, y));
    const int32_t columns = word_32(tile, offsetof(jc_gpu_tile, columns));
    const bool add = word_32(tile, offsetof(jc_gpu_tile, add)) != 0;
    for (int32_t c = warps == 1 ? lane_x() : thread_x(); c < columns; c += 32 * warps) {
        R sum = shared_load(sums + c);
        for (int w = 1; w < warps; w++) sum += shared_load(sums + w * ROW_MAX + c);
        store(y + c, add ? load(y + c) + sum : sum);
    }
}

/* WARPS of a tile: 1 or 8. */
template <class W, int WARPS> JC_KERNEL(ROW_THREADS, ROW_BLOCKS) gather_row(JC_WORK)
{
    typedef typename W::real real;
    JC_SHARED(real, all_sums, ROW_WARPS * ROW_MAX);
    const int warp = WARPS == 1 ? 0 : warp_x();
    const int64_t stride = blocks_x() * (ROW_WARPS / WARPS);
    int64_t t = WARPS == 1 ? block_x() * ROW_WARPS + warp_x() : block_x();
    uint32_t tile = load_tile_words(work, t), next_tile = load_tile_words(work, t + stride);
    uint32_t terms = load_term_words(work, word_64(tile, offsetof(jc_gpu_tile, first_term)), 0,
                                     word_32(tile, offsetof(jc_gpu_tile, n_terms)));
    for (; t < work.n_tiles; t += stride) {
        const uint32_t tile_after = load_tile_words(work, t + 2 * stride);
        const uint32_t next_terms = load_term_words(work, word_64(next_tile, offsetof(jc_gpu_tile, first_term)), 0,
                                                    word_32(next_tile, offsetof(jc_gpu_tile, n_terms)));
        row_sums<W> sums = {{}, all_sums + warp_x() * ROW_MAX, false};
        const int32_t columns = word_32(tile, offsetof(jc_gpu_tile, columns));
        add_terms(work, tile, terms, 0, 0, columns, warp, WARPS, sums);
        finish_warp(sums, columns);
        if (WARPS == 1)
            warp_barrier();
        else
            block_barrier();
        write_row(work, tile, WARPS == 1 ? sums.shared : all_sums, WARPS);
        if (WARPS == 1)
            warp_barrier();
        else
            block_barrier();
        tile = next_tile;
        next_tile = tile_after;
        terms = next_terms;
    }
}

template <int WARPS> static kernel_function row_variant(const jc_gpu_launch &work)
{
    if (work.dtype == JC_GPU_F64) return gather_row<in_f64, WARPS>;
    return work.mode == JC_GPU_FULL ? gather_row<in_f32, WARPS> : gather_row<in_f32_rounded, WARPS>;
}

int gather_row_launch(const jc_gpu_launch &work, jc_gpu_stream stream)
{
    const int64_t tiles_of_block = work.lanes == 32 ? ROW_WARPS : 1;
    launch_shape shape = {0, ROW_THREADS, 1, 0};
    int error = persistent_blocks((work.n_tiles + tiles_of_block - 1) / tiles_of_block, ROW_BLOCKS, &shape.blocks);
    if (error) return error;
    return launch_kernel(work.lanes == 32 ? row_variant<1>(work) : row_variant<ROW_WARPS>(work), shape, work, stream);
}

template <int WARPS> static int load_row()
{
    int error = load_kernel(gather_row<in_f64, WARPS>, 0);
    if (!error) error = load_kernel(gather_row<in_f32, WARPS>, 0);
    return error ? error : load_kernel(gather_row<in_f32_rounded, WARPS>, 0);
}

int gather_row_load()
{
    int error = load_row<1>();
    return error ? error : load_row<ROW_WARPS>();
}

} // namespace jc
