/* Names of variables as parts of DOT text. A name is valid UTF-8 without control characters (graph/names.c). */
#include <string.h>

#include "cli/draw.h"

void jc_dot_identifier(FILE *out, const char *text)
{
    putc('"', out);
    for (const char *p = text; *p; p++) {
        if (*p == '"' || *p == '\\') putc('\\', out);
        putc(*p, out);
    }
    putc('"', out);
}

/* A space without width. Behind a backslash it keeps the next letter from being an escape ("\N" is the node's name):
 * how often Graphviz looks for those differs from attribute to attribute, and from version to version. */
#define NO_SPACE "\xE2\x80\x8B"

/* The character at p where XML has it; U+FFFE and U+FFFF, which it has not, as U+FFFD. Returns the bytes read. */
static size_t put_character(FILE *out, const char *p)
{
    static const char none[] = "\xEF\xBF\xBD";
    size_t n = 1;
    while ((p[n] & 0xC0) == 0x80) n++;
    bool is_none = n == 3 && !memcmp(p, "\xEF\xBF", 2) && (unsigned char)p[2] >= 0xBE;
    fwrite(is_none ? none : p, 1, is_none ? sizeof none - 1 : n, out);
    return n;
}

void jc_dot_escaped(FILE *out, const char *text)
{
    for (const char *p = text; *p;) {
        if (*p == '&') {
            fputs("&amp;", out);
            p++;
        } else if (*p == '\\') {
            fputs("\\\\" NO_SPACE, out);
            p++;
        } else {
            if (*p == '"') putc('\\', out);
            p += put_character(out, p);
        }
    }
}

static const char *entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\\': /* "\N" and the like stand for other texts, here too */
        return "&#92;&#92;";
    case ' ': /* several, or one at an end, would be lost */
        return "&#160;";
    default:
        return NULL;
    }
}

void jc_dot_html(FILE *out, const char *text, int64_t most)
{
    bool cut = most && jc_cli_text_width(text) > most;
    const char *p = text;
    for (int64_t n = 0; *p && (!cut || n < most - 1); n++) {
        const char *e = entity(*p);
        if (e) {
            fputs(e, out);
            p++;
        } else {
            p += put_character(out, p);
        }
    }
    if (cut) fputs("…", out);
}
