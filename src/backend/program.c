/* A plan lowered for one backend: precision, threads, storage; what is common to all backends. */
#define _GNU_SOURCE /* CPU_COUNT */
#include <sched.h>
#include <string.h>

#include "backend/backend.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"

/* The processors this process may use. */
static int usable_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set)) return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

/* Bytes that one step reads and writes: the Jacobian's numbers, its rows of A and of C (read too where it adds). */
static int64_t step_bytes(const jc_program *program, const jc_value *c, const jc_step *step)
{
    int64_t member, element = program->layout.element_bytes;
    const jc_group *group = jc_plan_jacobian(program->plan, step->b, &member);
    int64_t in = step->transpose ? group->shape.cols : group->shape.rows;
    int64_t row = jc_cost_mul(c->cols, step->first ? 1 : 2);
    if (step->a != JC_SEED_IDENTITY) row = jc_cost_add(row, in);
    return jc_cost_add(jc_group_member_bytes(group), jc_cost_mul(jc_cost_mul(row, step->n_rows), element));
}

static int64_t moved_bytes(const jc_program *program)
{
    const jc_plan *plan = program->plan;
    int64_t bytes = 0;
    for (int64_t v = 0; v < plan->n_values; v++)
        for (int64_t s = plan->values[v].first_step; s < plan->values[v + 1].first_step; s++)
            bytes = jc_cost_add(bytes, step_bytes(program, &plan->values[v], &plan->steps[s]));
    return bytes;
}

static jc_status check_options(const jc_plan *plan, const jc_program_options *o)
{
    (void)plan;
    if (o->struct_size < sizeof *o) return jc_fail(JC_E_USAGE, "jc_program_options: struct_size is not set");
    if (o->threads < 0) return jc_fail(JC_E_USAGE, "the number of threads is negative");
    if (o->memory_limit < 0) return jc_fail(JC_E_USAGE, "the memory limit is negative");
    return JC_OK;
}

static jc_status check_limit(const jc_program *program, int64_t limit)
{
    if (!limit || program->peak_bytes <= limit) return JC_OK;
    return jc_fail(JC_E_LIMIT, "%lld bytes are needed, the memory limit is %lld bytes", (long long)program->peak_bytes,
                   (long long)limit);
}

/* Numbers in device memory are not for the host. */
static jc_status check_on_host(const jc_plan *plan, const jc_backend *backend)
{
    char text[200];
    const jc_graph *g = plan->graph;
    int64_t e = jc_plan_edge_on_device(plan);
    if (e < 0) return JC_OK;
    jc_graph_edge_text(g, jc_graph_of(g, e), jc_graph_wrt(g, e), text, sizeof text);
    return jc_fail(JC_E_USAGE, "edge %s has its numbers in device memory, which backend %s does not read", text,
                   backend->name);
}

static const jc_program_options default_options = JC_PROGRAM_OPTIONS_INIT;

jc_status jc_program_create_on(const jc_plan *plan, const jc_backend *backend, const jc_program_options *options,
                               jc_program **program)
{
    const jc_program_options *o = options ? options : &default_options;
    jc_program *p;
    jc_status status = check_options(plan, o);
    if (!status) status = backend->available(backend);
    if (!status) status = backend->supports(backend, o->precision);
    if (!status && !backend->on_device) status = check_on_host(plan, backend);
    if (!status) status = jc_alloc_zero(&plan->allocator, 1, sizeof *p, "a program", &p);
    if (status) return status;
    p->backend = backend;
    p->plan = plan;
    p->allocator = plan->allocator;
    p->precision = o->precision == JC_PRECISION_AUTO ? jc_plan_precision(plan) : o->precision;
    p->dtype = p->precision == JC_PRECISION_F64 ? JC_F64 : JC_F32;
    p->threads = o->threads ? o->threads : usable_processors();
    p->keep_adjoints = o->keep_adjoints != 0;
    status = backend->prepare(p);
    if (status) {
        jc_free(&plan->allocator, p, 1, sizeof *p);
        return status;
    }
    p->bytes = moved_bytes(p);
    status = check_limit(p, o->memory_limit);
    if (status)
        jc_program_destroy(p);
    else
        *program = p;
    return status;
}

/* What "auto" compares: until the first result is there. */
static double predicted_s(const jc_program *p)
{
    return p->start_seconds + p->seconds_predicted;
}

/* Whether "auto" passes over a backend that failed: it is not there, cannot do this, or has not enough memory. */
static bool may_pass_over(const jc_backend *backend, jc_status status)
{
    if (status == JC_E_UNAVAILABLE) return true;
    return backend->on_device ? status == JC_E_DEVICE || status == JC_E_MEMORY : status == JC_E_USAGE;
}

/* "auto" is the backend of the smallest predicted time, start and copying included, among those that are there and
 * support the precision; the reference, being a yardstick and not a competitor, only where there is no other. */
static jc_status create_auto(const jc_plan *plan, const jc_program_options *o, jc_program **program)
{
    jc_program *best = NULL;
    jc_status first_failure = JC_OK;
    for (int i = 0; i < jc_backend_count(); i++) {
        jc_program *p;
        if (best && !strcmp(jc_backend_at(i)->name, "reference")) continue;
        jc_status status = jc_program_create_on(plan, jc_backend_at(i), o, &p);
        if (status) {
            if (!first_failure) first_failure = status;
            if (may_pass_over(jc_backend_at(i), status)) continue;
            jc_program_destroy(best);
            return status;
        }
        if (best && predicted_s(best) <= predicted_s(p)) {
            jc_program_destroy(p);
            continue;
        }
        jc_program_destroy(best);
        best = p;
    }
    if (!best) return first_failure ? first_failure : jc_fail(JC_E_UNAVAILABLE, "no backend is built in");
    *program = best;
    return JC_OK;
}

jc_status jc_program_create(const jc_plan *plan, const jc_program_options *options, jc_program **program)
{
    const jc_program_options *o = options ? options : &default_options;
    jc_status status = check_options(plan, o);
    if (status) return status;
    if (!o->backend || !strcmp(o->backend, "auto")) return create_auto(plan, o, program);
    const jc_backend *backend = jc_backend_find(o->backend);
    if (!backend) return jc_fail(JC_E_UNAVAILABLE, "there is no backend %s", o->backend);
    return jc_program_create_on(plan, backend, o, program);
}

void jc_program_destroy(jc_program *program)
{
    if (!program) return;
    jc_allocator a = program->allocator;
    program->backend->release(program);
    jc_layout_fini(program->plan, &program->layout);
    jc_free(&a, program, 1, sizeof *program);
}

jc_status jc_program_get_info(const jc_program *p, jc_program_info *info)
{
    if (info->struct_size < sizeof *info) return jc_fail(JC_E_USAGE, "jc_program_info: struct_size is not set");
    *info = (jc_program_info){
        .struct_size = info->struct_size,
        .backend = p->backend->name,
        .precision = p->precision,
        .threads = p->threads,
        .peak_bytes = p->peak_bytes,
        .bytes = p->bytes,
        .seconds_predicted = p->seconds_predicted,
        .start_seconds = p->start_seconds,
    };
    return JC_OK;
}

jc_status jc_program_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx)
{
    return program->backend->batches(program, emit, ctx);
}
