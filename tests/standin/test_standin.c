/* Memory and order in the stand-in: what it must find, provoked on purpose, each beside the right way, which it must
 * not flag. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "standin/scene.h"

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
