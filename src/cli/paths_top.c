/* paths --top: the paths of largest norm. */
#include <string.h>

#include "cli/paths.h"

static jc_status take(jc_path_report *r, const jc_top *top, int64_t n, bool scalar)
{
    r->paths = jc_cli_alloc(n, sizeof *r->paths);
    for (int64_t i = 0; i < n; i++) {
        jc_top_path path;
        jc_status status = jc_top_get_path(top, i, &path);
        if (status) return status;
        jc_listed_path *p = &r->paths[r->n_paths++];
        p->edges = jc_cli_alloc(path.n_edges, sizeof *p->edges);
        p->n_edges = path.n_edges;
        if (path.n_edges) memcpy(p->edges, path.edges, (size_t)path.n_edges * sizeof *p->edges);
        p->norm = (jc_measure){true, path.norm};
        p->share = jc_path_ratio(path.norm, r->norm.value);
        p->contribution = (jc_measure){scalar, path.value};
    }
    return JC_OK;
}

jc_status jc_path_find_top(jc_path_report *r, const jc_query *query, int64_t k, int64_t search_limit, bool spectral)
{
    jc_top_info info = {.struct_size = sizeof info};
    jc_top *top = NULL;
    jc_cli_meter meter;
    jc_progress progress = jc_cli_meter_begin(&meter, r->shared->quiet, "looking for the paths of largest norm");
    jc_top_options options = {.struct_size = sizeof options,
                              .spectral = spectral,
                              .search_limit = search_limit,
                              .memory_limit = r->shared->memory_limit,
                              .progress = progress};
    jc_status status = jc_paths_top(r->graph, query, k, &options, &top);
    jc_cli_meter_end(&meter);
    if (!status) status = jc_top_get_info(top, &info);
    if (!status) {
        r->top = true;
        r->exact = info.exact, r->all_seen = info.all_seen;
        r->unseen_bound = info.unseen_bound;
        r->looked_at = info.looked_at;
        status = take(r, top, info.paths, info.scalar);
    }
    jc_top_destroy(top);
    return status;
}
