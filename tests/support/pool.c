#include "support/pool.h"

#include <stdio.h>
#include <stdlib.h>

static void *must(void *ptr)
{
    if (ptr) return ptr;
    fprintf(stderr, "tests: not enough memory\n");
    abort();
}

void *jt_alloc(jt_pool *pool, int64_t count, size_t element_bytes)
{
    if (pool->n_blocks == pool->capacity) {
        pool->capacity = pool->capacity ? 2 * pool->capacity : 64;
        pool->blocks = must(realloc(pool->blocks, (size_t)pool->capacity * sizeof *pool->blocks));
    }
    void *block = must(calloc((size_t)count + 1, element_bytes));
    pool->blocks[pool->n_blocks++] = block;
    return block;
}

void jt_pool_free(jt_pool *pool)
{
    for (int64_t i = 0; i < pool->n_blocks; i++) free(pool->blocks[i]);
    free(pool->blocks);
    *pool = (jt_pool){0};
}

/* Steele, Lea, Flood: Fast splittable pseudorandom number generators (2014). */
uint64_t jt_next(jt_rng *rng)
{
    uint64_t z = rng->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

int64_t jt_below(jt_rng *rng, int64_t n)
{
    return (int64_t)(jt_next(rng) % (uint64_t)n);
}

int64_t jt_between(jt_rng *rng, int64_t low, int64_t high)
{
    return low + jt_below(rng, high - low + 1);
}

double jt_unit(jt_rng *rng)
{
    return (double)(int64_t)(jt_next(rng) >> 11) * 0x1p-52 - 1.0;
}
