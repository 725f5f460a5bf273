/* Graphs and their launches: the nodes run in any order that their dependencies allow, and their clocks know of nothing
 * else. Each chain of nodes has a lane; launches of one exec come after one another, as in CUDA. */
#include "standin/graph.h"

#include <stdlib.h>
#include <string.h>

typedef struct graph {
    jt_body *body;
    int id;
    bool destroyed;
    struct graph *next;
} graph;

typedef struct exec {
    jt_body *body;
    int id;
    bool destroyed;
    int32_t *lanes; /* [chains], once launched */
    jt_stream *stream;
    int64_t position; /* of the last launch */
    jt_clock clock;   /* of its end */
    struct exec *next;
} exec;

/* A lane that no exec holds any more, free to one that comes after its last operation. */
typedef struct lane {
    int32_t number;
    uint32_t last;
} lane;

static graph *graphs;
static exec *execs;
static int n_graphs, n_execs;
static lane *lanes;
static int64_t n_lanes;

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

jt_body *jt_body_create(void)
{
    jt_body *body = jt_take_zero(1, sizeof *body);
    body->references = 1;
    return body;
}

void jt_body_drop(jt_body *body)
{
    if (--body->references) return;
    for (int64_t i = 0; i < body->n_nodes; i++) {
        jt_work_free(&body->nodes[i].work);
        jt_frontier_free(&body->nodes[i].after);
        free(body->nodes[i].before);
    }
    free(body->nodes);
    free(body);
}

int64_t jt_body_add(jt_body *body, jt_work *work, const jt_frontier *after)
{
    if (body->n_nodes == body->capacity) {
        body->capacity = body->capacity ? 2 * body->capacity : 16;
        body->nodes = jt_take(body->nodes, (size_t)body->capacity * sizeof *body->nodes);
    }
    jt_node *node = &body->nodes[body->n_nodes];
    *node = (jt_node){.work = *work};
    node->after.n = after->n;
    node->after.nodes = jt_take(NULL, (size_t)after->n * sizeof *after->nodes);
    for (int64_t i = 0; i < after->n; i++) node->after.nodes[i] = after->nodes[i];
    return body->n_nodes++;
}

static void add_before(jt_node *node, int64_t later)
{
    node->before = jt_take(node->before, (size_t)(node->n_before + 1) * sizeof *node->before);
    node->before[node->n_before++] = later;
}

/* A node goes on with the chain of one that it depends on and that ends there. */
static void finish(jt_body *body)
{
    bool *taken = jt_take_zero((size_t)body->n_nodes, sizeof *taken);
    for (int64_t i = 0; i < body->n_nodes; i++) {
        jt_node *node = &body->nodes[i];
        node->chain = -1;
        for (int64_t k = 0; k < node->after.n; k++) {
            int64_t earlier = node->after.nodes[k];
            add_before(&body->nodes[earlier], i);
            if (node->chain >= 0 || taken[earlier]) continue;
            taken[earlier] = true;
            node->chain = body->nodes[earlier].chain;
        }
        if (node->chain < 0) node->chain = body->n_chains++;
    }
    free(taken);
}

/* ---- graphs ------------------------------------------------------------------------------------------------------ */

jc_gpu_graph jt_graph_create(jt_body *body)
{
    graph *g = jt_take_zero(1, sizeof *g);
    finish(body);
    body->references++;
    *g = (graph){.body = body, .id = n_graphs++, .next = graphs};
    graphs = g;
    return (jc_gpu_graph)(void *)g;
}

static graph *graph_of(jc_gpu_graph handle)
{
    graph *g = graphs;
    while (g && (void *)g != (void *)handle) g = g->next;
    if (g && !g->destroyed) return g;
    jt_note(g ? JT_USE_AFTER_FREE : JT_ARGUMENT, "%p is no graph%s", (void *)handle, g ? " any more" : "");
    return NULL;
}

static exec *exec_of(jc_gpu_exec handle)
{
    exec *x = execs;
    while (x && (void *)x != (void *)handle) x = x->next;
    if (x && !x->destroyed) return x;
    jt_note(x ? JT_USE_AFTER_FREE : JT_ARGUMENT, "%p is no executable graph%s", (void *)handle, x ? " any more" : "");
    return NULL;
}

int jt_graph_destroy(jc_gpu_graph handle)
{
    int code = jt_enter(JT_GRAPH_DESTROY);
    graph *g = code ? NULL : graph_of(handle);
    if (!code && !g) code = JT_E_VALUE;
    if (!code) {
        g->destroyed = true;
        jt_body_drop(g->body);
    }
    return jt_leave(JT_GRAPH_DESTROY, code);
}

int jt_exec_create(jc_gpu_exec *handle, jc_gpu_graph from)
{
    int code = jt_enter(JT_EXEC_CREATE);
    graph *g = code ? NULL : graph_of(from);
    if (!code && !g) code = JT_E_VALUE;
    if (code) return jt_leave(JT_EXEC_CREATE, code);
    exec *x = jt_take_zero(1, sizeof *x);
    *x = (exec){.body = g->body, .id = n_execs++, .next = execs};
    x->body->references++;
    execs = x;
    *handle = (jc_gpu_exec)(void *)x;
    return jt_leave(JT_EXEC_CREATE, 0);
}

/* Parameters may differ; what a node is may not. A product of another size or form may be other kernels. */
static bool same_kind(const jt_work *a, const jt_work *b)
{
    if (a->type != b->type) return false;
    if (a->type == JT_OP_COPY)
        return a->of.copy.kind == b->of.copy.kind && (a->of.copy.height == 1) == (b->of.copy.height == 1);
    if (a->type == JT_OP_KERNEL) return a->of.launch.kernel == b->of.launch.kernel;
    if (a->type != JT_OP_PRODUCT) return true;
    const jc_gpu_product *p = &a->of.product.product, *q = &b->of.product.product;
    return p->form == q->form && p->vector == q->vector && p->transpose_a == q->transpose_a &&
           p->transpose_b == q->transpose_b && p->tf32 == q->tf32 && p->in == q->in && p->out == q->out &&
           p->m == q->m && p->n == q->n && p->k == q->k && p->count == q->count;
}

static bool same_topology(const jt_body *a, const jt_body *b)
{
    if (a->n_nodes != b->n_nodes) return false;
    for (int64_t i = 0; i < a->n_nodes; i++) {
        const jt_frontier *p = &a->nodes[i].after, *q = &b->nodes[i].after;
        if (p->n != q->n || !same_kind(&a->nodes[i].work, &b->nodes[i].work)) return false;
        if (p->n && memcmp(p->nodes, q->nodes, (size_t)p->n * sizeof *p->nodes) != 0) return false;
    }
    return true;
}

int jt_exec_update(jc_gpu_exec handle, jc_gpu_graph from, bool *updated)
{
    int code = jt_enter(JT_EXEC_UPDATE);
    exec *x = code ? NULL : exec_of(handle);
    graph *g = code ? NULL : graph_of(from);
    if (!code && (!x || !g)) code = JT_E_VALUE;
    if (code) return jt_leave(JT_EXEC_UPDATE, code);
    *updated = same_topology(x->body, g->body);
    if (*updated) {
        g->body->references++;
        jt_body_drop(x->body);
        x->body = g->body;
    }
    return jt_leave(JT_EXEC_UPDATE, 0);
}

/* ---- launches ---------------------------------------------------------------------------------------------------- */

static int32_t take_lane(const jt_clock *base)
{
    for (int64_t i = 0; i < n_lanes; i++) {
        lane l = lanes[i];
        if (l.number >= base->n || base->at[l.number] < l.last) continue;
        lanes[i] = lanes[--n_lanes];
        return l.number;
    }
    return jt_device.n_lanes++;
}

static void give_lanes(exec *x)
{
    for (int32_t i = 0; x->lanes && i < x->body->n_chains; i++) {
        lanes = jt_take(lanes, (size_t)(n_lanes + 1) * sizeof *lanes);
        lanes[n_lanes++] = (lane){x->lanes[i], x->clock.at[x->lanes[i]]};
    }
    free(x->lanes);
    x->lanes = NULL;
}

static void prepare_node(const exec *x, jt_graph_run *run, int64_t i, const jt_stream *s)
{
    const jt_node *node = &run->body->nodes[i];
    int kernel = node->work.type == JT_OP_KERNEL ? node->work.of.launch.kernel : -1;
    int32_t on = x->lanes[node->chain];
    jt_op *op = &run->ops[i];
    op->work = node->work;
    op->serial = jt_serial(node->work.type, kernel, on, s->id, i);
    jt_clock_join(&op->clock, &s->clock);
    for (int64_t k = 0; k < node->after.n; k++) jt_clock_join(&op->clock, &run->ops[node->after.nodes[k]].clock);
    jt_clock_set(&op->clock, on, op->serial);
    run->missing[i] = node->after.n;
    if (node->after.n == 0) run->ready[run->n_ready++] = i;
}

static jt_graph_run *prepare(exec *x, const jt_stream *s)
{
    jt_body *body = x->body;
    size_t n = (size_t)body->n_nodes;
    jt_graph_run *run = jt_take_zero(1, sizeof *run);
    *run = (jt_graph_run){.body = body,
                          .ops = jt_take_zero(n, sizeof *run->ops),
                          .missing = jt_take_zero(n, sizeof *run->missing),
                          .ready = jt_take_zero(n, sizeof *run->ready)};
    body->references++;
    if (!x->lanes) {
        x->lanes = jt_take(NULL, (size_t)body->n_chains * sizeof *x->lanes);
        for (int32_t i = 0; i < body->n_chains; i++) x->lanes[i] = take_lane(&s->clock);
    }
    for (int64_t i = 0; i < body->n_nodes; i++) prepare_node(x, run, i, s);
    return run;
}

static int exec_launch(jc_gpu_exec handle, jc_gpu_stream stream)
{
    jt_stream *s = jt_stream_of(stream);
    exec *x = exec_of(handle);
    if (!s) return JT_E_HANDLE;
    if (!x) return JT_E_VALUE;
    if (s->capture) {
        jt_note(JT_CAPTURE, "a graph is launched into a stream that is captured");
        jt_capture_break(s->capture);
        return JT_E_UNSUPPORTED;
    }
    jt_before_queueing(s);
    if (x->stream) jt_queue_wait(s, x->stream, x->position, &x->clock);
    jt_clock_join(&s->clock, &jt_device.host);
    jt_op op = {.work.type = JT_OP_GRAPH, .run = prepare(x, s)};
    for (int64_t i = 0; i < x->body->n_nodes; i++)
        if (x->body->nodes[i].n_before == 0) jt_clock_join(&s->clock, &op.run->ops[i].clock);
    jt_queue(s, &op);
    x->stream = s;
    x->position = s->queued;
    jt_clock_free(&x->clock);
    jt_clock_join(&x->clock, &s->clock);
    return 0;
}

int jt_exec_launch(jc_gpu_exec handle, jc_gpu_stream stream)
{
    int code = jt_enter(JT_EXEC_LAUNCH);
    if (!code) code = exec_launch(handle, stream);
    return jt_leave(JT_EXEC_LAUNCH, code);
}

/* Which of the ready nodes: the oldest, any, or the one that got ready last. */
static int64_t choose(const jt_graph_run *run)
{
    if (jt_device.order == JT_ORDER_RANDOM) return jt_below(&jt_device.rng, run->n_ready);
    return jt_device.order == JT_ORDER_STARVED ? run->n_ready - 1 : 0;
}

bool jt_graph_step(jt_op *op)
{
    jt_graph_run *run = op->run;
    if (run->n_done == run->body->n_nodes) return true;
    int64_t at = choose(run), i = run->ready[at];
    run->n_ready--;
    memmove(run->ready + at, run->ready + at + 1, (size_t)(run->n_ready - at) * sizeof *run->ready);
    jt_execute(&run->ops[i]);
    const jt_node *node = &run->body->nodes[i];
    for (int64_t k = 0; k < node->n_before; k++)
        if (--run->missing[node->before[k]] == 0) run->ready[run->n_ready++] = node->before[k];
    return ++run->n_done == run->body->n_nodes;
}

void jt_graph_run_free(jt_graph_run *run)
{
    for (int64_t i = 0; i < run->body->n_nodes; i++) jt_clock_free(&run->ops[i].clock);
    jt_body_drop(run->body);
    free(run->ops);
    free(run->missing);
    free(run->ready);
    free(run);
}

/* ---- ends -------------------------------------------------------------------------------------------------------- */

static void exec_free(exec *x)
{
    give_lanes(x);
    jt_body_drop(x->body);
    jt_clock_free(&x->clock);
    x->destroyed = true;
}

int jt_exec_destroy(jc_gpu_exec handle)
{
    int code = jt_enter(JT_EXEC_DESTROY);
    exec *x = code ? NULL : exec_of(handle);
    if (!code && !x) code = JT_E_VALUE;
    if (!code) exec_free(x);
    return jt_leave(JT_EXEC_DESTROY, code);
}

int64_t jt_graph_leaks(void)
{
    int64_t leaks = jt_captures_open();
    if (leaks) jt_note(JT_LEAK, "%lld captures go on", (long long)leaks);
    for (const graph *g = graphs; g; g = g->next) {
        if (g->destroyed) continue;
        jt_note(JT_LEAK, "graph %d", g->id);
        leaks++;
    }
    for (const exec *x = execs; x; x = x->next) {
        if (x->destroyed) continue;
        jt_note(JT_LEAK, "executable graph %d", x->id);
        leaks++;
    }
    return leaks;
}

void jt_graphs_reset(void)
{
    jt_captures_reset();
    while (graphs) {
        graph *g = graphs;
        graphs = g->next;
        if (!g->destroyed) jt_body_drop(g->body);
        free(g);
    }
    while (execs) {
        exec *x = execs;
        execs = x->next;
        if (!x->destroyed) exec_free(x);
        free(x);
    }
    free(lanes);
    lanes = NULL;
    n_lanes = n_graphs = n_execs = 0;
}
