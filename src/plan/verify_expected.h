/* What a query asks of a sweep, established from the graph's edges alone: which variables have a value, which rows it
 * has, and which edges carry them. Only the verifier uses it; it shares nothing with the planner.
 *
 * The seeded ends are the targets (reverse) or the sources (forward). A sweep carries rows of seeded ends along every
 * edge from its tail, whose value is read, to its head, whose value is formed:
 *   reverse: tail = of, head = wrt;  forward: tail = wrt, head = of
 *   rows(v) = union over the edges e with head v that the query does not leave out of rows(tail(e)) and, where it is a
 * seeded end, tail(e) itself A seed, or the sum over the samples of a per-sample total, adds a variable and an edge at
 * that end of the graph: variable graph->n_variables + i and edge graph->n_edges + i, the i-th addition in the query's
 * order. */
#ifndef JC_PLAN_VERIFY_EXPECTED_H
#define JC_PLAN_VERIFY_EXPECTED_H

#include "plan/plan.h"

/* A variable and an edge that the query adds: beyond <- at (a target) or at <- beyond (a source). */
typedef struct jc_addition {
    int64_t at; /* variable of the graph */
    int64_t beyond_size;
    bool at_target;
} jc_addition;

typedef struct jc_expected {
    const jc_graph *graph;         /* borrowed */
    const jc_allocator *allocator; /* borrowed */
    bool forward;
    unsigned char *left_out;      /* [graph->n_edges] 1: paths may not use the edge; NULL: they may use all */
    int64_t n_variables, n_edges; /* of the graph and the additions */
    unsigned char *mark;          /* [graph->n_variables] JC_FROM_SOURCE | JC_TO_TARGET */

    int64_t n_sources, n_targets;
    int64_t *source, *target; /* variables, in the query's order; those not named are found */
    int64_t max_additions, n_additions;
    jc_addition *addition; /* [max_additions] */

    int64_t max_seeded, n_seeded;
    int64_t *seeded;       /* [max_seeded] variables, in the query's order */
    int64_t *seeded_rows;  /* [max_seeded] rows that each brings, cut to the plan's row limit */
    int64_t *seeded_index; /* [n_variables] into seeded, or -1 */

    int64_t *order;        /* [n_edges] so that every tail's value is whole before it is read */
    int64_t n_words;       /* n_seeded bits */
    uint64_t *rows;        /* [n_variables * n_words] bit s: the value has the rows of seeded end s */
    unsigned char *needed; /* [n_variables] 1: it is one of the other ends, or one lies behind it */
} jc_expected;

enum { JC_FROM_SOURCE = 1, JC_TO_TARGET = 2, JC_ON_PATH = 3 };

/* JC_E_MEMORY, or JC_E_INTERNAL where the plan's order or row limit does not go with the query. */
jc_status jc_expected_create(const jc_plan *plan, const jc_query *query, jc_expected *expected);
void jc_expected_fini(jc_expected *expected);

/* The ends of an edge of the graph or an addition. */
int64_t jc_expected_of(const jc_expected *expected, int64_t edge);
int64_t jc_expected_wrt(const jc_expected *expected, int64_t edge);
int64_t jc_expected_size(const jc_expected *expected, int64_t variable);

static inline bool jc_expected_left_out(const jc_expected *x, int64_t edge)
{
    return x->left_out && edge < x->graph->n_edges && x->left_out[edge];
}

static inline int64_t jc_expected_tail(const jc_expected *x, int64_t edge)
{
    return x->forward ? jc_expected_wrt(x, edge) : jc_expected_of(x, edge);
}

static inline int64_t jc_expected_head(const jc_expected *x, int64_t edge)
{
    return x->forward ? jc_expected_of(x, edge) : jc_expected_wrt(x, edge);
}

static inline bool jc_expected_has(const jc_expected *x, int64_t variable, int64_t seeded)
{
    return x->rows[variable * x->n_words + seeded / 64] >> (seeded % 64) & 1;
}

/* Rows of the variable's value; 0: it has none. */
int64_t jc_expected_rows(const jc_expected *expected, int64_t variable);

/* First row of seeded end s in the variable's value. */
int64_t jc_expected_row_of(const jc_expected *expected, int64_t variable, int64_t seeded);

#endif
