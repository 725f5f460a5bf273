#include "cli/product.h"

#include <stdlib.h>
#include <string.h>

#include "cli/compare.h"
#include "cli/formula.h"
#include "cli/order_file.h"
#include "cli/report.h"
#include "cli/seed.h"
#include "graph/edge_set.h"
#include "io/results.h"
#include "plan/plan.h"
#include "run/collect.h"

bool jc_product_needs(const jc_cli_shared *shared, const char *option, const char *value, int *exit_code)
{
    if (value) return true;
    *exit_code = jc_cli_usage_error(shared->command, "--%s is missing", option);
    return false;
}

/* One run of a command: what it holds, freed together. */
typedef struct work {
    const jc_product *product;
    const jc_cli_shared *shared;
    jc_graph *graph;
    double load_s;
    jc_cli_variables of, wrt, local;
    jc_cli_rules rules;
    jc_cli_order order;
    jc_vec edges; /* int64_t: of a partial that is not local to variables, the edges of its two variables */
    jc_cli_seed seed;
    jc_results *results;
    jc_results *all; /* with --compare: over all paths */
} work;

static void work_fini(work *w)
{
    jc_results_destroy(w->all);
    jc_results_destroy(w->results);
    jc_cli_seed_fini(&w->seed);
    if (w->graph) jc_vec_free(&w->graph->allocator, &w->edges);
    jc_cli_order_fini(&w->order);
    jc_cli_rules_fini(&w->rules);
    free(w->local.ids);
    free(w->wrt.ids);
    free(w->of.ids);
    jc_graph_destroy(w->graph);
}

/* The seed end has exactly one variable. */
static bool check_seed_end(const work *w, int *exit_code)
{
    bool rows = w->product->seed == JC_SEED_ROWS;
    int64_t n = rows ? w->of.count : w->wrt.count;
    if (w->product->seed == JC_SEED_NONE || n == 1) return true;
    *exit_code = jc_cli_usage_error(w->shared->command, "--%s takes one variable, that of the seed's %s",
                                    rows ? "of" : "wrt", rows ? "columns" : "rows");
    return false;
}

/* A partial is of two variables. */
static bool check_partial_ends(const work *w, int *exit_code)
{
    if (!w->product->partial || (w->of.count == 1 && w->wrt.count == 1)) return true;
    *exit_code = jc_cli_usage_error(w->shared->command, "--%s takes one variable", w->of.count == 1 ? "wrt" : "of");
    return false;
}

static bool load_seed(work *w, int *exit_code)
{
    const jc_product *p = w->product;
    if (p->seed == JC_SEED_NONE) return true;
    int64_t end = p->seed == JC_SEED_ROWS ? w->of.ids[0] : w->wrt.ids[0];
    return jc_cli_seed_load(w->shared, w->graph, p->seed_file, p->seed, end, &w->seed, exit_code);
}

/* The paths of a partial: the edges between its two variables, or with --local all that pass through none of these. */
static bool prepare_partial(work *w, int *exit_code)
{
    const jc_product *p = w->product;
    if (!p->partial) return true;
    if (p->local) {
        if (!jc_cli_find_variables(w->shared, w->graph, "local", p->local, &w->local, exit_code)) return false;
        jc_cli_add_variable_rule(&w->rules, JC_RULE_AVOID, &w->local);
        return true;
    }
    jc_status status = jc_edges_between(w->graph, w->of.ids[0], w->wrt.ids[0], &w->edges);
    if (status) *exit_code = jc_cli_failed(status);
    return status == JC_OK;
}

static jc_query query_of(const work *w)
{
    static const int64_t no_edges[1];
    jc_query q = JC_QUERY_INIT;
    q.of = w->of.ids;
    q.n_of = w->of.count;
    q.wrt = w->wrt.ids;
    q.n_wrt = w->wrt.count;
    jc_cli_order_ask(w->shared, &w->order, &q);
    q.seed = w->product->seed;
    q.per_sample = w->product->per_sample;
    q.rules = w->rules.rule, q.n_rules = w->rules.count;
    q.no_empty_path = w->product->partial;
    if (w->product->partial && !w->product->local)
        q.edges = w->edges.count ? w->edges.data : no_edges, q.n_edges = w->edges.count;
    return q;
}

/* Without rules there is nothing to compare with; without --wrt it is with all sources, also those that are left
 * without a path. */
static bool prepare_compare(work *w, int *exit_code)
{
    if (!w->product->compare) return true;
    if (!w->rules.count) {
        *exit_code = jc_cli_usage_error(w->shared->command, "--compare needs a path rule: --avoid, --through, "
                                                            "--avoid-label or --match");
        return false;
    }
    if (w->wrt.count) return true;
    jc_query query = query_of(w);
    free(w->wrt.ids);
    w->wrt = jc_compare_sources(w->graph, &query);
    return true;
}

/* The results of a query without a seed whose sources the graph says; -1: it does not apply, which the work will say.
 */
static int64_t count_results(const jc_graph *graph, const jc_query *query)
{
    jc_plan *plan = NULL;
    if (query->n_wrt) return query->n_of * query->n_wrt;
    if (jc_plan_create(graph, query, &plan)) return -1;
    int64_t n = plan->n_outputs;
    jc_plan_destroy(plan);
    return n;
}

bool jc_cli_check_result_count(const jc_cli_shared *shared, const jc_graph *graph, const jc_query *query,
                               int *exit_code)
{
    if (!shared->output || !jc_results_check_count(shared->output, 0)) return true;
    int64_t n = count_results(graph, query);
    if (n < 0 || !jc_results_check_count(shared->output, n)) return true;
    *exit_code = jc_cli_usage_error(shared->command, "--output: %s", jc_last_error());
    return false;
}

/* A .npy file that could not hold the results is refused before the seed is read and anything is computed. */
static bool check_output_count(const work *w, int *exit_code)
{
    jc_query query = query_of(w);
    return jc_cli_check_result_count(w->shared, w->graph, &query, exit_code);
}

static bool check_order(const work *w, int *exit_code)
{
    jc_query query = query_of(w);
    return jc_cli_order_fits(w->shared, w->graph, &query, &w->order, exit_code);
}

static bool prepare(work *w, int *exit_code)
{
    const jc_cli_shared *s = w->shared;
    return jc_cli_shared_check(s, exit_code) && jc_cli_seed_check_name(s, w->product->seed_file, exit_code) &&
           jc_cli_load(s, w->product->graph_path, &w->graph, &w->load_s, exit_code) &&
           jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) &&
           jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) && check_seed_end(w, exit_code) &&
           check_partial_ends(w, exit_code) && jc_cli_find_rules(s, w->graph, &w->rules, exit_code) &&
           jc_cli_order_load(s, w->graph, &w->order, exit_code) && prepare_compare(w, exit_code) &&
           prepare_partial(w, exit_code) && check_order(w, exit_code) && check_output_count(w, exit_code) &&
           load_seed(w, exit_code);
}

static jc_status evaluate_query(work *w, jc_query *query, const char *doing, jc_results **results)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = jc_cli_program_options(w->shared)};
    if (query->seed != JC_SEED_NONE) {
        options.seed = w->seed.array;
        query->seed_width = options.seed.dims[query->seed == JC_SEED_ROWS ? 0 : 1];
    }
    jc_cli_meter meter;
    options.program.progress = jc_cli_meter_begin(&meter, w->shared->quiet, doing);
    jc_status status = jc_evaluate(w->graph, query, &options, results);
    jc_cli_meter_end(&meter);
    return status;
}

/* The results, and with --compare what they are of when no rule is in force (and the order of a file does not apply).
 */
static jc_status evaluate(work *w)
{
    jc_query query = query_of(w), all = query;
    all.rules = NULL, all.n_rules = 0;
    all.order = (jc_order)w->shared->order;
    all.eliminate = NULL, all.n_eliminate = 0;
    jc_status status = evaluate_query(w, &query, "computing", &w->results);
    if (status || !w->product->compare) return status;
    return evaluate_query(w, &all, "computing the totals over all paths", &w->all);
}

/* What was done where, and how fast: two operations a multiply-add. */
static void narrate_run(const work *w, const jc_results_info *info)
{
    char adds[JC_QUANTITY_BYTES], run[JC_QUANTITY_BYTES], flops[JC_QUANTITY_BYTES], rate[JC_QUANTITY_BYTES];
    char peak[JC_QUANTITY_BYTES];
    jc_cli_narrate(w->shared->quiet, "%s, %s, on %s: %s multiply-adds in %s, %s, %s; peak %s",
                   jc_cli_order_name(info->order), jc_cli_precision_name(info->precision), info->device,
                   jc_cli_count_text(info->multiply_adds, adds), jc_cli_seconds_text(info->run_s, run),
                   jc_cli_rate_text(2.0 * (double)info->multiply_adds, info->run_s, "FLOP", flops),
                   jc_cli_rate_text((double)info->bytes, info->run_s, "B", rate),
                   jc_cli_bytes_text(info->peak_bytes, peak));
}

static void narrate(const work *w)
{
    jc_results_info info = {.struct_size = sizeof info};
    char load[JC_QUANTITY_BYTES], plan[JC_QUANTITY_BYTES], upload[JC_QUANTITY_BYTES], run[JC_QUANTITY_BYTES];
    char download[JC_QUANTITY_BYTES], size[JC_GRAPH_SIZE_BYTES];
    jc_results_get_info(w->results, &info);
    jc_cli_warn_non_finite(w->graph, info.n_non_finite, info.non_finite);
    jc_cli_narrate(w->shared->quiet, "%s: %s", jc_cli_document_name(w->product->graph_path),
                   jc_cli_graph_size_text(jc_graph_variable_count(w->graph), jc_graph_edge_count(w->graph), size));
    narrate_run(w, &info);
    if (info.blocks > 1) {
        jc_cli_narrate(w->shared->quiet, "the seed rows were taken in %lld blocks for the memory limit",
                       (long long)info.blocks);
    }
    jc_cli_narrate(w->shared->quiet, "backend %s (%s); load %s, plan %s, upload %s, run %s, download %s", info.backend,
                   info.reason, jc_cli_seconds_text(w->load_s, load), jc_cli_seconds_text(info.plan_s, plan),
                   jc_cli_seconds_text(info.upload_s, upload), jc_cli_seconds_text(info.run_s, run),
                   jc_cli_seconds_text(info.download_s, download));
}

jc_status jc_cli_write_results(const jc_graph *graph, const jc_results *results, const char *path)
{
    int64_t n = jc_results_count(results);
    jc_result *list = jc_cli_alloc(n, sizeof *list);
    jc_status status = JC_OK;
    for (int64_t i = 0; i < n && !status; i++) status = jc_results_get(results, i, &list[i]);
    if (!status) status = jc_results_write(graph, list, n, path);
    free(list);
    return status;
}

/* Standard output first: a file is only put in place when nothing can fail any more. */
static int deliver(const work *w)
{
    jc_formula name = jc_formula_begin(JC_FORMULA_TEXT);
    jc_report report = {.shared = w->shared,
                        .graph = w->graph,
                        .results = w->results,
                        .all = w->all,
                        .per_sample = w->product->per_sample > 0,
                        .load_s = w->load_s};
    if (w->product->partial) {
        jc_formula_jacobian(&name, w->graph, w->of.ids[0], w->wrt.ids[0]);
        report.name = name.text;
    }
    const char *output = w->shared->output;
    if (w->shared->json)
        jc_report_emit(&report);
    else if (!output)
        jc_report_print(&report);
    if (w->all && !w->shared->json) jc_compare_print(w->graph, w->results, w->all);
    free(name.text);
    int code = jc_cli_flush();
    if (code == JC_EXIT_DONE) code = jc_cli_order_deliver(w->shared, w->graph, w->results->plan);
    if (code != JC_EXIT_DONE || !output) return code;
    jc_status status = jc_cli_write_results(w->graph, w->results, output);
    if (status) return jc_cli_failed(status);
    jc_cli_narrate(w->shared->quiet, "wrote %s", output);
    return JC_EXIT_DONE;
}

int jc_product_run(const jc_product *product)
{
    work w = {.product = product, .shared = &product->shared, .edges = jc_vec_of(sizeof(int64_t))};
    int code = JC_EXIT_DONE;
    if (!prepare(&w, &code)) goto end;
    jc_status status = evaluate(&w);
    if (status) {
        code = jc_cli_order_failed(w.shared, status, product->graph_path);
        goto end;
    }
    narrate(&w);
    code = deliver(&w);
end:
    work_fini(&w);
    return code;
}
