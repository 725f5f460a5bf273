/* Plans by elimination on device memory: what is one call or one launch, what walks keep off, rows that a window does
 * not move, and numbers bound to edges of which a plan has parts. Plans made by hand, exact integers. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "device/target.h"
#include "standin/device.h"
#include "support/compute.h"
#include "support/jacobian.h"
#include "support/sanitized.h"

/* ---- a plan made by hand over a graph of unconnected edges ------------------------------------------------------- */

enum { MOST_VALUES = 256, MOST_STEPS = 512, MOST_EDGES = 128, MOST_MADE = 4 };

typedef struct sketch {
    jc_graph *graph;
    jc_plan plan;
    jc_made made[MOST_MADE];
    jc_operand operands[MOST_VALUES];
    jc_value values[MOST_VALUES + 1];
    jc_step steps[MOST_STEPS];
    int64_t levels[MOST_VALUES + 1], jacobians[MOST_EDGES];
    jc_output outputs[MOST_VALUES];
} sketch;

static void sketch_init(sketch *s)
{
    memset(s, 0, sizeof *s);
    jt_ok(jc_graph_create(NULL, &s->graph), "graph");
}

/* Members' edges between variables of their own; the first one's number. */
static int64_t add_edges(sketch *s, int64_t members, const jc_jacobian *j, int64_t rows, int64_t cols)
{
    int64_t of[MOST_EDGES], wrt[MOST_EDGES], first = s->graph->n_edges;
    for (int64_t e = 0; e < members; e++)
        for (int i = 0; i < 2; i++) {
            char name[24];
            snprintf(name, sizeof name, "%c%lld", "yx"[i], (long long)(first + e));
            jt_ok(jc_graph_add_variable(s->graph, name, i ? cols : rows, i ? &wrt[e] : &of[e]), name);
        }
    jc_array ofs = jc_array_1d(JC_I64, members, of), wrts = jc_array_1d(JC_I64, members, wrt);
    if (members > 1)
        jt_ok(jc_graph_add_edges(s->graph, members, &ofs, &wrts, j, NULL, 0), "edges");
    else
        jt_ok(jc_graph_add_edge(s->graph, of[0], wrt[0], j, NULL, 0), "edge");
    return first;
}

/* From here on values and steps are added. */
static void sketch_plan(sketch *s)
{
    jt_ok(jc_graph_finish(s->graph), "finish");
    for (int64_t e = 0; e < s->graph->n_edges; e++) s->jacobians[e] = e;
    jc_plan *p = &s->plan;
    p->graph = s->graph, p->allocator = s->graph->allocator;
    p->per_sample = 1, p->eliminates = true, p->order = JC_ORDER_ELIMINATION;
    p->values = s->values, p->steps = s->steps, p->levels = s->levels, p->outputs = s->outputs;
    p->subgraph.n_edges = s->graph->n_edges, p->subgraph.jacobian = s->jacobians;
    p->subgraph.made = (jc_vec){.data = s->made, .element_bytes = sizeof s->made[0]};
    p->subgraph.operands = (jc_vec){.data = s->operands, .element_bytes = sizeof s->operands[0]};
}

/* Values are added to the last level that was ended or begun. */
static int64_t add_value(sketch *s, int64_t rows, int64_t cols)
{
    jc_plan *p = &s->plan;
    s->values[p->n_values] = (jc_value){.rows = rows, .cols = cols, .first_step = p->n_steps};
    return p->n_values++;
}

static void add_step(sketch *s, jc_step step)
{
    s->steps[s->plan.n_steps++] = step;
    s->values[s->plan.n_values].first_step = s->plan.n_steps;
}

static void end_level(sketch *s)
{
    s->levels[++s->plan.n_levels] = s->plan.n_values;
}

static int64_t add_made(sketch *s, const jc_group *group, int64_t of_group, int of_field)
{
    s->made[s->plan.subgraph.made.count] = (jc_made){.group = *group, .of_group = of_group, .of_field = of_field};
    return s->plan.subgraph.made.count++;
}

static jc_group dense_group(int64_t rows, int64_t cols, bool in_arena)
{
    jc_group g = {.n_edges = 1, .has_numbers = true, .scale = 1, .ragged = -1};
    g.shape = (jc_shape){JC_DENSE, false, 1, 1, rows, cols, 0, rows, cols};
    g.field[0] =
        (jc_field){.dtype = JC_F64, .elements = rows * cols, .in_arena = in_arena, .stride = in_arena ? 64 : 0};
    return g;
}

/* The step's b for a member of a made group, or a value. */
static int64_t add_operand(sketch *s, int64_t made, int64_t member, int64_t value)
{
    s->operands[s->plan.subgraph.operands.count] = (jc_operand){made, member, value};
    return -1 - s->plan.subgraph.operands.count++;
}

static void add_output(sketch *s, int64_t value)
{
    const jc_value *v = &s->values[value];
    s->outputs[s->plan.n_outputs++] = (jc_output){.rows = v->rows, .cols = v->cols, .value = value};
}

static const jc_precision precisions[] = {JC_PRECISION_F64, JC_PRECISION_F32, JC_PRECISION_TF32, JC_PRECISION_BF16};
enum { PRECISIONS = 4 };

static double entry(const jc_result *r, int64_t i)
{
    return r->dtype == JC_F32 ? ((const float *)r->data)[i] : ((const double *)r->data)[i];
}

static double result_entry(jc_run *run, int64_t output, int64_t i)
{
    jc_result r;
    jt_ok(jc_run_result(run, output, &r), "result");
    return entry(&r, i);
}

static double *small_integers(jt_pool *pool, jt_rng *rng, int64_t n)
{
    double *x = jt_alloc(pool, n, sizeof *x);
    for (int64_t i = 0; i < n; i++) x[i] = (double)jt_between(rng, -2, 2);
    return x;
}

static jc_program *program_on(const jc_plan *plan, const jc_backend *backend, jc_precision precision)
{
    jc_program *program;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.precision = precision;
    jt_ok(jc_program_create_on(plan, backend, &options, &program), "program");
    return program;
}

/* ---- equal products of a level are one call ---------------------------------------------------------------------- */

enum { PAIRS = 64, SIDE = 8, SQUARE = SIDE * SIDE };

/* P_i, Q_i copied from edges; R_i = P_i Q_order(i) + P_i P_i. */
static void sketch_pairs(sketch *s, const double *numbers, int64_t order)
{
    jc_jacobian squares = JC_JACOBIAN_INIT(JC_DENSE);
    squares.values = (jc_array){JC_F64, 3, {2 * PAIRS, SIDE, SIDE}, numbers, JC_BORROW, 0};
    sketch_init(s);
    add_edges(s, 2 * PAIRS, &squares, SIDE, SIDE);
    sketch_plan(s);
    jc_group square = dense_group(SIDE, SIDE, true);
    int64_t made = add_made(s, &square, -1, 0);
    for (int64_t e = 0; e < 2 * PAIRS; e++) {
        add_value(s, SIDE, SIDE);
        add_step(s, (jc_step){.a = JC_SEED_IDENTITY, .b = e, .n_rows = SIDE, .first = true});
    }
    end_level(s);
    for (int64_t i = 0; i < PAIRS; i++) {
        add_output(s, add_value(s, SIDE, SIDE));
        int64_t q = add_operand(s, made, 0, PAIRS + i * order % PAIRS), p = add_operand(s, made, 0, i);
        add_step(s, (jc_step){.a = i, .b = q, .n_rows = SIDE, .first = true});
        add_step(s, (jc_step){.a = i, .b = p, .n_rows = SIDE});
    }
    end_level(s);
}

static void expect_pairs(jc_run *run, const double *numbers, int64_t order)
{
    for (int64_t i = 0; i < PAIRS * SQUARE; i++) {
        const double *P = numbers + i / SQUARE * SQUARE, *Q = numbers + (PAIRS + i / SQUARE * order % PAIRS) * SQUARE;
        int64_t row = i / SIDE % SIDE, col = i % SIDE;
        double sum = 0;
        for (int64_t l = 0; l < SIDE; l++) sum += P[row * SIDE + l] * (Q[l * SIDE + col] + P[l * SIDE + col]);
        double got = result_entry(run, i / SQUARE, i % SQUARE);
        cr_assert_eq(got, sum, "pair %lld, entry %lld: %g, not %g", (long long)(i / SQUARE), (long long)(i % SQUARE),
                     got, sum);
    }
}

/* Operations of a kind in level 1. */
static int64_t count_ops(const jc_program *program, jc_cuda_op_kind kind)
{
    const jc_cuda_program *impl = program->impl;
    const jc_cuda_op *ops = impl->ops.data;
    int64_t n = 0;
    for (int64_t i = 0; i < impl->ops.count; i++) n += ops[i].level == 1 && ops[i].kind == kind;
    return n;
}

static const int64_t never = INT64_C(1) << 60;

/* Calls of cuBLAS of one execution. */
static int64_t execute_counted(jc_run *run)
{
    int64_t before = jt_standin_count(JT_BLAS_PRODUCT);
    jt_ok(jc_cuda_execute(run, NULL), "execute");
    jt_ok(jc_cuda_status(run), "status");
    return jt_standin_count(JT_BLAS_PRODUCT) - before;
}

/* blas: all dense products are calls; else the crossovers of the table. Bf16 products convert their operands, one by
 * one. */
static void check_pairs(sketch *s, const double *numbers, int64_t order, jc_precision precision, bool blas)
{
    int64_t crossover[JC_CUDA_CROSSOVERS];
    jc_cuda_backend backend = jt_standin_backend;
    jc_cuda_run_options o = JC_CUDA_RUN_OPTIONS_INIT;
    jc_run *run;
    for (int i = 0; i < JC_CUDA_CROSSOVERS; i++) crossover[i] = jc_cuda_crossovers[i].value;
    crossover[JC_CUDA_GEMM_WORK] = crossover[JC_CUDA_CONVERTED_ROWS] = 1;
    crossover[JC_CUDA_BATCHED_WORK] = never;
    if (blas) backend.crossovers = crossover;
    jt_device_begin((uint64_t)precision, NULL);
    jc_program *program = program_on(&s->plan, &backend.base, precision);
    const jc_cuda_program *impl = program->impl;
    o.no_capture = 1;
    jt_ok(jc_cuda_run_create(program, &o, &run), "run");
    int64_t calls = execute_counted(run), expected = precision == JC_PRECISION_BF16 ? 2 * PAIRS : 2;
    cr_assert_eq(calls, blas ? expected : 0, "%lld calls", (long long)calls);
    cr_assert_eq(count_ops(program, JC_CUDA_OP_GATHER), blas ? 0 : 1);
    cr_assert_eq(count_ops(program, JC_CUDA_OP_PRODUCT), blas ? expected : 0);
    if (blas && precision != JC_PRECISION_BF16) {
        const jc_gpu_product *first = &((const jc_cuda_product *)impl->products.data)[0].call, *second = first;
        second = &((const jc_cuda_product *)impl->products.data)[1].call;
        cr_assert_eq(first->form, order == 1 ? JC_GPU_STRIDED : JC_GPU_POINTERS);
        cr_assert(first->count == PAIRS && second->count == PAIRS && first->beta == 0 && second->beta == 1);
    }
    expect_pairs(run, numbers, order);
    jc_run_destroy(run);
    jc_program_destroy(program);
    jt_device_end("pairs");
}

Test(device, equal_products_of_computed_values_are_one_call_or_one_launch)
{
    static sketch s;
    jt_pool pool = {0};
    jt_rng rng = {1};
    double *numbers = small_integers(&pool, &rng, 2 * PAIRS * SQUARE);
    if (!jt_device_there() || jt_device_run()) return;
    for (int64_t order = 1; order < (JT_SANITIZED ? 2 : 40); order += 36) { /* evenly spaced, or not */
        sketch_pairs(&s, numbers, order);
        int n = order == 1 && !JT_SANITIZED ? 2 * PRECISIONS : 2;
        for (int i = 0; i < n; i++) check_pairs(&s, numbers, order, precisions[i / 2], i % 2);
        jc_graph_destroy(s.graph);
    }
    jt_pool_free(&pool);
}

/* ---- values of one group at different places --------------------------------------------------------------------- */

enum { PLACES = 3, ROWS_OF_X = 4 };

/* A group of values with the pattern of member 0 of a Jacobian. */
static jc_group group_of(const jt_jacobian *jac, int64_t n)
{
    jc_group g = {.n_edges = 1, .has_numbers = true, .scale = 1, .ragged = -1};
    g.shape = (jc_shape){jac->kind, jac->transpose, jac->batch, 1, jac->p, jac->q, jac->m, 0, 0};
    g.shape.rows = jt_jacobian_rows(jac), g.shape.cols = jt_jacobian_cols(jac);
    jc_field numbers = {.dtype = JC_F64, .elements = n, .in_arena = true, .stride = 64, .batched = jac->batch > 1};
    g.field[jac->kind == JC_CSR ? 2 : 0] = numbers;
    if (jac->kind != JC_CSR) return g;
    const int64_t *index[2] = {jac->indptr.index, jac->indices.index};
    for (int f = 0; f < 2; f++)
        g.field[f] = (jc_field){.data = (const unsigned char *)index[f], .dtype = JC_I64, .elements = jac->p + 1};
    g.field[1].elements = jac->m;
    return g;
}

/* X, then numbers N_i as rows; Y_i = X op(N_i). */
static void sketch_places(sketch *s, const jt_jacobian *jac, const double *x, int64_t n, bool transpose)
{
    int64_t in = transpose ? jt_jacobian_cols(jac) : jt_jacobian_rows(jac), values[PLACES];
    int64_t out = transpose ? jt_jacobian_rows(jac) : jt_jacobian_cols(jac);
    jc_jacobian of_x = JC_JACOBIAN_INIT(JC_DENSE), of_n = JC_JACOBIAN_INIT(JC_DENSE);
    of_x.values = jc_array_2d(JC_F64, ROWS_OF_X, in, x);
    of_n.values = (jc_array){JC_F64, 3, {PLACES, 1, n}, jac->values.number, JC_BORROW, 0};
    sketch_init(s);
    add_edges(s, 1, &of_x, ROWS_OF_X, in);
    add_edges(s, PLACES, &of_n, 1, n);
    sketch_plan(s);
    jc_group group = group_of(jac, n);
    int64_t made = add_made(s, &group, -1, 0), X = add_value(s, ROWS_OF_X, in);
    add_step(s, (jc_step){.a = JC_SEED_IDENTITY, .b = 0, .n_rows = ROWS_OF_X, .first = true});
    for (int64_t i = 0; i < PLACES; i++) {
        values[i] = add_value(s, 1, n);
        add_step(s, (jc_step){.a = JC_SEED_IDENTITY, .b = 1 + i, .n_rows = 1, .first = true});
    }
    end_level(s);
    for (int64_t i = 0; i < PLACES; i++) {
        add_output(s, add_value(s, ROWS_OF_X, out));
        jc_step step = {.a = X, .b = add_operand(s, made, 0, values[i]), .n_rows = ROWS_OF_X, .first = true};
        step.transpose = transpose;
        add_step(s, step);
    }
    end_level(s);
}

static void expect_places(jc_run *run, jt_pool *pool, const jt_jacobian *jac, const double *x, bool transpose)
{
    int64_t rows = jt_jacobian_rows(jac), cols = jt_jacobian_cols(jac);
    int64_t in = transpose ? cols : rows, out = transpose ? rows : cols;
    for (int64_t e = 0; e < PLACES; e++) {
        const double *D = jt_jacobian_dense(pool, jac, e, false);
        for (int64_t k = 0; k < ROWS_OF_X * out; k++) {
            double sum = 0, got = result_entry(run, e, k);
            for (int64_t i = 0; i < in; i++)
                sum += x[k / out * in + i] * (transpose ? D[k % out * cols + i] : D[i * cols + k % out]);
            cr_assert_eq(got, sum, "%s, value %lld, entry %lld: %g, not %g", jc_kind_name(jac->kind), (long long)e,
                         (long long)k, got, sum);
        }
    }
}

/* All members have the pattern of member 0. */
static void check_places(const jt_shape *shape, bool transpose, jc_precision precision, uint64_t seed)
{
    static sketch s;
    jt_pool pool = {0};
    jt_rng rng = {seed};
    jc_run *run;
    jt_jacobian jac = jt_jacobian_random(&pool, &rng, &rng, shape, JT_SMALL, JC_F64, JC_I64, 0);
    for (int64_t e = 1; e < PLACES && jac.kind == JC_CSR; e++) {
        memcpy(jac.indptr.index + e * jac.indptr.block, jac.indptr.index, (size_t)jac.indptr.block * sizeof(int64_t));
        memcpy(jac.indices.index + e * jac.m, jac.indices.index, (size_t)jac.m * sizeof(int64_t));
    }
    int64_t n = jac.values.block * jac.batch, in = transpose ? jt_jacobian_cols(&jac) : jt_jacobian_rows(&jac);
    double *x = small_integers(&pool, &rng, ROWS_OF_X * in);
    sketch_places(&s, &jac, x, n, transpose);
    jt_device_begin(seed, NULL);
    jc_program *program = program_on(&s.plan, &jt_standin_backend.base, precision);
    jt_ok(jc_run_create(program, &run), "run");
    for (int i = 0; i < 2; i++) jt_ok(jc_run_execute(run), "execute");
    expect_places(run, &pool, &jac, x, transpose);
    jc_run_destroy(run);
    jc_program_destroy(program);
    jt_device_end("values of one group");
    jc_graph_destroy(s.graph);
    jt_pool_free(&pool);
}

Test(device, values_of_one_group_are_told_apart)
{
    static const jc_kind kinds[] = {JC_DENSE, JC_DIAGONAL, JC_CSR};
    if (!jt_device_there() || jt_device_run()) return;
    for (uint64_t seed = 0; seed < 96; seed++) {
        jt_shape shape = {.kind = kinds[seed % 3], .inner = 1, .p = 9, .q = 7, .members = PLACES};
        shape.transpose = seed / 3 % 2;
        shape.batch = shape.kind == JC_DENSE && seed / 6 % 2 ? 3 : 1, shape.batched = shape.batch > 1;
        if (shape.kind == JC_DIAGONAL) shape.q = shape.p;
        check_places(&shape, seed / 12 % 2, precisions[seed / 24], seed);
    }
}

/* ---- walks ------------------------------------------------------------------------------------------------------- */

enum { DEPTH = 12 };

/* r_(l+1) = r_l V_l, where V_l is a value of the level of r_l: copied from edge l; r_0 = row 0 of edge DEPTH. */
static void sketch_rows(sketch *s, const double *numbers)
{
    jc_jacobian squares = JC_JACOBIAN_INIT(JC_DENSE);
    squares.values = (jc_array){JC_F64, 3, {DEPTH + 1, SIDE, SIDE}, numbers, JC_BORROW, 0};
    sketch_init(s);
    add_edges(s, DEPTH + 1, &squares, SIDE, SIDE);
    sketch_plan(s);
    jc_group square = dense_group(SIDE, SIDE, true);
    int64_t made = add_made(s, &square, -1, 0), row = -1, value = -1;
    for (int64_t l = 0; l <= DEPTH; l++) {
        int64_t b = l ? add_operand(s, made, 0, value) : DEPTH, a = l ? row : JC_SEED_IDENTITY;
        row = add_value(s, 1, SIDE);
        add_step(s, (jc_step){.a = a, .b = b, .n_rows = 1, .first = true});
        if (l < DEPTH) {
            value = add_value(s, SIDE, SIDE);
            add_step(s, (jc_step){.a = JC_SEED_IDENTITY, .b = l, .n_rows = SIDE, .first = true});
        }
        end_level(s);
    }
    add_output(s, row);
}

static void expect_row(jc_run *run, const double *numbers)
{
    double r[2][SIDE];
    memcpy(r[0], numbers + DEPTH * SQUARE, sizeof r[0]);
    for (int64_t l = 0; l < DEPTH; l++)
        for (int64_t j = 0; j < SIDE; j++) {
            r[(l + 1) % 2][j] = 0;
            for (int64_t i = 0; i < SIDE; i++) r[(l + 1) % 2][j] += r[l % 2][i] * numbers[l * SQUARE + i * SIDE + j];
        }
    for (int64_t j = 0; j < SIDE; j++)
        cr_assert_eq(result_entry(run, 0, j), r[DEPTH % 2][j], "entry %lld", (long long)j);
}

static void prefer_walks(int64_t crossover[JC_CUDA_CROSSOVERS])
{
    for (int i = 0; i < JC_CUDA_CROSSOVERS; i++) crossover[i] = never;
    crossover[JC_CUDA_WALK_PHASES] = 1;
}

/* The kernel of a walk takes it for granted that nobody writes Jacobians while it runs: the emulation finds it where
 * somebody does. */
Test(device, a_walk_multiplies_by_no_value_that_it_writes)
{
    static sketch s;
    jt_pool pool = {0};
    jt_rng rng = {2};
    double *numbers = small_integers(&pool, &rng, (DEPTH + 1) * SQUARE);
    int64_t crossover[JC_CUDA_CROSSOVERS];
    jc_cuda_backend backend = jt_standin_backend;
    if (!jt_device_there() || jt_device_run()) return;
    prefer_walks(crossover);
    backend.crossovers = crossover;
    sketch_rows(&s, numbers);
    for (uint64_t seed = 0; seed < 8; seed++) {
        jc_run *run;
        jt_device_begin(seed, NULL);
        jc_program *program = program_on(&s.plan, &backend.base, JC_PRECISION_F64);
        cr_assert_gt(((const jc_cuda_program *)program->impl)->phases.count, 0, "no walk at all");
        jt_ok(jc_run_create(program, &run), "run");
        for (int i = 0; i < 2; i++) jt_ok(jc_run_execute(run), "execute");
        expect_row(run, numbers);
        jc_run_destroy(run);
        jc_program_destroy(program);
        jt_device_end("a walk");
    }
    jc_graph_destroy(s.graph);
    jt_pool_free(&pool);
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

static void expect_rows(const jc_run *run, int64_t value, const double *dense, int64_t row0, int64_t in,
                        const char *what)
{
    const jc_program *program = run->program;
    const jc_value *v = &program->plan->values[value];
    double *rows = calloc((size_t)(v->rows * v->cols), sizeof *rows);
    jt_ok(program->backend->read(run, value, 0, v->rows, rows), "read");
    for (int64_t i = 0; i < v->rows * v->cols; i++) {
        int64_t row = row0 + i / v->cols;
        double expected = row < in ? dense[row * v->cols + i % v->cols] : 0;
        cr_assert_eq(rows[i], expected, "%s: entry %lld from row %lld: %g, not %g", what, (long long)i, (long long)row0,
                     rows[i], expected);
    }
    free(rows);
}

/* Both copied from one edge, all of whose rows value 0 has and a window of them value 1. */
static void check_window(const jt_shape *shape, uint64_t seed)
{
    static sketch s;
    jt_pool pool = {0};
    jt_rng rng = {seed};
    jt_jacobian jac = jt_jacobian_random(&pool, &rng, &rng, shape, JT_SMALL, JC_F64, JC_I32, 0);
    int64_t rows = jt_jacobian_rows(&jac), cols = jt_jacobian_cols(&jac);
    const double *dense = jt_jacobian_dense(&pool, &jac, 0, false);
    jc_jacobian public = jt_jacobian_public(&pool, &jac, false);
    jc_run *run;
    sketch_init(&s);
    add_edges(&s, 1, &public, rows, cols);
    sketch_plan(&s);
    for (int whole = 1; whole >= 0; whole--) {
        int64_t n = whole ? rows : 2;
        add_output(&s, add_value(&s, n, cols));
        add_step(&s, (jc_step){.a = JC_SEED_IDENTITY, .b = 0, .n_rows = n, .first = true, .whole = whole});
    }
    end_level(&s);
    s.plan.row_limit = 2;
    jt_device_begin(seed, NULL);
    jc_program *program = program_on(&s.plan, &jt_standin_backend.base, JC_PRECISION_F64);
    jt_ok(jc_run_create(program, &run), "run");
    for (int64_t row0 = 0; row0 < rows; row0 += 2) {
        jt_ok(jc_run_execute_pass(run, &(jc_pass){.row0 = row0, .rows = 2}), "execute");
        expect_rows(run, 0, dense, 0, rows, jc_kind_name(shape->kind));
        expect_rows(run, 1, dense, row0, rows, jc_kind_name(shape->kind));
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    jt_device_end("windows");
    jc_graph_destroy(s.graph);
    jt_pool_free(&pool);
}

Test(device, a_window_moves_no_rows_of_a_step_that_takes_all)
{
    static const jc_kind kinds[] = {JC_DENSE,  JC_DIAGONAL, JC_IDENTITY, JC_CSR,   JC_LOW_RANK,
                                    JC_SELECT, JC_WEIGHT,   JC_TILE,     JC_TRACE, JC_OPERATOR};
    if (!jt_device_there() || jt_device_run()) return;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            jt_shape shape = {.kind = kinds[i], .batch = 1, .inner = 1, .p = 6, .q = 6, .m = 3, .members = 1};
            if (kinds[i] == JC_WEIGHT || kinds[i] == JC_TRACE) shape.q = 8; /* h 2, w 4 */
            if (kinds[i] == JC_TILE) shape.q = 2;
            check_window(&shape, seed);
        }
}

/* ---- numbers of edges of which the plan has parts ---------------------------------------------------------------- */

enum { MEMBERS = 5, OUT = 7, IN = 6, RANK = 3, PER_U = OUT * RANK, PER_V = IN * RANK };

/* T_e = (row e of edge 0) U_e V_e^T for members of a low_rank group: value e by the edge itself, MEMBERS + e by its
 * factors, which have groups of their own. */
static void sketch_ranks(sketch *s, const double *x, const double *u, const double *v, int ownership)
{
    jc_jacobian rows = JC_JACOBIAN_INIT(JC_DENSE), ranks = JC_JACOBIAN_INIT(JC_LOW_RANK);
    rows.values = jc_array_2d(JC_F64, MEMBERS, OUT, x);
    ranks.u = (jc_array){JC_F64, 3, {MEMBERS, OUT, RANK}, u, ownership, 0};
    ranks.v = (jc_array){JC_F64, 3, {MEMBERS, IN, RANK}, v, ownership, 0};
    sketch_init(s);
    add_edges(s, 1, &rows, MEMBERS, OUT);
    add_edges(s, MEMBERS, &ranks, OUT, IN);
    sketch_plan(s);
    int64_t of = jc_graph_group_number(s->graph, 1), made[2];
    jc_group groups[2] = {dense_group(OUT, RANK, false), dense_group(IN, RANK, false)};
    for (int f = 0; f < 2; f++) {
        groups[f].n_edges = MEMBERS;
        made[f] = add_made(s, &groups[f], of, f);
    }
    add_value(s, MEMBERS, OUT);
    add_step(s, (jc_step){.a = JC_SEED_IDENTITY, .b = 0, .n_rows = MEMBERS, .first = true});
    end_level(s);
    int64_t inner[MEMBERS];
    for (int64_t e = 1; e < MEMBERS; e++) { /* members from 1 on: the copies begin with the first one used */
        inner[e] = add_value(s, 1, RANK);
        add_step(s, (jc_step){.a = 0, .a_row = e, .b = add_operand(s, made[0], e, -1), .n_rows = 1, .first = true});
    }
    end_level(s);
    for (int64_t e = 1; e < MEMBERS; e++) {
        add_output(s, add_value(s, 1, IN));
        add_step(s, (jc_step){.a = 0, .a_row = e, .b = 1 + e, .n_rows = 1, .first = true});
        int64_t b = add_operand(s, made[1], e, -1);
        add_output(s, add_value(s, 1, IN));
        add_step(s, (jc_step){.a = inner[e], .b = b, .n_rows = 1, .transpose = true, .first = true});
    }
    end_level(s);
}

static void expect_ranks(jc_run *run, const double *x, const double *u, const double *v, const char *what)
{
    for (int64_t e = 1; e < MEMBERS; e++)
        for (int64_t j = 0; j < IN; j++) {
            double sum = 0;
            for (int64_t i = 0; i < OUT; i++)
                for (int64_t r = 0; r < RANK; r++)
                    sum += x[e * OUT + i] * u[e * PER_U + i * RANK + r] * v[e * PER_V + j * RANK + r];
            for (int64_t k = 0; k < 2; k++) {
                double got = result_entry(run, 2 * (e - 1) + k, j);
                cr_assert_eq(got, sum, "%s: member %lld by %s, entry %lld: %g, not %g", what, (long long)e,
                             k ? "factors" : "edge", (long long)j, got, sum);
            }
        }
}

Test(device, numbers_bound_to_an_edge_reach_its_factors)
{
    static sketch s;
    jt_pool pool = {0};
    jt_rng rng = {3};
    const double *x = small_integers(&pool, &rng, MEMBERS * OUT);
    const double *u[2], *v[2];
    jc_run *run;
    if (!jt_device_there() || jt_device_run()) return;
    for (int i = 0; i < 2; i++)
        u[i] = small_integers(&pool, &rng, MEMBERS * PER_U), v[i] = small_integers(&pool, &rng, MEMBERS * PER_V);
    sketch_ranks(&s, x, u[0], v[0], JC_BORROW);
    jt_device_begin(1, NULL);
    jc_program *program = program_on(&s.plan, &jt_standin_backend.base, JC_PRECISION_F64);
    jt_ok(jc_run_create(program, &run), "run");
    jt_ok(jc_run_execute(run), "execute");
    expect_ranks(run, x, u[0], v[0], "the graph's");
    jt_ok(jc_run_bind_jacobian(run, 1, "u", JC_F64, u[1]), "u");
    jt_ok(jc_run_execute(run), "execute");
    expect_ranks(run, x, u[1], v[0], "another u");
    jt_ok(jc_run_bind_jacobian(run, 1, "v", JC_F64, v[1]), "v");
    jt_ok(jc_run_execute(run), "execute");
    expect_ranks(run, x, u[1], v[1], "another u and v");
    const jc_cuda_run *r = run->impl;
    cr_assert_eq(r->own.count, 0, "the edge and its factors share one copy, which nothing else uses");
    jc_run_destroy(run);
    jc_program_destroy(program);
    jt_device_end("factors");
    jc_graph_destroy(s.graph);
    jt_pool_free(&pool);
}

/* A field of all members on the device, rows RANK + 2 apart, members with one number between them. */
static jc_cuda_array spread(const jt_target *t, jt_pool *pool, const double *numbers, int64_t rows)
{
    enum { LD = RANK + 2 };
    int64_t member = rows * LD + 1;
    double *host = jt_alloc(pool, MEMBERS * member, sizeof *host);
    memset(host, 0xFF, (size_t)(MEMBERS * member) * sizeof *host);
    for (int64_t i = 0; i < MEMBERS * rows; i++)
        memcpy(host + i / rows * member + i % rows * LD, numbers + i * RANK, RANK * sizeof *host);
    jc_cuda_array a = {.dtype = JC_F64, .ld = LD, .member_stride = member};
    a.d_data = jt_device_memory(t, MEMBERS * member * (int64_t)sizeof *host);
    jt_to_device(t, a.d_data, host, MEMBERS * member * (int64_t)sizeof *host);
    return a;
}

Test(device, addresses_bound_to_an_edge_reach_its_factors)
{
    static sketch s;
    jt_pool pool = {0};
    jt_rng rng = {4};
    jt_target t;
    const double *x = small_integers(&pool, &rng, MEMBERS * OUT);
    const double *u[2], *v[2];
    void *d_memory[4];
    jc_run *run;
    if (!jt_device_there() || jt_device_run() || !jt_target_begin(&t, 1)) return;
    for (int i = 0; i < 2; i++)
        u[i] = small_integers(&pool, &rng, MEMBERS * PER_U), v[i] = small_integers(&pool, &rng, MEMBERS * PER_V);
    sketch_ranks(&s, x, NULL, NULL, JC_DEVICE);
    jc_program *program = program_on(&s.plan, &t.backend->base, JC_PRECISION_F64);
    jt_ok(jc_run_create(program, &run), "run");
    cr_assert_eq(jc_cuda_execute(run, t.stream), JC_E_USAGE, "nothing is bound");
    for (int i = 0; i < 2; i++) {
        jc_cuda_array a = spread(&t, &pool, u[i], OUT), b = spread(&t, &pool, v[i], IN);
        jc_cuda_rebind what = JC_CUDA_REBIND_NOTHING;
        d_memory[2 * i] = a.d_data, d_memory[2 * i + 1] = b.d_data;
        jt_ok(jc_cuda_bind_jacobian(run, 2, "u", &a, &what), "u");
        cr_assert_neq(what, JC_CUDA_REBIND_NOTHING);
        jt_ok(jc_cuda_bind_jacobian(run, 3, "v", &b, &what), "v");
        jt_ok(jc_cuda_execute(run, t.stream), "execute");
        jt_ok(jc_cuda_status(run), "status");
        expect_ranks(run, x, u[i], v[i], i ? "bound again" : "bound");
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    for (int i = 0; i < 4; i++) jt_device_free(&t, d_memory[i]);
    jt_target_end(&t, "addresses of factors");
    jc_graph_destroy(s.graph);
    jt_pool_free(&pool);
}

/* ---- a batch that is several calls ------------------------------------------------------------------------------- */

/* Y_e = X D_e, e = 0, 1, for two edges of one shape that are bound by address. */
static void sketch_two(sketch *s, const double *x)
{
    jc_jacobian rows = JC_JACOBIAN_INIT(JC_DENSE), d = JC_JACOBIAN_INIT(JC_DENSE);
    rows.values = jc_array_2d(JC_F64, MEMBERS, OUT, x);
    d.values = jc_array_2d(JC_F64, OUT, RANK, NULL);
    d.values.ownership = JC_DEVICE;
    sketch_init(s);
    add_edges(s, 1, &rows, MEMBERS, OUT);
    for (int e = 0; e < 2; e++) add_edges(s, 1, &d, OUT, RANK);
    sketch_plan(s);
    add_value(s, MEMBERS, OUT);
    add_step(s, (jc_step){.a = JC_SEED_IDENTITY, .b = 0, .n_rows = MEMBERS, .first = true});
    end_level(s);
    for (int e = 0; e < 2; e++) {
        add_output(s, add_value(s, MEMBERS, RANK));
        add_step(s, (jc_step){.a = 0, .b = 1 + e, .n_rows = MEMBERS, .first = true});
    }
    end_level(s);
}

static void expect_two(jc_run *run, const double *x, const double *const d[2], const char *what)
{
    for (int64_t k = 0; k < 2 * MEMBERS * RANK; k++) {
        int64_t e = k / (MEMBERS * RANK), row = k / RANK % MEMBERS, col = k % RANK;
        double sum = 0, got = result_entry(run, e, row * RANK + col);
        for (int64_t i = 0; i < OUT; i++) sum += x[row * OUT + i] * d[e][i * RANK + col];
        cr_assert_eq(got, sum, "%s: edge %lld, row %lld, column %lld: %g, not %g", what, (long long)e, (long long)row,
                     (long long)col, got, sum);
    }
}

/* Rows `gap` more than RANK numbers apart. */
static void bind_apart(const jt_target *t, jc_run *run, int64_t edge, const double *numbers, int64_t gap, void **d_data)
{
    double host[OUT * (RANK + 4)];
    int64_t ld = RANK + gap;
    for (int64_t i = 0; i < OUT * RANK; i++) host[i / RANK * ld + i % RANK] = numbers[i];
    *d_data = jt_device_memory(t, (int64_t)sizeof host);
    jt_to_device(t, *d_data, host, OUT * ld * (int64_t)sizeof *host);
    const jc_cuda_array a = {.dtype = JC_F64, .d_data = *d_data, .ld = ld};
    jt_ok(jc_cuda_bind_jacobian(run, edge, "values", &a, NULL), "bind");
}

Test(device, a_batch_of_products_with_different_gaps_follows_new_addresses)
{
    static sketch s;
    jt_pool pool = {0};
    jt_rng rng = {5};
    jt_target t;
    const double *x = small_integers(&pool, &rng, MEMBERS * OUT), *d[2];
    void *d_memory[4];
    int64_t crossover[JC_CUDA_CROSSOVERS];
    jc_run *run;
    if (!jt_target_begin(&t, 1)) return;
    jc_cuda_backend backend = *t.backend;
    for (int i = 0; i < JC_CUDA_CROSSOVERS; i++) crossover[i] = jc_cuda_crossovers[i].value;
    crossover[JC_CUDA_GEMM_WORK] = 1, backend.crossovers = crossover;
    sketch_two(&s, x);
    jc_program *program = program_on(&s.plan, &backend.base, JC_PRECISION_F64);
    jt_ok(jc_run_create(program, &run), "run");
    for (int i = 0; i < 4; i++) { /* the first one with gaps, then the second one at two addresses */
        d[i > 0] = small_integers(&pool, &rng, OUT * RANK);
        bind_apart(&t, run, i > 0 ? 2 : 1, d[i > 0], i == 0 ? 3 : 0, &d_memory[i]);
        if (i == 0) continue;
        jt_ok(jc_cuda_execute(run, t.stream), "execute");
        jt_ok(jc_cuda_status(run), "status");
        expect_two(run, x, d, "bound");
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    for (int i = 0; i < 4; i++) jt_device_free(&t, d_memory[i]);
    jt_target_end(&t, "a batch");
    jc_graph_destroy(s.graph);
    jt_pool_free(&pool);
}
