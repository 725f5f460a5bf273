/* The local Jacobian between two variables: the total over the paths of the edges that join them. */
#include "graph/edge_set.h"

static const int64_t no_edges[1];

jc_status jc_evaluate_partial(const jc_graph *g, int64_t of, int64_t wrt, jc_order order,
                              const jc_evaluate_options *options, jc_results **results)
{
    jc_query query = JC_QUERY_INIT;
    jc_vec edges = jc_vec_of(sizeof(int64_t));
    bool there = g->finished && of >= 0 && of < g->n_variables && wrt >= 0 && wrt < g->n_variables;
    jc_status status = there ? jc_edges_between(g, of, wrt, &edges) : JC_OK;
    query.of = &of, query.n_of = 1, query.wrt = &wrt, query.n_wrt = 1;
    query.order = order;
    query.edges = edges.count ? edges.data : no_edges, query.n_edges = edges.count;
    query.no_empty_path = 1;
    if (!status) status = jc_evaluate(g, &query, options, results); /* says what is not there */
    jc_vec_free(&g->allocator, &edges);
    return status;
}
