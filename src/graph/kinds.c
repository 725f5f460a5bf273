/* The kinds of Jacobians: functions of each, then the table. Equations are of D, p x q, alone. */
#include "graph/kinds.h"

#include <stdio.h>
#include <string.h>

#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

/* ---- messages ---------------------------------------------------------------------------------------------- */

enum { PART_BYTES = 64 };

static const char *part_of(const char *field, char part[PART_BYTES])
{
    snprintf(part, PART_BYTES, "jacobian/%s", field);
    return part;
}

static const char *is_or_are(const char *field)
{
    return field[strlen(field) - 1] == 's' ? "are" : "is";
}

static jc_status expect_2d(const char *field, const int64_t dims[2], int64_t rows, int64_t cols)
{
    char part[PART_BYTES];
    if (dims[0] == rows && dims[1] == cols) return JC_OK;
    return jc_fail_at(JC_E_INPUT, part_of(field, part), -1, "%s %s %lld x %lld, expected %lld x %lld", field,
                      is_or_are(field), (long long)dims[0], (long long)dims[1], (long long)rows, (long long)cols);
}

static jc_status expect_1d(const char *field, const int64_t dims[2], int64_t n)
{
    char part[PART_BYTES];
    if (dims[0] == n) return JC_OK;
    return jc_fail_at(JC_E_INPUT, part_of(field, part), -1, "%s %s %lld numbers, expected %lld", field,
                      is_or_are(field), (long long)dims[0], (long long)n);
}

/* ---- dense, diagonal, identity: y = D x, y_i = d_i x_i, y = s x ----------------------------------------------- */

static jc_status dense_dims(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2])
{
    return expect_2d("values", dims[0], shape->p, shape->q);
}

static int64_t dense_cost(const jc_group *group, double scale, jc_direction direction)
{
    (void)scale, (void)direction;
    return jc_cost_mul(group->shape.p, group->shape.q);
}

static int64_t dense_terms(const jc_shape *shape, jc_direction direction)
{
    return direction == JC_TANGENT ? shape->q : shape->p;
}

static jc_status square_shape(jc_shape *shape)
{
    if (shape->p == shape->q) return JC_OK;
    return jc_fail_at(JC_E_INPUT, "jacobian", -1, "%s needs a square matrix, not %lld x %lld",
                      jc_kind_name(shape->kind), (long long)shape->p, (long long)shape->q);
}

static jc_status diagonal_dims(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2])
{
    return expect_1d("values", dims[0], shape->p);
}

static int64_t diagonal_cost(const jc_group *group, double scale, jc_direction direction)
{
    (void)scale, (void)direction;
    return group->shape.p;
}

/* identity, select, tile: copies at scale 1. */
static int64_t scaled_cost(const jc_group *group, double scale, jc_direction direction)
{
    (void)direction;
    return scale == 1.0 ? 0 : group->shape.p;
}

static int64_t one_term(const jc_shape *shape, jc_direction direction)
{
    (void)shape, (void)direction;
    return 1;
}

/* ---- csr: y_i = sum over k in [indptr_i, indptr_i+1) of values_k x_indices_k ------------------------------------ */

enum { CSR_INDPTR, CSR_INDICES, CSR_VALUES };

static jc_status csr_dims(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2])
{
    if (dims[CSR_INDPTR][0] - 1 != shape->p)
        return jc_fail_at(JC_E_INPUT, "jacobian/indptr", -1, "indptr is %lld numbers, expected one more than %lld rows",
                          (long long)dims[CSR_INDPTR][0], (long long)shape->p);
    shape->m = dims[CSR_INDICES][0];
    return expect_1d("values", dims[CSR_VALUES], shape->m);
}

/* indices[first .. end) of row `row` increase strictly and are columns. */
static jc_status csr_check_row(const jc_jac *jac, int64_t row, int64_t first, int64_t end)
{
    int64_t q = jac->group->shape.q, last = -1;
    for (int64_t k = first; k < end; k++) {
        int64_t column = jc_load_index(jac->dtype[CSR_INDICES], jac->data[CSR_INDICES], k);
        if (column < 0 || column >= q)
            return jc_fail_at(JC_E_INPUT, "jacobian/indices", -1, "indices[%lld] is %lld, expected 0 to %lld",
                              (long long)k, (long long)column, (long long)(q - 1));
        if (column <= last)
            return jc_fail_at(JC_E_INPUT, "jacobian/indices", -1,
                              "indices[%lld] is %lld after %lld: they must increase strictly in row %lld", (long long)k,
                              (long long)column, (long long)last, (long long)row);
        last = column;
    }
    return JC_OK;
}

static jc_status csr_check(const jc_jac *jac)
{
    const jc_shape *shape = &jac->group->shape;
    int64_t first = jc_load_index(jac->dtype[CSR_INDPTR], jac->data[CSR_INDPTR], 0);
    if (first != 0)
        return jc_fail_at(JC_E_INPUT, "jacobian/indptr", -1, "indptr[0] is %lld, expected 0", (long long)first);
    for (int64_t i = 0; i < shape->p; i++) {
        int64_t end = jc_load_index(jac->dtype[CSR_INDPTR], jac->data[CSR_INDPTR], i + 1);
        if (end < first || end > shape->m)
            return jc_fail_at(JC_E_INPUT, "jacobian/indptr", -1, "indptr[%lld] is %lld, expected %lld to %lld",
                              (long long)(i + 1), (long long)end, (long long)first, (long long)shape->m);
        jc_status status = csr_check_row(jac, i, first, end);
        if (status) return status;
        first = end;
    }
    if (first == shape->m) return JC_OK;
    return jc_fail_at(JC_E_INPUT, "jacobian/indptr", -1, "indptr[%lld] is %lld, expected %lld, the number of indices",
                      (long long)shape->p, (long long)first, (long long)shape->m);
}

static int64_t csr_cost(const jc_group *group, double scale, jc_direction direction)
{
    (void)scale, (void)direction;
    return group->shape.m;
}

/* A row (column) has at most min(nnz, q) (min(nnz, p)) nonzeros. */
static int64_t csr_terms(const jc_shape *shape, jc_direction direction)
{
    return jc_min(shape->m, direction == JC_TANGENT ? shape->q : shape->p);
}

/* ---- low_rank: y = U (V^T x) ---------------------------------------------------------------------------------- */

static jc_status low_rank_dims(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2])
{
    shape->m = dims[0][1];
    if (shape->m < 1) return jc_fail_at(JC_E_INPUT, "jacobian/u", -1, "u has no columns, expected at least 1");
    jc_status status = expect_2d("u", dims[0], shape->p, shape->m);
    return status ? status : expect_2d("v", dims[1], shape->q, shape->m);
}

static int64_t low_rank_cost(const jc_group *group, double scale, jc_direction direction)
{
    (void)scale, (void)direction;
    return jc_cost_mul(group->shape.m, jc_cost_add(group->shape.p, group->shape.q));
}

static int64_t low_rank_terms(const jc_shape *shape, jc_direction direction)
{
    return jc_cost_add(shape->m, direction == JC_TANGENT ? shape->q : shape->p);
}

/* ---- select: y_i = s x_indices_i ------------------------------------------------------------------------------ */

static jc_status select_dims(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2])
{
    return expect_1d("indices", dims[0], shape->p);
}

static jc_status select_check(const jc_jac *jac)
{
    int64_t q = jac->group->shape.q, n = jac->group->field[0].elements;
    for (int64_t k = 0; k < n; k++) {
        int64_t column = jc_load_index(jac->dtype[0], jac->data[0], k);
        if (column < 0 || column >= q)
            return jc_fail_at(JC_E_INPUT, "jacobian/indices", -1, "indices[%lld] is %lld, expected 0 to %lld",
                              (long long)k, (long long)column, (long long)(q - 1));
    }
    return JC_OK;
}

/* Adjoint: every row may select the same column. */
static int64_t select_terms(const jc_shape *shape, jc_direction direction)
{
    return direction == JC_TANGENT ? 1 : shape->p;
}

/* ---- weight: Y = X W^T, y_(a,i) = sum_j x_aj w_ij; adjoint w_ij = sum_a x_aj y_(a,i); p = c h, q = h w ----------- */

static jc_status weight_dims(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2])
{
    int64_t c = dims[0][0], w = dims[0][1];
    shape->m = c;
    if (c > 0 && w > 0 && shape->p % c == 0 && shape->q % w == 0 && shape->p / c == shape->q / w) return JC_OK;
    return jc_fail_at(JC_E_INPUT, "jacobian/x", -1,
                      "x is %lld x %lld (c x w), which does not fit a weight of %lld x %lld (c h x h w)", (long long)c,
                      (long long)w, (long long)shape->p, (long long)shape->q);
}

/* weight, trace: w = q / h with h = p / c. */
static int64_t weight_columns(const jc_shape *shape)
{
    return shape->q / (shape->p / shape->m);
}

static int64_t weight_cost(const jc_group *group, double scale, jc_direction direction)
{
    (void)scale, (void)direction;
    return jc_cost_mul(group->shape.p, weight_columns(&group->shape));
}

static int64_t weight_terms(const jc_shape *shape, jc_direction direction)
{
    return direction == JC_TANGENT ? weight_columns(shape) : shape->m;
}

/* ---- tile: y_(a,j) = s x_j, a = 0 .. c-1 ---------------------------------------------------------------------- */

static jc_status tile_shape(jc_shape *shape)
{
    shape->m = shape->p / shape->q;
    if (shape->p % shape->q == 0) return JC_OK;
    return jc_fail_at(JC_E_INPUT, "jacobian", -1, "tile needs a multiple of its %lld columns as rows, not %lld",
                      (long long)shape->q, (long long)shape->p);
}

static int64_t tile_terms(const jc_shape *shape, jc_direction direction)
{
    return direction == JC_TANGENT ? 1 : shape->m;
}

/* ---- trace: y_(a,i) = sum_j t_(a,i)j w_ij; adjoint w_ij = sum_a t_(a,i)j y_(a,i); p = c h, q = h w ---------------
 * A weight whose sample x_a differs from output to output: what a weight becomes behind diagonals. Its row of w traces
 * for each output of each sample is the eligibility trace of Bellec et al. (2020), Nature Communications 11:3625. */

static jc_status trace_dims(jc_shape *shape, const int64_t dims[JC_MAX_FIELDS][2])
{
    int64_t w = dims[0][1], h = w > 0 ? shape->q / w : 0;
    shape->m = h > 0 ? shape->p / h : 0;
    if (dims[0][0] == shape->p && h > 0 && shape->q % w == 0 && shape->p % h == 0) return JC_OK;
    return jc_fail_at(JC_E_INPUT, "jacobian/values", -1,
                      "values are %lld x %lld (c h x w), which does not fit a trace of %lld x %lld (c h x h w)",
                      (long long)dims[0][0], (long long)w, (long long)shape->p, (long long)shape->q);
}

/* ---- operator: callbacks -------------------------------------------------------------------------------------- */

static jc_status operator_shape(jc_shape *shape)
{
    if (shape->batch == 1 && shape->inner == 1) return JC_OK;
    return jc_fail_at(JC_E_INPUT, shape->batch == 1 ? "jacobian/inner" : "jacobian/batch", -1,
                      "an operator has no batch and inner (batch %lld, inner %lld)", (long long)shape->batch,
                      (long long)shape->inner);
}

static int64_t operator_cost(const jc_group *group, double scale, jc_direction direction)
{
    (void)scale;
    return direction == JC_TANGENT ? group->op.tangent_cost : group->op.adjoint_cost;
}

/* ---- the table ------------------------------------------------------------------------------------------------ */

#define FIELD(NAME, RANK, INDEX, BATCH)                                                                                \
    {                                                                                                                  \
#NAME, offsetof(jc_jacobian, NAME), RANK, INDEX, BATCH                                                         \
    }

const jc_kind_info jc_kinds[JC_KIND_COUNT] = {
    [JC_DENSE] = {.name = "dense",
                  .n_fields = 1,
                  .field = {FIELD(values, 2, false, true)},
                  .may_be_ragged = true,
                  .check_dims = dense_dims,
                  .cost = dense_cost,
                  .terms = dense_terms},
    [JC_DIAGONAL] = {.name = "diagonal",
                     .n_fields = 1,
                     .field = {FIELD(values, 1, false, true)},
                     .may_be_ragged = true,
                     .check_shape = square_shape,
                     .check_dims = diagonal_dims,
                     .cost = diagonal_cost,
                     .terms = one_term},
    [JC_IDENTITY] =
        {.name = "identity", .has_scale = true, .check_shape = square_shape, .cost = scaled_cost, .terms = one_term},
    [JC_CSR] = {.name = "csr",
                .n_fields = 3,
                .field = {FIELD(indptr, 1, true, false), FIELD(indices, 1, true, false), FIELD(values, 1, false, true)},
                .may_be_ragged = true,
                .check_dims = csr_dims,
                .check_indices = csr_check,
                .cost = csr_cost,
                .terms = csr_terms},
    [JC_LOW_RANK] = {.name = "low_rank",
                     .n_fields = 2,
                     .field = {FIELD(u, 2, false, true), FIELD(v, 2, false, true)},
                     .check_dims = low_rank_dims,
                     .cost = low_rank_cost,
                     .terms = low_rank_terms},
    [JC_SELECT] = {.name = "select",
                   .n_fields = 1,
                   .field = {FIELD(indices, 1, true, true)},
                   .has_scale = true,
                   .may_be_ragged = true,
                   .check_dims = select_dims,
                   .check_indices = select_check,
                   .cost = scaled_cost,
                   .terms = select_terms},
    [JC_WEIGHT] = {.name = "weight",
                   .n_fields = 1,
                   .field = {FIELD(x, 2, false, false)},
                   .check_dims = weight_dims,
                   .cost = weight_cost,
                   .terms = weight_terms},
    [JC_TILE] =
        {.name = "tile", .has_scale = true, .check_shape = tile_shape, .cost = scaled_cost, .terms = tile_terms},
    [JC_TRACE] = {.name = "trace",
                  .n_fields = 1,
                  .field = {FIELD(values, 2, false, true)},
                  .check_dims = trace_dims,
                  .cost = weight_cost,
                  .terms = weight_terms},
    [JC_OPERATOR] = {.name = "operator", .check_shape = operator_shape, .cost = operator_cost, .terms = dense_terms},
};

const char *jc_kind_name(jc_kind kind)
{
    return (unsigned)kind < JC_KIND_COUNT ? jc_kinds[kind].name : "?";
}

jc_kind jc_kind_find(const char *name)
{
    for (int k = 0; k < JC_KIND_COUNT; k++)
        if (strcmp(jc_kinds[k].name, name) == 0) return (jc_kind)k;
    return JC_KIND_COUNT;
}

int jc_kind_field(jc_kind kind, const char *name)
{
    for (int f = 0; f < jc_kinds[kind].n_fields; f++)
        if (strcmp(jc_kinds[kind].field[f].name, name) == 0) return f;
    return -1;
}

/* ---- groups --------------------------------------------------------------------------------------------------- */

bool jc_group_only_structure(const jc_group *group)
{
    return jc_kinds[group->shape.kind].n_fields > 0 && !group->has_numbers;
}

jc_jac jc_group_member(const jc_group *group, int64_t member, const unsigned char *const *bases)
{
    jc_jac jac = {.group = group, .scale = group->scales ? group->scales[member] : group->scale};
    for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++) {
        const jc_field *field = &group->field[f];
        const unsigned char *base = bases && bases[f] ? bases[f] : field->data;
        jac.data[f] = base ? base + member * field->stride : NULL;
        jac.dtype[f] = field->dtype;
    }
    return jac;
}

int64_t jc_group_cost(const jc_group *group, int64_t member, jc_direction direction)
{
    const jc_shape *shape = &group->shape;
    double scale = group->scales ? group->scales[member] : group->scale;
    int64_t cost = jc_group_only_structure(group)
                       ? jc_cost_mul(shape->p, shape->q)
                       : jc_kinds[shape->kind].cost(group, scale, jc_shape_direction(shape, direction));
    return jc_cost_mul(cost, jc_cost_mul(shape->batch, shape->inner));
}

int64_t jc_group_member_bytes(const jc_group *group)
{
    if (jc_group_only_structure(group))
        return jc_cost_mul(jc_cost_mul(group->shape.p, group->shape.q), (int64_t)sizeof(double));
    int64_t bytes = 0;
    for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++)
        bytes = jc_cost_add(bytes, group->field[f].elements * jc_dtype_bytes(group->field[f].dtype));
    return bytes;
}

int64_t jc_group_terms(const jc_group *group, jc_direction direction)
{
    const jc_shape *shape = &group->shape;
    direction = jc_shape_direction(shape, direction);
    return jc_group_only_structure(group) ? dense_terms(shape, direction)
                                          : jc_kinds[shape->kind].terms(shape, direction);
}
