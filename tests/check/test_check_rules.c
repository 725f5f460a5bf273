/* The check under path rules: what a backend computes passes, what was computed under other rules does not, and the
 * place of a residual is a variable and a state. */
#include <criterion/criterion.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "check/faulty.h"
#include "plan/plan.h"
#include "run/check.h"
#include "support/compute.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

/* ---- a backend's own totals -------------------------------------------------------------------------------------- */

static void check_backends(const jt_graph *g, const jc_query *q, uint64_t seed)
{
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int b = 0; b < n; b++) {
        jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
        jc_check_report *report;
        jc_check_summary s = {.struct_size = sizeof s};
        if (jt_is_exact(&backends[b])) continue;
        o.backend = backends[b].name, o.precision = backends[b].precision, o.threads = backends[b].threads;
        jt_ok(jt_check(g->graph, q, &o, &report), "check");
        jt_ok(jc_check_get_summary(report, &s), "summary");
        cr_assert_neq(s.verdict, JC_FAILED, "%llu, %s: ratio %g", (unsigned long long)seed, o.backend, s.ratio);
        cr_assert(s.variable < 0 ? s.n_states == 0 : s.state >= 0 && s.state < s.n_states);
        jc_check_destroy(report);
    }
}

Test(check_rules, what_backends_compute_under_random_rules_passes)
{
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(300); seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .max_paths = 300};
        jt_rng rng = {seed};
        jt_rules rules;
        jt_query q;
        if (!jt_in_sample(seed)) continue;
        jt_graph_random(&options, &g);
        jt_query_totals(&rng, &g, &q);
        jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &rules);
        q.query.rules = rules.rule, q.query.n_rules = rules.n;
        check_backends(&g, &q.query, seed);
        jt_rules_fini(&rules);
        jt_graph_fini(&g);
    }
}

/* ---- the place --------------------------------------------------------------------------------------------------- */

enum { N_VALUES = 4 };

/* A chain u -> v -> w -> x of scalars, two edges a and b at each place; x <- w is under the rule "exactly two a". */
static jc_graph *ladder(void)
{
    static const char *const labels[] = {"a", "b"};
    jc_graph *g;
    jt_ok(jc_graph_create(NULL, &g), "graph");
    for (int64_t i = 0, v; i < N_VALUES; i++)
        jt_ok(jc_graph_add_variable(g, (const char *[]){"u", "v", "w", "x"}[i], 1, &v), "variable");
    for (int64_t i = 0; i + 1 < N_VALUES; i++)
        for (int k = 0; k < 2; k++) {
            jc_jacobian j = JC_JACOBIAN_INIT(JC_IDENTITY);
            j.scale = 3 + (double)i + 2 * k;
            jt_ok(jc_graph_add_edge(g, i + 1, i, &j, &labels[k], 1), "edge");
        }
    jt_ok(jc_graph_finish(g), "finish");
    return g;
}

/* Every value in turn is off by a millionth: found at its variable, in a state of its own. */
Test(check_rules, a_residual_is_at_a_variable_and_a_state)
{
    jc_graph *g = ladder();
    int64_t x = 3, u = 0, found[N_VALUES][N_VALUES] = {{0}};
    jc_rule rule = {.kind = JC_RULE_USES, .labels = (const char *[]){"a"}, .n_labels = 1, .count = 2};
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan;
    q.of = &x, q.n_of = 1, q.wrt = &u, q.n_wrt = 1, q.rules = &rule, q.n_rules = 1, q.order = JC_ORDER_REVERSE;
    jt_ok(jc_plan_create(g, &q, &plan), "plan");
    for (int64_t v = 0; v < plan->n_values; v++) {
        jt_faulty how = {.base = jc_backend_find("reference"), .fault = JT_ENTRY, .value = v, .factor = 1e-6};
        jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
        jc_check_report *report;
        jc_check_summary s = {.struct_size = sizeof s};
        jt_ok(jc_check_on(g, &q, jt_faulty_backend(&how), &o, &report), "check");
        jt_ok(jc_check_get_summary(report, &s), "summary");
        cr_assert_eq(s.verdict, JC_FAILED);
        cr_assert_eq(s.variable, plan->subgraph.variable[plan->values[v].node]);
        cr_assert(s.state >= 0 && s.state < s.n_states && s.n_states < N_VALUES);
        found[s.variable][s.state]++;
        jc_check_destroy(report);
    }
    /* u starts; v was reached by a or b; so was w, by both or one of them; x ends */
    cr_assert_eq(found[0][0], 1);
    cr_assert(found[1][0] == 1 && found[1][1] == 1 && found[1][2] == 0);
    cr_assert(found[2][0] == 1 && found[2][1] == 1 && found[2][2] == 0);
    cr_assert_eq(plan->n_values, 5);
    jc_plan_destroy(plan);
    jc_graph_destroy(g);
}

/* A caller compiled before `state` was there. */
Test(check_rules, a_smaller_summary_is_filled_as_far_as_it_goes)
{
    jc_graph *g = ladder();
    int64_t x = 3;
    jc_query q = JC_QUERY_INIT;
    jc_check_report *report;
    jc_check_summary s;
    q.of = &x, q.n_of = 1;
    jt_ok(jc_check(g, &q, NULL, &report), "check");
    memset(&s, 7, sizeof s);
    s.struct_size = offsetof(jc_check_summary, state);
    jt_ok(jc_check_get_summary(report, &s), "summary");
    cr_assert_eq(s.verdict, JC_PASSED);
    cr_assert_eq(s.struct_size, offsetof(jc_check_summary, state));
    cr_assert(s.state == INT64_C(0x0707070707070707) && s.n_states == INT64_C(0x0707070707070707));
    s.struct_size--;
    cr_assert_eq(jc_check_get_summary(report, &s), JC_E_USAGE);
    jc_check_destroy(report);
    jc_graph_destroy(g);
}

/* ---- totals computed elsewhere ----------------------------------------------------------------------------------- */

/* The oracle's sums over the paths that rules keep (rules->n 0: over all), as a file would have them. */
static jc_array sums(jt_graph *g, const jt_rules *rules, int64_t of, int64_t wrt)
{
    int64_t n = g->size[of] * g->size[wrt];
    long double *exact = jt_total_where(&g->pool, g, of, wrt, false, jt_rules_keep, (void *)rules);
    double *rounded = jt_alloc(&g->pool, n, sizeof *rounded);
    for (int64_t i = 0; i < n; i++) rounded[i] = (double)exact[i];
    return jc_array_2d(JC_F64, g->size[of], g->size[wrt], rounded);
}

static jc_verdict judge(const jt_graph *g, const jt_rules *rules, int64_t of, int64_t wrt, const jc_array *values)
{
    jc_check_report *report;
    jc_check_summary s = {.struct_size = sizeof s};
    jt_ok(jc_check_against_rules(g->graph, rules->rule, rules->n, 1, &of, &wrt, values, JC_PRECISION_F64, &report),
          "against");
    jt_ok(jc_check_get_summary(report, &s), "summary");
    jc_check_destroy(report);
    return s.verdict;
}

static bool same(const jc_array *a, const jc_array *b)
{
    return !memcmp(a->data, b->data, (size_t)(a->dims[0] * a->dims[1]) * sizeof(double));
}

/* Restricted totals pass under their rules, and not without; unrestricted ones the other way round. */
Test(check_rules, totals_from_elsewhere_are_judged_under_the_rules_they_were_computed_under)
{
    int64_t differ = 0, agree = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(400); seed++) {
        jt_graph g;
        jt_graph_options options = {
            .seed = seed, .numbers = JT_SMALL, .largest = 0x1p23, .max_paths = 300, .no_operators = true};
        jt_rng rng = {seed};
        jt_rules rules, none;
        jt_graph_random(&options, &g);
        int64_t of = g.topological[g.n_variables - 1], wrt = g.topological[jt_below(&rng, (g.n_variables + 1) / 2)];
        jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &rules);
        none = (jt_rules){.graph = &g};
        jc_array restricted = sums(&g, &rules, of, wrt), whole = sums(&g, &none, of, wrt);
        bool equal = same(&restricted, &whole);
        cr_assert_eq(judge(&g, &rules, of, wrt, &restricted), JC_PASSED, "%llu", (unsigned long long)seed);
        cr_assert_eq(judge(&g, &none, of, wrt, &restricted), equal ? JC_PASSED : JC_FAILED);
        cr_assert_eq(judge(&g, &rules, of, wrt, &whole), equal ? JC_PASSED : JC_FAILED);
        differ += !equal, agree += equal;
        jt_rules_fini(&rules);
        jt_graph_fini(&g);
    }
    cr_assert(differ > jt_cases(50) && agree > jt_cases(20), "%lld, %lld", (long long)differ, (long long)agree);
}
