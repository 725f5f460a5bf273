/* Random graphs in which weights lead into diagonals, identities and now and then something else: what a forward sweep
 * folds (src/plan/fold.h). */
#ifndef FOLD_GRAPH_H
#define FOLD_GRAPH_H

#include "support/random_graph.h"

enum { FOLD_SOURCES = 2 }; /* variables 0 .. FOLD_SOURCES - 1 are weights */

/* leaving: of 16 edges between inner variables, so many are neither diagonal nor identity. numbers: JT_SMALL or
 * JT_REAL. allocator: of the jc_graph; NULL: malloc and free. */
void jt_fold_graph(uint64_t seed, int leaving, jt_numbers numbers, const jc_allocator *allocator, jt_graph *graph);

#endif
