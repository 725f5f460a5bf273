/* New numbers for a run, from the host or by address. */
#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

static bool same_numbers(const jc_cuda_numbers *a, const jc_cuda_numbers *b)
{
    return a->d_data == b->d_data && a->ld == b->ld && a->block_stride == b->block_stride &&
           a->member_stride == b->member_stride && a->dtype == b->dtype;
}

/* Whether what was captured holds something of the old numbers: an address (of a batched call where it was issued as
 * several), a leading dimension (one for all of a batched call), or that all its addresses are aligned. */
static bool is_captured(const jc_run *run, const jc_cuda_operand *o, const jc_cuda_numbers *a, const jc_cuda_numbers *b)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_cuda_run *r = run->impl;
    if (r->apart && o->first_pointer >= 0) return true;
    if (o->held || !a->d_data != !b->d_data || (a->ld != b->ld && impl->uses_blas)) return true;
    return impl->mode == JC_GPU_ROUND_TF32 && o->first_pointer >= 0 &&
           jc_cuda_pointers_aligned(a) != jc_cuda_pointers_aligned(b);
}

jc_status jc_cuda_set_numbers(jc_run *run, int32_t operand, const jc_cuda_numbers *n, jc_cuda_rebind *what)
{
    jc_cuda_run *r = run->impl;
    jc_cuda_numbers *old = &r->numbers[operand];
    jc_status status = JC_OK;
    if (same_numbers(old, n)) return JC_OK;
    bool captured = is_captured(run, jc_cuda_operand_at(run->program->impl, operand), old, n);
    *what = jc_max(*what, captured ? JC_CUDA_REBIND_CAPTURE : JC_CUDA_REBIND_TABLE);
    *old = *n;
    if (r->executed) status = jc_cuda_check(r->api, r->api->event_synchronize(r->done), "waiting for an execution");
    return status ? status : jc_cuda_renew_tables(run, operand);
}

jc_status jc_cuda_refresh(jc_run *run, jc_cuda_rebind what)
{
    jc_cuda_run *r = run->impl;
    jc_status status = JC_OK;
    if (what == JC_CUDA_REBIND_NOTHING) return JC_OK;
    if (r->executed) status = jc_cuda_check(r->api, r->api->event_synchronize(r->done), "waiting for an execution");
    if (!status) status = jc_cuda_check(r->api, r->api->stream_synchronize(r->stream), "uploading");
    return !status && what == JC_CUDA_REBIND_CAPTURE ? jc_cuda_capture(run) : status;
}

/* ---- from the host ----------------------------------------------------------------------------------------------- */

/* Bytes of the members of an operand's field that are copied. */
static int64_t field_bytes(const jc_cuda_operand *o, const jc_field *field)
{
    return (o->last_member - o->first_member) * field->stride + field->elements * jc_dtype_bytes(field->dtype);
}

/* The place on the device of a field of a group of the graph of its own: its copy where nothing else uses that, else
 * more memory. All members, so that every operand of the group finds its own. */
static jc_status place_of(jc_run *run, const jc_cuda_operand *o, int64_t group, int field, void **d_first)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    const jc_group *g = jc_plan_group(run->program->plan, group);
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
    const jc_field *f = &jc_plan_group(run->program->plan, group)->field[field];
    const unsigned char *data = run->bindings[group].data[field] + o->first_member * f->stride;
    jc_cuda_numbers n = {NULL, o->ld, o->block_stride, o->member_stride, o->dtype};
    void *d_first = NULL;
    jc_status status = place_of(run, o, group, field, &d_first);
    if (!status) status = jc_cuda_upload(run->impl, d_first, data, field_bytes(o, f));
    n.d_data = d_first;
    return status ? status : jc_cuda_set_numbers(run, number, &n, what);
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
    return status ? status : jc_cuda_set_numbers(run, number, &n, what);
}

/* Uploads what was bound to run->bindings[group] (or the seed, group -1) after the executions before it. */
static jc_status bind_host(jc_run *run, int64_t group, int field)
{
    jc_cuda_run *r = run->impl;
    jc_cuda_rebind what = JC_CUDA_REBIND_NOTHING;
    jc_status status = JC_OK;
    int64_t n;
    const jc_plan *plan = run->program->plan;
    const jc_cuda_use *use = jc_cuda_operands_of(run->program, group, &n);
    if (r->executed) status = jc_cuda_check(r->api, r->api->event_synchronize(r->done), "waiting for an execution");
    for (int64_t i = 0; i < n && !status; i++) {
        int32_t number = use[i].operand;
        if (!jc_cuda_operand_follows(plan, jc_cuda_operand_at(run->program->impl, number), group, field)) continue;
        status = group < 0 ? bind_host_seed(run, number, &what) : bind_operand(run, number, group, field, &what);
    }
    if (!status) status = jc_cuda_check(r->api, r->api->stream_synchronize(r->stream), "uploading");
    return status ? status : jc_cuda_refresh(run, what);
}

jc_status jc_cuda_bound(jc_run *run, int64_t group, int field)
{
    int before;
    jc_status status = jc_cuda_begin(run, &before);
    return status ? status : jc_cuda_end(run, bind_host(run, group, field), before);
}
