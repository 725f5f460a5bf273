/* What lowering and partition need to know of a kind; kinds.c has a row for each. */
#ifndef JC_BACKEND_CPU_RULES_H
#define JC_BACKEND_CPU_RULES_H

#include "backend/cpu/internal.h"

/* One product, before there are numbers: Y[n x N] (+)= X[n x M] op(B). */
typedef struct jc_cpu_product {
    const jc_group *group;
    jc_direction direction; /* of the underlying D */
    int64_t n;
    int64_t in, out; /* M, N */
    bool identity;   /* X is rows of the identity */
} jc_cpu_product;

/* The product of an op; `graph` and `extra` are those of the plan. */
jc_cpu_product jc_cpu_product_of(const jc_plan *plan, const jc_cpu_op *op);

/* Columns of Y may be cut at multiples of this; 0: not at all. */
int64_t jc_cpu_grain(const jc_cpu_product *product);

/* Whether its products of matrices are large enough for BLAS and fit BLAS's integers. */
bool jc_cpu_use_blas(const jc_cpu_product *product);

/* Elements of the panel for converted numbers, and of the room behind it. */
int64_t jc_cpu_panel(const jc_cpu_product *product);
int64_t jc_cpu_spare(const jc_cpu_product *product);

/* Whether the rank updates of two steps into the same rows can be formed by one product, and of few enough samples
 * each. */
bool jc_cpu_can_chain(const jc_cpu_product *a, const jc_cpu_product *b);

/* Elements that packing a chain of `samples` together takes, and the samples of one. */
int64_t jc_cpu_chain_spare(const jc_cpu_product *product, int64_t samples);

/* The loop that an op runs; static text. */
const char *jc_cpu_routine_name(const jc_cpu_unit *unit, const jc_cpu_product *product, const jc_cpu_op *op,
                                double scale);

#endif
