#include "device/target.h"

#include <criterion/criterion.h>

#include "standin/device.h"
#include "support/compute.h"

static const jc_cuda_backend *backend_of_run(void)
{
#ifdef JACCHAIN_HAS_CUDA
    if (jt_device_run()) return &jc_backend_cuda;
#endif
    cr_assert(!jt_device_run(), "there is no backend cuda in this build");
    return jt_device_there() ? &jt_standin_backend : NULL;
}

bool jt_target_begin(jt_target *target, uint64_t seed)
{
    *target = (jt_target){.backend = backend_of_run()};
    if (!target->backend) return false;
    target->api = target->backend->api;
    if (!jt_device_run()) jt_device_begin(seed, NULL);
    jt_ok(target->backend->base.available(&target->backend->base), "the device");
    jt_done(target, target->api->stream_create(&target->stream), "a stream");
    return true;
}

void jt_target_end(jt_target *target, const char *what)
{
    jt_done(target, target->api->stream_synchronize(target->stream), what);
    jt_done(target, target->api->stream_destroy(target->stream), what);
    if (!jt_device_run()) jt_device_end(what);
}

void jt_done(const jt_target *target, int code, const char *what)
{
    cr_assert_eq(code, 0, "%s: %s", what, target->api->error_text(code));
}

void *jt_device_memory(const jt_target *target, int64_t bytes)
{
    void *d_memory = NULL;
    jt_done(target, target->api->allocate(&d_memory, (size_t)bytes), "device memory");
    return d_memory;
}

void jt_device_free(const jt_target *target, void *d_memory)
{
    jt_done(target, target->api->stream_synchronize(target->stream), "waiting");
    jt_done(target, target->api->release(d_memory), "freeing device memory");
}

void jt_to_device(const jt_target *target, void *d_to, const void *from, int64_t bytes)
{
    jt_done(target, target->api->copy(d_to, from, (size_t)bytes, JC_GPU_TO_DEVICE, target->stream), "copying there");
    jt_done(target, target->api->stream_synchronize(target->stream), "copying there");
}

void jt_from_device(const jt_target *target, void *to, const void *d_from, int64_t bytes)
{
    jt_done(target, target->api->copy(to, d_from, (size_t)bytes, JC_GPU_TO_HOST, target->stream), "copying back");
    jt_done(target, target->api->stream_synchronize(target->stream), "copying back");
}
