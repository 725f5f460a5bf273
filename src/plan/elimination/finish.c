#include "plan/elimination/finish.h"

#include "core/size.h"

static const char *const WHAT = "the operations of an elimination";

typedef struct finish {
    const jc_pairs *pairs;
    jc_structures *structures;
    const int32_t *product_of;
    jc_elimination *made;
    jc_vec ops; /* jc_elimination_op: with the values of products of their own */
} finish;

static jc_elimination_value *value_at(const finish *f, int64_t value)
{
    return (jc_elimination_value *)f->made->values.data + value;
}

static jc_elimination_op *op_at(const finish *f, int64_t op)
{
    return (jc_elimination_op *)f->made->ops.data + op;
}

/* ---- values of products ------------------------------------------------------------------------------------------
 * In coarser blocks a product would cost more than in its own structure: more rows to apply the other factor to. In a
 * larger pattern it costs the same. */

static bool costs_more(const finish *f, int64_t op)
{
    int32_t product = f->product_of[op], held = value_at(f, op_at(f, op)->result)->structure;
    if (product < 0 || product == held || !op_at(f, op)->cost) return false;
    return jc_structures_at(f->structures, held)->kind <= JC_STRUCTURE_BLOCKS;
}

/* Whether the operation adds to the same product as the one before. */
static bool goes_on(const finish *f, int64_t op)
{
    if (!op) return false;
    const jc_elimination_op *a = op_at(f, op - 1), *b = op_at(f, op);
    return a->result == b->result && a->via == b->via && f->product_of[op - 1] == f->product_of[op];
}

static jc_status add_op(finish *f, const jc_elimination_op *op)
{
    return jc_vec_append(f->pairs->allocator, &f->ops, op, 1, WHAT);
}

/* The operations from `op` on that form one product, into a value of its own, which is then accumulated. *next: the
 * operation behind them. */
static jc_status form_apart(finish *f, int64_t op, int64_t *next)
{
    jc_elimination_op first = *op_at(f, op);
    jc_elimination_value part = {.of = first.of, .wrt = first.wrt, .structure = f->product_of[op]};
    int64_t value = f->made->values.count;
    jc_status status = jc_vec_append(f->pairs->allocator, &f->made->values, &part, 1, WHAT);
    do {
        jc_elimination_op step = *op_at(f, op++);
        step.result = value;
        if (!status) status = add_op(f, &step);
    } while (op < f->made->ops.count && goes_on(f, op) && !status);
    jc_elimination_op sum = {.kind = JC_ELIMINATION_ACCUMULATE,
                             .of = first.of,
                             .via = -1,
                             .wrt = first.wrt,
                             .left = JC_NO_OPERAND,
                             .right = value,
                             .result = first.result};
    *next = op;
    return status ? status : add_op(f, &sum);
}

static jc_status form_products_apart(finish *f)
{
    jc_status status = JC_OK;
    jc_elimination *e = f->made;
    int64_t op = 0;
    while (op < e->ops.count && !costs_more(f, op)) op++;
    if (op == e->ops.count) return JC_OK;
    f->ops = jc_vec_of(sizeof(jc_elimination_op));
    for (op = 0; op < e->ops.count && !status;) {
        if (costs_more(f, op))
            status = form_apart(f, op, &op);
        else
            status = add_op(f, op_at(f, op)), op++;
    }
    jc_vec old = e->ops;
    e->ops = f->ops;
    jc_vec_free(f->pairs->allocator, &old);
    return status;
}

/* ---- lives ------------------------------------------------------------------------------------------------------- */

static void find_uses(const finish *f)
{
    const jc_elimination *e = f->made;
    for (int64_t v = 0; v < e->values.count; v++) value_at(f, v)->last_op = -1;
    for (int64_t i = 0; i < e->ops.count; i++) {
        jc_elimination_op *op = op_at(f, i);
        op->first = value_at(f, op->result)->last_op < 0;
        value_at(f, op->result)->last_op = i;
        if (op->left >= 0) value_at(f, op->left)->last_op = i;
        if (op->right >= 0) value_at(f, op->right)->last_op = i;
    }
}

static int64_t entries_of(const finish *f, const jc_elimination_value *value)
{
    if (f->structures) return jc_structures_at(f->structures, value->structure)->entries;
    return jc_pair_entries(f->pairs, value->of, value->wrt);
}

/* Entries that are held while each operation is done: a value from its first operation to its last one, results to the
 * end. */
static void find_peak(const finish *f)
{
    jc_elimination *e = f->made;
    int64_t live = 0;
    for (int64_t i = 0; i < e->ops.count && e->peak_entries < INT64_MAX; i++) {
        const jc_elimination_op *op = op_at(f, i);
        int64_t used[3] = {op->result, op->left, op->right};
        if (op->first) live = jc_cost_add(live, entries_of(f, value_at(f, op->result)));
        e->peak_entries = jc_max(e->peak_entries, live);
        for (int k = 0; k < 3; k++) {
            const jc_elimination_value *value = used[k] < 0 ? NULL : value_at(f, used[k]);
            if (value && value->last_op == i && !value->result) live -= entries_of(f, value);
        }
    }
}

static void name_dense(const finish *f)
{
    for (int64_t v = 0; v < f->made->values.count && f->structures; v++) {
        jc_elimination_value *value = value_at(f, v);
        if (jc_structures_at(f->structures, value->structure)->kind == JC_STRUCTURE_DENSE) value->structure = -1;
    }
}

jc_status jc_elimination_finish(const jc_pairs *pairs, jc_structures *structures, const int32_t *product_of,
                                jc_elimination *e)
{
    finish f = {.pairs = pairs, .structures = structures, .product_of = product_of, .made = e};
    jc_status status = structures ? form_products_apart(&f) : JC_OK;
    if (status) return status;
    find_uses(&f);
    e->n_values = e->values.count, e->n_ops = e->ops.count;
    find_peak(&f);
    name_dense(&f);
    return JC_OK;
}
