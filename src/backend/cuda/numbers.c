/* What is copied to the device: the numbers of the members that a plan uses, each stretch of host memory once however
 * many Jacobians share it. */
#include <stdlib.h>

#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "the copies of a program";

enum { GRAIN = 8 }; /* stretches that overlap are one only where every number stays aligned */

/* The numbers of one operand in host memory. */
typedef struct stretch {
    const unsigned char *first, *end;
    int32_t operand;
    int64_t user; /* group of the graph and field */
} stretch;

static int compare_stretches(const void *a, const void *b)
{
    const stretch *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    if (x->end != y->end) return x->end > y->end ? -1 : 1;
    return (x->operand > y->operand) - (x->operand < y->operand);
}

/* Members [first, last] of the operand's field; false where there is nothing to copy. */
static bool stretch_of(const jc_plan *plan, const jc_cuda_operand *o, int32_t number, stretch *s)
{
    int64_t group;
    int f;
    if (o->kind == JC_OPERATOR || !jc_cuda_operand_binding(plan, o, &group, &f) || group < 0) return false;
    const jc_field *field = jc_cuda_operand_field(plan, o);
    if (!field->data || field->on_device || !field->elements) return false;
    s->first = field->data + o->first_member * field->stride;
    s->end = field->data + o->last_member * field->stride + field->elements * jc_dtype_bytes(field->dtype);
    s->operand = number;
    s->user = group * JC_MAX_FIELDS + f;
    return true;
}

static jc_status collect(const jc_program *program, jc_vec *stretches)
{
    const jc_cuda_program *impl = program->impl;
    stretch s;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < impl->operands.count && !status; i++)
        if (stretch_of(program->plan, jc_cuda_operand_at(impl, (int32_t)i), (int32_t)i, &s))
            status = jc_vec_append(&program->allocator, stretches, &s, 1, WHAT);
    if (!status && stretches->count) qsort(stretches->data, (size_t)stretches->count, sizeof s, compare_stretches);
    return status;
}

/* The last copy, where the stretch begins inside of it and may be part of it. */
static jc_cuda_copy *open_copy(jc_cuda_program *impl, const stretch *s)
{
    jc_cuda_copy *last = impl->copies.count ? (jc_cuda_copy *)impl->copies.data + impl->copies.count - 1 : NULL;
    if (!last || s->first >= last->data + last->bytes || (s->first - last->data) % GRAIN) return NULL;
    return last;
}

static jc_status add_stretch(jc_program *program, const stretch *s, int64_t *last_user)
{
    jc_cuda_program *impl = program->impl;
    jc_cuda_copy *copy = open_copy(impl, s);
    if (!copy) {
        jc_cuda_copy fresh = {.data = s->first, .bytes = s->end - s->first};
        jc_status status = jc_vec_append(&program->allocator, &impl->copies, &fresh, 1, WHAT);
        if (status) return status;
        copy = (jc_cuda_copy *)impl->copies.data + impl->copies.count - 1;
        *last_user = -1;
    }
    copy->bytes = jc_max(copy->bytes, s->end - copy->data);
    copy->users += s->user != *last_user;
    *last_user = s->user;
    ((jc_cuda_operand *)impl->operands.data)[s->operand].copy = impl->copies.count - 1;
    return JC_OK;
}

/* Offsets are counted from the begin of the region; memory.c moves them. */
static jc_status place_copies(jc_cuda_program *impl)
{
    int64_t bytes = 0;
    jc_cuda_copy *copies = impl->copies.data;
    for (int64_t i = 0; i < impl->copies.count; i++) {
        copies[i].offset = bytes;
        if (!jc_size_add(bytes, copies[i].bytes, &bytes) || bytes > INT64_MAX / 2)
            return jc_fail(JC_E_MEMORY, "not enough memory: the Jacobians of a plan are more than can be addressed");
        bytes = jc_round_up(bytes, JC_CUDA_ALIGN);
    }
    impl->copy_bytes = bytes;
    return JC_OK;
}

jc_status jc_cuda_find_copies(jc_program *program)
{
    jc_vec stretches = jc_vec_of(sizeof(stretch));
    int64_t last_user = -1;
    jc_status status = collect(program, &stretches);
    for (int64_t i = 0; i < stretches.count && !status; i++)
        status = add_stretch(program, (const stretch *)stretches.data + i, &last_user);
    jc_vec_free(&program->allocator, &stretches);
    return status ? status : place_copies(program->impl);
}
