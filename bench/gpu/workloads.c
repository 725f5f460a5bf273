/* The workloads of goals.inc: each makes its graph, runs it and holds it against what bounds it. */
#include "bench/gpu/gpu_bench.h"

#include <math.h>
#include <string.h>

const gb_goal gb_goals[] = {
#define GOAL(NAME, WHAT, BOUND, VALUE, UNIT) {NAME, WHAT, BOUND, VALUE, UNIT},
#include "bench/gpu/goals.inc"
#undef GOAL
};
const int gb_n_goals = sizeof gb_goals / sizeof *gb_goals;

static int64_t at_least(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

/* Half the width of a uniform number for which x D keeps the length of x in the mean, where an entry sums `terms`
 * products: variance 3 / terms. */
static double keeping(int64_t terms)
{
    return sqrt(3.0 / (double)terms);
}

static void want_inputs(gb_work *w, int64_t first, int64_t n)
{
    w->wrt = gb_host(n, sizeof *w->wrt);
    w->n_wrt = n;
    for (int64_t i = 0; i < n; i++) w->wrt[i] = first + i;
}

/* ---- graphs ------------------------------------------------------------------------------------------------------ */

/* v0 -> v1 -> ... of one size: k rows from the last to the first. The logarithm of the length of x D has the mean
 * -1 / (2 n) for random D: put right, so that long chains stay finite. */
static void chain(gb_work *w, int64_t count, int64_t size, int64_t k, jc_dtype dtype)
{
    gb_work_init(w, count + 1, 1, count);
    w->dtype = dtype;
    w->precision = dtype == JC_F64 ? JC_PRECISION_F64 : JC_PRECISION_F32;
    if (dtype == JC_F64) w->tolerance = 1e-10;
    for (int64_t v = 0; v <= count; v++) w->size[v] = size;
    gb_edges *g = gb_add(w, JC_DENSE, count, size, size, keeping(size) * exp(0.5 / (double)size));
    for (int64_t e = 0; e < count; e++) {
        g->of[e] = (int32_t)(e + 1), g->wrt[e] = (int32_t)e;
        gb_stage_add(w, g, e, 1);
    }
    w->of = count, w->k = k, w->seeded = true;
    want_inputs(w, 0, 1);
}

/* v0 -> v1 -> ... of `wide` and `narrow` in turn, an even number of edges: all of d last / d first. Both sweeps cost
 * the same, wide^2 narrow an edge; by elimination one product does. */
static void wide_chain(gb_work *w, int64_t count, int64_t wide, int64_t narrow, jc_order order)
{
    gb_work_init(w, count + 1, 2, count);
    for (int64_t v = 0; v <= count; v++) w->size[v] = v % 2 ? narrow : wide;
    gb_edges *g[2];
    for (int i = 0; i < 2; i++) {
        int64_t p = i ? wide : narrow, q = i ? narrow : wide;
        g[i] = gb_add(w, JC_DENSE, count / 2, p, q, keeping(q));
    }
    for (int64_t e = 0; e < count; e++) {
        g[e % 2]->of[e / 2] = (int32_t)(e + 1), g[e % 2]->wrt[e / 2] = (int32_t)e;
        gb_stage_add(w, g[e % 2], e / 2, 1);
    }
    w->of = count, w->k = wide, w->order = order;
    w->tolerance = 1e-3;
    want_inputs(w, 0, 1);
}

/* An order of 0 .. n-1 by multiplication with a number prime to n. */
static int64_t shuffled(int64_t i, int64_t n, uint64_t seed)
{
    int64_t step = (int64_t)(mix(seed) % (uint64_t)n), a, b;
    do {
        step++;
        for (a = step, b = n; b;) {
            int64_t r = a % b;
            a = b, b = r;
        }
    } while (a != 1);
    return (i * (step % n) + (int64_t)(mix(seed + 1) % (uint64_t)n)) % n;
}

/* The two sources of variable i of a level, each variable a source of two. */
static int64_t source_of(int64_t level, int64_t i, int64_t which, int64_t width)
{
    return (level - 1) * width + shuffled(i, width, (uint64_t)(2 * level + which));
}

/* `levels` times `width` variables with fan-in 2, then one of size k that all of the last level go into: its gradient
 * with respect to the first level. */
static void layered(gb_work *w, int64_t levels, int64_t edges, int64_t size, int64_t k)
{
    int64_t width = at_least(edges / (2 * levels), 2), inner = levels * width * 2;
    gb_work_init(w, (levels + 1) * width + 1, 2, levels + 1);
    for (int64_t v = 0; v + 1 < w->n_vars; v++) w->size[v] = size;
    w->of = w->n_vars - 1, w->size[w->of] = w->k = k;
    gb_edges *g = gb_add(w, JC_DENSE, inner, size, size, keeping(2 * size)), *last;
    for (int64_t l = 1; l <= levels; l++) {
        for (int64_t i = 0; i < 2 * width; i++) {
            int64_t e = (l - 1) * 2 * width + i;
            g->of[e] = (int32_t)(l * width + i / 2);
            g->wrt[e] = (int32_t)source_of(l, i / 2, i % 2, width);
        }
        gb_stage_add(w, g, (l - 1) * 2 * width, 2 * width);
    }
    last = gb_add(w, JC_DENSE, width, k, size, 1);
    for (int64_t i = 0; i < width; i++) last->of[i] = (int32_t)w->of, last->wrt[i] = (int32_t)(levels * width + i);
    gb_stage_add(w, last, 0, width);
    want_inputs(w, 0, width);
}

/* The same with sizes of 8 .. 256: every edge a shape of its own. */
static void mixed(gb_work *w, int64_t levels, int64_t edges)
{
    int64_t width = at_least(edges / (2 * levels), 2), n = (levels * 2 + 1) * width;
    gb_work_init(w, (levels + 1) * width + 1, n, n);
    for (int64_t v = 0; v + 1 < w->n_vars; v++) w->size[v] = 8 + (int64_t)(mix((uint64_t)v) % 249);
    w->of = w->n_vars - 1, w->size[w->of] = 1;
    for (int64_t l = 1; l <= levels + 1; l++)
        for (int64_t i = 0; i < (l <= levels ? 2 : 1) * width; i++) {
            int64_t of = l <= levels ? l * width + i / 2 : w->of;
            int64_t wrt = l <= levels ? source_of(l, i / 2, i % 2, width) : levels * width + i;
            double scale = l <= levels ? keeping(w->size[of] + 132) : 1;
            gb_edges *g = gb_add(w, JC_DENSE, 1, w->size[of], w->size[wrt], scale);
            g->of[0] = (int32_t)of, g->wrt[0] = (int32_t)wrt;
            gb_stage_add(w, g, 0, 1);
        }
    want_inputs(w, 0, width);
}

/* v0 -> v1 .. vn -> the last: the adjoint of v0 is a sum over n consumers. */
static void consumers(gb_work *w, int64_t n, int64_t size)
{
    gb_work_init(w, n + 2, 2, 2);
    for (int64_t v = 0; v <= n; v++) w->size[v] = size;
    w->of = n + 1, w->size[w->of] = 1;
    gb_edges *g = gb_add(w, JC_DENSE, n, size, size, keeping(size)), *last = gb_add(w, JC_DENSE, n, 1, size, 1);
    for (int64_t i = 0; i < n; i++) {
        g->of[i] = (int32_t)(i + 1), g->wrt[i] = 0;
        last->of[i] = (int32_t)w->of, last->wrt[i] = (int32_t)(i + 1);
    }
    gb_stage_add(w, g, 0, n);
    gb_stage_add(w, last, 0, n);
    want_inputs(w, 0, 1);
}

/* Row i of each: `row` entries, one in each of as many equal parts of a band that follows the diagonal round. */
static void fill_pattern(gb_edges *g, int64_t row, int64_t band)
{
    int64_t part = band / row, n = g->f.q;
    for (int64_t e = 0; e < g->f.count; e++)
        for (int64_t i = 0; i < g->f.p; i++) {
            int64_t first = i - band / 2;
            first = first < 0 ? 0 : first > n - band ? n - band : first;
            g->indptr[e * (g->f.p + 1) + i + 1] = (int32_t)((i + 1) * row);
            for (int64_t t = 0; t < row; t++) {
                int64_t at = (e * g->f.p + i) * row + t;
                g->indices[at] = (int32_t)(first + t * part + (int64_t)(mix((uint64_t)at) % (uint64_t)part));
            }
        }
}

static void give_pattern(gb_edges *g, int64_t row, int64_t band)
{
    g->f.m = g->f.p * row;
    g->indptr = gb_host(g->f.count * (g->f.p + 1), sizeof *g->indptr);
    g->indices = gb_host(g->f.count * g->f.m, sizeof *g->indices);
    fill_pattern(g, row, band);
    g->f.d_indptr = gb_device_copy(g->indptr, g->f.count * (g->f.p + 1) * 4);
    g->f.d_indices = gb_device_copy(g->indices, g->f.count * g->f.m * 4);
}

static void csr_chain(gb_work *w, int64_t count, int64_t size, int64_t row, int64_t band)
{
    gb_work_init(w, count + 1, 1, count);
    for (int64_t v = 0; v <= count; v++) w->size[v] = size;
    gb_edges *g = gb_add(w, JC_CSR, count, size, size, keeping(row));
    give_pattern(g, row, band);
    for (int64_t e = 0; e < count; e++) {
        g->of[e] = (int32_t)(e + 1), g->wrt[e] = (int32_t)e;
        gb_stage_add(w, g, e, 1);
    }
    w->of = count, w->k = 1, w->seeded = true;
    want_inputs(w, 0, 1);
}

/* An edge of the large vectors; csr and select take the pattern of an earlier one. */
static void large_edge(gb_work *w, jc_kind kind, int64_t of, gb_edges **pattern)
{
    int64_t n = w->size[0];
    double scale = kind == JC_DIAGONAL ? sqrt(1.5) : kind == JC_CSR ? keeping(8) : sqrt(0.5);
    gb_edges *g = gb_add(w, kind, 1, n, n, scale), *p = *pattern;
    g->of[0] = (int32_t)of, g->wrt[0] = (int32_t)(of - 1);
    if (kind == JC_CSR && !p) give_pattern(g, 4, 64);
    if (kind == JC_SELECT && !p) {
        g->indices = gb_host(n, sizeof *g->indices);
        for (int64_t i = 0; i < n; i++) g->indices[i] = (int32_t)((i + 12345) % n);
        g->f.d_indices = gb_device_copy(g->indices, n * 4);
    }
    if (p) {
        g->indptr = p->indptr, g->indices = p->indices, g->f.m = p->f.m;
        g->f.d_indptr = p->f.d_indptr, g->f.d_indices = p->f.d_indices;
    } else if (kind == JC_CSR || kind == JC_SELECT) {
        *pattern = g;
    }
    gb_stage_add(w, g, 0, 1);
}

static void large_vectors(gb_work *w, int64_t n_vars, int64_t n)
{
    static const jc_kind kinds[4][2] = {
        {JC_DIAGONAL, JC_IDENTITY}, {JC_DIAGONAL, JC_SELECT}, {JC_IDENTITY, JC_CSR}, {JC_SELECT, JC_DIAGONAL}};
    gb_edges *select = NULL, *csr = NULL, *none = NULL;
    gb_work_init(w, n_vars, 2 * n_vars, 2 * n_vars);
    for (int64_t v = 0; v < n_vars; v++) w->size[v] = n;
    for (int64_t v = 1; v < n_vars; v++)
        for (int i = 0; i < 2; i++) {
            jc_kind kind = kinds[v % 4][i];
            large_edge(w, kind, v, kind == JC_CSR ? &csr : kind == JC_SELECT ? &select : &none);
        }
    w->of = n_vars - 1, w->k = 1, w->seeded = true;
    want_inputs(w, 0, 1);
}

/* z_t = W h_{t-1} + V x_t + b, h_t = f(z_t), L = l h_T, for a batch. Variables: z_1 .. z_T, h_1 .. h_T, W, V, b, L. */
static void rnn(gb_work *w, int64_t steps, int64_t hidden, int64_t batch, int64_t inputs)
{
    int64_t n = batch * hidden, W = 2 * steps, V = W + 1, b = W + 2;
    gb_work_init(w, 2 * steps + 4, steps + 5, 5 * steps + 1);
    w->precision = JC_PRECISION_TF32, w->tolerance = 0.05;
    for (int64_t v = 0; v < 2 * steps; v++) w->size[v] = n;
    w->size[W] = hidden * hidden, w->size[V] = hidden * inputs, w->size[b] = hidden;
    w->of = W + 3, w->size[w->of] = 1;
    gb_edges *derivative = gb_add(w, JC_DIAGONAL, steps, n, n, sqrt(3.0));
    gb_edges *of_w = gb_add(w, JC_WEIGHT, steps, n, hidden * hidden, 1);
    gb_edges *of_v = gb_add(w, JC_WEIGHT, steps, n, hidden * inputs, 1);
    gb_edges *of_b = gb_add(w, JC_TILE, steps, n, hidden, 1), *end = gb_add(w, JC_DENSE, 1, 1, n, 1);
    of_w->f.m = of_v->f.m = of_b->f.m = batch;
    void *d_w = gb_device(hidden * hidden * 4);
    gb_check(gb_fill(d_w, JC_GPU_F32, hidden * hidden, 9, keeping(hidden), gb_stream), "numbers");
    for (int64_t t = 0; t < steps; t++) {
        gb_edges *each[4] = {of_w, of_v, of_b, derivative};
        const int64_t wrt[4] = {W, V, b, t}, of[4] = {t, t, t, steps + t};
        for (int i = 0; i < 4; i++) each[i]->of[t] = (int32_t)of[i], each[i]->wrt[t] = (int32_t)wrt[i];
        for (int i = 0; i < 3; i++) gb_stage_add(w, each[i], t, 1);
        if (t > 0) {
            gb_edges *step = gb_add(w, JC_DENSE, 1, hidden, hidden, 1);
            step->f.batch = batch, step->f.d_numbers = d_w;
            step->of[0] = (int32_t)t, step->wrt[0] = (int32_t)(steps + t - 1);
            gb_stage_add(w, step, 0, 1);
        }
        gb_stage_add(w, derivative, t, 1);
    }
    end->of[0] = (int32_t)w->of, end->wrt[0] = (int32_t)(2 * steps - 1);
    gb_stage_add(w, end, 0, 1);
    want_inputs(w, W, 3);
}

/* ---- goals ------------------------------------------------------------------------------------------------------- */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

/* Seconds of a chain of 2048 by cuBLAS; with bf16 operands also what converts numbers and adjoints: 4 bytes read and
 * 2 written for each. */
static double chain_bound(const gb_limits *l, int64_t count, int64_t n, int kind)
{
    if (kind == JC_PRECISION_F64) return gb_cublas_chain(count, n, n, JC_GPU_F64, JC_GPU_F64, false);
    if (kind != JC_PRECISION_BF16)
        return gb_cublas_chain(count, n, n, JC_GPU_F32, JC_GPU_F32, kind == JC_PRECISION_TF32);
    double converted = 6.0 * 2 * (double)count * (double)n * (double)n;
    return gb_cublas_chain(count, n, n, JC_GPU_BF16, JC_GPU_F32, false) + converted / l->copy;
}

static void run_big_chain(gb_row *row, const gb_limits *l, int64_t shrink, jc_precision precision)
{
    gb_work w;
    int64_t n = at_least(2048 / shrink, 64), count = at_least(64 / shrink, 4);
    row->bound_s = chain_bound(l, count, n, (int)precision);
    gb_free_all();
    chain(&w, count, n, n, precision == JC_PRECISION_F64 ? JC_F64 : JC_F32);
    w.precision = precision;
    if (precision == JC_PRECISION_TF32) w.tolerance = 0.02;
    if (precision == JC_PRECISION_BF16) w.tolerance = 0.1;
    row->outcome = gb_run(&w);
}

static void run_rnn(gb_row *row, const gb_limits *l, int64_t shrink)
{
    gb_work w;
    int64_t steps = at_least(256 / shrink, 4), hidden = at_least(1024 / shrink, 64), batch = at_least(256 / shrink, 16);
    int64_t inputs = at_least(256 / shrink, 16);
    double elementwise = 12.0 * (double)steps * (double)batch * (double)hidden; /* read, derivative, written: f32 */
    row->bound_s = gb_cublas_rnn(steps - 1, batch, hidden, steps, hidden + inputs) + elementwise / l->copy;
    gb_free_all();
    rnn(&w, steps, hidden, batch, inputs);
    row->outcome = gb_run(&w);
}

static void run_wide_chain(gb_row *row, int64_t shrink)
{
    gb_work w;
    int64_t count = 2 * at_least(64 / shrink, 4), wide = at_least(8192 / shrink, 128);
    wide_chain(&w, count, wide, 16, JC_ORDER_REVERSE);
    gb_outcome sweep = gb_run(&w);
    row->bound_s = sweep.valid ? sweep.seconds : 0;
    gb_free_all();
    wide_chain(&w, count, wide, 16, JC_ORDER_ELIMINATION);
    row->outcome = gb_run(&w);
}

static void run_csr(gb_row *row, const gb_limits *l, int64_t shrink, bool against_cusparse)
{
    gb_work w;
    int64_t size = at_least(16384 / shrink, 256);
    csr_chain(&w, at_least(200 / shrink, 4), size, 32, at_least(4096 / shrink, 64));
    w.tolerance = 1e-3;
    row->outcome = gb_run(&w);
    row->bound_s = against_cusparse ? gb_cusparse(&w) : gb_bytes(&w) / l->read;
}

static void run_layered(gb_row *row, const gb_limits *l, int64_t levels, int64_t edges, int64_t size, int64_t k,
                        bool nodes)
{
    gb_work w;
    layered(&w, levels, edges, size, k);
    w.tolerance = nodes ? 1e-2 : 1e-4;
    row->bound_s = gb_bytes(&w) / l->read;
    if (k > 1)
        row->bound_s = larger(row->bound_s, 2.0 * (double)w.groups[0].f.count * (double)(size * size * k) / l->f32);
    if (nodes) row->bound_s = larger(row->bound_s, (double)levels * l->node);
    row->outcome = gb_run(&w);
    row->bound_s = larger(row->bound_s, gb_bytes(&w) / l->read);
}

static void run_read_bound(gb_row *row, const gb_limits *l, gb_work *w)
{
    row->outcome = gb_run(w);
    row->bound_s = gb_bytes(w) / l->read;
}

static void run_named(gb_row *row, const gb_limits *l, int64_t shrink)
{
    const char *name = row->goal->name;
    gb_work w;
    if (!strcmp(name, "chain-8192"))
        chain(&w, 32, at_least(8192 / shrink, 64), 1, JC_F32), run_read_bound(row, l, &w);
    else if (!strcmp(name, "layered-64"))
        run_layered(row, l, 20, 100000 / shrink, 64, 1, false);
    else if (!strcmp(name, "layered-16"))
        run_layered(row, l, 20, 1000000 / shrink, 16, 1, false);
    else if (!strcmp(name, "layered-deep"))
        run_layered(row, l, at_least(1000 / shrink, 20), 100000 / shrink, 32, 1, true);
    else if (!strcmp(name, "mixed"))
        mixed(&w, 20, 100000 / shrink), run_read_bound(row, l, &w);
    else if (!strcmp(name, "layered-64-k32"))
        run_layered(row, l, 20, 100000 / shrink, 64, 32, false);
    else if (!strcmp(name, "consumers"))
        consumers(&w, 10000 / shrink, 128), run_read_bound(row, l, &w);
    else if (!strcmp(name, "chain-2048-f32"))
        run_big_chain(row, l, shrink, JC_PRECISION_F32);
    else if (!strcmp(name, "chain-2048-tf32"))
        run_big_chain(row, l, shrink, JC_PRECISION_TF32);
    else if (!strcmp(name, "chain-2048-f64"))
        run_big_chain(row, l, shrink, JC_PRECISION_F64);
    else if (!strcmp(name, "chain-2048-bf16"))
        run_big_chain(row, l, shrink, JC_PRECISION_BF16);
    else if (!strcmp(name, "rnn"))
        run_rnn(row, l, shrink);
    else if (!strcmp(name, "csr") || !strcmp(name, "csr-cusparse"))
        run_csr(row, l, shrink, strlen(name) > 3);
    else if (!strcmp(name, "large-vectors"))
        large_vectors(&w, 20, 100000000 / shrink), run_read_bound(row, l, &w);
    else if (!strcmp(name, "wide-chain"))
        run_wide_chain(row, shrink);
    else if (!strcmp(name, "chain-deep"))
        chain(&w, at_least(10000 / shrink, 100), 64, 1, JC_F32),
            w.tolerance = 1e-2, row->outcome = gb_run(&w),
            row->measured = 1e6 * row->outcome.seconds / (double)w.n_stages;
    else if (!strcmp(name, "replay"))
        layered(&w, 100, 400, 4, 1), w.tolerance = 1e-3, row->outcome = gb_run(&w),
                                     row->measured = 1e6 * row->outcome.seconds;
}

gb_row gb_run_goal(int index, const gb_limits *limits, int64_t shrink)
{
    gb_row row = {.goal = &gb_goals[index]};
    run_named(&row, limits, shrink);
    gb_free_all();
    bool in_unit = row.goal->unit[0] != '\0';
    if (!in_unit && row.outcome.seconds > 0) row.measured = row.bound_s / row.outcome.seconds;
    row.met = row.outcome.valid && (in_unit ? row.measured <= row.goal->at_least : row.measured >= row.goal->at_least);
    return row;
}
