/* norms: what it finds, the order in which it says it, and that path rules are heard. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/draw_help.h"

TestSuite(cli_norms, .init = folder_enter, .fini = folder_leave);

/* x0 -> x1 -> .. -> x<n>, every Jacobian this number. */
static void write_powers(const char *path, int n, double factor)
{
    FILE *f = fopen(path, "w");
    cr_assert(f);
    fputs("{\"jacchain\": 1, \"variables\": [", f);
    for (int i = 0; i <= n; i++) fprintf(f, "%s{\"name\": \"x%d\", \"size\": 1}", i ? ", " : "", i);
    fputs("], \"edges\": [", f);
    for (int i = 0; i < n; i++)
        fprintf(f, "%s{\"of\": \"x%d\", \"wrt\": \"x%d\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[%.17g]]}}",
                i ? ", " : "", i + 1, i, factor);
    fputs("]}", f);
    fclose(f);
}

/* Two outputs of two inputs: T = A v, v = B u, also T = C u; w is apart. A = diag(3, 4), B = (0 2; 1 0), C = 0.
 * dT/du = A B = (0 6; 4 0). */
#define SMALL                                                                                                          \
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"T\", \"size\": 2}, {\"name\": \"w\", \"size\": 1}, "               \
    "{\"name\": \"v\", \"size\": 2}, {\"name\": \"u\", \"size\": 2}], \"edges\": ["                                    \
    "{\"of\": \"T\", \"wrt\": \"v\", \"jacobian\": {\"kind\": \"diagonal\", \"values\": [3, 4]}}, "                    \
    "{\"of\": \"v\", \"wrt\": \"u\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[0, 2], [1, 0]]}}, "             \
    "{\"of\": \"T\", \"wrt\": \"u\", \"label\": \"skip\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 0}}]}"

static double number_at(json_t *root, const char *path)
{
    const json_t *value = json_at(root, path);
    cr_assert(json_is_number(value), "%s", path);
    return json_number_value(value);
}

static void expect_row(json_t *root, int i, const char *name, double frobenius, double largest, double smallest)
{
    char path[64];
    snprintf(path, sizeof path, "variables/%d/name", i);
    cr_expect_str_eq(json_string_value(json_at(root, path)), name, "row %d", i);
    const double expected[] = {frobenius, largest, smallest};
    static const char *const keys[] = {"frobenius", "largest", "smallest"};
    for (int k = 0; k < 3; k++) {
        snprintf(path, sizeof path, "variables/%d/%s", i, keys[k]);
        cr_expect_float_eq(number_at(root, path), expected[k], 1e-14 * expected[k], "%s: %.17g", path,
                           number_at(root, path));
    }
}

static void expect_distances(json_t *root, const char *expected)
{
    json_t *list = json_array();
    const json_t *row;
    size_t i;
    json_array_foreach(json_at(root, "variables"), i, row) json_array_append(list, json_object_get(row, "distance"));
    cr_expect(json_same(list, expected), "%s", json_dumps(list, 0));
    json_decref(list);
}

Test(cli_norms, every_variable_that_T_depends_on_the_nearest_first)
{
    write_text("small.json", SMALL);
    json_t *root = expect_json(0, "norms", "small.json", "--of", "T", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "of")), "T");
    cr_expect_eq(json_array_size(json_at(root, "variables")), 2);
    expect_row(root, 0, "v", 5, 4, 3);
    expect_row(root, 1, "u", sqrt(52), 6, 4);
    expect_distances(root, "[1, 1]");
    cr_expect(json_is_null(json_at(root, "growth")));
    json_decref(root);
}

Test(cli_norms, those_that_are_named_in_their_order)
{
    write_text("small.json", SMALL);
    json_t *root = expect_json(0, "norms", "small.json", "--of", "T", "--wrt", "u,w,T,v", "--json", NULL);
    expect_row(root, 0, "u", sqrt(52), 6, 4);
    expect_row(root, 1, "w", 0, 0, 0);
    expect_row(root, 2, "T", sqrt(2), 1, 1);
    expect_row(root, 3, "v", 5, 4, 3);
    expect_distances(root, "[1, null, 0, 1]");
    json_decref(root);
}

/* Without the edge that has a zero the same norms are a step farther; over it alone they are zero. */
Test(cli_norms, path_rules_leave_paths_out)
{
    write_text("small.json", SMALL);
    json_t *root = expect_json(0, "norms", "small.json", "--of", "T", "--avoid-label", "skip", "--json", NULL);
    expect_row(root, 1, "u", sqrt(52), 6, 4);
    expect_distances(root, "[1, 2]");
    cr_expect_float_eq(number_at(root, "growth"), sqrt(52) / 5, 1e-14);
    json_decref(root);
    root = expect_json(0, "norms", "small.json", "--of", "T", "--match", "skip", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "variables")), 1);
    expect_row(root, 0, "u", 0, 0, 0);
    json_decref(root);
    root = expect_json(0, "norms", "small.json", "--of", "T", "--wrt", "v,T,u", "--through", "v", "--json", NULL);
    expect_row(root, 1, "T", 0, 0, 0);
    expect_distances(root, "[null, null, 2]");
    json_decref(root);
}

Test(cli_norms, a_chain_of_nine_tenths_grows_by_nine_tenths)
{
    write_powers("p.json", 3, 0.9);
    run r = expect_code(0, "norms", "p.json", "--of", "x3", "--quiet", NULL);
    cr_expect_str_eq(r.out, "dx3/dV: 1 row, with respect to 3 variables that it depends on\n\n"
                            "  distance  frobenius  largest  smallest  variable\n"
                            "         1        0.9      0.9       0.9  x2\n"
                            "         2       0.81     0.81      0.81  x1\n"
                            "         3      0.729    0.729     0.729  x0\n\n"
                            "growth rate of the Frobenius norm: 0.9 per edge away from x3\n"
                            "  0.9 per step back from x2 to x0\n");
    cr_expect_str_empty(r.err);
    run_free(&r);
    write_powers("q.json", 300, 1.25);
    json_t *root = expect_json(0, "norms", "q.json", "--of", "x300", "--json", NULL);
    cr_expect_float_eq(number_at(root, "growth"), 1.25, 1e-13);
    cr_expect_float_eq(number_at(root, "families/0/growth"), 1.25, 1e-13);
    cr_expect_str_eq(json_string_value(json_at(root, "families/0/first")), "x0");
    json_decref(root);
}

/* The independent program's gradients of lsnn.json, and of e-prop. */
Test(cli_norms, of_an_unrolled_network_and_what_a_rule_keeps_of_it)
{
    json_t *root = expect_json(0, "norms", LSNN, "--of", "E", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "variables")), 26);
    cr_expect_eq(json_array_size(json_at(root, "families")), 4);
    cr_expect_str_eq(json_string_value(json_at(root, "order")), "reverse");
    json_decref(root);
    root =
        expect_json(0, "norms", LSNN, "--of", "E", "--match", "param leak* spike readout filter* loss", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "variables")), 2);
    expect_distances(root, "[4, 4]");
    json_decref(root);
}

/* v1 and v3 are next to T, v2 is not: a number at the end of a name is no step then. */
Test(cli_norms, numbers_that_are_no_steps_make_no_family)
{
    write_text("v.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"v1\", \"size\": 1}, {\"name\": \"v2\", \"size\": "
               "1}, {\"name\": \"v3\", \"size\": 1}, {\"name\": \"T\", \"size\": 1}], \"edges\": ["
               "{\"of\": \"T\", \"wrt\": \"v1\", \"jacobian\": {\"kind\": \"identity\"}}, "
               "{\"of\": \"T\", \"wrt\": \"v3\", \"jacobian\": {\"kind\": \"identity\"}}, "
               "{\"of\": \"v1\", \"wrt\": \"v2\", \"jacobian\": {\"kind\": \"identity\"}}]}");
    json_t *root = expect_json(0, "norms", "v.json", "--of", "T", "--json", NULL);
    expect_distances(root, "[1, 1, 2]");
    cr_expect(json_same(json_at(root, "families"), "[]"));
    json_decref(root);
}

/* The same numbers from either order, each backend, and in blocks of a memory limit. */
Test(cli_norms, the_options_of_the_computing_commands_are_heard)
{
    static const char *const options[][2] = {
        {"--order", "forward"}, {"--backend", "reference"}, {"--memory-limit", "2300"}, {"--threads", "1"}};
    json_t *plain = expect_json(0, "norms", LSNN, "--of", "v6", "--json", NULL);
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) {
        json_t *other = expect_json(0, "norms", LSNN, "--of", "v6", options[i][0], options[i][1], "--json", NULL);
        for (int k = 0; k < 17; k++) {
            char path[64];
            snprintf(path, sizeof path, "variables/%d/frobenius", k);
            cr_expect_float_eq(number_at(other, path), number_at(plain, path), 1e-12 * number_at(plain, path));
        }
        if (i == 0) cr_expect_str_eq(json_string_value(json_at(other, "order")), "forward");
        json_decref(other);
    }
    json_decref(plain);
}

Test(cli_norms, of_a_variable_that_depends_on_nothing)
{
    run r = expect_code(0, "norms", POST, "--of", "w", "--quiet", NULL);
    cr_expect_str_eq(r.out, "w depends on no other variable\n");
    run_free(&r);
    json_t *root = expect_json(0, "norms", POST, "--of", "w", "--json", NULL);
    cr_expect(json_same(json_at(root, "variables"), "[]"));
    json_decref(root);
}

Test(cli_norms, what_is_not_finite_is_text_in_json)
{
    static const double numbers[] = {INFINITY, NAN};
    write_matrix("s.safetensors", "t", 2, 1, numbers);
    write_text("n.json",
               "{\"jacchain\": 1, \"tensors\": \"s.safetensors\", \"variables\": [{\"name\": \"a\", \"size\": "
               "1}, {\"name\": \"c\", \"size\": 2}], \"edges\": [{\"of\": \"c\", \"wrt\": \"a\", "
               "\"jacobian\": {\"kind\": \"dense\", \"values\": {\"tensor\": \"t\"}}}]}");
    json_t *root = expect_json(0, "norms", "n.json", "--of", "c", "--json", NULL);
    cr_expect_str_eq(json_string_value(json_at(root, "variables/0/frobenius")), "nan");
    cr_expect_eq(json_array_size(json_at(root, "non_finite_inputs")), 1);
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

#define REFUSED(CODE, WORDS, ...) expect_refusal(CODE, WORDS, (const char *const[]){"norms", POST, __VA_ARGS__, NULL})

Test(cli_norms, what_is_refused)
{
    REFUSED(2, "--of is missing", "--wrt", "w");
    REFUSED(2, "--of takes one variable", "--of", "L,y");
    REFUSED(2, "no variable 'Q'", "--of", "Q");
    REFUSED(2, "no variable 'Q'", "--of", "L", "--wrt", "w,Q");
    REFUSED(2, "names w twice", "--of", "L", "--wrt", "w,w");
    REFUSED(2, ".svg, .png or .pdf, not 'n.safetensors'", "--of", "L", "--output", "n.safetensors");
    REFUSED(2, "--against takes one of", "--of", "L", "--against", "time");
    REFUSED(2, "names end with the step", "--of", "L", "--against", "step", "--output", "n.svg");
    REFUSED(2, "no variable 'Q'", "--of", "L", "--avoid", "Q");
    REFUSED(4, "no such/n.svg", "--of", "L", "--output", "no such/n.svg");
    REFUSED(5, "memory limit", "--of", "L", "--memory-limit", "8");
    expect_refusal(
        3, "has no numbers",
        (const char *const[]){"norms", JC_TEST_DATA "/networks/squeezenet.json", "--of", "softmax_66", NULL});
    cr_expect(!file_exists("n.svg"));
}
