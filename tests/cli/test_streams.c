/* Exit codes, files and standard streams when things go wrong, and what a terminal gets. */
#define _GNU_SOURCE /* posix_openpt */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"

/* The exit code; nothing on standard output; what was at old.safetensors is as it was, and nothing is at new. */
static void expect_nothing_written(int code, const char *text, const char *graph, const char *option, const char *value)
{
    static const char *const files[] = {"old.safetensors", "new.safetensors"};
    for (int i = 0; i < 2; i++) {
        run r = run_command("total", graph, "--of", "L", "--json", option, value, "--output", files[i], NULL);
        cr_expect_eq(r.code, code, "%s %s: %d, %s", option, value, r.code, r.err);
        cr_expect(strstr(r.err, text), "expected '%s' in: %s", text, r.err);
        cr_expect_str_eq(r.out, "");
        cr_expect(file_holds("old.safetensors", "what was there"));
        cr_expect_not(file_exists("new.safetensors"));
        run_free(&r);
    }
}

Test(cli_streams, on_failure_nothing_is_written_and_what_was_there_stays)
{
    folder_enter();
    write_text("old.safetensors", "what was there");
    write_text("broken.json", "{\"jacchain\": 1, \"variables\": [{\"name\": \"L\", \"size\": 1}], \"edges\": [{}]}");
    expect_nothing_written(2, "no variable 'Q'", POST, "--wrt", "Q");
    expect_nothing_written(3, "broken.json: /edges/0", "broken.json", "--wrt", "L");
    expect_nothing_written(3, "nowhere.json: ", "nowhere.json", "--wrt", "L");
    expect_nothing_written(4, "not there", POST, "--backend", "cuda");
    expect_nothing_written(4, "not there", POST, "--precision", "bf16"); /* means cuda */
    expect_nothing_written(5, "10 bytes", POST, "--memory-limit", "10");
    folder_leave();
}

Test(cli_streams, product_modes_of_the_gpu_are_refused_elsewhere)
{
    run r = expect_code(2, "total", POST, "--of", "L", "--precision", "tf32", "--backend", "reference", NULL);
    run_free(&r);
    r = expect_code(2, "check", POST, "--precision", "bf16", "--backend", "cpu", NULL);
    run_free(&r);
}

Test(cli_streams, an_output_that_cannot_be_written_is_exit_code_4)
{
    folder_enter();
    run r = expect_code(4, "total", POST, "--of", "L", "--output", "nowhere/x.safetensors", NULL);
    cr_expect(strstr(r.err, "nowhere/x.safetensors"), "%s", r.err);
    run_free(&r);
    r = expect_code(2, "total", POST, "--of", "L", "--output", "x.txt", NULL);
    cr_expect(strstr(r.err, ".safetensors"), "%s", r.err);
    run_free(&r);
    r = expect_code(0, "total", POST, "--of", "L", "--output", "x.safetensors", "--json", NULL);
    cr_expect_eq(r.out[0], '{'); /* JSON beside the file */
    cr_expect(file_exists("x.safetensors"));
    run_free(&r);
    folder_leave();
}

/* d(a/db)/dc and da/d(b/dc) are both called da/db/dc. */
Test(cli_streams, results_that_would_share_a_name_are_not_written)
{
    folder_enter();
    write_text("names.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"b/dc\", \"size\": 1}, "
               "{\"name\": \"a/db\", \"size\": 1}, {\"name\": \"c\", \"size\": 1}], \"edges\": []}");
    run r =
        expect_code(2, "total", "names.json", "--of", "a,a/db", "--wrt", "b/dc,c", "--output", "x.safetensors", NULL);
    cr_expect(strstr(r.err, "da/db/dc"), "%s", r.err);
    cr_expect_not(file_exists("x.safetensors"));
    run_free(&r);
    r = expect_code(0, "total", "names.json", "--of", "a,a/db", "--wrt", "b/dc,c", NULL);
    run_free(&r);
    folder_leave();
}

Test(cli_streams, standard_output_that_cannot_be_written_is_exit_code_4)
{
    static const char *const lines[][6] = {{"total", POST, "--of", "L", NULL},
                                           {"total", POST, "--of", "L", "--json", NULL},
                                           {"plan", POST, "--of", "L", NULL},
                                           {"info", NULL},
                                           {"check", POST, NULL},
                                           {"--help", NULL},
                                           {"total", "--help", NULL},
                                           {"--version", NULL}};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        for (int closed = 0; closed < 2; closed++) {
            run r = run_arguments(lines[i], closed ? "-" : "/dev/full");
            cr_expect_eq(r.code, 4, "%s: %d", lines[i][0], r.code);
            cr_expect(strstr(r.err, "standard output cannot be written"), "%s", r.err);
            run_free(&r);
        }
    }
    folder_enter();
    run r = run_arguments(
        (const char *const[]){"total", POST, "--of", "L", "--json", "--output", "x.safetensors", NULL}, "/dev/full");
    cr_expect_eq(r.code, 4);
    cr_expect_not(file_exists("x.safetensors"));
    run_free(&r);
    r = run_arguments((const char *const[]){"draw", POST, "--json", "--output", "x.dot", NULL}, "/dev/full");
    cr_expect_eq(r.code, 4);
    cr_expect_not(file_exists("x.dot"));
    run_free(&r);
    folder_leave();
}

Test(cli_streams, a_reader_that_has_gone_is_exit_code_4_and_no_signal)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    close(ends[0]);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl(JC_COMMAND, "jacchain", "total", POST, "--of", "L", "--quiet", (char *)NULL);
        _exit(127);
    }
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 4, "%x", (unsigned)status);
    close(ends[1]);
}

/* Everything that `check GRAPH` writes to standard output and error when both are a terminal; owned by the caller. */
static char *on_terminal(const char *graph, const char *no_colour)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    cr_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
    int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    cr_assert_geq(slave, 0);
    pid_t pid = fork();
    if (pid == 0) {
        setenv("TERM", "xterm", 1);
        if (no_colour)
            setenv("NO_COLOR", no_colour, 1);
        else
            unsetenv("NO_COLOR");
        dup2(slave, 1);
        dup2(slave, 2);
        execl(JC_COMMAND, "jacchain", "check", graph, (char *)NULL);
        _exit(127);
    }
    close(slave);
    char *text = calloc(1, 65536);
    size_t used = 0;
    for (ssize_t n = 1; n > 0 && used<65535; used += n> 0 ? (size_t)n : 0) n = read(master, text + used, 65535 - used);
    int status;
    waitpid(pid, &status, 0);
    close(master);
    return text;
}

Test(cli_streams, colour_and_progress_are_for_terminals_only)
{
    char *coloured = on_terminal(POST, NULL), *plain = on_terminal(POST, "1");
    cr_expect(strstr(coloured, "\033[32mpassed"), "%s", coloured);
    cr_expect(strstr(coloured, "loading"), "%s", coloured);
    cr_expect(strstr(plain, "check passed"), "%s", plain);
    cr_expect_null(strstr(plain, "\033[32m"));
    run r = expect_code(0, "check", POST, NULL);
    cr_expect_null(strchr(r.out, '\033'));
    cr_expect_null(strchr(r.err, '\033'));
    cr_expect_null(strstr(r.err, "loading"));
    run_free(&r);
    free(plain);
    free(coloured);
}

/* What a terminal gets of a check of a ladder of that depth. */
static char *check_ladder(const char *depth)
{
    run r = expect_code(0, "gen", "ladder", "--depth", depth, "--size", "1", "--output", "long", NULL);
    run_free(&r);
    return on_terminal("long.json", "1");
}

/* How far long work is, and how fast it goes. What is long depends on the machine: the work grows until it is. */
Test(cli_streams, long_work_shows_how_far_and_how_fast_it_is)
{
    folder_enter();
    static const char *const depths[] = {"100000", "400000", "1600000"};
    char *text = check_ladder(depths[0]);
    for (int i = 1; i < 3 && !strstr(text, "checking: "); i++) {
        free(text);
        text = check_ladder(depths[i]);
    }
    const char *line = strstr(text, "checking: ");
    cr_assert(line, "%s", text);
    int percent = 0, first_of_rate = 0, n = 0;
    cr_expect_eq(
        sscanf(line, "checking: %d %%, %*[0-9,] of %*[0-9,] %*[a-z], %1d%*[0-9,]/s%n", &percent, &first_of_rate, &n), 2,
        "%s", line);
    cr_expect(n > 0 && first_of_rate > 0, "%s", line);
    cr_expect(percent >= 0 && percent <= 100, "%d", percent);
    cr_expect(strstr(text, "check passed"), "%s", text);
    free(text);
    folder_leave();
}
