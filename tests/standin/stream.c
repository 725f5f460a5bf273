/* Streams and events: queues of operations, run when something waits. */
#include "standin/internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- queues ------------------------------------------------------------------------------------------------------ */

jt_stream *jt_stream_of(jc_gpu_stream stream)
{
    if (!stream) return jt_device.streams;
    for (jt_stream *s = jt_device.streams; s; s = s->next) {
        if ((void *)s != (void *)stream) continue;
        if (s->destroyed) jt_note(JT_USE_AFTER_FREE, "stream %d was destroyed", s->id);
        return s->destroyed ? NULL : s;
    }
    jt_note(JT_ARGUMENT, "%p is no stream", (void *)stream);
    return NULL;
}

jt_event *jt_event_of(jc_gpu_event event)
{
    for (jt_event *e = jt_device.events; e; e = e->next) {
        if ((void *)e != (void *)event) continue;
        if (e->destroyed) jt_note(JT_USE_AFTER_FREE, "event %d was destroyed", e->id);
        return e->destroyed ? NULL : e;
    }
    jt_note(JT_ARGUMENT, "%p is no event", (void *)event);
    return NULL;
}

jt_op *jt_queue(jt_stream *s, jt_op *op)
{
    jt_op *queued = jt_take(NULL, sizeof *queued);
    *queued = *op;
    queued->next = NULL;
    if (s->tail)
        s->tail->next = queued;
    else
        s->head = queued;
    s->tail = queued;
    s->queued++;
    return queued;
}

void jt_queue_wait(jt_stream *s, jt_stream *on, int64_t count, const jt_clock *clock)
{
    jt_clock_join(&s->clock, clock);
    if (on == s || on->done >= count) return;
    jt_op op = {.work.type = JT_OP_WAIT, .awaited = on, .awaited_count = count};
    jt_queue(s, &op);
}

void jt_before_queueing(jt_stream *s)
{
    jt_stream *legacy = jt_device.streams;
    if (!s->blocking) return;
    if (s != legacy) {
        jt_queue_wait(s, legacy, legacy->queued, &legacy->clock);
        return;
    }
    for (jt_stream *other = legacy->next; other; other = other->next)
        if (other->blocking) jt_queue_wait(legacy, other, other->queued, &other->clock);
}

static int enqueue(jt_stream *s, jt_work *work)
{
    jt_before_queueing(s);
    int kernel = work->type == JT_OP_KERNEL ? work->of.launch.kernel : -1;
    jt_op op = {.work = *work, .serial = jt_serial(work->type, kernel, s->lane, s->id, -1)};
    jt_clock_join(&s->clock, &jt_device.host);
    jt_clock_set(&s->clock, s->lane, op.serial);
    jt_clock_join(&op.clock, &s->clock);
    jt_queue(s, &op);
    return 0;
}

/* A use of the legacy stream while a blocking one captures would make it wait for the capture. */
static bool implicit(const jt_stream *s)
{
    jt_capture *capture;
    if (s != jt_device.streams || !jt_capture_of_blocking(&capture)) return false;
    jt_note(JT_CAPTURE, "work for the legacy stream while a blocking stream is captured");
    jt_capture_break(capture);
    return true;
}

int jt_submit(jc_gpu_stream stream, jt_work *work)
{
    jt_stream *s = jt_stream_of(stream);
    int code = 0;
    if (!s)
        code = JT_E_HANDLE;
    else if (s->capture)
        return jt_capture_add(s, work);
    else if (implicit(s))
        code = JT_E_IMPLICIT;
    if (!code) return enqueue(s, work);
    jt_work_free(work);
    return code;
}

/* ---- running ----------------------------------------------------------------------------------------------------- */

static bool can_run(const jt_stream *s)
{
    const jt_op *op = s->head;
    return op && (op->work.type != JT_OP_WAIT || op->awaited->done >= op->awaited_count);
}

static void op_free(jt_op *op)
{
    if (op->run) jt_graph_run_free(op->run);
    jt_work_free(&op->work);
    jt_clock_free(&op->clock);
    free(op);
}

static void run_one(jt_stream *s)
{
    jt_op *op = s->head;
    if (op->work.type == JT_OP_GRAPH && !jt_graph_step(op)) return;
    if (op->work.type != JT_OP_GRAPH && op->work.type != JT_OP_WAIT) jt_execute(op);
    s->head = op->next;
    if (!s->head) s->tail = NULL;
    s->done++;
    op_free(op);
}

/* How far each stream must run for s to reach count: through the waits in the queues. */
static void find_needed(jt_stream *s, int64_t count)
{
    for (jt_stream *t = jt_device.streams; t; t = t->next) t->needed = 0;
    s->needed = count;
    for (bool more = true; more;) {
        more = false;
        for (jt_stream *t = jt_device.streams; t; t = t->next) {
            int64_t at = t->done;
            for (jt_op *op = t->head; op && at < t->needed; op = op->next, at++) {
                if (op->work.type != JT_OP_WAIT || op->awaited->needed >= op->awaited_count) continue;
                op->awaited->needed = op->awaited_count;
                more = true;
            }
        }
    }
}

static bool is_starved(const jt_stream *s)
{
    return (uint64_t)s->id == jt_device.config.seed % (uint64_t)jt_device.n_streams;
}

/* The k-th stream that may run, starved ones only when asked; NULL: there are at most k. */
static jt_stream *candidate(int64_t k, bool starved_too)
{
    for (jt_stream *s = jt_device.streams; s; s = s->next) {
        if (!can_run(s) || (jt_device.order == JT_ORDER_LAZY && s->done >= s->needed)) continue;
        if (jt_device.order == JT_ORDER_STARVED && !starved_too && is_starved(s)) continue;
        if (k-- == 0) return s;
    }
    return NULL;
}

static jt_stream *choose(void)
{
    jt_state *d = &jt_device;
    int64_t n = 0;
    bool starved_too = !candidate(0, false);
    while (candidate(n, starved_too)) n++;
    if (n == 0) return NULL;
    if (d->order == JT_ORDER_LAZY) return candidate(0, false);
    if (d->order == JT_ORDER_ROUND_ROBIN) return candidate(d->cursor++ % n, false);
    return candidate(jt_below(&d->rng, n), starved_too);
}

/* An asynchronous error is told by the first call that waits; the device is lost with it. */
static int surface(void)
{
    if (!jt_device.async_error) return 0;
    jt_device.lost = jt_device.async_error;
    return jt_device.lost;
}

int jt_wait_for(jt_stream *s, int64_t count)
{
    find_needed(s, count);
    while (s->done < count) {
        jt_stream *next = choose();
        if (!next) {
            jt_note(JT_ARGUMENT, "stream %d waits for what never runs", s->id);
            return JT_E_VALUE;
        }
        run_one(next);
    }
    return surface();
}

int jt_wait_for_all(void)
{
    int code = 0;
    for (jt_stream *s = jt_device.streams; s; s = s->next) {
        int one = jt_wait_for(s, s->queued);
        if (one) code = one;
    }
    return code;
}

void jt_release_orders_host(void)
{
    for (jt_stream *s = jt_device.streams; s; s = s->next) jt_clock_join(&jt_device.host, &s->clock);
}

void jt_standin_drain(void)
{
    jt_lock();
    jt_wait_for_all();
    jt_memory_close();
    jt_unlock();
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

/* Without the checks of a call: the legacy stream is made so too. */
static jt_stream *stream_create(void)
{
    jt_stream *s = jt_take_zero(1, sizeof *s), **end = &jt_device.streams;
    while (*end) end = &(*end)->next;
    *end = s;
    s->id = jt_device.n_streams++;
    s->device = *jt_thread_device();
    s->lane = jt_device.n_lanes++;
    return s;
}

void jt_legacy_create(void)
{
    stream_create()->blocking = true;
}

int jt_stream_create(jc_gpu_stream *stream)
{
    int code = jt_enter(JT_STREAM_CREATE);
    if (!code) *stream = (jc_gpu_stream)(void *)stream_create();
    return jt_leave(JT_STREAM_CREATE, code);
}

int jt_standin_blocking_stream(jc_gpu_stream *stream)
{
    int code = jt_stream_create(stream);
    if (!code) ((jt_stream *)(void *)*stream)->blocking = true;
    return code;
}

static int stream_destroy(jc_gpu_stream stream)
{
    jt_stream *s = stream ? jt_stream_of(stream) : NULL;
    if (!s) return JT_E_HANDLE;
    if (s->capture) {
        jt_note(JT_CAPTURE, "stream %d is destroyed while it is captured", s->id);
        jt_capture_break(s->capture);
        jt_capture_detach(s);
    }
    s->destroyed = true; /* what is queued runs still */
    return 0;
}

int jt_stream_destroy(jc_gpu_stream stream)
{
    int code = jt_enter(JT_STREAM_DESTROY);
    if (!code) code = stream_destroy(stream);
    return jt_leave(JT_STREAM_DESTROY, code);
}

static int stream_synchronize(jc_gpu_stream stream)
{
    jt_stream *s = jt_stream_of(stream);
    if (!s) return JT_E_HANDLE;
    if (s->capture) {
        jt_note(JT_CAPTURE, "stream %d is waited for while it is captured", s->id);
        jt_capture_break(s->capture);
        return JT_E_UNSUPPORTED;
    }
    if (implicit(s)) return JT_E_IMPLICIT;
    jt_before_queueing(s);
    int code = jt_wait_for(s, s->queued);
    jt_clock_join(&jt_device.host, &s->clock);
    return code;
}

int jt_stream_synchronize(jc_gpu_stream stream)
{
    int code = jt_enter(JT_STREAM_SYNCHRONIZE);
    if (!code) code = stream_synchronize(stream);
    return jt_leave(JT_STREAM_SYNCHRONIZE, code);
}

static int stream_wait(jc_gpu_stream stream, jc_gpu_event event)
{
    jt_stream *s = jt_stream_of(stream);
    jt_event *e = jt_event_of(event);
    if (!s || !e) return JT_E_HANDLE;
    if (!e->recorded) jt_note(JT_ARGUMENT, "stream %d waits for event %d, which was never recorded", s->id, e->id);
    if (!e->recorded) return 0;
    if (s->capture || e->captured) return jt_capture_wait(s, e);
    if (implicit(s)) return JT_E_IMPLICIT;
    jt_queue_wait(s, e->stream, e->position, &e->clock);
    return 0;
}

int jt_stream_wait(jc_gpu_stream stream, jc_gpu_event event)
{
    int code = jt_enter(JT_STREAM_WAIT);
    if (!code) code = stream_wait(stream, event);
    return jt_leave(JT_STREAM_WAIT, code);
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

int jt_event_create(jc_gpu_event *event)
{
    int code = jt_enter(JT_EVENT_CREATE);
    if (code) return jt_leave(JT_EVENT_CREATE, code);
    jt_event *e = jt_take_zero(1, sizeof *e);
    e->id = jt_device.n_events++;
    e->next = jt_device.events;
    jt_device.events = e;
    *event = (jc_gpu_event)(void *)e;
    return jt_leave(JT_EVENT_CREATE, 0);
}

int jt_event_destroy(jc_gpu_event event)
{
    int code = jt_enter(JT_EVENT_DESTROY);
    jt_event *e = code ? NULL : jt_event_of(event);
    if (e)
        e->destroyed = true;
    else if (!code)
        code = JT_E_HANDLE;
    return jt_leave(JT_EVENT_DESTROY, code);
}

static int event_record(jc_gpu_event event, jc_gpu_stream stream)
{
    jt_stream *s = jt_stream_of(stream);
    jt_event *e = jt_event_of(event);
    if (!s || !e) return JT_E_HANDLE;
    if (s->capture) return jt_capture_record(s, e);
    if (implicit(s)) return JT_E_IMPLICIT;
    jt_before_queueing(s);
    e->recorded = true;
    e->captured = false;
    e->stream = s;
    e->position = s->queued;
    jt_clock_free(&e->clock);
    jt_clock_join(&e->clock, &s->clock);
    jt_clock_join(&e->clock, &jt_device.host);
    return 0;
}

int jt_event_record(jc_gpu_event event, jc_gpu_stream stream)
{
    int code = jt_enter(JT_EVENT_RECORD);
    if (!code) code = event_record(event, stream);
    return jt_leave(JT_EVENT_RECORD, code);
}

static int event_synchronize(jc_gpu_event event)
{
    jt_event *e = jt_event_of(event);
    if (!e) return JT_E_HANDLE;
    if (e->captured) {
        jt_note(JT_CAPTURE, "event %d is waited for, which was recorded in a capture", e->id);
        if (e->capture) jt_capture_break(e->capture);
        return JT_E_CAPTURED;
    }
    if (!e->recorded) jt_note(JT_ARGUMENT, "event %d is waited for, which was never recorded", e->id);
    if (!e->recorded) return 0;
    int code = jt_wait_for(e->stream, e->position);
    jt_clock_join(&jt_device.host, &e->clock);
    return code;
}

int jt_event_synchronize(jc_gpu_event event)
{
    int code = jt_enter(JT_EVENT_SYNCHRONIZE);
    if (!code) code = event_synchronize(event);
    return jt_leave(JT_EVENT_SYNCHRONIZE, code);
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

int64_t jt_stream_leaks(void)
{
    int64_t leaks = 0;
    for (jt_stream *s = jt_device.streams->next; s; s = s->next) {
        if (s->destroyed) continue;
        jt_note(JT_LEAK, "stream %d", s->id);
        leaks++;
    }
    for (jt_event *e = jt_device.events; e; e = e->next) {
        if (e->destroyed) continue;
        jt_note(JT_LEAK, "event %d", e->id);
        leaks++;
    }
    return leaks;
}

void jt_streams_reset(void)
{
    while (jt_device.streams) {
        jt_stream *s = jt_device.streams;
        jt_device.streams = s->next;
        while (s->head) {
            jt_op *op = s->head;
            s->head = op->next;
            op_free(op);
        }
        jt_clock_free(&s->clock);
        jt_frontier_free(&s->frontier);
        free(s);
    }
    while (jt_device.events) {
        jt_event *e = jt_device.events;
        jt_device.events = e->next;
        jt_clock_free(&e->clock);
        jt_frontier_free(&e->frontier);
        free(e);
    }
}
