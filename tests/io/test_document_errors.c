/* Documents that are wrong: the status, the place and the words of the message. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "io/io_files.h"

#define V3 "{'name':'a','size':2},{'name':'b','size':3},{'name':'c','size':2}"
#define DOC(variables, edges) "{'jacchain':1,'tensors':'t.safetensors','variables':" variables ",'edges':" edges "}"
#define EDGES(edges) DOC("[" V3 "]", "[" edges "]")
#define OK_EDGE "{'of':'b','wrt':'a','jacobian':{'kind':'dense'}}"
/* 'b' (3) by 'a' (2) */
#define JAC(jacobian) EDGES(OK_EDGE ",{'of':'b','wrt':'a','jacobian':" jacobian "}")
/* 'c' (2) by 'a' (2) */
#define SQUARE(jacobian) EDGES("{'of':'c','wrt':'a','jacobian':" jacobian "}")
#define GROUP(rest) EDGES(OK_EDGE ",{'of':{'tensor':'of'},'wrt':{'tensor':'wrt'}," rest "}")
#define TWO "'count':2,"

typedef struct bad_document {
    const char *text;
    jc_status status;
    const char *place; /* what stands between the file and the sentence */
    const char *words; /* in the sentence */
} bad_document;

static const bad_document bad_documents[] = {
    /* the text */
    {"{'jacchain':1,", JC_E_INPUT, "line 1, column 14", "end of file"},
    {"{'jacchain':1,\n 'variables':[],\n 'edges':[}\n", JC_E_INPUT, "line 3, column 11", "'}'"},
    {"{'jacchain':1,'variables':[],'edges':[]} x", JC_E_INPUT, "line 1, column 42", "end of file expected"},
    {"{'jacchain':1,'variables':[],'variables':[],'edges':[]}", JC_E_INPUT, "line 1, column 40", "duplicate"},
    {"{'jacchain':1,'variables':[],'edges':[],'\\u0065dges':[]}", JC_E_INPUT, "line 1, column 52", "duplicate"},
    {EDGES("{'of':'a','of':'b'}"), JC_E_INPUT, "line 1, column 143", "duplicate"},
    {EDGES(OK_EDGE ",," OK_EDGE), JC_E_INPUT, "line 1, column 179", "','"},
    {EDGES(OK_EDGE ","), JC_E_INPUT, "line 1, column 179", "']'"},
    {EDGES(OK_EDGE " " OK_EDGE), JC_E_INPUT, "line 1, column 179", "'{'"},
    {EDGES("{'of':'b'"), JC_E_INPUT, "line 1, column 139", "']'"},
    {EDGES("{'of':'b\n'}"), JC_E_INPUT, "line 1, column 137", "newline"},
    {EDGES("{'of':'b\\x'}"), JC_E_INPUT, "line 1, column 139", "escape"},
    {EDGES("{'of':'b\xff'}"), JC_E_INPUT, "line 1, column 137", "decode"},
    {JAC("{'kind':'dense','values':[[1,2],[3,4],[5,1e999]]}"), JC_E_INPUT, "line 1, column 255", "overflow"},
    {JAC("{'kind':'dense','values':[[1,2],[3,4],[5,NaN]]}"), JC_E_INPUT, "line 1, column 253", "NaN"},
    {JAC("{'kind':'dense','values':[[1,2],[3,4],[5,01]]}"), JC_E_INPUT, "line 1, column 251", "0"},
    {"17", JC_E_INPUT, "line 1, column 2", "expected"},
    {"[]", JC_E_INPUT, "", "a document is an object, not a list"},
    /* the document */
    {"{}", JC_E_INPUT, "", "not a jacchain document"},
    {"{'jacchain':2,'variables':[],'edges':[],'new':1}", JC_E_INPUT, "/jacchain", "version 2"},
    {"{'jacchain':1.0,'variables':[],'edges':[]}", JC_E_INPUT, "/jacchain", "fraction"},
    {"{'jacchain':'1','variables':[],'edges':[]}", JC_E_INPUT, "/jacchain", "text"},
    {"{'jacchain':1,'variables':[],'edges':[],'extra':1}", JC_E_INPUT, "/extra", "not known"},
    {"{'jacchain':1,'variables':[],'edges':[],'a/b~c':1}", JC_E_INPUT, "/a~1b~0c", "not known"},
    {"{'jacchain':1,'edges':[]}", JC_E_INPUT, "", "'variables'"},
    {"{'jacchain':1,'variables':[]}", JC_E_INPUT, "", "'edges'"},
    {"{'jacchain':1,'variables':[],'edges':{}}", JC_E_INPUT, "/edges", "list"},
    {"{'jacchain':1,'variables':7,'edges':[]}", JC_E_INPUT, "/variables", "integer"},
    {"{'jacchain':1,'tensors':7,'variables':[],'edges':[]}", JC_E_INPUT, "/tensors", "integer"},
    {"{'jacchain':1,'tensors':'','variables':[],'edges':[]}", JC_E_INPUT, "/tensors", "empty"},
    {"{'jacchain':1,'tensors':'x/t.safetensors','variables':[],'edges':[]}", JC_E_INPUT, "/tensors", "plain"},
    {"{'jacchain':1,'tensors':'..','variables':[],'edges':[]}", JC_E_INPUT, "/tensors", "plain"},
    {"{'jacchain':1,'tensors':'t\\u0000','variables':[],'edges':[]}", JC_E_INPUT, "/tensors", "text"},
    /* variables */
    {DOC("[7]", "[]"), JC_E_INPUT, "/variables/0", "an integer"},
    {DOC("[{'name':'a','size':1,'unit':'m'}]", "[]"), JC_E_INPUT, "/variables/0/unit", "not known"},
    {DOC("[{'size':1}]", "[]"), JC_E_INPUT, "/variables/0", "'name'"},
    {DOC("[{'name':'a'}]", "[]"), JC_E_INPUT, "/variables/0", "'size'"},
    {DOC("[{'name':7,'size':1}]", "[]"), JC_E_INPUT, "/variables/0/name", "text"},
    {DOC("[{'name':'','size':1}]", "[]"), JC_E_INPUT, "/variables/0/name", "empty"},
    {DOC("[{'name':'a,b','size':1}]", "[]"), JC_E_INPUT, "/variables/0/name", "comma"},
    {DOC("[{'name':'a\\tb','size':1}]", "[]"), JC_E_INPUT, "/variables/0/name", "control"},
    {DOC("[{'name':'a\\u0000','size':1}]", "[]"), JC_E_INPUT, "/variables/0/name", "NUL"},
    {DOC("[{'name':'a','size':1},{'name':'a','size':2}]", "[]"), JC_E_INPUT, "/variables/1/name", "both named a"},
    {DOC("[{'name':'a','size':0}]", "[]"), JC_E_INPUT, "/variables/0/size", "at least 1"},
    {DOC("[{'name':'a','size':-1}]", "[]"), JC_E_INPUT, "/variables/0/size", "at least 1"},
    {DOC("[{'name':'a','size':1.0}]", "[]"), JC_E_INPUT, "/variables/0/size", "without fraction"},
    {DOC("[{'name':'a','size':1e2}]", "[]"), JC_E_INPUT, "/variables/0/size", "without fraction"},
    {DOC("[{'name':'a','size':'1'}]", "[]"), JC_E_INPUT, "/variables/0/size", "integer"},
    {DOC("[{'name':'a','size':true}]", "[]"), JC_E_INPUT, "/variables/0/size", "integer"},
    {DOC("[{'name':'a','size':9223372036854775808}]", "[]"), JC_E_INPUT, "/variables/0/size", "below 2^63"},
    {DOC("{'sizes':{'tensor':'sizes'}}", "[]"), JC_E_INPUT, "/variables/prefix", "text"},
    {DOC("{'prefix':'v'}", "[]"), JC_E_INPUT, "/variables/sizes", "tensor"},
    {DOC("{'sizes':[1,2],'prefix':'v'}", "[]"), JC_E_INPUT, "/variables/sizes", "list"},
    {DOC("{'sizes':{'tensor':'w'},'prefix':'v'}", "[]"), JC_E_INPUT, "/variables/sizes", "I64 or I32"},
    {DOC("{'sizes':{'tensor':'zero'},'prefix':'v'}", "[]"), JC_E_INPUT, "/variables[1]/sizes", "at least 1"},
    {DOC("{'sizes':{'tensor':'sizes'},'prefix':'v','size':1}", "[]"), JC_E_INPUT, "/variables/size", "not known"},
    /* edges */
    {EDGES("7"), JC_E_INPUT, "/edges/0", "an edge is an object"},
    {EDGES("{}"), JC_E_INPUT, "/edges/0", "'of'"},
    {EDGES("{'of':'b','jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0", "'wrt'"},
    {EDGES("{'of':'b','wrt':'a'}"), JC_E_INPUT, "/edges/0", "'jacobian'"},
    {EDGES("{'of':'b','wrt':'a','jacobian':'dense'}"), JC_E_INPUT, "/edges/0/jacobian", "text"},
    {EDGES("{'of':1,'wrt':'a','jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0/of", "name of a variable"},
    {EDGES("{'of':'d','wrt':'a','jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0/of", "no variable 'd'"},
    {EDGES("{'of':'b','wrt':'a\\u0000','jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0/wrt", "no variable"},
    {EDGES("{'of':'b','wrt':'b','jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0", "itself"},
    {EDGES("{'of':'b','wrt':'a','weight':1,'jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0/weight", "not known"},
    {EDGES(OK_EDGE ",{'of':'b','wrt':'a','label':7,'jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/1/label",
     "text"},
    {EDGES("{'of':'b','wrt':'a','label':['x',7],'jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0/label/1", "text"},
    {EDGES("{'of':'b','wrt':'a','label':'x y','jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges/0/label", "x y"},
    {EDGES(OK_EDGE ",{'of':'a','wrt':'b','jacobian':{'kind':'dense'}}"), JC_E_INPUT, "/edges", "cycle"},
    /* Jacobians */
    {JAC("{}"), JC_E_INPUT, "/edges/1/jacobian", "'kind'"},
    {JAC("{'kind':7}"), JC_E_INPUT, "/edges/1/jacobian/kind", "an integer"},
    {JAC("{'kind':'full'}"), JC_E_INPUT, "/edges/1/jacobian/kind", "no kind 'full'; the kinds are dense, diagonal"},
    {JAC("{'kind':'Dense'}"), JC_E_INPUT, "/edges/1/jacobian/kind", "operator; is 'dense' meant?"},
    {JAC("{'kind':'lowrank'}"), JC_E_INPUT, "/edges/1/jacobian/kind", "is 'low_rank' meant?"},
    {JAC("{'kind':'dense','value':[]}"), JC_E_INPUT, "/edges/1/jacobian/value",
     "not known here, expected one of kind, transpose, values, batch, inner; is 'values' meant?"},
    {JAC("{'kind':'dense','scale':2}"), JC_E_INPUT, "/edges/1/jacobian/scale", "not known"},
    {JAC("{'kind':'dense','offsets':{}}"), JC_E_INPUT, "/edges/1/jacobian/offsets", "not known"},
    {JAC("{'kind':'dense','transpose':1}"), JC_E_INPUT, "/edges/1/jacobian/transpose", "true or false"},
    {JAC("{'kind':'dense','batch':0}"), JC_E_INPUT, "/edges/1/jacobian/batch", "at least 1"},
    {JAC("{'kind':'dense','batch':2}"), JC_E_INPUT, "/edges/1/jacobian/batch", "multiples"},
    {JAC("{'kind':'dense','inner':1.0}"), JC_E_INPUT, "/edges/1/jacobian/inner", "without fraction"},
    {JAC("{'kind':'dense','inner':[1]}"), JC_E_INPUT, "/edges/1/jacobian/inner", "integer"},
    {JAC("{'kind':'dense','values':7}"), JC_E_INPUT, "/edges/1/jacobian/values", "lists of numbers"},
    {JAC("{'kind':'dense','values':[1,2,3,4,5,6]}"), JC_E_INPUT, "/edges/1/jacobian/values", "1 axis"},
    {JAC("{'kind':'dense','values':[[1,2],[3,4]]}"), JC_E_INPUT, "/edges/1/jacobian/values", "2 x 2"},
    {JAC("{'kind':'dense','values':[[1,2],[3,4],[5]]}"), JC_E_INPUT, "/edges/1/jacobian/values/2", "1 elements"},
    {JAC("{'kind':'dense','values':[[1,2],[3,'4'],[5,6]]}"), JC_E_INPUT, "/edges/1/jacobian/values/1/1", "not text"},
    {JAC("{'kind':'dense','values':[[1,2],[3,null],[5,6]]}"), JC_E_INPUT, "/edges/1/jacobian/values/1/1", "not null"},
    {JAC("{'kind':'dense','values':[[1,2],[3,[4]],[5,6]]}"), JC_E_INPUT, "/edges/1/jacobian/values/1/1", "not a list"},
    {JAC("{'kind':'dense','values':[[1,2],3,[5,6]]}"), JC_E_INPUT, "/edges/1/jacobian/values/1", "a list"},
    {JAC("{'kind':'dense','values':[[[[[1]]]]]}"), JC_E_INPUT, "/edges/1/jacobian/values", "4 deep"},
    {JAC("{'kind':'csr','indptr':[0,1,1,1],'indices':[1.0],'values':[1]}"), JC_E_INPUT, "/edges/1/jacobian/indices/0",
     "an integer"},
    {JAC("{'kind':'csr','indptr':[0,1,1,1],'indices':[2],'values':[1]}"), JC_E_INPUT, "/edges/1/jacobian/indices", "2"},
    {JAC("{'kind':'csr','indptr':[0,1,1,1],'indices':[0]}"), JC_E_INPUT, "/edges/1/jacobian/values", "needs values"},
    {JAC("{'kind':'diagonal','values':[1,2]}"), JC_E_INPUT, "/edges/1/jacobian", "square"},
    {SQUARE("{'kind':'identity','scale':'2'}"), JC_E_INPUT, "/edges/0/jacobian/scale", "not text"},
    {SQUARE("{'kind':'identity','scale':[2]}"), JC_E_INPUT, "/edges/0/jacobian/scale", "not a list"},
    {SQUARE("{'kind':'select','indices':[0,9223372036854775808]}"), JC_E_INPUT, "/edges/0/jacobian/indices/1",
     "integer"},
    {SQUARE("{'kind':'operator','tangent_cost':1}"), JC_E_INPUT, "/edges/0/jacobian", "'adjoint_cost'"},
    {SQUARE("{'kind':'operator','tangent_cost':-1,'adjoint_cost':1}"), JC_E_INPUT, "/edges/0/jacobian/tangent_cost",
     "at least 0"},
    {SQUARE("{'kind':'operator','tangent_cost':1,'adjoint_cost':1,'batch':1}"), JC_E_INPUT, "/edges/0/jacobian/batch",
     "not known"},
    /* references */
    {JAC("{'kind':'dense','values':{}}"), JC_E_INPUT, "/edges/1/jacobian/values", "NAME"},
    {JAC("{'kind':'dense','values':{'tensor':'none'}}"), JC_E_INPUT, "/edges/1/jacobian/values", "no tensor 'none'"},
    {JAC("{'kind':'dense','values':{'tensor':'w','slice':0}}"), JC_E_INPUT, "/edges/1/jacobian/values/slice",
     "not known"},
    {JAC("{'kind':'dense','values':{'tensor':'stack','index':2}}"), JC_E_INPUT, "/edges/1/jacobian/values/index",
     "slices 0 to 1"},
    {JAC("{'kind':'dense','values':{'tensor':'stack','index':-1}}"), JC_E_INPUT, "/edges/1/jacobian/values/index",
     "at least 0"},
    {JAC("{'kind':'dense','values':{'tensor':'scalar','index':0}}"), JC_E_INPUT, "/edges/1/jacobian/values/index",
     "no axis"},
    {JAC("{'kind':'dense','values':{'tensor':'scalar'}}"), JC_E_INPUT, "/edges/1/jacobian/values", "axes"},
    {JAC("{'kind':'dense','values':{'tensor':'five'}}"), JC_E_INPUT, "/edges/1/jacobian/values", "5 axes"},
    {JAC("{'kind':'dense','values':{'tensor':'bytes'}}"), JC_E_INPUT, "/edges/1/jacobian/values", "U8"},
    {JAC("{'kind':'select','indices':{'tensor':'half'}}"), JC_E_INPUT, "/edges/1/jacobian/indices", "not F16"},
    {JAC("{'kind':'dense','values':{'tensor':'of'}}"), JC_E_INPUT, "/edges/1/jacobian/values", "floating"},
    {JAC("{'kind':'dense','values':{'tensor':'stack'}}"), JC_E_INPUT, "/edges/1/jacobian/values", "batch"},
    {JAC("{'kind':'select','indices':{'tensor':'w'}}"), JC_E_INPUT, "/edges/1/jacobian/indices", "I64 or I32"},
    {"{'jacchain':1,'variables':[" V3 "],'edges':[{'of':'b','wrt':'a','jacobian':{'kind':'dense','values':"
     "{'tensor':'w'}}}]}",
     JC_E_INPUT, "/edges/0/jacobian/values", "no 'tensors' file"},
    /* groups */
    {GROUP("'jacobian':{'kind':'identity'}"), JC_E_INPUT, "/edges/1", "'count'"},
    {GROUP("'count':0,'jacobian':{'kind':'identity'}"), JC_E_INPUT, "/edges/1/count", "at least 1"},
    {GROUP("'count':2.0,'jacobian':{'kind':'identity'}"), JC_E_INPUT, "/edges/1/count", "without fraction"},
    {GROUP("'count':3,'jacobian':{'kind':'identity'}"), JC_E_INPUT, "/edges/1/of", "3"},
    {GROUP(TWO "'jacobian':{'kind':'identity','scale':[1]}"), JC_E_INPUT, "/edges/1/jacobian/scale", "2 edges"},
    {GROUP(TWO "'jacobian':{'kind':'identity','scale':[1,'2']}"), JC_E_INPUT, "/edges/1/jacobian/scale/1", "text"},
    {GROUP(TWO "'jacobian':{'kind':'identity','scale':{'tensor':'of'}}"), JC_E_INPUT, "/edges/1/jacobian/scale",
     "2 edges"},
    /* groups of edges of different shapes */
    {GROUP(TWO "'jacobian':{'kind':'dense','offsets':{}}"), JC_E_INPUT, "/edges/1/jacobian/offsets",
     "of 'values' are not given"},
    {GROUP(TWO "'jacobian':{'kind':'dense','offsets':[0,4,8]}"), JC_E_INPUT, "/edges/1/jacobian/offsets", "FIELD"},
    {GROUP(TWO "'jacobian':{'kind':'dense','offsets':{'values':[0,4,8]}}"), JC_E_INPUT,
     "/edges/1/jacobian/offsets/values", "{\"tensor\": NAME}"},
    {GROUP(TWO "'jacobian':{'kind':'dense','offsets':{'values':{'tensor':'ends'},'x':{'tensor':'ends'}}}"), JC_E_INPUT,
     "/edges/1/jacobian/offsets/x", "not known"},
    {GROUP(TWO "'jacobian':{'kind':'dense','offsets':{'values':{'tensor':'ends'}}}"), JC_E_INPUT,
     "/edges/1/jacobian/values", "not given"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[1,2,3,4,5,6,7],'offsets':{'values':{'tensor':'of'}}}"), JC_E_INPUT,
     "/edges/1/jacobian/offsets/values", "expected 1 axis of 3"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[1,2,3,4,5,6,7],'offsets':{'values':{'tensor':'w'}}}"), JC_E_INPUT,
     "/edges/1/jacobian/offsets/values", "I64 or I32"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[1,2,3,4,5,6,7],'offsets':{'values':{'tensor':'ends'}}}"),
     JC_E_INPUT, "/edges/1[1]/jacobian/offsets/values", "offsets[2] is 8, expected 4 to 7"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[1,2,3,4,5,6,7,8,9],'offsets':{'values':{'tensor':'ends'}}}"),
     JC_E_INPUT, "/edges/1/jacobian/offsets/values", "end with 8, expected 9"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[1,2,3,4,5,6,7,8],'offsets':{'values':{'tensor':'down'}}}"),
     JC_E_INPUT, "/edges/1[1]/jacobian/offsets/values", "offsets[2] is 4, expected 6 to 8"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[1,2,3,4,5,6,7,8],'offsets':{'values':{'tensor':'late'}}}"),
     JC_E_INPUT, "/edges/1/jacobian/offsets/values", "begin with 1"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[1,2,3,4,5,6,7,8],'offsets':{'values':{'tensor':'other'}}}"),
     JC_E_INPUT, "/edges/1[0]/jacobian/values", "3 numbers, expected 2 x 2"},
    {GROUP(TWO "'jacobian':{'kind':'dense','batch':2,'values':[1,2],'offsets':{'values':{'tensor':'ends'}}}"),
     JC_E_INPUT, "/edges/1/jacobian/batch", "no batch"},
    {GROUP(TWO "'jacobian':{'kind':'csr','offsets':{'values':{'tensor':'ends'},'indices':{'tensor':'ends'}}}"),
     JC_E_INPUT, "/edges/1/jacobian/offsets", "'indptr'"},
    {GROUP(TWO "'jacobian':{'kind':'tile','offsets':{'values':{'tensor':'ends'}}}"), JC_E_INPUT,
     "/edges/1/jacobian/offsets", "dense, diagonal, csr or select"},
    {JAC("{'kind':'dense','values':{'tensor':'w'},'offsets':{'values':{'tensor':'ends'}}}"), JC_E_INPUT,
     "/edges/1/jacobian/offsets", "not known"},
    {GROUP(TWO "'jacobian':{'kind':'dense','values':[[1,2],[3,4]]}"), JC_E_INPUT, "/edges/1/jacobian/values", "axes"},
    {GROUP(TWO "'jacobian':{'kind':'select','indices':[[0,1],[1,2]]}"), JC_E_INPUT, "/edges/1[1]/jacobian/indices",
     "2"},
    {GROUP(TWO "'extra':1,'jacobian':{'kind':'identity'}"), JC_E_INPUT, "/edges/1/extra", "not known"},
    {EDGES("{'of':{'tensor':'of'},'wrt':'a','count':2,'jacobian':{'kind':'identity'}}"), JC_E_INPUT, "/edges/0/wrt",
     "tensor"},
    {EDGES("{'of':'b','wrt':'a','count':2,'jacobian':{'kind':'identity'}}"), JC_E_INPUT, "/edges/0/of", "tensor"},
    {EDGES("{'of':{'tensor':'far'},'wrt':{'tensor':'wrt'},'count':2,'jacobian':{'kind':'identity'}}"), JC_E_INPUT,
     "/edges/0[1]/of", "9"},
    {EDGES("{'of':{'tensor':'mixed'},'wrt':{'tensor':'wrt'},'count':2,'jacobian':{'kind':'identity'}}"), JC_E_INPUT,
     "/edges/0[1]/of", "size"},
};
enum { N_BAD = sizeof bad_documents / sizeof bad_documents[0] };

static void write_side_file(const io_folder *folder)
{
    static const double numbers[12];
    static const int32_t of[2] = {2, 2}, far[2] = {2, 9}, mixed[2] = {2, 1}, sizes[3] = {2, 2, 2}, zero[2] = {2, 0};
    static const int64_t ends[3] = {0, 4, 8}, down[3] = {0, 6, 4}, late[3] = {1, 4, 8}, other[3] = {0, 3, 8};
    static const int64_t wrt[2] = {0, 0};
    const io_tensor tensors[] = {
        {"w", "F64", "[3,2]", numbers, 48},    {"stack", "F64", "[2,3,2]", numbers, 96},
        {"scalar", "F64", "[]", numbers, 8},   {"five", "F64", "[1,1,1,3,2]", numbers, 48},
        {"half", "F16", "[3,2]", numbers, 12}, {"bytes", "U8", "[3,2]", numbers, 6},
        {"of", "I32", "[2]", of, 8},           {"wrt", "I64", "[2]", wrt, 16},
        {"far", "I32", "[2]", far, 8},         {"mixed", "I32", "[2]", mixed, 8},
        {"sizes", "I32", "[3]", sizes, 12},    {"zero", "I32", "[2]", zero, 8},
        {"ends", "I64", "[3]", ends, 24},      {"down", "I64", "[3]", down, 24},
        {"late", "I64", "[3]", late, 24},      {"other", "I64", "[3]", other, 24},
    };
    io_write_list(folder, "t.safetensors", tensors, sizeof tensors / sizeof tensors[0], 0);
}

static void expect_bad(const io_folder *folder, const bad_document *bad)
{
    const char *path = io_write_text(folder, "graph.json", bad->text);
    char start[IO_PATH_BYTES + 500];
    jc_graph *graph = NULL;
    io_counter counter = {.fail_at = -1};
    jc_allocator allocator = io_counting_allocator(&counter);
    jc_graph_options options = {.struct_size = sizeof options, .allocator = &allocator};
    jc_status status = jc_graph_load(path, &options, &graph);
    snprintf(start, sizeof start, "%s: %s%s", path, bad->place, bad->place[0] ? ": " : "");
    cr_expect_eq(status, bad->status, "%s\n%s: %s", bad->text, jc_status_name(status), jc_last_error());
    cr_expect_null(graph);
    cr_expect(strncmp(jc_last_error(), start, strlen(start)) == 0, "%s\nexpected %s\ngot      %s", bad->text, start,
              jc_last_error());
    cr_expect(strstr(jc_last_error() + strlen(path), bad->words), "%s\nno '%s' in: %s", bad->text, bad->words,
              jc_last_error());
    cr_expect_eq(counter.bytes_out, 0, "%s\nleaks %d bytes", bad->text, (int)counter.bytes_out);
}

Test(document_errors, each_says_file_place_and_what_is_wrong)
{
    io_folder folder = io_folder_make();
    write_side_file(&folder);
    for (int i = 0; i < N_BAD; i++) expect_bad(&folder, &bad_documents[i]);
    io_folder_remove(&folder);
}

static void expect_path(const char *path, jc_status expected, const char *start, const char *words)
{
    jc_graph *graph = NULL;
    jc_status status = jc_graph_load(path, NULL, &graph);
    cr_expect_eq(status, expected, "%s: %s", path, jc_last_error());
    cr_expect(strncmp(jc_last_error(), start, strlen(start)) == 0, "expected %s\ngot %s", start, jc_last_error());
    cr_expect(strstr(jc_last_error(), words), "no '%s' in %s", words, jc_last_error());
}

Test(document_errors, files_that_cannot_be_read_are_named)
{
    io_folder folder = io_folder_make();
    char start[IO_PATH_BYTES + 500];
    const char *path = io_path(&folder, "none.json");
    expect_path(path, JC_E_INPUT, path, "No such file");
    expect_path(folder.path, JC_E_INPUT, folder.path, "is a directory");
    path = io_write(&folder, "empty.json", "", 0);
    expect_path(path, JC_E_INPUT, path, "is empty");
    expect_path("-", JC_E_INPUT, "-: cannot be read", "No such file"); /* standard input is the command's */
    snprintf(start, sizeof start, "%s: cannot be read", io_path(&folder, "t.safetensors"));
    path = io_write_text(&folder, "graph.json", EDGES(OK_EDGE));
    expect_path(path, JC_E_INPUT, start, "No such file");
    snprintf(start, sizeof start, "%s: is too short", io_write(&folder, "t.safetensors", "abc", 3));
    expect_path(path, JC_E_INPUT, start, "3 bytes");
    io_folder_remove(&folder);
}

Test(document_errors, documents_are_nested_and_named_without_limit_on_us)
{
    enum { DEPTH = 1000000, NAME = 100000 };
    io_folder folder = io_folder_make();
    char *text = malloc(4 * DEPTH + 200);
    strcpy(text, "{\"jacchain\":1,\"variables\":[],\"edges\":[");
    size_t used = strlen(text);
    for (int i = 0; i < DEPTH; i++) text[used++] = '[';
    const char *path = io_write(&folder, "deep.json", text, used);
    expect_path(path, JC_E_INPUT, path, "depth");
    for (int i = 0; i < DEPTH; i++) text[used++] = ']';
    memcpy(text + used, "]}", 2);
    path = io_write(&folder, "deep.json", text, used + 2);
    expect_path(path, JC_E_INPUT, path, "depth");
    used = (size_t)sprintf(text, "{\"jacchain\":1,\"variables\":[],\"edges\":[{\"of\":\"");
    for (int i = 0; i < NAME; i++) used += (size_t)sprintf(text + used, "\xc3\xa9");
    used += (size_t)sprintf(text + used, "\"}]}");
    path = io_write(&folder, "long.json", text, used);
    expect_path(path, JC_E_INPUT, path, "/edges/0/of: there is no variable '\xc3\xa9");
    cr_expect(strlen(jc_last_error()) < strlen(path) + 200, "the name is not cut");
    cr_expect(strstr(jc_last_error(), "\xc3\xa9...'"), "cut inside a character: %s", jc_last_error());
    free(text);
    io_folder_remove(&folder);
}

/* `before`, 30,000 bytes of a variable's metadata, `after`: longer than one piece of a list. */
static void expect_long(const io_folder *folder, const char *before, const char *after, const char *start_format,
                        const char *words)
{
    char *text = malloc(40000), start[IO_PATH_BYTES + 500];
    sprintf(text, "{'jacchain':1,'edges':[],'variables':[%s{'name':'long','size':1,'metadata':'%30000s'}%s]}", before,
            "", after);
    const char *path = io_write_text(folder, "graph.json", text);
    snprintf(start, sizeof start, start_format, path);
    expect_path(path, JC_E_INPUT, start, words);
    free(text);
}

Test(document_errors, places_are_right_far_into_a_list)
{
    io_folder folder = io_folder_make();
    expect_long(&folder, "", ",", "%s: line 1, column 30078", "']'");
    expect_long(&folder, "", ",,{'name':'b','size':1}", "%s: line 1, column 30078", "','");
    expect_long(&folder, ",", "", "%s: line 1, column 39", "','");
    expect_long(&folder, "", ",{'name':'b','size':1},{'name':'c','size':0}", "%s: /variables/2/size: ", "at least 1");
    expect_long(&folder, "{'name':'a','size':1},", ",{'name':'long','size':1}",
                "%s: /variables/2/name: ", "both named");
    expect_long(&folder, "", ",{'name':'b','size':1}\n\n,{'name':'c'", "%s: line 3, column ", "'}'");
    io_folder_remove(&folder);
}
