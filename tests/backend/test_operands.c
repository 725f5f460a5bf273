/* Steps whose Jacobian is not an edge's: a computed value of the plan, or a group that stands for numbers of the graph.
 * Plans made by hand, on every backend of the host, against sums of dense matrices. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "support/compute.h"
#include "support/exact_backend.h"
#include "support/jacobian.h"
#include "support/oracle.h"

/* What is tested: Y = X op(B) + rows 0 .. of op(B), where B is the Jacobian of edge 2, its numbers those of value 0,
 * which are copied from edge 0; or those that edge 2 has in the graph. X is copied from edge 1. */
typedef struct scene {
    jt_pool pool;
    jt_jacobian jacobian;
    jc_graph *graph;
    int64_t rows, cols; /* of op(B) */
    bool transpose;
    int64_t k, copied; /* rows of X; rows of op(B) that are added */
    double *X, *B;     /* [k x rows], op(B) */
    int64_t N;         /* numbers of B */
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
    for (int i = 0; i < 2; i++) snprintf(name[i], sizeof name[i], "%c%lld", "yx"[i], (long long)g->n_edges);
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
    jc_jacobian of_numbers = dense_edge(1, s->N, s->numbers), of_x = dense_edge(s->k, s->rows, s->X);
    jc_jacobian public = jt_jacobian_public(&s->pool, &s->jacobian, false);
    jt_ok(jc_graph_create(NULL, &s->graph), "graph");
    add_edge(s->graph, 1, s->N, &of_numbers);
    add_edge(s->graph, s->k, s->rows, &of_x);
    add_edge(s->graph, m, n, &public);
    jt_ok(jc_graph_finish(s->graph), "finish");
}

/* The number of the field that holds numbers. */
static int number_field(jc_kind kind)
{
    int f = 0;
    while (jc_kinds[kind].field[f].is_index) f++;
    return f;
}

/* Edge 2's group, with the numbers of value 0 (in_arena) or those of the graph. */
static void make_operand(scene *s, bool in_arena)
{
    const jc_group *group = jc_graph_group(s->graph, 2);
    int f = number_field(group->shape.kind);
    s->made = (jc_made){.group = *group, .of_group = -1, .of_field = f};
    jc_field *field = &s->made.group.field[f];
    if (in_arena)
        *field = (jc_field){.batched = field->batched, .elements = s->N, .dtype = JC_F64, .in_arena = true, .stride = 64};
    else
        field->data = NULL, s->made.of_group = jc_graph_group_number(s->graph, 2);
    s->operand = (jc_operand){.value = in_arena ? 0 : -1};
}

static void make_plan(scene *s)
{
    jc_step product = {.a = 1, .b = -1, .n_rows = s->k, .transpose = s->transpose, .first = true};
    jc_step copy = {.a = JC_SEED_IDENTITY, .b = -1, .n_rows = s->copied, .transpose = s->transpose};
    s->values[0] = (jc_value){.rows = 1, .cols = s->N};
    s->values[1] = (jc_value){.rows = s->k, .cols = s->rows, .first_step = 1};
    s->values[2] = (jc_value){.rows = s->k, .cols = s->cols, .first_step = 2};
    s->values[3] = (jc_value){.first_step = 4};
    s->steps[0] = (jc_step){.a = JC_SEED_IDENTITY, .b = 0, .n_rows = 1, .first = true};
    s->steps[1] = (jc_step){.a = JC_SEED_IDENTITY, .b = 1, .n_rows = s->k, .first = true};
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

static void judge(const scene *s, const jt_backend *backend, const jc_result *r, double factor, const char *what)
{
    for (int64_t i = 0; i < s->k * s->cols; i++) {
        double e = factor * expected(s, i / s->cols, i % s->cols);
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
    options.keep_adjoints = 1;
    if (jt_is_exact(backend))
        jt_ok(jc_program_create_on(&s->plan, &jt_exact_backend, &options, &program), "program");
    else
        jt_ok(jc_program_create(&s->plan, &options, &program), "program");
    return program;
}

/* Runs the plan, then with other numbers bound to the edge that they come from. */
static void run_on(const scene *s, const jt_backend *backend, int64_t edge, const char *what)
{
    jc_program *program = program_of(s, backend);
    jc_run *run;
    jc_result r;
    jt_ok(jc_run_create(program, &run), "run");
    for (int pass = 1; pass <= 2; pass++) {
        if (pass == 2) jt_ok(jc_run_bind_jacobian(run, edge, "values", JC_F64, s->twice), "bind");
        jt_ok(jc_run_execute(run), "execute");
        jt_ok(jc_run_result(run, 0, &r), "result");
        judge(s, backend, &r, pass, what);
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
}

static int64_t check(const jt_shape *shape, bool transpose, int64_t k, uint64_t seed)
{
    jt_rng rng = {seed};
    scene s = {.transpose = transpose, .k = k};
    s.jacobian = jt_jacobian_random(&s.pool, &rng, &rng, shape, JT_SMALL, JC_F64, seed % 2 ? JC_I32 : JC_I64, 0);
    if (!jt_jacobian_numbers(&s.jacobian)->block) return jt_pool_free(&s.pool), 0; /* a csr one without entries */
    make_graph(&s, &rng);
    s.copied = k < s.rows ? k : s.rows;
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int in_arena = 0; in_arena < 2; in_arena++) {
        make_operand(&s, in_arena);
        make_plan(&s);
        for (int b = 0; b < n; b++)
            if (!jt_is_standin(&backends[b]) && strcmp(backends[b].name, "cuda") != 0)
                run_on(&s, &backends[b], in_arena ? 0 : 2, in_arena ? "a value" : "numbers of the graph");
    }
    jc_graph_destroy(s.graph);
    jt_pool_free(&s.pool);
    return 1;
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
