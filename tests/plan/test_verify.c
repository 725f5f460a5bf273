/* The verifier accepts every plan that is made and rejects each of a list of broken ones. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "plan/patient.h"
#include "plan/verify.h"
#include "property/fold_graph.h"
#include "support/compute.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

/* Some request: totals, a vjp, a jvp, per-sample totals, or totals in windows (whose limit is returned). */
static int64_t any_request(jt_rng *rng, const jt_graph *g, int64_t samples, jt_query *q)
{
    int64_t which = jt_below(rng, 5);
    if (which == 1 || which == 2) {
        jt_query_seeded(rng, g, which == 1 ? JC_SEED_ROWS : JC_SEED_COLUMNS, q);
        return 0;
    }
    jt_query_totals(rng, g, q);
    if (which == 3 && samples > 1) q->query.per_sample = samples;
    if (which != 4) return 0;
    q->query.order = jt_below(rng, 2) ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
    if (q->query.order == JC_ORDER_REVERSE)
        q->query.n_of = 1;
    else
        q->query.n_wrt = 1, q->wrt[0] = jt_below(rng, g->n_variables);
    return jt_between(rng, 1, 4);
}

/* Plans with folds. */
static void for_folded_plans(uint64_t seeds,
                             void (*use)(const jc_plan *, const jc_layout *, const jc_query *, jt_rng *, void *ctx),
                             void *ctx)
{
    for (uint64_t seed = 0; seed < seeds; seed++) {
        jt_graph g;
        jt_rng rng = {seed};
        jt_query q;
        jc_plan *plan;
        jc_layout layout;
        jt_fold_graph(seed, (int)(seed % 6), JT_SMALL, NULL, &g);
        jt_query_totals(&rng, &g, &q);
        q.query.order = JC_ORDER_FORWARD;
        jt_ok(jc_plan_create(g.graph, &q.query, &plan), "plan");
        jt_ok(jc_layout_create(plan, 8, false, &layout), "layout");
        use(plan, &layout, &q.query, &rng, ctx);
        jc_layout_fini(plan, &layout);
        jc_plan_destroy(plan);
        jt_graph_fini(&g);
    }
}

/* rules: of all kinds, in every plan. */
static void for_random_plans(uint64_t seeds, bool rules,
                             void (*use)(const jc_plan *, const jc_layout *, const jc_query *, jt_rng *, void *ctx),
                             void *ctx)
{
    for (uint64_t seed = 0; seed < seeds; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL, .samples = seed % 3 ? 1 : 2};
        options.n_variables = seed % 7 ? 0 : 25;
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jc_plan *plan;
        jc_layout layout;
        jt_rules r = {.n = 0};
        int64_t limit = any_request(&rng, &g, options.samples, &q);
        if (rules) jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &r);
        q.query.rules = r.rule, q.query.n_rules = r.n;
        jt_ok(jc_plan_create_windowed(g.graph, &q.query, limit, &plan), "plan");
        jt_ok(jc_layout_create(plan, 4 + 4 * (int64_t)(seed % 2), seed % 5 == 0, &layout), "layout");
        use(plan, &layout, &q.query, &rng, ctx);
        jc_layout_fini(plan, &layout);
        jc_plan_destroy(plan);
        jt_rules_fini(&r);
        jt_graph_fini(&g);
    }
}

static void must_accept(const jc_plan *plan, const jc_layout *layout, const jc_query *query, jt_rng *rng, void *ctx)
{
    (void)rng;
    jt_ok(jc_plan_verify(plan, query, layout), "verify");
    jt_ok(jc_plan_verify(plan, query, NULL), "verify without a layout");
    *(int64_t *)ctx += plan->n_steps;
}

Test(verify, accepts_every_plan_that_is_made)
{
    int64_t steps = 0;
    for_random_plans(2000, false, must_accept, &steps);
    cr_assert_gt(steps, 20000, "the random plans are too small to say much: %lld steps", (long long)steps);
}

typedef struct breaking {
    const jt_break *way;
    int64_t n;
    int64_t applied[JT_MAX_BREAKS];
} breaking;

static void must_reject(const jc_plan *plan, const jc_layout *layout, const jc_query *query, jt_rng *rng, void *ctx)
{
    breaking *b = ctx;
    for (int64_t i = 0; i < b->n && !plan->eliminates; i++) {
        jt_patient p;
        jt_patient_init(&p, plan, layout, query);
        if (b->way[i].apply(&p, rng)) {
            cr_assert_eq(jc_plan_verify(&p.plan, query, &p.layout), JC_E_INTERNAL, "accepted: %s", b->way[i].name);
            b->applied[i]++;
        }
        jt_pool_free(&p.pool);
    }
}

static void check_breaks(const jt_break *ways, int64_t n, int64_t seeds, bool rules)
{
    breaking b = {.way = ways, .n = n};
    for_random_plans((uint64_t)seeds, rules, must_reject, &b);
    for (int64_t i = 0; i < n; i++)
        cr_assert_geq(b.applied[i], seeds / 100, "%s was tried only %lld times", ways[i].name, (long long)b.applied[i]);
}

Test(verify, rejects_every_broken_plan)
{
    check_breaks(jt_breaks, jt_n_breaks, 2500, false);
}

Test(verify, accepts_every_plan_with_folds)
{
    int64_t steps = 0;
    for_folded_plans((uint64_t)jt_cases(400), must_accept, &steps);
    cr_assert_gt(steps, jt_cases(2000), "the plans are too small to say much: %lld steps", (long long)steps);
}

Test(verify, rejects_every_broken_fold)
{
    breaking b = {.way = jt_fold_breaks, .n = jt_n_fold_breaks};
    int64_t seeds = jt_cases(400);
    for_folded_plans((uint64_t)seeds, must_reject, &b);
    for (int64_t i = 0; i < b.n; i++)
        cr_assert_geq(b.applied[i], seeds / 20, "%s was tried only %lld times", b.way[i].name, (long long)b.applied[i]);
}

Test(verify, accepts_every_plan_under_rules_that_is_made)
{
    int64_t steps = 0;
    for_random_plans((uint64_t)jt_cases(2000), true, must_accept, &steps);
    cr_assert_gt(steps, jt_cases(8000), "the random plans are too small to say much: %lld steps", (long long)steps);
}

Test(verify, rejects_every_broken_plan_under_rules)
{
    check_breaks(jt_breaks, jt_n_breaks, jt_cases(2500), true);
}

Test(verify, rejects_plans_that_mistake_one_copy_or_state_for_another)
{
    check_breaks(jt_rule_breaks, jt_n_rule_breaks, 2500, true);
}

/* A plan made under rules is not one without them, nor the other way round, where they differ in what is used. */
Test(verify, holds_a_plan_against_the_rules_of_the_query)
{
    int64_t refused = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_rules rules;
        jc_plan *with, *without;
        jt_query_totals(&rng, &g, &q);
        q.query.order = JC_ORDER_REVERSE;
        if (!q.query.n_wrt) q.query.n_wrt = 1, q.wrt[0] = g.topological[0];
        jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &rules);
        jc_query bare = q.query;
        q.query.rules = rules.rule, q.query.n_rules = rules.n;
        jt_ok(jc_plan_create(g.graph, &q.query, &with), "with rules");
        jt_ok(jc_plan_create(g.graph, &bare, &without), "without");
        if (with->n_steps != without->n_steps) {
            cr_assert_eq(jc_plan_verify(with, &bare, NULL), JC_E_INTERNAL);
            cr_assert_eq(jc_plan_verify(without, &q.query, NULL), JC_E_INTERNAL);
            refused++;
        }
        jc_plan_destroy(with);
        jc_plan_destroy(without);
        jt_rules_fini(&rules);
        jt_graph_fini(&g);
    }
    cr_assert_gt(refused, 100, "%lld", (long long)refused);
}

/* A plan of one request is not one of another. */
Test(verify, rejects_a_plan_of_another_request)
{
    jt_graph g;
    jt_graph_options options = {.seed = 3, .n_variables = 8, .numbers = JT_SMALL};
    jt_graph_random(&options, &g);
    jt_rng rng = {1};
    int64_t differ = 0;
    for (int i = 0; i < 200; i++) {
        jt_query a, b;
        jc_plan *plan;
        jt_query_totals(&rng, &g, &a);
        jt_query_totals(&rng, &g, &b);
        bool same = a.query.n_of == b.query.n_of && a.query.n_wrt == b.query.n_wrt &&
                    !memcmp(a.of, b.of, (size_t)a.query.n_of * 8) && !memcmp(a.wrt, b.wrt, (size_t)a.query.n_wrt * 8);
        if (same) continue;
        jt_ok(jc_plan_create(g.graph, &a.query, &plan), "plan");
        b.query.order = JC_ORDER_AUTO;
        if (!b.query.n_wrt == !a.query.n_wrt) {
            differ++;
            cr_assert_eq(jc_plan_verify(plan, &b.query, NULL), JC_E_INTERNAL);
        }
        jc_plan_destroy(plan);
    }
    cr_assert_gt(differ, 50);
    jt_graph_fini(&g);
}
