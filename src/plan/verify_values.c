#include "plan/verify_values.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "plan/verify_entries.h"
#include "plan/verify_numbers.h"

static const char *const WHAT = "the verifier of plans";

typedef struct evaluation {
    const jc_frame *frame;
    const jc_plan *plan;
    const jc_expected *expected;
    int64_t *value_at; /* [n_values + 1] where each begins in `numbers`; the end */
    uint64_t *numbers;
    int64_t *node_at;     /* [expected.n_nodes + 1] the same in `path` */
    uint64_t *path;       /* of the target in hand: r^T D[T,node] */
    int64_t row0, n_rows; /* the window in hand; without windows: all rows of every target */
} evaluation;

/* ---- what it takes ----------------------------------------------------------------------------------------------- */

static jc_drawn drawn_of_edge(const jc_frame *frame, int64_t edge, jc_group *group)
{
    const jc_expected *x = frame->expected;
    if (edge >= x->n_own_edges) return jc_drawn_addition(frame, (edge - x->n_own_edges) / 2, group);
    return jc_drawn_edge(x->graph, x->by_rules ? x->walk.edge[edge] : edge);
}

/* Products of all steps. */
static int64_t work_of_steps(const jc_plan *p)
{
    int64_t work = 0, member;
    for (int64_t i = 0; i < p->n_steps; i++) {
        const jc_step *step = &p->steps[i];
        int64_t entries = jc_drawn_work(jc_plan_jacobian(p, step->b, &member));
        work = jc_cost_add(work, jc_cost_mul(entries, step->a == JC_SEED_IDENTITY ? 1 : step->n_rows));
    }
    for (int64_t i = 0; i < p->n_values; i++)
        work = jc_cost_add(work, jc_cost_mul(p->values[i].rows, p->values[i].cols));
    return work;
}

/* Products of the paths of one target. */
static int64_t work_of_paths(const jc_frame *frame)
{
    const jc_expected *x = frame->expected;
    int64_t work = 0;
    jc_group group;
    for (int64_t e = 0; e < x->n_edges && work < JC_VERIFY_PRODUCTS; e++)
        if (!jc_expected_left_out(x, e)) work = jc_cost_add(work, jc_drawn_work(drawn_of_edge(frame, e, &group).group));
    for (int64_t i = 0; i < x->n_nodes && work < JC_VERIFY_PRODUCTS; i++)
        work = jc_cost_add(work, jc_expected_size(x, i));
    return work;
}

/* Rows of the window's target, all of them. */
static int64_t rows_of_target(const jc_frame *frame)
{
    return frame->expected->n_seeded ? jc_expected_size(frame->expected, frame->expected->seeded[0]) : 0;
}

bool jc_verify_values_fit(const jc_frame *frame)
{
    const jc_plan *p = frame->plan;
    int64_t paths = jc_cost_mul(frame->expected->n_targets, work_of_paths(frame));
    int64_t once = paths < JC_VERIFY_PRODUCTS ? jc_cost_add(work_of_steps(p), paths) : paths, passes = 1;
    if (p->row_limit) passes += rows_of_target(frame) / p->row_limit;
    return jc_cost_mul(once, passes) < JC_VERIFY_PRODUCTS;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* y += x op(B) for n rows, or y += rows row0 .. row0 + n of op(B) where x is NULL. */
typedef struct product {
    const uint64_t *x;
    uint64_t *y;
    int64_t ldx, ldy, row0, n;
} product;

static void take_product(void *ctx, int64_t row, int64_t col, uint64_t number)
{
    const product *p = ctx;
    for (int64_t s = 0; s < p->n; s++) {
        uint64_t *y = &p->y[s * p->ldy + col];
        *y = jc_residue_mul_add(*y, p->x[s * p->ldx + row], number);
    }
}

static void take_row(void *ctx, int64_t row, int64_t col, uint64_t number)
{
    const product *p = ctx;
    if (row < p->row0 || row >= p->row0 + p->n) return;
    uint64_t *y = &p->y[(row - p->row0) * p->ldy + col];
    *y = jc_residue_mul_add(*y, 1, number);
}

static void evaluate_step(const evaluation *e, int64_t c, const jc_step *step)
{
    const jc_plan *p = e->plan;
    bool copies = step->a == JC_SEED_IDENTITY, window = p->row_limit && !step->whole;
    jc_drawn b = jc_drawn_operand(e->frame, step->b);
    int64_t read = jc_plan_value_of_b(p, step->b);
    if (read >= 0) b.numbers = e->numbers + e->value_at[read];
    const jc_shape *s = &b.group->shape;
    product t = {.ldx = step->transpose ? s->cols : s->rows, .ldy = step->transpose ? s->rows : s->cols};
    t.n = window ? e->n_rows : step->n_rows;
    t.row0 = step->a_row + (window ? e->row0 : 0);
    t.y = e->numbers + e->value_at[c] + step->c_row * p->values[c].cols;
    if (!copies) t.x = e->numbers + e->value_at[step->a] + step->a_row * t.ldx;
    if (step->first) memset(t.y, 0, (size_t)(t.n * t.ldy) * sizeof *t.y);
    jc_drawn_each(&b, step->transpose, copies ? take_row : take_product, &t);
}

static void evaluate(const evaluation *e)
{
    const jc_plan *p = e->plan;
    for (int64_t c = 0; c < p->n_values; c++)
        for (int64_t i = p->values[c].first_step; i < p->values[c + 1].first_step; i++)
            evaluate_step(e, c, &p->steps[i]);
}

/* ---- paths ------------------------------------------------------------------------------------------------------- */

/* An entry of r; a target's does not depend on others. */
static uint64_t entry_of_r(int64_t target, int64_t row)
{
    return jc_residue_random(UINT64_MAX - (uint64_t)target, (uint64_t)row);
}

/* path[head] += path[tail] D */
typedef struct carrying {
    const uint64_t *tail;
    uint64_t *head;
} carrying;

static void take_carried(void *ctx, int64_t row, int64_t col, uint64_t number)
{
    const carrying *c = ctx;
    c->head[col] = jc_residue_mul_add(c->head[col], c->tail[row], number);
}

/* r^T D[T,u] for all u, r zero outside of the window: from T's r on, in the order of the edges. */
static void sum_over_paths(const evaluation *e, int64_t target, int64_t from)
{
    const jc_expected *x = e->expected;
    jc_group group;
    int64_t end = e->plan->row_limit ? e->row0 + e->n_rows : jc_expected_size(x, from);
    memset(e->path, 0, (size_t)e->node_at[x->n_nodes] * sizeof *e->path);
    for (int64_t row = e->row0; row < end; row++) e->path[e->node_at[from] + row] = entry_of_r(target, row);
    for (int64_t i = 0; i < x->n_edges; i++) {
        int64_t edge = x->order[i];
        if (jc_expected_left_out(x, edge)) continue;
        jc_drawn d = drawn_of_edge(e->frame, edge, &group);
        carrying c = {e->path + e->node_at[jc_expected_tail(x, edge)], e->path + e->node_at[jc_expected_head(x, edge)]};
        jc_drawn_each(&d, false, take_carried, &c);
    }
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

static bool is_total(const evaluation *e, int64_t target, const jc_wanted *wanted, const jc_output *out)
{
    const jc_value *value = &e->plan->values[out->value];
    const uint64_t *numbers = e->numbers + e->value_at[out->value], *path = e->path + e->node_at[wanted->below];
    int64_t cols = jc_expected_size(e->expected, wanted->below), rows = out->transposed ? value->cols : value->rows;
    int64_t row_step = out->transposed ? 1 : cols, col_step = out->transposed ? rows : 1;
    if (jc_cost_mul(rows, cols) != jc_cost_mul(value->rows, value->cols)) return false;
    for (int64_t col = 0; col < cols; col++) {
        uint64_t sum = 0;
        for (int64_t s = 0; s < (e->plan->row_limit ? e->n_rows : rows); s++)
            sum = jc_residue_mul_add(sum, entry_of_r(target, e->row0 + s), numbers[s * row_step + col * col_step]);
        if (sum != path[col]) return false;
    }
    return true;
}

static jc_status check_target(const evaluation *e, const jc_query *query, int64_t t, int64_t *n)
{
    const jc_expected *x = e->expected;
    int64_t above = jc_expected_outermost(x, x->target_node[t], true);
    if (above >= 0) sum_over_paths(e, t, above);
    for (int64_t s = 0; s < x->n_sources; s++) {
        jc_wanted wanted = jc_frame_wanted(e->frame, query, t, s);
        if (!wanted.asked) continue;
        const jc_output *out = &e->plan->outputs[(*n)++];
        if (wanted.kind == JC_OUTPUT_VALUE && !is_total(e, t, &wanted, out))
            return jc_frame_broken(e->frame, out->value, -1, "has other numbers than the total that is asked for");
    }
    return JC_OK;
}

/* One window after the other. */
static jc_status check_windows(evaluation *e, const jc_query *query)
{
    int64_t limit = e->plan->row_limit, rows = limit ? rows_of_target(e->frame) : 1;
    jc_status status = JC_OK;
    for (e->row0 = 0; e->row0 < rows && !status; e->row0 += limit ? limit : 1) {
        int64_t n = 0;
        e->n_rows = jc_min(limit, rows - e->row0);
        evaluate(e);
        for (int64_t t = 0; t < e->expected->n_targets && !status; t++) status = check_target(e, query, t, &n);
    }
    return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static jc_status evaluation_init(evaluation *e)
{
    const jc_plan *p = e->plan;
    const jc_expected *x = e->expected;
    const jc_allocator *a = &p->allocator;
    jc_status status = jc_alloc_zero(a, p->n_values + 1, sizeof *e->value_at, WHAT, &e->value_at);
    if (!status) status = jc_alloc_zero(a, x->n_nodes + 1, sizeof *e->node_at, WHAT, &e->node_at);
    for (int64_t i = 0; i < p->n_values && !status; i++)
        e->value_at[i + 1] = e->value_at[i] + p->values[i].rows * p->values[i].cols;
    for (int64_t i = 0; i < x->n_nodes && !status; i++) e->node_at[i + 1] = e->node_at[i] + jc_expected_size(x, i);
    if (!status) status = jc_alloc_zero(a, e->value_at[p->n_values], sizeof *e->numbers, WHAT, &e->numbers);
    if (!status) status = jc_alloc_zero(a, e->node_at[x->n_nodes], sizeof *e->path, WHAT, &e->path);
    return status;
}

static void evaluation_fini(evaluation *e)
{
    const jc_allocator *a = &e->plan->allocator;
    if (e->path) jc_free(a, e->path, e->node_at[e->expected->n_nodes], sizeof *e->path);
    if (e->numbers) jc_free(a, e->numbers, e->value_at[e->plan->n_values], sizeof *e->numbers);
    jc_free(a, e->node_at, e->expected->n_nodes + 1, sizeof *e->node_at);
    jc_free(a, e->value_at, e->plan->n_values + 1, sizeof *e->value_at);
}

jc_status jc_verify_values(const jc_frame *frame, const jc_query *query)
{
    evaluation e = {.frame = frame, .plan = frame->plan, .expected = frame->expected};
    if (!jc_verify_values_fit(frame)) return JC_OK;
    jc_status status = evaluation_init(&e);
    if (!status) status = check_windows(&e, query);
    evaluation_fini(&e);
    return status;
}
