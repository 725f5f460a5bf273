#include "paths/cut.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "a split of paths";

enum { NAME_BYTES = 120 };

/* What is known of the local paths between an end of the walk and a node. */
typedef struct local {
    int64_t n;    /* 0, 1, 2: several */
    int64_t edge; /* of the graph: the only path is this edge; else -1 */
} local;

typedef struct work {
    const jc_walk *walk;
    bool last;
    int64_t *at_of; /* [graph variables] position in Z, or -1 */
    local *paths;   /* [n_nodes] from the source (last: to the target) */
} work;

static jc_status number_variables(work *w, const int64_t *at, int64_t n_at)
{
    const jc_graph *g = w->walk->graph;
    char name[NAME_BYTES];
    jc_status status = jc_alloc(&g->allocator, g->n_variables, sizeof *w->at_of, WHAT, &w->at_of);
    if (status) return status;
    memset(w->at_of, -1, (size_t)g->n_variables * sizeof *w->at_of);
    for (int64_t i = 0; i < n_at; i++) {
        if (at[i] < 0 || at[i] >= g->n_variables)
            return jc_fail(JC_E_USAGE, "at: there is no variable number %lld (the graph has %lld)", (long long)at[i],
                           (long long)g->n_variables);
        jc_graph_variable_name(g, at[i], name, sizeof name);
        if (w->at_of[at[i]] >= 0) return jc_fail(JC_E_USAGE, "at: %s is named twice", name);
        w->at_of[at[i]] = i;
    }
    w->at_of[w->walk->target_variable[0]] = w->at_of[w->walk->source_variable[0]] = -1;
    return JC_OK;
}

/* One edge more, from a node that paths may pass through, or the end itself. */
static void extend(work *w, int64_t from, int64_t to, int64_t edge)
{
    const jc_walk *walk = w->walk;
    bool is_end = from == (w->last ? walk->target[0] : walk->source[0]);
    if (w->at_of[walk->variable[from]] >= 0) return;
    int64_t n = jc_min(2, w->paths[to].n + w->paths[from].n);
    w->paths[to] = (local){n, is_end && n == 1 ? edge : -1};
}

/* paths[v].n = the sum over the edges v <- u, u the source or not in Z, of paths[u].n; last: the same from the target.
 */
static void count_local(work *w)
{
    const jc_walk *walk = w->walk;
    int64_t m = walk->n_edges;
    for (int64_t v = 0; v < walk->n_nodes; v++) w->paths[v] = (local){0, -1};
    w->paths[w->last ? walk->target[0] : walk->source[0]].n = 1;
    for (int64_t i = 0; i < m; i++) {
        int64_t e = w->last ? m - 1 - i : i;
        if (w->last)
            extend(w, walk->of[e], walk->wrt[e], walk->edge[e]);
        else
            extend(w, walk->wrt[e], walk->of[e], walk->edge[e]);
    }
}

static int in_order(const void *a, const void *b)
{
    const jc_cut_part *x = a, *y = b;
    if (x->at != y->at) return x->at < y->at ? -1 : 1;
    return (x->node > y->node) - (x->node < y->node);
}

/* The parts that have a path: every node of the walk leads on to its other end. */
static jc_status list_parts(const work *w, jc_cut *cut)
{
    const jc_walk *walk = w->walk;
    int64_t end = w->last ? walk->source[0] : walk->target[0];
    jc_status status = jc_alloc(&walk->graph->allocator, walk->n_nodes, sizeof *cut->parts, WHAT, &cut->parts);
    if (status) return status;
    cut->capacity = walk->n_nodes;
    for (int64_t v = 0; v < walk->n_nodes; v++) {
        int64_t at = w->at_of[walk->variable[v]];
        jc_cut_part part = {at, v, w->paths[v].edge};
        if (v == end && w->paths[v].n) part = (jc_cut_part){-1, -1, part.edge};
        if (w->paths[v].n && (v == end || at >= 0)) cut->parts[cut->n_parts++] = part;
    }
    if (cut->n_parts) qsort(cut->parts, (size_t)cut->n_parts, sizeof *cut->parts, in_order);
    return JC_OK;
}

/* Where source and target are the same variable there is the path without edges only, if it counts: it is local. */
static jc_status list_empty_path(const jc_walk *walk, jc_cut *cut)
{
    if (!walk->empty_path) return JC_OK;
    jc_status status = jc_alloc(&walk->graph->allocator, 1, sizeof *cut->parts, WHAT, &cut->parts);
    if (status) return status;
    cut->n_parts = cut->capacity = 1;
    cut->parts[0] = (jc_cut_part){-1, -1, -1};
    return JC_OK;
}

static jc_status create(work *w, const int64_t *at, int64_t n_at, jc_cut *cut)
{
    const jc_walk *walk = w->walk;
    jc_status status = number_variables(w, at, n_at);
    if (status || walk->source[0] < 0 || walk->target[0] < 0) return status;
    if (walk->source_variable[0] == walk->target_variable[0]) return list_empty_path(walk, cut);
    status = jc_alloc(&walk->graph->allocator, walk->n_nodes, sizeof *w->paths, WHAT, &w->paths);
    if (status) return status;
    count_local(w);
    return list_parts(w, cut);
}

jc_status jc_cut_create(const jc_walk *walk, const int64_t *at, int64_t n_at, bool last, jc_cut *cut)
{
    const jc_allocator *a = &walk->graph->allocator;
    work w = {.walk = walk, .last = last};
    jc_cut made = {.n_parts = 0};
    jc_status status = create(&w, at, n_at, &made);
    jc_free(a, w.paths, walk->n_nodes, sizeof *w.paths);
    jc_free(a, w.at_of, walk->graph->n_variables, sizeof *w.at_of);
    if (!status) *cut = made;
    return status;
}

void jc_cut_fini(const jc_allocator *a, jc_cut *cut)
{
    jc_free(a, cut->parts, cut->capacity, sizeof *cut->parts);
    *cut = (jc_cut){.n_parts = 0};
}
