/* Bounds on what partial paths can become, for the search of the paths of largest norm.
 *
 * Partial paths are made from one end of the walk, `start`, the one of fewer scalars, towards the other, `end`. P is
 * the product of a partial path that came to a node v, [rows x size(v)] with the rows of `start`; C that of a
 * completion, from v to `end`. What all completions from v have in common:
 *
 *   |C| <= B_v entry by entry      B_end = I,  B_v = max over edges e of v towards `end`, to u, of |D_e| B_u
 *   C C^T <= G_v (semidefinite)    G_end = I,  G_v = some matrix not below any D_e G_u D_e^T
 *   |C|_2 <= s_v                   s_end = 1,  s_v = max over these edges of |D_e|_2 s_u, at most tr(G_v)^(1/2)
 *
 * so that |P C|_F <= min(| |P| B_v |_F, tr(P G_v P^T)^(1/2), |P|_F s_v). Where B_v is large it is one column, from
 * B_end = 1 (all ones), which bounds the norms of the rows of C; the same formula holds. For scalar variables B_v is
 * the largest |product| itself; else G_v, which sees what cancels within products, is far sharper on long paths, and is
 * there where v and those behind it are not large (top_moments.c). D_e stands for the Jacobian as the partial paths
 * meet it: D going to the target, D^T to the source. Proofs and roundings: docs/numerics.md. */
#ifndef JC_RUN_TOP_BOUNDS_H
#define JC_RUN_TOP_BOUNDS_H

#include "rules/walk.h"

typedef struct jc_top_bounds {
    jc_allocator allocator;
    const jc_walk *walk; /* borrowed */
    bool forward;        /* partial paths begin at the source */
    bool is_scalar;      /* all variables are */
    int64_t start, end;  /* nodes */
    int64_t rows;        /* of partial products */
    int64_t columns;     /* of the B_v */
    int64_t *first;      /* [n_nodes + 1] B_v^T, columns x size(v), is at entries + first[v] */
    double *entries;
    int64_t *moment_first; /* [n_nodes + 1] G_v, size(v) squared, is at moments + moment_first[v] */
    double *moments;
    double *trace; /* [n_nodes] of G_v; 0: nothing is in it yet; Inf: there is no G_v */
    int64_t moment_work;
    double *spectral;  /* [n_nodes] s_v */
    double *edge_norm; /* [n_edges] at least | |D| |_2 */
    double *roundings; /* [n_nodes] the most on a completion; of `start`: of a whole path */
    int64_t n_scratch; /* numbers that the loops of an edge need at most */
    double *scratch;   /* [n_scratch] of whoever multiplies */
    double relative;   /* what is computed of nonnegative numbers is exact up to this factor minus 1 */
} jc_top_bounds;

/* Of a walk whose one source and target are different nodes with paths between them. JC_E_INPUT: an edge has no
 * numbers; JC_E_USAGE: they are in device memory. Cost: a sweep with `columns` rows over absolute values; the norms of
 * Jacobians, for small ones by LAPACK where the walk is not large. An operator is applied to unit vectors. */
jc_status jc_top_bounds_create(const jc_walk *walk, const jc_allocator *allocator, jc_top_bounds *bounds);
void jc_top_bounds_fini(jc_top_bounds *bounds);

static inline int64_t jc_top_size(const jc_top_bounds *b, int64_t node)
{
    return jc_graph_size(b->walk->graph, b->walk->variable[node]);
}

/* The node that an edge of the walk leads to, for the search. */
static inline int64_t jc_top_next(const jc_top_bounds *b, int64_t edge)
{
    return b->forward ? b->walk->of[edge] : b->walk->wrt[edge];
}

/* The Jacobian of an edge of the walk. */
jc_jac jc_top_jacobian(const jc_walk *walk, int64_t edge);

/* |X|_F of n numbers, without overflow or underflow on the way; NaN where there is one. */
double jc_top_norm(const double *x, int64_t n);

/* The smallest of the bounds of |P C|_F, as computed. norm: |P|_F. */
double jc_top_estimate(const jc_top_bounds *bounds, int64_t node, const double *p, double norm);

/* The bound itself for that estimate. error: at least |P - P'|_F, where P' is the exact product. */
double jc_top_bound(const jc_top_bounds *bounds, int64_t node, double estimate, double error);

/* top_moments.c: room for the G_v; G_near grows by what an edge makes of G_far; tr(P G_v P^T)^(1/2), with its own
 * rounding, Inf where there is no G_v. */
jc_status jc_top_moments_create(jc_top_bounds *bounds);
jc_status jc_top_moments_add(jc_top_bounds *bounds, int64_t edge, int64_t near, int64_t far);
double jc_top_moment_estimate(const jc_top_bounds *bounds, int64_t node, const double *p, double norm);

/* At least |C|_2 for all completions of a node. */
double jc_top_completion_norm(const jc_top_bounds *bounds, int64_t node);

#endif
