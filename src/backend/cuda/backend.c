/* The device backend as the registry sees it: what it can do, how a program is made and described. */
#include <stdio.h>
#include <string.h>

#include "backend/batches.h"
#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "a program of the device";

bool jc_is_cuda(const jc_backend *backend)
{
    return backend->open == jc_cuda_open;
}

static const jc_gpu_api *api_of(const jc_backend *backend)
{
    return ((const jc_cuda_backend *)backend)->api;
}

const jc_gpu_api *jc_cuda_api(const jc_program *program)
{
    return api_of(program->backend);
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

jc_status jc_cuda_available(const jc_backend *self)
{
    const jc_gpu_api *api = api_of(self);
    int driver = 0, runtime = 0, devices = 0;
    int code = api->driver_version(&driver);
    if (code) return jc_fail(JC_E_UNAVAILABLE, "%s: asking for the driver: %s", api->name, api->error_text(code));
    if (!driver) return jc_fail(JC_E_UNAVAILABLE, "%s: there is no NVIDIA driver on this machine", api->name);
    code = api->device_count(&devices);
    if (code) api->last_error();
    api->runtime_version(&runtime);
    if (code && driver < runtime)
        return jc_fail(JC_E_UNAVAILABLE, "%s: the driver is for CUDA %d.%d, jacchain was built with %d.%d: %s",
                       api->name, driver / 1000, driver % 1000 / 10, runtime / 1000, runtime % 1000 / 10,
                       api->error_text(code));
    if (code) return jc_fail(JC_E_UNAVAILABLE, "%s: counting the devices: %s", api->name, api->error_text(code));
    if (!devices) return jc_fail(JC_E_UNAVAILABLE, "%s: there is a driver, but no device", api->name);
    return JC_OK;
}

jc_status jc_cuda_supports(const jc_backend *self, jc_precision precision)
{
    (void)self, (void)precision;
    return JC_OK;
}

/* ---- prepare ----------------------------------------------------------------------------------------------------- */

static int mode_of(jc_precision precision)
{
    if (precision == JC_PRECISION_TF32) return JC_GPU_ROUND_TF32;
    return precision == JC_PRECISION_BF16 ? JC_GPU_ROUND_BF16 : JC_GPU_FULL;
}

static void set_crossovers(const jc_backend *backend, jc_cuda_program *impl)
{
    const int64_t *own = ((const jc_cuda_backend *)backend)->crossovers;
    for (int i = 0; i < JC_CUDA_CROSSOVERS; i++) impl->crossover[i] = own ? own[i] : jc_cuda_crossovers[i].value;
}

static jc_status init(jc_program *program, jc_cuda_program *impl)
{
    enum { LEAST_MAJOR = 8 };
    const jc_gpu_api *api = api_of(program->backend);
    impl->api = api;
    impl->mode = mode_of(program->precision);
    set_crossovers(program->backend, impl);
    impl->by_group = jc_vec_of(sizeof(jc_cuda_use));
    impl->operands = jc_vec_of(sizeof(jc_cuda_operand));
    impl->terms = jc_vec_of(sizeof(jc_gpu_term));
    impl->tiles = jc_vec_of(sizeof(jc_gpu_tile));
    impl->phases = jc_vec_of(sizeof(jc_gpu_phase));
    impl->products = jc_vec_of(sizeof(jc_cuda_product));
    impl->pointers = jc_vec_of(sizeof(jc_cuda_pointer));
    impl->callbacks = jc_vec_of(sizeof(jc_cuda_callback));
    impl->ops = jc_vec_of(sizeof(jc_cuda_op));
    impl->copies = jc_vec_of(sizeof(jc_cuda_copy));
    impl->dead = jc_vec_of(sizeof(jc_cuda_dead));
    impl->temps = jc_vec_of(sizeof(int64_t));
    impl->walked = jc_vec_of(sizeof(bool));
    jc_status status = jc_cuda_check(api, api->device_get(&impl->device), "asking for the current device");
    if (!status)
        status = jc_cuda_check(api, api->properties(impl->device, &impl->properties), "asking for its properties");
    if (status || impl->properties.major >= LEAST_MAJOR) return status;
    return jc_fail(JC_E_UNAVAILABLE, "%s: %s has compute capability %d.%d; 8.0 or more is needed", api->name,
                   impl->properties.name, impl->properties.major, impl->properties.minor);
}

static void free_impl(const jc_program *program, jc_cuda_program *impl)
{
    const jc_allocator *a = &program->allocator;
    jc_vec *vecs[] = {&impl->by_group, &impl->operands, &impl->terms,     &impl->tiles, &impl->phases,
                      &impl->products, &impl->pointers, &impl->callbacks, &impl->ops,   &impl->copies,
                      &impl->walked,   &impl->dead,     &impl->temps};
    for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) jc_vec_free(a, vecs[i]);
    jc_free(a, impl, 1, sizeof *impl);
}

static void trim(const jc_program *program, jc_cuda_program *impl)
{
    const jc_allocator *a = &program->allocator;
    jc_vec *vecs[] = {&impl->by_group, &impl->operands, &impl->terms, &impl->tiles, &impl->pointers, &impl->ops};
    for (size_t i = 0; i < sizeof vecs / sizeof *vecs; i++) jc_vec_trim(a, vecs[i]);
}

static void predict(jc_program *program, const jc_cuda_program *impl)
{
    const jc_cuda_op *ops = impl->ops.data;
    program->seconds_predicted = 0;
    for (int64_t i = 0; i < impl->ops.count; i++)
        program->seconds_predicted += jc_cuda_op_seconds(impl, program->dtype, &ops[i]);
    program->start_seconds = jc_cuda_start_seconds(impl);
}

jc_status jc_cuda_prepare(jc_program *program)
{
    jc_cuda_program *impl;
    jc_status status = jc_alloc_zero(&program->allocator, 1, sizeof *impl, WHAT, &impl);
    if (status) return status;
    program->impl = impl;
    status = init(program, impl);
    if (!status)
        status =
            jc_layout_create(program->plan, jc_dtype_bytes(program->dtype), program->keep_adjoints, &program->layout);
    if (!status) status = jc_cuda_lower(program);
    if (!status) status = jc_cuda_join_narrow(program);
    if (!status) status = jc_cuda_find_dead(program);
    if (!status) status = jc_cuda_find_copies(program);
    if (!status) status = jc_cuda_place_indices(program);
    if (!status) status = jc_cuda_place_memory(program);
    if (status) {
        jc_cuda_release(program);
        return status;
    }
    trim(program, impl);
    snprintf(program->device, sizeof program->device, "%s", impl->properties.name);
    program->scratch_bytes = impl->memory.bytes - program->layout.arena_bytes;
    program->peak_bytes = impl->memory.bytes;
    predict(program, impl);
    return JC_OK;
}

void jc_cuda_release(jc_program *program)
{
    jc_layout_fini(program->plan, &program->layout);
    free_impl(program, program->impl);
    program->impl = NULL;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

static const char *form_name(const jc_cuda_program *impl, int64_t level, jc_cuda_route route)
{
    static const char *const names[2][3] = {{"gather, dense row", "gather, dense rows", "gather"},
                                            {"walk, dense row", "gather, dense rows", "walk"}};
    bool walked = impl->walked.count > level && ((const bool *)impl->walked.data)[level];
    return names[walked][route];
}

/* The call of cuBLAS for one product of a level; batches of a level have one form for a shape. */
static const char *blas_name(const jc_program *program, const jc_cuda_operand *o, int64_t rows)
{
    static const char *const names[2][2] = {{"cublas gemm", "cublas gemm, converted"},
                                            {"cublas gemv", "cublas gemv, converted"}};
    bool vector = o->kind == JC_DENSE && rows * o->batch * o->inner == 1 && program->precision != JC_PRECISION_BF16;
    bool converted = program->precision == JC_PRECISION_BF16 || !o->as_given || o->dtype != program->dtype;
    return names[vector][converted];
}

static const char *routine_of(const jc_program *program, int64_t level, const jc_cuda_operand *o, int64_t rows,
                              bool expand)
{
    jc_cuda_route route = jc_cuda_route_of(program, o, rows, expand);
    if (route == JC_CUDA_OPERATOR) return "operator";
    if (route == JC_CUDA_BLAS) return blas_name(program, o, rows);
    return form_name(program->impl, level, route);
}

/* Whether an operand of the step's group is that of its (first) product. */
static bool is_operand_of(const jc_group *group, const jc_step *step, const jc_cuda_operand *o)
{
    jc_direction direction = jc_shape_direction(&group->shape, step->transpose ? JC_TANGENT : JC_ADJOINT);
    bool factors = group->shape.kind == JC_LOW_RANK && group->has_numbers && step->a != JC_SEED_IDENTITY;
    if (factors) return o->kind == JC_DENSE && o->field == (direction == JC_TANGENT) && o->direction == JC_ADJOINT;
    return o->direction == direction && (o->kind == (int)group->shape.kind || !group->has_numbers);
}

static const jc_cuda_operand *operand_of_step(const jc_program *program, const jc_step *step)
{
    const jc_cuda_program *impl = program->impl;
    const jc_plan *plan = program->plan;
    int64_t group = jc_plan_group_number(plan, step->b), member, n;
    const jc_group *g = jc_plan_jacobian(plan, step->b, &member);
    const jc_cuda_use *use = jc_cuda_operands_of(program, group, &n);
    for (int64_t i = 0; i < n; i++) {
        const jc_cuda_operand *o = jc_cuda_operand_at(impl, use[i].operand);
        if (o->group == group && is_operand_of(g, step, o)) return o;
    }
    return NULL;
}

jc_status jc_cuda_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx)
{
    const jc_plan *plan = program->plan;
    jc_open_batches open = {.count = 0, .emit = emit, .ctx = ctx};
    jc_status status = JC_OK;
    int64_t member;
    for (int64_t l = 0; l < plan->n_levels && !status; l++) {
        int64_t end = plan->values[plan->levels[l + 1]].first_step;
        for (int64_t i = plan->values[plan->levels[l]].first_step; i < end && !status; i++) {
            const jc_step *step = &plan->steps[i];
            const jc_group *g = jc_plan_jacobian(plan, step->b, &member);
            const jc_cuda_operand *o = operand_of_step(program, step);
            jc_batch batch = {.level = l, .kind = g->shape.kind, .count = 1, .m = step->n_rows};
            batch.k = step->transpose ? g->shape.cols : g->shape.rows;
            batch.n = step->transpose ? g->shape.rows : g->shape.cols;
            batch.routine = o ? routine_of(program, l, o, step->n_rows, step->a == JC_SEED_IDENTITY) : "gather";
            status = jc_batches_add(&open, &batch);
        }
        if (!status) status = jc_batches_flush(&open);
    }
    return status;
}
