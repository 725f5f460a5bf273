/* Seed matrices from files. */
#ifndef JC_IO_SEED_H
#define JC_IO_SEED_H

#include "io/safetensors.h"
#include "jacchain.h"

/* The seed in tensor `name` of a .safetensors file (NULL: its only tensor) as a matrix, of any floating type: k x
 * size(of) for JC_SEED_ROWS, size(wrt) x k for JC_SEED_COLUMNS; a tensor of one axis is k = 1. *array is borrowed from
 * *owner, which the caller closes (jc_safetensors_close). allocator: copied, NULL for malloc and free. JC_E_INPUT names
 * the file; JC_E_USAGE for a file of another kind. Whether the matrix fits the query is for the caller to see. */
jc_status jc_seed_load(const jc_allocator *allocator, const char *path, const char *name, jc_seed kind, jc_array *array,
                       jc_safetensors **owner);

#endif
