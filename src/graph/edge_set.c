#include "graph/edge_set.h"

#include <string.h>

jc_status jc_edge_set_init(jc_edge_set *set, const jc_graph *graph, const int64_t *edges, int64_t n)
{
    jc_edge_set made = {NULL, graph->n_edges / 64 + 1};
    if (edges) {
        jc_status status =
            jc_alloc_zero(&graph->allocator, made.n_words, sizeof *made.words, "a set of edges", &made.words);
        if (status) return status;
        for (int64_t i = 0; i < n; i++) made.words[edges[i] / 64] |= UINT64_C(1) << (edges[i] % 64);
    }
    *set = made;
    return JC_OK;
}

void jc_edge_set_fini(jc_edge_set *set, const jc_graph *graph)
{
    jc_free(&graph->allocator, set->words, set->n_words, sizeof *set->words);
    set->words = NULL;
}

/* The edges of the one end that has fewer are looked at. */
jc_status jc_edges_between(const jc_graph *g, int64_t of, int64_t wrt, jc_vec *edges)
{
    bool in = g->in_start[of + 1] - g->in_start[of] <= g->out_start[wrt + 1] - g->out_start[wrt];
    const int64_t *list = in ? g->in_edges : g->out_edges;
    int64_t first = in ? g->in_start[of] : g->out_start[wrt], end = in ? g->in_start[of + 1] : g->out_start[wrt + 1];
    jc_status status = JC_OK;
    for (int64_t k = first; k < end && !status; k++)
        if (jc_graph_of(g, list[k]) == of && jc_graph_wrt(g, list[k]) == wrt)
            status = jc_vec_append(&g->allocator, edges, &list[k], 1, "the edges between two variables");
    return status;
}

/* last[v]: the edge into v that was met last. */
jc_status jc_edges_mark_parallel(const jc_graph *g, unsigned char **marks)
{
    static const char *const what = "marks of parallel edges";
    int64_t *last;
    unsigned char *made = NULL;
    jc_status status = jc_alloc(&g->allocator, g->n_variables, sizeof *last, what, &last);
    if (status) return status;
    status = jc_alloc_zero(&g->allocator, g->n_edges, 1, what, &made);
    memset(last, -1, (size_t)g->n_variables * sizeof *last);
    for (int64_t v = 0; v < g->n_variables && !status; v++)
        for (int64_t k = g->out_start[v]; k < g->out_start[v + 1]; k++) {
            int64_t e = g->out_edges[k], of = jc_graph_of(g, e), before = last[of];
            if (before >= 0 && jc_graph_wrt(g, before) == v) made[e] = made[before] = 1;
            last[of] = e;
        }
    jc_free(&g->allocator, last, g->n_variables, sizeof *last);
    if (!status) *marks = made;
    return status;
}
