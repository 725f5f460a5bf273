#include "gen/random.h"

jc_random jc_random_stream(uint64_t seed, jc_random_purpose purpose, int64_t a, int64_t b)
{
    jc_random r = {seed};
    r.state = jc_random_bits(&r) ^ (uint64_t)purpose;
    r.state = jc_random_bits(&r) ^ (uint64_t)a;
    r.state = jc_random_bits(&r) ^ (uint64_t)b;
    r.state = jc_random_bits(&r);
    return r;
}

int64_t jc_random_below(jc_random *r, int64_t n)
{
    uint64_t limit = (uint64_t)n, low = -limit % limit; /* 2^64 mod n: the lowest values are drawn again */
    uint64_t bits = jc_random_bits(r);
    while (bits < low) bits = jc_random_bits(r);
    return (int64_t)(bits % limit);
}
