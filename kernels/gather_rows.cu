/* Several rows, dense terms: a block of 256 threads forms a tile of up to 32 x 64 entries.
 *
 * The terms' products are cut into panels of PANEL values of k (the summed index): A's, [k][32 rows], and op(D)'s,
 * [k][64 columns], in shared memory, twice: while one is used the next lies in registers on its way from memory, over
 * the ends of terms too, and a panel costs one barrier. Four groups of 64 threads take a quarter of a panel's k each;
 * a thread forms 8 x 4 entries (2 x 4, 4 x 4 where the tile has few rows): 3 loads of 16 bytes from shared memory for
 * 32 multiply-adds. The groups' sums are added at the end. Fours of rows and columns are stored at their number xor
 * k / 4, so that both the transposing stores (a four along k goes to four k) and the loads of fours meet no bank twice.
 *
 * As compiled for sm_90: 128 registers, 2 blocks, nothing spilled; the inner loop has LDS.64 x 4, LDS.128 and 32 FFMA
 * for each k of 8 x 4 entries.
 *
 * Order of a sum: each group's products in increasing k, term by term; groups one after the other; the destination's
 * old value last. */
#include "kernels/row.h"

namespace jc
{

enum { ROWS_THREADS = 256, ROWS_GROUPS = 4, GROUP_THREADS = 64, R_MAX = JC_GPU_ROWS_ROWS, C_MAX = JC_GPU_ROWS_COLUMNS };

template <class R> struct panel {
    static const int k = sizeof(R) == 8 ? 16 : 32;            /* PANEL */
    static const int a_fours = R_MAX * (k / 4);               /* fours of A along k: at most one a thread */
    static const int d_each = C_MAX * (k / 4) / ROWS_THREADS; /* fours of D of a thread */
    static const int numbers = k * (R_MAX + C_MAX);
};

/* Where value (k, at) of a panel with `width` values a k stands. */
JC_DEVICE int panel_at(int k, int at, int width)
{
    return k * width + (((at >> 2) ^ ((k >> 2) & 7)) << 2) + (at & 3);
}

/* What a tile's description says, the same for all threads. */
struct rows_tile {
    int64_t row, column, from, to;
    int32_t rows, columns;
};

/* A dense term from the tile's first row and column and the first k on. */
template <class R> struct rows_term {
    const R *a;
    const void *numbers;
    int64_t lda, first, ld, n;
    int32_t dtype;
    bool adjoint;
};

template <class R>
JC_DEVICE rows_term<R> open_term(const jc_gpu_launch &work, const jc_gpu_term *term, const rows_tile &tile)
{
    const jc_gpu_source *s = work.sources + load_const(&term->source);
    rows_term<R> t;
    const int64_t p = load_const(&s->p), q = load_const(&s->q), batch = load_const(&s->batch);
    t.adjoint = load_const(&s->direction) == JC_GPU_ADJOINT;
    t.dtype = load_const(&s->dtype);
    t.numbers = load_const(&s->numbers);
    t.ld = load_const(&s->ld);
    const int64_t n_in = t.adjoint ? p : q, n_out = t.adjoint ? q : p;
    const int64_t block = batch == 1 ? 0 : quotient(tile.column, n_out), c = tile.column - block * n_out;
    t.n = min_of(tile.to, n_in) - tile.from;
    t.lda = batch * n_in;
    t.a = static_cast<const R *>(work.arena) + load_const(&term->a) + tile.row * t.lda + block * n_in + tile.from;
    t.first = load_const(&term->member) * load_const(&s->member_stride) + block * load_const(&s->block_stride) +
              (t.adjoint ? tile.from * t.ld + c : c * t.ld + tile.from);
    return t;
}

/* Where the panels of a tile have come to. */
template <class R> struct panel_walk {
    const jc_gpu_term *terms;
    int32_t next_term, n_terms;
    int64_t k; /* of the term that is open */
    rows_term<R> term;
};

/* To the next panel; whether there is one. Terms without products (an empty part of a sum) are passed over. */
template <class R> JC_DEVICE bool next_panel(const jc_gpu_launch &work, const rows_tile &tile, panel_walk<R> &walk)
{
    walk.k += panel<R>::k;
    while (walk.k >= walk.term.n) {
        if (walk.next_term == walk.n_terms) return false;
        walk.term = open_term<R>(work, walk.terms + walk.next_term++, tile);
        walk.k = 0;
    }
    return true;
}

/* A thread's part of a panel, on its way. */
template <class R> struct piece {
    quad<R> a, d[panel<R>::d_each];
};

template <class R, class N> JC_DEVICE quad<R> convert_four(const quad<N> &x)
{
    quad<R> y;
    JC_UNROLL
    for (int i = 0; i < 4; i++) y.v[i] = to<R>::from(x.v[i]);
    return y;
}

template <class R> JC_DEVICE quad<R> load_a(const rows_term<R> &t, int64_t k, int row, int at, int32_t rows)
{
    const R *p = t.a + row * t.lda + k + at;
    const int64_t n = row < rows ? t.n - k - at : 0;
    quad<R> x = {};
    if (n >= 4 && reinterpret_cast<uintptr_t>(p) % 16 == 0) return load(as_quad(p));
    JC_UNROLL
    for (int i = 0; i < 4; i++)
        if (i < n) x.v[i] = load(p + i);
    return x;
}

/* Four of D at p, of which n are there. */
template <class R, class N> JC_DEVICE quad<R> load_d(const N *p, int64_t n)
{
    const bool fours = n >= 4 && reinterpret_cast<uintptr_t>(p) % alignof(quad<N>) == 0;
    return convert_four<R, N>(fours ? load_four<true>(p, 4) : load_four<false>(p, n));
}

/* ADJOINT: fours along the columns of D, for each k. TANGENT: fours along k, for each row of D, an output. */
template <class R> JC_DEVICE piece<R> fetch(const panel_walk<R> &walk, const rows_tile &tile)
{
    const rows_term<R> &t = walk.term;
    const int along = panel<R>::k / 4;
    piece<R> x = {};
    if (thread_x() < panel<R>::a_fours)
        x.a = load_a(t, walk.k, thread_x() / along, 4 * (thread_x() % along), tile.rows);
    with_number(t.dtype, [&](auto number) {
        typedef typename decltype(number)::type N;
        const N *d = static_cast<const N *>(t.numbers) + t.first;
        JC_UNROLL
        for (int s = 0; s < panel<R>::d_each; s++) {
            const int four = thread_x() + s * ROWS_THREADS;
            if (t.adjoint) {
                const int64_t k = walk.k + four / (C_MAX / 4);
                const int c = 4 * (four % (C_MAX / 4));
                x.d[s] = load_d<R, N>(d + k * t.ld + c, k < t.n ? tile.columns - c : 0);
            } else {
                const int c = four / along;
                const int64_t k = walk.k + 4 * (four % along);
                x.d[s] = load_d<R, N>(d + c * t.ld + k, c < tile.columns ? t.n - k : 0);
            }
        }
    });
    return x;
}

template <class W, class R> JC_DEVICE void put_along_k(R *to, const quad<R> &x, int k, int at, int width, int drop)
{
    JC_UNROLL
    for (int i = 0; i < 4; i++) shared_store(to + panel_at(k + i, at, width), W::operand(x.v[i], drop));
}

template <class W, class R = typename W::real> JC_DEVICE void put(const piece<R> &x, bool adjoint, R *a, R *d, int drop)
{
    const int along = panel<R>::k / 4;
    if (thread_x() < panel<R>::a_fours)
        put_along_k<W, R>(a, x.a, 4 * (thread_x() % along), thread_x() / along, R_MAX, drop);
    JC_UNROLL
    for (int s = 0; s < panel<R>::d_each; s++) {
        const int four = thread_x() + s * ROWS_THREADS;
        if (adjoint) {
            quad<R> y;
            JC_UNROLL
            for (int i = 0; i < 4; i++) y.v[i] = W::operand(x.d[s].v[i], drop);
            shared_store(as_quad(d + panel_at(four / (C_MAX / 4), 4 * (four % (C_MAX / 4)), C_MAX)), y);
        } else
            put_along_k<W, R>(d, x.d[s], 4 * (four % along), four / along, C_MAX, drop);
    }
}

/* A thread's entries: rows [TR rg, + TR), columns [4 cg, + 4). */
struct rows_place {
    int group, rg, cg;
};

JC_DEVICE rows_place place_of_thread()
{
    const int in_group = thread_x() % GROUP_THREADS;
    return {thread_x() / GROUP_THREADS, (in_group & 31) >> 3, (in_group >> 5) * 8 + (in_group & 7)};
}

/* sum[i][j] += sum over the group's k of a[k][row i] d[k][column j] */
template <int TR, class R> JC_DEVICE void multiply(const R *a, const R *d, const rows_place &at, R (&sum)[8][4])
{
    const int each = panel<R>::k / ROWS_GROUPS;
    JC_UNROLL
    for (int i = 0; i < each; i++) {
        const int k = at.group * each + i;
        R x[TR];
        if constexpr (TR == 2) {
            const pair<R> two = shared_load(as_pair(a + panel_at(k, at.rg * TR, R_MAX)));
            x[0] = two.v[0], x[1] = two.v[1];
        } else {
            JC_UNROLL
            for (int r = 0; r < TR; r += 4) {
                const quad<R> four = shared_load(as_quad(a + panel_at(k, at.rg * TR + r, R_MAX)));
                JC_UNROLL
                for (int j = 0; j < 4; j++) x[r + j] = four.v[j];
            }
        }
        const quad<R> y = shared_load(as_quad(d + panel_at(k, 4 * at.cg, C_MAX)));
        JC_UNROLL
        for (int r = 0; r < TR; r++) {
            JC_UNROLL
            for (int c = 0; c < 4; c++) sum[r][c] = mul_add(x[r], y.v[c], sum[r][c]);
        }
    }
}

/* Rows of a thread in a tile of `rows`. */
JC_DEVICE int rows_of_thread(int32_t rows)
{
    return rows <= 8 ? 2 : rows <= 16 ? 4 : 8;
}

template <class R> JC_DEVICE void multiply_rows(int tr, const R *a, const R *d, const rows_place &at, R (&sum)[8][4])
{
    if (tr == 8)
        multiply<8>(a, d, at, sum);
    else if (tr == 4)
        multiply<4>(a, d, at, sum);
    else
        multiply<2>(a, d, at, sum);
}

/* Group 0's sums become those of all groups; `space` has room for R_MAX x C_MAX numbers. */
template <class R> JC_DEVICE void add_groups(R *space, const rows_place &at, R (&sum)[8][4])
{
    const int in_group = thread_x() % GROUP_THREADS;
    for (int g = 1; g < ROWS_GROUPS; g++) {
        block_barrier();
        JC_UNROLL
        for (int i = 0; i < 32; i++)
            if (at.group == g) shared_store(space + i * GROUP_THREADS + in_group, sum[i / 4][i % 4]);
        block_barrier();
        JC_UNROLL
        for (int i = 0; i < 32; i++)
            if (at.group == 0) sum[i / 4][i % 4] += shared_load(space + i * GROUP_THREADS + in_group);
    }
}

template <class R>
JC_DEVICE void write_rows(const jc_gpu_launch &work, const jc_gpu_tile *tile, const rows_tile &shape,
                          const rows_place &at, const R (&sum)[8][4])
{
    const int tr = rows_of_thread(shape.rows);
    const int64_t ld = load_const(&tile->ld);
    const bool add = load_const(&tile->add) != 0;
    R *y = static_cast<R *>(work.arena) + load_const(&tile->y);
    if (at.group) return;
    JC_UNROLL
    for (int r = 0; r < 8; r++) {
        const int row = at.rg * tr + r;
        if (r >= tr || row >= shape.rows) continue;
        JC_UNROLL
        for (int c = 0; c < 4; c++) {
            R *to = y + row * ld + 4 * at.cg + c;
            if (4 * at.cg + c < shape.columns) store(to, add ? load(to) + sum[r][c] : sum[r][c]);
        }
    }
}

template <class W> JC_KERNEL(ROWS_THREADS, 2) gather_rows(JC_WORK)
{
    typedef typename W::real R;
    JC_SHARED(R, panels, 2 * panel<R>::numbers);
    const rows_place at = place_of_thread();
    const int drop = mode_drop(work.mode);
    for (int64_t n = block_x(); n < work.n_tiles; n += blocks_x()) {
        const jc_gpu_tile *tile = work.tiles + n;
        const rows_tile shape = {load_const(&tile->row), load_const(&tile->column), load_const(&tile->from),
                                 load_const(&tile->to),  load_const(&tile->rows),   load_const(&tile->columns)};
        panel_walk<R> walk = {work.terms + load_const(&tile->first_term), 0, load_const(&tile->n_terms), 0, {}};
        R sum[8][4] = {};
        piece<R> coming = {};
        bool more = next_panel(work, shape, walk);
        if (more) coming = fetch(walk, shape);
        for (int turn = 0; more; turn ^= 1) {
            R *a = panels + turn * panel<R>::numbers, *d = a + panel<R>::k * R_MAX;
            put<W>(coming, walk.term.adjoint, a, d, drop);
            block_barrier();
            more = next_panel(work, shape, walk);
            if (more) coming = fetch(walk, shape);
            multiply_rows(rows_of_thread(shape.rows), a, d, at, sum);
        }
        add_groups(panels, at, sum);
        write_rows(work, tile, shape, at, sum);
        block_barrier();
    }
}

static kernel_function rows_variant(const jc_gpu_launch &work)
{
    if (work.dtype == JC_GPU_F64) return gather_rows<in_f64>;
    return work.mode == JC_GPU_FULL ? gather_rows<in_f32> : gather_rows<in_f32_rounded>;
}

int gather_rows_launch(const jc_gpu_launch &work, jc_gpu_stream stream)
{
    launch_shape shape = {work.n_tiles < INT32_MAX ? work.n_tiles : INT32_MAX, ROWS_THREADS, 1, 0};
    return launch_kernel(rows_variant(work), shape, work, stream);
}

int gather_rows_load()
{
    int error = load_kernel(gather_rows<in_f64>, 0);
    if (!error) error = load_kernel(gather_rows<in_f32>, 0);
    return error ? error : load_kernel(gather_rows<in_f32_rounded>, 0);
}

} // namespace jc
