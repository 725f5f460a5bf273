/* The command factor: the formulas of the post word for word, JSON, splits, what is refused. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"

static const char post_paths[] = "dL/dw = D[L,z] D[z,y] D[y,x] D[x,w] + D[L,y] D[y,x] D[x,w] + D[L,x] D[x,w] + "
                                 "D[L,z] D[z,y] D[y,w] + D[L,y] D[y,w] + D[L,z] D[z,w]";
static const char post_grouped[] = "dL/dw = (D[L,x] + D[L,y] D[y,x] + D[L,z] D[z,y] D[y,x]) D[x,w] + "
                                   "(D[L,y] + D[L,z] D[z,y]) D[y,w] + D[L,z] D[z,w]";
static const char post_last[] = "dL/dw = dL/dx D[x,w] + dL/dy D[y,w] + dL/dz D[z,w]";

/* The multiply-adds by hand. Paths: z y x w 10 + 6 + 12, y x w 6 + 12, x w 12, z y w 10 + 8, y w 8, z w 20. Sweeps: see
 * tests/plan/test_plan.c. */
Test(cli_factor, post_word_for_word)
{
    run r = expect_code(0, "factor", POST, "--of", "L", "--wrt", "w", "--quiet", NULL);
    char expected[2000];
    snprintf(expected, sizeof expected,
             "6 paths from w to L\n"
             "\n"
             "sum over paths: 104 multiply-adds\n"
             "  %s\n"
             "\n"
             "reverse: 56 multiply-adds\n"
             "  %s\n"
             "  %s\n"
             "  dL/dz = D[L,z]\n"
             "  dL/dy = D[L,y] + dL/dz D[z,y]\n"
             "  dL/dx = D[L,x] + dL/dy D[y,x]\n"
             "\n"
             "forward: 104 multiply-adds\n"
             "  dL/dw = D[L,x] D[x,w] + D[L,y] (D[y,w] + D[y,x] D[x,w]) + "
             "D[L,z] (D[z,w] + D[z,y] D[y,w] + D[z,y] D[y,x] D[x,w])\n"
             "  dL/dw = D[L,x] dx/dw + D[L,y] dy/dw + D[L,z] dz/dw\n"
             "  dx/dw = D[x,w]\n"
             "  dy/dw = D[y,w] + D[y,x] dx/dw\n"
             "  dz/dw = D[z,w] + D[z,y] dy/dw\n"
             "\n"
             "cheapest: reverse, 56 multiply-adds\n",
             post_paths, post_grouped, post_last);
    cr_expect_str_eq(r.out, expected);
    cr_expect_str_eq(r.err, "");
    run_free(&r);
}

static const char *text_at(json_t *root, const char *path)
{
    const char *text = json_string_value(json_at(root, path));
    cr_assert(text, "%s", path);
    return text;
}

static int64_t int_at(json_t *root, const char *path)
{
    cr_assert(json_is_integer(json_at(root, path)), "%s", path);
    return json_integer_value(json_at(root, path));
}

static double number_at(json_t *root, const char *path)
{
    cr_assert(json_is_number(json_at(root, path)), "%s", path);
    return json_number_value(json_at(root, path));
}

Test(cli_factor, json_has_the_shape_of_the_contract)
{
    json_t *root = expect_json(0, "factor", POST, "--of", "L", "--wrt", "w", "--json", NULL);
    char expected[1000];
    cr_expect_str_eq(text_at(root, "command"), "factor");
    cr_expect_str_eq(text_at(root, "of"), "L");
    cr_expect_str_eq(text_at(root, "wrt"), "w");
    cr_expect_str_eq(text_at(root, "count"), "6");
    cr_expect_str_eq(text_at(root, "forms/paths/text"), post_paths);
    snprintf(expected, sizeof expected, "%s\n%s\ndL/dz = D[L,z]\ndL/dy = D[L,y] + dL/dz D[z,y]\n%s", post_grouped,
             post_last, "dL/dx = D[L,x] + dL/dy D[y,x]");
    cr_expect_str_eq(text_at(root, "forms/reverse/text"), expected);
    cr_expect_str_eq(text_at(root, "forms/cheapest/text"), expected);
    cr_expect_eq(int_at(root, "forms/paths/multiply_adds"), 104);
    cr_expect_eq(int_at(root, "forms/reverse/multiply_adds"), 56);
    cr_expect_eq(int_at(root, "forms/forward/multiply_adds"), 104);
    cr_expect_eq(int_at(root, "forms/cheapest/multiply_adds"), 56);
    cr_expect_str_eq(text_at(root, "forms/cheapest/order"), "reverse");
    cr_expect(json_is_null(json_at(root, "forms/at")));
    cr_expect_eq(json_array_size(json_at(root, "forms/reverse/terms")), 0);
    cr_expect_eq(json_array_size(json_at(root, "forms/reverse/steps")), 8, "an edge, a step");
    cr_expect(json_same(json_at(root, "forms/reverse/steps/0"),
                        "{\"op\": \"adjoint\", \"of\": \"L\", \"via\": \"L\", \"wrt\": \"z\", \"edge\": 7}"));
    cr_expect(json_same(json_at(root, "forms/reverse/steps/7"),
                        "{\"op\": \"adjoint\", \"of\": \"L\", \"via\": \"z\", \"wrt\": \"w\", \"edge\": 4}"));
    cr_expect(json_same(json_at(root, "forms/forward/steps/2"),
                        "{\"op\": \"tangent\", \"of\": \"y\", \"via\": \"x\", \"wrt\": \"w\", \"edge\": 1}"));
    cr_expect_eq(json_array_size(json_at(root, "forms/paths/steps")), 10, "3 + 2 + 1 + 2 + 1 + 1 products");
    cr_expect(json_same(json_at(root, "forms/paths/steps/0"),
                        "{\"op\": \"multiply\", \"of\": \"L\", \"via\": \"z\", \"wrt\": \"y\", \"edge\": 3}"));
    json_decref(root);
}

Test(cli_factor, several_totals_are_a_list)
{
    json_t *root = expect_json(0, "factor", POST, "--of", "L,z", "--wrt", "x,L", "--json", NULL);
    cr_assert_eq(json_array_size(json_at(root, "totals")), 4);
    cr_expect_str_eq(text_at(root, "totals/0/forms/paths/text"),
                     "dL/dx = D[L,z] D[z,y] D[y,x] + D[L,y] D[y,x] + D[L,x]");
    cr_expect_str_eq(text_at(root, "totals/1/forms/reverse/text"), "dL/dL = I");
    cr_expect_str_eq(text_at(root, "totals/2/forms/forward/text"),
                     "dz/dx = D[z,y] D[y,x]\ndz/dx = D[z,y] dy/dx\ndy/dx = D[y,x]");
    cr_expect_str_eq(text_at(root, "totals/3/forms/cheapest/text"), "dz/dL = 0");
    cr_expect_str_eq(text_at(root, "totals/3/count"), "0");
    cr_expect_eq(int_at(root, "totals/3/forms/paths/multiply_adds"), 0);
    json_decref(root);
    run r = expect_code(0, "factor", POST, "--of", "z", "--wrt", "y,z", "--quiet", NULL);
    cr_expect(strstr(r.out, "1 path from y to z\n") && strstr(r.out, "\n\n1 path from z to z\n"), "%s", r.out);
    run_free(&r);
}

Test(cli_factor, latex_is_that_of_the_post)
{
    json_t *root = expect_json(0, "factor", POST, "--of", "L", "--wrt", "y", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/paths/latex"), "\\begin{aligned}\n"
                                                         "\\frac{dL}{dy} &= D_{Lz} D_{zy} + D_{Ly}\n"
                                                         "\\end{aligned}");
    cr_expect_str_eq(text_at(root, "forms/reverse/latex"), "\\begin{aligned}\n"
                                                           "\\frac{dL}{dy} &= D_{Ly} + D_{Lz} D_{zy} \\\\\n"
                                                           "\\frac{dL}{dy} &= D_{Ly} + \\frac{dL}{dz} D_{zy} \\\\\n"
                                                           "\\frac{dL}{dz} &= D_{Lz}\n"
                                                           "\\end{aligned}");
    json_decref(root);
    root = expect_json(0, "factor", POST, "--of", "L", "--wrt", "w", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/paths/latex"),
                     "\\begin{aligned}\n"
                     "\\frac{dL}{dw} &= D_{Lz} D_{zy} D_{yx} D_{xw} + D_{Ly} D_{yx} D_{xw} + D_{Lx} D_{xw} \\\\\n"
                     "&\\quad {}+ D_{Lz} D_{zy} D_{yw} + D_{Ly} D_{yw} + D_{Lz} D_{zw}\n"
                     "\\end{aligned}");
    json_decref(root);
    root = expect_json(0, "factor", POST, "--of", "L", "--wrt", "w", "--at-last", "y", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/at/latex"),
                     "\\begin{aligned}\n"
                     "\\frac{dL}{dw} &= \\left[\\frac{dL}{dw}\\right]_{\\text{local}} + "
                     "\\left[\\frac{dL}{dy}\\right]_{\\text{local}} \\frac{dy}{dw}\n"
                     "\\end{aligned}");
    json_decref(root);
}

/* ---- splits ------------------------------------------------------------------------------------------------------ */

/* dL/dx = (-20,43,65), dL/dy = (25,24) with D[L,z] D[z,y] = (9,..): the first terms by numpy, see below. */
Test(cli_factor, post_split_at_x_y_z_is_its_last_formula)
{
    run r = expect_code(0, "factor", POST, "--of", "L", "--wrt", "w", "--at", "x,y,z", "--quiet", NULL);
    char expected[1000];
    snprintf(expected, sizeof expected,
             "6 paths from w to L\n"
             "\n"
             "split at the first of x,y,z: 56 multiply-adds\n"
             "  %s\n"
             "\n"
             "     norm      share  term\n",
             post_last);
    cr_expect(strncmp(r.out, expected, strlen(expected)) == 0, "%s", r.out);
    cr_expect(strstr(r.out, "  dL/dx D[x,w]\n") && strstr(r.out, "  dL/dy D[y,w]\n") &&
              strstr(r.out, "  dL/dz D[z,w]\n"));
    cr_expect(strstr(r.out, "\ndL/dw has norm 201.705; the terms add up to it: off by 0 of its largest entry"), "%s",
              r.out);
    run_free(&r);
}

/* a = 2 s, b = 3 a + 5 s, T = 7 b + 11 a: s a T 22, s a b T 42, s b T 35. */
static const char scalars[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"s\", \"size\": 1}, {\"name\": \"a\", \"size\": 1}, "
    "{\"name\": \"b\", \"size\": 1}, {\"name\": \"T\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"a\", \"wrt\": \"s\", \"label\": \"in\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 2}},"
    "{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 3}},"
    "{\"of\": \"b\", \"wrt\": \"s\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 5}},"
    "{\"of\": \"T\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 7}},"
    "{\"of\": \"T\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 11}}]}";

Test(cli_factor, terms_have_norms_and_shares)
{
    folder_enter();
    write_text("scalars.json", scalars);
    json_t *root = expect_json(0, "factor", "scalars.json", "--of", "T", "--wrt", "s", "--at", "b,T", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/at/text"), "dT/ds = [dT/ds]local + dT/db [db/ds]local");
    cr_assert_eq(json_array_size(json_at(root, "forms/at/terms")), 2);
    cr_expect(json_is_null(json_at(root, "forms/at/terms/0/variable")));
    cr_expect_eq(number_at(root, "forms/at/terms/0/norm"), 22);
    cr_expect_str_eq(text_at(root, "forms/at/terms/1/variable"), "b");
    cr_expect_eq(number_at(root, "forms/at/terms/1/norm"), 77);
    cr_expect_eq(number_at(root, "forms/at/terms/1/share"), 77.0 / 99);
    cr_expect_str_eq(text_at(root, "forms/at/verdict"), "passed");
    cr_expect_eq(number_at(root, "forms/at/difference"), 0);
    cr_expect(json_is_null(json_at(root, "forms/reverse")) && json_is_null(json_at(root, "forms/paths")));
    json_decref(root);
    root = expect_json(0, "factor", "scalars.json", "--of", "T", "--wrt", "s", "--at", "a,b", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/at/text"), "dT/ds = dT/da D[a,s] + dT/db D[b,s]");
    cr_expect_eq(number_at(root, "forms/at/terms/0/norm"), 64);
    cr_expect_eq(number_at(root, "forms/at/terms/1/norm"), 35);
    json_decref(root);
    root = expect_json(0, "factor", "scalars.json", "--of", "T", "--wrt", "s", "--at-last", "a,b", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/at/text"), "dT/ds = D[T,a] da/ds + D[T,b] db/ds");
    cr_expect_eq(number_at(root, "forms/at/terms/0/norm"), 22);
    cr_expect_eq(number_at(root, "forms/at/terms/1/norm"), 77);
    json_decref(root);
    folder_leave();
}

/* Two rules: the path s b T is dropped, then the one through a and b too. */
Test(cli_factor, rules_restrict_forms_and_splits)
{
    folder_enter();
    write_text("scalars.json", scalars);
    json_t *root =
        expect_json(0, "factor", "scalars.json", "--of", "T", "--wrt", "s", "--match", "in .+", "--json", NULL);
    cr_expect_str_eq(text_at(root, "count"), "2");
    cr_expect_str_eq(text_at(root, "forms/paths/text"), "dT/ds = D[T,b] D[b,a] D[a,s] + D[T,a] D[a,s]");
    json_decref(root);
    root = expect_json(0, "factor", "scalars.json", "--of", "T", "--wrt", "s", "--match", "in .+", "--at-last", "a,b",
                       "--json", NULL);
    cr_expect_eq(number_at(root, "forms/at/terms/0/norm"), 22);
    cr_expect_eq(number_at(root, "forms/at/terms/1/norm"), 42);
    cr_expect_eq(number_at(root, "forms/at/norm"), 64);
    json_decref(root);
    root = expect_json(0, "factor", "scalars.json", "--of", "T", "--wrt", "s", "--avoid", "a", "--avoid", "b", "--at",
                       "a", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/at/text"), "dT/ds = 0");
    cr_expect_eq(json_array_size(json_at(root, "forms/at/terms")), 0);
    cr_expect_str_eq(text_at(root, "forms/at/verdict"), "passed");
    json_decref(root);
    folder_leave();
}

/* 2^60 paths: the sum is not written out, the factored forms are. */
Test(cli_factor, too_many_paths_are_counted_and_not_written_out)
{
    enum { DIAMONDS = 60 };
    folder_enter();
    FILE *file = fopen("ladder.json", "w");
    cr_assert(file);
    fprintf(file, "{\"jacchain\": 1, \"variables\": [");
    for (int i = 0; i <= 3 * DIAMONDS; i++) fprintf(file, "%s{\"name\": \"v%d\", \"size\": 1}", i ? "," : "", i);
    fprintf(file, "], \"edges\": [");
    for (int i = 0; i < DIAMONDS; i++)
        for (int k = 0; k < 4; k++)
            fprintf(file, "%s{\"of\": \"v%d\", \"wrt\": \"v%d\", \"jacobian\": {\"kind\": \"identity\"}}",
                    i || k ? "," : "", 3 * i + (k < 2 ? 1 + k : 3), 3 * i + (k < 2 ? 0 : k - 1));
    fprintf(file, "]}");
    fclose(file);
    json_t *root = expect_json(0, "factor", "ladder.json", "--of", "v180", "--wrt", "v0", "--json", NULL);
    cr_expect_str_eq(text_at(root, "count"), "1152921504606846976");
    cr_expect(json_is_null(json_at(root, "forms/paths")));
    cr_expect(strncmp(text_at(root, "forms/reverse/text"), "dv180/dv0 = dv180/dv1 D[v1,v0] + dv180/dv2 D[v2,v0]\n",
                      strlen("dv180/dv0 = dv180/dv1 D[v1,v0] + dv180/dv2 D[v2,v0]\n")) == 0);
    json_decref(root);
    run r = expect_code(0, "factor", "ladder.json", "--of", "v180", "--wrt", "v0", "--quiet", NULL);
    cr_expect(strstr(r.out, "\nsum over paths: not written out for 1152921504606846976 paths\n"), "%.300s", r.out);
    run_free(&r);
    folder_leave();
}

Test(cli_factor, structure_is_enough)
{
    static const char structure[] =
        "{\"jacchain\": 1, \"variables\": [{\"name\": \"s\", \"size\": 2}, {\"name\": \"a\", \"size\": 3}, "
        "{\"name\": \"T\", \"size\": 1}], \"edges\": [{\"of\": \"a\", \"wrt\": \"s\", \"jacobian\": {\"kind\": "
        "\"dense\"}}, {\"of\": \"T\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"dense\"}}]}";
    folder_enter();
    write_text("structure.json", structure);
    json_t *root = expect_json(0, "factor", "structure.json", "--of", "T", "--wrt", "s", "--json", NULL);
    cr_expect_eq(int_at(root, "forms/reverse/multiply_adds"), 6);
    json_decref(root);
    root = expect_json(0, "factor", "structure.json", "--of", "T", "--wrt", "s", "--at", "a", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/at/text"), "dT/ds = dT/da D[a,s]");
    cr_expect_eq(int_at(root, "forms/at/multiply_adds"), 6);
    cr_expect_str_eq(text_at(root, "forms/at/terms/0/variable"), "a");
    cr_expect(json_is_null(json_at(root, "forms/at/terms/0/norm")) && json_is_null(json_at(root, "forms/at/verdict")));
    json_decref(root);
    run r = expect_code(0, "factor", "structure.json", "--of", "T", "--wrt", "s", "--at", "a", "--quiet", NULL);
    cr_expect(strstr(r.out, "a used edge has no numbers: norms are not known\n"), "%s", r.out);
    run_free(&r);
    folder_leave();
}

Test(cli_factor, a_sum_that_cannot_be_judged_is_exit_code_1)
{
    static const double inf = INFINITY;
    folder_enter();
    write_matrix("inf.safetensors", "x", 1, 1, &inf);
    write_text("inf.json", "{\"jacchain\": 1, \"tensors\": \"inf.safetensors\", \"variables\": [{\"name\": \"s\", "
                           "\"size\": 1}, {\"name\": \"a\", \"size\": 1}, {\"name\": \"T\", \"size\": 1}], \"edges\": ["
                           "{\"of\": \"a\", \"wrt\": \"s\", \"jacobian\": {\"kind\": \"identity\"}}, {\"of\": \"T\", "
                           "\"wrt\": \"a\", \"jacobian\": {\"kind\": \"dense\", \"values\": {\"tensor\": \"x\"}}}]}");
    json_t *root = expect_json(1, "factor", "inf.json", "--of", "T", "--wrt", "s", "--at", "a", "--json", NULL);
    cr_expect_str_eq(text_at(root, "forms/at/verdict"), "undecided");
    json_decref(root);
    folder_leave();
}

Test(cli_factor, requests_that_do_not_apply_are_refused)
{
    static const struct {
        const char *arguments[8];
        const char *text;
    } refused[] = {
        {{"--of", "L"}, "--wrt is missing"},
        {{"--wrt", "w"}, "--of is missing"},
        {{"--of", "L", "--wrt", "nowhere"}, "nowhere"},
        {{"--of", "L", "--wrt", "w", "--at", "nowhere"}, "nowhere"},
        {{"--of", "L", "--wrt", "w", "--at", "x,x"}, "x"},
        {{"--of", "L", "--wrt", "w", "--at"}, "--at"},
        {{"--of", "L", "--wrt", "w", "--at", "x", "--at-last", "y"}, "--at and --at-last"},
        {{"--of", "L", "--wrt", "w", "--avoid-label", "none"}, "none"},
        {{"--of", "L", "--wrt", "w", "--format", "mathml"}, "mathml"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *arguments[16] = {"factor", POST};
        for (int k = 0; k < 8; k++) arguments[2 + k] = refused[i].arguments[k];
        run r = run_arguments(arguments, NULL);
        cr_expect_eq(r.code, 2, "case %d: %d", (int)i, r.code);
        cr_expect(strstr(r.err, refused[i].text), "case %d: %s", (int)i, r.err);
        cr_expect_str_eq(r.out, "");
        run_free(&r);
    }
}

/* ---- learning rules ---------------------------------------------------------------------------------------------- */

/* The gradient of a spiking network with respect to its recurrent weights, cut at its states (back-propagation through
 * time), at its spikes (e-prop) and at its spikes from the end (real-time recurrent learning). */
Test(cli_factor, three_learning_rules_are_cuts_of_one_sum)
{
    static const char *const cuts[][2] = {{"--at", "v1,v2,v3,v4,v5,v6,a1,a2,a3,a4,a5,a6"},
                                          {"--at", "z1,z2,z3,z4,z5,z6"},
                                          {"--at-last", "z1,z2,z3,z4,z5,z6"}};
    double third[3];
    for (int i = 0; i < 3; i++) {
        json_t *root = expect_json(0, "factor", JC_EXAMPLES "/lsnn.json", "--of", "E", "--wrt", "W_rec", cuts[i][0],
                                   cuts[i][1], "--json", NULL);
        cr_expect_str_eq(text_at(root, "forms/at/verdict"), "passed");
        cr_expect_lt(number_at(root, "forms/at/difference"), 1e-13);
        cr_expect_eq(json_array_size(json_at(root, "forms/at/terms")), 6);
        third[i] = number_at(root, "forms/at/terms/2/norm");
        json_decref(root);
    }
    cr_expect(fabs(third[0] - third[1]) > 0.01 && fabs(third[1] - third[2]) > 0.01 && fabs(third[0] - third[2]) > 0.01);
}

/* ---- LaTeX ------------------------------------------------------------------------------------------------------- */

static bool have_latex(void)
{
    return system("command -v pdflatex >/dev/null 2>&1") == 0;
}

/* Names with every character that LaTeX treats in a way of its own; parallel edges. */
static const char hostile[] =
    "{\"jacchain\": 1, \"variables\": [{\"name\": \"a_1^2\", \"size\": 1}, {\"name\": \"50% & #3\", \"size\": 1}, "
    "{\"name\": \"$x\", \"size\": 1}, {\"name\": \"{b\", \"size\": 1}, {\"name\": \"c}\", \"size\": 1}, "
    "{\"name\": \"\\\\d~\", \"size\": 1}, {\"name\": \"]\\\"'`<|>-\", \"size\": 1}], \"edges\": ["
    "{\"of\": \"50% & #3\", \"wrt\": \"a_1^2\", \"jacobian\": {\"kind\": \"identity\"}}, "
    "{\"of\": \"50% & #3\", \"wrt\": \"a_1^2\", \"jacobian\": {\"kind\": \"identity\"}}, "
    "{\"of\": \"$x\", \"wrt\": \"50% & #3\", \"jacobian\": {\"kind\": \"identity\"}}, "
    "{\"of\": \"{b\", \"wrt\": \"$x\", \"jacobian\": {\"kind\": \"identity\"}}, "
    "{\"of\": \"c}\", \"wrt\": \"50% & #3\", \"jacobian\": {\"kind\": \"identity\"}}, "
    "{\"of\": \"\\\\d~\", \"wrt\": \"{b\", \"jacobian\": {\"kind\": \"identity\"}}, "
    "{\"of\": \"\\\\d~\", \"wrt\": \"c}\", \"jacobian\": {\"kind\": \"identity\"}}, "
    "{\"of\": \"]\\\"'`<|>-\", \"wrt\": \"\\\\d~\", \"jacobian\": {\"kind\": \"identity\"}}]}";

/* What a command prints goes into the document as it is; of `paths` its products alone, each a line of mathematics. */
static void add_output(FILE *document, const char *const *arguments)
{
    run r = run_arguments(arguments, NULL);
    cr_assert_eq(r.code, 0, "%s", r.err);
    if (strcmp(arguments[0], "paths") != 0) {
        fprintf(document, "%s\n", r.out);
    } else {
        for (char *line = strchr(r.out, '\n'); line && line[1]; line = strchr(line + 1, '\n'))
            fprintf(document, "$%.*s$\n\n", (int)strcspn(line + 1, "\n"), line + 1);
    }
    run_free(&r);
}

/* Whether the document compiles. */
static bool compiles(const char *name)
{
    char command[200];
    snprintf(command, sizeof command, "pdflatex -interaction=nonstopmode -halt-on-error %s >log.txt 2>&1 </dev/null",
             name);
    return system(command) == 0;
}

/* The sentences of the log that say what is wrong. */
static void print_log(void)
{
    char line[400];
    FILE *log = fopen("log.txt", "r");
    while (log && fgets(line, sizeof line, log))
        if (line[0] == '!') fputs(line, stderr);
    if (log) fclose(log);
}

static FILE *begin_document(const char *name)
{
    FILE *document = fopen(name, "w");
    cr_assert(document);
    fprintf(document, "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n");
    return document;
}

Test(cli_factor, latex_compiles)
{
    static const char last[] = "]\"'`<|>-";
    static const char *const commands[][16] = {
        {"factor", POST, "--of", "L", "--wrt", "w,x", "--format", "latex", "--quiet"},
        {"factor", POST, "--of", "L", "--wrt", "w", "--format", "latex", "--quiet", "--at", "x,y"},
        {"factor", POST, "--of", "L", "--wrt", "w", "--format", "latex", "--quiet", "--through", "x,z"},
        {"factor", JC_EXAMPLES "/lsnn.json", "--of", "E", "--wrt", "W_rec", "--format", "latex", "--quiet"},
        {"factor", "hostile.json", "--of", last, "--wrt", "a_1^2", "--format", "latex", "--quiet"},
        {"factor", "hostile.json", "--of", last, "--wrt", "a_1^2", "--format", "latex", "--quiet", "--at-last",
         "$x,c}"},
        {"paths", "hostile.json", "--of", last, "--wrt", "a_1^2", "--format", "latex", "--quiet", "--norm", "none"}};
    if (!have_latex()) return;
    folder_enter();
    write_text("hostile.json", hostile);
    FILE *document = begin_document("good.tex");
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) add_output(document, commands[i]);
    fprintf(document, "\\end{document}\n");
    fclose(document);
    bool good = compiles("good.tex");
    if (!good) print_log();
    cr_expect(good);
    document = begin_document("bad.tex");
    fprintf(document, "\\[ D_{50 & \\]\n\\end{document}\n");
    fclose(document);
    cr_expect_not(compiles("bad.tex"), "what is no LaTeX compiles too");
    folder_leave();
}
