#include "run/split_terms.h"

#include <stdio.h>

#include "backend/reference/absolute.h"
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

/* The local paths of a query, and what is joined to them. */
typedef struct extension {
    const jc_graph *graph;
    const jc_query *query;
    const int64_t *at; /* [n_at] */
    int64_t n_at;
    const int64_t *z; /* [n_z] */
    int64_t n_z;
    const jc_array *left; /* [n_z] */
    bool together;        /* one variable beyond all z, in place of one beyond each */
} extension;

/* The graph's own variables are named v0, v1, .. in it. */
static jc_status add_beyond(jc_graph *x, int64_t i, int64_t rows, int64_t *variable)
{
    char name[40];
    snprintf(name, sizeof name, "term %lld", (long long)i);
    return jc_graph_add_variable(x, name, rows, variable);
}

/* The graph of the local paths with variables beyond the z, joined to them by their left factors. */
static jc_status extended_graph(const extension *e, const bool *keep, int64_t *beyond, jc_graph **extended)
{
    jc_graph *x;
    jc_status status = jc_graph_derive(e->graph, keep, &x);
    if (status) return status;
    for (int64_t i = 0; i < e->n_z && !status; i++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = e->left[i];
        if (!j.values.data) j.values.rank = 0; /* all that is known of it is its shape */
        if (i == 0 || !e->together) status = add_beyond(x, i, e->left[i].dims[0], &beyond[i]);
        if (e->together) beyond[i] = beyond[0];
        if (!status) status = jc_graph_add_edge(x, beyond[i], e->z[i], &j, NULL, 0);
    }
    if (!status) status = jc_graph_finish(x);
    if (status)
        jc_graph_destroy(x);
    else
        *extended = x;
    return status;
}

/* Makes the graph, and calls work with it and the query of its terms. The graph is destroyed unless *x is taken. */
static jc_status with_extended(const extension *e, jc_status (*work)(void *ctx, jc_graph **x, const jc_query *terms),
                               void *ctx)
{
    const jc_allocator *a = &e->graph->allocator;
    jc_query q = JC_QUERY_INIT;
    bool *keep = NULL;
    int64_t *beyond = NULL;
    jc_graph *x = NULL;
    jc_status status = jc_alloc(a, e->graph->n_edges, sizeof *keep, WHAT, &keep);
    if (!status) status = jc_alloc(a, e->n_z, sizeof *beyond, WHAT, &beyond);
    if (!status) status = keep_local(e->graph, e->query, e->at, e->n_at, keep);
    if (!status) status = extended_graph(e, keep, beyond, &x);
    q.of = beyond, q.n_of = e->together ? 1 : e->n_z;
    q.wrt = e->query->wrt, q.n_wrt = 1, q.order = e->query->order;
    if (!status) status = work(ctx, &x, &q);
    jc_graph_destroy(x);
    jc_free(a, beyond, e->n_z, sizeof *beyond);
    jc_free(a, keep, e->graph->n_edges, sizeof *keep);
    return status;
}

typedef struct evaluation {
    const jc_evaluate_options *options;
    const jc_backend *backend; /* NULL: the one that the options name */
    jc_results **results;
} evaluation;

/* The results keep the graph. */
static jc_status evaluate(void *ctx, jc_graph **x, const jc_query *terms)
{
    const evaluation *e = ctx;
    jc_status status = jc_evaluate_on(*x, terms, e->backend, e->options, e->results);
    if (status) return status;
    (*e->results)->graph = *x;
    *x = NULL;
    return JC_OK;
}

static jc_status plan(void *ctx, jc_graph **x, const jc_query *terms)
{
    jc_plan_info info = {.struct_size = sizeof info};
    jc_plan *p = NULL;
    jc_status status = jc_plan_create(*x, terms, &p);
    if (!status) status = jc_plan_get_info(p, &info);
    jc_plan_destroy(p);
    *(int64_t *)ctx = info.multiply_adds;
    return status;
}

jc_status jc_split_evaluate_terms(const jc_graph *g, const jc_query *query, const int64_t *at, int64_t n_at,
                                  const int64_t *z, int64_t n_z, const jc_array *left,
                                  const jc_evaluate_options *options, jc_results **results)
{
    extension e = {g, query, at, n_at, z, n_z, left, false};
    evaluation v = {options, NULL, results};
    return with_extended(&e, evaluate, &v);
}

jc_status jc_split_plan_terms(const jc_graph *g, const jc_query *query, const int64_t *at, int64_t n_at,
                              const int64_t *z, int64_t n_z, const jc_array *left, int64_t *multiply_adds)
{
    extension e = {g, query, at, n_at, z, n_z, left, false};
    return with_extended(&e, plan, multiply_adds);
}

jc_status jc_split_absolute_terms(const jc_graph *g, const jc_query *query, const int64_t *at, int64_t n_at,
                                  const int64_t *z, int64_t n_z, const jc_array *left,
                                  const jc_evaluate_options *options, jc_results **results)
{
    extension e = {g, query, at, n_at, z, n_z, left, true};
    evaluation v = {options, &jc_backend_absolute, results};
    return with_extended(&e, evaluate, &v);
}
