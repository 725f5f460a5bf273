/* OpenBLAS, one call at a time. Its builds without threads (Debian's libopenblas0-serial too) look for a free buffer
 * without a lock: two calls at once can be given the same one and return wrong numbers. Its builds with threads would
 * start theirs beside ours. So calls of all runs of the process pass one mutex, and products that several workers form
 * at once go by own loops. */
#ifndef JC_BACKEND_CPU_BLAS_H
#define JC_BACKEND_CPU_BLAS_H

#include <cblas.h>
#include <stdint.h>

#include "jacchain.h"

/* C[m x n] = (add ? C : 0) + op(A) op(B), row-major, k products in a sum; sizes and leading dimensions fit an int. */
void jc_blas_gemm(jc_dtype dtype, CBLAS_TRANSPOSE op_a, CBLAS_TRANSPOSE op_b, int64_t m, int64_t n, int64_t k,
                  const void *a, int64_t lda, const void *b, int64_t ldb, void *c, int64_t ldc, int add);

#endif
