/* The device of bench/gpu/ on the stand-in: what device.c and device.cu are there, by plain loops on copies. */
#include "bench/gpu/gpu_bench.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "standin/device.h"

const jc_gpu_api *const gb_api = &jt_standin_api;
const jc_backend *const gb_backend = &jt_standin_backend.base;
jc_gpu_stream gb_stream;

typedef struct block {
    unsigned char *d_data;
    int64_t bytes;
} block;

static block device_blocks[4096];
static void *host_blocks[4096];
static int n_device, n_host;

void gb_check(int code, const char *what)
{
    cr_assert_eq(code, 0, "%s: %s: %s", what, gb_api->error_text(code), jt_standin_first());
}

void gb_check_blas(int code, const char *what)
{
    cr_assert_eq(code, 0, "%s: %s", what, gb_api->blas_text(code));
}

void gb_open(void)
{
    gb_check(gb_api->stream_create(&gb_stream), "a stream");
}

void gb_wait(void)
{
    gb_check(gb_api->stream_synchronize(gb_stream), "waiting");
}

void *gb_device(int64_t bytes)
{
    void *d_data;
    gb_check(gb_api->allocate(&d_data, (size_t)(bytes > 0 ? bytes : 1)), "device memory");
    device_blocks[n_device++] = (block){d_data, bytes};
    return d_data;
}

static void put(void *d_to, const void *from, int64_t bytes)
{
    if (bytes) gb_check(gb_api->copy(d_to, from, (size_t)bytes, JC_GPU_TO_DEVICE, gb_stream), "copying there");
    gb_wait();
}

void *gb_device_copy(const void *data, int64_t bytes)
{
    void *d_data = gb_device(bytes);
    put(d_data, data, bytes);
    return d_data;
}

void *gb_zeros(int64_t bytes)
{
    void *d_data = gb_device(bytes);
    gb_check(gb_api->fill(d_data, 0, (size_t)bytes, gb_stream), "zeros");
    gb_wait();
    return d_data;
}

void *gb_host(int64_t count, size_t element_bytes)
{
    void *data = calloc((size_t)(count > 0 ? count : 1), element_bytes);
    cr_assert_not_null(data);
    return host_blocks[n_host++] = data;
}

void gb_free_all(void)
{
    gb_wait();
    while (n_device) gb_check(gb_api->release(device_blocks[--n_device].d_data), "freeing");
    while (n_host) free(host_blocks[--n_host]);
}

/* One execution, of which the time means nothing. */
double gb_time(void (*run)(void *ctx), void *ctx)
{
    run(ctx);
    gb_wait();
    return 1e-3;
}

double gb_seconds(void)
{
    return 0;
}

/* The vendor's libraries are not there. */
double gb_cublas_chain(int64_t count, int64_t n, int64_t k, int in, int out, bool tf32)
{
    (void)count, (void)n, (void)k, (void)in, (void)out, (void)tf32;
    return 1e-3;
}

double gb_cublas_rnn(int64_t count, int64_t batch, int64_t n, int64_t steps, int64_t wide)
{
    (void)count, (void)batch, (void)n, (void)steps, (void)wide;
    return 1e-3;
}

double gb_cusparse(const gb_work *w)
{
    (void)w;
    return 1e-3;
}

/* ---- the kernels ------------------------------------------------------------------------------------------------- */

/* A copy of device memory from d_data to the end of its block; to be freed. */
static void *fetch(const void *d_data, int64_t *bytes)
{
    const unsigned char *d = d_data;
    int i = 0;
    if (!d) return NULL;
    while (i < n_device && !(d >= device_blocks[i].d_data && d <= device_blocks[i].d_data + device_blocks[i].bytes))
        i++;
    int64_t n = 0;
    if (i < n_device) n = device_blocks[i].bytes - (d - device_blocks[i].d_data);
    cr_assert_gt(n, 0, "not in device memory");
    void *data = malloc((size_t)n);
    gb_check(gb_api->copy(data, d, (size_t)n, JC_GPU_TO_HOST, gb_stream), "copying back");
    gb_wait();
    if (bytes) *bytes = n;
    return data;
}

static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    return x ^ (x >> 31);
}

int gb_fill(void *d_data, int dtype, int64_t n, uint64_t seed, double scale, jc_gpu_stream stream)
{
    (void)stream;
    cr_assert(dtype == JC_F64 || dtype == JC_F32);
    double *wide = malloc((size_t)n * 8);
    float *narrow = (float *)wide;
    for (int64_t i = 0; i < n; i++) {
        double x = scale * ((double)(mix(seed * 7919 + (uint64_t)i) >> 11) * 0x1p-52 - 1.0);
        if (dtype == JC_F64)
            wide[i] = x;
        else
            narrow[i] = (float)x;
    }
    put(d_data, wide, n * (dtype == JC_F64 ? 8 : 4));
    free(wide);
    return 0;
}

int gb_signs(double *d_data, int64_t n, uint64_t seed, jc_gpu_stream stream)
{
    (void)stream;
    double *data = malloc((size_t)n * 8);
    for (int64_t i = 0; i < n; i++) data[i] = mix(seed + (uint64_t)i) & 1 ? 1 : -1;
    put(d_data, data, n * 8);
    free(data);
    return 0;
}

static double load(const void *data, int dtype, int64_t at)
{
    return dtype == JC_F64 ? ((const double *)data)[at] : (double)((const float *)data)[at];
}

/* Row i of the block of edge e times x. */
static double row_product(const gb_forward *f, int64_t e, int64_t i, const void *numbers, const int32_t *start,
                          const int32_t *index, const double *x)
{
    double sum = 0;
    int64_t h = f->m ? f->p / f->m : 1, w = h ? f->q / h : 1;
    switch (f->kind) {
    case JC_DENSE:
        for (int64_t j = 0; j < f->q; j++) sum += load(numbers, f->dtype, (e * f->p + i) * f->q + j) * x[j];
        return sum;
    case JC_CSR:
        for (int64_t n = start[e * (f->p + 1) + i]; n < start[e * (f->p + 1) + i + 1]; n++)
            sum += load(numbers, f->dtype, e * f->m + n) * x[index[e * f->m + n]];
        return sum;
    case JC_WEIGHT:
        for (int64_t l = 0; l < w; l++) sum += load(numbers, f->dtype, (e * f->m + i / h) * w + l) * x[i % h * w + l];
        return sum;
    case JC_DIAGONAL:
        return load(numbers, f->dtype, e * f->p + i) * x[i];
    case JC_SELECT:
        return f->scale * x[index[e * f->p + i]];
    default:
        return f->scale * x[i % f->q];
    }
}

int gb_forward_run(const gb_forward *f, jc_gpu_stream stream)
{
    int64_t bytes;
    (void)stream;
    double *value = fetch(f->d_value, &bytes);
    void *numbers = fetch(f->d_numbers, NULL);
    int32_t *start = fetch(f->d_indptr, NULL), *index = fetch(f->d_indices, NULL);
    int64_t *of = fetch(f->d_of, NULL), *wrt = fetch(f->d_wrt, NULL);
    for (int64_t e = 0; e < f->count; e++)
        for (int64_t b = 0; b < f->batch; b++)
            for (int64_t i = 0; i < f->p; i++)
                value[of[e] + b * f->p + i] += row_product(f, e, i, numbers, start, index, value + wrt[e] + b * f->q);
    put(f->d_value, value, bytes);
    free(value), free(numbers), free(start), free(index), free(of), free(wrt);
    return 0;
}

int gb_rows(const void *d_a, int dtype, int64_t ld, int64_t k, int64_t n, const double *d_r, double *d_dot,
            double *d_norm, jc_gpu_stream stream)
{
    (void)stream;
    int64_t width = dtype == JC_F64 ? 8 : 4, dot_bytes, norm_bytes;
    unsigned char *a = malloc((size_t)(((k - 1) * ld + n) * width));
    gb_check(gb_api->copy(a, d_a, (size_t)(((k - 1) * ld + n) * width), JC_GPU_TO_HOST, gb_stream), "copying back");
    gb_wait();
    double *r = fetch(d_r, NULL), *dot = fetch(d_dot, &dot_bytes), *norm = fetch(d_norm, &norm_bytes);
    for (int64_t i = 0; i < k; i++)
        for (int64_t j = 0; j < n; j++) {
            double v = load(a, dtype, i * ld + j);
            dot[i] += v * r[j], norm[i] += v * v;
        }
    put(d_dot, dot, dot_bytes);
    put(d_norm, norm, norm_bytes);
    free(a), free(r), free(dot), free(norm);
    return 0;
}
