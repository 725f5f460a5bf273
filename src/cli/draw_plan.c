#include "cli/draw_plan.h"

#include <stdlib.h>
#include <string.h>

#include "plan/elimination/fill.h"

enum { NAME_BYTES = 64 };

/* ---- the order --------------------------------------------------------------------------------------------------- */

/* Calls for every node between others, in the order of the plan. */
typedef jc_status take_node(void *ctx, int64_t node);

static jc_status each_inner(const jc_plan *plan, const jc_pairs *pairs, take_node *take, void *ctx)
{
    bool *inner = jc_cli_alloc(pairs->n_nodes, sizeof *inner);
    int64_t n = jc_plan_n_vertices(plan);
    jc_status status = JC_OK;
    for (int64_t i = 0; i < pairs->n_inner; i++) inner[pairs->inner[i]] = true;
    for (int64_t i = 0; i < n && !status; i++) {
        int64_t node = jc_plan_vertex(plan, i);
        if (inner[node]) status = take(ctx, node);
        inner[node] = false;
    }
    free(inner);
    return status;
}

/* D[t,u] += D[t,v] D[v,u] for every pair (v,u) into v and (t,v) out of it; then v is gone. */
static jc_status eliminate(void *ctx, int64_t v)
{
    jc_fill *fill = ctx;
    jc_status status = JC_OK;
    int64_t pair;
    for (int64_t p = fill->first_out[v]; p >= 0 && !status; p = jc_fill_at(fill, p)->next_out)
        for (int64_t q = fill->first_in[v]; q >= 0 && !status; q = jc_fill_at(fill, q)->next_in)
            status = jc_fill_get(fill, jc_fill_at(fill, p)->of, jc_fill_at(fill, q)->wrt, &pair);
    jc_fill_remove(fill, v);
    return status;
}

/* The numbers of the nodes that go: targets and sources stay. */
typedef struct numbering {
    const jc_pairs *pairs;
    int64_t *number, next;
} numbering;

static jc_status give_number(void *ctx, int64_t node)
{
    numbering *n = ctx;
    if (!n->pairs->is_target[node] && !n->pairs->is_source[node]) n->number[node] = ++n->next;
    return JC_OK;
}

/* ---- the graph that is drawn ------------------------------------------------------------------------------------- */

/* The variable's name; with the state behind it where a rule gives it several nodes; of nodes that are no variables,
 * what they are. Owned by the caller. */
static char *name_of(const jc_plan *plan, int64_t node, int64_t state, bool several)
{
    const jc_subgraph *s = &plan->subgraph;
    bool is_rank = s->rank_of && s->rank_of[node] >= 0;
    char *name = s->variable[node] >= 0 ? jc_cli_name(plan->graph, s->variable[node]) : NULL;
    size_t bytes = (name ? strlen(name) : 0) + NAME_BYTES;
    char *text = jc_cli_alloc((int64_t)bytes, 1);
    if (is_rank)
        snprintf(text, bytes, "V'x of edge %lld", (long long)s->rank_of[node]);
    else if (!name)
        snprintf(text, bytes, plan->seed == JC_SEED_NONE ? "sum over samples" : "seed");
    else if (several)
        snprintf(text, bytes, "%s|%lld", name, (long long)state);
    else
        snprintf(text, bytes, "%s", name);
    free(name);
    return text;
}

/* Adds the node under its name, made longer where another one has it. */
static jc_status add_node(jc_graph *graph, char *name, int64_t size)
{
    size_t n = strlen(name);
    char *longer = jc_cli_alloc((int64_t)n + NAME_BYTES, 1);
    strcpy(longer, name);
    for (int64_t i = 2; jc_graph_find_variable(graph, longer) >= 0; i++)
        snprintf(longer, n + NAME_BYTES, "%s (%lld)", name, (long long)i);
    jc_status status = jc_graph_add_variable(graph, longer, size, NULL);
    free(longer);
    free(name);
    return status;
}

static jc_status add_nodes(const jc_plan *plan, jc_graph *graph)
{
    const jc_subgraph *s = &plan->subgraph;
    int64_t n = jc_graph_variable_count(plan->graph);
    int64_t *nodes = jc_cli_alloc(n, sizeof *nodes), *state = jc_cli_alloc(n, sizeof *state);
    jc_status status = JC_OK;
    for (int64_t v = 0; v < s->n_nodes; v++)
        if (s->variable[v] >= 0) nodes[s->variable[v]]++;
    for (int64_t v = 0; v < s->n_nodes && !status; v++) {
        int64_t x = s->variable[v];
        bool several = x >= 0 && nodes[x] > 1;
        char *name = name_of(plan, v, x >= 0 ? state[x]++ : 0, several);
        status = add_node(graph, name, s->size[v]);
    }
    free(state);
    free(nodes);
    return status;
}

/* An edge of the drawing: only where it leads counts; what its Jacobian is the document's graph says. */
static jc_status add_edge(jc_draw_plan *p, int64_t of, int64_t wrt, int64_t edge)
{
    static const jc_jacobian any = JC_JACOBIAN_INIT(JC_DENSE);
    p->elimination.edge[jc_graph_edge_count(p->graph)] = edge;
    return jc_graph_add_edge(p->graph, of, wrt, &any, NULL, 0);
}

static jc_status add_edges(jc_draw_plan *p, const jc_plan *plan, const jc_fill *fill)
{
    const jc_subgraph *s = &plan->subgraph;
    jc_status status = JC_OK;
    p->elimination.edge = jc_cli_alloc(s->n_edges + fill->at.count, sizeof *p->elimination.edge);
    for (int64_t e = 0; e < s->n_edges && !status; e++) {
        int64_t edge = jc_plan_edge_of_b(plan, s->jacobian[e]);
        status = add_edge(p, s->of[e], s->wrt[e], edge >= 0 ? edge : JC_DRAW_ADDED);
    }
    for (int64_t i = 0; i < fill->at.count && !status; i++) {
        const jc_fill_pair *pair = jc_fill_at(fill, i);
        if (pair->given >= 0) continue;
        status = add_edge(p, pair->of, pair->wrt, JC_DRAW_FILL);
        p->n_fill++;
    }
    return status;
}

static jc_status make_graph(jc_draw_plan *p, const jc_plan *plan, const jc_fill *fill)
{
    jc_status status = jc_graph_create(NULL, &p->graph);
    if (!status) status = add_nodes(plan, p->graph);
    if (!status) status = add_edges(p, plan, fill);
    return status ? status : jc_graph_finish(p->graph);
}

/* ---- the whole --------------------------------------------------------------------------------------------------- */

static void mark_ends(jc_drawing *d, const jc_subgraph *s)
{
    d->node_end = jc_cli_alloc(d->n_variables, sizeof *d->node_end);
    for (int64_t i = 0; i < s->n_targets; i++)
        if (s->target[i] >= 0) d->node_end[s->target[i]] = true;
    for (int64_t i = 0; i < s->n_sources; i++)
        if (s->source[i] >= 0) d->node_end[s->source[i]] = true;
}

static char *make_caption(const jc_plan *plan, int64_t n_fill)
{
    enum { BYTES = 240 };
    char *text = jc_cli_alloc(BYTES, 1), adds[JC_QUANTITY_BYTES], fill[JC_QUANTITY_BYTES];
    snprintf(text, BYTES, "%s, %s multiply-adds. Numbers: the order of elimination%s%s%s",
             jc_cli_order_name(plan->by_elimination ? JC_ORDER_ELIMINATION : plan->order),
             jc_cli_count_text(plan->multiply_adds, adds), n_fill ? "; dashed: fill-in, " : "",
             n_fill ? jc_cli_count_text(n_fill, fill) : "",
             n_fill == 1 ? " edge"
             : n_fill    ? " edges"
                         : "");
    return text;
}

static jc_status draw(jc_draw_plan *p, const jc_plan *plan, const jc_pairs *pairs, jc_fill *fill)
{
    numbering numbers = {pairs, jc_cli_alloc(pairs->n_nodes, sizeof(int64_t)), 0};
    p->elimination.number = numbers.number;
    p->elimination.document = plan->graph;
    jc_status status = each_inner(plan, pairs, eliminate, fill);
    if (!status) status = each_inner(plan, pairs, give_number, &numbers);
    if (!status) status = make_graph(p, plan, fill);
    if (status) return status;
    p->elimination.caption = make_caption(plan, p->n_fill);
    jc_drawing_init(&p->drawing, p->graph);
    mark_ends(&p->drawing, &plan->subgraph);
    p->drawing.elimination = &p->elimination;
    return JC_OK;
}

jc_status jc_draw_plan_init(jc_draw_plan *p, const jc_plan *plan)
{
    jc_pairs pairs;
    jc_fill fill;
    memset(p, 0, sizeof *p);
    jc_status status = jc_pairs_create(plan->graph, &plan->subgraph, -1, &pairs);
    if (status) return status;
    status = jc_fill_init(&fill, &pairs);
    if (!status) {
        status = draw(p, plan, &pairs, &fill);
        jc_fill_fini(&fill);
    }
    jc_pairs_fini(&pairs);
    if (status) jc_draw_plan_fini(p);
    return status;
}

void jc_draw_plan_fini(jc_draw_plan *p)
{
    jc_drawing_fini(&p->drawing);
    free(p->elimination.caption);
    free(p->elimination.edge);
    free(p->elimination.number);
    jc_graph_destroy(p->graph);
    memset(p, 0, sizeof *p);
}
