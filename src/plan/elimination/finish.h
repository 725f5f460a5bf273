/* The operations of an elimination, once all are known: products that need a value of their own, which operation is the
 * first and the last one of each value, the most that is held at once. */
#ifndef JC_PLAN_ELIMINATION_FINISH_H
#define JC_PLAN_ELIMINATION_FINISH_H

#include "plan/elimination/elimination.h"
#include "plan/elimination/pairs.h"

/* structures: of the values, NULL: dense. product_of: [ops] of each product, -1: no product; not looked at without
 * structures. Sets n_values, n_ops, first, last_op, peak_entries, and -1 as the structure of what is dense. */
jc_status jc_elimination_finish(const jc_pairs *pairs, jc_structures *structures, const int32_t *product_of,
                                jc_elimination *elimination);

#endif
