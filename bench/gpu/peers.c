/* The same work by the vendor's libraries. */
#define _GNU_SOURCE
#include "bench/gpu/gpu_bench.h"

#include <cusparse.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORKSPACE = 32 << 20 };

typedef struct chain {
    jc_gpu_blas handle;
    jc_gpu_product product; /* of each step; A differs from step to step */
    const unsigned char *d_a;
    void *d_vectors[2];
    int64_t count, step_bytes;
    jc_gpu_product last; /* count 0: none */
} chain;

static void multiply_all(void *ctx)
{
    chain *c = ctx;
    for (int64_t i = 0; i < c->count; i++) {
        jc_gpu_product p = c->product;
        p.a = c->d_a + i * c->step_bytes;
        p.b = c->d_vectors[i % 2], p.c = c->d_vectors[1 - i % 2];
        gb_check_blas(gb_api->blas_product(c->handle, &p), "a product");
    }
    if (c->last.count) gb_check_blas(gb_api->blas_product(c->handle, &c->last), "a product");
}

static double time_chain(chain *c)
{
    gb_check_blas(gb_api->blas_create(&c->handle), "a handle");
    gb_check_blas(gb_api->blas_configure(c->handle, gb_stream, gb_device(WORKSPACE), WORKSPACE), "a handle");
    double seconds = gb_time_captured(multiply_all, c);
    gb_wait();
    gb_check_blas(gb_api->blas_destroy(c->handle), "a handle");
    return seconds;
}

static int64_t bytes_of(int type)
{
    return type == JC_GPU_F64 ? 8 : type == JC_GPU_F32 ? 4 : 2;
}

/* A row-major n x n Jacobian is a column-major one transposed: (D^T) (n x n) times the k columns of the adjoint. */
static jc_gpu_product step_product(int64_t n, int64_t k, int in, int out, bool tf32)
{
    jc_gpu_product p = {.form = JC_GPU_PLAIN, .tf32 = tf32, .in = in, .out = out, .m = n, .n = k, .k = n, .count = 1};
    p.lda = p.ldb = p.ldc = n;
    return p;
}

double gb_cublas_chain(int64_t count, int64_t n, int64_t k, int in, int out, bool tf32)
{
    chain c = {.count = count, .step_bytes = n * n * bytes_of(in)};
    c.product = step_product(n, k, in, out, tf32);
    void *d_a = gb_device(count * c.step_bytes);
    gb_check(gb_fill(d_a, in, count * n * n, 5, 1.7 / (double)n, gb_stream), "numbers");
    for (int i = 0; i < 2; i++) {
        c.d_vectors[i] = gb_device(n * k * 8);
        gb_check(gb_fill(c.d_vectors[i], in, n * k, 6, 1, gb_stream), "numbers");
    }
    c.d_a = d_a;
    return time_chain(&c);
}

double gb_cublas_rnn(int64_t count, int64_t batch, int64_t n, int64_t steps, int64_t wide)
{
    chain c = {.count = count, .step_bytes = 0};
    c.product = step_product(n, batch, JC_GPU_F32, JC_GPU_F32, true);
    void *d_a = gb_device(n * n * 4), *d_x = gb_device(steps * batch * wide * 4);
    void *d_adjoints = gb_device(steps * batch * n * 4), *d_gradient = gb_device(n * wide * 4);
    gb_check(gb_fill(d_a, JC_GPU_F32, n * n, 5, 0.05, gb_stream), "numbers");
    gb_check(gb_fill(d_x, JC_GPU_F32, steps * batch * wide, 6, 1, gb_stream), "numbers");
    gb_check(gb_fill(d_adjoints, JC_GPU_F32, steps * batch * n, 7, 1, gb_stream), "numbers");
    c.d_a = d_a;
    for (int i = 0; i < 2; i++) {
        c.d_vectors[i] = gb_device(n * batch * 4);
        gb_check(gb_fill(c.d_vectors[i], JC_GPU_F32, n * batch, 8, 1, gb_stream), "numbers");
    }
    /* gradient (n x wide, row-major) = adjoints^T X: column-major [wide x n] = X^T [wide x rows] adjoints [rows x n] */
    c.last = (jc_gpu_product){.form = JC_GPU_PLAIN, .tf32 = true, .in = JC_GPU_F32, .out = JC_GPU_F32, .count = 1};
    c.last.transpose_b = true;
    c.last.m = wide, c.last.n = n, c.last.k = steps * batch;
    c.last.a = d_x, c.last.lda = wide, c.last.b = d_adjoints, c.last.ldb = n, c.last.c = d_gradient, c.last.ldc = wide;
    return time_chain(&c);
}

/* ---- cuSPARSE, where it is --------------------------------------------------------------------------------------- */

typedef struct sparse {
    __typeof__(&cusparseCreate) create;
    __typeof__(&cusparseDestroy) destroy;
    __typeof__(&cusparseSetStream) set_stream;
    __typeof__(&cusparseCreateCsr) create_csr;
    __typeof__(&cusparseCreateDnVec) create_vector;
    __typeof__(&cusparseSpMV_bufferSize) buffer_size;
    __typeof__(&cusparseSpMV) multiply;
} sparse;

static bool load_sparse(sparse *s)
{
    void *library = dlopen("libcusparse.so.12", RTLD_NOW | RTLD_LOCAL);
    if (!library) library = dlopen("libcusparse.so", RTLD_NOW | RTLD_LOCAL);
    if (!library) return false;
    *(void **)&s->create = dlsym(library, "cusparseCreate");
    *(void **)&s->destroy = dlsym(library, "cusparseDestroy");
    *(void **)&s->set_stream = dlsym(library, "cusparseSetStream");
    *(void **)&s->create_csr = dlsym(library, "cusparseCreateCsr");
    *(void **)&s->create_vector = dlsym(library, "cusparseCreateDnVec");
    *(void **)&s->buffer_size = dlsym(library, "cusparseSpMV_bufferSize");
    *(void **)&s->multiply = dlsym(library, "cusparseSpMV");
    return s->create && s->destroy && s->set_stream && s->create_csr && s->create_vector && s->buffer_size &&
           s->multiply;
}

typedef struct sparse_chain {
    sparse s;
    cusparseHandle_t handle;
    cusparseSpMatDescr_t *matrices;
    cusparseDnVecDescr_t vectors[2];
    void *d_buffer;
    int64_t count;
} sparse_chain;

static void check_sparse(cusparseStatus_t status, const char *what)
{
    if (status == CUSPARSE_STATUS_SUCCESS) return;
    fprintf(stderr, "bench_gpu: cuSPARSE: %s: status %d\n", what, (int)status);
    exit(4);
}

static void multiply_sparse(void *ctx)
{
    sparse_chain *c = ctx;
    const float one = 1, zero = 0;
    for (int64_t i = 0; i < c->count; i++)
        check_sparse(c->s.multiply(c->handle, CUSPARSE_OPERATION_NON_TRANSPOSE, &one, c->matrices[i], c->vectors[i % 2],
                                   &zero, c->vectors[1 - i % 2], CUDA_R_32F, CUSPARSE_SPMV_ALG_DEFAULT, c->d_buffer),
                     "a product");
}

/* The matrices as they are stored, not transposed: the direction in which cuSPARSE is fastest. */
double gb_cusparse(const gb_work *w)
{
    const gb_edges *g = &w->groups[0];
    const float one = 1, zero = 0;
    sparse_chain c = {.count = g->f.count};
    size_t bytes = 0;
    if (!load_sparse(&c.s)) return 0;
    check_sparse(c.s.create(&c.handle), "a handle");
    check_sparse(c.s.set_stream(c.handle, gb_stream), "a stream");
    c.matrices = gb_host(c.count, sizeof *c.matrices);
    for (int64_t i = 0; i < c.count; i++)
        check_sparse(c.s.create_csr(&c.matrices[i], g->f.p, g->f.q, g->f.m, (int32_t *)g->f.d_indptr + i * (g->f.p + 1),
                                    (int32_t *)g->f.d_indices + i * g->f.m, (float *)g->f.d_numbers + i * g->f.m,
                                    CUSPARSE_INDEX_32I, CUSPARSE_INDEX_32I, CUSPARSE_INDEX_BASE_ZERO, CUDA_R_32F),
                     "a matrix");
    for (int i = 0; i < 2; i++) {
        void *d_vector = gb_device(g->f.p * 4);
        gb_check(gb_fill(d_vector, JC_GPU_F32, g->f.p, 3, 1, gb_stream), "numbers");
        check_sparse(c.s.create_vector(&c.vectors[i], g->f.p, d_vector, CUDA_R_32F), "a vector");
    }
    check_sparse(c.s.buffer_size(c.handle, CUSPARSE_OPERATION_NON_TRANSPOSE, &one, c.matrices[0], c.vectors[0], &zero,
                                 c.vectors[1], CUDA_R_32F, CUSPARSE_SPMV_ALG_DEFAULT, &bytes),
                 "a buffer");
    c.d_buffer = gb_device((int64_t)bytes);
    double seconds = gb_time_captured(multiply_sparse, &c);
    gb_wait();
    check_sparse(c.s.destroy(c.handle), "a handle");
    return seconds;
}
