/* Writing results to safetensors and .npy files. */
#include "io/results.h"

#include <string.h>

#include <jansson.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "graph/graph.h"
#include "io/file.h"
#include "io/npy.h"
#include "io/output.h"
#include "io/safetensors_write.h"

enum { PIECE_BYTES = 1 << 20 };

jc_status jc_results_check_path(const char *path)
{
    if (jc_file_is_a(path, ".safetensors") || jc_file_is_a(path, ".npy")) return JC_OK;
    return jc_fail(JC_E_USAGE, "%.1000s: results are written to files named *.safetensors or *.npy", path);
}

jc_status jc_results_check_count(const char *path, int64_t n)
{
    if (n == 1 || !jc_file_is_a(path, ".npy")) return JC_OK;
    return jc_fail(JC_E_USAGE, "%.1000s: a .npy file holds one result, these are %lld; a .safetensors file holds all",
                   path, (long long)n);
}

/* ---- names ------------------------------------------------------------------------------------------------------- */

/* Names of all results: text [bytes], each ended by NUL, result i's at starts[i]. */
typedef struct name_list {
    jc_vec text, starts; /* char, int64_t */
} name_list;

static jc_status append_variable(const jc_graph *g, int64_t variable, const char *before, jc_vec *text)
{
    int64_t bytes = (int64_t)jc_graph_variable_name(g, variable, NULL, 0);
    jc_status status = jc_vec_append(&g->allocator, text, before, (int64_t)strlen(before), "names");
    if (!status) status = jc_vec_reserve(&g->allocator, text, bytes + 1, "names");
    if (status) return status;
    jc_graph_variable_name(g, variable, (char *)text->data + text->count, (size_t)bytes + 1);
    text->count += bytes;
    return JC_OK;
}

/* Appends "d<of>/d<wrt>". */
static jc_status append_name(const jc_graph *g, const jc_result *r, name_list *names)
{
    jc_status status = jc_vec_append(&g->allocator, &names->starts, &names->text.count, 1, "names");
    if (!status) status = append_variable(g, r->of, "d", &names->text);
    if (!status) status = append_variable(g, r->wrt, "/d", &names->text);
    if (!status) status = jc_vec_append(&g->allocator, &names->text, "", 1, "names");
    return status;
}

static const char *name_of(const name_list *names, int64_t i)
{
    return (const char *)names->text.data + ((const int64_t *)names->starts.data)[i];
}

/* {"dL/dw": {"of": "L", "wrt": "w"}}: adds one result. The name is "d", of, "/d", wrt, so of and wrt are parts of it.
 */
static jc_status add_identity(const jc_graph *g, const jc_result *r, const char *name, json_t *all)
{
    if (json_object_get(all, name)) return jc_fail(JC_E_USAGE, "two results would be named '%.300s'", name);
    size_t of_bytes = jc_graph_variable_name(g, r->of, NULL, 0);
    json_t *one = json_pack("{s:s%, s:s}", "of", name + 1, of_bytes, "wrt", name + 1 + of_bytes + 2);
    if (json_object_set_new(all, name, one)) return jc_fail(JC_E_MEMORY, "not enough memory for a file's header");
    return JC_OK;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

/* `buffer` = n entries of row i of block b, from column j. */
static void copy_entries(const jc_result *r, int64_t b, int64_t i, int64_t j, int64_t n, unsigned char *buffer)
{
    size_t width = (size_t)jc_dtype_bytes(r->dtype);
    if (r->kind == JC_RESULT_MATRIX) {
        const unsigned char *first = (const unsigned char *)r->data +
                                     (b * r->block_stride + i * r->row_stride + j * r->col_stride) * (int64_t)width;
        if (r->col_stride == 1)
            memcpy(buffer, first, (size_t)n * width);
        else
            for (int64_t k = 0; k < n; k++)
                memcpy(buffer + (size_t)k * width, first + k * r->col_stride * (int64_t)width, width);
        return;
    }
    memset(buffer, 0, (size_t)n * width);
    if (r->kind != JC_RESULT_IDENTITY || i < j || i >= j + n) return;
    const double one = 1;
    const float one_single = 1;
    memcpy(buffer + (size_t)(i - j) * width, r->dtype == JC_F64 ? (const void *)&one : &one_single, width);
}

/* Where the rows of a result go: tensor `index` of a safetensors file, or a .npy file. */
typedef struct row_sink {
    jc_safetensors_writer *tensors; /* NULL: to npy */
    int64_t index;
    jc_output_file *npy;
} row_sink;

static jc_status put_bytes(const row_sink *sink, const void *data, int64_t bytes)
{
    return sink->tensors ? jc_safetensors_append(sink->tensors, sink->index, data, bytes)
                         : jc_output_write(sink->npy, data, bytes);
}

static jc_status write_row(const row_sink *sink, const jc_result *r, int64_t b, int64_t i, unsigned char *buffer)
{
    int64_t width = jc_dtype_bytes(r->dtype), most = PIECE_BYTES / width;
    jc_status status = JC_OK;
    for (int64_t j = 0; j < r->cols && !status; j += most) {
        int64_t n = jc_min(most, r->cols - j);
        copy_entries(r, b, i, j, n, buffer);
        status = put_bytes(sink, buffer, n * width);
    }
    return status;
}

static jc_status write_result(const row_sink *sink, const jc_result *r, unsigned char *buffer)
{
    jc_status status = JC_OK;
    for (int64_t b = 0; b < r->blocks; b++)
        for (int64_t i = 0; i < r->rows && !status; i++) status = write_row(sink, r, b, i, buffer);
    return status;
}

/* ---- the files -------------------------------------------------------------------------------------------------- */

/* [rows, cols], or [blocks, rows, cols] of a per-sample total. */
static jc_tensor_spec describe(const jc_result *r, const char *name)
{
    jc_tensor_spec t = {.name = name, .dtype = r->dtype};
    if (r->per_sample || r->blocks > 1) t.dims[t.rank++] = r->blocks;
    t.dims[t.rank++] = r->rows;
    t.dims[t.rank++] = r->cols;
    return t;
}

static jc_status write_npy_body(const jc_result *r, jc_output_file *file, unsigned char *buffer)
{
    jc_tensor_spec t = describe(r, NULL);
    row_sink sink = {.npy = file};
    jc_npy_write_header(t.dtype, t.rank, t.dims, buffer);
    jc_status status = jc_output_write(file, buffer, JC_NPY_HEADER_BYTES);
    return status ? status : write_result(&sink, r, buffer);
}

static jc_status write_npy(const jc_allocator *a, const jc_result *r, const char *path)
{
    jc_output_file *file = NULL;
    unsigned char *buffer;
    jc_status status = jc_alloc(a, PIECE_BYTES, 1, "a piece of the results", &buffer);
    if (status) return status;
    if (!(status = jc_output_create(a, path, &file))) status = write_npy_body(r, file, buffer);
    if (!status)
        status = jc_output_commit(file);
    else
        jc_output_abandon(file);
    jc_free(a, buffer, PIECE_BYTES, 1);
    return status;
}

static jc_status write_all(const jc_allocator *a, const jc_result *results, int64_t n, const jc_tensor_spec *tensors,
                           const char *identities, const char *path)
{
    jc_metadata metadata = {"jacchain_results", identities};
    jc_safetensors_writer *w = NULL;
    unsigned char *buffer;
    jc_status status = jc_alloc(a, PIECE_BYTES, 1, "a piece of the results", &buffer);
    if (status) return status;
    status = jc_safetensors_create(a, path, tensors, n, &metadata, 1, &w);
    for (int64_t i = 0; i < n && !status; i++) {
        row_sink sink = {.tensors = w, .index = i};
        status = write_result(&sink, &results[i], buffer);
    }
    if (!status)
        status = jc_safetensors_commit(w);
    else
        jc_safetensors_abandon(w);
    jc_free(a, buffer, PIECE_BYTES, 1);
    return status;
}

static jc_status name_results(const jc_graph *g, const jc_result *results, int64_t n, name_list *names, json_t *all)
{
    jc_status status = JC_OK;
    for (int64_t i = 0; i < n && !status; i++) status = append_name(g, &results[i], names);
    for (int64_t i = 0; i < n && !status; i++) status = add_identity(g, &results[i], name_of(names, i), all);
    return status;
}

typedef struct text_sink {
    const jc_allocator *allocator;
    jc_vec *text; /* char */
    jc_status status;
} text_sink;

/* jansson goes on after some failures: the first one is kept. */
static int append_text(const char *text, size_t bytes, void *ctx)
{
    text_sink *s = ctx;
    if (!s->status) s->status = jc_vec_append(s->allocator, s->text, text, (int64_t)bytes, "a file's header");
    return s->status ? -1 : 0;
}

/* *text = value as JSON text, ended by NUL. */
static jc_status write_text(const jc_allocator *a, const json_t *value, jc_vec *text)
{
    text_sink sink = {a, text, JC_OK};
    int failed = json_dump_callback(value, append_text, &sink, JSON_COMPACT);
    if (sink.status) return sink.status;
    if (failed) return jc_fail(JC_E_MEMORY, "not enough memory for a file's header");
    return jc_vec_append(a, text, "", 1, "a file's header");
}

static jc_status write_tensors(const jc_graph *g, const jc_result *results, int64_t n, const char *path)
{
    const jc_allocator *a = &g->allocator;
    jc_status status;
    name_list names = {jc_vec_of(1), jc_vec_of(sizeof(int64_t))};
    jc_tensor_spec *tensors = NULL;
    jc_vec identities = jc_vec_of(1);
    json_t *all = json_object();
    if ((status = name_results(g, results, n, &names, all))) goto done;
    if ((status = jc_alloc(a, n, sizeof *tensors, "the results' names", &tensors))) goto done;
    for (int64_t i = 0; i < n; i++) tensors[i] = describe(&results[i], name_of(&names, i));
    if ((status = write_text(a, all, &identities))) goto done;
    status = write_all(a, results, n, tensors, identities.data, path);
done:
    jc_vec_free(a, &identities);
    jc_free(a, tensors, n, sizeof *tensors);
    json_decref(all);
    jc_vec_free(a, &names.starts);
    jc_vec_free(a, &names.text);
    return status;
}

jc_status jc_results_write(const jc_graph *g, const jc_result *results, int64_t n, const char *path)
{
    jc_status status = jc_results_check_path(path);
    if (!status) status = jc_results_check_count(path, n);
    if (status) return status;
    return jc_file_is_a(path, ".npy") ? write_npy(&g->allocator, results, path) : write_tensors(g, results, n, path);
}
