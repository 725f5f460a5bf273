#include "plan/elimination/elimination.h"

#include <string.h>

#include "core/size.h"
#include "plan/elimination/replay.h"
#include "plan/elimination/search.h"

typedef struct search {
    const jc_pairs *pairs;
    jc_elimination_options options;
    int64_t n;      /* inner nodes */
    int64_t *order; /* [n] the best so far */
    int64_t *trial; /* [n] another one */
    int64_t cost;   /* of the best; INT64_MAX: none, or beyond counting */
    bool found;
    bool starts;        /* none was found that fits: `order` is the cheapest of the others */
    int64_t start_cost; /* of that */
} search;

/* Whether the values of the trial fit into the memory. With structures, what it costs is what its operations do: they
 * depend a little on the order. */
static jc_status look_at(const search *s, bool *fit, int64_t *cost)
{
    jc_elimination e;
    *fit = true;
    if (!s->options.entry_limit && !s->pairs->structures) return JC_OK;
    jc_status status = jc_replay(s->pairs, s->trial, s->n, JC_PRODUCTS_FREE, &e);
    if (status) return status;
    *fit = !s->options.entry_limit || e.peak_entries <= s->options.entry_limit;
    if (s->pairs->structures) *cost = e.cost;
    jc_elimination_fini(s->pairs->allocator, &e);
    return JC_OK;
}

static void copy_trial(search *s)
{
    memcpy(s->order, s->trial, (size_t)s->n * sizeof *s->order);
}

/* An order that does not fit, from which to look for one that does. */
static void keep_start(search *s, int64_t cost)
{
    if (s->found || (s->starts && cost >= s->start_cost)) return;
    copy_trial(s);
    s->starts = true, s->start_cost = cost;
}

/* Keeps the trial where it is the best so far, and fits. */
static jc_status keep(search *s, int64_t cost)
{
    bool fit;
    if (s->found && cost >= s->cost) return JC_OK;
    jc_status status = look_at(s, &fit, &cost);
    if (!status && !fit) keep_start(s, cost);
    if (status || !fit || (s->found && cost >= s->cost)) return status;
    copy_trial(s);
    s->cost = cost;
    s->found = true;
    return JC_OK;
}

/* The topological order of the inner nodes as the trial, or the other way round. */
static void try_sweep(search *s, bool reverse)
{
    for (int64_t i = 0; i < s->n; i++) s->trial[i] = s->pairs->inner[reverse ? s->n - 1 - i : i];
}

/* ---- small graphs ------------------------------------------------------------------------------------------------ */

/* One rule with every way to break ties. */
static jc_status try_rule(search *s, jc_adjacency *a, jc_choice rule, bool narrow, bool twins)
{
    enum { RANDOM = 3 };
    jc_status status = JC_OK;
    for (int64_t i = 0; i < 2 + RANDOM && !status && a->work < s->options.work / 2; i++) {
        jc_greedy how = {rule,
                         i == 0   ? JC_TIE_LATE
                         : i == 1 ? JC_TIE_EARLY
                                  : JC_TIE_RANDOM,
                         narrow, twins, s->options.seed + (uint64_t)i};
        int64_t cost;
        status = jc_greedy_order(a, &how, s->trial, &cost);
        if (!status) status = keep(s, cost);
    }
    return status;
}

/* Rules that look at pairs of neighbours of every node are for graphs of a few hundred nodes. */
static jc_status try_rules(search *s, jc_adjacency *a)
{
    enum { FEW = 300 };
    jc_status status = JC_OK;
    for (int rule = 0; rule < JC_CHOICE_COUNT && !status; rule++)
        for (int way = 0; way < 4 && !status && (rule < JC_CHOICE_FILL || s->n <= FEW); way++)
            status = try_rule(s, a, (jc_choice)rule, way & 1, way & 2);
    return status;
}

static jc_status try_sweeps(search *s, jc_adjacency *a)
{
    jc_status status = JC_OK;
    for (int reverse = 1; reverse >= 0 && !status; reverse--) {
        int64_t cost;
        try_sweep(s, reverse);
        status = jc_adjacency_order_cost(a, s->trial, s->n, &cost);
        if (!status) status = keep(s, cost);
    }
    return status;
}

/* Whether the exact search's costs of a node, of some ten steps each, are within the work. */
static bool exact_is_cheap(const search *s)
{
    int64_t steps = s->pairs->structures ? 20 : 5;
    return s->n <= JC_EXACT_NODES && (steps << s->n) * s->n <= s->options.work;
}

/* ---- large graphs --------------------------------------------------------------------------------------------------
 */

/* One way in which an order for a large graph is found; *products: how many it formed. */
static jc_status try_way(search *s, jc_sparse_way way, bool late, int64_t most, int64_t *products)
{
    int64_t bound = s->found ? s->cost : s->options.bound < 0 ? INT64_MAX : s->options.bound, cost;
    jc_sparse how = {way, late, most, bound};
    bool found;
    jc_status status = jc_sparse_order(s->pairs, &how, &found, s->trial, &cost, products);
    return status || !found ? status : keep(s, cost);
}

/* All ways, within a number of products together. */
static jc_status try_ways(search *s, int64_t most)
{
    jc_status status = JC_OK;
    for (int i = 0; i < 2 * JC_SPARSE_WAYS && !status && most > 0; i++) {
        int64_t products = 0;
        status = try_way(s, (jc_sparse_way)(i / 2), i % 2 == 0, most, &products);
        most -= products;
    }
    return status;
}

/* A graph that is not small beside the work. */
static bool is_huge(const search *s)
{
    return s->pairs->n_nodes > JC_ADJACENCY_NODES && s->pairs->n_pairs > s->options.work / 20 / 2;
}

/* A graph that is not small beside the work: where another order is known it is left to that one, else a contraction
 * and both sweeps are looked at, in a few passes over the graph. */
static jc_status search_huge(search *s)
{
    int64_t most = jc_cost_mul(8, s->pairs->n_pairs), products;
    if (s->options.bound >= 0) return JC_OK;
    jc_status status = try_way(s, JC_SPARSE_CONTRACT, true, most, &products);
    if (!status) status = try_way(s, JC_SPARSE_SWEEP, true, most, &products);
    if (!status) status = try_way(s, JC_SPARSE_SWEEP, false, most, &products);
    return status;
}

/* A product takes some 20 steps. */
static jc_status search_large(search *s)
{
    int64_t most = s->options.work / 20;
    return is_huge(s) ? search_huge(s) : try_ways(s, most);
}

/* ---- the search ------------------------------------------------------------------------------------------------- */

/* The best order of all, if it fits. */
static jc_status try_exact(search *s, jc_adjacency *a)
{
    int64_t cost = INT64_MAX;
    jc_status status = jc_exact_order(a, s->found ? s->cost : INT64_MAX, s->trial, &cost);
    return status || cost == INT64_MAX ? status : keep(s, cost);
}

/* The best order so far, improved with the work that is left. */
static jc_status anneal(search *s, jc_adjacency *a)
{
    int64_t cost;
    if (!s->found) return JC_OK;
    memcpy(s->trial, s->order, (size_t)s->n * sizeof *s->trial);
    jc_status status = jc_adjacency_order_cost(a, s->trial, s->n, &cost);
    if (!status) status = jc_anneal_order(a, s->options.work - a->work, s->options.seed, s->trial, &cost);
    return status ? status : keep(s, cost);
}

static jc_status search_with(search *s, jc_adjacency *a)
{
    bool exact = exact_is_cheap(s);
    jc_status status = try_sweeps(s, a);
    if (!status && exact) status = try_exact(s, a);
    if (status || (exact && !s->options.entry_limit)) return status;
    status = try_ways(s, s->options.work / 20);
    if (!status) status = try_rules(s, a);
    if (!status) status = anneal(s, a);
    return status;
}

static jc_status search_small(search *s)
{
    jc_adjacency a;
    jc_status status = jc_adjacency_init(&a, s->pairs);
    if (status) return status;
    status = search_with(s, &a);
    if (!status) status = a.status;
    jc_adjacency_fini(&a);
    return status;
}

static jc_status find_order(search *s)
{
    bool chain = jc_pairs_are_chain(s->pairs) && jc_chain_is_cheap(s->pairs, s->options.work);
    if (chain) {
        int64_t cost;
        jc_status status = jc_chain_order(s->pairs, s->options.work, s->trial, &cost);
        if (!status) status = keep(s, cost);
        if (status || (s->found && s->pairs->n_pairs < jc_chain_limit(s->pairs, s->options.work))) return status;
    }
    return s->pairs->n_nodes <= JC_ADJACENCY_NODES ? search_small(s) : search_large(s);
}

/* Under a limit on memory the order is improved by what its values hold. */
static jc_status fit_order(search *s)
{
    jc_limited how = {s->options.entry_limit, s->options.work / 2, s->options.seed};
    bool found;
    int64_t cost;
    if (!how.entry_limit || !(s->found || s->starts)) return JC_OK;
    memcpy(s->trial, s->order, (size_t)s->n * sizeof *s->trial);
    jc_status status = jc_limited_order(s->pairs, &how, s->trial, &found, &cost);
    if (status || !found || (s->found && cost >= s->cost)) return status;
    copy_trial(s);
    s->cost = cost, s->found = true;
    return JC_OK;
}

/* The order found, or the one given, as operations. */
static jc_status search_and_replay(search *s, bool *found, jc_elimination *elimination)
{
    const jc_allocator *a = s->pairs->allocator;
    jc_status status = jc_alloc(a, s->n, sizeof *s->order, "an order of elimination", &s->order);
    if (!status) status = jc_alloc(a, s->n, sizeof *s->trial, "an order of elimination", &s->trial);
    if (!status && s->options.sequence)
        memcpy(s->order, s->options.sequence, (size_t)s->n * sizeof *s->order);
    else if (!status && !(status = find_order(s)))
        status = fit_order(s);
    bool good = s->options.sequence || (s->found && (s->options.bound < 0 || s->cost < s->options.bound));
    bool wanted = !status && good;
    if (wanted) status = jc_replay(s->pairs, s->order, s->n, JC_PRODUCTS_FREE, elimination);
    if (!status) *found = wanted;
    jc_free(a, s->order, s->n, sizeof *s->order);
    jc_free(a, s->trial, s->n, sizeof *s->trial);
    return status;
}

jc_status jc_elimination_create(const jc_graph *graph, const jc_subgraph *subgraph,
                                const jc_elimination_options *options, bool *found, jc_elimination *elimination)
{
    jc_pairs pairs;
    jc_status status = jc_pairs_create(graph, subgraph, options->tape_limit, &pairs);
    if (status) return status;
    search s = {.pairs = &pairs, .options = *options, .n = pairs.n_inner};
    if (!s.options.work) s.options.work = JC_ELIMINATION_WORK;
    pairs.pattern_work = jc_cost_mul(20, s.options.work);
    if (options->sequence) status = jc_sequence_check(graph, &pairs, options->sequence, options->n_sequence);
    bool left_to_others = is_huge(&s) && options->bound >= 0 && !options->sequence && !jc_pairs_are_chain(&pairs);
    if (!status && !left_to_others) status = jc_pairs_find_structures(graph, &pairs);
    if (!status) status = search_and_replay(&s, found, elimination);
    if (!status && *found) elimination->structures = pairs.structures, pairs.structures = NULL;
    jc_pairs_fini(&pairs);
    return status;
}
