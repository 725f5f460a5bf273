/* A tile in the form GATHER_ANY, by a group of threads: gather_any.cu and walk.cu. */
#ifndef JC_KERNELS_ANY_H
#define JC_KERNELS_ANY_H

#include "kernels/entry.h"

namespace jc
{

enum { ANY_U = 4 }; /* entries of a thread side by side, so that their loads are under way together */

/* The threads of a tile: `thread` of `threads`, whole warps; neighbouring `lanes` share an entry. */
struct crew {
    int thread, threads, lanes;
};

/* Entries of a thread in a tile, counted from the tile's first; column -1: none. */
struct some_entries {
    int64_t row0, column0;
    int32_t row[ANY_U], column[ANY_U];
};

JC_DEVICE some_entries entries_of(const jc_gpu_tile *tile, int32_t first, int32_t step, int32_t count, int32_t columns)
{
    some_entries e;
    e.row0 = load_const(&tile->row);
    e.column0 = load_const(&tile->column);
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++) {
        int32_t n = first + u * step;
        e.row[u] = n < columns ? 0 : (int32_t)((uint32_t)n / (uint32_t)columns);
        e.column[u] = n < count ? n - e.row[u] * columns : -1;
    }
    return e;
}

/* ---- fast ways: batch and inner 1, 32-bit indices ---------------------------------------------------------------- */

template <class W> JC_DEVICE const typename W::real *input_row(const term_view<W> &v, const some_entries &e, int u)
{
    return v.a + (e.row0 + e.row[u]) * v.n_in;
}

template <class W>
JC_DEVICE void add_diagonal(const term_view<W> &v, const some_entries &e, typename W::real (&sum)[ANY_U])
{
    typedef typename W::real real;
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        const N *numbers = numbers_of<W, N>(v, 0) + e.column0;
        real a[ANY_U] = {};
        N d[ANY_U] = {};
        JC_UNROLL
        for (int u = 0; u < ANY_U; u++) {
            if (e.column[u] < 0) continue;
            a[u] = load(input_row(v, e, u) + e.column0 + e.column[u]);
            d[u] = load_const(numbers + e.column[u]);
        }
        JC_UNROLL
        for (int u = 0; u < ANY_U; u++)
            if (e.column[u] >= 0) sum[u] = mul_add(a[u], to<real>::from(d[u]), sum[u]);
    });
}

/* at[u]: the only input of an entry. */
template <class W>
JC_DEVICE void add_copies(const term_view<W> &v, const some_entries &e, const int64_t (&at)[ANY_U],
                          typename W::real (&sum)[ANY_U])
{
    const typename W::real scale = scale_of(v);
    typename W::real a[ANY_U] = {};
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++)
        if (e.column[u] >= 0) a[u] = load(input_row(v, e, u) + at[u]);
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++)
        if (e.column[u] >= 0) sum[u] = add_scaled(sum[u], scale, a[u]);
}

template <class W>
JC_DEVICE void add_identity(const term_view<W> &v, const some_entries &e, typename W::real (&sum)[ANY_U])
{
    int64_t at[ANY_U];
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++) at[u] = e.column0 + e.column[u];
    add_copies(v, e, at, sum);
}

template <class W>
JC_DEVICE void add_selection(const term_view<W> &v, const some_entries &e, typename W::real (&sum)[ANY_U])
{
    const int32_t *index = static_cast<const int32_t *>(load_const(&v.source->index)) + lists_of(v, 0) + e.column0;
    int64_t at[ANY_U] = {};
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++)
        if (e.column[u] >= 0) at[u] = load_const(index + e.column[u]);
    add_copies(v, e, at, sum);
}

/* The lists of the thread's entries: k[u] is at position begin of a list, which ends before end[u]. */
template <class W>
JC_DEVICE bool open_lists(const term_view<W> &v, const some_entries &e, int lane, int32_t (&k)[ANY_U],
                          int32_t (&end)[ANY_U])
{
    const int32_t *start = static_cast<const int32_t *>(load_const(&v.source->start)) + starts_of(v, 0) + e.column0;
    bool some = false;
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++) {
        k[u] = end[u] = 0;
        if (e.column[u] < 0) continue;
        k[u] = load_const(start + e.column[u]) + lane;
        end[u] = load_const(start + e.column[u] + 1);
    }
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++) some |= k[u] < end[u];
    return some;
}

/* The next product of each list; whether there are more. Lists are below 2^31 numbers long, lanes at most 32. */
template <class W, class N>
JC_DEVICE bool add_csr_round(const term_view<W> &v, const some_entries &e, const int32_t *index, const int32_t *place,
                             const N *numbers, int lanes, int32_t (&k)[ANY_U], const int32_t (&end)[ANY_U],
                             typename W::real (&sum)[ANY_U])
{
    typedef typename W::real real;
    int32_t at[ANY_U] = {}, n[ANY_U] = {};
    real a[ANY_U] = {};
    N d[ANY_U] = {};
    bool more = false;
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++) {
        if (k[u] >= end[u]) continue;
        at[u] = load_const(index + k[u]);
        n[u] = place ? load_const(place + k[u]) : k[u];
    }
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++) {
        if (k[u] >= end[u]) continue;
        d[u] = load_const(numbers + n[u]);
        a[u] = load(input_row(v, e, u) + at[u]);
    }
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++) {
        if (k[u] >= end[u]) continue;
        sum[u] = mul_add(a[u], to<real>::from(d[u]), sum[u]);
        k[u] = end[u] - k[u] > lanes ? k[u] + lanes : end[u];
        more |= k[u] < end[u];
    }
    return more;
}

template <class W>
JC_DEVICE void add_csr(const term_view<W> &v, const some_entries &e, const share &part, typename W::real (&sum)[ANY_U])
{
    const int32_t *index = static_cast<const int32_t *>(load_const(&v.source->index)) + lists_of(v, 0);
    const int32_t *place = static_cast<const int32_t *>(load_const(&v.source->place));
    if (place) place += lists_of(v, 0);
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        int32_t k[ANY_U], end[ANY_U];
        bool more = open_lists(v, e, part.lane, k, end);
        while (more) more = add_csr_round<W, N>(v, e, index, place, numbers_of<W, N>(v, 0), part.lanes, k, end, sum);
    });
}

/* ---- a tile ------------------------------------------------------------------------------------------------------ */

template <class W> JC_DEVICE bool has_fast_way(const term_view<W> &v)
{
    if (v.expand || v.w || v.batch != 1 || v.inner != 1) return false;
    if (v.kind == JC_GPU_DIAGONAL || v.kind == JC_GPU_IDENTITY) return true;
    return !v.wide && (v.kind == JC_GPU_CSR || (v.kind == JC_GPU_SELECT && !v.adjoint));
}

template <class W>
JC_DEVICE void add_fast(const term_view<W> &v, const share &part, const some_entries &e, typename W::real (&sum)[ANY_U])
{
    if (v.kind == JC_GPU_CSR)
        add_csr(v, e, part, sum);
    else if (part.lane)
        return;
    else if (v.kind == JC_GPU_DIAGONAL)
        add_diagonal(v, e, sum);
    else if (v.kind == JC_GPU_IDENTITY)
        add_identity(v, e, sum);
    else
        add_selection(v, e, sum);
}

/* sum[u] += the thread's share of the term's products. */
template <class W>
JC_DEVICE void add_term(const arrays<W> &in, const jc_gpu_term *term, const share &part, const some_entries &e,
                        typename W::real (&sum)[ANY_U])
{
    const term_view<W> v = view_term<W>(in, term);
    if (has_fast_way(v)) {
        add_fast(v, part, e, sum);
        return;
    }
    JC_UNROLL
    for (int u = 0; u < ANY_U; u++)
        if (e.column[u] >= 0)
            sum[u] = term_sum<W>(in, term, part, {e.row0 + e.row[u], e.column0 + e.column[u]}, sum[u]);
}

template <class R> JC_DEVICE void put_entry(R *y, R sum, bool add)
{
    store(y, add ? load(y) + sum : sum);
}

/* Order of a sum: each lane adds its products term by term, products in increasing order; lanes are added in pairs,
 * those far apart first; the destination's old value is added last. */
template <class W>
JC_DEVICE void any_tile(const jc_gpu_launch &work, const arrays<W> &in, const jc_gpu_tile *tile, const crew &who)
{
    typedef typename W::real real;
    const int32_t columns = load_const(&tile->columns), count = load_const(&tile->rows) * columns;
    const int32_t n_terms = load_const(&tile->n_terms), step = who.threads / who.lanes;
    const jc_gpu_term *terms = work.terms + load_const(&tile->first_term);
    const share part = {load_const(&tile->from), load_const(&tile->to), who.thread % who.lanes, who.lanes,
                        mode_drop(work.mode)};
    for (int32_t base = 0; base < count; base += step * ANY_U) {
        const some_entries e = entries_of(tile, base + who.thread / who.lanes, step, count, columns);
        real sum[ANY_U] = {};
        for (int32_t t = 0; t < n_terms; t++) add_term<W>(in, terms + t, part, e, sum);
        real *y = static_cast<real *>(work.arena) + load_const(&tile->y);
        JC_UNROLL
        for (int u = 0; u < ANY_U; u++) {
            real all = sum_lanes(sum[u], who.lanes);
            if (e.column[u] >= 0 && !part.lane)
                put_entry(y + e.row[u] * load_const(&tile->ld) + e.column[u], all, load_const(&tile->add) != 0);
        }
    }
}

} // namespace jc

#endif
