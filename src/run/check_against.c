/* Judging totals that were computed elsewhere: each is put into its own equation, in which everything else is computed
 * here in double. Where it was computed from adjoints that carry roundings of their own, the forward bound decides. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "plan/verify.h"
#include "run/check.h"

typedef struct given {
    const jc_graph *graph;
    int64_t n;
    const int64_t *of, *wrt; /* [n] */
    const jc_array *values;  /* [n] */
    jc_precision precision;
    bool *done;                /* [n] judged */
    int64_t *member, *sources; /* [n] the totals of the target in hand, and their variables */
    int64_t n_members;
} given;

/* ---- the matrices ---------------------------------------------------------------------------------------------------
 */

static jc_status check_matrix(const given *g, int64_t i)
{
    const jc_array *a = &g->values[i];
    char text[200];
    int64_t n = jc_graph_variable_count(g->graph);
    if (g->of[i] < 0 || g->of[i] >= n || g->wrt[i] < 0 || g->wrt[i] >= n)
        return jc_fail(JC_E_USAGE, "total %lld is of a variable that is not there", (long long)i);
    jc_graph_edge_text(g->graph, g->of[i], g->wrt[i], text, sizeof text);
    int64_t rows = jc_graph_size(g->graph, g->of[i]), cols = jc_graph_size(g->graph, g->wrt[i]);
    if (a->dtype != JC_F64 && a->dtype != JC_F32)
        return jc_fail(JC_E_INPUT, "the total %s is %s, expected F64 or F32", text, jc_dtype_name(a->dtype));
    if (!a->data || a->rank != 2 || a->dims[0] != rows || a->dims[1] != cols)
        return jc_fail(JC_E_INPUT, "the total %s has the wrong shape, expected %lld x %lld", text, (long long)rows,
                       (long long)cols);
    return JC_OK;
}

static double entry(const given *g, int64_t i, int64_t row, int64_t col)
{
    const jc_array *a = &g->values[i];
    return jc_load_float(a->dtype, a->data, row * a->dims[1] + col);
}

/* Rounding of an entry to what it is stored in. */
static double stored(const given *g, int64_t i, double value)
{
    return g->values[i].dtype == JC_F32 ? 0x1p-24 * fabs(value) + 0x1p-150 : 0;
}

/* The precision that is judged where none is named: what the file and the graph hold. */
static jc_precision precision_of(const given *g, const jc_plan *plan)
{
    if (g->precision != JC_PRECISION_AUTO) return g->precision;
    for (int64_t k = 0; k < g->n_members; k++)
        if (g->values[g->member[k]].dtype == JC_F32) return JC_PRECISION_F32;
    return jc_plan_precision(plan);
}

/* ---- one total ------------------------------------------------------------------------------------------------------
 */

/* What is known of one entry. */
typedef struct evidence {
    double error, bound;             /* of its own equation */
    double reference, forward_bound; /* distance from the reference */
    double value;
} evidence;

/* An entry passes by its own equation, or by a forward bound that is smaller than the entry; a forward bound that is
 * not is no evidence. */
static void judge_entry(const evidence *e, int64_t place, int64_t row, int64_t col, jc_worst *worst)
{
    double distance = fabs(e->value - e->reference);
    bool own = e->error <= e->bound, forward = distance <= e->forward_bound;
    if (own || !forward)
        jc_worst_take(worst, e->error, e->bound, place, row, col);
    else if (e->forward_bound < fabs(e->reference))
        jc_worst_take(worst, distance, e->forward_bound, place, row, col);
    else
        jc_worst_take(worst, NAN, NAN, place, row, col);
}

/* Rows [row, row + n) of given total i, which is the value of a node; the equation's sums are evaluated here. */
static jc_status judge_rows(const given *g, int64_t i, jc_judge *j, const jc_yardsticks *y, const jc_output *out,
                            int64_t row, int64_t n, jc_worst *worst, jc_distance *d)
{
    int64_t node = j->eq->plan->values[out->value].node, cols = out->cols, at = out->value_row + row;
    double factor = jc_forward_factor(j->eq, &j->roundoff, node);
    jc_status status = jc_judge_evaluate(j, node, at, n);
    for (int64_t r = 0; r < n && !status; r++) {
        double *reference = j->x, *m = j->row;
        status = jc_read_rows(y->reference, out->value, at + r, 1, reference);
        if (!status) status = jc_read_rows(y->absolute, out->value, at + r, 1, m);
        for (int64_t c = 0; c < cols && !status; c++) {
            evidence e = {.value = entry(g, i, row + r, c), .reference = reference[c]};
            double store = stored(g, i, e.value);
            e.error = fabs(e.value - j->sum[r * cols + c]);
            e.bound = jc_judge_bound(j, r * cols + c) + store;
            e.forward_bound = jc_forward_bound(factor, m[c]) + store;
            judge_entry(&e, out->wrt, row + r, c, worst);
            jc_distance_take(d, e.value, e.reference, e.forward_bound, row + r, c);
        }
    }
    return status;
}

/* A total that is zero or an identity by structure is so exactly. */
static void judge_exact(const given *g, int64_t i, const jc_output *out, jc_worst *worst, jc_distance *d)
{
    for (int64_t row = 0; row < out->rows; row++)
        for (int64_t col = 0; col < out->cols; col++) {
            double value = entry(g, i, row, col), exact = out->kind == JC_OUTPUT_IDENTITY && row == col;
            jc_worst_take(worst, fabs(value - exact), 0, out->wrt, row, col);
            jc_distance_take(d, value, exact, 0, row, col);
        }
}

static jc_status judge_total(const given *g, int64_t i, jc_judge *j, const jc_yardsticks *y, const jc_output *out,
                             jc_worst *all, jc_check_total *total)
{
    jc_worst worst = {0};
    jc_distance d = {.largest = 0};
    jc_status status = JC_OK;
    if (out->kind != JC_OUTPUT_VALUE) judge_exact(g, i, out, &worst, &d);
    for (int64_t row = 0; row < out->rows && out->kind == JC_OUTPUT_VALUE && !status; row += j->chunk_rows)
        status = judge_rows(g, i, j, y, out, row, jc_min(j->chunk_rows, out->rows - row), &worst, &d);
    if (status) return status;
    jc_verdict verdict = worst.ratio > 1 ? JC_FAILED : worst.undecided ? JC_UNDECIDED : JC_PASSED;
    *total = (jc_check_total){.of = out->of,
                              .wrt = out->wrt,
                              .error = d.worst.error,
                              .bound = d.worst.bound,
                              .row = d.worst.row,
                              .col = d.worst.col,
                              .verdict = verdict};
    jc_worst_merge(all, &worst);
    return JC_OK;
}

/* ---- one target -----------------------------------------------------------------------------------------------------
 */

static jc_status judge_outputs(const given *g, jc_judge *j, const jc_yardsticks *y, jc_worst *worst,
                               jc_check_report *report)
{
    jc_status status = JC_OK;
    for (int64_t k = 0; k < g->n_members && !status; k++)
        status = judge_total(g, g->member[k], j, y, &j->eq->plan->outputs[k], worst, &report->totals[g->member[k]]);
    return status;
}

static jc_status judge_plan(const given *g, const jc_plan *plan, jc_worst *worst, jc_check_report *report)
{
    jc_equations eq;
    jc_yardsticks y;
    jc_judge j;
    jc_worst operators = {0};
    jc_precision precision = precision_of(g, plan);
    jc_status status = jc_equations_init(&eq, plan);
    if (status) return status;
    status = jc_yardsticks_init(&y, plan, precision, true);
    if (!status) {
        status = jc_judge_init(&j, &eq, y.reference, precision);
        if (!status) {
            status = judge_outputs(g, &j, &y, worst, report);
            jc_judge_fini(&j);
        }
        jc_yardsticks_fini(&y);
    }
    if (!status) status = jc_judge_operators(&eq, &operators);
    if (!status) status = jc_plan_non_finite(plan, &report->non_finite);
    jc_worst_merge(worst, &operators);
    jc_equations_fini(&eq);
    report->summary.precision = precision;
    return status;
}

static void collect_members(given *g, int64_t of)
{
    g->n_members = 0;
    for (int64_t i = 0; i < g->n; i++) {
        if (g->of[i] != of) continue;
        g->done[i] = true;
        g->member[g->n_members] = i;
        g->sources[g->n_members++] = g->wrt[i];
    }
}

static jc_status judge_target(given *g, int64_t of, jc_worst *worst, jc_check_report *report)
{
    jc_query query = JC_QUERY_INIT;
    jc_plan *plan = NULL;
    collect_members(g, of);
    query.of = &of;
    query.n_of = 1;
    query.wrt = g->sources;
    query.n_wrt = g->n_members;
    query.order = JC_ORDER_REVERSE;
    jc_status status = jc_plan_create(g->graph, &query, &plan);
    if (!status) status = jc_plan_verify(plan, &query, NULL);
    if (!status) status = judge_plan(g, plan, worst, report);
    jc_plan_destroy(plan);
    return status;
}

/* ---- all targets ----------------------------------------------------------------------------------------------------
 */

static int compare_edges(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Several targets may have used the same edge. */
static void sort_non_finite(jc_vec *edges)
{
    int64_t *e = edges->data, kept = 0;
    if (edges->count == 0) return;
    qsort(e, (size_t)edges->count, sizeof *e, compare_edges);
    for (int64_t i = 0; i < edges->count; i++)
        if (i == 0 || e[i] != e[kept - 1]) e[kept++] = e[i];
    edges->count = kept;
}

static jc_status judge_all(given *g, jc_check_report *report)
{
    jc_worst worst = {0};
    for (int64_t i = 0; i < g->n; i++) {
        jc_status status = g->done[i] ? JC_OK : judge_target(g, g->of[i], &worst, report);
        if (status) return status;
    }
    sort_non_finite(&report->non_finite);
    report->summary.backend = "file";
    jc_check_conclude(report, &worst);
    return JC_OK;
}

jc_status jc_check_against(const jc_graph *graph, int64_t n, const int64_t *of, const int64_t *wrt,
                           const jc_array *values, jc_precision precision, jc_check_report **report)
{
    given g = {.graph = graph, .n = n, .of = of, .wrt = wrt, .values = values, .precision = precision};
    const jc_allocator *a = &graph->allocator;
    jc_check_report *r = NULL;
    jc_status status = n > 0 ? JC_OK : jc_fail(JC_E_USAGE, "there are no totals to judge");
    for (int64_t i = 0; i < n && !status; i++) status = check_matrix(&g, i);
    if (status) return status;
    status = jc_alloc_zero(a, n, sizeof *g.done, "totals to judge", &g.done);
    if (!status) status = jc_alloc(a, n, sizeof *g.member, "totals to judge", &g.member);
    if (!status) status = jc_alloc(a, n, sizeof *g.sources, "totals to judge", &g.sources);
    if (!status) status = jc_check_report_create(graph, n, &r);
    if (!status) status = judge_all(&g, r);
    jc_free(a, g.sources, n, sizeof *g.sources);
    jc_free(a, g.member, n, sizeof *g.member);
    jc_free(a, g.done, n, sizeof *g.done);
    if (status)
        jc_check_destroy(r);
    else
        *report = r;
    return status;
}
