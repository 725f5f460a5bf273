/* Checked host allocation through the caller's allocator, and growable arrays. */
#ifndef JC_CORE_ALLOC_H
#define JC_CORE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jacchain.h"

/* The allocator to use where `allocator` is NULL: malloc and free. */
jc_allocator jc_allocator_or_default(const jc_allocator *allocator);

/* *out = memory for count elements (uninitialised; not NULL even for count 0). JC_E_MEMORY, naming `what`, when there
 * is none or count * element_bytes overflows. */
jc_status jc_alloc(const jc_allocator *a, int64_t count, size_t element_bytes, const char *what, void *out);

/* The same, zeroed. */
jc_status jc_alloc_zero(const jc_allocator *a, int64_t count, size_t element_bytes, const char *what, void *out);

/* Frees what jc_alloc gave for the same count and element_bytes; NULL is allowed. */
void jc_free(const jc_allocator *a, void *ptr, int64_t count, size_t element_bytes);

/* A growable array of elements of one size. data is owned; use the element's own type to read it. */
typedef struct jc_vec {
    void *data;
    int64_t count, capacity;
    size_t element_bytes;
} jc_vec;

static inline jc_vec jc_vec_of(size_t element_bytes)
{
    jc_vec v = {NULL, 0, 0, element_bytes};
    return v;
}

/* Makes room for `more` elements beyond count; count is unchanged. */
jc_status jc_vec_reserve(const jc_allocator *a, jc_vec *v, int64_t more, const char *what);

/* Appends n elements copied from `elements` (or zeroed where it is NULL). */
jc_status jc_vec_append(const jc_allocator *a, jc_vec *v, const void *elements, int64_t n, const char *what);

/* Gives unused capacity back. Never fails: without memory for the smaller copy the array stays as it is. */
void jc_vec_trim(const jc_allocator *a, jc_vec *v);

void jc_vec_free(const jc_allocator *a, jc_vec *v);

#endif
