/* Matrix Market files: a matrix as text.
 *
 *   %%MatrixMarket matrix coordinate real general
 *   % comments
 *   3 4 2              rows, columns, entries
 *   1 1 0.5            row, column (from 1), number
 *   3 2 -1e3
 *
 * Layout coordinate or array (all numbers, column by column, and no count in the size line); numbers real, integer or
 * pattern (no numbers: all are 1; coordinate only); general, symmetric or skew-symmetric (the lower triangle is given,
 * the diagonal too unless skew). Blank lines, comments and CRLF are read anywhere behind the first line. Refused: an
 * entry that stands twice, numbers that overflow a double, NaN and infinity.
 *
 * Source: Boisvert, Pozo, Remington, "The Matrix Market Exchange Formats: Initial Design", NISTIR 5935, 1996. */
#ifndef JC_IO_MATRIX_MARKET_H
#define JC_IO_MATRIX_MARKET_H

#include <stdbool.h>

#include "core/alloc.h"
#include "jacchain.h"

typedef enum jc_mm_numbers { JC_MM_REAL, JC_MM_INTEGER, JC_MM_PATTERN } jc_mm_numbers;
typedef enum jc_mm_symmetry { JC_MM_GENERAL, JC_MM_SYMMETRIC, JC_MM_SKEW } jc_mm_symmetry;

/* The first line and the size line. */
typedef struct jc_mm_header {
    bool is_array;
    jc_mm_numbers numbers;
    jc_mm_symmetry symmetry;
    int64_t rows, cols;
    int64_t entries; /* that the file lists */
    int64_t end;     /* the first byte behind the size line */
    int64_t line;    /* number of the size line, from 1 */
} jc_mm_header;

/* The matrix as the arrays of a csr Jacobian, columns increasing in a row. */
typedef struct jc_mm_matrix {
    int64_t rows, cols, nnz;
    int64_t *indptr, *indices; /* [rows + 1], [nnz] owned */
    double *values;            /* [nnz] owned */
} jc_mm_matrix;

/* Reads the header of a whole file [bytes], which must be long enough for its entries. JC_E_INPUT "line 2: ...",
 * without the file's name. */
jc_status jc_mm_read_header(const void *text, int64_t bytes, jc_mm_header *header);

/* Reads the entries behind a header that was read from the same text, in time linear in the text, the rows and the
 * columns. The memory needed is that of rows, columns and entries: hold rows and columns against what is expected
 * first. */
jc_status jc_mm_read_matrix(const jc_allocator *allocator, const void *text, int64_t bytes, const jc_mm_header *header,
                            jc_mm_matrix *matrix);
void jc_mm_matrix_fini(const jc_allocator *allocator, jc_mm_matrix *matrix);

#endif
