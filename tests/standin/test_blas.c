/* cuBLAS in the stand-in. */
#include <criterion/criterion.h>
#include <string.h>

#include "standin/expect.h"
#include "support/pool.h"

enum { ELEMENTS = 4096, WORKSPACE = 1024, M = 3, N = 2, K = 4, LD = 6, MEMBERS = 3, STRIDE = 64 };

static jc_gpu_stream stream;
static jc_gpu_blas handle;
static void *workspace, *d_a, *d_b, *d_c, *d_arrays;

static void begin(void)
{
    jt_standin_reset(NULL);
    ok(api->blas_load());
    ok(api->stream_create(&stream));
    ok(api->blas_create(&handle));
    ok(api->allocate(&workspace, WORKSPACE));
    ok(api->allocate(&d_a, ELEMENTS * 8));
    ok(api->allocate(&d_b, ELEMENTS * 8));
    ok(api->allocate(&d_c, ELEMENTS * 8));
    ok(api->allocate(&d_arrays, 3 * MEMBERS * sizeof(void *)));
    ok(api->fill(d_a, 0, ELEMENTS * 8, stream));
    ok(api->fill(d_b, 0, ELEMENTS * 8, stream));
    ok(api->fill(d_c, 0, ELEMENTS * 8, stream));
    ok(api->blas_configure(handle, stream, workspace, WORKSPACE));
}

static jc_gpu_product plain(void)
{
    return (jc_gpu_product){.form = JC_GPU_PLAIN,
                            .in = JC_GPU_F32,
                            .out = JC_GPU_F32,
                            .m = M,
                            .n = N,
                            .k = K,
                            .count = 1,
                            .a = d_a,
                            .b = d_b,
                            .c = d_c,
                            .lda = LD,
                            .ldb = LD,
                            .ldc = LD,
                            .beta = 1};
}

static size_t bytes_of(int type)
{
    return type == JC_GPU_F64 ? 8 : type == JC_GPU_F32 ? 4 : 2;
}

/* Small integers, exact in every type. */
static void put(void *d, int type, const double *x)
{
    unsigned char bytes[ELEMENTS * 8];
    for (int i = 0; i < ELEMENTS; i++) {
        float f = (float)x[i];
        uint32_t bits;
        memcpy(&bits, &f, 4);
        uint16_t half = (uint16_t)(bits >> 16);
        const void *from = type == JC_GPU_F64 ? (const void *)&x[i] : type == JC_GPU_F32 ? (void *)&f : (void *)&half;
        memcpy(bytes + (size_t)i * bytes_of(type), from, bytes_of(type));
    }
    ok(api->copy(d, bytes, ELEMENTS * bytes_of(type), JC_GPU_TO_DEVICE, stream));
}

static void get(const void *d, int type, double *x)
{
    unsigned char bytes[ELEMENTS * 8];
    ok(api->copy(bytes, d, ELEMENTS * bytes_of(type), JC_GPU_TO_HOST, stream));
    for (int i = 0; i < ELEMENTS; i++) {
        float f;
        if (type == JC_GPU_F64) memcpy(&x[i], bytes + i * 8, 8);
        if (type != JC_GPU_F64) memcpy(&f, bytes + i * 4, 4);
        if (type != JC_GPU_F64) x[i] = (double)f;
    }
}

/* Member i of the batch begins at i STRIDE; y by definition of the product. */
static void compare(const jc_gpu_product *p, const double *a, const double *b, const double *before,
                    const double *after)
{
    int64_t ldc = p->vector ? p->m : p->ldc;
    for (int64_t e = 0; e < p->count; e++)
        for (int64_t i = 0; i < p->m; i++)
            for (int64_t j = 0; j < p->n; j++) {
                double y = p->beta * before[e * STRIDE + i + j * ldc];
                for (int64_t l = 0; l < p->k; l++) {
                    double x = a[e * STRIDE + (p->transpose_a ? l + i * p->lda : i + l * p->lda)];
                    y += x * b[e * STRIDE + (p->transpose_b ? j + l * p->ldb : l + j * p->ldb)];
                }
                cr_assert_eq(after[e * STRIDE + i + j * ldc], y, "member %d [%d, %d]", (int)e, (int)i, (int)j);
            }
}

static void put_arrays(jc_gpu_product *p)
{
    void *pointers[3 * MEMBERS];
    for (int e = 0; e < MEMBERS; e++) {
        pointers[e] = (char *)d_a + (size_t)e * STRIDE * bytes_of(p->in);
        pointers[MEMBERS + e] = (char *)d_b + (size_t)e * STRIDE * bytes_of(p->in);
        pointers[2 * MEMBERS + e] = (char *)d_c + (size_t)e * STRIDE * bytes_of(p->out);
    }
    ok(api->copy(d_arrays, pointers, sizeof pointers, JC_GPU_TO_DEVICE, stream));
    p->a = d_arrays;
    p->b = (void **)d_arrays + MEMBERS;
    p->c = (void **)d_arrays + 2 * MEMBERS;
}

static void one_product(int form, int shape, int types, double beta)
{
    static double a[ELEMENTS], b[ELEMENTS], before[ELEMENTS], after[ELEMENTS];
    jt_rng rng = {(uint64_t)(form + 10 * shape + 100 * types)};
    begin();
    for (int i = 0; i < ELEMENTS; i++) {
        a[i] = (double)jt_between(&rng, -4, 4);
        b[i] = (double)jt_between(&rng, -4, 4);
        before[i] = (double)jt_between(&rng, -4, 4);
    }
    jc_gpu_product p = plain();
    p.form = (jc_gpu_form)form;
    p.count = form == JC_GPU_PLAIN ? 1 : MEMBERS;
    p.stride_a = p.stride_b = p.stride_c = STRIDE;
    p.transpose_a = shape & 1;
    p.transpose_b = shape & 2;
    p.vector = shape & 4;
    if (p.vector) p.n = 1;
    p.in = types == 0 ? JC_GPU_F64 : types == 1 ? JC_GPU_F32 : JC_GPU_BF16;
    p.out = types == 0 ? JC_GPU_F64 : JC_GPU_F32;
    p.beta = beta;
    if (form == JC_GPU_POINTERS) put_arrays(&p);
    put(d_a, p.in, a);
    put(d_b, p.in, b);
    put(d_c, p.out, before);
    ok(api->blas_product(handle, &p));
    get(d_c, p.out, after);
    compare(&p, a, b, before, after);
    found(-1);
}

Test(standin_blas, products)
{
    for (int form = 0; form < 3; form++)
        for (int shape = 0; shape < 8; shape++)
            for (int types = 0; types < 3; types++) one_product(form, shape, types, types);
}

/* 1 + 2^-11 is a tie between two tf32 numbers: the even one is 1. Sums stay in f32. */
Test(standin_blas, tf32_rounds_to_even)
{
    static const double operand[] = {1 + 0x1p-11, 1 + 0x1.8p-10, 1 + 0x1p-12, 1 + 0x1p-10, -(1 + 0x1.8p-10)};
    static const double rounded[] = {1, 1 + 0x1p-9, 1, 1 + 0x1p-10, -(1 + 0x1p-9)};
    for (int i = 0; i < 5; i++) {
        static double a[ELEMENTS], b[ELEMENTS], c[ELEMENTS];
        begin();
        jc_gpu_product p = plain();
        p.tf32 = true;
        p.m = p.n = p.k = 1;
        p.beta = 0;
        a[0] = operand[i];
        b[0] = 1;
        put(d_a, p.in, a);
        put(d_b, p.in, b);
        ok(api->blas_product(handle, &p));
        get(d_c, p.out, c);
        cr_assert_eq(c[0], rounded[i], "%d: %a", i, c[0]);
    }
}

Test(standin_blas, wrong_arguments)
{
    static const struct {
        int64_t m, n, k, count, lda, ldb, ldc;
        int in, out, code;
        bool tf32, vector;
    } cases[] = {
        {M, N, K, 1, M, K, M, JC_GPU_F32, JC_GPU_F32, 0, false, false},
        {M, N, K, 1, M - 1, K, M, JC_GPU_F32, JC_GPU_F32, 7, false, false},
        {M, N, K, 1, M, K - 1, M, JC_GPU_F32, JC_GPU_F32, 7, false, false},
        {M, N, K, 1, M, K, M - 1, JC_GPU_F32, JC_GPU_F32, 7, false, false},
        {M, N, K, 1, M, K, M, JC_GPU_F64, JC_GPU_F32, 15, false, false},
        {M, N, K, 1, M, K, M, JC_GPU_BF16, JC_GPU_F64, 15, false, false},
        {M, N, K, 1, M, K, M, JC_GPU_BF16, JC_GPU_BF16, 15, false, false},
        {M, N, K, 1, M, K, M, JC_GPU_F16, JC_GPU_F32, 15, false, false},
        {M, N, K, 1, M, K, M, JC_GPU_F64, JC_GPU_F64, 15, true, false},
        {M, N, K, 1, M, K, M, JC_GPU_F32, JC_GPU_F32, 7, false, true},
        {M, N, -1, 1, M, K, M, JC_GPU_F32, JC_GPU_F32, 7, false, false},
        {M, N, K, 2, M, K, M, JC_GPU_F32, JC_GPU_F32, 7, false, false},
        {0, N, K, 1, 1, K, 1, JC_GPU_F32, JC_GPU_F32, 0, false, false},
        {M, N, 0, 1, M, 1, M, JC_GPU_F32, JC_GPU_F32, 0, false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin();
        jc_gpu_product p = plain();
        p.m = cases[i].m, p.n = cases[i].n, p.k = cases[i].k, p.count = cases[i].count;
        p.lda = cases[i].lda, p.ldb = cases[i].ldb, p.ldc = cases[i].ldc;
        p.in = cases[i].in, p.out = cases[i].out, p.tf32 = cases[i].tf32, p.vector = cases[i].vector;
        cr_expect_eq(api->blas_product(handle, &p), cases[i].code, "case %zu", i);
        ok(api->stream_synchronize(stream));
        found(cases[i].code == 7 ? JT_ARGUMENT : -1);
    }
}

Test(standin_blas, forgotten_workspace)
{
    jc_gpu_blas_state state;
    begin();
    jc_gpu_product p = plain();
    ok(api->blas_save(handle, &state));
    ok(api->blas_product(handle, &p));
    found(-1);
    ok(api->blas_restore(handle, &state));
    ok(api->blas_product(handle, &p));
    found(JT_WORKSPACE);
    jt_standin_forgive();
    ok(api->blas_configure(handle, stream, workspace, WORKSPACE));
    ok(api->blas_product(handle, &p));
    found(-1);
    cr_assert_eq(api->blas_configure(handle, stream, (char *)workspace + 128, 512), 7);
    cr_assert_eq(api->blas_configure(handle, stream, NULL, 0), 7);
    cr_assert_eq(api->blas_configure(handle, stream, workspace, WORKSPACE + 1), 7);
    cr_assert_eq(jt_standin_found(JT_WORKSPACE), 3);
}

/* Two streams with one workspace. */
Test(standin_blas, shared_workspace)
{
    jc_gpu_stream other;
    begin();
    ok(api->stream_create(&other));
    jc_gpu_product p = plain();
    ok(api->stream_synchronize(stream));
    ok(api->blas_product(handle, &p));
    ok(api->blas_configure(handle, other, workspace, WORKSPACE));
    p.c = (float *)d_c + ELEMENTS / 2;
    ok(api->blas_product(handle, &p));
    jt_standin_drain();
    found(JT_RACE);
}

/* Outputs of one batched call: apart, interleaved without overlap, overlapping by one entry; equal to an input. */
Test(standin_blas, outputs_of_a_batch)
{
    static const struct {
        int64_t stride_c;
        bool onto_input;
        int kind;
    } cases[] = {
        {STRIDE, false, -1}, {M, false, -1}, {M - 1, false, JT_ALIAS}, {0, false, JT_ALIAS}, {STRIDE, true, JT_ALIAS}};
    for (int form = JC_GPU_STRIDED; form <= JC_GPU_POINTERS; form++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            begin();
            jc_gpu_product p = plain();
            void *c = cases[i].onto_input ? (float *)d_a + 2 : d_c, *pointers[3 * MEMBERS];
            p.form = (jc_gpu_form)form;
            p.count = 2;
            p.c = c;
            p.stride_a = p.stride_b = STRIDE;
            p.stride_c = cases[i].stride_c;
            for (int e = 0; e < 2; e++) {
                pointers[e] = (float *)d_a + e * STRIDE;
                pointers[MEMBERS + e] = (float *)d_b + e * STRIDE;
                pointers[2 * MEMBERS + e] = (float *)c + e * cases[i].stride_c;
            }
            pointers[2] = pointers[5] = pointers[8] = NULL;
            ok(api->copy(d_arrays, pointers, sizeof pointers, JC_GPU_TO_DEVICE, stream));
            if (form == JC_GPU_POINTERS) {
                p.a = d_arrays;
                p.b = (void **)d_arrays + MEMBERS;
                p.c = (void **)d_arrays + 2 * MEMBERS;
            }
            p.n = 1; /* one column, so that M apart is interleaved in nothing */
            ok(api->blas_product(handle, &p));
            ok(api->stream_synchronize(stream));
            found(cases[i].kind);
        }
}

Test(standin_blas, memory_of_the_operands)
{
    float host[STRIDE] = {0};
    void *pointers[3 * MEMBERS];
    begin();
    jc_gpu_product p = plain();
    p.b = host;
    cr_assert_eq(api->blas_product(handle, &p), 7);
    found(JT_WRONG_MEMORY);
    begin();
    p = plain();
    p.form = JC_GPU_POINTERS;
    p.count = MEMBERS;
    put_arrays(&p);
    ok(api->copy(pointers, d_arrays, sizeof pointers, JC_GPU_TO_HOST, stream));
    p.a = pointers;
    cr_assert_eq(api->blas_product(handle, &p), 7, "an array in host memory");
    found(JT_WRONG_MEMORY);
    jt_standin_forgive();
    pointers[1] = host;
    ok(api->copy(d_arrays, pointers, sizeof pointers, JC_GPU_TO_DEVICE, stream));
    p.a = d_arrays;
    ok(api->blas_product(handle, &p));
    ok(api->stream_synchronize(stream));
    found(JT_WRONG_MEMORY);
    begin();
    p = plain();
    p.c = (float *)d_c + 2 * ELEMENTS - LD - M + 1;
    ok(api->blas_product(handle, &p));
    ok(api->stream_synchronize(stream));
    found(JT_OUT_OF_BOUNDS);
    jt_standin_forgive();
    p.c = (float *)d_c + 2 * ELEMENTS - LD - M;
    ok(api->blas_product(handle, &p));
    ok(api->stream_synchronize(stream));
    found(-1);
}

Test(standin_blas, operands_were_written)
{
    void *fresh;
    begin();
    ok(api->allocate(&fresh, STRIDE * 4));
    jc_gpu_product p = plain();
    p.a = fresh;
    ok(api->blas_product(handle, &p));
    ok(api->stream_synchronize(stream));
    found(JT_UNWRITTEN);
    begin();
    p = plain();
    p.c = fresh = NULL;
    ok(api->allocate(&fresh, STRIDE * 4));
    p.c = fresh;
    p.beta = 0;
    ok(api->blas_product(handle, &p)); /* C is not read */
    ok(api->stream_synchronize(stream));
    found(-1);
}

/* beta and addresses are held by value, arrays of pointers are read when the node runs. */
Test(standin_blas, captured)
{
    static double one[ELEMENTS], c[ELEMENTS];
    for (int i = 0; i < ELEMENTS; i++) one[i] = 1;
    for (int form = JC_GPU_PLAIN; form <= JC_GPU_POINTERS; form += 2) {
        jc_gpu_graph graph;
        jc_gpu_exec exec;
        begin();
        jc_gpu_product p = plain();
        p.form = (jc_gpu_form)form;
        p.beta = 0;
        put(d_a, p.in, one);
        put(d_b, p.in, one);
        if (form == JC_GPU_POINTERS) put_arrays(&p);
        ok(api->stream_synchronize(stream));
        ok(api->capture_begin(stream));
        ok(api->blas_product(handle, &p));
        ok(api->capture_end(stream, &graph));
        ok(api->exec_create(&exec, graph));
        void *moved = (float *)d_c + STRIDE;
        p.beta = 5;
        p.c = NULL;
        if (form == JC_GPU_POINTERS)
            ok(api->copy((void **)d_arrays + 2 * MEMBERS, &moved, sizeof moved, JC_GPU_TO_DEVICE, stream));
        ok(api->exec_launch(exec, stream));
        get(d_c, JC_GPU_F32, c);
        cr_assert_eq(c[form == JC_GPU_POINTERS ? STRIDE : 0], K);
        cr_assert_eq(c[form == JC_GPU_POINTERS ? 0 : STRIDE], 0);
        found(-1);
    }
}

Test(standin_blas, handles)
{
    jc_gpu_blas other;
    int version = 0;
    jt_standin_reset(NULL);
    cr_assert_eq(api->blas_create(&other), 1, "before blas_load");
    begin();
    ok(api->blas_version(&version));
    cr_assert_gt(version, 0);
    jt_standin_fail_call(JT_BLAS_PRODUCT, 1, 0);
    jc_gpu_product p = plain();
    cr_assert_eq(api->blas_product(handle, &p), 13);
    cr_assert(strstr(api->blas_text(13), "CUBLAS_STATUS_EXECUTION_FAILED"));
    ok(api->blas_destroy(handle));
    cr_assert_eq(api->blas_product(handle, &p), 1);
    found(JT_USE_AFTER_FREE);
}
