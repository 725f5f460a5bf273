/* The deterministic states of an expression, made as they are met: sets of positions (Glushkov 1961).
 *
 * With S the set of positions that the last edge read may have been, a step is two passes over the tree (the circuit of
 * Berry & Sethi 1986), in place of sets of the positions that may follow each, which may be quadratically many:
 *
 *     from the leaves: ends(node) = S has a position at which a word of the node may end
 *         leaf: it is in S      l|r: ends(l) or ends(r)      l r: ends(r), or ends(l) where r is nullable
 *     from the root: begins(node) = a word of the node may begin now. Of the root: nothing was read yet
 *         l|r: both like it     l r: l like it; r: ends(l), or like it where l is nullable
 *         a repeated node: also if ends(node)
 *
 * The next set is that of the leaves that begin and match the edge. */
#include "rules/expression.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "rules/expression_tree.h"

struct jc_expression {
    const jc_graph *graph;
    jc_expression_tree tree;
    int64_t n_words; /* of a set: one bit for each position, in the order of the leaves */
    uint64_t *last;  /* [n_words] the positions at which a word of the expression may end */
    jc_vec sets;     /* uint64_t: n_words for each state but the start */
    jc_vec accepts;  /* bool [states] */
    jc_table states; /* without the start, by their sets */
    /* for a step */
    bool *read;          /* [graph's labels] those of the edge; all false between steps */
    bool *ends, *begins; /* [nodes] */
    uint64_t *set;       /* [n_words] the next one */
};

static const char WHAT[] = "the states of an expression";

static bool has(const uint64_t *set, int64_t position)
{
    return set[position / 64] >> (position % 64) & 1;
}

static void insert(uint64_t *set, int64_t position)
{
    set[position / 64] |= UINT64_C(1) << (position % 64);
}

static const uint64_t *set_of(const jc_expression *x, int64_t state)
{
    return (const uint64_t *)x->sets.data + (state - 1) * x->n_words;
}

/* The first pass. */
static void find_ends(jc_expression *x, int64_t state)
{
    const jc_node *nodes = x->tree.nodes.data;
    const uint64_t *set = state == JC_EXPRESSION_START ? NULL : set_of(x, state);
    bool *ends = x->ends;
    int64_t position = 0;
    for (int64_t i = 0; i < x->tree.nodes.count; i++) {
        int64_t l = jc_node_left(nodes, i), r = jc_node_right(i);
        if (nodes[i].kind == JC_NODE_LEAF)
            ends[i] = set && has(set, position++);
        else if (nodes[i].kind == JC_NODE_CHOICE)
            ends[i] = ends[l] || ends[r];
        else
            ends[i] = ends[r] || (ends[l] && nodes[r].nullable);
    }
}

/* The second pass, and what matches. */
static void find_next(jc_expression *x, bool at_start)
{
    const jc_node *nodes = x->tree.nodes.data;
    bool *begins = x->begins, *ends = x->ends;
    int64_t n = x->tree.nodes.count, position = (n + 1) / 2;
    memset(x->set, 0, (size_t)x->n_words * sizeof *x->set);
    if (n) begins[n - 1] = at_start;
    for (int64_t i = n - 1; i >= 0; i--) {
        bool now = begins[i] || (nodes[i].repeated && ends[i]);
        int64_t l = jc_node_left(nodes, i), r = jc_node_right(i);
        if (nodes[i].kind == JC_NODE_LEAF) {
            position--;
            if (now && (nodes[i].label == JC_ANY_LABEL || x->read[nodes[i].label])) insert(x->set, position);
        } else {
            begins[l] = now;
            begins[r] = nodes[i].kind == JC_NODE_CHOICE ? now : ends[l] || (now && nodes[l].nullable);
        }
    }
}

/* last: from the root, the right child of a sequence like it, the left one where the right is nullable. */
static void find_last(jc_expression *x)
{
    const jc_node *nodes = x->tree.nodes.data;
    bool *is_last = x->ends;
    int64_t n = x->tree.nodes.count, position = (n + 1) / 2;
    if (n) is_last[n - 1] = true;
    for (int64_t i = n - 1; i >= 0; i--) {
        int64_t l = jc_node_left(nodes, i), r = jc_node_right(i);
        if (nodes[i].kind == JC_NODE_LEAF) {
            position--;
            if (is_last[i]) insert(x->last, position);
        } else {
            is_last[r] = is_last[i];
            is_last[l] = is_last[i] && (nodes[i].kind == JC_NODE_CHOICE || nodes[r].nullable);
        }
    }
}

static bool meets(const uint64_t *a, const uint64_t *b, int64_t n_words)
{
    for (int64_t i = 0; i < n_words; i++)
        if (a[i] & b[i]) return true;
    return false;
}

static bool is_empty(const jc_expression *x, const uint64_t *set)
{
    return !meets(set, set, x->n_words);
}

static bool same_set(const void *ctx, int64_t state)
{
    const jc_expression *x = ctx;
    return memcmp(set_of(x, state), x->set, (size_t)x->n_words * sizeof *x->set) == 0;
}

/* *state: the one of x->set, which is not empty. */
static jc_status intern(jc_expression *x, int64_t *state)
{
    const jc_allocator *a = &x->graph->allocator;
    uint64_t hash = jc_hash(x->set, (size_t)x->n_words * sizeof *x->set);
    int64_t found = jc_table_find(&x->states, hash, same_set, x);
    if (found < 0) {
        bool accepts = meets(x->set, x->last, x->n_words);
        jc_status status = jc_table_reserve(a, &x->states, 1, WHAT);
        if (!status) status = jc_vec_reserve(a, &x->accepts, 1, WHAT);
        if (!status) status = jc_vec_append(a, &x->sets, x->set, x->n_words, WHAT);
        if (status) return status;
        found = x->accepts.count;
        jc_vec_append(a, &x->accepts, &accepts, 1, WHAT); /* cannot fail: there is room */
        jc_table_insert(&x->states, hash, found);
    }
    *state = found;
    return JC_OK;
}

static void set_read(jc_expression *x, const int64_t *labels, int64_t n, bool value)
{
    for (int64_t i = 0; i < n; i++)
        if (labels[i] >= 0 && labels[i] < x->graph->label_names.count) x->read[labels[i]] = value;
}

jc_status jc_expression_step(jc_expression *x, int64_t state, const int64_t *labels, int64_t n, int64_t *next)
{
    if (state == JC_EXPRESSION_DEAD) {
        *next = JC_EXPRESSION_DEAD;
        return JC_OK;
    }
    find_ends(x, state);
    set_read(x, labels, n, true);
    find_next(x, state == JC_EXPRESSION_START);
    set_read(x, labels, n, false);
    if (!is_empty(x, x->set)) return intern(x, next);
    *next = JC_EXPRESSION_DEAD;
    return JC_OK;
}

static jc_status prepare(jc_expression *x)
{
    const jc_allocator *a = &x->graph->allocator;
    int64_t n = x->tree.nodes.count;
    x->n_words = ((n + 1) / 2 + 63) / 64;
    x->sets = jc_vec_of(sizeof(uint64_t));
    x->accepts = jc_vec_of(sizeof(bool));
    jc_status status = jc_alloc_zero(a, x->n_words, sizeof *x->last, WHAT, &x->last);
    if (!status) status = jc_alloc(a, x->n_words, sizeof *x->set, WHAT, &x->set);
    if (!status) status = jc_alloc(a, n, sizeof *x->ends, WHAT, &x->ends);
    if (!status) status = jc_alloc(a, n, sizeof *x->begins, WHAT, &x->begins);
    if (!status) status = jc_alloc_zero(a, x->graph->label_names.count, sizeof *x->read, WHAT, &x->read);
    if (!status) status = jc_vec_append(a, &x->accepts, &x->tree.nullable, 1, WHAT);
    if (!status) find_last(x);
    return status;
}

jc_status jc_expression_create(const jc_graph *graph, const char *text, jc_expression **expression)
{
    jc_expression *x;
    if (!text) return jc_fail(JC_E_USAGE, "an expression is NULL");
    jc_status status = jc_alloc_zero(&graph->allocator, 1, sizeof *x, "an expression", &x);
    if (status) return status;
    x->graph = graph;
    status = jc_expression_parse(graph, text, &x->tree);
    if (!status) status = prepare(x);
    if (status) {
        jc_expression_destroy(x);
        return status;
    }
    *expression = x;
    return JC_OK;
}

void jc_expression_destroy(jc_expression *x)
{
    if (!x) return;
    const jc_allocator *a = &x->graph->allocator;
    int64_t n = x->tree.nodes.count;
    jc_free(a, x->last, x->n_words, sizeof *x->last);
    jc_free(a, x->set, x->n_words, sizeof *x->set);
    jc_free(a, x->ends, n, sizeof *x->ends);
    jc_free(a, x->begins, n, sizeof *x->begins);
    jc_free(a, x->read, x->graph->label_names.count, sizeof *x->read);
    jc_vec_free(a, &x->sets);
    jc_vec_free(a, &x->accepts);
    jc_table_free(a, &x->states);
    jc_expression_tree_fini(x->graph, &x->tree);
    jc_free(a, x, 1, sizeof *x);
}

const int64_t *jc_expression_labels(const jc_expression *x, int64_t *n)
{
    *n = x->tree.labels.count;
    return x->tree.labels.data;
}

bool jc_expression_accepts(const jc_expression *x, int64_t state)
{
    return state != JC_EXPRESSION_DEAD && ((const bool *)x->accepts.data)[state];
}

int64_t jc_expression_states(const jc_expression *x)
{
    return x->accepts.count;
}
