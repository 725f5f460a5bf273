/* Results written and read again, results of other systems, seeds. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/dtype.h"
#include "io/io_files.h"
#include "io/results.h"
#include "io/seed.h"

/* Variables of these names, size 2, without edges. */
static jc_graph *make_graph(const jc_allocator *allocator, const char *const *names)
{
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    jc_graph *g = NULL;
    int64_t v;
    cr_assert_eq(jc_graph_create(&options, &g), JC_OK);
    for (; *names; names++) cr_assert_eq(jc_graph_add_variable(g, *names, 2, &v), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    return g;
}

static const char *const names[] = {"L", "w", "a/db", "c", "a", "b/dc", "\"q\"", NULL};
enum { L, W, A_DB, C, A, B_DC, Q };

static const double row_major[6] = {1, 2, 3, 4, 5, 6};
static const float column_major[6] = {1, 4, 2, 5, 3, 6};
static const double padded[20] = {1, 2, 3, -1, -1, 4, 5, 6, -1, -1, 7, 8, 9, -1, -1, 10, 11, 12, -1, -1};

static jc_result matrix(int64_t of, int64_t wrt, int64_t blocks, int64_t rows, int64_t cols, jc_dtype dtype,
                        const void *data, int64_t block_stride, int64_t row_stride, int64_t col_stride)
{
    jc_result r = {of,    wrt,  blocks > 1,   blocks,     rows,      cols, JC_RESULT_MATRIX,
                   dtype, data, block_stride, row_stride, col_stride};
    return r;
}

static jc_result plain(jc_result_kind kind, int64_t of, int64_t wrt, int64_t rows, int64_t cols, jc_dtype dtype)
{
    jc_result r = {.of = of, .wrt = wrt, .blocks = 1, .rows = rows, .cols = cols, .kind = kind, .dtype = dtype};
    return r;
}

static void expect_tensor(const jc_safetensors *file, const char *name, jc_dtype dtype, int64_t rank,
                          const int64_t *dims, const double *numbers)
{
    const jc_tensor *t = jc_safetensors_find(file, name);
    cr_assert_not_null(t, "%s", name);
    cr_assert(t->dtype == (int)dtype && t->rank == rank, "%s", name);
    int64_t n = 1;
    for (int64_t i = 0; i < rank; i++) {
        cr_assert_eq(t->dims[i], dims[i], "%s", name);
        n *= dims[i];
    }
    for (int64_t i = 0; i < n; i++) cr_assert_eq(jc_load_float(dtype, t->data, i), numbers[i], "%s[%d]", name, (int)i);
}

#define DIMS(...)                                                                                                      \
    (sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[])                                                  \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }
#define NUMBERS(...)                                                                                                   \
    (double[])                                                                                                         \
    {                                                                                                                  \
        __VA_ARGS__                                                                                                    \
    }

Test(results, every_kind_is_written_out_row_major)
{
    io_folder folder = io_folder_make();
    jc_graph *g = make_graph(NULL, names);
    const char *path = io_path(&folder, "r.safetensors");
    const jc_result results[] = {
        matrix(L, W, 1, 2, 3, JC_F64, row_major, 0, 3, 1), matrix(L, A, 1, 2, 3, JC_F32, column_major, 0, 1, 2),
        matrix(L, C, 2, 2, 3, JC_F64, padded, 10, 5, 1),   matrix(Q, A, 2, 3, 2, JC_F64, padded, 10, 1, 5),
        plain(JC_RESULT_ZERO, L, A_DB, 1, 2, JC_F32),      plain(JC_RESULT_IDENTITY, W, W, 3, 3, JC_F64),
        plain(JC_RESULT_IDENTITY, L, L, 2, 2, JC_F32),
    };
    const int64_t n = sizeof results / sizeof results[0];
    cr_assert_eq(jc_results_write(g, results, n, path), JC_OK, "%s", jc_last_error());
    jc_safetensors *file = NULL;
    cr_assert_eq(jc_safetensors_open(NULL, path, &file), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_safetensors_count(file), n);
    expect_tensor(file, "dL/dw", JC_F64, DIMS(2, 3), row_major);
    expect_tensor(file, "dL/da", JC_F32, DIMS(2, 3), row_major);
    expect_tensor(file, "dL/dc", JC_F64, DIMS(2, 2, 3), NUMBERS(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12));
    expect_tensor(file, "d\"q\"/da", JC_F64, DIMS(2, 3, 2), NUMBERS(1, 4, 2, 5, 3, 6, 7, 10, 8, 11, 9, 12));
    expect_tensor(file, "dL/da/db", JC_F32, DIMS(1, 2), NUMBERS(0, 0));
    expect_tensor(file, "dw/dw", JC_F64, DIMS(3, 3), NUMBERS(1, 0, 0, 0, 1, 0, 0, 0, 1));
    expect_tensor(file, "dL/dL", JC_F32, DIMS(2, 2), NUMBERS(1, 0, 0, 1));
    cr_assert_str_eq(jc_safetensors_metadata(file, "jacchain_results"),
                     "{\"dL/dw\":{\"of\":\"L\",\"wrt\":\"w\"},\"dL/da\":{\"of\":\"L\",\"wrt\":\"a\"},"
                     "\"dL/dc\":{\"of\":\"L\",\"wrt\":\"c\"},\"d\\\"q\\\"/da\":{\"of\":\"\\\"q\\\"\",\"wrt\":\"a\"},"
                     "\"dL/da/db\":{\"of\":\"L\",\"wrt\":\"a/db\"},\"dw/dw\":{\"of\":\"w\",\"wrt\":\"w\"},"
                     "\"dL/dL\":{\"of\":\"L\",\"wrt\":\"L\"}}");
    jc_safetensors_close(file);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

Test(results, long_rows_are_written_in_pieces)
{
    enum { COLS = 300000 };
    io_folder folder = io_folder_make();
    jc_graph *g = make_graph(NULL, names);
    const char *path = io_path(&folder, "r.safetensors");
    double *data = malloc(2 * COLS * sizeof *data);
    for (int64_t i = 0; i < 2 * COLS; i++) data[i] = (double)i;
    const jc_result results[] = {matrix(L, W, 1, 2, COLS, JC_F64, data, 0, COLS, 1),
                                 matrix(L, A, 1, 2, COLS, JC_F64, data, 0, 1, 2)};
    cr_assert_eq(jc_results_write(g, results, 2, path), JC_OK, "%s", jc_last_error());
    jc_safetensors *file = NULL;
    cr_assert_eq(jc_safetensors_open(NULL, path, &file), JC_OK, "%s", jc_last_error());
    cr_assert_eq(memcmp(jc_safetensors_find(file, "dL/dw")->data, data, 2 * COLS * sizeof *data), 0);
    const unsigned char *strided = jc_safetensors_find(file, "dL/da")->data;
    for (int64_t i = 0; i < 2 * COLS; i++)
        cr_assert_eq(jc_load_float(JC_F64, strided, i), (double)(i % COLS * 2 + i / COLS));
    jc_safetensors_close(file);
    free(data);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

static void expect_usage(const jc_graph *g, const jc_result *results, int64_t n, const char *path, const char *words)
{
    cr_expect_eq(jc_results_write(g, results, n, path), JC_E_USAGE, "%s", path);
    cr_expect(strstr(jc_last_error(), words), "%s", jc_last_error());
}

Test(results, two_of_one_name_and_other_files_are_refused)
{
    io_folder folder = io_folder_make();
    jc_graph *g = make_graph(NULL, names);
    const jc_result same_name[] = {plain(JC_RESULT_ZERO, A_DB, C, 2, 2, JC_F64),
                                   plain(JC_RESULT_ZERO, A, B_DC, 2, 2, JC_F64)};
    const jc_result twice[] = {plain(JC_RESULT_ZERO, L, C, 2, 2, JC_F64), plain(JC_RESULT_ZERO, L, C, 2, 2, JC_F64)};
    const char *path = io_write(&folder, "r.safetensors", "old", 3);
    expect_usage(g, same_name, 2, path, "two results would be named 'da/db/dc'");
    expect_usage(g, twice, 2, path, "two results would be named 'dL/dc'");
    expect_usage(g, twice, 1, io_path(&folder, "r.csv"), ".safetensors");
    expect_usage(g, twice, 1, io_path(&folder, "r"), ".safetensors");
    expect_usage(g, twice, 1, ".safetensors", ".safetensors");
    size_t bytes;
    unsigned char *old = io_read(path, &bytes);
    cr_expect(bytes == 3 && !memcmp(old, "old", 3));
    free(old);
    cr_expect_eq(io_folder_count(&folder), 1);
    cr_expect_eq(jc_results_write(g, same_name, 1, path), JC_OK, "%s", jc_last_error());
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

Test(results, every_failed_allocation_leaves_the_old_file)
{
    io_folder folder = io_folder_make();
    io_counter counter = {.fail_at = -1};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_graph *g = make_graph(&allocator, names);
    const jc_result result = matrix(L, W, 1, 2, 3, JC_F64, row_major, 0, 3, 1);
    const char *path = io_write(&folder, "r.safetensors", "old", 3);
    int64_t before = counter.bytes_out;
    jc_status status = JC_E_MEMORY;
    for (int64_t at = 0; status != JC_OK; at++) {
        counter.calls = 0;
        counter.fail_at = at;
        status = jc_results_write(g, &result, 1, path);
        cr_assert(status == JC_OK || status == JC_E_MEMORY);
        cr_assert_eq(counter.bytes_out, before);
        cr_assert_eq(io_folder_count(&folder), 1);
        size_t bytes;
        unsigned char *data = io_read(path, &bytes);
        cr_assert_eq(bytes == 3, status != JC_OK);
        free(data);
    }
    counter.fail_at = -1;
    status = JC_E_MEMORY;
    for (int64_t at = 0; status != JC_OK; at++) {
        jc_results_file *file = NULL;
        counter.calls = 0;
        counter.fail_at = at;
        status = jc_results_file_open(path, g, &file);
        cr_assert(status == JC_OK || status == JC_E_MEMORY, "%s", jc_last_error());
        jc_results_file_close(file);
        cr_assert_eq(counter.bytes_out, before);
    }
    counter.fail_at = -1;
    jc_graph_destroy(g);
    cr_assert_eq(counter.bytes_out, 0);
    io_folder_remove(&folder);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

#define RESULT(name) "'" name "':{'dtype':'F64','shape':[1,2],'data_offsets':[0,16]}"
#define META(text) "{'__metadata__':{'jacchain_results':'" text "'},"

Test(results_file, what_was_written_is_known_again)
{
    io_folder folder = io_folder_make();
    jc_graph *g = make_graph(NULL, names);
    const char *path = io_path(&folder, "r.safetensors");
    const jc_result results[] = {matrix(A, B_DC, 1, 2, 3, JC_F64, row_major, 0, 3, 1),
                                 matrix(L, W, 1, 2, 3, JC_F32, column_major, 0, 3, 1)};
    cr_assert_eq(jc_results_write(g, results, 2, path), JC_OK);
    jc_results_file *file = NULL;
    cr_assert_eq(jc_results_file_open(path, g, &file), JC_OK, "%s", jc_last_error());
    cr_assert_eq(file->n, 2);
    cr_assert(file->of[0] == A && file->wrt[0] == B_DC && file->of[1] == L && file->wrt[1] == W);
    cr_assert(file->values[0].rank == 2 && file->values[0].dims[0] == 2 && file->values[0].dims[1] == 3);
    cr_assert_eq(memcmp(file->values[0].data, row_major, sizeof row_major), 0);
    cr_assert_eq(file->values[1].dtype, JC_F32);
    jc_results_file_close(file);
    jc_results_file_close(NULL);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

static void expect_unknown(const io_folder *folder, const jc_graph *g, const char *header, const char *words)
{
    const char *path = io_write_tensors(folder, "r.safetensors", header, row_major, 16);
    jc_results_file *file = NULL;
    cr_expect_eq(jc_results_file_open(path, g, &file), JC_E_INPUT, "%s", header);
    cr_expect(!strncmp(jc_last_error(), path, strlen(path)) && strstr(jc_last_error(), words), "%s\n%s", header,
              jc_last_error());
}

Test(results_file, names_are_split_wherever_only_one_split_fits)
{
    static const struct {
        const char *name;
        int64_t of, wrt;
    } good[] = {{"dL/dw", L, W},
                {"dL/da/db", L, A_DB},
                {"da/db/dL", A_DB, L},
                {"dL/db/dc", L, B_DC},
                {"db/dc/da/db", B_DC, A_DB}};
    io_folder folder = io_folder_make();
    jc_graph *g = make_graph(NULL, names);
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        io_tensor t = {good[i].name, "F64", "[1,2]", row_major, 16};
        jc_results_file *file = NULL;
        jc_status status = jc_results_file_open(io_write_list(&folder, "r.safetensors", &t, 1, 0), g, &file);
        cr_assert_eq(status, JC_OK, "%s", jc_last_error());
        cr_assert(file->of[0] == good[i].of && file->wrt[0] == good[i].wrt, "%s", good[i].name);
        jc_results_file_close(file);
    }
    expect_unknown(&folder, g, "{" RESULT("da/db/dc") "}", "more than one");
    expect_unknown(&folder, g, "{" RESULT("dL/dx") "}", "tensor 'dL/dx': is not d<of>/d<wrt>");
    expect_unknown(&folder, g, "{" RESULT("L/dw") "}", "is not d<of>/d<wrt>");
    expect_unknown(&folder, g, "{" RESULT("dL") "}", "is not d<of>/d<wrt>");
    expect_unknown(&folder, g, "{" RESULT("") "}", "is not d<of>/d<wrt>");
    expect_unknown(&folder, g, "{" RESULT("/d") "}", "is not d<of>/d<wrt>");
    expect_unknown(&folder, g, "{'dL/dw':{'dtype':'I64','shape':[1,2],'data_offsets':[0,16]}}",
                   "F64, F32, BF16 or F16");
    expect_unknown(&folder, g, META("{") RESULT("dL/dw") "}", "jacchain_results: line 1");
    expect_unknown(&folder, g, META("{\\'dL/dw\\':1}") RESULT("dL/dw") "}", "'of' and 'wrt'");
    expect_unknown(&folder, g, META("{\\'x\\':{\\'of\\':\\'L\\',\\'wrt\\':\\'y\\'}}") RESULT("x") "}", "does not have");
    jc_results_file *file = NULL;
    const char *path = io_write_tensors(&folder, "r.safetensors",
                                        META("{\\'x\\':{\\'of\\':\\'L\\',\\'wrt\\':\\'w\\'}}")
                                            RESULT("x") ","
                                                        "'dL/dw':{'dtype':'F64','shape':[1,2],'data_offsets':[16,32]}}",
                                        row_major, 32);
    cr_expect_eq(jc_results_file_open(path, g, &file), JC_E_INPUT);
    cr_expect(strstr(jc_last_error(), "the same total"), "%s", jc_last_error());
    path = io_write_tensors(&folder, "r.safetensors", "{}", "", 0);
    cr_expect_eq(jc_results_file_open(path, g, &file), JC_E_INPUT);
    cr_expect(strstr(jc_last_error(), "no tensors"));
    path = io_write_tensors(&folder, "r.safetensors",
                            META("{\\'da/db/dc\\':{\\'of\\':\\'a\\',\\'wrt\\':\\'b/dc\\'}}") RESULT("da/db/dc") "}",
                            row_major, 16);
    cr_assert_eq(jc_results_file_open(path, g, &file), JC_OK, "%s", jc_last_error());
    cr_expect(file->of[0] == A && file->wrt[0] == B_DC);
    jc_results_file_close(file);
    jc_graph_destroy(g);
    io_folder_remove(&folder);
}

Test(results_file, files_of_other_systems)
{
    jc_graph *g = NULL;
    jc_results_file *file = NULL;
    cr_assert_eq(jc_graph_load(JC_EXAMPLES "/digits_rnn.json", NULL, &g), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_results_file_open(JC_EXAMPLES "/digits_rnn.expected.safetensors", g, &file), JC_OK, "%s",
                 jc_last_error());
    cr_assert_eq(file->n, 13);
    for (int64_t i = 0; i < file->n; i++) {
        cr_expect_eq(file->of[i], jc_graph_find_variable(g, "L"));
        cr_expect_eq(file->values[i].dims[1], jc_graph_variable_size(g, file->wrt[i]));
    }
    jc_results_file_close(file);
    jc_graph_destroy(g);
    cr_assert_eq(jc_graph_load(JC_EXAMPLES "/lsnn.json", NULL, &g), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_results_file_open(JC_EXAMPLES "/lsnn.expected.safetensors", g, &file), JC_E_INPUT);
    cr_expect(strstr(jc_last_error(), "tensor 'bptt:dE/dW_in'"), "%s", jc_last_error());
    jc_graph_destroy(g);
}

/* ---- seeds ------------------------------------------------------------------------------------------------------ */

static const io_tensor seeds[] = {{"s", "F64", "[6]", row_major, 48},
                                  {"m", "F32", "[2,3]", column_major, 24},
                                  {"cube", "F64", "[1,2,3]", row_major, 48},
                                  {"i", "I32", "[2]", row_major, 8},
                                  {"half", "BF16", "[2]", row_major, 4}};

static void expect_seed(const char *path, const char *name, jc_seed kind, int64_t rows, int64_t cols, jc_dtype dtype,
                        const void *data)
{
    jc_array a;
    jc_seed_file *owner = NULL;
    cr_assert_eq(jc_seed_load(NULL, path, name, kind, &a, &owner), JC_OK, "%s", jc_last_error());
    cr_expect(a.rank == 2 && a.dims[0] == rows && a.dims[1] == cols && a.dtype == dtype);
    cr_expect_eq(memcmp(a.data, data, (size_t)(rows * cols * jc_dtype_bytes(dtype))), 0);
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

Test(seed, one_axis_is_one_row_or_one_column)
{
    io_folder folder = io_folder_make();
    const char *path = io_write_list(&folder, "one.safetensors", seeds, 1, 3);
    expect_seed(path, NULL, JC_SEED_ROWS, 1, 6, JC_F64, row_major);
    expect_seed(path, NULL, JC_SEED_COLUMNS, 6, 1, JC_F64, row_major);
    expect_no_seed(path, "t", JC_E_INPUT, "no tensor 't'");
    path = io_write_list(&folder, "many.safetensors", seeds, 5, 0);
    expect_seed(path, "m", JC_SEED_ROWS, 2, 3, JC_F32, column_major);
    expect_seed(path, "m", JC_SEED_COLUMNS, 2, 3, JC_F32, column_major);
    expect_no_seed(path, NULL, JC_E_INPUT, "holds 5 tensors");
    expect_no_seed(path, "cube", JC_E_INPUT, "3 axes");
    expect_no_seed(path, "i", JC_E_INPUT, "I32");
    expect_seed(path, "half", JC_SEED_ROWS, 1, 2, JC_BF16, row_major);
    expect_no_seed(io_path(&folder, "s.txt"), NULL, JC_E_USAGE, "*.safetensors");
    expect_no_seed(io_path(&folder, "none.safetensors"), NULL, JC_E_INPUT, "No such file");
    io_folder_remove(&folder);
}
