#include "plan/verify.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "plan/verify_expected.h"
#include "plan/verify_storage.h"

static const char *const WHAT = "the verifier of plans";

typedef struct verifier {
    const jc_plan *plan;
    const jc_allocator *allocator;
    jc_expected expected;
    int64_t *node;         /* [n_nodes of the subgraph] of expected; -1: none */
    int64_t *addition;     /* [n_extra] of expected, for each extra Jacobian; -1: none */
    int64_t *value_of;     /* [expected.n_nodes], or -1 */
    int64_t *level;        /* [n_values] */
    int64_t *last;         /* [n_values] last level that reads it, n_levels for outputs */
    int64_t *carried;      /* [expected.n_edges] rows of the tail's value that steps have carried along the edge */
    unsigned char *copied; /* [expected.n_edges] 1: the edge has carried the identity of its tail */
    uint64_t *written;     /* [n_words] bit s: the value in hand has the rows of seeded end s */
} verifier;

static jc_status broken(const verifier *v, int64_t value, int64_t step, const char *what)
{
    char name[128] = "what the query adds", state[40] = "";
    int64_t node = v->node[v->plan->values[value].node], variable = jc_expected_variable(&v->expected, node);
    if (variable >= 0) jc_graph_variable_name(v->plan->graph, variable, name, sizeof name);
    if (variable >= 0 && v->expected.by_rules)
        snprintf(state, sizeof state, ", node %lld of the rules", (long long)node);
    if (step < 0) return jc_fail(JC_E_INTERNAL, "plan: value %lld (of %s%s): %s", (long long)value, name, state, what);
    return jc_fail(JC_E_INTERNAL, "plan: value %lld (of %s%s), step %lld: %s", (long long)value, name, state,
                   (long long)step, what);
}

/* ---- the frame: levels and values tile the lists ------------------------------------------------------------- */

static jc_status check_query(const jc_plan *p, const jc_query *q)
{
    int64_t samples = q->per_sample > 1 ? q->per_sample : 1;
    if ((q->order != JC_ORDER_AUTO && q->order != p->order) || q->seed != p->seed ||
        samples != (p->per_sample > 1 ? p->per_sample : 1))
        return jc_fail(JC_E_INTERNAL, "plan: order, seed or samples are not those of the query");
    return JC_OK;
}

static jc_status check_frame(const verifier *v)
{
    const jc_plan *p = v->plan;
    if (p->n_values < 0 || p->n_steps < 0 || p->n_levels < 0 || p->levels[0] != 0 ||
        p->levels[p->n_levels] != p->n_values || p->values[0].first_step != 0 ||
        p->values[p->n_values].first_step != p->n_steps)
        return jc_fail(JC_E_INTERNAL, "plan: levels, values and steps do not begin at 0 and end at their number");
    for (int64_t l = 0; l < p->n_levels; l++) {
        if (p->levels[l + 1] <= p->levels[l] || p->levels[l + 1] > p->n_values)
            return jc_fail(JC_E_INTERNAL, "plan: level %lld does not follow the one before it", (long long)l);
        for (int64_t i = p->levels[l]; i < p->levels[l + 1]; i++) v->level[i] = v->last[i] = l;
    }
    for (int64_t i = 0; i < p->n_values; i++)
        if (p->values[i + 1].first_step <= p->values[i].first_step)
            return jc_fail(JC_E_INTERNAL, "plan: value %lld has no steps", (long long)i);
    return JC_OK;
}

/* ---- nodes: what each stands for ----------------------------------------------------------------------------------
 */

/* An extra Jacobian joins a node without a variable to a node that the query extends, or to two. */
static jc_status map_extra(const verifier *v, int64_t edge)
{
    const jc_subgraph *s = &v->plan->subgraph;
    const jc_expected *x = &v->expected;
    int64_t extra = -1 - s->jacobian[edge], of = s->of[edge], wrt = s->wrt[edge];
    if (extra >= s->n_extra || of < 0 || of >= s->n_nodes || wrt < 0 || wrt >= s->n_nodes)
        return jc_fail(JC_E_INTERNAL, "plan: extra Jacobian %lld is not there", (long long)extra);
    bool at_target = s->variable[of] < 0;
    int64_t at = at_target ? wrt : of, beyond = at_target ? of : wrt;
    int64_t i = jc_expected_addition(x, v->node[at], at_target), node = x->n_own_nodes + i;
    bool first = v->addition[extra] < 0 && v->node[beyond] < 0;
    if (i < 0 || s->variable[beyond] >= 0 || (!first && (v->addition[extra] != i || v->node[beyond] != node)))
        return jc_fail(JC_E_INTERNAL, "plan: extra Jacobian %lld is not the query's", (long long)extra);
    v->addition[extra] = i;
    v->node[beyond] = node;
    return JC_OK;
}

/* Without rules a node is its variable; with rules the nodes of variables are the walk's, in its order. */
static jc_status map_node(const verifier *v, int64_t n, int64_t *next)
{
    const jc_expected *x = &v->expected;
    int64_t variable = v->plan->subgraph.variable[n];
    v->node[n] = variable < 0 ? -1 : x->by_rules ? (*next)++ : variable;
    if (variable < 0 || (v->node[n] < x->n_own_nodes && jc_expected_variable(x, v->node[n]) == variable)) return JC_OK;
    return jc_fail(JC_E_INTERNAL, "plan: node %lld stands for no variable, or for another one", (long long)n);
}

static jc_status map_nodes(const verifier *v)
{
    const jc_subgraph *s = &v->plan->subgraph;
    int64_t next = 0;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < s->n_extra; i++) v->addition[i] = -1;
    for (int64_t n = 0; n < s->n_nodes && !status; n++) status = map_node(v, n, &next);
    for (int64_t e = 0; e < s->n_edges && !status; e++)
        if (s->jacobian[e] < 0) status = map_extra(v, e);
    return status;
}

/* The seed is dense with numbers bound later; a sum over B samples is 1_B^T (x) I at a target, 1_B (x) I at a source.
 */
static jc_status check_extra(const verifier *v, int64_t extra)
{
    const jc_group *group = &v->plan->subgraph.extra[extra];
    const jc_shape *shape = &group->shape;
    const jc_addition *add = v->addition[extra] < 0 ? NULL : &v->expected.addition[v->addition[extra]];
    bool ok = add != NULL && shape->batch == 1 && shape->inner == 1;
    if (ok) {
        int64_t at = jc_expected_size(&v->expected, add->at[0]), beyond = add->beyond_size;
        ok = shape->rows == (add->at_target ? beyond : at) && shape->cols == (add->at_target ? at : beyond);
    }
    if (ok && v->plan->seed != JC_SEED_NONE) ok = shape->kind == JC_DENSE && !shape->transpose;
    if (ok && v->plan->seed == JC_SEED_NONE)
        ok = shape->kind == JC_TILE && shape->transpose == add->at_target && group->scale == 1.0;
    return ok ? JC_OK : jc_fail(JC_E_INTERNAL, "plan: extra Jacobian %lld is not the query's", (long long)extra);
}

static jc_status check_extras(const verifier *v)
{
    if (v->plan->subgraph.n_extra != v->expected.n_additions)
        return jc_fail(JC_E_INTERNAL, "plan: %lld extra Jacobians, the query makes %lld",
                       (long long)v->plan->subgraph.n_extra, (long long)v->expected.n_additions);
    for (int64_t i = 0; i < v->plan->subgraph.n_extra; i++) {
        jc_status status = check_extra(v, i);
        if (status) return status;
    }
    return JC_OK;
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static jc_status check_value(const verifier *v, int64_t i)
{
    const jc_value *value = &v->plan->values[i];
    const jc_subgraph *s = &v->plan->subgraph;
    if (value->node < 0 || value->node >= s->n_nodes || v->node[value->node] < 0)
        return jc_fail(JC_E_INTERNAL, "plan: value %lld is of no node", (long long)i);
    int64_t node = v->node[value->node], rows = jc_expected_rows(&v->expected, node);
    if (v->value_of[node] >= 0) return broken(v, i, -1, "its node already has a value");
    if (!rows) return broken(v, i, -1, "lies on no path that is asked for");
    if (value->rows != rows) return broken(v, i, -1, "wrong number of rows");
    if (value->cols != jc_expected_size(&v->expected, node)) return broken(v, i, -1, "wrong number of columns");
    v->value_of[node] = i;
    return JC_OK;
}

static jc_status check_values(const verifier *v)
{
    const jc_expected *x = &v->expected;
    for (int64_t i = 0; i < x->n_nodes; i++) v->value_of[i] = -1;
    for (int64_t i = 0; i < v->plan->n_values; i++) {
        jc_status status = check_value(v, i);
        if (status) return status;
    }
    for (int64_t i = 0; i < x->n_nodes; i++)
        if (v->value_of[i] < 0 && jc_expected_rows(x, i))
            return jc_fail(JC_E_INTERNAL, "plan: node %lld has no value", (long long)i);
    return JC_OK;
}

/* ---- steps ------------------------------------------------------------------------------------------------------ */

/* Notes that a step writes (adds to) the rows of seeded end s. */
static bool note_written(const verifier *v, int64_t s, bool first)
{
    uint64_t bit = UINT64_C(1) << (s % 64), *word = &v->written[s / 64];
    bool was = *word & bit;
    *word |= bit;
    return was != first;
}

/* c[c_row ..] takes whole row blocks of seeded ends, each from where the tail's value has the same end. */
static const char *check_rows(const verifier *v, const jc_step *step, int64_t tail, int64_t head)
{
    const jc_expected *x = &v->expected;
    int64_t a_row = 0, c_row = 0, taken = 0;
    for (int64_t s = 0; s < x->n_seeded; s++) {
        bool in_a = jc_expected_has(x, tail, s), in_c = jc_expected_has(x, head, s);
        int64_t offset = a_row - step->a_row;
        if (in_a && offset >= 0 && offset < step->n_rows) {
            if (offset + x->seeded_rows[s] > step->n_rows) return "takes a part of the rows of a seeded end";
            if (c_row != step->c_row + offset) return "takes the rows of one seeded end for those of another";
            if (!note_written(v, s, step->first)) return "writes where it should add, or adds to what is not written";
            taken += x->seeded_rows[s];
        }
        a_row += in_a ? x->seeded_rows[s] : 0;
        c_row += in_c ? x->seeded_rows[s] : 0;
    }
    return taken == step->n_rows ? NULL : "takes rows that its operand does not have";
}

/* Copies all rows of op(D), once, where the tail is a seeded end. */
static const char *check_copy(const verifier *v, const jc_step *step, int64_t edge, int64_t tail, int64_t head)
{
    const jc_expected *x = &v->expected;
    int64_t s = x->seeded_index[tail];
    if (v->copied[edge]) return "uses an edge a second time";
    if (step->a_row != 0 || step->n_rows != x->seeded_rows[s]) return "copies not all rows of a seeded end";
    if (step->c_row != jc_expected_row_of(x, head, s)) return "copies to the rows of another seeded end";
    if (!note_written(v, s, step->first)) return "writes where it should add, or adds to what is not written";
    v->copied[edge] = 1;
    return NULL;
}

static const char *check_product(const verifier *v, int64_t c, const jc_step *step, int64_t edge, int64_t tail,
                                 int64_t head)
{
    if (v->level[step->a] == v->level[c]) return "races: reads a value of its own level";
    if (v->level[step->a] > v->level[c]) return "reads a value before it is complete";
    if (step->a_row < v->carried[edge]) return "uses an edge a second time for the same rows";
    if (step->a_row > v->carried[edge]) return "leaves out rows, or takes them out of order";
    const char *what = check_rows(v, step, tail, head);
    if (what) return what;
    v->carried[edge] += step->n_rows;
    v->last[step->a] = jc_max(v->last[step->a], v->level[c]);
    return NULL;
}

/* The edge of expected that a step to `head` uses: by its Jacobian, and the node whose value it reads; -1: none. */
static int64_t edge_of_step(const verifier *v, const jc_step *step, int64_t head)
{
    int64_t tail = step->a == JC_SEED_IDENTITY ? -1 : v->node[v->plan->values[step->a].node], b = step->b;
    if (b >= v->plan->graph->n_edges || b < -v->plan->subgraph.n_extra) return -1;
    return jc_expected_find(&v->expected, b < 0 ? -1 - v->addition[-1 - b] : b, tail, head);
}

static const char *check_step(const verifier *v, int64_t c, const jc_step *step)
{
    const jc_expected *x = &v->expected;
    int64_t head = v->node[v->plan->values[c].node];
    if (step->a != JC_SEED_IDENTITY && (step->a < 0 || step->a >= v->plan->n_values))
        return "reads a value that is not there";
    int64_t edge = edge_of_step(v, step, head);
    if (edge < 0) return "uses a Jacobian that does not lead from what it reads to this value on the query's paths";
    if (step->transpose != x->forward) return "uses a Jacobian the wrong way round";
    if (step->n_rows <= 0 || step->a_row < 0 || step->c_row < 0) return "has no rows";
    if (step->a == JC_SEED_IDENTITY) return check_copy(v, step, edge, jc_expected_tail(x, edge), head);
    return check_product(v, c, step, edge, jc_expected_tail(x, edge), head);
}

static jc_status check_steps_of(const verifier *v, int64_t value)
{
    const jc_plan *p = v->plan;
    const jc_expected *x = &v->expected;
    int64_t head = v->node[p->values[value].node];
    memset(v->written, 0, (size_t)x->n_words * sizeof *v->written);
    for (int64_t i = p->values[value].first_step; i < p->values[value + 1].first_step; i++) {
        const char *what = check_step(v, value, &p->steps[i]);
        if (what) return broken(v, value, i, what);
    }
    for (int64_t w = 0; w < x->n_words; w++)
        if (v->written[w] != x->rows[head * x->n_words + w]) return broken(v, value, -1, "some rows are never written");
    return JC_OK;
}

/* Every edge to a needed value has carried all rows of its tail's value and, from a seeded end, the identity. */
static jc_status check_edges(const verifier *v)
{
    const jc_expected *x = &v->expected;
    for (int64_t e = 0; e < x->n_edges; e++) {
        if (jc_expected_left_out(x, e)) continue;
        int64_t tail = jc_expected_tail(x, e), head = jc_expected_head(x, e);
        if (v->value_of[head] < 0) continue;
        if (v->carried[e] != jc_expected_rows(x, tail) || v->copied[e] != (x->seeded_index[tail] >= 0))
            return jc_fail(JC_E_INTERNAL, "plan: edge %lld is not used for every row that it carries", (long long)e);
    }
    return JC_OK;
}

/* ---- outputs ---------------------------------------------------------------------------------------------------- */

/* The value and row where the total of target t and source s must be; false where there is no path. */
static bool find_output(const verifier *v, int64_t t, int64_t s, int64_t *value, int64_t *row)
{
    const jc_expected *x = &v->expected;
    int64_t above = jc_expected_outermost(x, x->target_node[t], true);
    int64_t below = jc_expected_outermost(x, x->source_node[s], false);
    if (above < 0 || below < 0) return false;
    int64_t holder = x->forward ? above : below, seeded = x->seeded_index[x->forward ? below : above];
    if (seeded < 0 || !jc_expected_has(x, holder, seeded)) return false;
    *value = v->value_of[holder];
    *row = jc_expected_row_of(x, holder, seeded);
    return true;
}

/* Rows and columns of a result as the user sees it; of a per-sample total: of one block. */
static void output_shape(const jc_plan *p, const jc_query *query, int64_t of, int64_t wrt, int64_t *rows, int64_t *cols)
{
    int64_t samples = query->per_sample > 1 ? query->per_sample : 1;
    *rows = query->seed == JC_SEED_ROWS ? query->seed_width : jc_graph_size(p->graph, of) / samples;
    *cols = query->seed == JC_SEED_COLUMNS ? query->seed_width : jc_graph_size(p->graph, wrt) / samples;
}

/* One result; *asked says whether it belongs to the query: a source that was not named does where a path joins it. */
static jc_status check_output(const verifier *v, const jc_query *query, int64_t index, int64_t t, int64_t s,
                              bool *asked)
{
    const jc_plan *p = v->plan;
    const jc_expected *x = &v->expected;
    const jc_output *out = &p->outputs[index];
    int64_t value = -1, row = -1, rows, cols, of = x->target[t], wrt = x->source[s];
    bool empty = of == wrt, there = (!empty || x->empty_path) && find_output(v, t, s, &value, &row);
    bool unit = empty && x->empty_path && !x->n_additions; /* the graph has no cycles */
    *asked = query->n_wrt > 0 || unit || there;
    if (!*asked) return JC_OK;
    if (index >= p->n_outputs) return jc_fail(JC_E_INTERNAL, "plan: an output is missing");
    output_shape(p, query, of, wrt, &rows, &cols);
    jc_output_kind kind = unit ? JC_OUTPUT_IDENTITY : there ? JC_OUTPUT_VALUE : JC_OUTPUT_ZERO;
    bool ok = out->of == of && out->wrt == wrt && out->kind == kind && out->rows == rows && out->cols == cols;
    if (kind == JC_OUTPUT_VALUE)
        ok = ok && out->value == value && out->value_row == row && out->transposed == v->expected.forward;
    if (!ok) return jc_fail(JC_E_INTERNAL, "plan: output %lld is not where its total is", (long long)index);
    if (kind == JC_OUTPUT_VALUE) v->last[value] = p->n_levels;
    return JC_OK;
}

static jc_status check_outputs(const verifier *v, const jc_query *query)
{
    const jc_expected *x = &v->expected;
    int64_t n = 0;
    for (int64_t t = 0; t < x->n_targets; t++)
        for (int64_t s = 0; s < x->n_sources; s++) {
            bool asked;
            jc_status status = check_output(v, query, n, t, s, &asked);
            if (status) return status;
            n += asked;
        }
    if (n != v->plan->n_outputs) return jc_fail(JC_E_INTERNAL, "plan: it has outputs that were not asked for");
    return JC_OK;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static jc_status verifier_init(verifier *v)
{
    const jc_plan *p = v->plan;
    const jc_expected *x = &v->expected;
    const jc_allocator *a = v->allocator;
    jc_status status;
    if ((status = jc_alloc(a, p->subgraph.n_nodes, sizeof *v->node, WHAT, &v->node))) return status;
    if ((status = jc_alloc(a, p->subgraph.n_extra, sizeof *v->addition, WHAT, &v->addition))) return status;
    if ((status = jc_alloc(a, x->n_nodes, sizeof *v->value_of, WHAT, &v->value_of))) return status;
    if ((status = jc_alloc_zero(a, p->n_values, sizeof *v->level, WHAT, &v->level))) return status;
    if ((status = jc_alloc_zero(a, p->n_values, sizeof *v->last, WHAT, &v->last))) return status;
    if ((status = jc_alloc_zero(a, x->n_edges, sizeof *v->carried, WHAT, &v->carried))) return status;
    if ((status = jc_alloc_zero(a, x->n_edges, 1, WHAT, &v->copied))) return status;
    return jc_alloc_zero(a, x->n_words, sizeof *v->written, WHAT, &v->written);
}

static void verifier_fini(verifier *v)
{
    const jc_plan *p = v->plan;
    const jc_expected *x = &v->expected;
    const jc_allocator *a = v->allocator;
    jc_free(a, v->written, x->n_words, sizeof *v->written);
    jc_free(a, v->copied, x->n_edges, 1);
    jc_free(a, v->carried, x->n_edges, sizeof *v->carried);
    jc_free(a, v->last, p->n_values, sizeof *v->last);
    jc_free(a, v->level, p->n_values, sizeof *v->level);
    jc_free(a, v->value_of, x->n_nodes, sizeof *v->value_of);
    jc_free(a, v->addition, p->subgraph.n_extra, sizeof *v->addition);
    jc_free(a, v->node, p->subgraph.n_nodes, sizeof *v->node);
}

static jc_status check_all(const verifier *v, const jc_query *query, const jc_layout *layout)
{
    jc_status status;
    if ((status = check_frame(v))) return status;
    if ((status = map_nodes(v))) return status;
    if ((status = check_extras(v))) return status;
    if ((status = check_values(v))) return status;
    for (int64_t i = 0; i < v->plan->n_values; i++)
        if ((status = check_steps_of(v, i))) return status;
    if ((status = check_edges(v))) return status;
    if ((status = check_outputs(v, query))) return status;
    return layout ? jc_verify_storage(v->plan, layout, v->last) : JC_OK;
}

jc_status jc_plan_verify(const jc_plan *plan, const jc_query *query, const jc_layout *layout)
{
    verifier v = {.plan = plan, .allocator = &plan->allocator};
    jc_status status = check_query(plan, query);
    if (status) return status;
    status = jc_expected_create(plan, query, &v.expected);
    if (status) return status;
    status = verifier_init(&v);
    if (!status) status = check_all(&v, query, layout);
    verifier_fini(&v);
    jc_expected_fini(&v.expected);
    return status;
}
