/* Products recorded on a device and replayed on another: a file of text lines, each record
 *
 *   product form vector transpose_a transpose_b tf32 in out m n k count lda ldb ldc stride_a stride_b stride_c beta
 * digest sample member i j before after      an entry C[i, j] of a member of the batch, before and after the call a x..
 * row i of op(A), k numbers b x..                                column j of op(B), k numbers
 *
 * All but form (0 plain, 1 strided, 2 pointers), flags, types and sizes are the bits of the numbers in hexadecimal:
 * beta and f64 16 digits, f32 8, bf16 4. digest: FNV-1a (64 bits) over the bytes of the members' A, B, C before, C
 * after, column by column; 0 where they are over 1 MiB. The first line is "jacchain products 1". */
#ifndef JT_RECORD_H
#define JT_RECORD_H

#include <stdint.h>

#include "backend/cuda/gpu.h"

/* A table like `api` whose blas_product writes records to the file: of each combination of form, flags, types and size
 * (powers of two) the first few, until the file is near 1 MB; products that are captured are not recorded. It waits for
 * the stream around each recorded product. One at a time. NULL: the file cannot be made. */
const jc_gpu_api *jt_record_begin(const jc_gpu_api *api, const char *path);

/* Number of records written; -1: the file is not whole. */
int64_t jt_record_end(void);

/* Products of every form, type and transposition, of small odd sizes with leading dimensions beyond them, through
 * `api`: data from the seed. 0 or the first code. */
int jt_record_suite(const jc_gpu_api *api, uint64_t seed);

typedef struct jt_replay {
    int64_t records, samples;
    int64_t wrong;     /* samples beyond the bound */
    double worst;      /* largest error in units of the bound */
    char message[400]; /* about the first that is wrong, or about a line that cannot be read */
} jt_replay;

/* Forms every record again through `api`, all but the rows and columns of the samples NaN, and compares
 *   |C - C'| <= 2 gamma (|A| |B| + |beta C|),  gamma = (k + 2) u / (1 - (k + 2) u) + rounding of tf32 operands.
 * 0: the file was read to its end; else a line was not understood or a call failed. */
int jt_record_replay(const jc_gpu_api *api, const char *path, jt_replay *replay);

#endif
