/* Accesses of kernels in the stand-in, and the limits of launches. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "standin/scene.h"

/* ---- kernels ----------------------------------------------------------------------------------------------------- */

/* Stands for a kernel: the test's accesses are those of the launch. */
static void (*accesses)(const jc_gpu_launch *launch, jt_kernel_context *context);
static jt_launch_shape test_shape;

static int shape(const jc_gpu_launch *launch, jt_launch_shape *out)
{
    (void)launch;
    *out = test_shape;
    return 0;
}

static int run(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    accesses(launch, context);
    return 0;
}

static jc_gpu_launch prepare(jc_gpu_stream s)
{
    test_shape = (jt_launch_shape){.grid = {1, 1, 1}, .block = {32, 1, 1}, .cluster = 1};
    jt_standin_set_kernels(&(jt_kernels){shape, run});
    ok(api->kernels_load());
    float *a = floats(FLOATS);
    ok(api->fill(a, 0, BYTES, s));
    return (jc_gpu_launch){.kernel = JC_GPU_CONVERT, .dst = a};
}

typedef struct scene {
    jt_place first, second;
    int first_at, second_at; /* in floats */
    bool first_writes, second_writes;
    int kind;
} scene;

static const scene *playing;

static void play(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    float *a = launch->dst;
    jt_at(context, &playing->first);
    jt_access(context, a + playing->first_at, 4, playing->first_writes);
    jt_at(context, &playing->second);
    jt_access(context, a + playing->second_at, 4, playing->second_writes);
}

Test(standin, conflicts_in_a_launch)
{
    const jt_place base = {.cluster = -1};
    const jt_place thread = {.thread = 1, .cluster = -1}, warp = {.thread = 40, .cluster = -1};
    const jt_place after_warp = {.thread = 1, .warp_phase = 1, .cluster = -1};
    const jt_place other_after_warp = {.thread = 40, .warp_phase = 1, .cluster = -1};
    const jt_place after = {.thread = 40, .phase = 1, .cluster = -1}, block = {.block = 1, .phase = 5, .cluster = -1};
    const jt_place c0 = {.block = 0, .cluster = 0}, c1 = {.block = 1, .phase = 1, .cluster = 0};
    const jt_place c1_after = {.block = 1, .phase = 1, .cluster = 0, .cluster_phase = 1};
    const jt_place other_cluster = {.block = 9, .phase = 1, .cluster = 1, .cluster_phase = 1};
    const scene scenes[] = {
        {base, base, 0, 0, true, true, -1},
        {base, thread, 0, 0, true, true, JT_KERNEL_RACE},
        {base, thread, 0, 0, true, false, JT_KERNEL_RACE},
        {base, thread, 0, 0, false, true, JT_KERNEL_RACE},
        {base, thread, 0, 0, false, false, -1},
        {base, thread, 0, 1, true, true, -1},
        {base, after_warp, 0, 0, true, true, -1},
        {base, other_after_warp, 0, 0, true, true, JT_KERNEL_RACE},
        {base, warp, 0, 0, true, false, JT_KERNEL_RACE},
        {base, after, 0, 0, true, true, -1},
        {base, after, 0, 0, false, true, -1},
        {base, block, 0, 0, true, false, JT_KERNEL_RACE},
        {base, block, 0, 0, false, true, JT_KERNEL_RACE},
        {base, block, 0, 0, false, false, -1},
        {c0, c1, 0, 0, true, false, JT_KERNEL_RACE},
        {c0, c1_after, 0, 0, true, false, -1},
        {c0, other_cluster, 0, 0, true, false, JT_KERNEL_RACE},
        {base, base, 0, FLOATS, true, true, JT_OUT_OF_BOUNDS},
        {base, base, 0, -1, true, false, JT_OUT_OF_BOUNDS},
    };
    accesses = play;
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++) {
        begin(1, JT_ORDER_SEEDED);
        jc_gpu_stream s = stream();
        jc_gpu_launch launch = prepare(s);
        playing = &scenes[i];
        ok(api->launch(&launch, s));
        ok(api->stream_synchronize(s));
        cr_expect_eq(jt_standin_count_launches(JC_GPU_CONVERT), 1);
        found(scenes[i].kind);
        cr_expect_eq(jt_standin_found_any() > 0, scenes[i].kind >= 0, "scene %zu", i);
    }
}

/* All threads read, a barrier, one reads and writes: right. Without the barrier the reads of the others conflict. */
static bool has_barrier;

static void read_all_write_one(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    jt_place place = {.cluster = -1};
    for (place.thread = 0; place.thread < 64; place.thread++) {
        jt_at(context, &place);
        jt_access(context, launch->dst, 4, false);
    }
    place = (jt_place){.phase = has_barrier, .cluster = -1};
    jt_at(context, &place);
    jt_access(context, launch->dst, 4, false);
    jt_access(context, launch->dst, 4, true);
}

/* Halves of a granule are places of their own. */
static void two_bytes_each(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    jt_place place = {.cluster = -1};
    for (place.block = 0; place.block < 2 * FLOATS; place.block++) {
        jt_at(context, &place);
        jt_access(context, (uint16_t *)launch->dst + place.block, 2, true);
    }
}

static void shared_without_writing(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    static float memory[4];
    (void)launch;
    jt_place place = {.cluster = -1};
    jt_shared(context, memory, sizeof memory);
    jt_at(context, &place);
    jt_access(context, memory, 4, true);
    jt_access(context, memory, 4, false);
    if (has_barrier) return;
    jt_shared(context, memory, sizeof memory); /* of the next block */
    jt_access(context, memory, 4, false);
}

static void misaligned(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    jt_at(context, &(jt_place){.cluster = -1});
    jt_access(context, (float *)launch->dst + !has_barrier, 8, false);
}

static void launch_accesses(void (*what)(const jc_gpu_launch *, jt_kernel_context *), bool barrier, int kind)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    jc_gpu_launch launch = prepare(s);
    accesses = what;
    has_barrier = barrier;
    ok(api->launch(&launch, s));
    ok(api->stream_synchronize(s));
    found(kind);
}

Test(standin, reads_before_a_barrier)
{
    launch_accesses(read_all_write_one, true, -1);
    launch_accesses(read_all_write_one, false, JT_KERNEL_RACE);
    launch_accesses(two_bytes_each, true, -1);
    launch_accesses(shared_without_writing, true, -1);
    launch_accesses(shared_without_writing, false, JT_UNWRITTEN);
    launch_accesses(misaligned, true, -1);
    launch_accesses(misaligned, false, JT_MISALIGNED);
}

static void read_second(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    jt_at(context, &(jt_place){.cluster = -1});
    jt_access(context, (const float *)launch->src + 1, 4, false);
}

Test(standin, kernels_read_what_was_written)
{
    for (int n = 1; n < 3; n++) {
        begin(1, JT_ORDER_SEEDED);
        jc_gpu_stream s = stream();
        jc_gpu_launch launch = prepare(s);
        float *fresh = floats(FLOATS);
        ok(api->fill(fresh, 0, (size_t)n * 4, s));
        launch.src = fresh;
        accesses = read_second;
        ok(api->launch(&launch, s));
        ok(api->stream_synchronize(s));
        found(n == 2 ? -1 : JT_UNWRITTEN);
    }
}

/* A write that no access declared. */
static void write_beyond(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    jt_at(context, &(jt_place){.cluster = -1});
    jt_access(context, launch->dst, 4, true);
    ((float *)launch->dst)[FLOATS] = 1;
}

static void write_undeclared(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    (void)context;
    *(volatile float *)launch->dst = 1;
}

Test(standin, kernels_declare_what_they_touch)
{
    launch_accesses(write_undeclared, false, JT_UNDECLARED);
}

Test(standin, red_zones)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    jc_gpu_launch launch = prepare(s);
    accesses = write_beyond;
    ok(api->launch(&launch, s));
    ok(api->stream_synchronize(s));
    found(-1);
    ok(api->release(launch.dst));
    found(JT_RED_ZONE);
}

Test(standin, limits_of_launches)
{
    static const struct {
        jt_launch_shape shape;
        int code;
    } cases[] = {
        {{{1, 1, 1}, {1024, 1, 1}, 48 << 10, 0, false, 1}, 0},
        {{{1, 1, 1}, {1025, 1, 1}, 0, 0, false, 1}, 9},
        {{{1, 1, 1}, {32, 33, 1}, 0, 0, false, 1}, 9},
        {{{0, 1, 1}, {32, 1, 1}, 0, 0, false, 1}, 9},
        {{{INT32_MAX, 65535, 65535}, {32, 1, 1}, 0, 0, false, 1}, 0},
        {{{1, 65536, 1}, {32, 1, 1}, 0, 0, false, 1}, 9},
        {{{1, 1, 65536}, {32, 1, 1}, 0, 0, false, 1}, 9},
        {{{1, 1, 1}, {32, 1, 1}, (48 << 10) + 1, 0, true, 1}, 1},
        {{{1, 1, 1}, {32, 1, 1}, 0, 100 << 10, false, 1}, 1},
        {{{1, 1, 1}, {32, 1, 1}, 0, 227 << 10, true, 1}, 0},
        {{{1, 1, 1}, {32, 1, 1}, 1, 227 << 10, true, 1}, 1},
        {{{8, 1, 1}, {32, 1, 1}, 0, 0, false, 8}, 0},
        {{{12, 1, 1}, {32, 1, 1}, 0, 0, false, 8}, 912},
        {{{16, 1, 1}, {32, 1, 1}, 0, 0, false, 16}, 912},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(1, JT_ORDER_SEEDED);
        jc_gpu_stream s = stream();
        jc_gpu_launch launch = prepare(s);
        accesses = read_all_write_one;
        has_barrier = true;
        test_shape = cases[i].shape;
        cr_expect_eq(api->launch(&launch, s), cases[i].code, "case %zu", i);
        found(cases[i].code ? JT_LIMIT : -1);
    }
}

Test(standin, launches_need_kernels)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    jc_gpu_launch launch = prepare(s);
    accesses = read_all_write_one;
    jt_standin_set_kernels(NULL);
    cr_assert_eq(api->launch(&launch, s), 98);
    begin(1, JT_ORDER_SEEDED);
    jt_standin_set_kernels(&(jt_kernels){shape, run});
    ok(api->launch(&launch, NULL));
    found(JT_ARGUMENT);
}
