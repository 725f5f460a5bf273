/* Runs on device memory: the same bits again, other numbers and addresses, the caller's stream, capture, workspace,
 * allocator and cuBLAS handle. */
#include <criterion/criterion.h>
#include <string.h>

#include "device/net.h"
#include "support/random_query.h"

/* Sizes and widths that take the forms of the kernels and cuBLAS, in both types; sweeps and eliminations. */
static const struct {
    int64_t size, levels, width;
    jc_dtype dtype;
    bool eliminates;
} nets[] = {{12, 3, 1, JC_F32, false},   {12, 3, 3, JC_F64, false},  {192, 2, 1, JC_F32, false},
            {192, 2, 40, JC_F32, false}, {64, 2, 70, JC_F64, false}, {12, 3, 3, JC_F32, true},
            {64, 2, 5, JC_F64, true}};
enum { N_NETS = sizeof nets / sizeof *nets };

typedef struct fixture {
    jt_target target;
    jt_net net, other; /* other numbers */
    void *d_result;    /* width x (size + 3) */
    int64_t ld, bytes;
} fixture;

static bool fixture_init(fixture *f, int which)
{
    if (!jt_target_begin(&f->target, (uint64_t)which + 1)) return false;
    jt_net_init(&f->net, &f->target, nets[which].size, nets[which].levels, nets[which].width, nets[which].dtype, 100);
    jt_net_init(&f->other, &f->target, nets[which].size, nets[which].levels, nets[which].width, nets[which].dtype, 200);
    f->net.eliminates = f->other.eliminates = nets[which].eliminates;
    f->ld = f->net.size + 3;
    f->bytes = f->net.width * f->ld * (f->net.dtype == JC_F64 ? 8 : 4);
    f->d_result = jt_device_memory(&f->target, f->bytes);
    return true;
}

static void fixture_fini(fixture *f, const char *what)
{
    jt_device_free(&f->target, f->d_result);
    jt_net_fini(&f->other);
    jt_net_fini(&f->net);
    jt_target_end(&f->target, what);
}

static void bind_result(fixture *f, jt_net_run *r, int accumulate)
{
    const jc_cuda_array output = {.dtype = f->net.dtype, .d_data = f->d_result, .ld = f->ld};
    jt_ok(jc_cuda_bind_output(r->run, 0, &output, accumulate, NULL), "output");
}

static void clear_result(fixture *f)
{
    jt_done(&f->target, f->target.api->fill(f->d_result, 0, (size_t)f->bytes, f->target.stream), "fill");
    jt_done(&f->target, f->target.api->stream_synchronize(f->target.stream), "fill");
}

static void execute(fixture *f, jt_net_run *r)
{
    jt_ok(jc_cuda_execute(r->run, f->target.stream), "execute");
    jt_ok(jc_cuda_status(r->run), "status");
}

/* Executes; the result must be `times` that of the net. */
static void expect(fixture *f, jt_net_run *r, jt_net *net, double times, const char *what)
{
    execute(f, r);
    jt_net_compare(net, f->d_result, f->ld, times, what);
}

/* The seed stays bound when the numbers change: what is expected of the other numbers is that with the same seed. */
static void give_other_seed(fixture *f)
{
    int64_t n = f->net.width * f->net.size;
    memcpy(f->other.seed, f->net.seed, (size_t)n * sizeof *f->net.seed);
}

Test(device, results_lie_in_the_callers_memory_overwritten_or_added_to)
{
    for (int i = 0; i < N_NETS; i++) {
        fixture f;
        jt_net_run r;
        if (!fixture_init(&f, i)) return;
        jt_net_start(&f.net, NULL, &r);
        bind_result(&f, &r, 0);
        expect(&f, &r, &f.net, 1, "overwritten");
        expect(&f, &r, &f.net, 1, "overwritten again");
        bind_result(&f, &r, 1);
        execute(&f, &r);
        expect(&f, &r, &f.net, 3, "added to");
        jt_net_run_fini(&r);
        fixture_fini(&f, "results");
    }
}

Test(device, a_captured_program_is_replayed_with_other_values_and_addresses)
{
    for (int i = 0; i < N_NETS; i++) {
        fixture f;
        jt_net_run r;
        if (!fixture_init(&f, i)) return;
        jt_net_start(&f.net, NULL, &r);
        bind_result(&f, &r, 0);
        expect(&f, &r, &f.net, 1, "first");
        give_other_seed(&f);
        jt_net_take_numbers(&f.net, &f.other);
        expect(&f, &r, &f.other, 1, "other values");
        for (int64_t e = 0; e < f.net.n_edges; e++)
            for (int field = 0; field < NET_FIELDS; field++) {
                jc_cuda_array a = {.dtype = f.net.dtype, .d_data = f.net.d_field[e][field]};
                jc_cuda_rebind what = JC_CUDA_REBIND_CAPTURE;
                if (!a.d_data) continue;
                jt_ok(jc_cuda_bind_jacobian(r.run, e, jt_net_fields[field], &a, &what), "bind");
                cr_assert_eq(what, JC_CUDA_REBIND_NOTHING, "edge %lld: the same address", (long long)e);
                a.d_data = f.other.d_field[e][field];
                jt_ok(jc_cuda_bind_jacobian(r.run, e, jt_net_fields[field], &a, &what), "bind");
                cr_assert_neq(what, JC_CUDA_REBIND_NOTHING, "edge %lld: another address", (long long)e);
            }
        expect(&f, &r, &f.other, 1, "other addresses");
        jt_net_run_fini(&r);
        fixture_fini(&f, "replay");
    }
}

Test(device, rows_may_have_gaps_and_begin_anywhere)
{
    for (int i = 0; i < N_NETS; i++) {
        fixture f;
        jt_net_run r;
        if (!fixture_init(&f, i)) return;
        int64_t element = f.net.dtype == JC_F64 ? 8 : 4, n = f.net.size, ld = n + 5;
        unsigned char *d_wide = jt_device_memory(&f.target, (n * ld + 1) * element);
        jc_cuda_array dense = {.dtype = f.net.dtype, .d_data = d_wide + element, .ld = ld};
        for (int64_t row = 0; row < n; row++) /* edge 0 is dense */
            jt_to_device(&f.target, d_wide + (1 + row * ld) * element,
                         (const unsigned char *)f.net.edge[0].values.data + row * n * element, n * element);
        jt_net_start(&f.net, NULL, &r);
        jt_ok(jc_cuda_bind_jacobian(r.run, 0, "values", &dense, NULL), "bind");
        bind_result(&f, &r, 0);
        expect(&f, &r, &f.net, 1, "with gaps");
        jt_net_run_fini(&r);
        jt_device_free(&f.target, d_wide);
        fixture_fini(&f, "gaps");
    }
}

/* The caller's graph holds the operations; it is launched with other values, and beside runs of its own. */
Test(device, inside_the_callers_capture_the_operations_are_issued_one_by_one)
{
    for (int i = 0; i < N_NETS; i++) {
        fixture f;
        jt_net_run r;
        jc_gpu_graph graph;
        jc_gpu_exec exec;
        if (!fixture_init(&f, i)) return;
        const jc_gpu_api *api = f.target.api;
        jt_net_start(&f.net, NULL, &r);
        bind_result(&f, &r, 0);
        execute(&f, &r);
        jt_done(&f.target, api->capture_begin(f.target.stream), "begin");
        jt_ok(jc_cuda_execute(r.run, f.target.stream), "execute in a capture");
        jt_done(&f.target, api->capture_end(f.target.stream, &graph), "end");
        jt_done(&f.target, api->exec_create(&exec, graph), "instantiate");
        give_other_seed(&f);
        jt_net_take_numbers(&f.net, &f.other);
        clear_result(&f);
        jt_done(&f.target, api->exec_launch(exec, f.target.stream), "launch");
        jt_net_compare(&f.other, f.d_result, f.ld, 1, "the caller's graph");
        jt_net_take_numbers(&f.net, &f.net);
        expect(&f, &r, &f.net, 1, "a run of its own");
        jt_done(&f.target, api->exec_destroy(exec), "destroy");
        jt_done(&f.target, api->graph_destroy(graph), "destroy");
        jt_net_run_fini(&r);
        fixture_fini(&f, "capture");
    }
}

/* ---- whose memory ------------------------------------------------------------------------------------------------ */

typedef struct counted {
    const jt_target *target;
    int64_t live, peak, calls;
} counted;

static int counted_alloc(void *ctx, void **d_ptr, size_t bytes, struct CUstream_st *stream)
{
    counted *c = ctx;
    (void)stream;
    c->calls++;
    c->live += (int64_t)bytes;
    if (c->live > c->peak) c->peak = c->live;
    return c->target->api->allocate(d_ptr, bytes);
}

static void counted_free(void *ctx, void *d_ptr, size_t bytes, struct CUstream_st *stream)
{
    counted *c = ctx;
    (void)stream;
    c->live -= (int64_t)bytes;
    cr_assert_eq(c->target->api->release(d_ptr), 0);
}

Test(device, memory_comes_from_the_allocator_or_is_a_workspace_and_is_what_was_said)
{
    for (int i = 0; i < N_NETS; i++) {
        fixture f;
        jt_net_run r;
        int64_t bytes;
        if (!fixture_init(&f, i)) return;
        counted count = {.target = &f.target};
        const jc_cuda_allocator allocator = {&count, counted_alloc, counted_free};
        jc_cuda_run_options o = JC_CUDA_RUN_OPTIONS_INIT;
        o.allocator = &allocator;
        jt_net_start(&f.net, &o, &r);
        jt_ok(jc_cuda_workspace_bytes(r.program, &bytes), "bytes");
        int64_t calls = count.calls;
        bind_result(&f, &r, 0);
        expect(&f, &r, &f.net, 1, "allocator");
        cr_assert(count.peak == bytes && count.calls == calls, "%lld bytes, not %lld", (long long)count.peak,
                  (long long)bytes);
        jc_run_destroy(r.run);
        cr_assert_eq(count.live, 0);
        unsigned char *d_space = jt_device_memory(&f.target, bytes + 256);
        o = (jc_cuda_run_options)JC_CUDA_RUN_OPTIONS_INIT;
        o.d_workspace = d_space, o.workspace_bytes = (size_t)bytes - 1;
        cr_assert_eq(jc_cuda_run_create(r.program, &o, &r.run), JC_E_USAGE, "too small");
        o.d_workspace = d_space + 8, o.workspace_bytes = (size_t)bytes;
        cr_assert_eq(jc_cuda_run_create(r.program, &o, &r.run), JC_E_USAGE, "not aligned");
        o.d_workspace = d_space;
        jt_ok(jc_cuda_run_create(r.program, &o, &r.run), "workspace");
        const jc_cuda_array seed = {.dtype = f.net.dtype, .d_data = f.net.d_seed};
        jt_ok(jc_cuda_bind_seed(r.run, &seed, NULL), "seed");
        clear_result(&f);
        bind_result(&f, &r, 0);
        expect(&f, &r, &f.net, 1, "workspace");
        jt_net_run_fini(&r);
        jt_device_free(&f.target, d_space);
        fixture_fini(&f, "memory");
    }
}

Test(device, the_callers_handle_of_cublas_is_used_and_left_as_it_was)
{
    for (int i = 0; i < N_NETS; i++) {
        fixture f;
        jt_net_run r;
        jc_gpu_blas handle;
        jc_gpu_blas_state before, after;
        if (!fixture_init(&f, i)) return;
        const jc_gpu_api *api = f.target.api;
        void *d_theirs = jt_device_memory(&f.target, 1 << 20);
        cr_assert(!api->blas_load() && !api->blas_create(&handle));
        cr_assert_eq(api->blas_configure(handle, f.target.stream, d_theirs, 1 << 20), 0);
        cr_assert_eq(api->blas_save(handle, &before), 0);
        jc_cuda_run_options o = JC_CUDA_RUN_OPTIONS_INIT;
        o.blas = handle;
        jt_net_start(&f.net, &o, &r);
        bind_result(&f, &r, 0);
        expect(&f, &r, &f.net, 1, "the caller's handle");
        cr_assert_eq(api->blas_save(handle, &after), 0);
        cr_assert(before.stream == after.stream && before.pointer_mode == after.pointer_mode &&
                  before.math_mode == after.math_mode && before.atomics_mode == after.atomics_mode);
        jt_net_run_fini(&r);
        cr_assert_eq(api->blas_destroy(handle), 0);
        jt_device_free(&f.target, d_theirs);
        fixture_fini(&f, "handle");
    }
}

/* ---- the same bits ----------------------------------------------------------------------------------------------- */

typedef struct machine {
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
} machine;

static void machine_init(machine *m, const jt_target *t, const jc_graph *graph, const jc_query *query,
                         jc_precision precision, int no_capture)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_cuda_run_options o = JC_CUDA_RUN_OPTIONS_INIT;
    options.precision = precision, o.no_capture = no_capture;
    jt_ok(jc_plan_create(graph, query, &m->plan), "plan");
    jt_ok(jc_program_create_on(m->plan, &t->backend->base, &options, &m->program), "program");
    jt_ok(jc_cuda_run_create(m->program, &o, &m->run), "run");
}

static void machine_fini(machine *m)
{
    jc_run_destroy(m->run);
    jc_program_destroy(m->program);
    jc_plan_destroy(m->plan);
}

static void expect_same_bits(machine *a, machine *b, uint64_t seed)
{
    for (int64_t i = 0; i < jc_run_result_count(a->run); i++) {
        jc_result x, y;
        jt_ok(jc_run_result(a->run, i, &x), "result");
        jt_ok(jc_run_result(b->run, i, &y), "result");
        if (x.kind != JC_RESULT_MATRIX) continue;
        size_t bytes = (size_t)(x.blocks * x.rows * x.cols) * (x.dtype == JC_F64 ? 8 : 4);
        cr_assert_eq(memcmp(x.data, y.data, bytes), 0, "seed %llu, d%lld/d%lld", (unsigned long long)seed,
                     (long long)x.of, (long long)x.wrt);
    }
}

/* Two runs, one replayed from its own capture and one issued operation by operation, three times each. */
Test(device, every_run_gives_the_same_bits)
{
    enum { GRAPHS = 24 };
    static const jc_precision precisions[] = {JC_PRECISION_F64, JC_PRECISION_F32, JC_PRECISION_TF32, JC_PRECISION_BF16};
    for (uint64_t seed = 0; seed < GRAPHS; seed++) {
        jt_target t;
        jt_graph g;
        jt_query q;
        machine first, again;
        jt_rng rng = {seed};
        jt_graph_options options = {.seed = seed, .numbers = JT_REAL, .n_variables = seed % 5 ? 0 : 30};
        options.no_operators = true;
        if (!jt_target_begin(&t, seed)) return;
        jt_graph_random(&options, &g);
        jt_query_totals(&rng, &g, &q);
        machine_init(&first, &t, g.graph, &q.query, precisions[seed % 4], 0);
        machine_init(&again, &t, g.graph, &q.query, precisions[seed % 4], 1);
        jt_ok(jc_run_execute(first.run), "execute");
        for (int i = 0; i < 3; i++) {
            jt_ok(jc_run_execute(again.run), "execute");
            expect_same_bits(&first, &again, seed);
            jt_ok(jc_run_execute(first.run), "execute");
        }
        machine_fini(&again);
        machine_fini(&first);
        jt_graph_fini(&g);
        jt_target_end(&t, "bits");
    }
}
