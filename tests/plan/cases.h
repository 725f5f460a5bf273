/* What the tests of eliminations share: the subgraph of a query, and an elimination checked from outside. */
#ifndef JT_PLAN_CASES_H
#define JT_PLAN_CASES_H

#include "plan/elimination/elimination.h"
#include "plan/elimination/pairs.h"
#include "plan/sweep.h"
#include "support/random_query.h"

typedef struct jt_case {
    const jc_graph *graph;
    jc_subgraph subgraph;
    int64_t reverse_cost, forward_cost; /* of the plan's sweeps */
} jt_case;

/* Ends the test where the library fails. `query` borrowed for the call. */
void jt_case_init(jt_case *c, const jc_graph *graph, const jc_query *query);
void jt_case_fini(jt_case *c);

/* A variable of a name of its own, and an edge without labels. */
void jt_add_variable(jc_graph *graph, int64_t size);
void jt_add_edge(jc_graph *graph, int64_t of, int64_t wrt, const jc_jacobian *jacobian);

/* Judges an elimination by its operations alone: operands fit and were written, first operations write, the costs are
 * those of SPEC's rule (from the edges' own costs, `g`, and the structures of values) and add up, a value's structure
 * holds all that is added to it, the peak is that of the operations, each inner node
 * is eliminated once. Where every used edge is one of the graph, the operations are done with the edges' numbers, and
 * the results are the totals by their recurrence, exactly: integers. Ends the test otherwise. */
void jt_judge_elimination(const jt_case *c, const jt_graph *g, const jc_elimination *e, const char *what);

/* The order has every node that edges lead into and out of, once. Ends the test otherwise. */
void jt_judge_order(const jt_case *c, const jc_elimination *e);

#endif
