/* The edges of a document, single ones and groups. */
#include <stdio.h>

#include "core/error.h"
#include "io/document.h"
#include "io/json.h"

static jc_status read_end(const jc_document *doc, const json_t *edge, const char *key, int64_t *variable)
{
    char shown[JC_SHORT_BYTES], hint[JC_GRAPH_HINT_BYTES];
    const json_t *value = json_object_get(edge, key);
    if (!value) return jc_fail_at(JC_E_INPUT, NULL, -1, "an edge needs '%s'", key);
    if (!json_is_string(value))
        return jc_fail_at(JC_E_INPUT, key, -1, "expected the name of a variable, not %s", jc_json_what(value));
    const char *name = jc_json_text(value);
    int64_t found = name ? jc_graph_find_variable(doc->graph, name) : -1;
    if (found < 0)
        return jc_fail_at(JC_E_INPUT, key, -1, "there is no variable '%s'%s",
                          jc_shorten(json_string_value(value), shown),
                          jc_graph_variable_hint(doc->graph, json_string_value(value), hint));
    *variable = found;
    return JC_OK;
}

static jc_status take_label(jc_document *doc, const json_t *value, const char *part)
{
    const char *text = jc_json_text(value);
    if (!text)
        return jc_fail_at(JC_E_INPUT, part, -1, "a label is text without NUL, not %s",
                          json_is_string(value) ? "text with one" : jc_json_what(value));
    jc_status status = jc_label_check(text);
    if (status) return jc_document_fail_part(status, part);
    return jc_vec_append(&doc->graph->allocator, &doc->labels, &text, 1, "labels");
}

/* One text or a list of texts, into doc->labels. */
static jc_status read_labels(jc_document *doc, const json_t *value)
{
    doc->labels.count = 0;
    if (!value) return JC_OK;
    if (!json_is_array(value)) return take_label(doc, value, "label");
    for (size_t i = 0; i < json_array_size(value); i++) {
        char part[JC_PLACE_BYTES];
        snprintf(part, sizeof part, "label/%zu", i);
        jc_status status = take_label(doc, json_array_get(value, i), part);
        if (status) return status;
    }
    return JC_OK;
}

static jc_status read_edge(jc_document *doc, const json_t *edge)
{
    static const char *const known[] = {"of", "wrt", "jacobian", "label", "metadata", NULL};
    int64_t of = 0, wrt = 0;
    jc_jacobian jacobian;
    jc_status status = jc_document_keys(edge, "", known);
    if (!status) status = read_end(doc, edge, "of", &of);
    if (!status) status = read_end(doc, edge, "wrt", &wrt);
    if (!status) status = read_labels(doc, json_object_get(edge, "label"));
    doc->of_size = jc_graph_variable_size(doc->graph, of);
    doc->wrt_size = jc_graph_variable_size(doc->graph, wrt);
    if (!status) status = jc_document_jacobian(doc, json_object_get(edge, "jacobian"), 0, &jacobian);
    if (status) return status;
    return jc_graph_add_edge(doc->graph, of, wrt, &jacobian, doc->labels.data, doc->labels.count);
}

static jc_status read_group(jc_document *doc, const json_t *edge)
{
    static const char *const known[] = {"of", "wrt", "count", "jacobian", "label", "metadata", NULL};
    const json_t *count_value = json_object_get(edge, "count");
    int64_t count = 0;
    jc_array of, wrt;
    jc_jacobian jacobian;
    jc_status status = jc_document_keys(edge, "", known);
    if (!status && !count_value) status = jc_fail_at(JC_E_INPUT, NULL, -1, "a group of edges needs its 'count'");
    if (!status) status = jc_document_integer(count_value, "count", 1, &count);
    if (!status) status = jc_document_tensor(doc, json_object_get(edge, "of"), "of", &of);
    if (!status) status = jc_document_tensor(doc, json_object_get(edge, "wrt"), "wrt", &wrt);
    if (!status) status = read_labels(doc, json_object_get(edge, "label"));
    if (!status) status = jc_document_jacobian(doc, json_object_get(edge, "jacobian"), count, &jacobian);
    if (status) return status;
    return jc_graph_add_edges(doc->graph, count, &of, &wrt, &jacobian, doc->labels.data, doc->labels.count);
}

static bool is_group(const json_t *edge)
{
    return json_object_get(edge, "count") || json_is_object(json_object_get(edge, "of")) ||
           json_is_object(json_object_get(edge, "wrt"));
}

jc_status jc_document_edge(jc_document *doc, const json_t *edge)
{
    if (!json_is_object(edge)) return jc_fail(JC_E_INPUT, "an edge is an object, not %s", jc_json_what(edge));
    return is_group(edge) ? read_group(doc, edge) : read_edge(doc, edge);
}
