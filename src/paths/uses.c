/* How many edges with a label the paths use, at least and at most:
 *   fewest(source) = 0,  fewest(v) = min over the edges v <- u of fewest(u) + [the edge has the label];  most: max
 * and likewise from the target back. */
#include "paths/uses.h"

#include "core/error.h"
#include "core/size.h"

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

/* Edges are sorted by the node that they lead to and nodes are in topological order. */
static void sweep(jc_path_uses *u, bool from_source)
{
    const jc_walk *w = u->walk;
    for (int64_t v = 0; v < w->n_nodes; v++) u->fewest[v] = INT64_MAX;
    u->fewest[from_source ? w->source[0] : w->target[0]] = 0;
    for (int64_t k = 0; k < w->n_edges; k++) {
        int64_t i = from_source ? k : w->n_edges - 1 - k, use = jc_path_uses_of(u, i);
        int64_t from = from_source ? w->wrt[i] : w->of[i], to = from_source ? w->of[i] : w->wrt[i];
        u->fewest[to] = jc_min(u->fewest[to], u->fewest[from] + use);
        u->most[to] = jc_max(u->most[to], u->most[from] + use);
    }
}

jc_status jc_path_uses_create(const jc_paths *p, const char *const *labels, int64_t n_labels, bool from_source,
                              jc_path_uses *uses)
{
    const jc_allocator *a = &p->allocator;
    const jc_walk *w = &p->walk;
    jc_path_uses u = {.walk = w, .end = jc_paths_stay(p) || !from_source ? w->source[0] : w->target[0]};
    jc_status status = jc_alloc_zero(a, w->graph->label_sets.count, 1, WHAT, &u.has);
    if (!status) status = jc_alloc_zero(a, w->n_nodes, sizeof *u.fewest, WHAT, &u.fewest);
    if (!status) status = jc_alloc_zero(a, w->n_nodes, sizeof *u.most, WHAT, &u.most);
    if (!status) status = mark_sets(w->graph, labels, n_labels, u.has);
    if (status) {
        jc_path_uses_fini(a, &u);
        return status;
    }
    if (p->there && !jc_paths_stay(p)) sweep(&u, from_source);
    *uses = u;
    return JC_OK;
}

void jc_path_uses_fini(const jc_allocator *a, jc_path_uses *u)
{
    jc_free(a, u->has, u->walk->graph->label_sets.count, 1);
    jc_free(a, u->fewest, u->walk->n_nodes, sizeof *u->fewest);
    jc_free(a, u->most, u->walk->n_nodes, sizeof *u->most);
}
