/* Accumulated Jacobians by their entries. A product of sparse ones is one row times a sparse matrix:
 *
 *   C[i,j] += sum over k of A[i,k] B[k,j],   c (+)= a P,   P[number of A[i,k], number of C[i,j]] = B[k,j]
 *
 * with the numbers of A, B and C as rows a, b, c; P has an entry for each pair of entries that meet. */
#include "core/size.h"
#include "core/sort.h"
#include "plan/assembly/assembly.h"
#include "plan/sweep.h"

static const char *const WHAT = "the product of sparse Jacobians";

/* Something whose entries are known and whose numbers are a row. */
typedef struct numbered {
    int64_t numbers; /* draft value */
    int64_t n;
    jc_vec entries; /* jc_entry, by rows */
} numbered;

static void numbered_fini(const jc_assembly *as, numbered *x)
{
    jc_vec_free(as->allocator, &x->entries);
}

/* ---- the numbers of an edge -------------------------------------------------------------------------------------- */

/* The group whose member an edge's Jacobian is, as jc_made.row_of names it. */
static int64_t group_of_row(const jc_assembly *as, int64_t jacobian)
{
    return jacobian < 0 ? -2 - (-1 - jacobian) : jc_graph_group_number(as->graph, jacobian);
}

/* A row of the numbers of one field, or of its scale, n times. */
static jc_status row_of_edge(jc_assembly *as, int64_t edge, const jc_entries *e, int64_t *b)
{
    int64_t jacobian = as->plan->subgraph.jacobian[edge], member = 0, made;
    jc_status status;
    const jc_group *group = jc_subgraph_jacobian(as->graph, &as->plan->subgraph, jacobian, &member);
    const jc_operand *operand = jc_subgraph_operand(&as->plan->subgraph, jacobian);
    if (operand) {
        const jc_made *of = (const jc_made *)as->plan->subgraph.made.data + operand->made;
        status = jc_make_row_of_field(&as->maker, of->of_group, of->of_field, &made);
    } else if (e->field < 0) {
        status = jc_make_row_of_scale(&as->maker, group_of_row(as, jacobian), e->n_numbers, e->scale, &made);
    } else if (jacobian >= 0 && !jc_group_only_structure(group)) {
        status = jc_make_row_of_field(&as->maker, jc_graph_group_number(as->graph, jacobian), e->field, &made);
    } else {
        status = jc_make_row_without_numbers(&as->maker, group_of_row(as, jacobian), e->n_numbers, &made);
    }
    return status ? status : jc_make_operand(&as->maker, made, member, -1, b);
}

/* The numbers of an edge as a value; a constant is a column of a tile, whose rows are op(B)'s by transposition. */
static jc_status need_row(jc_assembly *as, int64_t edge, const jc_entries *e)
{
    int64_t b, *row = &as->edge_row[edge], value;
    if (*row != JC_NO_DRAFT) return JC_OK;
    jc_status status = row_of_edge(as, edge, e, &b);
    if (!status) status = jc_draft_value_add(&as->draft, JC_FORM_NUMBERS, 1, e->n_numbers, -1, -1, &value);
    if (!status) status = jc_draft_step_add(&as->draft, value, JC_SEED_IDENTITY, b, e->field < 0, true);
    if (!status) *row = value;
    return status;
}

/* The numbers of a product of factors are there once it is multiplied out, row by row. */
static jc_status need_product(jc_assembly *as, int64_t edge)
{
    const jc_subgraph *g = &as->plan->subgraph;
    int64_t *row = &as->edge_row[edge], of = g->of[edge], wrt = g->wrt[edge], value;
    if (*row != JC_NO_DRAFT) return JC_OK;
    jc_status status = jc_draft_value_add(&as->draft, JC_FORM_ROWS, g->size[of], g->size[wrt], wrt, of, &value);
    if (!status) status = jc_draft_step_add(&as->draft, value, JC_SEED_IDENTITY, g->jacobian[edge], false, true);
    if (!status) *row = value;
    return status;
}

/* Those of its blocks. */
static jc_status numbered_of_factors(jc_assembly *as, int64_t edge, const jc_shape *s, numbered *x)
{
    int64_t blocks = s->batch * s->inner;
    jc_structure held = {.kind = blocks > 1 ? JC_STRUCTURE_BLOCKS : JC_STRUCTURE_DENSE,
                         .rows = s->rows,
                         .cols = s->cols,
                         .batch = s->batch,
                         .inner = s->inner,
                         .entries = s->rows * s->cols / blocks};
    *x = (numbered){.n = s->rows * s->cols, .entries = jc_vec_of(sizeof(jc_entry))};
    jc_status status = jc_entries_of_structure(as->allocator, &held, JC_FORM_ROWS, &x->entries);
    jc_entry *e = x->entries.data;
    for (int64_t t = 0; t < x->entries.count; t++) e[t].number = e[t].row * s->cols + e[t].col;
    if (!status) status = need_product(as, edge);
    x->numbers = as->edge_row[edge];
    if (status) numbered_fini(as, x);
    return status;
}

static jc_status numbered_of_edge(jc_assembly *as, int64_t edge, numbered *x)
{
    int64_t member;
    jc_entries e;
    const jc_group *group =
        jc_subgraph_jacobian(as->graph, &as->plan->subgraph, as->plan->subgraph.jacobian[edge], &member);
    if (group->shape.kind == JC_LOW_RANK && !jc_group_only_structure(group))
        return numbered_of_factors(as, edge, &group->shape, x);
    jc_status status = jc_entries_of(as->allocator, group, member, &e);
    if (status) return status;
    status = need_row(as, edge, &e);
    *x = (numbered){as->edge_row[edge], e.n_numbers, e.list};
    if (status) numbered_fini(as, x);
    return status;
}

/* An operand of an elimination; a value's numbers are those of its main value, which is read. */
static jc_status numbered_of(jc_assembly *as, int64_t operand, numbered *x)
{
    if (operand < 0) return numbered_of_edge(as, -1 - operand, x);
    jc_accumulated *v = jc_accumulated_at(as, operand);
    v->read = true;
    *x = (numbered){v->main, v->structure.entries, jc_vec_of(sizeof(jc_entry))};
    jc_status status = jc_entries_of_value(as, operand, &x->entries);
    if (status) numbered_fini(as, x);
    return status;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* Whether every number is that of one entry. */
static jc_status each_once(const jc_assembly *as, const numbered *x, bool *once)
{
    const jc_entry *e = x->entries.data;
    bool *seen;
    *once = x->entries.count == x->n;
    if (!*once) return JC_OK;
    jc_status status = jc_alloc_zero(as->allocator, x->n, sizeof *seen, WHAT, &seen);
    if (status) return status;
    for (int64_t t = 0; t < x->n; t++) {
        if (seen[e[t].number]) *once = false;
        seen[e[t].number] = true;
    }
    jc_free(as->allocator, seen, x->n, sizeof *seen);
    return JC_OK;
}

/* x with a number of its own for every entry, in their order. */
static jc_status spread(jc_assembly *as, numbered *x)
{
    jc_entry *e = x->entries.data;
    int64_t n = x->entries.count, *place;
    jc_status status = jc_alloc(as->allocator, n, sizeof *place, WHAT, &place);
    if (status) return status;
    for (int64_t t = 0; t < n; t++) place[t] = e[t].number, e[t].number = t;
    status = jc_gather(as, x->numbers, x->n, n, place, &x->numbers);
    x->n = n;
    return status;
}

jc_status jc_accumulate_entries(jc_assembly *as, int64_t value, int64_t operand)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    numbered x;
    bool once;
    int64_t *place;
    jc_status status = numbered_of(as, operand, &x);
    if (status) return status;
    status = each_once(as, &x, &once);
    if (!status && !once) status = spread(as, &x);
    if (!status) status = jc_alloc(as->allocator, x.n, sizeof *place, WHAT, &place);
    if (!status) {
        const jc_entry *e = x.entries.data;
        for (int64_t t = 0; t < x.n; t++)
            place[e[t].number] = jc_form_place(&v->structure, v->form, e[t].row, e[t].col);
        status = jc_add_scattered(as, value, x.numbers, x.n, place);
    }
    numbered_fini(as, &x);
    return status;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

/* P while it is made: its entries by number of A, then by number of C. */
typedef struct meeting {
    int64_t *a, *c, *b; /* [n] numbers of A, C and B */
    int64_t n;
} meeting;

static void meeting_fini(const jc_assembly *as, meeting *m)
{
    jc_free(as->allocator, m->a, m->n, sizeof *m->a);
    jc_free(as->allocator, m->c, m->n, sizeof *m->c);
    jc_free(as->allocator, m->b, m->n, sizeof *m->b);
}

/* start[k]: the first entry of row k, for rows 0 .. n_rows. */
static jc_status row_starts(const jc_assembly *as, const numbered *x, int64_t n_rows, int64_t **start)
{
    const jc_entry *e = x->entries.data;
    jc_status status = jc_alloc_zero(as->allocator, n_rows + 1, sizeof **start, WHAT, start);
    if (status) return status;
    for (int64_t t = 0; t < x->entries.count; t++) (*start)[e[t].row + 1]++;
    for (int64_t i = 0; i < n_rows; i++) (*start)[i + 1] += (*start)[i];
    return JC_OK;
}

/* Every pair of entries that meet. */
static jc_status list_meetings(const jc_assembly *as, const jc_accumulated *v, const numbered *a, const numbered *b,
                               const int64_t *start, meeting *m)
{
    const jc_entry *x = a->entries.data, *y = b->entries.data;
    int64_t n = 0;
    for (int64_t t = 0; t < a->entries.count; t++) m->n += start[x[t].col + 1] - start[x[t].col];
    jc_status status = jc_alloc(as->allocator, m->n, sizeof *m->a, WHAT, &m->a);
    if (!status) status = jc_alloc(as->allocator, m->n, sizeof *m->c, WHAT, &m->c);
    if (!status) status = jc_alloc(as->allocator, m->n, sizeof *m->b, WHAT, &m->b);
    for (int64_t t = 0; t < a->entries.count && !status; t++)
        for (int64_t u = start[x[t].col]; u < start[x[t].col + 1]; u++, n++) {
            m->a[n] = x[t].number, m->b[n] = y[u].number;
            m->c[n] = jc_form_place(&v->structure, v->form, x[t].row, y[u].col);
        }
    return status;
}

/* The meetings sorted by number of A, in those by number of C. */
static jc_status sort_meetings(const jc_assembly *as, const meeting *m, int64_t n_a, int64_t n_c, int64_t **order,
                               int64_t *indptr)
{
    int64_t *by_c;
    jc_status status = jc_alloc(as->allocator, m->n, sizeof *by_c, WHAT, &by_c);
    if (status) return status;
    status = jc_alloc(as->allocator, m->n, sizeof **order, WHAT, order);
    if (!status) {
        status = jc_sort_by_key(as->allocator, m->c, n_c, NULL, m->n, by_c, NULL);
        if (!status) status = jc_sort_by_key(as->allocator, m->a, n_a, by_c, m->n, *order, indptr);
        if (status) jc_free(as->allocator, *order, m->n, sizeof **order);
    }
    jc_free(as->allocator, by_c, m->n, sizeof *by_c);
    return status;
}

/* P as a made group, and the numbers of B in its order. */
static jc_status make_meetings(jc_assembly *as, const meeting *m, const numbered *a, const numbered *b, int64_t n_c,
                               int64_t *jacobian)
{
    int64_t *order, *indptr, *indices, *place, numbers, made;
    jc_status status = jc_alloc(as->allocator, a->n + 1, sizeof *indptr, WHAT, &indptr);
    if (status) return status;
    if ((status = sort_meetings(as, m, a->n, n_c, &order, indptr))) goto no_order;
    if ((status = jc_alloc(as->allocator, m->n, sizeof *indices, WHAT, &indices))) goto no_indices;
    if ((status = jc_alloc(as->allocator, m->n, sizeof *place, WHAT, &place))) goto no_places;
    for (int64_t t = 0; t < m->n; t++) indices[t] = m->c[order[t]], place[t] = m->b[order[t]];
    jc_free(as->allocator, order, m->n, sizeof *order);
    status = jc_make_csr(&as->maker, a->n, n_c, indptr, indices, &made);
    if (status)
        jc_free(as->allocator, place, m->n, sizeof *place);
    else
        status = jc_gather(as, b->numbers, b->n, m->n, place, &numbers);
    return status ? status : jc_make_operand(&as->maker, made, 0, numbers, jacobian);
no_places:
    jc_free(as->allocator, indices, m->n, sizeof *indices);
no_indices:
    jc_free(as->allocator, order, m->n, sizeof *order);
no_order:
    jc_free(as->allocator, indptr, a->n + 1, sizeof *indptr);
    return status;
}

/* P where nothing meets: without entries. The step is there all the same, for the sum over paths to be seen in the
 * plan, and to write zeros into a value that has no other one. */
static jc_status make_empty(jc_assembly *as, const numbered *a, const numbered *b, int64_t n_c, int64_t *jacobian)
{
    int64_t *indptr, *indices, made;
    jc_status status = jc_alloc_zero(as->allocator, a->n + 1, sizeof *indptr, WHAT, &indptr);
    if (status) return status;
    status = jc_alloc(as->allocator, 0, sizeof *indices, WHAT, &indices);
    if (status) {
        jc_free(as->allocator, indptr, a->n + 1, sizeof *indptr);
        return status;
    }
    status = jc_make_csr(&as->maker, a->n, n_c, indptr, indices, &made);
    return status ? status : jc_make_operand(&as->maker, made, 0, b->numbers, jacobian);
}

static jc_status multiply(jc_assembly *as, int64_t value, const numbered *a, const numbered *b)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    meeting m = {0};
    int64_t *start, jacobian, inner = 0;
    const jc_entry *y = b->entries.data;
    for (int64_t t = 0; t < b->entries.count; t++) inner = jc_max(inner, y[t].row + 1);
    const jc_entry *x = a->entries.data;
    for (int64_t t = 0; t < a->entries.count; t++) inner = jc_max(inner, x[t].col + 1);
    jc_status status = row_starts(as, b, inner, &start);
    if (status) return status;
    status = list_meetings(as, v, a, b, start, &m);
    if (!status && m.n) status = make_meetings(as, &m, a, b, v->structure.entries, &jacobian);
    if (!status && !m.n) status = make_empty(as, a, b, v->structure.entries, &jacobian);
    if (!status) status = jc_draft_step_add(&as->draft, v->main, a->numbers, jacobian, false, true);
    meeting_fini(as, &m);
    jc_free(as->allocator, start, inner + 1, sizeof *start);
    return status;
}

jc_status jc_multiply_entries(jc_assembly *as, int64_t value, int64_t left, int64_t right)
{
    numbered a, b;
    jc_status status = numbered_of(as, left, &a);
    if (status) return status;
    status = numbered_of(as, right, &b);
    if (!status) {
        status = multiply(as, value, &a, &b);
        numbered_fini(as, &b);
    }
    numbered_fini(as, &a);
    return status;
}
