/* The entries of a Jacobian that may be other than zero, and which of its numbers each is. */
#ifndef JC_PLAN_ASSEMBLY_ENTRIES_H
#define JC_PLAN_ASSEMBLY_ENTRIES_H

#include "core/alloc.h"
#include "graph/kinds.h"

typedef struct jc_entry {
    int64_t row, col;
    int64_t number; /* which of the numbers */
} jc_entry;

/* Entries of a Jacobian with batch, inner and transposition, row by row, columns increasing. An entry may share its
 * number with others. */
typedef struct jc_entries {
    jc_vec list;       /* jc_entry */
    int field;         /* the group's field that has the numbers; -1: they all are `scale` */
    int64_t n_numbers; /* of one member; all of them are used */
    double scale;
} jc_entries;

/* Of member `member`: any kind but low_rank and operator; one of which the structure only is known is dense. */
jc_status jc_entries_of(const jc_allocator *a, const jc_group *group, int64_t member, jc_entries *entries);
void jc_entries_fini(const jc_allocator *a, jc_entries *entries);

#endif
