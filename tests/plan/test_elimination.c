/* Orders of elimination and their operations on random graphs: costs against the sweeps and against all orders, totals
 * against the sum over paths. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "plan/cases.h"
#include "plan/elimination/replay.h"
#include "plan/elimination/search.h"
#include "support/compute.h"
#include "support/oracle.h"
#include "support/sanitized.h"

static void random_case(uint64_t seed, jt_graph *g, jt_case *c)
{
    jt_graph_options options = {.seed = seed, .numbers = JT_SMALL, .n_variables = seed % 8 ? 0 : 16, .max_paths = 300};
    jt_rng rng = {seed ^ 77};
    jt_query q;
    jt_graph_random(&options, g);
    if (seed % 3)
        jt_query_totals(&rng, g, &q);
    else
        jt_query_seeded(&rng, g, seed % 2 ? JC_SEED_ROWS : JC_SEED_COLUMNS, &q);
    jt_case_init(c, g->graph, &q.query);
}

static void drop_case(jt_graph *g, jt_case *c)
{
    jt_case_fini(c);
    jt_graph_fini(g);
}

/* Cost of the inner nodes in topological order, or against it, with the products of a sweep. */
static int64_t order_cost(const jt_case *c, bool reverse, jc_products products)
{
    jc_pairs p;
    jc_elimination e;
    int64_t order[64];
    jt_ok(jc_pairs_create(c->graph, &c->subgraph, -1, &p), "pairs");
    for (int64_t i = 0; i < p.n_inner; i++) order[i] = p.inner[reverse ? p.n_inner - 1 - i : i];
    jt_ok(jc_replay(&p, order, p.n_inner, products, &e), "replay");
    int64_t cost = e.cost;
    jc_elimination_fini(p.allocator, &e);
    jc_pairs_fini(&p);
    return cost;
}

Test(elimination, the_orders_of_the_sweeps_cost_what_the_sweeps_do)
{
    int64_t differ = 0, cheaper = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(1500); seed++) {
        jt_graph g;
        jt_case c;
        random_case(seed, &g, &c);
        int64_t reverse = order_cost(&c, true, JC_PRODUCTS_ADJOINT),
                forward = order_cost(&c, false, JC_PRODUCTS_TANGENT);
        cr_assert_eq(reverse, c.reverse_cost, "seed %d: reverse %lld, the sweep's %lld", (int)seed, (long long)reverse,
                     (long long)c.reverse_cost);
        cr_assert_eq(forward, c.forward_cost, "seed %d: forward %lld, the sweep's %lld", (int)seed, (long long)forward,
                     (long long)c.forward_cost);
        int64_t free_reverse = order_cost(&c, true, JC_PRODUCTS_FREE),
                free_forward = order_cost(&c, false, JC_PRODUCTS_FREE);
        cr_assert(free_reverse <= reverse && free_forward <= forward, "seed %d", (int)seed);
        differ += reverse != forward, cheaper += free_reverse < reverse;
        drop_case(&g, &c);
    }
    cr_assert(differ > 80 && cheaper > 20, "%lld differ, %lld cheaper", (long long)differ, (long long)cheaper);
}

Test(elimination, totals_are_the_sums_over_paths_and_costs_those_of_the_operations)
{
    int64_t cheaper = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(600); seed++) {
        jt_graph g;
        jt_case c;
        jc_elimination e;
        jc_elimination_options options = {.work = 200000, .seed = seed, .tape_limit = -1, .bound = -1};
        bool found;
        char what[32];
        snprintf(what, sizeof what, "seed %d", (int)seed);
        random_case(seed, &g, &c);
        jt_ok(jc_elimination_create(c.graph, &c.subgraph, &options, &found, &e), what);
        cr_assert(found);
        jt_judge_elimination(&c, &g, &e, what);
        cr_assert(e.cost <= c.reverse_cost && e.cost <= c.forward_cost, "%s", what);
        cheaper += e.cost < c.reverse_cost && e.cost < c.forward_cost;
        jc_elimination_fini(&c.graph->allocator, &e);
        drop_case(&g, &c);
    }
    cr_assert_gt(cheaper, 30, "%lld", (long long)cheaper);
}

/* What an elimination's values and operations show: that structures mattered. */
typedef struct seen {
    int64_t structured, apart, again, densified, operators, equal;
} seen;

static void look(const jc_elimination *e, seen *s)
{
    const jc_elimination_op *ops = e->ops.data;
    const jc_elimination_value *values = e->values.data;
    bool structured = false, apart = false, again = false;
    for (int64_t i = 0; i < e->n_values; i++) structured = structured || values[i].structure >= 0;
    for (int64_t i = 0; i < e->n_ops; i++) {
        if (ops[i].kind != JC_ELIMINATION_ACCUMULATE || ops[i].right < 0) continue;
        again = again || (ops[i].first && values[ops[i].result].result);
        apart = apart || !ops[i].first;
    }
    s->structured += structured, s->apart += apart, s->again += again, s->densified += e->densified.count > 0;
}

/* The pairs of a case with their structures, and a random order of the inner nodes. */
static void random_order(const jt_case *c, uint64_t seed, jc_pairs *p, int64_t *order)
{
    jt_rng rng = {seed};
    jt_ok(jc_pairs_create(c->graph, &c->subgraph, -1, p), "pairs");
    jt_ok(jc_pairs_find_structures(c->graph, p), "structures");
    for (int64_t i = 0; i < p->n_inner; i++) {
        int64_t j = jt_below(&rng, i + 1);
        order[i] = order[j], order[j] = p->inner[i];
    }
}

/* What the search's bit sets say a random order costs is what its operations do, which are judged. Where an operator
 * was formed for one product and is there for a later one, the operations cost less. */
Test(elimination, the_search_and_the_operations_agree_on_costs)
{
    seen s = {0};
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(1500); seed++) {
        jt_graph g;
        jt_case c;
        jc_pairs p;
        jc_adjacency a;
        jc_elimination e;
        int64_t order[64], cost;
        char what[32];
        snprintf(what, sizeof what, "seed %d", (int)seed);
        random_case(seed, &g, &c);
        random_order(&c, seed, &p, order);
        jt_ok(jc_adjacency_init(&a, &p), "adjacency");
        jt_ok(jc_adjacency_order_cost(&a, p.inner, p.n_inner, &cost), "taken back");
        jt_ok(jc_adjacency_order_cost(&a, order, p.n_inner, &cost), "cost");
        jt_ok(jc_replay(&p, order, p.n_inner, JC_PRODUCTS_FREE, &e), "replay");
        cr_assert(p.has_operators ? e.cost <= cost : e.cost == cost, "seed %d: %lld, operations %lld", (int)seed,
                  (long long)cost, (long long)e.cost);
        s.operators += p.has_operators && p.n_inner > 1;
        s.equal += p.has_operators && p.n_inner > 1 && e.cost == cost;
        look(&e, &s);
        e.structures = p.structures, p.structures = NULL;
        jt_judge_elimination(&c, &g, &e, what);
        p.structures = e.structures, e.structures = NULL;
        jc_elimination_fini(p.allocator, &e);
        jc_adjacency_fini(&a);
        jc_pairs_fini(&p);
        drop_case(&g, &c);
    }
    cr_assert(s.operators > 50 && s.equal * 10 > s.operators * 9, "%lld, %lld equal", (long long)s.operators,
              (long long)s.equal);
    int64_t few = jt_cases(600) / 60;
    cr_assert(s.structured > 10 * few && s.apart > few && s.again > 0 && s.densified > few,
              "structured %lld, apart %lld, again %lld, densified %lld", (long long)s.structured, (long long)s.apart,
              (long long)s.again, (long long)s.densified);
}

/* The lists of pairs for large graphs count the same. */
Test(elimination, orders_for_large_graphs_cost_what_their_operations_do)
{
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(600); seed++) {
        jt_graph g;
        jt_case c;
        jc_pairs p;
        random_case(seed, &g, &c);
        jt_ok(jc_pairs_create(c.graph, &c.subgraph, -1, &p), "pairs");
        jt_ok(jc_pairs_find_structures(c.graph, &p), "structures");
        for (int way = 0; way < JC_SPARSE_WAYS; way++) {
            jc_sparse how = {(jc_sparse_way)way, seed % 2, INT64_MAX, INT64_MAX};
            jc_elimination e;
            int64_t order[64], cost, products;
            bool found;
            jt_ok(jc_sparse_order(&p, &how, &found, order, &cost, &products), "sparse");
            jt_ok(jc_replay(&p, order, p.n_inner, JC_PRODUCTS_FREE, &e), "replay");
            cr_assert(p.has_operators ? e.cost <= cost : e.cost == cost, "seed %d, way %d: %lld, operations %lld",
                      (int)seed, way, (long long)cost, (long long)e.cost);
            jc_elimination_fini(p.allocator, &e);
        }
        jc_pairs_fini(&p);
        drop_case(&g, &c);
    }
}
