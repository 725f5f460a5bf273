#include "cli/formula_reader.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

void words_add(jt_pool *pool, words *w, const char *word)
{
    if (w->n == w->capacity) {
        char **grown = jt_alloc(pool, 2 * w->capacity + 16, sizeof *grown);
        if (w->n) memcpy(grown, w->word, (size_t)w->n * sizeof *grown);
        w->word = grown;
        w->capacity = 2 * w->capacity + 16;
    }
    char *copy = jt_alloc(pool, (int64_t)strlen(word) + 1, 1);
    w->word[w->n++] = strcpy(copy, word);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool words_same(words *a, words *b)
{
    if (a->n) qsort(a->word, (size_t)a->n, sizeof *a->word, compare);
    if (b->n) qsort(b->word, (size_t)b->n, sizeof *b->word, compare);
    for (int64_t i = 0; i < a->n && i < b->n; i++)
        if (strcmp(a->word[i], b->word[i]) != 0) return false;
    return a->n == b->n;
}

/* A line that was read: what its left side stands for. */
typedef struct definition {
    char *name;
    words value;
} definition;

enum { MAX_DEFINITIONS = 100, MAX_DEPTH = 4 };

typedef struct reader {
    jt_pool *pool;
    const char *text, *at;
    const words_source *source;
    definition defined[MAX_DEFINITIONS];
    int n_defined;
} reader;

static bool take(reader *r, const char *word)
{
    size_t n = strlen(word);
    if (strncmp(r->at, word, n) != 0) return false;
    r->at += n;
    return true;
}

/* What stands up to one of the characters in `ends`. */
static char *take_name(reader *r, const char *ends)
{
    size_t n = strcspn(r->at, ends);
    char *name = jt_alloc(r->pool, (int64_t)n + 1, 1);
    memcpy(name, r->at, n);
    r->at += n;
    return name;
}

static words concatenate(reader *r, const words *a, const words *b)
{
    words w = {0};
    for (int64_t i = 0; i < a->n; i++)
        for (int64_t k = 0; k < b->n; k++) {
            const char *x = a->word[i], *y = b->word[k];
            char *both = jt_alloc(r->pool, (int64_t)(strlen(x) + strlen(y)) + 2, 1);
            strcpy(both, x);
            if (*x && *y) strcat(both, " ");
            words_add(r->pool, &w, strcat(both, y));
        }
    return w;
}

static words find(reader *r, const char *name)
{
    words w = {0};
    for (int i = 0; i < r->n_defined; i++)
        if (strcmp(r->defined[i].name, name) == 0) return r->defined[i].value;
    cr_assert(r->source && r->source->find(r->source->ctx, name, &w), "%s is not defined in\n%s", name, r->text);
    return w;
}

static words read_sum(reader *r, int depth);

static words read_factor(reader *r, int depth)
{
    words w = {0};
    const char *begin = r->at;
    if (take(r, "(")) {
        w = read_sum(r, depth + 1);
        cr_assert(take(r, ")"), "no ')' at %s", r->at);
    } else if (take(r, "D[")) {
        r->at = begin;
        char *name = take_name(r, "]");
        words_add(r->pool, &w, strcat(strcpy(jt_alloc(r->pool, (int64_t)strlen(name) + 2, 1), name), "]"));
        cr_assert(take(r, "]"));
    } else if (take(r, "[d")) {
        r->at = begin;
        w = find(r, take_name(r, " )\n"));
    } else if (*r->at == 'd') {
        w = find(r, take_name(r, " )\n"));
    } else if (take(r, "I")) {
        words_add(r->pool, &w, "");
    } else {
        cr_assert(take(r, "0"), "no factor at %s", r->at);
    }
    return w;
}

static words read_product(reader *r, int depth)
{
    words w = read_factor(r, depth);
    while (*r->at == ' ' && strncmp(r->at, " + ", 3) != 0) {
        r->at++;
        words next = read_factor(r, depth);
        w = concatenate(r, &w, &next);
    }
    return w;
}

static words read_sum(reader *r, int depth)
{
    cr_assert_lt(depth, MAX_DEPTH);
    words w = read_product(r, depth);
    while (take(r, " + ")) {
        words next = read_product(r, depth);
        for (int64_t i = 0; i < next.n; i++) words_add(r->pool, &w, next.word[i]);
    }
    return w;
}

/* Reads the line at r->at behind its left side. */
static words read_line(reader *r)
{
    cr_assert(take(r, " = "), "no ' = ' at %s", r->at);
    words w = read_sum(r, 0);
    cr_assert(*r->at == '\n' || !*r->at, "'%s' is left of a line of\n%s", r->at, r->text);
    if (*r->at) r->at++;
    return w;
}

void formula_read(jt_pool *pool, const char *text, const words_source *source, words sums[2], int *n_sums)
{
    reader r = {.pool = pool, .text = text, .at = text, .source = source};
    const char *total_lines[2];
    char *total = take_name(&r, " \n");
    int n = 0;
    for (r.at = text; *r.at;) {
        char *name = take_name(&r, " \n");
        if (strcmp(name, total) == 0) {
            cr_assert(n < 2 && r.n_defined == 0, "%s stands too often or behind what is in it:\n%s", name, text);
            total_lines[n++] = r.at;
            r.at += strcspn(r.at, "\n");
            r.at += *r.at != 0;
            continue;
        }
        cr_assert_lt(r.n_defined, MAX_DEFINITIONS);
        words value = read_line(&r);
        r.defined[r.n_defined++] = (definition){name, value};
    }
    for (int i = 0; i < n; i++) {
        r.at = total_lines[i];
        sums[i] = read_line(&r);
    }
    *n_sums = n;
}
