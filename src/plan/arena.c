#include "plan/arena.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"

void jc_arena_init(jc_arena *arena, const jc_allocator *allocator)
{
    memset(arena, 0, sizeof *arena);
    arena->allocator = allocator;
    arena->stretches = jc_vec_of(sizeof(jc_stretch));
    arena->recycled = arena->last = -1;
    memset(arena->list, -1, sizeof arena->list);
}

void jc_arena_fini(jc_arena *arena)
{
    jc_vec_free(arena->allocator, &arena->stretches);
}

static jc_stretch *at(jc_arena *arena, int64_t i)
{
    return (jc_stretch *)arena->stretches.data + i;
}

/* The class of a size in units: sizes below 16 have one each, then 16 to each power of two. */
static int64_t class_of(int64_t units)
{
    if (units < JC_ARENA_SPLITS) return units;
    int log2 = 63 - __builtin_clzll((unsigned long long)units);
    return (int64_t)(log2 - 3) * JC_ARENA_SPLITS + ((units >> (log2 - 4)) & (JC_ARENA_SPLITS - 1));
}

/* The first class whose every stretch holds `units`. */
static int64_t class_that_holds(int64_t units)
{
    if (units < JC_ARENA_SPLITS) return units;
    int log2 = 63 - __builtin_clzll((unsigned long long)units);
    return class_of(units + (INT64_C(1) << (log2 - 4)) - 1);
}

static void list_insert(jc_arena *arena, int64_t i)
{
    jc_stretch *s = at(arena, i);
    int64_t c = class_of(s->bytes / JC_ARENA_UNIT), head = arena->list[c];
    s->free = true;
    s->free_prev = -1;
    s->free_next = head;
    if (head >= 0) at(arena, head)->free_prev = i;
    arena->list[c] = i;
    arena->filled[c / 64] |= UINT64_C(1) << (c % 64);
}

static void list_remove(jc_arena *arena, int64_t i)
{
    jc_stretch *s = at(arena, i);
    int64_t c = class_of(s->bytes / JC_ARENA_UNIT);
    s->free = false;
    if (s->free_next >= 0) at(arena, s->free_next)->free_prev = s->free_prev;
    if (s->free_prev >= 0)
        at(arena, s->free_prev)->free_next = s->free_next;
    else
        arena->list[c] = s->free_next;
    if (arena->list[c] < 0) arena->filled[c / 64] &= ~(UINT64_C(1) << (c % 64));
}

/* The lowest class from c on that has a free stretch, or -1. */
static int64_t next_filled(const jc_arena *arena, int64_t c)
{
    uint64_t word = arena->filled[c / 64] & (~UINT64_C(0) << (c % 64));
    for (int64_t w = c / 64; w < JC_ARENA_CLASSES / 64; word = ++w < JC_ARENA_CLASSES / 64 ? arena->filled[w] : 0)
        if (word) return w * 64 + __builtin_ctzll(word);
    return -1;
}

/* A new stretch after stretch `before`; room for its number was made. */
static int64_t stretch_insert(jc_arena *arena, int64_t before, int64_t offset, int64_t bytes)
{
    int64_t i = arena->recycled;
    if (i >= 0)
        arena->recycled = at(arena, i)->free_next;
    else
        i = arena->stretches.count++;
    int64_t after = before >= 0 ? at(arena, before)->after : -1;
    *at(arena, i) = (jc_stretch){offset, bytes, before, after, -1, -1, false};
    if (before >= 0) at(arena, before)->after = i;
    if (after >= 0)
        at(arena, after)->before = i;
    else
        arena->last = i;
    return i;
}

/* Joins stretch i with the one after it, which is not in a list any more. */
static void absorb_after(jc_arena *arena, int64_t i)
{
    jc_stretch *s = at(arena, i);
    int64_t gone = s->after;
    s->bytes += at(arena, gone)->bytes;
    s->after = at(arena, gone)->after;
    if (s->after >= 0)
        at(arena, s->after)->before = i;
    else
        arena->last = i;
    at(arena, gone)->free_next = arena->recycled;
    arena->recycled = gone;
}

/* Longer by what is missing for `bytes`: the last stretch, if it is free, is used for it. It may be long enough, since
 * only classes whose every stretch is long enough were searched; the arena never gets shorter. */
static jc_status grow(jc_arena *arena, int64_t bytes, int64_t *stretch)
{
    int64_t i = arena->last, total;
    bool reuse = i >= 0 && at(arena, i)->free;
    if (reuse) bytes = jc_max(bytes, at(arena, i)->bytes);
    int64_t more = reuse ? bytes - at(arena, i)->bytes : bytes;
    if (!jc_size_add(arena->bytes, more, &total))
        return jc_fail(JC_E_MEMORY, "not enough memory: the values need more bytes than can be addressed");
    if (reuse) {
        list_remove(arena, i);
        at(arena, i)->bytes = bytes;
    } else {
        i = stretch_insert(arena, arena->last, arena->bytes, bytes);
    }
    arena->bytes = total;
    *stretch = i;
    return JC_OK;
}

jc_status jc_arena_take(jc_arena *arena, int64_t bytes, int64_t *stretch)
{
    if (bytes > INT64_MAX - JC_ARENA_UNIT)
        return jc_fail(JC_E_MEMORY, "not enough memory: a value of %lld bytes", (long long)bytes);
    int64_t need = jc_round_up(jc_max(bytes, 1), JC_ARENA_UNIT);
    jc_status status = jc_vec_reserve(arena->allocator, &arena->stretches, 1, "the layout of the values");
    if (status) return status;
    int64_t c = next_filled(arena, class_that_holds(need / JC_ARENA_UNIT));
    if (c < 0) return grow(arena, need, stretch);
    int64_t i = arena->list[c], rest = at(arena, i)->bytes - need;
    list_remove(arena, i);
    if (rest) {
        at(arena, i)->bytes = need;
        list_insert(arena, stretch_insert(arena, i, at(arena, i)->offset + need, rest));
    }
    *stretch = i;
    return JC_OK;
}

void jc_arena_give(jc_arena *arena, int64_t i)
{
    int64_t before = at(arena, i)->before, after = at(arena, i)->after;
    if (after >= 0 && at(arena, after)->free) {
        list_remove(arena, after);
        absorb_after(arena, i);
    }
    if (before >= 0 && at(arena, before)->free) {
        list_remove(arena, before);
        absorb_after(arena, before);
        i = before;
    }
    list_insert(arena, i);
}
