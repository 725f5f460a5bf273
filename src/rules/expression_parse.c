/* From the text of an expression to its tree, without recursion: what stands inside a parenthesis that is still open is
 * a level, and each level has three pieces at the end of the nodes,
 *
 *     [begin .. sequence)   the alternatives before the last |, one tree
 *     [sequence .. factor)  what stands behind it but for the last factor, one tree
 *     [factor .. count)     the last factor, which a * may follow, one tree
 *
 * each of which may be without nodes: the empty word, or nothing yet. */
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "rules/expression_scan.h"
#include "rules/expression_tree.h"

typedef struct level {
    int64_t begin, sequence, factor;
    bool has_factor; /* there is a last factor, perhaps the empty word */
    bool may_skip;   /* an alternative was the empty word */
    int64_t column;  /* of its parenthesis */
} level;

typedef struct parser {
    const jc_graph *graph;
    jc_expression_tree tree;
    int64_t n_leaves;
    jc_vec levels;
    jc_vec word; /* char: a label with its NUL */
} parser;

static const char WHAT[] = "an expression";

static level *top(const parser *p)
{
    return (level *)p->levels.data + p->levels.count - 1;
}

static jc_node *node_at(const parser *p, int64_t i)
{
    return (jc_node *)p->tree.nodes.data + i;
}

static int64_t count(const parser *p)
{
    return p->tree.nodes.count;
}

/* The last factor's leaves: a tree of k leaves has 2k - 1 nodes. */
static int64_t factor_leaves(const parser *p)
{
    return (count(p) - top(p)->factor + 1) / 2;
}

static jc_status open_level(parser *p, int64_t column)
{
    level inner = {count(p), count(p), count(p), false, false, column};
    return jc_vec_append(&p->graph->allocator, &p->levels, &inner, 1, WHAT);
}

/* Makes one tree of the two that stand at [begin .. middle) and [middle .. count), if there are two. */
static jc_status join(parser *p, jc_node_kind kind, int64_t begin, int64_t middle)
{
    if (begin == middle || middle == count(p)) return JC_OK;
    const jc_node *left = node_at(p, middle - 1), *right = node_at(p, count(p) - 1);
    bool both = left->nullable && right->nullable, one = left->nullable || right->nullable;
    jc_node node = {kind, kind == JC_NODE_SEQUENCE ? both : one, false, count(p) - middle, 0};
    return jc_vec_append(&p->graph->allocator, &p->tree.nodes, &node, 1, WHAT);
}

/* The last factor becomes part of the sequence, and a new one begins. */
static jc_status end_factor(parser *p)
{
    level *l = top(p);
    jc_status status = join(p, JC_NODE_SEQUENCE, l->sequence, l->factor);
    l->factor = count(p);
    l->has_factor = false;
    return status;
}

/* The sequence becomes one of the alternatives, and a new one begins. */
static jc_status end_sequence(parser *p)
{
    jc_status status = end_factor(p);
    if (status) return status;
    level *l = top(p);
    if (l->sequence == count(p)) l->may_skip = true;
    status = join(p, JC_NODE_CHOICE, l->begin, l->sequence);
    l->sequence = l->factor = count(p);
    return status;
}

/* The alternatives are one tree, which may be left out where one of them may. */
static jc_status end_level(parser *p)
{
    jc_status status = end_sequence(p);
    if (!status && top(p)->may_skip && count(p) > top(p)->begin) node_at(p, count(p) - 1)->nullable = true;
    return status;
}

static jc_status close_level(parser *p, const jc_token *token)
{
    if (p->levels.count == 1) return jc_fail(JC_E_USAGE, "column %lld: ')' without '('", (long long)token->column);
    jc_status status = end_level(p);
    if (status) return status;
    p->levels.count--;
    top(p)->has_factor = true;
    return JC_OK;
}

/* Counts leaves that are about to be there; JC_E_USAGE where they are more than JC_MOST_POSITIONS. */
static jc_status add_leaves(parser *p, int64_t more, int64_t column)
{
    if (p->n_leaves + more > JC_MOST_POSITIONS)
        return jc_fail(JC_E_USAGE,
                       "column %lld: up to here, with repetitions written out, the expression has %lld labels, of %d "
                       "at most",
                       (long long)column, (long long)(p->n_leaves + more), JC_MOST_POSITIONS);
    p->n_leaves += more;
    return JC_OK;
}

static jc_status find_label(parser *p, const jc_token *token, int64_t *label)
{
    char hint[JC_GRAPH_HINT_BYTES], shown[JC_SHOWN_BYTES];
    p->word.count = 0;
    jc_status status = jc_vec_append(&p->graph->allocator, &p->word, token->text, token->bytes, WHAT);
    if (!status) status = jc_vec_append(&p->graph->allocator, &p->word, "", 1, WHAT);
    if (status) return status;
    *label = jc_graph_find_label(p->graph, p->word.data);
    if (*label >= 0) return JC_OK;
    return jc_fail(JC_E_USAGE, "column %lld: there is no label '%s'%s", (long long)token->column,
                   jc_token_text(token, shown),
                   p->graph->label_names.count ? jc_graph_label_hint(p->graph, p->word.data, hint)
                                               : "; no edge of the graph has a label");
}

static jc_status name_label(parser *p, int64_t label)
{
    if (p->tree.named[label]) return JC_OK;
    p->tree.named[label] = true;
    return jc_vec_append(&p->graph->allocator, &p->tree.labels, &label, 1, WHAT);
}

static jc_status take_leaf(parser *p, const jc_token *token)
{
    jc_node leaf = {JC_NODE_LEAF, false, false, 0, JC_ANY_LABEL};
    jc_status status = end_factor(p);
    if (!status) status = add_leaves(p, 1, token->column);
    if (!status && token->kind == JC_TOKEN_LABEL) status = find_label(p, token, &leaf.label);
    if (!status && token->kind == JC_TOKEN_LABEL) status = name_label(p, leaf.label);
    if (!status) status = jc_vec_append(&p->graph->allocator, &p->tree.nodes, &leaf, 1, WHAT);
    if (!status) top(p)->has_factor = true;
    return status;
}

/* The last factor e, `copies` times side by side, becomes e (e (.. e)): what begins at copy `least` + 1 or later may be
 * left out, and the last copy comes again where there is no end. */
static jc_status write_out(parser *p, int64_t copies, int64_t least, bool endless)
{
    const jc_allocator *a = &p->graph->allocator;
    int64_t begin = top(p)->factor, n = count(p) - begin;
    jc_status status = jc_vec_reserve(a, &p->tree.nodes, (n + 1) * (copies - 1), WHAT);
    if (status) return status;
    for (int64_t i = 1; i < copies; i++) /* cannot fail: there is room, and so the nodes copied stay where they are */
        jc_vec_append(a, &p->tree.nodes, node_at(p, begin), n, WHAT);
    if (endless) node_at(p, count(p) - 1)->repeated = true;
    if (copies > least) node_at(p, count(p) - 1)->nullable = true;
    for (int64_t i = copies - 1; i >= 1; i--) {
        join(p, JC_NODE_SEQUENCE, begin, begin + i * n);
        if (i - 1 >= least) node_at(p, count(p) - 1)->nullable = true;
    }
    return JC_OK;
}

static jc_status take_repeat(parser *p, const jc_token *token)
{
    char shown[JC_SHOWN_BYTES];
    level *l = top(p);
    if (!l->has_factor)
        return jc_fail(JC_E_USAGE, "column %lld: '%s' without anything before it to repeat", (long long)token->column,
                       jc_token_text(token, shown));
    int64_t n = factor_leaves(p);
    if (token->most == 0) {
        p->tree.nodes.count = l->factor;
        p->n_leaves -= n;
    }
    if (n == 0 || token->most == 0) return JC_OK; /* only the empty word */
    bool endless = token->most == JC_UNBOUNDED, nullable = node_at(p, count(p) - 1)->nullable;
    int64_t least = endless && nullable ? 0 : token->least, copies = endless ? jc_max(least, 1) : token->most;
    jc_status status = add_leaves(p, n * (copies - 1), token->column);
    return status ? status : write_out(p, copies, least, endless);
}

static jc_status take(parser *p, const jc_token *token)
{
    jc_status status;
    switch (token->kind) {
    case JC_TOKEN_OPEN:
        status = end_factor(p);
        return status ? status : open_level(p, token->column);
    case JC_TOKEN_CLOSE:
        return close_level(p, token);
    case JC_TOKEN_OR:
        return end_sequence(p);
    case JC_TOKEN_REPEAT:
        return take_repeat(p, token);
    default:
        return take_leaf(p, token);
    }
}

static jc_status parse(parser *p, const char *text)
{
    jc_token token;
    jc_scanner scanner = jc_scan_begin(text);
    jc_status status =
        jc_alloc_zero(&p->graph->allocator, p->graph->label_names.count, sizeof *p->tree.named, WHAT, &p->tree.named);
    if (!status) status = open_level(p, 0);
    while (!status && !(status = jc_scan_token(&scanner, &token)) && token.kind != JC_TOKEN_END)
        status = take(p, &token);
    if (status) return status;
    if (p->levels.count > 1) return jc_fail(JC_E_USAGE, "column %lld: '(' without ')'", (long long)top(p)->column);
    if ((status = end_level(p))) return status;
    p->tree.nullable = !count(p) || node_at(p, count(p) - 1)->nullable;
    return JC_OK;
}

jc_status jc_expression_parse(const jc_graph *graph, const char *text, jc_expression_tree *tree)
{
    parser p = {.graph = graph, .levels = jc_vec_of(sizeof(level)), .word = jc_vec_of(1)};
    p.tree.nodes = jc_vec_of(sizeof(jc_node));
    p.tree.labels = jc_vec_of(sizeof(int64_t));
    jc_status status = parse(&p, text);
    jc_vec_free(&graph->allocator, &p.levels);
    jc_vec_free(&graph->allocator, &p.word);
    if (status) {
        jc_expression_tree_fini(graph, &p.tree);
        return status;
    }
    jc_vec_trim(&graph->allocator, &p.tree.nodes);
    *tree = p.tree;
    return JC_OK;
}

void jc_expression_tree_fini(const jc_graph *graph, jc_expression_tree *tree)
{
    jc_vec_free(&graph->allocator, &tree->nodes);
    jc_vec_free(&graph->allocator, &tree->labels);
    jc_free(&graph->allocator, tree->named, graph->label_names.count, sizeof *tree->named);
}
