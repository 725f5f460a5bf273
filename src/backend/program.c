/* A plan lowered for one backend: precision, threads, storage; what is common to all backends. */
#define _GNU_SOURCE /* CPU_COUNT */
#include <sched.h>
#include <stdio.h>
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
    int64_t number, member, element = program->layout.element_bytes;
    const jc_group *group = jc_program_jacobian(program, step->b, &number, &member);
    int64_t in = step->transpose ? group->shape.cols : group->shape.rows;
    int64_t row = jc_cost_mul(c->cols, step->first ? 1 : 2);
    const jc_fold *left = jc_plan_left_fold(program->plan, step);
    int64_t rows = jc_cost_mul(row, step->n_rows);
    if (step->a != JC_SEED_IDENTITY) rows = jc_cost_add(rows, jc_cost_mul(in, left ? left->w : step->n_rows));
    return jc_cost_add(jc_program_member_bytes(program, number), jc_cost_mul(rows, element));
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
    p->progress = o->progress;
    snprintf(p->device, sizeof p->device, "cpu (%d thread%s)", p->threads, p->threads == 1 ? "" : "s");
    snprintf(p->reason, sizeof p->reason, "asked for");
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

/* ---- auto -------------------------------------------------------------------------------------------------------- */

/* "auto" is the backend of the smallest predicted time, start and copying included, among those that are there and
 * support the precision; the reference, being a yardstick and not a competitor, only where there is no other. */
typedef struct choice {
    jc_program *best;
    const jc_backend *slower; /* one that could have computed too */
    double slower_s;
    jc_status failure;            /* the first that was passed over, or JC_OK */
    char failed[JC_REASON_BYTES]; /* its text, beginning with the backend's name */
    bool no_device;
} choice;

static bool is_auto(const jc_program_options *o)
{
    return !o->backend || !strcmp(o->backend, "auto");
}

static bool is_product_mode(jc_precision precision)
{
    return precision == JC_PRECISION_TF32 || precision == JC_PRECISION_BF16;
}

static bool is_reference(const jc_backend *backend)
{
    return !strcmp(backend->name, "reference");
}

/* Until the first result is there. */
static double predicted_s(const jc_program *p)
{
    return p->start_seconds + p->seconds_predicted;
}

/* Whether "auto" passes over a backend that failed: it is not there, cannot do this, or has not enough memory. */
static bool may_pass_over(const choice *c, const jc_backend *backend, jc_status status)
{
    bool too_large = status == JC_E_MEMORY || status == JC_E_LIMIT;
    if (status == JC_E_UNAVAILABLE) return true;
    if (backend->on_device) return status == JC_E_DEVICE || too_large;
    return status == JC_E_USAGE || (too_large && c->best);
}

static void note_failure(choice *c, const char *backend, jc_status status, const char *text)
{
    size_t n = strlen(backend);
    bool named = !strncmp(text, backend, n) && text[n] == ':';
    if (c->failure) return;
    c->failure = status;
    snprintf(c->failed, sizeof c->failed, "%s%s%s", named ? "" : backend, named ? "" : ": ", text);
}

static void take(choice *c, jc_program *p)
{
    jc_program *worse = c->best && predicted_s(c->best) <= predicted_s(p) ? p : c->best;
    c->best = worse == p ? c->best : p;
    if (!worse) return;
    c->slower = worse->backend, c->slower_s = predicted_s(worse);
    jc_program_destroy(worse);
}

static jc_status consider(choice *c, const jc_plan *plan, const jc_program_options *o, const jc_backend *backend)
{
    jc_program *p;
    if (backend->on_device ? c->no_device : is_product_mode(o->precision)) return JC_OK;
    if (c->best && is_reference(backend)) return JC_OK;
    jc_status status = jc_program_create_on(plan, backend, o, &p);
    if (!status)
        take(c, p);
    else if (may_pass_over(c, backend, status))
        note_failure(c, backend->name, status, jc_last_error());
    else
        return status;
    return JC_OK;
}

/* Backends beside the reference. */
static int count_competitors(void)
{
    int n = 0;
    for (int i = 0; i < jc_backend_count(); i++) n += !is_reference(jc_backend_at(i));
    return n;
}

static void say_why(const choice *c, const jc_program_options *o)
{
    char *reason = c->best->reason;
    int n = count_competitors();
    if (c->slower)
        snprintf(reason, JC_REASON_BYTES, "auto: predicted %.3g s, start and upload included, on %s %.3g s",
                 predicted_s(c->best), c->slower->name, c->slower_s);
    else if (c->failure)
        snprintf(reason, JC_REASON_BYTES, "auto: not on %.*s", JC_REASON_BYTES - 16, c->failed);
    else if (is_product_mode(o->precision))
        snprintf(reason, JC_REASON_BYTES, "auto: the precision is a product mode of %s", c->best->backend->name);
    else
        snprintf(reason, JC_REASON_BYTES, "auto: the only one %s", n ? "beside the reference" : "built in");
}

static jc_status fail_choice(const choice *c, const jc_program_options *o)
{
    if (c->failure) return jc_fail(c->failure, "%s", c->failed);
    if (!is_product_mode(o->precision)) return jc_fail(JC_E_UNAVAILABLE, "no backend is built in");
    return jc_fail(JC_E_UNAVAILABLE, "tf32 and bf16 are product modes of the cuda backend, which this build has not");
}

static jc_status choose(choice *c, const jc_plan *plan, const jc_program_options *o, jc_program **program)
{
    jc_status status = JC_OK;
    for (int i = 0; i < jc_backend_count() && !status; i++) status = consider(c, plan, o, jc_backend_at(i));
    if (!status && !c->best) status = fail_choice(c, o);
    if (status) {
        jc_program_destroy(c->best);
        return status;
    }
    say_why(c, o);
    *program = c->best;
    return JC_OK;
}

jc_status jc_program_create_on_host(const jc_plan *plan, const jc_program_options *options, const char *failed,
                                    jc_program **program)
{
    choice c = {.no_device = true};
    note_failure(&c, "cuda", JC_E_DEVICE, failed);
    return choose(&c, plan, options, program);
}

bool jc_program_falls_back(const jc_program *program, const jc_program_options *options, jc_status status, bool started)
{
    if (!program->backend->on_device || !is_auto(options) || is_product_mode(options->precision)) return false;
    return status == JC_E_MEMORY || status == JC_E_LIMIT || (status == JC_E_DEVICE && !started);
}

jc_status jc_program_create(const jc_plan *plan, const jc_program_options *options, jc_program **program)
{
    const jc_program_options *o = options ? options : &default_options;
    jc_status status = check_options(plan, o);
    if (status) return status;
    choice c = {0};
    if (is_auto(o)) return choose(&c, plan, o, program);
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
        .device = p->device,
        .reason = p->reason,
    };
    return JC_OK;
}

jc_status jc_program_batches(const jc_program *program, jc_status (*emit)(void *ctx, const jc_batch *batch), void *ctx)
{
    return program->backend->batches(program, emit, ctx);
}
