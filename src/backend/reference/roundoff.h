/* What rounding does to sums of products: docs/numerics.md. */
#ifndef JC_BACKEND_ROUNDOFF_H
#define JC_BACKEND_ROUNDOFF_H

#include "graph/kinds.h"

/* Of a precision: unit roundoff of sums and of stored values, of the operands of products where those are rounded once
 * more (0: they are not), and the smallest subnormal of the stored type. */
typedef struct jc_roundoff {
    double sum, operand, subnormal;
} jc_roundoff;

jc_roundoff jc_roundoff_of(jc_precision precision);

/* gamma_n = n u / (1 - n u), Inf where n u >= 1. Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed.,
 * ch. 3. */
double jc_gamma(double n, double u);

/* The relative error of a product of 1 + delta's: n roundings of sums in `products` products one after the other. */
double jc_roundoff_bound(const jc_roundoff *roundoff, double n, double products);

/* Roundings of sums and products in one entry of a step's result, at most: of x op(B), or of op(B) itself for a copy.
 */
int64_t jc_step_roundings(const jc_group *group, bool identity, bool transpose);

/* Conversions, a scale and its product, the store: roundings of a term beside those of jc_step_roundings. */
enum { JC_TERM_ROUNDINGS = 4 };

/* How much an absolute error of one product of a step grows before it is in the result: low_rank multiplies its inner
 * vector by its outer factor. At least 1. */
double jc_step_growth(const jc_jac *jac, bool transpose);

#endif
