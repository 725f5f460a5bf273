/* Graphs of scalars, made edge by edge. */
#ifndef JT_PATHS_HELP_H
#define JT_PATHS_HELP_H

#include <stdbool.h>

#include "jacchain.h"
#include "support/pool.h"

typedef struct jt_scalars {
    jc_graph *graph;
    int64_t *of, *wrt, n_edges, capacity; /* edges that were not handed over yet */
    int64_t last;                         /* the last variable */
} jt_scalars;

/* n variables of size 1. allocator: of the graph; NULL: malloc and free. */
jt_scalars jt_scalars_of(int64_t n, const jc_allocator *allocator);
void jt_scalars_edge(jt_scalars *net, int64_t of, int64_t wrt); /* the identity */
void jt_scalars_finish(jt_scalars *net);
void jt_scalars_fini(jt_scalars *net);

/* Diamond i: variables 3 i .. 3 i + 3, edges 4 i .. 4 i + 3: to the left, to the right, from the left, from the right.
 */
void jt_ladder_edges(jt_scalars *net, int64_t diamonds);
jt_scalars jt_ladder(int64_t diamonds, const jc_allocator *allocator);

#endif
