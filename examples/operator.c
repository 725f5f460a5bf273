/* A Jacobian that is never written down: an operator edge with two callbacks.
 *
 *   d = D x with d_i = x_{i+1} - x_i,   L = |d|^2 / 2        dL/dx = d^T D
 *
 * For x_i = i^2 it is d_i = 2i + 1, so dL/dx = [-1, -2, -2, ..., -2, 2n - 3]. */
#include <jacchain.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 100000 };

/* y (+)= D x */
static void differences(const double *x, double *y, int accumulate)
{
    for (int64_t i = 0; i < N - 1; i++) y[i] = (accumulate ? y[i] : 0) + (x[i + 1] - x[i]);
}

/* y (+)= D^T x */
static void differences_transposed(const double *x, double *y, int accumulate)
{
    for (int64_t i = 0; i < N; i++) {
        double left = i > 0 ? x[i - 1] : 0, right = i < N - 1 ? x[i] : 0;
        y[i] = (accumulate ? y[i] : 0) + (left - right);
    }
}

/* The callback of jc_operator: k vectors, vector j at x + j*ldx and y + j*ldy. Works in double only. */
static int apply(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx, void *y,
                 int64_t ldy, int accumulate)
{
    (void)user;
    if (dtype != JC_F64) return 1;
    for (int64_t j = 0; j < k; j++) {
        const double *from = (const double *)x + j * ldx;
        double *to = (double *)y + j * ldy;
        if (direction == JC_TANGENT)
            differences(from, to, accumulate);
        else
            differences_transposed(from, to, accumulate);
    }
    return 0;
}

static int64_t count_wrong(const double *gradient)
{
    int64_t wrong = (gradient[0] != -1) + (gradient[N - 1] != 2.0 * N - 3);
    for (int64_t i = 1; i < N - 1; i++) wrong += gradient[i] != -2;
    return wrong;
}

int main(void)
{
    jc_graph *graph = NULL;
    jc_results *results = NULL;
    int64_t x, d, L, wrong = 1;
    double *d_values = malloc((N - 1) * sizeof *d_values);
    if (!d_values) return 1;
    for (int64_t i = 0; i < N - 1; i++) d_values[i] = 2.0 * (double)i + 1;

    if (jc_graph_create(NULL, &graph)) goto failed;
    if (jc_graph_add_variable(graph, "x", N, &x) || jc_graph_add_variable(graph, "d", N - 1, &d) ||
        jc_graph_add_variable(graph, "L", 1, &L))
        goto failed;

    jc_jacobian D = JC_JACOBIAN_INIT(JC_OPERATOR);
    D.op.apply = apply;
    D.op.tangent_cost = D.op.adjoint_cost = 2 * N;
    if (jc_graph_add_edge(graph, d, x, &D, NULL, 0)) goto failed;

    jc_jacobian loss = JC_JACOBIAN_INIT(JC_DENSE);
    loss.values = jc_array_2d(JC_F64, 1, N - 1, d_values);
    if (jc_graph_add_edge(graph, L, d, &loss, NULL, 0)) goto failed;
    if (jc_graph_finish(graph)) goto failed;

    jc_query query = JC_QUERY_INIT;
    query.of = &L, query.n_of = 1;
    query.wrt = &x, query.n_wrt = 1;
    jc_result total;
    if (jc_evaluate(graph, &query, NULL, &results) || jc_results_get(results, 0, &total)) goto failed;
    const double *gradient = total.data;
    printf("dL/dx = [%g %g ... %g %g]\n", gradient[0], gradient[1], gradient[N - 2], gradient[N - 1]);
    wrong = count_wrong(gradient);
    goto done;
failed:
    fprintf(stderr, "%s\n", jc_last_error());
done:
    jc_results_destroy(results);
    jc_graph_destroy(graph);
    free(d_values);
    return wrong != 0;
}
