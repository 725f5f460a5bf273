/* A binary heap of numbers. */
#ifndef JC_CORE_HEAP_H
#define JC_CORE_HEAP_H

#include "core/alloc.h"

/* Whether a comes before b: a strict order, the same as long as both are in the heap. */
typedef bool jc_heap_before(const void *ctx, int64_t a, int64_t b);

typedef struct jc_heap {
    jc_vec items; /* int64_t; the first of all is items[0] */
    jc_heap_before *before;
    const void *ctx; /* borrowed */
} jc_heap;

static inline jc_heap jc_heap_of(jc_heap_before *before, const void *ctx)
{
    jc_heap heap = {jc_vec_of(sizeof(int64_t)), before, ctx};
    return heap;
}

/* The first one; the heap is not empty. */
static inline int64_t jc_heap_first(const jc_heap *heap)
{
    return ((const int64_t *)heap->items.data)[0];
}

/* O(log n) comparisons each. */
jc_status jc_heap_push(const jc_allocator *allocator, jc_heap *heap, int64_t item, const char *what);
int64_t jc_heap_pop(jc_heap *heap); /* takes the first one out */

#endif
