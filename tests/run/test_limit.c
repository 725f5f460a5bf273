/* The memory limit: windows of seed rows give the numbers of the whole, within the bytes that are allowed; eliminations
 * are searched for again under the limit first. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jacchain.h"
#include "backend/backend.h"
#include "support/failing_allocator.h"

enum { N = 40, DEPTH = 6 };

/* x0 -> x1 -> .. -> x6, each 40, with a second way round every other one; Jacobians of small integers. */
static jc_graph *ladder(void)
{
    static double numbers[2 * DEPTH][N * N];
    jc_graph *g = NULL;
    int64_t v[DEPTH + 1];
    int used = 0;
    cr_assert_eq(jc_graph_create(NULL, &g), JC_OK);
    for (int i = 0; i <= DEPTH; i++) {
        char name[8] = {'x', (char)('0' + i), 0};
        cr_assert_eq(jc_graph_add_variable(g, name, N, &v[i]), JC_OK);
    }
    for (int i = 0; i < DEPTH; i++)
        for (int far = 1; far <= 2 && i + far <= DEPTH; far++) {
            double *d = numbers[used++];
            for (int k = 0; k < N * N; k++) d[k] = (k * 7 + i * 3 + far) % 11 == 0 ? 1 + i % 2 : 0;
            jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
            j.values = jc_array_2d(JC_F64, N, N, d);
            cr_assert_eq(jc_graph_add_edge(g, v[i + far], v[i], &j, NULL, 0), JC_OK);
        }
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    return g;
}

static jc_status evaluate(const jc_graph *g, const int64_t *of, int64_t n_of, const int64_t *wrt, int64_t n_wrt,
                          jc_order order, const char *backend, int64_t limit, jc_results **r)
{
    jc_query q = JC_QUERY_INIT;
    jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
    q.of = of, q.n_of = n_of, q.wrt = wrt, q.n_wrt = n_wrt, q.order = order;
    o.program.backend = backend;
    o.program.memory_limit = limit;
    o.program.threads = 2;
    return jc_evaluate(g, &q, &o, r);
}

static void assert_same(const jc_results *a, const jc_results *b)
{
    cr_assert_eq(jc_results_count(a), jc_results_count(b));
    for (int64_t i = 0; i < jc_results_count(a); i++) {
        jc_result x, y;
        cr_assert_eq(jc_results_get(a, i, &x), JC_OK);
        cr_assert_eq(jc_results_get(b, i, &y), JC_OK);
        cr_assert(x.of == y.of && x.wrt == y.wrt && x.kind == y.kind && x.rows == y.rows && x.cols == y.cols);
        cr_assert_eq(!x.data, !y.data);
        if (x.data)
            cr_assert_eq(memcmp(x.data, y.data, (size_t)(x.rows * x.cols) * sizeof(double)), 0, "result %d", (int)i);
    }
}

static jc_results_info info_of(const jc_results *r)
{
    jc_results_info info = {.struct_size = sizeof info};
    cr_assert_eq(jc_results_get_info(r, &info), JC_OK);
    return info;
}

Test(limit, windows_give_the_numbers_of_the_whole_within_the_limit)
{
    jc_graph *g = ladder();
    int64_t of[2] = {6, 4}, wrt[3] = {0, 1, 4};
    for (int b = 0; jc_backend_name(b); b++)
        for (int forward = 0; forward < 2; forward++) {
            if (jc_backend_available(jc_backend_name(b))) continue;
            jc_order order = forward ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
            jc_results *whole, *part;
            cr_assert_eq(evaluate(g, of, 2, wrt, 3, order, jc_backend_name(b), 0, &whole), JC_OK, "%s",
                         jc_last_error());
            int64_t full = info_of(whole).peak_bytes, passes = 0;
            for (int64_t limit = full; limit > 0; limit = limit * 3 / 4) {
                jc_status status = evaluate(g, of, 2, wrt, 3, order, jc_backend_name(b), limit, &part);
                if (status == JC_E_LIMIT) {
                    char number[32];
                    snprintf(number, sizeof number, "is %lld bytes", (long long)limit);
                    cr_assert(strstr(jc_last_error(), number), "%s", jc_last_error());
                    cr_assert(strstr(jc_last_error(), "bytes are needed"), "%s", jc_last_error());
                    break;
                }
                cr_assert_eq(status, JC_OK, "%s", jc_last_error());
                jc_results_info info = info_of(part);
                cr_assert_leq(info.peak_bytes, limit);
                cr_assert_geq(info.blocks, passes, "less memory never means fewer passes");
                passes = info.blocks;
                assert_same(whole, part);
                jc_results_destroy(part);
            }
            cr_assert_gt(passes, 3, "%s: the seed was cut into %d blocks only", jc_backend_name(b), (int)passes);
            jc_results_destroy(whole);
        }
    jc_graph_destroy(g);
}

/* ---- eliminations ---------------------------------------------------------------------------------------------- */

enum { WIDE = 48, NARROW = 5, LENGTH = 8 };

/* x0 .. x8, wide and narrow by turns, both ends wide; edges of one and of two steps, of small integers. An elimination
 * forms the products between narrow ones. */
static jc_graph *hourglass(const jc_allocator *allocator)
{
    static double numbers[2 * LENGTH][WIDE * WIDE];
    jc_graph *g = NULL;
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    int64_t v[LENGTH + 1], size[LENGTH + 1];
    int used = 0;
    cr_assert_eq(jc_graph_create(&options, &g), JC_OK);
    for (int i = 0; i <= LENGTH; i++) {
        char name[8] = {'x', (char)('0' + i), 0};
        size[i] = i % 2 ? NARROW : WIDE;
        cr_assert_eq(jc_graph_add_variable(g, name, size[i], &v[i]), JC_OK);
    }
    for (int i = 0; i < LENGTH; i++)
        for (int far = 1; far <= 1 + i % 2 && i + far <= LENGTH; far++) {
            double *d = numbers[used++];
            for (int k = 0; k < size[i + far] * size[i]; k++) d[k] = (k * 7 + i * 3 + far) % 11 == 0 ? 1 + i % 2 : 0;
            jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
            j.values = jc_array_2d(JC_F64, size[i + far], size[i], d);
            cr_assert_eq(jc_graph_add_edge(g, v[i + far], v[i], &j, NULL, 0), JC_OK);
        }
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    return g;
}

static const int64_t ends_of[2] = {8, 6}, ends_wrt[2] = {0, 2};

/* Every limit from the whole's peak down to the first one that is refused. *passes: the most blocks of rows. */
static void walk_down(const jc_graph *g, const char *backend, const jc_results *sweep, int64_t *passes)
{
    jc_results *whole, *part;
    cr_assert_eq(evaluate(g, ends_of, 2, ends_wrt, 2, JC_ORDER_ELIMINATION, backend, 0, &whole), JC_OK, "%s",
                 jc_last_error());
    assert_same(sweep, whole);
    int64_t full = info_of(whole).peak_bytes, step = full / 40;
    cr_assert_lt(info_of(whole).multiply_adds, info_of(sweep).multiply_adds);
    *passes = 0;
    for (int64_t limit = full;; limit -= step) {
        char number[32];
        cr_assert_gt(limit, 0, "nothing was refused");
        jc_status status = evaluate(g, ends_of, 2, ends_wrt, 2, JC_ORDER_ELIMINATION, backend, limit, &part);
        snprintf(number, sizeof number, "is %lld bytes", (long long)limit);
        if (status) {
            cr_assert_eq(status, JC_E_LIMIT, "%s", jc_last_error());
            cr_assert(strstr(jc_last_error(), number) && strstr(jc_last_error(), "bytes are needed"), "%s",
                      jc_last_error());
            break;
        }
        jc_results_info info = info_of(part);
        cr_assert_leq(info.peak_bytes, limit);
        cr_assert_geq(info.multiply_adds, info_of(whole).multiply_adds, "a narrower choice never costs less");
        cr_assert_eq(info.order, JC_ORDER_ELIMINATION);
        *passes = info.blocks > *passes ? info.blocks : *passes;
        assert_same(whole, part);
        jc_results_destroy(part);
    }
    jc_results_destroy(whole);
}

Test(limit, eliminations_give_the_same_totals_under_every_limit)
{
    jc_graph *g = hourglass(NULL);
    for (int b = 0; jc_backend_name(b); b++) {
        jc_results *sweep;
        int64_t passes;
        if (jc_backend_available(jc_backend_name(b))) continue;
        cr_assert_eq(evaluate(g, ends_of, 2, ends_wrt, 2, JC_ORDER_REVERSE, jc_backend_name(b), 0, &sweep), JC_OK);
        walk_down(g, jc_backend_name(b), sweep, &passes);
        cr_expect_gt(passes, 3, "%s: the rows were cut into %d blocks only", jc_backend_name(b), (int)passes);
        jc_results_destroy(sweep);
    }
    jc_graph_destroy(g);
}

/* A chain of 20, 5, 1000, 5, 4 and 20 scalars with D1 .. D5. D3 D2 costs 25,000 and needs one of them as a matrix,
 * 5,000 entries; then D4 (D3 D2) 100. (D4 D3) D2 costs 20,000 + 20,000 and holds 4,000. Both ends cost 400 + 1,600. */
static jc_graph *waist(void)
{
    static const int64_t size[] = {20, 5, 1000, 5, 4, 20};
    static double numbers[5][5000];
    jc_graph *g = NULL;
    int64_t v[6];
    cr_assert_eq(jc_graph_create(NULL, &g), JC_OK);
    for (int i = 0; i < 6; i++) {
        char name[8] = {'x', (char)('0' + i), 0};
        cr_assert_eq(jc_graph_add_variable(g, name, size[i], &v[i]), JC_OK);
        for (int k = 0; i && k < size[i] * size[i - 1]; k++) numbers[i - 1][k] = k * 5 % 7 - 3;
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        if (i) j.values = jc_array_2d(JC_F64, size[i], size[i - 1], numbers[i - 1]);
        if (i) cr_assert_eq(jc_graph_add_edge(g, v[i], v[i - 1], &j, NULL, 0), JC_OK);
    }
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    return g;
}

Test(limit, an_elimination_that_holds_less_is_taken_where_the_cheapest_does_not_fit)
{
    jc_graph *g = waist();
    int64_t of = 5, wrt = 0;
    for (int b = 0; jc_backend_name(b); b++) {
        const char *backend = jc_backend_name(b);
        jc_results *whole, *part;
        if (jc_backend_available(backend)) continue;
        cr_assert_eq(evaluate(g, &of, 1, &wrt, 1, JC_ORDER_ELIMINATION, backend, 0, &whole), JC_OK, "%s",
                     jc_last_error());
        int64_t peak = info_of(whole).peak_bytes;
        cr_expect_eq(info_of(whole).multiply_adds, 25000 + 100 + 400 + 1600);
        cr_expect_gt(peak, 5000 * 8);
        cr_assert_eq(evaluate(g, &of, 1, &wrt, 1, JC_ORDER_ELIMINATION, backend, peak - 1, &part), JC_OK, "%s",
                     jc_last_error());
        cr_expect_eq(info_of(part).multiply_adds, 40000 + 400 + 1600, "%s: %lld", backend,
                     (long long)info_of(part).multiply_adds);
        cr_expect_eq(info_of(part).blocks, 1);
        cr_expect_lt(info_of(part).peak_bytes, peak);
        assert_same(whole, part);
        jc_results_destroy(part);
        jc_results_destroy(whole);
    }
    jc_graph_destroy(g);
}

/* b <- a and e <- d of low rank, whose inner vectors an elimination holds besides: one row of it takes more bytes than
 * the whole reverse sweep. */
static jc_graph *low_ranks(void)
{
    static const char text[] =
        "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 4}, {\"name\": \"b\", \"size\": 2}, "
        "{\"name\": \"d\", \"size\": 4}, {\"name\": \"e\", \"size\": 2}], \"edges\": ["
        "{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"low_rank\", \"inner\": 2, "
        "\"u\": [[-2, 2]], \"v\": [[0, 0], [1, 2]]}}, "
        "{\"of\": \"d\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"csr\", \"inner\": 2, "
        "\"indptr\": [0, 0, 1], \"indices\": [0], \"values\": [2]}}, "
        "{\"of\": \"e\", \"wrt\": \"d\", \"jacobian\": {\"kind\": \"low_rank\", \"inner\": 2, "
        "\"u\": [[3]], \"v\": [[1], [5]]}}]}";
    jc_graph *g = NULL;
    cr_assert_eq(jc_graph_load_text(text, sizeof text - 1, "low_ranks", NULL, NULL, &g), JC_OK, "%s", jc_last_error());
    return g;
}

/* Whether the totals of that order are within the limit: then they are those of `whole`. */
static bool keeps(const jc_graph *g, const int64_t *of, int64_t n_of, const int64_t *wrt, jc_order order, int64_t limit,
                  const jc_results *whole)
{
    jc_results *part;
    jc_status status = evaluate(g, of, n_of, wrt, 1, order, "cpu", limit, &part);
    cr_assert(!status || status == JC_E_LIMIT, "%s", jc_last_error());
    if (status) return false;
    cr_expect_leq(info_of(part).peak_bytes, limit);
    cr_expect_eq(info_of(part).order, order);
    assert_same(whole, part);
    jc_results_destroy(part);
    return true;
}

/* Every sweep is an order of elimination: where one keeps a limit, in windows or as a whole, so does an elimination. */
static void expect_no_worse_than_sweeps(const jc_graph *g, const int64_t *of, int64_t n_of, const int64_t *wrt)
{
    enum { STEP = 64 };
    jc_results *whole;
    bool kept = true;
    cr_assert_eq(evaluate(g, of, n_of, wrt, 1, JC_ORDER_ELIMINATION, "cpu", 0, &whole), JC_OK, "%s", jc_last_error());
    int64_t full = info_of(whole).peak_bytes, step = full / 4000 * STEP + STEP;
    for (int64_t limit = full; limit > 0; limit -= step) {
        bool reverse = keeps(g, of, n_of, wrt, JC_ORDER_REVERSE, limit, whole);
        bool forward = keeps(g, of, n_of, wrt, JC_ORDER_FORWARD, limit, whole);
        bool elimination = keeps(g, of, n_of, wrt, JC_ORDER_ELIMINATION, limit, whole);
        cr_expect(elimination || !(reverse || forward), "%lld bytes", (long long)limit);
        cr_expect(kept || !elimination, "%lld bytes are enough, more are not", (long long)limit);
        kept = elimination;
    }
    cr_expect(!kept, "nothing was refused");
    jc_results_destroy(whole);
}

Test(limit, an_elimination_keeps_every_limit_that_a_sweep_keeps)
{
    static const int64_t first[1] = {0}, low[2] = {3, 2}, end[1] = {5};
    jc_graph *g = low_ranks();
    expect_no_worse_than_sweeps(g, low, 1, first);
    expect_no_worse_than_sweeps(g, low, 2, first);
    jc_graph_destroy(g);
    g = waist();
    expect_no_worse_than_sweeps(g, end, 1, first);
    jc_graph_destroy(g);
    g = hourglass(NULL);
    expect_no_worse_than_sweeps(g, ends_of, 1, first);
    expect_no_worse_than_sweeps(g, ends_of, 2, first);
    jc_graph_destroy(g);
}

/* The least bytes that are told are enough. */
Test(limit, what_is_told_to_be_needed_for_one_row_is_enough)
{
    jc_graph *g = low_ranks();
    int64_t of = 3, wrt = 0;
    jc_results *r;
    cr_assert_eq(evaluate(g, &of, 1, &wrt, 1, JC_ORDER_ELIMINATION, "cpu", 8, &r), JC_E_LIMIT);
    int64_t needed = strtoll(jc_last_error(), NULL, 10);
    cr_assert_gt(needed, 8, "%s", jc_last_error());
    cr_assert_eq(evaluate(g, &of, 1, &wrt, 1, JC_ORDER_ELIMINATION, "cpu", needed - 1, &r), JC_E_LIMIT);
    cr_assert_eq(evaluate(g, &of, 1, &wrt, 1, JC_ORDER_ELIMINATION, "cpu", needed, &r), JC_OK, "%s", jc_last_error());
    jc_results_destroy(r);
    jc_graph_destroy(g);
}

/* Multiply-adds of one pass: those of the steps of a window's rows, and of the whole ones. */
static int64_t cost_of_pass(const jc_plan *plan, int64_t rows)
{
    int64_t cost = 0, member;
    for (int64_t i = 0; i < plan->n_steps; i++) {
        const jc_step *step = &plan->steps[i];
        const jc_group *group = jc_plan_jacobian(plan, step->b, &member);
        if (step->a != JC_SEED_IDENTITY)
            cost += (step->whole ? step->n_rows : rows) * group->shape.rows * group->shape.cols;
    }
    return cost;
}

/* All Jacobians of the hourglass are dense, so what was done can be counted by the shapes of its products. */
Test(limit, multiply_adds_in_windows_count_what_every_window_forms_again)
{
    jc_graph *g = hourglass(NULL);
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan;
    jc_results *r;
    q.of = ends_of, q.n_of = 1, q.wrt = ends_wrt, q.n_wrt = 2, q.order = JC_ORDER_ELIMINATION;
    cr_assert_eq(jc_plan_create_windowed(g, &q, 1, &plan), JC_OK, "%s", jc_last_error());
    cr_assert(plan->eliminates);
    jc_program *program;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    o.backend = "reference";
    cr_assert_eq(jc_program_create(plan, &o, &program), JC_OK);
    int64_t one_row = program->peak_bytes;
    jc_program_destroy(program);
    cr_assert_eq(evaluate(g, ends_of, 1, ends_wrt, 2, JC_ORDER_ELIMINATION, "reference", one_row, &r), JC_OK, "%s",
                 jc_last_error());
    cr_expect_eq(info_of(r).blocks, WIDE, "%d blocks", (int)info_of(r).blocks);
    cr_expect_eq(info_of(r).multiply_adds, WIDE * cost_of_pass(plan, 1), "%lld, counted %lld",
                 (long long)info_of(r).multiply_adds, (long long)(WIDE * cost_of_pass(plan, 1)));
    cr_expect_gt(WIDE * cost_of_pass(plan, 1), cost_of_pass(plan, WIDE), "some products are formed again");
    jc_results_destroy(r);
    jc_plan_destroy(plan);
    jc_graph_destroy(g);
}

/* What is told before anything runs is what a run allocates, in windows and without. */
Test(limit, the_peak_of_an_elimination_is_what_its_run_allocates)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph *g = hourglass(&allocator);
    for (int64_t rows = 0; rows < 10; rows += 3) {
        jc_query q = JC_QUERY_INIT;
        jc_plan *plan;
        jc_program *program;
        jc_run *run;
        jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
        q.of = ends_of, q.n_of = 1, q.wrt = ends_wrt, q.n_wrt = 2, q.order = JC_ORDER_ELIMINATION;
        o.backend = "cpu", o.threads = 1;
        cr_assert_eq(jc_plan_create_windowed(g, &q, rows, &plan), JC_OK, "%s", jc_last_error());
        cr_assert_eq(jc_program_create(plan, &o, &program), JC_OK, "%s", jc_last_error());
        int64_t before = memory.live_bytes;
        cr_assert_eq(jc_run_create(program, &run), JC_OK);
        int64_t allocated = memory.live_bytes - before - (int64_t)sizeof *run;
        cr_expect_eq(allocated, program->peak_bytes, "%lld, told %lld", (long long)allocated,
                     (long long)program->peak_bytes);
        memory.peak_bytes = memory.live_bytes;
        jc_pass pass = {0, rows};
        cr_expect_eq(jc_run_execute_pass(run, &pass), JC_OK);
        cr_expect_eq(memory.peak_bytes, memory.live_bytes, "nothing is allocated while it runs");
        jc_run_destroy(run);
        jc_program_destroy(program);
        jc_plan_destroy(plan);
    }
    jc_graph_destroy(g);
    cr_expect_eq(memory.live_blocks, 0);
}

/* A seed's variable is looked at only after the query was. */
Test(limit, a_seed_of_a_query_that_is_not_right_is_refused)
{
    jc_graph *g = ladder();
    double numbers[N] = {0};
    int64_t far = INT64_C(1) << 40, wrt = 0;
    jc_query q = JC_QUERY_INIT;
    jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_results *r = NULL;
    o.seed = jc_array_2d(JC_F64, 1, N, numbers);
    q.seed = JC_SEED_ROWS, q.seed_width = 1, q.wrt = &wrt, q.n_wrt = 1;
    cr_assert_eq(jc_evaluate(g, &q, &o, &r), JC_E_USAGE);
    q.of = &far, q.n_of = 1;
    cr_assert_eq(jc_evaluate(g, &q, &o, &r), JC_E_USAGE);
    cr_assert_null(r);
    jc_graph_destroy(g);
}
