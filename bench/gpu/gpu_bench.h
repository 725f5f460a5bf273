/* What the files of the device's benchmark share. */
#ifndef JC_BENCH_GPU_H
#define JC_BENCH_GPU_H

#ifdef __cplusplus
extern "C" {
#endif

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backend/cuda/gpu.h"
#include "jacchain_cuda.h"

typedef struct jc_backend jc_backend;

/* ---- device.cu: kernels of the benchmark's own ------------------------------------------------------------------- */

/* n numbers of a dtype (F64, F32, BF16), uniform in [-scale, scale), by position and seed. */
int gb_fill(void *d_data, int dtype, int64_t n, uint64_t seed, double scale, jc_gpu_stream stream);

/* n numbers +1 or -1. */
int gb_signs(double *d_data, int64_t n, uint64_t seed, jc_gpu_stream stream);

/* Reads n bytes, a multiple of 16, as fast as it can; *d_sink gets a sum that nobody needs. */
int gb_read(const void *d_data, int64_t n, float *d_sink, int multiprocessors, jc_gpu_stream stream);

int gb_nothing(jc_gpu_stream stream); /* a kernel that does nothing */

/* value[of] += D value[wrt] for edges [0, count): the definition of each kind, in double, by atomic additions. */
typedef struct gb_forward {
    int kind, dtype;               /* of jc_kind, jc_dtype */
    int64_t count, p, q, m, batch; /* m: csr, numbers; weight, samples; tile, copies */
    double scale;
    const void *d_numbers;
    const int32_t *d_indptr, *d_indices; /* [count][p + 1], [count][m]; select: [count][p] */
    const int64_t *d_of, *d_wrt;         /* [count]: where the variables' numbers begin in d_value */
    double *d_value;
} gb_forward;
int gb_forward_run(const gb_forward *f, jc_gpu_stream stream);

/* dot[i] += sum_j A[i, j] r[j], norm[i] += sum_j A[i, j]^2, for k rows of n numbers of a dtype. */
int gb_rows(const void *d_a, int dtype, int64_t ld, int64_t k, int64_t n, const double *d_r, double *d_dot,
            double *d_norm, jc_gpu_stream stream);

#ifdef __cplusplus
}
#endif

/* ---- device.c: memory and time; a failure ends the program (tests/bench/ has another device.c and device.cu, on the
 * stand-in of a device) ----------------------------------------------------------
 */

extern const jc_gpu_api *const gb_api;
extern const jc_backend *const gb_backend;
extern jc_gpu_stream gb_stream;

void gb_open(void);
void gb_check(int code, const char *what); /* of the runtime or a kernel */
void gb_check_blas(int code, const char *what);
void gb_wait(void);

/* Device memory that is freed by gb_free_all. */
void *gb_device(int64_t bytes);
void *gb_device_copy(const void *data, int64_t bytes);
void *gb_zeros(int64_t bytes);
void *gb_host(int64_t count, size_t element_bytes); /* zeroed, freed likewise */
void gb_free_all(void);

/* The median of the seconds of run(ctx), which gives work to gb_stream: after two that are not counted, as many as fit
 * into a third of a second, 5 to 100. */
double gb_time(void (*run)(void *ctx), void *ctx);

/* The same for calls that are captured once and replayed. */
double gb_time_captured(void (*run)(void *ctx), void *ctx);

double gb_seconds(void); /* of the clock on the wall */

/* ---- limits.c ---------------------------------------------------------------------------------------------------- */

typedef struct gb_limits {
    double read, copy;           /* bytes/s; copy counts bytes read and bytes written */
    double f32, tf32, bf16, f64; /* operations/s of cuBLAS, 8192 (f64: 4096) cubed */
    double node;                 /* seconds of a kernel node that does nothing in a replayed graph */
} gb_limits;

gb_limits gb_measure_limits(int multiprocessors, int64_t shrink);

/* ---- work.c: a graph on the device, run by jacchain and judged --------------------------------------------------- */

/* Edges of one kind and shape. */
typedef struct gb_edges {
    gb_forward f;              /* d_of and d_wrt are set by gb_finish */
    int32_t *of, *wrt;         /* [count], variables */
    int32_t *indptr, *indices; /* on the host, as in f */
    int64_t first;             /* of all edges */
} gb_edges;

/* Edges [first, first + count) of a group whose sources are complete when those before have run. */
typedef struct gb_stage {
    int64_t group, first, count;
} gb_stage;

typedef struct gb_work {
    int64_t n_vars, n_groups, n_stages, n_edges, n_wrt, max_groups, max_stages;
    int64_t *size, *offset; /* [n_vars]; in d_value */
    gb_edges *groups;
    gb_stage *stages;
    int64_t of, *wrt, k; /* k rows of seed; seeded false: the identity, k the size of `of` */
    bool seeded;
    jc_order order;
    jc_dtype dtype; /* of the working type */
    jc_precision precision;
    double tolerance; /* of the residual */
    uint64_t seed;
} gb_work;

void gb_work_init(gb_work *w, int64_t n_vars, int64_t max_groups, int64_t max_stages);

/* A group of edges whose numbers are made on the device. The caller fills of and wrt. */
gb_edges *gb_add(gb_work *w, jc_kind kind, int64_t count, int64_t p, int64_t q, double scale);
void gb_stage_add(gb_work *w, const gb_edges *edges, int64_t first, int64_t count);

/* Bytes of Jacobians and indices, and of every variable's adjoint once. */
double gb_bytes(const gb_work *w);

typedef struct gb_outcome {
    double seconds;   /* of one execution; 0: it did not run */
    double prepare_s; /* graph, plan, program, run */
    double predicted_s;
    int64_t peak_bytes;
    double residual; /* |(A r) - S J r| / |A| over all rows, r random +-1 */
    bool valid;
    char trouble[300];
} gb_outcome;

gb_outcome gb_run(gb_work *w);

/* ---- peers.c ----------------------------------------------------------------------------------------------------- */

/* The products of a chain of `count` dense n x n Jacobians with k rows, one after the other, captured: seconds. */
double gb_cublas_chain(int64_t count, int64_t n, int64_t k, int in, int out, bool tf32);

/* `count` dependent products of batch x n by n x n, and one of [n x steps batch] by [steps batch x wide]. */
double gb_cublas_rnn(int64_t count, int64_t batch, int64_t n, int64_t steps, int64_t wide);

/* One product after the other with the CSR matrices of a work: seconds; 0 where there is no cuSPARSE. */
double gb_cusparse(const gb_work *w);

/* ---- workloads.c ------------------------------------------------------------------------------------------------- */

typedef struct gb_goal {
    const char *name, *what, *bound;
    double at_least; /* with a unit: at most */
    const char *unit;
} gb_goal;

typedef struct gb_row {
    const gb_goal *goal;
    gb_outcome outcome;
    double bound_s;  /* seconds of the bound; 0 where there is none */
    double measured; /* bound_s / seconds, or in the unit */
    bool met;
} gb_row;

extern const gb_goal gb_goals[];
extern const int gb_n_goals;

/* Runs one workload, with sizes divided by `shrink` where that leaves something. */
gb_row gb_run_goal(int index, const gb_limits *limits, int64_t shrink);

#endif
