/* What the backend needs of a device, as one table of functions: the CUDA runtime, cuBLAS and the kernels. real.c fills
 * it with the real ones, tests/standin/ with a stand-in on host memory. Nothing here needs a CUDA header: streams and
 * handles are the same pointers to incomplete structs that CUDA's headers name.
 *
 * Calls return 0 or a code that `error_text` (blas_text for the blas_ ones) explains; code JC_GPU_NO_MEMORY is that of
 * memory that is not there. All work is asynchronous in a stream unless said otherwise. */
#ifndef JC_BACKEND_CUDA_GPU_H
#define JC_BACKEND_CUDA_GPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/work.h"

typedef struct CUstream_st *jc_gpu_stream;
typedef struct CUevent_st *jc_gpu_event;
typedef struct CUgraph_st *jc_gpu_graph;
typedef struct CUgraphExec_st *jc_gpu_exec;
typedef struct cublasContext *jc_gpu_blas;

enum { JC_GPU_NO_MEMORY = 2, JC_GPU_BLAS_NO_MEMORY = 3 }; /* cudaErrorMemoryAllocation, CUBLAS_STATUS_ALLOC_FAILED */

typedef enum jc_gpu_copy_kind { JC_GPU_TO_DEVICE = 1, JC_GPU_TO_HOST = 2, JC_GPU_ON_DEVICE = 3 } jc_gpu_copy_kind;

typedef struct jc_gpu_properties {
    char name[256];
    int major, minor; /* compute capability */
    int multiprocessors;
    int64_t memory_bytes, l2_bytes;
    double bytes_per_s; /* of device memory, from bus width and clock; 0: not known */
} jc_gpu_properties;

/* A product of column-major matrices, as cuBLAS has it, count times:
 *   C [m x n] = op_a(A) [m x k] op_b(B) [k x n] + beta C
 * n = 1 with `vector`: gemv (op_a(A) x; x has stride ldb where op_b is transposed, else 1). A and B are of type `in`, C
 * of type `out`; f32 products are formed in f32, or with tf32 operands. */
typedef enum jc_gpu_form { JC_GPU_PLAIN, JC_GPU_STRIDED, JC_GPU_POINTERS } jc_gpu_form;

typedef struct jc_gpu_product {
    jc_gpu_form form; /* POINTERS: a, b, c are arrays of `count` pointers in device memory */
    bool vector, transpose_a, transpose_b, tf32;
    int in, out; /* F64 F64, F32 F32 or BF16 F32 */
    int64_t m, n, k, count;
    const void *a, *b;
    void *c;
    int64_t lda, ldb, ldc;
    int64_t stride_a, stride_b, stride_c; /* STRIDED: elements from one to the next */
    double beta;                          /* 0: C is not read */
} jc_gpu_product;

/* The state of a handle that may be the caller's: saved before a run's calls, put back after them. */
typedef struct jc_gpu_blas_state {
    jc_gpu_stream stream;
    int pointer_mode, math_mode, atomics_mode;
} jc_gpu_blas_state;

typedef struct jc_gpu_api {
    const char *name; /* "cuda" */

    /* devices; only device_set and memory_info make a context. driver_version: 0 where there is no driver */
    int (*driver_version)(int *version);
    int (*runtime_version)(int *version);
    int (*device_count)(int *count);
    int (*properties)(int device, jc_gpu_properties *properties);
    int (*device_get)(int *device); /* of this thread */
    int (*device_set)(int device);
    int (*memory_info)(size_t *free_bytes, size_t *total_bytes); /* of the current device */

    /* memory; `allocate` and `release` may synchronise */
    int (*allocate)(void **d_ptr, size_t bytes); /* 256-byte aligned */
    int (*release)(void *d_ptr);
    int (*allocate_pinned)(void **ptr, size_t bytes);
    int (*release_pinned)(void *ptr);
    int (*copy)(void *dst, const void *src, size_t bytes, jc_gpu_copy_kind kind, jc_gpu_stream stream);
    int (*copy_2d)(void *dst, size_t dst_pitch, const void *src, size_t src_pitch, size_t width, size_t height,
                   jc_gpu_copy_kind kind, jc_gpu_stream stream);
    int (*fill)(void *d_ptr, int byte, size_t bytes, jc_gpu_stream stream);

    /* streams (that do not wait for the legacy one) and events (without timing) */
    int (*stream_create)(jc_gpu_stream *stream);
    int (*stream_destroy)(jc_gpu_stream stream);
    int (*stream_synchronize)(jc_gpu_stream stream);
    int (*stream_wait)(jc_gpu_stream stream, jc_gpu_event event);
    int (*event_create)(jc_gpu_event *event);
    int (*event_destroy)(jc_gpu_event event);
    int (*event_record)(jc_gpu_event event, jc_gpu_stream stream);
    int (*event_synchronize)(jc_gpu_event event);

    /* capture (of this thread's calls only) and graphs */
    int (*capture_state)(jc_gpu_stream stream, bool *capturing);
    int (*capture_begin)(jc_gpu_stream stream);
    int (*capture_end)(jc_gpu_stream stream, jc_gpu_graph *graph);
    int (*graph_destroy)(jc_gpu_graph graph);
    int (*exec_create)(jc_gpu_exec *exec, jc_gpu_graph graph);
    int (*exec_update)(jc_gpu_exec exec, jc_gpu_graph graph, bool *updated);
    int (*exec_launch)(jc_gpu_exec exec, jc_gpu_stream stream);
    int (*exec_destroy)(jc_gpu_exec exec);

    /* errors. last_error: of this thread, and forgets it */
    int (*last_error)(void);
    const char *(*error_text)(int code); /* "out of memory (cudaErrorMemoryAllocation)" */

    /* kernels. load: all that `launch` may need of them, on the current device. launch: grid, block and shared memory
     * from the work; returns the launch's error */
    int (*kernels_load)(void);
    int (*launch)(const jc_gpu_launch *launch, jc_gpu_stream stream);

    /* cuBLAS. blas_load fills the table the first time; not 0: blas_text says what was not found. Every other call but
     * blas_text fails where it was not filled; blas_version: major * 10000 + minor * 100 + patch */
    int (*blas_load)(void);
    int (*blas_version)(int *version);
    int (*blas_create)(jc_gpu_blas *handle);
    int (*blas_destroy)(jc_gpu_blas handle);
    int (*blas_save)(jc_gpu_blas handle, jc_gpu_blas_state *state);
    int (*blas_restore)(jc_gpu_blas handle, const jc_gpu_blas_state *state);
    /* stream, then workspace (256-byte aligned), host pointers for alpha and beta, no atomics, exact f32 math */
    int (*blas_configure)(jc_gpu_blas handle, jc_gpu_stream stream, void *d_workspace, size_t bytes);
    int (*blas_product)(jc_gpu_blas handle, const jc_gpu_product *product);
    const char *(*blas_text)(int code);

    /* The storage of a value, no longer read; queued in the stream, and captured, like a fill. For stand-ins that find
     * reads of what is dead; else NULL. */
    int (*dead)(void *d_ptr, size_t bytes, jc_gpu_stream stream);

    /* Ranges shown by profilers; may do nothing. */
    void (*range_push)(const char *name);
    void (*range_pop)(void);
} jc_gpu_api;

/* The real one; only where jacchain was built with CUDA. */
extern const jc_gpu_api jc_gpu_real;

#endif
