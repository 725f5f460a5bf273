/* The sum of a split's terms held against the total. Both are roundings of one sum over paths:
 *   |sum of the terms - total| <= 2 gamma_n M
 * Where they have the left factors A_z = dT/dz in common, bit for bit, only the local paths differ,
 *   total = [dT/dS]local + sum over z of A_z [dz/dS]local,    M = the same of absolute values,
 * and n is what a local path is rounded at most. Otherwise M is the sum over all paths of the product of the |D| on the
 * path, and n what the sweeps over the whole graph, back and ahead, and a product with a seed round. */
#include <math.h>

#include "backend/reference/absolute.h"
#include "core/dtype.h"
#include "core/size.h"
#include "run/check.h"
#include "run/split.h"

static double entry(const jc_result *r, int64_t i, int64_t j)
{
    if (r->data) return jc_load_float(r->dtype, r->data, i * r->row_stride + j * r->col_stride);
    return r->kind == JC_RESULT_IDENTITY && i == j;
}

typedef struct roundings {
    double n, products; /* of a path: roundings, and products one after the other, at most */
} roundings;

/* Marks the variables of Z, but for the ends. */
static jc_status mark_cuts(const jc_split *s, const jc_graph *g, const int64_t *at, int64_t n_at, bool **cuts)
{
    jc_status status = jc_alloc_zero(&s->allocator, g->n_variables, sizeof **cuts, "marks of the variables", cuts);
    if (status) return status;
    for (int64_t i = 0; i < n_at; i++) (*cuts)[at[i]] = s->shared;
    (*cuts)[s->of] = (*cuts)[s->wrt] = false;
    return JC_OK;
}

/* Adds the most that a path of the sweep is rounded since it was at a variable marked:
 *   n(v) = the roundings of v's equation + the largest n(w) of the w it reads, where n(w) = 0 for those marked */
static jc_status follow(const jc_equations *eq, const bool *cuts, roundings *r)
{
    const jc_subgraph *g = &eq->plan->subgraph;
    int64_t *n, *products, most = 0, deepest = 0;
    jc_status status = jc_alloc_zero(eq->allocator, eq->n_nodes, sizeof *n, "roundings", &n);
    if (status) return status;
    status = jc_alloc_zero(eq->allocator, eq->n_nodes, sizeof *products, "roundings", &products);
    for (int64_t i = 0; i < eq->n_nodes && !status; i++) {
        int64_t v = eq->reverse ? eq->n_nodes - 1 - i : i;
        for (int64_t k = eq->start[v]; k < eq->start[v + 1]; k++) {
            int64_t from = jc_equations_from(eq, eq->edges[k]);
            if (g->variable[from] >= 0 && cuts[g->variable[from]]) continue;
            n[v] = jc_max(n[v], n[from]), products[v] = jc_max(products[v], products[from]);
        }
        n[v] = jc_cost_add(n[v], jc_cost_add(eq->roundings[v], JC_TERM_ROUNDINGS)), products[v]++;
        most = jc_max(most, n[v]), deepest = jc_max(deepest, products[v]);
    }
    r->n += (double)most, r->products += (double)deepest;
    if (!status) jc_free(eq->allocator, products, eq->n_nodes, sizeof *products);
    jc_free(eq->allocator, n, eq->n_nodes, sizeof *n);
    return status;
}

static jc_status add_roundings(const jc_graph *g, const jc_query *query, jc_order order, const bool *cuts, roundings *r)
{
    jc_query q = *query;
    jc_plan *plan;
    jc_equations eq;
    q.order = order;
    jc_status status = jc_plan_create(g, &q, &plan);
    if (status) return status;
    status = jc_equations_init(&eq, plan);
    if (!status) {
        status = follow(&eq, cuts, r);
        jc_equations_fini(&eq);
    }
    jc_plan_destroy(plan);
    return status;
}

static jc_status count_roundings(const jc_split *s, const jc_graph *g, const jc_query *query, const int64_t *at,
                                 int64_t n_at, roundings *r)
{
    bool *cuts;
    int64_t seed = 0;
    jc_status status = mark_cuts(s, g, at, n_at, &cuts);
    if (status) return status;
    *r = (roundings){JC_TERM_ROUNDINGS, 1};
    status = add_roundings(g, query, JC_ORDER_REVERSE, cuts, r);
    if (!status && !s->shared) status = add_roundings(g, query, JC_ORDER_FORWARD, cuts, r);
    jc_free(&s->allocator, cuts, g->n_variables, sizeof *cuts);
    for (int64_t i = 0; i < s->n_terms && !s->shared; i++)
        if (s->terms[i].variable >= 0) seed = jc_max(seed, jc_graph_size(g, s->terms[i].variable));
    r->n += (double)seed;
    return status;
}

/* 2 gamma_n, and the sum of the terms in double. */
static double bound_factor(const jc_split *s, const roundings *r)
{
    jc_roundoff roundoff = jc_roundoff_of(s->info.precision);
    double term = jc_roundoff_bound(&roundoff, r->n, r->products), sum = jc_gamma((double)s->n_terms + 1, 0x1p-53);
    return 2 * (term + sum * (1 + term));
}

jc_status jc_split_add_magnitude(jc_split *s, const jc_graph *g, const jc_query *query,
                                 const jc_evaluate_options *options)
{
    jc_results *results = NULL;
    jc_result m = {.data = NULL};
    jc_plan *plan;
    jc_status status = jc_plan_create(g, query, &plan);
    if (status) return status;
    bool on_device = jc_plan_edge_on_device(plan) >= 0; /* where absolute values cannot be formed */
    jc_plan_destroy(plan);
    if (!on_device) status = jc_evaluate_on(g, query, &jc_backend_absolute, options, &results);
    if (!status) status = jc_split_get_total(s, &m);
    if (!status && results) status = jc_results_get(results, 0, &m);
    for (int64_t i = 0; !status && i < m.rows; i++)
        for (int64_t j = 0; j < m.cols; j++) s->magnitude[i * m.cols + j] += on_device ? INFINITY : entry(&m, i, j);
    jc_results_destroy(results);
    return status;
}

static void judge_entries(jc_split *s, const jc_result *total, double factor)
{
    jc_distance d = {.largest = 0};
    double difference = 0;
    for (int64_t i = 0; i < total->rows; i++)
        for (int64_t j = 0; j < total->cols; j++) {
            double sum = 0, value = entry(total, i, j);
            for (int64_t k = 0; k < s->n_terms; k++) sum += entry(&s->terms[k].result, i, j);
            jc_distance_take(&d, sum, value, jc_forward_bound(factor, s->magnitude[i * total->cols + j]), i, j);
            double error = fabs(sum - value);
            if (!(error <= difference)) difference = isnan(difference) ? difference : error;
        }
    bool nothing = d.largest == 0;
    s->info.difference = nothing && difference == 0 ? 0 : difference / d.largest;
    s->info.bound = nothing && d.loosest == 0 ? 0 : d.loosest / d.largest;
    s->info.verdict = jc_distance_verdict(&d);
}

jc_status jc_split_judge(jc_split *s, const jc_graph *g, const jc_query *query, const int64_t *at, int64_t n_at)
{
    jc_result total;
    roundings r;
    jc_status status = jc_split_get_total(s, &total);
    if (!status) status = count_roundings(s, g, query, at, n_at, &r);
    if (!status) judge_entries(s, &total, bound_factor(s, &r));
    return status;
}
