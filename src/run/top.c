/* The paths of largest norm: the search, and what is kept of it. */
#include <string.h>

#include "core/error.h"
#include "run/top_search.h"

struct jc_top {
    jc_allocator allocator;
    jc_top_info info;
    jc_top_path *paths; /* [info.paths] with their edges in `edges` */
    int64_t *edges;     /* [n_edges] */
    int64_t n_edges;
};

static const char *const WHAT = "paths of largest norm";

/* What a search may take unless something else is asked for: one or two seconds' work, and bytes for partial paths. */
enum { WORK_LIMIT = 500000000, MEMORY_LIMIT = 1 << 28 };

static jc_status read_options(const jc_top_options *given, jc_top_options *o)
{
    *o = (jc_top_options){.struct_size = sizeof *o};
    if (given && given->struct_size < sizeof *o) return jc_fail(JC_E_USAGE, "jc_top_options: struct_size is not set");
    if (given) memcpy(o, given, sizeof *o);
    if (o->search_limit < 0 || o->memory_limit < 0) return jc_fail(JC_E_USAGE, "a limit of the search is negative");
    return JC_OK;
}

/* ---- keeping ----------------------------------------------------------------------------------------------------- */

static jc_status allocate(jc_top *t, int64_t n_paths, int64_t n_edges)
{
    jc_status status = jc_alloc_zero(&t->allocator, n_paths, sizeof *t->paths, WHAT, &t->paths);
    if (status) return status;
    t->info.paths = n_paths;
    if ((status = jc_alloc(&t->allocator, n_edges, sizeof *t->edges, WHAT, &t->edges))) return status;
    t->n_edges = n_edges;
    return JC_OK;
}

/* Writes the edges of a whole path from the source on. */
static void write_edges(const jc_top_search *s, int64_t partial, int64_t *edges)
{
    int64_t n = jc_top_partial(s, partial)->depth;
    for (int64_t i = 0; i < n; i++, partial = jc_top_partial(s, partial)->parent)
        edges[s->bounds->forward ? n - 1 - i : i] = s->bounds->walk->edge[jc_top_partial(s, partial)->edge];
}

/* The list of the search gives the worst first. */
static jc_status take_list(jc_top *t, jc_top_search *s)
{
    int64_t n = s->listed.items.count, n_edges = 0, at = 0;
    for (int64_t i = 0; i < n; i++) n_edges += jc_top_partial(s, ((const int64_t *)s->listed.items.data)[i])->depth;
    jc_status status = allocate(t, n, n_edges);
    if (status) return status;
    for (int64_t i = n; i-- > 0;) {
        int64_t partial = jc_heap_pop(&s->listed);
        const jc_partial *p = jc_top_partial(s, partial);
        t->paths[i] = (jc_top_path){t->edges + at, p->depth, p->key, p->value};
        write_edges(s, partial, t->edges + at);
        at += p->depth;
    }
    return JC_OK;
}

/* ---- searching --------------------------------------------------------------------------------------------------- */

static jc_status search(jc_top *t, const jc_paths *paths, int64_t k, const jc_top_options *o)
{
    jc_top_bounds bounds;
    jc_status status = jc_top_bounds_create(&paths->walk, &t->allocator, &bounds);
    if (status) return status;
    jc_top_search s = {.allocator = t->allocator,
                       .bounds = &bounds,
                       .norm = o->spectral ? JC_NORM_SPECTRAL : JC_NORM_FROBENIUS,
                       .k = k,
                       .partial_limit = o->search_limit,
                       .work_limit = WORK_LIMIT,
                       .memory_limit = o->memory_limit ? o->memory_limit : MEMORY_LIMIT,
                       .progress = o->progress};
    status = jc_top_search_run(&s, paths);
    if (!status) {
        t->info.exact = jc_top_search_is_exact(&s);
        t->info.all_seen = !s.any_unseen;
        t->info.unseen_bound = s.any_unseen ? s.unseen : 0;
        t->info.looked_at = s.looked_at;
        status = take_list(t, &s);
    }
    jc_top_search_fini(&s);
    jc_top_bounds_fini(&bounds);
    return status;
}

/* Of a variable with respect to itself: the path without edges, whose product is the identity. */
static jc_status stay(jc_top *t, int64_t size, const jc_top_options *o)
{
    jc_result identity = {.rows = size, .cols = size, .kind = JC_RESULT_IDENTITY};
    jc_status status = allocate(t, 1, 0);
    if (status) return status;
    t->paths[0] = (jc_top_path){.edges = t->edges, .value = 1};
    return jc_result_norm(&t->allocator, &identity, o->spectral ? JC_NORM_SPECTRAL : JC_NORM_FROBENIUS,
                          &t->paths[0].norm);
}

static jc_status fill(jc_top *t, const jc_graph *g, const jc_query *query, int64_t k, const jc_top_options *o)
{
    jc_paths *paths;
    jc_status status = jc_paths_create(g, query, &paths);
    if (status) return status;
    int64_t of = jc_graph_size(g, paths->walk.target_variable[0]);
    int64_t wrt = jc_graph_size(g, paths->walk.source_variable[0]);
    t->info.scalar = of == 1 && wrt == 1;
    t->info.exact = t->info.all_seen = 1;
    if (paths->there) status = jc_paths_stay(paths) ? stay(t, of, o) : search(t, paths, k, o);
    jc_paths_destroy(paths);
    return status;
}

jc_status jc_paths_top(const jc_graph *graph, const jc_query *query, int64_t k, const jc_top_options *options,
                       jc_top **top)
{
    jc_top *t;
    jc_top_options o;
    jc_status status = read_options(options, &o);
    if (!status && (k < 1 || k > JC_MOST_TOP_PATHS))
        status = jc_fail(JC_E_USAGE, "from 1 to %d paths of largest norm can be asked for, not %lld", JC_MOST_TOP_PATHS,
                         (long long)k);
    if (!status) status = jc_alloc_zero(&graph->allocator, 1, sizeof *t, WHAT, &t);
    if (status) return status;
    t->allocator = graph->allocator;
    t->info.struct_size = sizeof t->info;
    status = fill(t, graph, query, k, &o);
    if (status)
        jc_top_destroy(t);
    else
        *top = t;
    return status;
}

void jc_top_destroy(jc_top *t)
{
    if (!t) return;
    jc_allocator a = t->allocator;
    if (t->edges) jc_free(&a, t->edges, t->n_edges, sizeof *t->edges);
    if (t->paths) jc_free(&a, t->paths, t->info.paths, sizeof *t->paths);
    jc_free(&a, t, 1, sizeof *t);
}

/* ---- looking ----------------------------------------------------------------------------------------------------- */

jc_status jc_top_get_info(const jc_top *top, jc_top_info *info)
{
    if (info->struct_size < sizeof *info) return jc_fail(JC_E_USAGE, "jc_top_info: struct_size is not set");
    *info = top->info;
    return JC_OK;
}

jc_status jc_top_get_path(const jc_top *top, int64_t index, jc_top_path *path)
{
    if (index < 0 || index >= top->info.paths)
        return jc_fail(JC_E_USAGE, "there is no path number %lld (there are %lld)", (long long)index,
                       (long long)top->info.paths);
    *path = top->paths[index];
    return JC_OK;
}
