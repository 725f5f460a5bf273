/* jacchain plan: what would run; nothing is computed. */
#include <stdlib.h>
#include <string.h>

#include "cli/draw_plan.h"
#include "cli/order_file.h"
#include "cli/plan_report.h"
#include "cli/product.h"
#include "plan/plan.h"
#include "run/choose.h"
#include "run/fit.h"

typedef struct options {
    jc_cli_shared shared; /* first: the shared tables point to the start */
    int64_t seed_width, per_sample;
} options;

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.of),
     .value = "T[,..]",
     .help = "the targets"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.wrt),
     .value = "S[,..]",
     .help = "the sources. Default: for each target every variable without incoming edge that reaches it"},
    {.name = "seed-width",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(options, seed_width),
     .value = "K",
     .help = "plan products with a seed of K rows or columns instead of totals: a vjp where there is one target, else "
             "a jvp, which takes one source (--order forward: a jvp where there is one source)",
     .min = 1},
    {.name = "per-sample",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(options, per_sample),
     .value = "B",
     .help = "plan per-sample totals, as total --per-sample B",
     .min = 1},
    {.name = "output",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(options, shared.output),
     .value = "FILE",
     .help =
         "draw the elimination: FILE.svg, .png or .pdf, which takes Graphviz's program dot (package graphviz) and at "
         "most 2,000 variables, or .dot, Graphviz's own text. What is used of the graph, its variables numbered in "
         "the order in which they are eliminated, fill-in dashed"},
    {0}};

static const jc_usage usage = {
    .command = "plan",
    .synopsis = "GRAPH --of T[,..] [--wrt S[,..]] [options]",
    .text = "What would run for these totals: order, levels, batches with their routines, multiply-adds, bytes moved, "
            "peak memory and predicted time of each order, and in which order variables are eliminated. Nothing is "
            "computed, and Jacobians without numbers will do: they are counted as dense ones.",
    .tables = {table, jc_cli_engine_options, jc_cli_search_options, jc_cli_report_options, jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain plan examples/digits_rnn.json --of L"};

/* One run of the command: what it holds, freed together. */
typedef struct work {
    const options *options;
    const char *path;
    jc_graph *graph;
    jc_cli_variables of, wrt, eliminated;
    jc_cli_rules rules;
    jc_cli_order order;
    jc_seed seed;
    const jc_draw_kind *kind; /* of the picture, or NULL */
    jc_plan *plan;
    jc_program *program; /* NULL: there is none yet */
    double plan_s;
    jc_order_choice choice; /* of --order auto: the other orders */
    bool in_blocks;         /* over the memory limit, but not one row at a time */
    jc_plan_info plan_info;
    jc_program_info program_info;
    jc_batches batches;
    jc_draw_plan drawn;
    jc_picture picture;
} work;

static void work_fini(work *w)
{
    jc_picture_fini(&w->picture);
    jc_draw_plan_fini(&w->drawn);
    jc_batches_fini(&w->batches);
    jc_program_destroy(w->program);
    jc_plan_destroy(w->plan);
    jc_order_choice_fini(&w->choice);
    free(w->eliminated.ids);
    jc_cli_order_fini(&w->order);
    jc_cli_rules_fini(&w->rules);
    free(w->wrt.ids);
    free(w->of.ids);
    jc_graph_destroy(w->graph);
}

/* Rows for one target, else columns for one source; --order forward prefers columns. */
static bool choose_seed(work *w, int *exit_code)
{
    const options *o = w->options;
    bool rows = w->of.count == 1, columns = w->wrt.count == 1;
    if (!o->seed_width) return true;
    if (rows && !(columns && o->shared.order == JC_ORDER_FORWARD))
        w->seed = JC_SEED_ROWS;
    else if (columns)
        w->seed = JC_SEED_COLUMNS;
    if (w->seed != JC_SEED_NONE) return true;
    *exit_code = jc_cli_usage_error("plan", "--seed-width needs one target (a vjp) or one source (a jvp)");
    return false;
}

/* The shared check, which would take --output for results, and that of the picture. */
static bool check_options(work *w, int *exit_code)
{
    jc_cli_shared shared = w->options->shared;
    const char *output = shared.output;
    shared.output = NULL;
    if (output && !(w->kind = jc_draw_kind_of("plan", output, exit_code))) return false;
    if (output && shared.plan_out && !strcmp(output, shared.plan_out)) {
        *exit_code = jc_cli_usage_error("plan", "--plan-out and --output name the same file, %s", output);
        return false;
    }
    return jc_cli_shared_check(&shared, exit_code);
}

static jc_query query_of(const work *w)
{
    jc_query q = JC_QUERY_INIT;
    q.of = w->of.ids, q.n_of = w->of.count;
    q.wrt = w->wrt.ids, q.n_wrt = w->wrt.count;
    jc_cli_order_ask(&w->options->shared, &w->order, &q);
    q.seed = w->seed, q.seed_width = w->options->seed_width;
    q.per_sample = w->options->per_sample;
    q.rules = w->rules.rule, q.n_rules = w->rules.count;
    return q;
}

static bool check_order(const work *w, int *exit_code)
{
    jc_query query = query_of(w);
    return jc_cli_order_fits(&w->options->shared, w->graph, &query, &w->order, exit_code);
}

static bool prepare(work *w, int *exit_code)
{
    const jc_cli_shared *s = &w->options->shared;
    double seconds;
    return check_options(w, exit_code) && jc_cli_load(s, w->path, &w->graph, &seconds, exit_code) &&
           jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) &&
           jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) && choose_seed(w, exit_code) &&
           jc_cli_find_rules(s, w->graph, &w->rules, exit_code) &&
           jc_cli_order_load(s, w->graph, &w->order, exit_code) && check_order(w, exit_code);
}

/* Whether one row at a time of one target (reverse, elimination) or source (forward) keeps the limit. */
static jc_status fits_one_row(const work *w, jc_query *q, const jc_program_options *limited)
{
    jc_vertex *vertices;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    int64_t n;
    jc_status status = jc_fit_order_of_target(w->graph, q, &vertices, &n);
    if (!status) status = jc_plan_create_windowed(w->graph, q, 1, &plan);
    if (!status) status = jc_program_create(plan, limited, &program);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_free(&w->graph->allocator, vertices, n, sizeof *vertices);
    return status;
}

/* Whether one seed row at a time keeps the limit, end by end in that order. */
static jc_status fits_in_rows(const work *w, const jc_query *query, jc_order order, const jc_program_options *limited)
{
    const jc_subgraph *s = &w->plan->subgraph;
    bool forward = order == JC_ORDER_FORWARD;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < (forward ? s->n_sources : s->n_targets) && !status; i++) {
        jc_query q = *query;
        q.order = order;
        if (forward)
            q.wrt = &s->source_variable[i], q.n_wrt = 1;
        else
            q.of = &s->target_variable[i], q.n_of = 1;
        status = fits_one_row(w, &q, limited);
    }
    return status;
}

/* Over the memory limit: whether blocks of rows keep it in an order that jc_evaluate then takes. */
static jc_status fits_in_blocks(const work *w, const jc_query *query, const jc_program_options *limited)
{
    jc_order orders[JC_FIT_ORDERS];
    int n = jc_fit_window_orders(w->plan, query, orders);
    jc_status status = JC_E_LIMIT;
    for (int i = 0; i < n && status == JC_E_LIMIT; i++) status = fits_in_rows(w, query, orders[i], limited);
    return status;
}

/* The program; one that is over the limit is shown without it where blocks of seed rows keep the limit. */
static jc_status make_program(work *w, const jc_query *query)
{
    jc_program_options o = jc_cli_program_options(&w->options->shared);
    jc_fit fit = {.graph = w->graph, .query = query, .options = &o};
    if (w->program) return JC_OK;
    jc_status status = jc_fit_whole(&fit, &w->plan, &w->program);
    if (status == JC_E_LIMIT) {
        status = fits_in_blocks(w, query, &o);
        if (status) return status;
        o.memory_limit = 0;
        w->in_blocks = true;
        status = jc_program_create(w->plan, &o, &w->program);
    }
    return status;
}

/* The plan that jc_evaluate takes, with --order auto its program too. */
static jc_status choose_plan(work *w, const jc_query *query)
{
    jc_program_options o = jc_cli_program_options(&w->options->shared);
    jc_order_options how = {.program = &o};
    if (query->order != JC_ORDER_AUTO) return jc_plan_create(w->graph, query, &w->plan);
    jc_status status = jc_order_choose(w->graph, query, &how, &w->choice);
    if (!status) jc_order_choice_take(&w->choice, &w->plan, &w->program);
    return status;
}

static jc_status find_eliminated(work *w)
{
    jc_status status = jc_plan_eliminated(w->plan, NULL, 0, &w->eliminated.count);
    if (status) return status;
    w->eliminated.ids = jc_cli_alloc(w->eliminated.count, sizeof(int64_t));
    return jc_plan_eliminated(w->plan, w->eliminated.ids, w->eliminated.count, &w->eliminated.count);
}

static jc_status make_plan(work *w)
{
    jc_query q = query_of(w);
    w->plan_info.struct_size = sizeof w->plan_info;
    w->program_info.struct_size = sizeof w->program_info;
    double start = jc_cli_now();
    jc_status status = choose_plan(w, &q);
    w->plan_s = jc_cli_now() - start;
    if (!status) status = make_program(w, &q);
    if (!status) status = jc_plan_get_info(w->plan, &w->plan_info);
    if (!status) status = jc_program_get_info(w->program, &w->program_info);
    if (!status) status = jc_batches_collect(w->program, &w->batches);
    return status ? status : find_eliminated(w);
}

/* ---- the picture ------------------------------------------------------------------------------------------------ */

static int draw(work *w)
{
    int code = JC_EXIT_DONE;
    const jc_subgraph *s = &w->plan->subgraph;
    if (!w->kind || !jc_draw_check_size("plan", w->kind, s->n_nodes, s->n_edges, &code)) return code;
    jc_status status = jc_draw_plan_init(&w->drawn, w->plan);
    if (status) return jc_cli_failed(status);
    if (!jc_draw_check_size("plan", w->kind, s->n_nodes, w->drawn.drawing.n_edges, &code)) return code;
    status = jc_draw_paint(&w->drawn.drawing, w->kind, w->options->shared.quiet, &w->picture);
    return status ? jc_cli_failed(status) : JC_EXIT_DONE;
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

static void say(const void *ctx)
{
    const work *w = ctx;
    jc_plan_report report = {.graph = w->graph,
                             .plan = w->plan,
                             .plan_info = &w->plan_info,
                             .program_info = &w->program_info,
                             .batches = &w->batches,
                             .eliminated = &w->eliminated,
                             .choice = &w->choice,
                             .plan_s = w->plan_s,
                             .in_blocks = w->in_blocks,
                             .picture = w->options->shared.output,
                             .n_fill = w->drawn.n_fill};
    jc_query query = query_of(w);
    jc_program_options program = jc_cli_program_options(&w->options->shared);
    jc_plan_report_orders(&report, &query, &program);
    if (w->options->shared.json)
        jc_plan_report_emit(&report);
    else
        jc_plan_report_print(&report);
}

static void narrate(const work *w)
{
    const jc_cli_shared *s = &w->options->shared;
    char size[JC_GRAPH_SIZE_BYTES], fill[JC_QUANTITY_BYTES];
    if (!w->kind) return;
    if (w->picture.said && *w->picture.said && !s->quiet) fputs(w->picture.said, stderr);
    jc_cli_narrate(
        s->quiet, "%s: %s, fill-in %s", s->output,
        jc_cli_graph_size_text(w->drawn.drawing.n_variables, w->drawn.drawing.n_edges - w->drawn.n_fill, size),
        jc_cli_count_text(w->drawn.n_fill, fill));
}

/* The picture goes to its place when all is said, the order after that. */
static int deliver(const work *w)
{
    const jc_cli_shared *s = &w->options->shared;
    jc_output_file *order = NULL;
    int code;
    jc_status status = s->plan_out ? jc_cli_order_write(w->graph, w->plan, s->plan_out, &order) : JC_OK;
    if (status) return jc_cli_failed(status);
    if (w->kind) {
        code = jc_picture_deliver(s->output, w->picture.data, w->picture.bytes, say, w);
    } else {
        say(w);
        code = jc_cli_flush();
    }
    if (code != JC_EXIT_DONE || !order) {
        jc_output_abandon(order);
        return code;
    }
    status = jc_output_commit(order);
    if (status) return jc_cli_failed(status);
    jc_cli_narrate(s->quiet, "wrote the order to %s", s->plan_out);
    return JC_EXIT_DONE;
}

static int run(work *w)
{
    int code = JC_EXIT_DONE;
    if (!prepare(w, &code)) return code;
    jc_status status = make_plan(w);
    if (status) return jc_cli_order_failed(&w->options->shared, status, w->path);
    code = draw(w);
    if (code == JC_EXIT_DONE) code = deliver(w);
    if (code == JC_EXIT_DONE) narrate(w);
    return code;
}

int jc_cli_plan(int argc, char **argv)
{
    options o = {.shared = JC_CLI_SHARED_INIT("plan")};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code)) return code;
    if (!jc_product_needs(&o.shared, "of", o.shared.of, &code)) return code;
    work w = {.options = &o, .path = words.word[0]};
    code = run(&w);
    work_fini(&w);
    return code;
}
