/* The C interface as a user writes it: only jacchain.h. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "jacchain.h"

static void ok(jc_status status)
{
    cr_assert_eq(status, JC_OK, "%s: %s", jc_status_name(status), jc_last_error());
}

static void refused(int line, jc_status got, jc_status want, const char *words)
{
    cr_expect_eq(got, want, "line %d: %s, expected %s (%s)", line, jc_status_name(got), jc_status_name(want),
                 jc_last_error());
    cr_expect(strstr(jc_last_error(), words), "line %d: no \"%s\" in \"%s\"", line, words, jc_last_error());
}
#define REFUSED(call, want, words) refused(__LINE__, call, want, words)

static const double A_data[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const double g_data[3] = {1, -1, 2};
static const double gA[4] = {14, 16, 18, 20}; /* by hand */

typedef struct example {
    jc_graph *graph;
    int64_t w, y, L;
} example;

/* L = f(y), y = A w. */
static example make_example(void)
{
    example e = {0};
    ok(jc_graph_create(NULL, &e.graph));
    ok(jc_graph_add_variable(e.graph, "w", 4, &e.w));
    ok(jc_graph_add_variable(e.graph, "y", 3, &e.y));
    ok(jc_graph_add_variable(e.graph, "L", 1, &e.L));
    jc_jacobian a = JC_JACOBIAN_INIT(JC_DENSE), g = JC_JACOBIAN_INIT(JC_DENSE);
    a.values = jc_array_2d(JC_F64, 3, 4, A_data);
    g.values = jc_array_2d(JC_F64, 1, 3, g_data);
    ok(jc_graph_add_edge(e.graph, e.y, e.w, &a, NULL, 0));
    ok(jc_graph_add_edge(e.graph, e.L, e.y, &g, NULL, 0));
    ok(jc_graph_finish(e.graph));
    return e;
}

static jc_query total_of(const int64_t *of, const int64_t *wrt)
{
    jc_query query = JC_QUERY_INIT;
    query.of = of, query.n_of = 1;
    query.wrt = wrt, query.n_wrt = 1;
    return query;
}

static jc_evaluate_options options_for(const char *backend)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    options.program.backend = backend;
    return options;
}

static void expect_row(const jc_result *r, const double *row, int64_t n)
{
    cr_assert(r->kind == JC_RESULT_MATRIX && r->rows == 1 && r->cols == n && r->blocks == 1 && r->dtype == JC_F64);
    for (int64_t j = 0; j < n; j++)
        cr_expect_eq(((const double *)r->data)[j * r->col_stride], row[j], "entry %d", (int)j);
}

Test(use, the_example_of_the_header_gives_g_A_on_every_backend)
{
    example e = make_example();
    jc_query query = total_of(&e.L, &e.w);
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        jc_evaluate_options options = options_for(jc_backend_name(i));
        jc_results *results = NULL;
        jc_result total;
        ok(jc_evaluate(e.graph, &query, &options, &results));
        cr_assert_eq(jc_results_count(results), 1);
        ok(jc_results_get(results, 0, &total));
        cr_expect(total.of == e.L && total.wrt == e.w);
        expect_row(&total, gA, 4);
        jc_results_info info = {.struct_size = sizeof info};
        ok(jc_results_get_info(results, &info));
        cr_expect_str_eq(info.backend, jc_backend_name(i));
        cr_expect_eq(info.precision, JC_PRECISION_F64);
        jc_results_destroy(results);
    }
    jc_graph_destroy(e.graph);
}

Test(use, defaults_of_evaluate_are_enough)
{
    example e = make_example();
    jc_query query = JC_QUERY_INIT;
    query.of = &e.L, query.n_of = 1; /* every source: w */
    jc_results *results = NULL;
    jc_result total;
    ok(jc_evaluate(e.graph, &query, NULL, &results));
    cr_assert_eq(jc_results_count(results), 1);
    ok(jc_results_get(results, 0, &total));
    cr_expect_eq(total.wrt, e.w);
    expect_row(&total, gA, 4);
    jc_results_destroy(results);
    jc_graph_destroy(e.graph);
}

/* Step by step, with the results of one run read between executions with other numbers. */
Test(use, stages_one_by_one_and_other_numbers_bound)
{
    static const double g2[3] = {0, 0, 1};
    example e = make_example();
    jc_query query = total_of(&e.L, &e.w);
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        jc_plan *plan = NULL;
        jc_program *program = NULL;
        jc_run *run = NULL;
        jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
        jc_plan_info info = {.struct_size = sizeof info};
        jc_result total;
        options.backend = jc_backend_name(i);
        ok(jc_plan_create(e.graph, &query, &plan));
        ok(jc_plan_get_info(plan, &info));
        cr_expect(info.multiply_adds == 12 && info.reverse_cost == 12 && info.forward_cost == 12);
        ok(jc_program_create(plan, &options, &program));
        ok(jc_run_create(program, &run));
        ok(jc_run_execute(run));
        ok(jc_run_result(run, 0, &total));
        expect_row(&total, gA, 4);
        ok(jc_run_bind_jacobian(run, 1, "values", JC_F64, g2));
        ok(jc_run_execute(run));
        ok(jc_run_result(run, 0, &total));
        expect_row(&total, A_data + 8, 4);
        jc_run_destroy(run);
        jc_program_destroy(program);
        jc_plan_destroy(plan);
    }
    jc_graph_destroy(e.graph);
}

Test(use, seeds_give_products)
{
    static const double S[2 * 1] = {3, -2}, V[4 * 1] = {1, 0, 0, -1};
    example e = make_example();
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) continue;
        jc_evaluate_options options = options_for(jc_backend_name(i));
        jc_results *results = NULL;
        jc_result r;
        jc_query query = total_of(&e.L, &e.w);
        query.seed = JC_SEED_ROWS, query.seed_width = 2;
        options.seed = jc_array_2d(JC_F64, 2, 1, S);
        ok(jc_evaluate(e.graph, &query, &options, &results));
        ok(jc_results_get(results, 0, &r));
        cr_assert(r.rows == 2 && r.cols == 4);
        for (int64_t k = 0; k < 2; k++)
            for (int64_t j = 0; j < 4; j++)
                cr_expect_eq(((const double *)r.data)[k * r.row_stride + j * r.col_stride], S[k] * gA[j]);
        jc_results_destroy(results);

        query = total_of(&e.y, &e.w);
        query.seed = JC_SEED_COLUMNS, query.seed_width = 1;
        options.seed = jc_array_2d(JC_F64, 4, 1, V);
        ok(jc_evaluate(e.graph, &query, &options, &results));
        ok(jc_results_get(results, 0, &r));
        cr_assert(r.rows == 3 && r.cols == 1);
        for (int64_t k = 0; k < 3; k++) cr_expect_eq(((const double *)r.data)[k * r.row_stride], -3);
        jc_results_destroy(results);
    }
    jc_graph_destroy(e.graph);
}

/* D = 3 I by callbacks; `user` counts the calls, and its sign says whether to fail. */
static int three_times(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx,
                       void *y, int64_t ldy, int accumulate)
{
    (void)direction;
    if (*(int *)user < 0) return 1;
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = 0; i < 4; i++) {
            double v = dtype == JC_F64 ? ((const double *)x)[j * ldx + i] : (double)((const float *)x)[j * ldx + i];
            double old = dtype == JC_F64 ? ((double *)y)[j * ldy + i] : (double)((float *)y)[j * ldy + i];
            double sum = (accumulate ? old : 0) + 3 * v;
            if (dtype == JC_F64)
                ((double *)y)[j * ldy + i] = sum;
            else
                ((float *)y)[j * ldy + i] = (float)sum;
        }
    return 0;
}

Test(use, callbacks_are_computed_with_and_may_fail_the_run)
{
    int state = 0;
    int64_t v, w, L;
    jc_graph *graph = NULL;
    ok(jc_graph_create(NULL, &graph));
    ok(jc_graph_add_variable(graph, "v", 4, &v));
    ok(jc_graph_add_variable(graph, "w", 4, &w));
    ok(jc_graph_add_variable(graph, "L", 1, &L));
    jc_jacobian op = JC_JACOBIAN_INIT(JC_OPERATOR), g = JC_JACOBIAN_INIT(JC_DENSE);
    op.op.apply = three_times;
    op.op.user = &state;
    g.values = jc_array_2d(JC_F64, 1, 4, A_data);
    ok(jc_graph_add_edge(graph, w, v, &op, NULL, 0));
    ok(jc_graph_add_edge(graph, w, v, &op, NULL, 0)); /* twice: 6 I */
    ok(jc_graph_add_edge(graph, L, w, &g, NULL, 0));
    ok(jc_graph_finish(graph));
    jc_query query = total_of(&L, &v);
    for (int i = 0; jc_backend_name(i); i++)
        for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++) {
            if (jc_backend_available(jc_backend_name(i))) continue;
            jc_evaluate_options options = options_for(jc_backend_name(i));
            jc_results *results = NULL;
            jc_result r;
            query.order = (jc_order)order;
            state = 0;
            ok(jc_evaluate(graph, &query, &options, &results));
            ok(jc_results_get(results, 0, &r));
            for (int64_t j = 0; j < 4; j++) cr_expect_eq(((const double *)r.data)[j * r.col_stride], 6 * A_data[j]);
            jc_results_destroy(results);
            state = -1;
            results = NULL;
            jc_status status = jc_evaluate(graph, &query, &options, &results);
            cr_expect(status != JC_OK, "%s", jc_backend_name(i));
            cr_expect(strstr(jc_last_error(), "w <- v"), "which operator failed: %s", jc_last_error());
            cr_expect_null(results);
        }
    jc_graph_destroy(graph);
}

Test(use, requests_that_do_not_apply_are_refused_with_their_reason)
{
    example e = make_example();
    jc_plan *plan = NULL;
    jc_results *results = NULL;
    jc_query query = total_of(&e.L, &e.w);
    int64_t nine = 9;
    query.struct_size = 0;
    REFUSED(jc_plan_create(e.graph, &query, &plan), JC_E_USAGE, "struct_size");
    query = total_of(&nine, &e.w);
    REFUSED(jc_plan_create(e.graph, &query, &plan), JC_E_USAGE, "9");
    query = total_of(&e.L, &e.w);
    query.n_of = 0;
    REFUSED(jc_plan_create(e.graph, &query, &plan), JC_E_USAGE, "target");
    query = total_of(&e.L, &e.w);
    query.order = (jc_order)(JC_ORDER_ELIMINATION + 1);
    REFUSED(jc_plan_create(e.graph, &query, &plan), JC_E_USAGE, "no such order");
    query.order = JC_ORDER_AUTO;
    jc_evaluate_options options = options_for("abacus");
    REFUSED(jc_evaluate(e.graph, &query, &options, &results), JC_E_UNAVAILABLE, "abacus");
    options = options_for("reference");
    options.program.precision = JC_PRECISION_BF16;
    REFUSED(jc_evaluate(e.graph, &query, &options, &results), JC_E_USAGE, "");
    options = options_for("reference");
    options.program.memory_limit = 1;
    REFUSED(jc_evaluate(e.graph, &query, &options, &results), JC_E_LIMIT, "1 bytes");
    options = options_for(NULL);
    query.seed = JC_SEED_ROWS, query.seed_width = 1;
    REFUSED(jc_evaluate(e.graph, &query, &options, &results), JC_E_USAGE, "seed");
    options.seed = jc_array_2d(JC_F64, 1, 3, A_data);
    REFUSED(jc_evaluate(e.graph, &query, &options, &results), JC_E_INPUT, "1 x 3");
    cr_expect_null(plan);
    cr_expect_null(results);
    REFUSED(jc_backend_available("abacus"), JC_E_UNAVAILABLE, "abacus");
    jc_graph_destroy(e.graph);
    jc_graph *open = NULL;
    ok(jc_graph_create(NULL, &open));
    query = total_of(&e.L, &e.w);
    REFUSED(jc_plan_create(open, &query, &plan), JC_E_USAGE, "finish");
    jc_graph_destroy(open);
}

Test(use, structures_of_information_say_their_size)
{
    example e = make_example();
    jc_query query = total_of(&e.L, &e.w);
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_results *results = NULL;
    jc_check_report *report = NULL;
    ok(jc_plan_create(e.graph, &query, &plan));
    ok(jc_program_create(plan, NULL, &program));
    ok(jc_evaluate(e.graph, &query, NULL, &results));
    ok(jc_check(e.graph, &query, NULL, &report));
    jc_plan_info plan_info = {0};
    jc_program_info program_info = {0};
    jc_results_info results_info = {0};
    jc_check_summary summary = {0};
    jc_result result;
    jc_check_total total;
    REFUSED(jc_plan_get_info(plan, &plan_info), JC_E_USAGE, "struct_size");
    REFUSED(jc_program_get_info(program, &program_info), JC_E_USAGE, "struct_size");
    REFUSED(jc_results_get_info(results, &results_info), JC_E_USAGE, "struct_size");
    REFUSED(jc_check_get_summary(report, &summary), JC_E_USAGE, "struct_size");
    REFUSED(jc_results_get(results, 1, &result), JC_E_USAGE, "1");
    REFUSED(jc_results_get(results, -1, &result), JC_E_USAGE, "-1");
    REFUSED(jc_check_get_total(report, 1, &total), JC_E_USAGE, "1");
    summary.struct_size = sizeof summary;
    ok(jc_check_get_summary(report, &summary));
    cr_expect_eq(summary.verdict, JC_PASSED);
    jc_check_destroy(report);
    jc_results_destroy(results);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_graph_destroy(e.graph);
}

Test(use, nothing_is_destroyed_without_harm)
{
    jc_graph_destroy(NULL);
    jc_plan_destroy(NULL);
    jc_program_destroy(NULL);
    jc_run_destroy(NULL);
    jc_results_destroy(NULL);
    jc_check_destroy(NULL);
}

Test(use, every_status_has_name_text_and_exit_code)
{
    static const struct {
        jc_status status;
        const char *name;
        int code;
    } all[] = {{JC_OK, "JC_OK", 0},
               {JC_E_USAGE, "JC_E_USAGE", 2},
               {JC_E_INPUT, "JC_E_INPUT", 3},
               {JC_E_DEVICE, "JC_E_DEVICE", 4},
               {JC_E_OUTPUT, "JC_E_OUTPUT", 4},
               {JC_E_UNAVAILABLE, "JC_E_UNAVAILABLE", 4},
               {JC_E_MEMORY, "JC_E_MEMORY", 5},
               {JC_E_LIMIT, "JC_E_LIMIT", 5},
               {JC_E_INTERNAL, "JC_E_INTERNAL", 4}};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        cr_expect_str_eq(jc_status_name(all[i].status), all[i].name);
        cr_expect_eq(jc_status_exit_code(all[i].status), all[i].code);
        cr_expect(strlen(jc_status_text(all[i].status)) > 3);
    }
    cr_expect_str_eq(jc_version(), JACCHAIN_VERSION);
}

static void *fail_elsewhere(void *words)
{
    jc_graph *graph = NULL;
    jc_graph_create(NULL, &graph);
    jc_graph_add_variable(graph, "elsewhere", -5, NULL);
    snprintf(words, 256, "%s", jc_last_error());
    jc_graph_destroy(graph);
    return NULL;
}

Test(use, each_thread_has_its_own_last_error)
{
    char words[256] = "";
    pthread_t thread;
    jc_graph *graph = NULL;
    ok(jc_graph_create(NULL, &graph));
    cr_assert_eq(jc_graph_add_variable(graph, "here", -1, NULL), JC_E_INPUT);
    cr_assert_eq(pthread_create(&thread, NULL, fail_elsewhere, words), 0);
    pthread_join(thread, NULL);
    cr_expect(strstr(jc_last_error(), "here"), "%s", jc_last_error());
    cr_expect(strstr(words, "elsewhere"), "%s", words);
    jc_graph_destroy(graph);
}

enum { N_THREADS = 4 };

typedef struct user {
    const example *e;
    int wrong;
} user;

static void *evaluate_often(void *ctx)
{
    user *u = ctx;
    jc_query query = total_of(&u->e->L, &u->e->w);
    for (int i = 0; i < 20; i++) {
        jc_evaluate_options options = options_for(i % 2 ? "cpu" : "reference");
        options.program.threads = 1 + i % 3;
        jc_results *results = NULL;
        jc_result r;
        if (jc_evaluate(u->e->graph, &query, &options, &results) || jc_results_get(results, 0, &r)) {
            u->wrong++;
            continue;
        }
        for (int64_t j = 0; j < 4; j++) u->wrong += ((const double *)r.data)[j * r.col_stride] != gA[j];
        jc_results_destroy(results);
    }
    return NULL;
}

Test(use, a_finished_graph_is_shared_by_threads)
{
    example e = make_example();
    pthread_t threads[N_THREADS];
    user users[N_THREADS];
    for (int t = 0; t < N_THREADS; t++) {
        users[t] = (user){&e, 0};
        cr_assert_eq(pthread_create(&threads[t], NULL, evaluate_often, &users[t]), 0);
    }
    for (int t = 0; t < N_THREADS; t++) {
        pthread_join(threads[t], NULL);
        cr_expect_eq(users[t].wrong, 0);
    }
    jc_graph_destroy(e.graph);
}
