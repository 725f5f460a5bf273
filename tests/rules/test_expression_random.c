/* Random expressions and random words against another engine, the C library's regular expressions: the labels of an
 * edge, three bits, are one character '0' to '7', and a label is the class of the characters that have its bit. */
#include <criterion/criterion.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "rules/expression_help.h"
#include "support/random_expression.h"
#include "support/sanitized.h"

TestSuite(expression_random);

enum { MOST_LETTERS = 200 };

/* ---- words --------------------------------------------------------------------------------------------------------
 */

typedef struct word {
    unsigned char mask[MOST_LETTERS + 1];
    int n; /* more than MOST_LETTERS: too long to be used */
} word;

/* Appends a word of the tree. */
static void draw_word(jt_rng *rng, const jt_tree *t, word *w)
{
    int64_t times = 1;
    if (t->kind == JT_REPEAT) times = jt_between(rng, t->least, t->most < 0 ? t->least + 2 : t->most);
    if (t->kind <= JT_ANY && w->n <= MOST_LETTERS) {
        w->mask[w->n] = (unsigned char)jt_below(rng, JT_MASKS);
        if (t->kind == JT_LABEL) w->mask[w->n] |= (unsigned char)(1 << t->label);
        w->n++;
    }
    if (t->kind == JT_CHOICE) draw_word(rng, t->child[jt_below(rng, t->n)], w);
    for (int64_t k = 0; k < times && t->kind >= JT_SEQUENCE; k++)
        for (int i = 0; i < t->n; i++) draw_word(rng, t->child[i], w);
}

/* One letter another, one less, or one more. */
static void change_word(jt_rng *rng, word *w)
{
    int at = (int)jt_below(rng, w->n + 1);
    int64_t how = jt_below(rng, 3);
    if (how == 0 && at < w->n) {
        w->mask[at] ^= (unsigned char)jt_between(rng, 1, JT_MASKS - 1);
    } else if (how == 1 && at < w->n) {
        memmove(w->mask + at, w->mask + at + 1, (size_t)(w->n - at - 1));
        w->n--;
    } else if (w->n < MOST_LETTERS) {
        memmove(w->mask + at + 1, w->mask + at, (size_t)(w->n - at));
        w->mask[at] = (unsigned char)jt_below(rng, JT_MASKS);
        w->n++;
    }
}

/* ---- both ---------------------------------------------------------------------------------------------------------
 */

typedef struct pair {
    char *text, *their_text;
    jc_expression *ours;
    regex_t theirs;
    int64_t accepted, refused;
} pair;

static void make_pair(jt_pool *pool, const jc_graph *graph, const jt_tree *t, jt_rng *rng, pair *p)
{
    static const char *const names[] = {"a", "b", "c"};
    p->text = jt_tree_text(pool, t, rng, names);
    p->their_text = jt_tree_regex(pool, t);
    p->ours = jt_expression(graph, p->text);
    cr_assert_eq(regcomp(&p->theirs, p->their_text, REG_EXTENDED | REG_NOSUB), 0, "%s", p->their_text);
}

static void free_pair(pair *p)
{
    regfree(&p->theirs);
    jc_expression_destroy(p->ours);
}

static void compare(pair *p, const word *w)
{
    char letters[MOST_LETTERS + 1];
    if (w->n > MOST_LETTERS) return;
    for (int i = 0; i < w->n; i++) letters[i] = (char)('0' + w->mask[i]);
    letters[w->n] = '\0';
    bool expected = regexec(&p->theirs, letters, 0, NULL, 0) == 0;
    cr_assert_eq(jt_has_masks(p->ours, w->mask, w->n), expected, "%s\n%s\n%s: expected %d", p->text, p->their_text,
                 letters, expected);
    p->accepted += expected;
    p->refused += !expected;
}

/* Every word of at most two edges, some of its own, those with one letter wrong, and any. */
static void compare_words(pair *p, const jt_tree *t, jt_rng *rng)
{
    compare(p, &(word){{0}, 0});
    for (int i = 0; i < JT_MASKS * JT_MASKS; i++) {
        word w = {{(unsigned char)(i % JT_MASKS), (unsigned char)(i / JT_MASKS)}, 2};
        compare(p, &w);
        w.n = 1;
        if (i < JT_MASKS) compare(p, &w);
    }
    for (int i = 0; i < 20; i++) {
        word w = {{0}, 0};
        draw_word(rng, t, &w);
        compare(p, &w);
        if (w.n <= MOST_LETTERS) change_word(rng, &w);
        compare(p, &w);
        w.n = (int)jt_below(rng, 9);
        for (int k = 0; k < w.n; k++) w.mask[k] = (unsigned char)jt_below(rng, JT_MASKS);
        compare(p, &w);
    }
}

Test(expression_random, agree_with_the_c_librarys)
{
    jc_graph *graph = jt_labelled(NULL, "a b c");
    int64_t accepted = 0, refused = 0, cases = jt_cases(500);
    for (int64_t seed = 0; seed < cases; seed++) {
        jt_pool pool = {0};
        jt_rng rng = {(uint64_t)seed};
        pair p = {0};
        const jt_tree *t = jt_tree_random(&pool, &rng, 4, true);
        make_pair(&pool, graph, t, &rng, &p);
        compare_words(&p, t, &rng);
        accepted += p.accepted;
        refused += p.refused;
        free_pair(&p);
        jt_pool_free(&pool);
    }
    cr_expect_gt(accepted, 20 * cases);
    cr_expect_gt(refused, 20 * cases);
    jc_graph_destroy(graph);
}
