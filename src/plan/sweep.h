/* One direction through a subgraph: which seeds each node has rows of, its level, and what all products cost.
 * Reverse starts at the targets and multiplies by D; forward starts at the sources and multiplies by D^T. */
#ifndef JC_PLAN_SWEEP_H
#define JC_PLAN_SWEEP_H

#include "plan/fold.h"
#include "plan/rowset.h"
#include "plan/subgraph.h"

typedef struct jc_sweep {
    const jc_graph *graph;
    const jc_subgraph *subgraph;
    const jc_allocator *allocator;
    bool reverse;
    int64_t n_nodes, n_edges; /* of the subgraph as it was swept: sizes of arrays */
    const jc_folds *folds;    /* forward; NULL: nothing is folded */
    int64_t n_ends;           /* targets (reverse) or sources (forward): the first seeds */
    int64_t n_seeds;          /* and the folds of the sources after them */
    int64_t *seed_rows;       /* [n_seeds]: size of the seed's node, 0 where it has none; of a fold w */
    int64_t *fold_end;        /* [n_seeds - n_ends]: the source of each fold */
    int64_t *seed_of;         /* [n_nodes]: which seed the node is, or -1 */
    int64_t *start,
        *edges;       /* [n_nodes + 1], [n_edges]: edges through which a node's rows come, in the subgraph's order */
    int64_t *set;     /* [n_nodes]: rows computed at the node (its own identity, where it is a seed, not counted) */
    int64_t *level;   /* [n_nodes]: 0 where only identities are read */
    int64_t n_levels; /* of the nodes that have rows */
    int64_t cost;     /* multiply-adds; saturates at INT64_MAX */
    int64_t entries;  /* that are computed and held, of all nodes; saturates too */
    bool gave_up;     /* the budget was spent: nothing here can be used */
    jc_rowsets sets;
    jc_vec unfolded; /* int64_t, of each set: the set with the sources in place of their folds; -1: not known yet */
} jc_sweep;

/* folds: of the subgraph, borrowed until fini; NULL: rows are not folded. Which seeds reach which nodes is more than
 * linear where many seeds meet in many different sets. budget > 0: gives up after so many members of sets were looked
 * at. */
jc_status jc_sweep_init(jc_sweep *s, const jc_graph *graph, const jc_subgraph *subgraph, bool reverse,
                        const jc_folds *folds, int64_t budget);
void jc_sweep_fini(jc_sweep *s);

/* The end of an edge that the sweep has been to before the other. */
static inline int64_t jc_sweep_from(const jc_sweep *s, int64_t edge)
{
    return s->reverse ? s->subgraph->of[edge] : s->subgraph->wrt[edge];
}

/* Node number `i` of the sweep's order, i = 0 .. n_nodes - 1. */
static inline int64_t jc_sweep_node(const jc_sweep *s, int64_t i)
{
    return s->reverse ? s->subgraph->n_nodes - 1 - i : i;
}

/* The group and member of a Jacobian as jc_step.b names it. */
const jc_group *jc_subgraph_jacobian(const jc_graph *graph, const jc_subgraph *subgraph, int64_t b, int64_t *member);

#endif
