/* jacchain norms: how large dT/dV is for every variable V that T depends on. */
#define _GNU_SOURCE /* strchrnul */

#include "cli/norms.h"

#include <stdlib.h>
#include <string.h>

#include "cli/product.h"
#include "graph/graph.h"
#include "paths/distance.h"

typedef struct norms_options {
    jc_cli_shared shared; /* first: the shared tables of options point to the start */
    const char *plot;
    int axis;
} norms_options;

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(norms_options, shared.of),
     .value = "T",
     .help = "the target; any variable"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(norms_options, shared.wrt),
     .value = "V[,..]",
     .help = "only these variables, in this order. Default: every variable that T depends on, the nearest first"},
    {.name = "output",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(norms_options, plot),
     .value = "FILE",
     .help = "plot the norms on a logarithmic scale, besides what is printed: FILE.svg, .png or .pdf, by the program "
             "gnuplot (package gnuplot-nox). A file is written whole or not at all"},
    {.name = "against",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(norms_options, axis),
     .value = "WHAT",
     .help = "what they are plotted against: distance, the fewest edges from V to T (the default), or step, for the "
             "variables of an unrolled network, whose names end with it (h1, h2, ..)",
     .choices = "distance|step"},
    {0}};

static const jc_usage usage = {
    .command = "norms",
    .synopsis = "GRAPH --of T [--wrt V[,..]] [options]",
    .text = "Where gradients vanish or explode: the Frobenius norm, the largest and the smallest singular value of "
            "dT/dV for every variable V, from one sweep (in reverse unless --wrt or --order is given), and the growth "
            "rate of the Frobenius norm: the factor by which it changes with each edge away from T, by least squares "
            "over the logarithms.",
    .tables = {table, jc_cli_engine_options, jc_cli_report_options, jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain norms examples/digits_rnn.json --of L"};

/* What --output ends with, and gnuplot's terminal for it. */
static const struct {
    const char *end, *terminal;
} pictures[] = {{".svg", "svg"}, {".png", "pngcairo"}, {".pdf", "pdfcairo"}};

/* One run of the command: what it holds, freed together. */
typedef struct work {
    const norms_options *o;
    const jc_cli_shared *shared;
    const char *graph_path;
    const char *terminal; /* NULL: no picture */
    jc_graph *graph;
    jc_cli_variables of, wrt;
    jc_cli_rules rules;
    jc_results *results; /* NULL: T depends on nothing */
    jc_norm_report report;
    jc_picture picture;
} work;

static void work_fini(work *w)
{
    jc_picture_fini(&w->picture);
    jc_norm_report_fini(&w->report);
    jc_results_destroy(w->results);
    jc_cli_rules_fini(&w->rules);
    free(w->wrt.ids);
    free(w->of.ids);
    jc_graph_destroy(w->graph);
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static bool check_plot(work *w, int *exit_code)
{
    const char *path = w->o->plot;
    if (!path) return true;
    for (size_t i = 0; i < sizeof pictures / sizeof pictures[0] && !w->terminal; i++) {
        if (jc_cli_ends_with(path, pictures[i].end)) w->terminal = pictures[i].terminal;
    }
    if (!w->terminal) {
        *exit_code =
            jc_cli_usage_error("norms", "--output takes a name that ends with .svg, .png or .pdf, not '%s'", path);
        return false;
    }
    jc_status status = jc_cli_check_folder(path);
    if (status) *exit_code = jc_cli_failed(status);
    return status == JC_OK;
}

static bool check_target(const work *w, int *exit_code)
{
    if (w->of.count != 1) *exit_code = jc_cli_usage_error("norms", "--of takes one variable");
    return w->of.count == 1;
}

static bool prepare(work *w, int *exit_code)
{
    const jc_cli_shared *s = w->shared;
    return jc_product_needs(s, "of", s->of, exit_code) && check_plot(w, exit_code) &&
           jc_cli_shared_check(s, exit_code) &&
           jc_cli_load(s, w->graph_path, &w->graph, &w->report.load_s, exit_code) &&
           jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) && check_target(w, exit_code) &&
           jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) &&
           jc_cli_find_rules(s, w->graph, &w->rules, exit_code);
}

/* Of T with respect to these variables. The order is left to the plan where they are named; a forward sweep for all of
 * them would hold a matrix for every pair of variables. */
static jc_query query_of(const work *w, const int64_t *wrt, int64_t n)
{
    jc_query q = JC_QUERY_INIT;
    q.of = w->of.ids, q.n_of = 1;
    q.wrt = wrt, q.n_wrt = n;
    q.rules = w->rules.rule, q.n_rules = w->rules.count;
    q.order = (jc_order)w->shared->order;
    if (q.order == JC_ORDER_AUTO && !w->report.named) q.order = JC_ORDER_REVERSE;
    return q;
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

static int compare_rows(const void *a, const void *b)
{
    const jc_norm_row *x = a, *y = b;
    if (x->distance != y->distance) return x->distance < y->distance ? -1 : 1;
    return (x->variable > y->variable) - (x->variable < y->variable);
}

/* Every variable but T, to be asked which of them T depends on along a kept path. */
static jc_cli_variables others(const work *w)
{
    jc_cli_variables list = {jc_cli_alloc(jc_graph_variable_count(w->graph), sizeof *list.ids), 0};
    for (int64_t v = 0; v < jc_graph_variable_count(w->graph); v++) {
        if (v != w->of.ids[0]) list.ids[list.count++] = v;
    }
    return list;
}

/* A row for each of the variables asked for, in their order. */
static void make_rows(work *w, const jc_cli_variables *list, const int64_t *distance)
{
    jc_norm_report *r = &w->report;
    r->rows = jc_cli_alloc(list->count, sizeof *r->rows);
    for (int64_t i = 0; i < list->count; i++) {
        if (distance[i] < 0 && !r->named) continue;
        r->rows[r->n_rows++] = (jc_norm_row){.variable = list->ids[i],
                                             .size = jc_graph_variable_size(w->graph, list->ids[i]),
                                             .distance = distance[i],
                                             .name = jc_cli_name(w->graph, list->ids[i])};
    }
    if (!r->named && r->n_rows) qsort(r->rows, (size_t)r->n_rows, sizeof *r->rows, compare_rows);
}

static jc_status find_rows(work *w)
{
    jc_cli_variables list = w->report.named ? w->wrt : others(w);
    int64_t *distance = jc_cli_alloc(list.count, sizeof *distance);
    jc_query query = query_of(w, list.ids, list.count);
    jc_status status = list.count ? jc_distances(w->graph, &query, distance) : JC_OK;
    if (!status) make_rows(w, &list, distance);
    free(distance);
    if (!w->report.named) free(list.ids);
    return status;
}

static jc_status evaluate(work *w)
{
    const jc_norm_report *r = &w->report;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = jc_cli_program_options(w->shared)};
    int64_t *wrt = jc_cli_alloc(r->n_rows, sizeof *wrt);
    for (int64_t i = 0; i < r->n_rows; i++) wrt[i] = r->rows[i].variable;
    jc_query query = query_of(w, wrt, r->n_rows);
    jc_cli_meter meter;
    options.program.progress = jc_cli_meter_begin(&meter, w->shared->quiet, "computing");
    jc_status status = jc_evaluate(w->graph, &query, &options, &w->results);
    jc_cli_meter_end(&meter);
    free(wrt);
    return status;
}

/* A zero singular value comes out of rounding as large as max(rows, cols) u largest. */
static bool may_be_zero(const jc_result *r, const jc_norms *n)
{
    double roundoff = r->dtype == JC_F64 ? 0x1p-53 : 0x1p-24;
    return n->smallest <= (double)(r->rows > r->cols ? r->rows : r->cols) * roundoff * n->largest;
}

/* The results come in the order of the query's variables. */
static jc_status measure(work *w)
{
    jc_norm_report *r = &w->report;
    jc_cli_meter meter;
    jc_progress progress = jc_cli_meter_begin(&meter, w->shared->quiet, "singular values");
    jc_status status = JC_OK;
    for (int64_t i = 0; i < r->n_rows && !status; i++) {
        jc_norm_row *row = &r->rows[i];
        jc_result result;
        row->norms.struct_size = sizeof row->norms;
        status = jc_results_get(w->results, i, &result);
        if (!status) status = jc_result_norms(&w->graph->allocator, &result, &row->norms);
        if (!status) row->may_be_zero = may_be_zero(&result, &row->norms);
        if (progress.report) progress.report(progress.ctx, "variables", i + 1, r->n_rows);
    }
    jc_cli_meter_end(&meter);
    return status;
}

static jc_status compute(work *w)
{
    jc_norm_report *r = &w->report;
    jc_status status = find_rows(w);
    if (status || !r->n_rows) return status;
    status = evaluate(w);
    if (!status) status = measure(w);
    if (status) return status;
    r->info.struct_size = sizeof r->info;
    jc_results_get_info(w->results, &r->info);
    jc_norm_report_fit(r);
    return JC_OK;
}

static bool check_steps(const work *w, int *exit_code)
{
    if (!w->terminal || w->report.axis != JC_NORM_BY_STEP || w->report.n_families) return true;
    *exit_code =
        jc_cli_usage_error("norms", "--against step takes variables whose names end with the step, at least three "
                                    "with a name in common: h1, h2, h3");
    return false;
}

static jc_status paint(work *w)
{
    jc_cli_meter meter;
    if (!w->terminal) return JC_OK;
    jc_cli_meter_begin(&meter, w->shared->quiet, "drawing");
    jc_status status = jc_norm_plot_paint(&w->report, w->terminal, &w->picture);
    jc_cli_meter_end(&meter);
    return status;
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

/* What gnuplot said, but for lines about norms of which there is nothing to draw. */
static void pass_on(const char *said)
{
    for (const char *p = said; *p;) {
        const char *end = strchrnul(p, '\n'), *none = strstr(p, "no valid points");
        if (end > p && (!none || none > end)) fprintf(stderr, "%.*s\n", (int)(end - p), p);
        p = *end ? end + 1 : end;
    }
}

static void narrate(const work *w)
{
    const jc_norm_report *r = &w->report;
    char load[JC_QUANTITY_BYTES], size[JC_GRAPH_SIZE_BYTES], run[JC_QUANTITY_BYTES], adds[JC_QUANTITY_BYTES];
    jc_cli_warn_non_finite(w->graph, r->info.n_non_finite, r->info.non_finite);
    jc_cli_narrate(w->shared->quiet, "%s: %s, load %s", jc_cli_document_name(w->graph_path),
                   jc_cli_graph_size_text(jc_graph_variable_count(w->graph), jc_graph_edge_count(w->graph), size),
                   jc_cli_seconds_text(r->load_s, load));
    if (!w->results) return;
    jc_cli_narrate(w->shared->quiet, "%s, %s, on %s: %s multiply-adds in %s; backend %s (%s)",
                   jc_cli_order_name(r->info.order), jc_cli_precision_name(r->info.precision), r->info.device,
                   jc_cli_count_text(r->info.multiply_adds, adds), jc_cli_seconds_text(r->info.run_s, run),
                   r->info.backend, r->info.reason);
    if (w->picture.said && !w->shared->quiet) pass_on(w->picture.said);
}

static void say(const void *ctx)
{
    const work *w = ctx;
    if (w->shared->json)
        jc_norm_report_emit(&w->report);
    else
        jc_norm_report_print(&w->report);
}

static int deliver(const work *w)
{
    if (!w->terminal) {
        say(w);
        return jc_cli_flush();
    }
    int code = jc_picture_deliver(w->o->plot, w->picture.data, w->picture.bytes, say, w);
    if (code == JC_EXIT_DONE) jc_cli_narrate(w->shared->quiet, "wrote %s", w->o->plot);
    return code;
}

static int run(work *w)
{
    int code;
    if (!prepare(w, &code)) return code;
    w->report.graph = w->graph;
    w->report.of = w->of.ids[0];
    w->report.restricted = w->rules.count > 0;
    w->report.of_name = jc_cli_name(w->graph, w->of.ids[0]);
    w->report.of_size = jc_graph_variable_size(w->graph, w->of.ids[0]);
    jc_status status = compute(w);
    if (status) return jc_cli_failed_in(status, w->graph_path);
    if (!check_steps(w, &code)) return code;
    if ((status = paint(w))) return jc_cli_failed(status);
    narrate(w);
    return deliver(w);
}

int jc_cli_norms(int argc, char **argv)
{
    norms_options o = {.shared = JC_CLI_SHARED_INIT("norms")};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code)) return code;
    work w = {.o = &o, .shared = &o.shared, .graph_path = words.word[0]};
    w.report = (jc_norm_report){.shared = &o.shared, .axis = (jc_norm_axis)o.axis, .named = o.shared.wrt != NULL};
    code = run(&w);
    work_fini(&w);
    return code;
}
