#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { MAX_GOALS = 64, GOAL_BYTES = 128 };

typedef struct goal {
    char text[GOAL_BYTES], unit[16];
    double measured, bound;
    bool least; /* measured >= bound is wanted */
} goal;

struct bench_report {
    const bench_options *options; /* borrowed */
    json_t *figures;
    goal goals[MAX_GOALS];
    int n_goals, n_failed;
};

bench_report *bench_report_create(const bench_options *options)
{
    bench_report *r = calloc(1, sizeof *r);
    if (!r) abort(); /* a benchmark has nothing better to do */
    r->options = options;
    r->figures = json_object();
    return r;
}

void bench_report_destroy(bench_report *report)
{
    json_decref(report->figures);
    free(report);
}

void bench_say(bench_report *report, const char *format, ...)
{
    if (report->options->json) return;
    va_list args;
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

void bench_figures(bench_report *report, const char *key, json_t *value)
{
    json_object_set_new(report->figures, key, value);
}

/* Whether a is further from the goal than b; NaN is furthest. */
static bool is_worse(bool least, double a, double b)
{
    return isnan(a) || (least ? a < b : a > b);
}

/* A goal that is there already keeps the worse of both measurements. */
static void add_goal(bench_report *report, const char *text, double measured, double bound, const char *unit,
                     bool least)
{
    for (int i = 0; i < report->n_goals; i++) {
        goal *g = &report->goals[i];
        if (strcmp(g->text, text) != 0) continue;
        if (is_worse(least, measured, g->measured)) g->measured = measured;
        return;
    }
    if (report->n_goals == MAX_GOALS) abort();
    goal *g = &report->goals[report->n_goals++];
    snprintf(g->text, sizeof g->text, "%s", text);
    snprintf(g->unit, sizeof g->unit, "%s", unit);
    g->measured = measured;
    g->bound = bound;
    g->least = least;
}

void bench_at_most(bench_report *report, const char *text, double measured, double bound, const char *unit)
{
    add_goal(report, text, measured, bound, unit, false);
}

void bench_at_least(bench_report *report, const char *text, double measured, double bound, const char *unit)
{
    add_goal(report, text, measured, bound, unit, true);
}

void bench_failed(bench_report *report, const char *what, const char *why)
{
    fprintf(stderr, "bench_scale: %s: %s\n", what, why);
    report->n_failed++;
}

/* Not met too where nothing could be measured (NaN). */
static bool is_met(const goal *g)
{
    return g->least ? g->measured >= g->bound : g->measured <= g->bound;
}

static void print_goals(const bench_report *report)
{
    printf("\n%-62s %12s    %-14s verdict\n", "goal, the worst over all cases", "measured", "wanted");
    for (int i = 0; i < report->n_goals; i++) {
        const goal *g = &report->goals[i];
        printf("%-62s %12.4g %s %-8.4g %-5s %s\n", g->text, g->measured, g->least ? ">=" : "<=", g->bound, g->unit,
               is_met(g) ? "met" : "NOT MET");
    }
}

static void print_json(bench_report *report, bool passed)
{
    json_t *goals = json_array();
    for (int i = 0; i < report->n_goals; i++) {
        const goal *g = &report->goals[i];
        json_array_append_new(goals, json_pack("{s:s,s:f,s:s,s:f,s:s,s:b}", "goal", g->text, "measured", g->measured,
                                               "wanted", g->least ? "at least" : "at most", "bound", g->bound, "unit",
                                               g->unit, "met", is_met(g)));
    }
    json_object_set_new(report->figures, "goals", goals);
    json_object_set_new(report->figures, "passed", json_boolean(passed));
    json_dumpf(report->figures, stdout, JSON_INDENT(1));
    putchar('\n');
}

int bench_finish(bench_report *report)
{
    int missed = report->n_failed;
    for (int i = 0; i < report->n_goals; i++) missed += !is_met(&report->goals[i]);
    if (report->options->json)
        print_json(report, missed == 0);
    else
        print_goals(report);
    return missed ? 1 : 0;
}
