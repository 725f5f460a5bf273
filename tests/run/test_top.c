/* The paths of largest norm against the list of all paths, ordered by the test. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "backend/cpu/blas.h"
#include "run/top_help.h"
#include "support/failing_allocator.h"
#include "support/sanitized.h"

/* The k paths of the library are the first k of the ranking; integers: in exactly its order. */
static void expect_first(const jc_top *top, const jt_ranking *ranking, int64_t k, bool integers, const char *what)
{
    jc_top_info info = jt_top_info(top);
    cr_assert_eq(info.paths, k < ranking->n ? k : ranking->n, "%s: %lld paths", what, (long long)info.paths);
    cr_assert(info.exact, "%s", what);
    for (int64_t i = 0; i < info.paths; i++) {
        jc_top_path path = jt_top_path(top, i);
        int64_t at = jt_rank_of(ranking, path.edges, path.n_edges);
        cr_assert(at >= 0, "%s: path %lld is none", what, (long long)i);
        if (integers) cr_assert_eq(at, i, "%s: path %lld is number %lld", what, (long long)i, (long long)at);
        double norm = ranking->paths[i].norm, own = ranking->paths[at].norm;
        cr_assert(fabs(path.norm - own) <= 1e-12 * own, "%s: %g, expected %g", what, path.norm, own);
        cr_assert(fabs(path.norm - norm) <= 1e-12 * norm, "%s: number %lld has %g, expected %g", what, (long long)i,
                  path.norm, norm);
        if (info.scalar) cr_assert(fabs(path.value - ranking->paths[at].value) <= 1e-12 * own, "%s", what);
        for (int64_t j = 0; j < i; j++) {
            jc_top_path other = jt_top_path(top, j);
            cr_assert_neq(jt_rank_of(ranking, other.edges, other.n_edges), at, "%s: listed twice", what);
        }
    }
}

static void check_pair(const jt_graph *g, int64_t of, int64_t wrt, bool spectral, bool integers, int64_t *listed)
{
    jc_top_options options = {.struct_size = sizeof options, .spectral = spectral};
    jt_pool pool = {0};
    jt_ranking ranking = jt_rank_paths(&pool, g, of, wrt, spectral, NULL);
    const int64_t ks[] = {1, 3, ranking.n / 2 + 1, ranking.n + 4};
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++) {
        jc_top *top = jt_top(g->graph, of, wrt, ks[i], &options);
        expect_first(top, &ranking, ks[i], integers, "a pair");
        jc_top_info info = jt_top_info(top);
        cr_assert(ks[i] <= ranking.n || (info.all_seen && info.unseen_bound == 0));
        *listed += info.paths;
        jc_top_destroy(top);
    }
    jt_pool_free(&pool);
}

static void check_graphs(jt_numbers numbers, bool spectral, uint64_t n)
{
    int64_t listed = 0;
    for (uint64_t seed = 0; seed < n; seed++) {
        jt_graph_options options = {.seed = seed + 1000, .max_paths = 60, .numbers = numbers};
        if (numbers == JT_SMALL) options.largest = 0x1p23;
        jt_graph g;
        jt_graph_random(&options, &g);
        for (int64_t of = 0; of < g.n_variables; of++)
            for (int64_t wrt = 0; wrt < g.n_variables; wrt++)
                check_pair(&g, of, wrt, spectral, numbers == JT_SMALL && !spectral, &listed);
        jt_graph_fini(&g);
    }
    cr_expect_gt(listed, (int64_t)(20 * n));
}

Test(top, agrees_with_the_ranking_of_all_paths_ties_by_their_edges)
{
    check_graphs(JT_SMALL, false, (uint64_t)jt_cases(150));
}

Test(top, agrees_with_the_ranking_of_all_paths_of_reals)
{
    check_graphs(JT_REAL, false, (uint64_t)jt_cases(100));
}

Test(top, agrees_with_the_ranking_by_the_largest_singular_value)
{
    if (!jc_blas_singular_values) return; /* a build without LAPACK */
    check_graphs(JT_REAL, true, (uint64_t)jt_cases(60));
}

/* Cut short after a few partial paths: what is listed is in order, and what it says of all others is true. */
static void check_cut_pair(const jt_graph *g, int64_t of, int64_t wrt, int64_t k, int64_t limit, int64_t *n_inexact)
{
    jc_top_options options = {.struct_size = sizeof options, .search_limit = limit};
    jt_pool pool = {0};
    jt_ranking ranking = jt_rank_paths(&pool, g, of, wrt, false, NULL);
    jc_top *top = jt_top(g->graph, of, wrt, k, &options);
    jc_top_info info = jt_top_info(top);
    bool *listed = jt_alloc(&pool, ranking.n, sizeof *listed);
    cr_assert_eq(info.paths, k < ranking.n ? k : ranking.n);
    for (int64_t i = 0; i < info.paths; i++) {
        jc_top_path path = jt_top_path(top, i);
        int64_t at = jt_rank_of(&ranking, path.edges, path.n_edges);
        cr_assert(at >= 0 && !listed[at]);
        listed[at] = true;
        cr_assert(!i || jt_top_path(top, i - 1).norm >= path.norm);
    }
    double last = info.paths ? jt_top_path(top, info.paths - 1).norm : 0;
    for (int64_t i = 0; i < ranking.n; i++)
        if (!listed[i])
            cr_assert_leq(ranking.paths[i].norm, fmax(info.exact ? 0 : info.unseen_bound, last) * (1 + 1e-9));
    *n_inexact += !info.exact;
    jc_top_destroy(top);
    jt_pool_free(&pool);
}

Test(top, what_a_search_that_is_cut_short_says_is_true_of_all_kinds)
{
    int64_t n_inexact = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(150); seed++) {
        jt_graph_options options = {.seed = seed + 5000, .max_paths = 60, .numbers = seed % 2 ? JT_REAL : JT_SMALL};
        jt_graph g;
        jt_graph_random(&options, &g);
        for (int64_t of = 0; of < g.n_variables; of++)
            for (int64_t wrt = 0; wrt < g.n_variables; wrt++)
                check_cut_pair(&g, of, wrt, 1 + (int64_t)(seed % 3), 1 + (int64_t)(seed % 7), &n_inexact);
        jt_graph_fini(&g);
    }
    cr_expect_gt(n_inexact, jt_cases(150) / 3);
}

/* ---- ladders ------------------------------------------------------------------------------------------------------
 */

typedef struct ladder {
    jc_graph *graph;
    double *numbers; /* [edges * n * n] */
    int64_t last, diamonds, n;
} ladder;

/* Diamonds of variables of size n one after the other: variables 3 i .. 3 i + 3, edges 4 i .. 4 i + 3, to the left, to
 * the right, from the left, from the right. */
static ladder ladder_of(jt_pool *pool, int64_t diamonds, int64_t n, uint64_t seed, const jc_allocator *allocator)
{
    ladder l = {.last = 3 * diamonds, .diamonds = diamonds, .n = n};
    jt_rng rng = {seed};
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    int64_t variables = 3 * diamonds + 1, *sizes = jt_alloc(pool, variables, sizeof *sizes);
    l.numbers = jt_alloc(pool, 4 * diamonds * n * n, sizeof *l.numbers);
    for (int64_t v = 0; v < variables; v++) sizes[v] = n;
    for (int64_t i = 0; i < 4 * diamonds * n * n; i++) l.numbers[i] = 2 * jt_unit(&rng);
    jc_array array = jc_array_1d(JC_I64, variables, sizes);
    jt_ok(jc_graph_create(&options, &l.graph), "a graph");
    jt_ok(jc_graph_add_variables(l.graph, "v", &array), "its variables");
    for (int64_t e = 0; e < 4 * diamonds; e++) {
        int64_t i = e / 4, side = e % 2 + 1, of = e % 4 < 2 ? 3 * i + side : 3 * i + 3,
                wrt = e % 4 < 2 ? 3 * i : 3 * i + side;
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = jc_array_2d(JC_F64, n, n, l.numbers + e * n * n);
        jt_ok(jc_graph_add_edge(l.graph, of, wrt, &j, NULL, 0), "an edge");
    }
    jt_ok(jc_graph_finish(l.graph), "finished");
    return l;
}

/* The k largest |product| through the first i diamonds follow from those through i - 1: of 2 k products the k largest.
 */
static void k_best(const ladder *l, int64_t k, double *best)
{
    double both[128];
    int64_t n = 1;
    best[0] = 1;
    for (int64_t i = 0; i < l->diamonds; i++) {
        const double *d = l->numbers + 4 * i;
        for (int64_t j = 0; j < n; j++) {
            both[2 * j] = best[j] * fabs(d[0] * d[2]);
            both[2 * j + 1] = best[j] * fabs(d[1] * d[3]);
        }
        int64_t kept = 2 * n < k ? 2 * n : k;
        for (int64_t j = 0; j < kept; j++) {
            int64_t most = j;
            for (int64_t m = j; m < 2 * n; m++)
                if (both[m] > both[most]) most = m;
            double swap = both[j];
            both[j] = both[most], both[most] = swap;
            best[j] = both[j];
        }
        n = kept;
    }
}

Test(top, ten_of_the_2_to_the_60_paths_of_a_ladder_of_scalars_are_exact_and_cost_little)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        jt_pool pool = {0};
        double best[10];
        ladder l = ladder_of(&pool, 60, 1, seed, NULL);
        k_best(&l, 10, best);
        jc_top *top = jt_top(l.graph, l.last, 0, 10, NULL);
        jc_top_info info = jt_top_info(top);
        cr_assert(info.exact && info.scalar && info.paths == 10);
        cr_expect_lt(info.looked_at, 5000, "%lld partial paths", (long long)info.looked_at);
        for (int64_t i = 0; i < 10; i++) {
            jc_top_path path = jt_top_path(top, i);
            double product = 1;
            for (int64_t e = 0; e < path.n_edges; e++) product *= l.numbers[path.edges[e]];
            cr_assert_eq(path.n_edges, 120);
            cr_expect(fabs(path.norm - best[i]) <= 1e-13 * best[i], "number %lld: %g, expected %g", (long long)i,
                      path.norm, best[i]);
            cr_expect(fabs(path.value - product) <= 1e-13 * best[i] && fabs(product) > 0);
        }
        cr_expect(info.unseen_bound <= best[9] * (1 + 1e-10) && info.unseen_bound > 0);
        jc_top_destroy(top);
        jc_graph_destroy(l.graph);
        jt_pool_free(&pool);
    }
}

/* 2^60 paths of norm 1: the first in the order of edges, told from the others by nothing else. */
Test(top, equal_norms_come_in_the_order_of_edges_where_there_are_too_many_to_see)
{
    jt_pool pool = {0};
    ladder l = ladder_of(&pool, 60, 1, 1, NULL);
    for (int64_t e = 0; e < 240; e++) l.numbers[e] = 1;
    jc_top *top = jt_top(l.graph, l.last, 0, 4, NULL);
    cr_assert(jt_top_info(top).exact && jt_top_info(top).paths == 4);
    for (int64_t i = 0; i < 4; i++) {
        jc_top_path path = jt_top_path(top, i);
        for (int64_t d = 0; d < 60; d++) {
            int64_t right = d < 58 ? 0 : i >> (59 - d) & 1;
            cr_assert(path.edges[2 * d] == 4 * d + right && path.edges[2 * d + 1] == 4 * d + 2 + right,
                      "path %lld diamond %lld", (long long)i, (long long)d);
        }
    }
    jc_top_destroy(top);
    jc_graph_destroy(l.graph);
    jt_pool_free(&pool);
}

/* ---- bounds -------------------------------------------------------------------------------------------------------
 */

/* The Frobenius norm of the product of a ladder's path, left or right at diamond i by bit i of `way`. */
static double norm_of_way(const ladder *l, int64_t way, double *edge_norms)
{
    int64_t n = l->n;
    double p[16] = {0}, next[16], sum = 0;
    *edge_norms = 1;
    for (int64_t i = 0; i < n; i++) p[i * n + i] = 1;
    for (int64_t e = 0; e < 2 * l->diamonds; e++) {
        const double *d = l->numbers + (4 * (e / 2) + 2 * (e % 2) + (way >> (e / 2) & 1)) * n * n;
        double squares = 0;
        for (int64_t i = 0; i < n * n; i++) squares += d[i] * d[i];
        *edge_norms *= sqrt(squares);
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) {
                next[i * n + j] = 0;
                for (int64_t k = 0; k < n; k++) next[i * n + j] += d[i * n + k] * p[k * n + j];
            }
        memcpy(p, next, sizeof p);
    }
    for (int64_t i = 0; i < n * n; i++) sum += p[i] * p[i];
    return sqrt(sum);
}

static bool is_listed(const jc_top *top, const ladder *l, int64_t way, int64_t *n)
{
    bool listed = false;
    for (int64_t i = 0; i < jt_top_info(top).paths; i++) {
        jc_top_path path = jt_top_path(top, i);
        bool same = true;
        for (int64_t d = 0; d < l->diamonds; d++) same &= (path.edges[2 * d] & 1) == (way >> d & 1);
        listed |= same;
        *n += same;
    }
    return listed;
}

/* A search that is cut short: what it lists is in order, and no path beside it is larger than it says. Its bound is
 * smaller than the largest product of norms. */
static void check_cut(const ladder *l, const jc_top_options *options, int64_t *n_inexact)
{
    jc_top *top = jt_top(l->graph, l->last, 0, 10, options);
    jc_top_info info = jt_top_info(top);
    double most_unlisted = 0, most_of_norms = 0, norms, largest = 0;
    int64_t n_listed = 0;
    cr_assert_eq(info.paths, 10);
    double last = jt_top_path(top, 9).norm;
    for (int64_t i = 0; i < 9; i++) cr_assert_geq(jt_top_path(top, i).norm, jt_top_path(top, i + 1).norm);
    for (int64_t way = 0; way < (int64_t)1 << l->diamonds; way++) {
        double norm = norm_of_way(l, way, &norms);
        most_of_norms = fmax(most_of_norms, norms);
        largest = fmax(largest, norm);
        if (!is_listed(top, l, way, &n_listed)) most_unlisted = fmax(most_unlisted, norm);
    }
    cr_assert_eq(n_listed, 10, "some path is listed twice");
    cr_assert_leq(most_unlisted, fmax(info.unseen_bound, last) * (1 + 1e-12));
    cr_assert_lt(info.unseen_bound, most_of_norms);
    if (info.exact) cr_assert_leq(most_unlisted, last * (1 + 1e-12));
    if (!info.exact) cr_assert_gt(info.unseen_bound, last);
    cr_expect_gt(jt_top_path(top, 0).norm, 0.2 * largest, "what is found early is not small: %g of %g",
                 jt_top_path(top, 0).norm, largest);
    if (jc_blas_symmetric) cr_assert_lt(info.unseen_bound, 20 * largest, "a bound that sees what cancels");
    *n_inexact += !info.exact;
    jc_top_destroy(top);
}

Test(top, a_search_that_is_cut_short_says_what_it_has_not_seen)
{
    int64_t n_inexact = 0;
    for (uint64_t seed = 1; seed <= (uint64_t)jt_cases(24); seed++) {
        jt_pool pool = {0};
        ladder l = ladder_of(&pool, 8, 4, seed, NULL);
        jc_top_options by_paths = {.struct_size = sizeof by_paths, .search_limit = (int64_t)(1 + seed * 20)};
        jc_top_options by_memory = {.struct_size = sizeof by_memory, .memory_limit = (int64_t)(1000 + 500 * seed)};
        check_cut(&l, &by_paths, &n_inexact);
        check_cut(&l, &by_memory, &n_inexact);
        jc_graph_destroy(l.graph);
        jt_pool_free(&pool);
    }
    cr_expect_gt(n_inexact, 4);
}

/* The norms of 2^60 paths, of which none can be proven to be the largest: the best found are far above most, and the
 * bound is not far above them, where the product of norms is 10^20 times that. */
Test(top, of_2_to_the_60_paths_of_matrices_the_best_found_are_not_called_exact)
{
    for (uint64_t seed = 1; seed <= 2; seed++) {
        jt_pool pool = {0};
        ladder l = ladder_of(&pool, 60, 4, seed, NULL);
        jc_top_options options = {.struct_size = sizeof options, .search_limit = 20000};
        jc_top *top = jt_top(l.graph, l.last, 0, 10, &options);
        jc_top_info info = jt_top_info(top);
        cr_expect(!info.exact && !info.all_seen && info.paths == 10);
        for (int64_t i = 0; i < 9; i++)
            for (int64_t j = i + 1; j < 10; j++)
                cr_expect(memcmp(jt_top_path(top, i).edges, jt_top_path(top, j).edges, 120 * sizeof(int64_t)), "twice");
        double best = jt_top_path(top, 0).norm;
        cr_expect(info.unseen_bound > best && (!jc_blas_symmetric || info.unseen_bound < 1e4 * best), "%g, bound %g",
                  best, info.unseen_bound);
        jc_top_destroy(top);
        jc_graph_destroy(l.graph);
        jt_pool_free(&pool);
    }
}

/* ---- rules, numbers that are none, wrong requests -----------------------------------------------------------------
 */

static int64_t avoided;

static bool avoids(const jt_graph *g, const int64_t *edges, int64_t n)
{
    for (int64_t i = 0; i + 1 < n; i++)
        if (g->edges[edges[i]].of == avoided) return false;
    return true;
}

Test(top, rules_leave_the_others_out)
{
    int64_t n_left_out = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(60); seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 60, .numbers = JT_SMALL, .largest = 0x1p23};
        jt_graph g;
        jt_pool pool = {0};
        jt_graph_random(&options, &g);
        int64_t of = g.topological[g.n_variables - 1], wrt = g.topological[0];
        avoided = g.topological[g.n_variables / 2];
        if (of != wrt && avoided != of && avoided != wrt) {
            jc_rule rule = {.kind = JC_RULE_AVOID, .variables = &avoided, .n_variables = 1};
            jc_query q = JC_QUERY_INIT;
            jc_top *top;
            jt_ranking ranking = jt_rank_paths(&pool, &g, of, wrt, false, avoids);
            n_left_out += ranking.n < jt_rank_paths(&pool, &g, of, wrt, false, NULL).n;
            q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.rules = &rule, q.n_rules = 1;
            jt_ok(jc_paths_top(g.graph, &q, ranking.n + 1, NULL, &top), "under a rule");
            expect_first(top, &ranking, ranking.n + 1, true, "under a rule");
            jc_top_destroy(top);
        }
        jt_graph_fini(&g);
        jt_pool_free(&pool);
    }
    cr_expect_gt(n_left_out, 3);
}

Test(top, nan_comes_first_then_inf_then_numbers)
{
    jt_pool pool = {0};
    ladder l = ladder_of(&pool, 4, 1, 7, NULL);
    for (int64_t e = 0; e < 16; e++) l.numbers[e] = 1 + (double)e;
    l.numbers[4 * 2] = (double)INFINITY; /* to the left in diamond 2 */
    l.numbers[4 * 3 + 1] = (double)NAN;  /* to the right in diamond 3 */
    jc_top *top = jt_top(l.graph, l.last, 0, 16, NULL);
    cr_assert_eq(jt_top_info(top).paths, 16);
    for (int64_t i = 0; i < 16; i++) {
        jc_top_path path = jt_top_path(top, i);
        bool nan = path.edges[6] == 13, inf = path.edges[4] == 8;
        cr_expect_eq(nan, i < 8, "number %lld", (long long)i);
        cr_expect(nan ? isnan(path.norm) : inf ? isinf(path.norm) && i < 12 : isfinite(path.norm) && i >= 12);
    }
    jc_top_destroy(top);
    jc_top_options options = {.struct_size = sizeof options, .search_limit = 1};
    top = jt_top(l.graph, l.last, 0, 3, &options);
    cr_expect(isnan(jt_top_path(top, 2).norm) && !jt_top_info(top).exact, "a bound that is no number proves nothing");
    jc_top_destroy(top);
    jc_graph_destroy(l.graph);
    jt_pool_free(&pool);
}

Test(top, a_chain_of_many_edges_is_one_path)
{
    enum { EDGES = 200000 };
    jt_pool pool = {0};
    int64_t *sizes = jt_alloc(&pool, EDGES + 1, sizeof *sizes), *of = jt_alloc(&pool, EDGES, sizeof *of),
            *wrt = jt_alloc(&pool, EDGES, sizeof *wrt);
    jc_graph *g;
    for (int64_t i = 0; i <= EDGES; i++) sizes[i] = 1;
    for (int64_t i = 0; i < EDGES; i++) wrt[i] = i, of[i] = i + 1;
    jc_array size = jc_array_1d(JC_I64, EDGES + 1, sizes),
             ends[] = {jc_array_1d(JC_I64, EDGES, of), jc_array_1d(JC_I64, EDGES, wrt)};
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    jt_ok(jc_graph_create(NULL, &g), "a graph");
    jt_ok(jc_graph_add_variables(g, "v", &size), "variables");
    jt_ok(jc_graph_add_edges(g, EDGES, &ends[0], &ends[1], &identity, NULL, 0), "edges");
    jt_ok(jc_graph_finish(g), "finished");
    jc_top_options options = {.struct_size = sizeof options, .search_limit = 1, .memory_limit = 1};
    jc_top *top = jt_top(g, EDGES, 0, 3, &options);
    cr_expect(jt_top_info(top).paths == 1 && jt_top_info(top).all_seen && jt_top_path(top, 0).n_edges == EDGES);
    cr_expect_eq(jt_top_path(top, 0).norm, 1);
    jc_top_destroy(top);
    jc_graph_destroy(g);
    jt_pool_free(&pool);
}

Test(top, wrong_requests_are_refused)
{
    jt_pool pool = {0};
    ladder l = ladder_of(&pool, 2, 2, 7, NULL);
    jc_query q = JC_QUERY_INIT;
    jc_top *top = NULL;
    jc_top_options options = {.struct_size = sizeof options, .search_limit = -1};
    int64_t of = l.last, wrt = 0;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    cr_expect_eq(jc_paths_top(l.graph, &q, 0, NULL, &top), JC_E_USAGE);
    cr_expect_eq(jc_paths_top(l.graph, &q, 1, &options, &top), JC_E_USAGE);
    options.struct_size = 4;
    cr_expect_eq(jc_paths_top(l.graph, &q, 1, &options, &top), JC_E_USAGE);
    q.n_wrt = 0;
    cr_expect_eq(jc_paths_top(l.graph, &q, 1, NULL, &top), JC_E_USAGE, "no source");
    cr_expect_null(top);
    jc_graph_destroy(l.graph);
    top = jt_top((l = ladder_of(&pool, 1, 1, 3, NULL)).graph, 0, 3, 5, NULL);
    cr_expect(jt_top_info(top).paths == 0 && jt_top_info(top).exact && jt_top_info(top).all_seen, "no path");
    jc_top_path path;
    cr_expect_eq(jc_top_get_path(top, 0, &path), JC_E_USAGE);
    jc_top_destroy(top);
    jc_top_destroy(NULL);
    top = jt_top(l.graph, 2, 2, 5, NULL);
    cr_expect(jt_top_info(top).paths == 1 && jt_top_path(top, 0).n_edges == 0 && jt_top_path(top, 0).norm == 1);
    jc_top_destroy(top);
    jc_graph_destroy(l.graph);
    jt_pool_free(&pool);
}

Test(top, an_edge_without_numbers_is_named)
{
    jc_graph *g;
    int64_t a, b;
    jc_query q = JC_QUERY_INIT;
    jc_top *top = NULL;
    jc_jacobian structure = JC_JACOBIAN_INIT(JC_OPERATOR);
    jt_ok(jc_graph_create(NULL, &g), "a graph");
    jt_ok(jc_graph_add_variable(g, "a", 2, &a), "a variable");
    jt_ok(jc_graph_add_variable(g, "b", 2, &b), "a variable");
    jt_ok(jc_graph_add_edge(g, b, a, &structure, NULL, 0), "an edge");
    jt_ok(jc_graph_finish(g), "finished");
    q.of = &b, q.n_of = 1, q.wrt = &a, q.n_wrt = 1;
    cr_expect_eq(jc_paths_top(g, &q, 1, NULL, &top), JC_E_INPUT);
    cr_expect_not_null(strstr(jc_last_error(), "edge b <- a"), "%s", jc_last_error());
    jc_graph_destroy(g);
}

static jc_status search(void *ctx)
{
    const ladder *l = ctx;
    int64_t of = l->last, wrt = 0;
    jc_top_options options = {
        .struct_size = sizeof options, .memory_limit = 1500, .spectral = jc_blas_singular_values != NULL};
    jc_query q = JC_QUERY_INIT;
    jc_top *top;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    jc_status status = jc_paths_top(l->graph, &q, 3, &options, &top);
    if (!status) jc_top_destroy(top);
    return status;
}

Test(top, every_allocation_may_fail)
{
    jt_pool pool = {0};
    failing_allocator state;
    jc_allocator allocator = failing_allocator_init(&state, -1);
    ladder l = ladder_of(&pool, 3, 2, 7, &allocator);
    cr_expect_gt(failing_allocator_sweep(&state, "the search", search, &l), 30);
    jc_graph_destroy(l.graph);
    cr_expect(state.live_blocks == 0 && state.defects == 0);
    jt_pool_free(&pool);
}
