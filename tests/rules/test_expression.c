/* Which words an expression has, as its author would say; what is refused, and where; how large it may be. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rules/expression_help.h"
#include "support/failing_allocator.h"

TestSuite(expression);

/* words, refused: with ", " between them; "" is the empty word, NULL: none. */
typedef struct row {
    const char *text, *words, *refused;
} row;

static void expect_words(const jc_graph *graph, const char *text, const char *words, bool expected)
{
    jc_expression *expression = jt_expression(graph, text);
    while (words) {
        char word[256];
        const char *end = strchr(words, ',');
        snprintf(word, sizeof word, "%.*s", end ? (int)(end - words) : (int)strlen(words), words);
        cr_expect_eq(jt_has_word(expression, graph, word), expected, "'%s' has '%s'", text, word);
        words = end ? end + 1 : NULL;
    }
    jc_expression_destroy(expression);
}

static void expect_rows(const char *labels, const row *rows, size_t n)
{
    jc_graph *graph = jt_labelled(NULL, labels);
    for (size_t i = 0; i < n; i++) {
        expect_words(graph, rows[i].text, rows[i].words, true);
        expect_words(graph, rows[i].text, rows[i].refused, false);
    }
    jc_graph_destroy(graph);
}
#define EXPECT_ROWS(labels, rows) expect_rows(labels, rows, sizeof(rows) / sizeof *(rows))

Test(expression, operators)
{
    static const row rows[] = {
        {"a", "a", ",b, a a, #, b a"},
        {"a b", "a b", ",a,b,b a,a b a,a b b"},
        {"a|b", "a,b", ",a b,#,c"},
        {"a b|c", "a b,c", "a c,a,b,a b c"},
        {"a (b|c)", "a b,a c", "a,c,b,a b c"},
        {"a*", ",a,a a,a a a a", "b,a b,b a"},
        {"a+", "a,a a,a a a a", ",b,a b"},
        {"a?", ",a", "a a,b"},
        {"a b*", "a,a b,a b b", ",b,a b a,a b a b"},
        {"(a b)*", ",a b,a b a b", "a,a b a,b a,a a b b"},
        {"a{3}", "a a a", ",a,a a,a a a a"},
        {"a{2,}", "a a,a a a,a a a a a", ",a,b b"},
        {"a{2,4}", "a a,a a a,a a a a", ",a,a a a a a"},
        {"a{0,2}", ",a,a a", "a a a"},
        {"a{0,}", ",a,a a a", "b"},
        {"a{1}", "a", ",a a"},
        {"a{0}", "", "a"},
        {"a{0,0}b", "b", "a b,a,"},
        {"a{1,1}", "a", ",a a"},
        {"(a|b){2}", "a a,a b,b a,b b", ",a,a a a"},
        {"(a b){2}c", "a b a b c", "a b c,a a b b c"},
        {"(a b?){2,3}", "a a,a b a,a b a b,a a a b,a b a b a b", ",a,a b,b a,a a a a,a b b a"},
        {"a b c", "a b c", "a b,b c,a c b"},
        {"c|a b*|b", "c,a,a b b,b", ",b b,c b,a c"},
    };
    EXPECT_ROWS("a b c", rows);
}

Test(expression, what_may_be_empty)
{
    static const row rows[] = {
        {"", "", "a,#"},
        {" \t\n", "", "a"},
        {"()", "", "a"},
        {"(())()", "", "a"},
        {"|", "", "a"},
        {"a|", ",a", "b,a a"},
        {"|a", ",a", "b,a a"},
        {"a||b", ",a,b", "a b"},
        {"(|a)b", "b,a b", ",a,a a b"},
        {"(a|)b", "b,a b", ",a,a a b"},
        {"a()b", "a b", "a,b"},
        {"()*a", "a", ",a a"},
        {"(){5}a", "a", ""},
        {"(|){2,}", "", "a"},
        {"(a*)*", ",a,a a a", "b"},
        {"(a*)+", ",a,a a a", "b"},
        {"(a+)?", ",a,a a a", "b"},
        {"(a?){3}", ",a,a a,a a a", "a a a a"},
        {"(a?){3,}", ",a,a a,a a a,a a a a", "b"},
        {"(a?){1,2}", ",a,a a", "a a a"},
        {"(|a)+", ",a,a a", "b"},
        {"(|a){2}b", "b,a b,a a b", ",a a a b,a"},
        {"(a*b*)*", ",a,b a,a b a b b", "c,a c"},
        {"(a*b*){2}", ",a,b a,a b a b b", "b a b a"},
        {"(a|b*)c", "c,a c,b b c", "a b c,a a c"},
        {"(a{0}|b)c", "c,b c", "a c,b b c"},
        {"a?b?c?", ",a,b,c,a b,a c,b c,a b c", "b a,c a,a a"},
        {"(a?b?){2}", ",a b a b,b a,b b,a a", "b a b a,a a a"},
    };
    EXPECT_ROWS("a b c", rows);
}

Test(expression, signs_behind_signs)
{
    static const row rows[] = {
        {"a**", ",a,a a", "b"},
        {"a+?", ",a,a a", "b"},
        {"a?+", ",a,a a", "b"},
        {"a*?b", "b,a b,a a b", "a"},
        {"a{2}{3}", "a a a a a a", "a a a a a,a a,a a a"},
        {"a{2}*", ",a a,a a a a", "a,a a a"},
        {"a{2,3}{2}", "a a a a,a a a a a,a a a a a a", "a a a,a a a a a a a"},
        {"a{2}+b", "a a b,a a a a b", "b,a b,a a a b"},
        {"a{3,}{2}", "a a a a a a,a a a a a a a", "a a a a a"},
        {"a{2}{0}b", "b", "a a b"},
    };
    EXPECT_ROWS("a b", rows);
}

Test(expression, edges_of_several_labels_or_none)
{
    static const row rows[] = {
        {"a", "a,a+b,b+a,a+b+c", "b,b+c,#"},
        {".", "a,b+c,#", ",a a"},
        {".*", ",#,a # b+c", NULL},
        {"a .", "a #,a b,a+c a", "# a,a"},
        {"a b", "a+b a+b,a b+c", "b a"},
        {"(a|b)c", "a+b c,a+b+c a+c", "c+a b"},
        {". a", "# a,# a+b", "# #,a #"},
        {"a{2}|b{3}", "a a,a+b a+b,a+b a+b b", "a b,a+b a+b a,b b"},
        {"a* b", "b,a+b,a a+b,a+b b", "a+b a,a"},
    };
    EXPECT_ROWS("a b c", rows);
}

Test(expression, labels_are_the_longest_runs_and_space_separates_them)
{
    static const row rows[] = {
        {"a b", "a b", "ab"},
        {"ab", "ab", "a b"},
        {"(a)(b)", "a b", "ab"},
        {"a|ab", "a,ab", "a b"},
        {"a\tb\na\r\v\fb", "a b a b", "a b"},
        {"  a  *  b ", "b,a a b", "a"},
        {"ab { 2 , 3 } ", "ab ab,ab ab ab", "ab"},
        {"2 2", "2 2", "2"},
        {"a{2}2", "a a 2", "a 2"},
        {"t:x/y_z-1", "t:x/y_z-1", "a"},
        {"-", "-", "a"},
        {"a-", "a-", "a -"},
        {"a -", "a -", "a-"},
        {"a{002}", "a a", "a"},
    };
    EXPECT_ROWS("a b ab 2 t:x/y_z-1 - a-", rows);
}

Test(expression, rules_of_learning)
{
    static const row rows[] = {
        {"param leak* spike readout filter* loss",
         "param spike readout loss,param leak leak spike readout filter loss,param leak spike readout loss",
         "param leak spike rec spike readout loss,param spike loss,spike readout loss,param spike readout"},
        {"param (leak | spike rec)* spike readout loss",
         "param spike readout loss,param spike rec spike readout loss,param leak spike rec leak spike readout loss",
         "param rec spike readout loss,param spike rec readout loss"},
        {"param (leak | spike reset)* (spike rec (leak | spike reset)*){0,1} spike readout filter* loss",
         "param spike readout loss,param spike rec spike readout loss,param spike reset spike rec leak spike readout "
         "loss",
         "param spike rec spike rec spike readout loss"},
    };
    EXPECT_ROWS("param leak spike rec reset readout filter loss", rows);
}

/* ---- labels that it names -----------------------------------------------------------------------------------------
 */

Test(expression, names_its_labels_once)
{
    jc_graph *graph = jt_labelled(NULL, "a b c d");
    jc_expression *expression = jt_expression(graph, "(c a . c){2,3} a* d{0}");
    int64_t n = 0, seen[4] = {0};
    const int64_t *labels = jc_expression_labels(expression, &n);
    cr_assert_eq(n, 3);
    for (int64_t i = 0; i < n; i++) seen[labels[i]]++;
    cr_expect(seen[0] == 1 && seen[1] == 0 && seen[2] == 1 && seen[3] == 1);
    jc_expression_destroy(expression);
    expression = jt_expression(graph, ". .*");
    jc_expression_labels(expression, &n);
    cr_expect_eq(n, 0);
    jc_expression_destroy(expression);
    jc_graph_destroy(graph);
}

/* Labels that the expression does not name change nothing, in whatever order they come. */
Test(expression, lets_other_labels_pass)
{
    jc_graph *graph = jt_labelled(NULL, "a b c d");
    jc_expression *expression = jt_expression(graph, "a b");
    int64_t with[] = {3, 0, 2}, without[] = {0}, other[] = {2, 3}, far[] = {99, -5, 0}, a, b;
    cr_assert_eq(jc_expression_step(expression, JC_EXPRESSION_START, with, 3, &a), JC_OK);
    cr_assert_eq(jc_expression_step(expression, JC_EXPRESSION_START, without, 1, &b), JC_OK);
    cr_expect_eq(a, b);
    cr_assert_eq(jc_expression_step(expression, JC_EXPRESSION_START, far, 3, &b), JC_OK);
    cr_expect_eq(a, b);
    cr_assert_eq(jc_expression_step(expression, JC_EXPRESSION_START, other, 2, &b), JC_OK);
    cr_expect_eq(b, JC_EXPRESSION_DEAD);
    jc_expression_destroy(expression);
    jc_graph_destroy(graph);
}

/* ---- states -------------------------------------------------------------------------------------------------------
 */

/* All states that edges with label a, or b, or both lead to. */
static int64_t reachable(const jc_graph *graph, const char *text)
{
    static const int64_t labels[] = {0, 1};
    jc_expression *expression = jt_expression(graph, text);
    for (int64_t state = 0; state < jc_expression_states(expression); state++)
        for (int i = 0; i < 2; i++) {
            int64_t next;
            cr_assert_eq(jc_expression_step(expression, state, labels + i, 1, &next), JC_OK);
            cr_expect_neq(next, JC_EXPRESSION_START);
        }
    int64_t states = jc_expression_states(expression);
    jc_expression_destroy(expression);
    return states;
}

/* a k+1 letters before the end: the last k+1 letters have to be remembered (2^(k+1) states), and the start. */
Test(expression, has_the_states_that_it_must_have)
{
    jc_graph *graph = jt_labelled(NULL, "a b");
    cr_expect_eq(reachable(graph, ""), 1);
    cr_expect_eq(reachable(graph, "a"), 2);
    cr_expect_eq(reachable(graph, "a{1000}"), 1001);
    cr_expect_eq(reachable(graph, "(a|b)*"), 3);
    cr_expect_eq(reachable(graph, "(a|b)*a(a|b){3}"), 17);
    cr_expect_eq(reachable(graph, "(a|b)*a(a|b){12}"), 8193);
    jc_graph_destroy(graph);
}

/* ---- what is refused ----------------------------------------------------------------------------------------------
 */

Test(expression, says_what_is_wrong_and_where)
{
    static const struct {
        const char *text, *message;
    } rows[] = {
        {")", "column 1: ')' without '('"},
        {"leak a ) rec", "column 8: ')' without '('"},
        {"(a))", "column 4: ')' without '('"},
        {"(", "column 1: '(' without ')'"},
        {"a ((a) rec", "column 3: '(' without ')'"},
        {"((", "column 2: '(' without ')'"},
        {"*", "column 1: '*' without anything before it to repeat"},
        {"  +a", "column 3: '+' without anything before it to repeat"},
        {"a|?", "column 3: '?' without anything before it to repeat"},
        {"a (*b)", "column 4: '*' without anything before it to repeat"},
        {"a|{2}", "column 3: '{2}' without anything before it to repeat"},
        {"a{", "column 3: the expression ends inside {..}"},
        {"a{2", "column 4: the expression ends inside {..}"},
        {"a{2,", "column 5: the expression ends inside {..}"},
        {"a{2 ,3 ", "column 8: the expression ends inside {..}"},
        {"a{}", "column 3: '}' inside {..}; how often is written {2}, {2,} or {2,5} behind what is repeated"},
        {"a{b}", "column 3: 'b' inside {..}; how often is written {2}, {2,} or {2,5} behind what is repeated"},
        {"a{-1}", "column 3: '-' inside {..}; how often is written {2}, {2,} or {2,5} behind what is repeated"},
        {"a{1 2}", "column 5: '2' inside {..}; how often is written {2}, {2,} or {2,5} behind what is repeated"},
        {"a{1,2,3}", "column 6: ',' inside {..}; how often is written {2}, {2,} or {2,5} behind what is repeated"},
        {"a{1.5}", "column 4: '.' inside {..}; how often is written {2}, {2,} or {2,5} behind what is repeated"},
        {"a{,3}", "column 3: ',' without a number before it; from none is written {0,"},
        {"a{,}", "column 3: ',' without a number before it; from none is written {0,"},
        {"a{3,2}", "column 2: the first number of '{3,2}' is the larger one"},
        {"a a{ 10,\t9 }", "column 4: the first number of '{ 10,?9 }' is the larger one"},
        {"a}", "column 2: '}' is not part of an expression; how often is written {2}, {2,} or {2,5} behind what is "
               "repeated"},
        {"a,b", "column 2: ',' is not part of an expression; how often is written {2}, {2,} or {2,5} behind what is "
                "repeated"},
        {"^a$", "column 1: '^' is not part of an expression; an expression always stands for a whole path"},
        {"a$", "column 2: '$' is not part of an expression; an expression always stands for a whole path"},
        {"[ab]", "column 1: '[' is not part of an expression; one of several labels is written (a | b)"},
        {"a\\*", "column 2: '\\' is not part of an expression; labels are written as they are"},
        {"'a'", "column 1: ''' is not part of an expression; labels are written as they are"},
        {"a & b", "column 3: '&' is not part of an expression"},
        {"a %s%n", "column 3: '%' is not part of an expression"},
        {"a \xc2\xa0 a", "column 3: '\xc2\xa0' (U+00A0) is not part of an expression"},
        {"a\xe2\x80\x93", "column 2: '\xe2\x80\x93' (U+2013) is not part of an expression"},
        {"\xf0\x9f\x98\x80", "column 1: '\xf0\x9f\x98\x80' (U+1F600) is not part of an expression"},
        {"a\xff", "column 2: byte 0xFF is not UTF-8"},
        {"a\xc3", "column 2: byte 0xC3 is not UTF-8"},
        {"a{\xc0\xaf}", "column 3: byte 0xC0 is not UTF-8"},
        {"a{2\x1b}", "column 4: U+001B is not part of an expression"},
        {"a\x1b[31m", "column 2: U+001B is not part of an expression"},
        {"\x7f", "column 1: U+007F is not part of an expression"},
        {"a\xc2\x9b", "column 2: U+009B is not part of an expression"},
        {"leak recc*", "column 6: there is no label 'recc'; is 'rec' meant?"},
        {"(leak|Rec)", "column 7: there is no label 'Rec'; is 'rec' meant?"},
        {"leak\nreadout{0}", "column 6: there is no label 'readout'"},
        {"a b", "column 3: there is no label 'b'"},
        {"leakrec", "column 1: there is no label 'leakrec'"},
        {"a{100001}", "column 2: '{100001}' is more than 100000 repetitions"},
        {"a{0,100001}", "column 2: '{0,100001}' is more than 100000 repetitions"},
        {"(){100001,}", "column 3: '{100001,}' is more than 100000 repetitions"},
        {"a{18446744073709551617}", "column 2: '{18446744073709551617}' is more than 100000 repetitions"},
        {"(a{1000} a){1000}",
         "column 12: up to here, with repetitions written out, the expression has 1001000 labels, of 100000 at most"},
        {"a{100000} .",
         "column 11: up to here, with repetitions written out, the expression has 100001 labels, of 100000 at most"},
        {"a (rec{50000}){0,2}",
         "column 15: up to here, with repetitions written out, the expression has 100001 labels, of 100000 at most"},
    };
    jc_graph *graph = jt_labelled(NULL, "a leak rec");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        jc_expression *expression = NULL;
        cr_expect_eq(jc_expression_create(graph, rows[i].text, &expression), JC_E_USAGE, "%s", rows[i].text);
        cr_expect_null(expression);
        cr_expect_str_eq(jc_last_error(), rows[i].message, "%s\n  gives    %s\n  expected %s", rows[i].text,
                         jc_last_error(), rows[i].message);
    }
    jc_graph_destroy(graph);
}

Test(expression, of_a_graph_without_labels)
{
    jc_graph *graph = jt_labelled(NULL, "");
    jc_expression *expression = NULL;
    cr_expect_eq(jc_expression_create(graph, "a", &expression), JC_E_USAGE);
    cr_expect_str_eq(jc_last_error(), "column 1: there is no label 'a'; no edge of the graph has a label");
    cr_expect_eq(jc_expression_create(graph, NULL, &expression), JC_E_USAGE);
    expect_words(graph, ". .", "# #", true);
    expect_words(graph, ". .", "#", false);
    jc_graph_destroy(graph);
}

/* ---- large ones ---------------------------------------------------------------------------------------------------
 */

static char *repeated(const char *before, const char *piece, int n, const char *behind)
{
    size_t bytes = strlen(before) + strlen(piece) * (size_t)n + strlen(behind) + 1;
    char *text = malloc(bytes), *end = text + sprintf(text, "%s", before);
    for (int i = 0; i < n; i++) end = stpcpy(end, piece);
    strcpy(end, behind);
    return text;
}

/* text is freed. expected: in the message; NULL: it is accepted. */
static void expect_large(const jc_graph *graph, char *text, const char *expected)
{
    jc_expression *expression = NULL;
    clock_t start = clock();
    jc_status status = jc_expression_create(graph, text, &expression);
    double seconds = (double)(clock() - start) / CLOCKS_PER_SEC;
    cr_expect_eq(status, expected ? JC_E_USAGE : JC_OK, "%.20s: %s", text, jc_last_error());
    if (expected) cr_expect(strstr(jc_last_error(), expected), "%.20s: %s", text, jc_last_error());
    cr_expect_lt(seconds, 2.0, "%.20s: %g s", text, seconds);
    jc_expression_destroy(expression);
    free(text);
}

Test(expression, large_ones_are_taken_or_refused_at_once)
{
    enum { MANY = 1000000 };
    jc_graph *graph = jt_labelled(NULL, "a b");
    expect_large(graph, strdup("a{100000}"), NULL);
    expect_large(graph, strdup("(a b){50000}"), NULL);
    expect_large(graph, strdup("(a{0,1000}|b{3,}){0,99}"), NULL);
    expect_large(graph, strdup("(((a{1000}){1000}){1000})"), "1000000 labels");
    expect_large(graph, strdup("(a{100000}){100000}"), "10000000000 labels");
    expect_large(graph, strdup("(a{100000}){0}a{100000}"), NULL);
    expect_large(graph, strdup("(a*b?){60000,}"), NULL); /* as often as one likes, and so one copy */
    expect_large(graph, repeated("", "a ", 100000, ""), NULL);
    expect_large(graph, repeated("", "a ", 100001, ""), "100001 labels");
    expect_large(graph, repeated("", "a|", 99999, "b"), NULL);
    expect_large(graph, repeated("a", "*", MANY, ""), NULL);
    expect_large(graph, repeated("a", "{1}", MANY, ""), NULL);
    expect_large(graph, repeated("", "()", MANY, ""), NULL);
    expect_large(graph, repeated("", "|", MANY, ""), NULL);
    expect_large(graph, repeated("", "(", MANY, ""), "column 1000000: '(' without ')'");
    expect_large(graph, repeated("", "(a", MANY, ""), "100001 labels");
    expect_large(graph, repeated("", "a", MANY, ""), "aaa...'");
    expect_large(graph, repeated("a{", "9", MANY, "}"), "999...' is more than 100000 repetitions");
    char *open = repeated("", "(", MANY, "a"), *both = repeated(open, ")", MANY, "");
    free(open);
    expect_large(graph, both, NULL);
    jc_graph_destroy(graph);
}

/* Deep, and read: no step may go along the depth of the tree on the stack. */
Test(expression, deep_ones_are_read)
{
    enum { DEEP = 49999 };
    jc_graph *graph = jt_labelled(NULL, "a b");
    char *open = repeated("", "(a(b|", DEEP, "a"), *text = repeated(open, "))?", DEEP, "");
    jc_expression *expression = jt_expression(graph, text);
    cr_expect(jt_has_word(expression, graph, ""));
    cr_expect(jt_has_word(expression, graph, "a b"));
    cr_expect(jt_has_word(expression, graph, "a a b"));
    cr_expect_not(jt_has_word(expression, graph, "b"));
    jc_expression_destroy(expression);
    free(open);
    free(text);
    jc_graph_destroy(graph);
}

/* ---- memory -------------------------------------------------------------------------------------------------------
 */

static jc_status memory_body(void *ctx)
{
    const jc_graph *graph = ctx;
    jc_expression *expression = NULL;
    int64_t state = JC_EXPRESSION_START, next;
    jc_status status = jc_expression_create(graph, "(a|b){2,4} (a b* (a|c|)){3,} c", &expression);
    for (int64_t i = 0; i < 12 && !status; i++) {
        int64_t label = i % 2, before = jc_expression_states(expression);
        next = -7;
        status = jc_expression_step(expression, state, &label, 1, &next);
        if (status) cr_expect(next == -7 && jc_expression_states(expression) == before);
        if (!status) state = next;
    }
    jc_expression_destroy(expression);
    return status;
}

Test(expression, every_allocation_may_fail)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph *graph = jt_labelled(&allocator, "a b c");
    cr_expect_gt(failing_allocator_sweep(&memory, "expressions", memory_body, graph), 12);
    jc_graph_destroy(graph);
    cr_expect_eq(memory.live_blocks, 0);
    cr_expect_eq(memory.defects, 0);
}

static jc_status refused_body(void *ctx)
{
    static const char *const texts[] = {"(a b){3} (c|", "a{2} recc", "a b{9,2}", "a|(b c)*)"};
    jc_status status = JC_E_USAGE;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && status == JC_E_USAGE; i++) {
        jc_expression *expression = NULL;
        status = jc_expression_create(ctx, texts[i], &expression);
        cr_expect_null(expression);
    }
    return status == JC_E_USAGE ? JC_OK : status;
}

Test(expression, what_is_refused_keeps_nothing)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph *graph = jt_labelled(&allocator, "a b c");
    failing_allocator_sweep(&memory, "refused expressions", refused_body, graph);
    jc_graph_destroy(graph);
    cr_expect_eq(memory.live_blocks, 0);
}
