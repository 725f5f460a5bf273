/* A backend that computes as another one does, and wrongly in a way that the test chooses. */
#ifndef JT_FAULTY_H
#define JT_FAULTY_H

#include "backend/backend.h"

typedef enum jt_fault {
    JT_NO_FAULT,
    JT_ALL_ZERO,  /* every value is zero */
    JT_JACOBIAN,  /* an edge has other numbers: F32 or F64 as the graph has them */
    JT_TWO_EDGES, /* two edges have each other's numbers */
    JT_ENTRY,     /* entry (row, col) of a value is multiplied by 1 + factor, or set to `set` where factor is 0 */
} jt_fault;

typedef struct jt_faulty {
    const jc_backend *base;
    jt_fault fault;
    int64_t edge, other; /* JT_JACOBIAN, JT_TWO_EDGES: edges with one field `values` each */
    const void *numbers; /* JT_JACOBIAN */
    int64_t value;       /* JT_ENTRY */
    int64_t row, col;
    double factor, set;
} jt_faulty;

/* The table; what it does is read from *how, which one test at a time may set. */
const jc_backend *jt_faulty_backend(const jt_faulty *how);

#endif
