/* An expression over the labels a, b, leak and rec; behind the first % a word, each byte the labels of an edge. What is
 * accepted is held against itself: which words it has decides which words expressions that are made of it have, and
 * that is worked out here piece by piece of the word. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz/fuzz.h"
#include "rules/expression.h"
#include "rules/expression_tree.h"

enum { N_LABELS = 4, MOST_LETTERS = 10, N_WORDS = 3, MOST_TEXT = 4096, SMALL_NODES = 300 };

typedef struct word {
    unsigned char mask[MOST_LETTERS]; /* bit i: label i */
    int n;
} word;

/* has[i][j]: the expression has the piece of the word from edge i to edge j, j not in it. */
typedef struct pieces {
    bool has[MOST_LETTERS + 1][MOST_LETTERS + 1];
} pieces;

static jc_graph *labelled(void)
{
    static const char *const labels[N_LABELS] = {"a", "b", "leak", "rec"};
    jc_graph *graph = NULL;
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    int64_t from = 0, to = 0;
    fuzz_expect(!jc_graph_create(NULL, &graph) && !jc_graph_add_variable(graph, "v", 1, &from) &&
                    !jc_graph_add_variable(graph, "w", 1, &to),
                "a graph");
    for (int i = 0; i < N_LABELS; i++)
        fuzz_expect(!jc_graph_add_edge(graph, to, from, &identity, labels + i, 1), "an edge");
    fuzz_expect(!jc_graph_finish(graph), "a graph");
    return graph;
}

static int64_t step(jc_expression *x, int64_t state, unsigned char mask)
{
    int64_t labels[N_LABELS], n = 0, next = JC_EXPRESSION_START, again = JC_EXPRESSION_START;
    for (int i = 0; i < N_LABELS; i++)
        if (mask >> i & 1) labels[n++] = i;
    fuzz_expect(!jc_expression_step(x, state, labels, n, &next), "a step");
    fuzz_expect(next == JC_EXPRESSION_DEAD || (next > JC_EXPRESSION_START && next < jc_expression_states(x)),
                "the state is one that was met, and not the start");
    fuzz_expect(!jc_expression_step(x, state, labels, n, &again) && next == again, "the same step again");
    return next;
}

/* The pieces that begin at edge i. */
static void find_pieces_from(jc_expression *x, const word *w, int i, pieces *p)
{
    int64_t state = JC_EXPRESSION_START;
    for (int j = i; j <= w->n; j++) {
        p->has[i][j] = jc_expression_accepts(x, state);
        if (j < w->n) state = step(x, state, w->mask[j]);
    }
}

static pieces find_pieces(jc_expression *x, const word *w)
{
    pieces p = {{{false}}};
    for (int i = 0; i <= w->n; i++) find_pieces_from(x, w, i, &p);
    return p;
}

/* ---- expressions of expressions ------------------------------------------------------------------------------------
 */

static pieces either(const pieces *a, const pieces *b)
{
    pieces p;
    for (int i = 0; i <= MOST_LETTERS; i++)
        for (int j = 0; j <= MOST_LETTERS; j++) p.has[i][j] = a->has[i][j] || b->has[i][j];
    return p;
}

static pieces one_after_the_other(const pieces *a, const pieces *b)
{
    pieces p = {{{false}}};
    for (int i = 0; i <= MOST_LETTERS; i++)
        for (int k = i; k <= MOST_LETTERS; k++)
            for (int j = k; a->has[i][k] && j <= MOST_LETTERS; j++) p.has[i][j] |= b->has[k][j];
    return p;
}

static pieces nothing(void)
{
    pieces p = {{{false}}};
    for (int i = 0; i <= MOST_LETTERS; i++) p.has[i][i] = true;
    return p;
}

/* From `least` to `most` times; a word is never more than MOST_LETTERS pieces that are not empty. */
static pieces times(const pieces *a, int least, int most)
{
    pieces p = nothing(), maybe = either(a, &p);
    for (int i = 0; i < least; i++) p = one_after_the_other(&p, a);
    for (int i = least; i < most; i++) p = one_after_the_other(&p, &maybe);
    return p;
}

static void expect_pieces(const jc_graph *graph, const char *format, const char *text, const word *words,
                          const pieces *expected)
{
    size_t bytes = 3 * strlen(text) + 64;
    char *whole = malloc(bytes);
    jc_expression *x = NULL;
    fuzz_expect(whole, "memory");
    snprintf(whole, bytes, format, text, text, text);
    jc_status status = jc_expression_create(graph, whole, &x);
    fuzz_expect(!status || strstr(jc_last_error(), "written out"), "%s is an expression", whole);
    for (int i = 0; i < N_WORDS && !status; i++) {
        pieces p;
        find_pieces_from(x, words + i, 0, &p);
        for (int j = 0; j <= words[i].n; j++)
            fuzz_expect(p.has[0][j] == expected[i].has[0][j], "%s, word %d, %d edges", whole, i, j);
    }
    jc_expression_destroy(x);
    free(whole);
}

/* One edge with the label of that number; -1: any. */
static pieces one_edge(const word *w, int label)
{
    pieces p = {{{false}}};
    for (int i = 0; i < w->n; i++) p.has[i][i + 1] = label < 0 || (w->mask[i] >> label & 1);
    return p;
}

/* Those of "(a|(E))b". */
static pieces before_b(const pieces *p, const word *w)
{
    pieces a = one_edge(w, 0), b = one_edge(w, 1), first = either(&a, p);
    return one_after_the_other(&first, &b);
}

/* Those of "((E){2})+ .". */
static pieces pairs_and_any(const pieces *p, const word *w)
{
    pieces two = times(p, 2, 2), pairs = times(&two, 1, MOST_LETTERS), any = one_edge(w, -1);
    return one_after_the_other(&pairs, &any);
}

static void expect_all(const jc_graph *graph, const char *text, jc_expression *x, const word *words)
{
    enum { N_FORMATS = 11 };
    static const char *const formats[N_FORMATS] = {"(%s)",     "%s|(%s)",     "()(%s)()",          "(%s)(%s)",
                                                   "(%s)*",    "((%s)?){3,}", "(%s){2,3}|(%s){0}", "((%s){2})+ .",
                                                   "(%s){2,}", "(%s){1,4}",   "(a|(%s))b"};
    pieces expected[N_FORMATS][N_WORDS], none = nothing();
    for (int i = 0; i < N_WORDS; i++) {
        pieces p = find_pieces(x, words + i);
        expected[0][i] = expected[1][i] = expected[2][i] = p;
        expected[3][i] = one_after_the_other(&p, &p);
        expected[4][i] = expected[5][i] = times(&p, 0, MOST_LETTERS);
        expected[6][i] = times(&p, 2, 3);
        expected[6][i] = either(&expected[6][i], &none);
        expected[7][i] = pairs_and_any(&p, words + i);
        expected[8][i] = times(&p, 2, MOST_LETTERS);
        expected[9][i] = times(&p, 1, 4);
        expected[10][i] = before_b(&p, words + i);
    }
    for (int k = 0; k < N_FORMATS; k++) expect_pieces(graph, formats[k], text, words, expected[k]);
}

/* ---- the input ------------------------------------------------------------------------------------------------------
 */

/* One word of the input, others that its bytes decide. */
static void draw_words(const uint8_t *data, size_t bytes, const uint8_t *behind, word *words)
{
    uint64_t state = jc_hash(data, bytes);
    for (int i = 0; i < N_WORDS; i++) {
        words[i].n = MOST_LETTERS;
        for (int k = 0; k < MOST_LETTERS; k++) {
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            words[i].mask[k] = (state >> 60) & 15;
        }
    }
    if (!behind) return;
    words[0].n = (int)(data + bytes - behind) < MOST_LETTERS ? (int)(data + bytes - behind) : MOST_LETTERS;
    for (int k = 0; k < words[0].n; k++) words[0].mask[k] = behind[k] & 15;
}

static void expect_message(jc_status status)
{
    const char *message = jc_last_error();
    fuzz_expect(status == JC_E_USAGE, "status %s", jc_status_name(status));
    fuzz_expect(!strncmp(message, "column ", 7) && atoll(message + 7) > 0, "the message begins with a column");
    for (const char *c = message; *c; c++)
        fuzz_expect((unsigned char)*c >= 0x20 && *c != 0x7f, "no control characters in a message");
}

/* Whether there is time for all that is to be held against it. */
static bool is_small(const jc_graph *graph, const char *text)
{
    jc_expression_tree tree;
    fuzz_expect(!jc_expression_parse(graph, text, &tree), "it is an expression the second time too");
    bool small = tree.nodes.count < SMALL_NODES;
    jc_expression_tree_fini(graph, &tree);
    return small;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static jc_graph *graph;
    const uint8_t *end = bytes ? memchr(data, '%', bytes) : NULL;
    size_t n = end ? (size_t)(end - data) : bytes;
    if (n > MOST_TEXT) return 0;
    if (!graph) graph = labelled();
    char *text = malloc(n + 1);
    fuzz_expect(text, "memory");
    if (n) memcpy(text, data, n);
    text[n] = '\0';
    jc_expression *x = NULL;
    jc_status status = jc_expression_create(graph, text, &x);
    if (status) {
        expect_message(status);
    } else {
        word words[N_WORDS];
        draw_words(data, bytes, end ? end + 1 : NULL, words);
        if (is_small(graph, text))
            expect_all(graph, text, x, words);
        else
            find_pieces_from(x, words, 0, &(pieces){{{false}}});
        jc_expression_destroy(x);
    }
    free(text);
    return 0;
}
