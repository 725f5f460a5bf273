#include "plan/assembly/assembly.h"

#include <string.h>

#include "core/error.h"
#include "core/size.h"

static const char *const WHAT = "a plan by elimination";

/* ---- what is accumulated ----------------------------------------------------------------------------------------- */

static jc_structure dense(int64_t rows, int64_t cols)
{
    return (jc_structure){.kind = JC_STRUCTURE_DENSE,
                          .rows = rows,
                          .cols = cols,
                          .batch = 1,
                          .inner = 1,
                          .entries = jc_cost_mul(rows, cols)};
}

static jc_accumulated accumulated_of(const jc_assembly *as, int64_t value)
{
    const jc_elimination *e = as->elimination;
    const jc_elimination_value *from = (const jc_elimination_value *)e->values.data + value;
    const int64_t *size = as->plan->subgraph.size;
    jc_accumulated v = {.id = -1,
                        .of = from->of,
                        .wrt = from->wrt,
                        .windowed = from->of == as->window_node,
                        .main = JC_NO_DRAFT,
                        .b = JC_NO_OPERAND,
                        .rows = JC_NO_DRAFT,
                        .cols = JC_NO_DRAFT};
    v.structure = dense(size[from->of], size[from->wrt]);
    if (from->structure < 0 || v.windowed || !jc_structures_at(e->structures, from->structure)->entries) return v;
    v.id = from->structure;
    v.structure = *jc_structures_at(e->structures, from->structure);
    return v;
}

/* Operations that have rows (columns) speak for the form of their result and of the matrix that they read. */
static void vote(const jc_assembly *as)
{
    const jc_elimination_op *ops = as->elimination->ops.data;
    for (int64_t i = 0; i < as->elimination->n_ops; i++) {
        jc_accumulated *c = jc_accumulated_at(as, ops[i].result);
        if (ops[i].kind == JC_ELIMINATION_ADJOINT) {
            c->votes += c->structure.entries;
            jc_accumulated_at(as, ops[i].left)->votes += jc_accumulated_at(as, ops[i].left)->structure.entries;
        } else if (ops[i].kind == JC_ELIMINATION_TANGENT) {
            c->votes -= c->structure.entries;
            jc_accumulated_at(as, ops[i].right)->votes -= jc_accumulated_at(as, ops[i].right)->structure.entries;
        }
    }
}

/* ---- results ----------------------------------------------------------------------------------------------------- */

/* The accumulated Jacobian between two nodes, by target, then source. */
static jc_status find_results(const jc_assembly *as, int64_t **result)
{
    const jc_subgraph *g = &as->plan->subgraph;
    const jc_elimination_value *values = as->elimination->values.data;
    int64_t n = jc_cost_mul(g->n_targets, g->n_sources), *target = NULL, *source;
    jc_status status = jc_alloc(as->allocator, n, sizeof **result, WHAT, result);
    if (status) return status;
    if (!(status = jc_alloc(as->allocator, 2 * g->n_nodes, sizeof *target, WHAT, &target))) {
        source = target + g->n_nodes;
        memset(*result, -1, (size_t)n * sizeof **result);
        memset(target, -1, (size_t)(2 * g->n_nodes) * sizeof *target);
        for (int64_t t = 0; t < g->n_targets; t++)
            if (g->target[t] >= 0) target[g->target[t]] = t;
        for (int64_t s = 0; s < g->n_sources; s++)
            if (g->source[s] >= 0) source[g->source[s]] = s;
        for (int64_t v = 0; v < as->elimination->n_values; v++)
            if (values[v].result && target[values[v].of] >= 0 && source[values[v].wrt] >= 0)
                (*result)[target[values[v].of] * g->n_sources + source[values[v].wrt]] = v;
    }
    jc_free(as->allocator, target, 2 * g->n_nodes, sizeof *target);
    return status;
}

/* The draft value with all of an accumulated Jacobian as a dense matrix; by rows where its blocks are of columns. */
static jc_status whole_of(jc_assembly *as, int64_t value, int64_t *matrix, bool *columns)
{
    const jc_accumulated *v = jc_accumulated_at(as, value);
    *columns = v->form == JC_FORM_COLUMNS;
    if (v->structure.kind == JC_STRUCTURE_DENSE && (as->plan->per_sample == 1 || !*columns)) {
        *matrix = v->main;
        return JC_OK;
    }
    jc_structure all = dense(v->structure.rows, v->structure.cols);
    *columns = false;
    return jc_as_matrix(as, value, &all, JC_FORM_ROWS, matrix);
}

static jc_status add_outputs(jc_assembly *as, const int64_t *result, bool all_pairs, jc_vec *outputs)
{
    const jc_subgraph *g = &as->plan->subgraph;
    jc_status status = JC_OK;
    for (int64_t t = 0; t < g->n_targets && !status; t++)
        for (int64_t s = 0; s < g->n_sources && !status; s++) {
            bool has_path;
            int64_t value = result[t * g->n_sources + s];
            jc_output out = jc_plan_output(as->plan, t, s, &has_path);
            if (has_path && out.kind == JC_OUTPUT_ZERO && value >= 0) {
                out.kind = JC_OUTPUT_VALUE;
                status = whole_of(as, value, &out.value, &out.transposed);
            }
            if (!status && (all_pairs || out.kind != JC_OUTPUT_ZERO))
                status = jc_vec_append(as->allocator, outputs, &out, 1, "results");
        }
    return status;
}

/* ---- all of it --------------------------------------------------------------------------------------------------- */

static jc_status assembly_init(jc_assembly *as, jc_plan *plan, const jc_elimination *e)
{
    const jc_subgraph *g = &plan->subgraph;
    int64_t n_edges = g->n_edges;
    *as = (jc_assembly){.graph = plan->graph, .allocator = &plan->allocator, .plan = plan, .elimination = e};
    as->window_node = plan->row_limit ? g->target[0] : -1;
    as->ones = JC_NO_DRAFT;
    jc_draft_init(&as->draft, plan);
    jc_maker_init(&as->maker, plan->graph, &plan->subgraph);
    const jc_elimination_value *values = e->values.data;
    for (int64_t v = 0; v < e->n_values; v++) as->n_csr = jc_max(as->n_csr, values[v].structure + 1);
    jc_status status = jc_alloc(as->allocator, e->n_values, sizeof *as->at, WHAT, &as->at);
    if (!status) status = jc_alloc(as->allocator, n_edges, sizeof *as->edge_rows, WHAT, &as->edge_rows);
    if (!status) status = jc_alloc(as->allocator, n_edges, sizeof *as->edge_row, WHAT, &as->edge_row);
    if (!status) status = jc_alloc(as->allocator, as->n_csr, sizeof *as->csr, WHAT, &as->csr);
    if (status) return status;
    for (int64_t v = 0; v < e->n_values; v++) as->at[v] = accumulated_of(as, v);
    for (int64_t i = 0; i < n_edges; i++) as->edge_rows[i] = as->edge_row[i] = JC_NO_DRAFT;
    for (int64_t i = 0; i < as->n_csr; i++) as->csr[i] = -1;
    return JC_OK;
}

static void assembly_fini(jc_assembly *as)
{
    int64_t n_edges = as->plan->subgraph.n_edges;
    jc_draft_fini(&as->draft);
    jc_maker_fini(&as->maker);
    jc_free(as->allocator, as->at, as->elimination->n_values, sizeof *as->at);
    jc_free(as->allocator, as->edge_rows, n_edges, sizeof *as->edge_rows);
    jc_free(as->allocator, as->edge_row, n_edges, sizeof *as->edge_row);
    jc_free(as->allocator, as->csr, as->n_csr, sizeof *as->csr);
}

/* The draft becomes the plan's; outputs get the numbers of its values. */
static jc_status finish(jc_assembly *as, jc_vec *outputs)
{
    int64_t *number;
    jc_status status = jc_draft_finish(&as->draft, &number);
    if (status) return status;
    jc_output *out = outputs->data;
    for (int64_t i = 0; i < outputs->count; i++)
        if (out[i].kind == JC_OUTPUT_VALUE) out[i].value = number[out[i].value];
    jc_free(as->allocator, number, as->draft.values.count, sizeof *number);
    as->plan->outputs = outputs->data;
    as->plan->n_outputs = outputs->count;
    as->plan->max_outputs = outputs->capacity;
    *outputs = jc_vec_of(sizeof(jc_output));
    return JC_OK;
}

/* What is inside is formed anew for every window. */
static void count_cost(const jc_assembly *as)
{
    jc_plan *p = as->plan;
    int64_t passes = 1;
    if (p->row_limit && as->window_node >= 0) {
        int64_t rows = p->subgraph.size[as->window_node];
        passes = rows / p->row_limit + (rows % p->row_limit != 0);
    }
    p->multiply_adds = jc_cost_add(jc_cost_mul(passes, as->inner_cost), as->window_cost);
}

static jc_status keep_sequence(jc_plan *p, const jc_elimination *e)
{
    jc_status status = jc_alloc(&p->allocator, e->n_order, sizeof *p->eliminated, WHAT, &p->eliminated);
    if (status) return status;
    p->n_eliminated = e->n_order;
    memcpy(p->eliminated, e->order, (size_t)e->n_order * sizeof *p->eliminated);
    p->densified = jc_vec_of(sizeof(jc_densified));
    if (!e->densified.count) return JC_OK;
    return jc_vec_append(&p->allocator, &p->densified, e->densified.data, e->densified.count, WHAT);
}

jc_status jc_assemble(jc_plan *plan, const jc_elimination *e, bool all_pairs)
{
    jc_assembly as;
    jc_vec outputs = jc_vec_of(sizeof(jc_output));
    int64_t *result = NULL;
    jc_status status = assembly_init(&as, plan, e);
    const jc_elimination_op *ops = e->ops.data;
    if (!status) vote(&as);
    for (int64_t i = 0; i < e->n_ops && !status; i++) status = jc_assemble_op(&as, &ops[i]);
    if (!status) status = find_results(&as, &result);
    if (!status) status = add_outputs(&as, result, all_pairs, &outputs);
    if (!status) status = finish(&as, &outputs);
    if (!status) status = keep_sequence(plan, e);
    if (!status) count_cost(&as);
    jc_vec_free(as.allocator, &outputs);
    jc_free(as.allocator, result, jc_cost_mul(plan->subgraph.n_targets, plan->subgraph.n_sources), sizeof *result);
    assembly_fini(&as);
    return status;
}
