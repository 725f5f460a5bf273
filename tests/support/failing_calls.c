#include "support/failing_calls.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const failing_call_names[FAILING_CALLS] = {"open",  "fstat", "mmap",   "read",   "pwrite",
                                                       "fsync", "close", "rename", "unlink", "pthread_create"};
int64_t failing_call_counts[FAILING_CALLS];

static failing_call failing = FAILING_CALLS;
static int64_t failing_at = -1, most_written, most_read, kill_at = -1;
static int failing_error;
static bool interrupting, interrupted;

void failing_calls_reset(failing_call call, int64_t n, int error)
{
    memset(failing_call_counts, 0, sizeof failing_call_counts);
    failing = call;
    failing_at = n;
    failing_error = error;
}

void failing_calls_short_writes(int64_t bytes)
{
    most_written = bytes;
}

void failing_calls_short_reads(int64_t bytes)
{
    most_read = bytes;
}

void failing_calls_interrupt(bool interrupt)
{
    interrupting = interrupt;
    interrupted = false;
}

void failing_calls_kill(int64_t n)
{
    kill_at = n;
}

/* Whether the process is to end in this call. */
static bool ends_here(void)
{
    return kill_at >= 0 && kill_at-- == 0;
}

/* Every second one of the calls that can be interrupted is. */
static bool is_interrupted(failing_call call)
{
    bool can = call == FAILING_OPEN || call == FAILING_READ || call == FAILING_PWRITE || call == FAILING_FSYNC;
    if (!interrupting || !can) return false;
    interrupted = !interrupted;
    if (interrupted) errno = EINTR;
    return interrupted;
}

static bool fails(failing_call call)
{
    if (call != FAILING_PWRITE && ends_here()) raise(SIGKILL);
    bool now = failing_call_counts[call]++ == failing_at && call == failing;
    if (now) errno = failing_error;
    return now || is_interrupted(call);
}

int __real_open(const char *path, int flags, ...);
int __real_fstat(int fd, struct stat *info);
void *__real_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
ssize_t __real_read(int fd, void *data, size_t bytes);
ssize_t __real_pwrite(int fd, const void *data, size_t bytes, off_t offset);
int __real_fsync(int fd);
int __real_close(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_open(const char *path, int flags, ...);
int __wrap_fstat(int fd, struct stat *info);
void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset);
ssize_t __wrap_read(int fd, void *data, size_t bytes);
ssize_t __wrap_pwrite(int fd, const void *data, size_t bytes, off_t offset);
int __wrap_fsync(int fd);
int __wrap_close(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg);

int __wrap_open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    if (flags & O_CREAT) {
        va_list args;
        va_start(args, flags);
        mode = va_arg(args, mode_t);
        va_end(args);
    }
    return fails(FAILING_OPEN) ? -1 : __real_open(path, flags, mode);
}

int __wrap_fstat(int fd, struct stat *info)
{
    return fails(FAILING_FSTAT) ? -1 : __real_fstat(fd, info);
}

void *__wrap_mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset)
{
    return fails(FAILING_MMAP) ? MAP_FAILED : __real_mmap(address, bytes, protection, flags, fd, offset);
}

ssize_t __wrap_read(int fd, void *data, size_t bytes)
{
    if (fails(FAILING_READ)) return -1;
    if (most_read && bytes > (size_t)most_read) bytes = (size_t)most_read;
    return __real_read(fd, data, bytes);
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t bytes, off_t offset)
{
    if (ends_here()) {
        ssize_t half = __real_pwrite(fd, data, bytes / 2, offset);
        raise(half >= 0 ? SIGKILL : SIGABRT);
    }
    if (fails(FAILING_PWRITE)) return -1;
    if (most_written && bytes > (size_t)most_written) bytes = (size_t)most_written;
    return __real_pwrite(fd, data, bytes, offset);
}

int __wrap_fsync(int fd)
{
    return fails(FAILING_FSYNC) ? -1 : __real_fsync(fd);
}

/* The descriptor is gone in any case, as it is where the system's close fails. */
int __wrap_close(int fd)
{
    bool failed = fails(FAILING_CLOSE);
    int result = __real_close(fd);
    if (failed) errno = failing_error;
    return failed ? -1 : result;
}

int __wrap_unlink(const char *path)
{
    return fails(FAILING_UNLINK) ? -1 : __real_unlink(path);
}

int __wrap_rename(const char *from, const char *to)
{
    return fails(FAILING_RENAME) ? -1 : __real_rename(from, to);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *), void *arg)
{
    return fails(FAILING_PTHREAD_CREATE) ? failing_error : __real_pthread_create(thread, attr, run, arg);
}
