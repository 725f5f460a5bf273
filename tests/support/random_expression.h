/* Random expressions over three labels, as the library's text and as a regular expression of the C library: the labels
 * of an edge, three bits, are one character '0' to '7', and a label is the class of the characters that have its bit.
 */
#ifndef JT_RANDOM_EXPRESSION_H
#define JT_RANDOM_EXPRESSION_H

#include <stdbool.h>

#include "support/pool.h"

enum { JT_LABELS = 3, JT_MASKS = 1 << JT_LABELS, JT_MOST_CHILDREN = 3 };

typedef enum { JT_LABEL, JT_ANY, JT_EMPTY, JT_CHOICE, JT_SEQUENCE, JT_REPEAT } jt_tree_kind;

typedef struct jt_tree {
    jt_tree_kind kind;
    int label;
    int n;               /* children */
    int64_t least, most; /* -1: without end */
    const struct jt_tree *child[JT_MOST_CHILDREN];
} jt_tree;

/* At most `depth` deep; where `whole`, more than one label, '.' or nothing. */
const jt_tree *jt_tree_random(jt_pool *pool, jt_rng *rng, int depth, bool whole);

/* As the library reads it, with spaces and parentheses as they come; names: of the labels. From the pool. */
char *jt_tree_text(jt_pool *pool, const jt_tree *tree, jt_rng *rng, const char *const names[JT_LABELS]);

/* As regcomp reads it (REG_EXTENDED). From the pool. */
char *jt_tree_regex(jt_pool *pool, const jt_tree *tree);

#endif
