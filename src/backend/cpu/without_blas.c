/* In place of blas.c where jacchain is built without OpenBLAS (-DJACCHAIN_BARE=ON). */
#include "backend/cpu/blas.h"

jc_blas_symmetric_function *const jc_blas_symmetric = NULL;
jc_blas_gemm_function *const jc_blas_gemm = NULL;
jc_blas_singular_function *const jc_blas_singular_values = NULL;
