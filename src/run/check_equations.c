#include "run/check_equations.h"

#include <stdlib.h>
#include <string.h>

#include "backend/reference/roundoff.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "core/sort.h"

static const char *const WHAT = "the equations of a check";

/* ---- edges and values by node ----------------------------------------------------------------------------------- */

/* Edges by the node they add to, in the order of the subgraph. */
static jc_status sort_edges(jc_equations *eq)
{
    const jc_subgraph *g = &eq->plan->subgraph;
    return jc_sort_by_key(eq->allocator, eq->reverse ? g->wrt : g->of, g->n_nodes, NULL, g->n_edges, eq->edges,
                          eq->start);
}

static void number_seeds(jc_equations *eq)
{
    const jc_subgraph *g = &eq->plan->subgraph;
    const int64_t *seeds = eq->reverse ? g->target : g->source;
    for (int64_t v = 0; v < g->n_nodes; v++) eq->seed_of[v] = eq->value_of[v] = -1;
    for (int64_t f = 0; f < eq->plan->folds.n; f++) eq->seed_size[eq->n_ends + f] = eq->plan->folds.fold[f].w;
    for (int64_t i = 0; i < eq->n_ends; i++) {
        eq->seed_size[i] = seeds[i] < 0 ? 0 : g->size[seeds[i]];
        if (seeds[i] >= 0) eq->seed_of[seeds[i]] = i;
    }
}

static jc_status number_values(jc_equations *eq)
{
    for (int64_t i = 0; i < eq->plan->n_values; i++) {
        const jc_value *value = &eq->plan->values[i];
        if (eq->value_of[value->node] >= 0 || value->cols != eq->plan->subgraph.size[value->node])
            return jc_fail(JC_E_INTERNAL, "check: value %lld of the plan is not that of its variable", (long long)i);
        eq->value_of[value->node] = i;
    }
    return JC_OK;
}

/* ---- how often a term is rounded --------------------------------------------------------------------------------- */

/* The largest number of times that one column is in an index list. */
static jc_status most_in_a_column(const jc_allocator *a, const jc_jac *jac, int field, int64_t n, int64_t *most)
{
    const jc_group *group = jac->group;
    int64_t *count, q = group->shape.q, blocks = group->field[field].batched ? group->shape.batch : 1;
    jc_status status = jc_alloc(a, q, sizeof *count, WHAT, &count);
    if (status) return status;
    *most = 0;
    for (int64_t b = 0; b < blocks; b++) {
        memset(count, 0, (size_t)q * sizeof *count);
        for (int64_t i = 0; i < n; i++) {
            int64_t column = jc_load_index(jac->dtype[field], jac->data[field], b * n + i);
            *most = jc_max(*most, ++count[column]);
        }
    }
    jc_free(a, count, q, sizeof *count);
    return JC_OK;
}

enum { MANY = 256 };

jc_status jc_counted_roundings(const jc_plan *plan, int64_t b, bool identity, bool transpose, int64_t *roundings)
{
    int64_t member;
    const jc_group *group = jc_plan_jacobian(plan, b, &member);
    const jc_shape *shape = &group->shape;
    jc_direction direction = jc_shape_direction(shape, transpose ? JC_TANGENT : JC_ADJOINT);
    *roundings = jc_step_roundings(group, identity, transpose);
    if (*roundings < MANY || identity || direction == JC_TANGENT || !group->has_numbers) return JC_OK;
    jc_jac jac = jc_group_member(group, member, NULL);
    if (shape->kind == JC_SELECT) return most_in_a_column(&plan->allocator, &jac, 0, shape->p, roundings);
    if (shape->kind == JC_CSR) return most_in_a_column(&plan->allocator, &jac, 1, shape->m, roundings);
    return JC_OK;
}

static jc_status edge_roundings(const jc_equations *eq, int64_t b, bool identity, int64_t *roundings)
{
    return jc_counted_roundings(eq->plan, b, identity, !eq->reverse, roundings);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static int compare_seeds(const void *a, const void *b)
{
    int64_t x = ((const jc_seed_rows *)a)->seed, y = ((const jc_seed_rows *)b)->seed;
    return (x > y) - (x < y);
}

static jc_status add_seed(jc_equations *eq, int64_t node, int64_t seed, int64_t *stamp)
{
    if (stamp[seed] == node) return JC_OK;
    jc_seed_rows rows = {seed, 0};
    stamp[seed] = node;
    eq->n_seeds_of[node]++;
    return jc_vec_append(eq->allocator, &eq->seeds, &rows, 1, WHAT);
}

/* The end that a seed is, or that it is the fold of. */
static int64_t end_of(const jc_equations *eq, int64_t seed)
{
    return seed < eq->n_ends ? seed : eq->plan->folds.fold[seed - eq->n_ends].source;
}

/* The fold that an edge begins, as a seed, or the end itself. */
static int64_t identity_of(const jc_equations *eq, int64_t edge, int64_t end)
{
    const jc_plan *p = eq->plan;
    int64_t fold = eq->reverse ? -1 : jc_folds_begun(&p->folds, p->graph, &p->subgraph, edge);
    return fold < 0 ? end : eq->n_ends + fold;
}

/* What one edge hands to a node: the rows of its other end, and that end's identity. */
static jc_status take_rows(jc_equations *eq, int64_t node, int64_t edge, int64_t *stamp)
{
    int64_t from = jc_equations_from(eq, edge), b = eq->plan->subgraph.jacobian[edge], roundings;
    bool keeps = !eq->plan->folds.n || jc_edge_keeps_folds(eq->plan->graph, &eq->plan->subgraph, edge);
    jc_status status = JC_OK;
    for (int64_t i = 0; i < eq->n_seeds_of[from] && !status; i++) {
        int64_t seed = ((jc_seed_rows *)eq->seeds.data)[eq->first_seed[from] + i].seed;
        status = add_seed(eq, node, keeps ? seed : end_of(eq, seed), stamp);
    }
    if (!status && eq->n_rows[from]) {
        status = edge_roundings(eq, b, false, &roundings);
        if (!status) eq->roundings[node] = jc_cost_add(eq->roundings[node], roundings);
    }
    if (status || eq->seed_of[from] < 0) return status;
    status = add_seed(eq, node, identity_of(eq, edge, eq->seed_of[from]), stamp);
    if (!status) status = edge_roundings(eq, b, true, &roundings);
    if (!status) eq->roundings[node] = jc_cost_add(eq->roundings[node], roundings);
    return status;
}

/* Ends in place of their folds where the node's rows are plain, or one end is there in both ways. */
static void unfold_seeds(jc_equations *eq, int64_t node, int64_t *stamp)
{
    jc_seed_rows *rows = (jc_seed_rows *)eq->seeds.data + eq->first_seed[node];
    int64_t n = eq->n_seeds_of[node], kept = 0;
    bool plain = eq->plan->folds.n && eq->plan->folds.plain[node];
    for (int64_t i = 0; i < n; i++)
        plain = plain || (rows[i].seed >= eq->n_ends && stamp[end_of(eq, rows[i].seed)] == node);
    for (int64_t i = 0; i < n && plain; i++) {
        int64_t end = end_of(eq, rows[i].seed);
        if (end != rows[i].seed && stamp[end] == node) continue;
        stamp[end] = node;
        rows[kept++].seed = end;
    }
    if (!plain) return;
    eq->n_seeds_of[node] = kept;
    eq->seeds.count = eq->first_seed[node] + kept;
}

/* The rows of one node, when those it gets them from are known. stamp[seed]: the last node that took it. */
static jc_status number_rows(jc_equations *eq, int64_t node, int64_t *stamp)
{
    eq->first_seed[node] = eq->seeds.count;
    for (int64_t k = eq->start[node]; k < eq->start[node + 1]; k++) {
        int64_t from = jc_equations_from(eq, eq->edges[k]);
        jc_status status = take_rows(eq, node, eq->edges[k], stamp);
        if (status) return status;
        eq->path[node] = jc_max(eq->path[node], eq->path[from]);
        eq->products[node] = jc_max(eq->products[node], eq->products[from]);
    }
    if (eq->n_seeds_of[node] == 0) return JC_OK;
    unfold_seeds(eq, node, stamp);
    eq->path[node] = jc_cost_add(eq->path[node], jc_cost_add(eq->roundings[node], JC_TERM_ROUNDINGS));
    eq->products[node]++;
    jc_seed_rows *rows = (jc_seed_rows *)eq->seeds.data + eq->first_seed[node];
    qsort(rows, (size_t)eq->n_seeds_of[node], sizeof *rows, compare_seeds);
    for (int64_t i = 0; i < eq->n_seeds_of[node]; i++) {
        rows[i].row = eq->n_rows[node];
        eq->n_rows[node] += eq->seed_size[rows[i].seed];
    }
    return JC_OK;
}

static jc_status check_rows(const jc_equations *eq, int64_t node)
{
    int64_t value = eq->value_of[node], rows = value < 0 ? 0 : eq->plan->values[value].rows;
    if (rows == eq->n_rows[node]) return JC_OK;
    return jc_fail(JC_E_INTERNAL, "check: the plan gives node %lld %lld rows, its equation has %lld", (long long)node,
                   (long long)rows, (long long)eq->n_rows[node]);
}

static jc_status number_all_rows(jc_equations *eq)
{
    int64_t *stamp;
    jc_status status = jc_alloc(eq->allocator, eq->n_seeds, sizeof *stamp, WHAT, &stamp);
    if (status) return status;
    memset(stamp, -1, (size_t)eq->n_seeds * sizeof *stamp);
    for (int64_t i = 0; i < eq->n_nodes && !status; i++) {
        int64_t node = eq->reverse ? eq->n_nodes - 1 - i : i;
        status = number_rows(eq, node, stamp);
        if (!status) status = check_rows(eq, node);
    }
    jc_free(eq->allocator, stamp, eq->n_seeds, sizeof *stamp);
    return status;
}

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

static jc_status allocate(jc_equations *eq)
{
    const jc_allocator *a = eq->allocator;
    int64_t n = eq->n_nodes;
    jc_status status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->seed_of);
    if (!status) status = jc_alloc_zero(a, eq->n_seeds, sizeof(int64_t), WHAT, &eq->seed_size);
    if (!status) status = jc_alloc_zero(a, n + 1, sizeof(int64_t), WHAT, &eq->start);
    if (!status) status = jc_alloc_zero(a, eq->plan->subgraph.n_edges, sizeof(int64_t), WHAT, &eq->edges);
    if (!status) status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->value_of);
    if (!status) status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->first_seed);
    if (!status) status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->n_seeds_of);
    if (!status) status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->n_rows);
    if (!status) status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->roundings);
    if (!status) status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->path);
    if (!status) status = jc_alloc_zero(a, n, sizeof(int64_t), WHAT, &eq->products);
    return status;
}

jc_status jc_equations_init(jc_equations *eq, const jc_plan *plan)
{
    bool reverse = plan->order != JC_ORDER_FORWARD;
    *eq = (jc_equations){.plan = plan,
                         .allocator = &plan->allocator,
                         .reverse = reverse,
                         .n_nodes = plan->subgraph.n_nodes,
                         .n_ends = reverse ? plan->subgraph.n_targets : plan->subgraph.n_sources,
                         .seeds = jc_vec_of(sizeof(jc_seed_rows))};
    eq->n_seeds = eq->n_ends + plan->folds.n;
    jc_status status = allocate(eq);
    if (!status) status = sort_edges(eq);
    if (!status) {
        number_seeds(eq);
        status = number_values(eq);
    }
    if (!status) status = number_all_rows(eq);
    if (status) jc_equations_fini(eq);
    return status;
}

void jc_equations_fini(jc_equations *eq)
{
    const jc_allocator *a = eq->allocator;
    int64_t n = eq->n_nodes;
    jc_vec_free(a, &eq->seeds);
    jc_free(a, eq->products, n, sizeof(int64_t));
    jc_free(a, eq->path, n, sizeof(int64_t));
    jc_free(a, eq->roundings, n, sizeof(int64_t));
    jc_free(a, eq->n_rows, n, sizeof(int64_t));
    jc_free(a, eq->n_seeds_of, n, sizeof(int64_t));
    jc_free(a, eq->first_seed, n, sizeof(int64_t));
    jc_free(a, eq->value_of, n, sizeof(int64_t));
    jc_free(a, eq->edges, eq->plan->subgraph.n_edges, sizeof(int64_t));
    jc_free(a, eq->start, n + 1, sizeof(int64_t));
    jc_free(a, eq->seed_size, eq->n_seeds, sizeof(int64_t));
    jc_free(a, eq->seed_of, n, sizeof(int64_t));
}

/* ---- the products of an equation --------------------------------------------------------------------------------- */

static const jc_seed_rows *seeds_of(const jc_equations *eq, int64_t node)
{
    return (const jc_seed_rows *)eq->seeds.data + eq->first_seed[node];
}

/* The rows asked for. */
typedef struct window {
    int64_t row, n;
    jc_status (*visit)(void *ctx, const jc_step *step);
    void *ctx;
} window;

/* The part of a step, whose c_row is that of the whole value, that lies in the window. */
static jc_status visit_clipped(const window *w, jc_step step)
{
    int64_t begin = jc_max(step.c_row, w->row), end = jc_min(step.c_row + step.n_rows, w->row + w->n);
    if (begin >= end) return JC_OK;
    if (step.fold && step.a != JC_SEED_IDENTITY)
        step.skip = begin - step.c_row;
    else
        step.a_row += begin - step.c_row;
    step.c_row = begin - w->row;
    step.n_rows = end - begin;
    return w->visit(w->ctx, &step);
}

/* Where the rows of a seed begin in a node's value, or -1. */
static int64_t row_of(const jc_equations *eq, int64_t node, int64_t seed)
{
    const jc_seed_rows *ours = seeds_of(eq, node);
    for (int64_t i = 0; i < eq->n_seeds_of[node]; i++)
        if (ours[i].seed == seed) return ours[i].row;
    return -1;
}

/* The folds among the rows of `from` from number `i` on: the node has the rows of their ends. */
static jc_status visit_folds(const jc_equations *eq, int64_t node, int64_t from, int64_t b, int64_t i, const window *w)
{
    const jc_seed_rows *theirs = seeds_of(eq, from);
    jc_status status = JC_OK;
    for (; i < eq->n_seeds_of[from] && !status; i++) {
        int64_t end = end_of(eq, theirs[i].seed);
        jc_step step = {.a = eq->value_of[from], .b = b, .a_row = theirs[i].row, .transpose = true};
        step.c_row = row_of(eq, node, end), step.n_rows = eq->seed_size[end];
        step.fold = (int32_t)(theirs[i].seed - eq->n_ends + 1);
        status = visit_clipped(w, step);
    }
    return status;
}

/* The rows of `from`, in runs that lie side by side in both; then those of folds that the node does not have. */
static jc_status visit_rows(const jc_equations *eq, int64_t node, int64_t from, int64_t b, const window *w)
{
    const jc_seed_rows *theirs = seeds_of(eq, from), *ours = seeds_of(eq, node);
    int64_t n = eq->n_seeds_of[from];
    jc_step step = {.a = eq->value_of[from], .b = b, .transpose = !eq->reverse};
    for (int64_t i = 0; i < n; i++) {
        if (theirs[i].seed >= eq->n_ends && row_of(eq, node, theirs[i].seed) < 0) {
            jc_status status = visit_clipped(w, step);
            return status ? status : visit_folds(eq, node, from, b, i, w);
        }
        while (ours->seed != theirs[i].seed) ours++;
        if (ours->row != step.c_row + step.n_rows) {
            jc_status status = visit_clipped(w, step);
            if (status) return status;
            step.a_row = theirs[i].row, step.c_row = ours->row, step.n_rows = 0;
        }
        step.n_rows += eq->seed_size[ours->seed];
    }
    return visit_clipped(w, step);
}

static jc_status visit_identity(const jc_equations *eq, int64_t node, int64_t edge, int64_t end, const window *w)
{
    int64_t seed = identity_of(eq, edge, end), row = row_of(eq, node, seed);
    if (row < 0) seed = end, row = row_of(eq, node, end);
    jc_step step = {.a = JC_SEED_IDENTITY,
                    .b = eq->plan->subgraph.jacobian[edge],
                    .c_row = row,
                    .n_rows = eq->seed_size[seed],
                    .transpose = !eq->reverse};
    if (seed >= eq->n_ends) step.fold = (int32_t)(seed - eq->n_ends + 1);
    return visit_clipped(w, step);
}

jc_status jc_equations_visit(const jc_equations *eq, int64_t node, int64_t row, int64_t n,
                             jc_status (*visit)(void *ctx, const jc_step *step), void *ctx)
{
    window w = {row, n, visit, ctx};
    jc_status status = JC_OK;
    for (int64_t k = eq->start[node]; k < eq->start[node + 1] && !status; k++) {
        int64_t edge = eq->edges[k], from = jc_equations_from(eq, edge), b = eq->plan->subgraph.jacobian[edge];
        if (eq->seed_of[from] >= 0) status = visit_identity(eq, node, edge, eq->seed_of[from], &w);
        if (!status && eq->n_rows[from]) status = visit_rows(eq, node, from, b, &w);
    }
    return status;
}

jc_seed_rows jc_equations_seed_at(const jc_equations *eq, int64_t node, int64_t row)
{
    const jc_seed_rows *ours = seeds_of(eq, node);
    int64_t i = 0;
    while (i + 1 < eq->n_seeds_of[node] && ours[i + 1].row <= row) i++;
    return (jc_seed_rows){ours[i].seed, row - ours[i].row};
}

jc_seed_rows jc_equations_end_at(const jc_equations *eq, int64_t node, int64_t row, int64_t col)
{
    jc_seed_rows at = jc_equations_seed_at(eq, node, row);
    if (at.seed < eq->n_ends) return at;
    const jc_fold *fold = &eq->plan->folds.fold[at.seed - eq->n_ends];
    return (jc_seed_rows){fold->source, col % fold->h * fold->w + at.row};
}
