/* The loops over absolute values: sums of |x| |D| where the reference has sums of x D. Sweeping a plan with them gives,
 * for every entry of a total, M = the sum over all paths of the product of the absolute values on the path. */
#ifndef JC_BACKEND_ABSOLUTE_H
#define JC_BACKEND_ABSOLUTE_H

#include "backend/reference/plain.h"

/* Not in the registry. A program of it has the precision that is judged and double values; each product adds to M what
 * makes gamma M cover its underflow too. */
extern const jc_backend jc_backend_absolute;

/* Y += |X| |op(B)| for n rows, or rows row.. of |op(B)| where step->a is JC_SEED_IDENTITY; X of any sign. narrow:
 * numbers are converted to single precision before they are multiplied, and where that may underflow count as the
 * smallest normal number. An operator's |D| is not known: its columns' norms are estimated from random vectors, and
 * |x|_2 |D e_j|_2 >= (|x| |D|)_j stands for the product. */
jc_status jc_absolute_step(const jc_allocator *allocator, bool narrow, const jc_jac *jac, const jc_step *step,
                           const jc_fold *fold, int64_t row, int64_t n, const double *x, double *y, double *scratch);

#endif
