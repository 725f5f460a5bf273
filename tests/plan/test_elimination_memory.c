/* Every allocation of a search made to fail once: a clean error, nothing lost, outputs as they were. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "plan/cases.h"
#include "plan/elimination/search.h"
#include "support/compute.h"
#include "support/failing_allocator.h"

typedef struct planned {
    failing_allocator memory;
    jc_allocator allocator;
    jc_graph *graph;
    jt_case c;
    jc_pairs pairs;
    int64_t work, n_found;
    bool structured;
} planned;

/* `n` variables of sizes 1 .. 5; each reads the one before, and every `skip`-th edge, one further back, skips some.
 * Every third one is an operator; structured: selects from the first entries. */
static void planned_init(planned *p, int64_t n, int64_t skip, int64_t work, bool structured)
{
    static int64_t places[5];
    jc_graph_options options = {.struct_size = sizeof options};
    jc_query q = JC_QUERY_INIT;
    int64_t of = n - 1, wrt = 0, number;
    memset(p, 0, sizeof *p);
    p->work = work, p->structured = structured;
    p->allocator = failing_allocator_init(&p->memory, -1);
    options.allocator = &p->allocator;
    jt_ok(jc_graph_create(&options, &p->graph), "graph");
    for (int64_t v = 0; v < n; v++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", (int)v);
        jt_ok(jc_graph_add_variable(p->graph, name, 1 + v % 5, &number), name);
        jc_jacobian j = JC_JACOBIAN_INIT(v % 3 ? JC_DENSE : JC_OPERATOR);
        if (v % 3 == 0) j.op = (jc_operator){NULL, NULL, 3, 4, 5};
        if (v % 3 == 0 && structured) {
            j = (jc_jacobian)JC_JACOBIAN_INIT(JC_SELECT);
            j.indices = jc_array_1d(JC_I64, 1 + v % 5, places);
        }
        if (v) jt_ok(jc_graph_add_edge(p->graph, v, v - 1, &j, NULL, 0), "edge");
        if (skip && v > 3 && v % skip == 0) jt_ok(jc_graph_add_edge(p->graph, v, v - 3, &j, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(p->graph), "finish");
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    jt_case_init(&p->c, p->graph, &q);
}

static void planned_fini(planned *p)
{
    jt_case_fini(&p->c);
    jc_graph_destroy(p->graph);
    cr_assert(p->memory.live_blocks == 0 && p->memory.defects == 0);
}

static jc_status create_body(void *ctx)
{
    planned *p = ctx;
    jc_elimination_options options = {.work = p->work, .seed = 1, .tape_limit = -1, .bound = -1};
    jc_elimination e = {.cost = -7};
    bool found = false;
    jc_status status = jc_elimination_create(p->graph, &p->c.subgraph, &options, &found, &e);
    if (status) cr_assert(!found && e.cost == -7, "outputs are set on success only");
    p->n_found += found;
    if (found) jc_elimination_fini(&p->allocator, &e);
    return status;
}

/* The parts that graphs of a thousand nodes need, on smaller ones. */
static jc_status sparse_body(void *ctx)
{
    planned *p = ctx;
    int64_t order[64], cost = -7, products;
    bool found;
    const jc_sparse how = {(jc_sparse_way)p->work, true, INT64_MAX, INT64_MAX};
    jc_pairs pairs;
    jc_status status = jc_pairs_create(p->graph, &p->c.subgraph, -1, &pairs);
    if (status) return status;
    if (p->structured) status = jc_pairs_find_structures(p->graph, &pairs);
    if (!status) status = jc_sparse_order(&pairs, &how, &found, order, &cost, &products);
    cr_assert(status || (pairs.structures != NULL) == p->structured);
    cr_assert_eq(cost == -7, status != JC_OK);
    jc_pairs_fini(&pairs);
    return status;
}

static jc_status chain_body(void *ctx)
{
    planned *p = ctx;
    int64_t order[JC_CHAIN_EXACT + 1], cost;
    return jc_chain_order(&p->pairs, JC_ELIMINATION_WORK, order, &cost);
}

/* Exact search; rules and annealing; a chain. */
Test(elimination_memory, every_allocation_of_a_search_may_fail)
{
    static const struct {
        int64_t variables, skip, work;
        bool structured;
    } cases[] = {{9, 2, 100000, false}, {30, 2, 3000, false}, {9, 0, 0, false},
                 {9, 2, 40000, true},   {24, 2, 300, true},   {9, 0, 0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        planned p;
        planned_init(&p, cases[i].variables, cases[i].skip, cases[i].work, cases[i].structured);
        cr_assert_gt(failing_allocator_sweep(&p.memory, "an elimination", create_body, &p), 20);
        cr_assert_gt(p.n_found, 0, "case %zu", i);
        planned_fini(&p);
    }
}

/* The same graph with and without structures. */
static void judge_large(int way, bool structured)
{
    planned p;
    bool chain = way == JC_SPARSE_WAYS;
    planned_init(&p, chain ? JC_CHAIN_EXACT + 1 : 30, chain ? 0 : 2, way, structured);
    jt_ok(jc_pairs_create(p.graph, &p.c.subgraph, -1, &p.pairs), "pairs");
    failing_allocator_sweep(&p.memory, "an order", chain ? chain_body : sparse_body, &p);
    jc_pairs_fini(&p.pairs);
    planned_fini(&p);
}

Test(elimination_memory, every_allocation_for_large_graphs_may_fail)
{
    for (int way = 0; way <= JC_SPARSE_WAYS; way++) judge_large(way, false);
    for (int way = 0; way < JC_SPARSE_WAYS; way++) judge_large(way, true);
}
