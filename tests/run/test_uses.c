/* A total split by uses of a label: every part against the paths of that many uses, listed one by one. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/graph.h"
#include "paths/help.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"
#include "support/sanitized.h"

enum { MOST = 16 };

typedef struct listing {
    jt_pool *pool;
    const jt_graph *graph;
    const char *const *labels;
    int64_t n_labels, rows, cols;
    int64_t count[MOST];
    double *sum[MOST]; /* [rows * cols] */
} listing;

static bool has_one(const listing *l, int64_t edge)
{
    int64_t n;
    const jc_graph *g = l->graph->graph;
    const int64_t *of_edge = jc_graph_labels_of_set(g, jc_graph_group(g, edge)->label_set, &n);
    for (int64_t i = 0; i < n; i++)
        for (int64_t k = 0; k < l->n_labels; k++)
            if (of_edge[i] == jc_graph_find_label(g, l->labels[k])) return true;
    return false;
}

static void visit(void *ctx, const int64_t *edges, int64_t n)
{
    listing *l = ctx;
    int64_t uses = 0, inner = l->rows;
    double *p = jt_alloc(l->pool, l->rows * l->rows, sizeof *p);
    for (int64_t i = 0; i < l->rows; i++) p[i * l->rows + i] = 1;
    for (int64_t e = 0; e < n; e++) { /* target side first */
        const jt_edge *edge = &l->graph->edges[edges[e]];
        int64_t cols = l->graph->size[edge->wrt];
        double *next = jt_alloc(l->pool, l->rows * cols, sizeof *next);
        for (int64_t i = 0; i < l->rows; i++)
            for (int64_t k = 0; k < inner; k++)
                for (int64_t j = 0; j < cols; j++) next[i * cols + j] += p[i * inner + k] * edge->dense[k * cols + j];
        p = next, inner = cols;
        uses += has_one(l, edges[e]);
    }
    cr_assert_lt(uses, MOST);
    l->count[uses]++;
    for (int64_t i = 0; i < l->rows * l->cols; i++) l->sum[uses][i] += p[i];
}

static jc_query query_of(const int64_t *of, const int64_t *wrt)
{
    jc_query q = JC_QUERY_INIT;
    q.of = of, q.n_of = 1, q.wrt = wrt, q.n_wrt = 1;
    return q;
}

static double entry(const jc_result *r, int64_t i, int64_t j)
{
    if (!r->data) return r->kind == JC_RESULT_IDENTITY && i == j;
    return ((const double *)r->data)[i * r->row_stride + j * r->col_stride];
}

static void check_part(const listing *l, const jc_uses *split, int64_t index, int64_t uses, bool numbers)
{
    jc_uses_part part;
    jt_ok(jc_uses_get(split, index, &part), "a part");
    cr_assert_eq(part.uses, uses);
    cr_assert_eq(strtoll(part.count, NULL, 10), l->count[uses], "%s, expected %lld", part.count,
                 (long long)l->count[uses]);
    cr_assert(part.sum.rows == l->rows && part.sum.cols == l->cols);
    for (int64_t i = 0; i < l->rows && numbers; i++)
        for (int64_t j = 0; j < l->cols; j++)
            cr_assert_eq(entry(&part.sum, i, j), l->sum[uses][i * l->cols + j], "%lld uses: %g, expected %g",
                         (long long)uses, entry(&part.sum, i, j), l->sum[uses][i * l->cols + j]);
}

static void check_pair(const jt_graph *g, int64_t of, int64_t wrt, const char *const *labels, int64_t n_labels,
                       bool numbers, int64_t *n_parts)
{
    jt_pool pool = {0};
    listing l = {.pool = &pool, .graph = g, .labels = labels, .n_labels = n_labels};
    l.rows = g->size[of], l.cols = g->size[wrt];
    jc_query q = query_of(&of, &wrt);
    jc_uses *split;
    int64_t at = 0;
    for (int j = 0; j < MOST; j++) l.sum[j] = jt_alloc(&pool, l.rows * l.cols, sizeof(double));
    jt_each_path(g, of, wrt, visit, &l);
    jt_ok(jc_paths_by_uses(g->graph, &q, labels, n_labels, numbers, &split), "a split");
    for (int64_t uses = 0; uses < MOST; uses++)
        if (l.count[uses]) check_part(&l, split, at++, uses, numbers);
    cr_assert_eq(jc_uses_count(split), at);
    *n_parts += at > 1 ? at : 0;
    jc_uses_destroy(split);
    jt_pool_free(&pool);
}

Test(uses, parts_of_random_graphs_are_those_of_all_paths)
{
    static const char *const labels[] = {"b:1", "c/d"};
    int64_t n_parts = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(100); seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 60, .numbers = JT_SMALL, .largest = 0x1p40};
        jt_graph g;
        jt_graph_random(&options, &g);
        int64_t n_labels = seed % 2 ? 2 : 1;
        bool there = jc_graph_find_label(g.graph, labels[0]) >= 0 &&
                     (n_labels == 1 || jc_graph_find_label(g.graph, labels[1]) >= 0);
        for (int64_t of = 0; of < g.n_variables && there; of++)
            for (int64_t wrt = 0; wrt < g.n_variables; wrt++)
                check_pair(&g, of, wrt, labels, n_labels, seed % 5 != 0, &n_parts);
        jt_graph_fini(&g);
    }
    cr_expect_gt(n_parts, 400);
}

/* ---- many uses ------------------------------------------------------------------------------------------------------
 */

/* A ladder of n diamonds of scalars whose right halves have the label, each by an edge of value `right`. */
static jc_graph *ladder(int64_t n, double right, const jc_allocator *allocator)
{
    static const char *const label[] = {"right"};
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    jc_graph *g;
    jt_ok(jc_graph_create(&options, &g), "a graph");
    for (int64_t v = 0; v <= 2 * n; v++) {
        char name[32];
        int64_t number;
        snprintf(name, sizeof name, "v%lld", (long long)v);
        jt_ok(jc_graph_add_variable(g, name, 1, &number), "a variable");
    }
    for (int64_t i = 0; i < n; i++) {
        jc_jacobian one = JC_JACOBIAN_INIT(JC_IDENTITY), other = JC_JACOBIAN_INIT(JC_IDENTITY);
        other.scale = right;
        jt_ok(jc_graph_add_edge(g, 2 * i + 2, 2 * i, &one, NULL, 0), "an edge");
        jt_ok(jc_graph_add_edge(g, 2 * i + 1, 2 * i, &one, NULL, 0), "an edge");
        jt_ok(jc_graph_add_edge(g, 2 * i + 2, 2 * i + 1, &other, label, 1), "an edge");
    }
    jt_ok(jc_graph_finish(g), "finished");
    return g;
}

/* (1 + 2 x)^n: of the 2^n paths C(n, m) use m labelled edges, and their sum is C(n, m) 2^m. */
Test(uses, counts_are_exact_where_they_have_many_digits)
{
    enum { DIAMONDS = 200 };
    jc_graph *g = ladder(DIAMONDS, 2, NULL);
    int64_t of = 2 * DIAMONDS, wrt = 0;
    jc_query q = query_of(&of, &wrt);
    jc_uses *split;
    jc_uses_part part;
    const char *const label[] = {"right"};
    jt_ok(jc_paths_by_uses(g, &q, label, 1, 1, &split), "a split");
    cr_assert_eq(jc_uses_count(split), DIAMONDS + 1);
    long double binomial = 1, power = 1;
    for (int64_t m = 0; m <= DIAMONDS; m++) {
        jt_ok(jc_uses_get(split, m, &part), "a part");
        long double count = strtold(part.count, NULL);
        cr_assert(part.uses == m && fabsl(count - binomial) <= 1e-15L * binomial, "%s", part.count);
        cr_assert(fabsl(entry(&part.sum, 0, 0) - binomial * power) <= 1e-13L * binomial * power);
        binomial = binomial * (DIAMONDS - m) / (m + 1);
        power *= 2;
    }
    jt_ok(jc_uses_get(split, 100, &part), "the middle one"); /* C(200, 100) */
    cr_expect_str_eq(part.count, "90548514656103281165404177077484163874504589675413336841320");
    cr_expect_eq(jc_uses_get(split, DIAMONDS + 1, &part), JC_E_USAGE);
    jc_uses_destroy(split);
    jc_graph_destroy(g);
}

/* A NaN reaches the parts whose paths meet it, and no others. */
Test(uses, a_nan_stays_in_its_parts)
{
    jc_graph *g = ladder(4, (double)NAN, NULL);
    int64_t of = 8, wrt = 0;
    jc_query q = query_of(&of, &wrt);
    jc_uses *split;
    jc_uses_part part;
    const char *const label[] = {"right"};
    jt_ok(jc_paths_by_uses(g, &q, label, 1, 1, &split), "a split");
    for (int64_t m = 0; m <= 4; m++) {
        jt_ok(jc_uses_get(split, m, &part), "a part");
        cr_expect(m ? isnan(entry(&part.sum, 0, 0)) : entry(&part.sum, 0, 0) == 1, "%lld", (long long)m);
    }
    jc_uses_destroy(split);
    jc_graph_destroy(g);
}

/* v has paths of 0 and of 2 uses, and the edge from v to t, a NaN, is labelled: of t the parts of 1 and 3 uses are NaN,
 * and that of 2, by another path, is not, though v has a place for 1. */
Test(uses, uses_that_no_path_has_are_not_multiplied_with)
{
    static const char *const label[] = {"l"};
    static const int64_t ends[][2] = {{4, 0}, {1, 0}, {4, 1}, {5, 4}, {2, 0}, {5, 2}}; /* of, wrt */
    static const bool labelled[] = {false, true, true, true, true, true};
    jc_graph *g;
    jt_ok(jc_graph_create(NULL, &g), "a graph");
    for (int64_t v = 0; v < 6; v++) {
        char name[8];
        int64_t number;
        snprintf(name, sizeof name, "v%d", (int)v);
        jt_ok(jc_graph_add_variable(g, name, 1, &number), "a variable");
    }
    for (size_t e = 0; e < sizeof labelled; e++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_IDENTITY);
        if (e == 3) j.scale = (double)NAN;
        jt_ok(jc_graph_add_edge(g, ends[e][0], ends[e][1], &j, label, labelled[e]), "an edge");
    }
    jt_ok(jc_graph_finish(g), "finished");
    int64_t of = 5, wrt = 0;
    jc_query q = query_of(&of, &wrt);
    jc_uses *split;
    jt_ok(jc_paths_by_uses(g, &q, label, 1, 1, &split), "a split");
    cr_assert_eq(jc_uses_count(split), 3);
    for (int64_t i = 0; i < 3; i++) {
        jc_uses_part part;
        jt_ok(jc_uses_get(split, i, &part), "a part");
        cr_expect(part.uses == i + 1 && (i == 1 ? entry(&part.sum, 0, 0) == 1 : isnan(entry(&part.sum, 0, 0))));
    }
    jc_uses_destroy(split);
    jc_graph_destroy(g);
}

static jc_status split_once(void *ctx)
{
    const char *const label[] = {"right"};
    int64_t of = 6, wrt = 0;
    jc_query q = query_of(&of, &wrt);
    jc_uses *split;
    jc_status status = jc_paths_by_uses(ctx, &q, label, 1, 1, &split);
    if (!status) jc_uses_destroy(split);
    return status;
}

Test(uses, rules_ends_wrong_labels_and_failing_memory)
{
    static const char *const labels[] = {"right", "rihgt"};
    failing_allocator state;
    jc_allocator allocator = failing_allocator_init(&state, -1);
    jc_graph *g = ladder(3, 3, &allocator);
    int64_t of = 6, wrt = 0, avoided = 1;
    jc_query q = query_of(&of, &wrt);
    jc_rule rule = {.kind = JC_RULE_AVOID, .variables = &avoided, .n_variables = 1};
    jc_uses *split = NULL;
    jc_uses_part part;
    cr_expect_eq(jc_paths_by_uses(g, &q, labels, 2, 1, &split), JC_E_USAGE);
    cr_expect(!split && strstr(jc_last_error(), "'rihgt'"), "%s", jc_last_error());
    q.rules = &rule, q.n_rules = 1;
    jt_ok(jc_paths_by_uses(g, &q, labels, 1, 1, &split), "under a rule");
    jt_ok(jc_uses_get(split, 2, &part), "its last part");
    cr_expect(jc_uses_count(split) == 3 && entry(&part.sum, 0, 0) == 9 && !strcmp(part.count, "1"));
    jc_uses_destroy(split);
    q = query_of(&of, &of);
    jt_ok(jc_paths_by_uses(g, &q, labels, 1, 1, &split), "of itself");
    jt_ok(jc_uses_get(split, 0, &part), "its only part");
    cr_expect(jc_uses_count(split) == 1 && part.uses == 0 && entry(&part.sum, 0, 0) == 1);
    jc_uses_destroy(split);
    q = query_of(&wrt, &of);
    jt_ok(jc_paths_by_uses(g, &q, labels, 1, 1, &split), "without a path");
    cr_expect_eq(jc_uses_count(split), 0);
    jc_uses_destroy(split);
    jc_uses_destroy(NULL);
    cr_expect_gt(failing_allocator_sweep(&state, "a split", split_once, g), 20);
    jc_graph_destroy(g);
    cr_expect(state.live_blocks == 0 && state.defects == 0);
}
