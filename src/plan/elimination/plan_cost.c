#include "plan/elimination/elimination.h"
#include "plan/plan.h"

jc_status jc_plan_elimination_cost(const jc_plan *plan, int64_t *cost)
{
    jc_elimination_options options = JC_ELIMINATION_OPTIONS_INIT;
    jc_elimination e;
    bool found;
    options.bound = jc_plan_sweep_cost(plan);
    jc_status status = jc_elimination_create(plan->graph, &plan->subgraph, &options, &found, &e);
    if (status) return status;
    *cost = found ? e.cost : options.bound;
    if (found) jc_elimination_fini(&plan->allocator, &e);
    return JC_OK;
}
