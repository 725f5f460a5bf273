/* The Jacobians that a plan by elimination makes for itself: computed values as matrices of a kind, selections that
 * move numbers, and the graph's numbers as one row. Each is a made group of the subgraph; equal ones are one. */
#ifndef JC_PLAN_ASSEMBLY_MADE_H
#define JC_PLAN_ASSEMBLY_MADE_H

#include "graph/table.h"
#include "plan/subgraph.h"

typedef struct jc_maker {
    const jc_graph *graph;
    const jc_allocator *allocator;
    jc_subgraph *subgraph;
    jc_table known; /* made groups without index arrays, by what they are */
} jc_maker;

void jc_maker_init(jc_maker *maker, const jc_graph *graph, jc_subgraph *subgraph);
void jc_maker_fini(jc_maker *maker);

/* A value's numbers as `batch` blocks of p x q one after the other; transposed: each of them. */
jc_status jc_make_dense(jc_maker *m, int64_t p, int64_t q, int64_t batch, bool transpose, int64_t *made);

/* A value's n numbers as a diagonal. */
jc_status jc_make_diagonal(jc_maker *m, int64_t n, int64_t *made);

/* A value's numbers as a sparse p x q; indptr [p + 1] and indices [indptr[p]] become the group's, also on failure. */
jc_status jc_make_csr(jc_maker *m, int64_t p, int64_t q, int64_t *indptr, int64_t *indices, int64_t *made);

/* p x q, row i is e_indices[i]; indices [p] become the group's, also on failure. */
jc_status jc_make_select(jc_maker *m, int64_t p, int64_t q, int64_t *indices, int64_t *made);

jc_status jc_make_identity(jc_maker *m, int64_t n, int64_t *made);

/* n x 1, every entry `scale`. */
jc_status jc_make_constant(jc_maker *m, int64_t n, double scale, int64_t *made);

/* The same, standing for n equal numbers of a member of group row_of of the graph (of extra Jacobian -2 - row_of): its
 * scale. */
jc_status jc_make_row_of_scale(jc_maker *m, int64_t row_of, int64_t n, double scale, int64_t *made);

/* The numbers of a field of a group of the graph as a dense row, 1 x elements, member by member. */
jc_status jc_make_row_of_field(jc_maker *m, int64_t group, int field, int64_t *made);

/* A dense row of n numbers that are not known, of a member of group row_of of the graph (of extra Jacobian -2 -
 * row_of): only the structure is. */
jc_status jc_make_row_without_numbers(jc_maker *m, int64_t row_of, int64_t n, int64_t *made);

/* The b of a step for a member of a made group, or for a value as one (member 0). */
jc_status jc_make_operand(jc_maker *m, int64_t made, int64_t member, int64_t value, int64_t *b);

#endif
