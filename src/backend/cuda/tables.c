/* The tables of addresses of a run: where each operand's numbers are, as the kernels read it, and the pointer arrays of
 * cuBLAS. */
#include "backend/cuda/internal.h"
#include "core/dtype.h"

unsigned char *jc_cuda_element(const jc_run *run, int64_t element)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_cuda_run *r = run->impl;
    return r->d_block + impl->memory.arena + element * run->program->layout.element_bytes;
}

static bool has_numbers(const jc_cuda_operand *o)
{
    return o->field >= 0 && o->group != JC_CUDA_NO_GROUP;
}

static bool is_seed(const jc_run *run, const jc_cuda_operand *o)
{
    return o->group == -1 && run->program->plan->seed != JC_SEED_NONE;
}

void jc_cuda_numbers_of_graph(const jc_run *run, int32_t operand, jc_cuda_numbers *n)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_cuda_run *r = run->impl;
    const jc_cuda_operand *o = jc_cuda_operand_at(impl, operand);
    *n = (jc_cuda_numbers){NULL, o->ld, o->block_stride, o->member_stride, o->dtype};
    if (!has_numbers(o)) return;
    const jc_field *field = jc_cuda_operand_field(run->program->plan, o);
    const unsigned char *first = field->data ? field->data + o->first_member * field->stride : NULL;
    if (o->computed) {
        n->d_data = r->d_block + impl->memory.arena + o->first_member * field->stride;
    } else if (is_seed(run, o)) {
        n->d_data = r->d_block + impl->memory.seed;
    } else if (field->on_device) {
        n->d_data = first;
    } else if (o->copy >= 0) {
        const jc_cuda_copy *copy = (const jc_cuda_copy *)impl->copies.data + o->copy;
        n->d_data = r->d_block + copy->offset + (first - copy->data);
    } else if (first) {
        n->d_data = r->d_block + impl->memory.copies; /* no numbers at all: any address */
    }
}

static bool lacks_numbers(const jc_run *run, int32_t operand)
{
    const jc_cuda_run *r = run->impl;
    return has_numbers(jc_cuda_operand_at(run->program->impl, operand)) && !r->numbers[operand].d_data;
}

static const void *region_at(const jc_run *run, int64_t offset)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_cuda_run *r = run->impl;
    return offset < 0 ? NULL : r->d_block + impl->memory.indices + offset;
}

static jc_gpu_source source_of(const jc_run *run, const jc_cuda_operand *o, const jc_cuda_numbers *n)
{
    const jc_group *group = jc_cuda_operand_group(run->program->plan, o);
    jc_gpu_source s = {.numbers = n->d_data,
                       .start = region_at(run, o->start),
                       .index = region_at(run, o->index),
                       .place = region_at(run, o->place),
                       .scales = region_at(run, o->scales),
                       .scale = group ? group->scale : 1.0,
                       .p = o->p,
                       .q = o->q,
                       .m = o->m,
                       .batch = o->batch,
                       .inner = o->inner,
                       .ld = n->ld,
                       .block_stride = n->block_stride,
                       .member_stride = n->member_stride,
                       .kind = o->kind,
                       .direction = (int32_t)o->direction,
                       .dtype = (int32_t)n->dtype,
                       .wide = o->wide,
                       .fold_h = o->fold_h,
                       .fold_w = o->fold_w,
                       .line = o->in_products ? 0 : o->line,
                       .lines = o->lines};
    s.start_block = o->index_blocks > 1 ? o->n_start : 0;
    s.index_block = o->index_blocks > 1 ? o->n_index : 0;
    s.start_member = o->computed ? 0 : o->n_start * o->index_blocks;
    s.index_member = o->computed ? 0 : o->n_index * o->index_blocks;
    if (o->second >= 0) {
        s.index_member = o->second;
        s.index_block = o->first_member - jc_cuda_operand_at(run->program->impl, o->second)->first_member;
    }
    return s;
}

static const void *pointer_of(const jc_run *run, const jc_cuda_pointer *p)
{
    const jc_cuda_run *r = run->impl;
    if (p->operand < 0) return jc_cuda_element(run, p->at);
    const jc_cuda_numbers *n = &r->numbers[p->operand];
    return n->d_data ? (const unsigned char *)n->d_data + p->at * n->member_stride * jc_dtype_bytes(n->dtype) : NULL;
}

void jc_cuda_fill_tables(jc_run *run)
{
    const jc_cuda_program *impl = run->program->impl;
    jc_cuda_run *r = run->impl;
    r->n_unbound = 0;
    for (int64_t i = 0; i < impl->operands.count; i++) {
        r->sources[i] = source_of(run, jc_cuda_operand_at(impl, (int32_t)i), &r->numbers[i]);
        r->n_unbound += lacks_numbers(run, (int32_t)i);
    }
    for (int64_t i = 0; i < impl->pointers.count; i++)
        r->pointers[i] = pointer_of(run, (const jc_cuda_pointer *)impl->pointers.data + i);
}

/* Pointers from the first to the last that changed are uploaded in one. */
static jc_status renew_pointers(jc_run *run, const jc_cuda_operand *o)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_cuda_pointer *pointers = impl->pointers.data;
    jc_cuda_run *r = run->impl;
    int64_t first = INT64_MAX, last = -1;
    for (int64_t i = o->first_pointer; i >= 0; i = pointers[i].next) {
        r->pointers[i] = pointer_of(run, &pointers[i]);
        first = i < first ? i : first, last = i > last ? i : last;
    }
    return last < 0 ? JC_OK : jc_cuda_upload_pointers(run, first, last - first + 1);
}

jc_status jc_cuda_renew_tables(jc_run *run, int32_t operand)
{
    const jc_cuda_operand *o = jc_cuda_operand_at(run->program->impl, operand);
    jc_cuda_run *r = run->impl;
    bool lacked = !r->sources[operand].numbers && has_numbers(o);
    r->sources[operand] = source_of(run, o, &r->numbers[operand]);
    r->n_unbound += lacks_numbers(run, operand) - lacked;
    jc_status status = jc_cuda_upload_source(run, operand);
    return status ? status : renew_pointers(run, o);
}
