/* The table of a real device's calls, as far as it can be tested without a device: it is complete, calls that cannot
 * work say so, and what cuBLAS is handed is the product that was asked for. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "backend/cuda/real.h"
#include "jacchain.h"
#include "support/fake_cublas/fake_cublas.h"

static const jc_gpu_api *const api = &jc_gpu_real;

Test(real, table_has_no_gaps)
{
    cr_assert_str_eq(api->name, "cuda");
    for (size_t at = offsetof(jc_gpu_api, driver_version); at < sizeof *api; at += sizeof(void *)) {
        void *entry;
        if (at == offsetof(jc_gpu_api, dead)) continue; /* only for stand-ins */
        memcpy(&entry, (const char *)api + at, sizeof entry);
        cr_assert_not_null(entry, "the entry at byte %zu", at);
    }
}

Test(real, errors_have_a_sentence_and_a_name)
{
    cr_assert_str_eq(api->error_text(JC_GPU_NO_MEMORY), "out of memory (cudaErrorMemoryAllocation)");
    cr_assert_not_null(strstr(api->error_text(35), "cudaErrorInsufficientDriver"));
}

/* Without a driver every call fails and says why; with one the devices can be asked. */
Test(real, calls_without_a_driver_fail_and_say_so)
{
    int driver = -1, runtime = 0, count = 0, code;
    cr_assert_eq(api->driver_version(&driver), 0);
    cr_assert_eq(api->runtime_version(&runtime), 0);
    cr_assert_geq(runtime, 13000);
    code = api->device_count(&count);
    if (driver > 0) {
        jc_gpu_properties p;
        cr_assert(code || count == 0 || api->properties(0, &p) == 0);
        return;
    }
    void *memory = NULL;
    jc_gpu_stream stream;
    cr_assert_eq(driver, 0);
    cr_assert_neq(code, 0);
    cr_assert_not_null(strstr(api->error_text(code), "driver"), "%s", api->error_text(code));
    code = api->allocate(&memory, 256);
    cr_assert_neq(code, 0);
    cr_assert_eq(api->last_error(), code);
    cr_assert_neq(api->stream_create(&stream), 0);
    cr_assert_neq(api->kernels_load(), 0);
    api->range_push("a range");
    api->range_pop();
}

static bool process_has(const char *library)
{
    char line[1024];
    bool has = false;
    FILE *f = fopen("/proc/self/maps", "r");
    while (f && fgets(line, sizeof line, f)) has = has || strstr(line, library);
    if (f) fclose(f);
    return has;
}

/* L = y w of one number each. */
static void evaluate_on_cpu(void)
{
    double number = 2;
    int64_t w, y;
    jc_graph *graph;
    jc_results *results;
    jc_query query = JC_QUERY_INIT;
    jc_jacobian d = JC_JACOBIAN_INIT(JC_DENSE);
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    d.values = jc_array_2d(JC_F64, 1, 1, &number);
    options.program.backend = "cpu";
    cr_assert_eq(jc_graph_create(NULL, &graph), JC_OK);
    cr_assert_eq(jc_graph_add_variable(graph, "w", 1, &w), JC_OK);
    cr_assert_eq(jc_graph_add_variable(graph, "y", 1, &y), JC_OK);
    cr_assert_eq(jc_graph_add_edge(graph, y, w, &d, NULL, 0), JC_OK);
    cr_assert_eq(jc_graph_finish(graph), JC_OK);
    query.of = &y, query.n_of = 1, query.wrt = &w, query.n_wrt = 1;
    cr_assert_eq(jc_evaluate(graph, &query, &options, &results), JC_OK);
    jc_results_destroy(results);
    jc_graph_destroy(graph);
}

Test(real, cublas_is_loaded_when_it_is_used_and_not_before)
{
    int version = 0;
    jc_gpu_blas handle = NULL;
    evaluate_on_cpu();
    cr_assert_not(process_has("libcublas"));
    cr_assert_eq(api->blas_version(&version), JC_BLAS_NOT_LOADED);
    cr_assert_eq(api->blas_create(&handle), JC_BLAS_NOT_LOADED);
    cr_assert_str_eq(api->blas_text(JC_BLAS_NOT_LOADED), "cuBLAS was not loaded");
    cr_assert_eq(api->blas_load(), 0, "%s", api->blas_text(api->blas_load()));
    cr_assert(process_has("libcublas"));
    cr_assert_eq(api->blas_version(&version), 0);
    cr_assert_geq(version, 130000);
    cr_assert_not_null(strstr(api->blas_text(JC_GPU_BLAS_NO_MEMORY), "CUBLAS_STATUS_ALLOC_FAILED"));
    int driver = 0, code = api->driver_version(&driver);
    if (driver) return;
    cr_assert_eq(code, 0);
    code = api->blas_create(&handle);
    cr_assert_gt(code, 0, "a handle was made without a device");
    cr_assert_not_null(strstr(api->blas_text(code), "CUBLAS_STATUS_"));
}

/* Too little address space for a library of 50 MB. */
Test(real, cublas_that_cannot_be_loaded_says_why)
{
    struct rlimit limit;
    int version;
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    cr_assert(f && fscanf(f, "%ld", &pages) == 1);
    fclose(f);
    limit.rlim_cur = limit.rlim_max = (rlim_t)pages * 4096 + (8 << 20);
    cr_assert_eq(setrlimit(RLIMIT_AS, &limit), 0);
    int code = api->blas_load();
    cr_assert_eq(code, JC_BLAS_NOT_FOUND);
    cr_assert_not_null(strstr(api->blas_text(code), "cuBLAS cannot be loaded: libcublas"), "%s", api->blas_text(code));
    cr_assert_eq(api->blas_version(&version), JC_BLAS_NOT_LOADED);
    cr_assert_eq(api->blas_load(), code, "it was tried again");
}

/* ---- with the library of tests/support/fake_cublas as the cuBLAS of this process ---- */

static jc_gpu_blas fake_handle(void)
{
    jc_gpu_blas handle = NULL;
    cr_assert_not_null(dlopen(JC_FAKE_CUBLAS, RTLD_NOW | RTLD_GLOBAL), "%s", dlerror());
    cr_assert_eq(api->blas_load(), 0, "%s", api->blas_text(JC_BLAS_NOT_FOUND));
    cr_assert_eq(api->blas_create(&handle), 0);
    return handle;
}

static void *load_it(void *result)
{
    *(int *)result = api->blas_load();
    return jc_cublas_table() ? result : NULL;
}

Test(real, threads_load_cublas_once)
{
    enum { N = 8 };
    pthread_t threads[N];
    int results[N];
    cr_assert_not_null(dlopen(JC_FAKE_CUBLAS, RTLD_NOW | RTLD_GLOBAL), "%s", dlerror());
    for (int i = 0; i < N; i++) cr_assert_eq(pthread_create(&threads[i], NULL, load_it, &results[i]), 0);
    for (int i = 0; i < N; i++) {
        void *told;
        cr_assert_eq(pthread_join(threads[i], &told), 0);
        cr_assert(told && results[i] == 0, "thread %d", i);
    }
}

Test(real, what_the_process_has_already_is_taken)
{
    int version;
    jc_gpu_blas handle = fake_handle();
    cr_assert_eq(api->blas_version(&version), 0);
    cr_assert_eq(version, 130705);
    cr_assert_str_eq(api->blas_text(CUBLAS_STATUS_INVALID_VALUE), "an invalid value (FAKE_INVALID)");
    cr_assert_not(process_has("libcublas.so"));
    cr_assert_eq(api->blas_destroy(handle), 0);
}

Test(real, configuring_sets_everything_and_restoring_puts_it_back)
{
    static _Alignas(256) char workspace[512];
    jc_gpu_blas h = fake_handle();
    jc_gpu_stream theirs = (jc_gpu_stream)workspace, ours = (jc_gpu_stream)(workspace + 1);
    jc_gpu_blas_state state;
    h->stream = theirs;
    h->pointer_mode = CUBLAS_POINTER_MODE_DEVICE;
    h->math_mode = CUBLAS_TF32_TENSOR_OP_MATH;
    h->atomics_mode = CUBLAS_ATOMICS_ALLOWED;
    cr_assert_eq(api->blas_save(h, &state), 0);
    cr_assert_eq(api->blas_configure(h, ours, workspace, sizeof workspace), 0);
    cr_assert(h->stream == ours && h->workspace == workspace && h->workspace_bytes == sizeof workspace);
    cr_assert_eq(h->pointer_mode, CUBLAS_POINTER_MODE_HOST);
    cr_assert_eq(h->math_mode, CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION);
    cr_assert_eq(h->atomics_mode, CUBLAS_ATOMICS_NOT_ALLOWED);
    cr_assert_neq(api->blas_configure(h, ours, workspace + 8, 256), 0, "the code of a call was lost");
    cr_assert_eq(api->blas_restore(h, &state), 0);
    cr_assert(h->stream == theirs && h->workspace == NULL);
    cr_assert_eq(h->pointer_mode, CUBLAS_POINTER_MODE_DEVICE);
    cr_assert_eq(h->math_mode, CUBLAS_TF32_TENSOR_OP_MATH);
    cr_assert_eq(h->atomics_mode, CUBLAS_ATOMICS_ALLOWED);
    cr_assert_eq(api->blas_destroy(h), 0);
}

enum { COUNT = 3, EXTENT = 400 }; /* products of a call, room for the numbers of one matrix */

static int element_bytes(int type)
{
    return type == JC_GPU_F64 ? 8 : type == JC_GPU_F32 ? 4 : 2;
}

/* Small integers, exact in every type. */
static void put(void *data, int type, int64_t at, double value)
{
    float f = (float)value;
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    if (type == JC_GPU_F64) ((double *)data)[at] = value;
    if (type == JC_GPU_F32) ((float *)data)[at] = f;
    if (type == JC_GPU_BF16) ((uint16_t *)data)[at] = (uint16_t)(bits >> 16);
}

static double get(const void *data, int type, int64_t at)
{
    float f;
    if (type == JC_GPU_F64) return ((const double *)data)[at];
    if (type == JC_GPU_F32) return ((const float *)data)[at];
    uint32_t bits = (uint32_t)((const uint16_t *)data)[at] << 16;
    memcpy(&f, &bits, sizeof f);
    return f;
}

typedef struct numbers {
    double room[3][COUNT * EXTENT]; /* A, B, C */
    double before[COUNT * EXTENT];  /* C */
    void *pointers[3][COUNT];
} numbers;

static void fill(numbers *n, const jc_gpu_product *p)
{
    for (int which = 0; which < 3; which++)
        for (int64_t i = 0; i < COUNT * EXTENT; i++)
            put(n->room[which], which < 2 ? p->in : p->out, i, (double)((i * 7 + which * 5) % 11 - 5));
    memcpy(n->before, n->room[2], sizeof n->before);
    for (int which = 0; which < 3; which++) /* in another order than in memory */
        for (int i = 0; i < COUNT; i++)
            n->pointers[which][i] = (char *)n->room[which] +
                                    (int64_t)((i + which) % COUNT) * EXTENT * element_bytes(which < 2 ? p->in : p->out);
}

/* Where product i's matrix begins, in elements. */
static int64_t begins(const jc_gpu_product *p, int which, int64_t i)
{
    if (p->form == JC_GPU_POINTERS) return (i + which) % COUNT * EXTENT;
    return which == 0 ? i * p->stride_a : which == 1 ? i * p->stride_b : i * p->stride_c;
}

/* Every entry of C, and that nothing else was written: what gpu.h says of jc_gpu_product, by the definition. */
static void expect(const numbers *n, const jc_gpu_product *p)
{
    static double wanted[COUNT * EXTENT];
    for (int64_t i = 0; i < COUNT * EXTENT; i++) wanted[i] = get(n->before, p->out, i);
    for (int64_t e = 0; e < p->count; e++)
        for (int64_t i = 0; i < p->m; i++)
            for (int64_t j = 0; j < p->n; j++) {
                int64_t at = begins(p, 2, e) + i + j * p->ldc;
                double sum = p->beta * wanted[at];
                for (int64_t l = 0; l < p->k; l++)
                    sum +=
                        get(n->room[0], p->in, begins(p, 0, e) + (p->transpose_a ? l + i * p->lda : i + l * p->lda)) *
                        get(n->room[1], p->in, begins(p, 1, e) + (p->transpose_b ? j + l * p->ldb : l + j * p->ldb));
                wanted[at] = sum;
            }
    for (int64_t i = 0; i < COUNT * EXTENT; i++)
        cr_assert_eq(get(n->room[2], p->out, i), wanted[i],
                     "entry %lld, form %d, vector %d, transposed %d %d, types %d %d", (long long)i, (int)p->form,
                     p->vector, p->transpose_a, p->transpose_b, p->in, p->out);
}

static int expected_arithmetic(const jc_gpu_product *p)
{
    if (p->vector && p->in != JC_GPU_BF16) return -1;
    if (p->in == JC_GPU_F64) return CUBLAS_COMPUTE_64F;
    if (p->in == JC_GPU_BF16) return CUBLAS_COMPUTE_32F;
    return p->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32 : CUBLAS_COMPUTE_32F_PEDANTIC;
}

static void check_product(jc_gpu_blas handle, jc_gpu_product p)
{
    static numbers n;
    fill(&n, &p);
    bool by_pointers = p.form == JC_GPU_POINTERS;
    p.a = by_pointers ? (void *)n.pointers[0] : n.room[0];
    p.b = by_pointers ? (void *)n.pointers[1] : n.room[1];
    p.c = by_pointers ? (void *)n.pointers[2] : n.room[2];
    int products = handle->products;
    cr_assert_eq(api->blas_product(handle, &p), 0);
    cr_assert_eq(handle->products, products + 1);
    cr_assert_eq(handle->compute, expected_arithmetic(&p));
    expect(&n, &p);
}

Test(real, products_are_the_ones_asked_for)
{
    static const struct {
        int in, out;
        bool tf32;
    } types[] = {{JC_GPU_F64, JC_GPU_F64, false},
                 {JC_GPU_F32, JC_GPU_F32, false},
                 {JC_GPU_F32, JC_GPU_F32, true},
                 {JC_GPU_BF16, JC_GPU_F32, false}};
    jc_gpu_blas handle = fake_handle();
    for (int i = 0; i < 4 * 3 * 2 * 2 * 2 * 2; i++) {
        int type = i % 4, form = i / 4 % 3;
        bool vector = i / 12 % 2, transpose_a = i / 24 % 2, transpose_b = i / 48 % 2, add = i / 96 % 2;
        jc_gpu_product p = {.form = (jc_gpu_form)form, .vector = vector, .transpose_a = transpose_a};
        p.transpose_b = transpose_b, p.tf32 = types[type].tf32, p.in = types[type].in, p.out = types[type].out;
        p.m = 5, p.n = vector ? 1 : 4, p.k = 3, p.count = form == JC_GPU_PLAIN ? 1 : COUNT;
        p.lda = 7, p.ldb = 6, p.ldc = 9, p.beta = add;
        p.stride_a = 101, p.stride_b = 103, p.stride_c = 107;
        check_product(handle, p);
    }
    cr_assert_eq(api->blas_destroy(handle), 0);
}

Test(real, products_of_other_types_are_refused)
{
    jc_gpu_blas handle = fake_handle();
    jc_gpu_product p = {.m = 1, .n = 1, .k = 1, .count = 1, .lda = 1, .ldb = 1, .ldc = 1, .in = JC_GPU_F16};
    p.out = JC_GPU_F32;
    cr_assert_eq(api->blas_product(handle, &p), CUBLAS_STATUS_NOT_SUPPORTED);
    p.in = JC_GPU_F64, p.out = JC_GPU_F64, p.tf32 = true;
    cr_assert_eq(api->blas_product(handle, &p), CUBLAS_STATUS_NOT_SUPPORTED);
    cr_assert_eq(api->blas_destroy(handle), 0);
}
