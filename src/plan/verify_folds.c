#include "plan/verify_folds.h"

/* The Jacobian of an edge of the graph or walk; NULL: the query adds it. */
static const jc_group *group_of(const jc_expected *x, int64_t edge)
{
    if (edge >= x->n_own_edges) return NULL;
    return jc_graph_group(x->graph, x->by_rules ? x->walk.edge[edge] : edge);
}

/* Rows of the weight whose derivative an edge is, at least 2; 0: it is none. */
static int64_t weight_rows(const jc_group *group)
{
    if (!group || !group->has_numbers) return 0;
    const jc_shape *s = &group->shape;
    bool whole = !s->transpose && s->batch == 1 && s->inner == 1 && (s->kind == JC_WEIGHT || s->kind == JC_TRACE);
    return whole && s->p > s->m ? s->p / s->m : 0;
}

static bool is_elementwise(const jc_group *group)
{
    return group && group->has_numbers && (group->shape.kind == JC_DIAGONAL || group->shape.kind == JC_IDENTITY);
}

/* What the query adds before a seed is dense; a sum over samples meets no folds. */
static bool takes_folds(const jc_group *group)
{
    if (!group || is_elementwise(group)) return true;
    return group->has_numbers && group->shape.kind == JC_DENSE && group->shape.inner == 1;
}

/* fold_h of the ends, for now. */
static void find_most_rows(jc_expected *x)
{
    for (int64_t s = 0; s < x->n_ends; s++) x->fold_h[s] = 0;
    for (int64_t e = 0; e < x->n_own_edges; e++) {
        if (jc_expected_left_out(x, e) || !x->needed[jc_expected_head(x, e)]) continue;
        int64_t tail = jc_expected_tail(x, e), s = x->seeded_index[tail], h = weight_rows(group_of(x, e));
        if (!takes_folds(group_of(x, e))) x->plain[tail] |= JC_PLAIN;
        if (s >= 0 && h > x->fold_h[s]) x->fold_h[s] = h;
    }
}

void jc_expected_find_folds(jc_expected *x)
{
    find_most_rows(x);
    for (int64_t s = 0; s < x->n_ends; s++) {
        if (!x->fold_h[s]) continue;
        x->fold_of[s] = x->n_seeded;
        x->fold_h[x->n_seeded] = x->fold_h[s];
        x->seeded[x->n_seeded] = s;
        x->seeded_rows[x->n_seeded++] = jc_expected_size(x, x->seeded[s]) / x->fold_h[s];
    }
    for (int64_t t = 0; t < x->n_targets; t++)
        if (x->target_node[t] >= 0) x->plain[jc_expected_outermost(x, x->target_node[t], true)] |= JC_PLAIN;
}

int64_t jc_expected_begun(const jc_expected *x, int64_t edge)
{
    int64_t s = x->seeded_index[jc_expected_tail(x, edge)], fold = s < 0 ? -1 : x->fold_of[s];
    return fold >= 0 && weight_rows(group_of(x, edge)) == x->fold_h[fold] ? fold : -1;
}

static void set(jc_expected *x, int64_t node, int64_t s, bool to)
{
    uint64_t bit = UINT64_C(1) << (s % 64), *word = &x->rows[node * x->n_words + s / 64];
    *word = to ? *word | bit : *word & ~bit;
}

void jc_expected_settle(jc_expected *x, int64_t node)
{
    if (x->plain[node] & JC_SETTLED) return;
    bool plain = x->plain[node] & JC_PLAIN;
    for (int64_t f = x->n_ends; f < x->n_seeded; f++)
        plain = plain || (jc_expected_has(x, node, f) && jc_expected_has(x, node, x->seeded[f]));
    for (int64_t f = x->n_ends; f < x->n_seeded && plain; f++) {
        if (!jc_expected_has(x, node, f)) continue;
        set(x, node, f, false);
        set(x, node, x->seeded[f], true);
    }
    x->plain[node] |= JC_SETTLED;
}

void jc_expected_carry(jc_expected *x, int64_t edge)
{
    int64_t tail = jc_expected_tail(x, edge), head = jc_expected_head(x, edge), own = x->seeded_index[tail];
    jc_expected_settle(x, tail);
    uint64_t *to = &x->rows[head * x->n_words];
    const uint64_t *from = &x->rows[tail * x->n_words];
    if (x->n_seeded == x->n_ends || is_elementwise(group_of(x, edge)))
        for (int64_t w = 0; w < x->n_words; w++) to[w] |= from[w];
    else
        for (int64_t s = 0; s < x->n_seeded; s++)
            if (jc_expected_has(x, tail, s)) set(x, head, s < x->n_ends ? s : x->seeded[s], true);
    if (own < 0) return;
    int64_t fold = jc_expected_begun(x, edge);
    set(x, head, fold < 0 ? own : fold, true);
}
