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
    jc_measure norm, share;  /* of its product; over that of the total */
    jc_measure contribution; /* the product itself, with --top between scalars */
} jc_listed_path;

/* With --by: the paths that use the label equally often. */
typedef struct jc_path_part {
    int64_t uses;
    char *count; /* owned */
    jc_measure norm, share, contribution;
} jc_path_part;

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
    bool more;            /* there are paths that are not listed */
    bool top;             /* with --top: those of largest norm */
    bool exact, all_seen; /* jc_top_info's, with --top */
    double unseen_bound;  /* likewise */
    int64_t looked_at;    /* likewise */
    const char *by;       /* the label of --by, or NULL */
    jc_path_part *parts;  /* [n_parts], owned: in the order of uses */
    int64_t n_parts;
    jc_measure difference;     /* the norm of the sum of all parts less the total */
    int64_t n_non_finite;      /* used edges with NaN or Inf, where the total has one */
    const int64_t *non_finite; /* borrowed */
    double load_s;
} jc_path_report;

/* a / b; 0 / 0 is not known. */
jc_measure jc_path_ratio(double a, double b);

/* paths_top.c: the k paths of largest norm; the report has the norm of the total. */
jc_status jc_path_find_top(jc_path_report *report, const jc_query *query, int64_t k, int64_t search_limit,
                           bool spectral);

/* paths_by.c: the total by how many edges with the label by paths use. norm: a jc_norm; total NULL: counts alone. */
jc_status jc_path_split(jc_path_report *report, const jc_query *query, int norm, const jc_results *total);
void jc_path_parts_print(const jc_path_report *report);
void jc_path_parts_emit(jc_emit *e, const jc_path_report *report);
void jc_path_parts_free(jc_path_report *report);

/* What the reports share: a number in six digits, "-" where it is not known; null. */
const char *jc_path_measure_text(jc_measure m, char text[JC_NUMBER_BYTES]);
void jc_path_emit_measure(jc_emit *e, const char *key, jc_measure m);

void jc_path_report_print(const jc_path_report *report);
void jc_path_report_emit(const jc_path_report *report);

#endif
