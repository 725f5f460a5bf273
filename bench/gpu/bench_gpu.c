/* bench_gpu: limits of the device, then the workloads, each judged before it counts. Exit code 0: every goal is met, 1:
 * one is not, 4: no device, or it failed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/gpu/gpu_bench.h"
#include "cli/emit.h"

typedef struct options {
    const char *json, *only, *commit;
    int64_t shrink;
    double seconds;
} options;

static options parse(int argc, char **argv)
{
    options o = {.commit = "unknown", .shrink = 1, .seconds = 1e9};
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--json")) o.json = argv[i + 1];
        if (!strcmp(argv[i], "--only")) o.only = argv[i + 1];
        if (!strcmp(argv[i], "--commit")) o.commit = argv[i + 1];
        if (!strcmp(argv[i], "--shrink")) o.shrink = atoll(argv[i + 1]);
        if (!strcmp(argv[i], "--seconds")) o.seconds = atof(argv[i + 1]);
    }
    if (o.shrink < 1) o.shrink = 1;
    return o;
}

static void print_limits(const gb_limits *l)
{
    printf("read %.0f GB/s, copy %.0f GB/s (read + written), graph node %.2f us\n", l->read * 1e-9, l->copy * 1e-9,
           l->node * 1e6);
    printf("cuBLAS f32 %.1f, tf32 %.1f, bf16 %.1f, f64 %.1f TFLOP/s\n", l->f32 * 1e-12, l->tf32 * 1e-12,
           l->bf16 * 1e-12, l->f64 * 1e-12);
}

static void print_row(const gb_row *r)
{
    const gb_outcome *o = &r->outcome;
    printf("%-16s %10.1f us  %8.3g %-2s (goal %s %g)  residual %.2g  prepared in %.2f s  %s%s%s\n", r->goal->name,
           o->seconds * 1e6, r->measured, r->goal->unit, r->goal->unit[0] ? "<=" : ">=", r->goal->at_least, o->residual,
           o->prepare_s, r->met ? "met" : "NOT MET", o->trouble[0] ? ": " : "", o->trouble);
    fflush(stdout);
}

static void emit_row(jc_emit *e, const gb_row *r)
{
    const gb_outcome *o = &r->outcome;
    jc_emit_open(e, NULL, '{');
    jc_emit_text(e, "name", r->goal->name);
    jc_emit_text(e, "what", r->goal->what);
    jc_emit_text(e, "bound", r->goal->bound);
    jc_emit_double(e, "seconds", o->seconds);
    jc_emit_double(e, "bound_s", r->bound_s);
    jc_emit_double(e, "measured", r->measured);
    jc_emit_double(e, "goal", r->goal->at_least);
    jc_emit_text(e, "unit", r->goal->unit);
    jc_emit_bool(e, "met", r->met);
    jc_emit_double(e, "residual", o->residual);
    jc_emit_bool(e, "valid", o->valid);
    jc_emit_double(e, "prepare_s", o->prepare_s);
    jc_emit_double(e, "predicted_s", o->predicted_s);
    jc_emit_int(e, "peak_bytes", o->peak_bytes);
    jc_emit_text(e, "trouble", o->trouble);
    jc_emit_close(e, '}');
}

static void emit_limits(jc_emit *e, const gb_limits *l)
{
    jc_emit_open(e, "limits", '{');
    jc_emit_double(e, "read_bytes_per_s", l->read);
    jc_emit_double(e, "copy_bytes_per_s", l->copy);
    jc_emit_double(e, "f32_per_s", l->f32);
    jc_emit_double(e, "tf32_per_s", l->tf32);
    jc_emit_double(e, "bf16_per_s", l->bf16);
    jc_emit_double(e, "f64_per_s", l->f64);
    jc_emit_double(e, "graph_node_s", l->node);
    jc_emit_close(e, '}');
}

/* The whole document, anew after every workload, so that a failure leaves what was measured before. */
static void write_json(const options *o, const jc_gpu_properties *p, const gb_limits *l, const gb_row *rows, int n)
{
    int driver = 0, runtime = 0, blas = 0;
    FILE *f = o->json ? fopen(o->json, "w") : NULL;
    if (o->json && !f) fprintf(stderr, "bench_gpu: %s: %s\n", o->json, strerror(errno));
    if (!f) return;
    gb_api->driver_version(&driver), gb_api->runtime_version(&runtime), gb_api->blas_version(&blas);
    jc_emit e = jc_emit_to(f);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "device", p->name);
    jc_emit_text(&e, "commit", o->commit);
    jc_emit_int(&e, "memory_bytes", p->memory_bytes);
    jc_emit_int(&e, "multiprocessors", p->multiprocessors);
    jc_emit_int(&e, "cuda_driver", driver);
    jc_emit_int(&e, "cuda_runtime", runtime);
    jc_emit_int(&e, "cublas", blas);
    jc_emit_int(&e, "shrink", o->shrink);
    emit_limits(&e, l);
    jc_emit_open(&e, "workloads", '[');
    for (int i = 0; i < n; i++) emit_row(&e, &rows[i]);
    jc_emit_close(&e, ']');
    jc_emit_close(&e, '}');
    fputc('\n', f);
    fclose(f);
}

int main(int argc, char **argv)
{
    enum { MOST = 64 };
    options o = parse(argc, argv);
    jc_gpu_properties p;
    gb_row rows[MOST];
    int n = 0, bad = 0;
    if (jc_backend_available("cuda") != JC_OK) {
        fprintf(stderr, "bench_gpu: %s\n", jc_last_error());
        return 4;
    }
    double start = gb_seconds();
    gb_open();
    gb_check(gb_api->properties(0, &p), "properties");
    printf("%s, %d multiprocessors, %.1f GiB, commit %s\n", p.name, p.multiprocessors, (double)p.memory_bytes / 0x1p30,
           o.commit);
    gb_limits limits = gb_measure_limits(p.multiprocessors, o.shrink);
    print_limits(&limits);
    for (int i = 0; i < gb_n_goals && n < MOST; i++) {
        if (o.only && strcmp(o.only, gb_goals[i].name) != 0) continue;
        if (gb_seconds() - start > o.seconds) {
            rows[n] = (gb_row){.goal = &gb_goals[i]};
            snprintf(rows[n].outcome.trouble, sizeof rows[n].outcome.trouble, "not run: out of time");
        } else {
            rows[n] = gb_run_goal(i, &limits, o.shrink);
        }
        print_row(&rows[n]);
        bad += !rows[n++].met;
        write_json(&o, &p, &limits, rows, n);
    }
    printf("%d of %d goals met, in %.0f s\n", n - bad, n, gb_seconds() - start);
    return bad != 0;
}
