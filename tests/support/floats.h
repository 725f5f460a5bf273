/* Numbers of the four floating types, rounded and written by arithmetic on doubles. Shares nothing with src/. */
#ifndef JT_FLOATS_H
#define JT_FLOATS_H

#include "jacchain.h"
#include "support/pool.h"

/* Bytes of a number. */
int jt_float_bytes(jc_dtype dtype);

/* x to nearest even among the numbers of the type; beyond the largest: infinity. */
double jt_float_round(double x, jc_dtype dtype);

/* Writes x, rounded so, as element i of an array at any alignment. */
void jt_float_put(void *array, int64_t i, jc_dtype dtype, double x);

/* The value of the 16 bits of an F16 by the definition of the format: sign, exponent, fraction. */
double jt_float_of_f16(unsigned bits);

/* The type of floating numbers with that number, 0 .. 3. */
static inline jc_dtype jt_float_type(int64_t number)
{
    static const jc_dtype types[] = {JC_F64, JC_F32, JC_BF16, JC_F16};
    return types[number & 3];
}

/* One of them, F64 and F32 most often: what is made for two equal types (batches) needs them to meet. */
static inline jc_dtype jt_float_often(jt_rng *rng)
{
    int64_t number = jt_below(rng, 8);
    return jt_float_type(number < 6 ? number % 2 : number - 4);
}

#endif
