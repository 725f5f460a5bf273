/* The parts of the search for orders: rules, annealing, heaps, contractions, what is kept; and graphs that are large.
 */
#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

#include "plan/cases.h"
#include "plan/elimination/search.h"
#include "support/compute.h"
#include "support/sanitized.h"

/* ---- larger graphs ----------------------------------------------------------------------------------------------- */

/* `levels` of `width` variables of `size`, each reading `fan_in` variables of the level before. */
static jc_graph *layered(int64_t levels, int64_t width, int64_t fan_in, int64_t size)
{
    jc_graph *graph;
    jt_rng rng = {1};
    const jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v < levels * width; v++) jt_add_variable(graph, size);
    for (int64_t v = width; v < levels * width; v++)
        for (int64_t k = 0; k < fan_in; k++)
            jt_add_edge(graph, v, (v / width - 1) * width + (k ? jt_below(&rng, width) : v % width), &j);
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

/* Of the last level with respect to all that reach it. */
static void layered_case(jt_case *c, const jc_graph *graph, int64_t first, int64_t width)
{
    int64_t of[64];
    jc_query q = JC_QUERY_INIT;
    for (int64_t i = 0; i < width; i++) of[i] = first + i;
    q.of = of, q.n_of = width;
    jt_case_init(c, graph, &q);
}

Test(elimination_search, a_wide_graph_is_planned_in_time_and_costs_no_more_than_the_better_sweep)
{
    enum { LEVELS = 157, WIDTH = 64 };
    jc_graph *graph = layered(LEVELS, WIDTH, 2, 32);
    jt_case c;
    layered_case(&c, graph, (LEVELS - 1) * WIDTH, WIDTH);
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    options.bound = c.reverse_cost < c.forward_cost ? c.reverse_cost : c.forward_cost;
    jc_elimination e;
    bool found;
    clock_t began = clock();
    jt_ok(jc_elimination_create(graph, &c.subgraph, &options, &found, &e), "elimination");
    double took = (double)(clock() - began) / CLOCKS_PER_SEC;
    if (!JT_SANITIZED) cr_assert_lt(took, 2.0, "%g s", took);
    if (found) {
        cr_assert_lt(e.cost, options.bound);
        jc_elimination_fini(&graph->allocator, &e);
    }
    jt_case_fini(&c);
    jc_graph_destroy(graph);
}

/* A target of 32 variables behind a network that narrows to one variable and widens again: eliminating towards the
 * narrow place is far cheaper than carrying the whole width through. 1,400 nodes: more than the bit sets hold. */
Test(elimination_search, a_large_graph_with_a_narrow_place_costs_far_less_than_both_sweeps)
{
    enum { SIDE = 700, WIDTH = 14, SIZE = 8 };
    jc_graph *graph;
    const jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v < 2 * SIDE + 1; v++) jt_add_variable(graph, v == SIDE ? 1 : SIZE);
    for (int64_t v = WIDTH; v < 2 * SIDE + 1; v++) {
        if (v == SIDE)
            for (int64_t k = 1; k <= WIDTH; k++) jt_add_edge(graph, v, v - k, &j);
        else if (v > SIDE && v <= SIDE + WIDTH)
            jt_add_edge(graph, v, SIDE, &j);
        else
            jt_add_edge(graph, v, v - WIDTH, &j);
    }
    jt_ok(jc_graph_finish(graph), "finish");
    jt_case c;
    layered_case(&c, graph, 2 * SIDE + 1 - WIDTH, WIDTH);
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e;
    bool found;
    jt_ok(jc_elimination_create(graph, &c.subgraph, &options, &found, &e), "elimination");
    cr_assert(found);
    cr_assert_lt(2 * e.cost, c.reverse_cost, "%lld, reverse %lld", (long long)e.cost, (long long)c.reverse_cost);
    cr_assert_lt(2 * e.cost, c.forward_cost, "%lld, forward %lld", (long long)e.cost, (long long)c.forward_cost);
    jc_pairs pairs;
    jc_sparse how = {JC_SPARSE_CONTRACT, true, INT64_MAX, INT64_MAX};
    int64_t order[2 * SIDE + 1], cost, products;
    jt_ok(jc_pairs_create(graph, &c.subgraph, -1, &pairs), "pairs");
    jt_ok(jc_sparse_order(&pairs, &how, &found, order, &cost, &products), "contraction");
    cr_assert_lt(2 * cost, c.reverse_cost, "contracting is enough for that: %lld", (long long)cost);
    jc_pairs_fini(&pairs);
    jc_elimination_fini(&graph->allocator, &e);
    jt_case_fini(&c);
    jc_graph_destroy(graph);
}

/* ---- the parts of the search ------------------------------------------------------------------------------------- */

static bool is_permutation(const jc_pairs *p, const int64_t *order)
{
    bool there[512] = {false};
    for (int64_t i = 0; i < p->n_inner; i++) there[order[i]] = true;
    for (int64_t i = 0; i < p->n_inner; i++)
        if (!there[p->inner[i]]) return false;
    return true;
}

/* A scalar graph of 8 levels of 12: what the search has to find something in. */
typedef struct parts {
    jc_graph *graph;
    jt_case c;
    jc_pairs pairs;
    jc_adjacency a;
} parts;

static void parts_init(parts *p)
{
    p->graph = layered(8, 12, 3, 1);
    layered_case(&p->c, p->graph, 84, 12);
    jt_ok(jc_pairs_create(p->graph, &p->c.subgraph, -1, &p->pairs), "pairs");
    jt_ok(jc_adjacency_init(&p->a, &p->pairs), "adjacency");
}

static void parts_fini(parts *p)
{
    jc_adjacency_fini(&p->a);
    jc_pairs_fini(&p->pairs);
    jt_case_fini(&p->c);
    jc_graph_destroy(p->graph);
}

/* The cost that a search names is that of its order; ties and rules matter. */
Test(elimination_search, every_rule_gives_an_order_that_costs_what_it_says)
{
    parts p;
    int64_t order[512], best[512], cost, again, least = INT64_MAX, most = 0;
    parts_init(&p);
    for (int rule = 0; rule < JC_CHOICE_COUNT; rule++)
        for (int tie = 0; tie < 3; tie++)
            for (int way = 0; way < 4; way++) {
                jc_greedy how = {(jc_choice)rule, (jc_tie)tie, way & 1, way & 2, 7};
                jt_ok(jc_greedy_order(&p.a, &how, order, &cost), "greedy");
                cr_assert(is_permutation(&p.pairs, order), "rule %d, tie %d, way %d", rule, tie, way);
                jt_ok(jc_adjacency_order_cost(&p.a, order, p.pairs.n_inner, &again), "cost");
                cr_assert_eq(cost, again, "rule %d, tie %d, way %d", rule, tie, way);
                if (cost < least) least = cost, memcpy(best, order, sizeof best);
                if (cost > most) most = cost;
            }
    cr_assert_lt(least, most);
    cost = least;
    jt_ok(jc_anneal_order(&p.a, 1000000, 1, best, &cost), "anneal");
    jt_ok(jc_adjacency_order_cost(&p.a, best, p.pairs.n_inner, &again), "cost");
    cr_assert(is_permutation(&p.pairs, best));
    cr_assert_eq(cost, again);
    cr_assert_lt(cost, least, "annealing found nothing better than %lld", (long long)least);
    parts_fini(&p);
}

Test(elimination_search, sparse_orders_cost_what_they_say_and_keep_to_their_bounds)
{
    parts p;
    int64_t order[512], cost, again, products;
    bool found;
    parts_init(&p);
    for (int way = 0; way < JC_SPARSE_WAYS; way++)
        for (int late = 0; late < 2; late++) {
            jc_sparse how = {(jc_sparse_way)way, late, INT64_MAX, INT64_MAX};
            jt_ok(jc_sparse_order(&p.pairs, &how, &found, order, &cost, &products), "sparse");
            cr_assert(found && is_permutation(&p.pairs, order), "way %d", way);
            jt_ok(jc_adjacency_order_cost(&p.a, order, p.pairs.n_inner, &again), "cost");
            cr_assert_eq(cost, again, "way %d: %lld, %lld", way, (long long)cost, (long long)again);
            how.bound = cost;
            jt_ok(jc_sparse_order(&p.pairs, &how, &found, order, &cost, &products), "sparse");
            cr_assert(!found, "way %d costs no less than itself", way);
            how.bound = INT64_MAX, how.most = products / 2;
            jt_ok(jc_sparse_order(&p.pairs, &how, &found, order, &cost, &products), "sparse");
            cr_assert(!found, "way %d", way);
        }
    parts_fini(&p);
}

/* Both take the least cost now, the one from bit sets, the other from sums in a heap. */
Test(elimination_search, markowitz_takes_the_same_nodes_with_and_without_a_heap)
{
    parts p;
    int64_t order[512], other[512], cost, products;
    bool found;
    parts_init(&p);
    for (int late = 0; late < 2; late++) {
        jc_greedy greedy = {JC_CHOICE_MARKOWITZ, late ? JC_TIE_LATE : JC_TIE_EARLY, false, false, 0};
        jc_sparse sparse = {JC_SPARSE_MARKOWITZ, late, INT64_MAX, INT64_MAX};
        jt_ok(jc_greedy_order(&p.a, &greedy, order, &cost), "greedy");
        jt_ok(jc_sparse_order(&p.pairs, &sparse, &found, other, &cost, &products), "sparse");
        cr_assert(memcmp(order, other, (size_t)p.pairs.n_inner * sizeof *order) == 0, "late %d", late);
    }
    parts_fini(&p);
}

/* The order of one way through the layered graph of that fan-in: [*n] nodes. */
static int64_t sparse_order(int64_t fan_in, jc_sparse_way way, int64_t *order)
{
    jt_case c;
    jc_pairs pairs;
    jc_sparse how = {way, true, INT64_MAX, INT64_MAX};
    int64_t cost, products;
    bool found;
    jc_graph *graph = layered(6, 6, fan_in, 4);
    layered_case(&c, graph, 30, 6);
    jt_ok(jc_pairs_create(graph, &c.subgraph, -1, &pairs), "pairs");
    jt_ok(jc_sparse_order(&pairs, &how, &found, order, &cost, &products), "sparse");
    int64_t n = pairs.n_inner;
    jc_pairs_fini(&pairs);
    jt_case_fini(&c);
    jc_graph_destroy(graph);
    return n;
}

/* Where every node reads six, each elimination makes the graph larger, and what is left to do is a sweep. */
Test(elimination_search, a_contraction_leaves_what_would_make_the_graph_larger)
{
    int64_t contracted[64], markowitz[64], sweep[64];
    int64_t n = sparse_order(12, JC_SPARSE_CONTRACT, contracted);
    sparse_order(12, JC_SPARSE_SWEEP, sweep);
    sparse_order(12, JC_SPARSE_MARKOWITZ, markowitz);
    cr_assert(memcmp(contracted, sweep, (size_t)n * sizeof *sweep) == 0);
    cr_assert(memcmp(markowitz, sweep, (size_t)n * sizeof *sweep) != 0, "the other way must differ");
}

static bool is_found(const parts *p, int64_t work, int64_t bound, int64_t *cost)
{
    jc_elimination_options options = {.work = work, .tape_limit = -1, .bound = bound};
    jc_elimination e;
    bool found;
    jt_ok(jc_elimination_create(p->graph, &p->c.subgraph, &options, &found, &e), "elimination");
    if (!found) return false;
    *cost = e.cost;
    jc_elimination_fini(&p->graph->allocator, &e);
    return true;
}

/* Next to no work is still enough for the better sweep; what is found is found below its cost, not at it. */
Test(elimination_search, the_search_keeps_the_best_and_gives_up_at_the_bound)
{
    parts p;
    int64_t cost = 0, again = 0, reverse, forward, order[512];
    parts_init(&p);
    int64_t n = p.pairs.n_inner;
    for (int64_t i = 0; i < n; i++) order[i] = p.pairs.inner[n - 1 - i];
    jt_ok(jc_adjacency_order_cost(&p.a, order, n, &reverse), "cost");
    jt_ok(jc_adjacency_order_cost(&p.a, p.pairs.inner, n, &forward), "cost");
    cr_assert(is_found(&p, 1, -1, &cost));
    cr_assert(reverse != forward && cost == (reverse < forward ? reverse : forward));
    cr_assert(is_found(&p, 1, cost + 1, &again) && again == cost);
    cr_assert(!is_found(&p, 1, cost, &again));
    parts_fini(&p);
}

Test(elimination_search, the_same_seed_finds_the_same_order)
{
    parts p;
    parts_init(&p);
    jc_elimination_options options = {.work = 300000, .seed = 4, .tape_limit = -1, .bound = -1};
    jc_elimination e[3];
    bool found;
    for (int i = 0; i < 3; i++) {
        options.seed = i < 2 ? 4 : 5;
        jt_ok(jc_elimination_create(p.graph, &p.c.subgraph, &options, &found, &e[i]), "elimination");
    }
    size_t bytes = (size_t)e[0].n_order * sizeof *e[0].order;
    cr_assert(e[0].n_order == p.pairs.n_inner && memcmp(e[0].order, e[1].order, bytes) == 0);
    cr_assert(memcmp(e[0].order, e[2].order, bytes) != 0, "another seed draws other moves");
    for (int i = 0; i < 3; i++) jc_elimination_fini(&p.graph->allocator, &e[i]);
    parts_fini(&p);
}

/* ---- numbers that are too large ---------------------------------------------------------------------------------- */

/* Costs beyond 2^63 - 1 are that number, on every way through the search: chains, all orders, rules and annealing,
 * heaps. `nodes` variables of 2^40 scalars, each read by the two behind it (a chain: by one). */
static void judge_saturated(int64_t nodes, bool chain)
{
    jc_graph *graph;
    jt_case c;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    jc_jacobian j = JC_JACOBIAN_INIT(JC_OPERATOR);
    j.op = (jc_operator){NULL, NULL, INT64_MAX / 2, INT64_MAX / 3, 1};
    for (int64_t v = 0; v < nodes; v++) jt_add_variable(graph, INT64_C(1) << 40);
    for (int64_t v = 1; v < nodes; v++) {
        jt_add_edge(graph, v, v - 1, &j);
        if (!chain && v > 1) jt_add_edge(graph, v, v - 2, &j);
    }
    jt_ok(jc_graph_finish(graph), "finish");
    layered_case(&c, graph, nodes - 1, 1);
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    options.work = 200000;
    jc_elimination e;
    bool found;
    jt_ok(jc_elimination_create(graph, &c.subgraph, &options, &found, &e), "elimination");
    cr_assert(found && e.cost == INT64_MAX && e.peak_entries == INT64_MAX, "%lld nodes", (long long)nodes);
    jt_judge_order(&c, &e);
    jc_elimination_fini(&graph->allocator, &e);
    jt_case_fini(&c);
    jc_graph_destroy(graph);
}

Test(elimination_search, costs_that_are_too_large_are_the_largest_number)
{
    judge_saturated(8, true);
    judge_saturated(8, false);
    judge_saturated(40, false);
    judge_saturated(1200, false);
    judge_saturated(1300, true);
}

/* Nothing to eliminate: one edge, and a target that is its own source. */
Test(elimination_search, where_nothing_lies_between_there_is_nothing_to_eliminate)
{
    jc_graph *graph;
    const jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int i = 0; i < 3; i++) jt_add_variable(graph, 2);
    jt_add_edge(graph, 1, 0, &j);
    jt_ok(jc_graph_finish(graph), "finish");
    for (int64_t of = 0; of < 3; of++) {
        jt_case c;
        layered_case(&c, graph, of, 1);
        jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
        jc_elimination e;
        bool found;
        jt_ok(jc_elimination_create(graph, &c.subgraph, &options, &found, &e), "elimination");
        cr_assert(found && e.n_order == 0 && e.cost == 0);
        cr_assert_eq(e.n_ops, of == 1, "the matrix of the edge");
        jc_elimination_fini(&graph->allocator, &e);
        jt_case_fini(&c);
    }
    jc_graph_destroy(graph);
}
