/* A program with its device memory: open, capture, execute, read. */
#include <string.h>

#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "a run of the device";

jc_status jc_cuda_begin(const jc_run *run, int *before)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_cuda_run *r = run->impl;
    if (!r->lost) return jc_cuda_enter(r->api, impl->device, before);
    return jc_fail(r->lost, "%s: an earlier call of this run failed; make a new run", r->api->name);
}

jc_status jc_cuda_end(const jc_run *run, jc_status status, int before)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    jc_cuda_leave(r->api, impl->device, before);
    if (status == JC_E_DEVICE && !r->callback_failed) r->lost = status;
    r->callback_failed = false;
    return status;
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static jc_status fail_memory(const jc_gpu_api *api, int64_t needed, size_t free_bytes)
{
    return jc_fail(JC_E_MEMORY, "%s: %lld bytes are needed, the device has %lld bytes free", api->name,
                   (long long)needed, (long long)free_bytes);
}

static jc_status allocate_here(jc_cuda_run *r, int64_t bytes, void **d_ptr)
{
    size_t free_bytes = 0, total_bytes = 0;
    jc_status status = jc_cuda_check(r->api, r->api->memory_info(&free_bytes, &total_bytes), "asking for memory");
    if (status) return status;
    if ((uint64_t)bytes > free_bytes) return fail_memory(r->api, bytes, free_bytes);
    int code = r->api->allocate(d_ptr, (size_t)bytes);
    if (code == JC_GPU_NO_MEMORY) {
        r->api->last_error();
        return fail_memory(r->api, bytes, free_bytes);
    }
    return jc_cuda_check(r->api, code, "allocating memory");
}

static jc_status allocate(jc_cuda_run *r, int64_t bytes, void **d_ptr)
{
    if (!r->allocator.device_alloc) return allocate_here(r, bytes, d_ptr);
    int code = r->allocator.device_alloc(r->allocator.ctx, d_ptr, (size_t)bytes, r->stream);
    if (!code) return JC_OK;
    return jc_fail(JC_E_MEMORY, "%s: the caller's allocator has no %lld bytes (code %d)", r->api->name,
                   (long long)bytes, code);
}

static void release(jc_cuda_run *r, void *d_ptr, int64_t bytes)
{
    if (!d_ptr) return;
    if (r->allocator.device_free)
        r->allocator.device_free(r->allocator.ctx, d_ptr, (size_t)bytes, r->stream);
    else
        r->api->release(d_ptr);
}

jc_status jc_cuda_take_own(jc_run *run, int64_t group, int field, int64_t bytes, void **d_data)
{
    jc_cuda_run *r = run->impl;
    jc_cuda_own *own = r->own.data, fresh = {group, field, NULL, bytes};
    for (int64_t i = 0; i < r->own.count; i++) {
        if (own[i].group != group || own[i].field != field) continue;
        *d_data = own[i].d_data;
        return JC_OK;
    }
    jc_status status = jc_vec_reserve(&run->program->allocator, &r->own, 1, WHAT);
    if (!status) status = allocate(r, bytes, &fresh.d_data);
    if (status) return status;
    *d_data = fresh.d_data;
    return jc_vec_append(&run->program->allocator, &r->own, &fresh, 1, WHAT);
}

static jc_status take_block(const jc_program *program, jc_cuda_run *r, const jc_cuda_run_options *o)
{
    const jc_cuda_program *impl = program->impl;
    void *d_block = o->d_workspace;
    if (d_block && ((uintptr_t)d_block % JC_CUDA_ALIGN || o->workspace_bytes < (uint64_t)impl->memory.bytes))
        return jc_fail(JC_E_USAGE, "the workspace is %zu bytes at %p; %lld bytes are needed, aligned to %d",
                       o->workspace_bytes, d_block, (long long)impl->memory.bytes, JC_CUDA_ALIGN);
    r->owns_block = !d_block;
    jc_status status = d_block ? JC_OK : allocate(r, impl->memory.bytes, &d_block);
    if (!status) r->d_block = d_block;
    return status;
}

/* ---- host memory ------------------------------------------------------------------------------------------------- */

static jc_status take_host_memory(const jc_program *program, jc_cuda_run *r)
{
    const jc_allocator *a = &program->allocator;
    const jc_cuda_program *impl = program->impl;
    jc_status status = jc_alloc_zero(a, impl->operands.count, sizeof *r->numbers, WHAT, &r->numbers);
    if (!status) status = jc_alloc_zero(a, impl->operands.count, sizeof *r->sources, WHAT, &r->sources);
    if (!status) status = jc_alloc_zero(a, impl->pointers.count, sizeof *r->pointers, WHAT, &r->pointers);
    if (!status) status = jc_alloc_zero(a, program->plan->n_outputs, sizeof *r->outputs, WHAT, &r->outputs);
    return status;
}

static void give_host_memory(const jc_program *program, jc_cuda_run *r)
{
    const jc_allocator *a = &program->allocator;
    const jc_cuda_program *impl = program->impl;
    jc_free(a, r->numbers, impl->operands.count, sizeof *r->numbers);
    jc_free(a, r->sources, impl->operands.count, sizeof *r->sources);
    jc_free(a, r->pointers, impl->pointers.count, sizeof *r->pointers);
    jc_free(a, r->outputs, program->plan->n_outputs, sizeof *r->outputs);
    jc_free(a, r->operator, impl->operands.count, sizeof *r->operator);
    jc_vec_free(a, &r->own);
}

/* Pinned vectors for the largest callback. */
static jc_status take_callback_memory(const jc_program *program, jc_cuda_run *r)
{
    const jc_cuda_program *impl = program->impl;
    const jc_cuda_callback *c = impl->callbacks.data;
    int64_t element = program->layout.element_bytes;
    for (int64_t i = 0; i < impl->callbacks.count; i++) {
        const jc_cuda_operand *o = jc_cuda_operand_at(impl, c[i].operand);
        r->callback_x_bytes = jc_max(r->callback_x_bytes, c[i].rows * o->in * element);
        r->callback_y_bytes = jc_max(r->callback_y_bytes, c[i].rows * o->out * element);
    }
    if (!r->callback_x_bytes) return JC_OK;
    int code = r->api->allocate_pinned(&r->callback_x, (size_t)r->callback_x_bytes);
    if (!code) code = r->api->allocate_pinned(&r->callback_y, (size_t)r->callback_y_bytes);
    return jc_cuda_check(r->api, code, "allocating memory for an operator");
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static jc_status make_stream(jc_cuda_run *r, const jc_cuda_run_options *o)
{
    jc_status status = JC_OK;
    r->stream = o->stream;
    if (!o->stream) status = jc_cuda_check(r->api, r->api->stream_create(&r->stream), "making a stream");
    r->owns_stream = !o->stream && !status;
    if (!status) status = jc_cuda_check(r->api, r->api->event_create(&r->done), "making an event");
    return status;
}

static jc_status make_blas(const jc_program *program, jc_cuda_run *r, const jc_cuda_run_options *o)
{
    const jc_cuda_program *impl = program->impl;
    if (!impl->uses_blas) return JC_OK;
    jc_status status = jc_cuda_check_blas(r->api, r->api->blas_load(), "loading it");
    r->blas = o->blas;
    if (status || o->blas) return status;
    status = jc_cuda_check_blas(r->api, r->api->blas_create(&r->blas), "making a handle");
    r->owns_blas = !status;
    return status;
}

static jc_status set_up(jc_run *run, const jc_cuda_run_options *o)
{
    const jc_program *program = run->program;
    jc_cuda_run *r = run->impl;
    jc_status status = jc_cuda_check(r->api, r->api->kernels_load(), "loading the kernels");
    if (!status) status = make_stream(r, o);
    if (!status) status = jc_cuda_staging_open(program, r);
    if (!status) status = make_blas(program, r, o);
    if (!status) status = take_block(program, r, o);
    if (!status) status = take_callback_memory(program, r);
    if (!status) status = jc_cuda_upload_program(run);
    if (status) return status;
    const jc_cuda_program *impl = program->impl;
    for (int64_t i = 0; i < impl->operands.count; i++) jc_cuda_numbers_of_graph(run, (int32_t)i, &r->numbers[i]);
    jc_cuda_fill_tables(run);
    status = jc_cuda_upload_tables(run);
    return status ? status : jc_cuda_refresh(run, JC_CUDA_REBIND_CAPTURE);
}

/* Gives back what there is, in the reverse order; what comes before may still be in flight. */
static void tear_down(jc_run *run)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    const jc_cuda_own *own = r->own.data;
    if (r->executed) r->api->event_synchronize(r->done);
    if (r->stream) r->api->stream_synchronize(r->stream);
    if (r->exec) r->api->exec_destroy(r->exec);
    for (int64_t i = 0; i < r->own.count; i++) release(r, own[i].d_data, own[i].bytes);
    if (r->callback_y) r->api->release_pinned(r->callback_y);
    if (r->callback_x) r->api->release_pinned(r->callback_x);
    if (r->owns_block) release(r, r->d_block, impl->memory.bytes);
    if (r->owns_blas) r->api->blas_destroy(r->blas);
    jc_cuda_staging_close(r);
    if (r->done) r->api->event_destroy(r->done);
    if (r->owns_stream) r->api->stream_destroy(r->stream);
}

/* Says nothing of its own: what failed before is what the caller is to read. */
static void destroy(jc_run *run)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    int before = 0;
    bool entered = !r->api->device_get(&before) && (before == impl->device || !r->api->device_set(impl->device));
    tear_down(run); /* what there is knows its device */
    if (entered) jc_cuda_leave(r->api, impl->device, before);
    give_host_memory(run->program, r);
    jc_free(&run->program->allocator, r, 1, sizeof *r);
    run->impl = NULL;
}

jc_status jc_cuda_open_with(jc_run *run, const jc_cuda_run_options *o)
{
    const jc_program *program = run->program;
    const jc_cuda_program *impl = program->impl;
    jc_cuda_run *r;
    int before;
    jc_status status = jc_alloc_zero(&program->allocator, 1, sizeof *r, WHAT, &r);
    if (status) return status;
    r->api = impl->api;
    r->no_capture = o->no_capture != 0;
    r->own = jc_vec_of(sizeof(jc_cuda_own));
    if (o->allocator) r->allocator = *o->allocator;
    run->impl = r;
    status = take_host_memory(program, r);
    if (!status) status = jc_cuda_enter(r->api, impl->device, &before);
    if (!status) {
        status = set_up(run, o);
        jc_cuda_leave(r->api, impl->device, before);
    }
    if (status) destroy(run);
    return status;
}

jc_status jc_cuda_open(jc_run *run)
{
    jc_cuda_run_options o = JC_CUDA_RUN_OPTIONS_INIT;
    return jc_cuda_open_with(run, &o);
}

void jc_cuda_close(jc_run *run)
{
    destroy(run);
}

/* ---- capture ----------------------------------------------------------------------------------------------------- */

bool jc_cuda_waits_for_host(const jc_run *run)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_cuda_run *r = run->impl;
    const jc_cuda_callback *c = impl->callbacks.data;
    for (int64_t i = 0; i < impl->callbacks.count; i++)
        if (!r->operator|| !r->operator[c[i].operand].apply) return true;
    return false;
}

static bool can_capture(const jc_run *run)
{
    const jc_cuda_run *r = run->impl;
    return !r->no_capture && !run->program->plan->structure_only && jc_cuda_all_bound(run) &&
           !jc_cuda_waits_for_host(run);
}

static void drop_exec(jc_cuda_run *r)
{
    if (r->exec) r->api->exec_destroy(r->exec);
    r->exec = NULL;
}

static jc_status capture_graph(jc_run *run, jc_gpu_graph *graph)
{
    jc_cuda_run *r = run->impl;
    jc_status status = jc_cuda_check(r->api, r->api->capture_begin(r->stream), "beginning a capture");
    if (status) return status;
    status = jc_cuda_issue(run, r->stream);
    int code = r->api->capture_end(r->stream, graph); /* also of one that failed */
    return status ? status : jc_cuda_check(r->api, code, "ending a capture");
}

/* The old executable graph changed to the new operations, or another one in its place. */
static jc_status renew_exec(jc_cuda_run *r, jc_gpu_graph graph)
{
    bool updated = false;
    if (r->exec) {
        jc_status status = jc_cuda_check(r->api, r->api->exec_update(r->exec, graph, &updated), "updating a graph");
        if (status || updated) return status;
        drop_exec(r);
    }
    return jc_cuda_check(r->api, r->api->exec_create(&r->exec, graph), "instantiating a graph");
}

jc_status jc_cuda_capture(jc_run *run)
{
    jc_cuda_run *r = run->impl;
    jc_gpu_graph graph = NULL;
    if (!can_capture(run)) {
        drop_exec(r);
        return JC_OK;
    }
    jc_status status = capture_graph(run, &graph);
    if (!status) status = renew_exec(r, graph);
    if (graph) r->api->graph_destroy(graph);
    if (status) drop_exec(r); /* the old one would compute from the old addresses */
    return status;
}

/* ---- execute, read ----------------------------------------------------------------------------------------------- */

static jc_status set_pass(jc_run *run, const jc_pass *pass)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    if (r->pass.row0 == pass->row0) return JC_OK;
    r->pass.row0 = pass->row0;
    return jc_cuda_upload(r, r->d_block + impl->memory.pass, &r->pass, sizeof r->pass);
}

static jc_status execute(jc_run *run)
{
    jc_cuda_run *r = run->impl;
    jc_status status = JC_OK;
    if (r->executed)
        status = jc_cuda_check(r->api, r->api->stream_wait(r->stream, r->done), "waiting for an execution");
    if (!status)
        status = r->exec ? jc_cuda_check(r->api, r->api->exec_launch(r->exec, r->stream), "launching a graph")
                         : jc_cuda_issue(run, r->stream);
    if (!status) status = jc_cuda_check(r->api, r->api->event_record(r->done, r->stream), "recording an event");
    if (!status) r->executed = true;
    jc_status waited = jc_cuda_check(r->api, r->api->stream_synchronize(r->stream), "executing");
    return status ? status : waited;
}

jc_status jc_cuda_execute_pass(jc_run *run, const jc_pass *pass)
{
    int before;
    jc_status status = jc_cuda_begin(run, &before);
    if (status) return status;
    status = set_pass(run, pass);
    if (!status) status = execute(run);
    return jc_cuda_end(run, status, before);
}

/* Through the staging memory, piece by piece. */
static jc_status download(jc_cuda_run *r, void *dst, const unsigned char *d_src, int64_t bytes)
{
    int64_t piece = 2 * r->half_bytes;
    jc_status status = JC_OK;
    for (int64_t at = 0; at < bytes && !status; at += piece) {
        size_t n = (size_t)jc_min(piece, bytes - at);
        int code = r->api->copy(r->staging, d_src + at, n, JC_GPU_TO_HOST, r->stream);
        if (!code) code = r->api->stream_synchronize(r->stream);
        status = jc_cuda_check(r->api, code, "copying from the device");
        if (!status) memcpy((unsigned char *)dst + at, r->staging, n);
    }
    return status;
}

jc_status jc_cuda_read(const jc_run *run, int64_t value, int64_t row, int64_t n, void *dst)
{
    const jc_program *program = run->program;
    jc_cuda_run *r = run->impl;
    int before;
    int64_t cols = program->plan->values[value].cols, element = program->layout.element_bytes;
    jc_status status = jc_cuda_begin(run, &before);
    if (status) return status;
    if (r->executed)
        status = jc_cuda_check(r->api, r->api->stream_wait(r->stream, r->done), "waiting for an execution");
    const unsigned char *d_src = jc_cuda_element(run, program->layout.offset[value] / element + row * cols);
    if (!status) status = download(r, dst, d_src, n * cols * element);
    return jc_cuda_end(run, status, before);
}

const void *jc_cuda_peek(const jc_run *run, int64_t value, int64_t row)
{
    (void)run, (void)value, (void)row;
    return NULL;
}
