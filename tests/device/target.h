/* Where the tests of this folder compute: in a device run (support/compute.h) on the real device, else on the stand-in,
 * with the kernels' emulation. */
#ifndef JT_TARGET_H
#define JT_TARGET_H

#include <stdbool.h>

#include "backend/cuda/cuda.h"
#include "jacchain_cuda.h"

typedef struct jt_target {
    const jc_cuda_backend *backend;
    const jc_gpu_api *api;
    jc_gpu_stream stream; /* for the test's own copies */
} jt_target;

/* False: this build has neither. To be ended by jt_target_end, which looks whether anything was found or is left. */
bool jt_target_begin(jt_target *target, uint64_t seed);
void jt_target_end(jt_target *target, const char *what);

/* Ends the test where a call failed. */
void jt_done(const jt_target *target, int code, const char *what);

/* Device memory; copies wait. */
void *jt_device_memory(const jt_target *target, int64_t bytes);
void jt_device_free(const jt_target *target, void *d_memory);
void jt_to_device(const jt_target *target, void *d_to, const void *from, int64_t bytes);
void jt_from_device(const jt_target *target, void *to, const void *d_from, int64_t bytes);

#endif
