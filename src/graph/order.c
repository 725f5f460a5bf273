/* Ending a graph: edges by their ends, a topological order, or the cycle that forbids one. */
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "graph/build.h"

enum { CYCLE_NAMES = 8, CYCLE_NAME_BYTES = 64, CYCLE_BYTES = 1024 };

/* Counting sort: edges [start[v], start[v+1]) of list are those with key v, in the order of their numbers. */
static void sort_edges(const int64_t *key, int64_t n_edges, int64_t n, int64_t *start, int64_t *list)
{
    memset(start, 0, (size_t)(n + 1) * sizeof *start);
    for (int64_t e = 0; e < n_edges; e++) start[key[e] + 1]++;
    for (int64_t v = 0; v < n; v++) start[v + 1] += start[v];
    for (int64_t e = 0; e < n_edges; e++) list[start[key[e]]++] = e;
    memmove(start + 1, start, (size_t)n * sizeof *start); /* each start has moved to its end */
    start[0] = 0;
}

/* Kahn (1962), first come first served: order[0 .. result) are the variables that no cycle leads to. pending [n]: the
 * in-edges from variables that are not in the order; left non-zero for all others. */
static int64_t order_variables(const jc_graph *g, int64_t *order, int64_t *pending)
{
    int64_t n = g->n_variables, n_ordered = 0;
    for (int64_t v = 0; v < n; v++) {
        pending[v] = g->in_start[v + 1] - g->in_start[v];
        if (!pending[v]) order[n_ordered++] = v;
    }
    for (int64_t i = 0; i < n_ordered; i++) {
        int64_t u = order[i];
        for (int64_t k = g->out_start[u]; k < g->out_start[u + 1]; k++) {
            int64_t v = jc_graph_of(g, g->out_edges[k]);
            if (--pending[v] == 0) order[n_ordered++] = v;
        }
    }
    return n_ordered;
}

/* The variable that v, itself without a place in the order, first depends on that has no place either. */
static int64_t unordered_input(const jc_graph *g, const int64_t *pending, int64_t v)
{
    int64_t k = g->in_start[v];
    while (pending[jc_graph_wrt(g, g->in_edges[k])] == 0) k++;
    return jc_graph_wrt(g, g->in_edges[k]);
}

/* A variable on a cycle: going back from any that is not ordered, the first that is met twice. Marks with -1. */
static int64_t find_on_cycle(const jc_graph *g, int64_t *pending)
{
    int64_t v = 0;
    while (pending[v] == 0) v++;
    while (pending[v] != -1) {
        pending[v] = -1;
        v = unordered_input(g, pending, v);
    }
    return v;
}

/* "a <- c <- b <- a"; long cycles end in "...". */
static jc_status fail_cycle(const jc_graph *g, int64_t *pending)
{
    char text[CYCLE_BYTES], name[CYCLE_NAME_BYTES];
    int64_t first = find_on_cycle(g, pending), v = first, length = 0;
    size_t used = 0;
    do {
        if (length < CYCLE_NAMES) {
            jc_graph_variable_name(g, v, name, sizeof name);
            used += (size_t)snprintf(text + used, sizeof text - used, "%s <- ", name);
        }
        v = unordered_input(g, pending, v);
        length++;
    } while (v != first);
    jc_graph_variable_name(g, first, name, sizeof name);
    return jc_fail_at(JC_E_INPUT, "edges", -1, "the graph has a cycle of %lld variables: %s%s", (long long)length, text,
                      length > CYCLE_NAMES ? "..." : name);
}

/* The edges by their ends and the order; on failure the graph is as before. */
static jc_status order_graph(jc_graph *g)
{
    const jc_allocator *a = &g->allocator;
    int64_t n = g->n_variables, n_edges = g->n_edges, *pending = NULL;
    jc_status status;
    if ((status = jc_alloc(a, n + 1, sizeof(int64_t), "edges", &g->in_start))) return status;
    if ((status = jc_alloc(a, n_edges, sizeof(int64_t), "edges", &g->in_edges))) goto free_in_start;
    if ((status = jc_alloc(a, n + 1, sizeof(int64_t), "edges", &g->out_start))) goto free_in_edges;
    if ((status = jc_alloc(a, n_edges, sizeof(int64_t), "edges", &g->out_edges))) goto free_out_start;
    if ((status = jc_alloc(a, n, sizeof(int64_t), "the order", &g->topological))) goto free_out_edges;
    if ((status = jc_alloc(a, n, sizeof(int64_t), "the order", &pending))) goto free_topological;
    sort_edges(g->of.data, n_edges, n, g->in_start, g->in_edges);
    sort_edges(g->wrt.data, n_edges, n, g->out_start, g->out_edges);
    if (order_variables(g, g->topological, pending) < n) status = fail_cycle(g, pending);
    jc_free(a, pending, n, sizeof(int64_t));
    if (!status) return JC_OK;
free_topological:
    jc_free(a, g->topological, n, sizeof(int64_t));
free_out_edges:
    jc_free(a, g->out_edges, n_edges, sizeof(int64_t));
free_out_start:
    jc_free(a, g->out_start, n + 1, sizeof(int64_t));
free_in_edges:
    jc_free(a, g->in_edges, n_edges, sizeof(int64_t));
free_in_start:
    jc_free(a, g->in_start, n + 1, sizeof(int64_t));
    g->topological = g->out_edges = g->out_start = g->in_edges = g->in_start = NULL;
    return status;
}

jc_status jc_graph_finish(jc_graph *graph)
{
    if (!graph) return jc_fail(JC_E_USAGE, "jc_graph_finish: no graph");
    if (graph->finished) return jc_fail(JC_E_USAGE, "the graph is finished already");
    jc_status status = order_graph(graph);
    if (status) return status;
    jc_vec *grown[] = {&graph->sizes, &graph->name_offsets, &graph->name_bytes, &graph->of,
                       &graph->wrt,   &graph->edge_group,   &graph->groups,     &graph->set_labels};
    for (size_t i = 0; i < sizeof grown / sizeof grown[0]; i++) jc_vec_trim(&graph->allocator, grown[i]);
    graph->finished = true;
    return JC_OK;
}
