#include "plan/patient.h"

#include <string.h>

void *jt_patient_copy(jt_pool *pool, const void *data, int64_t n, size_t bytes)
{
    void *c = jt_alloc(pool, n + 2, bytes);
    if (n) memcpy(c, data, (size_t)n * bytes);
    return c;
}

void jt_patient_init(jt_patient *p, const jc_plan *plan, const jc_layout *layout, const jc_query *query)
{
    *p = (jt_patient){.plan = *plan, .layout = *layout, .query = query};
    p->plan.values = jt_patient_copy(&p->pool, plan->values, plan->n_values + 1, sizeof *plan->values);
    p->plan.steps = jt_patient_copy(&p->pool, plan->steps, plan->n_steps, sizeof *plan->steps);
    p->plan.levels = jt_patient_copy(&p->pool, plan->levels, plan->n_levels + 1, sizeof *plan->levels);
    p->plan.outputs = jt_patient_copy(&p->pool, plan->outputs, plan->n_outputs, sizeof *plan->outputs);
    p->layout.offset = jt_patient_copy(&p->pool, layout->offset, layout->n_values, sizeof *layout->offset);
    p->plan.eliminated = jt_patient_copy(&p->pool, plan->eliminated, plan->n_eliminated, sizeof *plan->eliminated);
    const jc_subgraph *g = &plan->subgraph;
    p->plan.subgraph.extra = jt_patient_copy(&p->pool, g->extra, g->n_extra, sizeof *g->extra);
    p->plan.subgraph.made.data = jt_patient_copy(&p->pool, g->made.data, g->made.count, sizeof(jc_made));
    p->plan.subgraph.operands.data = jt_patient_copy(&p->pool, g->operands.data, g->operands.count, sizeof(jc_operand));
}

int64_t jt_value_of_step(const jc_plan *p, int64_t step)
{
    int64_t v = 0;
    while (p->values[v + 1].first_step <= step) v++;
    return v;
}

int64_t jt_level_of(const jc_plan *p, int64_t value)
{
    int64_t l = 0;
    while (p->levels[l + 1] <= value) l++;
    return l;
}

int64_t jt_value_bytes(const jt_patient *p, int64_t v)
{
    return p->plan.values[v].rows * p->plan.values[v].cols * p->layout.element_bytes;
}

jc_step *jt_any_step(jt_patient *p, jt_rng *rng)
{
    return p->plan.n_steps ? &p->plan.steps[jt_below(rng, p->plan.n_steps)] : NULL;
}

/* A step that reads a value, or NULL. */
jc_step *jt_any_product(jt_patient *p, jt_rng *rng)
{
    for (int t = 0; t < 20; t++) {
        jc_step *s = jt_any_step(p, rng);
        if (s && s->a != JC_SEED_IDENTITY) return s;
    }
    return NULL;
}

static jc_output *any_output(jt_patient *p, jt_rng *rng)
{
    for (int t = 0; t < 20; t++) {
        jc_output *o = &p->plan.outputs[jt_below(rng, p->plan.n_outputs)];
        if (o->kind == JC_OUTPUT_VALUE) return o;
    }
    return NULL;
}

/* ---- ways to break a plan: false where one does not apply -------------------------------------------------------- */

static void insert_steps(jc_plan *p, int64_t at, int64_t n)
{
    for (int64_t v = 0; v <= p->n_values; v++)
        if (p->values[v].first_step > at) p->values[v].first_step += n;
    p->n_steps += n;
}

static bool drop_step(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    if (!s) return false;
    int64_t at = s - p->plan.steps;
    memmove(s, s + 1, (size_t)(p->plan.n_steps - at - 1) * sizeof *s);
    insert_steps(&p->plan, at, -1);
    return true;
}

static bool double_step(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    if (!s) return false;
    int64_t at = s - p->plan.steps;
    memmove(s + 1, s, (size_t)(p->plan.n_steps - at) * sizeof *s);
    s[1].first = false;
    insert_steps(&p->plan, at, 1);
    return true;
}

/* Of two steps that share an edge's rows, the second does what the first did; the number of rows stays right. */
static bool same_rows_twice(jt_patient *p, jt_rng *rng)
{
    (void)rng;
    for (int64_t i = 0; i + 1 < p->plan.n_steps; i++) {
        jc_step *s = &p->plan.steps[i];
        if (s[0].b != s[1].b || s[0].n_rows != s[1].n_rows || s[0].a != s[1].a) continue;
        s[1] = s[0];
        s[1].first = false;
        return true;
    }
    return false;
}

static bool flip_first(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    return s ? s->first = !s->first, true : false;
}

static bool flip_transpose(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    return s ? s->transpose = !s->transpose, true : false;
}

static bool shift_a_row(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    return s ? s->a_row += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool shift_c_row(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    return s ? s->c_row += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool change_n_rows(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    return s ? s->n_rows += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool other_jacobian(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    if (!s) return false;
    int64_t b = jt_between(rng, -2, p->plan.graph->n_edges);
    if (b == s->b) return false;
    s->b = b;
    return true;
}

static bool other_operand(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    if (!s) return false;
    int64_t a = jt_between(rng, -2, p->plan.n_values);
    if (a == s->a) return false;
    s->a = a;
    return true;
}

/* A random step of a fold: one that begins it, or leaves it. */
static jc_step *any_fold(jt_patient *p, jt_rng *rng, bool leaves)
{
    int64_t n = p->plan.n_steps, first = n ? jt_below(rng, n) : 0;
    for (int64_t i = 0; i < n; i++) {
        jc_step *s = &p->plan.steps[(first + i) % n];
        if (s->fold && (s->a != JC_SEED_IDENTITY) == leaves) return s;
    }
    return NULL;
}

static bool fold_begun_as_whole_rows(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_fold(p, rng, false);
    return s ? s->fold = 0, true : false;
}

static bool fold_left_as_rows(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_fold(p, rng, true);
    return s ? s->fold = 0, true : false;
}

static bool other_fold(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_fold(p, rng, jt_below(rng, 2));
    return s ? s->fold += jt_below(rng, 2) ? 1 : -2, true : false;
}

static bool fold_left_in_part(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_fold(p, rng, true);
    return s ? s->skip = 1, true : false;
}

static bool rows_taken_for_a_fold(jt_patient *p, jt_rng *rng)
{
    jc_step *s = p->plan.folds.n ? jt_any_step(p, rng) : NULL;
    if (!s || s->fold) return false;
    s->fold = 1;
    return true;
}

/* Another h x w of the same size. */
static bool wrong_fold(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.folds.n) return false;
    p->plan.folds.fold = jt_patient_copy(&p->pool, p->plan.folds.fold, p->plan.folds.n, sizeof *p->plan.folds.fold);
    jc_fold *f = &p->plan.folds.fold[jt_below(rng, p->plan.folds.n)];
    f->w *= f->h, f->h = 1;
    return true;
}

/* Two levels made one: the second reads the first. */
static bool race(jt_patient *p, jt_rng *rng)
{
    if (p->plan.n_levels < 2) return false;
    int64_t l = jt_between(rng, 1, p->plan.n_levels - 1);
    memmove(p->plan.levels + l, p->plan.levels + l + 1, (size_t)(p->plan.n_levels - l) * sizeof *p->plan.levels);
    p->plan.n_levels--;
    return true;
}

static void rename_value(int64_t *v, int64_t a, int64_t b)
{
    *v = *v == a ? b : *v == b ? a : *v;
}

/* Values a and b change places, with their steps; everything that names them follows. */
void jt_exchange_values(jt_patient *p, int64_t a, int64_t b)
{
    jc_plan *plan = &p->plan;
    jc_value *old = jt_patient_copy(&p->pool, plan->values, plan->n_values + 1, sizeof *old);
    jc_step *steps = jt_patient_copy(&p->pool, plan->steps, plan->n_steps, sizeof *steps);
    int64_t n = 0;
    for (int64_t v = 0; v < plan->n_values; v++) {
        int64_t from = v;
        rename_value(&from, a, b);
        plan->values[v] = old[from];
        plan->values[v].first_step = n;
        for (int64_t s = old[from].first_step; s < old[from + 1].first_step; s++) plan->steps[n++] = steps[s];
    }
    for (int64_t s = 0; s < plan->n_steps; s++) rename_value(&plan->steps[s].a, a, b);
    jc_operand *operands = plan->subgraph.operands.data;
    for (int64_t i = 0; i < plan->subgraph.operands.count; i++) rename_value(&operands[i].value, a, b);
    for (int64_t i = 0; i < plan->n_outputs; i++) rename_value(&plan->outputs[i].value, a, b);
    int64_t offset = p->layout.offset[a];
    p->layout.offset[a] = p->layout.offset[b], p->layout.offset[b] = offset;
}

static bool read_too_early(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_product(p, rng);
    if (!s) return false;
    jt_exchange_values(p, s->a, jt_value_of_step(&p->plan, s - p->plan.steps));
    return true;
}

void jt_place(jt_patient *p, int64_t value, int64_t offset)
{
    p->layout.offset[value] = offset;
    int64_t end = offset + jt_value_bytes(p, value);
    if (end > p->layout.arena_bytes) p->layout.arena_bytes = end;
}

/* A value stored over one that it reads, wholly or in part. */
static bool reused_slot(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_product(p, rng);
    if (!s) return false;
    int64_t c = jt_value_of_step(&p->plan, s - p->plan.steps), last = (jt_value_bytes(p, s->a) - 1) / 64;
    jt_place(p, c, p->layout.offset[s->a] + 64 * jt_between(rng, 0, last));
    return true;
}

/* Two values of one level in one place. */
static bool shared_slot(jt_patient *p, jt_rng *rng)
{
    for (int64_t l = 0; l < p->plan.n_levels; l++) {
        int64_t first = p->plan.levels[l], n = p->plan.levels[l + 1] - first;
        if (n < 2) continue;
        int64_t a = jt_below(rng, n), b = (a + jt_between(rng, 1, n - 1)) % n;
        jt_place(p, first + b, p->layout.offset[first + a]);
        return true;
    }
    return false;
}

/* A result's storage used again by a later value, which nothing else would notice. */
static bool output_overwritten(jt_patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    if (!o || p->plan.levels[jt_level_of(&p->plan, o->value) + 1] == p->plan.n_values) return false;
    int64_t later = jt_between(rng, p->plan.levels[jt_level_of(&p->plan, o->value) + 1], p->plan.n_values - 1);
    jt_place(p, later, p->layout.offset[o->value]);
    return true;
}

static bool outside_the_arena(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    int64_t v = jt_below(rng, p->plan.n_values);
    p->layout.offset[v] = jt_below(rng, 2) ? -64 : (p->layout.arena_bytes - jt_value_bytes(p, v)) / 64 * 64 + 64;
    return true;
}

static bool unaligned(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    int64_t v = jt_below(rng, p->plan.n_values);
    jt_place(p, v, p->layout.offset[v] + 8);
    return true;
}

static bool wrong_rows(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    p->plan.values[jt_below(rng, p->plan.n_values)].rows += jt_below(rng, 2) ? 1 : -1;
    return true;
}

static bool wrong_cols(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    p->plan.values[jt_below(rng, p->plan.n_values)].cols += jt_below(rng, 2) ? 1 : -1;
    return true;
}

static bool wrong_node(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    int64_t *node = &p->plan.values[jt_below(rng, p->plan.n_values)].node, old = *node;
    *node = jt_between(rng, -1, p->plan.subgraph.n_nodes);
    return *node != old;
}

static bool dropped_value(jt_patient *p, jt_rng *rng)
{
    (void)rng;
    if (!p->plan.n_values || p->plan.levels[p->plan.n_levels] - p->plan.levels[p->plan.n_levels - 1] < 2) return false;
    p->plan.n_values--, p->layout.n_values--;
    p->plan.n_steps = p->plan.values[p->plan.n_values].first_step;
    p->plan.levels[p->plan.n_levels]--;
    return true;
}

static bool wrong_output_value(jt_patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    if (!o) return false;
    int64_t old = o->value;
    o->value = jt_between(rng, -1, p->plan.n_values);
    return o->value != old;
}

static bool wrong_output_row(jt_patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    return o ? o->value_row += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool wrong_output_kind(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_outputs) return false;
    jc_output *o = &p->plan.outputs[jt_below(rng, p->plan.n_outputs)];
    o->kind = (jc_output_kind)((o->kind + jt_between(rng, 1, 2)) % 3);
    return true;
}

static bool wrong_output_side(jt_patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    return o ? o->transposed = !o->transposed, true : false;
}

static bool wrong_output_shape(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_outputs) return false;
    jc_output *o = &p->plan.outputs[jt_below(rng, p->plan.n_outputs)];
    *(jt_below(rng, 2) ? &o->rows : &o->cols) += 1;
    return true;
}

static bool dropped_output(jt_patient *p, jt_rng *rng)
{
    (void)rng;
    return p->plan.n_outputs ? p->plan.n_outputs--, true : false;
}

static bool doubled_output(jt_patient *p, jt_rng *rng)
{
    (void)rng;
    if (!p->plan.n_outputs) return false;
    p->plan.outputs[p->plan.n_outputs] = p->plan.outputs[p->plan.n_outputs - 1];
    p->plan.n_outputs++;
    return true;
}

static bool wrong_extra(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.subgraph.n_extra) return false;
    jc_group *extra = &p->plan.subgraph.extra[jt_below(rng, p->plan.subgraph.n_extra)];
    int64_t *shape[] = {&extra->shape.rows, &extra->shape.cols, &extra->shape.batch, &extra->shape.inner};
    *shape[jt_below(rng, 4)] += 1;
    return true;
}

/* ---- those that take one copy of an edge, or one state of a variable, for another ------------------------------- */

/* -1: none, as of a value that helps an elimination. */
static int64_t variable_of(const jc_plan *p, int64_t value)
{
    int64_t node = p->values[value].node;
    return node < 0 ? -1 : p->subgraph.variable[node];
}

/* The other value of the same variable, of those from a random one on, or -1. */
static int64_t other_value(const jc_plan *p, int64_t value, jt_rng *rng)
{
    int64_t from = jt_below(rng, p->n_values);
    for (int64_t i = 0; i < p->n_values; i++) {
        int64_t v = (from + i) % p->n_values;
        if (v != value && variable_of(p, v) >= 0 && variable_of(p, v) == variable_of(p, value)) return v;
    }
    return -1;
}

/* Another step with the same Jacobian, of those from a random one on, or NULL. */
static jc_step *other_copy(jt_patient *p, const jc_step *s, jt_rng *rng)
{
    int64_t from = jt_below(rng, p->plan.n_steps);
    for (int64_t i = 0; i < p->plan.n_steps; i++) {
        jc_step *t = &p->plan.steps[(from + i) % p->plan.n_steps];
        if (t != s && t->b == s->b && t->a != s->a) return t;
    }
    return NULL;
}

/* The first two that are of different values, from a random step on. */
static bool swapped_copies(jt_patient *p, jt_rng *rng)
{
    int64_t n = p->plan.n_steps, from = n ? jt_below(rng, n) : 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < i; k++) {
            jc_step *s = &p->plan.steps[(from + i) % n], *t = &p->plan.steps[(from + k) % n];
            if (s->b != t->b || s->a == t->a || s->a == JC_SEED_IDENTITY || t->a == JC_SEED_IDENTITY) continue;
            if (jt_value_of_step(&p->plan, (from + i) % n) == jt_value_of_step(&p->plan, (from + k) % n)) continue;
            int64_t a = s->a;
            s->a = t->a, t->a = a;
            return true;
        }
    return false;
}

static bool dropped_copy(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    if (!s || !other_copy(p, s, rng)) return false;
    int64_t at = s - p->plan.steps;
    memmove(s, s + 1, (size_t)(p->plan.n_steps - at - 1) * sizeof *s);
    insert_steps(&p->plan, at, -1);
    return true;
}

static bool operand_in_another_state(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_product(p, rng);
    int64_t other = s ? other_value(&p->plan, s->a, rng) : -1;
    return other >= 0 ? s->a = other, true : false;
}

static bool value_in_another_state(jt_patient *p, jt_rng *rng)
{
    int64_t v = p->plan.n_values ? jt_below(rng, p->plan.n_values) : -1,
            other = v < 0 ? -1 : other_value(&p->plan, v, rng);
    return other >= 0 ? p->plan.values[v].node = p->plan.values[other].node, true : false;
}

/* All that reads one state reads the other. */
static bool merged_states(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_product(p, rng);
    int64_t other = s ? other_value(&p->plan, s->a, rng) : -1, one = other >= 0 ? s->a : -1;
    for (int64_t i = 0; i < p->plan.n_steps && other >= 0; i++)
        if (p->plan.steps[i].a == one) p->plan.steps[i].a = other;
    return other >= 0;
}

/* The identity of an end read where paths go on through it. */
static bool end_for_passage(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_product(p, rng);
    bool forward = p->plan.order == JC_ORDER_FORWARD, is_end = false;
    int64_t n = forward ? p->plan.subgraph.n_sources : p->plan.subgraph.n_targets;
    const int64_t *ends = forward ? p->plan.subgraph.source_variable : p->plan.subgraph.target_variable;
    for (int64_t i = 0; i < n && s; i++) is_end = is_end || ends[i] == variable_of(&p->plan, s->a);
    int64_t to = s ? variable_of(&p->plan, jt_value_of_step(&p->plan, s - p->plan.steps)) : -1;
    if (!is_end || s->b < 0 || to < 0) return false;
    s->a = JC_SEED_IDENTITY;
    s->n_rows = jc_graph_size(p->plan.graph, to);
    s->a_row = s->c_row = 0;
    return true;
}

/* An edge between the same two variables, which the rules may have dropped. */
static bool parallel_edge(jt_patient *p, jt_rng *rng)
{
    jc_step *s = jt_any_step(p, rng);
    const jc_graph *g = p->plan.graph;
    for (int64_t e = 0; e < g->n_edges && s && s->b >= 0; e++) {
        if (e == s->b || jc_graph_of(g, e) != jc_graph_of(g, s->b) || jc_graph_wrt(g, e) != jc_graph_wrt(g, s->b))
            continue;
        s->b = e;
        return true;
    }
    return false;
}

const jt_break jt_rule_breaks[] = {
    {"copies of an edge swapped", swapped_copies},
    {"one copy of an edge dropped", dropped_copy},
    {"an operand in another state", operand_in_another_state},
    {"a value in another state", value_in_another_state},
    {"two states made one", merged_states},
    {"the end of paths for a passage through it", end_for_passage},
    {"an edge beside it", parallel_edge},
};
const int64_t jt_n_rule_breaks = sizeof jt_rule_breaks / sizeof *jt_rule_breaks;

const jt_break jt_breaks[] = {
    {"a dropped step", drop_step},
    {"a doubled step", double_step},
    {"the same rows twice for others", same_rows_twice},
    {"writing for adding", flip_first},
    {"a transposed Jacobian", flip_transpose},
    {"rows of A shifted", shift_a_row},
    {"rows of C shifted", shift_c_row},
    {"a row more or less", change_n_rows},
    {"another Jacobian", other_jacobian},
    {"another operand", other_operand},
    {"a race", race},
    {"a read too early", read_too_early},
    {"a reused slot", reused_slot},
    {"a shared slot", shared_slot},
    {"an overwritten output", output_overwritten},
    {"storage outside the arena", outside_the_arena},
    {"unaligned storage", unaligned},
    {"wrong rows of a value", wrong_rows},
    {"wrong columns of a value", wrong_cols},
    {"the wrong node", wrong_node},
    {"a dropped value", dropped_value},
    {"the wrong value of an output", wrong_output_value},
    {"the wrong row of an output", wrong_output_row},
    {"the wrong kind of an output", wrong_output_kind},
    {"an output's wrong side", wrong_output_side},
    {"an output's wrong shape", wrong_output_shape},
    {"a dropped output", dropped_output},
    {"a doubled output", doubled_output},
    {"a wrong extra Jacobian", wrong_extra},
};
const int64_t jt_n_breaks = sizeof jt_breaks / sizeof *jt_breaks;

const jt_break jt_fold_breaks[] = {
    {"a fold begun by whole rows", fold_begun_as_whole_rows},
    {"a fold left as if its rows were whole", fold_left_as_rows},
    {"another fold", other_fold},
    {"a fold left without its first rows", fold_left_in_part},
    {"rows taken for a fold", rows_taken_for_a_fold},
    {"a fold of another shape", wrong_fold},
    {"a dropped step", drop_step},
    {"a doubled step", double_step},
    {"rows of A shifted", shift_a_row},
    {"rows of C shifted", shift_c_row},
    {"a row more or less", change_n_rows},
};
const int64_t jt_n_fold_breaks = sizeof jt_fold_breaks / sizeof *jt_fold_breaks;
