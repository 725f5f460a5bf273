/* What the tables of commands and options are made into: the manual page, the completion for bash, examples. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/command.h"

TestSuite(cli_help, .init = folder_enter, .fini = folder_leave);

static bool have(const char *program)
{
    char line[64];
    snprintf(line, sizeof line, "command -v %s >/dev/null 2>&1", program);
    return system(line) == 0;
}

static char *all_of(FILE *f)
{
    char *text = NULL;
    size_t capacity = 0;
    if (getdelim(&text, &capacity, '\0', f) < 0) { /* empty */
        free(text);
        text = calloc(1, 1);
    }
    return text;
}

/* What a line of the shell prints, both streams. */
static char *shell(const char *line)
{
    char whole[1024];
    snprintf(whole, sizeof whole, "{ %s; } 2>&1", line);
    FILE *f = popen(whole, "r");
    cr_assert(f);
    char *text = all_of(f);
    pclose(f);
    return text;
}

static void write_form(const char *form, const char *path)
{
    run r = expect_code(0, "help", form, NULL);
    cr_expect_str_empty(r.err);
    write_text(path, r.out);
    run_free(&r);
}

Test(cli_help, the_manual_page_has_every_command_and_no_warnings)
{
    write_form("--man", "jacchain.1");
    if (have("man")) {
        char *said = shell("LC_ALL=C.UTF-8 man --warnings=w -l jacchain.1 >page");
        cr_expect_str_empty(said);
        free(said);
    }
    if (have("groff")) {
        char *said = shell("groff -man -ww -Tascii jacchain.1 >page");
        cr_expect_str_empty(said);
        free(said);
    }
    static const char *const parts[] = {
        ".SS total ",           ".SS draw ",  ".SS gen ",        ".SS info ",
        "\\-\\-memory\\-limit", "\\-\\-time", ".SH EXIT STATUS", "jacchain draw examples/post.json"};
    run r = expect_code(0, "help", "--man", NULL);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) cr_expect(strstr(r.out, parts[i]), "%s", parts[i]);
    run_free(&r);
}

/* What bash answers for a line whose words are given, the last one being completed: one answer a line. */
static void expect_answers(const char *expected, const char *words)
{
    char line[512];
    int n = 0;
    for (const char *p = words; *p; p++) n += *p == ' ';
    snprintf(line, sizeof line,
             "bash -c 'jacchain=%s; . ./completion; COMP_WORDS=(%s); COMP_CWORD=%d; [ ${#COMP_WORDS[@]} -gt %d ] || "
             "COMP_WORDS+=(\"\"); _jacchain $jacchain; for a in \"${COMPREPLY[@]}\"; do echo \"$a\"; done'",
             JC_COMMAND, words, n, n);
    char *answers = shell(line);
    cr_expect_str_eq(answers, expected, "%s:\n%s, expected:\n%s", words, answers, expected);
    free(answers);
}

Test(cli_help, completion_knows_commands_options_and_choices)
{
    if (!have("bash")) return;
    write_form("--bash", "completion");
    expect_answers("total\n", "jacchain tot");
    expect_answers("draw\n", "jacchain dr");
    expect_answers("--version\n", "jacchain --v");
    expect_answers("", "jacchain nothing");
    expect_answers("--wrt\n", "jacchain total g.json --wr");
    expect_answers("--per-sample\n--precision\n--plan-in\n--plan-out\n", "jacchain total g.json --p");
    expect_answers("cpu\n", "jacchain total g.json --backend cp");
    expect_answers("cpu\n", "jacchain total g.json --backend = cp");
    expect_answers("auto\nreverse\nforward\nelimination\n", "jacchain total g.json --order ");
    expect_answers("auto\nreverse\nforward\nelimination\n", "jacchain total g.json --order =");
    expect_answers("none\nnorm\n", "jacchain draw g.json --color ");
    expect_answers("ladder\nlayered\n", "jacchain gen la");
    expect_answers("--man\n", "jacchain help --m");
    expect_answers("draw\n", "jacchain help dr");
    expect_answers("", "jacchain info x");
    expect_answers("", "jacchain total g.json --threads ");
}

Test(cli_help, completion_leaves_out_options_that_are_given)
{
    if (!have("bash")) return;
    write_form("--bash", "completion");
    expect_answers("--output\n--of\n", "jacchain draw g.json --o");
    expect_answers("--of\n", "jacchain draw g.json --output x.svg --o");
}

Test(cli_help, completion_knows_files_and_variables)
{
    if (!have("bash")) return;
    write_form("--bash", "completion");
    write_text("some.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"alpha\", \"size\": 1}, {\"name\": \"al pha\", "
               "\"size\": 1}, {\"name\": \"b$c\", \"size\": 1}], \"edges\": []}");
    write_text("some.txt", "");
    write_text("some.safetensors", "");
    cr_assert_eq(system("mkdir somewhere"), 0);
    expect_answers("some.json\nsome.safetensors\nsomewhere\n", "jacchain total so");
    expect_answers("some.json\nsome.safetensors\nsomewhere\n", "jacchain check --quiet so");
    expect_answers("alpha\nal\\ pha\n", "jacchain total some.json --of al");
    expect_answers("b\\$c\n", "jacchain draw some.json --path b");
    expect_answers("alpha,b\\$c\n", "jacchain draw some.json --path alpha,b");
    expect_answers("", "jacchain draw none.json --path alpha,b");
    expect_answers("some.txt\n", "jacchain draw some.json --output some.t");
}

Test(cli_help, names_of_variables_one_a_line)
{
    run r = expect_code(0, "help", "--variables", POST, NULL);
    cr_expect_str_eq(r.out, "w\nx\ny\nz\nL\n");
    run_free(&r);
    r = expect_code(3, "help", "--variables", "missing.json", NULL);
    run_free(&r);
}

/* Every example works as it stands, from the project's folder with the command on the path. */
Test(cli_help, examples_work_as_printed)
{
    static const char *const commands[] = {"total", "vjp",  "jvp",  "partial", "paths",
                                           "check", "plan", "draw", "gen",     "info"};
    cr_assert_eq(symlink(JC_EXAMPLES, "examples"), 0);
    cr_assert_eq(symlink(JC_COMMAND, "jacchain"), 0);
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        run r = expect_code(0, commands[i], "--help", NULL);
        char *example = strstr(r.out, "\nExample:\n");
        cr_assert(example, "%s has no example", commands[i]);
        write_text("example.sh", example + strlen("\nExample:\n"));
        if (strcmp(commands[i], "draw") || have("dot")) {
            char *said = shell("PATH=.:$PATH sh -e example.sh >out && echo worked");
            cr_expect(strstr(said, "worked"), "%s: %s", commands[i], said);
            free(said);
        }
        run_free(&r);
    }
}
