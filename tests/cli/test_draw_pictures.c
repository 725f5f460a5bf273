/* draw: pictures by the program dot, where it is installed, and what happens where it is not or fails. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/draw_help.h"

TestSuite(cli_draw_pictures, .init = folder_enter, .fini = folder_leave);

/* Whether a text element of the SVG shows just this. */
static bool shows(const char *svg, const char *text)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, ">%.200s</text>", text);
    return strstr(svg, wanted);
}

Test(cli_draw_pictures, pictures_show_names_as_they_are)
{
    if (!have_dot()) return;
    write_chain("h.json", hostile, N_HOSTILE);
    run r = expect_code(0, "draw", "h.json", "--output", "h.svg", NULL);
    char *svg = read_text("h.svg");
    cr_expect(strstr(svg, "<svg") && strstr(svg, "</svg>"));
    static const char *const shown[] = {"\\N&#160; ",       "a&quot;b&#160; ", "&lt;b&gt;bold&lt;b&gt;&#160; ",
                                        "&amp;amp;&#160; ", "\\&#160; ",       "\\G\\E\\n&#160; "};
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++) {
        char *text = strdup(shown[i]), plain[128], *space = strstr(text, "&#160;");
        snprintf(plain, sizeof plain, "%.*s\xC2\xA0 ", (int)(space - text), text);
        cr_expect(shows(svg, text) || shows(svg, plain), "'%s' is not shown", text);
        free(text);
    }
    cr_expect(!strstr(svg, ">evil"));
    free(svg);
    run_free(&r);
}

Test(cli_draw_pictures, pictures_are_of_the_kind_that_the_name_says)
{
    if (!have_dot()) return;
    static const struct {
        const char *name, *begins;
    } files[] = {{"g.svg", "<?xml"}, {"g.png", "\x89PNG"}, {"g.pdf", "%PDF"}, {"g.dot", "digraph"}};
    static const char *const graphs[] = {POST, LSNN, NETWORKS "squeezenet.json"};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            run r = expect_code(0, "draw", graphs[i], "--output", files[k].name, NULL);
            char *text = read_text(files[k].name);
            cr_expect(!strncmp(text, files[k].begins, strlen(files[k].begins)), "%s", files[k].name);
            cr_expect(strstr(r.err, "edges"), "%s", r.err);
            free(text);
            run_free(&r);
        }
    }
    char *svg = read_text("g.svg");
    cr_expect(strstr(svg, "softmax_66"));
    free(svg);
}

Test(cli_draw_pictures, graphviz_draws_graphs_with_next_to_nothing_in_them)
{
    if (!have_dot()) return;
    static const char *const documents[] = {
        "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}], \"edges\": []}",
        "{\"jacchain\": 1, \"variables\": [{\"name\": \"g/a\", \"size\": 1}, {\"name\": \"b\", \"size\": 1}], "
        "\"edges\": [{\"of\": \"b\", \"wrt\": \"g/a\", \"jacobian\": {\"kind\": \"identity\", \"scale\": 0}}]}"};
    for (int i = 0; i < 2; i++) {
        write_text("d.json", documents[i]);
        run r = expect_code(0, "draw", "d.json", "--output", "d.svg", "--color", "norm", NULL);
        run_free(&r);
    }
    run r = expect_code(0, "draw", POST, "--output", "d.svg", "--color", "norm", "--of", "w", "--wrt", "L", NULL);
    cr_expect(strstr(r.err, "no edge is on a path"), "%s", r.err);
    run_free(&r);
}

Test(cli_draw_pictures, graphviz_sees_the_same_graph)
{
    if (!have_dot()) return;
    static const struct {
        const char *graph;
        int nodes, edges;
    } graphs[] = {{POST, 5, 8}, {LSNN, 27, 66}, {DIGITS, 24, 44}, {NETWORKS "squeezenet.json", 67, 74}};
    for (int i = 0; i < 4; i++) {
        run r = expect_code(0, "draw", graphs[i].graph, "--output", "g.dot", NULL);
        cr_assert_eq(system("dot -Tplain g.dot >g.plain 2>g.err"), 0);
        char *plain = read_text("g.plain"), *said = read_text("g.err");
        int nodes = 0, edges = 0;
        for (const char *p = plain; p; p = strchr(p, '\n') ? strchr(p, '\n') + 1 : NULL) {
            nodes += !strncmp(p, "node ", 5);
            edges += !strncmp(p, "edge ", 5);
        }
        cr_expect_eq(nodes, graphs[i].nodes);
        cr_expect_eq(edges, graphs[i].edges);
        cr_expect_str_empty(said);
        free(said);
        free(plain);
        run_free(&r);
    }
}

Test(cli_draw_pictures, over_2000_variables_or_20000_edges_only_dot_text)
{
    run r = expect_code(0, "gen", "chain", "--depth", "2000", "--size", "1", "--output", "c", "--quiet", NULL);
    run_free(&r);
    write_text("c.svg", "old");
    expect_draw_refusal(2, "2,001 variables", "c.json", "--output", "c.svg", NULL);
    expect_draw_refusal(2, ".dot", "c.json", "--output", "c.png", NULL);
    cr_expect(file_holds("c.svg", "old"));
    cr_expect(!file_exists("c.png"));
    r = expect_code(0, "gen", "densenet", "--blocks", "4", "--layers", "150", "--size", "1", "--output", "d", "--quiet",
                    NULL);
    run_free(&r);
    expect_draw_refusal(2, " edges, too many", "d.json", "--output", "c.svg", NULL);
    dot_graph g = draw("c.json", NULL, NULL);
    cr_expect_eq(g.n_nodes, 2001);
    cr_expect_eq(g.n_edges, 2000);
    dot_free(&g);
}

/* The only program on the path is a dot with this text. */
static void fake_dot(const char *script)
{
    cr_assert_eq(mkdir("bin", 0777), 0);
    write_text("bin/dot", script);
    cr_assert_eq(chmod("bin/dot", 0755), 0);
    char path[256], folder[128];
    cr_assert(getcwd(folder, sizeof folder));
    snprintf(path, sizeof path, "%s/bin", folder);
    setenv("PATH", path, 1);
}

/* Only the old file is there, as it was. */
static void expect_untouched(void)
{
    setenv("PATH", "/usr/bin:/bin", 1);
    cr_expect(file_holds("g.svg", "old"));
    cr_expect_eq(system("test -z \"$(find . -name '*.tmp')\""), 0);
}

Test(cli_draw_pictures, without_the_program_dot_the_message_names_the_package)
{
    write_text("g.svg", "old");
    setenv("PATH", "/nowhere", 1);
    expect_draw_refusal(4, "package graphviz", POST, "--output", "g.svg", NULL);
    expect_draw_refusal(4, ".dot", POST, "--output", "g.svg", NULL);
    run r = expect_code(0, "draw", POST, "--output", "g.dot", NULL);
    run_free(&r);
    expect_untouched();
}

Test(cli_draw_pictures, what_dot_says_when_it_fails_is_passed_on)
{
    write_text("g.svg", "old");
    fake_dot("#!/bin/sh\necho half a picture\necho the reason >&2\nexit 3\n");
    expect_draw_refusal(4, "exit code 3): the reason", POST, "--output", "g.svg", NULL);
    expect_untouched();
}

Test(cli_draw_pictures, a_dot_that_is_killed_or_draws_nothing_is_a_failure)
{
    write_text("g.svg", "old");
    fake_dot("#!/bin/sh\nkill -9 $$\n");
    expect_draw_refusal(4, "signal 9", POST, "--output", "g.svg", NULL);
    write_text("bin/dot", "#!/bin/sh\nexit 0\n");
    expect_draw_refusal(4, "no picture", POST, "--output", "g.svg", NULL);
    expect_untouched();
}

Test(cli_draw_pictures, the_text_reaches_dot_and_its_picture_the_file)
{
    fake_dot("#!/bin/sh\n[ \"$1\" = -Tsvg ] || exit 1\nwhile read -r line; do printf '%s\\n' \"$line\"; done\n");
    run r = expect_code(0, "draw", POST, "--output", "g.svg", "--quiet", NULL);
    run_free(&r);
    r = expect_code(0, "draw", POST, "--output", "g.dot", "--quiet", NULL);
    run_free(&r);
    dot_graph g = dot_read_file("g.svg"), h = dot_read_file("g.dot");
    cr_expect_eq(g.n_edges, h.n_edges);
    dot_free(&h);
    dot_free(&g);
    setenv("PATH", "/usr/bin:/bin", 1);
}

Test(cli_draw_pictures, where_no_file_can_be_put_exit_code_4)
{
    expect_draw_refusal(4, "no such/g.dot", POST, "--output", "no such/g.dot", NULL);
    cr_assert_eq(mkdir("f.dot", 0777), 0);
    expect_draw_refusal(4, "f.dot", POST, "--output", "f.dot", NULL);
}

Test(cli_draw_pictures, wrong_requests_are_refused)
{
    expect_draw_refusal(2, "--output is missing", POST, NULL);
    expect_draw_refusal(2, ".svg, .png, .pdf or .dot", POST, "--output", "g.jpg", NULL);
    expect_draw_refusal(2, ".svg, .png, .pdf or .dot", POST, "--output", ".svg", NULL);
    expect_draw_refusal(2, "'Q'", POST, "--output", "g.dot", "--of", "Q", NULL);
    expect_draw_refusal(2, "'Q'", POST, "--output", "g.dot", "--wrt", "w,Q", NULL);
    expect_draw_refusal(2, "'Q'", POST, "--output", "g.dot", "--path", "w,Q", NULL);
    expect_draw_refusal(2, "two variables", POST, "--output", "g.dot", "--path", "w", NULL);
    expect_draw_refusal(2, "no edge leads from w to L", POST, "--output", "g.dot", "--path", "w,L", NULL);
    expect_draw_refusal(2, "no edge leads from x to w", POST, "--output", "g.dot", "--path", "x,w", NULL);
    expect_draw_refusal(2, "--color takes one of", POST, "--output", "g.dot", "--color", "red", NULL);
    expect_draw_refusal(3, "cannot be read", "missing.json", "--output", "g.dot", NULL);
    cr_expect(!file_exists("g.dot"));
}
