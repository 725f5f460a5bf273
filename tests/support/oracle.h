/* Total derivatives from their definition: the sum over all paths of the product of the dense Jacobians on the path,
 * each path listed. Shares nothing with src/. */
#ifndef JT_ORACLE_H
#define JT_ORACLE_H

#include "support/random_graph.h"

/* The number of paths from wrt to of (1 for of == wrt), as a double. */
double jt_count_paths(const jt_graph *graph, int64_t of, int64_t wrt);

/* The same for every `of`: count[v], [n_variables]. */
void jt_count_paths_from(const jt_graph *graph, int64_t wrt, double *count);

/* Calls visit for every path from wrt to of with its edges, target side first. No recursion. */
void jt_each_path(const jt_graph *graph, int64_t of, int64_t wrt,
                  void (*visit)(void *ctx, const int64_t *edges, int64_t n_edges), void *ctx);

/* d of / d wrt, size(of) x size(wrt), in long double: exact for integers below 2^63. absolute: from absolute values. */
long double *jt_total_by_paths(jt_pool *pool, const jt_graph *graph, int64_t of, int64_t wrt, bool absolute);

/* Which paths count: edges as jt_each_path gives them. */
typedef bool (*jt_keep)(void *ctx, const int64_t *edges, int64_t n_edges);

/* The same over the paths that are kept. */
long double *jt_total_where(jt_pool *pool, const jt_graph *graph, int64_t of, int64_t wrt, bool absolute, jt_keep keep,
                            void *ctx);
uint64_t *jt_total_modulo_where(jt_pool *pool, const jt_graph *graph, int64_t of, int64_t wrt, jt_keep keep, void *ctx);

/* The same by the recurrence over variables, without listing paths. */
long double *jt_total_by_recurrence(jt_pool *pool, const jt_graph *graph, int64_t of, int64_t wrt, bool absolute);

/* The same for every variable below `of`: [n_variables] matrices. */
long double **jt_totals_by_recurrence(jt_pool *pool, const jt_graph *graph, int64_t of, bool absolute);

/* The same for integer Jacobians modulo 2^61 - 1, over all paths. */
uint64_t *jt_total_modulo(jt_pool *pool, const jt_graph *graph, int64_t of, int64_t wrt);

/* Roundings on the way of any total: n of gamma_n, an upper bound. */
int64_t jt_longest_sum(const jt_graph *graph);

/* An integer held in a double, and arithmetic, modulo 2^61 - 1. */
#define JT_PRIME ((UINT64_C(1) << 61) - 1)
uint64_t jt_modulo(double integer);
uint64_t jt_mul_modulo(uint64_t a, uint64_t b);
uint64_t jt_add_modulo(uint64_t a, uint64_t b);

#endif
