/* A graph made of edges of another one. */
#ifndef JC_GRAPH_DERIVE_H
#define JC_GRAPH_DERIVE_H

#include "graph/graph.h"

/* An open graph with the variables of `graph`, under other names but the same numbers, and those of its edges that
 * keep[edge] says, in their order and without their labels. Their numbers are borrowed: `graph` must outlive it. Bytes:
 * a group for each run of kept edges of a group. */
jc_status jc_graph_derive(const jc_graph *graph, const bool *keep, jc_graph **derived);

#endif
