/* The order of small products: each thread takes those of one level in the order of their Jacobians in memory, so that
 * these stream, and comes back to a destination for each of its products. The sum into a destination keeps its order,
 * which is that of the edges. */
#include <string.h>

#include "backend/cpu/lower.h"
#include "core/size.h"

enum { RADIX_BITS = 11, RADIX = 1 << RADIX_BITS, LEAST_OPS = 64 };

/* Products worth it: a Jacobian of fixed size has far more bytes than the vectors that are then no longer side by side.
 */
static bool all_fixed(const jc_cpu_op *ops, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!ops[i].fixed) return false;
    return true;
}

static int64_t edge_of(const jc_plan *plan, const jc_cpu_op *op)
{
    return ((const jc_group *)plan->graph->groups.data)[op->group].first_edge + op->member;
}

typedef struct range {
    int64_t low, high;
    bool sorted;
} range;

static range range_of(const jc_plan *plan, const jc_cpu_op *ops, int64_t n)
{
    range r = {INT64_MAX, 0, true};
    int64_t before = 0;
    for (int64_t i = 0; i < n; i++) {
        int64_t e = edge_of(plan, &ops[i]);
        r.low = jc_min(r.low, e), r.high = jc_max(r.high, e);
        if (e < before) r.sorted = false;
        before = e;
    }
    return r;
}

/* One stable pass over RADIX_BITS bits of the edge numbers. */
static void radix_pass(const jc_plan *plan, const jc_cpu_op *from, jc_cpu_op *to, int64_t n, int64_t low, int shift)
{
    int64_t place[RADIX] = {0}, sum = 0;
    for (int64_t i = 0; i < n; i++) place[(edge_of(plan, &from[i]) - low) >> shift & (RADIX - 1)]++;
    for (int b = 0; b < RADIX; b++) {
        int64_t count = place[b];
        place[b] = sum;
        sum += count;
    }
    for (int64_t i = 0; i < n; i++) to[place[(edge_of(plan, &from[i]) - low) >> shift & (RADIX - 1)]++] = from[i];
}

/* ops[0..n) of one level by edge; spare is as long. Linear: a level's edges are close together in most graphs. */
static void sort_by_edge(const jc_plan *plan, jc_cpu_op *ops, jc_cpu_op *spare, int64_t n)
{
    range r = range_of(plan, ops, n);
    if (r.sorted) return;
    jc_cpu_op *from = ops, *to = spare;
    for (int shift = 0; shift < 63 && (r.high - r.low) >> shift; shift += RADIX_BITS) {
        radix_pass(plan, from, to, n, r.low, shift);
        jc_cpu_op *swap = from;
        from = to, to = swap;
    }
    if (from != ops) memcpy(ops, from, (size_t)n * sizeof *ops);
}

/* Which ops of fixed size are followed by one whose Jacobian lies below in the same group: a reverse sweep over edges
 * that were numbered forward. */
static void mark_down(jc_cpu_op *ops, int64_t n)
{
    for (int64_t i = 0; i < n; i++) {
        const jc_cpu_op *next = i + 1 < n && ops[i + 1].group == ops[i].group ? &ops[i + 1] : NULL;
        if (next)
            ops[i].down = next->member < ops[i].member;
        else
            ops[i].down = i > 0 && ops[i - 1].group == ops[i].group && ops[i - 1].down;
    }
}

/* Most ops that one item has in one level. */
static int64_t longest_level(const jc_plan *plan)
{
    int64_t most = 0;
    for (int64_t l = 0; l < plan->n_levels; l++)
        most = jc_max(most, plan->values[plan->levels[l + 1]].first_step - plan->values[plan->levels[l]].first_step);
    return most;
}

/* The small products of an item, level by level. */
static void order_item(const jc_plan *plan, jc_cpu_program *impl, const jc_cpu_item *item, int64_t *level,
                       jc_cpu_op *spare)
{
    for (int64_t first = item->first; first < item->last;) {
        while (plan->values[plan->levels[*level + 1]].first_step <= first) ++*level;
        int64_t last = jc_min(item->last, plan->values[plan->levels[*level + 1]].first_step);
        jc_cpu_op *ops = impl->ops + first;
        if (last - first >= LEAST_OPS && all_fixed(ops, last - first)) sort_by_edge(plan, ops, spare, last - first);
        first = last;
    }
}

jc_status jc_cpu_order(const jc_program *program, jc_cpu_program *impl)
{
    const jc_plan *plan = program->plan;
    const jc_cpu_item *item = impl->items.data, *end = item + impl->items.count;
    int64_t n = longest_level(plan), level = 0;
    jc_cpu_op *spare;
    jc_status status = jc_alloc(&program->allocator, n, sizeof *spare, "the order of products", &spare);
    if (status) return status;
    for (; item < end; item++) {
        if (item->part) continue;
        if (n >= LEAST_OPS) order_item(plan, impl, item, &level, spare);
        mark_down(impl->ops + item->first, item->last - item->first);
    }
    jc_free(&program->allocator, spare, n, sizeof *spare);
    return JC_OK;
}
