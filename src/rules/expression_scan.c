#include "rules/expression_scan.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/utf8.h"
#include "graph/graph.h"

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *jc_token_text(const jc_token *token, char shown[JC_SHOWN_BYTES])
{
    bool cut = token->bytes >= JC_SHOWN_BYTES;
    snprintf(shown, JC_SHOWN_BYTES, "%.*s%s", cut ? JC_SHOWN_BYTES - 4 : (int)token->bytes, token->text,
             cut ? "..." : "");
    return shown;
}

/* Goes on behind a character of one byte: before an error there are no others. */
static void skip(jc_scanner *s)
{
    s->text++;
    s->column++;
}

static void skip_space(jc_scanner *s)
{
    while (is_space(*s->text)) skip(s);
}

/* What to write in place of a character that other languages of expressions have. */
static const char *advice(char c)
{
    switch (c) {
    case '^':
    case '$':
        return "; an expression always stands for a whole path";
    case '[':
    case ']':
        return "; one of several labels is written (a | b)";
    case '{':
    case '}':
    case ',':
        return "; how often is written {2}, {2,} or {2,5} behind what is repeated";
    case '\\':
    case '"':
    case '\'':
        return "; labels are written as they are";
    default:
        return "";
    }
}

/* Says that the character has no place in an expression; what a terminal may not show as it is, by its number. */
static jc_status fail_character(const jc_scanner *s)
{
    uint32_t code = 0;
    size_t n = jc_utf8_decode(s->text, &code);
    long long column = (long long)s->column;
    if (n == 0) return jc_fail(JC_E_USAGE, "column %lld: byte 0x%02X is not UTF-8", column, (unsigned char)s->text[0]);
    if (code < 0x20 || (code >= 0x7F && code <= 0x9F))
        return jc_fail(JC_E_USAGE, "column %lld: U+%04X is not part of an expression", column, (unsigned)code);
    if (code >= 0x80)
        return jc_fail(JC_E_USAGE, "column %lld: '%.*s' (U+%04X) is not part of an expression", column, (int)n, s->text,
                       (unsigned)code);
    return jc_fail(JC_E_USAGE, "column %lld: '%c' is not part of an expression%s", column, *s->text, advice(*s->text));
}

/* Says what is wrong at the scanner's place inside {..}. */
static jc_status fail_count(const jc_scanner *s)
{
    unsigned char c = (unsigned char)*s->text;
    if (!c) return jc_fail(JC_E_USAGE, "column %lld: the expression ends inside {..}", (long long)s->column);
    if (c < 0x20 || c >= 0x7F) return fail_character(s);
    return jc_fail(JC_E_USAGE, "column %lld: '%c' inside {..}%s", (long long)s->column, c, advice('{'));
}

/* Digits to *number, which is JC_MOST_POSITIONS + 1 where it would be more; false: there are none. Cost: the digits. */
static bool scan_number(jc_scanner *s, int64_t *number)
{
    skip_space(s);
    if (!is_digit(*s->text)) return false;
    for (*number = 0; is_digit(*s->text); skip(s)) {
        *number = 10 * *number + (*s->text - '0');
        if (*number > JC_MOST_POSITIONS) *number = JC_MOST_POSITIONS + 1;
    }
    skip_space(s);
    return true;
}

/* What stands between { and }: n   n,   n,m */
static jc_status scan_counts(jc_scanner *s, jc_token *token)
{
    if (!scan_number(s, &token->least)) {
        if (*s->text != ',') return fail_count(s);
        return jc_fail(JC_E_USAGE, "column %lld: ',' without a number before it; from none is written {0,",
                       (long long)s->column);
    }
    token->most = token->least;
    if (*s->text == ',') {
        skip(s);
        if (!scan_number(s, &token->most)) token->most = JC_UNBOUNDED;
    }
    return *s->text == '}' ? JC_OK : fail_count(s);
}

/* {n} {n,} {n,m}, 0 <= n <= m */
static jc_status scan_braces(jc_scanner *s, jc_token *token)
{
    char shown[JC_SHOWN_BYTES];
    skip(s);
    jc_status status = scan_counts(s, token);
    if (status) return status;
    skip(s);
    token->bytes = s->text - token->text;
    jc_token_text(token, shown);
    if (token->least > JC_MOST_POSITIONS || token->most > JC_MOST_POSITIONS)
        return jc_fail(JC_E_USAGE, "column %lld: '%s' is more than %d repetitions", (long long)token->column, shown,
                       JC_MOST_POSITIONS);
    if (token->most != JC_UNBOUNDED && token->least > token->most)
        return jc_fail(JC_E_USAGE, "column %lld: the first number of '%s' is the larger one", (long long)token->column,
                       shown);
    return JC_OK;
}

static jc_status scan_sign(jc_scanner *s, jc_token *token)
{
    static const struct {
        char sign;
        jc_token_kind kind;
        int64_t least, most;
    } signs[] = {{'.', JC_TOKEN_ANY, 0, 0},
                 {'(', JC_TOKEN_OPEN, 0, 0},
                 {')', JC_TOKEN_CLOSE, 0, 0},
                 {'|', JC_TOKEN_OR, 0, 0},
                 {'?', JC_TOKEN_REPEAT, 0, 1},
                 {'*', JC_TOKEN_REPEAT, 0, JC_UNBOUNDED},
                 {'+', JC_TOKEN_REPEAT, 1, JC_UNBOUNDED}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        if (signs[i].sign != *s->text) continue;
        token->kind = signs[i].kind;
        token->least = signs[i].least;
        token->most = signs[i].most;
        skip(s);
        return JC_OK;
    }
    return fail_character(s);
}

jc_status jc_scan_token(jc_scanner *scanner, jc_token *token)
{
    jc_status status = JC_OK;
    skip_space(scanner);
    jc_token found = {JC_TOKEN_END, scanner->text, 0, scanner->column, 0, 0};
    if (jc_label_has(*scanner->text)) {
        found.kind = JC_TOKEN_LABEL;
        while (jc_label_has(*scanner->text)) skip(scanner);
    } else if (*scanner->text == '{') {
        found.kind = JC_TOKEN_REPEAT;
        status = scan_braces(scanner, &found);
    } else if (*scanner->text) {
        status = scan_sign(scanner, &found);
    }
    if (status) return status;
    found.bytes = scanner->text - found.text;
    *token = found;
    return JC_OK;
}
