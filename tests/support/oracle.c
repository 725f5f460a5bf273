#include "support/oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- paths ------------------------------------------------------------------------------------------------------- */

double jt_count_paths(const jt_graph *g, int64_t of, int64_t wrt)
{
    double *count = malloc((size_t)g->n_variables * sizeof *count), total;
    if (!count) abort();
    jt_count_paths_from(g, wrt, count);
    total = count[of];
    free(count);
    return total;
}

void jt_count_paths_from(const jt_graph *g, int64_t wrt, double *count)
{
    for (int64_t v = 0; v < g->n_variables; v++) count[v] = v == wrt;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        for (int64_t e = 0; e < g->n_edges; e++)
            if (g->edges[e].of == v) count[v] += count[g->edges[e].wrt];
    }
}

void jt_each_path(const jt_graph *g, int64_t of, int64_t wrt, void (*visit)(void *, const int64_t *, int64_t),
                  void *ctx)
{
    int64_t *path = malloc((size_t)(g->n_variables + 1) * sizeof *path), depth = 0, next = 0, at = of;
    if (!path) abort();
    for (;;) {
        if (at == wrt) visit(ctx, path, depth);
        while (at != wrt && next < g->n_edges && g->edges[next].of != at) next++;
        if (at != wrt && next < g->n_edges) { /* one edge further from the target */
            path[depth++] = next;
            at = g->edges[next].wrt;
            next = 0;
            continue;
        }
        if (depth == 0) break; /* back, and on with the edge after the one we came by */
        next = path[--depth];
        at = g->edges[next++].of;
    }
    free(path);
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

typedef struct summing {
    const jt_graph *graph;
    int64_t rows, cols; /* of the total */
    bool absolute;
    jt_keep keep; /* NULL: all paths */
    void *ctx;
    long double *sum;     /* [rows * cols] */
    uint64_t *sum_modulo; /* instead, modulo the prime */
} summing;

static const double *matrix_of(const summing *s, int64_t edge)
{
    return s->absolute ? s->graph->edges[edge].absolute : s->graph->edges[edge].dense;
}

/* next [rows x n] = product [rows x m] . D [m x n] */
static void multiply(const long double *product, const double *D, int64_t rows, int64_t m, int64_t n, long double *next)
{
    memset(next, 0, (size_t)(rows * n) * sizeof *next);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < m; j++)
            for (int64_t c = 0; c < n && product[i * m + j] != 0; c++)
                next[i * n + c] += product[i * m + j] * (long double)D[j * n + c];
}

static int64_t widest(const jt_graph *g)
{
    int64_t most = 1;
    for (int64_t v = 0; v < g->n_variables; v++) most = g->size[v] > most ? g->size[v] : most;
    return most;
}

static void add_path(void *ctx, const int64_t *edges, int64_t n)
{
    summing *s = ctx;
    const jt_graph *g = s->graph;
    if (s->keep && !s->keep(s->ctx, edges, n)) return;
    size_t bytes = (size_t)(s->rows * widest(g)) * sizeof(long double);
    long double *a = calloc(1, bytes), *b = malloc(bytes);
    if (!a || !b) abort();
    for (int64_t i = 0; i < s->rows; i++) a[i * s->rows + i] = 1;
    for (int64_t k = 0; k < n; k++) {
        const jt_edge *e = &g->edges[edges[k]];
        multiply(a, matrix_of(s, edges[k]), s->rows, g->size[e->of], g->size[e->wrt], b);
        memcpy(a, b, bytes);
    }
    for (int64_t i = 0; i < s->rows * s->cols; i++) s->sum[i] += a[i];
    free(a), free(b);
}

long double *jt_total_by_paths(jt_pool *pool, const jt_graph *g, int64_t of, int64_t wrt, bool absolute)
{
    return jt_total_where(pool, g, of, wrt, absolute, NULL, NULL);
}

long double *jt_total_where(jt_pool *pool, const jt_graph *g, int64_t of, int64_t wrt, bool absolute, jt_keep keep,
                            void *ctx)
{
    summing s = {.graph = g, .rows = g->size[of], .cols = g->size[wrt], .absolute = absolute, .keep = keep, .ctx = ctx};
    s.sum = jt_alloc(pool, s.rows * s.cols, sizeof *s.sum);
    jt_each_path(g, of, wrt, add_path, &s);
    return s.sum;
}

/* T_of = I; T_v = sum over edges w <- v of T_w D: variables against the topological order. */
long double **jt_totals_by_recurrence(jt_pool *pool, const jt_graph *g, int64_t of, bool absolute)
{
    int64_t rows = g->size[of];
    long double **T = jt_alloc(pool, g->n_variables, sizeof *T);
    long double *next = jt_alloc(pool, rows * widest(g), sizeof *next);
    for (int64_t v = 0; v < g->n_variables; v++) T[v] = jt_alloc(pool, rows * g->size[v], sizeof **T);
    for (int64_t i = 0; i < rows; i++) T[of][i * rows + i] = 1;
    bool *reached = jt_alloc(pool, g->n_variables, sizeof *reached);
    reached[of] = true;
    for (int64_t i = g->n_variables - 1; i >= 0; i--)
        for (int64_t e = 0; e < g->n_edges; e++) {
            const jt_edge *edge = &g->edges[e];
            if (edge->of != g->topological[i] || !reached[edge->of]) continue;
            reached[edge->wrt] = true;
            multiply(T[edge->of], absolute ? edge->absolute : edge->dense, rows, g->size[edge->of], g->size[edge->wrt],
                     next);
            for (int64_t k = 0; k < rows * g->size[edge->wrt]; k++) T[edge->wrt][k] += next[k];
        }
    return T;
}

long double *jt_total_by_recurrence(jt_pool *pool, const jt_graph *g, int64_t of, int64_t wrt, bool absolute)
{
    return jt_totals_by_recurrence(pool, g, of, absolute)[wrt];
}

/* The longest path counts: over an edge the products of its Jacobian are summed, then those of the other edges. */
int64_t jt_longest_sum(const jt_graph *g)
{
    int64_t *terms = calloc((size_t)g->n_variables, sizeof *terms), most = 0;
    if (!terms) abort();
    for (int64_t i = g->n_variables - 1; i >= 0; i--)
        for (int64_t e = 0; e < g->n_edges; e++) {
            const jt_edge *edge = &g->edges[e];
            int64_t n = terms[edge->of] + edge->terms + g->n_edges;
            if (edge->of == g->topological[i] && n > terms[edge->wrt]) terms[edge->wrt] = n;
        }
    for (int64_t v = 0; v < g->n_variables; v++) most = terms[v] > most ? terms[v] : most;
    free(terms);
    return most;
}

/* ---- modulo 2^61 - 1 --------------------------------------------------------------------------------------------- */

uint64_t jt_modulo(double integer)
{
    if (integer != floor(integer) || fabs(integer) > 0x1p53) abort();
    int64_t rest = (int64_t)integer % (int64_t)JT_PRIME;
    return rest < 0 ? (uint64_t)(rest + (int64_t)JT_PRIME) : (uint64_t)rest;
}

uint64_t jt_mul_modulo(uint64_t a, uint64_t b)
{
    return (uint64_t)((unsigned __int128)a * b % JT_PRIME);
}

uint64_t jt_add_modulo(uint64_t a, uint64_t b)
{
    return (a + b) % JT_PRIME;
}

static void add_path_modulo(void *ctx, const int64_t *edges, int64_t n)
{
    summing *s = ctx;
    const jt_graph *g = s->graph;
    if (s->keep && !s->keep(s->ctx, edges, n)) return;
    size_t bytes = (size_t)(s->rows * widest(g)) * sizeof(uint64_t);
    uint64_t *a = calloc(1, bytes), *b = malloc(bytes);
    if (!a || !b) abort();
    for (int64_t i = 0; i < s->rows; i++) a[i * s->rows + i] = 1;
    for (int64_t k = 0; k < n; k++) {
        const jt_edge *e = &g->edges[edges[k]];
        int64_t m = g->size[e->of], cols = g->size[e->wrt];
        memset(b, 0, bytes);
        for (int64_t i = 0; i < s->rows; i++)
            for (int64_t j = 0; j < m; j++)
                for (int64_t c = 0; c < cols; c++)
                    b[i * cols + c] =
                        jt_add_modulo(b[i * cols + c], jt_mul_modulo(a[i * m + j], jt_modulo(e->dense[j * cols + c])));
        memcpy(a, b, bytes);
    }
    for (int64_t i = 0; i < s->rows * s->cols; i++) s->sum_modulo[i] = jt_add_modulo(s->sum_modulo[i], a[i]);
    free(a), free(b);
}

uint64_t *jt_total_modulo(jt_pool *pool, const jt_graph *g, int64_t of, int64_t wrt)
{
    return jt_total_modulo_where(pool, g, of, wrt, NULL, NULL);
}

uint64_t *jt_total_modulo_where(jt_pool *pool, const jt_graph *g, int64_t of, int64_t wrt, jt_keep keep, void *ctx)
{
    summing s = {.graph = g, .rows = g->size[of], .cols = g->size[wrt], .keep = keep, .ctx = ctx};
    s.sum_modulo = jt_alloc(pool, s.rows * s.cols, sizeof *s.sum_modulo);
    jt_each_path(g, of, wrt, add_path_modulo, &s);
    return s.sum_modulo;
}
