/* What the files of a check share: the report, and the ways to make one. */
#ifndef JC_RUN_CHECK_H
#define JC_RUN_CHECK_H

#include "run/check_judge.h"

struct jc_check_report {
    jc_allocator allocator;
    jc_check_summary summary;
    jc_check_total *totals;       /* [summary.totals] */
    jc_vec non_finite;            /* int64_t, edges */
    char reason[JC_REASON_BYTES]; /* of the summary */
};

/* A report for `totals` totals, each of which passed with no error so far. */
jc_status jc_check_report_create(const jc_graph *graph, int64_t totals, jc_check_report **report);

/* Writes verdict and place from the worst entry of all equations; place is a variable. */
void jc_check_conclude(jc_check_report *report, const jc_worst *worst);

/* Totals to be judged, [size(of) x size(wrt)] each, the blocks of a per-sample one side by side. */
typedef struct jc_given {
    const jc_graph *graph;
    int64_t n;
    const int64_t *of, *wrt;   /* [n] */
    const jc_array *values;    /* [n] */
    const jc_array *bounds;    /* [n] F64: what rounding may do to an entry; NULL: as much as to a reverse sweep's */
    const jc_array *in_double; /* [n] F64: the same in the same order of products, by the reference; NULL: not known */
    const jc_array *by_cpu;    /* [n] F64: and by the cpu backend in this precision; NULL: not known */
    jc_query query;            /* which paths count; its ends and order are not looked at */
    jc_precision precision;
    const jc_progress *progress; /* or NULL */
} jc_given;

/* Each in its own equation, in which the adjoints are the reference's, into a report for n totals. */
jc_status jc_judge_given(const jc_given *given, jc_check_report *report);

/* The outputs of a run by elimination, which was executed; query: what its plan was made for. */
jc_status jc_check_elimination(const jc_run *run, const jc_query *query, jc_check_report *report);

/* A plan run by the cpu backend in a precision that is judged: what this rounds away. */
typedef struct jc_trial {
    jc_program *program;
    jc_run *run; /* NULL: there is none in that precision */
} jc_trial;

jc_status jc_trial_init(jc_trial *trial, const jc_plan *plan, jc_precision precision);
void jc_trial_fini(jc_trial *trial);

/* As jc_check, on a backend that the registry need not know. */
jc_status jc_check_on(const jc_graph *graph, const jc_query *query, const jc_backend *backend,
                      const jc_program_options *options, jc_check_report **report);

/* The two sweeps that totals are compared with: the reference, and the sums over absolute values in its place. */
typedef struct jc_yardsticks {
    jc_program *programs[2];
    jc_run *reference, *absolute;
} jc_yardsticks;

/* Runs both. keep: no value of the reference is written over. precision: the one that is judged. */
jc_status jc_yardsticks_init(jc_yardsticks *y, const jc_plan *plan, jc_precision precision, bool keep,
                             const jc_progress *progress);
void jc_yardsticks_fini(jc_yardsticks *y);

/* What |total - reference| may be is jc_forward_factor times M, for a node's totals: both are roundings of one sum over
 * paths, (1 + gamma_n) a path, in which no path is rounded more than n = eq->path[node] times. Inf: it says nothing. */
double jc_forward_factor(const jc_equations *eq, const jc_roundoff *roundoff, int64_t node);

/* The same of what |reference - exact| may be. */
double jc_reference_factor(const jc_equations *eq, int64_t node);

/* factor M; 0 where M is 0, and Inf, which says nothing, where M is NaN (0 times an M that overflowed). */
double jc_forward_bound(double factor, double m);

/* Distance of a total from the reference, entry by entry. */
typedef struct jc_distance {
    jc_worst worst;          /* row, col as in the value */
    double largest, loosest; /* of |reference|, of the bound */
} jc_distance;

void jc_distance_take(jc_distance *d, double value, double reference, double bound, int64_t row, int64_t col);

/* Failed: an entry is out of its bound. Undecided: not finite, or a bound as large as the largest entry. */
jc_verdict jc_distance_verdict(const jc_distance *d);

/* All outputs of judge->run against the yardsticks into report->totals. */
jc_status jc_judge_totals(const jc_judge *judge, const jc_yardsticks *y, jc_check_report *report);

#endif
