#include "support/compute.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "plan/verify.h"
#include "run/check.h"
#include "standin/device.h"
#include "support/exact_backend.h"
#include "support/sanitized.h"

void jt_ok(jc_status status, const char *what)
{
    cr_assert_eq(status, JC_OK, "%s: %s: %s", what, jc_status_name(status), jc_last_error());
}

bool jt_is_exact(const jt_backend *backend)
{
    return !strcmp(backend->name, "exact");
}

bool jt_is_standin(const jt_backend *backend)
{
    return !strcmp(backend->name, "standin");
}

bool jt_device_run(void)
{
    const char *asked = getenv("JACCHAIN_TEST_DEVICE");
    return asked && !strcmp(asked, "1");
}

bool jt_takes_part(const char *backend)
{
    bool device = !strcmp(backend, "cuda");
    if (device && jt_device_run()) jt_ok(jc_backend_available(backend), "the device was asked for");
    if (device || (jt_device_run() && !strcmp(backend, "cpu"))) return device && jt_device_run();
    return jc_backend_available(backend) == JC_OK;
}

bool jt_in_sample(uint64_t number)
{
    const char *every = getenv("JACCHAIN_TEST_EVERY");
    uint64_t n = jt_device_run() && every ? strtoull(every, NULL, 10) : JT_SANITIZED ? 8 : 1;
    return n < 2 || (number * UINT64_C(0x9e3779b97f4a7c15) >> 32) % n == 0; /* not by what the last bits stand for */
}

static int add_precisions(jt_backend *backends, const char *name)
{
    int n = 0;
    backends[n++] = (jt_backend){name, JC_PRECISION_F64, 0};
    if (!strcmp(name, "reference")) return n;
    backends[n++] = (jt_backend){name, JC_PRECISION_F32, 3};
    if (strcmp(name, "cuda") != 0) return n;
    backends[n++] = (jt_backend){name, JC_PRECISION_TF32, 0};
    backends[n++] = (jt_backend){name, JC_PRECISION_BF16, 0};
    return n;
}

/* The stand-in runs thousands of threads on one: it takes part in every third case, in one precision, another each
 * time. */
static int add_standin(jt_backend *backends)
{
    static unsigned asked;
    unsigned turn = asked++, every = 3;
    if (!jt_device_there() || jt_device_run() || turn % every) return 0;
    backends[0] = (jt_backend){"standin", (jc_precision)(JC_PRECISION_F64 + turn / every % 4), 1};
    return 1;
}

int jt_backends(jt_backend backends[JT_MAX_BACKENDS])
{
    int n = 0;
    bool device = false;
    backends[n++] = (jt_backend){"exact", JC_PRECISION_F64, 1};
    n += add_standin(backends + n);
    for (int i = 0; jc_backend_name(i) && n + 4 <= JT_MAX_BACKENDS; i++) {
        if (!jt_takes_part(jc_backend_name(i))) continue;
        n += add_precisions(backends + n, jc_backend_name(i));
        device = device || !strcmp(jc_backend_name(i), "cuda");
    }
    cr_assert(device || !jt_device_run(), "there is no backend cuda in this build");
    return n;
}

/* Unit roundoff of sums, and of the operands of products where they are rounded before. */
static long double roundoff_of_sums(jc_precision precision)
{
    return precision == JC_PRECISION_F64 ? 0x1p-53L : 0x1p-24L;
}

static long double roundoff_of_operands(jc_precision precision)
{
    return precision == JC_PRECISION_TF32 ? 0x1p-11L : precision == JC_PRECISION_BF16 ? 0x1p-8L : 0;
}

bool jt_is_exact_up_to(const jt_backend *backend, double largest)
{
    long double operands = roundoff_of_operands(backend->precision);
    return largest <= 1 / (operands > 0 ? operands : roundoff_of_sums(backend->precision));
}

static long double gamma_of(long double n, long double u)
{
    return n * u < 1 ? n * u / (1 - n * u) : INFINITY;
}

long double jt_gamma(jc_precision precision, int64_t n, int64_t products)
{
    long double sums = gamma_of((long double)n, roundoff_of_sums(precision));
    long double operands = gamma_of(4 * (long double)products, roundoff_of_operands(precision));
    return sums + operands + sums * operands;
}

static double real_element(const jc_result *r, int64_t at)
{
    return r->dtype == JC_F32 ? (double)((const float *)r->data)[at] : ((const double *)r->data)[at];
}

/* A result with its strides as a contiguous matrix. */
static jt_result copy_result(jt_pool *pool, const jc_result *r, bool exact)
{
    jt_result out = {r->of, r->wrt, r->blocks, r->rows, r->cols, NULL, NULL};
    int64_t n = r->blocks * r->rows * r->cols;
    if (exact)
        out.modulo = jt_alloc(pool, n, sizeof *out.modulo);
    else
        out.real = jt_alloc(pool, n, sizeof *out.real);
    for (int64_t i = 0; i < n; i++) {
        int64_t b = i / (r->rows * r->cols), row = i / r->cols % r->rows, col = i % r->cols;
        int64_t at = b * r->block_stride + row * r->row_stride + col * r->col_stride;
        if (r->kind == JC_RESULT_ZERO) continue;
        bool unit = r->kind == JC_RESULT_IDENTITY;
        if (exact)
            out.modulo[i] = unit ? row == col : ((const uint64_t *)r->data)[at];
        else
            out.real[i] = unit ? row == col : real_element(r, at);
    }
    return out;
}

jc_status jt_plan_create(const jc_graph *graph, const jc_query *query, int64_t row_limit, jc_plan **plan)
{
    int64_t entry_limit = query->order == JC_ORDER_ELIMINATION ? INT64_MAX : 0; /* then costs are not compared */
    return jc_plan_create_limited(graph, query, row_limit, entry_limit, plan);
}

jc_program *jt_program(const jc_plan *plan, const jt_backend *backend)
{
    jc_program *program;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.backend = backend->name;
    options.precision = backend->precision;
    options.threads = backend->threads;
    if (jt_is_exact(backend))
        jt_ok(jc_program_create_on(plan, &jt_exact_backend, &options, &program), "program");
    else if (jt_is_standin(backend))
        jt_ok(jc_program_create_on(plan, &jt_standin_backend.base, &options, &program), "program");
    else
        jt_ok(jc_program_create(plan, &options, &program), backend->name);
    return program;
}

static uint64_t device_seed; /* another order of work each time */

jc_status jt_check(const jc_graph *graph, const jc_query *query, const jc_program_options *options,
                   jc_check_report **report)
{
    if (strcmp(options->backend, "standin") != 0) return jc_check(graph, query, options, report);
    jt_device_begin(device_seed++, NULL);
    jc_status status = jc_check_on(graph, query, &jt_standin_backend.base, options, report);
    jt_device_end("a check");
    return status;
}

static jt_results compute(jt_pool *pool, const jc_graph *graph, const jc_query *query, const jt_backend *backend,
                          jc_dtype dtype, const void *seed)
{
    jt_results results = {.info = {.struct_size = sizeof results.info}};
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jt_ok(jt_plan_create(graph, query, 0, &plan), "plan");
    jt_ok(jc_plan_get_info(plan, &results.info), "plan info");
    if (jt_is_standin(backend)) jt_device_begin(device_seed++, NULL);
    program = jt_program(plan, backend);
    jt_ok(jc_plan_verify(plan, query, &program->layout), "verify");
    jt_ok(jc_run_create(program, &run), "run");
    if (seed) jt_ok(jc_run_bind_seed(run, dtype, seed), "seed");
    jt_ok(jc_run_execute(run), "execute");
    results.n = jc_run_result_count(run);
    results.result = jt_alloc(pool, results.n, sizeof *results.result);
    for (int64_t i = 0; i < results.n; i++) {
        jc_result r;
        jt_ok(jc_run_result(run, i, &r), "result");
        results.result[i] = copy_result(pool, &r, jt_is_exact(backend));
    }
    jc_run_destroy(run);
    if (jt_is_standin(backend)) jt_device_end("a run");
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return results;
}

jt_results jt_compute(jt_pool *pool, const jc_graph *graph, const jc_query *query, const jt_backend *backend,
                      const double *seed)
{
    return compute(pool, graph, query, backend, JC_F64, seed);
}

jt_results jt_compute_typed(jt_pool *pool, const jc_graph *graph, const jc_query *query, const jt_backend *backend,
                            jc_dtype dtype, const void *seed)
{
    return compute(pool, graph, query, backend, dtype, seed);
}

jt_results jt_evaluate(jt_pool *pool, const jc_graph *graph, const jc_query *query, int64_t memory_limit)
{
    jt_results out = {0};
    jc_results *results;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    options.program.memory_limit = memory_limit;
    jt_ok(jc_evaluate(graph, query, &options, &results), "evaluate");
    out.n = jc_results_count(results);
    out.result = jt_alloc(pool, out.n, sizeof *out.result);
    for (int64_t i = 0; i < out.n; i++) {
        jc_result r;
        jt_ok(jc_results_get(results, i, &r), "result");
        cr_assert(r.col_stride == 1 && r.row_stride == r.cols && r.block_stride == r.rows * r.cols, "not contiguous");
        out.result[i] = copy_result(pool, &r, false);
    }
    jc_results_destroy(results);
    return out;
}

const jt_result *jt_find(const jt_results *results, int64_t of, int64_t wrt)
{
    for (int64_t i = 0; i < results->n; i++)
        if (results->result[i].of == of && results->result[i].wrt == wrt) return &results->result[i];
    cr_assert_fail("no result for d %lld / d %lld", (long long)of, (long long)wrt);
    return NULL;
}

jc_status jt_paths_create(const jc_graph *graph, int64_t of, int64_t wrt, const int64_t *edges, int64_t n_edges,
                          jc_paths **paths)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    q.edges = edges, q.n_edges = n_edges;
    return jc_paths_create(graph, &q, paths);
}
