/* A random run of gathers for the kernel WALK, with the exact values that it must leave. */
#ifndef JT_CHAIN_H
#define JT_CHAIN_H

#include "kernels/memory.h"

typedef struct jt_chain_kind {
    int dtype, mode;
    int64_t phases;
    int64_t sizes[4]; /* of values: phases choose among them; at least 1 */
    int wide;         /* one phase in so many is cut into several tiles; 0: none */
    int any;          /* one phase in so many has the form GATHER_ANY; 0: none */
    int others;       /* one term in so many reads an older value, or is a second term; 0: none */
    int number;       /* type of the numbers, or -1: mixed */
} jt_chain_kind;

typedef struct jt_chain {
    jt_memory memory;
    jc_gpu_launch launch; /* but for `cluster` */
    int64_t elements;
    double *before, *expected;
} jt_chain;

/* Jacobians have one number 1 or -1 for each output, zeros else: values stay small integers. Made in the pool. */
jt_chain jt_chain_random(jt_pool *pool, jt_rng *rng, const jt_chain_kind *kind);

#endif
