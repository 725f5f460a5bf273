/* One node after the other, the one that a rule likes best (Griewank & Walther, ch. 10.2; Naumann, The art of
 * differentiating computer programs, 2012; Albrecht, Gottschling & Naumann, Markowitz-type heuristics for computing
 * Jacobian matrices efficiently, ICCS 2003). */
#include "core/size.h"
#include "plan/elimination/draw.h"
#include "plan/elimination/search.h"

typedef struct greedy {
    jc_adjacency *a;
    const jc_greedy *how;
    int64_t n;          /* nodes left */
    int64_t *left;      /* [n] them */
    int64_t *key;       /* [nodes] what the rule says of each */
    int64_t *last_cost; /* [nodes] RELATIVE: cost between the sources and targets alone */
    jc_draw draw;
} greedy;

/* ---- rules ------------------------------------------------------------------------------------------------------- */

/* Sizes of the pairs that eliminating the node makes. */
static int64_t fill_in(const jc_adjacency *a, int64_t node)
{
    const uint64_t *in = a->in + node * a->words, *out = a->out + node * a->words;
    const int64_t *size = a->pairs->subgraph->size;
    int64_t sum = 0;
    for (int64_t t = jc_bits_next(out, a->words, 0); t >= 0; t = jc_bits_next(out, a->words, t + 1))
        for (int64_t u = jc_bits_next(in, a->words, 0); u >= 0; u = jc_bits_next(in, a->words, u + 1))
            if (!jc_bits_has(a->in + t * a->words, u)) sum = jc_cost_add(sum, jc_cost_mul(size[t], size[u]));
    return sum;
}

static int64_t key_of(greedy *g, int64_t node)
{
    switch (g->how->rule) {
    case JC_CHOICE_RELATIVE:
        return jc_adjacency_cost(g->a, node) - g->last_cost[node];
    case JC_CHOICE_FILL:
        return fill_in(g->a, node);
    default:
        return jc_adjacency_cost(g->a, node);
    }
}

/* Sum of the costs of the neighbours that are still to be eliminated. */
static int64_t neighbours_cost(greedy *g, int64_t node)
{
    jc_adjacency *a = g->a;
    int64_t sum = 0;
    a->work += g->n / 2;
    for (int64_t i = 0; i < g->n; i++) {
        int64_t v = g->left[i];
        if (v == node || !(jc_bits_has(jc_bits(a, a->in, node), v) || jc_bits_has(jc_bits(a, a->out, node), v)))
            continue;
        sum = jc_cost_add(sum, jc_adjacency_cost(a, v));
    }
    return sum;
}

/* How much more its neighbours cost once the node is gone. The node's own sets do not change by that. */
static jc_status damage(greedy *g, int64_t node, int64_t *grown)
{
    int64_t before = neighbours_cost(g, node);
    jc_status status = jc_adjacency_eliminate(g->a, node);
    if (status) return status;
    *grown = neighbours_cost(g, node) - before;
    jc_adjacency_rewind(g->a, g->a->n_done - 1);
    return JC_OK;
}

/* rows x cols of what a node joins in the end: the sources that reach it and the targets that it reaches. */
static jc_status find_last_costs(greedy *g)
{
    jc_adjacency *a = g->a;
    const jc_pairs *p = a->pairs;
    int64_t n = a->n, w = a->words;
    uint64_t *reach;
    jc_status status = jc_alloc_zero(p->allocator, 2 * n * w, sizeof *reach, "an order of elimination", &reach);
    if (status) return status;
    for (int64_t v = 0; v < n; v++) {
        if (p->is_source[v]) reach[v * w + v / 64] |= UINT64_C(1) << (v % 64);
        for (int64_t k = p->in_start[v]; k < p->in_start[v + 1]; k++)
            for (int64_t i = 0; i < w; i++) reach[v * w + i] |= reach[p->pairs[k].wrt * w + i];
    }
    uint64_t *reached = reach + n * w;
    for (int64_t v = n; v-- > 0;) {
        if (p->is_target[v]) reached[v * w + v / 64] |= UINT64_C(1) << (v % 64);
        for (int64_t k = p->in_start[v]; k < p->in_start[v + 1]; k++)
            for (int64_t i = 0; i < w; i++) reached[p->pairs[k].wrt * w + i] |= reached[v * w + i];
    }
    for (int64_t v = 0; v < n; v++) {
        int64_t cols = 0, rows = 0;
        for (int64_t i = 0; i < n; i++) {
            if (jc_bits_has(reach + v * w, i)) cols = jc_cost_add(cols, p->subgraph->size[i]);
            if (jc_bits_has(reached + v * w, i)) rows = jc_cost_add(rows, p->subgraph->size[i]);
        }
        g->last_cost[v] = jc_cost_mul(jc_cost_mul(rows, cols), p->subgraph->size[v]);
    }
    jc_free(p->allocator, reach, 2 * n * w, sizeof *reach);
    return JC_OK;
}

/* ---- choice ------------------------------------------------------------------------------------------------------ */

/* 0 where the node has one pair in or one pair out and such come first, else 1. */
static int rank_of(const greedy *g, int64_t node)
{
    const jc_adjacency *a = g->a;
    int64_t in = 0, out = 0;
    if (!g->how->narrow) return 1;
    for (int64_t w = 0; w < a->words; w++) {
        in += __builtin_popcountll(a->in[node * a->words + w]);
        out += __builtin_popcountll(a->out[node * a->words + w]);
    }
    return in > 1 && out > 1;
}

/* Whether a candidate as good as `ties` others is to be taken in their place; candidates come in topological order. */
static bool wins_tie(greedy *g, int64_t ties)
{
    return g->how->tie == JC_TIE_LATE || (g->how->tie == JC_TIE_RANDOM && !jc_draw_below(&g->draw, ties + 1));
}

/* The place in `left` of the node to take next. */
static jc_status choose(greedy *g, int64_t *place)
{
    int64_t best = -1, ties = 0, least = 0, least_damage = 0;
    int rank = 0;
    g->a->work += g->n * (1 + (g->how->narrow ? g->a->words : 0)) / 4;
    for (int64_t i = 0; i < g->n; i++) {
        int64_t node = g->left[i], key = g->key[node], grown = 0;
        int r = rank_of(g, node);
        if (best >= 0 && (r > rank || (r == rank && key > least))) continue;
        if (g->how->rule == JC_CHOICE_DAMAGE) {
            jc_status status = damage(g, node, &grown);
            if (status) return status;
        }
        bool better = best < 0 || r < rank || key < least || grown < least_damage;
        bool same = !better && grown == least_damage;
        if (!better && !(same && wins_tie(g, ++ties))) continue;
        if (better) ties = 0;
        best = i, rank = r, least = key, least_damage = grown;
    }
    *place = best;
    return JC_OK;
}

/* Keys that the elimination of a node changes: of its neighbours; of fill-in, of all. */
static void renew_keys(greedy *g, int64_t node)
{
    jc_adjacency *a = g->a;
    const uint64_t *in = jc_bits(a, a->in, node), *out = jc_bits(a, a->out, node);
    for (int64_t i = 0; i < g->n; i++) {
        int64_t v = g->left[i];
        if (g->how->rule == JC_CHOICE_FILL || jc_bits_has(in, v) || jc_bits_has(out, v)) g->key[v] = key_of(g, v);
    }
}

static bool same_set(const jc_adjacency *a, const uint64_t *sets, int64_t v, int64_t w)
{
    for (int64_t i = 0; i < a->words; i++)
        if (sets[v * a->words + i] != sets[w * a->words + i]) return false;
    return true;
}

/* Takes the node in place `place` out of what is left and eliminates it. */
static jc_status take(greedy *g, int64_t place, int64_t *order, int64_t *cost)
{
    int64_t node = g->left[place];
    g->n--;
    for (int64_t i = place; i < g->n; i++) g->left[i] = g->left[i + 1];
    order[g->a->n_done] = node;
    *cost = jc_cost_add(*cost, jc_adjacency_cost(g->a, node));
    jc_status status = jc_adjacency_eliminate(g->a, node);
    if (!status) renew_keys(g, node);
    return status;
}

/* The node that the rule chooses, then its twins: their neighbours are what its own were. */
static jc_status take_next(greedy *g, int64_t *order, int64_t *cost)
{
    int64_t place = 0;
    jc_status status = choose(g, &place);
    if (status) return status;
    int64_t node = g->left[place];
    status = take(g, place, order, cost);
    for (int64_t i = 0; i < g->n && g->how->twins && !status; i++) {
        int64_t v = g->left[i];
        if (!same_set(g->a, g->a->in, v, node) || !same_set(g->a, g->a->out, v, node)) continue;
        status = take(g, i--, order, cost);
    }
    return status;
}

static jc_status run(greedy *g, int64_t *order, int64_t *cost)
{
    const jc_pairs *p = g->a->pairs;
    jc_status status = g->how->rule == JC_CHOICE_RELATIVE ? find_last_costs(g) : JC_OK;
    int64_t sum = g->a->base;
    if (status) return status;
    for (g->n = 0; g->n < p->n_inner; g->n++) g->left[g->n] = p->inner[g->n];
    for (int64_t i = 0; i < g->n; i++) g->key[g->left[i]] = key_of(g, g->left[i]);
    while (g->n && !status) status = take_next(g, order, &sum);
    jc_adjacency_rewind(g->a, 0);
    *cost = sum;
    return status;
}

jc_status jc_greedy_order(jc_adjacency *a, const jc_greedy *how, int64_t *order, int64_t *cost)
{
    const jc_allocator *alloc = a->pairs->allocator;
    greedy g = {.a = a, .how = how, .draw = {how->seed}};
    jc_status status = jc_alloc(alloc, a->n, sizeof *g.left, "an order of elimination", &g.left);
    if (!status) status = jc_alloc(alloc, a->n, sizeof *g.key, "an order of elimination", &g.key);
    if (!status) status = jc_alloc(alloc, a->n, sizeof *g.last_cost, "an order of elimination", &g.last_cost);
    if (!status) status = run(&g, order, cost);
    jc_free(alloc, g.left, a->n, sizeof *g.left);
    jc_free(alloc, g.key, a->n, sizeof *g.key);
    jc_free(alloc, g.last_cost, a->n, sizeof *g.last_cost);
    return status;
}
