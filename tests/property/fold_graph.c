#include "property/fold_graph.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "support/compute.h"
#include "support/floats.h"

enum { MAX_EDGES = 64 };

typedef struct maker {
    jt_graph *g;
    jt_rng rng;
    jt_numbers numbers;
    int64_t c, h, w[FOLD_SOURCES];
} maker;

static int64_t divisor(jt_rng *rng, int64_t n)
{
    int64_t d = jt_between(rng, 1, n);
    while (n % d) d--;
    return d;
}

static void add_edge(maker *m, int64_t of, int64_t wrt, jt_shape shape)
{
    jt_graph *g = m->g;
    if (g->n_edges == MAX_EDGES) return;
    shape.members = 1;
    if (shape.batch == 0) shape.batch = 1;
    if (shape.inner == 0) shape.inner = 1;
    jt_jacobian jac = jt_jacobian_random(&g->pool, &m->rng, &m->rng, &shape, m->numbers, jt_float_often(&m->rng),
                                         JC_I64, (int)jt_below(&m->rng, 2));
    jc_jacobian j = jt_jacobian_public(&g->pool, &jac, false);
    g->edges[g->n_edges++] = jt_edge_of(&g->pool, &jac, 0, of, wrt);
    jt_ok(jc_graph_add_edge(g->graph, of, wrt, &j, NULL, 0), "edge");
}

/* From weight s: as a weight or a trace, now and then one that cannot be folded or has another shape. */
static void add_entry(maker *m, int64_t of, int64_t s)
{
    int64_t size = m->g->size[of], h = m->h, q = h * m->w[s];
    jt_shape shape = {.kind = jt_below(&m->rng, 2) ? JC_WEIGHT : JC_TRACE, .p = size, .q = q};
    if (jt_below(&m->rng, 12) == 0 && q % size == 0) shape.transpose = 1, shape.p = q, shape.q = size;
    if (jt_below(&m->rng, 12) == 0 && size % 2 == 0 && q % 2 == 0) shape.batch = 2, shape.p /= 2, shape.q /= 2;
    if (jt_below(&m->rng, 12) == 0) h = divisor(&m->rng, h);
    int64_t p = shape.p;
    while (p % h || shape.q % h) h--;
    shape.m = p / h;
    add_edge(m, of, s, shape);
}

static void add_elementwise(maker *m, int64_t of, int64_t wrt)
{
    int64_t n = m->g->size[of];
    jt_shape shape = {.kind = jt_below(&m->rng, 3) ? JC_DIAGONAL : JC_IDENTITY, .transpose = jt_below(&m->rng, 2)};
    shape.batch = jt_below(&m->rng, 2) ? divisor(&m->rng, n) : 1;
    shape.inner = jt_below(&m->rng, 2) ? divisor(&m->rng, n / shape.batch) : 1;
    shape.batched = jt_below(&m->rng, 2);
    shape.p = shape.q = n / shape.batch / shape.inner;
    add_edge(m, of, wrt, shape);
}

/* Mostly dense, of the whole or of each sample. */
static void add_other(maker *m, int64_t of, int64_t wrt)
{
    static const jc_kind kinds[] = {JC_DENSE, JC_DENSE,    JC_DENSE,  JC_DENSE,
                                    JC_CSR,   JC_LOW_RANK, JC_SELECT, JC_OPERATOR};
    int64_t p = m->g->size[of], q = m->g->size[wrt];
    jt_shape shape = {.kind = kinds[jt_below(&m->rng, 8)], .transpose = jt_below(&m->rng, 2), .m = 2};
    if (jt_below(&m->rng, 2) && p % m->c == 0 && q % m->c == 0) shape.batch = m->c;
    if (jt_below(&m->rng, 8) == 0 && shape.kind == JC_DENSE && p % m->c == 0 && q % m->c == 0) {
        shape.inner = shape.batch ? 1 : m->c;
    }
    if (shape.kind == JC_OPERATOR) shape.batch = shape.inner = 1;
    int64_t blocks = (shape.batch ? shape.batch : 1) * (shape.inner ? shape.inner : 1);
    shape.batched = shape.kind == JC_DENSE && jt_below(&m->rng, 2);
    shape.p = (shape.transpose ? q : p) / blocks, shape.q = (shape.transpose ? p : q) / blocks;
    add_edge(m, of, wrt, shape);
}

static void add_variables(maker *m)
{
    jt_graph *g = m->g;
    g->n_variables = FOLD_SOURCES + jt_between(&m->rng, 3, 7);
    g->size = jt_alloc(&g->pool, g->n_variables, sizeof *g->size);
    g->topological = jt_alloc(&g->pool, g->n_variables, sizeof *g->topological);
    for (int64_t v = 0; v < g->n_variables; v++) {
        char name[32];
        int64_t number;
        bool other = jt_below(&m->rng, 4) == 0;
        snprintf(name, sizeof name, "x%lld", (long long)v);
        g->size[v] = v < FOLD_SOURCES ? m->h * m->w[v] : other ? jt_between(&m->rng, 1, 5) : m->c * m->h;
        g->topological[v] = v;
        jt_ok(jc_graph_add_variable(g->graph, name, g->size[v], &number), name);
    }
}

/* Edges into v from a weight or two and from one to three inner variables before it. */
static void add_edges(maker *m, int64_t v, int leaving)
{
    const int64_t *size = m->g->size;
    for (int64_t s = 0; s < FOLD_SOURCES; s++)
        if (size[v] % m->h == 0 && jt_below(&m->rng, 5) < 2) add_entry(m, v, s);
    for (int64_t k = v > FOLD_SOURCES ? jt_between(&m->rng, 1, 3) : 0; k > 0; k--) {
        int64_t u = jt_between(&m->rng, FOLD_SOURCES, v - 1);
        if (size[u] == size[v] && jt_below(&m->rng, 16) >= leaving)
            add_elementwise(m, v, u);
        else
            add_other(m, v, u);
    }
}

void jt_fold_graph(uint64_t seed, int leaving, jt_numbers numbers, const jc_allocator *allocator, jt_graph *graph)
{
    *graph = (jt_graph){0};
    maker m = {.g = graph, .rng = {seed * 6007 + 11}, .numbers = numbers};
    m.c = jt_between(&m.rng, 1, 3), m.h = jt_between(&m.rng, 1, 4);
    for (int s = 0; s < FOLD_SOURCES; s++) m.w[s] = jt_between(&m.rng, 1, 4);
    graph->max_edges = MAX_EDGES;
    graph->edges = jt_alloc(&graph->pool, MAX_EDGES, sizeof *graph->edges);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    jt_ok(jc_graph_create(&options, &graph->graph), "graph");
    add_variables(&m);
    for (int64_t v = FOLD_SOURCES; v < graph->n_variables; v++) add_edges(&m, v, leaving);
    jt_ok(jc_graph_finish(graph->graph), "finish");
}
