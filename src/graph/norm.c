#include "graph/norm.h"

#include <float.h>
#include <math.h>

#include "core/dtype.h"

/* The norm of a matrix that stands `copies` times on a block diagonal: sqrt(copies) times its own. */
static double repeated(double norm, double copies)
{
    return norm * sqrt(copies);
}

/* The largest |x_i|, or the first that is not finite. */
static double largest(jc_dtype dtype, const unsigned char *x, int64_t n)
{
    double most = 0;
    for (int64_t i = 0; i < n; i++) {
        double a = fabs(jc_load_float(dtype, x, i));
        if (!(a <= DBL_MAX)) return a;
        if (a > most) most = a;
    }
    return most;
}

/* ||x||_2 = m sqrt(sum_i (x_i / m)^2), m the largest |x_i|. */
static double field_norm(const jc_jac *jac, int field)
{
    int64_t n = jac->group->field[field].elements;
    jc_dtype dtype = jac->dtype[field];
    double m = largest(dtype, jac->data[field], n), sum = 0;
    if (m == 0 || !isfinite(m)) return m;
    for (int64_t i = 0; i < n; i++) {
        double a = jc_load_float(dtype, jac->data[field], i) / m;
        sum += a * a;
    }
    return m * sqrt(sum);
}

/* How often the numbers of a field stand in the Jacobian: inner times, and in every block where blocks share them. */
static double copies_of(const jc_group *group, int field)
{
    return (double)group->shape.inner * (double)(group->field[field].batched ? 1 : group->shape.batch);
}

/* dense, diagonal, trace: every entry of D is a number of the last field, every number stands once. */
static double values_norm(const jc_jac *jac)
{
    return repeated(field_norm(jac, 0), copies_of(jac->group, 0));
}

static double csr_norm(const jc_jac *jac)
{
    int values = jc_kind_field(JC_CSR, "values");
    return repeated(field_norm(jac, values), copies_of(jac->group, values));
}

/* identity, select, tile: each of the p rows of D has one entry, s. */
static double scale_norm(const jc_jac *jac)
{
    const jc_shape *s = &jac->group->shape;
    return repeated(fabs(jac->scale), (double)s->p * (double)s->batch * (double)s->inner);
}

/* weight: every x[a,j] stands in h = p/c rows. */
static double weight_norm(const jc_jac *jac)
{
    const jc_shape *s = &jac->group->shape;
    return repeated(field_norm(jac, 0), copies_of(jac->group, 0) * (double)(s->p / s->m));
}

/* One factor of a low_rank block: n x rho numbers, divided by the largest of all. */
typedef struct factor {
    jc_dtype dtype;
    const unsigned char *data;
    int64_t rows, rho;
    double most;
} factor;

static factor factor_block(const jc_jac *jac, int field, int64_t rows, int64_t block)
{
    const jc_field *f = &jac->group->field[field];
    factor x = {jac->dtype[field], jac->data[field], rows, jac->group->shape.m, 0};
    if (f->batched) x.data += block * rows * x.rho * jc_dtype_bytes(x.dtype);
    x.most = largest(x.dtype, x.data, rows * x.rho);
    return x;
}

/* (X^T X)_ab of the scaled factor. */
static double gram(const factor *x, int64_t a, int64_t b)
{
    double sum = 0;
    for (int64_t i = 0; i < x->rows; i++)
        sum += jc_load_float(x->dtype, x->data, i * x->rho + a) / x->most *
               (jc_load_float(x->dtype, x->data, i * x->rho + b) / x->most);
    return sum;
}

/* ||U V^T||_F^2 = sum_ab (U^T U)_ab (V^T V)_ab. */
static double product_norm(const factor *u, const factor *v)
{
    double most = u->most * v->most, sum = 0;
    if (u->most == 0 || v->most == 0 || !isfinite(most)) return most;
    for (int64_t a = 0; a < u->rho; a++)
        for (int64_t b = 0; b < u->rho; b++) sum += gram(u, a, b) * gram(v, a, b);
    return most * sqrt(fmax(sum, 0));
}

static double low_rank_norm(const jc_jac *jac)
{
    const jc_group *g = jac->group;
    bool own = g->field[0].batched || g->field[1].batched;
    double norm = 0;
    for (int64_t b = 0; b < (own ? g->shape.batch : 1); b++) {
        factor u = factor_block(jac, 0, g->shape.p, b), v = factor_block(jac, 1, g->shape.q, b);
        norm = hypot(norm, product_norm(&u, &v));
    }
    return repeated(norm, (double)g->shape.inner * (double)(own ? 1 : g->shape.batch));
}

/* A row per kind; NULL: its entries are not known. */
static double (*const norms[JC_KIND_COUNT])(const jc_jac *jac) = {
    [JC_DENSE] = values_norm,  [JC_DIAGONAL] = values_norm,   [JC_IDENTITY] = scale_norm,
    [JC_CSR] = csr_norm,       [JC_LOW_RANK] = low_rank_norm, [JC_SELECT] = scale_norm,
    [JC_WEIGHT] = weight_norm, [JC_TILE] = scale_norm,        [JC_TRACE] = values_norm,
};

bool jc_graph_edge_norm(const jc_graph *graph, int64_t edge, double *norm)
{
    const jc_group *group = jc_graph_group(graph, edge);
    const jc_kind_info *info = &jc_kinds[group->shape.kind];
    if (!norms[group->shape.kind] || jc_group_only_structure(group)) return false;
    for (int f = 0; f < info->n_fields; f++) {
        const jc_field *field = &group->field[f];
        if (field->on_device || (!field->data && field->elements)) return false;
    }
    jc_jac jac = jc_group_member(group, edge - group->first_edge, NULL);
    *norm = norms[group->shape.kind](&jac);
    return true;
}
