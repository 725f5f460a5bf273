#include "rules/automaton.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "rules/expression.h"

static const char *const WHAT = "the states of path rules";

/* What the variable that an edge leaves is to a rule. */
enum { NOT_MET, MET, MET_FIRST_OF_LIST };

/* One rule. Its own state is a number: THROUGH and FIRST: 1 once a variable was met; LAST: 1 while the last one met is
 * the one asked for; USES: edges used; MATCH: the expression's; else 0. */
typedef struct part {
    jc_rule_kind kind;
    int64_t count;
    jc_expression *expression; /* MATCH; owned */
    unsigned char *has_label;  /* [n_labels of the graph] AVOID_LABEL, USES; owned */
} part;

/* The transition that was worked out for a state and what an edge is to the rules. */
typedef struct transition {
    int64_t state, variable_class, label_class, next;
} transition;

struct jc_automaton {
    jc_allocator allocator;
    const jc_graph *graph; /* borrowed */
    part *parts;           /* [n_parts] */
    int64_t n_parts;

    int64_t *class_of; /* [n_variables] variables that all rules take alike have one class; 0: no rule speaks of them */
    jc_vec classes;    /* unsigned char [n_parts] each: NOT_MET .. */

    int64_t *label_class_of; /* [label sets of the graph] sets that all rules take alike */
    jc_vec label_sets;       /* jc_label_set into `labels`: what rules speak of in the sets of a class */
    jc_vec labels;           /* int64_t */

    jc_vec states;      /* int64_t [n_parts] each */
    jc_vec transitions; /* transition */
    jc_table known_states, known_transitions;
    int64_t *scratch; /* [n_parts] the state that is being made */
};

/* ---- variables that rules take alike ----------------------------------------------------------------------------- */

static unsigned char *class_at(const jc_automaton *m, int64_t class)
{
    return (unsigned char *)m->classes.data + class * m->n_parts;
}

/* Classes are refined rule by rule: the variables of a list go from their class to a copy of it that meets the rule.
 * *made: the class like `class` that meets rule `rule` as `met` says; copies[class * 2 + met - 1] remembers it. */
static jc_status copy_class(jc_automaton *m, jc_vec *copies, int64_t class, int64_t rule, int met, int64_t *made)
{
    int64_t *known = (int64_t *)copies->data + 2 * class + met - 1;
    if (*known) return *made = *known, JC_OK;
    jc_status status = jc_vec_reserve(&m->allocator, &m->classes, 1, WHAT);
    if (!status) status = jc_vec_append(&m->allocator, &m->classes, class_at(m, class), 1, WHAT);
    if (status) return status;
    *made = *known = m->classes.count - 1;
    class_at(m, *made)[rule] = (unsigned char)met;
    return JC_OK;
}

/* The variables of rule `rule`'s list: the first of it is told from the others. One may stand twice. */
static jc_status meet_variables(jc_automaton *m, const jc_rule *given, int64_t rule)
{
    jc_vec copies = jc_vec_of(2 * sizeof(int64_t));
    jc_status status = jc_vec_append(&m->allocator, &copies, NULL, m->classes.count, WHAT);
    for (int64_t i = 0; i < given->n_variables && !status; i++) {
        int64_t v = given->variables[i], class = m->class_of[v];
        if (class_at(m, class)[rule] == NOT_MET)
            status = copy_class(m, &copies, class, rule, i ? MET : MET_FIRST_OF_LIST, &m->class_of[v]);
    }
    jc_vec_free(&m->allocator, &copies);
    return status;
}

static jc_status check_variables(const jc_graph *g, const jc_rule *given)
{
    bool needs_one = given->kind == JC_RULE_FIRST || given->kind == JC_RULE_LAST;
    if (given->n_variables < (needs_one ? 1 : 0) || (given->n_variables && !given->variables))
        return jc_fail(JC_E_USAGE, "a rule's list of variables is not there");
    for (int64_t i = 0; i < given->n_variables; i++)
        if (given->variables[i] < 0 || given->variables[i] >= g->n_variables)
            return jc_fail(JC_E_USAGE, "a rule's variables: there is no variable number %lld (the graph has %lld)",
                           (long long)given->variables[i], (long long)g->n_variables);
    return JC_OK;
}

/* ---- label sets that rules take alike ---------------------------------------------------------------------------- */

/* Marks the labels that some rule speaks of. */
static void mark_spoken_of(const jc_automaton *m, unsigned char *spoken_of)
{
    for (int64_t i = 0; i < m->n_parts; i++) {
        const part *p = &m->parts[i];
        int64_t n = 0;
        const int64_t *labels = p->expression ? jc_expression_labels(p->expression, &n) : NULL;
        for (int64_t k = 0; k < n; k++) spoken_of[labels[k]] = 1;
        for (int64_t k = 0; p->has_label && k < m->graph->label_names.count; k++) spoken_of[k] |= p->has_label[k];
    }
}

static const int64_t *labels_of_class(const jc_automaton *m, int64_t class, int64_t *n)
{
    const jc_label_set *set = (const jc_label_set *)m->label_sets.data + class;
    *n = set->count;
    return set->count ? (const int64_t *)m->labels.data + set->first : NULL;
}

typedef struct labels_key {
    const jc_automaton *automaton;
    const int64_t *labels; /* [n] */
    int64_t n;
} labels_key;

static bool labels_equal(const void *ctx, int64_t class)
{
    const labels_key *key = ctx;
    int64_t n;
    const int64_t *labels = labels_of_class(key->automaton, class, &n);
    return n == key->n && (n == 0 || memcmp(labels, key->labels, (size_t)n * sizeof *labels) == 0);
}

/* Appends the labels of a set that are spoken of, in ascending order (a set has few). */
static jc_status append_spoken_of(jc_automaton *m, int64_t set, const unsigned char *spoken_of)
{
    int64_t n, first = m->labels.count;
    const int64_t *labels = jc_graph_labels_of_set(m->graph, set, &n);
    for (int64_t i = 0; i < n; i++) {
        if (!spoken_of[labels[i]]) continue;
        jc_status status = jc_vec_append(&m->allocator, &m->labels, &labels[i], 1, WHAT);
        if (status) return status;
        int64_t *kept = m->labels.data;
        for (int64_t k = m->labels.count - 1; k > first && kept[k - 1] > kept[k]; k--) {
            int64_t swap = kept[k];
            kept[k] = kept[k - 1], kept[k - 1] = swap;
        }
    }
    return JC_OK;
}

/* label_class_of[set]: the class of what is spoken of in it, made where it is new. */
static jc_status classify_set(jc_automaton *m, jc_table *known, int64_t set, const unsigned char *spoken_of)
{
    int64_t first = m->labels.count;
    jc_status status = append_spoken_of(m, set, spoken_of);
    if (status) return status;
    jc_label_set made = {first, m->labels.count - first};
    const int64_t *labels = made.count ? (const int64_t *)m->labels.data + first : NULL;
    labels_key key = {m, labels, made.count};
    uint64_t hash = jc_hash(labels, (size_t)made.count * sizeof *labels);
    m->label_class_of[set] = jc_table_find(known, hash, labels_equal, &key);
    if (m->label_class_of[set] >= 0) {
        m->labels.count = first;
        return JC_OK;
    }
    status = jc_table_reserve(&m->allocator, known, 1, WHAT);
    if (!status) status = jc_vec_append(&m->allocator, &m->label_sets, &made, 1, WHAT);
    if (status) return status;
    m->label_class_of[set] = m->label_sets.count - 1;
    jc_table_insert(known, hash, m->label_class_of[set]);
    return JC_OK;
}

static jc_status classify_label_sets(jc_automaton *m)
{
    const jc_graph *g = m->graph;
    jc_table known = {0};
    unsigned char *spoken_of;
    jc_status status = jc_alloc_zero(&m->allocator, g->label_names.count, 1, WHAT, &spoken_of);
    if (status) return status;
    mark_spoken_of(m, spoken_of);
    for (int64_t set = 0; set < g->label_sets.count && !status; set++) status = classify_set(m, &known, set, spoken_of);
    jc_table_free(&m->allocator, &known);
    jc_free(&m->allocator, spoken_of, g->label_names.count, 1);
    return status;
}

static jc_status take_labels(jc_automaton *m, const jc_rule *given, part *p)
{
    const jc_graph *g = m->graph;
    if (given->n_labels < 0 || (given->n_labels && !given->labels))
        return jc_fail(JC_E_USAGE, "a rule's list of labels is not there");
    if (given->count < 0) return jc_fail(JC_E_USAGE, "a rule asks for %lld uses of labels", (long long)given->count);
    jc_status status = jc_alloc_zero(&m->allocator, g->label_names.count, 1, WHAT, &p->has_label);
    for (int64_t i = 0; i < given->n_labels && !status; i++) {
        int64_t found;
        status = jc_graph_need_label(g, given->labels[i] ? given->labels[i] : "", &found);
        if (!status) p->has_label[found] = 1;
    }
    return status;
}

/* ---- making and freeing ------------------------------------------------------------------------------------------ */

static jc_status take_rule(jc_automaton *m, const jc_rule *given, int64_t rule)
{
    part *p = &m->parts[rule];
    p->kind = given->kind;
    p->count = given->count;
    switch (given->kind) {
    case JC_RULE_AVOID:
    case JC_RULE_THROUGH:
    case JC_RULE_FIRST:
    case JC_RULE_LAST: {
        jc_status status = check_variables(m->graph, given);
        return status ? status : meet_variables(m, given, rule);
    }
    case JC_RULE_AVOID_LABEL:
    case JC_RULE_USES:
        return take_labels(m, given, p);
    case JC_RULE_MATCH:
        if (!given->expression) return jc_fail(JC_E_USAGE, "a rule's expression is not there");
        return jc_expression_create(m->graph, given->expression, &p->expression);
    default:
        return jc_fail(JC_E_USAGE, "there is no such rule");
    }
}

/* State 0: nothing was met yet. */
static jc_status build(jc_automaton *m, const jc_rule *rules)
{
    const jc_graph *g = m->graph;
    const jc_allocator *a = &m->allocator;
    jc_status status;
    if ((status = jc_alloc_zero(a, m->n_parts, sizeof *m->parts, WHAT, &m->parts))) return status;
    if ((status = jc_alloc_zero(a, m->n_parts, sizeof *m->scratch, WHAT, &m->scratch))) return status;
    if ((status = jc_alloc_zero(a, g->n_variables, sizeof *m->class_of, WHAT, &m->class_of))) return status;
    if ((status = jc_alloc(a, g->label_sets.count, sizeof *m->label_class_of, WHAT, &m->label_class_of))) return status;
    if ((status = jc_vec_append(a, &m->classes, NULL, 1, WHAT))) return status;
    for (int64_t i = 0; i < m->n_parts; i++)
        if ((status = take_rule(m, &rules[i], i))) return status;
    if ((status = classify_label_sets(m))) return status;
    return jc_vec_append(a, &m->states, NULL, 1, WHAT);
}

jc_status jc_automaton_create(const jc_graph *graph, const jc_rule *rules, int64_t n_rules, jc_automaton **automaton)
{
    jc_automaton *m;
    size_t part_bytes = (size_t)n_rules;
    if (n_rules < 1 || !rules) return jc_fail(JC_E_USAGE, "the list of rules is not there");
    jc_status status = jc_alloc_zero(&graph->allocator, 1, sizeof *m, WHAT, &m);
    if (status) return status;
    *m = (jc_automaton){.allocator = graph->allocator,
                        .graph = graph,
                        .n_parts = n_rules,
                        .classes = jc_vec_of(part_bytes),
                        .label_sets = jc_vec_of(sizeof(jc_label_set)),
                        .labels = jc_vec_of(sizeof(int64_t)),
                        .states = jc_vec_of(part_bytes * sizeof(int64_t)),
                        .transitions = jc_vec_of(sizeof(transition))};
    status = build(m, rules);
    if (status)
        jc_automaton_destroy(m);
    else
        *automaton = m;
    return status;
}

void jc_automaton_destroy(jc_automaton *m)
{
    if (!m) return;
    jc_allocator a = m->allocator;
    for (int64_t i = 0; m->parts && i < m->n_parts; i++) {
        jc_expression_destroy(m->parts[i].expression);
        jc_free(&a, m->parts[i].has_label, m->graph->label_names.count, 1);
    }
    jc_free(&a, m->parts, m->n_parts, sizeof *m->parts);
    jc_free(&a, m->scratch, m->n_parts, sizeof *m->scratch);
    jc_free(&a, m->class_of, m->graph->n_variables, sizeof *m->class_of);
    jc_free(&a, m->label_class_of, m->graph->label_sets.count, sizeof *m->label_class_of);
    jc_vec_free(&a, &m->classes);
    jc_vec_free(&a, &m->label_sets);
    jc_vec_free(&a, &m->labels);
    jc_vec_free(&a, &m->states);
    jc_vec_free(&a, &m->transitions);
    jc_table_free(&a, &m->known_states);
    jc_table_free(&a, &m->known_transitions);
    jc_free(&a, m, 1, sizeof *m);
}

/* ---- transitions ------------------------------------------------------------------------------------------------- */

static const int64_t *state_at(const jc_automaton *m, int64_t state)
{
    return (const int64_t *)m->states.data + state * m->n_parts;
}

typedef struct state_key {
    const jc_automaton *automaton;
    const int64_t *parts;
} state_key;

static bool state_equal(const void *ctx, int64_t state)
{
    const state_key *key = ctx;
    size_t bytes = (size_t)key->automaton->n_parts * sizeof *key->parts;
    return memcmp(state_at(key->automaton, state), key->parts, bytes) == 0;
}

/* *state: the number of the tuple in scratch; the start, whose tuple may be the same, is not looked for. */
static jc_status intern_state(jc_automaton *m, int64_t *state)
{
    state_key key = {m, m->scratch};
    uint64_t hash = jc_hash(m->scratch, (size_t)m->n_parts * sizeof *m->scratch);
    int64_t found = jc_table_find(&m->known_states, hash, state_equal, &key);
    if (found >= 0) return *state = found, JC_OK;
    if (m->states.count >= JC_MOST_STATES)
        return jc_fail(JC_E_USAGE, "the path rules have more than %d states on this graph (%lld were reached)",
                       JC_MOST_STATES, (long long)m->states.count + 1);
    jc_status status = jc_table_reserve(&m->allocator, &m->known_states, 1, WHAT);
    if (!status) status = jc_vec_append(&m->allocator, &m->states, m->scratch, 1, WHAT);
    if (status) return status;
    *state = m->states.count - 1;
    jc_table_insert(&m->known_states, hash, *state);
    return JC_OK;
}

/* Whether an edge whose labels are these has one that the rule names. */
static bool uses(const part *p, const int64_t *labels, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (p->has_label[labels[i]]) return true;
    return false;
}

/* *next: the rule's own state after leaving a variable that it meets as `met` says by an edge with these labels. */
static jc_status step_part(part *p, int64_t own, int met, const int64_t *labels, int64_t n, int64_t *next)
{
    *next = own;
    switch (p->kind) {
    case JC_RULE_AVOID:
        if (met) *next = JC_STATE_DEAD;
        return JC_OK;
    case JC_RULE_THROUGH:
        if (met) *next = 1;
        return JC_OK;
    case JC_RULE_FIRST:
        if (met && !own) *next = met == MET_FIRST_OF_LIST ? 1 : JC_STATE_DEAD;
        return JC_OK;
    case JC_RULE_LAST:
        if (met) *next = met == MET_FIRST_OF_LIST;
        return JC_OK;
    case JC_RULE_AVOID_LABEL:
        if (uses(p, labels, n)) *next = JC_STATE_DEAD;
        return JC_OK;
    case JC_RULE_USES:
        if (uses(p, labels, n)) *next = own < p->count ? own + 1 : JC_STATE_DEAD;
        return JC_OK;
    case JC_RULE_MATCH:
        return jc_expression_step(p->expression, own, labels, n, next);
    }
    return JC_OK;
}

/* Works the transition out; the source of a path is not met. */
static jc_status work_out(jc_automaton *m, transition *t)
{
    int64_t n;
    const int64_t *labels = labels_of_class(m, t->label_class, &n);
    const unsigned char *met = class_at(m, t->variable_class);
    for (int64_t i = 0; i < m->n_parts; i++) {
        jc_status status = step_part(&m->parts[i], state_at(m, t->state)[i], met[i], labels, n, &m->scratch[i]);
        if (status) return status;
        if (m->scratch[i] == JC_STATE_DEAD) return t->next = JC_STATE_DEAD, JC_OK;
    }
    return intern_state(m, &t->next);
}

typedef struct transition_key {
    const jc_automaton *automaton;
    const transition *wanted;
} transition_key;

static bool transition_equal(const void *ctx, int64_t number)
{
    const transition_key *key = ctx;
    const transition *a = (const transition *)key->automaton->transitions.data + number, *b = key->wanted;
    return a->state == b->state && a->variable_class == b->variable_class && a->label_class == b->label_class;
}

static uint64_t transition_hash(const transition *t)
{
    uint64_t h = (uint64_t)t->state * UINT64_C(0x9E3779B97F4A7C15);
    h = (h ^ (uint64_t)t->variable_class) * UINT64_C(0xC2B2AE3D27D4EB4F);
    h = (h ^ (uint64_t)t->label_class) * UINT64_C(0x165667B19E3779F9);
    return h ^ h >> 32;
}

jc_status jc_automaton_step(jc_automaton *m, int64_t state, int64_t edge, int64_t *next)
{
    const jc_graph *g = m->graph;
    transition t = {.state = state,
                    .variable_class = state == JC_STATE_START ? 0 : m->class_of[jc_graph_wrt(g, edge)],
                    .label_class = m->label_class_of[jc_graph_group(g, edge)->label_set]};
    transition_key key = {m, &t};
    uint64_t hash = transition_hash(&t);
    int64_t found = jc_table_find(&m->known_transitions, hash, transition_equal, &key);
    if (found >= 0) return *next = ((const transition *)m->transitions.data)[found].next, JC_OK;
    jc_status status = work_out(m, &t);
    if (!status) status = jc_table_reserve(&m->allocator, &m->known_transitions, 1, WHAT);
    if (!status) status = jc_vec_append(&m->allocator, &m->transitions, &t, 1, WHAT);
    if (status) return status;
    jc_table_insert(&m->known_transitions, hash, m->transitions.count - 1);
    *next = t.next;
    return JC_OK;
}

bool jc_automaton_accepts(const jc_automaton *m, int64_t state)
{
    for (int64_t i = 0; i < m->n_parts; i++) {
        const part *p = &m->parts[i];
        int64_t own = state_at(m, state)[i];
        bool needs_one = p->kind == JC_RULE_THROUGH || p->kind == JC_RULE_FIRST || p->kind == JC_RULE_LAST;
        if (needs_one && own != 1) return false;
        if (p->kind == JC_RULE_USES && own != p->count) return false;
        if (p->kind == JC_RULE_MATCH && !jc_expression_accepts(p->expression, own)) return false;
    }
    return true;
}

int64_t jc_automaton_states(const jc_automaton *m)
{
    return m->states.count;
}
