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

jc_status jc_plan_non_finite(const jc_plan *plan, jc_vec *edges)
{
    for (int64_t i = 0; i < plan->subgraph.n_edges; i++) {
        int64_t e = plan->subgraph.jacobian[i];
        if (e < 0) continue;
        const jc_group *group = jc_graph_group(plan->graph, e);
        if (!member_non_finite(group, e - group->first_edge)) continue;
        jc_status status = jc_vec_append(&plan->allocator, edges, &e, 1, "edges whose numbers are not finite");
        if (status) return status;
    }
    return JC_OK;
}
