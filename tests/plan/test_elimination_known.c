/* Orders of elimination against published numbers: small graphs whose best orders are known, derivative codes with the
 * costs that others found, and matrix-free chains with their optimum. */
#include <criterion/criterion.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "plan/cases.h"
#include "plan/elimination/search.h"
#include "support/compute.h"
#include "support/expected.h"
#include "support/sanitized.h"

static int64_t find_all(const jc_graph *graph, json_t *names, int64_t *variables, int64_t capacity)
{
    size_t n = json_array_size(names);
    cr_assert_leq((int64_t)n, capacity);
    for (size_t i = 0; i < n; i++)
        variables[i] = jc_graph_find_variable(graph, json_string_value(json_array_get(names, i)));
    return (int64_t)n;
}

/* A document of tests/data/elimination and its query. */
static jc_graph *known_case(const char *name, json_t *entry, jt_case *c)
{
    char path[512];
    int64_t of[32], wrt[32];
    jc_graph *graph = NULL;
    jc_query q = JC_QUERY_INIT;
    snprintf(path, sizeof path, "%s/elimination/%s.json", JC_TEST_DATA, name);
    jt_ok(jc_graph_load(path, NULL, &graph), path);
    q.of = of, q.n_of = find_all(graph, json_object_get(entry, "of"), of, 32);
    q.wrt = wrt, q.n_wrt = find_all(graph, json_object_get(entry, "wrt"), wrt, 32);
    jt_case_init(c, graph, &q);
    return graph;
}

static int64_t elimination_cost(const jt_case *c)
{
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e;
    bool found;
    if (JT_SANITIZED) options.work = 2000000;
    jt_ok(jc_elimination_create(c->graph, &c->subgraph, &options, &found, &e), "elimination");
    cr_assert(found);
    int64_t cost = e.cost;
    jc_elimination_fini(&c->graph->allocator, &e);
    return cost;
}

/* What must be reached within the default work; where an optimum is proved, neither more nor less. */
static const struct {
    const char *name;
    int64_t most;
} limits[] = {{"RoeFlux_1d", 300}, {"RobotArm_6DOF", 221}, {"HumanHeartDipole", 148}, {"PropaneCombustion", 88}};

static int64_t limit_of(const char *name)
{
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++)
        if (strcmp(limits[i].name, name) == 0) return limits[i].most;
    return -1;
}

Test(elimination_known, orders_reach_what_is_published)
{
    json_t *known = jt_json(JC_TEST_DATA "/elimination/known.json"), *entry;
    const char *name;
    int judged = 0;
    json_object_foreach(known, name, entry)
    {
        jt_case c;
        jc_graph *graph = known_case(name, entry, &c);
        int64_t cost = elimination_cost(&c), limit = limit_of(name);
        json_t *vertex = json_object_get(entry, "vertex");
        cr_expect_eq(c.forward_cost, json_integer_value(json_object_get(entry, "forward")), "%s", name);
        cr_expect_eq(c.reverse_cost, json_integer_value(json_object_get(entry, "reverse")), "%s", name);
        if (vertex) cr_expect_eq(cost, json_integer_value(vertex), "%s: %lld", name, (long long)cost);
        if (limit >= 0)
            cr_expect_leq(cost, limit, "%s: %lld, expected at most %lld", name, (long long)cost, (long long)limit);
        judged += vertex || limit >= 0;
        fprintf(stderr, "%s: forward %lld, reverse %lld, elimination %lld\n", name, (long long)c.forward_cost,
                (long long)c.reverse_cost, (long long)cost);
        jt_case_fini(&c);
        jc_graph_destroy(graph);
    }
    cr_assert_eq(judged, 10);
    json_decref(known);
}

/* Markowitz with ties taken late gives the published costs by itself. */
Test(elimination_known, markowitz_with_late_ties_costs_what_is_published)
{
    json_t *known = jt_json(JC_TEST_DATA "/elimination/known.json");
    for (size_t i = 1; i < sizeof limits / sizeof limits[0]; i++) {
        jt_case c;
        jc_pairs pairs;
        jc_adjacency a;
        int64_t order[256], cost, early;
        jc_graph *graph = known_case(limits[i].name, json_object_get(known, limits[i].name), &c);
        jc_greedy how = {JC_CHOICE_MARKOWITZ, JC_TIE_LATE, false, false, 0};
        jt_ok(jc_pairs_create(graph, &c.subgraph, -1, &pairs), "pairs");
        jt_ok(jc_adjacency_init(&a, &pairs), "adjacency");
        jt_ok(jc_greedy_order(&a, &how, order, &cost), "greedy");
        cr_expect_eq(cost, limits[i].most, "%s: %lld", limits[i].name, (long long)cost);
        how.tie = JC_TIE_EARLY;
        jt_ok(jc_greedy_order(&a, &how, order, &early), "greedy");
        fprintf(stderr, "%s: Markowitz early %lld\n", limits[i].name, (long long)early);
        jc_adjacency_fini(&a);
        jc_pairs_fini(&pairs);
        jt_case_fini(&c);
        jc_graph_destroy(graph);
    }
    json_decref(known);
}

/* A chain of factors [n, m, E], the first nearest the source: an m x n operator of E multiply-adds a column or row. */
static jc_graph *chain_graph(json_t *chain)
{
    jc_graph *graph;
    size_t n = json_array_size(chain);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (size_t i = 0; i <= n; i++) {
        char name[32];
        int64_t number;
        snprintf(name, sizeof name, "x%zu", i);
        json_t *factor = json_array_get(chain, i < n ? i : n - 1);
        jt_ok(jc_graph_add_variable(graph, name, json_integer_value(json_array_get(factor, i < n ? 0 : 1)), &number),
              name);
    }
    for (size_t i = 0; i < n; i++) {
        jc_jacobian op = JC_JACOBIAN_INIT(JC_OPERATOR);
        int64_t cost = json_integer_value(json_array_get(json_array_get(chain, i), 2));
        op.op = (jc_operator){NULL, NULL, cost, cost, cost};
        jt_ok(jc_graph_add_edge(graph, (int64_t)i + 1, (int64_t)i, &op, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

/* The cost of an elimination beside a plan of sweeps. */
static int64_t plan_cost(const jc_graph *graph, const jc_query *q)
{
    jc_plan *plan;
    int64_t cost = -7;
    jt_ok(jc_plan_create(graph, q, &plan), "plan");
    jt_ok(jc_plan_elimination_cost(plan, &cost), "cost");
    jc_plan_destroy(plan);
    return cost;
}

/* Generalized Jacobian chains: Naumann's published draws with their optimum on one thread. */
Test(elimination_known, matrix_free_chains_cost_their_published_optimum)
{
    FILE *f = fopen(JC_TEST_DATA "/chains.jsonl", "r");
    char line[4096];
    int chains = 0;
    cr_assert(f);
    while (fgets(line, sizeof line, f)) {
        json_t *entry = json_loads(line, 0, NULL), *chain = json_object_get(entry, "chain");
        cr_assert(chain, "line %d", chains + 1);
        jc_graph *graph = chain_graph(chain);
        jc_query q = JC_QUERY_INIT;
        int64_t wrt = 0, of = (int64_t)json_array_size(chain);
        q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
        jt_case c;
        jt_case_init(&c, graph, &q);
        cr_expect_eq(c.forward_cost, json_integer_value(json_object_get(entry, "tangent")), "line %d", chains + 1);
        cr_expect_eq(c.reverse_cost, json_integer_value(json_object_get(entry, "adjoint")), "line %d", chains + 1);
        int64_t optimum = json_integer_value(json_object_get(entry, "optimum"));
        cr_expect_eq(elimination_cost(&c), optimum, "line %d", chains + 1);
        cr_expect_eq(plan_cost(graph, &q), optimum, "line %d", chains + 1);
        jt_case_fini(&c);
        jc_graph_destroy(graph);
        json_decref(entry);
        chains++;
    }
    fclose(f);
    cr_assert_eq(chains, 200);
}
