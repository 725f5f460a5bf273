/* What the host hands to the kernels: plain data, the same bytes for the C compiler and for nvcc. Everything lies in
 * device memory but jc_gpu_launch, which is copied when a kernel is launched. Sizes and offsets are 64-bit.
 *
 * A kernel forms entries of destinations C in the arena, each C row-major [rows x ld]:
 *
 *   C[r, j] (+)= sum over the terms e of a tile, in their order, of  sum_i A_e[r, i] op(B_e)[i, j]
 *
 * op(B_e) = I_batch (x) op(D) (x) I_inner: D (direction ADJOINT) or D^T (TANGENT); D is p x q. A_e is a row-major value
 * of the arena, [rows x in], in = batch * (ADJOINT: p, TANGENT: q) * inner; or, in a term that expands, the identity:
 * then rows of op(B_e) are copied. Pull: an entry of C is written by one tile of a launch only. */
#ifndef JC_KERNELS_WORK_H
#define JC_KERNELS_WORK_H

#include <stdint.h>

/* Element types of numbers in device memory; the values of jc_dtype (include/jacchain.h). */
enum { JC_GPU_F64 = 0, JC_GPU_F32 = 1, JC_GPU_BF16 = 2, JC_GPU_F16 = 3 };

/* Kinds and directions: the values of jc_kind and jc_direction. low_rank comes as two dense ones, one after the other,
 * and as itself in terms that expand only; operators do not come. */
enum {
    JC_GPU_DENSE = 0,
    JC_GPU_DIAGONAL = 1,
    JC_GPU_IDENTITY = 2,
    JC_GPU_CSR = 3,
    JC_GPU_LOW_RANK = 4,
    JC_GPU_SELECT = 5,
    JC_GPU_WEIGHT = 6,
    JC_GPU_TILE = 7,
    JC_GPU_TRACE = 8
};
enum { JC_GPU_TANGENT = 0, JC_GPU_ADJOINT = 1 };

/* What is rounded before it is multiplied: the operands of dense, weight and trace products (and so of low_rank), to
 * nearest even, to 11 (TF32) or 8 (BF16) significant bits. Sums and all else stay in the working type. */
enum { JC_GPU_FULL = 0, JC_GPU_ROUND_TF32 = 1, JC_GPU_ROUND_BF16 = 2 };

/* The Jacobians of one group, used in one direction. Element (i, l) of D of member e, block b of the batch:
 *   dense     numbers[e member_stride + b block_stride + i ld + l]
 *   diagonal  numbers[e member_stride + b block_stride + i]
 *   weight    X[a, l] = numbers[e member_stride + b block_stride + a ld + l], X is m x w; p = m h, q = h w;
 *             D[(a,i), (i',l)] = delta(i,i') X[a, l]
 *   trace     the same with a row of numbers for each output: (a,i) ld for a ld
 *   low_rank  U[i, l] = numbers[e member_stride + b block_stride + i ld + l], U is p x m; V, q x m, is likewise that of
 *             member e + index_block of the dense source number index_member
 *   dense, of one row, with `line` > 0, in terms that expand: entry (0, k), k = (b lines + i) line + l, is
 *             numbers[e member_stride + b block_stride + i ld + l]
 *   identity, select, tile have no numbers but scale
 * csr and select by what is summed into an entry of the output (ADJOINT: a column of D, TANGENT: a row):
 *   start  [n_out + 1] at e start_member + b start_block; entries [start[j], start[j+1]) of output j, counted from
 *          e index_member + b index_block: index[] the input of each, strictly increasing, place[] the position of its
 *          number in numbers (at e member_stride + b block_stride; NULL: the entry's own position)
 *   select TANGENT has no start: output j takes input index[e index_member + b index_block + j]
 * tile: D = 1_m (x) scale I_q. Index arrays are int32_t, or int64_t where `wide`. */
typedef struct jc_gpu_source {
    const void *numbers; /* at any alignment that is a multiple of the element's size */
    const void *start, *index, *place;
    const double *scales; /* [members], or NULL: all have `scale` */
    double scale;
    int64_t p, q, m, batch, inner;
    int64_t ld, block_stride, member_stride; /* in numbers; 0: shared */
    int64_t start_member, start_block, index_member, index_block;
    int32_t kind, direction, dtype, wide;
    /* fold_w > 0, in terms that meet a fold (src/plan/fold.h). Expanding: rows of the folded transpose of a weight or
     * trace, entry (a,i) of row l is X[a, l] or X[(a,i), l]. Else A has w rows, the destination h w: row i w + j takes
     * of row j of A the inputs k = i mod h; D is dense with inner 1, diagonal or identity. */
    int64_t fold_h, fold_w;
    int64_t line, lines;
} jc_gpu_source;

/* Where the identity is the window of a pass, pass->row0 is added to the `a` of a term that expands; else it is not. */
enum { JC_GPU_EXPAND_WINDOW = 1, JC_GPU_EXPAND_WHOLE = 2 };

/* One product of a destination. */
typedef struct jc_gpu_term {
    int64_t a;      /* element of the arena where A begins; expanding: row of op(B) that is row 0 of the destination */
    int64_t member; /* of the group */
    int32_t source;
    int32_t expand; /* JC_GPU_EXPAND_...: A is the identity, rows past op(B)'s last are zero; 0: A is a value */
} jc_gpu_term;

/* A piece of a destination. `from`, `to`: of a tile with one term that does not expand, the part of the sum: i in
 * [from, to) for dense (ADJOINT: of p, TANGENT: of q), a or l for weight and trace (ADJOINT: of m, TANGENT: of w), a
 * for tile ADJOINT (of m); otherwise 0, INT64_MAX: the whole sum. */
typedef struct jc_gpu_tile {
    int64_t y;           /* element of the arena of the tile's first entry */
    int64_t ld;          /* elements from a row of the destination to the next */
    int64_t row, column; /* of the tile's first entry in the destination */
    int64_t from, to;
    int64_t first_term;
    int32_t n_terms;
    int32_t rows, columns; /* of the tile */
    int32_t add;           /* to what is there; otherwise written */
} jc_gpu_tile;

/* What differs from a pass to the next. */
typedef struct jc_gpu_pass {
    int64_t row0; /* first row of the identity's window */
} jc_gpu_pass;

typedef enum jc_gpu_kernel {
    /* Any kinds and rows. An entry belongs to `lanes` neighbouring threads (1, 8 or 32), which take every lanes-th term
     * of each sum. Tiles: at most JC_GPU_ANY_ENTRIES entries. */
    JC_GPU_GATHER_ANY,
    /* One row; dense terms only, inner 1, none expands, the columns of a tile lie in one block of the batch of each
     * term. A tile belongs to `lanes` / 32 warps (lanes 32 or 256). Tiles: at most JC_GPU_ROW_COLUMNS columns. */
    JC_GPU_GATHER_ROW,
    /* As GATHER_ROW for rows > 1: a block a tile, at most JC_GPU_ROWS_ROWS x JC_GPU_ROWS_COLUMNS. */
    JC_GPU_GATHER_ROWS,
    /* A run of gathers, one after the other, by one cluster of blocks with a barrier between two (`phases`). Tiles of
     * the forms above but GATHER_ROWS; the Jacobians to come are fetched while those at hand are used. */
    JC_GPU_WALK,
    /* dst[b block + i ld + j] = src[..] in another type; `rows` x `columns`, `blocks` times. */
    JC_GPU_CONVERT,
    /* dst (+)= src, rows and columns with strides: values to the caller's memory. src NULL: zeros, or with `unit` the
     * identity. */
    JC_GPU_DELIVER,
    JC_GPU_KERNEL_COUNT
} jc_gpu_kernel;

enum {
    JC_GPU_ANY_ENTRIES = 2048,
    JC_GPU_ROW_COLUMNS = 128,
    JC_GPU_ROWS_ROWS = 32,
    JC_GPU_ROWS_COLUMNS = 64,
    JC_GPU_CLUSTER = 8 /* blocks of a walk where the device has clusters, else 1 */
};

/* A gather of a walk: tiles [first_tile, first_tile + n_tiles), in the form GATHER_ANY or GATHER_ROW. */
typedef struct jc_gpu_phase {
    int64_t first_tile;
    int32_t n_tiles;
    int16_t form, lanes;
} jc_gpu_phase;

/* Everything a kernel takes, by value. */
typedef struct jc_gpu_launch {
    int32_t kernel;
    int32_t dtype; /* the working type: of the arena; F64 or F32 */
    int32_t mode;  /* JC_GPU_FULL, ... */
    int32_t lanes;
    /* gathers and walks */
    void *arena;
    const jc_gpu_source *sources;
    const jc_gpu_term *terms;
    const jc_gpu_tile *tiles; /* of the launch; of a walk: of the program */
    const jc_gpu_phase *phases;
    const jc_gpu_pass *pass;
    int64_t n_tiles, n_phases;
    int32_t cluster; /* blocks of a walk: 1 or JC_GPU_CLUSTER */
    int32_t ring;    /* set by the launcher: bytes of a warp's ring */
    /* CONVERT and DELIVER */
    int32_t src_dtype, dst_dtype, accumulate, unit;
    const void *src;
    void *dst;
    int64_t blocks, rows, columns;
    int64_t src_block, src_row, src_column, dst_block, dst_row, dst_column; /* in elements */
} jc_gpu_launch;

#endif
