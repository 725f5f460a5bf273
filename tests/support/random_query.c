#include "support/random_query.h"

/* Mostly of the half of the graph that lies towards the targets (sources), so that paths join them. */
static int64_t random_variables(jt_rng *rng, const jt_graph *g, bool late, int64_t *list)
{
    int64_t half = (g->n_variables + 1) / 2, first = late ? g->n_variables - half : 0;
    int64_t n = jt_between(rng, 1, JT_MAX_ENDS), found = 0;
    for (int64_t i = 0; i < 3 * n && found < n; i++) {
        int64_t v = jt_below(rng, 4) ? g->topological[first + jt_below(rng, half)] : jt_below(rng, g->n_variables),
                k = 0;
        while (k < found && list[k] != v) k++;
        if (k == found) list[found++] = v;
    }
    return found;
}

void jt_query_totals(jt_rng *rng, const jt_graph *graph, jt_query *q)
{
    q->query = (jc_query)JC_QUERY_INIT;
    q->query.of = q->of, q->query.wrt = q->wrt;
    q->query.n_of = random_variables(rng, graph, true, q->of);
    q->query.n_wrt = jt_below(rng, 5) ? random_variables(rng, graph, false, q->wrt) : 0;
    q->query.order = (jc_order)jt_below(rng, 4);
}

void jt_query_seeded(jt_rng *rng, const jt_graph *graph, jc_seed seed, jt_query *q)
{
    jt_query_totals(rng, graph, q);
    q->query.seed = seed;
    q->query.seed_width = jt_between(rng, 1, 5);
    if (seed == JC_SEED_ROWS) q->query.n_of = 1;
    if (seed == JC_SEED_COLUMNS && !q->query.n_wrt) q->query.n_wrt = random_variables(rng, graph, false, q->wrt);
    if (seed == JC_SEED_COLUMNS) q->query.n_wrt = 1;
}
