/* The last failure of this thread: a sentence, and where in a document it belongs.
 *
 * The innermost function that has the names and numbers writes the sentence with jc_fail or jc_fail_at. A reader of
 * documents then puts file and place in front with jc_fail_prefix: "graph.json: /edges/3[17]/jacobian/values: ...". */
#ifndef JC_CORE_ERROR_H
#define JC_CORE_ERROR_H

#include "jacchain.h"

#if defined(__GNUC__)
#define JC_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define JC_PRINTF(text, first)
#endif

/* Records the sentence, without a place; returns status. */
jc_status jc_fail(jc_status status, const char *format, ...) JC_PRINTF(2, 3);

/* The same with a place inside the thing being added: `part` such as "jacobian/values" (NULL: the thing itself) and
 * `member` of an edge group (-1: not a group, or all of it). */
jc_status jc_fail_at(jc_status status, const char *part, int64_t member, const char *format, ...) JC_PRINTF(4, 5);

/* Where the last failure was, for jc_fail_prefix's callers: the part ("" when none) and the member (-1 when none). */
const char *jc_fail_part(void);
int64_t jc_fail_member(void);

/* Puts "prefix" in front of the last sentence and forgets part and member. Returns status. */
jc_status jc_fail_prefix(jc_status status, const char *format, ...) JC_PRINTF(2, 3);

#endif
