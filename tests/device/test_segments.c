/* Deep and narrow chains on a device: cut into segments, which need more multiply-adds and fewer levels. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "run/choose.h"
#include "run/segments.h"
#include "standin/device.h"
#include "support/compute.h"

enum { SIZE = 2, STEPS = 400 };

/* x0 -> x1 -> .. of SIZE scalars, the last one of one; step i is a permutation or a shear, so that products stay small
 * integers. */
typedef struct deep_chain {
    jc_graph *graph;
    double numbers[STEPS][SIZE][SIZE];
    int64_t ends[2];
} deep_chain;

static void chain_init(deep_chain *c)
{
    int64_t v;
    jt_ok(jc_graph_create(NULL, &c->graph), "graph");
    for (int i = 0; i <= STEPS; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        jt_ok(jc_graph_add_variable(c->graph, name, i == STEPS ? 1 : SIZE, &v), name);
    }
    for (int i = 0; i < STEPS; i++) {
        double shear = i % 8 == 0 ? 1 : i % 8 == 4 ? -1 : 0;
        double d[SIZE][SIZE] = {{i % 3 ? 1 : 0, i % 3 ? shear : 1}, {i % 3 ? 0 : 1, i % 3 ? 1 : 0}};
        jc_jacobian j = JC_JACOBIAN_INIT(JC_DENSE);
        for (int k = 0; k < SIZE * SIZE; k++) c->numbers[i][k / SIZE][k % SIZE] = d[k / SIZE][k % SIZE];
        j.values = jc_array_2d(JC_F64, i == STEPS - 1 ? 1 : SIZE, SIZE, c->numbers[i]);
        jt_ok(jc_graph_add_edge(c->graph, i + 1, i, &j, NULL, 0), "edge");
    }
    jt_ok(jc_graph_finish(c->graph), "finish");
    c->ends[0] = 0, c->ends[1] = STEPS;
}

static jc_query whole(const deep_chain *c)
{
    jc_query q = JC_QUERY_INIT;
    q.of = &c->ends[1], q.n_of = 1, q.wrt = &c->ends[0], q.n_wrt = 1;
    return q;
}

/* The product of all Jacobians, exactly. */
static void multiply_out(const deep_chain *c, double total[SIZE][SIZE])
{
    for (int i = 0; i < SIZE * SIZE; i++) total[i / SIZE][i % SIZE] = i / SIZE == i % SIZE;
    for (int s = 0; s < STEPS; s++) {
        double next[SIZE][SIZE] = {{0}};
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                for (int k = 0; k < SIZE; k++) next[i][j] += c->numbers[s][i][k] * total[k][j];
        for (int i = 0; i < SIZE * SIZE; i++) total[i / SIZE][i % SIZE] = next[i / SIZE][i % SIZE];
    }
}

static void check_total(const deep_chain *c, const jc_program *program)
{
    double total[SIZE][SIZE];
    jc_run *run;
    jc_result r;
    multiply_out(c, total);
    jt_ok(jc_run_create(program, &run), "run");
    jt_ok(jc_run_execute(run), "execute");
    jt_ok(jc_run_result(run, 0, &r), "result");
    cr_assert(r.rows == 1 && r.cols == SIZE);
    for (int j = 0; j < SIZE; j++) cr_assert_eq(((const double *)r.data)[j * r.col_stride], total[0][j], "entry %d", j);
    jc_run_destroy(run);
}

static jc_order_choice chosen_on(const deep_chain *c, const jc_backend *backend)
{
    jc_query q = whole(c);
    jc_program_options program = JC_PROGRAM_OPTIONS_INIT;
    jc_order_options o = {.backend = backend, .program = &program};
    jc_order_choice choice;
    jt_ok(jc_order_choose(c->graph, &q, &o, &choice), "choice");
    return choice;
}

Test(segments, a_device_takes_a_deep_chain_in_segments_and_the_host_does_not)
{
    deep_chain *c = malloc(sizeof *c);
    cr_assert_not_null(c);
    chain_init(c);
    jc_order_choice host = chosen_on(c, jc_backend_find("reference"));
    cr_expect_neq(host.order, JC_ORDER_ELIMINATION);
    const jc_plan *sweep = host.candidate[host.order].plan;
    cr_expect(jc_plan_is_deep(sweep));
    if (jt_device_there()) {
        jt_device_begin(1, NULL);
        jc_order_choice device = chosen_on(c, &jt_standin_backend.base);
        const jc_order_candidate *taken = &device.candidate[device.order];
        cr_assert_eq(device.order, JC_ORDER_ELIMINATION);
        cr_expect_lt(taken->plan->n_levels, sweep->n_levels / 4, "%lld levels", (long long)taken->plan->n_levels);
        cr_expect_gt(taken->plan->multiply_adds, sweep->multiply_adds);
        check_total(c, taken->program);
        jc_order_choice_fini(&device);
        jt_device_end("a chain in segments");
    }
    jc_order_choice_fini(&host);
    jc_graph_destroy(c->graph);
    free(c);
}

/* Each way names every vertex between the ends once, and gives the product. */
Test(segments, every_way_is_an_order_of_all_vertices)
{
    static const int64_t most_levels[JC_SEGMENTS_COUNT] = {10, 45}; /* log2 400; 2 sqrt 400, and a few */
    deep_chain *c = malloc(sizeof *c);
    cr_assert_not_null(c);
    chain_init(c);
    for (int way = 0; way < JC_SEGMENTS_COUNT; way++) {
        jc_query q = whole(c);
        jc_vertex *order;
        bool seen[STEPS + 1] = {false};
        jc_plan *plan;
        jc_program *program;
        jc_program_options o = JC_PROGRAM_OPTIONS_INIT;
        jt_ok(jc_segments_order(c->graph, &q, (jc_segments)way, &order, &q.n_eliminate), "order");
        cr_assert_eq(q.n_eliminate, STEPS - 1);
        for (int64_t i = 0; i < q.n_eliminate; i++) {
            cr_expect(order[i].variable > 0 && order[i].variable < STEPS && !seen[order[i].variable]);
            seen[order[i].variable] = true;
        }
        q.order = JC_ORDER_ELIMINATION, q.eliminate = order;
        jt_ok(jc_plan_create(c->graph, &q, &plan), "plan");
        cr_expect_leq(plan->n_levels, most_levels[way], "way %d: %lld levels", way, (long long)plan->n_levels);
        o.backend = "reference";
        jt_ok(jc_program_create(plan, &o, &program), "program");
        check_total(c, program);
        jc_program_destroy(program);
        jc_plan_destroy(plan);
        jc_free(&c->graph->allocator, order, q.n_eliminate, sizeof *order);
    }
    jc_graph_destroy(c->graph);
    free(c);
}
