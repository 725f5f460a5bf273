/* Totals over the paths of chosen edges: against the path sums of a graph that has no other edges. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <string.h>

#include "plan/plan.h"
#include "plan/verify.h"
#include "support/compute.h"
#include "support/oracle.h"
#include "support/random_query.h"

enum { SEEDS = 400 };

static const double largest_exact = 0x1p23; /* sums below stay exact in f32 */

/* A random part of a graph's edges, as a list in any order and as a graph of the oracle's. */
typedef struct part {
    jt_graph graph, kept; /* kept: the same, its edges only those of the list */
    int64_t *edges, n_edges;
} part;

static void part_init(part *p, const jt_graph_options *options, jt_rng *rng)
{
    jt_graph_random(options, &p->graph);
    p->kept = p->graph;
    p->kept.edges = jt_alloc(&p->graph.pool, p->graph.n_edges, sizeof *p->kept.edges);
    p->edges = jt_alloc(&p->graph.pool, p->graph.n_edges, sizeof *p->edges);
    p->kept.n_edges = p->n_edges = 0;
    int64_t of_four = jt_below(rng, 5); /* none .. all */
    for (int64_t e = 0; e < p->graph.n_edges; e++)
        if (jt_below(rng, 4) < of_four)
            p->kept.edges[p->kept.n_edges++] = p->graph.edges[e], p->edges[p->n_edges++] = e;
    for (int64_t i = p->n_edges; i-- > 1;) {
        int64_t j = jt_below(rng, i + 1), e = p->edges[i];
        p->edges[i] = p->edges[j], p->edges[j] = e;
    }
}

static void check_total(const part *p, const jt_result *r, bool no_empty_path, uint64_t seed, const char *backend)
{
    jt_pool pool = {0};
    long double *total = r->real ? jt_total_by_paths(&pool, &p->kept, r->of, r->wrt, false) : NULL;
    uint64_t *modulo = r->real ? NULL : jt_total_modulo(&pool, &p->kept, r->of, r->wrt);
    bool zero = no_empty_path && r->of == r->wrt;
    for (int64_t i = 0; i < r->rows * r->cols; i++) {
        bool same = modulo ? r->modulo[i] == (zero ? 0 : modulo[i]) : (long double)r->real[i] == (zero ? 0 : total[i]);
        cr_assert(same, "seed %llu, %s: d%lld/d%lld entry %lld", (unsigned long long)seed, backend, (long long)r->of,
                  (long long)r->wrt, (long long)i);
    }
    jt_pool_free(&pool);
}

/* Sources that were not named are those of the whole graph; a result is there where kept edges join the two. */
static int64_t expected_results(const part *p, const jc_query *q)
{
    int64_t n = q->n_of * q->n_wrt;
    for (int64_t t = 0; t < q->n_of && !q->n_wrt; t++)
        for (int64_t v = 0; v < p->graph.n_variables; v++) {
            bool root = true;
            for (int64_t e = 0; e < p->graph.n_edges; e++) root = root && p->graph.edges[e].of != v;
            n += root && jt_count_paths(&p->kept, q->of[t], v) > (q->no_empty_path && q->of[t] == v);
        }
    return n;
}

static void check_part(uint64_t seed)
{
    jt_graph_options options = {.seed = seed, .max_paths = 600, .numbers = JT_SMALL, .largest = largest_exact};
    jt_rng rng = {seed + 1};
    part p;
    part_init(&p, &options, &rng);
    jt_query q;
    jt_query_totals(&rng, &p.graph, &q);
    q.query.edges = p.edges, q.query.n_edges = p.n_edges, q.query.no_empty_path = seed % 3 == 0;
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    for (int b = 0; b < n; b++) {
        if (!jt_is_exact_up_to(&backends[b], largest_exact)) continue;
        jt_results results = jt_compute(&p.graph.pool, p.graph.graph, &q.query, &backends[b], NULL);
        cr_assert_eq(results.n, expected_results(&p, &q.query), "seed %llu", (unsigned long long)seed);
        for (int64_t i = 0; i < results.n; i++)
            check_total(&p, &results.result[i], q.query.no_empty_path, seed, backends[b].name);
    }
    jt_graph_fini(&p.graph);
}

Test(edges, totals_over_the_paths_of_chosen_edges_are_exact_on_every_backend)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++)
        if (jt_in_sample(seed)) check_part(seed);
}

/* S dT/dv with a row S of ones; and jc_evaluate. */
Test(edges, seeds_keep_to_the_chosen_edges)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 600, .numbers = JT_SMALL, .largest = largest_exact};
        jt_rng rng = {seed + 1};
        part p;
        part_init(&p, &options, &rng);
        int64_t of = p.graph.topological[p.graph.n_variables - 1], wrt = p.graph.topological[0];
        jc_query q = JC_QUERY_INIT;
        q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.edges = p.edges, q.n_edges = p.n_edges;
        long double *total = jt_total_by_paths(&p.graph.pool, &p.kept, of, wrt, false);
        jt_results whole = jt_evaluate(&p.graph.pool, p.graph.graph, &q, 0);
        double ones[64];
        cr_assert_leq(p.graph.size[of], 64);
        for (int i = 0; i < 64; i++) ones[i] = 1;
        q.seed = JC_SEED_ROWS, q.seed_width = 1;
        jt_backend reference = {"reference", JC_PRECISION_F64, 1};
        jt_results seeded = jt_compute(&p.graph.pool, p.graph.graph, &q, &reference, ones);
        for (int64_t j = 0; j < p.graph.size[wrt]; j++) {
            long double sum = 0;
            for (int64_t i = 0; i < p.graph.size[of]; i++) {
                sum += total[i * p.graph.size[wrt] + j];
                cr_assert_eq((long double)whole.result[0].real[i * p.graph.size[wrt] + j],
                             total[i * p.graph.size[wrt] + j]);
            }
            cr_assert_eq((long double)seeded.result[0].real[j], sum, "seed %llu", (unsigned long long)seed);
        }
        jt_graph_fini(&p.graph);
    }
}

/* A plan of all edges held against a query of some, and the other way round, where the two differ in what is used. */
Test(edges, the_verifier_holds_a_plan_against_the_edges_of_the_query)
{
    int64_t refused = 0;
    for (uint64_t seed = 0; seed < 200; seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 100};
        jt_rng rng = {seed + 1};
        part p;
        part_init(&p, &options, &rng);
        jt_query q;
        jt_query_totals(&rng, &p.graph, &q);
        jc_query some = q.query;
        some.edges = p.edges, some.n_edges = p.n_edges;
        jc_plan *of_all, *of_some;
        jt_ok(jc_plan_create(p.graph.graph, &q.query, &of_all), "a plan");
        some.order = q.query.order = of_all->order;
        jt_ok(jc_plan_create(p.graph.graph, &some, &of_some), "a plan");
        jt_ok(jc_plan_verify(of_all, &q.query, NULL), "all");
        jt_ok(jc_plan_verify(of_some, &some, NULL), "some");
        bool differ = of_all->n_steps != of_some->n_steps;
        if (differ) cr_expect_eq(jc_plan_verify(of_all, &some, NULL), JC_E_INTERNAL, "%llu", (unsigned long long)seed);
        if (differ)
            cr_expect_eq(jc_plan_verify(of_some, &q.query, NULL), JC_E_INTERNAL, "%llu", (unsigned long long)seed);
        refused += differ;
        jc_plan_destroy(of_some);
        jc_plan_destroy(of_all);
        jt_graph_fini(&p.graph);
    }
    cr_expect_gt(refused, 50);
}

/* Checked by the equations of the chosen edges: those left out would not fit. */
Test(edges, a_check_judges_the_paths_of_chosen_edges)
{
    for (uint64_t seed = 0; seed < 50; seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 100, .numbers = JT_REAL, .no_operators = true};
        jt_rng rng = {seed + 1};
        part p;
        part_init(&p, &options, &rng);
        jt_query q;
        jt_query_totals(&rng, &p.graph, &q);
        q.query.edges = p.edges, q.query.n_edges = p.n_edges;
        jc_check_report *report;
        jc_check_summary summary = {.struct_size = sizeof summary};
        jt_ok(jc_check(p.graph.graph, &q.query, NULL, &report), "a check");
        jt_ok(jc_check_get_summary(report, &summary), "its summary");
        cr_expect_neq(summary.verdict, JC_FAILED, "seed %llu", (unsigned long long)seed);
        jc_check_destroy(report);
        jt_graph_fini(&p.graph);
    }
}

Test(edges, what_a_query_of_edges_refuses)
{
    jt_graph_options options = {.seed = 3, .max_paths = 100};
    jt_graph g;
    jt_graph_random(&options, &g);
    int64_t of = 0, edges[2] = {0, g.n_edges};
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan = NULL;
    q.of = &of, q.n_of = 1, q.edges = edges, q.n_edges = 2;
    cr_expect_eq(jc_plan_create(g.graph, &q, &plan), JC_E_USAGE);
    cr_expect(strstr(jc_last_error(), "no edge number"), "%s", jc_last_error());
    edges[1] = -1;
    cr_expect_eq(jc_plan_create(g.graph, &q, &plan), JC_E_USAGE);
    q.n_edges = -1;
    cr_expect_eq(jc_plan_create(g.graph, &q, &plan), JC_E_USAGE);
    q.edges = NULL, q.n_edges = 1;
    cr_expect_eq(jc_plan_create(g.graph, &q, &plan), JC_E_USAGE);
    cr_expect_null(plan);
    jt_graph_fini(&g);
}

/* A program built before a query had edges: what lies behind its struct is not looked at. */
Test(edges, a_query_that_ends_before_its_edges_asks_for_all)
{
    jc_query old = JC_QUERY_INIT;
    jt_graph_options options = {.seed = 3, .max_paths = 100};
    jt_graph g;
    jt_graph_random(&options, &g);
    int64_t of = g.topological[g.n_variables - 1], junk = -5;
    jt_pool pool = {0};
    old.of = &of, old.n_of = 1;
    jt_results all = jt_evaluate(&pool, g.graph, &old, 0);
    old.struct_size = offsetof(jc_query, edges);
    old.edges = &junk, old.n_edges = 77, old.no_empty_path = 1;
    jt_results same = jt_evaluate(&pool, g.graph, &old, 0);
    cr_assert_eq(all.n, same.n);
    for (int64_t i = 0; i < all.n; i++) cr_expect_eq(all.result[i].real[0], same.result[i].real[0]);
    jc_results *results = NULL;
    old.struct_size--;
    cr_expect_eq(jc_evaluate(g.graph, &old, NULL, &results), JC_E_USAGE);
    jt_pool_free(&pool);
    jt_graph_fini(&g);
}
