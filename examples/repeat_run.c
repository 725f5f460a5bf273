/* Plan once, run often: a layer whose numbers change at every step.
 *
 *   a = W x,  y = f(a)        vjp with a row S:  S dy/dW, entry (i,j) = S_i f'(a_i) x_j
 *
 * The graph has the shapes; each step binds the numbers of its own Jacobians and its own seed. */
#include <jacchain.h>
#include <stdio.h>

enum { H = 3, W = 2, STEPS = 4 };

/* The numbers of step t: small integers, so that the answer is exact. */
static void make_step(int t, double x[W], double slope[H], double seed[H])
{
    for (int j = 0; j < W; j++) x[j] = t + j;
    for (int i = 0; i < H; i++) slope[i] = 1 + i * t;
    for (int i = 0; i < H; i++) seed[i] = t - i;
}

/* a <- w of kind weight, y <- a diagonal; the numbers are those of step 0 until others are bound. */
static jc_status build(jc_graph *graph, const double x[W], const double slope[H], int64_t *w, int64_t *y)
{
    int64_t a;
    jc_jacobian product = JC_JACOBIAN_INIT(JC_WEIGHT), activation = JC_JACOBIAN_INIT(JC_DIAGONAL);
    product.x = jc_array_2d(JC_F64, 1, W, x);
    activation.values = jc_array_1d(JC_F64, H, slope);
    jc_status status = jc_graph_add_variable(graph, "w", H * W, w);
    if (!status) status = jc_graph_add_variable(graph, "a", H, &a);
    if (!status) status = jc_graph_add_variable(graph, "y", H, y);
    if (!status) status = jc_graph_add_edge(graph, a, *w, &product, NULL, 0);    /* edge 0 */
    if (!status) status = jc_graph_add_edge(graph, *y, a, &activation, NULL, 0); /* edge 1 */
    if (!status) status = jc_graph_finish(graph);
    return status;
}

/* Binds the numbers of step t, executes, and counts the wrong entries; -1 on failure. */
static int run_step(jc_run *run, int t)
{
    double x[W], slope[H], seed[H];
    make_step(t, x, slope, seed);
    if (jc_run_bind_jacobian(run, 0, "x", JC_F64, x) || jc_run_bind_jacobian(run, 1, "values", JC_F64, slope) ||
        jc_run_bind_seed(run, JC_F64, seed))
        return -1;
    jc_result vjp;
    if (jc_run_execute(run) || jc_run_result(run, 0, &vjp)) return -1;
    int wrong = 0;
    printf("step %d: S dy/dw =", t);
    for (int i = 0; i < H; i++) {
        for (int j = 0; j < W; j++) {
            double value = ((const double *)vjp.data)[(i * W + j) * vjp.col_stride];
            wrong += value != seed[i] * slope[i] * x[j];
            printf(" %g", value);
        }
    }
    printf("\n");
    return wrong;
}

int main(void)
{
    jc_graph *graph = NULL;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_run *run = NULL;
    int wrong = -1;
    int64_t w, y;
    double x[W], slope[H], seed[H];
    make_step(0, x, slope, seed);

    if (jc_graph_create(NULL, &graph) || build(graph, x, slope, &w, &y)) goto done;
    jc_query query = JC_QUERY_INIT;
    query.of = &y, query.n_of = 1;
    query.wrt = &w, query.n_wrt = 1;
    query.seed = JC_SEED_ROWS, query.seed_width = 1;
    if (jc_plan_create(graph, &query, &plan)) goto done;
    if (jc_program_create(plan, NULL, &program) || jc_run_create(program, &run)) goto done;
    wrong = 0;
    for (int t = 0; t < STEPS && wrong == 0; t++) wrong = run_step(run, t);
done:
    if (wrong < 0) fprintf(stderr, "%s\n", jc_last_error());
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_graph_destroy(graph);
    return wrong != 0;
}
