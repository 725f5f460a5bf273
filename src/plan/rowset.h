/* Sets of seeds (targets in reverse, sources in forward), interned: a node's computed rows are those of the seeds it
 * reaches. Equal sets are one set, so comparing is comparing numbers, and a union of the same two sets is formed once.
 */
#ifndef JC_PLAN_ROWSET_H
#define JC_PLAN_ROWSET_H

#include "core/alloc.h"

typedef struct jc_rowset {
    int64_t first, count; /* members [first, first + count) of jc_rowsets.members, ascending seed numbers */
    int64_t rows;         /* sum of the seeds' rows; saturates at INT64_MAX */
    uint64_t hash;        /* of the members */
    int64_t next;         /* next set of the same bucket, or -1 */
} jc_rowset;

typedef struct jc_rowset_union {
    int64_t a, b, result; /* result of the union of sets a < b; a == 0: empty place */
} jc_rowset_union;

enum { JC_ROWSET_MEMO = 4096 };

typedef struct jc_rowsets {
    const jc_allocator *allocator;
    const int64_t *seed_rows; /* [n_seeds], borrowed */
    int64_t n_seeds;
    jc_vec members;              /* int64_t */
    jc_vec rows_before;          /* int64_t: rows of the members before this one in its set; same places as members */
    jc_vec sets;                 /* jc_rowset; set 0 is empty */
    int64_t *buckets, n_buckets; /* [n_buckets], a power of two at least the number of sets: first set, or -1 */
    int64_t work;                /* members visited by unions so far */
    jc_rowset_union *memo;       /* [JC_ROWSET_MEMO] direct mapped */
} jc_rowsets;

jc_status jc_rowsets_init(jc_rowsets *s, const jc_allocator *allocator, const int64_t *seed_rows, int64_t n_seeds);
void jc_rowsets_fini(jc_rowsets *s);

/* The set of one seed. */
jc_status jc_rowsets_single(jc_rowsets *s, int64_t seed, int64_t *set);

/* *set = a united with b. */
jc_status jc_rowsets_unite(jc_rowsets *s, int64_t a, int64_t b, int64_t *set);

/* *set = a with every member m >= first replaced by to[m - first] < first; to increases. */
jc_status jc_rowsets_replace(jc_rowsets *s, int64_t a, int64_t first, const int64_t *to, int64_t *set);

static inline const jc_rowset *jc_rowsets_at(const jc_rowsets *s, int64_t set)
{
    return (const jc_rowset *)s->sets.data + set;
}

/* Where a seed's rows begin among those of a set, or -1: it is not in the set. O(log members). */
int64_t jc_rowsets_row(const jc_rowsets *s, int64_t set, int64_t seed);

static inline const int64_t *jc_rowsets_rows_before(const jc_rowsets *s, int64_t set)
{
    return (const int64_t *)s->rows_before.data + jc_rowsets_at(s, set)->first;
}

static inline const int64_t *jc_rowsets_members(const jc_rowsets *s, int64_t set)
{
    return (const int64_t *)s->members.data + jc_rowsets_at(s, set)->first;
}

#endif
