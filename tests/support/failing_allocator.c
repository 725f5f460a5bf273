#include "support/failing_allocator.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 16, GUARD_BYTES = 16, NEW_JUNK = 0xA5, FREED_JUNK = 0xDD, GUARD = 0x5C };
static const uint64_t MAGIC = UINT64_C(0x6A616363686E6F6B);

typedef struct header {
    uint64_t bytes, magic;
} header;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Counts the call; says whether it may have its memory. */
static int admit(failing_allocator *s)
{
    int64_t call = s->calls++;
    int refuse = s->fail_at >= 0 && (call == s->fail_at || (s->fail_all_after && call > s->fail_at));
    s->failures += refuse;
    return !refuse;
}

static void *test_alloc(void *ctx, size_t bytes)
{
    failing_allocator *s = ctx;
    unsigned char *block = NULL;
    pthread_mutex_lock(&lock);
    if (admit(s)) block = malloc(HEADER_BYTES + bytes + GUARD_BYTES);
    if (block) {
        s->live_blocks++;
        s->live_bytes += (int64_t)bytes;
        if (s->live_bytes > s->peak_bytes) s->peak_bytes = s->live_bytes;
    }
    pthread_mutex_unlock(&lock);
    if (!block) errno = ENOMEM; /* as malloc says it */
    if (!block) return NULL;
    header h = {bytes, MAGIC};
    memcpy(block, &h, sizeof h);
    memset(block + HEADER_BYTES, NEW_JUNK, bytes);
    memset(block + HEADER_BYTES + bytes, GUARD, GUARD_BYTES);
    return block + HEADER_BYTES;
}

static int guard_is_whole(const unsigned char *guard)
{
    for (int i = 0; i < GUARD_BYTES; i++)
        if (guard[i] != GUARD) return 0;
    return 1;
}

static void test_free(void *ctx, void *ptr, size_t bytes)
{
    failing_allocator *s = ctx;
    unsigned char *block = (unsigned char *)ptr - HEADER_BYTES;
    header h;
    memcpy(&h, block, sizeof h);
    int sound = h.magic == MAGIC && h.bytes == bytes && guard_is_whole(block + HEADER_BYTES + h.bytes);
    pthread_mutex_lock(&lock);
    s->defects += !sound;
    s->live_blocks--;
    s->live_bytes -= (int64_t)h.bytes;
    pthread_mutex_unlock(&lock);
    memset(block, FREED_JUNK, HEADER_BYTES + h.bytes);
    free(block);
}

jc_allocator failing_allocator_init(failing_allocator *state, int64_t fail_at)
{
    *state = (failing_allocator){.fail_at = fail_at};
    jc_allocator a = {state, test_alloc, test_free};
    return a;
}

size_t failing_allocator_bytes(const void *block)
{
    header h;
    memcpy(&h, (const unsigned char *)block - HEADER_BYTES, sizeof h);
    return (size_t)h.bytes;
}

/* ---- sweeps ---------------------------------------------------------------------------------------------------- */

/* One call of body with allocation n failing; whether one did. */
static bool attempt(failing_allocator *s, const char *what, jc_status (*body)(void *ctx), void *ctx, int64_t n)
{
    int64_t blocks = s->live_blocks, bytes = s->live_bytes;
    s->calls = s->failures = 0;
    s->fail_at = n;
    jc_status status = body(ctx);
    s->fail_at = -1;
    const char *all = s->fail_all_after ? " and all later ones" : "";
    cr_assert_eq(s->live_blocks, blocks, "%s, allocation %lld%s: %lld blocks of %lld bytes leak", what, (long long)n,
                 all, (long long)(s->live_blocks - blocks), (long long)(s->live_bytes - bytes));
    cr_assert_eq(s->defects, 0, "%s, allocation %lld%s: a free with a wrong size or a write past an end", what,
                 (long long)n, all);
    if (s->failures == 0) {
        cr_assert_eq(status, JC_OK, "%s: %s: %s", what, jc_status_name(status), jc_last_error());
        return false;
    }
    if (status == JC_OK) return true;
    cr_assert_eq(status, JC_E_MEMORY, "%s, allocation %lld%s: %s: %s", what, (long long)n, all, jc_status_name(status),
                 jc_last_error());
    cr_assert(strstr(jc_last_error(), "memory"), "%s, allocation %lld%s: \"%s\"", what, (long long)n, all,
              jc_last_error());
    return true;
}

int64_t failing_allocator_sweep(failing_allocator *state, const char *what, jc_status (*body)(void *ctx), void *ctx)
{
    int64_t n = 0;
    for (state->fail_all_after = 0; state->fail_all_after < 2; state->fail_all_after++)
        for (n = 0; attempt(state, what, body, ctx, n);) n++;
    state->fail_all_after = 0;
    return n;
}
