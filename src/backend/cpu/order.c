/* The order of small products: each thread takes those of one level in the order of their Jacobians in memory, so that
 * these stream, and comes back to a destination for each of its products. The sum into a destination keeps its order,
 * which is that of the plan. */
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

/* Where the Jacobian of an op lies: its edge, or the place of a computed value in the arena. */
static int64_t edge_of(const jc_plan *plan, const jc_cpu_op *op)
{
    const jc_made *made = jc_plan_made(plan, op->group);
    if (made && made->of_group < 0) return op->member;
    return jc_plan_group(plan, made ? made->of_group : op->group)->first_edge + op->member;
}

/* Where an op is to stand: ops by key, those of one key as they stood. */
typedef struct rank {
    int64_t key, op;
} rank;

/* The value whose first op is `first`. */
static int64_t value_at(const jc_plan *plan, int64_t first)
{
    int64_t low = 0, high = plan->n_values;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (plan->values[middle].first_step < first)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

typedef struct range {
    int64_t low, high;
    bool sorted;
} range;

/* Ranks ops [first, last), which are those of whole values: the key of an op is its edge, but at least that of the op
 * before it into the same value. So the first op into a row, which writes it, stays before those that add to it. */
static range rank_ops(const jc_plan *plan, const jc_cpu_op *ops, int64_t first, int64_t last, rank *ranks)
{
    range r = {INT64_MAX, 0, true};
    int64_t value = value_at(plan, first), end = first, key = 0, before = 0;
    for (int64_t i = first; i < last; i++) {
        if (i == end) end = plan->values[++value].first_step, key = 0;
        key = jc_max(key, edge_of(plan, &ops[i]));
        ranks[i - first] = (rank){key, i};
        r.low = jc_min(r.low, key), r.high = jc_max(r.high, key);
        if (key < before) r.sorted = false;
        before = key;
    }
    return r;
}

/* One stable pass over RADIX_BITS bits of the keys. */
static void radix_pass(const rank *from, rank *to, int64_t n, int64_t low, int shift)
{
    int64_t place[RADIX] = {0}, sum = 0;
    for (int64_t i = 0; i < n; i++) place[(from[i].key - low) >> shift & (RADIX - 1)]++;
    for (int b = 0; b < RADIX; b++) {
        int64_t count = place[b];
        place[b] = sum;
        sum += count;
    }
    for (int64_t i = 0; i < n; i++) to[place[(from[i].key - low) >> shift & (RADIX - 1)]++] = from[i];
}

/* Room for sorting. */
typedef struct sort_room {
    jc_cpu_op *ops; /* [n] */
    rank *ranks[2]; /* [n] each */
    int64_t n;
} sort_room;

/* Ops [first, last) of one level by edge. Linear: a level's edges are close together in most graphs. */
static void sort_by_edge(const jc_plan *plan, jc_cpu_op *ops, int64_t first, int64_t last, const sort_room *room)
{
    int64_t n = last - first;
    range r = rank_ops(plan, ops, first, last, room->ranks[0]);
    if (r.sorted) return;
    int from = 0;
    for (int shift = 0; shift < 63 && (r.high - r.low) >> shift; shift += RADIX_BITS) {
        radix_pass(room->ranks[from], room->ranks[1 - from], n, r.low, shift);
        from = 1 - from;
    }
    for (int64_t i = 0; i < n; i++) room->ops[i] = ops[room->ranks[from][i].op];
    memcpy(ops + first, room->ops, (size_t)n * sizeof *ops);
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
                       const sort_room *room)
{
    for (int64_t first = item->first; first < item->last;) {
        while (plan->values[plan->levels[*level + 1]].first_step <= first) ++*level;
        int64_t last = jc_min(item->last, plan->values[plan->levels[*level + 1]].first_step);
        if (last - first >= LEAST_OPS && all_fixed(impl->ops + first, last - first))
            sort_by_edge(plan, impl->ops, first, last, room);
        first = last;
    }
}

static void room_fini(const jc_allocator *a, sort_room *r)
{
    jc_free(a, r->ranks[1], r->n, sizeof *r->ranks[1]);
    jc_free(a, r->ranks[0], r->n, sizeof *r->ranks[0]);
    jc_free(a, r->ops, r->n, sizeof *r->ops);
}

static jc_status room_init(const jc_allocator *a, int64_t n, sort_room *r)
{
    static const char *const what = "the order of products";
    *r = (sort_room){.n = n};
    jc_status status = jc_alloc(a, n, sizeof *r->ops, what, &r->ops);
    if (!status) status = jc_alloc(a, n, sizeof *r->ranks[0], what, &r->ranks[0]);
    if (!status) status = jc_alloc(a, n, sizeof *r->ranks[1], what, &r->ranks[1]);
    if (status) room_fini(a, r);
    return status;
}

jc_status jc_cpu_order(const jc_program *program, jc_cpu_program *impl)
{
    const jc_plan *plan = program->plan;
    const jc_cpu_item *items = impl->items.data;
    int64_t n = longest_level(plan), level = 0;
    sort_room room;
    jc_status status = room_init(&program->allocator, n < LEAST_OPS ? 0 : n, &room);
    if (status) return status;
    for (int64_t i = 0; i < impl->items.count; i++) {
        const jc_cpu_item *item = &items[i];
        if (item->part) continue;
        if (n >= LEAST_OPS) order_item(plan, impl, item, &level, &room);
        mark_down(impl->ops + item->first, item->last - item->first);
    }
    room_fini(&program->allocator, &room);
    return JC_OK;
}
