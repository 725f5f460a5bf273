#include "graph/derive.h"

#include "core/size.h"

static const char *const WHAT = "a part of a graph";

/* Members [member, member + n) of a group as a group of their own. */
static jc_group run_of(const jc_group *group, int64_t member, int64_t n, int64_t first_edge)
{
    jc_group run = *group;
    run.first_edge = first_edge, run.n_edges = n;
    run.label_set = 0, run.ragged = -1;
    if (run.scales) run.scales += member;
    for (int f = 0; f < jc_kinds[run.shape.kind].n_fields; f++)
        if (run.field[f].data) run.field[f].data += member * run.field[f].stride;
    return run;
}

/* Appends edges [first, first + n) of g, all of one group. */
static jc_status append_run(const jc_graph *g, int64_t first, int64_t n, jc_graph *d)
{
    const jc_allocator *a = &d->allocator;
    const jc_group *group = jc_graph_group(g, first);
    jc_group run = run_of(group, first - group->first_edge, n, d->n_edges);
    int64_t number = d->groups.count;
    jc_status status = jc_vec_append(a, &d->of, (const int64_t *)g->of.data + first, n, WHAT);
    if (!status) status = jc_vec_append(a, &d->wrt, (const int64_t *)g->wrt.data + first, n, WHAT);
    if (!status) status = jc_vec_append(a, &d->groups, &run, 1, WHAT);
    for (int64_t i = 0; i < n && !status; i++) status = jc_vec_append(a, &d->edge_group, &number, 1, WHAT);
    if (!status) d->n_edges += n;
    return status;
}

static jc_status append_kept(const jc_graph *g, const bool *keep, jc_graph *d)
{
    jc_status status = JC_OK;
    for (int64_t e = 0, n; e < g->n_edges && !status; e += jc_max(n, 1)) {
        const jc_group *group = jc_graph_group(g, e);
        int64_t end = group->first_edge + group->n_edges;
        for (n = 0; e + n < end && keep[e + n];) n++;
        if (n) status = append_run(g, e, n, d);
    }
    return status;
}

jc_status jc_graph_derive(const jc_graph *g, const bool *keep, jc_graph **derived)
{
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &g->allocator};
    jc_array sizes = jc_array_1d(JC_I64, g->n_variables, g->sizes.data);
    jc_graph *d;
    jc_status status = jc_graph_create(&options, &d);
    if (status) return status;
    status = jc_graph_add_variables(d, "v", &sizes);
    if (!status) status = append_kept(g, keep, d);
    if (status)
        jc_graph_destroy(d);
    else
        *derived = d;
    return status;
}
