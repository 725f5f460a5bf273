#include "property/web.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "support/compute.h"
#include "support/floats.h"
#include "support/jacobian.h"

enum { MOST_MEMBERS = 12 };

typedef struct maker {
    const jt_web_options *o;
    jt_web *web;
    jt_rng rng, numbers;
    int64_t *size, *level_begin; /* by variable; [levels + 1] */
} maker;

static int64_t divisor(jt_rng *rng, int64_t n)
{
    int64_t d = jt_between(rng, 1, n < 6 ? n : 6);
    while (n % d) d--;
    return d;
}

static int64_t common(int64_t a, int64_t b)
{
    while (b) {
        int64_t r = a % b;
        a = b, b = r;
    }
    return a;
}

static bool fits(jc_kind kind, const jt_shape *s)
{
    if (kind == JC_OPERATOR) return s->batch == 1 && s->inner == 1 && s->members == 1;
    if (kind == JC_DIAGONAL || kind == JC_IDENTITY) return s->p == s->q;
    return kind != JC_TILE || s->p % s->q == 0;
}

/* Batch and inner divide both sizes. */
static jt_shape shape_between(maker *m, int64_t rows, int64_t cols, int64_t members)
{
    jt_rng *rng = &m->rng;
    jt_shape s = {.transpose = jt_below(rng, 2), .batch = 1, .inner = 1, .members = members};
    if (!m->o->plain && jt_below(rng, 3) == 0) s.batch = divisor(rng, common(rows, cols));
    if (!m->o->plain && jt_below(rng, 4) == 0) s.inner = divisor(rng, common(rows / s.batch, cols / s.batch));
    int64_t r = s.batch * s.inner;
    s.p = (s.transpose ? cols : rows) / r, s.q = (s.transpose ? rows : cols) / r;
    bool favourite = m->o->only || jt_below(rng, 2);
    do s.kind = favourite ? m->o->favourite : (jc_kind)jt_below(rng, JC_KIND_COUNT);
    while (!fits(s.kind, &s));
    s.batched = jt_below(rng, 2) && s.kind != JC_OPERATOR;
    if (s.kind == JC_LOW_RANK) s.m = jt_between(rng, 1, 5);
    if (s.kind == JC_WEIGHT || s.kind == JC_TRACE) s.m = s.p / divisor(rng, common(s.p, s.q));
    return s;
}

static void scale_field(jt_field *f, double by, const jt_jacobian *jac)
{
    int64_t n = jac->members * (f->batched ? jac->batch : 1) * f->block;
    for (int64_t i = 0; i < n && f->number; i++) f->number[i] *= by;
}

/* So that a sum of `fan` of them has entries of about the size of its operand's. */
static void scale(jt_jacobian *jac, int fan)
{
    double by = 2.0 / sqrt((double)(jt_jacobian_terms(jac) * fan));
    scale_field(&jac->values, by, jac);
    scale_field(&jac->x, by, jac);
    scale_field(&jac->u, by, jac);
    for (int64_t i = 0; i < jac->members; i++) jac->scales[i] *= jac->scales[i] == 1 ? 1 : by / 2;
}

static jt_jacobian random_jacobian(maker *m, const jt_shape *shape, int fan)
{
    jc_dtype real = jt_float_type(m->o->narrow ? jt_below(&m->rng, 4) : 1 - jt_below(&m->rng, 2));
    if (m->o->plain) real = m->o->real;
    jt_jacobian jac = jt_jacobian_random(&m->web->pool, &m->rng, &m->numbers, shape, JT_REAL, real,
                                         jt_below(&m->rng, 2) ? JC_I64 : JC_I32, 0);
    scale(&jac, fan);
    return jac;
}

static void add_group(maker *m, const int64_t *of, const int64_t *wrt, const jt_shape *shape, int fan)
{
    jt_web *web = m->web;
    jt_jacobian jac = random_jacobian(m, shape, fan);
    bool group = shape->members > 1;
    jc_jacobian j = jt_jacobian_public(&web->pool, &jac, group);
    if (!group) {
        jt_ok(jc_graph_add_edge(web->graph, of[0], wrt[0], &j, NULL, 0), "an edge");
        return;
    }
    jc_array ends[2] = {jc_array_1d(JC_I64, shape->members, of), jc_array_1d(JC_I64, shape->members, wrt)};
    jt_ok(jc_graph_add_edges(web->graph, shape->members, &ends[0], &ends[1], &j, NULL, 0), "edges");
}

/* Edges from level l - 1 (or one before it) to variable v, and where there is a group, to others of v's size. */
static void add_edges_of(maker *m, int64_t l, int64_t v)
{
    jt_rng *rng = &m->rng;
    int fan = 1 + (int)jt_below(rng, m->o->fan);
    for (int e = 0; e < fan; e++) {
        int64_t of[MOST_MEMBERS], wrt[MOST_MEMBERS], n = 0;
        int64_t from = e && l > 1 && jt_below(rng, 4) == 0 ? l - 2 : l - 1;
        int64_t begin = m->level_begin[from], count = m->level_begin[from + 1] - begin;
        int64_t u = begin + jt_below(rng, count), most = jt_below(rng, 3) ? 1 : MOST_MEMBERS;
        for (int64_t w = v; w < m->level_begin[l + 1] && n < most; w++)
            for (int64_t x = begin; x < begin + count && n < most; x++)
                if (m->size[w] == m->size[v] && m->size[x] == m->size[u] && (n || x == u)) of[n] = w, wrt[n++] = x;
        jt_shape s = shape_between(m, m->size[v], m->size[u], n);
        add_group(m, of, wrt, &s, m->o->fan);
    }
}

static void begin(maker *m, uint64_t seed, uint64_t number_seed)
{
    m->rng.state = seed * 6007 + 3;
    m->numbers.state = number_seed + seed * 104729 + 5;
    jt_ok(jc_graph_create(NULL, &m->web->graph), "graph");
}

static int64_t add_variable(maker *m, int64_t size)
{
    int64_t v;
    char name[32];
    snprintf(name, sizeof name, "x%lld", (long long)m->web->n_variables++);
    jt_ok(jc_graph_add_variable(m->web->graph, name, size, &v), name);
    return v;
}

/* The first and the last level have one variable. */
static void add_variables(maker *m)
{
    const jt_web_options *o = m->o;
    m->size = jt_alloc(&m->web->pool, (o->levels + 1) * o->width, sizeof *m->size);
    m->level_begin = jt_alloc(&m->web->pool, o->levels + 2, sizeof *m->level_begin);
    for (int64_t l = 0; l <= o->levels; l++) {
        int64_t n = l == 0 || l == o->levels ? 1 : jt_between(&m->rng, 1, o->width);
        for (int64_t i = 0; i < n; i++) {
            int64_t size = o->sizes[jt_below(&m->rng, o->n_sizes)];
            m->size[add_variable(m, size)] = size;
        }
        m->level_begin[l + 1] = m->web->n_variables;
    }
}

void jt_web_make(const jt_web_options *options, jt_web *web)
{
    *web = (jt_web){0};
    maker m = {.o = options, .web = web};
    begin(&m, options->seed, options->number_seed);
    add_variables(&m);
    for (int64_t l = 1; l <= options->levels; l++)
        for (int64_t v = m.level_begin[l]; v < m.level_begin[l + 1]; v++) add_edges_of(&m, l, v);
    jt_ok(jc_graph_finish(web->graph), "finish");
    web->last = web->n_variables - 1;
}

void jt_web_star(uint64_t seed, uint64_t number_seed, int64_t n, int64_t consumers, jt_web *web)
{
    static const jt_web_options none = {.fan = 1};
    *web = (jt_web){0};
    maker m = {.o = &none, .web = web};
    begin(&m, seed, number_seed);
    int64_t *of = jt_alloc(&web->pool, consumers, sizeof *of), *wrt = jt_alloc(&web->pool, consumers, sizeof *wrt);
    int64_t first = add_variable(&m, n), size = jt_between(&m.rng, 1, 8);
    for (int64_t i = 0; i < consumers; i++) of[i] = add_variable(&m, size);
    int64_t last = add_variable(&m, n);
    jt_shape out = {.kind = JC_DENSE, .batch = 1, .inner = 1, .p = size, .q = n, .members = consumers};
    for (int64_t i = 0; i < consumers; i++) wrt[i] = first;
    add_group(&m, of, wrt, &out, 1);
    jt_shape in = {.kind = JC_DENSE, .batch = 1, .inner = 1, .p = n, .q = size, .members = consumers};
    for (int64_t i = 0; i < consumers; i++) wrt[i] = last;
    add_group(&m, wrt, of, &in, (int)consumers);
    jt_shape same = {.kind = JC_DIAGONAL, .batch = 1, .inner = 1, .p = n, .q = n, .members = 1};
    add_group(&m, &last, &first, &same, 1);
    jt_ok(jc_graph_finish(web->graph), "finish");
    web->first = first, web->last = last;
}

void jt_web_free(jt_web *web)
{
    jc_graph_destroy(web->graph);
    jt_pool_free(&web->pool);
}
