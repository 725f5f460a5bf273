#include "run/norm.h"

#include <math.h>

#include "backend/cpu/blas.h"
#include "backend/reference/magnitude.h"
#include "core/dtype.h"
#include "core/error.h"
#include "run/collect.h"

static double entry(const jc_result *r, int64_t i, int64_t j)
{
    return jc_load_float(r->dtype, r->data, i * r->row_stride + j * r->col_stride);
}

/* The largest absolute value, or NaN where there is one. */
static double largest_entry(const jc_result *r)
{
    double most = 0;
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) {
            double x = fabs(entry(r, i, j));
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
            double x = scalbn(entry(r, i, j), -exponent);
            sum += x * x;
        }
    return scalbn(sqrt(sum), exponent);
}

static jc_status spectral(const jc_allocator *a, const jc_result *r, double *value)
{
    double *copy;
    if (!jc_blas_largest_singular) return jc_fail(JC_E_UNAVAILABLE, "this build has no singular values");
    int64_t entries = r->rows * r->cols;
    jc_status status = jc_alloc(a, entries, sizeof *copy, "a copy of a matrix", &copy);
    if (status) return status;
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) copy[i * r->cols + j] = entry(r, i, j);
    status = jc_blas_largest_singular(a, r->cols, r->rows, copy, value);
    jc_free(a, copy, entries, sizeof *copy);
    return status;
}

jc_status jc_result_norm(const jc_allocator *a, const jc_result *r, jc_norm norm, double *value)
{
    bool unit = r->kind == JC_RESULT_IDENTITY;
    if (!r->data) {
        *value = !unit ? 0 : norm == JC_NORM_SPECTRAL ? 1 : sqrt((double)r->rows);
        return JC_OK;
    }
    double largest = largest_entry(r);
    if (norm == JC_NORM_SPECTRAL && isfinite(largest) && r->rows > 1 && r->cols > 1) return spectral(a, r, value);
    *value = largest > 0 && isfinite(largest) ? frobenius(r, largest) : largest;
    return JC_OK;
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
