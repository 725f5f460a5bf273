/* norms: its picture by the program gnuplot, where it is installed, and what happens where it is not or fails. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/draw_help.h"

TestSuite(cli_norms_pictures, .init = folder_enter, .fini = folder_leave);

static bool have_gnuplot(void)
{
    return system("command -v gnuplot >/dev/null 2>&1") == 0;
}

/* The only program on the path is a gnuplot with this text. */
static void fake_gnuplot(const char *script)
{
    char path[256], folder[128];
    mkdir("bin", 0777);
    write_text("bin/gnuplot", script);
    cr_assert_eq(chmod("bin/gnuplot", 0755), 0);
    cr_assert(getcwd(folder, sizeof folder));
    snprintf(path, sizeof path, "%s/bin", folder);
    setenv("PATH", path, 1);
}

/* What gnuplot is given for the picture; the caller frees it. */
static char *text_for(const char *graph, const char *of, const char *option, const char *value)
{
    fake_gnuplot("#!/bin/sh\n[ \"$1\" = --default-settings ] || exit 1\n"
                 "while IFS= read -r line; do printf '%s\\n' \"$line\"; done\n");
    run r = expect_code(0, "norms", graph, "--of", of, "--output", "t.svg", "--quiet", option, value, NULL);
    run_free(&r);
    setenv("PATH", "/usr/bin:/bin", 1);
    return read_text("t.svg");
}

static void expect_has(const char *text, const char *part)
{
    cr_expect(strstr(text, part), "'%s' is not in:\n%.3000s", part, text);
}

/* The numbers of a block "$<name> << END". */
static int count_points(const char *text, const char *name)
{
    char head[64];
    snprintf(head, sizeof head, "$%s << END\n", name);
    const char *p = strstr(text, head);
    int n = 0;
    if (!p) return -1;
    for (p += strlen(head); strncmp(p, "END\n", 4); p = strchr(p, '\n') + 1) n += *p != '\n';
    return n;
}

/* A document of one chain with these Jacobians of scalars, as JSON texts. */
static void write_scalars(const char *path, const char *const *names, const char *const *numbers, int n)
{
    FILE *f = fopen(path, "w");
    cr_assert(f);
    fputs("{\"jacchain\": 1, \"variables\": [", f);
    for (int i = 0; i <= n; i++) fprintf(f, "%s{\"name\": \"%s\", \"size\": 1}", i ? ", " : "", names[i]);
    fputs("], \"edges\": [", f);
    for (int i = 0; i < n; i++)
        fprintf(f, "%s{\"of\": \"%s\", \"wrt\": \"%s\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[%s]]}}",
                i ? ", " : "", names[i + 1], names[i], numbers[i]);
    fputs("]}", f);
    fclose(f);
}

Test(cli_norms_pictures, the_growth_rate_per_step_is_in_the_title)
{
    static const char *const names[] = {"a", "b", "c", "d", "e"}, *const numbers[] = {"0.9", "0.9", "0.9", "0.9"};
    write_scalars("p.json", names, numbers, 4);
    char *text = text_for("p.json", "e", NULL, NULL);
    expect_has(text, "growth rate 0.9 per step of distance");
    expect_has(text, "set logscale y");
    expect_has(text, "1 0.9\n2 0.81\n3 0.729\n4 0.6561\n");
    expect_has(text, "set label 'a' at");
    cr_expect(!strstr(text, "$line"));
    free(text);
    if (!have_gnuplot()) return;
    run r = expect_code(0, "norms", "p.json", "--of", "e", "--output", "p.svg", "--quiet", NULL);
    char *svg = read_text("p.svg");
    expect_has(svg, "growth rate 0.9 per step of distance");
    expect_has(svg, "</svg>");
    free(svg);
    run_free(&r);
}

/* The states of lsnn.json are lines where the distance grows with the step; where all are as far, medians. */
Test(cli_norms_pictures, families_are_lines_and_other_variables_points)
{
    char *text = text_for(LSNN, "v6", NULL, NULL);
    cr_expect_eq(count_points(text, "line0_0"), 5); /* a1 .. a5 */
    cr_expect_eq(count_points(text, "line0_2"), 0); /* their smallest singular values are zero: */
    cr_expect_eq(count_points(text, "zero0"), 5);
    cr_expect_eq(count_points(text, "line1_2"), 5);
    cr_expect_eq(count_points(text, "points_0"), 2);
    cr_expect_eq(count_points(text, "median_0"), -1);
    expect_has(text, "title 'a1 .. a5: 1.631 per step back'");
    expect_has(text, "or within rounding of it");
    free(text);
    text = text_for(LSNN, "E", NULL, NULL);
    cr_expect_eq(count_points(text, "line0_0"), -1);
    cr_expect_eq(count_points(text, "points_0"), 26);
    cr_expect_eq(count_points(text, "points_1"), -1); /* one singular value, the norm itself */
    cr_expect_eq(count_points(text, "median_0"), 4);
    free(text);
    text = text_for(LSNN, "E", "--against", "step");
    for (int k = 0; k < 4; k++)
        cr_expect_eq(count_points(text, (char[]){'l', 'i', 'n', 'e', (char)('0' + k), '_', '0', 0}), 6);
    expect_has(text, "steps back from step 6");
    expect_has(text, "2 not shown");
    free(text);
}

/* Medians count zeros: of 1 and 4 it is 2, of 0, 0 and 5 there is none to be drawn. */
Test(cli_norms_pictures, zeros_stand_below_and_medians_are_those_of_all)
{
    write_text("z.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"T\", \"size\": 1}, {\"name\": \"a\", \"size\": "
               "1}, {\"name\": \"b\", \"size\": 1}, {\"name\": \"c\", \"size\": 1}, {\"name\": \"d\", \"size\": "
               "1}, {\"name\": \"e\", \"size\": 1}], \"edges\": ["
               "{\"of\": \"T\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\"}}, "
               "{\"of\": \"T\", \"wrt\": \"b\", \"jacobian\": {\"kind\": \"identity\", \"scale\": -4}}, "
               "{\"of\": \"a\", \"wrt\": \"c\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 0}}, "
               "{\"of\": \"a\", \"wrt\": \"d\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 0}}, "
               "{\"of\": \"a\", \"wrt\": \"e\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 5}}]}");
    char *text = text_for("z.json", "T", NULL, NULL);
    expect_has(text, "$median_0 << END\n1 2\n\nEND\n");
    expect_has(text, "set ytics add ('0' ");
    cr_expect_eq(count_points(text, "points_0"), 5);
    free(text);
    if (!have_gnuplot()) return;
    run r = expect_code(0, "norms", "z.json", "--of", "T", "--output", "z.svg", NULL);
    run_free(&r);
}

Test(cli_norms_pictures, pictures_are_of_the_kind_that_the_name_says)
{
    static const struct {
        const char *name, *begins;
    } files[] = {{"n.svg", "<?xml"}, {"n.png", "\x89PNG"}, {"n.pdf", "%PDF"}};
    if (!have_gnuplot()) return;
    for (int k = 0; k < 3; k++) {
        run r = expect_code(0, "norms", LSNN, "--of", "v6", "--output", files[k].name, "--quiet", NULL);
        char *text = read_text(files[k].name);
        cr_expect(!strncmp(text, files[k].begins, strlen(files[k].begins)), "%s", files[k].name);
        cr_expect_str_empty(r.err);
        cr_expect(strstr(r.out, "growth rate"), "what is found is printed too");
        free(text);
        run_free(&r);
    }
}

/* Norms without any number to be drawn, of nothing, and as large and small as doubles are. */
Test(cli_norms_pictures, gnuplot_draws_whatever_there_is)
{
    static const char *const names[] = {"a", "b", "c"}, *const zeros[] = {"0", "0"},
                             *const ends[] = {"1e300", "1e-310"};
    if (!have_gnuplot()) return;
    write_scalars("zeros.json", names, zeros, 2);
    write_scalars("ends.json", names, ends, 2);
    static const char *const runs[][2] = {
        {"zeros.json", "c"}, {"zeros.json", "a"}, {"ends.json", "c"}, {"ends.json", "b"}};
    for (int i = 0; i < 4; i++) {
        run r = expect_code(0, "norms", runs[i][0], "--of", runs[i][1], "--output", "n.svg", NULL);
        char *svg = read_text("n.svg");
        expect_has(svg, "</svg>");
        cr_expect(!strstr(r.err, "line ") && !strstr(r.err, "\n\n"), "%s", r.err);
        free(svg);
        run_free(&r);
    }
}

/* A star: all points at one spot, and each of their names in a place of its own. */
Test(cli_norms_pictures, names_that_would_meet_are_set_one_above_the_other)
{
    FILE *f = fopen("s.json", "w");
    fputs("{\"jacchain\": 1, \"variables\": [{\"name\": \"T\", \"size\": 1}", f);
    for (char v = 'a'; v <= 't'; v++) fprintf(f, ", {\"name\": \"%c\", \"size\": 1}", v);
    fputs("], \"edges\": [", f);
    for (char v = 'a'; v <= 't'; v++)
        fprintf(f, "%s{\"of\": \"T\", \"wrt\": \"%c\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 3}}",
                v == 'a' ? "" : ", ", v);
    fputs("]}", f);
    fclose(f);
    char *text = text_for("s.json", "T", NULL, NULL);
    double before = -1;
    for (char v = 'a'; v <= 't'; v++) {
        char wanted[32];
        double x, y = -1;
        snprintf(wanted, sizeof wanted, "set label '%c' at graph ", v);
        const char *label = strstr(text, wanted);
        cr_assert(label, "%c", v);
        cr_assert_eq(sscanf(label + strlen(wanted), "%lf,%lf", &x, &y), 2);
        cr_expect(y > before + 0.02, "%c: %g after %g", v, y, before);
        before = y;
    }
    free(text);
}

/* Names that are something else to gnuplot, the shell or XML; in backquotes a command. */
Test(cli_norms_pictures, names_are_shown_as_they_are)
{
    static const char *const names[] = {"`touch pwned`", "it's",      "@x $y", "a_b^c{d}", "&amp;", "<b>",
                                        "\"q\"",         "back\\n\\", "END",   "# no",     "''"};
    enum { N = sizeof names / sizeof names[0] };
    if (!have_gnuplot()) return;
    write_chain("h.json", names, N);
    run r = expect_code(0, "norms", "h.json", "--of", names[N - 1], "--output", "h.svg", "--quiet", NULL);
    char *svg = read_text("h.svg");
    static const char *const shown[] = {">`touch pwned`<", ">it's<",   ">@x $y<",         ">a_b^c{d}<",
                                        ">&amp;amp;<",     ">&lt;b><", ">\"q\"<",         ">back\\n\\<",
                                        ">END<",           "># no<",   ">Norms of d''/dV"};
    for (int i = 0; i < N; i++) expect_has(svg, shown[i]);
    cr_expect(!file_exists("pwned"));
    free(svg);
    run_free(&r);
    write_chain("h.json", hostile, N_HOSTILE);
    r = expect_code(0, "norms", "h.json", "--of", hostile[N_HOSTILE - 1], "--output", "h.svg", "--quiet", NULL);
    run_free(&r);
}

/* More points than can be told apart: medians alone, and not more of them than a picture has columns. */
Test(cli_norms_pictures, of_very_many_variables_medians_are_drawn)
{
    run r = expect_code(0, "gen", "chain", "--depth", "5000", "--size", "1", "--output", "c", "--quiet", NULL);
    run_free(&r);
    char *text = text_for("c.json", "v5000", NULL, NULL);
    cr_expect_eq(count_points(text, "points_0"), 0);
    int n = count_points(text, "median_0");
    cr_expect(n > 500 && n <= 1000, "%d", n);
    free(text);
    text = text_for("c.json", "v5000", "--against", "step");
    n = count_points(text, "line0_0");
    cr_expect(n > 1000 && n <= 4000, "%d", n);
    free(text);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static void expect_plot_refusal(const char *words)
{
    run r = run_arguments((const char *const[]){"norms", POST, "--of", "L", "--output", "g.svg", NULL}, NULL);
    cr_expect_eq(r.code, 4, "%d", r.code);
    cr_expect(strstr(r.err, words), "expected '%s' in: %s", words, r.err);
    cr_expect_str_empty(r.out);
    run_free(&r);
}

/* Only the old file is there, as it was. */
static void expect_untouched(void)
{
    setenv("PATH", "/usr/bin:/bin", 1);
    cr_expect(file_holds("g.svg", "old"));
    cr_expect_eq(system("test -z \"$(find . -name '*.tmp')\""), 0);
}

Test(cli_norms_pictures, without_gnuplot_the_message_names_the_package_and_norms_are_printed_without_a_plot)
{
    write_text("g.svg", "old");
    setenv("PATH", "/nowhere", 1);
    expect_plot_refusal("package gnuplot-nox");
    run r = expect_code(0, "norms", POST, "--of", "L", NULL);
    run_free(&r);
    expect_untouched();
}

Test(cli_norms_pictures, what_gnuplot_says_is_passed_on_but_for_norms_that_are_not_there)
{
    fake_gnuplot("#!/bin/sh\necho a picture\nprintf '\\n    line 3: warning: Skipping data file with no valid points\\n"
                 "no fonts\\n' >&2\n");
    run r = expect_code(0, "norms", POST, "--of", "L", "--output", "g.svg", NULL);
    cr_expect(strstr(r.err, "\nno fonts\nwrote g.svg\n") && !strstr(r.err, "warning"), "%s", r.err);
    run_free(&r);
    setenv("PATH", "/usr/bin:/bin", 1);
}

Test(cli_norms_pictures, a_gnuplot_that_fails_is_a_failure)
{
    write_text("g.svg", "old");
    fake_gnuplot("#!/bin/sh\necho half a picture\necho the reason >&2\nexit 3\n");
    expect_plot_refusal("gnuplot failed (exit code 3): the reason");
    write_text("bin/gnuplot", "#!/bin/sh\nexit 0\n");
    expect_plot_refusal("no picture");
    expect_untouched();
}

Test(cli_norms_pictures, no_picture_where_standard_output_cannot_be_written)
{
    static const char *const arguments[] = {"norms", POST, "--of", "L", "--output", "g.svg", NULL};
    write_text("g.svg", "old");
    fake_gnuplot("#!/bin/sh\necho a picture\n");
    run r = run_arguments(arguments, "/dev/full");
    cr_expect_eq(r.code, 4);
    cr_expect(strstr(r.err, "standard output cannot be written"), "%s", r.err);
    run_free(&r);
    expect_untouched();
}
