/* Random path rules, and which paths satisfy them, by plain code on the list of a path's edges; expressions by the C
 * library's regular expressions. Shares nothing with src/. */
#ifndef JT_RULE_ORACLE_H
#define JT_RULE_ORACLE_H

#include <regex.h>

#include "support/oracle.h"

enum { JT_MOST_RULES = 3, JT_RULE_KINDS = JC_RULE_MATCH + 1 };

typedef struct jt_rules {
    const jt_graph *graph;
    jc_rule rule[JT_MOST_RULES]; /* of a jc_query; do not copy the struct */
    int64_t n;
    regex_t regex[JT_MOST_RULES]; /* of MATCH */
} jt_rules;

/* 1 .. JT_MOST_RULES rules; kind: of the first one, the others are of any. Where the graph has not every label those
 * that speak of labels are left out, and there may be no rule. */
void jt_rules_random(jt_pool *pool, jt_rng *rng, const jt_graph *graph, jc_rule_kind kind, jt_rules *rules);
void jt_rules_fini(jt_rules *rules);

/* Whether the path, its edges target side first, satisfies all rules; a jt_keep, ctx: the rules. */
bool jt_rules_keep(void *ctx, const int64_t *edges, int64_t n_edges);

/* How many paths do. */
int64_t jt_rules_count(const jt_rules *rules, int64_t of, int64_t wrt);

/* "avoid 3 5, uses 2 a b:1, match '...'"; from the pool. */
const char *jt_rules_text(jt_pool *pool, const jt_rules *rules);

#endif
