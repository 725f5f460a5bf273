/* 64-bit sizes: overflow-checked products for memory, saturating ones for costs. */
#ifndef JC_CORE_SIZE_H
#define JC_CORE_SIZE_H

#include <stdbool.h>
#include <stdint.h>

/* *out = a * b for non-negative a, b; false when it does not fit. */
static inline bool jc_size_mul(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

static inline bool jc_size_add(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

/* Costs saturate at INT64_MAX: "at least this". */
static inline int64_t jc_cost_mul(int64_t a, int64_t b)
{
    int64_t c;
    return __builtin_mul_overflow(a, b, &c) ? INT64_MAX : c;
}

static inline int64_t jc_cost_add(int64_t a, int64_t b)
{
    int64_t c;
    return __builtin_add_overflow(a, b, &c) ? INT64_MAX : c;
}

static inline int64_t jc_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t jc_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The next multiple of `unit` (a power of two). */
static inline int64_t jc_round_up(int64_t n, int64_t unit)
{
    return (n + unit - 1) & ~(unit - 1);
}

#endif
