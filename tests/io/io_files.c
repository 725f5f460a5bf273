#include "io/io_files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

io_folder io_folder_make(void)
{
    io_folder folder;
    const char *base = getenv("TMPDIR");
    snprintf(folder.path, sizeof folder.path, "%s/jacchain-io-XXXXXX", base ? base : "/tmp");
    cr_assert(mkdtemp(folder.path), "no folder for the test's files");
    return folder;
}

/* Calls unlink on every file where `remove` is set; returns how many there are. */
static int each_file(const io_folder *folder, int remove_them)
{
    DIR *dir = opendir(folder->path);
    int n = 0;
    cr_assert(dir);
    for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
        if (remove_them) unlink(io_path(folder, entry->d_name));
        n++;
    }
    closedir(dir);
    return n;
}

void io_folder_remove(const io_folder *folder)
{
    each_file(folder, 1);
    rmdir(folder->path);
}

int io_folder_count(const io_folder *folder)
{
    return each_file(folder, 0);
}

const char *io_path(const io_folder *folder, const char *name)
{
    static char paths[8][IO_PATH_BYTES + 300];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s/%s", folder->path, name);
    return path;
}

const char *io_write(const io_folder *folder, const char *name, const void *data, size_t bytes)
{
    const char *path = io_path(folder, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file, "%s", path);
    cr_assert(fwrite(data, 1, bytes, file) == bytes);
    cr_assert(fclose(file) == 0);
    return path;
}

static char *with_quotes(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    return copy;
}

const char *io_write_text(const io_folder *folder, const char *name, const char *text)
{
    char *copy = with_quotes(text);
    const char *path = io_write(folder, name, copy, strlen(copy));
    free(copy);
    return path;
}

unsigned char *io_read(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    cr_assert(file, "%s", path);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    unsigned char *data = malloc(*bytes + 1);
    cr_assert(fread(data, 1, *bytes, file) == *bytes);
    data[*bytes] = '\0';
    fclose(file);
    return data;
}

const char *io_write_tensors(const io_folder *folder, const char *name, const char *header, const void *data,
                             size_t bytes)
{
    char *text = with_quotes(header);
    uint64_t n = strlen(text);
    unsigned char *all = malloc(8 + n + bytes);
    for (int i = 0; i < 8; i++) all[i] = (unsigned char)(n >> (8 * i));
    memcpy(all + 8, text, n);
    if (bytes) memcpy(all + 8 + n, data, bytes);
    const char *path = io_write(folder, name, all, 8 + n + bytes);
    free(all);
    free(text);
    return path;
}

const char *io_write_list(const io_folder *folder, const char *name, const io_tensor *tensors, size_t n, int shift)
{
    char *header = malloc(n * 300 + 64);
    size_t used = (size_t)sprintf(header, "{"), at = 0;
    for (size_t i = 0; i < n; i++) {
        used +=
            (size_t)sprintf(header + used, "%s'%s':{'dtype':'%s','shape':%s,'data_offsets':[%zu,%zu]}", i ? "," : "",
                            tensors[i].name, tensors[i].dtype, tensors[i].shape, at, at + tensors[i].bytes);
        at += tensors[i].bytes;
    }
    used += (size_t)sprintf(header + used, "}");
    while (used % 8 != (size_t)shift) header[used++] = ' ';
    header[used] = '\0';
    unsigned char *data = malloc(at + 1);
    at = 0;
    for (size_t i = 0; i < n; i++) {
        memcpy(data + at, tensors[i].data, tensors[i].bytes);
        at += tensors[i].bytes;
    }
    const char *path = io_write_tensors(folder, name, header, data, at);
    free(data);
    free(header);
    return path;
}

static void *counting_alloc(void *ctx, size_t bytes)
{
    io_counter *c = ctx;
    if (c->calls++ == c->fail_at) return NULL;
    void *ptr = malloc(bytes);
    if (ptr) c->bytes_out += (int64_t)bytes;
    return ptr;
}

static void counting_free(void *ctx, void *ptr, size_t bytes)
{
    io_counter *c = ctx;
    c->bytes_out -= (int64_t)bytes;
    free(ptr);
}

jc_allocator io_counting_allocator(io_counter *counter)
{
    jc_allocator a = {counter, counting_alloc, counting_free};
    return a;
}
