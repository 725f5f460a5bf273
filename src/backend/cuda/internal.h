/* The device backend: a plan lowered to a list of operations on one block of device memory. How it flows:
 *
 *   choice.c    the crossovers: which routine forms a product
 *   operand.c   the Jacobians a plan uses, each in the direction of its use
 *   lower.c     levels -> segments of destinations -> terms by routine
 *   tiles.c     a segment's gathers cut into tiles, long sums into parts
 *   product.c   a dense or weight product as a call of cuBLAS; equal ones of a level as one batched call
 *   narrow.c    runs of small gathers become one walk
 *   dead.c      what is no longer read after an operation
 *   memory.c    where everything lies in the block; exact bytes
 *   numbers.c   what is copied to the device, each tensor once
 *   indices.c   csr and select by what is summed into an entry
 *   tables.c    the tables of a run: sources, pointers; new addresses
 *   upload.c    host to device through pinned staging
 *   issue.c     the operations into a stream
 *   run.c       open, capture, execute, read
 *
 * Sums: an entry of a destination is written by one tile or one call at a time, in the order of the operations: gathers
 * of dense terms, gathers of the others, parts, cuBLAS, operators; inside one in the order of the terms. All of it is
 * fixed when the program is made, so that the same bits come out every time. */
#ifndef JC_BACKEND_CUDA_INTERNAL_H
#define JC_BACKEND_CUDA_INTERNAL_H

#include "backend/cuda/cuda.h"
#include "core/dtype.h"
#include "jacchain_cuda.h"

enum { JC_CUDA_ALIGN = 256, JC_CUDA_NO_FIELD = -1, JC_CUDA_BOTH = 2 };

#define JC_CUDA_NO_GROUP INT64_MIN /* an operand of the backend's own */

/* The routine of a product. */
typedef enum jc_cuda_route {
    JC_CUDA_ROW,  /* gather of dense terms, one row */
    JC_CUDA_ROWS, /* of more rows */
    JC_CUDA_ANY,  /* gather of anything */
    JC_CUDA_BLAS,
    JC_CUDA_OPERATOR
} jc_cuda_route;

/* The Jacobians of a group in one direction, or a factor of low_rank ones: one jc_gpu_source. */
typedef struct jc_cuda_operand {
    int64_t group;          /* as jc_plan_group_number has it; JC_CUDA_NO_GROUP */
    int field;              /* of its numbers */
    jc_direction direction; /* of D */
    int kind;               /* JC_GPU_DENSE, ... or JC_OPERATOR */
    jc_dtype dtype;         /* of its numbers */
    int64_t p, q, m, batch, inner;
    int64_t ld, block_stride, member_stride; /* of its numbers in the graph's own arrays */
    int64_t in, out;                         /* rows and columns of op(B) */
    int64_t n_in, n_out;                     /* of op(D) */
    int32_t second;                          /* low_rank: the operand of V; -1: none */
    int64_t first_member, last_member;       /* that the plan uses; of computed values: units of the arena */
    bool computed;                           /* its numbers are values of the plan */
    int64_t line, lines, blocks;             /* of a row: its numbers are rows of the graph's field; 0: they are not */
    bool in_products;                        /* of a row: it is not only copied */
    bool as_given;                           /* cuBLAS may take them as they lie: no other type is ever bound */
    int64_t copy;                            /* its numbers among jc_cuda_program.copies, or -1: not copied */
    /* csr and select: bytes into the region of indices, -1: none */
    bool wide;
    int64_t start, index, place, n_start, n_index; /* n_: elements of one member and block */
    int64_t index_blocks;                          /* batch, or 1: shared */
    int64_t scales;                                /* bytes into the region of indices; -1: one scale */
    bool held;                                     /* a captured call holds its address by value */
    int64_t fold_h, fold_w;                        /* of the folds that it begins or that meet it; 0: none */
    int32_t next_fold;                             /* the same with another fold, or -1 */
    int64_t first_pointer;                         /* of those at its numbers in the table of pointers; -1: none */
} jc_cuda_operand;

/* A product of the plan as the device forms it. */
typedef struct jc_cuda_term {
    int32_t operand;
    jc_cuda_route route;
    int64_t member;
    int64_t a;      /* element of the arena, or expanding: row of op(B) */
    int32_t expand; /* JC_GPU_EXPAND_..., or 0 */
} jc_cuda_term;

/* Rows of a value that all its products into them cover. */
typedef struct jc_cuda_segment {
    int64_t y; /* element of the arena */
    int64_t rows, cols;
    bool written;  /* by an operation before */
    int64_t calls; /* terms that cuBLAS forms */
} jc_cuda_segment;

/* A call of cuBLAS. Addresses come when it is issued. */
typedef struct jc_cuda_product {
    jc_gpu_product call;
    int32_t operand;
    bool numbers_are_b; /* the Jacobian is operand B of the call, the value A; else the other way round */
    bool convert_numbers, convert_value;
    int64_t member, a, y;   /* elements of the arena */
    int64_t value_elements; /* that are converted */
    int64_t member_step;    /* STRIDED over members: from one to the next; else 0 */
    int64_t wave;           /* which of its segment's terms: those of one batched call have destinations of their own */
    int64_t pointers;       /* POINTERS: first of its 3 x count entries of the table of pointers */
} jc_cuda_product;

/* A pointer of the table of pointers: into the arena, or at an operand's numbers. */
typedef struct jc_cuda_pointer {
    int32_t operand; /* -1: arena */
    int64_t at;      /* element of the arena, or member */
    int64_t next;    /* at the same operand's numbers; -1: none */
} jc_cuda_pointer;

typedef struct jc_cuda_callback {
    int32_t operand;
    int64_t member, a, y, rows;
    bool add;
} jc_cuda_callback;

typedef enum jc_cuda_op_kind {
    JC_CUDA_OP_GATHER,
    JC_CUDA_OP_WALK,
    JC_CUDA_OP_PRODUCT,
    JC_CUDA_OP_CALLBACK
} jc_cuda_op_kind;

/* One operation. first, count: tiles (gather), phases (walk), the product or callback. */
typedef struct jc_cuda_op {
    jc_cuda_op_kind kind;
    int form, lanes; /* gather: kernel, threads of an entry or tile */
    int bin;         /* gather: JC_CUDA_BINS_... */
    bool computed;   /* gather: Jacobians of it are values of the plan */
    int64_t level, first, count;
    double bytes, madds;
} jc_cuda_op; /* of a walk, lanes: blocks of its cluster */

/* Storage that is no longer read after operation `op`: bytes into the arena. */
typedef struct jc_cuda_dead {
    int64_t op, at, bytes;
} jc_cuda_dead;

/* Host numbers that are copied to the device. */
typedef struct jc_cuda_copy {
    const unsigned char *data;
    int64_t bytes;
    int64_t offset; /* into the block */
    int64_t users;  /* fields of groups that use it */
} jc_cuda_copy;

/* Bytes into the block where each region begins. */
typedef struct jc_cuda_memory {
    int64_t arena, convert, pass, sources, terms, tiles, phases, pointers, indices, seed, copies, blas, bytes;
    int64_t blas_bytes;
} jc_cuda_memory;

/* Where one way becomes better than another, with what it was measured on. */
typedef struct jc_cuda_crossover {
    const char *between, *measured; /* static text */
    int64_t value;
} jc_cuda_crossover;

enum {
    JC_CUDA_GEMV_BYTES,
    JC_CUDA_GEMM_WORK,
    JC_CUDA_CONVERTED_ROWS,
    JC_CUDA_WEIGHT_WORK,
    JC_CUDA_BATCHED_WORK,
    JC_CUDA_WIDE_TILE_BYTES,
    JC_CUDA_PART_BYTES,
    JC_CUDA_WALK_BYTES,
    JC_CUDA_WALK_BLOCK_BYTES,
    JC_CUDA_WALK_TILES,
    JC_CUDA_WALK_PHASES,
    JC_CUDA_CROSSOVERS
};

extern const jc_cuda_crossover jc_cuda_crossovers[JC_CUDA_CROSSOVERS];

/* An operand of a group; one whose numbers are a graph's group's is named by that group too. */
typedef struct jc_cuda_use {
    int64_t row; /* of the group: jc_cuda_operands_of */
    int32_t operand;
} jc_cuda_use;

typedef struct jc_cuda_program {
    const jc_gpu_api *api;
    int device;
    jc_gpu_properties properties;
    int mode;
    int64_t crossover[JC_CUDA_CROSSOVERS]; /* values of the table, or the backend's own */
    jc_vec by_group;                       /* jc_cuda_use: by group, those of the graph first */
    jc_vec operands;                       /* jc_cuda_operand */
    jc_vec terms;                          /* jc_gpu_term */
    jc_vec tiles;                          /* jc_gpu_tile */
    jc_vec phases;                         /* jc_gpu_phase */
    jc_vec products;                       /* jc_cuda_product */
    jc_vec pointers;                       /* jc_cuda_pointer */
    jc_vec callbacks;                      /* jc_cuda_callback */
    jc_vec ops;                            /* jc_cuda_op */
    jc_vec copies;                         /* jc_cuda_copy */
    jc_vec dead;                           /* jc_cuda_dead, by operation; empty where nobody is told */
    jc_vec temps;                          /* int64_t, by level: elements of its temporaries; empty likewise */
    jc_vec walked;                         /* bool, by level: its gathers are part of a walk */
    int64_t temp_elements, convert_bytes, index_bytes, seed_bytes, copy_bytes;
    bool uses_blas;
    jc_cuda_memory memory;
} jc_cuda_program;

/* ---- choice.c ---------------------------------------------------------------------------------------------------- */

/* The routine for `rows` rows of an operand. */
jc_cuda_route jc_cuda_route_of(const jc_program *program, const jc_cuda_operand *operand, int64_t rows, bool expand);

/* Threads that share the sum of an entry in a gather of anything. */
int jc_cuda_lanes_of(const jc_cuda_operand *operand);

/* Products summed into one entry of the output, at most or in the mean. */
int64_t jc_cuda_sum_length(const jc_cuda_operand *operand);

/* Seconds of an operation: the larger of bytes and operations, and the cost of a node. */
double jc_cuda_op_seconds(const jc_cuda_program *impl, jc_dtype dtype, const jc_cuda_op *op);

/* Making a context, loading what is needed and copying: before the first execution. */
double jc_cuda_start_seconds(const jc_cuda_program *impl);

/* ---- operand.c --------------------------------------------------------------------------------------------------- */

/* Numbers of operands by group, field and direction; while a program is made. */
typedef struct jc_cuda_operand_table {
    int32_t *number; /* [(groups of the graph, extra and made ones) * USES], -1: none yet */
    int64_t n;
} jc_cuda_operand_table;

jc_status jc_cuda_operand_table_init(const jc_program *program, jc_cuda_operand_table *table);
void jc_cuda_operand_table_fini(const jc_program *program, jc_cuda_operand_table *table);

/* The operand of a group's Jacobians: of the kind's numbers, or of factor 0 (U) or 1 (V) of low_rank ones;
 * JC_CUDA_BOTH: low_rank itself, to be expanded. `member` is one that is used. */
jc_status jc_cuda_operand_find(jc_program *program, jc_cuda_operand_table *table, int64_t group, int64_t member,
                               int factor, jc_direction direction, int32_t *operand);

/* The operand of a group's Jacobians where they begin a fold or meet one. */
jc_status jc_cuda_operand_find_fold(jc_program *program, jc_cuda_operand_table *table, int64_t group, int64_t member,
                                    jc_direction direction, const jc_fold *fold, int32_t *operand);

/* What the table knows is kept in the program's by_group. */
jc_status jc_cuda_operand_table_keep(jc_program *program, const jc_cuda_operand_table *table);

/* The operands of a group (as jc_plan_group_number has it), n of them, and those that share its numbers. */
const jc_cuda_use *jc_cuda_operands_of(const jc_program *program, int64_t group, int64_t *n);

/* What is bound where an operand's numbers are: a field of a group of the graph, or of the seed (-1). False: nothing
 * is, since they are computed or it has none. */
bool jc_cuda_operand_binding(const jc_plan *plan, const jc_cuda_operand *operand, int64_t *group, int *field);

/* Where the numbers of an operand are given: the field that is bound, or its own group's. Only of operands with
 * numbers. */
const jc_field *jc_cuda_operand_field(const jc_plan *plan, const jc_cuda_operand *operand);

/* Whether what is bound is field `field` of `group`. */
static inline bool jc_cuda_operand_follows(const jc_plan *plan, const jc_cuda_operand *operand, int64_t group,
                                           int field)
{
    int64_t of_group = 0;
    int of_field = 0;
    return jc_cuda_operand_binding(plan, operand, &of_group, &of_field) && of_group == group && of_field == field;
}

/* An operand of the backend's own: the sum of `parts` side by side, y_j = sum_a x_(a,j) (tile, adjoint); the identity
 * of size n. */
jc_status jc_cuda_operand_parts(jc_program *program, int64_t parts, int64_t n, int32_t *operand);
jc_status jc_cuda_operand_identity(jc_program *program, int64_t n, int32_t *operand);

static inline const jc_cuda_operand *jc_cuda_operand_at(const jc_cuda_program *impl, int32_t operand)
{
    return (const jc_cuda_operand *)impl->operands.data + operand;
}

/* The group of an operand, or NULL. */
const jc_group *jc_cuda_operand_group(const jc_plan *plan, const jc_cuda_operand *operand);

/* Bytes of one member's numbers. */
int64_t jc_cuda_operand_bytes(const jc_cuda_operand *operand);

/* ---- lower.c, tiles.c, product.c, narrow.c ----------------------------------------------------------------------- */

jc_status jc_cuda_lower(jc_program *program);

/* The tiles of one level by the kernel that takes them, in the order of launches. */
enum {
    JC_CUDA_BINS_FIRST = 0,       /* ROW, ROW of 8 warps, ROWS, ANY of 1, 8, 32 lanes: what others of the level read */
    JC_CUDA_BINS_FIRST_PARTS = 6, /* ANY: sums of their parts; the calls that others read come after these */
    JC_CUDA_BINS_DENSE = 9,       /* ROW, ROW of 8 warps, ROWS */
    JC_CUDA_BINS_OTHER = 12,      /* ANY */
    JC_CUDA_BINS_PARTS = 15,      /* ANY; then the calls, then the callbacks */
    JC_CUDA_BINS = 18
};

typedef struct jc_cuda_level {
    jc_program *program;
    int64_t level;
    int64_t temps;        /* elements of temporaries taken */
    int64_t gather_bytes; /* that the level reads */
    jc_vec bin[JC_CUDA_BINS];
    double bytes[JC_CUDA_BINS], madds[JC_CUDA_BINS];
    bool computed[JC_CUDA_BINS]; /* Jacobians of it are values of the plan */
    jc_vec calls, first_calls;   /* jc_cuda_product of this level, not batched yet */
    jc_vec callbacks;            /* jc_cuda_callback */
} jc_cuda_level;

/* Elements [*first, + n) of temporaries, which last as long as the level. */
jc_status jc_cuda_level_take(jc_cuda_level *level, int64_t n, int64_t *first);

/* Adds the gathers of a segment: those of n terms with the routes ROW, ROWS and ANY. first: others of the level read
 * it. */
jc_status jc_cuda_add_gathers(jc_cuda_level *level, jc_cuda_segment *segment, const jc_cuda_term *terms, int64_t n,
                              bool first);

/* The calls of cuBLAS for a term. */
jc_status jc_cuda_add_calls(jc_cuda_level *level, jc_cuda_segment *segment, const jc_cuda_term *term, bool first);

/* Calls as operations, equal small ones batched. */
jc_status jc_cuda_flush_calls(jc_cuda_level *level, jc_vec *calls);

/* Appends an operation. */
jc_status jc_cuda_add_op(jc_program *program, const jc_cuda_op *op);

jc_status jc_cuda_join_narrow(jc_program *program);

/* dead.c: what dies after which operation, where the table of calls has somebody to tell. */
jc_status jc_cuda_find_dead(jc_program *program);

/* ---- memory.c, numbers.c, indices.c ------------------------------------------------------------------------------ */

jc_status jc_cuda_place_memory(jc_program *program);
jc_status jc_cuda_find_copies(jc_program *program);

/* Sets where an operand's indices and scales lie in the region of indices. */
jc_status jc_cuda_place_indices(jc_program *program);

/* Writes an operand's indices and scales to `region`, host memory of the region's size. */
jc_status jc_cuda_write_indices(const jc_program *program, const jc_cuda_operand *operand, unsigned char *region);

/* ---- errors.c ---------------------------------------------------------------------------------------------------- */

/* JC_OK for 0; else JC_E_MEMORY or JC_E_DEVICE with the call, what it was for and its reason. */
jc_status jc_cuda_check(const jc_gpu_api *api, int code, const char *call);
jc_status jc_cuda_check_blas(const jc_gpu_api *api, int code, const char *call);

/* Makes the program's device current; *before is put back by jc_cuda_leave. */
jc_status jc_cuda_enter(const jc_gpu_api *api, int device, int *before);
void jc_cuda_leave(const jc_gpu_api *api, int device, int before);

/* ---- the run: tables.c, upload.c, issue.c, run.c ----------------------------------------------------------------- */

/* Where an operand's numbers are for a run. */
typedef struct jc_cuda_numbers {
    const void *d_data; /* of the first member that is used; NULL: not bound */
    int64_t ld, block_stride, member_stride;
    jc_dtype dtype;
} jc_cuda_numbers;

/* Where an output goes beside the arena. */
typedef struct jc_cuda_output {
    void *d_data; /* NULL: it stays in the arena */
    int64_t block_stride, row_stride, col_stride;
    bool accumulate;
} jc_cuda_output;

/* Memory of a run for host numbers that were bound in place of some that other Jacobians share. */
typedef struct jc_cuda_own {
    int64_t group;
    int field;
    void *d_data;
    int64_t bytes;
} jc_cuda_own;

typedef struct jc_cuda_run {
    const jc_gpu_api *api;
    jc_cuda_allocator allocator; /* device_alloc NULL: the runtime's own */
    jc_gpu_stream stream;        /* the run's own, or the caller's: set-up and jc_run_execute */
    unsigned char *d_block;      /* 256-byte aligned */
    bool owns_stream, owns_block, owns_blas, no_capture;
    jc_cuda_numbers *numbers;   /* [n_operands] */
    int64_t n_unbound;          /* operands without their numbers */
    jc_gpu_source *sources;     /* [n_operands], as on the device */
    const void **pointers;      /* [n_pointers], as on the device */
    jc_cuda_output *outputs;    /* [n_outputs] */
    jc_cuda_operator *operator; /* [n_operands] callbacks in device memory, or NULL: none is bound */
    jc_vec own;                 /* jc_cuda_own */
    jc_gpu_event done;          /* after the last execution */
    bool executed;
    jc_gpu_blas blas;
    jc_gpu_exec exec;       /* the captured operations; NULL: issued one by one */
    bool apart;             /* products of a pointer array were issued last as calls that hold their addresses */
    jc_gpu_event staged[2]; /* after the last copy from each half of the staging memory */
    bool in_flight[2];      /* whether there is one */
    unsigned char *staging; /* pinned, two halves */
    int64_t half_bytes;
    void *callback_x, *callback_y; /* pinned, for operators on the host */
    int64_t callback_x_bytes, callback_y_bytes;
    jc_gpu_pass pass;     /* as on the device */
    bool callback_failed; /* what fails now is an operator's callback, not the device */
    jc_status lost;       /* not JC_OK: the device failed in a way that the run does not recover from */
} jc_cuda_run;

/* ---- tables.c ---------------------------------------------------------------------------------------------------- */

/* Numbers where the graph has them: in the copies, or in device memory. */
void jc_cuda_numbers_of_graph(const jc_run *run, int32_t operand, jc_cuda_numbers *numbers);

/* Makes sources and pointers from run->numbers, and counts the operands without numbers. */
void jc_cuda_fill_tables(jc_run *run);

/* The same for one operand, also on the device. */
jc_status jc_cuda_renew_tables(jc_run *run, int32_t operand);

/* Whether every operand has its numbers. */
static inline bool jc_cuda_all_bound(const jc_run *run)
{
    return ((const jc_cuda_run *)run->impl)->n_unbound == 0;
}

/* Where an element of the arena lies. */
unsigned char *jc_cuda_element(const jc_run *run, int64_t element);

/* ---- upload.c ---------------------------------------------------------------------------------------------------- */

jc_status jc_cuda_staging_open(const jc_program *program, jc_cuda_run *r);
void jc_cuda_staging_close(jc_cuda_run *r);

/* Copies host memory to the device through the staging memory, in the run's stream. */
jc_status jc_cuda_upload(jc_cuda_run *r, void *d_dst, const void *src, int64_t bytes);

/* The same for what is made once: terms, tiles, phases, indices and copies; the tables of addresses; a source. */
jc_status jc_cuda_upload_program(jc_run *run);
jc_status jc_cuda_upload_tables(jc_run *run);
jc_status jc_cuda_upload_source(jc_run *run, int32_t operand);
jc_status jc_cuda_upload_pointers(jc_run *run, int64_t first, int64_t n);

/* Whether all members' numbers begin at multiples of what tensor cores read at once: cuBLAS takes pointer arrays of
 * others only where it does not use them. */
static inline bool jc_cuda_pointers_aligned(const jc_cuda_numbers *n)
{
    enum { UNIT = 16 };
    return (uintptr_t)n->d_data % UNIT == 0 && n->member_stride * jc_dtype_bytes(n->dtype) % UNIT == 0;
}

/* ---- issue.c ----------------------------------------------------------------------------------------------------- */

/* The operations of the program into a stream. */
jc_status jc_cuda_issue(jc_run *run, jc_gpu_stream stream);

/* ---- run.c ------------------------------------------------------------------------------------------------------- */

jc_status jc_cuda_open_with(jc_run *run, const jc_cuda_run_options *options);

/* Device memory of the run for a group's field, kept until its end: the same each time. */
jc_status jc_cuda_take_own(jc_run *run, int64_t group, int field, int64_t bytes, void **d_data);

/* Whether a callback is on the host: it waits for the device, so that nothing can be captured. */
bool jc_cuda_waits_for_host(const jc_run *run);

/* Captures the operations anew where that can be done. */
jc_status jc_cuda_capture(jc_run *run);

/* A call on a run: its device becomes current, unless an earlier failure was one that the run does not recover from.
 * Every call that began ends: the device of before is put back, and such a failure noted. Returns status. */
jc_status jc_cuda_begin(const jc_run *run, int *before);
jc_status jc_cuda_end(const jc_run *run, jc_status status, int before);

/* ---- rebind.c ---------------------------------------------------------------------------------------------------- */

/* Puts new numbers in the place of an operand's, on the device too, after the executions before it; *what grows to what
 * that asks for. */
jc_status jc_cuda_set_numbers(jc_run *run, int32_t operand, const jc_cuda_numbers *numbers, jc_cuda_rebind *what);

/* Does what is left to do after changes: waits for the uploads, and captures where that was asked for. */
jc_status jc_cuda_refresh(jc_run *run, jc_cuda_rebind what);

#endif
