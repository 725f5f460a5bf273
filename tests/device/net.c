#include "device/net.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "plan/plan.h"

const char *const jt_net_fields[NET_FIELDS] = {"values", "u", "v", "x"};

static const jc_array *field_of(const jc_jacobian *jac, int field)
{
    const jc_array *fields[NET_FIELDS] = {&jac->values, &jac->u, &jac->v, &jac->x};
    return fields[field];
}

static int64_t array_bytes(const jc_array *array)
{
    int64_t n = array->dtype == JC_F64 ? 8 : 4;
    for (int i = 0; i < array->rank; i++) n *= array->dims[i];
    return n;
}

static jt_shape shape_of(int64_t size, int kind)
{
    static const jc_kind kinds[NET_KINDS] = {JC_DENSE,  JC_DIAGONAL, JC_CSR,   JC_LOW_RANK,
                                             JC_WEIGHT, JC_IDENTITY, JC_SELECT};
    jt_shape s = {.kind = kinds[kind], .batch = 1, .inner = 1, .p = size, .q = size, .members = 1};
    if (s.kind == JC_LOW_RANK) s.m = 3;
    if (s.kind == JC_WEIGHT) s.m = size / 4; /* samples; 4 outputs, size / 4 inputs */
    return s;
}

static void add_variables(jc_graph *graph, const jt_net *net)
{
    for (int64_t l = 0; l <= net->levels; l++) {
        char name[32];
        int64_t v;
        snprintf(name, sizeof name, "x%lld", (long long)l);
        jt_ok(jc_graph_add_variable(graph, name, net->size, &v), name);
    }
}

/* The same Jacobian with its floating numbers copied to the device. */
static jc_jacobian on_device(jt_net *net, int64_t e)
{
    jc_jacobian jac = net->edge[e];
    jc_array *fields[NET_FIELDS] = {&jac.values, &jac.u, &jac.v, &jac.x};
    for (int f = 0; f < NET_FIELDS; f++) {
        if (!fields[f]->data) continue;
        net->d_field[e][f] = jt_device_memory(net->target, array_bytes(fields[f]));
        jt_to_device(net->target, net->d_field[e][f], fields[f]->data, array_bytes(fields[f]));
        fields[f]->data = net->d_field[e][f];
        fields[f]->ownership = JC_DEVICE;
    }
    return jac;
}

static void add_edges(jt_net *net, uint64_t number_seed)
{
    jt_rng structure = {7}, numbers = {number_seed};
    for (int64_t l = 1; l <= net->levels; l++)
        for (int kind = 0; kind < NET_KINDS; kind++) {
            jt_shape shape = shape_of(net->size, kind);
            jt_jacobian jac =
                jt_jacobian_random(&net->pool, &structure, &numbers, &shape, JT_SMALL, net->dtype, JC_I32, 0);
            net->edge[net->n_edges] = jt_jacobian_public(&net->pool, &jac, false);
            jc_jacobian there = on_device(net, net->n_edges);
            jt_ok(jc_graph_add_edge(net->host, l, l - 1, &net->edge[net->n_edges++], NULL, 0), "an edge");
            jt_ok(jc_graph_add_edge(net->device, l, l - 1, &there, NULL, 0), "an edge on the device");
        }
}

static void make_seed(jt_net *net, uint64_t number_seed)
{
    int64_t n = net->width * net->size;
    jt_rng rng = {number_seed + 1};
    net->seed = jt_alloc(&net->pool, n, sizeof *net->seed);
    float *narrow = jt_alloc(&net->pool, n, sizeof *narrow);
    for (int64_t i = 0; i < n; i++) narrow[i] = (float)(net->seed[i] = (double)jt_between(&rng, -2, 2));
    int64_t bytes = n * (net->dtype == JC_F64 ? 8 : 4);
    net->d_seed = jt_device_memory(net->target, bytes);
    jt_to_device(net->target, net->d_seed, net->dtype == JC_F64 ? (void *)net->seed : narrow, bytes);
}

void jt_net_init(jt_net *net, const jt_target *target, int64_t size, int64_t levels, int64_t width, jc_dtype dtype,
                 uint64_t number_seed)
{
    *net = (jt_net){.target = target, .size = size, .levels = levels, .width = width, .dtype = dtype};
    jt_ok(jc_graph_create(NULL, &net->host), "graph");
    jt_ok(jc_graph_create(NULL, &net->device), "graph");
    add_variables(net->host, net);
    add_variables(net->device, net);
    add_edges(net, number_seed);
    jt_ok(jc_graph_finish(net->host), "finish");
    jt_ok(jc_graph_finish(net->device), "finish");
    make_seed(net, number_seed);
}

void jt_net_fini(jt_net *net)
{
    for (int64_t e = 0; e < net->n_edges; e++)
        for (int f = 0; f < NET_FIELDS; f++)
            if (net->d_field[e][f]) jt_device_free(net->target, net->d_field[e][f]);
    jt_device_free(net->target, net->d_seed);
    jc_graph_destroy(net->device);
    jc_graph_destroy(net->host);
    jt_pool_free(&net->pool);
}

void jt_net_take_numbers(jt_net *net, const jt_net *other)
{
    for (int64_t e = 0; e < net->n_edges; e++)
        for (int f = 0; f < NET_FIELDS; f++) {
            const jc_array *from = field_of(&other->edge[e], f);
            if (from->data) jt_to_device(net->target, net->d_field[e][f], from->data, array_bytes(from));
        }
}

static jc_query query_of(const jt_net *net, int64_t *of, int64_t *wrt)
{
    jc_query query = JC_QUERY_INIT;
    *of = net->levels, *wrt = 0;
    query.of = of, query.n_of = 1, query.wrt = wrt, query.n_wrt = 1;
    query.seed = JC_SEED_ROWS, query.seed_width = net->width, query.order = JC_ORDER_REVERSE;
    return query;
}

const double *jt_net_expected(jt_net *net)
{
    int64_t of, wrt;
    const jt_backend reference = {"reference", JC_PRECISION_F64, 1};
    jc_query query = query_of(net, &of, &wrt);
    return jt_compute(&net->pool, net->host, &query, &reference, net->seed).result[0].real;
}

jc_status jt_net_program(const jt_net *net, const jc_cuda_backend *backend, jt_net_run *made)
{
    int64_t of, wrt;
    jc_query query = query_of(net, &of, &wrt);
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    *made = (jt_net_run){NULL, NULL, NULL};
    if (net->eliminates) query.order = JC_ORDER_ELIMINATION;
    jt_ok(jc_plan_create_limited(net->device, &query, 0, net->eliminates ? INT64_MAX : 0, &made->plan), "plan");
    cr_assert_eq(made->plan->eliminates, net->eliminates);
    return jc_program_create_on(made->plan, &backend->base, &options, &made->program);
}

void jt_net_start(const jt_net *net, const jc_cuda_run_options *options, jt_net_run *made)
{
    const jc_cuda_array seed = {.dtype = net->dtype, .d_data = net->d_seed};
    jt_ok(jt_net_program(net, net->target->backend, made), "program");
    jt_ok(jc_cuda_run_create(made->program, options, &made->run), "run");
    jt_ok(jc_cuda_bind_seed(made->run, &seed, NULL), "seed");
}

void jt_net_run_fini(jt_net_run *made)
{
    jc_run_destroy(made->run);
    jc_program_destroy(made->program);
    jc_plan_destroy(made->plan);
}

void jt_net_compare(jt_net *net, const void *d_result, int64_t ld, double times, const char *what)
{
    const double *expected = jt_net_expected(net);
    int64_t bytes = net->width * ld * (net->dtype == JC_F64 ? 8 : 4);
    double *wide = jt_alloc(&net->pool, net->width * ld, sizeof *wide);
    float *narrow = (float *)wide;
    jt_from_device(net->target, wide, d_result, bytes);
    for (int64_t i = 0; i < net->width; i++)
        for (int64_t j = 0; j < net->size; j++) {
            double got = net->dtype == JC_F64 ? wide[i * ld + j] : (double)narrow[i * ld + j];
            cr_assert_eq(got, times * expected[i * net->size + j],
                         "%s: size %lld, width %lld, entry %lld,%lld: %g, not %g", what, (long long)net->size,
                         (long long)net->width, (long long)i, (long long)j, got, times * expected[i * net->size + j]);
        }
}
