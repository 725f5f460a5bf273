#include "run/segments.h"

#include <math.h>

#include "core/error.h"
#include "core/size.h"
#include "core/sort.h"

static const char *const WHAT = "the segments of a chain";

bool jc_plan_is_deep(const jc_plan *plan)
{
    enum { DEEP = 64, NARROW = 2 };
    const jc_subgraph *g = &plan->subgraph;
    if (g->n_targets != 1 || g->n_sources != 1 || plan->n_levels < DEEP) return false;
    return plan->n_values <= NARROW * plan->n_levels;
}

/* Every second of the vertices that are left, until none is. order: [n] positions along the chain. */
static void cut_in_halves(int64_t *left, int64_t n, int64_t *order)
{
    int64_t placed = 0;
    while (n > 0) {
        int64_t kept = 0;
        for (int64_t i = 0; i < n; i++) {
            if (i % 2)
                left[kept++] = left[i];
            else
                order[placed++] = left[i];
        }
        n = kept;
    }
}

/* Of segments of `length` vertices all but the last one, then these from the target's end on. */
static void cut_in_segments(const int64_t *left, int64_t n, int64_t length, int64_t *order)
{
    int64_t placed = 0;
    for (int64_t i = 0; i < n; i++)
        if (i % length != length - 1) order[placed++] = left[i];
    for (int64_t i = n; i-- > 0;)
        if (i % length == length - 1) order[placed++] = left[i];
}

/* vertices: [n] as the plan eliminates them, then as they are cut. */
static jc_status cut(const jc_plan *plan, jc_segments way, jc_vertex *vertices, int64_t n)
{
    const jc_allocator *a = &plan->allocator;
    int64_t *places, length = (int64_t)sqrt((double)n) + 1;
    jc_vertex *found;
    jc_status status = jc_alloc(a, 2 * n, sizeof *places, WHAT, &places);
    if (status) return status;
    /* along the chain nodes are numbered from the source on */
    status = jc_sort_by_key(a, plan->eliminated, plan->subgraph.n_nodes, NULL, n, places, NULL);
    if (!status) status = jc_alloc(a, n, sizeof *found, WHAT, &found);
    if (!status) {
        int64_t *order = places + n;
        for (int64_t i = 0; i < n; i++) found[i] = vertices[i];
        if (way == JC_SEGMENTS_HALVES)
            cut_in_halves(places, n, order);
        else
            cut_in_segments(places, n, length, order);
        for (int64_t i = 0; i < n; i++) vertices[i] = found[order[i]];
        jc_free(a, found, n, sizeof *found);
    }
    jc_free(a, places, 2 * n, sizeof *places);
    return status;
}

jc_status jc_segments_order(const jc_graph *graph, const jc_query *query, jc_segments way, jc_vertex **vertices,
                            int64_t *n)
{
    jc_query q = *query;
    jc_plan *plan;
    int64_t count;
    q.order = JC_ORDER_ELIMINATION, q.eliminate = NULL, q.n_eliminate = 0;
    q.search_seconds = 1e-6; /* any order has the vertices */
    jc_status status = jc_plan_create_limited(graph, &q, 0, INT64_MAX, &plan);
    if (status) return status;
    int64_t all = plan->n_eliminated;
    *vertices = NULL;
    status = jc_alloc(&graph->allocator, all, sizeof **vertices, WHAT, vertices);
    if (!status) status = jc_plan_vertices(plan, *vertices, all, &count);
    /* every vertex that is eliminated has a name, but where nothing is */
    bool named = !status && plan->eliminates && count == all;
    if (named) status = cut(plan, way, *vertices, all);
    if (!status && !named) status = jc_fail(JC_E_USAGE, "there is no order of elimination to cut");
    if (status) jc_free(&graph->allocator, *vertices, all, sizeof **vertices);
    *n = all;
    jc_plan_destroy(plan);
    return status;
}
