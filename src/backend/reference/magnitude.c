#include "backend/reference/magnitude.h"

#include <math.h>
#include <string.h>

#include "backend/reference/absolute.h"
#include "backend/reference/reference.h"

/* What forming the rows of a Jacobian takes. */
typedef struct former {
    const jc_jac *jac;
    jc_step step;          /* copies rows of op(D) */
    int64_t cols;          /* of op(D) */
    double *row, *scratch; /* [cols], [jc_loops_scratch] */
} former;

static jc_status form_row(const former *f, int64_t row)
{
    return jc_reference_step(NULL, f->jac, &f->step, NULL, row, 1, NULL, f->row, f->scratch);
}

/* Y += X |op(D)|, row by row of op(D); x NULL: Y += rows row .. of |op(D)|. */
static jc_status add_rows(const former *f, int64_t rows, int64_t row, int64_t n, const double *x, double *y)
{
    jc_status status = JC_OK;
    int64_t first = x ? 0 : row, end = x ? rows : row + n;
    for (int64_t r = first; r < end && !status; r++) {
        status = form_row(f, r);
        for (int64_t s = x ? 0 : r - row; s < (x ? n : r - row + 1) && !status; s++)
            for (int64_t j = 0; j < f->cols; j++) y[s * f->cols + j] += (x ? x[s * rows + r] : 1) * fabs(f->row[j]);
    }
    return status;
}

/* The entries of these kinds are sums, which have to be formed before their absolute values are known. */
static bool is_formed(const jc_jac *jac)
{
    return jac->group->shape.kind == JC_LOW_RANK || jac->group->shape.kind == JC_OPERATOR;
}

static jc_status formed_step(const jc_allocator *a, const jc_jac *jac, const jc_step *step, int64_t row, int64_t n,
                             const double *x, double *y)
{
    const jc_shape *shape = &jac->group->shape;
    int64_t rows = step->transpose ? shape->cols : shape->rows,
            n_scratch = jc_loops_scratch(jac->group, step->transpose);
    former f = {.jac = jac, .step = *step, .cols = step->transpose ? shape->rows : shape->cols};
    f.step.a = JC_SEED_IDENTITY, f.step.first = true;
    jc_status status = jc_alloc(a, f.cols, sizeof *f.row, "a row of a Jacobian", &f.row);
    if (!status) status = jc_alloc(a, n_scratch, sizeof *f.scratch, "a row of a Jacobian", &f.scratch);
    if (!status) status = add_rows(&f, rows, row, n, step->a == JC_SEED_IDENTITY ? NULL : x, y);
    jc_free(a, f.scratch, n_scratch, sizeof *f.scratch);
    jc_free(a, f.row, f.cols, sizeof *f.row);
    return status;
}

/* Folds meet no kind that is formed. */
static jc_status add_magnitudes(const jc_allocator *a, const jc_jac *jac, const jc_step *step, const jc_fold *fold,
                                int64_t row, int64_t n, const double *x, double *y)
{
    const jc_shape *shape = &jac->group->shape;
    if (step->first) memset(y, 0, (size_t)(n * (step->transpose ? shape->rows : shape->cols)) * sizeof(double));
    if (is_formed(jac)) return formed_step(a, jac, step, row, n, x, y);
    return jc_absolute_step(a, false, jac, step, fold, row, n, x, y, NULL);
}

jc_status jc_magnitude_step(const jc_allocator *a, const jc_jac *jac, const jc_step *step, int64_t row, int64_t n,
                            const double *x, double *y)
{
    return add_magnitudes(a, jac, step, NULL, row, n, x, y);
}

static jc_status magnitude_step(const jc_run *run, const jc_jac *jac, const jc_step *step, const jc_fold *fold,
                                int64_t row, int64_t n, const void *x, void *y, void *scratch)
{
    (void)scratch; /* kinds that need it are formed */
    return add_magnitudes(&run->program->allocator, jac, step, fold, row, n, x, y);
}

static jc_status magnitude_available(const jc_backend *self)
{
    (void)self;
    return JC_OK;
}

static jc_status magnitude_supports(const jc_backend *self, jc_precision precision)
{
    (void)self;
    (void)precision;
    return JC_OK;
}

static jc_status magnitude_prepare(jc_program *program)
{
    program->precision = JC_PRECISION_F64;
    program->dtype = JC_F64;
    return jc_plain_prepare(program);
}

static jc_status magnitude_execute(jc_run *run, const jc_pass *pass)
{
    return jc_plain_execute(run, pass, magnitude_step);
}

const jc_backend jc_backend_magnitude = {
    .name = "magnitude",
    .description = "sums over absolute values of entries",
    .of_sweeps = true,
    .available = magnitude_available,
    .supports = magnitude_supports,
    .prepare = magnitude_prepare,
    .release = jc_plain_release,
    .batches = jc_plain_batches,
    .open = jc_plain_open,
    .close = jc_plain_close,
    .execute = magnitude_execute,
    .read = jc_host_read,
    .peek = jc_host_peek,
};
