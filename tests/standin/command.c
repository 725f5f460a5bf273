/* What turns the command into one on the stand-in: its backend cuda, and a device set up by the environment. Tests
 * start it as JC_STANDIN_COMMAND (tests/CMakeLists.txt). Variables:
 *   JT_SEED            order of the work
 *   JT_DRIVER, JT_DEVICES, JT_MEMORY    version, 0: none; devices; bytes of each
 *   JT_FAIL, JT_CODE   that call fails, counted from 1, with that code (0 or none: one that fits the call)
 *   JT_CALL            the name of a function: only its calls count for JT_FAIL
 *   JT_LOSE            from that call on the device is lost (code 700)
 *   JT_FAIL_OPERATION  that operation fails where it runs (code 719)
 * JT_REPORT names a file that gets the numbers of calls and operations. What the stand-in finds that none of these
 * explains goes to standard error, and the exit code is 99 whatever it was. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backend/cuda/cuda.h"
#include "standin/launches.h"

enum { FOUND = 99, ILLEGAL_ADDRESS = 700, LAUNCH_FAILURE = 719 };

static jc_gpu_api calls; /* the stand-in's, by the name of the real ones */

const jc_cuda_backend jc_backend_cuda = JC_CUDA_BACKEND_INIT("cuda", "the command's tests: a stand-in", &calls);

static long long number(const char *name, long long otherwise)
{
    const char *text = getenv(name);
    return text ? strtoll(text, NULL, 10) : otherwise;
}

/* A call that gives something back failed: it is still there. */
static bool failed_to_release(void)
{
    switch (jt_standin_failed_call()) {
    case JT_RELEASE:
    case JT_RELEASE_PINNED:
    case JT_STREAM_DESTROY:
    case JT_EVENT_DESTROY:
    case JT_GRAPH_DESTROY:
    case JT_EXEC_DESTROY:
    case JT_BLAS_DESTROY:
        return jt_standin_failed();
    default:
        return false;
    }
}

static void report(void)
{
    const char *path = getenv("JT_REPORT");
    FILE *f = path ? fopen(path, "w") : NULL;
    if (!f) return;
    fprintf(f, "calls %lld operations %lld\n", (long long)jt_standin_calls(), (long long)jt_standin_operations());
    fclose(f);
}

static void end(void)
{
    report();
    jt_standin_drain();
    bool fault = jt_standin_failed() || jt_standin_lost() || getenv("JT_FAIL_OPERATION");
    bool kept = jt_standin_lost() || failed_to_release(); /* nothing can be given back on a lost device */
    if (*jt_launches_first()) fprintf(stderr, "stand-in: %s\n", jt_launches_first());
    int64_t found = jt_standin_found_any() + (*jt_launches_first() != '\0'), unseen = jt_standin_unseen_errors(), n;
    if (!kept) found += jt_standin_leaks();
    if (!fault && unseen) fprintf(stderr, "stand-in: %lld errors were not asked for\n", (long long)unseen), found++;
    const jt_finding *f = jt_standin_findings(&n);
    for (int64_t i = 0; i < n && found; i++) fprintf(stderr, "stand-in: %s\n", f[i].text);
    if (!found) return;
    fflush(NULL);
    _exit(FOUND);
}

static void set_failure(void)
{
    const char *name = getenv("JT_CALL");
    long long n = number("JT_FAIL", 0);
    int code = (int)number("JT_CODE", 0);
    if (!name) jt_standin_fail_after(n, code);
    for (jt_call call = 0; call < JT_CALL_COUNT && name; call++)
        if (!strcmp(jt_call_name(call), name)) jt_standin_fail_call(call, n, code);
}

__attribute__((constructor)) static void begin(void)
{
    jt_standin_config c = jt_standin_default();
    calls = jt_standin_api;
    calls.name = "cuda";
    c.seed = (uint64_t)number("JT_SEED", 1);
    c.driver_version = (int)number("JT_DRIVER", c.driver_version);
    c.devices = (int)number("JT_DEVICES", c.devices);
    c.memory_bytes = (size_t)number("JT_MEMORY", (long long)c.memory_bytes);
    if (jt_launches_begin(c.seed, &c)) abort();
    set_failure();
    jt_standin_lose_after(number("JT_LOSE", 0), ILLEGAL_ADDRESS);
    jt_standin_fail_operation(number("JT_FAIL_OPERATION", 0), LAUNCH_FAILURE);
    if (atexit(end)) abort();
}
