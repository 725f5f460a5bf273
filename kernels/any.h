/* A tile in the form GATHER_ANY, by a group of threads: gather_any.cu and walk.cu. */
#ifndef JC_KERNELS_ANY_H
#define JC_KERNELS_ANY_H

#include "kernels/entry.h"

namespace jc
{

enum { ANY_U = 4 }; /* entries of a thread side by side */

/* The threads of a tile: `thread` of `threads`, whole warps; neighbouring `lanes` share an entry. */
struct crew {
    int thread, threads, lanes;
};

/* Entry number n of the tile, by rows. */
JC_DEVICE entry tile_entry(const jc_gpu_tile *tile, int32_t n, int32_t count, int32_t columns)
{
    entry e = {0, -1};
    if (n >= count) return e;
    int32_t row = n < columns ? 0 : (int32_t)((uint32_t)n / (uint32_t)columns);
    e.row = load_const(&tile->row) + row;
    e.column = load_const(&tile->column) + (n - row * columns);
    return e;
}

template <class R> JC_DEVICE void put_entry(R *y, R sum, bool add)
{
    store(y, add ? load(y) + sum : sum);
}

/* Order of a sum: each lane adds its products term by term, products in increasing order; lanes are added in pairs,
 * those far apart first; the destination's old value is added last. */
template <class W>
JC_DEVICE void any_tile(const jc_gpu_launch &work, const jc_gpu_tile *tile, const crew &who, int64_t row0)
{
    typedef typename W::real real;
    const int32_t columns = load_const(&tile->columns), count = load_const(&tile->rows) * columns;
    const int32_t n_terms = load_const(&tile->n_terms), step = who.threads / who.lanes;
    const jc_gpu_term *terms = work.terms + load_const(&tile->first_term);
    const share part = {load_const(&tile->from), load_const(&tile->to), who.thread % who.lanes, who.lanes,
                        mode_drop(work.mode)};
    const bool add = load_const(&tile->add) != 0;
    for (int32_t base = 0; base < count; base += step * ANY_U) {
        entry e[ANY_U];
        real sum[ANY_U];
        JC_UNROLL
        for (int u = 0; u < ANY_U; u++) {
            e[u] = tile_entry(tile, base + u * step + who.thread / who.lanes, count, columns);
            sum[u] = 0;
        }
        for (int32_t t = 0; t < n_terms; t++) add_term<W, ANY_U>(view_term<W>(work, terms + t, row0), part, e, sum);
        JC_UNROLL
        for (int u = 0; u < ANY_U; u++) {
            real all = sum_lanes(sum[u], who.lanes);
            if (e[u].column < 0 || part.lane) continue;
            int64_t at =
                (e[u].row - load_const(&tile->row)) * load_const(&tile->ld) + (e[u].column - load_const(&tile->column));
            put_entry(static_cast<real *>(work.arena) + load_const(&tile->y) + at, all, add);
        }
    }
}

} // namespace jc

#endif
