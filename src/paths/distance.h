/* How far variables are from a target. */
#ifndef JC_PATHS_DISTANCE_H
#define JC_PATHS_DISTANCE_H

#include "graph/graph.h"

/*   d(of) = 0,    d(v) = 1 + min over the edges u <- v of d(u)
 * distance[i]: the fewest edges of a path from wrt[i] to the query's only target, among the paths that the query keeps;
 * -1: none is. [n_wrt], the query must name its sources. Errors as jc_plan_create's. Cost: linear in the graph (times
 * the states of the query's rules). */
jc_status jc_distances(const jc_graph *graph, const jc_query *query, int64_t *distance);

#endif
