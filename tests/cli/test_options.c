#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "jacchain.h"

static const char *const commands[] = {"total", "vjp", "jvp", "check", "plan", "draw", "gen", "info"};
enum { N_COMMANDS = sizeof commands / sizeof commands[0] };

static void expect_out(const char *text, int code, const char *const *arguments)
{
    run r = run_arguments(arguments, NULL);
    cr_expect_eq(r.code, code, "%s", r.err);
    cr_expect(strstr(r.out, text), "expected '%s' in:\n%s", text, r.out);
    run_free(&r);
}

/* The exit code is 2, standard output is empty, and standard error has the text. */
static void expect_refusal(const char *text, const char *const *arguments)
{
    run r = run_arguments(arguments, NULL);
    cr_expect_eq(r.code, 2, "%d: %s", r.code, r.err);
    cr_expect(strstr(r.err, text), "expected '%s' in:\n%s", text, r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
}

#define ARGUMENTS(...) ((const char *const[]){__VA_ARGS__, NULL})

static size_t longest_line(const char *text)
{
    size_t longest = 0;
    for (; *text; text += strcspn(text, "\n") + (strchr(text, '\n') != NULL)) {
        size_t n = strcspn(text, "\n");
        if (n > longest) longest = n;
    }
    return longest;
}

Test(cli_options, every_command_has_help_on_standard_output_within_100_columns)
{
    for (int i = 0; i < N_COMMANDS; i++) {
        run r = expect_code(0, commands[i], "--help", NULL);
        run same = expect_code(0, "help", commands[i], NULL);
        cr_expect_str_eq(r.out, same.out);
        cr_expect_str_eq(r.err, "");
        cr_expect(strstr(r.out, commands[i]));
        cr_expect(strstr(r.out, "--help"));
        cr_expect_leq(longest_line(r.out), 100, "%s: %zu columns", commands[i], longest_line(r.out));
        run_free(&same);
        run_free(&r);
    }
    run general = expect_code(0, "--help", NULL);
    for (int i = 0; i < N_COMMANDS; i++) cr_expect(strstr(general.out, commands[i]), "%s", commands[i]);
    cr_expect_leq(longest_line(general.out), 100);
    run_free(&general);
}

Test(cli_options, help_wins_over_what_else_is_wrong)
{
    run r = expect_code(0, "total", "--frob", "--help", NULL);
    run_free(&r);
    r = expect_code(2, "total", "--", "--help", NULL); /* the word of that name, and --of is missing */
    run_free(&r);
}

Test(cli_options, help_of_a_computing_command_names_every_option_that_it_takes)
{
    static const char *const names[] = {"--of",        "--wrt",   "--per-sample",   "--backend",
                                        "--precision", "--order", "--memory-limit", "--output",
                                        "--json",      "--quiet", "--values",       "--threads"};
    run r = expect_code(0, "total", "--help", NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) cr_expect(strstr(r.out, names[i]), "%s", names[i]);
    run_free(&r);
}

Test(cli_options, version_is_that_of_the_library)
{
    expect_out("jacchain " JACCHAIN_VERSION "\n", 0, ARGUMENTS("--version"));
}

Test(cli_options, both_spellings_and_any_place_give_the_same)
{
    expect_out("\n   6  10   6  -4\n", 0, ARGUMENTS("total", POST, "--of", "y", "--wrt", "w"));
    expect_out("\n   6  10   6  -4\n", 0, ARGUMENTS("total", "--of=y", "--wrt=w", POST));
    expect_out("\n   6  10   6  -4\n", 0, ARGUMENTS("total", "--of", "y", "--wrt=w", "--", POST));
}

Test(cli_options, wrong_command_lines_are_refused_with_a_hint)
{
    expect_refusal("command is missing", ARGUMENTS(NULL));
    expect_refusal("unknown command 'frob'", ARGUMENTS("frob", POST));
    expect_refusal("is total meant?", ARGUMENTS("totla", POST));
    expect_refusal("is --wrt meant?", ARGUMENTS("total", POST, "--wtr", "w"));
    expect_refusal("is 'reference' meant?", ARGUMENTS("total", POST, "--of", "L", "--backend", "refrence"));
    expect_refusal("no variable 'l'; is 'L' meant?", ARGUMENTS("total", POST, "--of", "l"));
    expect_refusal("is 'layered' meant?", ARGUMENTS("gen", "layerd", "--output", "x"));
    expect_refusal("unknown option '--preci",
                   ARGUMENTS("total", POST, "--of", "L", "--preci", "f64")); /* abbreviated */
    expect_refusal("is --precision meant?", ARGUMENTS("total", POST, "--of", "L", "--preci", "f64"));
    expect_refusal("unknown option '-q'", ARGUMENTS("total", POST, "--of", "L", "-q"));
    expect_refusal("GRAPH is missing", ARGUMENTS("total", "--of", "L"));
    expect_refusal("'b' is one word too many", ARGUMENTS("total", POST, "b"));
    expect_refusal("--of is missing", ARGUMENTS("total", POST));
    expect_refusal("--of needs a value", ARGUMENTS("total", POST, "--of"));
    expect_refusal("--of needs a value", ARGUMENTS("total", POST, "--of="));
    expect_refusal("--of needs a value", ARGUMENTS("total", POST, "--of", "--wrt", "w"));
    expect_refusal("--json takes no value", ARGUMENTS("total", POST, "--of", "L", "--json=yes"));
    expect_refusal("--of is given twice", ARGUMENTS("total", POST, "--of", "L", "--of=y"));
    expect_refusal("--quiet is given twice", ARGUMENTS("total", POST, "--of", "L", "--quiet", "--quiet"));
    expect_refusal("--help", ARGUMENTS("total", POST)); /* the hint */
}

Test(cli_options, variable_lists_are_checked)
{
    expect_refusal("no variable 'Q'", ARGUMENTS("total", POST, "--of", "Q"));
    expect_refusal("no variable ' w'", ARGUMENTS("total", POST, "--of", "L", "--wrt", "x, w"));
    expect_refusal("a name in the list is empty", ARGUMENTS("total", POST, "--of", "L", "--wrt", "w,"));
    expect_refusal("--of names L twice", ARGUMENTS("total", POST, "--of", "L,y,L"));
    expect_refusal("--wrt names w twice", ARGUMENTS("total", POST, "--of", "L", "--wrt", "w,w"));
}

Test(cli_options, numbers_and_words_are_read_strictly)
{
    static const char *const bad_counts[] = {"3x", "0",   "-1",  "+2",  " 2",
                                             "2 ", "0x2", "1e3", "2.0", "99999999999999999999"};
    static const char *const bad_sizes[] = {"12",  "0",   "0K",     "-1M", "512MB",     "512m",      "1.5",
                                            "1.G", ".5G", "1.5.5G", "G",   "99999999T", "1.1234567G"};
    for (size_t i = 0; i < sizeof bad_counts / sizeof bad_counts[0]; i++) {
        expect_refusal("--seed-width takes a whole number",
                       ARGUMENTS("plan", POST, "--of", "L", "--seed-width", bad_counts[i]));
        expect_refusal("--threads takes a whole number",
                       ARGUMENTS("plan", POST, "--of", "L", "--threads", bad_counts[i]));
    }
    for (size_t i = 1; i < sizeof bad_sizes / sizeof bad_sizes[0]; i++)
        expect_refusal("--memory-limit takes bytes",
                       ARGUMENTS("plan", POST, "--of", "L", "--memory-limit", bad_sizes[i]));
    expect_refusal("--order takes one of", ARGUMENTS("plan", POST, "--of", "L", "--order", "backward"));
    expect_refusal("--backend takes one of", ARGUMENTS("plan", POST, "--of", "L", "--backend", "gpu"));
    expect_refusal("--precision takes one of", ARGUMENTS("plan", POST, "--of", "L", "--precision", "f16"));
}

/* 2 GiB - 1 fits, the limit is compared in bytes: the size 0.25K is 256 bytes, what the plan of post needs on its own
 * says whether it fits. */
Test(cli_options, sizes_count_in_powers_of_1024)
{
    static const struct {
        const char *text;
        int64_t bytes;
    } sizes[] = {{"1000000", 1000000},       {"1K", 1024},   {"3M", 3 << 20},
                 {"1.5G", (int64_t)3 << 29}, {"0.25K", 256}, {"2T", (int64_t)1 << 41}};
    json_t *plan = expect_json(0, "plan", POST, "--of", "L", "--backend", "reference", "--json", NULL);
    int64_t peak = json_integer_value(json_at(plan, "peak_bytes"));
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        run r = run_command("plan", POST, "--of", "L", "--backend", "reference", "--memory-limit", sizes[i].text, NULL);
        cr_expect_eq(r.code, sizes[i].bytes >= peak ? 0 : 5, "%s: %d", sizes[i].text, r.code);
        run_free(&r);
    }
    run r = run_command("total", POST, "--of", "L", "--memory-limit", "0.015625K", NULL);
    cr_expect_eq(r.code, 5);
    cr_expect(strstr(r.err, " 16 bytes"), "%s", r.err);
    run_free(&r);
    json_decref(plan);
}

/* One line on standard error, and nothing done. */
static void expect_not_yet(const char *const *arguments)
{
    run r = run_arguments(arguments, NULL);
    const char *end = strchr(r.err, '\n');
    cr_expect_eq(r.code, 2, "%s: %d", arguments[0], r.code);
    cr_expect(strstr(r.err, "is not there yet"), "%s", r.err);
    cr_expect(end && !end[1], "one line:\n%s", r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
}

Test(cli_options, what_is_not_there_yet_says_so_in_one_line)
{
    expect_not_yet(ARGUMENTS("bench", POST, "--of", "L"));
}
