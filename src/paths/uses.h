/* How often paths use a label: at least and at most, from one end of a walk on. */
#ifndef JC_PATHS_USES_H
#define JC_PATHS_USES_H

#include "paths/paths.h"

typedef struct jc_path_uses {
    const jc_walk *walk;    /* borrowed */
    unsigned char *has;     /* [label sets of the graph] has one of the labels */
    int64_t *fewest, *most; /* [n_nodes] of partial paths to a node, from the source on, or back from the target */
    int64_t end;            /* where paths end, seen from there */
} jc_path_uses;

/* Where there is no path nothing but the labels is looked at. JC_E_USAGE: no edge has such a label. */
jc_status jc_path_uses_create(const jc_paths *paths, const char *const *labels, int64_t n_labels, bool from_source,
                              jc_path_uses *uses);
void jc_path_uses_fini(const jc_allocator *allocator, jc_path_uses *uses);

static inline int64_t jc_path_uses_of(const jc_path_uses *uses, int64_t edge)
{
    return uses->has[jc_graph_group(uses->walk->graph, uses->walk->edge[edge])->label_set];
}

/* What is number j of `from`, with fewest[from] + j uses, becomes number j + this of `to` by the edge between them. */
static inline int64_t jc_path_uses_shift(const jc_path_uses *uses, int64_t from, int64_t to, int64_t edge)
{
    return uses->fewest[from] + jc_path_uses_of(uses, edge) - uses->fewest[to];
}

/* texts[j], of bytes[j]: how many paths have fewest + j uses, for j from 0 to most - fewest at `end`, in decimal
 * digits, each owned by the caller, also where it fails (all NULL before). uses: from the source on. */
jc_status jc_paths_count_uses(const jc_paths *paths, const jc_path_uses *uses, char **texts, int64_t *bytes);

#endif
