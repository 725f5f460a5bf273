#include "plan/verify.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "plan/verify_elimination.h"
#include "plan/verify_folds.h"
#include "plan/verify_frame.h"
#include "plan/verify_storage.h"

static const char *const WHAT = "the verifier of plans";

typedef struct verifier {
    const jc_plan *plan;
    const jc_allocator *allocator;
    jc_expected expected;
    jc_frame frame;
    int64_t *value_of;     /* [expected.n_nodes], or -1 */
    int64_t *carried;      /* [expected.n_edges] rows of the tail's value that steps have carried along the edge */
    unsigned char *copied; /* [expected.n_edges] 1: the edge has carried the identity of its tail */
    uint64_t *written;     /* [n_words] bit s: the value in hand has the rows of seeded end s */
} verifier;

static jc_status broken(const verifier *v, int64_t value, int64_t step, const char *what)
{
    return jc_frame_broken(&v->frame, value, step, what);
}

/* ---- values ----------------------------------------------------------------------------------------------------- */

static jc_status check_value(const verifier *v, int64_t i)
{
    const jc_value *value = &v->plan->values[i];
    const jc_subgraph *s = &v->plan->subgraph;
    if (value->node < 0 || value->node >= s->n_nodes || v->frame.node[value->node] < 0)
        return jc_fail(JC_E_INTERNAL, "plan: value %lld is of no node", (long long)i);
    int64_t node = v->frame.node[value->node], rows = jc_expected_rows(&v->expected, node);
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

/* The folds, in the order of their sources: each h x w. */
static jc_status check_folds(const verifier *v)
{
    const jc_expected *x = &v->expected;
    const jc_folds *folds = &v->plan->folds;
    bool ok = folds->n == x->n_seeded - x->n_ends;
    for (int64_t f = 0; f < folds->n && ok; f++) {
        int64_t s = x->n_ends + f, source = folds->fold[f].source;
        ok = source >= 0 && source < x->n_sources && x->source_node[source] == x->seeded[x->seeded[s]] &&
             folds->fold[f].h == x->fold_h[s] && folds->fold[f].w == x->seeded_rows[s];
    }
    return ok ? JC_OK : jc_fail(JC_E_INTERNAL, "plan: its folds are not those of its sources");
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
            if (!in_c) return "carries a fold to where it has to be left";
            if (c_row != step->c_row + offset) return "takes the rows of one seeded end for those of another";
            if (!note_written(v, s, step->first)) return "writes where it should add, or adds to what is not written";
            taken += x->seeded_rows[s];
        }
        a_row += in_a ? x->seeded_rows[s] : 0;
        c_row += in_c ? x->seeded_rows[s] : 0;
    }
    return taken == step->n_rows ? NULL : "takes rows that its operand does not have";
}

/* A fold as steps name it; 0: an end. */
static int64_t fold_number(const jc_expected *x, int64_t seeded)
{
    return seeded < x->n_ends ? 0 : seeded - x->n_ends + 1;
}

/* c[c_row ..] takes all rows of an end, from the w rows of its fold, which the head does not have. */
static const char *check_left(const verifier *v, const jc_step *step, int64_t tail, int64_t head)
{
    const jc_expected *x = &v->expected;
    int64_t fold = x->n_ends + step->fold - 1;
    if (step->fold < 0 || fold >= x->n_seeded || !jc_expected_has(x, tail, fold))
        return "leaves a fold that is not there";
    int64_t end = x->seeded[fold];
    if (jc_expected_has(x, head, fold) || !jc_expected_has(x, head, end)) return "leaves a fold that goes on";
    if (step->a_row != jc_expected_row_of(x, tail, fold)) return "takes the rows of one fold for those of another";
    if (step->c_row != jc_expected_row_of(x, head, end) || step->n_rows != x->seeded_rows[end])
        return "leaves a fold to other rows than its source's";
    if (!note_written(v, end, step->first)) return "writes where it should add, or adds to what is not written";
    return NULL;
}

/* Copies all rows of op(D), once, where the tail is a seeded end. */
static const char *check_copy(const verifier *v, const jc_step *step, int64_t edge, int64_t tail, int64_t head)
{
    const jc_expected *x = &v->expected;
    int64_t s = x->seeded_index[tail], fold = jc_expected_begun(x, edge);
    if (fold >= 0 && jc_expected_has(x, head, fold)) s = fold;
    if (step->fold != fold_number(x, s)) return "copies a fold for a source, or the other way round";
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
    if (v->frame.level[step->a] == v->frame.level[c]) return "races: reads a value of its own level";
    if (v->frame.level[step->a] > v->frame.level[c]) return "reads a value before it is complete";
    if (step->a_row < v->carried[edge]) return "uses an edge a second time for the same rows";
    if (step->a_row > v->carried[edge]) return "leaves out rows, or takes them out of order";
    const char *what = step->fold ? check_left(v, step, tail, head) : check_rows(v, step, tail, head);
    if (what) return what;
    v->carried[edge] += step->fold ? v->expected.seeded_rows[v->expected.n_ends + step->fold - 1] : step->n_rows;
    v->frame.last[step->a] = jc_max(v->frame.last[step->a], v->frame.level[c]);
    return NULL;
}

/* The edge of expected that a step to `head` uses: by its Jacobian, and the node whose value it reads; -1: none. */
static int64_t edge_of_step(const verifier *v, const jc_step *step, int64_t head)
{
    int64_t tail = step->a == JC_SEED_IDENTITY ? -1 : v->frame.node[v->plan->values[step->a].node], b = step->b;
    if (b >= v->plan->graph->n_edges || b < -v->plan->subgraph.n_extra) return -1;
    return jc_expected_find(&v->expected, b < 0 ? -1 - v->frame.addition[-1 - b] : b, tail, head);
}

static const char *check_step(const verifier *v, int64_t c, const jc_step *step)
{
    const jc_expected *x = &v->expected;
    int64_t head = v->frame.node[v->plan->values[c].node];
    if (step->a != JC_SEED_IDENTITY && (step->a < 0 || step->a >= v->plan->n_values))
        return "reads a value that is not there";
    int64_t edge = edge_of_step(v, step, head);
    if (edge < 0) return "uses a Jacobian that does not lead from what it reads to this value on the query's paths";
    if (step->transpose != x->forward) return "uses a Jacobian the wrong way round";
    if (step->n_rows <= 0 || step->a_row < 0 || step->c_row < 0 || step->skip != 0) return "has no rows";
    if (step->a == JC_SEED_IDENTITY) return check_copy(v, step, edge, jc_expected_tail(x, edge), head);
    return check_product(v, c, step, edge, jc_expected_tail(x, edge), head);
}

static jc_status check_steps_of(const verifier *v, int64_t value)
{
    const jc_plan *p = v->plan;
    const jc_expected *x = &v->expected;
    int64_t head = v->frame.node[p->values[value].node];
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

static jc_status check_output(const verifier *v, int64_t index, const jc_wanted *wanted)
{
    const jc_plan *p = v->plan;
    const jc_expected *x = &v->expected;
    const jc_output *out = &p->outputs[index];
    if (index >= p->n_outputs) return jc_fail(JC_E_INTERNAL, "plan: an output is missing");
    bool ok = jc_wanted_is(wanted, out);
    if (ok && wanted->kind == JC_OUTPUT_VALUE) {
        int64_t holder = x->forward ? wanted->above : wanted->below, value = v->value_of[holder];
        int64_t seeded = x->seeded_index[x->forward ? wanted->below : wanted->above];
        ok = out->value == value && out->value_row == jc_expected_row_of(x, holder, seeded) &&
             out->transposed == x->forward;
        if (ok) v->frame.last[value] = p->n_levels;
    }
    return ok ? JC_OK : jc_fail(JC_E_INTERNAL, "plan: output %lld is not where its total is", (long long)index);
}

static jc_status check_outputs(const verifier *v, const jc_query *query)
{
    const jc_expected *x = &v->expected;
    int64_t n = 0;
    for (int64_t t = 0; t < x->n_targets; t++)
        for (int64_t s = 0; s < x->n_sources; s++) {
            jc_wanted wanted = jc_frame_wanted(&v->frame, query, t, s);
            jc_status status = wanted.asked ? check_output(v, n, &wanted) : JC_OK;
            if (status) return status;
            n += wanted.asked;
        }
    if (n != v->plan->n_outputs) return jc_fail(JC_E_INTERNAL, "plan: it has outputs that were not asked for");
    return JC_OK;
}

/* ---- all -------------------------------------------------------------------------------------------------------- */

static jc_status verifier_init(verifier *v)
{
    const jc_expected *x = &v->expected;
    const jc_allocator *a = v->allocator;
    jc_status status = jc_frame_init(&v->frame, v->plan, x);
    if (status) return status;
    if ((status = jc_alloc(a, x->n_nodes, sizeof *v->value_of, WHAT, &v->value_of))) return status;
    if ((status = jc_alloc_zero(a, x->n_edges, sizeof *v->carried, WHAT, &v->carried))) return status;
    if ((status = jc_alloc_zero(a, x->n_edges, 1, WHAT, &v->copied))) return status;
    return jc_alloc_zero(a, x->n_words, sizeof *v->written, WHAT, &v->written);
}

static void verifier_fini(verifier *v)
{
    const jc_expected *x = &v->expected;
    const jc_allocator *a = v->allocator;
    jc_free(a, v->written, x->n_words, sizeof *v->written);
    jc_free(a, v->copied, x->n_edges, 1);
    jc_free(a, v->carried, x->n_edges, sizeof *v->carried);
    jc_free(a, v->value_of, x->n_nodes, sizeof *v->value_of);
    jc_frame_fini(&v->frame);
}

static jc_status check_all(const verifier *v, const jc_query *query, const jc_layout *layout)
{
    jc_status status;
    if ((status = check_folds(v))) return status;
    if ((status = check_values(v))) return status;
    for (int64_t i = 0; i < v->plan->n_values; i++)
        if ((status = check_steps_of(v, i))) return status;
    if ((status = check_edges(v))) return status;
    if ((status = check_outputs(v, query))) return status;
    return layout ? jc_verify_storage(v->plan, layout, v->frame.last) : JC_OK;
}

jc_status jc_plan_verify(const jc_plan *plan, const jc_query *query, const jc_layout *layout)
{
    verifier v = {.plan = plan, .allocator = &plan->allocator};
    jc_status status = jc_verify_query(plan, query);
    if (status) return status;
    if (plan->eliminates) return jc_verify_elimination(plan, query, layout);
    status = jc_expected_create(plan, query, &v.expected);
    if (status) return status;
    status = verifier_init(&v);
    if (!status) status = check_all(&v, query, layout);
    verifier_fini(&v);
    jc_expected_fini(&v.expected);
    return status;
}
