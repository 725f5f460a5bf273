/* What the two ways to make a walk share: walk.c without rules, walk_product.c with them. */
#ifndef JC_RULES_WALK_BUILD_H
#define JC_RULES_WALK_BUILD_H

#include "graph/edge_set.h"
#include "rules/automaton.h"
#include "rules/walk.h"

enum { JC_WALK_FROM_SOURCE = 1, JC_WALK_TO_TARGET = 2, JC_WALK_USED = 3 };

typedef struct jc_walk_builder {
    const jc_graph *graph;
    const jc_allocator *allocator;
    const jc_query *query;
    jc_edge_set kept;        /* edges that paths may use */
    unsigned char *mark;     /* [n_variables] JC_WALK_.. */
    jc_automaton *automaton; /* NULL without rules */
    jc_walk *walk;           /* what is made; its sources and targets are listed */
} jc_walk_builder;

/* Allocates the lists of nodes and edges. */
jc_status jc_walk_allocate(const jc_walk_builder *b, int64_t n_nodes, int64_t n_edges);

/* Nodes and edges of the graph times the automaton, and the nodes of sources and targets; sources that were not named
 * are cut to those from which a kept path leads to a target. */
jc_status jc_walk_multiply(const jc_walk_builder *b);

#endif
