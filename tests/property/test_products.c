/* Products with a seed, per-sample totals and windows of rows on random graphs, against path sums. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "backend/backend.h"
#include "support/compute.h"
#include "support/exact_backend.h"
#include "support/oracle.h"
#include "support/random_query.h"

static double *random_seed_matrix(jt_pool *pool, jt_rng *rng, int64_t n, jt_numbers numbers)
{
    double *s = jt_alloc(pool, n, sizeof *s);
    for (int64_t i = 0; i < n; i++) s[i] = numbers == JT_REAL ? jt_unit(rng) : (double)jt_between(rng, -2, 2);
    return s;
}

/* Entry (i, j) of S . T (rows) or T . S (columns), in long double. */
static long double product_entry(const jc_query *q, const double *S, const long double *T, int64_t rows, int64_t cols,
                                 int64_t i, int64_t j)
{
    long double sum = 0;
    if (q->seed == JC_SEED_ROWS)
        for (int64_t k = 0; k < rows; k++) sum += (long double)S[i * rows + k] * T[k * cols + j];
    else
        for (int64_t k = 0; k < cols; k++) sum += T[i * cols + k] * (long double)S[k * q->seed_width + j];
    return sum;
}

static int64_t seed_elements(const jt_graph *g, const jc_query *q)
{
    return q->seed_width * g->size[q->seed == JC_SEED_ROWS ? q->of[0] : q->wrt[0]];
}

static void check_product(const jt_graph *g, const jc_query *q, const double *S, const jt_result *r, uint64_t seed,
                          const char *backend)
{
    jt_pool pool = {0};
    long double *T = jt_total_by_paths(&pool, g, r->of, r->wrt, false);
    int64_t rows = g->size[r->of], cols = g->size[r->wrt];
    cr_assert_eq(r->rows, q->seed == JC_SEED_ROWS ? q->seed_width : rows);
    cr_assert_eq(r->cols, q->seed == JC_SEED_COLUMNS ? q->seed_width : cols);
    for (int64_t i = 0; i < r->rows; i++)
        for (int64_t j = 0; j < r->cols; j++) {
            long double expected = product_entry(q, S, T, rows, cols, i, j);
            bool equal = r->modulo ? r->modulo[i * r->cols + j] == jt_modulo((double)expected)
                                   : (long double)r->real[i * r->cols + j] == expected;
            cr_assert(equal, "seed %llu, %s: d%lld/d%lld entry %lld,%lld, expected %Lg", (unsigned long long)seed,
                      backend, (long long)r->of, (long long)r->wrt, (long long)i, (long long)j, expected);
        }
    jt_pool_free(&pool);
}

static void check_seeded(uint64_t seed, jc_seed kind)
{
    jt_graph g;
    jt_graph_options options = {.seed = seed, .max_paths = 300, .numbers = JT_SMALL, .largest = 0x1p18};
    jt_graph_random(&options, &g);
    jt_backend backends[JT_MAX_BACKENDS];
    int n = jt_backends(backends);
    jt_rng rng = {seed};
    jt_query q;
    jt_query_seeded(&rng, &g, kind, &q);
    double *S = random_seed_matrix(&g.pool, &rng, seed_elements(&g, &q.query), JT_SMALL);
    for (int b = 0; b < n; b++) {
        if (!jt_is_exact_up_to(&backends[b], options.largest)) continue;
        jt_results results = jt_compute(&g.pool, g.graph, &q.query, &backends[b], S);
        for (int64_t i = 0; i < results.n; i++)
            check_product(&g, &q.query, S, &results.result[i], seed, backends[b].name);
    }
    jt_graph_fini(&g);
}

Test(property, vjp_is_the_seed_times_the_path_sum)
{
    for (uint64_t seed = 0; seed < 300; seed++) check_seeded(seed, JC_SEED_ROWS);
}

Test(property, jvp_is_the_path_sum_times_the_seed)
{
    for (uint64_t seed = 300; seed < 600; seed++) check_seeded(seed, JC_SEED_COLUMNS);
}

/* ---- <U, jvp(V)> = <vjp(U), V> ----------------------------------------------------------------------------------- */

static double *product(jt_graph *g, int64_t of, int64_t wrt, jc_seed kind, int64_t width, const jt_backend *backend,
                       const double *S)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1;
    q.seed = kind, q.seed_width = width;
    jt_results results = jt_compute(&g->pool, g->graph, &q, backend, S);
    return results.result[0].real;
}

Test(property, vjp_and_jvp_agree_by_the_dot_product_identity)
{
    int64_t joined = 0;
    for (uint64_t seed = 600; seed < 900; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 1000, .numbers = JT_REAL};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_backend backends[JT_MAX_BACKENDS];
        int n = jt_backends(backends);
        int64_t wrt = g.topological[jt_below(&rng, (g.n_variables + 1) / 2)];
        int64_t of = g.topological[g.n_variables - 1 - jt_below(&rng, (g.n_variables + 1) / 2)];
        joined += jt_count_paths(&g, of, wrt) > 0;
        double *U = random_seed_matrix(&g.pool, &rng, g.size[of], JT_REAL);
        double *V = random_seed_matrix(&g.pool, &rng, g.size[wrt], JT_REAL);
        long double *absolute = jt_total_by_recurrence(&g.pool, &g, of, wrt, true);
        for (int b = 0; b < n; b++) {
            if (jt_is_exact(&backends[b])) continue;
            double *JV = product(&g, of, wrt, JC_SEED_COLUMNS, 1, &backends[b], V);
            double *UJ = product(&g, of, wrt, JC_SEED_ROWS, 1, &backends[b], U);
            long double left = 0, right = 0, bound = 0;
            for (int64_t i = 0; i < g.size[of]; i++) left += (long double)U[i] * JV[i];
            for (int64_t j = 0; j < g.size[wrt]; j++) right += (long double)UJ[j] * V[j];
            for (int64_t i = 0; i < g.size[of]; i++)
                for (int64_t j = 0; j < g.size[wrt]; j++)
                    bound += fabsl((long double)U[i] * V[j]) * absolute[i * g.size[wrt] + j];
            int64_t terms = 2 * (jt_longest_sum(&g) + g.size[of] + g.size[wrt]);
            long double gamma = jt_gamma(backends[b].precision, terms, 2 * (g.n_variables + 1));
            cr_assert(fabsl(left - right) <= gamma * bound, "seed %llu, %s: %Lg and %Lg", (unsigned long long)seed,
                      backends[b].name, left, right);
        }
        jt_graph_fini(&g);
    }
    cr_assert_gt(joined, 100);
}

/* ---- per-sample totals ------------------------------------------------------------------------------------------- */

static void check_blocks(const jt_graph *g, const jt_result *r, int64_t B, uint64_t seed, const char *backend)
{
    jt_pool pool = {0};
    long double *T = jt_total_by_paths(&pool, g, r->of, r->wrt, false);
    int64_t cols = g->size[r->wrt];
    cr_assert(r->blocks == B && r->rows * B == g->size[r->of] && r->cols * B == cols);
    for (int64_t b = 0; b < B; b++)
        for (int64_t i = 0; i < r->rows; i++)
            for (int64_t j = 0; j < r->cols; j++) {
                long double expected = T[(b * r->rows + i) * cols + b * r->cols + j];
                int64_t at = (b * r->rows + i) * r->cols + j;
                bool equal =
                    r->modulo ? r->modulo[at] == jt_modulo((double)expected) : (long double)r->real[at] == expected;
                cr_assert(equal, "seed %llu, %s: d%lld/d%lld block %lld entry %lld,%lld, expected %Lg",
                          (unsigned long long)seed, backend, (long long)r->of, (long long)r->wrt, (long long)b,
                          (long long)i, (long long)j, expected);
            }
    jt_pool_free(&pool);
}

Test(property, per_sample_totals_are_the_diagonal_blocks_of_the_path_sum)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 100, .numbers = JT_SMALL, .largest = 0x1p22};
        options.samples = 2 + (int64_t)(seed % 3);
        jt_graph_random(&options, &g);
        jt_backend backends[JT_MAX_BACKENDS];
        int n = jt_backends(backends);
        jt_rng rng = {seed};
        jt_query q;
        jt_query_totals(&rng, &g, &q);
        q.query.per_sample = options.samples;
        for (int b = 0; b < n; b++) {
            if (!jt_is_exact_up_to(&backends[b], options.largest)) continue;
            jt_results results = jt_compute(&g.pool, g.graph, &q.query, &backends[b], NULL);
            for (int64_t i = 0; i < results.n; i++)
                check_blocks(&g, &results.result[i], options.samples, seed, backends[b].name);
        }
        jt_graph_fini(&g);
    }
}

/* Whether an edge between two variables on the way from wrt to of joins different samples by its structure. */
static bool couples(const jt_graph *g, int64_t of, int64_t wrt, int64_t B)
{
    for (int64_t e = 0; e < g->n_edges; e++) {
        const jt_edge *edge = &g->edges[e];
        int64_t rows = g->size[edge->of], cols = g->size[edge->wrt];
        if (jt_count_paths(g, of, edge->of) == 0 || jt_count_paths(g, edge->wrt, wrt) == 0) continue;
        if (rows % B || cols % B || edge->is_operator) return true;
        for (int64_t i = 0; i < rows; i++)
            for (int64_t j = 0; j < cols; j++)
                if (edge->structure[i * cols + j] != 0 && i / (rows / B) != j / (cols / B)) return true;
    }
    return false;
}

/* A per-sample request is refused exactly where the structure of an edge that it uses couples samples. */
Test(property, per_sample_totals_are_refused_where_the_structure_couples_samples)
{
    int64_t refused = 0, accepted = 0;
    for (uint64_t seed = 0; seed < 6000; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 100, .numbers = JT_SMALL, .n_variables = 3};
        jt_graph_random(&options, &g);
        int64_t of = g.topological[2], wrt = g.topological[0], B = 2 + (int64_t)(seed % 3);
        jc_query q = JC_QUERY_INIT;
        q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.per_sample = B;
        jc_plan *plan = NULL;
        if (g.size[of] % B == 0 && g.size[wrt] % B == 0) {
            jc_status status = jc_plan_create(g.graph, &q, &plan);
            cr_assert_eq(status, couples(&g, of, wrt, B) ? JC_E_USAGE : JC_OK, "seed %llu: %s",
                         (unsigned long long)seed, status ? jc_last_error() : "accepted");
            refused += status != JC_OK;
            accepted += status == JC_OK && jt_count_paths(&g, of, wrt) > 0;
            jc_plan_destroy(plan);
        }
        jt_graph_fini(&g);
    }
    cr_assert(refused > 20 && accepted > 20, "refused %lld, accepted %lld", (long long)refused, (long long)accepted);
}

/* ---- windows of rows --------------------------------------------------------------------------------------------- */

/* Rows of the value of an output, pass by pass, put together. */
static void check_windows(jt_graph *g, const jc_query *query, int64_t limit, const jt_backend *backend, uint64_t seed)
{
    jc_plan *plan;
    jc_program *program;
    jc_run *run;
    jt_results whole = jt_compute(&g->pool, g->graph, query, backend, NULL);
    jt_ok(jt_plan_create(g->graph, query, limit, &plan), "plan");
    program = jt_program(plan, backend);
    const jc_backend *b = program->backend;
    jt_ok(jc_run_create(program, &run), "run");
    int64_t rows = jc_plan_seed_rows(plan);
    for (int64_t row = 0; row < rows; row += limit) {
        jc_pass pass = {row, rows - row < limit ? rows - row : limit};
        jt_ok(jc_run_execute_pass(run, &pass), "pass");
        for (int64_t i = 0; i < plan->n_outputs; i++) {
            const jc_output *o = &plan->outputs[i];
            if (o->kind != JC_OUTPUT_VALUE) continue;
            int64_t n = pass.rows, width = plan->values[o->value].cols;
            unsigned char *got = jt_alloc(&g->pool, n * width, 8);
            jt_ok(b->read(run, o->value, o->value_row, n, got), "read");
            for (int64_t k = 0; k < n * width; k++) {
                int64_t r = row + k / width, c = k % width;
                int64_t at = o->transposed ? c * o->cols + r : r * o->cols + c;
                bool equal = whole.result[i].modulo     ? whole.result[i].modulo[at] == ((uint64_t *)got)[k]
                             : program->dtype == JC_F64 ? whole.result[i].real[at] == ((double *)got)[k]
                                                        : whole.result[i].real[at] == (double)((float *)got)[k];
                cr_assert(equal, "seed %llu, %s: windows of %lld rows: row %lld, column %lld", (unsigned long long)seed,
                          backend->name, (long long)limit, (long long)r, (long long)c);
            }
        }
    }
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
}

Test(property, windows_of_rows_give_the_numbers_of_the_whole)
{
    for (uint64_t seed = 0; seed < 300; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 300, .numbers = JT_SMALL, .largest = 0x1p22};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query q;
        jt_query_totals(&rng, &g, &q);
        q.query.order = (jc_order)jt_between(&rng, JC_ORDER_REVERSE, JC_ORDER_ELIMINATION);
        if (q.query.order != JC_ORDER_FORWARD)
            q.query.n_of = 1;
        else
            q.query.n_wrt = 1, q.wrt[0] = g.topological[jt_below(&rng, (g.n_variables + 1) / 2)];
        jt_backend backends[JT_MAX_BACKENDS];
        int n = jt_backends(backends);
        int64_t rows = jt_between(&rng, 1, 5);
        for (int b = 0; b < n; b++)
            if (jt_is_exact_up_to(&backends[b], options.largest)) check_windows(&g, &q.query, rows, &backends[b], seed);
        jt_graph_fini(&g);
    }
}
