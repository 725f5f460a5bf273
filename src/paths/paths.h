/* The paths between two variables: the walk of a query of one target and one source, by which they are counted and
 * listed. */
#ifndef JC_PATHS_PATHS_H
#define JC_PATHS_PATHS_H

#include "rules/walk.h"

struct jc_paths {
    jc_allocator allocator;
    jc_walk walk;
    bool there;     /* there is a path */
    int64_t *start; /* [walk.n_nodes + 1] */
    int64_t *out;   /* [walk.n_edges] the walk's edges by the node they leave (out[start[v] ..]), then by number */
    char *count;    /* decimal text, or NULL while it was not asked for */
    int64_t count_bytes;

    /* the path that was listed last */
    int64_t max_length; /* no path is longer */
    int64_t *edge;      /* [max_length] its edges from the source on, as the graph numbers them */
    int64_t *at;        /* [max_length] edge[i] is that of out[at[i]] */
    int64_t length;
    bool begun, done;
};

/* Where paths begin and end; the same node, or unused ones, where of = wrt. */
static inline int64_t jc_paths_source(const jc_paths *p)
{
    return p->walk.source[0];
}

static inline int64_t jc_paths_target(const jc_paths *p)
{
    return p->walk.target[0];
}

/* Whether of = wrt: the path without edges is the only one. */
static inline bool jc_paths_stay(const jc_paths *p)
{
    return p->walk.source_variable[0] == p->walk.target_variable[0];
}

#endif
