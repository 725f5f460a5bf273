/* Learning rules as restricted totals, on a spiking network whose gradients another program has computed
 * (examples/lsnn.expected.safetensors), and against every path of it by itself. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "rules/network.h"
#include "support/compute.h"
#include "support/expected.h"

#define EPROP "param leak* spike readout filter* loss"
#define SNAP1 "param (leak | spike reset)* spike readout filter* loss"
#define HOPS(M) "param (leak | spike reset)* (spike rec (leak | spike reset)*){0," #M "} spike readout filter* loss"
#define WINDOW(K) "param (leak | spike (rec | reset)){0," #K "} spike readout filter* loss"

/* ---- what a rule keeps, written down without expressions --------------------------------------------------------- */

static int64_t uses(const jt_net_edge *const *edge, int64_t n, const char *label)
{
    int64_t count = 0;
    for (int64_t i = 0; i < n; i++) count += !strcmp(edge[i]->label, label);
    return count;
}

/* The edges before the one that reads a spike out: those of the network. */
static int64_t inside(const jt_net_edge *const *edge, int64_t n)
{
    int64_t i = 0;
    while (i < n && strcmp(edge[i]->label, "readout") != 0) i++;
    return i;
}

static bool keeps_all(const jt_net_edge *const *edge, int64_t n, int64_t how)
{
    (void)edge, (void)n, (void)how;
    return true;
}

static bool keeps_own_neuron_without_spikes(const jt_net_edge *const *edge, int64_t n, int64_t how)
{
    (void)how;
    return !uses(edge, n, "rec") && !uses(edge, n, "reset");
}

static bool keeps_at_most_hops(const jt_net_edge *const *edge, int64_t n, int64_t most)
{
    return uses(edge, n, "rec") <= most;
}

static bool keeps_exactly_hops(const jt_net_edge *const *edge, int64_t n, int64_t hops)
{
    return uses(edge, n, "rec") == hops;
}

static bool keeps_off_step(const jt_net_edge *const *edge, int64_t n, int64_t step)
{
    for (int64_t i = 0; i < n; i++)
        if (edge[i]->step == step) return false;
    return true;
}

static bool keeps_off_step_inside(const jt_net_edge *const *edge, int64_t n, int64_t step)
{
    return keeps_off_step(edge, inside(edge, n), step);
}

static bool keeps_short_memory(const jt_net_edge *const *edge, int64_t n, int64_t most)
{
    int64_t steps = 0;
    for (int64_t i = 0; i < inside(edge, n); i++) steps += edge[i]->step > 0;
    return steps <= most;
}

/* ---- rules ------------------------------------------------------------------------------------------------------- */

typedef struct learning_rule {
    const char *document, *known; /* a file of the examples; what another program calls it, or NULL */
    const char *match, *avoid_label;
    jt_keeps *keeps;
    int64_t how;
} learning_rule;

static const learning_rule rules[] = {
    {"lsnn", "bptt", NULL, NULL, keeps_all, 0},
    {"lsnn", "bptt", "param (leak | spike (rec | reset))* spike readout filter* loss", NULL, keeps_all, 0},
    {"lsnn", "eprop", EPROP, NULL, keeps_own_neuron_without_spikes, 0},
    {"lsnn", "eprop", "param (leak | spike)* readout .*", NULL, keeps_own_neuron_without_spikes, 0},
    {"lsnn", "snap1", SNAP1, NULL, keeps_at_most_hops, 0},
    {"lsnn", "snap1", NULL, "rec", keeps_at_most_hops, 0},
    {"lsnn", "one_hop", HOPS(1), NULL, keeps_at_most_hops, 1},
    {"lsnn", NULL, HOPS(2), NULL, keeps_at_most_hops, 2},
    {"lsnn", NULL, HOPS(3), NULL, keeps_at_most_hops, 3},
    {"lsnn", NULL, HOPS(4), NULL, keeps_at_most_hops, 4},
    {"lsnn", NULL, "param (leak | spike reset)* (spike rec (leak | spike reset)*){2} spike readout filter* loss", NULL,
     keeps_exactly_hops, 2},
    {"lsnn", "bptt", HOPS(5), NULL, keeps_at_most_hops, 5},
    {"lsnn", "bptt", HOPS(6), NULL, keeps_all, 0},
    {"lsnn", NULL, NULL, "t1", keeps_off_step, 1},
    {"lsnn", NULL, NULL, "t3", keeps_off_step, 3},
    {"lsnn", NULL, "param (t1 | t2 | t4 | t5 | spike)* readout filter* loss", NULL, keeps_off_step_inside, 3},
    {"lsnn", NULL, WINDOW(0), NULL, keeps_short_memory, 0},
    {"lsnn", NULL, WINDOW(1), NULL, keeps_short_memory, 1},
    {"lsnn", NULL, WINDOW(3), NULL, keeps_short_memory, 3},
    {"lsnn", "bptt", WINDOW(5), NULL, keeps_short_memory, 5},
    /* The same network, its variables named otherwise: the rule says something else of it. */
    {"lsnn_folded", "bptt", NULL, NULL, keeps_all, 0},
    {"lsnn_folded", "snap1", EPROP, NULL, keeps_at_most_hops, 0},
    {"lsnn_folded", "one_hop", "param leak* (spike rec leak*){0,1} spike readout filter* loss", NULL,
     keeps_at_most_hops, 1},
    {"lsnn_spelled", "bptt", NULL, NULL, keeps_all, 0},
    {"lsnn_spelled", "eprop", "param (leak | spike adapt)* spike readout filter* loss", NULL,
     keeps_own_neuron_without_spikes, 0},
};
enum { N_RULES = sizeof rules / sizeof rules[0] };

/* A query of E with respect to one parameter under the rule; it points into the struct. */
typedef struct asked {
    int64_t of, wrt;
    jc_rule rules[2];
    jc_query query;
} asked;

static void ask(asked *a, const jc_graph *graph, const learning_rule *rule, const char *wrt, jc_order order)
{
    int64_t n = 0;
    *a = (asked){.of = jc_graph_find_variable(graph, "E"), .wrt = jc_graph_find_variable(graph, wrt)};
    if (rule->match) a->rules[n++] = (jc_rule){.kind = JC_RULE_MATCH, .expression = rule->match};
    if (rule->avoid_label)
        a->rules[n++] = (jc_rule){.kind = JC_RULE_AVOID_LABEL, .labels = &rule->avoid_label, .n_labels = 1};
    a->query = (jc_query)JC_QUERY_INIT;
    a->query.of = &a->of, a->query.n_of = 1, a->query.wrt = &a->wrt, a->query.n_wrt = 1;
    a->query.order = order;
    a->query.rules = a->rules, a->query.n_rules = n;
}

/* ---- every rule -------------------------------------------------------------------------------------------------- */

static void check_total(const learning_rule *rule, const char *wrt, const jt_result *r, const long double *by_paths,
                        const char *how)
{
    jt_pool pool = {0};
    int64_t n = r->rows * r->cols;
    for (int64_t i = 0; i < n; i++)
        cr_assert_leq(fabsl(r->real[i] - by_paths[i]), 1e-13, "%s, %s, %s, %s: entry %lld is %.17g, not %.17Lg", how,
                      rule->document, rule->match, wrt, (long long)i, r->real[i], by_paths[i]);
    for (const char *const *known = (const char *const[]){"bptt", "eprop", "snap1", "one_hop", NULL}; *known; known++) {
        double most = jt_network_difference(&pool, *known, wrt, r->real, n);
        if (rule->known && !strcmp(rule->known, *known))
            cr_assert_leq(most, 1e-13, "%s, %s, %s: %s by %g", how, rule->match, wrt, *known, most);
        else if (rule->known)
            cr_assert_gt(most, 1e-3, "%s, %s, %s is %s too", how, rule->match, wrt, *known);
        else if (!strcmp(*known, "bptt") && !strcmp(wrt, "W_in")) /* W_rec has no spikes to weigh at the first step */
            cr_assert_gt(most, 1e-5, "%s, %s, %s is %s too", how, rule->match, wrt, *known);
    }
    jt_pool_free(&pool);
}

/* In double on every backend, in both orders. */
static void check_rule(const learning_rule *rule, const jt_network *net, const jc_graph *graph, const char *wrt)
{
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends), done = 0;
    jt_pool pool = {0};
    int64_t count;
    const long double *by_paths = jt_network_total(&pool, net, jt_network_find(net, "E"), jt_network_find(net, wrt),
                                                   rule->keeps, rule->how, &count);
    for (int b = 0; b < n; b++)
        for (jc_order order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++) {
            asked a;
            if (jt_is_exact(&backends[b]) || backends[b].precision != JC_PRECISION_F64) continue;
            ask(&a, graph, rule, wrt, order);
            jt_results results = jt_compute(&pool, graph, &a.query, &backends[b], NULL);
            check_total(rule, wrt, &results.result[0], by_paths, backends[b].name);
            done++;
        }
    cr_assert_geq(done, 2);
    jt_pool_free(&pool);
}

static void check_count(const learning_rule *rule, const jt_network *net, const jc_graph *graph, const char *wrt)
{
    jt_pool pool = {0};
    int64_t count;
    const char *text;
    asked a;
    jc_paths *paths;
    jt_network_total(&pool, net, jt_network_find(net, "E"), jt_network_find(net, wrt), rule->keeps, rule->how, &count);
    ask(&a, graph, rule, wrt, JC_ORDER_AUTO);
    jt_ok(jc_paths_create(graph, &a.query, &paths), "paths");
    jt_ok(jc_paths_count(paths, &text), "count");
    cr_assert_eq(strtoll(text, NULL, 10), count, "%s, %s: %s paths, not %lld", rule->document, rule->match, text,
                 (long long)count);
    jc_paths_destroy(paths);
    jt_pool_free(&pool);
}

/* Every variable and state by its own equation, on every backend of the library. */
static void check_equations(const learning_rule *rule, const jt_network *net, const jc_graph *graph, const char *wrt)
{
    (void)net;
    for (int b = 0; jc_backend_name(b); b++) {
        asked a;
        jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
        jc_check_report *report;
        jc_check_summary summary = {.struct_size = sizeof summary};
        if (!jt_takes_part(jc_backend_name(b))) continue;
        options.backend = jc_backend_name(b);
        ask(&a, graph, rule, wrt, JC_ORDER_REVERSE);
        jt_ok(jc_check(graph, &a.query, &options, &report), "check");
        jt_ok(jc_check_get_summary(report, &summary), "summary");
        cr_assert_eq(summary.verdict, JC_PASSED, "%s, %s: ratio %g", options.backend, rule->match, summary.ratio);
        jc_check_destroy(report);
    }
}

static void each_rule(void (*check)(const learning_rule *, const jt_network *, const jc_graph *, const char *))
{
    for (int i = 0; i < N_RULES; i++) {
        jt_network net;
        jt_network_read(&net, rules[i].document);
        jc_graph *graph = jt_network_load(rules[i].document);
        check(&rules[i], &net, graph, "W_rec");
        check(&rules[i], &net, graph, "W_in");
        jc_graph_destroy(graph);
        jt_network_fini(&net);
    }
}

Test(learning_rules, totals_are_those_of_another_program_and_of_every_path_by_itself)
{
    each_rule(check_rule);
}

Test(learning_rules, as_many_paths_are_kept_as_there_are_one_by_one)
{
    each_rule(check_count);
}

Test(learning_rules, every_variable_and_state_satisfies_its_equation)
{
    each_rule(check_equations);
}

/* ---- hops -------------------------------------------------------------------------------------------------------- */

/* Paths from W_in to E with at most `hops` recurrent hops. */
static int64_t count_up_to(const jc_graph *graph, int64_t hops)
{
    char expression[256];
    const char *text;
    asked a;
    jc_paths *paths;
    snprintf(expression, sizeof expression,
             "param (leak | spike reset)* (spike rec (leak | spike reset)*){0,%lld} spike readout filter* loss",
             (long long)hops);
    ask(&a, graph, &(learning_rule){.match = expression}, "W_in", JC_ORDER_AUTO);
    jt_ok(jc_paths_create(graph, &a.query, &paths), "paths");
    jt_ok(jc_paths_count(paths, &text), "count");
    int64_t count = strtoll(text, NULL, 10);
    jc_paths_destroy(paths);
    return count;
}

/* From the first of six steps to the last there are five hops at most: on one path only. */
Test(learning_rules, each_hop_that_is_allowed_keeps_more_paths_until_five_keep_all)
{
    jc_graph *graph = jt_network_load("lsnn");
    int64_t last = 0;
    for (int64_t hops = 0; hops <= 5; hops++) {
        int64_t count = count_up_to(graph, hops);
        cr_assert_gt(count, last, "%lld hops", (long long)hops);
        if (hops == 5) cr_assert_eq(count, last + 1);
        last = count;
    }
    cr_assert_eq(last, 1974);
    cr_assert_eq(count_up_to(graph, 6), last);
    cr_assert_eq(count_up_to(graph, 1000), last);
    jc_graph_destroy(graph);
}
