/* Norms of known matrices, and the sums over absolute values against path sums of the test's own. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "backend/cpu/blas.h"
#include "run/norm.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"

static jc_allocator heap;

static jc_result matrix(int64_t rows, int64_t cols, const double *values)
{
    heap = jc_allocator_or_default(NULL);
    return (jc_result){.blocks = 1,
                       .rows = rows,
                       .cols = cols,
                       .kind = JC_RESULT_MATRIX,
                       .dtype = JC_F64,
                       .data = values,
                       .row_stride = cols,
                       .col_stride = 1};
}

static double norm_of(const jc_result *r, jc_norm norm)
{
    double value = -1;
    jt_ok(jc_result_norm(&heap, r, norm, &value), "a norm");
    return value;
}

static void expect(const jc_result *r, double frobenius, double spectral)
{
    cr_expect_float_eq(norm_of(r, JC_NORM_FROBENIUS), frobenius, 4e-16 * frobenius, "%.17g, expected %.17g",
                       norm_of(r, JC_NORM_FROBENIUS), frobenius);
    if (jc_blas_singular_values || r->rows == 1 || r->cols == 1 || !r->data)
        cr_expect_float_eq(norm_of(r, JC_NORM_SPECTRAL), spectral, 1e-14 * spectral, "%.17g, expected %.17g",
                           norm_of(r, JC_NORM_SPECTRAL), spectral);
}

Test(norm, of_matrices_whose_singular_values_are_known)
{
    static const double row[] = {3, 4, 12}, diagonal[] = {3, 0, 0, -4}, shear[] = {1, 1, 0, 1};
    static const double hilbert[] = {1, 1 / 2., 1 / 3., 1 / 2., 1 / 3., 1 / 4., 1 / 3., 1 / 4., 1 / 5.};
    static const double outer[] = {2, 3, 6, 4, 6, 12, 4, 6, 12, 0, 0, 0}; /* (1,2,2,0) (2,3,6)^T */
    jc_result r = matrix(1, 3, row);
    expect(&r, 13, 13);
    r = matrix(3, 1, row);
    expect(&r, 13, 13);
    r = matrix(2, 2, diagonal);
    expect(&r, 5, 4);
    r = matrix(2, 2, shear);
    expect(&r, sqrt(3), (1 + sqrt(5)) / 2);
    r = matrix(3, 3, hilbert);
    expect(&r, sqrt(1 + 2 / 4. + 3 / 9. + 2 / 16. + 1 / 25.), 1.4083189271236539);
    r = matrix(4, 3, outer);
    expect(&r, 21, 21);
}

Test(norm, of_results_without_numbers)
{
    jc_result r = matrix(9, 9, NULL);
    r.kind = JC_RESULT_IDENTITY;
    expect(&r, 3, 1);
    r.kind = JC_RESULT_ZERO;
    expect(&r, 0, 0);
}

Test(norm, neither_overflows_nor_underflows_on_the_way)
{
    static const double large[] = {3e300, 4e300}, small[] = {3e-320, 4e-320}, zero[] = {0, -0.0, 0, 0};
    static const double wide[] = {3e200, 0, 0, 4e-200};
    jc_result r = matrix(1, 2, large);
    expect(&r, 5e300, 5e300);
    r = matrix(1, 2, small);
    cr_expect_float_eq(norm_of(&r, JC_NORM_FROBENIUS), 5e-320, 1e-323);
    r = matrix(2, 2, zero);
    expect(&r, 0, 0);
    r = matrix(2, 2, wide);
    expect(&r, 3e200, 3e200);
}

Test(norm, what_is_not_finite_stays_so)
{
    double values[] = {1, 2, INFINITY, 4};
    jc_result r = matrix(2, 2, values);
    cr_expect_eq(norm_of(&r, JC_NORM_FROBENIUS), INFINITY);
    cr_expect_eq(norm_of(&r, JC_NORM_SPECTRAL), INFINITY);
    values[3] = NAN;
    cr_expect(isnan(norm_of(&r, JC_NORM_FROBENIUS)));
    cr_expect(isnan(norm_of(&r, JC_NORM_SPECTRAL)));
}

/* Single precision, and the transpose by strides. */
Test(norm, takes_results_as_they_lie)
{
    static const float values[] = {1, 1, 0, 1};
    static const double wide[] = {1, 0, 0, 2, 0, 0};
    jc_result r = matrix(2, 2, NULL);
    r.dtype = JC_F32, r.data = values, r.row_stride = 1, r.col_stride = 2;
    expect(&r, sqrt(3), (1 + sqrt(5)) / 2);
    r = matrix(3, 2, wide);
    r.row_stride = 1, r.col_stride = 3;
    expect(&r, sqrt(5), sqrt(5));
}

/* The largest singular value by power iteration on A^T A. */
static double power_iteration(int64_t m, int64_t n, const double *a)
{
    long double *x = malloc((size_t)n * sizeof *x), *y = malloc((size_t)m * sizeof *y), norm = 0;
    for (int64_t j = 0; j < n; j++) x[j] = 1 + (long double)j / 7;
    for (int k = 0; k < 20000; k++) {
        long double sum = 0;
        for (int64_t j = 0; j < n; j++) sum += x[j] * x[j];
        for (int64_t j = 0; j < n; j++) x[j] /= sqrtl(sum);
        for (int64_t i = 0; i < m; i++) {
            y[i] = 0;
            for (int64_t j = 0; j < n; j++) y[i] += a[i * n + j] * x[j];
        }
        norm = 0;
        for (int64_t i = 0; i < m; i++) norm += y[i] * y[i];
        for (int64_t j = 0; j < n; j++) {
            x[j] = 0;
            for (int64_t i = 0; i < m; i++) x[j] += a[i * n + j] * y[i];
        }
    }
    free(x);
    free(y);
    return (double)sqrtl(norm);
}

Test(norm, spectral_norms_of_random_matrices_are_those_of_power_iteration)
{
    double values[7 * 9];
    jt_rng rng = {5};
    for (int64_t m = 2; m <= 7; m++)
        for (int64_t n = 2; n <= 9 && jc_blas_singular_values; n += 3) {
            for (int64_t i = 0; i < m * n; i++) values[i] = jt_unit(&rng);
            jc_result r = matrix(m, n, values);
            double expected = power_iteration(m, n, values);
            cr_expect_float_eq(norm_of(&r, JC_NORM_SPECTRAL), expected, 1e-12, "%lld x %lld", (long long)m,
                               (long long)n);
        }
}

static jc_status memory_body(void *ctx)
{
    static const double values[] = {1, 2, 3, 4, 5, 7};
    jc_result r = matrix(2, 3, values);
    double value = -1;
    jc_status status = jc_result_norm(ctx, &r, JC_NORM_SPECTRAL, &value);
    cr_assert(status ? value == -1 : value > 10);
    return status;
}

Test(norm, every_allocation_may_fail)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    if (!jc_blas_singular_values) return;
    cr_expect_eq(failing_allocator_sweep(&memory, "a norm", memory_body, &allocator), 4);
}

/* ---- sums over absolute values ----------------------------------------------------------------------------------- */

/* The same graph for the oracle with the absolute value of each entry. */
static jt_graph magnitudes(jt_graph *g)
{
    jt_graph positive = *g;
    positive.edges = jt_alloc(&g->pool, g->n_edges, sizeof *positive.edges);
    for (int64_t e = 0; e < g->n_edges; e++) {
        int64_t n = g->size[g->edges[e].of] * g->size[g->edges[e].wrt];
        double *dense = jt_alloc(&g->pool, n, sizeof *dense);
        for (int64_t i = 0; i < n; i++) dense[i] = fabs(g->edges[e].dense[i]);
        positive.edges[e] = g->edges[e];
        positive.edges[e].dense = dense;
    }
    return positive;
}

static void check_magnitude(jt_graph *g, const jt_graph *positive, int64_t of, int64_t wrt, jc_order order)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = order;
    long double *sum = jt_total_by_paths(&g->pool, positive, of, wrt, false), squares = 0;
    double norm = -1;
    for (int64_t i = 0; i < g->size[of] * g->size[wrt]; i++) squares += sum[i] * sum[i];
    jt_ok(jc_magnitude_norm(g->graph, &q, 0, JC_NORM_FROBENIUS, &norm), "a magnitude");
    cr_assert_float_eq(norm, (double)sqrtl(squares), 1e-13 * (double)sqrtl(squares), "d%lld/d%lld: %g, expected %Lg",
                       (long long)of, (long long)wrt, norm, sqrtl(squares));
}

Test(norm, magnitudes_are_path_sums_over_absolute_values_of_entries)
{
    for (uint64_t seed = 0; seed < 100; seed++) {
        jt_graph_options options = {.seed = seed, .max_paths = 200, .numbers = JT_REAL};
        jt_graph g;
        jt_graph_random(&options, &g);
        jt_graph positive = magnitudes(&g);
        for (int64_t of = 0; of < g.n_variables; of++)
            for (int64_t wrt = 0; wrt < g.n_variables; wrt++)
                check_magnitude(&g, &positive, of, wrt, (jc_order)(seed % 3));
        jt_graph_fini(&g);
    }
}
