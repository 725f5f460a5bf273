/* draw: nodes, names, groups and places, by its DOT text and a reader of the tests' own. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/draw_help.h"

TestSuite(cli_draw, .init = folder_enter, .fini = folder_leave);

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
