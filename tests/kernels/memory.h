/* Memory that emulated kernels may touch: exact ranges, and an arena in which two accesses that nothing orders are
 * found. */
#ifndef JT_MEMORY_H
#define JT_MEMORY_H

#include "standin/emulation.h"
#include "support/pool.h"

typedef struct jt_note {
    jt_where where;
    bool there, many; /* many: several threads */
} jt_note;

typedef struct jt_range {
    const unsigned char *begin;
    size_t bytes;
    bool written; /* may be */
} jt_range;

typedef struct jt_memory {
    jt_pool *pool;
    jt_range range[400];
    int n_ranges;
    unsigned char *arena;
    size_t arena_bytes;
    jt_note *writes, *reads; /* [arena_bytes / 4] */
    int64_t outside, races;
} jt_memory;

/* `bytes` that kernels may read, at `misalign` bytes past a multiple of 256. */
void *jt_memory_add(jt_memory *memory, size_t bytes, int misalign, bool written);
/* The arena: as above, and watched. */
void *jt_memory_arena(jt_memory *memory, size_t bytes);
/* A launch begins: its accesses are not ordered with those before. */
void jt_memory_begin(jt_memory *memory);

/* For jt_emulation.access, ctx the memory. */
bool jt_memory_access(void *ctx, const jt_where *where, const void *ptr, size_t bytes, bool write);

#endif
