/* Per-sample totals: only the B diagonal blocks of dT/dS are wanted. They are what remains of the sum over the samples
 * when every Jacobian on the way is block diagonal in B equal blocks:
 *   sum_a [dT/dS]_(a,b) = [dT/dS]_(b,b)     where [D]_(a,b) = 0 for a != b on every edge.
 * Whether an edge is so is decided by its structure, never by its numbers. */
#include "core/dtype.h"
#include "core/error.h"
#include "plan/subgraph.h"

/* I_batch (x) D: whole blocks of the batch make a sample. */
static bool batch_of_samples(const jc_jac *jac, int64_t B)
{
    return jac->group->shape.batch % B == 0;
}

static bool is_elementwise(const jc_jac *jac, int64_t B)
{
    (void)jac, (void)B;
    return true;
}

static bool never(const jc_jac *jac, int64_t B)
{
    (void)jac, (void)B;
    return false;
}

/* Row (b, i, r) of I_batch (x) D (x) I_inner has its entry at column (b, j, r); both must be of the same sample. */
static bool same_sample(const jc_shape *s, int64_t block, int64_t i, int64_t j, int64_t B)
{
    int64_t p_sample = s->batch * s->p * s->inner / B, q_sample = s->batch * s->q * s->inner / B;
    int64_t row = (block * s->p + i) * s->inner, col = (block * s->q + j) * s->inner;
    return row / p_sample == col / q_sample && (row + s->inner - 1) / p_sample == (col + s->inner - 1) / q_sample;
}

/* The rows i of the blocks that share one pattern are looked at once a block. */
static bool select_keeps_samples(const jc_jac *jac, int64_t B)
{
    const jc_shape *s = &jac->group->shape;
    if (batch_of_samples(jac, B)) return true;
    if (!jac->data[0] || s->inner > 1) return false;
    for (int64_t b = 0; b < s->batch; b++)
        for (int64_t i = 0; i < s->p; i++) {
            int64_t at = jac->group->field[0].batched ? b * s->p + i : i;
            if (!same_sample(s, b, i, jc_load_index(jac->dtype[0], jac->data[0], at), B)) return false;
        }
    return true;
}

static bool csr_keeps_samples(const jc_jac *jac, int64_t B)
{
    const jc_shape *s = &jac->group->shape;
    if (batch_of_samples(jac, B)) return true;
    if (!jac->data[0] || s->inner > 1) return false;
    for (int64_t b = 0; b < s->batch; b++)
        for (int64_t i = 0; i < s->p; i++) {
            int64_t end = jc_load_index(jac->dtype[0], jac->data[0], i + 1);
            for (int64_t t = jc_load_index(jac->dtype[0], jac->data[0], i); t < end; t++)
                if (!same_sample(s, b, i, jc_load_index(jac->dtype[1], jac->data[1], t), B)) return false;
        }
    return true;
}

/* One row for each kind. */
static bool (*const keeps_samples[JC_KIND_COUNT])(const jc_jac *jac, int64_t B) = {
    [JC_DENSE] = batch_of_samples,  [JC_DIAGONAL] = is_elementwise,   [JC_IDENTITY] = is_elementwise,
    [JC_CSR] = csr_keeps_samples,   [JC_LOW_RANK] = batch_of_samples, [JC_SELECT] = select_keeps_samples,
    [JC_WEIGHT] = batch_of_samples, [JC_TILE] = batch_of_samples,     [JC_OPERATOR] = never,
};

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
        jc_jac jac = jc_group_member(group, e - group->first_edge, NULL);
        if (!keeps_samples[group->shape.kind](&jac, B)) return refuse(graph, e, B, "couples");
    }
    return JC_OK;
}
