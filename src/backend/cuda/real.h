/* The parts of the real table of device calls (real.c): the CUDA 13 runtime in real_runtime.c, products by cuBLAS in
 * real_blas.c, and where cuBLAS comes from in real_loader.c. Compiled only with CUDA (-DJACCHAIN_CUDA). */
#ifndef JC_BACKEND_CUDA_REAL_H
#define JC_BACKEND_CUDA_REAL_H

#include <cublas_api.h>
#include <library_types.h>

#include "backend/cuda/gpu.h"

/* The kernels' own two functions (kernels/). */
int jc_kernels_load(void);
int jc_kernels_launch(const jc_gpu_launch *launch, jc_gpu_stream stream);

/* real_runtime.c: as jc_gpu_api says */
int jc_real_driver_version(int *version);
int jc_real_runtime_version(int *version);
int jc_real_device_count(int *count);
int jc_real_properties(int device, jc_gpu_properties *properties);
int jc_real_device_get(int *device);
int jc_real_device_set(int device);
int jc_real_memory_info(size_t *free_bytes, size_t *total_bytes);
int jc_real_allocate(void **d_ptr, size_t bytes);
int jc_real_release(void *d_ptr);
int jc_real_allocate_pinned(void **ptr, size_t bytes);
int jc_real_release_pinned(void *ptr);
int jc_real_copy(void *dst, const void *src, size_t bytes, jc_gpu_copy_kind kind, jc_gpu_stream stream);
int jc_real_copy_2d(void *dst, size_t dst_pitch, const void *src, size_t src_pitch, size_t width, size_t height,
                    jc_gpu_copy_kind kind, jc_gpu_stream stream);
int jc_real_fill(void *d_ptr, int byte, size_t bytes, jc_gpu_stream stream);
int jc_real_stream_create(jc_gpu_stream *stream);
int jc_real_stream_destroy(jc_gpu_stream stream);
int jc_real_stream_synchronize(jc_gpu_stream stream);
int jc_real_stream_wait(jc_gpu_stream stream, jc_gpu_event event);
int jc_real_event_create(jc_gpu_event *event);
int jc_real_event_destroy(jc_gpu_event event);
int jc_real_event_record(jc_gpu_event event, jc_gpu_stream stream);
int jc_real_event_synchronize(jc_gpu_event event);
int jc_real_capture_state(jc_gpu_stream stream, bool *capturing);
int jc_real_capture_begin(jc_gpu_stream stream);
int jc_real_capture_end(jc_gpu_stream stream, jc_gpu_graph *graph);
int jc_real_graph_destroy(jc_gpu_graph graph);
int jc_real_exec_create(jc_gpu_exec *exec, jc_gpu_graph graph);
int jc_real_exec_update(jc_gpu_exec exec, jc_gpu_graph graph, bool *updated);
int jc_real_exec_launch(jc_gpu_exec exec, jc_gpu_stream stream);
int jc_real_exec_destroy(jc_gpu_exec exec);
int jc_real_last_error(void);
const char *jc_real_error_text(int code);
void jc_real_range_push(const char *name);
void jc_real_range_pop(void);

/* real_blas.c: likewise */
int jc_real_blas_version(int *version);
int jc_real_blas_create(jc_gpu_blas *handle);
int jc_real_blas_destroy(jc_gpu_blas handle);
int jc_real_blas_save(jc_gpu_blas handle, jc_gpu_blas_state *state);
int jc_real_blas_restore(jc_gpu_blas handle, const jc_gpu_blas_state *state);
int jc_real_blas_configure(jc_gpu_blas handle, jc_gpu_stream stream, void *d_workspace, size_t bytes);
int jc_real_blas_product(jc_gpu_blas handle, const jc_gpu_product *product);
const char *jc_real_blas_text(int code);

/* real_loader.c */

/* The functions of cuBLAS that are called, with the types that its header declares. */
typedef struct jc_cublas {
    __typeof__(&cublasGetProperty) get_property;
    __typeof__(&cublasGetStatusName) status_name;
    __typeof__(&cublasGetStatusString) status_string;
    __typeof__(&cublasCreate_v2) create;
    __typeof__(&cublasDestroy_v2) destroy;
    __typeof__(&cublasSetStream_v2) set_stream;
    __typeof__(&cublasGetStream_v2) get_stream;
    __typeof__(&cublasSetWorkspace_v2) set_workspace;
    __typeof__(&cublasSetPointerMode_v2) set_pointer_mode;
    __typeof__(&cublasGetPointerMode_v2) get_pointer_mode;
    __typeof__(&cublasSetMathMode) set_math_mode;
    __typeof__(&cublasGetMathMode) get_math_mode;
    __typeof__(&cublasSetAtomicsMode) set_atomics_mode;
    __typeof__(&cublasGetAtomicsMode) get_atomics_mode;
    __typeof__(&cublasSgemv_v2_64) sgemv;
    __typeof__(&cublasDgemv_v2_64) dgemv;
    __typeof__(&cublasSgemvStridedBatched_64) sgemv_strided;
    __typeof__(&cublasDgemvStridedBatched_64) dgemv_strided;
    __typeof__(&cublasSgemvBatched_64) sgemv_pointers;
    __typeof__(&cublasDgemvBatched_64) dgemv_pointers;
    __typeof__(&cublasGemmEx_64) gemm;
    __typeof__(&cublasGemmStridedBatchedEx_64) gemm_strided;
    __typeof__(&cublasGemmBatchedEx_64) gemm_pointers;
} jc_cublas;

/* Codes beside cublasStatus_t's. */
enum { JC_BLAS_NOT_LOADED = -1, JC_BLAS_NOT_FOUND = -2 };

/* Fills the table once for the process, the first time; 0, or JC_BLAS_NOT_FOUND. */
int jc_real_blas_load(void);

/* The table, or NULL where it was not filled. Safe in any thread. */
const jc_cublas *jc_cublas_table(void);

/* Why it could not be filled; "" before the first try and after success. */
const char *jc_cublas_trouble(void);

#endif
