/* Judging totals that were computed elsewhere, as docs/numerics.md says. */
#include "core/dtype.h"
#include "core/error.h"
#include "run/check.h"

static jc_status check_matrix(const jc_given *g, int64_t i)
{
    const jc_array *a = &g->values[i];
    char text[200];
    int64_t n = jc_graph_variable_count(g->graph);
    if (g->of[i] < 0 || g->of[i] >= n || g->wrt[i] < 0 || g->wrt[i] >= n)
        return jc_fail(JC_E_USAGE, "total %lld is of a variable that is not there", (long long)i);
    jc_graph_edge_text(g->graph, g->of[i], g->wrt[i], text, sizeof text);
    int64_t rows = jc_graph_size(g->graph, g->of[i]), cols = jc_graph_size(g->graph, g->wrt[i]);
    if ((unsigned)a->dtype > JC_I32 || !jc_dtype_is_float(a->dtype))
        return jc_fail(JC_E_INPUT, "the total %s is not of a floating type", text);
    if (!a->data || a->rank != 2 || a->dims[0] != rows || a->dims[1] != cols)
        return jc_fail(JC_E_INPUT, "the total %s has the wrong shape, expected %lld x %lld", text, (long long)rows,
                       (long long)cols);
    return JC_OK;
}

jc_status jc_check_against(const jc_graph *graph, int64_t n, const int64_t *of, const int64_t *wrt,
                           const jc_array *values, jc_precision precision, jc_check_report **report)
{
    return jc_check_against_rules(graph, NULL, 0, n, of, wrt, values, precision, report);
}

jc_status jc_check_against_rules(const jc_graph *graph, const jc_rule *rules, int64_t n_rules, int64_t n,
                                 const int64_t *of, const int64_t *wrt, const jc_array *values, jc_precision precision,
                                 jc_check_report **report)
{
    jc_given g = {.graph = graph,
                  .n = n,
                  .of = of,
                  .wrt = wrt,
                  .values = values,
                  .query = JC_QUERY_INIT,
                  .precision = precision};
    jc_check_report *r = NULL;
    jc_status status = n > 0 ? JC_OK : jc_fail(JC_E_USAGE, "there are no totals to judge");
    for (int64_t i = 0; i < n && !status; i++) status = check_matrix(&g, i);
    g.query.rules = rules, g.query.n_rules = n_rules;
    if (!status) status = jc_check_report_create(graph, n, &r);
    if (!status) status = jc_judge_given(&g, r);
    if (status) {
        jc_check_destroy(r);
        return status;
    }
    r->summary.backend = "file";
    *report = r;
    return JC_OK;
}
