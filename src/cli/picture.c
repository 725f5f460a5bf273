/* Text to a picture by another program. It is started without a shell, and reads and writes files in memory, so that
 * neither side waits for the other and nothing of it is seen before it has ended well. */
#define _GNU_SOURCE /* memfd_create */

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/picture.h"
#include "io/output.h"

extern char **environ;

enum { INPUT, OUTPUT, ERRORS, STREAMS, SAID_BYTES = 400 };

static jc_status fail_system(const char *what, int error)
{
    return jc_fail(JC_E_DEVICE, "drawing failed: %s: %s", what, strerror(error));
}

static void close_streams(const int stream[STREAMS])
{
    for (int i = 0; i < STREAMS; i++) {
        if (stream[i] >= 0) close(stream[i]);
    }
}

static jc_status write_all(int file, const char *data, size_t bytes)
{
    while (bytes) {
        ssize_t n = write(file, data, bytes);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail_system("a file in memory", n < 0 ? errno : EIO);
        data += n;
        bytes -= (size_t)n;
    }
    return JC_OK;
}

/* The three files, the first with the text, to be read from its start. */
static jc_status open_streams(const char *text, size_t bytes, int stream[STREAMS])
{
    static const char *const names[STREAMS] = {"jacchain-text", "jacchain-picture", "jacchain-errors"};
    for (int i = 0; i < STREAMS; i++) {
        stream[i] = memfd_create(names[i], MFD_CLOEXEC);
        if (stream[i] < 0) return fail_system("a file in memory", errno);
    }
    jc_status status = write_all(stream[INPUT], text, bytes);
    if (!status && lseek(stream[INPUT], 0, SEEK_SET)) status = fail_system("a file in memory", errno);
    return status;
}

/* What is in the file as a text that ends with NUL. */
static jc_status read_whole(int file, char **data, size_t *bytes)
{
    off_t end = lseek(file, 0, SEEK_END);
    if (end < 0) return fail_system("a file in memory", errno);
    char *text = malloc((size_t)end + 1);
    if (!text) return jc_fail(JC_E_MEMORY, "not enough memory for a picture of %lld bytes", (long long)end);
    for (off_t at = 0; at < end;) {
        ssize_t n = pread(file, text + at, (size_t)(end - at), at);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            free(text);
            return fail_system("a file in memory", n < 0 ? errno : EIO);
        }
        at += n;
    }
    text[end] = '\0';
    *data = text;
    *bytes = (size_t)end;
    return JC_OK;
}

/* This process ignores SIGPIPE; a program that it starts begins with what is usual. */
static int spawn(const jc_painter *painter, const int stream[STREAMS], pid_t *process)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual;
    int error = posix_spawn_file_actions_init(&actions);
    if (error) return error;
    if ((error = posix_spawnattr_init(&attributes))) goto no_attributes;
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    for (int i = 0; i < STREAMS && !error; i++) error = posix_spawn_file_actions_adddup2(&actions, stream[i], i);
    if (!error) error = posix_spawnattr_setsigdefault(&attributes, &usual);
    if (!error) error = posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    if (!error) {
        char *const *argv = (char *const *)painter->argv; /* posix_spawn leaves the texts as they are */
        error = posix_spawnp(process, argv[0], &actions, &attributes, argv, environ);
    }
    posix_spawnattr_destroy(&attributes);
no_attributes:
    posix_spawn_file_actions_destroy(&actions);
    return error;
}

/* Ends what the program said where a sentence is long enough, its lines made one. */
static void shorten(char *said)
{
    size_t n = strlen(said);
    if (n > SAID_BYTES) n = SAID_BYTES;
    while (n && (said[n - 1] == '\n' || said[n - 1] == ' ')) n--;
    said[n] = '\0';
    for (char *p = said; *p; p++) {
        if (*p == '\n') *p = ' ';
    }
}

static jc_status run(const jc_painter *painter, const int stream[STREAMS], int *status)
{
    pid_t process;
    int error = spawn(painter, stream, &process);
    if (error == ENOENT) return jc_fail(JC_E_UNAVAILABLE, "%s", painter->missing);
    if (error) return fail_system("the program cannot be started", error);
    while (waitpid(process, status, 0) < 0) {
        if (errno != EINTR) return fail_system("the program cannot be waited for", errno);
    }
    return JC_OK;
}

/* Whether the program ended well and left a picture. */
static jc_status judge(const char *program, int status, const jc_picture *picture)
{
    char how[48];
    if (status == 0 && picture->bytes) return JC_OK;
    shorten(picture->said);
    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, "signal %d", WTERMSIG(status));
    else
        snprintf(how, sizeof how, status ? "exit code %d" : "no picture", WEXITSTATUS(status));
    return jc_fail(JC_E_DEVICE, "the program %s failed (%s)%s%s", program, how, *picture->said ? ": " : "",
                   picture->said);
}

jc_status jc_picture_paint(const jc_painter *painter, const char *text, size_t bytes, jc_picture *picture)
{
    int stream[STREAMS] = {-1, -1, -1}, ended;
    jc_picture p = {NULL, 0, NULL};
    size_t said_bytes;
    jc_status status = open_streams(text, bytes, stream);
    if (!status) status = run(painter, stream, &ended);
    if (!status) status = read_whole(stream[OUTPUT], &p.data, &p.bytes);
    if (!status) status = read_whole(stream[ERRORS], &p.said, &said_bytes);
    if (!status) status = judge(painter->argv[0], ended, &p);
    close_streams(stream);
    if (status)
        jc_picture_fini(&p);
    else
        *picture = p;
    return status;
}

void jc_picture_fini(jc_picture *picture)
{
    free(picture->said);
    free(picture->data);
    *picture = (jc_picture){NULL, 0, NULL};
}

/* The picture in a temporary file, to be put in place. */
static jc_status write_file(const char *path, const char *data, size_t bytes, jc_output_file **file)
{
    jc_output_file *out;
    jc_status status = jc_output_create(NULL, path, &out);
    if (status) return status;
    if ((status = jc_output_write(out, data, (int64_t)bytes))) {
        jc_output_abandon(out);
        return status;
    }
    *file = out;
    return JC_OK;
}

int jc_picture_deliver(const char *path, const char *data, size_t bytes, void (*say)(const void *ctx), const void *ctx)
{
    jc_output_file *file;
    jc_status status = write_file(path, data, bytes, &file);
    if (status) return jc_cli_failed(status);
    say(ctx);
    int code = jc_cli_flush();
    if (code != JC_EXIT_DONE) {
        jc_output_abandon(file);
        return code;
    }
    status = jc_output_commit(file);
    return status ? jc_cli_failed(status) : JC_EXIT_DONE;
}
