/* A device anew, its memory, streams and events: what the stand-in's own tests begin with. */
#ifndef JT_STANDIN_SCENE_H
#define JT_STANDIN_SCENE_H

#include "standin/expect.h"

enum { FLOATS = 64, BYTES = FLOATS * 4, WORKSPACE = 4096 };

static inline void begin(uint64_t seed, jt_order order)
{
    jt_standin_config config = jt_standin_default();
    config.seed = seed;
    config.order = order;
    jt_standin_reset(&config);
}

static inline float *floats(int64_t n)
{
    void *ptr = NULL;
    ok(api->allocate(&ptr, (size_t)n * 4));
    return ptr;
}

static inline float *pinned_floats(int64_t n)
{
    void *ptr = NULL;
    ok(api->allocate_pinned(&ptr, (size_t)n * 4));
    return ptr;
}

static inline jc_gpu_stream stream(void)
{
    jc_gpu_stream s = NULL;
    ok(api->stream_create(&s));
    return s;
}

static inline jc_gpu_event event(void)
{
    jc_gpu_event e = NULL;
    ok(api->event_create(&e));
    return e;
}

#endif
