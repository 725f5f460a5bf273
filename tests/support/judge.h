/* Results against the definition of a total. */
#ifndef JT_JUDGE_H
#define JT_JUDGE_H

#include "support/compute.h"
#include "support/random_graph.h"

/* Ends the test where an entry is not exactly the sum over all paths (of the exact backend: modulo 2^61 - 1). */
void jt_expect_path_sum(const jt_graph *graph, const jt_result *result, uint64_t seed, const char *backend);

#endif
