/* Runs the tests: [--filter 'suite/name'] (globs, also @(a|b)/ and !(a|b)/), [--jobs N]. Ends with 1 when one failed.
 */
#define _GNU_SOURCE /* FNM_EXTMATCH */
#include <fnmatch.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

enum { TIMEOUT_S = 3000, MAX_JOBS = 64 };

static plain_test *first;
static bool failed;

void plain_register(plain_test *test)
{
    test->next = first;
    first = test;
}

void plain_check(bool holds, bool fatal, const char *file, int line, const char *what, const char *format, ...)
{
    if (holds) return;
    va_list args;
    fprintf(stderr, "%s:%d: %s:", file, line, what);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\n");
    failed = true;
    if (fatal) exit(1);
}

static const plain_settings *suite_settings(const plain_test *test)
{
    static const plain_settings none;
    for (const plain_test *t = first; t; t = t->next)
        if (!t->run && strcmp(t->suite, test->suite) == 0) return &t->settings;
    return &none;
}

static void run_test(const plain_test *test)
{
    const plain_settings *suite = suite_settings(test), *own = &test->settings;
    alarm((unsigned)(own->timeout > TIMEOUT_S ? own->timeout : TIMEOUT_S));
    if (suite->init) suite->init();
    if (own->init) own->init();
    test->run();
    if (own->fini) own->fini();
    if (suite->fini) suite->fini();
    exit(failed);
}

typedef struct job {
    pid_t pid;
    const plain_test *test;
} job;

/* Waits for one of the running tests; whether it passed. */
static bool finish_one(job *jobs, int *n_jobs)
{
    int status;
    pid_t pid = wait(&status);
    int i = 0;
    while (i < *n_jobs - 1 && jobs[i].pid != pid) i++;
    const plain_test *test = jobs[i].test;
    jobs[i] = jobs[--*n_jobs];
    bool passed = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (!passed && WIFSIGNALED(status)) fprintf(stderr, "signal %d\n", WTERMSIG(status));
    if (!passed) fprintf(stderr, "[FAIL] %s::%s\n", test->suite, test->name);
    return passed;
}

static bool matches(const plain_test *test, const char *filter)
{
    char name[512];
    snprintf(name, sizeof name, "%s/%s", test->suite, test->name);
    return test->run && fnmatch(filter, name, FNM_EXTMATCH) == 0;
}

int main(int argc, char **argv)
{
    const char *filter = "*";
    int most = 1, n_jobs = 0, passed = 0, tested = 0;
    job jobs[MAX_JOBS];
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--filter") == 0) filter = argv[i + 1];
        if (strcmp(argv[i], "--jobs") == 0) most = atoi(argv[i + 1]);
    }
    if (most < 1 || most > MAX_JOBS) most = 1;
    for (const plain_test *test = first; test; test = test->next) {
        if (!matches(test, filter)) continue;
        if (n_jobs == most) passed += finish_one(jobs, &n_jobs);
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) run_test(test);
        jobs[n_jobs++] = (job){pid, test};
        tested++;
    }
    while (n_jobs) passed += finish_one(jobs, &n_jobs);
    fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d\n", tested, passed, tested - passed);
    return passed != tested;
}
