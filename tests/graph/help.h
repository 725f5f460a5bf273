/* What the tests of the graph share. */
#ifndef JC_TESTS_GRAPH_HELP_H
#define JC_TESTS_GRAPH_HELP_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "graph/graph.h"

static inline jc_graph *new_graph(void)
{
    jc_graph *graph = NULL;
    cr_assert_eq(jc_graph_create(NULL, &graph), JC_OK, "%s", jc_last_error());
    return graph;
}

static inline int64_t variable(jc_graph *graph, const char *name, int64_t size)
{
    int64_t v = -1;
    cr_assert_eq(jc_graph_add_variable(graph, name, size, &v), JC_OK, "%s", jc_last_error());
    return v;
}

static inline int64_t edge(jc_graph *graph, int64_t of, int64_t wrt, const jc_jacobian *jacobian)
{
    jc_status status = jc_graph_add_edge(graph, of, wrt, jacobian, NULL, 0);
    cr_assert_eq(status, JC_OK, "%s", jc_last_error());
    return jc_graph_edge_count(graph) - 1;
}

static inline jc_array array_3d(jc_dtype dtype, int64_t a, int64_t b, int64_t c, const void *data)
{
    jc_array array = {dtype, 3, {a, b, c, 0}, data, JC_BORROW, 0};
    return array;
}

static inline jc_array array_4d(jc_dtype dtype, int64_t a, int64_t b, int64_t c, int64_t d, const void *data)
{
    jc_array array = {dtype, 4, {a, b, c, d}, data, JC_BORROW, 0};
    return array;
}

/* The last failure: status, place, and every word of `words` (separated by '|') in the sentence. */
static inline void expect_failure(int line, jc_status got, jc_status want, const char *part, int64_t member,
                                  const char *words)
{
    cr_expect_eq(got, want, "line %d: %s, expected %s (%s)", line, jc_status_name(got), jc_status_name(want),
                 jc_last_error());
    cr_expect_str_eq(jc_fail_part(), part, "line %d: part \"%s\", expected \"%s\" (%s)", line, jc_fail_part(), part,
                     jc_last_error());
    cr_expect_eq(jc_fail_member(), member, "line %d: member %lld, expected %lld", line, (long long)jc_fail_member(),
                 (long long)member);
    char copy[512];
    snprintf(copy, sizeof copy, "%s", words);
    for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|"))
        cr_expect(strstr(jc_last_error(), word), "line %d: no \"%s\" in \"%s\"", line, word, jc_last_error());
}

#endif
