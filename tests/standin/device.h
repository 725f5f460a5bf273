/* The device backend on the stand-in with the kernels of kernels/: a backend like the others for the tests. */
#ifndef JT_DEVICE_H
#define JT_DEVICE_H

#include "backend/cuda/cuda.h"
#include "standin/standin.h"

extern const jc_cuda_backend jt_standin_backend;

/* Whether the kernels are there: they need a C++ compiler. */
bool jt_device_there(void);

/* A device anew: the stand-in and the order of the kernels' threads and blocks by the seed. config NULL: the default,
 * with the seed. */
void jt_device_begin(uint64_t seed, const jt_standin_config *config);

/* Ends the test where the stand-in or the kernels found anything; `what` is said with it. */
void jt_device_expect_clean(const char *what);

/* The same, and that nothing is left. */
void jt_device_end(const char *what);

#endif
