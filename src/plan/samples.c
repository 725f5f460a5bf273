/* Per-sample totals: only the B diagonal blocks of dT/dS are wanted. They are what remains of the sum over the samples
 * when every Jacobian on the way is block diagonal in B equal blocks:
 *   sum_a [dT/dS]_(a,b) = [dT/dS]_(b,b)     where [D]_(a,b) = 0 for a != b on every edge.
 * Whether an edge is so is decided by its structure, never by its numbers. */
#include "core/dtype.h"
#include "core/error.h"
#include "plan/subgraph.h"

/* A Jacobian I_batch (x) D (x) I_inner, not transposed, that is asked, and what belongs to one sample of it. */
typedef struct samples {
    const jc_jac *jac;
    const jc_shape *shape;
    int64_t rows, cols; /* of one sample */
} samples;

/* Whether row (b, i, r) and column (b, j, r) are of the same sample. */
static bool together(const samples *s, int64_t b, int64_t i, int64_t j, int64_t r)
{
    int64_t row = (b * s->shape->p + i) * s->shape->inner + r, col = (b * s->shape->q + j) * s->shape->inner + r;
    return row / s->rows == col / s->cols;
}

/* Rows i0 to i1 with columns j0 to j1: samples lie in order, so the ends decide. */
static bool all_together(const samples *s, int64_t b, int64_t i0, int64_t i1, int64_t j0, int64_t j1)
{
    for (int64_t r = 0; r < s->shape->inner; r++)
        if (!together(s, b, i0, j0, r) || !together(s, b, i0, j1, r) || !together(s, b, i1, j0, r)) return false;
    return true;
}

static bool full_keeps_samples(const samples *s)
{
    for (int64_t b = 0; b < s->shape->batch; b++)
        if (!all_together(s, b, 0, s->shape->p - 1, 0, s->shape->q - 1)) return false;
    return true;
}

static bool always(const samples *s)
{
    (void)s;
    return true;
}

static bool never(const samples *s)
{
    (void)s;
    return false;
}

static bool select_keeps_samples(const samples *s)
{
    const jc_jac *jac = s->jac;
    for (int64_t b = 0; b < s->shape->batch; b++)
        for (int64_t i = 0; i < s->shape->p; i++) {
            int64_t at = jac->group->field[0].batched ? b * s->shape->p + i : i;
            int64_t j = jc_load_index(jac->dtype[0], jac->data[0], at);
            if (!all_together(s, b, i, i, j, j)) return false;
        }
    return true;
}

static bool csr_keeps_samples(const samples *s)
{
    const jc_jac *jac = s->jac;
    for (int64_t b = 0; b < s->shape->batch; b++)
        for (int64_t i = 0; i < s->shape->p; i++) {
            int64_t end = jc_load_index(jac->dtype[0], jac->data[0], i + 1);
            for (int64_t t = jc_load_index(jac->dtype[0], jac->data[0], i); t < end; t++) {
                int64_t j = jc_load_index(jac->dtype[1], jac->data[1], t);
                if (!all_together(s, b, i, i, j, j)) return false;
            }
        }
    return true;
}

/* weight, trace: row (a, i) has the columns (i, 0) to (i, w - 1). */
static bool weight_keeps_samples(const samples *s)
{
    int64_t c = s->shape->m, h = s->shape->p / c, w = s->shape->q / h;
    for (int64_t b = 0; b < s->shape->batch; b++)
        for (int64_t i = 0; i < h; i++)
            if (!all_together(s, b, i, (c - 1) * h + i, i * w, i * w + w - 1)) return false;
    return true;
}

/* Row (a, j) has the column j. */
static bool tile_keeps_samples(const samples *s)
{
    for (int64_t b = 0; b < s->shape->batch; b++)
        for (int64_t j = 0; j < s->shape->q; j++)
            if (!all_together(s, b, j, s->shape->p - s->shape->q + j, j, j)) return false;
    return true;
}

/* One row for each kind. */
static bool (*const keeps_samples[JC_KIND_COUNT])(const samples *s) = {
    [JC_DENSE] = full_keeps_samples,
    [JC_DIAGONAL] = always,
    [JC_IDENTITY] = always,
    [JC_CSR] = csr_keeps_samples,
    [JC_LOW_RANK] = full_keeps_samples,
    [JC_SELECT] = select_keeps_samples,
    [JC_WEIGHT] = weight_keeps_samples,
    [JC_TILE] = tile_keeps_samples,
    [JC_TRACE] = weight_keeps_samples,
    [JC_OPERATOR] = never,
};

/* Whole blocks of the batch make a sample, or the kind's own structure keeps samples apart. Without its arrays a
 * Jacobian counts as full. */
static bool keeps_apart(const jc_group *group, int64_t member, int64_t B)
{
    const jc_shape *shape = &group->shape;
    if (shape->batch % B == 0) return true;
    int64_t blocks = shape->batch * shape->inner; /* both divide the sizes, so the product does not overflow */
    jc_jac jac = jc_group_member(group, member, NULL);
    samples s = {&jac, shape, shape->p * blocks / B, shape->q * blocks / B};
    bool full = jc_group_only_structure(group) && shape->kind != JC_DIAGONAL;
    return full ? full_keeps_samples(&s) : keeps_samples[shape->kind](&s);
}

static jc_status refuse(const jc_graph *g, int64_t e, int64_t B, const char *why)
{
    char text[200];
    return jc_fail(JC_E_USAGE, "per-sample totals do not apply: edge %s (%lld) %s %lld samples",
                   jc_graph_edge_text(g, jc_graph_of(g, e), jc_graph_wrt(g, e), text, sizeof text), (long long)e, why,
                   (long long)B);
}

jc_status jc_subgraph_check_samples(const jc_graph *graph, const jc_subgraph *s, int64_t B)
{
    for (int64_t i = 0; i < s->n_edges; i++) {
        int64_t e = s->jacobian[i];
        if (e < 0) continue;
        const jc_group *group = jc_graph_group(graph, e);
        if (group->shape.rows % B || group->shape.cols % B)
            return refuse(graph, e, B, "joins sizes that are not multiples of");
        if (!keeps_apart(group, e - group->first_edge, B)) return refuse(graph, e, B, "couples");
    }
    return JC_OK;
}
