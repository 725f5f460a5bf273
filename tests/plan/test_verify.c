/* The verifier accepts every plan that is made and rejects each of a list of broken ones. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "plan/verify.h"
#include "support/compute.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

/* A plan and its layout with arrays of the test's own, to be broken and mended. */
typedef struct patient {
    jc_plan plan;
    jc_layout layout;
    const jc_query *query;
    jt_pool pool;
} patient;

static void *copy(jt_pool *pool, const void *data, int64_t n, size_t bytes)
{
    void *c = jt_alloc(pool, n + 2, bytes);
    if (n) memcpy(c, data, (size_t)n * bytes);
    return c;
}

static void patient_init(patient *p, const jc_plan *plan, const jc_layout *layout, const jc_query *query)
{
    *p = (patient){.plan = *plan, .layout = *layout, .query = query};
    p->plan.values = copy(&p->pool, plan->values, plan->n_values + 1, sizeof *plan->values);
    p->plan.steps = copy(&p->pool, plan->steps, plan->n_steps, sizeof *plan->steps);
    p->plan.levels = copy(&p->pool, plan->levels, plan->n_levels + 1, sizeof *plan->levels);
    p->plan.outputs = copy(&p->pool, plan->outputs, plan->n_outputs, sizeof *plan->outputs);
    p->layout.offset = copy(&p->pool, layout->offset, layout->n_values, sizeof *layout->offset);
    p->plan.subgraph.extra = copy(&p->pool, plan->subgraph.extra, plan->subgraph.n_extra, sizeof *plan->subgraph.extra);
}

static int64_t value_of_step(const jc_plan *p, int64_t step)
{
    int64_t v = 0;
    while (p->values[v + 1].first_step <= step) v++;
    return v;
}

static int64_t level_of(const jc_plan *p, int64_t value)
{
    int64_t l = 0;
    while (p->levels[l + 1] <= value) l++;
    return l;
}

static int64_t value_bytes(const patient *p, int64_t v)
{
    return p->plan.values[v].rows * p->plan.values[v].cols * p->layout.element_bytes;
}

static jc_step *any_step(patient *p, jt_rng *rng)
{
    return p->plan.n_steps ? &p->plan.steps[jt_below(rng, p->plan.n_steps)] : NULL;
}

/* A step that reads a value, or NULL. */
static jc_step *any_product(patient *p, jt_rng *rng)
{
    for (int t = 0; t < 20; t++) {
        jc_step *s = any_step(p, rng);
        if (s && s->a != JC_SEED_IDENTITY) return s;
    }
    return NULL;
}

static jc_output *any_output(patient *p, jt_rng *rng)
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

static bool drop_step(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    if (!s) return false;
    int64_t at = s - p->plan.steps;
    memmove(s, s + 1, (size_t)(p->plan.n_steps - at - 1) * sizeof *s);
    insert_steps(&p->plan, at, -1);
    return true;
}

static bool double_step(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    if (!s) return false;
    int64_t at = s - p->plan.steps;
    memmove(s + 1, s, (size_t)(p->plan.n_steps - at) * sizeof *s);
    s[1].first = false;
    insert_steps(&p->plan, at, 1);
    return true;
}

/* Of two steps that share an edge's rows, the second does what the first did; the number of rows stays right. */
static bool same_rows_twice(patient *p, jt_rng *rng)
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

static bool flip_first(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    return s ? s->first = !s->first, true : false;
}

static bool flip_transpose(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    return s ? s->transpose = !s->transpose, true : false;
}

static bool shift_a_row(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    return s ? s->a_row += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool shift_c_row(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    return s ? s->c_row += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool change_n_rows(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    return s ? s->n_rows += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool other_jacobian(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    if (!s) return false;
    int64_t b = jt_between(rng, -2, p->plan.graph->n_edges);
    if (b == s->b) return false;
    s->b = b;
    return true;
}

static bool other_operand(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    if (!s) return false;
    int64_t a = jt_between(rng, -2, p->plan.n_values);
    if (a == s->a) return false;
    s->a = a;
    return true;
}

/* Two levels made one: the second reads the first. */
static bool race(patient *p, jt_rng *rng)
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
static void exchange_values(patient *p, int64_t a, int64_t b)
{
    jc_plan *plan = &p->plan;
    jc_value *old = copy(&p->pool, plan->values, plan->n_values + 1, sizeof *old);
    jc_step *steps = copy(&p->pool, plan->steps, plan->n_steps, sizeof *steps);
    int64_t n = 0;
    for (int64_t v = 0; v < plan->n_values; v++) {
        int64_t from = v;
        rename_value(&from, a, b);
        plan->values[v] = old[from];
        plan->values[v].first_step = n;
        for (int64_t s = old[from].first_step; s < old[from + 1].first_step; s++) plan->steps[n++] = steps[s];
    }
    for (int64_t s = 0; s < plan->n_steps; s++) rename_value(&plan->steps[s].a, a, b);
    for (int64_t i = 0; i < plan->n_outputs; i++) rename_value(&plan->outputs[i].value, a, b);
    int64_t offset = p->layout.offset[a];
    p->layout.offset[a] = p->layout.offset[b], p->layout.offset[b] = offset;
}

static bool read_too_early(patient *p, jt_rng *rng)
{
    jc_step *s = any_product(p, rng);
    if (!s) return false;
    exchange_values(p, s->a, value_of_step(&p->plan, s - p->plan.steps));
    return true;
}

static void place(patient *p, int64_t value, int64_t offset)
{
    p->layout.offset[value] = offset;
    int64_t end = offset + value_bytes(p, value);
    if (end > p->layout.arena_bytes) p->layout.arena_bytes = end;
}

/* A value stored over one that it reads, wholly or in part. */
static bool reused_slot(patient *p, jt_rng *rng)
{
    jc_step *s = any_product(p, rng);
    if (!s) return false;
    int64_t c = value_of_step(&p->plan, s - p->plan.steps), last = (value_bytes(p, s->a) - 1) / 64;
    place(p, c, p->layout.offset[s->a] + 64 * jt_between(rng, 0, last));
    return true;
}

/* Two values of one level in one place. */
static bool shared_slot(patient *p, jt_rng *rng)
{
    for (int64_t l = 0; l < p->plan.n_levels; l++) {
        int64_t first = p->plan.levels[l], n = p->plan.levels[l + 1] - first;
        if (n < 2) continue;
        int64_t a = jt_below(rng, n), b = (a + jt_between(rng, 1, n - 1)) % n;
        place(p, first + b, p->layout.offset[first + a]);
        return true;
    }
    return false;
}

/* A result's storage used again by a later value, which nothing else would notice. */
static bool output_overwritten(patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    if (!o || p->plan.levels[level_of(&p->plan, o->value) + 1] == p->plan.n_values) return false;
    int64_t later = jt_between(rng, p->plan.levels[level_of(&p->plan, o->value) + 1], p->plan.n_values - 1);
    place(p, later, p->layout.offset[o->value]);
    return true;
}

static bool outside_the_arena(patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    int64_t v = jt_below(rng, p->plan.n_values);
    p->layout.offset[v] = jt_below(rng, 2) ? -64 : (p->layout.arena_bytes - value_bytes(p, v)) / 64 * 64 + 64;
    return true;
}

static bool unaligned(patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    int64_t v = jt_below(rng, p->plan.n_values);
    place(p, v, p->layout.offset[v] + 8);
    return true;
}

static bool wrong_rows(patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    p->plan.values[jt_below(rng, p->plan.n_values)].rows += jt_below(rng, 2) ? 1 : -1;
    return true;
}

static bool wrong_cols(patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    p->plan.values[jt_below(rng, p->plan.n_values)].cols += jt_below(rng, 2) ? 1 : -1;
    return true;
}

static bool wrong_node(patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    int64_t *node = &p->plan.values[jt_below(rng, p->plan.n_values)].node, old = *node;
    *node = jt_between(rng, -1, p->plan.subgraph.n_nodes);
    return *node != old;
}

static bool dropped_value(patient *p, jt_rng *rng)
{
    (void)rng;
    if (!p->plan.n_values || p->plan.levels[p->plan.n_levels] - p->plan.levels[p->plan.n_levels - 1] < 2) return false;
    p->plan.n_values--, p->layout.n_values--;
    p->plan.n_steps = p->plan.values[p->plan.n_values].first_step;
    p->plan.levels[p->plan.n_levels]--;
    return true;
}

static bool wrong_output_value(patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    if (!o) return false;
    int64_t old = o->value;
    o->value = jt_between(rng, -1, p->plan.n_values);
    return o->value != old;
}

static bool wrong_output_row(patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    return o ? o->value_row += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool wrong_output_kind(patient *p, jt_rng *rng)
{
    if (!p->plan.n_outputs) return false;
    jc_output *o = &p->plan.outputs[jt_below(rng, p->plan.n_outputs)];
    o->kind = (jc_output_kind)((o->kind + jt_between(rng, 1, 2)) % 3);
    return true;
}

static bool wrong_output_side(patient *p, jt_rng *rng)
{
    jc_output *o = p->plan.n_outputs ? any_output(p, rng) : NULL;
    return o ? o->transposed = !o->transposed, true : false;
}

static bool wrong_output_shape(patient *p, jt_rng *rng)
{
    if (!p->plan.n_outputs) return false;
    jc_output *o = &p->plan.outputs[jt_below(rng, p->plan.n_outputs)];
    *(jt_below(rng, 2) ? &o->rows : &o->cols) += 1;
    return true;
}

static bool dropped_output(patient *p, jt_rng *rng)
{
    (void)rng;
    return p->plan.n_outputs ? p->plan.n_outputs--, true : false;
}

static bool doubled_output(patient *p, jt_rng *rng)
{
    (void)rng;
    if (!p->plan.n_outputs) return false;
    p->plan.outputs[p->plan.n_outputs] = p->plan.outputs[p->plan.n_outputs - 1];
    p->plan.n_outputs++;
    return true;
}

static bool wrong_extra(patient *p, jt_rng *rng)
{
    if (!p->plan.subgraph.n_extra) return false;
    jc_group *extra = &p->plan.subgraph.extra[jt_below(rng, p->plan.subgraph.n_extra)];
    int64_t *shape[] = {&extra->shape.rows, &extra->shape.cols, &extra->shape.batch, &extra->shape.inner};
    *shape[jt_below(rng, 4)] += 1;
    return true;
}

/* ---- those that take one copy of an edge, or one state of a variable, for another ------------------------------- */

static int64_t variable_of(const jc_plan *p, int64_t value)
{
    return p->subgraph.variable[p->values[value].node];
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
static jc_step *other_copy(patient *p, const jc_step *s, jt_rng *rng)
{
    int64_t from = jt_below(rng, p->plan.n_steps);
    for (int64_t i = 0; i < p->plan.n_steps; i++) {
        jc_step *t = &p->plan.steps[(from + i) % p->plan.n_steps];
        if (t != s && t->b == s->b && t->a != s->a) return t;
    }
    return NULL;
}

/* The first two that are of different values, from a random step on. */
static bool swapped_copies(patient *p, jt_rng *rng)
{
    int64_t n = p->plan.n_steps, from = n ? jt_below(rng, n) : 0;
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < i; k++) {
            jc_step *s = &p->plan.steps[(from + i) % n], *t = &p->plan.steps[(from + k) % n];
            if (s->b != t->b || s->a == t->a || s->a == JC_SEED_IDENTITY || t->a == JC_SEED_IDENTITY) continue;
            if (value_of_step(&p->plan, (from + i) % n) == value_of_step(&p->plan, (from + k) % n)) continue;
            int64_t a = s->a;
            s->a = t->a, t->a = a;
            return true;
        }
    return false;
}

static bool dropped_copy(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    if (!s || !other_copy(p, s, rng)) return false;
    int64_t at = s - p->plan.steps;
    memmove(s, s + 1, (size_t)(p->plan.n_steps - at - 1) * sizeof *s);
    insert_steps(&p->plan, at, -1);
    return true;
}

static bool operand_in_another_state(patient *p, jt_rng *rng)
{
    jc_step *s = any_product(p, rng);
    int64_t other = s ? other_value(&p->plan, s->a, rng) : -1;
    return other >= 0 ? s->a = other, true : false;
}

static bool value_in_another_state(patient *p, jt_rng *rng)
{
    int64_t v = p->plan.n_values ? jt_below(rng, p->plan.n_values) : -1,
            other = v < 0 ? -1 : other_value(&p->plan, v, rng);
    return other >= 0 ? p->plan.values[v].node = p->plan.values[other].node, true : false;
}

/* All that reads one state reads the other. */
static bool merged_states(patient *p, jt_rng *rng)
{
    jc_step *s = any_product(p, rng);
    int64_t other = s ? other_value(&p->plan, s->a, rng) : -1, one = other >= 0 ? s->a : -1;
    for (int64_t i = 0; i < p->plan.n_steps && other >= 0; i++)
        if (p->plan.steps[i].a == one) p->plan.steps[i].a = other;
    return other >= 0;
}

/* The identity of an end read where paths go on through it. */
static bool end_for_passage(patient *p, jt_rng *rng)
{
    jc_step *s = any_product(p, rng);
    bool forward = p->plan.order == JC_ORDER_FORWARD, is_end = false;
    int64_t n = forward ? p->plan.subgraph.n_sources : p->plan.subgraph.n_targets;
    const int64_t *ends = forward ? p->plan.subgraph.source_variable : p->plan.subgraph.target_variable;
    for (int64_t i = 0; i < n && s; i++) is_end = is_end || ends[i] == variable_of(&p->plan, s->a);
    if (!is_end || s->b < 0) return false;
    s->a = JC_SEED_IDENTITY;
    s->n_rows = jc_graph_size(p->plan.graph, variable_of(&p->plan, value_of_step(&p->plan, s - p->plan.steps)));
    s->a_row = s->c_row = 0;
    return true;
}

/* An edge between the same two variables, which the rules may have dropped. */
static bool parallel_edge(patient *p, jt_rng *rng)
{
    jc_step *s = any_step(p, rng);
    const jc_graph *g = p->plan.graph;
    for (int64_t e = 0; e < g->n_edges && s && s->b >= 0; e++) {
        if (e == s->b || jc_graph_of(g, e) != jc_graph_of(g, s->b) || jc_graph_wrt(g, e) != jc_graph_wrt(g, s->b))
            continue;
        s->b = e;
        return true;
    }
    return false;
}

typedef struct way_to_break {
    const char *name;
    bool (*apply)(patient *p, jt_rng *rng);
} way_to_break;

static const way_to_break rule_breaks[] = {
    {"copies of an edge swapped", swapped_copies},
    {"one copy of an edge dropped", dropped_copy},
    {"an operand in another state", operand_in_another_state},
    {"a value in another state", value_in_another_state},
    {"two states made one", merged_states},
    {"the end of paths for a passage through it", end_for_passage},
    {"an edge beside it", parallel_edge},
};
enum { N_RULE_BREAKS = sizeof rule_breaks / sizeof *rule_breaks };

static const way_to_break breaks[] = {
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
enum { N_BREAKS = sizeof breaks / sizeof *breaks };

/* Some request: totals, a vjp, a jvp, per-sample totals, or totals in windows (whose limit is returned). */
static int64_t any_request(jt_rng *rng, const jt_graph *g, int64_t samples, jt_query *q)
{
    int64_t which = jt_below(rng, 5);
    if (which == 1 || which == 2) {
        jt_query_seeded(rng, g, which == 1 ? JC_SEED_ROWS : JC_SEED_COLUMNS, q);
        return 0;
    }
    jt_query_totals(rng, g, q);
    if (which == 3 && samples > 1) q->query.per_sample = samples;
    if (which != 4) return 0;
    q->query.order = jt_below(rng, 2) ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
    if (q->query.order == JC_ORDER_REVERSE)
        q->query.n_of = 1;
    else
        q->query.n_wrt = 1, q->wrt[0] = jt_below(rng, g->n_variables);
    return jt_between(rng, 1, 4);
}

/* rules: of all kinds, in every plan. */
static void for_random_plans(uint64_t seeds, bool rules,
                             void (*use)(const jc_plan *, const jc_layout *, const jc_query *, jt_rng *, void *ctx),
                             void *ctx)
{
    for (uint64_t seed = 0; seed < seeds; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL, .samples = seed % 3 ? 1 : 2};
        options.n_variables = seed % 7 ? 0 : 25;
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jc_plan *plan;
        jc_layout layout;
        jt_rules r = {.n = 0};
        int64_t limit = any_request(&rng, &g, options.samples, &q);
        if (rules) jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &r);
        q.query.rules = r.rule, q.query.n_rules = r.n;
        jt_ok(jc_plan_create_windowed(g.graph, &q.query, limit, &plan), "plan");
        jt_ok(jc_layout_create(plan, 4 + 4 * (int64_t)(seed % 2), seed % 5 == 0, &layout), "layout");
        use(plan, &layout, &q.query, &rng, ctx);
        jc_layout_fini(plan, &layout);
        jc_plan_destroy(plan);
        jt_rules_fini(&r);
        jt_graph_fini(&g);
    }
}

static void must_accept(const jc_plan *plan, const jc_layout *layout, const jc_query *query, jt_rng *rng, void *ctx)
{
    (void)rng;
    jt_ok(jc_plan_verify(plan, query, layout), "verify");
    jt_ok(jc_plan_verify(plan, query, NULL), "verify without a layout");
    *(int64_t *)ctx += plan->n_steps;
}

Test(verify, accepts_every_plan_that_is_made)
{
    int64_t steps = 0;
    for_random_plans(2000, false, must_accept, &steps);
    cr_assert_gt(steps, 20000, "the random plans are too small to say much: %lld steps", (long long)steps);
}

typedef struct breaking {
    const way_to_break *way;
    int64_t n;
    int64_t applied[N_BREAKS];
} breaking;

static void must_reject(const jc_plan *plan, const jc_layout *layout, const jc_query *query, jt_rng *rng, void *ctx)
{
    breaking *b = ctx;
    for (int64_t i = 0; i < b->n; i++) {
        patient p;
        patient_init(&p, plan, layout, query);
        if (b->way[i].apply(&p, rng)) {
            cr_assert_eq(jc_plan_verify(&p.plan, query, &p.layout), JC_E_INTERNAL, "accepted: %s", b->way[i].name);
            b->applied[i]++;
        }
        jt_pool_free(&p.pool);
    }
}

static void check_breaks(const way_to_break *ways, int64_t n, int64_t seeds, bool rules)
{
    breaking b = {.way = ways, .n = n};
    for_random_plans((uint64_t)seeds, rules, must_reject, &b);
    for (int64_t i = 0; i < n; i++)
        cr_assert_geq(b.applied[i], seeds / 100, "%s was tried only %lld times", ways[i].name, (long long)b.applied[i]);
}

Test(verify, rejects_every_broken_plan)
{
    check_breaks(breaks, N_BREAKS, 2500, false);
}

Test(verify, accepts_every_plan_under_rules_that_is_made)
{
    int64_t steps = 0;
    for_random_plans((uint64_t)jt_cases(2000), true, must_accept, &steps);
    cr_assert_gt(steps, jt_cases(8000), "the random plans are too small to say much: %lld steps", (long long)steps);
}

Test(verify, rejects_every_broken_plan_under_rules)
{
    check_breaks(breaks, N_BREAKS, jt_cases(2500), true);
}

Test(verify, rejects_plans_that_mistake_one_copy_or_state_for_another)
{
    check_breaks(rule_breaks, N_RULE_BREAKS, 2500, true);
}

/* A plan made under rules is not one without them, nor the other way round, where they differ in what is used. */
Test(verify, holds_a_plan_against_the_rules_of_the_query)
{
    int64_t refused = 0;
    for (uint64_t seed = 0; seed < 300; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_rules rules;
        jc_plan *with, *without;
        jt_query_totals(&rng, &g, &q);
        q.query.order = JC_ORDER_REVERSE;
        if (!q.query.n_wrt) q.query.n_wrt = 1, q.wrt[0] = g.topological[0];
        jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &rules);
        jc_query bare = q.query;
        q.query.rules = rules.rule, q.query.n_rules = rules.n;
        jt_ok(jc_plan_create(g.graph, &q.query, &with), "with rules");
        jt_ok(jc_plan_create(g.graph, &bare, &without), "without");
        if (with->n_steps != without->n_steps) {
            cr_assert_eq(jc_plan_verify(with, &bare, NULL), JC_E_INTERNAL);
            cr_assert_eq(jc_plan_verify(without, &q.query, NULL), JC_E_INTERNAL);
            refused++;
        }
        jc_plan_destroy(with);
        jc_plan_destroy(without);
        jt_rules_fini(&rules);
        jt_graph_fini(&g);
    }
    cr_assert_gt(refused, 100, "%lld", (long long)refused);
}

/* A plan of one request is not one of another. */
Test(verify, rejects_a_plan_of_another_request)
{
    jt_graph g;
    jt_graph_options options = {.seed = 3, .n_variables = 8, .numbers = JT_SMALL};
    jt_graph_random(&options, &g);
    jt_rng rng = {1};
    int64_t differ = 0;
    for (int i = 0; i < 200; i++) {
        jt_query a, b;
        jc_plan *plan;
        jt_query_totals(&rng, &g, &a);
        jt_query_totals(&rng, &g, &b);
        bool same = a.query.n_of == b.query.n_of && a.query.n_wrt == b.query.n_wrt &&
                    !memcmp(a.of, b.of, (size_t)a.query.n_of * 8) && !memcmp(a.wrt, b.wrt, (size_t)a.query.n_wrt * 8);
        if (same) continue;
        jt_ok(jc_plan_create(g.graph, &a.query, &plan), "plan");
        b.query.order = JC_ORDER_AUTO;
        if (!b.query.n_wrt == !a.query.n_wrt) {
            differ++;
            cr_assert_eq(jc_plan_verify(plan, &b.query, NULL), JC_E_INTERNAL);
        }
        jc_plan_destroy(plan);
    }
    cr_assert_gt(differ, 50);
    jt_graph_fini(&g);
}
