/* A query through plan, program and run of one backend, its results as dense matrices; the plan is verified on the way.
 */
#ifndef JT_COMPUTE_H
#define JT_COMPUTE_H

#include <stdbool.h>

#include "jacchain.h"
#include "support/pool.h"

typedef struct jt_backend {
    const char *name; /* of the library; "exact", "standin": the tests' own */
    jc_precision precision;
    int threads;
} jt_backend;

/* Every backend that is here, in every precision that it has: exact first, then the stand-in of a device, then those of
 * the library that take part. */
enum { JT_MAX_BACKENDS = 16 };
int jt_backends(jt_backend backends[JT_MAX_BACKENDS]);
bool jt_is_exact(const jt_backend *backend);
bool jt_is_standin(const jt_backend *backend);

/* As jc_plan_create_windowed; JC_ORDER_ELIMINATION: by elimination also where a sweep is cheaper. */
jc_status jt_plan_create(const jc_graph *graph, const jc_query *query, int64_t row_limit, jc_plan **plan);

/* A program on any of them. Ends the test where it fails. */
jc_program *jt_program(const jc_plan *plan, const jt_backend *backend);

/* Whether the tests are to use a real device (JACCHAIN_TEST_DEVICE=1; tests/gpu.sh): then the backend cuda takes part,
 * which must be usable, and the cpu one does not. Otherwise every backend but cuda does that can be used here. */
bool jt_device_run(void);
bool jt_takes_part(const char *backend);

/* Whether a numbered case is looked at: in device runs, where each costs a thousand times what it costs on the host,
 * every JACCHAIN_TEST_EVERY-th is. */
bool jt_in_sample(uint64_t number);

/* Whether integers up to `largest` in absolute value come out of every product exactly. */
bool jt_is_exact_up_to(const jt_backend *backend, double largest);

/* The relative error of sums of n terms behind `products` products, one after the other:
 * (1 + gamma_n(u)) (1 + gamma_4products(v)) - 1, v what operands are rounded to (0 but for tf32 and bf16), two of them
 * in each of the two products that a low_rank one is. */
long double jt_gamma(jc_precision precision, int64_t n, int64_t products);

/* jc_check on any of them but "exact"; options->backend is its name. */
jc_status jt_check(const jc_graph *graph, const jc_query *query, const jc_program_options *options,
                   jc_check_report **report);

/* jc_paths_create for the query of one target, one source and, where edges is not NULL, n_edges edges. */
jc_status jt_paths_create(const jc_graph *graph, int64_t of, int64_t wrt, const int64_t *edges, int64_t n_edges,
                          jc_paths **paths);

typedef struct jt_result {
    int64_t of, wrt, blocks, rows, cols;
    double *real;     /* [blocks * rows * cols], or */
    uint64_t *modulo; /* of the exact backend */
} jt_result;

typedef struct jt_results {
    int64_t n;
    jt_result *result; /* [n] */
    jc_plan_info info;
} jt_results;

/* seed: F64 or NULL. The plan as jt_plan_create makes it. All memory from the pool. Ends the test where the library
 * fails. */
jt_results jt_compute(jt_pool *pool, const jc_graph *graph, const jc_query *query, const jt_backend *backend,
                      const double *seed);

/* The same with a seed of another type. */
jt_results jt_compute_typed(jt_pool *pool, const jc_graph *graph, const jc_query *query, const jt_backend *backend,
                            jc_dtype dtype, const void *seed);

/* A query without seed through jc_evaluate on the backend that it chooses; results must be contiguous. */
jt_results jt_evaluate(jt_pool *pool, const jc_graph *graph, const jc_query *query, int64_t memory_limit);

/* The result of a pair, which must be there. */
const jt_result *jt_find(const jt_results *results, int64_t of, int64_t wrt);

/* Ends the test with the library's last sentence where a call failed. */
void jt_ok(jc_status status, const char *what);

#endif
