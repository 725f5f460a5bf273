/* A tile in the form GATHER_ROW: one row, dense terms, by one warp or eight.
 *
 * A warp reads four neighbouring numbers of a row of D by one load (two of 16 bytes for f64), some rows (at_once)
 * before it uses the first. Lanes lie over columns and rows of D: ADJOINT  y_c = sum_i a_i D[i, c]: `across` lanes
 * cover the tile's columns, the others take further rows; each lane keeps its four columns' sums over all terms, and
 * the lanes are added at the end of the tile. TANGENT  y_c = sum_l D[c, l] a_l: `across` lanes cover the columns of D,
 * the others take further rows, which are further outputs; the lanes are added for each four rows, into the warp's sums
 * in shared memory. Lanes are added so that each step halves the values that a lane keeps: 5 shuffles for 4 values of 8
 * lanes.
 *
 * Order of a sum: each lane's products in increasing order, terms in their order, ADJOINT ones apart from TANGENT ones;
 * lanes in pairs, those far apart first; then warps one after the other; then the destination's old value.
 *
 * Descriptions are read as words by the lanes of a warp, one load for a tile or five terms, ahead of their use, and
 * handed round by shuffles: a register each instead of thirty. */
#ifndef JC_KERNELS_ROW_H
#define JC_KERNELS_ROW_H

#include "kernels/device.h"

namespace jc
{

enum { ROW_TERMS = 5, ROW_MAX = JC_GPU_ROW_COLUMNS };
enum { TILE_WORDS = sizeof(jc_gpu_tile) / 4, TERM_WORDS = sizeof(jc_gpu_term) / 4 };
static_assert(TILE_WORDS <= 32 && ROW_TERMS * TERM_WORDS <= 32, "a warp's lanes hold these");

/* ---- descriptions ------------------------------------------------------------------------------------------------ */

/* Word `lane` of the count words at p. */
JC_DEVICE uint32_t load_words(const void *p, int count)
{
    return lane_x() < count ? load_const(static_cast<const uint32_t *>(p) + lane_x()) : 0;
}

JC_DEVICE int32_t word_32(uint32_t words, size_t byte)
{
    return (int32_t)shuffle(words, (int)(byte / 4));
}

JC_DEVICE int64_t word_64(uint32_t words, size_t byte)
{
    uint32_t low = shuffle(words, (int)(byte / 4)), high = shuffle(words, (int)(byte / 4) + 1);
    return (int64_t)((uint64_t)high << 32 | low);
}

JC_DEVICE uint32_t load_tile_words(const jc_gpu_launch &work, int64_t tile)
{
    return tile < work.n_tiles ? load_words(work.tiles + tile, TILE_WORDS) : 0;
}

/* Of up to ROW_TERMS terms from number `from` on. */
JC_DEVICE uint32_t load_term_words(const jc_gpu_launch &work, int64_t first_term, int32_t from, int32_t n_terms)
{
    int left = n_terms - from;
    return load_words(work.terms + first_term + from, (left < ROW_TERMS ? left : ROW_TERMS) * TERM_WORDS);
}

/* A dense term, from a column of the tile on. n: products of a sum, this tile's part. */
template <class W> struct row_term {
    const typename W::real *a; /* of the first product */
    const void *numbers;
    int64_t first; /* of the first product and column, in numbers */
    int64_t ld, n;
    int32_t dtype;
    bool adjoint;
};

template <class W>
JC_DEVICE row_term<W> dense_term(const jc_gpu_launch &work, int64_t a, int64_t member, int32_t source, uint32_t tile,
                                 int32_t skip)
{
    const jc_gpu_source *s = work.sources + source;
    row_term<W> t;
    const int64_t p = load_const(&s->p), q = load_const(&s->q), batch = load_const(&s->batch);
    t.adjoint = load_const(&s->direction) == JC_GPU_ADJOINT;
    t.dtype = load_const(&s->dtype);
    t.ld = load_const(&s->ld);
    t.numbers = load_const(&s->numbers);
    const int64_t n_in = t.adjoint ? p : q, n_out = t.adjoint ? q : p;
    const int64_t column = word_64(tile, offsetof(jc_gpu_tile, column)) + skip,
                  from = word_64(tile, offsetof(jc_gpu_tile, from));
    const int64_t row = word_64(tile, offsetof(jc_gpu_tile, row)), to = word_64(tile, offsetof(jc_gpu_tile, to));
    const int64_t block = batch == 1 ? 0 : quotient(column, n_out), c = column - block * n_out;
    t.n = min_of(to, n_in) - from;
    t.a = static_cast<const typename W::real *>(work.arena) + a + (row * batch + block) * n_in + from;
    t.first = member * load_const(&s->member_stride) + block * load_const(&s->block_stride) +
              (t.adjoint ? from * t.ld + c : c * t.ld + from);
    return t;
}

/* ---- lanes ------------------------------------------------------------------------------------------------------- */

/* The smallest power of two, at most 32, of lanes that hold n columns, four each. */
JC_DEVICE int lanes_across(int64_t n)
{
    int across = 1;
    while (across < 32 && 4 * across < n) across *= 2;
    return across;
}

/* Adds v[0..3] over the `count` lanes whose numbers differ in the bits [low, low count). *index: which of the four the
 * lane has then (the lanes of a kind all have the same), or -1: all four are in each lane. */
template <class R> JC_DEVICE R sum_of_four(R (&v)[4], int low, int count, int *index)
{
    if (count < 4) {
        *index = -1;
        if (count == 2)
            for (int u = 0; u < 4; u++) v[u] += shuffle_xor(v[u], low);
        return v[0];
    }
    const int half = low * count / 2, quarter = half / 2;
    const bool upper = (lane_x() & half) != 0, odd = (lane_x() & quarter) != 0;
    R keep0 = upper ? v[2] : v[0], keep1 = upper ? v[3] : v[1];
    keep0 += shuffle_xor(upper ? v[0] : v[2], half);
    keep1 += shuffle_xor(upper ? v[1] : v[3], half);
    R sum = odd ? keep1 : keep0;
    sum += shuffle_xor(odd ? keep0 : keep1, quarter);
    for (int m = quarter / 2; m >= low; m /= 2) sum += shuffle_xor(sum, m);
    *index = 2 * upper + odd;
    return sum;
}

/* ---- loads of four ----------------------------------------------------------------------------------------------- */

/* Whether rows of fours from p on, ld apart, are aligned for loads of four. */
template <class N> JC_DEVICE bool fours_at(const N *p, int64_t ld)
{
    const uintptr_t unit = alignof(quad<N>);
    return reinterpret_cast<uintptr_t>(p) % unit == 0 && (uintptr_t)ld * sizeof(N) % unit == 0;
}

/* Four numbers at p, or the first n of them and zeros. Loads that are not FOURS come to the same sectors again, so they
 * go through L1. */
template <bool FOURS, class N> JC_DEVICE quad<N> load_four(const N *p, int64_t n)
{
    quad<N> d = {};
    if constexpr (FOURS) {
        if (n > 0) d = load_once(as_quad(p));
    } else {
        JC_UNROLL
        for (int k = 0; k < 4; k++)
            if (k < n) d.v[k] = load_const(p + k);
    }
    return d;
}

/* Where the numbers of D, and where the inputs a, are: global or shared memory. */
struct from_global {
    template <bool FOURS, class N> static JC_DEVICE quad<N> four(const N *p, int64_t n)
    {
        return load_four<FOURS>(p, n);
    }
    template <class R> static JC_DEVICE R one(const R *p)
    {
        return load(p);
    }
};

struct from_shared {
    template <bool FOURS, class N> static JC_DEVICE quad<N> four(const N *p, int64_t n)
    {
        quad<N> d = {};
        if constexpr (FOURS) {
            if (n > 0) d = shared_load(as_quad(p));
        } else {
            JC_UNROLL
            for (int k = 0; k < 4; k++)
                if (k < n) d.v[k] = shared_load(p + k);
        }
        return d;
    }
    template <class R> static JC_DEVICE R one(const R *p)
    {
        return shared_load(p);
    }
};

/* ---- the two directions ------------------------------------------------------------------------------------------ */

/* Rows of D that a lane has under way: 64 bytes of numbers of f64, f32, 32 of smaller ones. */
template <class N> struct at_once {
    enum { rows = sizeof(N) == 8 ? 2 : 4 };
};

/* sum[k] += sum over the lane's `left` rows of a_i D[i, 4 lane + k]: the first at a and d, a_step and d_step further
 * the next. `columns` from the lane's first on. Rows that are not there give zeros times zeros. A lane's rows are fewer
 * than 2^31: the warp's rows take at least 2 bytes each (64 and more where its lanes lie over one row). */
template <class W, class N, bool FOURS, class D = from_global, class A = from_global>
JC_DEVICE void add_rows(const typename W::real *a, const N *d, int64_t a_step, int64_t d_step, int32_t left,
                        int32_t columns, int drop, typename W::real (&sum)[4])
{
    typedef typename W::real real;
    const int U = at_once<N>::rows;
    JC_UNROLL_BY(1)
    while (left > 0) {
        quad<N> four[U];
        real x[U];
        JC_UNROLL
        for (int u = 0; u < U; u++, a += a_step, d += d_step) {
            const bool there = u < left && columns > 0;
            four[u] = D::template four<FOURS>(d, there ? columns : 0);
            x[u] = there ? A::one(a) : (real)0;
        }
        left -= U;
        JC_UNROLL
        for (int u = 0; u < U; u++) {
            const real xu = W::operand(x[u], drop);
            JC_UNROLL
            for (int k = 0; k < 4; k++) sum[k] = mul_add(xu, W::operand(to<real>::from(four[u].v[k]), drop), sum[k]);
        }
    }
}

/* sum[u] += sum over the lane's fours of l of D[u, l] a_l, rows d_step apart, of which `rows` are there: in place of
 * others the last one is read, without a condition that would hold loads up, and its sum means nothing. The first four
 * at a and d, `skip` further the next, n numbers in all from a on. */
template <class W, class N, bool FOURS, class D = from_global, class A = from_global>
JC_DEVICE void add_columns(const typename W::real *a, const N *d, int64_t d_step, int32_t skip, int64_t n, int32_t rows,
                           int drop, typename W::real (&sum)[4])
{
    typedef typename W::real real;
    const int U = at_once<N>::rows;
    if (rows-- <= 0) return; /* now the last one's number */
    JC_UNROLL_BY(1)
    for (; n > 0; n -= skip, a += skip, d += skip) {
        real x[4];
        const N *p = d;
        JC_UNROLL
        for (int k = 0; k < 4; k++) x[k] = W::operand(FOURS || k < n ? A::one(a + k) : (real)0, drop);
        JC_UNROLL
        for (int base = 0; base < 4; base += U) {
            quad<N> four[U];
            JC_UNROLL
            for (int u = 0; u < U; u++) {
                four[u] = D::template four<FOURS>(p, n);
                p += base + u < rows ? d_step : 0;
            }
            JC_UNROLL
            for (int i = 0; i < 4 * U; i++) {
                real &into = sum[base + i / 4];
                into = mul_add(x[i % 4], W::operand(to<real>::from(four[i / 4].v[i % 4]), drop), into);
            }
        }
    }
}

/* ---- a term and a tile ------------------------------------------------------------------------------------------- */

/* Sums of a tile as it goes on. `mine`: of the lane's four columns, ADJOINT; `shared`: the warp's, [ROW_MAX], which
 * TANGENT terms are added to from the first of them on (begun). */
template <class W> struct row_sums {
    typename W::real mine[4];
    typename W::real *shared;
    bool begun;
};

/* The warp's share, of `warps` warps. */
template <class W, class N, bool FOURS>
JC_DEVICE void add_adjoint(const row_term<W> &t, int32_t columns, int warp, int warps, int drop, row_sums<W> &sums)
{
    const int across = lanes_across(columns), at = lane_x() % across, row = lane_x() / across, rows = 32 / across;
    const int first = warp * rows + row, step = warps * rows;
    if (t.n <= first) return;
    const N *d = static_cast<const N *>(t.numbers) + t.first + 4 * at + first * t.ld;
    const int32_t left = (int32_t)quotient(t.n - first + step - 1, step);
    add_rows<W, N, FOURS>(t.a + first, d, step, step * t.ld, left, columns - 4 * at, drop, sums.mine);
}

template <class W> JC_DEVICE void begin_shared(row_sums<W> &sums)
{
    if (sums.begun) return;
    for (int c = lane_x(); c < ROW_MAX; c += 32) shared_store(sums.shared + c, (typename W::real)0);
    sums.begun = true;
    warp_barrier();
}

/* Adds (writes, where nothing has begun) what sum_of_four left in the lanes: value `index` belongs to column `first` +
 * index `step`. `owner`: of the lanes that have the same value, the one that adds. */
template <class W>
JC_DEVICE void add_to_shared(const row_sums<W> &sums, const typename W::real (&four)[4], typename W::real one,
                             int index, bool owner, int32_t first, int32_t step, int32_t columns)
{
    JC_UNROLL
    for (int u = 0; u < 4; u++) {
        const int32_t c = first + u * step;
        if (!owner || c >= columns || (index >= 0 && index != u)) continue;
        const typename W::real sum = index < 0 ? four[u] : one;
        shared_store(sums.shared + c, sums.begun ? shared_load(sums.shared + c) + sum : sum);
    }
}

/* Warps share the outputs out, or where these are few, the products. */
template <class W, class N, bool FOURS>
JC_DEVICE void add_tangent(const row_term<W> &t, int32_t columns, int warp, int warps, int drop, row_sums<W> &sums)
{
    typedef typename W::real real;
    const int across = lanes_across(t.n), at = lane_x() % across, row = lane_x() / across, rows = 32 / across;
    const bool by_output = columns >= warps * rows;
    const int out_warp = by_output ? warp : 0, out_warps = by_output ? warps : 1;
    const int in_warp = by_output ? 0 : warp, in_warps = by_output ? 1 : warps;
    const int skip = 4 * across * in_warps, l = 4 * (in_warp * across + at), step = rows * out_warps;
    const N *d = static_cast<const N *>(t.numbers) + t.first + l;
    for (int32_t base = out_warp * rows; base < columns; base += 4 * step) {
        real four[4] = {};
        const int32_t c = base + row, there = columns > c ? (columns - c + step - 1) / step : 0;
        int index;
        add_columns<W, N, FOURS>(t.a + l, d + c * t.ld, step * t.ld, skip, t.n - l, there, drop, four);
        const real one = sum_of_four(four, 1, across, &index);
        add_to_shared(sums, four, one, index, at % (across < 4 ? across : across / 4) == 0, c, step, columns);
    }
    warp_barrier();
}

template <class W>
JC_DEVICE void add_dense(const row_term<W> &t, int32_t columns, int warp, int warps, int drop, row_sums<W> &sums)
{
    if (!t.adjoint) begin_shared(sums);
    with_number(t.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        const N *d = static_cast<const N *>(t.numbers) + t.first;
        if (t.adjoint) {
            if (columns % 4 == 0 && fours_at(d, t.ld))
                add_adjoint<W, N, true>(t, columns, warp, warps, drop, sums);
            else
                add_adjoint<W, N, false>(t, columns, warp, warps, drop, sums);
        } else if (t.n % 4 == 0 && fours_at(d, t.ld))
            add_tangent<W, N, true>(t, columns, warp, warps, drop, sums);
        else
            add_tangent<W, N, false>(t, columns, warp, warps, drop, sums);
    });
}

/* Adds the lanes' own sums to the warp's in shared memory. */
template <class W> JC_DEVICE void finish_warp(row_sums<W> &sums, int32_t columns)
{
    const int across = lanes_across(columns), at = lane_x() % across, row = lane_x() / across, rows = 32 / across;
    int index;
    const typename W::real one = sum_of_four(sums.mine, across, rows, &index);
    add_to_shared(sums, sums.mine, one, index, row % (rows < 4 ? rows : rows / 4) == 0, 4 * at, 1, columns);
}

/* The terms of the tile from number `done` on, for `columns` of its columns after the first `skip`. `terms`: words of
 * the first of these terms. */
template <class W>
JC_DEVICE void add_terms(const jc_gpu_launch &work, uint32_t tile, uint32_t terms, int32_t done, int32_t skip,
                         int32_t columns, int warp, int warps, row_sums<W> &sums)
{
    const int64_t first_term = word_64(tile, offsetof(jc_gpu_tile, first_term));
    const int32_t n_terms = word_32(tile, offsetof(jc_gpu_tile, n_terms));
    const int drop = mode_drop(work.mode);
    for (; done < n_terms; done += ROW_TERMS) {
        const uint32_t next =
            done + ROW_TERMS < n_terms ? load_term_words(work, first_term, done + ROW_TERMS, n_terms) : 0;
        for (int32_t k = 0; k < ROW_TERMS && done + k < n_terms; k++) {
            const size_t at = k * sizeof(jc_gpu_term);
            const row_term<W> t = dense_term<W>(work, word_64(terms, at + offsetof(jc_gpu_term, a)),
                                                word_64(terms, at + offsetof(jc_gpu_term, member)),
                                                word_32(terms, at + offsetof(jc_gpu_term, source)), tile, skip);
            add_dense(t, columns, warp, warps, drop, sums);
        }
        terms = next;
    }
}

} // namespace jc

#endif
