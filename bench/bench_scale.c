/* bench_scale: whether plans and runs keep what is asked of them at size. Validates, then times; see README.md. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const char usage[] =
    "bench_scale [--quick] [--json] [--only PART] [--threads N] [--backend NAME] [--folder DIR]\n"
    "\n"
    "Validates and times chains and layered graphs of 10^4 to 10^6 edges, path rules on as many, variables of 10^8\n"
    "scalars and Jacobians beyond 32-bit offsets, beside the read bandwidth of the machine; predicted times of "
    "products\n"
    "of all sizes beside measured ones; orders beside each other. Needs 10 GB of memory and 1.1 GB in the folder.\n"
    "  --quick         up to 10^5 edges and 10^6 scalars, some seconds; speed is shown but not judged\n"
    "  --json          one JSON document\n"
    "  --only PART     graphs, rules, wide, predict or orders (all of them)\n"
    "  --threads N     of the runs and of the bandwidth (all processors this process may use)\n"
    "  --backend NAME  cpu, reference (cpu)\n"
    "  --folder DIR    for the generated files, removed again ($TMPDIR, or /tmp)\n"
    "Exit code: 0 all goals met, 1 some not, 2 wrong usage.\n";

/* The value of option argv[*i], or NULL. */
static const char *value_of(int argc, char **argv, int *i)
{
    return *i + 1 < argc ? argv[++*i] : NULL;
}

static bool take_options(int argc, char **argv, bench_options *o)
{
    for (int i = 1; i < argc; i++) {
        const char *value = "";
        if (!strcmp(argv[i], "--quick"))
            o->quick = true;
        else if (!strcmp(argv[i], "--json"))
            o->json = true;
        else if (!strcmp(argv[i], "--backend"))
            value = o->backend = value_of(argc, argv, &i);
        else if (!strcmp(argv[i], "--folder"))
            value = o->folder = value_of(argc, argv, &i);
        else if (!strcmp(argv[i], "--only"))
            value = o->only = value_of(argc, argv, &i);
        else if (!strcmp(argv[i], "--threads"))
            o->threads = (value = value_of(argc, argv, &i)) ? atoi(value) : 0;
        else
            return false;
        if (!value) return false;
    }
    return o->threads > 0;
}

static bool is_asked(const bench_options *o, const char *part)
{
    return !o->only || !strcmp(o->only, part);
}

static bool knows_part(const bench_options *o)
{
    static const char *const parts[] = {"graphs", "rules", "wide", "predict", "orders"};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (is_asked(o, parts[i])) return true;
    return false;
}

/* The machine and what it can read: memory of its own, larger than any cache. */
static double bench_machine(bench_report *report, const bench_options *o)
{
    char cpu[128];
    int64_t cache = bench_cache_bytes(), bytes = 4 * cache, least = INT64_C(1) << (o->quick ? 28 : 30);
    if (bytes < least) bytes = least;
    double bandwidth = bench_read_bandwidth(o->threads, NULL, bytes);
    bench_cpu_name(cpu, sizeof cpu);
    bench_say(report, "jacchain %s, backend %s, %d threads; %s, %lld MiB last-level cache", jc_version(), o->backend,
              o->threads, cpu, (long long)(cache >> 20));
    bench_say(report, "read bandwidth %.2f GB/s (%d threads, %.2f GB of floats summed, best of several)",
              bandwidth * 1e-9, o->threads, (double)bytes * 1e-9);
    bench_figures(report, "machine",
                  json_pack("{s:s,s:i,s:s,s:I,s:s}", "cpu", cpu, "threads", o->threads, "backend", o->backend,
                            "cache_bytes", (json_int_t)cache, "version", jc_version()));
    bench_figures(report, "read_bandwidth", json_real(bandwidth));
    return bandwidth;
}

int main(int argc, char **argv)
{
    const char *folder = getenv("TMPDIR");
    bench_options o = {.backend = "cpu", .folder = folder && *folder ? folder : "/tmp"};
    o.threads = bench_processors();
    if (argc == 2 && !strcmp(argv[1], "--help")) {
        fputs(usage, stdout);
        return 0;
    }
    if (!take_options(argc, argv, &o) || !knows_part(&o)) {
        fputs(usage, stderr);
        return 2;
    }
    bench_report *report = bench_report_create(&o);
    double bandwidth = bench_machine(report, &o);
    if (is_asked(&o, "graphs")) bench_graphs(report, &o, bandwidth);
    if (is_asked(&o, "rules")) bench_rules(report, &o);
    if (is_asked(&o, "wide")) bench_wide(report, &o);
    if (is_asked(&o, "predict")) bench_predict(report, &o);
    if (is_asked(&o, "orders")) bench_orders(report, &o);
    int code = bench_finish(report);
    bench_report_destroy(report);
    return code;
}
