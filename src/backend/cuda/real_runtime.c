/* The CUDA runtime's part of the real table: one call each, its code passed on. */
#include "backend/cuda/real.h"

#include <assert.h>
#include <cuda_runtime_api.h>
#include <nvtx3/nvToolsExt.h>
#include <stdio.h>
#include <string.h>

static_assert(JC_GPU_NO_MEMORY == (int)cudaErrorMemoryAllocation, "the code that means: no memory");
static_assert(cudaSuccess == 0, "0 means: done");
static_assert(JC_GPU_TO_DEVICE == (int)cudaMemcpyHostToDevice && JC_GPU_TO_HOST == (int)cudaMemcpyDeviceToHost &&
                  JC_GPU_ON_DEVICE == (int)cudaMemcpyDeviceToDevice,
              "the directions of copies");
static_assert(__builtin_types_compatible_p(jc_gpu_stream, cudaStream_t), "streams are CUDA's");
static_assert(__builtin_types_compatible_p(jc_gpu_event, cudaEvent_t), "events are CUDA's");
static_assert(__builtin_types_compatible_p(jc_gpu_graph, cudaGraph_t), "graphs are CUDA's");
static_assert(__builtin_types_compatible_p(jc_gpu_exec, cudaGraphExec_t), "executable graphs are CUDA's");
static_assert(sizeof((struct cudaDeviceProp *)0)->name <= sizeof((jc_gpu_properties *)0)->name, "a name fits");
static_assert(CUDART_VERSION >= 13000, "CUDA 13 is what this was written for");

int jc_real_driver_version(int *version)
{
    return cudaDriverGetVersion(version);
}

int jc_real_runtime_version(int *version)
{
    return cudaRuntimeGetVersion(version);
}

int jc_real_device_count(int *count)
{
    return cudaGetDeviceCount(count);
}

/* Data moves at both edges of the clock: bytes/s = 2 x clock x width of the bus. 0 where the driver does not say. */
static double memory_bytes_per_s(int device)
{
    int clock_khz = 0, width_bits = 0;
    if (cudaDeviceGetAttribute(&clock_khz, cudaDevAttrMemoryClockRate, device) ||
        cudaDeviceGetAttribute(&width_bits, cudaDevAttrGlobalMemoryBusWidth, device)) {
        (void)cudaGetLastError();
        return 0;
    }
    return 2 * 1e3 * clock_khz * (width_bits / 8.0);
}

int jc_real_properties(int device, jc_gpu_properties *properties)
{
    struct cudaDeviceProp p;
    cudaError_t error = cudaGetDeviceProperties(&p, device);
    if (error) return error;
    *properties = (jc_gpu_properties){
        .major = p.major,
        .minor = p.minor,
        .multiprocessors = p.multiProcessorCount,
        .memory_bytes = (int64_t)p.totalGlobalMem,
        .l2_bytes = p.l2CacheSize,
        .bytes_per_s = memory_bytes_per_s(device),
    };
    memcpy(properties->name, p.name, sizeof p.name);
    properties->name[sizeof properties->name - 1] = '\0';
    return 0;
}

int jc_real_device_get(int *device)
{
    return cudaGetDevice(device);
}

int jc_real_device_set(int device)
{
    return cudaSetDevice(device);
}

int jc_real_memory_info(size_t *free_bytes, size_t *total_bytes)
{
    return cudaMemGetInfo(free_bytes, total_bytes);
}

int jc_real_allocate(void **d_ptr, size_t bytes)
{
    return cudaMalloc(d_ptr, bytes);
}

int jc_real_release(void *d_ptr)
{
    return cudaFree(d_ptr);
}

int jc_real_allocate_pinned(void **ptr, size_t bytes)
{
    return cudaMallocHost(ptr, bytes);
}

int jc_real_release_pinned(void *ptr)
{
    return cudaFreeHost(ptr);
}

int jc_real_copy(void *dst, const void *src, size_t bytes, jc_gpu_copy_kind kind, jc_gpu_stream stream)
{
    return cudaMemcpyAsync(dst, src, bytes, (enum cudaMemcpyKind)kind, stream);
}

int jc_real_copy_2d(void *dst, size_t dst_pitch, const void *src, size_t src_pitch, size_t width, size_t height,
                    jc_gpu_copy_kind kind, jc_gpu_stream stream)
{
    return cudaMemcpy2DAsync(dst, dst_pitch, src, src_pitch, width, height, (enum cudaMemcpyKind)kind, stream);
}

int jc_real_fill(void *d_ptr, int byte, size_t bytes, jc_gpu_stream stream)
{
    return cudaMemsetAsync(d_ptr, byte, bytes, stream);
}

int jc_real_stream_create(jc_gpu_stream *stream)
{
    return cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
}

int jc_real_stream_destroy(jc_gpu_stream stream)
{
    return cudaStreamDestroy(stream);
}

int jc_real_stream_synchronize(jc_gpu_stream stream)
{
    return cudaStreamSynchronize(stream);
}

int jc_real_stream_wait(jc_gpu_stream stream, jc_gpu_event event)
{
    return cudaStreamWaitEvent(stream, event, cudaEventWaitDefault);
}

int jc_real_event_create(jc_gpu_event *event)
{
    return cudaEventCreateWithFlags(event, cudaEventDisableTiming);
}

int jc_real_event_destroy(jc_gpu_event event)
{
    return cudaEventDestroy(event);
}

int jc_real_event_record(jc_gpu_event event, jc_gpu_stream stream)
{
    return cudaEventRecord(event, stream);
}

int jc_real_event_synchronize(jc_gpu_event event)
{
    return cudaEventSynchronize(event);
}

/* A capture that was made invalid is one still: it has to be ended. */
int jc_real_capture_state(jc_gpu_stream stream, bool *capturing)
{
    enum cudaStreamCaptureStatus status;
    cudaError_t error = cudaStreamIsCapturing(stream, &status);
    if (!error) *capturing = status != cudaStreamCaptureStatusNone;
    return error;
}

int jc_real_capture_begin(jc_gpu_stream stream)
{
    return cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal);
}

int jc_real_capture_end(jc_gpu_stream stream, jc_gpu_graph *graph)
{
    return cudaStreamEndCapture(stream, graph);
}

int jc_real_graph_destroy(jc_gpu_graph graph)
{
    return cudaGraphDestroy(graph);
}

int jc_real_exec_create(jc_gpu_exec *exec, jc_gpu_graph graph)
{
    return cudaGraphInstantiate(exec, graph, 0);
}

/* A graph of another shape is no failure: the caller makes a new executable one. */
int jc_real_exec_update(jc_gpu_exec exec, jc_gpu_graph graph, bool *updated)
{
    cudaGraphExecUpdateResultInfo info;
    cudaError_t error = cudaGraphExecUpdate(exec, graph, &info);
    if (error == cudaErrorGraphExecUpdateFailure) {
        *updated = false;
        (void)cudaGetLastError();
        return 0;
    }
    if (!error) *updated = true;
    return error;
}

int jc_real_exec_launch(jc_gpu_exec exec, jc_gpu_stream stream)
{
    return cudaGraphLaunch(exec, stream);
}

int jc_real_exec_destroy(jc_gpu_exec exec)
{
    return cudaGraphExecDestroy(exec);
}

int jc_real_last_error(void)
{
    return cudaGetLastError();
}

const char *jc_real_error_text(int code)
{
    static _Thread_local char text[256];
    const char *sentence = cudaGetErrorString((cudaError_t)code), *name = cudaGetErrorName((cudaError_t)code);
    snprintf(text, sizeof text, "%s (%s)", sentence, name);
    return text;
}

/* NVTX's functions are inline and look for a profiler by an environment variable: without one they do nothing. */
void jc_real_range_push(const char *name)
{
    (void)nvtxRangePushA(name);
}

void jc_real_range_pop(void)
{
    (void)nvtxRangePop();
}
