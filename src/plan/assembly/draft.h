/* A plan by elimination while it is put together: values and steps in the order in which they are thought of. A value's
 * level is known once all its steps are there, which is when it is read for the first time; finish sorts by levels. */
#ifndef JC_PLAN_ASSEMBLY_DRAFT_H
#define JC_PLAN_ASSEMBLY_DRAFT_H

#include "plan/plan.h"

enum { JC_NO_DRAFT = -1 };

typedef struct jc_draft_value {
    jc_value value;                /* first_step is not set */
    int64_t first_step, last_step; /* a list through jc_draft_step.next; -1: none */
    int64_t level;                 /* -1: not read so far, steps may still be added */
} jc_draft_value;

typedef struct jc_draft_step {
    jc_step step; /* a: a draft value, or JC_SEED_IDENTITY */
    int64_t next;
} jc_draft_step;

typedef struct jc_draft {
    jc_plan *plan; /* whose subgraph gets made groups and operands, and into which finish writes */
    jc_vec values; /* jc_draft_value */
    jc_vec steps;  /* jc_draft_step */
} jc_draft;

void jc_draft_init(jc_draft *draft, jc_plan *plan);
void jc_draft_fini(jc_draft *draft);

static inline jc_draft_value *jc_draft_at(const jc_draft *draft, int64_t value)
{
    return (jc_draft_value *)draft->values.data + value;
}

/* A value of rows x cols whose columns are the scalars of `node`, its rows those of `other`. */
jc_status jc_draft_value_add(jc_draft *draft, jc_form form, int64_t rows, int64_t cols, int64_t node, int64_t other,
                             int64_t *value);

/* Adds a step to a value that was not read so far: c (+)= a op(b), all rows of c. The values that it reads are complete
 * from then on. The first step of a value writes it. */
jc_status jc_draft_step_add(jc_draft *draft, int64_t c, int64_t a, int64_t b, bool transpose, bool whole);

/* The value has all its steps: its level is set. */
void jc_draft_complete(jc_draft *draft, int64_t value);

/* Values, steps and levels of the plan; *number[draft value] is what the value is in it ([values.count], owned by the
 * caller). Operands of the subgraph that are draft values become values. */
jc_status jc_draft_finish(jc_draft *draft, int64_t **number);

#endif
