/* Frobenius norm, largest and smallest singular value of matrices that are made from their singular values. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "backend/cpu/blas.h"
#include "core/alloc.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"
#include "support/sanitized.h"

enum { MOST = 64 };

static jc_result matrix(int64_t rows, int64_t cols, const double *values)
{
    return (jc_result){.blocks = 1,
                       .rows = rows,
                       .cols = cols,
                       .kind = JC_RESULT_MATRIX,
                       .dtype = JC_F64,
                       .data = values,
                       .row_stride = cols,
                       .col_stride = 1};
}

static jc_norms norms_of(const jc_result *r)
{
    jc_norms norms = {.struct_size = sizeof norms};
    jt_ok(jc_result_norms(NULL, r, &norms), "norms");
    cr_expect_eq(norms.struct_size, sizeof norms);
    return norms;
}

static bool has_singular_values(const jc_result *r)
{
    return jc_blas_singular_values || r->rows == 1 || r->cols == 1 || !r->data;
}

static void expect(const jc_result *r, double frobenius, double largest, double smallest)
{
    if (!has_singular_values(r)) return;
    jc_norms n = norms_of(r);
    cr_expect_float_eq(n.frobenius, frobenius, 4e-15 * frobenius, "%.17g, expected %.17g", n.frobenius, frobenius);
    cr_expect_float_eq(n.largest, largest, 4e-14 * largest, "%.17g, expected %.17g", n.largest, largest);
    cr_expect_float_eq(n.smallest, smallest, 4e-14 * largest, "%.17g, expected %.17g", n.smallest, smallest);
}

/* A (rows x cols) = (I - 2 u u^T) A, u random of length 1: orthogonal, so that singular values stay. */
static void reflect_rows(jt_rng *rng, int64_t rows, int64_t cols, double *a)
{
    double u[MOST], length = 0;
    for (int64_t i = 0; i < rows; i++) u[i] = jt_unit(rng), length += u[i] * u[i];
    for (int64_t j = 0; j < cols; j++) {
        double dot = 0;
        for (int64_t i = 0; i < rows; i++) dot += u[i] * a[i * cols + j];
        for (int64_t i = 0; i < rows; i++) a[i * cols + j] -= 2 * dot / length * u[i];
    }
}

static void transpose(int64_t rows, int64_t cols, const double *a, double *t)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < cols; j++) t[j * rows + i] = a[i * cols + j];
}

/* a = P diag(s) Q with two reflections on either side. */
static void make(uint64_t seed, int64_t rows, int64_t cols, const double *s, double *a)
{
    jt_rng rng = {seed};
    double *t = calloc((size_t)(rows * cols), sizeof *t);
    for (int64_t i = 0; i < rows * cols; i++) a[i] = 0;
    for (int64_t i = 0; i < rows && i < cols; i++) a[i * cols + i] = s[i];
    for (int k = 0; k < 2; k++) reflect_rows(&rng, rows, cols, a);
    transpose(rows, cols, a, t);
    for (int k = 0; k < 2; k++) reflect_rows(&rng, cols, rows, t);
    transpose(cols, rows, t, a);
    free(t);
}

/* Square, a little and much longer than wide (which LAPACK reduces by QR), and the other way round. */
Test(norms, of_matrices_made_from_their_singular_values)
{
    static const int64_t shapes[][2] = {{2, 2}, {5, 5}, {6, 4}, {4, 6}, {60, 3}, {3, 60}, {16, 16}, {50, 40}};
    double *a = malloc(MOST * MOST * sizeof *a), s[MOST];
    for (size_t k = 0; k < sizeof shapes / sizeof shapes[0]; k++) {
        int64_t rows = shapes[k][0], cols = shapes[k][1], n = rows < cols ? rows : cols;
        double squares = 0;
        for (int64_t i = 0; i < n; i++) s[i] = 0.25 + (double)((7 * i + 3) % n), squares += s[i] * s[i];
        make(k + 1, rows, cols, s, a);
        jc_result r = matrix(rows, cols, a);
        expect(&r, sqrt(squares), 0.25 + (double)(n - 1), 0.25);
    }
    free(a);
}

Test(norms, the_smallest_of_a_matrix_without_full_rank_is_nothing_beside_the_largest)
{
    static const double s[] = {3, 0, 2, 1, 0.5}, integers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    double a[35];
    make(3, 7, 5, s, a);
    jc_result r = matrix(7, 5, a);
    expect(&r, sqrt(14.25), 3, 0);
    r = matrix(3, 3, integers);
    expect(&r, sqrt(285), 16.848103352614209, 0);
}

Test(norms, of_a_row_a_column_and_a_number_are_its_length)
{
    static const double row[] = {2, -3, 6};
    for (int64_t column = 0; column < 2; column++) {
        jc_result r = column ? matrix(3, 1, row) : matrix(1, 3, row);
        jc_norms n = norms_of(&r);
        cr_expect(n.frobenius == 7 && n.largest == 7 && n.smallest == 7);
    }
    jc_result r = matrix(1, 1, row + 1);
    expect(&r, 3, 3, 3);
}

Test(norms, of_results_without_numbers)
{
    jc_result r = matrix(16, 16, NULL);
    r.kind = JC_RESULT_IDENTITY;
    expect(&r, 4, 1, 1);
    r = matrix(3, 5, NULL);
    r.kind = JC_RESULT_ZERO;
    expect(&r, 0, 0, 0);
}

Test(norms, neither_overflow_nor_underflow_on_the_way)
{
    static const double large[] = {1e300, 1e300, 1e300, -1e300}, small[] = {3e-310, 0, 0, 4e-310};
    jc_result r = matrix(2, 2, large);
    expect(&r, 2e300, sqrt(2) * 1e300, sqrt(2) * 1e300);
    r = matrix(2, 2, small);
    if (!has_singular_values(&r)) return;
    jc_norms n = norms_of(&r);
    cr_expect_float_eq(n.frobenius, 5e-310, 1e-322);
    cr_expect_float_eq(n.largest, 4e-310, 1e-322);
    cr_expect_float_eq(n.smallest, 3e-310, 1e-322);
}

Test(norms, what_is_not_finite_stays_so)
{
    double values[] = {1, 2, -INFINITY, 4};
    jc_result r = matrix(2, 2, values), row = matrix(1, 4, values);
    jc_norms n = norms_of(&r);
    cr_expect(n.frobenius == INFINITY && n.largest == INFINITY && isnan(n.smallest));
    n = norms_of(&row);
    cr_expect(n.frobenius == INFINITY && n.largest == INFINITY && n.smallest == INFINITY);
    values[0] = NAN;
    for (int k = 0; k < 2; k++) {
        n = norms_of(k ? &row : &r);
        cr_expect(isnan(n.frobenius) && isnan(n.largest) && isnan(n.smallest));
    }
}

Test(norms, take_results_as_they_lie)
{
    static const float values[] = {2, 0, 0, 7, 7, 0, 3, 0, 7, 7}; /* columns of diag(2, 3) in rows of 5 */
    jc_result r = matrix(2, 2, NULL);
    r.dtype = JC_F32, r.data = values, r.row_stride = 1, r.col_stride = 5;
    expect(&r, sqrt(13), 3, 2);
}

/* sum of sigma^2 = sum of squares; product of sigma = |det|. */
Test(norms, all_singular_values_have_the_invariants_of_the_matrix)
{
    static const double a[] = {2, -1, 0, 4, 1, 3, 5, -2, 7}; /* det 39 */
    double copy[9], s[3], squares = 0;
    jc_allocator heap = jc_allocator_or_default(NULL);
    if (!jc_blas_singular_values) return;
    for (int i = 0; i < 9; i++) copy[i] = a[i], squares += a[i] * a[i];
    jt_ok(jc_blas_singular_values(&heap, 3, 3, copy, s), "singular values");
    cr_expect(s[0] >= s[1] && s[1] >= s[2]);
    cr_expect_float_eq(s[0] * s[0] + s[1] * s[1] + s[2] * s[2], squares, 1e-12);
    cr_expect_float_eq(s[0] * s[1] * s[2], 39, 1e-12);
}

Test(norms, what_is_no_matrix_or_no_room_for_the_answer_is_refused)
{
    static const double values[] = {1, 2, 3, 4};
    jc_norms n = {.struct_size = sizeof n - 1, .frobenius = -1};
    jc_result r = matrix(2, 2, values);
    cr_expect_eq(jc_result_norms(NULL, &r, &n), JC_E_USAGE);
    n.struct_size = sizeof n;
    r = matrix(1, 2, values);
    r.blocks = 2, r.per_sample = 1, r.block_stride = 2;
    cr_expect_eq(jc_result_norms(NULL, &r, &n), JC_E_USAGE);
    r = matrix(2, 2, values);
    if (!jc_blas_singular_values) cr_expect_eq(jc_result_norms(NULL, &r, &n), JC_E_UNAVAILABLE);
    if (!jc_blas_singular_values) cr_expect_eq(n.frobenius, -1);
}

/* One sweep from a target to all variables, in either order: sums of squares over all paths of the test's own. */
static void expect_totals(jt_graph *g, int64_t of, jc_order order)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    int64_t *wrt = jt_alloc(&g->pool, g->n_variables, sizeof *wrt);
    jc_query query = JC_QUERY_INIT;
    jc_results *results = NULL;
    for (int64_t v = 0; v < g->n_variables; v++) wrt[v] = v;
    query.of = &of, query.n_of = 1, query.wrt = wrt, query.n_wrt = g->n_variables, query.order = order;
    options.program.backend = "reference";
    jt_ok(jc_evaluate(g->graph, &query, &options, &results), "totals");
    for (int64_t v = 0; v < g->n_variables; v++) {
        const long double *total = jt_total_by_paths(&g->pool, g, of, v, false);
        long double squares = 0;
        jc_result r;
        jt_ok(jc_results_get(results, v, &r), "a result");
        for (int64_t i = 0; i < r.rows * r.cols; i++) squares += total[i] * total[i];
        if (!has_singular_values(&r)) continue;
        jc_norms n = norms_of(&r);
        double k = (double)(r.rows < r.cols ? r.rows : r.cols), f = (double)sqrtl(squares);
        cr_expect_float_eq(n.frobenius, f, 1e-12 * f);
        cr_expect(n.largest <= f * (1 + 1e-13) && n.largest * sqrt(k) >= f * (1 - 1e-13));
        cr_expect(n.smallest <= n.largest && n.smallest * sqrt(k) <= f * (1 + 1e-13));
    }
    jc_results_destroy(results);
}

Test(norms, of_all_totals_of_a_sweep_are_those_of_the_sums_over_paths)
{
    for (uint64_t seed = 1; seed <= (uint64_t)jt_cases(60); seed++) {
        jt_graph g;
        jt_graph_random(&(jt_graph_options){.seed = seed, .max_paths = 100, .numbers = JT_SMALL, .largest = 1 << 20},
                        &g);
        for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++)
            expect_totals(&g, (int64_t)(seed % (uint64_t)g.n_variables), (jc_order)order);
        jt_graph_fini(&g);
    }
}

static jc_status memory_body(void *ctx)
{
    static const double values[] = {1, 2, 3, 4, 5, 7};
    jc_result r = matrix(2, 3, values);
    jc_norms n = {.struct_size = sizeof n, .frobenius = -1, .largest = -1, .smallest = -1};
    jc_status status = jc_result_norms(ctx, &r, &n);
    cr_assert(status ? n.frobenius == -1 && n.largest == -1 && n.smallest == -1 : n.smallest > 0);
    return status;
}

Test(norms, every_allocation_may_fail)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    if (!jc_blas_singular_values) return;
    cr_expect_eq(failing_allocator_sweep(&memory, "norms", memory_body, &allocator), 4);
}
