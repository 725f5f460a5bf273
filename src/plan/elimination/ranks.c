/* low_rank edges as two: y <- r <- x. */
#include <string.h>

#include "core/size.h"
#include "plan/elimination/elimination.h"
#include "plan/sweep.h"

static const char *const WHAT = "the factors of low_rank Jacobians";

typedef struct split {
    const jc_graph *graph;
    const jc_allocator *allocator;
    const jc_subgraph *old;
    int64_t n_old;      /* nodes of it */
    int64_t n_split;    /* edges */
    uint8_t *ends;      /* [n_old] TARGET, SOURCE */
    int64_t *made;      /* [graph groups] the made group of U, V's is behind it; -1: not made yet */
    int64_t *operand;   /* [graph edges] the operand of U, V's is behind it; -1: not made yet */
    int64_t *new_node;  /* [n_old] */
    jc_subgraph result; /* nodes, edges and ends */
} split;

enum { TARGET = 1, SOURCE = 2 };

/* The low_rank group of an edge that is split, or NULL. Without numbers the rank is not known; an edge that is a
 * result, or a part of one, is needed as a matrix. Of several blocks the matrix is larger than what they hold. */
static const jc_group *split_group(const split *s, int64_t edge)
{
    const jc_subgraph *g = s->old;
    int64_t member;
    const jc_group *group = jc_subgraph_jacobian(s->graph, g, g->jacobian[edge], &member);
    const jc_shape *shape = &group->shape;
    if (shape->kind != JC_LOW_RANK || g->jacobian[edge] < 0 || shape->m < 1) return NULL;
    if (s->ends[g->of[edge]] & TARGET && s->ends[g->wrt[edge]] & SOURCE) return NULL;
    int64_t factors = jc_cost_mul(shape->m, jc_cost_add(shape->p, shape->q));
    bool blocks = shape->batch > 1 || shape->inner > 1;
    return blocks || factors < jc_cost_mul(shape->p, shape->q) ? group : NULL;
}

/* ---- the factors ------------------------------------------------------------------------------------------------- */

/* I_batch (x) F (x) I_inner with F the field of a low_rank group, p (or q) x rank; transposed if so. */
static jc_made factor_of(const jc_graph *graph, int64_t number, int field, bool transpose)
{
    const jc_group *from = (const jc_group *)graph->groups.data + number;
    const jc_shape *s = &from->shape;
    int64_t p = field == 0 ? s->p : s->q, q = s->m, copies = s->batch * s->inner;
    jc_made made = {.of_group = number, .of_field = field};
    made.group = (jc_group){.first_edge = from->first_edge,
                            .n_edges = from->n_edges,
                            .has_numbers = from->has_numbers,
                            .scale = 1.0,
                            .ragged = -1};
    made.group.shape = (jc_shape){.kind = JC_DENSE,
                                  .transpose = transpose,
                                  .batch = s->batch,
                                  .inner = s->inner,
                                  .p = p,
                                  .q = q,
                                  .rows = copies * (transpose ? q : p),
                                  .cols = copies * (transpose ? p : q)};
    made.group.field[0] = from->field[field];
    return made;
}

/* D = U V^T: the outer factor is U, the inner one V^T. D^T = V U^T: V and U^T. Outer and inner follow each other. */
static jc_status need_made(split *s, int64_t number)
{
    if (s->made[number] >= 0) return JC_OK;
    bool transpose = ((const jc_group *)s->graph->groups.data)[number].shape.transpose;
    jc_made both[2] = {factor_of(s->graph, number, transpose, false), factor_of(s->graph, number, !transpose, true)};
    jc_status status = jc_vec_append(s->allocator, &s->result.made, both, 2, WHAT);
    if (!status) s->made[number] = s->result.made.count - 2;
    return status;
}

/* The operands of both factors of an edge of the graph, for all its copies. */
static jc_status need_operands(split *s, int64_t edge)
{
    if (s->operand[edge] >= 0) return JC_OK;
    int64_t number = jc_graph_group_number(s->graph, edge), member = edge - jc_graph_group(s->graph, edge)->first_edge;
    jc_status status = need_made(s, number);
    if (status) return status;
    jc_operand both[2] = {{s->made[number], member, -1}, {s->made[number] + 1, member, -1}};
    status = jc_vec_append(s->allocator, &s->result.operands, both, 2, WHAT);
    if (!status) s->operand[edge] = s->result.operands.count - 2;
    return status;
}

/* ---- nodes and edges --------------------------------------------------------------------------------------------- */

static jc_status allocate_work(split *s)
{
    const jc_allocator *a = s->allocator;
    int64_t groups = s->graph->groups.count, edges = s->graph->n_edges;
    jc_status status;
    if ((status = jc_alloc(a, groups, sizeof *s->made, WHAT, &s->made))) return status;
    if ((status = jc_alloc(a, edges, sizeof *s->operand, WHAT, &s->operand))) return status;
    if ((status = jc_alloc(a, s->n_old, sizeof *s->new_node, WHAT, &s->new_node))) return status;
    memset(s->made, -1, (size_t)groups * sizeof *s->made);
    memset(s->operand, -1, (size_t)edges * sizeof *s->operand);
    return JC_OK;
}

static void free_work(split *s)
{
    jc_free(s->allocator, s->made, s->graph->groups.count, sizeof *s->made);
    jc_free(s->allocator, s->operand, s->graph->n_edges, sizeof *s->operand);
    jc_free(s->allocator, s->new_node, s->n_old, sizeof *s->new_node);
}

static jc_status allocate_result(split *s)
{
    const jc_allocator *a = s->allocator;
    jc_subgraph *r = &s->result;
    int64_t nodes = s->n_old + s->n_split, edges = s->old->n_edges + s->n_split;
    jc_status status;
    r->n_nodes = nodes, r->n_edges = edges;
    if ((status = jc_alloc(a, nodes, sizeof *r->variable, WHAT, &r->variable))) return status;
    if ((status = jc_alloc(a, nodes, sizeof *r->size, WHAT, &r->size))) return status;
    if ((status = jc_alloc(a, nodes, sizeof *r->rank_of, WHAT, &r->rank_of))) return status;
    if ((status = jc_alloc(a, edges, sizeof *r->of, WHAT, &r->of))) return status;
    if ((status = jc_alloc(a, edges, sizeof *r->wrt, WHAT, &r->wrt))) return status;
    return jc_alloc(a, edges, sizeof *r->jacobian, WHAT, &r->jacobian);
}

static int64_t add_node(split *s, int64_t *n, int64_t variable, int64_t size, int64_t rank_of)
{
    s->result.variable[*n] = variable, s->result.size[*n] = size, s->result.rank_of[*n] = rank_of;
    return (*n)++;
}

static void add_edge(split *s, int64_t *n, int64_t of, int64_t wrt, int64_t jacobian)
{
    s->result.of[*n] = of, s->result.wrt[*n] = wrt, s->result.jacobian[*n] = jacobian;
    ++*n;
}

/* The rank nodes of the edges first .. end - 1, which lead into one node, each with the edge into it. */
static jc_status add_rank_nodes(split *s, int64_t first, int64_t end, int64_t *n_nodes, int64_t *n_edges)
{
    const jc_subgraph *old = s->old;
    jc_status status = JC_OK;
    for (int64_t e = first; e < end && !status; e++) {
        const jc_group *group = split_group(s, e);
        int64_t edge = old->jacobian[e];
        if (!group) continue;
        status = need_operands(s, edge);
        if (status) break;
        int64_t size = group->shape.batch * group->shape.inner * group->shape.m;
        int64_t node = add_node(s, n_nodes, -1, size, edge);
        add_edge(s, n_edges, node, s->new_node[old->wrt[e]], -1 - old->n_extra - (s->operand[edge] + 1));
    }
    return status;
}

/* Every node behind the rank nodes of the edges into it, which come in their order. */
static jc_status add_nodes(split *s)
{
    const jc_subgraph *old = s->old;
    int64_t n_nodes = 0, n_edges = 0, end = 0;
    for (int64_t v = 0, first = 0; v < old->n_nodes; v++, first = end) {
        int64_t rank_node = n_nodes;
        while (end < old->n_edges && old->of[end] == v) end++;
        jc_status status = add_rank_nodes(s, first, end, &n_nodes, &n_edges);
        if (status) return status;
        s->new_node[v] = add_node(s, &n_nodes, old->variable[v], old->size[v], -1);
        for (int64_t e = first; e < end; e++) {
            bool is_split = split_group(s, e);
            int64_t from = is_split ? rank_node++ : s->new_node[old->wrt[e]], jacobian = old->jacobian[e];
            add_edge(s, &n_edges, s->new_node[v], from, is_split ? -1 - old->n_extra - s->operand[jacobian] : jacobian);
        }
    }
    return JC_OK;
}

/* ---- the subgraph ------------------------------------------------------------------------------------------------ */

/* Nodes and edges of the old subgraph for the new ones; the rest of it stays. */
static void adopt(const split *s, jc_subgraph *g)
{
    const jc_allocator *a = s->allocator;
    jc_free(a, g->variable, g->n_nodes, sizeof *g->variable);
    jc_free(a, g->size, g->n_nodes, sizeof *g->size);
    jc_free(a, g->of, g->n_edges, sizeof *g->of);
    jc_free(a, g->wrt, g->n_edges, sizeof *g->wrt);
    jc_free(a, g->jacobian, g->n_edges, sizeof *g->jacobian);
    for (int64_t t = 0; t < g->n_targets; t++)
        if (g->target[t] >= 0) g->target[t] = s->new_node[g->target[t]];
    for (int64_t i = 0; i < g->n_sources; i++)
        if (g->source[i] >= 0) g->source[i] = s->new_node[g->source[i]];
    const jc_subgraph *r = &s->result;
    g->n_nodes = r->n_nodes, g->n_edges = r->n_edges;
    g->variable = r->variable, g->size = r->size, g->rank_of = r->rank_of;
    g->of = r->of, g->wrt = r->wrt, g->jacobian = r->jacobian;
    g->made = r->made, g->operands = r->operands;
}

/* Which nodes are ends, and how many edges are split. */
static jc_status count(split *s)
{
    const jc_subgraph *g = s->old;
    jc_status status = jc_alloc_zero(s->allocator, s->n_old, sizeof *s->ends, WHAT, &s->ends);
    if (status) return status;
    for (int64_t t = 0; t < g->n_targets; t++)
        if (g->target[t] >= 0) s->ends[g->target[t]] |= TARGET;
    for (int64_t i = 0; i < g->n_sources; i++)
        if (g->source[i] >= 0) s->ends[g->source[i]] |= SOURCE;
    for (int64_t e = 0; e < g->n_edges; e++) s->n_split += split_group(s, e) != NULL;
    return JC_OK;
}

static jc_status split_all(split *s, jc_subgraph *subgraph)
{
    jc_status status = allocate_work(s);
    if (!status) status = allocate_result(s);
    if (!status) status = add_nodes(s);
    if (!status)
        adopt(s, subgraph);
    else
        jc_subgraph_fini(s->allocator, &s->result);
    free_work(s);
    return status;
}

jc_status jc_subgraph_split_ranks(const jc_graph *graph, jc_subgraph *subgraph)
{
    split s = {.graph = graph, .allocator = &graph->allocator, .old = subgraph, .n_old = subgraph->n_nodes};
    s.result.made = jc_vec_of(sizeof(jc_made)), s.result.operands = jc_vec_of(sizeof(jc_operand));
    if (subgraph->rank_of) return JC_OK;
    jc_status status = count(&s);
    if (!status && s.n_split) status = split_all(&s, subgraph);
    jc_free(s.allocator, s.ends, s.n_old, sizeof *s.ends);
    return status;
}
