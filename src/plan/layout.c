#include "plan/layout.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "plan/arena.h"

/* What layout works with: the last level that reads a value, and the values that die after a level, as linked lists. */
typedef struct lifetimes {
    int64_t *last_read; /* [n_values] as jc_layout_last_reads has it */
    int64_t *dying;     /* [n_levels] first value that is dead after the level, or -1 */
    int64_t *next;      /* [n_values] the next one of the same level, or -1 */
    int64_t *stretch;   /* [n_values] in the arena */
} lifetimes;

static jc_status value_bytes(const jc_plan *plan, int64_t v, int64_t element_bytes, int64_t *bytes)
{
    int64_t n;
    const jc_value *value = &plan->values[v];
    if (jc_size_mul(value->rows, value->cols, &n) && jc_size_mul(n, element_bytes, bytes)) return JC_OK;
    return jc_fail(JC_E_MEMORY, "not enough memory: a value of %lld x %lld is larger than can be addressed",
                   (long long)value->rows, (long long)value->cols);
}

static void find_last_reads(const jc_plan *plan, int64_t *last_read)
{
    for (int64_t l = 0; l < plan->n_levels; l++)
        for (int64_t v = plan->levels[l]; v < plan->levels[l + 1]; v++) {
            last_read[v] = l;
            for (int64_t s = plan->values[v].first_step; s < plan->values[v + 1].first_step; s++) {
                int64_t a = plan->steps[s].a, b = jc_plan_value_of_b(plan, plan->steps[s].b);
                if (a >= 0) last_read[a] = l;
                if (b >= 0) last_read[b] = l;
            }
        }
    for (int64_t o = 0; o < plan->n_outputs; o++)
        if (plan->outputs[o].kind == JC_OUTPUT_VALUE) last_read[plan->outputs[o].value] = JC_OUTLIVES;
}

void jc_layout_deaths(const jc_plan *plan, int64_t *last_read, int64_t *dying, int64_t *next)
{
    find_last_reads(plan, last_read);
    for (int64_t l = 0; l < plan->n_levels; l++) dying[l] = -1;
    for (int64_t v = plan->n_values; v-- > 0;) {
        int64_t l = last_read[v];
        if (l == JC_OUTLIVES) continue;
        next[v] = dying[l];
        dying[l] = v;
    }
}

static jc_status place_level(const jc_plan *plan, int64_t l, lifetimes *t, jc_arena *arena, jc_layout *out)
{
    for (int64_t v = plan->levels[l]; v < plan->levels[l + 1]; v++) {
        int64_t bytes = 0;
        jc_status status = value_bytes(plan, v, out->element_bytes, &bytes);
        if (!status) status = jc_arena_take(arena, bytes, &t->stretch[v]);
        if (status) return status;
        out->offset[v] = jc_arena_offset(arena, t->stretch[v]);
    }
    return JC_OK;
}

static jc_status place_values(const jc_plan *plan, bool keep, lifetimes *t, jc_layout *out)
{
    jc_arena arena;
    jc_status status = JC_OK;
    jc_arena_init(&arena, &plan->allocator);
    for (int64_t l = 0; l < plan->n_levels && !status; l++) {
        status = place_level(plan, l, t, &arena, out);
        for (int64_t v = t->dying[l]; v >= 0 && !keep && !status; v = t->next[v]) jc_arena_give(&arena, t->stretch[v]);
    }
    out->arena_bytes = arena.bytes;
    jc_arena_fini(&arena);
    return status;
}

jc_status jc_layout_create(const jc_plan *plan, int64_t element_bytes, bool keep, jc_layout *layout)
{
    const jc_allocator *a = &plan->allocator;
    const char *what = "the layout of the values";
    lifetimes t = {NULL, NULL, NULL, NULL};
    jc_layout out = {NULL, plan->n_values, 0, element_bytes};
    int64_t n = plan->n_values;
    jc_status status = jc_alloc(a, n, sizeof *out.offset, what, &out.offset);
    if (!status) status = jc_alloc(a, n, sizeof *t.last_read, what, &t.last_read);
    if (!status) status = jc_alloc(a, plan->n_levels, sizeof *t.dying, what, &t.dying);
    if (!status) status = jc_alloc(a, n, sizeof *t.next, what, &t.next);
    if (!status) status = jc_alloc(a, n, sizeof *t.stretch, what, &t.stretch);
    if (!status) {
        jc_layout_deaths(plan, t.last_read, t.dying, t.next);
        status = place_values(plan, keep, &t, &out);
    }
    jc_free(a, t.last_read, n, sizeof *t.last_read);
    jc_free(a, t.dying, plan->n_levels, sizeof *t.dying);
    jc_free(a, t.next, n, sizeof *t.next);
    jc_free(a, t.stretch, n, sizeof *t.stretch);
    if (status)
        jc_layout_fini(plan, &out);
    else
        *layout = out;
    return status;
}

void jc_layout_fini(const jc_plan *plan, jc_layout *layout)
{
    jc_free(&plan->allocator, layout->offset, layout->n_values, sizeof *layout->offset);
    layout->offset = NULL;
}
