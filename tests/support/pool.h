/* Memory of one test case, freed all at once; ends the test when there is none. */
#ifndef JT_POOL_H
#define JT_POOL_H

#include <stddef.h>
#include <stdint.h>

typedef struct jt_pool {
    void **blocks; /* [n_blocks] */
    int64_t n_blocks, capacity;
} jt_pool;

/* Zeroed, 16-byte aligned. */
void *jt_alloc(jt_pool *pool, int64_t count, size_t element_bytes);
void jt_pool_free(jt_pool *pool);

/* A stream of numbers that a seed decides (splitmix64). */
typedef struct jt_rng {
    uint64_t state;
} jt_rng;

uint64_t jt_next(jt_rng *rng);
int64_t jt_below(jt_rng *rng, int64_t n);                   /* uniform in 0 .. n-1 */
int64_t jt_between(jt_rng *rng, int64_t low, int64_t high); /* uniform in low .. high */
double jt_unit(jt_rng *rng);                                /* uniform in [-1, 1) */

#endif
