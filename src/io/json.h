/* JSON text to jansson's values, with messages in the form that all input errors have.
 *
 * jansson's allocator is left alone, and so is its hash seed, which it draws itself (safely between threads) when it
 * makes its first object: both belong to the process, not to us. */
#ifndef JC_IO_JSON_H
#define JC_IO_JSON_H

#include <stdbool.h>

#include <jansson.h>

#include "jacchain.h"

enum { JC_SHORT_BYTES = 96, JC_SHOW_BYTES = JC_SHORT_BYTES + 16 };

/* Parses text [bytes]: an object or list, no duplicate keys, UTF-8; integers beyond 64 bits become reals. *root: owned
 * by the caller. JC_E_INPUT "line 3, column 14: ...", without the file's name. */
jc_status jc_json_parse(const jc_allocator *allocator, const void *text, int64_t bytes, json_t **root);

/* The position behind the string literal that begins at text[i] == '"'; at most `bytes`. */
int64_t jc_json_skip_string(const char *text, int64_t bytes, int64_t i);

/* A copy of `text` for a message: cut to what fits, control characters replaced. Returns out. */
const char *jc_shorten(const char *text, char out[JC_SHORT_BYTES]);

/* The text of a value; NULL when it is no string or holds a NUL character. */
const char *jc_json_text(const json_t *value);

/* "true", "a number", "a list", ... for messages. */
const char *jc_json_what(const json_t *value);

/* The same, but numbers and short texts as they stand: "-1", "2.5", "text 'b'". Returns out. */
const char *jc_json_show(const json_t *value, char out[JC_SHOW_BYTES]);

#endif
