/* An expression as a tree, in postfix order: the children of a node stand before it, all nodes of a subtree side by
 * side. So a pass from the first node to the last goes from the leaves to the root, one the other way from the root to
 * the leaves, and the copies of a repetition are copies of a piece of the array.
 *
 * A leaf is a position: a label or '.'. There is no node for the empty word: what may be left out says so (nullable),
 * and what may come again (repeated):      e? : nullable     e+ : repeated     e* : both
 *     e{2,4}, written out: e (e (e (e)?)?)     e{2,}: e (e)+     e{0}: no node */
#ifndef JC_RULES_EXPRESSION_TREE_H
#define JC_RULES_EXPRESSION_TREE_H

#include "graph/graph.h"

enum { JC_ANY_LABEL = -1 };

typedef enum jc_node_kind { JC_NODE_LEAF, JC_NODE_SEQUENCE, JC_NODE_CHOICE } jc_node_kind;

typedef struct jc_node {
    jc_node_kind kind;
    bool nullable; /* its words have the empty one among them */
    bool repeated; /* one of its words may follow another */
    int64_t right; /* SEQUENCE, CHOICE: nodes of the right child, whose root is the node before this one */
    int64_t label; /* LEAF: into label_names of the graph, or JC_ANY_LABEL */
} jc_node;

static inline int64_t jc_node_right(int64_t node)
{
    return node - 1;
}
static inline int64_t jc_node_left(const jc_node *nodes, int64_t node)
{
    return node - 1 - nodes[node].right;
}

typedef struct jc_expression_tree {
    jc_vec nodes;  /* jc_node; none: only the empty word */
    jc_vec labels; /* int64_t: the labels named, each once, also those that stand under {0} */
    bool *named;   /* [graph's labels] whether it is one of them */
    bool nullable; /* the empty word is one of the expression's */
} jc_expression_tree;

/* JC_E_USAGE with the column where the text is no expression, names a label that is not there, or is too large written
 * out; nothing is to be released then. Cost: the text and the nodes. */
jc_status jc_expression_parse(const jc_graph *graph, const char *text, jc_expression_tree *tree);
void jc_expression_tree_fini(const jc_graph *graph, jc_expression_tree *tree);

#endif
