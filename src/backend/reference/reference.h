/* The reference backend's table, for registry.c. */
#ifndef JC_BACKEND_REFERENCE_H
#define JC_BACKEND_REFERENCE_H

#include "backend/backend.h"

extern const jc_backend jc_backend_reference;

#endif
