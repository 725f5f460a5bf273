#include "support/jacobian.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support/floats.h"

/* ---- random numbers --------------------------------------------------------------------------------------------- */

static double random_number(jt_rng *rng, jt_numbers numbers, jc_dtype real)
{
    if (numbers == JT_SMALL) return (double)jt_between(rng, -2, 2);
    if (numbers == JT_WIDE)
        return (double)(real == JC_BF16 ? jt_between(rng, -250, 250) : jt_between(rng, -1000, 1000));
    if (numbers == JT_SPARSE) return jt_below(rng, 4) ? 0.0 : (double)jt_between(rng, -1, 1);
    return jt_float_round(jt_unit(rng), real);
}

static double random_scale(jt_rng *rng, jt_numbers numbers)
{
    if (jt_below(rng, 3) == 0) return 1.0;
    if (numbers == JT_REAL) return jt_unit(rng);
    if (numbers == JT_SPARSE) return jt_below(rng, 2) ? -1.0 : 1.0;
    return (double)jt_between(rng, -3, 3);
}

static int64_t field_blocks(const jt_jacobian *jac, const jt_field *field)
{
    return jac->members * (field->batched ? jac->batch : 1);
}

static void fill_numbers(jt_pool *pool, jt_rng *rng, const jt_jacobian *jac, jt_field *field, int64_t block,
                         bool batched, jt_numbers numbers, jc_dtype dtype)
{
    field->block = block;
    field->batched = batched;
    field->dtype = dtype;
    int64_t n = field_blocks(jac, field) * block;
    field->number = jt_alloc(pool, n, sizeof(double));
    for (int64_t i = 0; i < n; i++) field->number[i] = random_number(rng, numbers, dtype);
}

static void fill_indices(jt_pool *pool, jt_rng *rng, const jt_jacobian *jac, jt_field *field, int64_t block,
                         bool batched, int64_t below)
{
    field->block = block;
    field->batched = batched;
    int64_t n = field_blocks(jac, field) * block;
    field->index = jt_alloc(pool, n, sizeof(int64_t));
    for (int64_t i = 0; i < n; i++) field->index[i] = jt_below(rng, below);
}

/* Every member has its own pattern with the same number of nonzeros, about a third of the entries; rows may be empty.
 */
static void fill_csr(jt_pool *pool, jt_rng *rng, jt_rng *number_rng, jt_jacobian *jac, bool batched, jt_numbers numbers,
                     jc_dtype real)
{
    int64_t entries = jac->p * jac->q;
    jac->m = entries < 3 ? jt_below(rng, entries + 1) : entries / 3;
    jac->indptr = (jt_field){.block = jac->p + 1};
    jac->indptr.index = jt_alloc(pool, jac->members * (jac->p + 1), sizeof(int64_t));
    jac->indices = (jt_field){.block = jac->m};
    jac->indices.index = jt_alloc(pool, jac->members * jac->m, sizeof(int64_t));
    for (int64_t e = 0; e < jac->members; e++) {
        int64_t *indptr = jac->indptr.index + e * (jac->p + 1), *indices = jac->indices.index + e * jac->m, n = 0;
        for (int64_t i = 0; i < entries; i++) {
            if (i % jac->q == 0) indptr[i / jac->q] = n;
            if (jt_below(rng, entries - i) < jac->m - n) indices[n++] = i % jac->q;
        }
        indptr[jac->p] = n;
    }
    fill_numbers(pool, number_rng, jac, &jac->values, jac->m, batched, numbers, real);
}

static bool has_scale(jc_kind kind)
{
    return kind == JC_IDENTITY || kind == JC_SELECT || kind == JC_TILE;
}

jt_jacobian jt_jacobian_random(jt_pool *pool, jt_rng *rng, jt_rng *number_rng, const jt_shape *shape,
                               jt_numbers numbers, jc_dtype real, jc_dtype integer, int misalign)
{
    jt_jacobian jac = {.kind = shape->kind,
                       .transpose = shape->transpose,
                       .batch = shape->batch,
                       .inner = shape->inner,
                       .p = shape->p,
                       .q = shape->q,
                       .m = shape->m,
                       .members = shape->members,
                       .integer = integer,
                       .misalign = misalign};
    bool b = shape->batched;
    jac.scales = jt_alloc(pool, jac.members, sizeof(double));
    for (int64_t e = 0; e < jac.members; e++) jac.scales[e] = has_scale(jac.kind) ? random_scale(rng, numbers) : 1.0;
    switch (jac.kind) {
    case JC_DENSE:
        fill_numbers(pool, number_rng, &jac, &jac.values, jac.p * jac.q, b, numbers, real);
        break;
    case JC_DIAGONAL:
        fill_numbers(pool, number_rng, &jac, &jac.values, jac.p, b, numbers, real);
        break;
    case JC_CSR:
        fill_csr(pool, rng, number_rng, &jac, b, numbers, real);
        break;
    case JC_LOW_RANK:
        fill_numbers(pool, number_rng, &jac, &jac.u, jac.p * jac.m, b, numbers, real);
        fill_numbers(pool, number_rng, &jac, &jac.v, jac.q * jac.m, b && jt_below(rng, 2), numbers,
                     shape->mixed ? jt_float_type(jt_below(rng, 4)) : real);
        break;
    case JC_SELECT:
        fill_indices(pool, rng, &jac, &jac.indices, jac.p, b, jac.q);
        break;
    case JC_WEIGHT:
        fill_numbers(pool, number_rng, &jac, &jac.x, jac.m * (jac.q / (jac.p / jac.m)), false, numbers, real);
        break;
    case JC_TRACE:
        fill_numbers(pool, number_rng, &jac, &jac.values, jac.p * (jac.q / (jac.p / jac.m)), b, numbers, real);
        break;
    case JC_OPERATOR:
        fill_numbers(pool, number_rng, &jac, &jac.values, jac.p * jac.q, false, numbers, real);
        break;
    default:
        break;
    }
    return jac;
}

/* ---- the dense matrix -------------------------------------------------------------------------------------------- */

int64_t jt_jacobian_rows(const jt_jacobian *jac)
{
    return jac->batch * jac->inner * (jac->transpose ? jac->q : jac->p);
}

int64_t jt_jacobian_cols(const jt_jacobian *jac)
{
    return jac->batch * jac->inner * (jac->transpose ? jac->p : jac->q);
}

/* Numbers of a field for a member and a block of the batch. */
static const double *numbers_at(const jt_jacobian *jac, const jt_field *field, int64_t member, int64_t block)
{
    int64_t per_member = field->batched ? jac->batch : 1;
    return field->number + (member * per_member + (field->batched ? block : 0)) * field->block;
}

static const int64_t *indices_at(const jt_jacobian *jac, const jt_field *field, int64_t member, int64_t block)
{
    int64_t per_member = field->batched ? jac->batch : 1;
    return field->index + (member * per_member + (field->batched ? block : 0)) * field->block;
}

static double sign_free(double x, bool absolute)
{
    return absolute ? fabs(x) : x;
}

static void block_csr(const jt_jacobian *jac, int64_t member, int64_t b, bool absolute, double *D)
{
    const int64_t *indptr = indices_at(jac, &jac->indptr, member, b),
                  *indices = indices_at(jac, &jac->indices, member, b);
    const double *values = numbers_at(jac, &jac->values, member, b);
    for (int64_t i = 0; i < jac->p; i++)
        for (int64_t e = indptr[i]; e < indptr[i + 1]; e++) D[i * jac->q + indices[e]] = sign_free(values[e], absolute);
}

static void block_low_rank(const jt_jacobian *jac, int64_t member, int64_t b, bool absolute, double *D)
{
    const double *u = numbers_at(jac, &jac->u, member, b), *v = numbers_at(jac, &jac->v, member, b);
    for (int64_t i = 0; i < jac->p; i++)
        for (int64_t j = 0; j < jac->q; j++) {
            long double sum = 0;
            for (int64_t r = 0; r < jac->m; r++)
                sum += (long double)sign_free(u[i * jac->m + r], absolute) * sign_free(v[j * jac->m + r], absolute);
            D[i * jac->q + j] = (double)sum;
        }
}

/* Row (a, i), column (i', j) of Y = X W^T's Jacobian: delta(i, i') x[a, j]. */
static void block_weight(const jt_jacobian *jac, int64_t member, int64_t b, bool absolute, double *D)
{
    const double *x = numbers_at(jac, &jac->x, member, b);
    int64_t h = jac->p / jac->m, w = jac->q / h;
    for (int64_t a = 0; a < jac->m; a++)
        for (int64_t i = 0; i < h; i++)
            for (int64_t j = 0; j < w; j++) D[(a * h + i) * jac->q + i * w + j] = sign_free(x[a * w + j], absolute);
}

/* Row (a, i), column (i', j) of a trace: delta(i, i') values[(a, i), j]. */
static void block_trace(const jt_jacobian *jac, int64_t member, int64_t b, bool absolute, double *D)
{
    const double *values = numbers_at(jac, &jac->values, member, b);
    int64_t h = jac->p / jac->m, w = jac->q / h;
    for (int64_t a = 0; a < jac->m; a++)
        for (int64_t i = 0; i < h; i++)
            for (int64_t j = 0; j < w; j++)
                D[(a * h + i) * jac->q + i * w + j] = sign_free(values[(a * h + i) * w + j], absolute);
}

/* D of one block, p x q, zeroed before. */
static void block_dense(const jt_jacobian *jac, int64_t member, int64_t b, bool absolute, double *D)
{
    double scale = sign_free(jac->scales[member], absolute);
    int64_t p = jac->p, q = jac->q;
    switch (jac->kind) {
    case JC_DENSE:
    case JC_OPERATOR:
        for (int64_t i = 0; i < p * q; i++) D[i] = sign_free(numbers_at(jac, &jac->values, member, b)[i], absolute);
        break;
    case JC_DIAGONAL:
        for (int64_t i = 0; i < p; i++) D[i * q + i] = sign_free(numbers_at(jac, &jac->values, member, b)[i], absolute);
        break;
    case JC_IDENTITY:
        for (int64_t i = 0; i < p; i++) D[i * q + i] = scale;
        break;
    case JC_CSR:
        block_csr(jac, member, b, absolute, D);
        break;
    case JC_LOW_RANK:
        block_low_rank(jac, member, b, absolute, D);
        break;
    case JC_SELECT:
        for (int64_t i = 0; i < p; i++) D[i * q + indices_at(jac, &jac->indices, member, b)[i]] = scale;
        break;
    case JC_WEIGHT:
        block_weight(jac, member, b, absolute, D);
        break;
    case JC_TRACE:
        block_trace(jac, member, b, absolute, D);
        break;
    case JC_TILE:
        for (int64_t i = 0; i < p; i++) D[i * q + i % q] = scale;
        break;
    default:
        abort();
    }
}

double *jt_jacobian_dense(jt_pool *pool, const jt_jacobian *jac, int64_t member, bool absolute)
{
    int64_t rows = jt_jacobian_rows(jac), cols = jt_jacobian_cols(jac), p = jac->p, q = jac->q, r = jac->inner;
    double *M = jt_alloc(pool, rows * cols, sizeof(double)), *D = malloc((size_t)(p * q) * sizeof(double));
    if (!D) abort();
    for (int64_t b = 0; b < jac->batch; b++) {
        memset(D, 0, (size_t)(p * q) * sizeof(double));
        block_dense(jac, member, b, absolute, D);
        for (int64_t i = 0; i < p; i++)
            for (int64_t j = 0; j < q; j++)
                for (int64_t t = 0; t < r && D[i * q + j] != 0; t++) {
                    int64_t row = (b * p + i) * r + t, col = (b * q + j) * r + t;
                    M[jac->transpose ? col * cols + row : row * cols + col] = D[i * q + j];
                }
    }
    free(D);
    return M;
}

jt_field *jt_jacobian_numbers(jt_jacobian *jac)
{
    jt_field *fields[] = {&jac->values, &jac->u, &jac->x};
    for (int i = 0; i < 3; i++)
        if (fields[i]->number) return fields[i];
    return NULL;
}

/* The same Jacobian with ones for numbers. */
double *jt_jacobian_structure(jt_pool *pool, const jt_jacobian *jac, int64_t member)
{
    jt_jacobian ones = *jac;
    jt_field *fields[] = {&ones.values, &ones.u, &ones.v, &ones.x};
    for (int i = 0; i < 4; i++) {
        if (!fields[i]->number) continue;
        int64_t n = field_blocks(jac, fields[i]) * fields[i]->block;
        fields[i]->number = jt_alloc(pool, n, sizeof(double));
        for (int64_t k = 0; k < n; k++) fields[i]->number[k] = 1;
    }
    ones.scales = jt_alloc(pool, jac->members, sizeof(double));
    for (int64_t e = 0; e < jac->members; e++) ones.scales[e] = 1;
    double *structure = jt_jacobian_dense(pool, &ones, member, false);
    for (int64_t i = 0; i < jt_jacobian_rows(jac) * jt_jacobian_cols(jac); i++) structure[i] = structure[i] != 0;
    return structure;
}

int64_t jt_jacobian_terms(const jt_jacobian *jac)
{
    return jac->p + jac->q + (jac->kind == JC_LOW_RANK ? jac->m : 0);
}

/* The two directions of an operator cost differently. */
static int64_t operator_cost(const jt_jacobian *jac, jc_direction direction)
{
    return direction == JC_TANGENT ? 2 * jac->p * jac->q + 1 : 5 * jac->p * jac->q + 3;
}

int64_t jt_jacobian_cost(const jt_jacobian *jac, int64_t member, jc_direction direction)
{
    int64_t p = jac->p, q = jac->q, blocks = jac->batch * jac->inner;
    if (jac->transpose) direction = direction == JC_TANGENT ? JC_ADJOINT : JC_TANGENT;
    switch (jac->kind) {
    case JC_DENSE:
        return blocks * p * q;
    case JC_DIAGONAL:
        return blocks * p;
    case JC_CSR:
        return blocks * jac->m;
    case JC_LOW_RANK:
        return blocks * jac->m * (p + q);
    case JC_WEIGHT:
    case JC_TRACE:
        return blocks * p * (q / (p / jac->m));
    case JC_OPERATOR:
        return operator_cost(jac, direction);
    default:
        return jac->scales[member] == 1.0 ? 0 : blocks * p;
    }
}

/* ---- the public form --------------------------------------------------------------------------------------------- */

static void *room(jt_pool *pool, const jt_jacobian *jac, int64_t bytes)
{
    return (unsigned char *)jt_alloc(pool, bytes + 16, 1) + jac->misalign;
}

static jc_array array_of(const jt_jacobian *jac, const jt_field *field, bool group, jc_dtype dtype, const void *data,
                         const int64_t *dims, int rank)
{
    jc_array a = {.dtype = dtype, .data = data};
    if (group) a.dims[a.rank++] = jac->members;
    if (field->batched) a.dims[a.rank++] = jac->batch;
    for (int i = 0; i < rank; i++) a.dims[a.rank++] = dims[i];
    return a;
}

static jc_array number_array(jt_pool *pool, const jt_jacobian *jac, const jt_field *field, bool group, int64_t d0,
                             int64_t d1, int rank)
{
    int64_t n = field_blocks(jac, field) * field->block, dims[2] = {d0, d1};
    unsigned char *data = room(pool, jac, n * 8);
    for (int64_t i = 0; i < n; i++) jt_float_put(data, i, field->dtype, field->number[i]);
    return array_of(jac, field, group, field->dtype, data, dims, rank);
}

static jc_array index_array(jt_pool *pool, const jt_jacobian *jac, const jt_field *field, bool group, int64_t d0)
{
    int64_t n = field_blocks(jac, field) * field->block;
    unsigned char *data = room(pool, jac, n * 8);
    for (int64_t i = 0; i < n; i++) {
        int32_t narrow = (int32_t)field->index[i];
        if (jac->integer == JC_I32)
            memcpy(data + 4 * i, &narrow, 4);
        else
            memcpy(data + 8 * i, &field->index[i], 8);
    }
    return array_of(jac, field, group, jac->integer, data, &d0, 1);
}

/* y_j = (accumulate ? y_j : 0) + D x_j or D^T x_j with the dense D of `user`. */
static int apply_dense(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx,
                       void *y, int64_t ldy, int accumulate)
{
    const jt_jacobian *jac = user;
    const double *D = jac->values.number;
    int64_t n_in = direction == JC_TANGENT ? jac->q : jac->p, n_out = direction == JC_TANGENT ? jac->p : jac->q;
    for (int64_t j = 0; j < k; j++)
        for (int64_t o = 0; o < n_out; o++) {
            double sum = 0;
            for (int64_t i = 0; i < n_in; i++) {
                double d = direction == JC_TANGENT ? D[o * jac->q + i] : D[i * jac->q + o];
                sum +=
                    d * (dtype == JC_F32 ? (double)((const float *)x)[j * ldx + i] : ((const double *)x)[j * ldx + i]);
            }
            if (dtype == JC_F32) {
                float *f = (float *)y + j * ldy + o;
                *f = (accumulate ? *f : 0) + (float)sum;
            } else {
                double *f = (double *)y + j * ldy + o;
                *f = (accumulate ? *f : 0) + sum;
            }
        }
    return 0;
}

jc_jacobian jt_jacobian_public(jt_pool *pool, const jt_jacobian *jac, bool group)
{
    jc_jacobian out = JC_JACOBIAN_INIT(jac->kind);
    out.transpose = jac->transpose;
    if (jac->kind != JC_OPERATOR) out.batch = jac->batch, out.inner = jac->inner;
    if (has_scale(jac->kind) && group) out.scales = jac->scales;
    if (has_scale(jac->kind) && !group) out.scale = jac->scales[0];
    switch (jac->kind) {
    case JC_DENSE:
        out.values = number_array(pool, jac, &jac->values, group, jac->p, jac->q, 2);
        break;
    case JC_DIAGONAL:
        out.values = number_array(pool, jac, &jac->values, group, jac->p, 0, 1);
        break;
    case JC_CSR:
        out.indptr = index_array(pool, jac, &jac->indptr, group, jac->p + 1);
        out.indices = index_array(pool, jac, &jac->indices, group, jac->m);
        out.values = number_array(pool, jac, &jac->values, group, jac->m, 0, 1);
        break;
    case JC_LOW_RANK:
        out.u = number_array(pool, jac, &jac->u, group, jac->p, jac->m, 2);
        out.v = number_array(pool, jac, &jac->v, group, jac->q, jac->m, 2);
        break;
    case JC_SELECT:
        out.indices = index_array(pool, jac, &jac->indices, group, jac->p);
        break;
    case JC_WEIGHT: {
        int64_t h = jac->p / jac->m;
        out.x = number_array(pool, jac, &jac->x, group, jac->m, jac->q / h, 2);
        break;
    }
    case JC_TRACE:
        out.values = number_array(pool, jac, &jac->values, group, jac->p, jac->q / (jac->p / jac->m), 2);
        break;
    case JC_OPERATOR: {
        jt_jacobian *copy = jt_alloc(pool, 1, sizeof *copy);
        *copy = *jac;
        out.op = (jc_operator){apply_dense, copy, operator_cost(jac, JC_TANGENT), operator_cost(jac, JC_ADJOINT), 1};
        break;
    }
    default:
        break;
    }
    return out;
}
