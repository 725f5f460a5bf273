/* A library with the functions of cuBLAS that jacchain calls, computing by plain loops on host memory as its
 * documentation says, so that what is handed to cuBLAS can be tested where no device is. Loaded with RTLD_GLOBAL it is
 * the cuBLAS that the process has already. */
#ifndef JC_TESTS_FAKE_CUBLAS_H
#define JC_TESTS_FAKE_CUBLAS_H

#include <cublas_api.h>

/* What a handle points to. */
struct cublasContext {
    cudaStream_t stream;
    void *workspace;
    size_t workspace_bytes;
    int pointer_mode, math_mode, atomics_mode;
    int products; /* so far */
    int compute;  /* cublasComputeType_t of the last gemm; -1: a gemv */
};

#endif
