/* Seeded random graphs through the public interface: all kinds, batches, inner factors, transposes, scales, parallel
 * edges, operators, single edges and groups in any order, variables numbered in any order. */
#ifndef JT_RANDOM_GRAPH_H
#define JT_RANDOM_GRAPH_H

#include <stdbool.h>

#include "jacchain.h"
#include "support/jacobian.h"
#include "support/random_expression.h"

typedef struct jt_edge {
    int64_t of, wrt;
    const double *dense;     /* size(of) x size(wrt), row-major, from the table of kinds */
    const double *absolute;  /* the same from absolute values */
    const double *structure; /* 1 where there is an entry by structure, else 0 */
    int64_t terms;           /* products summed into an entry */
    int64_t cost[2];         /* multiply-adds for a column (JC_TANGENT), a row (JC_ADJOINT) */
    bool is_operator;
    unsigned labels; /* bit i: has jt_label_names[i] */
} jt_edge;

typedef struct jt_graph {
    jt_pool pool;
    jc_graph *graph; /* finished */
    int64_t n_variables, n_edges, max_edges;
    int64_t *size;        /* [n_variables] */
    int64_t *topological; /* [n_variables] variables, sources first */
    jt_edge *edges;       /* [n_edges] */
} jt_graph;

/* Every edge has none to all of these. */
extern const char *const jt_label_names[JT_LABELS];

typedef struct jt_graph_options {
    uint64_t seed;
    uint64_t number_seed; /* other numbers in the same graph, where `largest` leaves no edge out */
    int64_t n_variables;  /* at least 1; 0: 2 .. 9 */
    int64_t max_paths;    /* between any two variables; edges that would make more are left out */
    int64_t samples;      /* B > 1: every edge is block diagonal in B blocks */
    jt_numbers numbers;
    double largest; /* JT_SMALL: bound of every entry of every total from absolute values; 0: none */
    int real;       /* 0: all floating types; 1: all F64; 2: all F32 */
    bool no_operators;
    const jc_allocator *allocator; /* of the jc_graph; NULL: malloc and free */
} jt_graph_options;

/* Ends the test where the library refuses the graph. */
void jt_graph_random(const jt_graph_options *options, jt_graph *graph);
void jt_graph_fini(jt_graph *graph);

#endif
