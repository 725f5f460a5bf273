#include "kernels/memory.h"

#include <stdlib.h>
#include <string.h>

enum { GRANULE = 4, ALIGN = 256 };

void *jt_memory_add(jt_memory *memory, size_t bytes, int misalign, bool written)
{
    if (memory->n_ranges == (int)(sizeof memory->range / sizeof *memory->range)) abort();
    unsigned char *raw = jt_alloc(memory->pool, (int64_t)bytes + 2 * ALIGN, 1);
    unsigned char *begin = raw + ALIGN - (uintptr_t)raw % ALIGN + misalign;
    memory->range[memory->n_ranges++] = (jt_range){begin, bytes, written};
    return begin;
}

void *jt_memory_arena(jt_memory *memory, size_t bytes)
{
    memory->arena = jt_memory_add(memory, bytes, 0, true);
    memory->arena_bytes = bytes;
    memory->writes = jt_alloc(memory->pool, (int64_t)(bytes / GRANULE) + 1, sizeof(jt_note));
    memory->reads = jt_alloc(memory->pool, (int64_t)(bytes / GRANULE) + 1, sizeof(jt_note));
    return memory->arena;
}

void jt_memory_begin(jt_memory *memory)
{
    size_t n = memory->arena_bytes / GRANULE + 1;
    memset(memory->writes, 0, n * sizeof(jt_note));
    memset(memory->reads, 0, n * sizeof(jt_note));
}

static bool ordered(const jt_note *note, const jt_where *now)
{
    const jt_where *then = &note->where;
    if (!note->there) return true;
    if (!note->many && then->block == now->block && then->thread == now->thread) return true;
    if (then->cluster >= 0 && then->cluster == now->cluster && then->cluster_phase != now->cluster_phase) return true;
    if (then->block != now->block) return false;
    return then->phase != now->phase || (then->thread / 32 == now->thread / 32 && then->warp_phase != now->warp_phase);
}

/* Later readers take the place of earlier ones that they are ordered after; of two at the same time, `many` stays. */
static void take_note(jt_note *note, const jt_where *where, bool write)
{
    bool joins = !write && !ordered(note, where);
    note->where = *where;
    note->many = joins;
    note->there = true;
}

static void watch(jt_memory *memory, const jt_where *where, size_t at, size_t bytes, bool write)
{
    for (size_t g = at / GRANULE; g <= (at + bytes - 1) / GRANULE; g++) {
        if (!ordered(&memory->writes[g], where)) memory->races++;
        if (write && !ordered(&memory->reads[g], where)) memory->races++;
        take_note(write ? &memory->writes[g] : &memory->reads[g], where, write);
    }
}

bool jt_memory_access(void *ctx, const jt_where *where, const void *ptr, size_t bytes, bool write)
{
    jt_memory *memory = ctx;
    const unsigned char *p = ptr;
    for (int i = 0; i < memory->n_ranges; i++) {
        const jt_range *range = &memory->range[i];
        if (p < range->begin || p + bytes > range->begin + range->bytes || (write && !range->written)) continue;
        if (range->begin == memory->arena) watch(memory, where, (size_t)(p - memory->arena), bytes, write);
        return true;
    }
    memory->outside++;
    return false;
}
