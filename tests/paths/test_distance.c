/* Distances to a target against the shortest of all paths, each listed. */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "paths/distance.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"
#include "support/sanitized.h"

/* The shortest path seen, of those with no avoided variable strictly inside. */
typedef struct shortest {
    const jt_graph *graph;
    int64_t avoid; /* -1: none */
    int64_t edges; /* -1: none seen */
} shortest;

static void visit(void *ctx, const int64_t *edges, int64_t n)
{
    shortest *s = ctx;
    for (int64_t i = 1; i < n; i++) {
        if (s->graph->edges[edges[i]].of == s->avoid) return;
    }
    if (s->edges < 0 || n < s->edges) s->edges = n;
}

/* Every variable as a source, in falling order; returns how many distances differ from those without the rule. */
static int64_t expect_distances(jt_graph *g, int64_t of, int64_t avoid, int64_t *plain)
{
    int64_t n = g->n_variables, changed = 0;
    int64_t *wrt = jt_alloc(&g->pool, n, sizeof *wrt), *distance = jt_alloc(&g->pool, n, sizeof *distance);
    jc_rule rule = {.kind = JC_RULE_AVOID, .variables = &avoid, .n_variables = 1};
    jc_query q = JC_QUERY_INIT;
    for (int64_t i = 0; i < n; i++) wrt[i] = n - 1 - i;
    q.of = &of, q.n_of = 1, q.wrt = wrt, q.n_wrt = n;
    q.rules = &rule, q.n_rules = avoid >= 0;
    jt_ok(jc_distances(g->graph, &q, distance), "distances");
    for (int64_t i = 0; i < n; i++) {
        shortest s = {g, avoid, -1};
        jt_each_path(g, of, wrt[i], visit, &s);
        cr_expect_eq(distance[i], s.edges, "%lld to %lld: %lld, expected %lld", (long long)wrt[i], (long long)of,
                     (long long)distance[i], (long long)s.edges);
        changed += plain[i] != distance[i];
        plain[i] = distance[i];
    }
    return changed;
}

Test(distance, is_that_of_the_shortest_path_that_is_kept)
{
    int64_t changed = 0;
    for (uint64_t seed = 1; seed <= (uint64_t)jt_cases(200); seed++) {
        jt_graph g;
        jt_graph_random(&(jt_graph_options){.seed = seed, .n_variables = 6 + (int64_t)(seed % 5), .max_paths = 200},
                        &g);
        int64_t *plain = jt_alloc(&g.pool, g.n_variables, sizeof *plain);
        int64_t of = g.topological[g.n_variables - 1 - (int64_t)(seed % 3)];
        expect_distances(&g, of, -1, plain);
        changed += expect_distances(&g, of, g.topological[g.n_variables / 2 + (int64_t)(seed % 2)], plain);
        jt_graph_fini(&g);
    }
    cr_expect_gt(changed, 5, "the rule changed %lld distances only", (long long)changed);
}

/* a -> b -> c -> d with a short cut a -> d, twice over b. */
static jc_graph *short_cut(const jc_allocator *allocator)
{
    static const int64_t ends[][2] = {{1, 0}, {2, 1}, {3, 2}, {3, 0}, {1, 0}};
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    jc_graph *g = NULL;
    jt_ok(jc_graph_create(&options, &g), "a graph");
    for (int64_t v = 0; v < 4; v++)
        jt_ok(jc_graph_add_variable(g, (char[]){(char)('a' + v), 0}, 1, NULL), "a variable");
    for (int e = 0; e < 5; e++) jt_ok(jc_graph_add_edge(g, ends[e][0], ends[e][1], &identity, NULL, 0), "an edge");
    jt_ok(jc_graph_finish(g), "finishing");
    return g;
}

static jc_query query_of(const jc_rule *rule)
{
    static const int64_t of = 3, wrt[] = {0, 1, 2, 3};
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = wrt, q.n_wrt = 4;
    q.rules = rule, q.n_rules = rule != NULL;
    return q;
}

static void expect(const jc_graph *g, const jc_query *q, const int64_t *expected)
{
    int64_t distance[4] = {-7, -7, -7, -7};
    jt_ok(jc_distances(g, q, distance), "distances");
    for (int i = 0; i < 4; i++) cr_expect_eq(distance[i], expected[i], "%d: %lld", i, (long long)distance[i]);
}

Test(distance, rules_and_the_empty_path_change_it)
{
    static const int64_t b = 1, edges[] = {0, 1, 2};
    jc_graph *g = short_cut(NULL);
    jc_rule through = {.kind = JC_RULE_THROUGH, .variables = &b, .n_variables = 1};
    jc_query q = query_of(NULL);
    expect(g, &q, (const int64_t[]){1, 2, 1, 0});
    q.no_empty_path = 1;
    expect(g, &q, (const int64_t[]){1, 2, 1, -1});
    q = query_of(NULL);
    q.edges = edges, q.n_edges = 3;
    expect(g, &q, (const int64_t[]){3, 2, 1, 0});
    q = query_of(&through);
    expect(g, &q, (const int64_t[]){3, -1, -1, -1});
    cr_expect_eq(jc_distances(g, &(jc_query){.struct_size = 1}, NULL), JC_E_USAGE);
    jc_graph_destroy(g);
}

static jc_status memory_body(void *ctx)
{
    static const int64_t b = 1;
    jc_rule through = {.kind = JC_RULE_THROUGH, .variables = &b, .n_variables = 1};
    jc_query q = query_of(&through);
    int64_t distance[4] = {-7, -7, -7, -7};
    jc_status status = jc_distances(ctx, &q, distance);
    cr_assert(status ? distance[0] == -7 : distance[0] == 3);
    return status;
}

Test(distance, every_allocation_may_fail)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph *g = short_cut(&allocator);
    cr_expect_gt(failing_allocator_sweep(&memory, "distances", memory_body, g), 5);
    jc_graph_destroy(g);
}
