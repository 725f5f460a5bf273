#include "paths/distance.h"

#include "core/error.h"
#include "rules/query.h"
#include "rules/walk.h"

enum { NONE = -1 };

/* from[v]: of a node to the target's. Edges are sorted by the node that they lead to, so that taken from the last one
 * on this node has its distance already. */
static void measure(const jc_walk *w, int64_t *from)
{
    for (int64_t v = 0; v < w->n_nodes; v++) from[v] = v == w->target[0] ? 0 : NONE;
    for (int64_t k = w->n_edges - 1; k >= 0; k--) {
        int64_t far = from[w->of[k]] + 1, v = w->wrt[k];
        if (far > 0 && (from[v] == NONE || from[v] > far)) from[v] = far;
    }
}

static int64_t source_distance(const jc_walk *w, int64_t i, const int64_t *from)
{
    if (w->source_variable[i] == w->target_variable[0]) return w->empty_path ? 0 : NONE;
    return w->source[i] < 0 ? NONE : from[w->source[i]];
}

jc_status jc_distances(const jc_graph *g, const jc_query *query, int64_t *distance)
{
    int64_t *from = NULL;
    jc_query q;
    jc_walk walk;
    jc_status status = jc_query_check(g, query, &q);
    if (!status) status = jc_walk_create(g, &q, &walk);
    if (status) return status;
    status = jc_alloc(&g->allocator, walk.n_nodes, sizeof *from, "distances", &from);
    if (!status) {
        measure(&walk, from);
        for (int64_t i = 0; i < q.n_wrt; i++) distance[i] = source_distance(&walk, i, from);
    }
    jc_free(&g->allocator, from, walk.n_nodes, sizeof *from);
    jc_walk_fini(&g->allocator, &walk);
    return status;
}
