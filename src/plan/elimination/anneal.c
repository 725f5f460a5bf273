/* Simulated annealing over orders. A move takes one node out and puts it in elsewhere. The graph behind both places
 * does not depend on the order of what was eliminated before, so a move changes the costs between them and no others.
 */
#include <string.h>

#include "core/size.h"
#include "plan/elimination/draw.h"
#include "plan/elimination/search.h"

typedef struct annealer {
    jc_adjacency *a;
    int64_t n;
    int64_t *order, *cost_at;    /* [n] the order now, and what each elimination costs in it */
    int64_t *trial, *trial_cost; /* [n] the part of it that a move changes */
    int64_t cost;
    double heat; /* by how much a move may make it worse, on average */
    jc_draw draw;
} annealer;

/* Makes the first n nodes of the order the eliminated ones. */
static jc_status seek(annealer *s, int64_t n)
{
    jc_status status = JC_OK;
    int64_t same = jc_min(s->a->n_done, n);
    while (same > 0 && s->a->done[same - 1] != s->order[same - 1]) same--;
    jc_adjacency_rewind(s->a, same);
    while (s->a->n_done < n && !status) status = jc_adjacency_eliminate(s->a, s->order[s->a->n_done]);
    return status;
}

/* Costs of the nodes trial[0 .. n) from place `first` on, until they are more than `most` together. */
static jc_status try_order(annealer *s, int64_t first, int64_t n, int64_t most, int64_t *sum)
{
    jc_status status = seek(s, first);
    *sum = 0;
    for (int64_t i = 0; i < n && !status && *sum <= most; i++) {
        s->trial_cost[i] = jc_adjacency_cost(s->a, s->trial[i]);
        *sum = jc_cost_add(*sum, s->trial_cost[i]);
        if (*sum <= most) status = jc_adjacency_eliminate(s->a, s->trial[i]);
    }
    return status;
}

/* The node at place `from` to place `to`; kept where that is not too much worse. */
static jc_status move(annealer *s, int64_t from, int64_t to)
{
    int64_t first = jc_min(from, to), n = jc_max(from, to) - first + 1, before = 0, after;
    const int64_t *order = s->order + first;
    bool later = to > from;
    memcpy(s->trial + !later, order + later, (size_t)(n - 1) * sizeof *order);
    s->trial[later ? n - 1 : 0] = s->order[from];
    for (int64_t i = first; i < first + n; i++) before += s->cost_at[i];
    int64_t most = before + (int64_t)(s->heat * jc_draw_exponential(&s->draw));
    jc_status status = try_order(s, first, n, most, &after);
    if (status || after > most) return status;
    memcpy(s->order + first, s->trial, (size_t)n * sizeof *order);
    memcpy(s->cost_at + first, s->trial_cost, (size_t)n * sizeof *order);
    s->cost += after - before;
    return JC_OK;
}

/* A random move. Short ones are drawn more often: the distance is uniform up to a limit that is uniform itself. Moves
 * past nodes that are no neighbours change nothing. */
static jc_status move_anything(annealer *s)
{
    int64_t from = jc_draw_below(&s->draw, s->n), reach = 1 + jc_draw_below(&s->draw, s->n - 1);
    int64_t distance = 1 + jc_draw_below(&s->draw, reach);
    int64_t to = jc_draw_below(&s->draw, 2) ? from + distance : from - distance;
    if (to < 0 || to >= s->n) return JC_OK;
    return move(s, from, to);
}

static jc_status start(annealer *s, const int64_t *order)
{
    jc_status status = JC_OK;
    jc_adjacency_rewind(s->a, 0);
    memcpy(s->order, order, (size_t)s->n * sizeof *order);
    s->cost = s->a->base;
    for (int64_t i = 0; i < s->n && !status; i++) {
        s->cost_at[i] = jc_adjacency_cost(s->a, order[i]);
        s->cost = jc_cost_add(s->cost, s->cost_at[i]);
        status = jc_adjacency_eliminate(s->a, order[i]);
    }
    return status;
}

/* Cools down from `hottest` (in costs of an average elimination) over `work` steps, from the best order so far. */
static jc_status cool(annealer *s, double hottest, int64_t work, int64_t *best, int64_t *best_cost)
{
    jc_status status = start(s, best);
    int64_t began = s->a->work;
    double unit = (double)s->cost / (double)s->n;
    while (!status && s->a->work - began < work) {
        double left = 1.0 - (double)(s->a->work - began) / (double)work;
        s->heat = hottest * unit * left * left;
        status = move_anything(s);
        s->a->work++;
        if (status || s->cost >= *best_cost) continue;
        memcpy(best, s->order, (size_t)s->n * sizeof *best);
        *best_cost = s->cost;
    }
    return status;
}

static jc_status anneal(annealer *s, int64_t work, int64_t *order, int64_t *cost)
{
    enum { ROUNDS = 8 };
    jc_status status = JC_OK;
    for (int round = 0; round < ROUNDS && !status; round++)
        status = cool(s, round % 2 ? 0.05 : 0.4, work / ROUNDS, order, cost);
    jc_adjacency_rewind(s->a, 0);
    return status;
}

jc_status jc_anneal_order(jc_adjacency *a, int64_t work, uint64_t seed, int64_t *order, int64_t *cost)
{
    const jc_allocator *alloc = a->pairs->allocator;
    int64_t n = a->pairs->n_inner, *memory;
    annealer s = {.a = a, .n = n, .draw = {seed}};
    if (n < 2 || *cost > INT64_MAX / 4) return JC_OK;
    jc_status status = jc_alloc(alloc, 4 * n, sizeof *memory, "an order of elimination", &memory);
    if (status) return status;
    s.order = memory, s.cost_at = memory + n, s.trial = memory + 2 * n, s.trial_cost = memory + 3 * n;
    status = anneal(&s, work, order, cost);
    jc_free(alloc, memory, 4 * n, sizeof *memory);
    return status;
}
