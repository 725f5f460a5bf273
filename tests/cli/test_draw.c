/* draw: its DOT text read by a reader of the tests' own, its pictures where Graphviz is installed. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/dot_reader.h"
#include "support/pool.h"

#define LSNN JC_TEST_DATA "/lsnn.json"
#define NETWORKS JC_TEST_DATA "/networks/"

TestSuite(cli_draw, .init = folder_enter, .fini = folder_leave);

/* Whether the program dot is there: tests of pictures have nothing to look at without it. */
static bool have_dot(void)
{
    return system("command -v dot >/dev/null 2>&1") == 0;
}

static dot_graph draw(const char *graph, const char *option, const char *value)
{
    run r = expect_code(0, "draw", graph, "--output", "g.dot", "--quiet", option, value, NULL);
    cr_expect_str_empty(r.out);
    cr_expect_str_empty(r.err);
    run_free(&r);
    return dot_read_file("g.dot");
}

/* Runs draw with these arguments after `graph`; the exit code must be `code` and standard error have the text. */
static void expect_refusal(int code, const char *text, const char *graph, ...)
{
    const char *arguments[16] = {"draw", graph};
    va_list args;
    va_start(args, graph);
    for (int n = 2; (arguments[n] = va_arg(args, const char *)); n++) cr_assert_lt(n, 14);
    va_end(args);
    run r = run_arguments(arguments, NULL);
    cr_expect_eq(r.code, code, "%d, expected %d: %s", r.code, code, r.err);
    cr_expect(strstr(r.err, text), "expected '%s' in: %s", text, r.err);
    cr_expect_str_empty(r.out);
    run_free(&r);
}

static void expect_label(const dot_item *item, const char *expected)
{
    char *text = dot_text(dot_get(item, "label"));
    cr_expect_str_eq(text, expected);
    free(text);
}

Test(cli_draw, variables_are_nodes_with_sizes_and_edges_lead_from_wrt_to_of)
{
    static const struct {
        const char *wrt, *of, *index, *shape;
    } edges[] = {{"w", "x", "Dxw", "3 x 4"}, {"x", "y", "Dyx", "2 x 3"}, {"w", "y", "Dyw", "2 x 4"},
                 {"y", "z", "Dzy", "5 x 2"}, {"w", "z", "Dzw", "5 x 4"}, {"x", "L", "DLx", "1 x 3"},
                 {"y", "L", "DLy", "1 x 2"}, {"z", "L", "DLz", "1 x 5"}};
    dot_graph g = draw(POST, NULL, NULL);
    cr_assert_eq(g.n_nodes, 5);
    cr_assert_eq(g.n_edges, 8);
    expect_label(dot_node(&g, "w"), "w\n4");
    expect_label(dot_node(&g, "z"), "z\n5");
    for (int e = 0; e < 8; e++) {
        const dot_item *i = dot_edge(&g, e);
        cr_expect_str_eq(i->from, edges[e].wrt);
        cr_expect_str_eq(i->name, edges[e].of);
        expect_label(i, edges[e].index);
        cr_expect(strstr(dot_get(i, "tooltip"), edges[e].shape) && strstr(dot_get(i, "tooltip"), "dense"), "%s",
                  dot_get(i, "tooltip"));
    }
    dot_free(&g);
}

Test(cli_draw, every_parallel_edge_is_there_with_its_labels)
{
    write_text("p.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 2}, {\"name\": \"b\", \"size\": 2}], "
               "\"edges\": [{\"of\": \"b\", \"wrt\": \"a\", \"label\": \"one\", \"jacobian\": {\"kind\": "
               "\"identity\"}}, {\"of\": \"b\", \"wrt\": \"a\", \"label\": [\"two\", \"more\"], \"jacobian\": "
               "{\"kind\": \"dense\", \"transpose\": true, \"inner\": 2}}]}");
    dot_graph g = draw("p.json", NULL, NULL);
    cr_assert_eq(g.n_edges, 2);
    cr_expect(strstr(dot_get(dot_edge(&g, 0), "label"), "one"));
    cr_expect(strstr(dot_get(dot_edge(&g, 1), "label"), "two, more"));
    cr_expect(strstr(dot_get(dot_edge(&g, 1), "tooltip"), "dense, transposed, inner 2; edge 1; two, more"), "%s",
              dot_get(dot_edge(&g, 1), "tooltip"));
    dot_free(&g);
}

/* ---- names --------------------------------------------------------------------------------------------------- */

static const char *const hostile[] = {"a\"b",
                                      "back\\",
                                      "\\\\",
                                      "\\N",
                                      "\\",
                                      "<b>bold<b>",
                                      "a]; evil [label=x",
                                      "a->b",
                                      "&amp;",
                                      "&lt;x",
                                      "x\\\"y",
                                      "node",
                                      "subgraph",
                                      "-->",
                                      " space",
                                      "a  b ",
                                      "a:b:c",
                                      "\xF0\x9F\x98\x80",
                                      "\xC3\xA9t\xC3\xA9",
                                      "\xEF\xBF\xBF",
                                      "'single'",
                                      "{r|s}",
                                      "#",
                                      "//c",
                                      "\\G\\E\\n"};
enum { N_HOSTILE = sizeof hostile / sizeof hostile[0] };

static void write_json_text(FILE *f, const char *text)
{
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc('\\', f);
        putc(*text, f);
    }
    putc('"', f);
}

/* A chain of one-scalar variables with these names. */
static void write_chain(const char *path, const char *const *names, int n)
{
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    fputs("{\"jacchain\": 1, \"variables\": [", f);
    for (int i = 0; i < n; i++) {
        fputs(i ? ", {\"name\": " : "{\"name\": ", f);
        write_json_text(f, names[i]);
        fputs(", \"size\": 1}", f);
    }
    fputs("], \"edges\": [", f);
    for (int i = 1; i < n; i++) {
        fputs(i > 1 ? ", {\"of\": " : "{\"of\": ", f);
        write_json_text(f, names[i]);
        fputs(", \"wrt\": ", f);
        write_json_text(f, names[i - 1]);
        fputs(", \"jacobian\": {\"kind\": \"dense\", \"values\": [[2]]}}", f);
    }
    fputs("]}\n", f);
    fclose(f);
}

Test(cli_draw, any_name_is_read_back_as_it_is)
{
    write_chain("h.json", hostile, N_HOSTILE);
    dot_graph g = draw("h.json", NULL, NULL);
    cr_assert_eq(g.n_nodes, N_HOSTILE);
    cr_assert_eq(g.n_edges, N_HOSTILE - 1);
    for (int i = 0; i < N_HOSTILE; i++) {
        char expected[64];
        const char *leaf = hostile[i][0] == '/' ? "//c" : hostile[i]; /* no group, though it has slashes */
        snprintf(expected, sizeof expected, "%s  1", strcmp(leaf, "\xEF\xBF\xBF") ? leaf : "\xEF\xBF\xBD");
        expect_label(dot_node(&g, hostile[i]), expected);
    }
    for (int i = 1; i < N_HOSTILE; i++) {
        cr_expect_str_eq(dot_edge(&g, i - 1)->from, hostile[i - 1]);
        cr_expect_str_eq(dot_edge(&g, i - 1)->name, hostile[i]);
    }
    dot_free(&g);
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    char *text = NULL;
    size_t capacity = 0;
    cr_assert(f, "%s", path);
    if (getdelim(&text, &capacity, '\0', f) < 0) { /* empty */
        free(text);
        text = calloc(1, 1);
    }
    fclose(f);
    return text;
}

/* Whether a text element of the SVG shows just this. */
static bool shows(const char *svg, const char *text)
{
    char wanted[256];
    snprintf(wanted, sizeof wanted, ">%.200s</text>", text);
    return strstr(svg, wanted);
}

Test(cli_draw, pictures_show_names_as_they_are)
{
    if (!have_dot()) return;
    write_chain("h.json", hostile, N_HOSTILE);
    run r = expect_code(0, "draw", "h.json", "--output", "h.svg", NULL);
    char *svg = read_file("h.svg");
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

Test(cli_draw, long_names_are_cut_in_the_node_and_whole_in_the_tooltip)
{
    char name[400] = "";
    for (int i = 0; i < 90; i++) strcat(name, "\xC3\xA9");
    write_chain("l.json", (const char *const[]){"a", name}, 2);
    dot_graph g = draw("l.json", NULL, NULL);
    char *text = dot_text(dot_get(dot_node(&g, name), "label"));
    cr_expect_lt(strlen(text), 70);
    cr_expect(strstr(text, "\xC3\xA9\xE2\x80\xA6"), "%s", text);
    cr_expect(strstr(dot_get(dot_node(&g, name), "tooltip"), name));
    free(text);
    dot_free(&g);
}

Test(cli_draw, the_part_before_a_slash_is_a_group_and_groups_nest)
{
    static const char *const names[] = {"a/b/c", "x", "a/d", "a/b/e", "ab/f", "a-/g", "a//b/h", "/i", "j/", "q\"<\\/k"};
    static const char *const groups[] = {"|a|b", "", "|a", "|a|b", "|ab", "|a-", "|a|b", "", "", "|q\"<\\\xE2\x80\x8B"};
    static const char *const leaves[] = {"c", "x", "d", "e", "f", "g", "h", "/i", "j/", "k"};
    enum { N = sizeof names / sizeof names[0] };
    write_chain("g.json", names, N);
    dot_graph g = draw("g.json", NULL, NULL);
    cr_assert_eq(g.n_nodes, N);
    cr_assert_eq(g.n_edges, N - 1);
    for (int i = 0; i < N; i++) {
        char expected[32];
        const dot_item *node = dot_node(&g, names[i]);
        cr_expect_str_eq(node->groups, groups[i], "%s is in '%s', expected '%s'", names[i], node->groups, groups[i]);
        snprintf(expected, sizeof expected, "%s\n1", leaves[i]);
        expect_label(node, expected);
    }
    cr_expect_str_eq(dot_node(&g, "a/b/c")->cluster, dot_node(&g, "a//b/h")->cluster);
    cr_expect_str_neq(dot_node(&g, "a/b/c")->cluster, dot_node(&g, "a/d")->cluster);
    dot_free(&g);
}

/* ---- what is highlighted ------------------------------------------------------------------------------------- */

enum { MOST = 9, MOST_EDGES = 40 };

typedef struct random_graph {
    int n, m, of[MOST_EDGES], wrt[MOST_EDGES];
    int number[MOST]; /* the variable's place in the document */
} random_graph;

/* Edges lead from lower to higher in an order that the document does not have. */
static random_graph random_document(const char *path, jt_rng *rng)
{
    random_graph g = {.n = (int)jt_between(rng, 2, MOST)};
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    for (int i = 0; i < g.n; i++) g.number[i] = i;
    for (int i = g.n - 1; i > 0; i--) {
        int j = (int)jt_below(rng, i + 1), t = g.number[i];
        g.number[i] = g.number[j], g.number[j] = t;
    }
    fputs("{\"jacchain\": 1, \"variables\": [", f);
    for (int i = 0; i < g.n; i++) fprintf(f, "%s{\"name\": \"v%d\", \"size\": 1}", i ? ", " : "", i);
    fputs("], \"edges\": [", f);
    for (int wanted = (int)jt_below(rng, 2 * g.n + 1); g.m < wanted; g.m++) {
        int a = (int)jt_below(rng, g.n - 1), b = (int)jt_between(rng, a + 1, g.n - 1);
        g.wrt[g.m] = g.number[a], g.of[g.m] = g.number[b];
        fprintf(f, "%s{\"of\": \"v%d\", \"wrt\": \"v%d\", \"jacobian\": {\"kind\": \"dense\"}}", g.m ? ", " : "",
                g.of[g.m], g.wrt[g.m]);
    }
    fputs("]}", f);
    fclose(f);
    return g;
}

/* Marks the edges of every path from v to a target, one path after the other. */
static bool walk(const random_graph *g, const bool *target, int v, bool *on)
{
    bool any = target[v];
    for (int e = 0; e < g->m; e++) {
        if (g->wrt[e] != v || !walk(g, target, g->of[e], on)) continue;
        on[e] = any = true;
    }
    return any;
}

/* A random set as the text of a list, not empty. */
static void random_set(jt_rng *rng, const random_graph *g, bool *set, char text[64])
{
    int n = (int)jt_between(rng, 1, 2);
    *text = '\0';
    for (int i = 0; i < n; i++) {
        int v = (int)jt_below(rng, g->n);
        if (set[v]) continue;
        set[v] = true;
        sprintf(text + strlen(text), "%sv%d", *text ? "," : "", v);
    }
}

static void find_ends(const random_graph *g, const int *taken, bool *set)
{
    for (int v = 0; v < g->n; v++) {
        set[v] = true;
        for (int e = 0; e < g->m; e++) set[v] = set[v] && taken[e] != v;
    }
}

static void check_highlight(jt_rng *rng)
{
    bool target[MOST] = {false}, source[MOST] = {false}, on[MOST_EDGES] = {false};
    char of[64], wrt[64];
    random_graph g = random_document("r.json", rng);
    bool say_of = jt_below(rng, 4) > 0, say_wrt = !say_of || jt_below(rng, 4) > 0;
    if (say_of)
        random_set(rng, &g, target, of);
    else
        find_ends(&g, g.wrt, target);
    if (say_wrt)
        random_set(rng, &g, source, wrt);
    else
        find_ends(&g, g.of, source);
    for (int v = 0; v < g.n; v++) {
        if (source[v]) walk(&g, target, v, on);
    }
    const char *arguments[] = {"draw",
                               "r.json",
                               "--output",
                               "r.dot",
                               "--quiet",
                               say_of ? "--of" : "--wrt",
                               say_of ? of : wrt,
                               say_of && say_wrt ? "--wrt" : NULL,
                               wrt,
                               NULL};
    run r = run_arguments(arguments, NULL);
    cr_assert_eq(r.code, 0, "%s", r.err);
    dot_graph d = dot_read_file("r.dot");
    for (int e = 0; e < g.m; e++) {
        bool drawn = !strcmp(dot_get(dot_edge(&d, e), "color"), "#0072b2");
        cr_assert_eq(drawn, on[e], "edge %d, v%d <- v%d", e, g.of[e], g.wrt[e]);
    }
    for (int v = 0; v < g.n && say_of && say_wrt; v++) {
        char name[16];
        sprintf(name, "v%d", v);
        bool bold = atof(dot_get(dot_node(&d, name), "penwidth")) > 2;
        cr_assert_eq(bold, target[v] || source[v]);
    }
    dot_free(&d);
    run_free(&r);
}

Test(cli_draw, highlighted_are_the_edges_of_all_paths_between)
{
    jt_rng rng = {20};
    for (int i = 0; i < 150; i++) check_highlight(&rng);
}

Test(cli_draw, a_path_is_marked_with_all_its_parallel_edges)
{
    run r = expect_code(0, "draw", LSNN, "--output", "g.dot", "--path", "W_rec,v1,z1,v2,z2", "--quiet", NULL);
    dot_graph g = dot_read_file("g.dot");
    int marked = 0;
    for (int64_t i = 0; i < g.n_edges; i++) {
        const dot_item *e = &g.edges[i];
        bool on = (!strcmp(e->from, "W_rec") && !strcmp(e->name, "v1")) ||
                  (!strcmp(e->from, "v1") && !strcmp(e->name, "z1")) ||
                  (!strcmp(e->from, "z1") && !strcmp(e->name, "v2")) ||
                  (!strcmp(e->from, "v2") && !strcmp(e->name, "z2"));
        cr_expect_eq(!strcmp(dot_get(e, "color"), "#d55e00"), on, "%s -> %s", e->from, e->name);
        marked += on;
    }
    cr_expect_eq(marked, 5); /* two from z1 to v2 */
    cr_expect_str_eq(dot_get(dot_node(&g, "z2"), "color"), "#d55e00");
    cr_expect_str_neq(dot_get(dot_node(&g, "z3"), "color"), "#d55e00");
    dot_free(&g);
    run_free(&r);
}

Test(cli_draw, json_says_what_is_marked)
{
    json_t *j = expect_json(0, "draw", POST, "--output", "g.dot", "--of", "L", "--wrt", "y", "--path", "w,x,L",
                            "--color", "norm", "--json", "--quiet", NULL);
    cr_expect(json_same(json_at(j, "edges_between"), "[3, 6, 7]"));
    cr_expect(json_same(json_at(j, "edges_on_path"), "[0, 5]"));
    cr_expect(json_same(json_at(j, "variables"), "5"));
    cr_expect(json_same(json_at(j, "norms/without_numbers"), "0"));
    json_decref(j);
}

/* ---- colours ------------------------------------------------------------------------------------------------- */

/* Relative luminance of "#rrggbb", 0 to 1. */
static double luminance(const char *colour)
{
    static const double weight[3] = {0.2126, 0.7152, 0.0722};
    unsigned c[3];
    double sum = 0;
    cr_assert_eq(sscanf(colour, "#%2x%2x%2x", &c[0], &c[1], &c[2]), 3, "%s", colour);
    for (int i = 0; i < 3; i++) sum += weight[i] * pow(c[i] / 255.0, 2.2);
    return sum;
}

Test(cli_draw, colours_are_darker_and_lines_wider_with_the_norm)
{
    enum { N = 30 };
    FILE *f = fopen("c.json", "wb");
    cr_assert(f);
    fputs("{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"b\", \"size\": 1}], "
          "\"edges\": [",
          f);
    for (int i = 0; i < N; i++)
        fprintf(f, "{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[%.17g]]}}, ",
                (i % 2 ? -1 : 1) * 1e-9 * pow(3, (i * 7) % N));
    fputs("{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"dense\", \"values\": [[0]]}}, {\"of\": \"b\", "
          "\"wrt\": \"a\", \"jacobian\": {\"kind\": \"dense\"}}]}",
          f);
    fclose(f);
    dot_graph g = draw("c.json", "--color", "norm");
    double last = 1, width = 0;
    for (int rank = 0; rank < N; rank++) {
        int e = 0;
        while ((e * 7) % N != rank) e++;
        const dot_item *i = dot_edge(&g, e);
        cr_expect_lt(luminance(dot_get(i, "color")), last, "rank %d: %s", rank, dot_get(i, "color"));
        cr_expect_gt(atof(dot_get(i, "penwidth")), width);
        cr_expect_float_eq(atof(dot_get(i, "penwidth")), 1.2 + 1.6 * rank / (N - 1), 0.006); /* by its logarithm */
        cr_expect(strstr(dot_get(i, "tooltip"), "norm "));
        last = luminance(dot_get(i, "color"));
        width = atof(dot_get(i, "penwidth"));
    }
    cr_expect_lt(luminance(dot_get(dot_edge(&g, 0), "color")), 0.55); /* the smallest is seen on white */
    cr_expect_str_eq(dot_get(dot_edge(&g, N), "style"), "dotted");
    cr_expect(strstr(dot_get(dot_edge(&g, N + 1), "tooltip"), "no numbers"));
    char *legend = dot_text(dot_graph_get(&g, "label"));
    cr_expect(strstr(legend, "1e-09") && strstr(legend, "6.86e+04"), "%s", legend);
    cr_expect(strstr(legend, "1 edge with norm 0") && strstr(legend, "1 edge without numbers"), "%s", legend);
    free(legend);
    dot_free(&g);
}

Test(cli_draw, norms_of_known_jacobians)
{
    dot_graph g = draw(POST, "--color", "norm");
    cr_expect(strstr(dot_get(dot_edge(&g, 5), "tooltip"), "norm 3.74166"), "%s", dot_get(dot_edge(&g, 5), "tooltip"));
    cr_expect(strstr(dot_get(dot_edge(&g, 6), "tooltip"), "norm 2.82843"));
    dot_free(&g);
}

Test(cli_draw, a_graph_without_numbers_says_so)
{
    dot_graph g = draw(NETWORKS "squeezenet.json", "--color", "norm");
    char *legend = dot_text(dot_graph_get(&g, "label"));
    cr_expect(strstr(legend, "structure only"), "%s", legend);
    for (int64_t i = 1; i < g.n_edges; i++)
        cr_expect_str_eq(dot_get(&g.edges[i], "color"), dot_get(&g.edges[0], "color"));
    free(legend);
    dot_free(&g);
}

/* ---- who stands where ---------------------------------------------------------------------------------------- */

static void position(const dot_graph *g, const char *name, double *x, double *y)
{
    cr_assert_eq(sscanf(dot_get(dot_node(g, name), "pos"), "%lf,%lf!", x, y), 2, "%s has no place", name);
}

Test(cli_draw, an_unrolled_network_has_a_column_for_each_step)
{
    static const char *const rows[] = {"v", "a", "z", "y"};
    dot_graph g = draw(LSNN, NULL, NULL);
    cr_expect_str_eq(dot_graph_get(&g, "layout"), "neato");
    double x0 = -1e9, x, y, first_y[4];
    for (int t = 1; t <= 6; t++) {
        double column = 0;
        for (int r = 0; r < 4; r++) {
            char name[16];
            sprintf(name, "%s%d", rows[r], t);
            position(&g, name, &x, &y);
            if (r == 0) column = x;
            if (t == 1) first_y[r] = y;
            cr_expect_eq(x, column, "%s", name);
            cr_expect_eq(y, first_y[r], "%s", name);
        }
        cr_expect_gt(column, x0);
        x0 = column;
    }
    cr_expect(first_y[0] > first_y[2] && first_y[2] > first_y[3]); /* v computes z computes y */
    position(&g, "W_rec", &x, &y);
    cr_expect_gt(y, first_y[0]);
    position(&g, "E", &x, &y);
    cr_expect_gt(x, x0);
    dot_free(&g);
}

Test(cli_draw, no_two_variables_of_a_grid_stand_in_one_place)
{
    run r =
        expect_code(0, "gen", "rnn", "--time", "70", "--hidden", "2", "--batch", "2", "--output", "r", "--quiet", NULL);
    run_free(&r);
    static const char *const graphs[] = {LSNN, DIGITS, "r.json"};
    for (int i = 0; i < 3; i++) {
        dot_graph g = draw(graphs[i], NULL, NULL);
        for (int64_t a = 0; a < g.n_nodes; a++) {
            for (int64_t b = 0; b < a; b++) {
                double x, y, u, v;
                position(&g, g.nodes[a].name, &x, &y);
                position(&g, g.nodes[b].name, &u, &v);
                cr_expect(fabs(x - u) > 0.7 || fabs(y - v) > 0.7, "%s and %s", g.nodes[a].name, g.nodes[b].name);
            }
        }
        dot_free(&g);
    }
}

Test(cli_draw, a_long_network_is_cut_into_columns_where_few_edges_cross)
{
    dot_graph g = draw(NETWORKS "squeezenet.json", NULL, NULL);
    int64_t crossing = 0;
    cr_assert_eq(g.n_nodes, 67);
    cr_assert_eq(g.n_edges, 74);
    for (int64_t e = 0; e < g.n_edges; e++) {
        bool same = !strcmp(dot_node(&g, g.edges[e].from)->cluster, dot_node(&g, g.edges[e].name)->cluster);
        cr_expect_eq(!strcmp(dot_get(&g.edges[e], "constraint"), "false"), !same);
        crossing += !same;
    }
    cr_expect(crossing >= 1 && crossing <= 6, "%lld", (long long)crossing);
    dot_free(&g);
}

/* ---- pictures and failures ----------------------------------------------------------------------------------- */

Test(cli_draw, pictures_are_of_the_kind_that_the_name_says)
{
    if (!have_dot()) return;
    static const struct {
        const char *name, *begins;
    } files[] = {{"g.svg", "<?xml"}, {"g.png", "\x89PNG"}, {"g.pdf", "%PDF"}, {"g.dot", "digraph"}};
    static const char *const graphs[] = {POST, LSNN, NETWORKS "squeezenet.json"};
    for (int i = 0; i < 3; i++) {
        for (int k = 0; k < 4; k++) {
            run r = expect_code(0, "draw", graphs[i], "--output", files[k].name, NULL);
            char *text = read_file(files[k].name);
            cr_expect(!strncmp(text, files[k].begins, strlen(files[k].begins)), "%s", files[k].name);
            cr_expect(strstr(r.err, "edges"), "%s", r.err);
            free(text);
            run_free(&r);
        }
    }
    char *svg = read_file("g.svg");
    cr_expect(strstr(svg, "softmax_66"));
    free(svg);
}

Test(cli_draw, graphviz_draws_graphs_with_next_to_nothing_in_them)
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

Test(cli_draw, graphviz_sees_the_same_graph)
{
    if (!have_dot()) return;
    static const struct {
        const char *graph;
        int nodes, edges;
    } graphs[] = {{POST, 5, 8}, {LSNN, 27, 66}, {DIGITS, 24, 44}, {NETWORKS "squeezenet.json", 67, 74}};
    for (int i = 0; i < 4; i++) {
        run r = expect_code(0, "draw", graphs[i].graph, "--output", "g.dot", NULL);
        cr_assert_eq(system("dot -Tplain g.dot >g.plain 2>g.err"), 0);
        char *plain = read_file("g.plain"), *said = read_file("g.err");
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

Test(cli_draw, over_2000_variables_or_20000_edges_only_dot_text)
{
    run r = expect_code(0, "gen", "chain", "--depth", "2000", "--size", "1", "--output", "c", "--quiet", NULL);
    run_free(&r);
    write_text("c.svg", "old");
    expect_refusal(2, "2,001 variables", "c.json", "--output", "c.svg", NULL);
    expect_refusal(2, ".dot", "c.json", "--output", "c.png", NULL);
    cr_expect(file_holds("c.svg", "old"));
    cr_expect(!file_exists("c.png"));
    r = expect_code(0, "gen", "densenet", "--blocks", "4", "--layers", "150", "--size", "1", "--output", "d", "--quiet",
                    NULL);
    run_free(&r);
    expect_refusal(2, " edges, too many", "d.json", "--output", "c.svg", NULL);
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

Test(cli_draw, without_the_program_dot_the_message_names_the_package)
{
    write_text("g.svg", "old");
    setenv("PATH", "/nowhere", 1);
    expect_refusal(4, "package graphviz", POST, "--output", "g.svg", NULL);
    expect_refusal(4, ".dot", POST, "--output", "g.svg", NULL);
    run r = expect_code(0, "draw", POST, "--output", "g.dot", NULL);
    run_free(&r);
    expect_untouched();
}

Test(cli_draw, what_dot_says_when_it_fails_is_passed_on)
{
    write_text("g.svg", "old");
    fake_dot("#!/bin/sh\necho half a picture\necho the reason >&2\nexit 3\n");
    expect_refusal(4, "exit code 3): the reason", POST, "--output", "g.svg", NULL);
    expect_untouched();
}

Test(cli_draw, a_dot_that_is_killed_or_draws_nothing_is_a_failure)
{
    write_text("g.svg", "old");
    fake_dot("#!/bin/sh\nkill -9 $$\n");
    expect_refusal(4, "signal 9", POST, "--output", "g.svg", NULL);
    write_text("bin/dot", "#!/bin/sh\nexit 0\n");
    expect_refusal(4, "no picture", POST, "--output", "g.svg", NULL);
    expect_untouched();
}

Test(cli_draw, the_text_reaches_dot_and_its_picture_the_file)
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

Test(cli_draw, where_no_file_can_be_put_exit_code_4)
{
    expect_refusal(4, "no such/g.dot", POST, "--output", "no such/g.dot", NULL);
    cr_assert_eq(mkdir("f.dot", 0777), 0);
    expect_refusal(4, "f.dot", POST, "--output", "f.dot", NULL);
}

Test(cli_draw, wrong_requests_are_refused)
{
    expect_refusal(2, "--output is missing", POST, NULL);
    expect_refusal(2, ".svg, .png, .pdf or .dot", POST, "--output", "g.jpg", NULL);
    expect_refusal(2, ".svg, .png, .pdf or .dot", POST, "--output", ".svg", NULL);
    expect_refusal(2, "'Q'", POST, "--output", "g.dot", "--of", "Q", NULL);
    expect_refusal(2, "'Q'", POST, "--output", "g.dot", "--wrt", "w,Q", NULL);
    expect_refusal(2, "'Q'", POST, "--output", "g.dot", "--path", "w,Q", NULL);
    expect_refusal(2, "two variables", POST, "--output", "g.dot", "--path", "w", NULL);
    expect_refusal(2, "no edge leads from w to L", POST, "--output", "g.dot", "--path", "w,L", NULL);
    expect_refusal(2, "no edge leads from x to w", POST, "--output", "g.dot", "--path", "x,w", NULL);
    expect_refusal(2, "--color takes one of", POST, "--output", "g.dot", "--color", "red", NULL);
    expect_refusal(3, "cannot be read", "missing.json", "--output", "g.dot", NULL);
    cr_expect(!file_exists("g.dot"));
}
