/* Orders beside each other: a chain of wide and narrow variables, whose best order needs far fewer multiply-adds than
 * either sweep, and a dense graph in levels with wide targets, where elimination has nothing to win and must not lose.
 * Results are first held against a recurrence in double: the totals times vectors of the sources. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "core/dtype.h"
#include "core/error.h"
#include "layers.h"

enum { KEY_BYTES = 128, ORDERS = JC_ORDER_ELIMINATION + 1 };

static const char *const order_names[ORDERS] = {"auto", "reverse", "forward", "elimination"};

/* What one order does. */
typedef struct order_figures {
    double plan_s, prepare_s, predicted_s, run_s;
    int64_t multiply_adds, peak_bytes;
    jc_order order; /* that was taken */
    double error;   /* relative, of all totals times vectors */
} order_figures;

typedef struct orders_case {
    const char *name;
    jc_graph *graph;
    int64_t n_of, *of;   /* targets */
    int64_t n_wrt, *wrt; /* sources */
    double **x;          /* [variables] a vector for each source, what it becomes for each target */
    order_figures figures[ORDERS];
} orders_case;

/* ---- results -------------------------------------------------------------------------------------------------------
 */

/* y += D x, D [rows, cols] of f32 */
static void apply(const float *d, int64_t rows, int64_t cols, const double *x, double *y)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) y[i] += (double)d[i * cols + j] * x[j];
}

/* y -= the result times x; what is left of a target is the error. */
static void subtract(const jc_result *r, const double *x, double *y)
{
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++)
            y[i] -= jc_load_float(r->dtype, r->data, i * r->row_stride + j * r->col_stride) * x[j];
}

static double square(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += x[i] * x[i];
    return sum;
}

/* |y - sum over sources of the totals times x| / |y|, of all targets together. */
static jc_status measure_error(const orders_case *c, jc_run *run, double *error)
{
    double left = 0, all = 0;
    jc_status status = JC_OK;
    for (int64_t t = 0; t < c->n_of && !status; t++) {
        int64_t n = jc_graph_variable_size(c->graph, c->of[t]);
        double *y = malloc((size_t)n * sizeof *y);
        if (!y) return jc_fail(JC_E_MEMORY, "no memory for a result");
        memcpy(y, c->x[c->of[t]], (size_t)n * sizeof *y);
        all += square(y, n);
        for (int64_t i = t * c->n_wrt; i < (t + 1) * c->n_wrt && !status; i++) {
            jc_result r;
            status = jc_run_result(run, i, &r);
            if (!status && r.kind == JC_RESULT_MATRIX) subtract(&r, c->x[r.wrt], y);
        }
        left += square(y, n);
        free(y);
    }
    *error = sqrt(left / all);
    return status;
}

/* ---- one order --------------------------------------------------------------------------------------------------- */

static jc_status make_program(const orders_case *c, const bench_options *o, const jc_plan *plan, order_figures *f,
                              jc_program **program)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_program_info info = {.struct_size = sizeof info};
    options.backend = o->backend, options.threads = o->threads;
    double start = bench_seconds();
    jc_status status = jc_program_create(plan, &options, program);
    f->prepare_s = bench_seconds() - start;
    if (!status) status = jc_program_get_info(*program, &info);
    f->predicted_s = info.seconds_predicted, f->peak_bytes = info.peak_bytes;
    (void)c;
    return status;
}

static jc_status run_order(orders_case *c, const bench_options *o, jc_order order)
{
    order_figures *f = &c->figures[order];
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_run *run = NULL;
    jc_plan_info info = {.struct_size = sizeof info};
    q.of = c->of, q.n_of = c->n_of, q.wrt = c->wrt, q.n_wrt = c->n_wrt, q.order = order;
    double start = bench_seconds();
    jc_status status = jc_plan_create(c->graph, &q, &plan);
    f->plan_s = bench_seconds() - start;
    if (!status) status = jc_plan_get_info(plan, &info);
    f->multiply_adds = info.multiply_adds, f->order = info.order;
    if (!status) status = make_program(c, o, plan, f, &program);
    if (!status) status = bench_time_run(program, o->quick, &run, &f->run_s);
    if (!status) status = measure_error(c, run, &f->error);
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return status;
}

/* Plan and evaluation together, as jc_evaluate does both. */
static jc_status run_auto(orders_case *c, const bench_options *o)
{
    order_figures *f = &c->figures[JC_ORDER_AUTO];
    jc_query q = JC_QUERY_INIT;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_results_info info = {.struct_size = sizeof info};
    jc_results *results = NULL;
    options.program.backend = o->backend, options.program.threads = o->threads;
    q.of = c->of, q.n_of = c->n_of, q.wrt = c->wrt, q.n_wrt = c->n_wrt;
    jc_status status = jc_evaluate(c->graph, &q, &options, &results);
    if (!status) status = jc_results_get_info(results, &info);
    f->plan_s = info.plan_s, f->run_s = info.run_s, f->order = info.order, f->multiply_adds = info.multiply_adds;
    jc_results_destroy(results);
    return status;
}

/* ---- figures ----------------------------------------------------------------------------------------------------- */

static void say_order(bench_report *report, const orders_case *c, jc_order order)
{
    const order_figures *f = &c->figures[order];
    char key[KEY_BYTES];
    bench_say(report, "%-12s %-12s %-12s %14lld %8.3f %8.3f %10.3f %10.3f %8.1e", c->name, order_names[order],
              order_names[f->order], (long long)f->multiply_adds, f->plan_s, f->prepare_s, 1e3 * f->predicted_s,
              1e3 * f->run_s, f->error);
    snprintf(key, sizeof key, "orders %s %s", c->name, order_names[order]);
    bench_figures(report, key,
                  json_pack("{s:s,s:I,s:I,s:f,s:f,s:f,s:f,s:f}", "order", order_names[f->order], "multiply_adds",
                            (json_int_t)f->multiply_adds, "peak_bytes", (json_int_t)f->peak_bytes, "plan_s", f->plan_s,
                            "prepare_s", f->prepare_s, "predicted_s", f->predicted_s, "best_s", f->run_s, "error",
                            f->error));
}

/* tolerance: rounding of a product, of as many as are one after the other. */
static bool run_orders(bench_report *report, const bench_options *o, orders_case *c, double tolerance)
{
    for (int order = JC_ORDER_REVERSE; order < ORDERS; order++) {
        if (run_order(c, o, (jc_order)order)) {
            bench_failed(report, c->name, jc_last_error());
            return false;
        }
        say_order(report, c, (jc_order)order);
        bench_at_most(report, "orders: error over what rounding explains", c->figures[order].error / tolerance, 1.0,
                      "");
    }
    if (run_auto(c, o)) {
        bench_failed(report, c->name, jc_last_error());
        return false;
    }
    say_order(report, c, JC_ORDER_AUTO);
    return true;
}

static double better_sweep_s(const orders_case *c)
{
    return fmin(c->figures[JC_ORDER_REVERSE].run_s, c->figures[JC_ORDER_FORWARD].run_s);
}

static jc_status vectors_init(orders_case *c)
{
    int64_t n = jc_graph_variable_count(c->graph);
    c->x = calloc((size_t)n, sizeof *c->x);
    bool there = c->x != NULL;
    for (int64_t v = 0; v < n && there; v++) {
        c->x[v] = calloc((size_t)jc_graph_variable_size(c->graph, v), sizeof **c->x);
        there = c->x[v] != NULL;
    }
    for (int64_t s = 0; s < c->n_wrt && there; s++)
        for (int64_t i = 0; i < jc_graph_variable_size(c->graph, c->wrt[s]); i++)
            c->x[c->wrt[s]][i] = (i * 7 + s) % 5 - 2.0;
    return there ? JC_OK : jc_fail(JC_E_MEMORY, "no memory for the vectors");
}

static void case_fini(orders_case *c)
{
    for (int64_t v = 0; c->x && v < jc_graph_variable_count(c->graph); v++) free(c->x[v]);
    free(c->x);
    free(c->of);
    free(c->wrt);
}

/* The numbers from first to first + n - 1, allocated. */
static int64_t *range(int64_t first, int64_t n)
{
    int64_t *list = malloc((size_t)n * sizeof *list);
    for (int64_t i = 0; list && i < n; i++) list[i] = first + i;
    return list;
}

/* ---- a chain of wide and narrow variables --------------------------------------------------------------------------
 */

/* wide, narrow, wide, .. wide: 2 pairs factors. Elimination forms the products of narrow ends first. */
static jc_status build_chain(orders_case *c, int64_t pairs, int64_t wide, int64_t narrow, const float *up,
                             const float *down)
{
    jc_status status = jc_graph_create(NULL, &c->graph);
    for (int64_t v = 0; v <= 2 * pairs && !status; v++) {
        char name[24];
        int64_t id;
        snprintf(name, sizeof name, "x%lld", (long long)v);
        status = jc_graph_add_variable(c->graph, name, v % 2 ? narrow : wide, &id);
    }
    for (int64_t v = 1; v <= 2 * pairs && !status; v++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        int64_t member = (v - 1) / 2 * wide * narrow;
        j.values =
            v % 2 ? jc_array_2d(JC_F32, narrow, wide, down + member) : jc_array_2d(JC_F32, wide, narrow, up + member);
        status = jc_graph_add_edge(c->graph, v, v - 1, &j, NULL, 0);
    }
    return status ? status : jc_graph_finish(c->graph);
}

static void chain_recurrence(orders_case *c, int64_t pairs, int64_t wide, int64_t narrow, const float *up,
                             const float *down)
{
    for (int64_t v = 1; v <= 2 * pairs; v++) {
        int64_t member = (v - 1) / 2 * wide * narrow;
        if (v % 2)
            apply(down + member, narrow, wide, c->x[v - 1], c->x[v]);
        else
            apply(up + member, wide, narrow, c->x[v - 1], c->x[v]);
    }
}

static void judge_chain(bench_report *report, const bench_options *o, const orders_case *c)
{
    const order_figures *f = c->figures;
    int64_t sweep = f[JC_ORDER_REVERSE].multiply_adds, other = f[JC_ORDER_FORWARD].multiply_adds;
    double fewer = (double)(sweep < other ? sweep : other) / (double)f[JC_ORDER_ELIMINATION].multiply_adds;
    double faster = better_sweep_s(c) / f[JC_ORDER_ELIMINATION].run_s;
    bench_say(report, "%-12s %.1f times fewer multiply-adds than the better sweep, %.1f times faster", c->name, fewer,
              faster);
    if (o->quick) return;
    bench_at_least(report, "wide chain: multiply-adds, better sweep over elimination", fewer, 50.0, "x");
    bench_at_least(report, "wide chain: time, better sweep over elimination", faster, 20.0, "x");
    bench_at_least(report, "wide chain: auto takes elimination", f[JC_ORDER_AUTO].order == JC_ORDER_ELIMINATION, 1.0,
                   "");
}

static void bench_chain(bench_report *report, const bench_options *o, int64_t pairs, int64_t wide, int64_t narrow)
{
    orders_case c = {.name = "wide chain", .n_of = 1, .n_wrt = 1, .of = range(2 * pairs, 1), .wrt = range(0, 1)};
    float *up = bench_signs(JC_F32, pairs * wide * narrow, 1.0 / sqrt((double)narrow));
    float *down = bench_signs(JC_F32, pairs * wide * narrow, 1.0 / sqrt((double)wide));
    bool there = up && down && c.of && c.wrt;
    jc_status status = there ? build_chain(&c, pairs, wide, narrow, up, down) : jc_fail(JC_E_MEMORY, "no memory");
    if (!status) status = vectors_init(&c);
    if (status) {
        bench_failed(report, c.name, jc_last_error());
    } else {
        chain_recurrence(&c, pairs, wide, narrow, up, down);
        if (run_orders(report, o, &c, 0x1p-24 * sqrt((double)wide) * (double)pairs)) judge_chain(report, o, &c);
    }
    case_fini(&c);
    jc_graph_destroy(c.graph);
    free(up);
    free(down);
}

/* ---- wide targets over dense levels
 * ---------------------------------------------------------------------------------- */

static void judge_layers(bench_report *report, const bench_options *o, const orders_case *c)
{
    const order_figures *f = c->figures;
    if (o->quick) return;
    bench_at_most(report, "wide targets: plan by elimination", f[JC_ORDER_ELIMINATION].plan_s, 2.0, "s");
    bench_at_most(report, "wide targets: plan by auto, program and all", f[JC_ORDER_AUTO].plan_s, 2.0, "s");
    bench_at_most(report, "wide targets: time, elimination over the better sweep",
                  f[JC_ORDER_ELIMINATION].run_s / better_sweep_s(c), 1.1, "x");
    bench_at_most(report, "wide targets: time, auto over the better sweep", f[JC_ORDER_AUTO].run_s / better_sweep_s(c),
                  1.2, "x"); /* executed once, on memory never touched */
}

static void bench_levels(bench_report *report, const bench_options *o, int64_t levels)
{
    bench_layers layers = {JC_DENSE, JC_F32, levels, 64, 4, 32, 0};
    bench_numbers n;
    orders_case c = {.name = "wide targets", .n_of = layers.width, .n_wrt = layers.width};
    c.of = range(levels * layers.width, layers.width), c.wrt = range(0, layers.width);
    jc_status status = bench_layers_create(&layers, &n, &c.graph);
    if (status) {
        bench_failed(report, c.name, jc_last_error());
        case_fini(&c);
        return;
    }
    status = c.of && c.wrt ? vectors_init(&c) : jc_fail(JC_E_MEMORY, "no memory for the ends");
    if (status) {
        bench_failed(report, c.name, jc_last_error());
    } else {
        int64_t each = layers.size * layers.size;
        const float *values = n.values;
        for (int64_t e = 0; e < n.edges; e++)
            apply(values + e * each, layers.size, layers.size, c.x[n.wrt[e]], c.x[n.of[e]]);
        if (run_orders(report, o, &c, 0x1p-24 * (double)(4 * levels))) judge_layers(report, o, &c);
    }
    case_fini(&c);
    bench_layers_destroy(&n, c.graph);
}

void bench_orders(bench_report *report, const bench_options *o)
{
    bench_say(report, "\n%-12s %-12s %-12s %14s %8s %8s %10s %10s %8s", "orders", "asked for", "taken", "multiply-adds",
              "plan s", "prep. s", "told ms", "best ms", "error");
    bench_chain(report, o, o->quick ? 10 : 100, o->quick ? 128 : 2048, 16);
    bench_levels(report, o, o->quick ? 8 : 155);
}
