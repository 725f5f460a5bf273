/* jacchain check: computes and judges, or judges what was computed elsewhere. */
#include <stdlib.h>
#include <string.h>

#include "cli/against.h"
#include "cli/order_file.h"
#include "cli/product.h"
#include "cli/verdict.h"

typedef struct options {
    jc_cli_shared shared; /* first: the shared tables point to the start */
    const char *against;
} options;

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.of),
     .value = "T[,..]",
     .help = "the targets. Default: every variable without outgoing edge"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.wrt),
     .value = "S[,..]",
     .help = "the sources. Default: for each target every variable without incoming edge that reaches it"},
    {.name = "against",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, against),
     .value = "FILE",
     .help = "judge the totals in FILE.safetensors, named as total --output names them, against adjoints computed here "
             "in double; --precision is what they were computed in; --of and --wrt say which of them"},
    {.name = "output",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.output),
     .value = "FILE",
     .help = "also write the totals to FILE.safetensors, or the only one to FILE.npy, as total does"},
    {0}};

static const jc_usage usage = {
    .command = "check",
    .synopsis = "GRAPH [--of T[,..]] [--wrt S[,..]] [--against FILE] [options]",
    .text = "Computes the totals on the chosen backend and judges every variable by its own equation: its adjoint less "
            "the sum over its consumers, entry by entry, against the rounding that this sum can have. The ratio of the "
            "two is at most 1 where all is well, at any depth. An elimination has no adjoints: its totals are put into "
            "the equations of a reverse sweep in double. Beside it each total's distance from the reference stands "
            "with its own bound.\nExit code 0: passed; 1: failed, or NaN, Inf or too wide bounds left it "
            "undecided.",
    .tables = {table, jc_cli_engine_options, jc_cli_search_options, jc_cli_report_options, jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain check examples/digits_rnn.json --against examples/digits_rnn.expected.safetensors"};

/* One run of the command: what it holds, freed together. */
typedef struct work {
    const options *options;
    const char *path;
    jc_graph *graph;
    jc_cli_variables of, wrt;
    jc_cli_rules rules;
    jc_cli_order order;
    jc_check_report *report;
} work;

static void work_fini(work *w)
{
    jc_check_destroy(w->report);
    jc_cli_order_fini(&w->order);
    jc_cli_rules_fini(&w->rules);
    free(w->wrt.ids);
    free(w->of.ids);
    jc_graph_destroy(w->graph);
}

static bool check_options(const options *o, int *exit_code)
{
    const jc_cli_shared *s = &o->shared;
    bool fits = !o->against || (!s->output && !s->backend && !s->order && !s->plan_in && !s->plan_out);
    if (!fits) {
        *exit_code = jc_cli_usage_error(
            "check", "--output, --backend, --order, --plan-in and --plan-out do not apply with --against");
    }
    if (!fits) return false;
    return o->against ? jc_against_check_name(o->against, exit_code) : jc_cli_shared_check(&o->shared, exit_code);
}

static jc_query query_of(const work *w)
{
    jc_query q = JC_QUERY_INIT;
    q.of = w->of.ids, q.n_of = w->of.count;
    q.wrt = w->wrt.ids, q.n_wrt = w->wrt.count;
    jc_cli_order_ask(&w->options->shared, &w->order, &q);
    q.rules = w->rules.rule, q.n_rules = w->rules.count;
    return q;
}

static bool prepare(work *w, int *exit_code)
{
    const jc_cli_shared *s = &w->options->shared;
    double seconds;
    if (!check_options(w->options, exit_code) || !jc_cli_load(s, w->path, &w->graph, &seconds, exit_code) ||
        !jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) ||
        !jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) ||
        !jc_cli_find_rules(s, w->graph, &w->rules, exit_code) ||
        !jc_cli_order_load(s, w->graph, &w->order, exit_code)) {
        return false;
    }
    if (!s->of && !w->options->against) {
        free(w->of.ids);
        w->of = jc_cli_sinks(w->graph);
    }
    jc_query query = query_of(w);
    return jc_cli_order_fits(s, w->graph, &query, &w->order, exit_code) &&
           jc_cli_check_result_count(s, w->graph, &query, exit_code);
}

static jc_status judge(work *w)
{
    const jc_cli_shared *s = &w->options->shared;
    jc_program_options program_options = jc_cli_program_options(s);
    jc_query query = query_of(w);
    jc_cli_meter meter;
    program_options.progress = jc_cli_meter_begin(&meter, s->quiet, "checking");
    jc_status status = w->options->against ? jc_against_judge(w->graph, w->options->against, &w->of, &w->wrt, &w->rules,
                                                              program_options.precision, &w->report)
                                           : jc_check(w->graph, &query, &program_options, &w->report);
    jc_cli_meter_end(&meter);
    return status;
}

/* The same bits as those judged: evaluation repeats exactly. */
static jc_status write_totals(const work *w)
{
    jc_query query = query_of(w);
    jc_evaluate_options evaluate = {.struct_size = sizeof evaluate};
    evaluate.program = jc_cli_program_options(&w->options->shared);
    jc_results *results = NULL;
    jc_status status = jc_evaluate(w->graph, &query, &evaluate, &results);
    if (!status) status = jc_cli_write_results(w->graph, results, w->options->shared.output);
    jc_results_destroy(results);
    return status;
}

/* That of the totals that were judged. */
static int deliver_order(const work *w)
{
    jc_query query = query_of(w);
    jc_plan *plan = NULL;
    if (!w->options->shared.plan_out) return JC_EXIT_DONE;
    jc_status status = jc_plan_create(w->graph, &query, &plan);
    int code = status ? jc_cli_failed(status) : jc_cli_order_deliver(&w->options->shared, w->graph, plan);
    jc_plan_destroy(plan);
    return code;
}

static int run(work *w)
{
    int code = JC_EXIT_DONE;
    if (!prepare(w, &code)) return code;
    jc_status status = judge(w);
    bool of_file = w->options->against && !*jc_fail_part(); /* which is named already */
    if (status) return of_file ? jc_cli_failed(status) : jc_cli_order_failed(&w->options->shared, status, w->path);
    jc_verdict verdict = jc_verdict_report(w->graph, w->report, w->options->against, w->options->shared.json);
    code = jc_cli_flush();
    if (code == JC_EXIT_DONE) code = deliver_order(w);
    if (code != JC_EXIT_DONE) return code;
    if (w->options->shared.output) status = write_totals(w);
    if (status) return jc_cli_failed(status);
    return verdict == JC_PASSED ? JC_EXIT_DONE : JC_EXIT_CHECK;
}

int jc_cli_check(int argc, char **argv)
{
    options o = {.shared = JC_CLI_SHARED_INIT("check")};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code)) return code;
    work w = {.options = &o, .path = words.word[0]};
    code = run(&w);
    work_fini(&w);
    return code;
}
