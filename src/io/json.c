#include "io/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/alloc.h"
#include "core/error.h"

/* Strings may hold \u0000: `metadata` may hold anything. jc_json_text refuses them where a name is wanted. */
enum { PARSE_FLAGS = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL };

const char *jc_shorten(const char *text, char out[JC_SHORT_BYTES])
{
    size_t n = strnlen(text, JC_SHORT_BYTES), keep = n;
    if (n == JC_SHORT_BYTES) {
        keep = JC_SHORT_BYTES - 4;
        while (keep > 0 && ((unsigned char)text[keep] & 0xC0) == 0x80) keep--; /* not inside a UTF-8 character */
    }
    for (size_t i = 0; i < keep; i++) out[i] = ((unsigned char)text[i] < 0x20 || text[i] == 0x7F) ? '?' : text[i];
    memcpy(out + keep, keep < n ? "..." : "", keep < n ? 4 : 1);
    return out;
}

const char *jc_json_text(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

const char *jc_json_what(const json_t *value)
{
    if (!value) return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "a list";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number with fraction or exponent";
    case JSON_TRUE:
        return "true";
    case JSON_FALSE:
        return "false";
    default:
        return "null";
    }
}

const char *jc_json_show(const json_t *value, char out[JC_SHOW_BYTES])
{
    char shown[JC_SHORT_BYTES];
    if (json_is_integer(value)) {
        snprintf(out, JC_SHOW_BYTES, "%lld", (long long)json_integer_value(value));
    } else if (json_is_real(value)) {
        snprintf(out, JC_SHOW_BYTES, "%.15g", json_real_value(value));
        if (strtod(out, NULL) != json_real_value(value)) snprintf(out, JC_SHOW_BYTES, "%.17g", json_real_value(value));
        if (!strpbrk(out, ".e")) strcat(out, ".0");
    } else if (json_is_string(value)) {
        snprintf(out, JC_SHOW_BYTES, "text '%s'", jc_shorten(json_string_value(value), shown));
    } else {
        snprintf(out, JC_SHOW_BYTES, "%s", jc_json_what(value));
    }
    return out;
}

/* jansson's sentence, with the position where it stopped. */
static jc_status fail_parse(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);
    if (code == json_error_out_of_memory || !error->text[0])
        return jc_fail(JC_E_MEMORY, "not enough memory for the document's values");
    char text[JC_SHORT_BYTES];
    return jc_fail(JC_E_INPUT, "line %d, column %d: %s", error->line, error->column, jc_shorten(error->text, text));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether an integer literal of n digits is beyond 64 bits. */
static bool is_wide(const char *digits, int64_t n, bool negative)
{
    if (n != 19) return n > 19;
    return memcmp(digits, negative ? "9223372036854775808" : "9223372036854775807", 19) > 0;
}

int64_t jc_json_skip_string(const char *text, int64_t bytes, int64_t i)
{
    for (i++; i < bytes && text[i] != '"'; i++)
        if (text[i] == '\\') i++;
    return i < bytes ? i + 1 : bytes;
}

/* Whether digits that begin at text[i] are those of an exponent or behind a decimal point. */
static bool in_real(const char *text, int64_t i)
{
    if (i > 0 && text[i - 1] == '.') return true;
    if (i > 0 && (text[i - 1] == '+' || text[i - 1] == '-')) i--;
    return i > 0 && (text[i - 1] | 32) == 'e';
}

/* Writes to `out` the text with an exponent, "e0", put behind every integer literal beyond 64 bits. A number of an
 * inline array may be one (it is a double like any other); where a count is wanted it is refused as a real. */
static jc_status widen_integers(const jc_allocator *a, const char *text, int64_t bytes, jc_vec *out)
{
    int64_t copied = 0, i = 0;
    while (i < bytes) {
        if (text[i] == '"') {
            i = jc_json_skip_string(text, bytes, i);
            continue;
        }
        int64_t first = i;
        while (i < bytes && is_digit(text[i])) i++;
        int64_t n = i - first;
        if (n == 0) {
            i++;
            continue;
        }
        bool whole = !in_real(text, first) && (i == bytes || (text[i] != '.' && (text[i] | 32) != 'e'));
        if (!whole || !is_wide(text + first, n, first > 0 && text[first - 1] == '-')) continue;
        jc_status status = jc_vec_append(a, out, text + copied, i - copied, "a document");
        if (!status) status = jc_vec_append(a, out, "e0", 2, "a document");
        if (status) return status;
        copied = i;
    }
    return jc_vec_append(a, out, text + copied, bytes - copied, "a document");
}

/* Text on its way to jansson. */
typedef struct feed {
    const char *text; /* [bytes] */
    int64_t bytes, at;
    bool out_of_memory;
} feed;

/* Gives jansson one byte at a time. Its lexer drops a character where its buffer cannot grow, and goes on; that memory
 * ran out only shows in errno, until the next number sets it to 0. A number ends only when the byte behind it was asked
 * for, so looking at every byte sees it in time. */
static size_t feed_byte(void *out, size_t room, void *ctx)
{
    feed *f = ctx;
    (void)room;
    if (errno == ENOMEM) f->out_of_memory = true;
    if (f->out_of_memory || f->at == f->bytes) return 0;
    *(char *)out = f->text[f->at++];
    return 1;
}

static json_t *load(feed *f, json_error_t *error)
{
    int before = errno;
    errno = 0;
    json_t *value = json_load_callback(feed_byte, f, PARSE_FLAGS, error);
    if (errno == ENOMEM) f->out_of_memory = true;
    errno = before;
    return value;
}

/* jansson takes a string that it has no memory for as an invalid token. A text that can be read at a second try was
 * right, also where the allocator does not set errno. */
static bool is_right(const char *text, int64_t bytes)
{
    json_t *value = json_loadb(text, (size_t)bytes, PARSE_FLAGS, NULL);
    json_decref(value);
    return value != NULL;
}

static jc_status parse(const char *text, int64_t bytes, json_t **root, enum json_error_code *code)
{
    json_error_t error;
    feed f = {.text = text, .bytes = bytes};
    json_t *value = load(&f, &error);
    if (!value || f.out_of_memory) {
        if (f.out_of_memory || is_right(text, bytes)) error.text[0] = '\0';
        *code = json_error_code(&error);
        json_decref(value);
        return fail_parse(&error);
    }
    *root = value;
    return JC_OK;
}

/* A second reading, after the first one met a number too large for it. */
static jc_status parse_widened(const jc_allocator *a, const char *text, int64_t bytes, json_t **root)
{
    jc_vec wide = jc_vec_of(1);
    enum json_error_code code;
    jc_status status = widen_integers(a, text, bytes, &wide);
    if (!status) status = parse(wide.data, wide.count, root, &code);
    jc_vec_free(a, &wide);
    return status;
}

jc_status jc_json_parse(const jc_allocator *a, const void *text, int64_t bytes, json_t **root)
{
    enum json_error_code code = json_error_unknown;
    jc_status status = parse(text, bytes, root, &code);
    if (status == JC_E_INPUT && code == json_error_numeric_overflow) return parse_widened(a, text, bytes, root);
    return status;
}
