/* The device backend on the stand-in, with crossovers, devices, runs and bindings drawn at random, so that small graphs
 * meet every routine, form and split: results against the reference backend, first with the graph's numbers, then with
 * others bound from the host and by addresses with gaps. JACCHAIN_TEST_CAMPAIGN=n looks at n cases of each sort. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/internal.h"
#include "backend/reference/absolute.h"
#include "core/dtype.h"
#include "core/size.h"
#include "property/web.h"
#include "standin/device.h"
#include "support/compute.h"
#include "support/random_query.h"
#include "support/sanitized.h"

/* ---- what was met ------------------------------------------------------------------------------------------------ */

enum { FORMS = 3 };

typedef struct met {
    int64_t bin[JC_CUDA_BINS];
    int64_t walks[2];                /* by one block, by a cluster */
    int64_t product[FORMS][2][2][3]; /* form, vector, numbers are operand B; f64, f32 or tf32, bf16 */
    int64_t converted[2];            /* numbers, values */
    int64_t narrow_as_they_lie;      /* BF16 numbers in bf16 products */
    int64_t members, later_waves, added, callbacks, parts;
    int64_t rebound[3]; /* by jc_cuda_rebind */
    int64_t by_address, from_host, delivered, captured;
    int64_t eliminations;          /* plans whose values are accumulated Jacobians */
    int64_t computed[JC_CSR + 1];  /* values as Jacobians, by kind */
    int64_t computed_calls[FORMS]; /* calls of cuBLAS with them */
} met;

static void note_products(const jc_cuda_program *impl, met *m)
{
    const jc_cuda_product *p = impl->products.data;
    for (int64_t i = 0; i < impl->products.count; i++) {
        const jc_gpu_product *c = &p[i].call;
        m->product[c->form][c->vector][p[i].numbers_are_b][c->in == JC_GPU_BF16 ? 2 : c->in == JC_GPU_F32]++;
        m->converted[0] += p[i].convert_numbers, m->converted[1] += p[i].convert_value;
        m->narrow_as_they_lie += c->in == JC_GPU_BF16 && !p[i].convert_numbers;
        m->members += p[i].member_step > 0;
        m->later_waves += p[i].wave > 0;
        m->added += c->beta > 0;
        m->computed_calls[c->form] += jc_cuda_operand_at(impl, p[i].operand)->computed;
    }
}

static void note_operands(const jc_program *program, met *m)
{
    const jc_cuda_program *impl = program->impl;
    for (int64_t i = 0; i < impl->operands.count; i++) {
        const jc_cuda_operand *o = jc_cuda_operand_at(impl, (int32_t)i);
        if (o->computed) m->computed[o->kind]++;
    }
    m->eliminations += program->plan->eliminates;
}

static void note_program(const jc_program *program, met *m)
{
    const jc_cuda_program *impl = program->impl;
    const jc_cuda_op *ops = impl->ops.data;
    const jc_gpu_tile *tiles = impl->tiles.data;
    for (int64_t i = 0; i < impl->ops.count; i++) {
        if (ops[i].kind == JC_CUDA_OP_GATHER) m->bin[ops[i].bin]++;
        if (ops[i].kind == JC_CUDA_OP_WALK) m->walks[ops[i].lanes > 1]++;
    }
    for (int64_t i = 0; i < impl->tiles.count; i++) m->parts += tiles[i].from > 0;
    m->callbacks += impl->callbacks.count;
    note_products(impl, m);
    note_operands(program, m);
}

/* ---- one case ---------------------------------------------------------------------------------------------------- */

typedef struct trial {
    bool sweeps;           /* not by elimination */
    uint64_t seed, favour; /* favour: 1 cuBLAS, 2 gathers in parts, 3 walks, 0: any */
    jt_rng rng;
    jc_cuda_backend backend;
    int64_t crossover[JC_CUDA_CROSSOVERS];
    jc_precision precision;
    jt_pool pool;
    const jc_graph *graph, *other; /* other numbers in the same structure, or NULL */
    jt_query q;
    double *S; /* the seed, or NULL */
    long double tolerance;
    met *met;
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jc_gpu_stream stream;
    jt_pool addresses; /* void *: device memory to free */
} trial;

enum { NEVER_IS = 60 };
static const int64_t never = (int64_t)1 << NEVER_IS;

/* Everything that may goes to cuBLAS, in batches. */
static void prefer_blas(int64_t *c)
{
    c[JC_CUDA_GEMV_BYTES] = c[JC_CUDA_GEMM_WORK] = c[JC_CUDA_CONVERTED_ROWS] = c[JC_CUDA_WEIGHT_WORK] = 1;
    c[JC_CUDA_BATCHED_WORK] = never;
}

/* Everything that may is gathered: in small parts, or by walks. */
static void prefer_gathers(int64_t *c, bool walks, jt_rng *rng)
{
    c[JC_CUDA_GEMV_BYTES] = c[JC_CUDA_GEMM_WORK] = c[JC_CUDA_WEIGHT_WORK] = never;
    c[JC_CUDA_WIDE_TILE_BYTES] = jt_below(rng, 2) ? 1 : never;
    c[JC_CUDA_PART_BYTES] = walks ? never : (int64_t)1 << jt_between(rng, 6, 10);
    c[JC_CUDA_WALK_BYTES] = c[JC_CUDA_WALK_TILES] = never;
    c[JC_CUDA_WALK_BLOCK_BYTES] = (int64_t)1 << jt_between(rng, 6, 20);
    c[JC_CUDA_WALK_PHASES] = walks ? 1 : never;
}

/* Crossovers as in the table, always, never, or somewhere among small sizes; or all in favour of something. */
static void draw_crossovers(trial *t)
{
    for (int i = 0; i < JC_CUDA_CROSSOVERS; i++) {
        const int64_t choices[] = {jc_cuda_crossovers[i].value, 1, never, (int64_t)1 << jt_between(&t->rng, 2, 14)};
        t->crossover[i] = choices[jt_below(&t->rng, 4)];
    }
    /* parts have 32 products at least; of smaller ones there are only more */
    t->crossover[JC_CUDA_PART_BYTES] = jc_max(t->crossover[JC_CUDA_PART_BYTES], 64);
    uint64_t favour = t->favour ? t->favour : t->seed / 4 % 4; /* with each of the precisions */
    if (favour == 1) prefer_blas(t->crossover);
    if (favour >= 2) prefer_gathers(t->crossover, favour == 3, &t->rng);
    t->backend = jt_standin_backend;
    t->backend.crossovers = t->crossover;
}

static void draw_device(trial *t)
{
    static const int processors[] = {1, 2, 4, 16, 132, 200};
    jt_standin_config c = jt_standin_default();
    c.seed = t->seed;
    c.major = jt_below(&t->rng, 2) ? 9 : 8;
    c.minor = c.major == 8 ? 3 * (int)jt_below(&t->rng, 4) : 0; /* 8.0 and 8.6 differ in shared memory */
    c.multiprocessors = processors[jt_below(&t->rng, 6)];
    c.release_is_wait = jt_below(&t->rng, 2);
    jt_device_begin(t->seed, &c);
    cr_assert_eq(jt_standin_api.stream_create(&t->stream), 0);
}

/* What results are to be, and for each what its errors are measured by. */
typedef struct wanted {
    jt_results results;
    long double *scale;
} wanted;

static void compare(trial *t, const wanted *expected, const jt_results *got, double times, const char *what)
{
    for (int64_t i = 0; i < expected->results.n; i++) {
        const jt_result *e = &expected->results.result[i], *g = &got->result[i];
        long double largest = expected->scale[i];
        cr_assert(e->rows == g->rows && e->cols == g->cols && e->blocks == g->blocks);
        for (int64_t k = 0; k < e->blocks * e->rows * e->cols; k++)
            cr_assert(fabsl(g->real[k] - times * e->real[k]) <= t->tolerance * largest * times,
                      "seed %llu, precision %d, %s: result %lld, entry %lld of %lld x %lld: %.17g, not %.17g",
                      (unsigned long long)t->seed, (int)t->precision, what, (long long)i, (long long)k,
                      (long long)e->rows, (long long)e->cols, g->real[k], times * e->real[k]);
    }
}

static double element_at(const void *data, jc_dtype dtype, int64_t at)
{
    return dtype == JC_F32 ? (double)((const float *)data)[at] : ((const double *)data)[at];
}

static double *matrix_of(trial *t, const jc_result *r)
{
    double *m = jt_alloc(&t->pool, r->blocks * r->rows * r->cols, sizeof *m);
    for (int64_t i = 0; i < r->blocks * r->rows * r->cols; i++) {
        int64_t b = i / (r->rows * r->cols), row = i / r->cols % r->rows, col = i % r->cols;
        int64_t at = b * r->block_stride + row * r->row_stride + col * r->col_stride;
        m[i] = r->kind == JC_RESULT_MATRIX ? element_at(r->data, r->dtype, at)
                                           : r->kind == JC_RESULT_IDENTITY && row == col;
    }
    return m;
}

static jt_results results_of(trial *t, jc_run *run)
{
    jt_results out = {.n = jc_run_result_count(run)};
    out.result = jt_alloc(&t->pool, out.n, sizeof *out.result);
    for (int64_t i = 0; i < out.n; i++) {
        jc_result r;
        jt_ok(jc_run_result(run, i, &r), "result");
        out.result[i] = (jt_result){r.of, r.wrt, r.blocks, r.rows, r.cols, matrix_of(t, &r), NULL};
    }
    return out;
}

/* Sums over paths of products of absolute values. */
static jt_results absolute_of(trial *t, const jc_graph *graph, const jc_query *query)
{
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jt_ok(jc_plan_create(graph, query, &plan), "plan");
    jt_ok(jc_program_create_on(plan, &jc_backend_absolute, NULL, &program), "program");
    jt_ok(jc_run_create(program, &run), "run");
    if (t->S) jt_ok(jc_run_bind_seed(run, JC_F64, t->S), "seed");
    jt_ok(jc_run_execute(run), "execute");
    jt_results results = results_of(t, run);
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return results;
}

static long double largest_of(const jt_result *r)
{
    long double largest = 1e-30L; /* what f32 still holds */
    for (int64_t k = 0; k < r->blocks * r->rows * r->cols; k++) largest = fmaxl(largest, fabsl(r->real[k]));
    return largest;
}

/* By a sweep, where the device eliminates: in another order that is measured by what does not cancel. */
static wanted expected_of(trial *t, const jc_graph *graph)
{
    const jt_backend reference = {"reference", JC_PRECISION_F64, 1};
    jc_query query = t->q.query;
    bool eliminates = query.order == JC_ORDER_ELIMINATION;
    if (eliminates) query.order = JC_ORDER_AUTO;
    wanted w = {.results = jt_compute(&t->pool, graph, &query, &reference, t->S)};
    w.scale = jt_alloc(&t->pool, w.results.n, sizeof *w.scale);
    jt_results scale = eliminates && t->tolerance > 0 ? absolute_of(t, graph, &query) : w.results;
    for (int64_t i = 0; i < w.results.n; i++) w.scale[i] = largest_of(&scale.result[i]);
    return w;
}

static void *device_memory(trial *t, int64_t bytes)
{
    void *d_memory = NULL;
    cr_assert_eq(jt_standin_api.allocate(&d_memory, (size_t)bytes), 0);
    *(void **)jt_alloc(&t->addresses, 1, sizeof(void *)) = d_memory;
    return d_memory;
}

static void copy(trial *t, void *to, const void *from, int64_t bytes, jc_gpu_copy_kind kind)
{
    cr_assert_eq(jt_standin_api.copy(to, from, (size_t)bytes, kind, t->stream), 0);
    cr_assert_eq(jt_standin_api.stream_synchronize(t->stream), 0);
}

/* ---- results in the caller's memory ------------------------------------------------------------------------------ */

/* What lies there at first, where it is added to. */
static const double before = 3;

typedef struct place {
    void *d_data;
    int64_t ld, block, elements;
} place;

static place bind_output(trial *t, int64_t i, int accumulate)
{
    const jc_output *o = &t->plan->outputs[i];
    jc_dtype dtype = t->program->dtype;
    int64_t element = jc_dtype_bytes(dtype), gap = jt_below(&t->rng, 4);
    place p = {.ld = o->cols + gap};
    p.block = o->rows * p.ld + gap;
    p.elements = t->plan->per_sample * p.block;
    unsigned char *host = jt_alloc(&t->pool, p.elements, (size_t)element);
    for (int64_t k = 0; k < p.elements; k++)
        if (element == 8)
            ((double *)(void *)host)[k] = before;
        else
            ((float *)(void *)host)[k] = (float)before;
    int64_t off = jt_below(&t->rng, 3);
    p.d_data = (unsigned char *)device_memory(t, (p.elements + off) * element) + off * element;
    copy(t, p.d_data, host, p.elements * element, JC_GPU_TO_DEVICE);
    const jc_cuda_array a = {.dtype = dtype, .d_data = p.d_data, .ld = p.ld, .block_stride = p.block};
    jt_ok(jc_cuda_bind_output(t->run, i, &a, accumulate, NULL), "output");
    return p;
}

static void expect_delivered(trial *t, const jt_result *e, long double scale, const place *p, double times,
                             double added)
{
    jc_dtype dtype = t->program->dtype;
    void *host = jt_alloc(&t->pool, p->elements, (size_t)jc_dtype_bytes(dtype));
    copy(t, host, p->d_data, p->elements * jc_dtype_bytes(dtype), JC_GPU_TO_HOST);
    long double largest = fmaxl(fabs(added), scale);
    for (int64_t k = 0; k < e->blocks * e->rows * e->cols; k++) {
        int64_t b = k / (e->rows * e->cols), row = k / e->cols % e->rows, col = k % e->cols;
        double got = element_at(host, dtype, b * p->block + row * p->ld + col), want = times * e->real[k] + added;
        cr_assert(fabsl(got - want) <= (t->tolerance + 1e-6L) * largest * times,
                  "seed %llu: delivered entry %lld: %.17g, not %.17g", (unsigned long long)t->seed, (long long)k, got,
                  want);
    }
}

/* An execution in a capture, which is launched twice. */
static void execute_captured(trial *t)
{
    const jc_gpu_api *api = &jt_standin_api;
    jc_gpu_graph graph;
    jc_gpu_exec exec;
    cr_assert_eq(api->capture_begin(t->stream), 0);
    jt_ok(jc_cuda_execute(t->run, t->stream), "captured");
    cr_assert_eq(api->capture_end(t->stream, &graph), 0);
    cr_assert_eq(api->exec_create(&exec, graph), 0);
    for (int i = 0; i < 2; i++) cr_assert_eq(api->exec_launch(exec, t->stream), 0);
    cr_assert_eq(api->stream_synchronize(t->stream), 0);
    cr_assert(api->exec_destroy(exec) == 0 && api->graph_destroy(graph) == 0);
    t->met->captured++;
}

/* Callbacks on the host cannot be captured: that is refused, and the capture and the run go on. */
static void expect_no_capture(trial *t)
{
    const jc_gpu_api *api = &jt_standin_api;
    jc_gpu_graph graph;
    cr_assert_eq(api->capture_begin(t->stream), 0);
    cr_assert_eq(jc_cuda_execute(t->run, t->stream), JC_E_USAGE, "captured with callbacks on the host");
    cr_assert(api->capture_end(t->stream, &graph) == 0 && api->graph_destroy(graph) == 0);
}

/* Twice on the caller's stream; now and then inside a capture. */
static void execute_twice(trial *t)
{
    bool callbacks = ((const jc_cuda_program *)t->program->impl)->callbacks.count > 0;
    if (callbacks) expect_no_capture(t);
    if (!callbacks && jt_below(&t->rng, 3) == 0) {
        execute_captured(t);
        return;
    }
    for (int i = 0; i < 2; i++) jt_ok(jc_cuda_execute(t->run, t->stream), "execute");
    jt_ok(jc_cuda_status(t->run), "status");
}

static void deliver(trial *t, const wanted *w)
{
    const jt_results *expected = &w->results;
    int accumulate = (int)jt_below(&t->rng, 2);
    place *places = jt_alloc(&t->pool, expected->n, sizeof *places);
    for (int64_t i = 0; i < expected->n; i++) places[i] = bind_output(t, i, accumulate);
    execute_twice(t);
    for (int64_t i = 0; i < expected->n; i++) {
        expect_delivered(t, &expected->result[i], w->scale[i], &places[i], accumulate ? 2 : 1, accumulate ? before : 0);
        jt_ok(jc_cuda_bind_output(t->run, i, NULL, 0, NULL), "no output");
        t->met->delivered++;
    }
}

/* ---- other numbers ----------------------------------------------------------------------------------------------- */

/* Rows and columns of one block of a field's numbers. */
static void field_shape(const jc_group *g, int f, int64_t *rows, int64_t *cols)
{
    const jc_shape *s = &g->shape;
    *rows = 1, *cols = s->kind == JC_CSR ? s->m : s->p;
    if (s->kind == JC_DENSE) *rows = s->p, *cols = s->q;
    if (s->kind == JC_WEIGHT) *rows = s->m, *cols = s->q / (s->p / s->m);
    if (s->kind == JC_TRACE) *rows = s->p, *cols = s->q / (s->p / s->m);
    if (s->kind == JC_LOW_RANK) *rows = f ? s->q : s->p, *cols = s->m;
}

/* The group's numbers in device memory, with gaps. */
static jc_cuda_array spread(trial *t, const jc_group *g, int f)
{
    const jc_field *field = &g->field[f];
    int64_t rows, cols, element = jc_dtype_bytes(field->dtype),
                        gap = jt_below(&t->rng, 2) ? jt_between(&t->rng, 1, 5) : 0;
    int64_t blocks = field->batched ? g->shape.batch : 1, off = jt_below(&t->rng, 4);
    field_shape(g, f, &rows, &cols);
    jc_cuda_array a = {.dtype = field->dtype, .ld = rows > 1 || gap ? cols + gap : 0};
    int64_t ld = rows > 1 ? cols + gap : cols;
    if (rows == 1) a.ld = g->shape.kind == JC_CSR || g->shape.kind == JC_DIAGONAL ? 0 : ld;
    a.block_stride = rows * ld + gap;
    a.member_stride = blocks * a.block_stride + gap;
    int64_t n = g->n_edges * a.member_stride + off;
    unsigned char *host = jt_alloc(&t->pool, n, (size_t)element);
    memset(host, 0xFF, (size_t)(n * element));
    for (int64_t e = 0; e < g->n_edges; e++)
        for (int64_t b = 0; b < blocks; b++)
            for (int64_t r = 0; r < rows; r++)
                memcpy(host + (off + e * a.member_stride + b * a.block_stride + r * ld) * element,
                       field->data + e * field->stride + (b * rows + r) * cols * element, (size_t)(cols * element));
    a.d_data = device_memory(t, n * element);
    copy(t, a.d_data, host, n * element, JC_GPU_TO_DEVICE);
    a.d_data = (unsigned char *)a.d_data + off * element;
    return a;
}

static void bind_field(trial *t, const jc_group *g, int f, bool by_address)
{
    const char *name = jc_kinds[g->shape.kind].field[f].name;
    int64_t edge = g->first_edge + jt_below(&t->rng, g->n_edges);
    jc_cuda_rebind what = JC_CUDA_REBIND_NOTHING;
    if (!by_address) {
        jt_ok(jc_run_bind_jacobian(t->run, edge, name, g->field[f].dtype, g->field[f].data), "bind");
        t->met->from_host++;
        return;
    }
    jc_cuda_array a = spread(t, g, f);
    jt_ok(jc_cuda_bind_jacobian(t->run, edge, name, &a, &what), "bind by address");
    t->met->rebound[what]++;
    t->met->by_address++;
}

static void bind_all(trial *t, const jc_graph *graph)
{
    bool mixed = jt_below(&t->rng, 2), by_address = jt_below(&t->rng, 2);
    for (int64_t i = 0; i < graph->groups.count; i++) {
        const jc_group *g = (const jc_group *)graph->groups.data + i;
        for (int f = 0; f < jc_kinds[g->shape.kind].n_fields; f++)
            if (!jc_kinds[g->shape.kind].field[f].is_index && g->field[f].elements)
                bind_field(t, g, f, mixed ? jt_below(&t->rng, 2) : by_address);
    }
}

static bool same_group(const jc_group *a, const jc_group *b)
{
    const jc_shape *s = &a->shape, *t = &b->shape;
    bool same = s->kind == t->kind && s->kind != JC_OPERATOR && s->transpose == t->transpose && s->batch == t->batch &&
                s->inner == t->inner && s->p == t->p && s->q == t->q && s->m == t->m && a->n_edges == b->n_edges;
    same = same && !a->scales == !b->scales && (a->scales ? a->scales[0] == b->scales[0] : a->scale == b->scale);
    for (int f = 0; f < jc_kinds[s->kind].n_fields && same; f++)
        same = a->field[f].dtype == b->field[f].dtype && a->field[f].batched == b->field[f].batched;
    return same;
}

/* The second is made like the first, but leaves edges out by its own numbers. */
static bool same_structure(const jc_graph *a, const jc_graph *b)
{
    bool same = b && a->n_edges == b->n_edges && a->groups.count == b->groups.count;
    for (int64_t e = 0; same && e < a->n_edges; e++)
        same = jc_graph_of(a, e) == jc_graph_of(b, e) && jc_graph_wrt(a, e) == jc_graph_wrt(b, e);
    for (int64_t i = 0; same && i < a->groups.count; i++)
        same = same_group((const jc_group *)a->groups.data + i, (const jc_group *)b->groups.data + i);
    return same;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static void open_run(trial *t)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_cuda_run_options o = JC_CUDA_RUN_OPTIONS_INIT;
    options.precision = t->precision;
    o.no_capture = jt_below(&t->rng, 4) == 0;
    jt_ok(jc_plan_create(t->graph, &t->q.query, &t->plan), "plan");
    jt_ok(jc_program_create_on(t->plan, &t->backend.base, &options, &t->program), "program");
    note_program(t->program, t->met);
    jt_ok(jc_cuda_run_create(t->program, &o, &t->run), "run");
    if (t->S) jt_ok(jc_run_bind_seed(t->run, JC_F64, t->S), "seed");
}

static void run_trial(trial *t)
{
    wanted expected = expected_of(t, t->graph), other = {.scale = NULL};
    jt_results got;
    bool two = same_structure(t->graph, t->other);
    if (two) other = expected_of(t, t->other);
    draw_device(t);
    open_run(t);
    jt_ok(jc_run_execute(t->run), "execute");
    got = results_of(t, t->run);
    compare(t, &expected, &got, 1, "first");
    deliver(t, &expected);
    if (two) {
        bind_all(t, t->other);
        jt_ok(jc_run_execute(t->run), "execute");
        got = results_of(t, t->run);
        compare(t, &other, &got, 1, "other numbers");
        deliver(t, &other);
        bind_all(t, t->graph);
        jt_ok(jc_run_execute(t->run), "execute");
        got = results_of(t, t->run);
        compare(t, &expected, &got, 1, "bound back");
    }
    jc_run_destroy(t->run);
    jc_program_destroy(t->program);
    jc_plan_destroy(t->plan);
    for (int64_t i = 0; i < t->addresses.n_blocks; i++)
        cr_assert_eq(jt_standin_api.release(*(void **)t->addresses.blocks[i]), 0);
    cr_assert_eq(jt_standin_api.stream_destroy(t->stream), 0);
    jt_device_end("a trial");
    jt_pool_free(&t->addresses);
    jt_pool_free(&t->pool);
}

static void draw_seed(trial *t, const jc_query *q)
{
    int64_t n = 0;
    if (q->seed == JC_SEED_NONE) return;
    int64_t v = q->seed == JC_SEED_ROWS ? q->of[0] : q->wrt[0];
    n = q->seed_width * jc_graph_size(t->graph, v);
    t->S = jt_alloc(&t->pool, n, sizeof *t->S);
    for (int64_t i = 0; i < n; i++) t->S[i] = (double)jt_between(&t->rng, -2, 2);
}

static int64_t cases(int64_t usual)
{
    const char *asked = getenv("JACCHAIN_TEST_CAMPAIGN");
    return asked ? strtoll(asked, NULL, 10) : jt_cases(usual);
}

static bool has_low_rank(const jc_graph *g)
{
    bool has = false;
    for (int64_t i = 0; i < g->groups.count; i++)
        has = has || ((const jc_group *)g->groups.data + i)->shape.kind == JC_LOW_RANK;
    return has;
}

/* A third of the trials, with all precisions and favours. */
static bool eliminates(uint64_t seed)
{
    return (seed + seed / 16) % 3 == 1;
}

/* Small integers in graphs of all kinds: totals, per sample, seeded; exactly. */
static void try_small(uint64_t seed, met *m)
{
    static const double most[] = {0, 0x1p18, 0x1p18, 0x1p11, 0x1p8};
    trial t = {.seed = seed, .rng = {seed * 31 + 7}, .met = m};
    jt_graph g, other;
    draw_crossovers(&t);
    t.precision = (jc_precision)(JC_PRECISION_F64 + seed % 4);
    jt_graph_options o = {.seed = seed, .max_paths = 300, .numbers = JT_SMALL, .largest = most[t.precision]};
    bool by_sample = seed % 5 == 0, seeded = !by_sample && seed % 2;
    o.samples = by_sample ? 2 + (int64_t)(seed % 3) : 0;
    o.no_operators = jt_below(&t.rng, 2);
    jt_graph_random(&o, &g);
    o.number_seed = 77;
    jt_graph_random(&o, &other);
    t.graph = g.graph, t.other = other.graph;
    if (seeded)
        jt_query_seeded(&t.rng, &g, jt_below(&t.rng, 2) ? JC_SEED_ROWS : JC_SEED_COLUMNS, &t.q);
    else
        jt_query_totals(&t.rng, &g, &t.q);
    if (by_sample) t.q.query.per_sample = o.samples;
    if (eliminates(seed)) t.q.query.order = JC_ORDER_ELIMINATION;
    draw_seed(&t, &t.q.query);
    /* the seed makes numbers larger by 2 width */
    if ((seeded && t.precision >= JC_PRECISION_TF32) || (has_low_rank(g.graph) && t.precision >= JC_PRECISION_TF32))
        t.tolerance = 0.25L;
    run_trial(&t);
    jt_graph_fini(&other);
    jt_graph_fini(&g);
}

static const long double tolerances[] = {0, 1e-11L, 1e-4L, 3e-2L, 2e-1L};

static void ask_for_ends(trial *t, const jt_web *web)
{
    static const int64_t widths[] = {1, 1, 1, 2, 3, 8, 31, 33, 200};
    enum { LARGE = 600, LONG = 60, WIDTHS = sizeof widths / sizeof *widths };
    int64_t few = web->n_variables > LONG ? 5 : WIDTHS;
    jc_query *q = &t->q.query;
    *q = (jc_query)JC_QUERY_INIT;
    t->q.of[0] = web->last, t->q.wrt[0] = web->first;
    q->of = t->q.of, q->wrt = t->q.wrt, q->n_of = q->n_wrt = 1;
    q->order = (jc_order)jt_below(&t->rng, 3);
    q->seed = jt_below(&t->rng, 6) ? jt_below(&t->rng, 2) ? JC_SEED_ROWS : JC_SEED_COLUMNS : JC_SEED_NONE;
    if (jc_graph_size(t->graph, web->first) + jc_graph_size(t->graph, web->last) > LARGE)
        q->seed = JC_SEED_ROWS, few = 1; /* its rows are not all formed */
    q->seed_width = q->seed == JC_SEED_NONE ? 0 : widths[jt_below(&t->rng, few)];
    /* in the other order whole Jacobians are formed first */
    if (q->seed == JC_SEED_ROWS) q->order = JC_ORDER_REVERSE;
    if (q->seed == JC_SEED_COLUMNS) q->order = JC_ORDER_FORWARD;
    if (eliminates(t->seed) && !t->sweeps) q->order = JC_ORDER_ELIMINATION;
}

/* Larger graphs of real numbers, seeded with few and many rows. */
static void try_web(uint64_t seed, const jt_web_options *shape, uint64_t favour, bool sweeps, bool narrow, met *m)
{
    trial t = {.seed = seed, .sweeps = sweeps, .favour = favour, .rng = {seed * 37 + 11}, .met = m};
    jt_web web, other;
    jt_web_options o = *shape;
    draw_crossovers(&t);
    t.precision = (jc_precision)(JC_PRECISION_F64 + seed % 4);
    t.tolerance = tolerances[t.precision] * (shape->levels > 10 ? 10 : 1);
    o.seed = seed, o.real = t.precision == JC_PRECISION_F64 ? JC_F64 : JC_F32;
    o.narrow = narrow;
    if (t.precision == JC_PRECISION_BF16 && narrow) o.real = JC_BF16;
    jt_web_make(&o, &web);
    o.number_seed = 77;
    jt_web_make(&o, &other);
    t.graph = web.graph, t.other = other.graph;
    ask_for_ends(&t, &web);
    draw_seed(&t, &t.q.query);
    run_trial(&t);
    jt_web_free(&other);
    jt_web_free(&web);
}

static void try_star(uint64_t seed, met *m)
{
    trial t = {.seed = seed, .rng = {seed * 41 + 13}, .met = m};
    jt_web web, other;
    draw_crossovers(&t);
    t.precision = (jc_precision)(JC_PRECISION_F64 + seed % 4);
    t.tolerance = tolerances[t.precision];
    int64_t n = jt_between(&t.rng, 1, 40), consumers = jt_between(&t.rng, 1, 600);
    jt_web_star(seed, 0, n, consumers, &web);
    jt_web_star(seed, 77, n, consumers, &other);
    t.graph = web.graph, t.other = other.graph;
    ask_for_ends(&t, &web);
    if (t.q.query.seed_width > 8) t.q.query.seed_width = 8;
    draw_seed(&t, &t.q.query);
    run_trial(&t);
    jt_web_free(&other);
    jt_web_free(&web);
}

static const int64_t mixed_sizes[] = {1, 3, 8, 12, 16, 16, 20, 33, 48}, wide_sizes[] = {33, 64, 64, 130},
                     chain_sizes[] = {7, 8, 16, 16, 32, 64, 128, 130}, tall_sizes[] = {2, 2100}, one_size[] = {12},
                     weight_size[] = {4};
static const struct {
    jt_web_options shape;
    int64_t cases;
    uint64_t favour;
    bool sweeps; /* never by elimination, which splits what is to be met */
} webs[] = {
    {{.levels = 3, .width = 4, .sizes = mixed_sizes, .n_sizes = 9, .fan = 4, .favourite = JC_DENSE}, 12, 0, false},
    {{.levels = 2, .width = 3, .sizes = wide_sizes, .n_sizes = 4, .fan = 3, .favourite = JC_DENSE, .only = true},
     6,
     0,
     false},
    {{.levels = 3, .width = 5, .sizes = one_size, .n_sizes = 1, .fan = 3, .favourite = JC_DENSE, .plain = true},
     16,
     1,
     false},
    {{.levels = 3,
      .width = 5,
      .sizes = weight_size,
      .n_sizes = 1,
      .fan = 4,
      .favourite = JC_WEIGHT,
      .only = true,
      .plain = true},
     24,
     1,
     false},
    {{.levels = 2, .width = 3, .sizes = mixed_sizes, .n_sizes = 9, .fan = 3, .favourite = JC_LOW_RANK}, 12, 0, true},
    {{.levels = 2, .width = 1, .sizes = tall_sizes, .n_sizes = 2, .fan = 2, .favourite = JC_LOW_RANK, .only = true},
     6,
     2,
     false},
    {{.levels = 70, .width = 1, .sizes = chain_sizes, .n_sizes = 8, .fan = 2, .favourite = JC_DENSE}, 2, 0, false},
    {{.levels = 110, .width = 2, .sizes = chain_sizes + 1, .n_sizes = 3, .fan = 2, .favourite = JC_DENSE}, 2, 0, false},
};
enum { WEBS = sizeof webs / sizeof *webs, SMALL = 32, STARS = 5 };

/* Products there are: dense ones as vectors in f64 and f32 only, with their numbers as operand B only where they have
 * inner ones or weights. Of bf16 every value is converted, and nothing batched by pointers. */
static bool exists(int form, int vector, int numbers_are_b, int type)
{
    if (vector) return !numbers_are_b && type < 2;
    return form != JC_GPU_POINTERS || type < 2;
}

static void expect_all_met(const met *m)
{
    for (int b = 0; b < JC_CUDA_BINS; b++) cr_expect(m->bin[b], "no gather of bin %d", b);
    for (int i = 0; i < FORMS * 12; i++) {
        int form = i / 12, vector = i / 6 % 2, b = i / 3 % 2, type = i % 3;
        if (!exists(form, vector, b, type)) continue;
        cr_expect(m->product[form][vector][b][type], "no product: form %d, vector %d, numbers operand B %d, type %d",
                  form, vector, b, type);
    }
    for (int i = 0; i < 2; i++) cr_expect(m->walks[i] && m->converted[i], "no walk or conversion %d", i);
    for (int i = 0; i < 3; i++) cr_expect(m->rebound[i], "no binding that asked for %d", i);
    cr_expect(m->narrow_as_they_lie, "no product of numbers in BF16 as they lie");
    cr_expect(m->members && m->later_waves && m->added && m->callbacks && m->parts);
    cr_expect(m->by_address && m->from_host && m->delivered && m->captured);
    cr_expect(m->eliminations && m->computed[JC_DENSE]);
    for (int f = 0; f < FORMS; f++) cr_expect(m->computed_calls[f], "no call by a computed value, form %d", f);
}

Test(property, the_device_with_any_crossovers_gives_what_the_reference_gives)
{
    met m = {0};
    if (!jt_device_there() || jt_device_run()) return;
    for (int64_t i = 0; i < cases(SMALL); i++) try_small((uint64_t)i, &m);
    for (int w = 0; w < WEBS; w++)
        for (int64_t i = 0, n = cases(webs[w].cases); i < n + n / 4; i++)
            try_web((uint64_t)i, &webs[w].shape, webs[w].favour, webs[w].sweeps, i >= n, &m);
    for (int64_t i = 0; i < cases(STARS); i++) try_star((uint64_t)i, &m);
    if (!JT_SANITIZED) expect_all_met(&m);
}
