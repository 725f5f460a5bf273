/* A beam through the walk: of the partial paths that come to a node the `width` of largest estimates are extended, node
 * by node. It proves nothing, and all that it meets is looked at by the search too; what it is for is large norms
 * early, where the bounds are not exact. */
#include "core/size.h"
#include "run/top_search.h"

static const char *const WHAT = "partial paths";

/* One heap a node, the worst first, at most `width` in each. */
typedef struct beam {
    jc_top_search *search;
    jc_heap *at; /* [n_nodes] */
    int64_t width;
} beam;

static jc_status take_in(void *ctx, int64_t partial)
{
    beam *b = ctx;
    jc_top_search *s = b->search;
    jc_heap *heap = &b->at[jc_top_node(s, partial)];
    jc_status status = jc_heap_push(&s->allocator, heap, partial, WHAT);
    if (!status && heap->items.count > b->width) jc_top_partial_release(s, jc_heap_pop(heap));
    return status;
}

static jc_status extend_all(beam *b, int64_t node)
{
    jc_heap *heap = &b->at[node];
    jc_status status = JC_OK;
    while (heap->items.count && !status) status = jc_top_extend(b->search, jc_heap_pop(heap), take_in, b);
    jc_vec_free(&b->search->allocator, &heap->items);
    return status;
}

/* How many partial paths a node may have: as many as keep within a part of the work and of the memory. */
static int64_t width_of(const jc_top_search *s)
{
    const jc_top_bounds *bounds = s->bounds;
    const jc_walk *w = bounds->walk;
    int64_t work = 0, bytes = 0;
    for (int64_t i = 0; i < w->n_edges; i++) work = jc_cost_add(work, jc_top_work(s, i));
    for (int64_t v = 0; v < w->n_nodes; v++) {
        int64_t numbers = jc_cost_mul(bounds->rows, jc_top_size(bounds, v));
        bytes = jc_cost_add(bytes, jc_cost_add(jc_cost_mul(numbers, sizeof(double)), sizeof(jc_partial)));
    }
    int64_t by_work =
        s->partial_limit ? s->partial_limit / 4 / jc_max(w->n_edges, 1) : s->work_limit / 4 / jc_max(work, 1);
    return jc_min(by_work, s->memory_limit / 4 / jc_max(bytes, 1));
}

/* Nodes are in topological order. */
static jc_status run(beam *b)
{
    jc_top_search *s = b->search;
    int64_t n = s->bounds->walk->n_nodes, first;
    for (int64_t v = 0; v < n; v++) b->at[v] = jc_heap_of(jc_top_listed_before, s);
    jc_status status = jc_top_partial_create(s, -1, -1, &first);
    if (!status) status = jc_heap_push(&s->allocator, &b->at[s->bounds->start], first, WHAT);
    for (int64_t i = 0; i < n && !status; i++) status = extend_all(b, s->bounds->forward ? i : n - 1 - i);
    for (int64_t v = 0; v < n; v++) jc_vec_free(&s->allocator, &b->at[v].items);
    return status;
}

jc_status jc_top_beam(jc_top_search *s)
{
    beam b = {.search = s, .width = width_of(s)};
    int64_t n = s->bounds->walk->n_nodes;
    if (b.width < 2) return JC_OK; /* as a dive */
    jc_status status = jc_alloc(&s->allocator, n, sizeof *b.at, WHAT, &b.at);
    if (status) return status;
    status = run(&b);
    jc_free(&s->allocator, b.at, n, sizeof *b.at);
    return status;
}
