/* Capture: calls on a stream become nodes of a graph instead of work. A stream that waits for an event of a capture
 * joins it; its frontier are the nodes on which its next one depends. */
#include "standin/internal.h"

#include <stdlib.h>
#include <string.h>

#include "standin/graph.h"

struct jt_capture {
    jt_stream *origin;
    jt_body *body;
    bool broken;
    const void *thread; /* an address that is the thread's own */
    jt_capture *next;
};

static jt_capture *captures;

static const void *this_thread(void)
{
    static _Thread_local char own;
    return &own;
}

/* ---- frontiers --------------------------------------------------------------------------------------------------- */

void jt_frontier_free(jt_frontier *f)
{
    free(f->nodes);
    *f = (jt_frontier){0};
}

static void frontier_add(jt_frontier *f, int64_t node)
{
    for (int64_t i = 0; i < f->n; i++)
        if (f->nodes[i] == node) return;
    f->nodes = jt_take(f->nodes, (size_t)(f->n + 1) * sizeof *f->nodes);
    f->nodes[f->n++] = node;
}

static void frontier_join(jt_frontier *f, const jt_frontier *other)
{
    for (int64_t i = 0; i < other->n; i++) frontier_add(f, other->nodes[i]);
}

static void frontier_copy(jt_frontier *f, const jt_frontier *other)
{
    jt_frontier_free(f);
    frontier_join(f, other);
}

/* ---- what ends a capture early ----------------------------------------------------------------------------------- */

void jt_capture_break(jt_capture *capture)
{
    capture->broken = true;
}

bool jt_capture_here(void)
{
    for (const jt_capture *c = captures; c; c = c->next)
        if (c->thread == this_thread()) return true;
    return false;
}

void jt_capture_break_here(void)
{
    for (jt_capture *c = captures; c; c = c->next)
        if (c->thread == this_thread()) c->broken = true;
}

bool jt_capture_of_blocking(jt_capture **capture)
{
    for (const jt_stream *s = jt_device.streams; s; s = s->next) {
        if (!s->capture || !s->blocking) continue;
        *capture = s->capture;
        return true;
    }
    return false;
}

void jt_capture_detach(jt_stream *s)
{
    s->capture = NULL;
    jt_frontier_free(&s->frontier);
}

/* ---- calls on streams that are captured -------------------------------------------------------------------------- */

int jt_capture_add(jt_stream *s, jt_work *work)
{
    if (s->capture->broken) {
        jt_work_free(work);
        return JT_E_INVALIDATED;
    }
    int64_t node = jt_body_add(s->capture->body, work, &s->frontier);
    jt_frontier_free(&s->frontier);
    frontier_add(&s->frontier, node);
    return 0;
}

int jt_capture_record(jt_stream *s, jt_event *e)
{
    if (s->capture->broken) return JT_E_INVALIDATED;
    e->recorded = e->captured = true;
    e->capture = s->capture;
    frontier_copy(&e->frontier, &s->frontier);
    return 0;
}

static int refuse(jt_capture *one, jt_capture *other, int code, const char *why)
{
    jt_note(JT_CAPTURE, "%s", why);
    if (one) one->broken = true;
    if (other) other->broken = true;
    return code;
}

int jt_capture_wait(jt_stream *s, jt_event *e)
{
    if (!e->captured) return refuse(s->capture, NULL, JT_E_ISOLATION, "a captured stream waits for uncaptured work");
    if (!e->capture) return refuse(s->capture, NULL, JT_E_CAPTURED, "a wait for an event of a capture that has ended");
    if (e->capture->broken || (s->capture && s->capture->broken)) return JT_E_INVALIDATED;
    if (s->capture && s->capture != e->capture)
        return refuse(s->capture, e->capture, JT_E_MERGE, "an event would join two captures");
    if (s == jt_device.streams)
        return refuse(e->capture, NULL, JT_E_IMPLICIT, "the legacy stream would join a capture");
    s->capture = e->capture;
    frontier_join(&s->frontier, &e->frontier);
    return 0;
}

/* ---- begin and end ----------------------------------------------------------------------------------------------- */

int jt_capture_state(jc_gpu_stream stream, bool *capturing)
{
    int code = jt_enter(JT_CAPTURE_STATE);
    jt_stream *s = code ? NULL : jt_stream_of(stream);
    if (!code && !s) code = JT_E_HANDLE;
    if (!code) *capturing = s->capture != NULL;
    return jt_leave(JT_CAPTURE_STATE, code);
}

static int capture_begin(jc_gpu_stream stream)
{
    jt_stream *s = jt_stream_of(stream);
    if (!s) return JT_E_HANDLE;
    if (s == jt_device.streams) return refuse(NULL, NULL, JT_E_UNSUPPORTED, "the legacy stream cannot be captured");
    if (s->capture) return refuse(NULL, NULL, JT_E_ILLEGAL_STATE, "capture_begin on a stream that is captured");
    jt_capture *c = jt_take_zero(1, sizeof *c);
    *c = (jt_capture){.origin = s, .body = jt_body_create(), .thread = this_thread(), .next = captures};
    captures = c;
    s->capture = c;
    return 0;
}

int jt_capture_begin(jc_gpu_stream stream)
{
    int code = jt_enter(JT_CAPTURE_BEGIN);
    if (!code) code = capture_begin(stream);
    return jt_leave(JT_CAPTURE_BEGIN, code);
}

/* Whether every node comes before the end of the origin. Nodes stand behind those that they depend on. */
static bool is_joined(const jt_capture *c)
{
    const jt_body *b = c->body;
    bool *reached = jt_take_zero((size_t)b->n_nodes, sizeof *reached), all = true;
    for (int64_t i = 0; i < c->origin->frontier.n; i++) reached[c->origin->frontier.nodes[i]] = true;
    for (int64_t i = b->n_nodes - 1; i >= 0; i--) {
        all &= reached[i];
        for (int64_t k = 0; reached[i] && k < b->nodes[i].after.n; k++) reached[b->nodes[i].after.nodes[k]] = true;
    }
    free(reached);
    return all;
}

static void capture_free(jt_capture *capture)
{
    jt_capture **link = &captures;
    while (*link != capture) link = &(*link)->next;
    *link = capture->next;
    for (jt_stream *s = jt_device.streams; s; s = s->next)
        if (s->capture == capture) jt_capture_detach(s);
    for (jt_event *e = jt_device.events; e; e = e->next)
        if (e->capture == capture) e->capture = NULL;
    jt_body_drop(capture->body);
    free(capture);
}

static int capture_end(jc_gpu_stream stream, jc_gpu_graph *graph)
{
    jt_stream *s = jt_stream_of(stream);
    *graph = NULL;
    if (!s) return JT_E_HANDLE;
    jt_capture *c = s->capture;
    if (!c) return refuse(NULL, NULL, JT_E_ILLEGAL_STATE, "capture_end on a stream that is not captured");
    if (c->origin != s) return refuse(c, NULL, JT_E_UNMATCHED, "capture_end on another stream than it began on");
    if (c->thread != this_thread()) return refuse(NULL, NULL, JT_E_THREAD, "capture_end in another thread");
    int code = 0;
    if (c->broken)
        code = JT_E_INVALIDATED;
    else if (!is_joined(c))
        code = refuse(NULL, NULL, JT_E_UNJOINED, "the capture ends with work that no event joins to its stream");
    if (!code) *graph = jt_graph_create(c->body);
    capture_free(c);
    return code;
}

/* A capture ends whatever is returned, or nothing could be done in its stream again. */
int jt_capture_end(jc_gpu_stream stream, jc_gpu_graph *graph)
{
    int code = jt_enter(JT_CAPTURE_END);
    const jt_stream *s = code ? jt_stream_of(stream) : NULL;
    if (!code) code = capture_end(stream, graph);
    if (s && s->capture && s->capture->origin == s) capture_free(s->capture), *graph = NULL;
    return jt_leave(JT_CAPTURE_END, code);
}

int64_t jt_captures_open(void)
{
    int64_t n = 0;
    for (const jt_capture *c = captures; c; c = c->next) n++;
    return n;
}

void jt_captures_reset(void)
{
    while (captures) capture_free(captures);
}
