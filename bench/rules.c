/* What path rules cost: graphs of scalars, half of whose edges are labelled a, under the rule that the number of edges
 * a on a path is divisible by S, which has S states wherever it is looked at. Each result is first compared with a
 * recurrence of our own over variables and remainders, then planning and evaluation are timed. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "core/error.h"

enum { LEVELS = 100, REPEATS = 3, MOST_STATES = 8, KEY_BYTES = 128 };

/* Variable 0, LEVELS levels of `width` variables, and a last one; every variable of a level has an edge a and an edge b
 * from two of the level before, or from variable 0. The last one has one of each from all of the last level. */
typedef struct web {
    int64_t width, n_variables, n_edges; /* edges [0, n/2) are a, the others b */
    int64_t *of, *wrt;                   /* [n_edges] */
    double *values;                      /* [n_edges] */
    jc_graph *graph;
} web;

typedef struct figures {
    int64_t edges, states, copies, plan_bytes;
    double plan_s, prepare_s, run_s, error; /* the best of several */
} figures;

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    return z ^ z >> 27;
}

/* Variable i of level l. */
static int64_t at(const web *w, int64_t l, int64_t i)
{
    return 1 + l * w->width + i;
}

static void draw(web *w)
{
    uint64_t state = 1;
    int64_t half = w->n_edges / 2, last = w->n_variables - 1;
    for (int64_t label = 0, e = 0; label < 2; label++) {
        for (int64_t l = 0; l < LEVELS; l++)
            for (int64_t i = 0; i < w->width; i++, e++) {
                w->of[e] = at(w, l, i);
                w->wrt[e] = l ? at(w, l - 1, (int64_t)(next_random(&state) % (uint64_t)w->width)) : 0;
            }
        for (int64_t i = 0; i < w->width; i++, e++) w->of[e] = last, w->wrt[e] = at(w, LEVELS - 1, i);
        if (e != (label + 1) * half) abort();
    }
    for (int64_t e = 0; e < w->n_edges; e++) w->values[e] = 0.4 + 0.2 * (double)(next_random(&state) >> 11) * 0x1p-53;
}

static jc_status add_edges(web *w)
{
    static const char *const labels[] = {"a", "b"};
    int64_t half = w->n_edges / 2;
    jc_status status = JC_OK;
    for (int k = 0; k < 2 && !status; k++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        jc_array of = jc_array_1d(JC_I64, half, w->of + k * half), wrt = jc_array_1d(JC_I64, half, w->wrt + k * half);
        j.values = (jc_array){JC_F64, 3, {half, 1, 1}, w->values + k * half, JC_BORROW, 0};
        status = jc_graph_add_edges(w->graph, half, &of, &wrt, &j, &labels[k], 1);
    }
    return status ? status : jc_graph_finish(w->graph);
}

static jc_status web_init(web *w, int64_t edges)
{
    *w = (web){.width = edges / 2 / (LEVELS + 1)};
    w->n_variables = LEVELS * w->width + 2;
    w->n_edges = 2 * (LEVELS + 1) * w->width;
    w->of = malloc((size_t)w->n_edges * sizeof *w->of);
    w->wrt = malloc((size_t)w->n_edges * sizeof *w->wrt);
    w->values = malloc((size_t)w->n_edges * sizeof *w->values);
    int64_t *sizes = malloc((size_t)w->n_variables * sizeof *sizes);
    if (!w->of || !w->wrt || !w->values || !sizes) abort();
    for (int64_t v = 0; v < w->n_variables; v++) sizes[v] = 1;
    draw(w);
    jc_array array = jc_array_1d(JC_I64, w->n_variables, sizes);
    jc_status status = jc_graph_create(NULL, &w->graph);
    if (!status) status = jc_graph_add_variables(w->graph, "v", &array);
    if (!status) status = add_edges(w);
    free(sizes);
    return status;
}

static void web_fini(web *w)
{
    jc_graph_destroy(w->graph);
    free(w->of);
    free(w->wrt);
    free(w->values);
}

/* sum[v][r]: over the paths from variable 0 to v with r edges a, modulo S. Edges of one label come by level. */
static double recurrence(const web *w, int64_t states)
{
    double *sum = calloc((size_t)(w->n_variables * states), sizeof *sum), total;
    int64_t half = w->n_edges / 2, width = w->width;
    if (!sum) abort();
    sum[0] = 1;
    for (int64_t l = 0; l <= LEVELS; l++)
        for (int64_t i = l * width; i < (l + 1) * width; i++)
            for (int label = 0; label < 2; label++) {
                int64_t e = i + label * half;
                for (int64_t r = 0; r < states; r++)
                    sum[w->of[e] * states + (r + !label) % states] += w->values[e] * sum[w->wrt[e] * states + r];
            }
    total = sum[(w->n_variables - 1) * states];
    free(sum);
    return total;
}

/* ((b* a){S})* b*; without a rule where S is 1. */
static void rule_text(int64_t states, char text[KEY_BYTES])
{
    snprintf(text, KEY_BYTES, "((b* a){%lld})* b*", (long long)states);
}

static jc_status time_plans(const web *w, const jc_query *query, jc_plan **plan, figures *f)
{
    jc_plan_info info = {.struct_size = sizeof info};
    jc_status status = JC_OK;
    f->plan_s = INFINITY;
    for (int i = 0; i < REPEATS && !status; i++) {
        jc_plan_destroy(*plan);
        *plan = NULL;
        double start = bench_seconds();
        status = jc_plan_create(w->graph, query, plan);
        f->plan_s = fmin(f->plan_s, bench_seconds() - start);
    }
    if (!status) status = jc_plan_get_info(*plan, &info);
    f->copies = info.edges, f->plan_bytes = (int64_t)info.plan_bytes;
    return status;
}

static jc_status time_runs(const bench_options *o, const jc_plan *plan, double expected, figures *f)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_program *program = NULL;
    jc_run *run = NULL;
    jc_result r = {.data = NULL};
    options.backend = o->backend, options.threads = o->threads;
    double start = bench_seconds();
    jc_status status = jc_program_create(plan, &options, &program);
    f->prepare_s = bench_seconds() - start;
    if (!status) status = jc_run_create(program, &run);
    if (!status) status = jc_run_execute(run);
    if (!status) status = jc_run_result(run, 0, &r);
    if (!status && (!r.data || r.dtype != JC_F64)) status = jc_fail(JC_E_INTERNAL, "there is no result in f64");
    if (!status) f->error = fabs(*(const double *)r.data - expected) / expected;
    f->run_s = INFINITY;
    for (int i = 0; i < 2 * REPEATS && !status; i++) {
        start = bench_seconds();
        status = jc_run_execute(run);
        f->run_s = fmin(f->run_s, bench_seconds() - start);
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    return status;
}

static jc_status measure(const bench_options *o, const web *w, int64_t states, figures *f)
{
    char text[KEY_BYTES];
    int64_t of = w->n_variables - 1, wrt = 0;
    jc_rule rule = {.kind = JC_RULE_MATCH, .expression = text};
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = JC_ORDER_REVERSE;
    q.rules = &rule, q.n_rules = states > 1;
    rule_text(states, text);
    *f = (figures){.edges = w->n_edges, .states = states};
    jc_status status = time_plans(w, &q, &plan, f);
    if (!status) status = time_runs(o, plan, recurrence(w, states), f);
    jc_plan_destroy(plan);
    return status;
}

static double per_state(const figures *f)
{
    return (f->plan_s + f->prepare_s + f->run_s) / (double)(f->edges * f->states);
}

static void say(bench_report *report, const figures *f)
{
    char key[KEY_BYTES];
    bench_say(report, "rules    %8lld %6lld %9lld %8.4f %8.4f %9.3f %9.1f %8.1e", (long long)f->edges,
              (long long)f->states, (long long)f->copies, f->plan_s, f->prepare_s, 1e3 * f->run_s, 1e9 * per_state(f),
              f->error);
    snprintf(key, sizeof key, "rules %lld x %lld", (long long)f->edges, (long long)f->states);
    bench_figures(report, key,
                  json_pack("{s:I,s:I,s:I,s:I,s:f,s:f,s:f,s:f,s:f}", "edges", (json_int_t)f->edges, "states",
                            (json_int_t)f->states, "copies", (json_int_t)f->copies, "plan_bytes",
                            (json_int_t)f->plan_bytes, "plan_s", f->plan_s, "prepare_s", f->prepare_s, "run_best_s",
                            f->run_s, "s_per_edge_and_state", per_state(f), "error", f->error));
}

/* before: the same number of states on a tenth of the edges; fewer: half the states on the same edges. */
static void judge(bench_report *report, const figures *f, const figures *before, const figures *fewer)
{
    bench_at_most(report, "rules: error over what rounding explains", f->error / (4.0 * (LEVELS + 2) * 0x1p-53), 1.0,
                  "");
    if (f->edges > 900000 && before->edges)
        bench_at_most(report, "rules: time an edge and state, 10^6 over 10^5 edges", per_state(f) / per_state(before),
                      3.0, "x");
    if (f->edges > 900000 && f->states > 2)
        bench_at_most(report, "rules: time an edge and state, twice the states at 10^6",
                      per_state(f) / per_state(fewer), 1.5, "x");
}

void bench_rules(bench_report *report, const bench_options *o)
{
    int64_t most = o->quick ? 100000 : 1000000;
    figures before[MOST_STATES + 1] = {{0}};
    bench_say(report, "\n%-8s %8s %6s %9s %8s %8s %9s %9s %8s", "", "edges", "states", "copies", "plan s", "prep. s",
              "best ms", "ns/e.st.", "error");
    for (int64_t edges = 10000; edges <= most; edges *= 10) {
        web w;
        jc_status status = web_init(&w, edges);
        figures fewer = {0};
        for (int64_t states = 1; states <= MOST_STATES && !status; states *= 2) {
            figures f;
            status = measure(o, &w, states, &f);
            if (status) break;
            say(report, &f);
            judge(report, &f, &before[states], &fewer);
            before[states] = fewer = f;
        }
        if (status) bench_failed(report, "rules", jc_last_error());
        web_fini(&w);
    }
}
