/*
 * jacchain on a device: everything in device memory, on the caller's stream.
 *
 *   jc_array values = jc_array_2d(JC_F32, 64, 64, d_values);   // numbers in device memory:
 *   values.ownership = JC_DEVICE;                              // never read by the host
 *   ...                                                        // graph, query, plan as in jacchain.h
 *   jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
 *   options.backend = "cuda";
 *   jc_program_create(plan, &options, &program);
 *   jc_cuda_run_create(program, NULL, &run);
 *   jc_cuda_bind_output(run, 0, &(jc_cuda_array){.dtype = JC_F32, .d_data = d_gradient}, 1, NULL);   // added to
 *   jc_cuda_execute(run, stream);                              // asynchronous
 *
 * A run allocates and synchronises when it is made and when something is bound, never when it is executed. It changes
 * no state of the process: the current device is put back after every call. Executions of a run use its memory: they
 * follow each other, on whatever streams. Under the caller's capture the operations are issued into it one by one;
 * while the captured graph is in use nothing may be bound.
 *
 * No CUDA header is needed: struct CUstream_st * is cudaStream_t, struct cublasContext * is cublasHandle_t.
 * Every function returns JC_E_USAGE for a program or run of another backend.
 */
#ifndef JACCHAIN_CUDA_H
#define JACCHAIN_CUDA_H

#include "jacchain.h"

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default) /* what a shared library shows */
#endif

struct CUstream_st;
struct cublasContext;

/* Device memory for a run. device_alloc: 256-byte aligned memory in *d_ptr, or not 0 when there is none; device_free
 * gets the bytes asked for. stream: where the memory is first used, or was last. Copied; ctx is borrowed until the
 * run's end. */
typedef struct jc_cuda_allocator {
    void *ctx;
    int (*device_alloc)(void *ctx, void **d_ptr, size_t bytes, struct CUstream_st *stream);
    void (*device_free)(void *ctx, void *d_ptr, size_t bytes, struct CUstream_st *stream);
} jc_cuda_allocator;

typedef struct jc_cuda_run_options {
    size_t struct_size;
    void *d_workspace;      /* 256-byte aligned, borrowed until the run's end; NULL: allocated */
    size_t workspace_bytes; /* at least jc_cuda_workspace_bytes */
    const jc_cuda_allocator
        *allocator;             /* copied; NULL: cudaMalloc and cudaFree. Not asked where there is a workspace */
    struct CUstream_st *stream; /* for set-up and jc_run_execute, borrowed likewise; NULL: one of its own */
    struct cublasContext *blas; /* borrowed likewise; its settings are put back after every use, its workspace is the
                                 * run's from then on. NULL: one of its own */
    int no_capture;             /* 1: operations are issued one by one, never as a captured graph */
} jc_cuda_run_options;

#define JC_CUDA_RUN_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        sizeof(jc_cuda_run_options), 0, 0, 0, 0, 0, 0                                                                  \
    }

/* Bytes of device memory that a run of the program takes, all of it: what jc_program_info calls peak_bytes. */
jc_status jc_cuda_workspace_bytes(const jc_program *program, int64_t *bytes);

/* As jc_run_create. options NULL: the defaults. Host numbers of the graph are copied to the device now: changing them
 * later has no effect until they are bound again. Not to be called while a stream of this thread is captured.
 * JC_E_MEMORY with the bytes needed and free, JC_E_DEVICE with the failing call and its reason. */
jc_status jc_cuda_run_create(const jc_program *program, const jc_cuda_run_options *options, jc_run **run);

/* Numbers in device memory, aligned to their own size, borrowed until bound again or the run's end. Strides in numbers:
 * from a row to the next, from a block of the batch, from an edge of the group; 0: without gaps. */
typedef struct jc_cuda_array {
    jc_dtype dtype;
    void *d_data;
    int64_t ld, block_stride, member_stride;
} jc_cuda_array;

/* What new addresses asked for: nothing (they are the same), one upload of a table (own kernels and calls with pointer
 * arrays read addresses there), or a new capture (other cuBLAS calls hold them by value). */
typedef enum jc_cuda_rebind { JC_CUDA_REBIND_NOTHING, JC_CUDA_REBIND_TABLE, JC_CUDA_REBIND_CAPTURE } jc_cuda_rebind;

/* As jc_run_bind_jacobian, with numbers in device memory: of the type that the graph has. ld and strides are those of
 * `values` of a dense Jacobian, `x` of a weight, `u` and `v` of a low_rank one; diagonal and csr have no ld, and a
 * group whose edges differ in shape has no strides: its numbers are flat. Waits for the run's executions. what: may be
 * NULL. */
jc_status jc_cuda_bind_jacobian(jc_run *run, int64_t edge, const char *field, const jc_cuda_array *numbers,
                                jc_cuda_rebind *what);

/* As jc_run_bind_seed: a row-major matrix with ld from a row to the next. */
jc_status jc_cuda_bind_seed(jc_run *run, const jc_cuda_array *seed, jc_cuda_rebind *what);

/* Result `index` (its element (i,j) of block b) goes to d_data[b block_stride + i ld + j], in the program's working
 * type, after every execution: in place of what is there, or with accumulate 1 added to it. output NULL or d_data NULL:
 * it stays in the run. member_stride is not used. */
jc_status jc_cuda_bind_output(jc_run *run, int64_t index, const jc_cuda_array *output, int accumulate,
                              jc_cuda_rebind *what);

/* Callbacks of an operator edge on device memory, in place of those on the host (with which a run cannot be captured,
 * and which wait for the device). apply is as in jc_operator, its work goes to `stream`; it is called once when the run
 * is captured, and must not allocate or synchronise. Its addresses stay the same as long as the run. user: borrowed
 * until bound again or the run's end. */
typedef struct jc_cuda_operator {
    int (*apply)(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *d_x, int64_t ldx, void *d_y,
                 int64_t ldy, int accumulate, struct CUstream_st *stream);
    void *user;
} jc_cuda_operator;
jc_status jc_cuda_bind_operator(jc_run *run, int64_t edge, const jc_cuda_operator *op);

/* Forms all products, asynchronously on the stream. JC_E_DEVICE: what could be seen now; more may come later. */
jc_status jc_cuda_execute(jc_run *run, struct CUstream_st *stream);

/* Waits for the executions and tells of errors that came up in them. After JC_E_DEVICE (other than
 * by an operator's callback) the run answers every further call with that error; whether the context is usable is in
 * jc_last_error(). */
jc_status jc_cuda_status(jc_run *run);

/* As jc_run_result, with the address in device memory: valid until the run's end, its numbers until the next execution.
 * Does not wait. */
jc_status jc_cuda_result(const jc_run *run, int64_t index, jc_result *result);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
