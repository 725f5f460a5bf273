#include "support/expected.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The whole file; released by the caller. */
static unsigned char *read_file(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    cr_assert(f, "%s cannot be opened", path);
    cr_assert_eq(fseek(f, 0, SEEK_END), 0);
    *bytes = (size_t)ftell(f);
    rewind(f);
    unsigned char *data = malloc(*bytes + 1);
    cr_assert(data && fread(data, 1, *bytes, f) == *bytes, "%s cannot be read", path);
    fclose(f);
    return data;
}

/* 8 bytes of little-endian length, then that much JSON, then the tensors. */
static json_t *header_of(const unsigned char *file, const char *path, uint64_t *length)
{
    json_error_t error;
    memcpy(length, file, 8);
    json_t *header = json_loadb((const char *)file + 8, *length, 0, &error);
    cr_assert(header, "%s: %s", path, error.text);
    return header;
}

json_t *jt_expected_header(const char *path)
{
    size_t bytes;
    uint64_t length;
    unsigned char *file = read_file(path, &bytes);
    json_t *header = header_of(file, path, &length);
    free(file);
    return header;
}

double *jt_expected_tensor(jt_pool *pool, const char *path, const char *name, int64_t *n)
{
    size_t bytes;
    uint64_t length;
    unsigned char *file = read_file(path, &bytes);
    json_t *header = header_of(file, path, &length), *tensor = json_object_get(header, name);
    cr_assert(tensor, "%s has no tensor %s", path, name);
    cr_assert_str_eq(json_string_value(json_object_get(tensor, "dtype")), "F64");
    json_t *offsets = json_object_get(tensor, "data_offsets");
    size_t begin = (size_t)json_integer_value(json_array_get(offsets, 0));
    size_t end = (size_t)json_integer_value(json_array_get(offsets, 1));
    cr_assert(begin <= end && 8 + length + end <= bytes);
    *n = (int64_t)((end - begin) / 8);
    double *values = jt_alloc(pool, *n, sizeof *values);
    memcpy(values, file + 8 + length + begin, end - begin);
    json_decref(header);
    free(file);
    return values;
}

json_t *jt_json(const char *path)
{
    json_error_t error;
    json_t *document = json_load_file(path, 0, &error);
    cr_assert(document, "%s: %s", path, error.text);
    return document;
}
