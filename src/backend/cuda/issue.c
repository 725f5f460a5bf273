/* The operations of a program into a stream: launches, calls of cuBLAS, callbacks; then the outputs to the caller. */
#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "plan/view.h"

typedef struct issue {
    jc_run *run;
    jc_cuda_run *r;
    const jc_program *program;
    const jc_cuda_program *impl;
    jc_gpu_stream stream;
} issue;

static jc_status launch(const issue *w, const jc_gpu_launch *l, const char *what)
{
    return jc_cuda_check(w->r->api, w->r->api->launch(l, w->stream), what);
}

/* ---- gathers and walks ------------------------------------------------------------------------------------------- */

static jc_gpu_launch launch_of(const issue *w)
{
    const jc_cuda_memory *m = &w->impl->memory;
    unsigned char *block = w->r->d_block;
    jc_gpu_launch l = {.dtype = (int32_t)w->program->dtype,
                       .mode = w->impl->mode,
                       .arena = block + m->arena,
                       .sources = (const jc_gpu_source *)(block + m->sources),
                       .terms = (const jc_gpu_term *)(block + m->terms),
                       .tiles = (const jc_gpu_tile *)(block + m->tiles),
                       .phases = (const jc_gpu_phase *)(block + m->phases),
                       .pass = (const jc_gpu_pass *)(block + m->pass),
                       .cluster = 1};
    return l;
}

static jc_status issue_gather(const issue *w, const jc_cuda_op *op)
{
    jc_gpu_launch l = launch_of(w);
    l.kernel = op->form, l.lanes = op->lanes;
    l.tiles += op->first, l.n_tiles = op->count;
    return launch(w, &l, "launching a gather");
}

static jc_status issue_walk(const issue *w, const jc_cuda_op *op)
{
    jc_gpu_launch l = launch_of(w);
    l.kernel = JC_GPU_WALK, l.cluster = op->lanes;
    l.phases += op->first, l.n_phases = op->count;
    return launch(w, &l, "launching a walk");
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

static const unsigned char *number_at(const jc_cuda_numbers *n, int64_t member)
{
    return (const unsigned char *)n->d_data + member * n->member_stride * jc_dtype_bytes(n->dtype);
}

/* Contiguous numbers of another type at `dst`: blocks of rows x columns. */
static jc_status convert(const issue *w, const void *src, jc_dtype from, void *dst, int to, int64_t blocks,
                         int64_t rows, int64_t columns, int64_t src_block, int64_t src_row)
{
    jc_gpu_launch l = {.kernel = JC_GPU_CONVERT, .src_dtype = (int32_t)from, .dst_dtype = to, .src = src, .dst = dst};
    l.dtype = (int32_t)w->program->dtype;
    l.blocks = blocks, l.rows = rows, l.columns = columns;
    l.src_block = src_block, l.src_row = src_row, l.src_column = 1;
    l.dst_block = rows * columns, l.dst_row = columns, l.dst_column = 1;
    return launch(w, &l, "launching a conversion");
}

static jc_status convert_numbers(const issue *w, const jc_cuda_product *p, void *dst)
{
    const jc_cuda_operand *o = jc_cuda_operand_at(w->impl, p->operand);
    const jc_cuda_numbers *n = &w->r->numbers[p->operand];
    int64_t rows = o->kind == JC_WEIGHT ? o->m : o->p, blocks = o->block_stride ? o->batch : 1;
    return convert(w, number_at(n, p->member), n->dtype, dst, p->call.in, blocks, rows, o->ld, n->block_stride, n->ld);
}

/* Where the operands of a call are, converted where that has to be: numbers first in the region for conversions, then
 * the value. */
static jc_status place_operands(const issue *w, const jc_cuda_product *p, jc_gpu_product *call)
{
    const jc_cuda_operand *o = jc_cuda_operand_at(w->impl, p->operand);
    const jc_cuda_numbers *n = &w->r->numbers[p->operand];
    unsigned char *at = w->r->d_block + w->impl->memory.convert;
    const void *numbers = number_at(n, p->member), *value = jc_cuda_element(w->run, p->a);
    int64_t ld = p->convert_numbers ? o->ld : n->ld, stride = 0, in_bytes = jc_dtype_bytes((jc_dtype)call->in);
    jc_status status = JC_OK;
    if (o->block_stride) stride = p->convert_numbers ? o->block_stride : n->block_stride;
    if (p->member_step) stride = p->member_step * n->member_stride;
    if (p->convert_numbers) {
        status = convert_numbers(w, p, at);
        numbers = at;
        at += jc_round_up(jc_cuda_operand_bytes(o) / jc_dtype_bytes(o->dtype) * in_bytes, JC_CUDA_ALIGN);
    }
    if (!status && p->convert_value) {
        status = convert(w, value, w->program->dtype, at, call->in, 1, 1, p->value_elements, 0, p->value_elements);
        value = at;
    }
    call->a = p->numbers_are_b ? value : numbers, call->b = p->numbers_are_b ? numbers : value;
    *(p->numbers_are_b ? &call->ldb : &call->lda) = ld;
    if (call->form == JC_GPU_STRIDED) *(p->numbers_are_b ? &call->stride_b : &call->stride_a) = stride;
    call->c = jc_cuda_element(w->run, p->y);
    return status;
}

static jc_status call_blas(const issue *w, const jc_gpu_product *call)
{
    return jc_cuda_check_blas(w->r->api, w->r->api->blas_product(w->r->blas, call), "a product");
}

static const jc_cuda_pointer *pointers_of(const issue *w, const jc_cuda_product *p)
{
    const jc_cuda_pointer *at = (const jc_cuda_pointer *)w->impl->pointers.data + p->pointers;
    return at + (p->numbers_are_b ? p->call.count : 0);
}

/* Whether all operands of a batched call begin where tensor cores may read. */
static bool all_aligned(const issue *w, const jc_cuda_product *p)
{
    enum { UNIT = 16 };
    const void *const *pointers = w->r->pointers + p->pointers;
    for (int64_t i = 0; i < 3 * p->call.count; i++)
        if ((uintptr_t)pointers[i] % UNIT) return false;
    return true;
}

/* Whether a batched call can be one: its numbers have one leading dimension, as they were planned, but may be bound
 * otherwise; and in TF32 everything is aligned, which cuBLAS asks for and does not look at. */
static bool is_one_call(const issue *w, const jc_cuda_product *p)
{
    const jc_cuda_pointer *at = pointers_of(w, p);
    for (int64_t i = 1; i < p->call.count; i++)
        if (w->r->numbers[at[i].operand].ld != w->r->numbers[at[0].operand].ld) return false;
    return !p->call.tf32 || p->call.vector || all_aligned(w, p);
}

static jc_status issue_pointers(const issue *w, const jc_cuda_product *p)
{
    jc_gpu_product call = p->call;
    jc_status status = JC_OK;
    int64_t count = call.count, *ld = p->numbers_are_b ? &call.ldb : &call.lda;
    const jc_cuda_pointer *at = pointers_of(w, p);
    if (is_one_call(w, p)) {
        const void **table = (const void **)(w->r->d_block + w->impl->memory.pointers) + p->pointers;
        *ld = w->r->numbers[at[0].operand].ld;
        call.a = table, call.b = table + count, call.c = table + 2 * count;
        return call_blas(w, &call);
    }
    call.form = JC_GPU_PLAIN, call.count = 1;
    w->r->apart = true;
    for (int64_t i = 0; i < count && !status; i++) {
        const void **each = w->r->pointers + p->pointers + i;
        *ld = w->r->numbers[at[i].operand].ld;
        call.a = each[0], call.b = each[count], call.c = (void *)each[2 * count];
        status = call_blas(w, &call);
    }
    return status;
}

static jc_status issue_product(const issue *w, const jc_cuda_op *op)
{
    const jc_cuda_product *p = (const jc_cuda_product *)w->impl->products.data + op->first;
    if (p->call.form == JC_GPU_POINTERS) return issue_pointers(w, p);
    jc_gpu_product call = p->call;
    jc_status status = place_operands(w, p, &call);
    return status ? status : call_blas(w, &call);
}

/* ---- callbacks --------------------------------------------------------------------------------------------------- */

static jc_status fail_callback(const issue *w, const jc_group *group, int64_t member, int code)
{
    char text[256];
    const jc_graph *g = w->program->plan->graph;
    int64_t e = group->first_edge + member;
    w->r->callback_failed = true;
    jc_graph_edge_text(g, jc_graph_of(g, e), jc_graph_wrt(g, e), text, sizeof text);
    return jc_fail(JC_E_DEVICE, "edge %s: the callback of its operator failed with code %d", text, code);
}

static jc_status copy(const issue *w, void *dst, const void *src, int64_t bytes, jc_gpu_copy_kind kind)
{
    return jc_cuda_check(w->r->api, w->r->api->copy(dst, src, (size_t)bytes, kind, w->stream), "copying vectors");
}

/* Vectors to the host, the callback, the result back. */
static jc_status callback_on_host(const issue *w, const jc_cuda_callback *c, const jc_cuda_operand *o,
                                  const jc_group *group)
{
    jc_cuda_run *r = w->r;
    int64_t element = w->program->layout.element_bytes, in = c->rows * o->in * element,
            out = c->rows * o->out * element;
    void *d_x = jc_cuda_element(w->run, c->a), *d_y = jc_cuda_element(w->run, c->y);
    jc_status status = copy(w, r->callback_x, d_x, in, JC_GPU_TO_HOST);
    if (!status && c->add) status = copy(w, r->callback_y, d_y, out, JC_GPU_TO_HOST);
    if (!status) status = jc_cuda_check(r->api, r->api->stream_synchronize(w->stream), "waiting for vectors");
    if (status) return status;
    int code = group->op.apply(group->op.user, o->direction, w->program->dtype, c->rows, r->callback_x, o->in,
                               r->callback_y, o->out, c->add);
    if (code) return fail_callback(w, group, c->member, code);
    status = copy(w, d_y, r->callback_y, out, JC_GPU_TO_DEVICE);
    /* the next callback fills the same memory */
    return status ? status : jc_cuda_check(r->api, r->api->stream_synchronize(w->stream), "waiting for vectors");
}

static jc_status issue_callback(const issue *w, const jc_cuda_op *op)
{
    const jc_cuda_callback *c = (const jc_cuda_callback *)w->impl->callbacks.data + op->first;
    const jc_cuda_operand *o = jc_cuda_operand_at(w->impl, c->operand);
    const jc_group *group = jc_cuda_operand_group(w->program->plan, o);
    const jc_cuda_operator *d = w->r->operator? &w->r->operator[c->operand] : NULL;
    if (!d || !d->apply) return callback_on_host(w, c, o, group);
    int code = d->apply(d->user, o->direction, w->program->dtype, c->rows, jc_cuda_element(w->run, c->a), o->in,
                        jc_cuda_element(w->run, c->y), o->out, c->add, w->stream);
    return code ? fail_callback(w, group, c->member, code) : JC_OK;
}

/* ---- outputs ----------------------------------------------------------------------------------------------------- */

static jc_status deliver(const issue *w, const jc_output *output, const jc_cuda_output *to)
{
    jc_result view = jc_output_view(w->program->plan, output, w->program->dtype);
    jc_gpu_launch l = {.kernel = JC_GPU_DELIVER, .dst = to->d_data, .accumulate = to->accumulate};
    l.dtype = l.src_dtype = l.dst_dtype = (int32_t)w->program->dtype;
    l.blocks = view.blocks, l.rows = view.rows, l.columns = view.cols;
    l.dst_block = to->block_stride, l.dst_row = to->row_stride, l.dst_column = to->col_stride;
    l.src_block = view.block_stride, l.src_row = view.row_stride, l.src_column = view.col_stride;
    l.unit = output->kind == JC_OUTPUT_IDENTITY;
    if (output->kind == JC_OUTPUT_VALUE) {
        const jc_plan *plan = w->program->plan;
        int64_t at = w->program->layout.offset[output->value] / w->program->layout.element_bytes;
        l.src = jc_cuda_element(w->run, at + output->value_row * plan->values[output->value].cols);
    }
    return launch(w, &l, "launching the copy of a result");
}

static jc_status deliver_outputs(const issue *w)
{
    const jc_plan *plan = w->program->plan;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < plan->n_outputs && !status; i++)
        if (w->r->outputs[i].d_data) status = deliver(w, &plan->outputs[i], &w->r->outputs[i]);
    return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static jc_status issue_op(const issue *w, const jc_cuda_op *op)
{
    switch (op->kind) {
    case JC_CUDA_OP_GATHER:
        return issue_gather(w, op);
    case JC_CUDA_OP_WALK:
        return issue_walk(w, op);
    case JC_CUDA_OP_PRODUCT:
        return issue_product(w, op);
    default:
        return issue_callback(w, op);
    }
}

/* What dies after operation `op`, from number *next on. */
static jc_status tell_dead(const issue *w, int64_t op, int64_t *next)
{
    const jc_cuda_dead *dead = w->impl->dead.data;
    jc_status status = JC_OK;
    unsigned char *arena = w->r->d_block + w->impl->memory.arena;
    for (; *next < w->impl->dead.count && dead[*next].op == op && !status; ++*next) {
        const jc_cuda_dead *d = &dead[*next];
        status = jc_cuda_check(w->r->api, w->r->api->dead(arena + d->at, (size_t)d->bytes, w->stream),
                               "telling what is dead");
    }
    return status;
}

static jc_status issue_ops(const issue *w)
{
    const jc_cuda_op *ops = w->impl->ops.data;
    jc_status status = JC_OK;
    for (int64_t i = 0, dead = 0; i < w->impl->ops.count && !status; i++) {
        status = issue_op(w, &ops[i]);
        if (!status) status = tell_dead(w, i, &dead);
    }
    return status ? status : deliver_outputs(w);
}

/* The handle's settings are put back, so that it may be the caller's. */
static jc_status issue_with_blas(const issue *w)
{
    const jc_gpu_api *api = w->r->api;
    const jc_cuda_memory *m = &w->impl->memory;
    jc_gpu_blas_state before;
    jc_status status = jc_cuda_check_blas(api, api->blas_save(w->r->blas, &before), "reading the handle's settings");
    if (status) return status;
    status = jc_cuda_check_blas(
        api, api->blas_configure(w->r->blas, w->stream, w->r->d_block + m->blas, (size_t)m->blas_bytes),
        "setting up the handle");
    if (!status) status = issue_ops(w);
    int code = api->blas_restore(w->r->blas, &before);
    return status ? status : jc_cuda_check_blas(api, code, "putting the handle's settings back");
}

jc_status jc_cuda_issue(jc_run *run, jc_gpu_stream stream)
{
    issue w = {run, run->impl, run->program, run->program->impl, stream};
    w.r->apart = false;
    w.r->api->range_push("jacchain");
    jc_status status = w.impl->uses_blas ? issue_with_blas(&w) : issue_ops(&w);
    w.r->api->range_pop();
    return status;
}
