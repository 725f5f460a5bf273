/* The paths of a total cut at a set Z of variables: at the first (last) of Z that a path passes through, its ends not
 * counted. Every path is in exactly one part,
 *   first   dT/dS = [dT/dS]local + sum over z of (dT/dz) [dz/dS]local
 *   last    dT/dS = [dT/dS]local + sum over z of [dT/dz]local (dz/dS)
 * where "local" is the sum over the paths with no variable of Z strictly inside. Structure only; jc_split has the
 * numbers.
 */
#ifndef JC_PATHS_CUT_H
#define JC_PATHS_CUT_H

#include "rules/walk.h"

typedef struct jc_cut_part {
    int64_t at;   /* which variable of Z; -1: the paths that pass through none */
    int64_t node; /* of the walk, which has several for a variable under rules; -1 likewise */
    int64_t edge; /* the graph's, where the local factor is just this edge; else -1 */
} jc_cut_part;

typedef struct jc_cut {
    jc_cut_part *parts; /* [n_parts] those that have a path: the local one, then in the order of Z, then of nodes */
    int64_t n_parts, capacity;
} jc_cut;

/* For a walk of one target and one source. at [n_at]: Z; target and source may be among them and are not cut at.
 * JC_E_USAGE where a variable is not there or named twice. Cost: linear in the walk, the variables and n_at. */
jc_status jc_cut_create(const jc_walk *walk, const int64_t *at, int64_t n_at, bool last, jc_cut *cut);
void jc_cut_fini(const jc_allocator *allocator, jc_cut *cut);

#endif
