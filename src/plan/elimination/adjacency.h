/* The graph while its nodes are eliminated, for the search: bit sets of neighbours, and a log by which eliminations are
 * taken back, last first. The graph that is left after a set of eliminations does not depend on their order (structures
 * may, a little, where a sum or product is held by more than it has). For small
 * graphs: memory grows with the square of the nodes. */
#ifndef JC_PLAN_ELIMINATION_ADJACENCY_H
#define JC_PLAN_ELIMINATION_ADJACENCY_H

#include "plan/elimination/pairs.h"
#include "plan/elimination/vertex.h"

enum { JC_ADJACENCY_NODES = 1024 };

typedef struct jc_adjacency {
    const jc_pairs *pairs; /* borrowed */
    int64_t n, words;      /* nodes; words of a bit set */
    uint64_t *in, *out;    /* [n][words]: u is in in[v] and v in out[u] where there is a pair (v,u) */
    uint64_t *fill;        /* [n][words]: u is in fill[v] where products were added to (v,u) */
    bool plain;            /* every pair costs what a dense matrix does: the tables below are NULL */
    int64_t *left, *right; /* [n][n] by of, wrt: applying the given pair as a left (right) factor; the same table where
                              no pair has operators */
    int64_t *left_operators, *right_operators, *convert; /* [n][n]; NULL: no pair has operators */
    int64_t base;                                        /* cost that every order has */
    jc_structures *structures;                           /* borrowed from the pairs; NULL: dense matrices */
    int32_t *structure;                                  /* [n][n] of the pairs that are there; NULL without them */
    jc_status status;                                    /* of looking structures up: then costs are INT64_MAX */

    int64_t n_done;
    int64_t *done;                           /* [n] nodes eliminated, in order */
    int64_t *done_log;                       /* [n] where the log of each begins */
    jc_vec log;                              /* uint64_t */
    int64_t *done_old;                       /* [n] the same of old */
    jc_vec old;                              /* int32_t structures that were there before */
    jc_factor *left_factors, *right_factors; /* [n] scratch */
    int64_t work;                            /* steps done so far */
} jc_adjacency;

/* At most JC_ADJACENCY_NODES nodes. */
jc_status jc_adjacency_init(jc_adjacency *a, const jc_pairs *pairs);
void jc_adjacency_fini(jc_adjacency *a);

/* Multiply-adds of eliminating `node` now, saturating. A failure is kept in a->status, which the next elimination
 * returns. */
int64_t jc_adjacency_cost(jc_adjacency *a, int64_t node);

jc_status jc_adjacency_eliminate(jc_adjacency *a, int64_t node);

/* Takes the last eliminations back until n_done are left. */
void jc_adjacency_rewind(jc_adjacency *a, int64_t n_done);

/* Cost of a whole order of the inner nodes, `base` included; the graph is as before. */
jc_status jc_adjacency_order_cost(jc_adjacency *a, const int64_t *order, int64_t n, int64_t *cost);

static inline uint64_t *jc_bits(const jc_adjacency *a, uint64_t *sets, int64_t node)
{
    return sets + node * a->words;
}

static inline bool jc_bits_has(const uint64_t *set, int64_t i)
{
    return set[i >> 6] >> (i & 63) & 1;
}

/* The first member at or after `from`, or -1: for (i = jc_bits_next(s, w, 0); i >= 0; i = jc_bits_next(s, w, i + 1)) */
static inline int64_t jc_bits_next(const uint64_t *set, int64_t words, int64_t from)
{
    int64_t w = from >> 6;
    if (w >= words) return -1;
    uint64_t bits = set[w] >> (from & 63);
    if (bits) return from + __builtin_ctzll(bits);
    while (++w < words)
        if (set[w]) return w * 64 + __builtin_ctzll(set[w]);
    return -1;
}

#endif
