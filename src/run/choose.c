#include "run/choose.h"

#include <math.h>
#include <stdio.h>

#include "core/error.h"
#include "core/size.h"
#include "rules/query.h"
#include "run/fit.h"
#include "run/segments.h"

/* ---- candidates ------------------------------------------------------------------------------------------------ */

typedef struct choosing {
    const jc_graph *graph;
    jc_query query;
    jc_order_options options;
    jc_order_choice *choice;
} choosing;

static void candidate_fini(jc_order_candidate *c)
{
    jc_program_destroy(c->program);
    jc_plan_destroy(c->plan);
    c->program = NULL, c->plan = NULL;
}

void jc_order_choice_fini(jc_order_choice *choice)
{
    for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++)
        candidate_fini(&choice->candidate[order]);
}

void jc_order_choice_take(jc_order_choice *choice, jc_plan **plan, jc_program **program)
{
    jc_order_candidate *c = &choice->candidate[choice->order];
    *plan = c->plan;
    *program = c->over_limit ? NULL : c->program;
    if (c->over_limit) jc_program_destroy(c->program);
    c->plan = NULL, c->program = NULL;
}

static jc_status create_program(const choosing *c, const jc_plan *plan, int64_t limit, jc_program **program)
{
    jc_program_options o = *c->options.program;
    o.memory_limit = limit;
    if (c->options.backend) return jc_program_create_on(plan, c->options.backend, &o, program);
    return jc_program_create(plan, &o, program);
}

/* Within the memory limit, or without it: then over_limit says so. */
static jc_status lower(const choosing *c, jc_order_candidate *candidate)
{
    int64_t limit = c->options.program->memory_limit;
    jc_status status = create_program(c, candidate->plan, limit, &candidate->program);
    if (status == JC_E_LIMIT && limit > 0) {
        candidate->over_limit = true;
        status = create_program(c, candidate->plan, 0, &candidate->program);
        if (status == JC_E_MEMORY) return JC_OK; /* in windows it may fit */
    }
    if (!status) candidate->seconds = candidate->program->start_seconds + candidate->program->seconds_predicted;
    return status;
}

/* Keeps why there is no candidate, where another order may do without it; else the failure. */
static jc_status pass_over(jc_order_candidate *candidate, jc_status status)
{
    bool may = status == JC_E_USAGE || status == JC_E_LIMIT || status == JC_E_MEMORY;
    candidate_fini(candidate);
    candidate->status = status;
    snprintf(candidate->why, sizeof candidate->why, "%s", jc_last_error());
    return may ? JC_OK : status;
}

/* ---- what is worth looking at ----------------------------------------------------------------------------------- */

/* Planning and lowering an edge takes a fraction of a microsecond: another order is looked at where the first one takes
 * longer than that, or where all of it is not felt. */
static bool is_worth_planning(const choosing *c, const jc_order_candidate *first)
{
    enum { FEW_EDGES = 20000 };
    static const double edge_s = 1e-6;
    int64_t edges = first->plan->subgraph.n_edges;
    return c->options.all || edges <= FEW_EDGES || first->seconds > edge_s * (double)edges;
}

static int64_t sweep_cost(const jc_plan *plan, jc_order order)
{
    return order == JC_ORDER_FORWARD ? plan->forward_cost : plan->reverse_cost;
}

static bool is_worth_sweeping(const choosing *c, const jc_plan *first, jc_order order)
{
    enum { FAR_MORE = 16 };
    int64_t cost = sweep_cost(first, order);
    if (cost < 0) return false; /* not known: more than linear */
    return c->options.all || cost <= jc_cost_mul(FAR_MORE, jc_max(first->multiply_adds, 1));
}

/* ---- eliminations ------------------------------------------------------------------------------------------------ */

/* As long as the evaluation takes, at most the default. */
static double search_seconds(const choosing *c, double first_s)
{
    static const double least_s = 0.002, default_s = 0.07;
    if (c->query.search_seconds > 0 || c->query.n_eliminate || c->options.all) return c->query.search_seconds;
    return first_s > default_s ? 0 : first_s > least_s ? first_s : least_s;
}

/* A plan of elimination that keeps the memory limit in place of one that does not, where the search finds it. */
static jc_status fit_elimination(const choosing *c, const jc_query *query, jc_order_candidate *e)
{
    jc_fit fit = {c->graph, query, c->options.backend, c->options.program, NULL};
    jc_plan *plan;
    jc_program *program;
    bool found;
    if (!e->over_limit || !e->program) return JC_OK;
    jc_status status = jc_fit_elimination(&fit, e->program, &found, &plan, &program);
    if (status || !found) return status;
    candidate_fini(e);
    e->plan = plan, e->program = program, e->over_limit = false;
    e->seconds = program->start_seconds + program->seconds_predicted;
    return JC_OK;
}

/* The candidate of elimination; none where that comes to a sweep. */
static jc_status look_at_elimination(const choosing *c, double first_s)
{
    jc_order_candidate *e = &c->choice->candidate[JC_ORDER_ELIMINATION];
    jc_query query = c->query;
    query.order = JC_ORDER_ELIMINATION;
    query.search_seconds = search_seconds(c, first_s);
    jc_status status = jc_plan_create(c->graph, &query, &e->plan);
    if (!status && !e->plan->eliminates && !c->options.all) {
        candidate_fini(e);
        return JC_OK;
    }
    if (!status) status = lower(c, e);
    if (!status) status = fit_elimination(c, &query, e);
    return status ? pass_over(e, status) : JC_OK;
}

/* The model of a backend is not better than that. What it takes to start is left out where both start the same. */
static bool is_faster(const jc_order_candidate *a, const jc_order_candidate *b)
{
    bool same = a->program && b->program && a->program->backend == b->program->backend;
    return same ? a->program->seconds_predicted < 0.9 * b->program->seconds_predicted : a->seconds < 0.9 * b->seconds;
}

/* ---- chains in segments ------------------------------------------------------------------------------------------ */

/* A chain cut in one way, in place of the elimination that is there where it is predicted to be faster. */
static jc_status look_at_way(const choosing *c, jc_segments way)
{
    jc_order_candidate *e = &c->choice->candidate[JC_ORDER_ELIMINATION], cut = {.seconds = INFINITY};
    jc_query query = c->query;
    jc_vertex *vertices;
    query.order = JC_ORDER_ELIMINATION;
    jc_status status = jc_segments_order(c->graph, &query, way, &vertices, &query.n_eliminate);
    if (status) return pass_over(&cut, status);
    query.eliminate = vertices;
    status = jc_plan_create(c->graph, &query, &cut.plan);
    if (!status) status = lower(c, &cut);
    jc_free(&c->graph->allocator, vertices, query.n_eliminate, sizeof *vertices);
    if (status) return pass_over(&cut, status);
    bool faster = cut.program && !cut.over_limit && (!e->program || e->over_limit || is_faster(&cut, e));
    if (faster) {
        candidate_fini(e);
        *e = cut;
    } else {
        candidate_fini(&cut);
    }
    return JC_OK;
}

/* On a device, where the sweep is deep and narrow: a level of it costs more than its multiply-adds, and a chain in
 * segments has fewer levels for more of them. */
static jc_status look_at_segments(const choosing *c, const jc_order_candidate *first)
{
    jc_status status = JC_OK;
    bool on_device = first->program && first->program->backend->on_device;
    if (!on_device || c->query.eliminate || !jc_plan_is_deep(first->plan)) return JC_OK;
    for (int way = 0; way < JC_SEGMENTS_COUNT && !status; way++) status = look_at_way(c, (jc_segments)way);
    return status;
}

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static jc_status look_at_sweep(const choosing *c, jc_order order)
{
    jc_order_candidate *candidate = &c->choice->candidate[order];
    jc_query query = c->query;
    query.order = order;
    jc_status status = jc_plan_create(c->graph, &query, &candidate->plan);
    if (!status) status = lower(c, candidate);
    return status ? pass_over(candidate, status) : JC_OK;
}

/* The order asked for, or the sweep that is cheaper in multiply-adds; no failure of it is passed over but that no sweep
 * keeps the tape limit. */
static jc_status look_at_first(const choosing *c)
{
    jc_plan *plan;
    jc_order asked = c->query.order;
    jc_status status = jc_plan_create(c->graph, &c->query, &plan);
    if (status == JC_E_LIMIT && asked == JC_ORDER_AUTO) {
        c->choice->order = JC_ORDER_ELIMINATION;
        return JC_OK;
    }
    if (status) return status;
    c->choice->order = asked == JC_ORDER_AUTO ? plan->order : asked;
    c->choice->candidate[c->choice->order].plan = plan;
    return lower(c, &c->choice->candidate[c->choice->order]);
}

/* ---- the choice -------------------------------------------------------------------------------------------------- */

static void choose(jc_order_choice *choice)
{
    jc_order first = choice->order;
    for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++) {
        const jc_order_candidate *c = &choice->candidate[order], *best = &choice->candidate[choice->order];
        if (order == (int)first || !c->program) continue;
        if (order == JC_ORDER_ELIMINATION && (c->over_limit || !c->plan->eliminates)) continue;
        if (is_faster(c, best)) choice->order = (jc_order)order;
    }
}

static jc_status look_at_others(const choosing *c)
{
    jc_order first = c->choice->order;
    const jc_order_candidate *f = &c->choice->candidate[first];
    jc_status status = JC_OK;
    if (!f->plan) { /* no sweep keeps the tape limit */
        status = look_at_elimination(c, INFINITY);
        const jc_order_candidate *e = &c->choice->candidate[JC_ORDER_ELIMINATION];
        return status || e->plan ? status : jc_fail(e->status, "%s", e->why);
    }
    if (!is_worth_planning(c, f)) return JC_OK;
    for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_FORWARD && !status; order++)
        if (order != (int)first && is_worth_sweeping(c, f->plan, (jc_order)order))
            status = look_at_sweep(c, (jc_order)order);
    if (!status && first != JC_ORDER_ELIMINATION) status = look_at_elimination(c, f->seconds);
    if (!status && c->query.order == JC_ORDER_AUTO) status = look_at_segments(c, f);
    return status;
}

jc_status jc_order_choose(const jc_graph *graph, const jc_query *query, const jc_order_options *options,
                          jc_order_choice *choice)
{
    choosing c = {.graph = graph, .options = *options, .choice = choice};
    *choice = (jc_order_choice){.allocator = graph->allocator};
    for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++)
        choice->candidate[order].seconds = INFINITY;
    jc_status status = jc_query_read(query, &c.query);
    if (!status) status = look_at_first(&c);
    if (!status && (c.query.order == JC_ORDER_AUTO || options->all)) status = look_at_others(&c);
    if (status) {
        jc_order_choice_fini(choice);
        return status;
    }
    if (c.query.order == JC_ORDER_AUTO) choose(choice);
    return JC_OK;
}
