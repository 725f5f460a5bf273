/* Orders of plans in files: --plan-out and --plan-in. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/draw_help.h"

TestSuite(cli_plan_order, .init = folder_enter, .fini = folder_leave);

static const char *const orders[] = {"reverse", "forward", "elimination"};
enum { N_ORDERS = sizeof orders / sizeof orders[0] };

static json_t *read_order(const char *path)
{
    json_error_t error;
    json_t *root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    cr_assert(root, "%s: %s", path, error.text);
    return root;
}

static int count_files(void)
{
    int n = 0;
    DIR *d = opendir(".");
    for (struct dirent *e; (e = readdir(d));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

/* ---- what is written --------------------------------------------------------------------------------------------- */

/* Tangents of x and w: y 2 3 4, z 5 2 4 + 5 2 3, L 3 4 + 2 4 + 5 4 + 2 3 + 5 3. */
Test(cli_plan_order, the_document_has_the_ends_the_counts_the_cost_and_the_sequence)
{
    run r =
        expect_code(0, "plan", POST, "--of", "L", "--wrt", "x,w", "--order", "forward", "--plan-out", "o.json", NULL);
    run_free(&r);
    json_t *root = read_order("o.json");
    cr_expect(json_same(root, "{\"jacchain_order\": 1, \"of\": [\"L\"], \"wrt\": [\"x\", \"w\"], \"graph\": "
                              "{\"variables\": 5, \"edges\": 8}, \"order\": \"forward\", \"multiply_adds\": 155, "
                              "\"eliminate\": [{\"variable\": \"x\"}, {\"variable\": \"y\"}, {\"variable\": \"z\"}]}"));
    json_decref(root);
}

/* Sources that are not named are those that the plan found. Of two states of y, one is behind x and one is not. */
Test(cli_plan_order, states_of_rules_and_sources_that_were_found_are_written)
{
    run r =
        expect_code(0, "plan", POST, "--of", "L", "--through", "x", "--order", "reverse", "--plan-out", "o.json", NULL);
    run_free(&r);
    json_t *root = read_order("o.json");
    cr_expect(json_same(json_at(root, "wrt"), "[\"w\"]"));
    json_t *whole = expect_json(0, "plan", POST, "--of", "L", "--through", "x", "--order", "reverse", "--json", NULL);
    cr_expect_eq(json_array_size(json_at(root, "eliminate")), json_array_size(json_at(whole, "eliminate")));
    json_decref(whole);
    json_decref(root);
    r = expect_code(0, "plan", POST, "--of", "L", "--through", "x", "--plan-in", "o.json", "--plan-out", "again.json",
                    NULL);
    run_free(&r);
    char *text = read_text("o.json");
    cr_expect(file_holds("again.json", text));
    free(text);
}

/* ---- there and back ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *graph, *of;
} graphs[] = {{POST, "L"}, {DIGITS, "L"}, {LSNN, "E"}};

/* The same sequence, cost and bits of the totals as without the file. */
static void expect_same_again(const char *graph, const char *of, const char *order)
{
    json_t *first = expect_json(0, "plan", graph, "--of", of, "--order", order, "--plan-out", "o.json", "--json", NULL);
    json_t *again = expect_json(0, "plan", graph, "--of", of, "--plan-in", "o.json", "--json", NULL);
    static const char *const keys[] = {"eliminate", "multiply_adds", "bytes", "peak_bytes", "batches"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        cr_expect(json_equal(json_at(first, keys[i]), json_at(again, keys[i])), "%s of %s, %s", keys[i], graph, order);
    json_decref(again);
    json_decref(first);
    first = expect_json(0, "total", graph, "--of", of, "--order", order, "--plan-out", "t.json", "--json", NULL);
    again = expect_json(0, "total", graph, "--of", of, "--plan-in", "o.json", "--json", NULL);
    cr_expect(json_equal(json_at(first, "totals"), json_at(again, "totals")), "%s, %s", graph, order);
    json_t *file = read_order("o.json");
    cr_expect(json_equal(json_at(file, "order"), json_at(again, "order")));
    json_decref(file);
    json_decref(again);
    json_decref(first);
    char *text = read_text("o.json");
    cr_expect(file_holds("t.json", text), "plan and total wrote two orders of %s, %s", graph, order);
    free(text);
}

Test(cli_plan_order, what_plan_wrote_gives_the_same_plan_and_the_same_totals)
{
    for (size_t g = 0; g < sizeof graphs / sizeof graphs[0]; g++)
        for (int o = 0; o < N_ORDERS; o++) expect_same_again(graphs[g].graph, graphs[g].of, orders[o]);
}

Test(cli_plan_order, products_with_a_seed_and_checks_take_orders_too)
{
    static const double seed[] = {1, 0, 2, -1, 0, 0, 3, 0, 1, -2}; /* 2 x 5, for z */
    write_matrix("s.safetensors", "s", 2, 5, seed);
    for (int o = 0; o < N_ORDERS; o++) {
        run r = expect_code(0, "vjp", POST, "--of", "z", "--wrt", "w", "--seed", "s.safetensors", "--order", orders[o],
                            "--plan-out", "o.json", "--quiet", NULL);
        run again = expect_code(0, "vjp", POST, "--of", "z", "--wrt", "w", "--seed", "s.safetensors", "--plan-in",
                                "o.json", "--quiet", NULL);
        cr_expect_str_eq(r.out, "dz/dw  2 x 4\n  15  10  18    9\n  23  93  17  -69\n");
        cr_expect_str_eq(again.out, r.out);
        run_free(&again);
        run_free(&r);
        r = expect_code(0, "check", POST, "--order", orders[o], "--plan-out", "c.json", "--quiet", NULL);
        run_free(&r);
        r = expect_code(0, "check", POST, "--plan-in", "c.json", "--quiet", NULL);
        run_free(&r);
    }
}

/* A tape limit of 17 edges forbids the adjoint of y <- x, so that reverse is no order. Tangents of x: 2 5 + 2 7. */
Test(cli_plan_order, an_order_is_read_under_a_tape_limit_that_forbids_reverse)
{
    write_text("g.json", "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 2}, "
                         "{\"name\": \"y\", \"size\": 3}, {\"name\": \"z\", \"size\": 4}], \"edges\": ["
                         "{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"operator\", "
                         "\"tangent_cost\": 5, \"adjoint_cost\": 1, \"edges\": 18}}, "
                         "{\"of\": \"z\", \"wrt\": \"y\", \"jacobian\": {\"kind\": \"operator\", "
                         "\"tangent_cost\": 7, \"adjoint_cost\": 1, \"edges\": 2}}]}");
    for (int o = 1; o < N_ORDERS; o++) {
        run r = expect_code(0, "plan", "g.json", "--of", "z", "--tape-limit", "17", "--order", orders[o], "--plan-out",
                            "o.json", NULL);
        run_free(&r);
        json_t *again =
            expect_json(0, "plan", "g.json", "--of", "z", "--tape-limit", "17", "--plan-in", "o.json", "--json", NULL);
        cr_expect(json_same(json_at(again, "multiply_adds"), "24"));
        json_decref(again);
    }
    run r = expect_code(5, "plan", "g.json", "--of", "z", "--tape-limit", "17", "--order", "reverse", NULL);
    run_free(&r);
}

/* z, y, x cost 56 by elimination, x, y, z cost 104 where the products are those of the forward sweep, and are counted
 * by hand as D[y,w] 2 3 4, D[L,w] 1 3 4, D[z,w] 5 2 4, D[L,w] 1 2 4, D[L,w] 1 5 4 here; y first is 5 2 3 + 1 2 3 + 5 2
 * 4 + 1 2 4, then x 5 3 4 + 1 3 4, then z 1 5 4. */
Test(cli_plan_order, an_order_written_by_hand_is_the_one_that_is_taken)
{
    static const struct {
        const char *sequence[3], *multiply_adds;
    } cases[] = {{{"z", "y", "x"}, "56"}, {{"x", "y", "z"}, "104"}, {{"y", "x", "z"}, "176"}};
    json_t *plain = expect_json(0, "total", POST, "--of", "L", "--wrt", "w", "--json", NULL);
    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        char text[512];
        const char *const *s = cases[c].sequence;
        snprintf(
            text, sizeof text,
            "{\"jacchain_order\": 1, \"of\": [\"L\"], \"wrt\": [\"w\"], \"graph\": {\"variables\": 5, \"edges\": 8}, "
            "\"order\": \"elimination\", \"eliminate\": [{\"variable\": \"%s\"}, {\"variable\": \"%s\"}, "
            "{\"variable\": \"%s\"}]}",
            s[0], s[1], s[2]);
        write_text("o.json", text);
        json_t *plan = expect_json(0, "plan", POST, "--of", "L", "--plan-in", "o.json", "--json", NULL);
        cr_expect(json_same(json_at(plan, "multiply_adds"), cases[c].multiply_adds));
        for (int i = 0; i < 3; i++)
            cr_expect_str_eq(json_string_value(json_array_get(json_at(plan, "eliminate"), (size_t)i)), s[i]);
        json_t *total = expect_json(0, "total", POST, "--of", "L", "--wrt", "w", "--plan-in", "o.json", "--json", NULL);
        cr_expect(json_equal(json_at(total, "totals"), json_at(plain, "totals")));
        json_decref(total);
        json_decref(plan);
    }
    json_decref(plain);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

/* plan POST --of L --plan-in o.json with one option and its value more. */
static void expect_refusal(int code, const char *words, const char *option, const char *value)
{
    run r = run_command("plan", POST, "--of", "L", "--plan-in", "o.json", option, value, NULL);
    cr_expect_eq(r.code, code, "%d, expected %d: %s", r.code, code, r.err);
    cr_expect(strstr(r.err, words), "expected '%s' in: %s", words, r.err);
    cr_expect(strstr(r.err, "o.json"), "%s", r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
}

/* ' stands for " */
static void write_quoted(const char *text)
{
    char copy[1024];
    size_t n = strlen(text);
    cr_assert_lt(n, sizeof copy);
    for (size_t i = 0; i <= n; i++) copy[i] = text[i] == '\'' ? '"' : text[i];
    write_text("o.json", copy);
}

#define HEAD "'jacchain_order': 1, 'of': ['L'], 'wrt': ['w'], 'graph': {'variables': 5, 'edges': 8}, "
#define WITH(rest) "{" HEAD rest "}"
#define SEQUENCE "'eliminate': [{'variable': 'z'}, {'variable': 'y'}, {'variable': 'x'}]"
#define ELIMINATE(list) WITH("'order': 'reverse', 'eliminate': [" list "]")
#define OTHER_GRAPH(graph)                                                                                             \
    "{'jacchain_order': 1, 'of': ['L'], 'wrt': ['w'], 'order': 'reverse', " SEQUENCE ", 'graph': " graph "}"
#define OTHER_ENDS(of, wrt)                                                                                            \
    "{'jacchain_order': 1, 'graph': {'variables': 5, 'edges': 8}, 'order': 'reverse', " SEQUENCE ", 'of': " of         \
    ", 'wrt': " wrt "}"

/* Each file is wrong in one place; the right one is the first. */
static const struct {
    const char *text;
    int code;
    const char *words;
} files[] = {
    {WITH("'order': 'reverse', " SEQUENCE), 0, ""},
    {"{", 3, "line 1, column 1"},
    {"[1]", 3, "this is no order of a plan"},
    {"{'jacchain': 1, 'variables': [], 'edges': []}", 3, "this is no order of a plan"},
    {"{'jacchain_order': 2}", 3, "/jacchain_order: expected the version 1, not 2"},
    {"{'jacchain_order': 1}", 3, "'graph' is missing"},
    {WITH("'order': 'reverse', 'order': 'reverse', " SEQUENCE), 3, "duplicate"},
    {WITH("'order': 'reverse', 'sequence': [], " SEQUENCE), 3, "/sequence: the key is not known here"},
    {WITH("'order': 'auto', " SEQUENCE), 3,
     "/order: expected \"reverse\", \"forward\" or \"elimination\", not text 'auto'"},
    {WITH(SEQUENCE), 3, "'order' is missing"},
    {WITH("'order': 'reverse', 'multiply_adds': -1, " SEQUENCE), 3, "/multiply_adds: expected an integer"},
    {WITH("'order': 'reverse'"), 3, "'eliminate' is missing"},
    {WITH("'order': 'reverse', 'eliminate': {}"), 3, "/eliminate: expected a list"},
    {OTHER_GRAPH("{'variables': 5}"), 3, "/graph/edges: expected an integer"},
    {OTHER_GRAPH("{'variables': 5, 'edges': 8, 'size': 1}"), 3, "/graph/size: the key is not known"},
    {OTHER_GRAPH("5"), 3, "/graph: expected an object"},
    {OTHER_GRAPH("{'variables': 6, 'edges': 9}"), 2, "6 variables and 9 edges, and this one has 5 and 8"},
    {OTHER_ENDS("'L'", "['w']"), 3, "/of: expected a list of names, not text 'L'"},
    {OTHER_ENDS("[]", "['w']"), 3, "/of: expected a list of names"},
    {OTHER_ENDS("['L']", "[1]"), 3, "/wrt/0: expected the name of a variable, not 1"},
    {OTHER_ENDS("['L']", "['w', 'w']"), 3, "/wrt/1: this variable stands twice"},
    {OTHER_ENDS("['l']", "['w']"), 2, "/of/0: the graph has no variable 'l'; is 'L' meant?"},
    {OTHER_ENDS("['z']", "['w']"), 2, "its 'of' lacks L, and has too much: z"},
    {OTHER_ENDS("['L']", "['w', 'x']"), 2, "its 'wrt' has too much: x"},
    {ELIMINATE("1"), 3, "/eliminate/0: expected an object with"},
    {ELIMINATE("{'variable': 'z', 'low_rank_edge': 1}"), 3, "/eliminate/0: expected an object with"},
    {ELIMINATE("{'state': 1}"), 3, "/eliminate/0: expected an object with"},
    {ELIMINATE("{'variable': 'z', 'of': 1}"), 3, "/eliminate/0/of: the key is not known"},
    {ELIMINATE("{'variable': 'z'}, {'variable': 7}"), 3,
     "/eliminate/1/variable: expected the name of a variable, not 7"},
    {ELIMINATE("{'variable': 'z', 'state': -1}"), 3, "/eliminate/0/state: expected an integer of at least 0"},
    {ELIMINATE("{'variable': 'z', 'state': 0.5}"), 3, "/eliminate/0/state: expected an integer"},
    {ELIMINATE("{'low_rank_edge': 'z'}"), 3, "/eliminate/0/low_rank_edge: expected an integer"},
    {ELIMINATE("{'low_rank_edge': 8}"), 2, "/eliminate/0/low_rank_edge: the graph has no edge number 8"},
    {ELIMINATE("{'variable': 'q'}"), 2, "/eliminate/0/variable: the graph has no variable 'q'"},
    {ELIMINATE("{'variable': 'z'}, {'variable': 'x'}"), 2, "what it eliminates lacks y"},
    {ELIMINATE("{'variable': 'z'}, {'variable': 'y'}, {'variable': 'x'}, {'variable': 'z'}"), 2,
     "what it eliminates has too much: z"},
    {ELIMINATE("{'variable': 'z'}, {'variable': 'y', 'state': 1}, {'variable': 'x'}, {'variable': 'w'}"), 2,
     "what it eliminates lacks y, and has too much: w, y in state 1"},
    {ELIMINATE(""), 2, "what it eliminates lacks x, y, z"},
};

Test(cli_plan_order, files_that_are_no_order_of_the_query_say_where_and_what)
{
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        write_quoted(files[i].text);
        if (files[i].code) {
            expect_refusal(files[i].code, files[i].words, NULL, NULL);
        } else {
            run r = expect_code(0, "plan", POST, "--of", "L", "--plan-in", "o.json", NULL);
            run_free(&r);
        }
    }
}

Test(cli_plan_order, files_that_cannot_be_read_and_options_that_contradict_are_refused)
{
    expect_refusal(3, "cannot be read", NULL, NULL);
    write_text("o.json", "");
    expect_refusal(3, "is empty", NULL, NULL);
    write_quoted(files[0].text);
    expect_refusal(2, "--order forward contradicts o.json, whose order is reverse", "--order", "forward");
    expect_refusal(2, "what it eliminates has too much: z", "--avoid", "z");
    run r = expect_code(0, "plan", POST, "--of", "L", "--plan-in", "o.json", "--order", "reverse", NULL);
    run_free(&r);
    r = expect_code(0, "plan", POST, "--of", "L", "--plan-in", "o.json", "--order", "auto", NULL);
    run_free(&r); /* a sweep is an order of elimination */
    r = expect_code(0, "plan", POST, "--of", "L", "--plan-in", "o.json", "--order", "elimination", NULL);
    run_free(&r);
}

/* The inner vector of a low_rank Jacobian, w <- z <- (rank 1) <- y <- x, is eliminated on its own. */
static void write_low_rank(void)
{
    write_text("g.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 3}, {\"name\": \"y\", \"size\": 3}, "
               "{\"name\": \"z\", \"size\": 3}, {\"name\": \"w\", \"size\": 3}], \"edges\": ["
               "{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\", \"values\": "
               "[[1, 2, 0], [0, 1, 1], [2, 0, 1]]}},"
               "{\"of\": \"z\", \"wrt\": \"y\", \"jacobian\": {\"kind\": \"low_rank\", \"u\": [[1], [2], [3]], \"v\": "
               "[[1], [0], [-1]]}},"
               "{\"of\": \"w\", \"wrt\": \"z\", \"jacobian\": {\"kind\": \"dense\", \"values\": "
               "[[0, 1, 0], [1, 0, 1], [1, 1, 1]]}}]}");
}

/* (D[w,z] U) (V^T D[y,x]) = (2, 4, 6)^T (-1, 2, -1): 9 + 9 multiply-adds for the factors, 9 for their product. */
Test(cli_plan_order, inner_vectors_of_low_rank_edges_are_vertices_of_an_order)
{
    write_low_rank();
    json_t *plan =
        expect_json(0, "plan", "g.json", "--of", "w", "--order", "elimination", "--plan-out", "o.json", "--json", NULL);
    cr_expect(json_same(json_at(plan, "multiply_adds"), "27"));
    json_decref(plan);
    json_t *root = read_order("o.json");
    cr_expect_eq(json_array_size(json_at(root, "eliminate")), 3);
    json_decref(root);
    run r = expect_code(0, "total", "g.json", "--of", "w", "--plan-in", "o.json", "--quiet", NULL);
    cr_expect_str_eq(r.out, "dw/dx  3 x 3\n  -2   4  -2\n  -4   8  -4\n  -6  12  -6\n");
    run_free(&r);
#define LOW_RANK(list)                                                                                                 \
    "{'jacchain_order': 1, 'of': ['w'], 'wrt': ['x'], 'graph': {'variables': 4, 'edges': 3}, 'order': 'elimination', " \
    "'eliminate': [{'variable': 'y'}, {'variable': 'z'}" list "]}"
    static const char *const right = LOW_RANK(", {'low_rank_edge': 1}");
    static const char *const wrong[] = {LOW_RANK(""), LOW_RANK(", {'low_rank_edge': 0}"),
                                        LOW_RANK(", {'low_rank_edge': 1}, {'low_rank_edge': 1}"),
                                        LOW_RANK(", {'low_rank_edge': 1, 'state': 1}")};
    write_quoted(right);
    plan = expect_json(0, "plan", "g.json", "--of", "w", "--plan-in", "o.json", "--json", NULL);
    cr_expect(json_same(json_at(plan, "multiply_adds"), "27"));
    json_decref(plan);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        write_quoted(wrong[i]);
        r = expect_code(2, "total", "g.json", "--of", "w", "--plan-in", "o.json", NULL);
        cr_expect(strstr(r.err, "o.json: "), "%s", r.err);
        cr_expect_str_eq(r.out, "");
        run_free(&r);
    }
}

/* ---- written whole or not at all --------------------------------------------------------------------------------- */

Test(cli_plan_order, a_file_that_was_there_stays_where_the_command_fails)
{
    static const char *const failing[][10] = {
        {"plan", POST, "--of", "q", "--plan-out", "o.json"},
        {"plan", POST, "--of", "L", "--plan-out", "o.dot", "--output", "o.dot"},
        {"plan", POST, "--of", "L", "--plan-out", "o.json", "--output", "o.jpeg"},
        {"total", POST, "--of", "L", "--plan-out", "o.json", "--memory-limit", "0.015625K"},
        {"total", POST, "--of", "L", "--plan-out", "o.json", "--avoid-label", "none"},
        {"check", POST, "--of", "L", "--plan-out", "o.json", "--against", "t.safetensors"},
    };
    write_text("o.json", "what was there");
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        run r = run_arguments(failing[i], NULL);
        cr_expect(r.code > 1, "%zu: %d", i, r.code);
        cr_expect(file_holds("o.json", "what was there"), "%zu", i);
        cr_expect_eq(count_files(), 1, "%zu", i);
        run_free(&r);
    }
    run r = run_arguments((const char *const[]){"plan", POST, "--of", "L", "--plan-out", "o.json", NULL}, "/dev/full");
    cr_expect_eq(r.code, 4);
    cr_expect(file_holds("o.json", "what was there"));
    cr_expect_eq(count_files(), 1);
    run_free(&r);
    r = expect_code(4, "plan", POST, "--of", "L", "--plan-out", "nowhere/o.json", NULL);
    cr_expect(strstr(r.err, "nowhere/o.json"), "%s", r.err);
    cr_expect_str_eq(r.out, "");
    run_free(&r);
}

/* ---- under a memory limit ---------------------------------------------------------------------------------------- */

/* Blocks of rows are taken target by target: L and z have z in common, which is an end of its own. */
Test(cli_plan_order, an_order_of_more_targets_is_taken_in_blocks_of_rows)
{
    static const char *const limits[] = {"1500", "1300", "1200"};
    run r = expect_code(0, "total", POST, "--of", "L,z", "--wrt", "w,x", "--order", "elimination", "--backend", "cpu",
                        "--plan-out", "o.json", "--quiet", NULL);
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        run part = expect_code(0, "total", POST, "--of", "L,z", "--wrt", "w,x", "--backend", "cpu", "--plan-in",
                               "o.json", "--memory-limit", limits[i], "--quiet", NULL);
        cr_expect_str_eq(part.out, r.out);
        run_free(&part);
        json_t *plan = expect_json(0, "plan", POST, "--of", "L,z", "--wrt", "w,x", "--backend", "cpu", "--plan-in",
                                   "o.json", "--memory-limit", limits[i], "--json", NULL);
        cr_expect(json_is_true(json_at(plan, "in_blocks")), "%s", limits[i]);
        json_decref(plan);
    }
    run_free(&r);
}

Test(cli_plan_order, an_inner_vector_that_is_not_there_is_named_by_its_edge)
{
    write_text("g.json", "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 2}, "
                         "{\"name\": \"y\", \"size\": 2}, {\"name\": \"z\", \"size\": 2}], \"edges\": ["
                         "{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"identity\"}}, "
                         "{\"of\": \"z\", \"wrt\": \"y\", \"jacobian\": {\"kind\": \"identity\"}}]}");
    write_text("o.json", "{\"jacchain_order\": 1, \"of\": [\"z\"], \"wrt\": [\"x\"], \"graph\": {\"variables\": 3, "
                         "\"edges\": 2}, \"order\": \"elimination\", \"multiply_adds\": 0, \"eliminate\": "
                         "[{\"low_rank_edge\": 1}, {\"variable\": \"y\"}]}");
    run r = expect_code(2, "plan", "g.json", "--of", "z", "--plan-in", "o.json", NULL);
    cr_expect(strstr(r.err, "vertex 0, the inner vector of low_rank edge number 1,"), "%s", r.err);
    run_free(&r);
}

/* ---- the search's options ---------------------------------------------------------------------------------------- */

Test(cli_plan_order, options_of_the_search_are_read_strictly)
{
    static const char *const wrong[][3] = {
        {"--search-seconds", "0", "a number above 0"},   {"--search-seconds", "-1", "a number above 0"},
        {"--search-seconds", "inf", "a number above 0"}, {"--search-seconds", "1s", "a number above 0"},
        {"--search-seed", "-1", "a whole number"},       {"--search-seed", "x", "a whole number"},
        {"--tape-limit", "-1", "a whole number"},        {"--tape-limit", "1K", "a whole number"},
    };
    static const char *const commands[] = {"plan", "total", "check"};
    for (size_t c = 0; c < sizeof commands / sizeof commands[0]; c++) {
        for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
            run r = expect_code(2, commands[c], POST, "--of", "L", wrong[i][0], wrong[i][1], NULL);
            cr_expect(strstr(r.err, wrong[i][0]) && strstr(r.err, wrong[i][2]), "%s", r.err);
            run_free(&r);
        }
        run r = expect_code(0, commands[c], POST, "--of", "L", "--search-seconds", "0.001", "--search-seed", "7",
                            "--tape-limit", "0", "--quiet", NULL);
        run_free(&r);
    }
}
