/* The paths that a query sums over, as a graph of their own: its paths from a source node to a target node are exactly
 * those that the query keeps, each once. Without rules a node is a variable that lies on a path; with rules it is a
 * variable and a state of their automaton. All that is done with paths - totals, counts, lists, formulas - is done on
 * it.
 *
 * With rules (`split`) a source has a node of its own for where paths start, into which no edge leads, and a target one
 * for where paths end, out of which none leads: paths that pass through a source or target do so at other nodes.
 * Without rules one node is all of that. The path without edges is no edge: where of = wrt it counts if `empty_path`
 * says so. */
#ifndef JC_RULES_WALK_H
#define JC_RULES_WALK_H

#include "graph/graph.h"

enum { JC_WALK_END = -1 };

typedef struct jc_walk {
    const jc_graph *graph; /* borrowed */
    bool split;
    bool empty_path;
    int64_t n_states; /* of the automaton, that were reached; 1 without rules */

    int64_t n_nodes;
    int64_t *variable; /* [n_nodes]; nodes are in topological order, sources first */
    int64_t *state;    /* [n_nodes] of the automaton, JC_WALK_END: where paths end; NULL without rules */

    int64_t n_edges;
    int64_t *of, *wrt, *edge; /* [n_edges] nodes, and the graph's edge; sorted by `of`, then by edge number */

    int64_t n_sources, n_targets;
    int64_t max_sources;                        /* that their lists were allocated for */
    int64_t *source_variable, *target_variable; /* as asked for; sources not named are all that reach a target */
    int64_t *source, *target; /* their nodes; -1: no kept path leads from (to) it. Without rules both are the variable's
                                 node. Where of = wrt and the empty path counts both are there */
} jc_walk;

/* For a query that was checked (jc_query_check). Cost: O(variables + edges) of the graph times the states reached.
 * JC_E_USAGE: see jc_automaton.h. */
jc_status jc_walk_create(const jc_graph *graph, const jc_query *query, jc_walk *walk);
void jc_walk_fini(const jc_allocator *allocator, jc_walk *walk);

/* The edges out of each node, in the order of their numbers: start [n_nodes + 1], out [n_edges] of the walk's edges.
 * Both owned by the caller. */
jc_status jc_walk_out_edges(const jc_allocator *allocator, const jc_walk *walk, int64_t **start, int64_t **out);

#endif
