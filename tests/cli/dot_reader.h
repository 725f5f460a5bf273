/* Reads DOT text as its grammar says, as far as graphs, subgraphs, nodes, edges and attributes go; shares nothing with
 * src/. Ends the test where the text is something else. */
#ifndef TEST_CLI_DOT_READER_H
#define TEST_CLI_DOT_READER_H

#include <stdbool.h>
#include <stdint.h>

enum { DOT_ATTRIBUTES = 24 };

typedef struct dot_attribute {
    char *key, *value; /* unquoted; of an HTML-like text what is between its outer < and > */
} dot_attribute;

/* A node (from NULL) or an edge. Names are without quotes and escapes. */
typedef struct dot_item {
    char *from, *name;
    char groups[256]; /* labels of the subgraphs around a node, "|" before each; those without a label are left out */
    char cluster[64]; /* name of the innermost subgraph */
    int n;
    dot_attribute attribute[DOT_ATTRIBUTES];
} dot_item;

typedef struct dot_graph {
    dot_item *nodes, *edges;
    int64_t n_nodes, n_edges;
    int n;
    dot_attribute attribute[DOT_ATTRIBUTES]; /* of the graph: "graph [..]" and "key=value;" */
} dot_graph;

dot_graph dot_read(const char *text);
dot_graph dot_read_file(const char *path);
void dot_free(dot_graph *g);

/* The value, or "". */
const char *dot_get(const dot_item *item, const char *key);
const char *dot_graph_get(const dot_graph *g, const char *key);

/* The node, which must be there; the edge of that number (its id is "edge<number>"). */
const dot_item *dot_node(const dot_graph *g, const char *name);
const dot_item *dot_edge(const dot_graph *g, int64_t number);

/* The text of an HTML-like label: tags are left out (<BR/> is a line's end), entities and doubled backslashes read. The
 * caller frees it. */
char *dot_text(const char *html);

#endif
