/* The command with a backend cuda, from end to end: on the stand-in of a device (standin/command.c), which ends it with
 * exit code 99 where it finds something wrong, and under a sanitizer with that one's where memory is left. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "io/safetensors.h"
#include "jacchain.h"
#include "support/expected.h"

#ifdef JC_STANDIN_COMMAND

#define LSNN JC_EXAMPLES "/lsnn.json"
#define DEVICE "stand-in 0"

static const char *const precisions[] = {"f64", "f32", "tf32", "bf16"};
enum { N_PRECISIONS = sizeof precisions / sizeof *precisions };

static const char *const faults[] = {"JT_DRIVER", "JT_DEVICES", "JT_MEMORY",         "JT_CALL",  "JT_FAIL",
                                     "JT_CODE",   "JT_LOSE",    "JT_FAIL_OPERATION", "JT_REPORT"};

static void no_faults(void)
{
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) unsetenv(faults[i]);
}

static void fault(const char *name, int64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)value);
    setenv(name, text, 1);
}

static void enter(void)
{
    folder_enter();
    no_faults();
    use_command(JC_STANDIN_COMMAND);
}

static void leave(void)
{
    no_faults();
    use_command(NULL);
    folder_leave();
}

static void expect_says(const run *r, const char *text)
{
    cr_expect(strstr(r->err, text), "\"%s\" is not in: %s", text, r->err);
}

static void expect_text(json_t *root, const char *path, const char *text)
{
    const char *value = json_string_value(json_at(root, path));
    cr_expect(value && !strcmp(value, text), "%s is \"%s\", expected \"%s\"", path, value ? value : "nothing", text);
}

/* ---- known values ------------------------------------------------------------------------------------------------ */

static void expect_post(const char *precision, const char *order)
{
    json_t *root = expect_json(0, "total", POST, "--of", "L", "--wrt", "w,x,y,z,L", "--json", "--quiet", "--backend",
                               "cuda", "--precision", precision, "--order", order, NULL);
    json_t *expected = jt_json(JC_EXAMPLES "/post.expected.json");
    static const char *const wrt[] = {"w", "x", "y", "z", "L"};
    for (size_t i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "dL/d%s", wrt[i]);
        char *values = json_dumps(json_object_get(expected, name), 0);
        cr_expect(json_same(json_at(json_array_get(json_at(root, "totals"), i), "values"), values), "%s in %s, %s",
                  name, precision, order);
        free(values);
    }
    expect_text(root, "backend", "cuda");
    expect_text(root, "device", DEVICE);
    expect_text(root, "precision", precision);
    expect_text(root, "backend_reason", "asked for");
    for (int i = 0; i < 2; i++)
        cr_expect_gt(json_number_value(json_at(root, i ? "seconds/download" : "seconds/upload")), 0);
    json_decref(expected);
    json_decref(root);
}

Test(cli_device, post_is_the_known_integers_in_every_precision_and_both_orders)
{
    enter();
    for (int p = 0; p < N_PRECISIONS; p++) {
        expect_post(precisions[p], "reverse");
        expect_post(precisions[p], "forward");
    }
    leave();
}

static double entry(const jc_tensor *t, int64_t i)
{
    double wide;
    float narrow;
    memcpy(&wide, t->data + (t->dtype == JC_F64 ? 8 * i : 0), sizeof wide);
    memcpy(&narrow, t->data + (t->dtype == JC_F32 ? 4 * i : 0), sizeof narrow);
    return t->dtype == JC_F64 ? wide : (double)narrow;
}

/* Tensors of both files, `prefix` before the names of the expected ones: the largest distance over the largest number
 * of each. */
static double distance(const char *got_path, const char *expected_path, const char *prefix, int least)
{
    jc_safetensors *got, *expected;
    double worst = 0;
    int compared = 0;
    cr_assert_eq(jc_safetensors_open(NULL, got_path, &got), JC_OK);
    cr_assert_eq(jc_safetensors_open(NULL, expected_path, &expected), JC_OK);
    for (int64_t i = 0; i < jc_safetensors_count(got); i++) {
        char name[128];
        double far = 0, largest = 0;
        const jc_tensor *a = jc_safetensors_tensor(got, i);
        snprintf(name, sizeof name, "%s%s", prefix, a->name);
        const jc_tensor *b = jc_safetensors_find(expected, name);
        if (!b) continue;
        compared++;
        for (int64_t j = 0; j < b->bytes / (b->dtype == JC_F64 ? 8 : 4); j++) {
            far = fmax(far, fabs(entry(a, j) - entry(b, j)));
            largest = fmax(largest, fabs(entry(b, j)));
        }
        worst = fmax(worst, far / largest);
    }
    cr_expect_geq(compared, least, "%s: %d tensors were compared", got_path, compared);
    jc_safetensors_close(expected);
    jc_safetensors_close(got);
    return worst;
}

/* Other systems' numbers, and `check`, by which every variable keeps its own bound. */
static void expect_network(const char *graph, const char *of, const char *wrt, const char *expected, const char *prefix,
                           int least)
{
    static const double within[] = {1e-13, 1e-5, 1e-2, 1e-1};
    for (int p = 0; p < N_PRECISIONS; p++) {
        run r = expect_code(0, "total", graph, "--of", of, "--wrt", wrt, "--backend", "cuda", "--precision",
                            precisions[p], "--output", "g.safetensors", NULL);
        expect_says(&r, DEVICE);
        run_free(&r);
        cr_expect_lt(distance("g.safetensors", expected, prefix, least), within[p], "%s", precisions[p]);
        json_t *root =
            expect_json(0, "check", graph, "--backend", "cuda", "--precision", precisions[p], "--json", NULL);
        expect_text(root, "verdict", "passed");
        expect_text(root, "backend", "cuda");
        expect_text(root, "precision", precisions[p]);
        json_decref(root);
        if (p > 1) continue; /* with rounded operands the bounds of totals are too wide to decide */
        r = expect_code(0, "check", graph, "--against", "g.safetensors", "--precision", precisions[p], NULL);
        run_free(&r);
    }
}

Test(cli_device, a_trained_network_agrees_with_another_system_in_every_precision)
{
    enter();
    expect_network(DIGITS, "L", "W_in,W_rec,b,W_out,c", DIGITS_EXPECTED, "", 5);
    leave();
}

Test(cli_device, a_spiking_network_agrees_with_another_system_in_every_precision)
{
    enter();
    expect_network(LSNN, "E", "W_in", JC_EXAMPLES "/lsnn.expected.safetensors", "bptt:", 1);
    leave();
}

/* dL/dw = [12, 136, -27, -146]: twice it as a vjp; its product with a column as a jvp. */
Test(cli_device, products_with_seeds_give_the_known_numbers)
{
    const double rows[] = {2, -1}, column[] = {1, 0, 1, 1};
    enter();
    write_matrix("rows.safetensors", "s", 2, 1, rows);
    write_matrix("column.safetensors", "s", 4, 1, column);
    for (int p = 0; p < N_PRECISIONS; p++) {
        json_t *root = expect_json(0, "vjp", POST, "--of", "L", "--wrt", "w", "--seed", "rows.safetensors:s",
                                   "--backend", "cuda", "--precision", precisions[p], "--json", NULL);
        cr_expect(json_same(json_at(root, "totals/0/values"), "[[24, 272, -54, -292], [-12, -136, 27, 146]]"));
        expect_text(root, "device", DEVICE);
        json_decref(root);
        root = expect_json(0, "jvp", POST, "--of", "L", "--wrt", "w", "--seed", "column.safetensors:s", "--backend",
                           "cuda", "--precision", precisions[p], "--json", NULL);
        cr_expect(json_same(json_at(root, "totals/0/values"), "[[-161]]"));
        json_decref(root);
    }
    leave();
}

/* ---- plan, info -------------------------------------------------------------------------------------------------- */

static void expect_routines(const char *graph, const char *of, const char *precision)
{
    json_t *root =
        expect_json(0, "plan", graph, "--of", of, "--backend", "cuda", "--precision", precision, "--json", NULL);
    json_t *batches = json_at(root, "batches");
    cr_expect_gt(json_array_size(batches), 0);
    for (size_t i = 0; i < json_array_size(batches); i++) {
        const char *routine = json_string_value(json_at(json_array_get(batches, i), "routine"));
        bool known = routine && (!strncmp(routine, "gather", 6) || !strncmp(routine, "walk", 4) ||
                                 !strncmp(routine, "cublas ", 7));
        cr_expect(known, "%s, batch %zu: %s", graph, i, routine ? routine : "no routine");
    }
    expect_text(root, "backend", "cuda");
    expect_text(root, "device", DEVICE);
    cr_expect_gt(json_number_value(json_at(root, "start_seconds_predicted")), 0);
    json_decref(root);
}

Test(cli_device, plan_names_the_routine_of_every_batch_and_computes_nothing)
{
    enter();
    setenv("JT_REPORT", "report", 1);
    for (int p = 0; p < N_PRECISIONS; p++) {
        expect_routines(POST, "L", precisions[p]);
        expect_routines(DIGITS, "o", precisions[p]);
        expect_routines(LSNN, "E", precisions[p]);
        FILE *f = fopen("report", "r");
        long long calls, operations;
        cr_assert(f && fscanf(f, "calls %lld operations %lld", &calls, &operations) == 2);
        cr_expect_eq(operations, 0);
        fclose(f);
    }
    leave();
}

/* The bytes of the plan are those that the run says it took. */
Test(cli_device, the_peak_of_the_plan_is_that_of_the_run)
{
    enter();
    json_t *plan = expect_json(0, "plan", LSNN, "--of", "E", "--backend", "cuda", "--json", NULL);
    json_t *total = expect_json(0, "total", LSNN, "--of", "E", "--backend", "cuda", "--json", NULL);
    cr_expect_eq(json_integer_value(json_at(plan, "peak_bytes")), json_integer_value(json_at(total, "peak_bytes")));
    fault("JT_MEMORY", json_integer_value(json_at(plan, "peak_bytes")));
    run r = expect_code(0, "total", LSNN, "--of", "E", "--backend", "cuda", NULL);
    run_free(&r);
    fault("JT_MEMORY", json_integer_value(json_at(plan, "peak_bytes")) - 1);
    r = expect_code(5, "total", LSNN, "--of", "E", "--backend", "cuda", NULL);
    run_free(&r);
    json_decref(total);
    json_decref(plan);
    leave();
}

Test(cli_device, info_shows_the_device_and_what_is_missing)
{
    enter();
    json_t *root = expect_json(0, "info", "--json", NULL);
    expect_text(root, "backends/0", "cuda");
    expect_text(root, "devices/1/name", DEVICE);
    expect_text(root, "devices/1/compute_capability", "9.0");
    expect_text(root, "libraries/cuda_driver", "13.0");
    json_decref(root);
    fault("JT_DRIVER", 0);
    root = expect_json(0, "info", "--json", NULL);
    expect_text(root, "unavailable/cuda", "cuda: there is no NVIDIA driver on this machine");
    cr_expect_eq(json_array_size(json_at(root, "devices")), 1);
    json_decref(root);
    leave();
}

/* ---- the memory limit -------------------------------------------------------------------------------------------- */

Test(cli_device, a_memory_limit_cuts_the_seed_into_windows_or_is_too_small)
{
    enter();
    run r = expect_code(0, "gen", "chain", "--depth", "3", "--size", "12", "--output", "chain", NULL);
    run_free(&r);
    json_t *whole = expect_json(0, "total", "chain.json", "--of", "v3", "--backend", "cuda", "--json", NULL);
    json_t *cut = expect_json(0, "total", "chain.json", "--of", "v3", "--backend", "cuda", "--json", "--memory-limit",
                              "3500", NULL);
    cr_expect_gt(json_integer_value(json_at(whole, "peak_bytes")), 3500);
    cr_expect_leq(json_integer_value(json_at(cut, "peak_bytes")), 3500);
    cr_expect_gt(json_integer_value(json_at(cut, "blocks")), 1);
    expect_text(cut, "backend", "cuda");
    expect_text(cut, "device", DEVICE);
    expect_text(cut, "backend_reason", "asked for");
    cr_expect(json_equal(json_at(whole, "totals"), json_at(cut, "totals")), "windows change the numbers");
    json_decref(cut);
    json_decref(whole);
    r = expect_code(5, "total", "chain.json", "--of", "v3", "--backend", "cuda", "--memory-limit", "1K", NULL);
    expect_says(&r, "bytes are needed even for one row of the seed at a time, the memory limit is 1024 bytes");
    run_free(&r);
    /* the host does not copy Jacobians */
    cut = expect_json(0, "total", "chain.json", "--of", "v3", "--json", "--memory-limit", "2500", NULL);
    expect_text(cut, "backend", "cpu");
    expect_text(cut, "backend_reason", "auto: not on cuda: 4096 bytes are needed, the memory limit is 2500 bytes");
    cr_expect_eq(json_integer_value(json_at(cut, "blocks")), 1);
    json_decref(cut);
    leave();
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

/* One sentence: of one line, with the words. */
static void expect_sentence(const run *r, const char *words)
{
    const char *end = strchr(r->err, '\n');
    cr_expect(!strncmp(r->err, "jacchain: ", 10) && end && !end[1], "not one sentence: %s", r->err);
    expect_says(r, words);
}

/* What was there stays; what was not is not there. Exit code 0: the file is complete. */
static run run_with_output(bool old)
{
    if (old)
        write_text("out.safetensors", "old");
    else
        remove("out.safetensors");
    run r = run_command("total", POST, "--of", "L", "--wrt", "w", "--backend", "cuda", "--output", "out.safetensors",
                        "--quiet", NULL);
    if (r.code) {
        cr_expect(old ? file_holds("out.safetensors", "old") : !file_exists("out.safetensors"), "exit code %d: %s",
                  r.code, r.err);
        return r;
    }
    jc_safetensors *file;
    cr_assert_eq(jc_safetensors_open(NULL, "out.safetensors", &file), JC_OK);
    const jc_tensor *t = jc_safetensors_find(file, "dL/dw");
    cr_expect(t && t->bytes == 32 && entry(t, 0) == 12 && entry(t, 3) == -146, "not what was computed");
    jc_safetensors_close(file);
    return r;
}

static void expect_failure(int code, const char *words)
{
    for (int old = 0; old < 2; old++) {
        run r = run_with_output(old);
        cr_expect_eq(r.code, code, "exit code %d, expected %d: %s", r.code, code, r.err);
        expect_sentence(&r, words);
        run_free(&r);
    }
    no_faults();
}

Test(cli_device, what_is_missing_or_fails_is_said_in_one_sentence)
{
    enter();
    fault("JT_DRIVER", 0);
    expect_failure(4, "there is no NVIDIA driver on this machine; --backend cpu computes here");
    fault("JT_DEVICES", 0);
    expect_failure(4, "no CUDA-capable device is detected");
    fault("JT_DRIVER", 12020), fault("JT_FAIL", 2), fault("JT_CODE", 35);
    expect_failure(4, "the driver is for CUDA 12.2, jacchain was built with 13.0");
    fault("JT_MEMORY", 1000);
    expect_failure(5, "cuda: 5120 bytes are needed, the device has 1000 bytes free");
    setenv("JT_CALL", "launch", 1), fault("JT_FAIL", 1);
    expect_failure(4, "cuda: launching a walk: too many resources requested for launch");
    setenv("JT_CALL", "exec_launch", 1), fault("JT_FAIL", 1), fault("JT_CODE", 719);
    expect_failure(4, "cuda: launching a graph: unspecified launch failure (cudaErrorLaunchFailure)");
    leave();
}

typedef struct counts {
    long long calls, operations;
} counts;

static counts count(void)
{
    counts c;
    setenv("JT_REPORT", "report", 1);
    run r = run_with_output(false);
    cr_assert_eq(r.code, 0, "%s", r.err);
    run_free(&r);
    FILE *f = fopen("report", "r");
    cr_assert(f && fscanf(f, "calls %lld operations %lld", &c.calls, &c.operations) == 2);
    fclose(f);
    no_faults();
    return c;
}

/* Failures of number `first`, `first` + step, ...: 4 or 5 with a sentence, or the run goes on to its result. Returns
 * how many ended it. */
static int sweep(const char *name, long long first, long long step, long long last)
{
    int ended = 0;
    for (long long n = first; n <= last; n += step) {
        fault(name, n);
        run r = run_with_output(n % 2);
        cr_expect(r.code == 0 || r.code == 4 || r.code == 5, "%s=%lld: exit code %d: %s", name, n, r.code, r.err);
        if (r.code) {
            ended++;
            expect_sentence(&r, "cuda: ");
            cr_expect(strstr(r.err, " (cuda") || strstr(r.err, " bytes free"), "%s=%lld: no reason: %s", name, n,
                      r.err);
        }
        run_free(&r);
    }
    no_faults();
    return ended;
}

enum { STEP = 3 };

Test(cli_device, each_call_that_fails_ends_it_whole)
{
    enter();
    counts c = count();
    cr_assert_gt(c.calls, 50);
    cr_expect_gt(sweep("JT_FAIL", 1, STEP, c.calls), c.calls / STEP / 2);
    leave();
}

Test(cli_device, a_device_lost_at_any_call_ends_it_whole)
{
    enter();
    counts c = count();
    cr_expect_gt(sweep("JT_LOSE", 2, STEP, c.calls), c.calls / STEP / 2);
    leave();
}

Test(cli_device, work_that_fails_on_the_device_ends_it_whole)
{
    enter();
    counts c = count();
    cr_assert_gt(c.operations, 5);
    cr_expect_geq(sweep("JT_FAIL_OPERATION", 1, 1, c.operations), c.operations - 1);
    fault("JT_FAIL_OPERATION", 1); /* told by the wait that saw it, not by what fails after it */
    expect_failure(4, "cuda: waiting for a copy: unspecified launch failure (cudaErrorLaunchFailure)");
    leave();
}

/* ---- auto -------------------------------------------------------------------------------------------------------- */

/* A chain of depth dense n x n Jacobians, all of them the same: enough work that starting a device pays. */
static void write_heavy_chain(int depth, int n)
{
    double *values = calloc((size_t)n * (size_t)n, sizeof *values);
    cr_assert(values);
    for (int i = 0; i < n; i++) values[i * n + (i * 5 + 3) % n] = 1;
    write_matrix("heavy.safetensors", "d", n, n, values);
    free(values);
    FILE *f = fopen("heavy.json", "w");
    cr_assert(f);
    fprintf(f, "{\"jacchain\": 1, \"tensors\": \"heavy.safetensors\", \"variables\": [");
    for (int i = 0; i <= depth; i++) fprintf(f, "%s{\"name\": \"v%d\", \"size\": %d}", i ? ", " : "", i, n);
    fprintf(f, "], \"edges\": [");
    for (int i = 0; i < depth; i++)
        fprintf(f,
                "%s{\"of\": \"v%d\", \"wrt\": \"v%d\", \"jacobian\": {\"kind\": \"dense\", \"values\": {\"tensor\": "
                "\"d\"}}}",
                i ? ", " : "", i + 1, i);
    fprintf(f, "]}");
    fclose(f);
}

Test(cli_device, auto_leaves_out_a_device_that_takes_longer_and_says_so)
{
    enter();
    run r = expect_code(0, "total", POST, "--of", "L", "--wrt", "w", NULL);
    expect_says(&r, "backend cpu (auto: predicted ");
    expect_says(&r, "start and upload included, on cuda ");
    run_free(&r);
    json_t *root = expect_json(0, "plan", POST, "--of", "L", "--json", NULL);
    expect_text(root, "backend", "cpu");
    const char *reason = json_string_value(json_at(root, "backend_reason"));
    cr_expect(reason && !strncmp(reason, "auto: predicted ", 16), "%s", reason);
    json_decref(root);
    fault("JT_DRIVER", 0);
    root = expect_json(0, "total", POST, "--of", "L", "--json", NULL);
    expect_text(root, "backend_reason", "auto: not on cuda: there is no NVIDIA driver on this machine");
    json_decref(root);
    leave();
}

static void expect_on_cpu(const char *why)
{
    json_t *root = expect_json(0, "total", "heavy.json", "--of", "v5", "--threads", "1", "--json", NULL);
    expect_text(root, "backend", "cpu");
    expect_text(root, "device", "cpu (1 thread)");
    const char *reason = json_string_value(json_at(root, "backend_reason"));
    cr_expect(reason && !strncmp(reason, "auto: not on cuda: ", 19) && strstr(reason, why), "%s", reason);
    json_decref(root);
}

/* Where the device does not start or lacks memory. One that fails in the middle is an error. */
Test(cli_device, auto_takes_a_device_that_is_faster_and_the_cpu_where_that_fails_to_start)
{
    enter();
    write_heavy_chain(5, 1792);
    json_t *root = expect_json(0, "plan", "heavy.json", "--of", "v5", "--threads", "1", "--json", NULL);
    expect_text(root, "backend", "cuda");
    const char *reason = json_string_value(json_at(root, "backend_reason"));
    cr_expect(reason && strstr(reason, "start and upload included, on cpu "), "%s", reason);
    json_decref(root);
    fault("JT_MEMORY", 1000000);
    expect_on_cpu("the device has 1000000 bytes free");
    no_faults();
    setenv("JT_CALL", "kernels_load", 1), fault("JT_FAIL", 1);
    expect_on_cpu("loading the kernels: no kernel image");
    setenv("JT_CALL", "exec_launch", 1), fault("JT_FAIL", 1), fault("JT_CODE", 719);
    run r = expect_code(4, "total", "heavy.json", "--of", "v5", "--threads", "1", "--quiet", NULL);
    expect_sentence(&r, "cuda: launching a graph: ");
    run_free(&r);
    leave();
}

/* Built in or not: auto with a product mode means cuda, and says what helps where there is none. */
Test(cli_device, product_modes_mean_cuda)
{
    enter();
    for (int standin = 0; standin < 2; standin++)
        for (int p = 2; p < N_PRECISIONS; p++) {
            use_command(standin ? JC_STANDIN_COMMAND : NULL);
            bool there = !standin && !jc_backend_available("cuda");
            fault("JT_DRIVER", 0);
            run r = run_command("total", POST, "--of", "L", "--precision", precisions[p], NULL);
            cr_expect_eq(r.code, there ? 0 : 4, "%s", r.err);
            if (!there) expect_sentence(&r, "is a product mode of the cuda backend, which is not there: ");
            if (!there) expect_says(&r, "; --precision f32 computes on the cpu");
            run_free(&r);
            for (int b = 0; b < 2; b++) {
                r = expect_code(2, "total", POST, "--of", "L", "--precision", precisions[p], "--backend",
                                b ? "cpu" : "reference", NULL);
                run_free(&r);
            }
            no_faults();
            if (!standin) continue;
            json_t *root = expect_json(0, "total", POST, "--of", "L", "--precision", precisions[p], "--json", NULL);
            expect_text(root, "backend", "cuda");
            expect_text(root, "backend_reason", "auto: the precision is a product mode of cuda");
            json_decref(root);
        }
    leave();
}

#endif
