/* The terms of a split at the first variable of Z (docs/numerics.md), all in one sweep:
 *   term of z = A_z [dz/dS]local,   A_z = dT/dz given, [.]local the sum over paths with no variable of Z strictly
 * inside Forward, what leads from a weight through diagonals and identities to the z is one trace for each weight and
 * z, folded (plan/fold.h): the local factors of exact e-prop over T steps cost T times the weights, and a term k times.
 */
#ifndef JC_RUN_SPLIT_TERMS_H
#define JC_RUN_SPLIT_TERMS_H

#include "graph/graph.h"

/* query: one source S; its edges, if it names some, and order hold, its targets and rules are not looked at. at: [n_at]
 * the set Z. z: [n_z] those of it whose terms are wanted, none of them S. left: [n_z] A_z, [k x size(z)], borrowed
 * during the call. Result i of *results is the term of z[i], k x size(S); its `of` means nothing. */
jc_status jc_split_evaluate_terms(const jc_graph *graph, const jc_query *query, const int64_t *at, int64_t n_at,
                                  const int64_t *z, int64_t n_z, const jc_array *left,
                                  const jc_evaluate_options *options, jc_results **results);

/* *multiply_adds: what that would cost. left: only the shapes are looked at where there is no data. */
jc_status jc_split_plan_terms(const jc_graph *graph, const jc_query *query, const int64_t *at, int64_t n_at,
                              const int64_t *z, int64_t n_z, const jc_array *left, int64_t *multiply_adds);

/* The one result: the sum over z of the terms of absolute values, |A_z| [dz/dS]local of |D|
 * (backend/reference/absolute.h).
 */
jc_status jc_split_absolute_terms(const jc_graph *graph, const jc_query *query, const int64_t *at, int64_t n_at,
                                  const int64_t *z, int64_t n_z, const jc_array *left,
                                  const jc_evaluate_options *options, jc_results **results);

#endif
