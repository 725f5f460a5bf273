/* An order of elimination carried out on paper: its operations, cost and peak memory. */
#ifndef JC_PLAN_ELIMINATION_REPLAY_H
#define JC_PLAN_ELIMINATION_REPLAY_H

#include "plan/elimination/elimination.h"
#include "plan/elimination/fill.h"

/* order: [n] all inner nodes of the pairs, copied. products: FREE for an elimination; ADJOINT with the reverse
 * topological order (TANGENT with the topological one) costs what the reverse (forward) sweep does, without
 * structures. The values' structures are those of the pairs' table, which stays the pairs'. Cost: O(operations). */
jc_status jc_replay(const jc_pairs *pairs, const int64_t *order, int64_t n, jc_products products,
                    jc_elimination *elimination);

#endif
