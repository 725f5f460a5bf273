/* What plan shows: the orders side by side (plan_orders.c), and the whole as text or JSON (plan_report.c). */
#ifndef JC_CLI_PLAN_REPORT_H
#define JC_CLI_PLAN_REPORT_H

#include "cli/batches.h"
#include "plan/plan.h"
#include "run/choose.h"

enum { JC_PLAN_ORDERS = 3 }; /* reverse, forward, elimination */

/* One order on the backend of the plan; -1: not known. */
typedef struct jc_plan_row {
    jc_order order;
    bool chosen;
    int64_t multiply_adds, bytes, peak_bytes;
    double seconds;
} jc_plan_row;

typedef struct jc_plan_report {
    const jc_graph *graph; /* borrowed, as all else */
    const jc_plan *plan;
    const jc_plan_info *plan_info;
    const jc_program_info *program_info;
    const jc_batches *batches;
    const jc_cli_variables *eliminated;
    const jc_order_choice *choice; /* the orders that were looked at, if any were */
    jc_plan_row rows[JC_PLAN_ORDERS];
    double plan_s;       /* that planning took, the search of an order included */
    bool in_blocks;      /* over the memory limit, but not in blocks of seed rows */
    const char *picture; /* the file with it, or NULL */
    int64_t n_fill;      /* its edges of fill-in */
} jc_plan_report;

/* The rows: a plan and a program for each order that is not the chosen one. Where the graph is so large that these
 * would take seconds, or an order cannot be planned, only its multiply-adds are there. query: of the plan. */
void jc_plan_report_orders(jc_plan_report *report, const jc_query *query, const jc_program_options *options);

void jc_plan_report_print(const jc_plan_report *report);
void jc_plan_report_emit(const jc_plan_report *report);

#endif
