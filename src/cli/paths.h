/* What the command paths has found, for its two ways of saying it. */
#ifndef JC_CLI_PATHS_H
#define JC_CLI_PATHS_H

#include "cli/common.h"
#include "cli/formula.h"

/* A number that may not be known: it was not asked for, or it is 0 / 0. */
typedef struct jc_measure {
    bool known;
    double value;
} jc_measure;

typedef struct jc_listed_path {
    int64_t *edges; /* [n_edges] from the source on, owned */
    int64_t n_edges;
    jc_measure norm, share; /* of its product; over that of the total */
} jc_listed_path;

typedef struct jc_path_report {
    const jc_cli_shared *shared;
    const jc_graph *graph;
    int64_t of, wrt;
    const char *norm_name; /* "frobenius"; "none" */
    jc_formula_format format;
    const char *count;         /* of all paths from wrt to of */
    const char *through_text;  /* the list of --path, or NULL */
    const char *through_count; /* of the paths through just these variables, with --path */
    jc_measure norm, cancellation;
    const jc_results *product; /* with --path: the sum of their products, or NULL where it is not known */
    jc_listed_path *paths;     /* [n_paths], owned */
    int64_t n_paths;
    bool more;                 /* there are paths that are not listed */
    int64_t n_non_finite;      /* used edges with NaN or Inf, where the total has one */
    const int64_t *non_finite; /* borrowed */
    double load_s;
} jc_path_report;

void jc_path_report_print(const jc_path_report *report);
void jc_path_report_emit(const jc_path_report *report);

#endif
