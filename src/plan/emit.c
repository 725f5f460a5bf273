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
        p->values[value] = (jc_value){.node = node, .rows = rows, .cols = s->subgraph->size[node], .other = -1};
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

static bool has_rows_of(const emitter *em, int64_t node, int64_t seed)
{
    return jc_rowsets_row(&em->sweep->sets, em->sweep->set[node], seed) >= 0;
}

static jc_status append(emitter *em, const jc_step *step)
{
    return jc_vec_append(&em->plan->allocator, &em->steps, step, 1, "steps");
}

/* The identity of seed `seed` times op(B): rows of op(B), copied; of the fold that the edge begins where the node has
 * it. */
static jc_status emit_identity(emitter *em, int64_t node, int64_t edge, int64_t seed)
{
    const jc_sweep *s = em->sweep;
    int64_t fold = s->reverse ? -1 : jc_folds_begun(s->folds, s->graph, s->subgraph, edge);
    if (fold >= 0 && has_rows_of(em, node, s->n_ends + fold))
        seed = s->n_ends + fold;
    else
        fold = -1;
    jc_step step = {.a = JC_SEED_IDENTITY,
                    .b = s->subgraph->jacobian[edge],
                    .c_row = em->row_of[seed],
                    .n_rows = limited(em, s->seed_rows[seed]),
                    .transpose = !s->reverse,
                    .first = !em->written[seed],
                    .fold = (int32_t)(fold + 1)};
    em->written[seed] = true;
    return append(em, &step);
}

/* Rows a_row.. of the value, a fold, times op(B), to the rows of the fold's source. */
static jc_status emit_unfolded(emitter *em, int64_t value, int64_t b, int64_t fold, int64_t a_row)
{
    const jc_sweep *s = em->sweep;
    int64_t end = s->fold_end[fold];
    jc_step step = {.a = value,
                    .b = b,
                    .a_row = a_row,
                    .c_row = em->row_of[end],
                    .n_rows = s->seed_rows[end],
                    .transpose = true,
                    .first = !em->written[end],
                    .fold = (int32_t)(fold + 1)};
    em->written[end] = true;
    return append(em, &step);
}

/* A run of seeds m[0..count) of the value of `from`, from row a_row on: as many as lie side by side in both and are all
 * written before, or all not. Returns how many in *taken. */
static jc_status emit_run(emitter *em, jc_step step, const int64_t *m, int64_t count, int64_t *taken)
{
    int64_t i = 0;
    step.c_row = em->row_of[m[0]];
    step.first = !em->written[m[0]];
    for (; i < count && em->row_of[m[i]] == step.c_row + step.n_rows && em->written[m[i]] == !step.first; i++) {
        step.n_rows += limited(em, em->sweep->seed_rows[m[i]]);
        em->written[m[i]] = true;
    }
    *taken = i;
    return append(em, &step);
}

/* All rows of the value of `from` times op(B), in runs: as many steps as it takes. Seeds without gap in the target's
 * order lie side by side in C if they do in A. Folds that the node does not have are left, each by a step. */
static jc_status emit_rows(emitter *em, int64_t node, int64_t b, int64_t from)
{
    const jc_sweep *s = em->sweep;
    const int64_t *m = jc_rowsets_members(&s->sets, s->set[from]),
                  *row = jc_rowsets_rows_before(&s->sets, s->set[from]);
    int64_t count = jc_rowsets_at(&s->sets, s->set[from])->count, kept = count, taken;
    while (kept > 0 && m[kept - 1] >= s->n_ends && !has_rows_of(em, node, m[kept - 1])) kept--;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < kept && !status; i += taken) {
        jc_step step = {.a = em->value_of_node[from], .b = b, .a_row = row[i], .transpose = !s->reverse};
        status = emit_run(em, step, m + i, kept - i, &taken);
    }
    for (int64_t i = kept; i < count && !status; i++)
        status = emit_unfolded(em, em->value_of_node[from], b, m[i] - s->n_ends, row[i]);
    return status;
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
        int64_t edge = s->edges[k], from = jc_sweep_from(s, edge);
        jc_status status = JC_OK;
        if (s->seed_of[from] >= 0) status = emit_identity(em, node, edge, s->seed_of[from]);
        if (!status && s->set[from]) status = emit_rows(em, node, s->subgraph->jacobian[edge], from);
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
    p->values[p->n_values] = (jc_value){.node = -1, .other = -1, .first_step = em->steps.count};
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
