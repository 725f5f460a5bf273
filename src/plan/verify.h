/* The verifier of plans, O(steps + values x targets): what a plan must satisfy to compute what was asked, established
 * from graph, query and layout without the planner's code.
 *  - every read sees the last complete write (levels, rows all written before they are read)
 *  - no two values of a level share storage, none is written over while it is still to be read
 *  - every row of a value is first written, then added to, by steps of that value only
 *  - every edge on a path from a source to a target is used for exactly the rows of the targets behind it, others
 * never; where the query names edges, only paths of these are meant
 *  - under path rules the nodes and edges are those of the walk of the query, made anew and held against what every
 * walk must be (verify_walk.h): a value is of a variable in a state, and each copy of an edge is used as an edge is
 * Plans by elimination are looked at in another way, small ones and large ones: verify_elimination.h, which says what
 * is not seen of large ones. */
#ifndef JC_PLAN_VERIFY_H
#define JC_PLAN_VERIFY_H

#include "plan/layout.h"

/* JC_E_INTERNAL with the first violation found. layout may be NULL: storage is not looked at. */
jc_status jc_plan_verify(const jc_plan *plan, const jc_query *query, const jc_layout *layout);

#endif
