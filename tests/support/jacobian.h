/* A Jacobian of any kind with its numbers in plain arrays, what it is as a dense matrix (from the table of kinds in
 * docs/file-format.md, by its own loops), and what the public interface takes for it. Shares nothing with src/. */
#ifndef JT_JACOBIAN_H
#define JT_JACOBIAN_H

#include <stdbool.h>

#include "jacchain.h"
#include "support/pool.h"

/* Where the numbers come from. */
typedef enum jt_numbers {
    JT_SMALL,  /* integers -2 .. 2, scales -3 .. 3: products stay exact in f32 */
    JT_WIDE,   /* integers -1000 .. 1000: for arithmetic modulo a prime */
    JT_REAL,   /* reals in [-1, 1) */
    JT_SPARSE, /* integers -1 .. 1, mostly 0 */
} jt_numbers;

/* One array field: of each member and each block of the batch, or of each member. */
typedef struct jt_field {
    int64_t block;  /* elements of one block; 0: the kind has no such field */
    bool batched;   /* its own numbers for each block of the batch */
    double *number; /* [members * (batched ? batch : 1) * block], or */
    int64_t *index; /* the same for indices */
    jc_dtype dtype; /* of numbers, as they are handed out */
} jt_field;

typedef struct jt_jacobian {
    jc_kind kind;
    bool transpose;
    int64_t batch, inner, p, q;
    int64_t m; /* csr: nonzeros of a block; low_rank: rho; weight, trace: samples c */
    int64_t members;
    double *scales;   /* [members] */
    jc_dtype integer; /* I64 or I32 */
    int misalign;     /* bytes by which the arrays handed out are off */
    jt_field values, indptr, indices, u, v, x;
} jt_jacobian;

typedef struct jt_shape {
    jc_kind kind;
    bool transpose;
    int64_t batch, inner, p, q, m;
    bool batched; /* fields that may have their own numbers per block do */
    bool mixed;   /* low_rank: V of any floating type, whatever U is */
    int64_t members;
} jt_shape;

/* A Jacobian with random numbers of the type `real`; floating ones from number_rng, patterns and scales from rng. m:
 * for csr ignored (the pattern is random), low_rank the rank, weight and trace the samples. */
jt_jacobian jt_jacobian_random(jt_pool *pool, jt_rng *rng, jt_rng *number_rng, const jt_shape *shape,
                               jt_numbers numbers, jc_dtype real, jc_dtype integer, int misalign);

int64_t jt_jacobian_rows(const jt_jacobian *jac);
int64_t jt_jacobian_cols(const jt_jacobian *jac);

/* The member as a dense matrix, rows x cols, row-major. absolute: from the absolute values of all its numbers, which
 * for low_rank is |U| |V|^T. */
double *jt_jacobian_dense(jt_pool *pool, const jt_jacobian *jac, int64_t member, bool absolute);

/* 1 where the Jacobian has an entry by its structure, whatever its number; else 0. */
double *jt_jacobian_structure(jt_pool *pool, const jt_jacobian *jac, int64_t member);

/* The field that holds the numbers (u for low_rank), or NULL. */
jt_field *jt_jacobian_numbers(jt_jacobian *jac);

/* What jc_graph_add_edges takes for all members (group) or jc_graph_add_edge for the only one. The arrays are made in
 * the pool, with the dtype and alignment asked for. An operator's callbacks multiply with its dense matrix. */
jc_jacobian jt_jacobian_public(jt_pool *pool, const jt_jacobian *jac, bool group);

/* Multiply-adds of the member applied to one column (tangent) or row (adjoint): docs/numerics.md's table of costs. */
int64_t jt_jacobian_cost(const jt_jacobian *jac, int64_t member, jc_direction direction);

/* The largest number of products summed into an entry on the way through the Jacobian. */
int64_t jt_jacobian_terms(const jt_jacobian *jac);

#endif
