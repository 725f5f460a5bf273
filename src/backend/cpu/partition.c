/* Who does what: levels become phases between barriers. In a phase every thread has its own destinations, in the order
 * of the plan, by predicted time; a destination larger than a share is cut by columns or rows. Levels that are not
 * worth a barrier are joined to one phase of one thread: a chain runs without any. */
#include "backend/cpu/lower.h"
#include "backend/cpu/rules.h"
#include "core/dtype.h"
#include "core/size.h"

/* What one core does, measured by bench_scale --only predict on an AMD EPYC with AVX-512, 1 MiB of second-level cache
 * and 32 MiB of third, where it says all of 27 kinds of chains and levels within a factor of 2. The choice between
 * orders, between backends and between ways of working depends on them, no result does.
 *
 *     seconds of a product = start + max(multiply-adds / rate, Jacobian's bytes / its rate + rows' bytes / theirs)
 *
 * start: of a loop of fixed size 5 ns (4 x 4 in 7 ns), of other loops 75 ns (a scalar in 84 ns, a diagonal of 100 in
 * 77 ns), of a call of BLAS 0.4 us more (32 x 32 by 64 rows in 1.8 us).
 * rate, 10^9/s:                      f32   f64
 *   BLAS, 16 rows and more            46    24     (64 x 64 by 64 rows 46 and 23, 1024 x 1024 by 1024 rows 38 and 24)
 *   BLAS, fewer rows                  20    10     (256 x 256 by 8 rows 16)
 *   loops, by whole vectors           20    16     (16 x 16 by 16 rows 18 and 17; 5 x 5 by 5 rows 7)
 *   csr, select: an index each      0.75  0.75     (csr of 4 numbers a row 0.57 to 0.85) */
typedef struct rate {
    double f32, f64;
} rate;

static const rate blas_rate = {46e9, 24e9}, thin_blas_rate = {20e9, 10e9}, loop_rate = {20e9, 16e9};
static const double index_rate = 0.75e9, convert_rate = 2e9, operator_rate = 2e9;
static const double fixed_start_s = 5e-9, loop_start_s = 75e-9, blas_start_s = 0.4e-6, barrier_s = 2e-6;

/* Bytes a second, of numbers that are `bytes` together: where they are found again. */
static double cache_rate(double bytes)
{
    return bytes < 0x1p20 ? 80e9 : bytes < 0x3p23 ? 30e9 : 20e9;
}

/* A level is worth its barrier when it takes one thread longer than this. */
static const double level_s = 8e-6;

static double of_dtype(const jc_program *program, rate r)
{
    return program->dtype == JC_F32 ? r.f32 : r.f64;
}

/* Multiply-adds a second. */
static double product_rate(const jc_program *program, const jc_cpu_op *op, const jc_cpu_product *k)
{
    enum { LANES_BYTES = 64, FEW_ROWS = 16 };
    jc_kind kind = k->group->shape.kind;
    if (kind == JC_OPERATOR) return operator_rate;
    if (op->blas) return of_dtype(program, k->n < FEW_ROWS ? thin_blas_rate : blas_rate);
    if (kind == JC_CSR || kind == JC_SELECT) return index_rate;
    int64_t lanes = LANES_BYTES / program->layout.element_bytes;
    return of_dtype(program, loop_rate) * (double)k->out / (double)jc_round_up(k->out, lanes);
}

/* Seconds in which numbers of another type are converted: once in a product. */
static double conversion_s(const jc_program *program, const jc_group *group)
{
    double elements = 0;
    for (int f = 0; f < jc_kinds[group->shape.kind].n_fields; f++) {
        const jc_field *field = &group->field[f];
        bool other = !field->in_arena && jc_dtype_is_float(field->dtype) && field->dtype != program->dtype;
        if (other && (field->data || field->on_device)) elements += (double)field->elements;
    }
    return elements / convert_rate;
}

/* Multiply-adds of an op: none where rows of the Jacobian are copied, unless an operator makes them. */
static double op_madds(const jc_program *program, const jc_cpu_op *op, const jc_cpu_product *k)
{
    double n = (double)op->n_rows;
    if (op->identity && k->group->shape.kind != JC_OPERATOR) return 0;
    if (op->fold) n = (double)program->plan->folds.fold[op->fold - 1].w;
    return n * (double)jc_group_cost(k->group, op->member, op->transpose ? JC_TANGENT : JC_ADJOINT);
}

/* Bytes of the rows that an op reads and writes. */
static double row_bytes(const jc_program *program, const jc_cpu_op *op, const jc_cpu_product *k)
{
    double element = (double)program->layout.element_bytes, n = (double)op->n_rows;
    double bytes = n * element * (op->first ? 1 : 2) * (double)k->out;
    if (op->fold) n = (double)program->plan->folds.fold[op->fold - 1].w;
    return op->identity ? bytes : bytes + n * element * (double)k->in;
}

/* jacobians_rate: bytes a second at which the Jacobians of the whole plan are read, each of them once. */
static double op_seconds(const jc_program *program, const jc_cpu_program *impl, int64_t i, double jacobians_rate)
{
    const jc_cpu_op *op = &impl->ops[i];
    jc_cpu_product k = jc_cpu_product_of(program->plan, op);
    double rows = row_bytes(program, op, &k);
    double start_s = op->fixed ? fixed_start_s : op->blas ? loop_start_s + blas_start_s : loop_start_s;
    double byte_s = (double)jc_program_member_bytes(program, op->group) / jacobians_rate + rows / cache_rate(rows);
    double flop_s = op_madds(program, op, &k) / product_rate(program, op, &k);
    return start_s + conversion_s(program, k.group) + (flop_s > byte_s ? flop_s : byte_s);
}

/* Bytes of the Jacobians of all ops. */
static double jacobian_bytes(const jc_program *program, const jc_cpu_program *impl)
{
    double bytes = 0;
    for (int64_t i = 0; i < impl->n_ops; i++) bytes += (double)jc_program_member_bytes(program, impl->ops[i].group);
    return bytes;
}

/* Predicted seconds of every value on one thread. */
static void predict_values(const jc_program *program, const jc_cpu_program *impl, double *seconds)
{
    const jc_value *values = program->plan->values;
    double jacobians_rate = cache_rate(jacobian_bytes(program, impl));
    for (int64_t v = 0; v < program->plan->n_values; v++) {
        seconds[v] = 0;
        for (int64_t i = values[v].first_step; i < values[v + 1].first_step; i++)
            seconds[v] += op_seconds(program, impl, i, jacobians_rate);
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
