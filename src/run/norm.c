#include "run/norm.h"

#include <math.h>

#include "backend/cpu/blas.h"
#include "backend/reference/magnitude.h"
#include "core/dtype.h"
#include "core/error.h"
#include "core/size.h"
#include "run/collect.h"

double jc_result_entry(const jc_result *r, int64_t block, int64_t row, int64_t col)
{
    if (!r->data) return r->kind == JC_RESULT_IDENTITY && row == col;
    return jc_load_float(r->dtype, r->data, block * r->block_stride + row * r->row_stride + col * r->col_stride);
}

/* The largest absolute value, or NaN where there is one. */
static double largest_entry(const jc_result *r)
{
    double most = 0;
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) {
            double x = fabs(jc_result_entry(r, 0, i, j));
            if (isnan(x)) return x;
            if (x > most) most = x;
        }
    return most;
}

/* Scaled by a power of two, which rounds nothing. */
static double frobenius(const jc_result *r, double largest)
{
    int exponent = ilogb(largest);
    double sum = 0;
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) {
            double x = scalbn(jc_result_entry(r, 0, i, j), -exponent);
            sum += x * x;
        }
    return scalbn(sqrt(sum), exponent);
}

/* The ends of sigma_1 >= .. >= sigma_k, k = min(rows, cols), of a finite matrix. */
static jc_status singular_ends(const jc_allocator *a, const jc_result *r, double *largest, double *smallest)
{
    double *copy = NULL, *values = NULL;
    int64_t entries = r->rows * r->cols, k = jc_min(r->rows, r->cols);
    if (!jc_blas_singular_values) return jc_fail(JC_E_UNAVAILABLE, "this build has no singular values");
    jc_status status = jc_alloc(a, entries, sizeof *copy, "a copy of a matrix", &copy);
    if (!status) status = jc_alloc(a, k, sizeof *values, "singular values", &values);
    for (int64_t i = 0; i < r->rows && !status; i++)
        for (int64_t j = 0; j < r->cols; j++) copy[i * r->cols + j] = jc_result_entry(r, 0, i, j);
    if (!status) status = jc_blas_singular_values(a, r->cols, r->rows, copy, values);
    if (!status) *largest = values[0], *smallest = values[k - 1];
    jc_free(a, values, k, sizeof *values);
    jc_free(a, copy, entries, sizeof *copy);
    return status;
}

static double frobenius_of(const jc_result *r, double largest)
{
    if (!r->data) return r->kind == JC_RESULT_IDENTITY ? sqrt((double)r->rows) : 0;
    return largest > 0 && isfinite(largest) ? frobenius(r, largest) : largest;
}

/* The singular values of a matrix that needs no LAPACK: one without numbers, of one row or column (its only one is the
 * norm), or with a NaN or Inf, of which only the largest is known, and only if it is Inf. */
static bool simple_ends(const jc_result *r, double most, double norm, double *largest, double *smallest)
{
    bool one = r->rows == 1 || r->cols == 1, finite = !r->data || isfinite(most);
    if (r->data && !one && finite) return false;
    *largest = r->data ? norm : r->kind == JC_RESULT_IDENTITY;
    *smallest = finite || one ? *largest : NAN;
    return true;
}

static jc_status norms_of(const jc_allocator *a, const jc_result *r, bool singular, jc_norms *norms)
{
    if (r->blocks > 1) return jc_fail(JC_E_USAGE, "a result per sample is not one matrix that could have a norm");
    double most = r->data ? largest_entry(r) : 0;
    norms->frobenius = frobenius_of(r, most);
    if (!singular || simple_ends(r, most, norms->frobenius, &norms->largest, &norms->smallest)) return JC_OK;
    return singular_ends(a, r, &norms->largest, &norms->smallest);
}

jc_status jc_result_norm(const jc_allocator *a, const jc_result *r, jc_norm norm, double *value)
{
    jc_norms norms = {.struct_size = sizeof norms};
    jc_status status = norms_of(a, r, norm == JC_NORM_SPECTRAL, &norms);
    if (!status) *value = norm == JC_NORM_SPECTRAL ? norms.largest : norms.frobenius;
    return status;
}

jc_status jc_result_norms(const jc_allocator *allocator, const jc_result *r, jc_norms *norms)
{
    const jc_allocator a = jc_allocator_or_default(allocator);
    jc_norms found = {.struct_size = norms->struct_size};
    if (norms->struct_size < sizeof *norms) return jc_fail(JC_E_USAGE, "jc_norms: struct_size is not set");
    jc_status status = norms_of(&a, r, true, &found);
    if (!status) *norms = found;
    return status;
}

jc_status jc_magnitude_norm(const jc_graph *graph, const jc_query *query, int64_t memory_limit, jc_norm norm,
                            double *value)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_results *results = NULL;
    jc_result total;
    options.program.memory_limit = memory_limit;
    jc_status status = jc_evaluate_on(graph, query, &jc_backend_magnitude, &options, &results);
    if (!status) status = jc_results_get(results, 0, &total);
    if (!status) status = jc_result_norm(&graph->allocator, &total, norm, value);
    jc_results_destroy(results);
    return status;
}
