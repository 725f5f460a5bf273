/* The Jacobians that the steps of an elimination name, as the verifier sees them: edges, what the query adds, and the
 * operands that the plan made, which are held against the graph and the values that they are parts of. */
#ifndef JC_PLAN_VERIFY_OPERANDS_H
#define JC_PLAN_VERIFY_OPERANDS_H

#include "plan/verify_frame.h"
#include "plan/verify_numbers.h"

/* Every made group has the shape, the indices and the numbers that its kind asks for, those of the group of the graph
 * that it is a part of; every operand is a member of one, or a value with as many numbers. JC_E_INTERNAL with the first
 * violation. */
jc_status jc_verify_operands(const jc_plan *plan);

/* What a Jacobian is in a product. */
typedef enum jc_operand_role {
    JC_ROLE_MATRIX,  /* itself */
    JC_ROLE_NUMBERS, /* the numbers of a structured one in some arrangement: D, or D^T where columns are formed */
    JC_ROLE_MOVE     /* no numbers: it moves those of the other operand, or is a part of the identity */
} jc_operand_role;

/* The Jacobian that b names: *stand_in of it, as it is before jc_step.transpose (of NUMBERS: of D). as_row: its numbers
 * are copied as a row. of_value: what stands for D of each value that comes before. b is valid, and every operand was
 * looked at. */
jc_operand_role jc_verify_operand(const jc_frame *frame, int64_t b, bool as_row, const jc_stand_in *of_value,
                                  jc_stand_in *stand_in);

/* What stands for the Jacobian of an edge of the graph, and for the one that the query adds at an end. */
jc_stand_in jc_verify_edge(const jc_graph *graph, int64_t edge);
jc_stand_in jc_verify_addition(const jc_graph *graph, int64_t addition);

#endif
