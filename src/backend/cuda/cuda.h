/* The device backend. A jc_cuda_backend is a row of the registry with the table of device calls it uses:
 * jc_backend_cuda with the real ones; the tests make one with their stand-in. */
#ifndef JC_BACKEND_CUDA_CUDA_H
#define JC_BACKEND_CUDA_CUDA_H

#include "backend/backend.h"
#include "backend/cuda/gpu.h"

typedef struct jc_cuda_backend {
    jc_backend base; /* first: a const jc_backend * of this kind points to the whole */
    const jc_gpu_api *api;
    const int64_t *crossovers; /* by jc_cuda_crossover's number (internal.h) in place of the table's; NULL: those */
} jc_cuda_backend;

/* The functions of the backend, whatever its calls are. */
#define JC_CUDA_BACKEND_INIT(NAME, DESCRIPTION, API)                                                                   \
    {                                                                                                                  \
        .base = {.name = (NAME),                                                                                       \
                 .description = (DESCRIPTION),                                                                         \
                 .on_device = true,                                                                                    \
                 .available = jc_cuda_available,                                                                       \
                 .supports = jc_cuda_supports,                                                                         \
                 .prepare = jc_cuda_prepare,                                                                           \
                 .release = jc_cuda_release,                                                                           \
                 .batches = jc_cuda_batches,                                                                           \
                 .open = jc_cuda_open,                                                                                 \
                 .close = jc_cuda_close,                                                                               \
                 .bound = jc_cuda_bound,                                                                               \
                 .execute = jc_cuda_execute_pass,                                                                      \
                 .read = jc_cuda_read,                                                                                 \
                 .peek = jc_cuda_peek},                                                                                \
        .api = (API), .crossovers = NULL                                                                               \
    }

jc_status jc_cuda_available(const jc_backend *self);
jc_status jc_cuda_supports(const jc_backend *self, jc_precision precision);
jc_status jc_cuda_prepare(jc_program *program);
void jc_cuda_release(jc_program *program);
jc_status jc_cuda_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx);
jc_status jc_cuda_open(jc_run *run);
void jc_cuda_close(jc_run *run);
jc_status jc_cuda_bound(jc_run *run, int64_t group, int field);
jc_status jc_cuda_execute_pass(jc_run *run, const jc_pass *pass);
jc_status jc_cuda_read(const jc_run *run, int64_t value, int64_t row, int64_t n, void *dst);
const void *jc_cuda_peek(const jc_run *run, int64_t value, int64_t row);

/* Whether a backend is one of these. */
bool jc_is_cuda(const jc_backend *backend);

/* The calls of a program's backend, which is one of these. */
const jc_gpu_api *jc_cuda_api(const jc_program *program);

/* The real one; only where jacchain was built with CUDA. */
extern const jc_cuda_backend jc_backend_cuda;

#endif
