/* One operation of an elimination after the other. */
#include "core/error.h"
#include "core/size.h"
#include "plan/assembly/assembly.h"
#include "plan/sweep.h"

static int64_t jacobian_of_edge(const jc_assembly *as, int64_t edge)
{
    return as->plan->subgraph.jacobian[edge];
}

static const jc_group *group_of_edge(const jc_assembly *as, int64_t edge)
{
    int64_t member;
    return jc_subgraph_jacobian(as->graph, &as->plan->subgraph, jacobian_of_edge(as, edge), &member);
}

static bool is_flat(const jc_accumulated *v)
{
    return v->structure.kind == JC_STRUCTURE_SPARSE || v->structure.kind == JC_STRUCTURE_DIAGONAL;
}

/* ---- an edge's own matrix ---------------------------------------------------------------------------------------- */

/* Rows of the edge, or columns; in windows the window's rows. */
static jc_status accumulate_dense(jc_assembly *as, int64_t value, int64_t edge, jc_direction direction)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    bool is_operator = group_of_edge(as, edge)->shape.kind == JC_OPERATOR;
    jc_form form = v->form;
    if (is_operator) form = direction == JC_TANGENT && !v->windowed ? JC_FORM_COLUMNS : JC_FORM_ROWS;
    return jc_add_product(as, value, form, JC_SEED_IDENTITY, jacobian_of_edge(as, edge), form == JC_FORM_COLUMNS);
}

/* Another value, in a structure as coarse or finer. */
static jc_status accumulate_value(jc_assembly *as, int64_t value, int64_t from)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    int64_t b;
    if (v->structure.kind != JC_STRUCTURE_DENSE) return jc_accumulate_entries(as, value, from);
    if (v->windowed) {
        jc_accumulated_at(as, from)->read = true;
        return jc_add_whole(as, value, jc_accumulated_at(as, from)->main);
    }
    jc_status status = jc_as_jacobian(as, from, &b);
    return status ? status : jc_add_product(as, value, v->form, JC_SEED_IDENTITY, b, v->form == JC_FORM_COLUMNS);
}

static jc_status accumulate(jc_assembly *as, const jc_elimination_op *op)
{
    const jc_accumulated *v = jc_accumulated_at(as, op->result);
    if (op->right >= 0) return accumulate_value(as, op->result, op->right);
    int64_t edge = -1 - op->right, ones;
    if (v->structure.kind == JC_STRUCTURE_DENSE) return accumulate_dense(as, op->result, edge, op->direction);
    if (v->structure.kind != JC_STRUCTURE_DIAGONAL) return jc_accumulate_entries(as, op->result, op->right);
    jc_status status = jc_need_ones(as, v->structure.rows, &ones);
    return status ? status : jc_add_product(as, op->result, JC_FORM_NUMBERS, ones, jacobian_of_edge(as, edge), false);
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* The window's rows of an edge into the target. */
static jc_status need_edge_rows(jc_assembly *as, int64_t edge, int64_t *rows)
{
    const jc_subgraph *g = &as->plan->subgraph;
    int64_t *known = &as->edge_rows[edge], made;
    if (*known == JC_NO_DRAFT) {
        int64_t n = jc_min(as->plan->row_limit, g->size[g->of[edge]]);
        jc_status status =
            jc_draft_value_add(&as->draft, JC_FORM_ROWS, n, g->size[g->wrt[edge]], g->wrt[edge], g->of[edge], &made);
        if (!status)
            status = jc_draft_step_add(&as->draft, made, JC_SEED_IDENTITY, jacobian_of_edge(as, edge), false, false);
        if (status) return status;
        *known = made;
    }
    *rows = *known;
    return JC_OK;
}

/* value += left . edge, by rows of the left one. */
static jc_status apply_adjoint(jc_assembly *as, const jc_elimination_op *op)
{
    const jc_accumulated *v = jc_accumulated_at(as, op->result), *left = jc_accumulated_at(as, op->left);
    int64_t a;
    if (v->structure.kind == JC_STRUCTURE_SPARSE) return jc_multiply_entries(as, op->result, op->left, op->right);
    jc_status status = JC_OK;
    if (v->structure.kind == JC_STRUCTURE_DIAGONAL)
        a = left->main, jc_accumulated_at(as, op->left)->read = true;
    else
        status = jc_as_matrix(as, op->left, &v->structure, JC_FORM_ROWS, &a);
    return status ? status
                  : jc_add_product(as, op->result, is_flat(v) ? JC_FORM_NUMBERS : JC_FORM_ROWS, a,
                                   jacobian_of_edge(as, -1 - op->right), false);
}

/* value += edge . right in windows: the window's rows of the edge times the right one. */
static jc_status apply_tangent_in_window(jc_assembly *as, const jc_elimination_op *op)
{
    int64_t a, b;
    jc_status status = need_edge_rows(as, -1 - op->left, &a);
    if (!status) status = jc_as_jacobian(as, op->right, &b);
    return status ? status : jc_add_product(as, op->result, JC_FORM_ROWS, a, b, false);
}

/* value += edge . right, by columns of the right one. */
static jc_status apply_tangent(jc_assembly *as, const jc_elimination_op *op)
{
    const jc_accumulated *v = jc_accumulated_at(as, op->result), *right = jc_accumulated_at(as, op->right);
    int64_t a;
    if (v->windowed) return apply_tangent_in_window(as, op);
    if (v->structure.kind == JC_STRUCTURE_SPARSE) return jc_multiply_entries(as, op->result, op->left, op->right);
    jc_status status = JC_OK;
    if (v->structure.kind == JC_STRUCTURE_DIAGONAL)
        a = right->main, jc_accumulated_at(as, op->right)->read = true;
    else
        status = jc_as_matrix(as, op->right, &v->structure, JC_FORM_COLUMNS, &a);
    return status ? status
                  : jc_add_product(as, op->result, is_flat(v) ? JC_FORM_NUMBERS : JC_FORM_COLUMNS, a,
                                   jacobian_of_edge(as, -1 - op->left), true);
}

/* Multiply-adds of rows of the left one times the right one as a Jacobian, and of the other way; where they are equal,
 * matrices that would have to be made decide. */
static bool by_rows(const jc_assembly *as, const jc_elimination_op *op)
{
    const jc_accumulated *v = jc_accumulated_at(as, op->result), *left = jc_accumulated_at(as, op->left),
                         *right = jc_accumulated_at(as, op->right);
    int64_t rows, cols, other;
    if (v->windowed) return true;
    jc_form_shape(&v->structure, JC_FORM_ROWS, &rows, &other);
    jc_form_shape(&v->structure, JC_FORM_COLUMNS, &cols, &other);
    int64_t adjoint = jc_cost_mul(rows, right->structure.entries), tangent = jc_cost_mul(cols, left->structure.entries);
    if (adjoint != tangent) return adjoint < tangent;
    int made_for_rows = (left->form != JC_FORM_ROWS) + (v->form != JC_FORM_ROWS),
        made_for_columns = (right->form != JC_FORM_COLUMNS) + (v->form != JC_FORM_COLUMNS);
    return made_for_rows <= made_for_columns;
}

/* value += left . right */
static jc_status multiply(jc_assembly *as, const jc_elimination_op *op)
{
    const jc_accumulated *v = jc_accumulated_at(as, op->result);
    int64_t a, b;
    if (v->structure.kind == JC_STRUCTURE_SPARSE) return jc_multiply_entries(as, op->result, op->left, op->right);
    bool rows = v->structure.kind == JC_STRUCTURE_DIAGONAL || by_rows(as, op);
    int64_t matrix = rows ? op->left : op->right, jacobian = rows ? op->right : op->left;
    jc_form form = is_flat(v) ? JC_FORM_NUMBERS : rows ? JC_FORM_ROWS : JC_FORM_COLUMNS;
    jc_status status = JC_OK;
    if (is_flat(v))
        a = jc_accumulated_at(as, matrix)->main, jc_accumulated_at(as, matrix)->read = true;
    else
        status = jc_as_matrix(as, matrix, &v->structure, form, &a);
    if (!status) status = jc_as_jacobian(as, jacobian, &b);
    return status ? status : jc_add_product(as, op->result, form, a, b, !rows);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

/* In windows the products of rows are counted as they are added. */
static void count(jc_assembly *as, const jc_elimination_op *op)
{
    if (!jc_accumulated_at(as, op->result)->windowed) as->inner_cost = jc_cost_add(as->inner_cost, op->cost);
}

jc_status jc_assemble_op(jc_assembly *as, const jc_elimination_op *op)
{
    static jc_status (*const form[])(jc_assembly *, const jc_elimination_op *) = {
        [JC_ELIMINATION_ACCUMULATE] = accumulate,
        [JC_ELIMINATION_MULTIPLY] = multiply,
        [JC_ELIMINATION_ADJOINT] = apply_adjoint,
        [JC_ELIMINATION_TANGENT] = apply_tangent,
    };
    jc_status status = jc_need_main(as, op->result);
    count(as, op);
    return status ? status : form[op->kind](as, op);
}
