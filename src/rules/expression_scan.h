/* The words of an expression over labels, one after the other, and where they stand. */
#ifndef JC_RULES_EXPRESSION_SCAN_H
#define JC_RULES_EXPRESSION_SCAN_H

#include "core/alloc.h"

/* Most labels and dots of an expression whose counted repetitions are written out, and so the most repetitions. */
enum { JC_MOST_POSITIONS = 100000, JC_UNBOUNDED = -1 };

typedef enum jc_token_kind {
    JC_TOKEN_END,
    JC_TOKEN_LABEL,
    JC_TOKEN_ANY, /* . */
    JC_TOKEN_OPEN,
    JC_TOKEN_CLOSE,
    JC_TOKEN_OR,
    JC_TOKEN_REPEAT /* * + ? {n} {n,} {n,m} */
} jc_token_kind;

typedef struct jc_token {
    jc_token_kind kind;
    const char *text; /* [bytes], borrowed */
    int64_t bytes;
    int64_t column;      /* from 1, in characters */
    int64_t least, most; /* REPEAT: how often; most: JC_UNBOUNDED or at least `least` */
} jc_token;

typedef struct jc_scanner {
    const char *text; /* borrowed, ended by NUL: what was not read yet */
    int64_t column;   /* where it begins */
} jc_scanner;

static inline jc_scanner jc_scan_begin(const char *text)
{
    jc_scanner scanner = {text, 1};
    return scanner;
}

/* The next word; behind the last one END, again and again. JC_E_USAGE where there is none that an expression may have.
 */
jc_status jc_scan_token(jc_scanner *scanner, jc_token *token);

enum { JC_SHOWN_BYTES = 64 };

/* The token's text for a message, cut where it is long. Returns shown. */
const char *jc_token_text(const jc_token *token, char shown[JC_SHOWN_BYTES]);

#endif
