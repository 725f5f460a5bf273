#include "plan/verify_walk.h"

#include <string.h>

#include "core/error.h"
#include "graph/edge_set.h"
#include "rules/automaton.h"

static const char *const WHAT = "the verifier of plans";

typedef struct checker {
    const jc_walk *walk;
    const jc_allocator *allocator;
    const jc_query *query;
    jc_edge_set kept;
    unsigned char *avoided; /* [n_variables] 1: no path passes through it */
    unsigned char *refused; /* [n_labels] 1: no path uses it */
    unsigned char *mark;    /* [n_nodes] FROM | TO */
    int64_t *last;          /* [n_edges of the graph] which node it left last, twice, and whether to an end; -1: none */
    int64_t *start_of;      /* [n_variables] the node of a source */
} checker;

enum { FROM = 1, TO = 2 };

static bool is_start(const jc_walk *w, int64_t node)
{
    return w->state[node] == JC_STATE_START;
}

static bool is_end(const jc_walk *w, int64_t node)
{
    return w->state[node] == JC_WALK_END;
}

/* The variables and labels that no path has; they are there, since the walk was made. */
static void take_rules(const checker *c)
{
    for (int64_t r = 0; r < c->query->n_rules; r++) {
        const jc_rule *rule = &c->query->rules[r];
        for (int64_t i = 0; rule->kind == JC_RULE_AVOID && i < rule->n_variables; i++)
            c->avoided[rule->variables[i]] = 1;
        for (int64_t i = 0; rule->kind == JC_RULE_AVOID_LABEL && i < rule->n_labels; i++)
            c->refused[jc_graph_find_label(c->walk->graph, rule->labels[i])] = 1;
    }
}

/* Whether the path without edges breaks a rule that asks for something on it. */
static bool asks_for_an_edge(const jc_query *q)
{
    for (int64_t r = 0; r < q->n_rules; r++) {
        jc_rule_kind kind = q->rules[r].kind;
        if (kind == JC_RULE_THROUGH || kind == JC_RULE_FIRST || kind == JC_RULE_LAST) return true;
        if (kind == JC_RULE_USES && q->rules[r].count > 0) return true;
    }
    return q->no_empty_path;
}

static const char *check_node(const checker *c, int64_t node)
{
    const jc_walk *w = c->walk;
    int64_t variable = w->variable[node], state = w->state[node];
    if (variable < 0 || variable >= w->graph->n_variables) return "stands for no variable";
    if (state < JC_WALK_END || state >= w->n_states) return "is in no state";
    if (c->avoided[variable] && !is_start(w, node) && !is_end(w, node)) return "is of a variable that a rule avoids";
    if (c->mark[node] != (FROM | TO)) return "lies on no path from a source to a target";
    return NULL;
}

static const char *check_edge(const checker *c, int64_t i)
{
    const jc_walk *w = c->walk;
    int64_t e = w->edge[i], n;
    if (e < 0 || e >= w->graph->n_edges) return "is none of the graph";
    if (w->wrt[i] < 0 || w->of[i] <= w->wrt[i] || w->of[i] >= w->n_nodes) return "leads back, or to no node";
    if (w->variable[w->of[i]] != jc_graph_of(w->graph, e) || w->variable[w->wrt[i]] != jc_graph_wrt(w->graph, e))
        return "joins nodes of other variables";
    if (is_start(w, w->of[i]) || is_end(w, w->wrt[i])) return "leads into a start or out of an end";
    if (!jc_edge_set_has(&c->kept, e)) return "is left out by the query";
    const int64_t *labels = jc_graph_labels_of_set(w->graph, jc_graph_group(w->graph, e)->label_set, &n);
    for (int64_t k = 0; k < n; k++)
        if (c->refused[labels[k]]) return "has a label that a rule avoids";
    return NULL;
}

/* Edges lie by `of`, then by number, then by `wrt`, no two of them the same. */
static bool in_order(const jc_walk *w, int64_t i)
{
    if (i == 0 || w->of[i - 1] < w->of[i]) return true;
    if (w->of[i - 1] > w->of[i]) return false;
    return w->edge[i - 1] < w->edge[i] || (w->edge[i - 1] == w->edge[i] && w->wrt[i - 1] < w->wrt[i]);
}

/* Copies of one edge out of a node: one that goes on and one that ends, at most. */
static const char *check_choices(const checker *c, const int64_t *start, const int64_t *out, int64_t node)
{
    const jc_walk *w = c->walk;
    for (int ends = 0; ends < 2; ends++) {
        for (int64_t k = start[node]; k < start[node + 1]; k++) {
            if (is_end(w, w->of[out[k]]) != ends) continue;
            if (c->last[w->edge[out[k]]] == 2 * node + ends) return "is left by one edge in two ways";
            c->last[w->edge[out[k]]] = 2 * node + ends;
        }
    }
    return NULL;
}

/* A source that is a target too. */
static void mark_empty_paths(const checker *c)
{
    const jc_walk *w = c->walk;
    for (int64_t t = 0; t < w->n_targets; t++) c->start_of[w->target_variable[t]] = -1;
    for (int64_t i = 0; i < w->n_sources; i++) c->start_of[w->source_variable[i]] = w->source[i];
    for (int64_t t = 0; t < w->n_targets; t++) {
        int64_t start = c->start_of[w->target_variable[t]];
        if (start < 0 || w->target[t] < 0) continue;
        c->mark[start] |= TO, c->mark[w->target[t]] |= FROM;
    }
}

static void mark_nodes(const checker *c)
{
    const jc_walk *w = c->walk;
    for (int64_t i = 0; i < w->n_sources; i++)
        if (w->source[i] >= 0) c->mark[w->source[i]] |= FROM;
    for (int64_t i = 0; i < w->n_targets; i++)
        if (w->target[i] >= 0) c->mark[w->target[i]] |= TO;
    for (int64_t i = 0; i < w->n_edges; i++) c->mark[w->of[i]] |= c->mark[w->wrt[i]] & FROM;
    for (int64_t i = w->n_edges; i-- > 0;) c->mark[w->wrt[i]] |= c->mark[w->of[i]] & TO;
    if (w->empty_path) mark_empty_paths(c);
}

static jc_status fail_at(const checker *c, const char *thing, int64_t number, int64_t variable, const char *what)
{
    char name[128];
    if (variable < 0 || variable >= c->walk->graph->n_variables)
        return jc_fail(JC_E_INTERNAL, "plan: %s %lld of the walk %s", thing, (long long)number, what);
    jc_graph_variable_name(c->walk->graph, variable, name, sizeof name);
    return jc_fail(JC_E_INTERNAL, "plan: %s %lld of the walk, at %s, %s", thing, (long long)number, name, what);
}

static jc_status check_ends(const checker *c)
{
    const jc_walk *w = c->walk;
    for (int64_t i = 0; i < w->n_sources; i++)
        if (w->source[i] >= 0 && (!is_start(w, w->source[i]) || w->variable[w->source[i]] != w->source_variable[i]))
            return fail_at(c, "source", i, w->source_variable[i], "does not start at its own node");
    for (int64_t i = 0; i < w->n_targets; i++)
        if (w->target[i] >= 0 && (!is_end(w, w->target[i]) || w->variable[w->target[i]] != w->target_variable[i]))
            return fail_at(c, "target", i, w->target_variable[i], "does not end at its own node");
    if (w->empty_path && asks_for_an_edge(c->query))
        return jc_fail(JC_E_INTERNAL, "plan: the walk counts a path without edges, which the query does not keep");
    return JC_OK;
}

static jc_status check_edges(const checker *c)
{
    for (int64_t i = 0; i < c->walk->n_edges; i++) {
        const char *what = check_edge(c, i);
        if (!what && !in_order(c->walk, i)) what = "is out of order, or there twice";
        if (what) return fail_at(c, "edge", i, -1, what);
    }
    return JC_OK;
}

static jc_status check_nodes(const checker *c)
{
    const jc_walk *w = c->walk;
    int64_t *start, *out;
    mark_nodes(c);
    jc_status status = jc_walk_out_edges(c->allocator, w, &start, &out);
    if (status) return status;
    for (int64_t node = 0; node < w->n_nodes && !status; node++) {
        const char *what = check_node(c, node);
        if (!what) what = check_choices(c, start, out, node);
        if (what) status = fail_at(c, "node", node, w->variable[node], what);
    }
    jc_free(c->allocator, start, w->n_nodes + 1, sizeof *start);
    jc_free(c->allocator, out, w->n_edges, sizeof *out);
    return status;
}

static jc_status check(checker *c)
{
    const jc_walk *w = c->walk;
    const jc_graph *g = w->graph;
    jc_status status;
    if ((status = jc_edge_set_init(&c->kept, g, c->query->edges, c->query->n_edges))) return status;
    if ((status = jc_alloc_zero(c->allocator, g->n_variables, 1, WHAT, &c->avoided))) return status;
    if ((status = jc_alloc_zero(c->allocator, g->label_names.count, 1, WHAT, &c->refused))) return status;
    if ((status = jc_alloc_zero(c->allocator, w->n_nodes, 1, WHAT, &c->mark))) return status;
    if ((status = jc_alloc(c->allocator, g->n_edges, sizeof *c->last, WHAT, &c->last))) return status;
    if ((status = jc_alloc(c->allocator, g->n_variables, sizeof *c->start_of, WHAT, &c->start_of))) return status;
    memset(c->last, -1, (size_t)g->n_edges * sizeof *c->last);
    take_rules(c);
    if ((status = check_ends(c))) return status;
    if ((status = check_edges(c))) return status;
    return check_nodes(c);
}

jc_status jc_verify_walk(const jc_walk *walk, const jc_query *query)
{
    const jc_graph *g = walk->graph;
    checker c = {.walk = walk, .allocator = &g->allocator, .query = query};
    jc_status status = check(&c);
    jc_free(c.allocator, c.start_of, g->n_variables, sizeof *c.start_of);
    jc_free(c.allocator, c.last, g->n_edges, sizeof *c.last);
    jc_free(c.allocator, c.mark, walk->n_nodes, 1);
    jc_free(c.allocator, c.refused, g->label_names.count, 1);
    jc_free(c.allocator, c.avoided, g->n_variables, 1);
    jc_edge_set_fini(&c.kept, g);
    return status;
}
