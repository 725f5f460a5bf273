/* Random vectors of fixed seed for what is estimated or tested with operators: the same numbers every time. */
#ifndef JC_BACKEND_RANDOM_H
#define JC_BACKEND_RANDOM_H

#include <stdint.h>

/* splitmix64: Steele, Lea, Flood, Fast splittable pseudorandom number generators (2014). */
static inline uint64_t jc_random_next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* n numbers of mean 0 and variance 1, uniform in +-sqrt(3). */
static inline void jc_random_fill(uint64_t *state, double *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++) x[i] = ((double)(jc_random_next(state) >> 11) * 0x1p-53 - 0.5) * 3.4641016151377544;
}

#endif
