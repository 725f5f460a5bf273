#include "paths/factor.h"

#include <stdlib.h>

#include "core/size.h"

static const char *const WHAT = "a formula";

/* rows times the Jacobian of an edge in that direction. A product with the identity is not formed, but an operator's
 * is. */
static int64_t product_cost(const jc_graph *g, int64_t edge, int64_t rows, jc_direction direction, bool identity)
{
    const jc_group *group = jc_graph_group(g, edge);
    if (identity && group->shape.kind != JC_OPERATOR) return 0;
    return jc_cost_mul(rows, jc_group_cost(group, edge - group->first_edge, direction));
}

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static void add_step(jc_factor *f, const jc_walk *w, jc_factor_step step, bool reverse)
{
    const jc_graph *g = w->graph;
    int64_t rows = jc_graph_size(g, w->variable[reverse ? step.of : step.wrt]);
    bool identity = step.via == (reverse ? step.of : step.wrt);
    int64_t cost = product_cost(g, step.edge, rows, reverse ? JC_ADJOINT : JC_TANGENT, identity);
    f->multiply_adds = jc_cost_add(f->multiply_adds, cost);
    f->steps[f->n_steps++] = step;
}

/* The terms of dT/dv for every v, from the target down: in two turns, the edges into the target and then the others. */
static jc_status sweep_back(jc_factor *f, const jc_walk *w)
{
    int64_t *start, *out, target = w->target[0];
    jc_status status = jc_walk_out_edges(&w->graph->allocator, w, &start, &out);
    if (status) return status;
    for (int64_t v = w->n_nodes; v-- > 0;)
        for (int turn = 0; turn < 2; turn++)
            for (int64_t k = start[v]; k < start[v + 1]; k++) {
                int64_t e = out[k], via = w->of[e];
                jc_factor_step step = {target, via, v, w->edge[e]};
                if ((via == target) == (turn == 0)) add_step(f, w, step, true);
            }
    jc_free(&w->graph->allocator, start, w->n_nodes + 1, sizeof *start);
    jc_free(&w->graph->allocator, out, w->n_edges, sizeof *out);
    return JC_OK;
}

/* The terms of dv/dS for every v, from the source up. */
static void sweep_ahead(jc_factor *f, const jc_walk *w)
{
    int64_t source = w->source[0];
    for (int64_t begin = 0, end; begin < w->n_edges; begin = end) {
        int64_t v = w->of[begin];
        for (end = begin; end < w->n_edges && w->of[end] == v;) end++;
        for (int turn = 0; turn < 2; turn++)
            for (int64_t e = begin; e < end; e++) {
                jc_factor_step step = {v, w->wrt[e], source, w->edge[e]};
                if ((step.via == source) == (turn == 0)) add_step(f, w, step, false);
            }
    }
}

jc_status jc_factor_create(const jc_walk *walk, jc_order order, jc_factor *factor)
{
    const jc_allocator *a = &walk->graph->allocator;
    jc_factor f = {.n_steps = 0};
    jc_status status = jc_alloc(a, walk->n_edges, sizeof *f.steps, WHAT, &f.steps);
    if (!status && order == JC_ORDER_FORWARD)
        sweep_ahead(&f, walk);
    else if (!status)
        status = sweep_back(&f, walk);
    if (status)
        jc_free(a, f.steps, walk->n_edges, sizeof *f.steps);
    else
        *factor = f;
    return status;
}

void jc_factor_fini(const jc_allocator *a, jc_factor *f)
{
    jc_free(a, f->steps, f->n_steps, sizeof *f->steps);
    *f = (jc_factor){.n_steps = 0};
}

/* ---- the sum over paths ------------------------------------------------------------------------------------------ */

static int64_t path_cost(const jc_graph *g, const int64_t *edges, int64_t n)
{
    int64_t cost = 0, rows = n ? jc_graph_size(g, jc_graph_of(g, edges[n - 1])) : 0;
    for (int64_t i = n; i-- > 0;) cost = jc_cost_add(cost, product_cost(g, edges[i], rows, JC_ADJOINT, i == n - 1));
    return cost;
}

/* The paths stand one after the other in list->edges, which has moved while it grew. */
static jc_status point_to_edges(const jc_allocator *a, jc_factor_paths *list, const jc_vec *lengths)
{
    int64_t at = 0;
    jc_status status = jc_alloc(a, lengths->count, sizeof *list->paths, WHAT, &list->paths);
    if (status) return status;
    list->n = lengths->count;
    for (int64_t i = 0; i < list->n; i++) {
        int64_t n = ((const int64_t *)lengths->data)[i];
        list->paths[i] = (jc_factor_path){(const int64_t *)list->edges.data + at, n};
        at += n;
    }
    return JC_OK;
}

static jc_status take_paths(const jc_graph *g, jc_paths *paths, jc_factor_paths *list, jc_vec *lengths)
{
    const jc_allocator *a = &g->allocator;
    const int64_t *edges;
    int64_t n;
    jc_status status = JC_OK;
    while (!status && jc_paths_next(paths, &edges, &n)) {
        list->too_many = lengths->count == JC_FACTOR_MOST_TERMS || n > JC_FACTOR_MOST_FACTORS - list->edges.count;
        if (list->too_many) return JC_OK;
        list->multiply_adds = jc_cost_add(list->multiply_adds, path_cost(g, edges, n));
        status = jc_vec_append(a, &list->edges, edges, n, WHAT);
        if (!status) status = jc_vec_append(a, lengths, &n, 1, WHAT);
    }
    return status ? status : point_to_edges(a, list, lengths);
}

jc_status jc_factor_paths_create(const jc_graph *g, jc_paths *paths, jc_factor_paths *list)
{
    jc_factor_paths made = {.edges = jc_vec_of(sizeof(int64_t))};
    jc_vec lengths = jc_vec_of(sizeof(int64_t));
    jc_status status = take_paths(g, paths, &made, &lengths);
    jc_vec_free(&g->allocator, &lengths);
    if (status || made.too_many) jc_vec_free(&g->allocator, &made.edges);
    if (!status) *list = made;
    return status;
}

void jc_factor_paths_fini(const jc_allocator *a, jc_factor_paths *list)
{
    jc_free(a, list->paths, list->n, sizeof *list->paths);
    jc_vec_free(a, &list->edges);
    *list = (jc_factor_paths){.n = 0};
}

/* ---- their order ------------------------------------------------------------------------------------------------- */

static int compare(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* back: the edge that groups is the first one, and the others are compared from the last one on. */
static int compare_paths(const jc_factor_path *a, const jc_factor_path *b, bool back)
{
    if (!a->n_edges || !b->n_edges) return compare(a->n_edges, b->n_edges);
    int order = compare(b->n_edges == 1, a->n_edges == 1);
    if (!order) order = compare(a->edges[back ? 0 : a->n_edges - 1], b->edges[back ? 0 : b->n_edges - 1]);
    if (!order) order = compare(a->n_edges, b->n_edges);
    for (int64_t i = 0; i < a->n_edges && !order; i++) {
        int64_t at = back ? a->n_edges - 1 - i : i;
        order = compare(a->edges[at], b->edges[at]);
    }
    return order;
}

static int by_last_factor(const void *a, const void *b)
{
    return compare_paths(a, b, true);
}

static int by_first_factor(const void *a, const void *b)
{
    return compare_paths(a, b, false);
}

void jc_factor_paths_group(jc_factor_paths *list, jc_order order)
{
    if (list->n)
        qsort(list->paths, (size_t)list->n, sizeof *list->paths,
              order == JC_ORDER_FORWARD ? by_first_factor : by_last_factor);
}
