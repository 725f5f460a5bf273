/* Predicted against measured time of programs: what the choice of an order by time rests on. Reverse totals of layered
 * graphs (a chain has one variable a level), whose last variable has as many scalars as there are seed rows. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "core/dtype.h"
#include "core/error.h"
#include "gen/random.h"

enum { MIN_RUNS = 5, MAX_RUNS = 1000, KEY_BYTES = 128, ROW = 4 };

typedef struct predict_case {
    const char *name;
    jc_kind kind; /* dense, diagonal, csr with ROW numbers a row */
    jc_dtype dtype;
    int64_t levels, width, fan_in, size, rows;
} predict_case;

static const predict_case cases[] = {
    {"chain of scalars", JC_DENSE, JC_F64, 20000, 1, 1, 1, 1},
    {"scalars, wide levels", JC_DENSE, JC_F64, 20, 2000, 4, 1, 1},
    {"chain of 4 x 4, one row", JC_DENSE, JC_F32, 20000, 1, 1, 4, 1},
    {"chain of 16 x 16, one row", JC_DENSE, JC_F32, 20000, 1, 1, 16, 1},
    {"chain of 64 x 64, one row", JC_DENSE, JC_F32, 2000, 1, 1, 64, 1},
    {"levels of 16 x 16, one row", JC_DENSE, JC_F32, 20, 500, 4, 16, 1},
    {"levels of 16 x 16, one row", JC_DENSE, JC_F64, 20, 500, 4, 16, 1},
    {"chain of 5 x 5, 5 rows", JC_DENSE, JC_F64, 20000, 1, 1, 5, 5},
    {"chain of 16 x 16, 16 rows", JC_DENSE, JC_F32, 10000, 1, 1, 16, 16},
    {"chain of 16 x 16, 16 rows", JC_DENSE, JC_F64, 10000, 1, 1, 16, 16},
    {"chain of 16 x 16, 1024 rows", JC_DENSE, JC_F32, 200, 1, 1, 16, 1024},
    {"levels of 32 x 32, 64 rows", JC_DENSE, JC_F32, 20, 64, 4, 32, 64},
    {"levels of 32 x 32, 64 rows", JC_DENSE, JC_F64, 20, 64, 4, 32, 64},
    {"levels of 32 x 32, 2048 rows", JC_DENSE, JC_F32, 5, 16, 4, 32, 2048},
    {"chain of 64 x 64, 64 rows", JC_DENSE, JC_F32, 500, 1, 1, 64, 64},
    {"chain of 64 x 64, 64 rows", JC_DENSE, JC_F64, 500, 1, 1, 64, 64},
    {"chain of 256 x 256, 8 rows", JC_DENSE, JC_F32, 100, 1, 1, 256, 8},
    {"chain of 256 x 256, 256 rows", JC_DENSE, JC_F32, 20, 1, 1, 256, 256},
    {"chain of 1024 x 1024, one row", JC_DENSE, JC_F32, 40, 1, 1, 1024, 1},
    {"chain of 1024 x 1024, 1024 rows", JC_DENSE, JC_F32, 3, 1, 1, 1024, 1024},
    {"chain of 1024 x 1024, 1024 rows", JC_DENSE, JC_F64, 2, 1, 1, 1024, 1024},
    {"diagonals of 100, one row", JC_DIAGONAL, JC_F64, 5000, 1, 1, 100, 1},
    {"diagonals of 10^6, one row", JC_DIAGONAL, JC_F64, 20, 1, 1, 1000000, 1},
    {"diagonals of 1000, 100 rows", JC_DIAGONAL, JC_F32, 100, 1, 1, 1000, 100},
    {"csr of 1000, one row", JC_CSR, JC_F64, 1000, 1, 1, 1000, 1},
    {"csr of 1000, 100 rows", JC_CSR, JC_F64, 20, 1, 1, 1000, 100},
    {"csr of 10^5, one row", JC_CSR, JC_F32, 50, 1, 1, 100000, 1},
};

/* The arrays behind a graph. */
typedef struct numbers {
    int64_t *of, *wrt;     /* [edges] */
    void *values, *last;   /* of the edges between levels and of those to the last variable */
    int64_t *indptr, *indices;
} numbers;

static void numbers_fini(numbers *n)
{
    free(n->indices);
    free(n->indptr);
    free(n->last);
    free(n->values);
    free(n->wrt);
    free(n->of);
}

static int64_t edge_numbers(const predict_case *c)
{
    return c->kind == JC_DENSE ? c->size * c->size : c->kind == JC_CSR ? ROW * c->size : c->size;
}

/* `scale` times a random sign, so that products keep their size: nothing becomes too small for the processor's fast
 * ways. */
static void *fill(jc_dtype dtype, int64_t n, double scale)
{
    void *values = malloc((size_t)(n * jc_dtype_bytes(dtype)));
    jc_random r = jc_random_stream(1, JC_RANDOM_NUMBERS, n, 0);
    for (int64_t i = 0; values && i < n; i++) {
        double x = jc_random_bits(&r) & 1 ? scale : -scale;
        if (dtype == JC_F32)
            ((float *)values)[i] = (float)x;
        else
            ((double *)values)[i] = x;
    }
    return values;
}

/* Edge fan_in w + i of a level leads from variable (w + i) mod width of the level before to variable w. */
static void join(const predict_case *c, int64_t *of, int64_t *wrt)
{
    for (int64_t l = 0; l < c->levels; l++)
        for (int64_t w = 0; w < c->width; w++)
            for (int64_t i = 0; i < c->fan_in; i++) {
                *of++ = (l + 1) * c->width + w;
                *wrt++ = l * c->width + (w + i) % c->width;
            }
}

static bool numbers_init(numbers *n, const predict_case *c)
{
    int64_t edges = c->levels * c->width * c->fan_in, each = edge_numbers(c), in = c->fan_in * (each / c->size);
    *n = (numbers){.of = malloc((size_t)edges * sizeof *n->of), .wrt = malloc((size_t)edges * sizeof *n->wrt)};
    n->values = fill(c->dtype, edges * each, 1.0 / sqrt((double)in));
    n->last = fill(c->dtype, c->width * c->rows * c->size, 1.0);
    n->indptr = malloc((size_t)(edges * (c->size + 1)) * sizeof *n->indptr);
    n->indices = malloc((size_t)(c->kind == JC_CSR ? edges * each : 1) * sizeof *n->indices);
    if (!n->of || !n->wrt || !n->values || !n->last || !n->indptr || !n->indices) return false;
    join(c, n->of, n->wrt);
    for (int64_t e = 0; e < edges && c->kind == JC_CSR; e++) {
        for (int64_t i = 0; i <= c->size; i++) n->indptr[e * (c->size + 1) + i] = ROW * i;
        for (int64_t k = 0; k < each; k++) n->indices[e * each + k] = (k / ROW + (k % ROW) * c->size / ROW) % c->size;
        for (int64_t k = 0; k < each; k += ROW) { /* increasing in a row */
            int64_t *row = n->indices + e * each + k;
            for (int i = 0; i < ROW; i++)
                for (int j = i + 1; j < ROW; j++)
                    if (row[j] < row[i]) {
                        int64_t t = row[i];
                        row[i] = row[j], row[j] = t;
                    }
        }
    }
    return true;
}

static jc_array cube(jc_dtype dtype, int64_t n, int64_t rows, int64_t cols, const void *data)
{
    jc_array a = {dtype, 3, {n, rows, cols, 0}, data, JC_BORROW, 0};
    return a;
}

static jc_status add_levels(jc_graph *g, const predict_case *c, const numbers *n)
{
    int64_t edges = c->levels * c->width * c->fan_in, each = edge_numbers(c);
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.kind = c->kind;
    j.values = c->kind == JC_DENSE ? cube(c->dtype, edges, c->size, c->size, n->values)
                                   : jc_array_2d(c->dtype, edges, each, n->values);
    if (c->kind == JC_CSR) {
        j.indptr = jc_array_2d(JC_I64, edges, c->size + 1, n->indptr);
        j.indices = jc_array_2d(JC_I64, edges, each, n->indices);
    }
    jc_array of = jc_array_1d(JC_I64, edges, n->of), wrt = jc_array_1d(JC_I64, edges, n->wrt);
    return jc_graph_add_edges(g, edges, &of, &wrt, &j, NULL, 0);
}

static jc_status add_last(jc_graph *g, const predict_case *c, const numbers *n)
{
    int64_t last = (c->levels + 1) * c->width;
    jc_status status = JC_OK;
    for (int64_t w = 0; w < c->width && !status; w++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = jc_array_2d(c->dtype, c->rows, c->size,
                               (char *)n->last + w * c->rows * c->size * jc_dtype_bytes(c->dtype));
        status = jc_graph_add_edge(g, last, last - c->width + w, &j, NULL, 0);
    }
    return status;
}

static jc_status build(const predict_case *c, const numbers *n, jc_graph **graph)
{
    int64_t variables = (c->levels + 1) * c->width + 1, *sizes = malloc((size_t)variables * sizeof *sizes);
    if (!sizes) return jc_fail(JC_E_MEMORY, "no memory for the sizes");
    for (int64_t v = 0; v < variables; v++) sizes[v] = v + 1 < variables ? c->size : c->rows;
    jc_array array = jc_array_1d(JC_I64, variables, sizes);
    jc_graph *g = NULL;
    jc_status status = jc_graph_create(NULL, &g);
    if (!status) status = jc_graph_add_variables(g, "x", &array);
    if (!status) status = add_levels(g, c, n);
    if (!status) status = add_last(g, c, n);
    if (!status) status = jc_graph_finish(g);
    free(sizes);
    if (status)
        jc_graph_destroy(g);
    else
        *graph = g;
    return status;
}

/* The best of several executions, of half a second in all. */
static jc_status time_run(const jc_program *program, bool quick, double *best)
{
    jc_run *run = NULL;
    double total = 0;
    jc_status status = jc_run_create(program, &run);
    if (!status) status = jc_run_execute(run);
    *best = INFINITY;
    for (int i = 0; i < MAX_RUNS && !status && (i < MIN_RUNS || total < (quick ? 0.02 : 0.5)); i++) {
        double start = bench_seconds();
        status = jc_run_execute(run);
        double s = bench_seconds() - start;
        total += s;
        *best = fmin(*best, s);
    }
    jc_run_destroy(run);
    return status;
}

static jc_status measure(const predict_case *c, const bench_options *o, double *predicted, double *measured)
{
    numbers n;
    jc_graph *g = NULL;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    int64_t of = (c->levels + 1) * c->width;
    jc_program_info info = {.struct_size = sizeof info};
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.order = JC_ORDER_REVERSE;
    options.backend = o->backend, options.threads = o->threads;
    jc_status status = numbers_init(&n, c) ? build(c, &n, &g) : jc_fail(JC_E_MEMORY, "no memory for the Jacobians");
    if (!status) status = jc_plan_create(g, &q, &plan);
    if (!status) status = jc_program_create(plan, &options, &program);
    if (!status) status = jc_program_get_info(program, &info);
    if (!status) status = time_run(program, o->quick, measured);
    *predicted = info.seconds_predicted;
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_graph_destroy(g);
    numbers_fini(&n);
    return status;
}

void bench_predict(bench_report *report, const bench_options *o)
{
    bench_say(report, "\n%-40s %12s %12s %10s", "predicted", "told us", "best us", "told/best");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[KEY_BYTES];
        double predicted = 0, measured = INFINITY;
        snprintf(key, sizeof key, "%s, %s", cases[i].name, jc_dtype_name(cases[i].dtype));
        if (measure(&cases[i], o, &predicted, &measured)) {
            bench_failed(report, key, jc_last_error());
            continue;
        }
        bench_say(report, "%-40s %12.1f %12.1f %10.2f", key, 1e6 * predicted, 1e6 * measured, predicted / measured);
        bench_figures(report, key, json_pack("{s:f,s:f}", "predicted_s", predicted, "best_s", measured));
        if (o->quick) continue;
        bench_at_most(report, "predicted: told over best", predicted / measured, 3.0, "x");
        bench_at_least(report, "predicted: told over best, at least", predicted / measured, 1.0 / 3.0, "x");
    }
}
