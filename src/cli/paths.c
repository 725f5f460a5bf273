/* jacchain paths: how many there are, and a list of them with norms and shares. */
#include "cli/paths.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/product.h"
#include "cli/report.h"
#include "graph/edge_set.h"
#include "run/norm.h"

enum { FROBENIUS, SPECTRAL, NONE };

typedef struct paths_options {
    jc_cli_shared shared; /* first: the shared tables of options point to the start */
    const char *path, *by;
    int64_t limit, top, search_limit; /* limit -1, others 0: not given */
    int norm, format;
} paths_options;

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(paths_options, shared.of),
     .value = "T",
     .help = "where the paths end"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(paths_options, shared.wrt),
     .value = "S",
     .help = "where they begin"},
    {.name = "limit",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(paths_options, limit),
     .value = "N",
     .help = "lists the first N paths, in the order of edge numbers from the source; default 20"},
    {.name = "path",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(paths_options, path),
     .value = "S,..,T",
     .help = "only the paths through exactly these variables (of parallel edges: all), and the sum of their products, "
             "which --output writes beside what is printed"},
    {.name = "norm",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(paths_options, norm),
     .value = "NORM",
     .help = "frobenius (the default), spectral (the largest singular value), or none, which takes no numbers",
     .choices = "frobenius|spectral|none"},
    {.name = "format",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(paths_options, format),
     .value = "FORMAT",
     .help = "how products are written: text (the default), D[L,y] D[y,x], or latex, D_{Ly} D_{yx}",
     .choices = "text|latex"},
    {.name = "top",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(paths_options, top),
     .value = "K",
     .min = 1,
     .max = JC_MOST_TOP_PATHS,
     .help = "lists the K paths of largest norm, in order, found without listing the others; says whether these are "
             "proven to be the largest, and what the others can have at most"},
    {.name = "search-limit",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(paths_options, search_limit),
     .value = "N",
     .min = 1,
     .help = "partial paths that --top looks at, beyond those that K paths take; default: what takes a second or two"},
    {.name = "by",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(paths_options, by),
     .value = "LABEL",
     .help = "splits the total by how many edges with this label its paths use, instead of listing paths"},
    {0}};

static const jc_usage usage = {
    .command = "paths",
    .synopsis = "GRAPH --of T --wrt S [options]",
    .text = "How many paths lead from S to T, exactly, and a list of them. Each with the norm of its product and its "
            "share, that norm over the norm of the total; shares need not add up to 1. Cancellation is the norm of the "
            "total formed from absolute values over the norm of the total: 1 where nothing cancels.\n"
            "--top lists the paths of largest norm, --by splits the total by how often a label is used, both without "
            "going through all paths.",
    .tables = {table, jc_cli_output_options, jc_cli_engine_options, jc_cli_report_options, jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain paths examples/post.json --of L --wrt w --format latex\n"
               "jacchain paths examples/post.json --of L --wrt w --top 3"};

/* One run of the command: what it holds, freed together. */
typedef struct work {
    const paths_options *o;
    const jc_cli_shared *shared;
    const char *graph_path;
    jc_graph *graph;
    jc_cli_variables of, wrt, through;
    jc_cli_rules rules;
    jc_vec through_edges; /* int64_t: with --path, all edges between its variables */
    jc_paths *all, *listed;
    jc_results *total, *product;
    jc_path_report report;
} work;

static void work_fini(work *w)
{
    for (int64_t i = 0; i < w->report.n_paths; i++) free(w->report.paths[i].edges);
    free(w->report.paths);
    jc_path_parts_free(&w->report);
    jc_results_destroy(w->product);
    jc_results_destroy(w->total);
    if (w->listed != w->all) jc_paths_destroy(w->listed);
    jc_paths_destroy(w->all);
    if (w->graph) jc_vec_free(&w->graph->allocator, &w->through_edges);
    jc_cli_rules_fini(&w->rules);
    free(w->through.ids);
    free(w->wrt.ids);
    free(w->of.ids);
    jc_graph_destroy(w->graph);
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

/* Each of --path, --top and --by is another question. */
static bool check_combination(const paths_options *o, int *exit_code)
{
    const char *first = o->path ? "path" : o->top ? "top" : "by", *second = o->path && o->top ? "top" : "by";
    if ((o->path != NULL) + (o->top > 0) + (o->by != NULL) > 1)
        *exit_code = jc_cli_usage_error("paths", "--%s and --%s do not go together", first, second);
    else if (o->limit >= 0 && (o->top || o->by))
        *exit_code = jc_cli_usage_error("paths", "--limit does not go with --%s", first);
    else if (o->top && o->norm == NONE)
        *exit_code = jc_cli_usage_error("paths", "--top orders paths by a norm: --norm frobenius or spectral");
    else if (o->search_limit && !o->top)
        *exit_code = jc_cli_usage_error("paths", "--search-limit belongs to --top");
    else
        return true;
    return false;
}

static bool check_options(const paths_options *o, int *exit_code)
{
    if (!jc_product_needs(&o->shared, "of", o->shared.of, exit_code) ||
        !jc_product_needs(&o->shared, "wrt", o->shared.wrt, exit_code)) {
        return false;
    }
    if (o->shared.output && !o->path) {
        *exit_code = jc_cli_usage_error("paths", "--output writes the sum of the products that --path names");
        return false;
    }
    return check_combination(o, exit_code) && jc_cli_shared_check(&o->shared, exit_code);
}

static bool check_ends(const work *w, int *exit_code)
{
    const char *option = w->of.count != 1 ? "of" : w->wrt.count != 1 ? "wrt" : NULL;
    if (option) *exit_code = jc_cli_usage_error("paths", "--%s takes one variable", option);
    return !option;
}

/* A usage error about two variables: their names after the texts. */
static bool refuse(const work *w, const char *text, int64_t a, const char *and_text, int64_t b, int *exit_code)
{
    char *first = jc_cli_name(w->graph, a), *second = jc_cli_name(w->graph, b);
    *exit_code = jc_cli_usage_error("paths", "--path%s %s%s %s", text, first, and_text, second);
    free(second);
    free(first);
    return false;
}

/* The edges between the variables of --path, which must begin at S, end at T, and be joined one to the next. */
static bool find_through(work *w, int *exit_code)
{
    const jc_cli_variables *t = &w->through;
    if (!w->o->path) return true;
    if (!jc_cli_find_variables(w->shared, w->graph, "path", w->o->path, &w->through, exit_code)) return false;
    if (t->ids[0] != w->wrt.ids[0]) return refuse(w, " begins at", t->ids[0], ", --wrt is", w->wrt.ids[0], exit_code);
    if (t->ids[t->count - 1] != w->of.ids[0])
        return refuse(w, " ends at", t->ids[t->count - 1], ", --of is", w->of.ids[0], exit_code);
    for (int64_t i = 0; i + 1 < t->count; i++) {
        int64_t before = w->through_edges.count;
        jc_status status = jc_edges_between(w->graph, t->ids[i + 1], t->ids[i], &w->through_edges);
        if (status) *exit_code = jc_cli_failed(status);
        if (status) return false;
        if (w->through_edges.count == before)
            return refuse(w, ": no edge leads from", t->ids[i], " to", t->ids[i + 1], exit_code);
    }
    return true;
}

static bool prepare(work *w, int *exit_code)
{
    const jc_cli_shared *s = w->shared;
    return jc_cli_load(s, w->graph_path, &w->graph, &w->report.load_s, exit_code) &&
           jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) &&
           jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) && check_ends(w, exit_code) &&
           jc_cli_find_rules(s, w->graph, &w->rules, exit_code) && find_through(w, exit_code);
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

static const int64_t no_edges[1];

/* edges NULL: the total over all paths. */
static jc_query query_of(const work *w, const int64_t *edges, int64_t n_edges)
{
    jc_query q = JC_QUERY_INIT;
    q.of = w->of.ids, q.n_of = 1;
    q.wrt = w->wrt.ids, q.n_wrt = 1;
    q.order = (jc_order)w->shared->order;
    q.edges = edges, q.n_edges = n_edges;
    q.rules = w->rules.rule, q.n_rules = w->rules.count;
    return q;
}

static jc_status evaluate(const work *w, const int64_t *edges, int64_t n_edges, jc_results **results)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = jc_cli_program_options(w->shared)};
    jc_query query = query_of(w, edges, n_edges);
    return jc_evaluate(w->graph, &query, &options, results);
}

static jc_status norm_of(const work *w, const jc_results *results, jc_measure *norm)
{
    jc_result r;
    jc_status status = jc_results_get(results, 0, &r);
    if (!status) status = jc_result_norm(&w->graph->allocator, &r, (jc_norm)w->o->norm, &norm->value);
    norm->known = !status;
    return status;
}

jc_measure jc_path_ratio(double a, double b)
{
    jc_measure m = {!(a == 0 && b == 0), 0};
    if (m.known) m.value = a / b;
    return m;
}

static jc_status measure_total(work *w)
{
    jc_path_report *r = &w->report;
    jc_results_info info = {.struct_size = sizeof info};
    jc_query query = query_of(w, NULL, 0);
    double magnitude = 0;
    jc_cli_meter meter;
    jc_cli_meter_begin(&meter, w->shared->quiet, "computing the total");
    jc_status status = evaluate(w, NULL, 0, &w->total);
    if (!status) status = norm_of(w, w->total, &r->norm);
    if (!status) status = jc_magnitude_norm(w->graph, &query, w->shared->memory_limit, (jc_norm)w->o->norm, &magnitude);
    jc_cli_meter_end(&meter);
    if (status) return status;
    r->cancellation = jc_path_ratio(magnitude, r->norm.value);
    jc_results_get_info(w->total, &info);
    r->n_non_finite = info.n_non_finite;
    r->non_finite = info.non_finite;
    return JC_OK;
}

static jc_status measure_path(const work *w, jc_listed_path *p)
{
    jc_results *results = NULL;
    jc_status status = evaluate(w, p->n_edges ? p->edges : no_edges, p->n_edges, &results);
    if (!status) status = norm_of(w, results, &p->norm);
    if (!status) p->share = jc_path_ratio(p->norm.value, w->report.norm.value);
    jc_results_destroy(results);
    return status;
}

static jc_listed_path *add_path(jc_path_report *r, int64_t *capacity, const int64_t *edges, int64_t n)
{
    if (r->n_paths == *capacity) {
        *capacity = 2 * *capacity + 16;
        jc_listed_path *paths = jc_cli_alloc(*capacity, sizeof *paths);
        if (r->n_paths) memcpy(paths, r->paths, (size_t)r->n_paths * sizeof *paths);
        free(r->paths);
        r->paths = paths;
    }
    jc_listed_path *p = &r->paths[r->n_paths++];
    *p = (jc_listed_path){.edges = jc_cli_alloc(n, sizeof *p->edges), .n_edges = n};
    if (n) memcpy(p->edges, edges, (size_t)n * sizeof *edges);
    return p;
}

static jc_status list_paths(work *w)
{
    const int64_t *edges;
    int64_t n, capacity = 0, limit = w->o->limit < 0 ? 20 : w->o->limit;
    jc_cli_meter meter;
    jc_progress progress = jc_cli_meter_begin(&meter, w->shared->quiet, "listing paths");
    jc_status status = JC_OK;
    while (!status && jc_paths_next(w->listed, &edges, &n)) {
        w->report.more = w->report.n_paths == limit;
        if (w->report.more) break;
        jc_listed_path *p = add_path(&w->report, &capacity, edges, n);
        if (w->o->norm != NONE) status = measure_path(w, p);
        if (progress.report) progress.report(progress.ctx, "paths", w->report.n_paths, limit);
    }
    jc_cli_meter_end(&meter);
    return status;
}

static jc_status count_paths(work *w)
{
    const int64_t *edges = w->through_edges.count ? w->through_edges.data : no_edges;
    jc_cli_meter meter;
    jc_cli_meter_begin(&meter, w->shared->quiet, "counting paths");
    jc_query all = query_of(w, NULL, 0), listed = query_of(w, edges, w->through_edges.count);
    jc_status status = jc_paths_create(w->graph, &all, &w->all);
    if (!status) status = jc_paths_count(w->all, &w->report.count);
    if (!status && w->o->path) status = jc_paths_create(w->graph, &listed, &w->listed);
    if (!status && w->o->path) status = jc_paths_count(w->listed, &w->report.through_count);
    if (!w->o->path) w->listed = w->all;
    jc_cli_meter_end(&meter);
    return status;
}

static bool all_have_numbers(const work *w)
{
    const int64_t *edges = w->through_edges.data;
    for (int64_t i = 0; i < w->through_edges.count; i++)
        if (!jc_graph_group(w->graph, edges[i])->has_numbers) return false;
    return true;
}

/* The sum of the products of --path; --norm none does without it where there are no numbers. */
static jc_status form_product(work *w)
{
    if (!w->o->path || (w->o->norm == NONE && !w->shared->output && !all_have_numbers(w))) return JC_OK;
    jc_status status =
        evaluate(w, w->through_edges.count ? w->through_edges.data : no_edges, w->through_edges.count, &w->product);
    w->report.product = w->product;
    return status;
}

static jc_status compute(work *w)
{
    jc_status status = count_paths(w);
    if (!status && w->o->norm != NONE) status = measure_total(w);
    if (!status) status = form_product(w);
    if (status) return status;
    jc_query query = query_of(w, NULL, 0);
    if (w->o->top) return jc_path_find_top(&w->report, &query, w->o->top, w->o->search_limit, w->o->norm == SPECTRAL);
    return w->o->by ? jc_path_split(&w->report, &query, w->o->norm, w->total) : list_paths(w);
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

static void narrate(const work *w)
{
    jc_results_info info = {.struct_size = sizeof info};
    char load[JC_QUANTITY_BYTES], size[JC_GRAPH_SIZE_BYTES];
    jc_cli_warn_non_finite(w->graph, w->report.n_non_finite, w->report.non_finite);
    jc_cli_narrate(w->shared->quiet, "%s: %s, load %s", jc_cli_document_name(w->graph_path),
                   jc_cli_graph_size_text(jc_graph_variable_count(w->graph), jc_graph_edge_count(w->graph), size),
                   jc_cli_seconds_text(w->report.load_s, load));
    if (!w->total) return;
    jc_results_get_info(w->total, &info);
    jc_cli_narrate(w->shared->quiet, "products on backend %s (%s), %s, %s", info.backend, info.reason, info.device,
                   jc_cli_precision_name(info.precision));
}

/* Standard output first: a file is only put in place when nothing can fail any more. */
static int deliver(const work *w)
{
    if (w->shared->json)
        jc_path_report_emit(&w->report);
    else
        jc_path_report_print(&w->report);
    int code = jc_cli_flush();
    if (code != JC_EXIT_DONE || !w->shared->output) return code;
    jc_status status = jc_cli_write_results(w->graph, w->product, w->shared->output);
    if (status) return jc_cli_failed(status);
    jc_cli_narrate(w->shared->quiet, "wrote %s", w->shared->output);
    return JC_EXIT_DONE;
}

static void describe(work *w)
{
    static const char *const norms[] = {"frobenius", "spectral", "none"};
    jc_path_report *r = &w->report;
    r->shared = w->shared;
    r->graph = w->graph;
    r->of = w->of.ids[0], r->wrt = w->wrt.ids[0];
    r->norm_name = norms[w->o->norm];
    r->format = (jc_formula_format)w->o->format;
    r->through_text = w->o->path;
    r->by = w->o->by;
}

static int run(work *w)
{
    int code;
    if (!prepare(w, &code)) return code;
    describe(w);
    jc_status status = compute(w);
    if (status) return jc_cli_failed_in(status, w->graph_path);
    narrate(w);
    return deliver(w);
}

int jc_cli_paths(int argc, char **argv)
{
    paths_options o = {.shared = JC_CLI_SHARED_INIT("paths"), .limit = -1};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code) || !check_options(&o, &code)) return code;
    work w = {.o = &o, .shared = &o.shared, .graph_path = words.word[0], .through_edges = jc_vec_of(sizeof(int64_t))};
    code = run(&w);
    work_fini(&w);
    return code;
}
