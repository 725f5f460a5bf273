/* The size of one local Jacobian as it stands in the graph. */
#ifndef JC_GRAPH_NORM_H
#define JC_GRAPH_NORM_H

#include "graph/graph.h"

/* *norm = ||J||_F, the root of the sum of the squares of all entries of J = I_batch (x) D (x) I_inner, from the numbers
 * that the kind stores: time linear in them (low_rank: times rho). No square overflows or underflows. Not finite where
 * a number is not. False, and *norm untouched, where the edge has no numbers: its array fields are not given, lie on a
 * device or are bound to each run, or it is an operator. */
bool jc_graph_edge_norm(const jc_graph *graph, int64_t edge, double *norm);

#endif
