#include "standin/numbers.h"

#include <string.h>

static size_t bytes_of(int type)
{
    return type == JC_GPU_F64 ? 8 : type == JC_GPU_F32 ? 4 : 2;
}

jt_operand jt_operand_of(const jc_gpu_product *p, int which)
{
    jt_operand o = {.type = which == JT_C ? p->out : p->in};
    if (which == JT_A) o.rows = p->transpose_a ? p->k : p->m, o.columns = p->transpose_a ? p->m : p->k, o.ld = p->lda;
    if (which == JT_B) o.rows = p->transpose_b ? p->n : p->k, o.columns = p->transpose_b ? p->k : p->n, o.ld = p->ldb;
    if (which == JT_C) o.rows = p->m, o.columns = p->n, o.ld = p->vector ? p->m : p->ldc;
    o.stride = which == JT_A ? p->stride_a : which == JT_B ? p->stride_b : p->stride_c;
    o.bytes = bytes_of(o.type);
    o.extent = o.rows && o.columns ? o.ld * (o.columns - 1) + o.rows : 0;
    if (p->form == JC_GPU_PLAIN) o.stride = 0;
    return o;
}

jt_line jt_line_of(const jc_gpu_product *p, int which, int64_t i, int64_t j)
{
    if (which == JT_A) return p->transpose_a ? (jt_line){i * p->lda, 1, p->k} : (jt_line){i, p->lda, p->k};
    if (which == JT_B) return p->transpose_b ? (jt_line){j, p->ldb, p->k} : (jt_line){j * p->ldb, 1, p->k};
    return (jt_line){i + j * (p->vector ? p->m : p->ldc), 1, 1};
}

int jt_hex_digits(int type)
{
    return (int)bytes_of(type) * 2;
}

uint64_t jt_bits_at(const void *array, int64_t i, int type)
{
    uint64_t wide;
    uint32_t single;
    uint16_t half;
    const unsigned char *at = (const unsigned char *)array + (size_t)i * bytes_of(type);
    if (type == JC_GPU_F64) return memcpy(&wide, at, 8), wide;
    if (type == JC_GPU_F32) return memcpy(&single, at, 4), single;
    return memcpy(&half, at, 2), half;
}

void jt_bits_put(void *array, int64_t i, int type, uint64_t bits)
{
    uint32_t single = (uint32_t)bits;
    uint16_t half = (uint16_t)bits;
    unsigned char *at = (unsigned char *)array + (size_t)i * bytes_of(type);
    if (type == JC_GPU_F64)
        memcpy(at, &bits, 8);
    else if (type == JC_GPU_F32)
        memcpy(at, &single, 4);
    else
        memcpy(at, &half, 2);
}

double jt_number(uint64_t bits, int type)
{
    double wide;
    float single;
    uint32_t as_single = (uint32_t)(type == JC_GPU_F32 ? bits : bits << 16);
    if (type == JC_GPU_F64) return memcpy(&wide, &bits, 8), wide;
    return memcpy(&single, &as_single, 4), (double)single;
}
