#include "core/dtype.h"

#include <stdio.h>

#define DTYPE_FLOAT(name, bytes, is_float) is_float,
#define DTYPE_NAME(name, bytes, is_float) #name,
static const bool dtype_float[] = {JC_DTYPE_MAP(DTYPE_FLOAT)};
static const char *const dtype_names[] = {JC_DTYPE_MAP(DTYPE_NAME)};

bool jc_dtype_is_float(jc_dtype dtype)
{
    return dtype_float[dtype];
}

const char *jc_dtype_name(jc_dtype dtype)
{
    return (unsigned)dtype < sizeof dtype_names / sizeof dtype_names[0] ? dtype_names[dtype] : "no element type";
}

const char *jc_array_length_text(const jc_array *array, char text[JC_LENGTH_BYTES])
{
    if (array->rank == 1)
        snprintf(text, JC_LENGTH_BYTES, "%lld numbers", (long long)array->dims[0]);
    else
        snprintf(text, JC_LENGTH_BYTES, "%d axes", array->rank);
    return text;
}
