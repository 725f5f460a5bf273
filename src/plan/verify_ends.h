/* The nodes and edges that the verifier knows a query's paths to have, and the nodes of its targets and sources. */
#ifndef JC_PLAN_VERIFY_ENDS_H
#define JC_PLAN_VERIFY_ENDS_H

#include "plan/verify_expected.h"

/* From `graph` and `by_rules` of *expected: its own nodes and edges, what the query leaves out, and the ends; with
 * rules the walk, which is held against what every walk must be. */
jc_status jc_expected_find_ends(jc_expected *expected, const jc_query *query);

#endif
