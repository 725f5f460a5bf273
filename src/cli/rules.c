/* Path rules from options to the library's. */
#include <stdlib.h>
#include <string.h>

#include "cli/common.h"
#include "graph/graph.h"
#include "rules/expression.h"

static jc_rule *add_rule(jc_cli_rules *rules, jc_rule_kind kind)
{
    jc_rule *more = jc_cli_alloc(rules->count + 1, sizeof *more);
    if (rules->count) memcpy(more, rules->rule, (size_t)rules->count * sizeof *more);
    free(rules->rule);
    rules->rule = more;
    more[rules->count].kind = kind;
    return &more[rules->count++];
}

void jc_cli_add_variable_rule(jc_cli_rules *rules, jc_rule_kind kind, const jc_cli_variables *variables)
{
    jc_rule *rule = add_rule(rules, kind);
    int64_t *copy = jc_cli_alloc(variables->count, sizeof *copy);
    memcpy(copy, variables->ids, (size_t)variables->count * sizeof *copy);
    rule->variables = copy;
    rule->n_variables = variables->count;
}

static bool add_variable_rules(const jc_cli_shared *shared, const jc_graph *graph, const char *option,
                               const jc_texts *texts, jc_rule_kind kind, jc_cli_rules *rules, int *exit_code)
{
    for (int i = 0; i < texts->count; i++) {
        jc_cli_variables list;
        if (!jc_cli_find_variables(shared, graph, option, texts->text[i], &list, exit_code)) return false;
        jc_cli_add_variable_rule(rules, kind, &list);
        free(list.ids);
    }
    return true;
}

/* The rule's labels are those of the comma-separated list. */
static void take_labels(jc_rule *rule, const char *text)
{
    int64_t n = 1;
    for (const char *p = text; *p; p++) n += *p == ',';
    char **labels = jc_cli_alloc(n, sizeof *labels);
    rule->labels = (const char *const *)labels;
    for (const char *p = text; p; p = p[strcspn(p, ",")] ? p + strcspn(p, ",") + 1 : NULL) {
        size_t bytes = strcspn(p, ",");
        labels[rule->n_labels] = jc_cli_alloc((int64_t)bytes + 1, 1);
        memcpy(labels[rule->n_labels++], p, bytes);
    }
}

static bool check_labels(const jc_cli_shared *shared, const jc_graph *graph, const jc_rule *rule, int *exit_code)
{
    for (int64_t i = 0; i < rule->n_labels; i++) {
        const char *label = rule->labels[i];
        int64_t number;
        if (!jc_graph_need_label(graph, label, &number)) continue;
        *exit_code = jc_cli_usage_error(shared->command, "--avoid-label: %s",
                                        *label ? jc_last_error() : "a label in the list is empty");
        return false;
    }
    return true;
}

static bool add_label_rules(const jc_cli_shared *shared, const jc_graph *graph, jc_cli_rules *rules, int *exit_code)
{
    for (int i = 0; i < shared->avoid_label.count; i++) {
        jc_rule *rule = add_rule(rules, JC_RULE_AVOID_LABEL);
        take_labels(rule, shared->avoid_label.text[i]);
        if (!check_labels(shared, graph, rule, exit_code)) return false;
    }
    return true;
}

/* Expressions are read here once for their errors, which name the option. */
static bool add_expressions(const jc_cli_shared *shared, const jc_graph *graph, jc_cli_rules *rules, int *exit_code)
{
    for (int i = 0; i < shared->match.count; i++) {
        jc_expression *expression;
        jc_status status = jc_expression_create(graph, shared->match.text[i], &expression);
        if (status == JC_E_USAGE)
            *exit_code = jc_cli_usage_error(shared->command, "--match: %s", jc_last_error());
        else if (status)
            *exit_code = jc_cli_failed(status);
        if (status) return false;
        jc_expression_destroy(expression);
        add_rule(rules, JC_RULE_MATCH)->expression = shared->match.text[i];
    }
    return true;
}

bool jc_cli_find_rules(const jc_cli_shared *shared, const jc_graph *graph, jc_cli_rules *rules, int *exit_code)
{
    jc_cli_rules found = {NULL, 0};
    if (add_variable_rules(shared, graph, "avoid", &shared->avoid, JC_RULE_AVOID, &found, exit_code) &&
        add_variable_rules(shared, graph, "through", &shared->through, JC_RULE_THROUGH, &found, exit_code) &&
        add_label_rules(shared, graph, &found, exit_code) && add_expressions(shared, graph, &found, exit_code)) {
        *rules = found;
        return true;
    }
    jc_cli_rules_fini(&found);
    return false;
}

void jc_cli_rules_fini(jc_cli_rules *rules)
{
    for (int64_t i = 0; i < rules->count; i++) {
        jc_rule *rule = &rules->rule[i];
        for (int64_t k = 0; k < rule->n_labels; k++) free((char *)rule->labels[k]);
        free((void *)rule->labels);
        free((int64_t *)rule->variables);
    }
    free(rules->rule);
    *rules = (jc_cli_rules){NULL, 0};
}
