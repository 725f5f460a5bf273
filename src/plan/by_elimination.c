/* A plan by elimination, in place of one by a sweep. */
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "core/sort.h"
#include "plan/assembly/assembly.h"

static const char *const WHAT = "an order of elimination";

/* ---- vertices -----------------------------------------------------------------------------------------------------
 */

/* What a node is as a vertex: its variable, or -1 - e; JC_NO_OPERAND: an end that the query adds. */
static int64_t name_of(const jc_subgraph *g, int64_t node)
{
    if (g->rank_of && g->rank_of[node] >= 0) return -1 - g->rank_of[node];
    return g->variable[node] < 0 ? JC_NO_OPERAND : g->variable[node];
}

/* Nodes by what they are as vertices: those of edge e's inner vector at key n_variables + e, of none at the last. */
typedef struct vertices {
    const jc_graph *graph;
    const jc_subgraph *subgraph;
    int64_t n_keys;
    int64_t *key, *node; /* [n_nodes] of each node; nodes by key */
    int64_t *start;      /* [n_keys + 1] into node */
} vertices;

static int64_t key_of(const vertices *v, int64_t name)
{
    if (name == JC_NO_OPERAND) return v->n_keys - 1;
    return name < 0 ? v->graph->n_variables + (-1 - name) : name;
}

static void vertices_fini(vertices *v)
{
    const jc_allocator *a = &v->graph->allocator;
    jc_free(a, v->key, v->subgraph->n_nodes, sizeof *v->key);
    jc_free(a, v->node, v->subgraph->n_nodes, sizeof *v->node);
    jc_free(a, v->start, v->n_keys + 1, sizeof *v->start);
}

static jc_status vertices_init(vertices *v, const jc_graph *graph, const jc_subgraph *g)
{
    const jc_allocator *a = &graph->allocator;
    *v = (vertices){.graph = graph, .subgraph = g, .n_keys = graph->n_variables + graph->n_edges + 1};
    jc_status status = jc_alloc(a, g->n_nodes, sizeof *v->key, WHAT, &v->key);
    if (!status) status = jc_alloc(a, g->n_nodes, sizeof *v->node, WHAT, &v->node);
    if (!status) status = jc_alloc(a, v->n_keys + 1, sizeof *v->start, WHAT, &v->start);
    for (int64_t n = 0; n < g->n_nodes && !status; n++) v->key[n] = key_of(v, name_of(g, n));
    if (!status) status = jc_sort_by_key(a, v->key, v->n_keys, NULL, g->n_nodes, v->node, v->start);
    if (status) vertices_fini(v);
    return status;
}

/* Which of the nodes of its vertex a node is. */
static int64_t state_of(const vertices *v, int64_t node)
{
    int64_t low = v->start[v->key[node]], high = v->start[v->key[node] + 1];
    while (v->node[low] != node) {
        int64_t middle = low + (high - low) / 2;
        if (v->node[middle] <= node)
            low = middle;
        else
            high = middle;
    }
    return low - v->start[v->key[node]];
}

static jc_status fail_vertex(const jc_graph *g, const jc_vertex *vertex, int64_t i)
{
    char name[120];
    if (vertex->variable < 0 && vertex->variable >= -g->n_edges)
        return jc_fail(
            JC_E_USAGE,
            "order of elimination: vertex %lld, the inner vector of low_rank edge number %lld, is not one of "
            "what is asked for",
            (long long)i, (long long)(-1 - vertex->variable));
    if (vertex->variable < 0 || vertex->variable >= g->n_variables)
        return jc_fail(JC_E_USAGE, "order of elimination: vertex %lld, %lld, is not in the graph or on no path",
                       (long long)i, (long long)vertex->variable);
    jc_graph_variable_name(g, vertex->variable, name, sizeof name);
    return jc_fail(JC_E_USAGE, "order of elimination: vertex %lld, %s in state %lld, is on no path that is asked for",
                   (long long)i, name, (long long)vertex->state);
}

/* The node of a vertex, -1: there is none. */
static int64_t node_of(const vertices *v, const jc_vertex *vertex)
{
    if (vertex->variable >= v->graph->n_variables || vertex->variable < -v->graph->n_edges) return -1;
    int64_t key = key_of(v, vertex->variable), n = v->start[key + 1] - v->start[key];
    return vertex->state < 0 || vertex->state >= n ? -1 : v->node[v->start[key] + vertex->state];
}

static jc_status nodes_of(const jc_graph *graph, const jc_subgraph *g, const jc_query *q, int64_t *nodes)
{
    vertices v;
    jc_status status = vertices_init(&v, graph, g);
    if (status) return status;
    for (int64_t i = 0; i < q->n_eliminate && !status; i++) {
        nodes[i] = node_of(&v, &q->eliminate[i]);
        if (nodes[i] < 0) status = fail_vertex(graph, &q->eliminate[i], i);
    }
    vertices_fini(&v);
    return status;
}

jc_status jc_plan_vertices(const jc_plan *p, jc_vertex *list, int64_t capacity, int64_t *count)
{
    vertices v;
    int64_t n = 0;
    jc_status status = vertices_init(&v, p->graph, &p->subgraph);
    if (status) return status;
    for (int64_t i = 0; i < jc_plan_n_vertices(p); i++) {
        int64_t node = jc_plan_vertex(p, i), name = name_of(&p->subgraph, node);
        if (name == JC_NO_OPERAND) continue;
        if (n < capacity) list[n] = (jc_vertex){name, state_of(&v, node)};
        n++;
    }
    vertices_fini(&v);
    *count = n;
    return JC_OK;
}

jc_status jc_plan_order_within(const jc_plan *p, const jc_vertex *given, int64_t n_given, jc_vertex *order)
{
    vertices v;
    bool *left;
    int64_t n = 0;
    jc_status status = vertices_init(&v, p->graph, &p->subgraph);
    if (status) return status;
    status = jc_alloc_zero(&p->allocator, p->subgraph.n_nodes, sizeof *left, WHAT, &left);
    for (int64_t i = 0; i < p->n_eliminated && !status; i++) left[p->eliminated[i]] = true;
    for (int64_t i = 0; i < n_given && !status; i++) {
        int64_t node = node_of(&v, &given[i]);
        if (node < 0 || !left[node]) continue;
        left[node] = false;
        order[n++] = given[i];
    }
    for (int64_t i = 0; i < p->n_eliminated && !status; i++) {
        int64_t node = p->eliminated[i];
        if (left[node]) order[n++] = (jc_vertex){name_of(&p->subgraph, node), state_of(&v, node)};
    }
    if (!status) jc_free(&p->allocator, left, p->subgraph.n_nodes, sizeof *left);
    vertices_fini(&v);
    return status;
}

/* ---- the plan -----------------------------------------------------------------------------------------------------
 */

/* A step of the search takes some 7 ns. */
static int64_t work_of(double seconds)
{
    double work = seconds / 7e-9;
    return work < 1 ? seconds > 0 : work < 4e18 ? (int64_t)work : INT64_MAX / 2;
}

static jc_elimination_options options_of(const jc_plan *plan, const jc_query *q, int64_t entry_limit)
{
    jc_elimination_options o = JC_ELIMINATION_OPTIONS_INIT;
    o.work = work_of(q->search_seconds);
    o.seed = (uint64_t)q->search_seed;
    if (q->limits_tape) o.tape_limit = q->tape_limit;
    o.entry_limit = entry_limit;
    o.bound = entry_limit ? -1 : jc_plan_sweep_cost(plan);
    return o;
}

static jc_status find_order(const jc_plan *plan, const jc_subgraph *g, const jc_query *q, int64_t entry_limit,
                            bool *found, jc_elimination *e)
{
    jc_elimination_options o = options_of(plan, q, entry_limit);
    const jc_allocator *a = &plan->allocator;
    int64_t *nodes = NULL;
    jc_status status = JC_OK;
    if (q->eliminate) {
        status = jc_alloc(a, q->n_eliminate, sizeof *nodes, WHAT, &nodes);
        if (!status) status = nodes_of(plan->graph, g, q, nodes);
        o.sequence = nodes, o.n_sequence = q->n_eliminate;
    }
    if (!status) status = jc_elimination_create(plan->graph, g, &o, found, e);
    jc_free(a, nodes, q->n_eliminate, sizeof *nodes);
    return status;
}

static int64_t entries_of(const jc_elimination *e, int64_t value)
{
    int32_t structure = ((const jc_elimination_value *)e->values.data)[value].structure;
    return structure < 0 ? 0 : jc_structures_at(e->structures, structure)->entries;
}

/* Entries that the assembly lists one by one for an operation: of blocks and patterns that are accumulated, and the
 * pairs that meet in a product that has a pattern. */
static int64_t listed_for(const jc_elimination *e, const jc_elimination_op *op)
{
    int32_t structure = ((const jc_elimination_value *)e->values.data)[op->result].structure;
    jc_structure_kind kind = structure < 0 ? JC_STRUCTURE_DENSE : jc_structures_at(e->structures, structure)->kind;
    if (kind == JC_STRUCTURE_DENSE || kind == JC_STRUCTURE_DIAGONAL) return 0;
    if (op->kind == JC_ELIMINATION_ACCUMULATE) return entries_of(e, op->right < 0 ? op->result : op->right);
    return kind == JC_STRUCTURE_SPARSE ? op->cost : 0;
}

/* Whether all that is to be listed can be, in some seconds and a few GB. */
static bool can_be_listed(const jc_elimination *e)
{
    enum { MOST_LISTED = 50000000 };
    int64_t listed = 0;
    for (int64_t i = 0; i < e->n_ops && e->structures; i++)
        listed = jc_cost_add(listed, listed_for(e, (const jc_elimination_op *)e->ops.data + i));
    return listed <= MOST_LISTED;
}

/* An elimination that is too large to be assembled is none; given in full, it fails. */
static jc_status drop_too_large(const jc_plan *plan, const jc_query *q, bool *found, jc_elimination *e)
{
    if (!*found || can_be_listed(e)) return JC_OK;
    jc_elimination_fini(&plan->allocator, e);
    *found = false;
    if (!q->eliminate) return JC_OK;
    return jc_fail(JC_E_MEMORY, "order of elimination: its sparse and block Jacobians have too many entries to be "
                                "planned one by one");
}

/* The subgraph of the query for an elimination. */
static jc_status make_subgraph(const jc_walk *walk, const jc_query *q, jc_subgraph *g)
{
    jc_status status = jc_subgraph_create(walk, q, JC_ORDER_REVERSE, g);
    if (status) return status;
    if (q->per_sample > 1) status = jc_subgraph_check_samples(walk->graph, g, q->per_sample);
    if (!status) status = jc_subgraph_split_ranks(walk->graph, g);
    if (status) jc_subgraph_fini(&walk->graph->allocator, g);
    return status;
}

/* In place of what the sweep needs. */
static void adopt(jc_plan *plan, const jc_subgraph *g)
{
    jc_subgraph_fini(&plan->allocator, &plan->subgraph);
    jc_folds_fini(&plan->allocator, &plan->folds);
    plan->subgraph = *g;
    plan->folds = (jc_folds){0};
    plan->order = JC_ORDER_ELIMINATION;
    plan->eliminates = true;
}

/* In windows the rows of the target are formed, so operators into it are applied by adjoints. */
static jc_status check_window_tape(const jc_plan *plan, const jc_subgraph *g, const jc_query *q)
{
    jc_subgraph into = *g; /* the edges into the target, which stand together */
    if (!plan->row_limit || !q->limits_tape) return JC_OK;
    int64_t first = 0;
    while (first < g->n_edges && g->of[first] != g->target[0]) first++;
    into.jacobian += first, into.n_edges = 0;
    while (first + into.n_edges < g->n_edges && g->of[first + into.n_edges] == g->target[0]) into.n_edges++;
    return jc_subgraph_check_tape(plan->graph, &into, JC_ADJOINT, q->tape_limit);
}

jc_status jc_plan_by_elimination(jc_plan *plan, const jc_walk *walk, const jc_query *q, int64_t entry_limit,
                                 bool *found)
{
    jc_subgraph g;
    jc_elimination e;
    bool cheaper = false;
    jc_status status = make_subgraph(walk, q, &g);
    if (status) return status;
    status = check_window_tape(plan, &g, q);
    if (!status) status = find_order(plan, &g, q, entry_limit, &cheaper, &e);
    if (!status) status = drop_too_large(plan, q, &cheaper, &e);
    if (!status) plan->elimination_cost = cheaper ? e.cost : jc_plan_sweep_cost(plan);
    plan->by_elimination = true;
    if (status || !cheaper) {
        jc_subgraph_fini(&plan->allocator, &g);
        return status;
    }
    adopt(plan, &g);
    *found = true;
    status = jc_assemble(plan, &e, q->n_wrt > 0);
    jc_elimination_fini(&plan->allocator, &e);
    return status;
}
