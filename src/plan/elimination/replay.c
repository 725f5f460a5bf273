#include "plan/elimination/replay.h"

#include <string.h>

#include "core/size.h"

typedef struct replay {
    const jc_pairs *pairs;
    const jc_allocator *allocator;
    jc_products products;
    jc_fill fill;
    jc_elimination *made;
} replay;

static const char *const WHAT = "the operations of an elimination";

static jc_elimination_value *value_at(const replay *r, int64_t value)
{
    return (jc_elimination_value *)r->made->values.data + value;
}

/* The value of a pair, which gets one. */
static jc_status need_value(replay *r, int64_t pair)
{
    jc_fill_pair *p = jc_fill_at(&r->fill, pair);
    if (p->value >= 0) return JC_OK;
    jc_elimination_value value = {.of = p->of, .wrt = p->wrt, .last_op = -1, .structure = -1};
    value.result = r->pairs->is_target[p->of] && r->pairs->is_source[p->wrt];
    jc_status status = jc_vec_append(r->allocator, &r->made->values, &value, 1, WHAT);
    if (status) return status;
    p->value = r->made->values.count - 1;
    return JC_OK;
}

/* Adds an operation to the value of `pair`, which is there. */
static jc_status add_op(replay *r, int64_t pair, jc_elimination_op op)
{
    jc_elimination *e = r->made;
    op.of = jc_fill_at(&r->fill, pair)->of, op.wrt = jc_fill_at(&r->fill, pair)->wrt;
    op.result = jc_fill_at(&r->fill, pair)->value;
    op.first = value_at(r, op.result)->last_op < 0;
    value_at(r, op.result)->last_op = e->ops.count;
    if (op.left >= 0) value_at(r, op.left)->last_op = e->ops.count;
    if (op.right >= 0) value_at(r, op.right)->last_op = e->ops.count;
    e->cost = jc_cost_add(e->cost, op.cost);
    return jc_vec_append(r->allocator, &e->ops, &op, 1, WHAT);
}

static int64_t size_of(const replay *r, int64_t node)
{
    return r->pairs->subgraph->size[node];
}

/* ---- matrices of edges ------------------------------------------------------------------------------------------- */

/* The matrix of an edge into the value of its pair: of an operator the cheaper of tangents and adjoints, or those that
 * the sweep takes. */
static jc_status accumulate_edge(replay *r, int64_t pair, int64_t edge)
{
    const jc_edge_cost *cost = &r->pairs->edge_cost[edge];
    jc_fill_pair *p = jc_fill_at(&r->fill, pair);
    int64_t tangents = jc_cost_mul(size_of(r, p->wrt), cost->tangent),
            adjoints = jc_cost_mul(size_of(r, p->of), cost->adjoint);
    bool by_tangents = r->products == JC_PRODUCTS_FREE ? tangents <= adjoints : r->products == JC_PRODUCTS_TANGENT;
    return add_op(r, pair,
                  (jc_elimination_op){.kind = JC_ELIMINATION_ACCUMULATE,
                                      .via = -1,
                                      .left = JC_NO_OPERAND,
                                      .right = jc_operand_of_edge(edge),
                                      .direction = by_tangents ? JC_TANGENT : JC_ADJOINT,
                                      .cost = !cost->is_operator ? 0
                                              : by_tangents      ? tangents
                                                                 : adjoints});
}

/* All edges of a pair that are operators (or are not). */
static jc_status accumulate_edges(replay *r, int64_t pair, bool operators)
{
    int64_t given = jc_fill_at(&r->fill, pair)->given;
    if (given < 0) return JC_OK;
    const jc_pair *g = &r->pairs->pairs[given];
    for (int64_t k = g->first_edge; k < g->first_edge + g->n_edges; k++) {
        int64_t edge = r->pairs->edges[k];
        if (r->pairs->edge_cost[edge].is_operator != operators) continue;
        jc_status status = need_value(r, pair);
        if (!status) status = accumulate_edge(r, pair, edge);
        if (status) return status;
    }
    return JC_OK;
}

/* The pair's edges that are no operators are in its value from now on; without such edges there may be no value. */
static jc_status form_explicit(replay *r, int64_t pair)
{
    return jc_fill_at(&r->fill, pair)->value >= 0 ? JC_OK : accumulate_edges(r, pair, false);
}

/* All of the pair is in its value from now on. */
static jc_status form_all(replay *r, int64_t pair)
{
    jc_status status = form_explicit(r, pair);
    if (!status && !jc_fill_at(&r->fill, pair)->converted) status = accumulate_edges(r, pair, true);
    jc_fill_at(&r->fill, pair)->converted = true;
    return status;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* D[t,v] D[v,u] being formed: `matrix` is read, `applied` is applied. */
typedef struct product {
    int64_t matrix, applied, result; /* pairs */
    int64_t via;
    bool adjoint; /* the right factor is the applied one */
} product;

static jc_status multiply_values(replay *r, const product *p)
{
    int64_t a = jc_fill_at(&r->fill, p->matrix)->value, b = jc_fill_at(&r->fill, p->applied)->value;
    const jc_fill_pair *result = jc_fill_at(&r->fill, p->result);
    return add_op(r, p->result,
                  (jc_elimination_op){
                      .kind = JC_ELIMINATION_MULTIPLY,
                      .via = p->via,
                      .left = p->adjoint ? a : b,
                      .right = p->adjoint ? b : a,
                      .cost = jc_cost_mul(jc_pair_entries(r->pairs, result->of, result->wrt), size_of(r, p->via))});
}

static jc_status apply_edge(replay *r, const product *p, int64_t edge)
{
    int64_t value = jc_fill_at(&r->fill, p->matrix)->value, operand = jc_operand_of_edge(edge);
    const jc_fill_pair *result = jc_fill_at(&r->fill, p->result);
    const jc_edge_cost *cost = &r->pairs->edge_cost[edge];
    return add_op(r, p->result,
                  (jc_elimination_op){.kind = p->adjoint ? JC_ELIMINATION_ADJOINT : JC_ELIMINATION_TANGENT,
                                      .via = p->via,
                                      .left = p->adjoint ? value : operand,
                                      .right = p->adjoint ? operand : value,
                                      .cost = p->adjoint ? jc_cost_mul(size_of(r, result->of), cost->adjoint)
                                                         : jc_cost_mul(size_of(r, result->wrt), cost->tangent)});
}

/* The edges of the applied pair that are operators, or those that are not. */
static jc_status apply_edges(replay *r, const product *p, bool operators)
{
    int64_t given = jc_fill_at(&r->fill, p->applied)->given;
    if (given < 0) return JC_OK;
    const jc_pair *g = &r->pairs->pairs[given];
    jc_status status = JC_OK;
    for (int64_t k = g->first_edge; k < g->first_edge + g->n_edges && !status; k++)
        if (r->pairs->edge_cost[r->pairs->edges[k]].is_operator == operators)
            status = apply_edge(r, p, r->pairs->edges[k]);
    return status;
}

/* How the applied pair is applied: all of it as one matrix, what is no operator as one, or edge by edge. This is what
 * its factor counted: jc_fill_factors. */
static jc_status apply(replay *r, const product *p, const jc_factor *factor)
{
    const jc_fill_pair *f = jc_fill_at(&r->fill, p->applied);
    const jc_pair *given = f->given < 0 ? NULL : &r->pairs->pairs[f->given];
    int64_t dense = factor->dense, parts = !given || f->filled ? dense : given->explicit_cost;
    bool by_value = f->filled || (r->products == JC_PRODUCTS_FREE && parts > dense);
    int64_t operators = !given ? 0 : p->adjoint ? given->adjoint : given->tangent;
    bool has_operators = given && r->pairs->has_operators && given->convert;
    if (has_operators && f->converted && (f->filled || jc_cost_add(parts, operators) > dense)) by_value = true;
    jc_status status = by_value ? form_explicit(r, p->applied) : apply_edges(r, p, false);
    if (!status && by_value && jc_fill_at(&r->fill, p->applied)->value >= 0) status = multiply_values(r, p);
    bool operators_are_in = by_value && jc_fill_at(&r->fill, p->applied)->converted;
    return status || operators_are_in ? status : apply_edges(r, p, true);
}

/* The product of two factors of `via`, added to the pair between their far ends. */
static jc_status add_product(replay *r, int64_t via, const jc_factors *f, int64_t i, int64_t j)
{
    int64_t left = ((int64_t *)r->fill.left_at.data)[i], right = ((int64_t *)r->fill.right_at.data)[j], cost;
    product p = {.via = via, .adjoint = jc_factors_adjoint(f, i, j, r->products, &cost)};
    p.matrix = p.adjoint ? left : right, p.applied = p.adjoint ? right : left;
    jc_status status =
        jc_fill_get(&r->fill, jc_fill_at(&r->fill, left)->of, jc_fill_at(&r->fill, right)->wrt, &p.result);
    if (!status) status = form_explicit(r, p.result);
    if (!status) status = need_value(r, p.result);
    if (!status) status = form_all(r, p.matrix);
    if (status) return status;
    jc_fill_at(&r->fill, p.result)->filled = true;
    return apply(r, &p, p.adjoint ? &f->right[j] : &f->left[i]);
}

/* What became a matrix for the products of a node. */
static jc_status form_marked(replay *r, const jc_factor *factors, int64_t n, const int64_t *pairs)
{
    jc_status status = JC_OK;
    for (int64_t i = 0; i < n && !status; i++)
        if (factors[i].matrix) status = form_all(r, pairs[i]);
    return status;
}

static jc_status eliminate(replay *r, int64_t node)
{
    jc_factors f;
    jc_status status = jc_fill_factors(&r->fill, node, r->products, &f);
    if (status) return status;
    jc_factors_cost(&f, r->products);
    status = form_marked(r, f.left, f.n_left, r->fill.left_at.data);
    if (!status) status = form_marked(r, f.right, f.n_right, r->fill.right_at.data);
    for (int64_t i = 0; i < f.n_left && !status; i++)
        for (int64_t j = 0; j < f.n_right && !status; j++) status = add_product(r, node, &f, i, j);
    if (!status) jc_fill_remove(&r->fill, node);
    return status;
}

/* The results: what is left between targets and sources, as matrices. */
static jc_status form_results(replay *r)
{
    jc_status status = JC_OK;
    for (int64_t v = 0; v < r->pairs->n_nodes && !status; v++)
        for (int64_t p = r->fill.first_in[v]; p >= 0 && !status; p = jc_fill_at(&r->fill, p)->next_in)
            status = form_all(r, p);
    return status;
}

/* Entries that are held while each operation is done: a value from its first operation to its last one, results to the
 * end. */
static void find_peak(const replay *r)
{
    jc_elimination *e = r->made;
    const jc_elimination_op *ops = e->ops.data;
    int64_t live = 0;
    for (int64_t i = 0; i < e->n_ops && e->peak_entries < INT64_MAX; i++) {
        const jc_elimination_op *op = &ops[i];
        int64_t used[3] = {op->result, op->left, op->right};
        if (op->first) live = jc_cost_add(live, jc_pair_entries(r->pairs, op->of, op->wrt));
        e->peak_entries = jc_max(e->peak_entries, live);
        for (int k = 0; k < 3; k++) {
            const jc_elimination_value *value = used[k] < 0 ? NULL : value_at(r, used[k]);
            if (value && value->last_op == i && !value->result)
                live -= jc_pair_entries(r->pairs, value->of, value->wrt);
        }
    }
}

/* The operators of results, whose matrices are needed in any case: formed first, they are there for the products. The
 * sweeps form them when they come to them. */
static jc_status form_operators_of_results(replay *r)
{
    jc_status status = JC_OK;
    const jc_pairs *p = r->pairs;
    for (int64_t i = 0; i < p->n_pairs && !status && p->has_operators && r->products == JC_PRODUCTS_FREE; i++)
        if (jc_pairs_is_result(p, i) && p->pairs[i].convert)
            status = form_all(r, jc_fill_find(&r->fill, p->pairs[i].of, p->pairs[i].wrt));
    return status;
}

jc_status jc_replay(const jc_pairs *pairs, const int64_t *order, int64_t n, jc_products products,
                    jc_elimination *elimination)
{
    jc_elimination made = {
        .n_order = n, .values = jc_vec_of(sizeof(jc_elimination_value)), .ops = jc_vec_of(sizeof(jc_elimination_op))};
    replay r = {.pairs = pairs, .allocator = pairs->allocator, .products = products, .made = &made};
    jc_status status = jc_alloc(r.allocator, n, sizeof *made.order, WHAT, &made.order);
    if (!status) status = jc_fill_init(&r.fill, pairs);
    if (status) goto fail;
    memcpy(made.order, order, (size_t)n * sizeof *order);
    status = form_operators_of_results(&r);
    for (int64_t i = 0; i < n && !status; i++) status = eliminate(&r, order[i]);
    if (!status) status = form_results(&r);
    jc_fill_fini(&r.fill);
    if (status) goto fail;
    made.n_values = made.values.count, made.n_ops = made.ops.count;
    find_peak(&r);
    *elimination = made;
    return JC_OK;
fail:
    jc_elimination_fini(r.allocator, &made);
    return status;
}

void jc_elimination_fini(const jc_allocator *a, jc_elimination *e)
{
    jc_free(a, e->order, e->n_order, sizeof *e->order);
    jc_vec_free(a, &e->values);
    jc_vec_free(a, &e->ops);
    memset(e, 0, sizeof *e);
}
