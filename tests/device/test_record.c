/* Calls of cuBLAS with their arguments and results, written to a file by a real device; the stand-in's reading of the
 * arguments is held against it ever after. Only in device runs that name a file (JACCHAIN_TEST_RECORD). */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "device/net.h"
#include "standin/record.h"

static void run_net(const jt_target *real, const jc_gpu_api *recording, int64_t size, int64_t width, jc_dtype dtype)
{
    jt_target target = *real;
    jc_cuda_backend backend = *real->backend;
    jt_net net;
    jt_net_run r;
    jc_cuda_run_options o = JC_CUDA_RUN_OPTIONS_INIT;
    void *d_result = jt_device_memory(real, size * width * 8);
    const jc_cuda_array output = {.dtype = dtype, .d_data = d_result};
    o.no_capture = 1; /* captured products are not recorded */
    backend.api = recording, target.backend = &backend;
    jt_net_init(&net, &target, size, 2, width, dtype, 300);
    jt_net_start(&net, &o, &r);
    jt_ok(jc_cuda_bind_output(r.run, 0, &output, 0, NULL), "output");
    jt_ok(jc_cuda_execute(r.run, real->stream), "execute");
    jt_ok(jc_cuda_status(r.run), "status");
    jt_net_compare(&net, d_result, size, 1, "recorded");
    jt_net_run_fini(&r);
    jt_net_fini(&net);
    jt_device_free(real, d_result);
}

Test(device, calls_of_cublas_are_recorded)
{
    jt_target t;
    const char *path = getenv("JACCHAIN_TEST_RECORD");
    if (!jt_device_run() || !path) return;
    cr_assert(jt_target_begin(&t, 1));
    cr_assert_eq(t.api->blas_load(), 0, "%s", t.api->blas_text(t.api->blas_load()));
    const jc_gpu_api *recording = jt_record_begin(t.api, path);
    cr_assert_not_null(recording, "%s", path);
    cr_assert_eq(jt_record_suite(recording, 1), 0);
    run_net(&t, recording, 192, 40, JC_F32);
    run_net(&t, recording, 192, 1, JC_F32);
    run_net(&t, recording, 96, 70, JC_F64);
    cr_assert_gt(jt_record_end(), 20);
    jt_target_end(&t, "record");
}
