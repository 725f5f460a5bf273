/* Steps -> ops: addresses, routine and what it needs, decided once. */
#include "backend/cpu/lower.h"
#include "backend/cpu/rules.h"
#include "core/size.h"

/* The loop of fixed size for one row times a square dense D in the working type; 0: none. */
static uint8_t fixed_of(const jc_program *program, const jc_cpu_unit *unit, const jc_cpu_product *k, const jc_cpu_op *op)
{
    const jc_shape *s = &k->group->shape;
    if (op->identity || op->group < 0 || op->n_rows != 1 || s->kind != JC_DENSE || s->p != s->q) return 0;
    if (s->batch != 1 || s->inner != 1 || k->group->field[0].dtype != program->dtype) return 0;
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
    op.x = step->a_row;
    if (!op.identity) op.x = layout->offset[step->a] + step->a_row * plan->values[step->a].cols * element;
    op.y = layout->offset[c] + step->c_row * plan->values[c].cols * element;
    op.group = step->b < 0 ? step->b : ((const int64_t *)plan->graph->edge_group.data)[step->b];
    jc_plan_jacobian(plan, step->b, &op.member);
    jc_cpu_product k = jc_cpu_product_of(plan, &op);
    op.fixed = fixed_of(program, unit, &k, &op);
    op.blas = !op.fixed && jc_cpu_use_blas(&k);
    return op;
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
    return JC_OK;
}
