/* Vertex elimination: the totals of a query by eliminating, one after the other, the nodes between sources and targets,
 *
 *     D[t,u] += D[t,v] D[v,u]     for every edge (v,u) into v and (t,v) out of it; then v is gone,
 *
 * in an order that costs few multiply-adds. A target (source) between others is not gone: it keeps what leads into (out
 * of) it, as if it were copied to a leaf of its own. Finding the best order is NP-hard (Naumann, Optimal Jacobian
 * accumulation is NP-complete, Math. Prog. 112, 2008); see docs/numerics.md, "Elimination orders". */
#ifndef JC_PLAN_ELIMINATION_ELIMINATION_H
#define JC_PLAN_ELIMINATION_ELIMINATION_H

#include "plan/elimination/structure.h"
#include "plan/subgraph.h"

/* What an operation does. Operands: a value (>= 0), or an edge of the subgraph as jc_operand_of_edge names it. */
typedef enum jc_elimination_kind {
    JC_ELIMINATION_ACCUMULATE, /* result = the matrix of edge `right`, or value `right`, which is held by the result's
                                * structure; left is JC_NO_OPERAND */
    JC_ELIMINATION_MULTIPLY,   /* value left . value right */
    JC_ELIMINATION_ADJOINT,    /* value left . edge right: the edge is applied to the left one's rows */
    JC_ELIMINATION_TANGENT     /* edge left . value right: the edge is applied to the right one's columns */
} jc_elimination_kind;

#define JC_NO_OPERAND INT64_MIN

static inline int64_t jc_operand_of_edge(int64_t edge)
{
    return -1 - edge;
}

/* D[of,wrt] (+)= D[of,via] D[via,wrt]. Cost: jc_structures_cost of the product's structure. A product that would cost
 * more in the structure of the value that it is added to goes to a value of its own first, which is then accumulated.
 */
typedef struct jc_elimination_op {
    jc_elimination_kind kind;
    int64_t of, via, wrt;   /* nodes; via: -1 for ACCUMULATE */
    int64_t left, right;    /* operands */
    int64_t result;         /* value */
    bool first;             /* writes the value; otherwise adds to it */
    jc_direction direction; /* ACCUMULATE of an operator: by its tangents or its adjoints */
    int64_t cost;           /* multiply-adds */
} jc_elimination_op;

/* D[of,wrt] or a part of it, size(of) x size(wrt), in a structure that holds all that is ever added to it. It lives
 * from its first operation to the last one that reads it, a result to the end. A pair of nodes may have several: parts
 * of it, and what it was when it was read before more was added to it. */
typedef struct jc_elimination_value {
    int64_t of, wrt;   /* nodes */
    int64_t last_op;   /* that reads or writes it */
    bool result;       /* of: a target, wrt: a source */
    int32_t structure; /* -1: dense */
} jc_elimination_value;

typedef struct jc_elimination {
    int64_t cost;         /* multiply-adds, saturating */
    int64_t peak_entries; /* most entries, as they are held, of values that live at once, saturating */
    int64_t n_order;
    int64_t *order; /* [n_order] nodes as they are eliminated */
    int64_t n_values;
    jc_vec values; /* jc_elimination_value */
    int64_t n_ops;
    jc_vec ops;                /* jc_elimination_op, as they are to be done */
    jc_structures *structures; /* owned; NULL: all values are dense */
    jc_vec densified;          /* jc_densified (plan.h) */
} jc_elimination;

typedef struct jc_elimination_options {
    int64_t work;            /* most of the search's steps, some 7 ns each; 0: JC_ELIMINATION_WORK */
    uint64_t seed;           /* of the search: the same seed finds the same order */
    int64_t tape_limit;      /* of an operator's `edges`, for its adjoints; -1: none */
    int64_t bound;           /* what other orders cost: a search that cannot come below may give up; -1: not known */
    int64_t entry_limit;     /* on peak_entries; 0: none */
    const int64_t *sequence; /* [n_sequence] nodes: this order, all inner nodes in it (else JC_E_USAGE), is taken;
                              * bound and entry_limit are not looked at; NULL: one is looked for */
    int64_t n_sequence;
} jc_elimination_options;

#define JC_ELIMINATION_OPTIONS_INIT                                                                                    \
    {                                                                                                                  \
        .tape_limit = -1, .bound = -1                                                                                  \
    }

enum { JC_ELIMINATION_WORK = 10000000 };

/* The cheapest order found. *found = false: the graph is too large for the search, or nothing came below the bound;
 * then there is no elimination. The operations are owned by `elimination`; those of the subgraph are borrowed. */
jc_status jc_elimination_create(const jc_graph *graph, const jc_subgraph *subgraph,
                                const jc_elimination_options *options, bool *found, jc_elimination *elimination);

/* Splits every low_rank edge of a subgraph where that is cheaper to hold, rank (rows + cols) < rows cols of a block, or
 * there are several blocks:
 *     D[y,x] = U V^T  becomes  y <- r <- x  with D[y,r] = U, D[r,x] = V^T,
 * r a node of its own (jc_subgraph.rank_of), so that products with a low_rank one stay of low rank for as long as r is
 * not eliminated. Of the graph's numbers: made groups (jc_made.of_group). Ends, extra Jacobians and the order of nodes
 * stay what they are. */
jc_status jc_subgraph_split_ranks(const jc_graph *graph, jc_subgraph *subgraph);

/* What the totals of a plan's query cost by elimination: of the order found with the default work, or of the better
 * sweep where nothing cheaper was found, since that is an order of elimination too; -1 where no order is known. */
jc_status jc_plan_elimination_cost(const jc_plan *plan, int64_t *cost);

void jc_elimination_fini(const jc_allocator *allocator, jc_elimination *elimination);

#endif
