/* draw: what is highlighted, and the colours of norms. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/draw_help.h"
#include "support/pool.h"

TestSuite(cli_draw_marks, .init = folder_enter, .fini = folder_leave);

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

Test(cli_draw_marks, highlighted_are_the_edges_of_all_paths_between)
{
    jt_rng rng = {20};
    for (int i = 0; i < 150; i++) check_highlight(&rng);
}

Test(cli_draw_marks, a_path_is_marked_with_all_its_parallel_edges)
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

Test(cli_draw_marks, json_says_what_is_marked)
{
    json_t *j = expect_json(0, "draw", POST, "--output", "g.dot", "--of", "L", "--wrt", "y", "--path", "w,x,L",
                            "--color", "norm", "--json", "--quiet", NULL);
    cr_expect(json_same(json_at(j, "edges_between"), "[3, 6, 7]"));
    cr_expect(json_same(json_at(j, "edges_on_path"), "[0, 5]"));
    cr_expect(json_same(json_at(j, "variables"), "5"));
    cr_expect(json_same(json_at(j, "norms/without_numbers"), "0"));
    json_decref(j);
}

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

Test(cli_draw_marks, colours_are_darker_and_lines_wider_with_the_norm)
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

Test(cli_draw_marks, norms_of_known_jacobians)
{
    dot_graph g = draw(POST, "--color", "norm");
    cr_expect(strstr(dot_get(dot_edge(&g, 5), "tooltip"), "norm 3.74166"), "%s", dot_get(dot_edge(&g, 5), "tooltip"));
    cr_expect(strstr(dot_get(dot_edge(&g, 6), "tooltip"), "norm 2.82843"));
    dot_free(&g);
}

Test(cli_draw_marks, a_graph_without_numbers_says_so)
{
    dot_graph g = draw(NETWORKS "squeezenet.json", "--color", "norm");
    char *legend = dot_text(dot_graph_get(&g, "label"));
    cr_expect(strstr(legend, "structure only"), "%s", legend);
    for (int64_t i = 1; i < g.n_edges; i++)
        cr_expect_str_eq(dot_get(&g.edges[i], "color"), dot_get(&g.edges[0], "color"));
    free(legend);
    dot_free(&g);
}
