/* Predicted against measured time of programs: what the choice of an order by time rests on. Reverse totals of layered
 * graphs (a chain has one variable a level), whose last variable has as many scalars as there are seed rows. */
#include <math.h>
#include <stdio.h>

#include "bench.h"
#include "core/dtype.h"
#include "layers.h"

enum { KEY_BYTES = 128 };

typedef struct predict_case {
    const char *name;
    bench_layers layers;
} predict_case;

static const predict_case cases[] = {
    {"chain of scalars", {JC_DENSE, JC_F64, 20000, 1, 1, 1, 1}},
    {"scalars, wide levels", {JC_DENSE, JC_F64, 20, 2000, 4, 1, 1}},
    {"chain of 4 x 4, one row", {JC_DENSE, JC_F32, 20000, 1, 1, 4, 1}},
    {"chain of 16 x 16, one row", {JC_DENSE, JC_F32, 20000, 1, 1, 16, 1}},
    {"chain of 64 x 64, one row", {JC_DENSE, JC_F32, 2000, 1, 1, 64, 1}},
    {"levels of 16 x 16, one row", {JC_DENSE, JC_F32, 20, 500, 4, 16, 1}},
    {"levels of 16 x 16, one row", {JC_DENSE, JC_F64, 20, 500, 4, 16, 1}},
    {"chain of 5 x 5, 5 rows", {JC_DENSE, JC_F64, 20000, 1, 1, 5, 5}},
    {"chain of 16 x 16, 16 rows", {JC_DENSE, JC_F32, 10000, 1, 1, 16, 16}},
    {"chain of 16 x 16, 16 rows", {JC_DENSE, JC_F64, 10000, 1, 1, 16, 16}},
    {"chain of 16 x 16, 1024 rows", {JC_DENSE, JC_F32, 200, 1, 1, 16, 1024}},
    {"levels of 32 x 32, 64 rows", {JC_DENSE, JC_F32, 20, 64, 4, 32, 64}},
    {"levels of 32 x 32, 64 rows", {JC_DENSE, JC_F64, 20, 64, 4, 32, 64}},
    {"levels of 32 x 32, 2048 rows", {JC_DENSE, JC_F32, 5, 16, 4, 32, 2048}},
    {"chain of 64 x 64, 64 rows", {JC_DENSE, JC_F32, 500, 1, 1, 64, 64}},
    {"chain of 64 x 64, 64 rows", {JC_DENSE, JC_F64, 500, 1, 1, 64, 64}},
    {"chain of 256 x 256, 8 rows", {JC_DENSE, JC_F32, 100, 1, 1, 256, 8}},
    {"chain of 256 x 256, 256 rows", {JC_DENSE, JC_F32, 20, 1, 1, 256, 256}},
    {"chain of 1024 x 1024, one row", {JC_DENSE, JC_F32, 40, 1, 1, 1024, 1}},
    {"chain of 1024 x 1024, 1024 rows", {JC_DENSE, JC_F32, 3, 1, 1, 1024, 1024}},
    {"chain of 1024 x 1024, 1024 rows", {JC_DENSE, JC_F64, 2, 1, 1, 1024, 1024}},
    {"diagonals of 100, one row", {JC_DIAGONAL, JC_F64, 5000, 1, 1, 100, 1}},
    {"diagonals of 10^6, one row", {JC_DIAGONAL, JC_F64, 20, 1, 1, 1000000, 1}},
    {"diagonals of 1000, 100 rows", {JC_DIAGONAL, JC_F32, 100, 1, 1, 1000, 100}},
    {"csr of 1000, one row", {JC_CSR, JC_F64, 1000, 1, 1, 1000, 1}},
    {"csr of 1000, 100 rows", {JC_CSR, JC_F64, 20, 1, 1, 1000, 100}},
    {"csr of 10^5, one row", {JC_CSR, JC_F32, 50, 1, 1, 100000, 1}},
};

static jc_status measure(const bench_layers *layers, const bench_options *o, double *predicted, double *measured)
{
    bench_numbers numbers;
    jc_graph *g;
    jc_plan *plan = NULL;
    jc_program *program = NULL;
    jc_run *run = NULL;
    int64_t of = (layers->levels + 1) * layers->width;
    jc_program_info info = {.struct_size = sizeof info};
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    jc_query q = JC_QUERY_INIT;
    q.of = &of, q.n_of = 1, q.order = JC_ORDER_REVERSE;
    options.backend = o->backend, options.threads = o->threads;
    jc_status status = bench_layers_create(layers, &numbers, &g);
    if (status) return status;
    status = jc_plan_create(g, &q, &plan);
    if (!status) status = jc_program_create(plan, &options, &program);
    if (!status) status = jc_program_get_info(program, &info);
    if (!status) status = bench_time_run(program, o->quick, &run, measured);
    *predicted = info.seconds_predicted;
    jc_run_destroy(run);
    jc_program_destroy(program);
    jc_plan_destroy(plan);
    bench_layers_destroy(&numbers, g);
    return status;
}

void bench_predict(bench_report *report, const bench_options *o)
{
    bench_say(report, "\n%-40s %12s %12s %10s", "predicted", "told us", "best us", "told/best");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char key[KEY_BYTES];
        double predicted = 0, measured = INFINITY;
        snprintf(key, sizeof key, "%s, %s", cases[i].name, jc_dtype_name(cases[i].layers.dtype));
        if (measure(&cases[i].layers, o, &predicted, &measured)) {
            bench_failed(report, key, jc_last_error());
            continue;
        }
        bench_say(report, "%-40s %12.1f %12.1f %10.2f", key, 1e6 * predicted, 1e6 * measured, predicted / measured);
        bench_figures(report, key, json_pack("{s:f,s:f}", "predicted_s", predicted, "best_s", measured));
        if (o->quick) continue;
        bench_at_most(report, "predicted: told over best", predicted / measured, 3.0, "x");
        bench_at_least(report, "predicted: told over best, at least", predicted / measured, 1.0 / 3.0, "x");
    }
}
