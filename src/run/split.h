/* A split: its terms, and how they are held against the total. */
#ifndef JC_RUN_SPLIT_H
#define JC_RUN_SPLIT_H

#include "run/collect.h"

struct jc_split {
    jc_allocator allocator;
    int64_t of, wrt;
    jc_results *total; /* owned; NULL without numbers */
    int64_t n_terms, n_owned;
    jc_split_term *terms; /* [n_owned] */
    void **owned;         /* [n_owned] their numbers, size(T) x size(S) of the working type, or NULL */
    jc_split_info info;
};

/* info.difference, bound and verdict, of terms and a total that are there. query, options: those of the total. */
jc_status jc_split_judge(jc_split *split, const jc_graph *graph, const jc_query *query,
                         const jc_evaluate_options *options);

#endif
