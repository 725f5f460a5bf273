/* One program, several threads: graph, plan and program are shared, each thread has a run and a seed of its own.
 *
 *   x_{l+1} = P x_l, l = 0..DEPTH-1, where P moves every entry one place down:  S dx_DEPTH/dx_0 is S moved DEPTH places
 */
#include <jacchain.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { N = 96, DEPTH = 20, WIDTH = 32, THREADS = 4, REPEATS = 10 };

typedef struct worker {
    pthread_t thread;
    const jc_program *program; /* borrowed, shared */
    int number;
    int wrong; /* entries, or -1 when a call failed */
} worker;

static double seed_entry(int number, int64_t row, int64_t col)
{
    return (double)(number + 3 * row + 7 * col);
}

static int count_wrong(const jc_result *r, int number)
{
    int wrong = 0;
    for (int64_t i = 0; i < WIDTH; i++)
        for (int64_t j = 0; j < N; j++)
            wrong += ((const double *)r->data)[i * r->row_stride + j * r->col_stride] !=
                     seed_entry(number, i, (j + DEPTH) % N);
    return wrong;
}

/* Executes again and again on the worker's own run. */
static int use_run(jc_run *run, worker *self, const double *seed)
{
    if (jc_run_bind_seed(run, JC_F64, seed)) return -1;
    int wrong = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        jc_result result;
        if (jc_run_execute(run) || jc_run_result(run, 0, &result)) return -1;
        wrong += count_wrong(&result, self->number);
    }
    return wrong;
}

static void *work(void *argument)
{
    worker *self = argument;
    static const size_t seed_bytes = sizeof(double) * WIDTH * N;
    double *seed = malloc(seed_bytes);
    jc_run *run = NULL;
    self->wrong = -1;
    if (!seed) return NULL;
    for (int64_t i = 0; i < WIDTH; i++)
        for (int64_t j = 0; j < N; j++) seed[i * N + j] = seed_entry(self->number, i, j);
    if (jc_run_create(self->program, &run) == JC_OK) self->wrong = use_run(run, self, seed);
    if (self->wrong < 0)
        fprintf(stderr, "thread %d: %s\n", self->number, jc_last_error()); /* each thread has its own */
    jc_run_destroy(run);
    free(seed);
    return NULL;
}

/* The chain, every edge with the same dense P (borrowed). */
static jc_status build(jc_graph *graph, const double *P, int64_t *first, int64_t *last)
{
    jc_status status = jc_graph_add_variable(graph, "x0", N, first);
    int64_t previous = *first;
    for (int l = 1; l <= DEPTH && !status; l++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", l);
        jc_jacobian jacobian = JC_JACOBIAN_INIT(JC_DENSE);
        jacobian.values = jc_array_2d(JC_F64, N, N, P);
        status = jc_graph_add_variable(graph, name, N, last);
        if (!status) status = jc_graph_add_edge(graph, *last, previous, &jacobian, NULL, 0);
        previous = *last;
    }
    return status ? status : jc_graph_finish(graph);
}

/* Starts all threads, waits for them, and sums what was wrong; -1 when one of them failed. */
static int run_threads(const jc_program *program)
{
    worker workers[THREADS];
    int started = 0, wrong = 0;
    for (; started < THREADS; started++) {
        workers[started] = (worker){.program = program, .number = started};
        if (pthread_create(&workers[started].thread, NULL, work, &workers[started])) break;
    }
    for (int i = 0; i < started; i++) {
        pthread_join(workers[i].thread, NULL);
        wrong = workers[i].wrong < 0 || wrong < 0 ? -1 : wrong + workers[i].wrong;
    }
    return started < THREADS ? -1 : wrong;
}

int main(void)
{
    static double P[N * N]; /* row i has its 1 in column i-1 (the first row in the last column) */
    for (int64_t i = 0; i < N; i++) P[i * N + (i + N - 1) % N] = 1;

    jc_graph *graph = NULL;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    int wrong = -1;
    int64_t first, last;
    if (jc_graph_create(NULL, &graph) || build(graph, P, &first, &last)) goto failed;
    jc_query query = JC_QUERY_INIT;
    query.of = &last, query.n_of = 1;
    query.wrt = &first, query.n_wrt = 1;
    query.seed = JC_SEED_ROWS, query.seed_width = WIDTH;
    if (jc_plan_create(graph, &query, &plan) || jc_program_create(plan, NULL, &program)) goto failed;
    wrong = run_threads(program);
    printf("%d threads, %d runs each: %s\n", THREADS, REPEATS, wrong ? "wrong" : "all as expected");
    goto done;
failed:
    fprintf(stderr, "%s\n", jc_last_error());
done:
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    jc_graph_destroy(graph);
    return wrong != 0;
}
