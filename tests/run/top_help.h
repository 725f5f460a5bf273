/* All paths between two variables with the norms of their products, by listing them: what the search is held against.
 */
#ifndef JT_RUN_TOP_HELP_H
#define JT_RUN_TOP_HELP_H

#include "support/compute.h"
#include "support/oracle.h"

typedef struct jt_ranked {
    const int64_t *edges; /* [n] from the source on */
    int64_t n;
    double norm;
    double value; /* the first entry of its product */
} jt_ranked;

typedef struct jt_ranking {
    jt_ranked *paths; /* [n] the largest norm first; equal ones in the order of their edges */
    int64_t n;
} jt_ranking;

/* Those that `keeps` (NULL: all) keeps. Products by the dense Jacobians of the test's own; spectral norms by one-sided
 * Jacobi rotations. */
jt_ranking jt_rank_paths(jt_pool *pool, const jt_graph *graph, int64_t of, int64_t wrt, bool spectral,
                         bool (*keeps)(const jt_graph *graph, const int64_t *edges, int64_t n));

/* Where in the ranking a path is; -1: nowhere. */
int64_t jt_rank_of(const jt_ranking *ranking, const int64_t *edges, int64_t n);

/* jc_paths_top for one target and source; ends the test where it fails. */
jc_top *jt_top(const jc_graph *graph, int64_t of, int64_t wrt, int64_t k, const jc_top_options *options);
jc_top_info jt_top_info(const jc_top *top);
jc_top_path jt_top_path(const jc_top *top, int64_t index);

#endif
