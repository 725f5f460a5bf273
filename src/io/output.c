#include "io/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"
#include "core/size.h"

enum { BUFFER_BYTES = 1 << 18, NAME_EXTRA = 48, NAME_TRIES = 1000 };

struct jc_output_file {
    jc_allocator allocator;
    int file;
    mode_t mode;           /* permissions of what is at the path, or 0 */
    size_t path_bytes;     /* with its NUL */
    char *path;            /* [path_bytes] */
    char *temporary;       /* [path_bytes + NAME_EXTRA] */
    unsigned char *buffer; /* [BUFFER_BYTES] */
    int64_t offset;        /* of the buffer's first byte in the file */
    int64_t buffered;
};

static jc_status fail_system(const jc_output_file *o, int error)
{
    char reason[128];
    if (strerror_r(error, reason, sizeof reason)) snprintf(reason, sizeof reason, "error %d", error);
    return jc_fail(JC_E_OUTPUT, "%.1000s: cannot be written: %s", o->path, reason);
}

/* Opens a file of a new name in the path's folder. open, not mkstemp, so that it gets the user's usual permissions. */
static jc_status open_temporary(jc_output_file *o)
{
    const char *slash = strrchr(o->path, '/');
    int folder = slash ? (int)(slash - o->path) + 1 : 0;
    for (int i = 0; i < NAME_TRIES; i++) {
        snprintf(o->temporary, o->path_bytes + NAME_EXTRA, "%.*s.jacchain-%ld-%d.tmp", folder, o->path, (long)getpid(),
                 i);
        o->file = open(o->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (o->file >= 0) return JC_OK;
        if (errno != EEXIST && errno != EINTR) break;
    }
    return fail_system(o, errno);
}

/* A device or a folder at the path must not be replaced by a file; of a file the permissions are kept. */
static jc_status check_target(jc_output_file *o)
{
    struct stat info;
    if (stat(o->path, &info)) return JC_OK; /* not there; a folder that is missing shows when the file is opened */
    o->mode = info.st_mode & 07777;
    if (S_ISREG(info.st_mode)) return JC_OK;
    return jc_fail(JC_E_OUTPUT, "%.1000s: cannot be written: it is %s", o->path,
                   S_ISDIR(info.st_mode) ? "a directory" : "not a regular file");
}

static void output_free(jc_output_file *o)
{
    const jc_allocator a = o->allocator;
    jc_free(&a, o->buffer, BUFFER_BYTES, 1);
    jc_free(&a, o->temporary, (int64_t)o->path_bytes + NAME_EXTRA, 1);
    jc_free(&a, o->path, (int64_t)o->path_bytes, 1);
    jc_free(&a, o, 1, sizeof *o);
}

jc_status jc_output_create(const jc_allocator *allocator, const char *path, jc_output_file **output)
{
    jc_allocator a = jc_allocator_or_default(allocator);
    jc_output_file *o;
    jc_status status = jc_alloc_zero(&a, 1, sizeof *o, "an output file", &o);
    if (status) return status;
    o->allocator = a;
    o->path_bytes = strlen(path) + 1;
    if ((status = jc_alloc(&a, (int64_t)o->path_bytes, 1, "an output file's name", &o->path))) goto fail;
    memcpy(o->path, path, o->path_bytes);
    if ((status = jc_alloc(&a, (int64_t)o->path_bytes + NAME_EXTRA, 1, "an output file's name", &o->temporary)))
        goto fail;
    if ((status = jc_alloc(&a, BUFFER_BYTES, 1, "an output file's buffer", &o->buffer))) goto fail;
    if ((status = check_target(o))) goto fail;
    if ((status = open_temporary(o))) goto fail;
    if (o->mode) (void)!fchmod(o->file, o->mode); /* where it cannot be, the usual ones will do */
    *output = o;
    return JC_OK;
fail:
    output_free(o);
    return status;
}

static jc_status write_at(const jc_output_file *o, const unsigned char *data, int64_t bytes, int64_t offset)
{
    while (bytes > 0) {
        ssize_t n = pwrite(o->file, data, (size_t)jc_min(bytes, 1 << 30), offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return fail_system(o, n < 0 ? errno : EIO);
        data += n;
        bytes -= n;
        offset += n;
    }
    return JC_OK;
}

static jc_status flush(jc_output_file *o)
{
    jc_status status = write_at(o, o->buffer, o->buffered, o->offset);
    if (status) return status;
    o->offset += o->buffered;
    o->buffered = 0;
    return JC_OK;
}

jc_status jc_output_write(jc_output_file *o, const void *data, int64_t bytes)
{
    if (bytes > BUFFER_BYTES - o->buffered) {
        jc_status status = flush(o);
        if (status) return status;
    }
    if (bytes > BUFFER_BYTES) {
        jc_status status = write_at(o, data, bytes, o->offset);
        if (!status) o->offset += bytes;
        return status;
    }
    if (bytes) memcpy(o->buffer + o->buffered, data, (size_t)bytes);
    o->buffered += bytes;
    return JC_OK;
}

jc_status jc_output_seek(jc_output_file *o, int64_t offset)
{
    if (offset == o->offset + o->buffered) return JC_OK;
    jc_status status = flush(o);
    if (!status) o->offset = offset;
    return status;
}

/* EINVAL: the file is of a kind that has no disk behind it. */
static jc_status sync_file(const jc_output_file *o)
{
    while (fsync(o->file)) {
        if (errno == EINVAL) break;
        if (errno != EINTR) return fail_system(o, errno);
    }
    return JC_OK;
}

jc_status jc_output_commit(jc_output_file *o)
{
    jc_status status = flush(o);
    if (!status) status = sync_file(o);
    int closed = close(o->file); /* where it is interrupted the file is closed all the same */
    if (!status && closed && errno != EINTR) status = fail_system(o, errno);
    if (!status && rename(o->temporary, o->path)) status = fail_system(o, errno);
    if (status) unlink(o->temporary);
    output_free(o);
    return status;
}

void jc_output_abandon(jc_output_file *o)
{
    if (!o) return;
    close(o->file);
    unlink(o->temporary);
    output_free(o);
}
