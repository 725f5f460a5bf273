/* Labels and the sets of them that edges share: each text and each set is kept once. */
#include <string.h>

#include "core/error.h"
#include "core/nearest.h"
#include "core/size.h"
#include "graph/build.h"

enum { MOST_OFFERED = 100000 };

bool jc_label_has(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("_:/-", c));
}

jc_status jc_label_check(const char *label)
{
    if (!label) return jc_fail(JC_E_USAGE, "a label is NULL");
    if (!*label) return jc_fail_at(JC_E_INPUT, "label", -1, "a label is empty");
    for (const char *s = label; *s; s++)
        if (!jc_label_has(*s))
            return jc_fail_at(JC_E_INPUT, "label", -1,
                              "label \"%s\" is not a word of letters, digits, '_', ':', '/' and '-'", label);
    return JC_OK;
}

typedef struct label_key {
    const jc_graph *graph;
    const char *name;
} label_key;

static bool label_equal(const void *ctx, int64_t id)
{
    const label_key *key = ctx;
    return strcmp(((char *const *)key->graph->label_names.data)[id], key->name) == 0;
}

static jc_status intern_label(jc_graph *g, const char *name, int64_t *id)
{
    jc_status status = jc_label_check(name);
    if (status) return status;
    size_t bytes = strlen(name) + 1;
    uint64_t hash = jc_hash(name, bytes - 1);
    label_key key = {g, name};
    int64_t found = jc_table_find(&g->labels, hash, label_equal, &key);
    if (found < 0) {
        char *copy;
        if ((status = jc_vec_reserve(&g->allocator, &g->label_names, 1, "labels"))) return status;
        if ((status = jc_table_reserve(&g->allocator, &g->labels, 1, "labels"))) return status;
        if ((status = jc_alloc(&g->allocator, (int64_t)bytes, 1, "labels", &copy))) return status;
        memcpy(copy, name, bytes);
        found = g->label_names.count;
        jc_table_insert(&g->labels, hash, found);
        jc_vec_append(&g->allocator, &g->label_names, &copy, 1, "labels"); /* cannot fail: there is room */
    }
    *id = found;
    return JC_OK;
}

int64_t jc_graph_find_label(const jc_graph *g, const char *name)
{
    label_key key = {g, name};
    return jc_table_find(&g->labels, jc_hash(name, strlen(name)), label_equal, &key);
}

const char *jc_graph_label_hint(const jc_graph *g, const char *label, char hint[JC_GRAPH_HINT_BYTES])
{
    jc_nearest nearest = jc_nearest_begin(label, strlen(label));
    for (int64_t i = 0; i < jc_min(g->label_names.count, MOST_OFFERED); i++)
        jc_nearest_offer(&nearest, ((char *const *)g->label_names.data)[i]);
    return jc_nearest_hint(&nearest, hint);
}

jc_status jc_graph_need_label(const jc_graph *g, const char *label, int64_t *number)
{
    char hint[JC_GRAPH_HINT_BYTES];
    int64_t found = jc_graph_find_label(g, label);
    if (found < 0) return jc_fail(JC_E_USAGE, "there is no label '%s'%s", label, jc_graph_label_hint(g, label, hint));
    *number = found;
    return JC_OK;
}

typedef struct set_key {
    const jc_graph *graph;
    const int64_t *ids; /* [count] */
    int64_t count;
} set_key;

static bool set_equal(const void *ctx, int64_t id)
{
    const set_key *key = ctx;
    const jc_label_set *set = (const jc_label_set *)key->graph->label_sets.data + id;
    const int64_t *ids = (const int64_t *)key->graph->set_labels.data + set->first;
    return set->count == key->count && memcmp(ids, key->ids, (size_t)key->count * sizeof *ids) == 0;
}

/* The last `count` entries of set_labels are the set asked for: keeps them only where the set is new. */
static jc_status intern_set(jc_graph *g, int64_t first, int64_t *id)
{
    const int64_t *ids = (const int64_t *)g->set_labels.data + first;
    jc_label_set set = {first, g->set_labels.count - first};
    uint64_t hash = jc_hash(ids, (size_t)set.count * sizeof *ids);
    set_key key = {g, ids, set.count};
    int64_t found = jc_table_find(&g->sets, hash, set_equal, &key);
    if (found >= 0) {
        g->set_labels.count = first;
        *id = found;
        return JC_OK;
    }
    jc_status status = jc_table_reserve(&g->allocator, &g->sets, 1, "labels");
    if (!status) status = jc_vec_append(&g->allocator, &g->label_sets, &set, 1, "labels");
    if (status) return status;
    *id = g->label_sets.count - 1;
    jc_table_insert(&g->sets, hash, *id);
    return JC_OK;
}

static bool same_id(const void *ctx, int64_t id)
{
    return *(const int64_t *)ctx == id;
}

/* Appends the label to the set being made, where `taken`, which has those of the set so far, does not have it. */
static jc_status take_label(jc_graph *g, jc_table *taken, int64_t id)
{
    uint64_t hash = jc_hash(&id, sizeof id);
    if (jc_table_find(taken, hash, same_id, &id) >= 0) return JC_OK;
    jc_status status = jc_table_reserve(&g->allocator, taken, 1, "labels");
    if (!status) status = jc_vec_append(&g->allocator, &g->set_labels, &id, 1, "labels");
    if (!status) jc_table_insert(taken, hash, id);
    return status;
}

jc_status jc_graph_intern_labels(jc_graph *graph, const char *const *labels, int64_t n_labels, int64_t *set)
{
    if (n_labels < 0 || (n_labels && !labels)) return jc_fail(JC_E_USAGE, "%lld labels", (long long)n_labels);
    *set = 0;
    if (n_labels == 0) return JC_OK;
    int64_t first = graph->set_labels.count;
    jc_status status = JC_OK;
    jc_table taken = {0};
    for (int64_t i = 0; i < n_labels && !status; i++) {
        int64_t id;
        status = intern_label(graph, labels[i], &id);
        if (!status) status = take_label(graph, &taken, id);
    }
    jc_table_free(&graph->allocator, &taken);
    if (!status) status = intern_set(graph, first, set);
    if (status) graph->set_labels.count = first;
    return status;
}

void jc_graph_free_labels(jc_graph *graph)
{
    const jc_allocator *a = &graph->allocator;
    char **names = graph->label_names.data;
    for (int64_t i = 0; i < graph->label_names.count; i++) jc_free(a, names[i], (int64_t)strlen(names[i]) + 1, 1);
    jc_vec_free(a, &graph->label_names);
    jc_vec_free(a, &graph->label_sets);
    jc_vec_free(a, &graph->set_labels);
    jc_table_free(a, &graph->labels);
    jc_table_free(a, &graph->sets);
}
