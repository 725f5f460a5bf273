/* Which rows of a forward sweep the verifier expects to be folded (plan/fold.h says what folds are), from the kinds of
 * the edges alone:
 *   a source has a fold where a weight or trace of h > 1 rows leads out of it: h x w by the one of most rows;
 *   such an edge hands on the fold of its source, every other one the source itself;
 *   a diagonal or identity hands on folds, every other edge their sources in their place;
 *   where a source comes both folded and not, at targets, and before an edge that is not diagonal, identity or dense
 * with inner 1, a value has no folds. */
#ifndef JC_PLAN_VERIFY_FOLDS_H
#define JC_PLAN_VERIFY_FOLDS_H

#include "plan/verify_expected.h"

/* Numbers the folds, behind the seeded ends, and marks plain nodes; `needed` is known. */
void jc_expected_find_folds(jc_expected *expected);

/* Adds to the head's rows what the edge hands on; settles the tail, whose rows are whole. */
void jc_expected_carry(jc_expected *expected, int64_t edge);
void jc_expected_settle(jc_expected *expected, int64_t node);

/* The fold that the edge begins, a number in `seeded`, or -1. */
int64_t jc_expected_begun(const jc_expected *expected, int64_t edge);

#endif
