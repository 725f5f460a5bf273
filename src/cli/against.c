#include "cli/against.h"

#include <stdlib.h>
#include <string.h>

#include "io/results.h"

bool jc_against_check_name(const char *path, int *exit_code)
{
    if (jc_cli_ends_with(path, ".safetensors")) return true;
    *exit_code =
        jc_cli_usage_error("check", "--against takes FILE.safetensors, whose tensors have names, not '%s'", path);
    return false;
}

/* The totals that are to be judged, out of those of the file. */
typedef struct chosen {
    int64_t n;
    int64_t *of, *wrt; /* [n] */
    jc_array *values;  /* [n] */
} chosen;

static void chosen_fini(chosen *c)
{
    free(c->values);
    free(c->wrt);
    free(c->of);
}

/* Whether each variable is in the list; an empty list has all. Owned by the caller. */
static bool *membership(const jc_graph *graph, const jc_cli_variables *list)
{
    int64_t n = jc_graph_variable_count(graph);
    bool *in = jc_cli_alloc(n, sizeof *in);
    if (!list->count) memset(in, true, (size_t)n);
    for (int64_t i = 0; i < list->count; i++) in[list->ids[i]] = true;
    return in;
}

static chosen choose(const jc_graph *graph, const jc_results_file *file, const jc_cli_variables *of,
                     const jc_cli_variables *wrt)
{
    bool *in_of = membership(graph, of), *in_wrt = membership(graph, wrt);
    chosen c = {0, jc_cli_alloc(file->n, sizeof *c.of), jc_cli_alloc(file->n, sizeof *c.wrt),
                jc_cli_alloc(file->n, sizeof *c.values)};
    for (int64_t i = 0; i < file->n; i++) {
        if (!in_of[file->of[i]] || !in_wrt[file->wrt[i]]) continue;
        c.of[c.n] = file->of[i];
        c.wrt[c.n] = file->wrt[i];
        c.values[c.n++] = file->values[i];
    }
    free(in_wrt);
    free(in_of);
    return c;
}

static bool has_pair(const chosen *c, int64_t of, int64_t wrt)
{
    for (int64_t i = 0; i < c->n; i++) {
        if (c->of[i] == of && c->wrt[i] == wrt) return true;
    }
    return false;
}

/* What both lists name must be there. */
static jc_status check_complete(const jc_graph *graph, const char *path, const chosen *c, const jc_cli_variables *of,
                                const jc_cli_variables *wrt)
{
    for (int64_t i = 0; i < of->count; i++) {
        for (int64_t j = 0; j < wrt->count; j++) {
            if (has_pair(c, of->ids[i], wrt->ids[j])) continue;
            char *of_name = jc_cli_name(graph, of->ids[i]), *wrt_name = jc_cli_name(graph, wrt->ids[j]);
            jc_status status = jc_fail(JC_E_INPUT, "%s: there is no d%s/d%s", path, of_name, wrt_name);
            free(wrt_name);
            free(of_name);
            return status;
        }
    }
    return c->n ? JC_OK : jc_fail(JC_E_INPUT, "%s: there are no totals to judge", path);
}

jc_status jc_against_judge(const jc_graph *graph, const char *path, const jc_cli_variables *of,
                           const jc_cli_variables *wrt, const jc_cli_rules *rules, jc_precision precision,
                           jc_check_report **report)
{
    jc_results_file *file = NULL;
    jc_status status = jc_results_file_open(path, graph, &file);
    if (status) return status;
    chosen c = choose(graph, file, of, wrt);
    status = check_complete(graph, path, &c, of, wrt);
    if (!status) {
        status =
            jc_check_against_rules(graph, rules->rule, rules->count, c.n, c.of, c.wrt, c.values, precision, report);
        if (status == JC_E_INPUT && !*jc_fail_part()) jc_fail_prefix(status, "%s: ", path); /* else: the graph's */
    }
    chosen_fini(&c);
    jc_results_file_close(file);
    return status;
}
