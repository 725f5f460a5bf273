/* The drawing itself: names, and the groups that they say. */
#include <stdlib.h>
#include <string.h>

#include "cli/draw.h"

enum { MAX_DEPTH = 16 }; /* groups in each other; what a name has more of them belongs to its leaf */

/* "a//b/c": path "a\1b", leaf "c". Without a leaf ("a/") or a group ("/a") the name is one leaf. */
static void place_name(const char *name, int64_t variable, jc_draw_place *place)
{
    char *path = jc_cli_alloc((int64_t)strlen(name) + 1, 1), *end = path;
    const char *leaf = name, *slash;
    for (int depth = 0; depth < MAX_DEPTH && (slash = strchr(leaf, '/')); leaf = slash + 1) {
        size_t n = (size_t)(slash - leaf);
        if (!n) continue;
        if (depth++) *end++ = JC_DRAW_SEPARATOR;
        memcpy(end, leaf, n);
        end += n;
    }
    if (!*leaf) *path = '\0';
    if (!*path) leaf = name;
    *place = (jc_draw_place){variable, path, leaf};
}

/* By group, those of one in the order of their numbers. The separator is less than any byte of a name, so that a group
 * is followed by all that is inside of it. */
static int compare_places(const void *a, const void *b)
{
    const jc_draw_place *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    if (order) return order;
    return x->variable < y->variable ? -1 : 1;
}

void jc_drawing_init(jc_drawing *d, const jc_graph *graph)
{
    int64_t n = jc_graph_variable_count(graph);
    *d = (jc_drawing){.graph = graph, .n_variables = n, .n_edges = jc_graph_edge_count(graph)};
    d->name = jc_cli_alloc(n, sizeof *d->name);
    d->leaf = jc_cli_alloc(n, sizeof *d->leaf);
    d->place = jc_cli_alloc(n, sizeof *d->place);
    for (int64_t v = 0; v < n; v++) {
        d->name[v] = jc_cli_name(graph, v);
        place_name(d->name[v], v, &d->place[v]);
        d->leaf[v] = d->place[v].leaf;
        d->has_groups = d->has_groups || *d->place[v].path;
    }
    if (d->has_groups) qsort(d->place, (size_t)n, sizeof *d->place, compare_places);
}

void jc_drawing_fini(jc_drawing *d)
{
    for (int64_t v = 0; v < d->n_variables; v++) {
        free(d->place[v].path);
        free(d->name[v]);
    }
    free(d->place);
    free(d->leaf);
    free(d->name);
    free(d->node_on);
    free(d->edge_on);
    free(d->node_end);
    free(d->node_path);
    free(d->edge_path);
    free(d->scale.norm);
}
