/* A document and its side files: text, then the line "%%tensors%%" and the bytes of t.safetensors, then the line
 * "%%matrix%%" and those of a.mtx. What loads can be planned, its plan satisfies the verifier; what is small is
 * computed: in exact arithmetic both orders give the same numbers, the reference passes its own check, and its results
 * come back from a file as they were. */
#define _GNU_SOURCE
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "backend/backend.h"
#include "core/dtype.h"
#include "core/size.h"
#include "fuzz/fuzz.h"
#include "graph/graph.h"
#include "io/results.h"
#include "plan/verify.h"
#include "support/exact_backend.h"

enum { MOST_ENDS = 4, MOST_NAMES = 64, SMALL_ENTRIES = 1 << 12, SMALL_COST = 1 << 18 };

/* ---- loading ----------------------------------------------------------------------------------------------------- */

static void expect_names(const jc_graph *g)
{
    int64_t n = jc_graph_variable_count(g);
    for (int64_t v = 0; v < n && v < MOST_NAMES; v++) {
        size_t bytes = jc_graph_variable_name(g, v, NULL, 0) + 1;
        char *name = malloc(bytes);
        jc_graph_variable_name(g, v, name, bytes);
        fuzz_expect(jc_graph_find_variable(g, name) == v, "variable %d is found by its name '%s'", (int)v, name);
        fuzz_expect(jc_graph_variable_size(g, v) > 0, "'%s' has a size", name);
        free(name);
    }
    for (int64_t e = 0; e < jc_graph_edge_count(g); e++) {
        int64_t of, wrt;
        jc_graph_edge(g, e, &of, &wrt);
        fuzz_expect(of >= 0 && of < n && wrt >= 0 && wrt < n && of != wrt, "edge %d has two ends", (int)e);
    }
}

/* Writes what stands behind the separator as the file `name`, which is empty where there is none; returns the bytes
 * before it. */
static size_t split(const uint8_t *data, size_t bytes, const char *separator, const char *name)
{
    size_t n = strlen(separator);
    const uint8_t *middle = memmem(data, bytes, separator, n);
    size_t before = middle ? (size_t)(middle - data) : bytes;
    fuzz_write(name, middle ? middle + n : data, middle ? bytes - before - n : 0);
    return before;
}

static jc_graph *load(const uint8_t *data, size_t bytes)
{
    static int untouched;
    jc_graph *graph = (jc_graph *)&untouched;
    bytes = split(data, bytes, "\n%%matrix%%\n", "a.mtx");
    bytes = split(data, bytes, "\n%%tensors%%\n", "t.safetensors");
    const char *path = fuzz_write("graph.json", data, bytes), *folder_end = strrchr(path, '/');
    char folder[256];
    memcpy(folder, path, (size_t)(folder_end - path) + 1);
    folder[folder_end - path + 1] = '\0';
    jc_status status = jc_graph_load(path, NULL, &graph);
    fuzz_expect_read(status, folder);
    if (!status) return graph;
    fuzz_expect(graph == (jc_graph *)&untouched, "a graph that does not load leaves its place as it was");
    return NULL;
}

/* ---- planning ---------------------------------------------------------------------------------------------------- */

/* The last variables without outgoing edges. */
static int64_t find_targets(const jc_graph *g, int64_t *of)
{
    int64_t n = 0;
    for (int64_t v = jc_graph_variable_count(g) - 1; v >= 0 && n < MOST_ENDS; v--)
        if (g->out_start[v] == g->out_start[v + 1]) of[n++] = v;
    return n;
}

/* NULL where it is too large to be planned. */
static jc_plan *plan_verified(const jc_graph *g, const jc_query *q)
{
    jc_plan *plan;
    jc_layout layout;
    jc_status status = jc_plan_create(g, q, &plan);
    fuzz_expect(status == JC_OK || status == JC_E_MEMORY || status == JC_E_LIMIT, "a graph that loads can be planned");
    if (status) return NULL;
    status = jc_layout_create(plan, 8, false, &layout);
    fuzz_expect(status == JC_OK || status == JC_E_MEMORY || status == JC_E_LIMIT, "a plan has a layout");
    if (status) {
        jc_plan_destroy(plan);
        return NULL;
    }
    status = jc_plan_verify(plan, q, &layout);
    jc_layout_fini(plan, &layout);
    fuzz_expect(status == JC_OK, "the plan is one of this request");
    return plan;
}

static bool is_small(const jc_plan *plan)
{
    int64_t entries = 0;
    for (int64_t i = 0; i < plan->n_values; i++)
        entries = jc_cost_add(entries, jc_cost_mul(plan->values[i].rows, plan->values[i].cols));
    for (int64_t i = 0; i < plan->n_outputs; i++)
        entries = jc_cost_add(entries, jc_cost_mul(plan->outputs[i].rows, plan->outputs[i].cols));
    return entries <= SMALL_ENTRIES && plan->forward_cost <= SMALL_COST && plan->reverse_cost <= SMALL_COST &&
           jc_plan_edge_without_numbers(plan) < 0;
}

/* ---- computing --------------------------------------------------------------------------------------------------- */

static bool is_integer(double x)
{
    return fabs(x) < 0x1p53 && floor(x) == x;
}

/* Whether every number of the graph is an integer that the exact backend can take. */
static bool has_integers(const jc_graph *g)
{
    for (int64_t i = 0; i < g->groups.count; i++) {
        const jc_group *group = (const jc_group *)g->groups.data + i;
        for (int64_t m = 0; m < group->n_edges; m++) {
            jc_jac jac = jc_group_member(group, m, NULL);
            if (!is_integer(jac.scale)) return false;
            for (int f = 0; f < jc_kinds[group->shape.kind].n_fields && group->has_numbers; f++) {
                if (!jc_dtype_is_float(jac.dtype[f])) continue;
                for (int64_t k = 0; k < group->field[f].elements; k++)
                    if (!is_integer(jc_load_float(jac.dtype[f], jac.data[f], k))) return false;
            }
        }
    }
    return true;
}

typedef struct exact {
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
} exact;

static exact exact_begin(const jc_graph *g, jc_query q, jc_order order)
{
    exact e;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.precision = JC_PRECISION_F64;
    q.order = order;
    fuzz_expect(!jc_plan_create(g, &q, &e.plan), "order %d can be planned", order);
    fuzz_expect(!jc_program_create_on(e.plan, &jt_exact_backend, &options, &e.program), "exact program");
    fuzz_expect(!jc_run_create(e.program, &e.run) && !jc_run_execute(e.run), "exact run");
    return e;
}

static void exact_end(exact *e)
{
    jc_run_destroy(e->run);
    jc_program_destroy(e->program);
    jc_plan_destroy(e->plan);
}

static uint64_t exact_entry(const jc_result *r, int64_t i, int64_t j)
{
    if (r->kind != JC_RESULT_MATRIX) return r->kind == JC_RESULT_IDENTITY && i == j;
    return ((const uint64_t *)r->data)[i * r->row_stride + j * r->col_stride];
}

/* Modulo 2^61 - 1 no order rounds. */
static void expect_same_in_both_orders(const jc_graph *g, const jc_query *q)
{
    exact reverse = exact_begin(g, *q, JC_ORDER_REVERSE), forward = exact_begin(g, *q, JC_ORDER_FORWARD);
    int64_t n = jc_run_result_count(reverse.run);
    fuzz_expect(n == jc_run_result_count(forward.run), "both orders have the same results");
    for (int64_t k = 0; k < n; k++) {
        jc_result a, b;
        fuzz_expect(!jc_run_result(reverse.run, k, &a) && !jc_run_result(forward.run, k, &b), "results");
        fuzz_expect(a.of == b.of && a.wrt == b.wrt && a.rows == b.rows && a.cols == b.cols, "result %d", (int)k);
        for (int64_t i = 0; i < a.rows; i++)
            for (int64_t j = 0; j < a.cols; j++)
                fuzz_expect(exact_entry(&a, i, j) == exact_entry(&b, i, j), "result %d at %d, %d", (int)k, (int)i,
                            (int)j);
    }
    exact_end(&forward);
    exact_end(&reverse);
}

static void expect_check_passes(const jc_graph *g, const jc_query *q, const char *backend)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_check_report *report;
    jc_check_summary summary = {.struct_size = sizeof summary};
    options.backend = backend;
    options.threads = 1;
    jc_status status = jc_check(g, q, &options, &report);
    fuzz_expect(status == JC_OK, "%s checks", backend);
    fuzz_expect(!jc_check_get_summary(report, &summary), "a report has a summary");
    fuzz_expect(summary.verdict != JC_FAILED, "%s passes: variable %d, ratio %g", backend, (int)summary.variable,
                summary.ratio);
    jc_check_destroy(report);
}

static bool same_number(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static double entry(const jc_result *r, int64_t i, int64_t j)
{
    if (r->kind != JC_RESULT_MATRIX) return r->kind == JC_RESULT_IDENTITY && i == j;
    return jc_load_float(r->dtype, r->data, i * r->row_stride + j * r->col_stride);
}

static void expect_file_has(const jc_results_file *f, const jc_result *r)
{
    for (int64_t k = 0; k < f->n; k++) {
        if (f->of[k] != r->of || f->wrt[k] != r->wrt) continue;
        fuzz_expect(f->values[k].rank == 2 && f->values[k].dims[0] == r->rows && f->values[k].dims[1] == r->cols,
                    "a result's shape is in the file");
        for (int64_t i = 0; i < r->rows * r->cols; i++)
            fuzz_expect(same_number(jc_load_float(f->values[k].dtype, f->values[k].data, i),
                                    entry(r, i / r->cols, i % r->cols)),
                        "a result's number %d is in the file", (int)i);
        return;
    }
    fuzz_expect(false, "a result is in the file");
}

/* Two pairs of variables may make one name; then no file is written. */
static void expect_file_of_results(const jc_graph *g, const jc_query *q)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_results *results;
    jc_results_file *file;
    options.program.backend = "reference";
    fuzz_expect(!jc_evaluate(g, q, &options, &results), "the reference computes");
    int64_t n = jc_results_count(results);
    jc_result *list = malloc((size_t)n * sizeof *list + 1);
    for (int64_t i = 0; i < n; i++) fuzz_expect(!jc_results_get(results, i, &list[i]), "result");
    const char *path = fuzz_write("r.safetensors", "", 0);
    jc_status status = n ? jc_results_write(g, list, n, path) : JC_E_USAGE;
    fuzz_expect(status == JC_OK || status == JC_E_USAGE, "results are written");
    if (!status) {
        fuzz_expect(!jc_results_file_open(path, g, &file), "results are read");
        for (int64_t i = 0; i < n; i++) expect_file_has(file, &list[i]);
        jc_results_file_close(file);
    }
    free(list);
    jc_results_destroy(results);
}

static void expect_computes(const jc_graph *g, const jc_query *q)
{
    if (has_integers(g)) expect_same_in_both_orders(g, q);
    expect_check_passes(g, q, "reference");
    expect_check_passes(g, q, "cpu");
    expect_file_of_results(g, q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    jc_graph *graph = load(data, bytes);
    if (!graph) return 0;
    expect_names(graph);
    int64_t of[MOST_ENDS];
    jc_query query = JC_QUERY_INIT;
    query.of = of;
    query.n_of = find_targets(graph, of);
    jc_plan *plan = query.n_of ? plan_verified(graph, &query) : NULL;
    if (plan && is_small(plan)) expect_computes(graph, &query);
    jc_plan_destroy(plan);
    jc_graph_destroy(graph);
    return 0;
}
