/* Gradients in device memory, as inside a training program: the Jacobians are there already, the gradient is added to a
 * buffer of the caller's, on the caller's stream. Nothing crosses the bus but the check at the end.
 *
 *   L = f(y), y = h(x, w):   dL/dw = D[L,y] D[y,w]
 *
 * Ends with code 77 where there is no device. */
#include <cuda_runtime_api.h>
#include <math.h>
#include <stdio.h>

#include "jacchain.h"
#include "jacchain_cuda.h"

enum { N_Y = 64, N_W = 96, STEPS = 3 };

static int fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    return 1;
}

/* The two Jacobians: of L one row, of y a matrix, as some kernel of the program would leave them. */
static void fill(float *L_y, float *y_w)
{
    for (int i = 0; i < N_Y; i++) L_y[i] = (float)(i % 5 - 2);
    for (int i = 0; i < N_Y * N_W; i++) y_w[i] = (float)(i % 7 - 3);
}

/* A graph whose numbers are addresses in device memory. */
static jc_status make_graph(const float *d_L_y, const float *d_y_w, jc_graph **graph)
{
    int64_t w, y, L;
    jc_jacobian outer = JC_JACOBIAN_INIT(JC_DENSE), inner = JC_JACOBIAN_INIT(JC_DENSE);
    outer.values = jc_array_2d(JC_F32, 1, N_Y, d_L_y);
    inner.values = jc_array_2d(JC_F32, N_Y, N_W, d_y_w);
    outer.values.ownership = inner.values.ownership = JC_DEVICE;
    jc_status status = jc_graph_create(NULL, graph);
    if (!status) status = jc_graph_add_variable(*graph, "w", N_W, &w);
    if (!status) status = jc_graph_add_variable(*graph, "y", N_Y, &y);
    if (!status) status = jc_graph_add_variable(*graph, "L", 1, &L);
    if (!status) status = jc_graph_add_edge(*graph, L, y, &outer, NULL, 0);
    if (!status) status = jc_graph_add_edge(*graph, y, w, &inner, NULL, 0);
    return status ? status : jc_graph_finish(*graph);
}

/* Plans once, binds the gradient's buffer, and executes as often as there are steps. */
static jc_status add_gradients(const jc_graph *graph, float *d_gradient, cudaStream_t stream)
{
    int64_t of = jc_graph_find_variable(graph, "L"), wrt = jc_graph_find_variable(graph, "w");
    jc_query query = JC_QUERY_INIT;
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_cuda_array output = {.dtype = JC_F32, .d_data = d_gradient};
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_run *run = NULL;
    query.of = &of, query.n_of = 1, query.wrt = &wrt, query.n_wrt = 1;
    options.backend = "cuda";
    jc_status status = jc_plan_create(graph, &query, &plan);
    if (!status) status = jc_program_create(plan, &options, &program);
    if (!status) status = jc_cuda_run_create(program, NULL, &run);
    if (!status) status = jc_cuda_bind_output(run, 0, &output, 1, NULL);
    for (int step = 0; step < STEPS && !status; step++) status = jc_cuda_execute(run, stream);
    if (!status) status = jc_cuda_status(run);
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    return status;
}

/* The numbers are small integers: the sums must come out exactly. */
static int check(const float *gradient, const float *L_y, const float *y_w)
{
    for (int j = 0; j < N_W; j++) {
        double sum = 0;
        for (int i = 0; i < N_Y; i++) sum += (double)L_y[i] * (double)y_w[i * N_W + j];
        if ((double)gradient[j] != STEPS * sum) return fail("dL/dw", "a wrong number");
    }
    printf("dL/dw: %d numbers, added %d times, all exact\n", N_W, STEPS);
    return 0;
}

int main(void)
{
    static float L_y[N_Y], y_w[N_Y * N_W], gradient[N_W];
    float *d_L_y = NULL, *d_y_w = NULL, *d_gradient = NULL;
    cudaStream_t stream = NULL;
    jc_graph *graph = NULL;
    if (jc_backend_available("cuda") != JC_OK) {
        printf("not run: %s\n", jc_last_error());
        return 77;
    }
    fill(L_y, y_w);
    cudaError_t error = cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    if (!error) error = cudaMalloc((void **)&d_L_y, sizeof L_y);
    if (!error) error = cudaMalloc((void **)&d_y_w, sizeof y_w);
    if (!error) error = cudaMalloc((void **)&d_gradient, sizeof gradient);
    if (!error) error = cudaMemcpyAsync(d_L_y, L_y, sizeof L_y, cudaMemcpyHostToDevice, stream);
    if (!error) error = cudaMemcpyAsync(d_y_w, y_w, sizeof y_w, cudaMemcpyHostToDevice, stream);
    if (!error) error = cudaMemsetAsync(d_gradient, 0, sizeof gradient, stream);
    int result = error ? fail("CUDA", cudaGetErrorString(error)) : 0;
    if (!result && (make_graph(d_L_y, d_y_w, &graph) || add_gradients(graph, d_gradient, stream)))
        result = fail("jacchain", jc_last_error());
    if (!result) {
        error = cudaMemcpyAsync(gradient, d_gradient, sizeof gradient, cudaMemcpyDeviceToHost, stream);
        if (!error) error = cudaStreamSynchronize(stream);
        result = error ? fail("CUDA", cudaGetErrorString(error)) : check(gradient, L_y, y_w);
    }
    jc_graph_destroy(graph);
    cudaFree(d_gradient);
    cudaFree(d_y_w);
    cudaFree(d_L_y);
    if (stream) cudaStreamDestroy(stream);
    return result;
}
