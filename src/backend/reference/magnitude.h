/* The sweep whose sums are over the absolute values of the Jacobians' entries:
 *   M = the sum over all paths of the product of the |D| on the path,  |D| entry by entry
 * which cancellation is measured with. Where absolute.h bounds rounding, this is the number itself: |D| of a low_rank
 * Jacobian is |U V^T|, not |U| |V|^T, an operator's is formed by its unit vectors, and nothing is added for underflow.
 */
#ifndef JC_BACKEND_MAGNITUDE_H
#define JC_BACKEND_MAGNITUDE_H

#include "backend/reference/plain.h"

/* Not in the registry; computes in double. */
extern const jc_backend jc_backend_magnitude;

/* One step of it: Y (+)= X |op(B)|, X >= 0, for n rows, or rows row.. of |op(B)| where step->a is JC_SEED_IDENTITY. */
jc_status jc_magnitude_step(const jc_allocator *allocator, const jc_jac *jac, const jc_step *step, int64_t row,
                            int64_t n, const double *x, double *y);

#endif
