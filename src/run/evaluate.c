/* All in one call: plan, program, run; in windows of seed rows where the memory limit asks for it. */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/progress.h"
#include "core/size.h"
#include "rules/query.h"
#include "run/choose.h"
#include "run/collect.h"
#include "run/fit.h"

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Adds the time since *since to *sum and starts anew. */
static void lap(double *since, double *sum)
{
    double now = now_s();
    *sum += now - *since;
    *since = now;
}

static const jc_evaluate_options no_options = {.struct_size = sizeof(jc_evaluate_options),
                                               .program = JC_PROGRAM_OPTIONS_INIT};

/* The seed's array is width x size(of), or size(wrt) x width. */
static jc_status check_seed(const jc_graph *g, const jc_query *q, const jc_array *seed)
{
    if (q->seed == JC_SEED_NONE) return JC_OK;
    if (!seed->data || seed->rank != 2) return jc_fail(JC_E_USAGE, "the query needs a seed, a matrix of rank 2");
    bool rows = q->seed == JC_SEED_ROWS;
    int64_t size = jc_graph_size(g, rows ? q->of[0] : q->wrt[0]);
    int64_t want[2] = {rows ? q->seed_width : size, rows ? size : q->seed_width};
    if (seed->dims[0] == want[0] && seed->dims[1] == want[1]) return JC_OK;
    return jc_fail(JC_E_INPUT, "the seed is %lld x %lld, expected %lld x %lld", (long long)seed->dims[0],
                   (long long)seed->dims[1], (long long)want[0], (long long)want[1]);
}

/* Where the work is done, and how far it came. */
typedef struct attempt {
    const jc_program_options *options;
    const char *failed;           /* "auto" leaves devices out, since one failed with this text; or NULL */
    const jc_backend *chosen;     /* by "auto" for all windows, or NULL */
    char reason[JC_REASON_BYTES]; /* of that */
    int64_t needed;               /* the fewest bytes of one row that were over the limit; 0: none were */
    bool falls_back;              /* it failed on a device in a way that another attempt on the host mends */
} attempt;

static jc_fit fit_of(const attempt *at, const jc_graph *g, const jc_query *q)
{
    return (jc_fit){g, q, at->chosen, at->options, at->failed};
}

static jc_status create_program(const attempt *at, const jc_plan *plan, int64_t limit, jc_program **program)
{
    jc_fit fit = fit_of(at, plan->graph, NULL);
    return jc_fit_program(&fit, plan, limit, program);
}

static jc_status note_failure(attempt *at, const jc_program *program, jc_status status, bool started)
{
    at->falls_back = status && jc_program_falls_back(program, at->options, status, started);
    return status;
}

/* Runs one program over its windows (one pass over everything where the plan has no windows) and collects. *keep is the
 * run, which then holds results; NULL: they are copied. */
static jc_status run_program(jc_results *r, attempt *at, const jc_program *program, const jc_array *seed, jc_run **keep)
{
    const jc_plan *plan = program->plan;
    int64_t total = plan->row_limit ? jc_plan_seed_rows(plan) : 1, step = plan->row_limit ? plan->row_limit : 1;
    jc_run *run = NULL;
    double t = now_s();
    jc_results_set_dtype(r, program->dtype);
    jc_status status = jc_run_create(program, &run);
    if (!status && plan->seed != JC_SEED_NONE) status = jc_run_bind_seed(run, seed->dtype, seed->data);
    bool started = !status;
    lap(&t, &r->info.upload_s);
    for (int64_t row = 0; row < total && !status; row += step) {
        jc_pass pass = {plan->row_limit ? row : 0, plan->row_limit ? jc_min(step, total - row) : 0};
        status = jc_run_execute_pass(run, &pass);
        lap(&t, &r->info.run_s);
        if (!status) status = jc_results_collect(r, run, &pass, keep != NULL);
        lap(&t, &r->info.download_s);
        r->info.blocks++;
        if (plan->row_limit) jc_progress_tell(&at->options->progress, "rows", row + pass.rows, total);
        r->info.bytes = jc_cost_add(r->info.bytes, program->bytes);
    }
    if (keep && !status)
        *keep = run;
    else
        jc_run_destroy(run);
    return note_failure(at, program, status, started);
}

static void note_program(jc_results *r, const attempt *at, const jc_program *program)
{
    memcpy(r->device, program->device, sizeof r->device);
    memcpy(r->reason, at->chosen ? at->reason : program->reason, sizeof r->reason);
    r->info.device = r->device;
    r->info.reason = r->reason;
    r->info.backend = program->backend->name;
    r->info.order = r->plan->by_elimination ? JC_ORDER_ELIMINATION : program->plan->order;
    r->info.precision = program->precision;
    r->info.threads = program->threads;
    r->info.multiply_adds = jc_cost_add(r->info.multiply_adds, program->plan->multiply_adds);
    r->info.peak_bytes = jc_max(r->info.peak_bytes, program->peak_bytes);
}

/* Whether the failure is that of the memory limit for the whole query, which windows may mend. */
static bool over_limit(jc_status status, const jc_program_options *o)
{
    return status == JC_E_LIMIT && o->memory_limit > 0;
}

/* A windowed program of at most `rows` rows that keeps `limit`, 0: none. */
static jc_status make_window(const attempt *at, const jc_graph *g, const jc_query *q, int64_t rows, int64_t limit,
                             jc_plan **plan, jc_program **program)
{
    jc_plan *p;
    jc_status status = jc_plan_create_windowed(g, q, rows, &p);
    if (status) return status;
    status = create_program(at, p, limit, program);
    if (status)
        jc_plan_destroy(p);
    else
        *plan = p;
    return status;
}

static void destroy_window(jc_plan *plan, jc_program *program)
{
    jc_program_destroy(program);
    jc_plan_destroy(plan);
}

/* All windows are computed in one place: "auto" chooses it for the first, one row at a time. */
static jc_status choose_for_windows(attempt *at, const jc_graph *g, const jc_query *q)
{
    jc_plan *plan;
    jc_program *program;
    if (at->chosen) return JC_OK;
    jc_status status = make_window(at, g, q, 1, at->options->memory_limit, &plan, &program);
    if (status == JC_E_LIMIT) return JC_OK; /* find_window says by how much */
    if (status) return status;
    memcpy(at->reason, program->reason, sizeof at->reason);
    at->chosen = program->backend;
    destroy_window(plan, program);
    return JC_OK;
}

static jc_status fail_limit(int64_t needed, int64_t limit)
{
    return jc_fail(JC_E_LIMIT,
                   "%lld bytes are needed even for one row of the seed at a time, the memory limit is %lld bytes",
                   (long long)needed, (long long)limit);
}

/* The widest window whose program keeps the limit, by bisection from what bytes(1) and the limit suggest: bytes grow
 * with rows. JC_E_LIMIT with both numbers when one row does not fit. */
static jc_status find_window(attempt *at, const jc_graph *g, const jc_query *q, jc_plan **plan, jc_program **program)
{
    jc_status status = make_window(at, g, q, 1, 0, plan, program);
    if (status) return status;
    int64_t one = (*program)->peak_bytes, limit = at->options->memory_limit, low = 1;
    int64_t high = jc_plan_seed_rows(*plan) + 1;
    if (one > limit) {
        at->needed = at->needed ? jc_min(at->needed, one) : one;
        status = note_failure(at, *program, fail_limit(one, limit), false);
        destroy_window(*plan, *program);
        return status;
    }
    int64_t guess = jc_min(jc_max(limit / one, 1), high - 1);
    while (high - low > 1) {
        int64_t middle = guess > low && guess < high ? guess : low + (high - low) / 2;
        jc_plan *p;
        jc_program *made;
        guess = 0;
        status = make_window(at, g, q, middle, 0, &p, &made);
        if (status == JC_E_MEMORY) {
            high = middle;
            continue;
        }
        if (status) break;
        if (made->peak_bytes > limit) {
            high = middle;
            destroy_window(p, made);
        } else {
            low = middle;
            destroy_window(*plan, *program);
            *plan = p;
            *program = made;
        }
    }
    if (status && status != JC_E_MEMORY) {
        destroy_window(*plan, *program);
        return status;
    }
    return JC_OK;
}

/* The windows of one target (reverse, elimination) or source (forward). */
static jc_status run_end(jc_results *r, attempt *at, const jc_graph *g, const jc_query *q, const jc_array *seed,
                         double *t)
{
    jc_plan *plan;
    jc_program *program;
    jc_status status = choose_for_windows(at, g, q);
    if (!status) status = find_window(at, g, q, &plan, &program);
    if (status) return status;
    lap(t, &r->info.plan_s);
    note_program(r, at, program);
    status = run_program(r, at, program, seed, NULL);
    destroy_window(plan, program);
    *t = now_s();
    return status;
}

/* One target or source at a time, each in windows. */
static jc_status run_windowed(jc_results *r, attempt *at, const jc_graph *g, const jc_query *q, const jc_array *seed,
                              double *t)
{
    bool forward = q->order == JC_ORDER_FORWARD;
    const jc_subgraph *whole = &r->plan->subgraph;
    int64_t n = forward ? whole->n_sources : whole->n_targets;
    const int64_t *ends = forward ? whole->source_variable : whole->target_variable;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < n && !status; i++) {
        jc_query one = *q;
        jc_vertex *vertices;
        int64_t n_vertices;
        if (forward)
            one.wrt = &ends[i], one.n_wrt = 1;
        else
            one.of = &ends[i], one.n_of = 1;
        status = jc_fit_order_of_target(g, &one, &vertices, &n_vertices);
        if (!status) status = run_end(r, at, g, &one, seed, t);
        jc_free(&g->allocator, vertices, n_vertices, sizeof *vertices);
    }
    return status;
}

/* The windows of the first order of which one row of the seed keeps the limit. */
static jc_status run_in_windows(jc_results *r, attempt *at, const jc_graph *g, const jc_query *q, const jc_array *seed,
                                double *t)
{
    jc_order orders[JC_FIT_ORDERS];
    int n = jc_fit_window_orders(r->plan, q, orders);
    jc_status status = JC_E_LIMIT;
    for (int i = 0; i < n && status == JC_E_LIMIT; i++) {
        jc_query query = *q;
        query.order = orders[i];
        jc_results_clear(r);
        status = jc_results_prepare(r);
        if (!status) status = run_windowed(r, at, g, &query, seed, t);
    }
    return status == JC_E_LIMIT && at->needed ? fail_limit(at->needed, at->options->memory_limit) : status;
}

/* A program of r->plan within the limit, or of one that takes its place. JC_E_LIMIT: none. */
static jc_status make_whole(jc_results *r, const attempt *at, const jc_graph *g, const jc_query *q)
{
    jc_fit fit = fit_of(at, g, q);
    return r->program ? JC_OK : jc_fit_whole(&fit, &r->plan, &r->program);
}

/* In one run, or in windows where the limit asks for it. */
static jc_status compute(jc_results *r, attempt *at, const jc_graph *g, const jc_query *q, const jc_array *seed,
                         double *t)
{
    jc_status status = make_whole(r, at, g, q);
    lap(t, &r->info.plan_s);
    if (!status) {
        note_program(r, at, r->program);
        status = jc_results_prepare(r);
        return status ? status : run_program(r, at, r->program, seed, &r->run);
    }
    return over_limit(status, at->options) ? run_in_windows(r, at, g, q, seed, t) : status;
}

/* A device that "auto" chose may fail to start, or lack memory: then the host computes. backend NULL: the options say
 * which. */
static jc_status compute_or_fall_back(jc_results *r, const jc_graph *g, const jc_query *q, const jc_backend *backend,
                                      const jc_evaluate_options *o, double *t)
{
    char failed[JC_REASON_BYTES];
    attempt at = {.options = &o->program, .chosen = backend};
    jc_status status = compute(r, &at, g, q, &o->seed, t);
    if (!at.falls_back || backend) return status;
    snprintf(failed, sizeof failed, "%s", jc_last_error());
    jc_results_clear(r);
    at = (attempt){.options = &o->program, .failed = failed};
    return compute(r, &at, g, q, &o->seed, t);
}

/* The plan; of JC_ORDER_AUTO the chosen one, with its program where that keeps the memory limit. */
static jc_status make_plan(jc_results *r, const jc_graph *g, const jc_query *q, const jc_backend *backend,
                           const jc_program_options *o)
{
    jc_order_options options = {.backend = backend, .program = o};
    jc_order_choice choice;
    if (backend && backend->of_sweeps && q->order == JC_ORDER_ELIMINATION) {
        jc_query sweep = *q;
        sweep.order = JC_ORDER_AUTO, sweep.eliminate = NULL, sweep.n_eliminate = 0;
        return jc_plan_create(g, &sweep, &r->plan);
    }
    bool is_chosen = q->order == JC_ORDER_AUTO && !(backend && backend->of_sweeps);
    if (!is_chosen) return jc_plan_create(g, q, &r->plan);
    jc_status status = jc_order_choose(g, q, &options, &choice);
    if (status) return status;
    jc_order_choice_take(&choice, &r->plan, &r->program);
    jc_order_choice_fini(&choice);
    return JC_OK;
}

static jc_status evaluate(jc_results *r, const jc_graph *g, const jc_query *query, const jc_backend *backend,
                          const jc_evaluate_options *options)
{
    double t = now_s();
    jc_query q;
    jc_evaluate_options chosen = *options, *o = &chosen;
    jc_status status = jc_query_read(query, &q);
    if (!status) status = make_plan(r, g, &q, backend, &o->program);
    if (!status) status = check_seed(g, &q, &o->seed); /* of a query that was checked */
    if (status) return status;
    q.order = r->plan->order;
    /* of the whole query: the window of one target alone may use no F64 tensor */
    if (o->program.precision == JC_PRECISION_AUTO) o->program.precision = jc_plan_precision(r->plan);
    status = compute_or_fall_back(r, g, &q, backend, o, &t);
    if (!status) status = jc_results_find_non_finite(r);
    return status;
}

jc_status jc_evaluate_on(const jc_graph *graph, const jc_query *query, const jc_backend *backend,
                         const jc_evaluate_options *options, jc_results **results)
{
    const jc_evaluate_options *o = options ? options : &no_options;
    jc_results *r;
    if (o->struct_size < sizeof *o) return jc_fail(JC_E_USAGE, "jc_evaluate_options: struct_size is not set");
    jc_status status = jc_alloc_zero(&graph->allocator, 1, sizeof *r, "results", &r);
    if (status) return status;
    r->allocator = graph->allocator;
    r->info.struct_size = sizeof r->info;
    r->non_finite = jc_vec_of(sizeof(int64_t));
    status = evaluate(r, graph, query, backend, o);
    if (status)
        jc_results_destroy(r);
    else
        *results = r;
    return status;
}

jc_status jc_evaluate(const jc_graph *graph, const jc_query *query, const jc_evaluate_options *options,
                      jc_results **results)
{
    return jc_evaluate_on(graph, query, NULL, options, results);
}
