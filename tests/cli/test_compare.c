/* total --compare: what path rules drop. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "support/expected.h"

/* Entry j of the first total. */
static double value(json_t *root, size_t j)
{
    return json_number_value(json_array_get(json_at(root, "totals/0/values/0"), j));
}

static double number(json_t *root, const char *path)
{
    cr_assert(json_is_number(json_at(root, path)), "%s is no number", path);
    return json_number_value(json_at(root, path));
}

/* Against the two totals of runs of their own. */
Test(cli_compare, norms_and_cosines_are_those_of_the_two_totals)
{
    json_t *all = expect_json(0, "total", POST, "--of", "L", "--wrt", "w", "--json", NULL);
    json_t *kept = expect_json(0, "total", POST, "--of", "L", "--wrt", "w", "--avoid", "z", "--json", NULL);
    json_t *both =
        expect_json(0, "total", POST, "--of", "L", "--wrt", "w", "--avoid", "z", "--compare", "--json", NULL);
    double kk = 0, tt = 0, dd = 0, kt = 0, dt = 0;
    for (size_t j = 0; j < 4; j++) {
        double k = value(kept, j), t = value(all, j), d = t - k;
        cr_assert_eq(value(both, j), k);
        kk += k * k, tt += t * t, dd += d * d, kt += k * t, dt += d * t;
    }
    cr_assert(kk > 0 && dd > 0 && kk != dd);
    cr_expect_float_eq(number(both, "totals/0/norm"), sqrt(kk), 1e-12);
    cr_expect_float_eq(number(both, "totals/0/cosine"), kt / sqrt(kk * tt), 1e-15);
    cr_expect_float_eq(number(both, "totals/0/dropped/norm"), sqrt(dd), 1e-12);
    cr_expect_float_eq(number(both, "totals/0/dropped/total_norm"), sqrt(tt), 1e-12);
    cr_expect_float_eq(number(both, "totals/0/dropped/cosine"), dt / sqrt(dd * tt), 1e-15);
    cr_expect(!json_at(all, "totals/0/dropped") && !json_at(kept, "totals/0/dropped"));
    json_decref(both);
    json_decref(kept);
    json_decref(all);
}

/* (3, 4) of a, and b through a chain of 1e200: c = 3 a1 + 4 a2, 1e200 b1 + 1e200 b2. */
static const char two_sources[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 2}, {\"name\": \"b\", \"size\": 2}, "
    "{\"name\": \"m\", \"size\": 2}, {\"name\": \"c\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"c\", \"wrt\": \"a\", \"label\": \"near\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[3, 0]]}},"
    "{\"of\": \"c\", \"wrt\": \"a\", \"label\": \"far\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[0, 4]]}},"
    "{\"of\": \"m\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 1e200}},"
    "{\"of\": \"c\", \"wrt\": \"m\", \"label\": \"far\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[1, 1]]}}]}";

Test(cli_compare, the_table_has_every_source_also_those_that_are_left_without_a_path)
{
    folder_enter();
    write_text("two.json", two_sources);
    run r = expect_code(0, "total", "two.json", "--of", "c", "--avoid-label", "far", "--compare", "--quiet", NULL);
    cr_expect_str_eq(r.out, "dc/da  1 x 2\n"
                            "  3  0\n"
                            "dc/db  1 x 2\n"
                            "  0  0\n"
                            "norm of  kept  total         dropped       cos(kept, total)  cos(dropped, total)\n"
                            "dc/da    3     5             4             0.6               0.8\n"
                            "dc/db    0     1.41421e+200  1.41421e+200  -                 1\n");
    run_free(&r);
    json_t *root =
        expect_json(0, "total", "two.json", "--of", "c", "--avoid-label", "far", "--compare", "--json", NULL);
    cr_expect(json_is_null(json_at(root, "totals/1/cosine")));
    cr_expect_eq(number(root, "totals/1/norm"), 0);
    cr_expect_eq(number(root, "totals/1/dropped/cosine"), 1);
    cr_expect_float_eq(number(root, "totals/1/dropped/norm") / 1e200, sqrt(2), 1e-15);
    json_decref(root);
    folder_leave();
}

Test(cli_compare, a_rule_that_drops_nothing)
{
    json_t *root =
        expect_json(0, "total", POST, "--of", "L", "--wrt", "w", "--match", ".*", "--compare", "--json", NULL);
    cr_expect_eq(number(root, "totals/0/cosine"), 1);
    cr_expect_eq(number(root, "totals/0/dropped/norm"), 0);
    cr_expect(json_is_null(json_at(root, "totals/0/dropped/cosine")));
    cr_expect_eq(number(root, "totals/0/norm"), number(root, "totals/0/dropped/total_norm"));
    json_decref(root);
}

/* x <- w twice, on two samples: 3 and 4 times the identity. */
static const char samples[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"w\", \"size\": 2}, {\"name\": \"x\", \"size\": 2}], \"edges\": ["
    "{\"of\": \"x\", \"wrt\": \"w\", \"label\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 3}},"
    "{\"of\": \"x\", \"wrt\": \"w\", \"label\": \"b\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 4}}]}";

Test(cli_compare, totals_of_samples_and_files)
{
    folder_enter();
    write_text("samples.json", samples);
    json_t *root = expect_json(0, "total", "samples.json", "--of", "x", "--wrt", "w", "--per-sample", "2",
                               "--avoid-label", "b", "--compare", "--json", NULL);
    cr_expect_float_eq(number(root, "totals/0/norm"), 3 * sqrt(2), 1e-14);
    cr_expect_float_eq(number(root, "totals/0/dropped/norm"), 4 * sqrt(2), 1e-14);
    cr_expect_float_eq(number(root, "totals/0/dropped/total_norm"), 7 * sqrt(2), 1e-14);
    json_decref(root);
    run r = expect_code(0, "total", "samples.json", "--of", "x", "--wrt", "w", "--avoid-label", "b", "--compare",
                        "--output", "r.npy", "--quiet", NULL);
    cr_expect_str_eq(r.out, "norm of  kept     total    dropped  cos(kept, total)  cos(dropped, total)\n"
                            "dx/dw    4.24264  9.89949  5.65685  1                 1\n");
    cr_expect(file_exists("r.npy"));
    run_free(&r);
    folder_leave();
}

Test(cli_compare, what_is_refused)
{
    run r = expect_code(2, "total", POST, "--of", "L", "--compare", NULL);
    cr_expect(strstr(r.err, "--compare needs a path rule"), "%s", r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
    r = expect_code(2, "vjp", POST, "--of", "L", "--wrt", "w", "--seed", "s.npy", "--avoid", "z", "--compare", NULL);
    cr_expect(strstr(r.err, "--compare"), "%s", r.err);
    run_free(&r);
    r = expect_code(5, "total", POST, "--of", "L", "--avoid", "z", "--compare", "--memory-limit", "8", NULL);
    run_free(&r);
}

/* Totals of lsnn under the rule of approximate e-prop, by another program, the command's words as they are in
 * its documentation. */
Test(cli_compare, what_approximate_eprop_drops)
{
    json_t *root = expect_json(0, "total", JC_EXAMPLES "/lsnn.json", "--of", "E", "--wrt", "W_in", "--match",
                               "param leak* spike readout filter* loss", "--compare", "--json", NULL);
    jt_pool pool = {0};
    int64_t n;
    double *bptt = jt_expected_tensor(&pool, JC_EXAMPLES "/lsnn.expected.safetensors", "bptt:dE/dW_in", &n);
    double *eprop = jt_expected_tensor(&pool, JC_EXAMPLES "/lsnn.expected.safetensors", "eprop:dE/dW_in", &n);
    double kk = 0, tt = 0, dd = 0, kt = 0, dt = 0;
    for (int64_t i = 0; i < n; i++) {
        double k = eprop[i], t = bptt[i], d = t - k;
        kk += k * k, tt += t * t, dd += d * d, kt += k * t, dt += d * t;
    }
    cr_expect_float_eq(number(root, "totals/0/norm"), sqrt(kk), 1e-12);
    cr_expect_float_eq(number(root, "totals/0/dropped/norm"), sqrt(dd), 1e-12);
    cr_expect_float_eq(number(root, "totals/0/cosine"), kt / sqrt(kk * tt), 1e-12);
    cr_expect_float_eq(number(root, "totals/0/dropped/cosine"), dt / sqrt(dd * tt), 1e-12);
    jt_pool_free(&pool);
    json_decref(root);
}
