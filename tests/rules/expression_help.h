/* Expressions held against words. A word is written like an expression's: its edges with spaces between them, the
 * labels of an edge joined by +, an edge without label as #. "leak a+b #" has three edges. */
#ifndef JT_EXPRESSION_HELP_H
#define JT_EXPRESSION_HELP_H

#include "rules/expression.h"

/* A graph whose edges have these labels, written with spaces between them; label i is number i. */
jc_graph *jt_labelled(const jc_allocator *allocator, const char *labels);

/* Ends the test where it is refused. */
jc_expression *jt_expression(const jc_graph *graph, const char *text);

/* Whether the expression has the word. Ends the test where a step goes wrong, or leads to the start or to a state that
 * was not met. */
bool jt_has_word(jc_expression *expression, const jc_graph *graph, const char *word);

/* The same for a word of n edges, each a mask: bit i for label i. */
bool jt_has_masks(jc_expression *expression, const unsigned char *word, int n);

enum { JT_MOST_LABELS = 8 };

#endif
