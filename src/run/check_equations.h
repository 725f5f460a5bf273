/* The equations that the values of a query satisfy, formed from its subgraph and not from the steps of a plan:
 *   reverse   A_u = sum over edges w <- u of (A_w, and the identity's rows where w is a target) D
 *   forward   the same for transposed tangents, over edges u <- w, with D^T and the sources' identities
 * A value's rows are those of the targets (sources) that its node leads to, side by side in their order in the query;
 * behind them come those that are folded (plan/fold.h).
 */
#ifndef JC_RUN_CHECK_EQUATIONS_H
#define JC_RUN_CHECK_EQUATIONS_H

#include "backend/backend.h"

/* The rows of one seeded end (target or source) in a value. */
typedef struct jc_seed_rows {
    int64_t seed, row;
} jc_seed_rows;

typedef struct jc_equations {
    const jc_plan *plan; /* borrowed */
    const jc_allocator *allocator;
    bool reverse;
    int64_t n_nodes, n_ends; /* targets (reverse) or sources (forward): the first seeds */
    int64_t n_seeds;         /* and the folds of the plan after them */
    int64_t *seed_of;        /* [n_nodes] which seed a node is, or -1 */
    int64_t *seed_size;      /* [n_seeds] rows of each seed; 0 where it has no node; of a fold w */
    int64_t *start;          /* [n_nodes + 1] into edges */
    int64_t *edges;          /* [subgraph.n_edges] through which a node gets its rows */
    int64_t *value_of;       /* [n_nodes] or -1 */
    int64_t *first_seed;     /* [n_nodes] into seeds */
    int64_t *n_seeds_of;     /* [n_nodes] */
    int64_t *n_rows;         /* [n_nodes] */
    int64_t *roundings;      /* [n_nodes] of a term in the node's own equation, at most */
    int64_t *path;           /* [n_nodes] of a term since the seeds, at most: along the path that has most of them */
    int64_t *products;       /* [n_nodes] one after the other since the seeds, at most */
    jc_vec seeds;            /* jc_seed_rows */
} jc_equations;

/* JC_E_INTERNAL when the plan's values are not those of the equations. */
jc_status jc_equations_init(jc_equations *eq, const jc_plan *plan);
void jc_equations_fini(jc_equations *eq);

/* Calls visit for the products that make up rows [row, row + n) of a node's value: steps whose c_row counts from `row`
 * and that add. Stops at the first status that is not JC_OK and returns it. */
jc_status jc_equations_visit(const jc_equations *eq, int64_t node, int64_t row, int64_t n,
                             jc_status (*visit)(void *ctx, const jc_step *step), void *ctx);

/* As jc_step_roundings of a step's b, but what is only bounded by a size in select and csr is counted where it matters.
 */
jc_status jc_counted_roundings(const jc_plan *plan, int64_t b, bool identity, bool transpose, int64_t *roundings);

/* The seed that row `row` of a node's value belongs to, and which of its rows it is. */
jc_seed_rows jc_equations_seed_at(const jc_equations *eq, int64_t node, int64_t row);

/* The end that entry (row, col) of a node's value belongs to, and the row of it: of a fold, the one that the entry is
 * in. */
jc_seed_rows jc_equations_end_at(const jc_equations *eq, int64_t node, int64_t row, int64_t col);

/* The end of an edge of the subgraph that rows come from. */
static inline int64_t jc_equations_from(const jc_equations *eq, int64_t edge)
{
    return eq->reverse ? eq->plan->subgraph.of[edge] : eq->plan->subgraph.wrt[edge];
}

#endif
