/* The bytes of a whole file: mapped read-only where it is a regular file, read into memory otherwise (pipes).
 * Where a mapped file becomes shorter while it is in use, the system sends SIGBUS to who touches what is gone; what is
 * done then is the program's to say (jacchain.h, jc_graph_options). */
#ifndef JC_IO_FILE_H
#define JC_IO_FILE_H

#include "core/alloc.h"
#include "jacchain.h"

typedef struct jc_file {
    const unsigned char *data; /* [bytes]; never NULL */
    int64_t bytes;
    bool mapped;
    jc_vec memory; /* unsigned char, where not mapped */
} jc_file;

/* JC_E_INPUT "cannot be read: <the system's reason>", "is a directory", "is a device" or "is empty", without the file's
 * name. */
jc_status jc_file_open(const jc_allocator *allocator, const char *path, jc_file *file);

/* The same, never mapped. */
jc_status jc_file_read(const jc_allocator *allocator, const char *path, jc_file *file);

/* What is left to read of an open file, which stays the caller's; never mapped. */
jc_status jc_file_read_open(const jc_allocator *allocator, int descriptor, jc_file *file);

/* allocator: as in open. */
void jc_file_close(const jc_allocator *allocator, jc_file *file);

/* Whether the name ends with the extension, in any case, and has something before it. */
bool jc_file_is_a(const char *path, const char *extension);

#endif
