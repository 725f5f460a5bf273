/* What each Jacobian kind is: one row of jc_kinds[] says its fields, shape rule, cost and structure.
 * To add a kind: a row here, a row in each backend's table (docs/adding-a-kind.md). */
#ifndef JC_GRAPH_KINDS_H
#define JC_GRAPH_KINDS_H

#include <stdbool.h>
#include <stddef.h>

#include "jacchain.h"

enum { JC_MAX_FIELDS = 3 };

/* The shape of a Jacobian I_batch (x) D (x) I_inner, transposed or not. D is p x q. */
typedef struct jc_shape {
    jc_kind kind;
    bool transpose;
    int64_t batch, inner;
    int64_t p, q;
    int64_t m;          /* csr: nonzeros; low_rank: rho; weight, trace: samples c; tile: c = p/q; else 0 */
    int64_t rows, cols; /* of the Jacobian: size(of) x size(wrt) */
} jc_shape;

/* One array field of all members of a group. */
typedef struct jc_field {
    const unsigned char *data; /* of member 0, at any alignment; NULL: the group has no numbers */
    jc_dtype dtype;
    bool batched;     /* its own block of numbers for each block of the batch */
    bool literal;     /* from the document's text */
    bool on_device;   /* data is an address in device memory, or NULL: bound to each run */
    bool in_arena;    /* the numbers are those of a computed value, in the working type of the program: data is NULL,
                       * member i begins 64 i bytes into the arena (stride is 64) */
    int64_t elements; /* of one member, all blocks of the batch */
    int64_t stride;   /* bytes from a member to the next; 0 for a group of one */
} jc_field;

/* E edges of one kind and shape; a single edge is a group of one. */
typedef struct jc_group {
    int64_t first_edge, n_edges;
    jc_shape shape;
    jc_field field[JC_MAX_FIELDS]; /* as jc_kinds[kind].field */
    bool has_numbers;
    double scale;
    const double *scales; /* [n_edges], owned by the graph, or NULL */
    jc_operator op;
    int64_t label_set; /* 0: none */
    int64_t ragged;    /* a run of a group whose shapes differ: the number of its first run's group; else -1 */
} jc_group;

/* One Jacobian as the loops of a backend take it. Borrows from its group. */
typedef struct jc_jac {
    const jc_group *group;
    const unsigned char *data[JC_MAX_FIELDS];
    jc_dtype dtype[JC_MAX_FIELDS];
    double scale;
} jc_jac;

/* Member `member` of a group, with its numbers at bases[] (NULL: where the group has them). */
jc_jac jc_group_member(const jc_group *group, int64_t member, const unsigned char *const *bases);

typedef struct jc_field_spec {
    const char *name; /* in documents */
    size_t offset;    /* of the jc_array in jc_jacobian */
    int rank;         /* of one block */
    bool is_index;    /* I64 or I32; else floating */
    bool may_batch;   /* may have a leading axis of length batch */
} jc_field_spec;

typedef struct jc_kind_info {
    const char *name;
    int n_fields;
    jc_field_spec field[JC_MAX_FIELDS];
    bool has_scale;
    bool may_be_ragged; /* the edges of a group may differ in shape: its fields are flat, with offsets */

    /* Checks p and q themselves where D has a rule for them (square, a multiple), and batch and inner where it has
     * none; sets m where it follows from p and q. NULL: any shape. */
    jc_status (*check_shape)(jc_shape *shape);

    /* Checks the dims of one member's one block of each field (dims[field][axis]) against shape->p, q, and sets m.
     * NULL: no fields. The message has the part, the caller adds edge and member (so in check_indices). */
    jc_status (*check_dims)(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2]);

    /* Checks the indices of one member, all blocks. NULL: no indices. */
    jc_status (*check_indices)(const jc_jac *jac);

    /* Multiply-adds of D applied to one column (tangent) or row (adjoint). Times batch x inner elsewhere. */
    int64_t (*cost)(const jc_group *group, double scale, jc_direction direction);

    /* Upper bound of the products summed into one entry of y = D x (tangent) or D^T x (adjoint); jc_group_terms. */
    int64_t (*terms)(const jc_shape *shape, jc_direction direction);
} jc_kind_info;

extern const jc_kind_info jc_kinds[JC_KIND_COUNT];

/* The kind of that name in documents, or JC_KIND_COUNT. */
jc_kind jc_kind_find(const char *name);

/* The group's array field of that name, or -1. */
int jc_kind_field(jc_kind kind, const char *name);

/* ragged.c: the offsets of a field in a group whose shapes differ, or NULL: no kind that has it may be such. */
jc_array *jc_jacobian_offsets(jc_jacobian *jacobian, const jc_field_spec *spec);

/* Its array fields are not given: all that is known of D is p x q, and shape.m is 0. */
bool jc_group_only_structure(const jc_group *group);

/* Multiply-adds of the whole Jacobian of member `member` applied to one column (row): saturates at INT64_MAX. A
 * Jacobian whose array fields are not given counts as a dense D. */
int64_t jc_group_cost(const jc_group *group, int64_t member, jc_direction direction);

/* Bytes of numbers and indices that one application of one member reads; without numbers: of a dense D in double. */
int64_t jc_group_member_bytes(const jc_group *group);

/* The n of gamma_n = n u / (1 - n u) for one entry of the Jacobian applied to one column (row): an entry that is a sum
 * of n products, added in any order, has error at most gamma_n times the sum of the products' absolute values (Higham,
 * Accuracy and Stability of Numerical Algorithms, 2nd ed., 2002, sec. 3.1). Batch and inner do not change n. low_rank
 * has two stages, y = U (V^T x), whose n add up; its absolute values are |U| |V|^T |x|. Products of several edges into
 * one entry add their n. An operator's own sums are not known: counted as dense. */
int64_t jc_group_terms(const jc_group *group, jc_direction direction);

/* The direction in which the underlying D is applied when the Jacobian is applied in `direction`. */
static inline jc_direction jc_shape_direction(const jc_shape *shape, jc_direction direction)
{
    return shape->transpose ? (direction == JC_TANGENT ? JC_ADJOINT : JC_TANGENT) : direction;
}

#endif
