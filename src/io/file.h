/* The bytes of a whole file: mapped read-only where it is a regular file, read into memory otherwise (pipes).
 * Changing a mapped file's length while it is in use is out of scope: the system then ends the process (SIGBUS). */
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

/* JC_E_INPUT "cannot be read: <the system's reason>", "is a directory" or "is empty", without the file's name. */
jc_status jc_file_open(const jc_allocator *allocator, const char *path, jc_file *file);

/* allocator: as in open. */
void jc_file_close(const jc_allocator *allocator, jc_file *file);

#endif
