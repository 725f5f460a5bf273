/* Capture and graphs in the stand-in. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "standin/expect.h"

enum { FLOATS = 64, BYTES = FLOATS * 4 };

typedef struct scene {
    jc_gpu_stream s, t;
    jc_gpu_event fork, join;
    float *a, *b;
} scene;

static scene begin_scene(uint64_t seed)
{
    scene c;
    void *a, *b;
    jt_standin_config config = jt_standin_default();
    config.seed = seed;
    jt_standin_reset(&config);
    ok(api->stream_create(&c.s));
    ok(api->stream_create(&c.t));
    ok(api->event_create(&c.fork));
    ok(api->event_create(&c.join));
    ok(api->allocate(&a, BYTES));
    ok(api->allocate(&b, BYTES));
    c.a = a;
    c.b = b;
    return c;
}

/* a = byte on s; b = byte on t, forked and joined; then a's first half = b's on s. */
static jc_gpu_graph fork_and_join(const scene *c, int byte, bool joins, bool waits, int *code)
{
    jc_gpu_graph graph;
    ok(api->capture_begin(c->s));
    ok(api->event_record(c->fork, c->s));
    ok(api->stream_wait(c->t, c->fork));
    ok(api->fill(c->a, byte, BYTES, c->s));
    ok(api->fill(c->b, byte + 1, BYTES, c->t));
    if (joins) ok(api->event_record(c->join, c->t));
    if (joins && waits) ok(api->stream_wait(c->s, c->join));
    ok(api->copy(c->a, c->b, BYTES / 2, JC_GPU_ON_DEVICE, c->s));
    if (joins && !waits) ok(api->stream_wait(c->s, c->join));
    *code = api->capture_end(c->s, &graph);
    return graph;
}

static int byte_of(const float *d)
{
    unsigned char byte = 0;
    jt_standin_peek(&byte, d, 1);
    return byte;
}

Test(standin_graph, captured_work_runs_when_launched)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        int code;
        bool capturing;
        jc_gpu_exec exec;
        scene c = begin_scene(seed);
        jc_gpu_graph graph = fork_and_join(&c, 3, true, true, &code);
        ok(code);
        ok(api->capture_state(c.t, &capturing));
        cr_assert_not(capturing);
        ok(api->exec_create(&exec, graph));
        ok(api->graph_destroy(graph));
        ok(api->stream_synchronize(c.s));
        cr_assert_eq(jt_standin_operations(), 0);
        ok(api->exec_launch(exec, c.s));
        ok(api->exec_launch(exec, c.t)); /* launches of one graph come after one another */
        ok(api->exec_destroy(exec));
        ok(api->stream_synchronize(c.t));
        cr_assert_eq(jt_standin_operations(), 6);
        cr_assert_eq(byte_of(c.a), 4);
        cr_assert_eq(byte_of(c.a + FLOATS / 2), 3);
        found(-1);
    }
}

/* The copy does not wait for what it reads, though it joins later: a race in every order. */
Test(standin_graph, missing_dependency)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        int code;
        jc_gpu_exec exec;
        scene c = begin_scene(seed);
        jc_gpu_graph graph = fork_and_join(&c, 3, true, false, &code);
        ok(code);
        ok(api->exec_create(&exec, graph));
        ok(api->exec_launch(exec, c.s));
        ok(api->stream_synchronize(c.s));
        found(JT_RACE);
    }
}

/* Work before and after in the stream is ordered with all nodes; in another stream it is not. */
Test(standin_graph, graph_among_other_work)
{
    for (int other = 0; other < 2; other++) {
        int code;
        jc_gpu_exec exec;
        scene c = begin_scene((uint64_t)other);
        jc_gpu_graph graph = fork_and_join(&c, 3, true, true, &code);
        ok(api->exec_create(&exec, graph));
        ok(api->fill(c.b, 0, BYTES, c.s));
        ok(api->exec_launch(exec, c.s));
        ok(api->fill(c.b, 0, BYTES, other ? c.t : c.s));
        jt_standin_drain();
        found(other ? JT_RACE : -1);
    }
}

Test(standin_graph, unjoined_work)
{
    int code;
    bool capturing;
    scene c = begin_scene(1);
    jc_gpu_graph graph = fork_and_join(&c, 3, false, false, &code);
    cr_assert_eq(code, 904);
    cr_assert_null(graph);
    ok(api->capture_state(c.s, &capturing));
    cr_assert_not(capturing);
    found(JT_CAPTURE);
}

Test(standin_graph, update_needs_the_same_topology)
{
    int code;
    bool updated = false;
    jc_gpu_exec exec;
    jc_gpu_graph other;
    scene c = begin_scene(1);
    jc_gpu_graph graph = fork_and_join(&c, 3, true, true, &code);
    ok(api->exec_create(&exec, graph));
    ok(api->exec_update(exec, fork_and_join(&c, 20, true, true, &code), &updated));
    cr_assert(updated);
    ok(api->exec_launch(exec, c.s));
    ok(api->stream_synchronize(c.s));
    cr_assert_eq(byte_of(c.a), 21, "new parameters");
    ok(api->exec_update(exec, fork_and_join(&c, 30, true, false, &code), &updated));
    cr_assert_not(updated, "another dependency");
    ok(api->capture_begin(c.s));
    for (int i = 0; i < 3; i++) ok(api->fill(c.a, 1, BYTES, c.s));
    ok(api->capture_end(c.s, &other));
    ok(api->exec_update(exec, other, &updated));
    cr_assert_not(updated, "other nodes");
    ok(api->exec_launch(exec, c.s));
    ok(api->stream_synchronize(c.s));
    cr_assert_eq(byte_of(c.a), 21, "as it was");
    found(-1);
}

/* Three nodes on s and t: after the first fill on s, one on each stream; the last, of the type, after that of s (0), of
 * t (1) or both (2). */
static jc_gpu_graph small_graph(const scene *c, int last_after, bool last_copies)
{
    jc_gpu_graph graph;
    jc_gpu_event done;
    ok(api->event_create(&done));
    ok(api->capture_begin(c->s));
    ok(api->fill(c->a, 1, 4, c->s));
    ok(api->event_record(c->fork, c->s));
    ok(api->stream_wait(c->t, c->fork));
    ok(api->fill(c->a + 1, 1, 4, c->s));
    ok(api->fill(c->a + 2, 1, 4, c->t));
    ok(api->event_record(c->join, last_after == 1 ? c->s : c->t));
    jc_gpu_stream last = last_after == 1 ? c->t : c->s;
    if (last_after == 2) ok(api->stream_wait(last, c->join));
    ok(last_copies ? api->copy(c->b, c->a, 4, JC_GPU_ON_DEVICE, last) : api->fill(c->b, 1, 4, last));
    ok(api->event_record(done, c->t));
    ok(api->stream_wait(c->s, done));
    ok(api->capture_end(c->s, &graph));
    return graph;
}

Test(standin_graph, update_looks_at_each_difference)
{
    static const struct {
        int after;
        bool copies, updates;
    } cases[] = {{0, false, true}, {0, true, false}, {1, false, false}, {2, false, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool updated = false;
        jc_gpu_exec exec;
        scene c = begin_scene(1);
        ok(api->exec_create(&exec, small_graph(&c, 0, false)));
        ok(api->exec_update(exec, small_graph(&c, cases[i].after, cases[i].copies), &updated));
        cr_expect_eq(updated, cases[i].updates, "case %zu", i);
        ok(api->exec_create(&exec, small_graph(&c, cases[i].after, cases[i].copies)));
        ok(api->exec_update(exec, small_graph(&c, 0, false), &updated));
        cr_expect_eq(updated, cases[i].updates, "case %zu the other way", i);
    }
}

/* Two chains of two nodes each, side by side; their last nodes write one place, or two. */
Test(standin_graph, chains_side_by_side)
{
    for (int apart = 0; apart < 2; apart++) {
        jc_gpu_graph graph;
        jc_gpu_exec exec;
        scene c = begin_scene(1);
        ok(api->capture_begin(c.s));
        ok(api->event_record(c.fork, c.s));
        ok(api->stream_wait(c.t, c.fork));
        ok(api->fill(c.a, 1, 4, c.s));
        ok(api->fill(c.a + 1, 1, 4, c.t));
        ok(api->fill(c.b, 1, 4, c.s));
        ok(api->fill(c.b + apart, 1, 4, c.t));
        ok(api->event_record(c.join, c.t));
        ok(api->stream_wait(c.s, c.join));
        ok(api->capture_end(c.s, &graph));
        ok(api->exec_create(&exec, graph));
        ok(api->exec_launch(exec, c.s));
        ok(api->stream_synchronize(c.s));
        found(apart ? -1 : JT_RACE);
    }
}

/* A lane that an exec has given back goes to none that its work is not before. */
Test(standin_graph, lanes_are_not_mixed_up)
{
    for (int waits = 0; waits < 2; waits++) {
        jc_gpu_stream u;
        jc_gpu_exec exec[2];
        scene c = begin_scene(1);
        for (int i = 0; i < 2; i++) ok(api->exec_create(&exec[i], small_graph(&c, 0, false)));
        ok(api->exec_launch(exec[0], c.s));
        ok(api->exec_destroy(exec[0]));
        ok(api->event_record(c.fork, c.s));
        ok(api->stream_create(&u));
        ok(api->fill(c.a + 8, 0, 4, u));
        ok(api->event_record(c.join, u));
        ok(api->stream_wait(c.t, c.join));
        if (waits) ok(api->stream_wait(c.t, c.fork));
        ok(api->exec_launch(exec[1], c.t));
        jt_standin_drain();
        found(waits ? -1 : JT_RACE);
    }
}

/* What is called while s is captured, and the code it gives. The capture is lost with it. */
typedef struct forbidden {
    const char *what;
    int code;
    int (*call)(const scene *c);
} forbidden;

static jc_gpu_exec ready;
static jc_gpu_event outside;

static int call_allocate(const scene *c)
{
    void *ptr;
    (void)c;
    return api->allocate(&ptr, 4);
}

static int call_release(const scene *c)
{
    return api->release(c->a);
}

static int call_pinned(const scene *c)
{
    void *ptr;
    (void)c;
    return api->allocate_pinned(&ptr, 4);
}

static int call_synchronize(const scene *c)
{
    return api->stream_synchronize(c->s);
}

static int call_event(const scene *c)
{
    ok(api->event_record(c->fork, c->s));
    return api->event_synchronize(c->fork);
}

static int call_outside(const scene *c)
{
    return api->stream_wait(c->s, outside);
}

static int call_launch(const scene *c)
{
    return api->exec_launch(ready, c->s);
}

static int call_destroy(const scene *c)
{
    (void)c;
    return api->exec_destroy(ready);
}

static int call_merge(const scene *c)
{
    ok(api->capture_begin(c->t));
    ok(api->event_record(c->join, c->t));
    return api->stream_wait(c->s, c->join);
}

static int call_unmatched(const scene *c)
{
    jc_gpu_graph graph;
    ok(api->event_record(c->fork, c->s));
    ok(api->stream_wait(c->t, c->fork));
    return api->capture_end(c->t, &graph);
}

Test(standin_graph, calls_that_capture_forbids)
{
    static const forbidden calls[] = {
        {"allocate", 900, call_allocate},   {"release", 900, call_release},      {"pinned", 900, call_pinned},
        {"stream", 900, call_synchronize},  {"event", 907, call_event},          {"isolation", 905, call_outside},
        {"exec_launch", 900, call_launch},  {"exec_destroy", 900, call_destroy}, {"merge", 902, call_merge},
        {"unmatched", 903, call_unmatched},
    };
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int code;
        jc_gpu_graph graph;
        scene c = begin_scene(1);
        ok(api->event_create(&outside));
        ok(api->event_record(outside, c.t));
        ok(api->exec_create(&ready, fork_and_join(&c, 1, true, true, &code)));
        ok(api->capture_begin(c.s));
        ok(api->fill(c.a, 0, BYTES, c.s));
        cr_expect_eq(calls[i].call(&c), calls[i].code, "%s", calls[i].what);
        found(JT_CAPTURE);
        cr_expect_eq(api->fill(c.a, 0, BYTES, c.s), 901, "%s", calls[i].what);
        cr_expect_eq(api->capture_end(c.s, &graph), 901, "%s", calls[i].what);
        cr_expect_null(graph);
        ok(api->fill(c.a, 0, BYTES, c.s));
    }
}

static int call_wait_other(const scene *c)
{
    return api->stream_synchronize(c->t);
}

static int call_create(const scene *c)
{
    jc_gpu_stream s;
    jc_gpu_event e;
    (void)c;
    int code = api->stream_create(&s);
    return code ? code : api->event_create(&e);
}

Test(standin_graph, calls_that_capture_allows)
{
    static int (*const calls[])(const scene *) = {call_wait_other, call_create};
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        jc_gpu_graph graph;
        scene c = begin_scene(1);
        ok(api->capture_begin(c.s));
        ok(calls[i](&c));
        ok(api->capture_end(c.s, &graph));
        found(-1);
    }
}

Test(standin_graph, legacy_stream)
{
    jc_gpu_stream blocking;
    jc_gpu_graph graph;
    scene c = begin_scene(1);
    cr_assert_eq(api->capture_begin(NULL), 900);
    jt_standin_forgive();
    ok(api->capture_begin(c.s));
    ok(api->fill(c.b, 0, BYTES, NULL)); /* it does not wait for s */
    ok(api->capture_end(c.s, &graph));
    found(-1);
    ok(jt_standin_blocking_stream(&blocking));
    ok(api->capture_begin(blocking));
    cr_assert_eq(api->fill(c.b, 0, BYTES, NULL), 906);
    cr_assert_eq(api->capture_end(blocking, &graph), 901);
    found(JT_CAPTURE);
}

static void *in_other_thread(void *ctx)
{
    const scene *c = ctx;
    static int code[2];
    void *ptr;
    jc_gpu_graph graph;
    code[0] = api->allocate(&ptr, 4);
    code[1] = api->capture_end(c->s, &graph);
    return code;
}

/* Capture concerns the calls of one thread. */
Test(standin_graph, threads)
{
    pthread_t thread;
    void *result;
    jc_gpu_graph graph;
    scene c = begin_scene(1);
    ok(api->capture_begin(c.s));
    pthread_create(&thread, NULL, in_other_thread, &c);
    pthread_join(thread, &result);
    cr_assert_eq(((int *)result)[0], 0);
    cr_assert_eq(((int *)result)[1], 908);
    found(JT_CAPTURE);
    ok(api->capture_end(c.s, &graph));
}

Test(standin_graph, pinned_memory_is_read_when_the_node_runs)
{
    jc_gpu_graph graph;
    jc_gpu_exec exec;
    void *p;
    float paged[1] = {0};
    scene c = begin_scene(1);
    ok(api->allocate_pinned(&p, 4));
    memset(p, 1, 4);
    ok(api->capture_begin(c.s));
    ok(api->copy(c.a, p, 4, JC_GPU_TO_DEVICE, c.s));
    ok(api->capture_end(c.s, &graph));
    ok(api->exec_create(&exec, graph));
    memset(p, 2, 4);
    ok(api->exec_launch(exec, c.s));
    ok(api->stream_synchronize(c.s));
    cr_assert_eq(byte_of(c.a), 2);
    jt_standin_host_write(p, 4);
    ok(api->exec_launch(exec, c.s));
    found(-1);
    jt_standin_host_write(p, 4);
    ok(api->stream_synchronize(c.s));
    found(JT_RACE);
    jt_standin_forgive();
    ok(api->capture_begin(c.s));
    ok(api->copy(c.a, paged, 4, JC_GPU_TO_DEVICE, c.s));
    found(JT_CAPTURE);
}

Test(standin_graph, blocks_released_under_a_graph)
{
    jc_gpu_graph graph;
    jc_gpu_exec exec;
    scene c = begin_scene(1);
    ok(api->capture_begin(c.s));
    ok(api->fill(c.a, 0, 4, c.s));
    ok(api->capture_end(c.s, &graph));
    ok(api->exec_create(&exec, graph));
    ok(api->release(c.a));
    ok(api->exec_launch(exec, c.s));
    ok(api->stream_synchronize(c.s));
    found(JT_USE_AFTER_FREE);
    jt_standin_forgive();
    cr_assert_eq(jt_standin_leaks(), 1 + 2 + 2 + 2, "b, two streams, two events, the graph and its exec");
}

/* Chains of nodes keep their lanes apart, launch by launch. */
Test(standin_graph, many_launches)
{
    int code;
    scene c = begin_scene(7);
    for (int i = 0; i < 20; i++) {
        jc_gpu_exec exec;
        jc_gpu_graph graph = fork_and_join(&c, i, true, true, &code);
        ok(api->exec_create(&exec, graph));
        for (int k = 0; k < 5; k++) ok(api->exec_launch(exec, c.s));
        if (i % 3 == 0) ok(api->stream_synchronize(c.s));
        ok(api->exec_destroy(exec));
        ok(api->graph_destroy(graph));
    }
    ok(api->stream_synchronize(c.s));
    cr_assert_eq(byte_of(c.a), 20);
    cr_assert_eq(jt_standin_operations(), 300);
    found(-1);
}
