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

/* ---- eligibility traces over time ---- */

/* T steps of v_t = diag v_(t-1) + x_t W^T with one z = sum of the last one; multiply-adds of d v_T / d W folded. */
static int64_t chain_cost(int64_t T, int64_t h, int64_t w)
{
    jt_pool pool = {0};
    jt_rng rng = {1};
    jc_graph *g;
    jc_plan *plan;
    int64_t v = 0, weight, z;
    jt_ok(jc_graph_create(NULL, &g), "graph");
    jt_ok(jc_graph_add_variable(g, "W", h * w, &weight), "W");
    for (int64_t t = 0; t < T; t++) {
        char name[32];
        int64_t before = v;
        snprintf(name, sizeof name, "v%lld", (long long)t);
        jt_ok(jc_graph_add_variable(g, name, h, &v), name);
        jc_jacobian in = JC_JACOBIAN_INIT(JC_WEIGHT), leak = JC_JACOBIAN_INIT(JC_DIAGONAL);
        in.x = jc_array_2d(JC_F64, 1, w, small_numbers(&pool, &rng, w));
        leak.values = jc_array_1d(JC_F64, h, small_numbers(&pool, &rng, h));
        jt_ok(jc_graph_add_edge(g, v, weight, &in, NULL, 0), "weight");
        if (t) jt_ok(jc_graph_add_edge(g, v, before, &leak, NULL, 0), "leak");
    }
    jc_jacobian sum = JC_JACOBIAN_INIT(JC_DENSE);
    sum.values = jc_array_2d(JC_F64, 1, h, small_numbers(&pool, &rng, h));
    jt_ok(jc_graph_add_variable(g, "z", 1, &z), "z");
    jt_ok(jc_graph_add_edge(g, z, v, &sum, NULL, 0), "z");
    jt_ok(jc_graph_finish(g), "finish");
    jc_query q = JC_QUERY_INIT;
    q.of = &z, q.n_of = 1, q.wrt = &weight, q.n_wrt = 1, q.order = JC_ORDER_FORWARD;
    jt_ok(jc_plan_create(g, &q, &plan), "plan");
    int64_t cost = plan->multiply_adds;
    jc_plan_destroy(plan);
    jc_graph_destroy(g);
    jt_pool_free(&pool);
    return cost;
}

/* T - 1 diagonals on h w numbers, then one row of h entries for each of w: T h w, where whole rows would take T h h w.
 */
Test(folds, traces_of_a_layer_over_time_cost_one_product_for_each_weight_and_step)
{
    for (int64_t T = 2; T <= 40; T += 19)
        for (int64_t h = 2; h <= 32; h *= 4) cr_expect_eq(chain_cost(T, h, 7), T * h * 7);
}

/* ---- the terms of a split ---- */

/* What the sum over paths says: A_z times the total over the paths with no variable of Z inside. Edges out of Z are
 * left out of a copy of the graph's list. */
static long double *expected_term(jt_pool *pool, const jt_graph *g, const bool *in_z, int64_t z, int64_t s,
                                  const double *left, int64_t k)
{
    jt_graph local = *g;
    local.n_edges = 0;
    local.edges = jt_alloc(pool, g->n_edges, sizeof *local.edges);
    for (int64_t e = 0; e < g->n_edges; e++)
        if (!in_z[g->edges[e].wrt] || g->edges[e].wrt == s) local.edges[local.n_edges++] = g->edges[e];
    long double *T = jt_total_by_recurrence(pool, &local, z, s, false);
    long double *term = jt_alloc(pool, k * g->size[s], sizeof *term);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < g->size[s]; j++)
            for (int64_t l = 0; l < g->size[z]; l++)
                term[i * g->size[s] + j] += left[i * g->size[z] + l] * T[l * g->size[s] + j];
    return term;
}

static void check_terms(uint64_t seed, jc_order order)
{
    jt_graph g;
    jt_fold_graph(seed, (int)(seed % 4), JT_SMALL, NULL, &g);
    jt_rng rng = {seed};
    int64_t z[16], n = 0, k = jt_between(&rng, 1, 3), s = jt_below(&rng, FOLD_SOURCES);
    bool *in_z = jt_alloc(&g.pool, g.n_variables, sizeof *in_z);
    jc_array left[16];
    for (int64_t v = FOLD_SOURCES; v < g.n_variables; v++) {
        if (jt_below(&rng, 2)) continue;
        left[n] = jc_array_2d(JC_F64, k, g.size[v], small_numbers(&g.pool, &rng, k * g.size[v]));
        in_z[v] = true, z[n++] = v;
    }
    jc_query q = JC_QUERY_INIT;
    jc_results *results;
    jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
    o.program.backend = "reference";
    q.wrt = &s, q.n_wrt = 1, q.order = order;
    if (n) jt_ok(jc_split_evaluate_terms(g.graph, &q, z, n, z, n, left, &o, &results), "terms");
    for (int64_t i = 0; i < n; i++) {
        jc_result r;
        jt_ok(jc_results_get(results, i, &r), "term");
        long double *expected = expected_term(&g.pool, &g, in_z, z[i], s, left[i].data, k);
        for (int64_t e = 0; e < k * g.size[s]; e++) {
            double x = r.kind == JC_RESULT_ZERO ? 0 : ((const double *)r.data)[e];
            cr_assert((long double)x == expected[e], "seed %llu, z %lld, entry %lld: %g, expected %Lg",
                      (unsigned long long)seed, (long long)z[i], (long long)e, x, expected[e]);
        }
    }
    if (n) jc_results_destroy(results);
    jt_graph_fini(&g);
}

Test(folds, terms_of_a_split_are_the_left_factors_times_the_local_sums_over_paths)
{
    for (int64_t seed = 0; seed < jt_cases(200); seed++)
        check_terms((uint64_t)seed, seed % 2 ? JC_ORDER_FORWARD : JC_ORDER_REVERSE);
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
