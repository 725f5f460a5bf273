/* The paths of the command paths, as a table and as JSON. */
#include <stdlib.h>
#include <string.h>

#include "cli/paths.h"
#include "cli/report.h"
#include "graph/graph.h"

/* ---- text -------------------------------------------------------------------------------------------------------- */

enum { MAX_PATH_WIDTH = 72 };

static char *path_text(const jc_path_report *r, const jc_listed_path *p)
{
    jc_formula f = jc_formula_begin(r->format);
    jc_formula_path(&f, r->graph, p->edges, p->n_edges);
    return f.text;
}

static const char *measure_text(jc_measure m, char text[JC_NUMBER_BYTES])
{
    return m.known ? jc_report_number(m.value, text) : strcpy(text, "-");
}

static const char *plural(const char *count)
{
    return strcmp(count, "1") ? "paths" : "path";
}

static void print_head(const jc_path_report *r)
{
    char *of = jc_cli_name(r->graph, r->of), *wrt = jc_cli_name(r->graph, r->wrt), norm[JC_NUMBER_BYTES];
    printf("%s %s from %s to %s", r->count, plural(r->count), wrt, of);
    if (r->through_text) printf(", %s through just %s", r->through_count, r->through_text);
    if (r->more && r->n_paths) printf(", the first %lld", (long long)r->n_paths);
    putchar('\n');
    if (r->norm.known) printf("d%s/d%s: %s norm %s", of, wrt, r->norm_name, measure_text(r->norm, norm));
    if (r->cancellation.known) printf(", cancellation %s", measure_text(r->cancellation, norm));
    if (r->norm.known) putchar('\n');
    free(wrt);
    free(of);
}

/* Widths of the columns: the path, its norm, its share. */
static void find_widths(const jc_path_report *r, char *const *texts, int widths[3])
{
    char text[JC_NUMBER_BYTES];
    widths[0] = (int)strlen("path"), widths[1] = (int)strlen("norm"), widths[2] = (int)strlen("share");
    for (int64_t i = 0; i < r->n_paths; i++) {
        int width[3] = {jc_cli_text_width(texts[i]), (int)strlen(measure_text(r->paths[i].norm, text)),
                        (int)strlen(measure_text(r->paths[i].share, text))};
        for (int k = 0; k < 3; k++)
            if (width[k] > widths[k] && width[k] <= MAX_PATH_WIDTH) widths[k] = width[k];
    }
}

static void print_row(const jc_path_report *r, int64_t i, const char *text, const int widths[3])
{
    char norm[JC_NUMBER_BYTES], share[JC_NUMBER_BYTES];
    int pad = widths[0] - jc_cli_text_width(text);
    if (!r->norm.known) {
        printf("  %s\n", text);
        return;
    }
    printf("  %s%*s  %*s  %*s\n", text, pad > 0 ? pad : 0, "", widths[1], measure_text(r->paths[i].norm, norm),
           widths[2], measure_text(r->paths[i].share, share));
}

static void print_paths(const jc_path_report *r)
{
    int widths[3];
    char **texts = jc_cli_alloc(r->n_paths, sizeof *texts);
    for (int64_t i = 0; i < r->n_paths; i++) texts[i] = path_text(r, &r->paths[i]);
    find_widths(r, texts, widths);
    if (r->norm.known) printf("\n  %-*s  %*s  %*s\n", widths[0], "path", widths[1], "norm", widths[2], "share");
    for (int64_t i = 0; i < r->n_paths; i++) {
        print_row(r, i, texts[i], widths);
        free(texts[i]);
    }
    free(texts);
}

void jc_path_report_print(const jc_path_report *r)
{
    print_head(r);
    if (r->n_paths) print_paths(r);
    if (!r->product) return;
    jc_report product = {
        .shared = r->shared, .graph = r->graph, .results = r->product, .name = "the sum of their products"};
    putchar('\n');
    jc_report_print(&product);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

static void emit_measure(jc_emit *e, const char *key, jc_measure m)
{
    if (m.known)
        jc_emit_double(e, key, m.value);
    else
        jc_emit_null(e, key);
}

static void emit_variables(jc_emit *e, const jc_path_report *r, const jc_listed_path *p)
{
    jc_emit_open(e, "variables", '[');
    jc_cli_emit_name(e, NULL, r->graph, r->wrt);
    for (int64_t i = 0; i < p->n_edges; i++) jc_cli_emit_name(e, NULL, r->graph, jc_graph_of(r->graph, p->edges[i]));
    jc_emit_close(e, ']');
}

static void emit_edges(jc_emit *e, const jc_listed_path *p)
{
    jc_emit_open(e, "edges", '[');
    for (int64_t i = 0; i < p->n_edges; i++) jc_emit_int(e, NULL, p->edges[i]);
    jc_emit_close(e, ']');
}

static void emit_labels(jc_emit *e, const jc_graph *g, const jc_listed_path *p)
{
    const jc_label_set *sets = g->label_sets.data;
    jc_emit_open(e, "labels", '[');
    for (int64_t i = 0; i < p->n_edges; i++) {
        const jc_label_set *set = &sets[jc_graph_group(g, p->edges[i])->label_set];
        jc_emit_open(e, NULL, '[');
        for (int64_t k = 0; k < set->count; k++) {
            int64_t label = ((const int64_t *)g->set_labels.data)[set->first + k];
            jc_emit_text(e, NULL, ((char *const *)g->label_names.data)[label]);
        }
        jc_emit_close(e, ']');
    }
    jc_emit_close(e, ']');
}

static void emit_path(jc_emit *e, const jc_path_report *r, const jc_listed_path *p)
{
    char *text = path_text(r, p);
    jc_emit_open(e, NULL, '{');
    emit_variables(e, r, p);
    emit_edges(e, p);
    emit_labels(e, r->graph, p);
    jc_emit_text(e, "formula", text);
    emit_measure(e, "norm", p->norm);
    emit_measure(e, "share", p->share);
    jc_emit_close(e, '}');
    free(text);
}

/* Over 10,000 entries it is left out, unless --values asks for them all. */
static void emit_product(jc_emit *e, const jc_path_report *r)
{
    jc_result product = {.data = NULL};
    if (r->product) jc_results_get(r->product, 0, &product);
    if (r->product && (r->shared->values || jc_report_has_few_entries(&product)))
        jc_report_emit_matrix(e, "product", &product);
    else
        jc_emit_null(e, "product");
}

void jc_path_report_emit(const jc_path_report *r)
{
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "command", r->shared->command);
    jc_cli_emit_name(&e, "of", r->graph, r->of);
    jc_cli_emit_name(&e, "wrt", r->graph, r->wrt);
    jc_emit_text(&e, "count", r->count);
    if (r->through_text) jc_emit_text(&e, "count_through", r->through_count);
    jc_emit_text(&e, "norm_kind", r->norm_name);
    emit_measure(&e, "norm", r->norm);
    emit_measure(&e, "cancellation", r->cancellation);
    jc_emit_null(&e, "exact");
    jc_emit_null(&e, "unseen_bound");
    emit_product(&e, r);
    jc_emit_open(&e, "paths", '[');
    for (int64_t i = 0; i < r->n_paths; i++) emit_path(&e, r, &r->paths[i]);
    jc_emit_close(&e, ']');
    jc_cli_emit_non_finite(&e, r->graph, r->n_non_finite, r->non_finite);
    jc_emit_close(&e, '}');
    putchar('\n');
}
