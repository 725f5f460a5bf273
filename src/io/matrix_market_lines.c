#define _GNU_SOURCE /* strtod_l */
#include "io/matrix_market_lines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/size.h"

enum { NUMBER_BYTES = 512, SHOWN_BYTES = 40 };

/* ---- lines and words -------------------------------------------------------------------------------------------- */

jc_status jc_mm_fail_line(const jc_mm_reader *r, const char *sentence)
{
    return jc_fail(JC_E_INPUT, "line %lld: %s", (long long)r->line, sentence);
}

jc_status jc_mm_fail_word(const jc_mm_reader *r, const char *expected, jc_mm_word found)
{
    int shown = (int)jc_min(found.bytes, SHOWN_BYTES);
    char text[SHOWN_BYTES];
    for (int i = 0; i < shown; i++) text[i] = found.text[i] > 0x20 && found.text[i] < 0x7f ? found.text[i] : '?';
    return jc_fail(JC_E_INPUT, "line %lld: expected %s, found '%.*s%s'", (long long)r->line, expected, shown, text,
                   shown < found.bytes ? "..." : "");
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

static void split(jc_mm_reader *r, int64_t begin, int64_t end)
{
    r->n_words = 0;
    for (int64_t i = begin; i < end;) {
        while (i < end && is_space(r->text[i])) i++;
        int64_t first = i;
        while (i < end && !is_space(r->text[i])) i++;
        if (i == first) break;
        if (r->n_words == JC_MM_WORDS) {
            r->n_words++;
            break;
        }
        r->word[r->n_words++] = (jc_mm_word){r->text + first, i - first};
    }
}

bool jc_mm_next_line(jc_mm_reader *r)
{
    if (r->at == r->bytes) return false;
    const char *end = memchr(r->text + r->at, '\n', (size_t)(r->bytes - r->at));
    int64_t begin = r->at, stop = end ? end - r->text : r->bytes;
    r->at = end ? stop + 1 : stop;
    r->line++;
    split(r, begin, stop);
    return true;
}

bool jc_mm_next_data(jc_mm_reader *r)
{
    while (jc_mm_next_line(r))
        if (r->n_words && r->word[0].text[0] != '%') return true;
    return false;
}

bool jc_mm_is_word(jc_mm_word w, const char *name)
{
    if (w.bytes != (int64_t)strlen(name)) return false;
    for (int64_t i = 0; i < w.bytes; i++) {
        char c = w.text[i];
        if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != name[i]) return false;
    }
    return true;
}

/* ---- numbers ---------------------------------------------------------------------------------------------------- */

static int64_t skip_digits(jc_mm_word w, int64_t i)
{
    while (i < w.bytes && w.text[i] >= '0' && w.text[i] <= '9') i++;
    return i;
}

bool jc_mm_read_integer(jc_mm_word w, int64_t *out)
{
    int64_t value = 0;
    if (skip_digits(w, 0) < w.bytes) return false;
    for (int64_t i = 0; i < w.bytes; i++)
        if (!jc_size_mul(value, 10, &value) || !jc_size_add(value, w.text[i] - '0', &value)) return false;
    *out = value;
    return true;
}

static int64_t skip_sign(jc_mm_word w, int64_t i)
{
    return i < w.bytes && (w.text[i] == '+' || w.text[i] == '-') ? i + 1 : i;
}

/* [sign] digits [. digits] [e [sign] digits], with a digit before or behind the point; integers end behind the first.
 */
static bool is_number(jc_mm_word w, bool integer)
{
    int64_t first = skip_sign(w, 0), i = skip_digits(w, first), digits = i - first;
    if (integer) return digits > 0 && i == w.bytes;
    if (i < w.bytes && w.text[i] == '.') {
        first = ++i;
        i = skip_digits(w, i);
        digits += i - first;
    }
    if (digits == 0) return false;
    if (i < w.bytes && (w.text[i] == 'e' || w.text[i] == 'E')) {
        first = skip_sign(w, i + 1);
        i = skip_digits(w, first);
        if (i == first) return false;
    }
    return i == w.bytes;
}

jc_status jc_mm_read_number(const jc_mm_reader *r, jc_mm_word w, bool integer, locale_t c_locale, double *out)
{
    char text[NUMBER_BYTES];
    if (!is_number(w, integer)) return jc_mm_fail_word(r, integer ? "an integer" : "a number", w);
    if (w.bytes >= NUMBER_BYTES) return jc_mm_fail_line(r, "the number has too many digits");
    memcpy(text, w.text, (size_t)w.bytes);
    text[w.bytes] = '\0';
    *out = strtod_l(text, NULL, c_locale);
    return isinf(*out) ? jc_mm_fail_word(r, "a number that does not overflow a double", w) : JC_OK;
}
