/* Running a plan by plain loops on 8-byte numbers: what the reference backend, the sweep over absolute values and the
 * exact backend of the tests share. They differ in the numbers, that is in the step. */
#ifndef JC_BACKEND_PLAIN_H
#define JC_BACKEND_PLAIN_H

#include "backend/backend.h"

/* One step of a plan for n of its rows: Y (+)= X op(B), or rows row.. of op(B) where step->a is JC_SEED_IDENTITY (x is
 * then NULL). fold: the step's, or NULL. Jacobian with the run's numbers; scratch as jc_loops_scratch counts it. */
typedef jc_status (*jc_plain_step)(const jc_run *run, const jc_jac *jac, const jc_step *step, const jc_fold *fold,
                                   int64_t row, int64_t n, const void *x, void *y, void *scratch);

/* Numbers of scratch that loops.inc needs for a Jacobian: low_rank's inner vector, an operator's unit vector. */
int64_t jc_loops_scratch(const jc_group *group, bool transpose);

/* Entries of a table of functions: they set neither precision nor dtype. */
jc_status jc_plain_prepare(jc_program *program);
void jc_plain_release(jc_program *program);
jc_status jc_plain_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx);
jc_status jc_plain_open(jc_run *run);
void jc_plain_close(jc_run *run);

/* Values in the order of the plan, steps in the order of the value. */
jc_status jc_plain_execute(jc_run *run, const jc_pass *pass, jc_plain_step step);

/* The rows that a step reads, as its Jacobian (of that shape) takes them: those of a value from a_row on. NULL: the
 * identity's. */
const void *jc_plain_operand(const jc_run *run, const jc_step *step, const jc_shape *shape);

/* Row `row` of a value. */
void *jc_plain_row(const jc_run *run, int64_t value, int64_t row);

#endif
