#include "support/random_graph.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/floats.h"
#include "support/oracle.h"

enum { MAX_GROUP = 4, TRIES = 40 };

static const int64_t sizes[] = {1, 1, 2, 2, 3, 4, 4, 6, 8, 12};
enum { N_SIZES = sizeof sizes / sizeof *sizes, SMALL_SIZES = 7 };

/* What the making of a graph works with. */
typedef struct maker {
    const jt_graph_options *options;
    jt_rng rng, number_rng;
    jt_graph *g;
    jt_numbers numbers;
} maker;

static void check(jc_status status)
{
    cr_assert_eq(status, JC_OK, "%s: %s", jc_status_name(status), jc_last_error());
}

static int64_t gcd(int64_t a, int64_t b)
{
    return b ? gcd(b, a % b) : a;
}

static int64_t random_divisor(jt_rng *rng, int64_t n)
{
    int64_t d = jt_between(rng, 1, n);
    while (n % d) d--;
    return d;
}

static bool kind_fits(jc_kind kind, const jt_shape *s)
{
    if (kind == JC_DIAGONAL || kind == JC_IDENTITY) return s->p == s->q;
    if (kind == JC_TILE) return s->p % s->q == 0;
    if (kind == JC_OPERATOR) return s->batch == 1 && s->inner == 1 && s->members == 1;
    return true;
}

/* A kind with its shape for a rows x cols Jacobian; `samples` divides the batch where the graph has samples. */
static jt_shape random_shape(maker *m, int64_t rows, int64_t cols, int64_t members)
{
    jt_rng *rng = &m->rng;
    jt_shape s = {.transpose = jt_below(rng, 2), .members = members};
    int64_t P = s.transpose ? cols : rows, Q = s.transpose ? rows : cols,
            B = m->options->samples > 1 ? m->options->samples : 1;
    s.batch = B * random_divisor(rng, gcd(P / B, Q / B));
    s.inner = jt_below(rng, 2) ? 1 : random_divisor(rng, gcd(P / s.batch, Q / s.batch));
    if (B == 1 && jt_below(rng, 2)) s.batch = 1;
    s.p = P / s.batch / s.inner, s.q = Q / s.batch / s.inner;
    do s.kind = (jc_kind)jt_below(rng, JC_KIND_COUNT);
    while (!kind_fits(s.kind, &s) || (s.kind == JC_OPERATOR && (m->options->no_operators || B > 1)));
    s.batched = jt_below(rng, 2) && s.kind != JC_OPERATOR;
    if (s.kind == JC_LOW_RANK) s.m = jt_between(rng, 1, 3);
    if (s.kind == JC_WEIGHT) s.m = s.p / random_divisor(rng, gcd(s.p, s.q)); /* c = p / h */
    return s;
}

/* Variables on a random order; positions[v] is where v stands in it. */
static void add_variables(maker *m, int64_t *position)
{
    jt_graph *g = m->g;
    jt_rng *rng = &m->rng;
    int64_t B = m->options->samples > 1 ? m->options->samples : 1;
    g->size = jt_alloc(&g->pool, g->n_variables, sizeof *g->size);
    g->topological = jt_alloc(&g->pool, g->n_variables, sizeof *g->topological);
    for (int64_t v = 0; v < g->n_variables; v++) {
        int64_t at = jt_below(rng, v + 1);
        g->topological[v] = g->topological[at], g->topological[at] = v;
        g->size[v] = B * sizes[jt_below(rng, B > 1 ? SMALL_SIZES : N_SIZES)];
    }
    for (int64_t i = 0; i < g->n_variables; i++) position[g->topological[i]] = i;
    if (jt_below(rng, 2)) {
        jc_array array = jc_array_1d(JC_I64, g->n_variables, g->size);
        check(jc_graph_add_variables(g->graph, "v", &array));
        return;
    }
    for (int64_t v = 0; v < g->n_variables; v++) {
        char name[32];
        int64_t number;
        snprintf(name, sizeof name, "x%lld", (long long)v);
        check(jc_graph_add_variable(g->graph, name, g->size[v], &number));
        cr_assert_eq(number, v);
    }
}

/* Other pairs of variables with the sizes of of and wrt, the pair itself among them. */
static int64_t same_shape_pairs(maker *m, const int64_t *position, int64_t of, int64_t wrt, int64_t pairs[][2])
{
    const jt_graph *g = m->g;
    int64_t n = 1;
    pairs[0][0] = of, pairs[0][1] = wrt;
    for (int t = 0; t < TRIES && n < MAX_GROUP; t++) {
        int64_t a = jt_below(&m->rng, g->n_variables), b = jt_below(&m->rng, g->n_variables);
        if (g->size[a] != g->size[of] || g->size[b] != g->size[wrt] || position[b] >= position[a]) continue;
        pairs[n][0] = a, pairs[n++][1] = b;
    }
    return n;
}

const char *const jt_label_names[JT_LABELS] = {"a", "b:1", "c/d"};

static void note_edges(jt_graph *g, const jt_jacobian *jac, int64_t pairs[][2], int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        jt_edge e = {.of = pairs[i][0], .wrt = pairs[i][1], .terms = jt_jacobian_terms(jac)};
        for (int d = 0; d < 2; d++) e.cost[d] = jt_jacobian_cost(jac, i, (jc_direction)d);
        e.is_operator = jac->kind == JC_OPERATOR;
        e.dense = jt_jacobian_dense(&g->pool, jac, i, false);
        e.absolute = jt_jacobian_dense(&g->pool, jac, i, true);
        e.structure = jt_jacobian_structure(&g->pool, jac, i);
        g->edges[g->n_edges++] = e;
    }
}

static double most_paths(jt_graph *g)
{
    double most = 0, *count = malloc((size_t)g->n_variables * sizeof *count);
    if (!count) abort();
    for (int64_t wrt = 0; wrt < g->n_variables; wrt++) {
        jt_count_paths_from(g, wrt, count);
        for (int64_t v = 0; v < g->n_variables; v++) most = fmax(most, count[v]);
    }
    free(count);
    return most;
}

/* The largest entry that any sum on the way can reach: totals from absolute values. */
static double largest_total(const jt_graph *g)
{
    jt_pool pool = {0};
    double most = 0;
    for (int64_t of = 0; of < g->n_variables; of++) {
        long double **T = jt_totals_by_recurrence(&pool, g, of, true);
        for (int64_t v = 0; v < g->n_variables; v++)
            for (int64_t i = 0; i < g->size[of] * g->size[v]; i++) most = fmax(most, (double)T[v][i]);
    }
    jt_pool_free(&pool);
    return most;
}

static bool too_much(const maker *m)
{
    if (m->options->max_paths && most_paths(m->g) > (double)m->options->max_paths) return true;
    return m->options->largest > 0 && largest_total(m->g) > m->options->largest;
}

static void add_to_graph(maker *m, const jt_jacobian *jac, int64_t pairs[][2], int64_t n, bool grouped)
{
    const char *labels[JT_LABELS];
    jt_graph *g = m->g;
    unsigned mask = (unsigned)jt_below(&m->rng, JT_MASKS);
    int64_t n_labels = 0;
    for (int i = JT_LABELS - 1; i >= 0; i--)
        if (mask >> i & 1) labels[n_labels++] = jt_label_names[i];
    for (int64_t e = g->n_edges - n; e < g->n_edges; e++) g->edges[e].labels = mask;
    jc_jacobian j = jt_jacobian_public(&g->pool, jac, grouped);
    if (!grouped) {
        check(jc_graph_add_edge(g->graph, pairs[0][0], pairs[0][1], &j, labels, n_labels));
        return;
    }
    bool wide = jt_below(&m->rng, 2);
    unsigned char *ends[2];
    for (int end = 0; end < 2; end++) {
        ends[end] = jt_alloc(&g->pool, n, 8);
        for (int64_t i = 0; i < n; i++) {
            int32_t narrow = (int32_t)pairs[i][end];
            memcpy(ends[end] + i * (wide ? 8 : 4), wide ? (void *)&pairs[i][end] : (void *)&narrow, wide ? 8 : 4);
        }
    }
    jc_array of = jc_array_1d(wide ? JC_I64 : JC_I32, n, ends[0]),
             wrt = jc_array_1d(wide ? JC_I64 : JC_I32, n, ends[1]);
    check(jc_graph_add_edges(g->graph, n, &of, &wrt, &j, labels, n_labels));
}

/* One edge or group between two random variables; left out again where it would make too many paths or numbers. */
static void add_edges(maker *m, const int64_t *position)
{
    jt_graph *g = m->g;
    jt_rng *rng = &m->rng;
    int64_t of = jt_below(rng, g->n_variables), wrt = jt_below(rng, g->n_variables), pairs[MAX_GROUP][2];
    if (of == wrt) return;
    if (position[wrt] > position[of]) {
        int64_t later = wrt;
        wrt = of, of = later;
    }
    bool grouped = jt_below(rng, 3) == 0;
    int64_t n = grouped ? same_shape_pairs(m, position, of, wrt, pairs) : 1;
    pairs[0][0] = of, pairs[0][1] = wrt;
    jt_shape shape = random_shape(m, g->size[of], g->size[wrt], n);
    int real = m->options->real;
    jc_dtype dtype = real == 1 ? JC_F64 : real == 2 ? JC_F32 : jt_float_often(rng);
    shape.mixed = real == 0;
    jt_jacobian jac =
        jt_jacobian_random(&g->pool, rng, &m->number_rng, &shape, m->numbers, dtype, jt_below(rng, 2) ? JC_I64 : JC_I32,
                           (int)jt_below(rng, 2) * (int)jt_below(rng, 8));
    note_edges(g, &jac, pairs, n);
    if (too_much(m)) {
        g->n_edges -= n;
        return;
    }
    add_to_graph(m, &jac, pairs, n, grouped);
}

void jt_graph_random(const jt_graph_options *options, jt_graph *graph)
{
    *graph = (jt_graph){0};
    maker m = {.options = options, .rng = {options->seed * 7919 + 17}, .g = graph, .numbers = options->numbers};
    m.number_rng.state = options->number_seed + options->seed * 104729 + 5;
    graph->n_variables = options->n_variables ? options->n_variables : jt_between(&m.rng, 2, 9);
    int64_t *position = jt_alloc(&graph->pool, graph->n_variables, sizeof *position);
    int64_t tries = jt_between(&m.rng, graph->n_variables, 5 * graph->n_variables);
    graph->max_edges = tries * MAX_GROUP;
    graph->edges = jt_alloc(&graph->pool, graph->max_edges, sizeof *graph->edges);
    jc_graph_options create = {.struct_size = sizeof create, .allocator = options->allocator};
    check(jc_graph_create(&create, &graph->graph));
    add_variables(&m, position);
    for (int64_t i = 0; i < tries; i++) add_edges(&m, position);
    check(jc_graph_finish(graph->graph));
    cr_assert_eq(jc_graph_edge_count(graph->graph), graph->n_edges);
}

void jt_graph_fini(jt_graph *graph)
{
    jc_graph_destroy(graph->graph);
    jt_pool_free(&graph->pool);
}
