#include "plan/elimination/replay.h"

#include <string.h>

#include "core/size.h"
#include "plan/elimination/finish.h"
#include "plan/plan.h"

typedef struct replay {
    const jc_pairs *pairs;
    const jc_allocator *allocator;
    jc_products products;
    jc_fill fill;
    jc_elimination *made;
    jc_vec product_of; /* int32_t: of each operation the structure of its product, -1: none; empty without a table */
    jc_vec was_read;   /* bool: of each value */
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
    if (r->fill.structures) value.structure = p->structure;
    jc_status status = jc_vec_append(r->allocator, &r->made->values, &value, 1, WHAT);
    if (!status) status = jc_vec_append(r->allocator, &r->was_read, NULL, 1, WHAT);
    if (status) return status;
    p->value = r->made->values.count - 1;
    return JC_OK;
}

/* Adds an operation to the value of `pair`, which is there. product: its structure, or -1. */
static jc_status add_op(replay *r, int64_t pair, int32_t product, jc_elimination_op op)
{
    jc_elimination *e = r->made;
    op.of = jc_fill_at(&r->fill, pair)->of, op.wrt = jc_fill_at(&r->fill, pair)->wrt;
    op.result = jc_fill_at(&r->fill, pair)->value;
    if (op.left >= 0) ((bool *)r->was_read.data)[op.left] = true;
    if (op.right >= 0) ((bool *)r->was_read.data)[op.right] = true;
    e->cost = jc_cost_add(e->cost, op.cost);
    jc_status status = jc_vec_append(r->allocator, &e->ops, &op, 1, WHAT);
    if (status || !r->fill.structures) return status;
    return jc_vec_append(r->allocator, &r->product_of, &product, 1, WHAT);
}

/* The pair's structure has grown: so does that of its value, unless it was read already, when it was less; then a new
 * one begins with what it is. */
static jc_status fit_value(replay *r, int64_t pair)
{
    int64_t old = jc_fill_at(&r->fill, pair)->value;
    int32_t structure = jc_fill_at(&r->fill, pair)->structure;
    if (!r->fill.structures || old < 0 || value_at(r, old)->structure == structure) return JC_OK;
    if (!((bool *)r->was_read.data)[old]) {
        value_at(r, old)->structure = structure;
        return JC_OK;
    }
    value_at(r, old)->result = false;
    jc_fill_at(&r->fill, pair)->value = -1;
    jc_status status = need_value(r, pair);
    if (status) return status;
    jc_elimination_op copy = {.kind = JC_ELIMINATION_ACCUMULATE, .via = -1, .left = JC_NO_OPERAND, .right = old};
    return add_op(r, pair, -1, copy);
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
    return add_op(r, pair, -1,
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
    int64_t left, right, result; /* pairs */
    int64_t matrix, applied;     /* left and right, or the other way round */
    int64_t via;
    bool adjoint;      /* the right factor is the applied one */
    int32_t structure; /* of the product; -1: without a table */
} product;

/* Multiply-adds of the product of both as matrices, or applying a part of one of them: once costs that many. */
static int64_t product_cost(const replay *r, const product *p, int64_t apply_left, int64_t apply_right)
{
    const jc_fill_pair *left = jc_fill_at(&r->fill, p->left), *right = jc_fill_at(&r->fill, p->right);
    if (r->fill.structures)
        return jc_structures_cost(r->fill.structures, left->structure, right->structure, p->structure, apply_left,
                                  apply_right);
    return jc_min(jc_cost_mul(size_of(r, left->of), apply_right), jc_cost_mul(size_of(r, right->wrt), apply_left));
}

static jc_status multiply_values(replay *r, const product *p)
{
    int64_t left = jc_fill_held(&r->fill, p->left), right = jc_fill_held(&r->fill, p->right);
    return add_op(r, p->result, p->structure,
                  (jc_elimination_op){.kind = JC_ELIMINATION_MULTIPLY,
                                      .via = p->via,
                                      .left = jc_fill_at(&r->fill, p->left)->value,
                                      .right = jc_fill_at(&r->fill, p->right)->value,
                                      .cost = product_cost(r, p, left, right)});
}

static jc_status apply_edge(replay *r, const product *p, int64_t edge)
{
    int64_t value = jc_fill_at(&r->fill, p->matrix)->value, operand = jc_operand_of_edge(edge);
    const jc_edge_cost *cost = &r->pairs->edge_cost[edge];
    return add_op(r, p->result, p->structure,
                  (jc_elimination_op){.kind = p->adjoint ? JC_ELIMINATION_ADJOINT : JC_ELIMINATION_TANGENT,
                                      .via = p->via,
                                      .left = p->adjoint ? value : operand,
                                      .right = p->adjoint ? operand : value,
                                      .cost = p->adjoint ? product_cost(r, p, INT64_MAX, cost->adjoint)
                                                         : product_cost(r, p, cost->tangent, INT64_MAX)});
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

/* Whether a product of entries that meet takes the sum of several edges, so as to meet them once. */
static bool needs_sum(const replay *r, const product *p, const jc_pair *given)
{
    if (p->structure < 0 || !given || given->n_edges == 1 || !given->explicit_cost) return false;
    return jc_structures_at(r->fill.structures, p->structure)->kind >= JC_STRUCTURE_SPARSE;
}

/* How the applied pair is applied: all of it as one matrix, what is no operator as one, or edge by edge. This is what
 * its factor counted: jc_fill_factors. */
static jc_status apply(replay *r, const product *p, const jc_factor *factor)
{
    const jc_fill_pair *f = jc_fill_at(&r->fill, p->applied);
    const jc_pair *given = f->given < 0 ? NULL : &r->pairs->pairs[f->given];
    int64_t dense = factor->dense, parts = !given || f->filled ? dense : given->explicit_cost;
    bool by_value = f->filled || (r->products == JC_PRODUCTS_FREE && parts > dense) || needs_sum(r, p, given);
    int64_t operators = !given ? 0 : p->adjoint ? given->adjoint : given->tangent;
    bool has_operators = given && r->pairs->has_operators && given->convert;
    if (has_operators && f->converted && (f->filled || jc_cost_add(parts, operators) > dense)) by_value = true;
    jc_status status = by_value ? form_explicit(r, p->applied) : apply_edges(r, p, false);
    if (!status && by_value && jc_fill_at(&r->fill, p->applied)->value >= 0) status = multiply_values(r, p);
    bool operators_are_in = by_value && jc_fill_at(&r->fill, p->applied)->converted;
    return status || operators_are_in ? status : apply_edges(r, p, true);
}

/* Notes that a pair became dense by a product of two that are not. */
static jc_status note_densified(replay *r, const product *p, bool was_dense, int64_t cost)
{
    if (p->structure < 0) return JC_OK;
    const jc_fill_pair *left = jc_fill_at(&r->fill, p->left), *right = jc_fill_at(&r->fill, p->right);
    const jc_structure *a = jc_structures_at(r->fill.structures, left->structure),
                       *b = jc_structures_at(r->fill.structures, right->structure),
                       *c = jc_structures_at(r->fill.structures, jc_fill_at(&r->fill, p->result)->structure);
    bool dense = c->kind == JC_STRUCTURE_DENSE, others = a->kind != JC_STRUCTURE_DENSE && b->kind != JC_STRUCTURE_DENSE;
    if (!dense || was_dense || !others) return JC_OK;
    jc_densified d = {left->of, p->via, right->wrt, jc_structure_name(a), jc_structure_name(b), c->entries, cost};
    return jc_vec_append(r->allocator, &r->made->densified, &d, 1, WHAT);
}

/* Whether a pair is there, and dense. */
static bool is_dense(const replay *r, int64_t of, int64_t wrt)
{
    int64_t pair = jc_fill_find(&r->fill, of, wrt);
    return r->fill.structures && pair >= 0 &&
           jc_structures_at(r->fill.structures, jc_fill_at(&r->fill, pair)->structure)->kind == JC_STRUCTURE_DENSE;
}

/* The product is in its place: the pair between the far ends of its factors has a value that can hold it. */
static jc_status place_product(replay *r, product *p, int64_t cost)
{
    bool was_dense = is_dense(r, jc_fill_at(&r->fill, p->left)->of, jc_fill_at(&r->fill, p->right)->wrt);
    jc_status status = jc_fill_add_product(&r->fill, p->left, p->right, &p->result, &p->structure);
    if (!r->fill.structures) p->structure = -1;
    if (!status) status = note_densified(r, p, was_dense, cost);
    if (!status) status = fit_value(r, p->result);
    if (!status) status = form_explicit(r, p->result);
    return status ? status : need_value(r, p->result);
}

/* The product of two factors of `via`, added to the pair between their far ends. */
static jc_status add_product(replay *r, int64_t via, jc_factors *f, int64_t i, int64_t j)
{
    int64_t left = ((int64_t *)r->fill.left_at.data)[i], right = ((int64_t *)r->fill.right_at.data)[j], cost;
    product p = {.left = left, .right = right, .via = via};
    p.adjoint = jc_factors_adjoint(f, i, j, r->products, &cost);
    p.matrix = p.adjoint ? left : right, p.applied = p.adjoint ? right : left;
    jc_status status = f->status ? f->status : place_product(r, &p, cost);
    if (!status) status = form_all(r, p.matrix);
    return status ? status : apply(r, &p, p.adjoint ? &f->right[j] : &f->left[i]);
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
    status = f.status ? f.status : form_marked(r, f.left, f.n_left, r->fill.left_at.data);
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
    jc_elimination made = {.n_order = n,
                           .values = jc_vec_of(sizeof(jc_elimination_value)),
                           .ops = jc_vec_of(sizeof(jc_elimination_op)),
                           .densified = jc_vec_of(sizeof(jc_densified))};
    replay r = {.pairs = pairs, .allocator = pairs->allocator, .products = products, .made = &made};
    r.product_of = jc_vec_of(sizeof(int32_t)), r.was_read = jc_vec_of(sizeof(bool));
    jc_status status = jc_alloc(r.allocator, n, sizeof *made.order, WHAT, &made.order);
    if (!status) status = jc_fill_init(&r.fill, pairs);
    if (status) goto fail;
    memcpy(made.order, order, (size_t)n * sizeof *order);
    if (products != JC_PRODUCTS_FREE) r.fill.structures = NULL;
    status = form_operators_of_results(&r);
    for (int64_t i = 0; i < n && !status; i++) status = eliminate(&r, order[i]);
    if (!status) status = form_results(&r);
    if (!status) status = jc_elimination_finish(pairs, r.fill.structures, r.product_of.data, &made);
    jc_fill_fini(&r.fill);
fail:
    jc_vec_free(r.allocator, &r.product_of);
    jc_vec_free(r.allocator, &r.was_read);
    if (status)
        jc_elimination_fini(r.allocator, &made);
    else
        *elimination = made;
    return status;
}

void jc_elimination_fini(const jc_allocator *a, jc_elimination *e)
{
    jc_free(a, e->order, e->n_order, sizeof *e->order);
    jc_vec_free(a, &e->values);
    jc_vec_free(a, &e->ops);
    jc_vec_free(a, &e->densified);
    jc_structures_destroy(e->structures);
    memset(e, 0, sizeof *e);
}
