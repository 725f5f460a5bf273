#include "fake_cublas.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

cublasStatus_t cublasGetProperty(libraryPropertyType type, int *value)
{
    *value = type == MAJOR_VERSION ? 13 : type == MINOR_VERSION ? 7 : 5;
    return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusName(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_INVALID_VALUE ? "FAKE_INVALID" : "FAKE_STATUS";
}

const char *cublasGetStatusString(cublasStatus_t status)
{
    return status == CUBLAS_STATUS_INVALID_VALUE ? "an invalid value" : "a status";
}

cublasStatus_t cublasCreate_v2(cublasHandle_t *handle)
{
    *handle = calloc(1, sizeof **handle);
    return *handle ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_ALLOC_FAILED;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t handle)
{
    free(handle);
    return CUBLAS_STATUS_SUCCESS;
}

/* "unconditionally resets the workspace back to the default workspace pool" */
cublasStatus_t cublasSetStream_v2(cublasHandle_t handle, cudaStream_t stream)
{
    handle->stream = stream;
    handle->workspace = NULL;
    handle->workspace_bytes = 0;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetStream_v2(cublasHandle_t handle, cudaStream_t *stream)
{
    *stream = handle->stream;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t handle, void *workspace, size_t bytes)
{
    if ((uintptr_t)workspace % 256) return CUBLAS_STATUS_INVALID_VALUE;
    handle->workspace = workspace;
    handle->workspace_bytes = bytes;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t mode)
{
    handle->pointer_mode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetPointerMode_v2(cublasHandle_t handle, cublasPointerMode_t *mode)
{
    *mode = (cublasPointerMode_t)handle->pointer_mode;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode)
{
    handle->math_mode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t *mode)
{
    *mode = (cublasMath_t)handle->math_mode;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t mode)
{
    handle->atomics_mode = mode;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetAtomicsMode(cublasHandle_t handle, cublasAtomicsMode_t *mode)
{
    *mode = (cublasAtomicsMode_t)handle->atomics_mode;
    return CUBLAS_STATUS_SUCCESS;
}

static double load(const void *data, cudaDataType type, int64_t at)
{
    if (type == CUDA_R_64F) return ((const double *)data)[at];
    if (type == CUDA_R_32F) return ((const float *)data)[at];
    uint32_t bits = (uint32_t)((const uint16_t *)data)[at] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void store(void *data, cudaDataType type, int64_t at, double value)
{
    if (type == CUDA_R_64F)
        ((double *)data)[at] = value;
    else
        ((float *)data)[at] = (float)value;
}

/* One product: C [m x n] = alpha op(A) op(B) + beta C, column-major; C is not read where beta is 0. */
typedef struct product {
    bool transpose_a, transpose_b;
    int64_t m, n, k, lda, ldb, ldc, step_c; /* step_c: from a row of C to the next */
    cudaDataType in, out;
    double alpha, beta;
} product;

static void multiply(const product *p, const void *a, const void *b, void *c)
{
    for (int64_t j = 0; j < p->n; j++)
        for (int64_t i = 0; i < p->m; i++) {
            double sum = 0;
            int64_t at = i * p->step_c + j * p->ldc;
            for (int64_t l = 0; l < p->k; l++)
                sum += load(a, p->in, p->transpose_a ? l + i * p->lda : i + l * p->lda) *
                       load(b, p->in, p->transpose_b ? j + l * p->ldb : l + j * p->ldb);
            store(c, p->out, at, p->alpha * sum + (p->beta != 0 ? p->beta * load(c, p->out, at) : 0));
        }
}

static int64_t bytes_of(cudaDataType type)
{
    return type == CUDA_R_64F ? 8 : type == CUDA_R_32F ? 4 : 2;
}

static void multiply_strided(const product *p, const void *a, int64_t stride_a, const void *b, int64_t stride_b,
                             void *c, int64_t stride_c, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        multiply(p, (const char *)a + i * stride_a * bytes_of(p->in), (const char *)b + i * stride_b * bytes_of(p->in),
                 (char *)c + i * stride_c * bytes_of(p->out));
}

/* y = alpha op(A) x + beta y, A stored as m x n, as a product whose B and C have one column. */
static product as_gemv(cublasHandle_t h, cublasOperation_t trans, int64_t m, int64_t n, int64_t lda, int64_t incx,
                       int64_t incy, cudaDataType type, double alpha, double beta)
{
    h->products++;
    h->compute = -1;
    bool t = trans != CUBLAS_OP_N;
    return (product){t, true, t ? n : m, 1, t ? m : n, lda, incx, 1, incy, type, type, alpha, beta};
}

static product as_gemm(cublasHandle_t h, cublasOperation_t op_a, cublasOperation_t op_b, int64_t m, int64_t n,
                       int64_t k, const void *alpha, cudaDataType a_type, int64_t lda, int64_t ldb, const void *beta,
                       cudaDataType c_type, int64_t ldc, cublasComputeType_t compute)
{
    h->products++;
    h->compute = compute;
    cudaDataType scalar = compute == CUBLAS_COMPUTE_64F ? CUDA_R_64F : CUDA_R_32F;
    return (product){op_a != CUBLAS_OP_N,    op_b != CUBLAS_OP_N,  m, n, k, lda, ldb, ldc, 1, a_type, c_type,
                     load(alpha, scalar, 0), load(beta, scalar, 0)};
}

cublasStatus_t cublasSgemv_v2_64(cublasHandle_t h, cublasOperation_t trans, int64_t m, int64_t n, const float *alpha,
                                 const float *a, int64_t lda, const float *x, int64_t incx, const float *beta, float *y,
                                 int64_t incy)
{
    product p = as_gemv(h, trans, m, n, lda, incx, incy, CUDA_R_32F, *alpha, *beta);
    multiply(&p, a, x, y);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDgemv_v2_64(cublasHandle_t h, cublasOperation_t trans, int64_t m, int64_t n, const double *alpha,
                                 const double *a, int64_t lda, const double *x, int64_t incx, const double *beta,
                                 double *y, int64_t incy)
{
    product p = as_gemv(h, trans, m, n, lda, incx, incy, CUDA_R_64F, *alpha, *beta);
    multiply(&p, a, x, y);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSgemvStridedBatched_64(cublasHandle_t h, cublasOperation_t trans, int64_t m, int64_t n,
                                            const float *alpha, const float *a, int64_t lda, long long stride_a,
                                            const float *x, int64_t incx, long long stride_x, const float *beta,
                                            float *y, int64_t incy, long long stride_y, int64_t count)
{
    product p = as_gemv(h, trans, m, n, lda, incx, incy, CUDA_R_32F, *alpha, *beta);
    multiply_strided(&p, a, stride_a, x, stride_x, y, stride_y, count);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDgemvStridedBatched_64(cublasHandle_t h, cublasOperation_t trans, int64_t m, int64_t n,
                                            const double *alpha, const double *a, int64_t lda, long long stride_a,
                                            const double *x, int64_t incx, long long stride_x, const double *beta,
                                            double *y, int64_t incy, long long stride_y, int64_t count)
{
    product p = as_gemv(h, trans, m, n, lda, incx, incy, CUDA_R_64F, *alpha, *beta);
    multiply_strided(&p, a, stride_a, x, stride_x, y, stride_y, count);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSgemvBatched_64(cublasHandle_t h, cublasOperation_t trans, int64_t m, int64_t n,
                                     const float *alpha, const float *const a[], int64_t lda, const float *const x[],
                                     int64_t incx, const float *beta, float *const y[], int64_t incy, int64_t count)
{
    product p = as_gemv(h, trans, m, n, lda, incx, incy, CUDA_R_32F, *alpha, *beta);
    for (int64_t i = 0; i < count; i++) multiply(&p, a[i], x[i], y[i]);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDgemvBatched_64(cublasHandle_t h, cublasOperation_t trans, int64_t m, int64_t n,
                                     const double *alpha, const double *const a[], int64_t lda, const double *const x[],
                                     int64_t incx, const double *beta, double *const y[], int64_t incy, int64_t count)
{
    product p = as_gemv(h, trans, m, n, lda, incx, incy, CUDA_R_64F, *alpha, *beta);
    for (int64_t i = 0; i < count; i++) multiply(&p, a[i], x[i], y[i]);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmEx_64(cublasHandle_t h, cublasOperation_t op_a, cublasOperation_t op_b, int64_t m, int64_t n,
                               int64_t k, const void *alpha, const void *a, cudaDataType a_type, int64_t lda,
                               const void *b, cudaDataType b_type, int64_t ldb, const void *beta, void *c,
                               cudaDataType c_type, int64_t ldc, cublasComputeType_t compute, cublasGemmAlgo_t algo)
{
    if (a_type != b_type || algo != CUBLAS_GEMM_DEFAULT) return CUBLAS_STATUS_INVALID_VALUE;
    product p = as_gemm(h, op_a, op_b, m, n, k, alpha, a_type, lda, ldb, beta, c_type, ldc, compute);
    multiply(&p, a, b, c);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmStridedBatchedEx_64(cublasHandle_t h, cublasOperation_t op_a, cublasOperation_t op_b,
                                             int64_t m, int64_t n, int64_t k, const void *alpha, const void *a,
                                             cudaDataType a_type, int64_t lda, long long stride_a, const void *b,
                                             cudaDataType b_type, int64_t ldb, long long stride_b, const void *beta,
                                             void *c, cudaDataType c_type, int64_t ldc, long long stride_c,
                                             int64_t count, cublasComputeType_t compute, cublasGemmAlgo_t algo)
{
    if (a_type != b_type || algo != CUBLAS_GEMM_DEFAULT) return CUBLAS_STATUS_INVALID_VALUE;
    product p = as_gemm(h, op_a, op_b, m, n, k, alpha, a_type, lda, ldb, beta, c_type, ldc, compute);
    multiply_strided(&p, a, stride_a, b, stride_b, c, stride_c, count);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGemmBatchedEx_64(cublasHandle_t h, cublasOperation_t op_a, cublasOperation_t op_b, int64_t m,
                                      int64_t n, int64_t k, const void *alpha, const void *const a[],
                                      cudaDataType a_type, int64_t lda, const void *const b[], cudaDataType b_type,
                                      int64_t ldb, const void *beta, void *const c[], cudaDataType c_type, int64_t ldc,
                                      int64_t count, cublasComputeType_t compute, cublasGemmAlgo_t algo)
{
    if (a_type != b_type || algo != CUBLAS_GEMM_DEFAULT) return CUBLAS_STATUS_INVALID_VALUE;
    product p = as_gemm(h, op_a, op_b, m, n, k, alpha, a_type, lda, ldb, beta, c_type, ldc, compute);
    for (int64_t i = 0; i < count; i++) multiply(&p, a[i], b[i], c[i]);
    return CUBLAS_STATUS_SUCCESS;
}
