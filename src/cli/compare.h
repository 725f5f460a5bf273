/* What path rules drop: restricted totals beside the totals over all paths. */
#ifndef JC_CLI_COMPARE_H
#define JC_CLI_COMPARE_H

#include "cli/common.h"

/* With the total T = K + D, K over the paths that the rules keep and D over those that they drop: Frobenius norms, and
 *   cos(A, B) = sum A_ij B_ij / (|A| |B|),
 * NaN where one of them is zero. */
typedef struct jc_comparison {
    double kept, total, dropped;
    double kept_cosine, dropped_cosine; /* cos(K, T), cos(D, T) */
} jc_comparison;

/* kept, total: results of one pair, of the same shape. Computed in double; cost: two passes over the entries. */
jc_comparison jc_compare(const jc_result *kept, const jc_result *total);

/* The sources of a query that names none, when no rule is in force: a source from which the rules keep no path is not
 * among those of the query itself. Owned by the caller; none where the query does not apply, which the work will say.
 */
jc_cli_variables jc_compare_sources(const jc_graph *graph, const jc_query *query);

/* The result of `all` that has the pair of `kept`, looked for from *from on, where it is left; false: it is not there.
 */
bool jc_compare_find(const jc_results *all, const jc_result *kept, int64_t *from, jc_result *total);

/* A table with a line for each of the restricted totals. */
void jc_compare_print(const jc_graph *graph, const jc_results *kept, const jc_results *all);

/* "norm":.., "dropped":{..} of the object that stands open. */
void jc_compare_emit(jc_emit *e, const jc_comparison *comparison);

#endif
