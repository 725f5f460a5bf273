#include "plan/cases.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "rules/query.h"
#include "support/oracle.h"
#include "support/compute.h"

static int64_t sweep_cost(const jt_case *c, bool reverse)
{
    jc_sweep sweep;
    jt_ok(jc_sweep_init(&sweep, c->graph, &c->subgraph, reverse, NULL, 0), "sweep");
    int64_t cost = sweep.cost;
    jc_sweep_fini(&sweep);
    return cost;
}

void jt_case_init(jt_case *c, const jc_graph *graph, const jc_query *query)
{
    jc_query checked;
    jc_walk walk;
    c->graph = graph;
    jt_ok(jc_query_check(graph, query, &checked), "query");
    jt_ok(jc_walk_create(graph, &checked, &walk), "walk");
    jt_ok(jc_subgraph_create(&walk, &checked, JC_ORDER_REVERSE, &c->subgraph), "subgraph");
    jc_walk_fini(&graph->allocator, &walk);
    c->reverse_cost = sweep_cost(c, true);
    c->forward_cost = sweep_cost(c, false);
}

void jt_case_fini(jt_case *c)
{
    jc_subgraph_fini(&c->graph->allocator, &c->subgraph);
}

/* ---- graphs --------------------------------------------------------------------------------------------------- */

void jt_add_variable(jc_graph *graph, int64_t size)
{
    char name[24];
    int64_t number;
    static int64_t count;
    snprintf(name, sizeof name, "v%lld", (long long)count++);
    jt_ok(jc_graph_add_variable(graph, name, size, &number), name);
}

void jt_add_edge(jc_graph *graph, int64_t of, int64_t wrt, const jc_jacobian *jacobian)
{
    jt_ok(jc_graph_add_edge(graph, of, wrt, jacobian, NULL, 0), "edge");
}

/* ---- an elimination, judged -------------------------------------------------------------------------------------- */

typedef struct judge {
    const jt_case *c;
    const jt_graph *g;
    const jc_elimination *e;
    const char *what;
    jt_pool pool;
    bool numbers;        /* the operations are done */
    long double **value; /* [n_values] size(of) x size(wrt); NULL: not written yet */
    bool **there;        /* [n_values] the same: where there are entries, whatever their numbers */
    int64_t live, peak;
} judge;

static const jc_elimination_op *ops_of(const judge *j)
{
    return j->e->ops.data;
}

static const jc_elimination_value *value_of(const judge *j, int64_t i)
{
    return (const jc_elimination_value *)j->e->values.data + i;
}

static int64_t size_of(const judge *j, int64_t node)
{
    return j->c->subgraph.size[node];
}

/* The test's edge behind an edge of the subgraph, or NULL: a seed. */
static const jt_edge *edge_of(const judge *j, int64_t edge)
{
    int64_t number = j->c->subgraph.jacobian[edge];
    return number < 0 ? NULL : &j->g->edges[number];
}

/* ---- structures: where a value may have entries ----------------------------------------------------------------- */

/* By its definition, entry by entry. */
static bool structure_has(const jc_structure *s, int64_t i, int64_t j)
{
    if (s->kind == JC_STRUCTURE_DENSE) return true;
    if (s->kind == JC_STRUCTURE_DIAGONAL) return i == j;
    if (s->kind == JC_STRUCTURE_BLOCKS)
        return i / (s->rows / s->batch) == j / (s->cols / s->batch) && i % s->inner == j % s->inner;
    for (int64_t k = s->indptr[i]; k < s->indptr[i + 1]; k++)
        if (s->indices[k] == j) return true;
    return false;
}

static const jc_structure *structure_of(const judge *j, int64_t value)
{
    int32_t id = value_of(j, value)->structure;
    return id < 0 ? NULL : jc_structures_at(j->e->structures, id);
}

/* Numbers that hold a value. */
static int64_t held(const judge *j, int64_t value)
{
    const jc_structure *s = structure_of(j, value);
    return s ? s->entries : size_of(j, value_of(j, value)->of) * size_of(j, value_of(j, value)->wrt);
}

/* Rows (columns) of a value that is blocks, side by side. */
static int64_t compressed(const judge *j, int64_t value, bool rows)
{
    const jc_structure *s = structure_of(j, value);
    int64_t size = size_of(j, rows ? value_of(j, value)->of : value_of(j, value)->wrt);
    return s ? size / (s->batch * s->inner) : size;
}

/* The entries that an operand, which is D[of,wrt], is multiplied with: of a value those that its structure has; of an
 * edge its own, or, full, all. */
static const bool *entries_of(judge *j, int64_t operand, int64_t of, int64_t wrt, bool full)
{
    int64_t n = size_of(j, of) * size_of(j, wrt), cols = size_of(j, wrt);
    const jt_edge *e = operand < 0 ? edge_of(j, -1 - operand) : NULL;
    const jc_structure *s = operand < 0 ? NULL : structure_of(j, operand);
    bool *there = jt_alloc(&j->pool, n, sizeof *there);
    for (int64_t i = 0; i < n; i++)
        there[i] = e && !full ? e->structure[i] != 0 : !s || structure_has(s, i / cols, i % cols);
    return there;
}

/* Pairs of entries of both operands that meet. */
static int64_t meetings(judge *j, const jc_elimination_op *op, bool full)
{
    int64_t m = size_of(j, op->of), n = size_of(j, op->wrt), k = op->via < 0 ? 0 : size_of(j, op->via), sum = 0;
    if (!k) return 0;
    const bool *a = entries_of(j, op->left, op->of, op->via, full),
               *b = entries_of(j, op->right, op->via, op->wrt, full);
    for (int64_t i = 0; i < k; i++) {
        int64_t left = 0, right = 0;
        for (int64_t r = 0; r < m; r++) left += a[r * k + i];
        for (int64_t s = 0; s < n; s++) right += b[i * n + s];
        sum += left * right;
    }
    return sum;
}

/* What the value's structure holds, an operand as a whole: entries that an operation reads or writes beyond it would
 * be lost. */
static void check_holds(const judge *j, int64_t value, const bool *there)
{
    const jc_structure *s = structure_of(j, value);
    int64_t m = size_of(j, value_of(j, value)->of), n = size_of(j, value_of(j, value)->wrt);
    for (int64_t i = 0; i < m * n && s; i++)
        cr_assert(!there[i] || structure_has(s, i / n, i % n), "%s: value %lld (%s) lacks entry %lld", j->what,
                  (long long)value, jc_structure_name(s), (long long)i);
}

/* The entries that an operand has. */
static const bool *true_entries(judge *j, int64_t operand, int64_t of, int64_t wrt)
{
    return operand >= 0 ? j->there[operand] : entries_of(j, operand, of, wrt, false);
}

/* Where the result has entries after the operation: its structure holds them. */
static void add_entries(judge *j, const jc_elimination_op *op)
{
    int64_t m = size_of(j, op->of), n = size_of(j, op->wrt), k = op->via < 0 ? 0 : size_of(j, op->via);
    const bool *a = op->via < 0 ? NULL : true_entries(j, op->left, op->of, op->via);
    const bool *b = true_entries(j, op->right, op->via < 0 ? op->of : op->via, op->wrt);
    bool *c = j->there[op->result];
    for (int64_t i = 0; i < m * n; i++) c[i] = c[i] || (op->via < 0 && b[i]);
    for (int64_t r = 0; r < m; r++)
        for (int64_t i = 0; i < k; i++)
            for (int64_t s = 0; s < n; s++)
                if (a[r * k + i] && b[i * n + s]) c[r * n + s] = true;
    check_holds(j, op->result, c);
}

/* An operand is D[of,wrt]; its matrix where numbers are computed. */
static const long double *operand(judge *j, int64_t operand, int64_t of, int64_t wrt)
{
    if (operand >= 0) {
        cr_assert(value_of(j, operand)->of == of && value_of(j, operand)->wrt == wrt, "%s: operand", j->what);
        cr_assert(j->value[operand], "%s: %lld is read before it is written", j->what, (long long)operand);
        return j->value[operand];
    }
    int64_t edge = -1 - operand, entries = size_of(j, of) * size_of(j, wrt);
    cr_assert(edge < j->c->subgraph.n_edges && j->c->subgraph.of[edge] == of && j->c->subgraph.wrt[edge] == wrt);
    if (!j->numbers) return NULL;
    long double *matrix = jt_alloc(&j->pool, entries, sizeof *matrix);
    for (int64_t i = 0; i < entries; i++) matrix[i] = edge_of(j, edge)->dense[i];
    return matrix;
}

/* What the operation costs by SPEC: where the result is blocks or dense, an edge's own cost (a value's numbers) for
 * every row or column of them side by side; else a multiply-add for each pair of entries that meet, or nothing where
 * the edge costs nothing. full: an edge of many entries may count as having all. */
static int64_t fair_cost(judge *j, const jc_elimination_op *op, bool full)
{
    if (op->kind == JC_ELIMINATION_ACCUMULATE && op->right >= 0) return 0;
    int64_t edge = -1 - (op->kind == JC_ELIMINATION_TANGENT ? op->left : op->right);
    const jc_structure *s = structure_of(j, op->result);
    bool few = s && (s->kind == JC_STRUCTURE_SPARSE || s->kind == JC_STRUCTURE_DIAGONAL);
    int64_t m = compressed(j, op->result, true), n = compressed(j, op->result, false);
    if (op->kind == JC_ELIMINATION_MULTIPLY) {
        int64_t adjoint = m * held(j, op->right), tangent = n * held(j, op->left);
        return few ? meetings(j, op, full) : adjoint < tangent ? adjoint : tangent;
    }
    const jt_edge *e = edge_of(j, edge);
    bool tangent =
        op->kind == JC_ELIMINATION_TANGENT || (op->kind == JC_ELIMINATION_ACCUMULATE && op->direction == JC_TANGENT);
    if (op->kind == JC_ELIMINATION_ACCUMULATE && (!e || !e->is_operator)) return 0;
    int64_t one = e ? e->cost[tangent ? JC_TANGENT : JC_ADJOINT]
                    : size_of(j, j->c->subgraph.of[edge]) * size_of(j, j->c->subgraph.wrt[edge]);
    return few ? (one ? meetings(j, op, full) : 0) : (tangent ? n : m) * one;
}

static void add_product(judge *j, const jc_elimination_op *op, const long double *a, const long double *b)
{
    int64_t m = size_of(j, op->of), n = size_of(j, op->wrt), k = op->via < 0 ? 0 : size_of(j, op->via);
    long double *c = j->value[op->result];
    for (int64_t r = 0; r < m; r++)
        for (int64_t s = 0; s < n; s++) {
            long double sum = op->via < 0 ? b[r * n + s] : 0;
            for (int64_t i = 0; i < k; i++) sum += a[r * k + i] * b[i * n + s];
            c[r * n + s] += sum;
        }
}

static void check_kind(const judge *j, const jc_elimination_op *op)
{
    bool left_is_value = op->left >= 0, right_is_value = op->right >= 0;
    switch (op->kind) {
    case JC_ELIMINATION_ACCUMULATE:
        cr_assert(op->left == JC_NO_OPERAND && op->via == -1 && op->right != op->result, "%s", j->what);
        break;
    case JC_ELIMINATION_MULTIPLY:
        cr_assert(left_is_value && right_is_value, "%s", j->what);
        break;
    case JC_ELIMINATION_ADJOINT:
        cr_assert(left_is_value && !right_is_value, "%s", j->what);
        break;
    case JC_ELIMINATION_TANGENT:
        cr_assert(!left_is_value && right_is_value, "%s", j->what);
        break;
    }
}

static void judge_op(judge *j, int64_t number)
{
    const jc_elimination_op *op = &ops_of(j)[number];
    int64_t entries = size_of(j, op->of) * size_of(j, op->wrt);
    check_kind(j, op);
    cr_assert(value_of(j, op->result)->of == op->of && value_of(j, op->result)->wrt == op->wrt, "%s", j->what);
    cr_assert_eq(op->first, !j->value[op->result], "%s: operation %lld", j->what, (long long)number);
    const long double *a = op->via < 0 ? NULL : operand(j, op->left, op->of, op->via);
    const long double *b = operand(j, op->right, op->via < 0 ? op->of : op->via, op->wrt);
    if (op->first) {
        j->value[op->result] = jt_alloc(&j->pool, j->numbers ? entries : 1, sizeof **j->value);
        j->there[op->result] = jt_alloc(&j->pool, entries, sizeof **j->there);
        j->live += held(j, op->result);
    }
    if (j->numbers) add_product(j, op, a, b);
    add_entries(j, op);
    int64_t least = fair_cost(j, op, false), most = fair_cost(j, op, true);
    cr_assert(least <= op->cost && op->cost <= most, "%s: operation %lld (%d) costs %lld, expected %lld to %lld",
              j->what, (long long)number, (int)op->kind, (long long)op->cost, (long long)least, (long long)most);
}

/* Values that no later operation touches are not held any longer. */
static void drop_dead(judge *j, int64_t number)
{
    if (j->live > j->peak) j->peak = j->live;
    const jc_elimination_op *op = &ops_of(j)[number];
    int64_t used[3] = {op->result, op->left, op->right};
    for (int k = 0; k < 3; k++) {
        bool later = used[k] < 0 || value_of(j, used[k])->result;
        for (int64_t i = number + 1; i < j->e->n_ops && !later; i++) {
            const jc_elimination_op *next = &ops_of(j)[i];
            later = next->result == used[k] || next->left == used[k] || next->right == used[k];
        }
        if (!later) j->live -= held(j, used[k]);
    }
}

/* The value that is the result for a pair of nodes, or -1. */
static int64_t result_for(const judge *j, int64_t of, int64_t wrt)
{
    for (int64_t i = 0; i < j->e->n_values; i++)
        if (value_of(j, i)->result && value_of(j, i)->of == of && value_of(j, i)->wrt == wrt) return i;
    return -1;
}

static void judge_result(judge *j, int64_t t, int64_t s)
{
    const jc_subgraph *g = &j->c->subgraph;
    int64_t of = g->target_variable[t], wrt = g->source_variable[s], value = result_for(j, g->target[t], g->source[s]);
    bool there = jt_count_paths(j->g, of, wrt) > 0 && of != wrt;
    cr_assert_eq(value >= 0, there, "%s: result %lld, %lld", j->what, (long long)of, (long long)wrt);
    if (!there || !j->numbers) return;
    long double *expected = jt_total_by_recurrence(&j->pool, j->g, of, wrt, false);
    for (int64_t i = 0; i < j->g->size[of] * j->g->size[wrt]; i++)
        cr_assert_eq(j->value[value][i], expected[i], "%s: entry %lld is %Lg, expected %Lg", j->what, (long long)i,
                     j->value[value][i], expected[i]);
}

void jt_judge_order(const jt_case *c, const jc_elimination *e)
{
    const jc_subgraph *g = &c->subgraph;
    jt_pool pool = {0};
    int *ways = jt_alloc(&pool, g->n_nodes, sizeof *ways);
    for (int64_t i = 0; i < g->n_edges; i++) ways[g->of[i]] |= 1, ways[g->wrt[i]] |= 2;
    for (int64_t i = 0; i < e->n_order; i++) {
        cr_assert_eq(ways[e->order[i]], 3, "place %lld of the order", (long long)i);
        ways[e->order[i]] = 0;
    }
    for (int64_t v = 0; v < g->n_nodes; v++) cr_assert_lt(ways[v], 3, "node %lld is left", (long long)v);
    jt_pool_free(&pool);
}

void jt_judge_elimination(const jt_case *c, const jt_graph *g, const jc_elimination *e, const char *what)
{
    judge j = {.c = c, .g = g, .e = e, .what = what, .numbers = c->subgraph.n_extra == 0};
    int64_t cost = 0;
    j.value = jt_alloc(&j.pool, e->n_values, sizeof *j.value);
    j.there = jt_alloc(&j.pool, e->n_values, sizeof *j.there);
    jt_judge_order(c, e);
    for (int64_t i = 0; i < e->n_ops; i++) {
        judge_op(&j, i);
        drop_dead(&j, i);
        cost += ops_of(&j)[i].cost;
    }
    cr_assert_eq(cost, e->cost, "%s: the operations cost %lld, not %lld", what, (long long)cost, (long long)e->cost);
    cr_assert_eq(j.peak, e->peak_entries, "%s: the peak is %lld, not %lld", what, (long long)j.peak,
                 (long long)e->peak_entries);
    for (int64_t t = 0; t < c->subgraph.n_targets && j.numbers; t++)
        for (int64_t s = 0; s < c->subgraph.n_sources; s++)
            if (c->subgraph.target[t] >= 0 && c->subgraph.source[s] >= 0) judge_result(&j, t, s);
    jt_pool_free(&j.pool);
}
