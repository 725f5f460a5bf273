/* Documents inside safetensors files, and documents that are text in memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/dtype.h"
#include "graph/graph.h"
#include "io/io_files.h"
#include "support/failing_allocator.h"
#include "support/failing_calls.h"
#include "support/failing_jansson.h"

static const double values[6] = {1, 2, 3, 4, 5, 6};

/* A file of one tensor 'm', 2 x 3, and this document in its metadata: ' of `document` become \". */
static const char *write_single(const io_folder *folder, const char *name, const char *document)
{
    char *header = malloc(2 * strlen(document) + 200);
    size_t used = (size_t)sprintf(header, "{'__metadata__':{'jacchain':'");
    for (const char *c = document; *c; c++) {
        if (*c == '\'') header[used++] = '\\';
        if (*c == '\n') header[used++] = '\\';
        header[used++] = *c == '\n' ? 'n' : *c;
    }
    sprintf(header + used, "','x':'y'},'m':{'dtype':'F64','shape':[2,3],'data_offsets':[0,48]}}");
    const char *path = io_write_tensors(folder, name, header, values, sizeof values);
    free(header);
    return path;
}

#define TENSOR "{'tensor':'m'}"
#define DOCUMENT(more, value)                                                                                          \
    "{'jacchain':1," more "'variables':[{'name':'x','size':3},{'name':'y','size':2}],\n'edges':[{'of':'y','wrt':'x',"  \
    "'jacobian':{'kind':'dense','values':" value "}}]}"

/* One edge y <- x with the six numbers. */
static void expect_graph(jc_status status, jc_graph **loaded)
{
    jc_graph *graph = *loaded;
    cr_assert_eq(status, JC_OK, "%s", jc_last_error());
    cr_assert(jc_graph_variable_count(graph) == 2 && jc_graph_edge_count(graph) == 1);
    const jc_field *f = &jc_graph_group(graph, 0)->field[0];
    for (int i = 0; i < 6; i++) cr_expect_eq(jc_load_float(f->dtype, f->data, i), values[i]);
    jc_graph_destroy(graph);
}

Test(single_file, it_is_known_by_its_header_whatever_its_name)
{
    static const char *const names[] = {"g.safetensors", "g.json", "g"};
    io_folder folder = io_folder_make();
    for (int i = 0; i < 3; i++)
        for (int reads = 0; reads < 2; reads++) {
            jc_graph *graph = NULL;
            jc_graph_options options = {.struct_size = sizeof options, .reads_files = reads};
            const char *path = write_single(&folder, names[i], DOCUMENT("", TENSOR));
            failing_calls_reset(FAILING_CALLS, -1, 0);
            jc_status status = jc_graph_load(path, &options, &graph);
            cr_expect_eq(failing_call_counts[FAILING_OPEN], 1);
            cr_expect_eq(failing_call_counts[FAILING_READ] > 0, reads);
            if (reads) cr_assert_eq(truncate(path, 0), 0);
            unlink(path); /* the graph stays what it was */
            expect_graph(status, &graph);
        }
    io_folder_remove(&folder);
}

Test(single_file, the_other_way_round_json_is_known_in_a_file_named_safetensors)
{
    io_folder folder = io_folder_make();
    jc_graph *graph = NULL;
    const char *path = io_write_text(&folder, "g.safetensors", DOCUMENT("", "[[1,2,3],[4,5,6]]"));
    expect_graph(jc_graph_load(path, NULL, &graph), &graph);
    io_folder_remove(&folder);
}

static void expect_bad(const char *path, const char *start, const char *words)
{
    jc_graph *graph = NULL;
    char expected[1200];
    snprintf(expected, sizeof expected, "%s: %s", path, start);
    cr_expect_eq(jc_graph_load(path, NULL, &graph), JC_E_INPUT, "%s", words);
    cr_expect_null(graph);
    cr_expect(!strncmp(jc_last_error(), expected, strlen(expected)), "%s\nexpected %s", jc_last_error(), expected);
    cr_expect(strstr(jc_last_error(), words), "%s\nexpected %s", jc_last_error(), words);
}

Test(single_file, errors_name_the_file_and_the_place)
{
    io_folder folder = io_folder_make();
    const char *name = "g.safetensors";
    expect_bad(write_single(&folder, name, DOCUMENT("'tensors':'t.safetensors',", TENSOR)),
               "/tensors: ", "refers to that file's tensors");
    expect_bad(write_single(&folder, name, DOCUMENT("", "{'tensor':'n'}")),
               "/edges/0/jacobian/values: ", "there is no tensor 'n' in ");
    expect_bad(write_single(&folder, name, DOCUMENT("", "[[1,2,3],[4,5]]")),
               "/edges/0/jacobian/values/1: ", "2 elements");
    expect_bad(write_single(&folder, name, DOCUMENT("'x':1,", TENSOR)), "/x: ", "not known");
    expect_bad(write_single(&folder, name, "{'jacchain':1,\n}"), "jacchain of __metadata__, line 2, column 1: ", "'}'");
    expect_bad(write_single(&folder, name, "[]"), "a document is an object", "not a list");
    expect_bad(write_single(&folder, name, ""), "jacchain of __metadata__, line 1, ", "");
    expect_bad(write_single(&folder, name, "{}"), "this is not a jacchain document", "");
    expect_bad(io_write_tensors(&folder, name, "{'__metadata__':{'x':'y'}}", "", 0), "is a safetensors file without",
               "no text 'jacchain'");
    expect_bad(io_write_tensors(&folder, name, "{}", "", 0), "is a safetensors file without", "no text 'jacchain'");
    expect_bad(io_write_tensors(&folder, name, "{'__metadata__':{'jacchain':1}}", "", 0), "header: ", "expected text");
    expect_bad(io_write_tensors(&folder, name, "{'__metadata__':{'jacchain':'{}','jacchain':'{}'}}", "", 0), "header, ",
               "duplicate");
    expect_bad(io_write_tensors(&folder, name, "{'__metadata__':{'jacchain':'{}'}}", "x", 1), "the file has 1 bytes ",
               "");
    io_folder_remove(&folder);
}

/* ---- text in memory --------------------------------------------------------------------------------------------- */

static char *quoted(const char *text)
{
    char *copy = strdup(text);
    for (char *c = copy; *c; c++)
        if (*c == '\'') *c = '"';
    return copy;
}

Test(single_file, a_text_takes_its_files_from_the_folder)
{
    io_folder folder = io_folder_make();
    const io_tensor tensor = {"m", "F64", "[2,3]", values, sizeof values};
    char *text = quoted(DOCUMENT("'tensors':'t.safetensors',", TENSOR)), with_slash[IO_PATH_BYTES + 2];
    io_write_list(&folder, "t.safetensors", &tensor, 1, 0);
    jc_graph *graph = NULL;
    expect_graph(jc_graph_load_text(text, strlen(text), NULL, folder.path, NULL, &graph), &graph);
    snprintf(with_slash, sizeof with_slash, "%s/", folder.path);
    expect_graph(jc_graph_load_text(text, strlen(text), NULL, with_slash, NULL, &graph), &graph);
    cr_assert_eq(chdir(folder.path), 0);
    expect_graph(jc_graph_load_text(text, strlen(text), NULL, NULL, NULL, &graph), &graph);
    expect_graph(jc_graph_load_text(text, strlen(text), NULL, "", NULL, &graph), &graph);
    cr_assert_eq(chdir("/"), 0);
    graph = NULL;
    cr_expect_eq(jc_graph_load_text(text, strlen(text), "n", NULL, NULL, &graph), JC_E_INPUT);
    cr_expect(!strncmp(jc_last_error(), "t.safetensors: cannot be read", 29), "%s", jc_last_error());
    free(text);
    io_folder_remove(&folder);
}

static void expect_bad_text(const char *text, size_t bytes, const char *name, jc_status expected, const char *start)
{
    jc_graph *graph = NULL;
    char *copy = malloc(bytes ? bytes : 1);
    memcpy(copy, text, bytes);
    cr_expect_eq(jc_graph_load_text(copy, bytes, name, NULL, NULL, &graph), expected);
    cr_expect_null(graph);
    cr_expect(!strncmp(jc_last_error(), start, strlen(start)), "%s\nexpected %s", jc_last_error(), start);
    free(copy);
}

Test(single_file, a_text_that_is_wrong_is_named_as_the_caller_says)
{
    io_folder folder = io_folder_make();
    size_t bytes;
    char *text = quoted(DOCUMENT("", "[[1,2,3]]"));
    expect_bad_text(text, strlen(text), "standard input", JC_E_INPUT, "standard input: /edges/0/jacobian/values: ");
    expect_bad_text(text, strlen(text), NULL, JC_E_INPUT, "document: /edges/0/jacobian/values: ");
    expect_bad_text(text, strlen(text) - 1, "n", JC_E_INPUT, "n: line 2, column ");
    expect_bad_text(text, 0, "n", JC_E_INPUT, "n: line 1");
    unsigned char *file = io_read(write_single(&folder, "g", DOCUMENT("", TENSOR)), &bytes);
    expect_bad_text((const char *)file, bytes, "n", JC_E_INPUT,
                    "n: is a safetensors file; a document in one is read by");
    jc_graph *graph = NULL;
    cr_expect_eq(jc_graph_load_text(NULL, 0, NULL, NULL, NULL, &graph), JC_E_USAGE);
    cr_expect_eq(jc_graph_load_text(text, strlen(text), NULL, NULL, NULL, NULL), JC_E_USAGE);
    free(file);
    free(text);
    io_folder_remove(&folder);
}

/* ---- memory ----------------------------------------------------------------------------------------------------- */

typedef struct sweep {
    const char *path, *text;
    jc_allocator allocator;
} sweep;

static jc_status load_body(void *ctx)
{
    sweep *s = ctx;
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &s->allocator, .reads_files = 1};
    jc_graph *graph = NULL;
    jc_status status = s->path ? jc_graph_load(s->path, &options, &graph)
                               : jc_graph_load_text(s->text, strlen(s->text), NULL, NULL, &options, &graph);
    cr_assert(!status == !!graph);
    jc_graph_destroy(graph);
    return status;
}

Test(single_file, every_failed_allocation_is_an_error)
{
    io_folder folder = io_folder_make();
    failing_allocator memory;
    char *text = quoted(DOCUMENT("", "[[1,2,3],[4,5,6]]"));
    sweep s = {.allocator = failing_allocator_init(&memory, -1)};
    failing_jansson_route(&s.allocator);
    s.path = write_single(&folder, "g", DOCUMENT("", TENSOR));
    cr_expect_gt(failing_allocator_sweep(&memory, "a single file", load_body, &s), 20);
    s = (sweep){.text = text, .allocator = s.allocator};
    cr_expect_gt(failing_allocator_sweep(&memory, "a text", load_body, &s), 20);
    cr_expect_eq(memory.live_blocks, 0);
    cr_expect_eq(memory.defects, 0);
    free(text);
    io_folder_remove(&folder);
}
