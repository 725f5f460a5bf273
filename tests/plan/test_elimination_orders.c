/* The search for orders against all orders of small graphs, by a definition of the cost that shares nothing with it,
 * and against the documented recurrence for chains. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "plan/cases.h"
#include "plan/elimination/search.h"
#include "support/compute.h"
#include "support/sanitized.h"

/* The elimination of the totals of `of` with respect to `wrt`. */
static jc_elimination eliminate(const jc_graph *graph, const jc_query *q, const jc_elimination_options *options)
{
    jt_case c;
    jc_elimination e;
    bool found;
    jt_case_init(&c, graph, q);
    jt_ok(jc_elimination_create(graph, &c.subgraph, options, &found, &e), "elimination");
    cr_assert(found);
    jt_judge_order(&c, &e);
    if (options->tape_limit < 0) cr_assert(e.cost <= c.reverse_cost && e.cost <= c.forward_cost);
    jt_case_fini(&c);
    return e;
}

static int64_t cost_of(const jc_graph *graph, const jc_query *q, int64_t tape_limit)
{
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    options.work = 1000000, options.tape_limit = tape_limit;
    jc_elimination e = eliminate(graph, q, &options);
    int64_t cost = e.cost;
    jc_elimination_fini(&graph->allocator, &e);
    return cost;
}

static void add_variable(jc_graph *graph, int64_t size)
{
    char name[24];
    int64_t number;
    static int64_t count;
    snprintf(name, sizeof name, "v%lld", (long long)count++);
    jt_ok(jc_graph_add_variable(graph, name, size, &number), name);
}

static void add_edge(jc_graph *graph, int64_t of, int64_t wrt, const jc_jacobian *jacobian)
{
    jt_ok(jc_graph_add_edge(graph, of, wrt, jacobian, NULL, 0), "edge");
}

/* ---- all orders of small graphs ---------------------------------------------------------------------------------- */

enum { VARIABLES = 8, NODES = 3 * VARIABLES };

/* Dense Jacobians as SPEC's cost sees them: a requested variable between others is copied to leaves of its own, by an
 * identity at no cost. */
typedef struct drawn {
    int64_t n_variables, n, size[NODES];
    bool edge[NODES][NODES], identity[NODES][NODES]; /* [of][wrt] */
    bool target[VARIABLES], source[VARIABLES];
} drawn;

static void draw_graph(jt_rng *rng, drawn *d)
{
    memset(d, 0, sizeof *d);
    d->n = d->n_variables = jt_between(rng, 4, VARIABLES);
    for (int64_t v = 0; v < d->n; v++) d->size[v] = jt_between(rng, 1, 9);
    for (int64_t t = 1; t < d->n; t++)
        for (int64_t u = 0; u < t; u++) d->edge[t][u] = jt_below(rng, 5) < 2 || u == t - 1;
    d->source[0] = d->target[d->n - 1] = true;
    if (jt_below(rng, 2)) d->source[jt_below(rng, d->n - 1)] = true;
    if (jt_below(rng, 2)) d->target[1 + jt_below(rng, d->n - 1)] = true;
}

static jc_graph *drawn_graph(const drawn *d)
{
    jc_graph *graph;
    const jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v < d->n_variables; v++) add_variable(graph, d->size[v]);
    for (int64_t t = 0; t < d->n_variables; t++)
        for (int64_t u = 0; u < t; u++)
            if (d->edge[t][u]) add_edge(graph, t, u, &j);
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

static int64_t library_cost(const drawn *d)
{
    jc_graph *graph = drawn_graph(d);
    int64_t of[VARIABLES], wrt[VARIABLES];
    jc_query q = JC_QUERY_INIT;
    for (int64_t v = 0; v < d->n_variables; v++) {
        if (d->target[v]) of[q.n_of++] = v;
        if (d->source[v]) wrt[q.n_wrt++] = v;
    }
    q.of = of, q.wrt = wrt;
    int64_t cost = cost_of(graph, &q, -1);
    jc_graph_destroy(graph);
    return cost;
}

static void add_leaves(drawn *d)
{
    for (int64_t v = 1; v < d->n_variables - 1; v++)
        for (int source = 0; source < 2; source++) {
            if (!(source ? d->source : d->target)[v]) continue;
            int64_t leaf = d->n++, of = source ? v : leaf, wrt = source ? leaf : v;
            d->size[leaf] = d->size[v];
            d->edge[of][wrt] = d->identity[of][wrt] = true;
        }
}

static int64_t eliminate_one(drawn *d, int64_t v)
{
    int64_t cost = 0;
    for (int64_t t = 0; t < d->n; t++)
        for (int64_t u = 0; u < d->n; u++) {
            if (!d->edge[t][v] || !d->edge[v][u]) continue;
            if (!d->identity[t][v] && !d->identity[v][u]) cost += d->size[t] * d->size[v] * d->size[u];
            d->edge[t][u] = true;
        }
    for (int64_t w = 0; w < d->n; w++) d->edge[w][v] = d->edge[v][w] = false;
    return cost;
}

/* The least cost of eliminating the variables between the first and the last one, over all orders. */
static int64_t least_cost(const drawn *d, bool *gone)
{
    int64_t least = INT64_MAX;
    for (int64_t v = 1; v < d->n_variables - 1; v++) {
        if (gone[v]) continue;
        drawn next = *d;
        int64_t cost = eliminate_one(&next, v);
        gone[v] = true;
        cost += least_cost(&next, gone);
        gone[v] = false;
        if (cost < least) least = cost;
    }
    return least == INT64_MAX ? 0 : least;
}

Test(elimination_orders, small_graphs_cost_the_least_of_all_orders)
{
    int64_t costly = 0;
    jt_rng rng = {5};
    for (int64_t i = 0; i < jt_cases(120); i++) {
        drawn d;
        bool gone[VARIABLES] = {false};
        draw_graph(&rng, &d);
        int64_t cost = library_cost(&d);
        add_leaves(&d);
        int64_t least = least_cost(&d, gone);
        cr_assert_eq(cost, least, "case %d: %lld, the least is %lld", (int)i, (long long)cost, (long long)least);
        costly += least > 0;
    }
    cr_assert_gt(costly, jt_cases(120) / 3);
}

/* ---- chains ------------------------------------------------------------------------------------------------------ */

enum { FACTORS = 9 };

typedef struct chain {
    int64_t n, size[FACTORS + 1], tangent[FACTORS], adjoint[FACTORS], tape[FACTORS];
    bool dense[FACTORS];
    int64_t tape_limit;
} chain;

static int64_t sum(const int64_t *from, int64_t first, int64_t last)
{
    int64_t total = 0;
    for (int64_t i = first; i <= last; i++) total += from[i];
    return total;
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Whether adjoints of the factors first .. last are within the limit; a dense one needs no tape. */
static bool fits(const chain *c, int64_t first, int64_t last)
{
    for (int64_t i = first; i <= last; i++)
        if (!c->dense[i] && c->tape_limit >= 0 && c->tape[i] > c->tape_limit) return false;
    return true;
}

/* The recurrence as it is published, with runs of factors. */
static int64_t recurrence(const chain *c, int64_t j, int64_t i)
{
    int64_t m = c->size[j + 1], n = c->size[i];
    if (i == j && c->dense[j]) return 0;
    if (i == j && !fits(c, j, j)) return n * c->tangent[j];
    if (i == j) return smaller(n * c->tangent[j], m * c->adjoint[j]);
    int64_t least = INT64_MAX;
    for (int64_t k = i; k < j; k++) {
        int64_t left = recurrence(c, j, k + 1), right = recurrence(c, k, i);
        least = smaller(least, left + right + m * c->size[k + 1] * n);
        least = smaller(least, right + n * sum(c->tangent, k + 1, j));
        if (fits(c, i, k)) least = smaller(least, left + m * sum(c->adjoint, i, k));
    }
    return least;
}

static jc_graph *chain_graph(const chain *c)
{
    jc_graph *graph;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v <= c->n; v++) add_variable(graph, c->size[v]);
    for (int64_t k = 0; k < c->n; k++) {
        jc_jacobian j = JC_JACOBIAN_INIT(c->dense[k] ? JC_DENSE : JC_OPERATOR);
        if (!c->dense[k]) j.op = (jc_operator){NULL, NULL, c->tangent[k], c->adjoint[k], c->tape[k]};
        add_edge(graph, k + 1, k, &j);
    }
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

static void draw_chain(jt_rng *rng, chain *c)
{
    memset(c, 0, sizeof *c);
    c->n = jt_between(rng, 1, FACTORS);
    c->tape_limit = jt_below(rng, 3) ? -1 : 50;
    for (int64_t v = 0; v <= c->n; v++) c->size[v] = jt_between(rng, 1, jt_below(rng, 2) ? 40 : 4);
    for (int64_t k = 0; k < c->n; k++) {
        c->dense[k] = jt_below(rng, 3) == 0;
        c->tangent[k] = c->adjoint[k] = c->size[k] * c->size[k + 1];
        if (!c->dense[k]) c->tangent[k] = jt_between(rng, 1, 400), c->adjoint[k] = jt_between(rng, 1, 400);
        c->tape[k] = jt_between(rng, 1, 100);
    }
}

Test(elimination_orders, chains_cost_what_the_recurrence_says)
{
    jt_rng rng = {9};
    int64_t limited = 0;
    for (int64_t i = 0; i < jt_cases(300); i++) {
        chain c;
        draw_chain(&rng, &c);
        jc_graph *graph = chain_graph(&c);
        jc_query q = JC_QUERY_INIT;
        int64_t of = c.n, wrt = 0;
        q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
        int64_t expected = recurrence(&c, c.n - 1, 0), limit = c.tape_limit;
        cr_assert_eq(cost_of(graph, &q, limit), expected, "case %d", (int)i);
        c.tape_limit = -1;
        limited += recurrence(&c, c.n - 1, 0) < expected;
        jc_graph_destroy(graph);
    }
    cr_assert_gt(limited, 10, "the limit mattered %lld times", (long long)limited);
}

/* Factors of sizes 1 .. 100 drawn by `seed`; an operator's tangents and adjoints cost differently. */
static jc_graph *long_chain(int64_t n, uint64_t seed)
{
    jt_rng rng = {seed};
    jc_graph *graph;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v <= n; v++) add_variable(graph, jt_between(&rng, 1, 100));
    for (int64_t k = 0; k < n; k++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_OPERATOR);
        j.op = (jc_operator){NULL, NULL, jt_between(&rng, 1, 9000), jt_between(&rng, 1, 9000), 1};
        add_edge(graph, k + 1, k, &j);
    }
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

/* The totals of the last of n + 1 variables with respect to the first, within a time of this processor. */
static int64_t long_chain_cost(int64_t n, double seconds)
{
    jc_graph *graph = long_chain(n, 3);
    jc_query q = JC_QUERY_INIT;
    int64_t wrt = 0;
    q.of = &n, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    clock_t began = clock();
    int64_t cost = cost_of(graph, &q, -1);
    double took = (double)(clock() - began) / CLOCKS_PER_SEC;
    if (!JT_SANITIZED) cr_assert_lt(took, seconds, "%lld factors: %g s", (long long)n, took);
    jc_graph_destroy(graph);
    return cost;
}

Test(elimination_orders, a_chain_of_a_thousand_factors_is_planned_within_a_second)
{
    cr_assert_gt(long_chain_cost(JT_SANITIZED ? 300 : 1000, 1.0), 0);
}

/* Pieces cost a little more than the whole: the same chain just within and just beyond what is bracketed as a whole. */
Test(elimination_orders, a_longer_chain_is_bracketed_in_pieces_that_cost_little_more)
{
    int64_t pieces = long_chain_cost(JC_CHAIN_EXACT, 1.0);
    if (JT_SANITIZED) return;
    int64_t whole = long_chain_cost(JC_CHAIN_EXACT - 1, 2.0);
    cr_assert_lt((double)pieces, 1.4 * (double)whole, "%lld, %lld", (long long)pieces, (long long)whole);
    cr_assert_gt(pieces, whole);
}

/* ---- larger graphs ----------------------------------------------------------------------------------------------- */

/* `levels` of `width` variables of `size`, each reading `fan_in` variables of the level before. */
static jc_graph *layered(int64_t levels, int64_t width, int64_t fan_in, int64_t size)
{
    jc_graph *graph;
    jt_rng rng = {1};
    const jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v < levels * width; v++) add_variable(graph, size);
    for (int64_t v = width; v < levels * width; v++)
        for (int64_t k = 0; k < fan_in; k++)
            add_edge(graph, v, (v / width - 1) * width + (k ? jt_below(&rng, width) : v % width), &j);
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

Test(elimination_orders, a_wide_graph_is_planned_in_time_and_costs_no_more_than_the_better_sweep)
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
Test(elimination_orders, a_large_graph_with_a_narrow_place_costs_far_less_than_both_sweeps)
{
    enum { SIDE = 700, WIDTH = 14, SIZE = 8 };
    jc_graph *graph;
    const jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v < 2 * SIDE + 1; v++) add_variable(graph, v == SIDE ? 1 : SIZE);
    for (int64_t v = WIDTH; v < 2 * SIDE + 1; v++) {
        if (v == SIDE)
            for (int64_t k = 1; k <= WIDTH; k++) add_edge(graph, v, v - k, &j);
        else if (v > SIDE && v <= SIDE + WIDTH)
            add_edge(graph, v, SIDE, &j);
        else
            add_edge(graph, v, v - WIDTH, &j);
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
Test(elimination_orders, every_rule_gives_an_order_that_costs_what_it_says)
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

Test(elimination_orders, sparse_orders_cost_what_they_say_and_keep_to_their_bounds)
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
Test(elimination_orders, markowitz_takes_the_same_nodes_with_and_without_a_heap)
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
Test(elimination_orders, a_contraction_leaves_what_would_make_the_graph_larger)
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
    jc_elimination_options options = {work, 0, -1, bound, -1};
    jc_elimination e;
    bool found;
    jt_ok(jc_elimination_create(p->graph, &p->c.subgraph, &options, &found, &e), "elimination");
    if (!found) return false;
    *cost = e.cost;
    jc_elimination_fini(&p->graph->allocator, &e);
    return true;
}

/* Next to no work is still enough for the better sweep; what is found is found below its cost, not at it. */
Test(elimination_orders, the_search_keeps_the_best_and_gives_up_at_the_bound)
{
    parts p;
    int64_t cost, again, reverse, forward, order[512];
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

/* Less memory each time, until no order fits: never cheaper than the best of all orders, and sometimes dearer. */
Test(elimination_orders, a_memory_limit_is_kept_and_costs)
{
    int64_t dearer = 0, none = 0;
    jt_rng rng = {21};
    for (int64_t i = 0; i < jt_cases(40); i++) {
        drawn d;
        draw_graph(&rng, &d);
        jc_query q = JC_QUERY_INIT;
        int64_t of = d.n - 1, wrt = 0;
        q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
        jc_graph *graph = drawn_graph(&d);
        jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
        options.work = 100000;
        jc_elimination e = eliminate(graph, &q, &options), limited;
        const int64_t least = e.cost;
        int64_t most = e.peak_entries;
        jc_elimination_fini(&graph->allocator, &e);
        jt_case c;
        jt_case_init(&c, graph, &q);
        for (bool found = true; found;) {
            options.entry_limit = most - 1;
            jt_ok(jc_elimination_create(graph, &c.subgraph, &options, &found, &limited), "elimination");
            none += !found;
            if (!found) break;
            jt_judge_order(&c, &limited);
            cr_assert(limited.peak_entries < most && limited.cost >= least, "case %d", (int)i);
            dearer += limited.cost > least;
            most = limited.peak_entries;
            jc_elimination_fini(&graph->allocator, &limited);
        }
        jt_case_fini(&c);
        jc_graph_destroy(graph);
    }
    cr_assert(none == jt_cases(40) && dearer > jt_cases(40) / 10, "%lld, dearer %lld", (long long)none,
              (long long)dearer);
}

Test(elimination_orders, the_same_seed_finds_the_same_order)
{
    parts p;
    parts_init(&p);
    jc_elimination_options options = {300000, 4, -1, -1, -1};
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
