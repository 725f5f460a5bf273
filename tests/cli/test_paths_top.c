/* paths --top and --by. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "support/pool.h"

static const char lsnn[] = JC_EXAMPLES "/lsnn.json";

static double number_at(json_t *root, const char *path)
{
    json_t *value = json_at(root, path);
    cr_assert(json_is_number(value), "%s", path);
    return json_number_value(value);
}

/* dL/dx of post by hand: D[L,x] = (3,-1,-2), D[L,y] D[y,x] = (2,-6,-8), D[L,z] D[z,y] D[y,x] = (-25,50,75). */
Test(cli_paths_top, post_has_its_largest_paths_in_order)
{
    run r = expect_code(0, "paths", POST, "--of", "L", "--wrt", "x", "--top", "2", "--quiet", NULL);
    cr_expect_str_eq(r.out, "3 paths from x to L, the 2 of largest norm\n"
                            "dL/dx: frobenius norm 80.4612, cancellation 1.59093\n"
                            "exact: every path was looked at\n"
                            "\n"
                            "     norm     share  path\n"
                            "  93.5414   1.16257  D[L,z] D[z,y] D[y,x]\n"
                            "   10.198  0.126745  D[L,y] D[y,x]\n");
    run_free(&r);
    r = expect_code(0, "paths", POST, "--of", "L", "--wrt", "x", "--top", "9", "--norm", "spectral", "--quiet", NULL);
    cr_expect(strstr(r.out, "3 paths from x to L, the 3 of largest norm\n"), "%s", r.out);
    cr_expect(strstr(r.out, "exact: every path was looked at\n"), "%s", r.out);
    run_free(&r);
}

/* The same paths as the whole list sorted by its norms, for both norms. */
Test(cli_paths_top, the_list_of_all_paths_sorted_is_the_same)
{
    static const char *const norms[] = {"frobenius", "spectral"};
    for (int i = 0; i < 2; i++) {
        json_t *all = expect_json(0, "paths", POST, "--of", "L", "--wrt", "w", "--norm", norms[i], "--json", NULL);
        json_t *top =
            expect_json(0, "paths", POST, "--of", "L", "--wrt", "w", "--norm", norms[i], "--top", "6", "--json", NULL);
        json_t *listed = json_at(all, "paths"), *ranked = json_at(top, "paths");
        cr_assert(json_array_size(listed) == 6 && json_array_size(ranked) == 6);
        cr_expect(json_is_true(json_at(top, "exact")) && number_at(top, "unseen_bound") == 0);
        for (size_t k = 0; k < 6; k++) {
            json_t *path = json_array_get(ranked, k);
            double norm = number_at(path, "norm");
            int found = 0;
            for (size_t j = 0; j < 6; j++) {
                json_t *other = json_array_get(listed, j);
                if (!json_equal(json_at(path, "edges"), json_at(other, "edges"))) continue;
                found++;
                cr_expect_float_eq(number_at(other, "norm"), norm, 1e-12 * norm);
                cr_expect_float_eq(number_at(other, "share"), number_at(path, "share"), 1e-12);
                cr_expect(json_equal(json_at(path, "variables"), json_at(other, "variables")));
            }
            cr_expect_eq(found, 1);
            if (k) cr_expect_geq(number_at(json_array_get(ranked, k - 1), "norm"), norm);
            cr_expect(json_is_null(json_at(path, "contribution")), "of matrices none");
        }
        json_decref(top);
        json_decref(all);
    }
}

/* The paths are -15, 2 and 20; the total 7. */
static const char scalars[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"b\", \"size\": 1}, "
    "{\"name\": \"c\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"b\", \"wrt\": \"a\", \"label\": \"minus\", \"jacobian\": {\"kind\": \"identity\", \"scale\": -3}},"
    "{\"of\": \"c\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[5]]}},"
    "{\"of\": \"c\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 2}},"
    "{\"of\": \"b\", \"wrt\": \"a\", \"label\": [\"plus\", \"x:y\"], \"jacobian\": {\"kind\": \"identity\", "
    "\"scale\": 4}}]}";

Test(cli_paths_top, paths_between_scalars_have_a_sign)
{
    folder_enter();
    write_text("scalars.json", scalars);
    json_t *root = expect_json(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--top", "2", "--json", NULL);
    cr_expect(number_at(root, "paths/0/contribution") == 20 && number_at(root, "paths/1/contribution") == -15);
    cr_expect(number_at(root, "paths/1/norm") == 15 && number_at(root, "paths/1/share") == 15.0 / 7);
    cr_expect(json_same(json_at(root, "paths/0/edges"), "[3, 1]") &&
              json_same(json_at(root, "paths/1/edges"), "[0, 1]"));
    cr_expect(json_is_true(json_at(root, "exact")) && number_at(root, "cancellation") == 37.0 / 7);
    json_decref(root);
    root = expect_json(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--top", "2", "--avoid-label", "plus",
                       "--json", NULL);
    cr_expect(number_at(root, "paths/0/contribution") == -15 && number_at(root, "paths/1/contribution") == 2);
    json_decref(root);
    root = expect_json(0, "paths", "scalars.json", "--of", "a", "--wrt", "c", "--top", "2", "--json", NULL);
    cr_expect(json_array_size(json_at(root, "paths")) == 0 && json_is_true(json_at(root, "exact")));
    json_decref(root);
    run r = expect_code(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--by", "plus", "--quiet", NULL);
    cr_expect_str_eq(r.out, "3 paths from a to c\n"
                            "dc/da: frobenius norm 7, cancellation 5.28571\n"
                            "\n"
                            "  uses of plus  paths  norm    share  contribution\n"
                            "             0      2    13  1.85714           -13\n"
                            "             1      1    20  2.85714            20\n"
                            "their sum differs from the total by 0\n");
    run_free(&r);
    r = expect_code(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--by", "plus", "--norm", "none", "--quiet",
                    NULL);
    cr_expect_str_eq(r.out, "3 paths from a to c\n\n"
                            "  uses of plus  paths\n"
                            "             0      2\n"
                            "             1      1\n");
    run_free(&r);
    r = expect_code(0, "paths", "scalars.json", "--of", "a", "--wrt", "c", "--by", "plus", "--quiet", NULL);
    cr_expect_str_eq(r.out, "0 paths from c to a\nda/dc: frobenius norm 0\n");
    run_free(&r);
    folder_leave();
}

Test(cli_paths_top, a_search_that_is_cut_short_says_so)
{
    run r = expect_code(0, "paths", lsnn, "--of", "E", "--wrt", "W_rec", "--top", "5", "--search-limit", "1", "--quiet",
                        NULL);
    cr_expect(strstr(r.out, "the best found: ") && strstr(r.out, "no path not seen has a norm over "), "%s", r.out);
    run_free(&r);
    json_t *root = expect_json(0, "paths", lsnn, "--of", "E", "--wrt", "W_rec", "--top", "5", "--search-limit", "1",
                               "--json", NULL);
    cr_expect(json_is_false(json_at(root, "exact")));
    cr_expect_geq(number_at(root, "unseen_bound"), number_at(root, "paths/4/norm"));
    cr_expect_eq(json_array_size(json_at(root, "paths")), 5);
    json_decref(root);
    r = expect_code(0, "paths", lsnn, "--of", "E", "--wrt", "W_rec", "--top", "5", "--quiet", NULL);
    cr_expect(strstr(r.out, "\nexact: no other path has a larger norm\n"), "%s", r.out);
    run_free(&r);
}

/* ---- --by ----------------------------------------------------------------------------------------------------------
 */

/* Scalars 0 .. N-1 with edges from lower to higher ones, each of some integer and some labels. */
enum { N = 9, MOST = N };

typedef struct net {
    int64_t n_edges, of[60], wrt[60], value[60];
    bool labelled[60];
} net;

static net write_net(uint64_t seed)
{
    static const char *const labels[] = {"\"other\"", "[]", "[\"rec\", \"other\"]", "\"rec\""};
    net n = {.n_edges = 0};
    jt_rng rng = {seed};
    FILE *f = fopen("net.json", "w");
    cr_assert(f);
    fprintf(f, "{\"jacchain\": 1, \"variables\": [");
    for (int i = 0; i < N; i++) fprintf(f, "%s{\"name\": \"v%d\", \"size\": 1}", i ? ", " : "", i);
    fprintf(f, "], \"edges\": [");
    while (n.n_edges < 24) {
        int64_t e = n.n_edges++, label = jt_below(&rng, 4);
        n.wrt[e] = jt_below(&rng, N - 1), n.of[e] = jt_between(&rng, n.wrt[e] + 1, N - 1);
        n.value[e] = jt_between(&rng, -3, 3), n.labelled[e] = label >= 2;
        fprintf(f,
                "%s{\"of\": \"v%lld\", \"wrt\": \"v%lld\", \"label\": %s, \"jacobian\": {\"kind\": \"dense\", "
                "\"values\": [[%lld]]}}",
                e ? ", " : "", (long long)n.of[e], (long long)n.wrt[e], labels[label], (long long)n.value[e]);
    }
    fprintf(f, "]}");
    cr_assert_eq(fclose(f), 0);
    return n;
}

/* sum[v][m], count[v][m]: over the paths from 0 to v with m labelled edges. */
static void split(const net *n, int64_t sum[N][MOST], int64_t count[N][MOST])
{
    memset(sum, 0, sizeof(int64_t[N][MOST]));
    memset(count, 0, sizeof(int64_t[N][MOST]));
    sum[0][0] = count[0][0] = 1;
    for (int64_t v = 1; v < N; v++)
        for (int64_t e = 0; e < n->n_edges; e++)
            for (int64_t m = n->labelled[e]; m < MOST && n->of[e] == v; m++) {
                sum[v][m] += n->value[e] * sum[n->wrt[e]][m - n->labelled[e]];
                count[v][m] += count[n->wrt[e]][m - n->labelled[e]];
            }
}

Test(cli_paths_top, the_parts_by_uses_of_a_label_are_those_of_a_count_for_each_variable)
{
    int64_t n_parts = 0;
    folder_enter();
    for (uint64_t seed = 1; seed <= 12; seed++) {
        int64_t sum[N][MOST], count[N][MOST], at = 0;
        net n = write_net(seed);
        split(&n, sum, count);
        json_t *root = expect_json(0, "paths", "net.json", "--of", "v8", "--wrt", "v0", "--by", "rec", "--json", NULL);
        for (int64_t m = 0; m < MOST; m++) {
            if (!count[N - 1][m]) continue;
            json_t *part = json_array_get(json_at(root, "by"), (size_t)at++);
            cr_assert(part, "seed %d uses %d", (int)seed, (int)m);
            cr_expect_eq(number_at(part, "uses"), (double)m);
            cr_expect_eq(strtoll(json_string_value(json_at(part, "count")), NULL, 10), count[N - 1][m]);
            cr_expect_eq(number_at(part, "contribution"), (double)sum[N - 1][m]);
            cr_expect_eq(number_at(part, "norm"), fabs((double)sum[N - 1][m]));
        }
        cr_expect_eq(json_array_size(json_at(root, "by")), (size_t)at);
        cr_expect_eq(number_at(root, "by_difference"), 0);
        n_parts += at;
        json_decref(root);
    }
    cr_expect_gt(n_parts, 30);
    folder_leave();
}

/* The part that uses no recurrent edge is the total without them; all parts together are the total. */
Test(cli_paths_top, the_gradient_of_a_spiking_network_by_recurrent_hops)
{
    json_t *root = expect_json(0, "paths", lsnn, "--of", "E", "--wrt", "W_rec", "--by", "rec", "--json", NULL);
    json_t *without = expect_json(0, "paths", lsnn, "--of", "E", "--wrt", "W_rec", "--avoid-label", "rec", "--limit",
                                  "0", "--json", NULL);
    json_t *one = expect_json(0, "paths", lsnn, "--of", "E", "--wrt", "W_rec", "--match",
                              "(param | leak | spike | reset | readout | filter | loss)* rec "
                              "(param | leak | spike | reset | readout | filter | loss)*",
                              "--limit", "0", "--json", NULL);
    int64_t paths = 0;
    cr_expect_str_eq(json_string_value(json_at(root, "by/0/count")), json_string_value(json_at(without, "count")));
    cr_expect_eq(number_at(root, "by/0/norm"), number_at(without, "norm"));
    cr_expect_str_eq(json_string_value(json_at(root, "by/1/count")), json_string_value(json_at(one, "count")));
    cr_expect_float_eq(number_at(root, "by/1/norm"), number_at(one, "norm"), 1e-13);
    cr_expect_gt(number_at(root, "by/1/norm"), 0.1);
    for (size_t i = 0; i < json_array_size(json_at(root, "by")); i++)
        paths += strtoll(json_string_value(json_at(json_array_get(json_at(root, "by"), i), "count")), NULL, 10);
    cr_expect_eq(paths, strtoll(json_string_value(json_at(root, "count")), NULL, 10));
    cr_expect_lt(number_at(root, "by_difference"), 1e-13);
    cr_expect(json_is_null(json_at(root, "by/0/contribution")), "of a matrix none");
    json_decref(one);
    json_decref(without);
    json_decref(root);
}

/* ---- what is refused -----------------------------------------------------------------------------------------------
 */

static void expect_refusal(int code, const char *words, const char *const *arguments)
{
    run r = run_arguments(arguments, NULL);
    cr_expect_eq(r.code, code, "%d: %s", r.code, r.err);
    cr_expect(strstr(r.err, words), "%s, expected %s", r.err, words);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
}

#define REFUSED(CODE, WORDS, ...)                                                                                      \
    expect_refusal(CODE, WORDS, (const char *const[]){"paths", POST, "--of", "L", "--wrt", "w", __VA_ARGS__, NULL})

Test(cli_paths_top, what_does_not_go_together_is_refused)
{
    REFUSED(2, "--path and --top", "--path", "w,L", "--top", "2");
    REFUSED(2, "--path and --by", "--path", "w,L", "--by", "a");
    REFUSED(2, "--top and --by", "--top", "2", "--by", "a");
    REFUSED(2, "--limit does not go with --top", "--top", "2", "--limit", "3");
    REFUSED(2, "--limit does not go with --by", "--by", "a", "--limit", "3");
    REFUSED(2, "--norm frobenius or spectral", "--top", "2", "--norm", "none");
    REFUSED(2, "--search-limit belongs to --top", "--search-limit", "2");
    REFUSED(2, "--top", "--top", "0");
    REFUSED(2, "--output", "--top", "2", "--output", "x.safetensors");
    REFUSED(2, "no edge has the label 'a'", "--by", "a");
    static const char densenet[] = JC_TEST_DATA "/networks/densenet121.json";
    run r = expect_code(3, "paths", densenet, "--of", "conv_668", "--wrt", "input", "--top", "3", NULL);
    cr_expect(strstr(r.err, "conv_1 <- input"), "%s", r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
}
