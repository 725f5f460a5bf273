/* Work that reads the numbers of edges itself. */
#ifndef JC_RUN_NUMBERS_H
#define JC_RUN_NUMBERS_H

#include "graph/graph.h"

/* JC_E_INPUT: names edge e, its place in a document, and what is missing. */
jc_status jc_fail_without_numbers(const jc_graph *graph, int64_t e);

/* JC_OK where the numbers of edge e are in host memory; JC_E_INPUT: there are none, JC_E_USAGE: they are elsewhere. */
jc_status jc_check_host_numbers(const jc_graph *graph, int64_t e);

#endif
