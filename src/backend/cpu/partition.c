/* Who does what: levels become phases between barriers. In a phase every thread has its own destinations, in the order
 * of the plan, by predicted time; a destination larger than a share is cut by columns or rows. Levels that are not
 * worth a barrier are joined to one phase of one thread: a chain runs without any. */
#include "backend/cpu/lower.h"
#include "backend/cpu/rules.h"
#include "core/size.h"

/* What a core of today does, roughly; only the choice between ways of working depends on them. */
static const double bytes_per_s = 12e9, f32_madds_per_s = 30e9, f64_madds_per_s = 15e9, op_s = 2e-8, barrier_s = 2e-6;

/* A level is worth its barrier when it takes one thread longer than this. */
static const double level_s = 8e-6;

static double op_seconds(const jc_program *program, const jc_cpu_program *impl, int64_t i)
{
    const jc_cpu_op *op = &impl->ops[i];
    jc_cpu_product k = jc_cpu_product_of(program->plan, op);
    double element = (double)program->layout.element_bytes, n = (double)op->n_rows;
    double vectors = n * element * (op->first ? 1 : 2) * (double)k.out;
    if (op->fold) n = (double)program->plan->folds.fold[op->fold - 1].w;
    if (!op->identity) vectors += n * element * (double)k.in;
    double bytes = (double)jc_program_member_bytes(program, op->group) + vectors;
    jc_direction direction = op->transpose ? JC_TANGENT : JC_ADJOINT;
    double madds = n * (double)jc_group_cost(k.group, op->member, direction);
    double flop_s = madds / (program->dtype == JC_F32 ? f32_madds_per_s : f64_madds_per_s),
           byte_s = bytes / bytes_per_s;
    if (op->identity && k.group->shape.kind != JC_OPERATOR) flop_s = 0;
    return op_s + (flop_s > byte_s ? flop_s : byte_s);
}

/* Predicted seconds of every value on one thread. */
static void predict_values(const jc_program *program, const jc_cpu_program *impl, double *seconds)
{
    const jc_value *values = program->plan->values;
    for (int64_t v = 0; v < program->plan->n_values; v++) {
        seconds[v] = 0;
        for (int64_t i = values[v].first_step; i < values[v + 1].first_step; i++)
            seconds[v] += op_seconds(program, impl, i);
    }
}

/* ---- cutting one value ---- */

typedef struct cutting {
    int64_t grain;  /* columns are cut at multiples of it; 0: rows are cut */
    int64_t pieces; /* at most so many; 1: the value is not cut */
} cutting;

static int64_t common_multiple(int64_t a, int64_t b)
{
    int64_t x = a, y = b;
    while (y) {
        int64_t r = x % y;
        x = y, y = r;
    }
    return jc_cost_mul(a / x, b);
}

/* The common grain of all products into a value, in whole cache lines where that leaves enough pieces; 0: none. */
static int64_t column_grain(const jc_program *program, const jc_cpu_program *impl, int64_t v)
{
    const jc_value *values = program->plan->values;
    int64_t grain = 1;
    for (int64_t i = values[v].first_step; i < values[v + 1].first_step && grain; i++) {
        jc_cpu_product k = jc_cpu_product_of(program->plan, &impl->ops[i]);
        int64_t g = jc_cpu_grain(&k);
        grain = g && grain <= values[v].cols ? common_multiple(grain, g) : 0;
    }
    int64_t lines = grain ? common_multiple(grain, JC_CPU_LINE / program->layout.element_bytes) : 0;
    return lines && values[v].cols / lines >= 2 * impl->workers ? lines : grain;
}

/* Columns where there are enough of them, since then no number of a Jacobian is read twice; otherwise rows. */
static cutting cutting_of(const jc_program *program, const jc_cpu_program *impl, int64_t v)
{
    const jc_value *value = &program->plan->values[v];
    int64_t grain = column_grain(program, impl, v), columns = grain ? value->cols / grain : 1;
    cutting by_columns = {grain, columns}, by_rows = {0, value->rows};
    if (columns >= 2 * impl->workers || columns >= value->rows) return by_columns;
    return by_rows;
}

/* The place of fraction f of a value, a multiple of the grain; its end for 1. */
static int64_t place(const cutting *cut, const jc_value *value, double f)
{
    int64_t grain = cut->grain ? cut->grain : 1, end = cut->grain ? value->cols : value->rows;
    if (f >= 1) return end;
    return jc_min(end, (int64_t)(f * (double)end / (double)grain + 0.5) * grain);
}

/* ---- items ---- */

static jc_status add_item(const jc_program *program, jc_cpu_program *impl, const jc_cpu_item *item)
{
    return jc_vec_append(&program->allocator, &impl->items, item, 1, "the partition of a plan");
}

/* Closes the list of a thread: the next item belongs to the next. */
static jc_status end_thread(const jc_program *program, jc_cpu_program *impl)
{
    return jc_vec_append(&program->allocator, &impl->starts, &impl->items.count, 1, "the partition of a plan");
}

static jc_status serial_phase(const jc_program *program, jc_cpu_program *impl, int64_t first, int64_t last)
{
    jc_cpu_item item = {.first = first, .last = last};
    jc_status status = add_item(program, impl, &item);
    for (int t = 0; t < impl->workers && !status; t++) status = end_thread(program, impl);
    impl->n_phases++;
    return status;
}

/* Values [v0, v1) whole. */
static jc_status whole_values(const jc_program *program, jc_cpu_program *impl, int64_t v0, int64_t v1)
{
    const jc_value *values = program->plan->values;
    jc_cpu_item item = {.first = values[v0].first_step, .last = values[v1].first_step};
    return item.first < item.last ? add_item(program, impl, &item) : JC_OK;
}

/* The part of value v between fractions f0 and f1. */
static jc_status part_of_value(const jc_program *program, jc_cpu_program *impl, int64_t v, const cutting *cut,
                               double f0, double f1)
{
    const jc_value *value = &program->plan->values[v];
    int64_t begin = place(cut, value, f0), end = place(cut, value, f1);
    jc_cpu_item item = {.first = value->first_step, .last = value[1].first_step, .part = true};
    item.row1 = value->rows, item.col1 = value->cols, item.base = program->layout.offset[v];
    if (cut->grain)
        item.col0 = begin, item.col1 = end;
    else
        item.row0 = begin, item.row1 = end;
    return begin < end ? add_item(program, impl, &item) : JC_OK;
}

/* ---- a level among the threads ---- */

/* Where the walk over a level is: value v from fraction `done` on; `before`: seconds of the values before v. */
typedef struct walk {
    int64_t v;
    double done, before;
} walk;

/* The share of one thread: up to `until` seconds from the begin of the level. */
static jc_status thread_share(const jc_program *program, jc_cpu_program *impl, const double *seconds,
                              int64_t last_value, double share, double until, walk *w)
{
    jc_status status = JC_OK;
    int64_t whole_from = w->v;
    while (w->v < last_value && !status) {
        double s = seconds[w->v], f = s > 0 ? (until - w->before) / s : 1;
        cutting cut = {1, 1};
        if (w->done > 0 || (f < 1 && s > share / 16)) cut = cutting_of(program, impl, w->v);
        if (f <= w->done || (cut.pieces < 2 && f < 0.5)) break;
        if (cut.pieces >= 2 && (f < 1 || w->done > 0)) {
            status = whole_values(program, impl, whole_from, w->v);
            if (!status) status = part_of_value(program, impl, w->v, &cut, w->done, f);
            whole_from = w->v + 1;
            w->done = f < 1 ? f : 0;
            if (f < 1) return status;
        }
        w->before += s;
        w->v++;
    }
    return status ? status : whole_values(program, impl, jc_min(whole_from, w->v), w->v);
}

static jc_status parallel_phase(const jc_program *program, jc_cpu_program *impl, const double *seconds, int64_t level,
                                double total)
{
    const int64_t *levels = program->plan->levels;
    walk w = {levels[level], 0, 0};
    double share = total / impl->workers;
    jc_status status = JC_OK;
    for (int t = 0; t < impl->workers && !status; t++) {
        double until = t == impl->workers - 1 ? 2 * total + 1 : share * (t + 1);
        status = thread_share(program, impl, seconds, levels[level + 1], share, until, &w);
        if (!status) status = end_thread(program, impl);
    }
    impl->n_phases++;
    return status;
}

/* ---- all levels ---- */

static double level_seconds(const jc_plan *plan, const double *seconds, int64_t level)
{
    double sum = 0;
    for (int64_t v = plan->levels[level]; v < plan->levels[level + 1]; v++) sum += seconds[v];
    return sum;
}

static bool any_worth_threads(const jc_plan *plan, const double *seconds)
{
    for (int64_t l = 0; l < plan->n_levels; l++)
        if (level_seconds(plan, seconds, l) > level_s) return true;
    return false;
}

static jc_status make_phases(const jc_program *program, jc_cpu_program *impl, const double *seconds)
{
    const jc_plan *plan = program->plan;
    jc_status status = end_thread(program, impl);
    int64_t serial_from = 0; /* ops that no phase has yet */
    for (int64_t l = 0; l < plan->n_levels && !status; l++) {
        double total = level_seconds(plan, seconds, l);
        bool parallel = impl->workers > 1 && total > level_s;
        impl->seconds += parallel ? total / impl->workers + barrier_s : total;
        if (!parallel) continue;
        int64_t first = plan->values[plan->levels[l]].first_step;
        if (serial_from < first) status = serial_phase(program, impl, serial_from, first);
        if (!status) status = parallel_phase(program, impl, seconds, l, total);
        serial_from = plan->values[plan->levels[l + 1]].first_step;
    }
    if (!status && serial_from < impl->n_ops) status = serial_phase(program, impl, serial_from, impl->n_ops);
    return status;
}

jc_status jc_cpu_partition(const jc_program *program, jc_cpu_program *impl)
{
    double *seconds;
    int64_t n = program->plan->n_values;
    jc_status status = jc_alloc(&program->allocator, n, sizeof *seconds, "predicted times", &seconds);
    if (status) return status;
    predict_values(program, impl, seconds);
    impl->items = jc_vec_of(sizeof(jc_cpu_item));
    impl->starts = jc_vec_of(sizeof(int64_t));
    impl->workers = any_worth_threads(program->plan, seconds) ? program->threads : 1;
    status = make_phases(program, impl, seconds);
    jc_free(&program->allocator, seconds, n, sizeof *seconds);
    return status;
}
