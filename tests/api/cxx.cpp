// The public header from C++: the example at its top, with an operator. Ends with 0 when the totals are right.
#include <jacchain.h>

#include <cstdio>
#include <vector>

namespace
{

int failed(const char *what)
{
    std::fprintf(stderr, "%s: %s\n", what, jc_last_error());
    return 1;
}

// y_j (+)= 2 x_j
int twice(void *user, jc_direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx, void *y, int64_t ldy,
          int accumulate)
{
    if (dtype != JC_F64) return 1;
    const int64_t n = *static_cast<const int64_t *>(user);
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = 0; i < n; i++) {
            double &out = static_cast<double *>(y)[j * ldy + i];
            out = (accumulate ? out : 0.0) + 2.0 * static_cast<const double *>(x)[j * ldx + i];
        }
    return 0;
}

} // namespace

int main()
{
    const std::vector<double> A{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, g{1, -1, 2};
    int64_t n = 4, v, w, y, L;
    jc_graph *graph = nullptr;
    if (jc_graph_create(nullptr, &graph)) return failed("create");
    if (jc_graph_add_variable(graph, "v", n, &v) || jc_graph_add_variable(graph, "w", n, &w) ||
        jc_graph_add_variable(graph, "y", 3, &y) || jc_graph_add_variable(graph, "L", 1, &L))
        return failed("variables");

    jc_jacobian a = JC_JACOBIAN_INIT(JC_DENSE), b = JC_JACOBIAN_INIT(JC_DENSE), op = JC_JACOBIAN_INIT(JC_OPERATOR);
    a.values = jc_array_2d(JC_F64, 3, 4, A.data());
    b.values = jc_array_2d(JC_F64, 1, 3, g.data());
    op.op.apply = twice;
    op.op.user = &n;
    const char *const labels[] = {"param"};
    if (jc_graph_add_edge(graph, w, v, &op, labels, 1) || jc_graph_add_edge(graph, y, w, &a, nullptr, 0) ||
        jc_graph_add_edge(graph, L, y, &b, nullptr, 0) || jc_graph_finish(graph))
        return failed("edges");

    jc_query query = JC_QUERY_INIT;
    query.of = &L;
    query.n_of = 1;
    query.wrt = &v;
    query.n_wrt = 1;
    jc_results *results = nullptr;
    jc_result total;
    if (jc_evaluate(graph, &query, nullptr, &results) || jc_results_get(results, 0, &total)) return failed("evaluate");

    int wrong = total.rows != 1 || total.cols != 4;
    for (int64_t j = 0; j < 4; j++) { // 2 g A
        const double expected = 2 * (A[j] - A[4 + j] + 2 * A[8 + j]);
        wrong += static_cast<const double *>(total.data)[j] != expected;
    }
    if (wrong) std::fprintf(stderr, "dL/dv is wrong\n");
    jc_results_destroy(results);
    jc_graph_destroy(graph);
    return wrong != 0;
}
