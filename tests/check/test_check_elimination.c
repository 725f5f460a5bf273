/* The check of eliminations: what a backend computes by any order passes, and what is wrong is found where it is. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "check/faulty.h"
#include "check/subjects.h"
#include "run/check.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

/* ---- orders and answers ------------------------------------------------------------------------------------------ */

/* Vertices of the query, in an order drawn at random. */
static void draw_order(jt_pool *pool, jt_rng *rng, const jc_graph *g, jc_query *q)
{
    jc_plan *plan;
    int64_t n;
    q->order = JC_ORDER_ELIMINATION, q->eliminate = NULL;
    jt_ok(jc_plan_create_limited(g, q, 0, INT64_MAX, &plan), "an order of elimination");
    jt_ok(jc_plan_vertices(plan, NULL, 0, &n), "vertices");
    jc_vertex *order = jt_alloc(pool, n + 1, sizeof *order);
    jt_ok(jc_plan_vertices(plan, order, n, &n), "vertices");
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t k = jt_below(rng, i + 1);
        jc_vertex v = order[i];
        order[i] = order[k], order[k] = v;
    }
    q->eliminate = order, q->n_eliminate = n;
    jc_plan_destroy(plan);
}

typedef struct answer {
    jc_check_summary summary;
    jc_check_total total[16];
} answer;

static answer check(const jc_graph *g, const jc_query *q, const jt_subject *s, const jc_backend *backend)
{
    answer a = {.summary = {.struct_size = sizeof a.summary}};
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_check_report *report = NULL;
    o.precision = s->precision, o.threads = 2;
    jt_ok(jc_check_on(g, q, backend, &o, &report), "check");
    jt_ok(jc_check_get_summary(report, &a.summary), "summary");
    for (int64_t i = 0; i < a.summary.totals && i < 16; i++) jt_ok(jc_check_get_total(report, i, &a.total[i]), "total");
    jc_check_destroy(report);
    a.summary.non_finite = NULL; /* the report's */
    return a;
}

/* Runs the query's plan and finds the largest entry of its totals: where it lies (*f) and in which total (*out). */
static bool largest_entry(const jc_graph *g, const jc_query *q, const jt_subject *s, jt_faulty *f, jc_output *out)
{
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_run *run = NULL;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    double most = 0;
    o.precision = s->precision, o.threads = 2;
    jt_ok(jc_plan_create(g, q, &plan), "plan");
    cr_assert(plan->eliminates);
    jt_ok(jc_program_create_on(plan, s->backend, &o, &program), "program");
    jt_ok(jc_run_create(program, &run), "run");
    jt_ok(jc_run_execute(run), "execute");
    for (int64_t i = 0; i < plan->n_outputs; i++) {
        const jc_output *at = &plan->outputs[i];
        int64_t rows = at->transposed ? at->cols : at->rows;
        for (int64_t r = 0; r < rows && at->kind == JC_OUTPUT_VALUE; r++)
            for (int64_t c = 0; c < plan->values[at->value].cols; c++) {
                const void *row = s->backend->peek(run, at->value, at->value_row + r);
                double x = program->dtype == JC_F64 ? ((const double *)row)[c] : ((const float *)row)[c];
                if (!(fabs(x) > most)) continue;
                most = fabs(x), *out = *at;
                f->value = at->value, f->row = at->value_row + r, f->col = c;
            }
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return most > 0;
}

/* ---- random graphs ----------------------------------------------------------------------------------------------- */

/* Passes as it is computed, and fails in the right total and entry where its largest one is 5 percent off. */
static void check_both_ways(uint64_t seed, const jc_graph *g, const jc_query *q, const jt_subject *s, int *faults)
{
    answer a = check(g, q, s, s->backend);
    cr_assert_eq(a.summary.verdict, JC_PASSED, "seed %llu, %s: verdict %d, ratio %g at variable %lld (%lld, %lld)",
                 (unsigned long long)seed, s->backend->name, (int)a.summary.verdict, a.summary.ratio,
                 (long long)a.summary.variable, (long long)a.summary.row, (long long)a.summary.col);
    for (int64_t i = 0; i < a.summary.totals && i < 16; i++)
        cr_assert_eq(a.total[i].verdict, JC_PASSED, "seed %llu total %lld", (unsigned long long)seed, (long long)i);
    jt_faulty f = {.base = s->backend, .fault = JT_ENTRY, .factor = 0.05};
    jc_output out;
    if (!largest_entry(g, q, s, &f, &out)) return;
    a = check(g, q, s, jt_faulty_backend(&f));
    cr_assert_eq(a.summary.verdict, JC_FAILED, "seed %llu, %s: 5 percent not found", (unsigned long long)seed,
                 s->backend->name);
    cr_assert_eq(a.summary.variable, out.wrt);
    int64_t row = f.row - out.value_row, col = f.col;
    if (q->per_sample <= 1)
        cr_assert(a.summary.row == (out.transposed ? col : row) && a.summary.col == (out.transposed ? row : col),
                  "seed %llu", (unsigned long long)seed);
    for (int64_t i = 0; i < a.summary.totals && i < 16; i++) {
        bool here = a.total[i].of == out.of && a.total[i].wrt == out.wrt;
        cr_assert_eq(a.total[i].verdict, here ? JC_FAILED : JC_PASSED, "seed %llu", (unsigned long long)seed);
    }
    ++*faults;
}

Test(check_elimination, passes_random_graphs_of_all_kinds_in_any_order_and_finds_an_entry_wrong_by_5_percent,
     .timeout = 120)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s), faults = 0;
    int64_t seeds = jt_cases(300);
    for (uint64_t seed = 0; seed < (uint64_t)seeds; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 200, .numbers = seed % 2 ? JT_REAL : JT_SMALL};
        if (seed % 3 == 0) options.samples = 3;
        if (!jt_in_sample(seed)) continue;
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_query_totals(&rng, &g, &q);
        if (seed % 6 == 0) q.query.per_sample = 3;
        q.query.no_empty_path = seed % 5 == 0;
        draw_order(&g.pool, &rng, g.graph, &q.query);
        for (int i = 0; i < n; i++) check_both_ways(seed, g.graph, &q.query, &s[i], &faults);
        jt_graph_fini(&g);
    }
    cr_assert(JT_SANITIZED || faults > seeds / 2 * n, "%lld faults", (long long)faults); /* else a sample */
}

Test(check_elimination, passes_under_random_rules_in_any_order, .timeout = 120)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s), faults = 0;
    int64_t seeds = jt_cases(200);
    for (uint64_t seed = 0; seed < (uint64_t)seeds; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .max_paths = 300};
        jt_rng rng = {seed};
        jt_rules rules;
        jt_query q;
        if (!jt_in_sample(seed)) continue;
        jt_graph_random(&options, &g);
        jt_query_totals(&rng, &g, &q);
        jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &rules);
        q.query.rules = rules.rule, q.query.n_rules = rules.n;
        draw_order(&g.pool, &rng, g.graph, &q.query);
        for (int i = 0; i < n; i++) check_both_ways(seed, g.graph, &q.query, &s[i], &faults);
        jt_rules_fini(&rules);
        jt_graph_fini(&g);
    }
    cr_assert(JT_SANITIZED || faults > seeds / 4 * n, "%lld faults", (long long)faults);
}

/* The reference is of the same edges. */
Test(check_elimination, judges_by_the_edges_that_the_query_names)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s), faults = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .max_paths = 300};
        jt_rng rng = {seed};
        jt_query q;
        jt_graph_random(&options, &g);
        jt_query_totals(&rng, &g, &q);
        int64_t *edges = jt_alloc(&g.pool, g.n_edges, sizeof *edges);
        for (int64_t e = 0; e < g.n_edges; e++)
            if (jt_below(&rng, 4)) edges[q.query.n_edges++] = e;
        q.query.edges = edges;
        draw_order(&g.pool, &rng, g.graph, &q.query);
        for (int i = 0; i < n; i++) check_both_ways(seed, g.graph, &q.query, &s[i], &faults);
        jt_graph_fini(&g);
    }
    cr_assert_gt(faults, 10 * n);
}

/* ---- chains ------------------------------------------------------------------------------------------------------ */

/* v0 -> v1 -> .. -> v[depth] of these sizes; edge i, v(i+1) <- v(i), has numbers[i]. */
static jc_graph *chain(int64_t depth, const int64_t *sizes, jc_dtype dtype, const void *const *numbers)
{
    jc_graph *g = NULL;
    jt_ok(jc_graph_create(NULL, &g), "graph");
    for (int64_t i = 0; i <= depth; i++) {
        char name[32];
        int64_t v;
        snprintf(name, sizeof name, "v%lld", (long long)i);
        jt_ok(jc_graph_add_variable(g, name, sizes[i], &v), "variable");
    }
    for (int64_t i = 0; i < depth; i++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = jc_array_2d(dtype, sizes[i + 1], sizes[i], numbers[i]);
        jt_ok(jc_graph_add_edge(g, i + 1, i, &j, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(g), "finish");
    return g;
}

/* Every other vertex, then every other one of the rest, and so on: as many factors on both sides of each product. */
static jc_vertex *halving_order(jt_pool *pool, int64_t depth, int64_t *n)
{
    jc_vertex *order = jt_alloc(pool, depth, sizeof *order);
    *n = 0;
    for (int64_t step = 1; step < depth; step *= 2)
        for (int64_t v = step; v < depth; v += 2 * step) order[(*n)++] = (jc_vertex){v, 0};
    return order;
}

static jc_query chain_query(jt_pool *pool, const int64_t *of, const int64_t *wrt, int64_t depth)
{
    jc_query q = JC_QUERY_INIT;
    q.of = of, q.n_of = 1, q.wrt = wrt, q.n_wrt = 1, q.order = JC_ORDER_ELIMINATION;
    q.eliminate = halving_order(pool, depth, &q.n_eliminate);
    return q;
}

enum { N = 16 };

/* Reflections I - 2 v v^T / v^T v with columns one on, of the type: orthogonal. */
static const void **reflections(jt_pool *pool, jt_rng *rng, int64_t depth, jc_dtype dtype)
{
    const void **numbers = jt_alloc(pool, depth, sizeof *numbers);
    for (int64_t k = 0; k < depth; k++) {
        double *d = jt_alloc(pool, N * N, 8), v[N], length = 0;
        float *f = jt_alloc(pool, N * N, 4);
        for (int i = 0; i < N; i++) v[i] = jt_unit(rng), length += v[i] * v[i];
        for (int i = 0; i < N; i++)
            for (int j = 0; j < N; j++) d[i * N + (j + 1) % N] = (i == j) - 2 * v[i] * v[j] / length;
        for (int i = 0; i < N * N; i++) f[i] = (float)d[i];
        numbers[k] = dtype == JC_F64 ? (const void *)d : f;
    }
    return numbers;
}

/* |D| |D| .. grows so that the forward bound says nothing: what rounding does on this graph decides. */
Test(check_elimination, decides_deep_chains_whose_forward_bound_says_nothing, .timeout = 120)
{
    enum { DEPTH = 400 };
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (int i = 0; i < n; i++) {
        jt_pool pool = {0};
        jt_rng rng = {9};
        jc_dtype dtype = s[i].precision == JC_PRECISION_F64 ? JC_F64 : JC_F32;
        int64_t sizes[DEPTH + 1], of = DEPTH, wrt = 0;
        const void **numbers = reflections(&pool, &rng, DEPTH, dtype);
        for (int v = 0; v <= DEPTH; v++) sizes[v] = N;
        jc_graph *g = chain(DEPTH, sizes, dtype, numbers);
        jc_query q = chain_query(&pool, &of, &wrt, DEPTH);
        answer a = check(g, &q, &s[i], s[i].backend);
        cr_assert_eq(a.summary.verdict, JC_PASSED, "%s: verdict %d, ratio %g", s[i].backend->name,
                     (int)a.summary.verdict, a.summary.ratio);
        cr_assert_gt(a.total[0].bound, 1, "the forward bound is not what decides here");

        jt_faulty f = {.base = s[i].backend, .fault = JT_ENTRY, .factor = 0.05};
        jc_output out;
        cr_assert(largest_entry(g, &q, &s[i], &f, &out));
        a = check(g, &q, &s[i], jt_faulty_backend(&f));
        cr_assert(a.summary.verdict == JC_FAILED && a.summary.variable == 0, "%s: a wrong entry", s[i].backend->name);
        f.fault = JT_TWO_EDGES, f.edge = 4, f.other = 211;
        a = check(g, &q, &s[i], jt_faulty_backend(&f));
        cr_assert(a.summary.verdict == JC_FAILED && a.summary.variable == 0, "%s: two edges", s[i].backend->name);
        f.fault = JT_ALL_ZERO;
        a = check(g, &q, &s[i], jt_faulty_backend(&f));
        cr_assert(a.summary.verdict == JC_FAILED && a.summary.variable == 0, "%s: all zero", s[i].backend->name);
        jc_graph_destroy(g);
        jt_pool_free(&pool);
    }
}

/* A chain of scalars with these numbers, each vertex in the order given. */
static answer check_scalars(const double *numbers, int64_t depth, const jc_vertex *order, const jt_subject *s,
                            const jc_backend *backend)
{
    int64_t sizes[8] = {1, 1, 1, 1, 1, 1, 1, 1}, of = depth, wrt = 0;
    const void *each[8];
    for (int64_t i = 0; i < depth; i++) each[i] = &numbers[i];
    jc_graph *g = chain(depth, sizes, JC_F64, each);
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    q.order = JC_ORDER_ELIMINATION, q.eliminate = order, q.n_eliminate = depth - 1;
    answer a = check(g, &q, s, backend);
    jc_graph_destroy(g);
    return a;
}

static const jc_vertex up[] = {{1, 0}, {2, 0}}, down[] = {{2, 0}, {1, 0}};

Test(check_elimination, cannot_decide_about_nan_and_inf_and_names_the_inputs)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    const double cases[3][3] = {{1, NAN, 2}, {INFINITY, 2, 3}, {1e200, 1e200, 1}};
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            answer a = check_scalars(cases[c], 3, up, &s[i], s[i].backend);
            cr_assert_eq(a.summary.verdict, JC_UNDECIDED, "%s, case %d", s[i].backend->name, c);
            cr_assert(isnan(a.summary.ratio));
            cr_assert_eq(a.summary.n_non_finite, c < 2);
            cr_assert_eq(a.total[0].verdict, JC_UNDECIDED);
        }
}

/* An order may lose what another keeps: neither the elimination's underflow nor the reference's is a fault. */
Test(check_elimination, allows_for_underflow_in_either_order)
{
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    const double wide[][3] = {{1e300, 1e-200, 1e-200}, {1e-200, 1e-200, 1e300}, {1.1e-160, 0.7e-152, 1.3}};
    const double narrow[][3] = {{1e30, 1e-25, 1e-25}, {1e-25, 1e-25, 1e30}, {1.1e-22, 0.7e-20, 1.3}};
    for (int i = 0; i < n; i++)
        for (int c = 0; c < 3; c++) {
            const double *numbers = s[i].precision == JC_PRECISION_F64 ? wide[c] : narrow[c];
            answer a = check_scalars(numbers, 3, up, &s[i], s[i].backend);
            cr_assert_neq(a.summary.verdict, JC_FAILED, "%s, case %d up: %g", s[i].backend->name, c, a.summary.ratio);
            a = check_scalars(numbers, 3, down, &s[i], s[i].backend);
            cr_assert_neq(a.summary.verdict, JC_FAILED, "%s, case %d down: %g", s[i].backend->name, c, a.summary.ratio);
        }
}

/* (1, -1) D with two entries of D nearly equal: a sweep from the target subtracts first, exactly; this order multiplies
 * first, and loses what is asked for. Its bound allows that, and is larger than the total. */
Test(check_elimination, does_not_decide_where_the_order_itself_cancels)
{
    const double bottom[1] = {0.7}, middle[2] = {1.0 / 3, 0x1.5555555555556p-2}, top[2] = {1, -1};
    const int64_t sizes[] = {1, 1, 2, 1}, of = 3, wrt = 0;
    jc_graph *g = chain(3, sizes, JC_F64, (const void *[]){bottom, middle, top});
    jc_query q = JC_QUERY_INIT;
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    for (int i = 0; i < n; i++) {
        if (s[i].precision != JC_PRECISION_F64) continue;
        q.order = JC_ORDER_REVERSE, q.eliminate = NULL, q.n_eliminate = 0;
        cr_assert_eq(check(g, &q, &s[i], s[i].backend).summary.verdict, JC_PASSED);
        q.order = JC_ORDER_ELIMINATION, q.eliminate = up, q.n_eliminate = 2;
        answer a = check(g, &q, &s[i], s[i].backend);
        cr_assert_eq(a.summary.verdict, JC_UNDECIDED, "%s: %d", s[i].backend->name, (int)a.summary.verdict);
        jt_faulty f = {.base = s[i].backend, .fault = JT_ENTRY, .set = 1e-14};
        jc_output out;
        cr_assert(largest_entry(g, &q, &s[i], &f, &out));
        a = check(g, &q, &s[i], jt_faulty_backend(&f));
        cr_assert_eq(a.summary.verdict, JC_FAILED, "%s", s[i].backend->name);
    }
    jc_graph_destroy(g);
}

/* ---- operators --------------------------------------------------------------------------------------------------- */

enum { SIDE = 5 };

/* User: D for tangents, then D for adjoints. */
static int apply_pair(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx,
                      void *y, int64_t ldy, int accumulate)
{
    const double(*d)[SIDE][SIDE] = user;
    for (int64_t j = 0; j < k; j++)
        for (int64_t o = 0; o < SIDE; o++) {
            double sum = 0;
            for (int64_t i = 0; i < SIDE; i++) {
                double in = dtype == JC_F64 ? ((const double *)x)[j * ldx + i] : ((const float *)x)[j * ldx + i];
                sum += in * (direction == JC_TANGENT ? d[0][o][i] : d[1][i][o]);
            }
            double *at = (double *)y + j * ldy + o;
            float *at32 = (float *)y + j * ldy + o;
            if (dtype == JC_F64) *at = sum + (accumulate ? *at : 0);
            if (dtype == JC_F32) *at32 = (float)(sum + (accumulate ? *at32 : 0));
        }
    return 0;
}

Test(check_elimination, judges_operators_by_their_two_directions)
{
    double d[2][SIDE][SIDE], dense[2][SIDE * SIDE];
    jt_rng rng = {3};
    for (int i = 0; i < SIDE * SIDE; i++) d[0][i / SIDE][i % SIDE] = d[1][i / SIDE][i % SIDE] = jt_unit(&rng);
    for (int i = 0; i < 2 * SIDE * SIDE; i++) dense[i / (SIDE * SIDE)][i % (SIDE * SIDE)] = jt_unit(&rng);
    jc_graph *g = NULL;
    int64_t of = 3, wrt = 0;
    jt_ok(jc_graph_create(NULL, &g), "graph");
    for (int64_t i = 0, v; i < 4; i++)
        jt_ok(jc_graph_add_variable(g, (const char *[]){"x", "y", "z", "L"}[i], SIDE, &v), "variable");
    for (int64_t i = 0; i < 3; i++) {
        jc_jacobian j = JC_JACOBIAN_INIT(i == 1 ? JC_OPERATOR : JC_DENSE);
        if (i == 1) j.op = (jc_operator){apply_pair, d, SIDE * SIDE, SIDE * SIDE, 0};
        if (i != 1) j.values = jc_array_2d(JC_F64, SIDE, SIDE, dense[i / 2]);
        jt_ok(jc_graph_add_edge(g, i + 1, i, &j, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(g), "finish");
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = JC_ORDER_ELIMINATION, q.n_eliminate = 2;
    jt_subject s[JT_MAX_SUBJECTS];
    int n = jt_subjects(s);
    for (int i = 0; i < n; i++)
        for (int k = 0; k < 2; k++) {
            q.eliminate = k ? down : up;
            answer a = check(g, &q, &s[i], s[i].backend);
            cr_assert_eq(a.summary.verdict, JC_PASSED, "%s: %g", s[i].backend->name, a.summary.ratio);
            d[1][2][3] += 1e-3;
            a = check(g, &q, &s[i], s[i].backend);
            d[1][2][3] -= 1e-3;
            cr_assert_eq(a.summary.verdict, JC_FAILED, "two directions of different matrices");
        }
    jc_graph_destroy(g);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

Test(check_elimination, any_allocation_that_fails_is_a_clean_error)
{
    jt_check_without_memory(up, 2);
}
