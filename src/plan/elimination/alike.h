/* Jacobians that have one structure whatever their numbers are: of one shape, with the same arrays of indices. The
 * pattern of such ones, as of the weights of a recurrent net, is made and hashed once. */
#ifndef JC_PLAN_ELIMINATION_ALIKE_H
#define JC_PLAN_ELIMINATION_ALIKE_H

#include "graph/table.h"
#include "plan/elimination/structure.h"

/* Lives no longer than the graph, whose arrays of indices it tells apart by where they are. */
typedef struct jc_alike {
    const jc_allocator *allocator; /* borrowed */
    jc_structures *structures;     /* borrowed */
    jc_vec seen;                   /* those with a pattern, in the order in which they came */
    jc_table find;
    const jc_group *last; /* of the last Jacobian, where its structure is that of every member */
    int32_t last_structure;
} jc_alike;

jc_alike jc_alike_init(const jc_allocator *allocator, jc_structures *structures);
void jc_alike_fini(jc_alike *alike);

/* That of jc_structures_of. */
jc_status jc_alike_structure(jc_alike *alike, const jc_group *group, int64_t member, int32_t *structure);

#endif
