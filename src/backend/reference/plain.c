#include "backend/reference/plain.h"

#include "core/error.h"
#include "core/progress.h"
#include "core/size.h"

/* What a machine of today needs for these loops, for the comparison of backends only: seconds per multiply-add, per
 * entry of a value that is written, and per step. */
static const double multiply_add_s = 1e-9, entry_s = 1e-9, step_s = 5e-8;

enum { NUMBER_BYTES = 8 };

int64_t jc_loops_scratch(const jc_group *group, bool transpose)
{
    const jc_shape *shape = &group->shape;
    if (shape->kind == JC_LOW_RANK) return jc_cost_mul(shape->m, shape->inner);
    if (shape->kind == JC_OPERATOR) return transpose ? shape->cols : shape->rows;
    return 0;
}

/* Numbers of scratch for the step that needs most. */
static int64_t scratch_numbers(const jc_plan *plan)
{
    int64_t most = 0, member;
    for (int64_t s = 0; s < plan->n_steps; s++) {
        const jc_step *step = &plan->steps[s];
        const jc_group *group = jc_plan_jacobian(plan, step->b, &member);
        if (group->shape.kind == JC_OPERATOR && step->a != JC_SEED_IDENTITY) continue;
        most = jc_max(most, jc_loops_scratch(group, step->transpose));
    }
    return most;
}

static double predicted_seconds(const jc_plan *plan)
{
    double entries = 0;
    for (int64_t v = 0; v < plan->n_values; v++) entries += (double)plan->values[v].rows * (double)plan->values[v].cols;
    return multiply_add_s * (double)plan->multiply_adds + entry_s * entries + step_s * (double)plan->n_steps;
}

jc_status jc_plain_prepare(jc_program *program)
{
    int64_t numbers = scratch_numbers(program->plan), bytes, peak;
    jc_status status = jc_layout_create(program->plan, NUMBER_BYTES, program->keep_adjoints, &program->layout);
    if (status != JC_OK) return status;
    if (!jc_size_mul(numbers, NUMBER_BYTES, &bytes) || !jc_size_add(bytes, jc_host_arena_bytes(program), &peak)) {
        jc_layout_fini(program->plan, &program->layout);
        return jc_fail(JC_E_MEMORY, "the scratch of the plain loops is larger than can be addressed");
    }
    program->threads = 1;
    program->scratch_bytes = bytes;
    program->peak_bytes = peak;
    program->seconds_predicted = predicted_seconds(program->plan);
    return JC_OK;
}

/* The layout is the program's to free. */
void jc_plain_release(jc_program *program)
{
    (void)program;
}

/* m, n, k of a step as a product of m x k by k x n. */
static jc_batch batch_of(const jc_plan *plan, int64_t level, const jc_step *step)
{
    int64_t member;
    const jc_group *group = jc_plan_jacobian(plan, step->b, &member);
    const jc_shape *shape = &group->shape;
    return (jc_batch){.level = level,
                      .kind = shape->kind,
                      .count = 1,
                      .m = step->n_rows,
                      .n = step->transpose ? shape->rows : shape->cols,
                      .k = step->transpose ? shape->cols : shape->rows,
                      .routine = "reference"};
}

static bool batch_same(const jc_batch *a, const jc_batch *b)
{
    return a->level == b->level && a->kind == b->kind && a->m == b->m && a->n == b->n && a->k == b->k;
}

/* Steps that follow each other in a level with one kind and shape are one line. */
jc_status jc_plain_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx)
{
    const jc_plan *plan = program->plan;
    jc_batch line = {.count = 0};
    jc_status status = JC_OK;
    for (int64_t level = 0; level < plan->n_levels && status == JC_OK; level++) {
        int64_t begin = plan->values[plan->levels[level]].first_step;
        int64_t end = plan->values[plan->levels[level + 1]].first_step;
        for (int64_t s = begin; s < end && status == JC_OK; s++) {
            jc_batch batch = batch_of(plan, level, &plan->steps[s]);
            if (line.count && batch_same(&line, &batch)) {
                line.count++;
                continue;
            }
            if (line.count) status = emit(ctx, &line);
            line = batch;
        }
    }
    return status == JC_OK && line.count ? emit(ctx, &line) : status;
}

jc_status jc_plain_open(jc_run *run)
{
    const jc_program *program = run->program;
    void *scratch;
    jc_status status = jc_host_open(run);
    if (status != JC_OK) return status;
    status = jc_alloc(&program->allocator, program->scratch_bytes, 1, "the scratch of the plain loops", &scratch);
    if (status != JC_OK)
        jc_host_close(run);
    else
        run->impl = scratch;
    return status;
}

void jc_plain_close(jc_run *run)
{
    jc_free(&run->program->allocator, run->impl, run->program->scratch_bytes, 1);
    run->impl = NULL;
    jc_host_close(run);
}

void *jc_plain_row(const jc_run *run, int64_t value, int64_t row)
{
    const jc_program *program = run->program;
    return run->arena + program->layout.offset[value] + row * program->plan->values[value].cols * NUMBER_BYTES;
}

/* Puts the edge's name before the last message. */
static jc_status fail_edge(const jc_graph *g, int64_t edge, jc_status status)
{
    char text[200];
    jc_graph_edge_text(g, jc_graph_of(g, edge), jc_graph_wrt(g, edge), text, sizeof text);
    return jc_fail_prefix(status, "edge %s: ", text);
}

const void *jc_plain_operand(const jc_run *run, const jc_step *step, const jc_shape *shape)
{
    int64_t in = step->transpose ? shape->cols : shape->rows;
    if (step->a == JC_SEED_IDENTITY) return NULL;
    return run->arena + run->program->layout.offset[step->a] + step->a_row * in * NUMBER_BYTES;
}

static jc_status execute_step(jc_run *run, const jc_pass *pass, int64_t c, const jc_step *step, jc_plain_step apply)
{
    jc_jac jac = jc_run_jacobian(run, step->b);
    const void *x = jc_plain_operand(run, step, &jac.group->shape);
    jc_status status = apply(run, &jac, step, jc_plan_fold(run->program->plan, step), jc_pass_step_row(pass, step),
                             jc_pass_step_rows(pass, step), x, jc_plain_row(run, c, step->c_row), run->impl);
    return status && step->b >= 0 ? fail_edge(run->program->plan->graph, step->b, status) : status;
}

jc_status jc_plain_execute(jc_run *run, const jc_pass *pass, jc_plain_step apply)
{
    const jc_plan *plan = run->program->plan;
    jc_status status = JC_OK;
    for (int64_t c = 0; c < plan->n_values && status == JC_OK; c++) {
        for (int64_t s = plan->values[c].first_step; s < plan->values[c + 1].first_step && status == JC_OK; s++)
            status = execute_step(run, pass, c, &plan->steps[s], apply);
        if (!plan->row_limit) jc_progress_tell(&run->program->progress, "values", c + 1, plan->n_values);
    }
    return status;
}
