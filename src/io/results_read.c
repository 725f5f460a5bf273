/* Reading results that were computed elsewhere. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "core/dtype.h"
#include "core/error.h"
#include "graph/graph.h"
#include "io/json.h"
#include "io/results.h"

/* The variable of that name. */
static jc_status find_named(const jc_graph *g, const char *tensor, const char *name, int64_t *variable)
{
    char shown[JC_SHORT_BYTES], other[JC_SHORT_BYTES], hint[JC_GRAPH_HINT_BYTES];
    *variable = jc_graph_find_variable(g, name);
    if (*variable >= 0) return JC_OK;
    return jc_fail(JC_E_INPUT, "tensor '%s': jacchain_results says variable '%s', which the graph does not have%s",
                   jc_shorten(tensor, shown), jc_shorten(name, other), jc_graph_variable_hint(g, name, hint));
}

static jc_status fail_tensor(const char *name, const char *what)
{
    char shown[JC_SHORT_BYTES];
    return jc_fail(JC_E_INPUT, "tensor '%s': %s", jc_shorten(name, shown), what);
}

/* The variables that "jacchain_results" gives for the tensor. */
static jc_status identify_by_metadata(const jc_graph *g, const char *name, const json_t *entry, int64_t *of,
                                      int64_t *wrt)
{
    const char *of_name = jc_json_text(json_object_get(entry, "of"));
    const char *wrt_name = jc_json_text(json_object_get(entry, "wrt"));
    if (!of_name || !wrt_name) return fail_tensor(name, "jacchain_results does not say its 'of' and 'wrt'");
    int64_t t, s;
    jc_status status = find_named(g, name, of_name, &t);
    if (!status) status = find_named(g, name, wrt_name, &s);
    if (status) return status;
    *of = t;
    *wrt = s;
    return JC_OK;
}

/* "d<of>/d<wrt>": a name may itself hold "/d", so every place to split is tried, and only one may give two variables.
 * scratch: room for the name. */
static jc_status identify_by_name(const jc_graph *g, const char *name, char *scratch, int64_t *of, int64_t *wrt)
{
    int found = 0;
    strcpy(scratch, name);
    for (char *split = scratch[0] == 'd' ? strstr(scratch + 1, "/d") : NULL; split; split = strstr(split + 1, "/d")) {
        int64_t s = jc_graph_find_variable(g, split + 2);
        if (s < 0) continue;
        *split = '\0';
        int64_t t = jc_graph_find_variable(g, scratch + 1);
        *split = '/';
        if (t < 0) continue;
        *of = t;
        *wrt = s;
        found++;
    }
    if (found == 1) return JC_OK;
    return fail_tensor(name, found ? "can be read as more than one pair of variables"
                                   : "is not d<of>/d<wrt> with variables of the graph");
}

static jc_status read_result(const jc_graph *g, const jc_tensor *t, const json_t *identities, char *scratch,
                             jc_results_file *f)
{
    const json_t *entry = json_object_get(identities, t->name);
    jc_status status = entry ? identify_by_metadata(g, t->name, entry, &f->of[f->n], &f->wrt[f->n])
                             : identify_by_name(g, t->name, scratch, &f->of[f->n], &f->wrt[f->n]);
    if (!status) status = jc_tensor_array(t, &f->values[f->n]);
    if (status) return status;
    if (!jc_dtype_is_float(f->values[f->n].dtype)) return fail_tensor(t->name, "results are F64, F32, BF16 or F16");
    f->n++;
    return JC_OK;
}

/* A result and its place in the file. */
typedef struct pair {
    int64_t of, wrt, index;
} pair;

static int compare_pairs(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->of != y->of) return x->of < y->of ? -1 : 1;
    if (x->wrt != y->wrt) return x->wrt < y->wrt ? -1 : 1;
    return (x->index > y->index) - (x->index < y->index);
}

/* No pair of variables has two results. */
static jc_status check_pairs(const jc_results_file *f)
{
    pair *pairs;
    jc_status status = jc_alloc(&f->allocator, f->n, sizeof *pairs, "the file's results", &pairs);
    if (status) return status;
    for (int64_t i = 0; i < f->n; i++) pairs[i] = (pair){f->of[i], f->wrt[i], i};
    qsort(pairs, (size_t)f->n, sizeof *pairs, compare_pairs);
    for (int64_t i = 1; i < f->n && !status; i++)
        if (pairs[i].of == pairs[i - 1].of && pairs[i].wrt == pairs[i - 1].wrt)
            status = fail_tensor(jc_safetensors_tensor(f->file, pairs[i].index)->name,
                                 "another tensor holds the same total already");
    jc_free(&f->allocator, pairs, f->n, sizeof *pairs);
    return status;
}

static jc_status parse_identities(const jc_results_file *f, json_t **identities)
{
    const char *text = jc_safetensors_metadata(f->file, "jacchain_results");
    if (!text) return JC_OK;
    jc_status status = jc_json_parse(&f->allocator, text, (int64_t)strlen(text), identities);
    return status ? jc_fail_prefix(status, "jacchain_results: ") : JC_OK;
}

static int64_t longest_name(const jc_safetensors *file)
{
    size_t longest = 0;
    for (int64_t i = 0; i < jc_safetensors_count(file); i++) {
        size_t bytes = strlen(jc_safetensors_tensor(file, i)->name);
        if (bytes > longest) longest = bytes;
    }
    return (int64_t)longest + 1;
}

static jc_status read_results(const jc_graph *g, jc_results_file *f, json_t *identities)
{
    const jc_allocator *a = &f->allocator;
    int64_t n = jc_safetensors_count(f->file), scratch_bytes = longest_name(f->file);
    char *scratch = NULL;
    if (n == 0) return jc_fail(JC_E_INPUT, "holds no tensors");
    jc_status status = jc_alloc(a, scratch_bytes, 1, "a result's name", &scratch);
    if (!status) status = jc_alloc(a, n, sizeof *f->of, "the file's results", &f->of);
    if (!status) status = jc_alloc(a, n, sizeof *f->wrt, "the file's results", &f->wrt);
    if (!status) status = jc_alloc(a, n, sizeof *f->values, "the file's results", &f->values);
    for (int64_t i = 0; i < n && !status; i++)
        status = read_result(g, jc_safetensors_tensor(f->file, i), identities, scratch, f);
    jc_free(a, scratch, scratch_bytes, 1);
    return status ? status : check_pairs(f);
}

jc_status jc_results_file_open(const char *path, const jc_graph *graph, jc_results_file **out)
{
    const jc_allocator a = graph->allocator;
    jc_results_file *f;
    jc_status status = jc_alloc_zero(&a, 1, sizeof *f, "a file of results", &f);
    if (status) return status;
    f->allocator = a;
    if ((status = jc_safetensors_open(&a, path, &f->file))) {
        jc_results_file_close(f);
        return status;
    }
    json_t *identities = NULL;
    status = parse_identities(f, &identities);
    if (!status) status = read_results(graph, f, identities);
    json_decref(identities);
    if (status) {
        jc_results_file_close(f);
        return jc_fail_prefix(status, "%.1000s: ", path);
    }
    *out = f;
    return JC_OK;
}

void jc_results_file_close(jc_results_file *f)
{
    if (!f) return;
    const jc_allocator a = f->allocator;
    int64_t n = f->file ? jc_safetensors_count(f->file) : 0;
    jc_free(&a, f->values, n, sizeof *f->values);
    jc_free(&a, f->wrt, n, sizeof *f->wrt);
    jc_free(&a, f->of, n, sizeof *f->of);
    jc_safetensors_close(f->file);
    jc_free(&a, f, 1, sizeof *f);
}
