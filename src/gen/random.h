/* Random numbers that are the same on every machine: integer arithmetic, IEEE + - * / and sqrt only, no libm.
 *
 * Generator: splitmix64 (Steele, Lea & Flood, Fast splittable pseudorandom number generators, OOPSLA 2014; constants of
 * Vigna's splitmix64.c). A stream begins at a point hashed from (seed, purpose, a, b), so that any part of a graph can
 * be made again alone, in any order. */
#ifndef JC_GEN_RANDOM_H
#define JC_GEN_RANDOM_H

#include <stdint.h>

typedef struct jc_random {
    uint64_t state;
} jc_random;

/* What a stream is for; streams of different purposes are independent. */
typedef enum jc_random_purpose {
    JC_RANDOM_SIZE,
    JC_RANDOM_FRAME,
    JC_RANDOM_EDGES,
    JC_RANDOM_NUMBERS
} jc_random_purpose;

static inline uint64_t jc_random_mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 64 uniform bits. */
static inline uint64_t jc_random_bits(jc_random *r)
{
    r->state += UINT64_C(0x9E3779B97F4A7C15);
    return jc_random_mix(r->state);
}

jc_random jc_random_stream(uint64_t seed, jc_random_purpose purpose, int64_t a, int64_t b);

/* Uniform in 0 .. n-1, exactly; n > 0. */
int64_t jc_random_below(jc_random *r, int64_t n);

/* Uniform in (-1/2, 1/2), never 0. */
static inline double jc_random_centred(jc_random *r)
{
    return ((double)(jc_random_bits(r) >> 12) + 0.5) * 0x1p-52 - 0.5;
}

/* Close to normal, mean 0 and variance 1 exactly: 64 fair coins (variance 16) and a uniform number (variance 1/12)
 * that fills the gaps between their sums. |x| <= 8.1. */
static inline double jc_random_normal(jc_random *r)
{
    int coins = __builtin_popcountll(jc_random_bits(r)) - 32;
    return (coins + jc_random_centred(r)) * 0.24935149047701483; /* 1 / sqrt(16 + 1/12) */
}

#endif
