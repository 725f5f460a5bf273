/* Copies of an edge under path rules share its numbers on the device: no more of them is copied there than without
 * rules, though there are more products. */
#include <criterion/criterion.h>

#include "backend/cuda/internal.h"
#include "plan/plan.h"
#include "standin/device.h"
#include "support/compute.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"

typedef struct figures {
    int64_t steps, copied, indices;
} figures;

static figures figures_of(const jt_graph *g, const jc_query *query)
{
    jc_plan *plan;
    jc_program *program;
    jt_ok(jc_plan_create(g->graph, query, &plan), "plan");
    jt_ok(jc_program_create_on(plan, &jt_standin_backend.base, NULL, &program), "program");
    const jc_cuda_program *impl = program->impl;
    figures f = {plan->n_steps, impl->copy_bytes, impl->index_bytes};
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return f;
}

Test(device, copies_of_an_edge_are_not_copied_to_the_device)
{
    int64_t more = 0;
    if (!jt_device_there() || jt_device_run()) return;
    for (uint64_t seed = 0; seed < 300; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .n_variables = 16, .numbers = JT_REAL, .no_operators = true};
        jt_rng rng = {seed};
        jt_query q;
        jt_rules rules;
        jt_device_begin(seed, NULL);
        jt_graph_random(&options, &g);
        jt_query_totals(&rng, &g, &q);
        q.query.order = JC_ORDER_REVERSE;
        jt_rules_random(&g.pool, &rng, &g, seed % 2 ? JC_RULE_USES : JC_RULE_MATCH, &rules);
        figures plain = figures_of(&g, &q.query);
        q.query.rules = rules.rule, q.query.n_rules = rules.n;
        figures restricted = figures_of(&g, &q.query);
        cr_assert_leq(restricted.copied, plain.copied, "seed %llu", (unsigned long long)seed);
        cr_assert_leq(restricted.indices, plain.indices, "seed %llu", (unsigned long long)seed);
        more += restricted.steps > plain.steps;
        jt_rules_fini(&rules);
        jt_graph_fini(&g);
        jt_device_end("programs");
    }
    cr_assert_gt(more, 10, "%lld", (long long)more);
}
