#include "plan/verify_entries.h"

#include <string.h>

#include "core/dtype.h"
#include "core/size.h"
#include "plan/verify_numbers.h"

/* ---- which numbers ----------------------------------------------------------------------------------------------- */

static const jc_group *group_of_graph(const jc_graph *g, int64_t group)
{
    return (const jc_group *)g->groups.data + group;
}

static int64_t source_of_addition(const jc_graph *g, int64_t addition)
{
    return g->n_edges + addition;
}

jc_drawn jc_drawn_edge(const jc_graph *g, int64_t edge)
{
    const jc_group *group = jc_graph_group(g, edge);
    return (jc_drawn){.group = group, .member = edge - group->first_edge, .source = edge, .field = -1};
}

/* The edge or addition whose numbers a made group's member has, or stands for. */
static int64_t source_of_made(const jc_frame *frame, const jc_made *made, int64_t member)
{
    const jc_graph *g = frame->plan->graph;
    if (made->of_group >= 0) return group_of_graph(g, made->of_group)->first_edge + member;
    if (made->row_of >= 0) return group_of_graph(g, made->row_of)->first_edge + member;
    return made->row_of < -1 ? source_of_addition(g, frame->addition[-2 - made->row_of]) : 0;
}

jc_drawn jc_drawn_operand(const jc_frame *frame, int64_t b)
{
    const jc_subgraph *s = &frame->plan->subgraph;
    const jc_operand *operand = jc_subgraph_operand(s, b);
    if (b >= 0) return jc_drawn_edge(frame->plan->graph, b);
    if (!operand)
        return (jc_drawn){.group = &s->extra[-1 - b],
                          .source = source_of_addition(frame->plan->graph, frame->addition[-1 - b]),
                          .field = -1};
    const jc_made *made = (const jc_made *)s->made.data + operand->made;
    return (jc_drawn){.group = &made->group,
                      .member = operand->member,
                      .source = source_of_made(frame, made, operand->member),
                      .field = made->of_group >= 0 ? made->of_field : -1};
}

jc_drawn jc_drawn_addition(const jc_frame *frame, int64_t addition, jc_group *group)
{
    const jc_addition *add = &frame->expected->addition[addition];
    int64_t at = jc_expected_size(frame->expected, add->at[0]), beyond = add->beyond_size;
    jc_shape *s = &group->shape;
    memset(group, 0, sizeof *group);
    *s = (jc_shape){.kind = JC_DENSE, .batch = 1, .inner = 1, .p = beyond, .q = at, .rows = beyond, .cols = at};
    if (!add->at_target) s->p = s->rows = at, s->q = s->cols = beyond;
    if (frame->plan->seed == JC_SEED_NONE) {
        s->kind = JC_TILE, s->transpose = add->at_target;
        s->p = at, s->q = beyond, s->m = at / beyond;
    }
    group->n_edges = 1;
    group->scale = 1.0;
    return (jc_drawn){.group = group, .source = source_of_addition(frame->plan->graph, addition), .field = -1};
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

/* A D whose entries are given, one block of the batch after the other. */
typedef struct listing {
    const jc_drawn *drawn;
    const jc_shape *shape;
    const jc_field *field; /* of the group */
    jc_jac jac;
    uint64_t scale;
    int64_t block; /* of the batch */
    bool turn;     /* rows for columns: by the shape or the caller */
    jc_take_entry take;
    void *ctx;
} listing;

/* Where the block in hand begins in a field. */
static int64_t first_of(const listing *l, int f)
{
    return l->field[f].batched ? l->block * (l->field[f].elements / l->shape->batch) : 0;
}

static uint64_t number(const listing *l, int f, int64_t i)
{
    const jc_drawn *d = l->drawn;
    if (d->numbers) return d->numbers[i];
    uint64_t field = (uint64_t)(d->field < 0 ? f : d->field);
    return jc_residue_random(JC_MAX_FIELDS * (uint64_t)d->source + field, (uint64_t)i);
}

static int64_t index_at(const listing *l, int f, int64_t i)
{
    return jc_load_index(l->jac.dtype[f], l->jac.data[f], i);
}

/* Entry (i, j) of D for every inner index. */
static void put(const listing *l, int64_t i, int64_t j, uint64_t d)
{
    const jc_shape *s = l->shape;
    for (int64_t a = 0; a < s->inner; a++) {
        int64_t row = (l->block * s->p + i) * s->inner + a, col = (l->block * s->q + j) * s->inner + a;
        l->take(l->ctx, l->turn ? col : row, l->turn ? row : col, d);
    }
}

static void row_dense(const listing *l, int64_t i)
{
    int64_t first = first_of(l, 0), q = l->shape->q;
    for (int64_t j = 0; j < q; j++) put(l, i, j, number(l, 0, first + i * q + j));
}

/* All that is known of D is its shape; an operator's D is not batched. */
static void row_full(const listing *l, int64_t i)
{
    int64_t q = l->shape->q;
    for (int64_t j = 0; j < q; j++) put(l, i, j, number(l, 0, i * q + j));
}

static void row_diagonal(const listing *l, int64_t i)
{
    put(l, i, i, number(l, 0, first_of(l, 0) + i));
}

static void row_identity(const listing *l, int64_t i)
{
    put(l, i, i, l->scale);
}

static void row_csr(const listing *l, int64_t i)
{
    int64_t first = first_of(l, 2);
    for (int64_t t = index_at(l, 0, i); t < index_at(l, 0, i + 1); t++)
        put(l, i, index_at(l, 1, t), number(l, 2, first + t));
}

/* D = U V^T */
static void row_low_rank(const listing *l, int64_t i)
{
    int64_t m = l->shape->m, u = first_of(l, 0) + i * m, v = first_of(l, 1);
    for (int64_t j = 0; j < l->shape->q; j++) {
        uint64_t sum = 0;
        for (int64_t k = 0; k < m; k++) sum = jc_residue_mul_add(sum, number(l, 0, u + k), number(l, 1, v + j * m + k));
        put(l, i, j, sum);
    }
}

static void row_select(const listing *l, int64_t i)
{
    put(l, i, index_at(l, 0, first_of(l, 0) + i), l->scale);
}

/* D[(a,i), (i,j)] = x[a,j] */
static void row_weight(const listing *l, int64_t row)
{
    int64_t h = l->shape->p / l->shape->m, w = l->shape->q / h, a = row / h, i = row % h;
    for (int64_t j = 0; j < w; j++) put(l, row, i * w + j, number(l, 0, a * w + j));
}

/* D[(a,i), (i,j)] = values[(a,i), j] */
static void row_trace(const listing *l, int64_t row)
{
    int64_t h = l->shape->p / l->shape->m, w = l->shape->q / h, i = row % h;
    for (int64_t j = 0; j < w; j++) put(l, row, i * w + j, number(l, 0, first_of(l, 0) + row * w + j));
}

static void row_tile(const listing *l, int64_t i)
{
    put(l, i, i % l->shape->q, l->scale);
}

static void (*const row_of[JC_KIND_COUNT])(const listing *l, int64_t i) = {
    [JC_DENSE] = row_dense,   [JC_DIAGONAL] = row_diagonal, [JC_IDENTITY] = row_identity, [JC_CSR] = row_csr,
    [JC_SELECT] = row_select, [JC_LOW_RANK] = row_low_rank, [JC_WEIGHT] = row_weight,     [JC_TILE] = row_tile,
    [JC_TRACE] = row_trace,   [JC_OPERATOR] = row_full,
};

/* A scale as a number: equal ones are equal, 1 is 1. */
static uint64_t scale_of(double scale)
{
    uint64_t bits;
    memcpy(&bits, &scale, sizeof bits);
    return scale == 1.0 ? 1 : jc_residue_random(bits, 0);
}

void jc_drawn_each(const jc_drawn *d, bool transpose, jc_take_entry take, void *ctx)
{
    const jc_group *group = d->group;
    listing l = {.drawn = d, .shape = &group->shape, .field = group->field, .take = take, .ctx = ctx};
    bool full = jc_group_only_structure(group);
    if (!full) l.jac = jc_group_member(group, d->member, NULL);
    l.scale = scale_of(group->scales ? group->scales[d->member] : group->scale);
    l.turn = group->shape.transpose != transpose;
    for (; l.block < group->shape.batch; l.block++)
        for (int64_t i = 0; i < group->shape.p; i++) (full ? row_full : row_of[group->shape.kind])(&l, i);
}

int64_t jc_drawn_work(const jc_group *group)
{
    const jc_shape *s = &group->shape;
    jc_kind kind = jc_group_only_structure(group) ? JC_OPERATOR : s->kind;
    int64_t all = jc_cost_mul(s->p, s->q), one = s->p;
    if (kind == JC_DENSE || kind == JC_OPERATOR) one = all;
    if (kind == JC_LOW_RANK) one = jc_cost_mul(all, s->m);
    if (kind == JC_CSR) one = jc_cost_add(s->p, s->m);
    if (kind == JC_WEIGHT || kind == JC_TRACE) one = jc_cost_mul(s->p, s->q / jc_max(1, s->p / s->m));
    return jc_cost_mul(one, jc_cost_mul(s->batch, s->inner));
}
