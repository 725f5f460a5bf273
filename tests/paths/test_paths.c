/* Paths of random multigraphs, counted and listed, against every path found one by one; the counts
 * of graphs whose counts have hundreds of digits; listing where there are more paths than could be listed. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "paths/help.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"

/* ---- random graphs ----------------------------------------------------------------------------------------------- */

/* All paths that use kept edges only, each from the source on. */
typedef struct found {
    int64_t **path, *length, n, capacity;
    const bool *kept; /* [n_edges] */
} found;

static void visit(void *ctx, const int64_t *edges, int64_t n)
{
    found *f = ctx;
    for (int64_t i = 0; i < n; i++)
        if (!f->kept[edges[i]]) return;
    if (f->n == f->capacity) {
        f->capacity = 2 * f->capacity + 16;
        f->path = realloc(f->path, (size_t)f->capacity * sizeof *f->path);
        f->length = realloc(f->length, (size_t)f->capacity * sizeof *f->length);
    }
    int64_t *path = malloc((size_t)(n + 1) * sizeof *path);
    for (int64_t i = 0; i < n; i++) path[i] = edges[n - 1 - i];
    path[n] = -1; /* ends the path, before every edge number */
    f->path[f->n] = path;
    f->length[f->n++] = n;
}

static int in_order(const int64_t *a, const int64_t *b)
{
    while (*a == *b && *a >= 0) a++, b++;
    return (*a > *b) - (*a < *b);
}

static void sort_paths(found *f)
{
    for (int64_t i = 1; i < f->n; i++)
        for (int64_t k = i; k > 0 && in_order(f->path[k - 1], f->path[k]) > 0; k--) {
            int64_t *path = f->path[k], length = f->length[k];
            f->path[k] = f->path[k - 1], f->length[k] = f->length[k - 1];
            f->path[k - 1] = path, f->length[k - 1] = length;
        }
}

static void found_fini(found *f)
{
    for (int64_t i = 0; i < f->n; i++) free(f->path[i]);
    free(f->path);
    free(f->length);
}

static void compare(jc_paths *paths, const found *f, uint64_t seed)
{
    char expected[32];
    const char *count = NULL;
    const int64_t *edges = NULL;
    int64_t n = -1;
    snprintf(expected, sizeof expected, "%lld", (long long)f->n);
    for (int64_t i = 0; i < f->n; i++) {
        cr_assert(jc_paths_next(paths, &edges, &n), "seed %llu: path %lld", (unsigned long long)seed, (long long)i);
        cr_assert_eq(n, f->length[i], "seed %llu: path %lld", (unsigned long long)seed, (long long)i);
        cr_assert(n == 0 || !memcmp(edges, f->path[i], (size_t)n * sizeof *edges), "seed %llu: path %lld",
                  (unsigned long long)seed, (long long)i);
        if (i == f->n / 2) jt_ok(jc_paths_count(paths, &count), "a count amidst the listing");
    }
    cr_assert_not(jc_paths_next(paths, &edges, &n));
    cr_assert_not(jc_paths_next(paths, &edges, &n));
    jt_ok(jc_paths_count(paths, &count), "a count");
    cr_assert_str_eq(count, expected, "seed %llu", (unsigned long long)seed);
}

/* Every pair of variables; every third graph with some edges left out. */
static void check_graph(uint64_t seed, int64_t *most)
{
    jt_graph_options options = {.seed = seed, .n_variables = 8, .max_paths = 300};
    jt_graph g;
    jt_rng rng = {seed};
    jt_graph_random(&options, &g);
    bool *kept = jt_alloc(&g.pool, g.n_edges, sizeof *kept);
    int64_t *edges = jt_alloc(&g.pool, g.n_edges, sizeof *edges), n_edges = 0;
    for (int64_t e = g.n_edges; e-- > 0;) {
        kept[e] = seed % 3 || jt_below(&rng, 4);
        if (kept[e]) edges[n_edges++] = e;
    }
    for (int64_t of = 0; of < g.n_variables; of++)
        for (int64_t wrt = 0; wrt < g.n_variables; wrt++) {
            found f = {.kept = kept};
            jc_paths *paths;
            jt_each_path(&g, of, wrt, visit, &f);
            sort_paths(&f);
            *most = f.n > *most ? f.n : *most;
            jt_ok(jt_paths_create(g.graph, of, wrt, seed % 3 ? NULL : edges, seed % 3 ? 0 : n_edges, &paths), "paths");
            compare(paths, &f, seed);
            jc_paths_destroy(paths);
            found_fini(&f);
        }
    jt_graph_fini(&g);
}

Test(paths, count_and_list_are_those_found_one_by_one)
{
    int64_t most = 0;
    for (uint64_t seed = 0; seed < 150; seed++) check_graph(seed, &most);
    cr_expect_gt(most, 100);
}

/* ---- counts of many digits --------------------------------------------------------------------------------------- */

/* Decimal numbers, last digit first, added as on paper. */
typedef struct decimal {
    int n;
    unsigned char digit[400];
} decimal;

static void decimal_add(decimal *x, const decimal *y)
{
    int carry = 0, n = x->n > y->n ? x->n : y->n;
    for (int i = 0; i < n || carry; i++) {
        int sum = carry + (i < x->n ? x->digit[i] : 0) + (i < y->n ? y->digit[i] : 0);
        x->digit[i] = (unsigned char)(sum % 10);
        carry = sum / 10;
        x->n = i + 1 > x->n ? i + 1 : x->n;
    }
}

static const char *decimal_text(const decimal *x, char text[401])
{
    for (int i = 0; i < x->n; i++) text[i] = (char)('0' + x->digit[x->n - 1 - i]);
    text[x->n] = '\0';
    return text;
}

Test(paths, a_ladder_of_500_diamonds_has_exactly_2_to_the_500)
{
    jt_scalars net = jt_ladder(500, NULL);
    jc_paths *paths;
    const char *count;
    char text[401];
    decimal power = {1, {1}};
    for (int i = 0; i < 500; i++) decimal_add(&power, &power);
    jt_ok(jt_paths_create(net.graph, net.last, 0, NULL, 0, &paths), "paths");
    jt_ok(jc_paths_count(paths, &count), "a count");
    cr_expect_str_eq(count, decimal_text(&power, text));
    cr_expect(strncmp(count, "32733906078961418700131896968275991522166420460430", 50) == 0, "%s", count);
    cr_expect_eq(strlen(count), 151);
    jc_paths_destroy(paths);
    jt_scalars_fini(&net);
}

/* Random layers, each variable joined to several before it, some edges twice: sums that carry, are shared, and grow. */
static void check_layers(uint64_t seed)
{
    enum { N = 400 };
    static decimal count[N];
    jt_rng rng = {seed};
    jt_scalars net = jt_scalars_of(N, NULL);
    memset(count, 0, sizeof count);
    count[0] = (decimal){1, {1}};
    for (int64_t v = 1; v < N; v++)
        for (int64_t k = jt_between(&rng, 1, 4); k-- > 0;) {
            int64_t u = v - jt_between(&rng, 1, v < 5 ? v : 5);
            jt_scalars_edge(&net, v, u);
            decimal_add(&count[v], &count[u]);
        }
    jt_scalars_finish(&net);
    for (int64_t v = 0; v < N; v += 57) {
        jc_paths *paths;
        const char *text;
        char expected[401];
        jt_ok(jt_paths_create(net.graph, v, 0, NULL, 0, &paths), "paths");
        jt_ok(jc_paths_count(paths, &text), "a count");
        cr_assert_str_eq(text, count[v].n ? decimal_text(&count[v], expected) : "0", "seed %llu, variable %lld",
                         (unsigned long long)seed, (long long)v);
        jc_paths_destroy(paths);
    }
    jt_scalars_fini(&net);
}

Test(paths, counts_of_many_digits_are_those_added_on_paper)
{
    for (uint64_t seed = 0; seed < 20; seed++) check_layers(seed);
}

/* ---- size -------------------------------------------------------------------------------------------------------- */

/* The decimal number modulo 2^61 - 1. */
static uint64_t modulo_of(const char *digits)
{
    uint64_t x = 0;
    for (; *digits; digits++) x = jt_add_modulo(jt_mul_modulo(x, 10), (uint64_t)(*digits - '0'));
    return x;
}

/* 2^100000, 30,103 digits: the numbers on the way would take 1.9 GB if they were all held. */
Test(paths, numbers_are_freed_when_they_are_no_longer_read)
{
    enum { DIAMONDS = 100000 };
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jt_scalars net = jt_ladder(DIAMONDS, &allocator);
    jc_paths *paths;
    const char *count;
    uint64_t power = 1;
    for (int i = 0; i < DIAMONDS; i++) power = jt_add_modulo(power, power);
    int64_t before = memory.live_bytes;
    memory.peak_bytes = before;
    jt_ok(jt_paths_create(net.graph, net.last, 0, NULL, 0, &paths), "paths");
    jt_ok(jc_paths_count(paths, &count), "a count");
    cr_expect_eq(strlen(count), 30103);
    cr_expect_eq(modulo_of(count), power);
    int64_t edges = 4 * DIAMONDS,
            variables = 3 * DIAMONDS + 1; /* five numbers a variable, four an edge, once more each */
    cr_expect_lt(memory.peak_bytes - before, 40 * variables + 34 * edges + 200000, "%lld bytes",
                 (long long)(memory.peak_bytes - before));
    jc_paths_destroy(paths);
    cr_expect_eq(memory.live_bytes, before);
    jt_scalars_fini(&net);
}

/* Without recursion: the path is deeper than a stack would bear. */
Test(paths, a_chain_of_a_million_edges_is_one_path)
{
    enum { EDGES = 1000000 };
    jt_scalars net = jt_scalars_of(EDGES + 1, NULL);
    jc_paths *paths;
    const int64_t *edges;
    const char *count;
    int64_t n;
    for (int64_t e = 0; e < EDGES; e++) jt_scalars_edge(&net, e + 1, e);
    jt_scalars_finish(&net);
    jt_ok(jt_paths_create(net.graph, EDGES, 0, NULL, 0, &paths), "paths");
    jt_ok(jc_paths_count(paths, &count), "a count");
    cr_expect_str_eq(count, "1");
    cr_assert(jc_paths_next(paths, &edges, &n));
    cr_assert_eq(n, EDGES);
    for (int64_t e = 0; e < EDGES; e++) cr_assert_eq(edges[e], e);
    cr_expect_not(jc_paths_next(paths, &edges, &n));
    jc_paths_destroy(paths);
    jt_scalars_fini(&net);
}

/* A ladder of diamonds, whose edges are 4 i .. 4 i + 3 (by the left side 4 i, 4 i + 2); after a long tail each variable
 * has a hundred edges to where no path goes on. */
Test(paths, the_first_paths_of_very_many_come_at_once_and_in_order)
{
    enum { DIAMONDS = 2000, BARREN = 100 };
    jt_scalars net = jt_scalars_of(3 * DIAMONDS + 1 + BARREN, NULL);
    jc_paths *paths;
    const int64_t *edges;
    int64_t n;
    jt_ladder_edges(&net, DIAMONDS);
    for (int64_t i = 0; i < DIAMONDS; i++)
        for (int64_t k = 0; k < BARREN; k++) jt_scalars_edge(&net, 3 * DIAMONDS + 1 + k, 3 * i);
    jt_scalars_finish(&net);
    jt_ok(jt_paths_create(net.graph, 3 * DIAMONDS, 0, NULL, 0, &paths), "paths");
    for (int64_t number = 0; number < 1000; number++) { /* path `number`: its bits, the last diamond's least */
        cr_assert(jc_paths_next(paths, &edges, &n));
        cr_assert_eq(n, 2 * DIAMONDS);
        for (int64_t i = 0; i < DIAMONDS; i++) {
            int64_t from_end = DIAMONDS - 1 - i, right = from_end < 62 ? number >> from_end & 1 : 0;
            cr_assert_eq(edges[2 * i], 4 * i + right);
            cr_assert_eq(edges[2 * i + 1], 4 * i + 2 + right);
        }
    }
    jc_paths_destroy(paths);
    jt_scalars_fini(&net);
}

/* ---- refusals, memory -------------------------------------------------------------------------------------------- */

Test(paths, what_is_not_there_is_refused)
{
    jt_scalars net = jt_ladder(2, NULL);
    jc_paths *paths = NULL;
    int64_t none[1] = {8};
    cr_expect_eq(jt_paths_create(net.graph, 7, 0, NULL, 0, &paths), JC_E_USAGE);
    cr_expect(strstr(jc_last_error(), "no variable number 7"), "%s", jc_last_error());
    cr_expect_eq(jt_paths_create(net.graph, 0, -1, NULL, 0, &paths), JC_E_USAGE);
    cr_expect_eq(jt_paths_create(net.graph, 6, 0, none, 1, &paths), JC_E_USAGE);
    cr_expect(strstr(jc_last_error(), "no edge number 8"), "%s", jc_last_error());
    cr_expect_eq(jt_paths_create(net.graph, 6, 0, NULL, 1, &paths), JC_E_USAGE);
    cr_expect_eq(jt_paths_create(net.graph, 6, 0, none, -1, &paths), JC_E_USAGE);
    cr_expect_null(paths);
    jc_paths_destroy(NULL);
    jt_scalars_fini(&net);
}

Test(paths, no_edges_leave_no_path_but_the_empty_one)
{
    jt_scalars net = jt_ladder(2, NULL);
    jc_paths *paths;
    const char *count;
    const int64_t *edges;
    int64_t none[1] = {0}, n;
    jt_ok(jt_paths_create(net.graph, 6, 0, none, 0, &paths), "paths");
    jt_ok(jc_paths_count(paths, &count), "a count");
    cr_expect_str_eq(count, "0");
    cr_expect_not(jc_paths_next(paths, &edges, &n));
    jc_paths_destroy(paths);
    jt_ok(jt_paths_create(net.graph, 3, 3, none, 0, &paths), "paths");
    jt_ok(jc_paths_count(paths, &count), "a count");
    cr_expect_str_eq(count, "1");
    cr_expect(jc_paths_next(paths, &edges, &n) && n == 0);
    cr_expect_not(jc_paths_next(paths, &edges, &n));
    jc_paths_destroy(paths);
    jt_scalars_fini(&net);
}

static jc_status memory_body(void *ctx)
{
    const jt_scalars *net = ctx;
    const int64_t some[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 10};
    jc_paths *paths = NULL;
    const char *count = NULL;
    const int64_t *edges;
    int64_t n;
    jc_status status = jt_paths_create(net->graph, net->last, 0, some, net->last > 6 ? 0 : 10, &paths);
    if (status) {
        cr_assert_null(paths);
        return status;
    }
    status = jc_paths_count(paths, &count);
    if (status) cr_assert_null(count);
    while (!status && jc_paths_next(paths, &edges, &n)) continue;
    jc_paths_destroy(paths);
    return status;
}

Test(paths, every_allocation_may_fail)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jt_scalars net =
        jt_scalars_of(7, &allocator); /* 2^66 paths by edges that stand 2^33 fold would be many: three are enough */
    jt_ladder_edges(&net, 2);
    for (int i = 0; i < 3; i++) jt_scalars_edge(&net, 6, 3);
    jt_scalars_finish(&net);
    cr_expect_gt(failing_allocator_sweep(&memory, "paths", memory_body, &net), 8);
    jt_scalars_fini(&net);
    cr_expect_eq(memory.live_blocks, 0);
}
