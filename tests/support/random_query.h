/* Random requests to random graphs. */
#ifndef JT_RANDOM_QUERY_H
#define JT_RANDOM_QUERY_H

#include "support/random_graph.h"

enum { JT_MAX_ENDS = 4 };

typedef struct jt_query {
    jc_query query; /* of and wrt point into the lists below: do not copy the struct */
    int64_t of[JT_MAX_ENDS], wrt[JT_MAX_ENDS];
} jt_query;

/* 1 .. JT_MAX_ENDS different targets, as many sources or (one time in five) none named, any order. */
void jt_query_totals(jt_rng *rng, const jt_graph *graph, jt_query *query);

/* A vjp (one target) or jvp (one source) of width 1 .. 5. */
void jt_query_seeded(jt_rng *rng, const jt_graph *graph, jc_seed seed, jt_query *query);

#endif
