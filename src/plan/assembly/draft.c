#include "plan/assembly/draft.h"

#include "core/size.h"

static const char *const WHAT = "the steps of an elimination";

void jc_draft_init(jc_draft *d, jc_plan *plan)
{
    *d = (jc_draft){
        .plan = plan, .values = jc_vec_of(sizeof(jc_draft_value)), .steps = jc_vec_of(sizeof(jc_draft_step))};
}

void jc_draft_fini(jc_draft *d)
{
    jc_vec_free(&d->plan->allocator, &d->values);
    jc_vec_free(&d->plan->allocator, &d->steps);
}

static jc_draft_step *step_at(const jc_draft *d, int64_t step)
{
    return (jc_draft_step *)d->steps.data + step;
}

jc_status jc_draft_value_add(jc_draft *d, jc_form form, int64_t rows, int64_t cols, int64_t node, int64_t other,
                             int64_t *value)
{
    jc_draft_value v = {.value = {.node = node, .rows = rows, .cols = cols, .other = other, .form = form},
                        .first_step = -1,
                        .last_step = -1,
                        .level = -1};
    *value = d->values.count;
    return jc_vec_append(&d->plan->allocator, &d->values, &v, 1, WHAT);
}

/* The level before which a value must not be formed that reads this one; 0: the identity. */
static int64_t level_behind(const jc_draft *d, int64_t value)
{
    return value < 0 ? 0 : jc_draft_at(d, value)->level + 1;
}

void jc_draft_complete(jc_draft *d, int64_t value)
{
    jc_draft_value *v = jc_draft_at(d, value);
    int64_t level = 0;
    if (v->level >= 0) return;
    for (int64_t s = v->first_step; s >= 0; s = step_at(d, s)->next) {
        const jc_step *step = &step_at(d, s)->step;
        level = jc_max(level, level_behind(d, step->a));
        level = jc_max(level, level_behind(d, jc_plan_value_of_b(d->plan, step->b)));
    }
    v->level = level;
}

jc_status jc_draft_step_add(jc_draft *d, int64_t c, int64_t a, int64_t b, bool transpose, bool whole)
{
    int64_t read = jc_plan_value_of_b(d->plan, b), number = d->steps.count;
    if (a >= 0) jc_draft_complete(d, a);
    if (read >= 0) jc_draft_complete(d, read);
    jc_draft_value *v = jc_draft_at(d, c);
    jc_draft_step step = {.step = {.a = a,
                                   .b = b,
                                   .n_rows = v->value.rows,
                                   .transpose = transpose,
                                   .first = v->first_step < 0,
                                   .whole = whole},
                          .next = -1};
    jc_status status = jc_vec_append(&d->plan->allocator, &d->steps, &step, 1, WHAT);
    if (status) return status;
    if (v->last_step >= 0)
        step_at(d, v->last_step)->next = number;
    else
        v->first_step = number;
    v->last_step = number;
    return JC_OK;
}

/* ---- into the plan ----------------------------------------------------------------------------------------------- */

/* levels[l + 1] counts, then sums; *number: where each value comes to stand, by level, then as it was thought of. */
static jc_status sort_by_level(const jc_draft *d, int64_t *number)
{
    jc_plan *p = d->plan;
    int64_t n = d->values.count, *next;
    for (int64_t v = 0; v < n; v++) p->n_levels = jc_max(p->n_levels, jc_draft_at(d, v)->level + 1);
    jc_status status = jc_alloc_zero(&p->allocator, p->n_levels + 1, sizeof *p->levels, "levels", &p->levels);
    if (!status) status = jc_alloc(&p->allocator, p->n_levels, sizeof *next, "levels", &next);
    if (status) return status;
    for (int64_t v = 0; v < n; v++) p->levels[jc_draft_at(d, v)->level + 1]++;
    for (int64_t l = 0; l < p->n_levels; l++) p->levels[l + 1] += p->levels[l];
    for (int64_t l = 0; l < p->n_levels; l++) next[l] = p->levels[l];
    for (int64_t v = 0; v < n; v++) number[v] = next[jc_draft_at(d, v)->level]++;
    jc_free(&p->allocator, next, p->n_levels, sizeof *next);
    return JC_OK;
}

/* Values where they belong, first_step still being the number of their steps. */
static void place_values(const jc_draft *d, const int64_t *number)
{
    jc_plan *p = d->plan;
    for (int64_t v = 0; v < d->values.count; v++) {
        const jc_draft_value *from = jc_draft_at(d, v);
        jc_value *to = &p->values[number[v]];
        *to = from->value;
        to->first_step = 0;
        for (int64_t s = from->first_step; s >= 0; s = step_at(d, s)->next) to->first_step++;
    }
    int64_t sum = 0;
    for (int64_t v = 0; v < p->n_values; v++) {
        int64_t count = p->values[v].first_step;
        p->values[v].first_step = sum;
        sum += count;
    }
    p->values[p->n_values] = (jc_value){.node = -1, .other = -1, .first_step = sum};
}

static void place_steps(const jc_draft *d, const int64_t *number)
{
    jc_plan *p = d->plan;
    for (int64_t v = 0; v < d->values.count; v++) {
        int64_t at = p->values[number[v]].first_step;
        for (int64_t s = jc_draft_at(d, v)->first_step; s >= 0; s = step_at(d, s)->next) {
            p->steps[at] = step_at(d, s)->step;
            if (p->steps[at].a >= 0) p->steps[at].a = number[p->steps[at].a];
            at++;
        }
    }
    jc_operand *operands = p->subgraph.operands.data;
    for (int64_t i = 0; i < p->subgraph.operands.count; i++)
        if (operands[i].value >= 0) operands[i].value = number[operands[i].value];
}

jc_status jc_draft_finish(jc_draft *d, int64_t **number)
{
    jc_plan *p = d->plan;
    int64_t n = d->values.count, *place;
    jc_status status = jc_alloc(&p->allocator, n, sizeof *place, WHAT, &place);
    if (status) return status;
    for (int64_t v = 0; v < n; v++) jc_draft_complete(d, v);
    p->n_values = n, p->n_steps = p->max_steps = d->steps.count;
    status = sort_by_level(d, place);
    if (!status) status = jc_alloc(&p->allocator, n + 1, sizeof *p->values, "values", &p->values);
    if (!status) status = jc_alloc(&p->allocator, p->n_steps, sizeof *p->steps, "steps", &p->steps);
    if (status) {
        jc_free(&p->allocator, place, n, sizeof *place);
        return status;
    }
    place_values(d, place);
    place_steps(d, place);
    *number = place;
    return JC_OK;
}
