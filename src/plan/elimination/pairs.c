#include "plan/elimination/pairs.h"

#include <string.h>

#include "core/size.h"
#include "core/sort.h"
#include "plan/elimination/alike.h"
#include "plan/sweep.h"

int64_t jc_pair_entries(const jc_pairs *p, int64_t of, int64_t wrt)
{
    return jc_cost_mul(p->subgraph->size[of], p->subgraph->size[wrt]);
}

static jc_status allocate(jc_pairs *p)
{
    const jc_allocator *a = p->allocator;
    const char *what = "the graph of an elimination";
    int64_t n = p->n_nodes, m = p->n_edges;
    jc_status status;
    if ((status = jc_alloc_zero(a, n, sizeof *p->is_target, what, &p->is_target))) return status;
    if ((status = jc_alloc_zero(a, n, sizeof *p->is_source, what, &p->is_source))) return status;
    if ((status = jc_alloc(a, m, sizeof *p->edge_cost, what, &p->edge_cost))) return status;
    if ((status = jc_alloc_zero(a, m, sizeof *p->pairs, what, &p->pairs))) return status;
    if ((status = jc_alloc(a, m, sizeof *p->edges, what, &p->edges))) return status;
    if ((status = jc_alloc(a, n + 1, sizeof *p->in_start, what, &p->in_start))) return status;
    if ((status = jc_alloc(a, n + 1, sizeof *p->out_start, what, &p->out_start))) return status;
    if ((status = jc_alloc(a, m, sizeof *p->out, what, &p->out))) return status;
    return jc_alloc(a, n, sizeof *p->inner, what, &p->inner);
}

static void mark_ends(jc_pairs *p)
{
    const jc_subgraph *g = p->subgraph;
    for (int64_t t = 0; t < g->n_targets; t++)
        if (g->target[t] >= 0) p->is_target[g->target[t]] = true;
    for (int64_t s = 0; s < g->n_sources; s++)
        if (g->source[s] >= 0) p->is_source[g->source[s]] = true;
}

static jc_edge_cost edge_cost(const jc_graph *graph, const jc_subgraph *g, int64_t edge, int64_t tape_limit)
{
    int64_t member;
    const jc_group *group = jc_subgraph_jacobian(graph, g, g->jacobian[edge], &member);
    jc_edge_cost cost = {jc_group_cost(group, member, JC_TANGENT), jc_group_cost(group, member, JC_ADJOINT),
                         group->shape.kind == JC_OPERATOR};
    if (cost.is_operator && tape_limit >= 0 && group->op.edges > tape_limit)
        *(group->shape.transpose ? &cost.tangent : &cost.adjoint) = INT64_MAX; /* the adjoint of its callback */
    return cost;
}

/* min(n t, m a): an operator's matrix from n tangents or m adjoints. */
static int64_t convert_cost(const jc_subgraph *g, int64_t edge, const jc_edge_cost *cost)
{
    return jc_min(jc_cost_mul(g->size[g->wrt[edge]], cost->tangent), jc_cost_mul(g->size[g->of[edge]], cost->adjoint));
}

static void add_to_pair(jc_pairs *p, jc_pair *pair, int64_t edge)
{
    const jc_edge_cost *cost = &p->edge_cost[edge];
    pair->n_edges++;
    if (!cost->is_operator) {
        pair->explicit_cost = jc_cost_add(pair->explicit_cost, cost->tangent);
        return;
    }
    pair->tangent = jc_cost_add(pair->tangent, cost->tangent);
    pair->adjoint = jc_cost_add(pair->adjoint, cost->adjoint);
    pair->convert = jc_cost_add(pair->convert, convert_cost(p->subgraph, edge, cost));
    p->has_operators = true;
}

/* Edges stand by `of`: pair_of [n_nodes] is the last pair from each node, pair_number [n_edges] each edge's pair. */
static void join(jc_pairs *p, int64_t *pair_of, int64_t *pair_number)
{
    const jc_subgraph *g = p->subgraph;
    for (int64_t v = 0; v < p->n_nodes; v++) pair_of[v] = -1;
    for (int64_t e = 0; e < p->n_edges; e++) {
        int64_t last = pair_of[g->wrt[e]];
        if (last < 0 || p->pairs[last].of != g->of[e]) {
            last = pair_of[g->wrt[e]] = p->n_pairs++;
            p->pairs[last].of = g->of[e], p->pairs[last].wrt = g->wrt[e];
        }
        add_to_pair(p, &p->pairs[last], e);
        pair_number[e] = last;
    }
}

/* in_start, out_start, out and the pairs' first edges, once the pairs are known. pair_number is written over. */
static jc_status index_pairs(jc_pairs *p, int64_t *pair_number)
{
    jc_status status = jc_sort_by_key(p->allocator, pair_number, p->n_pairs, NULL, p->n_edges, p->edges, NULL);
    if (status) return status;
    int64_t first = 0, k = 0;
    for (int64_t v = 0; v <= p->n_nodes; v++) {
        while (k < p->n_pairs && p->pairs[k].of < v) k++;
        p->in_start[v] = k;
    }
    for (int64_t i = 0; i < p->n_pairs; i++) {
        p->pairs[i].first_edge = first, first += p->pairs[i].n_edges;
        pair_number[i] = p->pairs[i].wrt;
    }
    return jc_sort_by_key(p->allocator, pair_number, p->n_nodes, NULL, p->n_pairs, p->out, p->out_start);
}

static void list_inner(jc_pairs *p)
{
    for (int64_t v = 0; v < p->n_nodes; v++)
        if (p->in_start[v] < p->in_start[v + 1] && p->out_start[v] < p->out_start[v + 1]) p->inner[p->n_inner++] = v;
}

jc_status jc_pairs_create(const jc_graph *graph, const jc_subgraph *g, int64_t tape_limit, jc_pairs *pairs)
{
    jc_pairs p = {.allocator = &graph->allocator, .subgraph = g, .n_nodes = g->n_nodes, .n_edges = g->n_edges};
    int64_t *pair_of = NULL, *pair_number = NULL;
    jc_status status = allocate(&p);
    if (!status) status = jc_alloc(p.allocator, p.n_nodes, sizeof *pair_of, "pairs of nodes", &pair_of);
    if (!status) status = jc_alloc(p.allocator, p.n_edges, sizeof *pair_number, "pairs of nodes", &pair_number);
    if (!status) {
        mark_ends(&p);
        for (int64_t e = 0; e < p.n_edges; e++) p.edge_cost[e] = edge_cost(graph, g, e, tape_limit);
        join(&p, pair_of, pair_number);
        status = index_pairs(&p, pair_number);
    }
    jc_free(p.allocator, pair_of, p.n_nodes, sizeof *pair_of);
    jc_free(p.allocator, pair_number, p.n_edges, sizeof *pair_number);
    if (status) {
        jc_pairs_fini(&p);
        return status;
    }
    list_inner(&p);
    *pairs = p;
    return JC_OK;
}

/* ---- structures -------------------------------------------------------------------------------------------------- */

int64_t jc_pair_held(const jc_pairs *p, int64_t pair)
{
    const jc_pair *at = &p->pairs[pair];
    return p->structures ? jc_structures_at(p->structures, at->structure)->entries
                         : jc_pair_entries(p, at->of, at->wrt);
}

/* Whether a Jacobian is dense whatever its numbers and indices are. */
static bool is_plainly_dense(const jc_group *group)
{
    const jc_shape *s = &group->shape;
    bool full =
        s->kind == JC_DENSE || s->kind == JC_LOW_RANK || s->kind == JC_OPERATOR || (s->rows == 1 && s->cols == 1);
    return full && s->batch == 1 && s->inner == 1;
}

static bool all_plainly_dense(const jc_graph *graph, const jc_pairs *p)
{
    int64_t member;
    for (int64_t e = 0; e < p->n_edges; e++)
        if (!is_plainly_dense(jc_subgraph_jacobian(graph, p->subgraph, p->subgraph->jacobian[e], &member)))
            return false;
    return true;
}

static jc_status edge_structure(const jc_graph *graph, jc_pairs *p, int64_t edge, jc_alike *alike, int32_t *structure)
{
    int64_t member;
    const jc_group *group = jc_subgraph_jacobian(graph, p->subgraph, p->subgraph->jacobian[edge], &member);
    return jc_alike_structure(alike, group, member, structure);
}

/* D = sum of its edges; with an operator dense. */
static jc_status pair_structure(const jc_graph *graph, jc_pairs *p, jc_pair *pair, jc_alike *alike)
{
    jc_status status = edge_structure(graph, p, p->edges[pair->first_edge], alike, &pair->structure);
    for (int64_t k = 1; k < pair->n_edges && !status; k++) {
        int32_t structure;
        status = edge_structure(graph, p, p->edges[pair->first_edge + k], alike, &structure);
        if (!status) status = jc_structures_sum(p->structures, pair->structure, structure, &pair->structure);
    }
    return status;
}

static bool all_dense(const jc_pairs *p)
{
    for (int64_t i = 0; i < p->n_pairs; i++)
        if (jc_structures_at(p->structures, p->pairs[i].structure)->kind != JC_STRUCTURE_DENSE) return false;
    return true;
}

jc_status jc_pairs_find_structures(const jc_graph *graph, jc_pairs *p)
{
    if (all_plainly_dense(graph, p)) return JC_OK;
    jc_status status = jc_structures_create(p->allocator, &p->structures);
    if (!status && p->pattern_work) jc_structures_limit(p->structures, p->pattern_work);
    jc_alike alike = jc_alike_init(p->allocator, p->structures);
    for (int64_t i = 0; i < p->n_pairs && !status; i++) status = pair_structure(graph, p, &p->pairs[i], &alike);
    jc_alike_fini(&alike);
    if (!status && !all_dense(p)) return JC_OK;
    jc_structures_destroy(p->structures);
    p->structures = NULL;
    return status;
}

void jc_pairs_fini(jc_pairs *p)
{
    const jc_allocator *a = p->allocator;
    int64_t n = p->n_nodes, m = p->n_edges;
    jc_free(a, p->is_target, n, sizeof *p->is_target);
    jc_free(a, p->is_source, n, sizeof *p->is_source);
    jc_free(a, p->edge_cost, m, sizeof *p->edge_cost);
    jc_free(a, p->pairs, m, sizeof *p->pairs);
    jc_free(a, p->edges, m, sizeof *p->edges);
    jc_free(a, p->in_start, n + 1, sizeof *p->in_start);
    jc_free(a, p->out_start, n + 1, sizeof *p->out_start);
    jc_free(a, p->out, m, sizeof *p->out);
    jc_free(a, p->inner, n, sizeof *p->inner);
    jc_structures_destroy(p->structures);
    memset(p, 0, sizeof *p);
}
