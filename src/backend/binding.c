/* Numbers bound to a run in place of the graph's. */
#include "backend/backend.h"
#include "core/dtype.h"
#include "core/error.h"

/* Where a Jacobian's numbers are bound, or NULL: where the graph has them. */
static const jc_binding *binding_of(const jc_run *run, int64_t b)
{
    const jc_plan *plan = run->program->plan;
    if (b < 0) return plan->seed != JC_SEED_NONE && b == -1 ? &run->seed : NULL;
    return run->bindings ? &run->bindings[jc_graph_group_number(plan->graph, b)] : NULL;
}

jc_jac jc_run_jacobian(const jc_run *run, int64_t b)
{
    int64_t member;
    const jc_group *group = jc_plan_jacobian(run->program->plan, b, &member);
    const jc_binding *bound = binding_of(run, b);
    if (!bound) return jc_group_member(group, member, NULL);
    const unsigned char *bases[JC_MAX_FIELDS];
    for (int f = 0; f < JC_MAX_FIELDS; f++) bases[f] = bound->data[f] ? bound->data[f] : group->field[f].data;
    jc_jac jac = jc_group_member(group, member, bases);
    if (b < 0) jac.dtype[0] = bound->dtype[0];
    return jac;
}

/* Whether field f of an edge can be bound to `data`; the message names the edge. */
static jc_status check_field(const jc_graph *g, int64_t edge, int f, const char *field, jc_dtype dtype,
                             const void *data)
{
    char text[200];
    const jc_group *group = jc_graph_group(g, edge);
    jc_graph_edge_text(g, jc_graph_of(g, edge), jc_graph_wrt(g, edge), text, sizeof text);
    if (f < 0 || jc_kinds[group->shape.kind].field[f].is_index)
        return jc_fail(JC_E_USAGE, "edge %s: a %s Jacobian has no numbers `%s` to bind", text,
                       jc_kind_name(group->shape.kind), field);
    if (group->field[f].on_device)
        return jc_fail(JC_E_USAGE, "edge %s has its numbers in device memory: they are bound by jc_cuda_bind_jacobian",
                       text);
    if (!group->field[f].data)
        return jc_fail(JC_E_USAGE, "edge %s: only an edge that was given with its numbers can be bound to others",
                       text);
    if (dtype != group->field[f].dtype || !data)
        return jc_fail(JC_E_USAGE, "edge %s: %s is bound to %s, the graph has %s", text, field,
                       data ? jc_dtype_name(dtype) : "nothing", jc_dtype_name(group->field[f].dtype));
    return JC_OK;
}

/* A backend with memory of its own copies the numbers now. */
static jc_status tell_backend(jc_run *run, int64_t group, int field)
{
    const jc_backend *backend = run->program->backend;
    return backend->bound ? backend->bound(run, group, field) : JC_OK;
}

jc_status jc_run_bind_jacobian(jc_run *run, int64_t edge, const char *field, jc_dtype dtype, const void *data)
{
    const jc_graph *g = run->program->plan->graph;
    if (edge < 0 || edge >= g->n_edges) return jc_fail(JC_E_USAGE, "there is no edge number %lld", (long long)edge);
    int f = jc_kind_field(jc_graph_group(g, edge)->shape.kind, field);
    jc_status status = check_field(g, edge, f, field, dtype, data);
    if (!status && !run->bindings)
        status =
            jc_alloc_zero(&run->program->allocator, g->groups.count, sizeof *run->bindings, "bindings", &run->bindings);
    if (status) return status;
    jc_graph_part part = jc_graph_first_part(g, edge);
    for (; jc_graph_has_part(g, &part) && !status; jc_graph_next_part(g, f, &part)) {
        run->bindings[part.group].data[f] = (const unsigned char *)data + part.elements * jc_dtype_bytes(dtype);
        run->bindings[part.group].dtype[f] = dtype;
        status = tell_backend(run, part.group, f);
    }
    return status;
}

jc_status jc_run_bind_seed(jc_run *run, jc_dtype dtype, const void *data)
{
    if (run->program->plan->seed == JC_SEED_NONE) return jc_fail(JC_E_USAGE, "the query has no seed to bind");
    if ((unsigned)dtype > JC_I32 || !jc_dtype_is_float(dtype))
        return jc_fail(JC_E_USAGE, "a seed is F64, F32, BF16 or F16");
    if (!data) return jc_fail(JC_E_USAGE, "the seed has no data");
    run->seed.data[0] = data;
    run->seed.dtype[0] = dtype;
    return tell_backend(run, -1, 0);
}
