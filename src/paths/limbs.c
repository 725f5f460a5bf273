#include "paths/limbs.h"

#include <gmp.h>

_Static_assert(GMP_NUMB_BITS == 64 && sizeof(mp_limb_t) == sizeof(uint64_t), "GMP's limbs have 64 bits");

uint64_t jc_limbs_add(uint64_t *r, const uint64_t *a, int64_t n, const uint64_t *b, int64_t m)
{
    return mpn_add((mp_limb_t *)r, (const mp_limb_t *)a, n, (const mp_limb_t *)b, m);
}

uint64_t jc_limbs_divide(uint64_t *a, int64_t n, uint64_t divisor)
{
    return mpn_divrem_1((mp_limb_t *)a, 0, (const mp_limb_t *)a, n, divisor);
}
