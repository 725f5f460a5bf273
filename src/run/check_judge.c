#include "run/check_judge.h"

#include <math.h>
#include <string.h>

#include "backend/reference/absolute.h"
#include "backend/reference/reference.h"
#include "core/dtype.h"
#include "core/progress.h"
#include "core/size.h"

static const char *const WHAT = "the memory of a check";

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

/* Entries that are worked on at once, where one row is not more. */
enum { CHUNK_ENTRIES = 1 << 20 };

static void find_sizes(jc_judge *j)
{
    const jc_plan *plan = j->eq->plan;
    int64_t most_rows = 1, member;
    j->max_cols = 1;
    for (int64_t v = 0; v < plan->n_values; v++) {
        most_rows = jc_max(most_rows, plan->values[v].rows);
        j->max_cols = jc_max(j->max_cols, plan->values[v].cols);
    }
    j->chunk_rows = jc_min(most_rows, jc_max(1, CHUNK_ENTRIES / j->max_cols));
    for (int64_t e = 0; e < plan->subgraph.n_edges; e++) {
        const jc_group *group = jc_plan_jacobian(plan, plan->subgraph.jacobian[e], &member);
        j->scratch_numbers = jc_max(j->scratch_numbers, jc_loops_scratch(group, !j->eq->reverse));
    }
}

jc_status jc_judge_init(jc_judge *j, const jc_equations *eq, const jc_run *run, jc_precision precision)
{
    *j = (jc_judge){
        .eq = eq, .run = run, .roundoff = jc_roundoff_of(precision), .narrow = precision != JC_PRECISION_F64};
    find_sizes(j);
    int64_t entries = j->chunk_rows * j->max_cols;
    jc_status status = jc_alloc(eq->allocator, entries, sizeof(double), WHAT, &j->x);
    if (!status) status = jc_alloc(eq->allocator, entries, sizeof(double), WHAT, &j->sum);
    if (!status) status = jc_alloc(eq->allocator, entries, sizeof(double), WHAT, &j->magnitude);
    if (!status) status = jc_alloc(eq->allocator, j->max_cols, sizeof(double), WHAT, &j->row);
    if (!status) status = jc_alloc(eq->allocator, j->scratch_numbers, sizeof(double), WHAT, &j->scratch);
    if (status) jc_judge_fini(j);
    return status;
}

void jc_judge_fini(jc_judge *j)
{
    const jc_allocator *a = j->eq->allocator;
    int64_t entries = j->chunk_rows * j->max_cols;
    jc_free(a, j->scratch, j->scratch_numbers, sizeof(double));
    jc_free(a, j->row, j->max_cols, sizeof(double));
    jc_free(a, j->magnitude, entries, sizeof(double));
    jc_free(a, j->sum, entries, sizeof(double));
    jc_free(a, j->x, entries, sizeof(double));
}

/* ---- one equation ------------------------------------------------------------------------------------------------ */

jc_status jc_read_rows(const jc_run *run, int64_t value, int64_t row, int64_t n, double *dst)
{
    int64_t entries = n * run->program->plan->values[value].cols;
    jc_dtype dtype = run->program->dtype;
    unsigned char *at = (unsigned char *)dst + entries * (8 - jc_dtype_bytes(dtype)); /* widened from the front */
    jc_status status = run->program->backend->read(run, value, row, n, at);
    for (int64_t i = 0; i < entries && dtype != JC_F64 && !status; i++) dst[i] = jc_load_float(dtype, at, i);
    return status;
}

/* One product of the equation into sum and magnitude. */
static jc_status add_product(void *ctx, const jc_step *step)
{
    jc_judge *j = ctx;
    jc_jac jac = jc_run_jacobian(j->run, step->b);
    int64_t at = step->c_row * j->eq->plan->subgraph.size[j->node];
    bool identity = step->a == JC_SEED_IDENTITY;
    jc_status status = identity ? JC_OK : jc_read_rows(j->run, step->a, step->a_row, step->n_rows, j->x);
    if (!status)
        status = jc_reference_step(j->run, &jac, step, step->a_row, step->n_rows, j->x, j->sum + at, j->scratch);
    if (!status)
        status = jc_absolute_step(j->eq->allocator, j->narrow, &jac, step, step->a_row, step->n_rows, j->x,
                                  j->magnitude + at, j->scratch);
    double products = (double)jc_step_roundings(jac.group, identity, step->transpose);
    j->underflow += products * jc_step_growth(&jac, step->transpose) * j->roundoff.subnormal;
    return status;
}

/* (gamma of the precision judged + gamma of sum itself) / (1 - gamma of magnitude) */
static double bound_factor(const jc_judge *j)
{
    double n = (double)j->eq->roundings[j->node] + JC_TERM_ROUNDINGS, own = jc_gamma(n + 1, 0x1p-53);
    return own < 0.5 ? (jc_roundoff_bound(&j->roundoff, n, 1) + own) / (1 - own) : INFINITY;
}

jc_status jc_judge_evaluate(jc_judge *j, int64_t node, int64_t row, int64_t n)
{
    size_t bytes = (size_t)(n * j->eq->plan->subgraph.size[node]) * sizeof(double);
    memset(j->sum, 0, bytes);
    memset(j->magnitude, 0, bytes);
    j->node = node;
    j->underflow = 0;
    j->factor = bound_factor(j);
    return jc_equations_visit(j->eq, node, row, n, add_product, j);
}

double jc_judge_bound(const jc_judge *j, int64_t i)
{
    return j->magnitude[i] == 0 ? 0 : j->factor * j->magnitude[i] + j->underflow;
}

/* ---- the worst entry --------------------------------------------------------------------------------------------- */

static double ratio_of(double error, double bound)
{
    if (error == 0) return 0;
    return bound == 0 ? INFINITY : error / bound;
}

void jc_worst_take(jc_worst *w, double error, double bound, int64_t place, int64_t row, int64_t col)
{
    bool finite = isfinite(error) && isfinite(bound);
    double ratio = finite ? ratio_of(error, bound) : NAN;
    bool worse = finite ? ratio > w->ratio && (!w->undecided || ratio > 1) : !w->undecided && !(w->ratio > 1);
    if (!w->any || worse) {
        w->ratio = finite ? ratio : 0;
        w->error = error, w->bound = bound;
        w->place = place, w->row = row, w->col = col;
    }
    w->any = true;
    w->undecided |= !finite;
}

void jc_worst_merge(jc_worst *w, const jc_worst *other)
{
    bool undecided = w->undecided || other->undecided;
    bool worse = other->ratio > w->ratio && (other->ratio > 1 || !undecided);
    if (!w->any || worse || (other->undecided && !w->undecided && !(w->ratio > 1))) *w = *other;
    w->undecided = undecided;
}

/* Rows [row, row + n) of a value by its equation. */
static jc_status judge_rows(jc_judge *j, int64_t node, int64_t row, int64_t n, jc_worst *worst)
{
    int64_t cols = j->eq->plan->subgraph.size[node];
    jc_status status = jc_judge_evaluate(j, node, row, n);
    if (!status) status = jc_read_rows(j->run, j->eq->value_of[node], row, n, j->x);
    if (status) return status;
    for (int64_t r = 0, i = 0; r < n; r++)
        for (int64_t c = 0; c < cols; c++, i++)
            jc_worst_take(worst, fabs(j->x[i] - j->sum[i]), jc_judge_bound(j, i), node, row + r, c);
    return JC_OK;
}

void jc_worst_name(const jc_subgraph *g, jc_worst *w)
{
    int64_t node = w->place;
    w->state = w->n_states = 0;
    for (int64_t i = 0; i < g->n_nodes; i++) {
        w->n_states += g->variable[i] == g->variable[node];
        w->state += i < node && g->variable[i] == g->variable[node];
    }
    w->place = g->variable[node];
}

/* From a node, and a place in its value, to its variable, and a place in the total of one target and one source: a
 * tangent's value is its transpose. */
static void name_place(const jc_equations *eq, jc_worst *w)
{
    int64_t row = jc_equations_seed_at(eq, w->place, w->row).row, col = w->col;
    jc_worst_name(&eq->plan->subgraph, w);
    w->row = eq->reverse ? row : col;
    w->col = eq->reverse ? col : row;
}

jc_status jc_judge_values(jc_judge *j, jc_worst *worst)
{
    const jc_plan *plan = j->eq->plan;
    for (int64_t v = 0; v < plan->n_values; v++) {
        const jc_value *value = &plan->values[v];
        for (int64_t row = 0; row < value->rows; row += j->chunk_rows) {
            int64_t n = jc_min(j->chunk_rows, value->rows - row);
            jc_status status = judge_rows(j, value->node, row, n, worst);
            if (status) return status;
        }
        jc_progress_tell(&j->run->program->progress, "values", v + 1, plan->n_values);
    }
    if (worst->any) name_place(j->eq, worst);
    return JC_OK;
}
