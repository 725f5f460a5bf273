/* Chains in segments: orders of elimination that are less deep, for devices, where a level costs more than the
 * multiply-adds of a narrow product. */
#ifndef JC_RUN_SEGMENTS_H
#define JC_RUN_SEGMENTS_H

#include "plan/plan.h"

/* The ways in which a chain of n vertices is cut. */
typedef enum jc_segments {
    JC_SEGMENTS_HALVES, /* every second vertex, then every second one of the rest ..: log2 n products deep */
    JC_SEGMENTS_ROOT,   /* about sqrt n segments of sqrt n vertices, side by side, then their products: 2 sqrt n deep */
    JC_SEGMENTS_COUNT
} jc_segments;

/* Whether the plan of a sweep is of a deep and narrow graph, in which few values of a level keep a device busy: at
 * least 64 levels of at most two values each, between one target and one source. */
bool jc_plan_is_deep(const jc_plan *plan);

/* An order of vertices for jc_query.eliminate: those that lie between the ends of a query, along it. *vertices: [*n],
 * owned by the caller (the graph's allocator). */
jc_status jc_segments_order(const jc_graph *graph, const jc_query *query, jc_segments way, jc_vertex **vertices,
                            int64_t *n);

#endif
