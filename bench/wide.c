/* Variables of 10^8 scalars within the bytes that the program told, and Jacobians whose offsets need more than 32 bits.
 * All numbers are small integers or powers of two, so that every result is exact and must be equal. */
#define _GNU_SOURCE /* memfd_create, MAP_NORESERVE */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "core/dtype.h"
#include "core/error.h"
#include "gen/random.h"

enum {
    KEY_BYTES = 128,
    MAX_VARIABLES = 8,
    SLACK_BYTES = 1 << 24
}; /* slack of the resident size: stacks, code, tables */

/* A graph under a meter, and one query on it at a time. */
typedef struct wide_case {
    bench_report *report;
    const bench_options *options;
    bench_meter meter;
    jc_graph *graph;
    int64_t variable[MAX_VARIABLES];
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jc_result result;
} wide_case;

/* An integer from -7 to 8, not 0: the i-th of column k. */
static double digit(int64_t i, int64_t k)
{
    int64_t v = (int64_t)(jc_random_mix((uint64_t)(i * 8 + k)) >> 60) - 7;
    return v ? (double)v : 8.0;
}

static jc_status begin(wide_case *c, int64_t n_variables, const int64_t *sizes)
{
    jc_allocator allocator = bench_meter_allocator(&c->meter);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_status status = jc_graph_create(&options, &c->graph);
    for (int64_t v = 0; v < n_variables && !status; v++) {
        char name[8];
        snprintf(name, sizeof name, "x%d", (int)v);
        status = jc_graph_add_variable(c->graph, name, sizes[v], &c->variable[v]);
    }
    return status;
}

static jc_status join(wide_case *c, int of, int wrt, const jc_jacobian *jacobian)
{
    return jc_graph_add_edge(c->graph, c->variable[of], c->variable[wrt], jacobian, NULL, 0);
}

static void end_query(wide_case *c)
{
    jc_run_destroy(c->run);
    jc_program_destroy(c->program);
    jc_plan_destroy(c->plan);
    c->run = NULL, c->program = NULL, c->plan = NULL;
}

static void end(wide_case *c)
{
    end_query(c);
    jc_graph_destroy(c->graph);
}

/* ---- one query ------------------------------------------------------------------------------------------------ */

static jc_status prepare(wide_case *c, int of, int wrt, jc_seed seed)
{
    jc_query query = JC_QUERY_INIT;
    query.of = &c->variable[of], query.n_of = 1;
    query.wrt = &c->variable[wrt], query.n_wrt = 1;
    query.order = seed == JC_SEED_COLUMNS ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
    query.seed = seed, query.seed_width = seed ? 1 : 0;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.backend = c->options->backend;
    options.threads = c->options->threads;
    jc_status status = jc_plan_create(c->graph, &query, &c->plan);
    return status ? status : jc_program_create(c->plan, &options, &c->program);
}

static jc_status execute(wide_case *c, jc_dtype dtype, const void *seed, double *seconds)
{
    jc_status status = jc_run_create(c->program, &c->run);
    if (!status && seed) status = jc_run_bind_seed(c->run, dtype, seed);
    double start = bench_seconds();
    if (!status) status = jc_run_execute(c->run);
    *seconds = bench_seconds() - start;
    return status ? status : jc_run_result(c->run, 0, &c->result);
}

/* Evaluates and judges the memory; the result stays until the next query. */
static jc_status ask(wide_case *c, const char *name, int of, int wrt, jc_seed kind, jc_dtype dtype, const void *seed)
{
    double seconds = 0.0;
    jc_program_info info = {.struct_size = sizeof info};
    end_query(c);
    jc_status status = prepare(c, of, wrt, kind);
    if (!status) status = jc_program_get_info(c->program, &info);
    int64_t held = c->meter.live, resident = bench_anonymous_bytes();
    c->meter.peak = held;
    if (!status) status = execute(c, dtype, seed, &seconds);
    if (status) return status;
    int64_t allocated = c->meter.peak - held, grown = bench_anonymous_bytes() - resident;
    bench_say(c->report, "%-34s %9.3f %14lld %14lld %14lld %12lld", name, seconds, (long long)info.peak_bytes,
              (long long)allocated, (long long)grown, (long long)held);
    bench_figures(c->report, name,
                  json_pack("{s:f,s:I,s:I,s:I,s:I}", "run_s", seconds, "peak_bytes", (json_int_t)info.peak_bytes,
                            "allocated_bytes", (json_int_t)allocated, "resident_growth", (json_int_t)grown,
                            "graph_and_plan_bytes", (json_int_t)held));
    bench_at_most(c->report, "run: bytes allocated beyond those told", (double)(allocated - info.peak_bytes), 65536.0,
                  "B");
    bench_at_most(c->report, "wide: resident growth beyond those told", (double)(grown - info.peak_bytes), SLACK_BYTES,
                  "B");
    bench_at_most(c->report, "wide: bytes of graph, plan and program", (double)held, 65536.0, "B");
    return JC_OK;
}

/* Element i of a result with one row or one column. */
static double entry(const jc_result *r, int64_t i)
{
    return jc_load_float(r->dtype, r->data, i * (r->rows == 1 ? r->col_stride : r->row_stride));
}

static void judge_wrong(wide_case *c, int64_t wrong)
{
    bench_at_most(c->report, "wide: entries that are not exact", (double)wrong, 0.0, "");
}

/* ---- diagonal, identity and select between variables of n scalars ---------------------------------------------- */

/* x1 = diag(a) x0, x2 = x1 / 2, x3 = x2[index] + diag(b) x1, x4 = g x3. */
typedef struct wide_numbers {
    int64_t n;
    double *a, *b, *g; /* [n] */
    int32_t *index;    /* [n], a permutation */
} wide_numbers;

static bool wide_numbers_init(wide_numbers *w, int64_t n)
{
    *w = (wide_numbers){.n = n};
    w->a = malloc((size_t)n * sizeof *w->a);
    w->b = malloc((size_t)n * sizeof *w->b);
    w->g = malloc((size_t)n * sizeof *w->g);
    w->index = malloc((size_t)n * sizeof *w->index);
    if (!w->a || !w->b || !w->g || !w->index) return false;
    for (int64_t i = 0; i < n; i++) {
        w->a[i] = digit(i, 0);
        w->b[i] = digit(i, 1);
        w->g[i] = digit(i, 2);
        w->index[i] = (int32_t)(i * 7919 % n); /* 7919 is prime and n a power of ten */
    }
    return true;
}

static void wide_numbers_fini(wide_numbers *w)
{
    free(w->index);
    free(w->g);
    free(w->b);
    free(w->a);
}

static jc_status build_wide(wide_case *c, const wide_numbers *w)
{
    int64_t n = w->n, sizes[] = {n, n, n, n, 1};
    jc_jacobian a = JC_JACOBIAN_INIT(JC_DIAGONAL), b = JC_JACOBIAN_INIT(JC_DIAGONAL);
    jc_jacobian half = JC_JACOBIAN_INIT(JC_IDENTITY), pick = JC_JACOBIAN_INIT(JC_SELECT);
    jc_jacobian g = JC_JACOBIAN_INIT(JC_DENSE);
    a.values = jc_array_1d(JC_F64, n, w->a);
    b.values = jc_array_1d(JC_F64, n, w->b);
    half.scale = 0.5;
    pick.indices = jc_array_1d(JC_I32, n, w->index);
    g.values = jc_array_2d(JC_F64, 1, n, w->g);
    jc_status status = begin(c, 5, sizes);
    if (!status) status = join(c, 1, 0, &a);
    if (!status) status = join(c, 2, 1, &half);
    if (!status) status = join(c, 3, 2, &pick);
    if (!status) status = join(c, 3, 1, &b);
    if (!status) status = join(c, 4, 3, &g);
    return status ? status : jc_graph_finish(c->graph);
}

/* dx4/dx0 at j = index[i]: a_j (g_i / 2 + g_j b_j) */
static int64_t wrong_gradient(const wide_numbers *w, const jc_result *r)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < w->n; i++) {
        int64_t j = w->index[i];
        wrong += entry(r, j) != w->a[j] * (0.5 * w->g[i] + w->g[j] * w->b[j]);
    }
    return wrong;
}

/* x4 for x0 = (1, .., 1): the sum of that, exact in any order */
static double sum_gradient(const wide_numbers *w)
{
    double sum = 0.0;
    for (int64_t i = 0; i < w->n; i++) {
        int64_t j = w->index[i];
        sum += w->a[j] * (0.5 * w->g[i] + w->g[j] * w->b[j]);
    }
    return sum;
}

static void bench_elementwise(bench_report *report, const bench_options *o, int64_t n)
{
    wide_case c = {.report = report, .options = o};
    wide_numbers w;
    double *ones = malloc((size_t)n * sizeof *ones);
    bool ready = wide_numbers_init(&w, n) && ones;
    for (int64_t i = 0; ready && i < n; i++) ones[i] = 1.0;
    jc_status status = ready ? build_wide(&c, &w) : jc_fail(JC_E_MEMORY, "no memory for the Jacobians");
    if (!status) status = ask(&c, "elementwise, reverse", 4, 0, JC_SEED_NONE, JC_F64, NULL);
    if (!status) judge_wrong(&c, wrong_gradient(&w, &c.result));
    if (!status) status = ask(&c, "elementwise, forward", 4, 0, JC_SEED_COLUMNS, JC_F64, ones);
    if (!status) judge_wrong(&c, entry(&c.result, 0) != sum_gradient(&w));
    if (status) bench_failed(report, "elementwise", jc_last_error());
    end(&c);
    free(ones);
    wide_numbers_fini(&w);
}

/* ---- a dense Jacobian of more than 2^31 elements ---------------------------------------------------------------- */

enum { MARKS = 64 };

/* Where mark k of a rows x n matrix is: the corners first. */
static int64_t mark_place(int64_t k, int64_t elements)
{
    jc_random r = jc_random_stream(1, JC_RANDOM_NUMBERS, k, 0);
    return k == 0 ? 0 : k == 1 ? elements - 1 : jc_random_below(&r, elements);
}

/* y = D x (rows of the seed's side 1 .. rows, or all ones) where D is zero but for the marks; y [size], as floats. */
static void apply_marks(int64_t rows, int64_t n, const float *d, bool forward, double *y)
{
    for (int64_t k = 0; k < MARKS; k++) {
        int64_t at = mark_place(k, rows * n), row = at / n, col = at % n;
        bool again = false; /* a place may be drawn twice */
        for (int64_t l = 0; l < k; l++) again |= mark_place(l, rows * n) == at;
        if (again) continue;
        if (forward)
            y[row] += d[at];
        else
            y[col] += (double)(row + 1) * d[at];
    }
}

static int64_t wrong_entries(const jc_result *r, const double *known, int64_t n)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++) wrong += entry(r, i) != known[i];
    return wrong;
}

static jc_status ask_dense(wide_case *c, int64_t rows, int64_t n, const float *d, bool forward)
{
    const char *name = forward ? "2^31 elements, forward" : "2^31 elements, reverse";
    int64_t seed_n = forward ? n : rows, known_n = forward ? rows : n;
    float *seed = malloc((size_t)seed_n * sizeof *seed);
    double *known = calloc((size_t)known_n, sizeof *known);
    jc_status status = seed && known ? JC_OK : jc_fail(JC_E_MEMORY, "no memory for seed and result");
    for (int64_t i = 0; !status && i < seed_n; i++) seed[i] = forward ? 1.0f : (float)(i + 1);
    if (!status) status = ask(c, name, 1, 0, forward ? JC_SEED_COLUMNS : JC_SEED_ROWS, JC_F32, seed);
    if (!status) apply_marks(rows, n, d, forward, known);
    if (!status) judge_wrong(c, wrong_entries(&c->result, known, known_n));
    free(known);
    free(seed);
    return status;
}

/* rows x n floats of reserved memory, nearly all of it never touched. */
static void bench_dense(bench_report *report, const bench_options *o, int64_t rows, int64_t n)
{
    wide_case c = {.report = report, .options = o};
    int64_t sizes[] = {n, rows};
    size_t bytes = (size_t)(rows * n) * sizeof(float);
    float *d = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (d == MAP_FAILED) {
        bench_failed(report, "2^31 elements", "no address space");
        return;
    }
    madvise(d, bytes, MADV_NOHUGEPAGE); /* a mark then costs 4 KiB, not 2 MiB */
    for (int64_t k = 0; k < MARKS; k++) d[mark_place(k, rows * n)] = (float)digit(k, 3);
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    dense.values = jc_array_2d(JC_F32, rows, n, d);
    jc_status status = begin(&c, 2, sizes);
    if (!status) status = join(&c, 1, 0, &dense);
    if (!status) status = jc_graph_finish(c.graph);
    if (!status) status = ask_dense(&c, rows, n, d, false);
    if (!status) status = ask_dense(&c, rows, n, d, true);
    if (status) bench_failed(report, "2^31 elements", jc_last_error());
    end(&c);
    munmap(d, bytes);
}

/* ---- an edge group of more than 2^32 bytes ----------------------------------------------------------------------- */

enum { MEMBERS = 7 };

/* The same pages MEMBERS times in a row: MEMBERS x n doubles for the price of n, which are whole pages of 4 KiB. */
static double *map_repeatedly(int64_t n)
{
    size_t bytes = (size_t)n * sizeof(double);
    int file = memfd_create("jacchain bench", MFD_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)bytes)) return NULL;
    char *base = mmap(NULL, MEMBERS * bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    bool ok = base != MAP_FAILED;
    for (int i = 0; i < MEMBERS && ok; i++)
        ok = mmap(base + (size_t)i * bytes, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) !=
             MAP_FAILED;
    close(file);
    return ok ? (double *)base : NULL;
}

/* Multiplied with itself MEMBERS times it stays exact. */
static double power_of_two(int64_t i)
{
    static const double values[] = {1.0, -1.0, 2.0, 0.5};
    return values[jc_random_mix((uint64_t)i) >> 62];
}

static jc_status build_group(wide_case *c, int64_t n, const double *d)
{
    int64_t sizes[] = {n, n, n, n, n, n, n, n}, of[MEMBERS], wrt[MEMBERS];
    jc_jacobian diagonal = JC_JACOBIAN_INIT(JC_DIAGONAL);
    diagonal.values = jc_array_2d(JC_F64, MEMBERS, n, d);
    for (int i = 0; i < MEMBERS; i++) wrt[i] = i, of[i] = i + 1;
    jc_array ofs = jc_array_1d(JC_I64, MEMBERS, of), wrts = jc_array_1d(JC_I64, MEMBERS, wrt);
    jc_status status = begin(c, MEMBERS + 1, sizes);
    if (!status) status = jc_graph_add_edges(c->graph, MEMBERS, &ofs, &wrts, &diagonal, NULL, 0);
    return status ? status : jc_graph_finish(c->graph);
}

static int64_t wrong_powers(const jc_result *r, int64_t n)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < n; i++) {
        double known = digit(i, 4);
        for (int m = 0; m < MEMBERS; m++) known *= power_of_two(i);
        wrong += entry(r, i) != known;
    }
    return wrong;
}

static void bench_group(bench_report *report, const bench_options *o, int64_t n)
{
    wide_case c = {.report = report, .options = o};
    double *d = map_repeatedly(n), *seed = malloc((size_t)n * sizeof *seed);
    jc_status status = d && seed ? JC_OK : jc_fail(JC_E_MEMORY, "no memory to map repeatedly");
    for (int64_t i = 0; i < n && !status; i++) d[i] = power_of_two(i), seed[i] = digit(i, 4);
    if (!status) status = build_group(&c, n, d);
    if (!status) status = ask(&c, "2^32 bytes of diagonals", MEMBERS, 0, JC_SEED_ROWS, JC_F64, seed);
    if (!status) judge_wrong(&c, wrong_powers(&c.result, n));
    if (status) bench_failed(report, "2^32 bytes of diagonals", jc_last_error());
    end(&c);
    free(seed);
    if (d) munmap(d, MEMBERS * (size_t)n * sizeof *d);
}

void bench_wide(bench_report *report, const bench_options *options)
{
    int64_t n = options->quick ? 1000000 : 100000000;
    bench_say(report, "\n%-34s %9s %14s %14s %14s %12s", "wide", "run s", "told B", "allocated B", "resident B",
              "graph, plan B");
    bench_elementwise(report, options, n);
    bench_dense(report, options, options->quick ? 2200 : 30, n);
    bench_group(report, options, (n + 511) / 512 * 512);
}
