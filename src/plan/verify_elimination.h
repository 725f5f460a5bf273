/* The verifier of eliminations (plan->eliminates): that a plan is sound, and that its results are the query's.
 *  - every read, as rows or as a Jacobian, is of a value of an earlier level, and lies within it
 *  - every number of a value is first written, then added to
 *  - operands are parts of the graph's groups or values, with the shapes and numbers that their kinds ask for
 *  - in windows, rows of the target's window meet only such rows, and all else is formed whole
 *  - each result is the sum over the paths of the query, and of these only, of the products along them. Stand-ins are
 *    put in place of all Jacobians (verify_numbers.h), in the steps and in the recurrence over the query's own nodes
 *    and edges (verify_expected.h); results that differ as sums of products differ in them. Copies of an edge under
 *    rules have one stand-in, as they have one Jacobian. A structured value's steps are products of whole Jacobians
 *    here.
 *  - of a plan of fewer than JC_VERIFY_PRODUCTS products, each result has the numbers of the total: the plan is
 *    evaluated (verify_values.h).
 *
 * Not seen, in a larger plan: where in a structured value each number goes. A selection, or the P of a sparse product
 * (assembly/sparse.c), whose indices lie within its shape but are others, one that is turned the other way round, or
 * the numbers of a Jacobian read in another arrangement than the value has them, are accepted there. */
#ifndef JC_PLAN_VERIFY_ELIMINATION_H
#define JC_PLAN_VERIFY_ELIMINATION_H

#include "plan/layout.h"

/* As jc_plan_verify, for a plan whose order, seed and samples are the query's. O(steps + nodes + edges x targets), the
 * indices of the operands, and at most JC_VERIFY_PRODUCTS products. */
jc_status jc_verify_elimination(const jc_plan *plan, const jc_query *query, const jc_layout *layout);

#endif
