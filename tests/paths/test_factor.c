/* The forms of totals as lists of products: what they cost, and where the sum over paths is not written out. What the
 * formulas say is the business of tests/cli/test_factor_random.c. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "graph/edge_set.h"
#include "paths/factor.h"
#include "paths/help.h"
#include "rules/query.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"
#include "support/sanitized.h"

/* One pair of a graph under at most one rule. */
typedef struct pair {
    int64_t of, wrt, variables[2];
    jc_rule rule;
    jc_query query; /* points into the others: do not copy */
} pair;

static void pair_init(pair *p, const jt_graph *g, jt_rng *rng)
{
    jc_query empty = JC_QUERY_INIT;
    p->of = jt_below(rng, g->n_variables), p->wrt = jt_below(rng, g->n_variables);
    p->variables[0] = jt_below(rng, g->n_variables);
    p->variables[1] = (p->variables[0] + 1) % g->n_variables;
    p->rule = (jc_rule){.kind = jt_below(rng, 2) ? JC_RULE_THROUGH : JC_RULE_AVOID, .variables = p->variables};
    p->rule.n_variables = p->variables[0] == p->variables[1] ? 1 : 1 + jt_below(rng, 2);
    p->query = empty;
    p->query.of = &p->of, p->query.n_of = 1, p->query.wrt = &p->wrt, p->query.n_wrt = 1;
    p->query.rules = &p->rule, p->query.n_rules = jt_below(rng, 2);
}

static jc_walk walk_of(const jc_graph *graph, const jc_query *query)
{
    jc_query checked;
    jc_walk walk;
    jt_ok(jc_query_check(graph, query, &checked), "the query");
    jt_ok(jc_walk_create(graph, &checked, &walk), "a walk");
    return walk;
}

static int64_t sweep_cost(const jc_graph *graph, const jc_query *query, jc_order order)
{
    jc_walk walk = walk_of(graph, query);
    jc_factor factor;
    jt_ok(jc_factor_create(&walk, order, &factor), "a factored form");
    int64_t cost = factor.multiply_adds;
    jc_factor_fini(&graph->allocator, &factor);
    jc_walk_fini(&graph->allocator, &walk);
    return cost;
}

Test(factor, costs_of_the_sweeps_are_those_of_the_plan)
{
    int64_t n_rules = 0, n_different = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(400); seed++) {
        jt_graph g;
        jt_rng rng = {seed};
        jt_graph_options options = {.seed = seed, .max_paths = 600};
        jt_graph_random(&options, &g);
        for (int i = 0; i < 6; i++) {
            pair p;
            jc_plan *plan;
            jc_plan_info info = {.struct_size = sizeof info};
            pair_init(&p, &g, &rng);
            jt_ok(jc_plan_create(g.graph, &p.query, &plan), "a plan");
            jt_ok(jc_plan_get_info(plan, &info), "its costs");
            cr_assert_eq(sweep_cost(g.graph, &p.query, JC_ORDER_REVERSE), info.reverse_cost, "seed %d", (int)seed);
            cr_assert_eq(sweep_cost(g.graph, &p.query, JC_ORDER_FORWARD), info.forward_cost, "seed %d", (int)seed);
            n_rules += p.query.n_rules && info.edges;
            n_different += info.reverse_cost != info.forward_cost;
            jc_plan_destroy(plan);
        }
        jt_graph_fini(&g);
    }
    cr_expect(n_rules > jt_cases(100) && n_different > jt_cases(200), "%d, %d", (int)n_rules, (int)n_different);
}

/* The products of one path after the other from the target's side, by the tests' own costs of edges. */
typedef struct tally {
    const jt_graph *g;
    int64_t cost, n;
} tally;

static void add_path(void *ctx, const int64_t *edges, int64_t n)
{
    tally *t = ctx;
    for (int64_t i = 0; i < n; i++) {
        const jt_edge *e = &t->g->edges[edges[i]];
        if (i || e->is_operator) t->cost += t->g->size[t->g->edges[edges[0]].of] * e->cost[JC_ADJOINT];
    }
    t->n++;
}

Test(factor, the_sum_over_paths_costs_every_product_on_its_own)
{
    int64_t n_paths = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(200); seed++) {
        jt_graph g;
        jt_rng rng = {seed};
        jt_graph_options options = {.seed = seed, .max_paths = 600};
        jt_graph_random(&options, &g);
        for (int i = 0; i < 6; i++) {
            pair p;
            jc_paths *paths;
            jc_factor_paths list;
            tally t = {.g = &g};
            pair_init(&p, &g, &rng);
            p.query.n_rules = 0;
            jt_each_path(&g, p.of, p.wrt, add_path, &t);
            jt_ok(jc_paths_create(g.graph, &p.query, &paths), "paths");
            jt_ok(jc_factor_paths_create(g.graph, paths, &list), "a list of paths");
            cr_assert(!list.too_many);
            cr_assert_eq(list.n, t.n, "seed %d", (int)seed);
            cr_assert_eq(list.multiply_adds, t.cost, "seed %d", (int)seed);
            n_paths += list.n;
            jc_factor_paths_fini(&g.graph->allocator, &list);
            jc_paths_destroy(paths);
        }
        jt_graph_fini(&g);
    }
    cr_expect_gt(n_paths, jt_cases(2000));
}

static jc_factor_paths list_of(const jc_graph *graph, int64_t of, int64_t wrt)
{
    jc_query q = JC_QUERY_INIT;
    jc_paths *paths;
    jc_factor_paths list;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    jt_ok(jc_paths_create(graph, &q, &paths), "paths");
    jt_ok(jc_factor_paths_create(graph, paths, &list), "a list of paths");
    jc_paths_destroy(paths);
    return list;
}

/* 1000 and 1001 parallel edges; a chain that is longer than what is written out; 9 diamonds are 512 paths, 10 are 1024.
 */
Test(factor, up_to_a_thousand_paths_are_listed)
{
    for (int64_t n = 999; n <= 1001; n++) {
        jt_scalars net = jt_scalars_of(2, NULL);
        for (int64_t i = 0; i < n; i++) jt_scalars_edge(&net, 1, 0);
        jt_scalars_finish(&net);
        jc_factor_paths list = list_of(net.graph, 1, 0);
        cr_expect_eq(list.too_many, n > 1000);
        cr_expect_eq(list.n, n > 1000 ? 0 : n);
        jc_factor_paths_fini(&net.graph->allocator, &list);
        jt_scalars_fini(&net);
    }
    for (int64_t diamonds = 9; diamonds <= 10; diamonds++) {
        jt_scalars net = jt_ladder(diamonds, NULL);
        jc_factor_paths list = list_of(net.graph, net.last, 0);
        cr_expect_eq(list.too_many, diamonds == 10);
        jc_factor_paths_fini(&net.graph->allocator, &list);
        jt_scalars_fini(&net);
    }
    for (int64_t n = JC_FACTOR_MOST_FACTORS; n <= JC_FACTOR_MOST_FACTORS + 1; n++) {
        jt_scalars net = jt_scalars_of(n + 1, NULL);
        for (int64_t i = 0; i < n; i++) jt_scalars_edge(&net, i + 1, i);
        jt_scalars_finish(&net);
        jc_factor_paths list = list_of(net.graph, n, 0);
        cr_expect_eq(list.too_many, n > JC_FACTOR_MOST_FACTORS);
        cr_expect_eq(list.n, n <= JC_FACTOR_MOST_FACTORS);
        jc_factor_paths_fini(&net.graph->allocator, &list);
        jt_scalars_fini(&net);
    }
}

/* Edges between the same two variables are found whatever stands between them in the order of edges. */
Test(factor, parallel_edges_are_marked)
{
    int64_t n_marked = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        jt_graph g;
        unsigned char *marks;
        jt_graph_options options = {.seed = seed, .max_paths = 600};
        jt_graph_random(&options, &g);
        jt_ok(jc_edges_mark_parallel(g.graph, &marks), "marks");
        for (int64_t a = 0; a < g.n_edges; a++) {
            int expected = 0;
            for (int64_t b = 0; b < g.n_edges; b++)
                expected |= a != b && g.edges[a].of == g.edges[b].of && g.edges[a].wrt == g.edges[b].wrt;
            cr_assert_eq(marks[a], expected, "seed %d edge %d", (int)seed, (int)a);
            n_marked += expected;
        }
        jc_free(&g.graph->allocator, marks, g.n_edges, 1);
        jt_graph_fini(&g);
    }
    cr_expect_gt(n_marked, 100);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static jc_status make_all(void *ctx)
{
    const jc_graph *graph = ((const jt_scalars *)ctx)->graph;
    const jc_allocator *a = &graph->allocator;
    int64_t of = ((const jt_scalars *)ctx)->last, wrt = 0;
    jc_query q = JC_QUERY_INIT, checked;
    jc_walk walk;
    jc_factor factor;
    jc_paths *paths;
    jc_factor_paths list;
    unsigned char *marks;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    jc_status status = jc_query_check(graph, &q, &checked);
    if (!status) status = jc_walk_create(graph, &checked, &walk);
    if (status) return status;
    for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_FORWARD && !status; order++) {
        status = jc_factor_create(&walk, (jc_order)order, &factor);
        if (!status) jc_factor_fini(a, &factor);
    }
    jc_walk_fini(a, &walk);
    if (!status) status = jc_edges_mark_parallel(graph, &marks);
    if (status) return status;
    jc_free(a, marks, jc_graph_edge_count(graph), 1);
    status = jc_paths_create(graph, &q, &paths);
    if (status) return status;
    status = jc_factor_paths_create(graph, paths, &list);
    jc_paths_destroy(paths);
    if (!status) jc_factor_paths_fini(a, &list);
    return status;
}

Test(factor, every_allocation_may_fail)
{
    failing_allocator state;
    jc_allocator allocator = failing_allocator_init(&state, -1);
    jt_scalars net = jt_ladder(4, &allocator);
    cr_expect_gt(failing_allocator_sweep(&state, "a formula", make_all, &net), 10);
    jt_scalars_fini(&net);
}
