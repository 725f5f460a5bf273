#include "plan/sweep.h"

#include <string.h>

#include "core/size.h"
#include "core/sort.h"

const jc_group *jc_subgraph_jacobian(const jc_graph *graph, const jc_subgraph *subgraph, int64_t b, int64_t *member)
{
    if (b < 0) {
        const jc_operand *operand = jc_subgraph_operand(subgraph, b);
        *member = operand ? operand->member : 0;
        return jc_subgraph_own_group(subgraph, operand ? -1 - subgraph->n_extra - operand->made : b);
    }
    const jc_group *group = jc_graph_group(graph, b);
    *member = b - group->first_edge;
    return group;
}

/* start, edges: the edges by the node whose rows they add to. */
static jc_status sort_edges(jc_sweep *s)
{
    const jc_subgraph *g = s->subgraph;
    jc_status status = jc_alloc(s->allocator, g->n_nodes + 1, sizeof *s->start, "edges by node", &s->start);
    if (!status) status = jc_alloc(s->allocator, g->n_edges, sizeof *s->edges, "edges by node", &s->edges);
    if (status) return status;
    return jc_sort_by_key(s->allocator, s->reverse ? g->wrt : g->of, g->n_nodes, NULL, g->n_edges, s->edges, s->start);
}

static jc_status number_seeds(jc_sweep *s)
{
    const jc_subgraph *g = s->subgraph;
    const int64_t *seeds = s->reverse ? g->target : g->source;
    int64_t n_folds = s->folds ? s->folds->n : 0;
    s->n_ends = s->reverse ? g->n_targets : g->n_sources;
    s->n_seeds = s->n_ends + n_folds;
    jc_status status = jc_alloc(s->allocator, s->n_seeds, sizeof *s->seed_rows, "rows of the seeds", &s->seed_rows);
    if (!status) status = jc_alloc(s->allocator, n_folds, sizeof *s->fold_end, "rows of the seeds", &s->fold_end);
    if (!status) status = jc_alloc(s->allocator, g->n_nodes, sizeof *s->seed_of, "seeds by node", &s->seed_of);
    if (status) return status;
    for (int64_t v = 0; v < g->n_nodes; v++) s->seed_of[v] = -1;
    for (int64_t i = 0; i < n_folds; i++) {
        s->seed_rows[s->n_ends + i] = s->folds->fold[i].w;
        s->fold_end[i] = s->folds->fold[i].source;
    }
    for (int64_t i = 0; i < s->n_ends; i++) {
        s->seed_rows[i] = seeds[i] < 0 ? 0 : g->size[seeds[i]];
        if (seeds[i] >= 0) s->seed_of[seeds[i]] = i;
    }
    return jc_rowsets_init(&s->sets, s->allocator, s->seed_rows, s->n_seeds);
}

/* Multiply-adds of one edge: its computed rows times the cost of a row; an identity only costs an operator, since the
 * callback must still be applied to every row of it. */
static int64_t edge_cost(const jc_sweep *s, int64_t edge, int64_t from)
{
    int64_t member, seed = s->seed_of[from];
    const jc_group *group = jc_subgraph_jacobian(s->graph, s->subgraph, s->subgraph->jacobian[edge], &member);
    int64_t rows = jc_rowsets_at(&s->sets, s->set[from])->rows;
    if (seed >= 0 && group->shape.kind == JC_OPERATOR) rows = jc_cost_add(rows, s->seed_rows[seed]);
    if (!rows) return 0;
    return jc_cost_mul(rows, jc_group_cost(group, member, s->reverse ? JC_ADJOINT : JC_TANGENT));
}

/* The sources in place of their folds; each set's is formed once. */
static jc_status unfold(jc_sweep *s, int64_t set, int64_t *unfolded)
{
    if (!set || !s->folds || !s->folds->n) return *unfolded = set, JC_OK;
    int64_t missing = s->sets.sets.count - s->unfolded.count;
    if (missing > 0) {
        int64_t from = s->unfolded.count;
        jc_status status = jc_vec_append(s->allocator, &s->unfolded, NULL, missing, "folds of sets");
        if (status) return status;
        memset((int64_t *)s->unfolded.data + from, -1, (size_t)missing * sizeof(int64_t));
    }
    int64_t known = ((int64_t *)s->unfolded.data)[set];
    if (known >= 0) return *unfolded = known, JC_OK;
    jc_status status = jc_rowsets_replace(&s->sets, set, s->n_ends, s->fold_end, unfolded);
    if (!status) ((int64_t *)s->unfolded.data)[set] = *unfolded;
    return status;
}

/* What an edge brings: the rows computed at its node, and the identity, or the fold of it, where that is a seed. */
static jc_status handed_on(jc_sweep *s, int64_t edge, int64_t *set)
{
    int64_t node = jc_sweep_from(s, edge), own, fold = -1;
    jc_status status = JC_OK;
    *set = s->set[node];
    if (!s->reverse && s->folds && s->folds->n) {
        fold = jc_folds_begun(s->folds, s->graph, s->subgraph, edge);
        if (!jc_edge_keeps_folds(s->graph, s->subgraph, edge)) status = unfold(s, *set, set);
    }
    if (status || s->seed_of[node] < 0) return status;
    status = jc_rowsets_single(&s->sets, fold < 0 ? s->seed_of[node] : s->n_ends + fold, &own);
    return status ? status : jc_rowsets_unite(&s->sets, *set, own, set);
}

/* A node whose rows must be plain, or that has a source both folded and not, has no folds. */
static jc_status settle(jc_sweep *s, int64_t node, int64_t *set)
{
    int64_t unfolded;
    jc_status status = unfold(s, *set, &unfolded);
    if (status || unfolded == *set) return status;
    bool mixed = jc_rowsets_at(&s->sets, unfolded)->count < jc_rowsets_at(&s->sets, *set)->count;
    if (mixed || s->folds->plain[node]) *set = unfolded;
    return JC_OK;
}

/* Rows, level and cost of one node from those it is reached from. */
static jc_status visit(jc_sweep *s, int64_t node)
{
    int64_t set = 0, level = 0;
    for (int64_t k = s->start[node]; k < s->start[node + 1]; k++) {
        int64_t from = jc_sweep_from(s, s->edges[k]), handed;
        jc_status status = handed_on(s, s->edges[k], &handed);
        if (!status) status = jc_rowsets_unite(&s->sets, set, handed, &set);
        if (status) return status;
        if (s->set[from]) level = jc_max(level, s->level[from] + 1);
        s->cost = jc_cost_add(s->cost, edge_cost(s, s->edges[k], from));
    }
    jc_status status = settle(s, node, &set);
    if (status) return status;
    s->set[node] = set;
    s->level[node] = level;
    if (!set) return JC_OK;
    s->n_levels = jc_max(s->n_levels, level + 1);
    s->entries = jc_cost_add(s->entries, jc_cost_mul(jc_rowsets_at(&s->sets, set)->rows, s->subgraph->size[node]));
    return JC_OK;
}

static jc_status run_sweep(jc_sweep *s, int64_t budget)
{
    int64_t n = s->subgraph->n_nodes;
    jc_status status = sort_edges(s);
    if (!status) status = number_seeds(s);
    if (!status) status = jc_alloc(s->allocator, n, sizeof *s->set, "rows by node", &s->set);
    if (!status) status = jc_alloc(s->allocator, n, sizeof *s->level, "levels", &s->level);
    for (int64_t i = 0; i < n && !status && !s->gave_up; i++) {
        status = visit(s, jc_sweep_node(s, i));
        s->gave_up = budget && s->sets.work > budget;
    }
    return status;
}

jc_status jc_sweep_init(jc_sweep *s, const jc_graph *graph, const jc_subgraph *subgraph, bool reverse,
                        const jc_folds *folds, int64_t budget)
{
    memset(s, 0, sizeof *s);
    s->graph = graph;
    s->subgraph = subgraph;
    s->n_nodes = subgraph->n_nodes, s->n_edges = subgraph->n_edges;
    s->allocator = &graph->allocator;
    s->sets.allocator = s->allocator;
    s->reverse = reverse;
    s->folds = folds;
    s->unfolded = jc_vec_of(sizeof(int64_t));
    jc_status status = run_sweep(s, budget);
    if (status) jc_sweep_fini(s);
    return status;
}

void jc_sweep_fini(jc_sweep *s)
{
    int64_t n = s->n_nodes;
    jc_rowsets_fini(&s->sets);
    jc_vec_free(s->allocator, &s->unfolded);
    jc_free(s->allocator, s->fold_end, s->n_seeds - s->n_ends, sizeof *s->fold_end);
    jc_free(s->allocator, s->seed_rows, s->n_seeds, sizeof *s->seed_rows);
    jc_free(s->allocator, s->seed_of, n, sizeof *s->seed_of);
    jc_free(s->allocator, s->start, n + 1, sizeof *s->start);
    jc_free(s->allocator, s->edges, s->n_edges, sizeof *s->edges);
    jc_free(s->allocator, s->set, n, sizeof *s->set);
    jc_free(s->allocator, s->level, n, sizeof *s->level);
    memset(s, 0, sizeof *s);
}
