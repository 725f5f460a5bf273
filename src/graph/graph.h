/* The computation graph: variables, edges, their Jacobians. Built by builder.c, immutable after finish. */
#ifndef JC_GRAPH_GRAPH_H
#define JC_GRAPH_GRAPH_H

#include "core/alloc.h"
#include "graph/kinds.h"
#include "graph/table.h"
#include "jacchain.h"

/* A set of labels that edges share; set 0 is empty. */
typedef struct jc_label_set {
    int64_t first, count; /* into jc_graph.set_labels */
} jc_label_set;

/* Something to release with the graph: a mapped file, a copied array. */
typedef struct jc_resource {
    void (*release)(void *ctx, const jc_allocator *allocator);
    void *ctx;
} jc_resource;

struct jc_graph {
    jc_allocator allocator;
    bool finished;
    jc_progress progress; /* of reading it */

    /* variables: the first n_prefixed are named <prefix><i> */
    int64_t n_variables, n_prefixed;
    char *prefix;        /* owned, NULL when n_prefixed is 0 */
    jc_vec sizes;        /* int64_t [n_variables] */
    jc_vec name_offsets; /* int64_t [n_variables - n_prefixed] into name_bytes */
    jc_vec name_bytes;   /* char, each name ended by NUL */
    jc_table names;      /* variable numbers by name, without the prefixed ones */

    /* edges */
    int64_t n_edges;
    jc_vec of, wrt;        /* int64_t [n_edges] */
    jc_vec edge_group;     /* int64_t [n_edges], into groups */
    jc_vec groups;         /* jc_group */
    jc_vec label_names;    /* char*, each owned with its NUL */
    jc_vec label_sets;     /* jc_label_set */
    jc_vec set_labels;     /* int64_t into label_names */
    jc_table labels, sets; /* label and label set numbers by content */
    jc_vec resources;      /* jc_resource */

    /* made by finish: adjacency in edge order (CSR), and a topological order (sources first) */
    int64_t *in_start, *in_edges;   /* [n_variables + 1], [n_edges]: edges with of = v */
    int64_t *out_start, *out_edges; /* edges with wrt = v */
    int64_t *topological;           /* [n_variables] */
};

static inline int64_t jc_graph_size(const jc_graph *g, int64_t v)
{
    return ((const int64_t *)g->sizes.data)[v];
}
static inline int64_t jc_graph_of(const jc_graph *g, int64_t e)
{
    return ((const int64_t *)g->of.data)[e];
}
static inline int64_t jc_graph_wrt(const jc_graph *g, int64_t e)
{
    return ((const int64_t *)g->wrt.data)[e];
}

static inline int64_t jc_graph_group_number(const jc_graph *g, int64_t edge)
{
    return ((const int64_t *)g->edge_group.data)[edge];
}

static inline const jc_group *jc_graph_group(const jc_graph *g, int64_t edge)
{
    return (const jc_group *)g->groups.data + jc_graph_group_number(g, edge);
}

/* The parts of the group that an edge was added with: groups of one shape, one after the other in the group's flat
 * arrays; one part where all its edges have one shape. */
typedef struct jc_graph_part {
    int64_t group;    /* its number */
    int64_t first;    /* the number of the first part's group */
    int64_t elements; /* of the field in the parts before it */
} jc_graph_part;

static inline jc_graph_part jc_graph_first_part(const jc_graph *g, int64_t edge)
{
    int64_t number = jc_graph_group_number(g, edge), ragged = jc_graph_group(g, edge)->ragged;
    jc_graph_part part = {ragged < 0 ? number : ragged, ragged < 0 ? number : ragged, 0};
    return part;
}

static inline bool jc_graph_has_part(const jc_graph *g, const jc_graph_part *part)
{
    const jc_group *groups = g->groups.data;
    return part->group == part->first || (part->group < g->groups.count && groups[part->group].ragged == part->first);
}

static inline void jc_graph_next_part(const jc_graph *g, int field, jc_graph_part *part)
{
    const jc_group *group = (const jc_group *)g->groups.data + part->group++;
    part->elements += group->n_edges * group->field[field].elements;
}

/* Where an edge stands among what was added: the number of its addition, which is its element of a document's "edges",
 * and its number in there; -1: it was added alone. O(groups). */
void jc_graph_addition(const jc_graph *graph, int64_t edge, int64_t *element, int64_t *member);

/* Runs `release(ctx)` when the graph is destroyed. On failure nothing was taken. */
jc_status jc_graph_keep(jc_graph *graph, void (*release)(void *ctx, const jc_allocator *allocator), void *ctx);

/* "y <- x" for messages; writes at most capacity bytes. */
const char *jc_graph_edge_text(const jc_graph *graph, int64_t of, int64_t wrt, char *text, size_t capacity);

enum { JC_GRAPH_HINT_BYTES = 256 };

/* What to put behind "there is no variable 'hiden'": "; is 'hidden' meant?", or the range of numbered names, or "".
 * Looks at the first 100,000 names that are given one by one. Returns hint. */
const char *jc_graph_variable_hint(const jc_graph *graph, const char *name, char hint[JC_GRAPH_HINT_BYTES]);

/* The same for a label that no edge has. */
const char *jc_graph_label_hint(const jc_graph *graph, const char *label, char hint[JC_GRAPH_HINT_BYTES]);

/* The number of a label in label_names, or -1: no edge has it. */
int64_t jc_graph_find_label(const jc_graph *graph, const char *label);

/* *number: that number. JC_E_USAGE, with what may be meant, where no edge has the label. */
jc_status jc_graph_need_label(const jc_graph *graph, const char *label, int64_t *number);

/* The labels of a set, [*n] numbers. */
static inline const int64_t *jc_graph_labels_of_set(const jc_graph *g, int64_t set, int64_t *n)
{
    const jc_label_set *s = (const jc_label_set *)g->label_sets.data + set;
    *n = s->count;
    return (const int64_t *)g->set_labels.data + s->first;
}

/* Whether labels may have the character: letters, digits and _ : / - */
bool jc_label_has(char c);

/* JC_OK for a word that may be a label. */
jc_status jc_label_check(const char *label);

#endif
