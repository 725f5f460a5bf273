/* Host memory to the device, through two halves of pinned memory: while one is copied the other is filled. */
#include <string.h>

#include "backend/cuda/internal.h"
#include "core/size.h"

/* A half: as much as there ever is to copy at once, up to where a copy's own cost no longer counts. */
static int64_t half_bytes(const jc_program *program)
{
    enum { LEAST = 64 << 10, MOST = 4 << 20 };
    const jc_cuda_program *impl = program->impl;
    int64_t bytes = LEAST;
    while (bytes < MOST && bytes < program->peak_bytes - impl->memory.blas_bytes) bytes *= 2;
    return bytes;
}

jc_status jc_cuda_staging_open(const jc_program *program, jc_cuda_run *r)
{
    void *staging = NULL;
    r->half_bytes = half_bytes(program);
    jc_status status = jc_cuda_check(r->api, r->api->allocate_pinned(&staging, 2 * (size_t)r->half_bytes),
                                     "allocating staging memory");
    r->staging = staging;
    for (int i = 0; i < 2 && !status; i++)
        status = jc_cuda_check(r->api, r->api->event_create(&r->staged[i]), "making an event");
    return status;
}

void jc_cuda_staging_close(jc_cuda_run *r)
{
    for (int i = 0; i < 2; i++)
        if (r->staged[i]) r->api->event_destroy(r->staged[i]);
    if (r->staging) r->api->release_pinned(r->staging);
    r->staging = NULL;
}

/* One piece through the half `i`. */
static jc_status upload_piece(jc_cuda_run *r, int i, void *d_dst, const void *src, size_t bytes)
{
    const jc_gpu_api *api = r->api;
    jc_status status = JC_OK;
    unsigned char *half = r->staging + i * r->half_bytes;
    if (r->in_flight[i]) status = jc_cuda_check(api, api->event_synchronize(r->staged[i]), "waiting for a copy");
    r->in_flight[i] = false;
    if (status) return status;
    memcpy(half, src, bytes);
    status = jc_cuda_check(api, api->copy(d_dst, half, bytes, JC_GPU_TO_DEVICE, r->stream), "copying to the device");
    if (!status) status = jc_cuda_check(api, api->event_record(r->staged[i], r->stream), "recording an event");
    r->in_flight[i] = !status;
    return status;
}

jc_status jc_cuda_upload(jc_cuda_run *r, void *d_dst, const void *src, int64_t bytes)
{
    jc_status status = JC_OK;
    int half = r->in_flight[0] && !r->in_flight[1];
    for (int64_t at = 0; at < bytes && !status; at += r->half_bytes, half = !half)
        status = upload_piece(r, half, (unsigned char *)d_dst + at, (const unsigned char *)src + at,
                              (size_t)jc_min(r->half_bytes, bytes - at));
    return status;
}

static jc_status upload_vec(jc_cuda_run *r, int64_t offset, const jc_vec *v)
{
    return jc_cuda_upload(r, r->d_block + offset, v->data, v->count * (int64_t)v->element_bytes);
}

static jc_status upload_indices(jc_run *run)
{
    const jc_program *program = run->program;
    const jc_cuda_program *impl = program->impl;
    jc_cuda_run *r = run->impl;
    unsigned char *region;
    if (!impl->index_bytes) return JC_OK;
    jc_status status = jc_alloc_zero(&program->allocator, impl->index_bytes, 1, "the indices of a run", &region);
    for (int64_t i = 0; i < impl->operands.count && !status; i++)
        status = jc_cuda_write_indices(program, jc_cuda_operand_at(impl, (int32_t)i), region);
    if (!status) status = jc_cuda_upload(r, r->d_block + impl->memory.indices, region, impl->index_bytes);
    jc_free(&program->allocator, region, impl->index_bytes, 1);
    return status;
}

jc_status jc_cuda_upload_program(jc_run *run)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    const jc_cuda_copy *copies = impl->copies.data;
    jc_status status = upload_vec(r, impl->memory.terms, &impl->terms);
    if (!status) status = upload_vec(r, impl->memory.tiles, &impl->tiles);
    if (!status) status = upload_vec(r, impl->memory.phases, &impl->phases);
    if (!status) status = jc_cuda_upload(r, r->d_block + impl->memory.pass, &r->pass, sizeof r->pass);
    if (!status) status = upload_indices(run);
    for (int64_t i = 0; i < impl->copies.count && !status; i++)
        status = jc_cuda_upload(r, r->d_block + copies[i].offset, copies[i].data, copies[i].bytes);
    return status;
}

static jc_status upload_sources(jc_run *run, int64_t first, int64_t n)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    int64_t element = (int64_t)sizeof *r->sources;
    return jc_cuda_upload(r, r->d_block + impl->memory.sources + first * element, r->sources + first, n * element);
}

jc_status jc_cuda_upload_source(jc_run *run, int32_t operand)
{
    return upload_sources(run, operand, 1);
}

jc_status jc_cuda_upload_pointers(jc_run *run, int64_t first, int64_t n)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    int64_t element = (int64_t)sizeof *r->pointers;
    return jc_cuda_upload(r, r->d_block + impl->memory.pointers + first * element, r->pointers + first, n * element);
}

jc_status jc_cuda_upload_tables(jc_run *run)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_status status = upload_sources(run, 0, impl->operands.count);
    return status ? status : jc_cuda_upload_pointers(run, 0, impl->pointers.count);
}
