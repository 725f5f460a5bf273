/* The graph times the automaton of a query's rules. A node is a variable v and a state q: "some way from a source to v
 * leaves the rules in q". Found forward from the sources' starts, variable by variable in topological order, then cut
 * to the nodes from which a path's end is reached: (u, q) --edge e, v <- u--> (v, step(q, e)),  and to the end of v
 * where v is a target and that state accepts. */
#include <string.h>

#include "core/sort.h"
#include "rules/walk_build.h"

static const char *const WHAT = "the graph under path rules";

/* As found, before numbers are given. */
typedef struct raw_node {
    int64_t variable, state;     /* JC_WALK_END: where paths end */
    int64_t next;                /* of the same variable, in the order in which they were found; -1: none */
    int64_t first_edge, n_edges; /* those that leave it */
    int64_t same;                /* the node that it was made one with, itself at first */
    int64_t number;              /* in the walk; -1: leads to no end. While edges are looked at, 0: leads to one */
} raw_node;

typedef struct raw_edge {
    int64_t of, wrt, edge; /* raw nodes, and the graph's edge */
} raw_edge;

typedef struct product {
    const jc_walk_builder *b;
    const jc_graph *graph;
    const jc_allocator *allocator;
    int64_t *first, *last;      /* [n_variables] raw nodes of a variable; -1: none */
    unsigned char *target_mark; /* [n_variables] */
    jc_vec nodes, edges;        /* raw_node, raw_edge */
    jc_table known;             /* nodes by variable and state, but for starts */
} product;

static raw_node *node_at(const product *p, int64_t node)
{
    return (raw_node *)p->nodes.data + node;
}

typedef struct node_key {
    const product *product;
    int64_t variable, state;
} node_key;

static bool node_equal(const void *ctx, int64_t node)
{
    const node_key *key = ctx;
    const raw_node *n = node_at(key->product, node);
    return n->variable == key->variable && n->state == key->state;
}

static uint64_t node_hash(int64_t variable, int64_t state)
{
    uint64_t h = ((uint64_t)variable * UINT64_C(0x9E3779B97F4A7C15) ^ (uint64_t)state) * UINT64_C(0xC2B2AE3D27D4EB4F);
    return h ^ h >> 32;
}

/* *node: a new one, last of its variable's. */
static jc_status add_node(product *p, int64_t variable, int64_t state, int64_t *node)
{
    raw_node made = {.variable = variable, .state = state, .next = -1, .same = p->nodes.count, .number = -1};
    jc_status status = jc_vec_append(p->allocator, &p->nodes, &made, 1, WHAT);
    if (status) return status;
    *node = p->nodes.count - 1;
    if (p->last[variable] >= 0)
        node_at(p, p->last[variable])->next = *node;
    else
        p->first[variable] = *node;
    p->last[variable] = *node;
    return JC_OK;
}

/* *node: the node of variable and state, made where it is new. */
static jc_status find_node(product *p, int64_t variable, int64_t state, int64_t *node)
{
    node_key key = {p, variable, state};
    uint64_t hash = node_hash(variable, state);
    int64_t found = jc_table_find(&p->known, hash, node_equal, &key);
    if (found >= 0) return *node = found, JC_OK;
    jc_status status = jc_table_reserve(p->allocator, &p->known, 1, WHAT);
    if (!status) status = add_node(p, variable, state, node);
    if (!status) jc_table_insert(&p->known, hash, *node);
    return status;
}

static jc_status add_edge(product *p, int64_t from, int64_t edge, int64_t variable, int64_t state)
{
    raw_edge made = {.wrt = from, .edge = edge};
    jc_status status = find_node(p, variable, state, &made.of);
    return status ? status : jc_vec_append(p->allocator, &p->edges, &made, 1, WHAT);
}

/* What a variable is to paths; a target beyond which no other lies ends them all. */
enum { NO_TARGET, ENDS_ALL, ENDS_SOME };

/* Whether paths go on from v: an edge leads from it towards a target. */
static bool goes_on(const product *p, int64_t v)
{
    const jc_graph *g = p->graph;
    for (int64_t k = g->out_start[v]; k < g->out_start[v + 1]; k++)
        if (p->b->mark[jc_graph_of(g, g->out_edges[k])] & JC_WALK_TO_TARGET &&
            jc_edge_set_has(&p->b->kept, g->out_edges[k]))
            return true;
    return false;
}

static void mark_targets(const product *p)
{
    const jc_query *q = p->b->query;
    for (int64_t i = 0; i < q->n_of; i++) p->target_mark[q->of[i]] = goes_on(p, q->of[i]) ? ENDS_SOME : ENDS_ALL;
}

/* The edges out of one node. */
static jc_status leave(product *p, int64_t node)
{
    const jc_graph *g = p->graph;
    int64_t u = node_at(p, node)->variable, state = node_at(p, node)->state, next;
    node_at(p, node)->first_edge = p->edges.count;
    for (int64_t k = g->out_start[u]; k < g->out_start[u + 1]; k++) {
        int64_t e = g->out_edges[k], v = jc_graph_of(g, e);
        if (!jc_edge_set_has(&p->b->kept, e) || !(p->b->mark[v] & JC_WALK_TO_TARGET)) continue;
        jc_status status = jc_automaton_step(p->b->automaton, state, e, &next);
        if (status) return status;
        if (next == JC_STATE_DEAD) continue;
        if (p->target_mark[v] && jc_automaton_accepts(p->b->automaton, next))
            status = add_edge(p, node, e, v, JC_WALK_END);
        if (!status && p->target_mark[v] != ENDS_ALL) status = add_edge(p, node, e, v, next);
        if (status) return status;
    }
    node_at(p, node)->n_edges = p->edges.count - node_at(p, node)->first_edge;
    return JC_OK;
}

/* Starts first: they are the first nodes of their variables. */
static jc_status explore(product *p)
{
    const jc_graph *g = p->graph;
    jc_walk *w = p->b->walk;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < w->n_sources && !status; i++)
        status = add_node(p, w->source_variable[i], JC_STATE_START, &w->source[i]);
    for (int64_t i = 0; i < g->n_variables; i++)
        for (int64_t n = p->first[g->topological[i]]; n >= 0 && !status; n = node_at(p, n)->next)
            if (node_at(p, n)->state != JC_WALK_END) status = leave(p, n);
    return status;
}

/* The path without edges needs both its ends. */
static jc_status add_empty_paths(product *p)
{
    jc_walk *w = p->b->walk;
    jc_status status = JC_OK;
    w->empty_path = !p->b->query->no_empty_path && jc_automaton_accepts(p->b->automaton, JC_STATE_START);
    for (int64_t i = 0; w->empty_path && i < w->n_sources && !status; i++) {
        int64_t end;
        if (!p->target_mark[w->source_variable[i]]) continue;
        status = find_node(p, w->source_variable[i], JC_WALK_END, &end);
        if (!status) node_at(p, w->source[i])->number = 0;
    }
    return status;
}

/* number = 0 for the nodes that lead to an end: edges were found in topological order of where they come from. */
static void cut(const product *p)
{
    const raw_edge *edges = p->edges.data;
    for (int64_t n = 0; n < p->nodes.count; n++)
        if (node_at(p, n)->state == JC_WALK_END) node_at(p, n)->number = 0;
    for (int64_t i = p->edges.count; i-- > 0;)
        if (node_at(p, edges[i].of)->number == 0) node_at(p, edges[i].wrt)->number = 0;
}

/* ---- nodes that are followed by the same are one ----------------------------------------------------------------- */

/* The next edge of the node from *edge on that leads to an end, or NULL. */
static const raw_edge *next_used(const product *p, const raw_node *node, int64_t *edge)
{
    const raw_edge *edges = p->edges.data;
    while (*edge < node->first_edge + node->n_edges) {
        const raw_edge *e = &edges[(*edge)++];
        if (node_at(p, e->of)->number >= 0) return e;
    }
    return NULL;
}

static bool followed_alike(const void *ctx, int64_t other)
{
    const node_key *key = ctx; /* state: the node */
    const product *p = key->product;
    const raw_node *a = node_at(p, key->state), *b = node_at(p, other);
    int64_t i = a->first_edge, j = b->first_edge;
    for (;;) {
        const raw_edge *x = next_used(p, a, &i), *y = next_used(p, b, &j);
        if (!x || !y) return !x && !y;
        if (x->edge != y->edge || node_at(p, x->of)->same != node_at(p, y->of)->same) return false;
    }
}

/* Edges leave the variable they leave: that need not be compared. */
static uint64_t followers_hash(const product *p, const raw_node *node)
{
    uint64_t h = 0;
    int64_t i = node->first_edge;
    for (const raw_edge *e; (e = next_used(p, node, &i));)
        h = node_hash((int64_t)(h ^ (uint64_t)e->edge), node_at(p, e->of)->same);
    return h;
}

/* From the ends to the starts, which stay apart. */
static jc_status merge(const product *p)
{
    const jc_graph *g = p->graph;
    jc_table known = {0};
    jc_status status = jc_table_reserve(p->allocator, &known, p->nodes.count, WHAT);
    for (int64_t i = g->n_variables; i-- > 0 && !status;)
        for (int64_t n = p->first[g->topological[i]]; n >= 0; n = node_at(p, n)->next) {
            raw_node *node = node_at(p, n);
            if (node->number < 0 || node->state == JC_WALK_END || node->state == JC_STATE_START) continue;
            node_key key = {p, node->variable, n};
            uint64_t hash = followers_hash(p, node);
            int64_t found = jc_table_find(&known, hash, followed_alike, &key);
            if (found < 0)
                jc_table_insert(&known, hash, n);
            else
                node->same = found;
        }
    jc_table_free(p->allocator, &known);
    return status;
}

/* ---- the walk from what was found -------------------------------------------------------------------------------- */

/* Numbers in topological order; variable and state of each. */
static void number_nodes(const product *p)
{
    jc_walk *w = p->b->walk;
    int64_t n = 0;
    for (int64_t i = 0; i < p->graph->n_variables; i++)
        for (int64_t k = p->first[p->graph->topological[i]]; k >= 0; k = node_at(p, k)->next) {
            raw_node *node = node_at(p, k);
            if (node->number < 0 || node->same != k) continue;
            w->variable[n] = node->variable, w->state[n] = node->state;
            node->number = n++;
        }
}

/* Edges that are used move to the front; returns how many. */
static int64_t keep_used_edges(const product *p)
{
    raw_edge *edges = p->edges.data;
    int64_t n = 0;
    for (int64_t i = 0; i < p->edges.count; i++) {
        raw_edge e = edges[i];
        if (node_at(p, e.of)->number < 0 || node_at(p, e.wrt)->same != e.wrt) continue;
        e.of = node_at(p, e.of)->same;
        edges[n++] = e;
    }
    return n;
}

/* The n edges by number of their `of`, then of the edge, then of their `wrt` (the order in which they were found). */
static jc_status place_edges(const product *p, int64_t n)
{
    jc_walk *w = p->b->walk;
    const raw_edge *edges = p->edges.data;
    const jc_allocator *a = p->allocator;
    int64_t *key = NULL, *by_edge = NULL, *order = NULL;
    jc_status status = jc_alloc(a, n, sizeof *key, WHAT, &key);
    if (!status) status = jc_alloc(a, n, sizeof *by_edge, WHAT, &by_edge);
    if (!status) status = jc_alloc(a, n, sizeof *order, WHAT, &order);
    for (int64_t i = 0; i < n && !status; i++) key[i] = edges[i].edge;
    if (!status) status = jc_sort_by_key(a, key, p->graph->n_edges, NULL, n, by_edge, NULL);
    for (int64_t i = 0; i < n && !status; i++) key[i] = node_at(p, edges[i].of)->number;
    if (!status) status = jc_sort_by_key(a, key, w->n_nodes, by_edge, n, order, NULL);
    for (int64_t i = 0; i < n && !status; i++) {
        const raw_edge *e = &edges[order[i]];
        w->of[i] = key[order[i]], w->wrt[i] = node_at(p, e->wrt)->number, w->edge[i] = e->edge;
    }
    jc_free(a, order, n, sizeof *order);
    jc_free(a, by_edge, n, sizeof *by_edge);
    jc_free(a, key, n, sizeof *key);
    return status;
}

/* The nodes of sources and targets; sources that nobody named are left out where no kept path leads from them. */
static void place_ends(const product *p)
{
    jc_walk *w = p->b->walk;
    int64_t n = 0;
    for (int64_t i = 0; i < w->n_sources; i++) {
        int64_t node = node_at(p, w->source[i])->number;
        if (node < 0 && !p->b->query->n_wrt) continue;
        w->source_variable[n] = w->source_variable[i];
        w->source[n++] = node;
    }
    w->n_sources = n;
    for (int64_t i = 0; i < w->n_targets; i++) {
        node_key key = {p, w->target_variable[i], JC_WALK_END};
        int64_t end = jc_table_find(&p->known, node_hash(key.variable, key.state), node_equal, &key);
        w->target[i] = end < 0 ? -1 : node_at(p, end)->number;
    }
}

static jc_status fill(product *p)
{
    int64_t nodes = 0, edges = keep_used_edges(p);
    for (int64_t n = 0; n < p->nodes.count; n++) nodes += node_at(p, n)->number == 0 && node_at(p, n)->same == n;
    jc_status status = jc_walk_allocate(p->b, nodes, edges);
    if (status) return status;
    number_nodes(p);
    status = place_edges(p, edges);
    if (!status) place_ends(p);
    return status;
}

static jc_status multiply(product *p)
{
    const jc_graph *g = p->graph;
    int64_t n = g->n_variables;
    jc_status status;
    if ((status = jc_alloc(p->allocator, n, sizeof *p->first, WHAT, &p->first))) return status;
    if ((status = jc_alloc(p->allocator, n, sizeof *p->last, WHAT, &p->last))) return status;
    if ((status = jc_alloc_zero(p->allocator, n, 1, WHAT, &p->target_mark))) return status;
    memset(p->first, -1, (size_t)n * sizeof *p->first);
    memset(p->last, -1, (size_t)n * sizeof *p->last);
    mark_targets(p);
    if ((status = explore(p))) return status;
    if ((status = add_empty_paths(p))) return status;
    cut(p);
    status = merge(p);
    return status ? status : fill(p);
}

jc_status jc_walk_multiply(const jc_walk_builder *b)
{
    const jc_allocator *a = b->allocator;
    int64_t n = b->graph->n_variables;
    product p = {.b = b,
                 .graph = b->graph,
                 .allocator = a,
                 .nodes = jc_vec_of(sizeof(raw_node)),
                 .edges = jc_vec_of(sizeof(raw_edge))};
    jc_status status = multiply(&p);
    b->walk->split = true;
    b->walk->n_states = jc_automaton_states(b->automaton);
    jc_table_free(a, &p.known);
    jc_vec_free(a, &p.edges);
    jc_vec_free(a, &p.nodes);
    jc_free(a, p.target_mark, n, 1);
    jc_free(a, p.last, n, sizeof *p.last);
    jc_free(a, p.first, n, sizeof *p.first);
    return status;
}
