/* The files of a document: its own, the tensors beside it, Matrix Market files. Messages about a file beside the
 * document name that file. */
#include <string.h>
#include <sys/stat.h>

#include "core/error.h"
#include "core/size.h"
#include "io/document.h"
#include "io/json.h"
#include "io/matrix_market.h"

/* A matrix that goes with the graph, and the file that it came from. */
typedef struct kept_matrix {
    jc_mm_matrix matrix;
    int64_t name_bytes; /* with its NUL */
    char name[];        /* [name_bytes] */
} kept_matrix;

/* ---- names ------------------------------------------------------------------------------------------------------ */

/* A file beside the document: a plain file name. */
static jc_status check_name(const json_t *value, const char *part, const char *what, const char **name)
{
    const char *text = jc_json_text(value);
    char shown[JC_SHORT_BYTES];
    if (!text || !*text)
        return jc_fail_at(JC_E_INPUT, part, -1, "expected the name of a %s file, not %s", what,
                          text                    ? "empty text"
                          : json_is_string(value) ? "text with a NUL"
                                                  : jc_json_what(value));
    if (strchr(text, '/') || strstr(text, ".."))
        return jc_fail_at(JC_E_INPUT, part, -1, "expected a plain file name without '/' and '..', not '%s'",
                          jc_shorten(text, shown));
    *name = text;
    return JC_OK;
}

/* *path = the file `name` in the document's folder, [*bytes] with its NUL, to be freed. */
static jc_status join(const jc_document *doc, const char *name, char **path, int64_t *bytes)
{
    int64_t n = doc->folder_bytes, name_bytes = (int64_t)strlen(name) + 1;
    bool slash = n > 0 && doc->folder[n - 1] != '/';
    jc_status status = jc_alloc(&doc->graph->allocator, n + slash + name_bytes, 1, "a file's name", path);
    if (status) return status;
    if (n) memcpy(*path, doc->folder, (size_t)n);
    if (slash) (*path)[n] = '/';
    memcpy(*path + n + slash, name, (size_t)name_bytes);
    *bytes = n + slash + name_bytes;
    return JC_OK;
}

static jc_status open_file(const jc_document *doc, const char *path, jc_file *file)
{
    const jc_allocator *a = &doc->graph->allocator;
    return doc->reads_files ? jc_file_read(a, path, file) : jc_file_open(a, path, file);
}

/* A file beside the document. What a document names is not trusted: a pipe would be waited for without end. */
static jc_status open_side_file(const jc_document *doc, const char *path, jc_file *file)
{
    struct stat info;
    if (!stat(path, &info) && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))
        return jc_fail(JC_E_INPUT, "is not a regular file");
    return open_file(doc, path, file);
}

/* The message names the file: no place of the document is put before it. */
static jc_status side_fault(jc_document *doc, jc_status status)
{
    doc->side_fault = true;
    return status;
}

/* ---- tensors ---------------------------------------------------------------------------------------------------- */

static void release_tensors(void *ctx, const jc_allocator *allocator)
{
    (void)allocator; /* the file has its own copy */
    jc_safetensors_close(ctx);
}

/* Takes an open file as the document's tensors. */
static jc_status take_tensors(jc_document *doc, const char *path, jc_file *file)
{
    jc_safetensors *tensors = NULL;
    jc_status status = jc_safetensors_take(&doc->graph->allocator, path, file, &tensors);
    if (status) return side_fault(doc, status);
    if ((status = jc_graph_keep(doc->graph, release_tensors, tensors))) {
        jc_safetensors_close(tensors);
        return status;
    }
    doc->tensors = tensors;
    return JC_OK;
}

static jc_status open_tensors(jc_document *doc, const char *path)
{
    jc_file file;
    jc_status status = open_side_file(doc, path, &file);
    if (status) return side_fault(doc, jc_fail_prefix(status, "%.1000s: ", path));
    return take_tensors(doc, path, &file);
}

jc_status jc_document_open_tensors(jc_document *doc, const json_t *value)
{
    const char *name = NULL;
    char *path = NULL;
    int64_t bytes = 0;
    if (!value) return JC_OK;
    if (doc->single)
        return jc_fail_at(JC_E_INPUT, "tensors", -1, "a document in a safetensors file refers to that file's tensors");
    jc_status status = check_name(value, "tensors", "safetensors", &name);
    if (!status) status = join(doc, name, &path, &bytes);
    if (status) return status;
    status = open_tensors(doc, path);
    jc_free(&doc->graph->allocator, path, bytes, 1);
    return status;
}

/* ---- the document itself ---------------------------------------------------------------------------------------- */

/* The text in the metadata of a safetensors file. */
static jc_status open_single(jc_document *doc, const char *path)
{
    jc_file file = doc->file;
    doc->file = (jc_file){.memory = jc_vec_of(1)};
    doc->single = true;
    jc_status status = take_tensors(doc, path, &file);
    if (status) return status;
    doc->text = jc_safetensors_metadata(doc->tensors, "jacchain");
    if (!doc->text)
        return jc_fail(JC_E_INPUT, "is a safetensors file without a document: its __metadata__ has no text 'jacchain'");
    doc->text_bytes = (int64_t)strlen(doc->text);
    return JC_OK;
}

jc_status jc_document_open(jc_document *doc, const char *path)
{
    jc_status status = open_file(doc, path, &doc->file);
    doc->text = (const char *)doc->file.data;
    doc->text_bytes = doc->file.bytes;
    if (!status && jc_safetensors_recognise(doc->file.data, doc->file.bytes)) status = open_single(doc, path);
    return status ? jc_document_fail(doc, status, "%s", "") : JC_OK;
}

/* ---- matrices --------------------------------------------------------------------------------------------------- */

static void free_matrix(const jc_allocator *a, kept_matrix *kept)
{
    jc_mm_matrix_fini(a, &kept->matrix);
    jc_free(a, kept, (int64_t)sizeof *kept + kept->name_bytes, 1);
}

static void release_matrix(void *ctx, const jc_allocator *allocator)
{
    free_matrix(allocator, ctx);
}

static const kept_matrix *find_matrix(const jc_document *doc, const char *name)
{
    kept_matrix *const *all = doc->matrices.data;
    for (int64_t i = doc->matrices.count - 1; i >= 0; i--)
        if (!strcmp(all[i]->name, name)) return all[i];
    return NULL;
}

/* p x q of D; false where the sizes of the edge do not go with batch and inner, which the builder says. */
static bool expected_shape(const jc_document *doc, const jc_jacobian *j, int64_t *p, int64_t *q)
{
    int64_t blocks;
    bool fits = jc_size_mul(jc_max(j->batch, 1), jc_max(j->inner, 1), &blocks);
    if (!fits || doc->of_size % blocks || doc->wrt_size % blocks) return false;
    *p = (j->transpose ? doc->wrt_size : doc->of_size) / blocks;
    *q = (j->transpose ? doc->of_size : doc->wrt_size) / blocks;
    return true;
}

static jc_status check_shape(const char *name, int64_t rows, int64_t cols, int64_t p, int64_t q)
{
    char shown[JC_SHORT_BYTES];
    if (rows == p && cols == q) return JC_OK;
    return jc_fail_at(JC_E_INPUT, "jacobian/file", -1, "%s is %lld x %lld, expected %lld x %lld",
                      jc_shorten(name, shown), (long long)rows, (long long)cols, (long long)p, (long long)q);
}

/* A matrix of another shape than expected is refused before there is memory for it. */
static jc_status read_matrix(jc_document *doc, const char *name, const char *path, int64_t p, int64_t q,
                             jc_mm_matrix *matrix)
{
    const jc_allocator *a = &doc->graph->allocator;
    jc_file file;
    jc_mm_header header;
    jc_status status = open_side_file(doc, path, &file);
    if (status) return side_fault(doc, jc_fail_prefix(status, "%.1000s: ", path));
    status = jc_mm_read_header(file.data, file.bytes, &header);
    bool fits = !status && header.rows == p && header.cols == q;
    if (fits) status = jc_mm_read_matrix(a, file.data, file.bytes, &header, matrix);
    jc_file_close(a, &file);
    if (status) return side_fault(doc, jc_fail_prefix(status, "%.1000s: ", path));
    return fits ? JC_OK : check_shape(name, header.rows, header.cols, p, q);
}

/* Reads a matrix into the graph's keeping and the list of those that are read. */
static jc_status keep_matrix(jc_document *doc, const char *name, int64_t p, int64_t q, const kept_matrix **out)
{
    const jc_allocator *a = &doc->graph->allocator;
    int64_t name_bytes = (int64_t)strlen(name) + 1, path_bytes = 0;
    kept_matrix *kept;
    char *path = NULL;
    jc_status status = jc_alloc_zero(a, (int64_t)sizeof *kept + name_bytes, 1, "a matrix", &kept);
    if (status) return status;
    kept->name_bytes = name_bytes;
    memcpy(kept->name, name, (size_t)name_bytes);
    status = jc_vec_reserve(a, &doc->matrices, 1, "matrices");
    if (!status) status = join(doc, name, &path, &path_bytes);
    if (!status) status = read_matrix(doc, name, path, p, q, &kept->matrix);
    if (!status) status = jc_graph_keep(doc->graph, release_matrix, kept);
    jc_free(a, path, path_bytes, 1);
    if (status) {
        free_matrix(a, kept);
        return status;
    }
    jc_vec_append(a, &doc->matrices, &kept, 1, "matrices"); /* there is room */
    *out = kept;
    return JC_OK;
}

static jc_status check_alone(const jc_jacobian *j)
{
    const char *beside = j->indptr.rank ? "indptr" : j->indices.rank ? "indices" : j->values.rank ? "values" : NULL;
    return beside ? jc_fail_at(JC_E_INPUT, "jacobian/file", -1, "stands in place of the arrays, but %s is there too",
                               beside)
                  : JC_OK;
}

jc_status jc_document_matrix_file(jc_document *doc, const json_t *value, jc_jacobian *j)
{
    const char *name = NULL;
    int64_t p, q;
    jc_status status = check_name(value, "jacobian/file", "Matrix Market", &name);
    if (!status) status = check_alone(j);
    if (status || !expected_shape(doc, j, &p, &q)) return status;
    const kept_matrix *kept = find_matrix(doc, name);
    status = kept ? check_shape(name, kept->matrix.rows, kept->matrix.cols, p, q) : keep_matrix(doc, name, p, q, &kept);
    if (status) return status;
    const jc_mm_matrix *m = &kept->matrix;
    j->indptr = jc_array_1d(JC_I64, m->rows + 1, m->indptr);
    j->indices = jc_array_1d(JC_I64, m->nnz, m->indices);
    j->values = jc_array_1d(JC_F64, m->nnz, m->values);
    j->values.literal = 1; /* decimal text, as that of the document */
    return JC_OK;
}
