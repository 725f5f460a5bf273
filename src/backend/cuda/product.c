/* Dense and weight products as calls of cuBLAS. Everything of ours is row-major, which column-major reads transposed:
 *
 *   dense            C [rows x n_out] = A [rows x n_in] op(D):   C^T = op(D)^T A^T, and D as it lies is D^T
 *   weight, adjoint  C [h x w] = A^T [h x m] X [m x w]:          C^T = X^T A
 *   weight, tangent  C [m x h] = X [m x w] A^T [w x h]:          C^T = A X^T
 *
 * Blocks of a batch and rows are counted as rows where they share D, else they are the products of a strided call. With
 * inner r > 1 a row of a block is a matrix [n_in x r], and C [n_out x r] = op(D)^T A. */
#include <stdlib.h>
#include <string.h>

#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/size.h"

static const char *const WHAT = "the products of a program";

/* ---- one term ---------------------------------------------------------------------------------------------------- */

static jc_cuda_product product_of(const jc_program *program, const jc_cuda_segment *s, const jc_cuda_term *term)
{
    const jc_cuda_program *impl = program->impl;
    const jc_cuda_operand *o = jc_cuda_operand_at(impl, term->operand);
    bool narrow = program->precision == JC_PRECISION_BF16;
    jc_cuda_product p = {.operand = term->operand, .member = term->member, .a = term->a, .y = s->y, .wave = s->calls};
    p.call.in = narrow ? JC_GPU_BF16 : (int)program->dtype;
    p.call.out = (int)program->dtype;
    p.call.tf32 = program->precision == JC_PRECISION_TF32;
    p.call.count = 1;
    p.call.beta = s->written ? 1 : 0;
    p.convert_value = narrow;
    p.convert_numbers = !o->as_given || (int)o->dtype != p.call.in;
    p.value_elements = s->rows * o->in;
    return p;
}

/* Numbers that are converted lie without gaps: the strides of the call are those, else the ones of the binding, which
 * are filled in when the call is issued. */
static void set_dense(const jc_cuda_operand *o, const jc_cuda_segment *s, jc_gpu_product *call)
{
    bool merged = !o->block_stride || o->batch == 1;
    call->m = o->n_out, call->k = o->n_in;
    call->n = merged ? s->rows * o->batch : s->rows;
    call->transpose_a = o->direction == JC_TANGENT;
    call->lda = o->ld;
    call->ldb = merged ? o->n_in : o->in;
    call->ldc = merged ? o->n_out : o->out;
    if (merged) return;
    call->form = JC_GPU_STRIDED;
    call->count = o->batch;
    call->stride_a = o->block_stride, call->stride_b = o->n_in, call->stride_c = o->n_out;
}

/* `count` products: all rows and blocks where they share D, else the blocks of one row. */
static void set_inner(const jc_cuda_operand *o, int64_t count, jc_gpu_product *call)
{
    call->form = JC_GPU_STRIDED;
    call->m = o->inner, call->n = o->n_out, call->k = o->n_in;
    call->transpose_b = o->direction == JC_ADJOINT;
    call->lda = call->ldc = o->inner;
    call->ldb = o->ld;
    call->count = count;
    call->stride_a = o->n_in * o->inner, call->stride_b = o->block_stride, call->stride_c = o->n_out * o->inner;
}

static void set_weight(const jc_cuda_operand *o, int64_t count, jc_gpu_product *call)
{
    int64_t h = o->p / o->m, w = o->ld;
    bool adjoint = o->direction == JC_ADJOINT;
    call->form = count > 1 ? JC_GPU_STRIDED : JC_GPU_PLAIN;
    call->count = count;
    call->m = adjoint ? w : h, call->n = adjoint ? h : o->m, call->k = adjoint ? o->m : w;
    call->transpose_a = !adjoint, call->transpose_b = adjoint;
    call->lda = w, call->ldb = adjoint ? h : w, call->ldc = adjoint ? w : h;
    call->stride_a = adjoint ? o->block_stride : h * w;
    call->stride_b = adjoint ? o->m * h : o->block_stride;
    call->stride_c = adjoint ? h * w : o->m * h;
}

static jc_status append(jc_cuda_level *level, bool first, const jc_cuda_product *p)
{
    jc_vec *calls = first ? &level->first_calls : &level->calls;
    return jc_vec_append(&level->program->allocator, calls, p, 1, WHAT);
}

/* Row after row where each block has its own numbers and a call strides over the blocks. */
static jc_status append_rows(jc_cuda_level *level, const jc_cuda_segment *s, const jc_cuda_operand *o, bool first,
                             jc_cuda_product p)
{
    jc_status status = JC_OK;
    int64_t in = o->in, out = o->out;
    p.value_elements = in;
    for (int64_t row = 0; row < s->rows && !status; row++, p.a += in, p.y += out) status = append(level, first, &p);
    return status;
}

jc_status jc_cuda_add_calls(jc_cuda_level *level, jc_cuda_segment *s, const jc_cuda_term *term, bool first)
{
    const jc_cuda_operand *o = jc_cuda_operand_at(level->program->impl, term->operand);
    jc_cuda_product p = product_of(level->program, s, term);
    bool own_blocks = o->block_stride && o->batch > 1;
    int64_t count = own_blocks && s->rows > 1 ? o->batch : s->rows * o->batch;
    s->written = true;
    s->calls++;
    if (o->kind == JC_DENSE && o->inner == 1) {
        set_dense(o, s, &p.call);
        p.call.vector = p.call.n == 1 && p.call.in != JC_GPU_BF16;
        return append(level, first, &p);
    }
    if (o->kind == JC_WEIGHT)
        set_weight(o, count, &p.call);
    else
        set_inner(o, count, &p.call);
    p.numbers_are_b = o->kind == JC_WEIGHT ? o->direction == JC_TANGENT : true;
    if (count < s->rows * o->batch) return append_rows(level, s, o, first, p);
    return append(level, first, &p);
}

/* ---- the calls of a level ---------------------------------------------------------------------------------------- */

/* A call with its place in the level. */
typedef struct placed {
    const jc_cuda_product *product;
    int64_t number;
} placed;

static int compare_int64(int64_t x, int64_t y)
{
    return (x > y) - (x < y);
}

/* The order of what calls must have in common to be one. */
static int compare_shapes(const jc_cuda_product *a, const jc_cuda_product *b)
{
    const jc_gpu_product *p = &a->call, *q = &b->call;
    const int64_t x[] = {p->form,
                         p->m,
                         p->n,
                         p->k,
                         p->lda,
                         p->ldb,
                         p->ldc,
                         p->vector,
                         p->transpose_a,
                         p->transpose_b,
                         a->numbers_are_b,
                         p->beta > 0,
                         a->convert_numbers};
    const int64_t y[] = {q->form,
                         q->m,
                         q->n,
                         q->k,
                         q->lda,
                         q->ldb,
                         q->ldc,
                         q->vector,
                         q->transpose_a,
                         q->transpose_b,
                         b->numbers_are_b,
                         q->beta > 0,
                         b->convert_numbers};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        if (x[i] != y[i]) return compare_int64(x[i], y[i]);
    return 0;
}

static int compare_placed(const void *a, const void *b)
{
    const placed *x = a, *y = b;
    if (x->product->wave != y->product->wave) return compare_int64(x->product->wave, y->product->wave);
    int shapes = compare_shapes(x->product, y->product);
    return shapes ? shapes : compare_int64(x->number, y->number);
}

static bool may_batch(const jc_cuda_program *impl, const jc_cuda_product *p)
{
    int64_t work = jc_cost_mul(jc_cost_mul(p->call.m, p->call.n), p->call.k);
    return p->call.form == JC_GPU_PLAIN && !p->convert_numbers && !p->convert_value &&
           work <= impl->crossover[JC_CUDA_BATCHED_WORK];
}

/* Whether n calls use the members of one operand, and values and destinations, at equal distances. */
static bool evenly_spaced(const placed *c, int64_t n)
{
    const jc_cuda_product *p = c[0].product, *q = c[1].product;
    int64_t member = q->member - p->member, a = q->a - p->a, y = q->y - p->y;
    if (member < 0 || a < 0 || y <= 0) return false;
    for (int64_t i = 1; i < n; i++) {
        p = c[i - 1].product, q = c[i].product;
        if (q->operand != p->operand || q->member - p->member != member || q->a - p->a != a || q->y - p->y != y)
            return false;
    }
    return true;
}

/* The pointer that is appended next becomes the operand's first; returns the one that was. */
static int64_t chain_pointer(jc_cuda_program *impl, int32_t operand)
{
    jc_cuda_operand *o = (jc_cuda_operand *)impl->operands.data + operand;
    int64_t old = o->first_pointer;
    o->first_pointer = impl->pointers.count;
    return old;
}

/* Room in the table of pointers: operands A, then B, then C of all products. */
static jc_status add_pointers(jc_program *program, const placed *c, int64_t n, int64_t *first)
{
    jc_cuda_program *impl = program->impl;
    jc_status status = JC_OK;
    *first = impl->pointers.count;
    for (int which = 0; which < 3 && !status; which++)
        for (int64_t i = 0; i < n && !status; i++) {
            const jc_cuda_product *p = c[i].product;
            bool numbers = which < 2 && (which == 1) == p->numbers_are_b;
            jc_cuda_pointer at = {.operand = numbers ? p->operand : -1};
            at.at = numbers ? p->member : which == 2 ? p->y : p->a;
            at.next = numbers ? chain_pointer(impl, p->operand) : -1;
            status = jc_vec_append(&program->allocator, &impl->pointers, &at, 1, WHAT);
        }
    return status;
}

static double call_madds(const jc_gpu_product *p)
{
    return (double)p->m * (double)p->n * (double)p->k * (double)p->count;
}

static void count_convert(jc_program *program, const jc_cuda_product *p)
{
    jc_cuda_program *impl = program->impl;
    const jc_cuda_operand *o = jc_cuda_operand_at(impl, p->operand);
    int64_t element = jc_dtype_bytes((jc_dtype)p->call.in), bytes = 0;
    int64_t numbers = jc_cuda_operand_bytes(o) / jc_dtype_bytes(o->dtype);
    if (p->convert_numbers) bytes = jc_round_up(jc_cost_mul(numbers, element), JC_CUDA_ALIGN);
    if (p->convert_value) bytes = jc_cost_add(bytes, jc_round_up(p->value_elements * element, JC_CUDA_ALIGN));
    impl->convert_bytes = jc_max(impl->convert_bytes, bytes);
}

static jc_status add_product(jc_cuda_level *level, const jc_cuda_product *p)
{
    jc_program *program = level->program;
    jc_cuda_program *impl = program->impl;
    const jc_cuda_operand *o = jc_cuda_operand_at(impl, p->operand);
    jc_cuda_op op = {.kind = JC_CUDA_OP_PRODUCT, .level = level->level, .first = impl->products.count, .count = 1};
    double element = (double)program->layout.element_bytes, count = (double)p->call.count;
    op.madds = call_madds(&p->call);
    op.bytes = count * element * (double)(p->call.m + p->call.k) * (double)p->call.n;
    op.bytes += (double)jc_cuda_operand_bytes(o) * (p->call.form == JC_GPU_POINTERS || p->member_step ? count : 1);
    count_convert(program, p);
    impl->uses_blas = true;
    if (p->call.form != JC_GPU_POINTERS) ((jc_cuda_operand *)impl->operands.data)[p->operand].held = true;
    jc_status status = jc_vec_append(&program->allocator, &impl->products, p, 1, WHAT);
    return status ? status : jc_cuda_add_op(program, &op);
}

/* n calls of one shape and wave: strided where their addresses are evenly spaced, else by pointers; one by one where
 * they are large. */
static jc_status add_equal(jc_cuda_level *level, const placed *c, int64_t n)
{
    jc_status status = JC_OK;
    if (n < 2 || !may_batch(level->program->impl, c[0].product)) {
        for (int64_t i = 0; i < n && !status; i++) status = add_product(level, c[i].product);
        return status;
    }
    jc_cuda_product p = *c[0].product;
    const jc_cuda_product *next = c[1].product;
    p.call.count = n;
    if (evenly_spaced(c, n)) {
        int64_t stride = next->a - p.a;
        p.call.form = JC_GPU_STRIDED;
        p.member_step = next->member - p.member;
        *(p.numbers_are_b ? &p.call.stride_a : &p.call.stride_b) = stride;
        p.call.stride_c = next->y - p.y;
        return add_product(level, &p);
    }
    p.call.form = JC_GPU_POINTERS;
    status = add_pointers(level->program, c, n, &p.pointers);
    return status ? status : add_product(level, &p);
}

jc_status jc_cuda_flush_calls(jc_cuda_level *level, jc_vec *calls)
{
    const jc_allocator *a = &level->program->allocator;
    placed *c;
    int64_t n = calls->count;
    if (!n) return JC_OK;
    jc_status status = jc_alloc(a, n, sizeof *c, WHAT, &c);
    if (status) return status;
    for (int64_t i = 0; i < n; i++) c[i] = (placed){(const jc_cuda_product *)calls->data + i, i};
    qsort(c, (size_t)n, sizeof *c, compare_placed);
    for (int64_t i = 0, end; i < n && !status; i = end) {
        for (end = i + 1; end < n && c[end].product->wave == c[i].product->wave; end++)
            if (compare_shapes(c[i].product, c[end].product)) break;
        status = add_equal(level, c + i, end - i);
    }
    jc_free(a, c, n, sizeof *c);
    calls->count = 0;
    return status;
}
