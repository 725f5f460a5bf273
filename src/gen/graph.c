/* A generated graph in memory, through the public builder. */
#include "gen/gen.h"

#include "core/dtype.h"
#include "core/size.h"
#include "graph/graph.h"

/* Numbers that a graph owns. */
typedef struct kept_numbers {
    void *data;
    int64_t bytes;
} kept_numbers;

static void release_numbers(void *ctx, const jc_allocator *a)
{
    kept_numbers *kept = ctx;
    jc_free(a, kept->data, kept->bytes, 1);
    jc_free(a, kept, 1, sizeof *kept);
}

/* *data = the numbers of group g, owned by the graph. */
static jc_status make_numbers(jc_graph *graph, jc_gen_numbers *numbers, int64_t g, const void **data)
{
    const jc_allocator *a = &graph->allocator;
    const jc_gen_group *group = jc_gen_group_at(numbers->gen, g);
    int64_t rows = jc_gen_members(group) * group->rows;
    kept_numbers *kept;
    jc_status status = jc_alloc(a, 1, sizeof *kept, "the numbers of a group", &kept);
    if (status) return status;
    kept->bytes = rows * group->cols * jc_dtype_bytes(numbers->gen->dtype);
    if ((status = jc_alloc(a, kept->bytes, 1, "the numbers of a group", &kept->data))) goto fail;
    jc_gen_rows(numbers, g, 0, rows, kept->data);
    if ((status = jc_graph_keep(graph, release_numbers, kept))) goto fail_data;
    *data = kept->data;
    return JC_OK;
fail_data:
    jc_free(a, kept->data, kept->bytes, 1);
fail:
    jc_free(a, kept, 1, sizeof *kept);
    return status;
}

/* The numbers of one member, or of all members with one more axis. */
static jc_array numbers_array(const jc_gen *gen, const jc_gen_group *group, const void *data)
{
    jc_array array = {.dtype = gen->dtype, .data = data, .ownership = JC_BORROW};
    if (!group->shared) array.dims[array.rank++] = group->n_edges;
    if (!group->vector) array.dims[array.rank++] = group->rows;
    array.dims[array.rank++] = group->cols;
    return array;
}

static jc_status add_group(jc_graph *graph, jc_gen_numbers *numbers, int64_t g)
{
    const jc_gen *gen = numbers->gen;
    const jc_gen_group *group = jc_gen_group_at(gen, g);
    jc_jacobian jacobian = JC_JACOBIAN_INIT(group->kind);
    const void *data;
    jc_status status = JC_OK;
    jacobian.batch = group->batch;
    if (group->fill != JC_GEN_NOTHING) {
        if ((status = make_numbers(graph, numbers, g, &data))) return status;
        *(group->kind == JC_WEIGHT ? &jacobian.x : &jacobian.values) = numbers_array(gen, group, data);
    }
    int64_t first = group->first_edge, n = group->n_edges, n_labels = group->label ? 1 : 0;
    if (!group->shared) {
        jc_array of = jc_array_1d(JC_I64, n, (const int64_t *)gen->of.data + first);
        jc_array wrt = jc_array_1d(JC_I64, n, (const int64_t *)gen->wrt.data + first);
        return jc_graph_add_edges(graph, n, &of, &wrt, &jacobian, &group->label, n_labels);
    }
    for (int64_t e = first; e < first + n && !status; e++)
        status = jc_graph_add_edge(graph, jc_gen_of(gen, e), jc_gen_wrt(gen, e), &jacobian, &group->label, n_labels);
    return status;
}

static jc_status add_variables(const jc_gen *gen, jc_graph *graph)
{
    char name[64];
    jc_status status = JC_OK;
    if (!gen->name) {
        jc_array sizes = jc_array_1d(JC_I64, gen->sizes.count, gen->sizes.data);
        return jc_graph_add_variables(graph, "v", &sizes);
    }
    for (int64_t v = 0; v < gen->sizes.count && !status; v++)
        status = jc_graph_add_variable(graph, jc_gen_name(gen, v, name, sizeof name), jc_gen_size(gen, v), NULL);
    return status;
}

jc_status jc_gen_graph(const jc_gen *gen, const jc_graph_options *options, jc_graph **out)
{
    jc_gen_numbers numbers;
    jc_graph *graph;
    jc_status status = jc_gen_numbers_init(gen, &numbers);
    if (status) return status;
    if ((status = jc_graph_create(options, &graph))) goto fini;
    if ((status = add_variables(gen, graph))) goto fail;
    for (int64_t g = 0; g < gen->groups.count; g++)
        if ((status = add_group(graph, &numbers, g))) goto fail;
    if ((status = jc_graph_finish(graph))) goto fail;
    *out = graph;
    goto fini;
fail:
    jc_graph_destroy(graph);
fini:
    jc_gen_numbers_fini(&numbers);
    return status;
}
