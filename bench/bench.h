/* What the files of the benchmark share. */
#ifndef JC_BENCH_BENCH_H
#define JC_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "jacchain.h"

typedef struct bench_options {
    const char *backend;
    const char *folder; /* for generated files */
    const char *only;   /* "graphs", "rules", "wide", "predict" or "orders"; NULL: all */
    int threads;        /* of the runs and of the bandwidth; > 0 */
    bool quick, json;
} bench_options;

/* ---- report.c: figures, goals and their verdicts ------------------------------------------------------------ */

typedef struct bench_report bench_report;

bench_report *bench_report_create(const bench_options *options);
void bench_report_destroy(bench_report *report);

/* Prints a line at once, unless --json. */
void bench_say(bench_report *report, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Keeps a figure for --json; takes the reference. */
void bench_figures(bench_report *report, const char *key, json_t *value);

/* A goal: measured <= bound or measured >= bound. Asked again with the same text and bound, the worse value counts. */
void bench_at_most(bench_report *report, const char *goal, double measured, double bound, const char *unit);
void bench_at_least(bench_report *report, const char *goal, double measured, double bound, const char *unit);

/* Something did not work at all. */
void bench_failed(bench_report *report, const char *what, const char *why);

/* Prints the verdicts (or all as JSON); returns the exit code: 0 when every goal is met. */
int bench_finish(bench_report *report);

/* ---- machine.c ---------------------------------------------------------------------------------------------- */

double bench_seconds(void); /* monotonic */
void bench_cpu_name(char *text, size_t capacity);
int bench_processors(void);          /* that this process may use */
int64_t bench_cache_bytes(void);     /* of the last level */
int64_t bench_anonymous_bytes(void); /* resident, not of files */

/* An allocator that counts. Safe to call from several threads. */
typedef struct bench_meter {
    int64_t live, peak; /* bytes, as asked for */
} bench_meter;

jc_allocator bench_meter_allocator(bench_meter *meter);

/* ---- bandwidth.c -------------------------------------------------------------------------------------------- */

/* Bytes per second at which `threads` threads sum an array of floats; the best of several. data NULL: memory of its
 * own. */
double bench_read_bandwidth(int threads, const float *data, int64_t bytes);

/* ---- graphs.c, rules.c, wide.c, predict.c ------------------------------------------------------------------ */

/* Chains and layered graphs of 16 x 16 f32 Jacobians; bandwidth in bytes per second. */
void bench_graphs(bench_report *report, const bench_options *options, double bandwidth);

/* Scalars under path rules of 1 to 8 states. */
void bench_rules(bench_report *report, const bench_options *options);

/* Variables of 10^8 scalars, and offsets beyond 32 bits. */
void bench_wide(bench_report *report, const bench_options *options);

/* Predicted against measured times of chains and levels of products of all sizes. */
void bench_predict(bench_report *report, const bench_options *options);

/* Elimination beside the sweeps: what it gains on a chain of wide and narrow variables, what it costs where there is
 * nothing to gain. */
void bench_orders(bench_report *report, const bench_options *options);

#endif
