#include "run/distance.h"

#include "core/error.h"
#include "plan/query.h"

/* Edges are taken from the target's side, so that what an edge leads to has its distance already. */
static void measure(const jc_graph *g, int64_t *from)
{
    for (int64_t i = g->n_variables - 1; i >= 0; i--) {
        int64_t v = g->topological[i];
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1] && from[v] >= 0; k++) {
            int64_t u = jc_graph_wrt(g, g->in_edges[k]);
            if (from[u] < 0 || from[u] > from[v] + 1) from[u] = from[v] + 1;
        }
    }
}

jc_status jc_distances(const jc_graph *g, const jc_query *query, int64_t *distance)
{
    int64_t *from = NULL;
    jc_query q;
    jc_status status = jc_query_check(g, query, &q);
    if (!status) status = jc_alloc(&g->allocator, g->n_variables, sizeof *from, "distances", &from);
    if (status) return status;
    for (int64_t v = 0; v < g->n_variables; v++) from[v] = v == q.of[0] ? 0 : -1;
    measure(g, from);
    for (int64_t i = 0; i < q.n_wrt; i++) distance[i] = from[q.wrt[i]];
    jc_free(&g->allocator, from, g->n_variables, sizeof *from);
    return JC_OK;
}
