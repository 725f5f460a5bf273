/* Seed matrices from files. */
#ifndef JC_IO_SEED_H
#define JC_IO_SEED_H

#include "core/alloc.h"
#include "io/file.h"
#include "io/safetensors.h"
#include "jacchain.h"

/* What a seed was read from, and what it was made of where its file has it in another form. */
typedef struct jc_seed_file {
    jc_allocator allocator;
    jc_safetensors *tensors; /* of a .safetensors file */
    jc_file file;            /* of a .npy file */
    jc_vec memory;           /* unsigned char */
} jc_seed_file;

/* Whether the path ends as a file of one array, which has no names. */
bool jc_seed_is_npy(const char *path);

/* The seed as a matrix, F64 or F32: k x size(of) for JC_SEED_ROWS, size(wrt) x k for JC_SEED_COLUMNS; an array of one
 * axis is k = 1, one number a 1 x 1 matrix. path: a .safetensors file, of which tensor `name` (NULL: its only one), or
 * a .npy file. *array is borrowed from *owner, which the caller closes. allocator: copied, NULL for malloc and free.
 * JC_E_INPUT names the file; JC_E_USAGE for a file of another kind. Whether the matrix fits the query is for the caller
 * to see. */
jc_status jc_seed_load(const jc_allocator *allocator, const char *path, const char *name, jc_seed kind, jc_array *array,
                       jc_seed_file **owner);
void jc_seed_close(jc_seed_file *file); /* NULL is allowed */

#endif
