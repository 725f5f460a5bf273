/* The total of a query by how many edges with a label its paths use. With j for the uses of a partial path to v,
 *   V_(v,j) = sum over the edges v <- u of D V_(u, j - [the edge has the label]),   V_(start,0) = I
 * from the source on, or likewise from the target back: every variable has a matrix for each number of uses, and the
 * parts are those of the end. */
#include <string.h>

#include "backend/reference/reference.h"
#include "core/error.h"
#include "core/size.h"
#include "paths/uses.h"
#include "run/numbers.h"

static const char *const WHAT = "the parts of a total";

struct jc_uses {
    jc_allocator allocator;
    jc_uses_part *parts; /* [n] */
    int64_t n;
    char **texts;   /* [n_numbers] counts by uses from the fewest on, owned */
    int64_t *bytes; /* [n_numbers] */
    int64_t n_numbers;
    double *data; /* [n_data] what the parts' sums point into */
    int64_t n_data;
};

/* ---- the sweep --------------------------------------------------------------------------------------------------- */

/* What is known of a node: `rows` rows for each number of uses from the fewest on. */
typedef struct block {
    double *data;           /* [numbers x rows x size] */
    unsigned char *present; /* [numbers] some path has so many uses */
    int64_t pending;        /* edges that still read it */
} block;

typedef struct sweep {
    jc_allocator allocator;
    const jc_walk *walk;
    jc_path_uses uses; /* from where the sweep starts */
    bool forward;
    int64_t start, rows;
    block *at; /* [n_nodes] */
    double *scratch;
    int64_t n_scratch;
} sweep;

static int64_t size_of(const sweep *s, int64_t node)
{
    return jc_graph_size(s->walk->graph, s->walk->variable[node]);
}

static int64_t numbers_of(const sweep *s, int64_t node)
{
    return s->uses.most[node] - s->uses.fewest[node] + 1;
}

static int64_t entries_of(const sweep *s, int64_t node)
{
    return jc_cost_mul(numbers_of(s, node), jc_cost_mul(s->rows, size_of(s, node)));
}

static void block_free(const sweep *s, int64_t node)
{
    block *b = &s->at[node];
    jc_free(&s->allocator, b->data, entries_of(s, node), sizeof *b->data);
    jc_free(&s->allocator, b->present, numbers_of(s, node), 1);
    b->data = NULL, b->present = NULL;
}

/* Of the start it is I, which is not multiplied with and has no data. */
static jc_status block_create(const sweep *s, int64_t node, bool has_data)
{
    block *b = &s->at[node];
    jc_status status = JC_OK;
    if (!b->present) status = jc_alloc_zero(&s->allocator, numbers_of(s, node), 1, WHAT, &b->present);
    if (!status && has_data && !b->data)
        status = jc_alloc_zero(&s->allocator, entries_of(s, node), sizeof *b->data, WHAT, &b->data);
    return status;
}

/* The numbers [first, first + n) of `from`, all present, through an edge. */
static jc_status push_run(const sweep *s, int64_t edge, int64_t from, int64_t to, int64_t first, int64_t n)
{
    const jc_walk *w = s->walk;
    const jc_group *group = jc_graph_group(w->graph, w->edge[edge]);
    jc_jac jac = jc_group_member(group, w->edge[edge] - group->first_edge, NULL);
    int64_t shift = jc_path_uses_shift(&s->uses, from, to, edge), rows = n * s->rows;
    jc_step step = {.n_rows = rows, .transpose = s->forward};
    step.a = from == s->start ? JC_SEED_IDENTITY : 0;
    const double *x = from == s->start ? NULL : s->at[from].data + first * s->rows * size_of(s, from);
    double *y = s->at[to].data + (first + shift) * s->rows * size_of(s, to);
    memset(s->at[to].present + first + shift, 1, (size_t)n);
    return jc_reference_step(NULL, &jac, &step, 0, rows, x, y, s->scratch);
}

static jc_status push(const sweep *s, int64_t edge)
{
    int64_t from = s->forward ? s->walk->wrt[edge] : s->walk->of[edge];
    int64_t to = s->forward ? s->walk->of[edge] : s->walk->wrt[edge], n = numbers_of(s, from);
    const unsigned char *present = s->at[from].present;
    jc_status status = block_create(s, to, true);
    for (int64_t j = 0, end; j < n && !status; j = end) {
        for (end = j + 1; end < n && present[end] == present[j];) end++;
        if (present[j]) status = push_run(s, edge, from, to, j, end - j);
    }
    if (!status && !--s->at[from].pending) block_free(s, from);
    return status;
}

static jc_status prepare(sweep *s)
{
    const jc_walk *w = s->walk;
    jc_status status = jc_alloc_zero(&s->allocator, w->n_nodes, sizeof *s->at, WHAT, &s->at);
    if (status) return status;
    for (int64_t i = 0; i < w->n_edges; i++) {
        const jc_group *group = jc_graph_group(w->graph, w->edge[i]);
        if ((status = jc_check_host_numbers(w->graph, w->edge[i]))) return status;
        s->n_scratch = jc_max(s->n_scratch, jc_loops_scratch(group, s->forward));
        s->at[s->forward ? w->wrt[i] : w->of[i]].pending++;
    }
    if ((status = jc_alloc(&s->allocator, s->n_scratch, sizeof *s->scratch, WHAT, &s->scratch))) return status;
    if ((status = block_create(s, s->start, false))) return status;
    s->at[s->start].present[0] = 1;
    return JC_OK;
}

/* Edges are sorted by the node that they lead to and nodes are in topological order: a node is complete before an edge
 * reads it. */
static jc_status run(sweep *s)
{
    int64_t m = s->walk->n_edges;
    jc_status status = prepare(s);
    for (int64_t i = 0; i < m && !status; i++) status = push(s, s->forward ? i : m - 1 - i);
    return status;
}

static void sweep_fini(sweep *s)
{
    for (int64_t v = 0; v < s->walk->n_nodes && s->at; v++) block_free(s, v);
    jc_free(&s->allocator, s->at, s->walk->n_nodes, sizeof *s->at);
    jc_free(&s->allocator, s->scratch, s->n_scratch, sizeof *s->scratch);
    jc_path_uses_fini(&s->allocator, &s->uses);
}

/* Takes what the end has. */
static void take_sums(jc_uses *t, sweep *s)
{
    int64_t end = s->uses.end, cols = size_of(s, end);
    t->data = s->at[end].data, t->n_data = entries_of(s, end);
    s->at[end].data = NULL;
    for (int64_t i = 0; i < t->n; i++) {
        jc_uses_part *p = &t->parts[i];
        p->sum.kind = JC_RESULT_MATRIX;
        p->sum.data = t->data + (p->uses - s->uses.fewest[end]) * s->rows * cols;
        p->sum.row_stride = s->forward ? 1 : cols;
        p->sum.col_stride = s->forward ? cols : 1;
    }
}

static jc_status find_sums(jc_uses *t, const jc_paths *paths, const char *const *labels, int64_t n_labels)
{
    const jc_walk *w = &paths->walk;
    sweep s = {.allocator = t->allocator, .walk = w};
    int64_t source = jc_graph_size(w->graph, w->source_variable[0]),
            target = jc_graph_size(w->graph, w->target_variable[0]);
    s.forward = source <= target;
    s.start = s.forward ? w->source[0] : w->target[0];
    s.rows = jc_min(source, target);
    jc_status status = jc_path_uses_create(paths, labels, n_labels, s.forward, &s.uses);
    if (status) return status;
    status = run(&s);
    if (!status) take_sums(t, &s);
    sweep_fini(&s);
    return status;
}

/* ---- the parts --------------------------------------------------------------------------------------------------- */

static jc_status find_parts(jc_uses *t, const jc_paths *paths, const jc_path_uses *uses)
{
    const jc_walk *w = &paths->walk;
    int64_t fewest = uses->fewest[uses->end], n = uses->most[uses->end] - fewest + 1;
    jc_status status = jc_alloc_zero(&t->allocator, n, sizeof *t->texts, WHAT, &t->texts);
    if (status) return status;
    t->n_numbers = n;
    if ((status = jc_alloc_zero(&t->allocator, n, sizeof *t->bytes, WHAT, &t->bytes))) return status;
    if ((status = jc_alloc_zero(&t->allocator, n, sizeof *t->parts, WHAT, &t->parts))) return status;
    if ((status = jc_paths_count_uses(paths, uses, t->texts, t->bytes))) return status;
    for (int64_t j = 0; j < n; j++) {
        if (!strcmp(t->texts[j], "0")) continue;
        jc_uses_part *p = &t->parts[t->n++];
        *p = (jc_uses_part){.uses = fewest + j, .count = t->texts[j]};
        p->sum = (jc_result){.of = w->target_variable[0], .wrt = w->source_variable[0], .blocks = 1, .dtype = JC_F64};
        p->sum.rows = jc_graph_size(w->graph, p->sum.of), p->sum.cols = jc_graph_size(w->graph, p->sum.wrt);
        p->sum.kind = jc_paths_stay(paths) ? JC_RESULT_IDENTITY : JC_RESULT_ZERO;
    }
    return JC_OK;
}

static jc_status split_paths(jc_uses *t, const jc_paths *paths, const char *const *labels, int64_t n_labels,
                             bool numbers)
{
    jc_path_uses uses;
    jc_status status = jc_path_uses_create(paths, labels, n_labels, true, &uses);
    if (status) return status;
    status = paths->there ? find_parts(t, paths, &uses) : JC_OK;
    jc_path_uses_fini(&t->allocator, &uses);
    if (status || !paths->there || jc_paths_stay(paths) || !numbers) return status;
    return find_sums(t, paths, labels, n_labels);
}

jc_status jc_paths_by_uses(const jc_graph *graph, const jc_query *query, const char *const *labels, int64_t n_labels,
                           int numbers, jc_uses **split)
{
    jc_uses *t;
    jc_paths *paths;
    jc_status status = jc_paths_create(graph, query, &paths);
    if (status) return status;
    status = jc_alloc_zero(&graph->allocator, 1, sizeof *t, WHAT, &t);
    if (!status) {
        t->allocator = graph->allocator;
        status = split_paths(t, paths, labels, n_labels, numbers);
        if (status)
            jc_uses_destroy(t);
        else
            *split = t;
    }
    jc_paths_destroy(paths);
    return status;
}

void jc_uses_destroy(jc_uses *t)
{
    if (!t) return;
    jc_allocator a = t->allocator;
    for (int64_t j = 0; j < t->n_numbers && t->texts && t->bytes; j++) jc_free(&a, t->texts[j], t->bytes[j], 1);
    jc_free(&a, t->data, t->n_data, sizeof *t->data);
    jc_free(&a, t->parts, t->n_numbers, sizeof *t->parts);
    jc_free(&a, t->bytes, t->n_numbers, sizeof *t->bytes);
    jc_free(&a, t->texts, t->n_numbers, sizeof *t->texts);
    jc_free(&a, t, 1, sizeof *t);
}

int64_t jc_uses_count(const jc_uses *split)
{
    return split->n;
}

jc_status jc_uses_get(const jc_uses *split, int64_t index, jc_uses_part *part)
{
    if (index < 0 || index >= split->n)
        return jc_fail(JC_E_USAGE, "there is no part number %lld (there are %lld)", (long long)index,
                       (long long)split->n);
    *part = split->parts[index];
    return JC_OK;
}
