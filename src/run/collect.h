/* Results of jc_evaluate: one matrix for each output, gathered from one run or from many windows. */
#ifndef JC_RUN_COLLECT_H
#define JC_RUN_COLLECT_H

#include "backend/backend.h"

typedef struct jc_result_key {
    int64_t of, wrt, index;
} jc_result_key;

struct jc_results {
    jc_allocator allocator;
    jc_graph *graph;     /* owned, where it was made for these results; else NULL */
    jc_plan *plan;       /* of the whole query, owned */
    jc_program *program; /* of the whole query, owned; NULL when it was cut into windows */
    jc_run *run;         /* owned; holds the results that are not copied; NULL with windows */
    int64_t n;
    jc_result *items;    /* [n] as the user sees them */
    void **owned;        /* [n] copied data, or NULL */
    jc_result_key *keys; /* [n] by (of, wrt) */
    jc_results_info info;
    jc_vec non_finite;                                     /* int64_t edges */
    char device[JC_DEVICE_BYTES], reason[JC_REASON_BYTES]; /* of info */
};

/* An item for every output of r->plan, still without data. */
jc_status jc_results_prepare(jc_results *r);

/* Forgets all but the plan: to begin again. */
void jc_results_clear(jc_results *r);

/* The working type of all results, those without numbers too. */
void jc_results_set_dtype(jc_results *r, jc_dtype dtype);

/* Takes what a pass has computed. may_borrow: what lies in the run as the user wants it is not copied. */
jc_status jc_results_collect(jc_results *r, const jc_run *run, const jc_pass *pass, bool may_borrow);

/* When a result has NaN or Inf: which edges' numbers have. */
jc_status jc_results_find_non_finite(jc_results *r);

/* As jc_evaluate, on this backend whatever the options name. */
jc_status jc_evaluate_on(const jc_graph *graph, const jc_query *query, const jc_backend *backend,
                         const jc_evaluate_options *options, jc_results **results);

#endif
