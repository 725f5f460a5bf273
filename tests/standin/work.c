/* Copies, fills and launches: given out by calls, done when their turn comes. */
#include "standin/internal.h"

#include <stdlib.h>
#include <string.h>

static int64_t launches[JC_GPU_KERNEL_COUNT];
static uint64_t launches_generation;

void jt_work_free(jt_work *work)
{
    free(work->staged);
    work->staged = NULL;
}

/* ---- done when their turn comes ---------------------------------------------------------------------------------- */

static void *row_of(const void *ptr, size_t pitch, size_t i)
{
    return (unsigned char *)(uintptr_t)ptr + pitch * i;
}

/* Memory of the host that is not pinned is the caller's affair. */
static bool touch_copy(const jt_op *op, const void *ptr, size_t bytes, bool write)
{
    return (!jt_is_device(ptr) && !jt_is_pinned(ptr)) || jt_reach(op, NULL, ptr, bytes, write);
}

static void do_copy(const jt_op *op, const jt_copy *c, const void *staged)
{
    for (size_t i = 0; i < c->height; i++) {
        const void *src = staged ? row_of(staged, c->width, i) : row_of(c->src, c->src_pitch, i);
        void *dst = row_of(c->dst, c->dst_pitch, i);
        bool may = (staged || touch_copy(op, src, c->width, false)) && touch_copy(op, dst, c->width, true);
        if (may) memmove(dst, src, c->width);
    }
}

static void do_fill(const jt_op *op, const jt_fill *f)
{
    if (jt_reach(op, NULL, f->ptr, f->bytes, true)) memset(f->ptr, f->byte, f->bytes);
}

static int do_kernel(const jt_op *op, const jc_gpu_launch *launch)
{
    jt_kernel_context context = {.op = op, .seed = jt_next(&jt_device.rng)};
    return jt_device.kernels.run(launch, &context);
}

/* Also of a node, whose work is the graph's. After an error nothing more is done. */
void jt_execute(jt_op *op)
{
    int code = 0;
    const jt_work *w = &op->work;
    if (jt_device.async_error || jt_device.lost) return;
    jt_shadow_begin();
    jt_memory_close_small();
    jt_device.running = op->serial;
    jt_device.n_operations++;
    code = jt_fault_operation();
    if (!code && w->type == JT_OP_COPY) do_copy(op, &w->of.copy, w->staged);
    if (!code && (w->type == JT_OP_FILL || w->type == JT_OP_POISON)) do_fill(op, &w->of.fill);
    if (!code && w->type == JT_OP_PRODUCT) jt_product_execute(op);
    if (!code && w->type == JT_OP_KERNEL) code = do_kernel(op, &w->of.launch);
    jt_device.running = 0;
    jt_memory_note_touch();
    jt_device.async_error = code;
}

/* ---- copies ------------------------------------------------------------------------------------------------------ */

static bool in_block(const char *what, const void *ptr, size_t bytes)
{
    char where[128];
    const jt_block *b = jt_block_at(ptr);
    const unsigned char *p = ptr;
    bool inside = b && p >= b->base && bytes <= b->bytes && (size_t)(p - b->base) <= b->bytes - bytes;
    if (inside && b->live) return true;
    jt_place_text(b, ptr, bytes, where);
    jt_note(inside ? JT_USE_AFTER_FREE : JT_OUT_OF_BOUNDS, "%s %s", what, where);
    return false;
}

static bool right_memory(const char *what, const void *ptr, bool device)
{
    if (jt_is_device(ptr) == device) return true;
    jt_note(JT_WRONG_MEMORY, "%s %p, which is %sdevice memory", what, ptr, device ? "not " : "");
    return false;
}

static size_t span(size_t pitch, const jt_copy *c)
{
    return pitch * (c->height - 1) + c->width;
}

static int check_copy(const jt_copy *c)
{
    bool to_device = c->kind != JC_GPU_TO_HOST, from_device = c->kind != JC_GPU_TO_DEVICE;
    size_t dst_span = span(c->dst_pitch, c), src_span = span(c->src_pitch, c);
    if (c->kind < JC_GPU_TO_DEVICE || c->kind > JC_GPU_ON_DEVICE) return JT_E_DIRECTION;
    if (c->width > c->dst_pitch || c->width > c->src_pitch) return JT_E_PITCH;
    if (!right_memory("a copy to", c->dst, to_device) || !right_memory("a copy from", c->src, from_device))
        return JT_E_VALUE;
    if ((to_device || jt_is_pinned(c->dst)) && !in_block("a copy to", c->dst, dst_span)) return JT_E_VALUE;
    if ((from_device || jt_is_pinned(c->src)) && !in_block("a copy from", c->src, src_span)) return JT_E_VALUE;
    uintptr_t d = (uintptr_t)c->dst, s = (uintptr_t)c->src;
    if (d < s + src_span && s < d + dst_span) jt_note(JT_ALIAS, "a copy of %zu bytes onto itself", src_span);
    return 0;
}

static void *stage(const jt_copy *c)
{
    unsigned char *staged = jt_take(NULL, c->width * c->height);
    for (size_t i = 0; i < c->height; i++) memcpy(staged + i * c->width, row_of(c->src, c->src_pitch, i), c->width);
    return staged;
}

static int copy(const jt_copy *c, jc_gpu_stream stream)
{
    if (c->width == 0 || c->height == 0) return 0;
    jt_stream *s = jt_stream_of(stream);
    int code = s ? check_copy(c) : JT_E_HANDLE;
    if (code) return code;
    jt_work work = {.type = JT_OP_COPY, .of.copy = *c};
    bool paged_from = c->kind == JC_GPU_TO_DEVICE && !jt_is_pinned(c->src);
    bool paged_to = c->kind == JC_GPU_TO_HOST && !jt_is_pinned(c->dst);
    if (s->capture && (paged_from || paged_to))
        jt_note(JT_CAPTURE, "a captured copy of host memory that is not pinned: touched when the graph runs");
    if (!s->capture && paged_from) work.staged = stage(c);
    code = jt_submit(stream, &work);
    if (code || s->capture || !paged_to) return code;
    jt_forbidden_in_run("a copy to host memory that is not pinned, which synchronises");
    code = jt_wait_for(s, s->queued);
    jt_clock_join(&jt_device.host, &s->clock);
    return code;
}

int jt_copy_1d(void *dst, const void *src, size_t bytes, jc_gpu_copy_kind kind, jc_gpu_stream stream)
{
    int code = jt_enter(JT_COPY);
    jt_copy c = {dst, src, bytes, bytes, bytes, 1, kind};
    if (!code) code = copy(&c, stream);
    return jt_leave(JT_COPY, code);
}

int jt_copy_2d(void *dst, size_t dst_pitch, const void *src, size_t src_pitch, size_t width, size_t height,
               jc_gpu_copy_kind kind, jc_gpu_stream stream)
{
    int code = jt_enter(JT_COPY_2D);
    jt_copy c = {dst, src, dst_pitch, src_pitch, width, height, kind};
    if (!code) code = copy(&c, stream);
    return jt_leave(JT_COPY_2D, code);
}

/* ---- fills ------------------------------------------------------------------------------------------------------- */

static int fill(jt_type type, void *d_ptr, int byte, size_t bytes, jc_gpu_stream stream)
{
    if (bytes == 0) return 0;
    if (!right_memory("a fill of", d_ptr, true) || !in_block("a fill of", d_ptr, bytes)) return JT_E_VALUE;
    jt_work work = {.type = type, .of.fill = {d_ptr, byte, bytes}};
    return jt_submit(stream, &work);
}

int jt_fill_bytes(void *d_ptr, int byte, size_t bytes, jc_gpu_stream stream)
{
    int code = jt_enter(JT_FILL);
    if (!code) code = fill(JT_OP_FILL, d_ptr, byte, bytes, stream);
    return jt_leave(JT_FILL, code);
}

int jt_standin_poison(void *d_ptr, size_t bytes, jc_gpu_stream stream)
{
    jt_lock();
    int code = fill(JT_OP_POISON, d_ptr, 0xFF, bytes, stream);
    jt_unlock();
    return code;
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

int jt_stand_in_kernels_load(void)
{
    int code = jt_enter(JT_KERNELS_LOAD);
    if (!code) jt_device.kernels_loaded = true;
    return jt_leave(JT_KERNELS_LOAD, code);
}

static void count_launch(int kernel)
{
    if (launches_generation != jt_device.generation) memset(launches, 0, sizeof launches);
    launches_generation = jt_device.generation;
    if (kernel >= 0 && kernel < JC_GPU_KERNEL_COUNT) launches[kernel]++;
}

int64_t jt_standin_count_launches(int kernel)
{
    jt_lock();
    count_launch(-1);
    int64_t n = kernel >= 0 && kernel < JC_GPU_KERNEL_COUNT ? launches[kernel] : 0;
    jt_unlock();
    return n;
}

static int launch(const jc_gpu_launch *l, jc_gpu_stream stream)
{
    jt_launch_shape shape;
    if (l->kernel < 0 || l->kernel >= JC_GPU_KERNEL_COUNT || !jt_device.have_kernels) return JT_E_FUNCTION;
    if (!jt_device.kernels_loaded) jt_note(JT_ARGUMENT, "a launch before kernels_load");
    jt_stream *s = jt_stream_of(stream);
    if (!s || s->device != *jt_thread_device()) return JT_E_HANDLE;
    int code = jt_device.kernels.shape(l, &shape);
    if (!code) code = jt_standin_check_shape(&shape);
    if (code) return code;
    jt_work work = {.type = JT_OP_KERNEL, .of.launch = *l};
    return jt_submit(stream, &work);
}

int jt_launch(const jc_gpu_launch *l, jc_gpu_stream stream)
{
    int code = jt_enter(JT_LAUNCH);
    count_launch(l->kernel);
    if (!code) code = launch(l, stream);
    return jt_leave(JT_LAUNCH, code);
}

/* ---- limits ------------------------------------------------------------------------------------------------------ */

/* What is beyond the limits, with its code; NULL: nothing. */
static const char *beyond(const jt_launch_shape *s, int *code)
{
    enum { THREADS = 1024, THREADS_Z = 64, GRID_YZ = 65535, STATIC = 48 << 10, TOGETHER = 227 << 10, CLUSTER = 8 };
    const int64_t *g = s->grid, *b = s->block;
    int64_t both = s->static_shared_bytes + s->dynamic_shared_bytes;
    *code = JT_E_CONFIGURATION;
    for (int i = 0; i < 3; i++)
        if (g[i] < 1 || b[i] < 1) return "nothing in it";
    if (b[0] > THREADS || b[1] > THREADS || b[2] > THREADS_Z || b[0] * b[1] * b[2] > THREADS) return "too many threads";
    if (g[0] > INT32_MAX || g[1] > GRID_YZ || g[2] > GRID_YZ) return "too many blocks";
    *code = JT_E_CLUSTER;
    if (s->cluster > 1 && jt_device.config.major < 9) return "clusters, which the device has not";
    if (s->cluster < 1 || s->cluster > CLUSTER || g[0] % s->cluster) return "clusters of a wrong size";
    *code = JT_E_VALUE;
    if (s->static_shared_bytes < 0 || s->dynamic_shared_bytes < 0) return "negative shared memory";
    if (s->static_shared_bytes > STATIC) return "more than 48 KiB of static shared memory";
    if (both > STATIC && !s->opted_in) return "more than 48 KiB of shared memory and not opted in";
    if (both > TOGETHER) return "more than 227 KiB of shared memory";
    return NULL;
}

int jt_standin_check_shape(const jt_launch_shape *s)
{
    int code;
    const char *what = beyond(s, &code);
    if (!what) return 0;
    jt_lock();
    jt_note(JT_LIMIT, "a launch of %lld x %lld x %lld blocks of %lld x %lld x %lld threads has %s",
            (long long)s->grid[0], (long long)s->grid[1], (long long)s->grid[2], (long long)s->block[0],
            (long long)s->block[1], (long long)s->block[2], what);
    jt_unlock();
    return code;
}
