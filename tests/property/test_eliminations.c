/* Totals of random graphs by elimination, in random orders, against their definition: the sum over all paths. */
#include <criterion/criterion.h>
#include <math.h>

#include "plan/plan.h"
#include "support/compute.h"
#include "support/judge.h"
#include "support/oracle.h"
#include "support/random_query.h"

enum { SEEDS = 600 };

static const double largest_exact = 0x1p23; /* sums below stay exact in f32 */

/* Vertices of the query, in an order drawn at random. */
static jc_vertex *random_order(jt_pool *pool, jt_rng *rng, const jt_graph *g, const jc_query *query, int64_t *n)
{
    jc_plan *plan;
    jt_ok(jc_plan_create_limited(g->graph, query, 0, INT64_MAX, &plan), "an order of elimination");
    jt_ok(jc_plan_vertices(plan, NULL, 0, n), "vertices");
    jc_vertex *order = jt_alloc(pool, *n + 1, sizeof *order);
    jt_ok(jc_plan_vertices(plan, order, *n, n), "vertices");
    for (int64_t i = *n - 1; i > 0; i--) {
        int64_t k = jt_below(rng, i + 1);
        jc_vertex v = order[i];
        order[i] = order[k], order[k] = v;
    }
    jc_plan_destroy(plan);
    return order;
}

static void check_integers(uint64_t seed, jt_numbers numbers)
{
    jt_graph g;
    jt_graph_options options = {.seed = seed, .max_paths = 600, .numbers = numbers};
    if (seed % 2) options.samples = 2 + (int64_t)(seed / 2 % 3); /* every Jacobian is in blocks */
    if (numbers == JT_SMALL) options.largest = largest_exact;
    jt_graph_random(&options, &g);
    jt_backend backends[JT_MAX_BACKENDS];
    int n = numbers == JT_SMALL ? jt_backends(backends) : (jt_backends(backends), 1);
    jt_rng rng = {seed};
    jt_query q;
    jt_query_totals(&rng, &g, &q);
    q.query.order = JC_ORDER_ELIMINATION;
    q.query.eliminate = random_order(&g.pool, &rng, &g, &q.query, &q.query.n_eliminate);
    for (int b = 0; b < n; b++) {
        if (numbers == JT_SMALL && !jt_is_exact_up_to(&backends[b], largest_exact)) continue;
        jt_results results = jt_compute(&g.pool, g.graph, &q.query, &backends[b], NULL);
        for (int64_t i = 0; i < results.n; i++) jt_expect_path_sum(&g, &results.result[i], seed, backends[b].name);
    }
    jt_graph_fini(&g);
}

Test(eliminations, small_integer_totals_are_the_path_sums_bit_for_bit_in_any_order)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        if (jt_in_sample(seed)) check_integers(seed, JT_SMALL);
}

Test(eliminations, wide_integer_totals_are_the_path_sums_modulo_a_prime_in_any_order)
{
    for (uint64_t seed = 10000; seed < 10000 + SEEDS; seed++)
        if (jt_in_sample(seed)) check_integers(seed, JT_WIDE);
}
