/* The safetensors reader against files made by hand, and the writer. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/dtype.h"
#include "io/io_files.h"
#include "io/safetensors.h"
#include "io/safetensors_write.h"

static const unsigned char zeros[64];

typedef struct bad_file {
    const char *header;
    size_t data_bytes;
    const char *words;
} bad_file;

#define T(name, dtype, shape, begin, end)                                                                              \
    "'" name "':{'dtype':'" dtype "','shape':" shape ",'data_offsets':[" #begin "," #end "]}"

static const bad_file bad_files[] = {
    {" {}", 0, "does not begin with '{'"},
    {"[]", 0, "does not begin with '{'"},
    {"", 0, "does not begin with '{'"},
    {"{", 0, "header, line 1, column 1"},
    {"{} x", 0, "header, line 1"},
    {"{'a\xff':1}", 0, "decode"},
    {"{" T("a", "F32", "[1]", 0, 4) "," T("a", "F32", "[1]", 4, 8) "}", 8, "duplicate"},
    {"{'__metadata__':{'k':'1','k':'2'}}", 0, "duplicate"},
    {"{'__metadata__':7}", 0, "__metadata__ is an integer, expected an object"},
    {"{'__metadata__':{'k':7}}", 0, "__metadata__: 'k' is an integer, expected text"},
    {"{'a':7}", 0, "tensor 'a': its description is an integer, expected an object"},
    {"{'a':{'shape':[1],'data_offsets':[0,4]}}", 4, "tensor 'a': its dtype is nothing"},
    {"{'a':{'dtype':7,'shape':[1],'data_offsets':[0,4]}}", 4, "tensor 'a': its dtype is 7, expected"},
    {"{" T("a", "F33", "[1]", 0, 4) "}", 4, "tensor 'a': its dtype is text 'F33', expected"},
    {"{'a':{'dtype':'F32','data_offsets':[0,4]}}", 4, "its shape is nothing, expected a list"},
    {"{" T("a", "F32", "1", 0, 4) "}", 4, "its shape is an integer, expected a list"},
    {"{" T("a", "F32", "[-1]", 0, 4) "}", 4, "its shape has -1 at /0, expected"},
    {"{" T("a", "F32", "[1.0]", 0, 4) "}", 4, "its shape has 1.0 at /0, expected"},
    {"{'a':{'dtype':'F32','shape':[1]}}", 4, "data_offsets are not two integers"},
    {"{'a':{'dtype':'F32','shape':[1],'data_offsets':[0]}}", 4, "data_offsets are not two integers"},
    {"{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4,8]}}", 4, "data_offsets are not two integers"},
    {"{" T("a", "F32", "[1]", -4, 0) "}", 4, "data_offsets are not two integers"},
    {"{" T("a", "F32", "[1]", 0.0, 4) "}", 4, "data_offsets are not two integers"},
    {"{" T("a", "F32", "[1]", 4, 0) "}", 4, "end at 0, before they begin at 4"},
    {"{" T("a", "F32", "[1]", 0, 4) "}", 3, "end at 4, beyond the end of the file's data at 3"},
    {"{" T("a", "F32", "[1]", 9223372036854775803, 9223372036854775807) "}", 4, "beyond the end of the file"},
    {"{" T("a", "F32", "[1]", 0, 18446744073709551620) "}", 4, "data_offsets are not two integers"},
    {"{" T("a", "F32", "[2]", 0, 4) "}", 4, "hold 4 bytes, expected the 8"},
    {"{" T("a", "F32", "[1]", 0, 8) "}", 8, "hold 8 bytes, expected the 4"},
    {"{" T("a", "F32", "[4294967296,4294967296]", 0, 4) "}", 4, "product of its shape overflows"},
    {"{" T("a", "F32", "[4294967296,4294967296,0]", 0, 0) "}", 0, "product of its shape overflows"},
    {"{" T("a", "F64", "[2305843009213693952]", 0, 4) "}", 4, "2305843009213693952 elements of 64 bits overflow"},
    {"{" T("a", "F4", "[3]", 0, 1) "}", 1, "12 bits, expected whole bytes"},
    {"{" T("a", "F32", "[1]", 4, 8) "}", 8, "begin at 4 behind a hole, expected 0"},
    {"{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 8, 12) "}", 12,
     "tensor 'b': its data begin at 8 behind a hole, expected 4"},
    {"{" T("a", "F32", "[2]", 0, 8) "," T("b", "F32", "[1]", 4, 8) "}", 8,
     "tensor 'b': its data begin at 4 and overlap those of another tensor up to 8"},
    {"{" T("a", "F32", "[1]", 0, 4) "," T("b", "F32", "[1]", 0, 4) "}", 4, "its data begin at 0 and overlap"},
    {"{" T("a", "F32", "[1]", 0, 4) "}", 5, "1 bytes behind the last tensor"},
    {"{}", 1, "1 bytes behind the last tensor"},
};

static void expect_bad(const char *path, const char *words, const char *about)
{
    jc_safetensors *file = NULL;
    io_counter counter = {.fail_at = -1};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_status status = jc_safetensors_open(&allocator, path, &file);
    cr_expect_eq(status, JC_E_INPUT, "%s", about);
    cr_expect_null(file);
    cr_expect(!strncmp(jc_last_error(), path, strlen(path)) && !strncmp(jc_last_error() + strlen(path), ": ", 2),
              "%s does not name the file: %s", about, jc_last_error());
    cr_expect(strstr(jc_last_error(), words), "%s\nno '%s' in %s", about, words, jc_last_error());
    cr_expect_eq(counter.bytes_out, 0, "%s leaks", about);
}

Test(safetensors, each_violation_of_the_format_is_found)
{
    io_folder folder = io_folder_make();
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        const bad_file *bad = &bad_files[i];
        expect_bad(io_write_tensors(&folder, "x.safetensors", bad->header, zeros, bad->data_bytes), bad->words,
                   bad->header);
    }
    static const unsigned char over[16] = {1, 0xE1, 0xF5, 5, 0, 0, 0, 0, '{', '}'};
    static const unsigned char huge[16] = {255, 255, 255, 255, 255, 255, 255, 255, '{', '}'};
    static const unsigned char beyond[10] = {3, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    expect_bad(io_write(&folder, "x.safetensors", "", 0), "is empty", "empty");
    expect_bad(io_write(&folder, "x.safetensors", over, 7), "too short", "7 bytes");
    expect_bad(io_write(&folder, "x.safetensors", over, 16), "100000001 bytes, is over the format's limit", "over");
    expect_bad(io_write(&folder, "x.safetensors", huge, 16), "over the format's limit", "huge");
    expect_bad(io_write(&folder, "x.safetensors", beyond, 10), "beyond the end of the file", "beyond");
    expect_bad(io_path(&folder, "none.safetensors"), "No such file", "missing");
    expect_bad(folder.path, "is a directory", "folder");
    io_folder_remove(&folder);
}

static jc_safetensors *open_file(const char *path)
{
    jc_safetensors *file = NULL;
    jc_status status = jc_safetensors_open(NULL, path, &file);
    cr_assert_eq(status, JC_OK, "%s", jc_last_error());
    return file;
}

Test(safetensors, what_the_format_allows_is_read)
{
    io_folder folder = io_folder_make();
    static const float data[4] = {1, 2, 3, 4};
    jc_safetensors *file = open_file(io_write_tensors(
        &folder, "x.safetensors",
        "{" T("z", "F32", "[1,3]", 4, 16) "," T(
            "e", "F64", "[0,7]", 4, 4) ",'__metadata__':{'k':'v','n\\u00e4':''},"
                                       "'a':{'data_offsets':[0,4],'new':[],'shape':[],'dtype':'F32'}} \n\t ",
        data, sizeof data));
    cr_assert_eq(jc_safetensors_count(file), 3);
    cr_assert_str_eq(jc_safetensors_tensor(file, 0)->name, "a");
    cr_assert_str_eq(jc_safetensors_tensor(file, 1)->name, "e");
    const jc_tensor *z = jc_safetensors_find(file, "z");
    cr_assert(z == jc_safetensors_tensor(file, 2));
    cr_assert(z->rank == 2 && z->dims[0] == 1 && z->dims[1] == 3 && z->bytes == 12 && z->dtype == JC_F32);
    cr_assert_eq(memcmp(z->data, data + 1, 12), 0);
    cr_assert_eq(jc_safetensors_find(file, "a")->rank, 0);
    cr_assert_not_null(jc_safetensors_find(file, "e")->data);
    cr_assert_null(jc_safetensors_find(file, "__metadata__"));
    cr_assert_null(jc_safetensors_find(file, ""));
    cr_assert_str_eq(jc_safetensors_metadata(file, "k"), "v");
    cr_assert_str_eq(jc_safetensors_metadata(file, "n\xc3\xa4"), "");
    cr_assert_null(jc_safetensors_metadata(file, "none"));
    jc_safetensors_close(file);
    file = open_file(io_write_tensors(&folder, "x.safetensors", "{'__metadata__':null}", "", 0));
    cr_assert_eq(jc_safetensors_count(file), 0);
    cr_assert_null(jc_safetensors_find(file, "a"));
    cr_assert_null(jc_safetensors_metadata(file, "k"));
    jc_safetensors_close(file);
    io_folder_remove(&folder);
}

Test(safetensors, every_type_of_the_format_may_stand_in_a_file)
{
    static const struct {
        const char *name;
        int bits, dtype;
    } types[] = {{"BOOL", 8, -1},     {"U8", 8, -1},       {"I8", 8, -1},       {"F8_E5M2", 8, -1},
                 {"F8_E4M3", 8, -1},  {"F8_E8M0", 8, -1},  {"I16", 16, -1},     {"U16", 16, -1},
                 {"U32", 32, -1},     {"U64", 64, -1},     {"C64", 64, -1},     {"F4", 4, -1},
                 {"F6_E2M3", 6, -1},  {"F6_E3M2", 6, -1},  {"F64", 64, JC_F64}, {"F32", 32, JC_F32},
                 {"I64", 64, JC_I64}, {"I32", 32, JC_I32}, {"F16", 16, JC_F16}, {"BF16", 16, JC_BF16}};
    io_folder folder = io_folder_make();
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        io_tensor t = {"a", types[i].name, "[4,2]", zeros, (size_t)types[i].bits};
        jc_safetensors *file = open_file(io_write_list(&folder, "x.safetensors", &t, 1, 0));
        const jc_tensor *a = jc_safetensors_tensor(file, 0);
        jc_tensor slice;
        jc_array array;
        cr_expect_str_eq(a->dtype_name, types[i].name);
        cr_expect_eq(a->dtype, types[i].dtype);
        cr_expect_eq(jc_tensor_slice(a, 3, &slice), JC_OK);
        if (types[i].bits >= 8) cr_expect_eq(slice.data - a->data, 3 * types[i].bits / 4);
        jc_status status = jc_tensor_array(a, &array);
        cr_expect_eq(status, types[i].dtype < 0 ? JC_E_INPUT : JC_OK, "%s", types[i].name);
        jc_safetensors_close(file);
    }
    io_folder_remove(&folder);
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static const jc_tensor_spec written[] = {
    {"c", JC_F32, 1, {3}},       {"a", JC_F64, 2, {2, 2}}, {"h", JC_BF16, 1, {1}}, {"b \"\xc3\xa4", JC_I32, 0, {0}},
    {"none", JC_I64, 2, {0, 5}}, {"d", JC_I64, 1, {2}},
};
enum { N_WRITTEN = sizeof written / sizeof written[0] };
static const float c_data[3] = {1, 2, 3};
static const double a_data[4] = {4, 5, 6, 7};
static const int32_t b_data = 8;
static const int64_t d_data[2] = {9, 10};

static jc_status write_file(const jc_allocator *allocator, const char *path, int append_all)
{
    jc_safetensors_writer *w = NULL;
    jc_metadata metadata[] = {{"first", "{\"x\": 1}"}, {"second", ""}};
    jc_status status = jc_safetensors_create(allocator, path, written, N_WRITTEN, metadata, 2, &w);
    if (status) return status;
    for (int i = 0; i < 3; i++) {
        if (i < 2) cr_assert_eq(jc_safetensors_append(w, 5, &d_data[i], 8), JC_OK);
        cr_assert_eq(jc_safetensors_append(w, 0, &c_data[i], 4), JC_OK);
        if (i == 1) cr_assert_eq(jc_safetensors_append(w, 1, a_data, sizeof a_data), JC_OK);
    }
    cr_assert_eq(jc_safetensors_append(w, 2, "\x80\x3f", 2), JC_OK);
    if (append_all) cr_assert_eq(jc_safetensors_append(w, 3, &b_data, 4), JC_OK);
    return jc_safetensors_commit(w);
}

Test(safetensors_write, what_is_written_is_read_again_and_aligned)
{
    io_folder folder = io_folder_make();
    const char *path = io_path(&folder, "x.safetensors");
    cr_assert_eq(write_file(NULL, path, 1), JC_OK, "%s", jc_last_error());
    cr_assert_eq(io_folder_count(&folder), 1);
    jc_safetensors *file = open_file(path);
    cr_assert_eq(jc_safetensors_count(file), N_WRITTEN);
    cr_assert_str_eq(jc_safetensors_metadata(file, "first"), "{\"x\": 1}");
    cr_assert_str_eq(jc_safetensors_metadata(file, "second"), "");
    for (int i = 0; i < N_WRITTEN; i++) {
        const jc_tensor *t = jc_safetensors_find(file, written[i].name);
        cr_assert_not_null(t, "%s", written[i].name);
        cr_assert_eq(t->dtype, (int)written[i].dtype);
        cr_assert_eq(t->rank, written[i].rank);
        for (int k = 0; k < t->rank; k++) cr_assert_eq(t->dims[k], written[i].dims[k]);
        cr_assert_eq((uintptr_t)t->data % (uintptr_t)jc_dtype_bytes(written[i].dtype), 0, "%s", t->name);
    }
    cr_assert_eq(memcmp(jc_safetensors_find(file, "c")->data, c_data, sizeof c_data), 0);
    cr_assert_eq(memcmp(jc_safetensors_find(file, "a")->data, a_data, sizeof a_data), 0);
    cr_assert_eq(memcmp(jc_safetensors_find(file, "b \"\xc3\xa4")->data, &b_data, sizeof b_data), 0);
    cr_assert_eq(memcmp(jc_safetensors_find(file, "d")->data, d_data, sizeof d_data), 0);
    jc_safetensors_close(file);
    io_folder_remove(&folder);
}

Test(safetensors_write, pieces_of_any_size_make_the_same_file)
{
    enum { N = 300001 };
    io_folder folder = io_folder_make();
    const char *path = io_path(&folder, "x.safetensors");
    int32_t *numbers = malloc(N * sizeof *numbers);
    for (int i = 0; i < N; i++) numbers[i] = i * 7;
    static const int64_t pieces[] = {1, 13, 4096, 262144, 262145, N * (int64_t)sizeof *numbers};
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        jc_tensor_spec specs[2] = {{"x", JC_I32, 1, {N}}, {"y", JC_I32, 1, {N}}};
        jc_safetensors_writer *w = NULL;
        int64_t all = N * (int64_t)sizeof *numbers;
        cr_assert_eq(jc_safetensors_create(NULL, path, specs, 2, NULL, 0, &w), JC_OK);
        for (int64_t at = 0; at < all; at += pieces[p])
            for (int t = 0; t < 2; t++) {
                if (pieces[p] == 1 && t == 1) continue; /* a change of tensor for every byte takes long */
                int64_t n = at + pieces[p] < all ? pieces[p] : all - at;
                cr_assert_eq(jc_safetensors_append(w, t, (const char *)numbers + at, n), JC_OK);
            }
        if (pieces[p] == 1) cr_assert_eq(jc_safetensors_append(w, 1, numbers, all), JC_OK);
        cr_assert_eq(jc_safetensors_commit(w), JC_OK);
        jc_safetensors *file = open_file(path);
        cr_assert_eq(memcmp(jc_safetensors_find(file, "x")->data, numbers, (size_t)all), 0);
        cr_assert_eq(memcmp(jc_safetensors_find(file, "y")->data, numbers, (size_t)all), 0);
        jc_safetensors_close(file);
    }
    free(numbers);
    io_folder_remove(&folder);
}

/* The file that was there is as it was, and nothing else is. */
static void expect_untouched(const io_folder *folder, const char *path)
{
    size_t bytes;
    unsigned char *data = io_read(path, &bytes);
    cr_expect(bytes == 3 && !memcmp(data, "old", 3));
    free(data);
    cr_expect_eq(io_folder_count(folder), 1);
}

Test(safetensors_write, a_failure_leaves_what_was_there)
{
    io_folder folder = io_folder_make();
    const char *path = io_write(&folder, "x.safetensors", "old", 3);
    cr_expect_eq(write_file(NULL, path, 0), JC_E_INTERNAL);
    expect_untouched(&folder, path);
    jc_tensor_spec same[2] = {{"x", JC_I32, 1, {1}}, {"x", JC_I32, 1, {1}}},
                   reserved = {"__metadata__", JC_I32, 1, {1}};
    jc_tensor_spec large = {"x", JC_I32, 2, {INT64_MAX / 2, 2}};
    jc_safetensors_writer *w = NULL;
    cr_expect_eq(jc_safetensors_create(NULL, path, same, 2, NULL, 0, &w), JC_E_USAGE);
    cr_expect_eq(jc_safetensors_create(NULL, path, &reserved, 1, NULL, 0, &w), JC_E_USAGE);
    cr_expect_eq(jc_safetensors_create(NULL, path, &large, 1, NULL, 0, &w), JC_E_OUTPUT);
    cr_expect_eq(jc_safetensors_create(NULL, path, same, 1, NULL, 0, &w), JC_OK);
    cr_expect_eq(jc_safetensors_append(w, 0, zeros, 5), JC_E_INTERNAL);
    cr_expect_eq(jc_safetensors_append(w, 1, zeros, 4), JC_E_INTERNAL);
    cr_expect_eq(jc_safetensors_append(w, 0, zeros, 4), JC_OK);
    jc_safetensors_abandon(w);
    jc_safetensors_abandon(NULL);
    expect_untouched(&folder, path);
    io_counter counter = {0};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_status status = JC_E_MEMORY;
    for (int64_t at = 0; status != JC_OK; at++) {
        counter = (io_counter){.fail_at = at};
        status = write_file(&allocator, path, 1);
        cr_expect_eq(counter.bytes_out, 0);
        if (status) expect_untouched(&folder, path);
        cr_assert(status == JC_OK || status == JC_E_MEMORY);
    }
    io_folder_remove(&folder);
}

static void expect_output_error(const char *path, const char *words)
{
    jc_status status = write_file(NULL, path, 1);
    cr_expect_eq(status, JC_E_OUTPUT, "%s", path);
    cr_expect(strstr(jc_last_error(), words) && strstr(jc_last_error(), path), "%s", jc_last_error());
}

Test(safetensors_write, the_system_s_reason_is_given)
{
    io_folder folder = io_folder_make();
    expect_output_error(io_path(&folder, "none/x.safetensors"), "No such file");
    expect_output_error(folder.path, "is a directory");
    expect_output_error("/dev/null", "not a regular file");
    char name[300];
    memset(name, 'n', sizeof name);
    name[255] = '\0';
    cr_expect_eq(write_file(NULL, io_path(&folder, name), 1), JC_OK, "%s", jc_last_error());
    io_folder_remove(&folder);
    folder = io_folder_make();
    name[255] = 'n';
    name[256] = '\0';
    expect_output_error(io_path(&folder, name), "File name too long");
    if (access("/dev/full", W_OK) == 0) expect_output_error("/dev/full", "not a regular file");
    cr_expect_eq(io_folder_count(&folder), 0);
    io_folder_remove(&folder);
}

static jc_status write_doubles(const char *path, int64_t n, jc_status *appended)
{
    jc_tensor_spec spec = {"x", JC_F64, 1, {n}};
    jc_safetensors_writer *w = NULL;
    double *data = calloc((size_t)n, sizeof *data);
    cr_assert_eq(jc_safetensors_create(NULL, path, &spec, 1, NULL, 0, &w), JC_OK);
    jc_status status = *appended = jc_safetensors_append(w, 0, data, n * (int64_t)sizeof *data);
    if (status)
        jc_safetensors_abandon(w);
    else
        status = jc_safetensors_commit(w);
    free(data);
    return status;
}

/* The limit stands for a full disk: reached when the file is put in place, or in the middle of it. */
Test(safetensors_write, a_full_disk_leaves_what_was_there)
{
    io_folder folder = io_folder_make();
    const char *path = io_write(&folder, "x.safetensors", "old", 3);
    struct rlimit limit;
    jc_status appended;
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 100;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_expect_eq(write_doubles(path, 100, &appended), JC_E_OUTPUT);
    cr_expect_eq(appended, JC_OK);
    cr_expect(strstr(jc_last_error(), "File too large"), "%s", jc_last_error());
    expect_untouched(&folder, path);
    cr_expect_eq(write_doubles(path, 1000000, &appended), JC_E_OUTPUT);
    cr_expect_eq(appended, JC_E_OUTPUT);
    expect_untouched(&folder, path);
    io_folder_remove(&folder);
}
