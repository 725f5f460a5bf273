/* The yardstick of the backends: every plan computed in double by the plain loops of loops.inc, values in the order of
 * the plan, steps in the order of the value. Any of f64, f32 and auto may be asked for; it computes and reports f64. */
#include "backend/reference/reference.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

#define JC_NUM double

static inline double jc_num_load(jc_dtype dtype, const void *data, int64_t i)
{
    return jc_load_float(dtype, data, i);
}

static inline double jc_num_scale(double scale)
{
    return scale;
}

static inline double jc_num_mul_add(double y, double a, double b)
{
    return y + a * b;
}

static inline double jc_num_add(double y, double a)
{
    return y + a;
}

static jc_status jc_num_operator(void *ctx, const jc_jac *jac, jc_direction direction, int64_t k, const double *x,
                                 int64_t ldx, double *y, int64_t ldy, bool accumulate)
{
    (void)ctx;
    const jc_operator *op = &jac->group->op;
    int code = op->apply(op->user, direction, JC_F64, k, x, ldx, y, ldy, accumulate);
    return code == 0 ? JC_OK : jc_fail(JC_E_DEVICE, "an operator's callback failed with code %d", code);
}

#include "backend/reference/loops.inc"

/* What a machine of today needs for these loops, for the comparison of backends only: seconds per multiply-add, per
 * entry of a value that is written, and per step. */
static const double multiply_add_s = 1e-9, entry_s = 1e-9, step_s = 5e-8;

static jc_status reference_available(void)
{
    return JC_OK;
}

static jc_status reference_supports(jc_precision precision)
{
    if (precision == JC_PRECISION_TF32 || precision == JC_PRECISION_BF16)
        return jc_fail(JC_E_USAGE, "tf32 and bf16 are product modes of the GPU; the reference backend computes in f64");
    return JC_OK;
}

/* Numbers of scratch for the step that needs most: low_rank's inner vector, an operator's unit vector. */
static int64_t scratch_numbers(const jc_plan *plan)
{
    int64_t most = 0, member;
    for (int64_t s = 0; s < plan->n_steps; s++) {
        const jc_step *step = &plan->steps[s];
        const jc_group *group = jc_plan_jacobian(plan, step->b, &member);
        if (group->shape.kind != JC_LOW_RANK && (group->shape.kind != JC_OPERATOR || step->a != JC_SEED_IDENTITY))
            continue;
        most = jc_max(most, jc_loops_scratch(group, step->transpose));
    }
    return most;
}

static double predicted_seconds(const jc_plan *plan)
{
    double entries = 0;
    for (int64_t v = 0; v < plan->n_values; v++) entries += (double)plan->values[v].rows * (double)plan->values[v].cols;
    return multiply_add_s * (double)plan->multiply_adds + entry_s * entries + step_s * (double)plan->n_steps;
}

static jc_status reference_prepare(jc_program *program)
{
    int64_t numbers = scratch_numbers(program->plan), bytes, peak;
    jc_status status = jc_layout_create(program->plan, sizeof(double), program->keep_adjoints, &program->layout);
    if (status != JC_OK) return status;
    if (!jc_size_mul(numbers, sizeof(double), &bytes) || !jc_size_add(bytes, program->layout.arena_bytes, &peak)) {
        jc_layout_fini(program->plan, &program->layout);
        return jc_fail(JC_E_MEMORY, "the scratch of the reference backend does not fit in 64-bit sizes");
    }
    program->precision = JC_PRECISION_F64;
    program->dtype = JC_F64;
    program->threads = 1;
    program->scratch_bytes = bytes;
    program->peak_bytes = peak;
    program->seconds_predicted = predicted_seconds(program->plan);
    program->impl = NULL;
    return JC_OK;
}

static void reference_release(jc_program *program)
{
    jc_layout_fini(program->plan, &program->layout);
}

/* m, n, k of a step as a product of m x k by k x n. */
static jc_batch batch_of(const jc_plan *plan, int64_t level, const jc_step *step)
{
    int64_t member;
    const jc_group *group = jc_plan_jacobian(plan, step->b, &member);
    const jc_shape *shape = &group->shape;
    return (jc_batch){.level = level,
                      .kind = shape->kind,
                      .count = 1,
                      .m = step->n_rows,
                      .n = step->transpose ? shape->rows : shape->cols,
                      .k = step->transpose ? shape->cols : shape->rows,
                      .routine = "reference"};
}

static bool batch_same(const jc_batch *a, const jc_batch *b)
{
    return a->level == b->level && a->kind == b->kind && a->m == b->m && a->n == b->n && a->k == b->k;
}

/* Steps that follow each other in a level with one kind and shape are one line. */
static jc_status reference_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch),
                                   void *ctx)
{
    const jc_plan *plan = program->plan;
    jc_batch run = {.count = 0};
    jc_status status = JC_OK;
    for (int64_t level = 0; level < plan->n_levels && status == JC_OK; level++) {
        int64_t begin = plan->values[plan->levels[level]].first_step;
        int64_t end = plan->values[plan->levels[level + 1]].first_step;
        for (int64_t s = begin; s < end && status == JC_OK; s++) {
            jc_batch batch = batch_of(plan, level, &plan->steps[s]);
            if (run.count && batch_same(&run, &batch)) {
                run.count++;
                continue;
            }
            if (run.count) status = emit(ctx, &run);
            run = batch;
        }
    }
    return status == JC_OK && run.count ? emit(ctx, &run) : status;
}

static jc_status reference_open(jc_run *run)
{
    const jc_program *program = run->program;
    void *scratch;
    jc_status status = jc_host_open(run);
    if (status != JC_OK) return status;
    status = jc_alloc(&program->allocator, program->scratch_bytes, 1, "the reference backend's scratch", &scratch);
    if (status != JC_OK)
        jc_host_close(run);
    else
        run->impl = scratch;
    return status;
}

static void reference_close(jc_run *run)
{
    jc_free(&run->program->allocator, run->impl, run->program->scratch_bytes, 1);
    run->impl = NULL;
    jc_host_close(run);
}

static double *value_row(const jc_run *run, int64_t value, int64_t row)
{
    const jc_program *program = run->program;
    return (double *)(run->arena + program->layout.offset[value]) + row * program->plan->values[value].cols;
}

static jc_status execute_step(jc_run *run, const jc_pass *pass, int64_t c, const jc_step *step)
{
    jc_jac jac = jc_run_jacobian(run, step->b);
    int64_t n = jc_pass_rows(pass, step->n_rows);
    const double *x = step->a == JC_SEED_IDENTITY ? NULL : value_row(run, step->a, step->a_row);
    return jc_loops_step(&jac, step, step->a_row + pass->row0, n, x, value_row(run, c, step->c_row), run->impl, NULL);
}

static jc_status reference_execute(jc_run *run, const jc_pass *pass)
{
    const jc_plan *plan = run->program->plan;
    jc_status status = JC_OK;
    for (int64_t c = 0; c < plan->n_values && status == JC_OK; c++) {
        for (int64_t s = plan->values[c].first_step; s < plan->values[c + 1].first_step && status == JC_OK; s++)
            status = execute_step(run, pass, c, &plan->steps[s]);
    }
    return status;
}

const jc_backend jc_backend_reference = {
    .name = "reference",
    .description = "plain loops in double, the yardstick of the others",
    .available = reference_available,
    .supports = reference_supports,
    .prepare = reference_prepare,
    .release = reference_release,
    .batches = reference_batches,
    .open = reference_open,
    .close = reference_close,
    .execute = reference_execute,
    .read = jc_host_read,
    .peek = jc_host_peek,
};
