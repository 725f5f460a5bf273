/* What holds of runs whatever the graph: other numbers bound, the same bits again, memory limits. */
#include <criterion/criterion.h>
#include <string.h>

#include "graph/graph.h"
#include "backend/backend.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"

/* ---- a run by hand ----------------------------------------------------------------------------------------------- */

typedef struct machine {
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
} machine;

static void machine_init(machine *m, const jc_graph *graph, const jc_query *query, const char *backend,
                         jc_precision precision)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.backend = backend, options.precision = precision, options.threads = 2;
    jt_ok(jt_plan_create(graph, query, 0, &m->plan), "plan");
    jt_ok(jc_program_create(m->plan, &options, &m->program), "program");
    jt_ok(jc_run_create(m->program, &m->run), "run");
}

static void machine_fini(machine *m)
{
    jc_run_destroy(m->run);
    jc_program_destroy(m->program);
    jc_plan_destroy(m->plan);
}

static int64_t element_bytes(const jc_result *r)
{
    return r->dtype == JC_F32 ? 4 : 8;
}

static const unsigned char *element(const jc_result *r, int64_t block, int64_t row, int64_t col)
{
    int64_t at = block * r->block_stride + row * r->row_stride + col * r->col_stride;
    return (const unsigned char *)r->data + at * element_bytes(r);
}

static void assert_same_bits(const jc_result *a, const jc_result *b, uint64_t seed, const char *what)
{
    cr_assert(a->of == b->of && a->wrt == b->wrt && a->rows == b->rows && a->cols == b->cols && a->kind == b->kind &&
                  a->dtype == b->dtype && a->blocks == b->blocks,
              "seed %llu: %s: d%lld/d%lld kind %d, %lld x %lld (%d), not d%lld/d%lld kind %d, %lld x %lld (%d)",
              (unsigned long long)seed, what, (long long)b->of, (long long)b->wrt, (int)b->kind, (long long)b->rows,
              (long long)b->cols, (int)b->dtype, (long long)a->of, (long long)a->wrt, (int)a->kind, (long long)a->rows,
              (long long)a->cols, (int)a->dtype);
    for (int64_t k = 0; k < a->blocks && a->kind == JC_RESULT_MATRIX; k++)
        for (int64_t i = 0; i < a->rows; i++)
            for (int64_t j = 0; j < a->cols; j++)
                cr_assert_eq(memcmp(element(a, k, i, j), element(b, k, i, j), (size_t)element_bytes(a)), 0,
                             "seed %llu: %s: d%lld/d%lld entry %lld,%lld", (unsigned long long)seed, what,
                             (long long)a->of, (long long)a->wrt, (long long)i, (long long)j);
}

static void assert_runs_agree(const machine *a, const machine *b, uint64_t seed, const char *what)
{
    cr_assert_eq(jc_run_result_count(a->run), jc_run_result_count(b->run));
    for (int64_t i = 0; i < jc_run_result_count(a->run); i++) {
        jc_result x, y;
        jt_ok(jc_run_result(a->run, i, &x), "result");
        jt_ok(jc_run_result(b->run, i, &y), "result");
        assert_same_bits(&x, &y, seed, what);
    }
}

/* A query of totals, every other one under rules. */
static void random_totals(jt_rng *rng, jt_graph *g, uint64_t seed, jt_query *q, jt_rules *rules)
{
    *rules = (jt_rules){.n = 0};
    jt_query_totals(rng, g, q);
    if (seed % 2) jt_rules_random(&g->pool, rng, g, (jc_rule_kind)(seed / 2 % JT_RULE_KINDS), rules);
    q->query.rules = rules->rule, q->query.n_rules = rules->n;
}

/* ---- binding ----------------------------------------------------------------------------------------------------- */

/* Gives a run the floating numbers that another graph of the same structure has. */
static void bind_all(jc_run *run, const jc_graph *other)
{
    for (int64_t i = 0; i < other->groups.count; i++) {
        const jc_group *group = (const jc_group *)other->groups.data + i;
        const jc_kind_info *kind = &jc_kinds[group->shape.kind];
        for (int f = 0; f < kind->n_fields; f++)
            if (!kind->field[f].is_index)
                jt_ok(jc_run_bind_jacobian(run, group->first_edge + group->n_edges - 1, kind->field[f].name,
                                           group->field[f].dtype, group->field[f].data),
                      "bind");
    }
}

/* A run bound to other numbers gives what a graph with these numbers gives; bound back, what it gave before. */
Test(property, bound_numbers_take_the_place_of_the_graphs)
{
    for (uint64_t seed = 0; seed < 200; seed++)
        for (int b = 0; jc_backend_name(b); b++) {
            if (!jt_takes_part(jc_backend_name(b))) continue;
            jt_graph g, other;
            jt_graph_options options = {.seed = seed, .max_paths = 200, .numbers = JT_REAL, .no_operators = true};
            jt_graph_random(&options, &g);
            options.number_seed = 77;
            jt_graph_random(&options, &other);
            cr_assert_eq(g.n_edges, other.n_edges);
            jt_rng rng = {seed};
            jt_query q;
            jt_rules rules;
            random_totals(&rng, &g, seed, &q, &rules);
            machine before, bound, expected;
            machine_init(&before, g.graph, &q.query, jc_backend_name(b), JC_PRECISION_F64);
            machine_init(&bound, g.graph, &q.query, jc_backend_name(b), JC_PRECISION_F64);
            machine_init(&expected, other.graph, &q.query, jc_backend_name(b), JC_PRECISION_F64);
            jt_ok(jc_run_execute(before.run), "execute");
            jt_ok(jc_run_execute(expected.run), "execute");
            bind_all(bound.run, other.graph);
            jt_ok(jc_run_execute(bound.run), "execute");
            assert_runs_agree(&bound, &expected, seed, "bound");
            bind_all(bound.run, g.graph);
            jt_ok(jc_run_execute(bound.run), "execute");
            assert_runs_agree(&bound, &before, seed, "bound back");
            machine_fini(&expected);
            machine_fini(&bound);
            machine_fini(&before);
            jt_rules_fini(&rules);
            jt_graph_fini(&other);
            jt_graph_fini(&g);
        }
}

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

Test(property, every_repetition_gives_the_same_bits)
{
    for (uint64_t seed = 0; seed < 150; seed++)
        for (int b = 0; jc_backend_name(b); b++)
            for (int single = 0; single < 2; single++) {
                if (!jt_takes_part(jc_backend_name(b))) continue;
                jt_graph g;
                jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .n_variables = seed % 5 ? 0 : 30};
                jt_graph_random(&options, &g);
                jt_rng rng = {seed};
                jt_query q;
                jt_rules rules;
                random_totals(&rng, &g, seed, &q, &rules);
                machine first, again;
                jc_precision precision = single ? JC_PRECISION_F32 : JC_PRECISION_F64;
                machine_init(&first, g.graph, &q.query, jc_backend_name(b), precision);
                machine_init(&again, g.graph, &q.query, jc_backend_name(b), precision);
                jt_ok(jc_run_execute(first.run), "execute");
                for (int i = 0; i < 3; i++) {
                    jt_ok(jc_run_execute(again.run), "execute");
                    assert_runs_agree(&first, &again, seed, "again");
                }
                machine_fini(&again);
                machine_fini(&first);
                jt_rules_fini(&rules);
                jt_graph_fini(&g);
            }
}

/* ---- memory limits ----------------------------------------------------------------------------------------------- */

static void random_request(jt_rng *rng, jt_graph *g, int64_t samples, jt_query *q, jc_array *seed)
{
    int64_t which = jt_below(rng, 4);
    if (which == 0 || which == 1) {
        jt_query_seeded(rng, g, which ? JC_SEED_ROWS : JC_SEED_COLUMNS, q);
        int64_t size = g->size[which ? q->of[0] : q->wrt[0]], width = q->query.seed_width;
        double *S = jt_alloc(&g->pool, size * width, sizeof *S);
        for (int64_t i = 0; i < size * width; i++) S[i] = (double)jt_between(rng, -2, 2);
        *seed = which ? jc_array_2d(JC_F64, width, size, S) : jc_array_2d(JC_F64, size, width, S);
        return;
    }
    jt_query_totals(rng, g, q);
    if (which == 2 && samples > 1) q->query.per_sample = samples;
}

static double number(const jc_result *r, int64_t block, int64_t row, int64_t col)
{
    float f;
    double d;
    const unsigned char *at = element(r, block, row, col);
    if (r->dtype == JC_F64) return memcpy(&d, at, sizeof d), d;
    return memcpy(&f, at, sizeof f), (double)f;
}

static void assert_equal_numbers(const jc_result *a, const jc_result *b, uint64_t seed)
{
    cr_assert(a->of == b->of && a->wrt == b->wrt && a->rows == b->rows && a->cols == b->cols && a->kind == b->kind);
    for (int64_t k = 0; k < a->blocks && a->kind == JC_RESULT_MATRIX; k++)
        for (int64_t i = 0; i < a->rows; i++)
            for (int64_t j = 0; j < a->cols; j++)
                cr_assert_eq(number(a, k, i, j), number(b, k, i, j), "seed %llu: d%lld/d%lld entry %lld,%lld",
                             (unsigned long long)seed, (long long)a->of, (long long)a->wrt, (long long)i, (long long)j);
}

static void assert_same_results(const jc_results *a, const jc_results *b, uint64_t seed, bool bits)
{
    cr_assert_eq(jc_results_count(a), jc_results_count(b));
    for (int64_t i = 0; i < jc_results_count(a); i++) {
        jc_result x, y;
        jt_ok(jc_results_get(a, i, &x), "result");
        jt_ok(jc_results_get(b, i, &y), "result");
        if (bits)
            assert_same_bits(&x, &y, seed, "under a limit");
        else
            assert_equal_numbers(&x, &y, seed);
    }
}

/* Integers: the whole's numbers within the bytes allowed, or a refusal. Counts results, windows, refusals. */
static void check_limits(uint64_t seed, const char *backend, int64_t counts[3])
{
    jt_graph g;
    jt_graph_options options = {.seed = seed, .max_paths = 200, .numbers = JT_SMALL, .largest = 0x1p22};
    options.samples = seed % 3 ? 1 : 2;
    jt_graph_random(&options, &g);
    jt_rng rng = {seed};
    jt_query q;
    jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
    jt_rules rules = {.n = 0};
    random_request(&rng, &g, options.samples, &q, &o.seed);
    if (seed % 2) jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed / 2 % JT_RULE_KINDS), &rules);
    q.query.rules = rules.rule, q.query.n_rules = rules.n;
    o.program.backend = backend;
    o.program.threads = 2;
    jc_results *whole, *part;
    jc_results_info info = {.struct_size = sizeof info};
    jt_ok(jc_evaluate(g.graph, &q.query, &o, &whole), "evaluate");
    jt_ok(jc_results_get_info(whole, &info), "info");
    q.query.order = info.order;
    /* another order of elimination may be taken under a limit; sums of these integers are exact in any order, but for
     * the sign of a zero */
    bool bits = info.order != JC_ORDER_ELIMINATION;
    for (int64_t limit = info.peak_bytes; limit > 0; limit = limit * 2 / 3) {
        o.program.memory_limit = limit;
        jc_status status = jc_evaluate(g.graph, &q.query, &o, &part);
        cr_assert(status == JC_OK || status == JC_E_LIMIT, "seed %llu: %s", (unsigned long long)seed, jc_last_error());
        counts[2] += status != JC_OK;
        if (status != JC_OK) break;
        jc_results_info got = {.struct_size = sizeof got};
        jt_ok(jc_results_get_info(part, &got), "info");
        cr_assert_leq(got.peak_bytes, limit, "seed %llu", (unsigned long long)seed);
        assert_same_results(whole, part, seed, bits);
        counts[0]++;
        counts[1] += got.blocks > 1;
        jc_results_destroy(part);
    }
    jc_results_destroy(whole);
    jt_rules_fini(&rules);
    jt_graph_fini(&g);
}

Test(property, a_memory_limit_changes_no_number_and_is_kept)
{
    for (int b = 0; jc_backend_name(b); b++) {
        int64_t counts[3] = {0};
        if (!jt_takes_part(jc_backend_name(b))) continue;
        for (uint64_t seed = 0; seed < 300; seed++) check_limits(seed, jc_backend_name(b), counts);
        cr_assert(counts[0] > 100 && counts[1] > 50 && counts[2] > 50,
                  "%s: %lld results, %lld in windows, %lld refused", jc_backend_name(b), (long long)counts[0],
                  (long long)counts[1], (long long)counts[2]);
    }
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

/* A run allocates its own record and exactly the bytes that the program names, and nothing while it executes. What cuda
 * names is device memory, for which the tests with its stand-in count. */
Test(property, a_run_allocates_the_bytes_that_its_program_names)
{
    for (uint64_t seed = 0; seed < 200; seed++)
        for (int b = 0; jc_backend_name(b); b++) {
            if (!jt_takes_part(jc_backend_name(b)) || !strcmp(jc_backend_name(b), "cuda")) continue;
            failing_allocator state;
            jc_allocator allocator = failing_allocator_init(&state, -1);
            jt_graph g;
            jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .n_variables = seed % 5 ? 0 : 30};
            options.allocator = &allocator;
            jt_graph_random(&options, &g);
            jt_rng rng = {seed};
            jt_query q;
            jt_query_totals(&rng, &g, &q);
            machine m;
            machine_init(&m, g.graph, &q.query, jc_backend_name(b), seed % 2 ? JC_PRECISION_F32 : JC_PRECISION_F64);
            jc_program_info info = {.struct_size = sizeof info};
            jt_ok(jc_program_get_info(m.program, &info), "info");
            jc_run_destroy(m.run);
            int64_t before = state.live_bytes;
            jt_ok(jc_run_create(m.program, &m.run), "run");
            int64_t taken = state.live_bytes - before - (int64_t)sizeof(jc_run), calls = state.calls;
            cr_assert_leq(taken - info.peak_bytes, 1, "seed %llu, %s: %lld bytes, not %lld", (unsigned long long)seed,
                          jc_backend_name(b), (long long)taken, (long long)info.peak_bytes);
            cr_assert_geq(taken, info.peak_bytes);
            jt_ok(jc_run_execute(m.run), "execute");
            cr_assert_eq(state.calls, calls, "an execution allocates");
            machine_fini(&m);
            jt_graph_fini(&g);
            cr_assert(state.live_bytes == 0 && state.defects == 0, "seed %llu, %s: %lld bytes are left, %lld defects",
                      (unsigned long long)seed, jc_backend_name(b), (long long)state.live_bytes,
                      (long long)state.defects);
        }
}

/* ---- check ------------------------------------------------------------------------------------------------------- */

Test(property, check_finds_no_fault_with_a_right_backend)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .n_variables = seed % 6 ? 0 : 20};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_query_totals(&rng, &g, &q);
        jt_backend backends[JT_MAX_BACKENDS];
        int n = jt_backends(backends);
        for (int b = 0; b < n; b++) {
            if (jt_is_exact(&backends[b])) continue;
            jc_program_options program = JC_PROGRAM_OPTIONS_INIT;
            program.backend = backends[b].name;
            program.precision = backends[b].precision;
            jc_check_report *report;
            jc_check_summary summary = {.struct_size = sizeof summary};
            jt_ok(jt_check(g.graph, &q.query, &program, &report), "check");
            jt_ok(jc_check_get_summary(report, &summary), "summary");
            /* in the rounding of product modes the bound of an elimination may be no smaller than a total */
            bool may_be_open = q.query.order == JC_ORDER_ELIMINATION && program.precision >= JC_PRECISION_TF32;
            cr_assert(summary.verdict == JC_PASSED || (may_be_open && summary.verdict == JC_UNDECIDED),
                      "seed %llu, %s (%d), order %d: verdict %d, ratio %g at variable %lld", (unsigned long long)seed,
                      backends[b].name, (int)program.precision, (int)q.query.order, (int)summary.verdict, summary.ratio,
                      (long long)summary.variable);
            jc_check_destroy(report);
        }
        jt_graph_fini(&g);
    }
}
