/* What is no longer read after an operation: values after the level that reads them last, temporaries after their own.
 * Inside of a walk all of it dies with the walk, unless the walk itself has put something else there. */
#include "backend/cuda/internal.h"
#include "core/size.h"

static const char *const WHAT = "what dies in a program";

typedef struct deaths {
    jc_program *program;
    jc_cuda_program *impl;
    int64_t *last_read; /* [n_values] */
    int64_t *dying;     /* [n_levels] first value that is read there for the last time, or -1 */
    int64_t *next;      /* [n_values] the next one of the same level, or -1 */
} deaths;

static int64_t bytes_of(const deaths *w, int64_t v)
{
    const jc_value *value = &w->program->plan->values[v];
    return value->rows * value->cols * w->program->layout.element_bytes;
}

static bool overlap(const deaths *w, int64_t u, int64_t v)
{
    const int64_t *offset = w->program->layout.offset;
    return offset[u] < offset[v] + bytes_of(w, v) && offset[v] < offset[u] + bytes_of(w, u);
}

/* The last level of which operation i may have written something: a walk may begin with the next one. */
static int64_t reach(const deaths *w, int64_t i)
{
    const jc_cuda_op *op = (const jc_cuda_op *)w->impl->ops.data + i;
    if (op->kind != JC_CUDA_OP_WALK) return op->level;
    return i + 1 < w->impl->ops.count ? op[1].level : w->program->plan->n_levels - 1;
}

/* Whether a value born after level l, up to level `end`, has the storage of v. */
static bool is_taken(const deaths *w, int64_t v, int64_t l, int64_t end)
{
    const jc_plan *plan = w->program->plan;
    for (int64_t u = plan->levels[l + 1]; u < plan->levels[end + 1]; u++)
        if (overlap(w, u, v)) return true;
    return false;
}

static jc_status add(const deaths *w, int64_t op, int64_t at, int64_t bytes)
{
    jc_cuda_dead dead = {op, at, bytes};
    return bytes ? jc_vec_append(&w->program->allocator, &w->impl->dead, &dead, 1, WHAT) : JC_OK;
}

/* Temporaries of every level begin at the same place. */
static jc_status add_temps(const deaths *w, int64_t op, int64_t l, int64_t end)
{
    const int64_t *temps = w->impl->temps.data;
    for (int64_t k = l + 1; k <= end; k++)
        if (temps[k]) return JC_OK;
    return add(w, op, w->program->layout.arena_bytes, temps[l] * w->program->layout.element_bytes);
}

/* op: the last operation of level l. */
static jc_status add_level(const deaths *w, int64_t op, int64_t l)
{
    int64_t end = reach(w, op);
    jc_status status = add_temps(w, op, l, end);
    for (int64_t v = w->dying[l]; v >= 0 && !status; v = w->next[v])
        if (!is_taken(w, v, l, end)) status = add(w, op, w->program->layout.offset[v], bytes_of(w, v));
    return status;
}

static jc_status add_levels(const deaths *w)
{
    const jc_cuda_op *ops = w->impl->ops.data;
    jc_status status = JC_OK;
    int64_t op = -1;
    for (int64_t l = 0; l < w->program->plan->n_levels && !status; l++) {
        while (op + 1 < w->impl->ops.count && ops[op + 1].level <= l) op++;
        if (op >= 0) status = add_level(w, op, l);
    }
    return status;
}

jc_status jc_cuda_find_dead(jc_program *program)
{
    const jc_allocator *a = &program->allocator;
    const jc_plan *plan = program->plan;
    deaths w = {.program = program, .impl = program->impl};
    if (!w.impl->api->dead || program->keep_adjoints) return JC_OK;
    jc_status status = jc_alloc(a, plan->n_values, sizeof *w.last_read, WHAT, &w.last_read);
    if (!status) status = jc_alloc(a, plan->n_levels, sizeof *w.dying, WHAT, &w.dying);
    if (!status) status = jc_alloc(a, plan->n_values, sizeof *w.next, WHAT, &w.next);
    if (!status) {
        jc_layout_deaths(plan, w.last_read, w.dying, w.next);
        status = add_levels(&w);
    }
    jc_free(a, w.last_read, plan->n_values, sizeof *w.last_read);
    jc_free(a, w.dying, plan->n_levels, sizeof *w.dying);
    jc_free(a, w.next, plan->n_values, sizeof *w.next);
    return status;
}
