#include "rules/expression_help.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static jc_status create(const jc_allocator *allocator, jc_graph **graph)
{
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    return jc_graph_create(&options, graph);
}

jc_graph *jt_labelled(const jc_allocator *allocator, const char *labels)
{
    jc_graph *graph;
    int64_t a, b;
    char copy[256], *rest = copy;
    jc_jacobian identity = JC_JACOBIAN_INIT(JC_IDENTITY);
    snprintf(copy, sizeof copy, "%s", labels);
    cr_assert_eq(create(allocator, &graph), JC_OK);
    cr_assert_eq(jc_graph_add_variable(graph, "a", 1, &a), JC_OK);
    cr_assert_eq(jc_graph_add_variable(graph, "b", 1, &b), JC_OK);
    for (const char *label; (label = strtok_r(rest, " ", &rest));)
        cr_assert_eq(jc_graph_add_edge(graph, b, a, &identity, &label, 1), JC_OK);
    cr_assert_eq(jc_graph_finish(graph), JC_OK);
    return graph;
}

jc_expression *jt_expression(const jc_graph *graph, const char *text)
{
    jc_expression *expression = NULL;
    cr_assert_eq(jc_expression_create(graph, text, &expression), JC_OK, "%.200s: %s", text, jc_last_error());
    return expression;
}

static int64_t step(jc_expression *expression, int64_t state, const int64_t *labels, int64_t n)
{
    int64_t next = -2;
    cr_assert_eq(jc_expression_step(expression, state, labels, n, &next), JC_OK);
    cr_assert(next == JC_EXPRESSION_DEAD || (next > JC_EXPRESSION_START && next < jc_expression_states(expression)),
              "%lld", (long long)next);
    if (next == JC_EXPRESSION_DEAD) cr_assert_not(jc_expression_accepts(expression, next));
    return next;
}

bool jt_has_word(jc_expression *expression, const jc_graph *graph, const char *word)
{
    int64_t state = JC_EXPRESSION_START;
    char copy[1024], *rest = copy;
    snprintf(copy, sizeof copy, "%s", word);
    for (char *edge; (edge = strtok_r(rest, " ", &rest));) {
        int64_t labels[JT_MOST_LABELS], n = 0;
        char *others = edge;
        for (char *label; strcmp(edge, "#") && (label = strtok_r(others, "+", &others)); n++) {
            labels[n] = jc_graph_find_label(graph, label);
            cr_assert_geq(labels[n], 0, "%s", label);
        }
        state = step(expression, state, labels, n);
    }
    return jc_expression_accepts(expression, state);
}

bool jt_has_masks(jc_expression *expression, const unsigned char *word, int n)
{
    int64_t state = JC_EXPRESSION_START;
    for (int i = 0; i < n; i++) {
        int64_t labels[JT_MOST_LABELS], n_labels = 0;
        for (int label = JT_MOST_LABELS - 1; label >= 0; label--)
            if (word[i] >> label & 1) labels[n_labels++] = label;
        state = step(expression, state, labels, n_labels);
    }
    return jc_expression_accepts(expression, state);
}
