/* Totals of random graphs against their definition: the sum over all paths. */
#include <criterion/criterion.h>
#include <math.h>

#include "support/compute.h"
#include "support/judge.h"
#include "support/oracle.h"
#include "support/random_query.h"

enum { SEEDS = 1000 };

static const double largest_exact = 0x1p23; /* sums below stay exact in f32 */

/* Whether a variable has no edge into it. */
static bool is_root(const jt_graph *g, int64_t v)
{
    for (int64_t e = 0; e < g->n_edges; e++)
        if (g->edges[e].of == v) return false;
    return true;
}

/* With named sources every pair has a result; without, each target has one for every root that reaches it. */
static void check_pairs(const jt_graph *g, const jc_query *q, const jt_results *results)
{
    int64_t expected = q->n_of * q->n_wrt;
    for (int64_t t = 0; t < q->n_of && !q->n_wrt; t++)
        for (int64_t v = 0; v < g->n_variables; v++) expected += is_root(g, v) && jt_count_paths(g, q->of[t], v) > 0;
    cr_assert_eq(results->n, expected, "%lld results, expected %lld", (long long)results->n, (long long)expected);
    for (int64_t t = 0; t < q->n_of; t++)
        for (int64_t s = 0; s < q->n_wrt; s++) {
            const jt_result *r = &results->result[t * q->n_wrt + s];
            cr_assert(r->of == q->of[t] && r->wrt == q->wrt[s], "results are not target by target");
        }
}

/* How often the random requests meet what is easily got wrong. */
typedef struct met {
    int64_t units, zeros, values;           /* results */
    int64_t middle_targets, middle_sources; /* requests with one on the way between two other requested variables */
    int64_t parallel;                       /* graphs with two edges between the same variables */
} met;

static bool lies_between(const jt_graph *g, int64_t v, const jc_query *q)
{
    bool above = false, below = false;
    for (int64_t i = 0; i < q->n_of; i++) above = above || (q->of[i] != v && jt_count_paths(g, q->of[i], v) > 0);
    for (int64_t i = 0; i < q->n_wrt; i++) below = below || (q->wrt[i] != v && jt_count_paths(g, v, q->wrt[i]) > 0);
    return above && below;
}

static void note_request(const jt_graph *g, const jc_query *q, const jt_results *results, met *m)
{
    bool target = false, source = false, parallel = false;
    for (int64_t i = 0; i < results->n; i++) {
        const jt_result *r = &results->result[i];
        double paths = jt_count_paths(g, r->of, r->wrt);
        *(r->of == r->wrt ? &m->units : paths > 0 ? &m->values : &m->zeros) += 1;
    }
    for (int64_t i = 0; i < q->n_of; i++) target = target || lies_between(g, q->of[i], q);
    for (int64_t i = 0; i < q->n_wrt; i++) source = source || lies_between(g, q->wrt[i], q);
    for (int64_t a = 0; a < g->n_edges; a++)
        for (int64_t b = 0; b < a; b++)
            parallel = parallel || (g->edges[a].of == g->edges[b].of && g->edges[a].wrt == g->edges[b].wrt);
    m->middle_targets += target, m->middle_sources += source, m->parallel += parallel;
}

static void check_integer_graph(uint64_t seed, jt_numbers numbers, bool only_exact, met *m)
{
    jt_graph g;
    jt_graph_options options = {.seed = seed, .max_paths = 600, .numbers = numbers};
    if (numbers == JT_SMALL) options.largest = largest_exact;
    jt_graph_random(&options, &g);
    jt_backend backends[JT_MAX_BACKENDS];
    int n = only_exact ? (jt_backends(backends), 1) : jt_backends(backends);
    jt_rng rng = {seed};
    jt_query q;
    jt_query_totals(&rng, &g, &q);
    for (int b = 0; b < n; b++) {
        if (!only_exact && !jt_is_exact_up_to(&backends[b], largest_exact)) continue;
        jt_results results = jt_compute(&g.pool, g.graph, &q.query, &backends[b], NULL);
        check_pairs(&g, &q.query, &results);
        if (b == 0) note_request(&g, &q.query, &results, m);
        for (int64_t i = 0; i < results.n; i++) jt_expect_path_sum(&g, &results.result[i], seed, backends[b].name);
    }
    jt_graph_fini(&g);
}

Test(property, small_integer_totals_are_the_path_sums_bit_for_bit_on_every_backend)
{
    met m = {0};
    for (uint64_t seed = 0; seed < SEEDS; seed++) check_integer_graph(seed, JT_SMALL, false, &m);
    cr_assert(m.units > 100 && m.zeros > 100 && m.values > 1000, "%lld units, %lld zeros, %lld others",
              (long long)m.units, (long long)m.zeros, (long long)m.values);
    cr_assert(m.middle_targets > 100 && m.middle_sources > 100 && m.parallel > 100, "%lld, %lld, %lld",
              (long long)m.middle_targets, (long long)m.middle_sources, (long long)m.parallel);
}

Test(property, wide_integer_totals_are_the_path_sums_modulo_a_prime)
{
    met m = {0};
    for (uint64_t seed = 10000; seed < 10000 + SEEDS; seed++) check_integer_graph(seed, JT_WIDE, true, &m);
}

Test(property, evaluate_gives_the_path_sums_bit_for_bit)
{
    for (uint64_t seed = 5000; seed < 5000 + SEEDS / 2; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 300, .numbers = JT_SMALL, .largest = largest_exact};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_query_totals(&rng, &g, &q);
        jt_results results = jt_evaluate(&g.pool, g.graph, &q.query, 0);
        check_pairs(&g, &q.query, &results);
        for (int64_t i = 0; i < results.n; i++) jt_expect_path_sum(&g, &results.result[i], seed, "auto");
        jt_graph_fini(&g);
    }
}

static void check_within_bound(const jt_graph *g, const jt_result *r, const jt_backend *backend, uint64_t seed)
{
    jt_pool pool = {0};
    long double *total = jt_total_by_paths(&pool, g, r->of, r->wrt, false);
    long double *absolute = jt_total_by_paths(&pool, g, r->of, r->wrt, true);
    long double gamma = jt_gamma(backend->precision, jt_longest_sum(g), g->n_variables);
    for (int64_t i = 0; i < r->rows * r->cols; i++)
        cr_assert(fabsl((long double)r->real[i] - total[i]) <= gamma * absolute[i],
                  "seed %llu, %s: d%lld/d%lld entry %lld: %.17g, expected %.17Lg", (unsigned long long)seed,
                  backend->name, (long long)r->of, (long long)r->wrt, (long long)i, r->real[i], total[i]);
    jt_pool_free(&pool);
}

Test(property, real_totals_are_the_path_sums_within_their_rounding_bound)
{
    for (uint64_t seed = 20000; seed < 20000 + SEEDS; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 300, .numbers = JT_REAL};
        jt_graph_random(&options, &g);
        jt_backend backends[JT_MAX_BACKENDS];
        int n = jt_backends(backends);
        jt_rng rng = {seed};
        jt_query q;
        jt_query_totals(&rng, &g, &q);
        for (int b = 0; b < n; b++) {
            if (jt_is_exact(&backends[b])) continue;
            jt_results results = jt_compute(&g.pool, g.graph, &q.query, &backends[b], NULL);
            for (int64_t i = 0; i < results.n; i++) check_within_bound(&g, &results.result[i], &backends[b], seed);
        }
        jt_graph_fini(&g);
    }
}

/* Must differ: the oracle sees a wrong number. */
Test(property, path_sums_notice_one_changed_entry)
{
    jt_graph g;
    jt_graph_options options = {.seed = 5, .n_variables = 4, .max_paths = 100, .numbers = JT_SMALL, .largest = 1e6};
    jt_graph_random(&options, &g);
    int64_t e = 0;
    long double *before = jt_total_by_paths(&g.pool, &g, g.edges[e].of, g.edges[e].wrt, false);
    double *D = (double *)g.edges[e].dense;
    D[0] += 1;
    long double *after = jt_total_by_paths(&g.pool, &g, g.edges[e].of, g.edges[e].wrt, false);
    cr_assert_eq(after[0], before[0] + 1);
    jt_graph_fini(&g);
}

Test(property, listing_paths_agrees_with_the_recurrence_and_the_count)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 500, .numbers = JT_SMALL, .largest = 1e9};
        jt_graph_random(&options, &g);
        for (int64_t a = 0; a < g.n_variables; a++)
            for (int64_t b = 0; b < g.n_variables; b++) {
                jt_pool pool = {0};
                long double *x = jt_total_by_paths(&pool, &g, a, b, false);
                long double *y = jt_total_by_recurrence(&pool, &g, a, b, false);
                for (int64_t i = 0; i < g.size[a] * g.size[b]; i++) cr_assert_eq(x[i], y[i]);
                jt_pool_free(&pool);
            }
        jt_graph_fini(&g);
    }
}
