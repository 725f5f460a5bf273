/* The host backend: a plan lowered to one compact record per step, run by threads that pull. How it flows:
 *
 *   lower.c      steps -> ops (order of the plan; `weight` steps into one destination drawn together)
 *   partition.c  levels -> phases: what each thread does between two barriers, by predicted time
 *   execute.c    arena, scratch, threads; walks the ops of a phase
 *   kinds.c      one row per kind: where its destination may be cut, what it reads and names
 *   unit.inc     one row per kind: its loops. Compiled for each working type and instruction set (<isa>_<type>.c)
 *
 * Sums: every destination is written by one thread at a time, its steps in the order of the ops. Inside one product the
 * order of a sum depends on the instruction set, the shape, the cut among threads and the numbers of the edges, never
 * on time. */
#ifndef JC_BACKEND_CPU_INTERNAL_H
#define JC_BACKEND_CPU_INTERNAL_H

#include "backend/backend.h"

enum { JC_CPU_LINE = 64 }; /* bytes of a cache line */

/* One step as it is run: 56 bytes. */
typedef struct jc_cpu_op {
    int64_t x;      /* bytes into the arena of the first row of A; for the identity: the first row of op(B) */
    int64_t y;      /* bytes into the arena of the first row written */
    int64_t group;  /* its number: jc_plan_group_number */
    int64_t member; /* of the group: jc_program_jacobian */
    int64_t n_rows;
    uint8_t identity; /* A is the identity */
    uint8_t transpose;
    uint8_t first;   /* writes; otherwise adds */
    uint8_t fixed;   /* 1 + index of a loop of fixed size for one row; 0: none */
    uint8_t blas;    /* its products of matrices go to BLAS */
    uint8_t down;    /* fixed: the next product's D lies below this one, so its rows are taken from the last */
    int32_t fold;    /* as jc_step.fold */
    uint8_t whole;   /* as jc_step.whole */
    uint8_t chained; /* one of several rank updates of one weight formed together; 2: the last of them */
} jc_cpu_op;

/* A product as the loops take it: Y[n x .] (+)= X[n x .] op(B), columns [c0, c1) of Y. */
typedef struct jc_cpu_call {
    const jc_shape *shape;
    jc_direction direction; /* of the underlying D */
    bool batched[JC_MAX_FIELDS];
    jc_jac jac;
    int64_t n;
    const void *x; /* NULL: rows x_row.. of op(B) are copied */
    int64_t x_row;
    int64_t ldx; /* elements; the rows of op(B) */
    void *y;
    int64_t ldy; /* elements; the columns of op(B) */
    int64_t c0, c1;
    bool first;
    const jc_fold *fold; /* of the step, or NULL */
    int64_t skip;        /* leaving a fold: the first rows of the product that are left out */
    bool blas;           /* products of matrices go to BLAS; sizes and leading dimensions fit its integers */
    void *scratch;       /* this thread's, of the bytes that jc_cpu_scratch_bytes says */
    int64_t panel;       /* elements of a panel of converted numbers, at the start of scratch */
    int64_t spare;       /* elements behind the panel */
} jc_cpu_call;

/* 0, or what an operator returned. */
typedef int jc_cpu_routine(const jc_cpu_call *call);

/* One row of A times a square dense D of a size known to the compiler; data at any alignment. */
typedef void jc_cpu_fixed_routine(const void *x, const void *d, void *y, bool add);

typedef struct jc_cpu_fixed {
    int64_t size;
    const char *routine;            /* static text */
    jc_cpu_fixed_routine *apply[3]; /* by direction of D; 2: adjoint from the last row to the first */
} jc_cpu_fixed;

enum { JC_CPU_FIXED_COUNT = 6 };

/* The loops of one working type and instruction set. */
typedef struct jc_cpu_unit {
    const char *isa;                                       /* static text */
    const char *loops, *gemm, *packed_loops, *packed_gemm; /* names of routines; static text */
    jc_cpu_fixed fixed[JC_CPU_FIXED_COUNT];
    struct {
        jc_cpu_routine *apply[2];  /* by direction of D */
        jc_cpu_routine *expand[2]; /* rows of op(B) themselves */
    } kind[JC_KIND_COUNT];
    jc_cpu_routine *fold, *unfold; /* rows of a folded weight; the rows of a fold times op(B): kind_fold.inc */
    /* The rank updates of one weight drawn together: chain.c. */
    void (*weight_pack)(const jc_cpu_call *call, int64_t l, int64_t a, int64_t n, int64_t i0, int64_t i1,
                        void *adjoints, void *samples);
    void (*weight_multiply)(bool blas, int64_t n, int64_t rows, int64_t w, const void *adjoints, const void *samples,
                            void *y, bool add);
} jc_cpu_unit;

extern const jc_cpu_unit jc_cpu_base_f32, jc_cpu_base_f64;
extern const jc_cpu_unit jc_cpu_avx2_f32, jc_cpu_avx2_f64;
extern const jc_cpu_unit jc_cpu_avx512_f32, jc_cpu_avx512_f64;

/* isa.c: the units this machine can run, widest first; NULL past the last. */
const jc_cpu_unit *jc_cpu_unit_at(jc_dtype dtype, int index);

#endif
