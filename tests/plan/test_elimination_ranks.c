/* low_rank edges split at their rank: the graph has the same totals, and its sweeps the same costs. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "plan/cases.h"
#include "rules/query.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"
#include "support/sanitized.h"

/* ---- edges as dense matrices ------------------------------------------------------------------------------------- */

/* A made Jacobian, I_batch (x) F (x) I_inner, from the numbers that it names in the graph. */
static long double *made_matrix(jt_pool *pool, const jc_graph *graph, const jc_subgraph *s, int64_t b)
{
    const jc_operand *operand = (const jc_operand *)s->operands.data + (-1 - b - s->n_extra);
    const jc_made *made = (const jc_made *)s->made.data + operand->made;
    const jc_shape *shape = &made->group.shape;
    const jc_field *field = &made->group.field[0],
                   *named = &((const jc_group *)graph->groups.data)[made->of_group].field[made->of_field];
    cr_assert(shape->kind == JC_DENSE && operand->value == -1 && made->group.has_numbers);
    cr_assert(field->data == named->data && field->stride == named->stride && field->dtype == named->dtype);
    cr_assert_eq(field->elements, shape->p * shape->q * (field->batched ? shape->batch : 1));
    const unsigned char *data = field->data + operand->member * field->stride;
    long double *matrix = jt_alloc(pool, shape->rows * shape->cols, sizeof *matrix);
    for (int64_t k = 0; k < shape->batch * shape->p * shape->q * shape->inner; k++) {
        int64_t r = k % shape->inner, j = k / shape->inner % shape->q, i = k / shape->inner / shape->q % shape->p,
                block = k / shape->inner / shape->q / shape->p;
        int64_t row = (block * shape->p + i) * shape->inner + r, col = (block * shape->q + j) * shape->inner + r,
                at = ((field->batched ? block * shape->p : 0) + i) * shape->q + j;
        matrix[shape->transpose ? col * shape->cols + row : row * shape->cols + col] =
            jc_load_float(field->dtype, data, at);
    }
    return matrix;
}

static long double *edge_matrix(jt_pool *pool, const jt_graph *g, const jc_subgraph *s, int64_t e)
{
    int64_t b = s->jacobian[e], entries = s->size[s->of[e]] * s->size[s->wrt[e]];
    if (b < 0) return made_matrix(pool, g->graph, s, b);
    long double *matrix = jt_alloc(pool, entries, sizeof *matrix);
    for (int64_t i = 0; i < entries; i++) matrix[i] = g->edges[b].dense[i];
    return matrix;
}

/* The totals of every node with respect to `from`, by the recurrence over the edges. */
static long double **totals(jt_pool *pool, const jt_graph *g, const jc_subgraph *s, int64_t from)
{
    long double **total = jt_alloc(pool, s->n_nodes, sizeof *total);
    int64_t n = s->size[from];
    for (int64_t v = 0; v < s->n_nodes; v++) total[v] = jt_alloc(pool, s->size[v] * n, sizeof **total);
    for (int64_t i = 0; i < n; i++) total[from][i * n + i] = 1;
    for (int64_t e = 0; e < s->n_edges; e++) {
        cr_assert_lt(s->wrt[e], s->of[e], "nodes are in topological order");
        cr_assert(!e || s->of[e - 1] <= s->of[e], "edges are sorted by `of`");
        const long double *D = edge_matrix(pool, g, s, e), *x = total[s->wrt[e]];
        int64_t rows = s->size[s->of[e]], cols = s->size[s->wrt[e]];
        for (int64_t i = 0; i < rows && s->of[e] != from; i++)
            for (int64_t k = 0; k < cols; k++)
                for (int64_t j = 0; j < n; j++) total[s->of[e]][i * n + j] += D[i * cols + k] * x[k * n + j];
    }
    return total;
}

/* ---- splits ------------------------------------------------------------------------------------------------------ */

static int64_t sweep_cost(const jc_graph *graph, const jc_subgraph *s, bool reverse)
{
    jc_sweep sweep;
    jt_ok(jc_sweep_init(&sweep, graph, s, reverse, NULL, 0), "sweep");
    int64_t cost = sweep.cost;
    jc_sweep_fini(&sweep);
    return cost;
}

static bool is_end(const int64_t *ends, int64_t n, int64_t node)
{
    for (int64_t i = 0; i < n; i++)
        if (ends[i] == node) return true;
    return false;
}

/* Rank nodes, and that no edge is left that costs less split, but results. */
static int64_t count_ranks(const jc_graph *graph, const jc_subgraph *s)
{
    int64_t n = 0;
    for (int64_t v = 0; v < s->n_nodes; v++) n += s->rank_of && s->rank_of[v] >= 0 && s->variable[v] == -1;
    for (int64_t e = 0; e < s->n_edges; e++) {
        const jc_group *group = s->jacobian[e] < 0 ? NULL : jc_graph_group(graph, s->jacobian[e]);
        bool result = is_end(s->target, s->n_targets, s->of[e]) && is_end(s->source, s->n_sources, s->wrt[e]);
        if (!group || group->shape.kind != JC_LOW_RANK || result) continue;
        cr_assert_geq(group->shape.m * (group->shape.p + group->shape.q), group->shape.p * group->shape.q);
    }
    return n;
}

static void judge_totals(const jt_graph *g, const jc_subgraph *s, const char *what)
{
    jt_pool pool = {0};
    for (int64_t i = 0; i < s->n_sources; i++) {
        if (s->source[i] < 0) continue;
        cr_assert_eq(s->variable[s->source[i]], s->source_variable[i]);
        long double **total = totals(&pool, g, s, s->source[i]);
        for (int64_t t = 0; t < s->n_targets; t++) {
            if (s->target[t] < 0) continue;
            int64_t of = s->target_variable[t], wrt = s->source_variable[i];
            cr_assert_eq(s->variable[s->target[t]], of);
            long double *expected = jt_total_by_recurrence(&pool, g, of, wrt, false);
            for (int64_t k = 0; k < g->size[of] * g->size[wrt]; k++)
                cr_assert_eq(total[s->target[t]][k], expected[k], "%s: entry %lld is %Lg, expected %Lg", what,
                             (long long)k, total[s->target[t]][k], expected[k]);
        }
    }
    jt_pool_free(&pool);
}

/* A case split, with n nodes of ranks. */
static int64_t split_case(uint64_t seed, int way, jt_graph *g, jt_case *c)
{
    jt_graph_options options = {.seed = seed, .numbers = JT_SMALL, .max_paths = 300};
    jt_query q;
    jt_rng rng = {seed};
    jt_graph_random(&options, g);
    if (way == 0)
        jt_query_totals(&rng, g, &q);
    else
        jt_query_seeded(&rng, g, way == 1 ? JC_SEED_ROWS : JC_SEED_COLUMNS, &q);
    jt_case_init(c, g->graph, &q.query);
    int64_t nodes = c->subgraph.n_nodes, edges = c->subgraph.n_edges;
    jt_ok(jc_subgraph_split_ranks(g->graph, &c->subgraph), "split");
    int64_t n = count_ranks(g->graph, &c->subgraph);
    cr_assert(c->subgraph.n_nodes == nodes + n && c->subgraph.n_edges == edges + n, "seed %d", (int)seed);
    return n;
}

/* The matrix of an edge at an end is there, that of its factors is not: then a sweep costs more. Where a seed is at the
 * sweep's start, it costs what it did: rank (p + q) a row. */
Test(elimination_ranks, totals_are_what_they_were_and_costs_of_seeded_sweeps)
{
    int64_t ranks = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(1500); seed++) {
        jt_graph g;
        jt_case c;
        char what[32];
        int way = (int)(seed % 3);
        snprintf(what, sizeof what, "seed %d", (int)seed);
        ranks += split_case(seed, way, &g, &c);
        if (way == 0)
            judge_totals(&g, &c.subgraph, what);
        else
            cr_assert_eq(sweep_cost(g.graph, &c.subgraph, way == 1), way == 1 ? c.reverse_cost : c.forward_cost, "%s",
                         what);
        jt_case_fini(&c);
        jt_graph_fini(&g);
    }
    cr_assert_gt(ranks, jt_cases(1500) / 20, "%lld", (long long)ranks);
}

/* x of 40 -> a of 50 by rank 2, a seed of 3 rows beyond a: the rank node lies between x and a, the seed stays. */
typedef struct low_rank {
    double u[100], v[80];
    jc_graph *graph;
} low_rank;

static void add_low_rank(low_rank *l, const jc_graph_options *options, bool numbers)
{
    int64_t number;
    jc_jacobian j = JC_JACOBIAN_INIT(JC_LOW_RANK);
    if (numbers) j.u = jc_array_2d(JC_F64, 50, 2, l->u), j.v = jc_array_2d(JC_F64, 40, 2, l->v);
    jt_ok(jc_graph_create(options, &l->graph), "graph");
    jt_ok(jc_graph_add_variable(l->graph, "x", 40, &number), "x");
    jt_ok(jc_graph_add_variable(l->graph, "a", 50, &number), "a");
    jt_ok(jc_graph_add_edge(l->graph, 1, 0, &j, NULL, 0), "edge");
    jt_ok(jc_graph_add_edge(l->graph, 1, 0, &j, NULL, 0), "edge");
    jt_ok(jc_graph_finish(l->graph), "finish");
}

static void low_rank_case(const low_rank *l, jt_case *c)
{
    jc_query q = JC_QUERY_INIT;
    int64_t of = 1, wrt = 0;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.seed = JC_SEED_ROWS, q.seed_width = 3;
    jt_case_init(c, l->graph, &q);
}

Test(elimination_ranks, a_rank_that_is_known_gets_a_node_between_and_extra_jacobians_stay)
{
    for (int numbers = 0; numbers < 2; numbers++) {
        low_rank l = {{0}, {0}, NULL};
        jt_case c;
        add_low_rank(&l, NULL, numbers);
        low_rank_case(&l, &c);
        jc_subgraph *s = &c.subgraph;
        jt_ok(jc_subgraph_split_ranks(l.graph, s), "split");
        cr_assert_eq(s->n_nodes, numbers ? 5 : 3);
        cr_assert_eq(s->jacobian[s->n_edges - 1], -1, "the seed");
        cr_assert(s->source[0] == 0 && s->target[0] == s->n_nodes - 1);
        if (numbers) cr_assert(s->size[1] == 2 && s->rank_of[1] == 0 && s->rank_of[2] == 1 && s->rank_of[3] == -1);
        if (numbers) cr_assert(s->of[0] == 1 && s->wrt[0] == 0 && s->of[2] == 3 && s->wrt[2] == 1 && s->wrt[3] == 2);
        if (numbers) cr_assert_eq(s->made.count, 4, "factors of two groups");
        cr_assert_eq(jc_subgraph_operand(s, -1), NULL);
        jt_case_fini(&c);
        jc_query q = JC_QUERY_INIT;
        int64_t of = 1, wrt = 0;
        q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
        jt_case_init(&c, l.graph, &q);
        jt_ok(jc_subgraph_split_ranks(l.graph, &c.subgraph), "split");
        cr_assert(c.subgraph.n_nodes == 2 && !c.subgraph.rank_of, "a result is a matrix in any case");
        jt_case_fini(&c);
        jc_graph_destroy(l.graph);
    }
}

typedef struct memory {
    failing_allocator allocator;
    low_rank l;
} memory;

static jc_status split_body(void *ctx)
{
    memory *m = ctx;
    jc_walk walk;
    jc_query q = JC_QUERY_INIT, checked;
    jc_subgraph s;
    int64_t of = 1, wrt = 0;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.seed = JC_SEED_ROWS, q.seed_width = 3;
    jc_status status = jc_query_check(m->l.graph, &q, &checked);
    if (!status) status = jc_walk_create(m->l.graph, &checked, &walk);
    if (status) return status;
    status = jc_subgraph_create(&walk, &checked, JC_ORDER_REVERSE, &s);
    if (!status) {
        int64_t *of_before = s.of;
        status = jc_subgraph_split_ranks(m->l.graph, &s);
        cr_assert_eq(s.of == of_before, status != JC_OK, "a subgraph is changed on success only");
        jc_subgraph_fini(&m->l.graph->allocator, &s);
    }
    jc_walk_fini(&m->l.graph->allocator, &walk);
    return status;
}

Test(elimination_ranks, every_allocation_may_fail)
{
    memory m = {.l = {{0}, {0}, NULL}};
    jc_allocator a = failing_allocator_init(&m.allocator, -1);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &a};
    add_low_rank(&m.l, &options, true);
    cr_assert_gt(failing_allocator_sweep(&m.allocator, "a split", split_body, &m), 20);
    jc_graph_destroy(m.l.graph);
    cr_assert(m.allocator.live_blocks == 0 && m.allocator.defects == 0);
}
