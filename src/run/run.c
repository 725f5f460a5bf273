/* A program with its memory: execute, and look at the results. */
#include <stdio.h>
#include <string.h>

#include "backend/backend.h"
#include "core/dtype.h"
#include "core/error.h"
#include "plan/view.h"
#include "run/numbers.h"

jc_status jc_run_create(const jc_program *program, jc_run **run)
{
    jc_run *r;
    jc_status status = jc_alloc_zero(&program->allocator, 1, sizeof *r, "a run", &r);
    if (status) return status;
    r->program = program;
    status = program->backend->open(r);
    if (status)
        jc_free(&program->allocator, r, 1, sizeof *r);
    else
        *run = r;
    return status;
}

/* The rows of a value that a result takes: numbers, and bytes of each. */
static int64_t copy_numbers(const jc_run *run, const jc_output *output)
{
    return jc_output_value_rows(output) * run->program->plan->values[output->value].cols;
}

static void free_copies(jc_run *run)
{
    const jc_plan *plan = run->program->plan;
    const jc_allocator *a = &run->program->allocator;
    for (int64_t i = 0; run->copies && i < plan->n_outputs; i++)
        if (run->copies[i])
            jc_free(a, run->copies[i], copy_numbers(run, &plan->outputs[i]),
                    (size_t)jc_dtype_bytes(run->program->dtype));
    jc_free(a, run->copies, plan->n_outputs, sizeof *run->copies);
}

/* Copies a result of a backend that has it elsewhere, into memory that is kept until the run's end. */
static jc_status copy_result(jc_run *run, int64_t index, const void **data)
{
    const jc_output *output = &run->program->plan->outputs[index];
    const jc_allocator *a = &run->program->allocator;
    jc_status status = JC_OK;
    if (!run->copies)
        status = jc_alloc_zero(a, run->program->plan->n_outputs, sizeof *run->copies, "results", &run->copies);
    if (!status && !run->copies[index])
        status = jc_alloc(a, copy_numbers(run, output), (size_t)jc_dtype_bytes(run->program->dtype), "a result",
                          &run->copies[index]);
    if (!status)
        status = run->program->backend->read(run, output->value, output->value_row, jc_output_value_rows(output),
                                             run->copies[index]);
    if (!status) *data = run->copies[index];
    return status;
}

void jc_run_destroy(jc_run *run)
{
    if (!run) return;
    jc_allocator a = run->program->allocator;
    run->program->backend->close(run);
    free_copies(run);
    jc_free(&a, run->bindings, run->program->plan->graph->groups.count, sizeof *run->bindings);
    jc_free(&a, run, 1, sizeof *run);
}

/* "expected indptr, indices, values", or why there are none. */
static const char *expected_numbers(jc_kind kind, char text[96])
{
    const jc_kind_info *info = &jc_kinds[kind];
    if (kind == JC_OPERATOR) return "an operator without callbacks can be planned, not computed with";
    int used = snprintf(text, 96, "expected ");
    for (int f = 0; f < info->n_fields; f++)
        used += snprintf(text + used, 96 - (size_t)used, "%s%s", f ? ", " : "", info->field[f].name);
    return text;
}

jc_status jc_fail_without_numbers(const jc_graph *g, int64_t e)
{
    const jc_group *group = jc_graph_group(g, e);
    char text[200], part[96], expected[96];
    int64_t element, member;
    jc_graph_addition(g, e, &element, &member);
    snprintf(part, sizeof part, "edges/%lld", (long long)element);
    if (member >= 0) snprintf(part, sizeof part, "edges/%lld[%lld]", (long long)element, (long long)member);
    strcat(part, "/jacobian");
    jc_graph_edge_text(g, jc_graph_of(g, e), jc_graph_wrt(g, e), text, sizeof text);
    return jc_fail_at(JC_E_INPUT, part, -1, "edge %s (number %lld) is used but has no numbers; %s", text, (long long)e,
                      expected_numbers(group->shape.kind, expected));
}

jc_status jc_check_host_numbers(const jc_graph *g, int64_t e)
{
    const jc_group *group = jc_graph_group(g, e);
    char text[200];
    if (!group->has_numbers) return jc_fail_without_numbers(g, e);
    for (int f = 0; f < JC_MAX_FIELDS; f++) {
        if (!group->field[f].on_device) continue;
        jc_graph_edge_text(g, jc_graph_of(g, e), jc_graph_wrt(g, e), text, sizeof text);
        return jc_fail(JC_E_USAGE, "edge %s has no numbers in host memory, where the single paths are formed", text);
    }
    return JC_OK;
}

/* Every used Jacobian has numbers, and the seed is bound. */
static jc_status check_bound(const jc_run *run)
{
    const jc_plan *plan = run->program->plan;
    if (plan->seed != JC_SEED_NONE && !run->seed.data[0]) return jc_fail(JC_E_USAGE, "the seed is not bound");
    if (!plan->structure_only) return JC_OK;
    return jc_fail_without_numbers(plan->graph, jc_plan_edge_without_numbers(plan));
}

jc_status jc_run_execute_pass(jc_run *run, const jc_pass *pass)
{
    jc_status status = check_bound(run);
    return status ? status : run->program->backend->execute(run, pass);
}

jc_status jc_run_execute(jc_run *run)
{
    jc_pass all = {0, 0};
    return jc_run_execute_pass(run, &all);
}

int64_t jc_run_result_count(const jc_run *run)
{
    return run->program->plan->n_outputs;
}

jc_status jc_run_result(jc_run *run, int64_t index, jc_result *result)
{
    const jc_plan *plan = run->program->plan;
    if (index < 0 || index >= plan->n_outputs)
        return jc_fail(JC_E_USAGE, "there is no result number %lld (there are %lld)", (long long)index,
                       (long long)plan->n_outputs);
    const jc_output *output = &plan->outputs[index];
    jc_result r = jc_output_view(plan, output, run->program->dtype);
    if (output->kind == JC_OUTPUT_VALUE) {
        const jc_backend *backend = run->program->backend;
        r.data = backend->peek(run, output->value, output->value_row);
        jc_status status = r.data ? JC_OK : copy_result(run, index, &r.data);
        if (status) return status;
    }
    *result = r;
    return JC_OK;
}
