/* What is special to the host backend: its loops of fixed size, its threads, its drawn-together rank updates, its
 * memory. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "backend/cpu/internal.h"
#include "core/dtype.h"
#include "jacchain.h"
#include "support/compute.h"
#include "support/pool.h"

static uint64_t state = 88172645463325252u;

static double number(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (double)(int64_t)(state % 2001) / 1000 - 1;
}

/* What the Jacobians of a test borrow: freed after it. */
static jt_pool pool;

static void free_pool(void)
{
    jt_pool_free(&pool);
}

TestSuite(cpu, .fini = free_pool);

static double *numbers(int64_t n)
{
    double *x = jt_alloc(&pool, n, sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = number();
    return x;
}

static float *floats(int64_t n)
{
    float *x = jt_alloc(&pool, n, sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (float)number();
    return x;
}

static void ok(jc_status status)
{
    cr_assert_eq(status, JC_OK, "%s: %s", jc_status_name(status), jc_last_error());
}

/* ---- loops of fixed size ---- */

/* x, d, y in `dtype` at any alignment of d, against plain sums in double. */
static void check_fixed(const jc_cpu_unit *unit, const jc_cpu_fixed *fixed, jc_dtype dtype, int direction, bool add)
{
    int64_t n = fixed->size, bytes = dtype == JC_F64 ? 8 : 4;
    double *x = numbers(n), *d = numbers(n * n), *y = numbers(n);
    unsigned char *stored_x = malloc((size_t)(n * bytes)), *stored_y = malloc((size_t)(n * bytes));
    unsigned char *raw = malloc((size_t)(n * n * bytes) + 1), *stored_d = raw + 1;
    for (int64_t i = 0; i < n * n; i++) {
        float f = (float)d[i];
        memcpy(stored_d + i * bytes, dtype == JC_F64 ? (void *)&d[i] : (void *)&f, (size_t)bytes);
        if (dtype == JC_F32) d[i] = f;
    }
    for (int64_t i = 0; i < n; i++) {
        float f = (float)x[i], g = (float)y[i];
        memcpy(stored_x + i * bytes, dtype == JC_F64 ? (void *)&x[i] : (void *)&f, (size_t)bytes);
        memcpy(stored_y + i * bytes, dtype == JC_F64 ? (void *)&y[i] : (void *)&g, (size_t)bytes);
        if (dtype == JC_F32) x[i] = f, y[i] = g;
    }
    fixed->apply[direction](stored_x, stored_d, stored_y, add);
    double u = dtype == JC_F64 ? 0x1p-53 : 0x1p-24;
    for (int64_t i = 0; i < n; i++) {
        double sum = add ? y[i] : 0, absolute = fabs(sum), got;
        for (int64_t j = 0; j < n; j++) {
            double term = x[j] * (direction == JC_TANGENT ? d[i * n + j] : d[j * n + i]);
            sum += term, absolute += fabs(term);
        }
        float f;
        memcpy(&f, stored_y + i * bytes, 4);
        if (dtype == JC_F64)
            memcpy(&got, stored_y + i * bytes, 8);
        else
            got = f;
        cr_assert(fabs(got - sum) <= (double)(n + 2) * u * absolute * 1.01,
                  "%s, direction %d, add %d: entry %lld is %g, not %g", fixed->routine, direction, add, (long long)i,
                  got, sum);
    }
    cr_assert_str_not_empty(unit->isa);
    free(stored_x), free(stored_y), free(raw);
}

Test(cpu, loops_of_fixed_size_agree_with_plain_sums_on_every_instruction_set)
{
    static const jc_dtype types[] = {JC_F64, JC_F32};
    int sets = 0;
    for (int t = 0; t < 2; t++) {
        const jc_cpu_unit *unit;
        for (int i = 0; (unit = jc_cpu_unit_at(types[t], i)); i++, sets++) {
            for (int k = 0; k < JC_CPU_FIXED_COUNT; k++)
                for (int way = 0; way < 4; way++) check_fixed(unit, &unit->fixed[k], types[t], way % 2, way / 2);
        }
    }
    cr_assert_geq(sets, 2);
}

/* ---- allocation, counted ---- */

typedef struct counter {
    int64_t held, calls;
} counter;

static void *count_alloc(void *ctx, size_t bytes)
{
    counter *c = ctx;
    c->held += (int64_t)bytes, c->calls++;
    return malloc(bytes ? bytes : 1);
}

static void count_free(void *ctx, void *ptr, size_t bytes)
{
    counter *c = ctx;
    if (ptr) c->held -= (int64_t)bytes;
    free(ptr);
}

/* ---- a graph with large, small and many products: w -> 60 hidden -> y -> L ---- */

enum { WIDE = 700, HIDDEN = 60 };

static jc_graph *mixed_graph(jc_allocator *allocator, int64_t *w, int64_t *L)
{
    jc_graph *g;
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    int64_t hidden[HIDDEN], y;
    ok(jc_graph_create(&options, &g));
    ok(jc_graph_add_variable(g, "w", WIDE, w));
    ok(jc_graph_add_variable(g, "y", WIDE, &y));
    ok(jc_graph_add_variable(g, "L", 3, L));
    for (int i = 0; i < HIDDEN; i++) {
        char name[16];
        snprintf(name, sizeof name, "h%d", i);
        ok(jc_graph_add_variable(g, name, 64, &hidden[i]));
        jc_jacobian in = JC_JACOBIAN_INIT(JC_DENSE), out = JC_JACOBIAN_INIT(JC_DENSE);
        in.values = jc_array_2d(JC_F32, 64, WIDE, floats(64 * WIDE));
        out.values = jc_array_2d(JC_F32, WIDE, 64, floats(64 * WIDE));
        ok(jc_graph_add_edge(g, hidden[i], *w, &in, NULL, 0));
        ok(jc_graph_add_edge(g, y, hidden[i], &out, NULL, 0));
    }
    jc_jacobian last = JC_JACOBIAN_INIT(JC_DENSE);
    last.values = jc_array_2d(JC_F32, 3, WIDE, floats(3 * WIDE));
    ok(jc_graph_add_edge(g, *L, y, &last, NULL, 0));
    ok(jc_graph_finish(g));
    return g;
}

static jc_run *make_run(jc_graph *g, int64_t of, int64_t wrt, jc_order order, int threads, jc_plan **plan,
                        jc_program **program)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = order;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.backend = "cpu", options.threads = threads;
    jc_run *run;
    ok(jt_plan_create(g, &q, 0, plan));
    ok(jc_program_create(*plan, &options, program));
    ok(jc_run_create(*program, &run));
    return run;
}

/* The result as contiguous doubles. */
static double *values_of(jc_run *run)
{
    jc_result r;
    ok(jc_run_result(run, 0, &r));
    double *v = jt_alloc(&pool, r.rows * r.cols, sizeof *v);
    for (int64_t i = 0; i < r.rows * r.cols; i++)
        v[i] = jc_load_float(r.dtype, r.data, i / r.cols * r.row_stride + i % r.cols * r.col_stride);
    return v;
}

Test(cpu, repetitions_give_the_same_bits_and_thread_counts_agree_within_roundoff)
{
    int64_t w, L;
    jc_graph *g = mixed_graph(NULL, &w, &L);
    for (jc_order order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++) {
        double *one = NULL;
        for (int threads = 1; threads <= 5; threads++) {
            jc_plan *plan;
            jc_program *program;
            jc_run *run = make_run(g, L, w, order, threads, &plan, &program);
            ok(jc_run_execute(run));
            double *first = values_of(run), largest = 0;
            for (int again = 0; again < 4; again++) {
                ok(jc_run_execute(run));
                double *next = values_of(run);
                cr_assert(!memcmp(first, next, 3 * WIDE * sizeof *next), "%d threads", threads);
            }
            if (!one) one = first;
            for (int i = 0; i < 3 * WIDE; i++) largest = fmax(largest, fabs(one[i]));
            for (int i = 0; i < 3 * WIDE; i++)
                cr_assert(fabs(first[i] - one[i]) <= 1e-5 * largest, "%d threads: %g, %g", threads, first[i], one[i]);
            cr_assert_gt(largest, 1);
            jc_run_destroy(run), jc_program_destroy(program), jc_plan_destroy(plan);
        }
    }
    jc_graph_destroy(g);
}

Test(cpu, a_run_allocates_its_peak_bytes_and_nothing_while_it_executes)
{
    counter count = {0};
    jc_allocator allocator = {&count, count_alloc, count_free};
    int64_t w, L;
    jc_graph *g = mixed_graph(&allocator, &w, &L);
    for (int threads = 1; threads <= 3; threads++) {
        jc_plan *plan;
        jc_program *program;
        jc_query q = JC_QUERY_INIT;
        q.of = &L, q.n_of = 1, q.wrt = &w, q.n_wrt = 1, q.order = JC_ORDER_REVERSE;
        jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
        options.backend = "cpu", options.threads = threads;
        ok(jc_plan_create(g, &q, &plan));
        ok(jc_program_create(plan, &options, &program));
        jc_program_info info = {.struct_size = sizeof info};
        ok(jc_program_get_info(program, &info));
        jc_run run = {.program = program};
        int64_t before = count.held;
        ok(program->backend->open(&run));
        cr_assert_eq(count.held - before, info.peak_bytes, "%d threads: %lld, told %lld", threads,
                     (long long)(count.held - before), (long long)info.peak_bytes);
        int64_t calls = count.calls;
        jc_pass all = {0, 0};
        ok(program->backend->execute(&run, &all));
        cr_assert_eq(count.calls, calls);
        program->backend->close(&run);
        cr_assert_eq(count.held, before);
        jc_program_destroy(program), jc_plan_destroy(plan);
    }
    jc_graph_destroy(g);
    cr_assert_eq(count.held, 0);
}

/* ---- many small products in a level, edges numbered in any order ---- */

enum { LOW = 12, HIGH = 20, SMALL = 16, WEB = HIGH + LOW * HIGH };

/* L <- y_0 .. y_19 <- x_0 .. x_11, all joined, of small integers; edge k is the order[k]-th of the list. */
static jc_graph *web(const int *order, int64_t *x, int64_t *L)
{
    jc_graph *g;
    int64_t y[HIGH];
    ok(jc_graph_create(NULL, &g));
    ok(jc_graph_add_variable(g, "L", 1, L));
    for (int i = 0; i < HIGH + LOW; i++) {
        char name[8];
        snprintf(name, sizeof name, "%c%d", i < HIGH ? 'y' : 'x', i);
        ok(jc_graph_add_variable(g, name, SMALL, i < HIGH ? &y[i] : &x[i - HIGH]));
    }
    for (int k = 0; k < WEB; k++) {
        int e = order[k], to = e < HIGH ? 0 : (e - HIGH) / LOW, from = e < HIGH ? 0 : (e - HIGH) % LOW;
        int64_t rows = e < HIGH ? 1 : SMALL;
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        float *d = floats(rows * SMALL);
        for (int64_t i = 0; i < rows * SMALL; i++) d[i] = rintf(2 * d[i]);
        j.values = jc_array_2d(JC_F32, rows, SMALL, d);
        ok(e < HIGH ? jc_graph_add_edge(g, *L, y[e], &j, NULL, 0) : jc_graph_add_edge(g, y[to], x[from], &j, NULL, 0));
    }
    ok(jc_graph_finish(g));
    return g;
}

/* All dL/dx by a backend, in a row. */
static double *web_totals(const jc_graph *g, const int64_t *x, int64_t L, const char *backend, int threads)
{
    double *totals = jt_alloc(&pool, LOW * SMALL, sizeof *totals);
    jc_query q = JC_QUERY_INIT;
    q.of = &L, q.n_of = 1, q.wrt = x, q.n_wrt = LOW, q.order = JC_ORDER_REVERSE;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    options.program.backend = backend, options.program.threads = threads;
    jc_results *results;
    ok(jc_evaluate(g, &q, &options, &results));
    for (int i = 0; i < LOW; i++) {
        jc_result r;
        ok(jc_results_get(results, i, &r));
        for (int k = 0; k < SMALL; k++) totals[i * SMALL + k] = jc_load_float(r.dtype, r.data, k);
    }
    jc_results_destroy(results);
    return totals;
}

Test(cpu, small_products_of_a_level_add_up_however_edges_are_numbered)
{
    for (int shuffle = 0; shuffle < 3; shuffle++) {
        int order[WEB];
        int64_t x[LOW], L;
        for (int k = 0; k < WEB; k++) order[k] = shuffle == 1 ? WEB - 1 - k : k;
        for (int k = WEB - 1; k > 0 && shuffle == 2; k--) {
            int other = (int)(fabs(number()) * 1e6) % (k + 1), was = order[k];
            order[k] = order[other], order[other] = was;
        }
        jc_graph *g = web(order, x, &L);
        double *expected = web_totals(g, x, L, "reference", 1);
        for (int threads = 1; threads <= 3; threads++) {
            double *got = web_totals(g, x, L, "cpu", threads);
            for (int i = 0; i < LOW * SMALL; i++)
                cr_assert_eq(got[i], expected[i], "numbering %d, %d threads: entry %d is %g, not %g", shuffle, threads,
                             i, got[i], expected[i]);
        }
        jc_graph_destroy(g);
    }
}

/* ---- rank updates of one weight over time ---- */

typedef struct routine_seen {
    const char *begins;
    int64_t count;
} routine_seen;

static jc_status note_routine(void *ctx, const jc_batch *batch)
{
    routine_seen *seen = ctx;
    if (!strncmp(batch->routine, seen->begins, strlen(seen->begins))) seen->count += batch->count;
    return JC_OK;
}

/* L[2] <- y_t[c h] <- W[h w] for `steps` t, and once L <- W directly; against sums written out in double. */
static void check_weights(int64_t c, int64_t h, int64_t w, int steps, jc_dtype dtype, int threads)
{
    jc_graph *g;
    int64_t W, L;
    ok(jc_graph_create(NULL, &g));
    ok(jc_graph_add_variable(g, "W", h * w, &W));
    ok(jc_graph_add_variable(g, "L", 2, &L));
    double *expected = calloc((size_t)(2 * h * w), sizeof *expected),
           *absolute = calloc((size_t)(2 * h * w), sizeof *absolute);
    for (int t = 0; t < steps; t++) {
        char name[16];
        int64_t y;
        snprintf(name, sizeof name, "y%d", t);
        ok(jc_graph_add_variable(g, name, c * h, &y));
        double *x = numbers(c * w), *out = numbers(2 * c * h);
        float *x32 = jt_alloc(&pool, c * w, sizeof *x32);
        for (int64_t i = 0; i < c * w; i++) {
            x32[i] = (float)x[i];
            if (dtype == JC_F32) x[i] = x32[i];
        }
        jc_jacobian in = JC_JACOBIAN_INIT(JC_WEIGHT), last = JC_JACOBIAN_INIT(JC_DENSE),
                    direct = JC_JACOBIAN_INIT(JC_DENSE);
        in.x = jc_array_2d(dtype, c, w, dtype == JC_F32 ? (void *)x32 : (void *)x);
        last.values = jc_array_2d(JC_F64, 2, c * h, out);
        ok(jc_graph_add_edge(g, y, W, &in, NULL, 0));
        ok(jc_graph_add_edge(g, L, y, &last, NULL, 0));
        for (int64_t at = 0; at < 2 * h * w; at++) {
            int64_t l = at / (h * w), i = at / w % h, j = at % w;
            for (int64_t a = 0; a < c; a++) {
                double term = out[l * c * h + a * h + i] * x[a * w + j];
                expected[at] += term, absolute[at] += fabs(term);
            }
        }
        if (t != steps / 2) continue;
        double *more = numbers(2 * h * w);
        direct.values = jc_array_2d(JC_F64, 2, h * w, more);
        ok(jc_graph_add_edge(g, L, W, &direct, NULL, 0));
        for (int64_t at = 0; at < 2 * h * w; at++) expected[at] += more[at], absolute[at] += fabs(more[at]);
    }
    ok(jc_graph_finish(g));
    jc_plan *plan;
    jc_program *program;
    jc_run *run = make_run(g, L, W, JC_ORDER_REVERSE, threads, &plan, &program);
    routine_seen seen = {"packed", 0};
    ok(jc_program_batches(program, note_routine, &seen));
    cr_assert_eq(seen.count, steps > 1 && c <= 128 ? steps : 0);
    ok(jc_run_execute(run));
    double *got = values_of(run);
    for (int64_t at = 0; at < 2 * h * w; at++)
        cr_assert(fabs(got[at] - expected[at]) <= 0x1p-53 * (double)(c * steps + 4) * absolute[at],
                  "c %lld, h %lld, w %lld, %d steps, %d threads: entry %lld is %.17g, not %.17g", (long long)c,
                  (long long)h, (long long)w, steps, threads, (long long)at, got[at], expected[at]);
    jc_run_destroy(run), jc_program_destroy(program), jc_plan_destroy(plan), jc_graph_destroy(g);
    free(expected), free(absolute);
}

Test(cpu, rank_updates_of_one_weight_are_drawn_together_and_sum_as_they_should)
{
    for (int threads = 1; threads <= 3; threads++) {
        check_weights(1, 5, 7, 9, JC_F64, threads);
        check_weights(1, 32, 48, 700, JC_F64, threads); /* more samples than are packed at once */
        check_weights(3, 16, 9, 40, JC_F32, threads);
        check_weights(64, 32, 16, 8, JC_F64, threads);
        check_weights(128, 6, 5, 3, JC_F32, threads);
        check_weights(129, 4, 3, 5, JC_F64, threads);
        check_weights(2, 8, 8, 1, JC_F64, threads);
    }
}

/* ---- operators ---- */

static int returns_its_code(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx,
                            void *y, int64_t ldy, int accumulate)
{
    (void)direction, (void)dtype, (void)k, (void)x, (void)ldx, (void)y, (void)ldy, (void)accumulate;
    return *(int *)user;
}

Test(cpu, an_operator_that_fails_ends_the_run_with_its_edge_named)
{
    int64_t v[4];
    jc_graph *g;
    int code = 7;
    ok(jc_graph_create(NULL, &g));
    for (int i = 0; i < 4; i++) {
        char name[8];
        snprintf(name, sizeof name, "v%d", i);
        ok(jc_graph_add_variable(g, name, 600, &v[i]));
    }
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE), op = JC_JACOBIAN_INIT(JC_OPERATOR);
    dense.values = jc_array_2d(JC_F64, 600, 600, numbers(600 * 600));
    op.op.apply = returns_its_code, op.op.user = &code, op.op.tangent_cost = op.op.adjoint_cost = 360000;
    ok(jc_graph_add_edge(g, v[1], v[0], &dense, NULL, 0));
    ok(jc_graph_add_edge(g, v[2], v[1], &op, NULL, 0));
    ok(jc_graph_add_edge(g, v[3], v[2], &dense, NULL, 0));
    ok(jc_graph_finish(g));
    for (int threads = 1; threads <= 3; threads++) {
        jc_plan *plan;
        jc_program *program;
        jc_run *run = make_run(g, v[3], v[0], JC_ORDER_REVERSE, threads, &plan, &program);
        for (int again = 0; again < 3; again++) {
            code = 7;
            cr_assert_eq(jc_run_execute(run), JC_E_DEVICE);
            cr_assert(strstr(jc_last_error(), "v2 <- v1"), "%s", jc_last_error());
            cr_assert(strstr(jc_last_error(), "7"), "%s", jc_last_error());
            code = 0;
            ok(jc_run_execute(run));
        }
        jc_run_destroy(run), jc_program_destroy(program), jc_plan_destroy(plan);
    }
    jc_graph_destroy(g);
}
