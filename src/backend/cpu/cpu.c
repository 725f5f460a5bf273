/* The table of the host backend. */
#include "backend/cpu/cpu.h"
#include "backend/batches.h"
#include "backend/cpu/lower.h"
#include "backend/cpu/rules.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

static jc_status cpu_available(const jc_backend *self)
{
    (void)self;
    return JC_OK;
}

static jc_status cpu_supports(const jc_backend *self, jc_precision precision)
{
    (void)self;
    if (precision == JC_PRECISION_TF32 || precision == JC_PRECISION_BF16)
        return jc_fail(JC_E_USAGE,
                       "tf32 and bf16 are product modes of the GPU; the cpu backend computes in f64 or f32");
    return JC_OK;
}

static void free_impl(const jc_program *program, jc_cpu_program *impl)
{
    const jc_allocator *a = &program->allocator;
    jc_vec_free(a, &impl->items);
    jc_vec_free(a, &impl->starts);
    jc_free(a, impl->ops, impl->n_ops, sizeof *impl->ops);
    jc_free(a, impl, 1, sizeof *impl);
}

static jc_status cpu_prepare(jc_program *program)
{
    jc_cpu_program *impl;
    int64_t peak;
    jc_status status = jc_alloc_zero(&program->allocator, 1, sizeof *impl, "a program of the cpu backend", &impl);
    if (status) return status;
    impl->unit = jc_cpu_unit_at(program->dtype, 0);
    status = jc_layout_create(program->plan, jc_dtype_bytes(program->dtype), program->keep_adjoints, &program->layout);
    if (status) goto free_program;
    status = jc_cpu_lower(program, impl);
    if (!status) status = jc_cpu_partition(program, impl);
    if (!status) status = jc_cpu_order(program, impl);
    if (status) goto free_layout;
    program->scratch_bytes = jc_cpu_run_bytes(program, impl);
    if (!jc_size_add(jc_host_arena_bytes(program), program->scratch_bytes, &peak)) {
        status = jc_fail(JC_E_MEMORY, "the values of the plan do not fit in 64-bit sizes");
        goto free_layout;
    }
    program->peak_bytes = peak;
    program->seconds_predicted = impl->seconds;
    program->impl = impl;
    return JC_OK;
free_layout:
    jc_layout_fini(program->plan, &program->layout);
free_program:
    free_impl(program, impl);
    return status;
}

static void cpu_release(jc_program *program)
{
    free_impl(program, program->impl);
    program->impl = NULL;
    jc_layout_fini(program->plan, &program->layout);
}

/* ---- batches ---- */

static jc_batch batch_of(const jc_program *program, int64_t level, const jc_cpu_op *op)
{
    const jc_cpu_program *impl = program->impl;
    jc_cpu_product k = jc_cpu_product_of(program->plan, op);
    double scale = k.group->scales ? k.group->scales[op->member] : k.group->scale;
    jc_batch batch = {.level = level, .kind = k.group->shape.kind, .count = 1, .m = k.n, .n = k.out, .k = k.in};
    batch.routine = jc_cpu_routine_name(impl->unit, &k, op, scale);
    return batch;
}

static jc_status cpu_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx)
{
    const jc_plan *plan = program->plan;
    const jc_cpu_program *impl = program->impl;
    jc_open_batches open = {.count = 0, .emit = emit, .ctx = ctx};
    jc_status status = JC_OK;
    for (int64_t level = 0; level < plan->n_levels && !status; level++) {
        int64_t end = plan->values[plan->levels[level + 1]].first_step;
        for (int64_t i = plan->values[plan->levels[level]].first_step; i < end && !status; i++) {
            jc_batch batch = batch_of(program, level, &impl->ops[i]);
            status = jc_batches_add(&open, &batch);
        }
        if (!status) status = jc_batches_flush(&open);
    }
    return status;
}

const jc_backend jc_backend_cpu = {
    .name = "cpu",
    .description = "host processor: own loops for small products, OpenBLAS for large ones, threads over destinations",
    .available = cpu_available,
    .supports = cpu_supports,
    .prepare = cpu_prepare,
    .release = cpu_release,
    .batches = cpu_batches,
    .open = jc_cpu_open,
    .close = jc_cpu_close,
    .execute = jc_cpu_execute,
    .read = jc_host_read,
    .peek = jc_host_peek,
};
