#include "plan/verify_elimination.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/size.h"
#include "plan/verify_operands.h"
#include "plan/verify_storage.h"
#include "plan/verify_values.h"

static const char *const WHAT = "the verifier of plans";

/* Numbers of the value in hand that have had the same steps. */
typedef struct piece {
    bool written;
    jc_stand_in sum; /* for D, whatever the value's form */
} piece;

typedef struct verifier {
    const jc_plan *plan;
    const jc_allocator *allocator;
    jc_expected expected;
    jc_frame frame;
    jc_stand_in *of_value;   /* [n_values] what stands for D[of,wrt] */
    unsigned char *windowed; /* [n_values] 1: its rows are a window's */
    int64_t *cut;            /* [2 max_steps + 2] of the value in hand: where its pieces begin, and its end */
    piece *pieces;           /* [2 max_steps + 1] */
    int64_t n_pieces, max_steps;
    jc_stand_in *path; /* [expected.n_nodes] of the target in hand: the sum over the paths down to the node */
} verifier;

/* ---- values ------------------------------------------------------------------------------------------------------ */

static int64_t of_node(const jc_value *value)
{
    return value->form == JC_FORM_COLUMNS ? value->node : value->other;
}

static int64_t wrt_node(const jc_value *value)
{
    return value->form == JC_FORM_COLUMNS ? value->other : value->node;
}

static int64_t count_of(const jc_value *value)
{
    return jc_cost_mul(value->rows, value->cols);
}

static jc_status check_value(const verifier *v, int64_t i)
{
    const jc_value *value = &v->plan->values[i];
    const jc_subgraph *s = &v->plan->subgraph;
    bool helps = value->form == JC_FORM_NUMBERS && value->node == -1 && value->other == -1;
    bool ok = value->node >= 0 && value->node < s->n_nodes && value->other >= 0 && value->other < s->n_nodes;
    if (!ok && !helps) return jc_fail(JC_E_INTERNAL, "plan: value %lld is of no nodes", (long long)i);
    if (value->form != JC_FORM_ROWS && value->form != JC_FORM_COLUMNS && value->form != JC_FORM_NUMBERS)
        return jc_frame_broken(&v->frame, i, -1, "is not of a form of eliminations");
    if (value->rows < 0 || value->cols < 0 || (value->form == JC_FORM_NUMBERS && value->rows != 1))
        return jc_frame_broken(&v->frame, i, -1, "wrong number of rows");
    if (value->form != JC_FORM_NUMBERS && value->cols != s->size[value->node])
        return jc_frame_broken(&v->frame, i, -1, "wrong number of columns");
    return JC_OK;
}

/* ---- windows ----------------------------------------------------------------------------------------------------- */

/* The value is of rows of the only target, cut to the limit. */
static const char *check_window(const verifier *v, int64_t c)
{
    const jc_plan *p = v->plan;
    const jc_expected *x = &v->expected;
    const jc_value *value = &p->values[c];
    if (value->form != JC_FORM_ROWS || value->other < 0) return "takes a window of what is no target";
    int64_t node = v->frame.node[value->other];
    if (node < 0 || x->seeded_index[node] < 0) return "takes a window of what is no target";
    return value->rows == x->seeded_rows[x->seeded_index[node]] ? NULL : "wrong number of rows for a window";
}

/* In windows the rows of the target's meet only such rows. */
static const char *check_whole(const verifier *v, int64_t c, const jc_step *step)
{
    int64_t b = jc_plan_value_of_b(v->plan, step->b);
    bool a_is = step->a >= 0 && v->windowed[step->a], b_is = b >= 0 && v->windowed[b];
    if (!v->plan->row_limit) return NULL;
    if (step->whole == (v->windowed[c] == 1)) return "takes a window for the whole, or the other way round";
    if (step->whole) return a_is || b_is ? "reads a window as if it were whole" : NULL;
    if (b_is || (step->a >= 0 && !a_is)) return "reads what is no window as one";
    if (step->a_row != 0 || step->c_row != 0 || step->n_rows != v->plan->values[c].rows)
        return "takes a part of a window";
    return NULL;
}

/* ---- the shape of a step ----------------------------------------------------------------------------------------- */

/* Rows of `length` numbers each, from `row` on, in a value: its own rows, or all its numbers in rows of another length.
 */
static bool lies_in(const jc_value *value, int64_t row, int64_t n_rows, int64_t length)
{
    if (length == value->cols) return row <= value->rows && n_rows <= value->rows - row;
    return row == 0 && jc_cost_mul(n_rows, length) == count_of(value);
}

static const char *check_shape(const verifier *v, int64_t c, const jc_step *step)
{
    const jc_value *to = &v->plan->values[c], *from = step->a < 0 ? NULL : &v->plan->values[step->a];
    int64_t member;
    const jc_shape *shape = &jc_plan_jacobian(v->plan, step->b, &member)->shape;
    int64_t in = step->transpose ? shape->cols : shape->rows, out = step->transpose ? shape->rows : shape->cols;
    if (!lies_in(to, step->c_row, step->n_rows, out)) return "writes numbers that its value does not have";
    if (from && !lies_in(from, step->a_row, step->n_rows, in)) return "takes rows that its operand does not have";
    if (!from && (step->a_row > in || step->n_rows > in - step->a_row)) return "copies rows that are not there";
    bool by_rows = to->form != JC_FORM_NUMBERS && out == to->cols && (!from || in == from->cols);
    return by_rows && step->a_row != step->c_row ? "takes some rows for others" : NULL;
}

static const char *check_reads(const verifier *v, int64_t c, int64_t read)
{
    if (v->frame.level[read] == v->frame.level[c]) return "races: reads a value of its own level";
    if (v->frame.level[read] > v->frame.level[c]) return "reads a value before it is complete";
    v->frame.last[read] = jc_max(v->frame.last[read], v->frame.level[c]);
    return NULL;
}

static const char *check_step(const verifier *v, int64_t c, const jc_step *step)
{
    const jc_subgraph *s = &v->plan->subgraph;
    if (step->a != JC_SEED_IDENTITY && (step->a < 0 || step->a >= v->plan->n_values))
        return "reads a value that is not there";
    if (step->b >= v->plan->graph->n_edges || step->b < -s->n_extra - s->operands.count)
        return "uses a Jacobian that is not there";
    if (step->n_rows <= 0 || step->a_row < 0 || step->c_row < 0) return "has no rows";
    if (step->fold || step->skip) return "takes a fold";
    int64_t b = jc_plan_value_of_b(v->plan, step->b);
    const char *what = step->a < 0 ? NULL : check_reads(v, c, step->a);
    if (!what && b >= 0) what = check_reads(v, c, b);
    if (!what) what = check_shape(v, c, step);
    return what ? what : check_whole(v, c, step);
}

/* ---- products and sums ------------------------------------------------------------------------------------------- */

static jc_stand_in turned(const jc_stand_in *a, bool transpose)
{
    return transpose ? jc_stand_in_transposed(a) : *a;
}

/* a op(B) as it adds to D. Where columns are formed, and where a row of numbers is multiplied by a transposed Jacobian,
 *
 *     D^T += A^T op(B)     else     D += A op(B)
 *
 * Of numbers in some arrangement, A and B are what they are numbers of. */
static jc_stand_in product_of(const verifier *v, int64_t c, const jc_step *step)
{
    const jc_value *values = v->plan->values, *to = &values[c];
    bool row = to->form == JC_FORM_NUMBERS, columns = to->form == JC_FORM_COLUMNS || (row && step->transpose);
    jc_stand_in b;
    jc_operand_role role = jc_verify_operand(&v->frame, step->b, row && step->a < 0, v->of_value, &b);
    if (role == JC_ROLE_MOVE) return step->a < 0 ? b : v->of_value[step->a];
    b = turned(&b, role == JC_ROLE_NUMBERS ? columns : step->transpose);
    if (step->a >= 0) {
        bool lies = !row && values[step->a].form != JC_FORM_NUMBERS;
        jc_stand_in a = turned(&v->of_value[step->a], lies ? values[step->a].form == JC_FORM_COLUMNS : columns);
        b = jc_stand_in_product(&a, &b);
    }
    return turned(&b, columns);
}

static void range_of(const verifier *v, int64_t c, const jc_step *step, int64_t *begin, int64_t *end)
{
    int64_t member;
    const jc_shape *shape = &jc_plan_jacobian(v->plan, step->b, &member)->shape;
    *begin = step->c_row * v->plan->values[c].cols;
    *end = jc_max(1, *begin + step->n_rows * (step->transpose ? shape->rows : shape->cols));
}

static int compare_places(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Cuts the value where its steps begin and end; one without numbers is one piece. */
static void cut_value(verifier *v, int64_t c)
{
    int64_t n, kept = 0, begin, end, count = 0;
    const jc_step *steps = jc_plan_steps_of(v->plan, c, &n);
    v->cut[count++] = 0, v->cut[count++] = jc_max(1, count_of(&v->plan->values[c]));
    for (int64_t i = 0; i < n; i++) {
        range_of(v, c, &steps[i], &begin, &end);
        if (begin != v->cut[0]) v->cut[count++] = begin;
        if (end != v->cut[1]) v->cut[count++] = end;
    }
    qsort(v->cut, (size_t)count, sizeof *v->cut, compare_places);
    for (int64_t i = 0; i < count; i++)
        if (!kept || v->cut[i] != v->cut[kept - 1]) v->cut[kept++] = v->cut[i];
    v->n_pieces = kept - 1;
    memset(v->pieces, 0, (size_t)v->n_pieces * sizeof *v->pieces);
}

/* The piece that begins at a place. */
static int64_t piece_at(const verifier *v, int64_t place)
{
    int64_t low = 0, high = v->n_pieces;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (v->cut[middle] < place)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static const char *add_step(verifier *v, int64_t c, const jc_step *step)
{
    int64_t begin, end;
    jc_stand_in product = product_of(v, c, step);
    range_of(v, c, step, &begin, &end);
    for (int64_t i = piece_at(v, begin); i < v->n_pieces && v->cut[i] < end; i++) {
        piece *p = &v->pieces[i];
        if (p->written == step->first) return "writes where it should add, or adds to what is not written";
        p->written = true;
        jc_stand_in_add(&p->sum, &product);
    }
    return NULL;
}

/* The steps of a value, and what it stands for by them. */
static jc_status check_steps_of(verifier *v, int64_t c)
{
    int64_t n, at = v->plan->values[c].first_step;
    const jc_step *steps = jc_plan_steps_of(v->plan, c, &n);
    const char *what = NULL;
    v->windowed[c] = v->plan->row_limit && !steps[0].whole;
    if (v->windowed[c] && (what = check_window(v, c))) return jc_frame_broken(&v->frame, c, -1, what);
    for (int64_t i = 0; i < n; i++)
        if ((what = check_step(v, c, &steps[i]))) return jc_frame_broken(&v->frame, c, at + i, what);
    cut_value(v, c);
    for (int64_t i = 0; i < n; i++)
        if ((what = add_step(v, c, &steps[i]))) return jc_frame_broken(&v->frame, c, at + i, what);
    for (int64_t i = 0; i < v->n_pieces; i++) {
        if (!v->pieces[i].written) return jc_frame_broken(&v->frame, c, -1, "some numbers are never written");
        if (!jc_stand_in_equal(&v->pieces[i].sum, &v->pieces[0].sum))
            return jc_frame_broken(&v->frame, c, -1, "its parts are not of one Jacobian");
    }
    v->of_value[c] = v->pieces[0].sum;
    return JC_OK;
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

static jc_stand_in edge_of(const verifier *v, int64_t edge)
{
    const jc_expected *x = &v->expected;
    if (edge >= x->n_own_edges) return jc_verify_addition(x->graph, (edge - x->n_own_edges) / 2);
    return jc_verify_edge(x->graph, x->by_rules ? x->walk.edge[edge] : edge);
}

/* D[t,u] = sum over the edges w <- u of D[t,w] D[w,u], from the target's D[t,t] = 1 on. */
static void sum_over_paths(const verifier *v, int64_t from)
{
    const jc_expected *x = &v->expected;
    jc_stand_in none;
    memset(v->path, 0, (size_t)x->n_nodes * sizeof *v->path);
    memset(&none, 0, sizeof none);
    v->path[from] = jc_stand_in_unit();
    for (int64_t i = 0; i < x->n_edges; i++) {
        int64_t edge = x->order[i];
        if (jc_expected_left_out(x, edge)) continue;
        const jc_stand_in *tail = &v->path[jc_expected_tail(x, edge)];
        if (jc_stand_in_equal(tail, &none)) continue;
        jc_stand_in d = edge_of(v, edge), product = jc_stand_in_product(tail, &d);
        jc_stand_in_add(&v->path[jc_expected_head(x, edge)], &product);
    }
}

/* The value has the output's numbers where they are looked for, between the right nodes. */
static bool holds_output(const verifier *v, const jc_wanted *wanted, const jc_output *out)
{
    const jc_plan *p = v->plan;
    if (out->value < 0 || out->value >= p->n_values || out->value_row != 0) return false;
    const jc_value *value = &p->values[out->value];
    int64_t rows = out->transposed ? out->cols : out->rows, cols = out->transposed ? out->rows : out->cols;
    if (p->row_limit) rows = jc_min(rows, p->row_limit);
    if (value->form != (out->transposed ? JC_FORM_COLUMNS : JC_FORM_ROWS) || (p->row_limit && !v->windowed[out->value]))
        return false;
    return value->rows == rows && value->cols == jc_cost_mul(cols, jc_max(1, p->per_sample)) &&
           v->frame.node[of_node(value)] == wanted->above && v->frame.node[wrt_node(value)] == wanted->below;
}

static jc_status check_output(const verifier *v, int64_t index, const jc_wanted *wanted)
{
    const jc_plan *p = v->plan;
    const jc_output *out = &p->outputs[index];
    if (index >= p->n_outputs) return jc_fail(JC_E_INTERNAL, "plan: an output is missing");
    if (!jc_wanted_is(wanted, out) || (wanted->kind == JC_OUTPUT_VALUE && !holds_output(v, wanted, out)))
        return jc_fail(JC_E_INTERNAL, "plan: output %lld is not where its total is", (long long)index);
    if (wanted->kind != JC_OUTPUT_VALUE) return JC_OK;
    if (!jc_stand_in_equal(&v->of_value[out->value], &v->path[wanted->below]))
        return jc_frame_broken(&v->frame, out->value, -1, "is not the sum over the paths that are asked for");
    v->frame.last[out->value] = p->n_levels;
    return JC_OK;
}

static jc_status check_outputs(const verifier *v, const jc_query *query)
{
    const jc_expected *x = &v->expected;
    int64_t n = 0;
    for (int64_t t = 0; t < x->n_targets; t++) {
        int64_t above = jc_expected_outermost(x, x->target_node[t], true);
        if (above >= 0) sum_over_paths(v, above);
        for (int64_t s = 0; s < x->n_sources; s++) {
            jc_wanted wanted = jc_frame_wanted(&v->frame, query, t, s);
            jc_status status = wanted.asked ? check_output(v, n, &wanted) : JC_OK;
            if (status) return status;
            n += wanted.asked;
        }
    }
    return n == v->plan->n_outputs ? JC_OK : jc_fail(JC_E_INTERNAL, "plan: it has outputs that were not asked for");
}

/* ---- the order --------------------------------------------------------------------------------------------------- */

/* Nodes that are eliminated, each once. */
static jc_status check_eliminated(const verifier *v)
{
    const jc_plan *p = v->plan;
    uint64_t *seen = NULL;
    int64_t words = p->subgraph.n_nodes / 64 + 1;
    jc_status status = jc_alloc_zero(v->allocator, words, sizeof *seen, WHAT, &seen);
    for (int64_t i = 0; i < p->n_eliminated && !status; i++) {
        int64_t node = p->eliminated[i];
        if (node < 0 || node >= p->subgraph.n_nodes || (seen[node / 64] >> (node % 64) & 1))
            status = jc_fail(JC_E_INTERNAL, "plan: node %lld is eliminated twice, or is not there", (long long)node);
        else
            seen[node / 64] |= UINT64_C(1) << (node % 64);
    }
    jc_free(v->allocator, seen, words, sizeof *seen);
    return status;
}

/* ---- all --------------------------------------------------------------------------------------------------------- */

static jc_status verifier_init(verifier *v)
{
    const jc_plan *p = v->plan;
    const jc_allocator *a = v->allocator;
    jc_status status = jc_frame_init(&v->frame, p, &v->expected);
    for (int64_t i = 0; i < p->n_values && !status; i++)
        v->max_steps = jc_max(v->max_steps, p->values[i + 1].first_step - p->values[i].first_step);
    if (!status) status = jc_alloc_zero(a, p->n_values, sizeof *v->of_value, WHAT, &v->of_value);
    if (!status) status = jc_alloc_zero(a, p->n_values, 1, WHAT, &v->windowed);
    if (!status) status = jc_alloc(a, 2 * v->max_steps + 2, sizeof *v->cut, WHAT, &v->cut);
    if (!status) status = jc_alloc(a, 2 * v->max_steps + 1, sizeof *v->pieces, WHAT, &v->pieces);
    if (!status) status = jc_alloc(a, v->expected.n_nodes, sizeof *v->path, WHAT, &v->path);
    return status;
}

static void verifier_fini(verifier *v)
{
    const jc_plan *p = v->plan;
    const jc_allocator *a = v->allocator;
    jc_free(a, v->path, v->expected.n_nodes, sizeof *v->path);
    jc_free(a, v->pieces, 2 * v->max_steps + 1, sizeof *v->pieces);
    jc_free(a, v->cut, 2 * v->max_steps + 2, sizeof *v->cut);
    jc_free(a, v->windowed, p->n_values, 1);
    jc_free(a, v->of_value, p->n_values, sizeof *v->of_value);
    jc_frame_fini(&v->frame);
}

static jc_status check_all(verifier *v, const jc_query *query, const jc_layout *layout)
{
    jc_status status = jc_verify_operands(v->plan);
    if (!status) status = check_eliminated(v);
    for (int64_t i = 0; i < v->plan->n_values && !status; i++) status = check_value(v, i);
    for (int64_t i = 0; i < v->plan->n_values && !status; i++) status = check_steps_of(v, i);
    if (!status) status = check_outputs(v, query);
    if (!status) status = jc_verify_values(&v->frame, query);
    return status || !layout ? status : jc_verify_storage(v->plan, layout, v->frame.last);
}

jc_status jc_verify_elimination(const jc_plan *plan, const jc_query *query, const jc_layout *layout)
{
    verifier v = {.plan = plan, .allocator = &plan->allocator};
    jc_status status = jc_expected_create(plan, query, &v.expected);
    if (status) return status;
    status = verifier_init(&v);
    if (!status) status = check_all(&v, query, layout);
    verifier_fini(&v);
    jc_expected_fini(&v.expected);
    return status;
}
