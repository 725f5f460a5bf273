/* The sum of a split's terms held against the total. Both are roundings of one sum over paths:
 *   |sum of the terms - total| <= 2 gamma_n M
 * Where they have the left factors A_z = dT/dz in common, bit for bit, only the local paths differ,
 *   total = [dT/dS]local + sum over z of A_z [dz/dS]local,    M = the same of absolute values,
 * and n is what a local path is rounded at most. Otherwise M is the sum over all paths of the product of the |D| on the
 * path, and n what the sweeps over the whole graph, back and ahead, and a product with a seed round. */
#include <math.h>

#include "backend/reference/absolute.h"
#include "core/size.h"
#include "run/check.h"
#include "run/norm.h"
#include "run/split.h"

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
    int64_t left = 0;
    roundings back = {0, 0}, ahead = {0, 0};
    jc_status status = mark_cuts(s, g, at, n_at, &cuts);
    if (status) return status;
    status = add_roundings(g, query, JC_ORDER_REVERSE, cuts, &back);
    if (!status) status = add_roundings(g, query, JC_ORDER_FORWARD, cuts, &ahead);
    jc_free(&s->allocator, cuts, g->n_variables, sizeof *cuts);
    for (int64_t i = 0; i < s->n_terms; i++)
        if (s->terms[i].variable >= 0) left = jc_max(left, jc_graph_size(g, s->terms[i].variable));
    *r = (roundings){JC_TERM_ROUNDINGS + (double)left, 1};
    r->n += s->shared ? fmax(back.n, ahead.n) : back.n + ahead.n;
    r->products += s->shared ? fmax(back.products, ahead.products) : back.products + ahead.products;
    return status;
}

/* 2 gamma_n, and the sum of the terms in double. */
static double bound_factor(const jc_split *s, const roundings *r)
{
    jc_roundoff roundoff = jc_roundoff_of(s->info.precision);
    double term = jc_roundoff_bound(&roundoff, r->n, r->products), sum = jc_gamma((double)s->n_terms + 1, 0x1p-53);
    return 2 * (term + sum * (1 + term));
}

jc_status jc_split_take_magnitude(jc_split *s, const jc_results *results)
{
    jc_result m;
    jc_status status = results ? jc_results_get(results, 0, &m) : jc_split_get_total(s, &m);
    for (int64_t i = 0; !status && i < m.rows; i++)
        for (int64_t j = 0; j < m.cols; j++)
            s->magnitude[i * m.cols + j] += results ? jc_result_entry(&m, 0, i, j) : INFINITY;
    return status;
}

jc_status jc_split_add_magnitude(jc_split *s, const jc_graph *g, const jc_query *query,
                                 const jc_evaluate_options *options)
{
    jc_results *results = NULL;
    jc_plan *plan;
    jc_status status = jc_plan_create(g, query, &plan);
    if (status) return status;
    bool on_device = jc_plan_edge_on_device(plan) >= 0; /* where absolute values cannot be formed */
    jc_plan_destroy(plan);
    if (!on_device) status = jc_evaluate_on(g, query, &jc_backend_absolute, options, &results);
    if (!status) status = jc_split_take_magnitude(s, results);
    jc_results_destroy(results);
    return status;
}

/* One entry: the sum of the terms, and what adding them up is rounded to, were they and the total exact but for their
 * last rounding. */
typedef struct sum {
    double value, magnitude;
} sum;

static sum sum_terms(const jc_split *s, int64_t i, int64_t j)
{
    sum x = {0, 0};
    for (int64_t k = 0; k < s->n_terms; k++) {
        double term = jc_result_entry(&s->terms[k].result, 0, i, j);
        x.value += term, x.magnitude += fabs(term);
    }
    return x;
}

/* Terms that add up to the total to the rounding of adding them do so whatever is known of each. */
static void judge_entries(jc_split *s, const jc_result *total, double factor)
{
    jc_distance d = {.largest = 0};
    double difference = 0, largest_sum = 0, unit = s->info.precision == JC_PRECISION_F64 ? 0x1p-53 : 0x1p-24;
    double own = jc_gamma((double)s->n_terms + 2, unit);
    bool adds_up = true;
    for (int64_t i = 0; i < total->rows; i++)
        for (int64_t j = 0; j < total->cols; j++) {
            sum x = sum_terms(s, i, j);
            double value = jc_result_entry(total, 0, i, j), error = fabs(x.value - value);
            jc_distance_take(&d, x.value, value, jc_forward_bound(factor, s->magnitude[i * total->cols + j]), i, j);
            if (!(error <= difference)) difference = isnan(difference) ? difference : error;
            if (!(error <= own * (x.magnitude + fabs(value)))) adds_up = false;
            largest_sum = fmax(largest_sum, x.magnitude);
        }
    double scale = d.largest > 0 ? d.largest : largest_sum > 0 ? largest_sum : 1;
    s->info.difference = difference / scale;
    s->info.bound = d.loosest / scale;
    s->info.verdict = adds_up ? JC_PASSED : jc_distance_verdict(&d);
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
