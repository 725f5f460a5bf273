/* Whether the order of --plan-in is one of the query. */
#include <stdlib.h>
#include <string.h>

#include "cli/order_file.h"
#include "plan/plan.h"

enum { SHOWN = 3, TEXT_BYTES = 400, LIST_BYTES = 2 * TEXT_BYTES };

/* What stands in one list and not in the other: the first few in words. */
typedef struct difference {
    int64_t count;
    char text[LIST_BYTES];
} difference;

/* "h, state 2", "the inner vector of edge 7" */
static void add(difference *d, const jc_graph *graph, const jc_vertex *v)
{
    size_t used = strlen(d->text);
    if (d->count++ >= SHOWN) return;
    char *out = d->text + used, name[TEXT_BYTES / SHOWN];
    size_t room = sizeof d->text - used;
    const char *comma = used ? ", " : "";
    if (v->variable < 0) {
        snprintf(out, room, "%sthe inner vector of edge %lld", comma, (long long)(-1 - v->variable));
        return;
    }
    jc_graph_variable_name(graph, v->variable, name, sizeof name);
    if (v->state)
        snprintf(out, room, "%s%s in state %lld", comma, name, (long long)v->state);
    else
        snprintf(out, room, "%s%s", comma, name);
}

static void end(difference *d)
{
    size_t used = strlen(d->text);
    if (d->count > SHOWN)
        snprintf(d->text + used, sizeof d->text - used, " and %lld more", (long long)(d->count - SHOWN));
}

static int compare(const void *a, const void *b)
{
    const jc_vertex *x = a, *y = b;
    if (x->variable != y->variable) return x->variable < y->variable ? -1 : 1;
    return x->state == y->state ? 0 : x->state < y->state ? -1 : 1;
}

static jc_vertex *sorted(const jc_vertex *list, int64_t n)
{
    jc_vertex *copy = jc_cli_alloc(n, sizeof *copy);
    if (n) memcpy(copy, list, (size_t)n * sizeof *copy);
    qsort(copy, (size_t)n, sizeof *copy, compare);
    return copy;
}

/* missing: of `needed`, not in `given`; surplus: the other way round, and what stands twice. */
static void subtract(const jc_graph *graph, const jc_vertex *needed, int64_t n, const jc_vertex *given, int64_t m,
                     difference *missing, difference *surplus)
{
    jc_vertex *a = sorted(needed, n), *b = sorted(given, m);
    int64_t i = 0, j = 0;
    while (i < n || j < m) {
        int order = i == n ? 1 : j == m ? -1 : compare(&a[i], &b[j]);
        if (order < 0) add(missing, graph, &a[i]);
        if (order > 0) add(surplus, graph, &b[j]);
        i += order <= 0;
        j += order >= 0;
    }
    end(missing);
    end(surplus);
    free(b);
    free(a);
}

static bool are_same(const jc_cli_shared *s, const jc_graph *graph, const char *what, const jc_vertex *needed,
                     int64_t n, const jc_vertex *given, int64_t m, int *exit_code)
{
    difference missing = {0}, surplus = {0};
    subtract(graph, needed, n, given, m, &missing, &surplus);
    if (!missing.count && !surplus.count) return true;
    *exit_code =
        jc_cli_usage_error(s->command, "%s is not an order of this query: %s %s%s%s%s%s", s->plan_in, what,
                           missing.count ? "lacks " : "", missing.text, missing.count && surplus.count ? ", and " : "",
                           surplus.count ? "has too much: " : "", surplus.text);
    return false;
}

static jc_vertex *vertices_of(const int64_t *variables, int64_t n)
{
    jc_vertex *v = jc_cli_alloc(n, sizeof *v);
    for (int64_t i = 0; i < n; i++) v[i].variable = variables[i];
    return v;
}

static bool same_variables(const jc_cli_shared *s, const jc_graph *graph, const char *what, const int64_t *needed,
                           int64_t n, const jc_cli_variables *given, int *exit_code)
{
    jc_vertex *a = vertices_of(needed, n), *b = vertices_of(given->ids, given->count);
    bool same = are_same(s, graph, what, a, n, b, given->count, exit_code);
    free(b);
    free(a);
    return same;
}

/* What the reverse sweep eliminates is what every order does; inner vectors of low_rank Jacobians, which an elimination
 * may have besides, are the plan's to judge. */
static bool same_vertices(const jc_cli_shared *s, const jc_graph *graph, const jc_plan *plan, const jc_cli_order *order,
                          int *exit_code)
{
    jc_cli_vertices needed;
    jc_status status = jc_cli_vertices_of(plan, &needed);
    if (status) {
        *exit_code = jc_cli_failed(status);
        return false;
    }
    jc_vertex *given = jc_cli_alloc(order->count, sizeof *given);
    int64_t m = 0;
    for (int64_t i = 0; i < order->count; i++)
        if (order->eliminate[i].variable >= 0 || order->order != JC_ORDER_ELIMINATION) given[m++] = order->eliminate[i];
    bool same = are_same(s, graph, "what it eliminates", needed.list, needed.count, given, m, exit_code);
    free(given);
    free(needed.list);
    return same;
}

bool jc_cli_order_fits(const jc_cli_shared *s, const jc_graph *graph, const jc_query *query, const jc_cli_order *order,
                       int *exit_code)
{
    jc_query reverse = *query;
    jc_plan *plan = NULL;
    if (!s->plan_in) return true;
    reverse.order = JC_ORDER_REVERSE;
    reverse.eliminate = NULL, reverse.n_eliminate = 0;
    reverse.limits_tape = false; /* it is not run */
    if (reverse.seed != JC_SEED_NONE && !reverse.seed_width) reverse.seed_width = 1;
    jc_status status = jc_plan_create(graph, &reverse, &plan);
    if (status) {
        *exit_code = jc_cli_failed(status);
        return false;
    }
    const jc_subgraph *g = &plan->subgraph;
    bool fits = same_variables(s, graph, "its 'of'", g->target_variable, g->n_targets, &order->of, exit_code) &&
                same_variables(s, graph, "its 'wrt'", g->source_variable, g->n_sources, &order->wrt, exit_code) &&
                same_vertices(s, graph, plan, order, exit_code);
    jc_plan_destroy(plan);
    return fits;
}

int jc_cli_order_failed(const jc_cli_shared *s, jc_status status, const char *path)
{
    if (status == JC_E_USAGE && s->plan_in) jc_fail_prefix(status, "%s: ", s->plan_in);
    return jc_cli_failed_in(status, path);
}
