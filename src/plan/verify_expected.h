/* What a query asks of a sweep, established from the edges that its paths use: which nodes have a value, which rows it
 * has, and which edges carry them. Only the verifier uses it; it shares nothing with the planner.
 *
 * Without path rules nodes and edges are the graph's variables and edges, and nothing else is looked at. With rules
 * they are those of the walk (rules/walk.h), in which a variable may have several nodes and an edge several copies.
 *
 * The seeded ends are the targets (reverse) or the sources (forward). A sweep carries rows of seeded ends along every
 * edge from its tail, whose value is read, to its head, whose value is formed:
 *   reverse: tail = of, head = wrt;  forward: tail = wrt, head = of
 *   rows(v) = union over the edges e with head v that the query does not leave out of rows(tail(e)) and, where it is a
 * seeded end, tail(e) itself. A seed, or the sum over the samples of a per-sample total, adds a node and an edge at
 * that end: node n_own_nodes + i, for the i-th addition in the query's order, and edge n_own_edges + 2 i. Under rules,
 * where an end is both a source's and a target's and the path without edges counts, edge n_own_edges + 2 i + 1 joins
 * the same node to the other of the two. */
#ifndef JC_PLAN_VERIFY_EXPECTED_H
#define JC_PLAN_VERIFY_EXPECTED_H

#include "plan/plan.h"

/* A node and one or two edges that the query adds: beyond <- at (a target) or at <- beyond (a source). */
typedef struct jc_addition {
    int64_t at[2]; /* nodes; the second one -1: there is none */
    int64_t beyond_size;
    bool at_target;
} jc_addition;

typedef struct jc_expected {
    const jc_graph *graph;         /* borrowed */
    const jc_allocator *allocator; /* borrowed */
    bool forward;
    bool by_rules;                    /* nodes and edges are those of the walk */
    bool empty_path;                  /* the path without edges counts */
    jc_walk walk;                     /* owned; only by_rules */
    int64_t *copies, *copies_start;   /* [walk.n_edges], [graph->n_edges + 1]: the copies of each edge, by `of`, then by
                                         `wrt`; only by_rules */
    unsigned char *left_out;          /* [graph->n_edges] 1: paths may not use the edge; NULL: they may use all */
    unsigned char *mark;              /* [graph->n_variables] JC_FROM_SOURCE | JC_TO_TARGET; not by_rules */
    int64_t n_own_nodes, n_own_edges; /* of the graph or the walk */
    int64_t n_nodes, n_edges;         /* with the additions */

    int64_t n_sources, n_targets;
    int64_t *source, *target;           /* variables, in the query's order; those not named are found */
    int64_t *source_node, *target_node; /* -1: no path leads from (to) it */
    int64_t max_additions, n_additions;
    jc_addition *addition; /* [max_additions] */
    int64_t *addition_at;  /* [n_own_nodes] into addition, or -1 */

    int64_t max_seeded, n_seeded;
    int64_t *seeded;       /* [max_seeded] nodes, in the query's order */
    int64_t *seeded_rows;  /* [max_seeded] rows that each brings, cut to the plan's row limit */
    int64_t *seeded_index; /* [n_nodes] into seeded, or -1 */
    int64_t *seeded_node;  /* [graph->n_variables] the node of the target (source) that a variable is, or -1 */

    int64_t *order;        /* [n_edges] so that every tail's value is whole before it is read */
    int64_t n_words;       /* n_seeded bits */
    uint64_t *rows;        /* [n_nodes * n_words] bit s: the value has the rows of seeded end s */
    unsigned char *needed; /* [n_nodes] 1: it is one of the other ends, or one lies behind it */
} jc_expected;

enum { JC_FROM_SOURCE = 1, JC_TO_TARGET = 2, JC_ON_PATH = 3 };

/* JC_E_MEMORY, or JC_E_INTERNAL where the plan's order or row limit does not go with the query, or the walk of its
 * rules is not one. */
jc_status jc_expected_create(const jc_plan *plan, const jc_query *query, jc_expected *expected);
void jc_expected_fini(jc_expected *expected);

/* The ends of an edge. */
int64_t jc_expected_of(const jc_expected *expected, int64_t edge);
int64_t jc_expected_wrt(const jc_expected *expected, int64_t edge);

/* The variable that a node stands for; -1: it is an addition. */
int64_t jc_expected_variable(const jc_expected *expected, int64_t node);
int64_t jc_expected_size(const jc_expected *expected, int64_t node);

/* The edge with the Jacobian of edge `b` of the graph (b < 0: of the addition -1 - b) that leads to `head`, from `tail`
 * or, where tail is -1, from a seeded end; -1: there is none. O(log copies). */
int64_t jc_expected_find(const jc_expected *expected, int64_t b, int64_t tail, int64_t head);

/* The addition at a node, or -1. */
int64_t jc_expected_addition(const jc_expected *expected, int64_t node, bool at_target);

/* The node at which a result's target (source) is read: the addition at it, or itself; -1: no path has it. */
int64_t jc_expected_outermost(const jc_expected *expected, int64_t node, bool at_target);

/* Whether no path uses the edge. */
static inline bool jc_expected_left_out(const jc_expected *x, int64_t edge)
{
    if (edge >= x->n_own_edges) return x->addition[(edge - x->n_own_edges) / 2].at[(edge - x->n_own_edges) % 2] < 0;
    return x->left_out && x->left_out[edge];
}

static inline int64_t jc_expected_tail(const jc_expected *x, int64_t edge)
{
    return x->forward ? jc_expected_wrt(x, edge) : jc_expected_of(x, edge);
}

static inline int64_t jc_expected_head(const jc_expected *x, int64_t edge)
{
    return x->forward ? jc_expected_of(x, edge) : jc_expected_wrt(x, edge);
}

static inline bool jc_expected_has(const jc_expected *x, int64_t node, int64_t seeded)
{
    return x->rows[node * x->n_words + seeded / 64] >> (seeded % 64) & 1;
}

/* Rows of the node's value; 0: it has none. */
int64_t jc_expected_rows(const jc_expected *expected, int64_t node);

/* First row of seeded end s in the node's value. */
int64_t jc_expected_row_of(const jc_expected *expected, int64_t node, int64_t seeded);

#endif
