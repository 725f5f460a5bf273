/* What a drawing highlights: the paths between variables, one path. */
#include <stdlib.h>

#include "cli/draw.h"
#include "graph/graph.h"

static void set_all(bool *marks, const jc_cli_variables *list)
{
    for (int64_t i = 0; i < list->count; i++) marks[list->ids[i]] = true;
}

/* reached: the sources at first; afterwards every variable that depends on one. */
static void spread_down(const jc_graph *g, bool *reached)
{
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        for (int64_t j = g->out_start[v]; reached[v] && j < g->out_start[v + 1]; j++)
            reached[jc_graph_of(g, g->out_edges[j])] = true;
    }
}

/* needed: the targets at first; afterwards every variable that one depends on. */
static void spread_up(const jc_graph *g, bool *needed)
{
    for (int64_t i = g->n_variables - 1; i >= 0; i--) {
        int64_t v = g->topological[i];
        for (int64_t j = g->in_start[v]; needed[v] && j < g->in_start[v + 1]; j++)
            needed[jc_graph_wrt(g, g->in_edges[j])] = true;
    }
}

/* An edge is on a path from a source to a target when its wrt depends on a source and a target depends on its of. */
void jc_draw_mark_between(jc_drawing *d, const jc_cli_variables *targets, const jc_cli_variables *sources)
{
    const jc_graph *g = d->graph;
    bool *reached = jc_cli_alloc(d->n_variables, sizeof *reached),
         *needed = jc_cli_alloc(d->n_variables, sizeof *needed);
    set_all(reached, sources);
    set_all(needed, targets);
    spread_down(g, reached);
    spread_up(g, needed);
    d->node_on = jc_cli_alloc(d->n_variables, sizeof *d->node_on);
    d->edge_on = jc_cli_alloc(d->n_edges, sizeof *d->edge_on);
    for (int64_t v = 0; v < d->n_variables; v++) d->n_on += d->node_on[v] = reached[v] && needed[v];
    for (int64_t e = 0; e < d->n_edges; e++)
        d->n_edges_on += d->edge_on[e] = reached[jc_graph_wrt(g, e)] && needed[jc_graph_of(g, e)];
    free(needed);
    free(reached);
}

void jc_draw_mark_ends(jc_drawing *d, const jc_cli_variables *targets, const jc_cli_variables *sources)
{
    d->node_end = jc_cli_alloc(d->n_variables, sizeof *d->node_end);
    set_all(d->node_end, sources);
    set_all(d->node_end, targets);
}

/* Marks the edges from wrt to of; whether there is one. */
static bool mark_step(jc_drawing *d, int64_t wrt, int64_t of)
{
    const jc_graph *g = d->graph;
    bool found = false;
    for (int64_t j = g->out_start[wrt]; j < g->out_start[wrt + 1]; j++) {
        int64_t e = g->out_edges[j];
        if (jc_graph_of(g, e) != of) continue;
        d->edge_path[e] = found = true;
        d->n_path_edges++;
    }
    return found;
}

int64_t jc_draw_mark_path(jc_drawing *d, const jc_cli_variables *path)
{
    d->node_path = jc_cli_alloc(d->n_variables, sizeof *d->node_path);
    d->edge_path = jc_cli_alloc(d->n_edges, sizeof *d->edge_path);
    set_all(d->node_path, path);
    for (int64_t i = 0; i + 1 < path->count; i++) {
        if (!mark_step(d, path->ids[i], path->ids[i + 1])) return i;
    }
    return -1;
}
