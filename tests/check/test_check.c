/* The check finds what is wrong, where it is wrong, and nothing where nothing is. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check/faulty.h"
#include "check/subjects.h"
#include "run/check.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/random_query.h"

/* ---- answers and graphs ----------------------------------------------------------------------------------------- */

typedef struct answer {
    jc_check_summary summary;
    jc_check_total total[16];
} answer;

static answer take_answer(jc_status status, jc_check_report *report)
{
    answer a = {.summary = {.struct_size = sizeof a.summary}};
    jt_ok(status, "check");
    jt_ok(jc_check_get_summary(report, &a.summary), "summary");
    for (int64_t i = 0; i < a.summary.totals && i < 16; i++) jt_ok(jc_check_get_total(report, i, &a.total[i]), "total");
    a.summary.non_finite = NULL; /* the report's */
    jc_check_destroy(report);
    return a;
}

static answer check(const jc_graph *g, int64_t of, int64_t wrt, jc_order order, jc_precision precision,
                    const jc_backend *backend)
{
    jc_query q = JC_QUERY_INIT;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_check_report *report = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = order;
    o.precision = precision, o.threads = 2;
    jc_status status = jc_check_on(g, &q, backend, &o, &report);
    return take_answer(status, report);
}

/* v0 -> v1 -> .. of `depth` edges of size n; numbers [depth * n * n]. Edge i is v(i+1) <- v(i). group: one edge group.
 */
static jc_graph *chain(int64_t depth, int64_t n, jc_dtype dtype, const void *numbers, bool group)
{
    jc_graph *g = NULL;
    jt_ok(jc_graph_create(NULL, &g), "graph");
    for (int64_t i = 0; i <= depth; i++) {
        char name[32];
        int64_t v;
        snprintf(name, sizeof name, "v%lld", (long long)i);
        jt_ok(jc_graph_add_variable(g, name, n, &v), "variable");
    }
    jt_pool pool = {0};
    int64_t *of = jt_alloc(&pool, depth, 8), *wrt = jt_alloc(&pool, depth, 8);
    for (int64_t i = 0; i < depth; i++) of[i] = i + 1, wrt[i] = i;
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jc_array ofs = jc_array_1d(JC_I64, depth, of), wrts = jc_array_1d(JC_I64, depth, wrt);
    j.values = jc_array_2d(dtype, n, n, numbers);
    if (group) {
        j.values = (jc_array){dtype, 3, {depth, n, n}, numbers, JC_BORROW, 0};
        jt_ok(jc_graph_add_edges(g, depth, &ofs, &wrts, &j, NULL, 0), "edges");
    }
    for (int64_t i = 0; i < depth && !group; i++) {
        j.values.data = (const char *)numbers + i * n * n * (dtype == JC_F64 ? 8 : 4);
        jt_ok(jc_graph_add_edge(g, i + 1, i, &j, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(g), "finish");
    jt_pool_free(&pool);
    return g;
}

/* depth matrices I - 2 v v^T / v^T v: orthogonal and, unlike most, not changed by transposition; times a permutation
 * (columns one on) they are. */
static void *orthogonal(jt_pool *pool, jt_rng *rng, int64_t depth, int64_t n, jc_dtype dtype)
{
    double *d = jt_alloc(pool, depth * n * n, 8), *v = jt_alloc(pool, n, 8);
    for (int64_t k = 0; k < depth; k++) {
        double length = 0;
        for (int64_t i = 0; i < n; i++) v[i] = jt_unit(rng), length += v[i] * v[i];
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) d[(k * n + i) * n + (j + 1) % n] = (i == j) - 2 * v[i] * v[j] / length;
    }
    if (dtype == JC_F64) return d;
    float *f = jt_alloc(pool, depth * n * n, 4);
    for (int64_t i = 0; i < depth * n * n; i++) f[i] = (float)d[i];
    return f;
}

/* ---- teeth ------------------------------------------------------------------------------------------------------- */

enum { DEPTH = 30, N = 64 };

static void copy_numbers(void *to, const void *from, jc_dtype dtype)
{
    memcpy(to, from, N * N * (dtype == JC_F64 ? 8 : 4));
}

/* D with row `row` missing. */
static void drop_row(void *d, jc_dtype dtype, int64_t row)
{
    size_t bytes = N * (dtype == JC_F64 ? 8 : 4);
    memset((char *)d + (size_t)row * bytes, 0, bytes);
}

/* D with the 8 x 8 block at (8, 16) transposed. */
static void transpose_block(void *d, jc_dtype dtype)
{
    size_t size = dtype == JC_F64 ? 8 : 4;
    char *at = d, t[8];
    for (size_t i = 0; i < 8; i++)
        for (size_t j = 0; j < i; j++) {
            char *a = at + ((8 + i) * N + 16 + j) * size, *b = at + ((8 + j) * N + 16 + i) * size;
            memcpy(t, a, size);
            memcpy(a, b, size);
            memcpy(b, t, size);
        }
}

static void assert_found(const answer *a, int64_t variable, const char *what)
{
    cr_assert_eq(a->summary.verdict, JC_FAILED, "%s: not found", what);
    cr_assert_gt(a->summary.ratio, 1, "%s: ratio %g", what, a->summary.ratio);
    cr_assert_eq(a->summary.variable, variable, "%s: found at v%lld, is at v%lld", what, (long long)a->summary.variable,
                 (long long)variable);
}

/* The variable whose equation has edge i's Jacobian in it. */
static int64_t equation_of(int64_t edge, jc_order order)
{
    return order == JC_ORDER_REVERSE ? edge : edge + 1;
}

static void check_chain_faults(const jt_subject *s, const jc_graph *g, const void *numbers, jc_dtype dtype,
                               jc_order order)
{
    static const int64_t edges[] = {0, 13, DEPTH - 1};
    static double wrong[N * N];
    size_t matrix = N * N * (dtype == JC_F64 ? 8 : 4);
    jt_faulty f = {.base = s->backend, .fault = JT_NO_FAULT};
    answer a = check(g, DEPTH, 0, order, s->precision, jt_faulty_backend(&f));
    cr_assert_eq(a.summary.verdict, JC_PASSED, "%s: ratio %g at v%lld", s->backend->name, a.summary.ratio,
                 (long long)a.summary.variable);

    f.fault = JT_ALL_ZERO;
    a = check(g, DEPTH, 0, order, s->precision, jt_faulty_backend(&f));
    assert_found(&a, order == JC_ORDER_REVERSE ? DEPTH - 1 : 1, "all zero");
    cr_assert_neq(a.total[0].verdict, JC_PASSED); /* f32: its forward bound says nothing at this depth */

    for (size_t k = 0; k < sizeof edges / sizeof *edges; k++) {
        f.edge = edges[k], f.fault = JT_JACOBIAN, f.numbers = wrong;
        copy_numbers(wrong, (const char *)numbers + (size_t)f.edge * matrix, dtype);
        drop_row(wrong, dtype, 17);
        a = check(g, DEPTH, 0, order, s->precision, jt_faulty_backend(&f));
        assert_found(&a, equation_of(f.edge, order), "a dropped row");

        copy_numbers(wrong, (const char *)numbers + (size_t)f.edge * matrix, dtype);
        transpose_block(wrong, dtype);
        a = check(g, DEPTH, 0, order, s->precision, jt_faulty_backend(&f));
        assert_found(&a, equation_of(f.edge, order), "a transposed block");
    }
    f.fault = JT_TWO_EDGES, f.edge = 4, f.other = 21;
    a = check(g, DEPTH, 0, order, s->precision, jt_faulty_backend(&f));
    bool first = a.summary.variable == equation_of(4, order);
    assert_found(&a, equation_of(first ? 4 : 21, order), "a swapped pair of edges");
}

Test(check, finds_every_fault_in_a_chain_of_30_at_the_right_variable)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (int i = 0; i < n; i++) {
        jt_pool pool = {0};
        jt_rng rng = {7};
        jc_dtype dtype = s[i].precision == JC_PRECISION_F64 ? JC_F64 : JC_F32;
        void *numbers = orthogonal(&pool, &rng, DEPTH, N, dtype);
        jc_graph *g = chain(DEPTH, N, dtype, numbers, false);
        check_chain_faults(&s[i], g, numbers, dtype, JC_ORDER_REVERSE);
        check_chain_faults(&s[i], g, numbers, dtype, JC_ORDER_FORWARD);
        jc_graph_destroy(g);
        jt_pool_free(&pool);
    }
}

Test(check, names_the_entry_that_is_wrong_by_a_thousandth)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (int i = 0; i < n; i++) {
        jt_pool pool = {0};
        jt_rng rng = {8};
        jc_graph *g = chain(DEPTH, N, JC_F32, orthogonal(&pool, &rng, DEPTH, N, JC_F32), false);
        for (int64_t k = 0; k < 10; k++) {
            jt_faulty f = {.base = s[i].backend, .fault = JT_ENTRY, .value = 3 * k, .row = 5 * k, .col = 60 - 6 * k};
            f.set = 3; /* of an orthogonal matrix no entry is over 1 */
            answer a = check(g, DEPTH, 0, JC_ORDER_REVERSE, s[i].precision, jt_faulty_backend(&f));
            assert_found(&a, DEPTH - 1 - f.value, "a wrong entry");
            cr_assert(a.summary.row == f.row && a.summary.col == f.col, "at (%lld, %lld), is (%lld, %lld)",
                      (long long)a.summary.row, (long long)a.summary.col, (long long)f.row, (long long)f.col);
            a = check(g, DEPTH, 0, JC_ORDER_FORWARD, s[i].precision, jt_faulty_backend(&f));
            assert_found(&a, f.value + 1, "a wrong entry");
            cr_assert(a.summary.row == f.col && a.summary.col == f.row, "a tangent's rows are those of its variable");
        }
        jc_graph_destroy(g);
        jt_pool_free(&pool);
    }
}

Test(check, passes_a_chain_of_10000_in_f32_and_f64, .timeout = 120)
{
    enum { DEEP = 10000, SMALL = 16 };
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (int i = 0; i < n; i++) {
        jt_pool pool = {0};
        jt_rng rng = {9};
        jc_dtype dtype = s[i].precision == JC_PRECISION_F64 ? JC_F64 : JC_F32;
        jc_graph *g = chain(DEEP, SMALL, dtype, orthogonal(&pool, &rng, DEEP, SMALL, dtype), true);
        answer a = check(g, DEEP, 0, JC_ORDER_AUTO, s[i].precision, s[i].backend);
        cr_assert_eq(a.summary.verdict, JC_PASSED, "%s: ratio %g at v%lld", s[i].backend->name, a.summary.ratio,
                     (long long)a.summary.variable);
        cr_assert(a.summary.ratio <= 1);
        cr_assert_neq(a.total[0].verdict, JC_FAILED);
        jt_faulty f = {.base = s[i].backend, .fault = JT_ENTRY, .value = 5000, .row = 3, .col = 4, .set = 1.5};
        a = check(g, DEEP, 0, JC_ORDER_REVERSE, s[i].precision, jt_faulty_backend(&f));
        assert_found(&a, DEEP - 1 - 5000, "a wrong entry deep inside");
        jc_graph_destroy(g);
        jt_pool_free(&pool);
    }
}

/* ---- all kinds, several targets and sources, variables in the middle --------------------------------------------- */

static jc_status check_query(const jc_graph *g, const jc_query *q, const jt_subject *s, const jc_backend *backend,
                             jc_check_report **report)
{
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    o.precision = s->precision, o.threads = 2;
    return jc_check_on(g, q, backend, &o, report);
}

/* The value that has the largest entry, and that entry: what a fault of 5 percent must show in. */
static bool largest_entry(const jc_graph *g, const jc_query *q, const jt_subject *s, jt_faulty *f, int64_t *variable)
{
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_run *run = NULL;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    o.precision = s->precision, o.keep_adjoints = 1;
    double most = 0;
    jt_ok(jc_plan_create(g, q, &plan), "plan");
    jt_ok(jc_program_create_on(plan, s->backend, &o, &program), "program");
    jt_ok(jc_run_create(program, &run), "run");
    jt_ok(jc_run_execute(run), "execute");
    for (int64_t v = 0; v < plan->n_values; v++)
        for (int64_t r = 0; r < plan->values[v].rows; r++)
            for (int64_t c = 0; c < plan->values[v].cols; c++) {
                const void *row = s->backend->peek(run, v, r);
                double x = program->dtype == JC_F64 ? ((const double *)row)[c] : ((const float *)row)[c];
                if (!(fabs(x) > most)) continue;
                most = fabs(x), f->value = v, f->row = r, f->col = c;
                *variable = plan->subgraph.variable[plan->values[v].node];
            }
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return most > 0;
}

static void check_random_graph(uint64_t seed, const jt_subject *s, int *faults)
{
    jt_graph g;
    jt_graph_options options = {.seed = seed, .max_paths = 200, .numbers = seed % 2 ? JT_REAL : JT_SMALL};
    jt_graph_random(&options, &g);
    jt_rng rng = {seed};
    jt_query q;
    jt_query_totals(&rng, &g, &q);
    q.query.order = seed % 3 == 0 ? JC_ORDER_AUTO : seed % 3 == 1 ? JC_ORDER_REVERSE : JC_ORDER_FORWARD;
    jc_check_report *report = NULL;
    jc_status status = check_query(g.graph, &q.query, s, s->backend, &report);
    answer a = take_answer(status, report);
    cr_assert_eq(a.summary.verdict, JC_PASSED, "seed %llu, %s: ratio %g at variable %lld (%lld, %lld)",
                 (unsigned long long)seed, s->backend->name, a.summary.ratio, (long long)a.summary.variable,
                 (long long)a.summary.row, (long long)a.summary.col);
    for (int64_t i = 0; i < a.summary.totals && i < 16; i++)
        cr_assert_neq(a.total[i].verdict, JC_FAILED, "seed %llu total %lld", (unsigned long long)seed, (long long)i);

    jt_faulty f = {.base = s->backend, .fault = JT_ENTRY, .factor = 0.05};
    int64_t variable;
    if (largest_entry(g.graph, &q.query, s, &f, &variable)) {
        status = check_query(g.graph, &q.query, s, jt_faulty_backend(&f), &report);
        a = take_answer(status, report);
        cr_assert_eq(a.summary.verdict, JC_FAILED, "seed %llu, %s: 5 percent not found", (unsigned long long)seed,
                     s->backend->name);
        ++*faults;
    }
    jt_graph_fini(&g);
}

Test(check, passes_random_graphs_of_all_kinds_and_finds_an_entry_wrong_by_5_percent, .timeout = 120)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s), faults = 0;
    for (uint64_t seed = 0; seed < 300; seed++)
        for (int i = 0; i < n; i++) check_random_graph(seed, &s[i], &faults);
    cr_assert_gt(faults, 200 * n);
}

Test(check, passes_per_sample_totals_in_both_orders)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (uint64_t seed = 0; seed < 60; seed++)
        for (int i = 0; i < n; i++) {
            jt_graph g;
            jt_graph_options options = {.seed = seed, .max_paths = 100, .samples = 3, .numbers = JT_REAL};
            jt_graph_random(&options, &g);
            jt_rng rng = {seed};
            jt_query q;
            jt_query_totals(&rng, &g, &q);
            q.query.per_sample = 3;
            q.query.order = seed % 2 ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
            jc_check_report *report = NULL;
            jc_status status = check_query(g.graph, &q.query, &s[i], s[i].backend, &report);
            answer a = take_answer(status, report);
            cr_assert_eq(a.summary.verdict, JC_PASSED, "seed %llu: %g", (unsigned long long)seed, a.summary.ratio);
            jt_graph_fini(&g);
        }
}

/* ---- numbers at the edges ---------------------------------------------------------------------------------------- */

/* v0 -> v1 -> v2 of size 1 with two numbers. */
static jc_graph *two_numbers(jc_dtype dtype, const void *numbers)
{
    return chain(2, 1, dtype, numbers, false);
}

Test(check, cannot_decide_about_nan_and_inf_and_names_the_inputs)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    double nan_input[2] = {1, NAN}, inf_input[2] = {INFINITY, 2}, overflow[2] = {1e200, 1e200};
    const double *cases[] = {nan_input, inf_input, overflow};
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            jc_graph *g = two_numbers(JC_F64, cases[c]);
            answer a = check(g, 2, 0, JC_ORDER_REVERSE, s[i].precision, s[i].backend);
            cr_assert_eq(a.summary.verdict, JC_UNDECIDED, "%s, case %d", s[i].backend->name, c);
            cr_assert(isnan(a.summary.ratio));
            cr_assert_eq(a.summary.n_non_finite, c < 2);
            cr_assert_eq(a.total[0].verdict, JC_UNDECIDED);
            jc_graph_destroy(g);
        }
}

Test(check, a_violation_beside_a_nan_is_still_a_failure)
{
    double numbers[2] = {NAN, 3};
    jc_graph *g = two_numbers(JC_F64, numbers);
    jt_faulty f = {.base = jc_backend_find("reference"), .fault = JT_ENTRY, .value = 0, .set = 4};
    answer a = check(g, 2, 0, JC_ORDER_REVERSE, JC_PRECISION_F64, jt_faulty_backend(&f));
    assert_found(&a, 1, "4 for 3 beside a NaN");
    jc_graph_destroy(g);
}

Test(check, holds_in_the_subnormal_range)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (int i = 0; i < n; i++) {
        bool f64 = s[i].precision == JC_PRECISION_F64;
        double ok[2] = {1.1e-22, 0.7e-20}, lost[2] = {1e-30, 1e-30}, narrowed[2] = {3e-42, 1e30};
        double ok64[2] = {1.1e-160, 0.7e-152}, lost64[2] = {1e-200, 1e-200}, narrowed64[2] = {3e-320, 1e300};
        const double *cases[] = {f64 ? ok64 : ok, f64 ? lost64 : lost, f64 ? narrowed64 : narrowed};
        for (int c = 0; c < 3; c++) {
            jc_graph *g = two_numbers(JC_F64, cases[c]);
            answer a = check(g, 2, 0, JC_ORDER_REVERSE, s[i].precision, s[i].backend);
            cr_assert_eq(a.summary.verdict, JC_PASSED, "%s, case %d: %g at v%lld", s[i].backend->name, c,
                         a.summary.ratio, (long long)a.summary.variable);
            cr_assert_neq(a.total[0].verdict, JC_FAILED);
            if (c == 0) {
                jt_faulty f = {.base = s[i].backend, .fault = JT_ENTRY, .value = 1, .factor = 0.01};
                a = check(g, 2, 0, JC_ORDER_REVERSE, s[i].precision, jt_faulty_backend(&f));
                assert_found(&a, 0, "1 percent of a subnormal number");
            }
            jc_graph_destroy(g);
        }
    }
}

/* t = x U underflows, V is large: the error of t is seen in the result. */
Test(check, allows_for_underflow_inside_low_rank)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (int i = 0; i < n; i++) {
        bool f64 = s[i].precision == JC_PRECISION_F64;
        double u[2] = {f64 ? 1.3e-162 : 1.3e-22, f64 ? 1.7e-162 : 1.7e-22}, v[1] = {f64 ? 1e150 : 1e30};
        double top[2] = {f64 ? 1.7e-161 : 1.7e-22, f64 ? 1.9e-161 : 1.9e-22};
        jc_graph *g = NULL;
        int64_t x, y, L;
        jt_ok(jc_graph_create(NULL, &g), "graph");
        jt_ok(jc_graph_add_variable(g, "x", 1, &x), "x");
        jt_ok(jc_graph_add_variable(g, "y", 2, &y), "y");
        jt_ok(jc_graph_add_variable(g, "L", 1, &L), "L");
        jc_jacobian a = JC_JACOBIAN_INIT(JC_LOW_RANK), d = JC_JACOBIAN_INIT(JC_DENSE);
        a.u = jc_array_2d(JC_F64, 2, 1, u), a.v = jc_array_2d(JC_F64, 1, 1, v);
        d.values = jc_array_2d(JC_F64, 1, 2, top);
        jt_ok(jc_graph_add_edge(g, y, x, &a, NULL, 0), "y <- x");
        jt_ok(jc_graph_add_edge(g, L, y, &d, NULL, 0), "L <- y");
        jt_ok(jc_graph_finish(g), "finish");
        answer r = check(g, L, x, JC_ORDER_REVERSE, s[i].precision, s[i].backend);
        cr_assert_eq(r.summary.verdict, JC_PASSED, "%s: %g", s[i].backend->name, r.summary.ratio);
        cr_assert_neq(r.total[0].verdict, JC_FAILED);
        jc_graph_destroy(g);
    }
}

/* ---- totals ------------------------------------------------------------------------------------------------------ */

Test(check, zero_and_identity_totals_pass_and_nothing_to_judge_is_said)
{
    double numbers[2] = {2, 3};
    jc_graph *g = two_numbers(JC_F64, numbers);
    answer a = check(g, 0, 2, JC_ORDER_AUTO, JC_PRECISION_AUTO, jc_backend_find("reference"));
    cr_assert_eq(a.summary.verdict, JC_PASSED);
    cr_assert_eq(a.summary.variable, -1);
    cr_assert(a.summary.totals == 1 && a.total[0].of == 0 && a.total[0].wrt == 2);
    cr_assert(a.total[0].error == 0 && a.total[0].bound == 0 && a.total[0].verdict == JC_PASSED);
    a = check(g, 1, 1, JC_ORDER_AUTO, JC_PRECISION_AUTO, jc_backend_find("reference"));
    cr_assert(a.summary.verdict == JC_PASSED && a.total[0].verdict == JC_PASSED);
    jc_graph_destroy(g);
}

Test(check, a_total_that_cancels_is_marked_as_saying_nothing)
{
    /* L = y1 - y2, y1 = y2 = a x with a = 1/3 rounded in one way and another: the difference is below the bound */
    double numbers[2 * 4] = {1.0 / 3, 0, 0.33333333333333337, 0, 1, -1, 0, 0};
    jc_graph *g = chain(2, 2, JC_F64, numbers, false);
    answer a = check(g, 2, 0, JC_ORDER_REVERSE, JC_PRECISION_F64, jc_backend_find("reference"));
    cr_assert_eq(a.summary.verdict, JC_PASSED);
    cr_assert_eq(a.total[0].verdict, JC_UNDECIDED);
    jc_graph_destroy(g);
}

Test(check, requests_that_do_not_apply_are_refused)
{
    double numbers[2] = {2, 3};
    jc_graph *g = two_numbers(JC_F64, numbers);
    int64_t of = 2, wrt = 0;
    jc_query q = JC_QUERY_INIT;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_check_report *report = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    o.backend = "reference", o.precision = JC_PRECISION_BF16;
    cr_assert_eq(jc_check(g, &q, &o, &report), JC_E_USAGE);
    o.precision = JC_PRECISION_AUTO, o.memory_limit = 1;
    cr_assert_eq(jc_check(g, &q, &o, &report), JC_E_LIMIT);
    o.memory_limit = 0, q.seed = JC_SEED_ROWS, q.seed_width = 1;
    cr_assert_eq(jc_check(g, &q, &o, &report), JC_E_USAGE);
    q.seed = JC_SEED_NONE, o.backend = "nobody's";
    cr_assert_eq(jc_check(g, &q, &o, &report), JC_E_UNAVAILABLE);
    cr_assert_null(report);
    jt_ok(jc_check(g, &q, NULL, &report), "defaults");
    jc_check_total total;
    cr_assert_eq(jc_check_get_total(report, 1, &total), JC_E_USAGE);
    jc_check_destroy(report);
    jc_graph_destroy(g);
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

typedef struct matrix {
    int64_t rows, cols;
    double *tangent; /* [rows * cols] what D x multiplies with */
    double *adjoint; /* [rows * cols] what D^T y multiplies with */
    int fail;
} matrix;

static double load(jc_dtype dtype, const void *x, int64_t i)
{
    return dtype == JC_F64 ? ((const double *)x)[i] : ((const float *)x)[i];
}

static int apply_matrix(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx,
                        void *y, int64_t ldy, int accumulate)
{
    const matrix *m = user;
    if (m->fail) return m->fail;
    int64_t n_in = direction == JC_TANGENT ? m->cols : m->rows, n_out = direction == JC_TANGENT ? m->rows : m->cols;
    for (int64_t j = 0; j < k; j++)
        for (int64_t o = 0; o < n_out; o++) {
            double sum = accumulate ? load(dtype, y, j * ldy + o) : 0;
            for (int64_t i = 0; i < n_in; i++)
                sum += load(dtype, x, j * ldx + i) *
                       (direction == JC_TANGENT ? m->tangent[o * m->cols + i] : m->adjoint[i * m->cols + o]);
            if (dtype == JC_F64)
                ((double *)y)[j * ldy + o] = sum;
            else
                ((float *)y)[j * ldy + o] = (float)sum;
        }
    return 0;
}

/* x -> y by an operator, y -> L by a dense matrix. */
static jc_graph *with_operator(matrix *m, const double *top)
{
    jc_graph *g = NULL;
    int64_t x, y, L;
    jc_jacobian a = JC_JACOBIAN_INIT(JC_OPERATOR), d = JC_JACOBIAN_INIT(JC_DENSE);
    a.op = (jc_operator){apply_matrix, m, m->rows * m->cols, m->rows * m->cols, 0};
    d.values = jc_array_2d(JC_F64, 2, m->rows, top);
    jt_ok(jc_graph_create(NULL, &g), "graph");
    jt_ok(jc_graph_add_variable(g, "x", m->cols, &x), "x");
    jt_ok(jc_graph_add_variable(g, "y", m->rows, &y), "y");
    jt_ok(jc_graph_add_variable(g, "L", 2, &L), "L");
    jt_ok(jc_graph_add_edge(g, y, x, &a, NULL, 0), "y <- x");
    jt_ok(jc_graph_add_edge(g, L, y, &d, NULL, 0), "L <- y");
    jt_ok(jc_graph_finish(g), "finish");
    return g;
}

Test(check, judges_operators_by_their_two_directions)
{
    enum { ROWS = 30, COLS = 20 };
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    jt_pool pool = {0};
    jt_rng rng = {11};
    double *d = jt_alloc(&pool, ROWS * COLS, 8), *t = jt_alloc(&pool, ROWS * COLS, 8),
           *top = jt_alloc(&pool, 2 * ROWS, 8);
    for (int i = 0; i < ROWS * COLS; i++) d[i] = t[i] = jt_unit(&rng);
    for (int i = 0; i < 2 * ROWS; i++) top[i] = jt_unit(&rng);
    matrix m = {ROWS, COLS, d, t, 0};
    jc_graph *g = with_operator(&m, top);
    for (int i = 0; i < n; i++)
        for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_FORWARD; order++) {
            answer a = check(g, 2, 0, (jc_order)order, s[i].precision, s[i].backend);
            cr_assert_eq(a.summary.verdict, JC_PASSED, "%s: %g", s[i].backend->name, a.summary.ratio);
            cr_assert_neq(a.total[0].verdict, JC_FAILED);

            jt_faulty f = {.base = s[i].backend, .fault = JT_ENTRY, .value = 1, .row = 1, .col = 0, .factor = 0.5};
            a = check(g, 2, 0, (jc_order)order, s[i].precision, jt_faulty_backend(&f));
            assert_found(&a, order == JC_ORDER_REVERSE ? 0 : 2, "a wrong entry behind an operator");

            t[7 * COLS + 3] += 1e-3;
            a = check(g, 2, 0, (jc_order)order, s[i].precision, s[i].backend);
            assert_found(&a, order == JC_ORDER_REVERSE ? 0 : 1, "two directions of different matrices");
            t[7 * COLS + 3] = d[7 * COLS + 3];
        }
    m.fail = 5;
    int64_t of = 2, wrt = 0;
    jc_query q = JC_QUERY_INIT;
    jc_check_report *report = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    cr_assert_eq(jc_check(g, &q, NULL, &report), JC_E_DEVICE);
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

Test(check, any_allocation_that_fails_is_a_clean_error)
{
    jt_check_without_memory(NULL, 0);
}
