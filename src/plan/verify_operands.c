#include "plan/verify_operands.h"

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "plan/arena.h"

/* ---- made groups ------------------------------------------------------------------------------------------------- */

static const jc_made *made_at(const jc_plan *plan, int64_t i)
{
    return (const jc_made *)plan->subgraph.made.data + i;
}

/* rows = batch p inner, cols = batch q inner, the other way round where it is transposed. */
static bool fits_shape(const jc_shape *s)
{
    int64_t blocks, rows, cols;
    if ((unsigned)s->kind >= JC_KIND_COUNT || s->batch < 1 || s->inner < 1 || s->p < 0 || s->q < 0) return false;
    if (!jc_size_mul(s->batch, s->inner, &blocks) || !jc_size_mul(blocks, s->p, &rows) ||
        !jc_size_mul(blocks, s->q, &cols))
        return false;
    return s->rows == (s->transpose ? cols : rows) && s->cols == (s->transpose ? rows : cols);
}

/* The numbers of one member by its shape, or -1: operands are of no such kind. */
static int64_t numbers_of(const jc_group *group, int field)
{
    const jc_shape *s = &group->shape;
    int64_t blocks = group->field[field].batched ? s->batch : 1;
    switch (s->kind) {
    case JC_DENSE:
        return jc_cost_mul(blocks, jc_cost_mul(s->p, s->q));
    case JC_DIAGONAL:
        return jc_cost_mul(blocks, s->p);
    case JC_CSR:
        return s->m;
    default:
        return -1;
    }
}

/* The field of a made group that has numbers, or -1. */
static int number_field(const jc_group *group)
{
    const jc_kind_info *info = &jc_kinds[group->shape.kind];
    for (int f = 0; f < info->n_fields; f++)
        if (!info->field[f].is_index) return f;
    return -1;
}

/* The kind's own rule for p and q, of which there are some where they divide. */
static bool fits_kind(const jc_shape *shape)
{
    jc_shape copy = *shape;
    const jc_kind_info *info = &jc_kinds[shape->kind];
    if (shape->kind == JC_TILE && shape->q < 1) return false;
    return !info->check_shape || info->check_shape(&copy) == JC_OK;
}

/* The numbers of an index field: csr has indptr and indices, select an index for each row. */
static int64_t n_indices(const jc_shape *shape, int field)
{
    if (shape->kind == JC_CSR) return field ? shape->m : shape->p + 1;
    return shape->p;
}

static const char *check_indices(const jc_group *group)
{
    const jc_kind_info *info = &jc_kinds[group->shape.kind];
    for (int f = 0; f < info->n_fields; f++) {
        const jc_field *field = &group->field[f];
        if (!info->field[f].is_index) continue;
        if (!field->data || field->dtype != JC_I64 || field->batched || field->stride || group->shape.batch != 1)
            return "has no indices of its own";
        if (field->elements != n_indices(&group->shape, f)) return "has more or fewer indices than its shape";
    }
    if (!info->check_indices) return NULL;
    jc_jac jac = jc_group_member(group, 0, NULL);
    return info->check_indices(&jac) == JC_OK ? NULL : "has indices that are none of its shape";
}

/* A factor of low_rank ones: U is p x rho, V q x rho, with the blocks of the graph's; or its numbers as one row. */
static bool is_factor(const jc_group *group, const jc_group *whole, int field)
{
    const jc_shape *s = &group->shape, *w = &whole->shape;
    if (s->p == 1 && s->batch == 1 && s->inner == 1 && !s->transpose) return true;
    return s->kind == JC_DENSE && s->batch == w->batch && s->inner == w->inner && s->p == (field ? w->q : w->p) &&
           s->q == w->m && group->field[0].batched == whole->field[field].batched;
}

/* All numbers of a field of a member side by side. */
static bool is_row(const jc_group *group)
{
    const jc_shape *s = &group->shape;
    return s->kind == JC_DENSE && !s->transpose && s->batch == 1 && s->inner == 1 && s->p == 1;
}

/* The numbers are those of a field of the graph's group, member by member. */
static const char *check_alias(const jc_plan *plan, const jc_made *made)
{
    const jc_group *groups = plan->graph->groups.data, *group = &made->group;
    if (made->of_group >= plan->graph->groups.count) return "is of a group that is not there";
    const jc_group *whole = &groups[made->of_group];
    const jc_kind_info *info = &jc_kinds[whole->shape.kind];
    int own = number_field(group), f = made->of_field;
    if (f < 0 || f >= info->n_fields || info->field[f].is_index || own < 0) return "is of numbers that are not there";
    const jc_field *to = &whole->field[f], *field = &group->field[own];
    if (group->n_edges != whole->n_edges || group->has_numbers != whole->has_numbers)
        return "has other members than the group that it is of";
    if (field->data != to->data || field->dtype != to->dtype || field->stride != to->stride || field->in_arena ||
        field->elements != to->elements || field->on_device != to->on_device)
        return "has other numbers than the group that it is of";
    if (numbers_of(group, own) != to->elements) return "has more or fewer numbers than its shape";
    if (whole->shape.kind == JC_LOW_RANK && !is_row(group) && !is_factor(group, whole, f))
        return "is no factor of its group";
    return NULL;
}

/* A constant, or a row of numbers that are not known, of members of a group of the graph or of what the query adds. */
static const char *check_row(const jc_plan *plan, const jc_made *made)
{
    const jc_subgraph *s = &plan->subgraph;
    const jc_group *groups = plan->graph->groups.data;
    bool known = made->group.has_numbers;
    if (made->group.shape.kind == JC_TILE ? made->group.shape.q != 1 : !is_row(&made->group)) return "is no row";
    if (made->row_of == -1) return known && made->group.scale == 1.0 ? NULL : "is a row of no Jacobian";
    if (made->row_of < -1 - s->n_extra || made->row_of >= plan->graph->groups.count)
        return "is of a group that is not there";
    const jc_group *of = made->row_of < 0 ? &s->extra[-2 - made->row_of] : &groups[made->row_of];
    if (made->group.n_edges != of->n_edges) return "has other members than the group that it is of";
    if (!known) return made->row_of >= 0 && jc_group_only_structure(of) ? NULL : "has no numbers, and its group has";
    return number_field(of) < 0 && of->shape.kind != JC_OPERATOR ? NULL : "is of a group that has numbers";
}

/* A matrix of a kind whose numbers are a value's. */
static const char *check_value_group(const jc_group *group, int field)
{
    const jc_field *f = &group->field[field];
    if (numbers_of(group, field) < 0) return "is of a kind that no value is";
    if (f->data || f->on_device || f->stride != JC_ARENA_UNIT || !group->has_numbers)
        return "has numbers that are no value's";
    return f->elements == numbers_of(group, field) ? NULL : "has more or fewer numbers than its shape";
}

static const char *check_made(const jc_plan *plan, const jc_made *made)
{
    const jc_group *group = &made->group;
    if (!fits_shape(&group->shape) || !fits_kind(&group->shape) || group->n_edges < 1)
        return "has a shape that is none";
    const char *what = check_indices(group);
    if (what || made->of_group >= 0) return what ? what : check_alias(plan, made);
    int field = number_field(group);
    if (field >= 0 && group->field[field].in_arena) return check_value_group(group, field);
    if (group->shape.kind == JC_TILE || field >= 0) return check_row(plan, made);
    return group->has_numbers && group->scale == 1.0 ? NULL : "does not move numbers as they are";
}

/* ---- operands ---------------------------------------------------------------------------------------------------- */

static double scale_of(const jc_group *group, int64_t member)
{
    return group->scales ? group->scales[member] : group->scale;
}

/* A member of a made group. */
static const char *check_member(const jc_plan *plan, const jc_made *made, int64_t member)
{
    if (member < 0 || member >= made->group.n_edges) return "is no member of its group";
    if (made->group.shape.kind != JC_TILE || made->row_of == -1) return NULL;
    const jc_group *of = made->row_of < 0 ? &plan->subgraph.extra[-2 - made->row_of]
                                          : (const jc_group *)plan->graph->groups.data + made->row_of;
    return scale_of(of, member) == made->group.scale ? NULL : "has another scale than the Jacobian that it is of";
}

static const char *check_operand(const jc_plan *plan, const jc_operand *operand)
{
    if (operand->made < 0 || operand->made >= plan->subgraph.made.count) return "is of no made group";
    const jc_made *made = made_at(plan, operand->made);
    int field = number_field(&made->group);
    bool in_arena = field >= 0 && made->group.field[field].in_arena;
    if (operand->value < 0) return in_arena ? "is of no value" : check_member(plan, made, operand->member);
    if (operand->value >= plan->n_values || operand->member != 0 || !in_arena) return "is of no value";
    const jc_value *value = &plan->values[operand->value];
    int64_t numbers = made->group.field[field].elements;
    return numbers <= jc_cost_mul(value->rows, value->cols) ? NULL : "has more numbers than its value";
}

jc_status jc_verify_operands(const jc_plan *plan)
{
    const jc_subgraph *s = &plan->subgraph;
    for (int64_t i = 0; i < s->made.count; i++) {
        const char *what = check_made(plan, made_at(plan, i));
        if (what) return jc_fail(JC_E_INTERNAL, "plan: made group %lld %s", (long long)i, what);
    }
    for (int64_t i = 0; i < s->operands.count; i++) {
        const char *what = check_operand(plan, (const jc_operand *)s->operands.data + i);
        if (what) return jc_fail(JC_E_INTERNAL, "plan: operand %lld %s", (long long)i, what);
    }
    return JC_OK;
}

/* ---- what stands for them ---------------------------------------------------------------------------------------- */

enum { NUMBERS_OF_AN_EDGE = 2 };

/* The D of an edge, or, of a low_rank one, U (0) or V^T (1). Diagonal ones are their own transposes. */
static jc_stand_in factor_of(const jc_graph *g, int64_t edge, int field)
{
    jc_kind kind = jc_graph_group(g, edge)->shape.kind;
    return jc_stand_in_random((uint64_t)(NUMBERS_OF_AN_EDGE * edge + field),
                              kind == JC_DIAGONAL || kind == JC_IDENTITY);
}

static jc_stand_in turned(jc_stand_in a, bool transpose)
{
    return transpose ? jc_stand_in_transposed(&a) : a;
}

jc_stand_in jc_verify_edge(const jc_graph *g, int64_t edge)
{
    const jc_shape *shape = &jc_graph_group(g, edge)->shape;
    jc_stand_in d = factor_of(g, edge, 0);
    if (shape->kind == JC_LOW_RANK) {
        jc_stand_in v = factor_of(g, edge, 1);
        d = jc_stand_in_product(&d, &v);
    }
    return turned(d, shape->transpose);
}

jc_stand_in jc_verify_addition(const jc_graph *g, int64_t addition)
{
    return jc_stand_in_random((uint64_t)(NUMBERS_OF_AN_EDGE * g->n_edges + addition), false);
}

/* A member of a part of the graph's numbers, as a row of them or as the matrix that it is. V is stored q x rho. */
static jc_operand_role part_of_edge(const jc_graph *g, const jc_made *made, int64_t member, bool as_row,
                                    jc_stand_in *stand_in)
{
    const jc_group *whole = (const jc_group *)g->groups.data + made->of_group;
    int64_t edge = whole->first_edge + member;
    if (whole->shape.kind != JC_LOW_RANK) {
        *stand_in = jc_verify_edge(g, edge);
        return JC_ROLE_NUMBERS;
    }
    bool transpose = as_row ? whole->shape.transpose : made->group.shape.transpose != (made->of_field == 1);
    *stand_in = turned(factor_of(g, edge, made->of_field), transpose);
    return as_row ? JC_ROLE_NUMBERS : JC_ROLE_MATRIX;
}

/* A computed value as a Jacobian: dense as it lies, or its numbers in another arrangement. */
static jc_operand_role value_as(const jc_plan *plan, const jc_operand *operand, const jc_stand_in *of_value,
                                jc_stand_in *stand_in)
{
    const jc_shape *shape = &made_at(plan, operand->made)->group.shape;
    jc_form form = plan->values[operand->value].form;
    bool lies = form != JC_FORM_NUMBERS && shape->kind == JC_DENSE && shape->batch == 1;
    *stand_in = turned(of_value[operand->value], lies && shape->transpose != (form == JC_FORM_COLUMNS));
    return lies ? JC_ROLE_MATRIX : JC_ROLE_NUMBERS;
}

jc_operand_role jc_verify_operand(const jc_frame *frame, int64_t b, bool as_row, const jc_stand_in *of_value,
                                  jc_stand_in *stand_in)
{
    const jc_plan *plan = frame->plan;
    const jc_graph *g = plan->graph;
    const jc_operand *operand = jc_subgraph_operand(&plan->subgraph, b);
    if (!operand) {
        *stand_in = b >= 0 ? jc_verify_edge(g, b) : jc_verify_addition(g, frame->addition[-1 - b]);
        return JC_ROLE_MATRIX;
    }
    const jc_made *made = made_at(plan, operand->made);
    if (operand->value >= 0) return value_as(plan, operand, of_value, stand_in);
    if (made->of_group >= 0) return part_of_edge(g, made, operand->member, as_row, stand_in);
    bool is_row = made->group.shape.kind == JC_TILE || made->group.shape.kind == JC_DENSE;
    *stand_in = jc_stand_in_unit();
    if (!is_row || made->row_of == -1) return JC_ROLE_MOVE;
    if (made->row_of < 0) {
        *stand_in = jc_verify_addition(g, frame->addition[-2 - made->row_of]);
    } else {
        const jc_group *of = (const jc_group *)g->groups.data + made->row_of;
        *stand_in = jc_verify_edge(g, of->first_edge + operand->member);
    }
    return JC_ROLE_NUMBERS;
}
