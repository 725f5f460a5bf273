/* The order of JC_ORDER_AUTO where there is a backend: of reverse, forward and elimination the one whose first result
 * is predicted to be there first, by the backend's own model of its time (what it takes to start being the same for all
 * on one backend, the time of an execution decides there). */
#ifndef JC_RUN_CHOOSE_H
#define JC_RUN_CHOOSE_H

#include "backend/backend.h"

/* An order, looked at. */
typedef struct jc_order_candidate {
    jc_plan *plan;       /* owned; NULL: there is none, or it was not worth making */
    jc_program *program; /* owned; NULL: there is none */
    bool over_limit;     /* the program needs more than the memory limit of the options: it is made without */
    double seconds;      /* until the first result is there; INFINITY: not known */
    jc_status status;    /* why there is no plan or program, JC_OK: it was not looked at */
    char why[JC_REASON_BYTES];
} jc_order_candidate;

typedef struct jc_order_choice {
    jc_allocator allocator;
    jc_order order;                                         /* the chosen one, never AUTO */
    jc_order_candidate candidate[JC_ORDER_ELIMINATION + 1]; /* by order */
} jc_order_choice;

typedef struct jc_order_options {
    const jc_backend *backend;         /* computes; NULL: as the options say */
    const jc_program_options *program; /* borrowed during the call */
    bool all; /* looks at every order whose cost is known, however small the gain, and searches for eliminations with
               * the whole default work: to show them all */
} jc_order_options;

/* Looks at the orders of a query: those of JC_ORDER_AUTO, or with `all` every one beside the one asked for, which is
 * then chosen. The sweep that is cheaper in multiply-adds is planned and lowered first. The other one is where it costs
 * at most 16 times as much, an elimination where a search, about as long as the first order
 * takes, finds one below both; each only where the time of the
 * first, or the graph, is not small beside the planning: so the work stays linear in the graph. Another order is taken
 * where it is predicted to be at least 10 % faster; eliminations only where they keep the memory limit, if need be by a
 * search under that limit. Errors: those of the first; others are passed over. */
jc_status jc_order_choose(const jc_graph *graph, const jc_query *query, const jc_order_options *options,
                          jc_order_choice *choice);
void jc_order_choice_fini(jc_order_choice *choice);

/* The chosen order's plan, and its program where that keeps the memory limit (else NULL): then the caller's. */
void jc_order_choice_take(jc_order_choice *choice, jc_plan **plan, jc_program **program);

#endif
