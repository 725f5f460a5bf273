/* What the files of the command norms share: the norms of dT/dV of every variable V, how they grow with the distance
 * from T, and their ways of being said.
 *
 *   graph --> rows, the nearest first --> families, growth --> table, JSON --> gnuplot's text --> picture
 *             norms.c                     norms_growth.c       norms_report.c  norms_plot.c       picture.c */
#ifndef JC_CLI_NORMS_H
#define JC_CLI_NORMS_H

#include "cli/common.h"
#include "cli/picture.h"

typedef struct jc_norm_row {
    int64_t variable, size;
    int64_t distance; /* fewest edges to T; -1: T does not depend on it */
    char *name;       /* owned */
    jc_norms norms;
    bool may_be_zero; /* the smallest singular value is no larger than what rounding makes of a zero */
} jc_norm_row;

/* A number that may not be known. */
typedef struct jc_rate {
    bool known;
    double factor;
} jc_rate;

/* Variables whose names differ in the step at their end only, h1, h2, .., and that with it never come nearer to T, or
 * never farther. */
typedef struct jc_norm_family {
    int64_t *rows; /* [n] their rows, by step. Owned */
    int64_t *step; /* [n] */
    int64_t n;
    size_t stem_bytes; /* of their names */
    bool advances;     /* no two are as far from T */
    jc_rate growth;    /* of the Frobenius norm, per step back */
} jc_norm_family;

typedef enum jc_norm_axis { JC_NORM_BY_DISTANCE, JC_NORM_BY_STEP } jc_norm_axis;

typedef struct jc_norm_report {
    const jc_cli_shared *shared;
    const jc_graph *graph; /* borrowed */
    int64_t of;
    char *of_name; /* owned */
    int64_t of_size;
    jc_norm_axis axis; /* of the picture */
    jc_norm_row *rows; /* [n_rows], owned */
    int64_t n_rows;
    bool named;               /* by --wrt */
    bool restricted;          /* by path rules */
    jc_norm_family *families; /* [n_families] of three members or more; owned */
    int64_t n_families;
    jc_rate growth; /* of the Frobenius norm, per edge */
    int64_t n_fitted;
    jc_results_info info; /* of the sweep; backend NULL: there was nothing to compute */
    double load_s;
} jc_norm_report;

/* Finds families and how norms grow:
 *   log norm = c + distance log factor    by least squares over the variables of positive finite norm
 * of all variables per edge, of a family per step back: from a later step to the one before. */
void jc_norm_report_fit(jc_norm_report *report);
void jc_norm_report_fini(jc_norm_report *report);

void jc_norm_report_print(const jc_norm_report *report);
void jc_norm_report_emit(const jc_norm_report *report);

/* gnuplot's text of the picture for one of its terminals, "svg", "pngcairo" or "pdfcairo". Errors stay with the stream.
 */
void jc_norm_plot_write(FILE *out, const jc_norm_report *report, const char *terminal);

/* Runs gnuplot on that text; errors as jc_picture_paint's. */
jc_status jc_norm_plot_paint(const jc_norm_report *report, const char *terminal, jc_picture *picture);

#endif
