/* The forms in which the command takes and leaves its files: .npy, single files, standard input, Matrix Market. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/command.h"
#include "io/safetensors_write.h"

/* ---- .npy ------------------------------------------------------------------------------------------------------- */

/* A .npy file of version 1.0 of doubles. */
static void write_npy(const char *name, const char *shape, int fortran, const double *values, size_t n)
{
    char header[119];
    FILE *f = fopen(name, "wb");
    snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': %s, 'shape': %s, }%60s",
             fortran ? "True" : "False", shape, "");
    header[117] = '\n';
    cr_assert(f && fwrite("\x93NUMPY\1\0\x76\0", 1, 10, f) == 10 && fwrite(header, 1, 118, f) == 118);
    cr_assert(fwrite(values, sizeof *values, n, f) == n && fclose(f) == 0);
}

static const double by_rows[] = {1, 0, 2, -1, 0, 0, 3, 0, 1, -2};    /* 2 x 5, for z */
static const double by_columns[] = {1, 0, 0, 3, 2, 0, -1, 1, 0, -2}; /* the same, column by column */

Test(cli_forms, seeds_come_from_npy_files_in_either_order)
{
    folder_enter();
    write_npy("c.npy", "(2, 5)", 0, by_rows, 10);
    write_npy("f.npy", "(2, 5)", 1, by_columns, 10);
    write_npy("line.npy", "(5,)", 0, by_rows, 5);
    write_npy("a:b.safetensors.npy", "(2, 5)", 0, by_rows, 10);
    static const char *const files[] = {"c.npy", "f.npy", "a:b.safetensors.npy"};
    for (int i = 0; i < 3; i++) {
        json_t *root = expect_json(0, "vjp", POST, "--of", "z", "--wrt", "w,x", "--seed", files[i], "--json", NULL);
        cr_expect(json_same(json_at(root, "totals/0/values"), "[[15, 10, 18, 9], [23, 93, 17, -69]]"));
        cr_expect(json_same(json_at(root, "totals/1/values"), "[[7, -1, -8], [-3, 24, 27]]"));
        json_decref(root);
    }
    run r = expect_code(0, "vjp", POST, "--of", "z", "--wrt", "w", "--seed", "line.npy", "--quiet", NULL);
    cr_expect_str_eq(r.out, "dz/dw  1 x 4\n  15  10  18  9\n");
    run_free(&r);
    folder_leave();
}

static void expect_refused(int code, const char *words, const char *seed)
{
    run r = expect_code(code, "vjp", POST, "--of", "z", "--wrt", "w", "--seed", seed, "--output", "out.npy", NULL);
    cr_expect(strstr(r.err, words), "expected '%s' in: %s", words, r.err);
    cr_expect_not(file_exists("out.npy"));
    run_free(&r);
}

Test(cli_forms, npy_seeds_that_do_not_fit_are_refused_with_the_file)
{
    folder_enter();
    write_npy("wide.npy", "(5, 2)", 0, by_rows, 10);
    write_npy("cut.npy", "(2, 5)", 0, by_rows, 9);
    write_npy("empty.npy", "(0, 5)", 0, by_rows, 0);
    expect_refused(3, "wide.npy: the seed is 5 x 2, expected k x 5", "wide.npy");
    expect_refused(3, "empty.npy: the seed is 0 x 5, expected k x 5, where 5 is the size of z and k at least 1",
                   "empty.npy");
    expect_refused(3, "cut.npy: ends too early: 72 bytes of elements, expected 80", "cut.npy");
    expect_refused(3, "none.npy: cannot be read", "none.npy");
    expect_refused(3, "objects.npy: its elements are Python objects", JC_TEST_DATA "/npy/objects.npy");
    expect_refused(2, "--seed takes FILE.safetensors[:NAME] or FILE.npy, not 'wide.npy:x'", "wide.npy:x");
    folder_leave();
}

/* The bytes that numpy writes for the array. */
static void expect_npy(const char *name, const char *shape, const double *values, size_t n)
{
    static unsigned char file[2][4096];
    write_npy("expected", shape, 0, values, n);
    const char *const names[2] = {name, "expected"};
    size_t bytes[2];
    for (int i = 0; i < 2; i++) {
        FILE *f = fopen(names[i], "rb");
        cr_assert(f, "%s", names[i]);
        bytes[i] = fread(file[i], 1, sizeof file[i], f);
        fclose(f);
    }
    cr_expect(bytes[0] == bytes[1] && !memcmp(file[0], file[1], bytes[0]), "%s", name);
}

Test(cli_forms, one_result_is_written_as_npy)
{
    folder_enter();
    write_text("two.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 4}, {\"name\": \"y\", \"size\": 2}],"
               " \"edges\": [{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\", \"batch\": 2,"
               " \"values\": [[[1, 2]], [[3, 4]]]}}]}");
    run r = expect_code(0, "total", POST, "--of", "L", "--wrt", "w", "--output", "w.npy", NULL);
    run_free(&r);
    expect_npy("w.npy", "(1, 4)", (const double[]){12, 136, -27, -146}, 4);
    r = expect_code(0, "total", "two.json", "--of", "y", "--per-sample", "2", "--output", "s.npy", NULL); /* --wrt x */
    run_free(&r);
    expect_npy("s.npy", "(2, 1, 2)", (const double[]){1, 2, 3, 4}, 4);
    r = expect_code(0, "check", "two.json", "--output", "c.npy", NULL);
    run_free(&r);
    expect_npy("c.npy", "(2, 4)", (const double[]){1, 2, 0, 0, 0, 0, 3, 4}, 8);
    folder_leave();
}

Test(cli_forms, a_file_that_is_replaced_keeps_its_permissions)
{
    struct stat info;
    folder_enter();
    write_text("private.npy", "old");
    cr_assert_eq(chmod("private.npy", 0600), 0);
    run r = expect_code(0, "total", POST, "--of", "L", "--wrt", "w", "--output", "private.npy", NULL);
    run_free(&r);
    cr_expect_not(file_holds("private.npy", "old"));
    cr_expect(stat("private.npy", &info) == 0 && (info.st_mode & 07777) == 0600, "%o", (unsigned)info.st_mode);
    folder_leave();
}

Test(cli_forms, several_results_are_no_npy_which_is_said_before_the_work)
{
    static const char *const lines[][10] = {
        {"total", POST, "--of", "L,z", "--wrt", "w", "--output", "o.npy", NULL},
        {"total", POST, "--of", "L", "--wrt", "w,x", "--output", "o.npy", NULL},
        {"total", POST, "--of", "w,x", "--output", "o.npy", NULL}, /* from w each */
        {"vjp", POST, "--of", "z", "--wrt", "w,x", "--seed=none.npy", "--output", "o.npy", NULL},
        {"check", POST, "--of", "L,z", "--output", "o.npy", NULL},
    };
    folder_enter();
    write_text("o.npy", "what was there");
    for (int i = 0; i < 5; i++) {
        run r = run_arguments(lines[i], NULL);
        cr_expect_eq(r.code, 2, "line %d: %d, %s", i, r.code, r.err);
        cr_expect(strstr(r.err, "--output: o.npy: a .npy file holds one result, these are 2"), "%s", r.err);
        cr_expect_str_eq(r.out, "");
        cr_expect(file_holds("o.npy", "what was there"));
        run_free(&r);
    }
    folder_leave();
}

Test(cli_forms, results_to_judge_have_names)
{
    run r = expect_code(2, "check", POST, "--against", "x.npy", NULL);
    cr_expect(strstr(r.err, "--against takes FILE.safetensors, whose tensors have names, not 'x.npy'"), "%s", r.err);
    run_free(&r);
}

/* ---- standard input --------------------------------------------------------------------------------------------- */

static const char document[] = "{\"jacchain\": 1, \"tensors\": \"t.safetensors\", \"variables\": [{\"name\": \"x\", "
                               "\"size\": 2}, {\"name\": \"y\", "
                               "\"size\": 2}], \"edges\": [{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": "
                               "\"dense\", \"values\": {\"tensor\":"
                               " \"m\"}}}]}";

static void expect_matrix(const char *graph)
{
    json_t *root = expect_json(0, "total", graph, "--of", "y", "--json", NULL);
    cr_expect(json_same(json_at(root, "totals/0/values"), "[[1, 2], [3, 4]]"));
    json_decref(root);
}

Test(cli_forms, a_document_from_a_file_on_standard_input)
{
    folder_enter();
    write_matrix("t.safetensors", "m", 2, 2, (const double[]){1, 2, 3, 4});
    write_text("g.json", document);
    use_input("g.json");
    expect_matrix("-");
    run r = expect_code(0, "plan", "-", "--of", "y", NULL);
    run_free(&r);
    r = expect_code(0, "check", "-", NULL);
    run_free(&r);
    r = expect_code(0, "total", "-", "--of", "y", NULL);
    cr_expect(strstr(r.err, "standard input: 2 variables, 1 edge\n"), "%s", r.err);
    run_free(&r);
    r = expect_code(0, "paths", "-", "--of", "y", "--wrt", "x", NULL);
    cr_expect(strstr(r.err, "standard input: 2 variables, 1 edge, load"), "%s", r.err);
    run_free(&r);
    use_input(NULL);
    folder_leave();
}

Test(cli_forms, a_document_from_a_pipe)
{
    folder_enter();
    write_matrix("t.safetensors", "m", 2, 2, (const double[]){1, 2, 3, 4});
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    pid_t pid = fork();
    if (pid == 0) {
        alarm(60); /* where nobody reads it */
        FILE *f = fopen("pipe", "wb");
        for (int i = 0; i < 200000; i++) fputc(' ', f); /* more than a pipe holds */
        fputs(document, f);
        _exit(fclose(f));
    }
    use_input("pipe");
    expect_matrix("-");
    use_input(NULL);
    int status;
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0);
    folder_leave();
}

static void expect_bad_input(const char *file, const char *words)
{
    use_input(file);
    run r = expect_code(3, "total", "-", "--of", "y", NULL);
    cr_expect(strncmp(r.err, "jacchain: standard input: ", 26) == 0 && strstr(r.err, words), "%s", r.err);
    run_free(&r);
    use_input(NULL);
}

Test(cli_forms, errors_on_standard_input_say_so)
{
    folder_enter();
    write_matrix("t.safetensors", "m", 2, 2, (const double[]){1, 2, 3, 4});
    write_text("bad.json", "{\"jacchain\": 1, \"variables\": [], \"edges\": [{}]}");
    write_text("cut.json", "{\"jacchain\": 1, ");
    write_text("loop.json",
               "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 1}, {\"name\": \"y\", \"size\": 1}],"
               "\"edges\": [{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\"}}]}");
    expect_bad_input("bad.json", "/edges/0: an edge needs 'of'");
    expect_bad_input("cut.json", "line 1, column ");
    expect_bad_input("/dev/null", "is empty");
    expect_bad_input("t.safetensors", "is a safetensors file");
    expect_bad_input("loop.json", "edge"); /* used without numbers */
    folder_leave();
}

/* ---- single files, matrices ------------------------------------------------------------------------------------- */

Test(cli_forms, a_document_inside_its_safetensors_file)
{
    static const char text[] =
        "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 2}, {\"name\": \"y\", \"size\": 2}], \"edges\": "
        "["
        "{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"dense\", \"values\": {\"tensor\": \"m\"}}}]}";
    const jc_metadata metadata = {"jacchain", text};
    const jc_tensor_spec spec = {"m", JC_F64, 2, {2, 2}};
    const double values[] = {1, 2, 3, 4};
    jc_safetensors_writer *writer;
    folder_enter();
    cr_assert_eq(jc_safetensors_create(NULL, "one", &spec, 1, &metadata, 1, &writer), JC_OK);
    cr_assert_eq(jc_safetensors_append(writer, 0, values, sizeof values), JC_OK);
    cr_assert_eq(jc_safetensors_commit(writer), JC_OK);
    expect_matrix("one");
    folder_leave();
}

Test(cli_forms, a_matrix_market_file_beside_the_document)
{
    folder_enter();
    write_text("a.mtx",
               "%%MatrixMarket matrix coordinate integer general\r\n2 2 4\r\n2 2 4\r\n1 1 1\r\n2 1 3\r\n1 2 2\r\n");
    write_text(
        "g.json",
        "{\"jacchain\": 1, \"variables\": [{\"name\": \"x\", \"size\": 2}, {\"name\": \"y\", \"size\": 2}],"
        " \"edges\": [{\"of\": \"y\", \"wrt\": \"x\", \"jacobian\": {\"kind\": \"csr\", \"file\": \"a.mtx\"}}]}");
    expect_matrix("g.json");
    use_input("g.json");
    expect_matrix("-");
    use_input(NULL);
    write_text("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 1\n3 1 1\n");
    run r = expect_code(3, "total", "g.json", "--of", "y", NULL);
    cr_expect(strstr(r.err, "jacchain: a.mtx: line 3: expected a row from 1 to 2, found '3'"), "%s", r.err);
    run_free(&r);
    folder_leave();
}
