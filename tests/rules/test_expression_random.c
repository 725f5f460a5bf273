/* Random expressions and random words against another engine, the C library's regular expressions: the labels of an
 * edge, three bits, are one character '0' to '7', and a label is the class of the characters that have its bit. */
#include <criterion/criterion.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rules/expression_help.h"
#include "support/pool.h"
#include "support/sanitized.h"

TestSuite(expression_random);

enum { N_LABELS = 3, N_MASKS = 1 << N_LABELS, MOST_CHILDREN = 3, MOST_LETTERS = 200 };

typedef enum { LABEL, ANY, EMPTY, CHOICE, SEQUENCE, REPEAT } kind;

typedef struct tree {
    kind kind;
    int label;
    int n;               /* children */
    int64_t least, most; /* -1: without end */
    const struct tree *child[MOST_CHILDREN];
} tree;

static const tree *random_tree(jt_pool *pool, jt_rng *rng, int depth)
{
    tree *t = jt_alloc(pool, 1, sizeof *t);
    int64_t draw = jt_below(rng, depth > 0 ? 16 : 8);
    t->kind = draw < 6 ? LABEL : draw < 7 ? ANY : draw < 8 ? EMPTY : draw < 10 ? CHOICE : draw < 13 ? SEQUENCE : REPEAT;
    if (depth == 4 && t->kind <= EMPTY) t->kind = SEQUENCE;
    t->label = (int)jt_below(rng, N_LABELS);
    t->n = t->kind <= EMPTY ? 0 : t->kind == REPEAT ? 1 : (int)jt_between(rng, 2, MOST_CHILDREN);
    for (int i = 0; i < t->n; i++) t->child[i] = random_tree(pool, rng, depth - 1);
    t->least = jt_below(rng, 3);
    t->most = jt_below(rng, 2) ? -1 : jt_between(rng, t->least, 3);
    return t;
}

/* ---- as text ------------------------------------------------------------------------------------------------------
 */

static void print_space(FILE *out, jt_rng *rng)
{
    static const char *const spaces[] = {"", "", "", " ", "  ", "\t", "\n"};
    fputs(spaces[jt_below(rng, 7)], out);
}

static void print_token(FILE *out, jt_rng *rng, const char *token)
{
    print_space(out, rng);
    fputs(token, out);
    print_space(out, rng);
}

/* * + ? where they say the same, and where `plain` does not forbid it. */
static void print_counts(FILE *out, jt_rng *rng, const tree *t, bool plain)
{
    char text[80] = "";
    if (!plain && t->least == 0 && t->most == -1) strcpy(text, "*");
    if (!plain && t->least == 1 && t->most == -1) strcpy(text, "+");
    if (!plain && t->least == 0 && t->most == 1) strcpy(text, "?");
    if (!*text && t->most == -1) sprintf(text, "{%d,}", (int)t->least);
    if (!*text && t->most == t->least && !plain) sprintf(text, "{%d}", (int)t->least);
    if (!*text) sprintf(text, "{%d,%d}", (int)t->least, (int)t->most);
    if (rng)
        print_token(out, rng, text);
    else
        fputs(text, out);
}

/* With the parentheses that are needed where what stands around it binds as strongly as `around`, and some others. */
static void print_ours(FILE *out, jt_rng *rng, const tree *t, kind around)
{
    bool inside = t->kind == CHOICE ? around > CHOICE : t->kind == SEQUENCE ? around > SEQUENCE : false;
    bool parentheses = inside || jt_below(rng, 5) == 0 || (t->kind == EMPTY && around != CHOICE);
    if (parentheses) print_token(out, rng, "(");
    if (t->kind == LABEL) fprintf(out, " %c ", 'a' + t->label);
    if (t->kind == ANY) print_token(out, rng, ".");
    for (int i = 0; i < t->n; i++) {
        if (i && t->kind == CHOICE) print_token(out, rng, "|");
        print_ours(out, rng, t->child[i], t->kind);
    }
    if (t->kind == REPEAT) print_counts(out, rng, t, jt_below(rng, 4) == 0);
    if (parentheses) print_token(out, rng, ")");
}

static void print_theirs(FILE *out, const tree *t)
{
    fputs("(", out);
    if (t->kind == ANY) fputs(".", out);
    if (t->kind == LABEL) {
        fputs("[", out);
        for (int mask = 0; mask < N_MASKS; mask++)
            if (mask >> t->label & 1) fputc('0' + mask, out);
        fputs("]", out);
    }
    for (int i = 0; i < t->n; i++) {
        if (i && t->kind == CHOICE) fputs("|", out);
        print_theirs(out, t->child[i]);
    }
    fputs(")", out);
    if (t->kind == REPEAT) print_counts(out, NULL, t, true);
}

static char *our_text(const tree *t, jt_rng *rng)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    print_ours(out, rng, t, CHOICE);
    fclose(out);
    return text;
}

static char *their_text(const tree *t)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    fputs("^", out);
    print_theirs(out, t);
    fputs("$", out);
    fclose(out);
    return text;
}

/* ---- words --------------------------------------------------------------------------------------------------------
 */

typedef struct word {
    unsigned char mask[MOST_LETTERS + 1];
    int n; /* more than MOST_LETTERS: too long to be used */
} word;

/* Appends a word of the tree. */
static void draw_word(jt_rng *rng, const tree *t, word *w)
{
    int64_t times = 1;
    if (t->kind == REPEAT) times = jt_between(rng, t->least, t->most < 0 ? t->least + 2 : t->most);
    if (t->kind <= ANY && w->n <= MOST_LETTERS) {
        w->mask[w->n] = (unsigned char)jt_below(rng, N_MASKS);
        if (t->kind == LABEL) w->mask[w->n] |= (unsigned char)(1 << t->label);
        w->n++;
    }
    if (t->kind == CHOICE) draw_word(rng, t->child[jt_below(rng, t->n)], w);
    for (int64_t k = 0; k < times && t->kind >= SEQUENCE; k++)
        for (int i = 0; i < t->n; i++) draw_word(rng, t->child[i], w);
}

/* One letter another, one less, or one more. */
static void change_word(jt_rng *rng, word *w)
{
    int at = (int)jt_below(rng, w->n + 1);
    int64_t how = jt_below(rng, 3);
    if (how == 0 && at < w->n) {
        w->mask[at] ^= (unsigned char)jt_between(rng, 1, N_MASKS - 1);
    } else if (how == 1 && at < w->n) {
        memmove(w->mask + at, w->mask + at + 1, (size_t)(w->n - at - 1));
        w->n--;
    } else if (w->n < MOST_LETTERS) {
        memmove(w->mask + at + 1, w->mask + at, (size_t)(w->n - at));
        w->mask[at] = (unsigned char)jt_below(rng, N_MASKS);
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

static void make_pair(const jc_graph *graph, const tree *t, jt_rng *rng, pair *p)
{
    p->text = our_text(t, rng);
    p->their_text = their_text(t);
    p->ours = jt_expression(graph, p->text);
    cr_assert_eq(regcomp(&p->theirs, p->their_text, REG_EXTENDED | REG_NOSUB), 0, "%s", p->their_text);
}

static void free_pair(pair *p)
{
    regfree(&p->theirs);
    jc_expression_destroy(p->ours);
    free(p->text);
    free(p->their_text);
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
static void compare_words(pair *p, const tree *t, jt_rng *rng)
{
    compare(p, &(word){{0}, 0});
    for (int i = 0; i < N_MASKS * N_MASKS; i++) {
        word w = {{(unsigned char)(i % N_MASKS), (unsigned char)(i / N_MASKS)}, 2};
        compare(p, &w);
        w.n = 1;
        if (i < N_MASKS) compare(p, &w);
    }
    for (int i = 0; i < 20; i++) {
        word w = {{0}, 0};
        draw_word(rng, t, &w);
        compare(p, &w);
        if (w.n <= MOST_LETTERS) change_word(rng, &w);
        compare(p, &w);
        w.n = (int)jt_below(rng, 9);
        for (int k = 0; k < w.n; k++) w.mask[k] = (unsigned char)jt_below(rng, N_MASKS);
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
        const tree *t = random_tree(&pool, &rng, 4);
        make_pair(graph, t, &rng, &p);
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
