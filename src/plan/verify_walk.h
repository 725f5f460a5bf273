/* The verifier's look at the walk of a query with path rules, by what holds whatever the rules are. Whether it has
 * exactly the paths that the rules keep is the tests' to see, which list them. */
#ifndef JC_PLAN_VERIFY_WALK_H
#define JC_PLAN_VERIFY_WALK_H

#include "rules/walk.h"

/* Every edge is one of the graph's that the query leaves in, joins nodes of its two variables, later ones to earlier
 * ones, and leads into no start and out of no end; out of one node it leads to one node, and to one end, at most; every
 * node lies between a source's and a target's; variables and labels that a rule avoids are not met. JC_E_INTERNAL with
 * the first violation. O(nodes + edges), and the labels of each edge. */
jc_status jc_verify_walk(const jc_walk *walk, const jc_query *query);

#endif
