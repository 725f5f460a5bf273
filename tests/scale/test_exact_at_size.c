/* A million edges through plan and run on the exact backend, equal to the recurrence for path sums bit for bit. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/compute.h"
#include "support/oracle.h"

enum { MILLION = 1000000, MAX_SIZE = 3, SHAPES = MAX_SIZE * MAX_SIZE };

/* Places are in topological order, sources first; the variable at a place has any number. */
typedef struct large_graph {
    jt_pool pool;
    int64_t n, n_edges, capacity;
    int64_t *size, *number; /* [n] of the variable at a place */
    int64_t *of, *wrt;      /* [n_edges] places, of in increasing order */
    int8_t (*D)[SHAPES];    /* [n_edges] size(of) x size(wrt) */
    jc_graph *graph;
} large_graph;

static void large_init(large_graph *g, jt_rng *rng, int64_t n, int64_t capacity)
{
    *g = (large_graph){.n = n, .capacity = capacity};
    g->size = jt_alloc(&g->pool, n, sizeof *g->size);
    g->number = jt_alloc(&g->pool, n, sizeof *g->number);
    g->of = jt_alloc(&g->pool, capacity, sizeof *g->of);
    g->wrt = jt_alloc(&g->pool, capacity, sizeof *g->wrt);
    g->D = jt_alloc(&g->pool, capacity, sizeof *g->D);
    for (int64_t i = 0; i < n; i++) {
        int64_t at = jt_below(rng, i + 1);
        g->number[i] = g->number[at], g->number[at] = i;
        g->size[i] = jt_between(rng, 1, MAX_SIZE);
    }
}

static void large_edge(large_graph *g, jt_rng *rng, int64_t of, int64_t wrt)
{
    int64_t e = g->n_edges++;
    cr_assert(e < g->capacity && wrt < of && (e == 0 || g->of[e - 1] <= of));
    g->of[e] = of, g->wrt[e] = wrt;
    for (int i = 0; i < SHAPES; i++) g->D[e][i] = (int8_t)jt_between(rng, -100, 100);
}

/* The edges of one shape as one group. */
static void add_group(large_graph *g, int64_t rows, int64_t cols)
{
    int64_t n = 0;
    for (int64_t e = 0; e < g->n_edges; e++) n += g->size[g->of[e]] == rows && g->size[g->wrt[e]] == cols;
    if (!n) return;
    int32_t *of = jt_alloc(&g->pool, n, sizeof *of), *wrt = jt_alloc(&g->pool, n, sizeof *wrt);
    float *values = jt_alloc(&g->pool, n * rows * cols, sizeof *values);
    n = 0;
    for (int64_t e = 0; e < g->n_edges; e++) {
        if (g->size[g->of[e]] != rows || g->size[g->wrt[e]] != cols) continue;
        of[n] = (int32_t)g->number[g->of[e]], wrt[n] = (int32_t)g->number[g->wrt[e]];
        for (int64_t i = 0; i < rows * cols; i++) values[n * rows * cols + i] = (float)g->D[e][i];
        n++;
    }
    jc_array ends[2] = {jc_array_1d(JC_I32, n, of), jc_array_1d(JC_I32, n, wrt)};
    jc_jacobian jac = JC_JACOBIAN_INIT(JC_DENSE);
    jac.values = (jc_array){.dtype = JC_F32, .rank = 3, .dims = {n, rows, cols}, .data = values};
    jt_ok(jc_graph_add_edges(g->graph, n, &ends[0], &ends[1], &jac, NULL, 0), "edges");
}

static void large_finish(large_graph *g)
{
    int64_t *sizes = jt_alloc(&g->pool, g->n, sizeof *sizes);
    for (int64_t i = 0; i < g->n; i++) sizes[g->number[i]] = g->size[i];
    jc_array array = jc_array_1d(JC_I64, g->n, sizes);
    jt_ok(jc_graph_create(NULL, &g->graph), "graph");
    jt_ok(jc_graph_add_variables(g->graph, "v", &array), "variables");
    for (int64_t rows = 1; rows <= MAX_SIZE; rows++)
        for (int64_t cols = 1; cols <= MAX_SIZE; cols++) add_group(g, rows, cols);
    jt_ok(jc_graph_finish(g->graph), "finish");
    cr_assert_eq(jc_graph_edge_count(g->graph), g->n_edges);
}

static uint64_t modulo(int8_t d)
{
    return d < 0 ? JT_PRIME - (uint64_t)-d : (uint64_t)d;
}

typedef uint64_t small_matrix[SHAPES];

/* T[of] = I; T[wrt] += T[of] D over the edges against their order: d of / d (every place), rows of 3. */
static small_matrix *recurrence(large_graph *g, int64_t of)
{
    small_matrix *T = jt_alloc(&g->pool, g->n, sizeof *T);
    for (int64_t i = 0; i < g->size[of]; i++) T[of][i * MAX_SIZE + i] = 1;
    for (int64_t e = g->n_edges - 1; e >= 0; e--) {
        int64_t rows = g->size[of], m = g->size[g->of[e]], cols = g->size[g->wrt[e]];
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < cols; j++) {
                uint64_t sum = T[g->wrt[e]][i * MAX_SIZE + j];
                for (int64_t k = 0; k < m; k++)
                    sum =
                        jt_add_modulo(sum, jt_mul_modulo(T[g->of[e]][i * MAX_SIZE + k], modulo(g->D[e][k * cols + j])));
                T[g->wrt[e]][i * MAX_SIZE + j] = sum;
            }
    }
    return T;
}

static int64_t check_result(const large_graph *g, const jt_result *r, int64_t wrt, const small_matrix *T)
{
    int64_t nonzero = 0;
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) {
            cr_assert_eq(r->modulo[i * r->cols + j], T[wrt][i * MAX_SIZE + j], "d v%lld / d v%lld entry %lld,%lld",
                         (long long)r->of, (long long)g->number[wrt], (long long)i, (long long)j);
            nonzero += T[wrt][i * MAX_SIZE + j] != 0;
        }
    return nonzero;
}

/* All roots in reverse, and some places in reverse and forward, of the target at a place. */
static void check_graph(large_graph *g, int64_t target, const int64_t *places, int64_t n_places)
{
    const small_matrix *T = recurrence(g, target);
    const jt_backend exact = {"exact", JC_PRECISION_F64, 1};
    int64_t of = g->number[target], nonzero = 0;
    int64_t *place_of = jt_alloc(&g->pool, g->n, sizeof *place_of);
    for (int64_t i = 0; i < g->n; i++) place_of[g->number[i]] = i;
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.order = JC_ORDER_REVERSE;
    jt_results all = jt_compute(&g->pool, g->graph, &q, &exact, NULL);
    cr_assert_gt(all.n, 0);
    for (int64_t i = 0; i < all.n; i++) nonzero += check_result(g, &all.result[i], place_of[all.result[i].wrt], T);
    for (int64_t i = 0; i < n_places; i++)
        for (q.order = JC_ORDER_REVERSE; q.order <= JC_ORDER_FORWARD; q.order++) {
            int64_t wrt = g->number[places[i]];
            q.wrt = &wrt, q.n_wrt = 1;
            jt_results one = jt_compute(&g->pool, g->graph, &q, &exact, NULL);
            nonzero += check_result(g, &one.result[0], places[i], T);
        }
    cr_assert_geq(nonzero, n_places, "nearly everything is zero");
    jc_graph_destroy(g->graph);
    jt_pool_free(&g->pool);
}

Test(scale, a_chain_of_a_million_edges_is_exact)
{
    jt_rng rng = {1};
    large_graph g;
    large_init(&g, &rng, MILLION + 1, MILLION);
    for (int64_t i = 1; i <= MILLION; i++) large_edge(&g, &rng, i, i - 1);
    large_finish(&g);
    check_graph(&g, MILLION, (int64_t[]){0, MILLION / 2, MILLION - 1}, 3);
}

Test(scale, twenty_levels_of_a_million_edges_are_exact)
{
    enum { LEVELS = 20, WIDTH = 5000, FAN_IN = 10 };
    jt_rng rng = {2};
    large_graph g;
    int64_t n = LEVELS * WIDTH + 1;
    large_init(&g, &rng, n, (LEVELS - 1) * WIDTH * FAN_IN + 12 * WIDTH);
    for (int64_t i = WIDTH; i < n - 1; i++)
        for (int64_t k = 0; k < FAN_IN; k++) large_edge(&g, &rng, i, (i / WIDTH - 1) * WIDTH + jt_below(&rng, WIDTH));
    for (int64_t i = 0; i < 12 * WIDTH; i++) large_edge(&g, &rng, n - 1, n - 2 - i % WIDTH);
    large_finish(&g);
    check_graph(&g, n - 1, (int64_t[]){0, 17, WIDTH, 9 * WIDTH + 3}, 4);
}

/* Edges reach back by 1 to 10^5 places, mostly by few: paths of all lengths. */
Test(scale, a_random_graph_of_a_million_edges_is_exact)
{
    jt_rng rng = {3};
    large_graph g;
    int64_t n = MILLION / 4;
    large_init(&g, &rng, n, MILLION + 8);
    for (int64_t i = 1; i < n; i++)
        for (int64_t k = jt_between(&rng, 1, 7); k > 0 && g.n_edges < MILLION; k--) {
            int64_t reach = INT64_C(1) << jt_below(&rng, 17), back = jt_between(&rng, 1, reach);
            large_edge(&g, &rng, i, back < i ? i - back : 0);
        }
    cr_assert_gt(g.n_edges, MILLION * 9 / 10);
    int64_t target = g.of[g.n_edges - 1];
    large_finish(&g);
    check_graph(&g, target, (int64_t[]){0, 1000, n / 2}, 3);
}
