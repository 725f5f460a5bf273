/* The functions of jacchain_cuda.h. */
#include "jacchain_cuda.h"

#include "backend/cuda/internal.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "plan/view.h"

/* ---- whose run it is --------------------------------------------------------------------------------------------- */

static jc_status check_backend(const jc_program *program, const char *call)
{
    if (jc_is_cuda(program->backend)) return JC_OK;
    return jc_fail(JC_E_USAGE, "%s: the backend is %s, not that of a device", call, program->backend->name);
}

/* Makes the run's device current; the call is ended by jc_cuda_end. */
static jc_status enter(const jc_run *run, const char *call, int *before)
{
    jc_status status = check_backend(run->program, call);
    return status ? status : jc_cuda_begin(run, before);
}

/* ---- making a run ------------------------------------------------------------------------------------------------ */

jc_status jc_cuda_workspace_bytes(const jc_program *program, int64_t *bytes)
{
    jc_status status = check_backend(program, "jc_cuda_workspace_bytes");
    if (!status) *bytes = program->peak_bytes;
    return status;
}

static jc_status check_options(const jc_cuda_run_options *o)
{
    if (o->struct_size < sizeof *o) return jc_fail(JC_E_USAGE, "jc_cuda_run_options: struct_size is not set");
    if (o->allocator && (!o->allocator->device_alloc || !o->allocator->device_free))
        return jc_fail(JC_E_USAGE, "jc_cuda_run_options: the allocator needs both functions");
    return JC_OK;
}

jc_status jc_cuda_run_create(const jc_program *program, const jc_cuda_run_options *options, jc_run **run)
{
    static const jc_cuda_run_options defaults = JC_CUDA_RUN_OPTIONS_INIT;
    const jc_cuda_run_options *o = options ? options : &defaults;
    jc_run *r;
    jc_status status = check_backend(program, "jc_cuda_run_create");
    if (!status) status = check_options(o);
    if (!status) status = jc_alloc_zero(&program->allocator, 1, sizeof *r, "a run", &r);
    if (status) return status;
    r->program = program;
    status = jc_cuda_open_with(r, o);
    if (status)
        jc_free(&program->allocator, r, 1, sizeof *r);
    else
        *run = r;
    return status;
}

/* ---- binding ----------------------------------------------------------------------------------------------------- */

static jc_status check_array(const jc_cuda_array *array, jc_dtype dtype, const char *call)
{
    if (!array || !array->d_data) return jc_fail(JC_E_USAGE, "%s: there is no device memory", call);
    if (array->dtype != dtype)
        return jc_fail(JC_E_USAGE, "%s: the numbers are %s, expected %s", call, jc_dtype_name(array->dtype),
                       jc_dtype_name(dtype));
    if ((uintptr_t)array->d_data % (uintptr_t)jc_dtype_bytes(dtype))
        return jc_fail(JC_E_USAGE, "%s: %p is not aligned to %lld bytes", call, array->d_data,
                       (long long)jc_dtype_bytes(dtype));
    if (array->ld < 0 || array->block_stride < 0 || array->member_stride < 0)
        return jc_fail(JC_E_USAGE, "%s: a stride is negative", call);
    return JC_OK;
}

/* Blocks of an operand's numbers, rows and columns of each. */
static void number_shape(const jc_cuda_operand *o, const jc_group *group, int64_t *blocks, int64_t *rows,
                         int64_t *columns)
{
    bool own_blocks = o->block_stride != 0 || (group->field[o->field].batched && o->batch > 1);
    *blocks = own_blocks ? o->batch : 1, *rows = 1, *columns = o->kind == JC_CSR ? o->m : o->p;
    if (o->line) {
        *blocks = o->blocks, *rows = o->lines, *columns = o->line;
    } else if (o->kind == JC_WEIGHT) {
        *rows = o->m, *columns = o->ld;
    } else if (o->kind == JC_DENSE || o->kind == JC_TRACE || o->kind == JC_LOW_RANK) {
        *rows = o->p, *columns = o->ld;
    }
}

/* Whether numbers that are rows may be apart: those of diagonal and csr ones may not, whatever stands for them. */
static bool has_rows(const jc_plan *plan, const jc_cuda_operand *o)
{
    int64_t group = o->group;
    int field;
    jc_cuda_operand_binding(plan, o, &group, &field);
    jc_kind kind = jc_plan_group(plan, group)->shape.kind;
    return kind != JC_DIAGONAL && kind != JC_CSR;
}

/* A row of numbers that is multiplied with is read as one. */
static jc_status check_row(const jc_cuda_operand *o, const jc_cuda_numbers *n)
{
    bool gaps = n->ld != o->line || (o->blocks > 1 && n->block_stride != o->lines * o->line);
    if (!o->line || !o->in_products || !gaps) return JC_OK;
    return jc_fail(JC_E_USAGE, "by this order of elimination the numbers of the edge are taken without gaps");
}

/* The strides of the caller's array, those without gaps where it has none. */
static jc_status numbers_of(const jc_plan *plan, const jc_cuda_operand *o, const jc_cuda_array *array,
                            jc_cuda_numbers *n)
{
    const jc_group *group = jc_cuda_operand_group(plan, o);
    int64_t blocks, rows, columns, ld = array->ld && has_rows(plan, o) ? array->ld : o->ld;
    number_shape(o, group, &blocks, &rows, &columns);
    int64_t block = has_rows(plan, o) ? jc_cost_mul(rows, ld) : columns;
    if (has_rows(plan, o) && ld < o->ld)
        return jc_fail(JC_E_USAGE, "a leading dimension of %lld is less than the %lld columns", (long long)ld,
                       (long long)o->ld);
    *n = (jc_cuda_numbers){array->d_data, ld, 0, 0, array->dtype};
    if (blocks > 1) n->block_stride = array->block_stride ? array->block_stride : block;
    if (group->n_edges > 1)
        n->member_stride =
            array->member_stride ? array->member_stride : jc_cost_mul(blocks > 1 ? n->block_stride : block, blocks);
    n->d_data = (unsigned char *)array->d_data + o->first_member * n->member_stride * jc_dtype_bytes(array->dtype);
    return check_row(o, n);
}

static jc_status bind_field(jc_run *run, int64_t group, int field, const jc_cuda_array *array, jc_cuda_rebind *what)
{
    jc_status status = JC_OK;
    int64_t count;
    const jc_plan *plan = run->program->plan;
    const jc_cuda_use *use = jc_cuda_operands_of(run->program, group, &count);
    for (int64_t i = 0; i < count && !status; i++) {
        const jc_cuda_operand *o = jc_cuda_operand_at(run->program->impl, use[i].operand);
        jc_cuda_numbers n;
        if (!jc_cuda_operand_follows(plan, o, group, field)) continue;
        status = numbers_of(plan, o, array, &n);
        if (!status) status = jc_cuda_set_numbers(run, use[i].operand, &n, what);
    }
    return status;
}

static jc_status check_edge(const jc_graph *g, int64_t edge, const char *call)
{
    if (edge >= 0 && edge < g->n_edges) return JC_OK;
    return jc_fail(JC_E_USAGE, "%s: there is no edge number %lld", call, (long long)edge);
}

static jc_status check_field(const jc_graph *g, int64_t edge, const char *field, const jc_cuda_array *array, int *f)
{
    static const char *const call = "jc_cuda_bind_jacobian";
    jc_status status = check_edge(g, edge, call);
    if (status) return status;
    const jc_group *group = jc_graph_group(g, edge);
    *f = jc_kind_field(group->shape.kind, field);
    if (*f < 0 || jc_kinds[group->shape.kind].field[*f].is_index || !group->has_numbers)
        return jc_fail(JC_E_USAGE, "%s: a %s Jacobian has no numbers `%s` to bind", call,
                       jc_kind_name(group->shape.kind), field);
    if (group->ragged >= 0 && array && (array->ld || array->block_stride || array->member_stride))
        return jc_fail(JC_E_USAGE, "%s: the numbers of edges of different shapes have no strides", call);
    return check_array(array, group->field[*f].dtype, call);
}

jc_status jc_cuda_bind_jacobian(jc_run *run, int64_t edge, const char *field, const jc_cuda_array *numbers,
                                jc_cuda_rebind *what)
{
    const jc_graph *g = run->program->plan->graph;
    jc_cuda_rebind asks = JC_CUDA_REBIND_NOTHING;
    int before, f = -1;
    jc_status status = check_field(g, edge, field, numbers, &f);
    if (!status) status = enter(run, "jc_cuda_bind_jacobian", &before);
    if (status) return status;
    jc_graph_part part = jc_graph_first_part(g, edge);
    for (; jc_graph_has_part(g, &part) && !status; jc_graph_next_part(g, f, &part)) {
        jc_cuda_array array = *numbers;
        array.d_data = (unsigned char *)numbers->d_data + part.elements * jc_dtype_bytes(numbers->dtype);
        status = bind_field(run, part.group, f, &array, &asks);
    }
    if (!status) status = jc_cuda_refresh(run, asks);
    if (!status && what) *what = asks;
    return jc_cuda_end(run, status, before);
}

jc_status jc_cuda_bind_seed(jc_run *run, const jc_cuda_array *seed, jc_cuda_rebind *what)
{
    static const char *const call = "jc_cuda_bind_seed";
    jc_cuda_rebind asks = JC_CUDA_REBIND_NOTHING;
    int before;
    if (run->program->plan->seed == JC_SEED_NONE) return jc_fail(JC_E_USAGE, "%s: the query has no seed", call);
    if (seed && ((unsigned)seed->dtype > JC_I32 || !jc_dtype_is_float(seed->dtype)))
        return jc_fail(JC_E_USAGE, "%s: a seed is F64, F32, BF16 or F16", call);
    jc_status status = check_array(seed, seed ? seed->dtype : JC_F64, call);
    if (!status) status = enter(run, call, &before);
    if (status) return status;
    status = bind_field(run, -1, 0, seed, &asks);
    if (!status) status = jc_cuda_refresh(run, asks);
    if (!status) run->seed.data[0] = seed->d_data, run->seed.dtype[0] = seed->dtype;
    if (!status && what) *what = asks;
    return jc_cuda_end(run, status, before);
}

static bool same_output(const jc_cuda_output *a, const jc_cuda_output *b)
{
    return a->d_data == b->d_data && a->block_stride == b->block_stride && a->row_stride == b->row_stride &&
           a->accumulate == b->accumulate;
}

jc_status jc_cuda_bind_output(jc_run *run, int64_t index, const jc_cuda_array *output, int accumulate,
                              jc_cuda_rebind *what)
{
    static const char *const call = "jc_cuda_bind_output";
    const jc_plan *plan = run->program->plan;
    int before;
    if (index < 0 || index >= plan->n_outputs)
        return jc_fail(JC_E_USAGE, "%s: there is no result number %lld", call, (long long)index);
    jc_result view = jc_output_view(plan, &plan->outputs[index], run->program->dtype);
    jc_cuda_output to = {.col_stride = 1, .accumulate = accumulate != 0};
    bool bound = output && output->d_data;
    jc_status status = bound ? check_array(output, run->program->dtype, call) : JC_OK;
    if (status) return status;
    to.d_data = bound ? output->d_data : NULL;
    to.row_stride = bound && output->ld ? output->ld : view.cols;
    to.block_stride = bound && output->block_stride ? output->block_stride : jc_cost_mul(view.rows, to.row_stride);
    if (to.row_stride < view.cols)
        return jc_fail(JC_E_USAGE, "%s: a leading dimension of %lld is less than the %lld columns", call,
                       (long long)to.row_stride, (long long)view.cols);
    if ((status = enter(run, call, &before))) return status;
    jc_cuda_run *r = run->impl;
    jc_cuda_rebind asks = same_output(&to, &r->outputs[index]) ? JC_CUDA_REBIND_NOTHING : JC_CUDA_REBIND_CAPTURE;
    r->outputs[index] = to;
    status = jc_cuda_refresh(run, asks);
    if (!status && what) *what = asks;
    return jc_cuda_end(run, status, before);
}

static jc_status set_operators(jc_run *run, int64_t edge, const jc_cuda_operator *op)
{
    const jc_cuda_program *impl = run->program->impl;
    const jc_graph *g = run->program->plan->graph;
    jc_cuda_run *r = run->impl;
    if (!r->operator) {
        jc_status status = jc_alloc_zero(&run->program->allocator, impl->operands.count, sizeof *r->operator,
                                         "the operators of a run", &r->operator);
        if (status) return status;
    }
    int64_t n;
    const jc_cuda_use *use = jc_cuda_operands_of(run->program, jc_graph_group_number(g, edge), &n);
    for (int64_t i = 0; i < n; i++) r->operator[use[i].operand] = * op;
    return jc_cuda_refresh(run, JC_CUDA_REBIND_CAPTURE);
}

jc_status jc_cuda_bind_operator(jc_run *run, int64_t edge, const jc_cuda_operator *op)
{
    static const char *const call = "jc_cuda_bind_operator";
    static const jc_cuda_operator none = {0};
    const jc_graph *g = run->program->plan->graph;
    int before;
    jc_status status = check_edge(g, edge, call);
    if (status) return status;
    if (jc_graph_group(g, edge)->shape.kind != JC_OPERATOR)
        return jc_fail(JC_E_USAGE, "%s: edge number %lld is no operator", call, (long long)edge);
    if ((status = enter(run, call, &before))) return status;
    return jc_cuda_end(run, set_operators(run, edge, op ? op : &none), before);
}

/* ---- executing --------------------------------------------------------------------------------------------------- */

static jc_status check_bound(const jc_run *run)
{
    const jc_plan *plan = run->program->plan;
    if (plan->seed != JC_SEED_NONE && !run->seed.data[0]) return jc_fail(JC_E_USAGE, "the seed is not bound");
    if (plan->structure_only) return jc_fail(JC_E_INPUT, "an edge is used but has no numbers");
    if (jc_cuda_all_bound(run)) return JC_OK;
    return jc_fail(JC_E_USAGE, "a Jacobian with numbers in device memory is used but not bound to any");
}

/* The captured graph, or into the caller's capture the operations themselves. */
static jc_status execute_on(jc_run *run, jc_gpu_stream stream)
{
    jc_cuda_run *r = run->impl;
    bool capturing = false;
    jc_status status = jc_cuda_check(r->api, r->api->capture_state(stream, &capturing), "asking for a capture");
    if (status) return status;
    if (capturing && jc_cuda_waits_for_host(run))
        return jc_fail(JC_E_USAGE,
                       "jc_cuda_execute: the stream is being captured, but an operator has callbacks on the "
                       "host only (jc_cuda_bind_operator)");
    if (capturing) return jc_cuda_issue(run, stream);
    if (r->executed) /* on the same stream too: one handle may stand for another stream by now, or in this thread */
        status = jc_cuda_check(r->api, r->api->stream_wait(stream, r->done), "waiting for an execution");
    if (status) return status;
    status = r->exec ? jc_cuda_check(r->api, r->api->exec_launch(r->exec, stream), "launching a graph")
                     : jc_cuda_issue(run, stream);
    if (!status) status = jc_cuda_check(r->api, r->api->event_record(r->done, stream), "recording an event");
    if (!status) r->executed = true;
    return status;
}

jc_status jc_cuda_execute(jc_run *run, struct CUstream_st *stream)
{
    int before;
    jc_status status = enter(run, "jc_cuda_execute", &before);
    if (status) return status;
    status = check_bound(run);
    if (!status) status = execute_on(run, stream);
    return jc_cuda_end(run, status, before);
}

jc_status jc_cuda_status(jc_run *run)
{
    int before;
    jc_status status = enter(run, "jc_cuda_status", &before);
    if (status) return status;
    jc_cuda_run *r = run->impl;
    if (r->executed) status = jc_cuda_check(r->api, r->api->event_synchronize(r->done), "executing");
    if (!status) status = jc_cuda_check(r->api, r->api->stream_synchronize(r->stream), "executing");
    return jc_cuda_end(run, status, before);
}

jc_status jc_cuda_result(const jc_run *run, int64_t index, jc_result *result)
{
    const jc_plan *plan = run->program->plan;
    jc_status status = check_backend(run->program, "jc_cuda_result");
    if (status) return status;
    if (index < 0 || index >= plan->n_outputs)
        return jc_fail(JC_E_USAGE, "there is no result number %lld (there are %lld)", (long long)index,
                       (long long)plan->n_outputs);
    const jc_output *output = &plan->outputs[index];
    *result = jc_output_view(plan, output, run->program->dtype);
    if (output->kind != JC_OUTPUT_VALUE) return JC_OK;
    int64_t at = run->program->layout.offset[output->value] / run->program->layout.element_bytes;
    result->data = jc_cuda_element(run, at + output->value_row * plan->values[output->value].cols);
    return JC_OK;
}
