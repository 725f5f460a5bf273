#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/error.h"

enum { READ_BYTES = 1 << 16 };

static jc_status fail_system(int error)
{
    char reason[128];
    if (strerror_r(error, reason, sizeof reason)) snprintf(reason, sizeof reason, "error %d", error);
    return jc_fail(error == ENOMEM ? JC_E_MEMORY : JC_E_INPUT, "cannot be read: %s", reason);
}

static bool map(int fd, int64_t bytes, jc_file *file)
{
    void *data = mmap(NULL, (size_t)bytes, PROT_READ, MAP_PRIVATE, fd, 0);
    if (data == MAP_FAILED) return false;
    file->data = data;
    file->bytes = bytes;
    file->mapped = true;
    return true;
}

static jc_status read_all(const jc_allocator *a, int fd, jc_file *file)
{
    jc_vec *v = &file->memory;
    for (;;) {
        jc_status status = jc_vec_reserve(a, v, READ_BYTES, "an input file");
        if (status) return status;
        ssize_t n = read(fd, (unsigned char *)v->data + v->count, (size_t)(v->capacity - v->count));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail_system(errno);
        if (n == 0) break;
        v->count += n;
    }
    if (v->count == 0) return jc_fail(JC_E_INPUT, "is empty");
    file->data = v->data;
    file->bytes = v->count;
    return JC_OK;
}

jc_status jc_file_read_open(const jc_allocator *a, int descriptor, jc_file *out)
{
    jc_file file = {.memory = jc_vec_of(1)};
    jc_status status = read_all(a, descriptor, &file);
    if (status)
        jc_vec_free(a, &file.memory);
    else
        *out = file;
    return status;
}

static int open_again(const char *path)
{
    int fd;
    do {
        fd = open(path, O_RDONLY | O_CLOEXEC);
    } while (fd < 0 && errno == EINTR);
    return fd;
}

static jc_status open_file(const jc_allocator *a, const char *path, bool may_map, jc_file *out)
{
    int fd = open_again(path);
    if (fd < 0) return fail_system(errno);
    struct stat info;
    jc_status status = JC_OK;
    jc_file file = {.memory = jc_vec_of(1)};
    if (fstat(fd, &info))
        status = fail_system(errno);
    else if (S_ISDIR(info.st_mode))
        status = jc_fail(JC_E_INPUT, "is a directory");
    else if (S_ISBLK(info.st_mode) || (S_ISCHR(info.st_mode) && !isatty(fd))) /* may have no end */
        status = jc_fail(JC_E_INPUT, "is a device");
    else if (may_map && S_ISREG(info.st_mode) && info.st_size > 0 && map(fd, info.st_size, &file))
        *out = file;
    else
        status = jc_file_read_open(a, fd, out);
    close(fd);
    return status;
}

jc_status jc_file_open(const jc_allocator *a, const char *path, jc_file *file)
{
    return open_file(a, path, true, file);
}

jc_status jc_file_read(const jc_allocator *a, const char *path, jc_file *file)
{
    return open_file(a, path, false, file);
}

void jc_file_close(const jc_allocator *a, jc_file *file)
{
    if (file->mapped) munmap((void *)file->data, (size_t)file->bytes);
    jc_vec_free(a, &file->memory);
    file->data = NULL;
    file->mapped = false;
}

bool jc_file_is_a(const char *path, const char *extension)
{
    size_t n = strlen(path), e = strlen(extension);
    return n > e && !strcasecmp(path + n - e, extension);
}
