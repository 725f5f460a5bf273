/* The part of a graph that a query needs: the nodes and edges on paths from a source to a target. A node stands for a
 * variable (under a path rule: for a variable and a state), so one variable may have several nodes. A query with a seed
 * has one node more at that end, joined by an extra Jacobian: S . dT/dS is the total of a variable whose partial with
 * respect to T is S. The sum over samples of a per-sample total is joined in the same way. */
#ifndef JC_PLAN_SUBGRAPH_H
#define JC_PLAN_SUBGRAPH_H

#include "graph/graph.h"

enum { JC_MAX_EXTRA = 1 };

typedef struct jc_subgraph {
    int64_t n_nodes;
    int64_t *variable; /* [n_nodes]; -1 for the node of an extra Jacobian; nodes are in topological order, sources first */
    int64_t *size;     /* [n_nodes] scalars */
    int64_t n_edges;
    int64_t *of, *wrt, *jacobian; /* [n_edges] nodes, and the Jacobian as jc_step.b; sorted by `of`, then by edge number */
    int64_t n_targets, n_sources;
    int64_t *target, *source; /* nodes, in the query's order; -1: the variable has no node, nothing leads to or from it */

    jc_group extra[JC_MAX_EXTRA]; /* Jacobians made from the query */
    int64_t n_extra;
} jc_subgraph;

void jc_subgraph_fini(const jc_allocator *allocator, jc_subgraph *subgraph);

#endif
