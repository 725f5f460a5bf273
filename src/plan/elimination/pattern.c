#include "plan/elimination/pattern.h"

#include <string.h>

#include "core/dtype.h"
#include "core/size.h"

static const char *const WHAT = "the pattern of a sparse Jacobian";

void jc_pattern_free(const jc_allocator *a, jc_pattern *p)
{
    jc_free(a, p->indptr, p->rows + 1, sizeof *p->indptr);
    jc_free(a, p->indices, p->entries, sizeof *p->indices);
    p->indptr = p->indices = NULL;
}

/* indptr is zeroed. */
static jc_status allocate(const jc_allocator *a, int64_t rows, int64_t cols, int64_t entries, jc_pattern *p)
{
    *p = (jc_pattern){.rows = rows, .cols = cols, .entries = entries};
    jc_status status = jc_alloc_zero(a, rows + 1, sizeof *p->indptr, WHAT, &p->indptr);
    if (!status) status = jc_alloc(a, entries, sizeof *p->indices, WHAT, &p->indices);
    if (status) jc_pattern_free(a, p);
    return status;
}

/* indptr[i + 1] = entries of row i, made the begin of row i + 1. */
static void add_up(jc_pattern *p)
{
    for (int64_t i = 0; i < p->rows; i++) p->indptr[i + 1] += p->indptr[i];
}

/* indptr[i] is where row i ends, once each row was filled from its begin on: back to where it begins. */
static void step_back(jc_pattern *p)
{
    memmove(p->indptr + 1, p->indptr, (size_t)p->rows * sizeof *p->indptr);
    p->indptr[0] = 0;
}

/* ---- kinds --------------------------------------------------------------------------------------------------------
 * A row of D, p x q, is what its kind says of row i in block b of the batch: how many columns, and column k of them,
 * increasing. */

static int64_t csr_length(const jc_jac *jac, int64_t b, int64_t i)
{
    (void)b;
    return jc_load_index(jac->dtype[0], jac->data[0], i + 1) - jc_load_index(jac->dtype[0], jac->data[0], i);
}

static int64_t csr_column(const jc_jac *jac, int64_t b, int64_t i, int64_t k)
{
    (void)b;
    return jc_load_index(jac->dtype[1], jac->data[1], jc_load_index(jac->dtype[0], jac->data[0], i) + k);
}

static int64_t one(const jc_jac *jac, int64_t b, int64_t i)
{
    (void)jac, (void)b, (void)i;
    return 1;
}

static int64_t select_column(const jc_jac *jac, int64_t b, int64_t i, int64_t k)
{
    (void)k;
    int64_t block = jac->group->field[0].batched ? b * jac->group->shape.p : 0;
    return jc_load_index(jac->dtype[0], jac->data[0], block + i);
}

static int64_t tile_column(const jc_jac *jac, int64_t b, int64_t i, int64_t k)
{
    (void)b, (void)k;
    return i % jac->group->shape.q;
}

/* weight, trace: h outputs of w inputs each, p = c h, q = h w. */
static int64_t outputs(const jc_shape *shape)
{
    return shape->p / shape->m;
}

static int64_t weight_length(const jc_jac *jac, int64_t b, int64_t i)
{
    (void)b, (void)i;
    return jac->group->shape.q / outputs(&jac->group->shape);
}

static int64_t weight_column(const jc_jac *jac, int64_t b, int64_t i, int64_t k)
{
    return i % outputs(&jac->group->shape) * weight_length(jac, b, i) + k;
}

static int64_t csr_entries(const jc_shape *shape)
{
    return shape->m;
}

static int64_t row_entries(const jc_shape *shape)
{
    return shape->p;
}

static int64_t weight_entries(const jc_shape *shape)
{
    return jc_cost_mul(shape->p, shape->q / outputs(shape));
}

typedef struct kind {
    int64_t (*entries)(const jc_shape *shape); /* of D */
    int64_t (*length)(const jc_jac *jac, int64_t b, int64_t i);
    int64_t (*column)(const jc_jac *jac, int64_t b, int64_t i, int64_t k);
} kind;

/* One row for each kind that has a pattern. */
static const kind kinds[JC_KIND_COUNT] = {
    [JC_CSR] = {csr_entries, csr_length, csr_column},
    [JC_SELECT] = {row_entries, one, select_column},
    [JC_WEIGHT] = {weight_entries, weight_length, weight_column},
    [JC_TILE] = {row_entries, one, tile_column},
    [JC_TRACE] = {weight_entries, weight_length, weight_column},
};

int64_t jc_pattern_entries(const jc_shape *shape)
{
    if (!kinds[shape->kind].entries) return -1;
    return jc_cost_mul(kinds[shape->kind].entries(shape), jc_cost_mul(shape->batch, shape->inner));
}

/* Row i of block b: counts its entries in indptr, or writes them. Walked through row by row, entries of a row of the
 * transpose come in order too. */
static void walk_row(const jc_jac *jac, int64_t b, int64_t i, bool write, jc_pattern *p)
{
    const jc_shape *s = &jac->group->shape;
    const kind *of_kind = &kinds[s->kind];
    for (int64_t k = 0, n = of_kind->length(jac, b, i); k < n; k++) {
        int64_t first_row = (b * s->p + i) * s->inner,
                first_col = (b * s->q + of_kind->column(jac, b, i, k)) * s->inner;
        for (int64_t r = 0; r < s->inner; r++) {
            int64_t row = (s->transpose ? first_col : first_row) + r, col = (s->transpose ? first_row : first_col) + r;
            if (write)
                p->indices[p->indptr[row]++] = col;
            else
                p->indptr[row + 1]++;
        }
    }
}

jc_status jc_pattern_of(const jc_allocator *a, const jc_jac *jac, jc_pattern *p)
{
    const jc_shape *s = &jac->group->shape;
    jc_status status = allocate(a, s->rows, s->cols, jc_pattern_entries(s), p);
    if (status) return status;
    for (int write = 0; write < 2; write++) {
        for (int64_t b = 0; b < s->batch; b++)
            for (int64_t i = 0; i < s->p; i++) walk_row(jac, b, i, write, p);
        if (!write) add_up(p);
    }
    step_back(p);
    return JC_OK;
}

jc_status jc_pattern_of_blocks(const jc_allocator *a, int64_t p, int64_t q, int64_t batch, int64_t inner,
                               jc_pattern *pattern)
{
    int64_t rows = batch * p * inner, cols = batch * q * inner;
    jc_status status = allocate(a, rows, cols, rows * q, pattern);
    if (status) return status;
    for (int64_t row = 0; row < rows; row++) {
        int64_t b = row / (p * inner), r = row % inner;
        pattern->indptr[row + 1] = (row + 1) * q;
        for (int64_t j = 0; j < q; j++) pattern->indices[row * q + j] = (b * q + j) * inner + r;
    }
    return JC_OK;
}

/* ---- products ---------------------------------------------------------------------------------------------------- */

static int64_t length_of(const jc_pattern *p, int64_t row)
{
    return p->indptr[row + 1] - p->indptr[row];
}

int64_t jc_pattern_meetings(const jc_pattern *a, const jc_pattern *b)
{
    int64_t sum = 0;
    for (int64_t k = 0; k < a->entries; k++) sum = jc_cost_add(sum, length_of(b, a->indices[k]));
    return sum;
}

/* Columns of row i of A B, each once, to `to` where that is not NULL; returns how many. seen [cols of B] is below
 * `mark` for what is new. */
static int64_t product_row(const jc_pattern *a, const jc_pattern *b, int64_t i, int64_t *seen, int64_t mark,
                           int64_t *to)
{
    int64_t n = 0;
    for (int64_t k = a->indptr[i]; k < a->indptr[i + 1]; k++)
        for (int64_t l = b->indptr[a->indices[k]]; l < b->indptr[a->indices[k] + 1]; l++) {
            int64_t col = b->indices[l];
            if (seen[col] >= mark) continue;
            seen[col] = mark;
            if (to) to[n] = col;
            n++;
        }
    return n;
}

/* Rows of the transpose are in order, whatever those of the pattern are. */
static jc_status transpose(const jc_allocator *a, const jc_pattern *p, jc_pattern *turned)
{
    jc_status status = allocate(a, p->cols, p->rows, p->entries, turned);
    if (status) return status;
    for (int64_t k = 0; k < p->entries; k++) turned->indptr[p->indices[k] + 1]++;
    add_up(turned);
    for (int64_t i = 0; i < p->rows; i++)
        for (int64_t k = p->indptr[i]; k < p->indptr[i + 1]; k++) turned->indices[turned->indptr[p->indices[k]]++] = i;
    step_back(turned);
    return JC_OK;
}

/* Puts the columns of every row in order. */
static jc_status put_in_order(const jc_allocator *a, jc_pattern *p)
{
    jc_pattern turned, ordered;
    jc_status status = transpose(a, p, &turned);
    if (status) return status;
    status = transpose(a, &turned, &ordered);
    jc_pattern_free(a, &turned);
    if (status) return status;
    jc_pattern_free(a, p);
    *p = ordered;
    return JC_OK;
}

/* The product's entries, counted up to `most`. seen: [cols of B], of zeros. */
static int64_t count_product(const jc_pattern *a, const jc_pattern *b, int64_t most, int64_t *seen)
{
    int64_t n = 0;
    for (int64_t i = 0; i < a->rows && n <= most; i++) n += product_row(a, b, i, seen, i + 1, NULL);
    return n;
}

jc_status jc_pattern_product(const jc_allocator *alloc, const jc_pattern *a, const jc_pattern *b, int64_t most,
                             bool *fits, jc_pattern *product)
{
    int64_t *seen;
    jc_status status = jc_alloc_zero(alloc, b->cols, sizeof *seen, WHAT, &seen);
    if (status) return status;
    int64_t entries = count_product(a, b, most, seen);
    *fits = entries <= most;
    if (*fits) status = allocate(alloc, a->rows, b->cols, entries, product);
    if (*fits && !status) {
        for (int64_t i = 0; i < a->rows; i++)
            product->indptr[i + 1] =
                product->indptr[i] + product_row(a, b, i, seen, a->rows + 1 + i, product->indices + product->indptr[i]);
        status = put_in_order(alloc, product);
        if (status) jc_pattern_free(alloc, product);
    }
    jc_free(alloc, seen, b->cols, sizeof *seen);
    return status;
}

/* ---- sums -------------------------------------------------------------------------------------------------------- */

/* Columns that row i has in A or in B, in order, to `to` where that is not NULL; returns how many. */
static int64_t sum_row(const jc_pattern *a, const jc_pattern *b, int64_t i, int64_t *to)
{
    int64_t k = a->indptr[i], l = b->indptr[i], n = 0;
    while (k < a->indptr[i + 1] || l < b->indptr[i + 1]) {
        int64_t left = k < a->indptr[i + 1] ? a->indices[k] : INT64_MAX,
                right = l < b->indptr[i + 1] ? b->indices[l] : INT64_MAX;
        k += left <= right, l += right <= left;
        if (to) to[n] = jc_min(left, right);
        n++;
    }
    return n;
}

jc_status jc_pattern_sum(const jc_allocator *alloc, const jc_pattern *a, const jc_pattern *b, int64_t most, bool *fits,
                         jc_pattern *sum)
{
    int64_t entries = 0;
    for (int64_t i = 0; i < a->rows && entries <= most; i++) entries += sum_row(a, b, i, NULL);
    *fits = entries <= most;
    if (!*fits) return JC_OK;
    jc_status status = allocate(alloc, a->rows, a->cols, entries, sum);
    for (int64_t i = 0; i < a->rows && !status; i++)
        sum->indptr[i + 1] = sum->indptr[i] + sum_row(a, b, i, sum->indices + sum->indptr[i]);
    return status;
}
