/* How few and how many edges with a label paths use, against every path listed. */
#include <criterion/criterion.h>

#include "graph/graph.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"
#include "support/sanitized.h"

typedef struct counting {
    const jc_graph *graph;
    const char *const *labels;
    int64_t n_labels, fewest, most;
} counting;

static bool has_one(const counting *c, int64_t edge)
{
    int64_t n;
    const int64_t *of_edge = jc_graph_labels_of_set(c->graph, jc_graph_group(c->graph, edge)->label_set, &n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < c->n_labels; k++)
            if (of_edge[i] == jc_graph_find_label(c->graph, c->labels[k])) return true;
    return false;
}

static void visit(void *ctx, const int64_t *edges, int64_t n)
{
    counting *c = ctx;
    int64_t uses = 0;
    for (int64_t i = 0; i < n; i++) uses += has_one(c, edges[i]);
    if (c->fewest < 0 || uses < c->fewest) c->fewest = uses;
    if (uses > c->most) c->most = uses;
}

static jc_query query_of(const int64_t *of, const int64_t *wrt)
{
    jc_query q = JC_QUERY_INIT;
    q.of = of, q.n_of = 1, q.wrt = wrt, q.n_wrt = 1;
    return q;
}

Test(uses, of_labels_on_random_graphs_are_those_of_all_paths)
{
    static const char *const labels[] = {"b:1", "c/d"};
    int64_t n_between = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(60); seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 200, .numbers = JT_SMALL};
        jt_graph g;
        jt_graph_random(&options, &g);
        int64_t n_labels = seed % 2 ? 2 : 1;
        bool there = jc_graph_find_label(g.graph, labels[0]) >= 0 &&
                     (n_labels == 1 || jc_graph_find_label(g.graph, labels[1]) >= 0);
        for (int64_t of = 0; of < g.n_variables && there; of++)
            for (int64_t wrt = 0; wrt < g.n_variables; wrt++) {
                counting c = {g.graph, labels, n_labels, -1, -1};
                jc_query q = query_of(&of, &wrt);
                int64_t fewest = -7, most = -7;
                jt_each_path(&g, of, wrt, visit, &c);
                jt_ok(jc_paths_uses(g.graph, &q, labels, n_labels, &fewest, &most), "uses");
                cr_assert(fewest == c.fewest && most == c.most, "seed %d: %lld .. %lld, expected %lld .. %lld",
                          (int)seed, (long long)fewest, (long long)most, (long long)c.fewest, (long long)c.most);
                n_between += c.fewest >= 0 && c.fewest < c.most;
            }
        jt_graph_fini(&g);
    }
    cr_expect_gt(n_between, 50);
}

static jc_graph *labelled(const jc_allocator *allocator)
{
    static const char *const first[] = {"one"}, *const both[] = {"one", "two"};
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    jc_graph *g;
    int64_t a, b;
    if (jc_graph_create(&options, &g)) return NULL;
    jt_ok(jc_graph_add_variable(g, "a", 1, &a), "a variable");
    jt_ok(jc_graph_add_variable(g, "b", 1, &b), "a variable");
    jt_ok(jc_graph_add_edge(g, b, a, &identity, first, 1), "an edge");
    jt_ok(jc_graph_add_edge(g, b, a, &identity, both, 2), "an edge");
    jt_ok(jc_graph_finish(g), "finished");
    return g;
}

static jc_status count_uses(void *ctx)
{
    static const char *const two[] = {"two"};
    int64_t of = 1, wrt = 0, fewest, most;
    jc_query q = query_of(&of, &wrt);
    return jc_paths_uses(ctx, &q, two, 1, &fewest, &most);
}

Test(uses, rules_wrong_labels_and_failing_memory)
{
    static const char *const labels[] = {"two", "thre"};
    failing_allocator state;
    jc_allocator allocator = failing_allocator_init(&state, -1);
    jc_graph *g = labelled(&allocator);
    int64_t of = 1, wrt = 0, fewest = -7, most = -7;
    jc_query q = query_of(&of, &wrt);
    jt_ok(jc_paths_uses(g, &q, labels, 1, &fewest, &most), "uses");
    cr_expect(fewest == 0 && most == 1);
    jc_rule rule = {.kind = JC_RULE_AVOID_LABEL, .labels = labels, .n_labels = 1};
    q.rules = &rule, q.n_rules = 1;
    jt_ok(jc_paths_uses(g, &q, labels, 1, &fewest, &most), "uses under a rule");
    cr_expect(fewest == 0 && most == 0);
    fewest = most = -7;
    cr_expect_eq(jc_paths_uses(g, &q, labels, 2, &fewest, &most), JC_E_USAGE);
    cr_expect(fewest == -7 && most == -7);
    cr_expect_gt(failing_allocator_sweep(&state, "uses", count_uses, g), 5);
    jc_graph_destroy(g);
    cr_expect(state.live_blocks == 0 && state.defects == 0);
}
