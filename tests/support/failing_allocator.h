/* An allocator for tests: fails the n-th allocation, counts what is live, fills new and freed memory with junk, and
 * notices a free with other bytes than were asked for, or beyond the block's end. Safe to call from several threads. */
#ifndef JC_TESTS_FAILING_ALLOCATOR_H
#define JC_TESTS_FAILING_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>

#include "jacchain.h"

typedef struct failing_allocator {
    int64_t fail_at;     /* this call fails, counted from 0; -1: none */
    int fail_all_after;  /* 1: all later ones too */
    int64_t calls;       /* allocations asked for */
    int64_t failures;    /* of them refused */
    int64_t live_blocks; /* not freed yet */
    int64_t live_bytes;  /* as asked for */
    int64_t peak_bytes;  /* most bytes live at once */
    int64_t defects;     /* frees with the wrong size, of a foreign block, or after a write past the end */
} failing_allocator;

/* state: borrowed until the allocator's last block is freed. fail_at < 0: never fails. */
jc_allocator failing_allocator_init(failing_allocator *state, int64_t fail_at);

/* The bytes asked for of a block that is live. */
size_t failing_allocator_bytes(const void *block);

/* Calls body again and again with one allocation failing, first only the n-th, then all from the n-th on, for n = 0, 1,
 * .. until none fails. Each time body must clean up after itself: what is live is as it was before. Body fails with
 * JC_E_MEMORY and a sentence about memory, or, having got along without, succeeds. Returns the number of allocations.
 */
int64_t failing_allocator_sweep(failing_allocator *state, const char *what, jc_status (*body)(void *ctx), void *ctx);

#endif
