/* Variables and their names. */
#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/nearest.h"
#include "core/size.h"
#include "core/utf8.h"
#include "graph/build.h"

enum { MOST_OFFERED = 100000 };

jc_status jc_name_check(const char *name, const char *what)
{
    const char *s = name;
    while (*s) {
        uint32_t code;
        size_t n = jc_utf8_decode(s, &code);
        long long at = (long long)(s - name);
        if (n == 0) return jc_fail_at(JC_E_INPUT, what, -1, "the %s is not valid UTF-8 at byte %lld", what, at);
        if (code < 0x20 || (code >= 0x7F && code <= 0x9F))
            return jc_fail_at(JC_E_INPUT, what, -1, "the %s has a control character (U+%04X) at byte %lld", what,
                              (unsigned)code, at);
        if (code == ',') return jc_fail_at(JC_E_INPUT, what, -1, "the %s \"%s\" has a comma", what, name);
        s += n;
    }
    return JC_OK;
}

/* The i of "<prefix><i>", i < n_prefixed, written without leading zeros; -1 where the name is none of these. */
static int64_t parse_prefixed(const jc_graph *g, const char *name)
{
    size_t n = g->n_prefixed ? strlen(g->prefix) : 0;
    if (!g->n_prefixed || strncmp(name, g->prefix, n) != 0) return -1;
    const char *s = name + n;
    if (*s < '0' || *s > '9' || (*s == '0' && s[1])) return -1;
    int64_t i = 0;
    for (; *s; s++) {
        if (*s < '0' || *s > '9') return -1;
        i = 10 * i + (*s - '0');
        if (i >= g->n_prefixed) return -1; /* before it can overflow: n_prefixed fits in memory */
    }
    return i;
}

/* The name of a variable that is not a prefixed one. */
static const char *own_name(const jc_graph *g, int64_t variable)
{
    return (const char *)g->name_bytes.data + ((const int64_t *)g->name_offsets.data)[variable - g->n_prefixed];
}

typedef struct name_key {
    const jc_graph *graph;
    const char *name;
} name_key;

static bool name_equal(const void *ctx, int64_t variable)
{
    const name_key *key = ctx;
    return strcmp(own_name(key->graph, variable), key->name) == 0;
}

int64_t jc_graph_find_variable(const jc_graph *graph, const char *name)
{
    if (!graph || !name) return -1;
    int64_t variable = parse_prefixed(graph, name);
    if (variable >= 0) return variable;
    name_key key = {graph, name};
    return jc_table_find(&graph->names, jc_hash(name, strlen(name)), name_equal, &key);
}

/* "<prefix><i>" for the digits that the name ends with, where that is a variable. */
static void offer_numbered(const jc_graph *g, const char *name, jc_nearest *nearest)
{
    size_t n = strlen(name), digits = n;
    char candidate[JC_NEAREST_BYTES];
    while (digits > 0 && name[digits - 1] >= '0' && name[digits - 1] <= '9') digits--;
    int bytes = snprintf(candidate, sizeof candidate, "%s%s", g->prefix, name + digits);
    if (bytes < (int)sizeof candidate && parse_prefixed(g, candidate) >= 0) jc_nearest_offer(nearest, candidate);
}

const char *jc_graph_variable_hint(const jc_graph *g, const char *name, char hint[JC_GRAPH_HINT_BYTES])
{
    jc_nearest nearest = jc_nearest_begin(name, strlen(name));
    int64_t end = jc_min(g->n_variables, g->n_prefixed + MOST_OFFERED);
    if (g->n_prefixed) offer_numbered(g, name, &nearest);
    for (int64_t v = g->n_prefixed; v < end; v++) jc_nearest_offer(&nearest, own_name(g, v));
    jc_nearest_hint(&nearest, hint);
    if (!hint[0] && g->n_prefixed && strlen(g->prefix) < JC_NEAREST_BYTES)
        snprintf(hint, JC_GRAPH_HINT_BYTES, "; the variables are %s0 to %s%lld", g->prefix, g->prefix,
                 (long long)g->n_prefixed - 1);
    return hint;
}

static jc_status check_new_variable(const jc_graph *g, const char *name, int64_t size)
{
    jc_status status = jc_graph_check_open(g);
    if (status) return status;
    if (!name) return jc_fail(JC_E_USAGE, "jc_graph_add_variable: no name");
    if (!*name)
        return jc_fail_at(JC_E_INPUT, "name", -1, "the name of variable %lld is empty", (long long)g->n_variables);
    status = jc_name_check(name, "name");
    if (status) return status;
    if (size < 1)
        return jc_fail_at(JC_E_INPUT, "size", -1, "variable %s: its size is %lld, expected at least 1", name,
                          (long long)size);
    int64_t old = jc_graph_find_variable(g, name);
    if (old < 0) return JC_OK;
    return jc_fail_at(JC_E_INPUT, "name", -1, "variables %lld and %lld are both named %s", (long long)old,
                      (long long)g->n_variables, name);
}

jc_status jc_graph_add_variable(jc_graph *graph, const char *name, int64_t size, int64_t *variable)
{
    if (!graph) return jc_fail(JC_E_USAGE, "jc_graph_add_variable: no graph");
    jc_status status = check_new_variable(graph, name, size);
    if (status) return status;

    const jc_allocator *a = &graph->allocator;
    int64_t bytes = (int64_t)strlen(name) + 1, offset = graph->name_bytes.count;
    if ((status = jc_vec_reserve(a, &graph->sizes, 1, "variables"))) return status;
    if ((status = jc_vec_reserve(a, &graph->name_offsets, 1, "variables"))) return status;
    if ((status = jc_vec_reserve(a, &graph->name_bytes, bytes, "names"))) return status;
    if ((status = jc_table_reserve(a, &graph->names, 1, "names"))) return status;

    /* cannot fail: there is room */
    jc_vec_append(a, &graph->sizes, &size, 1, "variables");
    jc_vec_append(a, &graph->name_offsets, &offset, 1, "variables");
    jc_vec_append(a, &graph->name_bytes, name, bytes, "names");
    jc_table_insert(&graph->names, jc_hash(name, (size_t)bytes - 1), graph->n_variables);
    if (variable) *variable = graph->n_variables;
    graph->n_variables++;
    return JC_OK;
}

static jc_status check_sizes(const jc_graph *g, const char *prefix, const jc_array *sizes)
{
    char found[JC_LENGTH_BYTES];
    jc_status status = jc_graph_check_open(g);
    if (status) return status;
    if (!prefix || !sizes) return jc_fail(JC_E_USAGE, "jc_graph_add_variables: no %s", prefix ? "sizes" : "prefix");
    if (g->n_variables)
        return jc_fail(JC_E_USAGE, "variables by prefix must be the first of a graph, which has %lld",
                       (long long)g->n_variables);
    status = jc_name_check(prefix, "prefix");
    if (status) return status;
    if (sizes->dtype != JC_I64 && sizes->dtype != JC_I32)
        return jc_fail_at(JC_E_INPUT, "sizes", -1, "sizes must be I64 or I32, not %s", jc_dtype_name(sizes->dtype));
    if (sizes->rank != 1 || sizes->dims[0] < 1 || !sizes->data)
        return jc_fail_at(JC_E_INPUT, "sizes", -1, "sizes have %s, expected 1 axis of at least 1",
                          jc_array_length_text(sizes, found));
    for (int64_t i = 0; i < sizes->dims[0]; i++)
        if (jc_load_index(sizes->dtype, sizes->data, i) < 1)
            return jc_fail_at(JC_E_INPUT, "sizes", i, "variable %s%lld: its size is %lld, expected at least 1", prefix,
                              (long long)i, (long long)jc_load_index(sizes->dtype, sizes->data, i));
    return JC_OK;
}

jc_status jc_graph_add_variables(jc_graph *graph, const char *prefix, const jc_array *sizes)
{
    if (!graph) return jc_fail(JC_E_USAGE, "jc_graph_add_variables: no graph");
    jc_status status = check_sizes(graph, prefix, sizes);
    if (status) return status;

    const jc_allocator *a = &graph->allocator;
    int64_t n = sizes->dims[0], bytes = (int64_t)strlen(prefix) + 1;
    if ((status = jc_vec_reserve(a, &graph->sizes, n, "variables"))) return status;
    if ((status = jc_alloc(a, bytes, 1, "names", &graph->prefix))) return status;
    memcpy(graph->prefix, prefix, (size_t)bytes);
    for (int64_t i = 0; i < n; i++) {
        int64_t size = jc_load_index(sizes->dtype, sizes->data, i);
        jc_vec_append(a, &graph->sizes, &size, 1, "variables"); /* cannot fail: there is room */
    }
    graph->n_variables = graph->n_prefixed = n;
    return JC_OK;
}

int64_t jc_graph_variable_count(const jc_graph *graph)
{
    return graph ? graph->n_variables : 0;
}

int64_t jc_graph_variable_size(const jc_graph *graph, int64_t variable)
{
    bool known = graph && variable >= 0 && variable < graph->n_variables;
    return known ? jc_graph_size(graph, variable) : 0;
}

size_t jc_graph_variable_name(const jc_graph *graph, int64_t variable, char *name, size_t capacity)
{
    const char *text = "";
    char number[24] = "";
    if (graph && variable >= 0 && variable < graph->n_prefixed) {
        text = graph->prefix;
        snprintf(number, sizeof number, "%lld", (long long)variable);
    } else if (graph && variable >= 0 && variable < graph->n_variables) {
        text = own_name(graph, variable);
    }
    if (capacity) snprintf(name, capacity, "%s%s", text, number);
    return strlen(text) + strlen(number);
}

const char *jc_graph_edge_text(const jc_graph *graph, int64_t of, int64_t wrt, char *text, size_t capacity)
{
    char of_name[JC_EDGE_TEXT_BYTES], wrt_name[JC_EDGE_TEXT_BYTES];
    jc_graph_variable_name(graph, of, of_name, sizeof of_name);
    jc_graph_variable_name(graph, wrt, wrt_name, sizeof wrt_name);
    if (capacity) snprintf(text, capacity, "%s <- %s", of_name, wrt_name);
    return text;
}
