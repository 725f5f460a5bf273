/* What is told of long work: it grows, ends at its total, and tells nothing where nobody asks. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jacchain.h"

enum { DEPTH = 50, N = 6 };

typedef struct told {
    char unit[16];
    int64_t calls, done, total;
    bool fell; /* done went back, or beyond the total */
} told;

static void take(void *ctx, const char *unit, int64_t done, int64_t total)
{
    told *t = ctx;
    bool same = t->calls && !strcmp(t->unit, unit);
    t->fell |= (same && done < t->done) || done > total || done < 0;
    snprintf(t->unit, sizeof t->unit, "%s", unit);
    t->calls++;
    t->done = done;
    t->total = total;
}

static jc_graph *chain(void)
{
    static double numbers[N * N];
    jc_graph *g = NULL;
    int64_t v[DEPTH + 1];
    cr_assert_eq(jc_graph_create(NULL, &g), JC_OK);
    for (int k = 0; k < N * N; k++) numbers[k] = k % (N + 1) == 0;
    for (int i = 0; i <= DEPTH; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        cr_assert_eq(jc_graph_add_variable(g, name, N, &v[i]), JC_OK);
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = jc_array_2d(JC_F64, N, N, numbers);
        if (i) cr_assert_eq(jc_graph_add_edge(g, v[i], v[i - 1], &j, NULL, 0), JC_OK);
    }
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    return g;
}

static told evaluate(const char *backend, int64_t limit)
{
    told t = {.calls = 0};
    int64_t of = DEPTH, wrt = 0;
    jc_graph *g = chain();
    jc_query q = JC_QUERY_INIT;
    jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_results *r = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = JC_ORDER_REVERSE;
    o.program.backend = backend;
    o.program.threads = 1;
    o.program.memory_limit = limit;
    o.program.progress = (jc_progress){take, &t};
    cr_assert_eq(jc_evaluate(g, &q, &o, &r), JC_OK, "%s", jc_last_error());
    jc_results_destroy(r);
    jc_graph_destroy(g);
    return t;
}

/* The last thing told is all of `total`. */
static void expect_told(const told *t, const char *unit, int64_t least_calls, int64_t total)
{
    cr_expect_str_eq(t->unit, unit);
    cr_expect_eq(t->done, total);
    cr_expect_eq(t->total, total);
    cr_expect_geq(t->calls, least_calls);
    cr_expect_not(t->fell);
}

Test(progress, a_sweep_tells_of_its_products_or_values)
{
    told cpu = evaluate("cpu", 0), reference = evaluate("reference", 0);
    expect_told(&cpu, "products", DEPTH, DEPTH);
    expect_told(&reference, "values", DEPTH, DEPTH);
}

/* One row of the seed at a time: N passes, of which the sweeps inside say nothing. */
Test(progress, blocks_of_rows_are_told_as_rows)
{
    told whole = evaluate("reference", 0), t = evaluate("reference", 2 * N * 8 + 512);
    cr_expect_str_eq(whole.unit, "values");
    cr_expect_str_eq(t.unit, "rows");
    cr_expect_eq(t.done, N);
    cr_expect_eq(t.total, N);
    cr_expect_leq(t.calls, N);
    cr_expect_gt(t.calls, 1);
    cr_expect_not(t.fell);
}

Test(progress, a_check_tells_of_what_it_judges)
{
    told t = {.calls = 0};
    int64_t of = DEPTH, wrt = 0;
    jc_graph *g = chain();
    jc_query q = JC_QUERY_INIT;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_check_report *report = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    o.backend = "cpu";
    o.progress = (jc_progress){take, &t};
    cr_assert_eq(jc_check(g, &q, &o, &report), JC_OK);
    cr_expect_str_eq(t.unit, "values");
    cr_expect_eq(t.done, t.total);
    cr_expect_geq(t.calls, 4 * DEPTH); /* the backend, the reference, the absolute values, the judge */
    jc_check_destroy(report);
    jc_graph_destroy(g);
}
