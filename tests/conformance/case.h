/* One Jacobian between two variables, asked for in every way: vjp, jvp and total, in both orders, on every backend. */
#ifndef JT_CASE_H
#define JT_CASE_H

#include "support/compute.h"
#include "support/jacobian.h"

/* A number that is not finite, in the seed or among the Jacobian's numbers. */
typedef enum jt_poison { JT_CLEAN, JT_NAN_SEED, JT_INF_SEED, JT_NAN_NUMBER, JT_INF_NUMBER } jt_poison;

typedef struct jt_case {
    jt_shape shape;
    jt_numbers numbers;
    int64_t k;        /* rows (columns) of the seed */
    int64_t parallel; /* edges between the two variables, at least 1: the sum of the Jacobians */
    jc_dtype real;
    int misalign;
    uint64_t seed;
    int64_t exact_work; /* multiply-adds up to which the exact backend takes part */
    bool no_totals;     /* only products */
    jt_poison poison;
} jt_case;

/* Integer numbers must come out bit for bit, real ones within their rounding bound. Returns how many results it looked
 * at. */
int64_t jt_case_check(const jt_case *c);

/* "dense 3 x 4, transposed, batch 3, inner 2, k 7"; static to the thread until the next call. */
const char *jt_case_text(const jt_case *c);

#endif
