/* What an elimination works on: the subgraph of a query with the edges between two nodes joined to a pair, and what
 * each costs. A pair is the local Jacobian D[of,wrt] = sum of its edges. */
#ifndef JC_PLAN_ELIMINATION_PAIRS_H
#define JC_PLAN_ELIMINATION_PAIRS_H

#include "plan/elimination/structure.h"
#include "plan/subgraph.h"

/* Multiply-adds of one edge applied to a column (tangent) or a row (adjoint). The matrix of an operator is not there:
 * its tangents or its adjoints for an identity are formed. INT64_MAX: not allowed. */
typedef struct jc_edge_cost {
    int64_t tangent, adjoint;
    bool is_operator;
} jc_edge_cost;

typedef struct jc_pair {
    int64_t of, wrt;             /* nodes */
    int64_t first_edge, n_edges; /* into jc_pairs.edges */
    int64_t explicit_cost;       /* of its edges that are no operators, applied to a column or a row one by one */
    int64_t tangent, adjoint;    /* of its operators, the same */
    int64_t convert;             /* of making matrices of its operators */
    int32_t structure;           /* of the sum of its edges, where there is a table; with operators dense */
} jc_pair;

typedef struct jc_pairs {
    const jc_allocator *allocator; /* borrowed */
    const jc_subgraph *subgraph;   /* borrowed */
    int64_t n_nodes, n_edges;
    bool *is_target, *is_source; /* [n_nodes] */
    jc_edge_cost *edge_cost;     /* [n_edges] of the subgraph */

    int64_t n_pairs;
    jc_pair *pairs;     /* [n_pairs], [n_edges] allocated; by `of`, topological */
    int64_t *edges;     /* [n_edges] of the subgraph, pair by pair */
    int64_t *in_start;  /* [n_nodes + 1]: pairs with of = v are in_start[v] .. in_start[v + 1] - 1 */
    int64_t *out_start; /* [n_nodes + 1], into out */
    int64_t *out;       /* [n_edges allocated] pairs by wrt */

    int64_t n_inner;
    int64_t *inner;            /* [n_nodes allocated] nodes to eliminate, topological: those between others */
    bool has_operators;        /* any pair has */
    int64_t pattern_work;      /* most entries of patterns to look at; 0: the default of a table */
    jc_structures *structures; /* owned; NULL: every pair counts as a dense matrix */
} jc_pairs;

/* tape_limit: adjoints of operators whose `edges` are more are not allowed; -1: no limit. O(nodes + edges). */
jc_status jc_pairs_create(const jc_graph *graph, const jc_subgraph *subgraph, int64_t tape_limit, jc_pairs *pairs);
void jc_pairs_fini(jc_pairs *pairs);

/* The structures of the pairs, so that products keep them. Nothing is made where all of them are dense. O(edges), and
 * the entries of the patterns. */
jc_status jc_pairs_find_structures(const jc_graph *graph, jc_pairs *pairs);

/* Whether a pair leads from a source to a target: it is a result, or a part of one, and stays to the end. */
static inline bool jc_pairs_is_result(const jc_pairs *pairs, int64_t pair)
{
    return pairs->is_target[pairs->pairs[pair].of] && pairs->is_source[pairs->pairs[pair].wrt];
}

/* rows x cols of a pair as a dense matrix. */
int64_t jc_pair_entries(const jc_pairs *pairs, int64_t of, int64_t wrt);

/* Entries that hold a given pair: of its structure. */
int64_t jc_pair_held(const jc_pairs *pairs, int64_t pair);

#endif
