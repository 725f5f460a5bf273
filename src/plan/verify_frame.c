#include "plan/verify_frame.h"

#include <stdio.h>

#include "core/error.h"

static const char *const WHAT = "the verifier of plans";

jc_status jc_frame_broken(const jc_frame *f, int64_t value, int64_t step, const char *what)
{
    char name[128] = "no variable", state[40] = "";
    int64_t at = f->plan->values[value].node, node = at < 0 ? -1 : f->node[at];
    int64_t variable = node < 0 ? -1 : jc_expected_variable(f->expected, node);
    if (variable >= 0) jc_graph_variable_name(f->plan->graph, variable, name, sizeof name);
    if (variable >= 0 && f->expected->by_rules)
        snprintf(state, sizeof state, ", node %lld of the rules", (long long)node);
    if (step < 0) return jc_fail(JC_E_INTERNAL, "plan: value %lld (of %s%s): %s", (long long)value, name, state, what);
    return jc_fail(JC_E_INTERNAL, "plan: value %lld (of %s%s), step %lld: %s", (long long)value, name, state,
                   (long long)step, what);
}

/* ---- query and lists --------------------------------------------------------------------------------------------- */

/* An elimination for which no cheaper order than the better sweep was found is that sweep. */
static bool is_order_of(const jc_plan *p, const jc_query *q)
{
    if (q->order == JC_ORDER_AUTO || q->order == p->order) return true;
    return q->order == JC_ORDER_ELIMINATION && p->by_elimination && !p->eliminates;
}

jc_status jc_verify_query(const jc_plan *p, const jc_query *q)
{
    int64_t samples = q->per_sample > 1 ? q->per_sample : 1;
    if (!is_order_of(p, q) || p->eliminates != (p->order == JC_ORDER_ELIMINATION) || q->seed != p->seed ||
        samples != (p->per_sample > 1 ? p->per_sample : 1))
        return jc_fail(JC_E_INTERNAL, "plan: order, seed or samples are not those of the query");
    return JC_OK;
}

static jc_status check_lists(const jc_frame *f)
{
    const jc_plan *p = f->plan;
    if (p->n_values < 0 || p->n_steps < 0 || p->n_levels < 0 || p->levels[0] != 0 ||
        p->levels[p->n_levels] != p->n_values || p->values[0].first_step != 0 ||
        p->values[p->n_values].first_step != p->n_steps)
        return jc_fail(JC_E_INTERNAL, "plan: levels, values and steps do not begin at 0 and end at their number");
    for (int64_t l = 0; l < p->n_levels; l++) {
        if (p->levels[l + 1] <= p->levels[l] || p->levels[l + 1] > p->n_values)
            return jc_fail(JC_E_INTERNAL, "plan: level %lld does not follow the one before it", (long long)l);
        for (int64_t i = p->levels[l]; i < p->levels[l + 1]; i++) f->level[i] = f->last[i] = l;
    }
    for (int64_t i = 0; i < p->n_values; i++)
        if (p->values[i + 1].first_step <= p->values[i].first_step)
            return jc_fail(JC_E_INTERNAL, "plan: value %lld has no steps", (long long)i);
    return JC_OK;
}

/* ---- nodes: what each stands for --------------------------------------------------------------------------------- */

/* An extra Jacobian joins a node without a variable to a node that the query extends, or to two. */
static jc_status map_extra(const jc_frame *f, int64_t edge)
{
    const jc_subgraph *s = &f->plan->subgraph;
    const jc_expected *x = f->expected;
    int64_t extra = -1 - s->jacobian[edge], of = s->of[edge], wrt = s->wrt[edge];
    if (extra >= s->n_extra || of < 0 || of >= s->n_nodes || wrt < 0 || wrt >= s->n_nodes)
        return jc_fail(JC_E_INTERNAL, "plan: extra Jacobian %lld is not there", (long long)extra);
    bool at_target = s->variable[of] < 0;
    int64_t at = at_target ? wrt : of, beyond = at_target ? of : wrt;
    int64_t i = jc_expected_addition(x, f->node[at], at_target), node = x->n_own_nodes + i;
    bool first = f->addition[extra] < 0 && f->node[beyond] < 0;
    if (i < 0 || s->variable[beyond] >= 0 || (!first && (f->addition[extra] != i || f->node[beyond] != node)))
        return jc_fail(JC_E_INTERNAL, "plan: extra Jacobian %lld is not the query's", (long long)extra);
    f->addition[extra] = i;
    f->node[beyond] = node;
    return JC_OK;
}

/* Without rules a node is its variable; with rules the nodes of variables are the walk's, in its order. */
static jc_status map_node(const jc_frame *f, int64_t n, int64_t *next)
{
    const jc_expected *x = f->expected;
    int64_t variable = f->plan->subgraph.variable[n];
    f->node[n] = variable < 0 ? -1 : x->by_rules ? (*next)++ : variable;
    if (variable < 0 || (f->node[n] < x->n_own_nodes && jc_expected_variable(x, f->node[n]) == variable)) return JC_OK;
    return jc_fail(JC_E_INTERNAL, "plan: node %lld stands for no variable, or for another one", (long long)n);
}

/* The factors of an edge that was split are operands of an elimination, which looks at them itself. */
static bool is_operand(const jc_frame *f, int64_t b)
{
    return f->plan->eliminates && jc_subgraph_operand(&f->plan->subgraph, b) != NULL;
}

static jc_status map_nodes(const jc_frame *f)
{
    const jc_subgraph *s = &f->plan->subgraph;
    int64_t next = 0;
    jc_status status = JC_OK;
    for (int64_t i = 0; i < s->n_extra; i++) f->addition[i] = -1;
    for (int64_t n = 0; n < s->n_nodes && !status; n++) status = map_node(f, n, &next);
    for (int64_t e = 0; e < s->n_edges && !status; e++)
        if (s->jacobian[e] < 0 && !is_operand(f, s->jacobian[e])) status = map_extra(f, e);
    return status;
}

/* The seed is dense with numbers bound later; a sum over B samples is 1_B^T (x) I at a target, 1_B (x) I at a source.
 */
static jc_status check_extra(const jc_frame *f, int64_t extra)
{
    const jc_group *group = &f->plan->subgraph.extra[extra];
    const jc_shape *shape = &group->shape;
    const jc_addition *add = f->addition[extra] < 0 ? NULL : &f->expected->addition[f->addition[extra]];
    bool ok = add != NULL && shape->batch == 1 && shape->inner == 1;
    if (ok) {
        int64_t at = jc_expected_size(f->expected, add->at[0]), beyond = add->beyond_size;
        ok = shape->rows == (add->at_target ? beyond : at) && shape->cols == (add->at_target ? at : beyond);
    }
    if (ok && f->plan->seed != JC_SEED_NONE) ok = shape->kind == JC_DENSE && !shape->transpose;
    if (ok && f->plan->seed == JC_SEED_NONE)
        ok = shape->kind == JC_TILE && shape->transpose == add->at_target && group->scale == 1.0;
    return ok ? JC_OK : jc_fail(JC_E_INTERNAL, "plan: extra Jacobian %lld is not the query's", (long long)extra);
}

static jc_status check_extras(const jc_frame *f)
{
    if (f->plan->subgraph.n_extra != f->expected->n_additions)
        return jc_fail(JC_E_INTERNAL, "plan: %lld extra Jacobians, the query makes %lld",
                       (long long)f->plan->subgraph.n_extra, (long long)f->expected->n_additions);
    for (int64_t i = 0; i < f->plan->subgraph.n_extra; i++) {
        jc_status status = check_extra(f, i);
        if (status) return status;
    }
    return JC_OK;
}

jc_status jc_frame_init(jc_frame *f, const jc_plan *p, const jc_expected *expected)
{
    const jc_allocator *a = &p->allocator;
    jc_status status;
    *f = (jc_frame){.plan = p, .expected = expected};
    if ((status = jc_alloc(a, p->subgraph.n_nodes, sizeof *f->node, WHAT, &f->node))) return status;
    if ((status = jc_alloc(a, p->subgraph.n_extra, sizeof *f->addition, WHAT, &f->addition))) return status;
    if ((status = jc_alloc_zero(a, p->n_values, sizeof *f->level, WHAT, &f->level))) return status;
    if ((status = jc_alloc_zero(a, p->n_values, sizeof *f->last, WHAT, &f->last))) return status;
    if ((status = check_lists(f))) return status;
    if ((status = map_nodes(f))) return status;
    return check_extras(f);
}

void jc_frame_fini(jc_frame *f)
{
    const jc_plan *p = f->plan;
    const jc_allocator *a = &p->allocator;
    jc_free(a, f->last, p->n_values, sizeof *f->last);
    jc_free(a, f->level, p->n_values, sizeof *f->level);
    jc_free(a, f->addition, p->subgraph.n_extra, sizeof *f->addition);
    jc_free(a, f->node, p->subgraph.n_nodes, sizeof *f->node);
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* Whether a path joins the two. */
static bool are_joined(const jc_expected *x, int64_t above, int64_t below)
{
    if (above < 0 || below < 0) return false;
    int64_t holder = x->forward ? above : below, seeded = x->seeded_index[x->forward ? below : above];
    return seeded >= 0 && jc_expected_has(x, holder, seeded);
}

/* Rows and columns are those that the user sees; of a per-sample total: of one block. The graph has no cycles: of = wrt
 * has the path without edges alone. */
jc_wanted jc_frame_wanted(const jc_frame *f, const jc_query *query, int64_t t, int64_t s)
{
    const jc_expected *x = f->expected;
    const jc_graph *g = f->plan->graph;
    int64_t samples = query->per_sample > 1 ? query->per_sample : 1;
    jc_wanted w = {.of = x->target[t], .wrt = x->source[s]};
    w.above = jc_expected_outermost(x, x->target_node[t], true);
    w.below = jc_expected_outermost(x, x->source_node[s], false);
    w.rows = query->seed == JC_SEED_ROWS ? query->seed_width : jc_graph_size(g, w.of) / samples;
    w.cols = query->seed == JC_SEED_COLUMNS ? query->seed_width : jc_graph_size(g, w.wrt) / samples;
    bool empty = w.of == w.wrt, unit = empty && x->empty_path && !x->n_additions;
    bool there = (!empty || x->empty_path) && are_joined(x, w.above, w.below);
    w.kind = unit ? JC_OUTPUT_IDENTITY : there ? JC_OUTPUT_VALUE : JC_OUTPUT_ZERO;
    w.asked = query->n_wrt > 0 || unit || there;
    return w;
}

bool jc_wanted_is(const jc_wanted *w, const jc_output *out)
{
    return out->of == w->of && out->wrt == w->wrt && out->kind == w->kind && out->rows == w->rows &&
           out->cols == w->cols;
}
