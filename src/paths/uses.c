/* How many edges with a label the paths use, at least and at most:
 *   least(source) = 0,  least(v) = min over the edges v <- u of least(u) + [the edge has the label];  most: max */
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "paths/paths.h"

static const char *const WHAT = "uses of a label";

/* What a label set has of the labels asked for. */
static jc_status mark_sets(const jc_graph *g, const char *const *labels, int64_t n_labels, unsigned char *has)
{
    char hint[JC_GRAPH_HINT_BYTES];
    for (int64_t i = 0; i < n_labels; i++) {
        int64_t label = jc_graph_find_label(g, labels[i]);
        if (label < 0)
            return jc_fail(JC_E_USAGE, "no edge has the label '%s'%s", labels[i],
                           jc_graph_label_hint(g, labels[i], hint));
        for (int64_t set = 0; set < g->label_sets.count; set++) {
            int64_t n;
            const int64_t *in_set = jc_graph_labels_of_set(g, set, &n);
            for (int64_t k = 0; k < n; k++) has[set] |= in_set[k] == label;
        }
    }
    return JC_OK;
}

/* Edges are sorted by the node that they lead to; every node but the source has one. */
static void sweep(const jc_walk *w, const unsigned char *has, int64_t *least, int64_t *most)
{
    for (int64_t i = 0; i < w->n_edges; i++) {
        int64_t v = w->of[i], u = w->wrt[i], use = has[jc_graph_group(w->graph, w->edge[i])->label_set];
        bool first = !i || w->of[i - 1] != v;
        least[v] = first ? least[u] + use : jc_min(least[v], least[u] + use);
        most[v] = first ? most[u] + use : jc_max(most[v], most[u] + use);
    }
}

static jc_status find(const jc_paths *p, const char *const *labels, int64_t n_labels, int64_t *fewest, int64_t *largest)
{
    const jc_allocator *a = &p->allocator;
    const jc_graph *g = p->walk.graph;
    int64_t n = p->walk.n_nodes, n_sets = g->label_sets.count, *least, *most = NULL;
    unsigned char *has = NULL;
    jc_status status = jc_alloc_zero(a, n, sizeof *least, WHAT, &least);
    if (status) return status;
    status = jc_alloc_zero(a, n, sizeof *most, WHAT, &most);
    if (!status) status = jc_alloc_zero(a, n_sets, 1, WHAT, &has);
    if (!status) status = mark_sets(g, labels, n_labels, has);
    if (!status) {
        int64_t end = jc_paths_stay(p) || !p->there ? -1 : jc_paths_target(p);
        sweep(&p->walk, has, least, most);
        *fewest = end >= 0 ? least[end] : p->there ? 0 : -1;
        *largest = end >= 0 ? most[end] : p->there ? 0 : -1;
    }
    if (has) jc_free(a, has, n_sets, 1);
    if (most) jc_free(a, most, n, sizeof *most);
    jc_free(a, least, n, sizeof *least);
    return status;
}

jc_status jc_paths_uses(const jc_graph *graph, const jc_query *query, const char *const *labels, int64_t n_labels,
                        int64_t *fewest, int64_t *most)
{
    jc_paths *paths;
    jc_status status = jc_paths_create(graph, query, &paths);
    if (status) return status;
    status = find(paths, labels, n_labels, fewest, most);
    jc_paths_destroy(paths);
    return status;
}
