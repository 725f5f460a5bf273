#define _POSIX_C_SOURCE 200809L
#include "support/random_expression.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const jt_tree *jt_tree_random(jt_pool *pool, jt_rng *rng, int depth, bool whole)
{
    jt_tree *t = jt_alloc(pool, 1, sizeof *t);
    int64_t draw = jt_below(rng, depth > 0 ? 16 : 8);
    t->kind = draw < 6    ? JT_LABEL
              : draw < 7  ? JT_ANY
              : draw < 8  ? JT_EMPTY
              : draw < 10 ? JT_CHOICE
              : draw < 13 ? JT_SEQUENCE
                          : JT_REPEAT;
    if (whole && t->kind <= JT_EMPTY) t->kind = JT_SEQUENCE;
    t->label = (int)jt_below(rng, JT_LABELS);
    t->n = t->kind <= JT_EMPTY ? 0 : t->kind == JT_REPEAT ? 1 : (int)jt_between(rng, 2, JT_MOST_CHILDREN);
    for (int i = 0; i < t->n; i++) t->child[i] = jt_tree_random(pool, rng, depth - 1, false);
    t->least = jt_below(rng, 3);
    t->most = jt_below(rng, 2) ? -1 : jt_between(rng, t->least, 3);
    return t;
}

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
static void print_counts(FILE *out, jt_rng *rng, const jt_tree *t, bool plain)
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
static void print_ours(FILE *out, jt_rng *rng, const jt_tree *t, const char *const *names, jt_tree_kind around)
{
    bool inside = t->kind == JT_CHOICE ? around > JT_CHOICE : t->kind == JT_SEQUENCE ? around > JT_SEQUENCE : false;
    bool parentheses = inside || jt_below(rng, 5) == 0 || (t->kind == JT_EMPTY && around != JT_CHOICE);
    if (parentheses) print_token(out, rng, "(");
    if (t->kind == JT_LABEL) fprintf(out, " %s ", names[t->label]);
    if (t->kind == JT_ANY) print_token(out, rng, ".");
    for (int i = 0; i < t->n; i++) {
        if (i && t->kind == JT_CHOICE) print_token(out, rng, "|");
        print_ours(out, rng, t->child[i], names, t->kind);
    }
    if (t->kind == JT_REPEAT) print_counts(out, rng, t, jt_below(rng, 4) == 0);
    if (parentheses) print_token(out, rng, ")");
}

static void print_theirs(FILE *out, const jt_tree *t)
{
    fputs("(", out);
    if (t->kind == JT_ANY) fputs(".", out);
    if (t->kind == JT_LABEL) {
        fputs("[", out);
        for (int mask = 0; mask < JT_MASKS; mask++)
            if (mask >> t->label & 1) fputc('0' + mask, out);
        fputs("]", out);
    }
    for (int i = 0; i < t->n; i++) {
        if (i && t->kind == JT_CHOICE) fputs("|", out);
        print_theirs(out, t->child[i]);
    }
    fputs(")", out);
    if (t->kind == JT_REPEAT) print_counts(out, NULL, t, true);
}

/* What was written to a stream of open_memstream's, as the pool's. */
static char *keep(jt_pool *pool, FILE *out, char **text, size_t *bytes)
{
    fclose(out);
    char *kept = jt_alloc(pool, (int64_t)*bytes + 1, 1);
    memcpy(kept, *text, *bytes);
    free(*text);
    return kept;
}

char *jt_tree_text(jt_pool *pool, const jt_tree *tree, jt_rng *rng, const char *const names[JT_LABELS])
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    print_ours(out, rng, tree, names, JT_CHOICE);
    return keep(pool, out, &text, &bytes);
}

char *jt_tree_regex(jt_pool *pool, const jt_tree *tree)
{
    char *text;
    size_t bytes;
    FILE *out = open_memstream(&text, &bytes);
    fputs("^", out);
    print_theirs(out, tree);
    fputs("$", out);
    return keep(pool, out, &text, &bytes);
}
