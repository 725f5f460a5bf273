/* New numbers for a run, from the host or by address. */
#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

void jc_cuda_set_numbers(jc_run *run, int32_t operand, const jc_cuda_numbers *n, jc_cuda_rebind *what)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    jc_cuda_numbers *old = &r->numbers[operand];
    if (old->d_data == n->d_data && old->ld == n->ld && old->block_stride == n->block_stride &&
        old->member_stride == n->member_stride && old->dtype == n->dtype)
        return;
    bool captured = jc_cuda_operand_at(impl, operand)->held || (!old->d_data != !n->d_data);
    jc_cuda_rebind asks = captured ? JC_CUDA_REBIND_CAPTURE : JC_CUDA_REBIND_TABLE;
    /* a batched call takes one leading dimension for all, by value */
    if (old->ld != n->ld && impl->uses_blas) asks = JC_CUDA_REBIND_CAPTURE;
    if (asks > *what) *what = asks;
    *old = *n;
}

jc_status jc_cuda_refresh(jc_run *run, jc_cuda_rebind what)
{
    jc_cuda_run *r = run->impl;
    jc_status status = JC_OK;
    if (what == JC_CUDA_REBIND_NOTHING) return JC_OK;
    if (r->executed) status = jc_cuda_check(r->api, r->api->event_synchronize(r->done), "waiting for an execution");
    if (status) return status;
    jc_cuda_fill_tables(run);
    status = jc_cuda_upload_tables(run);
    int code = r->api->stream_synchronize(r->stream);
    if (!status) status = jc_cuda_check(r->api, code, "uploading");
    if (!status && what == JC_CUDA_REBIND_CAPTURE) status = jc_cuda_capture(run);
    return status;
}

/* ---- from the host
 * ----------------------------------------------------------------------------------------------------- */

/* Bytes of the members of an operand's field that are copied. */
static int64_t field_bytes(const jc_cuda_operand *o, const jc_field *field)
{
    return (o->last_member - o->first_member) * field->stride + field->elements * jc_dtype_bytes(field->dtype);
}

/* The place on the device of a group's field of its own: its copy where nothing else uses that, else more memory. All
 * members, so that every operand of the group finds its own. */
static jc_status place_of(jc_run *run, const jc_cuda_operand *o, int64_t group, int field, void **d_first)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    const jc_group *g = jc_cuda_operand_group(run->program->plan, o);
    const jc_field *f = &g->field[field];
    const jc_cuda_copy *copy = o->copy >= 0 ? (const jc_cuda_copy *)impl->copies.data + o->copy : NULL;
    int64_t skip = o->first_member * f->stride;
    if (copy && copy->users == 1) {
        *d_first = r->d_block + copy->offset + (f->data + skip - copy->data);
        return JC_OK;
    }
    void *d_data = NULL;
    jc_status status =
        jc_cuda_take_own(run, group, field, g->n_edges * f->elements * jc_dtype_bytes(f->dtype), &d_data);
    if (!status) *d_first = (unsigned char *)d_data + skip;
    return status;
}

static jc_status bind_operand(jc_run *run, int32_t number, int64_t group, int field, jc_cuda_rebind *what)
{
    const jc_cuda_operand *o = jc_cuda_operand_at(run->program->impl, number);
    const jc_field *f = &jc_cuda_operand_group(run->program->plan, o)->field[field];
    const unsigned char *data = run->bindings[group].data[field] + o->first_member * f->stride;
    jc_cuda_numbers n = {NULL, o->ld, o->block_stride, o->member_stride, o->dtype};
    void *d_first = NULL;
    jc_status status = place_of(run, o, group, field, &d_first);
    if (!status) status = jc_cuda_upload(run->impl, d_first, data, field_bytes(o, f));
    n.d_data = d_first;
    if (!status) jc_cuda_set_numbers(run, number, &n, what);
    return status;
}

static jc_status bind_host_seed(jc_run *run, int32_t number, jc_cuda_rebind *what)
{
    jc_cuda_numbers n;
    jc_cuda_run *r = run->impl;
    jc_cuda_numbers_of_graph(run, number, &n);
    n.dtype = run->seed.dtype[0];
    const jc_field *field = &run->program->plan->subgraph.extra[0].field[0];
    jc_status status =
        jc_cuda_upload(r, (void *)n.d_data, run->seed.data[0], field->elements * jc_dtype_bytes(n.dtype));
    if (!status) jc_cuda_set_numbers(run, number, &n, what);
    return status;
}

/* Uploads what was bound to run->bindings[group] (or the seed, group -1) after the executions before it. */
static jc_status bind_host(jc_run *run, int64_t group, int field)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    jc_cuda_rebind what = JC_CUDA_REBIND_NOTHING;
    jc_status status = JC_OK;
    if (r->executed) status = jc_cuda_check(r->api, r->api->event_synchronize(r->done), "waiting for an execution");
    for (int64_t i = 0; i < impl->operands.count && !status; i++) {
        const jc_cuda_operand *o = jc_cuda_operand_at(impl, (int32_t)i);
        if (o->group != group || o->field != field) continue;
        status =
            group < 0 ? bind_host_seed(run, (int32_t)i, &what) : bind_operand(run, (int32_t)i, group, field, &what);
    }
    if (!status) status = jc_cuda_check(r->api, r->api->stream_synchronize(r->stream), "uploading");
    return status ? status : jc_cuda_refresh(run, what);
}

jc_status jc_cuda_bound(jc_run *run, int64_t group, int field)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    int before;
    if (r->lost) return jc_fail(r->lost, "%s: an earlier call of this run failed; make a new run", r->api->name);
    jc_status status = jc_cuda_enter(r->api, impl->device, &before);
    if (status) return status;
    status = bind_host(run, group, field);
    jc_cuda_leave(r->api, impl->device, before);
    return jc_cuda_note(r, status);
}
