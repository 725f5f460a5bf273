/* Files for the tests of src/io: a folder of their own, texts, safetensors files made without src/io. */
#ifndef IO_FILES_H
#define IO_FILES_H

#include <stddef.h>
#include <stdint.h>

#include "jacchain.h"

enum { IO_PATH_BYTES = 512 };

typedef struct io_folder {
    char path[IO_PATH_BYTES];
} io_folder;

io_folder io_folder_make(void);
void io_folder_remove(const io_folder *folder); /* with the files in it */
int io_folder_count(const io_folder *folder);   /* files in it */

/* Writes the file and returns its path (static, overwritten by the eighth call after). */
const char *io_write(const io_folder *folder, const char *name, const void *data, size_t bytes);
const char *io_path(const io_folder *folder, const char *name);

/* Writes `text` with every ' turned into ". */
const char *io_write_text(const io_folder *folder, const char *name, const char *text);

/* The file's bytes, to be freed; *bytes is their number. */
unsigned char *io_read(const char *path, size_t *bytes);

/* A file of a header (' turned into ") and data. */
const char *io_write_tensors(const io_folder *folder, const char *name, const char *header, const void *data,
                             size_t bytes);

typedef struct io_tensor {
    const char *name, *dtype, *shape; /* "[2,3]" */
    const void *data;
    size_t bytes;
} io_tensor;

/* The tensors one after another, the data `shift` bytes off a multiple of 8. */
const char *io_write_list(const io_folder *folder, const char *name, const io_tensor *tensors, size_t n, int shift);

/* An allocator that counts what is out, and fails call number fail_at (from 0; -1: none). */
typedef struct io_counter {
    int64_t calls, fail_at, bytes_out;
} io_counter;

jc_allocator io_counting_allocator(io_counter *counter);

#endif
