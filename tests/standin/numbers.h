/* Operands of products as the records see them: where their numbers lie. */
#ifndef JT_NUMBERS_H
#define JT_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

#include "backend/cuda/gpu.h"

enum { JT_A, JT_B, JT_C };

/* An operand as it is stored: column-major, rows x columns. */
typedef struct jt_operand {
    int type;
    size_t bytes; /* of a number */
    int64_t rows, columns, ld, stride;
    int64_t extent; /* numbers from the first to behind the last of a member */
} jt_operand;

jt_operand jt_operand_of(const jc_gpu_product *p, int which);

/* A row of op(A), a column of op(B) or an entry of C: number l lies at first + l step, in numbers from the member's
 * first. */
typedef struct jt_line {
    int64_t first, step, n;
} jt_line;

jt_line jt_line_of(const jc_gpu_product *p, int which, int64_t i, int64_t j);

int jt_hex_digits(int type);
uint64_t jt_bits_at(const void *array, int64_t i, int type);
void jt_bits_put(void *array, int64_t i, int type, uint64_t bits);
double jt_number(uint64_t bits, int type);

/* The next number of elements whose bytes are a multiple of 16 in every type: what tensor cores ask of the members of a
 * call with pointer arrays. */
static inline int64_t jt_aligned(int64_t elements)
{
    return (elements + 7) / 8 * 8;
}

#endif
