/* Steps -> ops: addresses, routine and what it needs, decided once. */
#include "backend/cpu/lower.h"
#include "backend/cpu/rules.h"
#include "core/size.h"

/* The loop of fixed size for one row times a square dense D in the working type; 0: none. */
static uint8_t fixed_of(const jc_program *program, const jc_cpu_unit *unit, const jc_cpu_product *k,
                        const jc_cpu_op *op)
{
    const jc_shape *s = &k->group->shape;
    bool extra = op->group < 0 && !jc_plan_made(program->plan, op->group);
    if (op->identity || op->fold || extra || op->n_rows != 1 || s->kind != JC_DENSE || s->p != s->q) return 0;
    if (s->batch != 1 || s->inner != 1 || jc_program_field_dtype(program, op->group, 0) != program->dtype) return 0;
    for (int i = 0; i < JC_CPU_FIXED_COUNT; i++)
        if (unit->fixed[i].size == s->p) return (uint8_t)(i + 1);
    return 0;
}

static jc_cpu_op op_of(const jc_program *program, const jc_cpu_unit *unit, int64_t c, const jc_step *step)
{
    const jc_plan *plan = program->plan;
    const jc_layout *layout = &program->layout;
    int64_t element = layout->element_bytes;
    jc_cpu_op op = {.n_rows = step->n_rows, .transpose = step->transpose, .first = step->first};
    op.identity = step->a == JC_SEED_IDENTITY;
    op.fold = step->fold, op.whole = step->whole;
    jc_program_jacobian(program, step->b, &op.group, &op.member);
    jc_cpu_product k = jc_cpu_product_of(plan, &op);
    op.x = step->a_row;
    if (!op.identity) op.x = layout->offset[step->a] + step->a_row * k.in * element;
    op.y = layout->offset[c] + step->c_row * plan->values[c].cols * element;
    op.fixed = fixed_of(program, unit, &k, &op);
    op.blas = !op.fixed && !op.fold && jc_cpu_use_blas(&k);
    return op;
}

/* ---- rank updates of one weight, drawn together ---- */

static jc_cpu_op *find_head(const jc_program *program, jc_cpu_op *ops, int64_t n, const jc_cpu_op *op)
{
    jc_cpu_product k = jc_cpu_product_of(program->plan, op), h = jc_cpu_product_of(program->plan, &ops[n]);
    return ops[n].y == op->y && jc_cpu_can_chain(&h, &k) ? &ops[n] : NULL;
}

/* Moves the ops of a value that continue the rank update of the first weight op among them behind it, the others after
 * them in their order: each of these finds its rows written, by the first. Returns how many were drawn together. */
static int64_t draw_together(const jc_program *program, jc_cpu_op *ops, int64_t n, jc_cpu_op *others)
{
    int64_t head = 0, chained = 0, rest = 0;
    while (head < n && jc_cpu_product_of(program->plan, &ops[head]).group->shape.kind != JC_WEIGHT) head++;
    for (int64_t i = head; i < n; i++) {
        if (find_head(program, ops, head, &ops[i]))
            ops[head + chained++] = ops[i];
        else
            others[rest++] = ops[i];
    }
    for (int64_t i = 0; i < rest; i++) ops[head + chained + i] = others[i];
    for (int64_t i = 0; i < chained && chained > 1; i++) ops[head + i].chained = i + 1 < chained ? 1 : 2;
    return chained > 1 ? chained : 0;
}

/* The workspace and routine of a chain; all its ops go by the same. */
static void size_chain(const jc_program *program, jc_cpu_program *impl, jc_cpu_op *ops, int64_t n)
{
    int64_t samples = 0, spare = 0;
    bool blas = true;
    for (int64_t i = 0; i < n; i++) {
        jc_cpu_product k = jc_cpu_product_of(program->plan, &ops[i]);
        if (!ops[i].chained) continue;
        samples = jc_cost_add(samples, k.group->shape.m);
        spare = jc_max(spare, jc_cpu_chain_spare(&k, samples));
        blas = blas && ops[i].blas;
    }
    for (int64_t i = 0; i < n; i++)
        if (ops[i].chained) ops[i].blas = blas;
    impl->spare = jc_max(impl->spare, spare);
}

static jc_status chain_weights(const jc_program *program, jc_cpu_program *impl)
{
    const jc_plan *plan = program->plan;
    int64_t most = 0;
    for (int64_t v = 0; v < plan->n_values; v++)
        most = jc_max(most, plan->values[v + 1].first_step - plan->values[v].first_step);
    jc_cpu_op *others;
    jc_status status = jc_alloc(&program->allocator, most, sizeof *others, "the lowered plan", &others);
    if (status) return status;
    for (int64_t v = 0; v < plan->n_values; v++) {
        int64_t first = plan->values[v].first_step, n = plan->values[v + 1].first_step - first;
        if (n > 1 && draw_together(program, impl->ops + first, n, others))
            size_chain(program, impl, impl->ops + first, n);
    }
    jc_free(&program->allocator, others, most, sizeof *others);
    return JC_OK;
}

jc_status jc_cpu_lower(const jc_program *program, jc_cpu_program *impl)
{
    const jc_plan *plan = program->plan;
    jc_status status = jc_alloc(&program->allocator, plan->n_steps, sizeof *impl->ops, "the lowered plan", &impl->ops);
    if (status) return status;
    impl->n_ops = plan->n_steps;
    for (int64_t v = 0; v < plan->n_values; v++) {
        for (int64_t s = plan->values[v].first_step; s < plan->values[v + 1].first_step; s++) {
            impl->ops[s] = op_of(program, impl->unit, v, &plan->steps[s]);
            jc_cpu_product k = jc_cpu_product_of(plan, &impl->ops[s]);
            impl->panel = jc_max(impl->panel, jc_cpu_panel(&k));
            impl->spare = jc_max(impl->spare, jc_cpu_spare(&k));
        }
    }
    return chain_weights(program, impl);
}
