/* A mapped input that becomes shorter under the command is an error with its name, not a crash. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "cli/shrunk.h"
#include "io/output.h"
#include "io/safetensors_write.h"

enum { SIZE = 512 };

/* y = A x, A of SIZE x SIZE numbers in big.safetensors: two megabytes. */
static void write_graph(void)
{
    double *values = calloc(SIZE * SIZE, sizeof *values);
    for (int i = 0; i < SIZE * SIZE; i++) values[i] = i % 7;
    write_matrix("big.safetensors", "m", SIZE, SIZE, values);
    free(values);
    write_text("g.json", "{\"jacchain\": 1, \"tensors\": \"big.safetensors\", \"variables\": ["
                         "{\"name\": \"x\", \"size\": 512}, {\"name\": \"y\", \"size\": 512}], \"edges\": ["
                         "{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\", \"values\": {\"tensor\": "
                         "\"m\"}}}]}");
}

/* Gives the seed through a pipe: the command has its graph when it opens it. */
static pid_t feed_seed(const char *truncated)
{
    double seed[SIZE] = {1};
    write_matrix("seed.file", "s", SIZE, 0, seed);
    cr_assert_eq(mkfifo("seed.safetensors", 0600), 0);
    pid_t pid = fork();
    if (pid) return pid;
    alarm(60); /* where the command ends before it opens the pipe */
    static char bytes[SIZE * 8 + 1000];
    int in = open("seed.file", O_RDONLY), out = open("seed.safetensors", O_WRONLY);
    ssize_t n = read(in, bytes, sizeof bytes);
    if (truncated && truncate(truncated, 4096)) _exit(1);
    _exit(write(out, bytes, (size_t)n) == n ? 0 : 1);
}

static void expect_feeder(pid_t pid)
{
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

Test(cli_shrunk, a_side_file_that_is_cut_while_it_is_in_use_is_an_input_error)
{
    static const char *const backends[] = {"cpu", "reference"};
    for (int i = 0; i < 2; i++) {
        folder_enter();
        write_graph();
        write_text("out.safetensors", "what was there");
        pid_t pid = feed_seed("big.safetensors");
        run r = run_command("vjp", "g.json", "--of", "y", "--wrt", "x", "--seed", "seed.safetensors", "--backend",
                            backends[i], "--output", "out.safetensors", NULL);
        expect_feeder(pid);
        cr_expect_eq(r.code, 3, "%d: %s", r.code, r.err);
        cr_expect(strncmp(r.err, "jacchain: /", 11) == 0, "%s", r.err);
        cr_expect(strstr(r.err, "/big.safetensors: became shorter while it was being read\n"), "%s", r.err);
        cr_expect_str_eq(r.out, "");
        cr_expect(file_holds("out.safetensors", "what was there"));
        run_free(&r);
        folder_leave();
    }
}

/* The same with the file left alone: what was refused above is the cut. */
Test(cli_shrunk, a_side_file_that_stays_is_read)
{
    folder_enter();
    write_graph();
    pid_t pid = feed_seed(NULL);
    run r = expect_code(0, "vjp", "g.json", "--of", "y", "--wrt", "x", "--seed", "seed.safetensors", "--json", NULL);
    expect_feeder(pid);
    run_free(&r);
    folder_leave();
}

/* How the file is mapped: as inputs are; writable; once more to be executed, as programs and libraries are. */
typedef enum how { AS_INPUT, WRITABLE, AS_CODE } how;

/* In a process of its own: an output is begun, a mapped file is cut and read. */
static int read_cut_mapping(how mapped, const char *path)
{
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        jc_output_file *output;
        jc_cli_catch_shrunk_files();
        freopen("said", "w", stderr);
        int file = open("cut", O_RDWR | O_CREAT, 0600);
        if (ftruncate(file, 8192) || jc_output_create(NULL, path, &output)) _exit(99);
        volatile char *data = mmap(NULL, 8192, PROT_READ | (mapped == WRITABLE ? PROT_WRITE : 0), MAP_PRIVATE, file, 0);
        if (mapped == AS_CODE && mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, file, 0) == MAP_FAILED) _exit(96);
        if (ftruncate(file, 4096)) _exit(99);
        _exit(data[5000] ? 98 : 97);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int count_files(void)
{
    FILE *list = popen("ls -A | wc -l", "r");
    int n = 0;
    cr_assert_eq(fscanf(list, "%d", &n), 1);
    pclose(list);
    return n;
}

Test(cli_shrunk, an_output_that_was_begun_is_taken_away)
{
    folder_enter();
    cr_expect_eq(read_cut_mapping(AS_INPUT, "out.npy"), 3);
    cr_expect_eq(count_files(), 2, "the mapped file and what was said");
    folder_leave();
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) /* which have a handler of their own before ours   \
                                                                     */
Test(cli_shrunk, other_bus_errors_do_what_they_did)
{
    folder_enter();
    cr_expect_eq(read_cut_mapping(WRITABLE, "out.npy"), -SIGBUS);
    cr_expect_eq(count_files(), 3, "what was begun stays, as after any signal");
    int code = read_cut_mapping(AS_CODE, "out.npy");
    cr_expect(code == -SIGBUS || code == 96, "%d", code); /* 96: nothing in the folder may be executed */
    folder_leave();
    pid_t pid = fork();
    int status;
    if (pid == 0) {
        jc_cli_catch_shrunk_files();
        raise(SIGBUS);
        _exit(0);
    }
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS, "%x", (unsigned)status);
}
#endif
