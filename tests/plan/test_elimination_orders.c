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

static int64_t cost_with_work(const jc_graph *graph, const jc_query *q, int64_t tape_limit, int64_t work)
{
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    options.work = work, options.tape_limit = tape_limit;
    jc_elimination e = eliminate(graph, q, &options);
    int64_t cost = e.cost;
    jc_elimination_fini(&graph->allocator, &e);
    return cost;
}

static int64_t cost_of(const jc_graph *graph, const jc_query *q, int64_t tape_limit)
{
    return cost_with_work(graph, q, tape_limit, 1000000);
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
    for (int64_t v = 0; v < d->n_variables; v++) jt_add_variable(graph, d->size[v]);
    for (int64_t t = 0; t < d->n_variables; t++)
        for (int64_t u = 0; u < t; u++)
            if (d->edge[t][u]) jt_add_edge(graph, t, u, &j);
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
    for (int64_t v = 0; v <= c->n; v++) jt_add_variable(graph, c->size[v]);
    for (int64_t k = 0; k < c->n; k++) {
        jc_jacobian j = JC_JACOBIAN_INIT(c->dense[k] ? JC_DENSE : JC_OPERATOR);
        if (!c->dense[k]) j.op = (jc_operator){NULL, NULL, c->tangent[k], c->adjoint[k], c->tape[k]};
        jt_add_edge(graph, k + 1, k, &j);
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
    for (int64_t v = 0; v <= n; v++) jt_add_variable(graph, jt_between(&rng, 1, 100));
    for (int64_t k = 0; k < n; k++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_OPERATOR);
        j.op = (jc_operator){NULL, NULL, jt_between(&rng, 1, 9000), jt_between(&rng, 1, 9000), 1};
        jt_add_edge(graph, k + 1, k, &j);
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
    int64_t cost = cost_with_work(graph, &q, -1, 0);
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

/* The least multiply-adds of a chain of dense matrices, size[k + 1] x size[k], k < n: the textbook's recurrence
 * (Cormen, Leiserson, Rivest & Stein, Introduction to Algorithms, 15.2). cost: [n][n]. */
static int64_t matrix_chain(int64_t n, const int64_t *size, int64_t *cost)
{
    for (int64_t length = 1; length <= n; length++)
        for (int64_t i = 0, j = length - 1; j < n; i++, j++) {
            int64_t least = i == j ? 0 : INT64_MAX;
            for (int64_t k = i; k < j; k++) {
                int64_t c = cost[i * n + k] + cost[(k + 1) * n + j] + size[i] * size[k + 1] * size[j + 1];
                least = c < least ? c : least;
            }
            cost[i * n + j] = least;
        }
    return cost[n - 1];
}

/* A thousand dense factors: the optimum with the default work; with the work of 2 ms an order that costs little more.
 */
Test(elimination_orders, a_chain_is_cut_where_its_optimum_takes_far_more_than_the_work)
{
    enum { N = 1000, LITTLE_WORK = 285714 };
    static int64_t size[N + 1], least[N * N];
    const int64_t n = JT_SANITIZED ? 300 : N;
    jt_rng rng = {5};
    jc_graph *graph;
    jc_query q = JC_QUERY_INIT;
    int64_t wrt = 0, of = n;
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v <= n; v++) jt_add_variable(graph, size[v] = jt_between(&rng, 4, 64));
    for (int64_t k = 0; k < n; k++) jt_add_edge(graph, k + 1, k, &dense);
    jt_ok(jc_graph_finish(graph), "finish");
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    const int64_t optimum = matrix_chain(n, size, least);
    cr_assert_eq(cost_with_work(graph, &q, -1, 0), optimum);
    int64_t cut = cost_with_work(graph, &q, -1, LITTLE_WORK);
    cr_assert(cut >= optimum && (double)cut <= 1.08 * (double)optimum, "%lld, %lld", (long long)cut,
              (long long)optimum);
    if (!JT_SANITIZED) cr_assert_gt(cut, optimum, "it is cut");
    jc_graph_destroy(graph);
}

/* ---- memory --------------------------------------------------------------------------------------------------- */

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
