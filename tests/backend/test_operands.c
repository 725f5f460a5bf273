/* Steps whose Jacobian is not an edge's: a computed value of the plan, or a group that stands for numbers of the graph.
 * Plans made by hand, on every backend, against sums of dense matrices. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "standin/device.h"
#include "support/compute.h"
#include "support/exact_backend.h"
#include "support/jacobian.h"
#include "support/oracle.h"

/* What is tested: Y = X op(B) + rows 0 .. of op(B), where B is `jacobian`, with the numbers of value 0, which is copied
 * from edge 0, or those that edge 2 has in the graph. X is copied from edge 1. */
typedef struct scene {
    jt_pool pool;
    jt_jacobian jacobian, edge; /* B, and edge 2: the same, or what B is a part of */
    int of_field;               /* of edge 2: the numbers */
    const char *field_name;
    jc_graph *graph;
    int64_t rows, cols; /* of op(B) */
    bool transpose;
    int64_t k, copied;       /* rows of X; rows of op(B) that are added */
    double *X, *B;           /* [k x rows], op(B) */
    int64_t N;               /* numbers of B */
    bool flat;               /* X is held as two rows of half the length: k is 1 */
    double *numbers, *twice; /* [N] */
    jc_made made;
    jc_operand operand;
    jc_value values[4];
    jc_step steps[4];
    int64_t levels[3], of[3], wrt[3], jacobians[3];
    jc_output output;
    jc_plan plan;
} scene;

static jc_jacobian dense_edge(int64_t rows, int64_t cols, const double *numbers)
{
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.values = jc_array_2d(JC_F64, rows, cols, numbers);
    return j;
}

static void add_edge(jc_graph *g, int64_t rows, int64_t cols, const jc_jacobian *jacobian)
{
    int64_t of, wrt;
    char name[2][24];
    for (int i = 0; i < 2; i++) snprintf(name[i], sizeof name[i], "%c%lld", "yx"[i], (long long)g -> n_edges);
    jt_ok(jc_graph_add_variable(g, name[0], rows, &of), "y");
    jt_ok(jc_graph_add_variable(g, name[1], cols, &wrt), "x");
    jt_ok(jc_graph_add_edge(g, of, wrt, jacobian, NULL, 0), "edge");
}

static void make_graph(scene *s, jt_rng *rng)
{
    const jt_field *field = jt_jacobian_numbers(&s->jacobian);
    int64_t m = jt_jacobian_rows(&s->jacobian), n = jt_jacobian_cols(&s->jacobian);
    double *dense = jt_jacobian_dense(&s->pool, &s->jacobian, 0, false);
    s->N = field->block * (field->batched ? s->jacobian.batch : 1);
    s->numbers = field->number;
    s->twice = jt_alloc(&s->pool, s->N, sizeof *s->twice);
    for (int64_t i = 0; i < s->N; i++) s->twice[i] = 2 * s->numbers[i];
    s->rows = s->transpose ? n : m, s->cols = s->transpose ? m : n;
    s->X = jt_alloc(&s->pool, s->k * s->rows, sizeof *s->X);
    for (int64_t i = 0; i < s->k * s->rows; i++) s->X[i] = (double)jt_between(rng, -2, 2);
    s->B = jt_alloc(&s->pool, m * n, sizeof *s->B);
    for (int64_t i = 0; i < m * n; i++) s->B[s->transpose ? i % n * m + i / n : i] = dense[i];
    int64_t p = s->N % s->jacobian.p ? 1 : s->jacobian.p, k = s->flat ? 2 : s->k;
    jc_jacobian of_numbers = dense_edge(p, s->N / p, s->numbers), of_x = dense_edge(k, s->k * s->rows / k, s->X);
    jc_jacobian public = jt_jacobian_public(&s->pool, &s->edge, false);
    jt_ok(jc_graph_create(NULL, &s->graph), "graph");
    add_edge(s->graph, p, s->N / p, &of_numbers);
    add_edge(s->graph, k, s->k * s->rows / k, &of_x);
    add_edge(s->graph, jt_jacobian_rows(&s->edge), jt_jacobian_cols(&s->edge), &public);
    jt_ok(jc_graph_finish(s->graph), "finish");
}

/* B as a group: with the numbers of value 0 (in_arena), or those of the graph. */
static void make_operand(scene *s, bool in_arena)
{
    const jt_jacobian *b = &s->jacobian;
    const jc_group *group = jc_graph_group(s->graph, 2);
    int f = b->kind == JC_CSR ? 2 : 0;
    s->made = (jc_made){.group = {.n_edges = 1, .has_numbers = true, .scale = 1.0, .ragged = -1}, .of_group = -1};
    if (b->kind == s->edge.kind) s->made.group = *group;
    s->made.group.shape = (jc_shape){b->kind, b->transpose, b->batch, b->inner, b->p, b->q, b->m, s->rows, s->cols};
    if (s->transpose) s->made.group.shape.rows = s->cols, s->made.group.shape.cols = s->rows;
    jc_field field = {.batched = jt_jacobian_numbers(&s->jacobian)->batched, .elements = s->N, .dtype = JC_F64};
    if (in_arena)
        field.in_arena = true, field.stride = 64;
    else
        s->made.of_group = jc_graph_group_number(s->graph, 2), s->made.of_field = s->of_field;
    s->made.group.field[f] = field;
    s->operand = (jc_operand){.value = in_arena ? 0 : -1};
}

static void make_plan(scene *s)
{
    jc_step product = {.a = 1, .b = -1, .n_rows = s->k, .transpose = s->transpose, .first = true};
    jc_step copy = {.a = JC_SEED_IDENTITY, .b = -1, .n_rows = s->copied, .transpose = s->transpose};
    int64_t p = s->N % s->jacobian.p ? 1 : s->jacobian.p, k = s->flat ? 2 : s->k;
    s->values[0] = (jc_value){.rows = p, .cols = s->N / p};
    s->values[1] = (jc_value){.rows = k, .cols = s->k * s->rows / k, .first_step = 1};
    s->values[2] = (jc_value){.rows = s->k, .cols = s->cols, .first_step = 2};
    s->values[3] = (jc_value){.first_step = 4};
    s->steps[0] = (jc_step){.a = JC_SEED_IDENTITY, .b = 0, .n_rows = p, .first = true, .whole = true};
    s->steps[1] = (jc_step){.a = JC_SEED_IDENTITY, .b = 1, .n_rows = k, .first = true};
    s->steps[2] = product, s->steps[3] = copy;
    s->levels[1] = 2, s->levels[2] = 3;
    for (int64_t e = 0; e < 3; e++) s->of[e] = 2 * e, s->wrt[e] = 2 * e + 1, s->jacobians[e] = e;
    s->output = (jc_output){.rows = s->k, .cols = s->cols, .value = 2};
    s->plan = (jc_plan){.graph = s->graph, .allocator = s->graph->allocator, .per_sample = 1, .eliminates = true};
    s->plan.order = JC_ORDER_ELIMINATION;
    s->plan.values = s->values, s->plan.n_values = 3, s->plan.steps = s->steps, s->plan.n_steps = 4;
    s->plan.levels = s->levels, s->plan.n_levels = 2, s->plan.outputs = &s->output, s->plan.n_outputs = 1;
    jc_subgraph *g = &s->plan.subgraph;
    g->n_edges = 3, g->of = s->of, g->wrt = s->wrt, g->jacobian = s->jacobians;
    g->made = (jc_vec){.data = &s->made, .count = 1, .element_bytes = sizeof s->made};
    g->operands = (jc_vec){.data = &s->operand, .count = 1, .element_bytes = sizeof s->operand};
}

/* Entry (i, j) of Y. */
static double expected(const scene *s, int64_t i, int64_t j)
{
    double sum = i < s->copied ? s->B[i * s->cols + j] : 0;
    for (int64_t l = 0; l < s->rows; l++) sum += s->X[i * s->rows + l] * s->B[l * s->cols + j];
    return sum;
}

/* The first `rows` rows of a result are rows row0 .. of factor Y. */
static void judge(const scene *s, const jt_backend *backend, const jc_result *r, double factor, int64_t row0,
                  int64_t rows, const char *what)
{
    for (int64_t i = 0; i < rows * s->cols; i++) {
        double e = factor * expected(s, row0 + i / s->cols, i % s->cols);
        bool same = jt_is_exact(backend) ? ((const uint64_t *)r->data)[i] == jt_modulo(e)
                    : r->dtype == JC_F32 ? ((const float *)r->data)[i] == (float)e
                                         : ((const double *)r->data)[i] == e;
        cr_assert(same, "%s, %s: %s %lld x %lld%s%s, batch %lld, k %lld: entry %lld", what, backend->name,
                  jc_kind_name(s->jacobian.kind), (long long)s->jacobian.p, (long long)s->jacobian.q,
                  s->jacobian.transpose ? " transposed" : "", s->transpose ? ", by its transpose" : "",
                  (long long)s->jacobian.batch, (long long)s->k, (long long)i);
    }
}

static jc_program *program_of(const scene *s, const jt_backend *backend)
{
    jc_program *program;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.precision = backend->precision, options.threads = backend->threads, options.backend = backend->name;
    if (jt_is_exact(backend))
        jt_ok(jc_program_create_on(&s->plan, &jt_exact_backend, &options, &program), "program");
    else if (jt_is_standin(backend))
        jt_ok(jc_program_create_on(&s->plan, &jt_standin_backend.base, &options, &program), "program");
    else
        jt_ok(jc_program_create(&s->plan, &options, &program), "program");
    return program;
}

/* Runs the plan, then with other numbers bound to the edge that they come from. */
static void run_on(const scene *s, const jt_backend *backend, int64_t edge, const char *what)
{
    if (jt_is_standin(backend)) jt_device_begin((uint64_t)s->N, NULL);
    jc_program *program = program_of(s, backend);
    jc_run *run;
    jc_result r;
    jt_ok(jc_run_create(program, &run), "run");
    const char *field = edge == 2 ? s->field_name : "values";
    for (int pass = 1; pass <= 2; pass++) {
        if (pass == 2) jt_ok(jc_run_bind_jacobian(run, edge, field, JC_F64, s->twice), "bind");
        jt_ok(jc_run_execute(run), "execute");
        jt_ok(jc_run_result(run, 0, &r), "result");
        judge(s, backend, &r, pass, 0, s->k, what);
    }
    if (s->k >= 4 && s->copied == s->k) { /* its whole steps take what is bound anew */
        jt_ok(jc_run_bind_jacobian(run, edge, field, JC_F64, s->numbers), "bind");
        jt_ok(jc_run_execute_pass(run, &(jc_pass){.row0 = 1, .rows = 2}), "execute a window");
        jt_ok(jc_run_result(run, 0, &r), "result");
        judge(s, backend, &r, 1, 1, 2, "a window");
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    if (jt_is_standin(backend)) jt_device_end(what);
}

static void check_scene(scene *s, jt_rng *rng)
{
    make_graph(s, rng);
    s->copied = s->k < s->rows ? s->k : s->rows;
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int in_arena = 0; in_arena < 2; in_arena++) {
        make_operand(s, in_arena);
        make_plan(s);
        for (int b = 0; b < n; b++)
            run_on(s, &backends[b], in_arena ? 0 : 2, in_arena ? "a value" : "numbers of the graph");
    }
    jc_graph_destroy(s->graph);
}

static int64_t check(const jt_shape *shape, bool transpose, int64_t k, uint64_t seed)
{
    jt_rng rng = {seed};
    scene s = {.transpose = transpose, .k = k, .field_name = "values"};
    s.jacobian = jt_jacobian_random(&s.pool, &rng, &rng, shape, JT_SMALL, JC_F64, seed % 2 ? JC_I32 : JC_I64, 0);
    s.edge = s.jacobian;
    s.of_field = s.edge.kind == JC_CSR ? 2 : 0;
    bool empty = !jt_jacobian_numbers(&s.jacobian)->block; /* a csr one without entries */
    int64_t rows = transpose ? jt_jacobian_cols(&s.jacobian) : jt_jacobian_rows(&s.jacobian);
    s.flat = k == 1 && rows % 2 == 0;
    if (!empty) check_scene(&s, &rng);
    jt_pool_free(&s.pool);
    return !empty;
}

Test(operands, computed_values_and_parts_of_the_graph_multiply_as_edges_do)
{
    static const jc_kind kinds[] = {JC_DENSE, JC_DIAGONAL, JC_CSR};
    static const int64_t sizes[][2] = {{1, 1}, {3, 2}, {8, 8}, {5, 7}, {16, 16}, {64, 48}};
    static const int64_t widths[] = {1, 4, 70};
    uint64_t seed = 0;
    int64_t checked = 0;
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 6; j++)
            for (int variant = 0; variant < 2 * 2 * 2 * 3; variant++) {
                jt_shape s = {.kind = kinds[i], .inner = 1, .p = sizes[j][0], .q = sizes[j][1], .members = 1};
                s.transpose = variant & 1, s.batch = variant & 2 ? 3 : 1, s.batched = variant & 2;
                if (s.kind == JC_DIAGONAL) s.q = s.p;
                checked += check(&s, variant & 4, widths[variant / 8], seed++);
            }
    cr_assert_gt(checked, 350);
}

/* A factor of a low_rank edge is a dense one of p (or q) x m. */
Test(operands, factors_of_low_rank_edges_are_dense)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        jt_rng rng = {seed};
        jt_shape shape = {.kind = JC_LOW_RANK, .inner = 1, .p = 1 + jt_below(&rng, 9), .members = 1};
        shape.q = 1 + jt_below(&rng, 9), shape.m = 1 + jt_below(&rng, 4);
        shape.batch = 1 + jt_below(&rng, 3), shape.batched = shape.batch > 1 && jt_below(&rng, 2);
        scene s = {.transpose = jt_below(&rng, 2), .k = 1 + jt_below(&rng, 6)};
        s.edge = jt_jacobian_random(&s.pool, &rng, &rng, &shape, JT_SMALL, JC_F64, JC_I64, 0);
        s.of_field = (int)jt_below(&rng, 2);
        s.field_name = s.of_field ? "v" : "u";
        s.jacobian = (jt_jacobian){.kind = JC_DENSE, .transpose = jt_below(&rng, 2), .batch = shape.batch, .inner = 1};
        s.jacobian.p = s.of_field ? shape.q : shape.p, s.jacobian.q = shape.m, s.jacobian.members = 1;
        s.jacobian.values = s.of_field ? s.edge.v : s.edge.u;
        s.jacobian.scales = s.edge.scales;
        check_scene(&s, &rng);
        jt_pool_free(&s.pool);
    }
}

/* The numbers of csr ones, in one row. */
Test(operands, the_values_of_csr_edges_are_a_row)
{
    int64_t checked = 0;
    for (uint64_t seed = 0; seed < 100; seed++) {
        jt_rng rng = {seed};
        jt_shape shape = {.kind = JC_CSR, .inner = 1, .p = 1 + jt_below(&rng, 9), .q = 1 + jt_below(&rng, 9)};
        shape.members = 1, shape.batch = 1 + jt_below(&rng, 3), shape.batched = shape.batch > 1;
        scene s = {.transpose = jt_below(&rng, 2), .k = 1 + jt_below(&rng, 6), .of_field = 2, .field_name = "values"};
        s.edge = jt_jacobian_random(&s.pool, &rng, &rng, &shape, JT_SMALL, JC_F64, JC_I64, 0);
        s.jacobian = (jt_jacobian){.kind = JC_DENSE, .batch = 1, .inner = 1, .p = 1, .members = 1};
        s.jacobian.q = s.edge.values.block * shape.batch;
        s.jacobian.scales = s.edge.scales;
        s.jacobian.values = (jt_field){.block = s.jacobian.q, .number = s.edge.values.number, .dtype = JC_F64};
        if (s.jacobian.q) check_scene(&s, &rng), checked++;
        jt_pool_free(&s.pool);
    }
    cr_assert_gt(checked, 80);
}

/* ---- many small products in one level, which the host takes in the order of their Jacobians ---- */

enum { MANY = 100, SIDE = 8 };

/* y_i = x (V_a + E_i + G_b): V_a a computed value, E_i an edge, G_b the numbers of an edge by another group's name. */
typedef struct crowd {
    jc_graph *graph;
    double numbers[MANY * SIDE * SIDE], x[SIDE];
    int64_t ends[2 * MANY + 2], jacobians[MANY + 1];
    jc_made made[2];
    jc_operand operands[2 * MANY];
    jc_value values[2 * MANY + 2];
    jc_step steps[4 * MANY + 1];
    int64_t levels[3];
    jc_output outputs[MANY];
    jc_plan plan;
} crowd;

static int64_t shuffled(int64_t i, int64_t by)
{
    return i * by % MANY;
}

static void crowd_graph(crowd *c, jt_rng *rng)
{
    int64_t of[MANY], wrt[MANY];
    for (int64_t i = 0; i < MANY * SIDE * SIDE; i++) c->numbers[i] = (double)jt_between(rng, -3, 3);
    for (int64_t i = 0; i < SIDE; i++) c->x[i] = (double)jt_between(rng, -3, 3);
    jc_jacobian squares = JC_JACOBIAN_INIT(JC_DENSE), of_x = dense_edge(1, SIDE, c->x);
    squares.values = (jc_array){JC_F64, 3, {MANY, SIDE, SIDE}, c->numbers, JC_BORROW, 0};
    jt_ok(jc_graph_create(NULL, &c->graph), "graph");
    for (int64_t i = 0; i < 2 * MANY + 2; i++) {
        char name[24];
        snprintf(name, sizeof name, "v%lld", (long long)i);
        jt_ok(jc_graph_add_variable(c->graph, name, i == 2 * MANY ? 1 : SIDE, &c->ends[i]), name);
        if (i < 2 * MANY) *(i % 2 ? &of[i / 2] : &wrt[i / 2]) = c->ends[i];
    }
    jc_array ofs = jc_array_1d(JC_I64, MANY, of), wrts = jc_array_1d(JC_I64, MANY, wrt);
    jt_ok(jc_graph_add_edges(c->graph, MANY, &ofs, &wrts, &squares, NULL, 0), "edges");
    jt_ok(jc_graph_add_edge(c->graph, c->ends[2 * MANY], c->ends[2 * MANY + 1], &of_x, NULL, 0), "x");
    jt_ok(jc_graph_finish(c->graph), "finish");
}

static void crowd_operands(crowd *c)
{
    const jc_group *group = jc_graph_group(c->graph, 0);
    c->made[0] = (jc_made){.group = *group, .of_group = -1};
    c->made[0].group.field[0].data = NULL;
    c->made[0].group.field[0].in_arena = true, c->made[0].group.field[0].stride = 64;
    c->made[1] = (jc_made){.group = *group, .of_group = jc_graph_group_number(c->graph, 0)};
    for (int64_t i = 0; i < MANY; i++) {
        c->operands[i] = (jc_operand){.made = 0, .value = i};
        c->operands[MANY + i] = (jc_operand){.made = 1, .member = i, .value = -1};
    }
    c->plan.subgraph.made = (jc_vec){.data = c->made, .count = 2, .element_bytes = sizeof c->made[0]};
    c->plan.subgraph.operands = (jc_vec){.data = c->operands, .count = 2 * MANY, .element_bytes = sizeof(jc_operand)};
}

static void crowd_steps(crowd *c)
{
    for (int64_t i = 0; i <= MANY; i++) {
        int64_t rows = i < MANY ? SIDE : 1;
        c->values[i] = (jc_value){.rows = rows, .cols = SIDE, .first_step = i};
        c->steps[i] = (jc_step){.a = JC_SEED_IDENTITY, .b = i, .n_rows = rows, .first = true};
    }
    for (int64_t i = 0; i < MANY; i++) {
        jc_step *step = &c->steps[MANY + 1 + 3 * i];
        c->values[MANY + 1 + i] = (jc_value){.rows = 1, .cols = SIDE, .first_step = MANY + 1 + 3 * i};
        step[0] = (jc_step){.a = MANY, .b = -1 - shuffled(i, 37), .n_rows = 1, .first = true};
        step[1] = (jc_step){.a = MANY, .b = i, .n_rows = 1, .transpose = i % 2};
        step[2] = (jc_step){.a = MANY, .b = -1 - MANY - shuffled(i, 71), .n_rows = 1};
        c->outputs[i] = (jc_output){.rows = 1, .cols = SIDE, .value = MANY + 1 + i};
    }
    c->values[2 * MANY + 1] = (jc_value){.first_step = 4 * MANY + 1};
    c->levels[1] = MANY + 1, c->levels[2] = 2 * MANY + 1;
}

static void crowd_plan(crowd *c)
{
    jc_plan *p = &c->plan;
    *p = (jc_plan){.graph = c->graph, .allocator = c->graph->allocator, .per_sample = 1, .eliminates = true};
    p->order = JC_ORDER_ELIMINATION;
    p->values = c->values, p->n_values = 2 * MANY + 1, p->steps = c->steps, p->n_steps = 4 * MANY + 1;
    p->levels = c->levels, p->n_levels = 2, p->outputs = c->outputs, p->n_outputs = MANY;
    for (int64_t e = 0; e <= MANY; e++) c->jacobians[e] = e;
    p->subgraph.n_edges = MANY + 1, p->subgraph.jacobian = c->jacobians;
    crowd_operands(c);
    crowd_steps(c);
}

static double crowd_expected(const crowd *c, int64_t i, int64_t j)
{
    double sum = 0;
    const double *V = c->numbers + shuffled(i, 37) * SIDE * SIDE, *E = c->numbers + i * SIDE * SIDE;
    const double *G = c->numbers + shuffled(i, 71) * SIDE * SIDE;
    for (int64_t l = 0; l < SIDE; l++)
        sum += c->x[l] * (V[l * SIDE + j] + (i % 2 ? E[j * SIDE + l] : E[l * SIDE + j]) + G[l * SIDE + j]);
    return sum;
}

Test(operands, many_small_products_by_values_edges_and_their_parts)
{
    static const jt_backend backends[] = {
        {"cpu", JC_PRECISION_F64, 1}, {"cpu", JC_PRECISION_F64, 3}, {"cpu", JC_PRECISION_F32, 2}};
    static crowd c;
    jt_rng rng = {1};
    crowd_graph(&c, &rng);
    crowd_plan(&c);
    for (int b = 0; b < 3; b++) {
        scene s = {.plan = c.plan};
        jc_program *program = program_of(&s, &backends[b]);
        jc_run *run;
        jt_ok(jc_run_create(program, &run), "run");
        jt_ok(jc_run_execute(run), "execute");
        for (int64_t i = 0; i < MANY * SIDE; i++) {
            jc_result r;
            jt_ok(jc_run_result(run, i / SIDE, &r), "result");
            double got = r.dtype == JC_F32 ? ((const float *)r.data)[i % SIDE] : ((const double *)r.data)[i % SIDE];
            cr_assert_eq(got, crowd_expected(&c, i / SIDE, i % SIDE), "%d threads: y%lld, entry %lld",
                         backends[b].threads, (long long)(i / SIDE), (long long)(i % SIDE));
        }
        jc_run_destroy(run);
        jc_program_destroy(program);
    }
    jc_graph_destroy(c.graph);
}

/* ---- what is asked of the edges of a plan, where a plan has only parts of one ---- */

typedef enum numbers_are { FLOATS, NOT_A_NUMBER, MISSING, ON_DEVICE } numbers_are;

/* A plan that uses the factors of a low_rank edge in F32, whose numbers are so. */
static void check_parts(numbers_are what)
{
    static float u[2] = {1, 2}, v[2];
    scene s = {.plan = {.per_sample = 1}};
    int64_t jacobians[2] = {-1, -2};
    jc_operand operands[2] = {{.value = -1}, {.made = 1, .value = -1}};
    jc_made made[2] = {{.of_field = 0}, {.of_field = 1}};
    jc_jacobian low_rank = JC_JACOBIAN_INIT(JC_LOW_RANK);
    v[1] = what == NOT_A_NUMBER ? (float)NAN : 1;
    low_rank.u = jc_array_2d(JC_F32, 2, 1, u), low_rank.v = jc_array_2d(JC_F32, 2, 1, v);
    if (what == MISSING) low_rank.u = low_rank.v = (jc_array){0};
    if (what == ON_DEVICE) low_rank.v.ownership = JC_DEVICE;
    jt_ok(jc_graph_create(NULL, &s.graph), "graph");
    add_edge(s.graph, 2, 2, &low_rank);
    jt_ok(jc_graph_finish(s.graph), "finish");
    s.plan.graph = s.graph, s.plan.allocator = s.graph->allocator;
    jc_subgraph *g = &s.plan.subgraph;
    g->n_edges = 2, g->jacobian = jacobians;
    g->made = (jc_vec){.data = made, .count = 2, .element_bytes = sizeof made[0]};
    g->operands = (jc_vec){.data = operands, .count = 2, .element_bytes = sizeof operands[0]};
    jc_vec edges = jc_vec_of(sizeof(int64_t));
    jt_ok(jc_plan_non_finite(&s.plan, &edges), "non-finite numbers");
    cr_assert_eq(edges.count, what == NOT_A_NUMBER);
    cr_assert_eq(jc_plan_precision(&s.plan), what == MISSING ? JC_PRECISION_F64 : JC_PRECISION_F32);
    cr_assert_eq(jc_plan_edge_without_numbers(&s.plan), what == MISSING ? 0 : -1);
    cr_assert_eq(jc_plan_edge_on_device(&s.plan), what == ON_DEVICE ? 0 : -1);
    jc_vec_free(&s.plan.allocator, &edges);
    jc_graph_destroy(s.graph);
}

Test(operands, edges_are_asked_where_only_their_factors_are_used)
{
    for (numbers_are what = FLOATS; what <= ON_DEVICE; what++) check_parts(what);
}
