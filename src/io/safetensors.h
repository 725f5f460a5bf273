/* Reading safetensors files: mapped, checked as the format's own reader does, used in place.
 *
 *   8 bytes   length N of the header, little endian
 *   N bytes   {"name": {"dtype": "F64", "shape": [2,3], "data_offsets": [begin, end]}, ..., "__metadata__": {text:
 * text}} the rest  data, little endian and row-major; the tensors cover it without holes or overlap
 *
 * Source: the format's README and the checks of its Rust crate (SafeTensors::read_metadata, Metadata::validate). */
#ifndef JC_IO_SAFETENSORS_H
#define JC_IO_SAFETENSORS_H

#include "core/nearest.h"
#include "io/file.h"
#include "jacchain.h"

typedef struct jc_safetensors jc_safetensors;

/* One tensor of an open file. Everything is borrowed from the file. */
typedef struct jc_tensor {
    const char *name;
    const char *dtype_name; /* "F64"; static text */
    int dtype;              /* a jc_dtype, or -1: a type of the format that jacchain has no use for */
    int64_t rank;
    const int64_t *dims;       /* [rank] */
    const unsigned char *data; /* never NULL; at any alignment */
    int64_t bytes;
} jc_tensor;

/* Opens and checks a file. allocator: copied, NULL for malloc and free. JC_E_INPUT "<path>: <what is wrong>". */
jc_status jc_safetensors_open(const jc_allocator *allocator, const char *path, jc_safetensors **file);
void jc_safetensors_close(jc_safetensors *file); /* NULL is allowed */

/* The same of a file that is open already, and taken over in any case; opened with the same allocator. */
jc_status jc_safetensors_take(const jc_allocator *allocator, const char *path, jc_file *open_file,
                              jc_safetensors **file);

/* Whether a file of these bytes is a safetensors file rather than text: by its header, not by its name. */
int jc_safetensors_recognise(const unsigned char *data, int64_t bytes);

const char *jc_safetensors_path(const jc_safetensors *file);
int64_t jc_safetensors_count(const jc_safetensors *file);
const jc_tensor *jc_safetensors_tensor(const jc_safetensors *file, int64_t index);  /* in the order of their data */
const jc_tensor *jc_safetensors_find(const jc_safetensors *file, const char *name); /* NULL: none; O(log n) */
/* What to put behind "there is no tensor 'vaules'": "; is 'values' meant?" or "". Returns hint. */
const char *jc_safetensors_hint(const jc_safetensors *file, const char *name, char hint[JC_HINT_BYTES]);
const char *jc_safetensors_metadata(const jc_safetensors *file, const char *key); /* NULL: none */

/* Slice `index` of the first axis; JC_E_INPUT when there is none. Places of messages: none. */
jc_status jc_tensor_slice(const jc_tensor *tensor, int64_t index, jc_tensor *slice);

/* The tensor as an array, borrowed. JC_E_INPUT for a type or rank that jacchain has no use for. */
jc_status jc_tensor_array(const jc_tensor *tensor, jc_array *array);

#endif
