/* What is offered for a misspelt word. The distance is held against its definition, by recursion over short words. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/error.h"
#include "core/nearest.h"
#include "graph/graph.h"

/* Letters inserted, deleted, changed or swapped with a neighbour, each letter touched once. */
static int distance(const char *a, size_t n, const char *b, size_t m)
{
    if (!n || !m) return (int)(n + m);
    int best = distance(a, n - 1, b, m) + 1, other = distance(a, n, b, m - 1) + 1;
    if (other < best) best = other;
    other = distance(a, n - 1, b, m - 1) + (a[n - 1] != b[m - 1]);
    if (other < best) best = other;
    if (n > 1 && m > 1 && a[n - 1] == b[m - 2] && a[n - 2] == b[m - 1]) {
        other = distance(a, n - 2, b, m - 2) + 1;
        if (other < best) best = other;
    }
    return best;
}

static void random_word(char *word, size_t *n)
{
    *n = (size_t)(rand() % 7);
    for (size_t i = 0; i < *n; i++) word[i] = (char)('a' + rand() % 3);
}

Test(hints, the_distance_is_that_of_its_definition)
{
    srand(1);
    for (int i = 0; i < 3000; i++) {
        char a[8], b[8];
        size_t n, m;
        random_word(a, &n);
        random_word(b, &m);
        int expected = distance(a, n, b, m);
        for (int most = 0; most < 8; most++)
            cr_assert_eq(jc_edit_distance(a, n, b, m, most), expected < most ? expected : most, "%.*s %.*s below %d",
                         (int)n, a, (int)m, b, most);
    }
}

static void expect_hint(const char *word, const char *const *candidates, const char *expected)
{
    char hint[JC_HINT_BYTES];
    jc_nearest nearest = jc_nearest_begin(word, strlen(word));
    for (; *candidates; candidates++) jc_nearest_offer(&nearest, *candidates);
    cr_expect_str_eq(jc_nearest_hint(&nearest, hint), expected, "%s: %s", word, hint);
}

Test(hints, the_nearest_word_is_offered_where_one_is_near)
{
    static const char *const words[] = {"x", "dense", "diagonal", "hidden", "hidden_state", "h1", "h2", NULL};
    expect_hint("hiden", words, "; is 'hidden' meant?");
    expect_hint("hiddne", words, "; is 'hidden' meant?");
    expect_hint("hidden_", words, "; is 'hidden' meant?");
    expect_hint("hidden_s", words, "; is 'hidden_state' meant?");
    expect_hint("DENSE", words, "; is 'dense' meant?");
    expect_hint("dens", words, "; is 'dense' meant?");
    expect_hint("X", words, "; is 'x' meant?");
    expect_hint("y", words, "");
    expect_hint("h3", words, "; is 'h1' meant?");
    expect_hint("sparse", words, "");
    expect_hint("", words, "");
    char longest[200];
    memset(longest, 'x', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    expect_hint(longest, words, "");
    expect_hint("xxxxx", (const char *const[]){longest, NULL}, "");
}

static jc_graph *numbered(int64_t n)
{
    jc_graph *graph;
    int64_t *sizes = malloc((size_t)n * sizeof *sizes);
    for (int64_t i = 0; i < n; i++) sizes[i] = 1;
    jc_array array = jc_array_1d(JC_I64, n, sizes);
    cr_assert_eq(jc_graph_create(NULL, &graph), JC_OK);
    cr_assert_eq(jc_graph_add_variables(graph, "v", &array), JC_OK);
    free(sizes);
    return graph;
}

static void expect_variable(const jc_graph *graph, const char *name, const char *expected)
{
    char hint[JC_GRAPH_HINT_BYTES];
    cr_expect_str_eq(jc_graph_variable_hint(graph, name, hint), expected, "%s: %s", name, hint);
}

Test(hints, numbered_variables_are_offered_without_a_look_at_each)
{
    enum { N = 1000000 };
    jc_graph *graph = numbered(N);
    expect_variable(graph, "V17", "; is 'v17' meant?");
    expect_variable(graph, "v_17", "; is 'v17' meant?");
    expect_variable(graph, "17", "; is 'v17' meant?");
    expect_variable(graph, "v1000000", "; the variables are v0 to v999999");
    expect_variable(graph, "v07", "; the variables are v0 to v999999");
    expect_variable(graph, "loss", "; the variables are v0 to v999999");
    jc_graph_add_variable(graph, "losses", 1, NULL);
    expect_variable(graph, "loss", "; is 'losses' meant?");
    jc_graph_destroy(graph);
}

/* Whoever makes a million names that are all alike gets no more than the first of them looked at. */
Test(hints, a_million_names_take_no_time)
{
    jc_graph *graph;
    char name[64], hint[JC_GRAPH_HINT_BYTES];
    cr_assert_eq(jc_graph_create(NULL, &graph), JC_OK);
    for (int i = 0; i < 300000; i++) {
        snprintf(name, sizeof name, "a name that is rather long and then differs %d", i);
        cr_assert_eq(jc_graph_add_variable(graph, name, 1, NULL), JC_OK);
    }
    clock_t start = clock();
    jc_graph_variable_hint(graph, "a name that is rather long and then differs x", hint);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    cr_expect_lt(seconds, 5.0, "%g s", seconds);
    cr_expect(strstr(hint, "differs 0"), "%s", hint);
    jc_graph_destroy(graph);
}

Test(hints, labels_are_offered)
{
    static const char *const labels[] = {"param", "leak"};
    jc_graph *graph = numbered(2);
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    char hint[JC_GRAPH_HINT_BYTES];
    cr_assert_eq(jc_graph_add_edge(graph, 1, 0, &identity, labels, 2), JC_OK);
    cr_expect_str_eq(jc_graph_label_hint(graph, "parm", hint), "; is 'param' meant?");
    cr_expect_str_eq(jc_graph_label_hint(graph, "spike", hint), "");
    jc_graph_destroy(graph);
}

/* Messages hold what files hold: nothing of it may steer a terminal. */
Test(hints, control_characters_do_not_reach_a_message)
{
    jc_fail(JC_E_INPUT, "a\x1b[31m\tb\xc2\x9b\x7f\xc2\xa0\xc3\xa4");
    cr_expect_str_eq(jc_last_error(), "a?[31m?b???\xc2\xa0\xc3\xa4");
    jc_fail_prefix(JC_E_INPUT, "x\ny: ");
    cr_expect_str_eq(jc_last_error(), "x?y: a?[31m?b???\xc2\xa0\xc3\xa4");
}

Test(hints, a_message_that_is_too_long_ends_between_characters)
{
    char text[6000];
    for (size_t i = 0; i + 2 < sizeof text; i += 2) memcpy(text + i, "\xc3\xa4", 3);
    for (int shift = 0; shift < 2; shift++) {
        jc_fail(JC_E_INPUT, "%s%s", shift ? "x" : "", text);
        size_t n = strlen(jc_last_error());
        cr_expect_eq((n - (size_t)shift) % 2, 0, "%zu bytes", n);
        cr_expect_gt(n, 2000);
    }
}
