#include "support/failing_allocator.h"

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
