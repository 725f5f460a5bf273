/* Formulas as `factor` prints them, read again and multiplied out: by a grammar of its own, not that of src/.
 *
 *   text := line ('\n' line)*       line := total ' = ' sum        sum := product (' + ' product)*
 *   product := factor (' ' factor)*      factor := 'D[..]' | total | local | '(' sum ')' | 'I' | '0'
 *   total := 'd..'      local := '[d..]local'       names without spaces and parentheses
 *
 * The lines of the first line's total are what the formula says; the others define what stands in them, each before it
 * is used. */
#ifndef TEST_CLI_FORMULA_READER_H
#define TEST_CLI_FORMULA_READER_H

#include <stdbool.h>

#include "support/pool.h"

/* Products of D's, "D[L,y] D[y,w]", target side first; I is "". */
typedef struct words {
    char **word;
    int64_t n, capacity;
} words;

void words_add(jt_pool *pool, words *w, const char *word);

/* Sorts them; whether the two are the same, one as often as the other. */
bool words_same(words *a, words *b);

/* What a total or local stands for that no line defines: fills in *w and returns true, or returns false. */
typedef struct words_source {
    bool (*find)(void *ctx, const char *name, words *w);
    void *ctx;
} words_source;

/* Multiplies out each line of the first line's total into sums[0 .. *n_sums - 1], at most two. Ends the test where the
 * text is none of the grammar, or a line uses what is not defined before. */
void formula_read(jt_pool *pool, const char *text, const words_source *source, words sums[2], int *n_sums);

#endif
