/* The Jacobians that a plan uses, each in the direction in which it is used. */
#include <stdlib.h>

#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "the operands of a program";

enum { FOLDS = 6, USES = 7 }; /* two factors or both, two directions; with folds, of one direction in a plan */

jc_status jc_cuda_operand_table_init(const jc_program *program, jc_cuda_operand_table *table)
{
    const jc_plan *plan = program->plan;
    table->n = (plan->graph->groups.count + plan->subgraph.n_extra + plan->subgraph.made.count) * USES;
    jc_status status = jc_alloc(&program->allocator, table->n, sizeof *table->number, WHAT, &table->number);
    if (status) return status;
    for (int64_t i = 0; i < table->n; i++) table->number[i] = -1;
    return JC_OK;
}

void jc_cuda_operand_table_fini(const jc_program *program, jc_cuda_operand_table *table)
{
    jc_free(&program->allocator, table->number, table->n, sizeof *table->number);
}

/* Groups in the order of by_group. */
static int64_t row_of(const jc_plan *plan, int64_t group)
{
    return group >= 0 ? group : plan->graph->groups.count + (-1 - group);
}

/* The made group of an operand, or NULL. */
static const jc_made *made_of(const jc_plan *plan, const jc_cuda_operand *o)
{
    return o->group == JC_CUDA_NO_GROUP ? NULL : jc_plan_made(plan, o->group);
}

static jc_status keep_use(jc_program *program, int64_t group, int32_t operand)
{
    jc_cuda_program *impl = program->impl;
    jc_cuda_use use = {row_of(program->plan, group), operand};
    return jc_vec_append(&program->allocator, &impl->by_group, &use, 1, WHAT);
}

static int compare_uses(const void *a, const void *b)
{
    const jc_cuda_use *x = a, *y = b;
    if (x->row != y->row) return x->row < y->row ? -1 : 1;
    return (x->operand > y->operand) - (x->operand < y->operand);
}

jc_status jc_cuda_operand_table_keep(jc_program *program, const jc_cuda_operand_table *table)
{
    jc_cuda_program *impl = program->impl;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < table->n && !status; i++)
        for (int32_t n = table->number[i]; n >= 0 && !status; n = jc_cuda_operand_at(impl, n)->next_fold) {
            const jc_cuda_operand *o = jc_cuda_operand_at(impl, n);
            const jc_made *made = made_of(program->plan, o);
            status = keep_use(program, o->group, n);
            if (!status && made && made->of_group >= 0) status = keep_use(program, made->of_group, n);
        }
    if (impl->by_group.count)
        qsort(impl->by_group.data, (size_t)impl->by_group.count, sizeof(jc_cuda_use), compare_uses);
    return status;
}

/* The first place in by_group of a row that is not less. */
static int64_t place_of_row(const jc_cuda_program *impl, int64_t row)
{
    const jc_cuda_use *uses = impl->by_group.data;
    int64_t low = 0, high = impl->by_group.count;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (uses[middle].row < row)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

const jc_cuda_use *jc_cuda_operands_of(const jc_program *program, int64_t group, int64_t *n)
{
    const jc_cuda_program *impl = program->impl;
    int64_t row = row_of(program->plan, group), first = place_of_row(impl, row);
    *n = place_of_row(impl, row + 1) - first;
    return (const jc_cuda_use *)impl->by_group.data + first;
}

bool jc_cuda_operand_binding(const jc_plan *plan, const jc_cuda_operand *o, int64_t *group, int *field)
{
    const jc_made *made = made_of(plan, o);
    if (o->field < 0 || o->group == JC_CUDA_NO_GROUP || (made && made->of_group < 0)) return false;
    *group = made ? made->of_group : o->group;
    *field = made ? made->of_field : o->field;
    return true;
}

const jc_field *jc_cuda_operand_field(const jc_plan *plan, const jc_cuda_operand *o)
{
    const jc_made *made = made_of(plan, o);
    if (!made || made->of_group < 0) return &jc_cuda_operand_group(plan, o)->field[o->field];
    return &jc_plan_group(plan, made->of_group)->field[made->of_field];
}

const jc_group *jc_cuda_operand_group(const jc_plan *plan, const jc_cuda_operand *operand)
{
    return operand->group == JC_CUDA_NO_GROUP ? NULL : jc_plan_group(plan, operand->group);
}

static void set_sizes(jc_cuda_operand *o)
{
    bool adjoint = o->direction == JC_ADJOINT;
    o->n_in = adjoint ? o->p : o->q, o->n_out = adjoint ? o->q : o->p;
    o->in = o->batch * o->n_in * o->inner, o->out = o->batch * o->n_out * o->inner;
}

/* Numbers [rows x columns] of field f, or none where the group has only its structure. */
static void set_numbers(jc_cuda_operand *o, const jc_group *group, int f, int64_t columns)
{
    const jc_field *field = &group->field[f];
    o->field = f;
    o->ld = columns;
    o->block_stride = field->batched && group->shape.batch > 1 ? field->elements / group->shape.batch : 0;
}

/* What each kind has beside its shape; a factor of low_rank is dense, U [p x m] or V [q x m]. */
static void describe(jc_cuda_operand *o, const jc_group *group, int factor)
{
    const jc_shape *s = &group->shape;
    switch (s->kind) {
    case JC_LOW_RANK:
        if (factor == JC_CUDA_BOTH) {
            set_numbers(o, group, 0, s->m);
            break;
        }
        o->kind = JC_DENSE;
        o->p = factor ? s->q : s->p, o->q = s->m, o->m = 0;
        set_numbers(o, group, factor, s->m);
        break;
    case JC_DENSE:
        set_numbers(o, group, 0, s->q);
        break;
    case JC_DIAGONAL:
        set_numbers(o, group, 0, 0);
        break;
    case JC_CSR:
        set_numbers(o, group, 2, 0);
        break;
    case JC_WEIGHT:
    case JC_TRACE:
        set_numbers(o, group, 0, s->q / (s->p / s->m));
        break;
    default:
        break;
    }
}

/* Whose numbers they are: a computed value's are of the program's type; a seed may be bound in any. */
static void set_owner(const jc_program *program, const jc_group *group, jc_cuda_operand *o)
{
    const jc_plan *plan = program->plan;
    o->as_given = o->group >= 0 || jc_plan_made(plan, o->group);
    if (!group->has_numbers || o->field < 0) return;
    const jc_field *field = jc_cuda_operand_field(plan, o);
    o->computed = field->in_arena;
    o->dtype = o->computed ? program->dtype : field->dtype;
    o->member_stride = field->stride / jc_dtype_bytes(o->dtype);
}

/* Rows and columns of one block of a field's numbers in the graph. */
static void field_shape(const jc_group *g, int f, int64_t *rows, int64_t *columns)
{
    const jc_shape *s = &g->shape;
    int64_t blocks = g->field[f].batched ? s->batch : 1;
    *rows = 1, *columns = g->field[f].elements / blocks;
    if (s->kind == JC_LOW_RANK) *rows = f ? s->q : s->p;
    if (s->kind == JC_DENSE || s->kind == JC_TRACE) *rows = s->p;
    if (s->kind == JC_WEIGHT) *rows = s->m;
    *columns /= *rows;
}

/* The numbers of a field of the graph as one row: they may be bound with gaps between rows and blocks of the field. */
static void set_lines(const jc_plan *plan, jc_cuda_operand *o)
{
    const jc_made *made = made_of(plan, o);
    if (!made || made->of_group < 0 || o->p != 1 || o->batch != 1) return;
    const jc_group *g = jc_plan_group(plan, made->of_group);
    int64_t blocks = g->field[made->of_field].batched ? g->shape.batch : 1, rows, columns;
    field_shape(g, made->of_field, &rows, &columns);
    if (blocks * rows == 1 || blocks * rows * columns != o->q) return;
    o->line = o->ld = columns, o->lines = rows, o->blocks = blocks;
    o->block_stride = blocks > 1 ? rows * columns : 0;
}

static jc_cuda_operand operand_of(const jc_program *program, int64_t group, int factor, jc_direction direction)
{
    jc_cuda_operand o = {.group = group, .field = JC_CUDA_NO_FIELD, .direction = direction, .copy = -1};
    o.second = o.next_fold = -1;
    const jc_group *g = jc_cuda_operand_group(program->plan, &o);
    o.kind = g->shape.kind;
    o.p = g->shape.p, o.q = g->shape.q, o.m = g->shape.m;
    o.batch = g->shape.batch, o.inner = g->shape.inner;
    o.start = o.index = o.place = o.scales = -1;
    o.first_member = INT64_MAX, o.last_member = o.first_pointer = -1;
    if (g->has_numbers)
        describe(&o, g, factor);
    else if (o.kind != JC_OPERATOR) /* counted as a dense one */
        o.kind = JC_DENSE, o.dtype = JC_F64, o.ld = o.q, o.field = 0;
    set_owner(program, g, &o);
    set_lines(program->plan, &o);
    set_sizes(&o);
    return o;
}

static jc_status append(jc_program *program, const jc_cuda_operand *o, int32_t *operand)
{
    jc_cuda_program *impl = program->impl;
    if (impl->operands.count == INT32_MAX)
        return jc_fail(JC_E_MEMORY, "%s: more than %d kinds of Jacobians in one program", impl->api->name, INT32_MAX);
    *operand = (int32_t)impl->operands.count;
    return jc_vec_append(&program->allocator, &impl->operands, o, 1, WHAT);
}

static void use_member(jc_cuda_operand *o, int64_t member)
{
    o->first_member = jc_min(o->first_member, member);
    o->last_member = jc_max(o->last_member, member);
}

jc_status jc_cuda_operand_find(jc_program *program, jc_cuda_operand_table *table, int64_t group, int64_t member,
                               int factor, jc_direction direction, int32_t *operand)
{
    jc_cuda_program *impl = program->impl;
    int32_t *number = &table->number[row_of(program->plan, group) * USES + factor * 2 + (direction == JC_ADJOINT)],
            second = -1;
    if (factor == JC_CUDA_BOTH) { /* V, whose members are used too */
        jc_status status = jc_cuda_operand_find(program, table, group, member, 1, JC_TANGENT, &second);
        if (status) return status;
    }
    if (*number < 0) {
        jc_cuda_operand o = operand_of(program, group, factor, direction);
        o.second = second;
        jc_status status = append(program, &o, number);
        if (status) return status;
    }
    use_member((jc_cuda_operand *)impl->operands.data + *number, member);
    *operand = *number;
    return JC_OK;
}

jc_status jc_cuda_operand_find_fold(jc_program *program, jc_cuda_operand_table *table, int64_t group, int64_t member,
                                    jc_direction direction, const jc_fold *fold, int32_t *operand)
{
    const jc_cuda_program *impl = program->impl;
    int32_t *first = &table->number[row_of(program->plan, group) * USES + FOLDS], n = *first;
    while (n >= 0 && (jc_cuda_operand_at(impl, n)->fold_h != fold->h || jc_cuda_operand_at(impl, n)->fold_w != fold->w))
        n = jc_cuda_operand_at(impl, n)->next_fold;
    if (n < 0) {
        jc_cuda_operand o = operand_of(program, group, 0, direction);
        o.fold_h = fold->h, o.fold_w = fold->w, o.next_fold = *first;
        jc_status status = append(program, &o, &n);
        if (status) return status;
        *first = n;
    }
    use_member((jc_cuda_operand *)impl->operands.data + n, member);
    *operand = n;
    return JC_OK;
}

static jc_cuda_operand own(int kind, int64_t p, int64_t q, int64_t m)
{
    jc_cuda_operand o = {.group = JC_CUDA_NO_GROUP,
                         .field = JC_CUDA_NO_FIELD,
                         .direction = JC_ADJOINT,
                         .kind = kind,
                         .p = p,
                         .q = q,
                         .m = m,
                         .batch = 1,
                         .inner = 1,
                         .second = -1,
                         .next_fold = -1,
                         .first_pointer = -1,
                         .copy = -1};
    o.start = o.index = o.place = o.scales = -1;
    set_sizes(&o);
    return o;
}

/* The last operand again where it is the same: those of a level often are. */
static jc_status append_own(jc_program *program, const jc_cuda_operand *o, int32_t *operand)
{
    jc_cuda_program *impl = program->impl;
    for (int64_t i = impl->operands.count; i-- > 0 && i + 16 >= impl->operands.count;) {
        const jc_cuda_operand *old = jc_cuda_operand_at(impl, (int32_t)i);
        if (old->group != JC_CUDA_NO_GROUP || old->kind != o->kind || old->p != o->p || old->q != o->q) continue;
        *operand = (int32_t)i;
        return JC_OK;
    }
    return append(program, o, operand);
}

jc_status jc_cuda_operand_parts(jc_program *program, int64_t parts, int64_t n, int32_t *operand)
{
    jc_cuda_operand o = own(JC_TILE, parts * n, n, parts);
    return append_own(program, &o, operand);
}

jc_status jc_cuda_operand_identity(jc_program *program, int64_t n, int32_t *operand)
{
    jc_cuda_operand o = own(JC_IDENTITY, n, n, 0);
    return append_own(program, &o, operand);
}

int64_t jc_cuda_operand_bytes(const jc_cuda_operand *o)
{
    int64_t blocks = o->block_stride ? o->batch : 1, n = 0;
    if (o->kind == JC_DENSE) n = jc_cost_mul(o->p, o->q);
    if (o->kind == JC_LOW_RANK) n = jc_cost_mul(o->p + o->q, o->m);
    if (o->kind == JC_DIAGONAL) n = o->p;
    if (o->kind == JC_CSR) n = o->m;
    if (o->kind == JC_WEIGHT) n = jc_cost_mul(o->m, o->ld);
    if (o->kind == JC_TRACE) n = jc_cost_mul(o->p, o->ld);
    return jc_cost_mul(jc_cost_mul(n, blocks), jc_dtype_bytes(o->dtype));
}
