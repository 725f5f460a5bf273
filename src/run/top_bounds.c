#include "run/top_bounds.h"

#include <math.h>
#include <string.h>

#include "backend/reference/absolute.h"
#include "backend/reference/magnitude.h"
#include "backend/reference/roundoff.h"
#include "core/size.h"
#include "graph/norm.h"
#include "run/numbers.h"

static const char *const WHAT = "bounds of paths";

/* When B_v has all its columns. */
enum { MOST_COLUMNS = 64, MOST_ENTRIES = 1 << 22, MOST_WORK = 1 << 28 };

/* Raises tiny numbers, so that products of what follows do not underflow to less than they are. */
static const double tiny = 0x1p-900;

jc_jac jc_top_jacobian(const jc_walk *w, int64_t edge)
{
    int64_t e = w->edge[edge];
    const jc_group *group = jc_graph_group(w->graph, e);
    return jc_group_member(group, e - group->first_edge, NULL);
}

/* The larger one; a NaN stays. */
static double larger(double a, double b)
{
    return b > a || isnan(b) ? b : a;
}

double jc_top_norm(const double *x, int64_t n)
{
    double most = 0, sum = 0;
    for (int64_t i = 0; i < n; i++) most = larger(most, fabs(x[i]));
    if (n == 1 || most == 0 || !isfinite(most)) return most;
    int exponent = ilogb(most);
    for (int64_t i = 0; i < n; i++) {
        double scaled = scalbn(x[i], -exponent);
        sum += scaled * scaled;
    }
    return scalbn(sqrt(sum), exponent);
}

/* ---- norms of Jacobians ------------------------------------------------------------------------------------------ */

/* Y = X |op(D)| for n rows, X >= 0; of a low_rank Jacobian |U| |V|^T, which bounds the rounding of its products too. */
static jc_status multiply(const jc_top_bounds *b, const jc_jac *jac, bool transpose, int64_t n, const double *x,
                          double *y)
{
    const jc_shape *shape = &jac->group->shape;
    jc_step step = {.a = 0, .n_rows = n, .transpose = transpose, .first = true};
    if (shape->kind == JC_OPERATOR) return jc_magnitude_step(&b->allocator, jac, &step, 0, n, x, y);
    memset(y, 0, (size_t)(n * (transpose ? shape->rows : shape->cols)) * sizeof *y);
    return jc_absolute_step(&b->allocator, false, jac, &step, 0, n, x, y, b->scratch);
}

/* The largest entry of 1^T |D| (transpose: of |D| 1). */
static jc_status largest_sum(const jc_top_bounds *b, const jc_jac *jac, bool transpose, double *value)
{
    const jc_shape *shape = &jac->group->shape;
    int64_t n_in = transpose ? shape->cols : shape->rows, n_out = transpose ? shape->rows : shape->cols;
    double *ones, *sums = NULL, most = 0;
    jc_status status = jc_alloc(&b->allocator, n_in, sizeof *ones, WHAT, &ones);
    if (status) return status;
    status = jc_alloc(&b->allocator, n_out, sizeof *sums, WHAT, &sums);
    for (int64_t i = 0; i < n_in; i++) ones[i] = 1;
    if (!status) status = multiply(b, jac, transpose, 1, ones, sums);
    for (int64_t i = 0; i < n_out && !status; i++) most = larger(most, sums[i]);
    if (sums) jc_free(&b->allocator, sums, n_out, sizeof *sums);
    jc_free(&b->allocator, ones, n_in, sizeof *ones);
    if (!status) *value = most;
    return status;
}

/* | |D| |_2 <= sqrt(|D|_1 |D|_inf) */
static jc_status norm_of_absolute(const jc_top_bounds *b, const jc_jac *jac, double *norm)
{
    double columns, rows;
    jc_status status = largest_sum(b, jac, false, &columns);
    if (!status) status = largest_sum(b, jac, true, &rows);
    if (!status) *norm = sqrt(columns) * sqrt(rows);
    return status;
}

/* At least | |D| |_2 up to rounding, and so at least |D|_2. */
static jc_status norm_of_jacobian(const jc_top_bounds *b, int64_t edge, const jc_jac *jac, double *norm)
{
    double frobenius;
    jc_status status = norm_of_absolute(b, jac, norm);
    if (status || jac->group->shape.kind == JC_LOW_RANK) return status; /* whose |U| |V|^T is larger */
    if (jc_graph_edge_norm(b->walk->graph, b->walk->edge[edge], &frobenius) && frobenius < *norm) *norm = frobenius;
    return JC_OK;
}

/* ---- the sweep --------------------------------------------------------------------------------------------------- */

/* B_near = max(B_near, |D| B_far), all transposed. */
static jc_status add_entries(const jc_top_bounds *b, const jc_jac *jac, int64_t near, int64_t far, double *product)
{
    int64_t n = b->columns * jc_top_size(b, near);
    double *entries = b->entries + b->first[near];
    jc_status status = multiply(b, jac, !b->forward, b->columns, b->entries + b->first[far], product);
    for (int64_t i = 0; i < n && !status; i++) {
        entries[i] = larger(entries[i], product[i]);
        if (entries[i] > 0 && entries[i] < tiny) entries[i] = tiny;
    }
    return status;
}

static double step_roundings(const jc_group *group)
{
    int64_t down = jc_step_roundings(group, false, false), up = jc_step_roundings(group, false, true);
    return (double)jc_max(down, up) + JC_TERM_ROUNDINGS;
}

static jc_status sweep_edge(jc_top_bounds *b, int64_t edge, double *product)
{
    int64_t far = jc_top_next(b, edge), near = b->forward ? b->walk->wrt[edge] : b->walk->of[edge];
    jc_jac jac = jc_top_jacobian(b->walk, edge);
    jc_status status = norm_of_jacobian(b, edge, &jac, &b->edge_norm[edge]);
    if (!status) status = jc_top_moments_add(b, edge, near, far);
    if (status) return status;
    double spectral = b->edge_norm[edge] * jc_top_completion_norm(b, far);
    b->spectral[near] = larger(b->spectral[near], spectral > 0 && spectral < tiny ? tiny : spectral);
    b->roundings[near] = fmax(b->roundings[near], b->roundings[far] + step_roundings(jac.group));
    return add_entries(b, &jac, near, far, product);
}

/* Edges are sorted by the node that they lead to and nodes are in topological order, so that a node's bounds are ready
 * before an edge reads them: from the source on in this order, from the target back in the reverse of it. */
static jc_status sweep(jc_top_bounds *b)
{
    int64_t m = b->walk->n_edges, most = 0;
    double *product;
    for (int64_t v = 0; v < b->walk->n_nodes; v++) most = jc_max(most, jc_top_size(b, v));
    jc_status status = jc_alloc(&b->allocator, b->columns * most, sizeof *product, WHAT, &product);
    if (status) return status;
    for (int64_t i = 0; i < m && !status; i++) status = sweep_edge(b, b->forward ? m - 1 - i : i, product);
    jc_free(&b->allocator, product, b->columns * most, sizeof *product);
    b->relative = 4 * jc_gamma(b->roundings[b->start] + (double)most + (double)b->rows * (double)b->columns + 16,
                               jc_roundoff_of(JC_PRECISION_F64).sum);
    return status;
}

/* ---- making them ------------------------------------------------------------------------------------------------- */

static jc_status check_numbers(jc_top_bounds *b)
{
    const jc_walk *w = b->walk;
    for (int64_t i = 0; i < w->n_edges; i++) {
        const jc_group *group = jc_graph_group(w->graph, w->edge[i]);
        jc_status status = jc_check_host_numbers(w->graph, w->edge[i]);
        if (status) return status;
        b->n_scratch = jc_max(b->n_scratch, jc_max(jc_loops_scratch(group, false), jc_loops_scratch(group, true)));
    }
    return JC_OK;
}

/* All columns where they are few and cheap, else one. */
static void choose_columns(jc_top_bounds *b)
{
    int64_t entries = 0, work = 0, columns = jc_top_size(b, b->end);
    for (int64_t v = 0; v < b->walk->n_nodes; v++) entries = jc_cost_add(entries, jc_top_size(b, v));
    for (int64_t i = 0; i < b->walk->n_edges; i++) {
        const jc_group *group = jc_graph_group(b->walk->graph, b->walk->edge[i]);
        work = jc_cost_add(work, jc_group_cost(group, 0, JC_TANGENT));
    }
    bool all = columns <= MOST_COLUMNS && jc_cost_mul(entries, columns) <= MOST_ENTRIES &&
               jc_cost_mul(work, columns) <= MOST_WORK;
    b->columns = all ? columns : 1;
}

static jc_status allocate(jc_top_bounds *b)
{
    int64_t n = b->walk->n_nodes, at = 0;
    jc_status status = jc_alloc(&b->allocator, n + 1, sizeof *b->first, WHAT, &b->first);
    if (status) return status;
    for (int64_t v = 0; v < n; v++) {
        b->first[v] = at;
        at = jc_cost_add(at, jc_cost_mul(b->columns, jc_top_size(b, v)));
    }
    b->first[n] = at;
    if ((status = jc_alloc(&b->allocator, b->n_scratch, sizeof *b->scratch, WHAT, &b->scratch))) return status;
    if ((status = jc_alloc_zero(&b->allocator, at, sizeof *b->entries, WHAT, &b->entries))) return status;
    if ((status = jc_alloc_zero(&b->allocator, n, sizeof *b->spectral, WHAT, &b->spectral))) return status;
    if ((status = jc_alloc_zero(&b->allocator, n, sizeof *b->roundings, WHAT, &b->roundings))) return status;
    return jc_alloc_zero(&b->allocator, b->walk->n_edges, sizeof *b->edge_norm, WHAT, &b->edge_norm);
}

static void set_end(jc_top_bounds *b)
{
    double *entries = b->entries + b->first[b->end];
    int64_t size = jc_top_size(b, b->end);
    b->spectral[b->end] = 1;
    for (int64_t i = 0; i < size; i++) entries[b->columns == 1 ? i : i * size + i] = 1;
}

jc_status jc_top_bounds_create(const jc_walk *walk, const jc_allocator *allocator, jc_top_bounds *bounds)
{
    jc_top_bounds b = {.allocator = *allocator, .walk = walk};
    int64_t source = walk->source[0], target = walk->target[0];
    b.forward = jc_top_size(&b, source) <= jc_top_size(&b, target);
    b.start = b.forward ? source : target, b.end = b.forward ? target : source;
    b.rows = jc_top_size(&b, b.start);
    b.is_scalar = true;
    for (int64_t v = 0; v < walk->n_nodes; v++) b.is_scalar &= jc_top_size(&b, v) == 1;
    jc_status status = check_numbers(&b);
    if (!status) {
        choose_columns(&b);
        status = allocate(&b);
    }
    if (!status) status = jc_top_moments_create(&b);
    if (!status) {
        set_end(&b);
        status = sweep(&b);
    }
    for (int64_t v = 0; v < walk->n_nodes && !status; v++) b.spectral[v] = jc_top_completion_norm(&b, v);
    if (status)
        jc_top_bounds_fini(&b);
    else
        *bounds = b;
    return status;
}

void jc_top_bounds_fini(jc_top_bounds *b)
{
    const jc_allocator *a = &b->allocator;
    if (!b->walk) return;
    int64_t n = b->walk->n_nodes;
    if (b->entries) jc_free(a, b->entries, b->first[n], sizeof *b->entries);
    if (b->moments) jc_free(a, b->moments, b->moment_first[n], sizeof *b->moments);
    jc_free(a, b->moment_first, n + 1, sizeof *b->moment_first);
    jc_free(a, b->scratch, b->n_scratch, sizeof *b->scratch);
    jc_free(a, b->trace, n, sizeof *b->trace);
    jc_free(a, b->first, n + 1, sizeof *b->first);
    jc_free(a, b->spectral, n, sizeof *b->spectral);
    jc_free(a, b->roundings, n, sizeof *b->roundings);
    jc_free(a, b->edge_norm, b->walk->n_edges, sizeof *b->edge_norm);
    b->walk = NULL;
}

/* ---- using them -------------------------------------------------------------------------------------------------- */

/* |x| . b */
static double absolute_dot(const double *x, const double *b, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += fabs(x[i]) * b[i];
    return sum;
}

/* | |P| B_v |_F, the entries one after the other: their squares add up in units of the largest so far. */
static double entrywise(const jc_top_bounds *b, int64_t node, const double *p)
{
    int64_t size = jc_top_size(b, node);
    const double *columns = b->entries + b->first[node];
    double most = 0, sum = 0;
    for (int64_t r = 0; r < b->rows; r++)
        for (int64_t c = 0; c < b->columns; c++) {
            double x = absolute_dot(p + r * size, columns + c * size, size);
            if (!isfinite(x)) return x;
            if (x > most) {
                sum = 1 + (most > 0 ? sum * (most / x) * (most / x) : 0);
                most = x;
            } else if (x > 0) {
                sum += (x / most) * (x / most);
            }
        }
    return most * sqrt(sum);
}

double jc_top_estimate(const jc_top_bounds *b, int64_t node, const double *p, double norm)
{
    double a = entrywise(b, node, p), s = norm == 0 ? 0 : norm * b->spectral[node];
    return isnan(a) || isnan(s) ? NAN : fmin(fmin(a, s), jc_top_moment_estimate(b, node, p, norm));
}

double jc_top_bound(const jc_top_bounds *b, int64_t node, double estimate, double error)
{
    return estimate * (1 + b->relative) + (error > 0 ? error * b->spectral[node] : 0);
}
