/* The ways in which an order is looked for. Each writes an order of the inner nodes. */
#ifndef JC_PLAN_ELIMINATION_SEARCH_H
#define JC_PLAN_ELIMINATION_SEARCH_H

#include "plan/elimination/adjacency.h"

/* ---- sequence.c ---- */

/* JC_E_USAGE, naming what is missing, there twice or not between others, where a sequence is not all inner nodes. */
jc_status jc_sequence_check(const jc_graph *graph, const jc_pairs *pairs, const int64_t *sequence, int64_t n);

/* ---- chain.c ---- */

enum { JC_CHAIN_EXACT = 1200, JC_CHAIN_LONG = 50000 };

/* Whether the graph is a chain from one source to one target with nothing else asked for. */
bool jc_pairs_are_chain(const jc_pairs *pairs);

/* Factors from which on a chain is bracketed in pieces: JC_CHAIN_EXACT, fewer with structures, and fewer where the
 * whole would take several times the work (JC_ELIMINATION_WORK is enough for JC_CHAIN_EXACT). */
int64_t jc_chain_limit(const jc_pairs *pairs, int64_t work);

/* Whether a chain is short enough to be bracketed at all, and its patterns are small enough. */
bool jc_chain_is_cheap(const jc_pairs *pairs, int64_t work);

/* The best bracketing of a chain of fewer than jc_chain_limit factors, by dynamic programming: O(n^3) steps of a
 * nanosecond (with structures, of some twenty), n^2 numbers. A longer one, of fewer than JC_CHAIN_LONG, is bracketed in
 * pieces. */
jc_status jc_chain_order(const jc_pairs *pairs, int64_t work, int64_t *order, int64_t *cost);

/* ---- exact.c: optimal ---- */

enum { JC_EXACT_NODES = 20 };

/* The best order of at most JC_EXACT_NODES inner nodes, by dynamic programming over the sets of eliminated ones:
 * 2^n n/2 costs of a node. Nothing of `order` is written where none costs less than `bound`. */
jc_status jc_exact_order(jc_adjacency *a, int64_t bound, int64_t *order, int64_t *cost);

/* ---- greedy.c ---- */

typedef enum jc_choice {
    JC_CHOICE_MARKOWITZ, /* the least cost now */
    JC_CHOICE_RELATIVE,  /* less what it would cost as the last one: the sources and targets that it joins */
    JC_CHOICE_FILL,      /* the least fill-in */
    JC_CHOICE_DAMAGE,    /* of the least cost now, the one that makes its neighbours' cost grow least */
    JC_CHOICE_COUNT
} jc_choice;

typedef enum jc_tie { JC_TIE_EARLY, JC_TIE_LATE, JC_TIE_RANDOM } jc_tie;

typedef struct jc_greedy {
    jc_choice rule;
    jc_tie tie;
    bool narrow; /* nodes with one pair in or one pair out before others */
    bool twins;  /* nodes with the same neighbours one after the other */
    uint64_t seed;
} jc_greedy;

jc_status jc_greedy_order(jc_adjacency *a, const jc_greedy *how, int64_t *order, int64_t *cost);

/* ---- anneal.c ---- */

/* Improves an order of that cost by moving nodes within it, for `work` steps. */
jc_status jc_anneal_order(jc_adjacency *a, int64_t work, uint64_t seed, int64_t *order, int64_t *cost);

/* ---- sparse.c ---- */

typedef enum jc_sparse_way {
    JC_SPARSE_CONTRACT, /* what makes the graph no larger, then the rest as a sweep would */
    JC_SPARSE_SWEEP,    /* as a sweep would */
    JC_SPARSE_MARKOWITZ,
    JC_SPARSE_WAYS
} jc_sparse_way;

typedef struct jc_sparse {
    jc_sparse_way way;
    bool late;     /* ties: late nodes first; a sweep: the reverse one */
    int64_t most;  /* products of pairs */
    int64_t bound; /* on the cost; INT64_MAX: none */
} jc_sparse;

/* An order for a graph of any size; *found = false where it forms more products, or does not cost less than the bound.
 * *products: how many were formed until then. */
jc_status jc_sparse_order(const jc_pairs *pairs, const jc_sparse *how, bool *found, int64_t *order, int64_t *cost,
                          int64_t *products);

/* ---- limited.c ---- */

typedef struct jc_limited {
    int64_t entry_limit; /* most entries of values at once */
    int64_t work;        /* steps */
    uint64_t seed;
} jc_limited;

/* Improves an order by moving nodes within it, first until its values fit, then its cost. *found = false: they do not
 * fit. The cost is that of its operations. */
jc_status jc_limited_order(const jc_pairs *pairs, const jc_limited *how, int64_t *order, bool *found, int64_t *cost);

#endif
