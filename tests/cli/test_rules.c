/* Path rules on every command. The Jacobians are prime numbers, so that a total says which paths it has. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

/*      a b d: 2 * 7     a c d: 3 * 11     a b c d: 2 * 5 * 11     a d: 13     together 14 + 33 + 110 + 13 = 170 */
static const char primes[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"b\", \"size\": 1}, "
    "{\"name\": \"c\", \"size\": 1}, {\"name\": \"d\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"b\", \"wrt\": \"a\", \"label\": \"p\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 2}},"
    "{\"of\": \"c\", \"wrt\": \"a\", \"label\": \"q\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 3}},"
    "{\"of\": \"c\", \"wrt\": \"b\", \"label\": [\"q\", \"r\"], \"jacobian\": {\"kind\": \"identity\", \"scale\": 5}},"
    "{\"of\": \"d\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 7}},"
    "{\"of\": \"d\", \"wrt\": \"c\", \"label\": \"r\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 11}},"
    "{\"of\": \"d\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 13}}]}";

typedef struct rule_case {
    const char *option[4]; /* two options with their values */
    double total;
    int paths;
} rule_case;

static const rule_case cases[] = {
    {{"--avoid", "b"}, 33 + 13, 2},
    {{"--avoid", "b,c"}, 13, 1},
    {{"--avoid", "a,d"}, 170, 4}, /* ends are not counted */
    {{"--through", "b"}, 14 + 110, 2},
    {{"--through", "b,c"}, 14 + 33 + 110, 3},
    {{"--through", "b", "--through", "c"}, 110, 1},
    {{"--through", "a"}, 0, 0},
    {{"--avoid-label", "r"}, 14 + 13, 2},
    {{"--avoid-label", "p,r"}, 13, 1},
    {{"--avoid-label", "p", "--avoid-label", "r"}, 13, 1},
    {{"--match", "p q r"}, 110, 1},
    {{"--match", "p r r"}, 110, 1},
    {{"--match", "p ."}, 14, 1},
    {{"--match", "."}, 13, 1},
    {{"--match", "(p | q) .* r"}, 33 + 110, 2},
    {{"--match", "p (q | r) r | p (. r)"}, 110, 1}, /* in three ways, once */
    {{"--match", ".*", "--avoid", "c"}, 14 + 13, 2},
    {{"--match", ".{2}", "--match", "p .*"}, 14, 1},
    {{"--match", "()"}, 0, 0},
};

enum { N_CASES = sizeof cases / sizeof cases[0] };

/* `command primes.json --of d --wrt a` with the case's options and `more` (ended by NULL); one JSON document. */
static json_t *ask(const char *command, const rule_case *c, int code, const char *const *more)
{
    const char *args[16] = {command, "primes.json", "--of", "d", "--wrt", "a", "--json", "--quiet"};
    int n = 8;
    for (int i = 0; i < 4 && c->option[i]; i++) args[n++] = c->option[i];
    for (; more && *more; more++) args[n++] = *more;
    run r = run_arguments(args, NULL);
    cr_assert_eq(r.code, code, "%s %s %s: %s", command, c->option[0], c->option[1], r.err);
    json_t *root = json_loads(r.out, 0, NULL);
    cr_assert(root, "%s", r.out);
    run_free(&r);
    return root;
}

static double number_at(json_t *root, const char *path)
{
    json_t *value = json_at(root, path);
    cr_assert(value, "%s", path);
    return json_number_value(value);
}

static void expect_value(const char *command, const rule_case *c, const char *const *more)
{
    json_t *root = ask(command, c, 0, more);
    cr_expect_eq(number_at(root, "totals/0/values/0/0"), c->total, "%s %s %s: %g", command, c->option[0], c->option[1],
                 number_at(root, "totals/0/values/0/0"));
    json_decref(root);
}

Test(cli_rules, totals_and_products_are_of_the_paths_that_are_kept)
{
    static const char *const orders[][3] = {{"--order", "reverse"}, {"--order", "forward"}};
    static const char *const seed[] = {"--seed", "one.safetensors:one", NULL};
    double one = 1;
    folder_enter();
    write_text("primes.json", primes);
    write_matrix("one.safetensors", "one", 1, 1, &one);
    for (int i = 0; i < N_CASES; i++) {
        for (int k = 0; k < 2; k++) expect_value("total", &cases[i], orders[k]);
        expect_value("vjp", &cases[i], seed);
        expect_value("jvp", &cases[i], seed);
    }
    folder_leave();
}

Test(cli_rules, paths_are_counted_and_listed_plans_made_and_checks_passed)
{
    char count[8];
    folder_enter();
    write_text("primes.json", primes);
    for (int i = 0; i < N_CASES; i++) {
        json_t *root = ask("paths", &cases[i], 0, NULL);
        snprintf(count, sizeof count, "%d", cases[i].paths);
        cr_expect_str_eq(json_string_value(json_at(root, "count")), count, "%s", cases[i].option[1]);
        cr_expect_eq(json_array_size(json_at(root, "paths")), (size_t)cases[i].paths);
        cr_expect_eq(number_at(root, "norm"), cases[i].total);
        json_decref(root);
        root = ask("check", &cases[i], 0, NULL);
        cr_expect_str_eq(json_string_value(json_at(root, "verdict")), "passed");
        json_decref(root);
        root = ask("plan", &cases[i], 0, NULL);
        cr_expect(cases[i].paths || number_at(root, "edges") == 0, "%s", cases[i].option[1]);
        json_decref(root);
    }
    folder_leave();
}

Test(cli_rules, a_picture_dims_the_edges_of_paths_that_are_dropped)
{
    static const char *const output[] = {"--output", "a.dot", NULL};
    folder_enter();
    write_text("primes.json", primes);
    json_t *root = ask("draw", &cases[0], 0, output);
    cr_expect(json_same(json_at(root, "edges_between"), "[1, 4, 5]"));
    json_decref(root);
    root = ask("draw", &cases[10], 0, output);
    cr_expect(json_same(json_at(root, "edges_between"), "[0, 2, 4]"));
    json_decref(root);
    root = expect_json(0, "draw", "primes.json", "--output", "a.dot", "--avoid-label", "p", "--json", "--quiet", NULL);
    cr_expect(json_same(json_at(root, "edges_between"), "[1, 4, 5]")); /* from a, the only source: none goes to b */
    json_decref(root);
    folder_leave();
}

Test(cli_rules, the_empty_path_is_the_empty_word)
{
    folder_enter();
    write_text("primes.json", primes);
    static const struct {
        const char *option, *value;
        double total;
    } empty[] = {{"--match", "p*", 1},  {"--match", "()", 1},          {"--match", "p", 0},
                 {"--through", "b", 0}, {"--avoid-label", "p,q,r", 1}, {"--avoid", "b", 1}};
    for (size_t i = 0; i < sizeof empty / sizeof empty[0]; i++) {
        json_t *root = expect_json(0, "total", "primes.json", "--of", "b", "--wrt", "b", empty[i].option,
                                   empty[i].value, "--json", "--quiet", NULL);
        cr_expect_eq(number_at(root, "totals/0/values/0/0"), empty[i].total, "%s", empty[i].value);
        json_decref(root);
    }
    folder_leave();
}

/* What total writes under a rule is right under that rule, and under no other. */
Test(cli_rules, results_from_elsewhere_are_judged_under_the_rules)
{
    folder_enter();
    write_text("primes.json", primes);
    run r = expect_code(0, "total", "primes.json", "--of", "d", "--avoid", "b", "--output", "t.safetensors", "--quiet",
                        NULL);
    run_free(&r);
    r = expect_code(0, "check", "primes.json", "--against", "t.safetensors", "--avoid", "b", NULL);
    run_free(&r);
    r = expect_code(1, "check", "primes.json", "--against", "t.safetensors", NULL);
    run_free(&r);
    r = expect_code(1, "check", "primes.json", "--against", "t.safetensors", "--avoid", "c", NULL);
    run_free(&r);
    folder_leave();
}

Test(cli_rules, what_is_refused)
{
    static const char *const refused[][3] = {
        {"--avoid", "e", "--avoid: the graph has no variable 'e'"},
        {"--through", "b,b", "--through names b twice"},
        {"--avoid-label", "s", "--avoid-label: there is no label 's'"},
        {"--avoid-label", "p,", "--avoid-label: a label in the list is empty"},
        {"--match", "p )", "--match: column 3: "},
        {"--match", "p s", "--match: column 3: there is no label 's'"},
    };
    folder_enter();
    write_text("primes.json", primes);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        run r = expect_code(2, "total", "primes.json", "--of", "d", refused[i][0], refused[i][1], NULL);
        cr_expect(strstr(r.err, refused[i][2]), "%s", r.err);
        run_free(&r);
    }
    folder_leave();
}

/* ---- partial ----------------------------------------------------------------------------------------------------- */

/* At x = 3, y = 5. Case 1: z = x^2 + y^2, L = z + x^2. Case 2: L = 2 x^2 + y^2, the same function of x and y. */
static const char case_1[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 1}, {\"name\": \"y\", \"size\": 1}, "
    "{\"name\": \"z\", \"size\": 1}, {\"name\": \"L\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"z\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[6]]}},"
    "{\"of\": \"z\", \"wrt\": \"y\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[10]]}},"
    "{\"of\": \"L\", \"wrt\": \"z\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[1]]}},"
    "{\"of\": \"L\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[6]]}}]}";
static const char case_2[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 1}, {\"name\": \"y\", \"size\": 1}, "
    "{\"name\": \"L\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"L\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[12]]}},"
    "{\"of\": \"L\", \"wrt\": \"y\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[10]]}}]}";

static double partial(const char *graph, const char *wrt, const char *local)
{
    json_t *root = expect_json(0, "partial", graph, "--of", "L", "--wrt", wrt, "--json", "--quiet",
                               local ? "--local" : NULL, local, NULL);
    double value = number_at(root, "totals/0/values/0/0");
    json_decref(root);
    return value;
}

Test(cli_rules, a_partial_depends_on_which_variables_are_named)
{
    folder_enter();
    write_text("case1.json", case_1);
    write_text("case2.json", case_2);
    cr_expect_eq(partial("case1.json", "x", NULL), 6);      /* 2x */
    cr_expect_eq(partial("case1.json", "x", "x,y,z,L"), 6); /* with every variable it is the edge itself */
    cr_expect_eq(partial("case1.json", "x", "z"), 6);
    cr_expect_eq(partial("case1.json", "x", "y"), 12); /* without z: 4x, as in case 2 */
    cr_expect_eq(partial("case2.json", "x", NULL), 12);
    cr_expect_eq(partial("case1.json", "y", "z"), 0);
    cr_expect_eq(partial("case1.json", "y", "x"), 10);
    cr_expect_eq(partial("case1.json", "L", "x"), 0); /* the path without edges is no edge */
    folder_leave();
}

Test(cli_rules, a_partial_grows_towards_the_total_as_names_are_left_out)
{
    static const char *const named[] = {"a,b,c,d", "b,c", "c", "b", "a"};
    static const double expected[] = {13, 13, 13 + 14, 13 + 33, 170};
    folder_enter();
    write_text("primes.json", primes);
    for (int i = 0; i < 5; i++) {
        json_t *root = expect_json(0, "partial", "primes.json", "--of", "d", "--wrt", "a", "--local", named[i],
                                   "--json", "--quiet", NULL);
        cr_expect_eq(number_at(root, "totals/0/values/0/0"), expected[i], "%s", named[i]);
        json_decref(root);
    }
    json_t *root = expect_json(0, "partial", "primes.json", "--of", "c", "--wrt", "b", "--avoid-label", "r", "--json",
                               "--quiet", NULL);
    cr_expect_eq(number_at(root, "totals/0/values/0/0"), 0); /* its edge has that label */
    json_decref(root);
    folder_leave();
}
