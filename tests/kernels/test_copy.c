/* CONVERT and DELIVER: every pair of types, strides, sums, bit for bit. */
#include <criterion/criterion.h>

#include <math.h>

#include "kernels/piece.h"

typedef struct copy_case {
    jc_gpu_launch launch;
    int64_t src_elements, dst_elements;
} copy_case;

static const int significant[] = {53, 24, 8, 11};

/* x as the type holds it: rounded once. Beyond f16's largest number it is infinite, below its normal ones it is a
 * multiple of 2^-24. */
static double stored(int dtype, double x)
{
    double y = jt_round_bits(x, significant[dtype]);
    if (dtype != JC_GPU_F16) return y;
    if (fabs(x) < 0x1p-14) return nearbyint(x * 0x1p24) * 0x1p-24;
    return fabs(y) >= 65536 ? copysign(INFINITY, x) : y;
}

/* dst + src in the wider type, as the kernel adds. */
static double added(const jc_gpu_launch *work, double dst, double src)
{
    if (work->src_dtype == JC_GPU_F64 || work->dst_dtype == JC_GPU_F64) return dst + src;
    return (float)dst + (float)src;
}

static double random_number(jt_rng *rng, int dtype)
{
    double x = ldexp(jt_unit(rng), (int)jt_between(rng, -18, 18));
    if (jt_below(rng, 8) == 0) x = ldexp((double)jt_between(rng, -4097, 4097), -3); /* ties */
    return stored(dtype, x);
}

/* Strides of [blocks][rows][columns] in a random order of axes, with gaps; returns the elements needed. */
static int64_t strides(jt_rng *rng, const int64_t n[3], int64_t stride[3], bool unit_columns)
{
    int order[3] = {0, 1, 2}; /* outermost first */
    if (!unit_columns && jt_below(rng, 2)) order[1] = 2, order[2] = 1;
    int64_t step = 1;
    for (int i = 2; i >= 0; i--) {
        stride[order[i]] = step;
        step *= n[order[i]];
        if (jt_below(rng, 3) == 0) step += jt_between(rng, 0, 3);
    }
    return step + 1;
}

static copy_case random_case(jt_rng *rng, int kernel, int src, int dst)
{
    int64_t n[3] = {jt_between(rng, 1, 3), jt_between(rng, 1, 70), jt_between(rng, 1, 70)}, s[3], d[3];
    copy_case c = {.launch = {.kernel = kernel, .dtype = JC_GPU_F32, .src_dtype = src, .dst_dtype = dst}};
    jc_gpu_launch *w = &c.launch;
    w->blocks = n[0], w->rows = n[1], w->columns = n[2];
    c.src_elements = strides(rng, n, s, true);
    c.dst_elements = strides(rng, n, d, kernel == JC_GPU_CONVERT);
    w->src_block = s[0], w->src_row = s[1], w->src_column = s[2];
    w->dst_block = d[0], w->dst_row = d[1], w->dst_column = d[2];
    w->accumulate = kernel == JC_GPU_DELIVER && jt_below(rng, 2);
    return c;
}

static void fill(jt_rng *rng, void *array, int dtype, int64_t n)
{
    for (int64_t i = 0; i < n; i++) jt_set_element(array, dtype, i, random_number(rng, dtype));
}

/* dst as it must be. */
static double *expected(jt_pool *pool, const copy_case *c)
{
    const jc_gpu_launch *w = &c->launch;
    double *y = jt_alloc(pool, c->dst_elements, sizeof *y);
    for (int64_t i = 0; i < c->dst_elements; i++) y[i] = jt_element(w->dst, w->dst_dtype, i);
    for (int64_t b = 0; b < w->blocks; b++)
        for (int64_t i = 0; i < w->rows; i++)
            for (int64_t j = 0; j < w->columns; j++) {
                double x = jt_element(w->src, w->src_dtype, b * w->src_block + i * w->src_row + j * w->src_column);
                double *to = y + b * w->dst_block + i * w->dst_row + j * w->dst_column;
                *to = stored(w->dst_dtype, w->accumulate ? added(w, *to, x) : x);
            }
    return y;
}

static void check_case(uint64_t seed, int kernel, int src, int dst)
{
    jt_pool pool = {0};
    jt_rng rng = {seed};
    jt_memory memory = {.pool = &pool};
    copy_case c = random_case(&rng, kernel, src, dst);
    size_t s_bytes = (size_t)c.src_elements * jt_number_bytes(src),
           d_bytes = (size_t)c.dst_elements * jt_number_bytes(dst);
    void *from = jt_memory_add(&memory, s_bytes, (int)(jt_below(&rng, 4) * (int64_t)jt_number_bytes(src)), false);
    void *to = jt_memory_add(&memory, d_bytes, (int)(jt_below(&rng, 4) * (int64_t)jt_number_bytes(dst)), true);
    fill(&rng, from, src, c.src_elements);
    fill(&rng, to, dst, c.dst_elements);
    c.launch.src = from;
    c.launch.dst = to;
    double *y = expected(&pool, &c);
    jt_emulation emulation = {(jt_thread_order)(seed % 3), seed, 1, jt_memory_access, &memory, 0};
    jt_emulation_set(&emulation);
    int code = jt_kernels_run(&c.launch);
    cr_assert_eq(code, 0, "seed %llu: %s", (unsigned long long)seed, jt_emulation_first());
    cr_assert_eq(memory.outside, 0);
    for (int64_t i = 0; i < c.dst_elements; i++)
        cr_assert(jt_element(to, dst, i) == y[i], "types %d to %d, seed %llu: element %lld is %g, expected %g", src,
                  dst, (unsigned long long)seed, (long long)i, jt_element(to, dst, i), y[i]);
    jt_pool_free(&pool);
}

TestSuite(copy, .timeout = 120);

Test(copy, every_pair_of_types)
{
    for (int kernel = JC_GPU_CONVERT; kernel <= JC_GPU_DELIVER; kernel++)
        for (int src = JC_GPU_F64; src <= JC_GPU_F16; src++)
            for (int dst = JC_GPU_F64; dst <= JC_GPU_F16; dst++)
                for (uint64_t i = 0; i < 8; i++)
                    check_case((uint64_t)(kernel * 1000 + src * 100 + dst * 10) + i, kernel, src, dst);
}
