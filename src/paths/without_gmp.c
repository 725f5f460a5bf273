/* In place of limbs.c in builds without GMP. */
#include "paths/limbs.h"

uint64_t jc_limbs_add(uint64_t *r, const uint64_t *a, int64_t n, const uint64_t *b, int64_t m)
{
    uint64_t carry = 0;
    for (int64_t i = 0; i < n; i++) {
        uint64_t sum, other = i < m ? b[i] : 0;
        uint64_t over = __builtin_add_overflow(a[i], other, &sum);
        carry = over | __builtin_add_overflow(sum, carry, &r[i]);
    }
    return carry;
}

uint64_t jc_limbs_divide(uint64_t *a, int64_t n, uint64_t divisor)
{
    uint64_t rest = 0;
    for (int64_t i = n; i-- > 0;) {
        unsigned __int128 part = (unsigned __int128)rest << 64 | a[i];
        a[i] = (uint64_t)(part / divisor);
        rest = (uint64_t)(part % divisor);
    }
    return rest;
}
