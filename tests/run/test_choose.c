/* The order of JC_ORDER_AUTO where there is a backend: by predicted time, within the memory and the tape limit. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "backend/backend.h"
#include "run/choose.h"
#include "support/compute.h"
#include "support/failing_allocator.h"
#include "support/random_query.h"

/* A chain of dense Jacobians between variables of these sizes; numbers are small integers. */
static jc_graph *chain(int64_t n, const int64_t *size, const double *numbers)
{
    jc_graph *g = NULL;
    int64_t v = 0;
    cr_assert_eq(jc_graph_create(NULL, &g), JC_OK);
    for (int64_t i = 0; i < n; i++) {
        char name[8] = {'x', (char)('0' + i), 0};
        cr_assert_eq(jc_graph_add_variable(g, name, size[i], &v), JC_OK);
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        if (i) j.values = jc_array_2d(JC_F64, size[i], size[i - 1], numbers);
        if (i) cr_assert_eq(jc_graph_add_edge(g, v, v - 1, &j, NULL, 0), JC_OK);
    }
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    return g;
}

static jc_query whole_chain(const int64_t *ends)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &ends[1], q.n_of = 1, q.wrt = &ends[0], q.n_wrt = 1;
    return q;
}

/* Predicted seconds of an order that is asked for, INFINITY where there is none; *own: the plan is not another's. */
static double predicted(const jc_graph *g, jc_query q, jc_order order, const jc_program_options *o)
{
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_program_info info = {.struct_size = sizeof info};
    double seconds = INFINITY;
    q.order = order;
    if (!jc_plan_create(g, &q, &plan) && !jc_program_create(plan, o, &program)) {
        jc_program_get_info(program, &info);
        seconds = info.start_seconds + info.seconds_predicted;
    }
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return seconds;
}

static jc_order taken(const jc_graph *g, const jc_query *q, const jc_program_options *program)
{
    jc_evaluate_options o = {.struct_size = sizeof o, .program = *program};
    jc_results_info info = {.struct_size = sizeof info};
    jc_results *r;
    cr_assert_eq(jc_evaluate(g, q, &o, &r), JC_OK, "%s", jc_last_error());
    cr_assert_eq(jc_results_get_info(r, &info), JC_OK);
    jc_results_destroy(r);
    return info.order;
}

static double numbers[300 * 300];

/* Wide, narrow, wide, narrow, wide: the narrow product first costs a twentieth of a sweep. */
Test(choose, auto_takes_an_elimination_that_is_faster)
{
    static const int64_t size[] = {300, 4, 300, 4, 300, 4, 300}, ends[2] = {0, 6};
    jc_graph *g = chain(7, size, numbers);
    jc_query q = whole_chain(ends);
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    o.backend = "cpu", o.threads = 1;
    cr_expect_eq(taken(g, &q, &o), JC_ORDER_ELIMINATION);
    jc_graph_destroy(g);
}

/* 12 columns forward or 16 rows in reverse through matrices of 256 x 256: forward is three quarters of the work, but by
 * products too thin for the processor's fast ways. */
Test(choose, auto_takes_the_faster_order_not_that_of_fewer_multiply_adds)
{
    static const int64_t size[] = {12, 256, 256, 256, 256, 256, 16}, ends[2] = {0, 6};
    jc_graph *g = chain(7, size, numbers);
    jc_query q = whole_chain(ends);
    jc_plan *plan;
    jc_plan_info info = {.struct_size = sizeof info};
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    o.backend = "cpu", o.threads = 1, o.precision = JC_PRECISION_F32;
    cr_assert_eq(jc_plan_create(g, &q, &plan), JC_OK);
    cr_assert_eq(jc_plan_get_info(plan, &info), JC_OK);
    cr_assert_eq(info.order, JC_ORDER_FORWARD, "without a backend multiply-adds decide");
    cr_assert_lt(info.forward_cost, info.reverse_cost);
    double reverse = predicted(g, q, JC_ORDER_REVERSE, &o), forward = predicted(g, q, JC_ORDER_FORWARD, &o);
    jc_order faster = reverse < 0.9 * forward ? JC_ORDER_REVERSE : JC_ORDER_FORWARD;
    cr_expect_eq(taken(g, &q, &o), faster, "reverse %g s, forward %g s", reverse, forward);
    jc_plan_destroy(plan);
    jc_graph_destroy(g);
}

/* Of random graphs: no order is predicted to be more than 10 % faster than the one that is taken. */
Test(choose, no_order_is_much_faster_than_the_one_taken)
{
    int64_t count[JC_ORDER_ELIMINATION + 1] = {0};
    for (uint64_t seed = 0; seed < 300; seed++) {
        jt_graph g;
        jt_graph_options options = {.seed = seed, .numbers = JT_SMALL, .n_variables = 12};
        jt_graph_random(&options, &g);
        jt_rng rng = {seed};
        jt_query query;
        jt_query_totals(&rng, &g, &query);
        jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
        o.backend = seed % 2 ? "cpu" : "reference", o.threads = 1;
        jc_query *q = &query.query;
        q->order = JC_ORDER_AUTO, q->search_seconds = 0.01;
        jc_order order = taken(g.graph, q, &o);
        double s = predicted(g.graph, *q, order, &o);
        for (int other = JC_ORDER_REVERSE; other <= JC_ORDER_ELIMINATION; other++)
            cr_expect_geq(predicted(g.graph, *q, (jc_order)other, &o), 0.8999 * s, "seed %d: order %d, other %d",
                          (int)seed, (int)order, other);
        count[order]++;
        jt_graph_fini(&g);
    }
    for (int order = JC_ORDER_REVERSE; order <= JC_ORDER_ELIMINATION; order++)
        cr_expect_gt(count[order], 3, "order %d was taken %d times", order, (int)count[order]);
}

/* ---- the tape limit ------------------------------------------------------------------------------------------- */

enum { STATES = 6 };

static int shift(void *user, jc_direction direction, jc_dtype dtype, int64_t k, const void *x, int64_t ldx, void *y,
                 int64_t ldy, int accumulate)
{
    (void)user;
    if (dtype != JC_F64) return 1;
    for (int64_t j = 0; j < k; j++)
        for (int64_t i = 0; i < STATES; i++) {
            int64_t from = direction == JC_TANGENT ? (i + 1) % STATES : (i + STATES - 1) % STATES;
            double *to = (double *)y + j * ldy + i;
            *to = (accumulate ? *to : 0) + ((const double *)x)[j * ldx + from];
        }
    return 0;
}

/* x0 -> x1 -> x2 -> x3: a rotation whose adjoints need 100 edges, transposed or not, between dense ones; the target has
 * one scalar, so that reverse is cheaper. */
static jc_graph *taped(int transpose)
{
    jc_graph *g = NULL;
    int64_t v;
    cr_assert_eq(jc_graph_create(NULL, &g), JC_OK);
    for (int i = 0; i < 4; i++) {
        char name[8] = {'x', (char)('0' + i), 0};
        cr_assert_eq(jc_graph_add_variable(g, name, i == 3 ? 1 : STATES, &v), JC_OK);
    }
    for (int i = 1; i < 4; i++) {
        jc_jacobian dense = JC_JACOBIAN_INIT(JC_DENSE), op = JC_JACOBIAN_INIT(JC_OPERATOR);
        dense.values = jc_array_2d(JC_F64, i == 3 ? 1 : STATES, STATES, numbers);
        op.transpose = transpose;
        op.op = (jc_operator){.apply = shift, .tangent_cost = 6, .adjoint_cost = 6, .edges = 100};
        cr_assert_eq(jc_graph_add_edge(g, i, i - 1, i == 2 ? &op : &dense, NULL, 0), JC_OK);
    }
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    return g;
}

/* Whether a step calls an operator for an adjoint: row by row where it is not transposed, twice transposed too. */
static bool applies_adjoints(const jc_plan *plan)
{
    bool any = false;
    for (int64_t s = 0; s < plan->n_steps; s++) {
        int64_t member;
        const jc_shape *shape = &jc_plan_jacobian(plan, plan->steps[s].b, &member)->shape;
        if (shape->kind == JC_OPERATOR) any = any || plan->steps[s].transpose == shape->transpose;
    }
    return any;
}

Test(choose, sweeps_keep_the_tape_limit)
{
    static const int64_t ends[2] = {0, 3};
    for (int transpose = 0; transpose < 2; transpose++) {
        jc_graph *g = taped(transpose);
        jc_query q = whole_chain(ends);
        jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
        jc_plan *plan;
        o.backend = "reference";
        /* reverse applies the adjoint of an operator, forward that of a transposed one */
        jc_order barred = transpose ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
        jc_order other = transpose ? JC_ORDER_REVERSE : JC_ORDER_FORWARD;
        cr_expect_eq(taken(g, &q, &o), JC_ORDER_REVERSE);
        q.limits_tape = 1, q.tape_limit = 100;
        cr_expect_eq(taken(g, &q, &o), JC_ORDER_REVERSE);
        q.tape_limit = 99;
        cr_expect_eq(taken(g, &q, &o), other);
        q.order = other;
        cr_expect_eq(jc_plan_create(g, &q, &plan), JC_OK);
        jc_plan_destroy(plan);
        q.order = JC_ORDER_ELIMINATION;
        jt_ok(jc_plan_create_limited(g, &q, 0, INT64_MAX, &plan), "an elimination");
        cr_expect(plan->eliminates && !applies_adjoints(plan), "transpose %d", transpose);
        jc_plan_destroy(plan);
        q.order = barred;
        cr_expect_eq(jc_plan_create(g, &q, &plan), JC_E_LIMIT);
        cr_expect(strstr(jc_last_error(), "x2 <- x1") && strstr(jc_last_error(), "100 edges") &&
                      strstr(jc_last_error(), "99 edges"),
                  "%s", jc_last_error());
        jc_graph_destroy(g);
    }
}

/* ---- memory ---------------------------------------------------------------------------------------------------- */

/* All three orders are planned and lowered, and each allocation fails once. */
static jc_status choose_body(void *ctx)
{
    static const int64_t ends[2] = {0, 6};
    jc_order_choice choice;
    jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
    jc_order_options options = {.program = &o, .all = true};
    jc_query q = whole_chain(ends);
    o.backend = "cpu", o.threads = 1;
    q.search_seconds = 1e-5;
    jc_status status = jc_order_choose(ctx, &q, &options, &choice);
    if (status) return status;
    cr_assert_not_null(choice.candidate[choice.order].plan);
    jc_order_choice_fini(&choice);
    return JC_OK;
}

Test(choose, without_memory_it_fails_cleanly_or_chooses_among_the_rest)
{
    static const int64_t size[] = {30, 4, 30, 4, 30, 4, 30};
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_graph *g;
    cr_assert_eq(jc_graph_create(&options, &g), JC_OK);
    for (int64_t i = 0; i < 7; i++) {
        char name[8] = {'x', (char)('0' + i), 0};
        int64_t v;
        cr_assert_eq(jc_graph_add_variable(g, name, size[i], &v), JC_OK);
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        if (i) j.values = jc_array_2d(JC_F64, size[i], size[i - 1], numbers);
        if (i) cr_assert_eq(jc_graph_add_edge(g, v, v - 1, &j, NULL, 0), JC_OK);
    }
    cr_assert_eq(jc_graph_finish(g), JC_OK);
    failing_allocator_sweep(&memory, "choosing an order", choose_body, g);
    jc_graph_destroy(g);
    cr_expect_eq(memory.live_blocks, 0);
    cr_expect_eq(memory.defects, 0);
}
