/* The sum of a split's terms held against the total that was computed on its own. Both are roundings of one sum over
 * paths, in which no path is rounded more often than the sweeps over the whole graph, back and ahead, round it, than
 * the product with a seed does, and than the terms are added: |sum of the terms - total| <= 2 gamma_n M,    M = the sum
 * over all paths of the product of the |D| on the path
 */
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
    bool on_device;     /* a used edge has its numbers in device memory, where M cannot be formed */
} roundings;

/* Adds those of the sweep of that order. */
static jc_status add_roundings(const jc_graph *g, const jc_query *query, jc_order order, roundings *r)
{
    jc_query q = *query;
    jc_plan *plan;
    jc_equations eq;
    int64_t n = 0, products = 0;
    q.order = order;
    jc_status status = jc_plan_create(g, &q, &plan);
    if (status) return status;
    r->on_device = jc_plan_edge_on_device(plan) >= 0;
    status = jc_equations_init(&eq, plan);
    for (int64_t v = 0; v < plan->subgraph.n_nodes && !status; v++) {
        n = jc_max(n, eq.path[v]);
        products = jc_max(products, eq.products[v]);
    }
    r->n += (double)n, r->products += (double)products;
    if (!status) jc_equations_fini(&eq);
    jc_plan_destroy(plan);
    return status;
}

/* The factor of M: both sweeps one after the other, a product with a seed of the largest variable cut at, and the sum.
 */
static double bound_factor(const jc_split *s, const jc_graph *g, const roundings *r)
{
    jc_roundoff roundoff = jc_roundoff_of(s->info.precision);
    int64_t seed = 0;
    for (int64_t i = 0; i < s->n_terms; i++)
        if (s->terms[i].variable >= 0) seed = jc_max(seed, jc_graph_size(g, s->terms[i].variable));
    double term = jc_roundoff_bound(&roundoff, r->n + (double)seed + JC_TERM_ROUNDINGS, r->products + 1);
    double sum = jc_gamma((double)s->n_terms + 1, 0x1p-53);
    return 2 * (term + sum * (1 + term));
}

/* m NULL: there is no bound that says something. */
static void judge_entries(jc_split *s, const jc_result *total, const jc_result *m, double factor)
{
    jc_distance d = {.largest = 0};
    double difference = 0;
    for (int64_t i = 0; i < total->rows; i++)
        for (int64_t j = 0; j < total->cols; j++) {
            double sum = 0, value = entry(total, i, j);
            for (int64_t k = 0; k < s->n_terms; k++) sum += entry(&s->terms[k].result, i, j);
            jc_distance_take(&d, sum, value, m ? jc_forward_bound(factor, entry(m, i, j)) : INFINITY, i, j);
            double error = fabs(sum - value);
            if (!(error <= difference)) difference = isnan(difference) ? difference : error;
        }
    bool nothing = d.largest == 0;
    s->info.difference = nothing && difference == 0 ? 0 : difference / d.largest;
    s->info.bound = nothing && d.loosest == 0 ? 0 : d.loosest / d.largest;
    s->info.verdict = jc_distance_verdict(&d);
}

jc_status jc_split_judge(jc_split *s, const jc_graph *g, const jc_query *query, const jc_evaluate_options *options)
{
    jc_results *magnitudes = NULL;
    jc_result total, m = {.data = NULL};
    roundings r = {.n = 0};
    jc_status status = jc_split_get_total(s, &total);
    if (!status) status = add_roundings(g, query, JC_ORDER_REVERSE, &r);
    if (!status) status = add_roundings(g, query, JC_ORDER_FORWARD, &r);
    if (!status && !r.on_device) status = jc_evaluate_on(g, query, &jc_backend_absolute, options, &magnitudes);
    if (!status && magnitudes) status = jc_results_get(magnitudes, 0, &m);
    if (!status) judge_entries(s, &total, magnitudes ? &m : NULL, bound_factor(s, g, &r));
    jc_results_destroy(magnitudes);
    return status;
}
