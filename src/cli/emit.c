#include "cli/emit.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What "%g" would write for a number that is not finite, without the sign of a nan. */
static const char *special_text(double value)
{
    return isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

const char *jc_double_text(double value, char text[JC_NUMBER_BYTES])
{
    if (!isfinite(value)) return strcpy(text, special_text(value));
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, JC_NUMBER_BYTES, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    if (value == 0 && signbit(value)) strcpy(text, "-0.0"); /* "-0" would be read as the integer 0 */
    return text;
}

const char *jc_float_text(float value, char text[JC_NUMBER_BYTES])
{
    if (!isfinite(value)) return strcpy(text, special_text((double)value));
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, JC_NUMBER_BYTES, "%.*g", digits, (double)value);
        if (strtof(text, NULL) == value) break;
    }
    if (value == 0 && signbit(value)) strcpy(text, "-0.0");
    return text;
}

static void write_text(FILE *out, const char *text)
{
    putc('"', out);
    for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
        if (*p == '"' || *p == '\\') {
            putc('\\', out);
            putc(*p, out);
        } else if (*p < 0x20) {
            fprintf(out, "\\u%04x", *p);
        } else {
            putc(*p, out);
        }
    }
    putc('"', out);
}

/* What stands before a value: the comma after the last one, and the key. */
static void begin(jc_emit *e, const char *key)
{
    if (e->comma) fputs(", ", e->out);
    e->comma = true;
    if (!key) return;
    write_text(e->out, key);
    fputs(": ", e->out);
}

void jc_emit_open(jc_emit *e, const char *key, char bracket)
{
    begin(e, key);
    putc(bracket, e->out);
    e->comma = false;
}

void jc_emit_close(jc_emit *e, char bracket)
{
    putc(bracket, e->out);
    e->comma = true;
}

void jc_emit_text(jc_emit *e, const char *key, const char *text)
{
    begin(e, key);
    if (text)
        write_text(e->out, text);
    else
        fputs("null", e->out);
}

void jc_emit_int(jc_emit *e, const char *key, int64_t value)
{
    begin(e, key);
    fprintf(e->out, "%" PRId64, value);
}

void jc_emit_bool(jc_emit *e, const char *key, bool value)
{
    begin(e, key);
    fputs(value ? "true" : "false", e->out);
}

void jc_emit_null(jc_emit *e, const char *key)
{
    jc_emit_text(e, key, NULL);
}

static void emit_number(jc_emit *e, const char *key, const char *text, bool finite)
{
    begin(e, key);
    fprintf(e->out, finite ? "%s" : "\"%s\"", text);
}

void jc_emit_double(jc_emit *e, const char *key, double value)
{
    char text[JC_NUMBER_BYTES];
    emit_number(e, key, jc_double_text(value, text), isfinite(value));
}

void jc_emit_float(jc_emit *e, const char *key, float value)
{
    char text[JC_NUMBER_BYTES];
    emit_number(e, key, jc_float_text(value, text), isfinite(value));
}
