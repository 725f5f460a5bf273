#include "backend/cpu/blas.h"

#include <cblas.h>
#include <pthread.h>

static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static bool calls_may_overlap(void)
{
    return openblas_get_parallel() == OPENBLAS_THREAD && openblas_get_num_threads() == 1;
}

static CBLAS_TRANSPOSE operation(bool transpose)
{
    return transpose ? CblasTrans : CblasNoTrans;
}

static void gemm(jc_dtype dtype, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, const void *a,
                 int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc, int add)
{
    blasint im = (blasint)m, in = (blasint)n, ik = (blasint)k, ia = (blasint)lda, ib = (blasint)ldb, ic = (blasint)ldc;
    CBLAS_TRANSPOSE op_a = operation(transpose_a), op_b = operation(transpose_b);
    bool alone = !calls_may_overlap();
    if (alone) pthread_mutex_lock(&one_at_a_time);
    if (dtype == JC_F32)
        cblas_sgemm(CblasRowMajor, op_a, op_b, im, in, ik, 1, a, ia, b, ib, (float)add, c, ic);
    else
        cblas_dgemm(CblasRowMajor, op_a, op_b, im, in, ik, 1, a, ia, b, ib, add, c, ic);
    if (alone) pthread_mutex_unlock(&one_at_a_time);
}

jc_blas_gemm_function *const jc_blas_gemm = gemm;
