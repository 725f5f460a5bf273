/* Inputs that are wrong, through the command and through the library: exit code 3 and a sentence that names the file
 * and the place in it, nothing on standard output, the output that was there as it was and nothing beside it, no memory
 * lost. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/command.h"
#include "io/io_files.h"
#include "io/seed.h"
#include "malformed/malformed.h"

static const char old_text[] = "what was there";
static const char right[] = MALFORMED_SQUARE("{'kind':'dense','values':[[1,2],[3,4]]}");
static const char with_matrix[] = MALFORMED_SQUARE("{'kind':'csr','file':'a.mtx'}");

/* ---- the files ----------------------------------------------------------------------------------------------------
 */

/* The working folder of the test. */
static io_folder here(void)
{
    io_folder folder;
    cr_assert(getcwd(folder.path, sizeof folder.path));
    return folder;
}

static char *quoted(const char *text, size_t bytes)
{
    char *copy = malloc(bytes + 1);
    for (size_t i = 0; i < bytes; i++) copy[i] = text[i] == '\'' ? '"' : text[i];
    copy[bytes] = '\0';
    return copy;
}

static void write_document(const char *text, size_t bytes)
{
    io_folder folder = here();
    if (!bytes) bytes = strlen(text);
    char *copy = quoted(text, bytes);
    io_write(&folder, "graph.json", copy, bytes);
    free(copy);
}

static void write_right_side_file(void)
{
    static const double numbers[12];
    static const int32_t of[2] = {2, 2}, far[2] = {2, 9}, minus[2] = {-1, 2}, mixed[2] = {2, 1}, sizes[3] = {2, 2, 2},
                         zero[2] = {2, 0}, p[4] = {0, 1, 1, 0}, b[2] = {1, 1};
    static const int64_t wrt[2] = {0, 0};
    const io_tensor tensors[] = {
        {"w", "F64", "[3,2]", numbers, 48},   {"stack", "F64", "[2,3,2]", numbers, 96},
        {"scalar", "F64", "[]", numbers, 8},  {"five", "F64", "[1,1,1,3,2]", numbers, 48},
        {"bytes", "U8", "[3,2]", numbers, 6}, {"of", "I32", "[2]", of, 8},
        {"wrt", "I64", "[2]", wrt, 16},       {"far", "I32", "[2]", far, 8},
        {"mixed", "I32", "[2]", mixed, 8},    {"minus", "I32", "[2]", minus, 8},
        {"sizes", "I32", "[3]", sizes, 12},   {"zero", "I32", "[2]", zero, 8},
        {"p", "I32", "[2,2]", p, 16},         {"mixed_b", "I32", "[2]", b, 8},
    };
    io_folder folder = here();
    io_write_list(&folder, "t.safetensors", tensors, sizeof tensors / sizeof tensors[0], 0);
}

static int count_files(void)
{
    int n = 0;
    DIR *d = opendir(".");
    for (struct dirent *e; (e = readdir(d));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

/* ---- what is expected ---------------------------------------------------------------------------------------------
 */

/* message: behind "jacchain: " or from jc_last_error. */
static void expect_message(const char *row, const char *message, const char *start, const char *words)
{
    size_t n = strlen(start);
    bool begins = !strncmp(message, start, n);
    cr_expect(begins, "%s\nexpected %s...\ngot      %s", row, start, message);
    cr_expect(strstr(message + (begins ? n : 0), words), "%s\nno '%s' in: %s", row, words, message);
    for (const char *c = message; *c; c++)
        cr_expect((unsigned char)*c >= 0x20 || *c == '\n', "%s: control character in: %s", row, message);
}

/* start: behind "jacchain: ", or "jacchain total: " where the usage is wrong. */
static void expect_refusal(const char *row, const char *const *arguments, int code, const char *start,
                           const char *words)
{
    const char *begin = code == 2 ? "jacchain total: " : "jacchain: ";
    write_text("old.safetensors", old_text);
    int files = count_files();
    run r = run_arguments(arguments, NULL);
    cr_expect_eq(r.code, code, "%s: exit code %d\n%s", row, r.code, r.err);
    cr_expect_str_eq(r.out, "", "%s: standard output: %s", row, r.out);
    cr_expect(file_holds("old.safetensors", old_text), "%s: the output was touched", row);
    cr_expect_eq(count_files(), files, "%s: something was left in the folder", row);
    bool named = !strncmp(r.err, begin, strlen(begin));
    cr_expect(named, "%s: %s", row, r.err);
    if (named) expect_message(row, r.err + strlen(begin), start, words);
    run_free(&r);
}

static void expect_command(const char *row, const char *const *arguments, const char *start, const char *words)
{
    expect_refusal(row, arguments, 3, start, words);
}

static void expect_total(const char *row, const char *graph, const char *start, const char *words)
{
    static int turn;
    const char *arguments[] = {"total", graph, "--of", "c", "--output", "old.safetensors", turn++ % 2 ? "--json" : NULL,
                               NULL};
    expect_command(row, arguments, start, words);
}

static void expect_load(const char *row, const char *path, const char *start, const char *words)
{
    jc_graph *graph = NULL;
    io_counter counter = {.fail_at = -1};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_status status = jc_graph_load(path, &options, &graph);
    cr_expect_eq(status, JC_E_INPUT, "%s: %s", row, jc_status_name(status));
    cr_expect_null(graph);
    expect_message(row, jc_last_error(), start, words);
    cr_expect_eq(counter.bytes_out, 0, "%s: %d bytes lost", row, (int)counter.bytes_out);
}

static void expect_document(const malformed_document *row)
{
    char start[512];
    bool any_position = !strcmp(row->place, "line ");
    snprintf(start, sizeof start, "graph.json: %s%s", row->place, row->place[0] && !any_position ? ": " : "");
    write_document(row->text, row->bytes);
    if (!*row->text && !row->bytes) write_text("graph.json", "");
    expect_load(row->name, "graph.json", start, row->words);
    expect_total(row->name, "graph.json", start, row->words);
}

static void expect_documents(const malformed_document *rows)
{
    folder_enter();
    write_right_side_file();
    write_document(right, 0);
    run r = expect_code(0, "total", "graph.json", "--of", "c", NULL); /* without what is wrong it is right */
    run_free(&r);
    for (; rows->name; rows++) expect_document(rows);
    folder_leave();
}

Test(malformed, texts_that_are_no_json)
{
    expect_documents(malformed_texts);
}

Test(malformed, values_that_are_no_document)
{
    expect_documents(malformed_values);
}

Test(malformed, edges_and_jacobians)
{
    expect_documents(malformed_edges);
}

Test(malformed, numbers_that_are_needed_and_not_there)
{
    folder_enter();
    write_right_side_file();
    for (const malformed_document *row = malformed_for_computing; row->name; row++) {
        char start[512];
        static const char *const arguments[] = {"total",    "graph.json",      "--of", "b",
                                                "--output", "old.safetensors", NULL};
        snprintf(start, sizeof start, "graph.json: %s: ", row->place);
        write_document(row->text, row->bytes);
        expect_command(row->name, arguments, start, row->words);
        run r = expect_code(0, "plan", "graph.json", "--of", "b", NULL);
        run_free(&r);
    }
    folder_leave();
}

/* ---- truncated, nested --------------------------------------------------------------------------------------------
 */

/* Every beginning of a document that is right, up to its last brace. */
Test(malformed, documents_cut_short_at_any_byte)
{
    static const char whole[] =
        "{'jacchain':1,'metadata':{'\\u00e4':[1.5e-3,true,null]},'tensors':'t.safetensors','variables':["
        "{'name':'a','size':2},{'name':'\xc3\xa4\\n','size':2},{'name':'c','size':2}],\n'edges':[{'of':'c','wrt':'a',"
        "'label':['x','y'],'jacobian':{'kind':'csr','indptr':[0,1,2],'indices':[0,1],'values':[-1,2.5]}},\n{'of':"
        "{'tensor':'of'},'wrt':{'tensor':'wrt'},'count':2,'jacobian':{'kind':'identity','scale':[1,2]}}]}";
    folder_enter();
    write_right_side_file();
    for (size_t n = 1; n < sizeof whole - 1; n++) {
        char row[64];
        snprintf(row, sizeof row, "first %zu bytes", n);
        write_document(whole, n);
        expect_load(row, "graph.json", "graph.json: line ", "");
        if (n % 16 == 0) expect_total(row, "graph.json", "graph.json: line ", "");
    }
    folder_leave();
}

/* kept: bytes at the end that may be missing. */
static void expect_cut_side_files(const char *name, const char *start, size_t kept)
{
    io_folder folder = here();
    size_t bytes;
    unsigned char *whole = io_read(io_path(&folder, name), &bytes);
    for (size_t n = 0; n < bytes - kept; n += n < 24 || n + 24 > bytes ? 1 : 7) {
        char row[64];
        snprintf(row, sizeof row, "first %zu bytes", n);
        io_write(&folder, name, whole, n);
        expect_load(row, "graph.json", start, "");
        if (n % 16 == 0) expect_total(row, "graph.json", start, "");
    }
    free(whole);
}

Test(malformed, side_files_cut_short_at_any_byte)
{
    folder_enter();
    write_right_side_file();
    write_document(right, 0);
    expect_cut_side_files("t.safetensors", "t.safetensors: ", 0);
    write_right_side_file();
    write_document(with_matrix, 0);
    write_text("a.mtx", "%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 1\n2 2 2.5e+00\n");
    /* the format has no end: what is left of the last number may be a number, and so may a line without its newline */
    expect_cut_side_files("a.mtx", "a.mtx: ", strlen("2.5e+00\n"));
    folder_leave();
}

static void expect_nested(const char *row, const char *before, const char *bracket, const char *start)
{
    enum { DEPTH = 1000000 };
    size_t n = strlen(before), width = strlen(bracket);
    char *text = malloc(n + DEPTH * width + 1);
    memcpy(text, before, n);
    for (size_t i = 0; i < DEPTH; i++) memcpy(text + n + i * width, bracket, width);
    write_document(text, n + DEPTH * width);
    expect_load(row, "graph.json", start, "depth");
    expect_total(row, "graph.json", start, "depth");
    free(text);
}

Test(malformed, a_million_brackets)
{
    folder_enter();
    write_right_side_file();
    expect_nested("lists", "", "[", "graph.json: line 1, column ");
    expect_nested("lists of edges", "{'jacchain':1,'variables':[],'edges':", "[", "graph.json: line 1, column ");
    expect_nested("lists in metadata", "{'metadata':", "[", "graph.json: line 1, column ");
    expect_nested("objects", "", "{'a':", "graph.json: line 1, column ");
    expect_nested("values", "{'jacchain':1,'variables':[],'edges':[{'jacobian':{'values':", "[",
                  "graph.json: line 1, column ");
    folder_leave();
}

/* ---- files beside the document ------------------------------------------------------------------------------------
 */

static void write_file(const char *name, const char *before, size_t before_bytes, const malformed_file *row)
{
    io_folder folder = here();
    size_t n = row->header ? strlen(row->header) : 0, all = row->header ? before_bytes + n + (size_t)row->data : 0;
    char *bytes = calloc(all + 1, 1), *header = quoted(row->header ? row->header : "", n);
    if (before_bytes) memcpy(bytes, before, row->header ? before_bytes : 0);
    memcpy(bytes + (row->header ? before_bytes : 0), header, n);
    io_write(&folder, name, row->header ? bytes : row->raw, row->header ? all : row->bytes);
    free(header);
    free(bytes);
}

Test(malformed, safetensors_files)
{
    folder_enter();
    write_document(right, 0);
    for (const malformed_file *row = malformed_safetensors; row->name; row++) {
        unsigned char length[8] = {(unsigned char)(row->header ? strlen(row->header) : 0),
                                   (unsigned char)((row->header ? strlen(row->header) : 0) >> 8)};
        write_file("t.safetensors", (const char *)length, 8, row);
        expect_load(row->name, "graph.json", "t.safetensors: ", row->words);
        expect_total(row->name, "graph.json", "t.safetensors: ", row->words);
    }
    folder_leave();
}

/* A small file that says of 20,000 tensors that they lie at one place: it is refused before anything is made of them.
 */
Test(malformed, tensors_that_lie_at_one_place_by_the_thousand)
{
    enum { N = 20000 };
    folder_enter();
    io_folder folder = here();
    char *header = malloc(N * 80 + 8), *end = header;
    *end++ = '{';
    for (int i = 0; i < N; i++)
        end += sprintf(end, "%s'w%d':{'dtype':'F32','shape':[20,20],'data_offsets':[0,1600]}", i ? "," : "", i);
    strcpy(end, "}");
    char zeros[1600] = {0};
    io_write_tensors(&folder, "t.safetensors", header, zeros, sizeof zeros);
    write_document(right, 0);
    expect_load("overlapping", "graph.json", "t.safetensors: ", "overlap");
    expect_total("overlapping", "graph.json", "t.safetensors: ", "overlap");
    free(header);
    folder_leave();
}

Test(malformed, matrix_market_files)
{
    folder_enter();
    write_right_side_file();
    write_document(with_matrix, 0);
    for (const malformed_file *row = malformed_mtx; row->name; row++) {
        malformed_file plain = *row;
        if (row->header) plain.raw = row->header, plain.bytes = strlen(row->header), plain.header = NULL;
        write_file("a.mtx", "", 0, &plain);
        expect_load(row->name, "graph.json", "a.mtx: ", row->words);
        expect_total(row->name, "graph.json", "a.mtx: ", row->words);
    }
    folder_leave();
}

Test(malformed, npy_files_as_seeds)
{
    folder_enter();
    write_right_side_file();
    write_document(right, 0);
    for (const malformed_file *row = malformed_npy; row->name; row++) {
        char before[10] = "\x93NUMPY\1\0";
        before[8] = (char)(row->header ? strlen(row->header) : 0);
        write_file("s.npy", before, sizeof before, row);
        static const char *const arguments[] = {
            "vjp", "graph.json", "--of", "c", "--wrt", "a", "--seed", "s.npy", "--output", "old.safetensors", NULL};
        expect_command(row->name, arguments, "s.npy: ", row->words);
    }
    folder_leave();
}

/* ---- expressions --------------------------------------------------------------------------------------------------
 */

/* As a rule of a query, through the library. */
static void expect_rule(const jc_graph *graph, const malformed_expression *row)
{
    char start[64];
    int64_t of = 2, wrt = 0;
    jc_rule rule = {.kind = JC_RULE_MATCH, .expression = row->text};
    jc_query query = JC_QUERY_INIT;
    jc_plan *plan = NULL;
    query.of = &of, query.n_of = 1, query.wrt = &wrt, query.n_wrt = 1, query.rules = &rule, query.n_rules = 1;
    jc_status status = jc_plan_create(graph, &query, &plan);
    cr_expect_eq(status, JC_E_USAGE, "%s: %s", row->name, jc_status_name(status));
    cr_expect_null(plan);
    snprintf(start, sizeof start, "%s: ", row->column);
    expect_message(row->name, jc_last_error(), start, row->words);
}

Test(malformed, expressions_that_are_none)
{
    folder_enter();
    write_document(
        MALFORMED_EDGES(
            "{'of':'c','wrt':'a','label':['leak','rec'],'jacobian':{'kind':'dense','values':[[1,2],[3,4]]}}"),
        0);
    write_right_side_file();
    run r = expect_code(0, "total", "graph.json", "--of", "c", "--match", "leak | rec", NULL); /* nothing is wrong */
    run_free(&r);
    io_counter counter = {.fail_at = -1};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_graph *graph = NULL;
    cr_assert_eq(jc_graph_load("graph.json", &options, &graph), JC_OK);
    int64_t bytes = counter.bytes_out;
    for (const malformed_expression *row = malformed_expressions; row->name; row++) {
        char start[64];
        const char *arguments[] = {"total",    "graph.json",      "--of", "c", "--match", row->text,
                                   "--output", "old.safetensors", NULL};
        snprintf(start, sizeof start, "--match: %s: ", row->column);
        expect_refusal(row->name, arguments, 2, start, row->words);
        expect_rule(graph, row);
        cr_expect_eq(counter.bytes_out, bytes, "%s: memory lost", row->name);
    }
    jc_graph_destroy(graph);
    folder_leave();
}

/* ---- what the names stand for -------------------------------------------------------------------------------------
 */

static void expect_path(const char *row, const char *graph, const char *start, const char *words)
{
    expect_load(row, graph, start, words);
    expect_total(row, graph, start, words);
}

Test(malformed, documents_that_are_no_files)
{
    folder_enter();
    cr_assert_eq(mkdir("folder", 0700), 0);
    expect_path("none", "none.json", "none.json: ", "No such file");
    expect_path("folder", "folder", "folder: ", "is a directory");
    expect_path("a folder's slash", "folder/", "folder/: ", "is a directory");
    expect_path("no folder", "none/graph.json", "none/graph.json: ", "No such file");
    expect_path("endless device", "/dev/zero", "/dev/zero: ", "is a device");
    expect_path("empty device", "/dev/null", "/dev/null: ", "is a device");
    cr_assert_eq(symlink("loop", "loop"), 0);
    expect_path("a loop of links", "loop", "loop: ", "cannot be read: ");
    cr_assert_eq(symlink("nowhere", "dangling"), 0);
    expect_path("a link to nothing", "dangling", "dangling: ", "No such file");
    write_document(right, 0);
    cr_assert_eq(chmod("graph.json", 0), 0);
    if (geteuid() != 0) expect_path("unreadable", "graph.json", "graph.json: ", "Permission denied");
    folder_leave();
}

Test(malformed, side_files_that_are_no_files)
{
    static const struct {
        const char *name, *target, *words;
    } links[] = {{"a folder", ".", "is a directory"},
                 {"an endless device", "/dev/zero", "is not a regular file"},
                 {"an empty device", "/dev/null", "is not a regular file"},
                 {"a pipe without writer", "pipe", "is not a regular file"},
                 {"a link to itself", "t.safetensors", "cannot be read: "},
                 {"a link to nothing", "nowhere", "No such file"},
                 {"the document itself", "graph.json", "header"}};
    folder_enter();
    write_document(right, 0);
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    expect_path("none", "graph.json", "t.safetensors: ", "No such file");
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++) {
        cr_assert_eq(symlink(links[i].target, "t.safetensors"), 0);
        expect_path(links[i].name, "graph.json", "t.safetensors: ", links[i].words);
        unlink("t.safetensors");
    }
    folder_leave();
}

Test(malformed, the_name_of_a_side_file_is_longer_than_names_may_be)
{
    enum { NAME = 5000 };
    folder_enter();
    char *text = malloc(NAME + 100), *end = text + sprintf(text, "{'jacchain':1,'variables':[],'edges':[],'tensors':'");
    memset(end, 'x', NAME);
    strcpy(end + NAME, "'}");
    write_document(text, 0);
    expect_path("long name", "graph.json", "xxxxxxxxxx", "");
    free(text);
    folder_leave();
}

/* A table that lost its end or its rows would pass. */
Test(malformed, there_are_as_many_rows_as_we_say)
{
    int n = 0;
    for (const malformed_document *r = malformed_texts; r->name; r++) n++;
    for (const malformed_document *r = malformed_values; r->name; r++) n++;
    for (const malformed_document *r = malformed_edges; r->name; r++) n++;
    for (const malformed_expression *r = malformed_expressions; r->name; r++) n++;
    for (const malformed_file *r = malformed_safetensors; r->name; r++) n++;
    for (const malformed_file *r = malformed_npy; r->name; r++) n++;
    for (const malformed_file *r = malformed_mtx; r->name; r++) n++;
    cr_expect_geq(n, 350, "%d rows", n);
}
