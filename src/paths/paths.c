#include "paths/paths.h"

#include "core/error.h"
#include "graph/edge_set.h"

enum { FROM_SOURCE = 1, TO_TARGET = 2, ON_PATH = 3 };

static const char *const WHAT = "the edges on paths";

static jc_status check(const jc_graph *g, int64_t of, int64_t wrt, const int64_t *edges, int64_t n_edges)
{
    if (!g->finished) return jc_fail(JC_E_USAGE, "the graph is not finished: jc_graph_finish comes before its paths");
    int64_t variable = of < 0 || of >= g->n_variables ? of : wrt;
    if (variable < 0 || variable >= g->n_variables)
        return jc_fail(JC_E_USAGE, "there is no variable number %lld (the graph has %lld)", (long long)variable,
                       (long long)g->n_variables);
    if (n_edges < 0 || (n_edges && !edges)) return jc_fail(JC_E_USAGE, "the list of edges is not there");
    for (int64_t i = 0; i < n_edges; i++)
        if (edges[i] < 0 || edges[i] >= g->n_edges)
            return jc_fail(JC_E_USAGE, "edges: there is no edge number %lld (the graph has %lld)", (long long)edges[i],
                           (long long)g->n_edges);
    return JC_OK;
}

/* Marks what the source reaches and what reaches the target. */
static void mark(const jc_paths *p, const jc_edge_set *kept, unsigned char *marks)
{
    const jc_graph *g = p->graph;
    marks[p->wrt] |= FROM_SOURCE;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        for (int64_t k = g->out_start[v]; marks[v] & FROM_SOURCE && k < g->out_start[v + 1]; k++)
            if (jc_edge_set_has(kept, g->out_edges[k])) marks[jc_graph_of(g, g->out_edges[k])] |= FROM_SOURCE;
    }
    marks[p->of] |= TO_TARGET;
    for (int64_t i = g->n_variables; i-- > 0;) {
        int64_t v = g->topological[i];
        for (int64_t k = g->in_start[v]; marks[v] == ON_PATH && k < g->in_start[v + 1]; k++)
            if (jc_edge_set_has(kept, g->in_edges[k])) marks[jc_graph_wrt(g, g->in_edges[k])] |= TO_TARGET;
    }
}

/* Lists the edges that join two variables on paths; out NULL: only counts. */
static int64_t list(const jc_paths *p, const jc_edge_set *kept, const unsigned char *marks, int64_t *out)
{
    const jc_graph *g = p->graph;
    int64_t n = 0;
    for (int64_t v = 0; v < g->n_variables; v++) {
        if (out) p->start[v] = n;
        for (int64_t k = g->out_start[v]; marks[v] == ON_PATH && k < g->out_start[v + 1]; k++) {
            int64_t e = g->out_edges[k];
            if (!jc_edge_set_has(kept, e) || marks[jc_graph_of(g, e)] != ON_PATH) continue;
            if (out) out[n] = e;
            n++;
        }
    }
    if (out) p->start[g->n_variables] = n;
    return n;
}

static jc_status build(jc_paths *p, const jc_edge_set *kept, unsigned char *marks)
{
    const jc_allocator *a = &p->allocator;
    int64_t on_path = 0;
    mark(p, kept, marks);
    p->there = marks[p->of] == ON_PATH;
    for (int64_t v = 0; v < p->graph->n_variables; v++) on_path += marks[v] == ON_PATH;
    p->max_length = on_path ? on_path - 1 : 0; /* a path meets a variable once */
    jc_status status = jc_alloc(a, p->graph->n_variables + 1, sizeof *p->start, WHAT, &p->start);
    if (status) return status;
    p->n_out = list(p, kept, marks, NULL);
    if ((status = jc_alloc(a, p->n_out, sizeof *p->out, WHAT, &p->out))) return status;
    if ((status = jc_alloc(a, p->max_length, sizeof *p->edge, "a path", &p->edge))) return status;
    if ((status = jc_alloc(a, p->max_length, sizeof *p->at, "a path", &p->at))) return status;
    list(p, kept, marks, p->out);
    return JC_OK;
}

jc_status jc_paths_create(const jc_graph *g, int64_t of, int64_t wrt, const int64_t *edges, int64_t n_edges,
                          jc_paths **paths)
{
    jc_paths *p;
    jc_edge_set kept = {NULL, 0};
    unsigned char *marks = NULL;
    jc_status status = check(g, of, wrt, edges, n_edges);
    if (!status) status = jc_alloc_zero(&g->allocator, 1, sizeof *p, WHAT, &p);
    if (status) return status;
    *p = (jc_paths){.allocator = g->allocator, .graph = g, .of = of, .wrt = wrt};
    status = jc_edge_set_init(&kept, g, edges, n_edges);
    if (!status) status = jc_alloc_zero(&g->allocator, g->n_variables, 1, "marks of the variables", &marks);
    if (!status) status = build(p, &kept, marks);
    jc_free(&g->allocator, marks, g->n_variables, 1);
    jc_edge_set_fini(&kept, g);
    if (status)
        jc_paths_destroy(p);
    else
        *paths = p;
    return status;
}

void jc_paths_destroy(jc_paths *p)
{
    if (!p) return;
    jc_allocator a = p->allocator;
    jc_free(&a, p->start, p->graph->n_variables + 1, sizeof *p->start);
    jc_free(&a, p->out, p->n_out, sizeof *p->out);
    jc_free(&a, p->edge, p->max_length, sizeof *p->edge);
    jc_free(&a, p->at, p->max_length, sizeof *p->at);
    jc_free(&a, p->count, p->count_bytes, 1);
    jc_free(&a, p, 1, sizeof *p);
}

/* ---- listing ----------------------------------------------------------------------------------------------------- */

/* Goes on from v by the first edge of each variable until the target. */
static void descend(jc_paths *p, int64_t v)
{
    while (v != p->of) {
        int64_t i = p->length++;
        p->at[i] = p->start[v];
        p->edge[i] = p->out[p->at[i]];
        v = jc_graph_of(p->graph, p->edge[i]);
    }
}

/* Takes the next edge at the last variable that has one; false: the path was the last. */
static bool advance(jc_paths *p)
{
    while (p->length) {
        int64_t i = p->length - 1, v = jc_graph_wrt(p->graph, p->edge[i]);
        if (p->at[i] + 1 < p->start[v + 1]) {
            p->edge[i] = p->out[++p->at[i]];
            descend(p, jc_graph_of(p->graph, p->edge[i]));
            return true;
        }
        p->length = i;
    }
    return false;
}

int jc_paths_next(jc_paths *p, const int64_t **edges, int64_t *n_edges)
{
    if (p->done || !p->there) return 0;
    if (!p->begun)
        descend(p, p->wrt);
    else if (!advance(p))
        p->done = true;
    p->begun = true;
    if (p->done) return 0;
    *edges = p->edge;
    *n_edges = p->length;
    return 1;
}
