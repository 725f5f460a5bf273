/* What total, partial, vjp and jvp have in common: from the document to printed, or written, results. */
#ifndef JC_CLI_PRODUCT_H
#define JC_CLI_PRODUCT_H

#include "cli/common.h"

typedef struct jc_product {
    jc_cli_shared shared; /* first: the shared tables of options point to the start */
    const char *graph_path;
    jc_seed seed;          /* NONE: totals */
    const char *seed_file; /* FILE[:NAME], or NULL */
    int64_t per_sample;    /* 0: whole totals */
    bool partial;          /* the local Jacobian in place of the total */
    bool compare;          /* the totals over all paths too, beside the restricted ones */
    const char *local;     /* of a partial: the variables that paths must not pass through; NULL: only its edges */
} jc_product;

/* Runs it; returns the exit code. */
int jc_product_run(const jc_product *product);

/* Writes all results to a file: whole or not at all. */
jc_status jc_cli_write_results(const jc_graph *graph, const jc_results *results, const char *path);

/* Refuses an output file that holds fewer results than the query has, where that is known before the work. */
bool jc_cli_check_result_count(const jc_cli_shared *shared, const jc_graph *graph, const jc_query *query,
                               int *exit_code);

/* Refuses a command line without --`option`; true when it is there. */
bool jc_product_needs(const jc_cli_shared *shared, const char *option, const char *value, int *exit_code);

#endif
