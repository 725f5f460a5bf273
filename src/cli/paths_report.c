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

const char *jc_path_measure_text(jc_measure m, char text[JC_NUMBER_BYTES])
{
    return m.known ? jc_report_number(m.value, text) : strcpy(text, "-");
}

static const char *plural(const char *count)
{
    return strcmp(count, "1") ? "paths" : "path";
}

/* What the search for the largest norms can guarantee. */
static void print_certainty(const jc_path_report *r)
{
    char bound[JC_NUMBER_BYTES];
    if (r->exact)
        puts(r->all_seen ? "exact: every path was looked at" : "exact: no other path has a larger norm");
    else
        printf("the best found: %lld partial paths were looked at; no path not seen has a norm over %s\n",
               (long long)r->looked_at, jc_report_number(r->unseen_bound, bound));
}

static void print_head(const jc_path_report *r)
{
    char *of = jc_cli_name(r->graph, r->of), *wrt = jc_cli_name(r->graph, r->wrt), norm[JC_NUMBER_BYTES];
    printf("%s %s from %s to %s", r->count, plural(r->count), wrt, of);
    if (r->through_text) printf(", %s through just %s", r->through_count, r->through_text);
    if (r->more && r->n_paths && !r->top) printf(", the first %lld", (long long)r->n_paths);
    if (r->top && r->n_paths) printf(", the %lld of largest norm", (long long)r->n_paths);
    putchar('\n');
    if (r->norm.known) printf("d%s/d%s: %s norm %s", of, wrt, r->norm_name, jc_path_measure_text(r->norm, norm));
    if (r->cancellation.known) printf(", cancellation %s", jc_path_measure_text(r->cancellation, norm));
    if (r->norm.known) putchar('\n');
    if (r->top && r->n_paths) print_certainty(r);
    free(wrt);
    free(of);
}

/* Whether another edge joins the same two variables. */
static bool has_parallel(const jc_graph *g, int64_t edge)
{
    int64_t v = jc_graph_wrt(g, edge), n = 0;
    for (int64_t k = g->out_start[v]; k < g->out_start[v + 1] && n < 2; k++)
        n += jc_graph_of(g, g->out_edges[k]) == jc_graph_of(g, edge);
    return n > 1;
}

/* Paths of parallel edges read alike: then their edge numbers are shown too. */
static bool any_parallel(const jc_path_report *r)
{
    for (int64_t i = 0; i < r->n_paths; i++)
        for (int64_t k = 0; k < r->paths[i].n_edges; k++)
            if (has_parallel(r->graph, r->paths[i].edges[k])) return true;
    return false;
}

/* The columns before the last one are as wide as their widest entry. */
typedef struct columns {
    int norm, share, contribution, path;
    bool edges, has_contribution;
} columns;

static columns find_columns(const jc_path_report *r, char *const *texts)
{
    char text[JC_NUMBER_BYTES];
    columns c = {(int)strlen("norm"), (int)strlen("share"),          (int)strlen("contribution"),
                 (int)strlen("path"), r->n_paths && any_parallel(r), r->n_paths && r->paths[0].contribution.known};
    for (int64_t i = 0; i < r->n_paths; i++) {
        int norm = (int)strlen(jc_path_measure_text(r->paths[i].norm, text)), path = jc_cli_text_width(texts[i]);
        int share = (int)strlen(jc_path_measure_text(r->paths[i].share, text));
        if (norm > c.norm) c.norm = norm;
        if (share > c.share) c.share = share;
        if (path > c.path && path <= MAX_PATH_WIDTH) c.path = path;
    }
    return c;
}

static void print_path(const char *text, const columns *c)
{
    int pad = c->edges ? c->path - jc_cli_text_width(text) : 0;
    printf("  %s%*s", text, pad > 0 ? pad : 0, "");
}

static void print_header(const jc_path_report *r, const columns *c)
{
    if (!r->norm.known && !c->edges) return;
    if (r->norm.known) printf("\n  %*s  %*s", c->norm, "norm", c->share, "share");
    if (c->has_contribution) printf("  %*s", c->contribution, "contribution");
    print_path("path", c);
    puts(c->edges ? "  edges" : "");
}

static void print_row(const jc_path_report *r, const jc_listed_path *p, const char *text, const columns *c)
{
    char norm[JC_NUMBER_BYTES], share[JC_NUMBER_BYTES];
    if (r->norm.known)
        printf("  %*s  %*s", c->norm, jc_path_measure_text(p->norm, norm), c->share,
               jc_path_measure_text(p->share, share));
    if (c->has_contribution) printf("  %*s", c->contribution, jc_path_measure_text(p->contribution, norm));
    print_path(text, c);
    for (int64_t k = 0; k < p->n_edges && c->edges; k++) printf("%s%lld", k ? " " : "  ", (long long)p->edges[k]);
    putchar('\n');
}

static void print_paths(const jc_path_report *r)
{
    char **texts = jc_cli_alloc(r->n_paths, sizeof *texts);
    for (int64_t i = 0; i < r->n_paths; i++) texts[i] = path_text(r, &r->paths[i]);
    columns c = find_columns(r, texts);
    print_header(r, &c);
    for (int64_t i = 0; i < r->n_paths; i++) {
        print_row(r, &r->paths[i], texts[i], &c);
        free(texts[i]);
    }
    free(texts);
}

void jc_path_report_print(const jc_path_report *r)
{
    print_head(r);
    if (r->n_paths) print_paths(r);
    if (r->by) jc_path_parts_print(r);
    if (!r->product) return;
    jc_report product = {
        .shared = r->shared, .graph = r->graph, .results = r->product, .name = "the sum of their products"};
    putchar('\n');
    jc_report_print(&product);
}

/* ---- JSON -------------------------------------------------------------------------------------------------------- */

void jc_path_emit_measure(jc_emit *e, const char *key, jc_measure m)
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
    jc_path_emit_measure(e, "norm", p->norm);
    jc_path_emit_measure(e, "share", p->share);
    if (r->top) jc_path_emit_measure(e, "contribution", p->contribution);
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

static void emit_certainty(jc_emit *e, const jc_path_report *r)
{
    if (r->top)
        jc_emit_bool(e, "exact", r->exact);
    else
        jc_emit_null(e, "exact");
    jc_path_emit_measure(e, "unseen_bound", (jc_measure){r->top, r->unseen_bound});
    if (r->top) jc_emit_int(e, "looked_at", r->looked_at);
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
    jc_path_emit_measure(&e, "norm", r->norm);
    jc_path_emit_measure(&e, "cancellation", r->cancellation);
    emit_certainty(&e, r);
    emit_product(&e, r);
    jc_emit_open(&e, "paths", '[');
    for (int64_t i = 0; i < r->n_paths; i++) emit_path(&e, r, &r->paths[i]);
    jc_emit_close(&e, ']');
    if (r->by) jc_path_parts_emit(&e, r);
    jc_cli_emit_non_finite(&e, r->graph, r->n_non_finite, r->non_finite);
    jc_emit_close(&e, '}');
    putchar('\n');
}
