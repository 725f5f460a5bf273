/* What it costs to eliminate one node v: for every pair (v,u) into it and (t,v) out of it
 *
 *     D[t,u] += D[t,v] D[v,u]        D[t,v] is m x k, D[v,u] is k x n
 *
 * One factor is applied, the other is read as a matrix: the right one is applied to the m rows of the left one
 * (adjoint), or the left one to the n columns of the right one (tangent). The edges of an applied factor are applied
 * one by one, or their sum as a dense matrix (k n for a row) where that is cheaper. The matrix of an operator must be
 * formed first, once; that of any other kind is there, and sums are not counted (SPEC "Cost").
 *
 * Where structures are known, the product is formed in that of D[t,v] D[v,u]: m (n) becomes the rows of its ROWS
 * (COLUMNS) form, and a sparse or diagonal product costs its pairs of entries that meet, or nothing where the applied
 * factor costs nothing: structure.h. */
#ifndef JC_PLAN_ELIMINATION_VERTEX_H
#define JC_PLAN_ELIMINATION_VERTEX_H

#include "plan/elimination/structure.h"

/* D[t,v] (left) or D[v,u] (right). The rule is the same for both, with left and right swapped. */
typedef struct jc_factor {
    int64_t size;    /* m or n: applications of the other one where this one is the matrix */
    int64_t apply;   /* multiply-adds of applying this one once */
    int64_t dense;   /* the same as a matrix in its structure: its entries */
    int64_t convert; /* of forming its matrix */
    bool matrix;     /* out: its matrix is formed */
    int32_t structure;
} jc_factor;

typedef struct jc_factors {
    jc_factor *left, *right; /* [n_left], [n_right] */
    int64_t n_left, n_right;
    jc_structures *structures; /* NULL: dense matrices */
    jc_status status;          /* out, of looking structures up */
} jc_factors;

/* FREE: the cheapest that is found. ADJOINT, TANGENT: always the same factor is applied, edge by edge, as the reverse
 * (forward) sweep does. */
typedef enum jc_products { JC_PRODUCTS_FREE, JC_PRODUCTS_ADJOINT, JC_PRODUCTS_TANGENT } jc_products;

/* Cost of all products, saturating; sets `matrix`. Without operators the least there is; with them the least of four
 * ways: all left ones matrices, all right ones, all, and pair by pair what is cheaper with what is formed already.
 * O(n_left n_right). */
int64_t jc_factors_cost(jc_factors *f, jc_products products);

/* Multiply-adds of left i times right j with the right one (adjoint) or the left one applied, once costing `apply`. */
int64_t jc_factors_apply(jc_factors *f, int64_t i, int64_t j, bool adjoint, int64_t apply);

/* Whether the product of left i and right j applies the right one; both are as jc_factors_cost left them. cost: its
 * multiply-adds. */
bool jc_factors_adjoint(jc_factors *f, int64_t i, int64_t j, jc_products products, int64_t *cost);

#endif
