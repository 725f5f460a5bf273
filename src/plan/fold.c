#include "plan/fold.h"

#include <string.h>

#include "plan/sweep.h"

static const char *const WHAT = "the folds of a plan";

static const jc_group *group_of(const jc_graph *g, const jc_subgraph *s, int64_t edge)
{
    int64_t member;
    return jc_subgraph_jacobian(g, s, s->jacobian[edge], &member);
}

/* W of the tangent that an edge begins: h x w; false: it begins none. */
static bool weight_of(const jc_group *group, jc_fold *fold)
{
    const jc_shape *s = &group->shape;
    if ((s->kind != JC_WEIGHT && s->kind != JC_TRACE) || jc_group_only_structure(group)) return false;
    if (s->transpose || s->batch != 1 || s->inner != 1) return false;
    fold->h = s->p / s->m;
    fold->w = s->q / fold->h;
    return fold->h > 1;
}

bool jc_edge_keeps_folds(const jc_graph *g, const jc_subgraph *s, int64_t edge)
{
    const jc_group *group = group_of(g, s, edge);
    jc_kind kind = group->shape.kind;
    return (kind == JC_DIAGONAL || kind == JC_IDENTITY) && !jc_group_only_structure(group);
}

/* The kinds whose products take the entries of a fold one by one. A seed of rows, whose numbers come later, is dense.
 */
static bool takes_folds(const jc_graph *g, const jc_subgraph *s, int64_t edge)
{
    const jc_group *group = group_of(g, s, edge);
    jc_kind kind = group->shape.kind;
    if (s->jacobian[edge] >= 0 && jc_group_only_structure(group)) return false;
    return kind == JC_DIAGONAL || kind == JC_IDENTITY || (kind == JC_DENSE && group->shape.inner == 1);
}

int64_t jc_folds_begun(const jc_folds *folds, const jc_graph *g, const jc_subgraph *s, int64_t edge)
{
    jc_fold fold;
    int64_t f = folds->n ? folds->of_node[s->wrt[edge]] : -1;
    if (f < 0 || !weight_of(group_of(g, s, edge), &fold)) return -1;
    return fold.h == folds->fold[f].h && fold.w == folds->fold[f].w ? f : -1;
}

/* Whether the weight of `edge` has more rows than that of `other`, or there is no other. */
static bool folds_more(const jc_graph *g, const jc_subgraph *s, int64_t edge, int64_t other)
{
    jc_fold a, b;
    if (!weight_of(group_of(g, s, edge), &a)) return false;
    return other == INT64_MAX || (weight_of(group_of(g, s, other), &b) && a.h > b.h);
}

/* Of the weights out of each source, as which one it is folded: of_node is that edge here, INT64_MAX: none. */
static int64_t find_weights(const jc_folds *folds, const jc_graph *g, const jc_subgraph *s)
{
    int64_t n = 0;
    for (int64_t v = 0; v < s->n_nodes; v++) folds->of_node[v] = -1;
    for (int64_t i = 0; i < s->n_sources; i++)
        if (s->source[i] >= 0) folds->of_node[s->source[i]] = INT64_MAX;
    for (int64_t e = 0; e < s->n_edges; e++) {
        int64_t *of = &folds->of_node[s->wrt[e]];
        if (*of < 0 || !folds_more(g, s, e, *of)) continue;
        n += *of == INT64_MAX;
        *of = e;
    }
    return n;
}

static void number_folds(jc_folds *folds, const jc_graph *g, const jc_subgraph *s)
{
    for (int64_t i = 0; i < s->n_sources; i++) {
        int64_t node = s->source[i], edge = node < 0 ? -1 : folds->of_node[node];
        if (node < 0) continue;
        folds->of_node[node] = -1;
        if (edge == INT64_MAX) continue;
        jc_fold *fold = &folds->fold[folds->n];
        weight_of(group_of(g, s, edge), fold);
        fold->source = i;
        folds->of_node[node] = folds->n++;
    }
}

/* Targets are read row by row, and some Jacobians take whole rows only. */
static void mark_plain(const jc_folds *folds, const jc_graph *g, const jc_subgraph *s)
{
    memset(folds->plain, 0, (size_t)s->n_nodes * sizeof *folds->plain);
    for (int64_t i = 0; i < s->n_targets; i++)
        if (s->target[i] >= 0) folds->plain[s->target[i]] = true;
    for (int64_t e = 0; e < s->n_edges; e++)
        if (!takes_folds(g, s, e)) folds->plain[s->wrt[e]] = true;
}

jc_status jc_folds_init(jc_folds *folds, const jc_graph *g, const jc_subgraph *s)
{
    const jc_allocator *a = &g->allocator;
    jc_folds f = {.n_nodes = s->n_nodes};
    int64_t n = 0;
    jc_status status = jc_alloc(a, s->n_nodes, sizeof *f.of_node, WHAT, &f.of_node);
    if (status) return status;
    n = find_weights(&f, g, s);
    if (n) status = jc_alloc(a, n, sizeof *f.fold, WHAT, &f.fold);
    if (n && !status) status = jc_alloc(a, s->n_nodes, sizeof *f.plain, WHAT, &f.plain);
    if (!n || status) {
        jc_free(a, f.fold, n, sizeof *f.fold);
        jc_free(a, f.of_node, s->n_nodes, sizeof *f.of_node);
        if (!status) memset(folds, 0, sizeof *folds);
        return status;
    }
    number_folds(&f, g, s);
    mark_plain(&f, g, s);
    *folds = f;
    return JC_OK;
}

void jc_folds_fini(const jc_allocator *a, jc_folds *f)
{
    jc_free(a, f->fold, f->n, sizeof *f->fold);
    jc_free(a, f->of_node, f->of_node ? f->n_nodes : 0, sizeof *f->of_node);
    jc_free(a, f->plain, f->plain ? f->n_nodes : 0, sizeof *f->plain);
    memset(f, 0, sizeof *f);
}

size_t jc_folds_bytes(const jc_folds *f)
{
    return f->n ? (size_t)f->n * sizeof *f->fold + (size_t)f->n_nodes * (sizeof *f->plain + sizeof *f->of_node) : 0;
}
