/* The best order by dynamic programming over sets (Held and Karp's way): best[S] is the least cost of eliminating the
 * set S, and the graph that is left does not depend on the order,
 *
 *     best[S + v] = min over v of  best[S] + cost of v in the graph without S.
 *
 * Sets are walked through as binary numbers, so that from one to the next two eliminations are made or taken back on
 * average. */
#include "core/size.h"
#include "plan/elimination/search.h"

typedef struct search {
    jc_adjacency *a;
    int64_t n;
    const int64_t *inner; /* [n] node of bit i is inner[n - 1 - i]: the first bit changes most */
    int64_t *best;        /* [2^n] INT64_MAX: not reached */
    int8_t *last;         /* [2^n] the bit eliminated last on the best way */
    int64_t bound;
} search;

static int64_t node_of(const search *s, int bit)
{
    return s->inner[s->n - 1 - bit];
}

/* Makes the eliminated set `to` after it was `from` = to - 1: the high bits that both have stay. */
static jc_status step_to(search *s, int64_t to)
{
    int changed = 64 - __builtin_clzll((uint64_t)(to ^ (to - 1)));
    jc_adjacency_rewind(s->a, __builtin_popcountll((uint64_t)to >> changed));
    return jc_adjacency_eliminate(s->a, node_of(s, changed - 1));
}

/* From S to all sets with one node more. */
static void extend(search *s, int64_t set)
{
    for (int bit = 0; bit < s->n; bit++) {
        int64_t with = set | INT64_C(1) << bit;
        if (with == set) continue;
        int64_t cost = jc_cost_add(s->best[set], jc_adjacency_cost(s->a, node_of(s, bit)));
        if (cost >= s->best[with] || cost >= s->bound) continue;
        s->best[with] = cost, s->last[with] = (int8_t)bit;
    }
}

static jc_status walk(search *s)
{
    int64_t sets = INT64_C(1) << s->n;
    jc_status status = JC_OK;
    for (int64_t set = 0; set < sets; set++) s->best[set] = INT64_MAX;
    s->best[0] = s->a->base;
    extend(s, 0);
    for (int64_t set = 1; set < sets && !status; set++) {
        status = step_to(s, set);
        if (!status && s->best[set] < s->bound) extend(s, set);
    }
    jc_adjacency_rewind(s->a, 0);
    return status;
}

static void write_order(const search *s, int64_t *order)
{
    int64_t set = (INT64_C(1) << s->n) - 1;
    for (int64_t i = s->n; i-- > 0;) {
        int bit = s->last[set];
        order[i] = node_of(s, bit);
        set ^= INT64_C(1) << bit;
    }
}

jc_status jc_exact_order(jc_adjacency *a, int64_t bound, int64_t *order, int64_t *cost)
{
    const jc_allocator *alloc = a->pairs->allocator;
    search s = {.a = a, .n = a->pairs->n_inner, .inner = a->pairs->inner, .bound = bound};
    int64_t sets = INT64_C(1) << s.n;
    jc_status status = jc_alloc(alloc, sets, sizeof *s.best, "the sets of an exact search", &s.best);
    if (!status) status = jc_alloc(alloc, sets, sizeof *s.last, "the sets of an exact search", &s.last);
    if (!status) status = walk(&s);
    if (!status && s.best[sets - 1] < bound) {
        write_order(&s, order);
        *cost = s.best[sets - 1];
    }
    jc_free(alloc, s.best, sets, sizeof *s.best);
    jc_free(alloc, s.last, sets, sizeof *s.last);
    return status;
}
