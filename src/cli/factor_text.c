/* The formulas of the command factor. */
#include <stdlib.h>
#include <string.h>

#include "cli/factor.h"

enum { MAX_ON_A_ROW = 8 }; /* factors, in LaTeX; text has each formula on one line */

/* A formula that grows. */
typedef struct writer {
    const jc_factor_report *report;
    const jc_factored *total;
    const jc_walk *walk;
    jc_formula f;
    int64_t lines, on_row; /* finished lines; factors on this row */
} writer;

static writer begin(const jc_factor_report *report, const jc_factored *total, jc_formula_format format)
{
    writer w = {.report = report, .total = total, .walk = &total->walk, .f = jc_formula_begin(format)};
    w.f.parallel = report->parallel;
    return w;
}

static bool is_latex(const writer *w)
{
    return w->f.format == JC_FORMULA_LATEX;
}

/* ---- pieces ------------------------------------------------------------------------------------------------------ */

static jc_formula_end end_of(const writer *w, int64_t node)
{
    jc_formula_end end = {w->walk->variable[node], w->total->several[node] ? w->walk->state[node] : -1};
    return end;
}

static jc_formula_end anywhere(int64_t variable)
{
    return (jc_formula_end){variable, -1};
}

static void put_edge(writer *w, int64_t edge)
{
    jc_formula_edge(&w->f, w->report->graph, edge);
    w->on_row++;
}

static void put_total(writer *w, int64_t of, int64_t wrt)
{
    jc_formula_total(&w->f, w->report->graph, end_of(w, of), end_of(w, wrt));
    w->on_row++;
}

static void put_path(writer *w, const int64_t *edges, int64_t n)
{
    jc_formula_path(&w->f, w->report->graph, edges, n);
    w->on_row += n;
}

static void put(writer *w, const char *text)
{
    jc_formula_add(&w->f, text);
}

/* Between two terms; a row of LaTeX that is full ends here. */
static void put_plus(writer *w)
{
    bool full = is_latex(w) && w->on_row >= MAX_ON_A_ROW;
    put(w, full ? " \\\\\n&\\quad {}+ " : " + ");
    if (full) w->on_row = 0;
}

static void begin_line(writer *w, jc_formula_end of, jc_formula_end wrt)
{
    const char *between = is_latex(w) ? " \\\\\n" : "\n", *before = is_latex(w) ? "\\begin{aligned}\n" : "";
    put(w, w->lines++ ? between : before);
    jc_formula_total(&w->f, w->report->graph, of, wrt);
    put(w, is_latex(w) ? " &= " : " = ");
    w->on_row = 0;
}

static void begin_total(writer *w)
{
    begin_line(w, anywhere(w->total->of), anywhere(w->total->wrt));
}

static char *finish(writer *w)
{
    if (is_latex(w)) put(w, "\n\\end{aligned}");
    return w->f.text;
}

/* ---- the sum over paths, grouped or not -------------------------------------------------------------------------- */

static void put_paths(writer *w)
{
    const jc_factor_paths *list = &w->total->list;
    begin_total(w);
    if (!list->n) put(w, "0");
    for (int64_t i = 0; i < list->n; i++) {
        if (i) put_plus(w);
        put_path(w, list->paths[i].edges, list->paths[i].n_edges);
    }
}

char *jc_factor_text_paths(const jc_factor_report *report, const jc_factored *total, jc_formula_format format)
{
    writer w = begin(report, total, format);
    put_paths(&w);
    return finish(&w);
}

/* The edge that paths are grouped by: out of the source, forward: into the target. */
static int64_t common_edge(const jc_factor_path *p, bool forward)
{
    return p->edges[forward ? p->n_edges - 1 : 0];
}

/* Paths first .. end - 1 have their last (forward: first) factor in common: (D + D D) D, or D (D + D D). */
static void put_group(writer *w, const jc_factor_path *paths, int64_t first, int64_t end, bool forward)
{
    int64_t edge = common_edge(&paths[first], forward);
    bool several = end - first > 1, alone = paths[first].n_edges == 1;
    if (forward || alone) put_edge(w, edge);
    if (alone) return;
    put(w, forward ? several ? " (" : " " : several ? "(" : "");
    for (int64_t i = first; i < end; i++) {
        if (i > first) put_plus(w);
        put_path(w, paths[i].edges + (forward ? 0 : 1), paths[i].n_edges - 1);
    }
    put(w, several ? ")" : "");
    if (forward) return;
    put(w, " ");
    put_edge(w, edge);
}

static void put_grouped(writer *w, bool forward)
{
    jc_factor_paths sorted = w->total->list;
    sorted.paths = jc_cli_alloc(sorted.n, sizeof *sorted.paths);
    if (sorted.n) memcpy(sorted.paths, w->total->list.paths, (size_t)sorted.n * sizeof *sorted.paths);
    jc_factor_paths_group(&sorted, forward ? JC_ORDER_FORWARD : JC_ORDER_REVERSE);
    begin_total(w);
    for (int64_t first = 0, end; first < sorted.n; first = end) {
        int64_t edge = common_edge(&sorted.paths[first], forward);
        for (end = first + 1; end < sorted.n && common_edge(&sorted.paths[end], forward) == edge;) end++;
        if (first) put_plus(w);
        put_group(w, sorted.paths, first, end, forward);
    }
    free(sorted.paths);
}

/* ---- sweeps ------------------------------------------------------------------------------------------------------ */

static void put_step(writer *w, const jc_factor_step *step, bool forward)
{
    if (forward) {
        put_edge(w, step->edge);
        if (step->via != step->wrt) put(w, " "), put_total(w, step->via, step->wrt);
    } else {
        if (step->via != step->of) put_total(w, step->of, step->via), put(w, " ");
        put_edge(w, step->edge);
    }
}

/* The line of the matrix that step `first` begins; returns the step behind its last one. */
static int64_t put_definition(writer *w, const jc_factor *sweep, int64_t first, bool forward)
{
    const jc_factor_step *s = sweep->steps, *begun = &s[first];
    int64_t i = first;
    begin_line(w, end_of(w, begun->of), end_of(w, begun->wrt));
    for (; i < sweep->n_steps && s[i].of == begun->of && s[i].wrt == begun->wrt; i++) {
        if (i > first) put_plus(w);
        put_step(w, &s[i], forward);
    }
    return i;
}

/* Where the steps of the total begin: they are the last ones. */
static int64_t first_of_total(const jc_factor *sweep)
{
    const jc_factor_step *s = sweep->steps;
    int64_t first = sweep->n_steps - 1;
    while (first && s[first - 1].of == s[first].of && s[first - 1].wrt == s[first].wrt) first--;
    return first;
}

char *jc_factor_text_sweep(const jc_factor_report *report, const jc_factored *total, bool forward,
                           jc_formula_format format)
{
    writer w = begin(report, total, format);
    const jc_factor *sweep = &total->sweeps[forward];
    if (!sweep->n_steps) {
        put_paths(&w);
        return finish(&w);
    }
    int64_t last = first_of_total(sweep);
    if (last && !total->list.too_many) put_grouped(&w, forward);
    put_definition(&w, sweep, last, forward);
    for (int64_t i = 0; i < last;) i = put_definition(&w, sweep, i, forward);
    return finish(&w);
}

/* ---- splits ------------------------------------------------------------------------------------------------------ */

static void put_local(writer *w, int64_t edge, jc_formula_end of, jc_formula_end wrt)
{
    if (edge >= 0) put_edge(w, edge);
    if (edge < 0) jc_formula_local(&w->f, w->report->graph, of, wrt), w->on_row++;
}

static void put_part(writer *w, const jc_cut_part *part)
{
    jc_formula_end of = anywhere(w->total->of), wrt = anywhere(w->total->wrt);
    if (part->at < 0 && of.variable == wrt.variable) {
        put(w, "I");
    } else if (part->at < 0) {
        put_local(w, part->edge, of, wrt);
    } else if (w->report->last) {
        put_local(w, part->edge, of, end_of(w, part->node));
        put(w, " ");
        put_total(w, part->node, w->walk->source[0]);
    } else {
        put_total(w, w->walk->target[0], part->node);
        put(w, " ");
        put_local(w, part->edge, end_of(w, part->node), wrt);
    }
}

char *jc_factor_text_cut(const jc_factor_report *report, const jc_factored *total, jc_formula_format format)
{
    writer w = begin(report, total, format);
    begin_total(&w);
    if (!total->cut.n_parts) put(&w, "0");
    for (int64_t i = 0; i < total->cut.n_parts; i++) {
        if (i) put_plus(&w);
        put_part(&w, &total->cut.parts[i]);
    }
    return finish(&w);
}

char *jc_factor_text_term(const jc_factor_report *report, const jc_factored *total, int64_t *part,
                          jc_formula_format format)
{
    writer w = begin(report, total, format);
    const jc_cut *cut = &total->cut;
    int64_t first = *part, i = first;
    for (; i < cut->n_parts && cut->parts[i].at == cut->parts[first].at; i++) {
        if (i > first) put(&w, " + ");
        put_part(&w, &cut->parts[i]);
    }
    *part = i;
    return w.f.text;
}
