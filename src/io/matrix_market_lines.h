/* Inside the reader of Matrix Market files: lines, words, numbers. */
#ifndef JC_IO_MATRIX_MARKET_LINES_H
#define JC_IO_MATRIX_MARKET_LINES_H

#include <locale.h>
#include <stdbool.h>

#include "jacchain.h"

enum { JC_MM_WORDS = 5 };

typedef struct jc_mm_word {
    const char *text;
    int64_t bytes;
} jc_mm_word;

/* The text, where the next line begins, and the words of the line before it. */
typedef struct jc_mm_reader {
    const char *text; /* [bytes] */
    int64_t bytes, at;
    int64_t line;                 /* number of the line that was read last, from 1 */
    jc_mm_word word[JC_MM_WORDS]; /* its words */
    int n_words;                  /* JC_MM_WORDS + 1: more */
} jc_mm_reader;

/* The next line, whatever it holds; false at the end of the text. */
bool jc_mm_next_line(jc_mm_reader *reader);

/* The next line that is neither blank nor a comment. */
bool jc_mm_next_data(jc_mm_reader *reader);

/* Capitals do not matter; `name` has none. */
bool jc_mm_is_word(jc_mm_word word, const char *name);

/* Decimal digits that fit. */
bool jc_mm_read_integer(jc_mm_word word, int64_t *out);

/* [sign] digits [. digits] [e [sign] digits], or an integer with its sign, as the nearest double, whatever the
 * process's locale; c_locale: that of C. */
jc_status jc_mm_read_number(const jc_mm_reader *reader, jc_mm_word word, bool integer, locale_t c_locale, double *out);

/* JC_E_INPUT "line 7: <sentence>" of the line read last. */
jc_status jc_mm_fail_line(const jc_mm_reader *reader, const char *sentence);

/* "line 7: expected a row from 1 to 3, found '0'" */
jc_status jc_mm_fail_word(const jc_mm_reader *reader, const char *expected, jc_mm_word found);

#endif
