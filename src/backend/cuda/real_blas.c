/* Products by cuBLAS. Types and the kind of arithmetic are said at every call, so that no environment variable can turn
 * a product of f32 into one of TF32 or of emulated numbers. Alpha and beta lie in host memory, in the type of C. */
#include "backend/cuda/real.h"

#include <assert.h>
#include <stdio.h>

static_assert(JC_GPU_BLAS_NO_MEMORY == (int)CUBLAS_STATUS_ALLOC_FAILED, "the code that means: no memory");
static_assert(CUBLAS_STATUS_SUCCESS == 0, "0 means: done");
static_assert(__builtin_types_compatible_p(jc_gpu_blas, cublasHandle_t), "handles are cuBLAS's");
static_assert(__builtin_types_compatible_p(jc_gpu_stream, cudaStream_t), "streams are CUDA's");
static_assert(sizeof(long long) == sizeof(int64_t), "strides are 64-bit");
static_assert(JC_BLAS_NOT_LOADED < 0 && JC_BLAS_NOT_FOUND < 0, "cuBLAS's own codes are not negative");

/* Reductions of bf16 products, too, are made in f32. Single-precision routines get neither TF32 nor emulation. */
enum { MATH_MODE = CUBLAS_DEFAULT_MATH | CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION };

int jc_real_blas_version(int *version)
{
    const jc_cublas *b = jc_cublas_table();
    int major, minor, patch;
    if (!b) return JC_BLAS_NOT_LOADED;
    int error = b->get_property(MAJOR_VERSION, &major);
    if (!error) error = b->get_property(MINOR_VERSION, &minor);
    if (!error) error = b->get_property(PATCH_LEVEL, &patch);
    if (!error) *version = major * 10000 + minor * 100 + patch;
    return error;
}

int jc_real_blas_create(jc_gpu_blas *handle)
{
    const jc_cublas *b = jc_cublas_table();
    return b ? (int)b->create(handle) : JC_BLAS_NOT_LOADED;
}

int jc_real_blas_destroy(jc_gpu_blas handle)
{
    const jc_cublas *b = jc_cublas_table();
    return b ? (int)b->destroy(handle) : JC_BLAS_NOT_LOADED;
}

int jc_real_blas_save(jc_gpu_blas handle, jc_gpu_blas_state *state)
{
    const jc_cublas *b = jc_cublas_table();
    jc_gpu_stream stream;
    cublasPointerMode_t pointers;
    cublasMath_t math;
    cublasAtomicsMode_t atomics;
    if (!b) return JC_BLAS_NOT_LOADED;
    int error = b->get_stream(handle, &stream);
    if (!error) error = b->get_pointer_mode(handle, &pointers);
    if (!error) error = b->get_math_mode(handle, &math);
    if (!error) error = b->get_atomics_mode(handle, &atomics);
    if (!error) *state = (jc_gpu_blas_state){stream, (int)pointers, (int)math, (int)atomics};
    return error;
}

static int set_modes(const jc_cublas *b, jc_gpu_blas handle, int pointers, int math, int atomics)
{
    int error = b->set_pointer_mode(handle, (cublasPointerMode_t)pointers);
    if (!error) error = b->set_math_mode(handle, (cublasMath_t)math);
    if (!error) error = b->set_atomics_mode(handle, (cublasAtomicsMode_t)atomics);
    return error;
}

/* Setting the stream also gives the handle its own workspace back. */
int jc_real_blas_restore(jc_gpu_blas handle, const jc_gpu_blas_state *state)
{
    const jc_cublas *b = jc_cublas_table();
    if (!b) return JC_BLAS_NOT_LOADED;
    int error = b->set_stream(handle, state->stream);
    return error ? error : set_modes(b, handle, state->pointer_mode, state->math_mode, state->atomics_mode);
}

/* The workspace after the stream: setting a stream forgets it. */
int jc_real_blas_configure(jc_gpu_blas handle, jc_gpu_stream stream, void *d_workspace, size_t bytes)
{
    const jc_cublas *b = jc_cublas_table();
    if (!b) return JC_BLAS_NOT_LOADED;
    int error = b->set_stream(handle, stream);
    if (!error) error = b->set_workspace(handle, d_workspace, bytes);
    return error ? error : set_modes(b, handle, CUBLAS_POINTER_MODE_HOST, MATH_MODE, CUBLAS_ATOMICS_NOT_ALLOWED);
}

static cublasOperation_t operation(bool transpose)
{
    return transpose ? CUBLAS_OP_T : CUBLAS_OP_N;
}

/* y (m) = op(A) x + beta y. cuBLAS asks for the extents of A as it is stored. */
static int gemv_f32(const jc_cublas *b, jc_gpu_blas h, const jc_gpu_product *p)
{
    const float alpha = 1, beta = (float)p->beta;
    int64_t rows = p->transpose_a ? p->k : p->m, cols = p->transpose_a ? p->m : p->k;
    int64_t x_step = p->transpose_b ? p->ldb : 1;
    cublasOperation_t op = operation(p->transpose_a);
    if (p->form == JC_GPU_PLAIN) return b->sgemv(h, op, rows, cols, &alpha, p->a, p->lda, p->b, x_step, &beta, p->c, 1);
    if (p->form == JC_GPU_STRIDED)
        return b->sgemv_strided(h, op, rows, cols, &alpha, p->a, p->lda, p->stride_a, p->b, x_step, p->stride_b, &beta,
                                p->c, 1, p->stride_c, p->count);
    return b->sgemv_pointers(h, op, rows, cols, &alpha, (const float *const *)p->a, p->lda, (const float *const *)p->b,
                             x_step, &beta, (float *const *)p->c, 1, p->count);
}

static int gemv_f64(const jc_cublas *b, jc_gpu_blas h, const jc_gpu_product *p)
{
    const double alpha = 1, beta = p->beta;
    int64_t rows = p->transpose_a ? p->k : p->m, cols = p->transpose_a ? p->m : p->k;
    int64_t x_step = p->transpose_b ? p->ldb : 1;
    cublasOperation_t op = operation(p->transpose_a);
    if (p->form == JC_GPU_PLAIN) return b->dgemv(h, op, rows, cols, &alpha, p->a, p->lda, p->b, x_step, &beta, p->c, 1);
    if (p->form == JC_GPU_STRIDED)
        return b->dgemv_strided(h, op, rows, cols, &alpha, p->a, p->lda, p->stride_a, p->b, x_step, p->stride_b, &beta,
                                p->c, 1, p->stride_c, p->count);
    return b->dgemv_pointers(h, op, rows, cols, &alpha, (const double *const *)p->a, p->lda,
                             (const double *const *)p->b, x_step, &beta, (double *const *)p->c, 1, p->count);
}

/* What cuBLAS is told of a product's numbers. */
typedef struct arithmetic {
    cudaDataType in, out;
    cublasComputeType_t compute;
} arithmetic;

/* f64 in f64; f32 in exactly f32, or with operands rounded to TF32; bf16 operands with sums in f32. False: not one of
 * these. */
static bool choose_arithmetic(const jc_gpu_product *p, arithmetic *a)
{
    if (p->in == JC_GPU_F64 && p->out == JC_GPU_F64 && !p->tf32)
        *a = (arithmetic){CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F};
    else if (p->in == JC_GPU_F32 && p->out == JC_GPU_F32)
        *a = (arithmetic){CUDA_R_32F, CUDA_R_32F, p->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F_PEDANTIC};
    else if (p->in == JC_GPU_BF16 && p->out == JC_GPU_F32 && !p->tf32)
        *a = (arithmetic){CUDA_R_16BF, CUDA_R_32F, CUBLAS_COMPUTE_32F};
    else
        return false;
    return true;
}

static int gemm(const jc_cublas *b, jc_gpu_blas h, const jc_gpu_product *p, arithmetic t)
{
    const float alpha_f32 = 1, beta_f32 = (float)p->beta;
    const double alpha_f64 = 1, beta_f64 = p->beta;
    const void *alpha = t.out == CUDA_R_64F ? (const void *)&alpha_f64 : &alpha_f32;
    const void *beta = t.out == CUDA_R_64F ? (const void *)&beta_f64 : &beta_f32;
    cublasOperation_t op_a = operation(p->transpose_a), op_b = operation(p->transpose_b);
    if (p->form == JC_GPU_PLAIN)
        return b->gemm(h, op_a, op_b, p->m, p->n, p->k, alpha, p->a, t.in, p->lda, p->b, t.in, p->ldb, beta, p->c,
                       t.out, p->ldc, t.compute, CUBLAS_GEMM_DEFAULT);
    if (p->form == JC_GPU_STRIDED)
        return b->gemm_strided(h, op_a, op_b, p->m, p->n, p->k, alpha, p->a, t.in, p->lda, p->stride_a, p->b, t.in,
                               p->ldb, p->stride_b, beta, p->c, t.out, p->ldc, p->stride_c, p->count, t.compute,
                               CUBLAS_GEMM_DEFAULT);
    return b->gemm_pointers(h, op_a, op_b, p->m, p->n, p->k, alpha, (const void *const *)p->a, t.in, p->lda,
                            (const void *const *)p->b, t.in, p->ldb, beta, (void *const *)p->c, t.out, p->ldc, p->count,
                            t.compute, CUBLAS_GEMM_DEFAULT);
}

/* cuBLAS has a gemv for f32 and f64 only, in which TF32 means nothing: its sums are limited by bytes. */
int jc_real_blas_product(jc_gpu_blas handle, const jc_gpu_product *p)
{
    const jc_cublas *b = jc_cublas_table();
    arithmetic t;
    if (!b) return JC_BLAS_NOT_LOADED;
    if (!choose_arithmetic(p, &t)) return CUBLAS_STATUS_NOT_SUPPORTED;
    if (p->vector && p->in == JC_GPU_F32) return gemv_f32(b, handle, p);
    if (p->vector && p->in == JC_GPU_F64) return gemv_f64(b, handle, p);
    return gemm(b, handle, p, t);
}

const char *jc_real_blas_text(int code)
{
    static _Thread_local char text[600];
    const jc_cublas *b = jc_cublas_table();
    if (code == JC_BLAS_NOT_FOUND)
        snprintf(text, sizeof text, "%s", jc_cublas_trouble());
    else if (code == JC_BLAS_NOT_LOADED)
        snprintf(text, sizeof text, "cuBLAS was not loaded");
    else if (b)
        snprintf(text, sizeof text, "%s (%s)", b->status_string((cublasStatus_t)code),
                 b->status_name((cublasStatus_t)code));
    else
        snprintf(text, sizeof text, "cuBLAS status %d", code);
    return text;
}
