/* The state, the findings, and the calls that only ask. */
#include "standin/internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 1000, LISTED_IN_OPERATION = 4, CUDA_13 = 13000, MAX_DEVICES = 16 };

jt_state jt_device;

void *jt_take(void *ptr, size_t bytes)
{
    void *taken = realloc(ptr, bytes ? bytes : 1);
    if (taken) return taken;
    fprintf(stderr, "stand-in: not enough memory for %zu bytes\n", bytes);
    abort();
}

void *jt_take_zero(size_t count, size_t bytes)
{
    void *taken = jt_take(NULL, count * bytes);
    memset(taken, 0, count * bytes);
    return taken;
}

/* ---- findings ---------------------------------------------------------------------------------------------------- */

const char *jt_kind_name(jt_kind kind)
{
    static const char *const name[JT_KIND_COUNT] = {
        "out of bounds", "use after free", "wrong memory", "bad free", "leak",        "red zone", "host touch",
        "undeclared",    "unwritten",      "dead",         "race",     "kernel race", "alias",    "misaligned",
        "limit",         "workspace",      "in capture",   "in run",   "argument"};
    return kind >= 0 && kind < JT_KIND_COUNT ? name[kind] : "?";
}

void jt_note(jt_kind kind, const char *format, ...)
{
    jt_state *d = &jt_device;
    va_list args;
    d->found[kind]++;
    if (d->in_operation[kind]++ >= LISTED_IN_OPERATION || d->n_findings == LISTED) return;
    if (!d->findings) d->findings = jt_take(NULL, LISTED * sizeof *d->findings);
    jt_finding *f = &d->findings[d->n_findings++];
    f->kind = kind;
    int n = snprintf(f->text, sizeof f->text, "%s: ", jt_kind_name(kind));
    va_start(args, format);
    vsnprintf(f->text + n, sizeof f->text - (size_t)n, format, args);
    va_end(args);
}

const jt_finding *jt_standin_findings(int64_t *count)
{
    static const jt_finding none;
    jt_lock();
    jt_memory_note_touch();
    *count = jt_device.n_findings;
    jt_unlock();
    return jt_device.findings ? jt_device.findings : &none;
}

int64_t jt_standin_found(jt_kind kind)
{
    jt_lock();
    jt_memory_note_touch();
    int64_t found = jt_device.found[kind];
    jt_unlock();
    return found;
}

int64_t jt_standin_found_any(void)
{
    int64_t sum = 0;
    for (int kind = 0; kind < JT_KIND_COUNT; kind++) sum += jt_standin_found(kind);
    return sum;
}

const char *jt_standin_first(void)
{
    int64_t n;
    const jt_finding *f = jt_standin_findings(&n);
    return n ? f[0].text : "";
}

void jt_standin_forgive(void)
{
    jt_lock();
    jt_memory_note_touch();
    jt_device.n_findings = 0;
    memset(jt_device.found, 0, sizeof jt_device.found);
    memset(jt_device.in_operation, 0, sizeof jt_device.in_operation);
    jt_unlock();
}

int64_t jt_standin_leaks(void)
{
    jt_lock();
    jt_wait_for_all();
    memset(jt_device.in_operation, 0, sizeof jt_device.in_operation);
    int64_t leaks = jt_memory_leaks() + jt_stream_leaks() + jt_graph_leaks() + jt_blas_leaks();
    jt_memory_close();
    jt_unlock();
    return leaks;
}

void jt_op_text(uint32_t serial, char text[128])
{
    static const char *const type[] = {"host", "copy", "fill", "poison", "kernel", "product", "wait", "graph"};
    static const char *const kernel[] = {"gather_any", "gather_row", "gather_rows", "walk", "convert", "deliver"};
    const jt_record *r = &jt_device.records[serial];
    if (r->type == JT_OP_HOST) {
        snprintf(text, 128, "the host");
        return;
    }
    int n = snprintf(text, 128, "%s", type[r->type]);
    if (r->kernel >= 0 && r->kernel < JC_GPU_KERNEL_COUNT)
        n += snprintf(text + n, (size_t)(128 - n), " %s", kernel[r->kernel]);
    n += snprintf(text + n, (size_t)(128 - n), " (operation %u, stream %d", serial, r->stream);
    if (r->node >= 0) n += snprintf(text + n, (size_t)(128 - n), ", node %d", r->node);
    snprintf(text + n, (size_t)(128 - n), ")");
}

/* ---- beginning --------------------------------------------------------------------------------------------------- */

jt_standin_config jt_standin_default(void)
{
    return (jt_standin_config){.seed = 1,
                               .driver_version = CUDA_13,
                               .devices = 1,
                               .major = 9,
                               .multiprocessors = 4,
                               .memory_bytes = (size_t)1 << 30,
                               .release_is_wait = true,
                               .unwritten_is_bad = true};
}

void jt_standin_reset(const jt_standin_config *config)
{
    jt_lock();
    jt_state *d = &jt_device;
    jt_blas_reset();
    jt_graphs_reset();
    jt_streams_reset();
    jt_memory_reset();
    jt_shadow_reset();
    jt_fault_reset();
    jt_clock_free(&d->host);
    free(d->findings);
    free(d->records);
    *d = (jt_state){.generation = d->generation + 1, .kernels = d->kernels, .have_kernels = d->have_kernels};
    d->config = config ? *config : jt_standin_default();
    if (d->config.devices > MAX_DEVICES) d->config.devices = MAX_DEVICES;
    d->rng.state = d->config.seed;
    d->order = d->config.order;
    if (d->order == JT_ORDER_SEEDED) d->order = (jt_order)jt_between(&d->rng, JT_ORDER_LAZY, JT_ORDER_COUNT - 1);
    d->begun = true;
    d->n_lanes = 1;
    jt_serial(JT_OP_HOST, -1, 0, -1, -1); /* number 0 stands for none */
    jt_legacy_create();
    jt_unlock();
}

void jt_standin_set_kernels(const jt_kernels *kernels)
{
    jt_lock();
    jt_device.have_kernels = kernels != NULL;
    if (kernels) jt_device.kernels = *kernels;
    jt_unlock();
}

int64_t jt_standin_operations(void)
{
    return jt_device.n_operations;
}

/* ---- calls that ask ---------------------------------------------------------------------------------------------- */

static int driver_version(int *version)
{
    int code = jt_enter(JT_DRIVER_VERSION);
    if (!code) *version = jt_device.config.driver_version;
    return jt_leave(JT_DRIVER_VERSION, code);
}

static int runtime_version(int *version)
{
    int code = jt_enter(JT_RUNTIME_VERSION);
    if (!code) *version = CUDA_13;
    return jt_leave(JT_RUNTIME_VERSION, code);
}

static int device_count(int *count)
{
    int code = jt_enter(JT_DEVICE_COUNT);
    *count = code ? 0 : jt_device.config.devices;
    return jt_leave(JT_DEVICE_COUNT, code);
}

static int properties(int device, jc_gpu_properties *p)
{
    const jt_standin_config *c = &jt_device.config;
    int code = jt_enter(JT_PROPERTIES);
    if (!code && (device < 0 || device >= c->devices)) code = JT_E_DEVICE;
    if (code) return jt_leave(JT_PROPERTIES, code);
    *p = (jc_gpu_properties){.major = c->major,
                             .minor = c->minor,
                             .multiprocessors = c->multiprocessors,
                             .memory_bytes = (int64_t)c->memory_bytes,
                             .l2_bytes = 1 << 20,
                             .bytes_per_s = 0};
    snprintf(p->name, sizeof p->name, "stand-in %d", device);
    return jt_leave(JT_PROPERTIES, 0);
}

static int device_get(int *device)
{
    int code = jt_enter(JT_DEVICE_GET);
    if (!code) *device = *jt_thread_device();
    return jt_leave(JT_DEVICE_GET, code);
}

static int device_set(int device)
{
    int code = jt_enter(JT_DEVICE_SET);
    if (!code && (device < 0 || device >= jt_device.config.devices)) code = JT_E_DEVICE;
    if (!code) *jt_thread_device() = device;
    return jt_leave(JT_DEVICE_SET, code);
}

static void range_push(const char *name)
{
    (void)name;
}

static void range_pop(void)
{
}

const jc_gpu_api jt_standin_api = {.name = "stand-in",
                                   .driver_version = driver_version,
                                   .runtime_version = runtime_version,
                                   .device_count = device_count,
                                   .properties = properties,
                                   .device_get = device_get,
                                   .device_set = device_set,
                                   .memory_info = jt_memory_info,
                                   .allocate = jt_allocate,
                                   .release = jt_release,
                                   .allocate_pinned = jt_allocate_pinned,
                                   .release_pinned = jt_release_pinned,
                                   .copy = jt_copy_1d,
                                   .copy_2d = jt_copy_2d,
                                   .fill = jt_fill_bytes,
                                   .stream_create = jt_stream_create,
                                   .stream_destroy = jt_stream_destroy,
                                   .stream_synchronize = jt_stream_synchronize,
                                   .stream_wait = jt_stream_wait,
                                   .event_create = jt_event_create,
                                   .event_destroy = jt_event_destroy,
                                   .event_record = jt_event_record,
                                   .event_synchronize = jt_event_synchronize,
                                   .capture_state = jt_capture_state,
                                   .capture_begin = jt_capture_begin,
                                   .capture_end = jt_capture_end,
                                   .graph_destroy = jt_graph_destroy,
                                   .exec_create = jt_exec_create,
                                   .exec_update = jt_exec_update,
                                   .exec_launch = jt_exec_launch,
                                   .exec_destroy = jt_exec_destroy,
                                   .last_error = jt_last_error,
                                   .error_text = jt_error_text,
                                   .kernels_load = jt_stand_in_kernels_load,
                                   .launch = jt_launch,
                                   .blas_load = jt_blas_load,
                                   .blas_version = jt_blas_version,
                                   .blas_create = jt_blas_create,
                                   .blas_destroy = jt_blas_destroy,
                                   .blas_save = jt_blas_save,
                                   .blas_restore = jt_blas_restore,
                                   .blas_configure = jt_blas_configure,
                                   .blas_product = jt_blas_product,
                                   .blas_text = jt_blas_error_text,
                                   .dead = jt_standin_poison,
                                   .range_push = range_push,
                                   .range_pop = range_pop};
