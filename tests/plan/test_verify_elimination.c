/* The verifier accepts every plan by elimination that is made, in any order, and rejects broken ones. A change that it
 * accepts must leave all results what they are. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "core/size.h"
#include "plan/cases.h"
#include "plan/patient.h"
#include "plan/verify.h"
#include "plan/verify_values.h"
#include "support/compute.h"
#include "support/exact_backend.h"
#include "support/failing_allocator.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

/* ---- plans ------------------------------------------------------------------------------------------------------- */

typedef struct subject {
    jt_graph g;
    jt_query q;
    jt_rules rules;
    jc_plan *plan;
    jc_layout layout;
    bool plain; /* totals without seed or windows */
} subject;

/* The vertices of a query in a random order. */
static void draw_order(subject *s, jt_rng *rng, int64_t limit)
{
    jc_query *query = &s->q.query;
    int64_t n;
    jt_ok(jc_plan_create_limited(s->g.graph, query, limit, INT64_MAX, &s->plan), "an order");
    jt_ok(jc_plan_vertices(s->plan, NULL, 0, &n), "vertices");
    jc_vertex *order = jt_alloc(&s->g.pool, n + 1, sizeof *order);
    jt_ok(jc_plan_vertices(s->plan, order, n, &n), "vertices");
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = jt_below(rng, i + 1);
        jc_vertex v = order[i];
        order[i] = order[k], order[k] = v;
    }
    jc_plan_destroy(s->plan);
    query->eliminate = order, query->n_eliminate = n;
}

/* Totals, a vjp, a jvp, per-sample totals, or totals in windows (whose limit is returned). */
static int64_t draw_request(subject *s, jt_rng *rng, uint64_t seed, int64_t samples)
{
    uint64_t which = seed % 8;
    s->plain = which > 3 || which == 2;
    if (which < 2)
        jt_query_seeded(rng, &s->g, which == 0 ? JC_SEED_ROWS : JC_SEED_COLUMNS, &s->q);
    else
        jt_query_totals(rng, &s->g, &s->q);
    if (which == 2 && samples > 1) s->q.query.per_sample = samples;
    s->q.query.order = JC_ORDER_ELIMINATION;
    if (which != 3) return 0;
    s->q.query.n_of = 1;
    return jt_between(rng, 1, 4);
}

static void subject_init(subject *s, uint64_t seed, bool by_rules)
{
    jt_graph_options options = {.seed = seed, .numbers = JT_WIDE, .samples = seed % 8 == 2 ? 2 : 1, .max_paths = 2000};
    options.n_variables = seed % 5 ? 0 : 14;
    memset(s, 0, sizeof *s);
    jt_graph_random(&options, &s->g);
    jt_rng rng = {seed};
    int64_t limit = draw_request(s, &rng, seed, options.samples);
    if (by_rules) jt_rules_random(&s->g.pool, &rng, &s->g, (jc_rule_kind)(seed % JT_RULE_KINDS), &s->rules);
    s->q.query.rules = s->rules.rule, s->q.query.n_rules = s->rules.n;
    if (seed % 3) draw_order(s, &rng, limit);
    jt_ok(jc_plan_create_limited(s->g.graph, &s->q.query, limit, INT64_MAX, &s->plan), "plan");
    jt_ok(jc_layout_create(s->plan, 4 + 4 * (int64_t)(seed % 2), seed % 5 == 0, &s->layout), "layout");
}

static void subject_fini(subject *s)
{
    jc_layout_fini(s->plan, &s->layout);
    jc_plan_destroy(s->plan);
    jt_rules_fini(&s->rules);
    jt_graph_fini(&s->g);
}

/* Whether the verifier evaluates the plan. */
static bool is_evaluated(const subject *s)
{
    jc_expected expected;
    jc_frame frame;
    jt_ok(jc_expected_create(s->plan, &s->q.query, &expected), "what is expected");
    jt_ok(jc_frame_init(&frame, s->plan, &expected), "the frame");
    bool fits = jc_verify_values_fit(&frame);
    jc_frame_fini(&frame);
    jc_expected_fini(&expected);
    return fits;
}

static void check_accepts(int64_t seeds, bool by_rules)
{
    int64_t steps = 0, eliminations = 0, evaluated = 0;
    for (int64_t seed = 0; seed < seeds; seed++) {
        subject s;
        char what[40];
        subject_init(&s, (uint64_t)seed, by_rules);
        snprintf(what, sizeof what, "seed %lld", (long long)seed);
        jt_ok(jc_plan_verify(s.plan, &s.q.query, &s.layout), what);
        jt_ok(jc_plan_verify(s.plan, &s.q.query, NULL), what);
        steps += s.plan->n_steps;
        eliminations += s.plan->eliminates;
        evaluated += s.plan->eliminates && is_evaluated(&s);
        subject_fini(&s);
    }
    cr_assert_gt(eliminations, seeds / 2, "%lld", (long long)eliminations);
    cr_assert_geq(100 * evaluated, 95 * eliminations, "%lld", (long long)evaluated);
    cr_assert_gt(steps, 4 * seeds, "the plans are too small to say much: %lld steps", (long long)steps);
}

Test(verify_elimination, accepts_every_plan_that_is_made)
{
    check_accepts(jt_cases(666), false);
}

Test(verify_elimination, accepts_every_plan_under_rules_that_is_made)
{
    check_accepts(jt_cases(333), true);
}

/* ---- ways to break a plan by elimination ------------------------------------------------------------------------- */

static jc_operand *operand_of(jt_patient *p, int64_t b)
{
    return (jc_operand *)jc_subgraph_operand(&p->plan.subgraph, b);
}

/* A step that reads a value as a Jacobian, from a random one on, or NULL. */
static jc_step *any_of_two_values(jt_patient *p, jt_rng *rng, bool both)
{
    int64_t n = p->plan.n_steps, from = n ? jt_below(rng, n) : 0;
    for (int64_t i = 0; i < n; i++) {
        jc_step *s = &p->plan.steps[(from + i) % n];
        if (jc_plan_value_of_b(&p->plan, s->b) >= 0 && (!both || s->a >= 0)) return s;
    }
    return NULL;
}

/* a and b each in the other's place. */
static bool swapped_factors(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_of_two_values(p, rng, true);
    if (!s) return false;
    jc_operand *operand = operand_of(p, s->b);
    if (operand->value == s->a) return false;
    int64_t a = s->a;
    s->a = operand->value, operand->value = a;
    return true;
}

static bool operand_of_another_value(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_of_two_values(p, rng, false);
    if (!s) return false;
    jc_operand *operand = operand_of(p, s->b);
    int64_t old = operand->value;
    operand->value = jt_between(rng, -1, p->plan.n_values);
    return operand->value != old;
}

static jc_operand *any_operand(jt_patient *p, jt_rng *rng)
{
    int64_t n = p->plan.subgraph.operands.count;
    return n ? (jc_operand *)p->plan.subgraph.operands.data + jt_below(rng, n) : NULL;
}

static bool operand_of_another_group(jt_patient *p, jt_rng *rng)
{
    jc_operand *operand = any_operand(p, rng);
    if (!operand) return false;
    int64_t old = operand->made;
    operand->made = jt_between(rng, -1, p->plan.subgraph.made.count);
    return operand->made != old;
}

static bool another_member(jt_patient *p, jt_rng *rng)
{
    jc_operand *operand = any_operand(p, rng);
    if (!operand) return false;
    int64_t old = operand->member;
    operand->member = jt_between(rng, -1, 3);
    return operand->member != old;
}

/* The first made group from a random one on that is fit. */
static jc_made *any_made(jt_patient *p, jt_rng *rng, bool (*is_fit)(const jc_made *))
{
    int64_t n = p->plan.subgraph.made.count, from = n ? jt_below(rng, n) : 0;
    for (int64_t i = 0; i < n; i++) {
        jc_made *made = (jc_made *)p->plan.subgraph.made.data + (from + i) % n;
        if (is_fit(made)) return made;
    }
    return NULL;
}

static bool is_part(const jc_made *made)
{
    return made->of_group >= 0;
}

static bool has_indices(const jc_made *made)
{
    return made->n_index[0] > 0 && made->group.shape.p > 0;
}

static bool is_scaled_row(const jc_made *made)
{
    return made->of_group < 0 && made->group.shape.kind == JC_TILE;
}

static bool is_value_group(const jc_made *made)
{
    return made->of_group < 0 && (made->group.shape.kind == JC_DENSE || made->group.shape.kind == JC_DIAGONAL) &&
           made->group.has_numbers;
}

static bool other_group_of_the_graph(jt_patient *p, jt_rng *rng)
{
    jc_made *made = any_made(p, rng, is_part);
    if (!made) return false;
    int64_t old = made->of_group;
    made->of_group = jt_below(rng, p->plan.graph->groups.count + 1);
    return made->of_group != old;
}

static bool other_field(jt_patient *p, jt_rng *rng)
{
    jc_made *made = any_made(p, rng, is_part);
    return made ? made->of_field += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool index_out_of_range(jt_patient *p, jt_rng *rng)
{
    jc_made *made = any_made(p, rng, has_indices);
    if (!made) return false;
    int k = made->group.shape.kind == JC_CSR && made->n_index[1] ? 1 : 0;
    int64_t *index = jt_patient_copy(&p->pool, made->index[k], made->n_index[k], sizeof *index);
    index[jt_below(rng, made->n_index[k])] = jt_below(rng, 2) ? -1 : INT64_C(1) << 40;
    made->group.field[k].data = (const unsigned char *)index;
    return true;
}

static bool other_scale(jt_patient *p, jt_rng *rng)
{
    jc_made *made = any_made(p, rng, is_scaled_row);
    return made ? made->group.scale += 1, true : false;
}

static bool wrong_operand_shape(jt_patient *p, jt_rng *rng)
{
    jc_made *made = any_made(p, rng, is_value_group);
    if (!made) return false;
    jc_shape *shape = &made->group.shape;
    int64_t *part[] = {&shape->rows, &shape->cols, &shape->batch, &shape->inner, &shape->p, &shape->q};
    *part[jt_below(rng, 6)] += 1;
    return true;
}

static bool wrong_numbers(jt_patient *p, jt_rng *rng)
{
    jc_made *made = any_made(p, rng, is_value_group);
    return made ? made->group.field[0].elements += jt_below(rng, 2) ? 1 : -1, true : false;
}

static bool wrong_form(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_values) return false;
    jc_form *form = &p->plan.values[jt_below(rng, p->plan.n_values)].form, old = *form;
    *form = (jc_form)jt_below(rng, 4);
    return *form != old;
}

/* A value read as a Jacobian changes places with its reader. */
static bool jacobian_read_too_early(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_of_two_values(p, rng, false);
    if (!s) return false;
    jt_exchange_values(p, jc_plan_value_of_b(&p->plan, s->b), jt_value_of_step(&p->plan, s - p->plan.steps));
    return true;
}

/* A value stored over one that it reads as a Jacobian. */
static bool jacobian_overwritten(jt_patient *p, jt_rng *rng)
{
    jc_step *s = any_of_two_values(p, rng, false);
    int64_t read = s ? jc_plan_value_of_b(&p->plan, s->b) : -1;
    if (!s || !jt_value_bytes(p, read)) return false;
    int64_t c = jt_value_of_step(&p->plan, s - p->plan.steps), last = (jt_value_bytes(p, read) - 1) / 64;
    if (!jt_value_bytes(p, c)) return false;
    jt_place(p, c, p->layout.offset[read] + 64 * jt_between(rng, 0, last));
    return true;
}

static bool window_for_whole(jt_patient *p, jt_rng *rng)
{
    jc_step *s = p->plan.row_limit ? jt_any_step(p, rng) : NULL;
    return s ? s->whole = !s->whole, true : false;
}

static bool eliminated_twice(jt_patient *p, jt_rng *rng)
{
    if (!p->plan.n_eliminated) return false;
    p->plan.eliminated[p->plan.n_eliminated] = p->plan.eliminated[jt_below(rng, p->plan.n_eliminated)];
    p->plan.n_eliminated++;
    return true;
}

static const jt_break breaks[] = {
    {"operands of another group", operand_of_another_group},
    {"another member", another_member},
    {"part of another group of the graph", other_group_of_the_graph},
    {"another field", other_field},
    {"an index out of range", index_out_of_range},
    {"another scale", other_scale},
    {"a wrong shape of an operand", wrong_operand_shape},
    {"wrong numbers of an operand", wrong_numbers},
    {"a Jacobian read too early", jacobian_read_too_early},
    {"a Jacobian overwritten while it is read", jacobian_overwritten},
    {"a window for the whole", window_for_whole},
    {"a node eliminated twice", eliminated_twice},
    {"swapped factors", swapped_factors},
    {"an operand of another value", operand_of_another_value},
    {"a wrong form", wrong_form},
};
enum { N_BREAKS = sizeof breaks / sizeof *breaks };

/* ---- what they do ------------------------------------------------------------------------------------------------ */

/* Results of a plan on the exact backend, one after the other. */
static int64_t results_of(jt_pool *pool, const jc_plan *plan, uint64_t **numbers)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_program *program;
    jc_run *run;
    int64_t n = 0, k = 0;
    jt_ok(jc_program_create_on(plan, &jt_exact_backend, &options, &program), "program");
    jt_ok(jc_run_create(program, &run), "run");
    jt_ok(jc_run_execute(run), "execute");
    for (int pass = 0; pass < 2; pass++) {
        for (int64_t i = 0; i < jc_run_result_count(run); i++) {
            jc_result r;
            jt_ok(jc_run_result(run, i, &r), "result");
            if (r.kind != JC_RESULT_MATRIX) continue;
            if (!pass) n += r.blocks * r.rows * r.cols;
            for (int64_t e = 0; pass && e < r.blocks * r.rows * r.cols; e++) {
                int64_t block = e / (r.rows * r.cols), row = e / r.cols % r.rows, col = e % r.cols;
                int64_t at = block * r.block_stride + row * r.row_stride + col * r.col_stride;
                (*numbers)[k++] = ((const uint64_t *)r.data)[at];
            }
        }
        if (!pass) *numbers = jt_alloc(pool, n + 1, sizeof **numbers);
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    return n;
}

static void must_be_harmless(jt_patient *p, const subject *s, const char *name, uint64_t seed)
{
    uint64_t *is, *should;
    int64_t n = results_of(&p->pool, s->plan, &should), m = results_of(&p->pool, &p->plan, &is);
    cr_assert(n == m && !memcmp(is, should, (size_t)n * sizeof *is), "seed %llu, accepted: %s",
              (unsigned long long)seed, name);
}

typedef struct tally {
    int64_t found[JT_MAX_BREAKS], harmless[JT_MAX_BREAKS];
} tally;

/* A change that is accepted must leave the results of a plan that is evaluated what they are. */
static void try_to_break(const subject *s, const jt_break *way, int64_t i, uint64_t seed, jt_rng *rng, tally *t)
{
    jt_patient p;
    jt_patient_init(&p, s->plan, &s->layout, &s->q.query);
    if (way->apply(&p, rng)) {
        jc_status status = jc_plan_verify(&p.plan, &s->q.query, &p.layout);
        if (status) {
            cr_assert_eq(status, JC_E_INTERNAL, "%s: %s", way->name, jc_last_error());
            t->found[i]++;
        } else if (s->plain && is_evaluated(s)) {
            must_be_harmless(&p, s, way->name, seed);
            t->harmless[i]++;
        }
    }
    jt_pool_free(&p.pool);
}

static void check_breaks(const jt_break *ways, int64_t n, int64_t seeds, bool by_rules)
{
    tally t = {{0}, {0}};
    for (int64_t seed = 0; seed < seeds; seed++) {
        subject s;
        jt_rng rng = {(uint64_t)seed};
        subject_init(&s, (uint64_t)seed, by_rules);
        for (int64_t i = 0; i < n && s.plan->eliminates; i++) try_to_break(&s, &ways[i], i, (uint64_t)seed, &rng, &t);
        subject_fini(&s);
    }
    for (int64_t i = 0; i < n; i++)
        cr_assert_geq(t.found[i], seeds / 500, "%s: %lld found, %lld harmless", ways[i].name, (long long)t.found[i],
                      (long long)t.harmless[i]);
}

Test(verify_elimination, rejects_what_would_compute_something_else)
{
    check_breaks(jt_breaks, jt_n_breaks, jt_cases(500), false);
}

Test(verify_elimination, rejects_broken_operands)
{
    check_breaks(breaks, N_BREAKS, jt_cases(750), false);
}

Test(verify_elimination, rejects_plans_that_mistake_one_copy_or_state_for_another)
{
    check_breaks(jt_rule_breaks, jt_n_rule_breaks, jt_cases(500), true);
}

/* ---- storage ----------------------------------------------------------------------------------------------------- */

static bool overlap(const jt_patient *p, int64_t v, int64_t w)
{
    int64_t a = p->layout.offset[v], b = p->layout.offset[w];
    return a < b + jt_value_bytes(p, w) && b < a + jt_value_bytes(p, v);
}

/* The last level in which a step reads the value, as rows or as a Jacobian; -1: none. */
static int64_t last_reader(const jc_plan *plan, int64_t value, bool as_jacobian)
{
    int64_t last = -1;
    for (int64_t c = value + 1; c < plan->n_values; c++)
        for (int64_t i = plan->values[c].first_step; i < plan->values[c + 1].first_step; i++) {
            int64_t read = as_jacobian ? jc_plan_value_of_b(plan, plan->steps[i].b) : plan->steps[i].a;
            if (read == value) last = jt_level_of(plan, c);
        }
    return last;
}

/* No value that comes later is laid over one that is still to be read as a Jacobian. */
Test(verify_elimination, values_keep_their_storage_until_they_are_read_as_Jacobians)
{
    int64_t longer = 0;
    for (int64_t seed = 0; seed < jt_cases(400); seed++) {
        subject s;
        jt_patient p;
        jc_layout layout;
        subject_init(&s, (uint64_t)seed, false);
        jt_ok(jc_layout_create(s.plan, 8, false, &layout), "layout");
        jt_patient_init(&p, s.plan, &layout, &s.q.query);
        for (int64_t v = 0; v < s.plan->n_values; v++) {
            int64_t last = last_reader(s.plan, v, true);
            if (last > jc_max(last_reader(s.plan, v, false), jt_level_of(s.plan, v))) longer++;
            for (int64_t w = v + 1; w < s.plan->n_values && jt_level_of(s.plan, w) <= last; w++)
                cr_assert(!overlap(&p, v, w), "seed %lld: values %lld and %lld", (long long)seed, (long long)v,
                          (long long)w);
        }
        jt_pool_free(&p.pool);
        jc_layout_fini(s.plan, &layout);
        subject_fini(&s);
    }
    cr_assert_gt(longer, jt_cases(400), "values read as Jacobians longer than as rows: %lld", (long long)longer);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static jc_status verify_body(void *ctx)
{
    const jt_patient *p = ctx;
    return jc_plan_verify(&p->plan, p->query, &p->layout);
}

Test(verify_elimination, frees_what_it_has_where_memory_runs_out)
{
    int64_t calls = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        subject s;
        jt_patient p;
        failing_allocator memory;
        subject_init(&s, seed, false);
        jt_patient_init(&p, s.plan, &s.layout, &s.q.query);
        p.plan.allocator = failing_allocator_init(&memory, -1);
        if (s.plan->eliminates) calls += failing_allocator_sweep(&memory, "verifying", verify_body, &p);
        jt_pool_free(&p.pool);
        subject_fini(&s);
    }
    cr_assert_gt(calls, 400, "%lld", (long long)calls);
}

/* ---- plans that are too large to be evaluated -------------------------------------------------------------------- */

enum { WIDE = 160, LONG = 5 };

/* A chain of dense WIDE x WIDE factors without numbers and, behind it, of narrow ones. */
static void chain_init(subject *s)
{
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    memset(s, 0, sizeof *s);
    jt_ok(jc_graph_create(NULL, &s->g.graph), "graph");
    for (int64_t v = 0; v <= LONG; v++) jt_add_variable(s->g.graph, v == LONG - 1 ? 20 : WIDE);
    for (int64_t v = 1; v <= LONG; v++) jt_add_edge(s->g.graph, v, v - 1, &dense);
    jt_ok(jc_graph_finish(s->g.graph), "finish");
    jc_query query = JC_QUERY_INIT;
    static const int64_t of[] = {LONG}, wrt[] = {0};
    query.of = of, query.n_of = 1, query.wrt = wrt, query.n_wrt = 1;
    query.order = JC_ORDER_ELIMINATION;
    s->q.query = query;
    jt_ok(jc_plan_create(s->g.graph, &s->q.query, &s->plan), "plan");
    jt_ok(jc_layout_create(s->plan, 8, false, &s->layout), "layout");
}

/* What holds for plans of any size: sums over paths of whole Jacobians, writes and reads, storage. */
Test(verify_elimination, rejects_broken_plans_that_it_does_not_evaluate)
{
    static const char *const seen[] = {"a dropped step",        "a doubled step",
                                       "writing for adding",    "another operand",
                                       "another Jacobian",      "a transposed Jacobian",
                                       "a read too early",      "a reused slot",
                                       "wrong rows of a value", "the wrong value of an output"};
    enum { N_SEEN = sizeof seen / sizeof *seen, TRIES = 30 };
    subject s;
    jt_rng rng = {5};
    chain_init(&s);
    cr_assert(s.plan->eliminates && !is_evaluated(&s));
    jt_ok(jc_plan_verify(s.plan, &s.q.query, &s.layout), "the plan");
    for (int64_t i = 0; i < N_SEEN; i++) {
        const jt_break *way = jt_breaks;
        int64_t applied = 0;
        while (strcmp(way->name, seen[i])) way++;
        for (int64_t t = 0; t < TRIES; t++) {
            jt_patient p;
            jt_patient_init(&p, s.plan, &s.layout, &s.q.query);
            if (way->apply(&p, &rng)) {
                cr_assert_eq(jc_plan_verify(&p.plan, &s.q.query, &p.layout), JC_E_INTERNAL, "accepted: %s", way->name);
                applied++;
            }
            jt_pool_free(&p.pool);
        }
        cr_assert_gt(applied, TRIES / 3, "%s: %lld", way->name, (long long)applied);
    }
    jc_layout_fini(s.plan, &s.layout);
    jc_plan_destroy(s.plan);
    jc_graph_destroy(s.g.graph);
}
