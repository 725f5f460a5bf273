/* Expressions over labels (--match): from text to a position automaton, and its deterministic states on demand.
 *
 *     expression := term ('|' term)*
 *     term := factor*
 *     factor := atom ('*' | '+' | '?' | '{n}' | '{n,}' | '{n,m}')*
 *     atom := LABEL | '.' | '(' expression ')'
 *
 * Position automaton (Glushkov 1961; Berry & Sethi, Theor. Comput. Sci. 48, 1986): each occurrence of a label or '.' is
 * a position; a state is the set of positions that the last edge read may have been, and "nothing was read yet" is the
 * state of its own that no edge leads to. Counted repetitions are written out. */
#ifndef JC_RULES_EXPRESSION_H
#define JC_RULES_EXPRESSION_H

#include "graph/graph.h"

typedef struct jc_expression jc_expression;

/* Parses the text. JC_E_USAGE, beginning with "column N: " (from 1, in characters) and saying what stands there, where
 * it is not an expression, names a label that no edge of the graph has (with a hint), or has more than 100,000 labels
 * and dots when its repetitions are written out. Borrows the graph, which is finished. Memory: 24 bytes for each of
 * these, twice. */
jc_status jc_expression_create(const jc_graph *graph, const char *text, jc_expression **expression);
void jc_expression_destroy(jc_expression *expression); /* NULL is allowed */

/* The labels that it names, as numbers of graph->label_names, each once: *n of them. Borrowed. */
const int64_t *jc_expression_labels(const jc_expression *expression, int64_t *n);

enum { JC_EXPRESSION_START = 0, JC_EXPRESSION_DEAD = -1 };

/* *next: the state after reading an edge with exactly these labels ([n] numbers, in any order, others than those of
 * jc_expression_labels are let pass) in `state`; DEAD: no word of the expression goes on so. States are numbered from 0
 * (START) as they are met. JC_E_MEMORY. Cost: the positions; a new state takes a bit of memory for each. */
jc_status jc_expression_step(jc_expression *expression, int64_t state, const int64_t *labels, int64_t n, int64_t *next);

/* Whether what was read so far is a word of the expression. */
bool jc_expression_accepts(const jc_expression *expression, int64_t state);

/* States met so far. */
int64_t jc_expression_states(const jc_expression *expression);

#endif
