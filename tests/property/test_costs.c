/* The costs that a plan names, against their definition. */
#include <criterion/criterion.h>

#include "support/compute.h"
#include "support/folds.h"
#include "support/oracle.h"
#include "support/random_query.h"

static bool is_listed(int64_t v, const int64_t *list, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (list[i] == v) return true;
    return false;
}

/* Whether v is one of the variables, or a path leads from v to one (up), to v from one (not up). */
static bool touches(const jt_graph *g, int64_t v, const int64_t *list, int64_t n, bool up)
{
    for (int64_t i = 0; i < n; i++)
        if ((up ? jt_count_paths(g, list[i], v) : jt_count_paths(g, v, list[i])) > 0) return true;
    return false;
}

/* Rows of the targets, v itself not counted, that are carried to v. */
static int64_t carried(const jt_graph *g, int64_t v, const int64_t *seeded, int64_t n)
{
    int64_t rows = 0;
    for (int64_t i = 0; i < n; i++)
        if (seeded[i] != v && touches(g, v, &seeded[i], 1, true)) rows += g->size[seeded[i]];
    return rows;
}

/* The same forward: folded rows count as often as they are held. */
static int64_t carried_forward(const jt_graph *g, int64_t v, const jc_query *q)
{
    jt_pool pool = {0};
    int64_t **of_source = jt_forward_rows(&pool, g, q), rows = 0;
    for (int64_t s = 0; s < q->n_wrt; s++) rows += of_source[s][v];
    jt_pool_free(&pool);
    return rows;
}

/* Every edge between the ends is applied to the rows (columns) computed at its outer end; an identity costs nothing to
 * multiply with, but an operator is applied to it. */
static int64_t sweep_cost(const jt_graph *g, const jc_query *q, bool reverse)
{
    const int64_t *seeded = reverse ? q->of : q->wrt, *others = reverse ? q->wrt : q->of;
    int64_t n_seeded = reverse ? q->n_of : q->n_wrt, n_others = reverse ? q->n_wrt : q->n_of, cost = 0;
    for (int64_t e = 0; e < g->n_edges; e++) {
        const jt_edge *edge = &g->edges[e];
        int64_t tail = reverse ? edge->of : edge->wrt, head = reverse ? edge->wrt : edge->of;
        if (!touches(g, head, others, n_others, !reverse)) continue;
        int64_t rows = reverse ? carried(g, tail, seeded, n_seeded) : carried_forward(g, tail, q);
        if (edge->is_operator && is_listed(tail, seeded, n_seeded)) rows += g->size[tail];
        cost += rows * edge->cost[reverse ? JC_ADJOINT : JC_TANGENT];
    }
    return cost;
}

Test(property, both_orders_cost_what_their_definition_says)
{
    int64_t differ = 0, forward = 0;
    for (uint64_t seed = 0; seed < 1000; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL, .n_variables = seed % 8 ? 0 : 16};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jc_plan *plan;
        jc_plan_info info = {.struct_size = sizeof info};
        jt_query_totals(&rng, &g, &q);
        q.query.order = JC_ORDER_AUTO;
        if (!q.query.n_wrt) q.query.n_wrt = 1, q.wrt[0] = g.topological[0];
        jt_ok(jc_plan_create(g.graph, &q.query, &plan), "plan");
        jt_ok(jc_plan_get_info(plan, &info), "info");
        int64_t reverse_cost = sweep_cost(&g, &q.query, true), forward_cost = sweep_cost(&g, &q.query, false);
        cr_assert_eq(info.reverse_cost, reverse_cost, "seed %llu: reverse %lld, expected %lld",
                     (unsigned long long)seed, (long long)info.reverse_cost, (long long)reverse_cost);
        cr_assert_eq(info.forward_cost, forward_cost, "seed %llu: forward %lld, expected %lld",
                     (unsigned long long)seed, (long long)info.forward_cost, (long long)forward_cost);
        bool cheaper_forward = forward_cost < reverse_cost;
        cr_assert_eq(info.order, cheaper_forward ? JC_ORDER_FORWARD : JC_ORDER_REVERSE);
        cr_assert_eq(info.multiply_adds, cheaper_forward ? forward_cost : reverse_cost);
        differ += forward_cost != reverse_cost, forward += cheaper_forward;
        jc_plan_destroy(plan);
        jt_graph_fini(&g);
    }
    cr_assert(differ > 300 && forward > 100, "%lld differ, %lld forward", (long long)differ, (long long)forward);
}
