#define _GNU_SOURCE
#include "fuzz/fuzz.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PATH_BYTES = 128, N_NAMES = 8, NAME_BYTES = 32 };

static char folder[PATH_BYTES], written[N_NAMES][NAME_BYTES];
static int n_written;

void fuzz_expect(bool holds, const char *format, ...)
{
    if (holds) return;
    va_list args;
    fprintf(stderr, "does not hold: ");
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nlast message: %s\n", jc_last_error());
    abort();
}

static void remove_folder(void)
{
    for (int i = 0; i < n_written; i++) unlink(fuzz_path(written[i]));
    rmdir(folder);
}

static void make_folder(void)
{
    snprintf(folder, sizeof folder, "%s/jacchain-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    fuzz_expect(mkdtemp(folder), "there is a place for files");
    atexit(remove_folder);
}

const char *fuzz_path(const char *name)
{
    static char paths[4][PATH_BYTES + NAME_BYTES];
    static int next;
    if (!folder[0]) make_folder();
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%.*s", folder, NAME_BYTES - 1, name);
    return path;
}

static void remember(const char *name)
{
    for (int i = 0; i < n_written; i++)
        if (!strcmp(written[i], name)) return;
    fuzz_expect(n_written < N_NAMES, "few names");
    snprintf(written[n_written++], NAME_BYTES, "%s", name);
}

const char *fuzz_write(const char *name, const void *data, size_t bytes)
{
    const char *path = fuzz_path(name);
    remember(name);
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    fuzz_expect(file >= 0 && write(file, data, bytes) == (ssize_t)bytes && close(file) == 0, "%s is written", name);
    return path;
}

void fuzz_expect_read(jc_status status, const char *start)
{
    if (status == JC_OK) return;
    const char *message = jc_last_error();
    size_t n = strlen(start);
    fuzz_expect(status == JC_E_INPUT, "status %s", jc_status_name(status));
    fuzz_expect(!strncmp(message, start, n) && message[n], "the message begins with %s", start);
    for (const char *c = message; *c; c++)
        fuzz_expect((unsigned char)*c >= 0x20 && *c != 0x7f, "no control characters in a message");
}
