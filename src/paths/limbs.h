/* Natural numbers as 64-bit limbs, least first: the operations that counting takes. Through GMP's mpn layer, whose
 * functions used here allocate nothing; in builds without GMP by plain loops. */
#ifndef JC_PATHS_LIMBS_H
#define JC_PATHS_LIMBS_H

#include <stdint.h>

/* r[n] = a[n] + b[m] for n >= m >= 1; returns the carry. r may be a or b. */
uint64_t jc_limbs_add(uint64_t *r, const uint64_t *a, int64_t n, const uint64_t *b, int64_t m);

/* a[n] = a / divisor; returns the remainder. */
uint64_t jc_limbs_divide(uint64_t *a, int64_t n, uint64_t divisor);

#endif
