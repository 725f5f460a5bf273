#include "plan/subgraph.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "graph/edge_set.h"

enum { FROM_SOURCE = 1, TO_TARGET = 2, USED = 3 };

/* What the construction works with beside its result. */
typedef struct builder {
    const jc_graph *graph;
    const jc_allocator *allocator;
    const jc_query *query;
    jc_order order;
    jc_edge_set kept;      /* edges that paths may use */
    unsigned char *mark;   /* [n_variables] FROM_SOURCE | TO_TARGET */
    int64_t *node;         /* [n_variables] node of a used variable, or -1 */
    int64_t *source_index; /* [n_variables] which source a variable is, or -1; only where sources are extended */
    jc_subgraph *subgraph; /* what is made */
} builder;

/* Marks every variable that reaches a target: v reaches one if it is one or some consumer of v does. */
static void mark_to_target(const builder *b)
{
    const jc_graph *g = b->graph;
    for (int64_t i = 0; i < b->query->n_of; i++) b->mark[b->query->of[i]] |= TO_TARGET;
    for (int64_t i = g->n_variables; i-- > 0;) {
        int64_t v = g->topological[i];
        if (!(b->mark[v] & TO_TARGET)) continue;
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++)
            if (jc_edge_set_has(&b->kept, g->in_edges[k])) b->mark[jc_graph_wrt(g, g->in_edges[k])] |= TO_TARGET;
    }
}

/* Marks every variable that a source reaches. */
static void mark_from_source(const builder *b)
{
    const jc_graph *g = b->graph;
    for (int64_t i = 0; i < b->subgraph->n_sources; i++) b->mark[b->subgraph->source_variable[i]] |= FROM_SOURCE;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        if (!(b->mark[v] & FROM_SOURCE)) continue;
        for (int64_t k = g->out_start[v]; k < g->out_start[v + 1]; k++)
            if (jc_edge_set_has(&b->kept, g->out_edges[k])) b->mark[jc_graph_of(g, g->out_edges[k])] |= FROM_SOURCE;
    }
}

static bool is_default_source(const builder *b, int64_t v)
{
    return (b->mark[v] & TO_TARGET) && b->graph->in_start[v] == b->graph->in_start[v + 1];
}

/* The sources: those of the query, or every variable without incoming edge that reaches a target. */
static jc_status list_sources(builder *b)
{
    jc_subgraph *s = b->subgraph;
    int64_t n = b->query->n_wrt;
    if (!n)
        for (int64_t v = 0; v < b->graph->n_variables; v++) n += is_default_source(b, v);
    jc_status status = jc_alloc(b->allocator, n, sizeof *s->source_variable, "the sources", &s->source_variable);
    if (status) return status;
    s->n_sources = n;
    if (b->query->n_wrt) {
        memcpy(s->source_variable, b->query->wrt, (size_t)n * sizeof *s->source_variable);
        return JC_OK;
    }
    int64_t i = 0;
    for (int64_t v = 0; v < b->graph->n_variables; v++)
        if (is_default_source(b, v)) s->source_variable[i++] = v;
    return JC_OK;
}

static jc_status list_targets(builder *b)
{
    jc_subgraph *s = b->subgraph;
    jc_status status =
        jc_alloc(b->allocator, b->query->n_of, sizeof *s->target_variable, "the targets", &s->target_variable);
    if (status) return status;
    s->n_targets = b->query->n_of;
    memcpy(s->target_variable, b->query->of, (size_t)s->n_targets * sizeof *s->target_variable);
    return JC_OK;
}

/* Whether targets (sources) are joined to a node of their own by an extra Jacobian. */
static bool extends_targets(const builder *b)
{
    return b->query->seed == JC_SEED_ROWS || (b->query->per_sample > 1 && b->order == JC_ORDER_REVERSE);
}

static bool extends_sources(const builder *b)
{
    return b->query->seed == JC_SEED_COLUMNS || (b->query->per_sample > 1 && b->order == JC_ORDER_FORWARD);
}

static int64_t count_used(const builder *b, const int64_t *variables, int64_t n)
{
    int64_t used = 0;
    for (int64_t i = 0; i < n; i++) used += b->mark[variables[i]] == USED;
    return used;
}

/* An edge that paths use: of a variable that they use, from another one. */
static bool is_used(const builder *b, int64_t edge)
{
    return jc_edge_set_has(&b->kept, edge) && b->mark[jc_graph_wrt(b->graph, edge)] == USED;
}

/* Allocates nodes, edges and extras; counts first. */
static jc_status allocate_parts(builder *b)
{
    jc_subgraph *s = b->subgraph;
    const jc_graph *g = b->graph;
    const jc_allocator *a = b->allocator;
    int64_t nodes = 0, edges = 0, extra = 0;
    if (extends_targets(b)) extra += count_used(b, s->target_variable, s->n_targets);
    if (extends_sources(b)) extra += count_used(b, s->source_variable, s->n_sources);
    for (int64_t v = 0; v < g->n_variables; v++) {
        if (b->mark[v] != USED) continue;
        nodes++;
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++) edges += is_used(b, g->in_edges[k]);
    }
    s->n_nodes = nodes + extra, s->n_edges = edges + extra, s->max_extra = extra;
    const char *what = "the part of the graph that is used";
    jc_status status;
    if ((status = jc_alloc(a, s->n_nodes, sizeof *s->variable, what, &s->variable))) return status;
    if ((status = jc_alloc(a, s->n_nodes, sizeof *s->size, what, &s->size))) return status;
    if ((status = jc_alloc(a, s->n_edges, sizeof *s->of, what, &s->of))) return status;
    if ((status = jc_alloc(a, s->n_edges, sizeof *s->wrt, what, &s->wrt))) return status;
    if ((status = jc_alloc(a, s->n_edges, sizeof *s->jacobian, what, &s->jacobian))) return status;
    if ((status = jc_alloc(a, s->n_targets, sizeof *s->target, what, &s->target))) return status;
    if ((status = jc_alloc(a, s->n_sources, sizeof *s->source, what, &s->source))) return status;
    return jc_alloc_zero(a, extra, sizeof *s->extra, what, &s->extra);
}

/* The seed as a Jacobian: rows x cols, its numbers bound later. */
static jc_group seed_jacobian(int64_t rows, int64_t cols)
{
    jc_group group = {.n_edges = 1, .scale = 1.0};
    group.shape =
        (jc_shape){.kind = JC_DENSE, .batch = 1, .inner = 1, .p = rows, .q = cols, .rows = rows, .cols = cols};
    group.field[0] = (jc_field){.dtype = JC_F64, .literal = true, .elements = rows * cols};
    return group;
}

/* The sum over B samples, 1_B^T (x) I_m (m x B m): a transposed tile; untransposed it hands m entries to every sample.
 */
static jc_group sample_jacobian(int64_t B, int64_t m, bool transpose)
{
    jc_group group = {.n_edges = 1, .scale = 1.0, .has_numbers = true};
    group.shape =
        (jc_shape){.kind = JC_TILE, .transpose = transpose, .batch = 1, .inner = 1, .p = B * m, .q = m, .m = B};
    group.shape.rows = transpose ? m : B * m;
    group.shape.cols = transpose ? B * m : m;
    return group;
}

/* The extra Jacobian at a target (source) of `size` scalars, and the size of the node beyond it. */
static jc_group extra_jacobian(const builder *b, bool at_target, int64_t size, int64_t *beyond)
{
    int64_t B = b->query->per_sample, k = b->query->seed_width;
    if (b->query->seed != JC_SEED_NONE) {
        *beyond = k;
        return at_target ? seed_jacobian(k, size) : seed_jacobian(size, k);
    }
    *beyond = size / B;
    return sample_jacobian(B, size / B, at_target);
}

/* Gives every used variable, and every extra Jacobian's end, a node. Extra sources come first, extra targets last. */
static void number_nodes(const builder *b)
{
    jc_subgraph *s = b->subgraph;
    const jc_graph *g = b->graph;
    int64_t n = extends_sources(b) ? count_used(b, s->source_variable, s->n_sources) : 0;
    for (int64_t i = 0; i < n; i++) s->variable[i] = -1;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        b->node[v] = b->mark[v] == USED ? n : -1;
        if (b->mark[v] != USED) continue;
        s->variable[n] = v;
        s->size[n++] = jc_graph_size(g, v);
    }
}

static void add_edge(jc_subgraph *s, int64_t *n, int64_t of, int64_t wrt, int64_t jacobian)
{
    s->of[*n] = of, s->wrt[*n] = wrt, s->jacobian[*n] = jacobian;
    ++*n;
}

/* Joins a node beyond an end of the query by an extra Jacobian; returns the Jacobian as jc_step.b names it. */
static int64_t add_extra(const builder *b, bool at_target, int64_t at, int64_t beyond)
{
    jc_subgraph *s = b->subgraph;
    s->variable[beyond] = -1;
    s->extra[s->n_extra] = extra_jacobian(b, at_target, s->size[at], &s->size[beyond]);
    return -1 - s->n_extra++;
}

/* Joins source `v`, at `node`, to the next of the extra source nodes, which come first. */
static void extend_source(const builder *b, int64_t v, int64_t node, int64_t *next_source, int64_t *n_edges)
{
    if (!extends_sources(b) || b->source_index[v] < 0) return;
    add_edge(b->subgraph, n_edges, node, *next_source, add_extra(b, false, node, *next_source));
    b->subgraph->source[b->source_index[v]] = (*next_source)++;
}

/* Joins the targets to the extra target nodes, which come last. */
static void extend_targets(const builder *b, int64_t next_target, int64_t *n_edges)
{
    jc_subgraph *s = b->subgraph;
    for (int64_t i = 0; i < s->n_targets && extends_targets(b); i++) {
        if (s->target[i] < 0) continue;
        add_edge(s, n_edges, next_target, s->target[i], add_extra(b, true, s->target[i], next_target));
        s->target[i] = next_target++;
    }
}

/* Edges in the order of their `of`: an extra source's edge comes before the graph's edges into the same node. */
static void fill_edges(const builder *b)
{
    jc_subgraph *s = b->subgraph;
    const jc_graph *g = b->graph;
    int64_t n = 0, next_source = 0, next_target = s->n_nodes;
    for (int64_t i = 0; i < s->n_sources; i++) s->source[i] = b->node[s->source_variable[i]];
    for (int64_t i = 0; i < s->n_targets; i++) s->target[i] = b->node[s->target_variable[i]];
    if (extends_targets(b)) next_target -= count_used(b, s->target_variable, s->n_targets);

    for (int64_t node = 0; node < next_target; node++) {
        int64_t v = s->variable[node];
        if (v < 0) continue;
        extend_source(b, v, node, &next_source, &n);
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++) {
            int64_t e = g->in_edges[k];
            if (is_used(b, e)) add_edge(s, &n, node, b->node[jc_graph_wrt(g, e)], e);
        }
    }
    extend_targets(b, next_target, &n);
}

static jc_status allocate_marks(builder *b)
{
    int64_t n = b->graph->n_variables;
    jc_status status = jc_edge_set_init(&b->kept, b->graph, b->query->edges, b->query->n_edges);
    if (!status) status = jc_alloc_zero(b->allocator, n, sizeof *b->mark, "marks of the variables", &b->mark);
    if (!status) status = jc_alloc(b->allocator, n, sizeof *b->node, "nodes of the variables", &b->node);
    if (!status && extends_sources(b)) {
        status = jc_alloc(b->allocator, n, sizeof *b->source_index, "the sources", &b->source_index);
        if (!status) memset(b->source_index, -1, (size_t)n * sizeof *b->source_index);
    }
    return status;
}

static jc_status build(builder *b)
{
    jc_status status = allocate_marks(b);
    if (!status) status = list_targets(b);
    if (status) return status;
    mark_to_target(b);
    status = list_sources(b);
    if (status) return status;
    mark_from_source(b);
    for (int64_t i = 0; b->source_index && i < b->subgraph->n_sources; i++)
        b->source_index[b->subgraph->source_variable[i]] = i;
    status = allocate_parts(b);
    if (status) return status;
    number_nodes(b);
    fill_edges(b);
    return JC_OK;
}

jc_status jc_subgraph_create(const jc_graph *graph, const jc_query *query, jc_order order, jc_subgraph *subgraph)
{
    jc_subgraph made = {0};
    builder b = {.graph = graph, .allocator = &graph->allocator, .query = query, .order = order, .subgraph = &made};
    jc_status status = build(&b);
    jc_edge_set_fini(&b.kept, graph);
    jc_free(b.allocator, b.mark, graph->n_variables, sizeof *b.mark);
    jc_free(b.allocator, b.node, graph->n_variables, sizeof *b.node);
    jc_free(b.allocator, b.source_index, graph->n_variables, sizeof *b.source_index);
    if (status)
        jc_subgraph_fini(b.allocator, &made);
    else
        *subgraph = made;
    return status;
}

void jc_subgraph_fini(const jc_allocator *a, jc_subgraph *s)
{
    jc_free(a, s->variable, s->n_nodes, sizeof *s->variable);
    jc_free(a, s->size, s->n_nodes, sizeof *s->size);
    jc_free(a, s->of, s->n_edges, sizeof *s->of);
    jc_free(a, s->wrt, s->n_edges, sizeof *s->wrt);
    jc_free(a, s->jacobian, s->n_edges, sizeof *s->jacobian);
    jc_free(a, s->target_variable, s->n_targets, sizeof *s->target_variable);
    jc_free(a, s->source_variable, s->n_sources, sizeof *s->source_variable);
    jc_free(a, s->target, s->n_targets, sizeof *s->target);
    jc_free(a, s->source, s->n_sources, sizeof *s->source);
    jc_free(a, s->extra, s->max_extra, sizeof *s->extra);
    memset(s, 0, sizeof *s);
}

size_t jc_subgraph_bytes(const jc_subgraph *s)
{
    return (size_t)s->n_nodes * (sizeof *s->variable + sizeof *s->size) + (size_t)s->n_edges * 3 * sizeof *s->of +
           (size_t)(s->n_targets + s->n_sources) * 2 * sizeof *s->target + (size_t)s->max_extra * sizeof *s->extra;
}
