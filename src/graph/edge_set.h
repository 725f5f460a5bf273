/* A set of the edges of a graph, one bit an edge. The set of all edges needs no memory. */
#ifndef JC_GRAPH_EDGE_SET_H
#define JC_GRAPH_EDGE_SET_H

#include "graph/graph.h"

typedef struct jc_edge_set {
    uint64_t *words; /* [n_words]; NULL: all edges */
    int64_t n_words;
} jc_edge_set;

/* The set of the n edges listed, which must be the graph's; edges NULL: all. O(graph edges / 64 + n). */
jc_status jc_edge_set_init(jc_edge_set *set, const jc_graph *graph, const int64_t *edges, int64_t n);
void jc_edge_set_fini(jc_edge_set *set, const jc_graph *graph);

/* Appends the edges of <- wrt to `edges` (int64_t), in the order of their numbers. */
jc_status jc_edges_between(const jc_graph *graph, int64_t of, int64_t wrt, jc_vec *edges);

/* (*marks)[e]: 1 where another edge joins the same two variables, else 0; [graph edges], owned by the caller.
 * O(variables + edges). */
jc_status jc_edges_mark_parallel(const jc_graph *graph, unsigned char **marks);

static inline bool jc_edge_set_has(const jc_edge_set *set, int64_t edge)
{
    return !set->words || (set->words[edge / 64] >> (edge % 64) & 1);
}

#endif
