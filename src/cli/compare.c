#include "cli/compare.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"
#include "plan/plan.h"
#include "run/norm.h"

/* Sums of products of entries divided by a power of two near the largest entry, so that none overflows. */
typedef struct sums {
    int exponent;
    double kk, tt, dd, kt, dt;
} sums;

typedef void visit(void *ctx, double kept, double total);

static void each_entry(const jc_result *kept, const jc_result *total, visit *see, void *ctx)
{
    for (int64_t b = 0; b < kept->blocks; b++)
        for (int64_t i = 0; i < kept->rows; i++)
            for (int64_t j = 0; j < kept->cols; j++)
                see(ctx, jc_result_entry(kept, b, i, j), jc_result_entry(total, b, i, j));
}

static void see_size(void *ctx, double kept, double total)
{
    double *most = ctx;
    *most = fmax(*most, fmax(fabs(kept), fabs(total)));
}

static void add_products(void *ctx, double kept, double total)
{
    sums *s = ctx;
    double k = scalbn(kept, -s->exponent), t = scalbn(total, -s->exponent), d = t - k;
    s->kk += k * k, s->tt += t * t, s->dd += d * d;
    s->kt += k * t, s->dt += d * t;
}

/* Rounding may bring it above 1; where a norm is zero it is NaN. */
static double cosine(double dot, double aa, double bb)
{
    double value = dot / (sqrt(aa) * sqrt(bb));
    return isnan(value) ? value : fmax(-1, fmin(1, value));
}

jc_comparison jc_compare(const jc_result *kept, const jc_result *total)
{
    double most = 0;
    each_entry(kept, total, see_size, &most);
    sums s = {.exponent = most > 0 && isfinite(most) ? ilogb(most) : 0};
    each_entry(kept, total, add_products, &s);
    return (jc_comparison){.kept = scalbn(sqrt(s.kk), s.exponent),
                           .total = scalbn(sqrt(s.tt), s.exponent),
                           .dropped = scalbn(sqrt(s.dd), s.exponent),
                           .kept_cosine = cosine(s.kt, s.kk, s.tt),
                           .dropped_cosine = cosine(s.dt, s.dd, s.tt)};
}

jc_cli_variables jc_compare_sources(const jc_graph *graph, const jc_query *query)
{
    jc_cli_variables sources = {NULL, 0};
    jc_plan *plan = NULL;
    jc_query all = *query;
    all.rules = NULL, all.n_rules = 0;
    if (jc_plan_create(graph, &all, &plan)) return sources;
    bool *there = jc_cli_alloc(jc_graph_variable_count(graph), sizeof *there);
    for (int64_t i = 0; i < plan->n_outputs; i++) there[plan->outputs[i].wrt] = true;
    sources.ids = jc_cli_alloc(plan->n_outputs, sizeof *sources.ids);
    for (int64_t v = 0; v < jc_graph_variable_count(graph); v++)
        if (there[v]) sources.ids[sources.count++] = v;
    free(there);
    jc_plan_destroy(plan);
    return sources;
}

bool jc_compare_find(const jc_results *all, const jc_result *kept, int64_t *from, jc_result *total)
{
    int64_t n = jc_results_count(all);
    for (int64_t i = 0; i < n; i++, ++*from) {
        if (*from >= n) *from = 0;
        jc_results_get(all, *from, total);
        if (total->of == kept->of && total->wrt == kept->wrt) return true;
    }
    return false;
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

enum { NORMS = 3, COLUMNS = 5, MAX_NAME_WIDTH = 40 };

/* A line of the table. */
typedef struct line {
    char *name; /* owned */
    char column[COLUMNS][JC_NUMBER_BYTES];
} line;

/* A cosine that is not known is a dash. */
static line line_of(const jc_graph *graph, const jc_result *r, const jc_comparison *c)
{
    double values[COLUMNS] = {c->kept, c->total, c->dropped, c->kept_cosine, c->dropped_cosine};
    line l = {.name = jc_cli_total_name(graph, r->of, r->wrt)};
    for (int i = 0; i < COLUMNS; i++) {
        if (i >= NORMS && isnan(values[i]))
            strcpy(l.column[i], "-");
        else
            jc_report_number(values[i], l.column[i]);
    }
    return l;
}

static int at_most(int width, int most)
{
    return width < most ? width : most;
}

/* The name and the columns but the last, each as wide as its widest text. */
static void print_lines(const line *lines, int64_t n)
{
    int name_width = 0, width[COLUMNS] = {0};
    for (int64_t i = 0; i < n; i++) {
        int name = at_most(jc_cli_text_width(lines[i].name), MAX_NAME_WIDTH);
        if (name > name_width) name_width = name;
        for (int k = 0; k + 1 < COLUMNS; k++)
            if ((int)strlen(lines[i].column[k]) > width[k]) width[k] = (int)strlen(lines[i].column[k]);
    }
    for (int64_t i = 0; i < n; i++) {
        int pad = name_width - jc_cli_text_width(lines[i].name);
        printf("%s%*s", lines[i].name, pad > 0 ? pad : 0, "");
        for (int k = 0; k < COLUMNS; k++) printf("  %-*s", width[k], lines[i].column[k]);
        putchar('\n');
    }
}

void jc_compare_print(const jc_graph *graph, const jc_results *kept, const jc_results *all)
{
    char heading[] = "norm of";
    int64_t n = jc_results_count(kept), from = 0, count = 1;
    line *lines = jc_cli_alloc(n + 1, sizeof *lines);
    lines[0] = (line){heading, {"kept", "total", "dropped", "cos(kept, total)", "cos(dropped, total)"}};
    for (int64_t i = 0; i < n; i++) {
        jc_result k, t;
        jc_results_get(kept, i, &k);
        if (!jc_compare_find(all, &k, &from, &t)) continue;
        jc_comparison c = jc_compare(&k, &t);
        lines[count++] = line_of(graph, &k, &c);
    }
    print_lines(lines, count);
    for (int64_t i = 1; i < count; i++) free(lines[i].name);
    free(lines);
}

static void emit_cosine(jc_emit *e, const char *key, double value)
{
    if (isnan(value))
        jc_emit_null(e, key);
    else
        jc_emit_double(e, key, value);
}

void jc_compare_emit(jc_emit *e, const jc_comparison *c)
{
    jc_emit_double(e, "norm", c->kept);
    emit_cosine(e, "cosine", c->kept_cosine);
    jc_emit_open(e, "dropped", '{');
    jc_emit_double(e, "norm", c->dropped);
    emit_cosine(e, "cosine", c->dropped_cosine);
    jc_emit_double(e, "total_norm", c->total);
    jc_emit_close(e, '}');
}
