/* A total split at the first or the last variable of a set on each path. */
#include "run/split.h"

#include <math.h>
#include <string.h>

#include "core/error.h"
#include "core/dtype.h"
#include "core/progress.h"
#include "core/size.h"
#include "paths/cut.h"
#include "rules/query.h"
#include "run/norm.h"
#include "run/split_terms.h"

static const char *const WHAT = "a split";

/* While a split is made. */
typedef struct work {
    jc_split *split;
    const jc_graph *graph;
    jc_query query; /* that was checked */
    const int64_t *at;
    int64_t n_at;
    bool last;
    jc_evaluate_options options; /* of all evaluations: the precision of the whole */
    jc_progress progress;
    jc_vec rules;  /* jc_rule: those of the query, and one more */
    jc_vec first;  /* int64_t: Z with one of its variables in front; the variables cut at, and S */
    jc_vec cut_at; /* int64_t: the variables z of the terms */
} work;

/* ---- evaluating a part ------------------------------------------------------------------------------------------- */

/* The query's rules and one more over the variables given, which *q then has. */
static jc_status add_rule(work *w, jc_rule_kind kind, const int64_t *variables, int64_t n, jc_query *q)
{
    const jc_allocator *a = &w->graph->allocator;
    jc_rule rule = {.kind = kind, .variables = variables, .n_variables = n};
    w->rules.count = 0;
    jc_status status = jc_vec_append(a, &w->rules, w->query.rules, w->query.n_rules, WHAT);
    if (!status) status = jc_vec_append(a, &w->rules, &rule, 1, WHAT);
    q->rules = w->rules.data, q->n_rules = w->rules.count;
    return status;
}

/* Only the paths with no variable of Z strictly inside. */
static jc_status make_local(work *w, jc_query *q)
{
    if (w->n_at) return add_rule(w, JC_RULE_AVOID, w->at, w->n_at, q);
    return JC_OK;
}

static void add_cost(work *w, int64_t multiply_adds)
{
    w->split->info.multiply_adds = jc_cost_add(w->split->info.multiply_adds, multiply_adds);
}

static jc_status add_planned_cost(work *w, const jc_query *q)
{
    jc_plan_info info = {.struct_size = sizeof info};
    jc_plan *plan = NULL;
    jc_status status = jc_plan_create(w->graph, q, &plan);
    if (!status) status = jc_plan_get_info(plan, &info);
    jc_plan_destroy(plan);
    add_cost(w, info.multiply_adds);
    return status;
}

/* Evaluates, or where there are no numbers only plans (*results: NULL). Adds up the cost. */
static jc_status evaluate(work *w, const jc_query *q, const jc_evaluate_options *options, jc_results **results)
{
    jc_results_info info = {.struct_size = sizeof info};
    *results = NULL;
    if (w->split->info.structure_only) return add_planned_cost(w, q);
    jc_status status = jc_evaluate(w->graph, q, options, results);
    if (!status) status = jc_results_get_info(*results, &info);
    add_cost(w, info.multiply_adds);
    return status;
}

/* ---- terms ------------------------------------------------------------------------------------------------------- */

/* Copies a result, so that its plan and run need not be kept for it. */
static jc_status copy_result(const jc_allocator *a, const jc_result *from, jc_result *to, void **copy)
{
    int64_t n = from->rows * from->cols;
    size_t element = (size_t)jc_dtype_bytes(from->dtype);
    *to = *from;
    if (!from->data) return JC_OK;
    jc_status status = jc_alloc(a, n, element, "a term of a split", copy);
    if (!status) to->data = memcpy(*copy, from->data, (size_t)n * element);
    return status;
}

/* Result `index` of an evaluation is the next term; results NULL: there are no numbers. */
static jc_status take_term(work *w, int64_t variable, const jc_results *results, int64_t index)
{
    jc_split *s = w->split;
    jc_split_term *term = &s->terms[s->n_terms];
    jc_result r = {.blocks = 1, .rows = jc_graph_size(w->graph, s->of), .cols = jc_graph_size(w->graph, s->wrt)};
    *term = (jc_split_term){.variable = variable, .norm = NAN, .share = NAN};
    jc_status status = results ? jc_results_get(results, index, &r) : JC_OK;
    r.of = s->of, r.wrt = s->wrt;
    if (!status) status = copy_result(&s->allocator, &r, &term->result, &s->owned[s->n_terms]);
    if (status) return status;
    s->n_terms++;
    if (!results) return JC_OK;
    status = jc_result_norm(&s->allocator, &r, JC_NORM_FROBENIUS, &term->norm);
    term->share = term->norm / s->info.norm; /* NaN for 0 / 0 */
    jc_progress_tell(&w->progress, "terms", s->n_terms, s->n_owned);
    return status;
}

static jc_status evaluate_term(work *w, const jc_query *q, const jc_evaluate_options *options, int64_t variable)
{
    jc_split *s = w->split;
    jc_results *results = NULL;
    jc_status status = evaluate(w, q, options, &results);
    if (!status) status = take_term(w, variable, results, 0);
    jc_results_destroy(results);
    if (!status && s->shared && !s->info.structure_only) status = jc_split_add_magnitude(s, w->graph, q, options);
    return status;
}

/* Without rules, at the first: the left factors dT/dz are results of the sweep of the total, and all terms come from
 * one sweep over the local paths (split_terms.h). left: [cut_at.count]. */
static jc_status find_left_factors(const work *w, jc_array *left)
{
    const int64_t *z = w->cut_at.data;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < w->cut_at.count && !status; i++) {
        jc_result factor = {.dtype = JC_F64, .data = NULL};
        if (w->split->total) status = jc_results_get(w->split->total, i, &factor);
        left[i] = jc_array_2d(factor.dtype, jc_graph_size(w->graph, w->split->of), jc_graph_size(w->graph, z[i]),
                              factor.data);
    }
    return status;
}

static jc_status take_all_terms(work *w, const jc_results *results)
{
    jc_status status = JC_OK;
    for (int64_t i = 0; i < w->cut_at.count && !status; i++)
        status = take_term(w, ((const int64_t *)w->cut_at.data)[i], results, i);
    return status;
}

static jc_status evaluate_terms(work *w, const jc_array *left)
{
    const jc_graph *g = w->graph;
    const int64_t *z = w->cut_at.data;
    jc_results_info info = {.struct_size = sizeof info};
    jc_results *results = NULL, *magnitude = NULL;
    int64_t cost = 0;
    jc_status status;
    if (w->split->info.structure_only) {
        status = jc_split_plan_terms(g, &w->query, w->at, w->n_at, z, w->cut_at.count, left, &cost);
        add_cost(w, cost);
        return status ? status : take_all_terms(w, NULL);
    }
    status = jc_split_evaluate_terms(g, &w->query, w->at, w->n_at, z, w->cut_at.count, left, &w->options, &results);
    if (!status) status = jc_results_get_info(results, &info);
    if (!status) add_cost(w, info.multiply_adds);
    if (!status) status = take_all_terms(w, results);
    jc_results_destroy(results);
    bool on_device = jc_plan_edge_on_device(w->split->total->plan) >= 0; /* where absolute values cannot be formed */
    if (!status && !on_device)
        status =
            jc_split_absolute_terms(g, &w->query, w->at, w->n_at, z, w->cut_at.count, left, &w->options, &magnitude);
    if (!status) status = jc_split_take_magnitude(w->split, magnitude);
    jc_results_destroy(magnitude);
    return status;
}

static jc_status evaluate_at_first(work *w)
{
    const jc_allocator *a = &w->graph->allocator;
    jc_array *left;
    jc_query q = w->query;
    q.wrt = w->cut_at.data, q.n_wrt = w->cut_at.count;
    if (!w->cut_at.count) return JC_OK;
    jc_status status = add_planned_cost(w, &q); /* of the left factors */
    if (!status) status = jc_alloc(a, w->cut_at.count, sizeof *left, WHAT, &left);
    if (status) return status;
    status = find_left_factors(w, left);
    if (!status) status = evaluate_terms(w, left);
    jc_free(a, left, w->cut_at.count, sizeof *left);
    return status;
}

/* At the last, without rules: the rows of the local left factor times the right one, in a sweep over the paths from S
 * to z. */
static jc_status evaluate_from_left(work *w, int64_t z, const jc_results *left, int64_t index)
{
    jc_query q = w->query;
    jc_evaluate_options options = w->options;
    jc_result factor = {.data = NULL};
    jc_status status = left ? jc_results_get(left, index, &factor) : JC_OK;
    if (status) return status;
    q.of = &z;
    q.seed = JC_SEED_ROWS, q.seed_width = jc_graph_size(w->graph, w->split->of);
    options.seed = jc_array_2d(factor.dtype, q.seed_width, jc_graph_size(w->graph, z), factor.data);
    return evaluate_term(w, &q, &options, z);
}

/* The left factors [dT/dz]local are formed in one sweep. */
static jc_status evaluate_at_last(work *w)
{
    jc_results *left = NULL;
    const int64_t *z = w->cut_at.data;
    jc_query q = w->query;
    q.wrt = z, q.n_wrt = w->cut_at.count;
    if (!w->cut_at.count) return JC_OK;
    jc_status status = make_local(w, &q);
    if (!status) status = evaluate(w, &q, &w->options, &left);
    for (int64_t i = 0; i < w->cut_at.count && !status; i++) status = evaluate_from_left(w, z[i], left, i);
    jc_results_destroy(left);
    return status;
}

/* With rules, whose state a path carries through z: the total over the paths that have z first (last). */
static jc_status evaluate_by_rule(work *w, int64_t z)
{
    jc_query q = w->query;
    int64_t *list = w->first.data, n = 1;
    list[0] = z;
    for (int64_t i = 0; i < w->n_at; i++)
        if (w->at[i] != z) list[n++] = w->at[i];
    jc_status status = add_rule(w, w->last ? JC_RULE_LAST : JC_RULE_FIRST, list, n, &q);
    return status ? status : evaluate_term(w, &q, &w->options, z);
}

static jc_status evaluate_all_by_rule(work *w)
{
    w->first.count = 0;
    jc_status status = jc_vec_append(&w->graph->allocator, &w->first, NULL, w->n_at, WHAT);
    for (int64_t i = 0; i < w->cut_at.count && !status; i++)
        status = evaluate_by_rule(w, ((const int64_t *)w->cut_at.data)[i]);
    return status;
}

static jc_status evaluate_local(work *w)
{
    jc_query q = w->query;
    jc_status status = make_local(w, &q);
    if (w->split->shared) q.order = JC_ORDER_REVERSE;
    return status ? status : evaluate_term(w, &q, &w->options, -1);
}

/* ---- which terms there are --------------------------------------------------------------------------------------- */

static jc_status allocate_terms(work *w, int64_t n)
{
    jc_split *s = w->split;
    jc_status status = jc_alloc_zero(&s->allocator, n, sizeof *s->terms, WHAT, &s->terms);
    if (!status) status = jc_alloc_zero(&s->allocator, n, sizeof *s->owned, WHAT, &s->owned);
    if (status) jc_free(&s->allocator, s->terms, n, sizeof *s->terms), s->terms = NULL;
    if (!status) s->n_owned = n;
    return status;
}

/* The variables that some path is cut at, from the structure; *has_local: some path has no variable of Z inside. */
static jc_status find_terms(work *w, bool *has_local)
{
    const jc_allocator *a = &w->graph->allocator;
    jc_walk walk;
    jc_cut cut;
    jc_status status = jc_walk_create(w->graph, &w->query, &walk);
    if (status) return status;
    status = jc_cut_create(&walk, w->at, w->n_at, w->last, &cut);
    jc_walk_fini(a, &walk);
    if (status) return status;
    *has_local = cut.n_parts && cut.parts[0].at < 0;
    for (int64_t i = 0, before = -1; i < cut.n_parts && !status; i++) {
        if (cut.parts[i].at != before) status = jc_vec_append(a, &w->cut_at, &w->at[cut.parts[i].at], 1, WHAT);
        before = cut.parts[i].at;
    }
    jc_cut_fini(a, &cut);
    return status ? status : allocate_terms(w, w->cut_at.count + *has_local);
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static jc_status check(const jc_graph *g, const jc_query *query, const int64_t *at, int64_t n_at, jc_query *checked)
{
    jc_status status = jc_query_check(g, query, checked);
    if (status) return status;
    if (checked->n_of != 1 || checked->n_wrt != 1)
        return jc_fail(JC_E_USAGE, "a split takes one target and one source");
    if (checked->seed != JC_SEED_NONE || checked->per_sample > 1)
        return jc_fail(JC_E_USAGE, "a split is of totals: the query has a seed, or is per sample");
    if (n_at < 0 || (n_at && !at)) return jc_fail(JC_E_USAGE, "at: the list of variables is not there");
    return JC_OK;
}

static jc_status find_numbers(work *w)
{
    jc_plan *plan = NULL;
    jc_plan_info info = {.struct_size = sizeof info};
    jc_status status = jc_plan_create(w->graph, &w->query, &plan);
    if (!status) status = jc_plan_get_info(plan, &info);
    jc_plan_destroy(plan);
    w->split->info.structure_only = info.structure_only;
    return status;
}

/* The query of the total; with shared left factors that of all of them and the total, in a reverse sweep. */
static jc_status query_total(work *w, jc_query *q)
{
    const jc_allocator *a = &w->graph->allocator;
    *q = w->query;
    if (!w->split->shared) return JC_OK;
    jc_status status = jc_vec_append(a, &w->first, w->cut_at.data, w->cut_at.count, WHAT);
    if (!status) status = jc_vec_append(a, &w->first, &w->split->wrt, 1, WHAT);
    q->wrt = w->first.data, q->n_wrt = w->first.count;
    q->order = JC_ORDER_REVERSE;
    w->split->total_index = w->cut_at.count;
    return status;
}

/* From then on all is computed in the precision of the total. */
static jc_status evaluate_total(work *w)
{
    jc_split *s = w->split;
    jc_results_info info = {.struct_size = sizeof info};
    jc_result total;
    jc_query q;
    jc_status status = query_total(w, &q);
    if (!status) status = jc_evaluate(w->graph, &q, &w->options, &s->total);
    if (!status) status = jc_results_get_info(s->total, &info);
    if (!status) status = jc_split_get_total(s, &total);
    if (!status) status = jc_result_norm(&s->allocator, &total, JC_NORM_FROBENIUS, &s->info.norm);
    if (!status)
        status = jc_alloc_zero(&s->allocator, total.rows * total.cols, sizeof *s->magnitude, WHAT, &s->magnitude);
    if (status) return status;
    s->info.backend = info.backend, s->info.device = info.device, s->info.reason = info.reason;
    s->info.precision = w->options.program.precision = info.precision;
    s->info.n_non_finite = info.n_non_finite, s->info.non_finite = info.non_finite;
    return JC_OK;
}

static jc_status build(work *w)
{
    jc_split *s = w->split;
    bool has_local;
    s->shared = !w->last && !w->query.n_rules;
    jc_status status = find_terms(w, &has_local);
    if (!status) status = find_numbers(w);
    if (!status && !s->info.structure_only) status = evaluate_total(w);
    if (!status && has_local) status = evaluate_local(w);
    if (!status)
        status = w->query.n_rules ? evaluate_all_by_rule(w) : w->last ? evaluate_at_last(w) : evaluate_at_first(w);
    if (status || s->info.structure_only) return status;
    if (!s->shared) status = jc_split_add_magnitude(s, w->graph, &w->query, &w->options);
    return status ? status : jc_split_judge(s, w->graph, &w->query, w->at, w->n_at);
}

static jc_evaluate_options options_of(const jc_evaluate_options *given)
{
    jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
    return given ? *given : o;
}

jc_status jc_split_create(const jc_graph *graph, const jc_query *query, const int64_t *at, int64_t n_at, int last,
                          const jc_evaluate_options *options, jc_split **split)
{
    const jc_allocator *a = &graph->allocator;
    jc_split *s;
    work w = {.graph = graph,
              .at = at,
              .n_at = n_at,
              .last = last != 0,
              .options = options_of(options),
              .rules = jc_vec_of(sizeof(jc_rule)),
              .first = jc_vec_of(sizeof(int64_t)),
              .cut_at = jc_vec_of(sizeof(int64_t))};
    if (w.options.struct_size < sizeof w.options)
        return jc_fail(JC_E_USAGE, "jc_evaluate_options: struct_size is not set");
    jc_status status = check(graph, query, at, n_at, &w.query);
    if (!status) status = jc_alloc_zero(a, 1, sizeof *s, WHAT, &s);
    if (status) return status;
    *s = (jc_split){.allocator = *a, .of = w.query.of[0], .wrt = w.query.wrt[0]};
    s->info = (jc_split_info){.struct_size = sizeof s->info, .norm = NAN, .difference = NAN, .bound = NAN};
    s->info.verdict = JC_UNDECIDED, s->info.backend = "", s->info.device = "", s->info.reason = "";
    w.split = s;
    w.progress = w.options.program.progress;
    w.options.program.progress = (jc_progress){NULL, NULL};
    status = build(&w);
    s->info.n_terms = s->n_terms;
    jc_vec_free(a, &w.cut_at);
    jc_vec_free(a, &w.first);
    jc_vec_free(a, &w.rules);
    if (status)
        jc_split_destroy(s);
    else
        *split = s;
    return status;
}
