/* Files and threads when the system refuses: a clean error, the old file as it was, nothing left behind. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "io/results.h"
#include "support/failing_allocator.h"
#include "support/failing_calls.h"

static void ok(jc_status status)
{
    cr_assert_eq(status, JC_OK, "%s: %s", jc_status_name(status), jc_last_error());
}

/* ---- writing ---------------------------------------------------------------------------------------------------- */

static const char old_text[] = "what was there";

typedef struct writing {
    char folder[64], path[128];
    jc_graph *graph;
    double *numbers; /* [rows x cols] */
    jc_result result;
    size_t file_bytes; /* of the file written without failures */
    char *file;
} writing;

static size_t read_file(const char *path, char **data)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    fseek(f, 0, SEEK_END);
    size_t n = (size_t)ftell(f);
    rewind(f);
    *data = malloc(n + 1);
    cr_assert_eq(fread(*data, 1, n, f), n);
    (*data)[n] = '\0';
    fclose(f);
    return n;
}

static jc_status write_again(writing *w)
{
    FILE *f = fopen(w->path, "wb");
    cr_assert_not_null(f);
    fputs(old_text, f);
    fclose(f);
    return jc_results_write(w->graph, &w->result, 1, w->path);
}

static void expect_file(const writing *w, const char *data, size_t bytes, const char *when)
{
    int files = 0;
    char *now;
    DIR *d = opendir(w->folder);
    for (struct dirent *e; (e = readdir(d));) files += e->d_name[0] != '.';
    closedir(d);
    cr_assert_eq(files, 1, "%s: %d files in the folder", when, files);
    size_t n = read_file(w->path, &now);
    cr_assert(n == bytes && !memcmp(now, data, n), "%s: the file is another", when);
    free(now);
}

/* Some hundred kilobytes, so that buffers are flushed more than once. */
static void writing_init(writing *w)
{
    enum { ROWS = 300, COLS = 200 };
    snprintf(w->folder, sizeof w->folder, "/tmp/jacchain-calls-XXXXXX");
    cr_assert_not_null(mkdtemp(w->folder));
    snprintf(w->path, sizeof w->path, "%s/r.safetensors", w->folder);
    ok(jc_graph_create(NULL, &w->graph));
    ok(jc_graph_add_variable(w->graph, "x", COLS, NULL));
    ok(jc_graph_add_variable(w->graph, "y", ROWS, NULL));
    w->numbers = malloc(sizeof(double) * ROWS * COLS);
    for (int i = 0; i < ROWS * COLS; i++) w->numbers[i] = i;
    w->result = (jc_result){.of = 1,
                            .wrt = 0,
                            .blocks = 1,
                            .rows = ROWS,
                            .cols = COLS,
                            .dtype = JC_F64,
                            .data = w->numbers,
                            .row_stride = COLS,
                            .col_stride = 1};
    ok(write_again(w));
    w->file_bytes = read_file(w->path, &w->file);
    cr_assert_gt(w->file_bytes, sizeof(double) * ROWS * COLS);
}

static void writing_fini(writing *w)
{
    unlink(w->path);
    rmdir(w->folder);
    free(w->file);
    free(w->numbers);
    jc_graph_destroy(w->graph);
}

Test(system_calls, a_failed_write_leaves_the_old_file_and_nothing_else)
{
    static const failing_call calls[] = {FAILING_OPEN, FAILING_PWRITE, FAILING_FSYNC, FAILING_CLOSE, FAILING_RENAME};
    writing w;
    writing_init(&w);
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
        const char *name = failing_call_names[calls[c]];
        int64_t n = 0;
        for (;; n++) {
            failing_calls_reset(calls[c], n, ENOSPC);
            jc_status status = write_again(&w);
            bool failed = failing_call_counts[calls[c]] > n;
            failing_calls_reset(FAILING_CALLS, -1, 0);
            if (!failed) {
                ok(status);
                break;
            }
            cr_assert_eq(status, JC_E_OUTPUT, "%s %d: %s", name, (int)n, jc_status_name(status));
            cr_assert(strstr(jc_last_error(), w.path) && strstr(jc_last_error(), strerror(ENOSPC)), "%s",
                      jc_last_error());
            expect_file(&w, old_text, strlen(old_text), name);
        }
        cr_expect_geq(n, calls[c] == FAILING_PWRITE ? 2 : 1, "%s was called %d times", name, (int)n);
        expect_file(&w, w.file, w.file_bytes, name);
    }
    writing_fini(&w);
}

Test(system_calls, short_and_interrupted_writes_are_taken_up_again)
{
    writing w;
    writing_init(&w);
    failing_calls_short_writes(1000);
    ok(write_again(&w));
    failing_calls_short_writes(0);
    expect_file(&w, w.file, w.file_bytes, "short");
    failing_calls_reset(FAILING_PWRITE, 1, EINTR);
    ok(write_again(&w));
    failing_calls_reset(FAILING_CALLS, -1, 0);
    expect_file(&w, w.file, w.file_bytes, "interrupted");
    writing_fini(&w);
}

/* ---- reading ---------------------------------------------------------------------------------------------------- */

Test(system_calls, a_document_that_cannot_be_opened_is_named)
{
    static const failing_call calls[] = {FAILING_OPEN, FAILING_FSTAT};
    static const char *const files[] = {"digits_rnn.json", "digits_rnn.safetensors"};
    for (int c = 0; c < 2; c++)
        for (int n = 0; n < 2; n++) {
            jc_graph *graph = NULL;
            failing_calls_reset(calls[c], n, EIO);
            jc_status status = jc_graph_load(JC_EXAMPLES "/digits_rnn.json", NULL, &graph);
            failing_calls_reset(FAILING_CALLS, -1, 0);
            cr_expect_eq(status, JC_E_INPUT);
            cr_expect_null(graph);
            cr_expect(strstr(jc_last_error(), files[n]) && strstr(jc_last_error(), strerror(EIO)), "%s",
                      jc_last_error());
        }
}

/* Where a file cannot be mapped it is read. */
Test(system_calls, a_file_that_cannot_be_mapped_is_read)
{
    for (int n = 0; n < 2; n++) {
        jc_graph *graph = NULL;
        failing_calls_reset(FAILING_MMAP, n, ENODEV);
        ok(jc_graph_load(JC_EXAMPLES "/digits_rnn.json", NULL, &graph));
        cr_expect_geq(failing_call_counts[FAILING_READ], 2);
        failing_calls_reset(FAILING_CALLS, -1, 0);
        int64_t L = jc_graph_find_variable(graph, "L");
        jc_query query = JC_QUERY_INIT;
        query.of = &L, query.n_of = 1;
        jc_check_report *report = NULL;
        jc_check_summary summary = {.struct_size = sizeof summary};
        ok(jc_check(graph, &query, NULL, &report));
        ok(jc_check_get_summary(report, &summary));
        cr_expect_eq(summary.verdict, JC_PASSED);
        jc_check_destroy(report);
        jc_graph_destroy(graph);
    }
}

/* ---- threads ---------------------------------------------------------------------------------------------------- */

Test(system_calls, a_thread_that_does_not_start_fails_the_run_cleanly)
{
    failing_allocator memory;
    jc_allocator allocator = failing_allocator_init(&memory, -1);
    jc_graph_options graph_options = {.struct_size = sizeof graph_options, .allocator = &allocator};
    jc_graph *graph = NULL;
    ok(jc_graph_load(JC_EXAMPLES "/digits_rnn.json", &graph_options, &graph));
    int64_t L = jc_graph_find_variable(graph, "L");
    jc_query query = JC_QUERY_INIT;
    query.of = &L, query.n_of = 1;
    jc_evaluate_options options = {.struct_size = sizeof options, .program = JC_PROGRAM_OPTIONS_INIT};
    options.program.backend = "cpu";
    options.program.threads = 4;
    if (jc_backend_available("cpu") == JC_OK)
        for (int64_t n = 0;; n++) {
            int64_t live = memory.live_blocks;
            jc_results *results = NULL;
            failing_calls_reset(FAILING_PTHREAD_CREATE, n, EAGAIN);
            jc_status status = jc_evaluate(graph, &query, &options, &results);
            bool failed = failing_call_counts[FAILING_PTHREAD_CREATE] > n;
            failing_calls_reset(FAILING_CALLS, -1, 0);
            if (status == JC_OK) {
                jc_results_destroy(results);
            } else {
                cr_expect(status == JC_E_DEVICE || status == JC_E_MEMORY, "%s", jc_status_name(status));
                cr_expect(strstr(jc_last_error(), "thread"), "%s", jc_last_error());
                cr_expect_null(results);
            }
            cr_assert_eq(memory.live_blocks, live);
            if (!failed) {
                ok(status);
                cr_expect_geq(n, 1, "no thread was started");
                break;
            }
        }
    jc_graph_destroy(graph);
    cr_expect_eq(memory.live_blocks, 0);
}
