/* What a plan eliminates, as vertices. */
#include <string.h>

#include "plan/plan.h"

/* Marks the nodes between others. */
static void mark_inner(const jc_subgraph *g, bool *has_in, bool *has_out)
{
    memset(has_in, 0, (size_t)g->n_nodes);
    memset(has_out, 0, (size_t)g->n_nodes);
    for (int64_t e = 0; e < g->n_edges; e++) has_in[g->of[e]] = has_out[g->wrt[e]] = true;
}

static int64_t state_of(const jc_subgraph *g, int64_t node)
{
    int64_t state = 0;
    for (int64_t v = 0; v < node; v++) state += g->variable[v] == g->variable[node];
    return state;
}

jc_status jc_plan_vertices(const jc_plan *p, jc_vertex *vertices, int64_t capacity, int64_t *count)
{
    const jc_subgraph *g = &p->subgraph;
    bool *has_in;
    int64_t n = 0;
    jc_status status = jc_alloc(&p->allocator, 2 * g->n_nodes, sizeof *has_in, "the vertices of a plan", &has_in);
    if (status) return status;
    mark_inner(g, has_in, has_in + g->n_nodes);
    for (int64_t v = 0; v < p->n_values; v++) {
        int64_t node = p->values[v].node;
        if (!has_in[node] || !has_in[g->n_nodes + node] || g->variable[node] < 0) continue;
        if (n < capacity) vertices[n] = (jc_vertex){g->variable[node], state_of(g, node)};
        n++;
    }
    jc_free(&p->allocator, has_in, 2 * g->n_nodes, sizeof *has_in);
    *count = n;
    return JC_OK;
}
