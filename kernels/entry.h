/* The sum of an entry of a destination over one term, for every kind and direction, by one thread or by several that
 * take every lanes-th product; and an entry of op(B), which is what a term that expands adds. work.h says what the
 * kinds are. */
#ifndef JC_KERNELS_ENTRY_H
#define JC_KERNELS_ENTRY_H

#include "kernels/device.h"

namespace jc
{

/* A term of a tile with what all its entries share. */
template <class W> struct term_view {
    typedef typename W::real real;
    const jc_gpu_source *source;
    const real *a; /* row 0 of A */
    int64_t member, expand_row;
    int64_t p, q, batch, inner;
    int64_t n_in, n_out; /* D as it is applied: ADJOINT p and q, TANGENT q and p */
    int64_t h, w;        /* of a fold; w 0: none */
    int32_t kind, dtype;
    bool adjoint, wide, expand;
};

/* Which products of a sum a thread forms: from + lane, + lanes, ... < to. drop: bits rounded away. */
struct share {
    int64_t from, to;
    int lane, lanes, drop;
};

/* An entry of the destination; column -1: none. */
struct entry {
    int64_t row, column;
};

/* A column (b, c, t) of op(B): block b of the batch, column c of op(D), t of the inner ones. */
struct position {
    int64_t block, at, inner;
};

/* Arrays of the launch that terms refer to. row0: of the identity's window. */
template <class W> struct arrays {
    const typename W::real *arena;
    const jc_gpu_source *sources;
    int64_t row0;
};

template <class W> JC_DEVICE arrays<W> arrays_of(const jc_gpu_launch &work)
{
    return {static_cast<const typename W::real *>(work.arena), work.sources,
            work.pass ? load_const(&work.pass->row0) : 0};
}

template <class W> JC_DEVICE term_view<W> view_term(const arrays<W> &in, const jc_gpu_term *term)
{
    term_view<W> v;
    const jc_gpu_source *s = in.sources + load_const(&term->source);
    v.source = s;
    v.member = load_const(&term->member);
    const int32_t expand = load_const(&term->expand);
    v.expand = expand != 0;
    int64_t a = load_const(&term->a);
    v.a = v.expand ? nullptr : in.arena + a;
    v.expand_row = a + (expand == JC_GPU_EXPAND_WINDOW ? in.row0 : 0);
    v.h = load_const(&s->fold_h), v.w = load_const(&s->fold_w);
    v.p = load_const(&s->p), v.q = load_const(&s->q);
    v.batch = load_const(&s->batch), v.inner = load_const(&s->inner);
    v.kind = load_const(&s->kind), v.dtype = load_const(&s->dtype);
    v.adjoint = load_const(&s->direction) == JC_GPU_ADJOINT;
    v.wide = load_const(&s->wide) != 0;
    v.n_in = v.adjoint ? v.p : v.q;
    v.n_out = v.adjoint ? v.q : v.p;
    return v;
}

/* j = (block n + at) n_inner + inner */
JC_DEVICE position position_of(int64_t j, int64_t n, int64_t batch, int64_t n_inner)
{
    position x = {0, j, 0};
    if (n_inner != 1) {
        x.at = quotient(j, n_inner);
        x.inner = j - x.at * n_inner;
    }
    if (batch != 1) {
        x.block = quotient(x.at, n);
        x.at -= x.block * n;
    }
    return x;
}

template <class W> JC_DEVICE position out_position(const term_view<W> &v, int64_t column)
{
    return position_of(column, v.n_out, v.batch, v.inner);
}

/* The entry of row e.row of A that stands at input `at` of the block and inner position x. */
template <class W>
JC_DEVICE const typename W::real *input(const term_view<W> &v, int64_t row, const position &x, int64_t at)
{
    return v.a + ((row * v.batch + x.block) * v.n_in + at) * v.inner + x.inner;
}

template <class W, class N> JC_DEVICE const N *numbers_of(const term_view<W> &v, int64_t block)
{
    return static_cast<const N *>(load_const(&v.source->numbers)) + v.member * load_const(&v.source->member_stride) +
           block * load_const(&v.source->block_stride);
}

template <class W> JC_DEVICE typename W::real scale_of(const term_view<W> &v)
{
    const double *scales = load_const(&v.source->scales);
    return (typename W::real)(scales ? load_const(scales + v.member) : load_const(&v.source->scale));
}

/* sum + scale x; a scale of 1 is not multiplied with. */
template <class R> JC_DEVICE R add_scaled(R sum, R scale, R x)
{
    return scale == (R)1 ? sum + x : mul_add(scale, x, sum);
}

/* weight, trace: p = m h, q = h w */
template <class W> JC_DEVICE int64_t weight_h(const term_view<W> &v)
{
    return quotient(v.p, load_const(&v.source->m));
}

/* ---- dense, weight, trace: sum over i of a[i a_step] d[i d_step]
 * -------------------------------------------------------- */

struct strided {
    int64_t at, a_step; /* input of the first product, and from one to the next */
    int64_t d, d_step;  /* number of D */
    int64_t n;
};

/* dense ADJOINT: column c of D; TANGENT: row c. */
template <class W> JC_DEVICE strided dense_strides(const term_view<W> &v, int64_t c)
{
    int64_t ld = load_const(&v.source->ld);
    if (v.adjoint) return {0, v.inner, c, ld, v.p};
    return {0, v.inner, c * ld, 1, v.q};
}

/* weight ADJOINT, c = (i, l): sum over a of A[(a, i)] X[a, l]. TANGENT, c = (a, i): sum over l of A[(i, l)] X[a, l]. */
template <class W> JC_DEVICE strided weight_strides(const term_view<W> &v, int64_t c)
{
    int64_t ld = load_const(&v.source->ld), h = weight_h(v), w = quotient(v.q, h);
    int64_t high = quotient(c, v.adjoint ? w : h), low = c - high * (v.adjoint ? w : h);
    if (v.adjoint) return {high, h * v.inner, low, ld, load_const(&v.source->m)};
    return {low * w, v.inner, high * ld, 1, w};
}

/* trace: as weight, with X[(a, i), l] for X[a, l]. */
template <class W> JC_DEVICE strided trace_strides(const term_view<W> &v, int64_t c)
{
    int64_t ld = load_const(&v.source->ld), h = weight_h(v), w = quotient(v.q, h);
    int64_t high = quotient(c, v.adjoint ? w : h), low = c - high * (v.adjoint ? w : h);
    if (v.adjoint) return {high, h * v.inner, high * ld + low, h * ld, load_const(&v.source->m)};
    return {low * w, v.inner, c * ld, 1, w};
}

template <class W> JC_DEVICE strided strides_of(const term_view<W> &v, int64_t c)
{
    if (v.kind == JC_GPU_DENSE) return dense_strides(v, c);
    return v.kind == JC_GPU_WEIGHT ? weight_strides(v, c) : trace_strides(v, c);
}

template <class W, class N>
JC_DEVICE typename W::real dot(const typename W::real *a, const N *d, const strided &s, const share &part,
                               typename W::real sum)
{
    typedef typename W::real real;
    int64_t end = min_of(part.to, s.n), i = part.from + part.lane;
    const int64_t a_step = s.a_step * part.lanes, d_step = s.d_step * part.lanes;
    a += i * s.a_step;
    d += i * s.d_step;
    JC_UNROLL_BY(4)
    for (; i < end; i += part.lanes, a += a_step, d += d_step)
        sum = mul_add(W::operand(load(a), part.drop), W::operand(to<real>::from(load_const(d)), part.drop), sum);
    return sum;
}

template <class W>
JC_DEVICE typename W::real strided_sum(const term_view<W> &v, const share &part, const entry &e, typename W::real sum)
{
    position x = out_position(v, e.column);
    strided s = strides_of(v, x.at);
    const typename W::real *a = input(v, e.row, x, s.at);
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        sum = dot<W, N>(a, numbers_of<W, N>(v, x.block) + s.d, s, part, sum);
    });
    return sum;
}

/* tile ADJOINT: sum over a of A[(a, c)] scale */
template <class W>
JC_DEVICE typename W::real tile_sum(const term_view<W> &v, const share &part, const entry &e, typename W::real sum)
{
    position x = out_position(v, e.column);
    const typename W::real scale = scale_of(v), *a = input(v, e.row, x, x.at);
    int64_t end = min_of(part.to, load_const(&v.source->m));
    JC_UNROLL_BY(4)
    for (int64_t i = part.from + part.lane; i < end; i += part.lanes)
        sum = add_scaled(sum, scale, load(a + i * v.q * v.inner));
    return sum;
}

/* ---- one product an entry: diagonal, identity, select TANGENT, tile TANGENT -------------------------------------- */

/* Number k of an index array that begins at `array`. */
template <class W> JC_DEVICE int64_t index_at(const term_view<W> &v, const void *array, int64_t k)
{
    return v.wide ? load_const(static_cast<const int64_t *>(array) + k)
                  : load_const(static_cast<const int32_t *>(array) + k);
}

/* Where the lists of inputs of block b begin, counted in `index` and `place`; where its n_out + 1 starts begin. */
template <class W> JC_DEVICE int64_t lists_of(const term_view<W> &v, int64_t block)
{
    return v.member * load_const(&v.source->index_member) + block * load_const(&v.source->index_block);
}

template <class W> JC_DEVICE int64_t starts_of(const term_view<W> &v, int64_t block)
{
    return v.member * load_const(&v.source->start_member) + block * load_const(&v.source->start_block);
}

template <class W>
JC_DEVICE typename W::real diagonal_product(const term_view<W> &v, const entry &e, typename W::real sum)
{
    typedef typename W::real real;
    position x = out_position(v, e.column);
    const real a = load(input(v, e.row, x, x.at));
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        sum = mul_add(a, to<real>::from(load_const(numbers_of<W, N>(v, x.block) + x.at)), sum);
    });
    return sum;
}

/* The only input of output x. */
template <class W> JC_DEVICE int64_t copied_input(const term_view<W> &v, const position &x)
{
    if (v.kind == JC_GPU_IDENTITY) return x.at;
    if (v.kind == JC_GPU_TILE) return x.at - quotient(x.at, v.q) * v.q;
    return index_at(v, load_const(&v.source->index), lists_of(v, x.block) + x.at);
}

template <class W> JC_DEVICE typename W::real copied(const term_view<W> &v, const entry &e, typename W::real sum)
{
    position x = out_position(v, e.column);
    return add_scaled(sum, scale_of(v), load(input(v, e.row, x, copied_input(v, x))));
}

/* ---- leaving a fold: row i w + j takes the inputs k = i mod h of row j ------------------------------------------- */

/* Of a dense sum that begins at input `base`, the products of unit i: the first is the next input that is i mod h. */
JC_DEVICE strided unit_of(const strided &s, int64_t base, int64_t unit, int64_t h)
{
    int64_t skip = unit - (base - quotient(base, h) * h);
    if (skip < 0) skip += h;
    int64_t n = skip < s.n ? quotient(s.n - skip + h - 1, h) : 0;
    return {s.at + skip, s.a_step * h, s.d + skip * s.d_step, s.d_step * h, n};
}

/* Whether the only input of an entry, at place `column` of A's row, is of the row's unit. */
template <class W> JC_DEVICE bool in_unit(const term_view<W> &v, int64_t unit, int64_t column)
{
    return column - quotient(column, v.h) * v.h == unit;
}

template <class W>
JC_DEVICE typename W::real unfolded(const term_view<W> &v, const share &part, const entry &e, typename W::real sum)
{
    typedef typename W::real real;
    int64_t unit = quotient(e.row, v.w);
    const entry from = {e.row - unit * v.w, e.column};
    if (v.kind != JC_GPU_DENSE) {
        if (part.lane || !in_unit(v, unit, e.column)) return sum;
        return v.kind == JC_GPU_DIAGONAL ? diagonal_product(v, from, sum) : copied(v, from, sum);
    }
    position x = out_position(v, e.column);
    strided s = unit_of(dense_strides(v, x.at), x.block * v.n_in, unit, v.h);
    if (!s.n) return sum;
    const real *a = input(v, from.row, x, s.at);
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        sum = dot<W, N>(a, numbers_of<W, N>(v, x.block) + s.d, s, part, sum);
    });
    return sum;
}

/* ---- csr, select ADJOINT: entries [start[c], start[c+1]) of lists of inputs -------------------------------------- */

template <class W>
JC_DEVICE typename W::real list_sum(const term_view<W> &v, const share &part, const entry &e, typename W::real sum)
{
    typedef typename W::real real;
    position x = out_position(v, e.column);
    const void *start = load_const(&v.source->start), *index = load_const(&v.source->index);
    const void *place = load_const(&v.source->place);
    const int64_t starts = starts_of(v, x.block) + x.at, lists = lists_of(v, x.block),
                  end = index_at(v, start, starts + 1);
    const real scale = v.kind == JC_GPU_CSR ? (real)1 : scale_of(v);
    for (int64_t k = index_at(v, start, starts) + part.lane; k < end; k += part.lanes) {
        const real a = load(input(v, e.row, x, index_at(v, index, lists + k)));
        if (v.kind != JC_GPU_CSR) {
            sum = add_scaled(sum, scale, a);
            continue;
        }
        int64_t n = place ? index_at(v, place, lists + k) : k;
        with_number(v.dtype, [&](auto number) {
            typedef typename decltype(number)::type N;
            sum = mul_add(a, to<real>::from(load_const(numbers_of<W, N>(v, x.block) + n)), sum);
        });
    }
    return sum;
}

/* ---- an entry of op(B) ------------------------------------------------------------------------------------------- */

/* The place of `input` in the list of output c, or -1: the list increases strictly. */
template <class W> JC_DEVICE int64_t find_input(const term_view<W> &v, const position &x, int64_t at)
{
    const void *start = load_const(&v.source->start), *index = load_const(&v.source->index);
    const int64_t starts = starts_of(v, x.block) + x.at, lists = lists_of(v, x.block);
    int64_t low = index_at(v, start, starts), end = index_at(v, start, starts + 1), high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (index_at(v, index, lists + middle) < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && index_at(v, index, lists + low) == at ? low : -1;
}

/* Where number k of a row lies whose numbers are blocks of `lines` rows of `line`. */
template <class W> JC_DEVICE int64_t place_in_lines(const term_view<W> &v, int64_t k, int64_t line)
{
    const int64_t lines = load_const(&v.source->lines), row = quotient(k, line), block = quotient(row, lines);
    return block * load_const(&v.source->block_stride) + (row - block * lines) * load_const(&v.source->ld) + k -
           row * line;
}

/* The number of D at (input `at`, output x.at): its position, or -1 outside the structure. */
template <class W> JC_DEVICE int64_t number_at(const term_view<W> &v, const position &x, int64_t at)
{
    int64_t ld = load_const(&v.source->ld), line = load_const(&v.source->line), k = -1;
    if (line) return place_in_lines(v, v.adjoint ? x.at : at, line);
    if (v.kind == JC_GPU_DENSE) return v.adjoint ? at * ld + x.at : x.at * ld + at;
    if (v.kind == JC_GPU_DIAGONAL) return at == x.at ? at : -1;
    if (v.kind == JC_GPU_CSR) {
        k = find_input(v, x, at);
        const void *place = load_const(&v.source->place);
        return k < 0 || !place ? k : index_at(v, place, lists_of(v, x.block) + k);
    }
    int64_t h = weight_h(v), w = quotient(v.q, h), of_p = v.adjoint ? at : x.at, of_q = v.adjoint ? x.at : at;
    int64_t a = quotient(of_p, h), i = quotient(of_q, w);
    int64_t row = v.kind == JC_GPU_WEIGHT ? a : of_p;
    return of_p - a * h == i ? row * ld + of_q - i * w : -1;
}

/* identity, select, tile: whether D has its scale at (input `at`, output x.at). */
template <class W> JC_DEVICE bool scale_at(const term_view<W> &v, const position &x, int64_t at)
{
    if (v.kind == JC_GPU_IDENTITY) return at == x.at;
    if (v.kind == JC_GPU_SELECT && v.adjoint) return find_input(v, x, at) >= 0;
    if (v.kind == JC_GPU_SELECT) return copied_input(v, x) == at;
    int64_t high = v.adjoint ? at : x.at, low = v.adjoint ? x.at : at;
    return high - quotient(high, v.q) * v.q == low;
}

/* The factor V of a low_rank D as a term of its own. */
template <class W> JC_DEVICE term_view<W> factor_v(const arrays<W> &in, const term_view<W> &v)
{
    term_view<W> other = v;
    other.source = in.sources + load_const(&v.source->index_member);
    other.member = v.member + load_const(&v.source->index_block);
    other.dtype = load_const(&other.source->dtype);
    return other;
}

template <class W, class N> JC_DEVICE const N *factor_row(const term_view<W> &v, int64_t block, int64_t row)
{
    return numbers_of<W, N>(v, block) + row * load_const(&v.source->ld);
}

/* sum += (U V^T)[i, l] */
template <class W>
JC_DEVICE typename W::real low_rank_entry(const arrays<W> &in, const term_view<W> &v, int64_t block, int64_t i,
                                          int64_t l, int drop, typename W::real sum)
{
    typedef typename W::real real;
    const int64_t m = load_const(&v.source->m);
    const term_view<W> v_term = factor_v(in, v);
    with_number(v.dtype, [&](auto number_u) {
        typedef typename decltype(number_u)::type U;
        const U *u = factor_row<W, U>(v, block, i);
        with_number(v_term.dtype, [&](auto number_v) {
            typedef typename decltype(number_v)::type V;
            const V *other = factor_row<W, V>(v_term, block, l);
            for (int64_t k = 0; k < m; k++)
                sum = mul_add(W::operand(to<real>::from(load_const(u + k)), drop),
                              W::operand(to<real>::from(load_const(other + k)), drop), sum);
        });
    });
    return sum;
}

/* Entry (a,i) of row l of the folded transpose of a weight or a trace. */
template <class W>
JC_DEVICE typename W::real folded_entry(const term_view<W> &v, const entry &e, int64_t row, typename W::real sum)
{
    int64_t at = v.kind == JC_GPU_WEIGHT ? quotient(e.column, v.h) : e.column;
    if (row >= v.w) return sum;
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        sum += to<typename W::real>::from(load_const(numbers_of<W, N>(v, 0) + at * load_const(&v.source->ld) + row));
    });
    return sum;
}

template <class W>
JC_DEVICE typename W::real expanded(const arrays<W> &in, const term_view<W> &v, const entry &e, int drop,
                                    typename W::real sum)
{
    typedef typename W::real real;
    int64_t row = v.expand_row + e.row;
    if (v.w) return folded_entry(v, e, row, sum);
    if (row >= v.batch * v.n_in * v.inner) return sum;
    position from = position_of(row, v.n_in, v.batch, v.inner), x = out_position(v, e.column);
    if (from.block != x.block || from.inner != x.inner) return sum;
    if (v.kind == JC_GPU_IDENTITY || v.kind == JC_GPU_SELECT || v.kind == JC_GPU_TILE)
        return scale_at(v, x, from.at) ? sum + scale_of(v) : sum;
    if (v.kind == JC_GPU_LOW_RANK)
        return low_rank_entry(in, v, x.block, v.adjoint ? from.at : x.at, v.adjoint ? x.at : from.at, drop, sum);
    int64_t n = number_at(v, x, from.at);
    if (n < 0) return sum;
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        sum += to<real>::from(load_const(numbers_of<W, N>(v, x.block) + n));
    });
    return sum;
}

/* ---- any term ---------------------------------------------------------------------------------------------------- */

/* The thread's share of the term's products for an entry, added to sum. A function of its own: it is long, and callers
 * have fast ways for what is common and large. Kinds with one product an entry belong to lane 0. */
template <class W>
JC_APART typename W::real term_sum(const arrays<W> in, const jc_gpu_term *term, const share part, const entry e,
                                   typename W::real sum)
{
    const term_view<W> v = view_term<W>(in, term);
    if (v.w && !v.expand) return unfolded(v, part, e, sum);
    if (v.expand || v.kind == JC_GPU_DIAGONAL || v.kind == JC_GPU_IDENTITY || (!v.adjoint && v.kind == JC_GPU_SELECT) ||
        (!v.adjoint && v.kind == JC_GPU_TILE)) {
        if (part.lane) return sum;
        if (v.expand) return expanded(in, v, e, part.drop, sum);
        return v.kind == JC_GPU_DIAGONAL ? diagonal_product(v, e, sum) : copied(v, e, sum);
    }
    if (v.kind == JC_GPU_TILE) return tile_sum(v, part, e, sum);
    if (v.kind == JC_GPU_DENSE || v.kind == JC_GPU_WEIGHT || v.kind == JC_GPU_TRACE)
        return strided_sum(v, part, e, sum);
    return list_sum(v, part, e, sum);
}

/* Sums of neighbouring lanes, in pairs: the same value in all of them. */
template <class R> JC_DEVICE R sum_lanes(R sum, int lanes)
{
    for (int m = lanes / 2; m > 0; m /= 2) sum += shuffle_xor(sum, m);
    return sum;
}

} // namespace jc

#endif
