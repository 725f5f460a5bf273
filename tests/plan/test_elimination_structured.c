/* Eliminations of graphs with structure: costs in closed form and against all orders, what becomes dense, orders that
 * are given, time. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/size.h"
#include "plan/cases.h"
#include "plan/elimination/replay.h"
#include "plan/elimination/search.h"
#include "plan/plan.h"
#include "support/compute.h"
#include "support/sanitized.h"

/* The totals of variable `of` with respect to the first. */
static void case_of(jt_case *c, const jc_graph *graph, int64_t of)
{
    jc_query q = JC_QUERY_INIT;
    int64_t wrt = 0;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    jt_case_init(c, graph, &q);
}

static jc_elimination eliminate(const jt_case *c, const jc_elimination_options *options)
{
    jc_elimination e;
    bool found;
    jt_ok(jc_elimination_create(c->graph, &c->subgraph, options, &found, &e), "elimination");
    cr_assert(found);
    return e;
}

/* ---- chains ------------------------------------------------------------------------------------------------------ */

enum { FACTORS = 7, NUMBERS = 4096 };

static const double zeros[NUMBERS];
static int64_t places[NUMBERS];

typedef struct chain {
    int64_t n, size[FACTORS + 1];
    jc_jacobian factor[FACTORS];
} chain;

static jc_graph *chain_graph(const chain *c)
{
    jc_graph *graph;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v <= c->n; v++) jt_add_variable(graph, c->size[v]);
    for (int64_t k = 0; k < c->n; k++) jt_add_edge(graph, k + 1, k, &c->factor[k]);
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

static jc_jacobian diagonal(int64_t n)
{
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DIAGONAL);
    j.values = jc_array_1d(JC_F64, n, zeros);
    return j;
}

/* p x q in `batch` blocks of one D. */
static jc_jacobian dense(int64_t batch, int64_t p, int64_t q)
{
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.batch = batch;
    j.values = jc_array_2d(JC_F64, p, q, zeros);
    return j;
}

/* The cost of a chain's total, and how it is held. */
static int64_t chain_cost(const chain *c, jc_structure *result)
{
    jc_graph *graph = chain_graph(c);
    jt_case k;
    case_of(&k, graph, c->n);
    const jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e = eliminate(&k, &options);
    const jc_elimination_value *values = e.values.data;
    int64_t cost = e.cost;
    for (int64_t i = 0; i < e.n_values; i++) {
        if (!values[i].result) continue;
        *result = (jc_structure){.kind = JC_STRUCTURE_DENSE, .entries = c->size[0] * c->size[c->n]};
        if (values[i].structure >= 0) *result = *jc_structures_at(e.structures, values[i].structure);
    }
    jc_elimination_fini(&graph->allocator, &e);
    jt_case_fini(&k);
    jc_graph_destroy(graph);
    return cost;
}

/* Six diagonals of 1000 are five products of 1000 multiply-adds; the sweeps carry a matrix of 10^6 through. */
Test(elimination_structured, a_chain_of_diagonals_costs_one_multiply_add_an_entry)
{
    chain c = {.n = 6};
    jc_structure s;
    for (int64_t v = 0; v <= 6; v++) c.size[v] = 1000;
    for (int64_t k = 0; k < 6; k++) c.factor[k] = diagonal(1000);
    cr_assert_eq(chain_cost(&c, &s), 5000);
    cr_assert(s.kind == JC_STRUCTURE_DIAGONAL && s.entries == 1000);
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    for (int64_t k = 0; k < 6; k += 2) c.factor[k] = identity;
    cr_assert_eq(chain_cost(&c, &s), 2000, "identities cost nothing");
}

/* D[2,1] (D + E) of a diagonal and the 49 entries below one: the sum is free, and meets the other one once. */
Test(elimination_structured, edges_side_by_side_are_added_before_they_are_multiplied)
{
    jc_graph *graph;
    jt_case k;
    const jc_jacobian j = diagonal(50);
    int64_t indptr[51] = {0}, indices[49];
    for (int64_t i = 1; i < 50; i++) indptr[i + 1] = i, indices[i - 1] = i - 1;
    jc_jacobian below = JC_JACOBIAN_INIT(JC_CSR);
    below.indptr = jc_array_1d(JC_I64, 51, indptr), below.indices = jc_array_1d(JC_I64, 49, indices);
    below.values = jc_array_1d(JC_F64, 49, zeros);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int v = 0; v < 3; v++) jt_add_variable(graph, 50);
    jt_add_edge(graph, 1, 0, &j);
    jt_add_edge(graph, 1, 0, &below);
    jt_add_edge(graph, 2, 1, &j);
    jt_ok(jc_graph_finish(graph), "finish");
    case_of(&k, graph, 2);
    const jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e = eliminate(&k, &options);
    cr_assert_eq(e.cost, 99);
    jc_elimination_fini(&graph->allocator, &e);
    jt_case_fini(&k);
    jc_graph_destroy(graph);
}

/* I_10 (x) D: ten chains of 8 x 2, 2 x 8 and 8 x 3 blocks, of which (D2 D1) D0 costs 8 2 3 + 8 2 8 in each and D2 (D1
 * D0) 2 8 3 + 8 2 3; diagonals between, 10 2 and 10 8 long, cost what the smaller neighbour has. */
Test(elimination_structured, a_chain_of_blocks_costs_what_its_blocks_do)
{
    chain c = {.n = 3, .size = {30, 80, 20, 80}, .factor = {dense(10, 8, 3), dense(10, 2, 8), dense(10, 8, 2)}};
    jc_structure s;
    cr_assert_eq(chain_cost(&c, &s), 10 * (2 * 8 * 3 + 8 * 2 * 3));
    cr_assert(s.kind == JC_STRUCTURE_BLOCKS && s.batch == 10 && s.entries == 10 * 8 * 3);
    chain d = {.n = 4,
               .size = {30, 80, 80, 20, 80},
               .factor = {dense(10, 8, 3), diagonal(80), dense(10, 2, 8), dense(10, 8, 2)}};
    cr_assert_eq(chain_cost(&d, &s), 10 * (2 * 8 + 2 * 8 * 3 + 8 * 2 * 3));
}

/* A differences b of n and n + 1 entries: row i of D has i and i + 1, so that row i of D D has i, i + 1, i + 2. */
Test(elimination_structured, sparse_products_cost_the_entries_that_meet)
{
    enum { N = 40 };
    int64_t indptr[N + 1], indices[2 * N];
    for (int64_t i = 0; i <= N; i++) indptr[i] = 2 * i;
    for (int64_t i = 0; i < N; i++) indices[2 * i] = i, indices[2 * i + 1] = i + 1;
    chain c = {.n = 2, .size = {N + 1, N, N - 1}};
    jc_structure s;
    for (int64_t k = 0; k < 2; k++) {
        c.factor[k] = (jc_jacobian)JC_JACOBIAN_INIT(JC_CSR);
        c.factor[k].indptr = jc_array_1d(JC_I64, N + 1 - k, indptr);
        c.factor[k].indices = jc_array_1d(JC_I64, 2 * (N - k), indices);
        c.factor[k].values = jc_array_1d(JC_F64, 2 * (N - k), zeros);
    }
    cr_assert_eq(chain_cost(&c, &s), 2 * 2 * (N - 1));
    cr_assert(s.kind == JC_STRUCTURE_SPARSE && s.entries == 3 * (N - 1));
}

/* Diagonals, blocks and dense factors of one size: their structures are those of the products in any order. */
static void draw_chain(jt_rng *rng, chain *c)
{
    static const int64_t batches[] = {1, 2, 4, 6, 12};
    c->n = jt_between(rng, 2, FACTORS - 1);
    for (int64_t v = 0; v <= c->n; v++) c->size[v] = 12 * (jt_below(rng, 2) ? 1 : jt_between(rng, 1, 3));
    for (int64_t k = 0; k < c->n; k++) {
        int64_t batch = batches[jt_below(rng, 5)], rows = c->size[k + 1], cols = c->size[k];
        c->factor[k] = dense(batch, rows / batch, cols / batch);
        if (rows == cols && jt_below(rng, 2)) c->factor[k] = diagonal(rows);
        if (jt_below(rng, 6)) continue;
        c->factor[k] = (jc_jacobian)JC_JACOBIAN_INIT(JC_SELECT);
        c->factor[k].indices = jc_array_1d(JC_I64, rows, places);
    }
}

/* The least cost of the operations of all orders of n nodes from place `first` on. */
static int64_t least_cost(const jc_pairs *p, int64_t *order, int64_t first)
{
    int64_t least = INT64_MAX;
    if (first == p->n_inner) {
        jc_elimination e;
        jt_ok(jc_replay(p, order, p->n_inner, JC_PRODUCTS_FREE, &e), "replay");
        least = e.cost;
        jc_elimination_fini(p->allocator, &e);
    }
    for (int64_t i = first; i < p->n_inner; i++) {
        int64_t node = order[i];
        order[i] = order[first], order[first] = node;
        int64_t cost = least_cost(p, order, first + 1);
        order[first] = order[i], order[i] = node;
        if (cost < least) least = cost;
    }
    return least;
}

static int64_t least_of_all_orders(const jt_case *c)
{
    jc_pairs p;
    int64_t order[FACTORS];
    jt_ok(jc_pairs_create(c->graph, &c->subgraph, -1, &p), "pairs");
    jt_ok(jc_pairs_find_structures(c->graph, &p), "structures");
    memcpy(order, p.inner, (size_t)p.n_inner * sizeof *order);
    int64_t least = least_cost(&p, order, 0);
    jc_pairs_fini(&p);
    return least;
}

/* Structures that are bounds of what a product has (a quarter of the entries and more) depend on the order, and with
 * them costs: rarely, and little. */
Test(elimination_structured, chains_cost_the_least_of_all_orders)
{
    jt_rng rng = {3};
    int64_t more = 0, cases = jt_cases(300);
    for (int64_t i = 0; i < cases; i++) {
        chain c = {.n = 0};
        jc_structure s;
        jt_case k;
        draw_chain(&rng, &c);
        jc_graph *graph = chain_graph(&c);
        case_of(&k, graph, c.n);
        int64_t least = least_of_all_orders(&k), cost = chain_cost(&c, &s);
        cr_assert(least <= cost && 10 * cost <= 11 * least, "case %lld: %lld, the least is %lld", (long long)i,
                  (long long)cost, (long long)least);
        more += cost > least;
        jt_case_fini(&k);
        jc_graph_destroy(graph);
    }
    cr_assert_leq(50 * more, cases, "%lld of %lld", (long long)more, (long long)cases);
}

/* ---- what becomes dense ------------------------------------------------------------------------------------------ */

/* I_3 (x) D behind D (x) I_2: no blocks in common. 6 x 6 from 3 blocks of 2 x 2, and of 3 x 3 twice. */
Test(elimination_structured, a_product_that_becomes_dense_is_named)
{
    chain c = {.n = 2, .size = {6, 6, 6}, .factor = {dense(3, 2, 2), dense(1, 3, 3)}};
    c.factor[1].inner = 2;
    jc_graph *graph = chain_graph(&c);
    jt_case k;
    case_of(&k, graph, 2);
    const jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e = eliminate(&k, &options);
    const jc_densified *d = e.densified.data;
    cr_assert_eq(e.densified.count, 1);
    cr_assert(d->of == 2 && d->via == 1 && d->wrt == 0 && d->entries == 36);
    cr_assert_str_eq(d->left, "inner blocks");
    cr_assert_str_eq(d->right, "batch blocks");
    cr_assert(d->multiply_adds == 6 * 12 && e.cost == 6 * 12, "%lld", (long long)d->multiply_adds);
    jc_elimination_fini(&graph->allocator, &e);
    jt_case_fini(&k);
    jc_graph_destroy(graph);
}

/* ---- orders that are given --------------------------------------------------------------------------------------- */

static void judge_refused(const jt_case *c, const int64_t *sequence, int64_t n, const char *text)
{
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e = {.cost = -7};
    bool found = false;
    options.sequence = sequence, options.n_sequence = n;
    cr_assert_eq(jc_elimination_create(c->graph, &c->subgraph, &options, &found, &e), JC_E_USAGE);
    cr_assert(strstr(jc_last_error(), text), "'%s' is not in '%s'", text, jc_last_error());
    cr_assert(!found && e.cost == -7);
}

Test(elimination_structured, a_given_order_is_taken_or_refused_with_the_reason)
{
    chain c = {.n = 4, .size = {1, 9, 9, 9, 2}};
    for (int64_t k = 0; k < 4; k++) c.factor[k] = dense(1, c.size[k + 1], c.size[k]);
    jc_graph *graph = chain_graph(&c);
    jt_case k;
    case_of(&k, graph, 4);
    static const int64_t worst[] = {2, 1, 3}, twice[] = {2, 1, 2}, few[] = {3, 1}, end[] = {1, 2, 4}, beyond[] = {9};
    char name[64];
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    options.sequence = worst, options.n_sequence = 3, options.bound = 1, options.entry_limit = 1;
    jc_elimination e = eliminate(&k, &options);
    cr_assert(e.cost == 9 * 9 * 9 + 9 * 9 + 2 * 9 && !memcmp(e.order, worst, sizeof worst), "%lld", (long long)e.cost);
    jc_elimination_fini(&graph->allocator, &e);
    jc_graph_variable_name(graph, 2, name, sizeof name);
    judge_refused(&k, twice, 3, strcat(name, " is there twice"));
    jc_graph_variable_name(graph, 2, name, sizeof name);
    judge_refused(&k, few, 2, strcat(name, " is missing"));
    judge_refused(&k, end, 3, "does not lie between others");
    judge_refused(&k, beyond, 1, "node 9 of 5");
    jt_case_fini(&k);
    jc_graph_destroy(graph);
}

/* ---- what is too large to be planned ----------------------------------------------------------------------------- */

/* Three edges of a million blocks of 10 x 10: 10^8 entries each, which are not listed. */
Test(elimination_structured, blocks_with_too_many_entries_are_left_to_the_sweep_or_refused)
{
    enum { BATCH = 1000000 };
    chain c = {.n = 3};
    for (int64_t v = 0; v <= 3; v++) c.size[v] = 10 * (int64_t)BATCH;
    for (int64_t k = 0; k < 3; k++) {
        c.factor[k] = (jc_jacobian)JC_JACOBIAN_INIT(JC_DENSE);
        c.factor[k].batch = BATCH;
    }
    jc_graph *graph = chain_graph(&c);
    const jc_vertex order[2] = {{1, 0}, {2, 0}};
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan;
    int64_t of = 3, wrt = 0;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = JC_ORDER_ELIMINATION;
    jt_ok(jc_plan_create(graph, &q, &plan), "plan");
    cr_assert(plan->by_elimination && !plan->eliminates);
    cr_assert_eq(plan->elimination_cost, jc_min(plan->reverse_cost, plan->forward_cost));
    jc_plan_destroy(plan);
    q.eliminate = order, q.n_eliminate = 2, plan = NULL;
    cr_assert_eq(jc_plan_create(graph, &q, &plan), JC_E_MEMORY);
    cr_assert(strstr(jc_last_error(), "too many entries"), "%s", jc_last_error());
    cr_assert_null(plan);
    jc_graph_destroy(graph);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

/* 20 levels of 20 variables of 60, each reading two of the level before by sparse Jacobians of patterns of their own:
 * sums of products of them are of more and more different patterns. */
static jc_graph *sparse_layers(jt_pool *pool)
{
    enum { LEVELS = 20, WIDTH = 20, SIZE = 60, ENTRIES = 2 * SIZE };
    jc_graph *graph;
    jt_rng rng = {1};
    int64_t *indptr = jt_alloc(pool, SIZE + 1, sizeof *indptr);
    for (int64_t i = 0; i <= SIZE; i++) indptr[i] = 2 * i;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t v = 0; v <= LEVELS * WIDTH; v++) jt_add_variable(graph, SIZE);
    for (int64_t v = 1; v <= LEVELS * WIDTH; v++)
        for (int64_t k = 0; k < 2; k++) {
            jc_jacobian j = JC_JACOBIAN_INIT(JC_CSR);
            int64_t *indices = jt_alloc(pool, ENTRIES, sizeof *indices), first = v - WIDTH - v % WIDTH;
            for (int64_t i = 0; i < SIZE; i++) {
                indices[2 * i] = jt_below(&rng, SIZE - 1);
                indices[2 * i + 1] = jt_between(&rng, indices[2 * i] + 1, SIZE - 1);
            }
            j.indptr = jc_array_1d(JC_I64, SIZE + 1, indptr);
            j.indices = jc_array_1d(JC_I64, ENTRIES, indices);
            j.values = jc_array_1d(JC_F64, ENTRIES, zeros);
            jt_add_edge(graph, v, first < 0 ? 0 : first + jt_below(&rng, WIDTH), &j);
        }
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

Test(elimination_structured, many_different_patterns_do_not_take_long)
{
    jt_pool pool = {0};
    jc_graph *graph = sparse_layers(&pool);
    jt_case c;
    case_of(&c, graph, jc_graph_variable_count(graph) - 1);
    const jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    clock_t began = clock();
    jc_elimination e = eliminate(&c, &options);
    double took = (double)(clock() - began) / CLOCKS_PER_SEC;
    if (!JT_SANITIZED) cr_assert_lt(took, 2.0, "%g s", took);
    cr_assert_leq(e.cost, c.reverse_cost);
    printf("many patterns: %g s, cost %lld, reverse %lld\n", took, (long long)e.cost, (long long)c.reverse_cost);
    jt_judge_order(&c, &e);
    jc_elimination_fini(&graph->allocator, &e);
    jt_case_fini(&c);
    jc_graph_destroy(graph);
    jt_pool_free(&pool);
}

/* ---- patterns that are made once --------------------------------------------------------------------------------- */

enum { ALIKE = 20, OUTPUTS = 8, INPUTS = 9, SAMPLES = 4 };

/* y_k = the sum of `count` weights of one shape, x [SAMPLES, INPUTS] each its own, and of selects by one array. */
static int64_t pattern_work(int64_t count, int64_t most_work)
{
    static int64_t rows[OUTPUTS] = {1, 2, 3, 5, 7, 9, 11, 13}, sources[ALIKE];
    jc_graph *graph;
    jt_case c;
    jc_pairs pairs;
    jc_query q = JC_QUERY_INIT;
    int64_t of = count + 1;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int64_t k = 0; k < count; k++) jt_add_variable(graph, OUTPUTS * INPUTS), sources[k] = k;
    jt_add_variable(graph, SAMPLES * OUTPUTS);
    jt_add_variable(graph, OUTPUTS);
    for (int64_t k = 0; k < count; k++) {
        jc_jacobian weight = JC_JACOBIAN_INIT(JC_WEIGHT), select = JC_JACOBIAN_INIT(JC_SELECT);
        weight.x = jc_array_2d(JC_F64, SAMPLES, INPUTS, zeros + k);
        select.indices = jc_array_1d(JC_I64, OUTPUTS, rows);
        jt_add_edge(graph, count, k, &weight);
        jt_add_edge(graph, count + 1, count, &select);
    }
    jt_ok(jc_graph_finish(graph), "finish");
    q.of = &of, q.n_of = 1, q.wrt = sources, q.n_wrt = count;
    jt_case_init(&c, graph, &q);
    jt_ok(jc_pairs_create(graph, &c.subgraph, -1, &pairs), "pairs");
    pairs.pattern_work = most_work;
    jt_ok(jc_pairs_find_structures(graph, &pairs), "structures");
    cr_assert(pairs.structures);
    int64_t work = jc_structures_work(pairs.structures);
    jc_pairs_fini(&pairs);
    jt_case_fini(&c);
    jc_graph_destroy(graph);
    return work;
}

/* A weight without its x has no pattern to be shared: how many inputs it has is not known. */
Test(elimination_structured, a_weight_without_numbers_is_planned_as_a_full_D)
{
    chain c = {.n = 2, .size = {16, 8, 8}};
    c.factor[0] = (jc_jacobian)JC_JACOBIAN_INIT(JC_WEIGHT);
    c.factor[1] = dense(1, 8, 8);
    cr_assert_eq(chain_cost(&c, &(jc_structure){0}), 8 * 8 * 16);
}

/* The patterns of twenty weights of one shape and of twenty selects by one array are looked at as often as of one. */
Test(elimination_structured, a_pattern_is_made_once_for_all_jacobians_that_share_it)
{
    const int64_t weight = SAMPLES * OUTPUTS * (INPUTS + 1), select = 2 * OUTPUTS;
    cr_assert_eq(pattern_work(1, 0), weight + select);
    cr_assert_eq(pattern_work(ALIKE, 0), weight + select);
    cr_assert_eq(pattern_work(ALIKE, weight), weight, "beyond the work given no other pattern is made");
}
