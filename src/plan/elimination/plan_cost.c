#include "core/size.h"
#include "plan/elimination/elimination.h"
#include "plan/plan.h"

/* The cheaper of the two sweeps, or -1: neither is known. */
static int64_t sweep_cost(const jc_plan *plan)
{
    if (plan->reverse_cost < 0) return plan->forward_cost;
    if (plan->forward_cost < 0) return plan->reverse_cost;
    return jc_min(plan->reverse_cost, plan->forward_cost);
}

jc_status jc_plan_elimination_cost(const jc_plan *plan, int64_t *cost)
{
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e;
    bool found;
    options.bound = sweep_cost(plan);
    jc_status status = jc_elimination_create(plan->graph, &plan->subgraph, &options, &found, &e);
    if (status) return status;
    *cost = found ? e.cost : options.bound;
    if (found) jc_elimination_fini(&plan->allocator, &e);
    return JC_OK;
}
