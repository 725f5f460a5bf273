/* Numbers of paths that are known in closed form, where no list would end; and where rules have too many states. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "paths/help.h"
#include "support/compute.h"
#include "support/failing_allocator.h"

/* ---- a spiking layer of scalars ---------------------------------------------------------------------------------- */

/* Step t: v[i] is reached by leak from v[i] and by rec from every z[i] of the step before; z[i] <- v[i] by spike;
 * y[k] <- z[i] by readout, y[k] <- y[k] of the step before by filter; the loss has every y[k]. The weight feeds v[0].
 */
typedef struct layer {
    int64_t n, K, T;
} layer;

static int64_t v_at(const layer *l, int64_t t, int64_t i)
{
    return 1 + t * (2 * l->n + l->K) + i;
}

static int64_t z_at(const layer *l, int64_t t, int64_t i)
{
    return v_at(l, t, l->n + i);
}

static int64_t y_at(const layer *l, int64_t t, int64_t k)
{
    return v_at(l, t, 2 * l->n + k);
}

static int64_t loss_of(const layer *l)
{
    return v_at(l, l->T, 0);
}

enum { PARAM, LEAK, SPIKE, REC, READOUT, FILTER, LOSS, N_LABELS };

static void add_edge(jc_graph *g, int64_t of, int64_t wrt, int label)
{
    static const char *const names[] = {"param", "leak", "spike", "rec", "readout", "filter", "loss"};
    jc_jacobian one = JC_JACOBIAN_INIT(JC_IDENTITY);
    jt_ok(jc_graph_add_edge(g, of, wrt, &one, &names[label], 1), "edge");
}

static void add_step(jc_graph *g, const layer *l, int64_t t)
{
    add_edge(g, v_at(l, t, 0), 0, PARAM);
    for (int64_t i = 0; i < l->n; i++) {
        add_edge(g, z_at(l, t, i), v_at(l, t, i), SPIKE);
        for (int64_t k = 0; k < l->K; k++) add_edge(g, y_at(l, t, k), z_at(l, t, i), READOUT);
        if (t == 0) continue;
        add_edge(g, v_at(l, t, i), v_at(l, t - 1, i), LEAK);
        for (int64_t j = 0; j < l->n; j++) add_edge(g, v_at(l, t, i), z_at(l, t - 1, j), REC);
    }
    for (int64_t k = 0; k < l->K; k++) {
        add_edge(g, loss_of(l), y_at(l, t, k), LOSS);
        if (t) add_edge(g, y_at(l, t, k), y_at(l, t - 1, k), FILTER);
    }
}

static jc_graph *layer_graph(const layer *l)
{
    jt_scalars net = jt_scalars_of(loss_of(l) + 1, NULL);
    for (int64_t t = 0; t < l->T; t++) add_step(net.graph, l, t);
    jt_ok(jc_graph_finish(net.graph), "finish");
    return net.graph;
}

static void expect_count(const jc_graph *g, const layer *l, const jc_rule *rules, int64_t n_rules, int64_t expected)
{
    int64_t of = loss_of(l), wrt = 0;
    jc_query q = JC_QUERY_INIT;
    jc_paths *paths;
    const char *count;
    char text[32];
    q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.rules = rules, q.n_rules = n_rules;
    snprintf(text, sizeof text, "%lld", (long long)expected);
    jt_ok(jc_paths_create(g, &q, &paths), "paths");
    jt_ok(jc_paths_count(paths, &count), "count");
    cr_assert_str_eq(count, text, "%lld, %lld, %lld", (long long)l->n, (long long)l->K, (long long)l->T);
    jc_paths_destroy(paths);
}

static int64_t choose(int64_t n, int64_t k)
{
    int64_t c = 1;
    for (int64_t i = 1; i <= k; i++) c = c * (n - k + i) / i;
    return k > n ? 0 : c;
}

static int64_t power(int64_t base, int64_t n)
{
    int64_t p = 1;
    while (n-- > 0) p *= base;
    return p;
}

/* K sum_m (1+n)^m C(T-m+1, 2); K sum_m C(m, h) n^h C(T-m+1, 2) with h of the m steps by rec; K C(T+2, 3). */
static void check_layer(const layer *l, int64_t all, int64_t eprop)
{
    jc_graph *g = layer_graph(l);
    jc_rule match = {.kind = JC_RULE_MATCH, .expression = "param leak* spike readout filter* loss"};
    jc_rule avoid = {.kind = JC_RULE_AVOID_LABEL, .labels = (const char *[]){"rec"}, .n_labels = 1};
    int64_t sum = 0;
    for (int64_t m = 0; m < l->T; m++) sum += l->K * power(1 + l->n, m) * choose(l->T - m + 1, 2);
    cr_assert_eq(sum, all);
    cr_assert_eq(l->K * choose(l->T + 2, 3), eprop);
    expect_count(g, l, NULL, 0, all);
    expect_count(g, l, &match, 1, eprop);
    expect_count(g, l, &avoid, 1, eprop);
    for (int64_t h = 0; h <= l->T; h++) {
        jc_rule hops = {.kind = JC_RULE_USES, .labels = (const char *[]){"rec"}, .n_labels = 1, .count = h};
        int64_t with = 0;
        for (int64_t m = 0; m < l->T; m++) with += l->K * choose(m, h) * power(l->n, h) * choose(l->T - m + 1, 2);
        expect_count(g, l, &hops, 1, with);
    }
    jc_graph_destroy(g);
}

Test(rules_scale, a_spiking_layer_has_as_many_paths_as_the_closed_form_says)
{
    check_layer(&(layer){4, 2, 6}, 12192, 112);
    check_layer(&(layer){8, 2, 10}, INT64_C(1103240360), 440);
}

/* ---- too many states --------------------------------------------------------------------------------------------- */

/* v0 -> v1 -> .., by an edge "a" and an edge "b" each time. */
static jc_graph *chain(int64_t length, const jc_allocator *allocator)
{
    jt_scalars net = jt_scalars_of(length + 1, allocator);
    static const char *const labels[] = {"a", "b"};
    jc_jacobian one = JC_JACOBIAN_INIT(JC_IDENTITY);
    for (int64_t i = 0; i < length; i++)
        for (int k = 0; k < 2; k++) jt_ok(jc_graph_add_edge(net.graph, i + 1, i, &one, &labels[k], 1), "edge");
    jt_ok(jc_graph_finish(net.graph), "finish");
    return net.graph;
}

static jc_query chain_query(const int64_t *ends, const jc_rule *rule)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &ends[1], q.n_of = 1, q.wrt = &ends[0], q.n_wrt = 1, q.rules = rule, q.n_rules = 1;
    return q;
}

/* Which of the last 15 edges are an a: 2^15 states. */
Test(rules_scale, over_ten_thousand_states_are_refused_with_their_number_and_nothing_is_lost)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph *g = chain(40, &allocator);
    int64_t ends[] = {0, 40}, live = memory.live_blocks;
    jc_rule rule = {.kind = JC_RULE_MATCH, .expression = "(a|b)* a (a|b){14}"};
    jc_query q = chain_query(ends, &rule);
    jc_plan *plan = NULL;
    jc_paths *paths = NULL;
    cr_assert_eq(jc_plan_create(g, &q, &plan), JC_E_USAGE);
    cr_assert(strstr(jc_last_error(), "10000") && strstr(jc_last_error(), "10001"), "%s", jc_last_error());
    cr_assert_eq(jc_paths_create(g, &q, &paths), JC_E_USAGE);
    cr_assert(strstr(jc_last_error(), "10001"), "%s", jc_last_error());
    cr_assert_null(plan);
    cr_assert_null(paths);
    cr_assert_eq(memory.live_blocks, live);
    cr_assert_eq(memory.defects, 0);
    jc_graph_destroy(g);
    cr_assert_eq(memory.live_blocks, 0);
}

/* Only the states that a graph reaches count: on a short chain the same expression has few. */
Test(rules_scale, states_are_those_that_the_graph_reaches)
{
    struct {
        const char *expression;
        int64_t length;
        const char *count; /* half of all words have the a where it is asked for */
    } cases[] = {
        {"(a|b)* a (a|b){12}", 30, "536870912"}, {"(a|b)* a (a|b){14}", 13, "0"}, {"(a|b)* a (a|b){5}", 6, "32"}};
    for (int i = 0; i < 3; i++) {
        jc_graph *g = chain(cases[i].length, NULL);
        int64_t ends[] = {0, cases[i].length};
        jc_rule rule = {.kind = JC_RULE_MATCH, .expression = cases[i].expression};
        jc_query q = chain_query(ends, &rule);
        jc_paths *paths;
        const char *count;
        jt_ok(jc_paths_create(g, &q, &paths), "paths");
        jt_ok(jc_paths_count(paths, &count), "count");
        cr_assert_str_eq(count, cases[i].count, "%s", cases[i].expression);
        jc_paths_destroy(paths);
        jc_graph_destroy(g);
    }
}

/* ---- a long chain ------------------------------------------------------------------------------------------------ */

/* "Exactly one a" of a hundred thousand places: as many paths, two states, no recursion. */
Test(rules_scale, a_chain_of_a_hundred_thousand_variables_under_a_rule)
{
    enum { LENGTH = 100000 };
    jc_graph *g = chain(LENGTH, NULL);
    int64_t ends[] = {0, LENGTH};
    jc_rule rule = {.kind = JC_RULE_USES, .labels = (const char *[]){"a"}, .n_labels = 1, .count = 1};
    jc_query q = chain_query(ends, &rule);
    jc_paths *paths;
    jc_results *results;
    jc_result r;
    const char *count;
    jt_ok(jc_paths_create(g, &q, &paths), "paths");
    jt_ok(jc_paths_count(paths, &count), "count");
    cr_assert_str_eq(count, "100000");
    jc_paths_destroy(paths);
    jt_ok(jc_evaluate(g, &q, NULL, &results), "evaluate");
    jt_ok(jc_results_get(results, 0, &r), "result");
    cr_assert_eq(((const double *)r.data)[0], LENGTH); /* every Jacobian is 1 */
    jc_results_destroy(results);
    jc_graph_destroy(g);
}

/* ---- memory ------------------------------------------------------------------------------------------------------ */

typedef struct sweep {
    const jc_graph *graph;
    jc_query query;
    jc_seed seed;
} sweep;

static jc_status plan_body(void *ctx)
{
    sweep *s = ctx;
    jc_plan *plan = NULL;
    jc_status status = jc_plan_create(s->graph, &s->query, &plan);
    cr_assert_eq(!plan, status != JC_OK);
    jc_plan_destroy(plan);
    return status;
}

static jc_status paths_body(void *ctx)
{
    sweep *s = ctx;
    jc_paths *paths = NULL;
    const char *count;
    jc_status status = jc_paths_create(s->graph, &s->query, &paths);
    cr_assert_eq(!paths, status != JC_OK);
    if (!status) status = jc_paths_count(paths, &count);
    jc_paths_destroy(paths);
    return status;
}

static jc_status check_body(void *ctx)
{
    sweep *s = ctx;
    jc_check_report *report = NULL;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    o.backend = "reference";
    jc_status status = jc_check(s->graph, &s->query, &o, &report);
    cr_assert_eq(!report, status != JC_OK);
    jc_check_destroy(report);
    return status;
}

/* Each kind alone, then all of them together. */
Test(rules_scale, every_allocation_under_rules_may_fail)
{
    static const int64_t variables[] = {2, 3};
    static const char *const labels[] = {"a"};
    static const jc_rule kinds[] = {
        {.kind = JC_RULE_AVOID, .variables = variables, .n_variables = 0},
        {.kind = JC_RULE_THROUGH, .variables = variables, .n_variables = 2},
        {.kind = JC_RULE_FIRST, .variables = variables, .n_variables = 2},
        {.kind = JC_RULE_LAST, .variables = &variables[1], .n_variables = 1},
        {.kind = JC_RULE_AVOID_LABEL, .labels = labels, .n_labels = 0},
        {.kind = JC_RULE_USES, .labels = labels, .n_labels = 1, .count = 2},
        {.kind = JC_RULE_MATCH, .expression = "(a b? | b){2,} .*"},
    };
    enum { N = sizeof kinds / sizeof *kinds };
    for (int i = 0; i <= N; i++) {
        failing_allocator memory;
        jc_allocator allocator = failing_allocator_init(&memory, -1);
        jc_graph *g = chain(5, &allocator);
        int64_t ends[] = {0, 5};
        sweep s = {.graph = g, .query = chain_query(ends, &kinds[i % N])};
        if (i == N) s.query.rules = kinds, s.query.n_rules = N;
        cr_assert_gt(failing_allocator_sweep(&memory, "a plan", plan_body, &s), 20);
        cr_assert_gt(failing_allocator_sweep(&memory, "paths", paths_body, &s), 20);
        cr_assert_gt(failing_allocator_sweep(&memory, "a check", check_body, &s), 40);
        s.query.seed = JC_SEED_ROWS, s.query.seed_width = 1;
        failing_allocator_sweep(&memory, "a plan with a seed", plan_body, &s);
        jc_graph_destroy(g);
        cr_assert_eq(memory.live_blocks, 0);
        cr_assert_eq(memory.defects, 0);
    }
}

/* ---- copies share their Jacobian --------------------------------------------------------------------------------- */

/* A chain of 200 x 200 Jacobians under "exactly h uses of a": each edge has about h copies, and the memory that grows
 * is that of the values. */
Test(rules_scale, copies_of_an_edge_take_no_memory_of_its_jacobian)
{
    enum { SIZE = 200, LENGTH = 12, HALF = LENGTH / 2 };
    static double numbers[SIZE * SIZE];
    static const char *const labels[] = {"a", "b"};
    jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE);
    jc_graph *g;
    int64_t v, of = LENGTH, wrt = 0, bytes[2];
    jt_ok(jc_graph_create(NULL, &g), "graph");
    for (int64_t i = 0; i <= LENGTH; i++) {
        char name[8];
        snprintf(name, sizeof name, "v%d", (int)i);
        jt_ok(jc_graph_add_variable(g, name, i == LENGTH ? 1 : SIZE, &v), "variable");
    }
    for (int64_t i = 0; i < LENGTH; i++)
        for (int k = 0; k < 2; k++) {
            dense.values = jc_array_2d(JC_F64, i + 1 == LENGTH ? 1 : SIZE, SIZE, numbers);
            jt_ok(jc_graph_add_edge(g, i + 1, i, &dense, &labels[k], 1), "edge");
        }
    jt_ok(jc_graph_finish(g), "finish");
    jc_rule rule = {.kind = JC_RULE_USES, .labels = labels, .n_labels = 1, .count = HALF};
    for (int with = 0; with < 2; with++) {
        jc_query q = JC_QUERY_INIT;
        jc_results *results;
        jc_results_info info = {.struct_size = sizeof info};
        jc_evaluate_options o = {.struct_size = sizeof o, .program = JC_PROGRAM_OPTIONS_INIT};
        q.of = &of, q.n_of = 1, q.wrt = &wrt, q.n_wrt = 1, q.order = JC_ORDER_REVERSE;
        q.rules = &rule, q.n_rules = with;
        o.program.backend = "cpu", o.program.threads = 1;
        if (jc_backend_available("cpu")) o.program.backend = "reference";
        jt_ok(jc_evaluate(g, &q, &o, &results), "evaluate");
        jt_ok(jc_results_get_info(results, &info), "info");
        bytes[with] = info.peak_bytes;
        jc_results_destroy(results);
    }
    cr_assert_gt(bytes[1], bytes[0]);
    cr_assert_lt(bytes[1] - bytes[0], (int64_t)sizeof numbers / 4, "%lld and %lld bytes", (long long)bytes[0],
                 (long long)bytes[1]);
    jc_graph_destroy(g);
}
