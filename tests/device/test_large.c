/* Element counts beyond 2^31: positions that need 64 bits everywhere on the way. Only in device runs. */
#include <criterion/criterion.h>

#include "device/target.h"
#include "support/compute.h"

/* y = (diag(d) + 2 I) x, both of n entries; the seed is one row s. d and s are filled with one byte but for a few
 * places. */
typedef struct large {
    jt_target target;
    int64_t n;
    void *d_numbers, *d_seed, *d_result;
} large;

enum { FILL = 0x3f, N_PLACES = 6 };

static float filled(void)
{
    union {
        uint32_t bits;
        float value;
    } u = {0x3f3f3f3f};
    return u.value;
}

static void place_of(const large *l, int64_t places[N_PLACES])
{
    const int64_t at[N_PLACES] = {
        0, (INT64_C(1) << 31) - 1, INT64_C(1) << 31, (INT64_C(1) << 31) + 12345, l->n - 2, l->n - 1};
    for (int i = 0; i < N_PLACES; i++) places[i] = at[i];
}

static void fill(const large *l, void *d_memory, const int64_t places[N_PLACES], float first)
{
    jt_done(&l->target, l->target.api->fill(d_memory, FILL, (size_t)l->n * 4, l->target.stream), "fill");
    for (int i = 0; i < N_PLACES; i++) {
        float value = first + (float)i;
        jt_to_device(&l->target, (float *)d_memory + places[i], &value, sizeof value);
    }
}

static float value_at(const large *l, const void *d_memory, int64_t at)
{
    float value;
    jt_from_device(&l->target, &value, (const float *)d_memory + at, sizeof value);
    return value;
}

static jc_graph *make_graph(const large *l)
{
    jc_graph *graph;
    int64_t x, y;
    jc_jacobian diagonal = JC_JACOBIAN_INIT(JC_DIAGONAL), identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    diagonal.values = jc_array_1d(JC_F32, l->n, l->d_numbers);
    diagonal.values.ownership = JC_DEVICE;
    identity.scale = 2;
    jt_ok(jc_graph_create(NULL, &graph), "graph");
    jt_ok(jc_graph_add_variable(graph, "x", l->n, &x), "x");
    jt_ok(jc_graph_add_variable(graph, "y", l->n, &y), "y");
    jt_ok(jc_graph_add_edge(graph, y, x, &diagonal, NULL, 0), "diagonal");
    jt_ok(jc_graph_add_edge(graph, y, x, &identity, NULL, 0), "identity");
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

static void compute(const large *l, const jc_graph *graph)
{
    int64_t x = 0, y = 1, bytes;
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jc_query q = JC_QUERY_INIT;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_program_info info = {.struct_size = sizeof info};
    const jc_cuda_array seed = {.dtype = JC_F32, .d_data = l->d_seed};
    const jc_cuda_array output = {.dtype = JC_F32, .d_data = l->d_result};
    q.of = &y, q.n_of = 1, q.wrt = &x, q.n_wrt = 1, q.seed = JC_SEED_ROWS, q.seed_width = 1;
    q.order = JC_ORDER_REVERSE;
    jt_ok(jc_plan_create(graph, &q, &plan), "plan");
    jt_ok(jc_program_create_on(plan, &l->target.backend->base, &options, &program), "program");
    jt_ok(jc_program_get_info(program, &info), "info");
    jt_ok(jc_cuda_workspace_bytes(program, &bytes), "bytes");
    cr_assert_eq(bytes, info.peak_bytes);
    jt_ok(jc_cuda_run_create(program, NULL, &run), "run");
    jt_ok(jc_cuda_bind_seed(run, &seed, NULL), "seed");
    jt_ok(jc_cuda_bind_output(run, 0, &output, 0, NULL), "output");
    jt_ok(jc_cuda_execute(run, l->target.stream), "execute");
    jt_ok(jc_cuda_status(run), "status");
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
}

Test(device, variables_of_more_than_2_to_the_31_entries)
{
    large l = {.n = (INT64_C(1) << 31) + 100003};
    int64_t places[N_PLACES];
    if (!jt_device_run()) return;
    cr_assert(jt_target_begin(&l.target, 1));
    l.d_numbers = jt_device_memory(&l.target, l.n * 4);
    l.d_seed = jt_device_memory(&l.target, l.n * 4);
    l.d_result = jt_device_memory(&l.target, l.n * 4);
    place_of(&l, places);
    fill(&l, l.d_numbers, places, 3);
    fill(&l, l.d_seed, places, 1);
    jc_graph *graph = make_graph(&l);
    compute(&l, graph);
    for (int i = 0; i < N_PLACES; i++) {
        float d = 3 + (float)i, s = 1 + (float)i;
        cr_assert_eq(value_at(&l, l.d_result, places[i]), s * d + 2 * s, "entry %lld", (long long)places[i]);
    }
    for (int64_t at = 7; at < l.n - 3; at += l.n / 61) {
        double expected = (double)filled() * filled() + 2 * (double)filled();
        cr_assert_float_eq(value_at(&l, l.d_result, at), expected, 1e-6 * expected, "entry %lld", (long long)at);
    }
    jc_graph_destroy(graph);
    jt_device_free(&l.target, l.d_result);
    jt_device_free(&l.target, l.d_seed);
    jt_device_free(&l.target, l.d_numbers);
    jt_target_end(&l.target, "large");
}
