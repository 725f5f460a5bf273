/* Documents whose answers other systems have computed. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "support/compute.h"
#include "support/expected.h"
#include "support/floats.h"
#include "support/sanitized.h"

static jc_graph *load(const char *path)
{
    jc_graph *graph = NULL;
    jt_ok(jc_graph_load(path, NULL, &graph), path);
    return graph;
}

static int64_t variable(const jc_graph *graph, const char *name)
{
    int64_t v = jc_graph_find_variable(graph, name);
    cr_assert_geq(v, 0, "there is no variable %s", name);
    return v;
}

/* Ends of "dL/dw". */
static void parse_pair(const jc_graph *graph, const char *key, int64_t *of, int64_t *wrt)
{
    char name[64];
    const char *slash = strstr(key, "/d");
    cr_assert(key[0] == 'd' && slash && strlen(key) < sizeof name);
    snprintf(name, sizeof name, "%.*s", (int)(slash - key - 1), key + 1);
    *of = variable(graph, name);
    *wrt = variable(graph, slash + 2);
}

static jt_results totals(jt_pool *pool, const jc_graph *graph, const int64_t *of, int64_t n_of, const int64_t *wrt,
                         int64_t n_wrt, jc_order order, const jt_backend *backend)
{
    jc_query q = JC_QUERY_INIT;
    q.of = of, q.n_of = n_of, q.wrt = wrt, q.n_wrt = n_wrt, q.order = order;
    return jt_compute(pool, graph, &q, backend, NULL);
}

/* ---- post: integers ---------------------------------------------------------------------------------------------- */

static void check_integers(const jt_result *r, json_t *matrix, const char *what)
{
    cr_assert_eq((int64_t)json_array_size(matrix), r->rows);
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) {
            double expected = (double)json_integer_value(json_array_get(json_array_get(matrix, (size_t)i), (size_t)j));
            if (r->real)
                cr_assert_eq(r->real[i * r->cols + j], expected, "%s: entry %lld", what, (long long)j);
            else
                cr_assert_eq(r->modulo[i * r->cols + j],
                             expected < 0 ? (UINT64_C(1) << 61) - 1 - (uint64_t)-expected : (uint64_t)expected);
        }
}

Test(known, post_has_exactly_its_integers_in_both_orders_on_every_backend)
{
    jc_graph *graph = load(JC_EXAMPLES "/post.json");
    json_t *expected = jt_json(JC_EXAMPLES "/post.expected.json"), *matrix;
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends), checked = 0;
    const char *key;
    for (int b = 0; b < n; b++)
        for (jc_order order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++)
            json_object_foreach(expected, key, matrix)
            {
                jt_pool pool = {0};
                int64_t of, wrt;
                parse_pair(graph, key, &of, &wrt);
                jt_results r = totals(&pool, graph, &of, 1, &wrt, 1, order, &backends[b]);
                check_integers(&r.result[0], matrix, key);
                jt_pool_free(&pool);
                checked++;
            }
    cr_assert_eq(checked, 15 * n);
    json_decref(expected);
    jc_graph_destroy(graph);
}

/* ---- digits_rnn: PyTorch's gradients ----------------------------------------------------------------------------- */

#define RNN JC_EXAMPLES "/digits_rnn"

static void check_tensor(jt_pool *pool, const char *file, const char *name, const jt_result *r, double most,
                         const char *how)
{
    int64_t n;
    double *expected = jt_expected_tensor(pool, file, name, &n);
    cr_assert_eq(r->rows * r->cols, n, "%s: shape", name);
    for (int64_t i = 0; i < n; i++)
        cr_assert_leq(fabs(r->real[i] - expected[i]), most, "%s, %s: entry %lld is %.17g, expected %.17g", how, name,
                      (long long)i, r->real[i], expected[i]);
}

/* Every tensor of the file with double precision on one backend, in reverse. */
static void check_rnn_reverse(const jc_graph *graph, const jt_backend *backend)
{
    jt_pool pool = {0};
    json_t *header = jt_expected_header(RNN ".expected.safetensors"), *tensor;
    int64_t of = variable(graph, "L"), wrt[32], n = 0;
    const char *key, *names[32];
    json_object_foreach(header, key, tensor)
    {
        int64_t target;
        if (!strcmp(key, "__metadata__")) continue;
        cr_assert_lt(n, 32);
        parse_pair(graph, key, &target, &wrt[n]);
        cr_assert_eq(target, of);
        names[n++] = key;
    }
    cr_assert_eq(n, 13);
    jt_results r = totals(&pool, graph, &of, 1, wrt, n, JC_ORDER_REVERSE, backend);
    for (int64_t i = 0; i < n; i++)
        check_tensor(&pool, RNN ".expected.safetensors", names[i], &r.result[i], 1e-14, backend->name);
    json_decref(header);
    jt_pool_free(&pool);
}

static bool is_double(const jt_backend *b)
{
    return !jt_is_exact(b) && b->precision == JC_PRECISION_F64;
}

Test(known, digits_rnn_reverse_agrees_with_pytorch_in_every_tensor)
{
    jc_graph *graph = load(RNN ".json");
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int b = 0; b < n; b++)
        if (is_double(&backends[b])) check_rnn_reverse(graph, &backends[b]);
    jc_graph_destroy(graph);
}

Test(known, digits_rnn_forward_agrees_with_pytorch_in_the_parameters)
{
    static const char *const names[] = {"W_in", "W_rec", "b", "W_out", "c"};
    jc_graph *graph = load(RNN ".json");
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    int64_t of = variable(graph, "L");
    for (int b = 0; b < n; b++)
        /* c has the fewest columns, W_in and W_rec have most, which the plain loops take long for */
        for (int i = JT_SANITIZED                            ? 4
                     : strcmp(backends[b].name, "reference") ? 0
                                                             : 2;
             i < 5 && is_double(&backends[b]); i++) {
            jt_pool pool = {0};
            char key[64];
            int64_t wrt = variable(graph, names[i]);
            snprintf(key, sizeof key, "dL/d%s", names[i]);
            jt_results r = totals(&pool, graph, &of, 1, &wrt, 1, JC_ORDER_FORWARD, &backends[b]);
            check_tensor(&pool, RNN ".expected.safetensors", key, &r.result[0], 1e-14, backends[b].name);
            jt_pool_free(&pool);
        }
    jc_graph_destroy(graph);
}

Test(known, digits_rnn_passes_its_check_in_single_precision)
{
    jc_graph *graph = load(RNN ".json");
    int64_t of = variable(graph, "L");
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1;
    for (int b = 0; jc_backend_name(b); b++) {
        if (jc_backend_available(jc_backend_name(b))) continue;
        jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
        options.backend = jc_backend_name(b);
        options.precision = JC_PRECISION_F32;
        jc_check_report *report;
        jc_check_summary summary = {.struct_size = sizeof summary};
        jt_ok(jc_check(graph, &q, &options, &report), "check");
        jt_ok(jc_check_get_summary(report, &summary), "summary");
        cr_assert_eq(summary.verdict, JC_PASSED, "%s: ratio %g", options.backend, summary.ratio);
        jc_check_destroy(report);
    }
    jc_graph_destroy(graph);
}

/* ---- lsnn: a spiking network's gradients, by a separate scalar program ------------------------------------------- */

#define LSNN JC_EXAMPLES "/lsnn"

static double largest_difference(jt_pool *pool, const char *name, const jt_result *r)
{
    int64_t n;
    double *expected = jt_expected_tensor(pool, LSNN ".expected.safetensors", name, &n), most = 0;
    cr_assert_eq(n, r->rows * r->cols);
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(r->real[i] - expected[i]));
    return most;
}

Test(known, lsnn_agrees_with_backpropagation_through_time_and_not_with_eprop)
{
    jc_graph *graph = load(LSNN ".json");
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    int64_t of = variable(graph, "E"), wrt = variable(graph, "W_in");
    for (int b = 0; b < n; b++)
        for (jc_order order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION && is_double(&backends[b]); order++) {
            jt_pool pool = {0};
            jt_results r = totals(&pool, graph, &of, 1, &wrt, 1, order, &backends[b]);
            cr_assert_leq(largest_difference(&pool, "bptt:dE/dW_in", &r.result[0]), 1e-13, "%s", backends[b].name);
            cr_assert_geq(largest_difference(&pool, "eprop:dE/dW_in", &r.result[0]), 1e-3, "%s", backends[b].name);
            jt_pool_free(&pool);
        }
    jc_graph_destroy(graph);
}

/* ---- published costs --------------------------------------------------------------------------------------------- */

static int64_t find_all(const jc_graph *graph, json_t *names, int64_t *variables, int64_t capacity)
{
    size_t n = json_array_size(names);
    cr_assert_leq((int64_t)n, capacity);
    for (size_t i = 0; i < n; i++) variables[i] = variable(graph, json_string_value(json_array_get(names, i)));
    return (int64_t)n;
}

static jc_plan_info costs_of(const jc_graph *graph, const int64_t *of, int64_t n_of, const int64_t *wrt, int64_t n_wrt)
{
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan;
    jc_plan_info info = {.struct_size = sizeof info};
    q.of = of, q.n_of = n_of, q.wrt = wrt, q.n_wrt = n_wrt;
    jt_ok(jc_plan_create(graph, &q, &plan), "plan");
    jt_ok(jc_plan_get_info(plan, &info), "info");
    jc_plan_destroy(plan);
    return info;
}

Test(known, forward_and_reverse_elimination_cost_what_is_published)
{
    json_t *known = jt_json(JC_TEST_DATA "/elimination/known.json"), *entry;
    const char *name;
    int graphs = 0;
    json_object_foreach(known, name, entry)
    {
        char path[512];
        int64_t of[32], wrt[32];
        snprintf(path, sizeof path, "%s/elimination/%s.json", JC_TEST_DATA, name);
        jc_graph *graph = load(path);
        int64_t n_of = find_all(graph, json_object_get(entry, "of"), of, 32);
        int64_t n_wrt = find_all(graph, json_object_get(entry, "wrt"), wrt, 32);
        jc_plan_info info = costs_of(graph, of, n_of, wrt, n_wrt);
        cr_expect_eq(info.forward_cost, json_integer_value(json_object_get(entry, "forward")), "%s: forward %lld", name,
                     (long long)info.forward_cost);
        cr_expect_eq(info.reverse_cost, json_integer_value(json_object_get(entry, "reverse")), "%s: reverse %lld", name,
                     (long long)info.reverse_cost);
        jc_graph_destroy(graph);
        graphs++;
    }
    cr_assert_eq(graphs, 10);
    json_decref(known);
}

static int no_numbers(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx,
                      void *y, int64_t ldy, int accumulate)
{
    (void)user, (void)direction, (void)dtype, (void)k, (void)x, (void)ldx, (void)y, (void)ldy, (void)accumulate;
    return 1;
}

/* A chain of factors [n, m, E], the first nearest the source: an m x n operator of E multiply-adds a column or row. */
static jc_graph *chain_graph(json_t *chain)
{
    jc_graph *graph;
    size_t n = json_array_size(chain);
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (size_t i = 0; i <= n; i++) {
        char name[32];
        int64_t number;
        snprintf(name, sizeof name, "x%zu", i);
        json_t *factor = json_array_get(chain, i < n ? i : n - 1);
        jt_ok(jc_graph_add_variable(graph, name, json_integer_value(json_array_get(factor, i < n ? 0 : 1)), &number),
              name);
    }
    for (size_t i = 0; i < n; i++) {
        jc_jacobian op = JC_JACOBIAN_INIT(JC_OPERATOR);
        int64_t cost = json_integer_value(json_array_get(json_array_get(chain, i), 2));
        op.op = (jc_operator){no_numbers, NULL, cost, cost, cost};
        jt_ok(jc_graph_add_edge(graph, (int64_t)i + 1, (int64_t)i, &op, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

Test(known, sweeps_of_matrix_free_chains_cost_what_is_published)
{
    FILE *f = fopen(JC_TEST_DATA "/chains.jsonl", "r");
    char line[4096];
    int chains = 0;
    cr_assert(f);
    while (fgets(line, sizeof line, f)) {
        json_t *entry = json_loads(line, 0, NULL), *chain = json_object_get(entry, "chain");
        cr_assert(chain, "line %d", chains + 1);
        jc_graph *graph = chain_graph(chain);
        int64_t wrt = 0, of = (int64_t)json_array_size(chain);
        jc_plan_info info = costs_of(graph, &of, 1, &wrt, 1);
        cr_expect_eq(info.forward_cost, json_integer_value(json_object_get(entry, "tangent")), "line %d", chains + 1);
        cr_expect_eq(info.reverse_cost, json_integer_value(json_object_get(entry, "adjoint")), "line %d", chains + 1);
        jc_graph_destroy(graph);
        json_decref(entry);
        chains++;
    }
    fclose(f);
    cr_assert_eq(chains, 200);
}

/* ---- digits24: images in F16 ------------------------------------------------------------------------------------- */

enum { IMAGES = 24, PIXELS = 64, DIGITS = 10 };

/* sum[j] = the images' pixel j, all of them, read by the tests' own few lines: the data are the end of the file. */
static void sum_images(const char *path, double sum[PIXELS])
{
    unsigned char bytes[IMAGES * PIXELS * 2];
    FILE *f = fopen(path, "rb");
    cr_assert(f && fseek(f, -(long)sizeof bytes, SEEK_END) == 0);
    cr_assert_eq(fread(bytes, 1, sizeof bytes, f), sizeof bytes);
    fclose(f);
    memset(sum, 0, PIXELS * sizeof *sum);
    for (int i = 0; i < IMAGES * PIXELS; i++)
        sum[i % PIXELS] += jt_float_of_f16((unsigned)(bytes[2 * i] | bytes[2 * i + 1] << 8));
}

Test(known, the_sum_of_real_images_in_f16_is_exact_on_every_backend)
{
    double sum[PIXELS], all = 0;
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    jc_graph *graph = load(JC_TEST_DATA "/digits24.json");
    int64_t of = variable(graph, "sum"), wrt = variable(graph, "W");
    sum_images(JC_TEST_DATA "/digits24.safetensors", sum);
    for (int j = 0; j < PIXELS; j++) all += sum[j];
    cr_assert(all > 1000 && sum[2] != sum[3]);
    for (int b = 0; b < n; b++)
        for (jc_order order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++) {
            jt_pool pool = {0};
            jt_results results = totals(&pool, graph, &of, 1, &wrt, 1, order, &backends[b]);
            const jt_result *r = jt_find(&results, of, wrt);
            for (int i = 0; i < DIGITS * DIGITS * PIXELS; i++) {
                double expected = i / (DIGITS * PIXELS) == i / PIXELS % DIGITS ? sum[i % PIXELS] : 0;
                double got = r->real ? r->real[i] : (double)r->modulo[i];
                cr_assert_eq(got, expected, "%s: entry %d is %g, expected %g", backends[b].name, i, got, expected);
            }
            jt_pool_free(&pool);
        }
    jc_graph_destroy(graph);
}
