/* What plans say of themselves: orders, costs, levels, pruning, requests that do not apply. Whether a plan is right is
 * the verifier's and the property tests' business. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

static jc_graph *graph;
static int64_t v[16];

/* w(4) -> x(3) -> L(1) by way of y(2), as in the post, and a variable that leads nowhere. */
static void build(void)
{
    static const struct {
        const char *name;
        int64_t size;
    } variables[] = {{"w", 4}, {"x", 3}, {"y", 2}, {"z", 5}, {"L", 1}, {"side", 7}, {"alone", 2}};
    static const int edges[][2] = {{1, 0}, {2, 1}, {2, 0}, {3, 2}, {3, 0}, {4, 1}, {4, 2}, {4, 3}, {5, 1}};
    static double numbers[64];
    cr_assert_eq(jc_graph_create(NULL, &graph), JC_OK);
    for (int i = 0; i < 7; i++)
        cr_assert_eq(jc_graph_add_variable(graph, variables[i].name, variables[i].size, &v[i]), JC_OK);
    for (int i = 0; i < 9; i++) {
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        j.values = jc_array_2d(JC_F64, variables[edges[i][0]].size, variables[edges[i][1]].size, numbers);
        cr_assert_eq(jc_graph_add_edge(graph, v[edges[i][0]], v[edges[i][1]], &j, NULL, 0), JC_OK, "%s",
                     jc_last_error());
    }
    cr_assert_eq(jc_graph_finish(graph), JC_OK);
}

static void drop(void)
{
    jc_graph_destroy(graph);
}

TestSuite(plan, .init = build, .fini = drop);

static jc_plan *plan_for(int64_t *of, int64_t n_of, int64_t *wrt, int64_t n_wrt, jc_order order)
{
    jc_query q = JC_QUERY_INIT;
    jc_plan *plan = NULL;
    q.of = of, q.n_of = n_of, q.wrt = wrt, q.n_wrt = n_wrt, q.order = order;
    cr_assert_eq(jc_plan_create(graph, &q, &plan), JC_OK, "%s", jc_last_error());
    return plan;
}

static jc_plan_info info_of(const jc_plan *plan)
{
    jc_plan_info info = {.struct_size = sizeof info};
    cr_assert_eq(jc_plan_get_info(plan, &info), JC_OK);
    return info;
}

/* By hand. Reverse, one row of L: only the edges behind z, y and x are multiplied with (the edges out of L copy):
 *   z: y<-z is 5x2, w<-z 5x4; y: 2x3, 2x4; x: 3x4                      10 + 20 + 6 + 8 + 12 = 56
 * Forward, four columns of w: x: y<-x 6, L<-x 3; y: z 10, L 2; z: L 5   4 * 26 = 104 */
Test(plan, costs_are_those_of_the_sweeps_by_hand)
{
    jc_plan *plan = plan_for(&v[4], 1, &v[0], 1, JC_ORDER_AUTO);
    jc_plan_info info = info_of(plan);
    cr_assert_eq(info.order, JC_ORDER_REVERSE);
    cr_assert_eq(info.reverse_cost, 56);
    cr_assert_eq(info.forward_cost, 104);
    cr_assert_eq(info.multiply_adds, 56);
    cr_assert_eq(info.elimination_cost, -1);
    cr_assert_eq(info.nodes, 5, "side and alone are not between w and L");
    cr_assert_eq(info.edges, 8);
    jc_plan_destroy(plan);
}

Test(plan, eliminates_what_lies_between_in_the_order_of_the_sweep)
{
    int64_t found[4], n;
    jc_plan *plan = plan_for(&v[4], 1, &v[0], 1, JC_ORDER_REVERSE);
    cr_assert_eq(jc_plan_eliminated(plan, found, 4, &n), JC_OK);
    cr_assert_eq(n, 3);
    cr_assert(found[0] == v[3] && found[1] == v[2] && found[2] == v[1], "z, y, x");
    jc_plan_destroy(plan);
    plan = plan_for(&v[4], 1, &v[0], 1, JC_ORDER_FORWARD);
    cr_assert_eq(jc_plan_eliminated(plan, found, 4, &n), JC_OK);
    cr_assert(n == 3 && found[0] == v[1] && found[1] == v[2] && found[2] == v[3], "x, y, z");
    jc_plan_destroy(plan);
}

Test(plan, sources_that_are_not_named_are_those_that_reach_the_target)
{
    int64_t targets[2] = {v[4], v[6]};
    jc_plan *plan = plan_for(targets, 2, NULL, 0, JC_ORDER_AUTO);
    cr_assert_eq(plan->n_outputs, 2);
    cr_assert(plan->outputs[0].of == v[4] && plan->outputs[0].wrt == v[0]);
    cr_assert(plan->outputs[1].of == v[6] && plan->outputs[1].wrt == v[6], "alone is a source that reaches itself");
    cr_assert_eq(plan->outputs[1].kind, JC_OUTPUT_IDENTITY);
    jc_plan_destroy(plan);
}

Test(plan, no_path_is_a_zero_and_nothing_is_computed)
{
    jc_plan *plan = plan_for(&v[4], 1, &v[5], 1, JC_ORDER_AUTO);
    cr_assert_eq(plan->n_steps, 0);
    cr_assert_eq(plan->outputs[0].kind, JC_OUTPUT_ZERO);
    cr_assert(plan->outputs[0].rows == 1 && plan->outputs[0].cols == 7);
    jc_plan_destroy(plan);
}

static void refused(jc_query q, const char *words)
{
    jc_plan *plan = NULL;
    cr_assert_eq(jc_plan_create(graph, &q, &plan), JC_E_USAGE, "expected a refusal with '%s'", words);
    cr_assert(strstr(jc_last_error(), words), "'%s' is not in '%s'", words, jc_last_error());
    cr_assert_null(plan);
}

Test(plan, requests_that_do_not_apply_are_refused_with_the_reason)
{
    int64_t twice[2] = {v[4], v[4]}, far = 99, both[2] = {v[0], v[1]};
    jc_query q = JC_QUERY_INIT, ok;
    q.of = &v[4], q.n_of = 1, q.wrt = &v[0], q.n_wrt = 1;
    ok = q;
    q.of = twice, q.n_of = 2, refused(q, "L is named twice"), q = ok;
    q.of = &far, refused(q, "no variable number 99"), q = ok;
    q.n_of = 0, refused(q, "at least one target"), q = ok;
    q.seed = JC_SEED_ROWS, refused(q, "width"), q = ok;
    q.seed = JC_SEED_COLUMNS, q.seed_width = 1, q.wrt = both, q.n_wrt = 2, refused(q, "exactly one source"), q = ok;
    q.seed = JC_SEED_ROWS, q.seed_width = INT64_MAX / 2, q.of = &v[3], refused(q, "larger than can be addressed"),
    q = ok;
    q.per_sample = 2, refused(q, "size of L, 1, is not a multiple of 2"), q = ok;
    q.per_sample = 2, q.of = &v[2], refused(q, "multiples of 2 samples"), q = ok;
    q.struct_size = 0, refused(q, "struct_size");
}

/* ---- edges without their numbers ---- */

static const struct {
    jc_kind kind;
    int64_t of, wrt, inner;
    int transpose;
} bare[] = {
    {JC_DENSE, 6, 4, 2, 0},   {JC_DIAGONAL, 4, 4, 2, 0}, {JC_CSR, 6, 4, 2, 1},    {JC_LOW_RANK, 6, 4, 2, 0},
    {JC_DENSE, 64, 9, 1, 0},  {JC_LOW_RANK, 6, 4, 1, 1}, {JC_SELECT, 6, 4, 2, 0}, {JC_WEIGHT, 6, 12, 2, 0},
    {JC_WEIGHT, 6, 12, 1, 0}, {JC_WEIGHT, 12, 6, 1, 1},  {JC_TRACE, 6, 12, 2, 0},
};

/* Each of them, twice between s and t, into a scalar: both orders, every backend. A dense D is p x q. */
Test(plan, edges_without_numbers_are_planned_as_dense_ones)
{
    static double numbers[64];
    for (size_t i = 0; i < sizeof bare / sizeof bare[0]; i++)
        for (int b = 0; jc_backend_name(b); b++)
            for (int forward = 0; forward < 2; forward++) {
                jc_graph *g;
                int64_t s, t, u;
                if (jc_backend_available(jc_backend_name(b))) continue;
                cr_assert_eq(jc_graph_create(NULL, &g), JC_OK);
                cr_assert_eq(jc_graph_add_variable(g, "s", bare[i].wrt, &s), JC_OK);
                cr_assert_eq(jc_graph_add_variable(g, "t", bare[i].of, &t), JC_OK);
                cr_assert_eq(jc_graph_add_variable(g, "u", 1, &u), JC_OK);
                jc_jacobian j = JC_JACOBIAN_INIT(bare[i].kind), last = JC_JACOBIAN_INIT(JC_DENSE);
                j.inner = bare[i].inner, j.transpose = bare[i].transpose;
                last.values = jc_array_2d(JC_F64, 1, bare[i].of, numbers);
                for (int k = 0; k < 2; k++) cr_assert_eq(jc_graph_add_edge(g, t, s, &j, NULL, 0), JC_OK);
                cr_assert_eq(jc_graph_add_edge(g, u, t, &last, NULL, 0), JC_OK);
                cr_assert_eq(jc_graph_finish(g), JC_OK);
                jc_query q = JC_QUERY_INIT;
                q.of = &u, q.n_of = 1, q.wrt = &s, q.n_wrt = 1;
                q.order = forward ? JC_ORDER_FORWARD : JC_ORDER_REVERSE;
                jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
                o.backend = jc_backend_name(b);
                jc_plan *plan;
                jc_program *program;
                jc_plan_info info = {.struct_size = sizeof info};
                cr_assert_eq(jc_plan_create(g, &q, &plan), JC_OK, "%s", jc_last_error());
                cr_assert_eq(jc_plan_get_info(plan, &info), JC_OK);
                cr_assert(info.structure_only);
                int64_t dense = bare[i].of * bare[i].wrt / bare[i].inner;
                cr_assert_eq(info.reverse_cost, 2 * dense, "case %zu", i);
                cr_assert_eq(info.forward_cost, bare[i].wrt * bare[i].of, "case %zu", i);
                cr_assert_eq(jc_program_create(plan, &o, &program), JC_OK, "case %zu: %s", i, jc_last_error());
                jc_run *run;
                cr_assert_eq(jc_run_create(program, &run), JC_OK);
                cr_assert_eq(jc_run_execute(run), JC_E_INPUT);
                cr_assert(strstr(jc_last_error(), "t <- s"), "%s", jc_last_error());
                jc_run_destroy(run);
                jc_program_destroy(program);
                jc_plan_destroy(plan);
                jc_graph_destroy(g);
            }
}
