/* Products of every form, type and transposition, to be recorded (record.h). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "standin/numbers.h"
#include "standin/record.h"
#include "support/pool.h"

enum { WORKSPACE_BYTES = 4 << 20, MARGIN = 5, GAP = 7 };

typedef struct suite {
    const jc_gpu_api *api;
    jc_gpu_stream stream;
    jc_gpu_blas handle;
    void *d_workspace;
    jt_rng rng;
} suite;

typedef struct size {
    int64_t m, n, k, count;
} size;

static const size sizes[] = {{1, 1, 1, 1},   {3, 2, 4, 3},    {17, 5, 33, 2},
                             {64, 8, 64, 2}, {33, 65, 31, 2}, {128, 16, 96, 1}};

/* In (-1, 1), of full significance. */
static uint64_t random_bits(jt_rng *rng, int type)
{
    double wide = jt_unit(rng);
    float single = (float)wide;
    if (type == JC_GPU_F64) return jt_bits_at(&wide, 0, type);
    uint64_t bits = jt_bits_at(&single, 0, JC_GPU_F32);
    return type == JC_GPU_F32 ? bits : bits >> 16;
}

static int upload(suite *s, void **d, int64_t n, int type, size_t bytes)
{
    void *host = malloc((size_t)n * bytes);
    if (!host) return JC_GPU_NO_MEMORY;
    for (int64_t i = 0; i < n; i++) jt_bits_put(host, i, type, random_bits(&s->rng, type));
    int code = s->api->allocate(d, (size_t)n * bytes);
    if (!code) code = s->api->copy(*d, host, (size_t)n * bytes, JC_GPU_TO_DEVICE, s->stream);
    if (!code) code = s->api->stream_synchronize(s->stream);
    free(host);
    return code;
}

/* The pointers of a batch, its members in reverse order. */
static int upload_pointers(suite *s, void **d, void *d_data, int64_t count, size_t stride_bytes)
{
    void *pointers[8];
    for (int64_t e = 0; e < count; e++) pointers[e] = (char *)d_data + (size_t)(count - 1 - e) * stride_bytes;
    int code = s->api->allocate(d, (size_t)count * sizeof *pointers);
    if (!code) code = s->api->copy(*d, pointers, (size_t)count * sizeof *pointers, JC_GPU_TO_DEVICE, s->stream);
    return code ? code : s->api->stream_synchronize(s->stream);
}

static int run(suite *s, jc_gpu_product *p)
{
    void *d_data[3] = {NULL}, *d_array[3] = {NULL};
    int code = 0;
    for (int which = JT_A; which <= JT_C && !code; which++) {
        jt_operand o = jt_operand_of(p, which);
        int64_t stride = o.extent + GAP;
        if (p->form == JC_GPU_POINTERS) stride = jt_aligned(stride);
        int64_t *strides[3] = {&p->stride_a, &p->stride_b, &p->stride_c};
        if (p->form != JC_GPU_PLAIN) *strides[which] = stride;
        code = upload(s, &d_data[which], stride * p->count, o.type, o.bytes);
        if (!code && p->form == JC_GPU_POINTERS)
            code = upload_pointers(s, &d_array[which], d_data[which], p->count, (size_t)stride * o.bytes);
    }
    void **operand = p->form == JC_GPU_POINTERS ? d_array : d_data;
    p->a = operand[JT_A], p->b = operand[JT_B], p->c = operand[JT_C];
    if (!code) code = s->api->blas_product(s->handle, p);
    if (!code) code = s->api->stream_synchronize(s->stream);
    for (int which = JT_A; which <= JT_C; which++) {
        if (d_data[which]) s->api->release(d_data[which]);
        if (d_array[which]) s->api->release(d_array[which]);
    }
    return code;
}

/* types: 0 f64, 1 f32, 2 f32 with tf32 operands, 3 bf16 */
static int one(suite *s, const size *at, jc_gpu_form form, int flags, int types)
{
    static const int in[] = {JC_GPU_F64, JC_GPU_F32, JC_GPU_F32, JC_GPU_BF16};
    static const double betas[] = {0, 1, -0.5};
    jc_gpu_product p = {.form = form, .in = in[types], .tf32 = types == 2, .m = at->m, .n = at->n, .k = at->k};
    p.out = types == 0 ? JC_GPU_F64 : JC_GPU_F32;
    p.transpose_a = flags & 1;
    p.transpose_b = flags & 2;
    p.vector = flags & 4;
    if (p.vector) p.n = 1;
    p.count = form == JC_GPU_PLAIN ? 1 : at->count;
    p.beta = betas[jt_below(&s->rng, 3)];
    p.lda = (p.transpose_a ? p.k : p.m) + jt_below(&s->rng, MARGIN);
    p.ldb = (p.transpose_b ? p.n : p.k) + jt_below(&s->rng, MARGIN);
    p.ldc = p.m + jt_below(&s->rng, MARGIN);
    return run(s, &p);
}

static int all(suite *s)
{
    int code = 0;
    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++)
        for (int form = JC_GPU_PLAIN; form <= JC_GPU_POINTERS; form++)
            for (int flags = 0; flags < 8; flags++)
                for (int types = 0; types < 4 && !code; types++) {
                    bool tf32_vector = types == 2 && (flags & 4); /* gemv has no such mode */
                    if (!tf32_vector) code = one(s, &sizes[at], (jc_gpu_form)form, flags, types);
                }
    return code;
}

int jt_record_suite(const jc_gpu_api *api, uint64_t seed)
{
    suite s = {.api = api, .rng = {seed}};
    int code = api->blas_load();
    if (!code) code = api->stream_create(&s.stream);
    if (!code) code = api->blas_create(&s.handle);
    if (!code) code = api->allocate(&s.d_workspace, WORKSPACE_BYTES);
    if (!code) code = api->blas_configure(s.handle, s.stream, s.d_workspace, WORKSPACE_BYTES);
    if (!code) code = all(&s);
    if (s.handle) api->blas_destroy(s.handle);
    if (s.d_workspace) api->release(s.d_workspace);
    if (s.stream) api->stream_destroy(s.stream);
    return code;
}
