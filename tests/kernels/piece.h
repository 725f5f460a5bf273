/* Random work for one launch of a gather, and what must come of it by plain loops over dense matrices: shares nothing
 * with the kernels. */
#ifndef JT_PIECE_H
#define JT_PIECE_H

#include "kernels/memory.h"
#include "support/jacobian.h"

typedef struct jt_piece_kind {
    int kernel;    /* GATHER_ANY, GATHER_ROW or GATHER_ROWS: which tiles are made */
    int kind;      /* of the Jacobians, or -1: mixed */
    int dtype;     /* of the arena */
    int mode;      /* what products round */
    int number;    /* type of the numbers, or -1: mixed */
    bool integers; /* small ones: sums are exact */
    bool expand;   /* some terms expand */
    bool split;    /* tiles have parts of sums */
    bool bad;      /* one input is NaN */
    int64_t size;  /* about, of a destination */
    int64_t terms; /* at most, of a destination */
} jt_piece_kind;

/* Destinations lie in the arena; `expected` and `bound` are as long as the arena: entries that no tile has keep their
 * bits, those of tiles are within `bound` (0: the same bits) or NaN where expected is. */
typedef struct jt_piece {
    jt_memory memory;
    jc_gpu_launch launch;
    int64_t elements; /* of the arena */
    double *before, *expected, *bound;
    bool *written;
    int64_t n_tiles;
} jt_piece;

/* Made in the pool. */
jt_piece jt_piece_random(jt_pool *pool, jt_rng *rng, const jt_piece_kind *kind);

/* Puts `before` into the arena. */
void jt_piece_reset(jt_piece *piece);

/* The first element that is not as expected, or -1. */
int64_t jt_piece_check(const jt_piece *piece);

double jt_element(const void *array, int dtype, int64_t i);
void jt_set_element(void *array, int dtype, int64_t i, double x);
size_t jt_number_bytes(int dtype);
/* x to the nearest number of `bits` significant bits, of two the one with an even last bit; exponents as in f32 but for
 * f16. */
double jt_round_bits(double x, int bits);

#endif
