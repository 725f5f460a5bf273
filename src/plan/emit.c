#include "plan/emit.h"

#include <string.h>

#include "core/size.h"

typedef struct emitter {
    jc_plan *plan;
    const jc_sweep *sweep;
    int64_t *value_of_node; /* [n_nodes] */
    int64_t *row_of;        /* [n_seeds] first row of a seed in the current value; only the value's seeds are set */
    bool *written;          /* [n_seeds] whether a step of the current value has written the seed's rows */
    jc_vec steps;           /* jc_step */
} emitter;

/* Rows of a window: all of them where there is no limit. */
static int64_t limited(const emitter *em, int64_t rows)
{
    int64_t limit = em->plan->row_limit;
    return limit && limit < rows ? limit : rows;
}

/* levels[l + 1] counts, then sums: where each level's values end. */
static jc_status lay_out_levels(emitter *em)
{
    jc_plan *p = em->plan;
    const jc_sweep *s = em->sweep;
    jc_status status = jc_alloc_zero(&p->allocator, s->n_levels + 1, sizeof *p->levels, "levels", &p->levels);
    if (status) return status;
    p->n_levels = s->n_levels;
    for (int64_t v = 0; v < s->subgraph->n_nodes; v++)
        if (s->set[v]) p->levels[s->level[v] + 1]++, p->n_values++;
    for (int64_t l = 0; l < p->n_levels; l++) p->levels[l + 1] += p->levels[l];
    return JC_OK;
}

/* The smallest number of an edge of the graph whose product is added to a node's value, or -1: only extra ones are. */
static int64_t first_edge(const jc_sweep *s, int64_t node)
{
    int64_t first = -1;
    for (int64_t k = s->start[node]; k < s->start[node + 1]; k++) {
        int64_t b = s->subgraph->jacobian[s->edges[k]];
        if (b >= 0 && (first < 0 || b < first)) first = b;
    }
    return first;
}

/* The nodes with values by their first edge, so that a level's Jacobians are walked through as they lie in memory: a
 * table over the edges sorts them. The nodes of one first edge (copies of it lead to several) stay in the sweep's
 * order. last_of_edge: [n_edges of the graph], before: [n_nodes], both all -1. */
static void order_nodes(const jc_sweep *s, int64_t *last_of_edge, int64_t *before, int64_t *order, int64_t n)
{
    for (int64_t i = 0; i < s->subgraph->n_nodes; i++) {
        int64_t node = jc_sweep_node(s, i), first = s->set[node] ? first_edge(s, node) : -1;
        if (first < 0) continue;
        before[node] = last_of_edge[first];
        last_of_edge[first] = node;
    }
    for (int64_t e = s->graph->n_edges; e-- > 0;)
        for (int64_t node = last_of_edge[e]; node >= 0; node = before[node]) order[--n] = node;
    for (int64_t i = s->subgraph->n_nodes; i-- > 0;) {
        int64_t node = jc_sweep_node(s, i);
        if (s->set[node] && first_edge(s, node) < 0) order[--n] = node;
    }
}

/* Values in the order of levels, within a level in the order of the nodes. */
static void number_values(emitter *em, const int64_t *order, int64_t *next)
{
    jc_plan *p = em->plan;
    const jc_sweep *s = em->sweep;
    memcpy(next, p->levels, (size_t)(p->n_levels + 1) * sizeof *next);
    for (int64_t v = 0; v < s->subgraph->n_nodes; v++) em->value_of_node[v] = -1;
    for (int64_t i = 0; i < p->n_values; i++) {
        int64_t node = order[i], value = next[s->level[node]]++;
        int64_t rows = limited(em, jc_rowsets_at(&s->sets, s->set[node])->rows);
        p->values[value] = (jc_value){node, rows, s->subgraph->size[node], 0};
        em->value_of_node[node] = value;
    }
}

static jc_status place_values(emitter *em)
{
    jc_plan *p = em->plan;
    const jc_allocator *a = &p->allocator;
    int64_t *next = NULL, *order = NULL, *last = NULL, *before = NULL;
    int64_t n_edges = p->graph->n_edges, n_nodes = em->sweep->subgraph->n_nodes;
    jc_status status = jc_alloc(a, p->n_values + 1, sizeof *p->values, "values", &p->values);
    if (!status) status = jc_alloc(a, p->n_levels + 1, sizeof *next, "levels", &next);
    if (!status) status = jc_alloc(a, p->n_values, sizeof *order, "the order of values", &order);
    if (!status) status = jc_alloc(a, n_edges, sizeof *last, "the order of values", &last);
    if (!status) status = jc_alloc(a, n_nodes, sizeof *before, "the order of values", &before);
    if (!status) {
        memset(last, -1, (size_t)n_edges * sizeof *last);
        memset(before, -1, (size_t)n_nodes * sizeof *before);
        order_nodes(em->sweep, last, before, order, p->n_values);
        number_values(em, order, next);
    }
    jc_free(a, next, p->n_levels + 1, sizeof *next);
    jc_free(a, order, p->n_values, sizeof *order);
    jc_free(a, last, n_edges, sizeof *last);
    jc_free(a, before, n_nodes, sizeof *before);
    return status;
}

/* The identity of seed `seed` times op(B): rows of op(B), copied. */
static jc_status emit_identity(emitter *em, int64_t b, int64_t seed)
{
    jc_step step = {
        JC_SEED_IDENTITY,  b, 0, em->row_of[seed], limited(em, em->sweep->seed_rows[seed]), !em->sweep->reverse,
        !em->written[seed]};
    em->written[seed] = true;
    return jc_vec_append(&em->plan->allocator, &em->steps, &step, 1, "steps");
}

/* All rows of the value of `from` times op(B), in runs: as many steps as it takes for the rows to lie side by side in
 * both and to be all written before, or all not. Seeds without gap in the target's order lie side by side in C if they
 * do in A. */
static jc_status emit_rows(emitter *em, int64_t b, int64_t from)
{
    const jc_rowsets *sets = &em->sweep->sets;
    const int64_t *m = jc_rowsets_members(sets, em->sweep->set[from]);
    int64_t count = jc_rowsets_at(sets, em->sweep->set[from])->count, a_row = 0;
    for (int64_t i = 0; i < count;) {
        jc_step step = {em->value_of_node[from], b, a_row, em->row_of[m[i]], 0, !em->sweep->reverse,
                        !em->written[m[i]]};
        for (; i < count && em->row_of[m[i]] == step.c_row + step.n_rows && em->written[m[i]] == !step.first; i++) {
            step.n_rows += limited(em, em->sweep->seed_rows[m[i]]);
            em->written[m[i]] = true;
        }
        a_row += step.n_rows;
        jc_status status = jc_vec_append(&em->plan->allocator, &em->steps, &step, 1, "steps");
        if (status) return status;
    }
    return JC_OK;
}

/* The steps of one value, edge by edge. */
static jc_status emit_value(emitter *em, int64_t node)
{
    const jc_sweep *s = em->sweep;
    const int64_t *m = jc_rowsets_members(&s->sets, s->set[node]);
    int64_t count = jc_rowsets_at(&s->sets, s->set[node])->count;
    for (int64_t i = 0; i < count; i++) {
        em->row_of[m[i]] = jc_rowsets_rows_before(&s->sets, s->set[node])[i];
        em->written[m[i]] = false;
    }
    for (int64_t k = s->start[node]; k < s->start[node + 1]; k++) {
        int64_t edge = s->edges[k], from = jc_sweep_from(s, edge), b = s->subgraph->jacobian[edge];
        jc_status status = JC_OK;
        if (s->seed_of[from] >= 0) status = emit_identity(em, b, s->seed_of[from]);
        if (!status && s->set[from]) status = emit_rows(em, b, from);
        if (status) return status;
    }
    return JC_OK;
}

static jc_status emit_steps(emitter *em)
{
    jc_plan *p = em->plan;
    jc_status status = jc_vec_reserve(&p->allocator, &em->steps, em->sweep->subgraph->n_edges, "steps");
    for (int64_t v = 0; v < p->n_values && !status; v++) {
        p->values[v].first_step = em->steps.count;
        status = emit_value(em, p->values[v].node);
    }
    if (status) return status;
    p->values[p->n_values] = (jc_value){-1, 0, 0, em->steps.count};
    jc_vec_trim(&p->allocator, &em->steps);
    p->steps = em->steps.data;
    p->n_steps = em->steps.count;
    p->max_steps = em->steps.capacity;
    em->steps = jc_vec_of(sizeof(jc_step));
    return JC_OK;
}

jc_status jc_plan_emit(jc_plan *plan, const jc_sweep *sweep, int64_t **value_of_node)
{
    emitter em = {plan, sweep, NULL, NULL, NULL, jc_vec_of(sizeof(jc_step))};
    const jc_allocator *a = &plan->allocator;
    int64_t n_nodes = sweep->subgraph->n_nodes;
    jc_status status = jc_alloc(a, n_nodes, sizeof *em.value_of_node, "values by node", &em.value_of_node);
    if (!status) status = jc_alloc(a, sweep->n_seeds, sizeof *em.row_of, "rows of the seeds", &em.row_of);
    if (!status) status = jc_alloc(a, sweep->n_seeds, sizeof *em.written, "rows of the seeds", &em.written);
    if (!status) status = lay_out_levels(&em);
    if (!status) status = place_values(&em);
    if (!status) status = emit_steps(&em);
    jc_vec_free(a, &em.steps);
    jc_free(a, em.row_of, sweep->n_seeds, sizeof *em.row_of);
    jc_free(a, em.written, sweep->n_seeds, sizeof *em.written);
    if (status)
        jc_free(a, em.value_of_node, n_nodes, sizeof *em.value_of_node);
    else
        *value_of_node = em.value_of_node;
    return status;
}
