#include "cli/devices.h"

#include "backend/cuda/cuda.h"
#include "cli/common.h"

/* The calls of the backend cuda, or NULL: it is not built in. */
static const jc_gpu_api *device_calls(void)
{
    const jc_backend *backend = jc_backend_find("cuda");
    return backend ? ((const jc_cuda_backend *)backend)->api : NULL;
}

enum { VERSION_BYTES = 32 };

/* 13010 as "13.1"; NULL for 0, which stands for: none. */
static const char *version_text(int version, char text[VERSION_BYTES])
{
    if (!version) return NULL;
    snprintf(text, VERSION_BYTES, "%d.%d", version / 1000, version % 1000 / 10);
    return text;
}

/* 0 where there is none, or none can be asked: the backend's own line says why. */
static int device_count(const jc_gpu_api *api)
{
    int driver = 0, count = 0;
    if (!api || api->driver_version(&driver) || !driver || api->device_count(&count)) return 0;
    return count;
}

static void emit_device(jc_emit *e, const jc_gpu_properties *p)
{
    char capability[VERSION_BYTES];
    snprintf(capability, sizeof capability, "%d.%d", p->major, p->minor);
    jc_emit_open(e, NULL, '{');
    jc_emit_text(e, "name", p->name);
    jc_emit_text(e, "compute_capability", capability);
    jc_emit_int(e, "multiprocessors", p->multiprocessors);
    jc_emit_int(e, "memory_bytes", p->memory_bytes);
    jc_emit_close(e, '}');
}

void jc_emit_cuda_devices(jc_emit *e)
{
    const jc_gpu_api *api = device_calls();
    int n = device_count(api);
    for (int i = 0; i < n; i++) {
        jc_gpu_properties p;
        if (!api->properties(i, &p)) emit_device(e, &p);
    }
}

void jc_emit_cuda_libraries(jc_emit *e)
{
    const jc_gpu_api *api = device_calls();
    char text[VERSION_BYTES];
    int runtime = 0, driver = 0;
    if (!api) return;
    if (!api->runtime_version(&runtime)) jc_emit_text(e, "cuda_runtime", version_text(runtime, text));
    if (!api->driver_version(&driver)) jc_emit_text(e, "cuda_driver", version_text(driver, text));
}

void jc_print_cuda_devices(void)
{
    const jc_gpu_api *api = device_calls();
    int n = device_count(api);
    for (int i = 0; i < n; i++) {
        jc_gpu_properties p;
        char memory[JC_QUANTITY_BYTES];
        if (api->properties(i, &p)) continue;
        printf("device     %s, %s, compute capability %d.%d, %d multiprocessors\n", p.name,
               jc_cli_bytes_text(p.memory_bytes, memory), p.major, p.minor, p.multiprocessors);
    }
}

void jc_print_cuda_libraries(void)
{
    const jc_gpu_api *api = device_calls();
    char text[VERSION_BYTES];
    int runtime = 0, driver = 0;
    if (!api || api->runtime_version(&runtime) || api->driver_version(&driver)) return;
    printf("library    CUDA runtime %s, ", version_text(runtime, text));
    printf(driver ? "driver for CUDA %s\n" : "no driver\n", version_text(driver, text));
    printf("library    cuBLAS: loaded when a device is first used\n");
}
