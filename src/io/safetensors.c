#include "io/safetensors.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/size.h"
#include "io/file.h"
#include "io/json.h"

#define METADATA_KEY "__metadata__"

enum { LENGTH_BYTES = 8, MAX_HEADER_BYTES = 100000000, MOST_OFFERED = 100000, FAILURE_BYTES = 256 };

struct jc_safetensors {
    jc_allocator allocator;
    jc_file file;
    char *path; /* [path_bytes] */
    int64_t path_bytes;
    int64_t n_tensors;
    jc_tensor *tensors;        /* [n_tensors] in the order of their data */
    const jc_tensor **by_name; /* [n_tensors] */
    char *names;               /* [names_bytes] each ended by NUL */
    int64_t names_bytes;
    int64_t *dims; /* [n_dims] of all tensors */
    int64_t n_dims;
    json_t *metadata; /* owned; NULL: none */
};

typedef struct dtype_row {
    const char *name;
    int bits;
    int dtype; /* -1: of no use here */
} dtype_row;

static const dtype_row dtypes[] = {
    {"F64", 64, JC_F64}, {"F32", 32, JC_F32}, {"BF16", 16, JC_BF16},  {"F16", 16, JC_F16},    {"I64", 64, JC_I64},
    {"I32", 32, JC_I32}, {"BOOL", 8, -1},     {"U8", 8, -1},          {"I8", 8, -1},          {"I16", 16, -1},
    {"U16", 16, -1},     {"U32", 32, -1},     {"U64", 64, -1},        {"C64", 64, -1},        {"F8_E5M2", 8, -1},
    {"F8_E4M3", 8, -1},  {"F8_E8M0", 8, -1},  {"F8_E4M3FNUZ", 8, -1}, {"F8_E5M2FNUZ", 8, -1}, {"F6_E2M3", 6, -1},
    {"F6_E3M2", 6, -1},  {"F4", 4, -1},
};

static const dtype_row *find_dtype(const char *name)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (!strcmp(dtypes[i].name, name)) return &dtypes[i];
    return NULL;
}

static uint64_t header_length(const unsigned char *data)
{
    uint64_t n = 0;
    for (int i = LENGTH_BYTES - 1; i >= 0; i--) n = n << 8 | data[i];
    return n;
}

int jc_safetensors_recognise(const unsigned char *data, int64_t bytes)
{
    return bytes > LENGTH_BYTES && header_length(data) <= (uint64_t)(bytes - LENGTH_BYTES) && data[LENGTH_BYTES] == '{';
}

/* The header's JSON text lies behind the length and inside the file. */
static jc_status find_header(const jc_file *file, int64_t *bytes)
{
    if (file->bytes < LENGTH_BYTES)
        return jc_fail(JC_E_INPUT, "is too short for a safetensors file: %lld bytes", (long long)file->bytes);
    uint64_t n = header_length(file->data);
    if (n > MAX_HEADER_BYTES)
        return jc_fail(JC_E_INPUT, "the header's length, %llu bytes, is over the format's limit of %d",
                       (unsigned long long)n, MAX_HEADER_BYTES);
    if ((int64_t)n > file->bytes - LENGTH_BYTES)
        return jc_fail(JC_E_INPUT, "the header's length, %llu bytes, goes beyond the end of the file at %lld",
                       (unsigned long long)n, (long long)file->bytes);
    if (n == 0 || file->data[LENGTH_BYTES] != '{') return jc_fail(JC_E_INPUT, "the header does not begin with '{'");
    *bytes = (int64_t)n;
    return JC_OK;
}

static jc_status parse_header(const jc_safetensors *f, int64_t bytes, json_t **header)
{
    jc_status status = jc_json_parse(&f->allocator, f->file.data + LENGTH_BYTES, bytes, header);
    return status ? jc_fail_prefix(status, "header, ") : JC_OK;
}

static jc_status take_metadata(jc_safetensors *f, json_t *header)
{
    json_t *metadata = json_object_get(header, METADATA_KEY), *value;
    if (!metadata || json_is_null(metadata)) return JC_OK;
    if (!json_is_object(metadata))
        return jc_fail(JC_E_INPUT, "header: " METADATA_KEY " is %s, expected an object", jc_json_what(metadata));
    const char *key;
    char shown[JC_SHORT_BYTES];
    json_object_foreach(metadata, key, value)
    {
        if (!json_is_string(value))
            return jc_fail(JC_E_INPUT, "header: " METADATA_KEY ": '%s' is %s, expected text", jc_shorten(key, shown),
                           jc_json_what(value));
    }
    f->metadata = json_incref(metadata);
    return JC_OK;
}

/* "tensor 'w': <what>" */
static jc_status fail_tensor(const char *name, const char *format, ...) JC_PRINTF(2, 3);
static jc_status fail_tensor(const char *name, const char *format, ...)
{
    char shown[JC_SHORT_BYTES], what[FAILURE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return jc_fail(JC_E_INPUT, "tensor '%s': %s", jc_shorten(name, shown), what);
}

/* *out = a non-negative integer */
static bool natural(const json_t *value, int64_t *out)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) return false;
    *out = json_integer_value(value);
    return true;
}

/* bytes = product of the shape x bits of an element / 8; every partial product must fit. */
static jc_status count_bytes(const jc_tensor *t, int bits, int64_t *bytes)
{
    int64_t n = 1;
    for (int64_t i = 0; i < t->rank; i++)
        if (!jc_size_mul(n, t->dims[i], &n))
            return fail_tensor(t->name, "the product of its shape overflows, expected less than 2^63 elements");
    int64_t all_bits;
    if (!jc_size_mul(n, bits, &all_bits))
        return fail_tensor(t->name, "%lld elements of %d bits overflow, expected less than 2^63 bits", (long long)n,
                           bits);
    if (all_bits % 8)
        return fail_tensor(t->name, "its elements have %lld bits, expected whole bytes", (long long)all_bits);
    *bytes = all_bits / 8;
    return JC_OK;
}

static jc_status read_shape(const json_t *shape, int64_t *dims, jc_tensor *t)
{
    char shown[JC_SHOW_BYTES];
    if (!json_is_array(shape))
        return fail_tensor(t->name, "its shape is %s, expected a list of integers", jc_json_what(shape));
    t->rank = (int64_t)json_array_size(shape);
    t->dims = dims;
    for (int64_t i = 0; i < t->rank; i++)
        if (!natural(json_array_get(shape, (size_t)i), &dims[i]))
            return fail_tensor(t->name, "its shape has %s at /%lld, expected an integer of at least 0 and below 2^63",
                               jc_json_show(json_array_get(shape, (size_t)i), shown), (long long)i);
    return JC_OK;
}

/* Sets data to `begin` bytes into the data (it may lie outside until check_cover), bytes to end - begin. */
static jc_status read_offsets(const json_t *offsets, const unsigned char *data, int64_t data_bytes, jc_tensor *t)
{
    int64_t begin, end;
    if (!json_is_array(offsets) || json_array_size(offsets) != 2 || !natural(json_array_get(offsets, 0), &begin) ||
        !natural(json_array_get(offsets, 1), &end))
        return fail_tensor(t->name, "its data_offsets are not two integers of at least 0 and below 2^63");
    if (end < begin)
        return fail_tensor(t->name, "its data_offsets end at %lld, before they begin at %lld", (long long)end,
                           (long long)begin);
    if (end > data_bytes)
        return fail_tensor(t->name, "its data_offsets end at %lld, beyond the end of the file's data at %lld",
                           (long long)end, (long long)data_bytes);
    t->data = data + begin;
    t->bytes = end - begin;
    return JC_OK;
}

/* One tensor's description; name and dims point to storage for them. */
static jc_status read_tensor(const json_t *info, const jc_file *file, int64_t data_begin, int64_t *dims, jc_tensor *t)
{
    char shown[JC_SHOW_BYTES];
    if (!json_is_object(info))
        return fail_tensor(t->name, "its description is %s, expected an object", jc_json_what(info));
    const json_t *given = json_object_get(info, "dtype");
    const char *type = jc_json_text(given);
    const dtype_row *row = type ? find_dtype(type) : NULL;
    if (!row)
        return fail_tensor(t->name, "its dtype is %s, expected one of the format's such as F64",
                           jc_json_show(given, shown));
    t->dtype_name = row->name;
    t->dtype = row->dtype;
    jc_status status = read_shape(json_object_get(info, "shape"), dims, t);
    if (status) return status;
    status = read_offsets(json_object_get(info, "data_offsets"), file->data + data_begin, file->bytes - data_begin, t);
    if (status) return status;
    int64_t bytes = 0;
    if ((status = count_bytes(t, row->bits, &bytes))) return status;
    if (bytes != t->bytes)
        return fail_tensor(t->name, "its data_offsets hold %lld bytes, expected the %lld of its shape and dtype",
                           (long long)t->bytes, (long long)bytes);
    return JC_OK;
}

/* Counts what the tables need. */
static void measure(jc_safetensors *f, json_t *header)
{
    const char *key;
    json_t *info;
    json_object_foreach(header, key, info)
    {
        if (!strcmp(key, METADATA_KEY)) continue;
        f->n_tensors++;
        f->names_bytes += (int64_t)strlen(key) + 1;
        f->n_dims += (int64_t)json_array_size(json_object_get(info, "shape"));
    }
}

static jc_status allocate_tables(jc_safetensors *f)
{
    const jc_allocator *a = &f->allocator;
    jc_status status = jc_alloc_zero(a, f->n_tensors, sizeof *f->tensors, "a file's tensors", &f->tensors);
    if (!status) status = jc_alloc(a, f->n_tensors, sizeof *f->by_name, "a file's tensors", &f->by_name);
    if (!status) status = jc_alloc(a, f->names_bytes, 1, "a file's names", &f->names);
    if (!status) status = jc_alloc(a, f->n_dims, sizeof *f->dims, "a file's shapes", &f->dims);
    return status;
}

static jc_status read_tensors(jc_safetensors *f, json_t *header, int64_t data_begin)
{
    const char *key;
    json_t *info;
    char *name = f->names;
    int64_t *dims = f->dims;
    jc_tensor *t = f->tensors;
    json_object_foreach(header, key, info)
    {
        if (!strcmp(key, METADATA_KEY)) continue;
        size_t bytes = strlen(key) + 1;
        t->name = memcpy(name, key, bytes);
        jc_status status = read_tensor(info, &f->file, data_begin, dims, t);
        if (status) return status;
        name += bytes;
        dims += t->rank;
        t++;
    }
    return JC_OK;
}

static int compare_data(const void *a, const void *b)
{
    const jc_tensor *x = a, *y = b;
    if (x->data != y->data) return x->data < y->data ? -1 : 1;
    return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

static int compare_names(const void *a, const void *b)
{
    const jc_tensor *const *x = a, *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static int compare_name(const void *name, const void *b)
{
    const jc_tensor *const *y = b;
    return strcmp(name, (*y)->name);
}

static void sort_tables(jc_safetensors *f)
{
    size_t n = (size_t)f->n_tensors;
    if (n == 0) return;
    qsort(f->tensors, n, sizeof *f->tensors, compare_data);
    for (size_t i = 0; i < n; i++) f->by_name[i] = &f->tensors[i];
    qsort(f->by_name, n, sizeof *f->by_name, compare_names);
}

/* In the order of their data every tensor begins where the one before ends, and the last ends with the file. */
static jc_status check_cover(const jc_safetensors *f, int64_t data_begin)
{
    const unsigned char *begin = f->file.data + data_begin, *at = begin, *end = f->file.data + f->file.bytes;
    for (int64_t i = 0; i < f->n_tensors; i++) {
        const jc_tensor *t = &f->tensors[i];
        long long before = (long long)(at - begin), first = (long long)(t->data - begin);
        if (t->data < at)
            return fail_tensor(t->name, "its data begin at %lld and overlap those of another tensor up to %lld", first,
                               before);
        if (t->data > at)
            return fail_tensor(t->name, "its data begin at %lld behind a hole, expected %lld", first, before);
        at += t->bytes;
    }
    if (at == end) return JC_OK;
    return jc_fail(JC_E_INPUT, "the file has %lld bytes behind the last tensor's", (long long)(end - at));
}

static jc_status read_file(jc_safetensors *f)
{
    int64_t header_bytes = 0;
    json_t *header = NULL;
    jc_status status = find_header(&f->file, &header_bytes);
    if (!status) status = parse_header(f, header_bytes, &header);
    if (status) return status;
    measure(f, header);
    if (!status) status = take_metadata(f, header);
    if (!status) status = allocate_tables(f);
    if (!status) status = read_tensors(f, header, LENGTH_BYTES + header_bytes);
    json_decref(header);
    if (status) return status;
    sort_tables(f);
    return check_cover(f, LENGTH_BYTES + header_bytes);
}

jc_status jc_safetensors_take(const jc_allocator *allocator, const char *path, jc_file *file, jc_safetensors **out)
{
    jc_allocator a = jc_allocator_or_default(allocator);
    jc_safetensors *f;
    jc_status status = jc_alloc_zero(&a, 1, sizeof *f, "a safetensors file", &f);
    if (status) {
        jc_file_close(&a, file);
        return jc_fail_prefix(status, "%.1000s: ", path);
    }
    f->allocator = a;
    f->file = *file;
    f->path_bytes = (int64_t)strlen(path) + 1;
    if (!(status = jc_alloc(&a, f->path_bytes, 1, "a file's name", &f->path))) {
        memcpy(f->path, path, (size_t)f->path_bytes);
        status = read_file(f);
    }
    if (status) {
        jc_safetensors_close(f);
        return jc_fail_prefix(status, "%.1000s: ", path);
    }
    *out = f;
    return JC_OK;
}

jc_status jc_safetensors_open(const jc_allocator *allocator, const char *path, jc_safetensors **out)
{
    jc_allocator a = jc_allocator_or_default(allocator);
    jc_file file;
    jc_status status = jc_file_open(&a, path, &file);
    return status ? jc_fail_prefix(status, "%.1000s: ", path) : jc_safetensors_take(&a, path, &file, out);
}

void jc_safetensors_close(jc_safetensors *f)
{
    if (!f) return;
    const jc_allocator a = f->allocator;
    json_decref(f->metadata);
    jc_free(&a, f->dims, f->n_dims, sizeof *f->dims);
    jc_free(&a, f->names, f->names_bytes, 1);
    jc_free(&a, f->by_name, f->n_tensors, sizeof *f->by_name);
    jc_free(&a, f->tensors, f->n_tensors, sizeof *f->tensors);
    jc_file_close(&a, &f->file);
    jc_free(&a, f->path, f->path_bytes, 1);
    jc_free(&a, f, 1, sizeof *f);
}

const char *jc_safetensors_path(const jc_safetensors *f)
{
    return f->path;
}

int64_t jc_safetensors_count(const jc_safetensors *f)
{
    return f->n_tensors;
}

const jc_tensor *jc_safetensors_tensor(const jc_safetensors *f, int64_t index)
{
    return &f->tensors[index];
}

const jc_tensor *jc_safetensors_find(const jc_safetensors *f, const char *name)
{
    if (f->n_tensors == 0) return NULL;
    const jc_tensor **found = bsearch(name, f->by_name, (size_t)f->n_tensors, sizeof *f->by_name, compare_name);
    return found ? *found : NULL;
}

const char *jc_safetensors_hint(const jc_safetensors *f, const char *name, char hint[JC_HINT_BYTES])
{
    jc_nearest nearest = jc_nearest_begin(name, strlen(name));
    for (int64_t i = 0; i < jc_min(f->n_tensors, MOST_OFFERED); i++) jc_nearest_offer(&nearest, f->tensors[i].name);
    return jc_nearest_hint(&nearest, hint);
}

const char *jc_safetensors_metadata(const jc_safetensors *f, const char *key)
{
    return jc_json_text(json_object_get(f->metadata, key));
}

jc_status jc_tensor_slice(const jc_tensor *t, int64_t index, jc_tensor *slice)
{
    char shown[JC_SHORT_BYTES];
    if (t->rank == 0)
        return jc_fail(JC_E_INPUT, "tensor '%s' has no axis to take slice %lld of", jc_shorten(t->name, shown),
                       (long long)index);
    if (index < 0 || index >= t->dims[0])
        return jc_fail(JC_E_INPUT, "tensor '%s' has slices 0 to %lld, not %lld", jc_shorten(t->name, shown),
                       (long long)t->dims[0] - 1, (long long)index);
    int64_t bytes = t->bytes / t->dims[0];
    jc_tensor made = *t; /* slice may be t itself */
    made.rank = t->rank - 1;
    made.dims = t->dims + 1;
    made.bytes = bytes;
    made.data = t->data + index * bytes;
    *slice = made;
    return JC_OK;
}

jc_status jc_tensor_array(const jc_tensor *t, jc_array *array)
{
    char shown[JC_SHORT_BYTES];
    if (t->dtype < 0)
        return jc_fail(JC_E_INPUT, "tensor '%s' is %s; what can be used is F64, F32, BF16, F16, I64 and I32",
                       jc_shorten(t->name, shown), t->dtype_name);
    if (t->rank > JC_MAX_RANK)
        return jc_fail(JC_E_INPUT, "tensor '%s' has %lld axes; at most %d can be used", jc_shorten(t->name, shown),
                       (long long)t->rank, JC_MAX_RANK);
    jc_array a = {.dtype = (jc_dtype)t->dtype, .rank = (int)t->rank, .data = t->data, .ownership = JC_BORROW};
    for (int i = 0; i < a.rank; i++) a.dims[i] = t->dims[i];
    *array = a;
    return JC_OK;
}
