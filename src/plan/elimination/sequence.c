/* An order that is given: checked. */
#include <stdio.h>

#include "core/error.h"
#include "plan/elimination/search.h"

/* "y", "y <- x" for the rank of that edge, or "node 7" for a node that the query adds. */
static const char *node_text(const jc_graph *graph, const jc_subgraph *s, int64_t node, char *text, size_t capacity)
{
    int64_t edge = s->rank_of ? s->rank_of[node] : -1;
    if (s->variable[node] >= 0)
        jc_graph_variable_name(graph, s->variable[node], text, capacity);
    else if (edge >= 0)
        jc_graph_edge_text(graph, jc_graph_of(graph, edge), jc_graph_wrt(graph, edge), text, capacity);
    else
        snprintf(text, capacity, "node %lld", (long long)node);
    return text;
}

static jc_status refuse(const jc_graph *graph, const jc_subgraph *s, int64_t node, const char *what)
{
    char text[200];
    bool rank = s->rank_of && s->rank_of[node] >= 0;
    return jc_fail(JC_E_USAGE, "this order of elimination does not fit: %s%s %s", rank ? "the rank of " : "",
                   node_text(graph, s, node, text, sizeof text), what);
}

enum { INNER = 1, TAKEN = 2 };

/* marks: [nodes] of zeros. */
static jc_status check(const jc_graph *graph, const jc_pairs *p, const int64_t *sequence, int64_t n, uint8_t *marks)
{
    for (int64_t i = 0; i < p->n_inner; i++) marks[p->inner[i]] = INNER;
    for (int64_t i = 0; i < n; i++) {
        int64_t node = sequence[i];
        if (node < 0 || node >= p->n_nodes)
            return jc_fail(JC_E_USAGE, "this order of elimination does not fit: node %lld of %lld", (long long)node,
                           (long long)p->n_nodes);
        if (!marks[node]) return refuse(graph, p->subgraph, node, "does not lie between others");
        if (marks[node] & TAKEN) return refuse(graph, p->subgraph, node, "is there twice");
        marks[node] |= TAKEN;
    }
    for (int64_t i = 0; i < p->n_inner; i++)
        if (!(marks[p->inner[i]] & TAKEN)) return refuse(graph, p->subgraph, p->inner[i], "is missing");
    return JC_OK;
}

jc_status jc_sequence_check(const jc_graph *graph, const jc_pairs *pairs, const int64_t *sequence, int64_t n)
{
    uint8_t *marks;
    jc_status status =
        jc_alloc_zero(pairs->allocator, pairs->n_nodes, sizeof *marks, "an order of elimination", &marks);
    if (status) return status;
    status = check(graph, pairs, sequence, n, marks);
    jc_free(pairs->allocator, marks, pairs->n_nodes, sizeof *marks);
    return status;
}
