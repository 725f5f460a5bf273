/* An allocator for tests: fails the n-th allocation, counts what is live, fills new and freed memory with junk, and
 * notices a free with other bytes than were asked for, or beyond the block's end. Safe to call from several threads. */
#ifndef JC_TESTS_FAILING_ALLOCATOR_H
#define JC_TESTS_FAILING_ALLOCATOR_H

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

#endif
