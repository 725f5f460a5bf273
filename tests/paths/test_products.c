/* Listed paths and what they add up to: the sum over the products of all paths between two variables is the total, and
 * the paths through chosen variables are a part of it. */
#include <criterion/criterion.h>

#include "support/compute.h"
#include "support/random_graph.h"

static const double largest_exact = 0x1p23; /* sums below stay exact in f32 */
static const int64_t no_edges[1];

static const jt_result *product(jt_pool *pool, const jt_graph *g, const jt_backend *backend, int64_t of, int64_t wrt,
                                const int64_t *edges, int64_t n)
{
    jc_query q = JC_QUERY_INIT;
    jt_results *results = jt_alloc(pool, 1, sizeof *results);
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.edges = edges, q.n_edges = n;
    *results = jt_compute(pool, g->graph, &q, backend, NULL);
    return &results->result[0];
}

/* The product of a path by the dense Jacobians of the test's own, target side first. */
static double *dense_product(jt_pool *pool, const jt_graph *g, int64_t wrt, const int64_t *edges, int64_t n)
{
    int64_t cols = g->size[wrt];
    double *p = jt_alloc(pool, cols * cols, sizeof *p);
    for (int64_t i = 0; i < cols; i++) p[i * cols + i] = 1;
    for (int64_t e = 0; e < n; e++) {
        const jt_edge *edge = &g->edges[edges[e]];
        int64_t rows = g->size[edge->of], inner = g->size[edge->wrt];
        double *next = jt_alloc(pool, rows * cols, sizeof *next);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = 0; k < inner; k++)
                for (int64_t j = 0; j < cols; j++) next[i * cols + j] += edge->dense[i * inner + k] * p[k * cols + j];
        p = next;
    }
    return p;
}

static void check_pair(jt_graph *g, const jt_backend *backend, int64_t of, int64_t wrt, int64_t *listed)
{
    int64_t entries = g->size[of] * g->size[wrt], n;
    const int64_t *edges;
    jt_pool pool = {0};
    jc_paths *paths;
    double *sum = jt_alloc(&pool, entries, sizeof *sum);
    jt_ok(jt_paths_create(g->graph, of, wrt, NULL, 0, &paths), "paths");
    while (jc_paths_next(paths, &edges, &n)) {
        const jt_result *r = product(&pool, g, backend, of, wrt, n ? edges : no_edges, n);
        double *dense = dense_product(&pool, g, wrt, edges, n);
        for (int64_t i = 0; i < entries; i++) {
            cr_assert_eq(r->real[i], dense[i], "a product of d%lld/d%lld", (long long)of, (long long)wrt);
            sum[i] += r->real[i];
        }
        ++*listed;
    }
    const jt_result *total = product(&pool, g, backend, of, wrt, NULL, 0);
    for (int64_t i = 0; i < entries; i++)
        cr_assert_eq(total->real[i], sum[i], "d%lld/d%lld entry %lld: %g, expected %g", (long long)of, (long long)wrt,
                     (long long)i, total->real[i], sum[i]);
    jc_paths_destroy(paths);
    jt_pool_free(&pool);
}

Test(paths, the_products_of_all_listed_paths_add_up_to_the_total)
{
    jt_backend backends[JT_MAX_BACKENDS];
    int n_backends = jt_backends(backends);
    int64_t listed = 0;
    for (uint64_t seed = 0; seed < 60; seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 60, .numbers = JT_SMALL, .largest = largest_exact};
        jt_graph g;
        const jt_backend *backend = &backends[1 + seed % (uint64_t)(n_backends - 1)]; /* 0: modulo a prime */
        if (!jt_is_exact_up_to(backend, largest_exact)) continue;
        jt_graph_random(&options, &g);
        for (int64_t of = 0; of < g.n_variables; of++)
            for (int64_t wrt = 0; wrt < g.n_variables; wrt++) check_pair(&g, backend, of, wrt, &listed);
        jt_graph_fini(&g);
    }
    cr_expect_gt(listed, 1000);
}
