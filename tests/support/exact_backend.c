#include "support/exact_backend.h"

#include "backend/reference/plain.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "support/jacobian.h"

#define PRIME ((UINT64_C(1) << 61) - 1)

#define JC_NUM uint64_t

/* x mod 2^61 - 1 for x < 2^122: the high bits count once more. */
static inline uint64_t reduce(unsigned __int128 x)
{
    uint64_t r = (uint64_t)(x & PRIME) + (uint64_t)(x >> 61);
    return r >= PRIME ? r - PRIME : r;
}

static inline uint64_t from_integer(double value)
{
    int64_t n = (int64_t)value;
    return n < 0 ? PRIME - (uint64_t)-n : (uint64_t)n;
}

/* Computed values are residues, in the type of the program. */
static inline uint64_t jc_num_load(jc_dtype dtype, const void *data, int64_t i)
{
    if (dtype == JC_I64) return ((const uint64_t *)data)[i];
    return from_integer(jc_load_float(dtype, data, i));
}

static inline uint64_t jc_num_scale(double scale)
{
    return from_integer(scale);
}

static inline uint64_t jc_num_add(uint64_t y, uint64_t a)
{
    return reduce((unsigned __int128)y + a);
}

static inline uint64_t jc_num_mul_add(uint64_t y, uint64_t a, uint64_t b)
{
    return jc_num_add(y, reduce((unsigned __int128)a * b));
}

static jc_status jc_num_operator(void *ctx, const jc_jac *jac, jc_direction direction, int64_t k, const uint64_t *x,
                                 int64_t ldx, uint64_t *y, int64_t ldy, bool accumulate)
{
    (void)ctx;
    const jt_jacobian *dense = jac->group->op.user;
    bool tangent = direction == JC_TANGENT;
    int64_t n_in = tangent ? dense->q : dense->p, n_out = tangent ? dense->p : dense->q;
    for (int64_t j = 0; j < k; j++)
        for (int64_t o = 0; o < n_out; o++) {
            uint64_t sum = accumulate ? y[j * ldy + o] : 0;
            for (int64_t i = 0; i < n_in; i++)
                sum = jc_num_mul_add(sum, x[j * ldx + i],
                                     from_integer(dense->values.number[tangent ? o * dense->q + i : i * dense->q + o]));
            y[j * ldy + o] = sum;
        }
    return JC_OK;
}

#include "backend/reference/loops.inc"

static jc_status exact_available(const jc_backend *self)
{
    (void)self;
    return JC_OK;
}

static jc_status exact_supports(const jc_backend *self, jc_precision precision)
{
    (void)self;
    (void)precision;
    return JC_OK;
}

static int64_t scratch_numbers(const jc_plan *plan)
{
    int64_t most = 0, member;
    for (int64_t s = 0; s < plan->n_steps; s++)
        most =
            jc_max(most, jc_loops_scratch(jc_plan_jacobian(plan, plan->steps[s].b, &member), plan->steps[s].transpose));
    return most;
}

static jc_status exact_prepare(jc_program *program)
{
    jc_status status = jc_layout_create(program->plan, sizeof(uint64_t), program->keep_adjoints, &program->layout);
    if (status != JC_OK) return status;
    program->dtype = JC_I64;
    program->scratch_bytes = 8 * scratch_numbers(program->plan);
    program->peak_bytes = jc_host_arena_bytes(program) + program->scratch_bytes;
    return JC_OK;
}

static void exact_release(jc_program *program)
{
    (void)program;
}

static jc_status exact_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch),
                               void *ctx)
{
    (void)program, (void)emit, (void)ctx;
    return JC_OK;
}

static jc_status exact_open(jc_run *run)
{
    jc_status status = jc_host_open(run);
    if (status != JC_OK) return status;
    status = jc_alloc(&run->program->allocator, run->program->scratch_bytes, 1, "scratch", &run->impl);
    if (status != JC_OK) jc_host_close(run);
    return status;
}

static void exact_close(jc_run *run)
{
    jc_free(&run->program->allocator, run->impl, run->program->scratch_bytes, 1);
    jc_host_close(run);
}

static uint64_t *value_row(const jc_run *run, int64_t value, int64_t row)
{
    const jc_program *p = run->program;
    return (uint64_t *)(run->arena + p->layout.offset[value]) + row * p->plan->values[value].cols;
}

static jc_status exact_execute(jc_run *run, const jc_pass *pass)
{
    const jc_plan *plan = run->program->plan;
    jc_status status = JC_OK;
    for (int64_t c = 0; c < plan->n_values; c++)
        for (int64_t s = plan->values[c].first_step; s < plan->values[c + 1].first_step && !status; s++) {
            const jc_step *step = &plan->steps[s];
            jc_jac jac = jc_run_jacobian(run, step->b);
            status = jc_loops_step(&jac, step, jc_plan_fold(plan, step), jc_pass_step_row(pass, step),
                                   jc_pass_step_rows(pass, step), jc_plain_operand(run, step, &jac.group->shape),
                                   value_row(run, c, step->c_row), run->impl, NULL);
        }
    return status;
}

const jc_backend jt_exact_backend = {
    .name = "exact",
    .description = "integers modulo 2^61 - 1",
    .available = exact_available,
    .supports = exact_supports,
    .prepare = exact_prepare,
    .release = exact_release,
    .batches = exact_batches,
    .open = exact_open,
    .close = exact_close,
    .execute = exact_execute,
    .read = jc_host_read,
    .peek = jc_host_peek,
};
