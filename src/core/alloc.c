#include "core/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/size.h"

static void *default_alloc(void *ctx, size_t bytes)
{
    (void)ctx;
    return malloc(bytes);
}

static void default_free(void *ctx, void *ptr, size_t bytes)
{
    (void)ctx;
    (void)bytes;
    free(ptr);
}

jc_allocator jc_allocator_or_default(const jc_allocator *allocator)
{
    if (allocator) return *allocator;
    jc_allocator a = {NULL, default_alloc, default_free};
    return a;
}

/* Bytes of an allocation: never 0, so that a pointer always says "there". */
static size_t allocation_bytes(int64_t bytes)
{
    return bytes > 0 ? (size_t)bytes : 1;
}

jc_status jc_alloc(const jc_allocator *a, int64_t count, size_t element_bytes, const char *what, void *out)
{
    int64_t bytes;
    if (count < 0 || !jc_size_mul(count, (int64_t)element_bytes, &bytes))
        return jc_fail(JC_E_MEMORY,
                       "not enough memory: %lld elements of %zu bytes for %s are more than can be addressed",
                       (long long)count, element_bytes, what);
    void *ptr = a->alloc(a->ctx, allocation_bytes(bytes));
    if (!ptr) return jc_fail(JC_E_MEMORY, "not enough memory: %lld bytes for %s", (long long)bytes, what);
    *(void **)out = ptr;
    return JC_OK;
}

jc_status jc_alloc_zero(const jc_allocator *a, int64_t count, size_t element_bytes, const char *what, void *out)
{
    void *ptr = NULL;
    jc_status status = jc_alloc(a, count, element_bytes, what, &ptr);
    if (status) return status;
    memset(ptr, 0, allocation_bytes(count * (int64_t)element_bytes));
    *(void **)out = ptr;
    return JC_OK;
}

void jc_free(const jc_allocator *a, void *ptr, int64_t count, size_t element_bytes)
{
    if (ptr) a->free(a->ctx, ptr, allocation_bytes(count * (int64_t)element_bytes));
}

/* Moves the array into memory for `capacity` elements. */
static jc_status vec_move(const jc_allocator *a, jc_vec *v, int64_t capacity, const char *what)
{
    void *data = NULL;
    jc_status status = jc_alloc(a, capacity, v->element_bytes, what, &data);
    if (status) return status;
    if (v->count) memcpy(data, v->data, (size_t)v->count * v->element_bytes);
    jc_free(a, v->data, v->capacity, v->element_bytes);
    v->data = data;
    v->capacity = capacity;
    return JC_OK;
}

jc_status jc_vec_reserve(const jc_allocator *a, jc_vec *v, int64_t more, const char *what)
{
    if (more <= v->capacity - v->count) return JC_OK;
    int64_t need, grown = v->capacity + v->capacity / 2 + 8;
    if (!jc_size_add(v->count, more, &need)) return jc_fail(JC_E_MEMORY, "not enough memory for %s", what);
    return vec_move(a, v, need > grown ? need : grown, what);
}

jc_status jc_vec_append(const jc_allocator *a, jc_vec *v, const void *elements, int64_t n, const char *what)
{
    jc_status status = jc_vec_reserve(a, v, n, what);
    if (status) return status;
    unsigned char *end = (unsigned char *)v->data + (size_t)v->count * v->element_bytes;
    if (n && elements) memcpy(end, elements, (size_t)n * v->element_bytes);
    if (n && !elements) memset(end, 0, (size_t)n * v->element_bytes);
    v->count += n;
    return JC_OK;
}

void jc_vec_trim(const jc_allocator *a, jc_vec *v)
{
    if (v->count == v->capacity || !v->data) return;
    void *data = a->alloc(a->ctx, allocation_bytes(v->count * (int64_t)v->element_bytes));
    if (!data) return;
    if (v->count) memcpy(data, v->data, (size_t)v->count * v->element_bytes);
    jc_free(a, v->data, v->capacity, v->element_bytes);
    v->data = data;
    v->capacity = v->count;
}

void jc_vec_free(const jc_allocator *a, jc_vec *v)
{
    jc_free(a, v->data, v->capacity, v->element_bytes);
    v->data = NULL;
    v->count = v->capacity = 0;
}
