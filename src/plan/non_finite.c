/* Which inputs have NaN or Inf. */
#include <math.h>

#include "core/dtype.h"
#include "plan/plan.h"

static bool has_non_finite(jc_dtype dtype, const unsigned char *data, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(jc_load_float(dtype, data, i))) return true;
    return false;
}

static bool member_non_finite(const jc_group *group, int64_t member)
{
    const jc_kind_info *kind = &jc_kinds[group->shape.kind];
    if (!isfinite(group->scales ? group->scales[member] : group->scale)) return true;
    for (int f = 0; f < kind->n_fields; f++) {
        const jc_field *field = &group->field[f];
        if (!field->data || kind->field[f].is_index) continue;
        if (field->on_device) continue;
        if (has_non_finite(field->dtype, field->data + member * field->stride, field->elements)) return true;
    }
    return false;
}

/* Looks at the edges whose bit is not set in `seen`, and sets it: copies of an edge share its numbers. */
static jc_status find(const jc_plan *plan, uint64_t *seen, jc_vec *edges)
{
    for (int64_t i = 0; i < plan->subgraph.n_edges; i++) {
        int64_t e = jc_plan_edge_of_b(plan, plan->subgraph.jacobian[i]);
        if (e < 0 || (seen[e / 64] >> (e % 64) & 1)) continue;
        seen[e / 64] |= UINT64_C(1) << (e % 64);
        const jc_group *group = jc_graph_group(plan->graph, e);
        if (!member_non_finite(group, e - group->first_edge)) continue;
        jc_status status = jc_vec_append(&plan->allocator, edges, &e, 1, "edges whose numbers are not finite");
        if (status) return status;
    }
    return JC_OK;
}

jc_status jc_plan_non_finite(const jc_plan *plan, jc_vec *edges)
{
    uint64_t *seen;
    int64_t n_words = plan->graph->n_edges / 64 + 1;
    jc_status status = jc_alloc_zero(&plan->allocator, n_words, sizeof *seen, "marks of the edges", &seen);
    if (status) return status;
    status = find(plan, seen, edges);
    jc_free(&plan->allocator, seen, n_words, sizeof *seen);
    return status;
}
