/* The Frobenius norm of every kind of Jacobian against the sum over its dense matrix. */
#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

#include "graph/norm.h"
#include "support/random_graph.h"

static double dense_norm(const jt_edge *e, const jt_graph *g)
{
    long double sum = 0;
    for (int64_t i = 0; i < g->size[e->of] * g->size[e->wrt]; i++) sum += (long double)e->dense[i] * e->dense[i];
    return (double)sqrtl(sum);
}

Test(graph_norm, of_every_kind_is_that_of_the_dense_matrix)
{
    int64_t seen[JC_KIND_COUNT] = {0}, transposed = 0, batched = 0;
    for (uint64_t seed = 0; seed < 400; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = seed % 2 ? JT_REAL : JT_SMALL};
        jt_graph_random(&options, &g);
        for (int64_t e = 0; e < g.n_edges; e++) {
            const jc_shape *shape = &jc_graph_group(g.graph, e)->shape;
            double norm = -1, expected = dense_norm(&g.edges[e], &g);
            seen[shape->kind]++, transposed += shape->transpose, batched += shape->batch > 1;
            if (g.edges[e].is_operator) {
                cr_assert(!jc_graph_edge_norm(g.graph, e, &norm) && norm == -1, "an operator has a norm");
                continue;
            }
            cr_assert(jc_graph_edge_norm(g.graph, e, &norm));
            cr_assert(fabs(norm - expected) <= 1e-9 * expected + 1e-7, "seed %d, edge %lld, %s: %.17g, expected %.17g",
                      (int)seed, (long long)e, jc_kind_name(shape->kind), norm, expected);
        }
        jt_graph_fini(&g);
    }
    for (int k = 0; k < JC_KIND_COUNT; k++) cr_expect_gt(seen[k], 20, "%s", jc_kind_name((jc_kind)k));
    cr_expect_gt(transposed, 100);
    cr_expect_gt(batched, 100);
}

static jc_graph *one_edge(const jc_jacobian *jacobian, int64_t of, int64_t wrt)
{
    jc_graph *graph;
    cr_assert_eq(jc_graph_create(NULL, &graph), JC_OK);
    cr_assert_eq(jc_graph_add_variable(graph, "x", wrt, NULL), JC_OK);
    cr_assert_eq(jc_graph_add_variable(graph, "y", of, NULL), JC_OK);
    cr_assert_eq(jc_graph_add_edge(graph, 1, 0, jacobian, NULL, 0), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_graph_finish(graph), JC_OK);
    return graph;
}

static double norm_of_dense(const double *values)
{
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.values = jc_array_2d(JC_F64, 2, 2, values);
    jc_graph *graph = one_edge(&j, 2, 2);
    double norm = -1;
    cr_assert(jc_graph_edge_norm(graph, 0, &norm));
    jc_graph_destroy(graph);
    return norm;
}

Test(graph_norm, squares_neither_overflow_nor_vanish)
{
    cr_expect_float_eq(norm_of_dense((double[]){3e200, 0, 0, -4e200}), 5e200, 1e186);
    cr_expect_float_eq(norm_of_dense((double[]){3e-200, 4e-200, 0, 0}), 5e-200, 1e-214);
    cr_expect_eq(norm_of_dense((double[]){0, -0.0, 0, 0}), 0);
    cr_expect(isnan(norm_of_dense((double[]){1, NAN, 0, 0})));
    cr_expect(isinf(norm_of_dense((double[]){1, 0, -INFINITY, 0})));
    double u[4] = {3e200, 0, 0, 0}, v[4] = {1, 0, 0, 0}, norm = -1;
    jc_jacobian j = JC_JACOBIAN_INIT(JC_LOW_RANK);
    j.u = jc_array_2d(JC_F64, 2, 2, u);
    j.v = jc_array_2d(JC_F64, 2, 2, v);
    jc_graph *graph = one_edge(&j, 2, 2);
    cr_expect(jc_graph_edge_norm(graph, 0, &norm));
    cr_expect_float_eq(norm, 3e200, 1e186);
    jc_graph_destroy(graph);
}

Test(graph_norm, without_numbers_there_is_none)
{
    static const jc_kind kinds[] = {JC_DENSE, JC_DIAGONAL, JC_CSR, JC_LOW_RANK, JC_SELECT};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        jc_jacobian j = JC_JACOBIAN_INIT(kinds[k]);
        jc_graph *graph = one_edge(&j, 3, 3);
        double norm = 7;
        cr_expect(!jc_graph_edge_norm(graph, 0, &norm) && norm == 7, "%s", jc_kind_name(kinds[k]));
        jc_graph_destroy(graph);
    }
}
