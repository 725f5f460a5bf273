/* Chains and layered graphs of 16 x 16 f32 Jacobians, from a file to the result: load, plan, prepare, run.
 * The result is first compared with a recurrence of our own, in double, over the numbers as the generator makes them.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "core/dtype.h"
#include "core/error.h"
#include "gen/gen.h"

enum { SIZE = 16, LEVELS = 20, FAN_IN = 4, REPEATS = 5, MIN_RUNS = 10, MAX_RUNS = 200, KEY_BYTES = 128 };

/* One graph on its way through the library. */
typedef struct graph_case {
    const char *family;
    int64_t edges; /* about; gen has the number */
    jc_gen *gen;
    jc_graph *graph;
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    bench_meter meter;
    float seed[SIZE];
    double write_s, load_s, plan_s, prepare_s, best_s, median_s; /* of the whole graph; the best of several */
    int64_t plan_bytes, plan_held, peak_bytes, run_held;         /* as told, and as counted by the allocator */
    double error, tolerance;                                     /* relative, of all results together */
} graph_case;

static void case_fini(graph_case *c)
{
    jc_run_destroy(c->run);
    jc_program_destroy(c->program);
    jc_plan_destroy(c->plan);
    jc_graph_destroy(c->graph);
    jc_gen_destroy(c->gen);
}

/* ---- the graph and its file ---------------------------------------------------------------------------------- */

static jc_status make_gen(graph_case *c)
{
    jc_gen_options o = {.seed = 1, .dtype = JC_F32, .size_low = SIZE, .size_high = SIZE};
    bool layered = strcmp(c->family, "layered") == 0;
    if (layered) {
        int64_t block = FAN_IN * (LEVELS * FAN_IN + 1); /* edges of FAN_IN variables more in each level */
        o.value[JC_GEN_LEVELS] = LEVELS;
        o.value[JC_GEN_FAN_IN] = FAN_IN;
        o.value[JC_GEN_WIDTH] = (c->edges + block - 1) / block * FAN_IN;
    } else {
        o.value[JC_GEN_DEPTH] = c->edges;
    }
    return jc_gen_create(NULL, jc_gen_family_find(c->family), &o, &c->gen);
}

static void file_name(const bench_options *o, const char *suffix, char *path, size_t capacity)
{
    snprintf(path, capacity, "%s/bench_scale.%ld%s", o->folder, (long)getpid(), suffix);
}

static void remove_files(const bench_options *o)
{
    char path[1024];
    file_name(o, ".json", path, sizeof path);
    unlink(path);
    file_name(o, ".safetensors", path, sizeof path);
    unlink(path);
}

/* Writes the files, then loads them: the best of several, the last graph is kept. The pages are in the system's cache.
 */
static jc_status write_and_load(graph_case *c, const bench_options *o)
{
    char path[1024];
    jc_allocator allocator = bench_meter_allocator(&c->meter);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    double start = bench_seconds();
    file_name(o, "", path, sizeof path);
    jc_status status = jc_gen_write(c->gen, path, false);
    c->write_s = bench_seconds() - start;
    file_name(o, ".json", path, sizeof path);
    c->load_s = INFINITY;
    for (int i = 0; i < REPEATS && !status; i++) {
        jc_graph_destroy(c->graph);
        c->graph = NULL;
        start = bench_seconds();
        status = jc_graph_load(path, &options, &c->graph);
        c->load_s = fmin(c->load_s, bench_seconds() - start);
    }
    remove_files(o); /* mapped files stay until they are unmapped */
    return status;
}

/* ---- plan and program ---------------------------------------------------------------------------------------- */

/* A vjp with one row: S . dT/dS for every source, which needs every edge once. */
static jc_status make_plan(graph_case *c)
{
    int64_t target = c->gen->targets.first;
    jc_query query = JC_QUERY_INIT;
    query.of = &target, query.n_of = 1, query.order = JC_ORDER_REVERSE;
    query.seed = JC_SEED_ROWS, query.seed_width = 1;
    jc_plan_info info = {.struct_size = sizeof info};
    jc_status status = JC_OK;
    int64_t held = c->meter.live;
    c->plan_s = INFINITY;
    for (int i = 0; i < REPEATS && !status; i++) {
        jc_plan_destroy(c->plan);
        c->plan = NULL;
        double start = bench_seconds();
        status = jc_plan_create(c->graph, &query, &c->plan);
        c->plan_s = fmin(c->plan_s, bench_seconds() - start);
    }
    if (!status) status = jc_plan_get_info(c->plan, &info);
    c->plan_bytes = (int64_t)info.plan_bytes;
    c->plan_held = c->meter.live - held;
    return status;
}

static jc_status make_program(graph_case *c, const bench_options *o)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.backend = o->backend;
    options.threads = o->threads;
    jc_program_info info = {.struct_size = sizeof info};
    jc_status status = JC_OK;
    c->prepare_s = INFINITY;
    for (int i = 0; i < REPEATS && !status; i++) {
        jc_program_destroy(c->program);
        c->program = NULL;
        double start = bench_seconds();
        status = jc_program_create(c->plan, &options, &c->program);
        c->prepare_s = fmin(c->prepare_s, bench_seconds() - start);
    }
    if (!status) status = jc_program_get_info(c->program, &info);
    c->peak_bytes = info.peak_bytes;
    return status;
}

/* ---- validation ---------------------------------------------------------------------------------------------- */

/* wrt += of D, D [rows, cols] */
static void pull(const double *of, const float *d, int64_t rows, int64_t cols, double *wrt)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) wrt[j] += of[i] * d[i * cols + j];
}

/* adjoint [variables, SIZE]: the sweep in double, edges from the last to the first. In these two families, of one size
 * and a scalar at the end, that is a reverse topological order. */
static jc_status sweep_in_double(const jc_gen *gen, double *adjoint)
{
    jc_gen_numbers numbers;
    float d[SIZE * SIZE];
    jc_status status = jc_gen_numbers_init(gen, &numbers);
    if (status) return status;
    int64_t last = INT64_MAX;
    for (int64_t g = gen->groups.count - 1; g >= 0; g--) {
        const jc_gen_group *group = jc_gen_group_at(gen, g);
        for (int64_t m = group->n_edges - 1; m >= 0; m--) {
            int64_t e = group->first_edge + m, of = jc_gen_of(gen, e);
            if (of > last) abort();
            last = of;
            jc_gen_rows(&numbers, g, m * group->rows, group->rows, d);
            pull(adjoint + of * SIZE, d, group->rows, group->cols, adjoint + jc_gen_wrt(gen, e) * SIZE);
        }
    }
    jc_gen_numbers_fini(&numbers);
    return JC_OK;
}

/* Adds the squares of a result and of its difference from the recurrence. */
static jc_status compare(const jc_result *r, const double *adjoint, double *difference, double *square)
{
    if (r->kind != JC_RESULT_MATRIX || r->rows != 1) return jc_fail(JC_E_INTERNAL, "a result is not one row");
    for (int64_t j = 0; j < r->cols; j++) {
        double value = jc_load_float(r->dtype, r->data, j * r->col_stride), known = adjoint[r->wrt * SIZE + j];
        *difference += (value - known) * (value - known);
        *square += known * known;
    }
    return JC_OK;
}

/* Rounding: each level adds a relative error of a few times 2^-24 in a direction of its own, which later levels, being
 * orthogonal, keep. */
static jc_status validate(graph_case *c)
{
    const jc_gen *gen = c->gen;
    double *adjoint = calloc((size_t)gen->sizes.count, SIZE * sizeof *adjoint), difference = 0.0, square = 0.0;
    if (!adjoint) return jc_fail(JC_E_MEMORY, "no memory for the recurrence");
    int64_t target = gen->targets.first, n = jc_run_result_count(c->run);
    for (int64_t i = 0; i < jc_gen_size(gen, target); i++) adjoint[target * SIZE + i] = c->seed[i];
    jc_status status = sweep_in_double(gen, adjoint);
    for (int64_t i = 0; i < n && !status; i++) {
        jc_result r;
        status = jc_run_result(c->run, i, &r);
        if (!status) status = compare(&r, adjoint, &difference, &square);
    }
    free(adjoint);
    double levels = strcmp(c->family, "chain") ? LEVELS + 1.0 : (double)gen->of.count;
    c->error = n == gen->sources.count ? sqrt(difference / square) : INFINITY;
    c->tolerance = 8.0 * 0x1p-24 * sqrt(levels);
    return status;
}

/* ---- run ----------------------------------------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static jc_status time_runs(graph_case *c)
{
    double times[MAX_RUNS], total = 0.0;
    int n = 0;
    jc_status status = JC_OK;
    while (!status && n < MAX_RUNS && (n < MIN_RUNS || total < 1.0)) {
        double start = bench_seconds();
        status = jc_run_execute(c->run);
        total += times[n++] = bench_seconds() - start;
    }
    qsort(times, (size_t)n, sizeof *times, by_value);
    c->best_s = times[0];
    c->median_s = times[n / 2];
    return status;
}

static jc_status run_case(graph_case *c)
{
    int64_t held = c->meter.live;
    c->meter.peak = held;
    for (int i = 0; i < SIZE; i++) c->seed[i] = (float)(1 + i % 5) / 8.0f;
    jc_status status = jc_run_create(c->program, &c->run);
    if (!status) status = jc_run_bind_seed(c->run, JC_F32, c->seed);
    if (!status) status = jc_run_execute(c->run);
    if (!status) status = validate(c);
    if (!status) status = jc_run_execute(c->run);
    if (!status) status = time_runs(c);
    c->run_held = c->meter.peak - held;
    return status;
}

/* ---- figures ------------------------------------------------------------------------------------------------- */

static json_t *case_json(const graph_case *c, double bandwidth)
{
    int64_t n = c->gen->of.count;
    return json_pack("{s:s,s:I,s:I,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:f,s:I,s:I}", "family", c->family, "edges",
                     (json_int_t)n, "jacobian_bytes", (json_int_t)c->gen->bytes, "write_s", c->write_s, "load_s",
                     c->load_s, "plan_s", c->plan_s, "plan_bytes_per_edge", (double)c->plan_bytes / (double)n,
                     "prepare_s", c->prepare_s, "run_best_s", c->best_s, "run_median_s", c->median_s, "bytes_per_s",
                     (double)c->gen->bytes / c->best_s, "fraction", (double)c->gen->bytes / c->best_s / bandwidth,
                     "error", c->error, "peak_bytes", (json_int_t)c->peak_bytes, "allocated_bytes",
                     (json_int_t)c->run_held);
}

static void say_case(bench_report *report, const graph_case *c, double bandwidth)
{
    double n = (double)c->gen->of.count, speed = (double)c->gen->bytes / c->best_s;
    bench_say(report, "%-8s %8.0f %8.3f %8.4f %8.4f %7.1f %8.4f %9.3f %9.3f %7.2f %6.2f %8.1e", c->family, n,
              c->write_s, c->load_s, c->plan_s, (double)c->plan_bytes / n, c->prepare_s, 1e3 * c->best_s,
              1e3 * c->median_s, speed * 1e-9, speed / bandwidth, c->error);
}

/* What holds at every size. */
static void judge_case(bench_report *report, const graph_case *c)
{
    bench_at_most(report, "graphs: error over what rounding explains", c->error / c->tolerance, 1.0, "");
    bench_at_most(report, "plan: bytes an edge", (double)c->plan_held / (double)c->gen->of.count, 200.0, "B");
    bench_at_most(report, "plan: bytes held beyond those told", (double)(c->plan_held - c->plan_bytes), 4096.0, "B");
    bench_at_most(report, "run: bytes allocated beyond those told", (double)(c->run_held - c->peak_bytes), 65536.0,
                  "B");
}

/* What is asked of a million edges. */
static void judge_speed(bench_report *report, const graph_case *c, double bandwidth)
{
    char text[KEY_BYTES];
    double fraction = (double)c->gen->bytes / c->best_s / bandwidth;
    snprintf(text, sizeof text, "%s 10^6: plan, seconds", c->family);
    bench_at_most(report, text, c->plan_s, 1.0, "s");
    snprintf(text, sizeof text, "%s 10^6: run, fraction of the read bandwidth", c->family);
    bench_at_least(report, text, fraction, strcmp(c->family, "chain") ? 0.7 : 0.4, "");
}

/* Linear: a stage's time an edge, of ten times the edges over that of `small`. */
static void judge_linear(bench_report *report, const graph_case *small, const graph_case *large)
{
    double ratio = (double)small->edges / (double)large->edges;
    bench_at_most(report, "load: time an edge, 10^6 over 10^5 edges", large->load_s / small->load_s * ratio, 3.0, "x");
    bench_at_most(report, "plan: time an edge, 10^6 over 10^5 edges", large->plan_s / small->plan_s * ratio, 3.0, "x");
    bench_at_most(report, "prepare: time an edge, 10^6 over 10^5 edges", large->prepare_s / small->prepare_s * ratio,
                  3.0, "x");
    bench_at_most(report, "run: time an edge, 10^6 over 10^5 edges", large->best_s / small->best_s * ratio, 3.0, "x");
}

static jc_status measure(graph_case *c, const bench_options *o)
{
    jc_status status = make_gen(c);
    if (!status) status = write_and_load(c, o);
    if (!status) status = make_plan(c);
    if (!status) status = make_program(c, o);
    return status ? status : run_case(c);
}

/* The read bandwidth, measured again beside each case: the best so far, so that a moment in which the machine was busy
 * elsewhere does not make the floor easy. */
static double again_bandwidth(const bench_options *o, double best)
{
    int64_t bytes = 4 * bench_cache_bytes(), least = INT64_C(1) << (o->quick ? 26 : 29);
    double now = bench_read_bandwidth(o->threads, NULL, bytes > least ? bytes : least);
    return now > best ? now : best;
}

static void bench_family(bench_report *report, const bench_options *o, double *bandwidth, const char *family)
{
    graph_case before = {.edges = 0};
    int64_t most = o->quick ? 100000 : 1000000;
    for (int64_t edges = 10000; edges <= most; edges *= 10) {
        graph_case c = {.family = family, .edges = edges};
        char key[KEY_BYTES];
        snprintf(key, sizeof key, "%s %lld", family, (long long)edges);
        if (measure(&c, o)) {
            bench_failed(report, key, jc_last_error());
        } else {
            *bandwidth = again_bandwidth(o, *bandwidth);
            say_case(report, &c, *bandwidth);
            bench_figures(report, key, case_json(&c, *bandwidth));
            judge_case(report, &c);
            if (edges == 1000000) judge_speed(report, &c, *bandwidth);
            if (edges == 1000000 && before.edges) judge_linear(report, &before, &c);
        }
        case_fini(&c);
        before = c; /* its times; what it pointed to is gone */
    }
}

void bench_graphs(bench_report *report, const bench_options *options, double bandwidth)
{
    bench_say(report, "\n%-8s %8s %8s %8s %8s %7s %8s %9s %9s %7s %6s %8s", "graph", "edges", "write s", "load s",
              "plan s", "B/edge", "prep. s", "best ms", "median ms", "GB/s", "of bw", "error");
    bench_family(report, options, &bandwidth, "chain");
    bench_family(report, options, &bandwidth, "layered");
    bench_say(report, "read bandwidth, the best before and beside the graphs: %.2f GB/s", bandwidth * 1e-9);
}
