/* What a query needs of a graph, with what the query adds: the walk of its paths (rules/walk.h), and at an end with a
 * seed one node more, joined by an extra Jacobian: S . dT/dS is the total of a variable whose partial with respect to T
 * is S. The sum over samples of a per-sample total is joined in the same way. A node stands for a variable, under path
 * rules for a variable and a state: then one variable may have several nodes, and an edge of the graph several copies,
 * which share its Jacobian. */
#ifndef JC_PLAN_SUBGRAPH_H
#define JC_PLAN_SUBGRAPH_H

#include "rules/walk.h"

/* A group that an elimination needs beside those of the graph: what computed values are as Jacobians, and parts of the
 * graph's. At most one of its fields has numbers. */
typedef struct jc_made {
    jc_group group;
    int64_t of_group; /* the numbers are those of field of_field of this group of the graph, member by member: a factor
                       * of low_rank ones, the values of csr ones; -1: they are a value's, or there are none */
    int of_field;
    int64_t row_of;    /* a constant, or a row of numbers that are not known: those of the members of this group of the
                        * graph, or of extra Jacobian -2 - row_of; -1: of none. Not looked at in other groups */
    int64_t *index[2]; /* owned I64 arrays behind its index fields, in their order, or NULL */
    int64_t n_index[2];
} jc_made;

/* A member of one; or, where value is not -1, a computed value of the plan as a Jacobian of that shape (member is then
 * 0: where it is in the arena is the layout's to say). */
typedef struct jc_operand {
    int64_t made, member, value;
} jc_operand;

typedef struct jc_subgraph {
    int64_t n_nodes;
    int64_t
        *variable; /* [n_nodes]; -1 for the node of an extra Jacobian; nodes are in topological order, sources first */
    int64_t *size; /* [n_nodes] scalars */
    int64_t n_edges;
    int64_t *of, *wrt,
        *jacobian; /* [n_edges] nodes, and the Jacobian as jc_step.b; sorted by `of`, then by edge number */

    int64_t n_targets, n_sources;
    int64_t *target_variable,
        *source_variable;     /* as asked for; the sources that were not named are all that reach a target */
    int64_t *target, *source; /* their nodes; -1: no path leads to or from it, so it has no node */
    bool empty_path;          /* the path without edges counts: d v/d v is the identity, else zero */

    jc_group *extra; /* [n_extra] Jacobians made from the query: extra 0 is the seed, if there is one */
    int64_t n_extra;
    int64_t max_extra; /* elements that `extra` was allocated for */

    jc_vec made;      /* jc_made; a jc_step.b of -1 - i is extra i for i < n_extra, else operand i - n_extra */
    jc_vec operands;  /* jc_operand */
    int64_t *rank_of; /* [n_nodes] the low_rank edge (of the graph) whose inner vector the node is, or -1; NULL: none is
                       * such a node */
} jc_subgraph;

/* From the walk of a query that was checked. `order` (REVERSE or FORWARD) says at which end the blocks of a per-sample
 * total are summed: at the targets (reverse) or at the sources. The path without edges, where it joins two nodes of the
 * walk, is an edge of the extra Jacobian straight to the other one. O(nodes + edges) of the walk. */
jc_status jc_subgraph_create(const jc_walk *walk, const jc_query *query, jc_order order, jc_subgraph *subgraph);
/* The group of a number below 0 as jc_plan_group_number has them: extra -1 - number, or a made one behind these. */
static inline const jc_group *jc_subgraph_own_group(const jc_subgraph *subgraph, int64_t number)
{
    int64_t i = -1 - number;
    if (i < subgraph->n_extra) return &subgraph->extra[i];
    return &((const jc_made *)subgraph->made.data)[i - subgraph->n_extra].group;
}

/* The operand that a jc_step.b names, or NULL: it is an edge's or an extra Jacobian. */
static inline const jc_operand *jc_subgraph_operand(const jc_subgraph *subgraph, int64_t b)
{
    int64_t i = -1 - b - subgraph->n_extra;
    return b < 0 && i >= 0 ? (const jc_operand *)subgraph->operands.data + i : NULL;
}

void jc_subgraph_fini(const jc_allocator *allocator, jc_subgraph *subgraph);

/* Bytes that a subgraph holds. */
size_t jc_subgraph_bytes(const jc_subgraph *subgraph);

/* Whether every used edge is block diagonal in B blocks: samples.c. JC_E_USAGE naming the edge that couples samples. */
jc_status jc_subgraph_check_samples(const jc_graph *graph, const jc_subgraph *subgraph, int64_t B);

/* Whether a sweep in that direction (JC_ADJOINT: reverse, JC_TANGENT: forward) needs no operator's adjoint of more
 * `edges` than the limit: tape.c. JC_E_LIMIT names the edge and both numbers. */
jc_status jc_subgraph_check_tape(const jc_graph *graph, const jc_subgraph *subgraph, jc_direction direction,
                                 int64_t limit);

#endif
