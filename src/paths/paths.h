/* The paths between two variables: the edges that lie on one, from which paths are counted and listed. */
#ifndef JC_PATHS_PATHS_H
#define JC_PATHS_PATHS_H

#include "graph/graph.h"

struct jc_paths {
    jc_allocator allocator;
    const jc_graph *graph; /* borrowed */
    int64_t of, wrt;
    bool there;     /* there is a path */
    int64_t *start; /* [n_variables + 1] */
    int64_t *out;   /* [n_out] edges on paths, by their wrt (out[start[v] ..]), then by number */
    int64_t n_out;
    char *count; /* decimal text, or NULL while it was not asked for */
    int64_t count_bytes;

    /* the path that was listed last */
    int64_t max_length; /* no path is longer */
    int64_t *edge;      /* [max_length] its edges from the source on */
    int64_t *at;        /* [max_length] edge[i] = out[at[i]] */
    int64_t length;
    bool begun, done;
};

#endif
