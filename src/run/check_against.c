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
    const jc_rule *rules;    /* [n_rules] */
    int64_t n_rules;
    jc_precision precision;
    bool *done;                /* [n] judged */
    int64_t *member, *sources; /* [n] the totals of the target in hand, and their variables */
    int64_t n_members;
} given;

/* ---- the matrices ------------------------------------------------------------------------------------------------ */

static jc_status check_matrix(const given *g, int64_t i)
{
    const jc_array *a = &g->values[i];
    char text[200];
    int64_t n = jc_graph_variable_count(g->graph);
    if (g->of[i] < 0 || g->of[i] >= n || g->wrt[i] < 0 || g->wrt[i] >= n)
        return jc_fail(JC_E_USAGE, "total %lld is of a variable that is not there", (long long)i);
    jc_graph_edge_text(g->graph, g->of[i], g->wrt[i], text, sizeof text);
    int64_t rows = jc_graph_size(g->graph, g->of[i]), cols = jc_graph_size(g->graph, g->wrt[i]);
    if ((unsigned)a->dtype > JC_I32 || !jc_dtype_is_float(a->dtype))
        return jc_fail(JC_E_INPUT, "the total %s is not of a floating type", text);
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

/* Rounding of an entry to what it is stored in: the unit roundoff, and half of the smallest subnormal. */
static double stored(const given *g, int64_t i, double value)
{
    switch (g->values[i].dtype) {
    case JC_F32:
        return 0x1p-24 * fabs(value) + 0x1p-150;
    case JC_BF16:
        return 0x1p-8 * fabs(value) + 0x1p-134;
    case JC_F16:
        return 0x1p-11 * fabs(value) + 0x1p-25;
    default:
        return 0;
    }
}

/* The precision that is judged where none is named: what the file and the graph hold. */
static jc_precision precision_of(const given *g, const jc_plan *plan)
{
    if (g->precision != JC_PRECISION_AUTO) return g->precision;
    for (int64_t k = 0; k < g->n_members; k++)
        if (g->values[g->member[k]].dtype != JC_F64) return JC_PRECISION_F32;
    return jc_plan_precision(plan);
}

/* ---- the rounding that this precision has ------------------------------------------------------------------------ */

/* The same totals computed here in the precision that is judged: what it rounds away, on this graph. */
typedef struct trial {
    jc_program *program;
    jc_run *run; /* NULL: there is none in that precision */
    double *row; /* [max_cols] */
    int64_t max_cols;
} trial;

static void trial_fini(const jc_plan *plan, trial *t)
{
    jc_run_destroy(t->run);
    jc_program_destroy(t->program);
    jc_free(&plan->allocator, t->row, t->max_cols, sizeof *t->row);
}

static jc_status trial_init(trial *t, const jc_plan *plan, jc_precision precision, int64_t max_cols)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    *t = (trial){.max_cols = max_cols};
    options.backend = "cpu";
    options.precision = precision;
    jc_status status = jc_alloc(&plan->allocator, max_cols, sizeof *t->row, "a row of the totals", &t->row);
    if (!status && precision != JC_PRECISION_F64 && precision != JC_PRECISION_F32) return JC_OK;
    if (!status) status = jc_program_create(plan, &options, &t->program);
    if (!status) status = jc_run_create(t->program, &t->run);
    if (!status) status = jc_run_execute(t->run);
    if (status == JC_E_DEVICE) { /* an operator that has not this type */
        jc_run_destroy(t->run);
        t->run = NULL;
        return JC_OK;
    }
    if (status) trial_fini(plan, t);
    return status;
}

/* How far the trial's row is from the reference's, [cols], at most; NaN: not known. */
static jc_status trial_distance(const trial *t, int64_t value, int64_t row, int64_t cols, const double *reference,
                                double *distance)
{
    *distance = NAN;
    if (!t->run) return JC_OK;
    jc_status status = jc_read_rows(t->run, value, row, 1, t->row);
    double most = 0;
    for (int64_t c = 0; c < cols && !status; c++) {
        double d = fabs(t->row[c] - reference[c]);
        if (!(d <= most)) most = d;
    }
    if (!status) *distance = most;
    return status;
}

/* ---- one total --------------------------------------------------------------------------------------------------- */

/* What is known of one entry. */
typedef struct evidence {
    double error, bound;             /* of its own equation */
    double reference, forward_bound; /* distance from the reference */
    double value;
    double largest, rounding,
        store; /* of its row: the largest |reference|, the trial's distance; its own when stored */
} evidence;

/* As far as the trial's row: the same rounding. Far beyond: another matrix. */
enum { NEAR_TRIAL = 32, FAR_FROM_TRIAL = 1024 };

/* An entry passes by its own equation, or by a forward bound that is smaller than the entry. A forward bound that is
 * not is no evidence: then its distance is held against what a run in the same precision has in that row. */
static void judge_entry(const evidence *e, int64_t place, int64_t row, int64_t col, jc_worst *worst)
{
    double distance = fabs(e->value - e->reference), near = NEAR_TRIAL * e->rounding + e->store;
    bool own = e->error <= e->bound, forward = distance <= e->forward_bound;
    bool far = distance > FAR_FROM_TRIAL * e->rounding + e->store;
    if (own || !forward)
        jc_worst_take(worst, e->error, e->bound, place, row, col);
    else if (e->forward_bound < fabs(e->reference))
        jc_worst_take(worst, distance, e->forward_bound, place, row, col);
    else if (distance <= near && near < e->largest)
        jc_worst_take(worst, distance, near, place, row, col);
    else if (far)
        jc_worst_take(worst, e->error, e->bound, place, row, col);
    else
        jc_worst_take(worst, NAN, NAN, place, row, col);
}

/* What totals are judged with. */
typedef struct against {
    const given *given;
    jc_judge *judge;
    const jc_yardsticks *yardsticks;
    const trial *trial;
} against;

/* Row `row` of given total i, of whose rows jc_judge_evaluate saw those from `first` on. */
static jc_status judge_row(const against *a, int64_t i, const jc_output *out, int64_t row, int64_t first,
                           jc_worst *worst, jc_distance *d)
{
    jc_judge *j = a->judge;
    int64_t cols = out->cols, at = out->value_row + row;
    double factor = jc_forward_factor(j->eq, &j->roundoff, j->node), *reference = j->x, *m = j->row;
    double rounding = NAN, largest = 0;
    jc_status status = jc_read_rows(a->yardsticks->reference, out->value, at, 1, reference);
    if (!status) status = jc_read_rows(a->yardsticks->absolute, out->value, at, 1, m);
    if (!status) status = trial_distance(a->trial, out->value, at, cols, reference, &rounding);
    if (status) return status;
    for (int64_t c = 0; c < cols; c++) largest = fmax(largest, fabs(reference[c]));
    for (int64_t c = 0; c < cols; c++) {
        int64_t k = (row - first) * cols + c;
        evidence e = {
            .value = entry(a->given, i, row, c), .reference = reference[c], .largest = largest, .rounding = rounding};
        e.store = stored(a->given, i, e.value);
        e.error = fabs(e.value - j->sum[k]);
        e.bound = jc_judge_bound(j, k) + e.store;
        e.forward_bound = jc_forward_bound(factor, m[c]) + e.store;
        judge_entry(&e, out->wrt, row, c, worst);
        jc_distance_take(d, e.value, e.reference, e.forward_bound, row, c);
    }
    return JC_OK;
}

/* Rows [row, row + n) of given total i, which is the value of a node; the equation's sums are evaluated here. */
static jc_status judge_rows(const against *a, int64_t i, const jc_output *out, int64_t row, int64_t n, jc_worst *worst,
                            jc_distance *d)
{
    int64_t node = a->judge->eq->plan->values[out->value].node;
    jc_status status = jc_judge_evaluate(a->judge, node, out->value_row + row, n);
    for (int64_t r = row; r < row + n && !status; r++) status = judge_row(a, i, out, r, row, worst, d);
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

static jc_status judge_total(const against *a, int64_t i, const jc_output *out, jc_worst *all, jc_check_total *total)
{
    jc_worst worst = {0};
    jc_distance d = {.largest = 0};
    jc_status status = JC_OK;
    int64_t chunk = a->judge->chunk_rows;
    if (out->kind != JC_OUTPUT_VALUE) judge_exact(a->given, i, out, &worst, &d);
    for (int64_t row = 0; row < out->rows && out->kind == JC_OUTPUT_VALUE && !status; row += chunk)
        status = judge_rows(a, i, out, row, jc_min(chunk, out->rows - row), &worst, &d);
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

/* ---- one target -------------------------------------------------------------------------------------------------- */

static jc_status judge_outputs(const given *g, jc_judge *j, const jc_yardsticks *y, jc_precision precision,
                               jc_worst *worst, jc_check_report *report)
{
    const jc_plan *plan = j->eq->plan;
    trial t;
    jc_status status = trial_init(&t, plan, precision, j->max_cols);
    if (status) return status;
    against a = {g, j, y, &t};
    for (int64_t k = 0; k < g->n_members && !status; k++)
        status = judge_total(&a, g->member[k], &plan->outputs[k], worst, &report->totals[g->member[k]]);
    trial_fini(plan, &t);
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
    status = jc_yardsticks_init(&y, plan, precision, true, NULL);
    if (!status) {
        status = jc_judge_init(&j, &eq, y.reference, precision);
        if (!status) {
            status = judge_outputs(g, &j, &y, precision, worst, report);
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
    query.rules = g->rules, query.n_rules = g->n_rules;
    query.order = JC_ORDER_REVERSE;
    jc_status status = jc_plan_create(g->graph, &query, &plan);
    if (!status) status = jc_plan_verify(plan, &query, NULL);
    if (!status) status = judge_plan(g, plan, worst, report);
    jc_plan_destroy(plan);
    return status;
}

/* ---- all targets ------------------------------------------------------------------------------------------------- */

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
    return jc_check_against_rules(graph, NULL, 0, n, of, wrt, values, precision, report);
}

jc_status jc_check_against_rules(const jc_graph *graph, const jc_rule *rules, int64_t n_rules, int64_t n,
                                 const int64_t *of, const int64_t *wrt, const jc_array *values, jc_precision precision,
                                 jc_check_report **report)
{
    given g = {.graph = graph,
               .n = n,
               .of = of,
               .wrt = wrt,
               .values = values,
               .rules = rules,
               .n_rules = n_rules,
               .precision = precision};
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
