#include "run/fit.h"

#include "core/size.h"

jc_status jc_fit_program(const jc_fit *fit, const jc_plan *plan, int64_t limit, jc_program **program)
{
    jc_program_options o = *fit->options;
    o.memory_limit = limit;
    if (fit->backend) return jc_program_create_on(plan, fit->backend, &o, program);
    if (fit->failed) return jc_program_create_on_host(plan, &o, fit->failed, program);
    return jc_program_create(plan, &o, program);
}

/* The most entries of values at once that leave a program's other memory its place, by how many bytes of arena an entry
 * of it takes: values begin at whole cache lines, and live for whole levels. */
static int64_t entries_within(const jc_program *program, int64_t limit, int64_t entries)
{
    int64_t arena = program->layout.arena_bytes, room = limit - (program->peak_bytes - arena);
    if (room <= 0 || arena <= 0) return 0;
    return (int64_t)((double)entries * ((double)room / (double)arena));
}

static void destroy(jc_plan *plan, jc_program *program)
{
    jc_program_destroy(program);
    jc_plan_destroy(plan);
}

/* One search under a number of entries; *program NULL: none was found. */
static jc_status search(const jc_fit *fit, int64_t entries, jc_plan **plan, jc_program **program)
{
    jc_plan *p = NULL;
    *program = NULL;
    jc_status status = jc_plan_create_limited(fit->graph, fit->query, 0, entries, &p);
    if (status == JC_E_LIMIT) return JC_OK;
    if (!status && p->eliminates) status = jc_fit_program(fit, p, 0, program);
    if (status || !*program)
        jc_plan_destroy(p);
    else
        *plan = p;
    return status;
}

jc_status jc_fit_elimination(const jc_fit *fit, const jc_program *whole, bool *found, jc_plan **plan,
                             jc_program **program)
{
    enum { SEARCHES = 6 };
    int64_t limit = fit->options->memory_limit;
    int64_t entries = entries_within(whole, limit, whole->layout.arena_bytes / whole->layout.element_bytes);
    *found = false;
    for (int i = 0; i < SEARCHES && entries > 0; i++) {
        jc_plan *p = NULL;
        jc_program *made;
        jc_status status = search(fit, entries, &p, &made);
        if (status || !made) return status;
        if (made->peak_bytes <= limit) {
            *found = true, *plan = p, *program = made;
            return JC_OK;
        }
        entries = jc_min(entries - entries / 8 - 1, entries_within(made, limit, entries));
        destroy(p, made);
    }
    return JC_OK;
}

/* ---- the whole query --------------------------------------------------------------------------------------------- */

/* *program NULL: none was found within the limit. */
static jc_status try_elimination(const jc_fit *fit, const jc_plan *over, jc_plan **plan, jc_program **program)
{
    jc_query query = *fit->query;
    jc_fit again = *fit;
    jc_program *whole;
    bool found;
    *program = NULL;
    if (!over->eliminates || jc_fit_program(fit, over, 0, &whole)) return JC_OK;
    query.order = JC_ORDER_ELIMINATION;
    again.query = &query;
    jc_status status = jc_fit_elimination(&again, whole, &found, plan, program);
    jc_program_destroy(whole);
    return status;
}

/* *program NULL: the sweep does not keep the limit. */
static jc_status try_sweep(const jc_fit *fit, jc_order order, jc_plan **plan, jc_program **program)
{
    jc_query query = *fit->query;
    jc_plan *p = NULL;
    query.order = order;
    *program = NULL;
    jc_status status = jc_plan_create(fit->graph, &query, &p);
    if (!status) status = jc_fit_program(fit, p, fit->options->memory_limit, program);
    if (!status) {
        p->by_elimination = true;
        *plan = p;
        return JC_OK;
    }
    jc_plan_destroy(p);
    *program = NULL;
    bool other_may = status == JC_E_LIMIT || status == JC_E_USAGE || status == JC_E_MEMORY;
    return other_may ? JC_OK : status;
}

/* Of the sweeps whose cost is known the cheaper one first. */
static jc_status try_sweeps(const jc_fit *fit, const jc_plan *over, jc_plan **plan, jc_program **program)
{
    bool forward = over->forward_cost >= 0 && (over->reverse_cost < 0 || over->forward_cost < over->reverse_cost);
    jc_status status = JC_OK;
    *program = NULL;
    for (int i = 0; i < 2 && !status && !*program; i++, forward = !forward) {
        jc_order order = forward ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
        bool known = (forward ? over->forward_cost : over->reverse_cost) >= 0;
        if (known && order != over->order) status = try_sweep(fit, order, plan, program);
    }
    return status;
}

jc_status jc_fit_whole(const jc_fit *fit, jc_plan **plan, jc_program **program)
{
    jc_plan *other;
    jc_program *made;
    int64_t limit = fit->options->memory_limit;
    jc_status over = jc_fit_program(fit, *plan, limit, program);
    if (over != JC_E_LIMIT || limit <= 0 || !(*plan)->by_elimination || fit->query->eliminate) return over;
    jc_status status = try_elimination(fit, *plan, &other, &made);
    if (!status && !made) status = try_sweeps(fit, *plan, &other, &made);
    if (status || !made) return status ? status : over;
    other->elimination_cost = (*plan)->elimination_cost;
    jc_plan_destroy(*plan);
    *plan = other, *program = made;
    return JC_OK;
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

int jc_fit_window_orders(const jc_plan *plan, const jc_query *query, jc_order orders[JC_FIT_ORDERS])
{
    int n = 0;
    orders[n++] = plan->order;
    if (!plan->by_elimination || query->eliminate) return n;
    if (plan->order != JC_ORDER_REVERSE) orders[n++] = JC_ORDER_REVERSE;
    if (plan->order != JC_ORDER_FORWARD && plan->forward_cost >= 0) orders[n++] = JC_ORDER_FORWARD;
    return n;
}

/* A plan that eliminates what lies between the one target and the sources, in the order to keep or, where the query
 * names one, in any. */
static jc_status plan_target(const jc_graph *graph, const jc_query *query, jc_plan **plan)
{
    jc_query any = *query;
    if (!query->n_eliminate) return jc_plan_create_windowed(graph, query, 1, plan);
    any.eliminate = NULL, any.n_eliminate = 0;
    any.search_seconds = 1e-6;
    any.limits_tape = 0;
    return jc_plan_create_limited(graph, &any, 1, INT64_MAX, plan);
}

jc_status jc_fit_order_of_target(const jc_graph *graph, jc_query *q, jc_vertex **vertices, int64_t *n)
{
    jc_plan *plan;
    *vertices = NULL;
    *n = 0;
    if (q->order != JC_ORDER_ELIMINATION) return JC_OK;
    jc_status status = plan_target(graph, q, &plan);
    if (status) return status;
    int64_t count = plan->n_eliminated;
    status = jc_alloc(&graph->allocator, count, sizeof **vertices, "an order of elimination", vertices);
    if (!status) *n = count;
    if (!status && q->n_eliminate)
        status = jc_plan_order_within(plan, q->eliminate, q->n_eliminate, *vertices);
    else if (!status)
        status = jc_plan_vertices(plan, *vertices, plan->eliminates ? count : 0, &count);
    jc_plan_destroy(plan);
    q->eliminate = *n ? *vertices : NULL, q->n_eliminate = *n;
    return status;
}
