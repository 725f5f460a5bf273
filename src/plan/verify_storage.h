/* The verifier's look at storage: no value is written over while it is still to be read. */
#ifndef JC_PLAN_VERIFY_STORAGE_H
#define JC_PLAN_VERIFY_STORAGE_H

#include "plan/layout.h"

/* last[v]: the last level that reads value v, or its own (outputs: n_levels). A value holds its storage from its own
 * level to that one, both included; two that hold storage at once must not overlap.
 * O(values log values). JC_E_INTERNAL with the first violation. */
jc_status jc_verify_storage(const jc_plan *plan, const jc_layout *layout, const int64_t *last);

#endif
