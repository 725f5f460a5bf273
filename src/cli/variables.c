/* The variables of a command by name. */
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"
#include "graph/graph.h"

/* The variable of the name [name, name + n); says why there is none and returns -1. */
static int64_t find_variable(const jc_cli_shared *shared, const jc_graph *graph, const char *option, const char *name,
                             size_t n, int *exit_code)
{
    char *text = jc_cli_alloc((int64_t)n + 1, 1), hint[JC_GRAPH_HINT_BYTES];
    memcpy(text, name, n);
    int64_t variable = n ? jc_graph_find_variable(graph, text) : -1;
    if (variable < 0 && n) {
        *exit_code = jc_cli_usage_error(shared->command, "--%s: the graph has no variable '%s'%s", option, text,
                                        jc_graph_variable_hint(graph, text, hint));
    } else if (variable < 0) {
        *exit_code = jc_cli_usage_error(shared->command, "--%s: a name in the list is empty", option);
    }
    free(text);
    return variable;
}

static bool find_all(const jc_cli_shared *shared, const jc_graph *graph, const char *option, const char *text,
                     jc_cli_variables *list, bool *seen, int *exit_code)
{
    for (const char *p = text; p;) {
        size_t n = strcspn(p, ",");
        int64_t variable = find_variable(shared, graph, option, p, n, exit_code);
        if (variable < 0) return false;
        if (seen[variable]) {
            *exit_code = jc_cli_usage_error(shared->command, "--%s names %.*s twice", option, (int)n, p);
            return false;
        }
        seen[variable] = true;
        list->ids[list->count++] = variable;
        p = p[n] ? p + n + 1 : NULL;
    }
    return true;
}

bool jc_cli_find_variables(const jc_cli_shared *shared, const jc_graph *graph, const char *option, const char *text,
                           jc_cli_variables *variables, int *exit_code)
{
    jc_cli_variables list = {NULL, 0};
    int64_t capacity = 0;
    for (const char *p = text; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) capacity++;
    list.ids = jc_cli_alloc(capacity, sizeof *list.ids);
    bool *seen = jc_cli_alloc(jc_graph_variable_count(graph), sizeof *seen);
    bool found = find_all(shared, graph, option, text, &list, seen, exit_code);
    free(seen);
    if (!found)
        free(list.ids);
    else
        *variables = list;
    return found;
}

/* The variables of whose edges start[] counts none. */
static jc_cli_variables without_edges(const jc_graph *g, const int64_t *start)
{
    jc_cli_variables list = {jc_cli_alloc(g->n_variables, sizeof *list.ids), 0};
    for (int64_t v = 0; v < g->n_variables; v++) {
        if (start[v] == start[v + 1]) list.ids[list.count++] = v;
    }
    return list;
}

jc_cli_variables jc_cli_sources(const jc_graph *graph)
{
    return without_edges(graph, graph->in_start);
}

jc_cli_variables jc_cli_sinks(const jc_graph *graph)
{
    return without_edges(graph, graph->out_start);
}

char *jc_cli_name(const jc_graph *graph, int64_t variable)
{
    size_t bytes = jc_graph_variable_name(graph, variable, NULL, 0) + 1;
    char *name = jc_cli_alloc((int64_t)bytes, 1);
    jc_graph_variable_name(graph, variable, name, bytes);
    return name;
}

char *jc_cli_total_name(const jc_graph *graph, int64_t of, int64_t wrt)
{
    char *of_name = jc_cli_name(graph, of), *wrt_name = jc_cli_name(graph, wrt);
    size_t bytes = strlen(of_name) + strlen(wrt_name) + sizeof "d/d";
    char *name = jc_cli_alloc((int64_t)bytes, 1);
    snprintf(name, bytes, "d%s/d%s", of_name, wrt_name);
    free(wrt_name);
    free(of_name);
    return name;
}

int jc_cli_print_variables(const char *path)
{
    jc_cli_shared shared = JC_CLI_SHARED_INIT("help");
    jc_graph *graph;
    double seconds;
    int code;
    shared.quiet = true;
    if (!jc_cli_load(&shared, path, &graph, &seconds, &code)) return code;
    for (int64_t v = 0; v < jc_graph_variable_count(graph); v++) {
        char *name = jc_cli_name(graph, v);
        puts(name);
        free(name);
    }
    jc_graph_destroy(graph);
    return JC_EXIT_DONE;
}

void jc_cli_emit_name(jc_emit *e, const char *key, const jc_graph *graph, int64_t variable)
{
    char *name = jc_cli_name(graph, variable);
    jc_emit_text(e, key, name);
    free(name);
}

void jc_cli_warn_non_finite(const jc_graph *graph, int64_t n, const int64_t *edges)
{
    enum { SHOWN = 8 };
    for (int64_t i = 0; i < n && i < SHOWN; i++) {
        int64_t of, wrt;
        jc_graph_edge(graph, edges[i], &of, &wrt);
        char *of_name = jc_cli_name(graph, of), *wrt_name = jc_cli_name(graph, wrt);
        fprintf(stderr, "jacchain: edge %lld, %s <- %s, has NaN or Inf in its Jacobian\n", (long long)edges[i], of_name,
                wrt_name);
        free(wrt_name);
        free(of_name);
    }
    if (n > SHOWN) fprintf(stderr, "jacchain: so have %lld more edges\n", (long long)(n - SHOWN));
}

void jc_cli_emit_non_finite(jc_emit *e, const jc_graph *graph, int64_t n, const int64_t *edges)
{
    jc_emit_open(e, "non_finite_inputs", '[');
    for (int64_t i = 0; i < n; i++) {
        int64_t of, wrt;
        jc_graph_edge(graph, edges[i], &of, &wrt);
        jc_emit_open(e, NULL, '{');
        jc_emit_int(e, "edge", edges[i]);
        jc_cli_emit_name(e, "of", graph, of);
        jc_cli_emit_name(e, "wrt", graph, wrt);
        jc_emit_close(e, '}');
    }
    jc_emit_close(e, ']');
}
