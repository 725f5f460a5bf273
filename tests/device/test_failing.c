/* Each call of the device fails once: an error that names the call or memory, nothing left behind, and the device goes
 * on working. On a real device for a sample of the calls. */
#include <criterion/criterion.h>
#include <string.h>

#include "device/failing_api.h"
#include "device/net.h"

typedef struct fixture {
    jt_target target;
    jt_net net;
    void *d_result;
    int64_t calls; /* of the last attempt, without those that end the run: when they fail, nobody can be told */
} fixture;

/* Everything that a run does, up to the first failure; whatever was made is in `made`. */
static jc_status use(fixture *f, const jc_cuda_backend *backend, jt_net_run *made)
{
    const jc_cuda_array output = {.dtype = f->net.dtype, .d_data = f->d_result};
    const jc_cuda_array seed = {.dtype = f->net.dtype, .d_data = f->net.d_seed};
    const jc_cuda_array dense = {.dtype = f->net.dtype, .d_data = f->net.d_field[NET_KINDS][0]};
    jc_status status = jt_net_program(&f->net, backend, made);
    if (!status) status = jc_cuda_run_create(made->program, NULL, &made->run);
    if (!status) status = jc_cuda_bind_seed(made->run, &seed, NULL);
    if (!status) status = jc_cuda_bind_output(made->run, 0, &output, 0, NULL);
    for (int i = 0; i < 2 && !status; i++) {
        status = jc_cuda_bind_jacobian(made->run, NET_KINDS, "values", &dense, NULL);
        if (!status) status = jc_cuda_execute(made->run, f->target.stream);
        if (!status) status = jc_cuda_status(made->run);
    }
    return status;
}

/* Whether call n was made: then it failed. */
static bool attempt(fixture *f, int64_t n)
{
    jc_cuda_backend backend = *f->target.backend;
    jt_net_run made;
    backend.api = jt_failing_api(f->target.api, n);
    jc_status status = use(f, &backend, &made);
    const char *call = jt_failing_call();
    f->calls = jt_failing_calls();
    jt_failing_stop();
    if (call) {
        cr_assert(status == JC_E_DEVICE || status == JC_E_MEMORY || status == JC_E_UNAVAILABLE,
                  "call %lld, %s, failed: %s: %s", (long long)n, call, jc_status_name(status), jc_last_error());
        cr_assert(strlen(jc_last_error()) > 20, "call %lld, %s: \"%s\"", (long long)n, call, jc_last_error());
    } else {
        jt_ok(status, "nothing failed");
    }
    jt_net_run_fini(&made);
    return call;
}

static void expect_that_it_works(fixture *f)
{
    jt_net_run made;
    jt_ok(use(f, f->target.backend, &made), "after failures");
    jt_net_compare(&f->net, f->d_result, f->net.size, 1, "after failures");
    jt_net_run_fini(&made);
}

static size_t free_memory(const fixture *f)
{
    size_t free_bytes = 0, total = 0;
    jt_done(&f->target, f->target.api->memory_info(&free_bytes, &total), "memory");
    return free_bytes;
}

static void sweep(int64_t size, int64_t levels, int64_t width, bool eliminates)
{
    enum { SAMPLE = 40, SLACK = 64 << 20 }; /* bytes that a driver may keep for itself */
    fixture f;
    int64_t calls, step = 1;
    if (!jt_target_begin(&f.target, 5)) return;
    jt_net_init(&f.net, &f.target, size, levels, width, JC_F32, 100);
    f.net.eliminates = eliminates;
    f.d_result = jt_device_memory(&f.target, width * size * 4);
    cr_assert_not(attempt(&f, -1));
    calls = f.calls;
    cr_assert_gt(calls, 20);
    if (jt_device_run()) step = 1 + calls / SAMPLE;
    expect_that_it_works(&f);
    size_t before = free_memory(&f);
    for (int64_t n = 0; n < calls; n += step)
        cr_assert(attempt(&f, n), "call %lld of %lld", (long long)n, (long long)calls);
    expect_that_it_works(&f);
    cr_assert_geq(free_memory(&f) + SLACK, before, "memory was left behind");
    jt_device_free(&f.target, f.d_result);
    jt_net_fini(&f.net);
    jt_target_end(&f.target, "failures");
}

Test(device, each_failing_call_is_told_and_leaves_nothing_behind)
{
    sweep(12, 3, 1, false);
    sweep(12, 2, 3, true);
    if (jt_device_run())
        sweep(192, 2, 40, false);
    else
        sweep(32, 2, 5, false);
}
