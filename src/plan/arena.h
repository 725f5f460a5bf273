/* Offsets into one arena: a two-level segregated-fit allocator on numbers instead of memory, O(1) a call
 * (Masmano et al., TLSF, ECRTS 2004), which grows the arena when nothing free is large enough. */
#ifndef JC_PLAN_ARENA_H
#define JC_PLAN_ARENA_H

#include "core/alloc.h"

enum { JC_ARENA_UNIT = 64, JC_ARENA_SPLITS = 16, JC_ARENA_CLASSES = 64 * JC_ARENA_SPLITS };

/* A stretch of the arena, free or used; stretches are linked in the order of their offsets. */
typedef struct jc_stretch {
    int64_t offset, bytes;
    int64_t before, after;        /* neighbours, or -1 */
    int64_t free_next, free_prev; /* in its class's list, or -1 */
    bool free;
} jc_stretch;

typedef struct jc_arena {
    const jc_allocator *allocator;
    jc_vec stretches;               /* jc_stretch */
    int64_t recycled;               /* list (free_next) of numbers not in use, or -1 */
    int64_t last;                   /* the stretch that ends the arena, or -1 */
    int64_t bytes;                  /* of the whole arena */
    int64_t list[JC_ARENA_CLASSES]; /* first free stretch of each class, or -1 */
    uint64_t filled[JC_ARENA_CLASSES / 64];
} jc_arena;

void jc_arena_init(jc_arena *arena, const jc_allocator *allocator);
void jc_arena_fini(jc_arena *arena);

/* A stretch of at least `bytes` (at least 1). JC_E_MEMORY when the arena would be larger than can be addressed. */
jc_status jc_arena_take(jc_arena *arena, int64_t bytes, int64_t *stretch);
void jc_arena_give(jc_arena *arena, int64_t stretch);

static inline int64_t jc_arena_offset(const jc_arena *arena, int64_t stretch)
{
    return ((const jc_stretch *)arena->stretches.data)[stretch].offset;
}

#endif
