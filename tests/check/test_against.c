/* Totals computed elsewhere: accepted when right, refused with their name and entry when not. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "io/results.h"
#include "run/check.h"
#include "support/compute.h"
#include "support/floats.h"
#include "support/random_query.h"

typedef struct judged {
    jc_check_summary summary;
    jc_check_total total[32];
} judged;

static judged judge(const jc_graph *g, int64_t n, const int64_t *of, const int64_t *wrt, const jc_array *values,
                    jc_precision precision)
{
    judged a = {.summary = {.struct_size = sizeof a.summary}};
    jc_check_report *report = NULL;
    jt_ok(jc_check_against(g, n, of, wrt, values, precision, &report), "against");
    jt_ok(jc_check_get_summary(report, &a.summary), "summary");
    for (int64_t i = 0; i < a.summary.totals && i < 32; i++) jt_ok(jc_check_get_total(report, i, &a.total[i]), "total");
    jc_check_destroy(report);
    return a;
}

/* The entry of largest size, and the one of median size among those that are not 0. */
static void pick_entries(const double *x, int64_t n, int64_t *largest, int64_t *middle)
{
    *largest = *middle = 0;
    for (int64_t i = 0; i < n; i++)
        if (fabs(x[i]) > fabs(x[*largest])) *largest = i;
    int64_t best = n;
    for (int64_t i = 0; i < n && n <= 4096; i++) {
        int64_t below = 0, others = 0;
        for (int64_t k = 0; k < n; k++) others += x[k] != 0, below += x[k] != 0 && fabs(x[k]) < fabs(x[i]);
        if (x[i] != 0 && llabs(below - others / 2) < best) best = llabs(below - others / 2), *middle = i;
    }
}

/* ---- a real network, gradients by PyTorch ------------------------------------------------------------------------ */

typedef struct digits {
    jc_graph *graph;
    jc_results_file *file;
    double *copy;     /* of the matrix that is changed */
    jc_array *values; /* [file->n] */
} digits;

static void digits_open(jt_pool *pool, digits *d)
{
    jt_ok(jc_graph_load(JC_EXAMPLES "/digits_rnn.json", NULL, &d->graph), "digits_rnn.json");
    jt_ok(jc_results_file_open(JC_EXAMPLES "/digits_rnn.expected.safetensors", d->graph, &d->file), "expected");
    d->values = jt_alloc(pool, d->file->n, sizeof *d->values);
    memcpy(d->values, d->file->values, (size_t)d->file->n * sizeof *d->values);
}

static judged digits_judge(const digits *d, jc_precision precision)
{
    return judge(d->graph, d->file->n, d->file->of, d->file->wrt, d->values, precision);
}

/* Judges with entry `at` of total i replaced; it must be found there. */
static void digits_change(const digits *d, int64_t i, int64_t at, double to)
{
    char name[64];
    double *copy = (double *)d->values[i].data, was = copy[at];
    copy[at] = to;
    judged a = digits_judge(d, JC_PRECISION_F64);
    copy[at] = was;
    jc_graph_variable_name(d->graph, d->file->wrt[i], name, sizeof name);
    cr_assert_eq(a.summary.verdict, JC_FAILED, "dL/d%s entry %lld: %g for %g passes", name, (long long)at, to, was);
    cr_assert_eq(a.summary.variable, d->file->wrt[i], "found at another variable than %s", name);
    cr_assert(a.summary.row == 0 && a.summary.col == at, "found at %lld, is at %lld", (long long)a.summary.col,
              (long long)at);
    for (int64_t k = 0; k < d->file->n; k++)
        cr_assert_eq(a.total[k].verdict, k == i ? JC_FAILED : JC_PASSED, "total %lld", (long long)k);
    cr_assert(a.total[i].row == 0 && a.total[i].col == at);
}

Test(against, the_gradients_of_a_trained_network_by_another_system_pass_and_one_entry_off_by_a_millionth_does_not)
{
    jt_pool pool = {0};
    digits d = {0};
    digits_open(&pool, &d);
    judged a = digits_judge(&d, JC_PRECISION_F64);
    cr_assert_eq(a.summary.verdict, JC_PASSED, "ratio %g at %lld", a.summary.ratio, (long long)a.summary.variable);
    cr_assert_str_eq(a.summary.backend, "file");
    for (int64_t i = 0; i < d.file->n; i++) {
        int64_t n = d.values[i].dims[1], largest, middle;
        const void *given = d.values[i].data;
        double *copy = jt_alloc(&pool, n, sizeof *copy);
        memcpy(copy, given, (size_t)n * sizeof *copy);
        d.values[i].data = copy;
        pick_entries(copy, n, &largest, &middle);
        digits_change(&d, i, largest, copy[largest] * (1 + 1e-6));
        digits_change(&d, i, middle, copy[middle] * (1 + 1e-6));
        digits_change(&d, i, middle, -copy[middle]);
        digits_change(&d, i, middle, 0);
        copy[middle] = NAN;
        a = digits_judge(&d, JC_PRECISION_AUTO);
        cr_assert_eq(a.summary.verdict, JC_UNDECIDED);
        cr_assert_eq(a.summary.variable, d.file->wrt[i]);
        d.values[i].data = given;
    }
    jc_results_file_close(d.file);
    jc_graph_destroy(d.graph);
    jt_pool_free(&pool);
}

/* ---- random graphs ----------------------------------------------------------------------------------------------- */

/* Totals of a random query by the reference, as a caller from elsewhere would have them. */
typedef struct totals {
    int64_t n;
    int64_t *of, *wrt;
    jc_array *values;
} totals;

static totals compute(jt_pool *pool, const jt_graph *g, const jc_query *q)
{
    jt_backend reference = {"reference", JC_PRECISION_F64, 1};
    jt_results r = jt_compute(pool, g->graph, q, &reference, NULL);
    totals t = {r.n, jt_alloc(pool, r.n, 8), jt_alloc(pool, r.n, 8), jt_alloc(pool, r.n, sizeof(jc_array))};
    for (int64_t i = 0; i < r.n; i++) {
        t.of[i] = r.result[i].of;
        t.wrt[i] = r.result[i].wrt;
        t.values[i] = jc_array_2d(JC_F64, r.result[i].rows, r.result[i].cols, r.result[i].real);
    }
    return t;
}

Test(against, totals_of_random_graphs_pass_and_a_changed_entry_is_named)
{
    int changed = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 200, .numbers = JT_REAL, .no_operators = seed % 4 != 0};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_query_totals(&rng, &g, &q);
        q.query.order = seed % 2 ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
        totals t = compute(&g.pool, &g, &q.query);
        judged a = {0};
        if (t.n) a = judge(g.graph, t.n, t.of, t.wrt, t.values, JC_PRECISION_F64);
        if (t.n) cr_assert_eq(a.summary.verdict, JC_PASSED, "seed %llu: %g", (unsigned long long)seed, a.summary.ratio);
        for (int64_t i = 0; i < t.n && i < 32; i++) {
            int64_t entries = t.values[i].dims[0] * t.values[i].dims[1], at = jt_below(&rng, entries);
            double *x = (double *)t.values[i].data, was = x[at];
            x[at] = was == 0 ? 1 : was * 1.01;
            a = judge(g.graph, t.n, t.of, t.wrt, t.values, JC_PRECISION_F64);
            cr_assert_eq(a.summary.verdict, JC_FAILED, "seed %llu, total %lld, entry %lld: %g for %g",
                         (unsigned long long)seed, (long long)i, (long long)at, x[at], was);
            cr_assert_eq(a.summary.variable, t.wrt[i]);
            cr_assert_eq(a.summary.row * t.values[i].dims[1] + a.summary.col, at);
            cr_assert_eq(a.total[i].verdict, JC_FAILED);
            x[at] = was;
            changed++;
        }
        jt_graph_fini(&g);
    }
    cr_assert_gt(changed, 400);
}

/* ---- precision --------------------------------------------------------------------------------------------------- */

/* v0 -> .. -> v20 of size 8 with numbers in [-1, 1]. */
static jc_graph *dense_chain(jt_pool *pool, int depth)
{
    jc_graph *g = NULL;
    jt_rng rng = {5};
    jt_ok(jc_graph_create(NULL, &g), "graph");
    for (int i = 0; i <= depth; i++) {
        char name[16];
        int64_t v;
        snprintf(name, sizeof name, "v%d", i);
        jt_ok(jc_graph_add_variable(g, name, 8, &v), "variable");
    }
    for (int i = 0; i < depth; i++) {
        double *d = jt_alloc(pool, 64, 8);
        for (int k = 0; k < 64; k++) d[k] = (float)jt_unit(&rng);
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = jc_array_2d(JC_F64, 8, 8, d);
        jt_ok(jc_graph_add_edge(g, i + 1, i, &j, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(g), "finish");
    return g;
}

/* The chain's total in single precision by loops of the test's own. */
static void single_total(const jc_graph *g, int depth, float total[64])
{
    float next[64];
    for (int i = 0; i < 64; i++) total[i] = i / 8 == i % 8;
    for (int e = depth; e-- > 0;) {
        const double *d = (const double *)jc_graph_group(g, e)->field[0].data;
        for (int i = 0; i < 64; i++) {
            next[i] = 0;
            for (int k = 0; k < 8; k++) next[i] += total[i / 8 * 8 + k] * (float)d[k * 8 + i % 8];
        }
        memcpy(total, next, sizeof next);
    }
}

Test(against, totals_are_judged_in_the_precision_that_is_named)
{
    enum { DEPTH = 6 };
    jt_pool pool = {0};
    jc_graph *g = dense_chain(&pool, DEPTH);
    int64_t of = DEPTH, wrt = 0;
    float single[64];
    double wide[64];
    single_total(g, DEPTH, single);
    for (int i = 0; i < 64; i++) wide[i] = single[i];
    jc_array in_f32 = jc_array_2d(JC_F32, 8, 8, single), in_f64 = jc_array_2d(JC_F64, 8, 8, wide);
    static const jc_precision loose[] = {JC_PRECISION_F32, JC_PRECISION_TF32, JC_PRECISION_BF16};
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(judge(g, 1, &of, &wrt, &in_f32, loose[i]).summary.verdict, JC_PASSED);
        cr_assert_eq(judge(g, 1, &of, &wrt, &in_f64, loose[i]).summary.verdict, JC_PASSED);
    }
    judged a = judge(g, 1, &of, &wrt, &in_f32, JC_PRECISION_AUTO);
    cr_assert(a.summary.verdict == JC_PASSED && a.summary.precision == JC_PRECISION_F32);
    a = judge(g, 1, &of, &wrt, &in_f64, JC_PRECISION_AUTO);
    cr_assert(a.summary.verdict == JC_FAILED && a.summary.precision == JC_PRECISION_F64, "f32 is not f64");
    single[9] *= 1.01f;
    a = judge(g, 1, &of, &wrt, &in_f32, JC_PRECISION_F32);
    cr_assert(a.summary.verdict == JC_FAILED && a.summary.row == 1 && a.summary.col == 1);
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}

/* The rounding to 8 or 11 bits is allowed for, and no more: one unit further is found. */
Test(against, totals_stored_in_16_bits_are_judged_as_far_as_those_go)
{
    enum { DEPTH = 6 };
    jt_pool pool = {0};
    jc_graph *g = dense_chain(&pool, DEPTH);
    int64_t of = DEPTH, wrt = 0;
    float single[64];
    single_total(g, DEPTH, single);
    for (int type = 2; type < 4; type++) {
        jc_dtype dtype = jt_float_type(type);
        double unit = dtype == JC_BF16 ? 0x1p-7 : 0x1p-10, changed = single[9] * (1 + 2 * unit);
        unsigned char stored[128];
        jc_array a = jc_array_2d(dtype, 8, 8, stored);
        for (int i = 0; i < 64; i++) jt_float_put(stored, i, dtype, single[i]);
        judged r = judge(g, 1, &of, &wrt, &a, JC_PRECISION_AUTO);
        cr_assert(r.summary.verdict == JC_PASSED && r.summary.precision == JC_PRECISION_F32);
        cr_assert_eq(judge(g, 1, &of, &wrt, &a, JC_PRECISION_F64).summary.verdict, JC_PASSED);
        jt_float_put(stored, 9, dtype, changed);
        r = judge(g, 1, &of, &wrt, &a, JC_PRECISION_AUTO);
        cr_assert(r.summary.verdict == JC_FAILED && r.summary.row == 1 && r.summary.col == 1);
    }
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}

/* ---- deep chains ------------------------------------------------------------------------------------------------- */

enum { DEEP = 30, WIDE = 64, MIDDLE = 15, MATRIX = WIDE * WIDE };

/* v0 -> .. -> v30 of size 64: reflections, whose sums have few large terms, so that their own bounds are tight. */
static jc_graph *reflections(jt_pool *pool, float *d)
{
    jc_graph *g = NULL;
    jt_rng rng = {11};
    jt_ok(jc_graph_create(NULL, &g), "graph");
    int64_t *sizes = jt_alloc(pool, DEEP + 1, 8);
    for (int i = 0; i <= DEEP; i++) sizes[i] = WIDE;
    jc_array size_array = jc_array_1d(JC_I64, DEEP + 1, sizes);
    jt_ok(jc_graph_add_variables(g, "v", &size_array), "variables");
    for (int e = 0; e < DEEP; e++) {
        double u[WIDE], length = 0;
        for (int i = 0; i < WIDE; i++) u[i] = jt_unit(&rng), length += u[i] * u[i];
        for (int i = 0; i < MATRIX; i++)
            d[e * MATRIX + i] = (float)((i / WIDE == i % WIDE) - 2 * u[i / WIDE] * u[i % WIDE] / length);
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = jc_array_2d(JC_F32, WIDE, WIDE, d + e * MATRIX);
        jt_ok(jc_graph_add_edge(g, e + 1, e, &j, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(g), "finish");
    return g;
}

/* total[v] = dv30/dv in single precision by loops of the test's own; edges a and b change their places. */
static void deep_totals(const float *d, int a, int b, float *total)
{
    float *at = total + DEEP * MATRIX;
    for (int i = 0; i < MATRIX; i++) at[i] = i / WIDE == i % WIDE;
    for (int e = DEEP; e-- > 0; at -= MATRIX) {
        const float *D = d + (e == a ? b : e == b ? a : e) * MATRIX;
        for (int i = 0; i < MATRIX; i++) {
            float sum = 0;
            for (int k = 0; k < WIDE; k++) sum += at[i / WIDE * WIDE + k] * D[k * WIDE + i % WIDE];
            at[i - MATRIX] = sum;
        }
    }
}

static judged judge_deep(const jc_graph *g, const float *total)
{
    int64_t of[4] = {DEEP, DEEP, DEEP, DEEP}, wrt[4] = {0, 10, 11, MIDDLE};
    jc_array values[4];
    for (int i = 0; i < 4; i++) values[i] = jc_array_2d(JC_F32, WIDE, WIDE, total + wrt[i] * MATRIX);
    return judge(g, 4, of, wrt, values, JC_PRECISION_AUTO);
}

static void expect_found(const jc_graph *g, const float *total, int64_t variable, const char *what)
{
    judged a = judge_deep(g, total);
    cr_assert_eq(a.summary.verdict, JC_FAILED, "%s: not found", what);
    cr_assert_gt(a.summary.ratio, 1000, "%s: ratio %g", what, a.summary.ratio);
    cr_assert_eq(a.summary.variable, variable, "%s: found at v%lld", what, (long long)a.summary.variable);
}

/* Where forward bounds say nothing any more, f32 totals of another program pass, and gross faults are found. */
Test(against, a_chain_of_30_in_f32_passes_and_its_faults_are_found_where_they_are)
{
    jt_pool pool = {0};
    float *d = jt_alloc(&pool, DEEP * MATRIX, 4), *total = jt_alloc(&pool, (DEEP + 1) * MATRIX, 4), kept[MATRIX];
    jc_graph *g = reflections(&pool, d);
    deep_totals(d, -1, -1, total);
    judged a = judge_deep(g, total);
    cr_assert_eq(a.summary.verdict, JC_PASSED, "ratio %g at v%lld", a.summary.ratio, (long long)a.summary.variable);
    for (int64_t v = 0; v <= MIDDLE; v += MIDDLE) {
        float *x = total + v * MATRIX;
        memcpy(kept, x, sizeof kept);
        memset(x, 0, sizeof kept);
        expect_found(g, total, v, "all zero");
        memcpy(x, kept, sizeof kept);
        memset(x + 17 * WIDE, 0, WIDE * sizeof *x);
        expect_found(g, total, v, "a dropped row");
        memcpy(x, kept, sizeof kept);
        for (int i = 0; i < 64; i++) x[(8 + i / 8) * WIDE + 16 + i % 8] = kept[(8 + i % 8) * WIDE + 16 + i / 8];
        expect_found(g, total, v, "a transposed block");
        memcpy(x, kept, sizeof kept);
    }
    deep_totals(d, 10, 11, total);
    expect_found(g, total, 11, "a swapped pair of edges");
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}

/* y = 2 x, by a callback that knows one type. */
static int twice_in_f64(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx,
                        void *y, int64_t ldy, int accumulate)
{
    (void)user, (void)direction;
    if (dtype != JC_F64) return 1;
    for (int64_t i = 0; i < k; i++) {
        double *to = (double *)y + i * ldy;
        *to = (accumulate ? *to : 0) + 2 * ((const double *)x)[i * ldx];
    }
    return 0;
}

Test(against, an_operator_need_not_have_the_precision_that_is_judged)
{
    jc_graph *g = NULL;
    int64_t x, y;
    double two = 2;
    jc_jacobian j = JC_JACOBIAN_INIT(JC_OPERATOR);
    j.op = (jc_operator){twice_in_f64, NULL, 1, 1, 0};
    jt_ok(jc_graph_create(NULL, &g), "graph");
    jt_ok(jc_graph_add_variable(g, "x", 1, &x), "x");
    jt_ok(jc_graph_add_variable(g, "y", 1, &y), "y");
    jt_ok(jc_graph_add_edge(g, y, x, &j, NULL, 0), "edge");
    jt_ok(jc_graph_finish(g), "finish");
    jc_array total = jc_array_2d(JC_F64, 1, 1, &two);
    cr_assert_eq(judge(g, 1, &y, &x, &total, JC_PRECISION_F32).summary.verdict, JC_PASSED);
    two = 3;
    cr_assert_eq(judge(g, 1, &y, &x, &total, JC_PRECISION_F32).summary.verdict, JC_FAILED);
    jc_graph_destroy(g);
}

Test(against, zeros_and_identities_are_exact_and_matrices_must_fit)
{
    jt_pool pool = {0};
    jc_graph *g = dense_chain(&pool, 2);
    int64_t of[2] = {0, 1}, wrt[2] = {2, 1};
    double zero[64] = {0}, identity[64] = {0};
    for (int i = 0; i < 8; i++) identity[9 * i] = 1;
    jc_array values[2] = {jc_array_2d(JC_F64, 8, 8, zero), jc_array_2d(JC_F64, 8, 8, identity)};
    cr_assert_eq(judge(g, 2, of, wrt, values, JC_PRECISION_F64).summary.verdict, JC_PASSED);
    zero[10] = 1e-300;
    judged a = judge(g, 2, of, wrt, values, JC_PRECISION_F64);
    cr_assert(a.summary.verdict == JC_FAILED && a.summary.variable == 2 && a.summary.row == 1 && a.summary.col == 2);
    zero[10] = 0, identity[9] = 1 + 1e-15;
    a = judge(g, 2, of, wrt, values, JC_PRECISION_F64);
    cr_assert(a.summary.verdict == JC_FAILED && a.summary.variable == 1 && a.total[0].verdict == JC_PASSED);

    jc_check_report *report = NULL;
    values[1].dims[0] = 4;
    cr_assert_eq(jc_check_against(g, 2, of, wrt, values, JC_PRECISION_F64, &report), JC_E_INPUT);
    values[1].dims[0] = 8, values[1].dtype = JC_I64;
    cr_assert_eq(jc_check_against(g, 2, of, wrt, values, JC_PRECISION_F64, &report), JC_E_INPUT);
    values[1].dtype = JC_F64, of[1] = 99;
    cr_assert_eq(jc_check_against(g, 2, of, wrt, values, JC_PRECISION_F64, &report), JC_E_USAGE);
    of[1] = of[0], wrt[1] = wrt[0];
    cr_assert_eq(jc_check_against(g, 2, of, wrt, values, JC_PRECISION_F64, &report), JC_E_USAGE, "named twice");
    cr_assert_eq(jc_check_against(g, 0, of, wrt, values, JC_PRECISION_F64, &report), JC_E_USAGE);
    cr_assert_null(report);
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}
