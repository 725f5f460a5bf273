/* Building a graph: making, edges, what is kept with it, ending. Variables are in names.c, the order in order.c. */
#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "graph/build.h"

/* ---- making and ending ---------------------------------------------------------------------------------------- */

static void init_arrays(jc_graph *g)
{
    g->sizes = jc_vec_of(sizeof(int64_t));
    g->name_offsets = jc_vec_of(sizeof(int64_t));
    g->name_bytes = jc_vec_of(1);
    g->of = jc_vec_of(sizeof(int64_t));
    g->wrt = jc_vec_of(sizeof(int64_t));
    g->edge_group = jc_vec_of(sizeof(int64_t));
    g->groups = jc_vec_of(sizeof(jc_group));
    g->label_names = jc_vec_of(sizeof(char *));
    g->label_sets = jc_vec_of(sizeof(jc_label_set));
    g->set_labels = jc_vec_of(sizeof(int64_t));
    g->resources = jc_vec_of(sizeof(jc_resource));
}

jc_status jc_graph_create(const jc_graph_options *options, jc_graph **graph)
{
    if (!graph) return jc_fail(JC_E_USAGE, "jc_graph_create: nowhere to put the graph");
    if (options && options->struct_size < sizeof *options)
        return jc_fail(JC_E_USAGE, "jc_graph_options: struct_size is %zu, expected %zu", options->struct_size,
                       sizeof *options);
    jc_allocator a = jc_allocator_or_default(options ? options->allocator : NULL);
    if (!a.alloc || !a.free) return jc_fail(JC_E_USAGE, "jc_graph_options: the allocator needs alloc and free");
    jc_graph *g;
    jc_status status = jc_alloc_zero(&a, 1, sizeof *g, "the graph", &g);
    if (status) return status;
    g->allocator = a;
    if (options) g->progress = options->progress;
    init_arrays(g);
    status = jc_vec_append(&a, &g->label_sets, NULL, 1, "labels"); /* set 0: no labels */
    if (status) {
        jc_graph_destroy(g);
        return status;
    }
    *graph = g;
    return JC_OK;
}

/* Releases what was kept after the first n, the latest first. */
static void release_after(jc_graph *g, int64_t n)
{
    const jc_resource *resources = g->resources.data;
    for (int64_t i = g->resources.count - 1; i >= n; i--) resources[i].release(resources[i].ctx, &g->allocator);
    g->resources.count = n;
}

void jc_graph_destroy(jc_graph *graph)
{
    if (!graph) return;
    jc_allocator a = graph->allocator;
    int64_t n = graph->n_variables, n_edges = graph->n_edges;
    jc_free(&a, graph->topological, n, sizeof(int64_t));
    jc_free(&a, graph->out_edges, n_edges, sizeof(int64_t));
    jc_free(&a, graph->out_start, n + 1, sizeof(int64_t));
    jc_free(&a, graph->in_edges, n_edges, sizeof(int64_t));
    jc_free(&a, graph->in_start, n + 1, sizeof(int64_t));
    release_after(graph, 0);
    jc_vec_free(&a, &graph->resources);
    jc_graph_free_labels(graph);
    jc_vec_free(&a, &graph->groups);
    jc_vec_free(&a, &graph->edge_group);
    jc_vec_free(&a, &graph->wrt);
    jc_vec_free(&a, &graph->of);
    jc_table_free(&a, &graph->names);
    jc_vec_free(&a, &graph->name_bytes);
    jc_vec_free(&a, &graph->name_offsets);
    jc_vec_free(&a, &graph->sizes);
    jc_free(&a, graph->prefix, graph->prefix ? (int64_t)strlen(graph->prefix) + 1 : 0, 1);
    jc_free(&a, graph, 1, sizeof *graph);
}

jc_status jc_graph_check_open(const jc_graph *graph)
{
    return graph->finished ? jc_fail(JC_E_USAGE, "the graph is finished: nothing can be added") : JC_OK;
}

jc_status jc_graph_keep(jc_graph *graph, void (*release)(void *ctx, const jc_allocator *allocator), void *ctx)
{
    jc_resource resource = {release, ctx};
    return jc_vec_append(&graph->allocator, &graph->resources, &resource, 1, "resources");
}

/* ---- copies --------------------------------------------------------------------------------------------------- */

/* A copy that goes with the graph; the numbers follow. */
typedef struct kept_copy {
    int64_t bytes; /* with this header */
    int64_t padding;
} kept_copy;

static void release_copy(void *ctx, const jc_allocator *allocator)
{
    kept_copy *copy = ctx;
    jc_free(allocator, copy, copy->bytes, 1);
}

static jc_status keep_copy(jc_graph *g, const void *data, int64_t bytes, const char *what, const void **out)
{
    kept_copy *copy;
    int64_t all;
    if (!jc_size_add(bytes, (int64_t)sizeof *copy, &all))
        return jc_fail(JC_E_MEMORY, "not enough memory to copy %lld bytes of %s", (long long)bytes, what);
    jc_status status = jc_alloc(&g->allocator, all, 1, what, &copy);
    if (status) return status;
    copy->bytes = all;
    if (bytes) memcpy(copy + 1, data, (size_t)bytes);
    status = jc_graph_keep(g, release_copy, copy);
    if (status) {
        jc_free(&g->allocator, copy, all, 1);
        return status;
    }
    *out = copy + 1;
    return JC_OK;
}

/* Field f of the groups from number `first` on, which lie in one array, now points into a copy of it. */
static jc_status keep_field(jc_graph *g, const jc_array *array, int64_t first, int f, const char *name)
{
    jc_group *groups = g->groups.data;
    const unsigned char *from = groups[first].field[f].data;
    const void *copy = NULL;
    if (array->ownership != JC_COPY) return JC_OK;
    jc_status status = keep_copy(g, from, jc_array_bytes(array), name, &copy);
    for (int64_t i = first; i < g->groups.count && !status; i++)
        groups[i].field[f].data = (const unsigned char *)copy + (groups[i].field[f].data - from);
    return status;
}

static jc_status keep_scales(jc_graph *g, const double *scales, int64_t count, int64_t first)
{
    jc_group *groups = g->groups.data;
    const void *copy = NULL;
    if (!scales) return JC_OK;
    jc_status status = keep_copy(g, scales, count * (int64_t)sizeof *scales, "scales", &copy);
    for (int64_t i = first; i < g->groups.count && !status; i++)
        groups[i].scales = (const double *)copy + (groups[i].scales - scales);
    return status;
}

/* Copies the arrays that the caller does not lend, and the scales, of the groups from number `first` on. On failure
 * nothing is kept. */
static jc_status keep_numbers(jc_graph *g, const jc_addition *add, const jc_jacobian *jacobian, int64_t first)
{
    const jc_kind_info *info = &jc_kinds[jacobian->kind];
    bool has_numbers = ((const jc_group *)g->groups.data)[first].has_numbers;
    int64_t mark = g->resources.count;
    jc_status status = JC_OK;
    for (int f = 0; f < info->n_fields && has_numbers && !status; f++) {
        const jc_array *array = (const jc_array *)((const char *)jacobian + info->field[f].offset);
        status = keep_field(g, array, first, f, info->field[f].name);
    }
    if (!status) status = keep_scales(g, jacobian->scales, add->count, first);
    if (status) release_after(g, mark);
    return status;
}

/* ---- edges ---------------------------------------------------------------------------------------------------- */

static int64_t end_at(const jc_array *ends, int64_t i)
{
    return jc_load_index(ends->dtype, ends->data, i);
}

jc_status jc_addition_fail(const jc_graph *g, const jc_addition *add, int64_t i, int64_t member, jc_status status)
{
    char text[2 * JC_EDGE_TEXT_BYTES + 8], part[JC_EDGE_TEXT_BYTES];
    snprintf(part, sizeof part, "%s", jc_fail_part());
    jc_graph_edge_text(g, end_at(add->of, i), end_at(add->wrt, i), text, sizeof text);
    return jc_fail_at(status, part, add->grouped ? member : -1, "edge %s: %s", text, jc_last_error());
}

static jc_status check_end_arrays(const jc_addition *add)
{
    if (add->count < 1)
        return jc_fail_at(JC_E_INPUT, "count", -1, "count is %lld, expected at least 1", (long long)add->count);
    for (int end = 0; end < 2; end++) {
        const jc_array *array = end ? add->wrt : add->of;
        const char *name = end ? "wrt" : "of";
        char found[JC_LENGTH_BYTES];
        if (!array || !array->data) return jc_fail_at(JC_E_USAGE, name, -1, "%s is not given", name);
        if (array->dtype != JC_I64 && array->dtype != JC_I32)
            return jc_fail_at(JC_E_INPUT, name, -1, "%s must be I64 or I32, not %s", name, jc_dtype_name(array->dtype));
        if (array->rank != 1 || array->dims[0] != add->count)
            return jc_fail_at(JC_E_INPUT, name, -1, "%s has %s, expected 1 axis of %lld", name,
                              jc_array_length_text(array, found), (long long)add->count);
    }
    return JC_OK;
}

enum { ANY_SIZE = 0 };

static jc_status check_end(const jc_graph *g, const jc_addition *add, int64_t i, const jc_array *ends, const char *name,
                           int64_t size)
{
    int64_t v = end_at(ends, i), member = add->grouped ? i : -1;
    if (v < 0 || v >= g->n_variables)
        return jc_fail_at(JC_E_INPUT, name, member, "%s is variable number %lld, the graph has %lld variables", name,
                          (long long)v, (long long)g->n_variables);
    if (jc_graph_size(g, v) == size || size == ANY_SIZE) return JC_OK;
    char variable[JC_EDGE_TEXT_BYTES];
    jc_graph_variable_name(g, v, variable, sizeof variable);
    return jc_fail_at(JC_E_INPUT, name, member, "%s has size %lld, expected %lld as in the first edge of the group",
                      variable, (long long)jc_graph_size(g, v), (long long)size);
}

/* Known variables, no edge from a variable to itself; the same sizes in the whole group where it is not ragged. */
static jc_status check_ends(const jc_graph *g, const jc_addition *add, bool ragged, int64_t *rows, int64_t *cols)
{
    int64_t size_of = ANY_SIZE, size_wrt = ANY_SIZE;
    for (int64_t i = 0; i < add->count; i++) {
        jc_status status = check_end(g, add, i, add->of, "of", size_of);
        if (!status) status = check_end(g, add, i, add->wrt, "wrt", size_wrt);
        if (status) return status;
        if (end_at(add->of, i) == end_at(add->wrt, i)) {
            jc_fail(JC_E_INPUT, "a variable cannot depend on itself");
            return jc_addition_fail(g, add, i, i, JC_E_INPUT);
        }
        if (i > 0 || ragged) continue;
        size_of = jc_graph_size(g, end_at(add->of, 0));
        size_wrt = jc_graph_size(g, end_at(add->wrt, 0));
    }
    *rows = size_of;
    *cols = size_wrt;
    return JC_OK;
}

/* Of the groups from number `first` on. */
static jc_status check_indices(const jc_graph *g, const jc_addition *add, int64_t first)
{
    const jc_group *groups = g->groups.data;
    jc_status (*check)(const jc_jac *) = jc_kinds[groups[first].shape.kind].check_indices;
    if (!check || !groups[first].has_numbers) return JC_OK;
    for (int64_t k = first, i = 0; k < g->groups.count; k++)
        for (int64_t member = 0; member < groups[k].n_edges; member++, i++) {
            jc_jac jac = jc_group_member(&groups[k], member, NULL);
            jc_status status = check(&jac);
            if (status) return jc_addition_fail(g, add, i, i, status);
        }
    return JC_OK;
}

static jc_status reserve_edges(jc_graph *g, int64_t count)
{
    const jc_allocator *a = &g->allocator;
    jc_status status = jc_vec_reserve(a, &g->of, count, "edges");
    if (!status) status = jc_vec_reserve(a, &g->wrt, count, "edges");
    if (!status) status = jc_vec_reserve(a, &g->edge_group, count, "edges");
    return status;
}

/* The edges of the groups from number `first` on. Cannot fail: there is room. */
static void append_edges(jc_graph *g, const jc_addition *add, int64_t first, int64_t label_set)
{
    jc_group *groups = g->groups.data;
    int64_t *of = (int64_t *)g->of.data + g->n_edges;
    int64_t *wrt = (int64_t *)g->wrt.data + g->n_edges;
    int64_t *edge_group = (int64_t *)g->edge_group.data + g->n_edges;
    for (int64_t i = 0; i < add->count; i++) {
        of[i] = end_at(add->of, i);
        wrt[i] = end_at(add->wrt, i);
    }
    for (int64_t k = first; k < g->groups.count; k++) {
        groups[k].label_set = label_set;
        for (int64_t i = 0; i < groups[k].n_edges; i++) *edge_group++ = k;
    }
    g->n_edges += add->count;
    g->of.count = g->wrt.count = g->edge_group.count = g->n_edges;
}

/* The edges as one group. */
static jc_status add_group(jc_graph *g, const jc_addition *add, const jc_jacobian *jacobian, int64_t rows, int64_t cols)
{
    jc_group group;
    jc_status status = jc_group_describe(jacobian, rows, cols, add->count, add->grouped, &group);
    if (status) return jc_addition_fail(g, add, 0, -1, status);
    group.first_edge = g->n_edges;
    return jc_vec_append(&g->allocator, &g->groups, &group, 1, "edges");
}

/* Checks everything, makes room, copies, and only then adds; the groups are there by then, and taken back where
 * something fails. */
static jc_status add_edges(jc_graph *g, const jc_addition *add, const jc_jacobian *jacobian, const char *const *labels,
                           int64_t n_labels)
{
    jc_jacobian j;
    int64_t rows = 0, cols = 0, first = g->groups.count, label_set = 0;
    jc_status status = jc_graph_check_open(g);
    if (status) return status;
    if (!jacobian) return jc_fail(JC_E_USAGE, "an edge needs a jc_jacobian");
    if ((status = check_end_arrays(add))) return status;
    if ((status = jc_jacobian_take(jacobian, &j))) return status;
    bool ragged = jc_jacobian_is_ragged(&j);
    if ((status = check_ends(g, add, ragged, &rows, &cols))) return status;
    status = ragged ? jc_graph_add_ragged(g, add, &j) : add_group(g, add, &j, rows, cols);
    if (!status) status = check_indices(g, add, first);
    if (!status && (status = jc_graph_intern_labels(g, labels, n_labels, &label_set)) == JC_E_INPUT)
        status = jc_addition_fail(g, add, 0, -1, status);
    if (!status) status = reserve_edges(g, add->count);
    if (!status) status = keep_numbers(g, add, &j, first);
    if (status)
        g->groups.count = first;
    else
        append_edges(g, add, first, label_set);
    return status;
}

jc_status jc_graph_add_edge(jc_graph *graph, int64_t of, int64_t wrt, const jc_jacobian *jacobian,
                            const char *const *labels, int64_t n_labels)
{
    if (!graph) return jc_fail(JC_E_USAGE, "jc_graph_add_edge: no graph");
    jc_array ends[2] = {jc_array_1d(JC_I64, 1, &of), jc_array_1d(JC_I64, 1, &wrt)};
    jc_addition add = {&ends[0], &ends[1], 1, false};
    return add_edges(graph, &add, jacobian, labels, n_labels);
}

jc_status jc_graph_add_edges(jc_graph *graph, int64_t count, const jc_array *of, const jc_array *wrt,
                             const jc_jacobian *jacobian, const char *const *labels, int64_t n_labels)
{
    if (!graph) return jc_fail(JC_E_USAGE, "jc_graph_add_edges: no graph");
    jc_addition add = {of, wrt, count, true};
    return add_edges(graph, &add, jacobian, labels, n_labels);
}

int64_t jc_graph_edge_count(const jc_graph *graph)
{
    return graph ? graph->n_edges : 0;
}

void jc_graph_edge(const jc_graph *graph, int64_t edge, int64_t *of, int64_t *wrt)
{
    bool known = graph && edge >= 0 && edge < graph->n_edges;
    if (of) *of = known ? jc_graph_of(graph, edge) : -1;
    if (wrt) *wrt = known ? jc_graph_wrt(graph, edge) : -1;
}
