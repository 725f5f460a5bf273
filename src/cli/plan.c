/* jacchain plan: what would run; nothing is computed. */
#include <stdlib.h>
#include <string.h>

#include "cli/batches.h"
#include "cli/product.h"
#include "plan/elimination/elimination.h"
#include "plan/plan.h"

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
    {0}};

static const jc_usage usage = {
    .command = "plan",
    .synopsis = "GRAPH --of T[,..] [--wrt S[,..]] [options]",
    .text = "What would run for these totals: order, levels, batches with their routines, multiply-adds, bytes moved, "
            "peak memory, predicted time, and what the other orders would cost. Nothing is computed, and Jacobians "
            "without numbers will do: they are counted as dense ones.",
    .tables = {table, jc_cli_engine_options, jc_cli_report_options, jc_cli_rule_options},
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
    jc_seed seed;
    jc_plan *plan;
    jc_program *program;
    bool in_blocks; /* over the memory limit, but not one row at a time */
    jc_plan_info plan_info;
    jc_program_info program_info;
    jc_batches batches;
} work;

static void work_fini(work *w)
{
    jc_batches_fini(&w->batches);
    jc_program_destroy(w->program);
    jc_plan_destroy(w->plan);
    free(w->eliminated.ids);
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

static bool prepare(work *w, int *exit_code)
{
    const jc_cli_shared *s = &w->options->shared;
    double seconds;
    return jc_cli_shared_check(s, exit_code) && jc_cli_load(s, w->path, &w->graph, &seconds, exit_code) &&
           jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) &&
           jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) && choose_seed(w, exit_code) &&
           jc_cli_find_rules(s, w->graph, &w->rules, exit_code);
}

static jc_query query_of(const work *w)
{
    jc_query q = JC_QUERY_INIT;
    q.of = w->of.ids, q.n_of = w->of.count;
    q.wrt = w->wrt.ids, q.n_wrt = w->wrt.count;
    q.order = (jc_order)w->options->shared.order;
    q.seed = w->seed, q.seed_width = w->options->seed_width;
    q.per_sample = w->options->per_sample;
    q.rules = w->rules.rule, q.n_rules = w->rules.count;
    return q;
}

/* Over the memory limit: whether one seed row at a time keeps it, as jc_evaluate then does, end by end. */
static jc_status fits_in_blocks(const work *w, const jc_program_options *limited)
{
    const jc_subgraph *s = &w->plan->subgraph;
    bool reverse = w->plan->order == JC_ORDER_REVERSE;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < (reverse ? s->n_targets : s->n_sources) && !status; i++) {
        jc_query q = query_of(w);
        jc_plan *plan = NULL;
        jc_program *program = NULL;
        q.order = w->plan->order;
        if (reverse)
            q.of = &s->target_variable[i], q.n_of = 1;
        else
            q.wrt = &s->source_variable[i], q.n_wrt = 1;
        status = jc_plan_create_windowed(w->graph, &q, 1, &plan);
        if (!status) status = jc_program_create(plan, limited, &program);
        jc_program_destroy(program);
        jc_plan_destroy(plan);
    }
    return status;
}

/* The program; one that is over the limit is shown without it where blocks of seed rows keep the limit. */
static jc_status make_program(work *w)
{
    jc_program_options o = jc_cli_program_options(&w->options->shared);
    jc_status status = jc_program_create(w->plan, &o, &w->program);
    if (status != JC_E_LIMIT) return status;
    status = fits_in_blocks(w, &o);
    if (status) return status;
    o.memory_limit = 0;
    w->in_blocks = true;
    return jc_program_create(w->plan, &o, &w->program);
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
    jc_status status = jc_plan_create(w->graph, &q, &w->plan);
    if (!status) status = jc_plan_get_info(w->plan, &w->plan_info);
    if (!status) status = jc_plan_elimination_cost(w->plan, &w->plan_info.elimination_cost);
    if (!status) status = make_program(w);
    if (!status) status = jc_program_get_info(w->program, &w->program_info);
    if (!status) status = jc_batches_collect(w->program, &w->batches);
    return status ? status : find_eliminated(w);
}

/* ---- text -------------------------------------------------------------------------------------------------- */

static void print_cost(const char *name, int64_t cost)
{
    char text[JC_QUANTITY_BYTES];
    printf("  %-14s%s\n", name, cost < 0 ? "not known" : jc_cli_count_text(cost, text));
}

static void print_eliminated(const work *w)
{
    enum { SHOWN = 12 };
    printf("eliminate       ");
    for (int64_t i = 0; i < w->eliminated.count && i < SHOWN; i++) {
        char *name = jc_cli_name(w->graph, w->eliminated.ids[i]);
        printf("%s%s", i ? ", " : "", name);
        free(name);
    }
    if (w->eliminated.count > SHOWN) printf(" and %lld more", (long long)(w->eliminated.count - SHOWN));
    puts(w->eliminated.count ? "" : "nothing");
}

static void print(const work *w)
{
    const jc_plan_info *p = &w->plan_info;
    const jc_program_info *r = &w->program_info;
    char text[JC_QUANTITY_BYTES], more[JC_QUANTITY_BYTES];
    printf("order           %s%s\n", jc_cli_order_name(p->order),
           w->seed == JC_SEED_ROWS      ? ", seed rows (vjp)"
           : w->seed == JC_SEED_COLUMNS ? ", seed columns (jvp)"
                                        : "");
    printf("backend         %s (%s), %s, %s\n", r->backend, r->reason, r->device, jc_cli_precision_name(r->precision));
    printf("graph           %s variables and %s edges are used\n", jc_cli_count_text(p->nodes, text),
           jc_cli_count_text(p->edges, more));
    printf("levels          %s\n", jc_cli_count_text(p->levels, text));
    print_eliminated(w);
    printf("multiply-adds   %s\n", jc_cli_count_text(p->multiply_adds, text));
    printf("bytes moved     %s\n", jc_cli_bytes_text(r->bytes, text));
    printf("peak memory     %s%s\n", jc_cli_bytes_text(r->peak_bytes, text),
           w->in_blocks ? ": over the memory limit, so the seed rows will be taken in blocks" : "");
    printf("predicted time  %s", jc_cli_seconds_text(r->seconds_predicted, text));
    if (r->start_seconds > 0) printf(", after %s of start and upload", jc_cli_seconds_text(r->start_seconds, more));
    putchar('\n');
    puts("multiply-adds of the orders");
    print_cost("reverse", p->reverse_cost);
    print_cost("forward", p->forward_cost);
    print_cost("elimination", p->elimination_cost);
    if (p->structure_only) puts("Some edges have no numbers: the cost is counted as that of a dense D.");
    jc_batches_print(&w->batches);
}

/* ---- JSON -------------------------------------------------------------------------------------------------- */

static void emit_cost(jc_emit *e, const char *name, int64_t cost)
{
    if (cost < 0)
        jc_emit_null(e, name);
    else
        jc_emit_int(e, name, cost);
}

static void emit_alternatives(jc_emit *e, const jc_plan_info *p)
{
    jc_emit_open(e, "alternatives", '{');
    emit_cost(e, "reverse", p->reverse_cost);
    emit_cost(e, "forward", p->forward_cost);
    emit_cost(e, "elimination", p->elimination_cost);
    jc_emit_close(e, '}');
}

static void emit(const work *w)
{
    static const char *const seeds[] = {NULL, "rows", "columns"};
    const jc_plan_info *p = &w->plan_info;
    const jc_program_info *r = &w->program_info;
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "order", jc_cli_order_name(p->order));
    jc_emit_text(&e, "seed", seeds[w->seed]);
    jc_emit_text(&e, "backend", r->backend);
    jc_emit_text(&e, "backend_reason", r->reason);
    jc_emit_text(&e, "device", r->device);
    jc_emit_text(&e, "precision", jc_cli_precision_name(r->precision));
    jc_emit_int(&e, "threads", r->threads);
    jc_emit_int(&e, "levels", p->levels);
    jc_emit_int(&e, "variables", p->nodes);
    jc_emit_int(&e, "edges", p->edges);
    jc_emit_bool(&e, "structure_only", p->structure_only);
    jc_emit_open(&e, "eliminate", '[');
    for (int64_t i = 0; i < w->eliminated.count; i++) jc_cli_emit_name(&e, NULL, w->graph, w->eliminated.ids[i]);
    jc_emit_close(&e, ']');
    jc_batches_emit(&e, &w->batches);
    jc_emit_int(&e, "multiply_adds", p->multiply_adds);
    jc_emit_int(&e, "bytes", r->bytes);
    jc_emit_int(&e, "peak_bytes", r->peak_bytes);
    jc_emit_bool(&e, "in_blocks", w->in_blocks);
    jc_emit_int(&e, "plan_bytes", (int64_t)p->plan_bytes);
    jc_emit_double(&e, "seconds_predicted", r->seconds_predicted);
    jc_emit_double(&e, "start_seconds_predicted", r->start_seconds);
    emit_alternatives(&e, p);
    jc_emit_close(&e, '}');
    putchar('\n');
}

static int run(work *w)
{
    int code = JC_EXIT_DONE;
    if (!prepare(w, &code)) return code;
    jc_status status = make_plan(w);
    if (status) return jc_cli_failed_in(status, w->path);
    if (w->options->shared.json)
        emit(w);
    else
        print(w);
    return JC_EXIT_DONE;
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
