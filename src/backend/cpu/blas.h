/* Products of large matrices, and singular values, by OpenBLAS, one thread a call where it lets us: our threads are
 * outside.
 *
 * Whether several of our threads may call at once depends on its build, asked for at every call:
 *   with threads (pthreads), set to one    calls overlap freely; what the command and the benchmarks set
 *   with threads, set to more              one call at a time, which uses OpenBLAS's own threads inside
 *   without threads, or with OpenMP        one call at a time: they look for a free buffer without a lock, and two
 * calls at once can be given the same one and return wrong numbers
 * The number of its threads is process-wide, so the
 * library leaves it alone: it is the program's to set, by openblas_set_num_threads(1) or OPENBLAS_NUM_THREADS=1. */
#ifndef JC_BACKEND_CPU_BLAS_H
#define JC_BACKEND_CPU_BLAS_H

#include <stdbool.h>
#include <stdint.h>

#include "jacchain.h"

/* C[m x n] = (add ? C : 0) + op(A) op(B), row-major, k products in a sum; sizes and leading dimensions fit an int. */
typedef void jc_blas_gemm_function(jc_dtype dtype, bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                                   const void *a, int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc,
                                   int add);

/* values [n], ascending: the eigenvalues of a symmetric matrix A (n x n, finite), by LAPACK's dsyev; A becomes its
 * eigenvectors of length 1, number i in A[i n] .. A[i n + n - 1]. JC_E_USAGE where it is too large, JC_E_DEVICE where
 * the iteration does not converge. Cost: O(n^3). */
typedef jc_status jc_blas_symmetric_function(const jc_allocator *allocator, int64_t n, double *a, double *values);
extern jc_blas_symmetric_function *const jc_blas_symmetric;

/* NULL, as all here: built without OpenBLAS, and loops do everything. */
extern jc_blas_gemm_function *const jc_blas_gemm;

/* values [min(m, n)]: the singular values of the m x n matrix A (column-major, finite; used up), largest first, by
 * LAPACK's dgesdd, which comes with OpenBLAS: a matrix much longer than wide is first reduced by QR. Each is within a
 * small multiple of 2^-53 times the largest. JC_E_USAGE where a size does not fit an int, JC_E_DEVICE where the
 * iteration does not converge. Cost: O(m n min(m, n)). */
typedef jc_status jc_blas_singular_function(const jc_allocator *allocator, int64_t m, int64_t n, double *a,
                                            double *values);
extern jc_blas_singular_function *const jc_blas_singular_values;

#endif
