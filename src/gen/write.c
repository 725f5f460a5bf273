/* A generated graph as a document and its tensors, or as one file. Files are written beside their names first and put
 * in place at the end. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/progress.h"
#include "core/size.h"
#include "gen/gen.h"
#include "io/output.h"
#include "io/safetensors_write.h"

enum { PIECE_BYTES = 1 << 20, TENSORS_OF_GROUP = 3, TEXT_BYTES = 512, NAME_EXTRA = 48 };

/* ---- the document ------------------------------------------------------------------------------------------ */

/* Where the document's text goes: a file, or memory. */
typedef struct text_sink {
    jc_output_file *file; /* NULL: to text */
    const jc_allocator *allocator;
    jc_vec text; /* char */
} text_sink;

static jc_status put_bytes(text_sink *out, const char *text, int64_t bytes)
{
    return out->file ? jc_output_write(out->file, text, bytes)
                     : jc_vec_append(out->allocator, &out->text, text, bytes, "a document");
}

static jc_status put(text_sink *out, const char *format, ...) JC_PRINTF(2, 3);

static jc_status put(text_sink *out, const char *format, ...)
{
    char text[TEXT_BYTES]; /* names are short, and file names are put by put_string */
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || n >= TEXT_BYTES) return jc_fail(JC_E_INTERNAL, "a piece of a document is too long");
    return put_bytes(out, text, n);
}

/* A JSON string of text without control characters. */
static jc_status put_string(text_sink *out, const char *text)
{
    jc_status status = put_bytes(out, "\"", 1);
    for (const char *p = text; *p && !status; p++) {
        if (*p == '"' || *p == '\\') status = put_bytes(out, "\\", 1);
        if (!status) status = put_bytes(out, p, 1);
    }
    return status ? status : put_bytes(out, "\"", 1);
}

/* How the graph was made: the command without its output. */
static jc_status put_metadata(text_sink *out, const jc_gen *gen)
{
    jc_status status = put(out, " \"metadata\": {\"made_by\": \"jacchain gen %s", gen->family->name);
    for (int p = 0; p < JC_GEN_PARAMETERS && !status; p++) {
        if (gen->value[p]) status = put(out, " --%s %" PRId64, jc_gen_parameter_name(p), gen->value[p]);
    }
    if (!status && gen->family->size) status = put(out, " --size %" PRId64, gen->size_low);
    if (!status && gen->size_high > gen->size_low) status = put(out, ":%" PRId64, gen->size_high);
    if (status) return status;
    return put(out, " --dtype %s --seed %" PRIu64 "\"},\n", gen->dtype == JC_F64 ? "f64" : "f32", gen->seed);
}

static jc_status put_variables(text_sink *out, const jc_gen *gen)
{
    char name[64];
    if (!gen->name) return put(out, " \"variables\": {\"sizes\": {\"tensor\": \"sizes\"}, \"prefix\": \"v\"},\n");
    jc_status status = put(out, " \"variables\": [");
    for (int64_t v = 0; v < gen->sizes.count && !status; v++) {
        status = put(out, "%s{\"name\": \"%s\", \"size\": %" PRId64 "}", v ? ",\n  " : "",
                     jc_gen_name(gen, v, name, sizeof name), jc_gen_size(gen, v));
    }
    return status ? status : put(out, "],\n");
}

/* {"kind": ..} and the label, which are the same for all edges of a group, and the end of the edge. */
static jc_status put_jacobian(text_sink *out, const jc_gen_group *group)
{
    jc_status status = put(out, "\"jacobian\": {\"kind\": \"%s\"", jc_kind_name(group->kind));
    if (!status && group->batch > 1) status = put(out, ", \"batch\": %" PRId64, group->batch);
    if (!status && group->fill != JC_GEN_NOTHING) {
        status = put(out, ", \"%s\": {\"tensor\": \"%s%s%s\"}", jc_gen_field(group), group->name,
                     group->shared ? "" : ".", group->shared ? "" : jc_gen_field(group));
    }
    if (!status) status = put(out, "}");
    if (!status && group->label) status = put(out, ", \"label\": \"%s\"", group->label);
    return status ? status : put(out, "}");
}

static jc_status put_group(text_sink *out, const jc_gen *gen, const jc_gen_group *group)
{
    char of[64], wrt[64];
    jc_status status = JC_OK;
    if (!group->shared) {
        status =
            put(out, "{\"of\": {\"tensor\": \"%s.of\"}, \"wrt\": {\"tensor\": \"%s.wrt\"}, \"count\": %" PRId64 ", ",
                group->name, group->name, group->n_edges);
        return status ? status : put_jacobian(out, group);
    }
    for (int64_t i = 0; i < group->n_edges && !status; i++) {
        int64_t e = group->first_edge + i;
        status = put(out, "%s{\"of\": \"%s\", \"wrt\": \"%s\", ", i ? ",\n  " : "",
                     jc_gen_name(gen, jc_gen_of(gen, e), of, sizeof of),
                     jc_gen_name(gen, jc_gen_wrt(gen, e), wrt, sizeof wrt));
        if (!status) status = put_jacobian(out, group);
    }
    return status;
}

static jc_status put_tensors_name(text_sink *out, const char *name)
{
    jc_status status = put(out, " \"tensors\": ");
    if (!status) status = put_string(out, name);
    return status ? status : put(out, ",\n");
}

/* tensors: the name of the file that has them; NULL: it is the document's own. */
static jc_status put_document(text_sink *out, const jc_gen *gen, const char *tensors)
{
    jc_status status = put(out, "{\"jacchain\": 1,\n");
    if (!status) status = put_metadata(out, gen);
    if (!status && tensors) status = put_tensors_name(out, tensors);
    if (!status) status = put_variables(out, gen);
    if (!status) status = put(out, " \"edges\": [");
    for (int64_t g = 0; g < gen->groups.count && !status; g++) {
        if (g) status = put(out, ",\n  ");
        if (!status) status = put_group(out, gen, jc_gen_group_at(gen, g));
    }
    return status ? status : put(out, "]}\n");
}

/* ---- the tensors ------------------------------------------------------------------------------------------- */

/* The tensors of the file: `sizes` first where variables have no names, then each group's of, wrt, numbers. */
typedef struct tensor_list {
    jc_tensor_spec *specs; /* [capacity] */
    char (*names)[48];     /* [capacity] */
    int64_t count, capacity;
} tensor_list;

static jc_tensor_spec *add_tensor(tensor_list *list, const char *group, const char *field, jc_dtype dtype)
{
    jc_tensor_spec *spec = &list->specs[list->count];
    char *name = list->names[list->count++];
    snprintf(name, sizeof *list->names, "%s%s%s", group, *field ? "." : "", field);
    *spec = (jc_tensor_spec){.name = name, .dtype = dtype};
    return spec;
}

static void list_group(tensor_list *list, const jc_gen *gen, const jc_gen_group *group)
{
    if (!group->shared) {
        jc_tensor_spec *of = add_tensor(list, group->name, "of", JC_I64);
        of->dims[of->rank++] = group->n_edges;
        jc_tensor_spec *wrt = add_tensor(list, group->name, "wrt", JC_I64);
        wrt->dims[wrt->rank++] = group->n_edges;
    }
    if (group->fill == JC_GEN_NOTHING) return;
    jc_tensor_spec *numbers = add_tensor(list, group->name, group->shared ? "" : jc_gen_field(group), gen->dtype);
    if (!group->shared) numbers->dims[numbers->rank++] = group->n_edges;
    if (!group->vector) numbers->dims[numbers->rank++] = group->rows;
    numbers->dims[numbers->rank++] = group->cols;
}

static jc_status list_tensors(const jc_gen *gen, tensor_list *list)
{
    const jc_allocator *a = &gen->allocator;
    tensor_list l = {.capacity = 1 + TENSORS_OF_GROUP * gen->groups.count};
    jc_status status = jc_alloc(a, l.capacity, sizeof *l.specs, "a list of tensors", &l.specs);
    if (status) return status;
    if ((status = jc_alloc(a, l.capacity, sizeof *l.names, "a list of tensors", &l.names))) {
        jc_free(a, l.specs, l.capacity, sizeof *l.specs);
        return status;
    }
    if (!gen->name) {
        jc_tensor_spec *sizes = add_tensor(&l, "sizes", "", JC_I64);
        sizes->dims[sizes->rank++] = gen->sizes.count;
    }
    for (int64_t g = 0; g < gen->groups.count; g++) list_group(&l, gen, jc_gen_group_at(gen, g));
    *list = l;
    return JC_OK;
}

static void tensor_list_fini(const jc_allocator *a, tensor_list *list)
{
    jc_free(a, list->names, list->capacity, sizeof *list->names);
    jc_free(a, list->specs, list->capacity, sizeof *list->specs);
}

/* The numbers of a group, as many whole rows at a time as a piece has room for, at least one. */
static jc_status append_numbers(jc_safetensors_writer *writer, int64_t tensor, jc_gen_numbers *numbers, int64_t g)
{
    const jc_gen *gen = numbers->gen;
    const jc_gen_group *group = jc_gen_group_at(gen, g);
    int64_t row_bytes = group->cols * jc_dtype_bytes(gen->dtype), rows = jc_gen_members(group) * group->rows;
    int64_t step = jc_max(1, jc_min(rows, PIECE_BYTES / row_bytes));
    unsigned char *piece;
    jc_status status = jc_alloc(&gen->allocator, step * row_bytes, 1, "a piece of a tensor", &piece);
    if (status) return status;
    for (int64_t row = 0; row < rows && !status; row += step) {
        int64_t n = jc_min(step, rows - row);
        jc_gen_rows(numbers, g, row, n, piece);
        status = jc_safetensors_append(writer, tensor, piece, n * row_bytes);
        numbers->written += n * row_bytes;
        jc_progress_tell(&gen->progress, "bytes", numbers->written, gen->bytes);
    }
    jc_free(&gen->allocator, piece, step * row_bytes, 1);
    return status;
}

static jc_status append_group(jc_safetensors_writer *writer, int64_t *tensor, jc_gen_numbers *numbers, int64_t g)
{
    const jc_gen *gen = numbers->gen;
    const jc_gen_group *group = jc_gen_group_at(gen, g);
    int64_t bytes = group->n_edges * (int64_t)sizeof(int64_t);
    jc_status status = JC_OK;
    if (!group->shared) {
        status = jc_safetensors_append(writer, (*tensor)++, (const int64_t *)gen->of.data + group->first_edge, bytes);
        if (status) return status;
        status = jc_safetensors_append(writer, (*tensor)++, (const int64_t *)gen->wrt.data + group->first_edge, bytes);
    }
    if (status || group->fill == JC_GEN_NOTHING) return status;
    return append_numbers(writer, (*tensor)++, numbers, g);
}

static jc_status append_tensors(jc_safetensors_writer *writer, const jc_gen *gen)
{
    jc_gen_numbers numbers;
    int64_t tensor = 0;
    jc_status status = jc_gen_numbers_init(gen, &numbers);
    if (status) return status;
    jc_progress_tell(&gen->progress, "bytes", 0, gen->bytes);
    if (!gen->name) {
        int64_t bytes = gen->sizes.count * (int64_t)sizeof(int64_t);
        status = jc_safetensors_append(writer, tensor++, gen->sizes.data, bytes);
    }
    for (int64_t g = 0; g < gen->groups.count && !status; g++) status = append_group(writer, &tensor, &numbers, g);
    jc_gen_numbers_fini(&numbers);
    return status;
}

/* text: the document, for the metadata of the file that is all; NULL: it is a file of its own. */
static jc_status write_tensors(const jc_gen *gen, const char *path, const char *text, jc_safetensors_writer **out)
{
    const jc_metadata metadata = {"jacchain", text};
    tensor_list list;
    jc_safetensors_writer *writer;
    jc_status status = list_tensors(gen, &list);
    if (status) return status;
    status = jc_safetensors_create(&gen->allocator, path, list.specs, list.count, &metadata, text ? 1 : 0, &writer);
    tensor_list_fini(&gen->allocator, &list);
    if (status) return status;
    if ((status = append_tensors(writer, gen))) {
        jc_safetensors_abandon(writer);
        return status;
    }
    *out = writer;
    return JC_OK;
}

/* ---- the files -------------------------------------------------------------------------------------------- */

/* The part of the stem after the last '/', which the document names. */
static jc_status check_stem(const char *stem, const char **name)
{
    const char *slash = strrchr(stem, '/');
    *name = slash ? slash + 1 : stem;
    if (!**name) return jc_fail(JC_E_USAGE, "'%.1000s' names a folder, not the files to write", stem);
    if (strstr(*name, "..") || (*name)[strlen(*name) - 1] == '.') /* "a." + ".json" */
        return jc_fail(JC_E_USAGE, "a document cannot name a file with '..' in its name");
    for (const char *p = *name; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) return jc_fail(JC_E_USAGE, "the file name has control characters");
    return JC_OK;
}

/* kept = a second name of what is at `path`, beside it; "" where nothing is there or the file system has no links. */
static void keep_old(const char *path, char *kept, size_t capacity)
{
    const char *slash = strrchr(path, '/');
    int folder = slash ? (int)(slash - path) + 1 : 0;
    snprintf(kept, capacity, "%.*s.jacchain-%ld-old.tmp", folder, path, (long)getpid());
    unlink(kept);
    if (link(path, kept)) kept[0] = '\0';
}

/* Puts both in place. Where the document fails the tensors that were put there are taken away again, and those that
 * were there before come back. kept: room for a name. */
static jc_status commit(jc_safetensors_writer *writer, jc_output_file *document, const char *tensors_path, char *kept,
                        size_t capacity)
{
    struct stat info;
    bool was_there = stat(tensors_path, &info) == 0;
    keep_old(tensors_path, kept, capacity);
    jc_status status = jc_safetensors_commit(writer);
    if (status) {
        jc_output_abandon(document);
    } else if ((status = jc_output_commit(document))) {
        if (kept[0] && !rename(kept, tensors_path)) return status;
        if (!was_there) unlink(tensors_path);
    }
    if (kept[0]) unlink(kept);
    return status;
}

static jc_status write_and_commit(const jc_gen *gen, const char *document_path, const char *tensors_path,
                                  const char *tensors_name, char *kept, size_t capacity)
{
    text_sink document = {0};
    jc_safetensors_writer *writer;
    jc_status status = jc_output_create(&gen->allocator, document_path, &document.file);
    if (status) return status;
    if ((status = put_document(&document, gen, tensors_name))) goto abandon;
    if ((status = write_tensors(gen, tensors_path, NULL, &writer))) goto abandon;
    return commit(writer, document.file, tensors_path, kept, capacity);
abandon:
    jc_output_abandon(document.file);
    return status;
}

static jc_status write_files(const jc_gen *gen, const char *document_path, const char *tensors_path,
                             const char *tensors_name)
{
    char *kept;
    int64_t capacity = (int64_t)strlen(tensors_path) + NAME_EXTRA;
    jc_status status = jc_alloc(&gen->allocator, capacity, 1, "a file name", &kept);
    if (status) return status;
    status = write_and_commit(gen, document_path, tensors_path, tensors_name, kept, (size_t)capacity);
    jc_free(&gen->allocator, kept, capacity, 1);
    return status;
}

static jc_status write_single(const jc_gen *gen, const char *path)
{
    text_sink document = {.allocator = &gen->allocator, .text = jc_vec_of(1)};
    jc_safetensors_writer *writer;
    jc_status status = put_document(&document, gen, NULL);
    if (!status) status = put_bytes(&document, "", 1);
    if (!status) status = write_tensors(gen, path, document.text.data, &writer);
    jc_vec_free(&gen->allocator, &document.text);
    return status ? status : jc_safetensors_commit(writer);
}

/* *path = the stem with an extension, [*bytes], to be freed. */
static jc_status join(const jc_allocator *a, const char *stem, const char *extension, char **path, int64_t *bytes)
{
    int64_t n = (int64_t)(strlen(stem) + strlen(extension)) + 1;
    jc_status status = jc_alloc(a, n, 1, "a file name", path);
    if (status) return status;
    snprintf(*path, (size_t)n, "%s%s", stem, extension);
    *bytes = n;
    return JC_OK;
}

jc_status jc_gen_write(const jc_gen *gen, const char *stem, bool single_file)
{
    const jc_allocator *a = &gen->allocator;
    const char *name;
    char *document = NULL, *tensors = NULL;
    int64_t document_bytes = 0, tensors_bytes = 0;
    jc_status status = check_stem(stem, &name);
    if (!status) status = join(a, stem, ".json", &document, &document_bytes);
    if (!status) status = join(a, stem, ".safetensors", &tensors, &tensors_bytes);
    if (!status && single_file)
        status = write_single(gen, tensors);
    else if (!status)
        status = write_files(gen, document, tensors, tensors + (name - stem));
    jc_free(a, tensors, tensors_bytes, 1);
    jc_free(a, document, document_bytes, 1);
    return status;
}
