/* Judging an elimination: its totals are put into the adjoint equations of the same query, and beside the reference. What
 * rounding may do to them follows from the plan. Let c^ be what is computed of a value c, and M(c) what the same steps
 * give for absolute values. If for what the steps c += a b read
 *     |a^ - a| <= gamma_n(a) M(a),  |b^ - b| <= gamma_n(b) M(b)
 * then, as (1 + gamma_i) (1 + gamma_j) <= 1 + gamma_(i+j), and a sum of t products rounds each of them t times at most,
 *     |c^ - c| <= gamma_n(c) M(c),   n(c) = max over its steps of (n(a) + n(b)) + sum over its steps of t + 4
 * with n = 0 for what is given. docs/numerics.md, "Checking an elimination". */
#include <math.h>

#include "core/size.h"
#include "plan/view.h"
#include "run/check.h"

static const char *const WHAT = "the memory of a check";

/* ---- how often a number is rounded ------------------------------------------------------------------------------ */

/* Of a value: n(c), and how many products with rounded operands are in one of its terms. */
typedef struct roundings {
    int64_t n, products;
} roundings;

/* Of what a step reads; -1: it is given, or an identity. */
static roundings of_value(const roundings *all, int64_t value)
{
    return value < 0 ? (roundings){0, 0} : all[value];
}

/* n(c), and p(c) = max over its steps of (p(a) + p(b) + 1), when those of earlier levels are known. */
static jc_status count_value(const jc_plan *plan, int64_t value, roundings *all)
{
    int64_t n_steps, terms = JC_TERM_ROUNDINGS, each;
    const jc_step *steps = jc_plan_steps_of(plan, value, &n_steps);
    roundings most = {0, 0};
    for (int64_t s = 0; s < n_steps; s++) {
        const jc_step *step = &steps[s];
        bool identity = step->a == JC_SEED_IDENTITY;
        roundings a = of_value(all, step->a), b = of_value(all, jc_plan_value_of_b(plan, step->b));
        jc_status status = jc_counted_roundings(plan, step->b, identity, step->transpose, &each);
        if (status) return status;
        terms = jc_cost_add(terms, each);
        most.n = jc_max(most.n, jc_cost_add(a.n, b.n));
        most.products = jc_max(most.products, jc_cost_add(jc_cost_add(a.products, b.products), 1));
    }
    all[value] = (roundings){jc_cost_add(most.n, terms), most.products};
    return JC_OK;
}

/* |computed - exact| <= factor M^, M^ being M with the rounding of its own sums in double. Inf: it says nothing. */
static double factor_of(const roundings *r, const jc_roundoff *roundoff)
{
    double n = (double)r->n, own = jc_gamma(n + 1, 0x1p-53);
    return own < 0.5 ? jc_roundoff_bound(roundoff, n, (double)r->products) / (1 - own) : INFINITY;
}

/* ---- totals as matrices ----------------------------------------------------------------------------------------- */

/* Of every output a matrix of doubles: size(of) rows, blocks side by side. */
typedef struct matrices {
    const jc_plan *plan;
    jc_array *array; /* [n_outputs] */
    double *numbers; /* [n_numbers] of all of them */
    int64_t n_numbers;
} matrices;

static void matrices_fini(matrices *m)
{
    jc_free(&m->plan->allocator, m->numbers, m->n_numbers, sizeof *m->numbers);
    jc_free(&m->plan->allocator, m->array, m->plan->n_outputs, sizeof *m->array);
}

static int64_t numbers_of(const jc_plan *plan, const jc_output *out)
{
    return jc_cost_mul(out->rows, jc_cost_mul(out->cols, plan->per_sample));
}

/* On failure the caller's matrices_fini frees. */
static jc_status matrices_init(matrices *m, const jc_plan *plan)
{
    const jc_allocator *a = &plan->allocator;
    for (int64_t i = 0; i < plan->n_outputs; i++)
        m->n_numbers = jc_cost_add(m->n_numbers, numbers_of(plan, &plan->outputs[i]));
    jc_status status = jc_alloc(a, plan->n_outputs, sizeof *m->array, WHAT, &m->array);
    if (!status) status = jc_alloc_zero(a, m->n_numbers, sizeof *m->numbers, WHAT, &m->numbers);
    double *at = m->numbers;
    for (int64_t i = 0; i < plan->n_outputs && !status; i++) {
        const jc_output *out = &plan->outputs[i];
        m->array[i] = jc_array_2d(JC_F64, out->rows, out->cols * plan->per_sample, at);
        at += numbers_of(plan, out);
    }
    return status;
}

/* matrix += an identity in every block */
static void add_identity(const jc_plan *plan, const jc_output *out, double *matrix)
{
    int64_t width = out->cols * plan->per_sample;
    for (int64_t i = 0; i < out->rows; i++)
        for (int64_t b = 0; b < plan->per_sample; b++) matrix[i * width + b * out->cols + i] += 1;
}

/* Row r of an output's rows in its value, [blocks x (cols, transposed: rows)], into the matrix. */
static void scatter(const jc_plan *plan, const jc_output *out, int64_t r, const double *row, double *matrix)
{
    int64_t n = out->transposed ? out->rows : out->cols, width = out->cols * plan->per_sample;
    for (int64_t b = 0; b < plan->per_sample; b++)
        for (int64_t k = 0; k < n; k++) {
            int64_t i = out->transposed ? k : r, j = out->transposed ? r : k;
            matrix[i * width + b * out->cols + j] = row[b * n + k];
        }
}

static jc_status read_output(const jc_run *run, const jc_output *out, double *row, double *matrix)
{
    const jc_plan *plan = run->program->plan;
    if (out->kind == JC_OUTPUT_IDENTITY) add_identity(plan, out, matrix);
    if (out->kind != JC_OUTPUT_VALUE) return JC_OK;
    for (int64_t r = 0; r < jc_output_value_rows(out); r++) {
        jc_status status = jc_read_rows(run, out->value, out->value_row + r, 1, row);
        if (status) return status;
        scatter(plan, out, r, row, matrix);
    }
    return JC_OK;
}

/* The outputs of a run that was executed; row [the most columns of a value] is written over. */
static jc_status matrices_read(const matrices *m, const jc_run *run, double *row)
{
    jc_status status = JC_OK;
    for (int64_t i = 0; i < m->plan->n_outputs && !status; i++)
        status = read_output(run, &m->plan->outputs[i], row, (double *)m->array[i].data);
    return status;
}

/* ---- what the totals are judged with ----------------------------------------------------------------------------- */

typedef struct work {
    const jc_run *run;
    const jc_plan *plan;
    double *row; /* [max_cols] */
    int64_t max_cols;
    int64_t *of, *wrt; /* [n_outputs] */
    matrices values, in_double, bounds;
    matrices by_cpu; /* without numbers where there are none */
} work;

static void work_fini(work *w)
{
    const jc_allocator *a = &w->plan->allocator;
    matrices_fini(&w->by_cpu);
    matrices_fini(&w->bounds);
    matrices_fini(&w->in_double);
    matrices_fini(&w->values);
    jc_free(a, w->wrt, w->plan->n_outputs, sizeof *w->wrt);
    jc_free(a, w->of, w->plan->n_outputs, sizeof *w->of);
    jc_free(a, w->row, w->max_cols, sizeof *w->row);
}

static jc_status work_init(work *w, const jc_run *run)
{
    const jc_plan *plan = run->program->plan;
    const jc_allocator *a = &plan->allocator;
    *w = (work){.run = run, .plan = plan};
    w->values.plan = w->in_double.plan = w->bounds.plan = w->by_cpu.plan = plan;
    for (int64_t v = 0; v < plan->n_values; v++) w->max_cols = jc_max(w->max_cols, plan->values[v].cols);
    jc_status status = jc_alloc(a, w->max_cols, sizeof *w->row, WHAT, &w->row);
    if (!status) status = jc_alloc(a, plan->n_outputs, sizeof *w->of, WHAT, &w->of);
    if (!status) status = jc_alloc(a, plan->n_outputs, sizeof *w->wrt, WHAT, &w->wrt);
    if (!status) status = matrices_init(&w->values, plan);
    if (!status) status = matrices_init(&w->in_double, plan);
    if (!status) status = matrices_init(&w->bounds, plan);
    if (status) {
        work_fini(w);
        return status;
    }
    for (int64_t i = 0; i < plan->n_outputs; i++) w->of[i] = plan->outputs[i].of, w->wrt[i] = plan->outputs[i].wrt;
    return JC_OK;
}

/* From M to bounds, in place. */
static jc_status make_bounds(work *w)
{
    const jc_plan *plan = w->plan;
    jc_roundoff roundoff = jc_roundoff_of(w->run->program->precision);
    roundings *all;
    jc_status status = jc_alloc(&plan->allocator, plan->n_values, sizeof *all, WHAT, &all);
    if (status) return status;
    for (int64_t v = 0; v < plan->n_values && !status; v++) status = count_value(plan, v, all);
    for (int64_t i = 0; i < plan->n_outputs && !status; i++) {
        const jc_output *out = &plan->outputs[i];
        double *bound = (double *)w->bounds.array[i].data;
        if (out->kind != JC_OUTPUT_VALUE) continue;
        double factor = factor_of(&all[out->value], &roundoff);
        for (int64_t k = 0; k < numbers_of(plan, out); k++) bound[k] = jc_forward_bound(factor, bound[k]);
    }
    jc_free(&plan->allocator, all, plan->n_values, sizeof *all);
    return status;
}

/* In f32 an order may underflow that does not in double. */
static jc_status compute_by_cpu(work *w)
{
    jc_trial trial;
    if (w->run->program->precision != JC_PRECISION_F32) return JC_OK;
    jc_status status = jc_trial_init(&trial, w->plan, JC_PRECISION_F32);
    if (status) return status;
    if (trial.run) status = matrices_init(&w->by_cpu, w->plan);
    if (trial.run && !status) status = matrices_read(&w->by_cpu, trial.run, w->row);
    jc_trial_fini(&trial);
    return status;
}

/* The totals, the same in double, and what rounding may do to them. */
static jc_status compute(work *w)
{
    const jc_program *program = w->run->program;
    jc_yardsticks y;
    jc_status status = jc_yardsticks_init(&y, w->plan, program->precision, false, &program->progress);
    if (status) return status;
    status = matrices_read(&w->values, w->run, w->row);
    if (!status) status = matrices_read(&w->in_double, y.reference, w->row);
    if (!status) status = matrices_read(&w->bounds, y.absolute, w->row);
    jc_yardsticks_fini(&y);
    if (!status) status = compute_by_cpu(w);
    return status ? status : make_bounds(w);
}

/* ---- the check --------------------------------------------------------------------------------------------------- */

/* Which paths count; in which order they are multiplied is the judge's to say, who also compares the two directions of
 * operators. */
static jc_query paths_of(const jc_query *query)
{
    jc_query q = *query;
    q.eliminate = NULL, q.n_eliminate = 0;
    q.limits_tape = 0, q.tape_limit = 0;
    q.search_seconds = 0, q.search_seed = 0;
    return q;
}

jc_status jc_check_elimination(const jc_run *run, const jc_query *query, jc_check_report *report)
{
    work w;
    jc_status status = work_init(&w, run);
    if (status) return status;
    status = compute(&w);
    jc_given given = {.graph = w.plan->graph,
                      .n = w.plan->n_outputs,
                      .of = w.of,
                      .wrt = w.wrt,
                      .values = w.values.array,
                      .bounds = w.bounds.array,
                      .in_double = w.in_double.array,
                      .by_cpu = w.by_cpu.array,
                      .query = paths_of(query),
                      .precision = run->program->precision,
                      .progress = &run->program->progress};
    if (!status) status = jc_judge_given(&given, report);
    work_fini(&w);
    return status;
}
