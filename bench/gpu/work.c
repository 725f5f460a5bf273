/* A graph whose numbers are made on the device: as jacchain takes it, and by the definition of its Jacobians. */
#include "bench/gpu/gpu_bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "core/error.h"

/* ---- building ---------------------------------------------------------------------------------------------------- */

void gb_work_init(gb_work *w, int64_t n_vars, int64_t max_groups, int64_t max_stages)
{
    *w = (gb_work){.n_vars = n_vars, .max_groups = max_groups, .max_stages = max_stages, .k = 1};
    w->order = JC_ORDER_REVERSE;
    w->dtype = JC_F32, w->precision = JC_PRECISION_F32, w->tolerance = 1e-4, w->seed = 1;
    w->size = gb_host(n_vars, sizeof *w->size);
    w->offset = gb_host(n_vars + 1, sizeof *w->offset);
    w->groups = gb_host(max_groups, sizeof *w->groups);
    w->stages = gb_host(max_stages, sizeof *w->stages);
}

static int64_t numbers_of(const gb_edges *g)
{
    switch (g->f.kind) {
    case JC_DENSE:
        return g->f.count * g->f.p * g->f.q;
    case JC_DIAGONAL:
        return g->f.count * g->f.batch * g->f.p;
    case JC_CSR:
    case JC_WEIGHT:
        return g->f.count * g->f.m * (g->f.kind == JC_CSR ? 1 : g->f.q / (g->f.p / g->f.m));
    default:
        return 0;
    }
}

static int64_t element_bytes(int dtype)
{
    return dtype == JC_F64 ? 8 : dtype == JC_F32 ? 4 : 2;
}

gb_edges *gb_add(gb_work *w, jc_kind kind, int64_t count, int64_t p, int64_t q, double scale)
{
    if (w->n_groups == w->max_groups) abort();
    gb_edges *g = &w->groups[w->n_groups++];
    g->f = (gb_forward){.kind = kind, .dtype = (int)w->dtype, .count = count, .p = p, .q = q, .batch = 1};
    g->f.m = 1, g->f.scale = scale;
    g->first = w->n_edges;
    g->of = gb_host(count, sizeof *g->of);
    g->wrt = gb_host(count, sizeof *g->wrt);
    w->n_edges += count;
    return g;
}

void gb_stage_add(gb_work *w, const gb_edges *edges, int64_t first, int64_t count)
{
    if (w->n_stages == w->max_stages) abort();
    w->stages[w->n_stages++] = (gb_stage){edges - w->groups, first, count};
}

/* Numbers of the groups that have none yet. Where groups share the numbers, the caller set them. Many small groups take
 * pieces of one block of memory. */
static void make_numbers(gb_work *w)
{
    int64_t bytes = 0;
    for (int64_t i = 0; i < w->n_groups; i++)
        if (!w->groups[i].f.d_numbers)
            bytes += (numbers_of(&w->groups[i]) * element_bytes(w->groups[i].f.dtype) + 255) / 256 * 256;
    unsigned char *d_block = gb_device(bytes);
    for (int64_t i = 0; i < w->n_groups; i++) {
        gb_edges *g = &w->groups[i];
        int64_t n = numbers_of(g);
        if (g->f.d_numbers || !n) continue;
        gb_check(gb_fill(d_block, g->f.dtype, n, w->seed + (uint64_t)i, g->f.scale, gb_stream), "numbers");
        g->f.d_numbers = d_block;
        d_block += (n * element_bytes(g->f.dtype) + 255) / 256 * 256;
    }
}

static void make_offsets(gb_work *w)
{
    for (int64_t v = 0; v < w->n_vars; v++) w->offset[v + 1] = w->offset[v] + w->size[v];
    int64_t *of = gb_host(w->n_edges, sizeof *of), *wrt = gb_host(w->n_edges, sizeof *wrt);
    for (int64_t i = 0; i < w->n_groups; i++) {
        const gb_edges *g = &w->groups[i];
        for (int64_t e = 0; e < g->f.count; e++) {
            of[g->first + e] = w->offset[g->of[e]];
            wrt[g->first + e] = w->offset[g->wrt[e]];
        }
    }
    int64_t *d_of = gb_device_copy(of, w->n_edges * 8), *d_wrt = gb_device_copy(wrt, w->n_edges * 8);
    for (int64_t i = 0; i < w->n_groups; i++) {
        w->groups[i].f.d_of = d_of + w->groups[i].first;
        w->groups[i].f.d_wrt = d_wrt + w->groups[i].first;
    }
}

double gb_bytes(const gb_work *w)
{
    double bytes = 0;
    const void *last = NULL;
    for (int64_t i = 0; i < w->n_groups; i++) {
        const gb_edges *g = &w->groups[i];
        if (g->f.d_numbers != last) bytes += (double)numbers_of(g) * (double)element_bytes(g->f.dtype);
        last = g->f.d_numbers;
        if (g->f.kind == JC_CSR) bytes += 4.0 * (double)g->f.count * (double)(g->f.m + g->f.p + 1);
        if (g->f.kind == JC_SELECT) bytes += 4.0 * (double)g->f.count * (double)g->f.p;
    }
    for (int64_t v = 0; v < w->n_vars; v++)
        bytes += (double)w->size[v] * (double)w->k * (double)element_bytes((int)w->dtype);
    return bytes;
}

/* ---- as jacchain takes it ---------------------------------------------------------------------------------------- */

static jc_array numbers_array(const gb_edges *g, int rank, int64_t rows, int64_t cols)
{
    jc_array a = {.dtype = (jc_dtype)g->f.dtype, .data = g->f.d_numbers, .ownership = JC_DEVICE};
    int axis = 0;
    if (g->f.count > 1) a.dims[axis++] = g->f.count;
    a.dims[axis++] = rows;
    if (rank == 2) a.dims[axis++] = cols;
    a.rank = axis;
    return a;
}

static jc_array index_array(const gb_edges *g, const int32_t *data, int64_t n)
{
    jc_array a = {.dtype = JC_I32, .data = data};
    int axis = 0;
    if (g->f.count > 1) a.dims[axis++] = g->f.count;
    a.dims[axis++] = n;
    a.rank = axis;
    return a;
}

static jc_status add_group(jc_graph *graph, const gb_edges *g)
{
    jc_jacobian j = JC_JACOBIAN_INIT((jc_kind)g->f.kind);
    j.batch = g->f.batch;
    if (j.kind == JC_DENSE) j.values = numbers_array(g, 2, g->f.p, g->f.q);
    if (j.kind == JC_DIAGONAL) j.values = numbers_array(g, 1, g->f.p, 0);
    if (j.kind == JC_WEIGHT) j.x = numbers_array(g, 2, g->f.m, g->f.q / (g->f.p / g->f.m));
    if (j.kind == JC_IDENTITY || j.kind == JC_SELECT || j.kind == JC_TILE) j.scale = g->f.scale;
    if (j.kind == JC_SELECT) j.indices = index_array(g, g->indices, g->f.p);
    if (j.kind == JC_CSR) {
        j.values = numbers_array(g, 1, g->f.m, 0);
        j.indptr = index_array(g, g->indptr, g->f.p + 1);
        j.indices = index_array(g, g->indices, g->f.m);
    }
    if (g->f.count == 1) return jc_graph_add_edge(graph, g->of[0], g->wrt[0], &j, NULL, 0);
    jc_array of = jc_array_1d(JC_I32, g->f.count, g->of), wrt = jc_array_1d(JC_I32, g->f.count, g->wrt);
    return jc_graph_add_edges(graph, g->f.count, &of, &wrt, &j, NULL, 0);
}

static jc_status make_graph(const gb_work *w, jc_graph **graph)
{
    jc_array sizes = jc_array_1d(JC_I64, w->n_vars, w->size);
    jc_status status = jc_graph_create(NULL, graph);
    if (!status) status = jc_graph_add_variables(*graph, "v", &sizes);
    for (int64_t i = 0; i < w->n_groups && !status; i++) status = add_group(*graph, &w->groups[i]);
    return status ? status : jc_graph_finish(*graph);
}

typedef struct machine {
    jc_graph *graph;
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jc_status status; /* of the executions */
} machine;

static jc_status machine_init(machine *m, const gb_work *w, void *d_seed)
{
    jc_query q = JC_QUERY_INIT;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    const jc_cuda_array seed = {.dtype = w->dtype, .d_data = d_seed};
    q.of = &w->of, q.n_of = 1, q.wrt = w->wrt, q.n_wrt = w->n_wrt, q.order = w->order;
    if (w->seeded) q.seed = JC_SEED_ROWS, q.seed_width = w->k;
    options.precision = w->precision;
    jc_status status = make_graph(w, &m->graph);
    if (!status) status = jc_plan_create(m->graph, &q, &m->plan);
    if (!status && w->order == JC_ORDER_ELIMINATION && !m->plan->eliminates)
        status = jc_fail(JC_E_INTERNAL, "no order of elimination was found that is cheaper than a sweep");
    if (!status) status = jc_program_create_on(m->plan, gb_backend, &options, &m->program);
    if (!status) status = jc_cuda_run_create(m->program, NULL, &m->run);
    if (!status && w->seeded) status = jc_cuda_bind_seed(m->run, &seed, NULL);
    if (!status) status = jc_cuda_execute(m->run, gb_stream);
    return status ? status : jc_cuda_status(m->run);
}

static void machine_fini(machine *m)
{
    jc_run_destroy(m->run);
    jc_program_destroy(m->program);
    jc_plan_destroy(m->plan);
    jc_graph_destroy(m->graph);
}

static void execute(void *ctx)
{
    machine *m = ctx;
    if (!m->status) m->status = jc_cuda_execute(m->run, gb_stream);
}

/* ---- by the definition ------------------------------------------------------------------------------------------- */

/* value = J r: random +-1 at the requested variables, zero at other sources, then edge by edge. */
static double *forward(const gb_work *w)
{
    double *d_value = gb_zeros(w->offset[w->n_vars] * 8);
    for (int64_t i = 0; i < w->n_wrt; i++)
        gb_check(gb_signs(d_value + w->offset[w->wrt[i]], w->size[w->wrt[i]], 77 + (uint64_t)i, gb_stream), "signs");
    for (int64_t s = 0; s < w->n_stages; s++) {
        const gb_stage *stage = &w->stages[s];
        const gb_edges *g = &w->groups[stage->group];
        gb_forward f = g->f;
        f.count = stage->count;
        f.d_of += stage->first, f.d_wrt += stage->first;
        if (f.d_numbers)
            f.d_numbers =
                (const unsigned char *)f.d_numbers + numbers_of(g) / g->f.count * stage->first * element_bytes(f.dtype);
        if (f.d_indptr) f.d_indptr += stage->first * (f.p + 1);
        if (f.d_indices) f.d_indices += stage->first * (f.kind == JC_SELECT ? f.p : f.m);
        f.d_value = d_value;
        gb_check(gb_forward_run(&f, gb_stream), "the forward pass");
    }
    return d_value;
}

static double *to_host(const double *d_data, int64_t n)
{
    double *data = gb_host(n, sizeof *data);
    gb_check(gb_api->copy(data, d_data, (size_t)n * 8, JC_GPU_TO_HOST, gb_stream), "copying back");
    gb_wait();
    return data;
}

/* S J r for each row of S; without a seed J r itself. */
static double *expected(const gb_work *w, const double *d_value, const void *d_seed)
{
    const double *d_end = d_value + w->offset[w->of];
    double *d_dot = gb_zeros(w->k * 8), *d_norm = gb_zeros(w->k * 8);
    if (!w->seeded) return to_host(d_end, w->k);
    gb_check(gb_rows(d_seed, (int)w->dtype, w->size[w->of], w->k, w->size[w->of], d_end, d_dot, d_norm, gb_stream),
             "rows");
    return to_host(d_dot, w->k);
}

/* sqrt(sum_i (A r - S J r)_i^2 / sum_i |A_i|^2) over the k rows: for random signs, about the relative error of A. */
static jc_status judge(const gb_work *w, machine *m, const void *d_seed, double *residual)
{
    const double *d_value = forward(w), *want = expected(w, d_value, d_seed);
    double *d_dot = gb_zeros(w->k * 8), *d_norm = gb_zeros(w->k * 8), error = 0, norm = 0;
    for (int64_t i = 0; i < w->n_wrt; i++) {
        jc_result r;
        jc_status status = jc_cuda_result(m->run, i, &r);
        if (status) return status;
        if (r.kind != JC_RESULT_MATRIX) continue;
        gb_check(gb_rows(r.data, (int)r.dtype, r.row_stride, w->k, r.cols, d_value + w->offset[r.wrt], d_dot, d_norm,
                         gb_stream),
                 "rows");
    }
    const double *dot = to_host(d_dot, w->k), *square = to_host(d_norm, w->k);
    for (int64_t i = 0; i < w->k; i++) {
        error += (dot[i] - want[i]) * (dot[i] - want[i]);
        norm += square[i];
    }
    *residual = norm > 0 ? sqrt(error / norm) : INFINITY;
    return JC_OK;
}

/* ---- both -------------------------------------------------------------------------------------------------------- */

static void measure(gb_work *w, machine *m, const void *d_seed, gb_outcome *o)
{
    jc_program_info info = {.struct_size = sizeof info};
    jc_status status = jc_program_get_info(m->program, &info);
    o->peak_bytes = info.peak_bytes, o->predicted_s = info.seconds_predicted;
    if (!status) o->seconds = gb_time(execute, m);
    if (!status) status = m->status;
    if (!status) status = jc_cuda_status(m->run);
    if (!status) status = judge(w, m, d_seed, &o->residual);
    if (status) {
        o->seconds = 0;
        snprintf(o->trouble, sizeof o->trouble, "%s", jc_last_error());
        return;
    }
    o->valid = o->residual <= w->tolerance;
    if (!o->valid)
        snprintf(o->trouble, sizeof o->trouble, "wrong: residual %.3g, allowed %.3g", o->residual, w->tolerance);
}

gb_outcome gb_run(gb_work *w)
{
    gb_outcome o = {0};
    machine m = {NULL, NULL, NULL, NULL, JC_OK};
    make_numbers(w);
    make_offsets(w);
    void *d_seed = gb_device(w->k * w->size[w->of] * element_bytes((int)w->dtype));
    gb_check(gb_fill(d_seed, (int)w->dtype, w->k * w->size[w->of], 99, 1, gb_stream), "a seed");
    gb_wait();
    double before = gb_seconds();
    jc_status status = machine_init(&m, w, d_seed);
    o.prepare_s = gb_seconds() - before;
    if (status)
        snprintf(o.trouble, sizeof o.trouble, "%s", jc_last_error());
    else
        measure(w, &m, d_seed, &o);
    machine_fini(&m);
    return o;
}
