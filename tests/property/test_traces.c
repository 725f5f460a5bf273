/* Eligibility traces over time, and the terms of splits at local factors, formed in one sweep. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "plan/plan.h"
#include "property/fold_graph.h"
#include "run/split_terms.h"
#include "support/compute.h"
#include "support/oracle.h"
#include "support/sanitized.h"

static double *small_numbers(jt_pool *pool, jt_rng *rng, int64_t n)
{
    double *x = jt_alloc(pool, n, sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (double)jt_between(rng, -2, 2);
    return x;
}

/* ---- eligibility traces over time ---- */

enum { MOST_STEPS = 64 };

/* W, then T steps of v_t = diag v_(t-1) + x_t W^T, z_t = diag v_t, and L = sum of v_T and of z_t over all t. */
typedef struct layer {
    jt_pool pool;
    jc_graph *graph;
    int64_t weight, v[MOST_STEPS], z[MOST_STEPS], L;
} layer;

static void add_diagonal(layer *l, jt_rng *rng, int64_t of, int64_t wrt, int64_t n)
{
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DIAGONAL);
    j.values = jc_array_1d(JC_F64, n, small_numbers(&l->pool, rng, n));
    jt_ok(jc_graph_add_edge(l->graph, of, wrt, &j, NULL, 0), "diagonal");
}

static void layer_init(layer *l, int64_t T, int64_t h, int64_t w)
{
    jt_rng rng = {1};
    *l = (layer){.weight = 0};
    jc_jacobian in = JC_JACOBIAN_INIT(JC_WEIGHT), sum = JC_JACOBIAN_INIT(JC_DENSE);
    sum.values = jc_array_2d(JC_F64, 1, h, small_numbers(&l->pool, &rng, h));
    jt_ok(jc_graph_create(NULL, &l->graph), "graph");
    jt_ok(jc_graph_add_variable(l->graph, "W", h * w, &l->weight), "W");
    jt_ok(jc_graph_add_variable(l->graph, "L", 1, &l->L), "L");
    for (int64_t t = 0; t < T; t++) {
        char name[2][32];
        snprintf(name[0], sizeof name[0], "v%lld", (long long)t);
        snprintf(name[1], sizeof name[1], "z%lld", (long long)t);
        jt_ok(jc_graph_add_variable(l->graph, name[0], h, &l->v[t]), name[0]);
        jt_ok(jc_graph_add_variable(l->graph, name[1], h, &l->z[t]), name[1]);
        in.x = jc_array_2d(JC_F64, 1, w, small_numbers(&l->pool, &rng, w));
        jt_ok(jc_graph_add_edge(l->graph, l->v[t], l->weight, &in, NULL, 0), "weight");
        if (t) add_diagonal(l, &rng, l->v[t], l->v[t - 1], h);
        add_diagonal(l, &rng, l->z[t], l->v[t], h);
        jt_ok(jc_graph_add_edge(l->graph, l->L, l->z[t], &sum, NULL, 0), "L <- z");
    }
    jt_ok(jc_graph_add_edge(l->graph, l->L, l->v[T - 1], &sum, NULL, 0), "L <- v");
    jt_ok(jc_graph_finish(l->graph), "finish");
}

static void layer_fini(layer *l)
{
    jc_graph_destroy(l->graph);
    jt_pool_free(&l->pool);
}

/* Of d v_T / d W times a row: by the sum that ends at v_T alone. */
static int64_t chain_cost(int64_t T, int64_t h, int64_t w)
{
    layer l;
    jc_plan *plan;
    layer_init(&l, T, h, w);
    jc_rule rule = {.kind = JC_RULE_AVOID, .variables = l.z, .n_variables = T};
    jc_query q = JC_QUERY_INIT;
    q.of = &l.L, q.n_of = 1, q.wrt = &l.weight, q.n_wrt = 1, q.order = JC_ORDER_FORWARD;
    q.rules = &rule, q.n_rules = 1;
    jt_ok(jc_plan_create(l.graph, &q, &plan), "plan");
    int64_t cost = plan->multiply_adds;
    jc_plan_destroy(plan);
    layer_fini(&l);
    return cost;
}

/* T - 1 diagonals on h w numbers, then one row of h entries for each of w: T h w, where whole rows would take T h h w.
 */
Test(traces, traces_of_a_layer_over_time_cost_one_product_for_each_weight_and_step)
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

Test(traces, terms_of_a_split_are_the_left_factors_times_the_local_sums_over_paths)
{
    for (int64_t seed = 0; seed < jt_cases(200); seed++)
        check_terms((uint64_t)seed, seed % 2 ? JC_ORDER_FORWARD : JC_ORDER_REVERSE);
}

/* Exact e-prop's factors: of T spikes z_t the terms A_t [dz_t/dW]local of one row each cost the trace's step in time,
 * its way to z_t and the product with the row, h w each. */
Test(traces, terms_of_a_split_over_time_cost_three_products_for_each_weight_and_step)
{
    const int64_t h = 6, w = 5;
    for (int64_t T = 2; T <= MOST_STEPS; T *= 2) {
        layer l;
        jt_rng rng = {2};
        jc_array left[MOST_STEPS];
        jc_results *terms;
        jc_results_info info = {.struct_size = sizeof info};
        jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
        jc_query q = JC_QUERY_INIT;
        layer_init(&l, T, h, w);
        for (int64_t t = 0; t < T; t++) left[t] = jc_array_2d(JC_F64, 1, h, small_numbers(&l.pool, &rng, h));
        q.wrt = &l.weight, q.n_wrt = 1, q.order = T < MOST_STEPS ? JC_ORDER_FORWARD : JC_ORDER_AUTO;
        jt_ok(jc_split_evaluate_terms(l.graph, &q, l.z, T, l.z, T, left, &o, &terms), "terms");
        jt_ok(jc_results_get_info(terms, &info), "info");
        cr_expect_eq(info.order, JC_ORDER_FORWARD, "%d steps", (int)T);
        cr_expect_eq(info.multiply_adds, (3 * T - 1) * h * w, "%d steps: %lld", (int)T, (long long)info.multiply_adds);
        jc_results_destroy(terms);
        layer_fini(&l);
    }
}
