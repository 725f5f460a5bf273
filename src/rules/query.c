#include "rules/query.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"

enum { NAME_BYTES = 120 };

/* Every variable of a list is there, and none is named twice (results would share a name). */
static jc_status check_variables(const jc_graph *g, const int64_t *list, int64_t n, const char *role)
{
    unsigned char *seen = NULL;
    char name[NAME_BYTES];
    if (n < 0 || (n && !list)) return jc_fail(JC_E_USAGE, "the list of %s is not there", role);
    jc_status status = jc_alloc_zero(&g->allocator, g->n_variables, 1, "marks of the variables", &seen);
    for (int64_t i = 0; i < n && !status; i++) {
        if (list[i] < 0 || list[i] >= g->n_variables) {
            status = jc_fail(JC_E_USAGE, "%s: there is no variable number %lld (the graph has %lld)", role,
                             (long long)list[i], (long long)g->n_variables);
        } else if (seen[list[i]]++) {
            jc_graph_variable_name(g, list[i], name, sizeof name);
            status = jc_fail(JC_E_USAGE, "%s: %s is named twice", role, name);
        }
    }
    if (seen) jc_free(&g->allocator, seen, g->n_variables, 1);
    return status;
}

/* A seed belongs to one end: rows to the only target, columns to the only source. */
static jc_status check_seed(const jc_graph *g, const jc_query *q)
{
    int64_t entries, bytes;
    if (q->seed == JC_SEED_NONE) return JC_OK;
    if (q->seed != JC_SEED_ROWS && q->seed != JC_SEED_COLUMNS) return jc_fail(JC_E_USAGE, "there is no such seed");
    bool rows = q->seed == JC_SEED_ROWS;
    if ((rows ? q->n_of : q->n_wrt) != 1)
        return jc_fail(JC_E_USAGE, "a seed of %s needs exactly one %s", rows ? "rows" : "columns",
                       rows ? "target" : "source");
    if (q->seed_width < 1) return jc_fail(JC_E_USAGE, "a seed needs a width of at least 1");
    if (q->per_sample > 1) return jc_fail(JC_E_USAGE, "per-sample totals take no seed");
    if (!jc_size_mul(q->seed_width, jc_graph_size(g, rows ? q->of[0] : q->wrt[0]), &entries) ||
        !jc_size_mul(entries, 8, &bytes))
        return jc_fail(JC_E_USAGE, "a seed of width %lld is larger than can be addressed", (long long)q->seed_width);
    return JC_OK;
}

static jc_status check_samples(const jc_graph *g, const int64_t *list, int64_t n, int64_t B)
{
    char name[NAME_BYTES];
    for (int64_t i = 0; i < n; i++) {
        if (jc_graph_size(g, list[i]) % B == 0) continue;
        jc_graph_variable_name(g, list[i], name, sizeof name);
        return jc_fail(JC_E_USAGE, "per-sample totals do not apply: the size of %s, %lld, is not a multiple of %lld",
                       name, (long long)jc_graph_size(g, list[i]), (long long)B);
    }
    return JC_OK;
}

/* Numbers of edges that are there; one may stand twice. */
static jc_status check_edges(const jc_graph *g, const jc_query *q)
{
    if (q->n_edges < 0 || (q->n_edges && !q->edges)) return jc_fail(JC_E_USAGE, "the list of edges is not there");
    for (int64_t i = 0; i < q->n_edges; i++)
        if (q->edges[i] < 0 || q->edges[i] >= g->n_edges)
            return jc_fail(JC_E_USAGE, "edges: there is no edge number %lld (the graph has %lld)",
                           (long long)q->edges[i], (long long)g->n_edges);
    return JC_OK;
}

jc_status jc_query_read(const jc_query *query, jc_query *full)
{
    jc_query q = {.struct_size = 0};
    size_t bytes = query->struct_size < sizeof q ? query->struct_size : sizeof q;
    if (bytes < offsetof(jc_query, edges)) return jc_fail(JC_E_USAGE, "jc_query: struct_size is not set");
    memcpy(&q, query, bytes);
    q.struct_size = sizeof q;
    *full = q;
    return JC_OK;
}

jc_status jc_query_check(const jc_graph *g, const jc_query *query, jc_query *checked)
{
    jc_query q;
    jc_status status = jc_query_read(query, &q);
    if (status) return status;
    if (!g->finished) return jc_fail(JC_E_USAGE, "the graph is not finished: jc_graph_finish comes before a plan");
    if ((unsigned)q.order > JC_ORDER_ELIMINATION) return jc_fail(JC_E_USAGE, "there is no such order");
    if (q.n_of < 1) return jc_fail(JC_E_USAGE, "a query needs at least one target");
    if (!(q.search_seconds >= 0)) return jc_fail(JC_E_USAGE, "the time for a search is negative");
    if (q.limits_tape && q.tape_limit < 0) return jc_fail(JC_E_USAGE, "the limit on tapes is negative");
    if (q.eliminate && q.order != JC_ORDER_ELIMINATION)
        return jc_fail(JC_E_USAGE, "an order of vertices is for an elimination");
    if (q.n_eliminate < 0 || (q.n_eliminate && !q.eliminate))
        return jc_fail(JC_E_USAGE, "the order of vertices is not there");
    if (q.per_sample < 0) return jc_fail(JC_E_USAGE, "the number of samples is negative");
    if (q.per_sample == 0) q.per_sample = 1;
    status = check_variables(g, q.of, q.n_of, "of");
    if (!status) status = check_variables(g, q.wrt, q.n_wrt, "wrt");
    if (!status) status = check_edges(g, &q);
    if (!status && (q.n_rules < 0 || (q.n_rules && !q.rules)))
        status = jc_fail(JC_E_USAGE, "the list of rules is not there");
    if (!status) status = check_seed(g, &q);
    if (!status) status = check_samples(g, q.of, q.n_of, q.per_sample);
    if (!status) status = check_samples(g, q.wrt, q.n_wrt, q.per_sample);
    if (status) return status;
    if (q.seed == JC_SEED_NONE) q.seed_width = 0;
    *checked = q;
    return JC_OK;
}
