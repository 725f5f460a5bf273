#include "device/failing_api.h"

/* Codes that the calls may return: an unknown error of the runtime, one of cuBLAS (a launch that failed). */
enum { RUNTIME_ERROR = 999, BLAS_ERROR = 13 };

static const jc_gpu_api *real;
static jc_gpu_api table;
static int64_t calls, failing_at;
static const char *failed;

/* Whether this call is the one that fails. */
static bool fails(const char *name)
{
    if (calls++ != failing_at) return false;
    failed = name;
    return true;
}

static int device_count(int *count)
{
    return fails("device_count") ? RUNTIME_ERROR : real->device_count(count);
}

static int properties(int device, jc_gpu_properties *properties)
{
    return fails("properties") ? RUNTIME_ERROR : real->properties(device, properties);
}

static int device_get(int *device)
{
    return fails("device_get") ? RUNTIME_ERROR : real->device_get(device);
}

static int device_set(int device)
{
    return fails("device_set") ? RUNTIME_ERROR : real->device_set(device);
}

static int memory_info(size_t *free_bytes, size_t *total_bytes)
{
    return fails("memory_info") ? RUNTIME_ERROR : real->memory_info(free_bytes, total_bytes);
}

static int allocate(void **d_ptr, size_t bytes)
{
    return fails("allocate") ? JC_GPU_NO_MEMORY : real->allocate(d_ptr, bytes);
}

static int allocate_pinned(void **ptr, size_t bytes)
{
    return fails("allocate_pinned") ? JC_GPU_NO_MEMORY : real->allocate_pinned(ptr, bytes);
}

static int copy(void *dst, const void *src, size_t bytes, jc_gpu_copy_kind kind, jc_gpu_stream stream)
{
    return fails("copy") ? RUNTIME_ERROR : real->copy(dst, src, bytes, kind, stream);
}

static int copy_2d(void *dst, size_t dst_pitch, const void *src, size_t src_pitch, size_t width, size_t height,
                   jc_gpu_copy_kind kind, jc_gpu_stream stream)
{
    return fails("copy_2d") ? RUNTIME_ERROR
                            : real->copy_2d(dst, dst_pitch, src, src_pitch, width, height, kind, stream);
}

static int fill(void *d_ptr, int byte, size_t bytes, jc_gpu_stream stream)
{
    return fails("fill") ? RUNTIME_ERROR : real->fill(d_ptr, byte, bytes, stream);
}

static int stream_create(jc_gpu_stream *stream)
{
    return fails("stream_create") ? RUNTIME_ERROR : real->stream_create(stream);
}

static int stream_synchronize(jc_gpu_stream stream)
{
    return fails("stream_synchronize") ? RUNTIME_ERROR : real->stream_synchronize(stream);
}

static int stream_wait(jc_gpu_stream stream, jc_gpu_event event)
{
    return fails("stream_wait") ? RUNTIME_ERROR : real->stream_wait(stream, event);
}

static int event_create(jc_gpu_event *event)
{
    return fails("event_create") ? RUNTIME_ERROR : real->event_create(event);
}

static int event_record(jc_gpu_event event, jc_gpu_stream stream)
{
    return fails("event_record") ? RUNTIME_ERROR : real->event_record(event, stream);
}

static int event_synchronize(jc_gpu_event event)
{
    return fails("event_synchronize") ? RUNTIME_ERROR : real->event_synchronize(event);
}

static int capture_state(jc_gpu_stream stream, bool *capturing)
{
    return fails("capture_state") ? RUNTIME_ERROR : real->capture_state(stream, capturing);
}

static int capture_begin(jc_gpu_stream stream)
{
    return fails("capture_begin") ? RUNTIME_ERROR : real->capture_begin(stream);
}

static int exec_create(jc_gpu_exec *exec, jc_gpu_graph graph)
{
    return fails("exec_create") ? JC_GPU_NO_MEMORY : real->exec_create(exec, graph);
}

static int exec_update(jc_gpu_exec exec, jc_gpu_graph graph, bool *updated)
{
    return fails("exec_update") ? RUNTIME_ERROR : real->exec_update(exec, graph, updated);
}

static int exec_launch(jc_gpu_exec exec, jc_gpu_stream stream)
{
    return fails("exec_launch") ? RUNTIME_ERROR : real->exec_launch(exec, stream);
}

static int kernels_load(void)
{
    return fails("kernels_load") ? RUNTIME_ERROR : real->kernels_load();
}

static int launch(const jc_gpu_launch *launch, jc_gpu_stream stream)
{
    return fails("launch") ? RUNTIME_ERROR : real->launch(launch, stream);
}

static int blas_load(void)
{
    return fails("blas_load") ? BLAS_ERROR : real->blas_load();
}

static int blas_create(jc_gpu_blas *handle)
{
    return fails("blas_create") ? BLAS_ERROR : real->blas_create(handle);
}

static int blas_save(jc_gpu_blas handle, jc_gpu_blas_state *state)
{
    return fails("blas_save") ? BLAS_ERROR : real->blas_save(handle, state);
}

static int blas_restore(jc_gpu_blas handle, const jc_gpu_blas_state *state)
{
    return fails("blas_restore") ? BLAS_ERROR : real->blas_restore(handle, state);
}

static int blas_configure(jc_gpu_blas handle, jc_gpu_stream stream, void *d_workspace, size_t bytes)
{
    return fails("blas_configure") ? BLAS_ERROR : real->blas_configure(handle, stream, d_workspace, bytes);
}

static int blas_product(jc_gpu_blas handle, const jc_gpu_product *product)
{
    return fails("blas_product") ? BLAS_ERROR : real->blas_product(handle, product);
}

/* A capture ends whatever is returned, or nothing could be done in its stream again. */
static int capture_end(jc_gpu_stream stream, jc_gpu_graph *graph)
{
    int code = real->capture_end(stream, graph);
    if (!fails("capture_end")) return code;
    if (!code && *graph) real->graph_destroy(*graph);
    *graph = NULL;
    return RUNTIME_ERROR;
}

const jc_gpu_api *jt_failing_api(const jc_gpu_api *api, int64_t n)
{
    real = api, calls = 0, failing_at = n, failed = NULL;
    table = *api;
    table.device_count = device_count;
    table.properties = properties;
    table.device_get = device_get;
    table.device_set = device_set;
    table.memory_info = memory_info;
    table.allocate = allocate;
    table.allocate_pinned = allocate_pinned;
    table.copy = copy;
    table.copy_2d = copy_2d;
    table.fill = fill;
    table.stream_create = stream_create;
    table.stream_synchronize = stream_synchronize;
    table.stream_wait = stream_wait;
    table.event_create = event_create;
    table.event_record = event_record;
    table.event_synchronize = event_synchronize;
    table.capture_state = capture_state;
    table.capture_begin = capture_begin;
    table.exec_create = exec_create;
    table.exec_update = exec_update;
    table.exec_launch = exec_launch;
    table.kernels_load = kernels_load;
    table.launch = launch;
    table.blas_load = blas_load;
    table.blas_create = blas_create;
    table.blas_save = blas_save;
    table.blas_restore = blas_restore;
    table.blas_configure = blas_configure;
    table.blas_product = blas_product;
    table.capture_end = capture_end;
    return &table;
}

void jt_failing_stop(void)
{
    failing_at = -1;
}

int64_t jt_failing_calls(void)
{
    return calls;
}

const char *jt_failing_call(void)
{
    return failed;
}
