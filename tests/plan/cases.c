#include "plan/cases.h"

#include <criterion/criterion.h>

#include "rules/query.h"
#include "support/compute.h"

static int64_t sweep_cost(const jt_case *c, bool reverse)
{
    jc_sweep sweep;
    jt_ok(jc_sweep_init(&sweep, c->graph, &c->subgraph, reverse, 0), "sweep");
    int64_t cost = sweep.cost;
    jc_sweep_fini(&sweep);
    return cost;
}

void jt_case_init(jt_case *c, const jc_graph *graph, const jc_query *query)
{
    jc_query checked;
    jc_walk walk;
    c->graph = graph;
    jt_ok(jc_query_check(graph, query, &checked), "query");
    jt_ok(jc_walk_create(graph, &checked, &walk), "walk");
    jt_ok(jc_subgraph_create(&walk, &checked, JC_ORDER_REVERSE, &c->subgraph), "subgraph");
    jc_walk_fini(&graph->allocator, &walk);
    c->reverse_cost = sweep_cost(c, true);
    c->forward_cost = sweep_cost(c, false);
}

void jt_case_fini(jt_case *c)
{
    jc_subgraph_fini(&c->graph->allocator, &c->subgraph);
}
