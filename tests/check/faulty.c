#include "check/faulty.h"

#include <criterion/criterion.h>
#include <string.h>

static jt_faulty how;
static jc_backend table;

static void bind(jc_run *run, int64_t edge, const void *data)
{
    const jc_group *group = jc_graph_group(run->program->plan->graph, edge);
    cr_assert_eq(jc_run_bind_jacobian(run, edge, "values", group->field[0].dtype, data), JC_OK, "%s", jc_last_error());
}

static const void *numbers_of(const jc_run *run, int64_t edge)
{
    return jc_graph_group(run->program->plan->graph, edge)->field[0].data;
}

static void change_entry(jc_run *run)
{
    void *row = (void *)how.base->peek(run, how.value, how.row);
    if (run->program->dtype == JC_F64) {
        double *x = (double *)row + how.col;
        *x = how.factor != 0 ? *x * (1 + how.factor) : how.set;
    } else {
        float *x = (float *)row + how.col;
        *x = (float)(how.factor != 0 ? *x * (1 + how.factor) : how.set);
    }
}

static void zero_values(jc_run *run)
{
    const jc_plan *plan = run->program->plan;
    for (int64_t v = 0; v < plan->n_values; v++) {
        int64_t bytes = plan->values[v].rows * plan->values[v].cols * run->program->layout.element_bytes;
        memset((void *)how.base->peek(run, v, 0), 0, (size_t)bytes);
    }
}

/* The numbers bound for the fault are taken back: the check must find it with those of the graph. */
static jc_status execute(jc_run *run, const jc_pass *pass)
{
    const void *mine = NULL, *others = NULL;
    if (how.fault == JT_JACOBIAN || how.fault == JT_TWO_EDGES) {
        mine = numbers_of(run, how.edge);
        if (how.fault == JT_TWO_EDGES) others = numbers_of(run, how.other);
        bind(run, how.edge, how.fault == JT_TWO_EDGES ? others : how.numbers);
        if (others) bind(run, how.other, mine);
    }
    jc_status status = how.base->execute(run, pass);
    if (mine) bind(run, how.edge, mine);
    if (others) bind(run, how.other, others);
    if (how.fault == JT_ENTRY) change_entry(run);
    if (how.fault == JT_ALL_ZERO) zero_values(run);
    return status;
}

const jc_backend *jt_faulty_backend(const jt_faulty *chosen)
{
    how = *chosen;
    table = *how.base;
    table.execute = execute;
    return &table;
}
