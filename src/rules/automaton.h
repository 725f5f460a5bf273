/* The rules of a query as one deterministic automaton over what a path meets: at each edge its labels, and the variable
 * that it leaves (the source of the path is not met, nor its target: SPEC "ends not counted").
 *
 * A state is the tuple of the states of all rules, numbered as they are met. The start is a state of its own, to which
 * no edge leads back. Edges that no rule can tell apart have the same symbol, so that a table of states x symbols holds
 * what was worked out once. */
#ifndef JC_RULES_AUTOMATON_H
#define JC_RULES_AUTOMATON_H

#include "graph/graph.h"

enum { JC_STATE_START = 0, JC_STATE_DEAD = -1, JC_MOST_STATES = 10000 };

typedef struct jc_automaton jc_automaton;

/* JC_E_USAGE where a rule is not one: a variable or label that is not there, an expression that is none. Borrows the
 * graph; the rules are borrowed during the call. */
jc_status jc_automaton_create(const jc_graph *graph, const jc_rule *rules, int64_t n_rules, jc_automaton **automaton);
void jc_automaton_destroy(jc_automaton *automaton); /* NULL is allowed */

/* *next: the state after `edge` was taken in `state`; DEAD: no path that goes on so satisfies the rules. JC_E_USAGE
 * where that makes more than JC_MOST_STATES states. Cost: a look into a table, but for the first time. */
jc_status jc_automaton_step(jc_automaton *automaton, int64_t state, int64_t edge, int64_t *next);

/* Whether a path may end in the state. */
bool jc_automaton_accepts(const jc_automaton *automaton, int64_t state);

/* States met so far, the start among them. */
int64_t jc_automaton_states(const jc_automaton *automaton);

#endif
