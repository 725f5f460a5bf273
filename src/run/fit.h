/* Eliminations under a memory limit. */
#ifndef JC_RUN_FIT_H
#define JC_RUN_FIT_H

#include "backend/backend.h"

typedef struct jc_fit {
    const jc_graph *graph;
    const jc_query *query;             /* of JC_ORDER_ELIMINATION */
    const jc_backend *backend;         /* NULL: as the options say */
    const jc_program_options *options; /* with the memory limit */
    const char *failed;                /* "auto" leaves devices out, since one failed with this text; or NULL */
} jc_fit;

/* Searches again, for an order whose values are few enough for the limit, in place of `whole`, which is a program made
 * without it. *found = false: none was found, and there is no plan. At most six searches. */
jc_status jc_fit_elimination(const jc_fit *fit, const jc_program *whole, bool *found, jc_plan **plan,
                             jc_program **program);

/* A program of the plan under a limit, 0: none, on the backend that the fit names. */
jc_status jc_fit_program(const jc_fit *fit, const jc_plan *plan, int64_t limit, jc_program **program);

#endif
