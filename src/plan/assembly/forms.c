/* One accumulated Jacobian in another form. */
#include <string.h>

#include "core/size.h"
#include "plan/assembly/assembly.h"
#include "plan/sweep.h"

static const char *const WHAT = "the forms of an accumulated Jacobian";

void jc_form_shape(const jc_structure *s, jc_form form, int64_t *rows, int64_t *cols)
{
    int64_t blocks = s->batch * s->inner;
    *rows = 1, *cols = s->entries;
    if (s->kind == JC_STRUCTURE_DIAGONAL || s->kind == JC_STRUCTURE_SPARSE || form == JC_FORM_NUMBERS) return;
    *rows = (form == JC_FORM_COLUMNS ? s->cols : s->rows) / blocks;
    *cols = form == JC_FORM_COLUMNS ? s->rows : s->cols;
}

/* Where a column stands in a row of a pattern. */
static int64_t place_in_pattern(const jc_structure *s, int64_t row, int64_t col)
{
    int64_t low = s->indptr[row], high = s->indptr[row + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (s->indices[middle] < col)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Row (b,i,a) of I_batch (x) D (x) I_inner with p rows a block: i. */
static int64_t row_in_block(const jc_structure *s, int64_t row, int64_t p)
{
    return row / s->inner % p;
}

int64_t jc_form_place(const jc_structure *s, jc_form form, int64_t row, int64_t col)
{
    int64_t blocks = s->batch * s->inner;
    if (s->kind == JC_STRUCTURE_DIAGONAL) return row;
    if (s->kind == JC_STRUCTURE_SPARSE) return place_in_pattern(s, row, col);
    if (form == JC_FORM_COLUMNS) return row_in_block(s, col, s->cols / blocks) * s->rows + row;
    return row_in_block(s, row, s->rows / blocks) * s->cols + col;
}

static bool is_plain(const jc_structure *s)
{
    return s->kind == JC_STRUCTURE_DENSE;
}

/* A value of the structure in that form. */
static jc_status add_value(jc_assembly *as, const jc_accumulated *v, const jc_structure *s, jc_form form,
                           int64_t *value)
{
    int64_t rows, cols;
    jc_form_shape(s, form, &rows, &cols);
    if (v->windowed) rows = jc_min(rows, as->plan->row_limit);
    bool columns = form == JC_FORM_COLUMNS;
    return jc_draft_value_add(&as->draft, form, rows, cols, columns ? v->of : v->wrt, columns ? v->wrt : v->of, value);
}

/* ---- moving numbers ---------------------------------------------------------------------------------------------- */

/* A row of n numbers. */
static jc_status add_numbers(jc_assembly *as, int64_t n, int64_t *value)
{
    return jc_draft_value_add(&as->draft, JC_FORM_NUMBERS, 1, n, -1, -1, value);
}

jc_status jc_gather(jc_assembly *as, int64_t from, int64_t n_from, int64_t n, int64_t *place, int64_t *to)
{
    int64_t made, b;
    jc_status status = jc_make_select(&as->maker, n, n_from, place, &made);
    if (!status) status = jc_make_operand(&as->maker, made, 0, -1, &b);
    if (!status) status = add_numbers(as, n, to);
    return status ? status : jc_draft_step_add(&as->draft, *to, from, b, true, true);
}

/* *to: n numbers, of which number place[t] = number t of `from`; those that are not named are zero. */
static jc_status scatter(jc_assembly *as, int64_t from, int64_t n_from, int64_t n, int64_t *place, int64_t *to)
{
    int64_t made, b;
    jc_status status = jc_make_select(&as->maker, n_from, n, place, &made);
    if (!status) status = jc_make_operand(&as->maker, made, 0, -1, &b);
    if (!status) status = add_numbers(as, n, to);
    return status ? status : jc_draft_step_add(&as->draft, *to, from, b, false, true);
}

jc_status jc_need_ones(jc_assembly *as, int64_t n, int64_t *ones)
{
    int64_t made, b;
    if (as->n_ones == n) {
        *ones = as->ones;
        return JC_OK;
    }
    jc_status status = jc_make_constant(&as->maker, n, 1.0, &made);
    if (!status) status = jc_make_operand(&as->maker, made, 0, -1, &b);
    if (!status) status = add_numbers(as, n, ones);
    if (!status) status = jc_draft_step_add(&as->draft, *ones, JC_SEED_IDENTITY, b, true, true);
    if (!status) as->ones = *ones, as->n_ones = n;
    return status;
}

jc_status jc_add_whole(jc_assembly *as, int64_t value, int64_t from)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    int64_t made, b;
    jc_status status = jc_make_identity(&as->maker, jc_draft_at(&as->draft, v->main)->value.cols, &made);
    if (!status) status = jc_make_operand(&as->maker, made, 0, -1, &b);
    return status ? status : jc_draft_step_add(&as->draft, v->main, from, b, false, !v->windowed);
}

jc_status jc_add_scattered(jc_assembly *as, int64_t value, int64_t from, int64_t n, int64_t *place)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    int64_t made, b, to;
    if (jc_draft_at(&as->draft, v->main)->value.rows == 1) {
        jc_status status = jc_make_select(&as->maker, n, v->structure.entries, place, &made);
        if (!status) status = jc_make_operand(&as->maker, made, 0, -1, &b);
        return status ? status : jc_draft_step_add(&as->draft, v->main, from, b, false, true);
    }
    jc_status status = scatter(as, from, n, v->structure.entries, place, &to);
    return status ? status : jc_add_whole(as, value, to);
}

/* ---- the main value ---------------------------------------------------------------------------------------------- */

static void forget_forms(jc_accumulated *v)
{
    v->b = JC_NO_OPERAND;
    v->rows = v->cols = JC_NO_DRAFT;
    v->read = false;
}

static jc_form main_form(const jc_accumulated *v)
{
    if (v->windowed) return JC_FORM_ROWS;
    if (v->structure.kind == JC_STRUCTURE_DIAGONAL || v->structure.kind == JC_STRUCTURE_SPARSE) return JC_FORM_NUMBERS;
    return v->votes >= 0 ? JC_FORM_ROWS : JC_FORM_COLUMNS;
}

jc_status jc_need_main(jc_assembly *as, int64_t value)
{
    jc_accumulated *v = jc_accumulated_at(as, value);
    int64_t before = v->main;
    if (before != JC_NO_DRAFT && !v->read) return JC_OK;
    v->form = main_form(v);
    jc_status status = add_value(as, v, &v->structure, v->form, &v->main);
    forget_forms(v);
    return status || before == JC_NO_DRAFT ? status : jc_add_whole(as, value, before);
}

/* ---- as a Jacobian ----------------------------------------------------------------------------------------------- */

/* Places of the numbers block by block, (b; i,j) with inner 1. */
static jc_status places_by_block(const jc_assembly *as, const jc_accumulated *v, int64_t **place)
{
    const jc_structure *s = &v->structure;
    int64_t p = s->rows / s->batch, q = s->cols / s->batch, n = 0;
    jc_status status = jc_alloc(as->allocator, s->entries, sizeof **place, WHAT, place);
    for (int64_t b = 0; b < s->batch && !status; b++)
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < q; j++) (*place)[n++] = jc_form_place(s, v->form, b * p + i, b * q + j);
    return status;
}

/* Blocks one after the other, as batched dense ones are. */
static jc_status blocks_as_batch(jc_assembly *as, jc_accumulated *v, int64_t *b)
{
    const jc_structure *s = &v->structure;
    int64_t p = s->rows / s->batch, q = s->cols / s->batch, numbers = v->main, made, *place;
    bool in_order = v->form == JC_FORM_ROWS ? p == 1 : q == 1;
    jc_status status = JC_OK;
    if (!in_order) {
        status = places_by_block(as, v, &place);
        if (!status) status = jc_gather(as, v->main, s->entries, s->entries, place, &numbers);
    }
    if (!status) status = jc_make_dense(&as->maker, p, q, s->batch, false, &made);
    return status ? status : jc_make_operand(&as->maker, made, 0, numbers, b);
}

/* The pattern of a structure from its entries. */
static jc_status pattern_of(const jc_assembly *as, const jc_structure *s, const jc_entry *entries, int64_t n,
                            int64_t **indptr, int64_t **indices)
{
    jc_status status = jc_alloc_zero(as->allocator, s->rows + 1, sizeof **indptr, WHAT, indptr);
    if (status) return status;
    status = jc_alloc(as->allocator, n, sizeof **indices, WHAT, indices);
    if (status) {
        jc_free(as->allocator, *indptr, s->rows + 1, sizeof **indptr);
        return status;
    }
    for (int64_t t = 0; t < n; t++) {
        (*indptr)[entries[t].row + 1]++;
        (*indices)[t] = entries[t].col;
    }
    for (int64_t i = 0; i < s->rows; i++) (*indptr)[i + 1] += (*indptr)[i];
    return JC_OK;
}

/* The made group of a pattern, one for each structure. */
static jc_status need_csr(jc_assembly *as, const jc_accumulated *v, const jc_entry *entries, int64_t n, int64_t *made)
{
    const jc_structure *s = &v->structure;
    int64_t *known = v->id >= 0 && v->id < as->n_csr ? &as->csr[v->id] : NULL, *indptr, *indices;
    if (known && *known >= 0) {
        *made = *known;
        return JC_OK;
    }
    jc_status status = pattern_of(as, s, entries, n, &indptr, &indices);
    if (!status) status = jc_make_csr(&as->maker, s->rows, s->cols, indptr, indices, made);
    if (!status && known) *known = *made;
    return status;
}

/* As a sparse one, its numbers in the order of its rows. */
static jc_status as_csr(jc_assembly *as, int64_t value, int64_t *b)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    jc_vec list = jc_vec_of(sizeof(jc_entry));
    int64_t numbers = v->main, made, *place = NULL;
    jc_status status = jc_entries_of_value(as, value, &list);
    const jc_entry *entries = list.data;
    if (!status && v->structure.kind != JC_STRUCTURE_SPARSE) {
        status = jc_alloc(as->allocator, list.count, sizeof *place, WHAT, &place);
        for (int64_t t = 0; t < list.count && !status; t++) place[t] = entries[t].number;
        if (!status) status = jc_gather(as, v->main, v->structure.entries, list.count, place, &numbers);
    }
    if (!status) status = need_csr(as, v, entries, list.count, &made);
    if (!status) status = jc_make_operand(&as->maker, made, 0, numbers, b);
    jc_vec_free(as->allocator, &list);
    return status;
}

/* The main value as it lies: a dense matrix (transposed where it has columns), a diagonal. */
static jc_status as_it_lies(jc_assembly *as, const jc_accumulated *v, int64_t *b)
{
    const jc_structure *s = &v->structure;
    int64_t made;
    bool columns = v->form == JC_FORM_COLUMNS;
    jc_status status = s->kind == JC_STRUCTURE_DIAGONAL ? jc_make_diagonal(&as->maker, s->rows, &made)
                                                        : jc_make_dense(&as->maker, columns ? s->cols : s->rows,
                                                                        columns ? s->rows : s->cols, 1, columns, &made);
    return status ? status : jc_make_operand(&as->maker, made, 0, v->main, b);
}

jc_status jc_as_jacobian(jc_assembly *as, int64_t value, int64_t *b)
{
    jc_accumulated *v = jc_accumulated_at(as, value);
    const jc_structure *s = &v->structure;
    jc_status status = JC_OK;
    v->read = true;
    if (v->b == JC_NO_OPERAND) {
        int64_t made = JC_NO_OPERAND;
        if (s->kind == JC_STRUCTURE_DENSE || s->kind == JC_STRUCTURE_DIAGONAL)
            status = as_it_lies(as, v, &made);
        else if (s->kind == JC_STRUCTURE_BLOCKS && s->inner == 1)
            status = blocks_as_batch(as, v, &made);
        else
            status = as_csr(as, value, &made);
        if (!status) v->b = made;
    }
    *b = v->b;
    return status;
}

/* ---- as a matrix ------------------------------------------------------------------------------------------------- */

static bool same_structure(const jc_structure *a, const jc_structure *b)
{
    return a->kind == b->kind && a->batch == b->batch && a->inner == b->inner;
}

/* All of it as a dense matrix. */
static jc_status as_dense(jc_assembly *as, int64_t value, const jc_structure *dense, jc_form form, int64_t *matrix)
{
    jc_accumulated *v = jc_accumulated_at(as, value);
    int64_t *known = form == JC_FORM_ROWS ? &v->rows : &v->cols, b;
    if (*known == JC_NO_DRAFT) {
        int64_t made;
        jc_status status = jc_as_jacobian(as, value, &b);
        if (!status) status = add_value(as, v, dense, form, &made);
        if (!status) status = jc_draft_step_add(&as->draft, made, JC_SEED_IDENTITY, b, form == JC_FORM_COLUMNS, true);
        if (status) return status;
        *known = made;
    }
    *matrix = *known;
    return JC_OK;
}

/* Its numbers at their places in the coarser structure. */
static jc_status as_blocks(jc_assembly *as, int64_t value, const jc_structure *coarse, jc_form form, int64_t *matrix)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    jc_vec list = jc_vec_of(sizeof(jc_entry));
    int64_t *place = NULL, n = v->structure.entries;
    jc_status status = jc_entries_of_value(as, value, &list);
    const jc_entry *e = list.data;
    if (!status) status = jc_alloc(as->allocator, n, sizeof *place, WHAT, &place);
    for (int64_t t = 0; t < list.count && !status; t++)
        place[e[t].number] = jc_form_place(coarse, form, e[t].row, e[t].col);
    jc_vec_free(as->allocator, &list);
    return status ? status : scatter(as, v->main, n, coarse->entries, place, matrix);
}

jc_status jc_as_matrix(jc_assembly *as, int64_t value, const jc_structure *coarse, jc_form form, int64_t *matrix)
{
    jc_accumulated *v = jc_accumulated_at(as, value);
    jc_structure whole = *coarse;
    whole.rows = v->structure.rows, whole.cols = v->structure.cols;
    whole.entries = jc_cost_mul(whole.rows, whole.cols) / (whole.batch * whole.inner);
    v->read = true;
    if (v->form == form && same_structure(&v->structure, &whole)) {
        *matrix = v->main;
        return JC_OK;
    }
    return is_plain(&whole) ? as_dense(as, value, &whole, form, matrix) : as_blocks(as, value, &whole, form, matrix);
}

/* ---- entries ----------------------------------------------------------------------------------------------------- */

static jc_status put(const jc_allocator *a, const jc_structure *s, jc_form form, int64_t row, int64_t col,
                     jc_vec *entries)
{
    jc_entry entry = {row, col, jc_form_place(s, form, row, col)};
    return jc_vec_append(a, entries, &entry, 1, WHAT);
}

/* The columns of a row of I_batch (x) D (x) I_inner. */
static jc_status put_row_of_blocks(const jc_allocator *al, const jc_structure *s, jc_form form, int64_t row,
                                   jc_vec *entries)
{
    int64_t p = s->rows / (s->batch * s->inner), q = s->cols / (s->batch * s->inner);
    int64_t block = row / s->inner / p, a = row % s->inner;
    jc_status status = JC_OK;
    for (int64_t j = 0; j < q && !status; j++) status = put(al, s, form, row, (block * q + j) * s->inner + a, entries);
    return status;
}

jc_status jc_entries_of_structure(const jc_allocator *a, const jc_structure *s, jc_form form, jc_vec *entries)
{
    jc_status status = jc_vec_reserve(a, entries, s->entries, WHAT);
    for (int64_t row = 0; row < s->rows && !status; row++) {
        if (s->kind == JC_STRUCTURE_DIAGONAL) {
            status = put(a, s, form, row, row, entries);
        } else if (s->kind == JC_STRUCTURE_SPARSE) {
            for (int64_t t = s->indptr[row]; t < s->indptr[row + 1] && !status; t++)
                status = put(a, s, form, row, s->indices[t], entries);
        } else {
            status = put_row_of_blocks(a, s, form, row, entries);
        }
    }
    return status;
}

jc_status jc_entries_of_value(const jc_assembly *as, int64_t value, jc_vec *entries)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    return jc_entries_of_structure(as->allocator, &v->structure, v->form, entries);
}

/* ---- adding a product -------------------------------------------------------------------------------------------- */

/* Places in a matrix of the other form, in the order of main. */
static jc_status places_in_other_form(const jc_assembly *as, int64_t value, jc_form other, int64_t **place)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    jc_vec list = jc_vec_of(sizeof(jc_entry));
    jc_status status = jc_entries_of_value(as, value, &list);
    const jc_entry *e = list.data;
    if (!status) status = jc_alloc(as->allocator, v->structure.entries, sizeof **place, WHAT, place);
    for (int64_t t = 0; t < list.count && !status; t++)
        (*place)[e[t].number] = jc_form_place(&v->structure, other, e[t].row, e[t].col);
    jc_vec_free(as->allocator, &list);
    return status;
}

/* Adds a matrix of the form that main does not have. */
static jc_status add_other_form(jc_assembly *as, int64_t value, jc_form form, int64_t matrix)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    int64_t made, b, *place, turned;
    if (is_plain(&v->structure)) {
        const jc_value *m = &jc_draft_at(&as->draft, matrix)->value;
        jc_status status = jc_make_dense(&as->maker, m->rows, m->cols, 1, false, &made);
        if (!status) status = jc_make_operand(&as->maker, made, 0, matrix, &b);
        return status ? status : jc_draft_step_add(&as->draft, v->main, JC_SEED_IDENTITY, b, true, true);
    }
    jc_status status = places_in_other_form(as, value, form, &place);
    if (!status) status = jc_gather(as, matrix, v->structure.entries, v->structure.entries, place, &turned);
    return status ? status : jc_add_whole(as, value, turned);
}

/* All rows of the target times a Jacobian; an identity costs what an operator does. */
static void count_rows(jc_assembly *as, const jc_accumulated *v, int64_t a, int64_t b)
{
    int64_t member;
    const jc_group *group = jc_subgraph_jacobian(as->graph, &as->plan->subgraph, b, &member);
    if (a == JC_SEED_IDENTITY && group->shape.kind != JC_OPERATOR) return;
    int64_t cost = jc_cost_mul(v->structure.rows, jc_group_cost(group, member, JC_ADJOINT));
    as->window_cost = jc_cost_add(as->window_cost, cost);
}

jc_status jc_add_product(jc_assembly *as, int64_t value, jc_form form, int64_t a, int64_t b, bool transpose)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    int64_t matrix;
    if (v->windowed) count_rows(as, v, a, b);
    if (v->form == form || v->form == JC_FORM_NUMBERS)
        return jc_draft_step_add(&as->draft, v->main, a, b, transpose, !v->windowed);
    jc_status status = add_value(as, v, &v->structure, form, &matrix);
    if (!status) status = jc_draft_step_add(&as->draft, matrix, a, b, transpose, true);
    return status ? status : add_other_form(as, value, form, matrix);
}
