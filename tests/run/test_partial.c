/* The local Jacobian of every pair of variables of random graphs: the sum of the dense Jacobians of the edges between
 * them. */
#include <criterion/criterion.h>

#include "support/compute.h"
#include "support/random_graph.h"

static void check_pair(const jt_graph *g, int64_t of, int64_t wrt, jc_order order, int64_t *n_parallel)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_results *results;
    jc_result r;
    jt_pool pool = {0};
    int64_t n = g->size[of] * g->size[wrt], edges = 0;
    double *sum = jt_alloc(&pool, n, sizeof *sum);
    for (int64_t i = 0; i < n; i++) sum[i] = 0;
    for (int64_t e = 0; e < g->n_edges; e++) {
        if (g->edges[e].of != of || g->edges[e].wrt != wrt) continue;
        for (int64_t i = 0; i < n; i++) sum[i] += g->edges[e].dense[i];
        edges++;
    }
    options.program.precision = JC_PRECISION_F64;
    jt_ok(jc_evaluate_partial(g->graph, of, wrt, order, &options, &results), "a partial");
    cr_assert_eq(jc_results_count(results), 1);
    jt_ok(jc_results_get(results, 0, &r), "its result");
    cr_assert(r.of == of && r.wrt == wrt && r.rows == g->size[of] && r.cols == g->size[wrt]);
    cr_assert_eq(r.kind, edges ? JC_RESULT_MATRIX : JC_RESULT_ZERO);
    for (int64_t i = 0; i < n && edges; i++) cr_assert_eq(((const double *)r.data)[i], sum[i]);
    *n_parallel += edges > 1;
    jc_results_destroy(results);
    jt_pool_free(&pool);
}

Test(partial, is_the_sum_of_the_edges_between_two_variables_and_nothing_else)
{
    int64_t n_parallel = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 600, .numbers = JT_SMALL, .largest = 0x1p23};
        jt_graph g;
        jt_graph_random(&options, &g);
        for (int64_t of = 0; of < g.n_variables; of++)
            for (int64_t wrt = 0; wrt < g.n_variables; wrt++)
                check_pair(&g, of, wrt, (jc_order)(seed % 3), &n_parallel);
        jt_graph_fini(&g);
    }
    cr_expect_gt(n_parallel, 20);
}

Test(partial, variables_that_are_not_there_are_refused)
{
    jt_graph_options options = {.seed = 1};
    jt_graph g;
    jc_results *results = NULL;
    jt_graph_random(&options, &g);
    cr_expect_eq(jc_evaluate_partial(g.graph, 0, g.n_variables, JC_ORDER_AUTO, NULL, &results), JC_E_USAGE);
    cr_expect_eq(jc_evaluate_partial(g.graph, -1, 0, JC_ORDER_AUTO, NULL, &results), JC_E_USAGE);
    jc_graph *unfinished;
    int64_t v;
    jt_ok(jc_graph_create(NULL, &unfinished), "a graph");
    jt_ok(jc_graph_add_variable(unfinished, "v", 1, &v), "a variable");
    cr_expect_eq(jc_evaluate_partial(unfinished, v, v, JC_ORDER_AUTO, NULL, &results), JC_E_USAGE);
    cr_expect_null(results);
    jc_graph_destroy(unfinished);
    jt_graph_fini(&g);
}
