#include "run/split_terms.h"

#include <stdio.h>

#include "graph/derive.h"
#include "graph/edge_set.h"
#include "run/collect.h"

static const char *const WHAT = "the terms of a split";

/* The edges of local paths: none leads out of a variable of Z but S. */
static jc_status keep_local(const jc_graph *g, const jc_query *q, const int64_t *at, int64_t n_at, bool *keep)
{
    jc_edge_set named = {0};
    bool *inside = NULL;
    jc_status status = jc_alloc_zero(&g->allocator, g->n_variables, sizeof *inside, WHAT, &inside);
    if (!status) status = jc_edge_set_init(&named, g, q->edges, q->n_edges);
    for (int64_t i = 0; i < n_at && !status; i++) inside[at[i]] = at[i] != q->wrt[0];
    for (int64_t e = 0; e < g->n_edges && !status; e++)
        keep[e] = jc_edge_set_has(&named, e) && !inside[jc_graph_wrt(g, e)];
    jc_edge_set_fini(&named, g);
    jc_free(&g->allocator, inside, g->n_variables, sizeof *inside);
    return status;
}

/* The graph of the local paths with a variable beyond each z, joined by its left factor. */
static jc_status extended_graph(const jc_graph *g, const bool *keep, const int64_t *z, int64_t n_z,
                                const jc_array *left, int64_t *beyond, jc_graph **extended)
{
    jc_graph *x;
    jc_status status = jc_graph_derive(g, keep, &x);
    if (status) return status;
    for (int64_t i = 0; i < n_z && !status; i++) {
        char name[40];
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = left[i];
        snprintf(name, sizeof name, "term %lld", (long long)i);
        status = jc_graph_add_variable(x, name, left[i].dims[0], &beyond[i]);
        if (!status) status = jc_graph_add_edge(x, beyond[i], z[i], &j, NULL, 0);
    }
    if (!status) status = jc_graph_finish(x);
    if (status)
        jc_graph_destroy(x);
    else
        *extended = x;
    return status;
}

jc_status jc_split_evaluate_terms(const jc_graph *g, const jc_query *query, const int64_t *at, int64_t n_at,
                                  const int64_t *z, int64_t n_z, const jc_array *left,
                                  const jc_evaluate_options *options, jc_results **results)
{
    const jc_allocator *a = &g->allocator;
    jc_query q = JC_QUERY_INIT;
    bool *keep = NULL;
    int64_t *beyond = NULL;
    jc_graph *x = NULL;
    jc_status status = jc_alloc(a, g->n_edges, sizeof *keep, WHAT, &keep);
    if (!status) status = jc_alloc(a, n_z, sizeof *beyond, WHAT, &beyond);
    if (!status) status = keep_local(g, query, at, n_at, keep);
    if (!status) status = extended_graph(g, keep, z, n_z, left, beyond, &x);
    q.of = beyond, q.n_of = n_z, q.wrt = query->wrt, q.n_wrt = 1, q.order = query->order;
    if (!status) status = jc_evaluate(x, &q, options, results);
    if (!status)
        (*results)->graph = x;
    else
        jc_graph_destroy(x);
    jc_free(a, beyond, n_z, sizeof *beyond);
    jc_free(a, keep, g->n_edges, sizeof *keep);
    return status;
}
