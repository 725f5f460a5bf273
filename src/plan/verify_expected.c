#include "plan/verify_expected.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "the verifier of plans";

int64_t jc_expected_of(const jc_expected *x, int64_t edge)
{
    const jc_graph *g = x->graph;
    if (edge < g->n_edges) return jc_graph_of(g, edge);
    int64_t i = edge - g->n_edges;
    return x->addition[i].at_target ? g->n_variables + i : x->addition[i].at;
}

int64_t jc_expected_wrt(const jc_expected *x, int64_t edge)
{
    const jc_graph *g = x->graph;
    if (edge < g->n_edges) return jc_graph_wrt(g, edge);
    int64_t i = edge - g->n_edges;
    return x->addition[i].at_target ? x->addition[i].at : g->n_variables + i;
}

int64_t jc_expected_size(const jc_expected *x, int64_t variable)
{
    int64_t beyond = variable - x->graph->n_variables;
    return beyond < 0 ? jc_graph_size(x->graph, variable) : x->addition[beyond].beyond_size;
}

/* mark[v]: v is a target or has a consumer that reaches one. */
static void mark_to_target(const jc_expected *x)
{
    const jc_graph *g = x->graph;
    for (int64_t i = 0; i < x->n_targets; i++) x->mark[x->target[i]] |= JC_TO_TARGET;
    for (int64_t i = g->n_variables - 1; i >= 0; i--) {
        int64_t v = g->topological[i];
        for (int64_t k = g->out_start[v]; k < g->out_start[v + 1]; k++)
            if (!jc_expected_left_out(x, g->out_edges[k]))
                x->mark[v] |= x->mark[jc_graph_of(g, g->out_edges[k])] & JC_TO_TARGET;
    }
}

/* mark[v]: v is a source or computed from a variable that one reaches. */
static void mark_from_source(const jc_expected *x)
{
    const jc_graph *g = x->graph;
    for (int64_t i = 0; i < x->n_sources; i++) x->mark[x->source[i]] |= JC_FROM_SOURCE;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[i];
        for (int64_t k = g->in_start[v]; k < g->in_start[v + 1]; k++)
            if (!jc_expected_left_out(x, g->in_edges[k]))
                x->mark[v] |= x->mark[jc_graph_wrt(g, g->in_edges[k])] & JC_FROM_SOURCE;
    }
}

static bool is_unnamed_source(const jc_expected *x, int64_t v)
{
    return (x->mark[v] & JC_TO_TARGET) && x->graph->in_start[v] == x->graph->in_start[v + 1];
}

/* The edges that a query does not name are left out, where it names any. */
static jc_status list_left_out(jc_expected *x, const jc_query *query)
{
    if (!query->edges) return JC_OK;
    jc_status status = jc_alloc(x->allocator, x->graph->n_edges, 1, WHAT, &x->left_out);
    if (status) return status;
    memset(x->left_out, 1, (size_t)x->graph->n_edges);
    for (int64_t i = 0; i < query->n_edges; i++) x->left_out[query->edges[i]] = 0;
    return JC_OK;
}

static jc_status list_targets(jc_expected *x, const jc_query *query)
{
    jc_status status = jc_alloc(x->allocator, query->n_of, sizeof *x->target, WHAT, &x->target);
    if (status) return status;
    x->n_targets = query->n_of;
    memcpy(x->target, query->of, (size_t)query->n_of * sizeof *x->target);
    return JC_OK;
}

static jc_status list_sources(jc_expected *x, const jc_query *query)
{
    int64_t n = query->n_wrt;
    for (int64_t v = 0; !query->n_wrt && v < x->graph->n_variables; v++) n += is_unnamed_source(x, v);
    jc_status status = jc_alloc(x->allocator, n, sizeof *x->source, WHAT, &x->source);
    if (status) return status;
    if (query->n_wrt) memcpy(x->source, query->wrt, (size_t)n * sizeof *x->source);
    x->n_sources = n;
    n = 0;
    for (int64_t v = 0; !query->n_wrt && v < x->graph->n_variables; v++)
        if (is_unnamed_source(x, v)) x->source[n++] = v;
    return JC_OK;
}

/* Adds a variable beyond every end that paths use. */
static void add_at(jc_expected *x, const jc_query *query, bool at_target)
{
    const int64_t *ends = at_target ? x->target : x->source;
    int64_t n = at_target ? x->n_targets : x->n_sources;
    for (int64_t i = 0; i < n; i++) {
        if (x->mark[ends[i]] != JC_ON_PATH) continue;
        int64_t size =
            query->seed == JC_SEED_NONE ? jc_graph_size(x->graph, ends[i]) / query->per_sample : query->seed_width;
        x->addition[x->n_additions++] = (jc_addition){.at = ends[i], .beyond_size = size, .at_target = at_target};
    }
}

/* S . dT/dv is the total of a variable whose partial with respect to T is S; so is a sum over samples. */
static jc_status list_additions(jc_expected *x, const jc_query *query)
{
    bool samples = query->per_sample > 1;
    bool at_target = query->seed == JC_SEED_ROWS || (samples && !x->forward);
    bool at_source = query->seed == JC_SEED_COLUMNS || (samples && x->forward);
    x->max_additions = (at_target ? x->n_targets : 0) + (at_source ? x->n_sources : 0);
    jc_status status = jc_alloc(x->allocator, x->max_additions, sizeof *x->addition, WHAT, &x->addition);
    if (status) return status;
    if (at_target) add_at(x, query, true);
    if (at_source) add_at(x, query, false);
    x->n_variables = x->graph->n_variables + x->n_additions;
    x->n_edges = x->graph->n_edges + x->n_additions;
    return JC_OK;
}

/* The variable that stands at the end of a sweep for a variable of the query. */
static int64_t outermost(const jc_expected *x, int64_t variable, bool at_target)
{
    for (int64_t i = 0; i < x->n_additions; i++)
        if (x->addition[i].at == variable && x->addition[i].at_target == at_target) return x->graph->n_variables + i;
    return variable;
}

static jc_status list_seeded(jc_expected *x, const jc_plan *plan)
{
    const int64_t *ends = x->forward ? x->source : x->target;
    int64_t n = x->forward ? x->n_sources : x->n_targets;
    jc_status status;
    x->max_seeded = n;
    if ((status = jc_alloc(x->allocator, n, sizeof *x->seeded, WHAT, &x->seeded))) return status;
    if ((status = jc_alloc(x->allocator, n, sizeof *x->seeded_rows, WHAT, &x->seeded_rows))) return status;
    if ((status = jc_alloc(x->allocator, x->n_variables, sizeof *x->seeded_index, WHAT, &x->seeded_index)))
        return status;
    for (int64_t v = 0; v < x->n_variables; v++) x->seeded_index[v] = -1;
    for (int64_t i = 0; i < n; i++) {
        if (x->mark[ends[i]] != JC_ON_PATH) continue;
        int64_t v = outermost(x, ends[i], !x->forward), size = jc_expected_size(x, v);
        x->seeded_index[v] = x->n_seeded;
        x->seeded_rows[x->n_seeded] = plan->row_limit ? jc_min(plan->row_limit, size) : size;
        x->seeded[x->n_seeded++] = v;
    }
    if (plan->row_limit && x->n_seeded > 1)
        return jc_fail(JC_E_INTERNAL, "plan: windows of %lld rows over %lld seeded ends", (long long)plan->row_limit,
                       (long long)x->n_seeded);
    return JC_OK;
}

/* Edges so that those into a tail come before those out of it: additions at the seeded end, the graph, other additions.
 */
static jc_status order_edges(jc_expected *x)
{
    const jc_graph *g = x->graph;
    const int64_t *start = x->forward ? g->out_start : g->in_start, *edges = x->forward ? g->out_edges : g->in_edges;
    jc_status status = jc_alloc(x->allocator, x->n_edges, sizeof *x->order, WHAT, &x->order);
    if (status) return status;
    int64_t n = 0;
    for (int64_t i = 0; i < x->n_additions; i++)
        if (x->addition[i].at_target != x->forward) x->order[n++] = g->n_edges + i;
    for (int64_t i = 0; i < g->n_variables; i++) {
        int64_t v = g->topological[x->forward ? i : g->n_variables - 1 - i];
        for (int64_t k = start[v]; k < start[v + 1]; k++) x->order[n++] = edges[k];
    }
    for (int64_t i = 0; i < x->n_additions; i++)
        if (x->addition[i].at_target == x->forward) x->order[n++] = g->n_edges + i;
    return JC_OK;
}

/* rows(head) |= rows(tail) | tail, in the order of the sweep; needed(tail) |= needed(head), against it. */
static void spread(jc_expected *x)
{
    for (int64_t i = 0; i < x->n_edges; i++) {
        int64_t tail = jc_expected_tail(x, x->order[i]), head = jc_expected_head(x, x->order[i]);
        int64_t own = x->seeded_index[tail];
        if (jc_expected_left_out(x, x->order[i])) continue;
        for (int64_t w = 0; w < x->n_words; w++) x->rows[head * x->n_words + w] |= x->rows[tail * x->n_words + w];
        if (own >= 0) x->rows[head * x->n_words + own / 64] |= UINT64_C(1) << (own % 64);
    }
    const int64_t *ends = x->forward ? x->target : x->source;
    int64_t n = x->forward ? x->n_targets : x->n_sources;
    for (int64_t i = 0; i < n; i++) x->needed[outermost(x, ends[i], x->forward)] = 1;
    for (int64_t i = x->n_edges - 1; i >= 0; i--)
        if (!jc_expected_left_out(x, x->order[i]))
            x->needed[jc_expected_tail(x, x->order[i])] |= x->needed[jc_expected_head(x, x->order[i])];
}

static jc_status establish(jc_expected *x, const jc_plan *plan, const jc_query *query)
{
    jc_status status;
    if ((status = jc_alloc_zero(x->allocator, x->graph->n_variables, 1, WHAT, &x->mark))) return status;
    if ((status = list_left_out(x, query))) return status;
    if ((status = list_targets(x, query))) return status;
    mark_to_target(x);
    if ((status = list_sources(x, query))) return status;
    mark_from_source(x);
    if ((status = list_additions(x, query))) return status;
    if ((status = list_seeded(x, plan))) return status;
    if ((status = order_edges(x))) return status;

    int64_t words = (x->n_seeded + 63) / 64, bits;
    if (!jc_size_mul(x->n_variables, words, &bits)) return jc_fail(JC_E_MEMORY, "not enough memory for %s", WHAT);
    if ((status = jc_alloc_zero(x->allocator, bits, sizeof *x->rows, WHAT, &x->rows))) return status;
    x->n_words = words;
    if ((status = jc_alloc_zero(x->allocator, x->n_variables, 1, WHAT, &x->needed))) return status;
    spread(x);
    return JC_OK;
}

jc_status jc_expected_create(const jc_plan *plan, const jc_query *query, jc_expected *expected)
{
    if (plan->order != JC_ORDER_REVERSE && plan->order != JC_ORDER_FORWARD)
        return jc_fail(JC_E_INTERNAL, "plan: neither a reverse nor a forward sweep");
    jc_expected x = {.graph = plan->graph, .allocator = &plan->allocator, .forward = plan->order == JC_ORDER_FORWARD};
    jc_status status = establish(&x, plan, query);
    if (status) {
        jc_expected_fini(&x);
        return status;
    }
    *expected = x;
    return JC_OK;
}

void jc_expected_fini(jc_expected *x)
{
    const jc_allocator *a = x->allocator;
    jc_free(a, x->needed, x->n_variables, 1);
    jc_free(a, x->rows, x->n_variables * x->n_words, sizeof *x->rows);
    jc_free(a, x->order, x->n_edges, sizeof *x->order);
    jc_free(a, x->seeded_index, x->n_variables, sizeof *x->seeded_index);
    jc_free(a, x->seeded_rows, x->max_seeded, sizeof *x->seeded_rows);
    jc_free(a, x->seeded, x->max_seeded, sizeof *x->seeded);
    jc_free(a, x->addition, x->max_additions, sizeof *x->addition);
    jc_free(a, x->source, x->n_sources, sizeof *x->source);
    jc_free(a, x->target, x->n_targets, sizeof *x->target);
    jc_free(a, x->left_out, x->graph->n_edges, 1);
    jc_free(a, x->mark, x->graph->n_variables, 1);
}

int64_t jc_expected_rows(const jc_expected *x, int64_t variable)
{
    return x->needed[variable] ? jc_expected_row_of(x, variable, x->n_seeded) : 0;
}

int64_t jc_expected_row_of(const jc_expected *x, int64_t variable, int64_t seeded)
{
    int64_t rows = 0;
    for (int64_t s = 0; s < seeded; s++)
        if (jc_expected_has(x, variable, s)) rows += x->seeded_rows[s];
    return rows;
}
