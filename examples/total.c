/* A graph built through the C interface, and two of its totals:
 *
 *   y = A w,  z = B y + C w,  L = g z        dL/dw = g (B A + C) = [27 35],   dL/dy = g B = [4 5]
 */
#include <jacchain.h>
#include <stdio.h>

static const double A[2 * 2] = {1, 2, 3, 4};
static const double B[3 * 2] = {1, 0, 0, 1, 1, 1};
static const double C[3 * 2] = {0, 1, 1, 0, 2, 2};
static const double g[1 * 3] = {1, 2, 3};
static const double expected[2][2] = {{27, 35}, {4, 5}}; /* dL/dw, dL/dy */

/* Adds the edge of <- wrt with a dense Jacobian of rows x cols numbers, which are borrowed. */
static jc_status add_dense(jc_graph *graph, int64_t of, int64_t wrt, int64_t rows, int64_t cols, const double *values)
{
    jc_jacobian jacobian = JC_JACOBIAN_INIT(JC_DENSE);
    jacobian.values = jc_array_2d(JC_F64, rows, cols, values);
    return jc_graph_add_edge(graph, of, wrt, &jacobian, NULL, 0);
}

/* Prints every total and counts its wrong entries. */
static int print_totals(const jc_graph *graph, const jc_results *results)
{
    int wrong = 0;
    for (int64_t i = 0; i < jc_results_count(results); i++) {
        jc_result total;
        if (jc_results_get(results, i, &total)) return 1;
        char of[16], wrt[16];
        jc_graph_variable_name(graph, total.of, of, sizeof of);
        jc_graph_variable_name(graph, total.wrt, wrt, sizeof wrt);
        const double *values = total.data; /* row-major, rows x cols */
        printf("d%s/d%s = [%g %g]\n", of, wrt, values[0], values[1]);
        wrong += (values[0] != expected[i][0]) + (values[1] != expected[i][1]);
    }
    return wrong;
}

int main(void)
{
    int64_t w, y, z, L;
    jc_graph *graph = NULL;
    jc_results *results = NULL;
    int wrong = 1;

    if (jc_graph_create(NULL, &graph)) goto failed;
    if (jc_graph_add_variable(graph, "w", 2, &w) || jc_graph_add_variable(graph, "y", 2, &y) ||
        jc_graph_add_variable(graph, "z", 3, &z) || jc_graph_add_variable(graph, "L", 1, &L))
        goto failed;
    if (add_dense(graph, y, w, 2, 2, A) || add_dense(graph, z, y, 3, 2, B) || add_dense(graph, z, w, 3, 2, C) ||
        add_dense(graph, L, z, 1, 3, g))
        goto failed;
    if (jc_graph_finish(graph)) goto failed;

    int64_t wrt[2] = {w, y};
    jc_query query = JC_QUERY_INIT;
    query.of = &L, query.n_of = 1;
    query.wrt = wrt, query.n_wrt = 2;
    if (jc_evaluate(graph, &query, NULL, &results)) goto failed;
    wrong = print_totals(graph, results);
    goto done;
failed:
    fprintf(stderr, "%s\n", jc_last_error());
done:
    jc_results_destroy(results);
    jc_graph_destroy(graph);
    return wrong != 0;
}
