/* System calls that fail when a test says so. The linker puts these in front of the system's for the code under test
 * (tests/CMakeLists.txt, --wrap); otherwise they only count. */
#ifndef JC_TESTS_FAILING_CALLS_H
#define JC_TESTS_FAILING_CALLS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum failing_call {
    FAILING_OPEN,
    FAILING_FSTAT,
    FAILING_MMAP,
    FAILING_READ,
    FAILING_PWRITE,
    FAILING_FSYNC,
    FAILING_CLOSE,
    FAILING_RENAME,
    FAILING_UNLINK,
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

/* read reads at most this many bytes at a time; 0: no limit. */
void failing_calls_short_reads(int64_t bytes);

/* Every open, read, pwrite and fsync is interrupted the first time (EINTR), and done at the second. */
void failing_calls_interrupt(bool interrupt);

/* Call number n (from 0) of all calls from now on ends the process with SIGKILL before anything of it is done, a pwrite
 * after half of it; n < 0: none does. */
void failing_calls_kill(int64_t n);

#endif
