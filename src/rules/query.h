/* The rules a query must keep before anything is planned. */
#ifndef JC_RULES_QUERY_H
#define JC_RULES_QUERY_H

#include "graph/graph.h"

/* A caller's query, which may end before `edges`: the fields that it does not have are zero. JC_E_USAGE where its
 * struct_size is not set. */
jc_status jc_query_read(const jc_query *query, jc_query *full);

/* Checks a query against the graph and gives it with its defaults filled in: per_sample at least 1, widths 0 without a
 * seed. JC_E_USAGE says what does not apply. */
jc_status jc_query_check(const jc_graph *graph, const jc_query *query, jc_query *checked);

#endif
