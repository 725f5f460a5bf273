/* Totals, products, counts and lists under random path rules, on every backend: against the paths that satisfy them,
 * each listed and judged by itself. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "support/compute.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

static const double largest_exact = 0x1p17; /* totals times a small seed stay exact in f32 */

/* What is asked, beside rules. */
typedef enum jt_form { TOTALS, ROWS, COLUMNS, SAMPLES, EDGES, N_FORMS } jt_form;

typedef struct problem {
    jt_graph graph; /* with all its edges */
    jt_graph kept;  /* the same, only with the edges that the query names */
    jt_query q;
    jt_rules rules;
    jt_form form;
    double *seed; /* of rows or columns */
    int64_t *edges;
    uint64_t number;
    int64_t results, zeros, kept_some; /* results looked at; without path; from which rules drop a part of the paths */
    int64_t units, empty_dropped;      /* of = wrt: the path without edges counted, or a rule dropped it */
} problem;

/* A third of the edges is left out. */
static void name_edges(problem *p, jt_rng *rng)
{
    jt_graph *g = &p->graph;
    p->kept = *g;
    if (p->form != EDGES) return;
    p->kept.edges = jt_alloc(&g->pool, g->n_edges, sizeof *p->kept.edges);
    p->edges = jt_alloc(&g->pool, g->n_edges, sizeof *p->edges);
    p->kept.n_edges = 0;
    for (int64_t e = 0; e < g->n_edges; e++) {
        if (jt_below(rng, 3) == 0) continue;
        p->edges[p->kept.n_edges] = e;
        p->kept.edges[p->kept.n_edges++] = g->edges[e];
    }
    p->q.query.edges = p->edges, p->q.query.n_edges = p->kept.n_edges;
}

static void make_seed(problem *p, jt_rng *rng)
{
    const jc_query *q = &p->q.query;
    if (q->seed == JC_SEED_NONE) return;
    int64_t n = q->seed_width * p->graph.size[q->seed == JC_SEED_ROWS ? q->of[0] : q->wrt[0]];
    p->seed = jt_alloc(&p->graph.pool, n, sizeof *p->seed);
    for (int64_t i = 0; i < n; i++) p->seed[i] = (double)jt_between(rng, -2, 2);
}

static void problem_init(problem *p, uint64_t number, jt_form form, jc_rule_kind kind, jt_numbers numbers)
{
    jt_rng rng = {number};
    jt_graph_options options = {.seed = number, .max_paths = 400, .numbers = numbers};
    if (numbers == JT_SMALL) options.largest = largest_exact;
    if (form == SAMPLES) options.samples = 1 + (int64_t)(number % 2 + 1);
    *p = (problem){.form = form, .number = number};
    jt_graph_random(&options, &p->graph);
    if (form == ROWS || form == COLUMNS)
        jt_query_seeded(&rng, &p->graph, form == ROWS ? JC_SEED_ROWS : JC_SEED_COLUMNS, &p->q);
    else
        jt_query_totals(&rng, &p->graph, &p->q);
    if (form == SAMPLES) p->q.query.per_sample = options.samples;
    if (number % 3 == 0 && p->q.query.n_wrt) p->q.wrt[0] = p->q.of[0]; /* a target that is a source */
    for (int64_t i = 1; i < p->q.query.n_wrt; i++)
        if (p->q.wrt[i] == p->q.wrt[0]) p->q.query.n_wrt = 1;
    p->q.query.no_empty_path = number % 5 == 0;
    name_edges(p, &rng);
    make_seed(p, &rng);
    jt_rules_random(&p->graph.pool, &rng, &p->graph, kind, &p->rules);
    p->rules.graph = &p->kept;
    p->q.query.rules = p->rules.rule, p->q.query.n_rules = p->rules.n;
}

static void problem_fini(problem *p)
{
    jt_rules_fini(&p->rules);
    jt_graph_fini(&p->graph);
}

/* Paths of the pair that count. */
static int64_t count_kept(const problem *p, int64_t of, int64_t wrt)
{
    if (of == wrt && p->q.query.no_empty_path) return 0;
    return jt_rules_count(&p->rules, of, wrt);
}

static bool is_root(const jt_graph *g, int64_t v)
{
    for (int64_t e = 0; e < g->n_edges; e++)
        if (g->edges[e].of == v) return false;
    return true;
}

/* With named sources every pair has a result; without, each target one for every root from which a kept path leads. */
static void check_pairs(const problem *p, const jt_results *results, const char *backend)
{
    const jc_query *q = &p->q.query;
    int64_t n = 0;
    for (int64_t t = 0; t < q->n_of; t++)
        for (int64_t s = 0; s < (q->n_wrt ? q->n_wrt : p->graph.n_variables); s++) {
            int64_t wrt = q->n_wrt ? q->wrt[s] : s;
            if (!q->n_wrt && (!is_root(&p->graph, s) || !count_kept(p, q->of[t], s))) continue;
            cr_assert(n < results->n && results->result[n].of == q->of[t] && results->result[n].wrt == wrt,
                      "%llu, %s: result %lld of %lld is not that of %lld, %lld", (unsigned long long)p->number, backend,
                      (long long)n, (long long)results->n, (long long)q->of[t], (long long)wrt);
            n++;
        }
    cr_assert_eq(n, results->n);
}

/* The sum over the kept paths, in one of the two kinds of numbers; zero where no_empty_path drops the only one. */
typedef struct sums {
    long double *real;
    uint64_t *modulo;
    int64_t rows, cols;
} sums;

static sums sums_of(const problem *p, jt_pool *pool, const jt_result *r)
{
    sums s = {.rows = p->graph.size[r->of], .cols = p->graph.size[r->wrt]};
    bool none = r->of == r->wrt && p->q.query.no_empty_path;
    void *rules = (void *)&p->rules;
    if (none && r->real) s.real = jt_alloc(pool, s.rows * s.cols, sizeof *s.real);
    if (none && !r->real) s.modulo = jt_alloc(pool, s.rows * s.cols, sizeof *s.modulo);
    if (!none && r->real) s.real = jt_total_where(pool, &p->kept, r->of, r->wrt, false, jt_rules_keep, rules);
    if (!none && !r->real) s.modulo = jt_total_modulo_where(pool, &p->kept, r->of, r->wrt, jt_rules_keep, rules);
    return s;
}

/* Adds c times entry (i, j) to *real or *modulo. */
static void add_entry(const sums *s, double c, int64_t i, int64_t j, long double *real, uint64_t *modulo)
{
    if (s->real)
        *real += (long double)c * s->real[i * s->cols + j];
    else
        *modulo = jt_add_modulo(*modulo, jt_mul_modulo(jt_modulo(c), s->modulo[i * s->cols + j]));
}

/* Entry (i, j) of block b of a result: of the total, of S times it or it times S, or of its diagonal block. */
static bool entry_is(const problem *p, const sums *s, const jt_result *r, int64_t b, int64_t i, int64_t j)
{
    long double real = 0;
    uint64_t modulo = 0;
    int64_t at = (b * r->rows + i) * r->cols + j, k = p->q.query.seed_width;
    if (p->form == ROWS)
        for (int64_t m = 0; m < s->rows; m++) add_entry(s, p->seed[i * s->rows + m], m, j, &real, &modulo);
    else if (p->form == COLUMNS)
        for (int64_t m = 0; m < s->cols; m++) add_entry(s, p->seed[m * k + j], i, m, &real, &modulo);
    else
        add_entry(s, 1, b * r->rows + i, b * r->cols + j, &real, &modulo);
    return r->real ? (long double)r->real[at] == real : r->modulo[at] == modulo;
}

static void check_result(const problem *p, const jt_result *r, const char *backend)
{
    jt_pool pool = {0};
    sums s = sums_of(p, &pool, r);
    for (int64_t b = 0; b < r->blocks; b++)
        for (int64_t i = 0; i < r->rows; i++)
            for (int64_t j = 0; j < r->cols; j++)
                cr_assert(entry_is(p, &s, r, b, i, j), "%llu, %s: d%lld/d%lld block %lld entry %lld,%lld under %s",
                          (unsigned long long)p->number, backend, (long long)r->of, (long long)r->wrt, (long long)b,
                          (long long)i, (long long)j, jt_rules_text(&pool, &p->rules));
    jt_pool_free(&pool);
}

static void note(problem *p, const jt_results *results)
{
    for (int64_t i = 0; i < results->n; i++) {
        int64_t of = results->result[i].of, wrt = results->result[i].wrt, n = count_kept(p, of, wrt);
        p->results++;
        p->zeros += n == 0;
        p->kept_some += n > 0 && (double)n < jt_count_paths(&p->kept, of, wrt);
        p->units += of == wrt && n;
        p->empty_dropped += of == wrt && !n && !p->q.query.no_empty_path;
    }
}

static void check_problem(problem *p)
{
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    if (p->rules.n == 0) return;
    for (int b = 0; b < n; b++) {
        if (!jt_is_exact(&backends[b]) && !jt_is_exact_up_to(&backends[b], 64 * largest_exact)) continue;
        jt_pool pool = {0};
        jt_results results = jt_compute(&pool, p->graph.graph, &p->q.query, &backends[b], p->seed);
        check_pairs(p, &results, backends[b].name);
        if (b == 0) note(p, &results);
        for (int64_t i = 0; i < results.n; i++) check_result(p, &results.result[i], backends[b].name);
        jt_pool_free(&pool);
    }
}

/* Every kind of rule first in turn; the sums of what was met. */
static void sweep(jt_form form, int64_t cases, uint64_t first, problem *met)
{
    *met = (problem){.form = form};
    for (int64_t i = 0; i < jt_cases(cases); i++) {
        problem p;
        if (jt_device_run() && !jt_in_sample(first + (uint64_t)i)) continue;
        problem_init(&p, first + (uint64_t)i, form, (jc_rule_kind)(i % JT_RULE_KINDS), JT_SMALL);
        check_problem(&p);
        met->results += p.results, met->zeros += p.zeros, met->kept_some += p.kept_some;
        met->units += p.units, met->empty_dropped += p.empty_dropped;
        problem_fini(&p);
    }
    if (jt_device_run()) return;
    cr_assert_gt(met->kept_some, jt_cases(cases) / 8, "rules drop a part of the paths in %lld of %lld results",
                 (long long)met->kept_some, (long long)met->results);
    cr_assert_gt(met->zeros, jt_cases(cases) / 10, "%lld", (long long)met->zeros);
    cr_assert_lt(met->zeros, met->results - met->results / 8, "%lld of %lld results are zero", (long long)met->zeros,
                 (long long)met->results);
}

Test(restricted, restricted_totals_are_the_sums_over_the_paths_that_are_kept)
{
    problem met;
    sweep(TOTALS, 700, 0, &met);
    cr_assert(met.units > 3 && met.empty_dropped > 3, "%lld, %lld", (long long)met.units, (long long)met.empty_dropped);
}

Test(restricted, products_with_rows_are_those_of_the_restricted_totals)
{
    problem met;
    sweep(ROWS, 500, 10000, &met);
    cr_assert(met.units > 3 && met.empty_dropped > 3, "%lld, %lld", (long long)met.units, (long long)met.empty_dropped);
}

Test(restricted, products_with_columns_are_those_of_the_restricted_totals)
{
    problem met;
    sweep(COLUMNS, 500, 20000, &met);
    cr_assert(met.units > 3 && met.empty_dropped > 3, "%lld, %lld", (long long)met.units, (long long)met.empty_dropped);
}

Test(restricted, per_sample_totals_are_the_blocks_of_the_restricted_totals)
{
    problem met;
    sweep(SAMPLES, 400, 30000, &met);
    cr_assert(met.units > 1 && met.empty_dropped > 1, "%lld, %lld", (long long)met.units, (long long)met.empty_dropped);
}

Test(restricted, go_together_with_a_list_of_edges)
{
    problem met;
    sweep(EDGES, 400, 40000, &met);
}
