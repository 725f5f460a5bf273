/* The verifier's look at walks: every one that is made passes, each of a list of broken ones does not. */
#include <criterion/criterion.h>
#include <string.h>

#include "plan/verify_walk.h"
#include "rules/automaton.h"
#include "rules/query.h"
#include "support/compute.h"
#include "support/random_query.h"
#include "support/rule_oracle.h"
#include "support/sanitized.h"

static bool swapped_ends(jc_walk *w, jt_rng *rng)
{
    int64_t i = jt_below(rng, w->n_edges), of = w->of[i];
    w->of[i] = w->wrt[i], w->wrt[i] = of;
    return true;
}

static bool other_edge(jc_walk *w, jt_rng *rng)
{
    int64_t *e = &w->edge[jt_below(rng, w->n_edges)], other = jt_below(rng, w->graph->n_edges);
    bool same = jc_graph_of(w->graph, other) == jc_graph_of(w->graph, *e) &&
                jc_graph_wrt(w->graph, other) == jc_graph_wrt(w->graph, *e);
    if (same) return false;
    *e = other;
    return true;
}

static bool no_edge(jc_walk *w, jt_rng *rng)
{
    w->edge[jt_below(rng, w->n_edges)] = jt_below(rng, 2) ? -1 : w->graph->n_edges;
    return true;
}

static bool same_edge_twice(jc_walk *w, jt_rng *rng)
{
    if (w->n_edges < 2) return false;
    int64_t i = jt_between(rng, 1, w->n_edges - 1);
    w->of[i] = w->of[i - 1], w->wrt[i] = w->wrt[i - 1], w->edge[i] = w->edge[i - 1];
    return true;
}

static bool other_variable(jc_walk *w, jt_rng *rng)
{
    int64_t *v = &w->variable[w->of[jt_below(rng, w->n_edges)]], other = jt_below(rng, w->graph->n_variables);
    if (other == *v) return false;
    *v = other;
    return true;
}

/* The node an edge leads to becomes a start. */
static bool start_on_the_way(jc_walk *w, jt_rng *rng)
{
    w->state[w->of[jt_below(rng, w->n_edges)]] = JC_STATE_START;
    return true;
}

static bool end_on_the_way(jc_walk *w, jt_rng *rng)
{
    w->state[w->wrt[jt_below(rng, w->n_edges)]] = JC_WALK_END;
    return true;
}

static bool no_state(jc_walk *w, jt_rng *rng)
{
    w->state[w->of[jt_below(rng, w->n_edges)]] = w->n_states;
    return true;
}

/* The last edge left out leads the only way on from some node, or to it. */
static bool dead_end(jc_walk *w, jt_rng *rng)
{
    (void)rng;
    int64_t last = w->n_edges - 1, others = 0;
    for (int64_t i = 0; i < last; i++) others += w->wrt[i] == w->wrt[last] || w->of[i] == w->of[last];
    if (others || w->empty_path) return false;
    w->n_edges--;
    return true;
}

/* Of two nodes of a variable to which copies of an edge lead, the first has both from one node. */
static bool two_ways_on(jc_walk *w, jt_rng *rng)
{
    (void)rng;
    for (int64_t i = 0; i + 1 < w->n_edges; i++)
        for (int64_t k = i + 1; k < w->n_edges; k++) {
            bool both_end = (w->state[w->of[i]] == JC_WALK_END) == (w->state[w->of[k]] == JC_WALK_END);
            if (w->edge[i] != w->edge[k] || w->of[i] == w->of[k] || w->wrt[i] == w->wrt[k] || !both_end) continue;
            w->wrt[k] = w->wrt[i];
            return true;
        }
    return false;
}

static bool target_elsewhere(jc_walk *w, jt_rng *rng)
{
    int64_t *t = &w->target[jt_below(rng, w->n_targets)];
    if (*t < 0) return false;
    *t = w->wrt[jt_below(rng, w->n_edges)];
    return true;
}

static bool source_elsewhere(jc_walk *w, jt_rng *rng)
{
    int64_t *s = &w->source[jt_below(rng, w->n_sources)];
    if (*s < 0) return false;
    *s = w->of[jt_below(rng, w->n_edges)];
    return true;
}

static const struct {
    const char *name;
    bool (*apply)(jc_walk *w, jt_rng *rng);
} breaks[] = {
    {"ends swapped", swapped_ends},
    {"another edge", other_edge},
    {"no edge", no_edge},
    {"the same edge twice", same_edge_twice},
    {"another variable", other_variable},
    {"a start on the way", start_on_the_way},
    {"an end on the way", end_on_the_way},
    {"no state", no_state},
    {"a dead end", dead_end},
    {"two ways on by one edge", two_ways_on},
    {"a target elsewhere", target_elsewhere},
    {"a source elsewhere", source_elsewhere},
};
enum { N_BREAKS = sizeof breaks / sizeof *breaks };

static void make(const jt_graph *g, const jc_query *query, jc_walk *walk, jc_query *full)
{
    jt_ok(jc_query_check(g->graph, query, full), "query");
    jt_ok(jc_walk_create(g->graph, full, walk), "walk");
}

/* Breaks what was made in every way; what was allocated is given back as it was allocated. */
static void break_walks(const jt_graph *g, const jc_query *query, jt_rng *rng, int64_t *applied)
{
    for (int i = 0; i < N_BREAKS; i++) {
        jc_walk walk, broken;
        jc_query full;
        make(g, query, &walk, &full);
        broken = walk;
        if (walk.n_edges && breaks[i].apply(&broken, rng)) {
            cr_assert_eq(jc_verify_walk(&broken, &full), JC_E_INTERNAL, "accepted: %s", breaks[i].name);
            applied[i]++;
        }
        jc_walk_fini(&g->graph->allocator, &walk);
    }
}

Test(verify_walk, accepts_those_that_are_made_and_rejects_every_broken_one)
{
    int64_t applied[N_BREAKS] = {0};
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(2500); seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_rules rules;
        jc_walk walk;
        jc_query full;
        jt_query_totals(&rng, &g, &q);
        jt_rules_random(&g.pool, &rng, &g, (jc_rule_kind)(seed % JT_RULE_KINDS), &rules);
        q.query.rules = rules.rule, q.query.n_rules = rules.n;
        if (rules.n) {
            make(&g, &q.query, &walk, &full);
            jt_ok(jc_verify_walk(&walk, &full), "a walk");
            jc_walk_fini(&g.graph->allocator, &walk);
            break_walks(&g, &q.query, &rng, applied);
        }
        jt_rules_fini(&rules);
        jt_graph_fini(&g);
    }
    for (int i = 0; i < N_BREAKS; i++)
        cr_assert_geq(applied[i], jt_cases(15), "%s was tried only %lld times", breaks[i].name, (long long)applied[i]);
}

/* A walk of one rule against the query of another that forbids what it has. */
Test(verify_walk, rejects_what_a_rule_avoids)
{
    int64_t refused[2] = {0};
    for (uint64_t seed = 0; seed < 200; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL};
        jt_graph_random(&options, &g);
        int64_t of = g.topological[g.n_variables - 1], v = g.topological[g.n_variables / 2];
        jc_rule all = {.kind = JC_RULE_MATCH, .expression = ".*"};
        jc_rule stricter[] = {{.kind = JC_RULE_AVOID, .variables = &v, .n_variables = 1},
                              {.kind = JC_RULE_AVOID_LABEL, .labels = jt_label_names, .n_labels = 1}};
        jc_query q = JC_QUERY_INIT, full;
        jc_walk walk;
        q.of = &of, q.n_of = 1, q.rules = &all, q.n_rules = 1;
        make(&g, &q, &walk, &full);
        for (int i = 0; i < 2; i++) {
            bool met = false;
            for (int64_t e = 0; e < walk.n_edges; e++) {
                int64_t number = walk.edge[e], node = walk.wrt[e];
                met |= i ? g.edges[number].labels & 1 : walk.variable[node] == v && walk.state[node] != JC_STATE_START;
            }
            if (!met) continue;
            full.rules = &stricter[i];
            cr_assert_eq(jc_verify_walk(&walk, &full), JC_E_INTERNAL);
            refused[i]++;
        }
        jc_walk_fini(&g.graph->allocator, &walk);
        jt_graph_fini(&g);
    }
    cr_assert(refused[0] > 40 && refused[1] > 40, "%lld, %lld", (long long)refused[0], (long long)refused[1]);
}
