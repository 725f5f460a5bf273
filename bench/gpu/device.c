#include "bench/gpu/gpu_bench.h"

#include <cuda_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "backend/cuda/cuda.h"

const jc_gpu_api *const gb_api = &jc_gpu_real;
const jc_backend *const gb_backend = &jc_backend_cuda.base;
jc_gpu_stream gb_stream;

static cudaEvent_t begin, end;
static void *device_blocks[4096], *host_blocks[4096];
static int n_device, n_host;

static void stop(const char *what, const char *why)
{
    fprintf(stderr, "bench_gpu: %s: %s\n", what, why);
    exit(4);
}

void gb_check(int code, const char *what)
{
    if (code) stop(what, gb_api->error_text(code));
}

void gb_check_blas(int code, const char *what)
{
    if (code) stop(what, gb_api->blas_text(code));
}

void gb_open(void)
{
    gb_check(gb_api->stream_create(&gb_stream), "a stream");
    gb_check(cudaEventCreate(&begin), "an event");
    gb_check(cudaEventCreate(&end), "an event");
    gb_check_blas(gb_api->blas_load(), "cuBLAS");
}

void gb_wait(void)
{
    gb_check(gb_api->stream_synchronize(gb_stream), "waiting");
}

void *gb_device(int64_t bytes)
{
    void *d_data = NULL;
    if (n_device == sizeof device_blocks / sizeof *device_blocks) stop("device memory", "too many blocks");
    gb_check(gb_api->allocate(&d_data, (size_t)(bytes > 0 ? bytes : 1)), "device memory");
    return device_blocks[n_device++] = d_data;
}

void *gb_device_copy(const void *data, int64_t bytes)
{
    void *d_data = gb_device(bytes);
    gb_check(gb_api->copy(d_data, data, (size_t)bytes, JC_GPU_TO_DEVICE, gb_stream), "copying to the device");
    gb_wait();
    return d_data;
}

void *gb_zeros(int64_t bytes)
{
    void *d_data = gb_device(bytes);
    gb_check(gb_api->fill(d_data, 0, (size_t)bytes, gb_stream), "zeros");
    return d_data;
}

void *gb_host(int64_t count, size_t element_bytes)
{
    if (n_host == sizeof host_blocks / sizeof *host_blocks) stop("memory", "too many blocks");
    void *data = calloc((size_t)(count > 0 ? count : 1), element_bytes);
    if (!data) stop("memory", "there is none");
    return host_blocks[n_host++] = data;
}

void gb_free_all(void)
{
    gb_wait();
    while (n_device) gb_check(gb_api->release(device_blocks[--n_device]), "freeing");
    while (n_host) free(host_blocks[--n_host]);
}

double gb_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double once(void (*run)(void *ctx), void *ctx)
{
    float ms = 0;
    gb_check(cudaEventRecord(begin, gb_stream), "recording");
    run(ctx);
    gb_check(cudaEventRecord(end, gb_stream), "recording");
    gb_check(cudaEventSynchronize(end), "waiting");
    gb_check(cudaEventElapsedTime(&ms, begin, end), "elapsed time");
    return 1e-3 * ms;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double gb_time(void (*run)(void *ctx), void *ctx)
{
    enum { LEAST = 5, MOST = 100 };
    double times[MOST], warm = once(run, ctx);
    warm = once(run, ctx);
    int n = (int)(0.33 / (warm > 1e-9 ? warm : 1e-9));
    n = n < LEAST ? LEAST : n > MOST ? MOST : n;
    for (int i = 0; i < n; i++) times[i] = once(run, ctx);
    qsort(times, (size_t)n, sizeof *times, by_size);
    return times[n / 2];
}

typedef struct replay {
    jc_gpu_exec exec;
} replay;

static void launch(void *ctx)
{
    gb_check(gb_api->exec_launch(((replay *)ctx)->exec, gb_stream), "launching a graph");
}

double gb_time_captured(void (*run)(void *ctx), void *ctx)
{
    jc_gpu_graph graph;
    replay r;
    gb_check(gb_api->capture_begin(gb_stream), "beginning a capture");
    run(ctx);
    gb_check(gb_api->capture_end(gb_stream, &graph), "ending a capture");
    gb_check(gb_api->exec_create(&r.exec, graph), "instantiating a graph");
    double seconds = gb_time(launch, &r);
    gb_check(gb_api->exec_destroy(r.exec), "destroying a graph");
    gb_check(gb_api->graph_destroy(graph), "destroying a graph");
    return seconds;
}
