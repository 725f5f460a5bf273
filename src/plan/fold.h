/* Where a forward sweep keeps the structure of a weight. The tangent of Y = X W^T with respect to W (h x w) is
 *   d Y_(a,i) / d W_(i',j) = delta(i,i') X_(a,j)
 * and stays of this form, delta(i,i') t_((a,i),j), behind diagonals and identities: one row of w traces for each
 * output. As a value it is then folded: w rows t_(.,j) in place of h w, row j of the fold standing for the rows (0,j)
 * .. (h-1,j) of the value, row (i,j) of which has the entries k of t_(.,j) with k = i mod h, and zeros elsewhere. Where
 * a fold meets a dense Jacobian, or adds to rows that are not folded, each row of the product takes its own entries of
 * the fold's row: as many multiply-adds as the fold has numbers, times the outputs. Source: the eligibility traces of
 * Bellec et al. (2020), Nature Communications 11:3625. */
#ifndef JC_PLAN_FOLD_H
#define JC_PLAN_FOLD_H

#include "plan/subgraph.h"

/* A source whose rows may be folded. */
typedef struct jc_fold {
    int64_t source; /* of the subgraph */
    int64_t h, w;   /* the source is h x w, by the weight out of it that has most rows */
} jc_fold;

typedef struct jc_folds {
    int64_t n;
    jc_fold *fold; /* [n], in the order of the sources */
    int64_t n_nodes;
    bool *plain;      /* [n_nodes] the node's rows are never folded; NULL where n is 0 */
    int64_t *of_node; /* [n_nodes] the fold of the source that the node is, or -1; NULL where n is 0 */
} jc_folds;

/* Of a subgraph that is swept forward. O(nodes + edges). */
jc_status jc_folds_init(jc_folds *folds, const jc_graph *graph, const jc_subgraph *subgraph);
void jc_folds_fini(const jc_allocator *allocator, jc_folds *folds);

size_t jc_folds_bytes(const jc_folds *folds);

/* The fold that an edge out of its source begins, or -1. */
int64_t jc_folds_begun(const jc_folds *folds, const jc_graph *graph, const jc_subgraph *subgraph, int64_t edge);

/* Whether a fold behind the edge is one if it was one before. */
bool jc_edge_keeps_folds(const jc_graph *graph, const jc_subgraph *subgraph, int64_t edge);

#endif
