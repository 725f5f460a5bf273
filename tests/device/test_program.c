/* What a program of the device says of itself, held against what the stand-in counts; reads of what is dead. */
#include <criterion/criterion.h>
#include <string.h>

#include "backend/cuda/internal.h"
#include "standin/device.h"
#include "support/compute.h"
#include "support/random_query.h"

/* ---- crossovers, routines ---------------------------------------------------------------------------------------- */

Test(device, every_crossover_has_a_value_and_says_where_it_is_from)
{
    for (int i = 0; i < JC_CUDA_CROSSOVERS; i++) {
        const jc_cuda_crossover *c = &jc_cuda_crossovers[i];
        cr_assert(c->between && strlen(c->between) > 10, "row %d", i);
        cr_assert(c->measured && strlen(c->measured) > 10, "%s", c->between);
        cr_assert_gt(c->value, 0, "%s", c->between);
    }
}

typedef struct machine {
    jt_graph g;
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
} machine;

static void machine_init(machine *m, uint64_t seed, int no_capture)
{
    static const jc_precision precisions[] = {JC_PRECISION_F64, JC_PRECISION_F32, JC_PRECISION_TF32, JC_PRECISION_BF16};
    jt_rng rng = {seed};
    jt_query q;
    jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .no_operators = true};
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_cuda_run_options run_options = JC_CUDA_RUN_OPTIONS_INIT;
    options.n_variables = seed % 6 ? 0 : 24;
    o.precision = precisions[seed % 4];
    run_options.no_capture = no_capture;
    jt_graph_random(&options, &m->g);
    jt_query_totals(&rng, &m->g, &q);
    jt_ok(jc_plan_create(m->g.graph, &q.query, &m->plan), "plan");
    jt_ok(jc_program_create_on(m->plan, &jt_standin_backend.base, &o, &m->program), "program");
    jt_ok(jc_cuda_run_create(m->program, &run_options, &m->run), "run");
}

static void machine_fini(machine *m)
{
    jc_run_destroy(m->run);
    jc_program_destroy(m->program);
    jc_plan_destroy(m->plan);
    jt_graph_fini(&m->g);
}

Test(device, the_predicted_peak_is_what_is_allocated_and_an_execution_neither_allocates_nor_waits)
{
    enum { GRAPHS = 120 };
    if (!jt_device_there() || jt_device_run()) return;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        machine m;
        jc_program_info info = {.struct_size = sizeof info};
        jt_device_begin(seed, NULL);
        machine_init(&m, seed, seed % 3 == 0);
        jt_ok(jc_program_get_info(m.program, &info), "info");
        jt_standin_run_begin();
        jt_ok(jc_cuda_execute(m.run, NULL), "execute");
        int64_t calls = jt_standin_run_end();
        jt_ok(jc_cuda_status(m.run), "status");
        cr_assert_eq(calls, 0, "seed %llu: %s", (unsigned long long)seed, jt_standin_first());
        jt_standin_memory use = jt_standin_memory_use();
        cr_assert_eq((int64_t)use.peak_bytes, info.peak_bytes, "seed %llu: %zu bytes, not %lld",
                     (unsigned long long)seed, use.peak_bytes, (long long)info.peak_bytes);
        machine_fini(&m);
        jt_device_end("a run");
    }
}

typedef struct rows {
    int64_t n;
    jc_batch batch[4096];
} rows;

static jc_status note_row(void *ctx, const jc_batch *batch)
{
    rows *r = ctx;
    if (r->n < (int64_t)(sizeof r->batch / sizeof *r->batch)) r->batch[r->n++] = *batch;
    return JC_OK;
}

/* The same plan gives the same program: routines, tables and bytes. */
static void expect_same_program(const machine *a, const machine *b)
{
    static rows x, y;
    x.n = y.n = 0;
    jt_ok(jc_program_batches(a->program, note_row, &x), "batches");
    jt_ok(jc_program_batches(b->program, note_row, &y), "batches");
    cr_assert_eq(x.n, y.n);
    for (int64_t i = 0; i < x.n; i++) {
        cr_assert(x.batch[i].routine && *x.batch[i].routine, "a batch without routine");
        cr_assert_str_eq(x.batch[i].routine, y.batch[i].routine);
    }
    const jc_cuda_program *p = a->program->impl, *q = b->program->impl;
    const jc_vec *tables[][2] = {{&p->terms, &q->terms}, {&p->tiles, &q->tiles}, {&p->phases, &q->phases}};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        size_t bytes = (size_t)tables[i][0]->count * tables[i][0]->element_bytes;
        cr_assert_eq(tables[i][0]->count, tables[i][1]->count);
        cr_assert(!bytes || !memcmp(tables[i][0]->data, tables[i][1]->data, bytes), "table %zu", i);
    }
    cr_assert_eq(a->program->peak_bytes, b->program->peak_bytes);
}

Test(device, a_plan_gives_the_same_program_every_time)
{
    enum { GRAPHS = 40 };
    if (!jt_device_there() || jt_device_run()) return;
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        machine first, again;
        jt_device_begin(seed, NULL);
        machine_init(&first, seed, 1);
        machine_init(&again, seed, 1);
        expect_same_program(&first, &again);
        machine_fini(&again);
        machine_fini(&first);
        jt_device_end("programs");
    }
}

/* ---- what is dead ------------------------------------------------------------------------------------------------ */

enum { SIZE = 8, DEPTH = 3 };

static int64_t element_of(const jc_program *program, int64_t v)
{
    return program->layout.offset[v] / program->layout.element_bytes;
}

/* The last product reads the value before the one it should: dead since the product before. */
static jc_status prepare_wrong(jc_program *program)
{
    jc_status status = jc_cuda_prepare(program);
    if (status) return status;
    const jc_cuda_program *impl = program->impl;
    jc_gpu_term *terms = impl->terms.data;
    int changed = 0;
    for (int64_t i = 0; i < impl->terms.count; i++)
        if (!terms[i].expand && terms[i].a == element_of(program, 1)) terms[i].a = element_of(program, 0), changed++;
    cr_assert_eq(changed, 1);
    return JC_OK;
}

/* v0 <- v1 <- v2 <- v3, all dense. */
static jc_graph *make_chain(const double *numbers)
{
    jc_graph *graph;
    int64_t v[DEPTH + 1];
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    for (int i = 0; i <= DEPTH; i++) {
        char name[] = {'v', (char)('0' + i), '\0'};
        jt_ok(jc_graph_add_variable(graph, name, SIZE, &v[i]), name);
    }
    for (int i = 0; i < DEPTH; i++) {
        jc_jacobian jac = JC_JACOBIAN_INIT(JC_DENSE);
        jac.values = jc_array_2d(JC_F64, SIZE, SIZE, numbers);
        jt_ok(jc_graph_add_edge(graph, v[i + 1], v[i], &jac, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

/* Runs the chain; returns how many reads of dead values there were. */
static int64_t dead_reads(const jc_backend *backend, uint64_t seed, int no_capture, int keep)
{
    static double numbers[SIZE * SIZE];
    int64_t of = DEPTH, wrt = 0;
    jc_query q = JC_QUERY_INIT;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_cuda_run_options run_options = JC_CUDA_RUN_OPTIONS_INIT;
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    for (int i = 0; i < SIZE * SIZE; i++) numbers[i] = 1 + i % 3;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = JC_ORDER_REVERSE;
    run_options.no_capture = no_capture, o.keep_adjoints = keep;
    jt_device_begin(seed, NULL);
    jc_graph *graph = make_chain(numbers);
    jt_ok(jc_plan_create(graph, &q, &plan), "plan");
    jt_ok(jc_program_create_on(plan, backend, &o, &program), "program");
    jt_ok(jc_cuda_run_create(program, &run_options, &run), "run");
    for (int i = 0; i < 2; i++) jt_ok(jc_run_execute(run), "execute");
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_graph_destroy(graph);
    int64_t found = jt_standin_found(JT_DEAD);
    cr_assert_eq(jt_standin_found_any(), found, "%s", jt_standin_first());
    jt_standin_forgive();
    jt_device_end("a chain");
    return found;
}

Test(device, a_read_of_a_dead_value_is_found)
{
    jc_cuda_backend wrong = jt_standin_backend;
    wrong.base.prepare = prepare_wrong;
    if (!jt_device_there() || jt_device_run()) return;
    for (uint64_t seed = 0; seed < 8; seed++)
        for (int no_capture = 0; no_capture < 2; no_capture++) {
            cr_assert_eq(dead_reads(&jt_standin_backend.base, seed, no_capture, 0), 0, "%s", jt_standin_first());
            cr_assert_gt(dead_reads(&wrong.base, seed, no_capture, 0), 0);
            cr_assert_eq(dead_reads(&wrong.base, seed, no_capture, 1), 0, "what is kept does not die");
        }
}

/* Everything that may die does, by the time of the last operation: values read by others that are no outputs. */
Test(device, all_but_outputs_die_in_a_program_without_walks)
{
    if (!jt_device_there() || jt_device_run()) return;
    for (uint64_t seed = 0; seed < 60; seed++) {
        machine m;
        jt_device_begin(seed, NULL);
        machine_init(&m, seed, 1);
        const jc_cuda_program *impl = m.program->impl;
        const jc_cuda_dead *dead = impl->dead.data;
        int64_t values = m.plan->n_values, outputs = 0, died = 0;
        bool *is_output = jt_alloc(&m.g.pool, values + 1, sizeof *is_output);
        for (int64_t i = 0; i < m.plan->n_outputs; i++)
            if (m.plan->outputs[i].kind == JC_OUTPUT_VALUE) is_output[m.plan->outputs[i].value] = true;
        for (int64_t v = 0; v < values; v++) outputs += is_output[v];
        for (int64_t i = 0; i < impl->dead.count; i++) died += dead[i].at < m.program->layout.arena_bytes;
        if (!impl->phases.count)
            cr_assert_eq(died, values - outputs, "seed %llu", (unsigned long long)seed);
        else
            cr_assert_leq(died, values - outputs, "seed %llu", (unsigned long long)seed);
        machine_fini(&m);
        jt_device_end("deaths");
    }
}

/* ---- callbacks that fail -------------------------------------------------------------------------------------------
 */

/* y_i = 3 x_i, unless it is told to fail. */
static int triple(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx, void *y,
                  int64_t ldy, int accumulate)
{
    const bool *fails = user;
    (void)direction, (void)dtype;
    if (*fails) return 41;
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = 0; i < ldx; i++) {
            double *to = (double *)y + j * ldy + i;
            *to = 3 * ((const double *)x)[j * ldx + i] + (accumulate ? *to : 0);
        }
    return 0;
}

/* The edge is named, and the run computes again when the callback does: the device has lost nothing. */
Test(device, a_callback_that_fails_fails_one_execution)
{
    enum { N = 4 };
    bool fails = true;
    int64_t w, y;
    jc_graph *graph;
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jc_result r;
    if (!jt_device_there() || jt_device_run()) return;
    jt_device_begin(1, NULL);
    jc_jacobian j = JC_JACOBIAN_INIT(JC_OPERATOR);
    j.op = (jc_operator){triple, &fails, N, N, 1};
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    jt_ok(jc_graph_add_variable(graph, "w", N, &w), "w");
    jt_ok(jc_graph_add_variable(graph, "y", N, &y), "y");
    jt_ok(jc_graph_add_edge(graph, y, w, &j, NULL, 0), "edge");
    jt_ok(jc_graph_finish(graph), "finish");
    jc_query q = JC_QUERY_INIT;
    q.of = &y, q.n_of = 1, q.wrt = &w, q.n_wrt = 1;
    jt_ok(jc_plan_create(graph, &q, &plan), "plan");
    jt_ok(jc_program_create_on(plan, &jt_standin_backend.base, NULL, &program), "program");
    jt_ok(jc_run_create(program, &run), "run");
    cr_assert_eq(jc_run_execute(run), JC_E_DEVICE);
    cr_assert(strstr(jc_last_error(), "edge y <- w") && strstr(jc_last_error(), "41"), "%s", jc_last_error());
    fails = false;
    jt_ok(jc_run_execute(run), "again");
    jt_ok(jc_run_result(run, 0, &r), "result");
    for (int64_t i = 0; i < N * N; i++) {
        double got = ((const double *)r.data)[i / N * r.row_stride + i % N * r.col_stride];
        cr_assert_eq(got, i / N == i % N ? 3.0 : 0.0, "entry %lld is %g", (long long)i, got);
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_graph_destroy(graph);
    jt_device_end("a failing callback");
}
