/* Where the values of a plan live: offsets into one arena, storage used again when its value is dead. */
#ifndef JC_PLAN_LAYOUT_H
#define JC_PLAN_LAYOUT_H

#include "plan/plan.h"

typedef struct jc_layout {
    int64_t *offset; /* [n_values] bytes into the arena, aligned to 64 */
    int64_t n_values;
    int64_t arena_bytes; /* 0 when there are no values */
    int64_t element_bytes;
} jc_layout;

/* keep: no storage is used again. A value lives from its own level to the last level that reads it, as rows or as a
 * Jacobian; outputs to the end.
 * Storage freed after level l is used again from level l + 1, so values of one level never share. */
jc_status jc_layout_create(const jc_plan *plan, int64_t element_bytes, bool keep, jc_layout *layout);

/* When values die: last_read[v] is the last level that reads value v, its own where none does, or JC_OUTLIVES: it is an
 * output. dying[l] is the first value that dies after level l, or -1; next[v] the next one of the same level, or -1. */
enum { JC_OUTLIVES = -1 };
void jc_layout_deaths(const jc_plan *plan, int64_t *last_read, int64_t *dying, int64_t *next);

void jc_layout_fini(const jc_plan *plan, jc_layout *layout);

#endif
