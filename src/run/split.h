/* A split: its terms, and how they are held against the total. */
#ifndef JC_RUN_SPLIT_H
#define JC_RUN_SPLIT_H

#include "run/collect.h"

struct jc_split {
    jc_allocator allocator;
    int64_t of, wrt;
    jc_results *total; /* owned; NULL without numbers. With `shared`: of every variable cut at, and then of S */
    int64_t total_index;
    bool shared;       /* total and terms have the left factors in common, bit for bit: without rules, at the first */
    double *magnitude; /* [size(T) x size(S)] M of split_judge.c */
    int64_t n_terms, n_owned;
    jc_split_term *terms; /* [n_owned] */
    void **owned;         /* [n_owned] their numbers, size(T) x size(S) of the working type, or NULL */
    jc_split_info info;
};

/* Adds to split->magnitude what the evaluation of this query, with its seed in the options, has in absolute values. */
jc_status jc_split_add_magnitude(jc_split *split, const jc_graph *graph, const jc_query *query,
                                 const jc_evaluate_options *options);

/* Adds a result of that to split->magnitude; NULL: it is not known. */
jc_status jc_split_take_magnitude(jc_split *split, const jc_results *results);

/* info.difference, bound and verdict, of terms and a total that are there. query: of the total; at [n_at]: Z. */
jc_status jc_split_judge(jc_split *split, const jc_graph *graph, const jc_query *query, const int64_t *at,
                         int64_t n_at);

#endif
