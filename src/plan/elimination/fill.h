/* The graph while its nodes are eliminated: pairs vanish with their node and come by fill-in. For graphs of any size.
 */
#ifndef JC_PLAN_ELIMINATION_FILL_H
#define JC_PLAN_ELIMINATION_FILL_H

#include "graph/table.h"
#include "plan/elimination/pairs.h"
#include "plan/elimination/vertex.h"

enum { JC_NO_PAIR = -1 };

typedef struct jc_fill_pair {
    int64_t of, wrt;
    int64_t given;                  /* the pair of jc_pairs, or JC_NO_PAIR: all of it is fill-in */
    int64_t value;                  /* that holds its matrix, without operators that are not converted; -1: none */
    bool filled;                    /* products were added */
    int32_t structure;              /* of all of it; 0 without a table */
    bool converted;                 /* the matrices of its operators are in the value */
    int64_t next_in, previous_in;   /* pairs of the same `of` */
    int64_t next_out, previous_out; /* of the same `wrt` */
} jc_fill_pair;

typedef struct jc_fill {
    const jc_pairs *pairs;     /* borrowed */
    jc_structures *structures; /* borrowed from the pairs; NULL: dense matrices */
    jc_vec at;                 /* jc_fill_pair */
    jc_table find;
    int64_t *first_in, *first_out; /* [n_nodes], JC_NO_PAIR: none */
    int64_t *n_in, *n_out;         /* [n_nodes] */
    jc_vec left, right;            /* jc_factor of the node that was last looked at */
    jc_vec left_at, right_at;      /* int64_t: their pairs */
} jc_fill;

/* O(nodes + pairs). */
jc_status jc_fill_init(jc_fill *fill, const jc_pairs *pairs);
void jc_fill_fini(jc_fill *fill);

static inline jc_fill_pair *jc_fill_at(const jc_fill *fill, int64_t pair)
{
    return (jc_fill_pair *)fill->at.data + pair;
}

/* The pair between two nodes, or JC_NO_PAIR. */
int64_t jc_fill_find(const jc_fill *fill, int64_t of, int64_t wrt);

/* *pair = the pair between two nodes, made where it is not there. Moves what jc_fill_at pointed to. */
jc_status jc_fill_get(jc_fill *fill, int64_t of, int64_t wrt, int64_t *pair);

/* Adds the product of two pairs to the pair between their far ends, which is made where it is not there. *product: its
 * structure. Moves what jc_fill_at pointed to. */
jc_status jc_fill_add_product(jc_fill *fill, int64_t left, int64_t right, int64_t *pair, int32_t *product);

/* Entries that hold a pair, as its structure is now. */
int64_t jc_fill_held(const jc_fill *fill, int64_t pair);

/* The factors of a node: its pairs in fill->left_at (out of it), right_at (into it) and what they cost. */
jc_status jc_fill_factors(jc_fill *fill, int64_t node, jc_products products, jc_factors *factors);

/* Takes the pairs of a node that was eliminated away. A target keeps those into it, a source those out of it, as if it
 * were copied to leaves of their own. */
void jc_fill_remove(jc_fill *fill, int64_t node);

/* Marks the operators between sources and targets, whose matrices any order needs, as converted; what that costs. */
int64_t jc_fill_convert_results(jc_fill *fill);

#endif
