/* Writing a safetensors file in pieces, without ever holding it in memory; whole or not at all (io/output.h).
 *
 *   jc_tensor_spec tensors[] = {{"of", JC_I64, 1, {n}}, {"values", JC_F32, 3, {n, 16, 16}}};
 *   jc_safetensors_create(NULL, "graph.safetensors", tensors, 2, NULL, 0, &writer);
 *   for each piece: jc_safetensors_append(writer, 0, piece, piece_bytes);      // any order between tensors
 *   jc_safetensors_commit(writer);                                             // or jc_safetensors_abandon
 */
#ifndef JC_IO_SAFETENSORS_WRITE_H
#define JC_IO_SAFETENSORS_WRITE_H

#include "jacchain.h"

typedef struct jc_tensor_spec {
    const char *name; /* unique UTF-8, not "__metadata__"; borrowed during create */
    jc_dtype dtype;
    int rank;
    int64_t dims[JC_MAX_RANK];
} jc_tensor_spec;

/* One entry of the file's __metadata__; borrowed during create. */
typedef struct jc_metadata {
    const char *key, *text;
} jc_metadata;

typedef struct jc_safetensors_writer jc_safetensors_writer;

/* Writes the header: tensors with wide elements first, so that every tensor is aligned to its element. allocator:
 * copied, NULL for malloc and free. JC_E_USAGE when two names are the same, JC_E_OUTPUT with the system's reason. */
jc_status jc_safetensors_create(const jc_allocator *allocator, const char *path, const jc_tensor_spec *tensors,
                                int64_t n_tensors, const jc_metadata *metadata, int64_t n_metadata,
                                jc_safetensors_writer **writer);

/* The next `bytes` bytes of tensor `tensor` (its position in create's list), little endian, row-major. Pieces may be
 * of any size; tensors may take turns. */
jc_status jc_safetensors_append(jc_safetensors_writer *writer, int64_t tensor, const void *data, int64_t bytes);

/* Puts the file in place; JC_E_INTERNAL when a tensor has not had all its bytes. Ends the writer in any case. */
jc_status jc_safetensors_commit(jc_safetensors_writer *writer);

/* Ends the writer and leaves nothing behind. NULL is allowed. */
void jc_safetensors_abandon(jc_safetensors_writer *writer);

#endif
