/* Splits of totals: every term against the sum over those paths, found one by one, whose first (last) variable of the
 * set is the term's; and that the sum is held against the total. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "run/split.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/oracle.h"
#include "support/sanitized.h"

enum { MAX_AT = 4 };

/* A split of a random graph. */
typedef struct split_case {
    const jt_graph *g;
    int64_t of, wrt, at[MAX_AT], n_at;
    bool last;
    jc_rule rule; /* at most one */
    int64_t n_rules, rule_variable;
    double *sums[MAX_AT + 1]; /* size(of) x size(wrt): by the position in `at`; the last one: none */
    int64_t n_paths[MAX_AT + 1];
} split_case;

static bool passes(const split_case *c, const int64_t *edges, int64_t n, int64_t variable)
{
    bool found = false;
    for (int64_t i = 1; i < n; i++) found |= c->g->edges[edges[i]].of == variable;
    return found;
}

static bool is_kept(const split_case *c, const int64_t *edges, int64_t n)
{
    if (!c->n_rules) return true;
    return passes(c, edges, n, c->rule_variable) == (c->rule.kind == JC_RULE_THROUGH);
}

/* The position in `at` of the first (last) variable inside the path; edges: target side first, so edge i leads to its
 * variable number i from the target. */
static int64_t find_cut(const split_case *c, const int64_t *edges, int64_t n)
{
    int64_t found = c->n_at;
    for (int64_t i = 1; i < n; i++)
        for (int64_t k = 0; k < c->n_at; k++)
            if (c->g->edges[edges[c->last ? n - i : i]].of == c->at[k]) found = k;
    return found;
}

static void add_path(void *ctx, const int64_t *edges, int64_t n)
{
    split_case *c = ctx;
    const jt_graph *g = c->g;
    jt_pool pool = {0};
    if (!is_kept(c, edges, n)) return;
    int64_t cut = find_cut(c, edges, n), rows = g->size[c->of], cols = rows;
    double *p = jt_alloc(&pool, rows * rows, sizeof *p);
    for (int64_t i = 0; i < rows; i++) p[i * rows + i] = 1;
    for (int64_t e = 0; e < n; e++) {
        const jt_edge *edge = &g->edges[edges[e]];
        int64_t next_cols = g->size[edge->wrt];
        double *next = jt_alloc(&pool, rows * next_cols, sizeof *next);
        for (int64_t i = 0; i < rows; i++)
            for (int64_t k = 0; k < cols; k++)
                for (int64_t j = 0; j < next_cols; j++)
                    next[i * next_cols + j] += p[i * cols + k] * edge->dense[k * next_cols + j];
        p = next, cols = next_cols;
    }
    for (int64_t i = 0; i < rows * cols; i++) c->sums[cut][i] += p[i];
    c->n_paths[cut]++;
    jt_pool_free(&pool);
}

static void case_init(split_case *c, const jt_graph *g, jt_rng *rng, jt_pool *pool)
{
    *c = (split_case){.g = g, .of = jt_below(rng, g->n_variables), .wrt = jt_below(rng, g->n_variables)};
    for (int tries = 0; tries < 20 && jt_count_paths(g, c->of, c->wrt) < 3; tries++)
        c->of = jt_below(rng, g->n_variables), c->wrt = jt_below(rng, g->n_variables);
    int64_t first = jt_below(rng, g->n_variables);
    c->n_at = jt_below(rng, (g->n_variables < MAX_AT ? g->n_variables : MAX_AT) + 1);
    for (int64_t k = 0; k < c->n_at; k++) c->at[k] = (first + k) % g->n_variables;
    c->last = jt_below(rng, 2);
    c->rule_variable = jt_below(rng, g->n_variables);
    c->rule = (jc_rule){.kind = jt_below(rng, 2) ? JC_RULE_THROUGH : JC_RULE_AVOID, .n_variables = 1};
    c->n_rules = jt_below(rng, 3) == 0;
    for (int64_t k = 0; k <= c->n_at; k++)
        c->sums[k] = jt_alloc(pool, g->size[c->of] * g->size[c->wrt], sizeof(double));
    jt_each_path(g, c->of, c->wrt, add_path, c);
}

static jc_split *split_of(const split_case *c, const char *backend)
{
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_query q = JC_QUERY_INIT;
    jc_rule rule = c->rule;
    jc_split *split;
    rule.variables = &c->rule_variable;
    q.of = &c->of, q.n_of = 1, q.wrt = &c->wrt, q.n_wrt = 1, q.rules = &rule, q.n_rules = c->n_rules;
    options.program.backend = backend;
    options.program.precision = JC_PRECISION_F64;
    jt_ok(jc_split_create(c->g->graph, &q, c->at, c->n_at, c->last, &options, &split), "a split");
    return split;
}

static double entry(const jc_result *r, int64_t i)
{
    if (r->kind == JC_RESULT_IDENTITY) return i / r->cols == i % r->cols;
    return r->data ? ((const double *)r->data)[i] : 0;
}

/* term: position in `at`, n_at: local. */
static void check_term(const split_case *c, const jc_split_term *term, int64_t at, double total_norm, uint64_t seed)
{
    const jc_result *r = &term->result;
    double squares = 0;
    cr_assert_eq(term->variable, at == c->n_at ? -1 : c->at[at], "seed %d", (int)seed);
    cr_assert(r->of == c->of && r->wrt == c->wrt && r->rows == c->g->size[c->of] && r->cols == c->g->size[c->wrt]);
    for (int64_t i = 0; i < r->rows * r->cols; i++) {
        cr_assert_eq(entry(r, i), c->sums[at][i], "seed %d, term %d", (int)seed, (int)at);
        squares += entry(r, i) * entry(r, i);
    }
    cr_assert_float_eq(term->norm, sqrt(squares), 1e-12 * sqrt(squares));
    cr_assert(total_norm ? term->share == term->norm / total_norm : isnan(term->share) || isinf(term->share));
}

typedef struct met {
    int64_t terms, locals, rules, bounded;
} met;

static void check_split(const split_case *c, const char *backend, uint64_t seed, met *m)
{
    jc_split *split = split_of(c, backend);
    jc_split_info info = {.struct_size = sizeof info};
    jc_split_term term;
    int64_t n = 0;
    jt_ok(jc_split_get_info(split, &info), "its info");
    for (int64_t k = -1; k < c->n_at; k++) {
        int64_t at = k < 0 ? c->n_at : k;
        if (!c->n_paths[at]) continue;
        cr_assert_lt(n, info.n_terms, "seed %d: %d terms", (int)seed, (int)info.n_terms);
        jt_ok(jc_split_get_term(split, n++, &term), "a term");
        check_term(c, &term, at, info.norm, seed);
        m->terms += k >= 0, m->locals += k < 0, m->rules += k >= 0 && c->n_rules;
    }
    cr_assert_eq(info.n_terms, n, "seed %d: %d terms, %d expected", (int)seed, (int)info.n_terms, (int)n);
    cr_assert_eq(info.difference, 0, "integers add up exactly");
    cr_assert_neq(info.verdict, JC_FAILED);
    m->bounded += info.verdict == JC_PASSED && info.bound > 0 && info.bound < 1e-9;
    jc_split_destroy(split);
}

Test(split, every_term_is_the_sum_over_the_paths_that_are_cut_there)
{
    met m = {0};
    for (uint64_t seed = 0; seed < (uint64_t)jt_cases(300); seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .max_paths = 600, .numbers = JT_SMALL, .largest = 0x1p40, .real = 1};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        for (int i = 0; i < 3; i++) {
            split_case c;
            case_init(&c, &g, &rng, &g.pool);
            check_split(&c, i % 2 ? "cpu" : "reference", seed, &m);
        }
        jt_graph_fini(&g);
    }
    cr_expect(m.terms > jt_cases(200) && m.locals > jt_cases(400) && m.rules > jt_cases(40), "%d %d %d", (int)m.terms,
              (int)m.locals, (int)m.rules);
    cr_expect_gt(m.bounded, jt_cases(300));
}

/* ---- one graph by hand ------------------------------------------------------------------------------------------- */

/* Scalars: a = 2 s, b = 3 a + 5 s, T = 7 b + 11 a. Paths: s a T 22, s a b T 42, s b T 35. */
typedef struct hand {
    jc_graph *graph;
    int64_t s, a, b, T;
    double number[5];
} hand;

static void hand_edge(hand *h, int64_t of, int64_t wrt, const double *number)
{
    jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
    if (number) j.values = jc_array_2d(JC_F64, 1, 1, number);
    jt_ok(jc_graph_add_edge(h->graph, of, wrt, &j, NULL, 0), "an edge");
}

/* number NULL: structure only. The numbers stay h's. */
static void hand_init(hand *h, bool numbers, const jc_allocator *allocator)
{
    jc_graph_options options = {.struct_size = sizeof options, .allocator = allocator};
    static const double values[] = {2, 3, 5, 7, 11};
    memcpy(h->number, values, sizeof values);
    jt_ok(jc_graph_create(&options, &h->graph), "a graph");
    jt_ok(jc_graph_add_variable(h->graph, "s", 1, &h->s), "s");
    jt_ok(jc_graph_add_variable(h->graph, "a", 1, &h->a), "a");
    jt_ok(jc_graph_add_variable(h->graph, "b", 1, &h->b), "b");
    jt_ok(jc_graph_add_variable(h->graph, "T", 1, &h->T), "T");
    hand_edge(h, h->a, h->s, numbers ? &h->number[0] : NULL);
    hand_edge(h, h->b, h->a, numbers ? &h->number[1] : NULL);
    hand_edge(h, h->b, h->s, numbers ? &h->number[2] : NULL);
    hand_edge(h, h->T, h->b, numbers ? &h->number[3] : NULL);
    hand_edge(h, h->T, h->a, numbers ? &h->number[4] : NULL);
    jt_ok(jc_graph_finish(h->graph), "the graph");
}

static jc_status hand_split(const hand *h, const int64_t *at, int64_t n_at, int last, jc_split **split)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &h->T, q.n_of = 1, q.wrt = &h->s, q.n_wrt = 1;
    return jc_split_create(h->graph, &q, at, n_at, last, NULL, split);
}

static double hand_term(const jc_split *split, int64_t index, int64_t variable)
{
    jc_split_term term;
    jt_ok(jc_split_get_term(split, index, &term), "a term");
    cr_assert_eq(term.variable, variable);
    return entry(&term.result, 0);
}

Test(split, first_and_last_cut_the_same_total_differently)
{
    hand h;
    jc_split *first, *last, *one;
    jc_split_info info = {.struct_size = sizeof info};
    hand_init(&h, true, NULL);
    const int64_t at[] = {h.b, h.a, h.T};
    jt_ok(hand_split(&h, at, 3, 0, &first), "first");
    jt_ok(hand_split(&h, at, 3, 1, &last), "last");
    jt_ok(hand_split(&h, at, 1, 0, &one), "at b alone");
    cr_expect_eq(hand_term(first, 0, h.b), 35);
    cr_expect_eq(hand_term(first, 1, h.a), 64);
    cr_expect_eq(hand_term(last, 0, h.b), 77);
    cr_expect_eq(hand_term(last, 1, h.a), 22);
    cr_expect_eq(hand_term(one, 0, -1), 22);
    cr_expect_eq(hand_term(one, 1, h.b), 77);
    jt_ok(jc_split_get_info(last, &info), "its info");
    cr_expect(info.n_terms == 2 && info.norm == 99 && info.verdict == JC_PASSED && !info.structure_only);
    cr_expect_eq(jc_split_get_term(last, 2, &(jc_split_term){0}), JC_E_USAGE);
    jc_split_destroy(one);
    jc_split_destroy(last);
    jc_split_destroy(first);
    jc_graph_destroy(h.graph);
}

/* dT/da: 3 edges of cost 1 with the target's row (b <- a is one product, the edges into T are none): dT/db, then dT/da.
 * Then [da/ds]local and [db/ds]local, one product each. */
Test(split, without_numbers_there_are_terms_and_their_cost)
{
    hand h, with;
    jc_split *split, *same;
    jc_split_info info = {.struct_size = sizeof info}, other = info;
    jc_split_term term;
    hand_init(&h, false, NULL);
    hand_init(&with, true, NULL);
    const int64_t at[] = {h.a, h.b};
    jt_ok(hand_split(&h, at, 2, 0, &split), "without numbers");
    jt_ok(hand_split(&with, at, 2, 0, &same), "with numbers");
    jt_ok(jc_split_get_info(split, &info), "info");
    jt_ok(jc_split_get_info(same, &other), "info");
    cr_expect(info.structure_only && info.n_terms == 2);
    cr_expect_eq(info.multiply_adds, 3);
    cr_expect_eq(other.multiply_adds, 3);
    jt_ok(jc_split_get_term(split, 1, &term), "a term");
    cr_expect(term.variable == h.b && isnan(term.norm) && isnan(term.share) && !term.result.data);
    cr_expect_eq(jc_split_get_total(split, &term.result), JC_E_USAGE);
    jc_split_destroy(same);
    jc_split_destroy(split);
    jc_graph_destroy(with.graph);
    jc_graph_destroy(h.graph);
}

/* h_(i+1) = R h_i + c s with R a rotation by 45 degrees: nothing grows, but the sum over absolute values is 2^(depth /
 * 2) times larger. At the states the bound is that of one edge; from the end, at the last state, that of all paths,
 * which says nothing: there the terms add up to the total all the same. */
Test(split, what_was_computed_once_is_not_held_against_itself)
{
    enum { DEPTH = 120 };
    static const double r[] = {0.70710678118654752, 0.70710678118654752, 0.70710678118654752, -0.70710678118654752};
    static const double c[] = {1, 2};
    jc_jacobian R = JC_JACOBIAN_INIT(JC_DENSE), C = JC_JACOBIAN_INIT(JC_DENSE);
    jc_graph *graph;
    jc_split_info info = {.struct_size = sizeof info};
    jc_query q = JC_QUERY_INIT;
    int64_t s, h[DEPTH];
    char name[16];
    R.values = jc_array_2d(JC_F64, 2, 2, r), C.values = jc_array_2d(JC_F64, 2, 1, c);
    jt_ok(jc_graph_create(NULL, &graph), "a graph");
    jt_ok(jc_graph_add_variable(graph, "s", 1, &s), "s");
    for (int i = 0; i < DEPTH; i++) {
        snprintf(name, sizeof name, "h%d", i);
        jt_ok(jc_graph_add_variable(graph, name, 2, &h[i]), name);
        if (i % (DEPTH / 2) == 0) jt_ok(jc_graph_add_edge(graph, h[i], s, &C, NULL, 0), "from s");
        if (i) jt_ok(jc_graph_add_edge(graph, h[i], h[i - 1], &R, NULL, 0), "from the state before");
    }
    jt_ok(jc_graph_finish(graph), "the graph");
    q.of = &h[DEPTH - 1], q.n_of = 1, q.wrt = &s, q.n_wrt = 1;
    for (int last = 0; last < 2; last++) {
        jc_split *split;
        jt_ok(jc_split_create(graph, &q, h, DEPTH, last, NULL, &split), "a split");
        jt_ok(jc_split_get_info(split, &info), "its info");
        cr_expect_eq(info.n_terms, last ? 1 : 2);
        cr_expect_lt(info.difference, 1e-13);
        cr_expect_eq(info.verdict, JC_PASSED, "last %d: bound %g", last, info.bound);
        cr_expect(last ? info.bound > 1 : info.bound > 0 && info.bound < 1e-14, "%g", info.bound);
        jc_split_destroy(split);
    }
    jc_graph_destroy(graph);
}

/* s -> T by 1 and by z with -1: two terms that cancel exactly. */
Test(split, terms_that_cancel_add_up_to_zero)
{
    jc_jacobian one = JC_JACOBIAN_INIT(JC_IDENTITY), minus = JC_JACOBIAN_INIT(JC_IDENTITY);
    jc_graph *graph;
    jc_split *split;
    jc_split_info info = {.struct_size = sizeof info};
    jc_query q = JC_QUERY_INIT;
    int64_t s, z, T;
    minus.scale = -1;
    jt_ok(jc_graph_create(NULL, &graph), "a graph");
    jt_ok(jc_graph_add_variable(graph, "s", 1, &s), "s");
    jt_ok(jc_graph_add_variable(graph, "z", 1, &z), "z");
    jt_ok(jc_graph_add_variable(graph, "T", 1, &T), "T");
    jt_ok(jc_graph_add_edge(graph, z, s, &one, NULL, 0), "an edge");
    jt_ok(jc_graph_add_edge(graph, T, z, &minus, NULL, 0), "an edge");
    jt_ok(jc_graph_add_edge(graph, T, s, &one, NULL, 0), "an edge");
    jt_ok(jc_graph_finish(graph), "the graph");
    q.of = &T, q.n_of = 1, q.wrt = &s, q.n_wrt = 1;
    for (int last = 0; last < 2; last++) {
        jt_ok(jc_split_create(graph, &q, &z, 1, last, NULL, &split), "a split");
        jt_ok(jc_split_get_info(split, &info), "its info");
        cr_expect(info.verdict == JC_PASSED && info.difference == 0 && info.norm == 0);
        cr_expect(info.bound > 0 && info.bound < 1e-13, "%g", info.bound);
        jc_split_destroy(split);
    }
    jc_graph_destroy(graph);
}

/* A leaky layer: z_t = diag v_t, v_(t+1) = diag v_t + weight. Exact e-prop's terms cost a trace's step in time, its way
 * to z and the product with the learning signal, (3 T - 1) h w, beside the learning signals: linear in T. */
static int64_t cost_of_eprop(int steps)
{
    enum { H = 5, W = 4 };
    static const double x[W] = {1, 2, 3, 4}, d[H] = {.5, .6, .7, .8, .9}, o[H] = {1, -1, 2, -2, 3};
    jc_jacobian param = JC_JACOBIAN_INIT(JC_WEIGHT), diagonal = JC_JACOBIAN_INIT(JC_DIAGONAL);
    jc_jacobian loss = JC_JACOBIAN_INIT(JC_DENSE);
    jc_graph *graph;
    jc_split *split;
    jc_split_info info = {.struct_size = sizeof info};
    jc_query q = JC_QUERY_INIT;
    jt_pool pool = {0};
    int64_t weight, L, *v = jt_alloc(&pool, steps, sizeof *v), *z = jt_alloc(&pool, steps, sizeof *z);
    char name[24];
    param.x = jc_array_2d(JC_F64, 1, W, x), diagonal.values = jc_array_1d(JC_F64, H, d);
    loss.values = jc_array_2d(JC_F64, 1, H, o);
    jt_ok(jc_graph_create(NULL, &graph), "a graph");
    jt_ok(jc_graph_add_variable(graph, "W", H * W, &weight), "W");
    jt_ok(jc_graph_add_variable(graph, "L", 1, &L), "L");
    for (int t = 0; t < steps; t++) {
        snprintf(name, sizeof name, "v%d", t);
        jt_ok(jc_graph_add_variable(graph, name, H, &v[t]), name);
        snprintf(name, sizeof name, "z%d", t);
        jt_ok(jc_graph_add_variable(graph, name, H, &z[t]), name);
        jt_ok(jc_graph_add_edge(graph, v[t], weight, &param, NULL, 0), "param");
        if (t) jt_ok(jc_graph_add_edge(graph, v[t], v[t - 1], &diagonal, NULL, 0), "leak");
        jt_ok(jc_graph_add_edge(graph, z[t], v[t], &diagonal, NULL, 0), "spike");
        jt_ok(jc_graph_add_edge(graph, L, z[t], &loss, NULL, 0), "loss");
    }
    jt_ok(jc_graph_finish(graph), "the graph");
    q.of = &L, q.n_of = 1, q.wrt = &weight, q.n_wrt = 1;
    jt_ok(jc_split_create(graph, &q, z, steps, 0, NULL, &split), "a split");
    jt_ok(jc_split_get_info(split, &info), "its info");
    cr_expect_eq(info.verdict, JC_PASSED);
    cr_expect_eq(info.n_terms, steps);
    cr_expect_leq(info.multiply_adds, (3 * (int64_t)steps - 1) * H * W, "%d steps", steps);
    jc_split_destroy(split);
    jc_graph_destroy(graph);
    jt_pool_free(&pool);
    return info.multiply_adds;
}

Test(split, exact_eprop_is_linear_in_time)
{
    cr_expect_eq(cost_of_eprop(100) - cost_of_eprop(50), cost_of_eprop(150) - cost_of_eprop(100));
}

/* A term that is off by little is found; NaN cannot be decided. */
Test(split, what_does_not_add_up_is_said)
{
    hand h;
    jc_split *split;
    jc_query q = JC_QUERY_INIT;
    hand_init(&h, true, NULL);
    q.of = &h.T, q.n_of = 1, q.wrt = &h.s, q.n_wrt = 1;
    jt_ok(hand_split(&h, &h.a, 1, 0, &split), "a split");
    cr_assert_eq(split->info.verdict, JC_PASSED);
    *(double *)split->owned[0] *= 1 + 1e-13;
    jt_ok(jc_split_judge(split, h.graph, &q, &h.a, 1), "judged");
    cr_expect_eq(split->info.verdict, JC_FAILED);
    cr_expect(split->info.difference > 1e-15 && split->info.difference < 1e-12);
    *(double *)split->owned[0] = NAN;
    jt_ok(jc_split_judge(split, h.graph, &q, &h.a, 1), "judged");
    cr_expect_eq(split->info.verdict, JC_UNDECIDED);
    cr_expect(isnan(split->info.difference));
    jc_split_destroy(split);
    h.number[4] = INFINITY;
    jt_ok(hand_split(&h, &h.a, 1, 0, &split), "a split with Inf");
    cr_expect_eq(split->info.verdict, JC_UNDECIDED);
    cr_expect_eq(split->info.n_non_finite, 1);
    jc_split_destroy(split);
    jc_graph_destroy(h.graph);
}

Test(split, requests_that_do_not_apply_are_refused)
{
    hand h;
    jc_split *split = NULL;
    jc_query q = JC_QUERY_INIT;
    hand_init(&h, true, NULL);
    const int64_t twice[] = {h.a, h.a}, missing = 9, both[] = {h.a, h.b};
    cr_expect_eq(hand_split(&h, twice, 2, 0, &split), JC_E_USAGE);
    cr_expect(strstr(jc_last_error(), "a is named twice"), "%s", jc_last_error());
    cr_expect_eq(hand_split(&h, &missing, 1, 0, &split), JC_E_USAGE);
    cr_expect_eq(hand_split(&h, NULL, 1, 0, &split), JC_E_USAGE);
    q.of = &h.T, q.n_of = 1, q.wrt = both, q.n_wrt = 2;
    cr_expect_eq(jc_split_create(h.graph, &q, &h.b, 1, 0, NULL, &split), JC_E_USAGE);
    q.n_wrt = 1, q.seed = JC_SEED_ROWS, q.seed_width = 1;
    cr_expect_eq(jc_split_create(h.graph, &q, &h.b, 1, 0, NULL, &split), JC_E_USAGE);
    cr_expect_null(split);
    jc_graph_destroy(h.graph);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef struct swept {
    hand h;
    int last, with_rule;
} swept;

static jc_status make_split(void *ctx)
{
    const swept *s = ctx;
    const hand *h = &s->h;
    const int64_t at[] = {h->a, h->b};
    jc_rule rule = {.kind = JC_RULE_THROUGH, .variables = &h->b, .n_variables = 1};
    jc_query q = JC_QUERY_INIT;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_split *split = NULL;
    q.of = &h->T, q.n_of = 1, q.wrt = &h->s, q.n_wrt = 1, q.rules = &rule, q.n_rules = s->with_rule;
    options.program.backend = "reference";
    jc_status status = jc_split_create(h->graph, &q, at, 2, s->last, &options, &split);
    jc_split_destroy(split);
    return status;
}

Test(split, every_allocation_may_fail)
{
    failing_allocator state;
    jc_allocator allocator = failing_allocator_init(&state, -1);
    swept s = {.last = 0};
    hand_init(&s.h, true, &allocator);
    for (int i = 0; i < 2; i++) {
        s.last = s.with_rule = i;
        cr_expect_gt(failing_allocator_sweep(&state, "a split", make_split, &s), 50);
    }
    jc_graph_destroy(s.h.graph);
    cr_expect_eq(state.live_blocks, 0);
}
