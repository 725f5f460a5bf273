/* The memory limit: windows of seed rows give the numbers of the whole, within the bytes that are allowed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jacchain.h"

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
