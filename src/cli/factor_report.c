/* The forms of the command factor, as text, as LaTeX to be put into a document, and as JSON. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/factor.h"
#include "cli/report.h"
#include "graph/graph.h"

static const char *const orders[] = {"reverse", "forward"};

/* ---- text -------------------------------------------------------------------------------------------------------- */

static bool is_latex(const jc_factor_report *r)
{
    return r->format == JC_FORMULA_LATEX;
}

/* In LaTeX all that is no formula is a comment. */
static const char *comment(const jc_factor_report *r)
{
    return is_latex(r) ? "% " : "";
}

/* The lines of a formula, indented; or a display. */
static void print_formula(const jc_factor_report *r, const jc_form *form)
{
    const char *line = is_latex(r) ? form->latex : form->text;
    if (is_latex(r)) {
        printf("\\[\n%s\n\\]\n", line);
        return;
    }
    while (line) {
        const char *end = strchr(line, '\n');
        printf("  %.*s\n", (int)(end ? end - line : (ptrdiff_t)strlen(line)), line);
        line = end ? end + 1 : NULL;
    }
}

static const char *adds_text(int64_t multiply_adds, char text[JC_QUANTITY_BYTES + 16])
{
    char count[JC_QUANTITY_BYTES];
    snprintf(text, JC_QUANTITY_BYTES + 16, "%s multiply-add%s", jc_cli_count_text(multiply_adds, count),
             multiply_adds == 1 ? "" : "s");
    return text;
}

static void print_form(const jc_factor_report *r, const char *name, const jc_form *form)
{
    char adds[JC_QUANTITY_BYTES + 16];
    printf("\n%s%s: %s\n", comment(r), name, adds_text(form->multiply_adds, adds));
    print_formula(r, form);
}

static void print_forms(const jc_factor_report *r, const jc_factored *t)
{
    char adds[JC_QUANTITY_BYTES + 16];
    if (t->paths.there)
        print_form(r, "sum over paths", &t->paths);
    else
        printf("\n%ssum over paths: not written out for %s paths\n", comment(r), t->count);
    for (int i = 0; i < 2; i++) print_form(r, orders[i], &t->orders[i]);
    printf("\n%scheapest: %s, %s\n", comment(r), orders[t->cheapest],
           adds_text(t->orders[t->cheapest].multiply_adds, adds));
}

/* ---- the terms of a split ---------------------------------------------------------------------------------------- */

static const char *number_text(double x, char text[JC_NUMBER_BYTES])
{
    return isnan(x) ? strcpy(text, "-") : jc_report_number(x, text);
}

typedef struct widths {
    int norm, share;
} widths;

static void widen(int *width, double x)
{
    char text[JC_NUMBER_BYTES];
    int n = (int)strlen(number_text(x, text));
    if (n > *width) *width = n;
}

static widths find_widths(const jc_factored *t)
{
    widths w = {(int)strlen("norm"), (int)strlen("share")};
    jc_split_term term;
    for (int64_t i = 0; i < t->split_info.n_terms; i++) {
        jc_split_get_term(t->split, i, &term);
        widen(&w.norm, term.norm);
        widen(&w.share, term.share);
    }
    return w;
}

static void print_terms(const jc_factor_report *r, const jc_factored *t)
{
    char norm[JC_NUMBER_BYTES], share[JC_NUMBER_BYTES];
    widths w = find_widths(t);
    jc_split_term term;
    int64_t part = 0;
    printf("\n%s  %*s  %*s  term\n", comment(r), w.norm, "norm", w.share, "share");
    for (int64_t i = 0; i < t->split_info.n_terms; i++) {
        char *text = jc_factor_text_term(r, t, &part, r->format);
        jc_split_get_term(t->split, i, &term);
        printf("%s  %*s  %*s  %s\n", comment(r), w.norm, number_text(term.norm, norm), w.share,
               number_text(term.share, share), text);
        free(text);
    }
}

static const char *const verdicts[] = {"the terms add up to it", "the terms do not add up to it",
                                       "whether the terms add up to it cannot be said"};

static void print_sum(const jc_factor_report *r, const jc_factored *t)
{
    const jc_split_info *info = &t->split_info;
    char *name = jc_cli_total_name(r->graph, t->of, t->wrt), norm[JC_NUMBER_BYTES];
    if (info->structure_only)
        printf("\n%sa used edge has no numbers: norms are not known\n", comment(r));
    else
        printf("\n%s%s has norm %s; %s: off by %.3g of its largest entry, bound %.3g\n", comment(r), name,
               number_text(info->norm, norm), verdicts[info->verdict], info->difference, info->bound);
    free(name);
}

enum { MAX_AT_TEXT = 60 };

static void print_split(const jc_factor_report *r, const jc_factored *t)
{
    char what[MAX_AT_TEXT + 64], which[MAX_AT_TEXT + 1];
    snprintf(which, sizeof which, "%lld variables", (long long)r->n_at);
    if (strlen(r->at_text) <= MAX_AT_TEXT) strcpy(which, r->at_text);
    snprintf(what, sizeof what, "split at the %s of %s", r->last ? "last" : "first", which);
    print_form(r, what, &t->at);
    if (t->split_info.n_terms) print_terms(r, t);
    print_sum(r, t);
}

static void print_total(const jc_factor_report *r, const jc_factored *t)
{
    char *of = jc_cli_name(r->graph, t->of), *wrt = jc_cli_name(r->graph, t->wrt);
    printf("%s%s %s from %s to %s\n", comment(r), t->count, strcmp(t->count, "1") ? "paths" : "path", wrt, of);
    free(wrt);
    free(of);
    if (t->split)
        print_split(r, t);
    else
        print_forms(r, t);
}

void jc_factor_report_print(const jc_factor_report *r)
{
    for (int64_t i = 0; i < r->n_totals; i++) {
        if (i) putchar('\n');
        print_total(r, &r->totals[i]);
    }
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

/* A node by its variable; "<key>_state" where the variable has several. */
static void emit_node(jc_emit *e, const char *key, const jc_factor_report *r, const jc_factored *t, int64_t node)
{
    char state[32];
    jc_cli_emit_name(e, key, r->graph, t->walk.variable[node]);
    if (!t->several[node]) return;
    snprintf(state, sizeof state, "%s_state", key);
    jc_emit_int(e, state, t->walk.state[node]);
}

static void emit_sweep_steps(jc_emit *e, const jc_factor_report *r, const jc_factored *t, int order)
{
    const jc_factor *sweep = &t->sweeps[order];
    jc_emit_open(e, "steps", '[');
    for (int64_t i = 0; i < sweep->n_steps; i++) {
        const jc_factor_step *s = &sweep->steps[i];
        jc_emit_open(e, NULL, '{');
        jc_emit_text(e, "op", order ? "tangent" : "adjoint");
        emit_node(e, "of", r, t, s->of);
        emit_node(e, "via", r, t, s->via);
        emit_node(e, "wrt", r, t, s->wrt);
        jc_emit_int(e, "edge", s->edge);
        jc_emit_close(e, '}');
    }
    jc_emit_close(e, ']');
}

/* The products of a path from the target's side: what it is so far times one D more. */
static void emit_path_steps(jc_emit *e, const jc_factor_report *r, const jc_factored *t, const jc_factor_path *p)
{
    for (int64_t i = p->n_edges - 1; i-- > 0;) {
        jc_emit_open(e, NULL, '{');
        jc_emit_text(e, "op", "multiply");
        jc_cli_emit_name(e, "of", r->graph, t->of);
        jc_cli_emit_name(e, "via", r->graph, jc_graph_of(r->graph, p->edges[i]));
        jc_cli_emit_name(e, "wrt", r->graph, jc_graph_wrt(r->graph, p->edges[i]));
        jc_emit_int(e, "edge", p->edges[i]);
        jc_emit_close(e, '}');
    }
}

static void emit_list_steps(jc_emit *e, const jc_factor_report *r, const jc_factored *t)
{
    jc_emit_open(e, "steps", '[');
    for (int64_t i = 0; i < t->list.n; i++) emit_path_steps(e, r, t, &t->list.paths[i]);
    jc_emit_close(e, ']');
}

/* Opens a form; false: it is not there, and null. */
static bool open_form(jc_emit *e, const char *key, const jc_form *form)
{
    if (!form->there) {
        jc_emit_null(e, key);
        return false;
    }
    jc_emit_open(e, key, '{');
    jc_emit_text(e, "text", form->text);
    jc_emit_text(e, "latex", form->latex);
    jc_emit_int(e, "multiply_adds", form->multiply_adds);
    return true;
}

static void close_form(jc_emit *e)
{
    jc_emit_open(e, "terms", '[');
    jc_emit_close(e, ']');
    jc_emit_close(e, '}');
}

static void emit_order(jc_emit *e, const char *key, const jc_factor_report *r, const jc_factored *t, int order)
{
    if (!open_form(e, key, &t->orders[order])) return;
    jc_emit_text(e, "order", orders[order]);
    emit_sweep_steps(e, r, t, order);
    close_form(e);
}

static void emit_known(jc_emit *e, const char *key, const jc_split_info *info, double value)
{
    if (info->structure_only)
        jc_emit_null(e, key);
    else
        jc_emit_double(e, key, value);
}

static void emit_share(jc_emit *e, const jc_split_info *info, const jc_split_term *term)
{
    if (term->norm == 0 && info->norm == 0)
        jc_emit_null(e, "share");
    else
        emit_known(e, "share", info, term->share);
}

static void emit_terms(jc_emit *e, const jc_factor_report *r, const jc_factored *t)
{
    int64_t part = 0;
    jc_split_term term;
    jc_emit_open(e, "terms", '[');
    for (int64_t i = 0; i < t->split_info.n_terms; i++) {
        char *text = jc_factor_text_term(r, t, &part, JC_FORMULA_TEXT);
        jc_split_get_term(t->split, i, &term);
        jc_emit_open(e, NULL, '{');
        if (term.variable < 0)
            jc_emit_null(e, "variable");
        else
            jc_cli_emit_name(e, "variable", r->graph, term.variable);
        jc_emit_text(e, "text", text);
        emit_known(e, "norm", &t->split_info, term.norm);
        emit_share(e, &t->split_info, &term);
        jc_emit_close(e, '}');
        free(text);
    }
    jc_emit_close(e, ']');
}

static void emit_split_steps(jc_emit *e, const jc_factor_report *r, const jc_factored *t)
{
    jc_split_term term;
    jc_emit_open(e, "steps", '[');
    for (int64_t i = 0; i < t->split_info.n_terms; i++) {
        jc_split_get_term(t->split, i, &term);
        if (term.variable < 0) continue;
        jc_emit_open(e, NULL, '{');
        jc_emit_text(e, "op", "multiply");
        jc_cli_emit_name(e, "of", r->graph, t->of);
        jc_cli_emit_name(e, "via", r->graph, term.variable);
        jc_cli_emit_name(e, "wrt", r->graph, t->wrt);
        jc_emit_close(e, '}');
    }
    jc_emit_close(e, ']');
}

static void emit_split(jc_emit *e, const jc_factor_report *r, const jc_factored *t)
{
    static const char *const names[] = {"passed", "failed", "undecided"};
    const jc_split_info *info = &t->split_info;
    if (!open_form(e, "at", &t->at)) return;
    jc_emit_text(e, "cut", r->last ? "last" : "first");
    emit_split_steps(e, r, t);
    emit_terms(e, r, t);
    emit_known(e, "norm", info, info->norm);
    emit_known(e, "difference", info, info->difference);
    emit_known(e, "bound", info, info->bound);
    jc_emit_text(e, "verdict", info->structure_only ? NULL : names[info->verdict]);
    jc_cli_emit_non_finite(e, r->graph, info->n_non_finite, info->non_finite);
    jc_emit_close(e, '}');
}

static void emit_members(jc_emit *e, const jc_factor_report *r, const jc_factored *t)
{
    jc_cli_emit_name(e, "of", r->graph, t->of);
    jc_cli_emit_name(e, "wrt", r->graph, t->wrt);
    jc_emit_text(e, "count", t->count);
    jc_emit_open(e, "forms", '{');
    if (open_form(e, "paths", &t->paths)) {
        emit_list_steps(e, r, t);
        close_form(e);
    }
    for (int i = 0; i < 2; i++) emit_order(e, orders[i], r, t, i);
    emit_order(e, "cheapest", r, t, t->cheapest);
    emit_split(e, r, t);
    jc_emit_close(e, '}');
}

void jc_factor_report_emit(const jc_factor_report *r)
{
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "command", r->shared->command);
    if (r->n_totals == 1) emit_members(&e, r, &r->totals[0]);
    if (r->n_totals > 1) jc_emit_open(&e, "totals", '[');
    for (int64_t i = 0; i < r->n_totals && r->n_totals > 1; i++) {
        jc_emit_open(&e, NULL, '{');
        emit_members(&e, r, &r->totals[i]);
        jc_emit_close(&e, '}');
    }
    if (r->n_totals > 1) jc_emit_close(&e, ']');
    jc_emit_close(&e, '}');
    putchar('\n');
}
