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

static jc_status reference_available(const jc_backend *self)
{
    (void)self;
    return JC_OK;
}

static jc_status reference_supports(const jc_backend *self, jc_precision precision)
{
    (void)self;
    if (precision == JC_PRECISION_TF32 || precision == JC_PRECISION_BF16)
        return jc_fail(JC_E_USAGE, "tf32 and bf16 are product modes of the GPU; the reference backend computes in f64");
    return JC_OK;
}

static jc_status reference_prepare(jc_program *program)
{
    program->precision = JC_PRECISION_F64;
    program->dtype = JC_F64;
    return jc_plain_prepare(program);
}

jc_status jc_reference_step(const jc_run *run, const jc_jac *jac, const jc_step *step, const jc_fold *fold, int64_t row,
                            int64_t n, const void *x, void *y, void *scratch)
{
    (void)run;
    return jc_loops_step(jac, step, fold, row, n, x, y, scratch, NULL);
}

static jc_status reference_execute(jc_run *run, const jc_pass *pass)
{
    return jc_plain_execute(run, pass, jc_reference_step);
}

const jc_backend jc_backend_reference = {
    .name = "reference",
    .description = "plain loops in double, the yardstick of the others",
    .available = reference_available,
    .supports = reference_supports,
    .prepare = reference_prepare,
    .release = jc_plain_release,
    .batches = jc_plain_batches,
    .open = jc_plain_open,
    .close = jc_plain_close,
    .execute = reference_execute,
    .read = jc_host_read,
    .peek = jc_host_peek,
};
