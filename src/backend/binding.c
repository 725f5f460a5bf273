/* Where the numbers of a step's Jacobian are: in the graph, bound to a run in place of the graph's, or in its arena. */
#include "backend/backend.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "plan/arena.h"

const jc_group *jc_program_jacobian(const jc_program *program, int64_t b, int64_t *number, int64_t *member)
{
    const jc_plan *plan = program->plan;
    int64_t value = jc_plan_value_of_b(plan, b);
    const jc_group *group = jc_plan_jacobian(plan, b, member);
    if (value >= 0) *member = program->layout.offset[value] / JC_ARENA_UNIT;
    *number = jc_plan_group_number(plan, b);
    return group;
}

/* Whether field f of a group has numbers, not indices. */
static bool is_numbers(const jc_group *group, int f)
{
    const jc_kind_info *kind = &jc_kinds[group->shape.kind];
    return f < kind->n_fields && !kind->field[f].is_index;
}

/* The field of the graph that field f of a group stands for, or NULL: it has its own. */
static const jc_field *field_of_graph(const jc_plan *plan, int64_t number, int f)
{
    const jc_made *made = jc_plan_made(plan, number);
    if (!made || made->of_group < 0 || !is_numbers(&made->group, f)) return NULL;
    return &jc_plan_group(plan, made->of_group)->field[made->of_field];
}

jc_dtype jc_program_field_dtype(const jc_program *program, int64_t number, int f)
{
    const jc_field *field = &jc_plan_group(program->plan, number)->field[f];
    const jc_field *of_graph = field_of_graph(program->plan, number, f);
    if (field->in_arena) return program->dtype;
    return of_graph ? of_graph->dtype : field->dtype;
}

int64_t jc_program_member_bytes(const jc_program *program, int64_t number)
{
    const jc_group *group = jc_plan_group(program->plan, number);
    int64_t bytes = 0;
    if (!jc_plan_made(program->plan, number)) return jc_group_member_bytes(group);
    for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++) {
        int64_t each = jc_dtype_bytes(jc_program_field_dtype(program, number, f));
        bytes = jc_cost_add(bytes, jc_cost_mul(group->field[f].elements, each));
    }
    return bytes;
}

/* Where the numbers of a group are bound, or NULL: where the graph has them. */
static const jc_binding *binding_of(const jc_run *run, int64_t number)
{
    const jc_plan *plan = run->program->plan;
    bool seed = number == -1 && plan->seed != JC_SEED_NONE && plan->subgraph.n_extra > 0;
    if (number < 0) return seed ? &run->seed : NULL;
    return run->bindings ? &run->bindings[number] : NULL;
}

/* A member of a group of the graph, or of an extra Jacobian. */
static jc_jac bound_member(const jc_run *run, int64_t number, int64_t member)
{
    const jc_group *group = jc_plan_group(run->program->plan, number);
    const jc_binding *bound = binding_of(run, number);
    if (!bound) return jc_group_member(group, member, NULL);
    const unsigned char *bases[JC_MAX_FIELDS];
    for (int f = 0; f < JC_MAX_FIELDS; f++) bases[f] = bound->data[f] ? bound->data[f] : group->field[f].data;
    jc_jac jac = jc_group_member(group, member, bases);
    if (number < 0) jac.dtype[0] = bound->dtype[0];
    return jac;
}

static jc_jac made_member(const jc_run *run, const jc_made *made, int64_t member)
{
    const jc_group *group = &made->group;
    jc_jac jac = jc_group_member(group, member, NULL), of = {.group = NULL};
    if (made->of_group >= 0) of = bound_member(run, made->of_group, member);
    for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++) {
        if (group->field[f].in_arena) {
            jac.data[f] = run->arena ? run->arena + member * JC_ARENA_UNIT : NULL;
            jac.dtype[f] = run->program->dtype;
        } else if (of.group && is_numbers(group, f)) {
            jac.data[f] = of.data[made->of_field];
            jac.dtype[f] = of.dtype[made->of_field];
        }
    }
    return jac;
}

jc_jac jc_run_member(const jc_run *run, int64_t number, int64_t member)
{
    const jc_made *made = jc_plan_made(run->program->plan, number);
    return made ? made_member(run, made, member) : bound_member(run, number, member);
}

jc_jac jc_run_jacobian(const jc_run *run, int64_t b)
{
    int64_t number, member;
    jc_program_jacobian(run->program, b, &number, &member);
    return jc_run_member(run, number, member);
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
