/* Files written whole or not at all: to a temporary file in the same folder, renamed over `path` at the commit.
 * What was at `path` stays as it was on any failure, and the temporary file is removed. The new file has the
 * permissions of the one it replaces. */
#ifndef JC_IO_OUTPUT_H
#define JC_IO_OUTPUT_H

#include "core/alloc.h"
#include "jacchain.h"

typedef struct jc_output_file jc_output_file;

/* Begins the file. allocator: copied, NULL for malloc and free. JC_E_OUTPUT with the system's reason. */
jc_status jc_output_create(const jc_allocator *allocator, const char *path, jc_output_file **output);

/* Appends bytes after those written last; small pieces are gathered. */
jc_status jc_output_write(jc_output_file *output, const void *data, int64_t bytes);

/* The next jc_output_write goes to byte `offset`. */
jc_status jc_output_seek(jc_output_file *output, int64_t offset);

/* Puts the file in place, on the disk before its name is. Ends the output, whether it succeeds or not. */
jc_status jc_output_commit(jc_output_file *output);

/* Ends the output and leaves nothing behind. NULL is allowed. */
void jc_output_abandon(jc_output_file *output);

#endif
