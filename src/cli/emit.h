/* Writing one JSON document piece by piece, so that large results are never held as text, and numbers that read back
 * as the same bits.
 *
 *   jc_emit e = jc_emit_to(stdout);
 *   jc_emit_open(&e, NULL, '{');
 *   jc_emit_int(&e, "levels", 3);
 *   jc_emit_close(&e, '}');
 *
 * key: NULL inside a list. Text must be UTF-8. Errors stay with the stream (ferror). */
#ifndef JC_CLI_EMIT_H
#define JC_CLI_EMIT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct jc_emit {
    FILE *out;
    bool comma; /* something stands before in this object or list */
} jc_emit;

static inline jc_emit jc_emit_to(FILE *out)
{
    jc_emit e = {out, false};
    return e;
}

void jc_emit_open(jc_emit *e, const char *key, char bracket);
void jc_emit_close(jc_emit *e, char bracket);
void jc_emit_text(jc_emit *e, const char *key, const char *text); /* NULL: null */
void jc_emit_int(jc_emit *e, const char *key, int64_t value);
void jc_emit_bool(jc_emit *e, const char *key, bool value);
void jc_emit_null(jc_emit *e, const char *key);

/* Numbers that are not finite are the texts "nan", "inf" and "-inf". */
void jc_emit_double(jc_emit *e, const char *key, double value);
void jc_emit_float(jc_emit *e, const char *key, float value);

enum { JC_NUMBER_BYTES = 32 };

/* The fewest of 6, 9 (15, 17) and the digits between that read back as the same float (double); inf, -inf and nan.
 * Returns text. */
const char *jc_float_text(float value, char text[JC_NUMBER_BYTES]);
const char *jc_double_text(double value, char text[JC_NUMBER_BYTES]);

#endif
