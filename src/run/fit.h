/* Eliminations under a memory limit. */
#ifndef JC_RUN_FIT_H
#define JC_RUN_FIT_H

#include "backend/backend.h"

typedef struct jc_fit {
    const jc_graph *graph;
    const jc_query *query;
    const jc_backend *backend;         /* NULL: as the options say */
    const jc_program_options *options; /* with the memory limit */
    const char *failed;                /* "auto" leaves devices out, since one failed with this text; or NULL */
} jc_fit;

/* For a query of JC_ORDER_ELIMINATION: searches again, for an order whose values are few enough for the limit, in place
 * of `whole`, which is a program made without it. *found = false: none was found, and there is no plan. At most six
 * searches. */
jc_status jc_fit_elimination(const jc_fit *fit, const jc_program *whole, bool *found, jc_plan **plan,
                             jc_program **program);

/* A program of the plan under a limit, 0: none, on the backend that the fit names. */
jc_status jc_fit_program(const jc_fit *fit, const jc_plan *plan, int64_t limit, jc_program **program);

/* A program of the plan that keeps the limit. Where it does not and the plan is by elimination, in an order that the
 * query does not name, another elimination or else a sweep, which is one too, takes the place of *plan. JC_E_LIMIT:
 * none of them keeps it, and the plan is as before. */
jc_status jc_fit_whole(const jc_fit *fit, jc_plan **plan, jc_program **program);

/* The orders of which windows of rows are to be tried, the first one first: the plan's, and where it is by elimination,
 * in an order that the query does not name, every sweep. Returns how many. */
enum { JC_FIT_ORDERS = 3 };
int jc_fit_window_orders(const jc_plan *plan, const jc_query *query, jc_order orders[JC_FIT_ORDERS]);

/* The order of elimination of all windows of one target, for which q is asked: what is left there of the order that q
 * names, or the one that is found, so that it is looked for once. Sets q->eliminate to *vertices [*n], allocated (NULL:
 * there is nothing to keep). States count those of the one target, so that with path rules a given order may become
 * another one of the same vertices. */
jc_status jc_fit_order_of_target(const jc_graph *graph, jc_query *q, jc_vertex **vertices, int64_t *n);

#endif
