#include "plan/verify_expected.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "plan/verify_ends.h"
#include "plan/verify_folds.h"

static const char *const WHAT = "the verifier of plans";

/* ---- nodes and edges --------------------------------------------------------------------------------------------- */

static const jc_addition *addition_of(const jc_expected *x, int64_t edge)
{
    return &x->addition[(edge - x->n_own_edges) / 2];
}

/* The two ends of an edge that the query adds. */
static int64_t beyond(const jc_expected *x, int64_t edge)
{
    return x->n_own_nodes + (edge - x->n_own_edges) / 2;
}

static int64_t at(const jc_expected *x, int64_t edge)
{
    return addition_of(x, edge)->at[(edge - x->n_own_edges) % 2];
}

int64_t jc_expected_of(const jc_expected *x, int64_t edge)
{
    if (edge >= x->n_own_edges) return addition_of(x, edge)->at_target ? beyond(x, edge) : at(x, edge);
    return x->by_rules ? x->walk.of[edge] : jc_graph_of(x->graph, edge);
}

int64_t jc_expected_wrt(const jc_expected *x, int64_t edge)
{
    if (edge >= x->n_own_edges) return addition_of(x, edge)->at_target ? at(x, edge) : beyond(x, edge);
    return x->by_rules ? x->walk.wrt[edge] : jc_graph_wrt(x->graph, edge);
}

int64_t jc_expected_variable(const jc_expected *x, int64_t node)
{
    if (node >= x->n_own_nodes) return -1;
    return x->by_rules ? x->walk.variable[node] : node;
}

int64_t jc_expected_size(const jc_expected *x, int64_t node)
{
    int64_t variable = jc_expected_variable(x, node);
    return variable < 0 ? x->addition[node - x->n_own_nodes].beyond_size : jc_graph_size(x->graph, variable);
}

/* ---- one edge by its Jacobian and its ends ----------------------------------------------------------------------- */

static bool joins(const jc_expected *x, int64_t edge, int64_t tail, int64_t head)
{
    if (jc_expected_left_out(x, edge) || jc_expected_head(x, edge) != head) return false;
    int64_t from = jc_expected_tail(x, edge);
    return tail < 0 ? x->seeded_index[from] >= 0 : from == tail;
}

/* Copies lie by `of`, those of one `of` by `wrt`. */
static bool is_before(const jc_expected *x, int64_t copy, int64_t of, int64_t wrt)
{
    return x->walk.of[copy] < of || (x->walk.of[copy] == of && x->walk.wrt[copy] < wrt);
}

static int64_t find_copy(const jc_expected *x, int64_t b, int64_t tail, int64_t head)
{
    bool identity = tail < 0;
    if (tail < 0) tail = x->seeded_node[x->forward ? jc_graph_wrt(x->graph, b) : jc_graph_of(x->graph, b)];
    if (tail < 0 || (identity && x->seeded_index[tail] < 0)) return -1;
    int64_t of = x->forward ? head : tail, wrt = x->forward ? tail : head;
    int64_t low = x->copies_start[b], end = x->copies_start[b + 1], high = end;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (is_before(x, x->copies[middle], of, wrt))
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < end && x->walk.of[x->copies[low]] == of && x->walk.wrt[x->copies[low]] == wrt;
    return found ? x->copies[low] : -1;
}

int64_t jc_expected_find(const jc_expected *x, int64_t b, int64_t tail, int64_t head)
{
    if (b >= 0 && x->by_rules) return find_copy(x, b, tail, head);
    int64_t first = b < 0 ? x->n_own_edges + 2 * (-1 - b) : b, n = b < 0 ? 2 : 1;
    for (int64_t edge = first; edge < first + n; edge++)
        if (joins(x, edge, tail, head)) return edge;
    return -1;
}

/* ---- what the query adds ----------------------------------------------------------------------------------------- */

/* Where the path without edges begins (ends), for an addition at the other end: the node of a source (target) of the
 * same variable; -1: it is no edge. node_of: [n_variables] nodes of those other ends. */
static int64_t other_end(const jc_expected *x, const int64_t *node_of, int64_t variable)
{
    return x->by_rules && x->empty_path ? node_of[variable] : -1;
}

/* Adds a node beyond every end that paths use. */
static void add_at(jc_expected *x, const jc_query *query, bool at_target, const int64_t *node_of)
{
    const int64_t *ends = at_target ? x->target : x->source, *nodes = at_target ? x->target_node : x->source_node;
    int64_t n = at_target ? x->n_targets : x->n_sources;
    for (int64_t i = 0; i < n; i++) {
        if (nodes[i] < 0) continue;
        int64_t size =
            query->seed == JC_SEED_NONE ? jc_graph_size(x->graph, ends[i]) / query->per_sample : query->seed_width;
        x->addition[x->n_additions++] = (jc_addition){
            .at = {nodes[i], other_end(x, node_of, ends[i])}, .beyond_size = size, .at_target = at_target};
    }
}

static void list_nodes_of(const jc_expected *x, bool targets, int64_t *node_of)
{
    const int64_t *ends = targets ? x->target : x->source, *nodes = targets ? x->target_node : x->source_node;
    int64_t n = targets ? x->n_targets : x->n_sources;
    memset(node_of, -1, (size_t)x->graph->n_variables * sizeof *node_of);
    for (int64_t i = 0; i < n; i++) node_of[ends[i]] = nodes[i];
}

static jc_status number_additions(jc_expected *x)
{
    jc_status status = jc_alloc(x->allocator, x->n_own_nodes, sizeof *x->addition_at, WHAT, &x->addition_at);
    if (status) return status;
    memset(x->addition_at, -1, (size_t)x->n_own_nodes * sizeof *x->addition_at);
    for (int64_t i = 0; i < x->n_additions; i++)
        for (int k = 0; k < 2; k++)
            if (x->addition[i].at[k] >= 0) x->addition_at[x->addition[i].at[k]] = i;
    return JC_OK;
}

/* S . dT/dv is the total of a variable whose partial with respect to T is S; so is a sum over samples. Both ends have
 * none at once. */
static jc_status list_additions(jc_expected *x, const jc_query *query)
{
    bool samples = query->per_sample > 1;
    bool at_target = query->seed == JC_SEED_ROWS || (samples && !x->forward);
    bool at_source = query->seed == JC_SEED_COLUMNS || (samples && x->forward);
    int64_t *node_of;
    x->max_additions = at_target ? x->n_targets : at_source ? x->n_sources : 0;
    jc_status status = jc_alloc(x->allocator, x->max_additions, sizeof *x->addition, WHAT, &x->addition);
    if (!status) status = jc_alloc(x->allocator, x->graph->n_variables, sizeof *node_of, WHAT, &node_of);
    if (status) return status;
    list_nodes_of(x, !at_target, node_of);
    if (at_target || at_source) add_at(x, query, at_target, node_of);
    jc_free(x->allocator, node_of, x->graph->n_variables, sizeof *node_of);
    x->n_nodes = x->n_own_nodes + x->n_additions;
    x->n_edges = x->n_own_edges + 2 * x->n_additions;
    return number_additions(x);
}

int64_t jc_expected_addition(const jc_expected *x, int64_t node, bool at_target)
{
    int64_t i = node < 0 || node >= x->n_own_nodes ? -1 : x->addition_at[node];
    return i >= 0 && x->addition[i].at_target == at_target ? i : -1;
}

int64_t jc_expected_outermost(const jc_expected *x, int64_t node, bool at_target)
{
    int64_t i = jc_expected_addition(x, node, at_target);
    return i < 0 ? node : x->n_own_nodes + i;
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static jc_status number_seeded(jc_expected *x)
{
    int64_t n = x->forward ? x->n_sources : x->n_targets;
    const int64_t *end = x->forward ? x->source : x->target, *node = x->forward ? x->source_node : x->target_node;
    jc_status status = jc_alloc(x->allocator, x->n_nodes, sizeof *x->seeded_index, WHAT, &x->seeded_index);
    if (!status) status = jc_alloc(x->allocator, x->graph->n_variables, sizeof *x->seeded_node, WHAT, &x->seeded_node);
    if (status) return status;
    memset(x->seeded_index, -1, (size_t)x->n_nodes * sizeof *x->seeded_index);
    memset(x->seeded_node, -1, (size_t)x->graph->n_variables * sizeof *x->seeded_node);
    for (int64_t i = 0; i < n; i++) x->seeded_node[end[i]] = node[i];
    return JC_OK;
}

static jc_status list_seeded(jc_expected *x, const jc_plan *plan)
{
    const int64_t *ends = x->forward ? x->source_node : x->target_node;
    int64_t n = x->forward ? x->n_sources : x->n_targets;
    jc_status status = number_seeded(x);
    if (status) return status;
    x->max_seeded = x->forward ? 2 * n : n;
    n = x->max_seeded;
    if ((status = jc_alloc(x->allocator, n, sizeof *x->fold_of, WHAT, &x->fold_of))) return status;
    if ((status = jc_alloc(x->allocator, n, sizeof *x->fold_h, WHAT, &x->fold_h))) return status;
    memset(x->fold_of, -1, (size_t)n * sizeof *x->fold_of);
    if ((status = jc_alloc(x->allocator, n, sizeof *x->seeded, WHAT, &x->seeded))) return status;
    if ((status = jc_alloc(x->allocator, n, sizeof *x->seeded_rows, WHAT, &x->seeded_rows))) return status;
    n = x->forward ? x->n_sources : x->n_targets;
    for (int64_t i = 0; i < n; i++) {
        if (ends[i] < 0) continue;
        int64_t v = jc_expected_outermost(x, ends[i], !x->forward), size = jc_expected_size(x, v);
        x->seeded_index[v] = x->n_seeded;
        x->seeded_rows[x->n_seeded] = plan->row_limit ? jc_min(plan->row_limit, size) : size;
        x->seeded[x->n_seeded++] = v;
    }
    x->n_ends = x->n_seeded;
    if (plan->row_limit && x->n_seeded > 1)
        return jc_fail(JC_E_INTERNAL, "plan: windows of %lld rows over %lld seeded ends", (long long)plan->row_limit,
                       (long long)x->n_seeded);
    return JC_OK;
}

/* The graph's edges, by their heads; the walk's lie so already. */
static int64_t order_own(const jc_expected *x, int64_t n)
{
    const jc_graph *g = x->graph;
    const int64_t *start = x->forward ? g->out_start : g->in_start, *edges = x->forward ? g->out_edges : g->in_edges;
    for (int64_t i = 0; i < x->n_own_edges && x->by_rules; i++) x->order[n++] = x->forward ? i : x->n_own_edges - 1 - i;
    for (int64_t i = 0; i < g->n_variables && !x->by_rules; i++) {
        int64_t v = g->topological[x->forward ? i : g->n_variables - 1 - i];
        for (int64_t k = start[v]; k < start[v + 1]; k++) x->order[n++] = edges[k];
    }
    return n;
}

/* Edges so that those into a tail come before those out of it: additions at the seeded end, the graph's or the walk's,
 * other additions. */
static jc_status order_edges(jc_expected *x)
{
    jc_status status = jc_alloc(x->allocator, x->n_edges, sizeof *x->order, WHAT, &x->order);
    if (status) return status;
    int64_t n = 0;
    for (int64_t i = x->n_own_edges; i < x->n_edges; i++)
        if (x->addition[(i - x->n_own_edges) / 2].at_target != x->forward) x->order[n++] = i;
    n = order_own(x, n);
    for (int64_t i = x->n_own_edges; i < x->n_edges; i++)
        if (x->addition[(i - x->n_own_edges) / 2].at_target == x->forward) x->order[n++] = i;
    return JC_OK;
}

/* needed(tail) |= needed(head), against the order of the sweep. */
static void spread_needs(jc_expected *x)
{
    const int64_t *ends = x->forward ? x->target_node : x->source_node;
    int64_t n = x->forward ? x->n_targets : x->n_sources;
    for (int64_t i = 0; i < n; i++)
        if (ends[i] >= 0) x->needed[jc_expected_outermost(x, ends[i], x->forward)] = 1;
    for (int64_t i = x->n_edges - 1; i >= 0; i--)
        if (!jc_expected_left_out(x, x->order[i]))
            x->needed[jc_expected_tail(x, x->order[i])] |= x->needed[jc_expected_head(x, x->order[i])];
}

/* rows(head) |= rows(tail) | tail, in the order of the sweep, folds as verify_folds.h says. */
static void spread_rows(jc_expected *x)
{
    for (int64_t i = 0; i < x->n_edges; i++)
        if (!jc_expected_left_out(x, x->order[i])) jc_expected_carry(x, x->order[i]);
    for (int64_t v = 0; v < x->n_nodes; v++) jc_expected_settle(x, v);
}

static jc_status establish(jc_expected *x, const jc_plan *plan, const jc_query *query)
{
    jc_status status;
    if ((status = jc_expected_find_ends(x, query))) return status;
    if ((status = list_additions(x, query))) return status;
    if ((status = list_seeded(x, plan))) return status;
    if ((status = order_edges(x))) return status;

    if ((status = jc_alloc_zero(x->allocator, x->n_nodes, 1, WHAT, &x->needed))) return status;
    if ((status = jc_alloc_zero(x->allocator, x->n_nodes, 1, WHAT, &x->plain))) return status;
    spread_needs(x);
    if (x->forward && !plan->row_limit) jc_expected_find_folds(x);

    int64_t words = (x->n_seeded + 63) / 64, bits;
    if (!jc_size_mul(x->n_nodes, words, &bits)) return jc_fail(JC_E_MEMORY, "not enough memory for %s", WHAT);
    if ((status = jc_alloc_zero(x->allocator, bits, sizeof *x->rows, WHAT, &x->rows))) return status;
    x->n_words = words;
    spread_rows(x);
    return JC_OK;
}

jc_status jc_expected_create(const jc_plan *plan, const jc_query *query, jc_expected *expected)
{
    if (plan->order != JC_ORDER_REVERSE && plan->order != JC_ORDER_FORWARD && plan->order != JC_ORDER_ELIMINATION)
        return jc_fail(JC_E_INTERNAL, "plan: neither a sweep nor an elimination");
    jc_expected x = {.graph = plan->graph,
                     .allocator = &plan->allocator,
                     .forward = plan->order == JC_ORDER_FORWARD,
                     .by_rules = query->n_rules > 0};
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
    jc_free(a, x->plain, x->n_nodes, 1);
    jc_free(a, x->needed, x->n_nodes, 1);
    jc_free(a, x->rows, x->n_nodes * x->n_words, sizeof *x->rows);
    jc_free(a, x->order, x->n_edges, sizeof *x->order);
    jc_free(a, x->seeded_node, x->graph->n_variables, sizeof *x->seeded_node);
    jc_free(a, x->seeded_index, x->n_nodes, sizeof *x->seeded_index);
    jc_free(a, x->fold_h, x->max_seeded, sizeof *x->fold_h);
    jc_free(a, x->fold_of, x->max_seeded, sizeof *x->fold_of);
    jc_free(a, x->seeded_rows, x->max_seeded, sizeof *x->seeded_rows);
    jc_free(a, x->seeded, x->max_seeded, sizeof *x->seeded);
    jc_free(a, x->addition_at, x->n_own_nodes, sizeof *x->addition_at);
    jc_free(a, x->addition, x->max_additions, sizeof *x->addition);
    jc_free(a, x->target_node, x->n_targets, sizeof *x->target_node);
    jc_free(a, x->source_node, x->n_sources, sizeof *x->source_node);
    jc_free(a, x->source, x->n_sources, sizeof *x->source);
    jc_free(a, x->target, x->n_targets, sizeof *x->target);
    jc_free(a, x->left_out, x->graph->n_edges, 1);
    jc_free(a, x->mark, x->graph->n_variables, 1);
    jc_free(a, x->copies, x->walk.n_edges, sizeof *x->copies);
    jc_free(a, x->copies_start, x->graph->n_edges + 1, sizeof *x->copies_start);
    jc_walk_fini(a, &x->walk);
}

int64_t jc_expected_rows(const jc_expected *x, int64_t node)
{
    return x->needed[node] ? jc_expected_row_of(x, node, x->n_seeded) : 0;
}

int64_t jc_expected_row_of(const jc_expected *x, int64_t node, int64_t seeded)
{
    int64_t rows = 0;
    for (int64_t s = 0; s < seeded; s++)
        if (jc_expected_has(x, node, s)) rows += x->seeded_rows[s];
    return rows;
}
