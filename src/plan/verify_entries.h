/* The entries of the Jacobians that the verifier of eliminations evaluates small plans with: where they are is what
 * shapes and indices say, their numbers are drawn modulo 2^61 - 1 (verify_numbers.h) or those of a computed value.
 * Shares nothing with the loops of the backends. */
#ifndef JC_PLAN_VERIFY_ENTRIES_H
#define JC_PLAN_VERIFY_ENTRIES_H

#include "plan/verify_frame.h"

/* A Jacobian with drawn numbers. */
typedef struct jc_drawn {
    const jc_group *group; /* borrowed: shape and indices; without numbers D is p x q of its own numbers */
    int64_t member;
    const uint64_t *numbers; /* borrowed: those of its one field of numbers, a value's; NULL: they are drawn */
    int64_t source;          /* whose numbers are drawn: an edge of the graph, or behind these an addition */
    int field;               /* of the source, in place of the group's own one; -1: the group's are the source's */
} jc_drawn;

/* What an edge of the graph has, and what a step's b names; `numbers` of a value are the caller's to set. b is valid,
 * and every operand was looked at (verify_operands.h). */
jc_drawn jc_drawn_edge(const jc_graph *graph, int64_t edge);
jc_drawn jc_drawn_operand(const jc_frame *frame, int64_t b);

/* The Jacobian that the query adds at an end: beyond x at (a target), at x beyond (a source): a seed's numbers, or the
 * sum over samples. *group is the caller's, and the result's. */
jc_drawn jc_drawn_addition(const jc_frame *frame, int64_t addition, jc_group *group);

/* Numbers that jc_drawn_each draws or reads, about; saturating. */
int64_t jc_drawn_work(const jc_group *group);

/* Gives each entry of the Jacobian (transpose: of its transpose) that is not known to be zero. */
typedef void (*jc_take_entry)(void *ctx, int64_t row, int64_t col, uint64_t number);
void jc_drawn_each(const jc_drawn *drawn, bool transpose, jc_take_entry take, void *ctx);

#endif
