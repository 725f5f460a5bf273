/* Numbers computed by other systems: tensors of a safetensors file, read by the tests' own few lines. */
#ifndef JT_EXPECTED_H
#define JT_EXPECTED_H

#include <jansson.h>

#include "support/pool.h"

/* The F64 tensor of that name; *n its elements. Ends the test where it is not there. From the pool. */
double *jt_expected_tensor(jt_pool *pool, const char *path, const char *name, int64_t *n);

/* The header of the file; the caller releases it. */
json_t *jt_expected_header(const char *path);

/* A JSON file; the caller releases it. */
json_t *jt_json(const char *path);

#endif
