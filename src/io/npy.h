/* The .npy format, one array in a file.
 *
 *   6 bytes   "\x93NUMPY"
 *   2 bytes   version: 1.0, 2.0 or 3.0
 *   2 bytes   length N of the header, little endian (version 1.0); 4 bytes in the others
 *   N bytes   {'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }, the text of a Python dict
 *   the rest  the elements, row-major, or column-major where fortran_order is True
 *
 * Source: "The NPY format" in numpy's documentation of numpy.lib.format. */
#ifndef JC_IO_NPY_H
#define JC_IO_NPY_H

#include <stdbool.h>

#include "core/alloc.h"
#include "jacchain.h"

enum { JC_NPY_HEADER_BYTES = 128 }; /* of jc_npy_write_header: all of a file before its elements */

/* What a file holds. */
typedef struct jc_npy {
    jc_dtype dtype; /* F64, F32, F16, I64 or I32 */
    bool swapped;   /* big endian */
    bool fortran;   /* column-major */
    int rank;       /* at most JC_MAX_RANK */
    int64_t dims[JC_MAX_RANK];
    int64_t elements;
    const unsigned char *data; /* borrowed from the file's bytes; at any alignment */
} jc_npy;

/* Reads the header of a whole file [bytes] and holds its length against the shape. JC_E_INPUT without the file's name:
 * what was found and what was expected. Files that hold Python objects are never unpickled. */
jc_status jc_npy_parse(const void *file, int64_t bytes, jc_npy *npy);

/* The array as floating numbers, row-major in this machine's byte order: F64, F32 and F16 become F64, F32 and F32,
 * integers F64; those beyond 2^53 are refused. *array is borrowed from the file where nothing changes, else from
 * `memory` (unsigned char, the caller's to free). At most two axes in Fortran order. */
jc_status jc_npy_floats(const jc_allocator *allocator, const jc_npy *npy, jc_vec *memory, jc_array *array);

/* Everything before the elements of a row-major file of version 1.0. dtype: F64 or F32. */
void jc_npy_write_header(jc_dtype dtype, int rank, const int64_t *dims, unsigned char header[JC_NPY_HEADER_BYTES]);

#endif
