/* Reading a graph document: all of it, its own keys, its variables. */
#include "io/document.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/nearest.h"
#include "io/json.h"

enum { FORMAT_VERSION = 1 };

/* ---- errors and small values ------------------------------------------------------------------------------------ */

jc_status jc_document_fail(const jc_document *doc, jc_status status, const char *element, ...)
{
    char where[JC_PLACE_BYTES], part[JC_PLACE_BYTES], member[32] = "";
    va_list args;
    if (doc->side_fault) return status;
    va_start(args, element);
    vsnprintf(where, sizeof where, element, args);
    va_end(args);
    snprintf(part, sizeof part, "%s", jc_fail_part());
    if (jc_fail_member() >= 0) snprintf(member, sizeof member, "[%lld]", (long long)jc_fail_member());
    const char *slash = part[0] ? "/" : "", *colon = where[0] || part[0] ? ": " : "";
    return jc_fail_prefix(status, "%.1000s: %s%s%s%s%s", doc->name, where, member, slash, part, colon);
}

jc_status jc_document_fail_part(jc_status status, const char *part)
{
    return jc_fail_at(status, part, -1, "%s", jc_last_error());
}

/* "part/key" with the key written as JSON pointers want it. */
static const char *key_place(const char *part, const char *key, char place[JC_PLACE_BYTES])
{
    char shown[JC_SHORT_BYTES];
    int used = snprintf(place, JC_PLACE_BYTES, "%s%s", part, part[0] ? "/" : "");
    for (const char *c = jc_shorten(key, shown); *c && used < JC_PLACE_BYTES - 3; c++)
        used += snprintf(place + used, JC_PLACE_BYTES - (size_t)used, *c == '~' ? "~0" : *c == '/' ? "~1" : "%c", *c);
    return place;
}

/* "the key is not known here, expected one of kind, values; is 'values' meant?" */
static jc_status fail_key(const char *part, const char *key, const char *const *known)
{
    char place[JC_PLACE_BYTES], keys[JC_PLACE_BYTES] = "", hint[JC_HINT_BYTES];
    jc_nearest nearest = jc_nearest_begin(key, strlen(key));
    for (int i = 0, used = 0; known[i] && used < JC_PLACE_BYTES; i++) {
        used += snprintf(keys + used, sizeof keys - (size_t)used, "%s%s", i ? ", " : "", known[i]);
        jc_nearest_offer(&nearest, known[i]);
    }
    return jc_fail_at(JC_E_INPUT, key_place(part, key, place), -1, "the key%s is not known here, expected one of %s%s",
                      *key ? "" : " ''", keys, jc_nearest_hint(&nearest, hint));
}

jc_status jc_document_keys(const json_t *object, const char *part, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, key)) k++;
        if (!*k) return fail_key(part, key, known);
    }
    return JC_OK;
}

jc_status jc_document_integer(const json_t *value, const char *part, int64_t least, int64_t *out)
{
    char shown[JC_SHOW_BYTES];
    if (!json_is_integer(value) || json_integer_value(value) < least)
        return jc_fail_at(JC_E_INPUT, part, -1,
                          "expected an integer of at least %lld and below 2^63, without fraction or exponent, not %s",
                          (long long)least, jc_json_show(value, shown));
    *out = json_integer_value(value);
    return JC_OK;
}

/* ---- the document's own keys ------------------------------------------------------------------------------------ */

static jc_status check_version(const json_t *root)
{
    const json_t *version = json_object_get(root, "jacchain");
    if (!version) return jc_fail(JC_E_INPUT, "this is not a jacchain document: it has no \"jacchain\": 1");
    if (!json_is_integer(version))
        return jc_fail_at(JC_E_INPUT, "jacchain", -1, "expected the version, %d, not %s", FORMAT_VERSION,
                          jc_json_what(version));
    if (json_integer_value(version) != FORMAT_VERSION)
        return jc_fail_at(JC_E_INPUT, "jacchain", -1, "version %lld of the format is not known; this is version %d",
                          (long long)json_integer_value(version), FORMAT_VERSION);
    return JC_OK;
}

/* ---- variables -------------------------------------------------------------------------------------------------- */

static jc_status read_variable(jc_document *doc, const json_t *value)
{
    static const char *const known[] = {"name", "size", "metadata", NULL};
    if (!json_is_object(value)) return jc_fail(JC_E_INPUT, "a variable is an object, not %s", jc_json_what(value));
    jc_status status = jc_document_keys(value, "", known);
    if (status) return status;
    const json_t *name = json_object_get(value, "name"), *size_value = json_object_get(value, "size");
    if (!name || !size_value) return jc_fail(JC_E_INPUT, "a variable needs '%s'", name ? "size" : "name");
    const char *text = jc_json_text(name);
    if (!text)
        return jc_fail_at(JC_E_INPUT, "name", -1, "a name is text without NUL, not %s",
                          json_is_string(name) ? "text with one" : jc_json_what(name));
    int64_t size = 0, variable;
    if ((status = jc_document_integer(size_value, "size", 1, &size))) return status;
    return jc_graph_add_variable(doc->graph, text, size, &variable);
}

/* {"sizes": {"tensor": T}, "prefix": "v"} */
static jc_status read_prefixed(jc_document *doc, const json_t *value)
{
    static const char *const known[] = {"sizes", "prefix", NULL};
    jc_array sizes;
    jc_status status = jc_document_keys(value, "", known);
    if (!status) status = jc_document_tensor(doc, json_object_get(value, "sizes"), "sizes", &sizes);
    if (status) return status;
    const json_t *given = json_object_get(value, "prefix");
    const char *prefix = jc_json_text(given);
    if (!prefix)
        return jc_fail_at(JC_E_INPUT, "prefix", -1, "expected the text before the numbers of the variables, not %s",
                          json_is_string(given) ? "text with a NUL" : jc_json_what(given));
    return jc_graph_add_variables(doc->graph, prefix, &sizes);
}

static jc_status read_variables(jc_document *doc, const json_t *variables)
{
    jc_status status = JC_OK;
    if (json_is_object(variables)) {
        status = read_prefixed(doc, variables);
        return status ? jc_document_fail(doc, status, "/variables") : JC_OK;
    }
    if (!json_is_array(variables)) {
        status =
            jc_fail(JC_E_INPUT, "expected a list or {\"sizes\": .., \"prefix\": ..}, not %s", jc_json_what(variables));
        return jc_document_fail(doc, status, "/variables");
    }
    return jc_document_each(doc, "variables", variables, read_variable);
}

/* ---- all of it -------------------------------------------------------------------------------------------------- */

static jc_status check_root(const json_t *root)
{
    static const char *const known[] = {"jacchain", "tensors", "variables", "edges", "metadata", NULL};
    if (!json_is_object(root)) return jc_fail(JC_E_INPUT, "a document is an object, not %s", jc_json_what(root));
    jc_status status = check_version(root);
    if (!status) status = jc_document_keys(root, "", known);
    if (status) return status;
    const json_t *edges = json_object_get(root, "edges");
    if (!json_object_get(root, "variables")) return jc_fail(JC_E_INPUT, "a document needs its 'variables'");
    if (!edges) return jc_fail(JC_E_INPUT, "a document needs its 'edges'");
    if (!json_is_array(edges))
        return jc_fail_at(JC_E_INPUT, "edges", -1, "expected a list, not %s", jc_json_what(edges));
    return JC_OK;
}

static jc_status read_root(jc_document *doc, const json_t *root)
{
    jc_status status = check_root(root);
    if (!status) status = jc_document_open_tensors(doc, json_object_get(root, "tensors"));
    if (status) return jc_document_fail(doc, status, "%s", "");
    status = read_variables(doc, json_object_get(root, "variables"));
    if (!status) status = jc_document_each(doc, "edges", json_object_get(root, "edges"), jc_document_edge);
    return status;
}

static jc_status read_text(jc_document *doc)
{
    json_t *root = NULL;
    jc_status status = jc_document_frame(doc, &root);
    if (status) return jc_document_fail(doc, status, "%s", "");
    status = read_root(doc, root);
    json_decref(root);
    if (!status && (status = jc_graph_finish(doc->graph))) status = jc_document_fail(doc, status, "%s", "");
    return status;
}

static void init_buffers(jc_document *doc)
{
    for (int i = 0; i < JC_MAX_FIELDS; i++) doc->numbers[i] = jc_vec_of(sizeof(double));
    doc->scales = jc_vec_of(sizeof(double));
    doc->labels = jc_vec_of(sizeof(const char *));
    doc->matrices = jc_vec_of(sizeof(void *));
    doc->lists[0].key = "variables";
    doc->lists[1].key = "edges";
}

static void free_buffers(jc_document *doc)
{
    const jc_allocator *a = &doc->graph->allocator;
    for (int i = 0; i < JC_MAX_FIELDS; i++) jc_vec_free(a, &doc->numbers[i]);
    jc_vec_free(a, &doc->scales);
    jc_vec_free(a, &doc->labels);
    jc_vec_free(a, &doc->matrices);
    jc_file_close(a, &doc->file);
}

/* path: of the document; NULL: its text is there. */
static jc_status load(jc_document *doc, const char *path, const jc_graph_options *options, jc_graph **graph)
{
    jc_status status = jc_graph_create(options, &doc->graph);
    if (status) return status;
    doc->reads_files = options && options->reads_files;
    init_buffers(doc);
    if (path) status = jc_document_open(doc, path);
    if (!status) status = read_text(doc);
    free_buffers(doc);
    doc->graph->progress = (jc_progress){NULL, NULL}; /* the caller's, for this call only */
    if (status)
        jc_graph_destroy(doc->graph);
    else
        *graph = doc->graph;
    return status;
}

jc_status jc_graph_load(const char *path, const jc_graph_options *options, jc_graph **graph)
{
    if (!path || !graph) return jc_fail(JC_E_USAGE, "jc_graph_load: no %s", path ? "place for the graph" : "path");
    const char *slash = strrchr(path, '/');
    jc_document doc = {.name = path, .folder = path, .folder_bytes = slash ? slash - path + 1 : 0};
    return load(&doc, path, options, graph);
}

jc_status jc_graph_load_text(const char *text, size_t bytes, const char *name, const char *folder,
                             const jc_graph_options *options, jc_graph **graph)
{
    if (!text || !graph) return jc_fail(JC_E_USAGE, "jc_graph_load_text: no %s", text ? "place for the graph" : "text");
    jc_document doc = {.name = name ? name : "document", .folder = folder, .text = text, .text_bytes = (int64_t)bytes};
    doc.folder_bytes = folder ? (int64_t)strlen(folder) : 0;
    if (jc_safetensors_recognise((const unsigned char *)text, doc.text_bytes))
        return jc_fail(JC_E_INPUT, "%.1000s: is a safetensors file; a document in one is read by the file's path only",
                       doc.name);
    return load(&doc, NULL, options, graph);
}
