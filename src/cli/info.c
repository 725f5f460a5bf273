/* jacchain info: what this build is and runs on. */
#define _GNU_SOURCE /* sched_getaffinity */

#include <gmp.h>
#include <jansson.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <cblas.h>

#include "cli/common.h"
#include "cli/devices.h"

typedef struct options {
    bool json;
} options;

static const jc_option table[] = {{.name = "json",
                                   .type = JC_OPTION_FLAG,
                                   .offset = offsetof(options, json),
                                   .help = "one JSON document on standard output"},
                                  {0}};

static const jc_usage usage = {.command = "info",
                               .synopsis = "[--json]",
                               .text = "The version, the backends built in and whether they can be used here, the "
                                       "devices found, and the libraries with their versions.",
                               .tables = {table},
                               .example = "jacchain info --json"};

enum { TEXT_BYTES = 256 };

/* The processor's name as /proc/cpuinfo has it. */
static void cpu_name(char name[TEXT_BYTES])
{
    char line[TEXT_BYTES];
    FILE *f = fopen("/proc/cpuinfo", "r");
    strcpy(name, "unknown processor");
    while (f && fgets(line, sizeof line, f)) {
        const char *colon = strchr(line, ':');
        if (strncmp(line, "model name", 10) != 0 || !colon) continue;
        snprintf(name, TEXT_BYTES, "%s", colon + 1 + strspn(colon + 1, " "));
        name[strcspn(name, "\n")] = '\0';
        break;
    }
    if (f) fclose(f);
}

/* Processors that this process may use. */
static int usable_processors(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
    long n = sysconf(_SC_NPROCESSORS_ONLN);
    return n > 0 ? (int)n : 1;
}

static int64_t memory_bytes(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (int64_t)pages * page : 0;
}

/* The vector instructions of the processor that matter here, or "". */
static const char *vector_width(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f")) return "AVX-512";
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return "AVX2 and FMA";
#endif
    return "";
}

/* "OpenBLAS 0.3.21 ..." without its name; OpenBLAS ends it with a space. */
static void openblas_version(char text[TEXT_BYTES])
{
    const char *config = openblas_get_config();
    if (strncmp(config, "OpenBLAS ", 9) == 0) config += 9;
    snprintf(text, TEXT_BYTES, "%s", config);
    for (size_t n = strlen(text); n && text[n - 1] == ' '; n--) text[n - 1] = '\0';
}

static void emit(void)
{
    char cpu[TEXT_BYTES], openblas[TEXT_BYTES];
    cpu_name(cpu);
    openblas_version(openblas);
    jc_emit e = jc_emit_to(stdout);
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "version", jc_version());
    jc_emit_open(&e, "backends", '[');
    for (int i = 0; jc_backend_name(i); i++) jc_emit_text(&e, NULL, jc_backend_name(i));
    jc_emit_close(&e, ']');
    jc_emit_open(&e, "unavailable", '{');
    for (int i = 0; jc_backend_name(i); i++) {
        if (jc_backend_available(jc_backend_name(i))) jc_emit_text(&e, jc_backend_name(i), jc_last_error());
    }
    jc_emit_close(&e, '}');
    jc_emit_open(&e, "devices", '[');
    jc_emit_open(&e, NULL, '{');
    jc_emit_text(&e, "name", cpu);
    jc_emit_int(&e, "threads", usable_processors());
    jc_emit_int(&e, "memory_bytes", memory_bytes());
    jc_emit_text(&e, "vectors", vector_width());
    jc_emit_close(&e, '}');
    jc_emit_cuda_devices(&e);
    jc_emit_close(&e, ']');
    jc_emit_open(&e, "libraries", '{');
    jc_emit_text(&e, "openblas", openblas);
    jc_emit_text(&e, "jansson", jansson_version_str());
    jc_emit_text(&e, "gmp", gmp_version);
    jc_emit_cuda_libraries(&e);
    jc_emit_close(&e, '}');
    jc_emit_text(&e, "compiler", __VERSION__);
    jc_emit_close(&e, '}');
    putchar('\n');
}

static void print(void)
{
    char cpu[TEXT_BYTES], openblas[TEXT_BYTES], memory[JC_QUANTITY_BYTES];
    const char *vectors = vector_width();
    cpu_name(cpu);
    openblas_version(openblas);
    printf("jacchain   %s\n", jc_version());
    for (int i = 0; jc_backend_name(i); i++) {
        bool there = jc_backend_available(jc_backend_name(i)) == JC_OK;
        printf("backend    %s%s%s\n", jc_backend_name(i),
               there ? "" : ": not to be used here: ", there ? "" : jc_last_error());
    }
    printf("device     %s, %d thread%s, %s%s%s\n", cpu, usable_processors(), usable_processors() == 1 ? "" : "s",
           jc_cli_bytes_text(memory_bytes(), memory), *vectors ? ", " : "", vectors);
    jc_print_cuda_devices();
    printf("library    OpenBLAS %s\n", openblas);
    printf("library    jansson %s\n", jansson_version_str());
    printf("library    GMP %s\n", gmp_version);
    jc_print_cuda_libraries();
    printf("compiler   %s\n", __VERSION__);
}

int jc_cli_info(int argc, char **argv)
{
    options o = {false};
    jc_words words;
    int code;
    if (!jc_cli_parse(&usage, argc, argv, &o, &words, &code)) return code;
    if (o.json)
        emit();
    else
        print();
    return JC_EXIT_DONE;
}
