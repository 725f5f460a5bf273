/* The host backend's table, for registry.c. */
#ifndef JC_BACKEND_CPU_CPU_H
#define JC_BACKEND_CPU_CPU_H

#include "backend/backend.h"

extern const jc_backend jc_backend_cpu;

#endif
