/* Where a sparse matrix may have entries: the patterns of Jacobians, of products and of sums. What a pattern is made of
 * is counted before anything is allocated, so that what is too large costs a pass over what it would be made of. */
#ifndef JC_PLAN_ELIMINATION_PATTERN_H
#define JC_PLAN_ELIMINATION_PATTERN_H

#include "core/alloc.h"
#include "graph/kinds.h"

typedef struct jc_pattern {
    int64_t rows, cols;
    int64_t entries;
    int64_t *indptr, *indices; /* [rows + 1], [entries], increasing in a row; owned */
} jc_pattern;

void jc_pattern_free(const jc_allocator *a, jc_pattern *pattern);

/* Entries of a Jacobian of a kind that has a pattern (csr, select, weight, tile, trace); -1: another kind. */
int64_t jc_pattern_entries(const jc_shape *shape);

/* I_batch (x) D (x) I_inner, transposed if so, of such a kind. O(rows + entries). */
jc_status jc_pattern_of(const jc_allocator *a, const jc_jac *jac, jc_pattern *pattern);

/* The whole pattern of p x q blocks, batch of them side by side and inner interleaved; p = 1 and q = 1: a diagonal. */
jc_status jc_pattern_of_blocks(const jc_allocator *a, int64_t p, int64_t q, int64_t batch, int64_t inner,
                               jc_pattern *pattern);

/* Pairs of entries A[i,k], B[k,j], saturating: the multiply-adds of A B. O(entries of A). */
int64_t jc_pattern_meetings(const jc_pattern *a, const jc_pattern *b);

/* Of A B, and of A + B (of one size). *fits = false, and no pattern, where it has more than `most` entries.
 * O(rows + cols + meetings). */
jc_status jc_pattern_product(const jc_allocator *alloc, const jc_pattern *a, const jc_pattern *b, int64_t most,
                             bool *fits, jc_pattern *product);
jc_status jc_pattern_sum(const jc_allocator *alloc, const jc_pattern *a, const jc_pattern *b, int64_t most, bool *fits,
                         jc_pattern *sum);

#endif
