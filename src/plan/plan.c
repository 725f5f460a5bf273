#include "plan/plan.h"

#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "plan/emit.h"
#include "rules/query.h"
#include "plan/sweep.h"

const jc_group *jc_plan_jacobian(const jc_plan *plan, int64_t b, int64_t *member)
{
    return jc_subgraph_jacobian(plan->graph, &plan->subgraph, b, member);
}

int64_t jc_plan_edge_of_b(const jc_plan *plan, int64_t b)
{
    const jc_operand *operand = jc_subgraph_operand(&plan->subgraph, b);
    if (!operand) return b < 0 ? -1 : b;
    int64_t group = ((const jc_made *)plan->subgraph.made.data)[operand->made].of_group;
    return group < 0 ? -1 : ((const jc_group *)plan->graph->groups.data)[group].first_edge + operand->member;
}

jc_output jc_plan_output(const jc_plan *plan, int64_t t, int64_t s, bool *computed)
{
    const jc_subgraph *g = &plan->subgraph;
    jc_output out = {.of = g->target_variable[t], .wrt = g->source_variable[s], .kind = JC_OUTPUT_ZERO, .value = -1};
    bool seeded_row = plan->seed == JC_SEED_ROWS, seeded_col = plan->seed == JC_SEED_COLUMNS;
    out.rows = seeded_row ? plan->seed_width : jc_graph_size(plan->graph, out.of) / plan->per_sample;
    out.cols = seeded_col ? plan->seed_width : jc_graph_size(plan->graph, out.wrt) / plan->per_sample;
    bool empty = out.of == out.wrt; /* the graph has no cycles: it is the only path */
    *computed = g->target[t] >= 0 && g->source[s] >= 0 && (!empty || g->empty_path);
    if (!*computed || !empty || seeded_row || seeded_col || plan->per_sample != 1) return out;
    out.kind = JC_OUTPUT_IDENTITY;
    *computed = false;
    return out;
}

/* What a value is to the user: the rows of (target, source), or nothing where no path joins them. */
static jc_output make_output(const jc_plan *plan, const jc_sweep *sweep, const int64_t *value_of_node, int64_t t,
                             int64_t s)
{
    const jc_subgraph *g = &plan->subgraph;
    bool computed;
    jc_output out = jc_plan_output(plan, t, s, &computed);
    out.transposed = !sweep->reverse;
    if (!computed) return out;
    int64_t node = sweep->reverse ? g->source[s] : g->target[t], seed = sweep->reverse ? t : s;
    out.value_row = jc_rowsets_row(&sweep->sets, sweep->set[node], seed);
    if (out.value_row < 0) return out;
    out.kind = JC_OUTPUT_VALUE;
    out.value = value_of_node[node];
    return out;
}

/* Every target with every source; with sources that were not named, only those that reach the target. */
static jc_status list_outputs(jc_plan *plan, const jc_sweep *sweep, const int64_t *value_of_node, bool all_pairs)
{
    const jc_subgraph *g = &plan->subgraph;
    jc_vec outputs = jc_vec_of(sizeof(jc_output));
    jc_status status = JC_OK;
    for (int64_t t = 0; t < g->n_targets && !status; t++)
        for (int64_t s = 0; s < g->n_sources && !status; s++) {
            jc_output out = make_output(plan, sweep, value_of_node, t, s);
            if (all_pairs || out.kind != JC_OUTPUT_ZERO)
                status = jc_vec_append(&plan->allocator, &outputs, &out, 1, "results");
        }
    plan->outputs = outputs.data;
    plan->n_outputs = outputs.count;
    plan->max_outputs = outputs.capacity;
    return status;
}

static void find_structure_only(jc_plan *plan)
{
    plan->structure_only = jc_plan_edge_without_numbers(plan) >= 0;
}

/* One order, looked at: the subgraph it needs and its sweep. */
typedef struct candidate {
    jc_subgraph subgraph;
    jc_folds folds;
    jc_sweep sweep;
    bool made;
} candidate;

static void candidate_fini(const jc_plan *plan, candidate *c)
{
    if (c->made) jc_sweep_fini(&c->sweep);
    jc_folds_fini(&plan->allocator, &c->folds);
    jc_subgraph_fini(&plan->allocator, &c->subgraph);
    c->made = false;
}

static jc_status candidate_init(const jc_plan *plan, const jc_walk *walk, const jc_query *query, jc_order order,
                                int64_t budget, candidate *c)
{
    const jc_graph *g = plan->graph;
    memset(c, 0, sizeof *c);
    jc_status status = jc_subgraph_create(walk, query, order, &c->subgraph);
    if (!status && query->per_sample > 1) status = jc_subgraph_check_samples(g, &c->subgraph, query->per_sample);
    if (!status && query->limits_tape)
        status = jc_subgraph_check_tape(g, &c->subgraph, order == JC_ORDER_REVERSE ? JC_ADJOINT : JC_TANGENT,
                                        query->tape_limit);
    if (!status && order == JC_ORDER_FORWARD && !plan->row_limit) status = jc_folds_init(&c->folds, g, &c->subgraph);
    if (!status) status = jc_sweep_init(&c->sweep, g, &c->subgraph, order == JC_ORDER_REVERSE, &c->folds, budget);
    c->made = !status;
    if (status) candidate_fini(plan, c);
    return status;
}

/* What may be spent on an order that was not asked for: keeps planning linear in the graph. */
static int64_t sweep_budget(const jc_walk *walk)
{
    const jc_graph *g = walk->graph;
    return 100000 + 2 * (g->n_variables + g->n_edges + walk->n_nodes + walk->n_edges);
}

/* -1: not within the budget, or not within the tape limit. */
static int64_t known_cost(const candidate *c)
{
    return !c->made || c->sweep.gave_up ? -1 : c->sweep.cost;
}

/* Whether holding the results of one order is far more than all the work of the other: identities and selections cost
 * no multiply-adds, but a dense matrix all the same. */
static bool holds_too_much(const candidate *c, const candidate *other)
{
    enum { FAR_MORE = 10 };
    int64_t work = jc_cost_add(known_cost(other), other->sweep.entries);
    return known_cost(other) >= 0 && c->sweep.entries > jc_cost_mul(FAR_MORE, work);
}

static bool forward_is_better(const candidate *forward, const candidate *reverse)
{
    int64_t f = known_cost(forward), r = known_cost(reverse);
    if (f < 0 || r < 0) return f >= 0;
    return f < r ? !holds_too_much(forward, reverse) : holds_too_much(reverse, forward);
}

/* Moves the picked candidate into the plan. */
static void adopt(jc_plan *plan, jc_order order, candidate *c, jc_sweep *sweep)
{
    plan->order = order;
    plan->multiply_adds = c->sweep.cost;
    plan->subgraph = c->subgraph;
    plan->folds = c->folds;
    *sweep = c->sweep;
    sweep->subgraph = &plan->subgraph;
    sweep->folds = &plan->folds;
    memset(c, 0, sizeof *c);
}

/* A candidate, or, where another order was asked for than this one, none beyond the tape limit. */
static jc_status candidate_try(const jc_plan *plan, const jc_walk *walk, const jc_query *query, jc_order order,
                               candidate *c)
{
    jc_order other = order == JC_ORDER_REVERSE ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
    int64_t budget = query->order == order ? 0 : sweep_budget(walk);
    jc_status status = candidate_init(plan, walk, query, order, budget, c);
    return status == JC_E_LIMIT && (query->order == JC_ORDER_AUTO || query->order == other) ? JC_OK : status;
}

/* The order asked for, or the cheaper one (reverse when they cost the same, or neither is known within the budget),
 * unless that one holds far more than the other, or is beyond the tape limit. */
static jc_order pick_order(const jc_query *query, const candidate *reverse, const candidate *forward)
{
    if (query->order != JC_ORDER_AUTO) return query->order;
    bool forced = !reverse->made && forward->made;
    return forced || forward_is_better(forward, reverse) ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
}

/* The order picked, and both costs, -1 where it is not known. JC_E_LIMIT: beyond the tape limit. */
static jc_status choose_order(jc_plan *plan, const jc_walk *walk, const jc_query *query, jc_sweep *chosen)
{
    candidate reverse = {.made = false}, forward = {.made = false};
    jc_status status = candidate_try(plan, walk, query, JC_ORDER_REVERSE, &reverse);
    if (!status) status = candidate_try(plan, walk, query, JC_ORDER_FORWARD, &forward);
    if (!status) {
        jc_order order = pick_order(query, &reverse, &forward);
        candidate *picked = order == JC_ORDER_FORWARD ? &forward : &reverse;
        if (known_cost(picked) < 0) {
            candidate_fini(plan, picked);
            status = candidate_init(plan, walk, query, order, 0, picked);
        }
        plan->reverse_cost = known_cost(&reverse), plan->forward_cost = known_cost(&forward);
        if (!status) adopt(plan, order, picked, chosen);
    }
    candidate_fini(plan, &reverse);
    candidate_fini(plan, &forward);
    return status;
}

/* By elimination, or what that falls back to; *found: by elimination. sweep->subgraph NULL: no sweep is within the tape
 * limit, and only an elimination will do. */
static jc_status choose(jc_plan *plan, const jc_walk *walk, const jc_query *query, int64_t entry_limit, jc_sweep *sweep,
                        bool *found)
{
    char why[256];
    jc_query sweeps = *query; /* what an elimination falls back to */
    bool eliminate = query->order == JC_ORDER_ELIMINATION;
    sweep->subgraph = NULL;
    if (eliminate) sweeps.order = plan->row_limit ? JC_ORDER_REVERSE : JC_ORDER_AUTO;
    jc_status status = choose_order(plan, walk, &sweeps, sweep);
    if (!eliminate || (status && !(status == JC_E_LIMIT && query->limits_tape))) return status;
    snprintf(why, sizeof why, "%s", status ? jc_last_error() : "");
    status = jc_plan_by_elimination(plan, walk, query, entry_limit, found);
    if (!status && !*found && !sweep->subgraph) status = jc_fail(JC_E_LIMIT, "%s", why);
    if ((status || *found) && sweep->subgraph) jc_sweep_fini(sweep);
    return status;
}

static jc_status build(jc_plan *plan, const jc_query *query, int64_t entry_limit)
{
    jc_sweep sweep;
    jc_walk walk;
    int64_t *value_of_node = NULL;
    bool found = false;
    jc_status status = jc_walk_create(plan->graph, query, &walk);
    if (status) return status;
    status = choose(plan, &walk, query, entry_limit, &sweep, &found);
    jc_walk_fini(&plan->allocator, &walk);
    if (found) find_structure_only(plan);
    if (status || found) return status;
    status = jc_plan_emit(plan, &sweep, &value_of_node);
    if (!status) status = list_outputs(plan, &sweep, value_of_node, query->n_wrt > 0);
    find_structure_only(plan);
    jc_free(&plan->allocator, value_of_node, plan->subgraph.n_nodes, sizeof *value_of_node);
    jc_sweep_fini(&sweep);
    return status;
}

jc_status jc_plan_create_limited(const jc_graph *graph, const jc_query *query, int64_t row_limit, int64_t entry_limit,
                                 jc_plan **plan)
{
    jc_query q;
    jc_plan *p;
    jc_status status = jc_query_check(graph, query, &q);
    if (status) return status;
    if (row_limit && (q.order == JC_ORDER_FORWARD ? q.n_wrt : q.order == JC_ORDER_AUTO ? 0 : q.n_of) != 1)
        return jc_fail(JC_E_USAGE, "rows can be cut into windows for one target, or for one source forward");
    status = jc_alloc_zero(&graph->allocator, 1, sizeof *p, "a plan", &p);
    if (status) return status;
    p->graph = graph;
    p->allocator = graph->allocator;
    p->seed = q.seed;
    p->seed_width = q.seed_width;
    p->per_sample = q.per_sample;
    p->by_sample = query->per_sample > 0;
    p->row_limit = row_limit;
    p->elimination_cost = -1;
    p->densified = jc_vec_of(sizeof(jc_densified));
    status = build(p, &q, entry_limit);
    if (status)
        jc_plan_destroy(p);
    else
        *plan = p;
    return status;
}

jc_status jc_plan_create_windowed(const jc_graph *graph, const jc_query *query, int64_t row_limit, jc_plan **plan)
{
    return jc_plan_create_limited(graph, query, row_limit, 0, plan);
}

jc_status jc_plan_create(const jc_graph *graph, const jc_query *query, jc_plan **plan)
{
    return jc_plan_create_windowed(graph, query, 0, plan);
}

void jc_plan_destroy(jc_plan *plan)
{
    if (!plan) return;
    jc_allocator a = plan->allocator;
    jc_folds_fini(&a, &plan->folds);
    jc_subgraph_fini(&a, &plan->subgraph);
    jc_free(&a, plan->values, plan->n_values + 1, sizeof *plan->values);
    jc_free(&a, plan->steps, plan->max_steps, sizeof *plan->steps);
    jc_free(&a, plan->levels, plan->n_levels + 1, sizeof *plan->levels);
    jc_free(&a, plan->outputs, plan->max_outputs, sizeof *plan->outputs);
    jc_free(&a, plan->eliminated, plan->n_eliminated, sizeof *plan->eliminated);
    jc_vec_free(&a, &plan->densified);
    jc_free(&a, plan, 1, sizeof *plan);
}

/* Inner vectors of low_rank Jacobians, each of which joins the halves of one edge. */
static int64_t count_ranks(const jc_subgraph *s)
{
    int64_t n = 0;
    for (int64_t v = 0; s->rank_of && v < s->n_nodes; v++) n += s->rank_of[v] >= 0;
    return n;
}

/* Those of the graph's, copies among them. */
static int64_t count_edges(const jc_subgraph *s)
{
    int64_t n = count_ranks(s);
    for (int64_t e = 0; e < s->n_edges; e++) n += s->jacobian[e] >= 0;
    return n;
}

static size_t plan_bytes(const jc_plan *p)
{
    return sizeof *p + jc_subgraph_bytes(&p->subgraph) + jc_folds_bytes(&p->folds) +
           (size_t)(p->n_values + 1) * sizeof *p->values + (size_t)p->max_steps * sizeof *p->steps +
           (size_t)(p->n_levels + 1) * sizeof *p->levels + (size_t)p->max_outputs * sizeof *p->outputs +
           (size_t)p->n_eliminated * sizeof *p->eliminated;
}

jc_status jc_plan_get_info(const jc_plan *p, jc_plan_info *info)
{
    if (info->struct_size < sizeof *info) return jc_fail(JC_E_USAGE, "jc_plan_info: struct_size is not set");
    *info = (jc_plan_info){
        .struct_size = info->struct_size,
        .order = p->by_elimination ? JC_ORDER_ELIMINATION : p->order,
        .levels = p->n_levels,
        .values = p->n_values,
        .steps = p->n_steps,
        .multiply_adds = p->multiply_adds,
        .reverse_cost = p->reverse_cost,
        .forward_cost = p->forward_cost,
        .elimination_cost = p->elimination_cost,
        .nodes = p->subgraph.n_nodes - p->subgraph.n_extra - count_ranks(&p->subgraph),
        .edges = count_edges(&p->subgraph),
        .structure_only = p->structure_only,
        .plan_bytes = plan_bytes(p),
    };
    return JC_OK;
}

/* Marks the nodes of targets and sources. */
static void mark_ends(const jc_plan *p, bool *is_end)
{
    const jc_subgraph *g = &p->subgraph;
    for (int64_t v = 0; v < g->n_nodes; v++) is_end[v] = g->variable[v] < 0;
    for (int64_t i = 0; i < g->n_targets; i++)
        if (g->target[i] >= 0) is_end[g->target[i]] = true;
    for (int64_t i = 0; i < g->n_sources; i++)
        if (g->source[i] >= 0) is_end[g->source[i]] = true;
}

jc_status jc_plan_eliminated(const jc_plan *p, int64_t *variables, int64_t capacity, int64_t *count)
{
    const jc_subgraph *g = &p->subgraph;
    bool *is_end;
    int64_t n = 0;
    jc_status status = jc_alloc(&p->allocator, g->n_nodes, sizeof *is_end, "the ends of the query", &is_end);
    if (status) return status;
    mark_ends(p, is_end);
    for (int64_t i = 0; i < jc_plan_n_vertices(p); i++) {
        int64_t node = jc_plan_vertex(p, i);
        if (is_end[node]) continue;
        if (n < capacity) variables[n] = g->variable[node];
        n++;
    }
    jc_free(&p->allocator, is_end, g->n_nodes, sizeof *is_end);
    *count = n;
    return JC_OK;
}

int64_t jc_plan_seed_rows(const jc_plan *plan)
{
    const jc_subgraph *g = &plan->subgraph;
    int64_t node = plan->order == JC_ORDER_FORWARD ? g->source[0] : g->target[0];
    return node < 0 ? 0 : g->size[node];
}

jc_precision jc_plan_precision(const jc_plan *plan)
{
    bool any = false;
    for (int64_t i = 0; i < plan->subgraph.n_edges; i++) {
        int64_t e = jc_plan_edge_of_b(plan, plan->subgraph.jacobian[i]);
        if (e < 0) continue;
        const jc_group *group = jc_graph_group(plan->graph, e);
        for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++) {
            const jc_field *field = &group->field[f];
            if ((!field->data && !field->on_device) || field->literal || !jc_dtype_is_float(field->dtype)) continue;
            if (field->dtype == JC_F64) return JC_PRECISION_F64;
            any = true;
        }
    }
    return any ? JC_PRECISION_F32 : JC_PRECISION_F64;
}

int64_t jc_plan_edge_on_device(const jc_plan *plan)
{
    for (int64_t i = 0; i < plan->subgraph.n_edges; i++) {
        int64_t e = jc_plan_edge_of_b(plan, plan->subgraph.jacobian[i]);
        const jc_group *group = e < 0 ? NULL : jc_graph_group(plan->graph, e);
        for (int f = 0; group && f < JC_MAX_FIELDS; f++)
            if (group->field[f].on_device) return e;
    }
    return -1;
}

int64_t jc_plan_edge_without_numbers(const jc_plan *plan)
{
    for (int64_t i = 0; i < plan->subgraph.n_edges; i++) {
        int64_t e = jc_plan_edge_of_b(plan, plan->subgraph.jacobian[i]);
        if (e >= 0 && !jc_graph_group(plan->graph, e)->has_numbers) return e;
    }
    return -1;
}
