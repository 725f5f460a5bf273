/* Judging totals that no sweep of ours made: each is put into its own equation, in which everything else is computed
 * here in double. Where it was computed from adjoints that carry roundings of their own, the forward bound decides. */
#include <math.h>
#include <stdlib.h>

#include "core/dtype.h"
#include "core/size.h"
#include "plan/verify.h"
#include "run/check.h"

/* The totals of one target after the other. */
typedef struct judging {
    const jc_given *given;
    bool *done;                /* [given->n] judged */
    int64_t *member, *sources; /* [given->n] the totals of the target in hand, and their variables */
    int64_t n_members;
} judging;

/* ---- the matrices ------------------------------------------------------------------------------------------------ */

static double entry(const jc_array *matrices, int64_t i, int64_t row, int64_t col)
{
    const jc_array *a = &matrices[i];
    return jc_load_float(a->dtype, a->data, row * a->dims[1] + col);
}

/* Rounding of an entry to what it is stored in: the unit roundoff, and half of the smallest subnormal. */
static double stored(const jc_given *g, int64_t i, double value)
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
static jc_precision precision_of(const judging *w, const jc_plan *plan)
{
    const jc_given *g = w->given;
    if (g->precision != JC_PRECISION_AUTO) return g->precision;
    for (int64_t k = 0; k < w->n_members; k++)
        if (g->values[w->member[k]].dtype != JC_F64) return JC_PRECISION_F32;
    return jc_plan_precision(plan);
}

/* ---- the rounding that this precision has ------------------------------------------------------------------------ */

void jc_trial_fini(jc_trial *t)
{
    jc_run_destroy(t->run);
    jc_program_destroy(t->program);
}

jc_status jc_trial_init(jc_trial *t, const jc_plan *plan, jc_precision precision)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    *t = (jc_trial){.run = NULL};
    options.backend = "cpu";
    options.precision = precision;
    if (precision != JC_PRECISION_F64 && precision != JC_PRECISION_F32) return JC_OK;
    jc_status status = jc_program_create(plan, &options, &t->program);
    if (!status) status = jc_run_create(t->program, &t->run);
    if (!status) status = jc_run_execute(t->run);
    if (status == JC_E_DEVICE) { /* an operator that has not this type */
        jc_run_destroy(t->run);
        t->run = NULL;
        return JC_OK;
    }
    if (status) jc_trial_fini(t);
    return status;
}

/* What is put beside a row of the reference: the same totals in the precision that is judged. */
typedef struct trial {
    jc_trial run;
    double *row; /* [max_cols] */
    int64_t max_cols;
} trial;

static void trial_fini(const jc_plan *plan, trial *t)
{
    jc_trial_fini(&t->run);
    jc_free(&plan->allocator, t->row, t->max_cols, sizeof *t->row);
}

static jc_status trial_init(trial *t, const jc_plan *plan, jc_precision precision, int64_t max_cols)
{
    *t = (trial){.max_cols = max_cols};
    jc_status status = jc_alloc(&plan->allocator, max_cols, sizeof *t->row, "a row of the totals", &t->row);
    if (!status) status = jc_trial_init(&t->run, plan, precision);
    if (status) jc_free(&plan->allocator, t->row, t->max_cols, sizeof *t->row);
    return status;
}

/* How far the trial's row is from the reference's, [cols], at most; NaN: not known. */
static jc_status trial_distance(const trial *t, int64_t value, int64_t row, int64_t cols, const double *reference,
                                double *distance)
{
    *distance = NAN;
    if (!t->run.run) return JC_OK;
    jc_status status = jc_read_rows(t->run.run, value, row, 1, t->row);
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
    double largest, rounding; /* of its row: the largest |reference|, how far rounding gets */
    double order;             /* how far the order of products gets it besides */
    double store;             /* its rounding when stored */
} evidence;

/* As far as rounding gets in that row: the same matrix. Far beyond: another one. */
enum { NEAR_TRIAL = 32, FAR_FROM_TRIAL = 1024 };

/* An entry passes by its own equation, or by a forward bound that is smaller than the entry. A forward bound that is
 * not is no evidence: then its distance is held against what runs in the same precision have in that row. */
static void judge_entry(const evidence *e, int64_t place, int64_t row, int64_t col, jc_worst *worst)
{
    double distance = fabs(e->value - e->reference), near = NEAR_TRIAL * e->rounding + e->store;
    bool own = e->error <= e->bound, forward = distance <= e->forward_bound;
    bool far = distance > FAR_FROM_TRIAL * fmax(e->rounding, e->order) + e->store && !isnan(e->rounding);
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
    const jc_given *given;
    jc_judge *judge;
    const jc_yardsticks *yardsticks;
    const trial *trial;
} against;

/* What |value - reference| may be for an entry of given total i, of which the reverse sweep has M = m. */
static double forward_bound(const against *a, int64_t i, int64_t row, int64_t col, double m)
{
    const jc_judge *j = a->judge;
    if (!a->given->bounds) return jc_forward_bound(jc_forward_factor(j->eq, &j->roundoff, j->node), m);
    return entry(a->given->bounds, i, row, col) + jc_forward_bound(jc_reference_factor(j->eq, j->node), m);
}

/* How far the row of one of the given's matrices is from the reference's; 0 where there are none. */
static double row_distance(const jc_array *matrices, int64_t i, int64_t row, int64_t cols, const double *reference)
{
    double most = 0;
    for (int64_t c = 0; c < cols && matrices; c++) {
        double d = fabs(entry(matrices, i, row, c) - reference[c]);
        if (!(d <= most)) most = d;
    }
    return most;
}

/* Row `row` of given total i, of whose rows jc_judge_evaluate saw those from `first` on. */
static jc_status judge_row(const against *a, int64_t i, const jc_output *out, int64_t row, int64_t first,
                           jc_worst *worst, jc_distance *d)
{
    jc_judge *j = a->judge;
    int64_t cols = j->eq->plan->values[out->value].cols, at = out->value_row + row;
    double *reference = j->x, *m = j->row, rounding = NAN, largest = 0;
    jc_status status = jc_read_rows(a->yardsticks->reference, out->value, at, 1, reference);
    if (!status) status = jc_read_rows(a->yardsticks->absolute, out->value, at, 1, m);
    if (!status) status = trial_distance(a->trial, out->value, at, cols, reference, &rounding);
    if (status) return status;
    double scale = j->roundoff.sum / 0x1p-53;
    double in_double = scale * row_distance(a->given->in_double, i, row, cols, reference);
    double order = row_distance(a->given->by_cpu, i, row, cols, reference);
    if (in_double > rounding) rounding = in_double;
    for (int64_t c = 0; c < cols; c++) largest = fmax(largest, fabs(reference[c]));
    for (int64_t c = 0; c < cols; c++) {
        int64_t k = (row - first) * cols + c;
        double value = entry(a->given->values, i, row, c), store = stored(a->given, i, value);
        evidence e = {.value = value, .reference = reference[c], .largest = largest, .rounding = rounding};
        e.order = order;
        e.store = store;
        e.error = fabs(value - j->sum[k]);
        e.bound = jc_judge_bound(j, k) + store;
        e.forward_bound = forward_bound(a, i, row, c, m[c]) + store;
        judge_entry(&e, out->wrt, row, c, worst);
        jc_distance_take(d, value, e.reference, e.forward_bound, row, c);
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

/* A total that is zero or an identity by structure is so exactly, in each of its blocks. */
static void judge_exact(const jc_given *g, int64_t i, const jc_output *out, jc_worst *worst, jc_distance *d)
{
    for (int64_t row = 0; row < out->rows; row++)
        for (int64_t col = 0; col < g->values[i].dims[1]; col++) {
            double value = entry(g->values, i, row, col);
            double exact = out->kind == JC_OUTPUT_IDENTITY && row == col % out->cols;
            jc_worst_take(worst, fabs(value - exact), 0, out->wrt, row, col);
            jc_distance_take(d, value, exact, 0, row, col);
        }
}

/* In which of the variable's states the worst entry is: that of the node where the paths start. */
static void name_state(const jc_plan *plan, const jc_output *out, jc_worst *worst)
{
    worst->n_states = 1;
    if (out->kind != JC_OUTPUT_VALUE) return;
    worst->place = plan->values[out->value].node;
    jc_worst_name(&plan->subgraph, worst);
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
    name_state(a->judge->eq->plan, out, &worst);
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

static jc_status judge_outputs(const judging *w, jc_judge *j, const jc_yardsticks *y, jc_precision precision,
                               jc_worst *worst, jc_check_report *report)
{
    const jc_plan *plan = j->eq->plan;
    trial t;
    jc_status status = trial_init(&t, plan, precision, j->max_cols);
    if (status) return status;
    against a = {w->given, j, y, &t};
    for (int64_t k = 0; k < w->n_members && !status; k++)
        status = judge_total(&a, w->member[k], &plan->outputs[k], worst, &report->totals[w->member[k]]);
    trial_fini(plan, &t);
    return status;
}

static jc_status judge_plan(const judging *w, const jc_plan *plan, jc_worst *worst, jc_check_report *report)
{
    jc_equations eq;
    jc_yardsticks y;
    jc_judge j;
    jc_worst operators = {0};
    jc_precision precision = precision_of(w, plan);
    jc_status status = jc_equations_init(&eq, plan);
    if (status) return status;
    status = jc_yardsticks_init(&y, plan, precision, true, w->given->progress);
    if (!status) {
        status = jc_judge_init(&j, &eq, y.reference, precision);
        if (!status) {
            status = judge_outputs(w, &j, &y, precision, worst, report);
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

static void collect_members(judging *w, int64_t of)
{
    const jc_given *g = w->given;
    w->n_members = 0;
    for (int64_t i = 0; i < g->n; i++) {
        if (g->of[i] != of) continue;
        w->done[i] = true;
        w->member[w->n_members] = i;
        w->sources[w->n_members++] = g->wrt[i];
    }
}

static jc_status judge_target(judging *w, int64_t of, jc_worst *worst, jc_check_report *report)
{
    jc_query query = w->given->query;
    jc_plan *plan = NULL;
    collect_members(w, of);
    query.of = &of;
    query.n_of = 1;
    query.wrt = w->sources;
    query.n_wrt = w->n_members;
    query.order = JC_ORDER_REVERSE;
    jc_status status = jc_plan_create(w->given->graph, &query, &plan);
    if (!status) status = jc_plan_verify(plan, &query, NULL);
    if (!status) status = judge_plan(w, plan, worst, report);
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

static jc_status judge_all(judging *w, jc_check_report *report)
{
    const jc_given *g = w->given;
    jc_worst worst = {0};
    for (int64_t i = 0; i < g->n; i++) {
        jc_status status = w->done[i] ? JC_OK : judge_target(w, g->of[i], &worst, report);
        if (status) return status;
    }
    sort_non_finite(&report->non_finite);
    jc_check_conclude(report, &worst);
    return JC_OK;
}

jc_status jc_judge_given(const jc_given *g, jc_check_report *report)
{
    const jc_allocator *a = &g->graph->allocator;
    judging w = {.given = g};
    jc_status status = jc_alloc_zero(a, g->n, sizeof *w.done, "totals to judge", &w.done);
    if (!status) status = jc_alloc(a, g->n, sizeof *w.member, "totals to judge", &w.member);
    if (!status) status = jc_alloc(a, g->n, sizeof *w.sources, "totals to judge", &w.sources);
    if (!status) status = judge_all(&w, report);
    jc_free(a, w.sources, g->n, sizeof *w.sources);
    jc_free(a, w.member, g->n, sizeof *w.member);
    jc_free(a, w.done, g->n, sizeof *w.done);
    return status;
}
