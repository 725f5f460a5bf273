/* --plan-in. */
#include <stdlib.h>
#include <string.h>

#include "cli/order_file.h"
#include "graph/graph.h"
#include "io/document.h"
#include "io/file.h"
#include "io/json.h"

enum { FORMAT_VERSION = 1, TEXT_BYTES = 200 };

/* What a value must be, for messages. */
static jc_status fail_value(const char *part, const char *expected, const json_t *value)
{
    char shown[JC_SHOW_BYTES];
    if (!value) return jc_fail(JC_E_INPUT, "'%s' is missing: %s", part, expected);
    return jc_fail_at(JC_E_INPUT, part, -1, "expected %s, not %s", expected, jc_json_show(value, shown));
}

/* ---- names and numbers ------------------------------------------------------------------------------------------- */

/* JC_E_USAGE where the graph has no such variable: the file is right, but of another graph. */
static jc_status read_name(const jc_graph *graph, const char *part, const json_t *value, int64_t *variable)
{
    char shown[JC_SHORT_BYTES], hint[JC_GRAPH_HINT_BYTES];
    const char *name = jc_json_text(value);
    if (!name) return fail_value(part, "the name of a variable", value);
    *variable = jc_graph_find_variable(graph, name);
    if (*variable >= 0) return JC_OK;
    return jc_fail_at(JC_E_USAGE, part, -1, "the graph has no variable '%s'%s", jc_shorten(name, shown),
                      jc_graph_variable_hint(graph, name, hint));
}

/* A list of names that is not empty, none of them twice. */
static jc_status read_names(const jc_graph *graph, const char *key, const json_t *list, jc_cli_variables *variables)
{
    char part[JC_PLACE_BYTES];
    if (!json_is_array(list) || !json_array_size(list)) return fail_value(key, "a list of names", list);
    bool *seen = jc_cli_alloc(jc_graph_variable_count(graph), sizeof *seen);
    jc_status status = JC_OK;
    variables->ids = jc_cli_alloc((int64_t)json_array_size(list), sizeof(int64_t));
    for (size_t i = 0; i < json_array_size(list) && !status; i++) {
        int64_t *v = &variables->ids[variables->count++];
        snprintf(part, sizeof part, "%s/%zu", key, i);
        status = read_name(graph, part, json_array_get(list, i), v);
        if (!status && seen[*v]) status = jc_fail_at(JC_E_INPUT, part, -1, "this variable stands twice");
        if (!status) seen[*v] = true;
    }
    free(seen);
    return status;
}

/* The counts of the graph that the order was found for. */
static jc_status read_graph(const jc_graph *graph, const json_t *value)
{
    static const char *const known[] = {"variables", "edges", NULL};
    int64_t n, m;
    if (!json_is_object(value)) return fail_value("graph", "an object with \"variables\" and \"edges\"", value);
    jc_status status = jc_document_keys(value, "graph", known);
    if (!status) status = jc_document_integer(json_object_get(value, "variables"), "graph/variables", 0, &n);
    if (!status) status = jc_document_integer(json_object_get(value, "edges"), "graph/edges", 0, &m);
    if (status) return status;
    if (n == jc_graph_variable_count(graph) && m == jc_graph_edge_count(graph)) return JC_OK;
    return jc_fail_at(JC_E_USAGE, "graph", -1,
                      "the order is of a graph of %lld variables and %lld edges, and this one has %lld and %lld",
                      (long long)n, (long long)m, (long long)jc_graph_variable_count(graph),
                      (long long)jc_graph_edge_count(graph));
}

static jc_status read_order(const json_t *value, jc_order *order)
{
    const char *text = jc_json_text(value);
    for (int o = JC_ORDER_REVERSE; text && o <= JC_ORDER_ELIMINATION; o++) {
        if (strcmp(text, jc_cli_order_name((jc_order)o))) continue;
        *order = (jc_order)o;
        return JC_OK;
    }
    return fail_value("order", "\"reverse\", \"forward\" or \"elimination\"", value);
}

/* ---- what is eliminated ------------------------------------------------------------------------------------------ */

/* {"variable": name} or {"low_rank_edge": number}, with "state" where it is not 0. part: where it stands. */
static jc_status read_vertex(const jc_graph *graph, const char *part, const json_t *value, jc_vertex *vertex)
{
    static const char *const known[] = {"variable", "low_rank_edge", "state", NULL};
    char place[JC_PLACE_BYTES + 24];
    const json_t *name = json_object_get(value, "variable"), *edge = json_object_get(value, "low_rank_edge");
    const json_t *state = json_object_get(value, "state");
    if (!json_is_object(value) || !name == !edge)
        return jc_fail_at(JC_E_INPUT, part, -1, "expected an object with \"variable\" or \"low_rank_edge\"");
    jc_status status = jc_document_keys(value, part, known);
    if (status) return status;
    snprintf(place, sizeof place, "%s/state", part);
    if (state) status = jc_document_integer(state, place, 0, &vertex->state);
    snprintf(place, sizeof place, "%s/%s", part, name ? "variable" : "low_rank_edge");
    if (status) return status;
    if (name) return read_name(graph, place, name, &vertex->variable);
    status = jc_document_integer(edge, place, 0, &vertex->variable);
    if (!status && vertex->variable >= jc_graph_edge_count(graph))
        return jc_fail_at(JC_E_USAGE, place, -1, "the graph has no edge number %lld (it has %lld)",
                          (long long)vertex->variable, (long long)jc_graph_edge_count(graph));
    vertex->variable = -1 - vertex->variable;
    return status;
}

static jc_status read_vertices(const jc_graph *graph, const json_t *list, jc_cli_order *order)
{
    char part[JC_PLACE_BYTES];
    jc_status status = JC_OK;
    if (!json_is_array(list)) return fail_value("eliminate", "a list of what is eliminated", list);
    order->eliminate = jc_cli_alloc((int64_t)json_array_size(list), sizeof *order->eliminate);
    for (size_t i = 0; i < json_array_size(list) && !status; i++) {
        snprintf(part, sizeof part, "eliminate/%zu", i);
        status = read_vertex(graph, part, json_array_get(list, i), &order->eliminate[order->count++]);
    }
    return status;
}

/* ---- the document ------------------------------------------------------------------------------------------------ */

static jc_status check_version(const json_t *root)
{
    const json_t *version = json_object_get(root, "jacchain_order");
    if (!json_is_object(root) || !version)
        return jc_fail(JC_E_INPUT, "this is no order of a plan: it has no \"jacchain_order\": %d", FORMAT_VERSION);
    if (json_is_integer(version) && json_integer_value(version) == FORMAT_VERSION) return JC_OK;
    return fail_value("jacchain_order", "the version 1", version);
}

static jc_status read_root(const jc_graph *graph, const json_t *root, jc_cli_order *order)
{
    static const char *const known[] = {"jacchain_order", "of",        "wrt",      "graph", "order",
                                        "multiply_adds",  "eliminate", "metadata", NULL};
    int64_t cost;
    jc_status status = check_version(root);
    if (!status) status = jc_document_keys(root, "", known);
    const json_t *adds = json_object_get(root, "multiply_adds");
    if (!status && adds) status = jc_document_integer(adds, "multiply_adds", 0, &cost);
    if (!status) status = read_graph(graph, json_object_get(root, "graph"));
    if (!status) status = read_names(graph, "of", json_object_get(root, "of"), &order->of);
    if (!status) status = read_names(graph, "wrt", json_object_get(root, "wrt"), &order->wrt);
    if (!status) status = read_order(json_object_get(root, "order"), &order->order);
    return status ? status : read_vertices(graph, json_object_get(root, "eliminate"), order);
}

/* The message with file and place in front: "order.json: /eliminate/3: ...". */
static jc_status fail_file(jc_status status, const char *path)
{
    char part[TEXT_BYTES];
    snprintf(part, sizeof part, "%s", jc_fail_part());
    return jc_fail_prefix(status, "%s: %s%s%s", path, *part ? "/" : "", part, *part ? ": " : "");
}

static jc_status read_file(const jc_graph *graph, const char *path, jc_cli_order *order)
{
    const jc_allocator a = jc_allocator_or_default(NULL);
    json_t *root = NULL;
    jc_file file;
    jc_status status = jc_file_open(&a, path, &file);
    if (!status) {
        status = jc_json_parse(&a, file.data, file.bytes, &root);
        jc_file_close(&a, &file);
    }
    if (!status) status = read_root(graph, root, order);
    json_decref(root);
    return status ? fail_file(status, path) : JC_OK;
}

bool jc_cli_order_load(const jc_cli_shared *s, const jc_graph *graph, jc_cli_order *order, int *exit_code)
{
    if (!s->plan_in) return true;
    jc_status status = read_file(graph, s->plan_in, order);
    if (!status && s->order && s->order != JC_ORDER_ELIMINATION && (jc_order)s->order != order->order)
        status = jc_fail(JC_E_USAGE, "--order %s contradicts %s, whose order is %s",
                         jc_cli_order_name((jc_order)s->order), s->plan_in, jc_cli_order_name(order->order));
    if (!status) return true;
    *exit_code = status == JC_E_USAGE ? jc_cli_usage_error(s->command, "%s", jc_last_error()) : jc_cli_failed(status);
    return false;
}

void jc_cli_order_fini(jc_cli_order *order)
{
    free(order->eliminate);
    free(order->wrt.ids);
    free(order->of.ids);
}

/* ---- the query --------------------------------------------------------------------------------------------------- */

void jc_cli_order_ask(const jc_cli_shared *s, const jc_cli_order *order, jc_query *query)
{
    query->order = (jc_order)s->order;
    query->search_seconds = s->search_seconds;
    query->search_seed = s->search_seed;
    query->limits_tape = s->tape_limit >= 0;
    query->tape_limit = s->tape_limit >= 0 ? s->tape_limit : 0;
    if (!s->plan_in) return;
    query->order = order->order;
    if (order->order != JC_ORDER_ELIMINATION) return;
    query->eliminate = order->eliminate;
    query->n_eliminate = order->count;
}
