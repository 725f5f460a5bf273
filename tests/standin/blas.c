/* cuBLAS: products by plain loops. Sums run over k in ascending order, f64 in double, all else in float; tf32 operands
 * are rounded to nearest even to 11 significant bits. Every column of every operand is an access of the operation, and
 * the members of a batch are like blocks of a launch: what overlaps is found as their races (JT_ALIAS). */
#include "standin/internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 256, VERSION = 130000, WORKSPACE_SEEN = 256, OUTPUT_THREAD = 0, INPUT_THREAD = 32 };

typedef struct handle {
    int id, device;
    bool destroyed, has_workspace;
    jc_gpu_stream stream;
    void *workspace;
    size_t workspace_bytes;
    int pointer_mode, math_mode, atomics_mode;
    struct handle *next;
} handle;

static handle *handles;
static int n_handles;

static handle *handle_of(jc_gpu_blas blas)
{
    handle *h = handles;
    while (h && (void *)h != (void *)blas) h = h->next;
    if (h && !h->destroyed) return h;
    jt_note(h ? JT_USE_AFTER_FREE : JT_ARGUMENT, "%p is no cuBLAS handle%s", (void *)blas, h ? " any more" : "");
    return NULL;
}

/* ---- numbers ----------------------------------------------------------------------------------------------------- */

static size_t size_of(int type)
{
    return type == JC_GPU_F64 ? 8 : type == JC_GPU_F32 ? 4 : 2;
}

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* To nearest, ties to even; numbers that are not finite stay. */
static float round_tf32(float x)
{
    uint32_t bits;
    if (!isfinite(x)) return x;
    memcpy(&bits, &x, sizeof bits);
    bits += 0xFFF + ((bits >> 13) & 1);
    return float_of_bits(bits & ~UINT32_C(0x1FFF));
}

static double load(const void *array, int64_t i, int type, bool tf32)
{
    if (type == JC_GPU_F64) return ((const double *)array)[i];
    if (type == JC_GPU_BF16) return float_of_bits((uint32_t)((const uint16_t *)array)[i] << 16);
    float x = ((const float *)array)[i];
    return tf32 ? round_tf32(x) : x;
}

/* ---- one member -------------------------------------------------------------------------------------------------- */

/* op(A)[r, l] and op(B)[l, c] */
static double a_at(const jc_gpu_product *p, const void *a, int64_t r, int64_t l)
{
    return load(a, p->transpose_a ? l + r * p->lda : r + l * p->lda, p->in, p->tf32);
}

static double b_at(const jc_gpu_product *p, const void *b, int64_t l, int64_t c)
{
    return load(b, p->transpose_b ? c + l * p->ldb : l + c * p->ldb, p->in, p->tf32);
}

/* C[r, c] = sum_l op(A)[r, l] op(B)[l, c] + beta C[r, c] */
static void entry_f64(const jc_gpu_product *p, const void *a, const void *b, double *y, int64_t r, int64_t c)
{
    double sum = 0;
    for (int64_t l = 0; l < p->k; l++) sum += a_at(p, a, r, l) * b_at(p, b, l, c);
    *y = p->beta == 0 ? sum : sum + p->beta * *y;
}

static void entry_f32(const jc_gpu_product *p, const void *a, const void *b, float *y, int64_t r, int64_t c)
{
    float sum = 0;
    for (int64_t l = 0; l < p->k; l++) sum += (float)a_at(p, a, r, l) * (float)b_at(p, b, l, c);
    *y = p->beta == 0 ? sum : sum + (float)p->beta * *y;
}

static bool touch_columns(const jt_op *op, jt_kernel_context *context, const void *ptr, int64_t rows, int64_t columns,
                          int64_t ld, size_t bytes, bool write)
{
    for (int64_t c = 0; c < columns; c++) {
        const unsigned char *column = (const unsigned char *)ptr + (size_t)(c * ld) * bytes;
        if (!jt_reach(op, context, column, (size_t)rows * bytes, write)) return false;
    }
    return true;
}

static bool touch_member(const jt_op *op, const jc_gpu_product *p, int64_t member, const void *a, const void *b,
                         void *c)
{
    jt_kernel_context context = {.op = op};
    size_t in = size_of(p->in), out = size_of(p->out);
    bool ta = p->transpose_a, tb = p->transpose_b;
    int64_t ldc = p->vector ? p->m : p->ldc;
    jt_at(&context, &(jt_place){.block = member, .thread = INPUT_THREAD, .cluster = -1});
    if (!touch_columns(op, &context, a, ta ? p->k : p->m, ta ? p->m : p->k, p->lda, in, false)) return false;
    if (!touch_columns(op, &context, b, tb ? p->n : p->k, tb ? p->k : p->n, p->ldb, in, false)) return false;
    jt_at(&context, &(jt_place){.block = member, .thread = OUTPUT_THREAD, .cluster = -1});
    if (p->beta != 0 && !touch_columns(op, &context, c, p->m, p->n, ldc, out, false)) return false;
    return touch_columns(op, &context, c, p->m, p->n, ldc, out, true);
}

static void form_member(const jc_gpu_product *p, const void *a, const void *b, void *c)
{
    int64_t ldc = p->vector ? p->m : p->ldc;
    for (int64_t j = 0; j < p->n; j++)
        for (int64_t i = 0; i < p->m; i++) {
            if (p->out == JC_GPU_F64)
                entry_f64(p, a, b, (double *)c + i + j * ldc, i, j);
            else
                entry_f32(p, a, b, (float *)c + i + j * ldc, i, j);
        }
}

/* ---- the batch --------------------------------------------------------------------------------------------------- */

static void *nth(const void *base, int64_t stride, int64_t i, size_t bytes)
{
    return (unsigned char *)(uintptr_t)base + (ptrdiff_t)(stride * i) * (ptrdiff_t)bytes;
}

/* What a member's operand must begin at: its element's size; in a call with pointer arrays, for which cuBLAS cannot
 * look, what tensor cores read at once. */
static size_t alignment_of(const jc_gpu_product *p, int type)
{
    enum { TENSOR_CORES = 16 };
    bool unseen = p->form == JC_GPU_POINTERS && !p->vector && (p->tf32 || p->in == JC_GPU_BF16);
    return unseen ? TENSOR_CORES : size_of(type);
}

static bool member_pointers(const jc_gpu_product *p, int64_t i, const void *abc[3])
{
    if (p->form == JC_GPU_POINTERS) {
        abc[0] = ((const void *const *)p->a)[i];
        abc[1] = ((const void *const *)p->b)[i];
        abc[2] = ((const void *const *)p->c)[i];
    } else {
        abc[0] = nth(p->a, p->stride_a, i, size_of(p->in));
        abc[1] = nth(p->b, p->stride_b, i, size_of(p->in));
        abc[2] = nth(p->c, p->stride_c, i, size_of(p->out));
    }
    for (int k = 0; k < 3; k++) {
        size_t bytes = alignment_of(p, k == 2 ? p->out : p->in);
        bool used = k == 2 || p->k > 0;
        if (used && !jt_is_device(abc[k]))
            jt_note(JT_WRONG_MEMORY, "product: %c of member %lld is no device memory", "ABC"[k], (long long)i);
        else if (used && (uintptr_t)abc[k] % bytes)
            jt_note(JT_MISALIGNED, "product: %c of member %lld", "ABC"[k], (long long)i);
        else
            continue;
        return false;
    }
    return true;
}

static bool touch_arrays(const jt_op *op, const jc_gpu_product *p)
{
    if (p->form != JC_GPU_POINTERS) return true;
    size_t bytes = (size_t)p->count * sizeof(void *);
    jt_kernel_context context = {.op = op};
    jt_at(&context, &(jt_place){.thread = INPUT_THREAD, .cluster = -1});
    return jt_reach(op, &context, p->a, bytes, false) && jt_reach(op, &context, p->b, bytes, false) &&
           jt_reach(op, &context, p->c, bytes, false);
}

/* The accesses of the whole batch come first: its members run side by side. The first bytes of the workspace stand for
 * all of it. */
void jt_product_execute(const jt_op *op)
{
    const jt_product *w = &op->work.of.product;
    const jc_gpu_product *p = &w->product;
    const void *abc[3];
    size_t seen = w->workspace_bytes < WORKSPACE_SEEN ? w->workspace_bytes : WORKSPACE_SEEN;
    if (w->workspace) jt_touch(op, NULL, w->workspace, seen, true);
    if (p->m == 0 || p->n == 0 || p->count == 0 || !touch_arrays(op, p)) return;
    bool sound = true;
    for (int64_t i = 0; i < p->count; i++)
        sound &= member_pointers(p, i, abc) && touch_member(op, p, i, abc[0], abc[1], (void *)(uintptr_t)abc[2]);
    for (int64_t i = 0; sound && i < p->count; i++)
        if (member_pointers(p, i, abc)) form_member(p, abc[0], abc[1], (void *)(uintptr_t)abc[2]);
}

/* ---- checks at the call ------------------------------------------------------------------------------------------ */

static bool has_types(const jc_gpu_product *p)
{
    if (p->tf32 && p->in != JC_GPU_F32) return false;
    if (p->in == JC_GPU_F64) return p->out == JC_GPU_F64;
    return (p->in == JC_GPU_F32 || p->in == JC_GPU_BF16) && p->out == JC_GPU_F32;
}

static int64_t at_least(int64_t rows)
{
    return rows > 1 ? rows : 1;
}

/* What is wrong with the numbers; NULL: nothing. */
static const char *wrong_numbers(const jc_gpu_product *p)
{
    if (p->form < JC_GPU_PLAIN || p->form > JC_GPU_POINTERS) return "an unknown form";
    if (p->m < 0 || p->n < 0 || p->k < 0 || p->count < 0) return "a negative size";
    if (p->form == JC_GPU_PLAIN && p->count != 1) return "a plain product that is not one";
    if (p->vector && p->n != 1) return "a vector of more than one column";
    if (p->lda < at_least(p->transpose_a ? p->k : p->m)) return "lda too small";
    if (p->ldb < at_least(p->transpose_b ? p->n : p->k) && !(p->vector && !p->transpose_b)) return "ldb too small";
    if (!p->vector && p->ldc < at_least(p->m)) return "ldc too small";
    return NULL;
}

static int check_product(const handle *h, const jc_gpu_product *p)
{
    const char *wrong = wrong_numbers(p);
    if (wrong) jt_note(JT_ARGUMENT, "product: %s", wrong);
    if (wrong) return JT_B_VALUE;
    if (!has_types(p)) return JT_B_NOT_SUPPORTED;
    if (h->device != *jt_thread_device()) jt_note(JT_ARGUMENT, "product: the handle belongs to another device");
    if (!h->has_workspace) jt_note(JT_WORKSPACE, "product: no workspace since the handle's stream was set");
    bool used = p->m && p->n && p->count;
    if (used && (!jt_is_device(p->c) || (p->k && (!jt_is_device(p->a) || !jt_is_device(p->b))))) {
        jt_note(JT_WRONG_MEMORY, "product: %s not in device memory",
                p->form == JC_GPU_POINTERS ? "arrays" : "operands");
        return JT_B_VALUE;
    }
    if (p->form == JC_GPU_POINTERS && ((uintptr_t)p->a | (uintptr_t)p->b | (uintptr_t)p->c) % sizeof(void *)) {
        jt_note(JT_MISALIGNED, "product: arrays of pointers");
        return JT_B_VALUE;
    }
    return 0;
}

static int product(jc_gpu_blas blas, const jc_gpu_product *p)
{
    const handle *h = handle_of(blas);
    int code = h ? check_product(h, p) : JT_B_NOT_INITIALIZED;
    if (code) return code;
    jt_work work = {.type = JT_OP_PRODUCT, .of.product = {*p, NULL, 0}};
    if (h->has_workspace) work.of.product = (jt_product){*p, h->workspace, h->workspace_bytes};
    return jt_submit(h->stream, &work) ? JT_B_EXECUTION : 0;
}

int jt_blas_product(jc_gpu_blas blas, const jc_gpu_product *p)
{
    int code = jt_enter(JT_BLAS_PRODUCT);
    if (!code) code = product(blas, p);
    return jt_leave(JT_BLAS_PRODUCT, code);
}

/* ---- handles ----------------------------------------------------------------------------------------------------- */

int jt_blas_load(void)
{
    int code = jt_enter(JT_BLAS_LOAD);
    if (!code) jt_device.blas_loaded = true;
    return jt_leave(JT_BLAS_LOAD, code);
}

int jt_blas_version(int *version)
{
    int code = jt_enter(JT_BLAS_VERSION);
    if (!code) *version = VERSION;
    return jt_leave(JT_BLAS_VERSION, code);
}

int jt_blas_create(jc_gpu_blas *blas)
{
    int code = jt_enter(JT_BLAS_CREATE);
    if (!code && !jt_device.blas_loaded) code = JT_B_NOT_INITIALIZED;
    if (code) return jt_leave(JT_BLAS_CREATE, code);
    handle *h = jt_take_zero(1, sizeof *h);
    *h = (handle){.id = n_handles++, .device = *jt_thread_device(), .next = handles};
    handles = h;
    *blas = (jc_gpu_blas)(void *)h;
    return jt_leave(JT_BLAS_CREATE, 0);
}

int jt_blas_destroy(jc_gpu_blas blas)
{
    int code = jt_enter(JT_BLAS_DESTROY);
    handle *h = code ? NULL : handle_of(blas);
    if (h)
        h->destroyed = true;
    else if (!code)
        code = JT_B_NOT_INITIALIZED;
    return jt_leave(JT_BLAS_DESTROY, code);
}

int jt_blas_save(jc_gpu_blas blas, jc_gpu_blas_state *state)
{
    int code = jt_enter(JT_BLAS_SAVE);
    const handle *h = code ? NULL : handle_of(blas);
    if (!code && !h) code = JT_B_NOT_INITIALIZED;
    if (!code) *state = (jc_gpu_blas_state){h->stream, h->pointer_mode, h->math_mode, h->atomics_mode};
    return jt_leave(JT_BLAS_SAVE, code);
}

/* Setting the stream takes the workspace away. */
int jt_blas_restore(jc_gpu_blas blas, const jc_gpu_blas_state *state)
{
    int code = jt_enter(JT_BLAS_RESTORE);
    handle *h = code ? NULL : handle_of(blas);
    if (!code && !h) code = JT_B_NOT_INITIALIZED;
    if (!code) {
        h->stream = state->stream;
        h->has_workspace = false;
        h->pointer_mode = state->pointer_mode;
        h->math_mode = state->math_mode;
        h->atomics_mode = state->atomics_mode;
    }
    return jt_leave(JT_BLAS_RESTORE, code);
}

static int configure(handle *h, jc_gpu_stream stream, void *d_workspace, size_t bytes)
{
    if (!jt_stream_of(stream)) return JT_B_VALUE;
    h->stream = stream;
    h->has_workspace = false;
    h->pointer_mode = h->math_mode = h->atomics_mode = 0;
    const jt_block *b = jt_is_device(d_workspace) ? jt_block_at(d_workspace) : NULL;
    const unsigned char *from = d_workspace;
    if (!d_workspace || bytes == 0)
        jt_note(JT_WORKSPACE, "no workspace is given");
    else if ((uintptr_t)d_workspace % ALIGNMENT)
        jt_note(JT_WORKSPACE, "the workspace is not aligned to 256 bytes");
    else if (!b || !b->live || from < b->base || (size_t)(from - b->base) > b->bytes ||
             bytes > b->bytes - (size_t)(from - b->base))
        jt_note(JT_WORKSPACE, "the workspace does not lie in one block of device memory");
    else {
        h->has_workspace = true;
        h->workspace = d_workspace;
        h->workspace_bytes = bytes;
        return 0;
    }
    return JT_B_VALUE;
}

int jt_blas_configure(jc_gpu_blas blas, jc_gpu_stream stream, void *d_workspace, size_t bytes)
{
    int code = jt_enter(JT_BLAS_CONFIGURE);
    handle *h = code ? NULL : handle_of(blas);
    if (!code && !h) code = JT_B_NOT_INITIALIZED;
    if (!code) code = configure(h, stream, d_workspace, bytes);
    return jt_leave(JT_BLAS_CONFIGURE, code);
}

int64_t jt_blas_leaks(void)
{
    int64_t leaks = 0;
    for (const handle *h = handles; h; h = h->next) {
        if (h->destroyed) continue;
        jt_note(JT_LEAK, "cuBLAS handle %d", h->id);
        leaks++;
    }
    return leaks;
}

void jt_blas_reset(void)
{
    while (handles) {
        handle *h = handles;
        handles = h->next;
        free(h);
    }
    n_handles = 0;
}
