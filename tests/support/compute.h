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

/* Every backend that is here, in every precision that it has: exact first, then those of the library. */
enum { JT_MAX_BACKENDS = 16 };
int jt_backends(jt_backend backends[JT_MAX_BACKENDS]);
bool jt_is_exact(const jt_backend *backend);

/* A program on any of them. Ends the test where it fails. */
jc_program *jt_program(const jc_plan *plan, const jt_backend *backend);

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

/* seed: F64 or NULL. All memory from the pool. Ends the test where the library fails. */
jt_results jt_compute(jt_pool *pool, const jc_graph *graph, const jc_query *query, const jt_backend *backend,
                      const double *seed);

/* The same with a seed of F32 numbers. */
jt_results jt_compute_f32(jt_pool *pool, const jc_graph *graph, const jc_query *query, const jt_backend *backend,
                          const float *seed);

/* A query without seed through jc_evaluate on the backend that it chooses; results must be contiguous. */
jt_results jt_evaluate(jt_pool *pool, const jc_graph *graph, const jc_query *query, int64_t memory_limit);

/* The result of a pair, which must be there. */
const jt_result *jt_find(const jt_results *results, int64_t of, int64_t wrt);

/* Ends the test with the library's last sentence where a call failed. */
void jt_ok(jc_status status, const char *what);

#endif
