/* jacchain factor: the formula of a total, as a sum over paths and factored, and split at variables. */
#include "cli/factor.h"

#include <stdlib.h>
#include <string.h>

#include "cli/product.h"
#include "graph/edge_set.h"
#include "rules/query.h"

typedef struct factor_options {
    jc_cli_shared shared; /* first: the shared tables of options point to the start */
    const char *at, *at_last;
    int format;
} factor_options;

static const jc_option table[] = {
    {.name = "of",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(factor_options, shared.of),
     .value = "T[,..]",
     .help = "the targets: where the paths end"},
    {.name = "wrt",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(factor_options, shared.wrt),
     .value = "S[,..]",
     .help = "the sources: where they begin"},
    {.name = "at",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(factor_options, at),
     .value = "Z[,..]",
     .help = "splits every path at its first variable of Z strictly between S and T: dT/dS = [dT/dS]local + the sum of "
             "(dT/dz) [dz/dS]local, local: over the paths with no variable of Z strictly inside. Each term with its "
             "norm and its share, that norm over the norm of the total; the sum is held against the total (exit code "
             "1 where it is not that). Without numbers the formula and its cost"},
    {.name = "at-last",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(factor_options, at_last),
     .value = "Z[,..]",
     .help = "the same at its last variable of Z: the terms are [dT/dz]local (dz/dS)"},
    {.name = "format",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(factor_options, format),
     .value = "FORMAT",
     .help = "text (the default), dL/dx D[x,w], or latex, \\frac{dL}{dx} D_{xw}, to be put into a document that uses "
             "amsmath. JSON has both",
     .choices = "text|latex"},
    {0}};

static const jc_usage usage = {
    .command = "factor",
    .synopsis = "GRAPH --of T[,..] --wrt S[,..] [options]",
    .text = "The total dT/dS as a formula, with the multiply-adds that it costs: the sum over all paths, where there "
            "are at most 1,000 of them; factored as a reverse sweep (adjoints dT/dv) and as a forward sweep (tangents "
            "dv/dS) form it; and which of these is the cheapest. A graph without numbers will do. D[y,x;7] is the D of "
            "edge number 7, where several edges lead from x to y.",
    .tables = {table, jc_cli_engine_options, jc_cli_report_options, jc_cli_rule_options},
    .min_words = 1,
    .max_words = 1,
    .example = "jacchain factor examples/post.json --of L --wrt w\n"
               "jacchain factor examples/post.json --of L --wrt w --at x,y,z"};

/* One run of the command: what it holds, freed together. */
typedef struct work {
    const factor_options *o;
    const jc_cli_shared *shared;
    const char *graph_path;
    jc_graph *graph;
    double load_s;
    jc_cli_variables of, wrt, at;
    jc_cli_rules rules;
    unsigned char *parallel;
    jc_factor_report report;
} work;

static void form_fini(jc_form *form)
{
    free(form->text);
    free(form->latex);
}

static void factored_fini(const jc_graph *g, jc_factored *t)
{
    const jc_allocator *a = &g->allocator;
    form_fini(&t->paths);
    form_fini(&t->orders[0]);
    form_fini(&t->orders[1]);
    form_fini(&t->at);
    jc_split_destroy(t->split);
    jc_cut_fini(a, &t->cut);
    jc_factor_fini(a, &t->sweeps[0]);
    jc_factor_fini(a, &t->sweeps[1]);
    jc_factor_paths_fini(a, &t->list);
    free(t->several);
    jc_walk_fini(a, &t->walk);
    free(t->count);
}

static void work_fini(work *w)
{
    for (int64_t i = 0; i < w->report.n_totals; i++) factored_fini(w->graph, &w->report.totals[i]);
    free(w->report.totals);
    if (w->graph) jc_free(&w->graph->allocator, w->parallel, jc_graph_edge_count(w->graph), 1);
    jc_cli_rules_fini(&w->rules);
    free(w->at.ids);
    free(w->wrt.ids);
    free(w->of.ids);
    jc_graph_destroy(w->graph);
}

/* ---- the request ------------------------------------------------------------------------------------------------- */

static bool check_options(const factor_options *o, int *exit_code)
{
    if (!jc_product_needs(&o->shared, "of", o->shared.of, exit_code) ||
        !jc_product_needs(&o->shared, "wrt", o->shared.wrt, exit_code)) {
        return false;
    }
    if (o->at && o->at_last) {
        *exit_code = jc_cli_usage_error("factor", "--at and --at-last are two ways to split: give one of them");
        return false;
    }
    return jc_cli_shared_check(&o->shared, exit_code);
}

static bool prepare(work *w, int *exit_code)
{
    const jc_cli_shared *s = w->shared;
    const factor_options *o = w->o;
    const char *at = o->at_last ? o->at_last : o->at;
    return jc_cli_load(s, w->graph_path, &w->graph, &w->load_s, exit_code) &&
           jc_cli_find_variables(s, w->graph, "of", s->of, &w->of, exit_code) &&
           jc_cli_find_variables(s, w->graph, "wrt", s->wrt, &w->wrt, exit_code) &&
           jc_cli_find_variables(s, w->graph, o->at_last ? "at-last" : "at", at, &w->at, exit_code) &&
           jc_cli_find_rules(s, w->graph, &w->rules, exit_code);
}

static void describe(work *w)
{
    jc_factor_report *r = &w->report;
    r->shared = w->shared;
    r->graph = w->graph;
    r->parallel = w->parallel;
    r->format = (jc_formula_format)w->o->format;
    r->at_text = w->o->at_last ? w->o->at_last : w->o->at;
    r->at = w->at.ids, r->n_at = w->at.count;
    r->last = w->o->at_last != NULL;
}

/* ---- the work ---------------------------------------------------------------------------------------------------- */

static jc_query query_of(const work *w, const jc_factored *t)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &t->of, q.n_of = 1;
    q.wrt = &t->wrt, q.n_wrt = 1;
    q.order = (jc_order)w->shared->order;
    q.rules = w->rules.rule, q.n_rules = w->rules.count;
    return q;
}

/* Counts the paths, and lists them where the sum is to be written out. */
static jc_status find_paths(const work *w, const jc_query *q, jc_factored *t)
{
    jc_paths *paths;
    const char *count;
    jc_status status = jc_paths_create(w->graph, q, &paths);
    if (status) return status;
    status = jc_paths_count(paths, &count);
    if (!status) t->count = strcpy(jc_cli_alloc((int64_t)strlen(count) + 1, 1), count);
    if (!status && !w->report.at_text) status = jc_factor_paths_create(w->graph, paths, &t->list);
    jc_paths_destroy(paths);
    return status;
}

/* Where rules give a variable several nodes, formulas must tell them apart. */
static void find_several(const jc_graph *g, jc_factored *t)
{
    const jc_walk *walk = &t->walk;
    unsigned char *n = jc_cli_alloc(jc_graph_variable_count(g), 1);
    t->several = jc_cli_alloc(walk->n_nodes, 1);
    for (int64_t v = 0; v < walk->n_nodes; v++)
        if (n[walk->variable[v]] < 2) n[walk->variable[v]]++;
    for (int64_t v = 0; v < walk->n_nodes; v++) t->several[v] = n[walk->variable[v]] > 1;
    free(n);
}

static void write_form(const jc_factor_report *r, jc_form *form, int64_t multiply_adds, const jc_factored *t,
                       char *(*write)(const jc_factor_report *, const jc_factored *, jc_formula_format))
{
    form->there = true;
    form->multiply_adds = multiply_adds;
    if (r->shared->json || r->format == JC_FORMULA_TEXT) form->text = write(r, t, JC_FORMULA_TEXT);
    if (r->shared->json || r->format == JC_FORMULA_LATEX) form->latex = write(r, t, JC_FORMULA_LATEX);
}

static char *write_reverse(const jc_factor_report *r, const jc_factored *t, jc_formula_format format)
{
    return jc_factor_text_sweep(r, t, false, format);
}

static char *write_forward(const jc_factor_report *r, const jc_factored *t, jc_formula_format format)
{
    return jc_factor_text_sweep(r, t, true, format);
}

static jc_status find_forms(const work *w, jc_factored *t)
{
    const jc_factor_report *r = &w->report;
    jc_status status = jc_factor_create(&t->walk, JC_ORDER_REVERSE, &t->sweeps[0]);
    if (!status) status = jc_factor_create(&t->walk, JC_ORDER_FORWARD, &t->sweeps[1]);
    if (status) return status;
    if (!t->list.too_many) write_form(r, &t->paths, t->list.multiply_adds, t, jc_factor_text_paths);
    write_form(r, &t->orders[0], t->sweeps[0].multiply_adds, t, write_reverse);
    write_form(r, &t->orders[1], t->sweeps[1].multiply_adds, t, write_forward);
    t->cheapest = t->sweeps[1].multiply_adds < t->sweeps[0].multiply_adds;
    return JC_OK;
}

static jc_status split(const work *w, const jc_query *q, jc_factored *t)
{
    const jc_factor_report *r = &w->report;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = jc_cli_program_options(w->shared)};
    jc_cli_meter meter;
    options.program.progress = jc_cli_meter_begin(&meter, w->shared->quiet, "computing the terms");
    jc_status status = jc_cut_create(&t->walk, r->at, r->n_at, r->last, &t->cut);
    if (!status) status = jc_split_create(w->graph, q, r->at, r->n_at, r->last, &options, &t->split);
    jc_cli_meter_end(&meter);
    t->split_info = (jc_split_info){.struct_size = sizeof t->split_info};
    if (!status) status = jc_split_get_info(t->split, &t->split_info);
    if (!status) write_form(r, &t->at, t->split_info.multiply_adds, t, jc_factor_text_cut);
    return status;
}

static jc_status factor(const work *w, jc_factored *t)
{
    jc_query q = query_of(w, t), checked;
    jc_status status = find_paths(w, &q, t); /* checks the query */
    if (!status) status = jc_query_check(w->graph, &q, &checked);
    if (!status) status = jc_walk_create(w->graph, &checked, &t->walk);
    if (status) return status;
    find_several(w->graph, t);
    return w->report.at_text ? split(w, &q, t) : find_forms(w, t);
}

static jc_status factor_all(work *w)
{
    jc_factor_report *r = &w->report;
    jc_status status = jc_edges_mark_parallel(w->graph, &w->parallel);
    if (status) return status;
    describe(w);
    r->totals = jc_cli_alloc(w->of.count * w->wrt.count, sizeof *r->totals);
    for (int64_t i = 0; i < w->of.count * w->wrt.count && !status; i++) {
        jc_factored *t = &r->totals[r->n_totals++];
        t->of = w->of.ids[i / w->wrt.count], t->wrt = w->wrt.ids[i % w->wrt.count];
        status = factor(w, t);
    }
    return status;
}

/* ---- what is said ------------------------------------------------------------------------------------------------ */

static void narrate(const work *w)
{
    char load[JC_QUANTITY_BYTES], size[JC_GRAPH_SIZE_BYTES];
    jc_cli_narrate(w->shared->quiet, "%s: %s, load %s", jc_cli_document_name(w->graph_path),
                   jc_cli_graph_size_text(jc_graph_variable_count(w->graph), jc_graph_edge_count(w->graph), size),
                   jc_cli_seconds_text(w->load_s, load));
    for (int64_t i = 0; i < w->report.n_totals; i++) {
        const jc_split_info *info = &w->report.totals[i].split_info;
        if (!info->backend || info->structure_only) continue;
        jc_cli_warn_non_finite(w->graph, info->n_non_finite, info->non_finite);
        jc_cli_narrate(w->shared->quiet, "terms on backend %s (%s), %s, %s", info->backend, info->reason, info->device,
                       jc_cli_precision_name(info->precision));
    }
}

/* 1 where some split does not add up to its total, or that could not be decided. */
static int verdict(const work *w)
{
    for (int64_t i = 0; i < w->report.n_totals; i++) {
        const jc_factored *t = &w->report.totals[i];
        if (t->split && !t->split_info.structure_only && t->split_info.verdict != JC_PASSED) return JC_EXIT_CHECK;
    }
    return JC_EXIT_DONE;
}

static int run(work *w)
{
    int code;
    if (!prepare(w, &code)) return code;
    jc_status status = factor_all(w);
    if (status) return jc_cli_failed_in(status, w->graph_path);
    narrate(w);
    if (w->shared->json)
        jc_factor_report_emit(&w->report);
    else
        jc_factor_report_print(&w->report);
    code = jc_cli_flush();
    return code == JC_EXIT_DONE ? verdict(w) : code;
}

int jc_cli_factor(int argc, char **argv)
{
    factor_options o = {.shared = JC_CLI_SHARED_INIT("factor")};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code) || !check_options(&o, &code)) return code;
    work w = {.o = &o, .shared = &o.shared, .graph_path = words.word[0]};
    code = run(&w);
    work_fini(&w);
    return code;
}
