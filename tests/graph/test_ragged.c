/* Groups of edges whose shapes differ: the same as their edges one by one, and every error with its place. */
#include <stdlib.h>

#include "core/dtype.h"
#include "graph/help.h"
#include "jacchain_cuda.h"
#include "standin/device.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/floats.h"

/* ---- the same edges, in a group and one by one ------------------------------------------------------------------- */

enum { LAYERS = 3, WIDTH = 5, VARIABLES = LAYERS * WIDTH, MOST_EDGES = 24, MOST = 4 };
enum { NUMBERS = MOST_EDGES * MOST * MOST, POINTERS = MOST_EDGES * (MOST + 1) };

typedef struct group {
    jc_kind kind;
    bool transpose;
    int64_t n;
    int64_t of[MOST_EDGES], wrt[MOST_EDGES];
    double scales[MOST_EDGES];
    int64_t offsets[3][MOST_EDGES + 1]; /* values, indptr, indices */
    double number[NUMBERS];
    int64_t pointer[POINTERS], index[NUMBERS];
    jc_dtype real, integer;
} group;

static int64_t size_of(int64_t v)
{
    static const int64_t sizes[] = {1, 2, 3, 4, 2, 3, 3, 1, 2, 4, 2, 1, 3, 3, 4};
    return sizes[v];
}

static void add_dense(group *g, int64_t i, jt_rng *rng, int64_t n)
{
    int64_t *o = g->offsets[0];
    o[i + 1] = o[i] + n;
    for (int64_t k = o[i]; k < o[i + 1]; k++) g->number[k] = (double)jt_between(rng, -2, 2);
}

/* Every row has its own columns, some none. */
static void add_csr(group *g, int64_t i, jt_rng *rng, int64_t p, int64_t q)
{
    int64_t *pointers = &g->offsets[1][i], *indices = &g->offsets[2][i], n = 0;
    g->pointer[pointers[0]] = 0;
    for (int64_t row = 0; row < p; row++) {
        for (int64_t column = 0; column < q; column++)
            if (jt_below(rng, 2)) g->index[indices[0] + n++] = column;
        g->pointer[pointers[0] + row + 1] = n;
    }
    pointers[1] = pointers[0] + p + 1, indices[1] = indices[0] + n;
    add_dense(g, i, rng, n);
}

static void add_select(group *g, int64_t i, jt_rng *rng, int64_t p, int64_t q)
{
    int64_t *o = g->offsets[2];
    o[i + 1] = o[i] + p;
    for (int64_t k = o[i]; k < o[i + 1]; k++) g->index[k] = jt_below(rng, q);
}

static void add_member(group *g, jt_rng *rng)
{
    int64_t i = g->n, wrt = jt_below(rng, VARIABLES - WIDTH), of = (wrt / WIDTH + 1) * WIDTH + jt_below(rng, WIDTH);
    if (i && jt_below(rng, 3) == 0) of = g->of[i - 1], wrt = g->wrt[i - 1]; /* runs of several */
    int64_t p = size_of(g->transpose ? wrt : of), q = size_of(g->transpose ? of : wrt);
    if (g->kind == JC_DIAGONAL && p != q) return;
    g->of[i] = of, g->wrt[i] = wrt, g->scales[i] = (double)jt_between(rng, -2, 2);
    if (g->kind == JC_DENSE) add_dense(g, i, rng, p * q);
    if (g->kind == JC_DIAGONAL) add_dense(g, i, rng, p);
    if (g->kind == JC_CSR) add_csr(g, i, rng, p, q);
    if (g->kind == JC_SELECT) add_select(g, i, rng, p, q);
    g->n++;
}

static group random_group(jt_rng *rng)
{
    static const jc_kind kinds[] = {JC_DENSE, JC_DIAGONAL, JC_CSR, JC_SELECT};
    group g = {.kind = kinds[jt_below(rng, 4)], .transpose = jt_below(rng, 2)};
    g.real = jt_float_type(jt_below(rng, 4)), g.integer = jt_below(rng, 2) ? JC_I32 : JC_I64;
    while (g.n < MOST_EDGES / 2) add_member(&g, rng);
    return g;
}

/* Elements [from, to) of an array, in the type that is asked for, at an odd address; copied by the graph. */
static jc_array floats(jt_pool *pool, const group *g, int64_t from, int64_t to)
{
    unsigned char *data = (unsigned char *)jt_alloc(pool, to - from + 1, 8) + 1;
    for (int64_t i = from; i < to; i++) jt_float_put(data, i - from, g->real, g->number[i]);
    jc_array a = jc_array_1d(g->real, to - from, data);
    a.ownership = from % 2 ? JC_BORROW : JC_COPY;
    return a;
}

static jc_array integers(jt_pool *pool, jc_dtype dtype, const int64_t *list, int64_t from, int64_t to)
{
    unsigned char *data = (unsigned char *)jt_alloc(pool, to - from + 1, 8) + 1;
    for (int64_t i = from; i < to; i++) {
        int32_t narrow = (int32_t)list[i];
        memcpy(data + (i - from) * jc_dtype_bytes(dtype), dtype == JC_I32 ? (const void *)&narrow : &list[i],
               (size_t)jc_dtype_bytes(dtype));
    }
    jc_array a = jc_array_1d(dtype, to - from, data);
    a.ownership = dtype == JC_I32 ? JC_COPY : JC_BORROW;
    return a;
}

static void add_ragged(jt_pool *pool, jc_graph *graph, const group *g)
{
    static const char *const labels[] = {"a", "b"};
    jc_jacobian j = JC_JACOBIAN_INIT(g->kind);
    const int64_t(*o)[MOST_EDGES + 1] = g->offsets, n = g->n;
    j.transpose = g->transpose;
    if (g->kind == JC_SELECT) j.scales = g->scales;
    if (g->kind != JC_SELECT) {
        j.values = floats(pool, g, 0, o[0][n]);
        j.values_offsets = integers(pool, g->integer, o[0], 0, n + 1);
    }
    if (g->kind == JC_CSR) {
        j.indptr = integers(pool, g->integer, g->pointer, 0, o[1][n]);
        j.indptr_offsets = integers(pool, JC_I64, o[1], 0, n + 1);
    }
    if (g->kind == JC_CSR || g->kind == JC_SELECT) {
        j.indices = integers(pool, g->integer, g->index, 0, o[2][n]);
        j.indices_offsets = integers(pool, JC_I32, o[2], 0, n + 1);
    }
    jc_array of = integers(pool, JC_I32, g->of, 0, n), wrt = integers(pool, JC_I64, g->wrt, 0, n);
    jt_ok(jc_graph_add_edges(graph, n, &of, &wrt, &j, labels, 2), "ragged edges");
}

static void add_singly(jt_pool *pool, jc_graph *graph, const group *g)
{
    for (int64_t i = 0; i < g->n; i++) {
        const int64_t(*o)[MOST_EDGES + 1] = g->offsets;
        jc_jacobian j = JC_JACOBIAN_INIT(g->kind);
        j.transpose = g->transpose;
        if (g->kind == JC_SELECT) j.scale = g->scales[i];
        if (g->kind != JC_SELECT) j.values = floats(pool, g, o[0][i], o[0][i + 1]);
        if (g->kind == JC_DENSE) {
            j.values.rank = 2;
            j.values.dims[0] = size_of(g->transpose ? g->wrt[i] : g->of[i]);
            j.values.dims[1] = size_of(g->transpose ? g->of[i] : g->wrt[i]);
        }
        if (g->kind == JC_CSR) j.indptr = integers(pool, g->integer, g->pointer, o[1][i], o[1][i + 1]);
        if (g->kind == JC_CSR || g->kind == JC_SELECT)
            j.indices = integers(pool, g->integer, g->index, o[2][i], o[2][i + 1]);
        jt_ok(jc_graph_add_edge(graph, g->of[i], g->wrt[i], &j, NULL, 0), "an edge");
    }
}

static jc_graph *with_variables(void)
{
    jc_graph *graph = new_graph();
    int64_t sizes[VARIABLES];
    for (int v = 0; v < VARIABLES; v++) sizes[v] = size_of(v);
    jc_array array = jc_array_1d(JC_I64, VARIABLES, sizes);
    jt_ok(jc_graph_add_variables(graph, "v", &array), "variables");
    return graph;
}

static void expect_same_edges(const jc_graph *a, const jc_graph *b)
{
    cr_assert_eq(jc_graph_edge_count(a), jc_graph_edge_count(b));
    for (int64_t e = 0; e < jc_graph_edge_count(a); e++) {
        const jc_group *g = jc_graph_group(a, e), *s = jc_graph_group(b, e);
        jc_jac x = jc_group_member(g, e - g->first_edge, NULL), y = jc_group_member(s, 0, NULL);
        const jc_label_set *set = (const jc_label_set *)a->label_sets.data + g->label_set;
        cr_assert(jc_graph_of(a, e) == jc_graph_of(b, e) && jc_graph_wrt(a, e) == jc_graph_wrt(b, e));
        cr_assert(memcmp(&g->shape, &s->shape, sizeof g->shape) == 0 && x.scale == y.scale);
        cr_assert_eq(set->count, 2, "the labels of the group are those of each edge");
        for (int f = 0; f < jc_kinds[g->shape.kind].n_fields; f++) {
            cr_assert(x.dtype[f] == y.dtype[f] && g->field[f].elements == s->field[f].elements);
            cr_assert_eq(
                memcmp(x.data[f], y.data[f], (size_t)(g->field[f].elements * jc_dtype_bytes(g->field[f].dtype))), 0);
        }
    }
}

static jt_results totals(jt_pool *pool, const jc_graph *graph, const jt_backend *backend, jc_order order)
{
    static const int64_t of[] = {10, 12, 13}, wrt[] = {0, 1, 3};
    jc_query q = JC_QUERY_INIT;
    q.of = of, q.n_of = 3, q.wrt = wrt, q.n_wrt = 3, q.order = order;
    return jt_compute(pool, graph, &q, backend, NULL);
}

static void expect_same_totals(const jc_graph *a, const jc_graph *b, uint64_t seed)
{
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int k = 0; k < n; k++)
        for (jc_order order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++) {
            jt_pool pool = {0};
            jt_results x = totals(&pool, a, &backends[k], order), y = totals(&pool, b, &backends[k], order);
            for (int64_t i = 0; i < x.n; i++)
                for (int64_t e = 0; e < x.result[i].rows * x.result[i].cols; e++)
                    cr_assert(x.result[i].real ? x.result[i].real[e] == y.result[i].real[e]
                                               : x.result[i].modulo[e] == y.result[i].modulo[e],
                              "seed %llu, %s", (unsigned long long)seed, backends[k].name);
            jt_pool_free(&pool);
        }
}

Test(ragged, groups_are_their_edges_one_by_one_on_every_backend)
{
    for (uint64_t seed = 0; seed < 60; seed++) {
        jt_pool pool = {0};
        jt_rng rng = {seed};
        jc_graph *ragged = with_variables(), *single = with_variables();
        for (int i = 0; i < 3; i++) {
            group g = random_group(&rng);
            add_ragged(&pool, ragged, &g);
            add_singly(&pool, single, &g);
        }
        cr_assert_lt(ragged->groups.count, single->groups.count, "runs of equal shape are one group");
        cr_assert_leq(ragged->resources.count, 3 * 4, "an array is copied once for all its edges");
        expect_same_edges(ragged, single);
        jt_ok(jc_graph_finish(ragged), "finish"), jt_ok(jc_graph_finish(single), "finish");
        if (jt_in_sample(seed)) expect_same_totals(ragged, single, seed);
        jc_graph_destroy(single);
        jc_graph_destroy(ragged);
        jt_pool_free(&pool);
    }
}

/* v1 and v3, 2 x 1 and 4 x 1, from v0: three edges of a ragged group between two single ones to v1. */
static const double before[8] = {1, 1, 1, 1, 1, 1, 1, 1}, after[8] = {2, 3, 4, 5, 6, 7, 8, 9};

static jc_graph *graph_to_bind(void)
{
    static const int64_t of[3] = {1, 1, 3}, wrt[3] = {0, 0, 0}, offsets[4] = {0, 2, 4, 8};
    jc_graph *graph = with_variables();
    jc_array ofs = jc_array_1d(JC_I64, 3, of), wrts = jc_array_1d(JC_I64, 3, wrt);
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE), one = JC_JACOBIAN_INIT(JC_DENSE);
    j.values = jc_array_1d(JC_F64, 8, before), j.values_offsets = jc_array_1d(JC_I64, 4, offsets);
    one.values = jc_array_2d(JC_F64, 2, 1, before);
    edge(graph, 1, 0, &one);
    jt_ok(jc_graph_add_edges(graph, 3, &ofs, &wrts, &j, NULL, 0), "edges");
    edge(graph, 1, 0, &one);
    jt_ok(jc_graph_finish(graph), "finish");
    return graph;
}

static jc_plan *plan_to_bind(const jc_graph *graph)
{
    static const int64_t targets[2] = {1, 3}, source = 0;
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan;
    q.of = targets, q.n_of = 2, q.wrt = &source, q.n_wrt = 1;
    jt_ok(jc_plan_create(graph, &q, &plan), "plan");
    return plan;
}

static void expect_bound(jc_run *run)
{
    static const double expected[2][4] = {{1 + 2 + 4 + 1, 1 + 3 + 5 + 1}, {6, 7, 8, 9}};
    jt_ok(jc_run_execute(run), "execute");
    for (int i = 0; i < 2; i++) {
        jc_result r;
        jt_ok(jc_run_result(run, i, &r), "result");
        for (int64_t k = 0; k < r.rows; k++)
            cr_assert_eq(jc_load_float(r.dtype, r.data, k * r.row_stride), expected[i][k]);
    }
}

/* Numbers bound in place of a group's are those of all its edges. */
Test(ragged, binding_to_one_edge_binds_the_whole_group)
{
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    jc_graph *graph = graph_to_bind();
    for (int b = 0; b < n; b++)
        for (int64_t e = 1; e <= 3 && !jt_is_exact(&backends[b]); e++) {
            jc_run *run;
            jc_plan *plan = plan_to_bind(graph);
            if (jt_is_standin(&backends[b])) jt_device_begin((uint64_t)e, NULL);
            jc_program *program = jt_program(plan, &backends[b]);
            jt_ok(jc_run_create(program, &run), "run");
            jt_ok(jc_run_bind_jacobian(run, e, "values", JC_F64, after), "bind");
            expect_bound(run);
            jc_run_destroy(run);
            if (jt_is_standin(&backends[b])) jt_device_end("a run");
            jc_program_destroy(program);
            jc_plan_destroy(plan);
        }
    jc_graph_destroy(graph);
}

Test(ragged, a_group_is_bound_by_one_address_in_device_memory)
{
    static const jt_backend device = {"standin", JC_PRECISION_F64, 0};
    const jc_gpu_api *api = &jt_standin_api;
    void *d_numbers = NULL;
    jc_gpu_stream stream;
    jc_run *run;
    if (!jt_device_there()) return;
    jc_graph *graph = graph_to_bind();
    jc_plan *plan = plan_to_bind(graph);
    jt_device_begin(1, NULL);
    jc_program *program = jt_program(plan, &device);
    jt_ok(jc_run_create(program, &run), "run");
    cr_assert(api->stream_create(&stream) == 0 && api->allocate(&d_numbers, sizeof after) == 0);
    cr_assert_eq(api->copy(d_numbers, after, sizeof after, JC_GPU_TO_DEVICE, stream), 0);
    cr_assert_eq(api->stream_synchronize(stream), 0);
    jc_cuda_array a = {.dtype = JC_F64, .d_data = d_numbers, .ld = 1};
    expect_failure(__LINE__, jc_cuda_bind_jacobian(run, 3, "values", &a, NULL), JC_E_USAGE, "", -1, "no strides");
    a.ld = 0;
    jt_ok(jc_cuda_bind_jacobian(run, 3, "values", &a, NULL), "bind");
    expect_bound(run);
    jc_run_destroy(run);
    cr_assert(api->release(d_numbers) == 0 && api->stream_destroy(stream) == 0);
    jt_device_end("a run");
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_graph_destroy(graph);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* A group of three edges v6 <- v0, v8 <- v0, v6 <- v2 (3 x 1, 2 x 1, 3 x 3), right in everything. */
typedef struct fixture {
    jc_graph *graph;
    int64_t of[4], wrt[4], offsets[3][5], pointer[16], index[16];
    double number[16];
    jc_array ofs, wrts;
    jc_jacobian dense, csr, select;
} fixture;

static void fill_fixture(fixture *f)
{
    *f = (fixture){.of = {6, 8, 6},
                   .wrt = {0, 0, 2},
                   .offsets = {{0, 3, 5, 14}, {0, 4, 7, 11}, {0, 3, 5, 8}},
                   .pointer = {0, 1, 2, 3, 0, 1, 2, 0, 1, 2, 3},
                   .index = {0, 0, 0, 0, 0, 0, 1, 2}};
    f->graph = with_variables();
    f->ofs = jc_array_1d(JC_I64, 3, f->of), f->wrts = jc_array_1d(JC_I64, 3, f->wrt);
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE), csr = JC_JACOBIAN_INIT(JC_CSR),
                select = JC_JACOBIAN_INIT(JC_SELECT);
    dense.values = jc_array_1d(JC_F64, 14, f->number), dense.values_offsets = jc_array_1d(JC_I64, 4, f->offsets[0]);
    csr.indptr = jc_array_1d(JC_I64, 11, f->pointer), csr.indptr_offsets = jc_array_1d(JC_I64, 4, f->offsets[1]);
    csr.indices = jc_array_1d(JC_I64, 8, f->index), csr.indices_offsets = jc_array_1d(JC_I64, 4, f->offsets[2]);
    csr.values = jc_array_1d(JC_F32, 8, f->number), csr.values_offsets = jc_array_1d(JC_I64, 4, f->offsets[2]);
    select.indices = jc_array_1d(JC_I64, 8, f->index), select.indices_offsets = jc_array_1d(JC_I64, 4, f->offsets[2]);
    f->dense = dense, f->csr = csr, f->select = select;
}

static jc_status add(fixture *f, const jc_jacobian *j)
{
    return jc_graph_add_edges(f->graph, 3, &f->ofs, &f->wrts, j, NULL, 0);
}

static void refused(int line, fixture *f, const jc_jacobian *j, jc_status status, const char *part, int64_t member,
                    const char *words)
{
    expect_failure(line, add(f, j), status, part, member, words);
    cr_expect_eq(jc_graph_edge_count(f->graph), 0, "line %d", line);
    cr_expect_eq(f->graph->groups.count, 0, "line %d", line);
    cr_expect_eq(f->graph->resources.count, 0, "line %d", line);
    jc_graph_destroy(f->graph);
    fill_fixture(f);
}

#define REFUSED(kind, part, member, words) refused(__LINE__, &f, &f.kind, JC_E_INPUT, part, member, words)

Test(ragged, what_is_right_is_taken)
{
    fixture f;
    fill_fixture(&f);
    cr_expect_eq(add(&f, &f.dense), JC_OK, "%s", jc_last_error());
    cr_expect_eq(add(&f, &f.csr), JC_OK, "%s", jc_last_error());
    cr_expect_eq(add(&f, &f.select), JC_OK, "%s", jc_last_error());
    cr_expect_eq(f.graph->groups.count, 9);
    f.dense.batch = f.dense.inner = 1;
    cr_expect_eq(add(&f, &f.dense), JC_OK, "%s", jc_last_error());
    for (int64_t e = 0; e < 12; e++) {
        int64_t of, wrt;
        jc_graph_edge(f.graph, e, &of, &wrt);
        cr_expect(of == f.of[e % 3] && wrt == f.wrt[e % 3], "edge %d", (int)e);
    }
    jc_graph_destroy(f.graph);
}

Test(ragged, offsets_must_be_positions_in_the_field)
{
    fixture f;
    static const char *const place = "jacobian/offsets/values";
    fill_fixture(&f);
    f.offsets[0][0] = 1, REFUSED(dense, place, -1, "begin with 1");
    f.offsets[0][0] = -1, REFUSED(dense, place, -1, "begin with -1");
    f.offsets[0][2] = 2, REFUSED(dense, place, 1, "offsets[2] is 2, expected 3 to 14, the length of values");
    f.offsets[0][1] = -3, REFUSED(dense, place, 0, "offsets[1] is -3");
    f.offsets[0][2] = 15, REFUSED(dense, place, 1, "offsets[2] is 15");
    f.offsets[0][2] = INT64_MAX, REFUSED(dense, place, 1, "offsets[2] is 9223372036854775807");
    f.offsets[0][1] = INT64_MIN, REFUSED(dense, place, 0, "offsets[1] is -9223372036854775808");
    f.offsets[0][3] = 13, REFUSED(dense, place, -1, "end with 13, expected 14");
    f.dense.values.dims[0] = 15, REFUSED(dense, place, -1, "end with 14, expected 15");
    f.dense.values_offsets.dims[0] = 3, REFUSED(dense, place, -1, "3 numbers, expected 1 axis of 4");
    f.dense.values_offsets.dims[0] = 5, REFUSED(dense, place, -1, "5 numbers");
    f.dense.values_offsets.rank = 2, REFUSED(dense, place, -1, "2 axes");
    f.dense.values_offsets.dtype = JC_F64, REFUSED(dense, place, -1, "I64 or I32");
    f.dense.values_offsets.dtype = (jc_dtype)77, REFUSED(dense, place, -1, "I64 or I32");
    f.dense.values_offsets.data = NULL;
    refused(__LINE__, &f, &f.dense, JC_E_USAGE, place, -1, "host memory");
    f.offsets[1][1] = 3, REFUSED(csr, "jacobian/indptr", 0, "indptr is 3 numbers|3 rows");
    f.offsets[2][1] = 8, REFUSED(csr, "jacobian/offsets/indices", 1, "offsets[2] is 5, expected 8 to 8");
    jc_graph_destroy(f.graph);
}

Test(ragged, every_edge_must_have_its_shape)
{
    fixture f;
    fill_fixture(&f);
    f.offsets[0][1] = 2, REFUSED(dense, "jacobian/values", 0, "edge v6 <- v0: values are 2 numbers, expected 3 x 1");
    f.offsets[0][2] = 6, REFUSED(dense, "jacobian/values", 1, "edge v8 <- v0: values are 3 numbers, expected 2 x 1");
    f.dense.transpose = 1, f.offsets[0][1] = 3, f.offsets[0][2] = 6;
    REFUSED(dense, "jacobian/values", 1, "v8 <- v0: values are 3 numbers, expected 1 x 2");
    f.offsets[2][1] = 2, REFUSED(select, "jacobian/indices", 0, "indices are 2 numbers, expected 3");
    f.index[6] = 3, REFUSED(select, "jacobian/indices", 2, "indices[1] is 3, expected 0 to 2");
    f.index[7] = -1, REFUSED(csr, "jacobian/indices", 2, "indices[2] is -1");
    f.pointer[4] = 1, REFUSED(csr, "jacobian/indptr", 1, "indptr[0] is 1, expected 0");
    f.pointer[10] = 2, REFUSED(csr, "jacobian/indptr", 2, "v6 <- v2");
    f.csr.values_offsets.data = f.offsets[0], f.offsets[0][1] = 4, f.offsets[0][2] = 5, f.offsets[0][3] = 8;
    REFUSED(csr, "jacobian/values", 0, "values are 4 numbers, expected 3");
    jc_jacobian diagonal = JC_JACOBIAN_INIT(JC_DIAGONAL);
    diagonal.values = f.dense.values, diagonal.values_offsets = f.dense.values_offsets;
    refused(__LINE__, &f, &diagonal, JC_E_INPUT, "jacobian", 0, "edge v6 <- v0: diagonal needs a square matrix");
    f.of[1] = 99, REFUSED(dense, "of", 1, "variable number 99");
    f.wrt[2] = 6, REFUSED(dense, "", 2, "depend on itself");
    jc_graph_destroy(f.graph);
}

Test(ragged, only_some_kinds_may_and_all_their_fields_must)
{
    fixture f;
    fill_fixture(&f);
    f.dense.batch = 2, REFUSED(dense, "jacobian/batch", -1, "have no batch");
    f.dense.inner = 3, REFUSED(dense, "jacobian/inner", -1, "have no inner");
    f.csr.indptr_offsets = (jc_array){0}, REFUSED(csr, "jacobian/offsets", -1, "offsets of indptr are not given");
    f.dense.indices_offsets = f.dense.values_offsets;
    REFUSED(dense, "jacobian/offsets/indices", -1, "no field indices");
    f.dense.values = (jc_array){0}, REFUSED(dense, "jacobian/values", -1, "has offsets, but is not given");
    f.dense.values.rank = 2, f.dense.values.dims[1] = 1, REFUSED(dense, "jacobian/values", -1, "2 axes, expected 1");
    f.dense.values.dtype = JC_I32, REFUSED(dense, "jacobian/values", -1, "a floating type");
    f.csr.indices.dtype = JC_F16, REFUSED(csr, "jacobian/indices", -1, "I64 or I32");
    f.dense.scale = 2, REFUSED(dense, "jacobian/scale", 0, "no scale");
    f.dense.values.dims[0] = INT64_MAX / 2, REFUSED(dense, "jacobian/values", -1, "more bytes than can be addressed");
    jc_jacobian weight = JC_JACOBIAN_INIT(JC_WEIGHT), identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    weight.x = f.dense.values, weight.values_offsets = f.dense.values_offsets;
    refused(__LINE__, &f, &weight, JC_E_INPUT, "jacobian/offsets", -1, "not weight");
    identity.values_offsets = f.dense.values_offsets;
    refused(__LINE__, &f, &identity, JC_E_INPUT, "jacobian/offsets", -1, "not identity");
    expect_failure(__LINE__, jc_graph_add_edge(f.graph, 6, 0, &f.dense, NULL, 0), JC_E_INPUT, "jacobian/offsets", -1,
                   "a single edge");
    jc_graph_destroy(f.graph);
}

/* A caller that was compiled before there were offsets. */
Test(ragged, a_jacobian_without_the_newest_fields_is_taken_as_it_was)
{
    fixture f;
    fill_fixture(&f);
    jc_jacobian old = f.dense;
    old.struct_size = offsetof(jc_jacobian, values_offsets);
    old.values = jc_array_2d(JC_F64, 3, 1, f.number);
    cr_expect_eq(jc_graph_add_edge(f.graph, 6, 0, &old, NULL, 0), JC_OK, "%s", jc_last_error());
    old.struct_size--;
    expect_failure(__LINE__, jc_graph_add_edge(f.graph, 6, 0, &old, NULL, 0), JC_E_USAGE, "", -1, "struct_size");
    jc_graph_destroy(f.graph);
}

/* The places of a document are those of its elements, however many groups of one shape a ragged one became. */
Test(ragged, edges_are_found_again_among_what_was_added)
{
    static const double numbers[] = {1, 2, 3, 4, 5};
    static const int64_t offsets[] = {0, 1, 3, 5}, of[] = {1, 2, 3}, wrt[] = {0, 1, 2}, more_of[] = {3, 3},
                         more_wrt[] = {1, 1};
    static const int64_t sizes[] = {1, 1, 2, 1}, elements[] = {0, 0, 0, 1, 2, 2}, members[] = {0, 1, 2, -1, 0, 1};
    jc_graph *g = NULL;
    jc_array size_array = jc_array_1d(JC_I64, 4, sizes);
    cr_assert_eq(jc_graph_create(NULL, &g), JC_OK);
    cr_assert_eq(jc_graph_add_variables(g, "v", &size_array), JC_OK);
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE), plain = JC_JACOBIAN_INIT(JC_DENSE);
    j.values = jc_array_1d(JC_F64, 5, numbers);
    j.values_offsets = jc_array_1d(JC_I64, 4, offsets);
    jc_array a = jc_array_1d(JC_I64, 3, of), b = jc_array_1d(JC_I64, 3, wrt), c = jc_array_1d(JC_I64, 2, more_of),
             d = jc_array_1d(JC_I64, 2, more_wrt);
    cr_assert_eq(jc_graph_add_edges(g, 3, &a, &b, &j, NULL, 0), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_graph_add_edge(g, 3, 0, &plain, NULL, 0), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_graph_add_edges(g, 2, &c, &d, &plain, NULL, 0), JC_OK, "%s", jc_last_error());
    for (int64_t e = 0; e < 6; e++) {
        int64_t element, member;
        jc_graph_addition(g, e, &element, &member);
        cr_expect(element == elements[e] && member == members[e], "edge %d: %d[%d]", (int)e, (int)element, (int)member);
    }
    jc_graph_destroy(g);
}
