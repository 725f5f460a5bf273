/* The sum of an entry of a destination over one term, for every kind and direction, by one thread or by several that
 * take every lanes-th product; and an entry of op(B), which is what a term that expands adds. work.h says what the
 * kinds are. Used for U entries of one thread side by side, so that their loads are under way together. */
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

template <class W> JC_DEVICE term_view<W> view_term(const jc_gpu_launch &work, const jc_gpu_term *term, int64_t row0)
{
    term_view<W> v;
    const jc_gpu_source *s = work.sources + load_const(&term->source);
    v.source = s;
    v.member = load_const(&term->member);
    v.expand = load_const(&term->expand) != 0;
    int64_t a = load_const(&term->a);
    v.a = v.expand ? nullptr : static_cast<const typename W::real *>(work.arena) + a;
    v.expand_row = a + row0;
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

template <class W, class I>
JC_DEVICE const I *indices_of(const term_view<W> &v, const void *const *array, int64_t block)
{
    return static_cast<const I *>(load_const(array)) + v.member * load_const(&v.source->index_member) +
           block * load_const(&v.source->index_block);
}

template <class W, class I> JC_DEVICE const I *starts_of(const term_view<W> &v, int64_t block)
{
    return static_cast<const I *>(load_const(&v.source->start)) + v.member * load_const(&v.source->start_member) +
           block * load_const(&v.source->start_block);
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

/* weight: p = m h, q = h w */
template <class W> JC_DEVICE int64_t weight_h(const term_view<W> &v)
{
    return quotient(v.p, load_const(&v.source->m));
}

/* ---- dense, weight: sum over i of a[i a_step] d[i d_step] ---------------------------------------------------- */

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
    strided s = v.kind == JC_GPU_DENSE ? dense_strides(v, x.at) : weight_strides(v, x.at);
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

/* ---- one product an entry: diagonal, identity, select TANGENT, tile TANGENT ----------------------------------- */

template <class W, int U>
JC_DEVICE void add_diagonal(const term_view<W> &v, const entry (&e)[U], typename W::real (&sum)[U])
{
    typedef typename W::real real;
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        real a[U];
        N d[U];
        JC_UNROLL
        for (int u = 0; u < U; u++) {
            if (e[u].column < 0) continue;
            position x = out_position(v, e[u].column);
            a[u] = load(input(v, e[u].row, x, x.at));
            d[u] = load_const(numbers_of<W, N>(v, x.block) + x.at);
        }
        JC_UNROLL
        for (int u = 0; u < U; u++)
            if (e[u].column >= 0) sum[u] = mul_add(a[u], to<real>::from(d[u]), sum[u]);
    });
}

/* The only input of output x. */
template <class W> JC_DEVICE int64_t copied_input(const term_view<W> &v, const position &x)
{
    if (v.kind == JC_GPU_IDENTITY) return x.at;
    if (v.kind == JC_GPU_TILE) return x.at - quotient(x.at, v.q) * v.q;
    return v.wide ? load_const(indices_of<W, int64_t>(v, &v.source->index, x.block) + x.at)
                  : load_const(indices_of<W, int32_t>(v, &v.source->index, x.block) + x.at);
}

template <class W, int U>
JC_DEVICE void add_copies(const term_view<W> &v, const entry (&e)[U], typename W::real (&sum)[U])
{
    typename W::real a[U], scale = scale_of(v);
    int64_t at[U];
    JC_UNROLL
    for (int u = 0; u < U; u++) at[u] = e[u].column < 0 ? 0 : copied_input(v, out_position(v, e[u].column));
    JC_UNROLL
    for (int u = 0; u < U; u++)
        if (e[u].column >= 0) a[u] = load(input(v, e[u].row, out_position(v, e[u].column), at[u]));
    JC_UNROLL
    for (int u = 0; u < U; u++)
        if (e[u].column >= 0) sum[u] = add_scaled(sum[u], scale, a[u]);
}

/* ---- csr, select ADJOINT: entries [start[c], start[c+1]) of lists of inputs ------------------------------------ */

/* The U sums go on side by side: an entry each in one round. */
template <class W, class I, int U, class Add>
JC_DEVICE void add_lists(const term_view<W> &v, const share &part, const entry (&e)[U], Add add)
{
    int64_t k[U], end[U];
    bool more = false;
    JC_UNROLL
    for (int u = 0; u < U; u++) {
        k[u] = end[u] = 0;
        if (e[u].column < 0) continue;
        position x = out_position(v, e[u].column);
        const I *start = starts_of<W, I>(v, x.block) + x.at;
        k[u] = load_const(start) + part.lane;
        end[u] = load_const(start + 1);
    }
    JC_UNROLL
    for (int u = 0; u < U; u++) more |= k[u] < end[u];
    while (more) {
        add(k, end);
        more = false;
        JC_UNROLL
        for (int u = 0; u < U; u++) {
            k[u] += part.lanes;
            more |= k[u] < end[u];
        }
    }
}

template <class W, class I, int U>
JC_DEVICE void add_csr(const term_view<W> &v, const share &part, const entry (&e)[U], typename W::real (&sum)[U])
{
    typedef typename W::real real;
    const void *place = load_const(&v.source->place);
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        add_lists<W, I, U>(v, part, e, [&](const int64_t(&k)[U], const int64_t(&end)[U]) {
            int64_t at[U], n[U];
            real a[U];
            N d[U];
            JC_UNROLL
            for (int u = 0; u < U; u++) {
                if (k[u] >= end[u]) continue;
                int64_t block = out_position(v, e[u].column).block;
                at[u] = load_const(indices_of<W, I>(v, &v.source->index, block) + k[u]);
                n[u] = place ? (int64_t)load_const(indices_of<W, I>(v, &v.source->place, block) + k[u]) : k[u];
            }
            JC_UNROLL
            for (int u = 0; u < U; u++) {
                if (k[u] >= end[u]) continue;
                position x = out_position(v, e[u].column);
                d[u] = load_const(numbers_of<W, N>(v, x.block) + n[u]);
                a[u] = load(input(v, e[u].row, x, at[u]));
            }
            JC_UNROLL
            for (int u = 0; u < U; u++)
                if (k[u] < end[u]) sum[u] = mul_add(a[u], to<real>::from(d[u]), sum[u]);
        });
    });
}

template <class W, class I, int U>
JC_DEVICE void add_selected(const term_view<W> &v, const share &part, const entry (&e)[U], typename W::real (&sum)[U])
{
    const typename W::real scale = scale_of(v);
    add_lists<W, I, U>(v, part, e, [&](const int64_t(&k)[U], const int64_t(&end)[U]) {
        typename W::real a[U];
        JC_UNROLL
        for (int u = 0; u < U; u++) {
            if (k[u] >= end[u]) continue;
            position x = out_position(v, e[u].column);
            a[u] = load(input(v, e[u].row, x, load_const(indices_of<W, I>(v, &v.source->index, x.block) + k[u])));
        }
        JC_UNROLL
        for (int u = 0; u < U; u++)
            if (k[u] < end[u]) sum[u] = add_scaled(sum[u], scale, a[u]);
    });
}

/* ---- an entry of op(B) ---------------------------------------------------------------------------------------- */

/* The place of `input` in the list of output c, or -1: the list increases strictly. */
template <class W, class I> JC_DEVICE int64_t find_input(const term_view<W> &v, const position &x, int64_t at)
{
    const I *start = starts_of<W, I>(v, x.block) + x.at, *index = indices_of<W, I>(v, &v.source->index, x.block);
    int64_t low = load_const(start), end = load_const(start + 1), high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (load_const(index + middle) < at)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && load_const(index + low) == at ? low : -1;
}

/* The number of D at (input `at`, output x.at): its position, or -1 outside the structure. */
template <class W, class I> JC_DEVICE int64_t number_at(const term_view<W> &v, const position &x, int64_t at)
{
    int64_t ld = load_const(&v.source->ld), k = -1;
    if (v.kind == JC_GPU_DENSE) return v.adjoint ? at * ld + x.at : x.at * ld + at;
    if (v.kind == JC_GPU_DIAGONAL) return at == x.at ? at : -1;
    if (v.kind == JC_GPU_CSR) {
        k = find_input<W, I>(v, x, at);
        if (k < 0 || !load_const(&v.source->place)) return k;
        return load_const(indices_of<W, I>(v, &v.source->place, x.block) + k);
    }
    int64_t h = weight_h(v), w = quotient(v.q, h), of_p = v.adjoint ? at : x.at, of_q = v.adjoint ? x.at : at;
    int64_t a = quotient(of_p, h), i = quotient(of_q, w);
    return of_p - a * h == i ? a * ld + of_q - i * w : -1;
}

/* identity, select, tile: whether D has its scale at (input `at`, output x.at). */
template <class W, class I> JC_DEVICE bool scale_at(const term_view<W> &v, const position &x, int64_t at)
{
    if (v.kind == JC_GPU_IDENTITY) return at == x.at;
    if (v.kind == JC_GPU_SELECT && v.adjoint) return find_input<W, I>(v, x, at) >= 0;
    if (v.kind == JC_GPU_SELECT) return copied_input(v, x) == at;
    int64_t high = v.adjoint ? at : x.at, low = v.adjoint ? x.at : at;
    return high - quotient(high, v.q) * v.q == low;
}

template <class W, class I>
JC_DEVICE typename W::real expanded(const term_view<W> &v, const entry &e, typename W::real sum)
{
    typedef typename W::real real;
    int64_t row = v.expand_row + e.row;
    if (row >= v.batch * v.n_in * v.inner) return sum;
    position from = position_of(row, v.n_in, v.batch, v.inner), x = out_position(v, e.column);
    if (from.block != x.block || from.inner != x.inner) return sum;
    if (v.kind == JC_GPU_IDENTITY || v.kind == JC_GPU_SELECT || v.kind == JC_GPU_TILE)
        return scale_at<W, I>(v, x, from.at) ? sum + scale_of(v) : sum;
    int64_t n = number_at<W, I>(v, x, from.at);
    if (n < 0) return sum;
    with_number(v.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        sum += to<real>::from(load_const(numbers_of<W, N>(v, x.block) + n));
    });
    return sum;
}

/* ---- any term ------------------------------------------------------------------------------------------------- */

template <class W, class I, int U>
JC_DEVICE void add_sparse(const term_view<W> &v, const share &part, const entry (&e)[U], typename W::real (&sum)[U])
{
    if (v.kind == JC_GPU_CSR)
        add_csr<W, I, U>(v, part, e, sum);
    else
        add_selected<W, I, U>(v, part, e, sum);
}

/* Kinds with one product an entry belong to lane 0. */
template <class W, int U>
JC_DEVICE void add_single(const term_view<W> &v, const share &part, const entry (&e)[U], typename W::real (&sum)[U])
{
    if (part.lane) return;
    if (v.expand) {
        for (int u = 0; u < U; u++) {
            if (e[u].column < 0) continue;
            sum[u] = v.wide ? expanded<W, int64_t>(v, e[u], sum[u]) : expanded<W, int32_t>(v, e[u], sum[u]);
        }
    } else if (v.kind == JC_GPU_DIAGONAL)
        add_diagonal<W, U>(v, e, sum);
    else
        add_copies<W, U>(v, e, sum);
}

/* sum[u] += the thread's share of the term's products for entry e[u]. */
template <class W, int U>
JC_DEVICE void add_term(const term_view<W> &v, const share &part, const entry (&e)[U], typename W::real (&sum)[U])
{
    bool lists = v.kind == JC_GPU_CSR || (v.kind == JC_GPU_SELECT && v.adjoint);
    bool strides = v.kind == JC_GPU_DENSE || v.kind == JC_GPU_WEIGHT || (v.kind == JC_GPU_TILE && v.adjoint);
    if (v.expand || !(lists || strides)) {
        add_single<W, U>(v, part, e, sum);
    } else if (lists) {
        if (v.wide)
            add_sparse<W, int64_t, U>(v, part, e, sum);
        else
            add_sparse<W, int32_t, U>(v, part, e, sum);
    } else {
        JC_UNROLL
        for (int u = 0; u < U; u++) {
            if (e[u].column < 0) continue;
            sum[u] = v.kind == JC_GPU_TILE ? tile_sum(v, part, e[u], sum[u]) : strided_sum(v, part, e[u], sum[u]);
        }
    }
}

/* Sums of neighbouring lanes, in pairs: the same value in all of them. */
template <class R> JC_DEVICE R sum_lanes(R sum, int lanes)
{
    for (int m = lanes / 2; m > 0; m /= 2) sum += shuffle_xor(sum, m);
    return sum;
}

} // namespace jc

#endif
