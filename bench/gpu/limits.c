/* What the device can do at best, measured in the same process as what is held against it. */
#include "bench/gpu/gpu_bench.h"

enum { GIB = 1 << 30, NODES = 1000 };

typedef struct job {
    void *d_a, *d_b;
    float *d_sink;
    int64_t bytes;
    int multiprocessors;
    jc_gpu_blas handle;
    jc_gpu_product product;
} job;

static void read_bytes(void *ctx)
{
    job *j = ctx;
    gb_check(gb_read(j->d_a, j->bytes, j->d_sink, j->multiprocessors, gb_stream), "reading");
}

static void copy_bytes(void *ctx)
{
    job *j = ctx;
    gb_check(gb_api->copy(j->d_b, j->d_a, (size_t)j->bytes, JC_GPU_ON_DEVICE, gb_stream), "copying");
}

static void empty_nodes(void *ctx)
{
    (void)ctx;
    for (int i = 0; i < NODES; i++) gb_check(gb_nothing(gb_stream), "a kernel");
}

static void multiply(void *ctx)
{
    job *j = ctx;
    gb_check_blas(gb_api->blas_product(j->handle, &j->product), "a product");
}

/* Operations per second of an n x n x n product on random numbers. */
static double product_rate(job *j, int64_t n, int in, int out, bool tf32)
{
    int64_t bytes = n * n * 8;
    void *d_a = gb_device(bytes), *d_b = gb_device(bytes), *d_c = gb_device(bytes);
    gb_check(gb_fill(d_a, in, n * n, 1, 1, gb_stream), "numbers");
    gb_check(gb_fill(d_b, in, n * n, 2, 1, gb_stream), "numbers");
    j->product = (jc_gpu_product){.form = JC_GPU_PLAIN, .tf32 = tf32, .in = in, .out = out, .m = n, .n = n, .k = n};
    j->product.count = 1, j->product.a = d_a, j->product.b = d_b, j->product.c = d_c;
    j->product.lda = j->product.ldb = j->product.ldc = n;
    double seconds = gb_time(multiply, j);
    return 2.0 * (double)n * (double)n * (double)n / seconds;
}

gb_limits gb_measure_limits(int multiprocessors, int64_t shrink)
{
    enum { WORKSPACE = 32 << 20 };
    job j = {.bytes = (int64_t)GIB * 4 / shrink, .multiprocessors = multiprocessors};
    int64_t n = 8192 / shrink;
    gb_limits l = {0};
    j.d_a = gb_device(j.bytes), j.d_b = gb_device(j.bytes), j.d_sink = gb_device(256);
    gb_check(gb_fill(j.d_a, JC_GPU_F32, j.bytes / 4, 3, 1, gb_stream), "numbers");
    l.read = (double)j.bytes / gb_time(read_bytes, &j);
    l.copy = 2.0 * (double)j.bytes / gb_time(copy_bytes, &j);
    l.node = gb_time_captured(empty_nodes, NULL) / NODES;
    gb_check_blas(gb_api->blas_create(&j.handle), "a handle");
    gb_check_blas(gb_api->blas_configure(j.handle, gb_stream, gb_device(WORKSPACE), WORKSPACE), "a handle");
    l.f32 = product_rate(&j, n, JC_GPU_F32, JC_GPU_F32, false);
    l.tf32 = product_rate(&j, n, JC_GPU_F32, JC_GPU_F32, true);
    l.bf16 = product_rate(&j, n, JC_GPU_BF16, JC_GPU_F32, false);
    l.f64 = product_rate(&j, n / 2, JC_GPU_F64, JC_GPU_F64, false);
    gb_wait();
    gb_check_blas(gb_api->blas_destroy(j.handle), "a handle");
    gb_free_all();
    return l;
}
