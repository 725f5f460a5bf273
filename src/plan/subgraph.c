#include "plan/subgraph.h"

#include <string.h>

#include "core/error.h"

/* What the construction works with beside its result. The nodes are: those beyond sources, those of the walk, those
 * beyond targets. */
typedef struct builder {
    const jc_allocator *allocator;
    const jc_query *query;
    const jc_walk *walk;
    bool at_sources, at_targets; /* sources (targets) are joined to a node of their own by an extra Jacobian */
    int64_t n_before, n_after;   /* nodes beyond sources, targets */
    int64_t *source_at;    /* [walk nodes] source whose extra Jacobian leads into the node, or -1; only at_sources */
    int64_t *source_of;    /* [n_variables] which source a variable is, or -1; only where paths without edges join
                            * two nodes */
    bool *passed;          /* [walk nodes] an edge leads to it or from it; as source_of */
    jc_subgraph *subgraph; /* what is made */
} builder;

/* ---- extra Jacobians --------------------------------------------------------------------------------------------- */

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

/* ---- counting and allocating ------------------------------------------------------------------------------------- */

static int64_t count_there(const int64_t *nodes, int64_t n)
{
    int64_t there = 0;
    for (int64_t i = 0; i < n; i++) there += nodes[i] >= 0;
    return there;
}

/* The source that is the same variable as target t where the path without edges, between nodes that are not the same,
 * is to be an edge here: the extra Jacobian alone; else -1. */
static int64_t empty_path_source(const builder *b, int64_t t)
{
    return b->source_of ? b->source_of[b->walk->target_variable[t]] : -1;
}

/* Whether the extra Jacobian at an end leads to the end's own node: not if only a path without edges ends there. */
static bool is_passed(const builder *b, int64_t node)
{
    return !b->passed || b->passed[node];
}

static jc_status find_empty_paths(builder *b)
{
    const jc_walk *w = b->walk;
    if (!w->split || !w->empty_path || !(b->n_before + b->n_after)) return JC_OK;
    int64_t n = w->graph->n_variables;
    jc_status status = jc_alloc(b->allocator, n, sizeof *b->source_of, "the sources", &b->source_of);
    if (status) return status;
    memset(b->source_of, -1, (size_t)n * sizeof *b->source_of);
    for (int64_t i = 0; i < w->n_sources; i++) b->source_of[w->source_variable[i]] = i;
    status = jc_alloc_zero(b->allocator, w->n_nodes, sizeof *b->passed, "the nodes on paths", &b->passed);
    for (int64_t e = 0; e < w->n_edges && !status; e++) b->passed[w->of[e]] = b->passed[w->wrt[e]] = true;
    return status;
}

/* Edges of extra Jacobians: to the ends' own nodes, and for paths without edges. */
static int64_t count_extra_edges(const builder *b)
{
    const jc_walk *w = b->walk;
    int64_t n = 0;
    for (int64_t i = 0; i < w->n_sources && b->at_sources; i++) n += w->source[i] >= 0 && is_passed(b, w->source[i]);
    for (int64_t t = 0; t < w->n_targets; t++) {
        n += b->at_targets && w->target[t] >= 0 && is_passed(b, w->target[t]);
        n += empty_path_source(b, t) >= 0;
    }
    return n;
}

static jc_status allocate(builder *b)
{
    jc_subgraph *s = b->subgraph;
    const jc_walk *w = b->walk;
    const jc_allocator *a = b->allocator;
    int64_t extra = b->n_before + b->n_after;
    s->n_nodes = w->n_nodes + extra;
    s->n_edges = w->n_edges + count_extra_edges(b);
    s->max_extra = extra;
    s->n_targets = w->n_targets, s->n_sources = w->n_sources;
    s->empty_path = w->empty_path;
    const char *what = "the part of the graph that is used";
    jc_status status;
    if ((status = jc_alloc(a, s->n_nodes, sizeof *s->variable, what, &s->variable))) return status;
    if ((status = jc_alloc(a, s->n_nodes, sizeof *s->size, what, &s->size))) return status;
    if ((status = jc_alloc(a, s->n_edges, sizeof *s->of, what, &s->of))) return status;
    if ((status = jc_alloc(a, s->n_edges, sizeof *s->wrt, what, &s->wrt))) return status;
    if ((status = jc_alloc(a, s->n_edges, sizeof *s->jacobian, what, &s->jacobian))) return status;
    if ((status = jc_alloc(a, s->n_targets, sizeof *s->target, what, &s->target))) return status;
    if ((status = jc_alloc(a, s->n_sources, sizeof *s->source, what, &s->source))) return status;
    if ((status = jc_alloc(a, s->n_targets, sizeof *s->target_variable, what, &s->target_variable))) return status;
    if ((status = jc_alloc(a, s->n_sources, sizeof *s->source_variable, what, &s->source_variable))) return status;
    if (b->at_sources && (status = jc_alloc(a, w->n_nodes, sizeof *b->source_at, what, &b->source_at))) return status;
    return jc_alloc_zero(a, extra, sizeof *s->extra, what, &s->extra);
}

/* ---- filling ----------------------------------------------------------------------------------------------------- */

static void fill_nodes(const builder *b)
{
    jc_subgraph *s = b->subgraph;
    const jc_walk *w = b->walk;
    for (int64_t i = 0; i < s->n_nodes; i++) s->variable[i] = -1;
    for (int64_t i = 0; i < w->n_nodes; i++) {
        s->variable[b->n_before + i] = w->variable[i];
        s->size[b->n_before + i] = jc_graph_size(w->graph, w->variable[i]);
    }
    memcpy(s->source_variable, w->source_variable, (size_t)w->n_sources * sizeof *s->source_variable);
    memcpy(s->target_variable, w->target_variable, (size_t)w->n_targets * sizeof *s->target_variable);
    for (int64_t i = 0; i < w->n_sources; i++) s->source[i] = w->source[i] < 0 ? -1 : b->n_before + w->source[i];
    for (int64_t i = 0; i < w->n_targets; i++) s->target[i] = w->target[i] < 0 ? -1 : b->n_before + w->target[i];
}

static void add_edge(jc_subgraph *s, int64_t *n, int64_t of, int64_t wrt, int64_t jacobian)
{
    s->of[*n] = of, s->wrt[*n] = wrt, s->jacobian[*n] = jacobian;
    ++*n;
}

/* Makes the Jacobian between an end's node and the node beyond it; returns it as jc_step.b names it. */
static int64_t add_extra(const builder *b, bool at_target, int64_t at, int64_t beyond)
{
    jc_subgraph *s = b->subgraph;
    s->extra[s->n_extra] = extra_jacobian(b, at_target, s->size[at], &s->size[beyond]);
    return -1 - s->n_extra++;
}

/* source_at: the nodes into which the extra Jacobian of a source leads: its own, and where it is a target too and the
 * path without edges counts, that target's end. */
static void find_extended(const builder *b)
{
    const jc_walk *w = b->walk;
    for (int64_t i = 0; i < w->n_nodes; i++) b->source_at[i] = -1;
    for (int64_t i = 0; i < w->n_sources; i++)
        if (w->source[i] >= 0 && is_passed(b, w->source[i])) b->source_at[w->source[i]] = i;
    for (int64_t t = 0; t < w->n_targets; t++)
        if (empty_path_source(b, t) >= 0) b->source_at[w->target[t]] = empty_path_source(b, t);
}

/* The nodes beyond sources, which come first. Their edges are added with those into the same node (fill_edges). */
static void extend_sources(const builder *b, int64_t *jacobian)
{
    jc_subgraph *s = b->subgraph;
    for (int64_t i = 0, beyond = 0; i < s->n_sources; i++) {
        if (s->source[i] < 0) continue;
        jacobian[i] = add_extra(b, false, s->source[i], beyond);
        s->source[i] = beyond++;
    }
}

/* The nodes beyond targets, which come last, with their edges. */
static void extend_targets(const builder *b, int64_t *n_edges)
{
    jc_subgraph *s = b->subgraph;
    int64_t beyond = b->n_before + b->walk->n_nodes;
    for (int64_t t = 0; t < s->n_targets; t++) {
        if (s->target[t] < 0) continue;
        int64_t jacobian = add_extra(b, true, s->target[t], beyond), source = empty_path_source(b, t);
        if (is_passed(b, b->walk->target[t])) add_edge(s, n_edges, beyond, s->target[t], jacobian);
        if (source >= 0) add_edge(s, n_edges, beyond, s->source[source], jacobian);
        s->target[t] = beyond++;
    }
}

/* Edges in the order of their `of`: that of a node beyond a source comes before the walk's edges into the same node.
 * jacobian: [n_sources] extra Jacobians of the sources. */
static void fill_edges(const builder *b, const int64_t *jacobian)
{
    jc_subgraph *s = b->subgraph;
    const jc_walk *w = b->walk;
    int64_t n = 0, k = 0;
    for (int64_t i = 0; i < w->n_nodes; i++) {
        int64_t source = b->source_at ? b->source_at[i] : -1;
        if (source >= 0) add_edge(s, &n, b->n_before + i, s->source[source], jacobian[source]);
        for (; k < w->n_edges && w->of[k] == i; k++)
            add_edge(s, &n, b->n_before + i, b->n_before + w->wrt[k], w->edge[k]);
    }
    if (b->at_targets) extend_targets(b, &n);
}

static jc_status build(builder *b)
{
    const jc_walk *w = b->walk;
    int64_t *jacobian = NULL;
    jc_status status = find_empty_paths(b);
    if (!status) status = allocate(b);
    if (!status) status = jc_alloc(b->allocator, w->n_sources, sizeof *jacobian, "the sources", &jacobian);
    if (status) return status;
    fill_nodes(b);
    if (b->at_sources) {
        find_extended(b);
        extend_sources(b, jacobian);
    }
    fill_edges(b, jacobian);
    jc_free(b->allocator, jacobian, w->n_sources, sizeof *jacobian);
    return JC_OK;
}

jc_status jc_subgraph_create(const jc_walk *walk, const jc_query *query, jc_order order, jc_subgraph *subgraph)
{
    jc_subgraph made = {.made = jc_vec_of(sizeof(jc_made)), .operands = jc_vec_of(sizeof(jc_operand))};
    builder b = {.allocator = &walk->graph->allocator, .query = query, .walk = walk, .subgraph = &made};
    bool samples = query->per_sample > 1;
    b.at_targets = query->seed == JC_SEED_ROWS || (samples && order == JC_ORDER_REVERSE);
    b.at_sources = query->seed == JC_SEED_COLUMNS || (samples && order == JC_ORDER_FORWARD);
    b.n_before = b.at_sources ? count_there(walk->source, walk->n_sources) : 0;
    b.n_after = b.at_targets ? count_there(walk->target, walk->n_targets) : 0;
    jc_status status = build(&b);
    jc_free(b.allocator, b.source_at, walk->n_nodes, sizeof *b.source_at);
    jc_free(b.allocator, b.passed, walk->n_nodes, sizeof *b.passed);
    jc_free(b.allocator, b.source_of, walk->graph->n_variables, sizeof *b.source_of);
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
    jc_free(a, s->rank_of, s->n_nodes, sizeof *s->rank_of);
    for (int64_t i = 0; i < s->made.count; i++) {
        jc_made *made = (jc_made *)s->made.data + i;
        for (int k = 0; k < 2; k++) jc_free(a, made->index[k], made->n_index[k], sizeof *made->index[k]);
    }
    jc_vec_free(a, &s->made);
    jc_vec_free(a, &s->operands);
    memset(s, 0, sizeof *s);
}

size_t jc_subgraph_bytes(const jc_subgraph *s)
{
    return (size_t)s->n_nodes * (sizeof *s->variable + sizeof *s->size) + (size_t)s->n_edges * 3 * sizeof *s->of +
           (size_t)(s->n_targets + s->n_sources) * 2 * sizeof *s->target + (size_t)s->max_extra * sizeof *s->extra;
}
