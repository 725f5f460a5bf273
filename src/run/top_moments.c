/* Second moments of completions: matrices G_v with C C^T <= G_v, in the order of symmetric matrices (A <= B where B - A
 * has no negative eigenvalue), for every completion C of v:
 *
 *   G_end = I,   G_v = the smallest sum A + (B - A)_+ over the edges of v one after the other, B = D_e G_u D_e^T
 *
 * M_+ has the positive eigenvalues of M alone, so that A + M_+ >= A, and >= A + M = B. For numbers that is max(A, B).
 * Every matrix is raised by a multiple of I for what rounding may take from it: docs/numerics.md. */
#include <math.h>
#include <string.h>

#include "backend/cpu/blas.h"
#include "backend/reference/reference.h"
#include "backend/reference/roundoff.h"
#include "core/size.h"
#include "run/top_bounds.h"

static const char *const WHAT = "second moments of paths";

enum { MOST_ROWS = 128, MOST_ENTRIES = 1 << 23 };

static const int64_t most_work = INT64_C(1) << 31;

/* What eigenvalues and eigenvectors of LAPACK may be off by, relative to the norm: more than any modest multiple of n
 * 2^-53 (LAPACK Users' Guide, 3rd ed., sec. 4.7). */
static const double eigen_error = 0x1p-38;

static const double roundoff = 0x1p-53;

/* ---- which there are -----------------------------------------------------------------------------------------------
 */

/* That of `end` is I and not stored. */
jc_status jc_top_moments_create(jc_top_bounds *b)
{
    int64_t n = b->walk->n_nodes, at = 0;
    bool wanted = !b->is_scalar; /* for scalars the B_v are exact */
    jc_status status = jc_alloc(&b->allocator, n + 1, sizeof *b->moment_first, WHAT, &b->moment_first);
    if (!status) status = jc_alloc_zero(&b->allocator, n, sizeof *b->trace, WHAT, &b->trace);
    if (status) return status;
    for (int64_t v = 0; v < n; v++) {
        int64_t size = jc_top_size(b, v), entries = size <= MOST_ROWS ? size * size : MOST_ENTRIES + 1;
        bool is_end = v == b->end, fits = wanted && at + entries <= MOST_ENTRIES;
        b->moment_first[v] = at;
        if (!is_end && fits) at += entries;
        if (!(is_end ? wanted : fits)) b->trace[v] = INFINITY;
        if (is_end && wanted) b->trace[v] = (double)size;
    }
    b->moment_first[n] = at;
    return jc_alloc_zero(&b->allocator, at, sizeof *b->moments, WHAT, &b->moments);
}

/* ---- what an edge makes of a moment --------------------------------------------------------------------------------
 */

/* One edge: matrices of work, owned. */
typedef struct moment {
    int64_t near, far; /* sizes */
    double *product;   /* [far x near] G D^T, or [near x far] */
    double *turned;    /* [near x far] */
    double *made;      /* [near x near] D G D^T */
    double *values;    /* [near] */
} moment;

static void moment_fini(const jc_top_bounds *b, moment *m)
{
    const jc_allocator *a = &b->allocator;
    jc_free(a, m->product, m->near * m->far, sizeof *m->product);
    jc_free(a, m->turned, m->near * m->far, sizeof *m->turned);
    jc_free(a, m->made, m->near * m->near, sizeof *m->made);
    jc_free(a, m->values, m->near, sizeof *m->values);
}

static jc_status moment_init(const jc_top_bounds *b, moment *m)
{
    const jc_allocator *a = &b->allocator;
    jc_status status = jc_alloc(a, m->near * m->far, sizeof *m->product, WHAT, &m->product);
    if (!status) status = jc_alloc(a, m->near * m->far, sizeof *m->turned, WHAT, &m->turned);
    if (!status) status = jc_alloc(a, m->near * m->near, sizeof *m->made, WHAT, &m->made);
    return status ? status : jc_alloc(a, m->near, sizeof *m->values, WHAT, &m->values);
}

/* made = D D^T, from the rows of D. */
static jc_status square(const jc_top_bounds *b, const jc_jac *jac, moment *m)
{
    jc_step step = {.a = JC_SEED_IDENTITY, .n_rows = m->near, .transpose = b->forward, .first = true};
    jc_status status = jc_reference_step(NULL, jac, &step, 0, m->near, NULL, m->product, b->scratch);
    for (int64_t i = 0; i < m->near && !status; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t k = 0; k < m->far; k++) sum += m->product[i * m->far + k] * m->product[j * m->far + k];
            m->made[i * m->near + j] = m->made[j * m->near + i] = sum;
        }
    return status;
}

/* made = D (G D^T) */
static jc_status transform(const jc_top_bounds *b, const jc_jac *jac, const double *g, moment *m)
{
    jc_step step = {.a = 0, .n_rows = m->far, .transpose = !b->forward, .first = true};
    jc_status status = jc_reference_step(NULL, jac, &step, 0, m->far, g, m->product, b->scratch);
    for (int64_t i = 0; i < m->near; i++)
        for (int64_t k = 0; k < m->far; k++) m->turned[i * m->far + k] = m->product[k * m->near + i];
    if (!status) status = jc_reference_step(NULL, jac, &step, 0, m->near, m->turned, m->made, b->scratch);
    for (int64_t i = 0; i < m->near && !status; i++)
        for (int64_t j = 0; j < i; j++) {
            double mean = 0.5 * (m->made[i * m->near + j] + m->made[j * m->near + i]);
            m->made[i * m->near + j] = m->made[j * m->near + i] = mean;
        }
    return status;
}

/* A matrix that is off by at most `error` in the 2-norm is not below the exact one once it is raised by that. */
static void raise(double *a, int64_t n, double error)
{
    for (int64_t i = 0; i < n; i++) a[i * n + i] += error;
}

/* made >= D G D^T. Each of its two products rounds n times: |E| <= 2 gamma |D| |G| |D|^T, |G|_F <= tr G. */
static jc_status make(const jc_top_bounds *b, int64_t edge, int64_t far, moment *m)
{
    jc_jac jac = jc_top_jacobian(b->walk, edge);
    jc_status status = far == b->end ? square(b, &jac, m) : transform(b, &jac, b->moments + b->moment_first[far], m);
    double n = (double)jc_max(jc_step_roundings(jac.group, false, false), jc_step_roundings(jac.group, false, true));
    double norm = b->edge_norm[edge], trace = far == b->end ? 1 : b->trace[far];
    if (!status) raise(m->made, m->near, 4 * jc_gamma(n + (double)m->far + 8, roundoff) * norm * norm * trace);
    return status;
}

/* ---- one that is below neither of two ------------------------------------------------------------------------------
 */

/* a += (made - a)_+; made is used up. */
static jc_status join(const jc_top_bounds *b, double *a, moment *m)
{
    int64_t n = m->near;
    for (int64_t i = 0; i < n * n; i++) m->made[i] -= a[i];
    double norm = jc_top_norm(m->made, n * n) + jc_top_norm(a, n * n);
    jc_status status = jc_blas_symmetric(&b->allocator, n, m->made, m->values);
    for (int64_t e = 0; e < n && !status; e++) {
        const double *vector = m->made + e * n;
        if (m->values[e] <= 0) continue;
        for (int64_t i = 0; i < n; i++)
            for (int64_t j = 0; j < n; j++) a[i * n + j] += m->values[e] * vector[i] * vector[j];
    }
    raise(a, n, eigen_error * norm);
    return status;
}

/* a += made, which is not below either: where there is no LAPACK. */
static void sum(double *a, const moment *m)
{
    int64_t n = m->near;
    double norm = jc_top_norm(m->made, n * n) + jc_top_norm(a, n * n);
    for (int64_t i = 0; i < n * n; i++) a[i] += m->made[i];
    raise(a, n, 2 * roundoff * norm);
}

static jc_status put(jc_top_bounds *b, int64_t near, moment *m)
{
    int64_t n = m->near;
    double *g = b->moments + b->moment_first[near], trace = 0;
    jc_status status = JC_OK;
    bool finite = isfinite(jc_top_norm(m->made, n * n));
    if (finite && b->trace[near] == 0)
        memcpy(g, m->made, (size_t)(n * n) * sizeof *g);
    else if (finite && jc_blas_symmetric)
        status = join(b, g, m);
    else if (finite)
        sum(g, m);
    for (int64_t i = 0; i < n; i++) trace += g[i * n + i];
    b->trace[near] = finite && isfinite(trace) ? trace * (1 + 0x1p-40) : INFINITY;
    return status;
}

/* ---- all of it -----------------------------------------------------------------------------------------------------
 */

jc_status jc_top_moments_add(jc_top_bounds *b, int64_t edge, int64_t near, int64_t far)
{
    moment m = {.near = jc_top_size(b, near), .far = jc_top_size(b, far)};
    if (isinf(b->trace[near]) || isinf(b->trace[far])) {
        b->trace[near] = INFINITY;
        return JC_OK;
    }
    int64_t work = jc_cost_mul(jc_cost_mul(m.near, m.near + m.far), m.near + m.far);
    b->moment_work = jc_cost_add(b->moment_work, jc_cost_add(4096, work));
    if (b->moment_work > most_work) {
        b->trace[near] = INFINITY;
        return JC_OK;
    }
    jc_status status = moment_init(b, &m);
    if (!status) status = make(b, edge, far, &m);
    if (!status) status = put(b, near, &m);
    moment_fini(b, &m);
    return status;
}

double jc_top_completion_norm(const jc_top_bounds *b, int64_t node)
{
    double spectral = b->spectral[node], trace = b->trace[node];
    return isinf(trace) || isnan(spectral) || node == b->end ? spectral : fmin(spectral, sqrt(trace));
}

double jc_top_moment_estimate(const jc_top_bounds *b, int64_t node, const double *p, double norm)
{
    int64_t n = jc_top_size(b, node);
    double sum_of_squares = 0;
    if (isinf(b->trace[node]) || node == b->end) return INFINITY;
    const double *g = b->moments + b->moment_first[node];
    for (int64_t r = 0; r < b->rows; r++)
        for (int64_t i = 0; i < n; i++) {
            double dot = 0;
            for (int64_t j = 0; j < n; j++) dot += g[i * n + j] * p[r * n + j];
            sum_of_squares += p[r * n + i] * dot;
        }
    double error = 2 * jc_gamma(2 * (double)n + (double)b->rows + 4, roundoff) * norm * norm * b->trace[node];
    double bound = sqrt(fmax(sum_of_squares, 0) + error);
    return isnan(bound) ? INFINITY : bound;
}
