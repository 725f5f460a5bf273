#include "conformance/case.h"

#include "backend/reference/roundoff.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>

#include "support/floats.h"

/* The sum of the Jacobians as a list of the entries that their structure has, also those whose number is 0. */
typedef struct entry {
    int64_t row, col;
    double value, absolute;
} entry;

typedef struct problem {
    const jt_case *c;
    jt_pool pool;
    jc_graph *graph;
    int64_t rows, cols, n_entries, terms;
    entry *entries; /* [n_entries] */
    double *S;      /* k x rows, or cols x k */
    jc_dtype dtype; /* as which it is bound */
    void *bound;    /* S so */
} problem;

enum { MOST_WORK = 20000000, STANDIN_WORK = 50000 }; /* beyond that the stand-in takes part in every eighth case */
enum { ELIMINATED = 3 };                             /* every third case is computed by elimination too */

typedef enum request { VJP, JVP, TOTAL } request;

const char *jt_case_text(const jt_case *c)
{
    static _Thread_local char text[200];
    const jt_shape *s = &c->shape;
    snprintf(text, sizeof text, "%s %lld x %lld%s, batch %lld%s, inner %lld, m %lld, %lld edges, k %lld, seed %llu",
             jc_kind_name(s->kind), (long long)s->p, (long long)s->q, s->transpose ? " transposed" : "",
             (long long)s->batch, s->batched ? " own" : "", (long long)s->inner, (long long)s->m,
             (long long)c->parallel, (long long)c->k, (unsigned long long)c->seed);
    return text;
}

static void add_entries(problem *p, const jt_jacobian *jac)
{
    jt_pool pool = {0};
    double *D = jt_jacobian_dense(&pool, jac, 0, false), *A = jt_jacobian_dense(&pool, jac, 0, true);
    double *there = jt_jacobian_structure(&pool, jac, 0);
    int64_t n = p->n_entries;
    for (int64_t i = 0; i < p->rows * p->cols; i++) n += there[i] != 0;
    entry *entries = jt_alloc(&p->pool, n, sizeof *entries);
    for (int64_t i = 0; i < p->n_entries; i++) entries[i] = p->entries[i];
    for (int64_t i = 0; i < p->rows * p->cols; i++)
        if (there[i] != 0) entries[p->n_entries++] = (entry){i / p->cols, i % p->cols, D[i], A[i]};
    p->entries = entries;
    p->terms += jt_jacobian_terms(jac) + 1;
    jt_pool_free(&pool);
}

static void poison_numbers(const jt_case *c, jt_jacobian *jac, jt_rng *rng)
{
    jt_field *field = jt_jacobian_numbers(jac);
    if (!field || !field->block || c->poison < JT_NAN_NUMBER) return;
    int64_t n = field->block * (field->batched ? jac->batch : 1);
    field->number[jt_below(rng, n)] = c->poison == JT_NAN_NUMBER ? NAN : INFINITY;
}

static void make_graph(problem *p, jt_rng *rng)
{
    const jt_case *c = p->c;
    jt_shape shape = c->shape;
    shape.mixed = true;
    int64_t w, x, r = c->shape.batch * c->shape.inner;
    p->rows = r * (c->shape.transpose ? c->shape.q : c->shape.p);
    p->cols = r * (c->shape.transpose ? c->shape.p : c->shape.q);
    jt_ok(jc_graph_create(NULL, &p->graph), "graph");
    jt_ok(jc_graph_add_variable(p->graph, "w", p->cols, &w), "w");
    jt_ok(jc_graph_add_variable(p->graph, "x", p->rows, &x), "x");
    for (int64_t i = 0; i < c->parallel; i++) {
        jt_jacobian jac =
            jt_jacobian_random(&p->pool, rng, rng, &shape, c->numbers, c->real, i % 2 ? JC_I32 : JC_I64, c->misalign);
        poison_numbers(c, &jac, rng);
        jc_jacobian public = jt_jacobian_public(&p->pool, &jac, false);
        jt_ok(jc_graph_add_edge(p->graph, x, w, &public, NULL, 0), jt_case_text(c));
        add_entries(p, &jac);
    }
    jt_ok(jc_graph_finish(p->graph), "finish");
}

/* Sums by definition: vjp S M, jvp M S, total M; and the same from absolute values. */
static void expected(const problem *p, request what, long double *E, long double *A)
{
    int64_t k = p->c->k;
    for (int64_t i = 0; i < p->n_entries; i++) {
        const entry *e = &p->entries[i];
        if (what == TOTAL) E[e->row * p->cols + e->col] += e->value, A[e->row * p->cols + e->col] += e->absolute;
        for (int64_t j = 0; j < k && what != TOTAL; j++) {
            double s = what == VJP ? p->S[j * p->rows + e->row] : p->S[e->col * k + j];
            int64_t at = what == VJP ? j * p->cols + e->col : e->row * k + j;
            E[at] += (long double)s * e->value;
            A[at] += (long double)fabs(s) * e->absolute;
        }
    }
}

/* Integers come out exactly where every operand is one that the precision has: with 16 bits not the inner vector of
 * low_rank. */
static long double tolerance(const problem *p, const jt_backend *b)
{
    bool rounded = b->precision >= JC_PRECISION_TF32, low_rank = p->c->shape.kind == JC_LOW_RANK;
    if (p->c->numbers != JT_REAL && !(rounded && low_rank)) return 0;
    jc_roundoff roundoff = jc_roundoff_of(b->precision);
    return (long double)jc_roundoff_bound(&roundoff, (double)(p->terms + 8), low_rank ? 2 : 1);
}

static void judge(const problem *p, const jt_backend *b, request what, jc_order order, const jt_result *r,
                  const long double *E, const long double *A)
{
    static const char *const names[] = {"vjp", "jvp", "total"};
    static const char *const precisions[] = {"auto", "f64", "f32", "tf32", "bf16"};
    long double gamma = tolerance(p, b);
    for (int64_t i = 0; i < r->rows * r->cols; i++) {
        bool ok = r->modulo ? r->modulo[i] == (E[i] < 0 ? (UINT64_C(1) << 61) - 1 - (uint64_t)-E[i] : (uint64_t)E[i])
                            : fabsl((long double)r->real[i] - E[i]) <= gamma * A[i];
        if (isnan(E[i])) ok = r->real && isnan(r->real[i]);
        if (isinf(E[i])) ok = r->real && (long double)r->real[i] == E[i];
        if (ok) continue;
        cr_assert_fail("%s (%s), %s, %s: %s: entry %lld,%lld is %.17g, expected %.17Lg", b->name,
                       precisions[b->precision], names[what], order == JC_ORDER_REVERSE ? "reverse" : "forward",
                       jt_case_text(p->c), (long long)(i / r->cols), (long long)(i % r->cols),
                       r->real ? r->real[i] : (double)r->modulo[i], E[i]);
    }
}

/* Whether the seed meets the Jacobian itself: in the other order it meets the rows of the Jacobian copied to a vector,
 * where what is outside the structure is a plain zero. Matters only where the seed is not finite. */
static bool in_structure(const jt_case *c, request what, jc_order order)
{
    if (c->poison != JT_NAN_SEED && c->poison != JT_INF_SEED) return true;
    return what == VJP ? order == JC_ORDER_REVERSE : what == JVP && order == JC_ORDER_FORWARD;
}

/* In the order where the seed comes last it is multiplied with the whole matrix. */
static bool too_long(const problem *p, request what, jc_order order)
{
    bool seed_last = what == VJP ? order == JC_ORDER_FORWARD : what == JVP && order == JC_ORDER_REVERSE;
    return seed_last && p->rows * p->cols * p->c->k > MOST_WORK;
}

static void ask(problem *p, request what, const long double *E, const long double *A)
{
    int64_t w = 0, x = 1;
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    jc_query q = JC_QUERY_INIT;
    q.of = &x, q.n_of = 1, q.wrt = &w, q.n_wrt = 1;
    q.seed = what == VJP ? JC_SEED_ROWS : what == JVP ? JC_SEED_COLUMNS : JC_SEED_NONE;
    q.seed_width = what == TOTAL ? 0 : p->c->k;
    for (int b = 0; b < n; b++) {
        if (jt_is_exact(&backends[b]) &&
            (p->c->numbers == JT_REAL || p->c->poison || p->n_entries * p->c->k > p->c->exact_work))
            continue;
        if (jt_is_standin(&backends[b]) && p->n_entries * p->c->k > STANDIN_WORK && p->c->seed % 8) continue;
        for (q.order = JC_ORDER_REVERSE; q.order <= JC_ORDER_ELIMINATION; q.order++) {
            if (!in_structure(p->c, what, q.order) || too_long(p, what, q.order)) continue;
            if (q.order == JC_ORDER_ELIMINATION && p->c->seed % ELIMINATED) continue;
            jt_pool pool = {0};
            jt_results results =
                jt_compute_typed(&pool, p->graph, &q, &backends[b], p->dtype, what == TOTAL ? NULL : p->bound);
            judge(p, &backends[b], what, q.order, &results.result[0], E, A);
            jt_pool_free(&pool);
        }
    }
}

/* Numbers that an f32 has: nothing is rounded before the sum. */
static void make_seed(problem *p, jt_pool *pool, jt_rng *rng, int64_t n)
{
    const jt_case *c = p->c;
    p->dtype = jt_float_type((int64_t)(c->seed % 4));
    p->S = jt_alloc(pool, n, sizeof *p->S);
    p->bound = jt_alloc(pool, n, sizeof(double));
    for (int64_t i = 0; i < n; i++) {
        double x = c->numbers == JT_REAL ? (double)(float)jt_unit(rng) : (double)jt_between(rng, -2, 2);
        p->S[i] = jt_float_round(x, p->dtype);
    }
    if (c->poison == JT_NAN_SEED || c->poison == JT_INF_SEED)
        p->S[jt_below(rng, n)] = c->poison == JT_NAN_SEED ? NAN : INFINITY;
    for (int64_t i = 0; i < n; i++) jt_float_put(p->bound, i, p->dtype, p->S[i]);
}

int64_t jt_case_check(const jt_case *c)
{
    problem p = {.c = c};
    jt_rng rng = {c->seed};
    int64_t looked_at = 0;
    if (!jt_in_sample(c->seed)) return 0;
    make_graph(&p, &rng);
    for (request what = VJP; what <= (c->no_totals ? JVP : TOTAL); what++) {
        int64_t in = what == VJP ? p.rows : p.cols, out = what == VJP ? p.cols : p.rows;
        int64_t n = what == TOTAL ? p.rows * p.cols : c->k * out;
        jt_pool pool = {0};
        p.S = jt_alloc(&pool, c->k * in, sizeof *p.S);
        make_seed(&p, &pool, &rng, c->k * in);
        long double *E = jt_alloc(&pool, n, sizeof *E), *A = jt_alloc(&pool, n, sizeof *A);
        expected(&p, what, E, A);
        ask(&p, what, E, A);
        jt_pool_free(&pool);
        looked_at += n;
    }
    jc_graph_destroy(p.graph);
    jt_pool_free(&p.pool);
    return looked_at;
}
