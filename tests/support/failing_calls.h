/* System calls that fail when a test says so. The linker puts these in front of the system's for the code under test
 * (tests/CMakeLists.txt, --wrap); otherwise they only count. */
#ifndef JC_TESTS_FAILING_CALLS_H
#define JC_TESTS_FAILING_CALLS_H

#include <stdint.h>

typedef enum failing_call {
    FAILING_OPEN,
    FAILING_FSTAT,
    FAILING_MMAP,
    FAILING_READ,
    FAILING_PWRITE,
    FAILING_FSYNC,
    FAILING_RENAME,
    FAILING_PTHREAD_CREATE,
    FAILING_CALLS
} failing_call;

extern const char *const failing_call_names[FAILING_CALLS];

/* Of each call, how often it was made since the last reset. */
extern int64_t failing_call_counts[FAILING_CALLS];

/* Call number n (from 0) of `call`, counted from now on, fails with `error`, once; n < 0: none does. */
void failing_calls_reset(failing_call call, int64_t n, int error);

/* pwrite writes at most this many bytes at a time; 0: no limit. */
void failing_calls_short_writes(int64_t bytes);

#endif
