/* Counts and lists of paths under random rules, in order: against the paths that satisfy them, each listed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/compute.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

enum { MOST_LENGTH = 16 };

/* A path's edges from the source on. */
typedef struct path {
    int64_t n, edge[MOST_LENGTH];
} path;

typedef struct list {
    jt_pool *pool;
    const jt_rules *rules;
    path *paths;
    int64_t n, capacity;
} list;

static void take(void *ctx, const int64_t *edges, int64_t n)
{
    list *l = ctx;
    if (!jt_rules_keep((void *)l->rules, edges, n)) return;
    cr_assert(n <= MOST_LENGTH && l->n < l->capacity);
    path *p = &l->paths[l->n++];
    p->n = n;
    for (int64_t i = 0; i < n; i++) p->edge[i] = edges[n - 1 - i];
}

/* Lexicographic; no path of one source and target begins another. */
static int compare(const void *a, const void *b)
{
    const path *p = a, *q = b;
    for (int64_t i = 0; i < p->n && i < q->n; i++)
        if (p->edge[i] != q->edge[i]) return p->edge[i] < q->edge[i] ? -1 : 1;
    return (p->n > q->n) - (p->n < q->n);
}

static void check_list(jc_paths *paths, const list *l, uint64_t seed)
{
    const char *count;
    char expected[32];
    const int64_t *edges;
    int64_t n;
    snprintf(expected, sizeof expected, "%lld", (long long)l->n);
    jt_ok(jc_paths_count(paths, &count), "count");
    cr_assert_str_eq(count, expected, "%llu: %s under %s", (unsigned long long)seed, count,
                     jt_rules_text(l->pool, l->rules));
    for (int64_t i = 0; i < l->n; i++) {
        cr_assert(jc_paths_next(paths, &edges, &n), "%llu: path %lld is missing", (unsigned long long)seed,
                  (long long)i);
        cr_assert(n == l->paths[i].n && !memcmp(edges, l->paths[i].edge, (size_t)n * sizeof *edges),
                  "%llu: path %lld of %lld is another", (unsigned long long)seed, (long long)i, (long long)l->n);
    }
    cr_assert_not(jc_paths_next(paths, &edges, &n));
}

/* Every pair of variables; *partial counts those from which rules drop a part. */
static void check_graph(uint64_t seed, int64_t *partial)
{
    enum { MOST = 400 };
    jt_graph g;
    jt_graph_options options = {.seed = seed, .max_paths = MOST, .numbers = JT_SMALL};
    jt_rng rng = {seed};
    jt_rules rules;
    jt_graph_random(&options, &g);
    jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &rules);
    list l = {.pool = &g.pool, .rules = &rules, .capacity = MOST};
    l.paths = jt_alloc(&g.pool, MOST, sizeof *l.paths);
    for (int64_t of = 0; of < g.n_variables; of++)
        for (int64_t wrt = 0; wrt < g.n_variables; wrt++) {
            jc_query q = JC_QUERY_INIT;
            jc_paths *paths;
            q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.rules = rules.rule, q.n_rules = rules.n;
            q.no_empty_path = seed % 4 == 0;
            l.n = 0;
            if (of != wrt || !q.no_empty_path) jt_each_path(&g, of, wrt, take, &l);
            qsort(l.paths, (size_t)l.n, sizeof *l.paths, compare);
            jt_ok(jc_paths_create(g.graph, &q, &paths), "paths");
            check_list(paths, &l, seed);
            *partial += l.n > 0 && (double)l.n < jt_count_paths(&g, of, wrt);
            jc_paths_destroy(paths);
        }
    jt_rules_fini(&rules);
    jt_graph_fini(&g);
}

Test(paths_rules, counts_and_lists_are_those_of_the_paths_that_are_kept)
{
    int64_t partial = 0;
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(600); seed++) check_graph(seed, &partial);
    cr_assert_gt(partial, jt_cases(500), "%lld", (long long)partial);
}
