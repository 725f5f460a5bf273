#include "rules/walk.h"

#include <string.h>

#include "core/sort.h"
#include "rules/walk_build.h"

static const char *const WHAT = "the part of the graph that is used";

/* ---- what a query reaches, rules left aside ---------------------------------------------------------------------- */

/* Marks every variable that reaches a target: v reaches one if it is one or some consumer of v does. */
static void mark_to_target(const jc_walk_builder *b)
{
    const jc_graph *g = b->graph;
    for (int64_t i = 0; i < b->query->n_of; i++) b->mark[b->query->of[i]] |= JC_WALK_TO_TARGET;
    for (int64_t i = g->n_variables; i-- > 0;) {
        int64_t v = g->topological[i];
        if (!(b->mark[v] & JC_WALK_TO_TARGET)) continue;
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++)
            if (jc_edge_set_has(&b->kept, g->in_edges[k]))
                b->mark[jc_graph_wrt(g, g->in_edges[k])] |= JC_WALK_TO_TARGET;
    }
}

/* Marks every variable that a source reaches. */
static void mark_from_source(const jc_walk_builder *b)
{
    const jc_graph *g = b->graph;
    for (int64_t i = 0; i < b->walk->n_sources; i++) b->mark[b->walk->source_variable[i]] |= JC_WALK_FROM_SOURCE;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        if (!(b->mark[v] & JC_WALK_FROM_SOURCE)) continue;
        for (int64_t k = g->out_start[v]; k < g->out_start[v + 1]; k++)
            if (jc_edge_set_has(&b->kept, g->out_edges[k]))
                b->mark[jc_graph_of(g, g->out_edges[k])] |= JC_WALK_FROM_SOURCE;
    }
}

static bool is_default_source(const jc_walk_builder *b, int64_t v)
{
    return (b->mark[v] & JC_WALK_TO_TARGET) && b->graph->in_start[v] == b->graph->in_start[v + 1];
}

/* The sources: those of the query, or every variable without incoming edge that reaches a target. */
static jc_status list_sources(const jc_walk_builder *b)
{
    jc_walk *w = b->walk;
    int64_t n = b->query->n_wrt;
    if (!n)
        for (int64_t v = 0; v < b->graph->n_variables; v++) n += is_default_source(b, v);
    jc_status status = jc_alloc(b->allocator, n, sizeof *w->source_variable, "the sources", &w->source_variable);
    if (status) return status;
    w->n_sources = w->max_sources = n;
    if (b->query->n_wrt) {
        memcpy(w->source_variable, b->query->wrt, (size_t)n * sizeof *w->source_variable);
        return JC_OK;
    }
    int64_t i = 0;
    for (int64_t v = 0; v < b->graph->n_variables; v++)
        if (is_default_source(b, v)) w->source_variable[i++] = v;
    return JC_OK;
}

static jc_status list_targets(const jc_walk_builder *b)
{
    jc_walk *w = b->walk;
    jc_status status =
        jc_alloc(b->allocator, b->query->n_of, sizeof *w->target_variable, "the targets", &w->target_variable);
    if (status) return status;
    w->n_targets = b->query->n_of;
    memcpy(w->target_variable, b->query->of, (size_t)w->n_targets * sizeof *w->target_variable);
    return JC_OK;
}

/* ---- without rules: the variables on paths ----------------------------------------------------------------------- */

/* An edge that paths use: of a variable that they use, from another one. */
static bool is_used(const jc_walk_builder *b, int64_t edge)
{
    return jc_edge_set_has(&b->kept, edge) && b->mark[jc_graph_wrt(b->graph, edge)] == JC_WALK_USED;
}

jc_status jc_walk_allocate(const jc_walk_builder *b, int64_t n_nodes, int64_t n_edges)
{
    jc_walk *w = b->walk;
    const jc_allocator *a = b->allocator;
    jc_status status;
    w->n_nodes = n_nodes, w->n_edges = n_edges;
    if ((status = jc_alloc(a, n_nodes, sizeof *w->variable, WHAT, &w->variable))) return status;
    if (b->automaton && (status = jc_alloc(a, n_nodes, sizeof *w->state, WHAT, &w->state))) return status;
    if ((status = jc_alloc(a, n_edges, sizeof *w->of, WHAT, &w->of))) return status;
    if ((status = jc_alloc(a, n_edges, sizeof *w->wrt, WHAT, &w->wrt))) return status;
    return jc_alloc(a, n_edges, sizeof *w->edge, WHAT, &w->edge);
}

static jc_status allocate_used(const jc_walk_builder *b)
{
    const jc_graph *g = b->graph;
    int64_t nodes = 0, edges = 0;
    for (int64_t v = 0; v < g->n_variables; v++) {
        if (b->mark[v] != JC_WALK_USED) continue;
        nodes++;
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++) edges += is_used(b, g->in_edges[k]);
    }
    return jc_walk_allocate(b, nodes, edges);
}

/* Nodes in topological order, edges by the node they lead to; node: [n_variables], -1 for those not used. */
static void fill(const jc_walk_builder *b, int64_t *node)
{
    const jc_graph *g = b->graph;
    jc_walk *w = b->walk;
    int64_t n = 0, m = 0;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        node[v] = b->mark[v] == JC_WALK_USED ? n : -1;
        if (node[v] < 0) continue;
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++) {
            if (!is_used(b, g->in_edges[k])) continue;
            w->of[m] = n, w->wrt[m] = node[jc_graph_wrt(g, g->in_edges[k])], w->edge[m++] = g->in_edges[k];
        }
        w->variable[n++] = v;
    }
    for (int64_t i = 0; i < w->n_sources; i++) w->source[i] = node[w->source_variable[i]];
    for (int64_t i = 0; i < w->n_targets; i++) w->target[i] = node[w->target_variable[i]];
}

static jc_status build_plain(const jc_walk_builder *b)
{
    int64_t *node, n = b->graph->n_variables;
    b->walk->n_states = 1;
    b->walk->empty_path = !b->query->no_empty_path;
    mark_from_source(b);
    jc_status status = jc_alloc(b->allocator, n, sizeof *node, "nodes of the variables", &node);
    if (status) return status;
    status = allocate_used(b);
    if (!status) fill(b, node);
    jc_free(b->allocator, node, n, sizeof *node);
    return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static jc_status build(jc_walk_builder *b)
{
    const jc_graph *g = b->graph;
    const jc_query *q = b->query;
    jc_walk *w = b->walk;
    jc_status status = jc_edge_set_init(&b->kept, g, q->edges, q->n_edges);
    if (!status) status = jc_alloc_zero(b->allocator, g->n_variables, 1, "marks of the variables", &b->mark);
    if (!status) status = list_targets(b);
    if (status) return status;
    mark_to_target(b);
    if ((status = list_sources(b))) return status;
    if ((status = jc_alloc(b->allocator, w->n_sources, sizeof *w->source, WHAT, &w->source))) return status;
    if ((status = jc_alloc(b->allocator, w->n_targets, sizeof *w->target, WHAT, &w->target))) return status;
    if (!q->n_rules) return build_plain(b);
    status = jc_automaton_create(g, q->rules, q->n_rules, &b->automaton);
    return status ? status : jc_walk_multiply(b);
}

jc_status jc_walk_create(const jc_graph *graph, const jc_query *query, jc_walk *walk)
{
    jc_walk made = {.graph = graph};
    jc_walk_builder b = {.graph = graph, .allocator = &graph->allocator, .query = query, .walk = &made};
    jc_status status = build(&b);
    jc_automaton_destroy(b.automaton);
    jc_edge_set_fini(&b.kept, graph);
    jc_free(b.allocator, b.mark, graph->n_variables, 1);
    if (status)
        jc_walk_fini(b.allocator, &made);
    else
        *walk = made;
    return status;
}

void jc_walk_fini(const jc_allocator *a, jc_walk *w)
{
    jc_free(a, w->variable, w->n_nodes, sizeof *w->variable);
    jc_free(a, w->state, w->n_nodes, sizeof *w->state);
    jc_free(a, w->of, w->n_edges, sizeof *w->of);
    jc_free(a, w->wrt, w->n_edges, sizeof *w->wrt);
    jc_free(a, w->edge, w->n_edges, sizeof *w->edge);
    jc_free(a, w->target_variable, w->n_targets, sizeof *w->target_variable);
    jc_free(a, w->target, w->n_targets, sizeof *w->target);
    jc_free(a, w->source_variable, w->max_sources, sizeof *w->source_variable);
    jc_free(a, w->source, w->max_sources, sizeof *w->source);
    memset(w, 0, sizeof *w);
}

jc_status jc_walk_out_edges(const jc_allocator *a, const jc_walk *w, int64_t **start, int64_t **out)
{
    int64_t *by_number = NULL, *starts = NULL, *edges = NULL;
    jc_status status = jc_alloc(a, w->n_edges, sizeof *by_number, WHAT, &by_number);
    if (!status) status = jc_alloc(a, w->n_nodes + 1, sizeof *starts, WHAT, &starts);
    if (!status) status = jc_alloc(a, w->n_edges, sizeof *edges, WHAT, &edges);
    if (!status) status = jc_sort_by_key(a, w->edge, w->graph->n_edges, NULL, w->n_edges, by_number, NULL);
    if (!status) status = jc_sort_by_key(a, w->wrt, w->n_nodes, by_number, w->n_edges, edges, starts);
    jc_free(a, by_number, w->n_edges, sizeof *by_number);
    if (status) {
        jc_free(a, starts, w->n_nodes + 1, sizeof *starts);
        jc_free(a, edges, w->n_edges, sizeof *edges);
        return status;
    }
    *start = starts, *out = edges;
    return JC_OK;
}
