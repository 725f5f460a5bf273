#include "cli/common.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/results.h"

static const char *const backends[] = {"auto", "cuda", "cpu", "reference"};
enum { BACKEND_AUTO, BACKEND_CUDA };

static const char *const precisions[] = {"f64", "f32", "tf32", "bf16"};

const jc_option jc_cli_engine_options[] = {
    {.name = "backend",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(jc_cli_shared, backend),
     .value = "NAME",
     .help =
         "what computes: cuda (a GPU), cpu, reference (double precision, plain loops in a documented order) or auto "
         "(the default: the one with the smallest predicted time, start and upload included; where a GPU does not "
         "start or lacks memory, the cpu)",
     .choices = "auto|cuda|cpu|reference"},
    {.name = "precision",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(jc_cli_shared, precision),
     .value = "TYPE",
     .help = "working type of adjoints and sums: f64 or f32; tf32 and bf16 are product modes of the cuda backend, "
             "which auto then means. Default: f64 if a tensor that is used is F64 or all numbers stand in the "
             "document, else f32",
     .choices = "f64|f32|tf32|bf16"},
    {.name = "order",
     .type = JC_OPTION_CHOICE,
     .offset = offsetof(jc_cli_shared, order),
     .value = "ORDER",
     .help = "order of the products: reverse (adjoints), forward (tangents), elimination (variables are eliminated one "
             "by one, in an order that is looked for) or auto (the default: the cheapest of these)",
     .choices = "auto|reverse|forward|elimination"},
    {.name = "threads",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(jc_cli_shared, threads),
     .value = "N",
     .help = "threads of the cpu backend; default: the processors that this process may use",
     .min = 1,
     .max = 4096},
    {.name = "memory-limit",
     .type = JC_OPTION_SIZE,
     .offset = offsetof(jc_cli_shared, memory_limit),
     .value = "SIZE",
     .help = "bytes for adjoints, seeds and workspace, on a GPU also for the Jacobians, not counting mapped files: "
             "65536, 512M, 1.5G (K, M, G, T are powers of 1024). Where all seed rows do not fit, they are taken in "
             "blocks; where not even one does, "
             "the exit code is 5",
     .min = 1},
    {0}};

const jc_option jc_cli_search_options[] = {
    {.name = "search-seconds",
     .type = JC_OPTION_REAL,
     .offset = offsetof(jc_cli_shared, search_seconds),
     .value = "X",
     .help = "how long an order of elimination is looked for, about: it is counted in steps, so that the same command "
             "finds the same order every time. Default: some hundredths of a second",
     .min = 1},
    {.name = "search-seed",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(jc_cli_shared, search_seed),
     .value = "N",
     .help = "of the random choices of that search (default 0)"},
    {.name = "tape-limit",
     .type = JC_OPTION_COUNT,
     .offset = offsetof(jc_cli_shared, tape_limit),
     .value = "N",
     .help = "by elimination, adjoints of an operator are formed only where the memory that they need, its \"edges\", "
             "is at most N edges; default: no limit"},
    {.name = "plan-in",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_cli_shared, plan_in),
     .value = "FILE",
     .help = "take the order that --plan-out wrote, and look for none. It must be of the same graph, targets, sources "
             "and path rules"},
    {.name = "plan-out",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_cli_shared, plan_out),
     .value = "FILE",
     .help = "write the order to a JSON document, whole or not at all"},
    {0}};

const jc_option jc_cli_rule_options[] = {
    {.name = "avoid",
     .type = JC_OPTION_TEXTS,
     .offset = offsetof(jc_cli_shared, avoid),
     .value = "V[,..]",
     .help = "only paths that pass through none of these variables; a path's two ends are not counted. This and the "
             "next three may be given more than once: a path must satisfy all"},
    {.name = "through",
     .type = JC_OPTION_TEXTS,
     .offset = offsetof(jc_cli_shared, through),
     .value = "V[,..]",
     .help = "only paths that pass through at least one of these variables; ends not counted"},
    {.name = "avoid-label",
     .type = JC_OPTION_TEXTS,
     .offset = offsetof(jc_cli_shared, avoid_label),
     .value = "A[,..]",
     .help = "only paths that use no edge with one of these labels"},
    {.name = "match",
     .type = JC_OPTION_TEXTS,
     .offset = offsetof(jc_cli_shared, match),
     .value = "EXPRESSION",
     .help = "only paths whose labels, read from source to target, form a word of the expression: labels separated by "
             "spaces, '.' for any one edge, | * + ? {n} {n,} {n,m} and parentheses, as in 'param leak* spike readout'; "
             "an edge with several labels stands for any one of them, one without only for '.'"},
    {0}};

const jc_option jc_cli_output_options[] = {
    {.name = "output",
     .type = JC_OPTION_TEXT,
     .offset = offsetof(jc_cli_shared, output),
     .value = "FILE",
     .help = "write the results to FILE.safetensors, or the only one to FILE.npy, instead of printing them; a file is "
             "written whole or not at all"},
    {.name = "values",
     .type = JC_OPTION_FLAG,
     .offset = offsetof(jc_cli_shared, values),
     .help = "print all entries of large results too (by default a summary, and no values in JSON over 10,000 "
             "entries)"},
    {0}};

const jc_option jc_cli_report_options[] = {{.name = "json",
                                            .type = JC_OPTION_FLAG,
                                            .offset = offsetof(jc_cli_shared, json),
                                            .help = "one JSON document on standard output and nothing else there"},
                                           {.name = "quiet",
                                            .type = JC_OPTION_FLAG,
                                            .offset = offsetof(jc_cli_shared, quiet),
                                            .help = "no narration on standard error"},
                                           {0}};

static bool is_built_in(const char *name)
{
    for (int i = 0; jc_backend_name(i); i++) {
        if (strcmp(jc_backend_name(i), name) == 0) return true;
    }
    return false;
}

/* Why a backend cannot be used, or NULL. */
static const char *why_not(const char *backend)
{
    static char reason[64];
    if (is_built_in(backend)) return jc_backend_available(backend) ? jc_last_error() : NULL;
    snprintf(reason, sizeof reason, "this build has no %s", backend);
    return reason;
}

static int check_backend(const jc_cli_shared *shared)
{
    bool product_mode = shared->precision >= JC_PRECISION_TF32 - JC_PRECISION_F64;
    int backend = shared->backend;
    if (product_mode && backend > BACKEND_CUDA) {
        return jc_cli_usage_error(shared->command, "--precision %s is a product mode of the cuda backend, not of %s",
                                  precisions[shared->precision], backends[backend]);
    }
    if (backend == BACKEND_AUTO && !product_mode) return JC_EXIT_DONE;
    if (backend == BACKEND_AUTO) backend = BACKEND_CUDA;
    const char *reason = why_not(backends[backend]);
    if (!reason) return JC_EXIT_DONE;
    if (product_mode && shared->backend == BACKEND_AUTO)
        return jc_cli_failed(jc_fail(JC_E_UNAVAILABLE,
                                     "--precision %s is a product mode of the cuda backend, which is not there: %s; "
                                     "--precision f32 computes on the cpu",
                                     precisions[shared->precision], reason));
    return jc_cli_failed(
        jc_fail(JC_E_UNAVAILABLE, "the backend asked for is not there: %s; --backend cpu computes here", reason));
}

jc_status jc_cli_check_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    char *folder = jc_cli_alloc((int64_t)n + 2, 1);
    memcpy(folder, path, n);
    if (!n) strcpy(folder, slash ? "/" : ".");
    jc_status status = JC_OK;
    if (access(folder, W_OK | X_OK)) status = jc_fail(JC_E_OUTPUT, "%s: cannot be written: %s", path, strerror(errno));
    free(folder);
    return status;
}

static int check_output(const jc_cli_shared *shared)
{
    const char *path = shared->output;
    if (!path) return JC_EXIT_DONE;
    if (jc_results_check_path(path)) return jc_cli_usage_error(shared->command, "--output: %s", jc_last_error());
    jc_status status = jc_cli_check_folder(path);
    return status ? jc_cli_failed(status) : JC_EXIT_DONE;
}

static int check_plan_out(const jc_cli_shared *shared)
{
    const char *path = shared->plan_out;
    if (!path) return JC_EXIT_DONE;
    if (shared->output && !strcmp(path, shared->output))
        return jc_cli_usage_error(shared->command, "--plan-out and --output name the same file, %s", path);
    jc_status status = jc_cli_check_folder(path);
    return status ? jc_cli_failed(status) : JC_EXIT_DONE;
}

bool jc_cli_shared_check(const jc_cli_shared *shared, int *exit_code)
{
    int code = check_output(shared);
    if (code == JC_EXIT_DONE) code = check_plan_out(shared);
    if (code == JC_EXIT_DONE) code = check_backend(shared);
    if (code == JC_EXIT_DONE) return true;
    *exit_code = code;
    return false;
}

jc_program_options jc_cli_program_options(const jc_cli_shared *shared)
{
    jc_program_options options = JC_PROGRAM_OPTIONS_INIT;
    options.backend = backends[shared->backend];
    options.precision = (jc_precision)(JC_PRECISION_F64 + shared->precision); /* -1: AUTO */
    options.threads = (int)shared->threads;
    options.memory_limit = shared->memory_limit;
    return options;
}

const char *jc_cli_precision_name(jc_precision precision)
{
    return precision < JC_PRECISION_F64 || precision > JC_PRECISION_BF16 ? "auto"
                                                                         : precisions[precision - JC_PRECISION_F64];
}

const char *jc_cli_order_name(jc_order order)
{
    static const char *const names[] = {"auto", "reverse", "forward", "elimination"};
    return names[order];
}
