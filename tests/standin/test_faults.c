/* Calls that fail in the stand-in, on purpose and where CUDA fails. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "standin/scene.h"

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
