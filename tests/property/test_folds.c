/* Forward sweeps that keep the structure of weights: the same totals as the sum over paths on every backend, held in
 * fewer numbers and formed with fewer multiply-adds than rows that are not folded. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "plan/layout.h"
#include "plan/plan.h"
#include "plan/verify.h"
#include "property/fold_graph.h"
#include "run/split_terms.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/folds.h"
#include "support/oracle.h"
#include "support/sanitized.h"

static const double largest_exact = 0x1p23;

typedef struct request {
    jc_query query;
    int64_t of[3], wrt[3];
} request;

/* Some inner variables with respect to the weights, and now and then to an inner one; forward. */
static void draw_request(jt_rng *rng, const jt_graph *g, request *r)
{
    *r = (request){.query = JC_QUERY_INIT};
    int64_t n = g->n_variables - FOLD_SOURCES, first = jt_below(rng, n), n_of = jt_between(rng, 1, 2);
    r->of[0] = g->n_variables - 1 - first / 2;
    r->of[1] = FOLD_SOURCES + jt_below(rng, n);
    if (r->of[1] == r->of[0]) n_of = 1;
    r->wrt[0] = 0, r->wrt[1] = 1, r->wrt[2] = FOLD_SOURCES + jt_below(rng, n);
    r->query.of = r->of, r->query.n_of = n_of;
    r->query.wrt = r->wrt, r->query.n_wrt = jt_below(rng, 3) ? 2 : 3;
    r->query.order = JC_ORDER_FORWARD;
}

/* How often the random requests meet what is to be tested. */
typedef struct met {
    int64_t begun, carried, left[JC_KIND_COUNT], mixed, saved;
} met;

/* Steps that begin folds, carry them on and leave them by an edge of each kind. */
static void count_steps(const jc_plan *plan, met *m)
{
    int64_t member;
    for (int64_t v = 0; v < plan->n_values; v++)
        for (int64_t i = plan->values[v].first_step; i < plan->values[v + 1].first_step; i++) {
            const jc_step *step = &plan->steps[i];
            if (step->fold && step->a != JC_SEED_IDENTITY)
                m->left[jc_plan_jacobian(plan, step->b, &member)->shape.kind]++;
            else if (step->fold)
                m->begun++;
        }
}

/* Rows that a value would have without folds are those of a plan with one window of all rows: compared for one source
 * at a time. */
static void compare_with_whole_rows(const jt_graph *g, const request *r, met *m)
{
    jc_query q = r->query;
    jc_plan *folded, *whole;
    q.n_wrt = 1;
    int64_t **rows = jt_forward_rows(&((jt_graph *)g)->pool, g, &q);
    jt_ok(jc_plan_create(g->graph, &q, &folded), "plan");
    jt_ok(jc_plan_create_windowed(g->graph, &q, g->size[q.wrt[0]], &whole), "plan of whole rows");
    cr_assert_eq(folded->n_values, whole->n_values);
    cr_assert(folded->multiply_adds <= whole->multiply_adds);
    bool some = false;
    for (int64_t v = 0; v < folded->n_values; v++) {
        int64_t variable = folded->subgraph.variable[folded->values[v].node];
        cr_assert_eq(folded->values[v].rows, rows[0][variable]);
        some = some || folded->values[v].rows < whole->values[v].rows;
        m->carried += folded->values[v].rows < whole->values[v].rows;
    }
    if (some && folded->multiply_adds < whole->multiply_adds) m->saved++;
    jc_plan_destroy(folded);
    jc_plan_destroy(whole);
}

static void check_result(const jt_graph *g, const jt_result *r, long double *const *totals, uint64_t seed,
                         const char *backend)
{
    jt_pool pool = {0};
    const long double *total = totals[r->wrt];
    uint64_t *modulo = r->real ? NULL : jt_total_modulo(&pool, g, r->of, r->wrt);
    for (int64_t i = 0; i < r->rows * r->cols; i++)
        cr_assert(modulo ? r->modulo[i] == modulo[i] : (long double)r->real[i] == total[i],
                  "seed %llu, %s: d%lld/d%lld entry %lld is %g, expected %Lg", (unsigned long long)seed, backend,
                  (long long)r->of, (long long)r->wrt, (long long)i, r->real ? r->real[i] : NAN, total[i]);
    jt_pool_free(&pool);
}

static bool stays_exact(const jt_graph *g, const request *r)
{
    jt_pool pool = {0};
    double most = 0;
    for (int64_t t = 0; t < r->query.n_of; t++) {
        long double **all = jt_totals_by_recurrence(&pool, g, r->of[t], true);
        for (int64_t v = 0; v < g->n_variables; v++)
            for (int64_t i = 0; i < g->size[r->of[t]] * g->size[v]; i++) most = fmax(most, (double)all[v][i]);
    }
    for (int64_t v = 0; v < g->n_variables; v++) {
        long double **all = jt_totals_by_recurrence(&pool, g, v, true);
        for (int64_t s = 0; s < r->query.n_wrt; s++)
            for (int64_t i = 0; i < g->size[v] * g->size[r->wrt[s]]; i++) most = fmax(most, (double)all[r->wrt[s]][i]);
    }
    jt_pool_free(&pool);
    return most < largest_exact;
}

static void check_graph(uint64_t seed, int leaving, met *m)
{
    jt_graph g;
    jt_fold_graph(seed, leaving, JT_SMALL, NULL, &g);
    jt_rng rng = {seed};
    request r;
    jc_plan *plan;
    draw_request(&rng, &g, &r);
    jt_ok(jc_plan_create(g.graph, &r.query, &plan), "plan");
    count_steps(plan, m);
    jc_plan_destroy(plan);
    compare_with_whole_rows(&g, &r, m);
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    bool exact = stays_exact(&g, &r);
    for (int b = 0; b < n; b++) {
        if (!jt_is_exact(&backends[b]) && (!exact || !jt_is_exact_up_to(&backends[b], largest_exact))) continue;
        jt_results results = jt_compute(&g.pool, g.graph, &r.query, &backends[b], NULL);
        for (int64_t i = 0; i < results.n; i++) {
            long double **totals = jt_totals_by_recurrence(&g.pool, &g, results.result[i].of, false);
            check_result(&g, &results.result[i], totals, seed, backends[b].name);
        }
    }
    jt_graph_fini(&g);
}

Test(folds, totals_are_the_path_sums_bit_for_bit_on_every_backend)
{
    met m = {0};
    int64_t n = jt_cases(1000);
    for (int64_t seed = 0; seed < n; seed++)
        if (jt_in_sample((uint64_t)seed)) check_graph((uint64_t)seed, (int)(seed % 6), &m);
    if (jt_device_run() || n < 1000) return;
    cr_assert(m.begun > 300 && m.carried > 300 && m.saved > 100, "%lld begun, %lld carried, %lld saved",
              (long long)m.begun, (long long)m.carried, (long long)m.saved);
    cr_assert(m.left[JC_DENSE] > 50 && m.left[JC_DIAGONAL] > 50 && m.left[JC_IDENTITY] > 20,
              "left by %lld dense, %lld diagonal, %lld identity", (long long)m.left[JC_DENSE],
              (long long)m.left[JC_DIAGONAL], (long long)m.left[JC_IDENTITY]);
}

/* Every value satisfies its own equation, also where it is folded; one entry that is wrong does not. */
Test(folds, checks_of_folded_values_pass_on_every_backend)
{
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int64_t seed = 1000; seed < 1000 + jt_cases(60); seed++) {
        jt_graph g;
        if (!jt_in_sample((uint64_t)seed)) continue;
        jt_fold_graph((uint64_t)seed, (int)(seed % 6), JT_REAL, NULL, &g);
        jt_rng rng = {(uint64_t)seed};
        request r;
        draw_request(&rng, &g, &r);
        for (int b = 0; b < n; b++) {
            if (jt_is_exact(&backends[b])) continue;
            jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
            jc_check_report *report;
            jc_check_summary s = {.struct_size = sizeof s};
            o.backend = backends[b].name, o.precision = backends[b].precision, o.threads = backends[b].threads;
            jt_ok(jt_check(g.graph, &r.query, &o, &report), "check");
            jt_ok(jc_check_get_summary(report, &s), "summary");
            cr_assert_eq(s.verdict, JC_PASSED, "seed %lld, %s: ratio %g", (long long)seed, backends[b].name, s.ratio);
            jc_check_destroy(report);
        }
        jt_graph_fini(&g);
    }
}

/* ---- values that threads cut, and that a check looks at piece by piece ---- */

enum { C = 8, H = 64, W = 64, P = C * H };

static double *small_numbers(jt_pool *pool, jt_rng *rng, int64_t n)
{
    double *x = jt_alloc(pool, n, sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (double)jt_between(rng, -2, 2);
    return x;
}

/* w (64 x 64) -> a -> b by a weight, a diagonal and a trace; b -> y by a diagonal, b -> z by a dense one. */
static jc_graph *large_graph(jt_pool *pool, int64_t v[5])
{
    static const char *const names[] = {"w", "a", "b", "y", "z"};
    const int64_t sizes[] = {H * W, P, P, P, 3};
    jt_rng rng = {4};
    jc_graph *g;
    jt_ok(jc_graph_create(NULL, &g), "graph");
    for (int i = 0; i < 5; i++) jt_ok(jc_graph_add_variable(g, names[i], sizes[i], &v[i]), names[i]);
    jc_jacobian weight = JC_JACOBIAN_INIT(JC_WEIGHT), trace = JC_JACOBIAN_INIT(JC_TRACE);
    jc_jacobian diagonal = JC_JACOBIAN_INIT(JC_DIAGONAL), dense = JC_JACOBIAN_INIT(JC_DENSE);
    weight.x = jc_array_2d(JC_F64, C, W, small_numbers(pool, &rng, C * W));
    trace.values = jc_array_2d(JC_F64, P, W, small_numbers(pool, &rng, P * W));
    diagonal.values = jc_array_1d(JC_F64, P, small_numbers(pool, &rng, P));
    dense.values = jc_array_2d(JC_F64, 3, P, small_numbers(pool, &rng, 3 * P));
    jt_ok(jc_graph_add_edge(g, v[1], v[0], &weight, NULL, 0), "a <- w");
    jt_ok(jc_graph_add_edge(g, v[2], v[1], &diagonal, NULL, 0), "b <- a");
    jt_ok(jc_graph_add_edge(g, v[2], v[0], &trace, NULL, 0), "b <- w");
    jt_ok(jc_graph_add_edge(g, v[3], v[2], &diagonal, NULL, 0), "y <- b");
    jt_ok(jc_graph_add_edge(g, v[4], v[2], &dense, NULL, 0), "z <- b");
    jt_ok(jc_graph_finish(g), "finish");
    return g;
}

/* On one backend, forward, against the totals of the reference in reverse; then each value by its equation. */
static void check_large(jt_pool *pool, const jc_graph *g, jc_query *q, const jt_backend *backend)
{
    jt_backend yardstick = {"reference", JC_PRECISION_F64, 1};
    q->order = JC_ORDER_REVERSE;
    jt_results expected = jt_compute(pool, g, q, &yardstick, NULL);
    q->order = JC_ORDER_FORWARD;
    jt_results got = jt_compute(pool, g, q, backend, NULL);
    for (int64_t i = 0; i < got.n; i++)
        for (int64_t k = 0; k < got.result[i].rows * got.result[i].cols; k++)
            cr_assert_eq(got.result[i].real[k], expected.result[i].real[k], "%s, result %lld, entry %lld",
                         backend->name, (long long)i, (long long)k);
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_check_report *report;
    jc_check_summary s = {.struct_size = sizeof s};
    o.backend = backend->name, o.precision = backend->precision, o.threads = backend->threads;
    jt_ok(jt_check(g, q, &o, &report), "check");
    jt_ok(jc_check_get_summary(report, &s), "summary");
    cr_expect(s.verdict == JC_PASSED && s.ratio == 0, "%s: ratio %g", backend->name, s.ratio);
    jc_check_destroy(report);
}

/* y alone is cut by columns, z alone by rows. */
Test(folds, large_values_are_those_of_the_reverse_order_and_satisfy_their_equations)
{
    jt_pool pool = {0};
    int64_t v[5];
    jc_graph *g = large_graph(&pool, v);
    jc_query q = JC_QUERY_INIT;
    q.wrt = &v[0], q.n_wrt = q.n_of = 1;
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int b = 0; b < n; b++)
        for (int i = 3; i < 5 && !jt_is_exact(&backends[b]); i++) {
            q.of = &v[i];
            check_large(&pool, g, &q, &backends[b]);
        }
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}

/* Through a's diagonal w p multiply-adds, as many to y and three times as many to z. */
Test(folds, large_values_cost_what_the_traces_do)
{
    jt_pool pool = {0};
    int64_t v[5];
    jc_graph *g = large_graph(&pool, v);
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan;
    q.of = &v[3], q.n_of = 2, q.wrt = &v[0], q.n_wrt = 1, q.order = JC_ORDER_FORWARD;
    jt_ok(jc_plan_create(g, &q, &plan), "plan");
    cr_expect_eq(plan->multiply_adds, (1 + 1 + 3) * W * P, "%lld", (long long)plan->multiply_adds);
    jc_plan_destroy(plan);
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* Plans, verifies, computes, checks, and evaluates the terms of a split. */
static jc_status use_all(void *ctx)
{
    const jt_graph *g = ctx;
    static const double ones[64] = {1, 1, 1, 1};
    int64_t of = g->n_variables - 1, wrt = 0;
    jc_array left = jc_array_2d(JC_F64, 1, g->size[of], ones);
    jc_query q = JC_QUERY_INIT;
    jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_plan *plan = NULL;
    jc_check_report *report = NULL;
    jc_results *results = NULL, *terms = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = JC_ORDER_FORWARD;
    o.program.backend = "cpu";
    jc_status status = jc_plan_create(g->graph, &q, &plan);
    if (!status) status = jc_plan_verify(plan, &q, NULL);
    if (!status) status = jc_evaluate(g->graph, &q, &o, &results);
    if (!status) status = jc_check(g->graph, &q, &o.program, &report);
    if (!status) status = jc_split_evaluate_terms(g->graph, &q, &of, 1, &of, 1, &left, &o, &terms);
    jc_results_destroy(terms);
    jc_check_destroy(report);
    jc_results_destroy(results);
    jc_plan_destroy(plan);
    return status;
}

Test(folds, every_allocation_may_fail)
{
    failing_allocator state;
    jc_allocator allocator = failing_allocator_init(&state, -1);
    jt_graph g;
    jt_fold_graph(3, 2, JT_SMALL, &allocator, &g);
    cr_expect_gt(failing_allocator_sweep(&state, "folds", use_all, &g), 100);
    jt_graph_fini(&g);
    cr_expect_eq(state.live_blocks, 0);
}
