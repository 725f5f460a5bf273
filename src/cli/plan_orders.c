#include "cli/plan_report.h"

#include <string.h>

#include "plan/elimination/elimination.h"

enum { FEW = 100000 }; /* variables and edges of which another plan takes a fraction of a second */

/* What the plan knows of every order. */
static jc_plan_row known_row(const jc_plan_report *r, jc_order order)
{
    const jc_plan_info *p = r->plan_info;
    jc_plan_row row = {.order = order, .bytes = -1, .peak_bytes = -1, .seconds = -1};
    row.multiply_adds = order == JC_ORDER_REVERSE   ? p->reverse_cost
                        : order == JC_ORDER_FORWARD ? p->forward_cost
                                                    : p->elimination_cost;
    return row;
}

static void take_program(jc_plan_row *row, const jc_program_info *info)
{
    row->bytes = info->bytes;
    row->peak_bytes = info->peak_bytes;
    row->seconds = info->seconds_predicted;
}

/* Plans the order; one that cannot be planned stays as it is. */
static void plan_row(const jc_plan_report *r, const jc_query *query, const jc_program_options *options,
                     jc_plan_row *row)
{
    jc_query q = *query;
    jc_program_options o = *options;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_plan_info plan_info = {.struct_size = sizeof plan_info};
    jc_program_info info = {.struct_size = sizeof info};
    q.order = row->order;
    q.eliminate = NULL, q.n_eliminate = 0;
    o.backend = r->program_info->backend;
    o.precision = r->program_info->precision;
    o.memory_limit = 0;
    jc_status status = jc_plan_create(r->graph, &q, &plan);
    if (!status) status = jc_plan_get_info(plan, &plan_info);
    if (!status) row->multiply_adds = plan_info.multiply_adds;
    if (!status) status = jc_program_create(plan, &o, &program);
    if (!status) status = jc_program_get_info(program, &info);
    if (!status) take_program(row, &info);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
}

/* Takes the order as the choice of --order auto looked at it; not an elimination after a shorter search than is usual.
 */
static bool take_candidate(const jc_plan_report *r, const jc_query *query, jc_plan_row *row)
{
    const jc_order_candidate *c = &r->choice->candidate[row->order];
    jc_program_info info = {.struct_size = sizeof info};
    if (!c->program || (row->order == JC_ORDER_ELIMINATION && query->search_seconds <= 0)) return false;
    if (jc_program_get_info(c->program, &info) || strcmp(info.backend, r->program_info->backend)) return false;
    row->multiply_adds = c->plan->multiply_adds;
    take_program(row, &info);
    return true;
}

void jc_plan_report_orders(jc_plan_report *r, const jc_query *query, const jc_program_options *options)
{
    static const jc_order orders[JC_PLAN_ORDERS] = {JC_ORDER_REVERSE, JC_ORDER_FORWARD, JC_ORDER_ELIMINATION};
    bool few = r->plan_info->nodes + r->plan_info->edges <= FEW;
    for (int i = 0; i < JC_PLAN_ORDERS; i++) {
        jc_plan_row *row = &r->rows[i];
        *row = known_row(r, orders[i]);
        row->chosen = row->order == r->plan_info->order;
        if (row->chosen) {
            row->multiply_adds = r->plan_info->multiply_adds;
            take_program(row, r->program_info);
        } else if (take_candidate(r, query, row)) {
            continue;
        } else if (few && (row->multiply_adds >= 0 || row->order == JC_ORDER_ELIMINATION)) {
            plan_row(r, query, options, row);
        } else if (row->order == JC_ORDER_ELIMINATION && row->multiply_adds < 0) {
            jc_plan_elimination_cost(r->plan, &row->multiply_adds); /* without memory it stays not known */
        }
    }
}
