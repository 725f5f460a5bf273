#include "plan/verify_ends.h"

#include <string.h>

#include "core/sort.h"
#include "plan/verify_walk.h"
#include "rules/query.h"

static const char *const WHAT = "the verifier of plans";

/* ---- without rules: from the graph's edges ----------------------------------------------------------------------- */

/* mark[v]: v is a target or has a consumer that reaches one. */
static void mark_to_target(const jc_expected *x)
{
    const jc_graph *g = x->graph;
    for (int64_t i = 0; i < x->n_targets; i++) x->mark[x->target[i]] |= JC_TO_TARGET;
    for (int64_t i = g->n_variables - 1; i >= 0; i--) {
        int64_t v = g->topological[i];
        for (int64_t k = g->out_start[v]; k < g->out_start[v + 1]; k++)
            if (!jc_expected_left_out(x, g->out_edges[k]))
                x->mark[v] |= x->mark[jc_graph_of(g, g->out_edges[k])] & JC_TO_TARGET;
    }
}

/* mark[v]: v is a source or computed from a variable that one reaches. */
static void mark_from_source(const jc_expected *x)
{
    const jc_graph *g = x->graph;
    for (int64_t i = 0; i < x->n_sources; i++) x->mark[x->source[i]] |= JC_FROM_SOURCE;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++)
            if (!jc_expected_left_out(x, g->in_edges[k]))
                x->mark[v] |= x->mark[jc_graph_wrt(g, g->in_edges[k])] & JC_FROM_SOURCE;
    }
}

static bool is_unnamed_source(const jc_expected *x, int64_t v)
{
    return (x->mark[v] & JC_TO_TARGET) && x->graph->in_start[v] == x->graph->in_start[v + 1];
}

/* The edges that a query does not name are left out, where it names any. */
static jc_status list_left_out(jc_expected *x, const jc_query *query)
{
    if (!query->edges) return JC_OK;
    jc_status status = jc_alloc(x->allocator, x->graph->n_edges, 1, WHAT, &x->left_out);
    if (status) return status;
    memset(x->left_out, 1, (size_t)x->graph->n_edges);
    for (int64_t i = 0; i < query->n_edges; i++) x->left_out[query->edges[i]] = 0;
    return JC_OK;
}

static jc_status list_targets(jc_expected *x, const jc_query *query)
{
    jc_status status = jc_alloc(x->allocator, query->n_of, sizeof *x->target, WHAT, &x->target);
    if (status) return status;
    x->n_targets = query->n_of;
    memcpy(x->target, query->of, (size_t)query->n_of * sizeof *x->target);
    return JC_OK;
}

static jc_status list_sources(jc_expected *x, const jc_query *query)
{
    int64_t n = query->n_wrt;
    for (int64_t v = 0; !query->n_wrt && v < x->graph->n_variables; v++) n += is_unnamed_source(x, v);
    jc_status status = jc_alloc(x->allocator, n, sizeof *x->source, WHAT, &x->source);
    if (status) return status;
    if (query->n_wrt) memcpy(x->source, query->wrt, (size_t)n * sizeof *x->source);
    x->n_sources = n;
    n = 0;
    for (int64_t v = 0; !query->n_wrt && v < x->graph->n_variables; v++)
        if (is_unnamed_source(x, v)) x->source[n++] = v;
    return JC_OK;
}

static jc_status allocate_end_nodes(jc_expected *x)
{
    jc_status status = jc_alloc(x->allocator, x->n_targets, sizeof *x->target_node, WHAT, &x->target_node);
    return status ? status : jc_alloc(x->allocator, x->n_sources, sizeof *x->source_node, WHAT, &x->source_node);
}

/* Without rules: the variables on paths, from the graph's edges. */
static jc_status find_ends(jc_expected *x, const jc_query *query)
{
    jc_status status;
    x->n_own_nodes = x->graph->n_variables, x->n_own_edges = x->graph->n_edges;
    x->empty_path = !query->no_empty_path;
    if ((status = jc_alloc_zero(x->allocator, x->graph->n_variables, 1, WHAT, &x->mark))) return status;
    if ((status = list_left_out(x, query))) return status;
    if ((status = list_targets(x, query))) return status;
    mark_to_target(x);
    if ((status = list_sources(x, query))) return status;
    mark_from_source(x);
    if ((status = allocate_end_nodes(x))) return status;
    for (int64_t i = 0; i < x->n_targets; i++)
        x->target_node[i] = x->mark[x->target[i]] == JC_ON_PATH ? x->target[i] : -1;
    for (int64_t i = 0; i < x->n_sources; i++)
        x->source_node[i] = x->mark[x->source[i]] == JC_ON_PATH ? x->source[i] : -1;
    return JC_OK;
}

/* ---- with rules: from the walk ----------------------------------------------------------------------------------- */

/* The copies of each edge of the graph. */
static jc_status sort_copies(jc_expected *x)
{
    const jc_walk *w = &x->walk;
    jc_status status = jc_alloc(x->allocator, w->n_edges, sizeof *x->copies, WHAT, &x->copies);
    if (!status)
        status = jc_alloc(x->allocator, x->graph->n_edges + 1, sizeof *x->copies_start, WHAT, &x->copies_start);
    if (status) return status;
    return jc_sort_by_key(x->allocator, w->edge, x->graph->n_edges, NULL, w->n_edges, x->copies, x->copies_start);
}

/* With rules: the walk's. */
static jc_status walk_ends(jc_expected *x, const jc_query *query)
{
    jc_query full;
    jc_status status = jc_query_check(x->graph, query, &full);
    if (!status) status = jc_walk_create(x->graph, &full, &x->walk);
    if (status) return status;
    const jc_walk *w = &x->walk;
    x->n_own_nodes = w->n_nodes, x->n_own_edges = w->n_edges;
    x->empty_path = w->empty_path;
    if ((status = jc_verify_walk(w, &full))) return status;
    if ((status = sort_copies(x))) return status;
    if ((status = list_targets(x, query))) return status;
    x->n_sources = w->n_sources;
    if ((status = jc_alloc(x->allocator, x->n_sources, sizeof *x->source, WHAT, &x->source))) return status;
    if ((status = allocate_end_nodes(x))) return status;
    memcpy(x->source, w->source_variable, (size_t)x->n_sources * sizeof *x->source);
    memcpy(x->source_node, w->source, (size_t)x->n_sources * sizeof *x->source_node);
    memcpy(x->target_node, w->target, (size_t)x->n_targets * sizeof *x->target_node);
    return JC_OK;
}

jc_status jc_expected_find_ends(jc_expected *x, const jc_query *query)
{
    return x->by_rules ? walk_ends(x, query) : find_ends(x, query);
}
