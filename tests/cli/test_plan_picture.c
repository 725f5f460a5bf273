/* plan --output: the elimination as a picture, by its DOT text. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/draw_help.h"

TestSuite(cli_plan_picture, .init = folder_enter, .fini = folder_leave);

static bool is_dashed(const dot_item *edge)
{
    return !strcmp(dot_get(edge, "style"), "dashed");
}

static int64_t count_dashed(const dot_graph *g)
{
    int64_t n = 0;
    for (int64_t e = 0; e < g->n_edges; e++) n += is_dashed(&g->edges[e]);
    return n;
}

/* plan GRAPH --of OF --wrt WRT --order ORDER --output g.dot, with the order in o.json. */
static dot_graph draw_plan(const char *graph, const char *of, const char *wrt, const char *order)
{
    run r = expect_code(0, "plan", graph, "--of", of, "--wrt", wrt, "--order", order, "--output", "g.dot", "--plan-out",
                        "o.json", "--quiet", NULL);
    cr_expect_str_empty(r.err);
    run_free(&r);
    return dot_read_file("g.dot");
}

/* ---- a graph whose picture is known ------------------------------------------------------------------------------ */

Test(cli_plan_picture, vertices_are_numbered_in_their_order_and_ends_are_not)
{
    dot_graph g = draw_plan(POST, "L", "w", "reverse");
    cr_assert_eq(g.n_nodes, 5);
    expect_label(dot_node(&g, "w"), "w\n4");
    expect_label(dot_node(&g, "z"), "1. z\n5");
    expect_label(dot_node(&g, "y"), "2. y\n2");
    expect_label(dot_node(&g, "x"), "3. x\n3");
    expect_label(dot_node(&g, "L"), "L\n1");
    cr_expect_str_eq(dot_get(dot_node(&g, "L"), "penwidth"), "2.40");
    cr_expect_str_eq(dot_get(dot_node(&g, "w"), "penwidth"), "2.40");
    cr_expect_str_eq(dot_get(dot_node(&g, "y"), "penwidth"), "");
    cr_expect_str_eq(dot_graph_get(&g, "label"),
                     "reverse, 56 multiply-adds. Numbers: the order of elimination; dashed: fill-in, 1 edge");
    dot_free(&g);
    g = draw_plan(POST, "L", "w", "forward");
    expect_label(dot_node(&g, "x"), "1. x\n3");
    expect_label(dot_node(&g, "z"), "3. z\n5");
    dot_free(&g);
}

/* z is a target and x a source between others: they stay, and y is the first that goes. */
Test(cli_plan_picture, ends_between_others_have_no_number)
{
    static const char *const orders[] = {"reverse", "forward", "elimination"};
    for (int o = 0; o < 3; o++) {
        dot_graph g = draw_plan(POST, "L,z", "w,x", orders[o]);
        expect_label(dot_node(&g, "y"), "1. y\n2");
        expect_label(dot_node(&g, "z"), "z\n5");
        expect_label(dot_node(&g, "x"), "x\n3");
        cr_expect_str_eq(dot_get(dot_node(&g, "z"), "penwidth"), "2.40");
        cr_expect_eq(count_dashed(&g), 2);
        dot_free(&g);
    }
}

Test(cli_plan_picture, edges_are_those_of_the_document_and_fill_in_is_dashed)
{
    dot_graph g = draw_plan(POST, "L", "w", "reverse");
    cr_assert_eq(g.n_edges, 9);
    cr_expect_eq(count_dashed(&g), 1);
    const dot_item *fill = dot_edge(&g, 8);
    cr_expect(is_dashed(fill));
    cr_expect_str_eq(fill->from, "w");
    cr_expect_str_eq(fill->name, "L");
    cr_expect_str_eq(dot_get(fill, "tooltip"), "D[L,w], 1 x 4; fill-in");
    cr_expect_str_eq(dot_get(dot_edge(&g, 0), "tooltip"), "D[x,w], 3 x 4, dense; edge 0");
    dot_free(&g);
}

/* Of y alone only x, y and w are used; the edges keep the numbers of the document. */
Test(cli_plan_picture, only_what_is_used_is_drawn)
{
    write_text("g.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 2}, {\"name\": \"b\", \"size\": 2}, "
               "{\"name\": \"c\", \"size\": 2}], \"edges\": ["
               "{\"of\": \"b\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\"}},"
               "{\"of\": \"c\", \"wrt\": \"b\", \"label\": \"l\", \"jacobian\": {\"kind\": \"diagonal\"}}]}");
    dot_graph g = draw_plan("g.json", "c", "b", "reverse");
    cr_assert_eq(g.n_nodes, 2);
    cr_assert_eq(g.n_edges, 1);
    cr_expect_str_eq(dot_get(dot_edge(&g, 0), "tooltip"), "D[c,b], 2 x 2, diagonal; edge 1; l");
    dot_free(&g);
}

Test(cli_plan_picture, json_says_the_file_and_how_much_is_filled_in)
{
    json_t *root =
        expect_json(0, "plan", POST, "--of", "L", "--order", "reverse", "--output", "g.dot", "--json", "--quiet", NULL);
    cr_expect(json_same(json_at(root, "output"), "\"g.dot\""));
    cr_expect(json_same(json_at(root, "fill_in"), "1"));
    json_decref(root);
}

/* ---- fill-in by the paths that make it --------------------------------------------------------------------------- */

enum { MOST = 14 };

/* A graph of numbers 0 .. n-1, edges from lower to higher ones, and when each is eliminated. */
typedef struct small {
    int n;
    bool edge[MOST][MOST]; /* [wrt][of] */
    bool is_target[MOST], is_source[MOST];
    int when[MOST]; /* n: it is not */
} small;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static small random_graph(uint64_t *state)
{
    small g = {.n = 4 + (int)(next_random(state) % (MOST - 3))};
    for (int v = 1; v < g.n; v++) {
        for (int u = 0; u < v; u++) g.edge[u][v] = next_random(state) % 4 == 0;
        g.edge[next_random(state) % (uint64_t)v][v] = true;
    }
    g.is_target[g.n - 1] = g.is_source[0] = true;
    g.is_target[1 + next_random(state) % (uint64_t)(g.n - 1)] = true;
    g.is_source[next_random(state) % (uint64_t)(g.n - 1)] = true;
    return g;
}

static void write_small(const small *g)
{
    FILE *f = fopen("g.json", "wb");
    cr_assert(f);
    fputs("{\"jacchain\": 1, \"variables\": [", f);
    for (int v = 0; v < g->n; v++) fprintf(f, "%s{\"name\": \"v%d\", \"size\": 2}", v ? ", " : "", v);
    fputs("], \"edges\": [", f);
    const char *comma = "";
    for (int u = 0; u < g->n; u++)
        for (int v = 0; v < g->n; v++) {
            if (!g->edge[u][v]) continue;
            fprintf(f, "%s{\"of\": \"v%d\", \"wrt\": \"v%d\", \"jacobian\": {\"kind\": \"dense\"}}", comma, v, u);
            comma = ", ";
        }
    fputs("]}\n", f);
    fclose(f);
}

static char *names(const bool *marked, int n)
{
    static char text[2][MOST * 4];
    static int turn;
    char *out = text[turn ^= 1];
    *out = '\0';
    for (int v = 0; v < n; v++)
        if (marked[v]) sprintf(out + strlen(out), "%sv%d", *out ? "," : "", v);
    return out;
}

static int number_of(const char *name)
{
    return atoi(name + 1);
}

/* When each vertex goes, from o.json. */
static void take_order(small *g)
{
    json_error_t error;
    json_t *root = json_load_file("o.json", 0, &error), *list = json_at(root, "eliminate");
    for (int v = 0; v < g->n; v++) g->when[v] = g->n;
    for (size_t i = 0; i < json_array_size(list); i++)
        g->when[number_of(json_string_value(json_object_get(json_array_get(list, i), "variable")))] = (int)i;
    json_decref(root);
}

/* Whether a path leads from u to t whose inner vertices all go before `limit`. */
static bool leads(const small *g, int u, int t, int limit)
{
    for (int v = u + 1; v <= t; v++) {
        if (!g->edge[u][v]) continue;
        if (v == t || (g->when[v] < limit && leads(g, v, t, limit))) return true;
    }
    return false;
}

/* D[t,u] comes to be exactly where all inner vertices of a path from u to t go while u still has its edges out and t
 * its edges in: a source keeps the former, a target the latter. Rose, Tarjan & Lueker, SIAM J. Comput. 5 (1976),
 * lemma 4. */
static bool is_filled(const small *g, int u, int t)
{
    int out = g->is_source[u] ? g->n : g->when[u], in = g->is_target[t] ? g->n : g->when[t];
    return !g->edge[u][t] && leads(g, u, t, out < in ? out : in);
}

static void compare_fill(const small *g, const dot_graph *dot, const char *order)
{
    bool drawn[MOST][MOST] = {{false}};
    for (int64_t e = 0; e < dot->n_edges; e++)
        if (is_dashed(&dot->edges[e])) drawn[number_of(dot->edges[e].from)][number_of(dot->edges[e].name)] = true;
    for (int64_t a = 0; a < dot->n_nodes; a++)
        for (int64_t b = 0; b < dot->n_nodes; b++) {
            int u = number_of(dot->nodes[a].name), t = number_of(dot->nodes[b].name);
            if (u >= t) continue;
            bool filled = is_filled(g, u, t);
            cr_expect_eq(drawn[u][t], filled, "%s: D[v%d,v%d] is %sfilled in", order, t, u, filled ? "" : "not ");
        }
}

Test(cli_plan_picture, fill_in_is_what_paths_of_eliminated_vertices_make)
{
    static const char *const orders[] = {"reverse", "forward", "elimination"};
    uint64_t state = 5;
    int64_t all = 0;
    for (int i = 0; i < 40; i++) {
        small g = random_graph(&state);
        write_small(&g);
        for (int o = 0; o < 3; o++) {
            dot_graph dot = draw_plan("g.json", names(g.is_target, g.n), names(g.is_source, g.n), orders[o]);
            take_order(&g);
            compare_fill(&g, &dot, orders[o]);
            all += count_dashed(&dot);
            dot_free(&dot);
        }
    }
    cr_expect_gt(all, 200);
}

/* ---- names, seeds, sizes ----------------------------------------------------------------------------------------- */

/* x is met in two states, and another variable has the name of one of them. */
Test(cli_plan_picture, states_of_rules_are_nodes_with_names_of_their_own)
{
    write_text("g.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"a\", \"size\": 1}, {\"name\": \"x|0\", \"size\": 1}, "
               "{\"name\": \"x\", \"size\": 1}, {\"name\": \"L\", \"size\": 1}], \"edges\": ["
               "{\"of\": \"x|0\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\"}},"
               "{\"of\": \"x\", \"wrt\": \"a\", \"jacobian\": {\"kind\": \"identity\"}},"
               "{\"of\": \"x\", \"wrt\": \"x|0\", \"jacobian\": {\"kind\": \"identity\"}},"
               "{\"of\": \"L\", \"wrt\": \"x\", \"label\": \"one\", \"jacobian\": {\"kind\": \"identity\"}},"
               "{\"of\": \"L\", \"wrt\": \"x\", \"label\": \"two\", \"jacobian\": {\"kind\": \"identity\"}},"
               "{\"of\": \"L\", \"wrt\": \"x|0\", \"jacobian\": {\"kind\": \"identity\"}}]}");
    run r = expect_code(0, "plan", "g.json", "--of", "L", "--match", ". one | . . two", "--output", "g.dot", "--quiet",
                        NULL);
    run_free(&r);
    dot_graph g = dot_read_file("g.dot");
    cr_assert_eq(g.n_nodes, 5);
    for (int64_t i = 0; i < g.n_nodes; i++)
        for (int64_t k = 0; k < i; k++) cr_expect_str_neq(g.nodes[i].name, g.nodes[k].name);
    dot_node(&g, "x|1");
    dot_free(&g);
}

Test(cli_plan_picture, a_seed_and_the_sum_over_samples_are_nodes)
{
    run r = expect_code(0, "plan", POST, "--of", "L", "--wrt", "w", "--seed-width", "3", "--order", "reverse",
                        "--output", "g.dot", "--quiet", NULL);
    run_free(&r);
    dot_graph g = dot_read_file("g.dot");
    expect_label(dot_node(&g, "seed"), "seed\n3");
    expect_label(dot_node(&g, "L"), "1. L\n1");
    dot_free(&g);
}

Test(cli_plan_picture, names_are_written_as_they_are)
{
    write_chain("h.json", hostile, N_HOSTILE);
    run r = expect_code(0, "plan", "h.json", "--of", hostile[N_HOSTILE - 1], "--output", "g.dot", "--quiet", NULL);
    run_free(&r);
    dot_graph g = dot_read_file("g.dot");
    for (int i = 0; i < N_HOSTILE; i++) dot_node(&g, hostile[i]);
    dot_free(&g);
}

Test(cli_plan_picture, large_graphs_and_other_names_are_refused_and_nothing_is_written)
{
    run r = expect_code(0, "gen", "chain", "--depth", "3000", "--size", "1", "--output", "c", "--quiet", NULL);
    run_free(&r);
    r = expect_code(2, "plan", "c.json", "--of", "v3000", "--output", "g.svg", NULL);
    cr_expect(strstr(r.err, "jacchain plan: the graph has 3,001 variables, too many for a .svg (at most 2,000)"), "%s",
              r.err);
    cr_expect_str_eq(r.out, "");
    cr_expect(!file_exists("g.svg"));
    run_free(&r);
    r = expect_code(0, "plan", "c.json", "--of", "v3000", "--output", "g.dot", NULL);
    run_free(&r);
    cr_expect(file_exists("g.dot"));
    r = expect_code(2, "plan", POST, "--of", "L", "--output", "g.safetensors", NULL);
    cr_expect(strstr(r.err, "ends with .svg, .png, .pdf or .dot"), "%s", r.err);
    run_free(&r);
}

Test(cli_plan_picture, the_program_dot_paints_it)
{
    if (!have_dot()) return;
    run r = expect_code(0, "plan", POST, "--of", "L", "--output", "g.svg", "--quiet", NULL);
    run_free(&r);
    char *text = read_text("g.svg");
    cr_expect(strstr(text, "stroke-dasharray"));
    cr_expect(strstr(text, "id=\"variable0\""));
    free(text);
}
