/* A backend that computes modulo the prime 2^61 - 1: exact at any depth, for Jacobians of integers. Numbers of graph
 * and seed are integers held in floating arrays. Values are 8-byte integers in 0 .. 2^61 - 2 (program->dtype JC_I64).
 * Used with jc_program_create_on. Operators must be those of support/jacobian.h. */
#ifndef JT_EXACT_BACKEND_H
#define JT_EXACT_BACKEND_H

#include "backend/backend.h"

extern const jc_backend jt_exact_backend;

#endif
