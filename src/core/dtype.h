/* Element types: sizes, names, and reading one element at any alignment. */
#ifndef JC_CORE_DTYPE_H
#define JC_CORE_DTYPE_H

#include <stdbool.h>
#include <string.h>

#include "jacchain.h"

int64_t jc_dtype_bytes(jc_dtype dtype);
bool jc_dtype_is_float(jc_dtype dtype);
const char *jc_dtype_name(jc_dtype dtype); /* "F64", as safetensors spells it; any number is allowed */

/* Element i of an F64 or F32 (I64 or I32) array at any alignment. The 16-bit floats come with their readers. */
static inline double jc_load_float(jc_dtype dtype, const void *data, int64_t i)
{
    if (dtype == JC_F64) {
        double v;
        memcpy(&v, (const unsigned char *)data + i * 8, 8);
        return v;
    }
    float v;
    memcpy(&v, (const unsigned char *)data + i * 4, 4);
    return (double)v;
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
