#include "plan/assembly/entries.h"

#include "core/dtype.h"
#include "core/size.h"
#include "core/sort.h"

static const char *const WHAT = "the entries of a Jacobian";

/* A D whose entries are listed, one block of the batch after the other. */
typedef struct listing {
    const jc_allocator *allocator;
    const jc_shape *shape;
    const jc_field *field; /* of the group */
    jc_jac jac;
    jc_entries *made;
    int64_t block; /* of the batch */
    jc_status status;
} listing;

/* Entry (i, j) of D for every inner index; `number` counted in the block's own numbers. */
static void put(listing *l, int64_t i, int64_t j, int64_t number)
{
    const jc_shape *s = l->shape;
    for (int64_t a = 0; a < s->inner && !l->status; a++) {
        int64_t row = (l->block * s->p + i) * s->inner + a, col = (l->block * s->q + j) * s->inner + a;
        jc_entry entry = {s->transpose ? col : row, s->transpose ? row : col, number};
        l->status = jc_vec_append(l->allocator, &l->made->list, &entry, 1, WHAT);
    }
}

/* Where the numbers of the block in hand begin, of `n` a block. */
static int64_t first_number(const listing *l, int f, int64_t n)
{
    return l->field[f].batched ? l->block * n : 0;
}

/* An entry of the only number there is: every entry counts as one of its own. */
static void put_constant(listing *l, int64_t i, int64_t j)
{
    int64_t first = l->made->list.count;
    put(l, i, j, 0);
    jc_entry *e = l->made->list.data;
    for (int64_t t = first; t < l->made->list.count; t++) e[t].number = t;
}

static void list_dense(listing *l)
{
    const jc_shape *s = l->shape;
    int64_t first = first_number(l, 0, s->p * s->q);
    for (int64_t i = 0; i < s->p; i++)
        for (int64_t j = 0; j < s->q; j++) put(l, i, j, first + i * s->q + j);
}

static void list_diagonal(listing *l)
{
    int64_t first = first_number(l, 0, l->shape->p);
    for (int64_t i = 0; i < l->shape->p; i++) put(l, i, i, first + i);
}

static void list_identity(listing *l)
{
    for (int64_t i = 0; i < l->shape->p; i++) put_constant(l, i, i);
}

static void list_csr(listing *l)
{
    int64_t first = first_number(l, 2, l->shape->m);
    for (int64_t i = 0; i < l->shape->p; i++) {
        int64_t end = jc_load_index(l->jac.dtype[0], l->jac.data[0], i + 1);
        for (int64_t t = jc_load_index(l->jac.dtype[0], l->jac.data[0], i); t < end; t++)
            put(l, i, jc_load_index(l->jac.dtype[1], l->jac.data[1], t), first + t);
    }
}

static void list_select(listing *l)
{
    int64_t first = first_number(l, 0, l->shape->p);
    for (int64_t i = 0; i < l->shape->p; i++)
        put_constant(l, i, jc_load_index(l->jac.dtype[0], l->jac.data[0], first + i));
}

/* Row (a,i), column (i,j): x[a,j] */
static void list_weight(listing *l)
{
    int64_t c = l->shape->m, h = l->shape->p / c, w = l->shape->q / h, first = first_number(l, 0, c * w);
    for (int64_t a = 0; a < c; a++)
        for (int64_t i = 0; i < h; i++)
            for (int64_t j = 0; j < w; j++) put(l, a * h + i, i * w + j, first + a * w + j);
}

/* Row (a,i), column (i,j): values[(a,i),j] */
static void list_trace(listing *l)
{
    int64_t h = l->shape->p / l->shape->m, w = l->shape->q / h, first = first_number(l, 0, l->shape->p * w);
    for (int64_t i = 0; i < l->shape->p; i++)
        for (int64_t j = 0; j < w; j++) put(l, i, i % h * w + j, first + i * w + j);
}

static void list_tile(listing *l)
{
    for (int64_t i = 0; i < l->shape->p; i++) put_constant(l, i, i % l->shape->q);
}

static void (*const list_of[JC_KIND_COUNT])(listing *) = {
    [JC_DENSE] = list_dense,   [JC_DIAGONAL] = list_diagonal, [JC_IDENTITY] = list_identity, [JC_CSR] = list_csr,
    [JC_SELECT] = list_select, [JC_WEIGHT] = list_weight,     [JC_TILE] = list_tile,         [JC_TRACE] = list_trace,
};

/* Which field has the numbers, -1: none, the scale is all. */
static const int field_of[JC_KIND_COUNT] = {[JC_CSR] = 2, [JC_IDENTITY] = -1, [JC_SELECT] = -1, [JC_TILE] = -1};

/* By rows, in a row by columns: two counting sorts. */
static jc_status sort(const jc_allocator *a, const jc_shape *s, jc_entries *made)
{
    int64_t n = made->list.count, *key, *order, *place;
    jc_entry *e = made->list.data, *sorted = NULL;
    jc_status status = jc_alloc(a, 3 * n, sizeof *key, WHAT, &key);
    if (status) return status;
    order = key + n, place = key + 2 * n;
    for (int64_t t = 0; t < n; t++) key[t] = e[t].col;
    status = jc_sort_by_key(a, key, s->cols, NULL, n, order, NULL);
    for (int64_t t = 0; t < n && !status; t++) key[t] = e[t].row;
    if (!status) status = jc_sort_by_key(a, key, s->rows, order, n, place, NULL);
    if (!status) status = jc_alloc(a, n, sizeof *sorted, WHAT, &sorted);
    for (int64_t t = 0; t < n && !status; t++) sorted[t] = e[place[t]];
    for (int64_t t = 0; t < n && !status; t++) e[t] = sorted[t];
    jc_free(a, sorted, n, sizeof *sorted);
    jc_free(a, key, 3 * n, sizeof *key);
    return status;
}

jc_status jc_entries_of(const jc_allocator *a, const jc_group *group, int64_t member, jc_entries *entries)
{
    bool known = !jc_group_only_structure(group);
    jc_kind kind = known ? group->shape.kind : JC_DENSE;
    jc_entries made = {.list = jc_vec_of(sizeof(jc_entry)), .field = field_of[kind]};
    listing l = {.allocator = a, .shape = &group->shape, .field = group->field, .made = &made};
    if (known) l.jac = jc_group_member(group, member, NULL);
    for (; l.block < group->shape.batch && !l.status; l.block++) list_of[kind](&l);
    made.scale = group->scales ? group->scales[member] : group->scale;
    made.n_numbers = made.list.count;
    if (made.field >= 0) made.n_numbers = known ? group->field[made.field].elements : group->shape.p * group->shape.q;
    if (!l.status) l.status = sort(a, &group->shape, &made);
    if (l.status)
        jc_entries_fini(a, &made);
    else
        *entries = made;
    return l.status;
}

void jc_entries_fini(const jc_allocator *a, jc_entries *entries)
{
    jc_vec_free(a, &entries->list);
}
