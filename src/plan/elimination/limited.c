/* Orders whose values fit into a memory: a local search on the operations themselves, since what lives at once depends
 * on the order of all of them. */
#include <string.h>

#include "core/size.h"
#include "plan/elimination/draw.h"
#include "plan/elimination/replay.h"
#include "plan/elimination/search.h"

/* How good an order is: first how far over the limit, then its cost. */
typedef struct rating {
    int64_t over, cost;
    int64_t work; /* steps of finding out */
} rating;

static jc_status rate(const jc_pairs *pairs, const int64_t *order, int64_t limit, rating *r)
{
    enum { OP_STEPS = 60, PAIR_STEPS = 20 };
    jc_elimination e;
    jc_status status = jc_replay(pairs, order, pairs->n_inner, JC_PRODUCTS_FREE, &e);
    if (status) return status;
    r->over = jc_max(0, e.peak_entries - limit);
    r->cost = e.cost;
    r->work = jc_cost_add(jc_cost_mul(OP_STEPS, e.n_ops), jc_cost_mul(PAIR_STEPS, pairs->n_pairs));
    jc_elimination_fini(pairs->allocator, &e);
    return JC_OK;
}

/* Where both are as good, the new one: the search walks over plains. */
static bool is_as_good(const rating *a, const rating *b)
{
    return a->over != b->over ? a->over < b->over : a->cost <= b->cost || a->over > 0;
}

/* to [n] = from with one node moved to another place. */
static void move_one(jc_draw *draw, const int64_t *from, int64_t n, int64_t *to)
{
    int64_t i = jc_draw_below(draw, n), j = jc_draw_below(draw, n);
    memcpy(to, from, (size_t)n * sizeof *to);
    if (i < j)
        memmove(to + i, to + i + 1, (size_t)(j - i) * sizeof *to);
    else
        memmove(to + j + 1, to + j, (size_t)(i - j) * sizeof *to);
    to[j] = from[i];
}

jc_status jc_limited_order(const jc_pairs *pairs, const jc_limited *how, int64_t *order, bool *found, int64_t *cost)
{
    int64_t n = pairs->n_inner, *trial = NULL, work = how->work;
    jc_draw draw = {how->seed};
    rating best = {0}, next = {0};
    jc_status status = jc_alloc(pairs->allocator, n, sizeof *trial, "an order of elimination", &trial);
    if (!status) status = rate(pairs, order, how->entry_limit, &best);
    for (work -= status ? 0 : best.work; n > 1 && work > 0 && !status; work -= next.work) {
        move_one(&draw, order, n, trial);
        status = rate(pairs, trial, how->entry_limit, &next);
        if (status || !is_as_good(&next, &best)) continue;
        memcpy(order, trial, (size_t)n * sizeof *order);
        best = next;
    }
    jc_free(pairs->allocator, trial, n, sizeof *trial);
    if (!status) *found = best.over == 0, *cost = best.cost;
    return status;
}
