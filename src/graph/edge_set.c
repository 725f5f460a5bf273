#include "graph/edge_set.h"

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
