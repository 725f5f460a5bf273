/* What the device's calls answer, as statuses; the device of this thread. */
#include "backend/cuda/internal.h"
#include "core/error.h"

jc_status jc_cuda_check(const jc_gpu_api *api, int code, const char *call)
{
    if (!code) return JC_OK;
    api->last_error(); /* told here: who asks the runtime later must not meet it again */
    jc_status status = code == JC_GPU_NO_MEMORY ? JC_E_MEMORY : JC_E_DEVICE;
    return jc_fail(status, "%s: %s: %s", api->name, call, api->error_text(code));
}

jc_status jc_cuda_check_blas(const jc_gpu_api *api, int code, const char *call)
{
    if (!code) return JC_OK;
    api->last_error();
    jc_status status = code == JC_GPU_BLAS_NO_MEMORY ? JC_E_MEMORY : JC_E_DEVICE;
    return jc_fail(status, "%s: cuBLAS: %s: %s", api->name, call, api->blas_text(code));
}

jc_status jc_cuda_enter(const jc_gpu_api *api, int device, int *before)
{
    jc_status status = jc_cuda_check(api, api->device_get(before), "asking for the current device");
    if (!status && *before != device) status = jc_cuda_check(api, api->device_set(device), "choosing the device");
    return status;
}

void jc_cuda_leave(const jc_gpu_api *api, int device, int before)
{
    if (before != device) api->device_set(before);
}
