/* The work of whole commands - load, compute, write; make a graph - with each system call of it failing once, for each
 * reason that it may have, interrupted, in small pieces, or ended by SIGKILL: the right status and a sentence that
 * names file and reason, the old file or the new one and never a part, nothing beside it, no memory and no descriptor
 * lost, and the next try succeeds. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gen/gen.h"
#include "io/results.h"
#include "support/failing_allocator.h"
#include "support/failing_calls.h"

static const char old_text[] = "what was there";

typedef struct bench {
    char folder[64], output[128];
    failing_allocator memory;
    bool reads_files;
    char *expected; /* what is written without failures */
    size_t expected_bytes;
} bench;

static char *read_file(const char *path, size_t *bytes)
{
    FILE *f = fopen(path, "rb");
    cr_assert_not_null(f, "%s", path);
    char *data = malloc(1 << 24);
    *bytes = fread(data, 1, 1 << 24, f);
    fclose(f);
    return data;
}

static int count_entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

static void put_old(const bench *b)
{
    FILE *f = fopen(b->output, "wb");
    cr_assert(f && fputs(old_text, f) >= 0 && fclose(f) == 0);
}

static bool holds(const bench *b, const char *data, size_t bytes)
{
    size_t n;
    char *now = read_file(b->output, &n);
    bool same = n == bytes && !memcmp(now, data, n);
    free(now);
    return same;
}

/* ---- load, compute, write ------------------------------------------------------------------------------------------
 */

static jc_status write_results(const jc_graph *graph, const jc_results *results, const char *path)
{
    jc_result list[16];
    int64_t n = jc_results_count(results);
    jc_status status = JC_OK;
    cr_assert(n > 0 && n <= 16);
    for (int64_t i = 0; i < n && !status; i++) status = jc_results_get(results, i, &list[i]);
    return status ? status : jc_results_write(graph, list, n, path);
}

/* What `total` does with a document, its side file and --output. */
static jc_status total(bench *b)
{
    jc_allocator allocator = failing_allocator_init(&b->memory, -1);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator, .reads_files = b->reads_files};
    jc_evaluate_options evaluate = {.struct_size = sizeof evaluate, .program = JC_PROGRAM_OPTIONS_INIT};
    jc_graph *graph;
    jc_results *results;
    jc_query query = JC_QUERY_INIT;
    evaluate.program.backend = "reference";
    jc_status status = jc_graph_load(JC_EXAMPLES "/digits_rnn.json", &options, &graph);
    if (status) return status;
    int64_t of = jc_graph_find_variable(graph, "L");
    query.of = &of, query.n_of = 1;
    status = jc_evaluate(graph, &query, &evaluate, &results);
    if (!status) {
        status = write_results(graph, results, b->output);
        jc_results_destroy(results);
    }
    jc_graph_destroy(graph);
    return status;
}

static void bench_init(bench *b, bool reads_files)
{
    *b = (bench){.reads_files = reads_files};
    failing_calls_reset(FAILING_CALLS, -1, 0);
    snprintf(b->folder, sizeof b->folder, "/tmp/jacchain-whole-XXXXXX");
    cr_assert_not_null(mkdtemp(b->folder));
    snprintf(b->output, sizeof b->output, "%s/r.safetensors", b->folder);
    cr_assert_eq(total(b), JC_OK, "%s", jc_last_error());
    b->expected = read_file(b->output, &b->expected_bytes);
}

static void bench_fini(bench *b)
{
    unlink(b->output);
    cr_expect_eq(rmdir(b->folder), 0);
    free(b->expected);
}

static bool is_output_call(failing_call call)
{
    return call == FAILING_PWRITE || call == FAILING_FSYNC || call == FAILING_RENAME;
}

/* What a failure may look like: a sentence with the reason and with one of the files. */
static void expect_sentence(const bench *b, failing_call call, jc_status status, int error)
{
    const char *message = jc_last_error(), *name = failing_call_names[call];
    bool is_output = strstr(message, b->output) != NULL;
    cr_expect(is_output || strstr(message, "digits_rnn"), "%s: no file in: %s", name, message);
    cr_expect(strstr(message, strerror(error)), "%s: no reason in: %s", name, message);
    jc_status expected = is_output ? JC_E_OUTPUT : error == ENOMEM ? JC_E_MEMORY : JC_E_INPUT;
    cr_expect_eq(status, expected, "%s: %s: %s", name, jc_status_name(status), message);
    cr_expect(is_output || !is_output_call(call), "%s: %s", name, message);
}

/* Whether call number n was made at all. */
static bool fail_once(bench *b, failing_call call, int64_t n, int error)
{
    const char *name = failing_call_names[call];
    int descriptors = count_entries("/proc/self/fd");
    put_old(b);
    failing_calls_reset(call, n, error);
    jc_status status = total(b);
    bool failed = failing_call_counts[call] > n;
    failing_calls_reset(FAILING_CALLS, -1, 0);
    if (status) expect_sentence(b, call, status, error);
    bool whole = status ? holds(b, old_text, strlen(old_text)) : holds(b, b->expected, b->expected_bytes);
    cr_expect(whole, "%s %d: the file is neither the old nor the new one", name, (int)n);
    cr_expect_eq(count_entries(b->folder), 1, "%s %d: something was left behind", name, (int)n);
    cr_expect_eq(count_entries("/proc/self/fd"), descriptors, "%s %d: a descriptor is lost", name, (int)n);
    cr_expect(b->memory.live_blocks == 0 && b->memory.defects == 0, "%s %d: memory is lost", name, (int)n);
    return failed;
}

static void sweep(bench *b, failing_call call, int error, int64_t least)
{
    int64_t n = 0;
    while (fail_once(b, call, n, error)) n++;
    cr_expect_geq(n, least, "%s was called %d times", failing_call_names[call], (int)n);
    cr_expect_eq(total(b), JC_OK, "after %s: %s", failing_call_names[call], jc_last_error());
}

Test(whole_commands, each_call_of_a_total_fails_once)
{
    static const struct {
        failing_call call;
        int errors[3];
        int64_t mapped, read; /* calls at least */
    } calls[] = {{FAILING_OPEN, {EACCES, EMFILE, EINTR}, 3, 3},  {FAILING_FSTAT, {EIO, EOVERFLOW, EIO}, 2, 2},
                 {FAILING_MMAP, {ENODEV, ENOMEM, EAGAIN}, 2, 0}, {FAILING_READ, {EIO, ENOMEM, EINTR}, 0, 4},
                 {FAILING_PWRITE, {ENOSPC, EIO, EINTR}, 1, 1},   {FAILING_FSYNC, {EIO, ENOSPC, EINTR}, 1, 1},
                 {FAILING_CLOSE, {EIO, ENOSPC, EINTR}, 3, 3},    {FAILING_RENAME, {EACCES, EXDEV, EIO}, 1, 1}};
    for (int reads = 0; reads < 2; reads++) {
        bench b;
        bench_init(&b, reads);
        for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++)
            for (int e = 0; e < 3; e++)
                sweep(&b, calls[c].call, calls[c].errors[e], reads ? calls[c].read : calls[c].mapped);
        bench_fini(&b);
    }
}

/* Where the temporary file cannot be removed either, that is all that is left. */
Test(whole_commands, a_temporary_file_that_cannot_be_removed_is_all_that_is_left)
{
    bench b;
    char temporary[256];
    bench_init(&b, false);
    put_old(&b);
    failing_calls_reset(FAILING_UNLINK, 0, EACCES);
    failing_calls_short_writes(0);
    cr_expect_eq(chmod(b.folder, 0700), 0);
    cr_expect_eq(total(&b), JC_OK);
    cr_expect_eq(failing_call_counts[FAILING_UNLINK], 0, "nothing is removed when all goes well");
    put_old(&b);
    /* the target turns into a folder after it was looked at: rename fails, then unlink */
    failing_calls_reset(FAILING_RENAME, 0, EACCES);
    cr_expect_eq(total(&b), JC_E_OUTPUT);
    cr_expect_eq(failing_call_counts[FAILING_UNLINK], 1);
    cr_expect(holds(&b, old_text, strlen(old_text)));
    snprintf(temporary, sizeof temporary, "%s/.jacchain-%ld-0.tmp", b.folder, (long)getpid());
    cr_expect(access(temporary, F_OK));
    failing_calls_reset(FAILING_CALLS, -1, 0);
    bench_fini(&b);
}

Test(whole_commands, interrupted_calls_and_small_pieces_change_nothing)
{
    for (int reads = 0; reads < 2; reads++) {
        bench b;
        bench_init(&b, reads);
        put_old(&b);
        failing_calls_interrupt(true);
        failing_calls_short_reads(1000);
        failing_calls_short_writes(777);
        jc_status status = total(&b);
        failing_calls_interrupt(false);
        failing_calls_short_reads(0);
        failing_calls_short_writes(0);
        cr_expect_eq(status, JC_OK, "%s", jc_last_error());
        cr_expect(holds(&b, b.expected, b.expected_bytes));
        bench_fini(&b);
    }
}

/* ---- killed -------------------------------------------------------------------------------------------------------
 */

/* Only a temporary file of the child may be left. */
static void remove_temporaries(const bench *b)
{
    DIR *d = opendir(b->folder);
    for (struct dirent *e; (e = readdir(d));) {
        char path[400];
        if (!strstr(e->d_name, ".tmp")) continue;
        snprintf(path, sizeof path, "%s/%s", b->folder, e->d_name);
        unlink(path);
    }
    closedir(d);
}

Test(whole_commands, a_kill_at_any_call_leaves_the_old_file_or_the_new_one)
{
    bench b;
    bench_init(&b, false);
    int64_t n = 0, old_files = 0, new_files = 0;
    failing_calls_short_writes(4000);
    for (bool killed = true; killed; n++) {
        int status;
        put_old(&b);
        pid_t child = fork();
        if (child == 0) {
            failing_calls_kill(n);
            _exit(total(&b) == JC_OK ? 0 : 1);
        }
        cr_assert_eq(waitpid(child, &status, 0), child);
        killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        cr_assert(killed || (WIFEXITED(status) && WEXITSTATUS(status) == 0), "call %d: status %d", (int)n, status);
        bool old = holds(&b, old_text, strlen(old_text)), new = holds(&b, b.expected, b.expected_bytes);
        cr_expect(old || new, "call %d: a part of a file", (int)n);
        cr_expect(killed || new, "call %d: not killed, and not written", (int)n);
        old_files += old, new_files += new;
        remove_temporaries(&b);
        cr_expect_eq(count_entries(b.folder), 1, "call %d: something else was left", (int)n);
    }
    failing_calls_short_writes(0);
    cr_expect(old_files > 10 && new_files > 0, "%d old, %d new", (int)old_files, (int)new_files);
    bench_fini(&b);
}

/* ---- a disk that is full -------------------------------------------------------------------------------------------
 */

/* A file system of 64 kB in a namespace of this process; false where that is not allowed. */
static bool mount_small(const char *folder)
{
    if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) return false;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) return false;
    return mount("tmpfs", folder, "tmpfs", 0, "size=64k") == 0;
}

Test(whole_commands, a_full_disk_leaves_the_old_file)
{
    enum { ROWS = 200, COLS = 200 };
    char folder[] = "/tmp/jacchain-full-XXXXXX";
    double *numbers = calloc(ROWS * COLS, sizeof *numbers);
    jc_graph *graph;
    bench b = {0};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(b.output, sizeof b.output, "%s/r.safetensors", folder);
    bool mounted = mount_small(folder);
    if (mounted) {
        cr_assert_eq(jc_graph_create(NULL, &graph), JC_OK);
        cr_assert_eq(jc_graph_add_variable(graph, "x", COLS, NULL), JC_OK);
        cr_assert_eq(jc_graph_add_variable(graph, "y", ROWS, NULL), JC_OK);
        jc_result result = {.of = 1,
                            .wrt = 0,
                            .blocks = 1,
                            .rows = ROWS,
                            .cols = COLS,
                            .dtype = JC_F64,
                            .data = numbers,
                            .row_stride = COLS,
                            .col_stride = 1};
        put_old(&b);
        cr_expect_eq(jc_results_write(graph, &result, 1, b.output), JC_E_OUTPUT);
        cr_expect(strstr(jc_last_error(), strerror(ENOSPC)), "%s", jc_last_error());
        cr_expect(holds(&b, old_text, strlen(old_text)));
        cr_expect_eq(count_entries(folder), 1);
        result.rows = 2;
        cr_expect_eq(jc_results_write(graph, &result, 1, b.output), JC_OK, "%s", jc_last_error());
        jc_graph_destroy(graph);
        umount(folder);
    } else {
        fprintf(stderr, "a_full_disk_leaves_the_old_file: skipped, no file system may be mounted here\n");
    }
    free(numbers);
    rmdir(folder);
}

/* ---- gen -----------------------------------------------------------------------------------------------------------
 */

typedef struct making {
    char folder[64], stem[128];
    failing_allocator memory;
} making;

static jc_status make(making *m)
{
    jc_allocator allocator = failing_allocator_init(&m->memory, -1);
    jc_gen_options options = {.seed = 1, .dtype = JC_F64};
    jc_gen *gen;
    jc_status status = jc_gen_create(&allocator, jc_gen_family_find("chain"), &options, &gen);
    if (status) return status;
    status = jc_gen_write(gen, m->stem, false);
    jc_gen_destroy(gen);
    return status;
}

static void remove_pair(const making *m)
{
    char path[160];
    snprintf(path, sizeof path, "%s.json", m->stem);
    unlink(path);
    snprintf(path, sizeof path, "%s.safetensors", m->stem);
    unlink(path);
}

static bool is_old(const making *m, const char *extension)
{
    char path[160], text[64] = "";
    snprintf(path, sizeof path, "%s.%s", m->stem, extension);
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    return n == strlen(old_text) && !strcmp(text, old_text);
}

static void put_old_pair(const making *m)
{
    static const char *const extensions[] = {"json", "safetensors"};
    for (int i = 0; i < 2; i++) {
        bench b;
        snprintf(b.output, sizeof b.output, "%.100s.%s", m->stem, extensions[i]);
        put_old(&b);
    }
}

/* Both files that were there stay, or both are new. */
Test(whole_commands, a_pair_of_files_is_replaced_as_a_pair)
{
    static const failing_call calls[] = {FAILING_OPEN, FAILING_PWRITE, FAILING_FSYNC, FAILING_CLOSE, FAILING_RENAME};
    making m;
    strcpy(m.folder, "/tmp/jacchain-pair-XXXXXX");
    cr_assert_not_null(mkdtemp(m.folder));
    snprintf(m.stem, sizeof m.stem, "%s/g", m.folder);
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++)
        for (int n = 0; n < 3; n++) {
            put_old_pair(&m);
            failing_calls_reset(calls[c], n, EIO);
            jc_status status = make(&m);
            failing_calls_reset(FAILING_CALLS, -1, 0);
            const char *name = failing_call_names[calls[c]];
            cr_expect(is_old(&m, "json") == (status != JC_OK), "%s %d: %s", name, n, jc_status_name(status));
            cr_expect(is_old(&m, "safetensors") == (status != JC_OK), "%s %d: %s", name, n, jc_status_name(status));
            cr_expect_eq(count_entries(m.folder), 2, "%s %d: files are left", name, n);
        }
    remove_pair(&m);
    rmdir(m.folder);
}

/* Both files or none. */
Test(whole_commands, each_call_of_gen_fails_once)
{
    static const failing_call calls[] = {FAILING_OPEN, FAILING_PWRITE, FAILING_FSYNC, FAILING_CLOSE, FAILING_RENAME};
    making m;
    strcpy(m.folder, "/tmp/jacchain-make-XXXXXX");
    cr_assert_not_null(mkdtemp(m.folder));
    snprintf(m.stem, sizeof m.stem, "%s/g", m.folder);
    for (size_t c = 0; c < sizeof calls / sizeof calls[0]; c++) {
        const char *name = failing_call_names[calls[c]];
        int64_t n = 0;
        for (bool failed = true; failed; n++) {
            failing_calls_reset(calls[c], n, ENOSPC);
            jc_status status = make(&m);
            failed = failing_call_counts[calls[c]] > n;
            failing_calls_reset(FAILING_CALLS, -1, 0);
            cr_expect_eq(status, failed ? JC_E_OUTPUT : JC_OK, "%s %d: %s", name, (int)n, jc_status_name(status));
            if (failed) cr_expect(strstr(jc_last_error(), m.stem) && strstr(jc_last_error(), strerror(ENOSPC)));
            cr_expect_eq(count_entries(m.folder), failed ? 0 : 2, "%s %d: files are left", name, (int)n);
            cr_expect(m.memory.live_blocks == 0 && m.memory.defects == 0, "%s %d: memory is lost", name, (int)n);
            remove_pair(&m);
        }
        cr_expect_geq(n, 3, "%s was called %d times", name, (int)n - 1);
    }
    rmdir(m.folder);
}
