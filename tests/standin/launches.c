#include "standin/launches.h"

#ifdef JT_HAS_KERNELS

#include <stdio.h>

#include "standin/emulation.h"

int jt_kernels_load(void); /* jc_kernels_load of the emulated kernels */

static jt_emulation emulation;
static char found[600];

static int shape_of(const jc_gpu_launch *launch, jt_launch_shape *shape)
{
    jt_grid grid;
    int code = jt_kernels_shape(launch, &grid);
    if (code) return code;
    *shape = (jt_launch_shape){.grid = {grid.blocks, 1, 1}, .block = {grid.threads, 1, 1}, .cluster = grid.cluster};
    shape->dynamic_shared_bytes = (int64_t)grid.shared_bytes;
    shape->opted_in = grid.opted_in;
    return 0;
}

static bool access_from(void *ctx, const jt_where *w, const void *ptr, size_t bytes, bool write)
{
    jt_kernel_context *context = ctx;
    const jt_place *p = &context->place;
    if (!context->segment || p->thread != w->thread || p->block != w->block || p->warp_phase != w->warp_phase ||
        p->phase != w->phase || p->cluster_phase != w->cluster_phase) {
        jt_place place = {.block = w->block,
                          .thread = w->thread,
                          .cluster = w->cluster,
                          .phase = w->phase,
                          .warp_phase = w->warp_phase,
                          .cluster_phase = w->cluster_phase};
        jt_at(context, &place);
    }
    return jt_access(context, ptr, bytes, write);
}

static int run_launch(const jc_gpu_launch *launch, jt_kernel_context *context)
{
    emulation.access = access_from;
    emulation.ctx = context;
    jt_emulation_set(&emulation);
    int code = jt_kernels_run(launch);
    if (jt_emulation_findings() && !*found)
        snprintf(found, sizeof found, "kernel %d: %s", launch->kernel, jt_emulation_first());
    return code;
}

int jt_launches_begin(uint64_t seed, const jt_standin_config *config)
{
    static const jt_kernels kernels = {shape_of, run_launch};
    jt_standin_config c = config ? *config : jt_standin_default();
    if (!config) c.seed = seed, c.major = seed % 2 ? 9 : 8;
    emulation = (jt_emulation){.order = (jt_thread_order)(seed % 3), .seed = seed};
    emulation.multiprocessors = c.multiprocessors;
    emulation.shared_bytes = (c.major >= 9 ? 227 : c.minor >= 6 ? 99 : 163) * 1024;
    *found = '\0';
    jt_standin_reset(&c);
    jt_standin_set_kernels(&kernels);
    jt_emulation_set(&emulation);
    return jt_kernels_load();
}

const char *jt_launches_first(void)
{
    return found;
}

#else

int jt_launches_begin(uint64_t seed, const jt_standin_config *config)
{
    (void)seed;
    jt_standin_reset(config);
    return 0;
}

const char *jt_launches_first(void)
{
    return "";
}

#endif
