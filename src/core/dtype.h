/* Element types: sizes, names, and reading one element at any alignment. */
#ifndef JC_CORE_DTYPE_H
#define JC_CORE_DTYPE_H

#include <stdbool.h>
#include <string.h>

#include "jacchain.h"

bool jc_dtype_is_float(jc_dtype dtype);
const char *jc_dtype_name(jc_dtype dtype); /* "F64", as safetensors spells it; any number is allowed */

/* What an array has that should have one axis: "3 numbers" of one axis, "2 axes" otherwise. Returns text. */
enum { JC_LENGTH_BYTES = 40 };
const char *jc_array_length_text(const jc_array *array, char text[JC_LENGTH_BYTES]);

static inline int64_t jc_dtype_bytes(jc_dtype dtype)
{
#define JC_DTYPE_BYTES(name, bytes, is_float) bytes,
    static const int64_t bytes_of[] = {JC_DTYPE_MAP(JC_DTYPE_BYTES)};
#undef JC_DTYPE_BYTES
    return bytes_of[dtype];
}

static inline float jc_float_of_bits(uint32_t bits)
{
    float v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/* BF16: the upper half of an F32. */
static inline float jc_float_of_bf16(uint16_t bits)
{
    return jc_float_of_bits((uint32_t)bits << 16);
}

/* F16 (IEEE 754 binary16): 1 bit of sign, 5 of exponent with bias 15, 10 of mantissa m. Every value is one of F32, the
 * subnormals m 2^-24 too: 2^-14 (1 + m / 2^10) - 2^-14 is exact. NaN keeps its bits. No branch, so that loops of it
 * become vectors. */
static inline float jc_float_of_f16(uint16_t bits)
{
    const uint32_t one = 1u << 23; /* of the exponent of an F32, bias 127 */
    uint32_t sign = (uint32_t)(bits & 0x8000u) << 16, rest = (uint32_t)(bits & 0x7fffu) << 13, tiny;
    float subnormal = jc_float_of_bits(rest + 113 * one) - 0x1p-14f;
    memcpy(&tiny, &subnormal, sizeof tiny);
    uint32_t normal = rest + (rest < 31 * one ? 112 * one : 224 * one); /* the last exponent: Inf and NaN */
    return jc_float_of_bits(sign | (rest < one ? tiny : normal));
}

/* Element i of an array of floating numbers (indices) at any alignment, exactly. */
static inline double jc_load_float(jc_dtype dtype, const void *data, int64_t i)
{
    if (dtype == JC_F64) {
        double v;
        memcpy(&v, (const unsigned char *)data + i * 8, 8);
        return v;
    }
    if (dtype == JC_F32) {
        float v;
        memcpy(&v, (const unsigned char *)data + i * 4, 4);
        return (double)v;
    }
    uint16_t v;
    memcpy(&v, (const unsigned char *)data + i * 2, 2);
    return (double)(dtype == JC_BF16 ? jc_float_of_bf16(v) : jc_float_of_f16(v));
}

static inline int64_t jc_load_index(jc_dtype dtype, const void *data, int64_t i)
{
    if (dtype == JC_I64) {
        int64_t v;
        memcpy(&v, (const unsigned char *)data + i * 8, 8);
        return v;
    }
    int32_t v;
    memcpy(&v, (const unsigned char *)data + i * 4, 4);
    return v;
}

#endif
