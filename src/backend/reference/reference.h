/* The reference backend: its table for registry.c, its step for the check. */
#ifndef JC_BACKEND_REFERENCE_H
#define JC_BACKEND_REFERENCE_H

#include "backend/reference/plain.h"

extern const jc_backend jc_backend_reference;

/* A jc_plain_step in double; run may be NULL. */
jc_status jc_reference_step(const jc_run *run, const jc_jac *jac, const jc_step *step, const jc_fold *fold, int64_t row,
                            int64_t n, const void *x, void *y, void *scratch);

#endif
