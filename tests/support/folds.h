/* Which rows a forward sweep carries, by the definition in docs/numerics.md: those of a weight behind diagonals and
 * identities are folded. */
#ifndef JT_FOLDS_H
#define JT_FOLDS_H

#include "support/random_graph.h"

/* Rows of source `source` that are computed at variable v on the way to the targets: its size, w where it is folded, 0.
 * [n_variables] for each of the n_wrt sources. */
int64_t **jt_forward_rows(jt_pool *pool, const jt_graph *graph, const jc_query *query);

#endif
