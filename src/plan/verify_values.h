/* A small plan by elimination evaluated: every step on numbers modulo 2^61 - 1 in the places where its shapes and
 * indices put them, with drawn numbers in all Jacobians (verify_entries.h). For each target T and a drawn vector r of
 * its rows,
 *
 *     r^T D[T,u] of the plan  =  the sum over the paths from T to u of r^T times the Jacobians along them,
 *
 * the right side by vectors over the query's own nodes and edges (verify_expected.h). Two results that differ have
 * equal sides with a probability of at most (longest path + 1) / p (Schwartz, J. ACM 27, 1980; Zippel, EUROSAM 1979;
 * Freivalds, IFIP 1977). */
#ifndef JC_PLAN_VERIFY_VALUES_H
#define JC_PLAN_VERIFY_VALUES_H

#include "plan/verify_frame.h"

/* Plans that take more products than this, or values of more entries, are not evaluated. */
enum { JC_VERIFY_PRODUCTS = 1 << 21 };

/* Whether the plan is small enough. Its steps, operands and results were looked at (verify_elimination.c), so that
 * every number that they name is there. */
bool jc_verify_values_fit(const jc_frame *frame);

/* JC_E_INTERNAL: a result has other numbers than the total that is asked for. JC_OK where the plan does not fit. */
jc_status jc_verify_values(const jc_frame *frame, const jc_query *query);

#endif
