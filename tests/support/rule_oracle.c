#define _POSIX_C_SOURCE 200809L
#include "support/rule_oracle.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {
    [JC_RULE_AVOID] = "avoid", [JC_RULE_THROUGH] = "through",         [JC_RULE_FIRST] = "first",
    [JC_RULE_LAST] = "last",   [JC_RULE_AVOID_LABEL] = "avoid-label", [JC_RULE_USES] = "uses",
    [JC_RULE_MATCH] = "match",
};

/* ---- random rules ------------------------------------------------------------------------------------------------ */

static bool has_every_label(const jt_graph *g)
{
    unsigned seen = 0;
    for (int64_t e = 0; e < g->n_edges; e++) seen |= g->edges[e].labels;
    return seen == JT_MASKS - 1;
}

/* Of any variables, at most half of them. */
static void random_variables(jt_pool *pool, jt_rng *rng, const jt_graph *g, jc_rule *rule)
{
    int64_t most = (g->n_variables + 1) / 2;
    int64_t *list = jt_alloc(pool, most, sizeof *list);
    rule->n_variables = jt_between(rng, 1, most);
    for (int64_t i = 0; i < rule->n_variables; i++) list[i] = jt_below(rng, g->n_variables);
    rule->variables = list;
}

static void random_labels(jt_pool *pool, jt_rng *rng, jc_rule *rule)
{
    const char **list = jt_alloc(pool, JT_LABELS, sizeof *list);
    int64_t mask = jt_between(rng, 1, JT_MASKS - 2);
    for (int i = 0; i < JT_LABELS; i++)
        if (mask >> i & 1) list[rule->n_labels++] = jt_label_names[i];
    rule->labels = list;
    rule->count = rule->kind == JC_RULE_USES ? jt_below(rng, 4) : 0;
}

/* .* tree .*, which few paths do not match. */
static const jt_tree *loosened(jt_pool *pool, const jt_tree *tree)
{
    static const jt_tree any = {.kind = JT_ANY}, all = {.kind = JT_REPEAT, .n = 1, .most = -1, .child = {&any}};
    jt_tree *loose = jt_alloc(pool, 1, sizeof *loose);
    *loose = (jt_tree){.kind = JT_SEQUENCE, .n = 3, .child = {&all, tree, &all}};
    return loose;
}

static void random_expression(jt_pool *pool, jt_rng *rng, jc_rule *rule, regex_t *regex)
{
    const jt_tree *tree = jt_tree_random(pool, rng, 3, true);
    if (jt_below(rng, 2)) tree = loosened(pool, tree);
    rule->expression = jt_tree_text(pool, tree, rng, jt_label_names);
    cr_assert_eq(regcomp(regex, jt_tree_regex(pool, tree), REG_EXTENDED | REG_NOSUB), 0);
}

void jt_rules_random(jt_pool *pool, jt_rng *rng, const jt_graph *g, jc_rule_kind kind, jt_rules *rules)
{
    int64_t n = jt_between(rng, 1, 2 * JT_MOST_RULES);
    bool labels = has_every_label(g);
    *rules = (jt_rules){.graph = g};
    if (n > JT_MOST_RULES) n = 1;
    for (int64_t i = 0; i < n; i++) {
        jc_rule *rule = &rules->rule[rules->n];
        *rule = (jc_rule){.kind = i ? (jc_rule_kind)jt_below(rng, JT_RULE_KINDS) : kind};
        if (rule->kind >= JC_RULE_AVOID_LABEL && !labels) continue;
        if (rule->kind < JC_RULE_AVOID_LABEL)
            random_variables(pool, rng, g, rule);
        else if (rule->kind == JC_RULE_MATCH)
            random_expression(pool, rng, rule, &rules->regex[rules->n]);
        else
            random_labels(pool, rng, rule);
        rules->n++;
    }
}

void jt_rules_fini(jt_rules *rules)
{
    for (int64_t i = 0; i < rules->n; i++)
        if (rules->rule[i].kind == JC_RULE_MATCH) regfree(&rules->regex[i]);
}

/* ---- one path against one rule ----------------------------------------------------------------------------------- */

static bool is_listed(const jc_rule *rule, int64_t variable)
{
    for (int64_t i = 0; i < rule->n_variables; i++)
        if (rule->variables[i] == variable) return true;
    return false;
}

/* The variables strictly inside are those that all edges but the first lead to, from the target's side. *first, *last:
 * those of the list that are met first and last from the source on, or -1. */
static void met(const jt_graph *g, const jc_rule *rule, const int64_t *edges, int64_t n, int64_t *first, int64_t *last)
{
    *first = *last = -1;
    for (int64_t k = n; k-- > 1;) {
        int64_t v = g->edges[edges[k]].of;
        if (!is_listed(rule, v)) continue;
        *last = v;
        if (*first < 0) *first = v;
    }
}

static int64_t uses(const jt_graph *g, const jc_rule *rule, const int64_t *edges, int64_t n)
{
    int64_t used = 0;
    for (int64_t k = 0; k < n; k++) {
        bool has = false;
        for (int64_t i = 0; i < rule->n_labels; i++)
            for (int label = 0; label < JT_LABELS; label++)
                has =
                    has || (!strcmp(rule->labels[i], jt_label_names[label]) && g->edges[edges[k]].labels >> label & 1);
        used += has;
    }
    return used;
}

static bool matches(const jt_graph *g, const regex_t *regex, const int64_t *edges, int64_t n)
{
    char *word = malloc((size_t)n + 1);
    if (!word) abort();
    for (int64_t k = 0; k < n; k++) word[k] = (char)('0' + g->edges[edges[n - 1 - k]].labels);
    word[n] = '\0';
    bool found = regexec(regex, word, 0, NULL, 0) == 0;
    free(word);
    return found;
}

static bool satisfies(const jt_rules *r, int64_t i, const int64_t *edges, int64_t n)
{
    const jc_rule *rule = &r->rule[i];
    int64_t first, last;
    met(r->graph, rule, edges, n, &first, &last);
    switch (rule->kind) {
    case JC_RULE_AVOID:
        return first < 0;
    case JC_RULE_THROUGH:
        return first >= 0;
    case JC_RULE_FIRST:
        return first >= 0 && first == rule->variables[0];
    case JC_RULE_LAST:
        return last >= 0 && last == rule->variables[0];
    case JC_RULE_AVOID_LABEL:
        return uses(r->graph, rule, edges, n) == 0;
    case JC_RULE_USES:
        return uses(r->graph, rule, edges, n) == rule->count;
    case JC_RULE_MATCH:
        return matches(r->graph, &r->regex[i], edges, n);
    }
    return false;
}

bool jt_rules_keep(void *ctx, const int64_t *edges, int64_t n)
{
    const jt_rules *rules = ctx;
    for (int64_t i = 0; i < rules->n; i++)
        if (!satisfies(rules, i, edges, n)) return false;
    return true;
}

typedef struct counting {
    const jt_rules *rules;
    int64_t n;
} counting;

static void count_path(void *ctx, const int64_t *edges, int64_t n)
{
    counting *c = ctx;
    c->n += jt_rules_keep((void *)c->rules, edges, n);
}

int64_t jt_rules_count(const jt_rules *rules, int64_t of, int64_t wrt)
{
    counting c = {rules, 0};
    jt_each_path(rules->graph, of, wrt, count_path, &c);
    return c.n;
}

const char *jt_rules_text(jt_pool *pool, const jt_rules *rules)
{
    enum { ROOM = 4000 };
    char *text = jt_alloc(pool, ROOM, 1);
    size_t n = 0;
    for (int64_t i = 0; i < rules->n; i++) {
        const jc_rule *r = &rules->rule[i];
        n += (size_t)snprintf(text + n, ROOM - n, "%s%s", i ? ", " : "", names[r->kind]);
        for (int64_t k = 0; k < r->n_variables && n < ROOM; k++)
            n += (size_t)snprintf(text + n, ROOM - n, " %lld", (long long)r->variables[k]);
        if (r->kind == JC_RULE_USES && n < ROOM)
            n += (size_t)snprintf(text + n, ROOM - n, " %lld", (long long)r->count);
        for (int64_t k = 0; k < r->n_labels && n < ROOM; k++)
            n += (size_t)snprintf(text + n, ROOM - n, " %s", r->labels[k]);
        if (r->expression && n < ROOM) n += (size_t)snprintf(text + n, ROOM - n, " '%s'", r->expression);
        if (n >= ROOM) break;
    }
    return text;
}
