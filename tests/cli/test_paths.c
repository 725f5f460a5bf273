#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "support/expected.h"

Test(cli_paths, post_has_six_paths_from_w_and_three_from_x_in_the_order_of_edges)
{
    run r = expect_code(0, "paths", POST, "--of", "L", "--wrt", "w", "--norm", "none", "--quiet", NULL);
    cr_expect_str_eq(r.out, "6 paths from w to L\n"
                            "  D[L,z] D[z,y] D[y,x] D[x,w]\n"
                            "  D[L,y] D[y,x] D[x,w]\n"
                            "  D[L,x] D[x,w]\n"
                            "  D[L,z] D[z,y] D[y,w]\n"
                            "  D[L,y] D[y,w]\n"
                            "  D[L,z] D[z,w]\n");
    cr_expect_str_eq(r.err, "");
    run_free(&r);
    r = expect_code(0, "paths", POST, "--of", "L", "--wrt", "x", "--norm", "none", "--format", "latex", "--quiet",
                    NULL);
    cr_expect_str_eq(r.out, "3 paths from x to L\n"
                            "  D_{Lz} D_{zy} D_{yx}\n"
                            "  D_{Ly} D_{yx}\n"
                            "  D_{Lx}\n");
    run_free(&r);
    r = expect_code(0, "paths", POST, "--of", "L", "--wrt", "w", "--norm", "none", "--limit", "2", "--quiet", NULL);
    cr_expect_str_eq(r.out, "6 paths from w to L, the first 2\n"
                            "  D[L,z] D[z,y] D[y,x] D[x,w]\n"
                            "  D[L,y] D[y,x] D[x,w]\n");
    run_free(&r);
    r = expect_code(0, "paths", POST, "--of", "L", "--wrt", "w", "--limit", "0", "--norm", "none", "--quiet", NULL);
    cr_expect_str_eq(r.out, "6 paths from w to L\n");
    run_free(&r);
    r = expect_code(0, "paths", POST, "--of", "w", "--wrt", "L", "--quiet", NULL);
    cr_expect_str_eq(r.out, "0 paths from L to w\ndw/dL: frobenius norm 0\n");
    run_free(&r);
    r = expect_code(0, "paths", POST, "--of", "z", "--wrt", "z", "--quiet", "--norm", "spectral", NULL);
    cr_expect_str_eq(r.out, "1 path from z to z\ndz/dz: spectral norm 1, cancellation 1\n\n  norm  share  path\n"
                            "     1      1  I\n");
    run_free(&r);
}

/* dL/dx of post by hand: D[L,x] = (3,-1,-2), D[L,y] D[y,x] = (2,-6,-8), D[L,z] D[z,y] D[y,x] = (-25,50,75), the total
 * (-20,43,65); from absolute values (68,59,91). */
Test(cli_paths, the_table_has_norms_and_shares_in_columns)
{
    run r = expect_code(0, "paths", POST, "--of", "L", "--wrt", "x", "--quiet", NULL);
    cr_expect_str_eq(r.out, "3 paths from x to L\n"
                            "dL/dx: frobenius norm 80.4612, cancellation 1.59093\n"
                            "\n"
                            "     norm      share  path\n"
                            "  93.5414    1.16257  D[L,z] D[z,y] D[y,x]\n"
                            "   10.198   0.126745  D[L,y] D[y,x]\n"
                            "  3.74166  0.0465026  D[L,x]\n");
    run_free(&r);
}

static double number_at(json_t *root, const char *path)
{
    json_t *value = json_at(root, path);
    cr_assert(json_is_number(value), "%s", path);
    return json_number_value(value);
}

/* Two parallel edges a -> b, -3 and 4 with labels, before b -> c of 5, and a -> c of 2. */
static const char scalars[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"b\", \"size\": 1}, "
    "{\"name\": \"c\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"b\", \"wrt\": \"a\", \"label\": \"minus\", \"jacobian\": {\"kind\": \"identity\", \"scale\": -3}},"
    "{\"of\": \"c\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[5]]}},"
    "{\"of\": \"c\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 2}},"
    "{\"of\": \"b\", \"wrt\": \"a\", \"label\": [\"plus\", \"x:y\"], \"jacobian\": {\"kind\": \"identity\", "
    "\"scale\": 4}}]}";

/* The paths are -15, 2, 20; the total 7. */
Test(cli_paths, json_has_the_shape_of_the_contract)
{
    folder_enter();
    write_text("scalars.json", scalars);
    json_t *root = expect_json(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "of")), "c");
    cr_expect_str_eq(json_string_value(json_at(root, "wrt")), "a");
    cr_expect_str_eq(json_string_value(json_at(root, "count")), "3");
    cr_expect_eq(number_at(root, "norm"), 7);
    cr_expect_eq(number_at(root, "cancellation"), 37.0 / 7);
    cr_expect(json_is_null(json_at(root, "exact")) && json_is_null(json_at(root, "unseen_bound")));
    cr_expect(json_is_null(json_at(root, "product")));
    cr_assert_eq(json_array_size(json_at(root, "paths")), 3);
    cr_expect(json_same(json_at(root, "paths/0/variables"), "[\"a\", \"b\", \"c\"]"));
    cr_expect(json_same(json_at(root, "paths/0/edges"), "[0, 1]"));
    cr_expect(json_same(json_at(root, "paths/0/labels"), "[[\"minus\"], []]"));
    cr_expect_eq(number_at(root, "paths/0/norm"), 15);
    cr_expect_eq(number_at(root, "paths/0/share"), 15.0 / 7);
    cr_expect(json_same(json_at(root, "paths/1/edges"), "[2]"));
    cr_expect(json_same(json_at(root, "paths/1/labels"), "[[]]"));
    cr_expect(json_same(json_at(root, "paths/2/edges"), "[3, 1]"));
    cr_expect(json_same(json_at(root, "paths/2/labels"), "[[\"plus\", \"x:y\"], []]"));
    cr_expect_eq(number_at(root, "paths/2/norm"), 20);
    json_decref(root);
    root = expect_json(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--norm", "none", "--json", NULL);
    cr_expect(json_is_null(json_at(root, "norm")) && json_is_null(json_at(root, "cancellation")));
    cr_expect(json_is_null(json_at(root, "paths/1/norm")) && json_is_null(json_at(root, "paths/1/share")));
    json_decref(root);
    root = expect_json(0, "paths", "scalars.json", "--of", "a", "--wrt", "c", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "count")), "0");
    cr_expect_eq(number_at(root, "norm"), 0);
    cr_expect(json_is_null(json_at(root, "cancellation")), "0 / 0");
    cr_expect_eq(json_array_size(json_at(root, "paths")), 0);
    json_decref(root);
    folder_leave();
}

Test(cli_paths, a_named_path_takes_all_its_parallel_edges_and_adds_them)
{
    folder_enter();
    write_text("scalars.json", scalars);
    json_t *root =
        expect_json(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--path", "a,b,c", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "count")), "3");
    cr_expect_str_eq(json_string_value(json_at(root, "count_through")), "2");
    cr_expect(json_same(json_at(root, "product"), "[[5]]")); /* -15 + 20 */
    cr_assert_eq(json_array_size(json_at(root, "paths")), 2);
    cr_expect(json_same(json_at(root, "paths/0/edges"), "[0, 1]"));
    cr_expect(json_same(json_at(root, "paths/1/edges"), "[3, 1]"));
    cr_expect_eq(number_at(root, "norm"), 7);
    cr_expect_eq(number_at(root, "paths/1/share"), 20.0 / 7);
    json_decref(root);
    root = expect_json(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--path", "a,b,c", "--limit", "1",
                       "--norm", "none", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "paths")), 1);
    cr_expect(json_same(json_at(root, "product"), "[[5]]"), "the sum is of all of them");
    json_decref(root);
    root = expect_json(0, "paths", "scalars.json", "--of", "b", "--wrt", "b", "--path", "b", "--json", NULL);
    cr_expect(json_same(json_at(root, "product"), "[[1]]"), "the empty path");
    cr_expect(json_same(json_at(root, "paths/0/variables"), "[\"b\"]"));
    json_decref(root);
    run r = expect_code(0, "paths", "scalars.json", "--of", "c", "--wrt", "a", "--path", "a,b,c", "--quiet", "--output",
                        "p.safetensors", NULL);
    cr_expect_str_eq(r.out, "3 paths from a to c, 2 through just a,b,c\n"
                            "dc/da: frobenius norm 7, cancellation 5.28571\n\n"
                            "  norm    share  path           edges\n"
                            "    15  2.14286  D[c,b] D[b,a]  0 1\n"
                            "    20  2.85714  D[c,b] D[b,a]  3 1\n\n"
                            "the sum of their products  1 x 1\n  5\n");
    jt_pool pool = {0};
    int64_t n;
    cr_expect_eq(jt_expected_tensor(&pool, "p.safetensors", "dc/da", &n)[0], 5);
    jt_pool_free(&pool);
    run_free(&r);
    folder_leave();
}

/* A total of 0 from 1 - 1, an Inf, a NaN. */
Test(cli_paths, what_is_not_finite_is_text_in_json)
{
    folder_enter();
    static const double numbers[] = {INFINITY, NAN};
    write_matrix("s.safetensors", "t", 2, 1, numbers);
    write_text(
        "zero.json",
        "{\"jacchain\": 1, \"tensors\": \"s.safetensors\", \"variables\": [{\"name\": \"a\", \"size\": 1}, "
        "{\"name\": \"b\", \"size\": 1}, {\"name\": \"c\", \"size\": 2}], \"edges\": ["
        "{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\"}}, "
        "{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": -1}}, "
        "{\"of\": \"c\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"dense\", \"values\": {\"tensor\": \"t\"}}}]}");
    json_t *root = expect_json(0, "paths", "zero.json", "--of", "b", "--wrt", "a", "--json", NULL);
    cr_expect_eq(number_at(root, "norm"), 0);
    cr_expect_str_eq(json_string_value(json_at(root, "cancellation")), "inf");
    cr_expect_str_eq(json_string_value(json_at(root, "paths/0/share")), "inf");
    json_decref(root);
    root = expect_json(0, "paths", "zero.json", "--of", "c", "--wrt", "a", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "norm")), "nan");
    cr_expect_str_eq(json_string_value(json_at(root, "paths/0/norm")), "nan");
    cr_expect_eq(json_array_size(json_at(root, "non_finite_inputs")), 1);
    json_decref(root);
    folder_leave();
}

/* diag(3, -4), whose spectral norm is 4; names that LaTeX takes for commands. */
Test(cli_paths, spectral_norms_and_names_of_more_than_a_letter)
{
    folder_enter();
    write_text("names.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"h_1\", \"size\": 2}, {\"name\": \"y\", \"size\": 2}, "
               "{\"name\": \"a\\\\b{c}~^#$%&\", \"size\": 2}], \"edges\": [{\"of\": \"y\", \"wrt\": \"h_1\", "
               "\"jacobian\": {\"kind\": \"diagonal\", \"values\": [3, -4]}}, {\"of\": \"a\\\\b{c}~^#$%&\", \"wrt\": "
               "\"y\", \"jacobian\": {\"kind\": \"identity\"}}]}");
    json_t *root =
        expect_json(0, "paths", "names.json", "--of", "y", "--wrt", "h_1", "--norm", "spectral", "--json", NULL);
    cr_expect_float_eq(number_at(root, "norm"), 4, 1e-14);
    cr_expect_float_eq(number_at(root, "paths/0/norm"), 4, 1e-14);
    cr_expect_float_eq(number_at(root, "paths/0/share"), 1, 1e-14);
    json_decref(root);
    root = expect_json(0, "paths", "names.json", "--of", "y", "--wrt", "h_1", "--json", NULL);
    cr_expect_eq(number_at(root, "norm"), 5);
    json_decref(root);
    run r = expect_code(0, "paths", "names.json", "--of", "a\\b{c}~^#$%&", "--wrt", "h_1", "--norm", "none", "--format",
                        "latex", "--quiet", NULL);
    cr_expect(strstr(r.out,
                     "\n  D_{\\text{a\\textbackslash{}b\\{c\\}\\textasciitilde{}\\textasciicircum{}\\#\\$\\%\\&},y} "
                     "D_{y,\\text{h\\_1}}\n"),
              "%s", r.out);
    run_free(&r);
    folder_leave();
}

Test(cli_paths, graphs_without_numbers_are_counted_and_listed_but_not_measured)
{
    static const char densenet[] = JC_TEST_DATA "/networks/densenet121.json";
    json_t *root =
        expect_json(0, "paths", densenet, "--of", "conv_668", "--wrt", "input", "--norm", "none", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "count")), "288230376151711744");
    cr_expect_eq(json_array_size(json_at(root, "paths")), 20);
    json_decref(root);
    run r = expect_code(3, "paths", densenet, "--of", "conv_668", "--wrt", "input", NULL);
    cr_expect(strstr(r.err, "conv_1 <- input"), "%s", r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
    root = expect_json(0, "paths", densenet, "--of", "conv_1", "--wrt", "input", "--norm", "none", "--path",
                       "input,conv_1", "--json", NULL);
    cr_expect(json_is_null(json_at(root, "product")));
    json_decref(root);
}

static void expect_refusal(int code, const char *words, const char *const *arguments)
{
    run r = run_arguments(arguments, NULL);
    cr_expect_eq(r.code, code, "%d: %s", r.code, r.err);
    cr_expect(strstr(r.err, words), "%s, expected %s", r.err, words);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
}

#define REFUSED(CODE, WORDS, ...) expect_refusal(CODE, WORDS, (const char *const[]){"paths", POST, __VA_ARGS__, NULL})

Test(cli_paths, what_is_refused)
{
    REFUSED(2, "--wrt is missing", "--of", "L");
    REFUSED(2, "--of is missing", "--wrt", "w");
    REFUSED(2, "--of takes one variable", "--of", "L,y", "--wrt", "w");
    REFUSED(2, "--wrt takes one variable", "--of", "L", "--wrt", "w,x");
    REFUSED(2, "no edge leads from x to z", "--of", "L", "--wrt", "w", "--path", "w,x,z,L");
    REFUSED(2, "no edge leads from w to L", "--of", "L", "--wrt", "w", "--path", "w,L");
    REFUSED(2, "begins at x, --wrt is w", "--of", "L", "--wrt", "w", "--path", "x,L");
    REFUSED(2, "ends at z, --of is L", "--of", "L", "--wrt", "w", "--path", "w,z");
    REFUSED(2, "no variable 'v'", "--of", "L", "--wrt", "w", "--path", "w,v,L");
    REFUSED(2, "names x twice", "--of", "L", "--wrt", "w", "--path", "w,x,x,L");
    REFUSED(2, "--limit", "--of", "L", "--wrt", "w", "--limit", "-1");
    REFUSED(2, "--norm", "--of", "L", "--wrt", "w", "--norm", "nuclear");
    REFUSED(2, "--output", "--of", "L", "--wrt", "w", "--output", "x.safetensors");
    REFUSED(5, "memory limit", "--of", "L", "--wrt", "w", "--memory-limit", "8");
}
