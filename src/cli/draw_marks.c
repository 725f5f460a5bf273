/* What a drawing highlights: the paths between variables, one path. */
#include <stdlib.h>

#include "cli/draw.h"
#include "rules/query.h"
#include "rules/walk.h"

static void set_all(bool *marks, const jc_cli_variables *list)
{
    for (int64_t i = 0; i < list->count; i++) marks[list->ids[i]] = true;
}

/* What lies on the paths of the query. */
static void mark_walk(jc_drawing *d, const jc_walk *walk)
{
    for (int64_t i = 0; i < walk->n_nodes; i++) {
        bool *on = &d->node_on[walk->variable[i]];
        d->n_on += !*on;
        *on = true;
    }
    for (int64_t i = 0; i < walk->n_edges; i++) {
        bool *on = &d->edge_on[walk->edge[i]];
        d->n_edges_on += !*on;
        *on = true;
    }
}

jc_status jc_draw_mark_between(jc_drawing *d, const jc_cli_variables *targets, const jc_cli_variables *sources,
                               const jc_cli_rules *rules)
{
    jc_query query = JC_QUERY_INIT, checked;
    jc_walk walk;
    query.of = targets->ids, query.n_of = targets->count;
    query.wrt = sources->ids, query.n_wrt = sources->count;
    query.rules = rules->rule, query.n_rules = rules->count;
    d->node_on = jc_cli_alloc(d->n_variables, sizeof *d->node_on);
    d->edge_on = jc_cli_alloc(d->n_edges, sizeof *d->edge_on);
    if (!targets->count || !sources->count) return JC_OK;
    jc_status status = jc_query_check(d->graph, &query, &checked);
    if (!status) status = jc_walk_create(d->graph, &checked, &walk);
    if (status) return status;
    mark_walk(d, &walk);
    jc_walk_fini(&d->graph->allocator, &walk);
    return JC_OK;
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
