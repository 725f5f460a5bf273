/* .npy files: those in tests/data/npy were written by numpy. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/dtype.h"
#include "io/io_files.h"
#include "io/npy.h"
#include "io/results.h"
#include "io/seed.h"

#define NPY(name) JC_TEST_DATA "/npy/" name ".npy"

/* ---- reading ---------------------------------------------------------------------------------------------------- */

static const double real[6] = {1, -2.5, 3, 0.1, 1e300, -0.0};
static const float single[6] = {1, -2.5f, 3, 0.1f, 1e30f, -0.0f};
static const double integers[6] = {1, -2, 3, 0x1p53, -0x1p53, 7};
static const double few[3] = {1, -2, 2147483647};
static const double line[4] = {1.5, 2, 3, 4};
static const double scalar[1] = {2.5};

typedef struct good {
    const char *path;
    jc_dtype dtype; /* of the floats that it becomes */
    int rank;
    int64_t rows, cols; /* dims */
    const void *numbers;
} good;

static const good goods[] = {
    {NPY("f8"), JC_F64, 2, 2, 3, real},      {NPY("f8_fortran"), JC_F64, 2, 2, 3, real},
    {NPY("f8_v2"), JC_F64, 2, 2, 3, real},   {NPY("f8_v3"), JC_F64, 2, 2, 3, real},
    {NPY("f8_big"), JC_F64, 2, 2, 3, real},  {NPY("f8_big_fortran"), JC_F64, 2, 2, 3, real},
    {NPY("f4"), JC_F32, 2, 2, 3, single},    {NPY("f4_big"), JC_F32, 2, 2, 3, single},
    {NPY("i8"), JC_F64, 2, 2, 3, integers},  {NPY("i8_big"), JC_F64, 2, 2, 3, integers},
    {NPY("i4"), JC_F64, 1, 3, 1, few},       {NPY("i4_big"), JC_F64, 1, 3, 1, few},
    {NPY("line"), JC_F64, 1, 4, 1, line},    {NPY("scalar"), JC_F64, 0, 1, 1, scalar},
    {NPY("empty"), JC_F64, 2, 0, 5, scalar},
};
enum { N_GOODS = sizeof goods / sizeof goods[0] };

/* The file's array as floats at *memory's end or in *file, which is freed by the caller. */
static jc_array read_floats(const char *path, unsigned char **file, jc_vec *memory)
{
    size_t bytes;
    jc_npy npy;
    jc_array array;
    jc_allocator a = jc_allocator_or_default(NULL);
    *file = io_read(path, &bytes);
    *memory = jc_vec_of(1);
    cr_assert_eq(jc_npy_parse(*file, (int64_t)bytes, &npy), JC_OK, "%s: %s", path, jc_last_error());
    cr_assert_eq(jc_npy_floats(&a, &npy, memory, &array), JC_OK, "%s: %s", path, jc_last_error());
    return array;
}

static void free_floats(unsigned char *file, jc_vec *memory)
{
    jc_allocator a = jc_allocator_or_default(NULL);
    jc_vec_free(&a, memory);
    free(file);
}

Test(npy, every_form_that_numpy_writes_is_read_to_the_bit)
{
    for (int i = 0; i < N_GOODS; i++) {
        const good *g = &goods[i];
        unsigned char *file;
        jc_vec memory;
        jc_array a = read_floats(g->path, &file, &memory);
        cr_expect(a.dtype == g->dtype && a.rank == g->rank, "%s", g->path);
        cr_expect(a.rank < 1 || a.dims[0] == g->rows, "%s", g->path);
        cr_expect(a.rank < 2 || a.dims[1] == g->cols, "%s", g->path);
        cr_expect(!memcmp(a.data, g->numbers, (size_t)(g->rows * g->cols * jc_dtype_bytes(g->dtype))), "%s", g->path);
        free_floats(file, &memory);
    }
}

/* numpy turned the same halves into single precision: every class of them, and both byte orders. */
Test(npy, halves_become_single_precision)
{
    unsigned char *file[3];
    jc_vec memory[3];
    jc_array a[3];
    static const char *const paths[3] = {NPY("f2_as_f4"), NPY("f2"), NPY("f2_big")};
    for (int i = 0; i < 3; i++) a[i] = read_floats(paths[i], &file[i], &memory[i]);
    for (int i = 1; i < 3; i++) {
        cr_expect(a[i].dtype == JC_F32 && a[i].dims[0] == 8);
        cr_expect(!memcmp(a[i].data, a[0].data, 8 * sizeof(float)));
    }
    for (int i = 0; i < 3; i++) free_floats(file[i], &memory[i]);
}

/* 67 x 45: more than one tile each way. */
Test(npy, column_major_files_of_any_size_are_turned)
{
    unsigned char *file;
    jc_vec memory;
    jc_array a = read_floats(NPY("tall_fortran"), &file, &memory);
    cr_assert(a.rank == 2 && a.dims[0] == 67 && a.dims[1] == 45 && a.dtype == JC_F64);
    for (int64_t i = 0; i < 67 * 45; i++) cr_assert_eq(jc_load_float(JC_F64, a.data, i), (double)(i % 1000));
    free_floats(file, &memory);
}

static void expect_bytes_refused(const void *file, size_t bytes, const char *words)
{
    jc_npy npy;
    /* a copy of just these bytes, so that the sanitizers see a read behind them */
    unsigned char *copy = malloc(bytes ? bytes : 1);
    memcpy(copy, file, bytes);
    jc_status status = jc_npy_parse(copy, (int64_t)bytes, &npy);
    cr_expect_eq(status, JC_E_INPUT, "expected '%s'", words);
    cr_expect(status && strstr(jc_last_error(), words), "expected '%s' in '%s'", words, jc_last_error());
    free(copy);
}

/* A file of version `major` with this header and n bytes behind it. */
static size_t make_file(int major, const char *header, size_t n, unsigned char *out)
{
    size_t width = major == 1 ? 2 : 4, length = strlen(header);
    memcpy(out, "\x93NUMPY", 6);
    out[6] = (unsigned char)major;
    out[7] = 0;
    for (size_t i = 0; i < width; i++) out[8 + i] = (unsigned char)(length >> (8 * i));
    memcpy(out + 8 + width, header, length);
    memset(out + 8 + width + length, 0, n);
    return 8 + width + length + n;
}

#define DESCR "'descr': '<f8'"
#define ORDER "'fortran_order': False"
#define SHAPE "'shape': (2,)"

static const struct {
    const char *header;
    size_t bytes; /* of elements */
    const char *words;
} bad_headers[] = {
    {"", 16, "expected '{', found its end"},
    {"{", 16, "expected a key, found its end"},
    {"{}", 16, "there is no 'descr'"},
    {"{" DESCR "," ORDER "}", 16, "there is no 'shape'"},
    {"{" DESCR "," SHAPE "}", 16, "there is no 'fortran_order'"},
    {"{" DESCR "," ORDER "," SHAPE ", 'x': 1}", 16, "the keys descr, fortran_order and shape only"},
    {"{" DESCR "," DESCR "," ORDER "," SHAPE "}", 16, "'descr' stands twice"},
    {"{" DESCR "," ORDER "," ORDER "," SHAPE "}", 16, "'fortran_order' stands twice"},
    {"{" DESCR "," ORDER "," SHAPE "," SHAPE "}", 16, "'shape' stands twice"},
    {"{" DESCR "," ORDER "," SHAPE "} x", 16, "nothing but spaces behind '}'"},
    {"{" DESCR "," ORDER "," SHAPE, 16, "',' or '}'"},
    {"{" DESCR ORDER "," SHAPE "}", 16, "',' or '}'"},
    {"{" DESCR ",," ORDER "," SHAPE "}", 16, "a key"},
    {"{descr: '<f8'," ORDER "," SHAPE "}", 16, "a key, found 'd'"},
    {"{'descr' '<f8'," ORDER "," SHAPE "}", 16, "':'"},
    {"{'descr: '<f8'," ORDER "," SHAPE "}", 16, "':'"},
    {"{'de\\x73cr': '<f8'}", 16, "a plain character, found '\\'"},
    {"{'descr\n': '<f8'}", 16, "a plain character, found byte 10"},
    {"{'descr", 16, "a closing quote"},
    {"{'descr': 8," ORDER "," SHAPE "}", 16, "the text of 'descr'"},
    {"{'descr': [('a', '<f8')]," ORDER "," SHAPE "}", 16, "structures"},
    {"{'descr': '|O'," ORDER "," SHAPE "}", 16, "Python objects"},
    {"{'descr': 'O'," ORDER "," SHAPE "}", 16, "Python objects"},
    {"{'descr': '<O8'," ORDER "," SHAPE "}", 16, "its elements are '<O8'; expected f8"},
    {"{'descr': '<f16'," ORDER "," SHAPE "}", 16, "its elements are '<f16'"},
    {"{'descr': '<f'," ORDER "," SHAPE "}", 16, "its elements are '<f'"},
    {"{'descr': ''," ORDER "," SHAPE "}", 16, "its elements are ''"},
    {"{'descr': '|b1'," ORDER "," SHAPE "}", 2, "its elements are '|b1'"},
    {"{'descr': 'f8'," ORDER "," SHAPE "}", 16, "its elements are 'f8'"},
    {"{" DESCR ", 'fortran_order': 0," SHAPE "}", 16, "True or False"},
    {"{" DESCR ", 'fortran_order': true," SHAPE "}", 16, "True or False"},
    {"{" DESCR "," ORDER ", 'shape': 2}", 16, "'(' of 'shape'"},
    {"{" DESCR "," ORDER ", 'shape': (2)}", 16, "',' behind the only length"},
    {"{" DESCR "," ORDER ", 'shape': (,)}", 16, "a length of 'shape'"},
    {"{" DESCR "," ORDER ", 'shape': (2,,)}", 16, "a length of 'shape'"},
    {"{" DESCR "," ORDER ", 'shape': (-2,)}", 16, "not negative, found '-'"},
    {"{" DESCR "," ORDER ", 'shape': (2.0,)}", 16, "',' or ')'"},
    {"{" DESCR "," ORDER ", 'shape': (1 2)}", 16, "',' or ')'"},
    {"{" DESCR "," ORDER ", 'shape': (2,", 16, "a length of 'shape'"},
    {"{" DESCR "," ORDER ", 'shape': (2", 0, "',' or ')'"},
    {"{" DESCR "," ORDER ", 'shape'", 0, "expected ':', found its end"},
    {"{" DESCR "," ORDER ", 'shape': (1, 1, 1, 1, 2)}", 16, "more than 4 axes"},
    {"{" DESCR "," ORDER ", 'shape': (9223372036854775808,)}", 16, "beyond 2^63"},
    {"{" DESCR "," ORDER ", 'shape': (4294967296, 4294967296)}", 16, "overflows"},
    {"{" DESCR "," ORDER ", 'shape': (9223372036854775807,)}", 16, "overflows"},
    {"{" DESCR "," ORDER ", 'shape': (1152921504606846976, 16)}", 16, "overflows"},
    {"{" DESCR "," ORDER "," SHAPE "}", 15, "ends too early: 15 bytes of elements, expected 16"},
    {"{" DESCR "," ORDER "," SHAPE "}", 0, "ends too early: 0 bytes"},
    {"{" DESCR "," ORDER "," SHAPE "}", 17, "has bytes behind its elements: 17 bytes"},
    {"{" DESCR "," ORDER ", 'shape': (0,)}", 1, "has bytes behind its elements"},
};

Test(npy, hostile_headers_are_refused_in_every_version)
{
    unsigned char file[512];
    for (size_t i = 0; i < sizeof bad_headers / sizeof bad_headers[0]; i++)
        for (int major = 1; major <= 3; major++) {
            size_t n = make_file(major, bad_headers[i].header, bad_headers[i].bytes, file);
            expect_bytes_refused(file, n, bad_headers[i].words);
        }
}

Test(npy, what_python_allows_in_a_dict_is_read)
{
    static const char *const headers[] = {"{" DESCR "," ORDER "," SHAPE "}",
                                          " { 'shape' :( 2 , ) , \"descr\":\"<f8\",'fortran_order':False , }\n\n",
                                          "{'fortran_order':False,\t'shape':(1, 2,), 'descr':'<f8'}",
                                          "{" DESCR "," ORDER ", 'shape': (2, 1L)}"}; /* of Python 2 */
    unsigned char file[512];
    jc_npy npy;
    for (int i = 0; i < 4; i++) {
        size_t n = make_file(1, headers[i], 16, file);
        cr_expect_eq(jc_npy_parse(file, (int64_t)n, &npy), JC_OK, "%s: %s", headers[i], jc_last_error());
        cr_expect_eq(npy.elements, 2);
    }
    expect_bytes_refused(file, make_file(3, headers[3], 16, file), "',' or ')'");
}

Test(npy, other_files_and_every_truncation_are_refused)
{
    size_t bytes;
    unsigned char *file = io_read(NPY("f8"), &bytes);
    for (size_t n = 0; n < bytes; n++)
        expect_bytes_refused(file, n, n < 8 ? "is not a .npy file" : n < 128 ? "beyond the end" : "ends too early");
    file[6] = 4;
    expect_bytes_refused(file, bytes, "version 4.0");
    file[6] = 1, file[7] = 1;
    expect_bytes_refused(file, bytes, "version 1.1");
    file[0] = 'x';
    expect_bytes_refused(file, bytes, "is not a .npy file");
    memset(file + 8, 0xff, 4);
    file[0] = 0x93, file[6] = 2, file[7] = 0;
    expect_bytes_refused(file, bytes, "the header of 4294967295 bytes goes beyond the end");
    free(file);
    static const char *const others[][2] = {{NPY("objects"), "Python objects"},
                                            {NPY("structured"), "structures"},
                                            {NPY("bool"), "'|b1'"},
                                            {NPY("complex"), "'<c16'"},
                                            {NPY("text"), "'<U2'"}};
    for (int i = 0; i < 5; i++) {
        file = io_read(others[i][0], &bytes);
        expect_bytes_refused(file, bytes, others[i][1]);
        free(file);
    }
}

/* ---- seeds ------------------------------------------------------------------------------------------------------ */

static void expect_seed(const char *path, jc_seed kind, int64_t rows, int64_t cols, const void *numbers, size_t bytes)
{
    jc_array a;
    jc_seed_file *owner = NULL;
    cr_assert_eq(jc_seed_load(NULL, path, NULL, kind, &a, &owner), JC_OK, "%s", jc_last_error());
    cr_expect(a.rank == 2 && a.dims[0] == rows && a.dims[1] == cols, "%s", path);
    cr_expect(!memcmp(a.data, numbers, bytes), "%s", path);
    jc_seed_close(owner);
}

static void expect_no_seed(const char *path, const char *name, jc_status expected, const char *words)
{
    jc_array a;
    jc_seed_file *owner = NULL;
    cr_expect_eq(jc_seed_load(NULL, path, name, JC_SEED_ROWS, &a, &owner), expected, "%s", path);
    cr_expect_null(owner);
    cr_expect(!strncmp(jc_last_error(), path, strlen(path)) && strstr(jc_last_error(), words), "%s", jc_last_error());
}

Test(npy, a_seed_has_at_most_two_axes)
{
    expect_seed(NPY("f8_fortran"), JC_SEED_ROWS, 2, 3, real, sizeof real);
    expect_seed(NPY("f4"), JC_SEED_COLUMNS, 2, 3, single, sizeof single);
    expect_seed(NPY("line"), JC_SEED_ROWS, 1, 4, line, sizeof line);
    expect_seed(NPY("line"), JC_SEED_COLUMNS, 4, 1, line, sizeof line);
    expect_seed(NPY("scalar"), JC_SEED_ROWS, 1, 1, scalar, sizeof scalar);
    expect_seed(NPY("i4"), JC_SEED_COLUMNS, 3, 1, few, sizeof few);
    expect_no_seed(NPY("cube"), NULL, JC_E_INPUT, ": has 3 axes; a seed has one or two");
    expect_no_seed(NPY("cube_fortran"), NULL, JC_E_INPUT, ": has 3 axes");
    expect_no_seed(NPY("i8_inexact"), NULL, JC_E_INPUT, "element 1 is 9007199254740993");
    expect_no_seed(NPY("objects"), NULL, JC_E_INPUT, "Python objects");
    expect_no_seed(NPY("f8"), "s", JC_E_USAGE, "has no name");
    expect_no_seed(NPY("none"), NULL, JC_E_INPUT, "No such file");
}

Test(npy, every_failed_allocation_of_a_seed_is_an_error)
{
    static const char *const paths[] = {NPY("f8"), NPY("f8_big"), NPY("f8_fortran"), NPY("i8")};
    for (int i = 0; i < 4; i++) {
        io_counter counter = {.fail_at = -1};
        jc_allocator allocator = io_counting_allocator(&counter);
        jc_status status = JC_E_MEMORY;
        int64_t at = 0;
        for (; status != JC_OK; at++) {
            jc_array a;
            jc_seed_file *owner = NULL;
            counter.calls = 0;
            counter.fail_at = at;
            status = jc_seed_load(&allocator, paths[i], NULL, JC_SEED_ROWS, &a, &owner);
            cr_assert(status == JC_OK || (status == JC_E_MEMORY && !owner), "%s", jc_last_error());
            jc_seed_close(owner);
            cr_assert_eq(counter.bytes_out, 0);
        }
        cr_expect_eq(at, i ? 3 : 2);
    }
}

/* ---- results ---------------------------------------------------------------------------------------------------- */

static const double row_major[6] = {1, 2, 3, 4, 5, 6};
static const float column_major[6] = {1, 4, 2, 5, 3, 6};
static const double padded[20] = {1, 2, 3, -1, -1, 4, 5, 6, -1, -1, 7, 8, 9, -1, -1, 10, 11, 12, -1, -1};

static const struct {
    jc_result result;
    const char *as_numpy;
} written[] = {
    {{1, 0, 0, 1, 2, 3, JC_RESULT_MATRIX, JC_F64, row_major, 0, 3, 1}, NPY("result_f8")},
    {{1, 0, 0, 1, 2, 3, JC_RESULT_MATRIX, JC_F32, column_major, 0, 1, 2}, NPY("result_f4")},
    {{1, 0, 1, 2, 2, 3, JC_RESULT_MATRIX, JC_F64, padded, 10, 5, 1}, NPY("result_blocks")},
    {{0, 0, 0, 1, 3, 3, JC_RESULT_IDENTITY, JC_F64, NULL, 0, 0, 0}, NPY("result_identity")},
};

static jc_graph *make_graph(const jc_allocator *allocator)
{
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    jc_graph *g = NULL;
    cr_assert_eq(jc_graph_create(&options, &g), JC_OK);
    cr_assert_eq(jc_graph_add_variable(g, "w", 3, NULL), JC_OK);
    cr_assert_eq(jc_graph_add_variable(g, "y", 2, NULL), JC_OK);
    return g;
}

Test(npy, results_are_the_bytes_that_numpy_writes)
{
    io_folder folder = io_folder_make();
    jc_graph *g = make_graph(NULL);
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        size_t bytes, expected_bytes;
        const char *path = io_path(&folder, "r.npy");
        cr_assert_eq(jc_results_write(g, &written[i].result, 1, path), JC_OK, "%s", jc_last_error());
        unsigned char *file = io_read(path, &bytes), *expected = io_read(written[i].as_numpy, &expected_bytes);
        cr_expect(bytes == expected_bytes && !memcmp(file, expected, bytes), "%s", written[i].as_numpy);
        free(expected);
        free(file);
    }
    cr_expect_eq(io_folder_count(&folder), 1);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

/* The longest header that a result can have still fills its 128 bytes and is read again. */
Test(npy, the_header_has_room_for_any_shape)
{
    const int64_t most = INT64_MAX, dims[3] = {most, most, most};
    unsigned char header[JC_NPY_HEADER_BYTES + 1] = {0};
    jc_npy npy;
    jc_npy_write_header(JC_F64, 3, dims, header);
    cr_expect_eq(header[127], '\n');
    cr_expect(strstr((const char *)header + 10, "(9223372036854775807, 9223372036854775807, 9223372036854775807), }"));
    cr_expect_eq(jc_npy_parse(header, JC_NPY_HEADER_BYTES, &npy), JC_E_INPUT);
    cr_expect(strstr(jc_last_error(), "overflows"), "%s", jc_last_error());
}

Test(npy, one_result_only_and_the_old_file_stays_on_failure)
{
    io_folder folder = io_folder_make();
    io_counter counter = {.fail_at = -1};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_graph *g = make_graph(&allocator);
    const char *path = io_write(&folder, "r.npy", "old", 3);
    const jc_result two[2] = {written[0].result, written[1].result};
    cr_expect_eq(jc_results_write(g, two, 2, path), JC_E_USAGE);
    cr_expect(strstr(jc_last_error(), "a .npy file holds one result, these are 2"), "%s", jc_last_error());
    cr_expect_eq(jc_results_write(g, two, 0, path), JC_E_USAGE);
    jc_status status = JC_E_MEMORY;
    int64_t before = counter.bytes_out, at = 0;
    for (; status; at++) {
        counter.calls = 0;
        counter.fail_at = at;
        status = jc_results_write(g, two, 1, path);
        size_t bytes;
        unsigned char *file = io_read(path, &bytes);
        cr_assert(status ? bytes == 3 && !memcmp(file, "old", 3) : bytes == 176, "%s", jc_last_error());
        cr_assert(status == JC_OK || status == JC_E_MEMORY);
        cr_assert(counter.bytes_out == before && io_folder_count(&folder) == 1);
        free(file);
    }
    cr_expect_gt(at, 3);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}
