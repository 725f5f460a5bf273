/* The elimination of a plan as a drawing: the part of the graph that is used, its vertices numbered in the order in
 * which they are eliminated, and the pairs of variables that get a Jacobian by it and had none (fill-in). Griewank &
 * Walther, Evaluating Derivatives, 2nd ed. (2008), ch. 9. */
#ifndef JC_CLI_DRAW_PLAN_H
#define JC_CLI_DRAW_PLAN_H

#include "cli/draw.h"
#include "plan/plan.h"

typedef struct jc_draw_plan {
    jc_graph *graph; /* made for the drawing */
    jc_draw_elimination elimination;
    jc_drawing drawing;
    int64_t n_fill;
} jc_draw_plan;

/* Costs as many steps as the elimination has products. */
jc_status jc_draw_plan_init(jc_draw_plan *p, const jc_plan *plan);
void jc_draw_plan_fini(jc_draw_plan *p);

#endif
