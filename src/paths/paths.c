#include "paths/paths.h"

#include "core/error.h"
#include "core/size.h"
#include "rules/query.h"

static const char *const WHAT = "the edges on paths";

static jc_status build(jc_paths *p, const jc_query *query)
{
    const jc_allocator *a = &p->allocator;
    jc_status status = jc_walk_create(p->walk.graph, query, &p->walk);
    if (status) return status;
    const jc_walk *w = &p->walk;
    p->there = jc_paths_stay(p) ? w->empty_path : jc_paths_source(p) >= 0 && jc_paths_target(p) >= 0;
    int64_t longest = jc_min(w->n_nodes, w->graph->n_variables) - 1; /* a path meets a variable once */
    p->max_length = p->there && !jc_paths_stay(p) ? longest : 0;
    if ((status = jc_walk_out_edges(a, w, &p->start, &p->out))) return status;
    if ((status = jc_alloc(a, p->max_length, sizeof *p->edge, "a path", &p->edge))) return status;
    return jc_alloc(a, p->max_length, sizeof *p->at, "a path", &p->at);
}

jc_status jc_paths_create(const jc_graph *g, const jc_query *query, jc_paths **paths)
{
    jc_paths *p;
    jc_query q;
    jc_status status = jc_query_check(g, query, &q);
    if (!status && (q.n_of != 1 || q.n_wrt != 1 || q.seed != JC_SEED_NONE || q.per_sample > 1))
        status = jc_fail(JC_E_USAGE, "paths are between one target and one source, without seed and samples");
    if (!status) status = jc_alloc_zero(&g->allocator, 1, sizeof *p, WHAT, &p);
    if (status) return status;
    p->allocator = g->allocator;
    p->walk.graph = g;
    status = build(p, &q);
    if (status)
        jc_paths_destroy(p);
    else
        *paths = p;
    return status;
}

void jc_paths_destroy(jc_paths *p)
{
    if (!p) return;
    jc_allocator a = p->allocator;
    jc_free(&a, p->start, p->walk.n_nodes + 1, sizeof *p->start);
    jc_free(&a, p->out, p->walk.n_edges, sizeof *p->out);
    jc_free(&a, p->edge, p->max_length, sizeof *p->edge);
    jc_free(&a, p->at, p->max_length, sizeof *p->at);
    jc_free(&a, p->count, p->count_bytes, 1);
    jc_walk_fini(&a, &p->walk);
    jc_free(&a, p, 1, sizeof *p);
}

/* ---- listing ----------------------------------------------------------------------------------------------------- */

/* Takes edge out[at] as number i of the path; returns the node it leads to. */
static int64_t take(jc_paths *p, int64_t i, int64_t at)
{
    p->at[i] = at;
    p->edge[i] = p->walk.edge[p->out[at]];
    return p->walk.of[p->out[at]];
}

/* Goes on from v by the first edge of each node until the target. */
static void descend(jc_paths *p, int64_t v)
{
    while (v != jc_paths_target(p)) v = take(p, p->length++, p->start[v]);
}

/* Takes the next edge at the last node that has one; false: the path was the last. */
static bool advance(jc_paths *p)
{
    while (p->length) {
        int64_t i = p->length - 1, v = p->walk.wrt[p->out[p->at[i]]];
        if (p->at[i] + 1 < p->start[v + 1]) {
            descend(p, take(p, i, p->at[i] + 1));
            return true;
        }
        p->length = i;
    }
    return false;
}

int jc_paths_next(jc_paths *p, const int64_t **edges, int64_t *n_edges)
{
    if (p->done || !p->there) return 0;
    if (!p->begun && !jc_paths_stay(p))
        descend(p, jc_paths_source(p));
    else if (p->begun && !advance(p))
        p->done = true;
    p->begun = true;
    if (p->done) return 0;
    *edges = p->edge;
    *n_edges = p->length;
    return 1;
}
