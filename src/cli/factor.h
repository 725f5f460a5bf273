/* What the command factor has found, for its two ways of saying it. */
#ifndef JC_CLI_FACTOR_H
#define JC_CLI_FACTOR_H

#include "cli/common.h"
#include "cli/formula.h"
#include "paths/cut.h"
#include "paths/factor.h"

/* One way of writing a total. */
typedef struct jc_form {
    bool there;
    char *text, *latex; /* owned (free); NULL where it is not wanted */
    int64_t multiply_adds;
} jc_form;

/* The total of one target and one source. */
typedef struct jc_factored {
    int64_t of, wrt;
    char *count;              /* of its paths, owned */
    jc_walk walk;             /* they are on */
    unsigned char *several;   /* [nodes of the walk] 1: other nodes have the same variable; owned */
    jc_factor_paths list;     /* in the order of jc_paths_next */
    jc_factor sweeps[2];      /* reverse, forward */
    jc_form paths, orders[2]; /* the sum over paths; reverse, forward */
    int cheapest;             /* which of them */
    jc_cut cut;               /* with --at, --at-last */
    jc_split *split;
    jc_split_info split_info;
    jc_form at;
} jc_factored;

typedef struct jc_factor_report {
    const jc_cli_shared *shared;
    const jc_graph *graph;
    const unsigned char *parallel; /* [graph edges] marks of parallel edges */
    jc_formula_format format;
    const char *at_text; /* as given to --at, --at-last; NULL: neither */
    const int64_t *at;   /* [n_at] */
    int64_t n_at;
    bool last;
    jc_factored *totals; /* [n_totals] owned */
    int64_t n_totals;
} jc_factor_report;

/* ---- factor_text.c: formulas. Owned by the caller (free); several lines in text, one aligned environment in LaTeX --
 */

/* dL/dw = D[L,y] D[y,w] + ..; 0 without paths, I for the path without edges. */
char *jc_factor_text_paths(const jc_factor_report *report, const jc_factored *total, jc_formula_format format);

/* The total grouped by last (forward: first) factors, where its paths are listed; then as the sweep forms it; then what
 * stands in there, in the order in which it is formed. */
char *jc_factor_text_sweep(const jc_factor_report *report, const jc_factored *total, bool forward,
                           jc_formula_format format);

/* dL/dw = [dL/dw]local + dL/dx [dx/dw]local + .. */
char *jc_factor_text_cut(const jc_factor_report *report, const jc_factored *total, jc_formula_format format);

/* The term that part number *part of the split begins, which *part is behind afterwards. */
char *jc_factor_text_term(const jc_factor_report *report, const jc_factored *total, int64_t *part,
                          jc_formula_format format);

/* ---- factor_report.c ----------------------------------------------------------------------------------------------
 */

void jc_factor_report_print(const jc_factor_report *report);
void jc_factor_report_emit(const jc_factor_report *report);

#endif
