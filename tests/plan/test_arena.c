/* The arena's offsets: what is taken never overlaps, and what is given back is used again. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "plan/arena.h"

enum { LIVE = 200, CALLS = 20000 };

typedef struct held {
    int64_t stretch, offset, bytes;
} held;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

/* Mixed sizes over many orders of magnitude. */
static int64_t random_bytes(uint64_t *state)
{
    return (int64_t)(next_random(state) % (UINT64_C(1) << (1 + next_random(state) % 20))) + 1;
}

static bool overlaps(const held *a, const held *b)
{
    return a->bytes && b->bytes && a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

Test(arena, stretches_that_live_together_never_overlap_and_stay_inside)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    for (uint64_t seed = 1; seed <= 10; seed++) {
        jc_arena arena;
        held live[LIVE] = {{0, 0, 0}};
        uint64_t state = seed;
        jc_arena_init(&arena, &a);
        for (int call = 0; call < CALLS; call++) {
            held *h = &live[next_random(&state) % LIVE];
            if (h->bytes) {
                jc_arena_give(&arena, h->stretch);
                h->bytes = 0;
                continue;
            }
            int64_t bytes = random_bytes(&state);
            cr_assert_eq(jc_arena_take(&arena, bytes, &h->stretch), JC_OK);
            h->offset = jc_arena_offset(&arena, h->stretch);
            h->bytes = bytes;
            cr_assert_eq(h->offset % JC_ARENA_UNIT, 0);
            cr_assert_leq(h->offset + bytes, arena.bytes);
            for (int i = 0; i < LIVE; i++)
                cr_assert(&live[i] == h || !overlaps(&live[i], h), "seed %d call %d", (int)seed, call);
        }
        jc_arena_fini(&arena);
    }
}

/* Everything given back is one stretch again: the whole arena can be taken without growing it. */
Test(arena, neighbours_that_are_free_become_one)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    jc_arena arena;
    int64_t stretch[LIVE], all;
    uint64_t state = 7;
    jc_arena_init(&arena, &a);
    for (int i = 0; i < LIVE; i++) cr_assert_eq(jc_arena_take(&arena, random_bytes(&state), &stretch[i]), JC_OK);
    int64_t bytes = arena.bytes;
    for (int i = 0; i < LIVE; i += 2) jc_arena_give(&arena, stretch[i]);
    for (int i = LIVE - 1; i > 0; i -= 2) jc_arena_give(&arena, stretch[i]);
    cr_assert_eq(jc_arena_take(&arena, bytes, &all), JC_OK);
    cr_assert_eq(arena.bytes, bytes, "the arena grew from %ld to %ld", (long)bytes, (long)arena.bytes);
    cr_assert_eq(jc_arena_offset(&arena, all), 0);
    jc_arena_fini(&arena);
}

/* A chain needs two vectors, however long it is: the third take of the same size reuses the first. */
Test(arena, two_sizes_in_turn_need_two_stretches)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    jc_arena arena;
    int64_t before, now;
    jc_arena_init(&arena, &a);
    cr_assert_eq(jc_arena_take(&arena, 1000, &before), JC_OK);
    for (int i = 0; i < 1000; i++) {
        cr_assert_eq(jc_arena_take(&arena, 1000, &now), JC_OK);
        jc_arena_give(&arena, before);
        before = now;
    }
    cr_assert_eq(arena.bytes, 2 * 1024);
    jc_arena_fini(&arena);
}

/* A free stretch at the end that is long enough but in a class where it is not looked for: 16.5 units of 64 lie between
 * the classes of 16 and 17. */
Test(arena, the_arena_never_gets_shorter)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    for (int64_t spare = 1; spare < 300; spare++)
        for (int64_t asked = 1; asked <= spare; asked += 3) {
            jc_arena arena;
            int64_t s, first, again;
            jc_arena_init(&arena, &a);
            cr_assert_eq(jc_arena_take(&arena, 64, &first), JC_OK);
            cr_assert_eq(jc_arena_take(&arena, spare * 64, &s), JC_OK);
            int64_t bytes = arena.bytes;
            jc_arena_give(&arena, s);
            cr_assert_eq(jc_arena_take(&arena, asked * 64, &again), JC_OK);
            cr_assert_eq(arena.bytes, bytes, "%d units free, %d asked for: %d bytes, then %d", (int)spare, (int)asked,
                         (int)bytes, (int)arena.bytes);
            jc_arena_fini(&arena);
        }
}

Test(arena, more_than_can_be_addressed_is_a_clean_error)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    jc_arena arena;
    int64_t s = -5;
    jc_arena_init(&arena, &a);
    cr_assert_eq(jc_arena_take(&arena, INT64_MAX - 1, &s), JC_E_MEMORY);
    cr_assert_eq(jc_arena_take(&arena, INT64_MAX / 2 + 1, &s), JC_OK);
    cr_assert_eq(jc_arena_take(&arena, INT64_MAX / 2 + 1, &s), JC_E_MEMORY);
    jc_arena_fini(&arena);
}
