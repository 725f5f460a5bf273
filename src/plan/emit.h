/* From a sweep to values, levels and steps. */
#ifndef JC_PLAN_EMIT_H
#define JC_PLAN_EMIT_H

#include "plan/plan.h"
#include "plan/sweep.h"

/* Fills plan->values, steps and levels; *value_of_node ([n_nodes], owned by the caller) says which value a node has,
 * -1: none. */
jc_status jc_plan_emit(jc_plan *plan, const jc_sweep *sweep, int64_t **value_of_node);

#endif
