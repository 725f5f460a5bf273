/* The stand-in itself: what it must find, provoked on purpose, each beside the right way, which it must not flag. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "standin/standin.h"

static const jc_gpu_api *const api = &jt_standin_api;

enum { FLOATS = 64, BYTES = FLOATS * 4, WORKSPACE = 4096 };

static void begin(uint64_t seed, jt_order order)
{
    jt_standin_config config = jt_standin_default();
    config.seed = seed;
    config.order = order;
    jt_standin_reset(&config);
}

static void ok(int code)
{
    cr_assert_eq(code, 0, "%s; %s", api->error_text(code), jt_standin_first());
}

static float *floats(int64_t n)
{
    void *ptr = NULL;
    ok(api->allocate(&ptr, (size_t)n * 4));
    return ptr;
}

static float *pinned_floats(int64_t n)
{
    void *ptr = NULL;
    ok(api->allocate_pinned(&ptr, (size_t)n * 4));
    return ptr;
}

static jc_gpu_stream stream(void)
{
    jc_gpu_stream s = NULL;
    ok(api->stream_create(&s));
    return s;
}

static jc_gpu_event event(void)
{
    jc_gpu_event e = NULL;
    ok(api->event_create(&e));
    return e;
}

/* Exactly this kind was found, or with -1 nothing. */
static void found(int kind)
{
    if (kind < 0) {
        cr_expect_eq(jt_standin_found_any(), 0, "%s", jt_standin_first());
        return;
    }
    cr_expect_gt(jt_standin_found((jt_kind)kind), 0, "%s was not found", jt_kind_name((jt_kind)kind));
    cr_expect_eq(jt_standin_found_any(), jt_standin_found((jt_kind)kind), "%s", jt_standin_first());
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

Test(standin, memory_is_counted_aligned_and_poisoned)
{
    begin(1, JT_ORDER_SEEDED);
    unsigned char bytes[100];
    void *a, *b, *none = &a;
    ok(api->allocate(&a, 100));
    ok(api->allocate(&b, 1));
    ok(api->allocate(&none, 0));
    cr_assert_null(none);
    cr_assert_eq((uintptr_t)a % 256, 0);
    cr_assert_neq((uintptr_t)a % 512, (uintptr_t)0, "no more than 256 is promised");
    cr_assert(jt_standin_peek(bytes, a, 100));
    for (int i = 0; i < 100; i++) cr_assert_eq(bytes[i], 0xFF);
    cr_assert_eq(jt_standin_memory_use().live_bytes, 101);
    ok(api->release(a));
    cr_assert_eq(jt_standin_memory_use().live_bytes, 1);
    cr_assert_eq(jt_standin_memory_use().peak_bytes, 101);
    cr_assert_eq(jt_standin_leaks(), 1);
    found(JT_LEAK);
    jt_standin_forgive();
    ok(api->release(b));
    cr_assert_eq(jt_standin_leaks(), 0);
    found(-1);
}

Test(standin, memory_beyond_the_capacity_is_refused)
{
    jt_standin_config config = jt_standin_default();
    config.memory_bytes = 1000;
    jt_standin_reset(&config);
    void *a, *b;
    size_t free_bytes, total_bytes;
    ok(api->allocate(&a, 600));
    cr_assert_eq(api->allocate(&b, 401), JC_GPU_NO_MEMORY);
    cr_assert_eq(api->last_error(), JC_GPU_NO_MEMORY);
    ok(api->memory_info(&free_bytes, &total_bytes));
    cr_assert_eq(free_bytes, 400);
    cr_assert_eq(total_bytes, 1000);
    ok(api->allocate(&b, 400));
    found(-1);
}

Test(standin, wrong_releases)
{
    begin(1, JT_ORDER_SEEDED);
    float *a = floats(FLOATS), *p = pinned_floats(FLOATS), local[4];
    void *const wrong[] = {a + 1, p, local};
    for (int i = 0; i < 3; i++) cr_assert_neq(api->release(wrong[i]), 0);
    cr_assert_neq(api->release_pinned(a), 0);
    cr_assert_eq(jt_standin_found(JT_BAD_FREE), 4);
    ok(api->release(a));
    cr_assert_neq(api->release(a), 0, "twice");
    cr_assert_eq(jt_standin_found(JT_BAD_FREE), 5);
    ok(api->release_pinned(p));
    ok(api->release(NULL));
    found(JT_BAD_FREE);
}

Test(standin, host_must_not_touch_device_memory)
{
    begin(1, JT_ORDER_SEEDED);
    float *a = floats(FLOATS);
    found(-1);
    *(volatile float *)a = 1;
    found(JT_HOST_TOUCH);
    jt_standin_forgive();
    volatile float seen = ((volatile float *)a)[3];
    (void)seen;
    found(JT_HOST_TOUCH);
    jt_standin_forgive();
    jt_standin_host_read(a, 4);
    found(JT_HOST_TOUCH);
}

Test(standin, bounds_and_dead_blocks)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    float *a = floats(FLOATS), *b = floats(FLOATS), host[FLOATS + 1] = {0};
    ok(api->copy(a, host, BYTES, JC_GPU_TO_DEVICE, s));
    found(-1);
    cr_assert_neq(api->copy(a, host, BYTES + 4, JC_GPU_TO_DEVICE, s), 0, "one more");
    found(JT_OUT_OF_BOUNDS);
    jt_standin_forgive();
    cr_assert_neq(api->fill(a + 1, 0, BYTES, s), 0);
    found(JT_OUT_OF_BOUNDS);
    jt_standin_forgive();
    ok(api->release(b));
    cr_assert_neq(api->fill(b, 0, 4, s), 0);
    found(JT_USE_AFTER_FREE);
    jt_standin_forgive();
    cr_assert_neq(api->copy(host, a, BYTES, JC_GPU_TO_DEVICE, s), 0, "the wrong way round");
    found(JT_WRONG_MEMORY);
    jt_standin_forgive();
    cr_assert_eq(api->copy_2d(a, 8, host, 16, 12, 2, JC_GPU_TO_DEVICE, s), 12);
    ok(api->copy(a, a + 8, 32, JC_GPU_ON_DEVICE, s));
    found(-1);
    ok(api->copy(a, a + 7, 32, JC_GPU_ON_DEVICE, s));
    cr_assert_eq(jt_standin_found(JT_ALIAS), 1);
    ok(api->copy(a + 7, a, 32, JC_GPU_ON_DEVICE, s));
    cr_assert_eq(jt_standin_found(JT_ALIAS), 2);
    found(JT_ALIAS);
}

/* ---- order ------------------------------------------------------------------------------------------------------- */

/* One stream writes, another reads, with an event between or not. */
static void write_then_read(bool with_event, bool with_wait, uint64_t seed, jt_order order)
{
    begin(seed, order);
    jc_gpu_stream s = stream(), t = stream();
    jc_gpu_event e = event();
    float *a = floats(FLOATS), *b = floats(FLOATS);
    ok(api->fill(a, 0, BYTES, s));
    if (with_event) ok(api->event_record(e, s));
    if (with_wait) ok(api->stream_wait(t, e));
    ok(api->copy(b, a, BYTES, JC_GPU_ON_DEVICE, t));
    ok(api->stream_synchronize(t));
    ok(api->stream_synchronize(s));
}

Test(standin, race_between_streams_in_any_order)
{
    for (int order = JT_ORDER_LAZY; order < JT_ORDER_COUNT; order++)
        for (uint64_t seed = 0; seed < 8; seed++) {
            write_then_read(false, false, seed, (jt_order)order);
            found(JT_RACE);
            write_then_read(true, false, seed, (jt_order)order);
            found(JT_RACE);
            write_then_read(true, true, seed, (jt_order)order);
            found(-1);
        }
}

/* Whether the other stream's work has run by then depends on the seed. */
static void count_early_and_late(jt_order order)
{
    int early = 0, late = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        float value;
        begin(seed, order);
        jc_gpu_stream s = stream(), t = stream();
        float *a = floats(1), *b = floats(1);
        ok(api->fill(a, 0, 4, s));
        ok(api->fill(b, 0, 4, t));
        cr_assert_eq(jt_standin_operations(), 0, "nothing runs before a wait");
        ok(api->stream_synchronize(s));
        jt_standin_peek(&value, b, 4);
        early += value == 0;
        late += value != 0;
        ok(api->stream_synchronize(t));
        found(-1);
    }
    cr_assert(early > 0 && late > 0, "order %d: %d early, %d late", (int)order, early, late);
}

Test(standin, orders_differ_by_seed)
{
    count_early_and_late(JT_ORDER_SEEDED);
    count_early_and_late(JT_ORDER_RANDOM);
    count_early_and_late(JT_ORDER_STARVED);
}

Test(standin, same_seed_same_order)
{
    int64_t operations[2];
    for (int i = 0; i < 2; i++) {
        begin(5, JT_ORDER_RANDOM);
        jc_gpu_stream s[3] = {stream(), stream(), stream()};
        float *a = floats(3 * FLOATS);
        for (int k = 0; k < 30; k++) ok(api->fill(a + k % 3 * FLOATS, k, BYTES, s[k % 3]));
        ok(api->stream_synchronize(s[1]));
        operations[i] = jt_standin_operations();
    }
    cr_assert_eq(operations[0], operations[1]);
}

Test(standin, reads_side_by_side_are_no_race_but_a_write_after_them_is)
{
    for (int all = 0; all < 2; all++) {
        begin(3, JT_ORDER_SEEDED);
        jc_gpu_stream s[3] = {stream(), stream(), stream()};
        jc_gpu_event written = event(), read[2] = {event(), event()};
        float *a = floats(FLOATS), *b = floats(2 * FLOATS);
        ok(api->fill(a, 0, BYTES, s[2]));
        ok(api->event_record(written, s[2]));
        for (int i = 0; i < 2; i++) {
            ok(api->stream_wait(s[i], written));
            ok(api->copy(b + i * FLOATS, a, BYTES, JC_GPU_ON_DEVICE, s[i]));
            ok(api->event_record(read[i], s[i]));
        }
        for (int i = 0; i < 1 + all; i++) ok(api->stream_wait(s[2], read[i]));
        ok(api->fill(a, 1, BYTES, s[2]));
        jt_standin_drain();
        found(all ? -1 : JT_RACE);
    }
}

Test(standin, host_and_pinned_memory)
{
    for (int waits = 0; waits < 2; waits++) {
        begin(2, JT_ORDER_SEEDED);
        jc_gpu_stream s = stream();
        float *a = floats(FLOATS), *p = pinned_floats(FLOATS);
        jt_standin_host_write(p, BYTES);
        memset(p, 0, BYTES);
        ok(api->copy(a, p, BYTES, JC_GPU_TO_DEVICE, s));
        if (waits) ok(api->stream_synchronize(s));
        jt_standin_host_write(p, BYTES);
        p[0] = 7;
        ok(api->stream_synchronize(s));
        found(waits ? -1 : JT_RACE);
    }
}

Test(standin, host_reads_a_copy_that_it_did_not_wait_for)
{
    for (int waits = 0; waits < 2; waits++) {
        begin(2, JT_ORDER_SEEDED);
        jc_gpu_stream s = stream(), t = stream();
        jc_gpu_event e = event();
        float *a = floats(FLOATS), *p = pinned_floats(FLOATS);
        ok(api->fill(a, 0, BYTES, s));
        ok(api->copy(p, a, BYTES, JC_GPU_TO_HOST, s));
        ok(api->event_record(e, s));
        jt_standin_drain(); /* it has run, but nothing told the host */
        ok(waits ? api->event_synchronize(e) : api->stream_synchronize(t));
        jt_standin_host_read(p, BYTES);
        found(waits ? -1 : JT_RACE);
    }
}

Test(standin, memory_that_is_not_pinned_is_taken_at_the_call)
{
    begin(2, JT_ORDER_LAZY);
    jc_gpu_stream s = stream();
    float *a = floats(4), host[4] = {1, 2, 3, 4}, back[4] = {0};
    ok(api->copy(a, host, sizeof host, JC_GPU_TO_DEVICE, s));
    host[0] = 9;
    ok(api->copy(back, a, sizeof back, JC_GPU_TO_HOST, s));
    cr_assert_eq(back[0], 1);
    cr_assert_eq(back[3], 4);
    float *p = pinned_floats(4);
    memset(p, 0, sizeof host);
    ok(api->copy(a, p, sizeof host, JC_GPU_TO_DEVICE, s));
    ok(api->copy(back, a, sizeof back, JC_GPU_TO_HOST, s)); /* waits */
    jt_standin_host_write(p, sizeof host);
    ok(api->copy_2d(a, 8, host, 4, 4, 2, JC_GPU_TO_DEVICE, s));
    ok(api->copy(back, a, sizeof back, JC_GPU_TO_HOST, s));
    cr_assert_eq(back[0], 9);
    cr_assert_eq(back[2], 2);
    found(-1);
}

Test(standin, release_needs_a_wait_where_that_is_asked)
{
    for (int waits = 0; waits < 2; waits++) {
        jt_standin_config config = jt_standin_default();
        config.release_is_wait = false;
        jt_standin_reset(&config);
        jc_gpu_stream s = stream();
        float *a = floats(FLOATS);
        ok(api->fill(a, 0, BYTES, s));
        if (waits) ok(api->stream_synchronize(s));
        ok(api->release(a));
        found(waits ? -1 : JT_RACE);
    }
}

Test(standin, blocking_streams_and_the_legacy_one_wait_for_each_other)
{
    for (int blocking = 0; blocking < 2; blocking++) {
        begin(4, JT_ORDER_SEEDED);
        jc_gpu_stream s;
        ok(blocking ? jt_standin_blocking_stream(&s) : api->stream_create(&s));
        float *a = floats(FLOATS);
        ok(api->fill(a, 0, BYTES, NULL));
        ok(api->fill(a, 1, BYTES, s));
        ok(api->fill(a, 2, BYTES, NULL));
        jt_standin_drain();
        found(blocking ? -1 : JT_RACE);
    }
}

Test(standin, handles_after_their_end)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    jc_gpu_event e = event();
    float *a = floats(FLOATS);
    ok(api->fill(a, 0, BYTES, s));
    ok(api->stream_destroy(s));
    ok(api->event_destroy(e));
    jt_standin_drain();
    cr_assert_eq(jt_standin_operations(), 1, "what was queued runs");
    found(-1);
    cr_assert_eq(api->fill(a, 0, BYTES, s), 400);
    cr_assert_eq(jt_standin_found(JT_USE_AFTER_FREE), 1);
    cr_assert_eq(api->event_record(e, NULL), 400);
    cr_assert_eq(jt_standin_found(JT_USE_AFTER_FREE), 2);
    found(JT_USE_AFTER_FREE);
}

/* ---- values ------------------------------------------------------------------------------------------------------ */

Test(standin, dead_values)
{
    for (int again = 0; again < 2; again++) {
        begin(1, JT_ORDER_SEEDED);
        jc_gpu_stream s = stream();
        float *a = floats(FLOATS), host[FLOATS];
        ok(api->fill(a, 0, BYTES, s));
        ok(jt_standin_poison(a + 8, 32, s));
        ok(api->copy(host, a, 32, JC_GPU_TO_HOST, s));
        found(-1);
        if (again) ok(api->fill(a + 8, 0, 32, s));
        ok(api->copy(host, a + 15, 4, JC_GPU_TO_HOST, s));
        cr_assert_eq(isnan(host[0]) != 0, !again);
        found(again ? -1 : JT_DEAD);
    }
}

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

/* ---- faults ------------------------------------------------------------------------------------------------------ */

/* A small program; the first code that is not 0. */
static int small_program(void)
{
    jc_gpu_stream s;
    void *a = NULL;
    int code = api->stream_create(&s);
    if (code) return code;
    code = api->allocate(&a, BYTES);
    if (!code) code = api->fill(a, 0, BYTES, s);
    if (!code) code = api->stream_synchronize(s);
    return code;
}

Test(standin, nth_call_fails)
{
    int64_t n = 1;
    for (;; n++) {
        begin(1, JT_ORDER_SEEDED);
        jt_standin_fail_after(n, 0);
        int code = small_program();
        cr_assert_eq(code != 0, jt_standin_failed());
        if (!code) break;
        cr_assert_eq(api->last_error(), code);
        cr_assert_eq(api->last_error(), 0, "it is forgotten");
    }
    cr_assert_eq(n, 5, "four calls");
    begin(1, JT_ORDER_SEEDED);
    jt_standin_fail_call(JT_FILL, 1, 77);
    cr_assert_eq(small_program(), 77);
    cr_assert_eq(jt_standin_count(JT_FILL), 1);
    cr_assert_eq(jt_standin_count(JT_STREAM_SYNCHRONIZE), 0);
}

Test(standin, errors_that_nobody_looked_at)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    float *a = floats(FLOATS);
    jt_standin_fail_call(JT_FILL, 1, 0);
    cr_assert_neq(api->fill(a, 0, BYTES, s), 0);
    cr_assert_eq(jt_standin_unseen_errors(), 1);
    api->last_error();
    cr_assert_eq(jt_standin_unseen_errors(), 0);
    jt_standin_fail_call(JT_FILL, 1, 0);
    cr_assert_neq(api->fill(a, 0, BYTES, s), 0);
    ok(api->fill(a, 0, BYTES, s)); /* as if nothing had been */
    api->last_error();
    cr_assert_eq(jt_standin_unseen_errors(), 1);
}

Test(standin, errors_of_work_surface_where_something_waits)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    float *a = floats(FLOATS), back[1];
    jt_standin_fail_operation(2, 700);
    for (int i = 0; i < 3; i++) ok(api->fill(a, i, BYTES, s));
    cr_assert_eq(api->stream_synchronize(s), 700);
    cr_assert_eq(jt_standin_operations(), 2);
    cr_assert_eq(api->fill(a, 0, BYTES, s), 700, "for ever");
    cr_assert_eq(api->last_error(), 700);
    cr_assert_eq(api->last_error(), 700, "not forgotten");
    cr_assert_eq(api->copy(back, a, 4, JC_GPU_TO_HOST, s), 700);
    begin(1, JT_ORDER_SEEDED);
    jt_standin_lose_device(214);
    cr_assert_eq(small_program(), 214);
    cr_assert(strstr(api->error_text(214), "cudaErrorECCUncorrectable"));
}

Test(standin, no_driver_no_device)
{
    jt_standin_config config = jt_standin_default();
    int n = -1;
    config.driver_version = 0;
    jt_standin_reset(&config);
    ok(api->driver_version(&n));
    cr_assert_eq(n, 0);
    cr_assert_eq(api->device_count(&n), 35);
    cr_assert_eq(small_program(), 35);
    config = jt_standin_default();
    config.devices = 0;
    jt_standin_reset(&config);
    cr_assert_eq(api->device_count(&n), 100);
    cr_assert_eq(n, 0);
    config.devices = 2;
    jt_standin_reset(&config);
    ok(api->device_count(&n));
    cr_assert_eq(n, 2);
    cr_assert_eq(api->device_set(2), 101);
    ok(api->device_set(1));
    ok(api->device_get(&n));
    cr_assert_eq(n, 1);
}

Test(standin, run_window)
{
    begin(1, JT_ORDER_SEEDED);
    jc_gpu_stream s = stream();
    float *a = floats(FLOATS), *p = pinned_floats(1), host[1];
    void *more;
    jt_standin_run_begin();
    ok(api->fill(a, 0, BYTES, s));
    ok(api->copy(p, a, 4, JC_GPU_TO_HOST, s));
    cr_assert_eq(jt_standin_run_end(), 0);
    found(-1);
    jt_standin_run_begin();
    ok(api->allocate(&more, 4));
    ok(api->release(more));
    ok(api->stream_synchronize(s));
    ok(api->copy(host, a, 4, JC_GPU_TO_HOST, s));
    cr_assert_eq(jt_standin_run_end(), 4);
    found(JT_IN_RUN);
}
