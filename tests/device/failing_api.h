/* A table of device calls that passes all on to another, but for one: call number n, which fails without being made. */
#ifndef JT_FAILING_API_H
#define JT_FAILING_API_H

#include <stdbool.h>

#include "backend/cuda/gpu.h"

/* Kept by the whole process: one at a time. n from 0; n < 0: none fails. Calls that release, ask for the last error or
 * for a text are not counted: a caller has nothing to do when they fail. */
const jc_gpu_api *jt_failing_api(const jc_gpu_api *api, int64_t n);

void jt_failing_stop(void); /* no call fails from now on */

int64_t jt_failing_calls(void);    /* so far */
const char *jt_failing_call(void); /* the name of the one that failed, or NULL */

#endif
