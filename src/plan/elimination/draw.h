/* Random draws of the search: the same for a seed on every machine. Generator: splitmix64 (Steele, Lea & Flood, Fast
 * splittable pseudorandom number generators, OOPSLA 2014). */
#ifndef JC_PLAN_ELIMINATION_DRAW_H
#define JC_PLAN_ELIMINATION_DRAW_H

#include <stdint.h>

typedef struct jc_draw {
    uint64_t state;
} jc_draw;

static inline uint64_t jc_draw_bits(jc_draw *draw)
{
    uint64_t z = (draw->state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

/* 0 .. n-1, close to uniform for n far below 2^32; n > 0. */
static inline int64_t jc_draw_below(jc_draw *draw, int64_t n)
{
    return (int64_t)(((jc_draw_bits(draw) >> 32) * (uint64_t)n) >> 32);
}

/* Close to exponential with mean 1, by arithmetic alone: the number of tails before the first head, and a uniform
 * number, in units of log 2. */
static inline double jc_draw_exponential(jc_draw *draw)
{
    uint64_t bits = jc_draw_bits(draw);
    int tails = __builtin_ctzll(bits | UINT64_C(1) << 40);
    return 0.6931471805599453 * ((double)tails + (double)(bits >> 41) * 0x1p-23);
}

#endif
