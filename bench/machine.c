#define _GNU_SOURCE /* CPU_COUNT */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

double bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int bench_processors(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

/* What stands after "key ... :" in a file of /proc, or "". */
static void proc_line(const char *path, const char *key, char *text, size_t capacity)
{
    char line[512];
    FILE *file = fopen(path, "r");
    text[0] = '\0';
    while (file && fgets(line, sizeof line, file)) {
        const char *colon = strchr(line, ':');
        if (!colon || strncmp(line, key, strlen(key)) != 0) continue;
        snprintf(text, capacity, "%s", colon + 1 + strspn(colon + 1, " \t"));
        text[strcspn(text, "\n")] = '\0';
        break;
    }
    if (file) fclose(file);
}

void bench_cpu_name(char *text, size_t capacity)
{
    proc_line("/proc/cpuinfo", "model name", text, capacity);
}

/* As the kernel tells it; sysconf asks the processor, which on a virtual machine may tell of more than there is here.
 */
int64_t bench_cache_bytes(void)
{
    int64_t kib = 0;
    FILE *file = fopen("/sys/devices/system/cpu/cpu0/cache/index3/size", "r");
    if (file && fscanf(file, "%" SCNd64 "K", &kib) != 1) kib = 0;
    if (file) fclose(file);
    return (kib > 0 ? kib : 65536) * 1024;
}

int64_t bench_anonymous_bytes(void)
{
    char text[64];
    proc_line("/proc/self/status", "RssAnon", text, sizeof text);
    return strtoll(text, NULL, 10) * 1024;
}

static void *meter_alloc(void *ctx, size_t bytes)
{
    bench_meter *m = ctx;
    void *ptr = malloc(bytes);
    if (!ptr) return NULL;
    int64_t live = __atomic_add_fetch(&m->live, (int64_t)bytes, __ATOMIC_RELAXED);
    int64_t peak = __atomic_load_n(&m->peak, __ATOMIC_RELAXED);
    while (live > peak &&
           !__atomic_compare_exchange_n(&m->peak, &peak, live, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED)) {
    }
    return ptr;
}

static void meter_free(void *ctx, void *ptr, size_t bytes)
{
    bench_meter *m = ctx;
    __atomic_sub_fetch(&m->live, (int64_t)bytes, __ATOMIC_RELAXED);
    free(ptr);
}

jc_allocator bench_meter_allocator(bench_meter *meter)
{
    jc_allocator a = {meter, meter_alloc, meter_free};
    return a;
}
