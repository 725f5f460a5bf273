/* Norms of results, and how much the paths of a total cancel. */
#ifndef JC_RUN_NORM_H
#define JC_RUN_NORM_H

#include "graph/graph.h"

/* Entry (row, col) of a block of a result, in double; of zero and identity results too. */
double jc_result_entry(const jc_result *result, int64_t block, int64_t row, int64_t col);

typedef enum jc_norm { JC_NORM_FROBENIUS, JC_NORM_SPECTRAL } jc_norm;

/* frobenius: sqrt(sum of squares), scaled so that it neither overflows nor underflows on the way. spectral: the largest
 * singular value, by LAPACK's dgesdd from a copy in double; JC_E_UNAVAILABLE in builds without it. A NaN makes either
 * NaN, otherwise an Inf makes it Inf. JC_E_USAGE for results per sample. */
jc_status jc_result_norm(const jc_allocator *allocator, const jc_result *result, jc_norm norm, double *value);

/* The norm of M = the sum over all paths of the product of the |D| on the path, for a query of one target and one
 * source: one sweep in double on the host, within memory_limit bytes (0: no limit). Cancellation is this over the norm
 * of the total: for scalars, sum |path| / |sum path|. */
jc_status jc_magnitude_norm(const jc_graph *graph, const jc_query *query, int64_t memory_limit, jc_norm norm,
                            double *value);

#endif
