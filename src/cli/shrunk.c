/* What a signal handler may do (signal-safety(7)) is all that is done here: system calls on memory of our own. */
#include "cli/shrunk.h"

#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_INPUT = 3, LINE_BYTES = 5000, CHUNK_BYTES = 4096, FILES = 1024, NUMBER_BYTES = 24 };

/* One mapping of this process: a line of /proc/self/maps,
 *     7f1c2a000000-7f1c2a100000 r--p 00000000 08:01 1234    /folder/file */
typedef struct mapping {
    uintptr_t begin, end;
    const char *flags; /* "r--p" */
    const char *path;  /* "" where there is none */
} mapping;

/* The file of mappings, line by line. There is one: the first thread that faults ends the process. */
static struct maps {
    int file;
    ssize_t filled, at;
    char chunk[CHUNK_BYTES];
    char line[LINE_BYTES];
} maps;

static bool maps_open(void)
{
    maps.filled = maps.at = 0;
    maps.file = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    return maps.file >= 0;
}

/* The next line, without its end; what is longer than a line can be is cut. */
static bool next_line(void)
{
    size_t used = 0;
    for (;;) {
        if (maps.at == maps.filled) {
            maps.filled = read(maps.file, maps.chunk, sizeof maps.chunk);
            maps.at = 0;
            if (maps.filled <= 0) return false;
        }
        char c = maps.chunk[maps.at++];
        if (c == '\n') break;
        if (used + 1 < sizeof maps.line) maps.line[used++] = c;
    }
    maps.line[used] = '\0';
    return true;
}

static uintptr_t read_hex(const char **text)
{
    uintptr_t value = 0;
    for (;; ++*text) {
        char c = **text;
        if (c >= '0' && c <= '9')
            value = value * 16 + (uintptr_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            value = value * 16 + (uintptr_t)(c - 'a' + 10);
        else
            return value;
    }
}

static bool next_mapping(mapping *m)
{
    if (!next_line()) return false;
    const char *p = maps.line;
    m->begin = read_hex(&p);
    if (*p) p++;
    m->end = read_hex(&p);
    if (*p) p++;
    m->flags = p;
    const char *slash = strchr(p, '/');
    m->path = slash ? slash : "";
    return true;
}

/* Copies the path of the file that is mapped there, to be read only. */
static bool find_file(uintptr_t address, char path[LINE_BYTES])
{
    mapping m;
    bool found = false;
    if (!maps_open()) return false;
    while (!found && next_mapping(&m)) found = address >= m.begin && address < m.end;
    found = found && *m.path && !strncmp(m.flags, "r--p", 4);
    if (found) strcpy(path, m.path);
    close(maps.file);
    return found;
}

/* Whether some of the file is mapped to be executed: then it is the program or a library, not an input. */
static bool is_code(const char *path)
{
    mapping m;
    bool found = false;
    if (!maps_open()) return false;
    while (!found && next_mapping(&m)) found = m.flags[0] && m.flags[2] == 'x' && !strcmp(m.path, path);
    close(maps.file);
    return found;
}

/* Writes the number behind `prefix`; text has room for both. Returns text. */
static const char *number_text(const char *prefix, long number, char *text)
{
    char digits[NUMBER_BYTES];
    size_t n = 0, used = strlen(prefix);
    do {
        digits[n++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    memcpy(text, prefix, used);
    while (n) text[used++] = digits[--n];
    text[used] = '\0';
    return text;
}

/* Files that io/output.h has begun are ".jacchain-<process>-<n>.tmp", and open. */
static void remove_begun_outputs(void)
{
    static char path[LINE_BYTES];
    char link[64], ours[64];
    number_text("/.jacchain-", (long)getpid(), ours);
    for (int file = 3; file < FILES; file++) {
        ssize_t n = readlink(number_text("/proc/self/fd/", file, link), path, sizeof path - 1);
        if (n <= 0) continue;
        path[n] = '\0';
        const char *name = strrchr(path, '/');
        size_t prefix = strlen(ours);
        if (name && !strncmp(name, ours, prefix) && name[prefix] == '-' && !strcmp(path + n - 4, ".tmp")) unlink(path);
    }
}

static void say(const char *text)
{
    for (size_t n = strlen(text); n > 0;) {
        ssize_t written = write(STDERR_FILENO, text, n);
        if (written <= 0) return;
        text += written;
        n -= (size_t)written;
    }
}

static void on_bus_error(int signal_number, siginfo_t *info, void *context)
{
    static atomic_flag busy = ATOMIC_FLAG_INIT;
    static char path[LINE_BYTES];
    (void)context;
    if (atomic_flag_test_and_set(&busy))
        for (;;) pause(); /* another thread is about to end the process */
    if (info->si_code > 0 && find_file((uintptr_t)info->si_addr, path) && !is_code(path)) {
        remove_begun_outputs();
        say("jacchain: ");
        say(path);
        say(": became shorter while it was being read\n");
        _exit(EXIT_INPUT);
    }
    signal(signal_number, SIG_DFL);
    raise(signal_number); /* once this handler is left */
}

void jc_cli_catch_shrunk_files(void)
{
    struct sigaction action = {.sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}
