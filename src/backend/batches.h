/* What a plan says about a level: equal products counted together, a few kinds open at a time. */
#ifndef JC_BACKEND_BATCHES_H
#define JC_BACKEND_BATCHES_H

#include "jacchain.h"

enum { JC_MAX_OPEN_BATCHES = 16 };

/* Batches that have not been given out yet. */
typedef struct jc_open_batches {
    jc_batch batch[JC_MAX_OPEN_BATCHES];
    int count;
    jc_status (*emit)(void *ctx, const jc_batch *batch);
    void *ctx;
} jc_open_batches;

/* Counts a product; the open batches are given out where there is no room for another. */
jc_status jc_batches_add(jc_open_batches *open, const jc_batch *batch);

/* Gives out those that are open. */
jc_status jc_batches_flush(jc_open_batches *open);

#endif
