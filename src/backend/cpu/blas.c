#include "backend/cpu/blas.h"

#include <cblas.h>
#include <limits.h>
#include <pthread.h>

#include "core/alloc.h"
#include "core/error.h"
#include "core/size.h"

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

/* LAPACK's, as below. */
void dsyev_(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda, double *w,
            double *work, const blasint *lwork, blasint *info, size_t jobz_length, size_t uplo_length);

static jc_status symmetric(const jc_allocator *alloc, int64_t n, double *a, double *values)
{
    double *work;
    if (n > 1 << 15) return jc_fail(JC_E_USAGE, "eigenvalues of a matrix of %lld rows: too large", (long long)n);
    blasint order = (blasint)n, lwork = 34 * order, info = 0; /* blocks of 32 */
    jc_status status = jc_alloc(alloc, lwork, sizeof *work, "the workspace of eigenvalues", &work);
    if (status) return status;
    bool alone = !calls_may_overlap();
    if (alone) pthread_mutex_lock(&one_at_a_time);
    dsyev_("V", "U", &order, a, &order, values, work, &lwork, &info, 1, 1);
    if (alone) pthread_mutex_unlock(&one_at_a_time);
    jc_free(alloc, work, lwork, sizeof *work);
    return info ? jc_fail(JC_E_DEVICE, "LAPACK's dsyev failed with code %lld", (long long)info) : JC_OK;
}

jc_blas_symmetric_function *const jc_blas_symmetric = symmetric;

/* LAPACK's, whose header is not part of OpenBLAS's packages; the length of the text is Fortran's hidden last argument.
 */
void dgesdd_(const char *jobz, const blasint *m, const blasint *n, double *a, const blasint *lda, double *s, double *u,
             const blasint *ldu, double *vt, const blasint *ldvt, double *work, const blasint *lwork, blasint *iwork,
             blasint *info, size_t jobz_length);

/* Singular values s of a; lwork -1: only says in work[0] how much work it wants. Returns LAPACK's info. */
static blasint singular_values(blasint m, blasint n, double *a, double *s, double *work, blasint lwork, blasint *iwork)
{
    blasint one = 1, info = 0;
    bool alone = !calls_may_overlap();
    if (alone) pthread_mutex_lock(&one_at_a_time);
    dgesdd_("N", &m, &n, a, &m, s, NULL, &one, NULL, &one, work, &lwork, iwork, &info, 1);
    if (alone) pthread_mutex_unlock(&one_at_a_time);
    return info;
}

static jc_status all_singular_values(const jc_allocator *alloc, int64_t m, int64_t n, double *a, double *s)
{
    const char *what = "the workspace of singular values";
    int64_t k = jc_min(m, n), lwork = 1;
    double *work = NULL, wanted = 1;
    blasint *iwork = NULL, info = 0;
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX / 8)
        return jc_fail(JC_E_USAGE, "singular values of a %lld x %lld matrix: too large", (long long)n, (long long)m);
    jc_status status = jc_alloc(alloc, 8 * k, sizeof *iwork, what, &iwork);
    if (!status) info = singular_values((blasint)m, (blasint)n, a, s, &wanted, -1, iwork);
    if (!status) lwork = wanted < INT_MAX ? (int64_t)wanted : INT_MAX;
    if (!status) status = jc_alloc(alloc, lwork, sizeof *work, what, &work);
    if (!status) info = singular_values((blasint)m, (blasint)n, a, s, work, (blasint)lwork, iwork);
    if (!status && info) status = jc_fail(JC_E_DEVICE, "LAPACK's dgesdd failed with code %lld", (long long)info);
    jc_free(alloc, work, lwork, sizeof *work);
    jc_free(alloc, iwork, 8 * k, sizeof *iwork);
    return status;
}

jc_blas_singular_function *const jc_blas_singular_values = all_singular_values;
