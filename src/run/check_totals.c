/* Totals beside the reference, each with its forward bound. */
#include <math.h>

#include "backend/reference/absolute.h"
#include "backend/reference/reference.h"
#include "core/size.h"
#include "run/check.h"

static jc_status run_plan(const jc_plan *plan, const jc_backend *backend, jc_precision precision, bool keep,
                          const jc_progress *progress, jc_program **program, jc_run **run)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    if (progress) options.progress = *progress;
    options.precision = precision;
    options.keep_adjoints = keep;
    jc_status status = jc_program_create_on(plan, backend, &options, program);
    if (!status) status = jc_run_create(*program, run);
    return status ? status : jc_run_execute(*run);
}

jc_status jc_yardsticks_init(jc_yardsticks *y, const jc_plan *plan, jc_precision precision, bool keep,
                             const jc_progress *progress)
{
    *y = (jc_yardsticks){.reference = NULL};
    jc_status status =
        run_plan(plan, &jc_backend_reference, JC_PRECISION_F64, keep, progress, &y->programs[0], &y->reference);
    if (!status)
        status = run_plan(plan, &jc_backend_absolute, precision, false, progress, &y->programs[1], &y->absolute);
    if (status) jc_yardsticks_fini(y);
    return status;
}

void jc_yardsticks_fini(jc_yardsticks *y)
{
    jc_run_destroy(y->absolute);
    jc_run_destroy(y->reference);
    jc_program_destroy(y->programs[1]);
    jc_program_destroy(y->programs[0]);
}

double jc_forward_factor(const jc_equations *eq, const jc_roundoff *roundoff, int64_t node)
{
    double n = (double)eq->path[node], own = jc_gamma(n + 1, 0x1p-53);
    return own < 0.5 ? (jc_roundoff_bound(roundoff, n, (double)eq->products[node]) + own) / (1 - own) : INFINITY;
}

double jc_reference_factor(const jc_equations *eq, int64_t node)
{
    double own = jc_gamma((double)eq->path[node] + 1, 0x1p-53);
    return own < 0.5 ? own / (1 - own) : INFINITY;
}

double jc_forward_bound(double factor, double m)
{
    if (m == 0) return 0;
    return factor * m < INFINITY ? factor * m : INFINITY;
}

void jc_distance_take(jc_distance *d, double value, double reference, double bound, int64_t row, int64_t col)
{
    d->largest = fmax(d->largest, fabs(reference));
    d->loosest = fmax(d->loosest, bound);
    jc_worst_take(&d->worst, fabs(value - reference), bound, 0, row, col);
}

jc_verdict jc_distance_verdict(const jc_distance *d)
{
    if (d->worst.ratio > 1) return JC_FAILED;
    if (d->worst.undecided || (d->loosest > 0 && d->loosest >= d->largest)) return JC_UNDECIDED;
    return JC_PASSED;
}

/* The rows of one output: judged, reference and M side by side in the judge's memory. */
static jc_status judge_output(const jc_judge *j, const jc_yardsticks *y, const jc_output *out, jc_distance *d)
{
    int64_t node = j->eq->plan->values[out->value].node, cols = j->eq->plan->values[out->value].cols;
    int64_t rows = j->eq->seed_size[jc_equations_seed_at(j->eq, node, out->value_row).seed];
    double factor = jc_forward_factor(j->eq, &j->roundoff, node);
    for (int64_t row = 0; row < rows; row += j->chunk_rows) {
        int64_t n = jc_min(j->chunk_rows, rows - row), at = out->value_row + row;
        jc_status status = jc_read_rows(j->run, out->value, at, n, j->x);
        if (!status) status = jc_read_rows(y->reference, out->value, at, n, j->sum);
        if (!status) status = jc_read_rows(y->absolute, out->value, at, n, j->magnitude);
        if (status) return status;
        for (int64_t i = 0; i < n * cols; i++) {
            double bound = jc_forward_bound(factor, j->magnitude[i]);
            jc_distance_take(d, j->x[i], j->sum[i], bound, row + i / cols, i % cols);
        }
    }
    return JC_OK;
}

jc_status jc_judge_totals(const jc_judge *j, const jc_yardsticks *y, jc_check_report *report)
{
    const jc_plan *plan = j->eq->plan;
    for (int64_t i = 0; i < plan->n_outputs; i++) {
        const jc_output *out = &plan->outputs[i];
        jc_check_total *total = &report->totals[i];
        jc_distance d = {.largest = 0};
        total->of = out->of;
        total->wrt = out->wrt;
        if (out->kind != JC_OUTPUT_VALUE) continue;
        jc_status status = judge_output(j, y, out, &d);
        if (status) return status;
        total->error = d.worst.error;
        total->bound = d.worst.bound;
        total->row = out->transposed ? d.worst.col : d.worst.row;
        total->col = out->transposed ? d.worst.row : d.worst.col;
        total->verdict = jc_distance_verdict(&d);
    }
    return JC_OK;
}
