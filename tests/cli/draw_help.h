/* What the tests of draw share. */
#ifndef TEST_CLI_DRAW_HELP_H
#define TEST_CLI_DRAW_HELP_H

#include "cli/command.h"
#include "cli/dot_reader.h"

#define LSNN JC_EXAMPLES "/lsnn.json"
#define NETWORKS JC_TEST_DATA "/networks/"

/* Whether the program dot is there: tests of pictures have nothing to look at without it. */
bool have_dot(void);

/* What draw writes of the graph as g.dot, with an option and its value (NULL: none). */
dot_graph draw(const char *graph, const char *option, const char *value);

/* Runs draw with these arguments after `graph`, NULL the last; the exit code must be `code` and standard error have the
 * text. */
void expect_draw_refusal(int code, const char *text, const char *graph, ...) __attribute__((sentinel));

/* The text of the label must be this. */
void expect_label(const dot_item *item, const char *expected);

/* A document: a chain of n one-scalar variables with these names. */
void write_chain(const char *path, const char *const *names, int n);

/* The text of a file; the caller frees it. */
char *read_text(const char *path);

/* Names that would be something else in DOT, HTML or XML if they were not escaped. */
enum { N_HOSTILE = 25 };
extern const char *const hostile[N_HOSTILE];

#endif
