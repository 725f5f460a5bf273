#include "run/top_help.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct listing {
    jt_pool *pool;
    const jt_graph *graph;
    int64_t cols, capacity;
    bool spectral;
    bool (*keeps)(const jt_graph *, const int64_t *, int64_t);
    jt_ranking *ranking;
} listing;

static double *product(const listing *l, const int64_t *edges, int64_t n, int64_t *rows)
{
    const jt_graph *g = l->graph;
    int64_t cols = l->cols;
    double *p = jt_alloc(l->pool, cols * cols, sizeof *p);
    for (int64_t i = 0; i < cols; i++) p[i * cols + i] = 1;
    *rows = cols;
    for (int64_t e = 0; e < n; e++) {
        const jt_edge *edge = &g->edges[edges[e]];
        int64_t inner = *rows;
        *rows = g->size[edge->of];
        double *next = jt_alloc(l->pool, *rows * cols, sizeof *next);
        for (int64_t i = 0; i < *rows; i++)
            for (int64_t k = 0; k < inner; k++)
                for (int64_t j = 0; j < cols; j++) next[i * cols + j] += edge->dense[i * inner + k] * p[k * cols + j];
        p = next;
    }
    return p;
}

/* Turns columns against each other until they are orthogonal: the largest singular value is then the largest of their
 * norms. */
static double largest_singular(double *a, int64_t rows, int64_t cols)
{
    double most = 0;
    for (int sweep = 0; sweep < 60; sweep++)
        for (int64_t p = 0; p < cols; p++)
            for (int64_t q = p + 1; q < cols; q++) {
                double pp = 0, qq = 0, pq = 0;
                for (int64_t i = 0; i < rows; i++) {
                    pp += a[i * cols + p] * a[i * cols + p];
                    qq += a[i * cols + q] * a[i * cols + q];
                    pq += a[i * cols + p] * a[i * cols + q];
                }
                if (pq == 0) continue;
                double angle = 0.5 * atan2(2 * pq, pp - qq), c = cos(angle), s = sin(angle);
                for (int64_t i = 0; i < rows; i++) {
                    double x = a[i * cols + p], y = a[i * cols + q];
                    a[i * cols + p] = c * x + s * y;
                    a[i * cols + q] = c * y - s * x;
                }
            }
    for (int64_t j = 0; j < cols; j++) {
        double sum = 0;
        for (int64_t i = 0; i < rows; i++) sum += a[i * cols + j] * a[i * cols + j];
        most = fmax(most, sqrt(sum));
    }
    return most;
}

static double frobenius(const double *a, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += a[i] * a[i];
    return sqrt(sum);
}

static void add(void *ctx, const int64_t *target_first, int64_t n)
{
    listing *l = ctx;
    jt_ranking *r = l->ranking;
    int64_t *edges = jt_alloc(l->pool, n, sizeof *edges), rows;
    for (int64_t i = 0; i < n; i++) edges[i] = target_first[n - 1 - i];
    if (l->keeps && !l->keeps(l->graph, edges, n)) return;
    if (r->n == l->capacity) {
        jt_ranked *more = jt_alloc(l->pool, l->capacity = 2 * l->capacity + 64, sizeof *more);
        if (r->n) memcpy(more, r->paths, (size_t)r->n * sizeof *more);
        r->paths = more;
    }
    double *p = product(l, edges, n, &rows), value = p[0];
    double norm = l->spectral ? largest_singular(p, rows, l->cols) : frobenius(p, rows * l->cols);
    r->paths[r->n++] = (jt_ranked){edges, n, norm, value};
}

static int by_rank(const void *a, const void *b)
{
    const jt_ranked *p = a, *q = b;
    if (p->norm != q->norm) return p->norm > q->norm ? -1 : 1;
    for (int64_t i = 0; i < p->n && i < q->n; i++)
        if (p->edges[i] != q->edges[i]) return p->edges[i] < q->edges[i] ? -1 : 1;
    return 0;
}

jt_ranking jt_rank_paths(jt_pool *pool, const jt_graph *g, int64_t of, int64_t wrt, bool spectral,
                         bool (*keeps)(const jt_graph *, const int64_t *, int64_t))
{
    jt_ranking ranking = {NULL, 0};
    listing l = {
        .pool = pool, .graph = g, .cols = g->size[wrt], .spectral = spectral, .keeps = keeps, .ranking = &ranking};
    jt_each_path(g, of, wrt, add, &l);
    if (ranking.n) qsort(ranking.paths, (size_t)ranking.n, sizeof *ranking.paths, by_rank);
    return ranking;
}

int64_t jt_rank_of(const jt_ranking *r, const int64_t *edges, int64_t n)
{
    for (int64_t i = 0; i < r->n; i++)
        if (r->paths[i].n == n && (!n || !memcmp(r->paths[i].edges, edges, (size_t)n * sizeof *edges))) return i;
    return -1;
}

jc_top *jt_top(const jc_graph *graph, int64_t of, int64_t wrt, int64_t k, const jc_top_options *options)
{
    jc_query q = JC_QUERY_INIT;
    jc_top *top = NULL;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    jt_ok(jc_paths_top(graph, &q, k, options, &top), "the paths of largest norm");
    return top;
}

jc_top_info jt_top_info(const jc_top *top)
{
    jc_top_info info = {.struct_size = sizeof info};
    jt_ok(jc_top_get_info(top, &info), "what the search says");
    return info;
}

jc_top_path jt_top_path(const jc_top *top, int64_t index)
{
    jc_top_path path;
    jt_ok(jc_top_get_path(top, index, &path), "a path");
    return path;
}
