#include "plan/assembly/made.h"

#include <string.h>

#include "core/size.h"

static const char *const WHAT = "the Jacobians of an elimination";

enum { ARENA_STRIDE = 64 }; /* bytes: a value begins at a multiple of it */

void jc_maker_init(jc_maker *m, const jc_graph *graph, jc_subgraph *subgraph)
{
    *m = (jc_maker){.graph = graph, .allocator = &graph->allocator, .subgraph = subgraph};
}

void jc_maker_fini(jc_maker *m)
{
    jc_table_free(m->allocator, &m->known);
}

static const jc_made *made_at(const jc_maker *m, int64_t made)
{
    return (const jc_made *)m->subgraph->made.data + made;
}

static void free_indices(const jc_maker *m, jc_made *made)
{
    for (int k = 0; k < 2; k++) jc_free(m->allocator, made->index[k], made->n_index[k], sizeof *made->index[k]);
}

/* Appends a group; its index arrays are freed on failure. */
static jc_status add(jc_maker *m, jc_made *made, int64_t *number)
{
    made->group.n_edges = jc_max(made->group.n_edges, 1);
    made->group.ragged = -1;
    jc_status status = jc_vec_append(m->allocator, &m->subgraph->made, made, 1, WHAT);
    if (status)
        free_indices(m, made);
    else
        *number = m->subgraph->made.count - 1;
    return status;
}

/* ---- equal groups are one ---------------------------------------------------------------------------------------- */

/* What a group without index arrays is known by. */
typedef struct identity {
    int64_t kind, p, q, batch, transpose, of_group, of_field, row_of;
    double scale;
} identity;

static identity identity_of(const jc_made *made)
{
    const jc_shape *s = &made->group.shape;
    return (identity){s->kind,        s->p,           s->q,         s->batch,         s->transpose,
                      made->of_group, made->of_field, made->row_of, made->group.scale};
}

typedef struct search {
    const jc_maker *maker;
    identity is;
} search;

static bool equal(const void *ctx, int64_t made)
{
    const search *s = ctx;
    identity other = identity_of(made_at(s->maker, made));
    return !memcmp(&other, &s->is, sizeof other);
}

static jc_status find_or_add(jc_maker *m, jc_made *made, int64_t *number)
{
    search s = {m, identity_of(made)};
    uint64_t hash = jc_hash(&s.is, sizeof s.is);
    int64_t there = jc_table_find(&m->known, hash, equal, &s);
    if (there >= 0) {
        *number = there;
        return JC_OK;
    }
    jc_status status = jc_table_reserve(m->allocator, &m->known, 1, WHAT);
    if (!status) status = add(m, made, number);
    if (!status) jc_table_insert(&m->known, hash, *number);
    return status;
}

/* ---- the groups -------------------------------------------------------------------------------------------------- */

static jc_made make(jc_kind kind, int64_t p, int64_t q, int64_t m)
{
    jc_made made = {.of_group = -1, .of_field = 0, .row_of = -1};
    made.group.scale = 1.0;
    made.group.has_numbers = true;
    made.group.shape = (jc_shape){.kind = kind, .batch = 1, .inner = 1, .p = p, .q = q, .m = m, .rows = p, .cols = q};
    return made;
}

static jc_field numbers_of_value(int64_t elements)
{
    return (jc_field){.dtype = JC_F64, .in_arena = true, .elements = elements, .stride = ARENA_STRIDE};
}

static jc_field indices_of(const int64_t *indices, int64_t n)
{
    return (jc_field){.data = (const unsigned char *)indices, .dtype = JC_I64, .elements = n};
}

jc_status jc_make_dense(jc_maker *m, int64_t p, int64_t q, int64_t batch, bool transpose, int64_t *number)
{
    jc_made made = make(JC_DENSE, p, q, 0);
    jc_shape *s = &made.group.shape;
    s->batch = batch, s->transpose = transpose;
    s->rows = batch * (transpose ? q : p), s->cols = batch * (transpose ? p : q);
    made.group.field[0] = numbers_of_value(jc_cost_mul(batch, jc_cost_mul(p, q)));
    made.group.field[0].batched = batch > 1;
    return find_or_add(m, &made, number);
}

jc_status jc_make_diagonal(jc_maker *m, int64_t n, int64_t *number)
{
    jc_made made = make(JC_DIAGONAL, n, n, 0);
    made.group.field[0] = numbers_of_value(n);
    return find_or_add(m, &made, number);
}

jc_status jc_make_csr(jc_maker *m, int64_t p, int64_t q, int64_t *indptr, int64_t *indices, int64_t *number)
{
    int64_t n = indptr[p];
    jc_made made = make(JC_CSR, p, q, n);
    made.index[0] = indptr, made.n_index[0] = p + 1;
    made.index[1] = indices, made.n_index[1] = n;
    made.group.field[0] = indices_of(indptr, p + 1);
    made.group.field[1] = indices_of(indices, n);
    made.group.field[2] = numbers_of_value(n);
    return add(m, &made, number);
}

jc_status jc_make_select(jc_maker *m, int64_t p, int64_t q, int64_t *indices, int64_t *number)
{
    jc_made made = make(JC_SELECT, p, q, 0);
    made.index[0] = indices, made.n_index[0] = p;
    made.group.field[0] = indices_of(indices, p);
    return add(m, &made, number);
}

jc_status jc_make_identity(jc_maker *m, int64_t n, int64_t *number)
{
    jc_made made = make(JC_IDENTITY, n, n, 0);
    return find_or_add(m, &made, number);
}

jc_status jc_make_constant(jc_maker *m, int64_t n, double scale, int64_t *number)
{
    jc_made made = make(JC_TILE, n, 1, n);
    made.group.scale = scale;
    return find_or_add(m, &made, number);
}

/* The members of the group that a row is of. */
static int64_t members_of(const jc_maker *m, int64_t row_of)
{
    return row_of < 0 ? 1 : ((const jc_group *)m->graph->groups.data)[row_of].n_edges;
}

jc_status jc_make_row_of_scale(jc_maker *m, int64_t row_of, int64_t n, double scale, int64_t *number)
{
    jc_made made = make(JC_TILE, n, 1, n);
    made.row_of = row_of;
    made.group.n_edges = members_of(m, row_of);
    made.group.scale = scale;
    return find_or_add(m, &made, number);
}

jc_status jc_make_row_of_field(jc_maker *m, int64_t group, int field, int64_t *number)
{
    const jc_group *g = (const jc_group *)m->graph->groups.data + group;
    jc_made made = make(JC_DENSE, 1, g->field[field].elements, 0);
    made.of_group = group, made.of_field = field;
    made.group.n_edges = g->n_edges;
    made.group.has_numbers = g->has_numbers;
    made.group.field[0] = g->field[field];
    made.group.field[0].batched = false;
    return find_or_add(m, &made, number);
}

jc_status jc_make_row_without_numbers(jc_maker *m, int64_t row_of, int64_t n, int64_t *number)
{
    jc_made made = make(JC_DENSE, 1, n, 0);
    made.of_field = -1; /* unlike a value's */
    made.row_of = row_of;
    made.group.n_edges = members_of(m, row_of);
    made.group.has_numbers = false;
    return find_or_add(m, &made, number);
}

jc_status jc_make_operand(jc_maker *m, int64_t made, int64_t member, int64_t value, int64_t *b)
{
    jc_operand operand = {made, member, value};
    *b = -1 - m->subgraph->n_extra - m->subgraph->operands.count;
    return jc_vec_append(m->allocator, &m->subgraph->operands, &operand, 1, WHAT);
}
