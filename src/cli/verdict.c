#include "cli/verdict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_SHOWN = 40, MOST_NAME_WIDTH = 40 };

static const char *const verdicts[] = {"passed", "failed", "undecided"};

/* The word, in colour where the terminal has it, padded to `width`. */
static void print_verdict(jc_verdict verdict, const char *end)
{
    static const char *const colours[] = {"\033[32m", "\033[31m", "\033[33m"};
    bool colour = jc_cli_colour(stdout);
    printf("%s%s%s%s", colour ? colours[verdict] : "", verdicts[verdict], colour ? "\033[0m" : "", end);
}

/* ---- text -------------------------------------------------------------------------------------------------- */

static void print_total(const jc_graph *graph, const jc_check_total *t, int name_width)
{
    char *name = jc_cli_total_name(graph, t->of, t->wrt), entry[48];
    int pad = name_width - jc_cli_text_width(name);
    snprintf(entry, sizeof entry, "(%lld, %lld)", (long long)t->row, (long long)t->col);
    printf("%s%*s  %-10.3g  %-10.3g  %-16s  ", name, pad > 0 ? pad : 0, "", t->error, t->bound, entry);
    print_verdict(t->verdict, "\n");
    free(name);
}

/* The widest name of the first totals, which may not all be shown. */
static int widest_name(const jc_graph *graph, const jc_check_report *report, int64_t n)
{
    int widest = (int)strlen("total");
    for (int64_t i = 0; i < n && i < ROWS_SHOWN; i++) {
        jc_check_total t;
        jc_check_get_total(report, i, &t);
        char *name = jc_cli_total_name(graph, t.of, t.wrt);
        int width = jc_cli_text_width(name);
        if (width > widest && width <= MOST_NAME_WIDTH) widest = width;
        free(name);
    }
    return widest;
}

/* Totals that did not pass first, where there are too many to show all. */
static void print_totals(const jc_graph *graph, const jc_check_report *report, int64_t n)
{
    int64_t shown = 0;
    int name_width = widest_name(graph, report, n);
    printf("%-*s  %-10s  %-10s  %-16s  %s\n", name_width, "total", "error", "bound", "worst entry", "verdict");
    for (int pass = n > ROWS_SHOWN ? 0 : 1; pass < 2; pass++) {
        for (int64_t i = 0; i < n && shown < ROWS_SHOWN; i++) {
            jc_check_total t;
            jc_check_get_total(report, i, &t);
            if (n > ROWS_SHOWN && (t.verdict != JC_PASSED) != (pass == 0)) continue;
            print_total(graph, &t, name_width);
            shown++;
        }
    }
    if (n > shown) printf("and %lld more totals\n", (long long)(n - shown));
}

/* Error over bound; NaN counts as beyond all. */
static double ratio_of(const jc_check_total *t)
{
    double ratio = t->error > 0 ? t->error / t->bound : t->error;
    return isnan(ratio) ? INFINITY : ratio;
}

/* The total with the largest error relative to its bound among those of a verdict, or -1. */
static int64_t worst_total(const jc_check_report *report, int64_t n, jc_verdict verdict)
{
    double ratio = -1;
    int64_t worst = -1;
    for (int64_t i = 0; i < n; i++) {
        jc_check_total t;
        jc_check_get_total(report, i, &t);
        if (t.verdict != verdict || ratio_of(&t) <= ratio) continue;
        ratio = ratio_of(&t);
        worst = i;
    }
    return worst;
}

static void print_worst(const jc_graph *graph, const jc_check_summary *s, const jc_check_report *report)
{
    int64_t worst = s->verdict == JC_PASSED ? -1 : worst_total(report, s->totals, s->verdict);
    if (s->variable >= 0) {
        char *name = jc_cli_name(graph, s->variable);
        printf("worst at %s", name);
        if (s->n_states > 1) printf(" (state %lld of %lld)", (long long)s->state, (long long)s->n_states);
        printf(", entry (%lld, %lld): the residual is %.3g of its bound", (long long)s->row, (long long)s->col,
               s->ratio);
        free(name);
    } else {
        printf("no variable to judge");
    }
    if (worst >= 0) {
        jc_check_total t = {.of = -1};
        jc_check_get_total(report, worst, &t);
        char *of = jc_cli_name(graph, t.of), *wrt = jc_cli_name(graph, t.wrt);
        printf("; d%s/d%s, entry (%lld, %lld), is off by %.3g with a bound of %.3g", of, wrt, (long long)t.row,
               (long long)t.col, t.error, t.bound);
        free(wrt);
        free(of);
    }
}

static void print(const jc_graph *graph, const jc_check_summary *s, const jc_check_report *report, const char *file)
{
    print_totals(graph, report, s->totals);
    printf("check ");
    print_verdict(s->verdict, ": ");
    if (file)
        printf("%s, ", file);
    else
        printf("backend %s (%s), ", s->backend, s->reason);
    printf("%s, %lld total%s; ", jc_cli_precision_name(s->precision), (long long)s->totals, s->totals == 1 ? "" : "s");
    print_worst(graph, s, report);
    if (s->n_non_finite) printf("; %lld edges have NaN or Inf", (long long)s->n_non_finite);
    putchar('\n');
}

/* ---- JSON -------------------------------------------------------------------------------------------------- */

static void emit_entry(jc_emit *e, const char *key, int64_t row, int64_t col)
{
    jc_emit_open(e, key, '[');
    jc_emit_int(e, NULL, row);
    jc_emit_int(e, NULL, col);
    jc_emit_close(e, ']');
}

static void emit_residual(jc_emit *e, const jc_graph *graph, const jc_check_summary *s)
{
    jc_emit_open(e, "residual", '{');
    if (s->variable < 0) {
        jc_emit_null(e, "variable");
        jc_emit_null(e, "entry");
        jc_emit_null(e, "ratio");
    } else {
        jc_cli_emit_name(e, "variable", graph, s->variable);
        emit_entry(e, "entry", s->row, s->col);
        jc_emit_double(e, "ratio", s->ratio);
    }
    if (s->n_states > 1) jc_emit_int(e, "state", s->state);
    if (s->n_states > 1) jc_emit_int(e, "states", s->n_states);
    jc_emit_close(e, '}');
}

static void emit_total(jc_emit *e, const jc_graph *graph, const jc_check_total *t)
{
    jc_emit_open(e, NULL, '{');
    jc_cli_emit_name(e, "of", graph, t->of);
    jc_cli_emit_name(e, "wrt", graph, t->wrt);
    jc_emit_double(e, "error", t->error);
    jc_emit_double(e, "bound", t->bound);
    emit_entry(e, "worst", t->row, t->col);
    jc_emit_text(e, "verdict", verdicts[t->verdict]);
    jc_emit_close(e, '}');
}

static void emit(const jc_graph *graph, const jc_check_summary *s, const jc_check_report *report)
{
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "backend", s->backend);
    if (s->reason) jc_emit_text(&e, "backend_reason", s->reason);
    jc_emit_text(&e, "precision", jc_cli_precision_name(s->precision));
    jc_emit_text(&e, "verdict", verdicts[s->verdict]);
    emit_residual(&e, graph, s);
    jc_emit_open(&e, "totals", '[');
    for (int64_t i = 0; i < s->totals; i++) {
        jc_check_total t;
        jc_check_get_total(report, i, &t);
        emit_total(&e, graph, &t);
    }
    jc_emit_close(&e, ']');
    jc_cli_emit_non_finite(&e, graph, s->n_non_finite, s->non_finite);
    jc_emit_close(&e, '}');
    putchar('\n');
}

jc_verdict jc_verdict_report(const jc_graph *graph, const jc_check_report *report, const char *file, bool json)
{
    jc_check_summary summary = {.struct_size = sizeof summary};
    jc_check_get_summary(report, &summary);
    jc_cli_warn_non_finite(graph, summary.n_non_finite, summary.non_finite);
    if (json)
        emit(graph, &summary, report);
    else
        print(graph, &summary, report, file);
    return summary.verdict;
}
