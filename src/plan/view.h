/* From an output of a plan to the matrix a user sees. */
#ifndef JC_PLAN_VIEW_H
#define JC_PLAN_VIEW_H

#include "plan/plan.h"

/* Everything of a result but its data: shape, and the strides by which a value is read as the output. */
jc_result jc_output_view(const jc_plan *plan, const jc_output *output, jc_dtype dtype);

/* The rows of the value that an output takes. */
int64_t jc_output_value_rows(const jc_output *output);

#endif
