#include "support/floats.h"

#include <math.h>
#include <string.h>

/* Bits of the fraction and the least exponent of a normal number; of a float, of a double none is asked for. */
typedef struct format {
    int fraction, least, most;
} format;

static const format f32 = {23, -126, 127}, bf16 = {7, -126, 127}, f16 = {10, -14, 15};

int jt_float_bytes(jc_dtype dtype)
{
    return dtype == JC_F64 ? 8 : dtype == JC_F32 ? 4 : 2;
}

/* |x| = units 2^(exponent - fraction), units an integer below 2^(fraction + 1); subnormals have the least exponent. */
static double units_of(double x, const format *f, int *exponent)
{
    *exponent = x == 0 ? f->least : ilogb(x);
    if (*exponent < f->least) *exponent = f->least;
    double units = nearbyint(ldexp(fabs(x), f->fraction - *exponent));
    if (units == ldexp(2, f->fraction)) units /= 2, ++*exponent;
    return units;
}

static double rounded(double x, const format *f)
{
    int exponent;
    if (!isfinite(x)) return x;
    double units = units_of(x, f, &exponent);
    return copysign(exponent > f->most ? INFINITY : ldexp(units, exponent - f->fraction), x);
}

double jt_float_round(double x, jc_dtype dtype)
{
    return dtype == JC_F64 ? x : rounded(x, dtype == JC_F32 ? &f32 : dtype == JC_BF16 ? &bf16 : &f16);
}

/* The bits of a number of the format that is not NaN or infinite follow each other as the numbers do. */
static uint16_t bits_16(double x, const format *f)
{
    int exponent, width = 15 - f->fraction;
    unsigned sign = signbit(x) ? 0x8000 : 0, last = ((1u << width) - 1) << f->fraction;
    x = rounded(x, f);
    if (isnan(x)) return (uint16_t)(sign | last | 1u << (f->fraction - 1));
    if (isinf(x)) return (uint16_t)(sign | last);
    unsigned units = (unsigned)units_of(x, f, &exponent);
    return (uint16_t)(sign | (((unsigned)(exponent - f->least) << f->fraction) + units));
}

void jt_float_put(void *array, int64_t i, jc_dtype dtype, double x)
{
    unsigned char *at = (unsigned char *)array + i * jt_float_bytes(dtype);
    float narrow = (float)x;
    uint16_t half = dtype == JC_BF16 ? bits_16(x, &bf16) : bits_16(x, &f16);
    const void *bytes = dtype == JC_F64 ? (const void *)&x : dtype == JC_F32 ? (const void *)&narrow : &half;
    memcpy(at, bytes, (size_t)jt_float_bytes(dtype));
}

double jt_float_of_f16(unsigned bits)
{
    int exponent = (int)(bits >> 10 & 31), fraction = (int)(bits & 1023);
    double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == 31) return fraction ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + fraction, exponent - 25) : ldexp(fraction, -24));
}
