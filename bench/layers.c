#include "layers.h"

#include <math.h>
#include <stdlib.h>

#include "bench.h"
#include "core/dtype.h"
#include "core/error.h"
#include "gen/random.h"

static void numbers_fini(bench_numbers *n)
{
    free(n->indices);
    free(n->indptr);
    free(n->last);
    free(n->values);
    free(n->wrt);
    free(n->of);
}

static int64_t edge_numbers(const bench_layers *c)
{
    return c->kind == JC_DENSE ? c->size * c->size : c->kind == JC_CSR ? BENCH_ROW * c->size : c->size;
}

void *bench_signs(jc_dtype dtype, int64_t n, double scale)
{
    void *values = malloc((size_t)(n * jc_dtype_bytes(dtype) + 1));
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

static void join(const bench_layers *c, int64_t *of, int64_t *wrt)
{
    for (int64_t l = 0; l < c->levels; l++)
        for (int64_t w = 0; w < c->width; w++)
            for (int64_t i = 0; i < c->fan_in; i++) {
                *of++ = (l + 1) * c->width + w;
                *wrt++ = l * c->width + (w + i) % c->width;
            }
}

/* Row i of a csr one has numbers in the columns of its quarters' places i mod (size / BENCH_ROW), increasing. */
static void place(const bench_layers *c, int64_t edges, int64_t *indptr, int64_t *indices)
{
    int64_t stride = c->size / BENCH_ROW;
    for (int64_t e = 0; e < edges; e++) {
        for (int64_t i = 0; i <= c->size; i++) *indptr++ = BENCH_ROW * i;
        for (int64_t i = 0; i < c->size; i++)
            for (int64_t k = 0; k < BENCH_ROW; k++) *indices++ = k * stride + (i * 7 + e) % stride;
    }
}

static bool numbers_init(bench_numbers *n, const bench_layers *c)
{
    int64_t edges = c->levels * c->width * c->fan_in, each = edge_numbers(c), in = c->fan_in * (each / c->size);
    bool csr = c->kind == JC_CSR;
    *n = (bench_numbers){.edges = edges};
    n->of = malloc((size_t)edges * sizeof *n->of), n->wrt = malloc((size_t)edges * sizeof *n->wrt);
    n->values = bench_signs(c->dtype, edges * each, 1.0 / sqrt((double)in));
    n->last = bench_signs(c->dtype, c->width * c->rows * c->size, 1.0);
    n->indptr = malloc(csr ? (size_t)(edges * (c->size + 1)) * sizeof *n->indptr : 1);
    n->indices = malloc(csr ? (size_t)(edges * each) * sizeof *n->indices : 1);
    if (!n->of || !n->wrt || !n->values || !n->last || !n->indptr || !n->indices) return false;
    join(c, n->of, n->wrt);
    if (csr) place(c, edges, n->indptr, n->indices);
    return true;
}

static jc_array cube(jc_dtype dtype, int64_t n, int64_t rows, int64_t cols, const void *data)
{
    jc_array a = {dtype, 3, {n, rows, cols, 0}, data, JC_BORROW, 0};
    return a;
}

static jc_status add_levels(jc_graph *g, const bench_layers *c, const bench_numbers *n)
{
    int64_t each = edge_numbers(c);
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    j.kind = c->kind;
    j.values = c->kind == JC_DENSE ? cube(c->dtype, n->edges, c->size, c->size, n->values)
                                   : jc_array_2d(c->dtype, n->edges, each, n->values);
    if (c->kind == JC_CSR) {
        j.indptr = jc_array_2d(JC_I64, n->edges, c->size + 1, n->indptr);
        j.indices = jc_array_2d(JC_I64, n->edges, each, n->indices);
    }
    jc_array of = jc_array_1d(JC_I64, n->edges, n->of), wrt = jc_array_1d(JC_I64, n->edges, n->wrt);
    return jc_graph_add_edges(g, n->edges, &of, &wrt, &j, NULL, 0);
}

static jc_status add_last(jc_graph *g, const bench_layers *c, const bench_numbers *n)
{
    int64_t last = (c->levels + 1) * c->width;
    jc_status status = JC_OK;
    for (int64_t w = 0; w < c->width && c->rows && !status; w++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        const char *data = n->last;
        j.values = jc_array_2d(c->dtype, c->rows, c->size, data + w * c->rows * c->size * jc_dtype_bytes(c->dtype));
        status = jc_graph_add_edge(g, last, last - c->width + w, &j, NULL, 0);
    }
    return status;
}

static jc_status build(const bench_layers *c, const bench_numbers *n, jc_graph *g)
{
    int64_t inner = (c->levels + 1) * c->width, variables = inner + (c->rows > 0);
    int64_t *sizes = malloc((size_t)variables * sizeof *sizes);
    if (!sizes) return jc_fail(JC_E_MEMORY, "no memory for the sizes");
    for (int64_t v = 0; v < variables; v++) sizes[v] = v < inner ? c->size : c->rows;
    jc_array array = jc_array_1d(JC_I64, variables, sizes);
    jc_status status = jc_graph_add_variables(g, "x", &array);
    free(sizes);
    if (!status) status = add_levels(g, c, n);
    if (!status) status = add_last(g, c, n);
    return status ? status : jc_graph_finish(g);
}

jc_status bench_layers_create(const bench_layers *layers, bench_numbers *numbers, jc_graph **graph)
{
    jc_graph *g = NULL;
    jc_status status =
        numbers_init(numbers, layers) ? JC_OK : jc_fail(JC_E_MEMORY, "no memory for the numbers of a graph");
    if (!status) status = jc_graph_create(NULL, &g);
    if (!status) status = build(layers, numbers, g);
    if (status)
        bench_layers_destroy(numbers, g);
    else
        *graph = g;
    return status;
}

void bench_layers_destroy(bench_numbers *numbers, jc_graph *graph)
{
    jc_graph_destroy(graph);
    numbers_fini(numbers);
}

jc_status bench_time_run(const jc_program *program, bool quick, jc_run **run, double *best)
{
    enum { MIN_RUNS = 3, MAX_RUNS = 1000 };
    double total = 0;
    jc_run *r = NULL;
    jc_status status = jc_run_create(program, &r);
    if (!status) status = jc_run_execute(r);
    *best = INFINITY;
    for (int i = 0; i < MAX_RUNS && !status && (i < MIN_RUNS || total < (quick ? 0.02 : 0.5)); i++) {
        double start = bench_seconds();
        status = jc_run_execute(r);
        double s = bench_seconds() - start;
        total += s;
        *best = fmin(*best, s);
    }
    if (status)
        jc_run_destroy(r);
    else
        *run = r;
    return status;
}
