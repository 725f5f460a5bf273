#include "backend/reference/absolute.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "backend/reference/random.h"
#include "backend/reference/roundoff.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

#define JC_NUM double

/* Stands for F64 in a Jacobian whose numbers are converted to single precision before use. */
enum { NARROWED = JC_I32 + 1 };

/* |d|, where conversion to single precision has an error of at most roundoff times this. */
static double narrowed(double d)
{
    double a = fabs(d);
    return a != 0 && a < FLT_MIN ? FLT_MIN : a;
}

static inline double jc_num_load(jc_dtype dtype, const void *data, int64_t i)
{
    if ((int)dtype == NARROWED) return narrowed(jc_load_float(JC_F64, data, i));
    return fabs(jc_load_float(dtype, data, i));
}

static inline double jc_num_scale(double scale)
{
    return fabs(scale);
}

/* A product that underflows is more than 0: where M is 0 the values are. */
static inline double jc_num_mul_add(double y, double a, double b)
{
    double product = fabs(a) * b;
    return y + (product == 0 && a != 0 && b != 0 ? 0x1p-1074 : product);
}

static inline double jc_num_add(double y, double a)
{
    return y + fabs(a);
}

/* Operators do not come here. */
static jc_status jc_num_operator(void *ctx, const jc_jac *jac, jc_direction direction, int64_t k, const double *x,
                                 int64_t ldx, double *y, int64_t ldy, bool accumulate)
{
    (void)ctx, (void)jac, (void)direction, (void)k, (void)x, (void)ldx, (void)y, (void)ldy, (void)accumulate;
    return jc_fail(JC_E_INTERNAL, "an operator has no absolute values");
}

#include "backend/reference/loops.inc"

/* ---- operators --------------------------------------------------------------------------------------------------- */

typedef struct op_work {
    const jc_operator *op;
    jc_direction direction;
    int64_t rows, cols; /* of op(B) */
    double *in;         /* [rows] */
    double *out;        /* [cols] */
    double *norms;      /* [cols] */
} op_work;

static jc_status op_apply(const op_work *w)
{
    int code = w->op->apply(w->op->user, w->direction, JC_F64, 1, w->in, w->rows, w->out, w->cols, 0);
    return code == 0 ? JC_OK : jc_fail(JC_E_DEVICE, "an operator's callback failed with code %d", code);
}

enum { N_PROBES = 8 };

/* norms[j] = 4 max over probes z of |(z op(B))_j|. (z op(B))_j has mean 0 and variance |op(B) e_j|^2; that all probes
 * stay below a quarter of the norm has a probability of about 0.2^8. */
static jc_status op_column_norms(const op_work *w)
{
    uint64_t state = 1;
    jc_status status = JC_OK;
    memset(w->norms, 0, (size_t)w->cols * sizeof *w->norms);
    for (int k = 0; k < N_PROBES && status == JC_OK; k++) {
        jc_random_fill(&state, w->in, w->rows);
        status = op_apply(w);
        for (int64_t j = 0; j < w->cols && status == JC_OK; j++) w->norms[j] = fmax(w->norms[j], 4 * fabs(w->out[j]));
    }
    return status;
}

static double norm2(const double *x, int64_t n)
{
    double most = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) most = fmax(most, fabs(x[i]));
    if (most == 0 || !isfinite(most)) return most;
    for (int64_t i = 0; i < n; i++) sum += (x[i] / most) * (x[i] / most);
    return most * sqrt(sum);
}

/* y_sj += |x_s|_2 norms[j] */
static jc_status op_bound(const op_work *w, int64_t n, const double *x, double *y)
{
    jc_status status = op_column_norms(w);
    for (int64_t s = 0; s < n && status == JC_OK; s++) {
        double norm = norm2(x + s * w->rows, w->rows);
        for (int64_t j = 0; j < w->cols; j++) y[s * w->cols + j] += norm * w->norms[j];
    }
    return status;
}

/* y_s += |row row+s of op(B)| */
static jc_status op_rows(const op_work *w, int64_t row, int64_t n, double *y)
{
    jc_status status = JC_OK;
    memset(w->in, 0, (size_t)w->rows * sizeof *w->in);
    for (int64_t s = 0; s < n && status == JC_OK; s++) {
        w->in[row + s] = 1;
        status = op_apply(w);
        w->in[row + s] = 0;
        for (int64_t j = 0; j < w->cols && status == JC_OK; j++) y[s * w->cols + j] += fabs(w->out[j]);
    }
    return status;
}

static jc_status op_step(const jc_allocator *a, const jc_jac *jac, const jc_step *step, int64_t row, int64_t n,
                         const double *x, double *y)
{
    const jc_shape *shape = &jac->group->shape;
    op_work w = {.op = &jac->group->op,
                 .direction = jc_loops_direction(shape, step->transpose),
                 .rows = step->transpose ? shape->cols : shape->rows,
                 .cols = step->transpose ? shape->rows : shape->cols};
    const char *what = "vectors for an operator";
    jc_status status = jc_alloc(a, w.rows, sizeof *w.in, what, &w.in);
    if (!status) status = jc_alloc(a, w.cols, sizeof *w.out, what, &w.out);
    if (!status) status = jc_alloc(a, w.cols, sizeof *w.norms, what, &w.norms);
    if (!status) status = step->a == JC_SEED_IDENTITY ? op_rows(&w, row, n, y) : op_bound(&w, n, x, y);
    jc_free(a, w.norms, w.cols, sizeof *w.norms);
    jc_free(a, w.out, w.cols, sizeof *w.out);
    jc_free(a, w.in, w.rows, sizeof *w.in);
    return status;
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static jc_jac narrowed_jacobian(const jc_jac *jac)
{
    jc_jac j = *jac;
    for (int f = 0; f < JC_MAX_FIELDS; f++)
        if (j.data[f] && j.dtype[f] == JC_F64) j.dtype[f] = (jc_dtype)NARROWED;
    if (j.scale != 1.0) j.scale = narrowed(j.scale);
    return j;
}

jc_status jc_absolute_step(const jc_allocator *allocator, bool narrow, const jc_jac *jac, const jc_step *step,
                           const jc_fold *fold, int64_t row, int64_t n, const double *x, double *y, double *scratch)
{
    jc_step add = *step;
    add.first = false;
    if (jac->group->shape.kind == JC_OPERATOR) return op_step(allocator, jac, &add, row, n, x, y);
    jc_jac j = narrow ? narrowed_jacobian(jac) : *jac;
    return jc_loops_step(&j, &add, fold, row, n, x, y, scratch, NULL);
}

/* A product that underflows is wrong by at most a subnormal. u M grows by that for each of a step's products where M
 * gets subnormal / u. */
static void add_underflow(const jc_roundoff *roundoff, const jc_jac *jac, const jc_step *step, int64_t entries,
                          double *y)
{
    double products = (double)jc_step_roundings(jac->group, step->a == JC_SEED_IDENTITY, step->transpose);
    double each = products * jc_step_growth(jac, step->transpose) * (roundoff->subnormal / roundoff->sum);
    for (int64_t i = 0; i < entries; i++)
        if (y[i] > 0) y[i] += each;
}

static jc_status sweep_step(const jc_run *run, const jc_jac *jac, const jc_step *step, const jc_fold *fold, int64_t row,
                            int64_t n, const void *x, void *y, void *scratch)
{
    const jc_program *program = run->program;
    const jc_shape *shape = &jac->group->shape;
    jc_roundoff roundoff = jc_roundoff_of(program->precision);
    int64_t entries = n * (step->transpose ? shape->rows : shape->cols);
    if (step->first) memset(y, 0, (size_t)entries * sizeof(double));
    jc_status status = jc_absolute_step(&program->allocator, program->precision != JC_PRECISION_F64, jac, step, fold,
                                        row, n, x, y, scratch);
    if (status == JC_OK) add_underflow(&roundoff, jac, step, entries, y);
    return status;
}

static jc_status absolute_available(const jc_backend *self)
{
    (void)self;
    return JC_OK;
}

static jc_status absolute_supports(const jc_backend *self, jc_precision precision)
{
    (void)self;
    (void)precision;
    return JC_OK;
}

static jc_status absolute_prepare(jc_program *program)
{
    program->dtype = JC_F64;
    return jc_plain_prepare(program);
}

static jc_status absolute_execute(jc_run *run, const jc_pass *pass)
{
    return jc_plain_execute(run, pass, sweep_step);
}

const jc_backend jc_backend_absolute = {
    .name = "absolute",
    .description = "sums over absolute values, for bounds",
    .of_sweeps = true,
    .available = absolute_available,
    .supports = absolute_supports,
    .prepare = absolute_prepare,
    .release = jc_plain_release,
    .batches = jc_plain_batches,
    .open = jc_plain_open,
    .close = jc_plain_close,
    .execute = absolute_execute,
    .read = jc_host_read,
    .peek = jc_host_peek,
};
