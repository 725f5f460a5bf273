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

#endif
